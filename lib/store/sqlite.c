/* One connection: opening, the writer's lock, statements, savepoints, errors. */
#include "lib/store/internal.h"

#include "lib/url.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CAUGHT_UP_AT_ONCE 2000 /* items of an older database, when it is opened: a second's work */

static const char *const statement_sql[] = {
#define STATEMENT_SQL(name, sql) [name] = sql,
    STATEMENTS(STATEMENT_SQL)
#undef STATEMENT_SQL
};

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static enum kns_status translate(int code)
{
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return KNS_ENOMEM;
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return KNS_EFULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return KNS_ECORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return KNS_EBUSY;
    case SQLITE_TOOBIG:
        return KNS_ELIMIT;
    default:
        return KNS_EIO;
    }
}

enum kns_status kns_sql_fail(struct kns_store *store, const char *what, struct kns_error *err)
{
    enum kns_status status = translate(sqlite3_extended_errcode(store->db));

    if (status == KNS_ECORRUPT)
        return kns_fail(
            err, status,
            "%s: %s: %s; the file was left untouched: `knsctl check --db FILE --salvage "
            "NEW` copies what can be read, or restore a backup over it",
            store->path, what, sqlite3_errmsg(store->db));
    return kns_fail(err, status, "%s: %s: %s", store->path, what, sqlite3_errmsg(store->db));
}

enum kns_status kns_sql_run(struct kns_store *store, const char *sql, struct kns_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? KNS_OK
               : kns_sql_fail(store, "database", err);
}

/* ---- statements --------------------------------------------------------------------------------------------------- */

static enum kns_status prepare_statements(struct kns_store *store, struct kns_error *err)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(store->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK)
            return kns_sql_fail(store, "cannot prepare a statement", err);
    return KNS_OK;
}

sqlite3_stmt *kns_sql(struct kns_store *store, enum statement which)
{
    sqlite3_stmt *stmt = store->statements[which];

    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    return stmt;
}

void kns_bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    if (text != NULL)
        sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

void kns_bind_int(sqlite3_stmt *stmt, int at, int64_t number)
{
    sqlite3_bind_int64(stmt, at, number);
}

enum kns_status kns_sql_do(struct kns_store *store, sqlite3_stmt *stmt, struct kns_error *err)
{
    int rc = sqlite3_step(stmt);
    enum kns_status status =
        rc == SQLITE_DONE || rc == SQLITE_ROW ? KNS_OK : kns_sql_fail(store, "cannot write", err);

    sqlite3_reset(stmt);
    return status;
}

enum kns_status kns_sql_next(struct kns_store *store, sqlite3_stmt *stmt, struct kns_error *err)
{
    int rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW)
        return KNS_OK;
    enum kns_status status =
        rc == SQLITE_DONE ? KNS_ENOTFOUND : kns_sql_fail(store, "cannot read", err);
    sqlite3_reset(stmt);
    return status;
}

const char *kns_column(sqlite3_stmt *stmt, int at)
{
    return (const char *)sqlite3_column_text(stmt, at);
}

const char *kns_column_copy(struct kns_arena *arena, sqlite3_stmt *stmt, int at)
{
    return kns_arena_strdup(arena, kns_column(stmt, at));
}

const char *kns_shown_title(struct kns_arena *arena, const char *title)
{
    bool secret = title != NULL && strstr(title, "://") != NULL && strchr(title, '@') != NULL &&
                  kns_url_is_web(title);

    return secret ? kns_url_without_credentials(arena, title) : title;
}

const char *kns_column_title(struct kns_arena *arena, sqlite3_stmt *stmt, int at)
{
    return kns_shown_title(arena, kns_column_copy(arena, stmt, at));
}

/* ---- transactions --------------------------------------------------------------------------------------------------- */

enum kns_status kns_store_begin(struct kns_store *store, struct kns_error *err)
{
    return kns_sql_run(store, "BEGIN IMMEDIATE", err);
}

enum kns_status kns_store_commit(struct kns_store *store, struct kns_error *err)
{
    enum kns_status status = kns_search_settle(store, err);

    if (status == KNS_OK)
        status = kns_sql_run(store, "COMMIT", err);
    if (status != KNS_OK)
        kns_store_rollback(store);
    return status;
}

void kns_store_rollback(struct kns_store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    kns_store_forget_rules(store);
    kns_search_undo(store, 0);
    store->reached = -1;
    store->savepoints = 0;
}

/* Texts that wait for the search index are memory; outside of savepoints they may go there before the end. */
#define INDEX_WAITING_MOST ((size_t)4 << 20)

enum kns_status kns_savepoint_begin(struct kns_store *store, struct kns_error *err)
{
    bool outermost = store->savepoints == 0;
    enum kns_status status = outermost && kns_search_mark(store) > INDEX_WAITING_MOST
                                 ? kns_search_settle(store, err)
                                 : KNS_OK;

    assert(store->savepoints < SAVEPOINTS_MOST);
    if (outermost)
        store->own_transaction = sqlite3_get_autocommit(store->db) != 0;
    if (status == KNS_OK)
        status = kns_sql_run(store, "SAVEPOINT part", err);
    if (status == KNS_OK)
        store->index_marks[store->savepoints++] = kns_search_mark(store);
    return status;
}

enum kns_status kns_savepoint_end(struct kns_store *store, enum kns_status status,
                                  struct kns_error *err)
{
    store->savepoints--;
    if (status == KNS_OK && store->savepoints == 0 && store->own_transaction)
        status = kns_search_settle(store, err);
    if (status == KNS_OK)
        status = kns_sql_run(store, "RELEASE part", err);
    if (status == KNS_OK)
        return KNS_OK;
    kns_store_forget_rules(store);
    kns_search_undo(store, store->index_marks[store->savepoints]);
    store->reached = -1;
    /* A full disk may have rolled everything back already; then there is nothing to undo. */
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK TO part; RELEASE part", NULL, NULL, NULL);
    return status;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

/* One writer on a machine: a lock on a file beside the database, which the system drops when the process ends, however it ends. */
static enum kns_status take_lock(struct kns_store *store, struct kns_error *err)
{
    char path[4096], pid[32] = "";

    snprintf(path, sizeof(path), "%s.lock", store->path);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return kns_fail(err,
                        errno == EROFS || errno == EACCES || errno == ENOSPC ? KNS_EFULL : KNS_EIO,
                        "%s: %s", path, strerror(errno));
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(store->lock_fd, pid, sizeof(pid) - 1, 0);
        pid[n > 0 ? n : 0] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        return kns_fail(err, KNS_EBUSY, "%s: in use by another knsd (pid %s)", store->path, pid);
    }
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(store->lock_fd, 0) != 0 || pwrite(store->lock_fd, pid, (size_t)len, 0) != len)
        return kns_fail(err, KNS_EFULL, "%s: %s", path, strerror(errno));
    return KNS_OK;
}

static enum kns_status configure(struct kns_store *store, enum kns_store_sync sync,
                                 struct kns_error *err)
{
    enum kns_status status = kns_sql_run(
        store,
        "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192;"
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
        /* Where the library wipes what is deleted, it writes each page twice. */
        "PRAGMA secure_delete = FAST",
        err);

    sqlite3_busy_timeout(store->db, 5000);
    if (status != KNS_OK || store->mode == KNS_STORE_READER)
        return status;
    status = kns_sql_run(store,
                         sync == KNS_STORE_SYNC_FULL ? "PRAGMA synchronous = FULL"
                                                     : "PRAGMA synchronous = NORMAL",
                         err);
    if (status == KNS_OK)
        status = kns_sql_run(
            store, "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864", err);
    return status;
}

/* The file's kind is looked at before anything is written. */
static enum kns_status open_schema(struct kns_store *store, struct kns_error *err)
{
    bool empty = false;
    enum kns_status status = kns_schema_check(store, &empty, err);

    if (status != KNS_OK)
        return status;
    if (store->mode == KNS_STORE_READER)
        return empty ? kns_fail(err, KNS_EVERSION, "%s: no database of KNS", store->path) : KNS_OK;
    if (empty)
        status = kns_sql_run(store, "PRAGMA auto_vacuum = INCREMENTAL", err);
    if (status == KNS_OK)
        status = kns_sql_run(store, "PRAGMA journal_mode = WAL", err);
    return status == KNS_OK ? kns_schema_migrate(store, err) : status;
}

enum kns_status kns_store_open(const char *path, enum kns_store_mode mode, enum kns_store_sync sync,
                               struct kns_store **ret_store, struct kns_error *err)
{
    struct kns_store *store = calloc(1, sizeof(*store));
    enum kns_status status = KNS_OK;
    int flags = mode == KNS_STORE_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                         : SQLITE_OPEN_READWRITE;

    if (store == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    store->lock_fd = -1;
    store->reached = -1;
    store->mode = mode;
    store->path = strdup(path);
    if (store->path == NULL)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK && mode == KNS_STORE_WRITER)
        status = take_lock(store, err);
    if (status == KNS_OK &&
        sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        status = store->db == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                   : kns_sql_fail(store, "cannot open", err);
    if (status == KNS_OK)
        status = kns_search_register(store, err);
    if (status == KNS_OK)
        status = configure(store, sync, err);
    if (status == KNS_OK)
        status = open_schema(store, err);
    if (status == KNS_OK)
        status = prepare_statements(store, err);
    if (status == KNS_OK && mode == KNS_STORE_READER)
        status = kns_sql_run(store, "PRAGMA query_only = ON", err);
    if (status != KNS_OK) {
        kns_store_close(store);
        return status;
    }
    if (mode ==
        KNS_STORE_WRITER) /* where that fails, why is told when something is to be written */
        kns_store_catch_up(store, CAUGHT_UP_AT_ONCE, &(bool){false}, NULL);
    *ret_store = store;
    return KNS_OK;
}

void kns_store_close(struct kns_store *store)
{
    if (store == NULL)
        return;
    if (store->db != NULL)
        kns_store_rollback(store);
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(store->statements[i]);
    kns_store_forget_rules(store);
    kns_buf_fini(&store->listed);
    kns_buf_fini(&store->indexing);
    sqlite3_close(store->db);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    free(store->path);
    free(store);
}
