/* Salvage: what can be read of a database that is corrupt, in a new one.
 *
 * Tables are read row by row in the order of their keys. Where a page cannot be read, the next key that can be is looked for, in steps
 * that double and then halve again; a table that broke is read from its other end as well. What can be made of the rest is made anew,
 * never copied: search, links, figures, counts. Validators are dropped, so that the next poll of each feed brings what was lost and is
 * still listed. */
#include "lib/store/internal.h"

#include "lib/store/identity.h"
#include "lib/text.h"
#include "lib/url.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_COLUMNS 64
#define ROWS_A_COMMIT 5000

struct table {
    char name[64];
    char columns[1600]; /* with commas between; those that both databases have */
    char key[64];       /* by what it is walked: rowid, or the first column of its key */
    char reverse[300];  /* its whole key, downwards */
    int n_columns;
    int detail; /* the column that must be JSON; -1: none */
    bool by_number;
};

struct salvage {
    sqlite3 *from;
    struct kns_store *to;
    struct kns_salvage *result;
    void (*on_problem)(void *ctx, const char *problem);
    void *ctx;
    struct kns_error *err;
    long uncommitted;
};

static void problem(struct salvage *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void problem(struct salvage *s, const char *format, ...)
{
    char text[KNS_ERROR_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    s->result->problems++;
    s->on_problem(s->ctx, text);
}

/* ---- tables --------------------------------------------------------------------------------------------------------- */

/* What is made anew. */
static bool is_derived(const char *name)
{
    static const char *const names[] = {"tally", "link", "item_link"};

    for (size_t i = 0; i < LENGTH(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return strncmp(name, "sqlite_", 7) == 0 || strncmp(name, "item_text", 9) == 0;
}

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

static void add(char *list, size_t size, const char *word, const char *behind)
{
    size_t len = strlen(list);

    snprintf(list + len, size - len, "%s%s%s", len > 0 ? ", " : "", word, behind);
}

/* The columns and the key of a table, as far as the old database has them. */
static enum kns_status describe(struct salvage *s, const char *name, struct table *t)
{
    sqlite3_stmt *stmt = NULL;
    bool rowid = false;

    *t = (struct table){.detail = -1};
    snprintf(t->name, sizeof(t->name), "%s", name);
    if (sqlite3_prepare_v2(s->to->db,
                           "SELECT c.name, c.type, c.pk, l.wr FROM pragma_table_info(?1) c, "
                           "pragma_table_list l WHERE l.name = ?1 AND l.schema = 'main'",
                           -1, &stmt, NULL) != SQLITE_OK)
        return kns_sql_fail(s->to, "cannot read the schema", s->err);
    kns_bind_text(stmt, 1, name);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *column = kns_column(stmt, 0);
        int pk = sqlite3_column_int(stmt, 2);
        rowid = sqlite3_column_int(stmt, 3) == 0;
        if (!has_column(s->from, name, column))
            continue;
        if (strcmp(name, "item") == 0 && strcmp(column, "detail") == 0)
            t->detail = t->n_columns;
        t->n_columns++;
        add(t->columns, sizeof(t->columns), column, "");
        if (pk == 1) {
            snprintf(t->key, sizeof(t->key), "%s", column);
            t->by_number = strcmp(kns_column(stmt, 1), "INTEGER") == 0;
        }
        if (pk > 0)
            add(t->reverse, sizeof(t->reverse), column, " DESC");
    }
    sqlite3_finalize(stmt);
    if (rowid) {
        strcpy(t->key, "rowid");
        strcpy(t->reverse, "rowid DESC");
        t->by_number = true;
    }
    return KNS_OK;
}

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static sqlite3_stmt *prepare_read(struct salvage *s, const struct table *t, const char *behind)
{
    char sql[2600];
    sqlite3_stmt *stmt = NULL;

    snprintf(sql, sizeof(sql), "SELECT %s, %s FROM %s NOT INDEXED %s", t->key, t->columns, t->name,
             behind);
    sqlite3_prepare_v2(s->from, sql, -1, &stmt, NULL);
    return stmt;
}

static sqlite3_stmt *prepare_insert(struct salvage *s, const struct table *t)
{
    char sql[2600], marks[3 * MOST_COLUMNS + 1] = "";
    sqlite3_stmt *stmt = NULL;

    for (int i = 0; i < t->n_columns; i++)
        add(marks, sizeof(marks), "?", "");
    snprintf(sql, sizeof(sql), "INSERT OR IGNORE INTO %s (%s) VALUES (%s)", t->name, t->columns,
             marks);
    sqlite3_prepare_v2(s->to->db, sql, -1, &stmt, NULL);
    return stmt;
}

/* A page that is whole may hold what another one should: text that is none, an item that says nothing. */
static bool is_sane(const struct table *t, sqlite3_stmt *row)
{
    for (int i = 0; i < t->n_columns; i++) {
        if (sqlite3_column_type(row, i + 1) != SQLITE_TEXT)
            continue;
        const char *text = kns_column(row, i + 1);
        size_t size = (size_t)sqlite3_column_bytes(row, i + 1);
        if (text == NULL || strlen(text) != size || !kns_text_is_utf8(text, size))
            return false;
        json_t *json = i == t->detail ? json_loadb(text, size, 0, NULL) : NULL;
        json_decref(json);
        if (i == t->detail && json == NULL)
            return false;
    }
    return true;
}

static enum kns_status commit(struct salvage *s)
{
    s->uncommitted = 0;
    enum kns_status status = kns_store_commit(s->to, s->err);
    return status == KNS_OK ? kns_store_begin(s->to, s->err) : status;
}

static enum kns_status put_row(struct salvage *s, const struct table *t, sqlite3_stmt *row,
                               sqlite3_stmt *insert)
{
    if (!is_sane(t, row)) {
        problem(s, "table %s: a row says nothing that can be", t->name);
        return KNS_OK;
    }
    sqlite3_reset(insert);
    for (int i = 0; i < t->n_columns; i++)
        sqlite3_bind_value(insert, i + 1, sqlite3_column_value(row, i + 1));
    int rc = sqlite3_step(insert);
    if (rc != SQLITE_DONE && (rc & 0xFF) != SQLITE_CONSTRAINT && (rc & 0xFF) != SQLITE_MISMATCH)
        return kns_sql_fail(s->to, "cannot write", s->err);
    if (rc != SQLITE_DONE)
        problem(s, "table %s: a row says nothing that can be", t->name);
    sqlite3_reset(insert);
    return ++s->uncommitted < ROWS_A_COMMIT ? KNS_OK : commit(s);
}

/* ---- reading past what is broken ------------------------------------------------------------------------------------- */

static bool is_broken(int rc)
{
    return rc != SQLITE_ROW && rc != SQLITE_DONE;
}

/* Whether the first row from this key on can be read, or there is none. */
static bool can_read_from(sqlite3_stmt *probe, int64_t key)
{
    sqlite3_reset(probe);
    sqlite3_bind_int64(probe, 1, key);
    int rc = sqlite3_step(probe);
    /* The whole row, with what overflows its page. */
    for (int i = 0; rc == SQLITE_ROW && i < sqlite3_column_count(probe); i++)
        if (sqlite3_column_type(probe, i) != SQLITE_NULL && sqlite3_column_blob(probe, i) == NULL &&
            sqlite3_column_bytes(probe, i) > 0)
            rc = SQLITE_CORRUPT;
    sqlite3_reset(probe);
    return !is_broken(rc);
}

/* The next key behind *key from which can be read; false: there is none. */
static bool skip_broken(struct salvage *s, const struct table *t, int64_t *key)
{
    char behind[200];
    uint64_t step = 1, most = (uint64_t)INT64_MAX - (uint64_t)*key;

    snprintf(behind, sizeof(behind), "WHERE %s >= ? ORDER BY %s LIMIT 1", t->key, t->key);
    sqlite3_stmt *probe = prepare_read(s, t, behind);
    while (probe != NULL && step <= most && !can_read_from(probe, (int64_t)((uint64_t)*key + step)))
        step *= 2;
    bool found = probe != NULL && step <= most;
    uint64_t least = step / 2; /* known to be broken */
    while (found && step - least > 1) {
        uint64_t middle = least + (step - least) / 2;
        if (can_read_from(probe, (int64_t)((uint64_t)*key + middle)))
            step = middle;
        else
            least = middle;
    }
    sqlite3_finalize(probe);
    if (found)
        *key = (int64_t)((uint64_t)*key + step);
    return found;
}

/* Copies rows until the end (SQLITE_DONE) or what cannot be read; *key follows. */
static enum kns_status copy_run(struct salvage *s, const struct table *t, sqlite3_stmt *read,
                                sqlite3_stmt *insert, int64_t *key, int *ret_rc)
{
    enum kns_status status = KNS_OK;
    int rc;

    while (status == KNS_OK && (rc = sqlite3_step(read)) == SQLITE_ROW) {
        *key = sqlite3_column_int64(read, 0);
        status = put_row(s, t, read, insert);
    }
    *ret_rc = status == KNS_OK ? rc : SQLITE_DONE;
    return status;
}

static enum kns_status copy_forwards(struct salvage *s, const struct table *t, sqlite3_stmt *insert,
                                     bool *ret_whole)
{
    char behind[200] = "";
    int64_t key = 0;
    int rc = SQLITE_DONE;

    if (t->by_number)
        snprintf(behind, sizeof(behind), "WHERE %s >= ? ORDER BY %s", t->key, t->key);
    sqlite3_stmt *read = prepare_read(s, t, behind);
    if (read == NULL) {
        problem(s, "table %s: cannot be read: %s", t->name, sqlite3_errmsg(s->from));
        return KNS_OK;
    }
    /* Keys are counted from 1 on; 0 stands for none. */
    sqlite3_bind_int64(read, 1, key);
    enum kns_status status = copy_run(s, t, read, insert, &key, &rc);
    *ret_whole = !is_broken(rc);
    while (status == KNS_OK && is_broken(rc)) {
        problem(s, "table %s: cannot be read behind row %lld", t->name, (long long)key);
        if (!t->by_number || !skip_broken(s, t, &key))
            break;
        sqlite3_reset(read);
        sqlite3_bind_int64(read, 1, key);
        status = copy_run(s, t, read, insert, &key, &rc);
    }
    sqlite3_finalize(read);
    return status;
}

static enum kns_status copy_backwards(struct salvage *s, const struct table *t,
                                      sqlite3_stmt *insert)
{
    char behind[400];
    int64_t key = 0;
    int rc;

    snprintf(behind, sizeof(behind), "ORDER BY %s", t->reverse);
    sqlite3_stmt *read = prepare_read(s, t, behind);
    enum kns_status status = read == NULL ? KNS_OK : copy_run(s, t, read, insert, &key, &rc);
    sqlite3_finalize(read);
    return status;
}

static enum kns_status copy_table(struct salvage *s, const char *name)
{
    struct table t;
    bool whole = true;
    enum kns_status status = describe(s, name, &t);

    if (status != KNS_OK || t.n_columns == 0) /* of a newer version than the old database */
        return status;
    sqlite3_stmt *insert = prepare_insert(s, &t);
    if (insert == NULL)
        return kns_sql_fail(s->to, "cannot write", s->err);
    status = copy_forwards(s, &t, insert, &whole);
    if (status == KNS_OK && !whole)
        status = copy_backwards(s, &t, insert);
    sqlite3_finalize(insert);
    return status;
}

static enum kns_status copy_tables(struct salvage *s)
{
    char names[MOST_COLUMNS][64];
    size_t n = 0;
    sqlite3_stmt *stmt = NULL;
    enum kns_status status = KNS_OK;

    if (sqlite3_prepare_v2(s->to->db,
                           "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid", -1,
                           &stmt, NULL) != SQLITE_OK)
        return kns_sql_fail(s->to, "cannot read the schema", s->err);
    while (n < MOST_COLUMNS && sqlite3_step(stmt) == SQLITE_ROW)
        if (!is_derived(kns_column(stmt, 0)))
            snprintf(names[n++], sizeof(names[0]), "%s", kns_column(stmt, 0));
    sqlite3_finalize(stmt);
    for (size_t i = 0; i < n && status == KNS_OK; i++)
        status = copy_table(s, names[i]);
    return status;
}

/* ---- what is made anew ----------------------------------------------------------------------------------------------- */

/* Rows that belong to what was lost go with it; then counts and owners follow. */
static enum kns_status mend(struct salvage *s)
{
    static const char *const orphans[] = {
        "DELETE FROM item_content WHERE item_id NOT IN (SELECT id FROM item)",
        "DELETE FROM sighting WHERE item_id NOT IN (SELECT id FROM item) OR feed_id NOT IN "
        "(SELECT id FROM feed)",
        "DELETE FROM item_tag WHERE item_id NOT IN (SELECT id FROM item)",
        "DELETE FROM feed_tag WHERE feed_id NOT IN (SELECT id FROM feed)",
        "DELETE FROM feed_url WHERE feed_id NOT IN (SELECT id FROM feed)",
        "DELETE FROM feed_access WHERE feed_id NOT IN (SELECT id FROM feed)",
        "DELETE FROM poll WHERE feed_id NOT IN (SELECT id FROM feed)",
        "DELETE FROM curated WHERE item_id NOT IN (SELECT id FROM item) OR issue_id NOT IN "
        "(SELECT id FROM item) OR feed_id NOT IN (SELECT id FROM feed)",
        "DELETE FROM issue_item WHERE issue_id NOT IN (SELECT id FROM issue)",
        "DELETE FROM issue_sent WHERE issue_id NOT IN (SELECT id FROM issue)",
        "DELETE FROM item_key WHERE item_id <> 0 AND item_id NOT IN (SELECT id FROM item)",
    };
    static const char *const mends[] = {
        "DELETE FROM mark WHERE name = 'catch up'", /* all of it is put in now */
        "INSERT OR IGNORE INTO item_content (item_id) SELECT id FROM item",
        "UPDATE item SET feed_id = coalesce((SELECT s.feed_id FROM sighting s WHERE s.item_id = "
        "item.id ORDER BY s.first_seen LIMIT 1), 0) WHERE feed_id NOT IN (SELECT id FROM feed)",
        "UPDATE sighting SET (unread, starred) = (SELECT i.read = 0, i.starred FROM item i WHERE "
        "i.id "
        "= item_id)",
        "UPDATE item_tag SET sort_at = (SELECT i.sort_at FROM item i WHERE i.id = item_id)",
        "UPDATE feed SET etag = NULL, last_modified = NULL, content_hash = NULL, items = (SELECT "
        "count(*) FROM sighting s WHERE s.feed_id = feed.id)",
    };
    enum kns_status status = KNS_OK;

    for (size_t i = 0; i < LENGTH(orphans) && status == KNS_OK; i++) {
        status = kns_sql_run(s->to, orphans[i], s->err);
        int gone = status == KNS_OK ? sqlite3_changes(s->to->db) : 0;
        if (gone > 0)
            problem(s, "%d rows belonged to what cannot be read: %.*s", gone,
                    (int)strcspn(orphans[i] + 12, " "), orphans[i] + 12);
    }
    for (size_t i = 0; i < LENGTH(mends) && status == KNS_OK; i++)
        status = kns_sql_run(s->to, mends[i], s->err);
    return status;
}

static enum kns_status put_key(struct salvage *s, int kind, int64_t scope, const char *key,
                               int64_t item_id)
{
    sqlite3_stmt *stmt = kns_sql(s->to, KEY_PUT);

    if (key == NULL)
        return KNS_OK;
    kns_bind_int(stmt, 1, kind);
    kns_bind_int(stmt, 2, scope);
    kns_bind_text(stmt, 3, key);
    kns_bind_int(stmt, 4, item_id);
    return kns_sql_do(s->to, stmt, s->err);
}

/* An item whose keys were lost is known by its URL and its guids again. */
static enum kns_status know(struct salvage *s, struct kns_arena *arena, const struct kns_item *item)
{
    sqlite3_stmt *stmt = kns_sql(s->to, KEY_OF_ITEM);
    const struct kns_item_feed *feed;

    kns_bind_int(stmt, 1, item->id);
    enum kns_status status = kns_sql_next(s->to, stmt, s->err);
    sqlite3_reset(stmt);
    if (status != KNS_ENOTFOUND)
        return status;
    const char *url = item->entry.url == NULL ? NULL : kns_url_canonical(arena, item->entry.url);
    status = put_key(s, KEY_URL, 0, url, item->id);
    if (status == KNS_OK && url != NULL)
        status = put_key(s, KEY_VARIANT, 0, kns_url_variant_key(arena, url), item->id);
    for (feed = item->feeds.first; feed != NULL && status == KNS_OK; feed = feed->next)
        status = put_key(s, KEY_GUID, feed->id, feed->guid, item->id);
    return status;
}

static enum kns_status remake_item(struct salvage *s, struct kns_arena *arena, int64_t id)
{
    struct kns_item *item = NULL;
    struct search_text text;
    int64_t owner = 0;
    enum kns_status status = kns_store_get_item(s->to, arena, id, &item, s->err);

    if (status == KNS_OK && !kns_search_text(arena, &item->entry, item->note, &text))
        status = kns_fail(s->err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        status = kns_search_add(s->to, kns_search_place(item->sort_at.unix_s, id), &text, s->err);
    if (status == KNS_OK)
        status = know(s, arena, item);
    sqlite3_stmt *stmt = kns_sql(s->to, ITEM_OWNER);
    kns_bind_int(stmt, 1, id);
    if (status == KNS_OK)
        status = kns_sql_next(s->to, stmt, s->err);
    owner = status == KNS_OK ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    if (status == KNS_OK)
        status = kns_links_put(s->to, arena, id, owner, &item->entry, item->first_seen, s->err);
    if (status == KNS_OK)
        status = kns_links_meet(s->to, arena, id, item->entry.url, s->err);
    return status == KNS_OK && ++s->uncommitted >= ROWS_A_COMMIT ? commit(s) : status;
}

static enum kns_status remake_items(struct salvage *s)
{
    struct kns_arena *arena = kns_arena_new(0);
    enum kns_status status = arena == NULL ? kns_fail(s->err, KNS_ENOMEM, "out of memory") : KNS_OK;
    int64_t id = 0;

    while (status == KNS_OK) {
        sqlite3_stmt *stmt = kns_sql(s->to, ITEM_NEXT);
        kns_bind_int(stmt, 1, id);
        status = kns_sql_next(s->to, stmt, s->err);
        if (status != KNS_OK)
            break;
        id = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
        status = remake_item(s, arena, id);
        kns_arena_reset(arena);
    }
    kns_arena_free(arena);
    if (status == KNS_ENOTFOUND)
        status = kns_sql_run(s->to, "UPDATE item SET sources = " ITEM_SOURCES, s->err);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

/* Opened without the store: what is corrupt may not even tell what it is. */
static enum kns_status open_from(const char *path, sqlite3 **ret, struct kns_error *err)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;

    if (access(path, R_OK) != 0)
        return kns_fail(err, errno == ENOENT ? KNS_ENOTFOUND : KNS_EIO, "%s: %s", path,
                        strerror(errno));
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "PRAGMA writable_schema = ON; PRAGMA cell_size_check = ON", NULL,
                          NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'item_key'",
                                -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    bool ours = rc == SQLITE_ROW && sqlite3_column_int(stmt, 0) == 1;
    enum kns_status status =
        ours ? KNS_OK
        : rc == SQLITE_ROW
            ? kns_fail(err, KNS_EVERSION, "%s: no database of KNS", path)
            : kns_fail(err, KNS_ECORRUPT, "%s: nothing of it can be read (%s): restore a backup",
                       path, db == NULL ? "out of memory" : sqlite3_errmsg(db));
    sqlite3_finalize(stmt);
    if (status != KNS_OK)
        sqlite3_close(db);
    else
        *ret = db;
    return status;
}

static enum kns_status fill(struct salvage *s)
{
    enum kns_status status = kns_sql_run(s->to, "PRAGMA foreign_keys = OFF", s->err);

    if (status == KNS_OK)
        status = kns_store_begin(s->to, s->err);
    if (status == KNS_OK)
        status = copy_tables(s);
    if (status == KNS_OK)
        status = mend(s);
    if (status == KNS_OK)
        status = remake_items(s);
    if (status == KNS_OK)
        status = kns_store_commit(s->to, s->err);
    if (status == KNS_OK)
        status = kns_sql_run(s->to, "PRAGMA foreign_keys = ON", s->err);
    return status;
}

enum kns_status kns_store_salvage(const char *from, const char *to,
                                  void (*on_problem)(void *ctx, const char *problem), void *ctx,
                                  struct kns_salvage *ret, struct kns_error *err)
{
    struct kns_store_figures figures = {0};
    struct salvage s = {.result = ret, .on_problem = on_problem, .ctx = ctx, .err = err};

    *ret = (struct kns_salvage){0};
    if (access(to, F_OK) == 0)
        return kns_fail(err, KNS_EEXIST, "%s: the file is there already", to);
    enum kns_status status = open_from(from, &s.from, err);
    if (status != KNS_OK)
        return status;
    status = kns_store_open(to, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &s.to, err);
    if (status == KNS_OK)
        status = fill(&s);
    if (status == KNS_OK)
        status = kns_store_check(s.to, on_problem, ctx, err);
    if (status == KNS_OK)
        status = kns_store_get_figures(s.to, &figures, err);
    ret->feeds = figures.feeds;
    ret->items = figures.items;
    kns_store_close(s.to);
    sqlite3_close(s.from);
    return status;
}
