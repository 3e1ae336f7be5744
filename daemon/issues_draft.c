/* Requests that change the draft: each is read, one change of the table is made, and the draft is stored as its next revision, in one
 * transaction. */
#include "daemon/issues.h"

#include "lib/url.h"

#include <string.h>

/* A change under way. */
struct change {
    struct kns_request *request;
    struct kns_store *store;
    const struct kns_publication *publication;
    struct kns_issue *issue;
    struct kns_error *err;
};

/* ---- bodies ------------------------------------------------------------------------------------------------------------ */

static enum kns_status text_of(const struct change *c, const char *name, const char **ret)
{
    return kns_issues_text_of(c->request, name, ret, c->err);
}

/* An id, or an address. */
static bool names_item(const json_t *which)
{
    return json_is_string(which) || (json_is_integer(which) && json_integer_value(which) > 0);
}

/* The item of the draft that a member names by its id or address. KNS_EINVAL, with the shape that was expected; KNS_ENOTFOUND. */
static enum kns_status item_of(const struct change *c, const json_t *which, const char *expected,
                               struct kns_issue_item **ret)
{
    const char *url = json_string_value(which);

    if (!names_item(which))
        return kns_fail(c->err, KNS_EINVAL, "expected %s", expected);
    if (url != NULL)
        url = kns_url_clean(c->request->arena, url);
    *ret = kns_issue_find(c->issue, json_integer_value(which), url);
    if (*ret != NULL)
        return KNS_OK;
    return url != NULL ? kns_fail(c->err, KNS_ENOTFOUND, "%.200s is not in the draft", url)
                       : kns_fail(c->err, KNS_ENOTFOUND, "item %lld is not in the draft",
                                  (long long)json_integer_value(which));
}

/* Does one thing to each of the body's "items". */
static enum kns_status each_item(const struct change *c,
                                 enum kns_status (*one)(const struct change *c,
                                                        const json_t *which))
{
    const json_t *items = json_object_get(c->request->json, "items");
    enum kns_status status = KNS_OK;
    json_t *which;
    size_t i;

    if (!json_is_array(items) || json_array_size(items) == 0)
        return kns_fail(c->err, KNS_EINVAL, "\"items\": expected an array of ids or addresses");
    json_array_foreach(items, i, which)
    {
        if (status == KNS_OK)
            status = names_item(which)
                         ? one(c, which)
                         : kns_fail(c->err, KNS_EINVAL, "\"items\": expected ids or addresses");
    }
    return status;
}

/* ---- changes ----------------------------------------------------------------------------------------------------------- */

static enum kns_status add_one(const struct change *c, const json_t *which)
{
    const char *section = NULL, *note = NULL;
    struct kns_issue_item *item = NULL;
    enum kns_status status = text_of(c, "section", &section);

    if (status == KNS_OK)
        status = text_of(c, "note", &note);
    if (status == KNS_OK)
        status = kns_issues_find_item(c->store, c->request->arena, json_integer_value(which),
                                      json_string_value(which), &item, c->err);
    if (status != KNS_OK)
        return status;
    if (section != NULL)
        kns_issue_set_section(item, c->request->arena, section);
    if (note != NULL)
        kns_issue_set_note(item, c->request->arena, note);
    if (!kns_issue_add(c->issue, item, c->publication))
        return kns_fail(c->err, KNS_EEXIST, "item %lld is in the draft already",
                        (long long)item->id);
    return KNS_OK;
}

static enum kns_status add(const struct change *c)
{
    return each_item(c, add_one);
}

static enum kns_status drop_one(const struct change *c, const json_t *which)
{
    struct kns_issue_item *item = NULL;
    enum kns_status status = item_of(c, which, "an id or an address", &item);

    if (status == KNS_OK)
        kns_issue_drop(c->issue, item->id);
    return status;
}

static enum kns_status drop(const struct change *c)
{
    return each_item(c, drop_one);
}

static enum kns_status move(const struct change *c)
{
    static const char expected[] =
        "{\"item\": ID, \"before\": ID, \"section\": TITLE}, the last two if wanted";
    const json_t *which = json_object_get(c->request->json, "before");
    struct kns_issue_item *item = NULL, *before = NULL;
    const char *section = NULL;
    enum kns_status status = text_of(c, "section", &section);

    if (status == KNS_OK)
        status = item_of(c, json_object_get(c->request->json, "item"), expected, &item);
    if (status == KNS_OK && which != NULL)
        status = item_of(c, which, expected, &before);
    if (status != KNS_OK)
        return status;
    return kns_issue_move(c->issue, c->request->arena, item->id, before == NULL ? 0 : before->id,
                          section, c->publication, c->err);
}

static enum kns_status note(const struct change *c)
{
    static const char expected[] = "{\"item\": ID, \"note\": TEXT}";
    struct kns_issue_item *item = NULL;
    const char *text = NULL;
    enum kns_status status = text_of(c, "note", &text);

    if (status == KNS_OK && text == NULL)
        status = kns_fail(c->err, KNS_EINVAL, "expected %s", expected);
    if (status == KNS_OK)
        status = item_of(c, json_object_get(c->request->json, "item"), expected, &item);
    if (status == KNS_OK)
        kns_issue_set_note(item, c->request->arena, text);
    return status;
}

static enum kns_status intro(const struct change *c)
{
    const char *section = NULL, *text = NULL;
    enum kns_status status = text_of(c, "section", &section);

    if (status == KNS_OK)
        status = text_of(c, "text", &text);
    if (status == KNS_OK && text == NULL)
        status = kns_fail(c->err, KNS_EINVAL, "expected {\"section\": TITLE, \"text\": TEXT}");
    if (status == KNS_OK && section != NULL && *section == '\0')
        section = NULL;
    if (status == KNS_OK && !kns_issue_set_intro(c->issue, c->request->arena, section, text))
        status = kns_fail(c->err, KNS_ENOMEM, "out of memory");
    return status;
}

static enum kns_status edit(const struct change *c)
{
    return kns_issues_read_text(c->request, c->store, c->issue, c->err);
}

/* By the end of the request's path. */
static const struct {
    const char *name;
    enum kns_status (*make)(const struct change *c);
} changes[] = {{"/add", add},   {"/drop", drop},   {"/move", move},
               {"/note", note}, {"/intro", intro}, {"/text", edit}};

enum kns_status kns_change_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    struct change c = {.request = request, .store = store, .err = err};
    const char *name = strrchr(request->path, '/');
    enum kns_status status = kns_issues_begin(request, store, &c.publication, &c.issue, err);

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
        if (status == KNS_OK && strcmp(changes[i].name, name) == 0)
            status = changes[i].make(&c);
    if (request->status != 0) /* answered: the draft was changed meanwhile */
        return KNS_OK;
    return status == KNS_OK ? kns_issues_finish(request, store, c.publication, c.issue, NULL, err)
                            : status;
}

enum kns_status kns_remove_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const struct kns_publication *publication = NULL;
    enum kns_status status = kns_issues_find_publication(request, &publication, err);

    if (status == KNS_OK)
        status = kns_store_remove_issue(store, publication->name, 0, err);
    if (status == KNS_OK)
        request->status = 204;
    return status;
}
