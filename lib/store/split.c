/* Splitting an item: one of its sightings becomes an item of its own, and stays one. */
#include "lib/store/internal.h"

#include "lib/store/identity.h"

/* What feed_id said of the item; KNS_ENOTFOUND and KNS_EINVAL as the header promises. */
static enum kns_status check_split(const struct kns_item *item, int64_t feed_id,
                                   struct kns_error *err)
{
    const struct kns_item_feed *feed;

    KNS_LIST_EACH(feed, &item->feeds)
    if (feed->id == feed_id)
        break;
    if (feed == NULL)
        return kns_fail(err, KNS_ENOTFOUND, "feed %lld does not carry item %lld",
                        (long long)feed_id, (long long)item->id);
    if (item->feeds.count == 1)
        return kns_fail(err, KNS_EINVAL, "item %lld was seen in one feed only",
                        (long long)item->id);
    if (feed->guid == NULL)
        return kns_fail(err, KNS_EINVAL, "the entry has no guid in feed %lld to be told apart by",
                        (long long)feed_id);
    return KNS_OK;
}

/* Runs a statement whose parameters are numbers. */
static enum kns_status run(struct kns_store *store, enum statement which, const int64_t *numbers,
                           int n, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, which);

    for (int i = 0; i < n; i++)
        kns_bind_int(stmt, i + 1, numbers[i]);
    return kns_sql_do(store, stmt, err);
}

/* The feed that an item listens to for edits, when the old one has left. */
static enum kns_status set_owner(struct kns_store *store, const struct kns_item *item,
                                 int64_t without, struct kns_error *err)
{
    const struct kns_item_feed *feed = item->feeds.first;

    if (feed->id == without)
        feed = feed->next;
    return run(store, ITEM_SET_OWNER, (const int64_t[]){item->id, feed->id}, 2, err);
}

static enum kns_status split(struct kns_store *store, struct kns_arena *arena,
                             const struct kns_item *item, int64_t feed_id, struct kns_time now,
                             int64_t *ret_id, struct kns_error *err)
{
    struct search_text text;
    enum kns_status status =
        run(store, SPLIT_ITEM, (const int64_t[]){item->id, feed_id, now.unix_s}, 3, err);
    int64_t id = sqlite3_last_insert_rowid(store->db);

    if (status == KNS_OK)
        status = run(store, SPLIT_CONTENT, (const int64_t[]){item->id, id}, 2, err);
    if (status == KNS_OK)
        status = run(store, SPLIT_SIGHTING, (const int64_t[]){item->id, feed_id, id, RULE_SPLIT}, 4,
                     err);
    if (status == KNS_OK)
        status = run(store, SPLIT_KEYS, (const int64_t[]){item->id, feed_id, id}, 3, err);
    if (status == KNS_OK)
        status = set_owner(store, item, feed_id, err);
    if (status == KNS_OK)
        status = run(store, ITEM_SET_SOURCES, &item->id, 1, err);
    if (status == KNS_OK)
        status = run(store, FEED_DROP_VALIDATORS, &feed_id, 1, err);
    if (status == KNS_OK && !kns_search_text(arena, &item->entry, NULL, &text))
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        status = kns_search_add(store, kns_search_place(item->sort_at.unix_s, id), &text, err);
    if (status == KNS_OK)
        status = kns_event_add(store, KNS_EVENT_ITEM, "new", id, feed_id, now, err);
    if (status == KNS_OK)
        *ret_id = id;
    return status;
}

enum kns_status kns_store_split_item(struct kns_store *store, int64_t item_id, int64_t feed_id,
                                     struct kns_time now, int64_t *ret_id, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_item *item = NULL;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_store_get_item(store, arena, item_id, &item, err);

    if (status == KNS_OK)
        status = check_split(item, feed_id, err);
    if (status == KNS_OK)
        status = kns_savepoint_begin(store, err);
    if (status == KNS_OK)
        status =
            kns_savepoint_end(store, split(store, arena, item, feed_id, now, ret_id, err), err);
    kns_arena_free(arena);
    return status;
}
