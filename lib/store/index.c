/* What goes into the search index, and out of it, at the end of a transaction.
 *
 * An item's row number in the index is its place: its time, and behind it its id. FTS5 walks what a search finds in the order of row
 * numbers and stops where nobody reads on, so that the first page of a search by time costs what a page costs, however much is found.
 *
 * FTS5 gathers what it is given in memory and writes a segment of its index when a savepoint begins, a statement may have to be undone, or
 * a row number comes out of order, which would be several times an item; many small segments have to be merged again later. So a
 * transaction's texts wait here and go to the index together, in the order of their places, just before it commits. They are part of it
 * like everything else: what is undone takes its texts along. */
#include "lib/store/internal.h"

#include <stdlib.h>
#include <string.h>

/* More memory than this is not kept for the next transaction. */
#define KEPT_MOST ((size_t)4 << 20)

/* One that waits: this, then three strings with their NULs. */
struct waiting {
    int64_t place;
    enum statement what;
    size_t sizes[3]; /* of the strings, NULs counted */
};

int64_t kns_search_place(int64_t sort_at, int64_t item_id)
{
    return sort_at * (INT64_C(1) << SEARCH_ID_BITS) + item_id;
}

static enum kns_status run_text(struct kns_store *store, enum statement what, int64_t place,
                                const char *const texts[3], struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, what);

    kns_bind_int(stmt, 1, place);
    for (int i = 0; i < 3; i++)
        kns_bind_text(stmt, 2 + i, texts[i]);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status run_or_wait(struct kns_store *store, enum statement what, int64_t place,
                                   const struct search_text *text, struct kns_error *err)
{
    const char *const texts[] = {text->title, text->author, text->body};
    struct waiting waiting = {.place = place, .what = what};
    int64_t id = place & ((INT64_C(1) << SEARCH_ID_BITS) - 1), reached = 0;
    enum kns_status status = kns_search_reached(store, &reached, err);

    if (status != KNS_OK || id < reached) /* it goes in as it is then */
        return status;
    if (store->index_at_once || sqlite3_get_autocommit(store->db))
        return run_text(store, what, place, texts, err);
    size_t mark = kns_search_mark(store);
    for (size_t i = 0; i < 3; i++)
        waiting.sizes[i] = strlen(texts[i]) + 1;
    kns_buf_add(&store->indexing, &waiting, sizeof(waiting));
    for (size_t i = 0; i < 3; i++)
        kns_buf_add(&store->indexing, texts[i], waiting.sizes[i]);
    if (!kns_buf_failed(&store->indexing))
        return KNS_OK;
    kns_search_undo(store, mark);
    return kns_fail(err, KNS_ENOMEM, "out of memory");
}

enum kns_status kns_search_add(struct kns_store *store, int64_t place,
                               const struct search_text *text, struct kns_error *err)
{
    return run_or_wait(store, TEXT_INSERT, place, text, err);
}

enum kns_status kns_search_remove(struct kns_store *store, int64_t place,
                                  const struct search_text *text, struct kns_error *err)
{
    return run_or_wait(store, TEXT_DELETE, place, text, err);
}

/* Where one that waits begins, and its place, to sort by. What concerns one item keeps its order. */
struct turn {
    int64_t place;
    size_t at;
};

static int compare_turns(const void *x, const void *y)
{
    const struct turn *a = x, *b = y;

    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* All that wait, in order; the caller fini()s ret. */
static size_t sort_waiting(const struct kns_buf *indexing, struct kns_buf *ret)
{
    struct waiting waiting;

    for (size_t at = 0; at < indexing->len;) {
        memcpy(&waiting, indexing->data + at, sizeof(waiting));
        kns_buf_add(ret, &(struct turn){waiting.place, at}, sizeof(struct turn));
        at += sizeof(waiting) + waiting.sizes[0] + waiting.sizes[1] + waiting.sizes[2];
    }
    size_t n = ret->len / sizeof(struct turn);
    if (n > 0 && !kns_buf_failed(ret))
        qsort(ret->data, n, sizeof(struct turn), compare_turns);
    return n;
}

static enum kns_status run_waiting(struct kns_store *store, size_t at, struct kns_error *err)
{
    const char *from = store->indexing.data + at, *texts[3];
    struct waiting waiting;

    memcpy(&waiting, from, sizeof(waiting));
    from += sizeof(waiting);
    for (size_t i = 0; i < 3; i++) {
        texts[i] = from;
        from += waiting.sizes[i];
    }
    return run_text(store, waiting.what, waiting.place, texts, err);
}

enum kns_status kns_search_settle(struct kns_store *store, struct kns_error *err)
{
    struct kns_buf sorted = {0};
    enum kns_status status = KNS_OK;

    if (store->indexing.len > 0 &&
        !sqlite3_get_autocommit(store->db)) { /* else a full disk has undone the transaction */
        size_t n = sort_waiting(&store->indexing, &sorted);
        const struct turn *turns = (const struct turn *)(const void *)sorted.data;
        if (kns_buf_failed(&sorted))
            status = kns_fail(err, KNS_ENOMEM, "out of memory");
        for (size_t i = 0; i < n && status == KNS_OK; i++)
            status = run_waiting(store, turns[i].at, err);
    }
    kns_buf_fini(&sorted);
    /* An index that cannot be written must fail what it concerns, not all that shares a transaction with it. */
    store->index_at_once = store->index_at_once || status == KNS_ECORRUPT;
    kns_search_undo(store, 0);
    return status;
}

size_t kns_search_mark(const struct kns_store *store)
{
    return store->indexing.len;
}

void kns_search_undo(struct kns_store *store, size_t mark)
{
    bool large = store->indexing.cap > KEPT_MOST;

    store->indexing.len = mark;
    store->indexing.failed = false;
    if (mark == 0 && large)
        kns_buf_fini(&store->indexing);
}
