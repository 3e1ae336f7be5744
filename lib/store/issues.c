/* Issues of one's own newsletters, what they covered, and items that a person chose without any feed. */
#include "lib/store/internal.h"

#include "lib/text.h"
#include "lib/url.h"

#include <string.h>

/* Titles with fewer letters than this tell nothing apart ("Release notes" and "Hello" are many). */
#define TITLE_LEAST_BYTES 18

/* ---- what was covered ------------------------------------------------------------------------------------------------- */

/* Letters and digits of a title, folded; NULL: too few. */
static const char *title_key(struct kns_arena *arena, const char *title)
{
    const char *folded = title == NULL ? NULL : kns_text_fold(arena, title);
    char *key = folded == NULL ? NULL : kns_arena_strdup(arena, folded);
    size_t to = 0;

    for (const char *c = key; c != NULL && *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z'))
            key[to++] = *c;
    }
    if (key != NULL)
        key[to] = '\0';
    return to >= TITLE_LEAST_BYTES ? key : NULL;
}

static enum kns_status put_covered(struct kns_store *store, int64_t issue_id,
                                   const struct kns_covered *covered, size_t n,
                                   struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    sqlite3_stmt *stmt = kns_sql(store, ISSUE_ITEM_CLEAR);

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_int(stmt, 1, issue_id);
    enum kns_status status = kns_sql_do(store, stmt, err);
    for (size_t i = 0; i < n && status == KNS_OK; i++) {
        stmt = kns_sql(store, ISSUE_ITEM_PUT);
        kns_bind_int(stmt, 1, issue_id);
        kns_bind_int(stmt, 2, (int64_t)i + 1);
        kns_bind_int(stmt, 3, covered[i].item_id);
        kns_bind_text(stmt, 4,
                      covered[i].url == NULL ? NULL : kns_url_variant_key(arena, covered[i].url));
        kns_bind_text(stmt, 5, title_key(arena, covered[i].title));
        status = kns_sql_do(store, stmt, err);
    }
    kns_arena_free(arena);
    return status;
}

enum kns_status kns_store_find_covered(struct kns_store *store, const char *newsletter,
                                       const char *url, const char *title, int64_t except,
                                       int64_t *ret_number, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    sqlite3_stmt *stmt = kns_sql(store, ISSUE_COVERED);

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_text(stmt, 1, newsletter);
    kns_bind_text(stmt, 2, url == NULL ? NULL : kns_url_variant_key(arena, url));
    kns_bind_text(stmt, 3, title_key(arena, title));
    kns_bind_int(stmt, 4, except);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        *ret_number = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    kns_arena_free(arena);
    return status;
}

/* ---- issues ------------------------------------------------------------------------------------------------------------ */

static enum kns_status find_issue(struct kns_store *store, const char *newsletter, int64_t number,
                                  int64_t *ret_id, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ISSUE_FIND);

    kns_bind_text(stmt, 1, newsletter);
    kns_bind_int(stmt, 2, number);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        *ret_id = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status;
}

static enum kns_status put(struct kns_store *store, const struct kns_issue_record *record,
                           int64_t *ret_id, struct kns_error *err)
{
    enum kns_status status = find_issue(store, record->newsletter, record->number, ret_id, err);
    bool known = status == KNS_OK;

    if (status != KNS_OK && status != KNS_ENOTFOUND)
        return status;
    sqlite3_stmt *stmt = kns_sql(store, known ? ISSUE_UPDATE : ISSUE_INSERT);
    kns_bind_text(stmt, 1, record->newsletter);
    kns_bind_int(stmt, 2, record->number);
    kns_bind_text(stmt, 3, record->title);
    kns_bind_int(stmt, 4, record->published_at.unix_s);
    kns_bind_int(stmt, 5, record->updated_at.unix_s);
    kns_bind_int(stmt, 6, record->items);
    kns_bind_text(stmt, 7, record->document);
    status = kns_sql_do(store, stmt, err);
    if (status == KNS_OK && !known)
        *ret_id = sqlite3_last_insert_rowid(store->db);
    return status;
}

enum kns_status kns_store_put_issue(struct kns_store *store, const struct kns_issue_record *record,
                                    const struct kns_covered *covered, size_t n_covered,
                                    int64_t *ret_id, struct kns_error *err)
{
    int64_t id = 0;
    enum kns_status status = kns_savepoint_begin(store, err);

    if (status != KNS_OK)
        return status;
    status = put(store, record, &id, err);
    if (status == KNS_OK)
        status = put_covered(store, id, covered, record->number == 0 ? 0 : n_covered, err);
    status = kns_savepoint_end(store, status, err);
    if (status == KNS_OK && ret_id != NULL)
        *ret_id = id;
    return status;
}

enum kns_status kns_store_remove_issue(struct kns_store *store, const char *newsletter,
                                       int64_t number, struct kns_error *err)
{
    int64_t id = 0;
    enum kns_status status = find_issue(store, newsletter, number, &id, err);

    if (status == KNS_ENOTFOUND)
        return kns_fail(err, KNS_ENOTFOUND, "there is no such issue");
    if (status != KNS_OK)
        return status;
    sqlite3_stmt *stmt = kns_sql(store, ISSUE_DELETE);
    kns_bind_text(stmt, 1, newsletter);
    kns_bind_int(stmt, 2, number);
    return kns_sql_do(store, stmt, err);
}

/* Strings live until the next step. */
static struct kns_issue_record record_of(sqlite3_stmt *row)
{
    return (struct kns_issue_record){.id = sqlite3_column_int64(row, 0),
                                     .newsletter = kns_column(row, 1),
                                     .number = sqlite3_column_int64(row, 2),
                                     .title = kns_column(row, 3),
                                     .published_at = {sqlite3_column_int64(row, 4)},
                                     .updated_at = {sqlite3_column_int64(row, 5)},
                                     .items = sqlite3_column_int64(row, 6),
                                     .document = kns_column(row, 7)};
}

enum kns_status kns_store_get_issue(struct kns_store *store, struct kns_arena *arena,
                                    const char *newsletter, int64_t number,
                                    struct kns_issue_record *ret, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ISSUE_GET);

    kns_bind_text(stmt, 1, newsletter);
    kns_bind_int(stmt, 2, number);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_ENOTFOUND)
        return number == 0
                   ? kns_fail(err, KNS_ENOTFOUND, "there is no draft")
                   : kns_fail(err, KNS_ENOTFOUND, "there is no issue %lld", (long long)number);
    if (status != KNS_OK)
        return status;
    *ret = record_of(stmt);
    ret->newsletter = kns_arena_strdup(arena, ret->newsletter);
    ret->title = kns_arena_strdup(arena, ret->title);
    ret->document = kns_arena_strdup(arena, ret->document);
    sqlite3_reset(stmt);
    return ret->newsletter == NULL || ret->document == NULL
               ? kns_fail(err, KNS_ENOMEM, "out of memory")
               : KNS_OK;
}

enum kns_status kns_store_each_issue(struct kns_store *store, const char *newsletter, size_t limit,
                                     bool (*on_issue)(void *ctx,
                                                      const struct kns_issue_record *issue),
                                     void *ctx, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ISSUE_LIST);
    enum kns_status status = KNS_OK;
    bool more = true;

    kns_bind_text(stmt, 1, newsletter);
    kns_bind_int(stmt, 2, limit == 0 ? -1 : (int64_t)limit);
    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        const struct kns_issue_record record = record_of(stmt);
        more = on_issue(ctx, &record);
    }
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* ---- readers ----------------------------------------------------------------------------------------------------------- */

/* Readers are known by their address in lower case. */
static enum kns_status bind_recipient(struct kns_arena *arena, sqlite3_stmt *stmt, int64_t issue_id,
                                      const char *address, struct kns_error *err)
{
    const char *folded = kns_text_fold(arena, address);

    if (folded == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_int(stmt, 1, issue_id);
    kns_bind_text(stmt, 2, folded);
    return KNS_OK;
}

enum kns_status kns_store_note_sent(struct kns_store *store, const char *newsletter, int64_t number,
                                    const char *const *addresses, size_t n, bool again,
                                    struct kns_time now, bool *ret_fresh, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    int64_t id = 0;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : find_issue(store, newsletter, number, &id, err);

    if (status == KNS_ENOTFOUND)
        kns_fail(err, KNS_ENOTFOUND, "there is no issue %lld", (long long)number);
    for (size_t i = 0; i < n && status == KNS_OK; i++) {
        sqlite3_stmt *stmt = kns_sql(store, ISSUE_SENT_PUT);
        status = bind_recipient(arena, stmt, id, addresses[i], err);
        if (status != KNS_OK)
            break;
        kns_bind_int(stmt, 3, now.unix_s);
        status = kns_sql_do(store, stmt, err);
        ret_fresh[i] = again || sqlite3_changes(store->db) > 0;
    }
    kns_arena_free(arena);
    return status;
}

enum kns_status kns_store_forget_sent(struct kns_store *store, const char *newsletter,
                                      int64_t number, const char *const *addresses, size_t n,
                                      struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    int64_t id = 0;
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : find_issue(store, newsletter, number, &id, err);

    for (size_t i = 0; i < n && status == KNS_OK; i++) {
        sqlite3_stmt *stmt = kns_sql(store, ISSUE_SENT_REMOVE);
        status = bind_recipient(arena, stmt, id, addresses[i], err);
        if (status == KNS_OK)
            status = kns_sql_do(store, stmt, err);
    }
    kns_arena_free(arena);
    return status;
}
