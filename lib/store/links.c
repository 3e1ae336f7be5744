/* Links: the addresses that items name, and who names them.
 *
 * An address is one row, whatever its spelling; what names it are rows of item_link. Two numbers follow from those and are kept with
 * every change: how many feeds name an address, and how many sources (feeds that carry it or name it) an item has. They change only with
 * the first and the last item of a feed that names an address, so that one named by all items of a feed costs no more than another. */
#include "lib/store/internal.h"

#include "lib/html.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

/* Of one item; a roundup of the week has a hundred. */
#define LINKS_MOST 300
#define TEXT_MOST 200    /* bytes of a link's text */
#define MENTIONS_MOST 20 /* that are shown of an address */
#define SORTED_MOST 5000 /* addresses: more are not sorted, but looked through in their order */

/* ---- addresses ----------------------------------------------------------------------------------------------------- */

struct address {
    int64_t id, item_id, feeds;
};

static int64_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    return (int64_t)hash;
}

static enum kns_status find_address(struct kns_store *store, const char *key, struct address *ret,
                                    struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, LINK_FIND);

    kns_bind_int(stmt, 1, hash_of(key));
    kns_bind_text(stmt, 2, key);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        *ret = (struct address){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                sqlite3_column_int64(stmt, 2)};
    sqlite3_reset(stmt);
    return status;
}

/* The item of an address that was not yet named; 0: there is none. */
static enum kns_status find_item(struct kns_store *store, const char *canonical, const char *key,
                                 int64_t *ret, struct kns_error *err)
{
    const struct {
        int kind;
        const char *key;
    } keys[] = {{1, canonical}, {4, key}};

    *ret = 0;
    for (size_t i = 0; i < 2; i++) {
        sqlite3_stmt *stmt = kns_sql(store, KEY_FIND);
        kns_bind_int(stmt, 1, keys[i].kind);
        kns_bind_int(stmt, 2, 0);
        kns_bind_text(stmt, 3, keys[i].key);
        enum kns_status status = kns_sql_next(store, stmt, err);
        if (status == KNS_OK)
            *ret = sqlite3_column_int64(stmt, 0) == 0 ? -1 : sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
        if (status != KNS_ENOTFOUND)
            return status;
    }
    return KNS_OK;
}

static enum kns_status add_address(struct kns_store *store, const char *canonical, const char *key,
                                   struct kns_time now, struct address *ret, struct kns_error *err)
{
    int64_t item_id = 0;
    enum kns_status status = find_item(store, canonical, key, &item_id, err);
    sqlite3_stmt *stmt = kns_sql(store, LINK_INSERT);

    if (status != KNS_OK)
        return status;
    kns_bind_int(stmt, 1, hash_of(key));
    kns_bind_text(stmt, 2, key);
    kns_bind_text(stmt, 3, canonical);
    kns_bind_int(stmt, 4, item_id);
    kns_bind_int(stmt, 5, now.unix_s);
    status = kns_sql_do(store, stmt, err);
    if (status == KNS_OK)
        *ret = (struct address){sqlite3_last_insert_rowid(store->db), item_id, 0};
    return status;
}

static enum kns_status run(struct kns_store *store, enum statement which, const int64_t *numbers,
                           int n, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, which);

    for (int i = 0; i < n; i++)
        kns_bind_int(stmt, i + 1, numbers[i]);
    return kns_sql_do(store, stmt, err);
}

/* ---- who names what ------------------------------------------------------------------------------------------------ */

static enum kns_status is_named_by(struct kns_store *store, int64_t link_id, int64_t feed_id,
                                   bool *ret, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, LINK_NAMED_BY);

    kns_bind_int(stmt, 1, link_id);
    kns_bind_int(stmt, 2, feed_id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    sqlite3_reset(stmt);
    *ret = status == KNS_OK;
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* A feed names the address for the first time, or does not any more. */
static enum kns_status change_feeds(struct kns_store *store, const struct address *address, int by,
                                    struct kns_error *err)
{
    enum kns_status status = run(store, LINK_ADD_FEEDS, (const int64_t[]){address->id, by}, 2, err);

    if (status == KNS_OK && address->item_id > 0)
        status = run(store, ITEM_SET_SOURCES, &address->item_id, 1, err);
    return status;
}

static enum kns_status name(struct kns_store *store, int64_t item_id, int64_t feed_id,
                            const struct address *address, const char *text, struct kns_time now,
                            struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ITEM_LINK_PUT);
    bool named = false;

    kns_bind_int(stmt, 1, item_id);
    kns_bind_int(stmt, 2, address->id);
    kns_bind_int(stmt, 3, feed_id);
    kns_bind_text(stmt, 4, text);
    enum kns_status status = is_named_by(store, address->id, feed_id, &named, err);
    if (status == KNS_OK)
        status = kns_sql_do(store, stmt, err);
    if (status == KNS_OK)
        status = run(store, LINK_SEEN, (const int64_t[]){address->id, now.unix_s}, 2, err);
    if (status == KNS_OK && !named && feed_id > 0)
        status = change_feeds(store, address, 1, err);
    return status;
}

static const char *short_text(struct kns_arena *arena, const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text);

    if (size == 0)
        return NULL;
    return size <= TEXT_MOST ? text
                             : kns_arena_copy(arena, text, kns_text_utf8_prefix(text, TEXT_MOST));
}

static enum kns_status put_link(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                                int64_t feed_id, const char *own_key, const char *url,
                                const char *text, struct kns_time now, struct kns_error *err)
{
    const char *canonical = kns_url_canonical(arena, url);
    const char *key = canonical == NULL ? NULL : kns_url_variant_key(arena, canonical);
    struct address address;

    if (key == NULL || (own_key != NULL && strcmp(key, own_key) == 0))
        return KNS_OK;
    enum kns_status status = find_address(store, key, &address, err);
    if (status == KNS_ENOTFOUND)
        status = add_address(store, canonical, key, now, &address, err);
    return status == KNS_OK
               ? name(store, item_id, feed_id, &address, short_text(arena, text), now, err)
               : status;
}

/* The links of the content, and the page that an entry of a link blog is about. */
static bool gather(struct kns_arena *arena, const struct kns_entry *entry,
                   struct kns_html_links *links)
{
    const char *html[] = {entry->content_html, entry->summary_html};

    if (entry->external_url != NULL) {
        struct kns_html_link *link = KNS_NEW(arena, struct kns_html_link);
        if (link == NULL)
            return false;
        link->url = entry->external_url;
        link->text = entry->title;
        KNS_LIST_APPEND(&links->list, link);
    }
    for (size_t i = 0; i < 2; i++)
        if (html[i] != NULL && strcasestr(html[i], "href") != NULL &&
            !kns_html_links(arena, html[i], entry->url, links))
            return false;
    return true;
}

enum kns_status kns_links_put(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                              int64_t feed_id, const struct kns_entry *entry, struct kns_time now,
                              struct kns_error *err)
{
    struct kns_html_links links = {0};
    const char *own = entry->url == NULL ? NULL : kns_url_variant_key(arena, entry->url);
    enum kns_status status = KNS_OK;
    int n = 0;

    if (!gather(arena, entry, &links))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    for (const struct kns_html_link *link = links.list.first;
         link != NULL && n < LINKS_MOST && status == KNS_OK; link = link->next, n++)
        status = put_link(store, arena, item_id, feed_id, own, link->url, link->text, now, err);
    return status;
}

/* ---- what an item names ceases, or changes hands -------------------------------------------------------------------- */

/* The addresses that an item names, in arena; *ret_n of them. */
static enum kns_status links_of(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                                struct address **ret, int64_t *ret_feed, size_t *ret_n,
                                struct kns_error *err)
{
    struct address *list = kns_arena_alloc(arena, (LINKS_MOST + 1) * sizeof(*list));
    sqlite3_stmt *stmt = kns_sql(store, ITEM_LINK_LIST);
    enum kns_status status = KNS_OK;
    size_t n = 0;

    if (list == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_int(stmt, 1, item_id);
    while (n < LINKS_MOST && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        list[n++] = (struct address){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                     sqlite3_column_int64(stmt, 2)};
        *ret_feed = sqlite3_column_int64(stmt, 3);
    }
    sqlite3_reset(stmt);
    *ret = list;
    *ret_n = n;
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* Says for each address that feed_id does not name it any more, where that is so. */
static enum kns_status lose(struct kns_store *store, const struct address *list, size_t n,
                            int64_t feed_id, struct kns_error *err)
{
    enum kns_status status = KNS_OK;
    bool named = false;

    for (size_t i = 0; i < n && status == KNS_OK; i++) {
        status = is_named_by(store, list[i].id, feed_id, &named, err);
        if (status == KNS_OK && !named && feed_id > 0)
            status = change_feeds(store, &list[i], -1, err);
        if (status == KNS_OK && !named)
            status = run(store, LINK_DROP_UNNAMED, &list[i].id, 1, err);
    }
    return status;
}

enum kns_status kns_links_drop(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                               struct kns_error *err)
{
    struct address *list = NULL;
    int64_t feed_id = 0;
    size_t n = 0;
    enum kns_status status = links_of(store, arena, item_id, &list, &feed_id, &n, err);

    if (status == KNS_OK && n > 0)
        status = run(store, ITEM_LINK_CLEAR, &item_id, 1, err);
    return status == KNS_OK ? lose(store, list, n, feed_id, err) : status;
}

enum kns_status kns_links_set_feed(struct kns_store *store, int64_t item_id, int64_t feed_id,
                                   struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct address *list = NULL;
    int64_t before = 0;
    size_t n = 0;
    bool named = false;
    enum kns_status status = arena == NULL
                                 ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                 : links_of(store, arena, item_id, &list, &before, &n, err);

    for (size_t i = 0; i < n && status == KNS_OK && before != feed_id && feed_id > 0; i++) {
        status = is_named_by(store, list[i].id, feed_id, &named, err);
        if (status == KNS_OK && !named)
            status = change_feeds(store, &list[i], 1, err);
    }
    if (status == KNS_OK && n > 0 && before != feed_id)
        status = run(store, ITEM_LINK_SET_FEED, (const int64_t[]){item_id, feed_id}, 2, err);
    if (status == KNS_OK && before != feed_id)
        status = lose(store, list, n, before, err);
    kns_arena_free(arena);
    return status;
}

/* ---- an address becomes an item's, or its item goes ------------------------------------------------------------------ */

enum kns_status kns_links_meet(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                               const char *url, struct kns_error *err)
{
    const char *key = url == NULL ? NULL : kns_url_variant_key(arena, url);
    struct address address;

    if (key == NULL)
        return KNS_OK;
    enum kns_status status = find_address(store, key, &address, err);
    if (status != KNS_OK || address.item_id > 0)
        return status == KNS_ENOTFOUND ? KNS_OK : status;
    status = run(store, LINK_SET_ITEM, (const int64_t[]){address.id, item_id}, 2, err);
    return status == KNS_OK ? run(store, ITEM_SET_SOURCES, &item_id, 1, err) : status;
}

enum kns_status kns_links_item_goes(struct kns_store *store, int64_t item_id, struct kns_error *err)
{
    return run(store, LINK_BURY, &item_id, 1, err);
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

/* One mention a feed, found feed by feed: some addresses are named by every item of a feed. */
static enum kns_status load_mentions(struct kns_store *store, struct kns_arena *arena,
                                     struct kns_named_link *link, struct kns_error *err)
{
    enum kns_status status = KNS_OK;
    int64_t feed_id = 0;

    while (link->mentions.count < MENTIONS_MOST) {
        sqlite3_stmt *stmt = kns_sql(store, LINK_NEXT_MENTION);
        kns_bind_int(stmt, 1, link->id);
        kns_bind_int(stmt, 2, feed_id);
        status = kns_sql_next(store, stmt, err);
        if (status != KNS_OK)
            break;
        struct kns_link_mention *mention = KNS_NEW(arena, struct kns_link_mention);
        if (mention == NULL) {
            sqlite3_reset(stmt);
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        }
        mention->feed_id = feed_id = sqlite3_column_int64(stmt, 0);
        mention->feed_title = kns_column_title(arena, stmt, 1);
        mention->item_id = sqlite3_column_int64(stmt, 2);
        mention->item_title = kns_column_copy(arena, stmt, 3);
        mention->text = kns_column_copy(arena, stmt, 4);
        sqlite3_reset(stmt);
        KNS_LIST_APPEND(&link->mentions, mention);
    }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

static enum kns_status count_shared(struct kns_store *store, struct kns_time since, int64_t *ret,
                                    struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, LINK_SHARED_SINCE);

    kns_bind_int(stmt, 1, since.unix_s);
    kns_bind_int(stmt, 2, SORTED_MOST);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        *ret = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status;
}

enum kns_status kns_store_query_links(struct kns_store *store, struct kns_arena *arena,
                                      const struct kns_link_query *query,
                                      bool (*on_link)(void *ctx, const struct kns_named_link *link),
                                      void *ctx, const char **ret_cursor, struct kns_error *err)
{
    long long feeds = INT64_MAX, seen = INT64_MAX, id = INT64_MAX;
    int end = 0;
    size_t limit = query->limit == 0 ? 50 : query->limit, n = 0;
    const char *cursor = NULL;
    enum kns_status status = KNS_OK;
    bool more = true;

    *ret_cursor = NULL;
    if (query->cursor != NULL &&
        (sscanf(query->cursor, "%lld.%lld.%lld%n", &feeds, &seen, &id, &end) != 3 ||
         query->cursor[end] != '\0'))
        return kns_fail(err, KNS_EINVAL, "cursor: \"%.40s\" is none that a page of this list gave",
                        query->cursor);
    int64_t recent = 0;
    status = count_shared(store, query->since, &recent, err);
    if (status != KNS_OK)
        return status;
    sqlite3_stmt *stmt = kns_sql(store, recent < SORTED_MOST ? LINK_RECENT : LINK_RANKED);
    const int64_t numbers[] = {
        query->since.unix_s, query->min_feeds < 2 ? 2 : query->min_feeds, feeds, seen, id,
        (int64_t)limit + 1};
    for (int i = 0; i < 6; i++)
        kns_bind_int(stmt, i + 1, numbers[i]);
    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK && n++ < limit) {
        struct kns_named_link link = {
            .id = sqlite3_column_int64(stmt, 0),
            .url = kns_column_copy(arena, stmt, 1),
            .feeds = sqlite3_column_int64(stmt, 2),
            .first_seen = {sqlite3_column_int64(stmt, 3)},
            .last_seen = {sqlite3_column_int64(stmt, 4)},
        };
        cursor = kns_arena_printf(arena, "%lld.%lld.%lld", (long long)link.feeds,
                                  (long long)link.last_seen.unix_s, (long long)link.id);
        status = link.url == NULL || cursor == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                                    : load_mentions(store, arena, &link, err);
        if (status != KNS_OK)
            break;
        more = on_link(ctx, &link);
    }
    sqlite3_reset(stmt);
    *ret_cursor = status == KNS_OK && n > limit ? cursor : NULL;
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}
