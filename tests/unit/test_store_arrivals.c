/* What happens to items as they arrive: rules act on them, the addresses that they name are gathered; and databases of older
 * versions get there. */
#include "lib/parse.h"
#include "lib/store.h"
#include "lib/store/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static const struct kns_time now = {1700000000};

struct fixture {
    char dir[64], path[96];
    struct kns_store *store;
    struct kns_arena *arena;
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

    strcpy(f->dir, "/tmp/kns-arrivals-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/kns.db", f->dir);
    f->arena = kns_arena_new(0);
    *state = f;
    return 0;
}

static int set_up_open(void **state)
{
    set_up(state);
    open_store(*state);
    return 0;
}

static void on_problem(void *ctx, const char *problem)
{
    (void)ctx;
    print_error("%s\n", problem);
}

/* Whatever a test did, the store's own invariants hold. */
static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    assert_int_equal(kns_store_check(f->store, on_problem, NULL, NULL), KNS_OK);
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

static struct kns_poll_result poll_at(struct fixture *f, int64_t feed, const char *items,
                                      int64_t at)
{
    struct kns_document *document = NULL;
    struct kns_poll_result result = {0};
    struct kns_error err = {0};
    char rss[16384];

    snprintf(rss, sizeof(rss), "<rss version='2.0'><channel><title>T</title>%s</channel></rss>",
             items);
    assert_int_equal(kns_parse(NULL, rss, strlen(rss), &document, NULL), KNS_OK);
    const struct kns_poll poll = {.feed_id = feed,
                                  .started_at = {at},
                                  .outcome = KNS_POLL_NEW_DOCUMENT,
                                  .http_status = 200,
                                  .health = KNS_HEALTH_OK,
                                  .schedule = {.next_poll_at = {at + 3600}, .entries_per_day = -1},
                                  .document = document};
    if (kns_store_record_poll(f->store, &poll, &result, &err) != KNS_OK)
        fail_msg("poll: %s", err.message);
    kns_document_free(document);
    return result;
}

static struct kns_poll_result poll(struct fixture *f, int64_t feed, const char *items)
{
    return poll_at(f, feed, items, now.unix_s);
}

static bool find_title(void *ctx, const struct kns_item *item)
{
    struct {
        const char *title;
        int64_t id;
    } *wanted = ctx;

    if (item->entry.title != NULL && strcmp(item->entry.title, wanted->title) == 0)
        wanted->id = item->id;
    return true;
}

/* The item of a title; NULL: there is none. */
static struct kns_item *item_of(struct fixture *f, const char *title)
{
    struct {
        const char *title;
        int64_t id;
    } wanted = {title, 0};
    struct kns_item *item = NULL;
    const char *cursor;

    assert_int_equal(kns_store_query_items(f->store, f->arena,
                                           &(struct kns_item_query){.limit = 1000}, find_title,
                                           &wanted, &cursor, NULL),
                     KNS_OK);
    if (wanted.id != 0)
        assert_int_equal(kns_store_get_item(f->store, f->arena, wanted.id, &item, NULL), KNS_OK);
    return item;
}

static int64_t add_rule(struct fixture *f, const char *text)
{
    struct kns_error err = {0};
    int64_t id = 0;

    if (kns_store_add_rule(f->store, text, now, &id, &err) != KNS_OK)
        fail_msg("%s: %s", text, err.message);
    return id;
}

/* ---- rules -------------------------------------------------------------------------------------------------------- */

static bool keep_rule(void *ctx, const struct kns_rule_record *rule)
{
    struct kns_rule_record *records = ctx;
    size_t n = 0;

    while (records[n].id != 0)
        n++;
    records[n] = *rule;
    return n < 8;
}

static void rules_act_on_what_arrives(void **state)
{
    struct fixture *f = *state;
    struct kns_rule_record records[10] = {0};
    int64_t a = add_feed(f, "http://a.example/feed");

    add_rule(f, "tag ml/papers, score +5 if url has arxiv");
    add_rule(f, "star if tag = ml and title has 解法");
    add_rule(f, "read if content ~ /sponsored/i");
    struct kns_poll_result result =
        poll(f, a,
             "<item><title>解法1</title><link>http://arxiv.org/1</link></item>"
             "<item><title>2</title><link>http://s/2</link><description>Sponsored &lt;b&gt;by"
             "&lt;/b&gt;</description></item>");
    assert_int_equal(result.new_items, 2);
    struct kns_item *one = item_of(f, "解法1"), *two = item_of(f, "2");
    assert_true(one->starred && !one->read);
    assert_int_equal(one->score, 5);
    assert_string_equal(one->tags.list.first->value, "ml/papers");
    assert_true(two->read && !two->starred);
    assert_int_equal(kns_store_each_rule(f->store, keep_rule, records, NULL), KNS_OK);
    assert_int_equal(records[0].matches, 1);
    assert_int_equal(records[2].matches, 1);
    assert_int_equal(records[2].last_match_at.unix_s, now.unix_s);
}

static void a_dropped_entry_stays_away_even_when_its_rule_is_gone(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    const char *items = "<item><title>ad</title><link>http://s/1</link><guid>1</guid></item>"
                        "<item><title>kept</title><link>http://s/2</link></item>";
    int64_t rule = add_rule(f, "drop if title = ad");
    struct kns_poll_result first = poll(f, a, items);

    assert_int_equal(first.new_items, 1);
    assert_int_equal(first.dropped_items, 1);
    assert_null(item_of(f, "ad"));
    assert_int_equal(kns_store_remove_rule(f->store, rule, NULL), KNS_OK);
    struct kns_poll_result again = poll(f, a, items);
    assert_int_equal(again.new_items + again.dropped_items, 0);
    assert_int_equal(again.seen_items, 2);
    assert_null(item_of(f, "ad"));
}

static void what_one_feed_drops_another_may_bring(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");
    const char *items = "<item><title>x</title><link>http://s/1</link></item>";

    add_rule(f, "drop if feed = http://a.example/feed");
    assert_int_equal(poll(f, a, items).dropped_items, 1);
    assert_int_equal(poll(f, b, items).new_items, 1);
    assert_int_equal(item_of(f, "x")->feeds.count, 1);
}

static void rules_are_imported_all_or_none(void **state)
{
    struct fixture *f = *state;
    struct kns_rule_record records[10] = {0};
    struct kns_rule_import import;
    struct kns_error err = {0};
    int64_t id = 0;

    add_rule(f, "star if feed = 1");
    assert_int_equal(kns_store_import_rules(f->store, "# mine\n\nread if feed = 2\nstar if\n", true,
                                            now, &import, &err),
                     KNS_EINVAL);
    assert_string_equal(err.message, "line 4: the rule ends at character 8: expected feed, tag, "
                                     "title, author, url, category or content");
    assert_int_equal(kns_store_each_rule(f->store, keep_rule, records, NULL), KNS_OK);
    assert_int_equal(records[0].id, 1);
    assert_int_equal(records[1].id, 0);
    assert_int_equal(kns_store_import_rules(f->store, "star if feed = 1\r\n  read if feed = 2  ",
                                            false, now, &import, &err),
                     KNS_OK);
    assert_int_equal(import.added, 1);
    assert_int_equal(import.known, 1);
    assert_int_equal(kns_store_add_rule(f->store, " read if feed = 2", now, &id, &err), KNS_EEXIST);
    assert_int_equal(kns_store_remove_rule(f->store, 99, &err), KNS_ENOTFOUND);
}

static bool count_hit(void *ctx, const struct kns_item *item,
                      const struct kns_rule_verdict *verdict)
{
    (void)item;
    *(int *)ctx += verdict->drop;
    return true;
}

static void a_test_says_what_a_rule_would_have_done_and_does_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    struct kns_rule_trial trial;
    const char *cursor = NULL;
    int dropped = 0;

    poll_at(f, a, "<item><title>old</title><link>http://s/1</link></item>", now.unix_s - 86400);
    poll(f, a,
         "<item><title>new</title><link>http://s/2</link></item>"
         "<item><title>other</title><link>http://s/3</link></item>");
    const struct kns_rule_test test = {.text = "drop if title ~ /old|new/",
                                       .since = {now.unix_s - 3600}};
    assert_int_equal(
        kns_store_test_rules(f->store, f->arena, &test, count_hit, &dropped, &trial, &cursor, NULL),
        KNS_OK);
    assert_int_equal(trial.tried, 2);
    assert_int_equal(trial.matched, 1);
    assert_int_equal(dropped, 1);
    assert_non_null(item_of(f, "new"));
    assert_int_equal(kns_store_test_rules(f->store, f->arena, &(struct kns_rule_test){.rule_id = 7},
                                          count_hit, &dropped, &trial, &cursor, NULL),
                     KNS_ENOTFOUND);
}

/* ---- links -------------------------------------------------------------------------------------------------------- */

#define NAMING(number, address)                                                                    \
    "<item><title>n" number "</title><link>http://s/n" number "</link><description>See &lt;a "     \
    "href='" address "'&gt;text " number "&lt;/a&gt;.</description></item>"

struct named {
    char text[2000];
};

/* "URL feeds item/text item/text|…" */
static bool note_link(void *ctx, const struct kns_named_link *link)
{
    struct named *named = ctx;
    const struct kns_link_mention *mention;

    sprintf(named->text + strlen(named->text), "%s%s %d", *named->text == '\0' ? "" : "|",
            link->url, (int)link->feeds);
    KNS_LIST_EACH(mention, &link->mentions)
    sprintf(named->text + strlen(named->text), " %s/%s", mention->item_title, mention->text);
    return true;
}

static const char *links(struct fixture *f, struct kns_link_query query)
{
    static struct named named;
    struct kns_error err = {0};
    const char *cursor = NULL;

    named.text[0] = '\0';
    do {
        query.cursor = cursor;
        if (kns_store_query_links(f->store, f->arena, &query, note_link, &named, &cursor, &err) !=
            KNS_OK)
            fail_msg("links: %s", err.message);
    } while (cursor != NULL);
    return named.text;
}

static void an_address_that_several_feeds_name_shows_up(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");

    poll(f, a, NAMING("1", "https://t.example/tool?utm_source=a") NAMING("2", "http://only.a/"));
    assert_string_equal(links(f, (struct kns_link_query){0}), "");
    poll(f, a, NAMING("3", "https://t.example/tool#x"));
    assert_string_equal(links(f, (struct kns_link_query){0}), "");
    poll(f, b, NAMING("4", "http://www.t.example/tool/"));
    assert_string_equal(links(f, (struct kns_link_query){0}),
                        "https://t.example/tool 2 n3/text 3 n4/text 4");
    assert_string_equal(links(f, (struct kns_link_query){.min_feeds = 3}), "");
    assert_string_equal(links(f, (struct kns_link_query){.since = {now.unix_s + 1}}), "");
}

static void addresses_that_most_feeds_name_come_first_page_by_page(void **state)
{
    struct fixture *f = *state;
    static const char *const items[] = {NAMING("1", "http://x/1") NAMING("2", "http://x/2"),
                                        NAMING("3", "http://x/1") NAMING("4", "http://x/2"),
                                        NAMING("5", "http://x/2")};

    for (size_t i = 0; i < 3; i++) {
        char url[40];
        snprintf(url, sizeof(url), "http://%zu.example/feed", i);
        poll(f, add_feed(f, url), items[i]);
    }
    assert_string_equal(links(f, (struct kns_link_query){.limit = 1}),
                        "http://x/2 3 n2/text 2 n4/text 4 n5/text 5|"
                        "http://x/1 2 n1/text 1 n3/text 3");
}

static void who_links_to_an_item_is_one_of_its_sources(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed"),
            c = add_feed(f, "http://c.example/feed");

    /* Named before it is carried, by one that carries it too, and after. */
    poll(f, a, NAMING("1", "http://t.example/1"));
    poll(f, b, "<item><title>T</title><link>http://t.example/1</link></item>");
    assert_int_equal(item_of(f, "T")->sources, 2);
    poll(f, b, NAMING("2", "http://t.example/1"));
    assert_int_equal(item_of(f, "T")->sources, 2);
    poll(f, c, NAMING("3", "http://t.example/1") NAMING("4", "http://t.example/1"));
    assert_int_equal(item_of(f, "T")->sources, 3);
    assert_string_equal(links(f, (struct kns_link_query){0}), "");
    /* Until their words change, or they go. */
    poll(f, a, "<item><title>n1</title><link>http://s/n1</link></item>");
    assert_int_equal(item_of(f, "T")->sources, 2);
    assert_int_equal(kns_store_remove_feed(f->store, c, now, NULL), KNS_OK);
    assert_int_equal(item_of(f, "T")->sources, 1);
}

static void an_address_whose_item_was_removed_does_not_show_up(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed"),
            c = add_feed(f, "http://c.example/feed");

    poll(f, c, "<item><title>T</title><link>http://t.example/1</link></item>");
    poll(f, a, NAMING("1", "http://t.example/1"));
    poll(f, b, NAMING("2", "http://t.example/1"));
    assert_int_equal(item_of(f, "T")->sources, 3);
    assert_int_equal(kns_store_remove_feed(f->store, c, now, NULL), KNS_OK);
    assert_string_equal(links(f, (struct kns_link_query){0}), "");
}

static void a_feed_that_becomes_another_takes_its_items_and_links_along(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");

    poll(f, a, NAMING("1", "http://x/1") "<item><title>T</title><link>http://t/1</link></item>");
    poll(f, b, NAMING("2", "http://x/1") "<item><title>T</title><link>http://t/1</link></item>");
    assert_int_equal(item_of(f, "T")->sources, 2);
    assert_int_equal(kns_store_merge_feeds(f->store, a, b, now, NULL), KNS_OK);
    assert_int_equal(item_of(f, "T")->sources, 1);
    assert_string_equal(links(f, (struct kns_link_query){0}), "");
    /* Its items listen to the feed that they are in now. */
    assert_int_equal(
        poll(f, b, "<item><title>edited</title><link>http://s/n1</link></item>").updated_items, 1);
}

/* ---- when an entry was listed, and what retention leaves ------------------------------------------------------------ */

static bool keep_last(void *ctx, const struct kns_sighting *s)
{
    *(int64_t *)ctx = s->last_seen.unix_s;
    return true;
}

static int64_t last_seen(struct fixture *f, const char *title)
{
    int64_t last = -1;

    assert_int_equal(
        kns_store_each_sighting(f->store, item_of(f, title)->id, keep_last, &last, NULL), KNS_OK);
    return last - now.unix_s;
}

static void a_sighting_knows_when_its_feed_listed_it_last(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");
    const char *one = "<item><title>1</title><link>http://s/1</link></item>",
               *two = "<item><title>2</title><link>http://s/2</link></item>";
    char both[200];

    snprintf(both, sizeof(both), "%s%s", one, two);
    poll_at(f, a, both, now.unix_s);
    poll_at(f, a, both, now.unix_s + 100);
    assert_int_equal(last_seen(f, "1"), 100);
    poll_at(f, a, two, now.unix_s + 200);
    poll_at(f, a, two, now.unix_s + 300);
    assert_int_equal(last_seen(f, "1"), 100);
    assert_int_equal(last_seen(f, "2"), 300);
    poll_at(f, a, one, now.unix_s + 400);
    assert_int_equal(last_seen(f, "1"), 400);
    assert_int_equal(last_seen(f, "2"), 300);
}

/* Retention until there is nothing more to do. */
static int expire_all(struct fixture *f, int64_t keep, struct kns_time at)
{
    struct kns_store_figures before = {0}, after = {0};
    bool more = true;

    assert_int_equal(kns_store_get_figures(f->store, &before, NULL), KNS_OK);
    for (int i = 0; more; i++) {
        assert_true(i < 1000);
        assert_int_equal(kns_store_expire(f->store, 0, keep, at, 7, &more, NULL), KNS_OK);
    }
    assert_int_equal(kns_store_get_figures(f->store, &after, NULL), KNS_OK);
    return (int)(before.items - after.items);
}

static void retention_by_number_leaves_what_another_feed_carries(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");
    char items[4000] = "", *at = items;

    for (int i = 0; i < 10; i++)
        at += sprintf(at, "<item><title>%d</title><link>http://s/%d</link></item>", i, i);
    poll(f, a, items);
    poll(f, b,
         "<item><title>9</title><link>http://s/9</link></item>"
         "<item><title>8</title><link>http://s/8</link></item>");
    assert_int_equal(expire_all(f, 3, now), 5);
    assert_non_null(item_of(f, "9"));
    assert_non_null(item_of(f, "8"));
    assert_int_equal(expire_all(f, 3, now), 0);
    /* What is gone stays away, and new items are looked at again. */
    poll_at(f, a, items, now.unix_s + 7200);
    assert_int_equal(expire_all(f, 3, (struct kns_time){now.unix_s + 7200}), 0);
    poll_at(f, a, "<item><title>x</title><link>http://s/x</link></item>", now.unix_s + 9000);
    assert_int_equal(expire_all(f, 3, (struct kns_time){now.unix_s + 9000}), 1);
    assert_non_null(item_of(f, "x"));
}

static void retention_by_number_comes_to_every_feed(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(kns_store_begin(f->store, NULL), KNS_OK);
    for (int i = 0; i < 150; i++) {
        char url[60], items[400];
        snprintf(url, sizeof(url), "http://%d.example/feed", i);
        snprintf(items, sizeof(items),
                 "<item><title>a%d</title><link>http://s/a%d</link></item>"
                 "<item><title>b%d</title><link>http://s/b%d</link></item>",
                 i, i, i, i);
        poll(f, add_feed(f, url), items);
    }
    assert_int_equal(kns_store_commit(f->store, NULL), KNS_OK);
    assert_int_equal(expire_all(f, 1, now), 150);
    assert_int_equal(expire_all(f, 0, now), 0);
}

/* ---- the search index in a transaction ------------------------------------------------------------------------------ */

static bool count_item(void *ctx, const struct kns_item *item)
{
    (void)item;
    ++*(int *)ctx;
    return true;
}

static int found(struct fixture *f, const char *q)
{
    const char *cursor;
    int n = 0;

    assert_int_equal(kns_store_query_items(f->store, f->arena, &(struct kns_item_query){.q = q},
                                           count_item, &n, &cursor, NULL),
                     KNS_OK);
    return n;
}

static int64_t count(struct fixture *f, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    assert_int_equal(sqlite3_prepare_v2(f->store->db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

static void run_sql(struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;

    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

/* A poll's part fails after its items: what status it has. */
static enum kns_status poll_that_fails(struct fixture *f, int64_t feed, const char *rss)
{
    struct kns_document *document = NULL;
    struct kns_poll_result result;

    assert_int_equal(kns_parse(NULL, rss, strlen(rss), &document, NULL), KNS_OK);
    const struct kns_poll poll = {
        .feed_id = feed, .started_at = now, .http_status = 599, .document = document};
    enum kns_status status = kns_store_record_poll(f->store, &poll, &result, NULL);
    kns_document_free(document);
    return status;
}

static void what_is_undone_in_a_transaction_is_not_found(void **state)
{
    struct fixture *f = *state;
    int64_t a = add_feed(f, "http://a.example/feed");

    poll(f, a, "<item><title>old title</title><guid>1</guid></item>");
    run_sql(f, "CREATE TRIGGER fails BEFORE INSERT ON poll WHEN new.http_status = 599 BEGIN "
               "SELECT RAISE(ABORT, 'no'); END");
    assert_int_equal(kns_store_begin(f->store, NULL), KNS_OK);
    poll(f, a, "<item><title>before</title><guid>2</guid></item>");
    assert_int_not_equal(
        poll_that_fails(
            f, a,
            "<rss version='2.0'><channel><item><title>undone</title><guid>3</guid>"
            "</item><item><title>new title</title><guid>1</guid></item></channel></rss>"),
        KNS_OK);
    poll(f, a, "<item><title>behind</title><guid>4</guid></item>");
    /* And inside of the transaction everything is found that is there. */
    assert_int_equal(found(f, "before"), 1);
    assert_int_equal(found(f, "behind"), 1);
    poll(f, a, "<item><title>last edit</title><guid>2</guid></item>");
    assert_int_equal(kns_store_commit(f->store, NULL), KNS_OK);
    assert_int_equal(found(f, "old"), 1);
    assert_int_equal(found(f, "undone"), 0);
    assert_int_equal(found(f, "new"), 0);
    assert_int_equal(found(f, "before"), 0);
    assert_int_equal(found(f, "edit"), 1);
    assert_int_equal(found(f, "behind"), 1);
    /* A transaction that is given up leaves nothing for the next. */
    assert_int_equal(kns_store_begin(f->store, NULL), KNS_OK);
    poll(f, a, "<item><title>given up</title><guid>5</guid></item>");
    kns_store_rollback(f->store);
    poll(f, a, "<item><title>alone</title><guid>6</guid></item>");
    assert_int_equal(found(f, "given"), 0);
    assert_int_equal(found(f, "alone"), 1);
    run_sql(f, "DROP TRIGGER fails");
}

/* The group that finds out fails; from then on only who needs the index. */
static void an_index_that_cannot_be_written_fails_only_what_it_concerns(void **state)
{
    static const char items[] = "<item><title>word</title><guid>1</guid></item>";
    struct fixture *f = *state;
    struct kns_poll_result result;
    int64_t a = add_feed(f, "http://a.example/feed"), b = add_feed(f, "http://b.example/feed");
    const struct kns_poll unchanged = {
        .feed_id = b, .started_at = now, .outcome = KNS_POLL_UNCHANGED, .http_status = 304};

    poll(f, a, "<item><title>first</title><guid>0</guid></item>");
    run_sql(f, "CREATE TABLE saved AS SELECT id, block FROM item_text_data WHERE id = 10;"
               "UPDATE item_text_data SET block = x'0000000000ffffff' WHERE id = 10");
    assert_int_equal(kns_store_begin(f->store, NULL), KNS_OK);
    poll(f, a, items);
    assert_int_equal(kns_store_record_poll(f->store, &unchanged, &result, NULL), KNS_OK);
    assert_int_equal(kns_store_commit(f->store, NULL), KNS_ECORRUPT);
    assert_int_equal(kns_store_begin(f->store, NULL), KNS_OK);
    assert_int_equal(poll_that_fails(f, a,
                                     "<rss version='2.0'><channel><item><title>word</title>"
                                     "<guid>1</guid></item></channel></rss>"),
                     KNS_ECORRUPT);
    assert_int_equal(kns_store_record_poll(f->store, &unchanged, &result, NULL), KNS_OK);
    assert_int_equal(kns_store_commit(f->store, NULL), KNS_OK);
    assert_null(item_of(f, "word"));
    run_sql(f, "UPDATE item_text_data SET block = (SELECT block FROM saved) WHERE id = 10;"
               "DROP TABLE saved");
    kns_store_close(f->store);
    open_store(f);
    poll(f, a, items);
    assert_int_equal(found(f, "word"), 1);
}

/* ---- older databases ---------------------------------------------------------------------------------------------- */

static void load(struct fixture *f, const char *name)
{
    sqlite3 *db = NULL;
    char path[300], *why = NULL, *sql = calloc(1, 1 << 20);
    FILE *file;

    snprintf(path, sizeof(path), KNS_SOURCE_DIR "/tests/fixtures/store/%s", name);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(sql, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", path, why);
    sqlite3_close(db);
    free(sql);
}

static void a_database_of_version_1_becomes_a_current_one(void **state)
{
    struct fixture *f = *state;
    struct kns_store_figures figures = {0};
    struct kns_item *item;

    load(f, "version-1.sql");
    open_store(f);
    assert_int_equal(kns_store_get_figures(f->store, &figures, NULL), KNS_OK);
    assert_int_equal(figures.feeds, 3);
    assert_int_equal(figures.feeds_paused, 1);
    assert_int_equal(figures.items, 5);
    assert_int_equal(figures.items_unread, 4);
    assert_int_equal(figures.items_starred, 1);
    assert_int_equal(figures.items_behind, 0);
    assert_int_equal(found(f, "Article"), 5);
    assert_int_equal(found(f, "良"), 1);
    item = item_of(f, "Article 3");
    assert_string_equal(item->note, "良い");
    assert_true(item->starred);
    /* And it works on: what it knew is known, what comes is new. */
    struct kns_poll_result result =
        poll(f, 1,
             "<item><link>https://example.org/2</link><title>Article 2</title></item>"
             "<item><link>https://example.org/9</link><title>Article 9</title></item>");
    assert_int_equal(result.new_items, 1);
    assert_int_equal(kns_store_get_figures(f->store, &figures, NULL), KNS_OK);
    assert_int_equal(figures.items_unread, 5);
}

/* What an older version stored is put into the index by and by: until then it is listed, and what is done to it is right. */
static void an_older_database_is_caught_up_with_step_by_step(void **state)
{
    struct fixture *f = *state;
    struct kns_store_figures figures = {0};
    const struct kns_item_edit note = {.note = "noted"};
    bool more = true;
    int64_t feed = add_feed(f, "https://example.org/feed");

    poll(f, feed,
         "<item><link>https://example.org/1</link><title>word 1</title>"
         "<description>&lt;a href='https://named.example/'>named&lt;/a></description></item>"
         "<item><link>https://example.org/2</link><title>word 2</title></item>"
         "<item><link>https://example.org/3</link><title>word 3</title></item>");
    int64_t oldest = item_of(f, "word 3")->id;
    /* As if an older version had stored them. */
    static const char older[] = "INSERT INTO item_text (item_text) VALUES ('delete-all');"
                                "DELETE FROM item_link; DELETE FROM link;"
                                "INSERT INTO mark (name, value) VALUES ('catch up', 4)";
    assert_int_equal(sqlite3_exec(f->store->db, older, NULL, NULL, NULL), SQLITE_OK);
    kns_store_rollback(f->store);
    assert_int_equal(found(f, "word"), 0);
    assert_int_equal(kns_store_edit_item(f->store, oldest, &note, now, NULL), KNS_OK);
    poll(f, feed, "<item><link>https://example.org/4</link><title>word 4</title></item>");
    assert_int_equal(found(f, "word"), 1);
    assert_int_equal(kns_store_catch_up(f->store, 1, &more, NULL), KNS_OK);
    assert_true(more);
    assert_int_equal(found(f, "word"), 2);
    assert_int_equal(kns_store_get_figures(f->store, &figures, NULL), KNS_OK);
    assert_int_equal(figures.items_behind, 2);
    assert_int_equal(kns_store_catch_up(f->store, 100, &more, NULL), KNS_OK);
    assert_false(more);
    assert_int_equal(found(f, "word"), 4);
    assert_int_equal(found(f, "noted"), 1);
    assert_int_equal(count(f, "SELECT count(*) FROM link WHERE url = 'https://named.example/'"), 1);
    assert_int_equal(kns_store_get_figures(f->store, &figures, NULL), KNS_OK);
    assert_int_equal(figures.items_behind, 0);
    /* Nothing stands in it twice: what is taken out is gone. */
    assert_int_equal(
        kns_store_edit_item(f->store, oldest, &(struct kns_item_edit){.note = ""}, now, NULL),
        KNS_OK);
    assert_int_equal(found(f, "noted"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM item_text_docsize"), 4);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up_open, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_older_database_is_caught_up_with_step_by_step),
        TEST(rules_act_on_what_arrives),
        TEST(a_dropped_entry_stays_away_even_when_its_rule_is_gone),
        TEST(what_one_feed_drops_another_may_bring),
        TEST(rules_are_imported_all_or_none),
        TEST(a_test_says_what_a_rule_would_have_done_and_does_nothing),
        TEST(an_address_that_several_feeds_name_shows_up),
        TEST(addresses_that_most_feeds_name_come_first_page_by_page),
        TEST(who_links_to_an_item_is_one_of_its_sources),
        TEST(an_address_whose_item_was_removed_does_not_show_up),
        TEST(a_feed_that_becomes_another_takes_its_items_and_links_along),
        TEST(a_sighting_knows_when_its_feed_listed_it_last),
        TEST(retention_by_number_leaves_what_another_feed_carries),
        TEST(retention_by_number_comes_to_every_feed),
        TEST(what_is_undone_in_a_transaction_is_not_found),
        TEST(an_index_that_cannot_be_written_fails_only_what_it_concerns),
        cmocka_unit_test_setup_teardown(a_database_of_version_1_becomes_a_current_one, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests_name("what arrives", tests, NULL, NULL);
}
