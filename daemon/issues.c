/* Requests about issues: the draft that is curated, what was published, all of them as a feed. An issue is read as a whole,
 * changed, and stored as a whole, in one transaction. */
#include "daemon/request.h"

#include "lib/date.h"
#include "lib/html.h"
#include "lib/issue.h"
#include "lib/markdown.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUGGESTIONS 7 /* the median of a weekly newsletter */
#define SUGGESTIONS_MOST 200
#define CANDIDATES_MOST 2000 /* items that are looked at */
#define FEED_ISSUES 20       /* of the feed of issues */

/* ---- which newsletter, which issue -------------------------------------------------------------------------------------- */

static enum kns_status find_publication(struct kns_request *request,
                                        const struct kns_publication **ret, struct kns_error *err)
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

static enum kns_status parse_issue(struct kns_arena *arena, const char *document,
                                   struct kns_issue **ret, struct kns_error *err)
{
    json_t *json = json_loads(document, 0, NULL);

    *ret = json == NULL ? NULL : kns_issue_from_json(arena, json);
    json_decref(json);
    return *ret != NULL ? KNS_OK : kns_fail(err, KNS_ECORRUPT, "an issue cannot be read");
}

static enum kns_status load(struct kns_request *request, struct kns_store *store,
                            const struct kns_publication *publication, int64_t number,
                            struct kns_issue **ret, struct kns_error *err)
{
    struct kns_issue_record record;
    enum kns_status status =
        kns_store_get_issue(store, request->arena, publication->name, number, &record, err);

    return status == KNS_OK ? parse_issue(request->arena, record.document, ret, err) : status;
}

static bool take_number(void *ctx, const struct kns_issue_record *record)
{
    *(struct kns_issue_record *)ctx = *record;
    return false;
}

/* The last published number and when that was; zeros: nothing is published. */
static enum kns_status find_last(struct kns_store *store, const struct kns_publication *publication,
                                 struct kns_issue_record *ret, struct kns_error *err)
{
    *ret = (struct kns_issue_record){0};
    return kns_store_each_issue(store, publication->name, 1, take_number, ret, err);
}

/* The draft as it is; where there is none, an empty one for the next number. */
static enum kns_status load_draft(struct kns_request *request, struct kns_store *store,
                                  const struct kns_publication *publication, struct kns_issue **ret,
                                  struct kns_error *err)
{
    struct kns_issue_record last;
    enum kns_status status = load(request, store, publication, 0, ret, err);

    if (status != KNS_ENOTFOUND)
        return status;
    status = find_last(store, publication, &last, err);
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

static enum kns_status save(struct kns_request *request, struct kns_store *store,
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

struct looking_back {
    struct kns_store *store;
    const char *newsletter;
    int64_t except;
};

static int64_t covered(void *ctx, const char *url, const char *title)
{
    const struct looking_back *back = ctx;
    int64_t number = 0;

    kns_store_find_covered(back->store, back->newsletter, url, title, back->except, &number, NULL);
    return number;
}

/* Strings that a person should read: which items were in an earlier issue. */
static json_t *warnings_of(struct kns_store *store, const struct kns_issue *issue)
{
    struct looking_back back = {store, issue->newsletter, issue->draft ? 0 : issue->number};
    json_t *warnings = json_array();
    const struct kns_issue_item *item;

    KNS_LIST_EACH(item, &issue->items)
    {
        int64_t number = covered(&back, item->url, item->title);
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

static void answer_issue(struct kns_request *request, struct kns_store *store,
                         const struct kns_issue *issue)
{
    json_t *json = kns_issue_to_json(issue), *warnings = warnings_of(store, issue);

    if (json != NULL && json_array_size(warnings) > 0)
        json_object_set(json, "warnings", warnings);
    json_decref(warnings);
    kns_request_answer(request, 200, json);
}

/* Stores a changed draft and answers with it. */
static enum kns_status finish(struct kns_request *request, struct kns_store *store,
                              const struct kns_publication *publication, struct kns_issue *issue,
                              struct kns_error *err)
{
    issue->revision++;
    issue->updated = kns_time_now();
    enum kns_status status = save(request, store, publication, issue, err);
    if (status == KNS_OK)
        answer_issue(request, store, issue);
    return status;
}

static enum kns_status lint(struct kns_request *request, struct kns_store *store,
                            const struct kns_publication *publication,
                            const struct kns_issue *issue, struct kns_issue_problems *ret,
                            struct kns_error *err)
{
    struct looking_back back = {store, publication->name, issue->draft ? 0 : issue->number};
    struct kns_issue_surroundings around = {.covered = covered, .ctx = &back};
    struct kns_issue_record last, same;
    enum kns_status status = find_last(store, publication, &last, err);

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

static json_t *problems_json(const struct kns_issue_problems *problems)
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

/* ---- showing ------------------------------------------------------------------------------------------------------------ */

static enum kns_status answer_text(struct kns_request *request, const struct kns_issue *issue)
{
    kns_issue_to_text(issue, &request->out);
    request->status = 200;
    request->answer_type = "text/markdown; charset=utf-8";
    return KNS_OK;
}

/* The thumbnails of an issue are fetched before it is shown with them. */
static enum kns_status want_pictures(struct kns_request *request, const struct kns_issue *issue,
                                     struct kns_error *err)
{
    const struct kns_issue_item *item;

    request->pictures =
        kns_arena_alloc(request->arena, (issue->items.count + 1) * sizeof(*request->pictures));
    if (request->pictures == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    request->n_pictures = 0;
    KNS_LIST_EACH(item, &issue->items)
    if (item->image != NULL && kns_url_is_web(item->image))
        request->pictures[request->n_pictures++].url = item->image;
    return KNS_OK;
}

static enum kns_status show(struct kns_request *request, struct kns_store *store,
                            const struct kns_publication *publication,
                            const struct kns_issue *issue, struct kns_error *err)
{
    const char *name = kns_request_parameter(request, "format"),
               *images = kns_request_parameter(request, "images");
    struct kns_digest_options options = {.template_dir = request->template_dir};
    enum kns_digest_format format;

    if (name == NULL) {
        answer_issue(request, store, issue);
        return KNS_OK;
    }
    if (!kns_digest_format_find(name, &format))
        return kns_fail(err, KNS_EINVAL, "format=%.60s: expected %s", name,
                        kns_digest_format_names());
    if (format == KNS_DIGEST_MARKDOWN)
        return answer_text(request, issue);
    if (!kns_request_flag(request, "paste", &options.paste))
        return KNS_OK;
    if (images != NULL && strcmp(images, "none") == 0)
        options.images = KNS_IMAGES_NONE;
    else if (images != NULL && strcmp(images, "embedded") == 0)
        options.images = KNS_IMAGES_EMBEDDED;
    else if (images != NULL && strcmp(images, "remote") != 0)
        return kns_fail(err, KNS_EINVAL, "images=%.60s: expected remote, none or embedded", images);
    if (options.images == KNS_IMAGES_EMBEDDED && !request->pictures_ready)
        return want_pictures(request, issue, err);
    options.pictures = request->pictures;
    options.n_pictures = request->n_pictures;
    if (*request->mail.from != '\0')
        options.mail_from = request->mail.from;
    bool mail = format == KNS_DIGEST_EML || options.paste;
    const struct kns_digest *digest = kns_issue_digest(request->arena, issue, publication, mail);
    if (digest == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_digest_render(digest, format, &options, &request->out, NULL, err);
    if (status != KNS_OK)
        return status;
    request->status = 200;
    request->answer_type = kns_digest_content_type(format);
    kns_request_validate(request, issue->updated);
    return KNS_OK;
}

enum kns_status kns_answer_issue(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    enum kns_status status = find_publication(request, &publication, err);

    /* Number 0 is the draft's key, not an issue. */
    if (status == KNS_OK)
        status = request->id == 0 ? kns_fail(err, KNS_ENOTFOUND, "there is no issue 0")
                                  : load(request, store, publication, request->id, &issue, err);
    return status == KNS_OK ? show(request, store, publication, issue, err) : status;
}

enum kns_status kns_answer_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    enum kns_status status = find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = load_draft(request, store, publication, &issue, err);
    return status == KNS_OK ? show(request, store, publication, issue, err) : status;
}

enum kns_status kns_answer_draft_lint(struct kns_request *request, struct kns_store *store,
                                      struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue_problems problems = {0};
    struct kns_issue *issue = NULL;
    enum kns_status status = find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = load_draft(request, store, publication, &issue, err);
    if (status == KNS_OK)
        status = lint(request, store, publication, issue, &problems, err);
    if (status == KNS_OK)
        kns_request_answer(request, 200,
                           json_pack("{s:I, s:o}", "errors", (json_int_t)problems.errors,
                                     "problems", problems_json(&problems)));
    return status;
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
    enum kns_status status = find_publication(request, &publication, err);

    if (status != KNS_OK)
        return status;
    json_t *issues = json_array();
    if (kns_store_get_issue(store, request->arena, publication->name, 0, &draft, NULL) == KNS_OK) {
        struct kns_issue *issue = NULL;
        if (parse_issue(request->arena, draft.document, &issue, NULL) == KNS_OK)
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

    g->status = parse_issue(g->request->arena, record->document, &issue, g->err);
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
    enum kns_status status = find_publication(request, &publication, err);

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

/* ---- bodies ----------------------------------------------------------------------------------------------------------------- */

/* A member that is a string; NULL: not given. KNS_EINVAL: it is something else. */
static enum kns_status text_of(const struct kns_request *request, const char *name,
                               const char **ret, struct kns_error *err)
{
    const json_t *value = json_object_get(request->json, name);

    *ret = json_string_value(value);
    return value == NULL || *ret != NULL
               ? KNS_OK
               : kns_fail(err, KNS_EINVAL, "\"%s\": expected a string", name);
}

/* The ids in the body's "items". */
static enum kns_status ids_of(const struct kns_request *request, const json_t **ret,
                              struct kns_error *err)
{
    const json_t *items = json_object_get(request->json, "items");
    json_t *id;
    size_t i;

    if (!json_is_array(items) || json_array_size(items) == 0)
        return kns_fail(err, KNS_EINVAL, "\"items\": expected an array of ids or addresses");
    json_array_foreach(items, i, id)
    {
        if (!json_is_integer(id) && !json_is_string(id))
            return kns_fail(err, KNS_EINVAL, "\"items\": expected ids or addresses");
    }
    *ret = items;
    return KNS_OK;
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

static enum kns_status find_item(void *ctx, struct kns_arena *arena, int64_t id, const char *url,
                                 struct kns_issue_item **ret_item, struct kns_error *err)
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

/* ---- curating ---------------------------------------------------------------------------------------------------------------- */

static enum kns_status begin(struct kns_request *request, struct kns_store *store,
                             const struct kns_publication **ret_publication,
                             struct kns_issue **ret_issue, struct kns_error *err)
{
    enum kns_status status = find_publication(request, ret_publication, err);

    return status == KNS_OK ? load_draft(request, store, *ret_publication, ret_issue, err) : status;
}

static enum kns_status add_one(struct kns_request *request, struct kns_store *store,
                               const struct kns_publication *publication, struct kns_issue *issue,
                               const json_t *which, struct kns_error *err)
{
    const char *section = NULL, *note = NULL, *url = json_string_value(which);
    struct kns_issue_item *item = NULL;
    enum kns_status status = text_of(request, "section", &section, err);

    if (status == KNS_OK)
        status = text_of(request, "note", &note, err);
    if (status == KNS_OK)
        status = find_item(store, request->arena, json_integer_value(which), url, &item, err);
    if (status != KNS_OK)
        return status;
    if (section != NULL && *section != '\0')
        item->section = section;
    if (note != NULL && *note != '\0')
        item->note = note;
    if (!kns_issue_add(issue, item, publication))
        return kns_fail(err, KNS_EEXIST, "item %lld is in the draft already", (long long)item->id);
    return KNS_OK;
}

enum kns_status kns_add_to_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    const json_t *items = NULL;
    json_t *which;
    size_t i;
    enum kns_status status = begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = ids_of(request, &items, err);
    json_array_foreach(items, i, which)
    {
        if (status == KNS_OK)
            status = add_one(request, store, publication, issue, which, err);
    }
    return status == KNS_OK ? finish(request, store, publication, issue, err) : status;
}

enum kns_status kns_drop_from_draft(struct kns_request *request, struct kns_store *store,
                                    struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    const json_t *items = NULL;
    json_t *which;
    size_t i;
    enum kns_status status = begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = ids_of(request, &items, err);
    json_array_foreach(items, i, which)
    {
        if (status == KNS_OK && !kns_issue_drop(issue, json_integer_value(which)))
            status = kns_fail(err, KNS_ENOTFOUND, "item %lld is not in the draft",
                              (long long)json_integer_value(which));
    }
    return status == KNS_OK ? finish(request, store, publication, issue, err) : status;
}

enum kns_status kns_move_in_draft(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    const char *section = NULL;
    const json_t *item = json_object_get(request->json, "item"),
                 *before = json_object_get(request->json, "before");
    enum kns_status status = begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = text_of(request, "section", &section, err);
    if (status == KNS_OK &&
        (!json_is_integer(item) || (before != NULL && !json_is_integer(before))))
        status = kns_fail(err, KNS_EINVAL,
                          "expected {\"item\": ID, \"before\": ID, \"section\": "
                          "TITLE}, the last two if wanted");
    if (status == KNS_OK)
        status = kns_issue_move(issue, request->arena, json_integer_value(item),
                                json_integer_value(before), section, err);
    return status == KNS_OK ? finish(request, store, publication, issue, err) : status;
}

enum kns_status kns_note_in_draft(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    const char *note = NULL;
    int64_t id = json_integer_value(json_object_get(request->json, "item"));
    enum kns_status status = begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = text_of(request, "note", &note, err);
    if (status == KNS_OK && note == NULL)
        status = kns_fail(err, KNS_EINVAL, "expected {\"item\": ID, \"note\": TEXT}");
    struct kns_issue_item *item = status == KNS_OK ? kns_issue_find(issue, id, NULL) : NULL;
    if (status == KNS_OK && item == NULL)
        status = kns_fail(err, KNS_ENOTFOUND, "item %lld is not in the draft", (long long)id);
    if (status != KNS_OK)
        return status;
    item->note = *note == '\0' ? NULL : note;
    return finish(request, store, publication, issue, err);
}

enum kns_status kns_intro_of_draft(struct kns_request *request, struct kns_store *store,
                                   struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    const char *section = NULL, *text = NULL;
    enum kns_status status = begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = text_of(request, "section", &section, err);
    if (status == KNS_OK)
        status = text_of(request, "text", &text, err);
    if (status == KNS_OK && text == NULL)
        status = kns_fail(err, KNS_EINVAL, "expected {\"section\": TITLE, \"text\": TEXT}");
    if (status == KNS_OK && !kns_issue_set_intro(issue, request->arena, section, text))
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    return status == KNS_OK ? finish(request, store, publication, issue, err) : status;
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

static enum kns_status read_text(struct kns_request *request, struct kns_store *store,
                                 struct kns_issue *issue, struct kns_error *err)
{
    const struct kns_issue_finder finder = {.find = find_item, .ctx = store};
    const char *text = NULL;
    enum kns_status status = body_of(request, &text, err);

    if (status == KNS_OK)
        status = kns_issue_from_text(issue, request->arena, text, &finder, err);
    if (status != KNS_EBUSY)
        return status;
    kns_request_problem(request, 409, "%s", err->message);
    return KNS_EBUSY;
}

enum kns_status kns_edit_draft(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    enum kns_status status = begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = read_text(request, store, issue, err);
    if (status == KNS_EBUSY && request->status == 409)
        return KNS_OK;
    return status == KNS_OK ? finish(request, store, publication, issue, err) : status;
}

enum kns_status kns_remove_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    enum kns_status status = find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = kns_store_remove_issue(store, publication->name, 0, err);
    if (status == KNS_OK)
        request->status = 204;
    return status;
}

/* ---- suggestions --------------------------------------------------------------------------------------------------------------- */

struct candidate {
    const struct kns_item *item;
    const char *site;
    int64_t rank;
    bool taken;
};

struct suggesting {
    struct kns_request *request;
    struct kns_store *store;
    const struct kns_publication *publication;
    const struct kns_issue *issue;
    struct kns_time since, now;
    struct candidate *candidates;
    size_t n;
};

/* Many feeds, a star and the rules' score weigh; within a week the newer wins by a little. */
static int64_t rank_of(const struct suggesting *s, const struct kns_item *item)
{
    int64_t span = s->now.unix_s - s->since.unix_s, age = s->now.unix_s - item->sort_at.unix_s;
    int64_t freshness = span > 0 ? 9 - 9 * age / span : 0;

    return 10 * item->sources + 15 * item->starred + 3 * item->score + freshness;
}

static bool collect_candidate(void *ctx, const struct kns_item *item)
{
    struct suggesting *s = ctx;
    struct looking_back back = {s->store, s->publication->name, 0};
    bool roundup = false;

    /* What no feed carries was put there by a person: a link, an issue of this newsletter. */
    if ((item->feeds.count == 0 && !item->starred) || item->entry.url == NULL ||
        !kns_url_is_web(item->entry.url) || item->entry.title == NULL ||
        kns_issue_find(s->issue, item->id, item->entry.url) != NULL ||
        covered(&back, item->entry.url, item->entry.title) > 0)
        return true;
    if (kns_store_is_roundup(s->store, item->id, &roundup, NULL) != KNS_OK || roundup)
        return true;
    const char *site = kns_url_site(s->request->arena, item->entry.url);
    s->candidates[s->n++] =
        (struct candidate){item, site == NULL ? "" : site, rank_of(s, item), false};
    return s->n < CANDIDATES_MOST;
}

static size_t taken_of_site(const struct suggesting *s, const char *site)
{
    size_t taken = 0;

    for (size_t i = 0; i < s->n; i++)
        taken += s->candidates[i].taken && strcmp(s->candidates[i].site, site) == 0;
    return taken;
}

/* The best of the sites that had the fewest turns; NULL: none is left. */
static struct candidate *take_best(struct suggesting *s)
{
    struct candidate *best = NULL;
    size_t best_turns = 0;

    for (size_t i = 0; i < s->n; i++) {
        struct candidate *c = &s->candidates[i];
        if (c->taken)
            continue;
        size_t turns = taken_of_site(s, c->site);
        if (best == NULL || turns < best_turns || (turns == best_turns && c->rank > best->rank)) {
            best = c;
            best_turns = turns;
        }
    }
    if (best != NULL)
        best->taken = true;
    return best;
}

static enum kns_status fill(struct suggesting *s, struct kns_issue *issue, int64_t wanted,
                            struct kns_error *err)
{
    const struct kns_item_query query = {
        .since = s->since, .sort = KNS_SORT_NEW, .limit = CANDIDATES_MOST, .with_content = true};
    const char *cursor = NULL;
    enum kns_status status = kns_store_query_items(s->store, s->request->arena, &query,
                                                   collect_candidate, s, &cursor, err);

    for (int64_t i = 0; i < wanted && status == KNS_OK; i++) {
        const struct candidate *best = take_best(s);
        struct kns_issue_item *item =
            best == NULL ? NULL : kns_issue_item_of(s->request->arena, best->item);
        if (best == NULL)
            break;
        if (item == NULL)
            status = kns_fail(err, KNS_ENOMEM, "out of memory");
        else
            kns_issue_add(issue, item, s->publication);
    }
    return status;
}

enum kns_status kns_suggest_draft(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    struct suggesting s = {.request = request, .store = store, .now = kns_time_now()};
    struct kns_issue_record last;
    struct kns_issue *issue = NULL;
    int64_t wanted = SUGGESTIONS;

    s.since.unix_s = s.now.unix_s - 7 * 86400;
    enum kns_status status = begin(request, store, &s.publication, &issue, err);
    if (status == KNS_OK)
        status = find_last(store, s.publication, &last, err);
    if (status != KNS_OK)
        return status;
    /* Since the last issue, unless told otherwise. */
    if (kns_time_given(last.published_at))
        s.since = last.published_at;
    if (!kns_request_time(request, "since", &s.since) ||
        !kns_request_number(request, "limit", 1, SUGGESTIONS_MOST, &wanted))
        return KNS_OK;
    s.issue = issue;
    s.candidates = kns_arena_alloc(request->arena, CANDIDATES_MOST * sizeof(*s.candidates));
    if (s.candidates == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    status = fill(&s, issue, wanted, err);
    return status == KNS_OK ? finish(request, store, s.publication, issue, err) : status;
}

/* ---- publishing ------------------------------------------------------------------------------------------------------------------- */

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
    enum kns_status status = text_of(request, "date", &date, err);

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
    enum kns_status status = begin(request, store, &publication, &issue, err);

    if (status == KNS_OK)
        status = read_publishing(request, issue, publication, err);
    if (status == KNS_OK)
        status = lint(request, store, publication, issue, &problems, err);
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
    status = keep_items(request, store, issue, err);
    if (status == KNS_OK)
        status = keep_issue(request, store, publication, issue, err);
    if (status == KNS_OK)
        status = save(request, store, publication, issue, err);
    struct kns_error none;
    if (status == KNS_OK)
        kns_store_remove_issue(store, publication->name, 0, &none);
    if (status != KNS_OK)
        return status;
    json_t *json = kns_issue_to_json(issue);
    json_object_set_new(json, "problems", problems_json(&problems));
    kns_request_answer(request, 201, json);
    return KNS_OK;
}

enum kns_status kns_correct_issue(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    enum kns_status status = find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = load(request, store, publication, request->id, &issue, err);
    if (status == KNS_OK)
        status = read_text(request, store, issue, err);
    if (status != KNS_OK)
        return status;
    /* The same id, the same date; that it was changed can be seen. */
    issue->updated = kns_time_now();
    if (issue->updated.unix_s <= issue->published.unix_s)
        issue->updated.unix_s = issue->published.unix_s + 1;
    status = keep_items(request, store, issue, err);
    if (status == KNS_OK)
        status = save(request, store, publication, issue, err);
    if (status == KNS_OK)
        answer_issue(request, store, issue);
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
    enum kns_status status = find_publication(request, &publication, err);

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
    status = keep_items(request, store, issue, err);
    if (status == KNS_OK)
        status = keep_issue(request, store, publication, issue, err);
    if (status == KNS_OK)
        status = save(request, store, publication, issue, err);
    if (status == KNS_OK)
        kns_request_answer(request, 201, kns_issue_to_json(issue));
    return status;
}

/* ---- mail -------------------------------------------------------------------------------------------------------------------------------- */

/* On a query worker: the mail server may take its time. */
enum kns_status kns_send_issue(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err)
{
    const json_t *to = json_object_get(request->json, "to");
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    const char **addresses =
        kns_arena_alloc(request->arena, (json_array_size(to) + 1) * sizeof(*addresses));
    enum kns_status status = find_publication(request, &publication, err);
    json_t *address;
    size_t i, n = 0;

    if (status == KNS_OK)
        status = load(request, store, publication, request->id, &issue, err);
    if (status != KNS_OK)
        return status;
    json_array_foreach(to, i, address)
    {
        if (!json_is_string(address))
            return kns_fail(err, KNS_EINVAL, "\"to\": expected an array of addresses");
        addresses[n++] = json_string_value(address);
    }
    const struct kns_digest *digest = kns_issue_digest(request->arena, issue, publication, true);
    const struct kns_digest_options options = {.template_dir = request->template_dir,
                                               .mail_from = request->mail.from};
    struct kns_buf message = {0};
    if (digest == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    status = kns_digest_render(digest, KNS_DIGEST_EML, &options, &message, NULL, err);
    if (status == KNS_OK)
        status =
            kns_mail_send(&request->mail, kns_buf_str(&message), message.len, addresses, n, err);
    kns_buf_fini(&message);
    if (status == KNS_OK)
        kns_request_answer(request, 200, json_pack("{s:I}", "sent", (json_int_t)n));
    return status;
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
    enum kns_status status = find_publication(request, &publication, err);

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
