/* internal.h - the store's insides: one connection, its prepared statements, and the few ways to run them.
 * Private to lib/store: the only room that includes sqlite3.h. */
#ifndef KNS_STORE_INTERNAL_H
#define KNS_STORE_INTERNAL_H

#include "lib/buf.h"
#include "lib/rules.h"
#include "lib/store.h"

#include <sqlite3.h>
#include <stdio.h>

#include "lib/store/statements.h"

/* Savepoints stand within each other at most so deep. */
#define SAVEPOINTS_MOST 8

struct kns_store {
    sqlite3 *db;
    char *path;
    int lock_fd; /* the writer's; -1: none */
    enum kns_store_mode mode;
    int schema_version;
    int savepoints;          /* open ones */
    bool own_transaction;    /* the outermost of them is one */
    struct kns_buf indexing; /* index.c: what the open transaction has for the search index */
    size_t index_marks[SAVEPOINTS_MOST];
    bool index_at_once;      /* since a transaction failed when it got there */
    int64_t reached;         /* kns_search_reached; -1: to be read when it is needed */
    struct kns_rules *rules; /* compiled; NULL: to be read when they are needed */
    struct kns_buf listed;   /* ids of the items that the document being stored lists */
    struct {
        int64_t keep, after_feed; /* the round of retention under way */
        struct kns_time began,
            since; /* of it; of the feeds that it looks at: those with items since then */
    } expiry;
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* Reports what SQLite says, with its code translated. */
enum kns_status kns_sql_fail(struct kns_store *store, const char *what, struct kns_error *err);

/* Runs SQL without parameters and results. */
enum kns_status kns_sql_run(struct kns_store *store, const char *sql, struct kns_error *err);

/* A prepared statement, reset and with nothing bound. */
sqlite3_stmt *kns_sql(struct kns_store *store, enum statement which);

/* Binding, from 1; NULL strings and empty lists bind NULL. */
void kns_bind_text(sqlite3_stmt *stmt, int at, const char *text);
void kns_bind_int(sqlite3_stmt *stmt, int at, int64_t number);

/* Runs a statement that gives no row. */
enum kns_status kns_sql_do(struct kns_store *store, sqlite3_stmt *stmt, struct kns_error *err);

/* Steps to the next row. KNS_ENOTFOUND: there is none (err is not filled). The statement is reset then. */
enum kns_status kns_sql_next(struct kns_store *store, sqlite3_stmt *stmt, struct kns_error *err);

/* A column's text, valid until the next step; NULL for NULL. And copied into an arena. */
const char *kns_column(sqlite3_stmt *stmt, int at);
const char *kns_column_copy(struct kns_arena *arena, sqlite3_stmt *stmt, int at);

/* A feed's title from a column: where the URL stands for one, without user and password. And of a text that lives long enough. */
const char *kns_column_title(struct kns_arena *arena, sqlite3_stmt *stmt, int at);
const char *kns_shown_title(struct kns_arena *arena, const char *title);

/* An atomic part inside whatever transaction is open (or one of its own): end commits when status is KNS_OK, else undoes; it returns
 * status, or why it could not commit. */
enum kns_status kns_savepoint_begin(struct kns_store *store, struct kns_error *err);
enum kns_status kns_savepoint_end(struct kns_store *store, enum kns_status status,
                                  struct kns_error *err);

/* schema.c */
extern const int kns_schema_version;
enum kns_status kns_schema_check(struct kns_store *store, bool *ret_empty, struct kns_error *err);
enum kns_status kns_schema_migrate(struct kns_store *store, struct kns_error *err);

/* search.c: the tokenizer, and a user's query as FTS5's language (in arena; NULL: no memory; "": it finds nothing). */
enum kns_status kns_search_register(struct kns_store *store, struct kns_error *err);
const char *kns_search_translate(struct kns_arena *arena, const char *query);

/* rank.c: the function that a search is sorted by */
int kns_rank_register(fts5_api *api);

/* What is searched of an entry. */
struct search_text {
    const char *title, *author, *body;
};
bool kns_search_text(struct kns_arena *arena, const struct kns_entry *entry, const char *note,
                     struct search_text *ret);
const char *kns_search_snippet(struct kns_arena *arena, const char *query,
                               const struct kns_entry *entry);

/* index.c: where an item stands in the search index: in the order of the lists, by its time and then its id. */
#define SEARCH_ID_BITS 30
#define ID_BITS "30" /* and in SQL */
#define ID_MASK "1073741823"
#define SEARCH_TIME_LEAST (-(INT64_C(1) << 33)) /* the year 1697 */
int64_t kns_search_place(int64_t sort_at, int64_t item_id);

/* An item's text comes into the search index, or leaves it as it came. Inside a transaction both wait for its end:
 * kns_search_settle writes them (outside of savepoints only), kns_search_undo forgets all behind a mark, kns_search_mark is one. */
enum kns_status kns_search_add(struct kns_store *store, int64_t place,
                               const struct search_text *text, struct kns_error *err);
enum kns_status kns_search_remove(struct kns_store *store, int64_t place,
                                  const struct search_text *text, struct kns_error *err);
enum kns_status kns_search_settle(struct kns_store *store, struct kns_error *err);
size_t kns_search_mark(const struct kns_store *store);
void kns_search_undo(struct kns_store *store, size_t mark);

/* catchup.c: below this id the items of an older database are not yet in the index; 0: all are. */
enum kns_status kns_search_reached(struct kns_store *store, int64_t *ret_id, struct kns_error *err);

/* items.c */
/* on_entry (may be NULL) hears of every entry that has an item, changed: it is new or says something else. */
struct kns_entry_hook {
    enum kns_status (*on_entry)(void *ctx, const struct kns_entry *entry, int64_t item_id,
                                bool changed, struct kns_error *err);
    void *ctx;
};
enum kns_status kns_items_store_entries(struct kns_store *store, int64_t feed_id,
                                        const struct kns_document *document, struct kns_time now,
                                        const struct kns_entry_hook *hook,
                                        struct kns_poll_result *result, struct kns_error *err);
enum kns_status kns_items_remove(struct kns_store *store, int64_t item_id, struct kns_error *err);

/* Where the search index has it. */
int64_t kns_items_place(const struct kns_item *item);

/* note: "" takes it away. It is searched too, so that the index changes with it. */
enum kns_status kns_items_set_note(struct kns_store *store, struct kns_arena *arena,
                                   const struct kns_item *item, const char *note,
                                   struct kns_error *err);

/* After a whole document was stored: what its feed listed before, and does not any more, was seen last at `last`. */
enum kns_status kns_items_note_unlisted(struct kns_store *store, int64_t feed_id,
                                        struct kns_time last, struct kns_error *err);
enum kns_status kns_items_load(struct kns_store *store, struct kns_arena *arena, sqlite3_stmt *row,
                               bool with_content, struct kns_item **ret_item,
                               struct kns_error *err);

/* rules.c: whether there are rules; what they make of an arrival, counted; what is compiled is read anew after a change. */
enum kns_status kns_store_has_rules(struct kns_store *store, bool *ret, struct kns_error *err);
enum kns_status kns_store_judge(struct kns_store *store, struct kns_arena *arena,
                                const struct kns_rule_subject *subject, struct kns_time now,
                                struct kns_rule_verdict *ret, struct kns_error *err);
void kns_store_forget_rules(struct kns_store *store);

/* links.c: what an item's entry names; that it names nothing any more (before it is removed or edited); whose words it is from now
 * on (0: nobody's); that an item of this URL is there; that it goes. */
enum kns_status kns_links_put(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                              int64_t feed_id, const struct kns_entry *entry, struct kns_time now,
                              struct kns_error *err);
enum kns_status kns_links_drop(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                               struct kns_error *err);
enum kns_status kns_links_set_feed(struct kns_store *store, int64_t item_id, int64_t feed_id,
                                   struct kns_error *err);
enum kns_status kns_links_meet(struct kns_store *store, struct kns_arena *arena, int64_t item_id,
                               const char *url, struct kns_error *err);
enum kns_status kns_links_item_goes(struct kns_store *store, int64_t item_id,
                                    struct kns_error *err);

/* newsletters.c: a poll's entries, those of a newsletter with their link items; what newsletters said of an item; the mark. */
enum kns_status kns_newsletters_store_entries(struct kns_store *store, const struct kns_feed *feed,
                                              const struct kns_document *document,
                                              struct kns_time now, struct kns_poll_result *result,
                                              struct kns_error *err);
enum kns_status kns_newsletters_load(struct kns_store *store, struct kns_arena *arena,
                                     struct kns_item *item, struct kns_error *err);
enum kns_status kns_newsletters_mark(struct kns_store *store, int64_t feed_id, bool newsletter,
                                     struct kns_error *err);

/* polls.c: events; a line of a feed's history */
enum kns_status kns_poll_write_history(struct kns_store *store, const struct kns_poll *poll,
                                       const struct kns_poll_result *result, struct kns_error *err);
enum kns_status kns_event_add(struct kns_store *store, enum kns_event_kind kind, const char *what,
                              int64_t item_id, int64_t feed_id, struct kns_time at,
                              struct kns_error *err);

#endif
