/* Items as people change them: flags, tags and notes; and how one goes. */
#include "lib/store/internal.h"

int64_t kns_items_place(const struct kns_item *item)
{
    return kns_search_place(item->sort_at.unix_s, item->id);
}

/* Removes an item for good; its keys stay, so that it does not come back as new. */
enum kns_status kns_items_remove(struct kns_store *store, int64_t item_id, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_item *item = NULL;
    struct search_text text;

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_store_get_item(store, arena, item_id, &item, err);
    if (status == KNS_OK && !kns_search_text(arena, &item->entry, item->note, &text))
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        status = kns_search_remove(store, kns_items_place(item), &text, err);
    for (const struct kns_item_feed *feed = item == NULL ? NULL : item->feeds.first;
         feed != NULL && status == KNS_OK; feed = feed->next) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_ADD_ITEMS);
        kns_bind_int(stmt, 1, feed->id);
        kns_bind_int(stmt, 2, -1);
        status = kns_sql_do(store, stmt, err);
    }
    if (status == KNS_OK)
        status = kns_links_drop(store, arena, item_id, err);
    if (status == KNS_OK)
        status = kns_links_item_goes(store, item_id, err);
    static const enum statement last[] = {KEY_BURY, ITEM_DELETE};
    for (size_t i = 0; i < 2 && status == KNS_OK; i++) {
        sqlite3_stmt *stmt = kns_sql(store, last[i]);
        kns_bind_int(stmt, 1, item_id);
        status = kns_sql_do(store, stmt, err);
    }
    kns_arena_free(arena);
    return status;
}

static enum kns_status set_flag(struct kns_store *store, enum statement which, int64_t id,
                                bool value, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, which);

    kns_bind_int(stmt, 1, id);
    kns_bind_int(stmt, 2, value);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status change_tags(struct kns_store *store, enum statement which, int64_t id,
                                   const struct kns_strings *tags, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    for (const struct kns_string *tag = tags == NULL ? NULL : tags->list.first;
         tag != NULL && status == KNS_OK; tag = tag->next) {
        sqlite3_stmt *stmt = kns_sql(store, which);
        kns_bind_int(stmt, 1, id);
        kns_bind_text(stmt, 2, tag->value);
        status = kns_sql_do(store, stmt, err);
    }
    return status;
}

enum kns_status kns_items_set_note(struct kns_store *store, struct kns_arena *arena,
                                   const struct kns_item *item, const char *note,
                                   struct kns_error *err)
{
    struct search_text before, after;
    sqlite3_stmt *stmt = kns_sql(store, ITEM_SET_NOTE);

    note = *note == '\0' ? NULL : note;
    if (!kns_search_text(arena, &item->entry, item->note, &before) ||
        !kns_search_text(arena, &item->entry, note, &after))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_int(stmt, 1, item->id);
    kns_bind_text(stmt, 2, note);
    enum kns_status status = kns_sql_do(store, stmt, err);
    if (status == KNS_OK)
        status = kns_search_remove(store, kns_items_place(item), &before, err);
    return status == KNS_OK ? kns_search_add(store, kns_items_place(item), &after, err) : status;
}

enum kns_status kns_store_edit_item(struct kns_store *store, int64_t id,
                                    const struct kns_item_edit *edit, struct kns_time now,
                                    struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_item *item = NULL;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_savepoint_begin(store, err);

    (void)now;
    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    status = kns_store_get_item(store, arena, id, &item, err);
    if (status == KNS_OK && edit->set_read)
        status = set_flag(store, ITEM_SET_READ, id, edit->read, err);
    if (status == KNS_OK && edit->set_starred)
        status = set_flag(store, ITEM_SET_STARRED, id, edit->starred, err);
    if (status == KNS_OK && edit->tags != NULL) {
        sqlite3_stmt *stmt = kns_sql(store, ITEM_TAG_CLEAR);
        kns_bind_int(stmt, 1, id);
        status = kns_sql_do(store, stmt, err);
    }
    if (status == KNS_OK)
        status = change_tags(store, ITEM_TAG_INSERT, id, edit->tags, err);
    if (status == KNS_OK)
        status = change_tags(store, ITEM_TAG_INSERT, id, edit->add_tags, err);
    if (status == KNS_OK)
        status = change_tags(store, ITEM_TAG_DELETE, id, edit->remove_tags, err);
    if (status == KNS_OK && edit->note != NULL)
        status = kns_items_set_note(store, arena, item, edit->note, err);
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(arena);
    return status;
}
