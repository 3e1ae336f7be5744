/* How long knsd takes to answer over its real socket, beside SQLite alone reading the same rows of the same file in the same run.
 *
 *     bench_query [--items N] [--rounds N]
 *
 * The reference reads the columns that the answer is made of, and makes nothing of them; its search is FTS5 with the trigram tokenizer
 * over the same texts. What lies between is the way over the socket (shown by itself: health), JSON, and sanitising. */
#include "tests/bench/daemon.h"

#include "lib/store.h"

#include <getopt.h>
#include <sqlite3.h>
#include <stdint.h>

#define FEEDS 200
#define ENTRIES 25 /* of one document */
#define RARE "外れ値"
#define COMMON "解法の解説"

static const struct kns_time start = {1600000000};
static long n_items = 100000, n_rounds = 300;

/* ---- the store that is asked ------------------------------------------------------------------------------------------- */

static void need(bool good, const char *what, const char *why)
{
    if (good)
        return;
    fprintf(stderr, "bench_query: %s: %s\n", what, why);
    exit(1);
}

static struct kns_document *document_of(long n)
{
    struct kns_document *document = kns_document_new(0);

    for (long i = 0; i < ENTRIES; i++) {
        struct kns_arena *arena = document->arena;
        struct kns_entry *entry = kns_entry_new(arena);
        long number = n * ENTRIES + i;
        entry->guid = kns_arena_printf(arena, "urn:bench:%ld", number);
        entry->url = kns_arena_printf(arena, "https://site%ld.example/%ld", n % FEEDS, number);
        entry->title = kns_arena_printf(arena, "Article %ld: " COMMON, number);
        entry->content_html = kns_arena_printf(
            arena,
            "<p>機械学習のコンペに参加した人のために、前処理と特徴量を共有します。 The solution "
            "used gradient "
            "boosting, validation and a blend; see <a "
            "href=\"https://code.example/%ld\">code</a>.%s</p>",
            number, number % 2000 == 0 ? " " RARE : "");
        entry->published.unix_s = start.unix_s + number;
        KNS_LIST_APPEND(&document->entries, entry);
    }
    return document;
}

static void fill(const char *path)
{
    struct kns_store *store = NULL;
    struct kns_error err = {0};
    struct kns_poll_result result;
    int64_t id;

    need(kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, &err) == KNS_OK,
         path, err.message);
    for (long n = 0; n < FEEDS; n++) {
        char url[64];
        snprintf(url, sizeof(url), "https://site%ld.example/feed", n);
        const struct kns_feed_edit edit = {.url = url, .set_paused = true, .paused = true};
        need(kns_store_add_feed(store, &edit, start, start, &id, &err) == KNS_OK, url, err.message);
    }
    for (long n = 0; n < n_items / ENTRIES; n++) {
        struct kns_document *document = document_of(n);
        const struct kns_poll poll = {.feed_id = 1 + n % FEEDS,
                                      .started_at = {start.unix_s + (n + 1) * ENTRIES},
                                      .http_status = 200,
                                      .health = KNS_HEALTH_OK,
                                      .document = document};
        if (n % 100 == 0)
            need(kns_store_begin(store, &err) == KNS_OK, "begin", err.message);
        need(kns_store_record_poll(store, &poll, &result, &err) == KNS_OK, "poll", err.message);
        if (n % 100 == 99 || n + 1 == n_items / ENTRIES)
            need(kns_store_commit(store, &err) == KNS_OK, "commit", err.message);
        kns_document_free(document);
    }
    kns_store_close(store);
}

/* ---- the two who are asked ------------------------------------------------------------------------------------------------ */

/* One request on a kept connection; the size of the answer's body. */
static size_t ask_daemon(int fd, const char *path)
{
    static char buffer[32 << 20];
    char request[512];
    size_t got = 0, want = 0;
    int len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: kns\r\n\r\n", path);

    need(write(fd, request, (size_t)len) == len, path, strerror(errno));
    while (want == 0 || got < want) {
        ssize_t n = read(fd, buffer + got, sizeof(buffer) - 1 - got);
        need(n > 0, path, "the connection ended");
        got += (size_t)n;
        buffer[got] = '\0';
        const char *end = want != 0 ? NULL : strstr(buffer, "\r\n\r\n");
        if (end == NULL)
            continue;
        const char *length = strcasestr(buffer, "\r\nContent-Length:");
        need(strncmp(buffer, "HTTP/1.1 200", 12) == 0 && length != NULL, path, buffer);
        want = (size_t)(end + 4 - buffer) + strtoul(length + 17, NULL, 10);
    }
    return got;
}

/* Where what was read goes, so that it is read. */
static volatile size_t bytes_read;

/* Steps through a statement and reads all its columns; how many rows. */
static long ask_sqlite(sqlite3_stmt *stmt)
{
    long rows = 0;

    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++)
            if (sqlite3_column_text(stmt, i) != NULL)
                bytes_read += (size_t)sqlite3_column_bytes(stmt, i);
        rows++;
    }
    sqlite3_reset(stmt);
    return rows;
}

static sqlite3 *open_reference(const char *path, const char *beside)
{
    sqlite3 *db = NULL;
    char sql[512];

    need(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK,
         path, "cannot be opened");
    snprintf(sql, sizeof(sql),
             "ATTACH '%s' AS beside; CREATE VIRTUAL TABLE beside.words USING fts5 (title, body, "
             "content='', tokenize='trigram'); "
             "INSERT INTO beside.words (rowid, title, body) SELECT i.id, i.detail ->> 'title', "
             "c.html FROM item i JOIN item_content c "
             "ON c.item_id = i.id",
             beside);
    int made = sqlite3_exec(db, sql, NULL, NULL, NULL);
    need(made == SQLITE_OK, "reference", sqlite3_errmsg(db));
    return db;
}

/* ---- measuring --------------------------------------------------------------------------------------------------------------- */

static int compare(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;

    return a < b ? -1 : a > b;
}

struct spread {
    double median, p95; /* ms */
};

static struct spread spread_of(double *took)
{
    qsort(took, (size_t)n_rounds, sizeof(took[0]), compare);
    return (struct spread){took[n_rounds / 2], took[n_rounds * 95 / 100]};
}

#define COLUMNS "i.id, i.sort_at, i.first_seen, i.read, i.starred, i.note, i.sources, i.detail"
#define NEWEST " ORDER BY i.sort_at DESC, i.id DESC LIMIT 50"

static const struct question {
    const char *name, *path, *sql; /* sql NULL: there is nothing to compare with */
    long rows;                     /* that SQLite must find; 0: any */
} questions[] = {
    {"health (the socket alone)", "/healthz", NULL, 0},
    {"list, 50 newest", "/v1/items?content=false", "SELECT " COLUMNS " FROM item i" NEWEST, 50},
    {"list with content", "/v1/items",
     "SELECT " COLUMNS
     ", c.html, c.text, c.summary_html FROM item i JOIN item_content c ON c.item_id = i.id" NEWEST,
     50},
    {"list of one feed", "/v1/items?content=false&feed=7",
     "SELECT " COLUMNS " FROM sighting s JOIN item i ON i.id = s.item_id WHERE s.feed_id = 7 ORDER "
     "BY s.sort_at DESC, s.item_id DESC "
     "LIMIT 50",
     50},
    {"search, a rare word", "/v1/items?content=false&q=%E5%A4%96%E3%82%8C%E5%80%A4",
     "SELECT " COLUMNS
     " FROM item i WHERE i.id IN (SELECT rowid FROM words WHERE words MATCH '" RARE "')" NEWEST,
     0},
    {"search, in every article",
     "/v1/items?content=false&q=%E8%A7%A3%E6%B3%95%E3%81%AE%E8%A7%A3%E8%AA%AC",
     "SELECT " COLUMNS " FROM (SELECT rowid FROM words WHERE words MATCH '" COMMON
     "' ORDER BY rowid DESC LIMIT 50) w JOIN item i ON "
     "i.id = w.rowid",
     50},
    {"one item", "/v1/items/4711",
     "SELECT " COLUMNS ", c.html, c.text, c.summary_html FROM item i JOIN item_content c ON "
     "c.item_id = i.id WHERE i.id = 4711",
     1},
    {"feeds, 200", "/v1/feeds", "SELECT * FROM feed", FEEDS},
    {"status", "/v1/status", NULL, 0},
};

static void measure(const struct question *q, int fd, sqlite3 *db)
{
    double *daemon = calloc((size_t)n_rounds, sizeof(double)),
           *alone = calloc((size_t)n_rounds, sizeof(double));
    sqlite3_stmt *stmt = NULL;
    size_t bytes = ask_daemon(fd, q->path);

    if (q->sql != NULL)
        need(sqlite3_prepare_v2(db, q->sql, -1, &stmt, NULL) == SQLITE_OK, q->name,
             sqlite3_errmsg(db));
    for (long i = 0; i < n_rounds; i++) {
        double began = bench_now_s();
        ask_daemon(fd, q->path);
        daemon[i] = (bench_now_s() - began) * 1e3;
        began = bench_now_s();
        long rows = stmt == NULL ? 0 : ask_sqlite(stmt);
        alone[i] = (bench_now_s() - began) * 1e3;
        need(stmt == NULL || (q->rows == 0 ? rows > 0 : rows == q->rows), q->name,
             "SQLite found other rows");
    }
    struct spread d = spread_of(daemon), s = spread_of(alone);
    printf("%-26s %8.3f %8.3f ", q->name, d.median, d.p95);
    if (stmt != NULL)
        printf("%8.3f %8.3f %7.1f ", s.median, s.p95, d.median / s.median);
    else
        printf("%8s %8s %7s ", "", "", "");
    printf("%9zu\n", bytes);
    fflush(stdout);
    sqlite3_finalize(stmt);
    free(daemon);
    free(alone);
}

static void read_arguments(int argc, char **argv)
{
    static const struct option options[] = {
        {"items", required_argument, NULL, 'i'}, {"rounds", required_argument, NULL, 'r'}, {0}};
    int which;

    while ((which = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (which == 'i')
            n_items = atol(optarg);
        else if (which == 'r')
            n_rounds = atol(optarg);
        else
            exit(2);
    }
    need(n_items >= 10000 && n_rounds >= 10, "arguments", "at least 10000 items and 10 rounds");
}

int main(int argc, char **argv)
{
    struct bench_daemon knsd;
    struct rusage usage;
    char path[80], beside[80];

    read_arguments(argc, argv);
    bench_daemon_init(&knsd);
    snprintf(path, sizeof(path), "%s/kns.db", knsd.state);
    snprintf(beside, sizeof(beside), "%s/words.db", knsd.dir);
    need(mkdir(knsd.state, 0700) == 0, knsd.state, strerror(errno));
    fill(path);
    bench_daemon_start(&knsd, "[daemon]\nlog_level = error\n");
    sqlite3 *db = open_reference(path, beside);
    int fd = bench_connect(&knsd);
    printf("%ld items, %ld rounds; ms      knsd                SQLite alone\n", n_items, n_rounds);
    printf("%-26s %8s %8s %8s %8s %7s %9s\n", "", "median", "p95", "median", "p95", "ratio",
           "bytes");
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        measure(&questions[i], fd, db);
    close(fd);
    sqlite3_close(db);
    bench_daemon_stop(&knsd, &usage);
    printf("knsd: %.1f MB at most\n", (double)usage.ru_maxrss / 1024);
    return 0;
}
