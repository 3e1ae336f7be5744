/* What requests about issues share: which newsletter, the draft and what was published, in and out of the store. An issue is read as
 * a whole, changed, and stored as a whole, in one transaction. */
#include "daemon/issues.h"

#include "lib/date.h"
#include "lib/markdown.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which newsletter, which issue -------------------------------------------------------------------------------------- */

enum kns_status kns_issues_find_publication(struct kns_request *request,
                                            const struct kns_publication **ret,
                                            struct kns_error *err)
{
    const char *name = kns_request_parameter(request, "newsletter");

    for (size_t i = 0; i < request->n_publications; i++)
        if (name == NULL || strcmp(request->publications[i].name, name) == 0) {
            *ret = &request->publications[i];
            return KNS_OK;
        }
    return kns_fail(err, KNS_ENOTFOUND, "there is no [newsletter %.60s] in the configuration",
                    name);
}

enum kns_status kns_issues_parse(struct kns_arena *arena, const char *document,
                                 struct kns_issue **ret, struct kns_error *err)
{
    json_t *json = json_loads(document, 0, NULL);

    *ret = json == NULL ? NULL : kns_issue_from_json(arena, json);
    json_decref(json);
    return *ret != NULL ? KNS_OK : kns_fail(err, KNS_ECORRUPT, "an issue cannot be read");
}

enum kns_status kns_issues_load(struct kns_request *request, struct kns_store *store,
                                const struct kns_publication *publication, int64_t number,
                                struct kns_issue **ret, struct kns_error *err)
{
    struct kns_issue_record record;
    enum kns_status status =
        kns_store_get_issue(store, request->arena, publication->name, number, &record, err);

    return status == KNS_OK ? kns_issues_parse(request->arena, record.document, ret, err) : status;
}

static bool take_number(void *ctx, const struct kns_issue_record *record)
{
    *(struct kns_issue_record *)ctx = *record;
    return false;
}

/* The last published number and when that was; zeros: nothing is published. */
enum kns_status kns_issues_find_last(struct kns_store *store,
                                     const struct kns_publication *publication,
                                     struct kns_issue_record *ret, struct kns_error *err)
{
    *ret = (struct kns_issue_record){0};
    return kns_store_each_issue(store, publication->name, 1, take_number, ret, err);
}

/* The draft as it is; where there is none, an empty one for the next number. */
enum kns_status kns_issues_load_draft(struct kns_request *request, struct kns_store *store,
                                      const struct kns_publication *publication,
                                      struct kns_issue **ret, struct kns_error *err)
{
    struct kns_issue_record last;
    enum kns_status status = kns_issues_load(request, store, publication, 0, ret, err);

    if (status != KNS_ENOTFOUND)
        return status;
    status = kns_issues_find_last(store, publication, &last, err);
    if (status != KNS_OK)
        return status;
    struct kns_issue *issue = KNS_NEW(request->arena, struct kns_issue);
    if (issue == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    issue->newsletter = publication->name;
    issue->draft = true;
    issue->number = last.number > 0 ? last.number + 1 : publication->first_number;
    issue->title = kns_issue_title(request->arena, publication, issue->number);
    *ret = issue;
    return issue->title != NULL ? KNS_OK : kns_fail(err, KNS_ENOMEM, "out of memory");
}

enum kns_status kns_issues_save(struct kns_request *request, struct kns_store *store,
                                const struct kns_publication *publication,
                                const struct kns_issue *issue, struct kns_error *err)
{
    json_t *json = kns_issue_to_json(issue);
    char *document = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    struct kns_covered *covered =
        kns_arena_alloc(request->arena, (issue->items.count + 1) * sizeof(*covered));
    const struct kns_issue_item *item;
    size_t n = 0;

    json_decref(json);
    if (document == NULL || covered == NULL) {
        free(document);
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    }
    KNS_LIST_EACH(item, &issue->items)
    covered[n++] = (struct kns_covered){item->id, item->url, item->title};
    const struct kns_issue_record record = {.newsletter = publication->name,
                                            .number = issue->draft ? 0 : issue->number,
                                            .title = issue->title,
                                            .published_at = issue->published,
                                            .updated_at = issue->updated,
                                            .items = (int64_t)n,
                                            .document = document};
    enum kns_status status = kns_store_put_issue(store, &record, covered, n, NULL, err);
    free(document);
    return status;
}

/* ---- what is said of an issue --------------------------------------------------------------------------------------------- */

int64_t kns_issues_covered(void *ctx, const char *url, const char *title)
{
    const struct kns_looking_back *back = ctx;
    int64_t number = 0;

    kns_store_find_covered(back->store, back->newsletter, url, title, back->except, &number, NULL);
    return number;
}

/* Strings that a person should read: which items were in an earlier issue. */
static json_t *warnings_of(struct kns_store *store, const struct kns_issue *issue)
{
    struct kns_looking_back back = {store, issue->newsletter, issue->draft ? 0 : issue->number};
    json_t *warnings = json_array();
    const struct kns_issue_item *item;

    KNS_LIST_EACH(item, &issue->items)
    {
        int64_t number = kns_issues_covered(&back, item->url, item->title);
        char sentence[400];
        if (number == 0)
            continue;
        snprintf(sentence, sizeof(sentence), "%.300s: already in #%lld", item->title,
                 (long long)number);
        sentence[kns_text_utf8_prefix(sentence, strlen(sentence))] = '\0';
        json_array_append_new(warnings, json_string(sentence));
    }
    return warnings;
}

void kns_issues_answer(struct kns_request *request, struct kns_store *store,
                       const struct kns_issue *issue, json_t *more)
{
    json_t *json = kns_issue_to_json(issue), *warnings = warnings_of(store, issue);

    if (json != NULL && json_array_size(warnings) > 0)
        json_object_set(json, "warnings", warnings);
    if (json != NULL && more != NULL)
        json_object_update(json, more);
    json_decref(warnings);
    json_decref(more);
    kns_request_answer(request, 200, json);
}

enum kns_status kns_issues_finish(struct kns_request *request, struct kns_store *store,
                                  const struct kns_publication *publication,
                                  struct kns_issue *issue, json_t *more, struct kns_error *err)
{
    issue->revision++;
    issue->updated = kns_time_now();
    enum kns_status status = kns_issues_save(request, store, publication, issue, err);
    if (status == KNS_OK)
        kns_issues_answer(request, store, issue, more);
    else
        json_decref(more);
    return status;
}

enum kns_status kns_issues_lint(struct kns_request *request, struct kns_store *store,
                                const struct kns_publication *publication,
                                const struct kns_issue *issue, struct kns_issue_problems *ret,
                                struct kns_error *err)
{
    struct kns_looking_back back = {store, publication->name, issue->draft ? 0 : issue->number};
    struct kns_issue_surroundings around = {.covered = kns_issues_covered, .ctx = &back};
    struct kns_issue_record last, same;
    enum kns_status status = kns_issues_find_last(store, publication, &last, err);

    if (status != KNS_OK)
        return status;
    around.last_number = last.number;
    around.number_taken =
        issue->draft && kns_store_get_issue(store, request->arena, publication->name, issue->number,
                                            &same, NULL) == KNS_OK;
    return kns_issue_lint(request->arena, issue, publication, &around, ret)
               ? KNS_OK
               : kns_fail(err, KNS_ENOMEM, "out of memory");
}

json_t *kns_issues_problems(const struct kns_issue_problems *problems)
{
    const struct kns_issue_problem *problem;
    json_t *array = json_array();

    KNS_LIST_EACH(problem, &problems->list)
    {
        json_t *json = json_pack("{s:s, s:s}", "level", problem->is_error ? "error" : "warning",
                                 "message", problem->message);
        if (json != NULL && problem->item != 0)
            json_object_set_new(json, "item", json_integer(problem->item));
        json_array_append_new(array, json);
    }
    return array;
}

/* ---- bodies ----------------------------------------------------------------------------------------------------------------- */

/* A member that is a string; NULL: not given. KNS_EINVAL: it is something else. */
enum kns_status kns_issues_text_of(const struct kns_request *request, const char *name,
                                   const char **ret, struct kns_error *err)
{
    const json_t *value = json_object_get(request->json, name);

    *ret = json_string_value(value);
    return value == NULL || *ret != NULL
               ? KNS_OK
               : kns_fail(err, KNS_EINVAL, "\"%s\": expected a string", name);
}

/* ---- items of the store ------------------------------------------------------------------------------------------------------ */

/* A link that no feed carried: stored under its address until more is known of it. */
static enum kns_status put_link(struct kns_store *store, struct kns_arena *arena, const char *url,
                                const char *title, int64_t *ret_id, struct kns_error *err)
{
    struct kns_entry *entry = kns_entry_new(arena);

    if (entry == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    if (!kns_url_is_web(url))
        return kns_fail(err, KNS_EINVAL, "%.200s: expected http:// or https:// and a host", url);
    entry->url = kns_url_clean(arena, url);
    entry->title = title;
    entry->published = kns_time_now();
    return kns_store_put_item(store, entry, NULL, kns_time_now(), ret_id, err);
}

enum kns_status kns_issues_find_item(void *ctx, struct kns_arena *arena, int64_t id,
                                     const char *url, struct kns_issue_item **ret_item,
                                     struct kns_error *err)
{
    struct kns_store *store = ctx;
    struct kns_item *item = NULL;
    enum kns_status status = KNS_OK;

    if (id == 0)
        status = kns_store_find_item(store, url, &id, err);
    if (status == KNS_ENOTFOUND && url != NULL)
        status = put_link(store, arena, url, NULL, &id, err);
    if (status == KNS_OK)
        status = kns_store_get_item(store, arena, id, &item, err);
    if (status != KNS_OK)
        return status;
    *ret_item = kns_issue_item_of(arena, item);
    if (*ret_item == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    return (*ret_item)->url[0] != '\0'
               ? KNS_OK
               : kns_fail(err, KNS_EINVAL, "item %lld has no address to link to", (long long)id);
}

enum kns_status kns_issues_begin(struct kns_request *request, struct kns_store *store,
                                 const struct kns_publication **ret_publication,
                                 struct kns_issue **ret_issue, struct kns_error *err)
{
    enum kns_status status = kns_issues_find_publication(request, ret_publication, err);

    return status == KNS_OK
               ? kns_issues_load_draft(request, store, *ret_publication, ret_issue, err)
               : status;
}

/* The body as text. */
static enum kns_status body_of(struct kns_request *request, const char **ret, struct kns_error *err)
{
    if (!kns_text_is_utf8(request->body, request->body_size) ||
        memchr(request->body, '\0', request->body_size) != NULL)
        return kns_fail(err, KNS_EINVAL, "the text is not UTF-8");
    *ret = kns_arena_copy(request->arena, request->body, request->body_size);
    return *ret != NULL ? KNS_OK : kns_fail(err, KNS_ENOMEM, "out of memory");
}

enum kns_status kns_issues_read_text(struct kns_request *request, struct kns_store *store,
                                     struct kns_issue *issue, struct kns_error *err)
{
    const struct kns_issue_finder finder = {.find = kns_issues_find_item, .ctx = store};
    const char *text = NULL;
    enum kns_status status = body_of(request, &text, err);

    if (status == KNS_OK)
        status = kns_issue_from_text(issue, request->arena, text, &finder, err);
    if (status != KNS_EBUSY)
        return status;
    kns_request_problem(request, 409, "%s", err->message);
    return KNS_EBUSY;
}
