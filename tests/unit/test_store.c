/* The store: one article is one item, found again, and nothing is lost or repeated. */
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct kns_time now = {1700000000};

struct fixture {
    char dir[64], path[96];
    struct kns_store *store;
    struct kns_arena *arena;
};

static void open_store(struct fixture *f)
{
    struct kns_error err = {0};
    enum kns_status status =
        kns_store_open(f->path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &f->store, &err);

    if (status != KNS_OK)
        fail_msg("open: %s", err.message);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->dir, "/tmp/kns-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/kns.db", f->dir);
    f->arena = kns_arena_new(0);
    open_store(f);
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

static int64_t add_feed(struct fixture *f, const char *url)
{
    const struct kns_feed_edit edit = {.url = url};
    int64_t id = 0;

    assert_int_equal(kns_store_add_feed(f->store, &edit, now, now, &id, NULL), KNS_OK);
    return id;
}

/* Polls a feed with an RSS document that has these items. */
static struct kns_poll_result poll_at(struct fixture *f, int64_t feed, const char *items,
                                      struct kns_time at)
{
    struct kns_document *document = NULL;
    struct kns_poll_result result = {0};
    struct kns_error err = {0};
    char rss[8192];

    snprintf(rss, sizeof(rss), "<rss version='2.0'><channel><title>T</title>%s</channel></rss>",
             items);
    assert_int_equal(kns_parse(NULL, rss, strlen(rss), &document, NULL), KNS_OK);
    const struct kns_poll poll = {
        .feed_id = feed,
        .started_at = at,
        .outcome = KNS_POLL_NEW_DOCUMENT,
        .http_status = 200,
        .health = KNS_HEALTH_OK,
        .schedule = {.next_poll_at = {at.unix_s + 3600}, .etag = "\"v1\"", .entries_per_day = -1},
        .document = document};
    if (kns_store_record_poll(f->store, &poll, &result, &err) != KNS_OK)
        fail_msg("poll: %s", err.message);
    kns_document_free(document);
    return result;
}

static struct kns_poll_result poll(struct fixture *f, int64_t feed, const char *items)
{
    return poll_at(f, feed, items, now);
}

/* The titles of a listing, joined by '|'. */
struct titles {
    char text[4096];
    int64_t first_id;
};

static bool on_item(void *ctx, const struct kns_item *item)
{
    struct titles *titles = ctx;

    if (titles->text[0] == '\0')
        titles->first_id = item->id;
    else
        strcat(titles->text, "|");
    strcat(titles->text, item->entry.title != NULL ? item->entry.title : "-");
    return true;
}

static struct titles list(struct fixture *f, struct kns_item_query query)
{
    struct titles titles = {0};
    const char *cursor = NULL;
    struct kns_error err = {0};

    do {
        query.cursor = cursor;
        if (kns_store_query_items(f->store, f->arena, &query, on_item, &titles, &cursor, &err) !=
            KNS_OK)
            fail_msg("query: %s", err.message);
    } while (cursor != NULL);
    return titles;
}

static const char *search(struct fixture *f, const char *q)
{
    static struct titles titles;

    titles = list(f, (struct kns_item_query){.q = q});
    return titles.text;
}

static bool keep_snippet(void *ctx, const struct kns_item *item)
{
    snprintf(ctx, 1000, "%s", item->snippet == NULL ? "none" : item->snippet);
    for (char *c = ctx; *c != '\0'; c++)
        *c = *c == '\x02' ? '[' : *c == '\x03' ? ']' : *c;
    return true;
}

/* The snippet of the first hit, with [ ] around what is marked; "" where nothing is found. */
static const char *snippet(struct fixture *f, const char *q)
{
    static char text[1000];
    const char *cursor;

    text[0] = '\0';
    assert_int_equal(kns_store_query_items(f->store, f->arena,
                                           &(struct kns_item_query){.q = q, .limit = 1},
                                           keep_snippet, text, &cursor, NULL),
                     KNS_OK);
    return text;
}

/* ---- law 2 -------------------------------------------------------------------------------------------------------- */

static void an_article_in_two_feeds_is_one_item(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");

    assert_int_equal(
        poll(f, a, "<item><title>X</title><link>http://s.example/x?utm_source=a</link></item>")
            .new_items,
        1);
    struct kns_poll_result second =
        poll(f, b, "<item><title>X</title><link>HTTP://s.example:80/x</link><guid>9</guid></item>");
    assert_int_equal(second.new_items, 0);
    struct titles titles = list(f, (struct kns_item_query){0});
    assert_string_equal(titles.text, "X");
    struct kns_item *item = NULL;
    assert_int_equal(kns_store_get_item(f->store, f->arena, titles.first_id, &item, NULL), KNS_OK);
    assert_int_equal(item->feeds.count, 2);
    assert_int_equal(item->sources, 2);
    assert_string_equal(item->entry.url, "http://s.example/x?utm_source=a");
}

static void the_same_document_twice_stores_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    const char *items =
        "<item><title>1</title><link>http://s/1</link></item><item><title>2</title></item>";

    assert_int_equal(poll(f, a, items).new_items, 2);
    struct kns_poll_result again = poll(f, a, items);
    assert_int_equal(again.new_items + again.updated_items, 0);
    assert_int_equal(again.seen_items, 2);
}

static void an_edited_entry_keeps_its_id_and_is_not_new_again(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a, "<item><title>before</title><link>http://s.example/1</link></item>");
    int64_t id = list(f, (struct kns_item_query){0}).first_id;
    struct kns_poll_result edited =
        poll(f, a, "<item><title>after</title><link>http://s.example/1</link></item>");
    assert_int_equal(edited.new_items, 0);
    assert_int_equal(edited.updated_items, 1);
    struct titles titles = list(f, (struct kns_item_query){0});
    assert_string_equal(titles.text, "after");
    assert_int_equal(titles.first_id, id);
    assert_string_equal(search(f, "after"), "after");
    assert_string_equal(search(f, "before"), "");
}

static void the_same_guid_at_a_new_url_is_the_item_moved(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a, "<item><title>1</title><link>http://old.example/1</link><guid>g1</guid></item>");
    assert_int_equal(
        poll(f, a, "<item><title>1</title><link>http://new.example/1</link><guid>g1</guid></item>")
            .new_items,
        0);
    /* And the new URL is known from now on, whatever the guid. */
    assert_int_equal(
        poll(f, a,
             "<item><title>1</title><link>http://new.example/1</link><guid>other</guid></item>")
            .new_items,
        0);
}

static void changed_guids_with_the_same_urls_are_no_news(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a, "<item><title>1</title><link>http://s.example/1</link><guid>old-1</guid></item>");
    assert_int_equal(
        poll(f, a, "<item><title>1</title><link>http://s.example/1</link><guid>new-1</guid></item>")
            .new_items,
        0);
}

static void entries_that_share_a_url_are_told_apart_by_guid(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    const char *items = "<item><title>1</title><link>http://s.example/</link><guid>1</guid></item>"
                        "<item><title>2</title><link>http://s.example/</link><guid>2</guid></item>";

    assert_int_equal(poll(f, a, items).new_items, 2);
    assert_int_equal(poll(f, a, items).new_items, 0);
}

static void entries_without_url_and_guid_are_told_apart_by_title_and_date(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    assert_int_equal(
        poll(f, a, "<item><title>1</title></item><item><title>2</title></item>").new_items, 2);
    assert_int_equal(
        poll(f, a, "<item><title>2</title></item><item><title>3</title></item>").new_items, 1);
}

/* ---- listing ------------------------------------------------------------------------------------------------------ */

static void pages_go_by_key_and_miss_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    char items[4096] = "";

    for (int i = 0; i < 23; i++)
        sprintf(items + strlen(items),
                "<item><title>%d</title><link>http://s/%d</link><pubDate>%02d Jan 2023 00:00:00 "
                "GMT</pubDate></item>",
                i, i, 1 + i % 5);
    poll(f, a, items);
    struct titles whole = list(f, (struct kns_item_query){.limit = 100}),
                  paged = list(f, (struct kns_item_query){.limit = 4});
    assert_string_equal(whole.text, paged.text);
    paged = list(f, (struct kns_item_query){.limit = 4, .feeds = &a, .n_feeds = 1});
    assert_string_equal(whole.text, paged.text);
    const char *cursor = NULL;
    assert_int_equal(kns_store_query_items(f->store, f->arena,
                                           &(struct kns_item_query){.cursor = "x"}, on_item, &paged,
                                           &cursor, NULL),
                     KNS_EINVAL);
}

static void a_future_date_never_lifts_an_item_above_the_present(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a,
         "<item><title>future</title><link>http://s/1</link><pubDate>01 Jan 2099 00:00:00 "
         "GMT</pubDate></item>");
    poll_at(f, a, "<item><title>later</title><link>http://s/2</link></item>",
            (struct kns_time){now.unix_s + 60});
    assert_string_equal(list(f, (struct kns_item_query){0}).text, "later|future");
}

static void filters_choose(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");

    poll(f, a, "<item><title>1</title><link>http://s/1</link></item>");
    poll(f, b, "<item><title>2</title><link>http://s/2</link></item>");
    int64_t id = list(f, (struct kns_item_query){.feeds = &a, .n_feeds = 1}).first_id;
    struct kns_string tag = {.value = "ml/kaggle"};
    struct kns_strings tags = {.list = {&tag, &tag, 1}};
    assert_int_equal(
        kns_store_edit_feed(f->store, b, &(struct kns_feed_edit){.tags = &tags}, now, NULL),
        KNS_OK);
    assert_int_equal(kns_store_edit_item(
                         f->store, id,
                         &(struct kns_item_edit){
                             .set_starred = true, .starred = true, .set_read = true, .read = true},
                         now, NULL),
                     KNS_OK);
    assert_string_equal(list(f, (struct kns_item_query){.starred = true}).text, "1");
    assert_string_equal(list(f, (struct kns_item_query){.unread = true}).text, "2");
    assert_string_equal(list(f, (struct kns_item_query){.tag = "ml"}).text, "2");
    assert_string_equal(list(f, (struct kns_item_query){.tag = "m"}).text, "");
    assert_string_equal(list(f, (struct kns_item_query){.since = {now.unix_s + 1}}).text, "");
    assert_string_equal(list(f, (struct kns_item_query){.min_sources = 2}).text, "");
    assert_string_equal(list(f, (struct kns_item_query){.sort = KNS_SORT_SOURCES, .limit = 1}).text,
                        "2|1");
    assert_string_equal(list(f, (struct kns_item_query){.sort = KNS_SORT_SEEN, .limit = 1}).text,
                        "2|1");
    assert_string_equal(list(f, (struct kns_item_query){.sort = KNS_SORT_OLD, .limit = 1}).text,
                        "1|2");
}

/* ---- search ------------------------------------------------------------------------------------------------------- */

static void search_finds_japanese_words(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a,
         "<item><title>A</title><link>http://s/1</"
         "link><description>Kaggleコンペの解法をまとめました。</description></item>"
         "<item><title>B</title><link>http://s/2</link><description>法解釈と機械学習</"
         "description></item>"
         "<item><title>C</title><link>http://s/3</link><description>ｋａｇｇｌｅ で学ぶ Crème "
         "&lt;b&gt;brûlée&lt;/b&gt;</description></item>");
    assert_string_equal(search(f, "解法"), "A");
    assert_string_equal(search(f, "法解"), "B");
    assert_string_equal(search(f, "機械学習"), "B");
    assert_string_equal(search(f, "械習"), "");
    assert_string_equal(search(f, "kaggle"), "A|C");
    assert_string_equal(search(f, "KAGGLE -コンペ"), "C");
    assert_string_equal(search(f, "習"), "B");
    assert_string_equal(search(f, "機"), "B");
    assert_string_equal(search(f, "creme brulee"), "C");
    assert_string_equal(search(f, "\"creme brulee\""), "C");
    assert_string_equal(search(f, "\"brulee creme\""), "");
    assert_string_equal(search(f, "title:A OR title:B"), "A|B");
    assert_string_equal(search(f, "kagg*"), "A|C");
    assert_string_equal(search(f, "kagg"), "");
}

static void bad_query_syntax_is_taken_as_words(void **state)
{
    struct fixture *f = *state;
    static const char *const queries[] = {"\"",    "(",  "AND",      "a AND", "NOT", "-",
                                          "*",     "^a", "title:",   "a\"b",  "{}",  "NEAR(a b)",
                                          "OR OR", ":",  "\xFF\xFE", "-a"};
    const char *cursor;
    struct titles titles = {0};

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        struct kns_error err = {0};
        struct kns_item_query query = {.q = queries[i]};
        enum kns_status status =
            kns_store_query_items(f->store, f->arena, &query, on_item, &titles, &cursor, &err);
        if (status != KNS_OK && status != KNS_ENOMEM)
            fail_msg("%s: %s", queries[i], err.message);
    }
}

/* ---- keeping ------------------------------------------------------------------------------------------------------ */

static void what_retention_removed_does_not_come_back(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    const char *items = "<item><title>old</title><link>http://s/1</link><pubDate>01 Jan 2020 "
                        "00:00:00 GMT</pubDate></item>"
                        "<item><title>new</title><link>http://s/2</link></item>";
    bool more = false;

    poll(f, a, items);
    assert_int_equal(kns_store_expire(f->store, 30, 0, now, 100, &more, NULL), KNS_OK);
    assert_true(more);
    assert_int_equal(kns_store_expire(f->store, 30, 0, now, 100, &more, NULL), KNS_OK);
    assert_false(more);
    assert_string_equal(list(f, (struct kns_item_query){0}).text, "new");
    assert_int_equal(poll(f, a, items).new_items, 0);
    assert_string_equal(list(f, (struct kns_item_query){0}).text, "new");
    assert_string_equal(search(f, "old"), "");
}

static void what_was_published_stays_without_star_or_note(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    bool more = false;

    poll(f, a,
         "<item><title>published</title><link>http://s/1</link><pubDate>01 Jan 2020 00:00:00 "
         "GMT</pubDate></item>"
         "<item><title>drafted</title><link>http://s/2</link><pubDate>01 Jan 2020 00:00:00 "
         "GMT</pubDate></item>");
    const struct kns_covered covered[] = {
        {list(f, (struct kns_item_query){.q = "published"}).first_id, "http://s/1", "published"}};
    const struct kns_issue_record issue = {
        .newsletter = "main", .number = 1, .title = "One", .items = 1, .document = "{}"};
    assert_int_equal(kns_store_put_issue(f->store, &issue, covered, 1, NULL, NULL), KNS_OK);
    assert_int_equal(kns_store_expire(f->store, 30, 0, now, 100, &more, NULL), KNS_OK);
    assert_string_equal(list(f, (struct kns_item_query){0}).text, "published");
    assert_int_equal(kns_store_remove_feed(f->store, a, now, NULL), KNS_OK);
    assert_string_equal(list(f, (struct kns_item_query){0}).text, "published");
}

static void removing_a_feed_keeps_what_others_carry_and_what_is_starred(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");

    poll(f, a,
         "<item><title>both</title><link>http://s/1</link></item><item><title>star</"
         "title><link>http://s/2</link></item>"
         "<item><title>gone</title><link>http://s/3</link></item>");
    poll(f, b, "<item><title>both</title><link>http://s/1</link></item>");
    int64_t star = list(f, (struct kns_item_query){.q = "star"}).first_id;
    kns_store_edit_item(f->store, star,
                        &(struct kns_item_edit){.set_starred = true, .starred = true}, now, NULL);
    assert_int_equal(kns_store_remove_feed(f->store, a, now, NULL), KNS_OK);
    assert_string_equal(list(f, (struct kns_item_query){.sort = KNS_SORT_OLD}).text, "star|both");
    assert_int_equal(kns_store_remove_feed(f->store, a, now, NULL), KNS_ENOTFOUND);
}

static void two_feeds_become_one(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed"),
            found = 0;

    poll(f, a, "<item><title>1</title><link>http://s/1</link></item>");
    poll(f, b,
         "<item><title>1</title><link>http://s/1</link></item><item><title>2</title><link>http://s/"
         "2</link></item>");
    assert_int_equal(kns_store_merge_feeds(f->store, b, a, now, NULL), KNS_OK);
    assert_int_equal(kns_store_find_feed(f->store, "http://b.example/feed", &found, NULL), KNS_OK);
    assert_int_equal(found, a);
    assert_string_equal(list(f, (struct kns_item_query){.feeds = &a, .n_feeds = 1}).text, "2|1");
    struct kns_feed *feed = NULL;
    assert_int_equal(kns_store_get_feed(f->store, f->arena, a, false, &feed, NULL), KNS_OK);
    assert_int_equal(feed->items, 2);
}

static void a_new_url_drops_the_validators(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    struct kns_feed *feed = NULL;

    poll(f, a, "");
    assert_int_equal(kns_store_get_feed(f->store, f->arena, a, false, &feed, NULL), KNS_OK);
    assert_string_equal(feed->schedule.etag, "\"v1\"");
    assert_int_equal(kns_store_edit_feed(f->store, a,
                                         &(struct kns_feed_edit){.url = "http://c.example/"}, now,
                                         NULL),
                     KNS_OK);
    assert_int_equal(kns_store_get_feed(f->store, f->arena, a, false, &feed, NULL), KNS_OK);
    assert_null(feed->schedule.etag);
    assert_string_equal(feed->moved_from.list.first->value, "http://a.example/feed");
}

static bool count_events(void *ctx, const struct kns_event *event)
{
    *(int64_t *)ctx = event->seq;
    return true;
}

static void events_resume_after_a_number(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), last = 0, stored = 0, after = -1;

    poll(f, a, "<item><title>1</title><link>http://s/1</link></item>");
    assert_int_equal(kns_store_each_event(f->store, 0, 100, count_events, &last, NULL), KNS_OK);
    assert_int_equal(kns_store_last_event(f->store, &stored, NULL), KNS_OK);
    assert_int_equal(last, stored);
    assert_true(last >= 3);
    assert_int_equal(kns_store_each_event(f->store, last, 100, count_events, &after, NULL), KNS_OK);
    assert_int_equal(after, -1);
}

/* ---- durability --------------------------------------------------------------------------------------------------- */

static void a_second_writer_is_refused(void **state)
{
    struct fixture *f = *state;
    struct kns_store *second = NULL;
    struct kns_error err = {0};

    assert_int_equal(kns_store_open(f->path, KNS_STORE_WRITER, KNS_STORE_SYNC_FULL, &second, &err),
                     KNS_EBUSY);
    assert_non_null(strstr(err.message, "another knsd"));
    assert_int_equal(kns_store_open(f->path, KNS_STORE_READER, KNS_STORE_SYNC_FULL, &second, &err),
                     KNS_OK);
    int64_t id = 0;
    assert_int_not_equal(kns_store_add_feed(second, &(struct kns_feed_edit){.url = "http://x/"},
                                            now, now, &id, &err),
                         KNS_OK);
    kns_store_close(second);
}

static void a_database_that_is_not_ours_is_left_untouched(void **state)
{
    struct fixture *f = *state;
    char path[128], before[32] = "not a database, but somebody's", after[32] = "";
    struct kns_store *store = NULL;
    struct kns_error err = {0};

    snprintf(path, sizeof(path), "%s/other.db", f->dir);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 40; i++)
        fwrite(before, 1, 30, file);
    fclose(file);
    assert_int_equal(kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_FULL, &store, &err),
                     KNS_ECORRUPT);
    file = fopen(path, "r");
    assert_int_equal(fread(after, 1, 30, file), 30);
    fclose(file);
    assert_memory_equal(before, after, 30);
}

static void what_failed_in_a_group_leaves_the_others(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(kns_store_begin(f->store, NULL), KNS_OK);
    int64_t a = add_feed(f, "http://a.example/feed");
    assert_int_equal(
        kns_store_edit_feed(f->store, 999, &(struct kns_feed_edit){.user_title = "x"}, now, NULL),
        KNS_ENOTFOUND);
    poll(f, a, "<item><title>1</title><link>http://s/1</link></item>");
    assert_int_equal(kns_store_commit(f->store, NULL), KNS_OK);
    assert_string_equal(list(f, (struct kns_item_query){0}).text, "1");
}

static void a_killed_writer_loses_and_repeats_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    kns_store_close(f->store);
    f->store = NULL;
    for (int round = 0; round < 20; round++) {
        int acknowledged[2];
        assert_int_equal(pipe(acknowledged), 0);
        pid_t child = fork();
        if (child == 0) {
            open_store(f);
            for (int i = 0;; i++) {
                char items[200];
                snprintf(items, sizeof(items),
                         "<item><title>%d-%d</title><link>http://s/%d/%d</link></item>", round, i,
                         round, i);
                poll(f, a, items);
                if (write(acknowledged[1], &i, sizeof(i)) != sizeof(i))
                    _exit(1);
            }
        }
        close(acknowledged[1]);
        int last = -1, got;
        for (int n = 0; n < 1 + round && read(acknowledged[0], &got, sizeof(got)) == sizeof(got);
             n++)
            last = got;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(acknowledged[0], &got, sizeof(got)) == sizeof(got))
            last = got;
        close(acknowledged[0]);
        open_store(f);
        char q[32];
        snprintf(q, sizeof(q), "\"%d-%d\"", round, last);
        assert_string_not_equal(search(f, q), "");
        assert_null(strchr(search(f, q), '|'));
        kns_store_close(f->store);
        f->store = NULL;
    }
    open_store(f);
}

static void on_problem(void *ctx, const char *problem)
{
    (void)ctx;
    print_error("%s\n", problem);
}

static void a_backup_is_a_sound_copy(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    char path[128];
    struct kns_store *copy = NULL;

    poll(f, a, "<item><title>1</title><link>http://s/1</link></item>");
    snprintf(path, sizeof(path), "%s/copy.db", f->dir);
    assert_int_equal(kns_store_backup(f->store, path, NULL), KNS_OK);
    assert_int_equal(kns_store_backup(f->store, path, NULL), KNS_EEXIST);
    assert_int_equal(kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_FULL, &copy, NULL),
                     KNS_OK);
    assert_int_equal(kns_store_check(copy, on_problem, NULL, NULL), KNS_OK);
    struct kns_store_figures figures = {0};
    assert_int_equal(kns_store_get_figures(copy, &figures, NULL), KNS_OK);
    assert_int_equal(figures.items, 1);
    kns_store_close(copy);
    assert_int_equal(kns_store_check(f->store, on_problem, NULL, NULL), KNS_OK);
}

static void another_spelling_of_a_known_url_is_no_news(void **state)
{
    static const char *const spellings[] = {
        "https://s.example/a",
        "http://www.s.example/a/",
        "https://m.s.example/a/index.html",
        "https://amp.s.example/a/amp/",
        "https://www.google.com/url?q=https%3A%2F%2Fs.example%2Fa&amp;sa=X",
        "https://www.google.com/amp/s/s.example/a",
        "https://l.facebook.com/l.php?u=http%3A%2F%2Fs.example%2Fa%3Futm_source%3Dx",
    };
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        char items[300];
        snprintf(
            items, sizeof(items),
            "<item><title>1</title><link>%s</link><guid isPermaLink='false'>g%zu</guid></item>",
            spellings[i], i);
        if (poll(f, a, items).new_items != (i == 0))
            fail_msg("%s", spellings[i]);
    }
    assert_int_equal(
        poll(f, a, "<item><title>2</title><link>https://s.example/a?page=2</link></item>")
            .new_items,
        1);
}

static void pages_that_differ_by_a_slash_in_one_document_are_two(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    assert_int_equal(poll(f, a,
                          "<item><title>1</title><link>http://s.example/a</link></item>"
                          "<item><title>2</title><link>http://s.example/a/</link></item>")
                         .new_items,
                     2);
}

static void a_word_of_two_scripts_is_found_across_their_border(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a,
         "<item><title>東京3回目の機械学習LT会</title><link>http://s/1</link></item>"
         "<item><title>Titanic or House</title><link>http://s/2</link></item>");
    assert_string_not_equal(search(f, "機械学習LT"), "");
    assert_string_not_equal(search(f, "東京3回"), "");
    assert_string_not_equal(search(f, "京3"), "");
    assert_string_not_equal(search(f, "LT会"), "");
    assert_string_not_equal(search(f, "機械　東京"), "");
    assert_string_equal(search(f, "械習"), "");
    assert_string_equal(search(f, "東京LT"), "");
    assert_string_equal(search(f, "or house"), "Titanic or House");
    assert_string_equal(search(f, "nothing or house"), "");
    assert_string_equal(search(f, "nothing OR house"), "Titanic or House");
}

static void a_split_item_stays_two(void **state)
{
    static const char in_a[] =
        "<item><title>A</title><link>http://s/1</link><guid isPermaLink='false'>a</guid></item>";
    static const char in_b[] =
        "<item><title>B</title><link>http://s/1</link><guid isPermaLink='false'>b</guid></item>";
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");
    int64_t other = 0;

    poll(f, a, in_a);
    assert_int_equal(poll(f, b, in_b).new_items, 0);
    int64_t id = list(f, (struct kns_item_query){0}).first_id;
    assert_int_equal(kns_store_split_item(f->store, id, 99, now, &other, NULL), KNS_ENOTFOUND);
    assert_int_equal(kns_store_split_item(f->store, id, b, now, &other, NULL), KNS_OK);
    assert_int_equal(kns_store_split_item(f->store, id, a, now, &other, NULL), KNS_EINVAL);
    assert_int_equal(poll(f, a, in_a).new_items, 0);
    assert_int_equal(poll(f, b, in_b).new_items, 0);
    assert_string_equal(search(f, "B"), "B");
    assert_string_equal(search(f, "A"), "A");
    assert_int_equal(kns_store_check(f->store, on_problem, NULL, NULL), KNS_OK);
}

/* Small pages walk the items by time, large ones sort what the filter holds: see is_sparse in query.c. */
static void both_ways_to_a_page_give_the_same_items(void **state)
{
    struct fixture *f = *state;
    struct kns_string tag = {.value = "t"};
    const struct kns_feed_edit edit = {.tags = &(struct kns_strings){.list = {&tag, &tag, 1}}};
    int64_t feeds[2] = {add_feed(f, "http://a.example/feed"), add_feed(f, "http://b.example/feed")};

    assert_int_equal(kns_store_edit_feed(f->store, feeds[0], &edit, now, NULL), KNS_OK);
    for (int i = 0; i < 10; i++) {
        char item[120];
        snprintf(item, sizeof(item), "<item><title>%d</title><link>http://s/%d</link></item>", i,
                 i);
        poll_at(f, feeds[i % 2], item, (struct kns_time){now.unix_s + i});
    }
    for (size_t limit = 1; limit < 20; limit += 3) {
        assert_string_equal(list(f, (struct kns_item_query){.tag = "t", .limit = limit}).text,
                            "8|6|4|2|0");
        assert_string_equal(
            list(f, (struct kns_item_query){.feeds = feeds, .n_feeds = 2, .limit = limit}).text,
            "9|8|7|6|5|4|3|2|1|0");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void a_snippet_marks_all_that_was_found(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a,
         "<item><title>Der Titel</title><description>Cafés, ＫＡＧＧＬＥの機械学習。A "
         "kaggle-grandmaster "
         "met (Kaggle) kagglers; 学習ｶﾞ 学習</description></item>");
    assert_string_equal(snippet(f, "kaggle 学習"),
                        "Cafés, [ＫＡＧＧＬＥ]の機械[学習]。A [kaggle]-grandmaster met ([Kaggle]) "
                        "kagglers; [学習]ｶﾞ [学習]");
    assert_string_equal(snippet(f, "cafes"),
                        "[Cafés], ＫＡＧＧＬＥの機械学習。A kaggle-grandmaster met "
                        "(Kaggle) kagglers; 学習ｶﾞ 学習");
    assert_non_null(strstr(snippet(f, "kaggl*"), "([Kaggle]) [kagglers]"));
    assert_non_null(
        strstr(snippet(f, "\"kaggle grandmaster\" -nothing"), "A [kaggle-grandmaster] met"));
    assert_non_null(strstr(snippet(f, "習ガ"), "学[習ｶﾞ] 学習"));
    assert_string_equal(snippet(f, "title:titel"), "Der [Titel]");
    assert_string_equal(snippet(f, "titel OR missing"), "Der [Titel]");
}

static void a_long_text_is_cut_around_what_was_found(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    char items[6000] = "<item><title>x</title><description>", *at = items + strlen(items);

    for (int i = 0; i < 500; i++)
        at += sprintf(at, "%s ", i == 300 ? "解法" : i == 499 ? "needle" : "まえ");
    strcpy(at, "</description></item>");
    poll(f, a, items);
    const char *found = snippet(f, "needle 解法");
    assert_non_null(strstr(found, "[解法]"));
    assert_null(strstr(found, "needle"));
    assert_int_equal(strncmp(found, "…", 3), 0);
    assert_true(strlen(found) < 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_snippet_marks_all_that_was_found),
        TEST(a_long_text_is_cut_around_what_was_found),
        TEST(an_article_in_two_feeds_is_one_item),
        TEST(the_same_document_twice_stores_nothing),
        TEST(an_edited_entry_keeps_its_id_and_is_not_new_again),
        TEST(the_same_guid_at_a_new_url_is_the_item_moved),
        TEST(changed_guids_with_the_same_urls_are_no_news),
        TEST(entries_that_share_a_url_are_told_apart_by_guid),
        TEST(entries_without_url_and_guid_are_told_apart_by_title_and_date),
        TEST(pages_go_by_key_and_miss_nothing),
        TEST(a_future_date_never_lifts_an_item_above_the_present),
        TEST(filters_choose),
        TEST(search_finds_japanese_words),
        TEST(bad_query_syntax_is_taken_as_words),
        TEST(what_retention_removed_does_not_come_back),
        TEST(what_was_published_stays_without_star_or_note),
        TEST(removing_a_feed_keeps_what_others_carry_and_what_is_starred),
        TEST(two_feeds_become_one),
        TEST(a_new_url_drops_the_validators),
        TEST(events_resume_after_a_number),
        TEST(a_second_writer_is_refused),
        TEST(a_database_that_is_not_ours_is_left_untouched),
        TEST(what_failed_in_a_group_leaves_the_others),
        TEST(a_killed_writer_loses_and_repeats_nothing),
        TEST(a_backup_is_a_sound_copy),
        TEST(a_split_item_stays_two),
        TEST(both_ways_to_a_page_give_the_same_items),
        TEST(another_spelling_of_a_known_url_is_no_news),
        TEST(pages_that_differ_by_a_slash_in_one_document_are_two),
        TEST(a_word_of_two_scripts_is_found_across_their_border),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
