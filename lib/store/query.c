/* Listing items: one family of statements, put together from a table of filters; values are bound, pages go by key. choose.c says which
 * way leads to the page, merge.c goes the one that no statement can. */
#include "lib/store/query.h"

#include <string.h>

#define MAX_BINDINGS 40

/* An item's place in the search index: its time and its id. */
#define PLACE "item_text.rowid"
#define PLACE_TIME "(" PLACE " >> " ID_BITS ")"
#define PLACE_ID "(" PLACE " & " ID_MASK ")"

/* A value for the statement that is being put together. */
struct binding {
    const char *text; /* NULL: a number */
    int64_t number;
};

struct plan {
    struct kns_buf sql;
    struct binding bindings[MAX_BINDINGS];
    int n;
    const char *where; /* " WHERE " before the first condition, then " AND " */
};

static void condition(struct plan *plan, const char *sql)
{
    kns_buf_adds(&plan->sql, plan->where);
    kns_buf_adds(&plan->sql, sql);
    plan->where = " AND ";
}

static void bind_number(struct plan *plan, int64_t number)
{
    if (plan->n < MAX_BINDINGS)
        plan->bindings[plan->n++] = (struct binding){NULL, number};
}

static void bind_string(struct plan *plan, const char *text)
{
    if (plan->n < MAX_BINDINGS)
        plan->bindings[plan->n++] = (struct binding){text, 0};
}

/* What each order sorts by: a first key, the time, the id. */
static const struct {
    const char *first; /* NULL: the time is the first */
    const char *time;
    const char *direction, *compare;
} orders[] = {
    [KNS_SORT_NEW] = {NULL, "sort_at", "DESC", "<"},
    [KNS_SORT_OLD] = {NULL, "sort_at", "ASC", ">"},
    [KNS_SORT_SEEN] = {NULL, "first_seen", "DESC", "<"},
    [KNS_SORT_SOURCES] = {"sources", "sort_at", "DESC", "<"},
    [KNS_SORT_RANK] = {"rank", "sort_at", "DESC", "<"},
};

/* A cursor is "first.time.id". */
static bool read_cursor(const char *cursor, struct position *ret)
{
    int end = 0;
    long long first, time, id;

    if (sscanf(cursor, "%lld.%lld.%lld%n", &first, &time, &id, &end) != 3 || cursor[end] != '\0')
        return false;
    *ret = (struct position){true, first, time, id};
    return true;
}

/* ---- the statement ---------------------------------------------------------------------------------------------------- */

/* What is unread or starred stands in indexes of its own, in order of time. */
static const struct {
    bool unread, starred;
    const char *of_items, *of_feed, *condition;
} flags[] = {
    {true, true, "item_unread_starred", "sighting_starred", "s.starred = 1"},
    {false, true, "item_starred", "sighting_starred", "s.starred = 1"},
    {true, false, "item_unread", "sighting_unread", "s.unread = 1"},
    {false, false, NULL, "sighting_by_time", NULL},
};

static size_t flags_of(const struct kns_item_query *query)
{
    size_t i = 0;

    while (flags[i].unread != query->unread || flags[i].starred != query->starred)
        i++;
    return i;
}

/* The index that a walk in the list's order goes by. */
static const char *index_of(const struct kns_item_query *query)
{
    static const char *const by_order[] = {[KNS_SORT_NEW] = "item_by_time",
                                           [KNS_SORT_OLD] = "item_by_time",
                                           [KNS_SORT_SEEN] = "item_by_seen",
                                           [KNS_SORT_SOURCES] = "item_by_sources"};

    if (!kns_query_by_time(query))
        return by_order[query->sort];
    if (query->unread || query->starred)
        return flags[flags_of(query)].of_items;
    return query->min_sources > 1 ? "item_shared" : "item_by_time";
}

static void add_walk_of_feed(struct plan *plan, const struct choice *choice)
{
    size_t kind = flags_of(choice->query);

    kns_buf_addf(&plan->sql,
                 "sighting s INDEXED BY %s CROSS JOIN item NOT INDEXED ON item.id = s.item_id",
                 flags[kind].of_feed);
    condition(plan, "s.feed_id = ?");
    bind_number(plan, choice->query->feeds[0]);
    if (flags[kind].condition != NULL)
        condition(plan, flags[kind].condition);
}

static void add_match(struct plan *plan, const struct choice *choice)
{
    kns_buf_adds(&plan->sql, "item_text CROSS JOIN item NOT INDEXED ON item.id = " PLACE_ID);
    condition(plan, "item_text MATCH ?");
    bind_string(plan, choice->match);
    if (choice->query->sort == KNS_SORT_RANK)
        condition(plan, "item_text.rank MATCH 'kns_rank()'");
    if (choice->least_place != 0) {
        condition(plan, PLACE " >= ?");
        bind_number(plan, choice->least_place);
    }
}

static void add_source(struct plan *plan, const struct choice *choice)
{
    kns_buf_adds(&plan->sql, "SELECT " ITEM_COLUMNS " FROM ");
    switch (choice->way) {
    case WALK_ORDER:
        kns_buf_addf(&plan->sql, "item INDEXED BY %s", index_of(choice->query));
        if (strcmp(index_of(choice->query), "item_shared") == 0)
            condition(plan, "item.sources >= 2");
        break;
    case WALK_FEED:
        add_walk_of_feed(plan, choice);
        break;
    case SET_FLAGS:
        kns_buf_addf(&plan->sql, "item INDEXED BY %s", flags[flags_of(choice->query)].of_items);
        break;
    case SET_SHARED:
        kns_buf_adds(&plan->sql, "item INDEXED BY item_by_sources");
        break;
    case WALK_MATCH:
    case SET_MATCH:
        add_match(plan, choice);
        break;
    case SET_SOURCE: /* without an index, only the id leads to an item: the filter's subquery gives it */
    case MERGE:      /* never a statement */
        kns_buf_adds(&plan->sql, "item NOT INDEXED");
        break;
    }
}

static void add_feeds(struct plan *plan, const struct choice *choice)
{
    if (choice->feeds == NULL || choice->way == WALK_FEED)
        return;
    if (choice->way == SET_SOURCE)
        condition(plan, "item.id IN (SELECT f.item_id FROM sighting f WHERE f.feed_id IN (SELECT "
                        "value FROM json_each(?)))");
    else if (choice->way == WALK_MATCH)
        condition(plan, "EXISTS (SELECT 1 FROM sighting f INDEXED BY sighting_by_item WHERE "
                        "f.item_id = " PLACE_ID " AND f.feed_id IN (SELECT value FROM "
                        "json_each(?)))");
    else
        condition(plan, "EXISTS (SELECT 1 FROM sighting f WHERE f.item_id = item.id AND f.feed_id "
                        "IN (SELECT value FROM json_each(?)))");
    bind_string(plan, choice->feeds);
}

static void add_tag(struct plan *plan, const struct choice *choice)
{
    if (choice->query->tag == NULL)
        return;
    /* With feeds as well, the feeds are the set. */
    bool set = choice->way == SET_SOURCE && choice->feeds == NULL;
    condition(plan,
              set ? "item.id IN (SELECT t.item_id FROM item_tag t WHERE t.tag = ? UNION SELECT "
                    "f.item_id FROM feed_tag g JOIN sighting f ON f.feed_id = g.feed_id WHERE "
                    "g.tag = ? OR (g.tag > ? || '/' AND g.tag < ? || '0'))"
                  : "(EXISTS (SELECT 1 FROM item_tag t WHERE t.item_id = item.id AND t.tag = "
                    "?) OR EXISTS (SELECT 1 FROM sighting f JOIN feed_tag g ON g.feed_id = "
                    "f.feed_id WHERE f.item_id = item.id AND (g.tag = ? OR (g.tag > ? || '/' "
                    "AND g.tag < ? || '0'))))");
    for (int i = 0; i < 4; i++)
        bind_string(plan, choice->query->tag);
}

/* Of a hit its flags are looked for where only few stand. */
static void add_flags(struct plan *plan, const struct choice *choice)
{
    const struct kns_item_query *query = choice->query;
    bool by_place = choice->way == WALK_MATCH;

    if (query->unread && by_place)
        condition(plan, "EXISTS (SELECT 1 FROM item u INDEXED BY item_unread WHERE u.read = 0 AND "
                        "u.sort_at = " PLACE_TIME " AND u.id = " PLACE_ID ")");
    if (query->starred && by_place)
        condition(plan, "EXISTS (SELECT 1 FROM item u INDEXED BY item_starred WHERE u.starred = 1 "
                        "AND u.sort_at = " PLACE_TIME " AND u.id = " PLACE_ID ")");
    if (query->unread && !by_place)
        condition(plan, "item.read = 0");
    if (query->starred && !by_place)
        condition(plan, "item.starred = 1");
}

static void add_filters(struct plan *plan, const struct choice *choice)
{
    const struct kns_item_query *query = choice->query;

    add_flags(plan, choice);
    if (query->min_sources > 0) {
        condition(plan, "item.sources >= ?");
        bind_number(plan, query->min_sources);
    }
    add_feeds(plan, choice);
    add_tag(plan, choice);
    /* The dearest last. */
    if (choice->match != NULL && choice->way != WALK_MATCH && choice->way != SET_MATCH) {
        condition(plan, "EXISTS (SELECT 1 FROM item_text WHERE item_text MATCH ? AND " PLACE
                        " = (item.sort_at << " ID_BITS ") + item.id)");
        bind_string(plan, choice->match);
    }
}

/* Where the page begins, where the list ends, and where a walk is given up: by place, where a search is walked. */
static void add_range_of_match(struct plan *plan, const struct kns_item_query *query,
                               const struct position *after)
{
    int64_t least = INT64_MIN, most = INT64_MAX; /* both are outside */

    if (kns_time_given(query->since))
        least = kns_search_place(query->since.unix_s, -1);
    if (kns_time_given(query->until))
        most = kns_search_place(query->until.unix_s, 0);
    int64_t place = after->given ? kns_search_place(after->time, after->id) : 0;
    if (after->given && query->sort == KNS_SORT_NEW && place < most)
        most = place;
    if (after->given && query->sort == KNS_SORT_OLD && place > least)
        least = place;
    if (least != INT64_MIN) {
        condition(plan, PLACE " > ?");
        bind_number(plan, least);
    }
    if (most != INT64_MAX) {
        condition(plan, PLACE " < ?");
        bind_number(plan, most);
    }
}

static void add_span(struct plan *plan, const struct choice *choice)
{
    const struct kns_item_query *query = choice->query;
    const char *time = query->sort == KNS_SORT_SEEN ? "item.first_seen"
                       : choice->way == WALK_FEED   ? "s.sort_at"
                                                    : "item.sort_at";

    if (kns_time_given(query->since)) {
        condition(plan, time);
        kns_buf_adds(&plan->sql, " >= ?");
        bind_number(plan, query->since.unix_s);
    }
    if (kns_time_given(query->until)) {
        condition(plan, time);
        kns_buf_adds(&plan->sql, " < ?");
        bind_number(plan, query->until.unix_s);
    }
}

static void add_position(struct plan *plan, const struct choice *choice,
                         const struct position *position, const char *compare)
{
    enum kns_item_sort sort = choice->query->sort;
    bool by_feed = choice->way == WALK_FEED;

    if (!position->given || sort == KNS_SORT_RANK)
        return;
    condition(plan, "");
    if (sort == KNS_SORT_SOURCES) {
        kns_buf_adds(&plan->sql, "(item.sources, item.sort_at, item.id) < (?, ?, ?)");
        bind_number(plan, position->first);
    } else {
        kns_buf_addf(&plan->sql, "(%s.%s, %s) %s (?, ?)", by_feed ? "s" : "item", orders[sort].time,
                     by_feed ? "s.item_id" : "item.id", compare);
    }
    bind_number(plan, position->time);
    bind_number(plan, position->id);
}

static void add_order(struct plan *plan, const struct choice *choice)
{
    enum kns_item_sort sort = choice->query->sort;
    bool by_feed = choice->way == WALK_FEED;
    const char *direction = orders[sort].direction;

    kns_buf_adds(&plan->sql, " ORDER BY ");
    if (sort == KNS_SORT_RANK)
        kns_buf_adds(
            &plan->sql,
            "item_text.rank LIMIT ? OFFSET ?"); /* ranks are of one query; its pages are few */
    else if (choice->way == WALK_MATCH)
        kns_buf_addf(&plan->sql, PLACE " %s LIMIT ?", direction);
    else if (sort == KNS_SORT_SOURCES)
        kns_buf_adds(&plan->sql, "item.sources DESC, item.sort_at DESC, item.id DESC LIMIT ?");
    else
        kns_buf_addf(&plan->sql, "%s.%s %s, %s %s LIMIT ?", by_feed ? "s" : "item",
                     orders[sort].time, direction, by_feed ? "s.item_id" : "item.id", direction);
}

/* The statement of a page behind a position; last is where the walk is given up. */
static void put_together(struct plan *plan, const struct choice *choice,
                         const struct position *after, const struct position *last)
{
    const struct kns_item_query *query = choice->query;

    add_source(plan, choice);
    add_filters(plan, choice);
    if (choice->way == WALK_MATCH) {
        add_range_of_match(plan, query, after);
    } else {
        add_span(plan, choice);
        add_position(plan, choice, after, orders[query->sort].compare);
        add_position(plan, choice, last, query->sort == KNS_SORT_OLD ? "<=" : ">=");
    }
    add_order(plan, choice);
    bind_number(plan, (int64_t)kns_query_limit(query) + 1);
    if (query->sort == KNS_SORT_RANK)
        bind_number(plan, after->first);
}

static enum kns_status prepare(struct kns_store *store, const struct plan *plan,
                               sqlite3_stmt **ret_stmt, struct kns_error *err)
{
    if (kns_buf_failed(&plan->sql))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    if (sqlite3_prepare_v2(store->db, plan->sql.data, -1, ret_stmt, NULL) != SQLITE_OK)
        return kns_sql_fail(store, "cannot prepare a listing", err);
    for (int i = 0; i < plan->n; i++) {
        if (plan->bindings[i].text != NULL)
            kns_bind_text(*ret_stmt, i + 1, plan->bindings[i].text);
        else
            kns_bind_int(*ret_stmt, i + 1, plan->bindings[i].number);
    }
    return KNS_OK;
}

/* The feeds as a JSON array, for one binding; NULL: any feed, or no memory. */
static const char *feed_list(struct kns_arena *arena, const struct kns_item_query *query)
{
    struct kns_buf list = {0};

    if (query->n_feeds == 0)
        return NULL;
    for (size_t i = 0; i < query->n_feeds; i++)
        kns_buf_addf(&list, "%c%lld", i == 0 ? '[' : ',', (long long)query->feeds[i]);
    kns_buf_addc(&list, ']');
    const char *text = kns_buf_failed(&list) ? NULL : kns_arena_strdup(arena, list.data);
    kns_buf_fini(&list);
    return text;
}

/* ---- the page ----------------------------------------------------------------------------------------------------------- */

struct page {
    struct kns_store *store;
    struct kns_arena *arena;
    const struct choice *choice;
    struct position after; /* where it begins */
    bool (*on_item)(void *, const struct kns_item *);
    void *ctx;
    size_t n;
    bool full;          /* there is a next page */
    const char *cursor; /* behind the last item */
};

static enum kns_status on_row(void *ctx, sqlite3_stmt *row, bool *ret_more, struct kns_error *err)
{
    struct page *page = ctx;
    const struct kns_item_query *query = page->choice->query;
    struct kns_item *item = NULL;

    page->full = page->n == kns_query_limit(query); /* one more than asked for */
    *ret_more = !page->full;
    if (page->full)
        return KNS_OK;
    enum kns_status status = kns_items_load(page->store, page->arena, row,
                                            query->with_content || query->q != NULL, &item, err);
    if (status != KNS_OK)
        return status;
    if (query->q != NULL)
        item->snippet = kns_search_snippet(page->arena, query->q, &item->entry);
    page->n++;
    int64_t time = query->sort == KNS_SORT_SEEN ? item->first_seen.unix_s : item->sort_at.unix_s;
    int64_t first =
        query->sort == KNS_SORT_RANK ? page->after.first + (int64_t)page->n : item->sources;
    page->cursor = kns_arena_printf(page->arena, "%lld.%lld.%lld", (long long)first,
                                    (long long)time, (long long)item->id);
    if (page->cursor == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    page->full = !page->on_item(page->ctx, item);
    *ret_more = !page->full;
    return KNS_OK;
}

/* Goes the way of a statement, as far as last. */
static enum kns_status walk(struct page *page, const struct position *last, struct kns_error *err)
{
    struct plan plan = {.where = " WHERE "};
    sqlite3_stmt *stmt = NULL;
    bool more = true;

    put_together(&plan, page->choice, &page->after, last);
    enum kns_status status = prepare(page->store, &plan, &stmt, err);
    while (status == KNS_OK && more) {
        status = kns_sql_next(page->store, stmt, err);
        if (status == KNS_OK)
            status = on_row(page, stmt, &more, err);
    }
    sqlite3_finalize(stmt);
    kns_buf_fini(&plan.sql);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* Where a walk that began at after has seen so many rows; not given: it ends before. */
static enum kns_status find_last(struct page *page, struct position *ret, struct kns_error *err)
{
    const struct kns_item_query *query = page->choice->query;
    bool shared = strcmp(index_of(query), "item_shared") == 0;
    const char *direction = orders[query->sort].direction;
    struct plan plan = {.where = " WHERE "};
    sqlite3_stmt *stmt = NULL;

    kns_buf_addf(&plan.sql, "SELECT item.sort_at, item.id FROM item INDEXED BY %s",
                 index_of(query));
    if (shared)
        condition(&plan, "item.sources >= 2");
    add_flags(&plan, page->choice);
    add_span(&plan, page->choice);
    add_position(&plan, page->choice, &page->after, orders[query->sort].compare);
    kns_buf_addf(&plan.sql, " ORDER BY item.sort_at %s, item.id %s LIMIT 1 OFFSET ?", direction,
                 direction);
    bind_number(&plan, (int64_t)page->choice->first_rows);
    enum kns_status status = prepare(page->store, &plan, &stmt, err);
    if (status == KNS_OK)
        status = kns_sql_next(page->store, stmt, err);
    if (status == KNS_OK)
        *ret = (struct position){true, 0, sqlite3_column_int64(stmt, 0),
                                 sqlite3_column_int64(stmt, 1)};
    sqlite3_finalize(stmt);
    kns_buf_fini(&plan.sql);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

static enum kns_status fill(struct page *page, struct kns_error *err)
{
    const struct choice *choice = page->choice;
    struct position last = {0};
    enum kns_status status = KNS_OK;

    if (choice->way != MERGE && choice->first_rows > 0)
        status = find_last(page, &last, err);
    if (status == KNS_OK && choice->way != MERGE)
        status = walk(page, &last, err);
    if (status != KNS_OK || page->full || (choice->way != MERGE && !last.given))
        return status;
    return kns_query_merge(page->store, choice, last.given ? &last : &page->after, on_row, page,
                           err);
}

enum kns_status kns_store_query_items(struct kns_store *store, struct kns_arena *arena,
                                      const struct kns_item_query *query,
                                      bool (*on_item)(void *ctx, const struct kns_item *item),
                                      void *ctx, const char **ret_cursor, struct kns_error *err)
{
    return kns_query_items(store, arena, query, NULL, on_item, ctx, ret_cursor, err);
}

char *kns_query_sql(const struct choice *choice, const struct position *after,
                    const struct position *last)
{
    struct plan plan = {.where = " WHERE "};

    put_together(&plan, choice, after, last);
    return kns_buf_take(&plan.sql);
}

enum kns_status kns_query_items(struct kns_store *store, struct kns_arena *arena,
                                const struct kns_item_query *given, const struct choice *forced,
                                bool (*on_item)(void *ctx, const struct kns_item *item), void *ctx,
                                const char **ret_cursor, struct kns_error *err)
{
    struct kns_item_query query = *given;
    struct choice choice = {.query = &query};
    struct page page = {
        .store = store, .arena = arena, .choice = &choice, .on_item = on_item, .ctx = ctx};

    *ret_cursor = NULL;
    if (query.cursor != NULL && !read_cursor(query.cursor, &page.after))
        return kns_fail(err, KNS_EINVAL, "cursor: \"%.40s\" is none that a page of this list gave",
                        query.cursor);
    if (query.q != NULL) {
        choice.match = kns_search_translate(arena, query.q);
        if (choice.match == NULL)
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        if (*choice.match == '\0')
            return KNS_OK;
        enum kns_status settled = store->savepoints == 0 ? kns_search_settle(store, err) : KNS_OK;
        if (settled != KNS_OK)
            return settled;
    } else if (query.sort == KNS_SORT_RANK) {
        query.sort = KNS_SORT_NEW;
    }
    choice.feeds = feed_list(arena, &query);
    enum kns_status status = query.n_feeds > 0 && choice.feeds == NULL
                                 ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                 : kns_query_choose(store, &choice, err);
    if (forced != NULL) {
        choice.way = forced->way;
        choice.first_rows = forced->first_rows;
    }
    if (status == KNS_OK)
        status = fill(&page, err);
    if (status == KNS_OK && page.full)
        *ret_cursor = page.cursor;
    return status;
}
