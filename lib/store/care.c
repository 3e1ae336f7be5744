/* The care of the database: figures, retention, backup, check. */
#include "lib/store/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static int64_t size_of(const char *path, const char *suffix)
{
    char name[4096];
    struct stat st;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &st) == 0 ? st.st_size : 0;
}

enum kns_status kns_store_get_figures(struct kns_store *store, struct kns_store_figures *ret,
                                      struct kns_error *err)
{
    const struct {
        const char *name;
        int64_t *field;
    } tallies[] = {
        {"feeds", &ret->feeds},
        {"feeds paused", &ret->feeds_paused},
        {"feeds failing", &ret->feeds_failing},
        {"feeds gone", &ret->feeds_gone},
        {"items", &ret->items},
        {"unread", &ret->items_unread},
        {"starred", &ret->items_starred},
    };
    sqlite3_stmt *stmt = kns_sql(store, FIGURES);
    int64_t reached = 0;
    enum kns_status status;

    while ((status = kns_sql_next(store, stmt, err)) == KNS_OK)
        for (size_t i = 0; i < LENGTH(tallies); i++)
            if (strcmp(kns_column(stmt, 0), tallies[i].name) == 0)
                *tallies[i].field = sqlite3_column_int64(stmt, 1);
    if (status == KNS_ENOTFOUND)
        status = kns_store_last_event(store, &ret->events_last, err);
    if (status == KNS_OK)
        status = kns_search_reached(store, &reached, err);
    ret->items_behind = reached > 0 ? reached - 1 : 0;
    ret->file_bytes = size_of(store->path, "");
    ret->wal_bytes = size_of(store->path, "-wal");
    ret->schema_version = store->schema_version;
    return status;
}

/* Space goes back to the file system in steps of so many pages (1 MiB), so that no step stalls the writer. */
#define VACUUM_PAGES "256"

/* ---- retention -------------------------------------------------------------------------------------------------------- */

#define EXPIRE_FEEDS_AT_ONCE 20 /* as EXPIRE_FEEDS says */
#define EXPIRE_OVERLAP_S 3600
#define REMOVED_AT_ONCE 200

/* Removes the items that a prepared list gives, at most most of them; *left is lowered by as many. */
static enum kns_status remove_listed(struct kns_store *store, sqlite3_stmt *stmt, size_t *left,
                                     struct kns_error *err)
{
    int64_t ids[REMOVED_AT_ONCE];
    size_t n = 0;
    enum kns_status status = KNS_OK;

    while (n < REMOVED_AT_ONCE && n < *left && (status = kns_sql_next(store, stmt, err)) == KNS_OK)
        ids[n++] = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    if (status == KNS_ENOTFOUND)
        status = KNS_OK;
    for (size_t i = 0; i < n && status == KNS_OK; i++)
        status = kns_items_remove(store, ids[i], err);
    *left -= n;
    return status;
}

/* The next feeds of the round that may have too many items; *n of them. */
static enum kns_status next_feeds(struct kns_store *store, int64_t *feeds, size_t *n,
                                  struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, EXPIRE_FEEDS);
    enum kns_status status = KNS_OK;

    kns_bind_int(stmt, 1, store->expiry.after_feed);
    kns_bind_int(stmt, 2, store->expiry.keep);
    kns_bind_int(stmt, 3, store->expiry.since.unix_s);
    *n = 0;
    while (*n < EXPIRE_FEEDS_AT_ONCE && (status = kns_sql_next(store, stmt, err)) == KNS_OK)
        feeds[(*n)++] = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* Goes on with the round over all feeds; the first looks at each, later ones at those that got items since. *ret_more: it is
 * not at its end. */
static enum kns_status expire_many(struct kns_store *store, int64_t keep, struct kns_time now,
                                   size_t *left, bool *ret_more, struct kns_error *err)
{
    int64_t feeds[EXPIRE_FEEDS_AT_ONCE];
    size_t n = 0;

    if (store->expiry.keep != keep) {
        memset(&store->expiry, 0, sizeof(store->expiry));
        store->expiry.keep = keep;
    }
    if (store->expiry.after_feed == 0)
        store->expiry.began = now;
    enum kns_status status = next_feeds(store, feeds, &n, err);
    for (size_t i = 0; i < n && status == KNS_OK; i++) {
        sqlite3_stmt *stmt = kns_sql(store, EXPIRE_MANY);
        kns_bind_int(stmt, 1, feeds[i]);
        kns_bind_int(stmt, 2, keep);
        kns_bind_int(stmt, 3, (int64_t)*left);
        size_t before = *left;
        status = remove_listed(store, stmt, left, err);
        if (*left == 0 ||
            before - *left == REMOVED_AT_ONCE) { /* the same feed once more: it may have others */
            *ret_more = true;
            return status;
        }
        store->expiry.after_feed = feeds[i];
    }
    *ret_more = n == EXPIRE_FEEDS_AT_ONCE;
    if (status == KNS_OK && !*ret_more) {
        store->expiry.after_feed = 0;
        /* Polls are stored some time after they began. */
        store->expiry.since.unix_s = store->expiry.began.unix_s - EXPIRE_OVERLAP_S;
    }
    return status;
}

enum kns_status kns_store_expire(struct kns_store *store, int64_t keep_days,
                                 int64_t keep_items_per_feed, struct kns_time now, size_t max_items,
                                 bool *ret_more, struct kns_error *err)
{
    size_t left = max_items;
    bool more = false;
    enum kns_status status = kns_savepoint_begin(store, err);

    if (status != KNS_OK)
        return status;
    if (keep_days > 0) {
        sqlite3_stmt *stmt = kns_sql(store, EXPIRE_OLD);
        kns_bind_int(stmt, 1, now.unix_s - keep_days * 86400);
        kns_bind_int(stmt, 2, (int64_t)left);
        status = remove_listed(store, stmt, &left, err);
    }
    if (status == KNS_OK && keep_items_per_feed > 0 && left > 0)
        status = expire_many(store, keep_items_per_feed, now, &left, &more, err);
    status = kns_savepoint_end(store, status, err);
    if (status == KNS_OK && left < max_items)
        status = kns_sql_run(store, "PRAGMA incremental_vacuum(" VACUUM_PAGES ")", err);
    if (status == KNS_OK)
        *ret_more = more || left < max_items;
    else
        memset(&store->expiry, 0, sizeof(store->expiry)); /* what was undone is looked at again */
    return status;
}

/* ---- backup ----------------------------------------------------------------------------------------------------------- */

/* VACUUM INTO reads one snapshot, beside the writer, and writes a file that is whole or not there. */
enum kns_status kns_store_backup(struct kns_store *store, const char *path, struct kns_error *err)
{
    sqlite3_stmt *stmt = NULL;

    if (access(path, F_OK) == 0)
        return kns_fail(err, KNS_EEXIST, "%s: the file is there already", path);
    sqlite3_exec(store->db, "PRAGMA query_only = OFF", NULL, NULL, NULL);
    int rc = sqlite3_prepare_v2(store->db, "VACUUM INTO ?", -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        kns_bind_text(stmt, 1, path);
        rc = sqlite3_step(stmt);
    }
    enum kns_status status =
        rc == SQLITE_DONE ? KNS_OK
                          : kns_fail(err, KNS_EIO, "%s: %s", path, sqlite3_errmsg(store->db));
    sqlite3_finalize(stmt);
    if (store->mode == KNS_STORE_READER)
        sqlite3_exec(store->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
    if (status != KNS_OK)
        unlink(path);
    return status;
}

/* ---- check ------------------------------------------------------------------------------------------------------------ */

static const struct {
    enum statement which;
    const char *problem;
} invariants[] = {
    {CHECK_KEYS, "identity keys point to items that are not there"},
    {CHECK_CONTENT, "items have no content row"},
    {CHECK_COUNTS, "feeds count more or fewer items than they carry"},
    {CHECK_KNOWN, "items have no identity key"},
    {CHECK_SOURCES, "items count more or fewer sources than they have"},
    {CHECK_FLAGS, "sightings have another time or other flags than their items"},
    {CHECK_TALLY, "figures are not what they count"},
    {CHECK_LINKS, "addresses count more or fewer feeds than name them"},
    {CHECK_LINK_ITEMS, "addresses point to items that are not there"},
};

static bool check_pragma(struct kns_store *store, const char *sql, const char *good,
                         void (*on_problem)(void *, const char *), void *ctx)
{
    sqlite3_stmt *stmt = NULL;
    bool sound = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) == SQLITE_OK;

    if (!sound)
        on_problem(ctx, sqlite3_errmsg(store->db));
    while (sound && sqlite3_step(stmt) == SQLITE_ROW) {
        const char *line = kns_column(stmt, 0);
        if (good != NULL && line != NULL && strcmp(line, good) == 0)
            break;
        on_problem(ctx, line == NULL ? "a reference without its target" : line);
        sound = false;
    }
    sqlite3_finalize(stmt);
    return sound;
}

enum kns_status kns_store_check(struct kns_store *store,
                                void (*on_problem)(void *ctx, const char *problem), void *ctx,
                                struct kns_error *err)
{
    bool intact = check_pragma(store, "PRAGMA integrity_check", "ok", on_problem, ctx);
    bool sound = check_pragma(store, "PRAGMA foreign_key_check", NULL, on_problem, ctx) && intact;

    for (size_t i = 0; i < LENGTH(invariants); i++) {
        sqlite3_stmt *stmt = kns_sql(store, invariants[i].which);
        enum kns_status status = kns_sql_next(store, stmt, err);
        int64_t count = status == KNS_OK ? sqlite3_column_int64(stmt, 0) : 0;
        sqlite3_reset(stmt);
        if (status != KNS_OK)
            return status;
        if (count > 0) {
            char problem[160];
            snprintf(problem, sizeof(problem), "%lld %s", (long long)count, invariants[i].problem);
            on_problem(ctx, problem);
            sound = false;
        }
    }
    return sound ? KNS_OK : kns_fail(err, KNS_ECORRUPT, "%s: problems were found", store->path);
}
