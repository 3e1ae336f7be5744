/* The schema, as the ordered steps that made it. A step and its number commit together; a step that was released is never edited. */
#include "lib/store/internal.h"

/* The tally that counts a feed in a state; an active one is in none of its own. */
#define STATES                                                                                     \
    " WHEN 1 THEN 'feeds paused' WHEN 2 THEN 'feeds failing' WHEN 3 THEN 'feeds gone' END"
#define OLD_STATE "CASE old.state" STATES
#define NEW_STATE "CASE new.state" STATES

/* 1: the first. Times are seconds since 1970 (UTC), 0 "not given"; strings are UTF-8, NULL "not given". */
static const char step_1[] =
    /* Subscriptions, with all that a poll leaves behind for the next one. */
    "CREATE TABLE feed ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  url TEXT NOT NULL UNIQUE," /* as the user gave it */
    "  url_key TEXT NOT NULL,"    /* canonical: finds the feed whatever the spelling */
    "  user_title TEXT, title TEXT, home_page_url TEXT, description TEXT, icon TEXT,"
    "  state INTEGER NOT NULL DEFAULT 0, health INTEGER NOT NULL DEFAULT 0,"
    "  newsletter INTEGER NOT NULL DEFAULT 0, every_s INTEGER NOT NULL DEFAULT 0,"
    "  added_at INTEGER NOT NULL, last_poll_at INTEGER NOT NULL DEFAULT 0, last_success_at INTEGER "
    "NOT NULL DEFAULT 0,"
    "  last_new_item_at INTEGER NOT NULL DEFAULT 0, last_status INTEGER NOT NULL DEFAULT 0, "
    "last_error TEXT,"
    "  next_poll_at INTEGER NOT NULL, next_poll_reason TEXT, interval_s INTEGER NOT NULL DEFAULT 0,"
    "  etag TEXT, last_modified TEXT, content_hash TEXT, consecutive_failures INTEGER NOT NULL "
    "DEFAULT 0,"
    "  entries_per_day REAL NOT NULL DEFAULT -1, no_poll_before INTEGER NOT NULL DEFAULT 0,"
    "  move_to TEXT, move_seen INTEGER NOT NULL DEFAULT 0, move_first_seen INTEGER NOT NULL "
    "DEFAULT 0,"
    "  items INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE INDEX feed_by_key ON feed (url_key);"
    /* URLs that a feed has moved from. */
    "CREATE TABLE feed_url ("
    "  url TEXT NOT NULL PRIMARY KEY, feed_id INTEGER NOT NULL REFERENCES feed (id) ON DELETE "
    "CASCADE"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX feed_url_by_feed ON feed_url (feed_id);"
    "CREATE TABLE feed_tag ("
    "  feed_id INTEGER NOT NULL REFERENCES feed (id) ON DELETE CASCADE, tag TEXT NOT NULL, PRIMARY "
    "KEY (feed_id, tag)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX feed_tag_by_tag ON feed_tag (tag, feed_id);"
    /* How to fetch a feed: apart, so that no listing can show a secret (law 6). */
    "CREATE TABLE feed_access ("
    "  feed_id INTEGER PRIMARY KEY REFERENCES feed (id) ON DELETE CASCADE,"
    "  user TEXT, password TEXT, bearer_token TEXT, headers TEXT, user_agent TEXT, proxy TEXT, "
    "ca_file TEXT, http_version TEXT"
    ") STRICT;"
    /* Articles. detail is the entry as a JSON Feed item without its content, which lists never read. */
    "CREATE TABLE item ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  feed_id INTEGER NOT NULL," /* whose edits change it: the feed that it was first seen in; 0: none any more */
    "  sort_at INTEGER NOT NULL, first_seen INTEGER NOT NULL, changed_at INTEGER NOT NULL DEFAULT "
    "0,"
    "  read INTEGER NOT NULL DEFAULT 0, starred INTEGER NOT NULL DEFAULT 0, score INTEGER NOT NULL "
    "DEFAULT 0,"
    "  sources INTEGER NOT NULL DEFAULT 1, note TEXT, section TEXT, detail TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX item_by_time ON item (sort_at, id);"
    "CREATE INDEX item_by_seen ON item (first_seen, id);"
    "CREATE INDEX item_by_sources ON item (sources, sort_at, id);"
    "CREATE INDEX item_unread ON item (sort_at, id) WHERE read = 0;"
    "CREATE INDEX item_starred ON item (sort_at, id) WHERE starred = 1;"
    "CREATE TABLE item_content ("
    "  item_id INTEGER PRIMARY KEY REFERENCES item (id) ON DELETE CASCADE, html TEXT, text TEXT, "
    "summary_html TEXT"
    ") STRICT;"
    /* What makes an entry known (law 2): its canonical URL anywhere, its guid or hash in one feed. item_id 0: the item was
       removed and must not come back as new. */
    "CREATE TABLE item_key ("
    "  kind INTEGER NOT NULL, scope INTEGER NOT NULL, key TEXT NOT NULL, item_id INTEGER NOT NULL, "
    "PRIMARY KEY (kind, scope, key)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX item_key_by_item ON item_key (item_id);"
    /* Where an item was seen. */
    "CREATE TABLE sighting ("
    "  feed_id INTEGER NOT NULL REFERENCES feed (id) ON DELETE CASCADE, item_id INTEGER NOT NULL "
    "REFERENCES item (id) ON DELETE CASCADE,"
    "  sort_at INTEGER NOT NULL, first_seen INTEGER NOT NULL, guid TEXT, url TEXT, rule INTEGER "
    "NOT NULL, entry_hash INTEGER NOT NULL,"
    "  PRIMARY KEY (feed_id, item_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX sighting_by_item ON sighting (item_id, feed_id);"
    "CREATE INDEX sighting_by_time ON sighting (feed_id, sort_at, item_id);"
    "CREATE TABLE item_tag ("
    "  item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE, tag TEXT NOT NULL, PRIMARY "
    "KEY (item_id, tag)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX item_tag_by_tag ON item_tag (tag, item_id);"
    "CREATE TABLE poll ("
    "  id INTEGER PRIMARY KEY, feed_id INTEGER NOT NULL REFERENCES feed (id) ON DELETE CASCADE,"
    "  at INTEGER NOT NULL, duration_ms INTEGER NOT NULL, outcome INTEGER NOT NULL, http_status "
    "INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  new_items INTEGER NOT NULL, updated_items INTEGER NOT NULL, error TEXT, next_poll_at "
    "INTEGER NOT NULL, next_poll_reason TEXT"
    ") STRICT;"
    "CREATE INDEX poll_by_feed ON poll (feed_id, id);"
    "CREATE TABLE site ("
    "  name TEXT NOT NULL PRIMARY KEY, no_poll_before INTEGER NOT NULL, tokens REAL NOT NULL, "
    "tokens_at INTEGER NOT NULL, reason TEXT"
    ") STRICT, WITHOUT ROWID;"
    /* AUTOINCREMENT: a sequence number is never used twice, whatever was pruned. */
    "CREATE TABLE event ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, what TEXT NOT NULL, item_id "
    "INTEGER NOT NULL, feed_id INTEGER NOT NULL,"
    "  at INTEGER NOT NULL"
    ") STRICT;"
    "CREATE VIRTUAL TABLE item_text USING fts5 (title, author, body, content='', tokenize='kns');";

/* 2: what a document asks of its readers outlives the poll that read it (a 304 does not repeat it); what a site taught. */
static const char step_2[] =
    "ALTER TABLE feed ADD COLUMN ttl_s INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE feed ADD COLUMN update_interval_s INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE feed ADD COLUMN skip_hours INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE feed ADD COLUMN skip_days INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE feed ADD COLUMN newest_entry_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE site ADD COLUMN interval_s INTEGER NOT NULL DEFAULT 0;";

/* 3: rules, which look at items as they arrive. */
static const char step_3[] =
    "CREATE TABLE rule ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL UNIQUE, added_at INTEGER NOT NULL,"
    "  matches INTEGER NOT NULL DEFAULT 0, last_match_at INTEGER NOT NULL DEFAULT 0,"
    "  gave_up INTEGER NOT NULL DEFAULT 0" /* matches that were too costly to finish */
    ") STRICT;";

/* 4: the addresses that items' content names. */
static const char step_4[] =
    /* key is the address in the form that all its spellings share (kns_url_variant_key), hash its hash: the index on it stays
       small, whatever the length of addresses. item_id is the item of that address; 0: nobody's feed carried it; -1: the item
       was removed. feeds counts those whose items name it. */
    "CREATE TABLE link ("
    "  id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, key TEXT NOT NULL, url TEXT NOT NULL,"
    "  item_id INTEGER NOT NULL DEFAULT 0, feeds INTEGER NOT NULL DEFAULT 0,"
    "  first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX link_by_hash ON link (hash);"
    "CREATE INDEX link_by_item ON link (item_id) WHERE item_id > 0;"
    "CREATE INDEX link_shared ON link (last_seen, id) WHERE item_id = 0 AND feeds >= 2;"
    /* feed_id: whose words the item's are; the text is the link's. */
    "CREATE TABLE item_link ("
    "  item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE, link_id INTEGER NOT NULL,"
    "  feed_id INTEGER NOT NULL, text TEXT, PRIMARY KEY (item_id, link_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX item_link_by_link ON item_link (link_id, feed_id, item_id);";

/* 5: what would have to be counted, counted as it changes; when a feed last listed an item; what goes on from where it was. */
static const char step_5[] =
    "CREATE TABLE tally (name TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO tally VALUES"
    "  ('items', (SELECT count(*) FROM item)),"
    "  ('unread', (SELECT count(*) FROM item WHERE read = 0)),"
    "  ('starred', (SELECT count(*) FROM item WHERE starred = 1)),"
    "  ('feeds', (SELECT count(*) FROM feed)),"
    "  ('feeds paused', (SELECT count(*) FROM feed WHERE state = 1)),"
    "  ('feeds failing', (SELECT count(*) FROM feed WHERE state = 2)),"
    "  ('feeds gone', (SELECT count(*) FROM feed WHERE state = 3));"
    "CREATE TRIGGER item_came AFTER INSERT ON item BEGIN"
    "  UPDATE tally SET n = n + 1 WHERE name = 'items';"
    "  UPDATE tally SET n = n + 1 WHERE name = 'unread' AND new.read = 0;"
    "  UPDATE tally SET n = n + 1 WHERE name = 'starred' AND new.starred = 1;"
    "END;"
    "CREATE TRIGGER item_went AFTER DELETE ON item BEGIN"
    "  UPDATE tally SET n = n - 1 WHERE name = 'items';"
    "  UPDATE tally SET n = n - 1 WHERE name = 'unread' AND old.read = 0;"
    "  UPDATE tally SET n = n - 1 WHERE name = 'starred' AND old.starred = 1;"
    "END;"
    "CREATE TRIGGER item_marked AFTER UPDATE OF read, starred ON item BEGIN"
    "  UPDATE tally SET n = n + (new.read = 0) - (old.read = 0) WHERE name = 'unread';"
    "  UPDATE tally SET n = n + (new.starred = 1) - (old.starred = 1) WHERE name = 'starred';"
    "END;"
    "CREATE TRIGGER feed_came AFTER INSERT ON feed BEGIN"
    "  UPDATE tally SET n = n + 1 WHERE name = 'feeds' OR name = " NEW_STATE ";"
    "END;"
    "CREATE TRIGGER feed_went AFTER DELETE ON feed BEGIN"
    "  UPDATE tally SET n = n - 1 WHERE name = 'feeds' OR name = " OLD_STATE ";"
    "END;"
    "CREATE TRIGGER feed_turned AFTER UPDATE OF state ON feed WHEN new.state <> old.state BEGIN"
    "  UPDATE tally SET n = n - 1 WHERE name = " OLD_STATE ";"
    "  UPDATE tally SET n = n + 1 WHERE name = " NEW_STATE ";"
    "END;"
    /* The time of the feed's last document that listed the entry; 0: its current one does; -1: from before this was noted. */
    "ALTER TABLE sighting ADD COLUMN last_seen INTEGER "
    "NOT NULL DEFAULT -1;"
    "CREATE INDEX sighting_listed ON sighting "
    "(feed_id, item_id) WHERE last_seen = 0;"
    "CREATE INDEX item_shared ON item (sort_at, id) "
    "WHERE sources >= 2;"
    /* Numbers that outlive a restart, by name. */
    "CREATE TABLE mark (name TEXT NOT NULL PRIMARY "
    "KEY, value INTEGER NOT NULL) STRICT, WITHOUT "
    "ROWID;";

/* 6: what newsletters say of items; our own issues. */
static const char step_6[] =
    /* A curator's comment on an item, credited to the entry (issue_id, an item too) of the newsletter's feed it stood in. */
    "CREATE TABLE curated ("
    "  item_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,"
    "  issue_id INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE,"
    "  feed_id INTEGER NOT NULL REFERENCES feed (id) ON DELETE CASCADE,"
    "  position INTEGER NOT NULL, section TEXT, note TEXT, note_html TEXT,"
    "  PRIMARY KEY (item_id, issue_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX curated_by_issue ON curated (issue_id);"
    "CREATE INDEX curated_by_feed ON curated (feed_id);"
    /* Issues of ours. number 0: the draft of the next one. document is all of it as JSON: what was published stays as it was,
       whatever becomes of the items. */
    "CREATE TABLE issue ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, newsletter TEXT NOT NULL, number INTEGER NOT NULL,"
    "  title TEXT, published_at INTEGER NOT NULL DEFAULT 0, updated_at INTEGER NOT NULL DEFAULT 0,"
    "  items INTEGER NOT NULL DEFAULT 0, document TEXT NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX issue_by_number ON issue (newsletter, number);"
    /* What issues covered: by address in the form that its spellings share, and by folded title. */
    "CREATE TABLE issue_item ("
    "  issue_id INTEGER NOT NULL REFERENCES issue (id) ON DELETE CASCADE, position INTEGER NOT "
    "NULL,"
    "  item_id INTEGER NOT NULL DEFAULT 0, url_key TEXT, title_key TEXT,"
    "  PRIMARY KEY (issue_id, position)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX issue_item_by_url ON issue_item (url_key);"
    "CREATE INDEX issue_item_by_title ON issue_item (title_key);"
    "CREATE INDEX issue_item_by_item ON issue_item (item_id);";

/* 7: WebSub. What a feed's document names, and what we have with hubs: apart from the feed, as feed_access is, since it holds secrets (law
   6), and without a reference to it: a hub is still to be told that a feed was removed. */
static const char step_7[] =
    "ALTER TABLE feed ADD COLUMN hub TEXT;"
    "ALTER TABLE feed ADD COLUMN topic TEXT;"
    "ALTER TABLE feed ADD COLUMN pushed_until INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE websub ("
    "  token TEXT NOT NULL PRIMARY KEY, feed_id INTEGER NOT NULL, feed_url TEXT NOT NULL,"
    "  hub TEXT NOT NULL, topic TEXT NOT NULL, callback TEXT NOT NULL, secret TEXT,"
    "  state INTEGER NOT NULL, awaits INTEGER NOT NULL, lease_until INTEGER NOT NULL DEFAULT 0,"
    "  next_at INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, error TEXT"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX websub_by_feed ON websub (feed_id);";

/* 8: to whom an issue was mailed, so that nobody gets it twice. The addresses are the curator's; they leave the database with no answer. */
static const char step_8[] =
    "CREATE TABLE issue_sent ("
    "  issue_id INTEGER NOT NULL REFERENCES issue (id) ON DELETE CASCADE,"
    "  address TEXT NOT NULL, sent_at INTEGER NOT NULL, PRIMARY KEY (issue_id, address)"
    ") STRICT, WITHOUT ROWID;";

/* 9: a search by time is a walk of the index: what is searched stands there in the order of the lists (index.c). What is unread and
   starred of a feed, of a tag by time, has an index of its own. */
static const char step_9[] =
    "DROP TABLE item_text;"
    "CREATE VIRTUAL TABLE item_text USING fts5 (title, author, body, content='', tokenize='kns');"
    /* Items below this id are still to be put into the index, newest first; their links are looked for once more. */
    "INSERT INTO mark (name, value) SELECT 'catch up', id + 1 FROM item ORDER BY id DESC LIMIT 1;"
    /* An item's place in the index has thirty bits for its id. */
    "CREATE TRIGGER item_last AFTER INSERT ON item WHEN new.id >> 30 <> 0 BEGIN"
    "  SELECT RAISE(ABORT, 'a database has room for a billion items');"
    "END;"
    /* The flags of a sighting's item. */
    "ALTER TABLE sighting ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sighting ADD COLUMN starred INTEGER NOT NULL DEFAULT 0;"
    "UPDATE sighting SET unread = 1 WHERE item_id IN (SELECT id FROM item WHERE read = 0);"
    "UPDATE sighting SET starred = 1 WHERE item_id IN (SELECT id FROM item WHERE starred = 1);"
    "CREATE INDEX sighting_unread ON sighting (feed_id, sort_at, item_id) WHERE unread = 1;"
    "CREATE INDEX sighting_starred ON sighting (feed_id, sort_at, item_id) WHERE starred = 1;"
    "CREATE TRIGGER item_flagged AFTER UPDATE OF read, starred ON item BEGIN"
    "  UPDATE sighting SET unread = (new.read = 0), starred = new.starred WHERE item_id = new.id;"
    "END;"
    "CREATE INDEX item_unread_starred ON item (sort_at, id) WHERE read = 0 AND starred = 1;"
    /* The time of a tag's item, which never changes. */
    "ALTER TABLE item_tag ADD COLUMN sort_at INTEGER NOT NULL DEFAULT 0;"
    "UPDATE item_tag SET sort_at = (SELECT i.sort_at FROM item i WHERE i.id = item_id);"
    "DROP INDEX item_tag_by_tag;"
    "CREATE INDEX item_tag_by_time ON item_tag (tag, sort_at, item_id);"
    "CREATE INDEX link_ranked ON link (feeds, last_seen, id) WHERE item_id = 0 AND feeds >= 2;";

static const char *const steps[] = {step_1, step_2, step_3, step_4, step_5,
                                    step_6, step_7, step_8, step_9};

const int kns_schema_version = (int)(sizeof(steps) / sizeof(steps[0]));

/* "KNS1": tells a database of ours from any other. */
#define APPLICATION_ID 0x4B4E5331

static enum kns_status run_step(struct kns_store *store, int step, struct kns_error *err)
{
    char number[64];
    enum kns_status status = kns_sql_run(store, "BEGIN IMMEDIATE", err);

    if (status == KNS_OK)
        status = kns_sql_run(store, steps[step], err);
    snprintf(number, sizeof(number), "PRAGMA user_version = %d", step + 1);
    if (status == KNS_OK)
        status = kns_sql_run(store, number, err);
    if (status == KNS_OK && step == 0) {
        snprintf(number, sizeof(number), "PRAGMA application_id = %d", APPLICATION_ID);
        status = kns_sql_run(store, number, err);
    }
    if (status == KNS_OK)
        status = kns_sql_run(store, "COMMIT", err);
    if (status != KNS_OK)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static enum kns_status read_number(struct kns_store *store, const char *sql, int *ret_number,
                                   struct kns_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *ret_number = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? KNS_OK : kns_sql_fail(store, "cannot read the database", err);
}

enum kns_status kns_schema_check(struct kns_store *store, bool *ret_empty, struct kns_error *err)
{
    int version = 0, id = 0, tables = 0;
    enum kns_status status = read_number(store, "PRAGMA user_version", &version, err);

    if (status == KNS_OK)
        status = read_number(store, "PRAGMA application_id", &id, err);
    if (status == KNS_OK)
        status = read_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (status != KNS_OK)
        return status;
    *ret_empty = tables == 0 && version == 0;
    if (*ret_empty)
        return KNS_OK;
    if (id != APPLICATION_ID)
        return kns_fail(err, KNS_EVERSION,
                        "%s: an SQLite database, but not one of KNS; it was left untouched",
                        store->path);
    if (version > kns_schema_version)
        return kns_fail(
            err, KNS_EVERSION,
            "%s: made by a newer KNS (schema %d, this one knows %d); it was left untouched",
            store->path, version, kns_schema_version);
    store->schema_version = version;
    return KNS_OK;
}

enum kns_status kns_schema_migrate(struct kns_store *store, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    while (status == KNS_OK && store->schema_version < kns_schema_version) {
        status = run_step(store, store->schema_version, err);
        if (status == KNS_OK)
            store->schema_version++;
    }
    return status;
}
