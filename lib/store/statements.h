/* statements.h - every statement of the store but the listing of items (query.c), by name. Prepared when a connection opens, so that a
 * mistake surfaces at once. Private to lib/store. */
#ifndef KNS_STORE_STATEMENTS_H
#define KNS_STORE_STATEMENTS_H

#define FEED_COLUMNS                                                                               \
    "id, url, user_title, title, home_page_url, description, icon, state, health, newsletter, "    \
    "every_s, added_at, last_poll_at, "                                                            \
    "last_success_at, last_new_item_at, last_status, last_error, next_poll_at, next_poll_reason, " \
    "interval_s, etag, last_modified, "                                                            \
    "content_hash, consecutive_failures, entries_per_day, no_poll_before, move_to, move_seen, "    \
    "move_first_seen, items, newest_entry_at, ttl_s, update_interval_s, skip_hours, skip_days, "   \
    "hub, topic, pushed_until"

#define ITEM_COLUMNS                                                                               \
    "item.id, item.sort_at, item.first_seen, item.changed_at, item.read, item.starred, "           \
    "item.score, item.sources, item.note, "                                                        \
    "item.section, item.detail"

/* The feeds that carry an item, and those that link to it, each once. */
#define ITEM_SOURCES                                                                               \
    "(SELECT count(*) FROM (SELECT s.feed_id FROM sighting s WHERE s.item_id = item.id UNION "     \
    "SELECT l.feed_id FROM link k JOIN item_link l ON l.link_id = k.id WHERE k.item_id = item.id " \
    "AND k.item_id > 0 AND l.feed_id > 0)) "

/* What nobody has marked: not starred, without a note, in no issue. */
#define ITEM_MAY_GO                                                                                \
    "i.starred = 0 AND i.note IS NULL AND NOT EXISTS (SELECT 1 FROM issue_item p WHERE p.item_id " \
    "= i.id)"

/* The item of a feed that comes after a time and an id, downwards; and upwards. */
#define NEXT_OF_FEED(S, name, index, and)                                                          \
    S(name, "SELECT sort_at, item_id FROM sighting INDEXED BY " index " WHERE feed_id = ? " and    \
                "AND (sort_at, item_id) < (?, ?) ORDER BY sort_at DESC, item_id DESC LIMIT 1")     \
    S(name##_OLD, "SELECT sort_at, item_id FROM sighting INDEXED BY " index " WHERE feed_id = "    \
                  "? " and                                                                         \
                      "AND (sort_at, item_id) > (?, ?) ORDER BY sort_at, item_id LIMIT 1")

/* The addresses that several feeds name: those of a span of time, sorted; or in the order of how many name them. */
#define LINK_SHARED(S, name, index)                                                                \
    S(name, "SELECT id, url, feeds, first_seen, last_seen FROM link INDEXED BY " index " WHERE "   \
            "item_id = 0 AND feeds >= 2 AND last_seen >= ?1 AND feeds >= ?2 AND (feeds, "          \
            "last_seen, id) < (?3, ?4, ?5) ORDER BY feeds DESC, last_seen DESC, id DESC LIMIT ?6")

/* S(name, SQL) */
#define STATEMENTS(S)                                                                              \
    S(FEED_INSERT, "INSERT INTO feed (url, url_key, added_at, next_poll_at, next_poll_reason) "    \
                   "VALUES (?, ?, ?, ?, 'subscribed just now')")                                   \
    S(FEED_GET, "SELECT " FEED_COLUMNS " FROM feed WHERE id = ?")                                  \
    S(FEED_LIST, "SELECT " FEED_COLUMNS " FROM feed WHERE id > ? ORDER BY id LIMIT ?")             \
    S(FEED_BY_URL, "SELECT id FROM feed WHERE url = ?")                                            \
    S(FEED_BY_KEY, "SELECT id FROM feed WHERE url_key = ?")                                        \
    S(FEED_BY_OLD_URL, "SELECT feed_id FROM feed_url WHERE url = ?")                               \
    S(FEED_SET_URL, "UPDATE feed SET url = ?2, url_key = ?3, etag = NULL, last_modified = NULL, "  \
                    "content_hash = NULL, hub = NULL, topic = NULL, move_to = NULL, "              \
                    "move_seen = 0, move_first_seen = 0, state = CASE state WHEN 1 THEN 1 ELSE 0 " \
                    "END, health = 0 WHERE id = ?1")                                               \
    S(FEED_SET_TITLE, "UPDATE feed SET user_title = ?2 WHERE id = ?1")                             \
    S(FEED_SET_NEWSLETTER, "UPDATE feed SET newsletter = ?2 WHERE id = ?1")                        \
    S(FEED_SET_EVERY, "UPDATE feed SET every_s = ?2 WHERE id = ?1")                                \
    S(FEED_SET_STATE, "UPDATE feed SET state = ?2 WHERE id = ?1")                                  \
    S(FEED_ADD_ITEMS, "UPDATE feed SET items = items + ?2 WHERE id = ?1")                          \
    S(FEED_COUNT_ITEMS, "UPDATE feed SET items = (SELECT count(*) FROM sighting WHERE feed_id = "  \
                        "feed.id) WHERE id = ?")                                                   \
    S(FEED_DELETE, "DELETE FROM feed WHERE id = ?")                                                \
    S(FEED_POLLED,                                                                                 \
      "UPDATE feed SET state = CASE state WHEN 1 THEN 1 ELSE ?2 END, health = ?3, "                \
      "last_poll_at = ?4, "                                                                        \
      "last_success_at = CASE WHEN ?5 THEN ?4 ELSE last_success_at END, "                          \
      "last_new_item_at = CASE WHEN ?6 THEN ?4 ELSE last_new_item_at END, "                        \
      "last_status = ?7, last_error = ?8, "                                                        \
      "next_poll_at = ?9, next_poll_reason = ?10, interval_s = ?11, etag = ?12, "                  \
      "last_modified = ?13, content_hash = ?14, "                                                  \
      "consecutive_failures = ?15, entries_per_day = ?16, no_poll_before = ?17, "                  \
      "move_to = ?18, move_seen = ?19, "                                                           \
      "move_first_seen = ?20, newest_entry_at = ?21, ttl_s = ?22, update_interval_s = ?23, "       \
      "skip_hours = ?24, skip_days = ?25 WHERE id = ?1")                                           \
    S(FEED_DESCRIBE, "UPDATE feed SET title = ?2, home_page_url = ?3, description = ?4, icon = "   \
                     "?5 WHERE id = ?1 AND (title IS NOT ?2 "                                      \
                     "OR home_page_url IS NOT ?3 OR description IS NOT ?4 OR icon IS NOT ?5)")     \
    S(FEED_SET_HUB, "UPDATE feed SET hub = ?2, topic = ?3 WHERE id = ?1 AND (hub IS NOT ?2 OR "    \
                    "topic IS NOT ?3)")                                                            \
    S(FEED_PUSHED, "UPDATE feed SET last_new_item_at = ?2 WHERE id = ?1")                          \
    S(FEED_RESCHEDULE, "UPDATE feed SET next_poll_at = ?2, next_poll_reason = ?3, interval_s = "   \
                       "?4, pushed_until = ?5 WHERE id = ?1")                                      \
    S(WEBSUB_PUT,                                                                                  \
      "INSERT OR REPLACE INTO websub (token, feed_id, feed_url, hub, topic, callback, secret, "    \
      "state, awaits, lease_until, next_at, failures, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "  \
      "?, ?, ?, ?)")                                                                               \
    S(WEBSUB_DELETE, "DELETE FROM websub WHERE token = ?")                                         \
    S(WEBSUB_LIST, "SELECT token, feed_id, feed_url, hub, topic, callback, secret, state, "        \
                   "awaits, lease_until, next_at, failures, error FROM websub")                    \
    S(WEBSUB_OF_FEED,                                                                              \
      "SELECT NULL, feed_id, feed_url, hub, topic, callback, NULL, state, awaits, lease_until, "   \
      "next_at, failures, error FROM websub WHERE feed_id = ? AND state <> 3")                     \
    S(FEED_URL_INSERT, "INSERT OR REPLACE INTO feed_url (url, feed_id) VALUES (?, ?)")             \
    S(FEED_URL_DELETE, "DELETE FROM feed_url WHERE url = ?")                                       \
    S(FEED_URL_LIST, "SELECT url FROM feed_url WHERE feed_id = ? ORDER BY url")                    \
    S(FEED_URL_MOVE, "UPDATE feed_url SET feed_id = ?2 WHERE feed_id = ?1")                        \
    S(FEED_TAG_LIST, "SELECT tag FROM feed_tag WHERE feed_id = ? ORDER BY tag")                    \
    S(FEED_TAG_INSERT, "INSERT OR IGNORE INTO feed_tag (feed_id, tag) VALUES (?, ?)")              \
    S(FEED_TAG_CLEAR, "DELETE FROM feed_tag WHERE feed_id = ?")                                    \
    S(FEED_TAG_COPY, "INSERT OR IGNORE INTO feed_tag (feed_id, tag) SELECT ?2, tag FROM feed_tag " \
                     "WHERE feed_id = ?1")                                                         \
    S(FEED_TAG_HAS, "SELECT 1 FROM feed_tag WHERE feed_id = ?1 AND (tag = ?2 OR (tag > ?2 || '/' " \
                    "AND tag < ?2 || '0')) LIMIT 1")                                               \
    S(ACCESS_GET, "SELECT user, password, bearer_token, headers, user_agent, proxy, ca_file, "     \
                  "http_version FROM feed_access WHERE "                                           \
                  "feed_id = ?")                                                                   \
    S(ACCESS_PUT, "INSERT OR REPLACE INTO feed_access (feed_id, user, password, bearer_token, "    \
                  "headers, user_agent, proxy, ca_file, "                                          \
                  "http_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")                              \
    S(KEY_FIND, "SELECT item_id FROM item_key WHERE kind = ? AND scope = ? AND key = ?")           \
    S(KEY_OF_ITEM, "SELECT 1 FROM item_key WHERE item_id = ? LIMIT 1")                             \
    S(ITEM_NEXT, "SELECT id FROM item WHERE id > ? ORDER BY id LIMIT 1")                           \
    S(KEY_PUT, "INSERT OR IGNORE INTO item_key (kind, scope, key, item_id) VALUES (?, ?, ?, ?)")   \
    S(KEY_REVIVE, "INSERT INTO item_key (kind, scope, key, item_id) VALUES (?1, 0, ?2, ?3) ON "    \
                  "CONFLICT DO UPDATE SET item_id = ?3 WHERE item_id = 0")                         \
    S(KEY_BURY, "UPDATE item_key SET item_id = 0 WHERE item_id = ?")                               \
    S(KEY_MOVE, "UPDATE OR IGNORE item_key SET scope = ?2 WHERE kind IN (2, 3, 5) AND scope = ?1") \
    S(KEY_DROP_SCOPE, "DELETE FROM item_key WHERE kind IN (2, 3, 5) AND scope = ?")                \
    S(ITEM_INSERT,                                                                                 \
      "INSERT INTO item (feed_id, sort_at, first_seen, detail, read, starred, score) "             \
      "VALUES (?, ?, ?, ?, ?, ?, ?)")                                                              \
    S(ITEM_UPDATE, "UPDATE item SET changed_at = ?2, detail = ?3 WHERE id = ?1")                   \
    S(ITEM_GET, "SELECT " ITEM_COLUMNS " FROM item WHERE id = ?")                                  \
    S(ITEM_LISTED, "SELECT " ITEM_COLUMNS " FROM item WHERE id = ?")                               \
    S(ITEM_OWNER, "SELECT feed_id FROM item WHERE id = ?")                                         \
    S(ITEM_SET_OWNER, "UPDATE item SET feed_id = ?2 WHERE id = ?1")                                \
    S(ITEM_SET_SOURCES, "UPDATE item SET sources = " ITEM_SOURCES "WHERE id = ?1")                 \
    S(ITEM_SOURCES_OF_FEED, "UPDATE item SET sources = " ITEM_SOURCES                              \
                            "WHERE id IN (SELECT item_id FROM sighting WHERE feed_id = ?2)")       \
    S(ITEM_MOVE_OWNER, "UPDATE item SET feed_id = ?2 WHERE feed_id = ?1 AND id IN (SELECT "        \
                       "item_id FROM sighting WHERE feed_id = ?2)")                                \
    S(ITEM_SET_READ, "UPDATE item SET read = ?2 WHERE id = ?1")                                    \
    S(ITEM_SET_STARRED, "UPDATE item SET starred = ?2 WHERE id = ?1")                              \
    S(ITEM_SET_NOTE, "UPDATE item SET note = ?2 WHERE id = ?1")                                    \
    S(ITEM_DELETE, "DELETE FROM item WHERE id = ?")                                                \
    S(CONTENT_PUT, "INSERT OR REPLACE INTO item_content (item_id, html, text, summary_html) "      \
                   "VALUES (?, ?, ?, ?)")                                                          \
    S(CONTENT_GET, "SELECT html, text, summary_html FROM item_content WHERE item_id = ?")          \
    S(SIGHTING_GET,                                                                                \
      "SELECT entry_hash, last_seen FROM sighting WHERE feed_id = ? AND item_id = ?")              \
    /* The index by its name: else all that the feed ever carried is read. */                      \
    S(SIGHTING_LISTED,                                                                             \
      "SELECT item_id FROM sighting INDEXED BY sighting_listed WHERE feed_id = ? "                 \
      "AND last_seen = 0")                                                                         \
    S(SIGHTING_SET_LAST, "UPDATE sighting SET last_seen = ?3 WHERE feed_id = ?1 AND item_id = ?2") \
    S(SIGHTING_PUT, "INSERT INTO sighting (feed_id, item_id, sort_at, first_seen, guid, url, "     \
                    "rule, entry_hash, last_seen, unread, starred) SELECT ?1, ?2, ?3, ?4, ?5, "    \
                    "?6, ?7, ?8, 0, read = 0, starred FROM item WHERE id = ?2")                    \
    S(SIGHTING_UPDATE, "UPDATE sighting SET guid = ?3, url = ?4, entry_hash = ?5 WHERE feed_id = " \
                       "?1 AND item_id = ?2")                                                      \
    S(SIGHTING_MOVE, "UPDATE OR IGNORE sighting SET feed_id = ?2 WHERE feed_id = ?1")              \
    S(SIGHTING_OF_ITEM,                                                                            \
      "SELECT s.feed_id, coalesce(f.user_title, f.title, f.url), f.url, s.guid, s.first_seen, "    \
      "s.url, s.rule, CASE s.last_seen WHEN 0 THEN f.last_success_at WHEN -1 THEN s.first_seen "   \
      "ELSE s.last_seen END FROM sighting s JOIN feed f ON f.id = s.feed_id WHERE s.item_id = ? "  \
      "ORDER BY s.first_seen, s.feed_id")                                                          \
    S(SIGHTING_ONLY_IN, "SELECT s.item_id FROM sighting s WHERE s.feed_id = ?1 AND NOT EXISTS "    \
                        "(SELECT 1 FROM sighting o WHERE "                                         \
                        "o.item_id = s.item_id AND o.feed_id <> ?1) LIMIT 500")                    \
    S(SIGHTING_LIST,                                                                               \
      "SELECT item_id FROM sighting WHERE feed_id = ? AND item_id > ? ORDER BY item_id LIMIT 500") \
    S(ITEM_IS_KEPT, "SELECT 1 FROM item i WHERE i.id = ? AND NOT (" ITEM_MAY_GO ")")               \
    S(SIGHTING_FIRST_OTHER,                                                                        \
      "SELECT feed_id FROM sighting WHERE item_id = ? ORDER BY first_seen, feed_id LIMIT 1")       \
    S(SPLIT_ITEM, "INSERT INTO item (feed_id, sort_at, first_seen, changed_at, detail) SELECT "    \
                  "?2, sort_at, first_seen, ?3, detail FROM item WHERE id = ?1")                   \
    S(SPLIT_CONTENT, "INSERT INTO item_content (item_id, html, text, summary_html) SELECT ?2, "    \
                     "html, text, summary_html FROM item_content WHERE item_id = ?1")              \
    S(SPLIT_SIGHTING, "UPDATE sighting SET item_id = ?3, rule = ?4, entry_hash = 0, unread = 1, "  \
                      "starred = 0 WHERE feed_id = ?2 AND item_id = ?1")                           \
    S(SPLIT_KEYS,                                                                                  \
      "UPDATE item_key SET item_id = ?3 WHERE item_id = ?1 AND kind IN (2, 3) AND scope = ?2")     \
    S(FEED_DROP_VALIDATORS,                                                                        \
      "UPDATE feed SET etag = NULL, last_modified = NULL, content_hash = NULL WHERE id = ?")       \
    S(WEIGH_FEED, "SELECT items FROM feed WHERE id = ?")                                           \
    S(WEIGH_TAG_FEEDS, "SELECT f.items FROM feed_tag g JOIN feed f ON f.id = g.feed_id WHERE "     \
                       "g.tag = ?1 OR (g.tag > ?1 || '/' AND g.tag < ?1 || '0')")                  \
    S(WEIGH_TAG_ITEMS, "SELECT count(*) FROM (SELECT 1 FROM item_tag WHERE tag = ? LIMIT ?)")      \
    S(WEIGH_SHARED, "SELECT count(*) FROM (SELECT 1 FROM item WHERE sources >= ? LIMIT ?)")        \
    S(WEIGH_MATCH, "SELECT count(*), coalesce(max(place & 1073741823) - min(place & 1073741823), " \
                   "0) FROM (SELECT rowid AS place FROM item_text WHERE item_text MATCH ? ORDER "  \
                   "BY rowid DESC LIMIT ?)")                                                       \
    S(COUNT_FEW,                                                                                   \
      "SELECT count(*) FROM (SELECT rowid FROM item_text WHERE item_text MATCH ? ORDER "           \
      "BY rowid LIMIT ?)")                                                                         \
    S(MATCH_NTH_NEWEST,                                                                            \
      "SELECT rowid FROM item_text WHERE item_text MATCH ? ORDER BY rowid DESC LIMIT 1 OFFSET ?")  \
    S(FEEDS_OF_TAG, "SELECT feed_id FROM feed_tag WHERE tag = ?1 OR (tag > ?1 || '/' AND tag < "   \
                    "?1 || '0')")                                                                  \
    S(ITEM_HAS_TAG, "SELECT EXISTS (SELECT 1 FROM item_tag WHERE item_id = ?1 AND tag = ?2) OR "   \
                    "EXISTS (SELECT 1 FROM sighting f JOIN feed_tag g ON g.feed_id = f.feed_id "   \
                    "WHERE f.item_id = ?1 AND (g.tag = ?2 OR (g.tag > ?2 || '/' AND g.tag < ?2 "   \
                    "|| '0')))")                                                                   \
    NEXT_OF_FEED(S, NEXT, "sighting_by_time", "")                                                  \
    NEXT_OF_FEED(S, NEXT_UNREAD, "sighting_unread", "AND unread = 1 ")                             \
    NEXT_OF_FEED(S, NEXT_STARRED, "sighting_starred", "AND starred = 1 ")                          \
    S(NEXT_TAGGED, "SELECT sort_at, item_id FROM item_tag INDEXED BY item_tag_by_time WHERE tag "  \
                   "= ? AND (sort_at, item_id) < (?, ?) ORDER BY sort_at DESC, item_id DESC "      \
                   "LIMIT 1")                                                                      \
    S(NEXT_TAGGED_OLD,                                                                             \
      "SELECT sort_at, item_id FROM item_tag INDEXED BY item_tag_by_time WHERE "                   \
      "tag = ? AND (sort_at, item_id) > (?, ?) ORDER BY sort_at, item_id LIMIT 1")                 \
    S(SIGHTING_DELETE, "DELETE FROM sighting WHERE feed_id = ? AND item_id = ?")                   \
    S(ITEM_TAG_LIST, "SELECT tag FROM item_tag WHERE item_id = ? ORDER BY tag")                    \
    S(ITEM_TAG_INSERT, "INSERT OR IGNORE INTO item_tag (item_id, tag, sort_at) SELECT id, ?2, "    \
                       "sort_at FROM item WHERE id = ?1")                                          \
    S(ITEM_TAG_DELETE, "DELETE FROM item_tag WHERE item_id = ? AND tag = ?")                       \
    S(ITEM_TAG_CLEAR, "DELETE FROM item_tag WHERE item_id = ?")                                    \
    S(POLL_INSERT, "INSERT INTO poll (feed_id, at, duration_ms, outcome, http_status, bytes, "     \
                   "new_items, updated_items, error, "                                             \
                   "next_poll_at, next_poll_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")     \
    S(POLL_PRUNE, "DELETE FROM poll WHERE feed_id = ?1 AND id <= (SELECT id FROM poll WHERE "      \
                  "feed_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET 50)")                              \
    S(POLL_LIST, "SELECT at, duration_ms, outcome, http_status, bytes, new_items, updated_items, " \
                 "error, next_poll_reason, "                                                       \
                 "next_poll_at FROM poll WHERE feed_id = ? ORDER BY id DESC LIMIT ?")              \
    S(RULE_LIST,                                                                                   \
      "SELECT id, text, added_at, matches, last_match_at, gave_up FROM rule ORDER BY id")          \
    S(RULE_FIND, "SELECT id FROM rule WHERE text = ?")                                             \
    S(RULE_INSERT, "INSERT INTO rule (text, added_at) VALUES (?, ?)")                              \
    S(RULE_DELETE, "DELETE FROM rule WHERE id = ?")                                                \
    S(RULE_CLEAR, "DELETE FROM rule")                                                              \
    S(RULE_COUNT, "UPDATE rule SET matches = matches + ?2, gave_up = gave_up + ?3, last_match_at " \
                  "= CASE WHEN ?2 THEN ?4 ELSE last_match_at END WHERE id = ?1")                   \
    S(LINK_FIND, "SELECT id, item_id, feeds FROM link WHERE hash = ? AND key = ?")                 \
    S(LINK_INSERT, "INSERT INTO link (hash, key, url, item_id, first_seen, last_seen) VALUES "     \
                   "(?1, ?2, ?3, ?4, ?5, ?5)")                                                     \
    S(LINK_NAMED_BY, "SELECT 1 FROM item_link WHERE link_id = ? AND feed_id = ? LIMIT 1")          \
    S(LINK_ADD_FEEDS, "UPDATE link SET feeds = feeds + ?2 WHERE id = ?1")                          \
    S(LINK_SEEN, "UPDATE link SET last_seen = ?2 WHERE id = ?1 AND last_seen < ?2")                \
    S(LINK_SET_ITEM, "UPDATE link SET item_id = ?2 WHERE id = ?1")                                 \
    S(LINK_BURY, "UPDATE link SET item_id = -1 WHERE item_id = ?1 AND item_id > 0")                \
    S(LINK_DROP_UNNAMED, "DELETE FROM link WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM item_link " \
                         "WHERE link_id = ?1)")                                                    \
    S(LINK_COUNT_OF_FEED,                                                                          \
      "UPDATE link SET feeds = (SELECT count(DISTINCT l.feed_id) FROM item_link l WHERE "          \
      "l.link_id = link.id AND l.feed_id > 0) WHERE id IN (SELECT l.link_id FROM sighting s "      \
      "CROSS JOIN item_link l ON l.item_id = s.item_id WHERE s.feed_id = ?)")                      \
    S(LINK_SHARED_SINCE, "SELECT count(*) FROM (SELECT 1 FROM link WHERE item_id = 0 AND feeds "   \
                         ">= 2 AND last_seen >= ? LIMIT ?)")                                       \
    LINK_SHARED(S, LINK_RECENT, "link_shared")                                                     \
    LINK_SHARED(S, LINK_RANKED, "link_ranked")                                                     \
    S(LINK_NEXT_MENTION, "SELECT l.feed_id, coalesce(f.user_title, f.title, f.url), l.item_id, "   \
                         "json_extract(i.detail, '$.title'), l.text FROM item_link l JOIN feed f " \
                         "ON f.id = l.feed_id JOIN item i ON i.id = l.item_id WHERE l.link_id = "  \
                         "?1 AND l.feed_id = (SELECT min(feed_id) FROM item_link WHERE link_id = " \
                         "?1 AND feed_id > ?2) ORDER BY l.item_id DESC LIMIT 1")                   \
    S(ITEM_LINK_PUT,                                                                               \
      "INSERT OR IGNORE INTO item_link (item_id, link_id, feed_id, text) VALUES (?, ?, ?, ?)")     \
    S(ITEM_LINK_LIST, "SELECT k.id, k.item_id, k.feeds, l.feed_id FROM item_link l JOIN link k "   \
                      "ON k.id = l.link_id WHERE l.item_id = ?")                                   \
    S(ITEM_LINK_CLEAR, "DELETE FROM item_link WHERE item_id = ?")                                  \
    S(ITEM_LINK_SET_FEED, "UPDATE item_link SET feed_id = ?2 WHERE item_id = ?1")                  \
    S(ITEM_LINK_MOVE_FEED, "UPDATE item_link SET feed_id = ?2 WHERE feed_id = ?1 AND item_id IN "  \
                           "(SELECT item_id FROM sighting WHERE feed_id = ?2)")                    \
    S(SIGHTING_FORGET, "UPDATE sighting SET entry_hash = 0 WHERE feed_id = ?")                     \
    S(ISSUE_FIND, "SELECT id FROM issue WHERE newsletter = ? AND number = ?")                      \
    S(ISSUE_INSERT,                                                                                \
      "INSERT INTO issue (newsletter, number, title, published_at, updated_at, items, document) "  \
      "VALUES (?, ?, ?, ?, ?, ?, ?)")                                                              \
    S(ISSUE_UPDATE, "UPDATE issue SET title = ?3, published_at = ?4, updated_at = ?5, items = "    \
                    "?6, document = ?7 WHERE newsletter = ?1 AND number = ?2")                     \
    S(ISSUE_DELETE, "DELETE FROM issue WHERE newsletter = ? AND number = ?")                       \
    S(ISSUE_GET, "SELECT id, newsletter, number, title, published_at, updated_at, items, "         \
                 "document FROM issue WHERE newsletter = ? AND number = ?")                        \
    S(ISSUE_LIST,                                                                                  \
      "SELECT id, newsletter, number, title, published_at, updated_at, items, document FROM "      \
      "issue WHERE newsletter = ? AND number > 0 ORDER BY number DESC LIMIT ?")                    \
    S(ISSUE_SENT_PUT,                                                                              \
      "INSERT OR IGNORE INTO issue_sent (issue_id, address, sent_at) VALUES (?, ?, ?)")            \
    S(ISSUE_SENT_REMOVE, "DELETE FROM issue_sent WHERE issue_id = ? AND address = ?")              \
    S(ISSUE_ITEM_CLEAR, "DELETE FROM issue_item WHERE issue_id = ?")                               \
    S(ISSUE_ITEM_PUT, "INSERT INTO issue_item (issue_id, position, item_id, url_key, title_key) "  \
                      "VALUES (?, ?, ?, ?, ?)")                                                    \
    S(ISSUE_COVERED,                                                                               \
      "SELECT max(i.number) FROM (SELECT issue_id FROM issue_item WHERE url_key = ?2 UNION ALL "   \
      "SELECT issue_id FROM issue_item WHERE title_key = ?3) c JOIN issue i ON i.id = "            \
      "c.issue_id WHERE i.newsletter = ?1 AND i.number <> ?4")                                     \
    S(CURATED_PUT, "INSERT OR REPLACE INTO curated (item_id, issue_id, feed_id, position, "        \
                   "section, note, note_html) VALUES (?, ?, ?, ?, ?, ?, ?)")                       \
    S(CURATED_ANY, "SELECT 1 FROM curated WHERE issue_id = ? LIMIT 1")                             \
    S(CURATED_CLEAR, "DELETE FROM curated WHERE issue_id = ?")                                     \
    S(CURATED_OF_ITEM,                                                                             \
      "SELECT c.feed_id, coalesce(f.user_title, f.title, f.url), c.issue_id, "                     \
      "json_extract(i.detail, '$.title'), json_extract(i.detail, '$.url'), c.position, "           \
      "c.section, c.note, c.note_html FROM curated c JOIN feed f ON f.id = c.feed_id JOIN item i " \
      "ON i.id = c.issue_id WHERE c.item_id = ? ORDER BY c.issue_id")                              \
    S(CURATED_MOVE, "UPDATE curated SET feed_id = ?2 WHERE feed_id = ?1")                          \
    S(SITE_PUT,                                                                                    \
      "INSERT OR REPLACE INTO site (name, no_poll_before, tokens, tokens_at, reason, interval_s) " \
      "VALUES (?, ?, ?, ?, ?, ?)")                                                                 \
    S(SITE_LIST, "SELECT name, no_poll_before, tokens, tokens_at, reason, interval_s FROM site")   \
    S(MARK_GET, "SELECT value FROM mark WHERE name = ?")                                           \
    S(MARK_PUT, "INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)")                         \
    S(MARK_DELETE, "DELETE FROM mark WHERE name = ?")                                              \
    S(EVENT_INSERT, "INSERT INTO event (kind, what, item_id, feed_id, at) VALUES (?, ?, ?, ?, ?)") \
    S(EVENT_LIST, "SELECT seq, kind, what, item_id, feed_id, at FROM event WHERE seq > ? ORDER "   \
                  "BY seq LIMIT ?")                                                                \
    S(EVENT_LAST, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0)")    \
    S(EVENT_PRUNE, "DELETE FROM event WHERE seq <= ?")                                             \
    S(TEXT_INSERT, "INSERT INTO item_text (rowid, title, author, body) VALUES (?, ?, ?, ?)")       \
    S(TEXT_DELETE, "INSERT INTO item_text (item_text, rowid, title, author, body) VALUES "         \
                   "('delete', ?, ?, ?, ?)")                                                       \
    S(ITEM_BEFORE, "SELECT id, feed_id FROM item WHERE id < ? ORDER BY id DESC LIMIT 1")           \
    S(FIGURES, "SELECT name, n FROM tally")                                                        \
    S(EXPIRE_OLD, "SELECT i.id FROM item i WHERE i.sort_at < ? AND " ITEM_MAY_GO                   \
                  " ORDER BY i.sort_at LIMIT ?")                                                   \
    S(EXPIRE_FEEDS, "SELECT id FROM feed WHERE id > ? AND items > ? AND last_new_item_at >= ? "    \
                    "ORDER BY id LIMIT 20")                                                        \
    S(EXPIRE_MANY, "SELECT s.item_id FROM sighting s JOIN item i ON i.id = s.item_id WHERE "       \
                   "s.feed_id = ?1 AND " ITEM_MAY_GO                                               \
                   " AND NOT EXISTS (SELECT 1 FROM sighting o WHERE o.item_id = s.item_id AND "    \
                   "o.feed_id <> ?1) ORDER BY s.sort_at DESC, s.item_id DESC LIMIT ?3 OFFSET ?2")  \
    S(CHECK_KEYS, "SELECT count(*) FROM item_key k WHERE k.item_id <> 0 AND NOT EXISTS (SELECT 1 " \
                  "FROM item WHERE id = k.item_id)")                                               \
    S(CHECK_CONTENT, "SELECT count(*) FROM item i WHERE NOT EXISTS (SELECT 1 FROM item_content c " \
                     "WHERE c.item_id = i.id)")                                                    \
    S(CHECK_COUNTS, "SELECT count(*) FROM feed f WHERE f.items <> (SELECT count(*) FROM sighting " \
                    "s WHERE s.feed_id = f.id)")                                                   \
    S(CHECK_KNOWN, "SELECT count(*) FROM item i WHERE NOT EXISTS (SELECT 1 FROM item_key k "       \
                   "WHERE k.item_id = i.id)")                                                      \
    S(CHECK_SOURCES, "SELECT count(*) FROM item WHERE sources <> " ITEM_SOURCES)                   \
    S(CHECK_FLAGS, "SELECT count(*) FROM sighting s JOIN item i ON i.id = s.item_id WHERE "        \
                   "s.unread <> (i.read = 0) OR s.starred <> i.starred OR s.sort_at <> i.sort_at") \
    S(CHECK_TALLY,                                                                                 \
      "SELECT count(*) FROM tally t JOIN (SELECT 'items' AS name, count(*) AS n FROM item UNION "  \
      "ALL SELECT 'unread', count(*) FROM item WHERE read = 0 UNION ALL SELECT 'starred', "        \
      "count(*) FROM item WHERE starred = 1 UNION ALL SELECT 'feeds', count(*) FROM feed UNION "   \
      "ALL SELECT 'feeds paused', count(*) FROM feed WHERE state = 1 UNION ALL SELECT 'feeds "     \
      "failing', count(*) FROM feed WHERE state = 2 UNION ALL SELECT 'feeds gone', count(*) FROM " \
      "feed WHERE state = 3) c ON c.name = t.name WHERE c.n <> t.n")                               \
    S(CHECK_LINKS, "SELECT count(*) FROM link k WHERE k.feeds <> (SELECT count(DISTINCT "          \
                   "l.feed_id) FROM item_link l WHERE l.link_id = k.id AND l.feed_id > 0)")        \
    S(CHECK_LINK_ITEMS, "SELECT count(*) FROM link k WHERE k.item_id > 0 AND NOT EXISTS (SELECT "  \
                        "1 FROM item WHERE id = k.item_id)")

enum statement {
#define STATEMENT_NAME(name, sql) name,
    STATEMENTS(STATEMENT_NAME)
#undef STATEMENT_NAME
        STATEMENT_COUNT
};

#endif
