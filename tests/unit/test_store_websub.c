/* What hubs push is stored as what is polled, and what we have with hubs outlives a restart. */
#include "lib/parse.h"
#include "lib/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct kns_time now = {1700000000};

struct fixture {
    char dir[64], path[96];
    struct kns_store *store;
    struct kns_arena *arena;
    int64_t feed;
};

static void open_store(struct fixture *f)
{
    struct kns_error err = {0};

    if (kns_store_open(f->path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &f->store, &err) != KNS_OK)
        fail_msg("open: %s", err.message);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct kns_feed_edit edit = {.url = "http://f.example/feed"};

    strcpy(f->dir, "/tmp/kns-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/kns.db", f->dir);
    f->arena = kns_arena_new(0);
    open_store(f);
    assert_int_equal(kns_store_add_feed(f->store, &edit, now, now, &f->feed, NULL), KNS_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    kns_store_close(f->store);
    kns_arena_free(f->arena);
    snprintf(command, sizeof(command), "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* An RSS document of items "1", "2", … as these letters name them. */
static struct kns_document *document_of(const char *names)
{
    struct kns_document *document = NULL;
    char rss[4096] = "<rss version='2.0'><channel><title>T</title>";

    for (; *names != '\0'; names++)
        snprintf(rss + strlen(rss), sizeof(rss) - strlen(rss),
                 "<item><title>%c</title><link>http://s.example/%c</link></item>", *names, *names);
    strcat(rss, "</channel></rss>");
    assert_int_equal(kns_parse(NULL, rss, strlen(rss), &document, NULL), KNS_OK);
    return document;
}

static struct kns_poll_result poll(struct fixture *f, const char *names, const char *hub,
                                   enum kns_outcome outcome)
{
    struct kns_document *document = document_of(names);
    struct kns_poll_result result = {0};
    const struct kns_poll poll = {.feed_id = f->feed,
                                  .started_at = now,
                                  .outcome = outcome,
                                  .http_status = 200,
                                  .health = KNS_HEALTH_OK,
                                  .hub = hub,
                                  .topic = hub == NULL ? NULL : "http://f.example/self",
                                  .schedule = {.next_poll_at = {now.unix_s + 3600},
                                               .next_poll_reason = "because",
                                               .etag = "\"v1\"",
                                               .content_hash = "h",
                                               .entries_per_day = 5},
                                  .document = document};

    assert_int_equal(kns_store_record_poll(f->store, &poll, &result, NULL), KNS_OK);
    kns_document_free(document);
    return result;
}

static enum kns_status push(struct fixture *f, const char *names, struct kns_poll_result *result)
{
    struct kns_document *document = document_of(names);
    const struct kns_push push = {
        .feed_id = f->feed, .at = {now.unix_s + 60}, .bytes = 99, .document = document};
    enum kns_status status = kns_store_record_push(f->store, &push, result, NULL);

    kns_document_free(document);
    return status;
}

static struct kns_feed *feed(struct fixture *f)
{
    struct kns_feed *feed = NULL;

    assert_int_equal(kns_store_get_feed(f->store, f->arena, f->feed, false, &feed, NULL), KNS_OK);
    return feed;
}

static bool keep_poll(void *ctx, const struct kns_poll_record *poll)
{
    *(struct kns_poll_record *)ctx = *poll;
    return false;
}

static bool keep_event(void *ctx, const struct kns_event *event)
{
    snprintf(ctx, 32, "%s", event->what);
    return true;
}

static void what_is_pushed_is_stored_once_and_polls_stay_as_they_were(void **state)
{
    struct fixture *f = *state;
    struct kns_poll_result result;
    struct kns_poll_record last;
    char event[32];

    poll(f, "a", NULL, KNS_POLL_NEW_DOCUMENT);
    assert_int_equal(push(f, "ab", &result), KNS_OK);
    assert_int_equal(result.new_items, 1);
    assert_int_equal(result.seen_items, 1);
    assert_int_equal(push(f, "ab", &result), KNS_OK);
    assert_int_equal(result.new_items, 0);
    const struct kns_feed *stored = feed(f);
    assert_int_equal(stored->items, 2);
    assert_string_equal(stored->schedule.etag, "\"v1\"");
    assert_string_equal(stored->schedule.content_hash, "h");
    assert_int_equal(stored->schedule.next_poll_at.unix_s, now.unix_s + 3600);
    assert_true(stored->schedule.entries_per_day > 4.9);
    assert_int_equal(stored->last_poll_at.unix_s, now.unix_s);
    assert_int_equal(stored->last_new_item_at.unix_s, now.unix_s + 60);
    assert_int_equal(kns_store_each_poll(f->store, f->feed, 1, keep_poll, &last, NULL), KNS_OK);
    assert_int_equal(last.outcome, KNS_POLL_PUSHED);
    assert_int_equal(last.bytes, 99);
    assert_int_equal(kns_store_each_event(f->store, 0, 100, keep_event, event, NULL), KNS_OK);
    assert_string_equal(event, "pushed");
}

static void a_push_for_a_feed_that_was_removed_stores_nothing(void **state)
{
    struct fixture *f = *state;
    struct kns_poll_result result;

    assert_int_equal(kns_store_remove_feed(f->store, f->feed, now, NULL), KNS_OK);
    assert_int_equal(push(f, "a", &result), KNS_ENOTFOUND);
}

static void a_whole_document_says_which_hub_pushes_it(void **state)
{
    struct fixture *f = *state;

    assert_null(feed(f)->hub);
    poll(f, "a", "https://h.example/", KNS_POLL_NEW_DOCUMENT);
    assert_string_equal(feed(f)->hub, "https://h.example/");
    assert_string_equal(feed(f)->topic, "http://f.example/self");
    poll(f, "a", NULL, KNS_POLL_CUT); /* the part that names it may be missing */
    assert_string_equal(feed(f)->hub, "https://h.example/");
    poll(f, "a", NULL, KNS_POLL_NEW_DOCUMENT);
    assert_null(feed(f)->hub);
    assert_null(feed(f)->topic);
}

static void another_url_has_another_hub(void **state)
{
    struct fixture *f = *state;
    const struct kns_feed_edit edit = {.url = "http://g.example/feed"};

    poll(f, "a", "https://h.example/", KNS_POLL_NEW_DOCUMENT);
    assert_int_equal(kns_store_edit_feed(f->store, f->feed, &edit, now, NULL), KNS_OK);
    assert_null(feed(f)->hub);
}

static void a_feed_that_moves_takes_its_hub_along(void **state)
{
    struct fixture *f = *state;
    struct kns_document *document = document_of("a");
    struct kns_poll_result result;
    const struct kns_poll moved = {.feed_id = f->feed,
                                   .started_at = now,
                                   .outcome = KNS_POLL_NEW_DOCUMENT,
                                   .hub = "https://i.example/",
                                   .topic = "http://g.example/self",
                                   .new_url = "http://g.example/feed",
                                   .document = document};

    poll(f, "a", "https://h.example/", KNS_POLL_NEW_DOCUMENT);
    assert_int_equal(kns_store_record_poll(f->store, &moved, &result, NULL), KNS_OK);
    assert_string_equal(feed(f)->url, "http://g.example/feed");
    assert_string_equal(feed(f)->hub, "https://i.example/");
    kns_document_free(document);
}

/* ---- subscriptions at hubs ------------------------------------------------------------------------------------------ */

static struct kns_websub_record sample(struct fixture *f)
{
    return (struct kns_websub_record){.token = "0123",
                                      .feed_id = f->feed,
                                      .feed_url = "http://f.example/feed",
                                      .hub = "https://h.example/",
                                      .topic = "http://f.example/self",
                                      .callback = "http://c.example/websub/",
                                      .secret = "hush",
                                      .state = KNS_WEBSUB_ALIVE,
                                      .awaits = KNS_WEBSUB_SUBSCRIBE,
                                      .lease_until = {now.unix_s + 900},
                                      .next_at = {now.unix_s + 600},
                                      .failures = 2,
                                      .error = "no answer"};
}

static bool is_sample(void *ctx, const struct kns_websub_record *r)
{
    assert_string_equal(r->token, "0123");
    assert_string_equal(r->feed_url, "http://f.example/feed");
    assert_string_equal(r->hub, "https://h.example/");
    assert_string_equal(r->topic, "http://f.example/self");
    assert_string_equal(r->callback, "http://c.example/websub/");
    assert_string_equal(r->secret, "hush");
    assert_int_equal(r->state, KNS_WEBSUB_ALIVE);
    assert_int_equal(r->awaits, KNS_WEBSUB_SUBSCRIBE);
    assert_int_equal(r->lease_until.unix_s, now.unix_s + 900);
    assert_int_equal(r->next_at.unix_s, now.unix_s + 600);
    assert_int_equal(r->failures, 2);
    assert_string_equal(r->error, "no answer");
    ++*(int *)ctx;
    return true;
}

static int count(struct fixture *f)
{
    int n = 0;

    assert_int_equal(kns_store_each_websub(f->store, is_sample, &n, NULL), KNS_OK);
    return n;
}

static void what_we_have_with_a_hub_outlives_a_restart(void **state)
{
    struct fixture *f = *state;
    const struct kns_websub_record record = sample(f);

    assert_int_equal(kns_store_put_websub(f->store, &record, NULL), KNS_OK);
    assert_int_equal(kns_store_put_websub(f->store, &record, NULL), KNS_OK);
    kns_store_close(f->store);
    open_store(f);
    assert_int_equal(count(f), 1);
    /* The hub is still to be told that the feed was removed. */
    assert_int_equal(kns_store_remove_feed(f->store, f->feed, now, NULL), KNS_OK);
    assert_int_equal(count(f), 1);
    assert_int_equal(kns_store_remove_websub(f->store, "0123", NULL), KNS_OK);
    assert_int_equal(kns_store_remove_websub(f->store, "0123", NULL), KNS_OK);
    assert_int_equal(count(f), 0);
}

static void what_is_shown_of_it_has_no_secret(void **state)
{
    struct fixture *f = *state;
    struct kns_websub_record record = sample(f), shown;

    assert_int_equal(kns_store_get_websub(f->store, f->arena, f->feed, &shown, NULL),
                     KNS_ENOTFOUND);
    assert_int_equal(kns_store_put_websub(f->store, &record, NULL), KNS_OK);
    assert_int_equal(kns_store_get_websub(f->store, f->arena, f->feed, &shown, NULL), KNS_OK);
    assert_string_equal(shown.hub, "https://h.example/");
    assert_string_equal(shown.error, "no answer");
    assert_null(shown.secret);
    assert_null(shown.token);
    record.state = KNS_WEBSUB_LEAVING; /* of no interest to who asks about the feed */
    assert_int_equal(kns_store_put_websub(f->store, &record, NULL), KNS_OK);
    assert_int_equal(kns_store_get_websub(f->store, f->arena, f->feed, &shown, NULL),
                     KNS_ENOTFOUND);
}

static void a_hub_that_comes_or_goes_moves_the_next_poll(void **state)
{
    struct fixture *f = *state;
    const struct kns_schedule schedule = {
        .next_poll_at = {now.unix_s + 86400}, .next_poll_reason = "rarely", .interval_s = 86400};

    poll(f, "a", "https://h.example/", KNS_POLL_NEW_DOCUMENT);
    assert_int_equal(kns_store_reschedule(f->store, f->feed, &schedule,
                                          (struct kns_time){now.unix_s + 900}, NULL),
                     KNS_OK);
    const struct kns_feed *stored = feed(f);
    assert_int_equal(stored->schedule.next_poll_at.unix_s, now.unix_s + 86400);
    assert_string_equal(stored->schedule.next_poll_reason, "rarely");
    assert_int_equal(stored->schedule.interval_s, 86400);
    assert_int_equal(stored->pushed_until.unix_s, now.unix_s + 900);
    assert_string_equal(stored->schedule.etag, "\"v1\"");
    poll(f, "a", "https://h.example/", KNS_POLL_NEW_DOCUMENT);
    assert_int_equal(feed(f)->pushed_until.unix_s, now.unix_s + 900);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_pushed_is_stored_once_and_polls_stay_as_they_were),
        TEST(a_push_for_a_feed_that_was_removed_stores_nothing),
        TEST(a_whole_document_says_which_hub_pushes_it),
        TEST(another_url_has_another_hub),
        TEST(a_feed_that_moves_takes_its_hub_along),
        TEST(what_we_have_with_a_hub_outlives_a_restart),
        TEST(what_is_shown_of_it_has_no_secret),
        TEST(a_hub_that_comes_or_goes_moves_the_next_poll),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
