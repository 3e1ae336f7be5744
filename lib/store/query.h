/* query.h - a listing on its way: what is asked, the way to a page, where it begins. Private to lib/store. */
#ifndef KNS_STORE_QUERY_H
#define KNS_STORE_QUERY_H

#include "lib/store/internal.h"

/* The ways to a page. */
enum way {
    WALK_ORDER, /* the index of the list's order, or of it and the flags asked for */
    WALK_FEED,  /* a feed's items by time */
    WALK_MATCH, /* what a search finds by time */
    MERGE,      /* the items of each of some feeds, or of a tag, by time */
    SET_SOURCE, /* all of some feeds, or of a tag */
    SET_FLAGS,  /* all unread or starred ones */
    SET_SHARED, /* all of so many sources */
    SET_MATCH,  /* all that a search finds */
};

struct choice {
    const struct kns_item_query *query;
    const char *match; /* FTS5's expression; NULL: no search */
    const char *feeds; /* the ids as a JSON array; NULL: any feed */
    enum way way;
    size_t first_rows;   /* then the walk is given up, and the rest is merged; 0: never */
    int64_t least_place; /* of what is ranked */
};

/* The position of an item in a list: what the next page begins after. */
struct position {
    bool given;
    int64_t first, time, id;
};

#define LISTED_BY_DEFAULT 50

static inline size_t kns_query_limit(const struct kns_item_query *query)
{
    return query->limit == 0 ? LISTED_BY_DEFAULT : query->limit;
}

static inline bool kns_query_by_time(const struct kns_item_query *query)
{
    return query->sort == KNS_SORT_NEW || query->sort == KNS_SORT_OLD;
}

/* As kns_store_query_items. forced (NULL: none) names a way, which must be one that leads there: all lead to the same page, but for the
 * time that they take. */
enum kns_status kns_query_items(struct kns_store *store, struct kns_arena *arena,
                                const struct kns_item_query *query, const struct choice *forced,
                                bool (*on_item)(void *ctx, const struct kns_item *item), void *ctx,
                                const char **ret_cursor, struct kns_error *err);

/* The statement of a way (never MERGE); free() it. NULL: no memory. */
char *kns_query_sql(const struct choice *choice, const struct position *after,
                    const struct position *last);

/* choose.c: whether a way leads to what is asked for; the way that costs the least. */
bool kns_query_leads(const struct kns_item_query *query, enum way way);
enum kns_status kns_query_choose(struct kns_store *store, struct choice *choice,
                                 struct kns_error *err);

/* merge.c: hands out the rows of ITEM_COLUMNS that the query lets through, by time, behind a position, until on_row says that it has
 * enough. */
enum kns_status kns_query_merge(struct kns_store *store, const struct choice *choice,
                                const struct position *after,
                                enum kns_status (*on_row)(void *ctx, sqlite3_stmt *row,
                                                          bool *ret_more, struct kns_error *err),
                                void *ctx, struct kns_error *err);

#endif
