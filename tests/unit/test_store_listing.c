/* Listings: whichever way leads to a page, it is the page that looking at every item one by one gives; and none reads or sorts more than it
 * is meant to. */
#include "lib/store.h"
#include "lib/store/query.h"
#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ITEMS 1200
#define FEEDS 12
#define QUERIES 80
#define PAGES_MOST 5

static const int64_t now_s = 1700000000;

/* ---- a store that is known item by item ------------------------------------------------------------------------------- */

struct known {
    int64_t id, sort_at, first_seen, sources, owner;
    unsigned feeds; /* a bit for each */
    bool read, starred, tagged;
    char title[80], author[20], body[160];
};

static struct known known[ITEMS + 1]; /* by id */
static uint64_t seed = 1;

static unsigned dice(unsigned sides)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(seed >> 33) % sides;
}

static const char *const words[] = {"apple", "applet", "ball",     "cat", "dog",  "eel",
                                    "機械",  "学習",   "機械学習", "解",  "解法", "の解説"};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

/* The first words are rare, the last are frequent. */
static const char *some_word(void)
{
    unsigned a = dice(N_WORDS), b = dice(N_WORDS);

    return words[a > b ? a : b];
}

static void some_text(char *text, size_t size, unsigned n)
{
    *text = '\0';
    for (unsigned i = 0; i < n; i++) {
        size_t len = strlen(text);
        snprintf(text + len, size - len, "%s%s", i == 0 ? "" : " ", some_word());
    }
}

static int64_t some_time(void)
{
    static const int64_t spans[] = {3600, 30 * 86400, 3000000000};

    return now_s - dice((unsigned)spans[dice(3)]);
}

static void poll_item(struct kns_store *store, int64_t feed, struct known *k, int number,
                      int64_t at)
{
    struct kns_document *document = kns_document_new(0);
    struct kns_entry *entry = kns_entry_new(document->arena);
    struct kns_person *author = KNS_NEW(document->arena, struct kns_person);
    struct kns_poll_result result;
    struct kns_error err = {0};

    entry->url = kns_arena_printf(document->arena, "https://example.org/%d", number);
    entry->title = k->title;
    entry->content_text = k->body;
    entry->published.unix_s = k->sort_at;
    author->name = k->author;
    KNS_LIST_APPEND(&entry->authors, author);
    KNS_LIST_APPEND(&document->entries, entry);
    const struct kns_poll poll = {.feed_id = feed,
                                  .started_at = {at},
                                  .http_status = 200,
                                  .health = KNS_HEALTH_OK,
                                  .document = document};
    if (kns_store_record_poll(store, &poll, &result, &err) != KNS_OK)
        fail_msg("poll: %s", err.message);
    kns_document_free(document);
}

/* One in four is read, one in nine starred; some are tagged, some say something else later. */
static void change(struct kns_store *store, struct known *k, int number)
{
    struct kns_string later = {.value = "later"};
    struct kns_strings tags = {0};
    struct kns_item_edit edit = {.set_read = dice(4) == 0, .read = true};

    KNS_LIST_APPEND(&tags.list, &later);
    edit.set_starred = edit.starred = dice(9) == 0;
    edit.add_tags = dice(20) == 0 ? &tags : NULL;
    assert_int_equal(kns_store_edit_item(store, k->id, &edit, (struct kns_time){now_s}, NULL),
                     KNS_OK);
    k->read = edit.set_read;
    k->starred = edit.starred;
    k->tagged = edit.add_tags != NULL;
    if (dice(12) == 0) {
        some_text(k->title, sizeof(k->title), 1 + dice(4));
        poll_item(store, k->owner, k, number, now_s + ITEMS);
    }
}

static void fill(struct kns_store *store)
{
    for (int i = 1; i <= FEEDS; i++) {
        char url[60];
        struct kns_string nodes[2] = {{.value = i % 2 == 0 ? "even" : "odd"}, {.value = "rare/x"}};
        struct kns_strings tags = {0};
        int64_t id = 0;
        snprintf(url, sizeof(url), "https://example.org/feeds/%d", i);
        KNS_LIST_APPEND(&tags.list, &nodes[0]);
        if (i == FEEDS)
            KNS_LIST_APPEND(&tags.list, &nodes[1]);
        const struct kns_feed_edit edit = {.url = url, .tags = &tags};
        assert_int_equal(kns_store_add_feed(store, &edit, (struct kns_time){now_s},
                                            (struct kns_time){now_s}, &id, NULL),
                         KNS_OK);
        assert_int_equal(id, i);
    }
    for (int i = 1; i <= ITEMS; i++) {
        struct known *k = &known[i];
        if (i % 100 == 1)
            assert_int_equal(kns_store_begin(store, NULL), KNS_OK);
        some_text(k->title, sizeof(k->title), 1 + dice(3));
        some_text(k->author, sizeof(k->author), 1);
        some_text(k->body, sizeof(k->body), dice(8));
        k->id = i;
        k->sort_at = some_time();
        k->first_seen = now_s + i;
        int64_t feed = k->owner = 1 + dice(FEEDS);
        for (unsigned n = dice(6) == 0 ? 3 : 1; n > 0; n--, feed = 1 + feed % FEEDS) {
            poll_item(store, feed, k, i, k->first_seen);
            k->feeds |= 1U << feed;
            k->sources++;
        }
        if (i > 50)
            change(store, &known[i - 50], i - 50);
        if (i % 100 == 0)
            assert_int_equal(kns_store_commit(store, NULL), KNS_OK);
    }
}

/* ---- what a search finds, by looking ------------------------------------------------------------------------------------ */

struct term {
    char text[40];    /* as it is typed */
    const char *word; /* and the word or phrase in it */
    enum { ANYWHERE, IN_TITLE, IN_AUTHOR } where;
    bool unwanted, or_before, prefix;
};

static bool is_ascii(const char *word)
{
    return (unsigned char)*word < 0x80;
}

/* Whether a word stands in a text of words with spaces between: an English one whole (or its beginning), a Japanese one anywhere. */
static bool has_word(const char *text, const char *word, bool prefix)
{
    size_t len = strlen(word);

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        bool begins = at == text || at[-1] == ' ', ends = at[len] == ' ' || at[len] == '\0';
        if (!is_ascii(word) || (begins && (ends || prefix)))
            return true;
    }
    return false;
}

static bool term_finds(const struct term *term, const struct known *k)
{
    return (term->where != IN_AUTHOR && has_word(k->title, term->word, term->prefix)) ||
           (term->where != IN_TITLE && has_word(k->author, term->word, term->prefix)) ||
           (term->where == ANYWHERE && has_word(k->body, term->word, term->prefix));
}

/* AND binds more than OR; what is unwanted is taken from all. */
static bool search_finds(const struct term *terms, size_t n, const struct known *k)
{
    bool any = false, all = true, wanted = false;

    for (size_t i = 0; i < n; i++) {
        bool found = term_finds(&terms[i], k);
        if (terms[i].unwanted && found)
            return false;
        if (terms[i].unwanted)
            continue;
        if (terms[i].or_before && wanted) {
            any = any || all;
            all = true;
        }
        wanted = true;
        all = all && found;
    }
    return wanted && (any || all);
}

static void some_term(struct term *term, bool first)
{
    static const char *const columns[] = {"", "title:", "author:"};
    static const char *const phrases[] = {"apple ball", "cat cat", "dog apple"};
    static char phrase[20];
    unsigned kind = dice(10);

    term->word = some_word();
    term->where = kind == 0 ? IN_TITLE : kind == 1 ? IN_AUTHOR : ANYWHERE;
    term->unwanted = !first && dice(4) == 0;
    term->or_before = !first && !term->unwanted && dice(3) == 0;
    term->prefix = is_ascii(term->word) && dice(5) == 0;
    if (kind == 2) {
        term->word = phrases[dice(3)];
        term->prefix = false;
        snprintf(phrase, sizeof(phrase), "\"%s\"", term->word);
    }
    snprintf(term->text, sizeof(term->text), "%s%s%s%s", term->unwanted ? "-" : "",
             columns[term->where], kind == 2 ? phrase : term->word, term->prefix ? "*" : "");
}

/* ---- the same list, by looking ------------------------------------------------------------------------------------------- */

struct question {
    struct kns_item_query query;
    int64_t feeds[3];
    struct term terms[3];
    size_t n_terms;
    char q[200];
};

static void some_question(struct question *q)
{
    static const char *const tags[] = {"even", "odd", "rare", "later", "nothing"};

    memset(q, 0, sizeof(*q));
    q->query.sort = (enum kns_item_sort)dice(4);
    q->query.limit = dice(2) == 0 ? 7 : 60;
    q->query.unread = dice(4) == 0;
    q->query.starred = dice(4) == 0;
    q->query.min_sources = dice(4) == 0 ? 1 + dice(3) : 0;
    if (dice(4) == 0)
        q->query.tag = tags[dice(5)];
    if (dice(4) == 0)
        q->query.since.unix_s = q->query.sort == KNS_SORT_SEEN ? now_s + dice(ITEMS) : some_time();
    if (dice(4) == 0)
        q->query.until.unix_s = q->query.sort == KNS_SORT_SEEN ? now_s + dice(ITEMS) : some_time();
    q->query.feeds = q->feeds;
    q->query.n_feeds = dice(3) == 0 ? 1 + dice(3) : 0;
    for (size_t i = 0; i < q->query.n_feeds; i++)
        q->feeds[i] = 1 + dice(FEEDS);
    q->n_terms = dice(2) == 0 ? 1 + dice(3) : 0;
    for (size_t i = 0; i < q->n_terms; i++) {
        size_t len = strlen(q->q);
        some_term(&q->terms[i], i == 0);
        snprintf(q->q + len, sizeof(q->q) - len, "%s%s%s", i == 0 ? "" : " ",
                 q->terms[i].or_before ? "OR " : "", q->terms[i].text);
    }
    q->query.q = q->n_terms > 0 ? q->q : NULL;
}

static bool has_tag(const struct known *k, const char *tag)
{
    unsigned even = 0;

    for (int i = 2; i <= FEEDS; i += 2)
        even |= 1U << i;
    return (strcmp(tag, "even") == 0 && (k->feeds & even) != 0) ||
           (strcmp(tag, "odd") == 0 && (k->feeds & ~even) != 0) ||
           (strcmp(tag, "rare") == 0 && (k->feeds & 1U << FEEDS) != 0) ||
           (strcmp(tag, "later") == 0 && k->tagged);
}

static bool is_wanted(const struct question *q, const struct known *k)
{
    const struct kns_item_query *query = &q->query;
    int64_t time = query->sort == KNS_SORT_SEEN ? k->first_seen : k->sort_at;
    bool carried = query->n_feeds == 0;

    for (size_t i = 0; i < query->n_feeds; i++)
        carried = carried || (k->feeds & 1U << q->feeds[i]) != 0;
    return carried && (!query->unread || !k->read) && (!query->starred || k->starred) &&
           k->sources >= query->min_sources && (query->tag == NULL || has_tag(k, query->tag)) &&
           (query->since.unix_s == 0 || time >= query->since.unix_s) &&
           (query->until.unix_s == 0 || time < query->until.unix_s) &&
           (q->n_terms == 0 || search_finds(q->terms, q->n_terms, k));
}

static enum kns_item_sort sorted_by;

static int compare(const void *x, const void *y)
{
    const struct known *a = &known[*(const int *)x], *b = &known[*(const int *)y];
    int64_t seen = a->first_seen - b->first_seen, time = a->sort_at - b->sort_at;
    int64_t more = sorted_by == KNS_SORT_SEEN ? seen
                   : sorted_by == KNS_SORT_SOURCES && a->sources != b->sources
                       ? a->sources - b->sources
                       : time;

    more = more == 0 ? a->id - b->id : more;
    return (more < 0) == (sorted_by == KNS_SORT_OLD) ? -1 : 1;
}

struct list {
    int ids[ITEMS];
    size_t n;
};

static void look(const struct question *q, struct list *list)
{
    list->n = 0;
    for (int i = 1; i <= ITEMS; i++)
        if (is_wanted(q, &known[i]))
            list->ids[list->n++] = i;
    sorted_by = q->query.sort;
    qsort(list->ids, list->n, sizeof(list->ids[0]), compare);
}

static bool on_item(void *ctx, const struct kns_item *item)
{
    struct list *list = ctx;

    assert_true(list->n < ITEMS);
    list->ids[list->n++] = (int)item->id;
    return true;
}

/* The first pages of it. */
static void ask(struct kns_store *store, const struct question *q, const struct choice *forced,
                struct list *list)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_item_query query = q->query;
    struct kns_error err = {0};

    list->n = 0;
    for (int page = 0; page < PAGES_MOST && (page == 0 || query.cursor != NULL); page++)
        if (kns_query_items(store, arena, &query, forced, on_item, list, &query.cursor, &err) !=
            KNS_OK)
            fail_msg("%s: %s", q->q, err.message);
    kns_arena_free(arena);
}

static void check(const struct question *q, int way, const struct list *expected,
                  const struct list *got)
{
    const struct kns_item_query *query = &q->query;
    size_t most = PAGES_MOST * query->limit, n = expected->n < most ? expected->n : most;

    if (n == got->n && memcmp(expected->ids, got->ids, n * sizeof(got->ids[0])) == 0)
        return;
    fail_msg("way %d: sort %d, limit %zu, unread %d, starred %d, sources %lld, tag %s, since %lld, "
             "until %lld, feeds %zu (%lld), q '%s': %zu items, not %zu",
             way, (int)query->sort, query->limit, query->unread, query->starred,
             (long long)query->min_sources, query->tag == NULL ? "-" : query->tag,
             (long long)query->since.unix_s, (long long)query->until.unix_s, query->n_feeds,
             (long long)q->feeds[0], q->q, got->n, n);
}

/* ---- the tests ------------------------------------------------------------------------------------------------------------- */

struct fixture {
    char dir[64];
    struct kns_store *store;
};

static int set_up(void **state)
{
    static struct fixture f = {.dir = "/tmp/kns-listing-XXXXXX"};
    char path[96];

    assert_non_null(mkdtemp(f.dir));
    snprintf(path, sizeof(path), "%s/kns.db", f.dir);
    assert_int_equal(kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &f.store, NULL),
                     KNS_OK);
    fill(f.store);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    kns_store_close(f->store);
    snprintf(command, sizeof(command), "rm -r %s", f->dir);
    return system(command);
}

static void every_way_gives_the_list_that_looking_at_each_item_gives(void **state)
{
    const struct fixture *f = *state;
    static struct question q;
    static struct list expected, got;
    long found = 0, ways = 0;

    for (int i = 0; i < QUERIES; i++) {
        some_question(&q);
        look(&q, &expected);
        found += (long)expected.n;
        ask(f->store, &q, NULL, &got);
        check(&q, -1, &expected, &got);
        for (int way = WALK_ORDER; way <= SET_MATCH; way++) {
            const struct choice forced = {.way = (enum way)way};
            if (!kns_query_leads(&q.query, (enum way)way))
                continue;
            ask(f->store, &q, &forced, &got);
            check(&q, way, &expected, &got);
            ways++;
        }
    }
    assert_true(found > QUERIES * 20); /* not all of them ask for nothing */
    assert_true(ways > QUERIES * 2);
}

static void a_walk_that_is_given_up_goes_on_as_a_merge(void **state)
{
    const struct fixture *f = *state;
    static struct question q;
    static struct list expected, got;
    int asked = 0;

    while (asked < QUERIES / 4) {
        const struct choice forced = {.way = WALK_ORDER, .first_rows = 1 + dice(200)};
        some_question(&q);
        if (!kns_query_leads(&q.query, MERGE))
            continue;
        look(&q, &expected);
        ask(f->store, &q, &forced, &got);
        check(&q, WALK_ORDER, &expected, &got);
        asked++;
    }
}

/* What a way may read and sort: a walk follows one index and sorts nothing; a set is found by one. */
static bool is_meant(const char *step, enum way way)
{
    bool walks = way == WALK_ORDER || way == WALK_FEED || way == WALK_MATCH;

    if (strstr(step, "SCAN json_each") != NULL || strstr(step, "SCAN item_text VIRTUAL") != NULL)
        return true;
    if (strstr(step, "TEMP B-TREE") != NULL)
        return !walks && (strstr(step, "ORDER BY") != NULL || strstr(step, "UNION") != NULL);
    if (strncmp(step, "SCAN item USING", 15) == 0)
        return way == WALK_ORDER || way == SET_FLAGS;
    return strncmp(step, "SCAN ", 5) != 0;
}

static bool explain(struct kns_store *store, const struct choice *choice,
                    const struct position *after)
{
    char *sql = kns_query_sql(choice, after, &(struct position){0});
    char *explained = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;
    bool good = true;

    if (sqlite3_prepare_v2(store->db, explained, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(store->db));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        if (!is_meant(step, choice->way)) {
            print_error("way %d: %s: %s\n", (int)choice->way, step, sql);
            good = false;
        }
    }
    sqlite3_finalize(stmt);
    sqlite3_free(explained);
    free(sql);
    return good;
}

static void no_combination_of_filters_and_orders_scans_or_sorts_unintended(void **state)
{
    const struct fixture *f = *state;
    static const int64_t feeds[] = {1, 2};
    bool good = true;
    int statements = 0;

    for (unsigned bits = 0; bits < 1U << 11; bits++) {
        const struct kns_item_query query = {
            .sort = (enum kns_item_sort)(bits % 4),
            .unread = bits & 4,
            .starred = bits & 8,
            .tag = bits & 16 ? "even" : NULL,
            .q = bits & 32 ? "apple" : NULL,
            .since.unix_s = bits & 64 ? now_s - 9 : 0,
            .until.unix_s = bits & 64 ? now_s : 0,
            .feeds = feeds,
            .n_feeds = bits >> 7 & 3 ? (bits >> 7 & 3) - 1 : 0,
            .min_sources = bits & 512 ? 2 : 0,
        };
        const struct position after = {bits & 1024, 1, now_s, 5};
        for (int way = WALK_ORDER; way <= SET_MATCH; way++) {
            const struct choice choice = {.query = &query,
                                          .match = query.q == NULL ? NULL : "\"apple\"",
                                          .feeds = query.n_feeds > 0 ? "[1,2]" : NULL,
                                          .way = (enum way)way};
            if (way == MERGE || !kns_query_leads(&query, (enum way)way))
                continue;
            good = explain(f->store, &choice, &after) && good;
            statements++;
        }
    }
    assert_true(statements > 4000);
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_gives_the_list_that_looking_at_each_item_gives),
        cmocka_unit_test(a_walk_that_is_given_up_goes_on_as_a_merge),
        cmocka_unit_test(no_combination_of_filters_and_orders_scans_or_sorts_unintended),
    };

    return cmocka_run_group_tests_name("listings", tests, set_up, tear_down);
}
