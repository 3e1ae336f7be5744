/* Catching up: what an older version of KNS did not do for the items that it stored. They are put into the index as this version has it, and
 * what they link to is looked for, from the newest down, some at a time: an old database serves at once, and is whole some time later. A
 * mark says how far that has come. */
#include "lib/store/internal.h"

#define CATCHING_UP "catch up"

enum kns_status kns_search_reached(struct kns_store *store, int64_t *ret_id, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    /* A reader does not hear of what the writer does. */
    if (store->reached < 0 || store->mode == KNS_STORE_READER) {
        sqlite3_stmt *stmt = kns_sql(store, MARK_GET);
        kns_bind_text(stmt, 1, CATCHING_UP);
        status = kns_sql_next(store, stmt, err);
        if (status == KNS_OK || status == KNS_ENOTFOUND)
            store->reached = status == KNS_OK ? sqlite3_column_int64(stmt, 0) : 0;
        sqlite3_reset(stmt);
    }
    *ret_id = store->reached;
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* The item before id is put into the index, and what it names is looked for: neither was always there. */
static enum kns_status catch_up(struct kns_store *store, struct kns_arena *arena, int64_t *id,
                                struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ITEM_BEFORE);
    struct kns_item *item = NULL;
    struct search_text text;

    kns_bind_int(stmt, 1, *id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status != KNS_OK)
        return status;
    *id = sqlite3_column_int64(stmt, 0);
    int64_t owner = sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    store->reached = *id;
    status = kns_store_get_item(store, arena, *id, &item, err);
    if (status == KNS_OK && !kns_search_text(arena, &item->entry, item->note, &text))
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        status = kns_search_add(store, kns_search_place(item->sort_at.unix_s, *id), &text, err);
    if (status == KNS_OK)
        status = kns_links_put(store, arena, *id, owner, &item->entry, item->first_seen, err);
    return status == KNS_OK ? kns_links_meet(store, arena, *id, item->entry.url, err) : status;
}

static enum kns_status put_reached(struct kns_store *store, int64_t id, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, id == 0 ? MARK_DELETE : MARK_PUT);

    kns_bind_text(stmt, 1, CATCHING_UP);
    if (id != 0)
        kns_bind_int(stmt, 2, id);
    enum kns_status status = kns_sql_do(store, stmt, err);
    if (status == KNS_OK)
        store->reached = id;
    return status;
}

enum kns_status kns_store_catch_up(struct kns_store *store, size_t max_items, bool *ret_more,
                                   struct kns_error *err)
{
    int64_t id = 0;
    enum kns_status status = kns_search_reached(store, &id, err);

    if (status != KNS_OK || id == 0) {
        *ret_more = false;
        return status;
    }
    struct kns_arena *arena = kns_arena_new(0);
    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    status = kns_savepoint_begin(store, err);
    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    for (size_t i = 0; i < max_items && status == KNS_OK; i++) {
        status = catch_up(store, arena, &id, err);
        kns_arena_reset(arena);
    }
    bool more = status == KNS_OK;
    if (status == KNS_OK || status == KNS_ENOTFOUND)
        status = put_reached(store, more ? id : 0, err);
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(arena);
    if (status == KNS_OK)
        *ret_more = more;
    else
        store->reached = -1;
    return status;
}
