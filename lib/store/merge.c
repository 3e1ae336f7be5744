/* A list by time of what several feeds carry, or of a tag: each feed's items stand in an index by time, and so do those that a tag was
 * given to; they are merged. It costs a look at each feed and one at each item listed, however many items there are. */
#include "lib/store/query.h"

#include <stdlib.h>

/* A feed, or the items that were tagged themselves: where it stands. */
struct stream {
    int64_t feed_id; /* 0: the tagged */
    int64_t time, id;
};

struct merge {
    struct kns_store *store;
    const struct choice *choice;
    bool up; /* oldest first */
    enum statement next_of_feed, next_tagged;
    struct kns_buf streams; /* a heap: none comes before its parent */
    struct position last;   /* the item that was listed last */
};

static struct stream *heap(const struct merge *m)
{
    return (struct stream *)(void *)m->streams.data;
}

static size_t count(const struct merge *m)
{
    return m->streams.len / sizeof(struct stream);
}

static bool comes_before(const struct merge *m, const struct stream *a, const struct stream *b)
{
    bool less = a->time != b->time ? a->time < b->time : a->id < b->id;
    bool same = a->time == b->time && a->id == b->id;

    return !same && less == m->up;
}

static void sift_down(const struct merge *m, size_t at)
{
    struct stream *s = heap(m);
    size_t n = count(m);

    for (;;) {
        size_t first = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (comes_before(m, &s[child], &s[first]))
                first = child;
        if (first == at)
            return;
        struct stream moved = s[at];
        s[at] = s[first];
        s[first] = moved;
        at = first;
    }
}

/* The stream's next item; KNS_ENOTFOUND: it has no more. */
static enum kns_status step(const struct merge *m, struct stream *stream, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(m->store, stream->feed_id == 0 ? m->next_tagged : m->next_of_feed);

    if (stream->feed_id == 0)
        kns_bind_text(stmt, 1, m->choice->query->tag);
    else
        kns_bind_int(stmt, 1, stream->feed_id);
    kns_bind_int(stmt, 2, stream->time);
    kns_bind_int(stmt, 3, stream->id);
    enum kns_status status = kns_sql_next(m->store, stmt, err);
    if (status == KNS_OK) {
        stream->time = sqlite3_column_int64(stmt, 0);
        stream->id = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    return status;
}

static enum kns_status add_stream(struct merge *m, int64_t feed_id, const struct position *after,
                                  struct kns_error *err)
{
    struct stream stream = {feed_id, after->time, after->id};
    enum kns_status status = step(m, &stream, err);

    if (status == KNS_OK)
        kns_buf_add(&m->streams, &stream, sizeof(stream));
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

static enum kns_status add_feeds_of_tag(struct merge *m, const struct position *after,
                                        struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(m->store, FEEDS_OF_TAG);
    enum kns_status status = KNS_OK;

    kns_bind_text(stmt, 1, m->choice->query->tag);
    while (status == KNS_OK && (status = kns_sql_next(m->store, stmt, err)) == KNS_OK)
        status = add_stream(m, sqlite3_column_int64(stmt, 0), after, err);
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? add_stream(m, 0, after, err) : status;
}

static enum kns_status add_streams(struct merge *m, const struct position *after,
                                   struct kns_error *err)
{
    const struct kns_item_query *query = m->choice->query;
    enum kns_status status = KNS_OK;

    for (size_t i = 0; i < query->n_feeds && status == KNS_OK; i++)
        status = add_stream(m, query->feeds[i], after, err);
    if (status == KNS_OK && query->n_feeds == 0)
        status = add_feeds_of_tag(m, after, err);
    if (status == KNS_OK && kns_buf_failed(&m->streams))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    for (size_t i = count(m) / 2; status == KNS_OK && i-- > 0;)
        sift_down(m, i);
    return status;
}

static bool is_wanted(const struct kns_item_query *query, sqlite3_stmt *row)
{
    return (!query->unread || sqlite3_column_int(row, 4) == 0) &&
           (!query->starred || sqlite3_column_int(row, 5) != 0) &&
           sqlite3_column_int64(row, 7) >= query->min_sources;
}

/* Where feeds are asked for and a tag, the feeds are merged. */
static enum kns_status has_tag(const struct merge *m, int64_t id, bool *ret, struct kns_error *err)
{
    const struct kns_item_query *query = m->choice->query;

    *ret = true;
    if (query->n_feeds == 0 || query->tag == NULL)
        return KNS_OK;
    sqlite3_stmt *stmt = kns_sql(m->store, ITEM_HAS_TAG);
    kns_bind_int(stmt, 1, id);
    kns_bind_text(stmt, 2, query->tag);
    enum kns_status status = kns_sql_next(m->store, stmt, err);
    *ret = status == KNS_OK && sqlite3_column_int(stmt, 0) != 0;
    sqlite3_reset(stmt);
    return status;
}

static bool is_outside(const struct merge *m, const struct stream *first)
{
    const struct kns_item_query *query = m->choice->query;

    return m->up ? kns_time_given(query->until) && first->time >= query->until.unix_s
                 : kns_time_given(query->since) && first->time < query->since.unix_s;
}

/* Takes the first item of all; it may stand in several streams. */
static enum kns_status take_first(struct merge *m, bool *ret_again, struct stream *ret,
                                  struct kns_error *err)
{
    struct stream *first = &heap(m)[0];

    *ret = *first;
    *ret_again = m->last.given && m->last.time == first->time && m->last.id == first->id;
    m->last = (struct position){true, 0, first->time, first->id};
    enum kns_status status = step(m, first, err);
    if (status == KNS_ENOTFOUND) {
        *first = heap(m)[count(m) - 1];
        m->streams.len -= sizeof(*first);
        status = KNS_OK;
    }
    sift_down(m, 0);
    return status;
}

/* Where a list begins: behind a position, or at the first of the time asked for. */
static struct position beginning(const struct merge *m, const struct position *after)
{
    const struct kns_item_query *query = m->choice->query;
    struct position from = {true, 0, m->up ? INT64_MIN : INT64_MAX, 0};

    if (after->given)
        from = *after;
    if (m->up && kns_time_given(query->since) && from.time < query->since.unix_s)
        from = (struct position){true, 0, query->since.unix_s, 0};
    if (!m->up && kns_time_given(query->until) && from.time >= query->until.unix_s)
        from = (struct position){true, 0, query->until.unix_s, 0};
    return from;
}

enum kns_status kns_query_merge(struct kns_store *store, const struct choice *choice,
                                const struct position *after,
                                enum kns_status (*on_row)(void *ctx, sqlite3_stmt *row,
                                                          bool *ret_more, struct kns_error *err),
                                void *ctx, struct kns_error *err)
{
    const struct kns_item_query *query = choice->query;
    bool up = query->sort == KNS_SORT_OLD, more = true;
    struct merge m = {.store = store,
                      .choice = choice,
                      .up = up,
                      .next_of_feed = query->starred  ? (up ? NEXT_STARRED_OLD : NEXT_STARRED)
                                      : query->unread ? (up ? NEXT_UNREAD_OLD : NEXT_UNREAD)
                                                      : (up ? NEXT_OLD : NEXT),
                      .next_tagged = up ? NEXT_TAGGED_OLD : NEXT_TAGGED};
    struct position from = beginning(&m, after);
    enum kns_status status = add_streams(&m, &from, err);

    while (status == KNS_OK && more && count(&m) > 0 && !is_outside(&m, heap(&m))) {
        struct stream first;
        bool again = false, tagged = false;
        status = take_first(&m, &again, &first, err);
        if (status == KNS_OK && !again)
            status = has_tag(&m, first.id, &tagged, err);
        if (status != KNS_OK || again || !tagged)
            continue;
        sqlite3_stmt *row = kns_sql(store, ITEM_LISTED);
        kns_bind_int(row, 1, first.id);
        status = kns_sql_next(store, row, err);
        if (status == KNS_OK && is_wanted(query, row))
            status = on_row(ctx, row, &more, err);
        sqlite3_reset(row);
    }
    kns_buf_fini(&m.streams);
    return status;
}
