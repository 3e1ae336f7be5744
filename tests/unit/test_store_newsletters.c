/* Newsletters in the store: link items become items, known by their URL, with the comment and whose it is. */
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
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct kns_error err = {0};

    strcpy(f->dir, "/tmp/kns-news-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/kns.db", f->dir);
    f->arena = kns_arena_new(0);
    if (kns_store_open(f->path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &f->store, &err) != KNS_OK)
        fail_msg("open: %s", err.message);
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

static int64_t add_feed(struct fixture *f, const char *url, bool set, bool newsletter)
{
    const struct kns_feed_edit edit = {.url = url, .set_newsletter = set, .newsletter = newsletter};
    int64_t id = 0;

    assert_int_equal(kns_store_add_feed(f->store, &edit, now, now, &id, NULL), KNS_OK);
    return id;
}

static struct kns_poll_result poll(struct fixture *f, int64_t feed, const char *items)
{
    struct kns_document *document = NULL;
    struct kns_poll_result result = {0};
    struct kns_error err = {0};
    char rss[16384];

    snprintf(rss, sizeof(rss),
             "<rss version='2.0'><channel><title>Letters</title>"
             "<link>https://letters.example/</link>%s</channel></rss>",
             items);
    assert_int_equal(kns_parse(NULL, rss, strlen(rss), &document, NULL), KNS_OK);
    const struct kns_poll poll = {.feed_id = feed,
                                  .started_at = now,
                                  .outcome = KNS_POLL_NEW_DOCUMENT,
                                  .http_status = 200,
                                  .health = KNS_HEALTH_OK,
                                  .schedule = {.next_poll_at = {now.unix_s + 3600}},
                                  .document = document};
    if (kns_store_record_poll(f->store, &poll, &result, &err) != KNS_OK)
        fail_msg("poll: %s", err.message);
    kns_document_free(document);
    return result;
}

/* An issue with two link items. */
static const char *issue(int number, const char *first_comment)
{
    static char text[4096];

    snprintf(text, sizeof(text),
             "<item><title>Letter #%d</title><link>https://letters.example/issues/%d</link>"
             "<guid>l%d</guid><description><![CDATA[<p>Hello, see <a "
             "href='https://m.example/%d'>this</a>.</p><hr><h2>Papers</h2>"
             "<p><b><a href='https://a.example/%d?utm_source=l'>Paper A</a></b><br>About A.</p>"
             "<p>%s</p><h2>Tools</h2><p><b><a href='https://b.example/%d'>Tool B</a></b><br>About "
             "B.</p><p>B is nice.</p>"
             "<p><b><a href='https://c.example/%d'>Tool C</a></b></p><p>C too.</p>"
             "]]></description></item>",
             number, number, number, number, number, first_comment, number, number);
    return text;
}

struct found {
    struct fixture *f;
    const char *url;
    struct kns_item *item;
};

static bool on_item(void *ctx, const struct kns_item *item)
{
    struct found *found = ctx;

    if (item->entry.url == NULL || strcmp(item->entry.url, found->url) != 0)
        return true;
    assert_int_equal(
        kns_store_get_item(found->f->store, found->f->arena, item->id, &found->item, NULL), KNS_OK);
    return false;
}

static const struct kns_item *find(struct fixture *f, const char *url)
{
    struct found found = {.f = f, .url = url};
    const struct kns_item_query query = {.limit = 100};
    const char *cursor = NULL;

    assert_int_equal(
        kns_store_query_items(f->store, f->arena, &query, on_item, &found, &cursor, NULL), KNS_OK);
    return found.item;
}

static bool is_newsletter(struct fixture *f, int64_t id)
{
    struct kns_feed *feed = NULL;

    assert_int_equal(kns_store_get_feed(f->store, f->arena, id, false, &feed, NULL), KNS_OK);
    return feed->newsletter;
}

static void link_items_become_items_with_their_comment(void **state)
{
    struct fixture *f = *state;
    int64_t feed = add_feed(f, "https://letters.example/feed", true, true);

    assert_int_equal(poll(f, feed, issue(7, "A is deep.")).new_items, 4);
    const struct kns_item *item = find(f, "https://a.example/7");
    assert_non_null(item);
    assert_string_equal(item->entry.title, "Paper A");
    assert_string_equal(item->entry.summary, "About A.");
    assert_int_equal(item->curated.count, 1);
    assert_string_equal(item->curated.first->note, "A is deep.");
    assert_string_equal(item->curated.first->section, "Papers");
    assert_string_equal(item->curated.first->issue_title, "Letter #7");
    assert_string_equal(item->curated.first->issue_url, "https://letters.example/issues/7");
    assert_int_equal(find(f, "https://c.example/7")->curated.first->position, 3);
    assert_null(item->note);
}

static void an_article_of_another_feed_gains_a_source_and_a_comment(void **state)
{
    struct fixture *f = *state;
    int64_t blog = add_feed(f, "https://a.example/feed", false, false),
            letters = add_feed(f, "https://letters.example/feed", true, true);

    poll(f, blog, "<item><title>A, by its author</title><link>https://a.example/7</link></item>");
    assert_int_equal(poll(f, letters, issue(7, "A is deep.")).new_items, 3);
    const struct kns_item *item = find(f, "https://a.example/7");
    assert_string_equal(item->entry.title, "A, by its author");
    assert_int_equal(item->sources, 2);
    assert_int_equal(item->curated.count, 1);
    assert_int_equal(kns_store_check(f->store, NULL, NULL, NULL), KNS_OK);
}

static void an_issue_seen_again_changes_nothing_and_an_edited_one_its_comment(void **state)
{
    struct fixture *f = *state;
    int64_t feed = add_feed(f, "https://letters.example/feed", true, true);

    poll(f, feed, issue(7, "A is deep."));
    struct kns_poll_result again = poll(f, feed, issue(7, "A is deep."));
    assert_int_equal(again.new_items + again.updated_items, 0);
    assert_int_equal(poll(f, feed, issue(7, "A is deeper.")).new_items, 0);
    const struct kns_item *item = find(f, "https://a.example/7");
    assert_int_equal(item->curated.count, 1);
    assert_string_equal(item->curated.first->note, "A is deeper.");
}

static void a_feed_of_roundups_is_found_to_be_a_newsletter(void **state)
{
    struct fixture *f = *state;
    char items[8192];
    int64_t letters = add_feed(f, "https://letters.example/feed", false, false),
            refused = add_feed(f, "https://letters.example/other", true, false),
            blog = add_feed(f, "https://a.example/feed", false, false);

    strcpy(items, issue(8, "x y z."));
    strcat(items, issue(7, "A is deep."));
    assert_int_equal(poll(f, letters, items).new_items, 8);
    assert_true(is_newsletter(f, letters));
    poll(f, refused, items);
    assert_false(is_newsletter(f, refused));
    poll(f, blog,
         "<item><title>1</title><link>https://a.example/1</link><description>One <a "
         "href='https://x.example/'>x</a>.</description></item>"
         "<item><title>2</title><link>https://a.example/2</link></item>");
    assert_false(is_newsletter(f, blog));
}

static void a_feed_that_becomes_a_newsletter_is_taken_apart_at_its_next_poll(void **state)
{
    struct fixture *f = *state;
    int64_t feed = add_feed(f, "https://letters.example/feed", false, false);
    const struct kns_feed_edit edit = {.set_newsletter = true, .newsletter = true};

    assert_int_equal(poll(f, feed, issue(7, "A is deep.")).new_items, 1);
    assert_int_equal(kns_store_edit_feed(f->store, feed, &edit, now, NULL), KNS_OK);
    struct kns_poll_result after = poll(f, feed, issue(7, "A is deep."));
    assert_int_equal(after.new_items, 3);
    assert_non_null(find(f, "https://b.example/7"));
}

static void its_comments_go_with_the_newsletter(void **state)
{
    struct fixture *f = *state;
    int64_t blog = add_feed(f, "https://a.example/feed", false, false),
            letters = add_feed(f, "https://letters.example/feed", true, true);

    poll(f, blog, "<item><title>A</title><link>https://a.example/7</link></item>");
    poll(f, letters, issue(7, "A is deep."));
    assert_int_equal(kns_store_remove_feed(f->store, letters, now, NULL), KNS_OK);
    assert_int_equal(find(f, "https://a.example/7")->curated.count, 0);
    assert_null(find(f, "https://b.example/7"));
    assert_int_equal(kns_store_check(f->store, NULL, NULL, NULL), KNS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(link_items_become_items_with_their_comment),
        TEST(an_article_of_another_feed_gains_a_source_and_a_comment),
        TEST(an_issue_seen_again_changes_nothing_and_an_edited_one_its_comment),
        TEST(a_feed_of_roundups_is_found_to_be_a_newsletter),
        TEST(a_feed_that_becomes_a_newsletter_is_taken_apart_at_its_next_poll),
        TEST(its_comments_go_with_the_newsletter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
