/* The draft becomes an issue; a correction; past issues from elsewhere. */
#include "daemon/issues.h"

#include "lib/date.h"
#include "lib/html.h"
#include "lib/markdown.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every item gets its place in the store, with the comment: it is searched, and kept. */
static enum kns_status keep_items(struct kns_request *request, struct kns_store *store,
                                  struct kns_issue *issue, struct kns_error *err)
{
    struct kns_issue_item *item;
    enum kns_status status = KNS_OK;

    for (item = issue->items.first; item != NULL && status == KNS_OK; item = item->next) {
        struct kns_entry *entry = kns_entry_new(request->arena);
        const char *html =
            item->note == NULL ? NULL : kns_markdown_to_html(request->arena, item->note);
        const char *note = html == NULL ? NULL : kns_html_to_text(request->arena, html);
        if (entry == NULL || (item->note != NULL && note == NULL))
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        if (!kns_url_is_web(item->url))
            continue;
        entry->url = item->url;
        entry->title = item->title;
        entry->summary = item->description;
        entry->image = item->image;
        entry->published = issue->published;
        status = kns_store_put_item(store, entry, note, kns_time_now(), &item->id, err);
    }
    return status;
}

/* The issue itself can be found too, by the words of its introduction. */
static enum kns_status keep_issue(struct kns_request *request, struct kns_store *store,
                                  const struct kns_publication *publication,
                                  const struct kns_issue *issue, struct kns_error *err)
{
    const struct kns_digest_options options = {.paste = true};
    struct kns_entry *entry = kns_entry_new(request->arena);
    struct kns_buf html = {0};
    int64_t id = 0;

    if (issue->url == NULL || !kns_url_is_web(issue->url))
        return KNS_OK;
    const struct kns_digest *digest = kns_issue_digest(request->arena, issue, publication, false);
    if (entry == NULL || digest == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_digest_render(digest, KNS_DIGEST_HTML, &options, &html, NULL, err);
    if (status == KNS_OK) {
        entry->url = issue->url;
        entry->title = issue->title;
        entry->published = issue->published;
        entry->content_html = kns_buf_str(&html);
        status = kns_store_put_item(store, entry, NULL, kns_time_now(), &id, err);
    }
    kns_buf_fini(&html);
    return status;
}

/* A published issue as it is now, with all that it names. */
static enum kns_status keep(struct kns_request *request, struct kns_store *store,
                            const struct kns_publication *publication, struct kns_issue *issue,
                            struct kns_error *err)
{
    enum kns_status status = keep_items(request, store, issue, err);

    if (status == KNS_OK)
        status = keep_issue(request, store, publication, issue, err);
    return status == KNS_OK ? kns_issues_save(request, store, publication, issue, err) : status;
}

static enum kns_status refuse(struct kns_request *request,
                              const struct kns_issue_problems *problems)
{
    const struct kns_issue_problem *problem = problems->list.first;

    while (!problem->is_error)
        problem = problem->next;
    kns_request_problem(request, 409, "%s%s (see knsctl issue lint)", problem->message,
                        problems->errors > 1 ? ", and more" : "");
    return KNS_OK;
}

/* The number and date that it gets: the body's, else the next number, now. */
static enum kns_status read_publishing(struct kns_request *request, struct kns_issue *issue,
                                       const struct kns_publication *publication,
                                       struct kns_error *err)
{
    const json_t *number = json_object_get(request->json, "number");
    const char *date = NULL;
    enum kns_status status = kns_issues_text_of(request, "date", &date, err);

    if (status != KNS_OK)
        return status;
    if (number != NULL && json_integer_value(number) < 1)
        return kns_fail(err, KNS_EINVAL, "\"number\": expected a number from 1");
    issue->published = kns_time_now();
    if (date != NULL && !kns_date_parse(date, &issue->published))
        return kns_fail(err, KNS_EINVAL, "\"date\": expected a date such as 2026-11-20");
    if (number != NULL && json_integer_value(number) != issue->number) {
        const char *old = kns_issue_title(request->arena, publication, issue->number);
        bool made = old != NULL && strcmp(old, issue->title) == 0;
        issue->number = json_integer_value(number);
        if (made)
            issue->title = kns_issue_title(request->arena, publication, issue->number);
    }
    issue->updated = issue->published;
    return issue->title != NULL ? KNS_OK : kns_fail(err, KNS_ENOMEM, "out of memory");
}

enum kns_status kns_publish_draft(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue_problems problems = {0};
    struct kns_issue *issue = NULL;
    bool force = json_is_true(json_object_get(request->json, "force"));
    enum kns_status status = kns_issues_begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = read_publishing(request, issue, publication, err);
    if (status == KNS_OK)
        status = kns_issues_lint(request, store, publication, issue, &problems, err);
    if (status != KNS_OK)
        return status;
    bool taken = false;
    struct kns_issue_record same;
    taken = kns_store_get_issue(store, request->arena, publication->name, issue->number, &same,
                                NULL) == KNS_OK;
    /* What cannot be an issue is none, by force or not. */
    if (problems.errors > 0 && (!force || taken || issue->items.count == 0))
        return refuse(request, &problems);
    issue->draft = false;
    issue->language = publication->language;
    issue->id = kns_issue_id(request->arena, publication, issue->number, issue->published);
    issue->url = kns_issue_url(request->arena, publication, issue->number);
    if (issue->id == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    status = keep(request, store, publication, issue, err);
    struct kns_error none;
    if (status == KNS_OK)
        kns_store_remove_issue(store, publication->name, 0, &none);
    if (status != KNS_OK)
        return status;
    json_t *json = kns_issue_to_json(issue);
    json_object_set_new(json, "problems", kns_issues_problems(&problems));
    kns_request_answer(request, 201, json);
    return KNS_OK;
}

/* What is published keeps its id and its date; that it was changed can be seen. It goes through lint as it did before, but what was
 * wrong with it then does not stop a correction: only what makes it no issue any more does. */
enum kns_status kns_correct_issue(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue_problems problems = {0};
    struct kns_issue *issue = NULL;
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = kns_issues_load(request, store, publication, request->id, &issue, err);
    if (status == KNS_OK)
        status = kns_issues_read_text(request, store, issue, err);
    if (request->status != 0) /* answered: it was changed meanwhile */
        return KNS_OK;
    if (status == KNS_OK && issue->items.count == 0 && issue->sections.count == 0)
        status = kns_fail(err, KNS_EINVAL, "nothing would be left of the issue");
    if (status == KNS_OK)
        status = kns_issues_lint(request, store, publication, issue, &problems, err);
    if (status != KNS_OK)
        return status;
    issue->revision++;
    issue->updated = kns_time_now();
    if (issue->updated.unix_s <= issue->published.unix_s)
        issue->updated.unix_s = issue->published.unix_s + 1;
    status = keep(request, store, publication, issue, err);
    if (status == KNS_OK)
        kns_issues_answer(request, store, issue,
                          json_pack("{s:o}", "problems", kns_issues_problems(&problems)));
    return status;
}

/* ---- past issues ---------------------------------------------------------------------------------------------------------------------- */

static enum kns_status read_past(struct kns_request *request, struct kns_issue **ret,
                                 struct kns_error *err)
{
    const struct kns_newsletter_source source = {.title = kns_request_parameter(request, "title"),
                                                 .url = kns_request_parameter(request, "url")};
    const char *date = kns_request_parameter(request, "date");
    struct kns_newsletter *newsletter = NULL;
    enum kns_status status = kns_newsletter_read_file(
        request->arena, request->body, request->body_size, &source, &newsletter, err);

    if (status != KNS_OK)
        return status;
    struct kns_issue *issue = kns_issue_from_newsletter(request->arena, newsletter);
    if (issue == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    if (date != NULL && !kns_date_parse(date, &issue->published))
        return kns_fail(err, KNS_EINVAL, "date=%.60s: expected a date", date);
    if (!kns_request_number(request, "number", 1, INT32_MAX, &issue->number))
        return KNS_EINVAL;
    if (issue->number == 0)
        return kns_fail(err, KNS_EINVAL,
                        "there is no number in its title \"%.200s\": say which it is",
                        issue->title == NULL ? "" : issue->title);
    if (!kns_time_given(issue->published))
        return kns_fail(err, KNS_EINVAL, "no date: say when it was published");
    if (issue->items.count == 0 && issue->sections.count == 0)
        return kns_fail(err, KNS_EINVAL, "there is nothing of a newsletter in it");
    *ret = issue;
    return KNS_OK;
}

enum kns_status kns_import_issue(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue_record same;
    struct kns_issue *issue = NULL;
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = read_past(request, &issue, err);
    if (status != KNS_OK)
        return request->status != 0 ? KNS_OK : status;
    if (kns_store_get_issue(store, request->arena, publication->name, issue->number, &same, NULL) ==
        KNS_OK)
        return kns_fail(err, KNS_EEXIST, "issue %lld is there already", (long long)issue->number);
    issue->newsletter = publication->name;
    issue->updated = issue->published;
    if (issue->title == NULL)
        issue->title = kns_issue_title(request->arena, publication, issue->number);
    if (issue->id == NULL)
        issue->id = kns_issue_id(request->arena, publication, issue->number, issue->published);
    if (issue->title == NULL || issue->id == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    status = keep(request, store, publication, issue, err);
    if (status == KNS_OK)
        kns_request_answer(request, 201, kns_issue_to_json(issue));
    return status;
}
