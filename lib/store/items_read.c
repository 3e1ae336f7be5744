/* Items as they are read: whole, with their feeds and tags, and where each was seen. */
#include "lib/store/internal.h"

#include "lib/jsonfeed.h"
#include "lib/store/identity.h"

static enum kns_status load_content(struct kns_store *store, struct kns_arena *arena,
                                    struct kns_item *item, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, CONTENT_GET);

    kns_bind_int(stmt, 1, item->id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK) {
        item->entry.content_html = kns_column_copy(arena, stmt, 0);
        item->entry.content_text = kns_column_copy(arena, stmt, 1);
        item->entry.summary_html = kns_column_copy(arena, stmt, 2);
        sqlite3_reset(stmt);
    }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

static enum kns_status load_feeds(struct kns_store *store, struct kns_arena *arena,
                                  struct kns_item *item, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, SIGHTING_OF_ITEM);
    enum kns_status status;

    kns_bind_int(stmt, 1, item->id);
    for (status = kns_sql_next(store, stmt, err); status == KNS_OK;
         status = kns_sql_next(store, stmt, err)) {
        struct kns_item_feed *feed = KNS_NEW(arena, struct kns_item_feed);
        if (feed == NULL) {
            sqlite3_reset(stmt);
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        }
        feed->id = sqlite3_column_int64(stmt, 0);
        feed->title = kns_column_title(arena, stmt, 1);
        feed->url = kns_column_copy(arena, stmt, 2);
        feed->guid = kns_column_copy(arena, stmt, 3);
        feed->seen_at.unix_s = sqlite3_column_int64(stmt, 4);
        KNS_LIST_APPEND(&item->feeds, feed);
    }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

static enum kns_status load_tags(struct kns_store *store, struct kns_arena *arena,
                                 struct kns_item *item, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ITEM_TAG_LIST);
    enum kns_status status;

    kns_bind_int(stmt, 1, item->id);
    for (status = kns_sql_next(store, stmt, err); status == KNS_OK;
         status = kns_sql_next(store, stmt, err)) {
        struct kns_string *tag = KNS_NEW(arena, struct kns_string);
        if (tag == NULL) {
            sqlite3_reset(stmt);
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        }
        tag->value = kns_column_copy(arena, stmt, 0);
        KNS_LIST_APPEND(&item->tags.list, tag);
    }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

enum kns_status kns_items_load(struct kns_store *store, struct kns_arena *arena, sqlite3_stmt *row,
                               bool with_content, struct kns_item **ret_item, struct kns_error *err)
{
    struct kns_item *item = KNS_NEW(arena, struct kns_item);
    json_t *json = json_loads(kns_column(row, 10), 0, NULL);
    struct kns_entry *entry = json == NULL ? NULL : kns_jsonfeed_to_entry(arena, json, NULL);

    json_decref(json);
    if (item == NULL || entry == NULL)
        return json == NULL ? kns_fail(err, KNS_ECORRUPT, "item %lld cannot be read",
                                       (long long)sqlite3_column_int64(row, 0))
                            : kns_fail(err, KNS_ENOMEM, "out of memory");
    item->entry = *entry;
    item->id = sqlite3_column_int64(row, 0);
    item->sort_at.unix_s = sqlite3_column_int64(row, 1);
    item->first_seen.unix_s = sqlite3_column_int64(row, 2);
    item->changed_at.unix_s = sqlite3_column_int64(row, 3);
    item->read = sqlite3_column_int(row, 4) != 0;
    item->starred = sqlite3_column_int(row, 5) != 0;
    item->score = sqlite3_column_int64(row, 6);
    item->sources = sqlite3_column_int64(row, 7);
    item->note = kns_column_copy(arena, row, 8);
    item->section = kns_column_copy(arena, row, 9);
    enum kns_status status = load_feeds(store, arena, item, err);
    if (status == KNS_OK)
        status = load_tags(store, arena, item, err);
    if (status == KNS_OK)
        status = kns_newsletters_load(store, arena, item, err);
    if (status == KNS_OK && with_content)
        status = load_content(store, arena, item, err);
    if (status == KNS_OK)
        *ret_item = item;
    return status;
}

enum kns_status kns_store_get_item(struct kns_store *store, struct kns_arena *arena, int64_t id,
                                   struct kns_item **ret_item, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ITEM_GET);

    kns_bind_int(stmt, 1, id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_ENOTFOUND)
        return kns_fail(err, KNS_ENOTFOUND, "no item has the id %lld", (long long)id);
    if (status == KNS_OK)
        status = kns_items_load(store, arena, stmt, true, ret_item, err);
    sqlite3_reset(stmt);
    return status;
}

enum kns_status kns_store_each_sighting(struct kns_store *store, int64_t item_id,
                                        bool (*on_sighting)(void *ctx,
                                                            const struct kns_sighting *s),
                                        void *ctx, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, SIGHTING_OF_ITEM);
    enum kns_status status;

    kns_bind_int(stmt, 1, item_id);
    for (status = kns_sql_next(store, stmt, err); status == KNS_OK;
         status = kns_sql_next(store, stmt, err)) {
        enum identity_rule rule = (enum identity_rule)sqlite3_column_int(stmt, 6);
        struct kns_sighting s = {
            .feed_id = sqlite3_column_int64(stmt, 0),
            .feed_title = kns_column(stmt, 1),
            .feed_url = kns_column(stmt, 2),
            .guid = kns_column(stmt, 3),
            .first_seen = {sqlite3_column_int64(stmt, 4)},
            .last_seen = {sqlite3_column_int64(stmt, 7)},
            .url = kns_column(stmt, 5),
            .rule = kns_rule_name(rule),
            .rule_text = kns_rule_text(rule),
        };
        if (!on_sighting(ctx, &s)) {
            sqlite3_reset(stmt);
            return KNS_OK;
        }
    }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}
