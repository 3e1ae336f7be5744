/* Listing items: one family of statements, put together from a table of filters; values are bound, pages go by key. */
#include "lib/store/internal.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_LIMIT 50
#define MAX_BINDINGS 80

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

/* Whether one feed is asked for: then its own index by time is walked. */
static bool by_one_feed(const struct kns_item_query *query)
{
    return query->n_feeds == 1 && query->q == NULL &&
           (query->sort == KNS_SORT_NEW || query->sort == KNS_SORT_OLD);
}

/* Adds a statement's weight (how many items a filter lets through) and reads how many there are. */
static enum kns_status weigh(struct kns_store *store, sqlite3_stmt *stmt, int64_t *weight,
                             int64_t *items, struct kns_error *err)
{
    enum kns_status status = kns_sql_next(store, stmt, err);

    if (status == KNS_OK) {
        *weight += sqlite3_column_int64(stmt, 0);
        *items = sqlite3_column_int64(stmt, 1);
        sqlite3_reset(stmt);
    }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* Two ways to a page of what some feeds or a tag hold: walk all items by time until the page is full (about items / weight of
 * them for each), or take the weight and sort it. The cheaper way never costs more than the root of items * page. */
static enum kns_status is_sparse(struct kns_store *store, const struct kns_item_query *query,
                                 bool *ret_sparse, struct kns_error *err)
{
    int64_t by_tag = 0, by_feeds = 0, items = 0;
    int64_t page = query->limit == 0 ? DEFAULT_LIMIT : (int64_t)query->limit;
    enum kns_status status = KNS_OK;

    *ret_sparse = false;
    if (query->q != NULL || by_one_feed(query) || (query->tag == NULL && query->n_feeds == 0))
        return KNS_OK;
    if (query->tag != NULL) {
        sqlite3_stmt *stmt = kns_sql(store, WEIGH_TAG);
        kns_bind_text(stmt, 1, query->tag);
        status = weigh(store, stmt, &by_tag, &items, err);
    }
    for (size_t i = 0; i < query->n_feeds && status == KNS_OK; i++) {
        sqlite3_stmt *stmt = kns_sql(store, WEIGH_FEED);
        kns_bind_int(stmt, 1, query->feeds[i]);
        status = weigh(store, stmt, &by_feeds, &items, err);
    }
    double weight = (double)(query->tag == NULL ? by_feeds : by_tag);
    *ret_sparse = weight * weight < (double)items * (double)page;
    return status;
}

static void add_source(struct plan *plan, const struct kns_item_query *query, const char *match,
                       bool sparse)
{
    kns_buf_adds(&plan->sql, "SELECT " ITEM_COLUMNS " FROM ");
    if (match != NULL) {
        kns_buf_adds(&plan->sql, "item_text CROSS JOIN item ON item.id = item_text.rowid");
        condition(plan, "item_text MATCH ?");
        bind_string(plan, match);
    } else if (by_one_feed(query)) {
        kns_buf_adds(&plan->sql, "sighting s CROSS JOIN item ON item.id = s.item_id");
        condition(plan, "s.feed_id = ?");
        bind_number(plan, query->feeds[0]);
    } else {
        /* Without an index, only the id leads to an item: the filter's subquery gives it. */
        kns_buf_adds(&plan->sql, sparse ? "item NOT INDEXED" : "item");
    }
}

static void add_feeds(struct plan *plan, const struct kns_item_query *query, bool sparse)
{
    if (query->n_feeds == 0 || by_one_feed(query))
        return;
    condition(plan,
              sparse && query->tag == NULL
                  ? "item.id IN (SELECT f.item_id FROM sighting f WHERE f.feed_id IN ("
                  : "EXISTS (SELECT 1 FROM sighting f WHERE f.item_id = item.id AND f.feed_id "
                    "IN (");
    for (size_t i = 0; i < query->n_feeds && i < 50; i++) {
        kns_buf_adds(&plan->sql, i == 0 ? "?" : ", ?");
        bind_number(plan, query->feeds[i]);
    }
    kns_buf_adds(&plan->sql, "))");
}

static void add_filters(struct plan *plan, const struct kns_item_query *query, bool sparse)
{
    const char *time = query->sort == KNS_SORT_SEEN ? "first_seen" : "sort_at";

    if (query->tag != NULL && sparse) {
        condition(plan, "item.id IN (SELECT t.item_id FROM item_tag t WHERE t.tag = ? UNION SELECT "
                        "f.item_id FROM feed_tag g JOIN sighting f ON f.feed_id = g.feed_id WHERE "
                        "g.tag = ? OR (g.tag > ? || '/' AND g.tag < ? || '0'))");
        for (int i = 0; i < 4; i++)
            bind_string(plan, query->tag);
    } else if (query->tag != NULL) {
        condition(plan, "(EXISTS (SELECT 1 FROM item_tag t WHERE t.item_id = item.id AND t.tag = "
                        "?) OR EXISTS (SELECT 1 FROM sighting f "
                        "JOIN feed_tag g ON g.feed_id = f.feed_id WHERE f.item_id = item.id AND "
                        "(g.tag = ? OR (g.tag > ? || '/' AND "
                        "g.tag < ? || '0'))))");
        for (int i = 0; i < 4; i++)
            bind_string(plan, query->tag);
    }
    if (kns_time_given(query->since)) {
        condition(plan, "item.");
        kns_buf_addf(&plan->sql, "%s >= ?", time);
        bind_number(plan, query->since.unix_s);
    }
    if (kns_time_given(query->until)) {
        condition(plan, "item.");
        kns_buf_addf(&plan->sql, "%s < ?", time);
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
}

static void add_order(struct plan *plan, const struct kns_item_query *query,
                      const struct position *after)
{
    enum kns_item_sort sort = query->sort;
    const char *source = by_one_feed(query) ? "s" : "item",
               *id = by_one_feed(query) ? "s.item_id" : "item.id";
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
    } else if (query.sort == KNS_SORT_RANK) {
        query.sort = KNS_SORT_NEW;
    }
    bool sparse = false;
    enum kns_status status = is_sparse(store, &query, &sparse, err);
    if (status != KNS_OK)
        return status;
    add_source(&plan, &query, match, sparse);
    add_feeds(&plan, &query, sparse);
    add_filters(&plan, &query, sparse);
    add_order(&plan, &query, &after);
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
