/* WebSub: what we have with hubs, and what they push. */
#include "lib/store/internal.h"

const char *kns_websub_state_name(enum kns_websub_state state)
{
    static const char *const names[] = {"wanted", "alive", "denied", "leaving"};

    return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state] : "";
}

/* ---- subscriptions at hubs ------------------------------------------------------------------------------------------ */

enum kns_status kns_store_put_websub(struct kns_store *store,
                                     const struct kns_websub_record *record, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEBSUB_PUT);
    int at = 1;

    kns_bind_text(stmt, at++, record->token);
    kns_bind_int(stmt, at++, record->feed_id);
    kns_bind_text(stmt, at++, record->feed_url);
    kns_bind_text(stmt, at++, record->hub);
    kns_bind_text(stmt, at++, record->topic);
    kns_bind_text(stmt, at++, record->callback);
    kns_bind_text(stmt, at++, record->secret);
    kns_bind_int(stmt, at++, record->state);
    kns_bind_int(stmt, at++, record->awaits);
    kns_bind_int(stmt, at++, record->lease_until.unix_s);
    kns_bind_int(stmt, at++, record->next_at.unix_s);
    kns_bind_int(stmt, at++, record->failures);
    kns_bind_text(stmt, at++, record->error);
    return kns_sql_do(store, stmt, err);
}

enum kns_status kns_store_remove_websub(struct kns_store *store, const char *token,
                                        struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEBSUB_DELETE);

    kns_bind_text(stmt, 1, token);
    return kns_sql_do(store, stmt, err);
}

/* The row's columns, valid until the next step. */
static void read_record(sqlite3_stmt *row, struct kns_websub_record *ret)
{
    *ret = (struct kns_websub_record){
        .token = kns_column(row, 0),
        .feed_id = sqlite3_column_int64(row, 1),
        .feed_url = kns_column(row, 2),
        .hub = kns_column(row, 3),
        .topic = kns_column(row, 4),
        .callback = kns_column(row, 5),
        .secret = kns_column(row, 6),
        .state = (enum kns_websub_state)sqlite3_column_int(row, 7),
        .awaits = (enum kns_websub_awaits)sqlite3_column_int(row, 8),
        .lease_until = {sqlite3_column_int64(row, 9)},
        .next_at = {sqlite3_column_int64(row, 10)},
        .failures = sqlite3_column_int64(row, 11),
        .error = kns_column(row, 12),
    };
}

enum kns_status kns_store_each_websub(struct kns_store *store,
                                      bool (*on_record)(void *ctx,
                                                        const struct kns_websub_record *record),
                                      void *ctx, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEBSUB_LIST);
    enum kns_status status = KNS_OK;
    bool more = true;

    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        struct kns_websub_record record;
        read_record(stmt, &record);
        more = on_record(ctx, &record);
    }
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

enum kns_status kns_store_get_websub(struct kns_store *store, struct kns_arena *arena,
                                     int64_t feed_id, struct kns_websub_record *ret,
                                     struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEBSUB_OF_FEED);

    kns_bind_int(stmt, 1, feed_id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status != KNS_OK)
        return status;
    read_record(stmt, ret);
    ret->feed_url = kns_arena_strdup(arena, ret->feed_url);
    ret->hub = kns_arena_strdup(arena, ret->hub);
    ret->topic = kns_arena_strdup(arena, ret->topic);
    ret->callback = kns_arena_strdup(arena, ret->callback);
    ret->error = kns_arena_strdup(arena, ret->error);
    sqlite3_reset(stmt);
    return KNS_OK;
}

enum kns_status kns_store_reschedule(struct kns_store *store, int64_t feed_id,
                                     const struct kns_schedule *schedule,
                                     struct kns_time pushed_until, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, FEED_RESCHEDULE);

    kns_bind_int(stmt, 1, feed_id);
    kns_bind_int(stmt, 2, schedule->next_poll_at.unix_s);
    kns_bind_text(stmt, 3, schedule->next_poll_reason);
    kns_bind_int(stmt, 4, schedule->interval_s);
    kns_bind_int(stmt, 5, pushed_until.unix_s);
    return kns_sql_do(store, stmt, err);
}

/* ---- what is pushed ------------------------------------------------------------------------------------------------- */

static enum kns_status note_push(struct kns_store *store, const struct kns_push *push,
                                 const struct kns_feed *feed, const struct kns_poll_result *result,
                                 struct kns_error *err)
{
    const struct kns_poll poll = {.feed_id = push->feed_id,
                                  .started_at = push->at,
                                  .duration_ms = push->duration_ms,
                                  .outcome = KNS_POLL_PUSHED,
                                  .bytes = push->bytes,
                                  .schedule = feed->schedule};
    enum kns_status status = kns_poll_write_history(store, &poll, result, err);

    if (status == KNS_OK && result->new_items > 0) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_PUSHED);
        kns_bind_int(stmt, 1, push->feed_id);
        kns_bind_int(stmt, 2, push->at.unix_s);
        status = kns_sql_do(store, stmt, err);
    }
    return status == KNS_OK
               ? kns_event_add(store, KNS_EVENT_POLL, kns_outcome_name(KNS_POLL_PUSHED), 0,
                               push->feed_id, push->at, err)
               : status;
}

enum kns_status kns_store_record_push(struct kns_store *store, const struct kns_push *push,
                                      struct kns_poll_result *ret_result, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed *feed = NULL;
    struct kns_poll_result result = {0};
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_savepoint_begin(store, err);

    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    kns_buf_reset(&store->listed);
    status = kns_store_get_feed(store, arena, push->feed_id, false, &feed, err);
    if (status == KNS_OK)
        status = kns_newsletters_store_entries(store, feed, push->document, push->at, &result, err);
    if (status == KNS_OK)
        status = note_push(store, push, feed, &result, err);
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(arena);
    if (status != KNS_OK)
        return status;
    kns_store_last_event(store, &result.last_event, NULL);
    *ret_result = result;
    return KNS_OK;
}
