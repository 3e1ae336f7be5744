/* Subscriptions. */
#include "lib/store/internal.h"

#include "lib/url.h"

#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

const char *kns_feed_state_name(enum kns_feed_state state)
{
    static const char *const names[] = {"active", "paused", "failing", "gone"};

    return (size_t)state < LENGTH(names) ? names[state] : "";
}

const char *kns_feed_health_name(enum kns_feed_health health)
{
    static const char *const names[] = {"new",        "ok",    "late",    "throttled", "refused",
                                        "not-a-feed", "moved", "failing", "gone"};

    return (size_t)health < LENGTH(names) ? names[health] : "";
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static bool add_string(struct kns_arena *arena, struct kns_strings *strings, const char *value)
{
    struct kns_string *node = KNS_NEW(arena, struct kns_string);
    char *copy = kns_arena_strdup(arena, value);

    if (node == NULL || copy == NULL)
        return false;
    node->value = copy;
    KNS_LIST_APPEND(&strings->list, node);
    return true;
}

/* Collects a one-column list. */
static enum kns_status read_strings(struct kns_store *store, struct kns_arena *arena,
                                    sqlite3_stmt *stmt, struct kns_strings *ret,
                                    struct kns_error *err)
{
    enum kns_status status;

    for (status = kns_sql_next(store, stmt, err); status == KNS_OK;
         status = kns_sql_next(store, stmt, err))
        if (!add_string(arena, ret, kns_column(stmt, 0))) {
            sqlite3_reset(stmt);
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* The columns of FEED_COLUMNS, in their order. */
static void read_feed(struct kns_arena *arena, sqlite3_stmt *row, struct kns_feed *feed)
{
    int at = 0;

#define NEXT_TEXT() kns_column_copy(arena, row, at++)
#define NEXT_INT() sqlite3_column_int64(row, at++)
    feed->id = NEXT_INT();
    feed->url = NEXT_TEXT();
    feed->user_title = NEXT_TEXT();
    feed->title = NEXT_TEXT();
    feed->home_page_url = NEXT_TEXT();
    feed->description = NEXT_TEXT();
    feed->icon = NEXT_TEXT();
    feed->state = (enum kns_feed_state)NEXT_INT();
    feed->health = (enum kns_feed_health)NEXT_INT();
    int64_t newsletter = NEXT_INT();
    feed->newsletter = newsletter > 0;
    feed->newsletter_decided = newsletter != 0;
    feed->every_s = NEXT_INT();
    feed->added_at.unix_s = NEXT_INT();
    feed->last_poll_at.unix_s = NEXT_INT();
    feed->last_success_at.unix_s = NEXT_INT();
    feed->last_new_item_at.unix_s = NEXT_INT();
    feed->last_status = (int)NEXT_INT();
    feed->last_error = NEXT_TEXT();
    feed->schedule.next_poll_at.unix_s = NEXT_INT();
    feed->schedule.next_poll_reason = NEXT_TEXT();
    feed->schedule.interval_s = NEXT_INT();
    feed->schedule.etag = NEXT_TEXT();
    feed->schedule.last_modified = NEXT_TEXT();
    feed->schedule.content_hash = NEXT_TEXT();
    feed->schedule.consecutive_failures = NEXT_INT();
    feed->schedule.entries_per_day = sqlite3_column_double(row, at++);
    feed->schedule.no_poll_before.unix_s = NEXT_INT();
    feed->move_to = NEXT_TEXT();
    feed->move_seen = NEXT_INT();
    feed->move_first_seen.unix_s = NEXT_INT();
    feed->items = NEXT_INT();
    feed->schedule.newest_entry_at.unix_s = NEXT_INT();
    feed->schedule.ttl_s = NEXT_INT();
    feed->schedule.update_interval_s = NEXT_INT();
    feed->schedule.skip_hours = (uint32_t)NEXT_INT();
    feed->schedule.skip_days = (uint8_t)NEXT_INT();
    feed->hub = NEXT_TEXT();
    feed->topic = NEXT_TEXT();
    feed->pushed_until.unix_s = NEXT_INT();
    if (feed->user_title != NULL)
        feed->title = feed->user_title;
    if (feed->title == NULL)
        feed->title = feed->url;
    feed->title = kns_shown_title(arena, feed->title);
}

static enum kns_status read_access(struct kns_store *store, struct kns_arena *arena, int64_t id,
                                   struct kns_feed_access *ret, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ACCESS_GET);
    const char **fields[] = {&ret->user,    &ret->password,    &ret->bearer_token,
                             &ret->headers, &ret->user_agent,  &ret->proxy,
                             &ret->ca_file, &ret->http_version};

    kns_bind_int(stmt, 1, id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status != KNS_OK)
        return status == KNS_ENOTFOUND ? KNS_OK : status;
    for (int i = 0; i < (int)LENGTH(fields); i++)
        *fields[i] = kns_column_copy(arena, stmt, i);
    sqlite3_reset(stmt);
    return KNS_OK;
}

static enum kns_status read_lists(struct kns_store *store, struct kns_arena *arena,
                                  struct kns_feed *feed, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, FEED_TAG_LIST);

    kns_bind_int(stmt, 1, feed->id);
    enum kns_status status = read_strings(store, arena, stmt, &feed->tags, err);
    if (status != KNS_OK)
        return status;
    stmt = kns_sql(store, FEED_URL_LIST);
    kns_bind_int(stmt, 1, feed->id);
    return read_strings(store, arena, stmt, &feed->moved_from, err);
}

enum kns_status kns_store_get_feed(struct kns_store *store, struct kns_arena *arena, int64_t id,
                                   bool with_access, struct kns_feed **ret_feed,
                                   struct kns_error *err)
{
    struct kns_feed *feed = KNS_NEW(arena, struct kns_feed);
    sqlite3_stmt *stmt = kns_sql(store, FEED_GET);

    if (feed == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_int(stmt, 1, id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_ENOTFOUND)
        return kns_fail(err, KNS_ENOTFOUND, "no feed has the id %lld", (long long)id);
    if (status != KNS_OK)
        return status;
    read_feed(arena, stmt, feed);
    sqlite3_reset(stmt);
    status = read_lists(store, arena, feed, err);
    if (status == KNS_OK && with_access)
        status = read_access(store, arena, id, &feed->access, err);
    if (status == KNS_OK)
        *ret_feed = feed;
    return status;
}

static enum kns_status find_by(struct kns_store *store, enum statement which, const char *text,
                               int64_t *ret_id, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, which);

    kns_bind_text(stmt, 1, text);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK) {
        *ret_id = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    return status;
}

/* The canonical form of a feed's URL; what has none (file:, exec:) is its own. */
static const char *key_of(struct kns_arena *arena, const char *url)
{
    const char *key = kns_url_canonical(arena, url);

    return key == NULL ? url : key;
}

enum kns_status kns_store_find_feed(struct kns_store *store, const char *url, int64_t *ret_id,
                                    struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = find_by(store, FEED_BY_URL, url, ret_id, err);
    if (status == KNS_ENOTFOUND)
        status = find_by(store, FEED_BY_KEY, key_of(arena, url), ret_id, err);
    if (status == KNS_ENOTFOUND)
        status = find_by(store, FEED_BY_OLD_URL, url, ret_id, err);
    if (status == KNS_ENOTFOUND) {
        const char *shown = kns_url_without_credentials(arena, url);
        status =
            kns_fail(err, KNS_ENOTFOUND, "no feed has the URL %s", shown == NULL ? "given" : shown);
    }
    kns_arena_free(arena);
    return status;
}

static bool has_tag(struct kns_store *store, int64_t id, const char *tag)
{
    sqlite3_stmt *stmt = kns_sql(store, FEED_TAG_HAS);

    kns_bind_int(stmt, 1, id);
    kns_bind_text(stmt, 2, tag);
    bool has = kns_sql_next(store, stmt, NULL) == KNS_OK;
    sqlite3_reset(stmt);
    return has;
}

static bool is_wanted(struct kns_store *store, const struct kns_feed_filter *filter,
                      const struct kns_feed *feed)
{
    if (filter == NULL)
        return true;
    if (filter->failing && (feed->health == KNS_HEALTH_OK || feed->health == KNS_HEALTH_NEW))
        return false;
    return filter->tag == NULL || has_tag(store, feed->id, filter->tag);
}

/* A page of feeds at a time, so that the callback may take its time without holding a read open. */
enum kns_status kns_store_each_feed(struct kns_store *store, const struct kns_feed_filter *filter,
                                    bool (*on_feed)(void *ctx, const struct kns_feed *feed),
                                    void *ctx, struct kns_error *err)
{
    enum { PAGE = 200 };
    struct kns_arena *arena = kns_arena_new(0);
    int64_t after = filter == NULL ? 0 : filter->after_id;
    size_t left = filter == NULL || filter->limit == 0 ? SIZE_MAX : filter->limit;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;
    int read = PAGE;

    while (status == KNS_OK && read == PAGE && left > 0) {
        struct kns_feed *page[PAGE];
        sqlite3_stmt *stmt = kns_sql(store, FEED_LIST);
        kns_bind_int(stmt, 1, after);
        kns_bind_int(stmt, 2, PAGE);
        for (read = 0; (status = kns_sql_next(store, stmt, err)) == KNS_OK; read++) {
            page[read] = KNS_NEW(arena, struct kns_feed);
            if (page[read] == NULL) {
                sqlite3_reset(stmt);
                kns_arena_free(arena);
                return kns_fail(err, KNS_ENOMEM, "out of memory");
            }
            read_feed(arena, stmt, page[read]);
        }
        status = status == KNS_ENOTFOUND ? KNS_OK : status;
        for (int i = 0; i < read && status == KNS_OK && left > 0; i++) {
            after = page[i]->id;
            if (!is_wanted(store, filter, page[i]))
                continue;
            status = read_lists(store, arena, page[i], err);
            if (status == KNS_OK && !on_feed(ctx, page[i]))
                left = 0;
            left -= left > 0;
        }
        kns_arena_reset(arena);
    }
    kns_arena_free(arena);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static enum kns_status add_tags(struct kns_store *store, int64_t id, const struct kns_strings *tags,
                                struct kns_error *err)
{
    const struct kns_string *tag;
    enum kns_status status = KNS_OK;

    for (tag = tags == NULL ? NULL : tags->list.first; tag != NULL && status == KNS_OK;
         tag = tag->next) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_TAG_INSERT);
        kns_bind_int(stmt, 1, id);
        kns_bind_text(stmt, 2, tag->value);
        status = kns_sql_do(store, stmt, err);
    }
    return status;
}

/* What is set replaces what was; "" removes it. */
static enum kns_status put_access(struct kns_store *store, int64_t id,
                                  const struct kns_feed_access *access, struct kns_error *err)
{
    const char *const set[] = {access->user,    access->password,    access->bearer_token,
                               access->headers, access->user_agent,  access->proxy,
                               access->ca_file, access->http_version};
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed_access old = {0};
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : read_access(store, arena, id, &old, err);
    const char *const kept[] = {old.user,       old.password, old.bearer_token, old.headers,
                                old.user_agent, old.proxy,    old.ca_file,      old.http_version};
    sqlite3_stmt *stmt = kns_sql(store, ACCESS_PUT);

    if (status == KNS_OK) {
        kns_bind_int(stmt, 1, id);
        for (int i = 0; i < (int)LENGTH(set); i++)
            kns_bind_text(stmt, i + 2, set[i] == NULL ? kept[i] : *set[i] == '\0' ? NULL : set[i]);
        status = kns_sql_do(store, stmt, err);
    }
    kns_arena_free(arena);
    return status;
}

static enum kns_status set_int(struct kns_store *store, enum statement which, int64_t id,
                               int64_t value, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, which);

    kns_bind_int(stmt, 1, id);
    kns_bind_int(stmt, 2, value);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status set_text(struct kns_store *store, enum statement which, int64_t id,
                                const char *value, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, which);

    kns_bind_int(stmt, 1, id);
    kns_bind_text(stmt, 2, value);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status delete_by(struct kns_store *store, enum statement which, int64_t id,
                                 struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, which);

    kns_bind_int(stmt, 1, id);
    return kns_sql_do(store, stmt, err);
}

/* The URL changes: what the old one vouched for is dropped, and it is remembered. */
static enum kns_status change_url(struct kns_store *store, int64_t id, const char *url,
                                  struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed *feed = NULL;
    int64_t other = 0;

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_store_get_feed(store, arena, id, false, &feed, err);
    if (status == KNS_OK && strcmp(feed->url, url) == 0) {
        kns_arena_free(arena);
        return KNS_OK;
    }
    if (status == KNS_OK && kns_store_find_feed(store, url, &other, NULL) == KNS_OK && other != id)
        status = kns_fail(err, KNS_EEXIST, "feed %lld has that URL", (long long)other);
    if (status == KNS_OK) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_URL_DELETE);
        kns_bind_text(stmt, 1, url);
        status = kns_sql_do(store, stmt, err);
    }
    if (status == KNS_OK) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_URL_INSERT);
        kns_bind_text(stmt, 1, feed->url);
        kns_bind_int(stmt, 2, id);
        status = kns_sql_do(store, stmt, err);
    }
    if (status == KNS_OK) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_SET_URL);
        kns_bind_int(stmt, 1, id);
        kns_bind_text(stmt, 2, url);
        kns_bind_text(stmt, 3, key_of(arena, url));
        status = kns_sql_do(store, stmt, err);
    }
    kns_arena_free(arena);
    return status;
}

static enum kns_status apply_edit(struct kns_store *store, int64_t id,
                                  const struct kns_feed_edit *edit, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    if (edit->user_title != NULL)
        status = set_text(store, FEED_SET_TITLE, id,
                          edit->user_title[0] == '\0' ? NULL : edit->user_title, err);
    if (status == KNS_OK && edit->set_newsletter)
        status = kns_newsletters_mark(store, id, edit->newsletter, err);
    if (status == KNS_OK && edit->set_every)
        status = set_int(store, FEED_SET_EVERY, id, edit->every_s, err);
    if (status == KNS_OK && edit->set_paused)
        status = set_int(store, FEED_SET_STATE, id,
                         edit->paused ? KNS_FEED_PAUSED : KNS_FEED_ACTIVE, err);
    if (status == KNS_OK && edit->access != NULL)
        status = put_access(store, id, edit->access, err);
    return status;
}

enum kns_status kns_store_add_feed(struct kns_store *store, const struct kns_feed_edit *edit,
                                   struct kns_time now, struct kns_time first_poll_at,
                                   int64_t *ret_id, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    int64_t id = 0;

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_savepoint_begin(store, err);
    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    bool known = kns_store_find_feed(store, edit->url, &id, NULL) == KNS_OK;
    if (!known) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_INSERT);
        kns_bind_text(stmt, 1, edit->url);
        kns_bind_text(stmt, 2, key_of(arena, edit->url));
        kns_bind_int(stmt, 3, now.unix_s);
        kns_bind_int(stmt, 4, first_poll_at.unix_s);
        status = kns_sql_do(store, stmt, err);
        id = sqlite3_last_insert_rowid(store->db);
        if (status == KNS_OK)
            status = apply_edit(store, id, edit, err);
        if (status == KNS_OK)
            status = kns_event_add(store, KNS_EVENT_FEED, "added", 0, id, now, err);
    }
    if (status == KNS_OK)
        status = add_tags(store, id, edit->tags, err);
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(arena);
    if (status != KNS_OK)
        return status;
    *ret_id = id;
    return known ? kns_fail(err, KNS_EEXIST, "subscribed already, as feed %lld", (long long)id)
                 : KNS_OK;
}

enum kns_status kns_store_edit_feed(struct kns_store *store, int64_t id,
                                    const struct kns_feed_edit *edit, struct kns_time now,
                                    struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed *feed = NULL;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_savepoint_begin(store, err);

    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    status = kns_store_get_feed(store, arena, id, false, &feed, err);
    kns_arena_free(arena);
    if (status == KNS_OK && edit->url != NULL)
        status = change_url(store, id, edit->url, err);
    if (status == KNS_OK && edit->tags != NULL)
        status = delete_by(store, FEED_TAG_CLEAR, id, err);
    if (status == KNS_OK)
        status = add_tags(store, id, edit->tags, err);
    if (status == KNS_OK)
        status = apply_edit(store, id, edit, err);
    if (status == KNS_OK)
        status = kns_event_add(store, KNS_EVENT_FEED, "edited", 0, id, now, err);
    return kns_savepoint_end(store, status, err);
}

/* The next item that only this feed carries and nobody marked; 0: none. */
static enum kns_status remove_lonely_items(struct kns_store *store, int64_t feed_id,
                                           struct kns_error *err)
{
    int64_t after = 0;
    enum kns_status status = KNS_OK;

    for (;;) {
        int64_t ids[500];
        int n = 0;
        sqlite3_stmt *stmt = kns_sql(store, SIGHTING_LIST);
        kns_bind_int(stmt, 1, feed_id);
        kns_bind_int(stmt, 2, after);
        while (n < 500 && (status = kns_sql_next(store, stmt, err)) == KNS_OK)
            ids[n++] = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
        if (status != KNS_OK && status != KNS_ENOTFOUND)
            return status;
        if (n == 0)
            return KNS_OK;
        after = ids[n - 1];
        for (int i = 0; i < n; i++) {
            sqlite3_stmt *drop = kns_sql(store, SIGHTING_DELETE), *other;
            kns_bind_int(drop, 1, feed_id);
            kns_bind_int(drop, 2, ids[i]);
            status = kns_sql_do(store, drop, err);
            if (status != KNS_OK)
                return status;
            other = kns_sql(store, SIGHTING_FIRST_OTHER);
            kns_bind_int(other, 1, ids[i]);
            status = kns_sql_next(store, other, err);
            int64_t owner = status == KNS_OK ? sqlite3_column_int64(other, 0) : 0;
            sqlite3_reset(other);
            if (status != KNS_OK && status != KNS_ENOTFOUND)
                return status;
            sqlite3_stmt *kept = kns_sql(store, ITEM_IS_KEPT);
            kns_bind_int(kept, 1, ids[i]);
            bool keep = owner != 0 || kns_sql_next(store, kept, NULL) == KNS_OK;
            sqlite3_reset(kept);
            status = keep ? set_int(store, ITEM_SET_OWNER, ids[i], owner, err)
                          : kns_items_remove(store, ids[i], err);
            if (status == KNS_OK && keep)
                status = kns_links_set_feed(store, ids[i], owner, err);
            if (status == KNS_OK && keep)
                status = delete_by(store, ITEM_SET_SOURCES, ids[i], err);
            if (status != KNS_OK)
                return status;
        }
    }
}

enum kns_status kns_store_remove_feed(struct kns_store *store, int64_t id, struct kns_time now,
                                      struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed *feed = NULL;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_savepoint_begin(store, err);

    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    status = kns_store_get_feed(store, arena, id, false, &feed, err);
    kns_arena_free(arena);
    if (status == KNS_OK)
        status = remove_lonely_items(store, id, err);
    if (status == KNS_OK)
        status = delete_by(store, KEY_DROP_SCOPE, id, err);
    if (status == KNS_OK)
        status = delete_by(store, FEED_DELETE, id, err);
    if (status == KNS_OK)
        status = kns_event_add(store, KNS_EVENT_FEED, "removed", 0, id, now, err);
    return kns_savepoint_end(store, status, err);
}

enum kns_status kns_store_merge_feeds(struct kns_store *store, int64_t from, int64_t into,
                                      struct kns_time now, struct kns_error *err)
{
    static const enum statement moves[] = {FEED_TAG_COPY, FEED_URL_MOVE,   KEY_MOVE,
                                           SIGHTING_MOVE, ITEM_MOVE_OWNER, ITEM_LINK_MOVE_FEED,
                                           CURATED_MOVE};
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed *feed = NULL;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_savepoint_begin(store, err);

    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    status = kns_store_get_feed(store, arena, from, false, &feed, err);
    for (size_t i = 0; i < LENGTH(moves) && status == KNS_OK; i++)
        status = set_int(store, moves[i], from, into, err);
    if (status == KNS_OK)
        status = delete_by(store, FEED_DELETE, from, err);
    if (status == KNS_OK) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_URL_INSERT);
        kns_bind_text(stmt, 1, feed->url);
        kns_bind_int(stmt, 2, into);
        status = kns_sql_do(store, stmt, err);
    }
    if (status == KNS_OK)
        status = delete_by(store, FEED_COUNT_ITEMS, into, err);
    if (status == KNS_OK)
        status = delete_by(store, LINK_COUNT_OF_FEED, into, err);
    if (status == KNS_OK)
        status = set_int(store, ITEM_SOURCES_OF_FEED, 0, into, err);
    if (status == KNS_OK)
        status = kns_event_add(store, KNS_EVENT_FEED, "moved", 0, into, now, err);
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(arena);
    return status;
}
