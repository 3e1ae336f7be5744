/* How fast the store takes items in and answers, empty and full, beside what bare SQLite does with the same rows in the same run.
 *
 *     bench_store [--items N] [--feeds N] [--db FILE]
 *
 * Every list is asked of a store of a hundredth as many items as well: what grows with the number of items shows. With --db, the
 * store is kept there; one that is there already is asked only. What is inserted to be measured has text of some length; what only fills
 * the store between is short. A second is one of the clock and, behind it, one of the processor: on a busy machine they differ. */
#include "lib/store.h"

#include "lib/buf.h"

#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES 20       /* of one document */
#define POLLS_A_GROUP 32 /* that become durable together */
#define QUERY_ROUNDS 25
#define PROGRESS_S 30
#define SHARED_EVERY 4  /* documents: one that begins with an article of the document before */
#define BIG_EVERY 10    /* documents: one is of feed 1 */
#define DEAD_EVERY 20   /* feeds: one that nothing came of since the first tenth */
#define UNREAD_EVERY 20 /* items: one stays unread, but of feed 1 none */
#define STARRED_EVERY 2000
#define TAGGED_EVERY 5000
#define ARTICLE_S 15     /* between two articles */
#define WORDS 12         /* of a vocabulary, in a short article */
#define VOCABULARY 20000 /* words; the nth is about n times as rare as the first */

static const struct kns_time start = {1600000000};

static const char text[] =
    "<p>前処理と特徴量の解法を共有します。 The winning solution of the competition used gradient "
    "boosting, careful validation and a blend of several models; "
    "機械学習のコンペに参加した人のために、"
    " code and notes are linked below, together with what did not work and why.</p>";

/* What a store is filled with: the first tenth is what feeds listed when they were subscribed to, in no order of time; the rest came as it
 * was published, most of it within hours, some after months. */
struct filling {
    long items, feeds;
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void need(enum kns_status status, const char *what, const struct kns_error *err)
{
    if (status == KNS_OK)
        return;
    fprintf(stderr, "bench_store: %s: %s\n", what, err->message);
    exit(1);
}

static uint64_t scatter(uint64_t number)
{
    number = (number ^ (number >> 31)) * UINT64_C(0x7fb5d329728ea185);
    number = (number ^ (number >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
    return number ^ (number >> 33);
}

static struct kns_time polled_at(long n)
{
    return (struct kns_time){start.unix_s + (n + 1) * ENTRIES * ARTICLE_S};
}

static struct kns_time published_at(const struct filling *filling, long number)
{
    static const int64_t late[] = {7200, 30 * 86400, 365 * 86400};
    uint64_t dice = scatter((uint64_t)number), kind = dice % 100;
    int64_t now = polled_at(number / ENTRIES).unix_s;

    if (number < filling->items / 10)
        return (struct kns_time){start.unix_s - (int64_t)(dice / 100 % 100000000)};
    return (struct kns_time){now - (int64_t)(dice / 100) % late[kind < 80 ? 0 : kind < 99 ? 1 : 2]};
}

/* The nth word of the vocabulary. */
static void add_word(struct kns_buf *out, unsigned n)
{
    static const char *const parts[] = {"ba", "ke", "lo", "mi", "nu", "ra", "se", "to", "vi", "zu"};

    kns_buf_addc(out, ' ');
    for (n += 100; n > 0; n /= 10)
        kns_buf_adds(out, parts[n % 10]);
}

static char *words_of(struct kns_arena *arena, long number)
{
    struct kns_buf out = {0};

    for (int i = 0; i < WORDS; i++) {
        uint64_t dice = scatter((uint64_t)number * WORDS + (uint64_t)i + 1);
        add_word(&out, (unsigned)exp((double)(dice % 1000000) / 1e6 * log(VOCABULARY)));
    }
    char *words = kns_arena_copy(arena, out.data, out.len);
    kns_buf_fini(&out);
    return words;
}

/* What searches are measured by. */
static const char *marks_of(const struct filling *filling, struct kns_arena *arena, long number)
{
    return kns_arena_printf(
        arena, "%s%s%s%s%s", number % 50 == 0 ? " 外れ値" : "", number % 1000 == 1 ? " 蒸留" : "",
        number % 10 == 2 ? " gradient boosting" : "", number % 7 == 3 ? " boosting gradient" : "",
        number < filling->items / 20 && number % 5 == 4 ? " 昔話" : "");
}

/* An article names an address of its own and one of a thousand. */
static void add_article(struct kns_document *document, const struct filling *filling, long number,
                        long site, bool full)
{
    struct kns_arena *arena = document->arena;
    struct kns_entry *entry = kns_entry_new(arena);

    entry->guid = kns_arena_printf(arena, "urn:bench:%ld", number);
    entry->url = kns_arena_printf(arena, "https://site%ld.example/articles/%ld", site, number);
    entry->title = kns_arena_printf(arena, "Article %ld: 解法の解説", number);
    entry->content_html =
        kns_arena_printf(arena,
                         "%s<p>%s%s <a href=\"https://code.example/%ld\">code</a>, <a "
                         "href=\"https://tool.example/%ld\">tool</a></p>",
                         full ? text : "", words_of(arena, number),
                         marks_of(filling, arena, number), number, number % 1000);
    entry->published = published_at(filling, number);
    KNS_LIST_APPEND(&document->entries, entry);
}

/* The nth document: ENTRIES articles that nobody has seen, and now and then one that the document before had. */
static struct kns_document *document_of(const struct filling *filling, long n, bool full)
{
    struct kns_document *document = kns_document_new(0);

    for (int i = ENTRIES - 1; i >= 0; i--)
        add_article(document, filling, n * ENTRIES + i, n % 997, full);
    if (n % SHARED_EVERY == 1)
        add_article(document, filling, (n - 1) * ENTRIES, (n - 1) % 997, full);
    return document;
}

static int64_t feed_of(const struct filling *filling, long n)
{
    long feed = n % BIG_EVERY == 0 ? 1 : 1 + n % filling->feeds;

    return feed % DEAD_EVERY == 0 && n * ENTRIES > filling->items / 10 ? feed - 1 : feed;
}

static void poll_feed(struct kns_store *store, const struct filling *filling, long n, bool full)
{
    struct kns_poll_result result;
    struct kns_error err = {0};
    struct kns_document *document = document_of(filling, n, full);
    const struct kns_poll poll = {.feed_id = feed_of(filling, n),
                                  .started_at = polled_at(n),
                                  .http_status = 200,
                                  .health = KNS_HEALTH_OK,
                                  .schedule = {.etag = "\"v\""},
                                  .document = document};

    need(kns_store_record_poll(store, &poll, &result, &err), "poll", &err);
    kns_document_free(document);
}

struct speed {
    double wall, cpu; /* items a second */
};

static struct speed speed_of(long documents, double wall, double cpu)
{
    double items = (double)documents * ENTRIES;

    return (struct speed){items / (now_s() - wall), items / (cpu_s() - cpu)};
}

/* Marks what came since it was last asked: most has been read, few is starred, fewer tagged. By SQL, since one by one is what nobody
 * waits for. */
struct marker {
    sqlite3 *db;
    sqlite3_int64 done; /* the last item that it looked at */
};

static void mark(struct marker *marker)
{
    sqlite3 *db = marker->db;
    long long done = marker->done;
    char sql[1000];

    snprintf(sql, sizeof(sql),
             "BEGIN;"
             "UPDATE item SET read = 1 WHERE id > %lld AND (id %% %d <> 0 OR feed_id = 1);"
             "UPDATE item SET starred = 1 WHERE id > %lld AND id %% %d = 0 AND feed_id <> 1;"
             "INSERT INTO item_tag (item_id, tag, sort_at) SELECT id, 'later', sort_at FROM item "
             "WHERE id > %lld AND id %% %d = 0;"
             "COMMIT",
             done, UNREAD_EVERY, done, STARRED_EVERY, done, TAGGED_EVERY);
    sqlite3_stmt *last = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT coalesce(max(id), 0) FROM item", -1, &last, NULL) !=
            SQLITE_OK ||
        sqlite3_step(last) != SQLITE_ROW) {
        fprintf(stderr, "bench_store: marking: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    marker->done = sqlite3_column_int64(last, 0);
    sqlite3_finalize(last);
}

static struct marker open_marker(const char *path)
{
    struct marker marker = {0};

    if (sqlite3_open(path, &marker.db) != SQLITE_OK ||
        sqlite3_exec(marker.db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) != SQLITE_OK)
        exit(1);
    return marker;
}

/* Inserts the documents from..to, and marks them where a second connection is given. */
static struct speed insert(struct kns_store *store, const struct filling *filling, long from,
                           long to, bool full, struct marker *marker)
{
    struct kns_error err = {0};
    double wall = now_s(), cpu = cpu_s(), said = wall;

    for (long n = from; n < to;) {
        need(kns_store_begin(store, &err), "begin", &err);
        for (int i = 0; i < POLLS_A_GROUP && n < to; i++, n++)
            poll_feed(store, filling, n, full);
        need(kns_store_commit(store, &err), "commit", &err);
        if (marker != NULL)
            mark(marker);
        if (now_s() - said > PROGRESS_S) {
            said = now_s();
            fprintf(stderr, "bench_store: %ld items, %.0f a second\n", n * ENTRIES,
                    (double)(n - from) * ENTRIES / (said - wall));
        }
    }
    return speed_of(to - from, wall, cpu);
}

/* The reference: the same strings into one table with a unique URL, as many in a transaction. */
static struct speed insert_bare(const char *path, const struct filling *filling, long documents)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    double wall = now_s(), cpu = cpu_s();

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
        struct kns_document *document = document_of(filling, n, true);
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
    return speed_of(documents, wall, cpu);
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

/* The first answer is of a store just opened whose file the system has forgotten, as far as it forgets. */
static void report(const char *name, double *took, long items)
{
    double cold = took[0];

    qsort(took + 1, QUERY_ROUNDS - 1, sizeof(took[0]), compare);
    printf("%-28s %9.2f ms cold %8.2f ms median %8.2f ms worst (%ld items)\n", name, cold,
           took[1 + (QUERY_ROUNDS - 1) / 2], took[QUERY_ROUNDS - 1], items);
    fflush(stdout);
}

static struct kns_store *open_store(const char *path, bool durable);

static struct kns_store *open_cold(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        exit(1);
    close(fd);
    return open_store(path, true);
}

/* A page of 50, walked page after page from a cursor on. */
static void ask_from(const char *path, const char *name, struct kns_item_query query,
                     const char *from)
{
    struct kns_store *store = open_cold(path);
    double took[QUERY_ROUNDS];
    char cursor[100];
    long items = 0;

    snprintf(cursor, sizeof(cursor), "%s", from);
    for (int i = 0; i < QUERY_ROUNDS; i++) {
        struct kns_arena *arena = kns_arena_new(0);
        struct kns_error err = {0};
        const char *next = NULL;
        double began = now_s();
        query.cursor = *cursor == '\0' ? NULL : cursor;
        need(kns_store_query_items(store, arena, &query, count_item, &items, &next, &err), name,
             &err);
        took[i] = (now_s() - began) * 1e3;
        snprintf(cursor, sizeof(cursor), "%s", next == NULL ? from : next);
        kns_arena_free(arena);
    }
    report(name, took, items);
    kns_store_close(store);
}

static void ask(const char *path, const char *name, struct kns_item_query query)
{
    ask_from(path, name, query, "");
}

static bool count_link(void *ctx, const struct kns_named_link *link)
{
    (void)ctx;
    (void)link;
    return true;
}

static void ask_links(struct kns_store *store)
{
    double took[QUERY_ROUNDS];

    for (int i = 0; i < QUERY_ROUNDS; i++) {
        struct kns_arena *arena = kns_arena_new(0);
        struct kns_error err = {0};
        const char *next = NULL;
        double began = now_s();
        need(kns_store_query_links(store, arena, &(struct kns_link_query){.since = start},
                                   count_link, NULL, &next, &err),
             "links", &err);
        took[i] = (now_s() - began) * 1e3;
        kns_arena_free(arena);
    }
    report("links", took, 0);
}

static void ask_figures(struct kns_store *store)
{
    double took[QUERY_ROUNDS];
    struct kns_store_figures figures = {0};

    for (int i = 0; i < QUERY_ROUNDS; i++) {
        double began = now_s();
        kns_store_get_figures(store, &figures, NULL);
        took[i] = (now_s() - began) * 1e3;
    }
    report("figures", took, (long)figures.items);
}

static void ask_all(const char *path)
{
    static const int64_t feeds[] = {8, 9, 10}, big[] = {1};

    ask(path, "list", (struct kns_item_query){0});
    ask(path, "list --sort old", (struct kns_item_query){.sort = KNS_SORT_OLD});
    ask(path, "list --sort seen", (struct kns_item_query){.sort = KNS_SORT_SEEN});
    ask(path, "list --sort sources", (struct kns_item_query){.sort = KNS_SORT_SOURCES});
    ask(path, "list --feed, small", (struct kns_item_query){.feeds = feeds, .n_feeds = 1});
    ask(path, "list --feed, a tenth", (struct kns_item_query){.feeds = big, .n_feeds = 1});
    ask(path, "list --feed, three", (struct kns_item_query){.feeds = feeds, .n_feeds = 3});
    ask(path, "list --tag, of one feed", (struct kns_item_query){.tag = "rare"});
    ask(path, "list --tag, of a tenth", (struct kns_item_query){.tag = "tenth"});
    ask(path, "list --tag, of half", (struct kns_item_query){.tag = "half"});
    ask(path, "list --unread", (struct kns_item_query){.unread = true});
    ask(path, "list --starred", (struct kns_item_query){.starred = true});
    ask(path, "list --unread --feed",
        (struct kns_item_query){.unread = true, .feeds = big, .n_feeds = 1});
    ask(path, "list --starred --feed",
        (struct kns_item_query){.starred = true, .feeds = big, .n_feeds = 1});
    ask(path, "list --starred --tag", (struct kns_item_query){.starred = true, .tag = "tenth"});
    ask(path, "list --tag, dead feeds", (struct kns_item_query){.tag = "dead"});
    ask(path, "list --tag, tagged items", (struct kns_item_query){.tag = "later"});
    ask(path, "list --unread --tag", (struct kns_item_query){.unread = true, .tag = "tenth"});
    ask(path, "list --unread --starred", (struct kns_item_query){.unread = true, .starred = true});
    char deep[60];
    snprintf(deep, sizeof(deep), "1.%lld.1", (long long)start.unix_s - 50000000);
    ask_from(path, "list, a page deep inside", (struct kns_item_query){0}, deep);
    ask_from(path, "search, deep inside", (struct kns_item_query){.q = "外れ値"}, deep);
    ask(path, "list --min-sources 2", (struct kns_item_query){.min_sources = 2});
    ask(path, "list --min-sources 9", (struct kns_item_query){.min_sources = 9});
    ask(path, "search, one article", (struct kns_item_query){.q = "\"Article 4711\""});
    ask(path, "search, one in fifty", (struct kns_item_query){.q = "外れ値"});
    ask(path, "search, one in a thousand", (struct kns_item_query){.q = "蒸留"});
    ask(path, "search, all articles", (struct kns_item_query){.q = "解法"});
    ask(path, "search, one character", (struct kns_item_query){.q = "解"});
    ask(path, "search, old articles only", (struct kns_item_query){.q = "昔話"});
    ask(path, "search, phrase", (struct kns_item_query){.q = "\"gradient boosting\""});
    ask(path, "search, two words", (struct kns_item_query){.q = "外れ値 boosting"});
    ask(path, "search, without a word", (struct kns_item_query){.q = "boosting -gradient"});
    ask(path, "search, either word", (struct kns_item_query){.q = "蒸留 OR 外れ値"});
    ask(path, "search, title:", (struct kns_item_query){.q = "title:解説"});
    ask(path, "search, prefix", (struct kns_item_query){.q = "boost*"});
    ask(path, "search --unread", (struct kns_item_query){.q = "外れ値", .unread = true});
    ask(path, "search --starred", (struct kns_item_query){.q = "外れ値", .starred = true});
    ask(path, "search --feed",
        (struct kns_item_query){.q = "外れ値", .feeds = feeds, .n_feeds = 1});
    ask(path, "search --tag", (struct kns_item_query){.q = "外れ値", .tag = "tenth"});
    ask(path, "search --since",
        (struct kns_item_query){.q = "外れ値", .since.unix_s = start.unix_s + 86400});
    ask(path, "search by rank, 1/50",
        (struct kns_item_query){.q = "外れ値", .sort = KNS_SORT_RANK});
    ask(path, "search by rank, all", (struct kns_item_query){.q = "解法", .sort = KNS_SORT_RANK});
    struct kns_store *store = open_cold(path);
    ask_links(store);
    ask_figures(store);
    kns_store_close(store);
}

static void subscribe(struct kns_store *store, long n_feeds)
{
    static const struct {
        const char *tag;
        long every, at;
    } kinds[] = {{"rare", 0, 7}, {"tenth", 10, 3}, {"half", 2, 0}, {"dead", DEAD_EVERY, 19}};
    struct kns_error err = {0};

    need(kns_store_begin(store, &err), "begin", &err);
    for (long i = 0; i < n_feeds; i++) {
        struct kns_string nodes[4];
        struct kns_strings tags = {0};
        char url[80];
        int64_t id;
        snprintf(url, sizeof(url), "https://site.example/feeds/%ld", i);
        for (size_t k = 0; k < 4; k++) {
            nodes[k].value = kinds[k].tag;
            if (kinds[k].every == 0 ? i == kinds[k].at : i % kinds[k].every == kinds[k].at)
                KNS_LIST_APPEND(&tags.list, &nodes[k]);
        }
        const struct kns_feed_edit edit = {.url = url, .tags = &tags};
        need(kns_store_add_feed(store, &edit, start, start, &id, &err), "subscribe", &err);
    }
    need(kns_store_commit(store, &err), "commit", &err);
}

static struct kns_store *open_store(const char *path, bool durable)
{
    struct kns_store *store = NULL;
    struct kns_error err = {0};

    need(kns_store_open(path, KNS_STORE_WRITER,
                        durable ? KNS_STORE_SYNC_FULL : KNS_STORE_SYNC_NORMAL, &store, &err),
         "open", &err);
    return store;
}

static void say_speed(const char *name, struct speed speed)
{
    printf("%-26s %8.0f items/s %8.0f items/s of CPU\n", name, speed.wall, speed.cpu);
    fflush(stdout);
}

/* How many documents a store has: a fill that was stopped goes on. */
static long documents_in(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    long items = 0;

    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT seq FROM sqlite_sequence WHERE name = 'item'", -1, &stmt,
                           NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        items = (long)sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return items / ENTRIES;
}

/* What is only filled need not survive a power cut. */
static void fill(const char *path, const struct filling *filling, long to)
{
    bool there = access(path, F_OK) == 0;
    long from = there ? documents_in(path) : 0;
    struct kns_store *store = open_store(path, false);

    if (!there)
        subscribe(store, filling->feeds);
    struct marker marker = open_marker(path);
    marker.done = from * ENTRIES;
    if (from < to) {
        struct speed speed = insert(store, filling, from, to, false, &marker);
        if (to - from >= 5000)
            say_speed("insert, short ones", speed);
    }
    kns_store_close(store);
    sqlite3_close(marker.db);
}

/* The speed at the end of the big store beside that of an empty one, one after the other in the same hour. */
static void measure_inserting(const char *path, const char *empty_path, const char *bare,
                              const struct filling *filling)
{
    long all = filling->items / ENTRIES;
    long measured = filling->items < 1000000 ? 1000 : 5000; /* documents at either end */
    struct kns_store *store = open_store(empty_path, true);

    subscribe(store, filling->feeds);
    struct speed empty = insert(store, filling, 0, measured, true, NULL);
    kns_store_close(store);
    say_speed("insert, empty store", empty);
    say_speed("bare SQLite, same strings", insert_bare(bare, filling, measured));
    fill(path, filling, all - measured);
    store = open_store(path, true);
    struct speed end = insert(store, filling, all - measured, all, true, NULL);
    kns_store_close(store);
    say_speed("insert, full store", end);
    printf("full beside empty          %8.2f         %8.2f\n", end.wall / empty.wall,
           end.cpu / empty.cpu);
    struct marker marker = open_marker(path);
    marker.done = (all - measured) * ENTRIES;
    mark(&marker);
    sqlite3_close(marker.db);
}

static void ask_store(const char *path, const char *what)
{
    struct stat st;

    stat(path, &st);
    printf("-- %s: %.2f GB\n", what, (double)st.st_size / 1e9);
    ask_all(path);
}

static void read_options(int argc, char **argv, long *items, long *feeds, const char **db)
{
    static const struct option names[] = {{"items", required_argument, NULL, 'i'},
                                          {"feeds", required_argument, NULL, 'f'},
                                          {"db", required_argument, NULL, 'd'},
                                          {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'i')
            *items = atol(optarg);
        else if (option == 'f')
            *feeds = atol(optarg);
        else if (option == 'd')
            *db = optarg;
        else
            exit(2);
    }
    if (optind < argc || *items < 40000 || *feeds < 20) {
        fprintf(stderr, "usage: bench_store [--items N (40000 or more)] [--feeds N (20 or more)] "
                        "[--db FILE]\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    long items = 100000, n_feeds = 1000;
    char dir[] = "/tmp/kns-bench-XXXXXX", path[64], small[64], bare[64], empty[64], command[64];
    const char *db = NULL;

    read_options(argc, argv, &items, &n_feeds, &db);
    if (mkdtemp(dir) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/kns.db", dir);
    snprintf(small, sizeof(small), "%s/small.db", dir);
    snprintf(bare, sizeof(bare), "%s/bare.db", dir);
    snprintf(empty, sizeof(empty), "%s/empty.db", dir);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    const struct filling filling = {items, n_feeds};
    const struct filling few = {items / 100 < 10000 ? 10000 : items / 100,
                                n_feeds / 10 < 20 ? 20 : n_feeds / 10};
    if (db == NULL || access(db, F_OK) != 0 || documents_in(db) < items / ENTRIES)
        measure_inserting(db == NULL ? path : db, empty, bare, &filling);
    fill(small, &few, few.items / ENTRIES);
    ask_store(small, "a hundredth of the items (10000 at least)");
    ask_store(db == NULL ? path : db, "all of them");
    return system(command) == 0 ? 0 : 1;
}
