/* Salvage: of really corrupted files, what can be read is in a sound database, and the next polls bring the rest: nothing twice. */
#include "lib/parse.h"
#include "lib/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FEEDS 4
#define ITEMS 40 /* of each */
#define PAGE 4096

static const struct kns_time now = {1700000000};

struct fixture {
    char dir[64], path[96], broken[96], rescued[96];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->dir, "/tmp/kns-salvage-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/kns.db", f->dir);
    snprintf(f->broken, sizeof(f->broken), "%s/broken.db", f->dir);
    snprintf(f->rescued, sizeof(f->rescued), "%s/rescued.db", f->dir);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static struct kns_store *open_store(const char *path)
{
    struct kns_store *store = NULL;
    struct kns_error err = {0};

    if (kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, &err) != KNS_OK)
        fail_msg("open: %s", err.message);
    return store;
}

/* Subscribes to a feed, if it is not, and polls its document; each has an article of its own, and one of the feed before. */
static void poll(struct kns_store *store, int number)
{
    static char rss[ITEMS * 2600];
    struct kns_document *document = NULL;
    struct kns_poll_result result;
    char url[80];
    int64_t feed = 0;
    size_t at = (size_t)snprintf(rss, sizeof(rss), "<rss version='2.0'><channel><title>T</title>");

    snprintf(url, sizeof(url), "http://%d.example/feed", number);
    const struct kns_feed_edit edit = {.url = url};
    enum kns_status status = kns_store_add_feed(store, &edit, now, now, &feed, NULL);
    assert_true(status == KNS_OK || status == KNS_EEXIST);
    for (int i = 0; i < ITEMS; i++) {
        int whose = i == 0 && number > 0 ? number - 1 : number;
        at += (size_t)snprintf(rss + at, sizeof(rss) - at,
                               "<item><title>解法 %d-%d</title><link>http://s/%d/%d</link><guid>g"
                               "%d-%d</guid><description>%0*d &lt;a href='http://x/%d'&gt;x&lt;/a"
                               "&gt;</description></item>",
                               whose, i, whose, i, whose, i, 200 + i * 50, i, i);
    }
    snprintf(rss + at, sizeof(rss) - at, "</channel></rss>");
    assert_int_equal(kns_parse(NULL, rss, strlen(rss), &document, NULL), KNS_OK);
    const struct kns_poll record = {
        .feed_id = feed,
        .started_at = now,
        .outcome = KNS_POLL_NEW_DOCUMENT,
        .http_status = 200,
        .health = KNS_HEALTH_OK,
        .schedule = {.next_poll_at = now, .etag = "\"v\"", .entries_per_day = -1},
        .document = document};
    assert_int_equal(kns_store_record_poll(store, &record, &result, NULL), KNS_OK);
    kns_document_free(document);
}

static void fill(struct fixture *f)
{
    struct kns_store *store = open_store(f->path);
    int64_t rule = 0;

    for (int i = 0; i < FEEDS; i++)
        poll(store, i);
    assert_int_equal(kns_store_add_rule(store, "star if feed = 99", now, &rule, NULL), KNS_OK);
    assert_int_equal(
        kns_store_edit_item(
            store, 1, &(struct kns_item_edit){.set_starred = true, .starred = true, .note = "良い"},
            now, NULL),
        KNS_OK);
    kns_store_close(store);
}

static void copy_file(const char *from, const char *to)
{
    char command[300];

    snprintf(command, sizeof(command), "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static void overwrite(const char *path, long page, bool zeros)
{
    unsigned char bytes[PAGE] = {0};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    unsigned seed = (unsigned)page;

    for (size_t i = 0; i < PAGE && !zeros; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (unsigned char)(seed >> 16);
    }
    assert_int_equal(pwrite(fd, bytes, PAGE, page * PAGE), PAGE);
    close(fd);
}

static void keep_problem(void *ctx, const char *problem)
{
    snprintf(ctx, KNS_ERROR_MAX, "%s", problem);
}

static void show_problem(void *ctx, const char *problem)
{
    (void)ctx;
    print_error("%s\n", problem);
}

struct seen {
    int count[FEEDS][ITEMS], items;
};

static bool see(void *ctx, const struct kns_item *item)
{
    struct seen *seen = ctx;
    int feed = 0, number = 0;

    if (sscanf(item->entry.title, "解法 %d-%d", &feed, &number) != 2)
        fail_msg("%s", item->entry.title);
    seen->count[feed][number]++;
    seen->items++;
    return true;
}

/* All articles, by a list or by a search. */
static struct seen look(struct kns_store *store, const char *q)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct seen seen = {0};
    const char *cursor;

    assert_int_equal(kns_store_query_items(store, arena,
                                           &(struct kns_item_query){.limit = 1000, .q = q}, see,
                                           &seen, &cursor, NULL),
                     KNS_OK);
    kns_arena_free(arena);
    return seen;
}

/* Polls bring what was lost: then every article is there once, and found. */
static void come_to_life(struct fixture *f)
{
    struct kns_store *store = open_store(f->rescued);

    assert_int_equal(kns_store_check(store, show_problem, NULL, NULL), KNS_OK);
    for (int i = 0; i < FEEDS; i++)
        poll(store, i);
    assert_int_equal(kns_store_check(store, show_problem, NULL, NULL), KNS_OK);
    struct seen all = look(store, NULL), found = look(store, "解法");
    for (int i = 0; i < FEEDS; i++)
        for (int k = 0; k < ITEMS; k++) {
            /* The first article of a feed is the one of the feed before, all but the first feed's. */
            bool is_there = k > 0 || i < FEEDS - 1;
            if (all.count[i][k] != is_there || found.count[i][k] != is_there)
                fail_msg("article %d-%d: %d times, found %d times", i, k, all.count[i][k],
                         found.count[i][k]);
        }
    kns_store_close(store);
}

static void a_sound_database_is_copied_whole(void **state)
{
    struct fixture *f = *state;
    struct kns_salvage result;
    struct kns_error err = {0};
    char problem[KNS_ERROR_MAX] = "";

    fill(f);
    copy_file(f->path, f->broken);
    if (kns_store_salvage(f->broken, f->rescued, keep_problem, problem, &result, &err) != KNS_OK)
        fail_msg("salvage: %s", err.message);
    assert_string_equal(problem, "");
    assert_int_equal(result.problems, 0);
    assert_int_equal(result.feeds, FEEDS);
    struct kns_store *store = open_store(f->rescued);
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_item *item = NULL;
    struct kns_feed *feed = NULL;
    assert_int_equal(look(store, NULL).items, result.items);
    assert_int_equal(look(store, "良い").items, 1);
    assert_int_equal(kns_store_get_item(store, arena, 1, &item, NULL), KNS_OK);
    assert_true(item->starred);
    assert_string_equal(item->note, "良い");
    assert_non_null(strstr(item->entry.summary_html != NULL ? item->entry.summary_html
                                                            : item->entry.content_html,
                           "http://x/"));
    assert_int_equal(kns_store_get_feed(store, arena, 1, true, &feed, NULL), KNS_OK);
    assert_null(feed->schedule.etag);
    kns_arena_free(arena);
    kns_store_close(store);
    come_to_life(f);
    assert_int_equal(kns_store_salvage(f->broken, f->rescued, keep_problem, problem, &result, &err),
                     KNS_EEXIST);
}

/* Pages all over the file, one at a time, zeroed or overwritten. */
static void whatever_page_is_broken_the_rest_is_rescued(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    int refused = 0, lossless = 0, runs = 0;
    int64_t least = INT64_MAX;

    fill(f);
    assert_int_equal(stat(f->path, &st), 0);
    long pages = st.st_size / PAGE, step = pages / 16 + 1;
    for (long page = 0; page < pages; page = page < 12 ? page + 1 : page + step)
        for (int zeros = 0; zeros < 2; zeros++) {
            struct kns_salvage result;
            struct kns_error err = {0};
            char problem[KNS_ERROR_MAX] = "";
            copy_file(f->path, f->broken);
            overwrite(f->broken, page, zeros);
            runs++;
            unlink(f->rescued);
            enum kns_status status =
                kns_store_salvage(f->broken, f->rescued, keep_problem, problem, &result, &err);
            if (status == KNS_ECORRUPT) {
                assert_non_null(strstr(err.message, "restore a backup"));
                refused++;
                continue;
            }
            if (status != KNS_OK)
                fail_msg("page %ld: %s", page, err.message);
            lossless += result.problems == 0;
            least = result.items < least ? result.items : least;
            come_to_life(f);
        }
    print_message(
        "%d broken files: %d without loss, %d cannot be read at all, %d articles of %d at "
        "least\n",
        runs, lossless, refused, (int)least, FEEDS * ITEMS - FEEDS + 1);
    /* The first page, and those that hold the schema. */
    assert_true(refused <= 6);
    assert_true(lossless < runs);
}

static void what_is_no_database_of_kns_is_refused(void **state)
{
    struct fixture *f = *state;
    struct kns_salvage result;
    struct kns_error err = {0};
    char problem[KNS_ERROR_MAX] = "", command[300];

    assert_int_equal(kns_store_salvage(f->broken, f->rescued, keep_problem, problem, &result, &err),
                     KNS_ENOTFOUND);
    snprintf(command, sizeof(command), "head -c 20000 /dev/zero | tr '\\0' 'x' > %s", f->broken);
    assert_int_equal(system(command), 0);
    assert_int_equal(kns_store_salvage(f->broken, f->rescued, keep_problem, problem, &result, &err),
                     KNS_ECORRUPT);
    assert_int_equal(access(f->rescued, F_OK), -1);
}

/* The daemon says how to go on. */
static void a_corrupt_database_is_refused_with_the_way_on(void **state)
{
    struct fixture *f = *state;
    struct kns_store *store = NULL;
    struct kns_error err = {0};

    fill(f);
    overwrite(f->path, 0, false);
    assert_int_equal(kns_store_open(f->path, KNS_STORE_WRITER, KNS_STORE_SYNC_FULL, &store, &err),
                     KNS_ECORRUPT);
    assert_non_null(strstr(err.message, "knsctl check --db FILE --salvage NEW"));
    assert_non_null(strstr(err.message, "left untouched"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_database_is_copied_whole),
        TEST(whatever_page_is_broken_the_rest_is_rescued),
        TEST(what_is_no_database_of_kns_is_refused),
        TEST(a_corrupt_database_is_refused_with_the_way_on),
    };

    return cmocka_run_group_tests_name("salvage", tests, NULL, NULL);
}
