/* SIGKILL under load, at random instants: what was acknowledged is there, every article is there once, and no validator speaks of
 * items that are not. KNS_CRASHES says how often (50; hundreds take minutes). */
#include "lib/parse.h"
#include "lib/store.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define FEEDS 6
#define WINDOW 8 /* entries of a document; each version has one more and one fewer than the last */
#define DEFAULT_CRASHES 50

static const struct kns_time now = {1700000000};

/* What the writing process has acknowledged, as a client would have been told. */
struct acknowledged {
    int version[FEEDS]; /* of each feed's document */
    int starred;        /* items with smaller ids are starred */
    volatile int stage; /* how far this process has come */
};

enum { BEGUN, OPEN, COMMITTED, STAGES };

static struct acknowledged *shared;
static char path[96];

/* ---- the process that writes ---------------------------------------------------------------------------------------- */

static void poll(struct kns_store *store, int feed, int version)
{
    char rss[8192], etag[32];
    struct kns_document *document = NULL;
    struct kns_poll_result result;
    size_t at = (size_t)snprintf(rss, sizeof(rss), "<rss version='2.0'><channel><title>T</title>");

    for (int i = version + WINDOW - 1; i >= version; i--)
        at += (size_t)snprintf(
            rss + at, sizeof(rss) - at,
            "<item><title>%d-%d</title><link>http://s/%d/%d</link><description>"
            "解法 &lt;a href='http://x/%d'&gt;x&lt;/a&gt; %0300d</description></item>",
            feed, i, feed, i, i % 5, i);
    snprintf(rss + at, sizeof(rss) - at, "</channel></rss>");
    if (kns_parse(NULL, rss, strlen(rss), &document, NULL) != KNS_OK)
        _exit(2);
    snprintf(etag, sizeof(etag), "%d", version);
    const struct kns_poll record = {
        .feed_id = feed + 1,
        .started_at = {now.unix_s + version},
        .outcome = KNS_POLL_NEW_DOCUMENT,
        .http_status = 200,
        .health = KNS_HEALTH_OK,
        .schedule = {.next_poll_at = now, .etag = etag, .entries_per_day = -1},
        .document = document};
    if (kns_store_record_poll(store, &record, &result, NULL) != KNS_OK)
        _exit(3);
    kns_document_free(document);
}

/* Groups of polls and marks, each acknowledged after its commit, until it is killed. */
static void write_on(const int *versions)
{
    struct kns_store *store = NULL;
    int next[FEEDS], starred = shared->starred;

    memcpy(next, versions, sizeof(next));
    if (kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, NULL) != KNS_OK)
        _exit(1);
    shared->stage = OPEN;
    for (unsigned n = 0;; n++) {
        if (kns_store_begin(store, NULL) != KNS_OK)
            _exit(4);
        for (unsigned i = 0; i <= n % FEEDS; i++)
            poll(store, (int)i, next[i]++);
        const struct kns_item_edit edit = {.set_starred = true, .starred = true, .note = "n"};
        if (n % 3 == 0 && kns_store_edit_item(store, ++starred, &edit, now, NULL) != KNS_OK)
            _exit(5);
        if (kns_store_commit(store, NULL) != KNS_OK)
            _exit(6);
        for (unsigned i = 0; i <= n % FEEDS; i++)
            shared->version[i] = next[i] - 1;
        shared->starred = starred;
        shared->stage = COMMITTED;
    }
}

/* ---- the process that looks ----------------------------------------------------------------------------------------- */

static void on_problem(void *ctx, const char *problem)
{
    (void)ctx;
    print_error("%s\n", problem);
}

struct seen {
    int *count[FEEDS];
    int most, starred;
};

static bool see(void *ctx, const struct kns_item *item)
{
    struct seen *seen = ctx;
    int feed, number;

    assert_int_equal(sscanf(item->entry.title, "%d-%d", &feed, &number), 2);
    assert_in_range(number, 0, seen->most - 1);
    seen->count[feed][number]++;
    seen->starred += item->starred;
    return true;
}

struct event_count {
    int64_t last, new_items;
};

static bool count_event(void *ctx, const struct kns_event *event)
{
    struct event_count *count = ctx;

    assert_true(event->seq > count->last);
    count->last = event->seq;
    count->new_items += event->kind == KNS_EVENT_ITEM && strcmp(event->what, "new") == 0;
    return true;
}

static int items_of(struct kns_store *store, struct kns_arena *arena, struct seen *seen)
{
    struct kns_item_query query = {.limit = 1000};
    int n = 0;

    do {
        const char *cursor = NULL;
        assert_int_equal(kns_store_query_items(store, arena, &query, see, seen, &cursor, NULL),
                         KNS_OK);
        query.cursor = cursor;
    } while (query.cursor != NULL);
    for (int i = 0; i < FEEDS; i++)
        for (int k = 0; k < seen->most; k++)
            n += seen->count[i][k];
    return n;
}

/* *versions: what the validators say, from which the next process goes on. */
static void look(int *versions)
{
    struct kns_store *store = NULL;
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_error err = {0};
    struct seen seen = {0};
    struct event_count events = {0};

    if (kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, &err) != KNS_OK)
        fail_msg("open: %s", err.message);
    assert_int_equal(kns_store_check(store, on_problem, NULL, NULL), KNS_OK);
    for (int i = 0; i < FEEDS; i++) {
        struct kns_feed *feed = NULL;
        assert_int_equal(kns_store_get_feed(store, arena, i + 1, false, &feed, NULL), KNS_OK);
        versions[i] = feed->schedule.etag == NULL ? -1 : atoi(feed->schedule.etag);
        assert_true(versions[i] >= shared->version[i]);
        if (versions[i] + WINDOW > seen.most)
            seen.most = versions[i] + WINDOW;
    }
    for (int i = 0; i < FEEDS; i++)
        seen.count[i] = calloc((size_t)seen.most + 1, sizeof(int));
    int n = items_of(store, arena, &seen);
    for (int i = 0; i < FEEDS; i++)
        for (int k = 0; k < seen.most; k++)
            assert_int_equal(seen.count[i][k], versions[i] >= 0 && k < versions[i] + WINDOW);
    assert_true(seen.starred >= shared->starred);
    shared->starred = seen.starred;
    assert_int_equal(kns_store_each_event(store, 0, 10000000, count_event, &events, NULL), KNS_OK);
    if (events.last < 90000) /* older ones are pruned */
        assert_int_equal(events.new_items, n);
    for (int i = 0; i < FEEDS; i++)
        free(seen.count[i]);
    kns_arena_free(arena);
    kns_store_close(store);
}

static void subscribe(void)
{
    struct kns_store *store = NULL;

    assert_int_equal(kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, NULL),
                     KNS_OK);
    for (int i = 0; i < FEEDS; i++) {
        char url[40];
        int64_t id = 0;
        snprintf(url, sizeof(url), "http://%d.example/", i);
        const struct kns_feed_edit edit = {.url = url};
        assert_int_equal(kns_store_add_feed(store, &edit, now, now, &id, NULL), KNS_OK);
        shared->version[i] = -1;
    }
    kns_store_close(store);
}

/* The instant is random, but what it may fall into is not the machine's choice: a busy one would never come further than opening. */
static void wait_for_the_instant(int stage)
{
    for (int i = 0; i < 60 * 1000 && shared->stage < stage; i++)
        usleep(1000);
    usleep((useconds_t)(rand() % 60000));
}

static void kills_at_any_instant_lose_and_repeat_nothing(void **state)
{
    char dir[] = "/tmp/kns-crash-XXXXXX", command[64];
    const char *wanted = getenv("KNS_CRASHES");
    int crashes = wanted == NULL ? DEFAULT_CRASHES : atoi(wanted), versions[FEEDS];
    unsigned seed = (unsigned)time(NULL);
    (void)state;

    print_message("%d crashes, seed %u\n", crashes, seed);
    srand(seed);
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/kns.db", dir);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    subscribe();
    for (int i = 0; i < FEEDS; i++)
        versions[i] = -1;
    for (int i = 0; i < crashes; i++) {
        int next[FEEDS], status = 0;
        for (int k = 0; k < FEEDS; k++)
            next[k] = versions[k] + 1;
        shared->stage = BEGUN;
        pid_t child = fork();
        if (child == 0)
            write_on(next);
        assert_true(child > 0);
        wait_for_the_instant(i % STAGES);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status)); /* it did not end by itself */
        look(versions);
    }
    print_message("documents: %d %d %d %d %d %d\n", versions[0], versions[1], versions[2],
                  versions[3], versions[4], versions[5]);
    assert_true(versions[0] > 0);
    munmap(shared, sizeof(*shared));
    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kills_at_any_instant_lose_and_repeat_nothing)};

    return cmocka_run_group_tests_name("crashes", tests, NULL, NULL);
}
