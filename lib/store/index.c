/* What goes into the search index, and out of it, at the end of a transaction.
 *
 * FTS5 gathers what it is given in memory and writes a segment of its index when a savepoint begins or a statement may have to be undone,
 * which would be several times an item; many small segments have to be merged again later. So a transaction's texts wait here,
 * in their order, and go to the index together, just before it commits. They are part of it like everything else: what is undone
 * takes its texts along. */
#include "lib/store/internal.h"

#include <string.h>

/* More memory than this is not kept for the next transaction. */
#define KEPT_MOST ((size_t)4 << 20)

/* One that waits: this, then three strings with their NULs. */
struct waiting {
    int64_t item_id;
    enum statement what;
    size_t sizes[3]; /* of the strings, NULs counted */
};

static enum kns_status run_text(struct kns_store *store, enum statement what, int64_t item_id,
                                const char *const texts[3], struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, what);

    kns_bind_int(stmt, 1, item_id);
    for (int i = 0; i < 3; i++)
        kns_bind_text(stmt, 2 + i, texts[i]);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status run_or_wait(struct kns_store *store, enum statement what, int64_t item_id,
                                   const struct search_text *text, struct kns_error *err)
{
    const char *const texts[] = {text->title, text->author, text->body};
    struct waiting waiting = {.item_id = item_id, .what = what};

    if (store->index_at_once || sqlite3_get_autocommit(store->db))
        return run_text(store, what, item_id, texts, err);
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

enum kns_status kns_search_add(struct kns_store *store, int64_t item_id,
                               const struct search_text *text, struct kns_error *err)
{
    return run_or_wait(store, TEXT_INSERT, item_id, text, err);
}

enum kns_status kns_search_remove(struct kns_store *store, int64_t item_id,
                                  const struct search_text *text, struct kns_error *err)
{
    return run_or_wait(store, TEXT_DELETE, item_id, text, err);
}

enum kns_status kns_search_settle(struct kns_store *store, struct kns_error *err)
{
    const char *at = kns_buf_str(&store->indexing);
    const char *end = at + store->indexing.len;
    enum kns_status status = KNS_OK;

    if (sqlite3_get_autocommit(store->db))
        end = at; /* a full disk has undone the transaction */
    while (status == KNS_OK && at < end) {
        struct waiting waiting;
        const char *texts[3];
        memcpy(&waiting, at, sizeof(waiting));
        at += sizeof(waiting);
        for (size_t i = 0; i < 3; i++) {
            texts[i] = at;
            at += waiting.sizes[i];
        }
        status = run_text(store, waiting.what, waiting.item_id, texts, err);
    }
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
