/* Polls, what they leave behind, sites, events. */
#include "lib/store/internal.h"

#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* So many events are kept for those who resume; older ones are gone, their numbers are not used again. */
#define EVENTS_KEPT 100000

const char *kns_outcome_name(enum kns_outcome outcome)
{
    static const char *const names[] = {"new-document", "unchanged", "cut",
                                        "throttled",    "refused",   "not-a-feed",
                                        "gone",         "error",     "pushed"};

    return (size_t)outcome < LENGTH(names) ? names[outcome] : "";
}

const char *kns_event_kind_name(enum kns_event_kind kind)
{
    static const char *const names[] = {"item", "feed", "poll"};

    return (size_t)kind < LENGTH(names) ? names[kind] : "";
}

/* ---- events --------------------------------------------------------------------------------------------------------- */

enum kns_status kns_event_add(struct kns_store *store, enum kns_event_kind kind, const char *what,
                              int64_t item_id, int64_t feed_id, struct kns_time at,
                              struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, EVENT_INSERT);

    kns_bind_int(stmt, 1, kind);
    kns_bind_text(stmt, 2, what);
    kns_bind_int(stmt, 3, item_id);
    kns_bind_int(stmt, 4, feed_id);
    kns_bind_int(stmt, 5, at.unix_s);
    enum kns_status status = kns_sql_do(store, stmt, err);
    int64_t seq = sqlite3_last_insert_rowid(store->db);
    if (status != KNS_OK || seq % 1000 != 0 || seq <= EVENTS_KEPT)
        return status;
    stmt = kns_sql(store, EVENT_PRUNE);
    kns_bind_int(stmt, 1, seq - EVENTS_KEPT);
    return kns_sql_do(store, stmt, err);
}

enum kns_status kns_store_last_event(struct kns_store *store, int64_t *ret_seq,
                                     struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, EVENT_LAST);
    enum kns_status status = kns_sql_next(store, stmt, err);

    if (status == KNS_OK)
        *ret_seq = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status;
}

enum kns_status kns_store_each_event(struct kns_store *store, int64_t after_seq, size_t limit,
                                     bool (*on_event)(void *ctx, const struct kns_event *event),
                                     void *ctx, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, EVENT_LIST);
    enum kns_status status;
    bool more = true;

    kns_bind_int(stmt, 1, after_seq);
    kns_bind_int(stmt, 2, (int64_t)limit);
    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        struct kns_event event = {
            .seq = sqlite3_column_int64(stmt, 0),
            .kind = (enum kns_event_kind)sqlite3_column_int(stmt, 1),
            .what = kns_column(stmt, 2),
            .item_id = sqlite3_column_int64(stmt, 3),
            .feed_id = sqlite3_column_int64(stmt, 4),
            .at = {sqlite3_column_int64(stmt, 5)},
        };
        more = on_event(ctx, &event);
    }
    sqlite3_reset(stmt);
    return more && status != KNS_ENOTFOUND ? status : KNS_OK;
}

/* ---- marks ---------------------------------------------------------------------------------------------------------- */

enum kns_status kns_store_get_mark(struct kns_store *store, const char *name, int64_t *ret_value,
                                   struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, MARK_GET);

    kns_bind_text(stmt, 1, name);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        *ret_value = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status;
}

enum kns_status kns_store_put_mark(struct kns_store *store, const char *name, int64_t value,
                                   struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, MARK_PUT);

    kns_bind_text(stmt, 1, name);
    kns_bind_int(stmt, 2, value);
    return kns_sql_do(store, stmt, err);
}

enum kns_status kns_store_remove_mark(struct kns_store *store, const char *name,
                                      struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, MARK_DELETE);

    kns_bind_text(stmt, 1, name);
    return kns_sql_do(store, stmt, err);
}

/* ---- polls ---------------------------------------------------------------------------------------------------------- */

static bool is_success(enum kns_outcome outcome)
{
    return outcome == KNS_POLL_NEW_DOCUMENT || outcome == KNS_POLL_UNCHANGED ||
           outcome == KNS_POLL_CUT;
}

static enum kns_status update_feed(struct kns_store *store, const struct kns_poll *poll,
                                   const struct kns_poll_result *result, struct kns_error *err)
{
    const struct kns_schedule *s = &poll->schedule;
    sqlite3_stmt *stmt = kns_sql(store, FEED_POLLED);
    int at = 1;

    kns_bind_int(stmt, at++, poll->feed_id);
    kns_bind_int(stmt, at++, poll->state);
    kns_bind_int(stmt, at++, poll->health);
    kns_bind_int(stmt, at++, poll->started_at.unix_s);
    kns_bind_int(stmt, at++, is_success(poll->outcome));
    kns_bind_int(stmt, at++, result->new_items > 0);
    kns_bind_int(stmt, at++, poll->http_status);
    kns_bind_text(stmt, at++, poll->error);
    kns_bind_int(stmt, at++, s->next_poll_at.unix_s);
    kns_bind_text(stmt, at++, s->next_poll_reason);
    kns_bind_int(stmt, at++, s->interval_s);
    kns_bind_text(stmt, at++, s->etag);
    kns_bind_text(stmt, at++, s->last_modified);
    kns_bind_text(stmt, at++, s->content_hash);
    kns_bind_int(stmt, at++, s->consecutive_failures);
    sqlite3_bind_double(stmt, at++, s->entries_per_day);
    kns_bind_int(stmt, at++, s->no_poll_before.unix_s);
    kns_bind_text(stmt, at++, poll->move_to);
    kns_bind_int(stmt, at++, poll->move_seen);
    kns_bind_int(stmt, at++, poll->move_first_seen.unix_s);
    kns_bind_int(stmt, at++, s->newest_entry_at.unix_s);
    kns_bind_int(stmt, at++, s->ttl_s);
    kns_bind_int(stmt, at++, s->update_interval_s);
    kns_bind_int(stmt, at++, s->skip_hours);
    kns_bind_int(stmt, at++, s->skip_days);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status describe_feed(struct kns_store *store, int64_t feed_id,
                                     const struct kns_document *document, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, FEED_DESCRIBE);

    kns_bind_int(stmt, 1, feed_id);
    kns_bind_text(stmt, 2, document->title);
    kns_bind_text(stmt, 3, document->home_page_url);
    kns_bind_text(stmt, 4, document->description);
    kns_bind_text(stmt, 5, document->favicon != NULL ? document->favicon : document->icon);
    return kns_sql_do(store, stmt, err);
}

/* A whole new document says which hub pushes it, or that none does; any other answer leaves that as it was. */
static enum kns_status set_hub(struct kns_store *store, const struct kns_feed *before,
                               const struct kns_poll *poll, struct kns_error *err)
{
    bool says = poll->document != NULL && poll->outcome == KNS_POLL_NEW_DOCUMENT;
    sqlite3_stmt *stmt = kns_sql(store, FEED_SET_HUB);

    kns_bind_int(stmt, 1, poll->feed_id);
    kns_bind_text(stmt, 2, says ? poll->hub : before->hub);
    kns_bind_text(stmt, 3, says ? poll->topic : before->topic);
    return kns_sql_do(store, stmt, err);
}

enum kns_status kns_poll_write_history(struct kns_store *store, const struct kns_poll *poll,
                                       const struct kns_poll_result *result, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, POLL_INSERT);
    int at = 1;

    kns_bind_int(stmt, at++, poll->feed_id);
    kns_bind_int(stmt, at++, poll->started_at.unix_s);
    kns_bind_int(stmt, at++, poll->duration_ms);
    kns_bind_int(stmt, at++, poll->outcome);
    kns_bind_int(stmt, at++, poll->http_status);
    kns_bind_int(stmt, at++, poll->bytes);
    kns_bind_int(stmt, at++, result->new_items);
    kns_bind_int(stmt, at++, result->updated_items);
    kns_bind_text(stmt, at++, poll->error);
    kns_bind_int(stmt, at++, poll->schedule.next_poll_at.unix_s);
    kns_bind_text(stmt, at++, poll->schedule.next_poll_reason);
    enum kns_status status = kns_sql_do(store, stmt, err);
    if (status != KNS_OK)
        return status;
    stmt = kns_sql(store, POLL_PRUNE);
    kns_bind_int(stmt, 1, poll->feed_id);
    return kns_sql_do(store, stmt, err);
}

/* What happened to the feed between its last poll and this one, as an event; NULL: nothing of note. */
static const char *turn_of(const struct kns_feed *before, const struct kns_poll *poll)
{
    if (poll->state == KNS_FEED_GONE && before->state != KNS_FEED_GONE)
        return "gone";
    bool failed_before = before->schedule.consecutive_failures > 0,
         fails = poll->schedule.consecutive_failures > 0;
    return failed_before == fails ? NULL : fails ? "failing" : "recovered";
}

static enum kns_status move_feed(struct kns_store *store, const struct kns_feed *before,
                                 const struct kns_poll *poll, struct kns_poll_result *result,
                                 struct kns_error *err)
{
    int64_t other = 0;
    /* A permanent redirect to a feed that holds items we know is the same feed: it needs no watching. Once it is
       watched, what it holds is known by itself. */
    bool known = poll->move_seen == 1 && result->seen_items + result->updated_items > 0;
    const char *new_url = poll->new_url != NULL ? poll->new_url : known ? poll->move_to : NULL;

    if (new_url == NULL)
        return KNS_OK;
    if (kns_store_find_feed(store, new_url, &other, NULL) == KNS_OK && other != poll->feed_id) {
        result->merged_into = other;
        return kns_store_merge_feeds(store, poll->feed_id, other, poll->started_at, err);
    }
    const struct kns_feed_edit edit = {.url = new_url};
    enum kns_status status =
        kns_store_edit_feed(store, poll->feed_id, &edit, poll->started_at, err);
    /* The hub and the validators are the new URL's: they came with this answer. */
    struct kns_poll moved = *poll;
    moved.move_to = NULL;
    moved.move_seen = 0;
    moved.health = poll->health == KNS_HEALTH_MOVED ? KNS_HEALTH_OK : poll->health;
    if (status == KNS_OK)
        status = set_hub(store, before, poll, err);
    if (status == KNS_OK)
        status = update_feed(store, &moved, result, err);
    return status == KNS_OK ? kns_event_add(store, KNS_EVENT_FEED, "moved", 0, poll->feed_id,
                                            poll->started_at, err)
                            : status;
}

static enum kns_status record(struct kns_store *store, struct kns_arena *arena,
                              const struct kns_poll *poll, struct kns_poll_result *result,
                              struct kns_error *err)
{
    struct kns_feed *before = NULL;
    enum kns_status status = kns_store_get_feed(store, arena, poll->feed_id, false, &before, err);

    kns_buf_reset(&store->listed);
    if (status == KNS_OK && poll->document != NULL)
        status = kns_newsletters_store_entries(store, before, poll->document, poll->started_at,
                                               result, err);
    if (status == KNS_OK && poll->document != NULL && poll->outcome == KNS_POLL_NEW_DOCUMENT &&
        !poll->document->cut)
        status = kns_items_note_unlisted(store, poll->feed_id, before->last_success_at, err);
    if (status == KNS_OK && poll->document != NULL)
        status = describe_feed(store, poll->feed_id, poll->document, err);
    if (status == KNS_OK && poll->document != NULL)
        status = set_hub(store, before, poll, err);
    if (status == KNS_OK)
        status = update_feed(store, poll, result, err);
    if (status == KNS_OK)
        status = kns_poll_write_history(store, poll, result, err);
    if (status == KNS_OK && turn_of(before, poll) != NULL)
        status = kns_event_add(store, KNS_EVENT_FEED, turn_of(before, poll), 0, poll->feed_id,
                               poll->started_at, err);
    if (status == KNS_OK)
        status = kns_event_add(store, KNS_EVENT_POLL, kns_outcome_name(poll->outcome), 0,
                               poll->feed_id, poll->started_at, err);
    if (status == KNS_OK)
        status = move_feed(store, before, poll, result, err);
    return status;
}

enum kns_status kns_store_record_poll(struct kns_store *store, const struct kns_poll *poll,
                                      struct kns_poll_result *ret_result, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_poll_result result = {0};
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_savepoint_begin(store, err);

    if (status == KNS_OK)
        status = kns_savepoint_end(store, record(store, arena, poll, &result, err), err);
    kns_arena_free(arena);
    if (status != KNS_OK)
        return status;
    kns_store_last_event(store, &result.last_event, NULL);
    *ret_result = result;
    return KNS_OK;
}

enum kns_status kns_store_each_poll(struct kns_store *store, int64_t feed_id, size_t limit,
                                    bool (*on_poll)(void *ctx, const struct kns_poll_record *poll),
                                    void *ctx, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, POLL_LIST);
    enum kns_status status = KNS_OK;
    bool more = true;

    kns_bind_int(stmt, 1, feed_id);
    kns_bind_int(stmt, 2, (int64_t)limit);
    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        struct kns_poll_record poll = {
            .at = {sqlite3_column_int64(stmt, 0)},
            .duration_ms = sqlite3_column_int64(stmt, 1),
            .outcome = (enum kns_outcome)sqlite3_column_int(stmt, 2),
            .http_status = sqlite3_column_int(stmt, 3),
            .bytes = sqlite3_column_int64(stmt, 4),
            .new_items = sqlite3_column_int64(stmt, 5),
            .updated_items = sqlite3_column_int64(stmt, 6),
            .error = kns_column(stmt, 7),
            .next_poll_reason = kns_column(stmt, 8),
            .next_poll_at = {sqlite3_column_int64(stmt, 9)},
        };
        more = on_poll(ctx, &poll);
    }
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* ---- sites ---------------------------------------------------------------------------------------------------------- */

enum kns_status kns_store_put_site(struct kns_store *store, const struct kns_site *site,
                                   struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, SITE_PUT);

    kns_bind_text(stmt, 1, site->name);
    kns_bind_int(stmt, 2, site->no_poll_before.unix_s);
    sqlite3_bind_double(stmt, 3, site->tokens);
    kns_bind_int(stmt, 4, site->tokens_at.unix_s);
    kns_bind_text(stmt, 5, site->reason);
    kns_bind_int(stmt, 6, site->interval_s);
    return kns_sql_do(store, stmt, err);
}

enum kns_status kns_store_each_site(struct kns_store *store,
                                    bool (*on_site)(void *ctx, const struct kns_site *site),
                                    void *ctx, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, SITE_LIST);
    enum kns_status status = KNS_OK;
    bool more = true;

    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        struct kns_site site = {
            .name = kns_column(stmt, 0),
            .no_poll_before = {sqlite3_column_int64(stmt, 1)},
            .tokens = sqlite3_column_double(stmt, 2),
            .tokens_at = {sqlite3_column_int64(stmt, 3)},
            .reason = kns_column(stmt, 4),
            .interval_s = sqlite3_column_int64(stmt, 5),
        };
        more = on_site(ctx, &site);
    }
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}
