/* Rules as they are kept, and the compiled set that looks at what arrives. */
#include "lib/store/internal.h"

#include "lib/rules.h"

#include <stdlib.h>
#include <string.h>

/* ---- the compiled set --------------------------------------------------------------------------------------------- */

void kns_store_forget_rules(struct kns_store *store)
{
    kns_rules_free(store->rules);
    store->rules = NULL;
}

/* A rule that this build cannot read any more (another PCRE2 may) is left out: it must not stop what arrives. */
static enum kns_status load_rules(struct kns_store *store, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, RULE_LIST);
    enum kns_status status;

    if (store->rules != NULL)
        return KNS_OK;
    store->rules = kns_rules_new();
    if (store->rules == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    while ((status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        status =
            kns_rules_add(store->rules, sqlite3_column_int64(stmt, 0), kns_column(stmt, 1), NULL);
        if (status == KNS_ENOMEM)
            break;
    }
    sqlite3_reset(stmt);
    if (status == KNS_ENOTFOUND)
        return KNS_OK;
    kns_store_forget_rules(store);
    return status;
}

enum kns_status kns_store_has_rules(struct kns_store *store, bool *ret, struct kns_error *err)
{
    enum kns_status status = load_rules(store, err);

    if (status == KNS_OK)
        *ret = kns_rules_count(store->rules) > 0;
    return status;
}

enum kns_status kns_store_judge(struct kns_store *store, struct kns_arena *arena,
                                const struct kns_rule_subject *subject, struct kns_time now,
                                struct kns_rule_verdict *ret, struct kns_error *err)
{
    const struct kns_rule_match *match;
    enum kns_status status = load_rules(store, err);

    if (status == KNS_OK)
        status = kns_rules_judge(store->rules, arena, subject, ret, err);
    if (status != KNS_OK)
        return status;
    for (match = ret->matches.first; match != NULL && status == KNS_OK; match = match->next) {
        sqlite3_stmt *stmt = kns_sql(store, RULE_COUNT);
        kns_bind_int(stmt, 1, match->id);
        kns_bind_int(stmt, 2, !match->gave_up);
        kns_bind_int(stmt, 3, match->gave_up);
        kns_bind_int(stmt, 4, now.unix_s);
        status = kns_sql_do(store, stmt, err);
    }
    return status;
}

/* ---- keeping rules ------------------------------------------------------------------------------------------------ */

/* The text without the space around it; in arena. */
static const char *trimmed(struct kns_arena *arena, const char *text, size_t size)
{
    while (size > 0 && strchr(" \t\r\n", *text) != NULL) {
        text++;
        size--;
    }
    while (size > 0 && strchr(" \t\r\n", text[size - 1]) != NULL)
        size--;
    return kns_arena_copy(arena, text, size);
}

static enum kns_status find_rule(struct kns_store *store, const char *text, int64_t *ret_id,
                                 struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, RULE_FIND);

    kns_bind_text(stmt, 1, text);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        *ret_id = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status;
}

/* The whole set is read once with the new rule in it, so that its number is bounded. */
static enum kns_status put_rule(struct kns_store *store, const char *text, struct kns_time now,
                                int64_t *ret_id, struct kns_error *err)
{
    enum kns_status status = kns_rules_add(NULL, 0, text, err);

    if (status == KNS_OK)
        status = find_rule(store, text, ret_id, err);
    if (status == KNS_OK)
        return kns_fail(err, KNS_EEXIST, "rule %lld says the same", (long long)*ret_id);
    if (status == KNS_ENOTFOUND)
        status = load_rules(store, err);
    if (status == KNS_OK)
        status = kns_rules_add(store->rules, 0, text, err);
    kns_store_forget_rules(store);
    if (status != KNS_OK)
        return status;
    sqlite3_stmt *stmt = kns_sql(store, RULE_INSERT);
    kns_bind_text(stmt, 1, text);
    kns_bind_int(stmt, 2, now.unix_s);
    status = kns_sql_do(store, stmt, err);
    if (status == KNS_OK)
        *ret_id = sqlite3_last_insert_rowid(store->db);
    return status;
}

enum kns_status kns_store_add_rule(struct kns_store *store, const char *text, struct kns_time now,
                                   int64_t *ret_id, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *rule = arena == NULL ? NULL : trimmed(arena, text, strlen(text));
    enum kns_status status = rule == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                          : put_rule(store, rule, now, ret_id, err);

    kns_arena_free(arena);
    return status;
}

enum kns_status kns_store_remove_rule(struct kns_store *store, int64_t id, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, RULE_DELETE);

    kns_bind_int(stmt, 1, id);
    enum kns_status status = kns_sql_do(store, stmt, err);
    if (status == KNS_OK && sqlite3_changes(store->db) == 0)
        return kns_fail(err, KNS_ENOTFOUND, "no rule has the id %lld", (long long)id);
    kns_store_forget_rules(store);
    return status;
}

/* One line of an import. */
static enum kns_status import_line(struct kns_store *store, const char *rule, struct kns_time now,
                                   struct kns_rule_import *result, struct kns_error *err)
{
    int64_t id;

    if (kns_rule_is_blank(rule))
        return KNS_OK;
    enum kns_status status = put_rule(store, rule, now, &id, err);
    result->added += status == KNS_OK;
    result->known += status == KNS_EEXIST;
    return status == KNS_EEXIST ? KNS_OK : status;
}

static enum kns_status import_lines(struct kns_store *store, struct kns_arena *arena,
                                    const char *text, struct kns_time now,
                                    struct kns_rule_import *result, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    for (int line = 1; *text != '\0' && status == KNS_OK; line++) {
        size_t size = strcspn(text, "\n");
        const char *rule = trimmed(arena, text, size);
        status = rule == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                              : import_line(store, rule, now, result, err);
        if (status != KNS_OK)
            kns_fail_in(err, "line %d", line);
        text += size + (text[size] == '\n');
    }
    return status;
}

enum kns_status kns_store_import_rules(struct kns_store *store, const char *text, bool replace,
                                       struct kns_time now, struct kns_rule_import *ret,
                                       struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_rule_import result = {0};
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : kns_savepoint_begin(store, err);

    if (status != KNS_OK) {
        kns_arena_free(arena);
        return status;
    }
    if (replace)
        status = kns_sql_do(store, kns_sql(store, RULE_CLEAR), err);
    kns_store_forget_rules(store);
    if (status == KNS_OK)
        status = import_lines(store, arena, text, now, &result, err);
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(arena);
    if (status == KNS_OK)
        *ret = result;
    return status;
}

enum kns_status kns_store_each_rule(struct kns_store *store,
                                    bool (*on_rule)(void *ctx, const struct kns_rule_record *rule),
                                    void *ctx, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, RULE_LIST);
    enum kns_status status = KNS_OK;
    bool more = true;

    while (more && (status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        struct kns_rule_record rule = {
            .id = sqlite3_column_int64(stmt, 0),
            .text = kns_column(stmt, 1),
            .added_at = {sqlite3_column_int64(stmt, 2)},
            .matches = sqlite3_column_int64(stmt, 3),
            .last_match_at = {sqlite3_column_int64(stmt, 4)},
            .gave_up = sqlite3_column_int64(stmt, 5),
        };
        more = on_rule(ctx, &rule);
    }
    sqlite3_reset(stmt);
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

/* ---- trying rules on what came ------------------------------------------------------------------------------------ */

struct trial {
    struct kns_store *store;
    struct kns_arena *arena;
    struct kns_rules *rules;
    const struct kns_feed *feed; /* of the last item; items of one feed often follow each other */
    struct kns_rule_trial *result;
    bool (*on_item)(void *, const struct kns_item *, const struct kns_rule_verdict *);
    void *ctx;
    enum kns_status status;
    struct kns_error *err;
};

static bool try_item(void *ctx, const struct kns_item *item)
{
    struct trial *t = ctx;
    struct kns_rule_verdict verdict;
    int64_t feed_id = item->feeds.first == NULL ? 0 : item->feeds.first->id;
    struct kns_feed *feed = NULL;

    if (feed_id != 0 && (t->feed == NULL || t->feed->id != feed_id)) {
        t->status = kns_store_get_feed(t->store, t->arena, feed_id, false, &feed, t->err);
        if (t->status != KNS_OK)
            return false;
        t->feed = feed;
    }
    struct kns_rule_subject subject = {.feed_id = feed_id, .entry = &item->entry};
    if (feed_id != 0) {
        subject.feed_url = t->feed->url;
        subject.feed_title = t->feed->title;
        subject.feed_tags = &t->feed->tags;
    }
    t->status = kns_rules_judge(t->rules, t->arena, &subject, &verdict, t->err);
    if (t->status != KNS_OK)
        return false;
    t->result->tried++;
    if (verdict.matches.count == 0)
        return true;
    t->result->matched++;
    return t->on_item(t->ctx, item, &verdict);
}

/* The rules to be tried: one text, one that is kept, or all that are. */
static enum kns_status gather(struct kns_store *store, const struct kns_rule_test *test,
                              struct kns_rules *rules, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, RULE_LIST);
    enum kns_status status;

    if (test->text != NULL)
        return kns_rules_add(rules, 0, test->text, err);
    while ((status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        int64_t id = sqlite3_column_int64(stmt, 0);
        if (test->rule_id == 0 || test->rule_id == id)
            kns_rules_add(rules, id, kns_column(stmt, 1), NULL);
    }
    if (status != KNS_ENOTFOUND)
        return status;
    if (test->rule_id != 0 && kns_rules_count(rules) == 0)
        return kns_fail(err, KNS_ENOTFOUND, "no rule has the id %lld", (long long)test->rule_id);
    return KNS_OK;
}

enum kns_status kns_store_test_rules(
    struct kns_store *store, struct kns_arena *arena, const struct kns_rule_test *test,
    bool (*on_item)(void *ctx, const struct kns_item *item, const struct kns_rule_verdict *verdict),
    void *ctx, struct kns_rule_trial *ret, const char **ret_cursor, struct kns_error *err)
{
    struct kns_rules *rules = kns_rules_new();
    struct trial t = {.store = store,
                      .arena = arena,
                      .rules = rules,
                      .result = ret,
                      .on_item = on_item,
                      .ctx = ctx,
                      .err = err};
    const struct kns_item_query query = {.since = test->since,
                                         .sort = KNS_SORT_SEEN,
                                         .limit = test->limit,
                                         .cursor = test->cursor,
                                         .with_content = true};

    *ret = (struct kns_rule_trial){0};
    enum kns_status status = rules == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : gather(store, test, rules, err);
    if (status == KNS_OK)
        status = kns_store_query_items(store, arena, &query, try_item, &t, ret_cursor, err);
    kns_rules_free(rules);
    return status == KNS_OK ? t.status : status;
}
