/* Which way leads to a page of a list.
 *
 * There are walks and sets: a walk follows an index that is in the list's order until the page is full, looking at each item whether the
 * filters let it through; a set is all that one filter lets through, sorted. By time there is an index for a feed, for what is unread or
 * starred, in a feed or in all, for what a search finds; several feeds, and a tag, are merged. What a walk costs follows from how many
 * items each filter lets through, as if they knew nothing of each other. Where they do, a walk may find a page only after all items: one that
 * could be merged instead is given up after some rows. */
#include "lib/store/query.h"

#include <math.h>
#include <string.h>

/* What things cost: a row of an index looked at, a hit of a search, to ask the search index for one item. */
#define ROW 3.0
#define HIT 1.0
#define PROBE 60.0

#define SET_LEAST 1000    /* a set of so many is always small */
#define RANKED_MOST 10000 /* hits of a search, the newest, that are ranked */
#define HITS_COUNTED 20000
#define HITS_FEW 500    /* of a search: sorted at once */
#define FIRST_ROWS 4000 /* of a walk that may be given up */

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

/* About how many items a search finds: counted as far as they are few, else as if they were as frequent among all items as among
 * those that came with the newest. */
static enum kns_status weigh_match(struct kns_store *store, const char *match, int64_t items,
                                   double *ret, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, WEIGH_MATCH);

    kns_bind_text(stmt, 1, match);
    kns_bind_int(stmt, 2, HITS_COUNTED);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status != KNS_OK)
        return status;
    double hits = (double)sqlite3_column_int64(stmt, 0);
    double among = (double)sqlite3_column_int64(stmt, 1) + 1;
    sqlite3_reset(stmt);
    *ret = hits < HITS_COUNTED || among < hits ? hits : hits / among * (double)items;
    *ret = *ret < hits ? hits : *ret;
    return KNS_OK;
}

/* Whether a search finds so little that all of it is best taken and sorted. Looked at with the oldest first: only in that direction does
 * FTS5 leap to where a frequent word stands beside a rare one. What is left out makes it read all there is, in either direction. */
static enum kns_status finds_little(struct kns_store *store, const struct choice *choice, bool *ret,
                                    struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, COUNT_FEW);

    *ret = false;
    if (choice->match == NULL || strstr(choice->match, " NOT ") != NULL)
        return KNS_OK;
    kns_bind_text(stmt, 1, choice->match);
    kns_bind_int(stmt, 2, HITS_FEW);
    enum kns_status status = kns_sql_next(store, stmt, err);
    *ret = status == KNS_OK && sqlite3_column_int64(stmt, 0) < HITS_FEW;
    sqlite3_reset(stmt);
    return status;
}

/* What is ranked is what is looked at whole: of many hits, the newest. */
static enum kns_status bound_ranked(struct kns_store *store, struct choice *choice,
                                    struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, MATCH_NTH_NEWEST);

    choice->way = SET_MATCH;
    kns_bind_text(stmt, 1, choice->match);
    kns_bind_int(stmt, 2, RANKED_MOST);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        choice->least_place = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* How many items each filter lets through; all of them where it is not asked for. */
struct weights {
    double items, page, flags, source, shared, match;
    int64_t small; /* what is counted is counted so far */
};

static enum kns_status weigh(struct kns_store *store, const struct choice *choice,
                             struct weights *w, struct kns_error *err)
{
    const struct kns_item_query *query = choice->query;
    struct kns_store_figures figures = {0};
    int64_t source = 0, shared = 0;
    enum kns_status status = kns_store_get_figures(store, &figures, err);

    w->items = (double)figures.items + 1;
    w->page = (double)kns_query_limit(query) + 1;
    w->small = (int64_t)sqrt(w->items * w->page);
    w->small = w->small < SET_LEAST ? SET_LEAST : w->small;
    w->flags = w->source = w->shared = w->match = w->items;
    if (query->unread)
        w->flags = (double)figures.items_unread;
    if (query->starred && (double)figures.items_starred < w->flags)
        w->flags = (double)figures.items_starred;
    if (status == KNS_OK && query->n_feeds > 0)
        status = weigh_feeds(store, query, INT64_MAX - 1, &source, err);
    else if (status == KNS_OK && query->tag != NULL)
        status = weigh_tag(store, query->tag, w->small, &source, err);
    if (query->n_feeds > 0 || query->tag != NULL)
        w->source = (double)source;
    if (status == KNS_OK && query->min_sources > 1) {
        status = weigh_shared(store, query->min_sources, w->small, &shared, err);
        w->shared = (double)shared;
    }
    return status == KNS_OK && choice->match != NULL
               ? weigh_match(store, choice->match, figures.items, &w->match, err)
               : status;
}

/* The rows of a walk through weight items before a page is found, where others let so many through. */
static double rows_of(const struct weights *w, double weight, double others)
{
    double rows = w->page / (others / (w->items * w->items * w->items));

    return rows < weight ? rows : weight;
}

static void consider(struct choice *choice, double *least, enum way way, double cost)
{
    if (cost >= *least)
        return;
    *least = cost;
    choice->way = way;
}

/* A search by time: its hits are walked, or what else is asked for is, and the index asked about each. */
static void choose_search(struct choice *choice, const struct weights *w)
{
    const struct kns_item_query *query = choice->query;
    double least = rows_of(w, w->match, w->flags * w->source * w->shared) * HIT;
    double others = w->match * w->shared;

    choice->way = WALK_MATCH;
    if (query->n_feeds == 1)
        consider(choice, &least, WALK_FEED, rows_of(w, w->source, others * w->flags) * PROBE);
    if (query->unread || query->starred)
        consider(choice, &least, WALK_ORDER, rows_of(w, w->flags, others * w->source) * PROBE);
}

/* By time there is a walk for everything, or a merge. */
static void choose_by_time(struct choice *choice, const struct weights *w)
{
    const struct kns_item_query *query = choice->query;

    choice->way = WALK_ORDER;
    if (query->min_sources > 2 && w->shared < (double)w->small)
        choice->way = SET_SHARED;
    else if (query->n_feeds == 1)
        choice->way = WALK_FEED;
    else if (query->n_feeds > 1 || query->tag != NULL)
        choice->first_rows = FIRST_ROWS;
    /* A source of few items is merged from the start. */
    if (choice->first_rows > 0 && w->source < (double)w->small)
        choice->way = MERGE;
}

/* Other orders: the smallest set that is small, or the index of the order. */
static void choose_other(struct choice *choice, const struct weights *w)
{
    const struct kns_item_query *query = choice->query;
    double others = w->flags * w->source * w->shared * (w->match / w->items);
    double walk = rows_of(w, w->items, others) * (choice->match == NULL ? ROW : PROBE);
    double probe = choice->match == NULL ? ROW : PROBE;

    choice->way = WALK_ORDER;
    if (choice->match != NULL)
        consider(choice, &walk, SET_MATCH, w->match * ROW);
    if ((query->n_feeds > 0 || query->tag != NULL) && w->source <= (double)w->small)
        consider(choice, &walk, SET_SOURCE, w->source * probe);
    if (query->min_sources > 1 && w->shared <= (double)w->small)
        consider(choice, &walk, SET_SHARED, w->shared * probe);
    if (query->unread || query->starred)
        consider(choice, &walk, SET_FLAGS, w->flags * probe);
}

bool kns_query_leads(const struct kns_item_query *query, enum way way)
{
    bool by_time = kns_query_by_time(query), source = query->n_feeds > 0 || query->tag != NULL;

    if (query->sort == KNS_SORT_RANK)
        return way == SET_MATCH;
    switch (way) {
    case WALK_ORDER:
        return true;
    case WALK_FEED:
        return by_time && query->n_feeds == 1;
    case WALK_MATCH:
        return by_time && query->q != NULL;
    case MERGE:
        return by_time && query->q == NULL && source;
    case SET_SOURCE:
        return source;
    case SET_FLAGS:
        return query->unread || query->starred;
    case SET_SHARED:
        return query->min_sources > 1;
    case SET_MATCH:
        return query->q != NULL;
    }
    return false;
}

enum kns_status kns_query_choose(struct kns_store *store, struct choice *choice,
                                 struct kns_error *err)
{
    const struct kns_item_query *query = choice->query;
    struct weights weights = {0};
    bool filtered = query->n_feeds > 0 || query->tag != NULL || query->unread || query->starred ||
                    query->min_sources > 1;
    bool little = false;

    if (query->sort == KNS_SORT_RANK)
        return bound_ranked(store, choice, err);
    enum kns_status status = finds_little(store, choice, &little, err);
    if (status != KNS_OK || little) {
        choice->way = SET_MATCH;
        return status;
    }
    choice->way = choice->match == NULL ? WALK_ORDER : WALK_MATCH;
    if (kns_query_by_time(query) && !filtered)
        return KNS_OK;
    status = weigh(store, choice, &weights, err);
    if (status != KNS_OK)
        return status;
    if (!kns_query_by_time(query))
        choose_other(choice, &weights);
    else if (choice->match != NULL)
        choose_search(choice, &weights);
    else
        choose_by_time(choice, &weights);
    return KNS_OK;
}
