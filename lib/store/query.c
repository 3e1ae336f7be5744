/* Listing items: one family of statements, put together from a table of filters; values are bound, pages go by key.
 *
 * There are two kinds of ways to a page: walk an index that is in the list's order until the page is full, looking at each item whether the
 * filters let it through; or take all that one filter lets through (a set) and sort it. Which is taken follows from how many items each
 * filter lets through: a set is small or it is not taken, and of the walks the shortest is. "Small" is the root of items * page: where a
 * filter lets more through than that, a walk finds a page's items sooner than it has seen as many. */
#include "lib/store/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_LIMIT 50
#define MAX_BINDINGS 40
#define SET_LEAST 1000    /* a set of so many is always small */
#define RANKED_MOST 20000 /* hits of a search, the newest, that are ranked */
/* To ask the index whether it finds one item costs as much as to take so many hits, squared. */
#define PROBE_FACTOR 7
#define MATCH_LEAST 20000

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

/* The position behind an item: "first.time.id", what the next page begins after. */
struct position {
    bool given;
    int64_t first, time, id;
};

static bool read_cursor(const char *cursor, struct position *ret)
{
    int end = 0;
    long long first, time, id;

    if (sscanf(cursor, "%lld.%lld.%lld%n", &first, &time, &id, &end) != 3 || cursor[end] != '\0')
        return false;
    *ret = (struct position){true, first, time, id};
    return true;
}

/* ---- how many items a filter lets through --------------------------------------------------------------------------- */

/* The ways to a page. */
enum way {
    WALK_ORDER,   /* the index of the list's order */
    WALK_FEED,    /* a feed's items by time */
    WALK_STARRED, /* the starred ones by time */
    WALK_UNREAD,  /* the unread ones by time */
    SET_SOURCE,   /* all of some feeds, or of a tag */
    SET_SHARED,   /* all of so many sources */
    SET_MATCH,    /* all that a search finds */
};

struct choice {
    const struct kns_item_query *query;
    const char *match; /* FTS5's expression; NULL: no search */
    const char *feeds; /* the ids as a JSON array; NULL: any feed */
    enum way way;
    int64_t least_rowid; /* of what is ranked */
};

static bool is_by_time(const struct kns_item_query *query)
{
    return query->sort == KNS_SORT_NEW || query->sort == KNS_SORT_OLD;
}

/* Adds up the first column until it is over most; *total may then be anything above. */
static enum kns_status add_up(struct kns_store *store, sqlite3_stmt *stmt, int64_t most,
                              int64_t *total, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    while (*total <= most && (status = kns_sql_next(store, stmt, err)) == KNS_OK)
        *total += sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

static enum kns_status weigh_feeds(struct kns_store *store, const struct kns_item_query *query,
                                   int64_t most, int64_t *total, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    for (size_t i = 0; i < query->n_feeds && status == KNS_OK && *total <= most; i++) {
        sqlite3_stmt *stmt = kns_sql(store, WEIGH_FEED);
        kns_bind_int(stmt, 1, query->feeds[i]);
        status = add_up(store, stmt, most, total, err);
    }
    return status;
}

static enum kns_status weigh_tag(struct kns_store *store, const char *tag, int64_t most,
                                 int64_t *total, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEIGH_TAG_FEEDS);

    kns_bind_text(stmt, 1, tag);
    enum kns_status status = add_up(store, stmt, most, total, err);
    if (status != KNS_OK)
        return status;
    stmt = kns_sql(store, WEIGH_TAG_ITEMS);
    kns_bind_text(stmt, 1, tag);
    kns_bind_int(stmt, 2, most + 1);
    return add_up(store, stmt, most, total, err);
}

static enum kns_status weigh_shared(struct kns_store *store, int64_t least, int64_t most,
                                    int64_t *total, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEIGH_SHARED);

    kns_bind_int(stmt, 1, least);
    kns_bind_int(stmt, 2, most + 1);
    return add_up(store, stmt, most, total, err);
}

static enum kns_status weigh_match(struct kns_store *store, const char *match, int64_t most,
                                   int64_t *total, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEIGH_MATCH);

    kns_bind_text(stmt, 1, match);
    kns_bind_int(stmt, 2, most + 1);
    return add_up(store, stmt, most, total, err);
}

/* What is ranked is what is looked at whole: of many hits, the newest. */
static enum kns_status bound_ranked(struct kns_store *store, struct choice *choice,
                                    struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, MATCH_NTH_NEWEST);

    kns_bind_text(stmt, 1, choice->match);
    kns_bind_int(stmt, 2, RANKED_MOST);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        choice->least_rowid = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* So many hits are taken and sorted rather than looked for. */
static int64_t small_match(int64_t small)
{
    return small * PROBE_FACTOR < MATCH_LEAST ? MATCH_LEAST : small * PROBE_FACTOR;
}

struct candidate {
    enum way way;
    int64_t weight;
};

/* The filters that could lead the way, with their weights. */
static enum kns_status weigh(struct kns_store *store, const struct choice *choice,
                             const struct kns_store_figures *figures, int64_t small,
                             struct candidate *list, size_t *n, struct kns_error *err)
{
    const struct kns_item_query *query = choice->query;
    int64_t total = 0;
    enum kns_status status = KNS_OK;

    if (query->starred)
        list[(*n)++] = (struct candidate){WALK_STARRED, figures->items_starred};
    if (query->unread)
        list[(*n)++] = (struct candidate){WALK_UNREAD, figures->items_unread};
    if (query->n_feeds > 0) {
        bool walk = query->n_feeds == 1 && is_by_time(query);
        status = weigh_feeds(store, query, walk ? INT64_MAX - 1 : small, &total, err);
        list[(*n)++] = (struct candidate){walk ? WALK_FEED : SET_SOURCE, total};
    } else if (query->tag != NULL) {
        status = weigh_tag(store, query->tag, small, &total, err);
        list[(*n)++] = (struct candidate){SET_SOURCE, total};
    }
    if (status == KNS_OK &&
        query->min_sources > 2) { /* of two and more there is an index by time */
        total = 0;
        status = weigh_shared(store, query->min_sources, small, &total, err);
        list[(*n)++] = (struct candidate){SET_SHARED, total};
    }
    if (status == KNS_OK && choice->match != NULL) {
        total = 0;
        status = weigh_match(store, choice->match, small_match(small), &total, err);
        list[(*n)++] = (struct candidate){SET_MATCH, total};
    }
    return status;
}

static bool is_walk(enum way way)
{
    return way == WALK_FEED || way == WALK_STARRED || way == WALK_UNREAD;
}

static enum kns_status choose(struct kns_store *store, struct choice *choice, struct kns_error *err)
{
    const struct kns_item_query *query = choice->query;
    struct kns_store_figures figures = {0};
    struct candidate list[5];
    size_t n = 0;
    double page = query->limit == 0 ? DEFAULT_LIMIT : (double)query->limit;
    enum kns_status status = kns_store_get_figures(store, &figures, err);
    int64_t small = (int64_t)sqrt((double)figures.items * page), best = INT64_MAX;

    if (small < SET_LEAST)
        small = SET_LEAST;
    if (query->sort == KNS_SORT_RANK) {
        choice->way = SET_MATCH;
        return status == KNS_OK ? bound_ranked(store, choice, err) : status;
    }
    if (status == KNS_OK)
        status = weigh(store, choice, &figures, small, list, &n, err);
    for (size_t i = 0; i < n && status == KNS_OK; i++) {
        bool walks = is_walk(list[i].way) && is_by_time(query);
        int64_t most = list[i].way == SET_MATCH ? small_match(small) : small;
        if (list[i].weight >= best || (list[i].weight > most && !walks))
            continue;
        best = list[i].weight;
        choice->way = list[i].way;
    }
    return status;
}

/* ---- the statement ---------------------------------------------------------------------------------------------------- */

static void add_source(struct plan *plan, const struct choice *choice)
{
    const struct kns_item_query *query = choice->query;
    static const char *const by_order[] = {[KNS_SORT_NEW] = "item_by_time",
                                           [KNS_SORT_OLD] = "item_by_time",
                                           [KNS_SORT_SEEN] = "item_by_seen",
                                           [KNS_SORT_SOURCES] = "item_by_sources"};

    kns_buf_adds(&plan->sql, "SELECT " ITEM_COLUMNS " FROM ");
    switch (choice->way) {
    case WALK_ORDER:
        kns_buf_addf(&plan->sql, "item INDEXED BY %s",
                     query->min_sources > 1 && is_by_time(query) ? "item_shared"
                                                                 : by_order[query->sort]);
        if (query->min_sources > 1 && is_by_time(query))
            condition(plan, "item.sources >= 2");
        break;
    case WALK_FEED:
        kns_buf_adds(&plan->sql, "sighting s INDEXED BY sighting_by_time CROSS JOIN item ON "
                                 "item.id = s.item_id");
        condition(plan, "s.feed_id = ?");
        bind_number(plan, query->feeds[0]);
        break;
    case WALK_STARRED:
        kns_buf_adds(&plan->sql, "item INDEXED BY item_starred");
        break;
    case WALK_UNREAD:
        kns_buf_adds(&plan->sql, "item INDEXED BY item_unread");
        break;
    case SET_SOURCE: /* without an index, only the id leads to an item: the filter's subquery gives it */
        kns_buf_adds(&plan->sql, "item NOT INDEXED");
        break;
    case SET_SHARED:
        kns_buf_adds(&plan->sql, "item INDEXED BY item_by_sources");
        break;
    case SET_MATCH:
        kns_buf_adds(&plan->sql, "item_text CROSS JOIN item ON item.id = item_text.rowid");
        condition(plan, "item_text MATCH ?");
        bind_string(plan, choice->match);
        if (choice->least_rowid > 0) {
            condition(plan, "item_text.rowid >= ?");
            bind_number(plan, choice->least_rowid);
        }
        break;
    }
}

static void add_feeds(struct plan *plan, const struct choice *choice)
{
    if (choice->feeds == NULL || choice->way == WALK_FEED)
        return;
    condition(plan,
              choice->way == SET_SOURCE
                  ? "item.id IN (SELECT f.item_id FROM sighting f WHERE f.feed_id IN (SELECT "
                    "value FROM json_each(?)))"
                  : "EXISTS (SELECT 1 FROM sighting f WHERE f.item_id = item.id AND f.feed_id "
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

static void add_filters(struct plan *plan, const struct choice *choice)
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
    if (query->unread)
        condition(plan, "item.read = 0");
    if (query->starred)
        condition(plan, "item.starred = 1");
    if (query->min_sources > 0) {
        condition(plan, "item.sources >= ?");
        bind_number(plan, query->min_sources);
    }
    add_feeds(plan, choice);
    add_tag(plan, choice);
    /* The dearest last. */
    if (choice->match != NULL && choice->way != SET_MATCH) {
        condition(plan, "EXISTS (SELECT 1 FROM item_text WHERE item_text MATCH ? AND "
                        "item_text.rowid = item.id)");
        bind_string(plan, choice->match);
    }
}

static void add_order(struct plan *plan, const struct choice *choice, const struct position *after)
{
    enum kns_item_sort sort = choice->query->sort;
    bool by_feed = choice->way == WALK_FEED;
    const char *source = by_feed ? "s" : "item", *id = by_feed ? "s.item_id" : "item.id";
    const char *time = orders[sort].time, *direction = orders[sort].direction;

    if (after->given && sort == KNS_SORT_SOURCES) {
        condition(plan, "(item.sources, item.sort_at, item.id) < (?, ?, ?)");
        bind_number(plan, after->first);
        bind_number(plan, after->time);
        bind_number(plan, after->id);
    } else if (after->given && sort != KNS_SORT_RANK) {
        condition(plan, "");
        kns_buf_addf(&plan->sql, "(%s.%s, %s) %s (?, ?)", source, time, id, orders[sort].compare);
        bind_number(plan, after->time);
        bind_number(plan, after->id);
    }
    kns_buf_adds(&plan->sql, " ORDER BY ");
    if (sort == KNS_SORT_RANK)
        kns_buf_adds(
            &plan->sql,
            "item_text.rank LIMIT ? OFFSET ?"); /* ranks are of one query; its pages are few */
    else if (sort == KNS_SORT_SOURCES)
        kns_buf_adds(&plan->sql, "item.sources DESC, item.sort_at DESC, item.id DESC LIMIT ?");
    else
        kns_buf_addf(&plan->sql, "%s.%s %s, %s %s LIMIT ?", source, time, direction, id, direction);
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

static enum kns_status run(struct kns_store *store, struct kns_arena *arena,
                           const struct kns_item_query *query, sqlite3_stmt *stmt,
                           const struct position *after,
                           bool (*on_item)(void *, const struct kns_item *), void *ctx,
                           const char **ret_cursor, struct kns_error *err)
{
    size_t limit = query->limit == 0 ? DEFAULT_LIMIT : query->limit, n = 0;
    const char *cursor = NULL;
    enum kns_status status = KNS_OK;
    bool more = true;

    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        struct kns_item *item = NULL;
        if (n == limit) /* one more than asked for: there is a next page */
            break;
        status =
            kns_items_load(store, arena, stmt, query->with_content || query->q != NULL, &item, err);
        if (status != KNS_OK)
            return status;
        if (query->q != NULL)
            item->snippet = kns_search_snippet(arena, query->q, &item->entry);
        n++;
        int64_t time =
            query->sort == KNS_SORT_SEEN ? item->first_seen.unix_s : item->sort_at.unix_s;
        int64_t first = query->sort == KNS_SORT_RANK ? after->first + (int64_t)n : item->sources;
        cursor = kns_arena_printf(arena, "%lld.%lld.%lld", (long long)first, (long long)time,
                                  (long long)item->id);
        if (cursor == NULL)
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        more = on_item(ctx, item);
    }
    *ret_cursor = status == KNS_OK ? cursor : NULL;
    return status == KNS_ENOTFOUND ? KNS_OK : status;
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

enum kns_status kns_store_query_items(struct kns_store *store, struct kns_arena *arena,
                                      const struct kns_item_query *given,
                                      bool (*on_item)(void *ctx, const struct kns_item *item),
                                      void *ctx, const char **ret_cursor, struct kns_error *err)
{
    struct kns_item_query query = *given;
    struct plan plan = {.where = " WHERE "};
    struct position after = {0};
    sqlite3_stmt *stmt = NULL;
    const char *match = NULL;

    *ret_cursor = NULL;
    if (query.cursor != NULL && !read_cursor(query.cursor, &after))
        return kns_fail(err, KNS_EINVAL, "cursor: \"%.40s\" is none that a page of this list gave",
                        query.cursor);
    if (query.q != NULL) {
        match = kns_search_translate(arena, query.q);
        if (match == NULL)
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        if (*match == '\0')
            return KNS_OK;
        enum kns_status settled = store->savepoints == 0 ? kns_search_settle(store, err) : KNS_OK;
        if (settled != KNS_OK)
            return settled;
    } else if (query.sort == KNS_SORT_RANK) {
        query.sort = KNS_SORT_NEW;
    }
    struct choice choice = {.query = &query, .match = match, .feeds = feed_list(arena, &query)};
    enum kns_status status = query.n_feeds > 0 && choice.feeds == NULL
                                 ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                 : choose(store, &choice, err);
    if (status != KNS_OK)
        return status;
    add_source(&plan, &choice);
    add_filters(&plan, &choice);
    add_order(&plan, &choice, &after);
    bind_number(&plan, (int64_t)(query.limit == 0 ? DEFAULT_LIMIT : query.limit) + 1);
    if (query.sort == KNS_SORT_RANK)
        bind_number(&plan, after.first);
    status = prepare(store, &plan, &stmt, err);
    if (status == KNS_OK)
        status = run(store, arena, &query, stmt, &after, on_item, ctx, ret_cursor, err);
    sqlite3_finalize(stmt);
    kns_buf_fini(&plan.sql);
    return status;
}
