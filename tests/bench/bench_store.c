/* How fast the store takes items in and answers, empty and full, beside what bare SQLite does with the same rows in the same
 * run: bench_store [ITEMS [FEEDS]] */
#include "lib/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES 20       /* of one document */
#define POLLS_A_GROUP 32 /* that become durable together */
#define MEASURED 20000   /* items at either end whose speed is compared */
#define QUERY_ROUNDS 25

static const struct kns_time start = {1600000000};

static const char text[] =
    "<p>前処理と特徴量の解法を共有します。 The winning solution of the competition used gradient "
    "boosting, careful validation and a blend of several models; "
    "機械学習のコンペに参加した人のために、"
    " code and notes are linked below, together with what did not work and why.</p>";

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(enum kns_status status, const char *what, const struct kns_error *err)
{
    if (status == KNS_OK)
        return;
    fprintf(stderr, "bench_store: %s: %s\n", what, err->message);
    exit(1);
}

/* The nth document: ENTRIES articles that nobody has seen. */
static struct kns_document *document_of(long n)
{
    struct kns_document *document = kns_document_new(0);

    for (int i = 0; i < ENTRIES; i++) {
        struct kns_arena *arena = document->arena;
        struct kns_entry *entry = kns_entry_new(arena);
        long number = n * ENTRIES + i;
        entry->guid = kns_arena_printf(arena, "urn:bench:%ld", number);
        entry->url =
            kns_arena_printf(arena, "https://site%ld.example/articles/%ld", n % 997, number);
        entry->title = kns_arena_printf(arena, "Article %ld: 解法の解説", number);
        entry->content_html = text;
        entry->published.unix_s = start.unix_s + number;
        KNS_LIST_APPEND(&document->entries, entry);
    }
    return document;
}

static void poll_feed(struct kns_store *store, int64_t feed, long n)
{
    struct kns_poll_result result;
    struct kns_error err = {0};
    struct kns_document *document = document_of(n);
    const struct kns_poll poll = {.feed_id = feed,
                                  .started_at = {start.unix_s + (n + 1) * ENTRIES},
                                  .http_status = 200,
                                  .health = KNS_HEALTH_OK,
                                  .schedule = {.etag = "\"v\""},
                                  .document = document};

    need(kns_store_record_poll(store, &poll, &result, &err), "poll", &err);
    kns_document_free(document);
}

/* Items a second over the documents from..to. */
static double insert(struct kns_store *store, long n_feeds, long from, long to)
{
    struct kns_error err = {0};
    double began = now_s();

    for (long n = from; n < to;) {
        need(kns_store_begin(store, &err), "begin", &err);
        for (int i = 0; i < POLLS_A_GROUP && n < to; i++, n++)
            poll_feed(store, 1 + n % n_feeds, n);
        need(kns_store_commit(store, &err), "commit", &err);
    }
    return (double)(to - from) * ENTRIES / (now_s() - began);
}

/* The reference: the same strings into one table with a unique URL, as many in a transaction. */
static double insert_bare(const char *path, long documents)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    double began = now_s();

    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(
            db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id "
            "INTEGER PRIMARY KEY, url TEXT UNIQUE, guid TEXT, title TEXT, content TEXT); BEGIN",
            NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "INSERT INTO t (url, guid, title, content) VALUES (?, ?, ?, ?)", -1,
                           &stmt, NULL) != SQLITE_OK)
        exit(1);
    for (long n = 0; n < documents; n++) {
        struct kns_document *document = document_of(n);
        const struct kns_entry *entry;
        if (n % POLLS_A_GROUP == POLLS_A_GROUP - 1)
            sqlite3_exec(db, "COMMIT; BEGIN", NULL, NULL, NULL);
        KNS_LIST_EACH(entry, &document->entries)
        {
            const char *const values[] = {entry->url, entry->guid, entry->title,
                                          entry->content_html};
            for (int i = 0; i < 4; i++)
                sqlite3_bind_text(stmt, i + 1, values[i], -1, SQLITE_STATIC);
            sqlite3_step(stmt);
            sqlite3_reset(stmt);
        }
        kns_document_free(document);
    }
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return (double)documents * ENTRIES / (now_s() - began);
}

static bool count_item(void *ctx, const struct kns_item *item)
{
    (void)item;
    ++*(long *)ctx;
    return true;
}

static int compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return a < b ? -1 : a > b;
}

/* Median and worst of a page of 50, walked page after page. */
static void ask(struct kns_store *store, const char *name, struct kns_item_query query)
{
    double took[QUERY_ROUNDS];
    char cursor[100] = "";
    long items = 0;

    for (int i = 0; i < QUERY_ROUNDS; i++) {
        struct kns_arena *arena = kns_arena_new(0);
        struct kns_error err = {0};
        const char *next = NULL;
        double began = now_s();
        query.cursor = *cursor == '\0' ? NULL : cursor;
        need(kns_store_query_items(store, arena, &query, count_item, &items, &next, &err), name,
             &err);
        took[i] = (now_s() - began) * 1e3;
        snprintf(cursor, sizeof(cursor), "%s", next == NULL ? "" : next);
        kns_arena_free(arena);
    }
    qsort(took, QUERY_ROUNDS, sizeof(took[0]), compare);
    printf("%-26s %8.2f ms median %8.2f ms worst (%ld items)\n", name, took[QUERY_ROUNDS / 2],
           took[QUERY_ROUNDS - 1], items);
    fflush(stdout);
}

static void ask_all(struct kns_store *store)
{
    static const int64_t feeds[] = {8, 9, 10};

    ask(store, "list", (struct kns_item_query){0});
    ask(store, "list --feed", (struct kns_item_query){.feeds = feeds, .n_feeds = 1});
    ask(store, "list --feed, three", (struct kns_item_query){.feeds = feeds, .n_feeds = 3});
    ask(store, "list --tag, of one feed", (struct kns_item_query){.tag = "rare"});
    ask(store, "list --unread", (struct kns_item_query){.unread = true});
    ask(store, "search, one article", (struct kns_item_query){.q = "\"Article 4711\""});
}

static void subscribe(struct kns_store *store, long n_feeds)
{
    struct kns_string rare = {.value = "rare"};
    const struct kns_strings tags = {.list = {&rare, &rare, 1}};
    struct kns_error err = {0};

    need(kns_store_begin(store, &err), "begin", &err);
    for (long i = 0; i < n_feeds; i++) {
        char url[80];
        int64_t id;
        snprintf(url, sizeof(url), "https://site.example/feeds/%ld", i);
        const struct kns_feed_edit edit = {.url = url, .tags = i == 7 ? &tags : NULL};
        need(kns_store_add_feed(store, &edit, start, start, &id, &err), "subscribe", &err);
    }
    need(kns_store_commit(store, &err), "commit", &err);
}

int main(int argc, char **argv)
{
    long items = argc > 1 ? atol(argv[1]) : 100000, n_feeds = argc > 2 ? atol(argv[2]) : 1000;
    char dir[] = "/tmp/kns-bench-XXXXXX", path[64], bare[64], command[64];
    struct kns_store *store = NULL;
    struct kns_error err = {0};
    long measured = MEASURED / ENTRIES, all = items / ENTRIES;

    if (items < 2 * MEASURED || n_feeds < 10 || mkdtemp(dir) == NULL) {
        fprintf(stderr, "usage: bench_store [ITEMS (%d or more) [FEEDS (10 or more)]]\n",
                2 * MEASURED);
        return 2;
    }
    snprintf(path, sizeof(path), "%s/kns.db", dir);
    snprintf(bare, sizeof(bare), "%s/bare.db", dir);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    need(kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_FULL, &store, &err), "open", &err);
    subscribe(store, n_feeds);
    double empty = insert(store, n_feeds, 0, measured);
    printf("insert, empty store        %8.0f items/s\n", empty);
    printf("bare SQLite, same strings  %8.0f items/s\n", insert_bare(bare, measured));
    fflush(stdout);
    insert(store, n_feeds, measured, all - measured);
    double full = insert(store, n_feeds, all - measured, all);
    printf("insert at %9ld items %8.0f items/s (%.2f of empty)\n", items, full, full / empty);
    ask_all(store);
    kns_store_close(store);
    return system(command) == 0 ? 0 : 1;
}
