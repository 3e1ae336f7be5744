/* Requests about a page that somebody wants to link to: it becomes an item, with what it says of itself.
 *
 *   POST /v1/items:  read (is it known, and well enough?) --yes--> answer
 *                        \--no--> look at the page --> read (what does it say?) --> write --> answer */
#include "daemon/lookup.h"
#include "daemon/server_internal.h"
#include "lib/charset.h"
#include "lib/digest.h"
#include "lib/html.h"
#include "lib/url.h"

#include <stddef.h>
#include <string.h>

/* What a request has found out so far; in its arena. */
struct link {
    const char *url;
    int64_t item_id; /* 0: not stored yet */
    bool known;      /* nothing is missing */
    const char *page, *content_type, *final_url;
    size_t size;
    const char *why; /* why the page could not be read */
    struct kns_entry *entry;
};

static struct exchange *of_read(struct kns_read *read)
{
    return (struct exchange *)((char *)read - offsetof(struct exchange, read));
}

static struct exchange *of_write(struct kns_write *write)
{
    return (struct exchange *)((char *)write - offsetof(struct exchange, write));
}

static void fail(struct exchange *x, const struct kns_error *err)
{
    kns_request_fail(&x->request, err);
    kns_exchange_done(x);
}

static void fail_nomem(struct exchange *x)
{
    struct kns_error err = {0};

    kns_fail(&err, KNS_ENOMEM, "out of memory");
    fail(x, &err);
}

/* ---- storing ------------------------------------------------------------------------------------------------------- */

static enum kns_status write_link(struct kns_write *write, struct kns_store *store,
                                  struct kns_error *err)
{
    struct exchange *x = of_write(write);
    struct link *link = x->job;
    struct kns_item *item = NULL;
    bool fresh = link->item_id == 0;
    enum kns_status status =
        fresh ? kns_store_put_item(store, link->entry, NULL, kns_time_now(), &link->item_id, err)
              : kns_store_complete_item(store, link->item_id, link->entry, kns_time_now(), err);

    if (status == KNS_OK)
        status = kns_store_get_item(store, x->request.arena, link->item_id, &item, err);
    if (status != KNS_OK)
        return status;
    json_t *json = kns_item_json(item, true);
    if (json != NULL && link->why != NULL)
        json_object_set_new(json_object_get(json, "_kns"), "warning", json_string(link->why));
    kns_request_answer(&x->request, fresh ? 201 : 200, json);
    return KNS_OK;
}

static void link_written(struct kns_write *write)
{
    struct exchange *x = of_write(write);

    if (write->status != KNS_OK)
        fail(x, &write->err);
    else
        kns_exchange_done(x);
}

/* ---- what the page says --------------------------------------------------------------------------------------------- */

static const char *decoded(struct kns_arena *arena, const struct link *link)
{
    struct kns_buf text = {0};
    const char *html = NULL;

    if (kns_decode(link->content_type, link->page, link->size, &text, NULL) == KNS_OK)
        html = kns_arena_copy(arena, kns_buf_str(&text), text.len);
    kns_buf_fini(&text);
    return html;
}

/* What does not say what it is may be a page. */
static bool is_html(const char *content_type)
{
    return content_type == NULL || strcasestr(content_type, "html") != NULL;
}

static enum kns_status read_page(struct kns_read *read, struct kns_store *store,
                                 struct kns_error *err)
{
    struct exchange *x = of_read(read);
    struct link *link = x->job;
    struct kns_arena *arena = x->request.arena;
    struct kns_html_page page = {0};
    const char *html = link->size == 0 ? NULL : decoded(arena, link);

    (void)store;
    link->entry = kns_entry_new(arena);
    if (link->entry == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    if (html != NULL && link->why == NULL && is_html(link->content_type))
        kns_html_describe_page(arena, html, link->final_url, &page);
    const char *names[] = {page.site_name, NULL};
    link->entry->url = kns_url_clean(arena, link->url);
    link->entry->title = page.title == NULL
                             ? NULL
                             : kns_digest_clean_title(arena, page.title, link->entry->url, names);
    link->entry->summary = page.description;
    link->entry->image = page.image;
    link->entry->language = page.language;
    link->entry->published = kns_time_now();
    return KNS_OK;
}

static void page_read(struct kns_read *read)
{
    struct exchange *x = of_read(read);

    if (read->status != KNS_OK) {
        fail(x, &read->err);
        return;
    }
    x->write.run = write_link;
    x->write.done = link_written;
    kns_writer_submit(x->server->parts.writer, &x->write);
}

static void on_looked(void *ctx, const struct kns_lookup_result *result)
{
    struct exchange *x = ctx;
    struct link *link = x->job;
    struct kns_arena *arena = x->request.arena;

    if (result->gone && link->item_id == 0) {
        kns_request_problem(&x->request, 422, "%.300s: %s: the page is gone", link->url,
                            result->why);
        kns_exchange_done(x);
        return;
    }
    /* A page that cannot be read now, a bot wall in front of it: the link is taken as it is. */
    link->why = kns_arena_strdup(arena, result->why);
    link->size = result->why == NULL ? result->size : 0;
    link->page = kns_arena_copy(arena, result->page, link->size);
    link->content_type = kns_arena_strdup(arena, result->content_type);
    link->final_url = kns_arena_strdup(arena, result->final_url);
    if (link->page == NULL) {
        fail_nomem(x);
        return;
    }
    x->read.run = read_page;
    x->read.done = page_read;
    kns_readers_submit(x->server->parts.readers, &x->read);
}

/* ---- what is known ---------------------------------------------------------------------------------------------------- */

static enum kns_status read_known(struct kns_read *read, struct kns_store *store,
                                  struct kns_error *err)
{
    struct exchange *x = of_read(read);
    struct link *link = x->job;
    struct kns_item *item = NULL;
    struct kns_digest_look look;

    if (link->item_id == 0) {
        enum kns_status found = kns_store_find_item(store, link->url, &link->item_id, err);
        if (found != KNS_OK)
            return found == KNS_ENOTFOUND ? KNS_OK : found;
    }
    enum kns_status status = kns_store_get_item(store, x->request.arena, link->item_id, &item, err);
    if (status != KNS_OK)
        return status;
    if (!kns_digest_look_at(x->request.arena, item, &look))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    link->url = look.url;
    link->known = look.url == NULL ||
                  (item->entry.title != NULL && *look.description != '\0' && *look.image != '\0');
    if (link->known)
        kns_request_answer(&x->request, 200, kns_item_json(item, true));
    return KNS_OK;
}

static void known_read(struct kns_read *read)
{
    struct exchange *x = of_read(read);
    struct link *link = x->job;

    if (read->status != KNS_OK)
        fail(x, &read->err);
    else if (link->known)
        kns_exchange_done(x);
    else if (kns_lookup(x->server->parts.poller, link->url, on_looked, x) != KNS_OK)
        fail_nomem(x);
}

/* The body's "url" or "item". False: a problem was answered. */
static bool read_body(struct kns_request *request, struct link *link)
{
    const json_t *url = json_object_get(request->json, "url"),
                 *item = json_object_get(request->json, "item");

    link->url = json_string_value(url);
    /* What its trackers would count is not asked for. */
    if (link->url != NULL)
        link->url = kns_url_clean(request->arena, link->url);
    link->item_id = json_integer_value(item);
    bool one = (link->url != NULL) != (link->item_id > 0);
    if (json_object_size(request->json) == 1 && one &&
        (link->url == NULL || kns_url_is_web(link->url)))
        return true;
    kns_request_problem(request, 400, "expected {\"url\": \"https://…\"} or {\"item\": ID}");
    return false;
}

enum MHD_Result kns_serve_link(struct exchange *x)
{
    struct link *link = KNS_NEW(x->request.arena, struct link);

    if (link == NULL)
        return MHD_NO;
    if (!read_body(&x->request, link))
        return kns_exchange_answer(x);
    x->job = link;
    x->read.run = read_known;
    x->read.done = known_read;
    kns_exchange_begin(x);
    kns_readers_submit(x->server->parts.readers, &x->read);
    return MHD_YES;
}
