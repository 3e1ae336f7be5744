/* Requests that show issues: one in any format, the list, the feed of all, the static site. */
#include "daemon/issues.h"

#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_ISSUES 20 /* of the feed of issues */

/* ---- showing ------------------------------------------------------------------------------------------------------------ */

static enum kns_status answer_text(struct kns_request *request, const struct kns_issue *issue)
{
    kns_issue_to_text(issue, &request->out);
    request->status = 200;
    request->answer_type = "text/markdown; charset=utf-8";
    return KNS_OK;
}

static enum kns_status show(struct kns_request *request, struct kns_store *store,
                            const struct kns_publication *publication,
                            const struct kns_issue *issue, struct kns_error *err)
{
    enum kns_digest_format format = KNS_DIGEST_HTML;
    bool paste = false;

    if (kns_request_parameter(request, "format") == NULL) {
        kns_issues_answer(request, store, issue, NULL);
        return KNS_OK;
    }
    if (!kns_request_format(request, &format) || !kns_request_flag(request, "paste", &paste))
        return KNS_OK;
    if (format == KNS_DIGEST_MARKDOWN)
        return answer_text(request, issue);
    /* What leaves for somebody else's place carries the parameters that tell where its readers came from. */
    const struct kns_digest *digest =
        kns_issue_digest(request->arena, issue, publication, format == KNS_DIGEST_EML || paste);
    if (digest == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    return kns_request_render(request, digest, format, issue->updated, err);
}

enum kns_status kns_answer_issue(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    /* Number 0 is the draft's key, not an issue. */
    if (status == KNS_OK)
        status = request->id == 0
                     ? kns_fail(err, KNS_ENOTFOUND, "there is no issue 0")
                     : kns_issues_load(request, store, publication, request->id, &issue, err);
    return status == KNS_OK ? show(request, store, publication, issue, err) : status;
}

enum kns_status kns_answer_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = kns_issues_load_draft(request, store, publication, &issue, err);
    return status == KNS_OK ? show(request, store, publication, issue, err) : status;
}

enum kns_status kns_answer_draft_lint(struct kns_request *request, struct kns_store *store,
                                      struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue_problems problems = {0};
    struct kns_issue *issue = NULL;
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = kns_issues_load_draft(request, store, publication, &issue, err);
    if (status == KNS_OK)
        status = kns_issues_lint(request, store, publication, issue, &problems, err);
    if (status != KNS_OK)
        return status;
    struct kns_issue_links links = {0};
    const struct kns_issue_link *link;
    json_t *list = json_array();
    if (!kns_issue_find_links(request->arena, issue, &links)) {
        json_decref(list);
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    }
    KNS_LIST_EACH(link, &links.list)
    json_array_append_new(list, json_pack("{s:s, s:s}", "url", link->url, "what", link->what));
    kns_request_answer(request, 200,
                       json_pack("{s:I, s:o, s:o}", "errors", (json_int_t)problems.errors,
                                 "problems", kns_issues_problems(&problems), "links", list));
    return KNS_OK;
}

static json_t *record_json(const struct kns_issue_record *record, const char *state)
{
    char published[KNS_TIME_TEXT], updated[KNS_TIME_TEXT];
    json_t *json =
        json_pack("{s:s, s:I, s:s, s:s, s:I}", "newsletter", record->newsletter, "number",
                  (json_int_t)record->number, "state", state, "title",
                  record->title == NULL ? "" : record->title, "items", (json_int_t)record->items);
    json_t *document = json_loads(record->document, 0, NULL);
    static const char *const names[] = {"id", "url"};

    for (size_t i = 0; i < 2 && json != NULL; i++) {
        json_t *value = json_object_get(document, names[i]);
        if (value != NULL)
            json_object_set(json, names[i], value);
    }
    json_decref(document);
    if (json != NULL && kns_time_given(record->published_at))
        json_object_set_new(json, "published",
                            json_string(kns_time_format(record->published_at, published)));
    if (json != NULL && kns_time_given(record->updated_at))
        json_object_set_new(json, "updated",
                            json_string(kns_time_format(record->updated_at, updated)));
    return json;
}

static bool collect_record(void *ctx, const struct kns_issue_record *record)
{
    return json_array_append_new(ctx, record_json(record, "published")) == 0;
}

enum kns_status kns_answer_issues(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue_record draft;
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    if (status != KNS_OK)
        return status;
    json_t *issues = json_array();
    if (kns_store_get_issue(store, request->arena, publication->name, 0, &draft, NULL) == KNS_OK) {
        struct kns_issue *issue = NULL;
        if (kns_issues_parse(request->arena, draft.document, &issue, NULL) == KNS_OK)
            draft.number = issue->number;
        json_array_append_new(issues, record_json(&draft, "draft"));
    }
    status = kns_store_each_issue(store, publication->name, 0, collect_record, issues, err);
    if (status == KNS_OK)
        kns_request_answer(request, 200, json_incref(issues));
    json_decref(issues);
    return status;
}

/* ---- the feed of issues --------------------------------------------------------------------------------------------------- */

struct gathering {
    struct kns_request *request;
    const struct kns_issue **issues;
    size_t n;
    struct kns_time changed;
    enum kns_status status;
    struct kns_error *err;
};

static bool gather(void *ctx, const struct kns_issue_record *record)
{
    struct gathering *g = ctx;
    struct kns_issue *issue = NULL;

    g->status = kns_issues_parse(g->request->arena, record->document, &issue, g->err);
    if (g->status != KNS_OK)
        return false;
    g->issues[g->n++] = issue;
    if (record->updated_at.unix_s > g->changed.unix_s)
        g->changed = record->updated_at;
    return true;
}

typedef enum kns_status write_feed_fn(const struct kns_issue *const *issues, size_t count,
                                      const struct kns_publication *publication,
                                      const char *self_url, struct kns_buf *out,
                                      struct kns_error *err);

static enum kns_status answer_feed(struct kns_request *request, struct kns_store *store,
                                   write_feed_fn *write, const char *type, struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct gathering g = {.request = request, .err = err};
    const char *self = kns_arena_printf(request->arena, "%s://%s%s", request->scheme, request->host,
                                        request->path);
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    g.issues = kns_arena_alloc(request->arena, FEED_ISSUES * sizeof(*g.issues));
    if (status == KNS_OK && (g.issues == NULL || self == NULL))
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        status = kns_store_each_issue(store, publication->name, FEED_ISSUES, gather, &g, err);
    if (status == KNS_OK)
        status = g.status;
    if (status == KNS_OK)
        status = write(g.issues, g.n, publication, self, &request->out, err);
    if (status != KNS_OK)
        return status;
    request->status = 200;
    request->answer_type = type;
    kns_request_validate(request, g.changed);
    return KNS_OK;
}

enum kns_status kns_answer_issues_atom(struct kns_request *request, struct kns_store *store,
                                       struct kns_error *err)
{
    return answer_feed(request, store, kns_issues_write_atom, "application/atom+xml; charset=utf-8",
                       err);
}

enum kns_status kns_answer_issues_json(struct kns_request *request, struct kns_store *store,
                                       struct kns_error *err)
{
    return answer_feed(request, store, kns_issues_write_jsonfeed,
                       "application/feed+json; charset=utf-8", err);
}

/* ---- a site -------------------------------------------------------------------------------------------------------------------------------- */

static bool count_issue(void *ctx, const struct kns_issue_record *record)
{
    (void)record;
    ++*(size_t *)ctx;
    return true;
}

static bool collect_file(void *ctx, const char *path, const struct kns_buf *content)
{
    json_t *file =
        json_pack("{s:s, s:s%}", "path", path, "content", kns_buf_str(content), content->len);

    return file != NULL && json_array_append_new(ctx, file) == 0;
}

enum kns_status kns_answer_site(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_site_options options = {.template_dir = request->template_dir};
    struct gathering g = {.request = request, .err = err};
    struct kns_buf opml = {0};
    size_t count = 0;
    json_t *files = json_array();
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = kns_store_each_issue(store, publication->name, 0, count_issue, &count, err);
    g.issues = kns_arena_alloc(request->arena, (count + 1) * sizeof(*g.issues));
    if (status == KNS_OK && g.issues == NULL)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        status = kns_store_each_issue(store, publication->name, count, gather, &g, err);
    if (status == KNS_OK)
        status = g.status;
    if (status == KNS_OK && g.n == 0)
        status = kns_fail(err, KNS_ENOTFOUND, "nothing is published yet");
    if (status == KNS_OK)
        status = kns_request_write_opml(request, store, NULL, publication->title, &opml, err);
    options.blogroll_opml = kns_buf_str(&opml);
    if (status == KNS_OK)
        status =
            kns_issues_write_site(g.issues, g.n, publication, &options, collect_file, files, err);
    kns_buf_fini(&opml);
    if (status == KNS_OK)
        kns_request_answer(request, 200, json_pack("{s:O}", "files", files));
    json_decref(files);
    return status;
}
