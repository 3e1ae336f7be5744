/* Every named statement of the store walks an index: a scan or a sort is either on the list below, with its reason, or a mistake. */
#include "lib/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "lib/store/statements.h"

static const struct {
    const char *name, *sql;
} statements[] = {
#define STATEMENT(name, sql) {#name, sql},
    STATEMENTS(STATEMENT)
#undef STATEMENT
};

/* What may read a whole table or sort, and why. */
static const struct {
    const char *name, *reason;
} allowed[] = {
    {"EVENT_LAST", "SQLite's own table of sequences has one row for each of our few tables"},
    {"SITE_LIST", "the daemon reads all sites once, at its start"},
    {"WEBSUB_LIST", "the daemon reads all subscriptions at hubs once, at its start"},
    {"FIGURES", "seven rows, counted by triggers"},
    {"RULE_LIST", "there are few rules, and all are wanted"},
    {"LINK_RECENT", "sorts the addresses that several feeds named in a span of time"},
    {"ITEM_SET_SOURCES", "counts the feeds of one item"},
    {"ITEM_SOURCES_OF_FEED",
     "counts the feeds of each item of a feed that was merged into another"},
    {"CHECK_KEYS", "check reads everything, that is its job"},
    {"CHECK_CONTENT", "check reads everything, that is its job"},
    {"CHECK_COUNTS", "check reads everything, that is its job"},
    {"CHECK_KNOWN", "check reads everything, that is its job"},
    {"CHECK_SOURCES", "check reads everything, that is its job"},
    {"CHECK_FLAGS", "check reads everything, that is its job"},
    {"CHECK_TALLY", "check reads everything, that is its job"},
    {"CHECK_LINKS", "check reads everything, that is its job"},
    {"SIGHTING_OF_ITEM", "sorts the few feeds of one item by time"},
    {"SIGHTING_FIRST_OTHER", "sorts the few feeds of one item by time"},
};

static bool is_allowed(const char *name)
{
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        if (strcmp(allowed[i].name, name) == 0)
            return true;
    return false;
}

static bool is_costly(const char *step)
{
    /* What a subquery gives is read whole; how it comes about is a step of its own. */
    return (strncmp(step, "SCAN ", 5) == 0 && strstr(step, "CONSTANT ROW") == NULL &&
            strncmp(step, "SCAN (subquery", 14) != 0) ||
           strstr(step, "TEMP B-TREE") != NULL;
}

/* A statement on the full-text index needs the store's own tokenizer; FTS5 plans it, not SQLite. */
static bool is_full_text(const char *sql)
{
    return strstr(sql, "item_text") != NULL;
}

static bool explain(sqlite3 *db, const char *name, const char *sql)
{
    char *explained = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *stmt = NULL;
    bool cheap = true;

    if (sqlite3_prepare_v2(db, explained, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", name, sqlite3_errmsg(db));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        if (is_costly(step)) {
            cheap = false;
            if (!is_allowed(name))
                print_error("%s: %s\n", name, step);
        }
    }
    sqlite3_finalize(stmt);
    sqlite3_free(explained);
    return cheap;
}

static void no_statement_scans_or_sorts_unintended(void **state)
{
    char dir[] = "/tmp/kns-plans-XXXXXX", path[64], command[64];
    struct kns_store *store = NULL;
    sqlite3 *db = NULL;
    bool good = true;
    (void)state;

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/kns.db", dir);
    assert_int_equal(kns_store_open(path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, NULL),
                     KNS_OK);
    kns_store_close(store);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        if (is_full_text(statements[i].sql))
            continue;
        bool cheap = explain(db, statements[i].name, statements[i].sql);
        if (cheap && is_allowed(statements[i].name))
            print_error("%s: needs no leave any more\n", statements[i].name);
        good = good && cheap != is_allowed(statements[i].name);
    }
    sqlite3_close(db);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    assert_true(good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_statement_scans_or_sorts_unintended)};

    return cmocka_run_group_tests_name("the store's statements", tests, NULL, NULL);
}
