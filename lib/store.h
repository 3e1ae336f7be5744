/* store.h - what KNS remembers: feeds, items, polls, events. The seam behind which a database stands.
 *
 * This header speaks of feeds, entries, polls and queries, never of SQLite, so that another store can
 * stand behind it. A struct kns_store is one connection and belongs to one thread at a time: the daemon
 * has one writer (the writer thread) and some read-only ones (query workers); they run beside each
 * other. Functions marked "writer" need a connection opened for writing.
 *
 * Every writing function is atomic by itself: all of it happened or nothing. Between kns_store_begin and
 * kns_store_commit several of them form a group that becomes durable together; one that fails leaves the
 * others of its group intact. What kns_store_commit returned KNS_OK for survives a crash and a power cut
 * (see kns_store_sync).
 *
 * Strings handed in are copied. What comes out lives in the arena given, or, in a callback, until it returns.
 * Errors common to all: KNS_ENOMEM, KNS_EIO, KNS_EFULL, KNS_ECORRUPT, KNS_EBUSY.
 */
#ifndef KNS_STORE_H
#define KNS_STORE_H

#include "lib/arena.h"
#include "lib/document.h"
#include "lib/error.h"
#include "lib/list.h"
#include "lib/rules.h"
#include "lib/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kns_store;

/* ---- opening ------------------------------------------------------------------------------------- */

enum kns_store_mode {
    KNS_STORE_WRITER, /* creates the database, migrates it, holds the lock: one at a time on a machine */
    KNS_STORE_READER,
};

/* What a commit survives. FULL: power loss at any instant. NORMAL: a crash of knsd at any instant; a power
 * cut may lose the last commits, but never breaks the database or parts a validator from its items. */
enum kns_store_sync { KNS_STORE_SYNC_FULL, KNS_STORE_SYNC_NORMAL };

/* Opens the database file at path. KNS_EBUSY: another writer has it (the message names its pid);
 * KNS_ECORRUPT, KNS_EVERSION: refused and left untouched, the message names the way on;
 * KNS_EFULL, KNS_EIO: the directory cannot be read or written. The caller owns *ret_store. */
enum kns_status kns_store_open(const char *path, enum kns_store_mode mode, enum kns_store_sync sync,
                               struct kns_store **ret_store, struct kns_error *err);

/* Rolls back what was not committed. NULL is allowed. */
void kns_store_close(struct kns_store *store);

/* ---- groups of writes (writer) ------------------------------------------------------------------- */

enum kns_status kns_store_begin(struct kns_store *store, struct kns_error *err);
enum kns_status kns_store_commit(struct kns_store *store, struct kns_error *err);
void kns_store_rollback(struct kns_store *store);

/* ---- feeds: the subscriptions -------------------------------------------------------------------- */

enum kns_feed_state { KNS_FEED_ACTIVE, KNS_FEED_PAUSED, KNS_FEED_FAILING, KNS_FEED_GONE };

enum kns_feed_health {
    KNS_HEALTH_NEW,
    KNS_HEALTH_OK,
    KNS_HEALTH_LATE,
    KNS_HEALTH_THROTTLED,
    KNS_HEALTH_REFUSED,
    KNS_HEALTH_NOT_A_FEED,
    KNS_HEALTH_MOVED,
    KNS_HEALTH_FAILING,
    KNS_HEALTH_GONE,
};

/* The words of interfaces ("not-a-feed"); static storage. */
const char *kns_feed_state_name(enum kns_feed_state state);
const char *kns_feed_health_name(enum kns_feed_health health);

/* How a feed wants to be fetched. Secrets: never listed, exported, logged (law 6). NULL: not set. */
struct kns_feed_access {
    const char *user, *password; /* Basic */
    const char *bearer_token;
    const char *headers; /* "Name: value" lines, newline between */
    const char *user_agent, *proxy, *ca_file, *http_version;
};

/* All that one poll left behind for the next; part of a feed. */
struct kns_schedule {
    struct kns_time next_poll_at;
    const char *next_poll_reason; /* a sentence: what set the time */
    int64_t interval_s;           /* between polls as now decided */
    const char *etag, *last_modified;
    const char *content_hash; /* of the last stored body, hex */
    int64_t consecutive_failures;
    double entries_per_day;           /* the feed's own rhythm as seen; below 0: unknown */
    struct kns_time newest_entry_at;  /* of the last document; 0: unknown */
    int64_t ttl_s, update_interval_s; /* what the last document asked for; -1: nothing */
    uint32_t skip_hours;              /* bit h: GMT hour h */
    uint8_t skip_days;                /* bit d: day d, 0 is Sunday */
    struct kns_time
        no_poll_before; /* the server's word (Retry-After, max-age): only --force overrides */
};

struct kns_feed {
    int64_t id;
    const char *url;
    const char *title;      /* the user's, else the document's, else the URL */
    const char *user_title; /* NULL: none set */
    const char *home_page_url, *description, *icon;
    struct kns_strings tags;
    enum kns_feed_state state;
    enum kns_feed_health health;
    bool newsletter;         /* its entries are roundups, taken apart as they arrive */
    bool newsletter_decided; /* by its user, or by its first document */
    int64_t every_s;         /* the user's --every; 0: none */
    struct kns_time added_at, last_poll_at, last_success_at, last_new_item_at;
    int last_status;        /* HTTP status; 0: none */
    const char *last_error; /* NULL after a success */
    struct kns_schedule schedule;
    int64_t items;
    struct kns_strings moved_from;
    const char *move_to; /* a permanent redirect under observation; NULL: none */
    int64_t move_seen;   /* polls that saw it */
    struct kns_time move_first_seen;
    const char *hub, *topic;      /* WebSub: as its last whole document names them; NULL: none */
    struct kns_time pushed_until; /* its hub promised to push what is new until then; 0: none did */
    struct kns_feed_access access;
};

/* What adding or editing sets; a NULL (or unset flag) leaves it as it is. */
struct kns_feed_edit {
    const char *url;
    const char *user_title; /* "" removes it */
    const struct kns_strings *tags;
    bool set_newsletter, newsletter;
    bool set_every;
    int64_t every_s;
    bool set_paused, paused;
    const struct kns_feed_access *access; /* what is set in it; "" removes */
};

/* Subscribes (writer). edit->url is needed, first_poll_at says when. KNS_EEXIST: *ret_id is the feed that has this
 * URL (or had it before it moved); its tags are joined with edit's. */
enum kns_status kns_store_add_feed(struct kns_store *store, const struct kns_feed_edit *edit,
                                   struct kns_time now, struct kns_time first_poll_at,
                                   int64_t *ret_id, struct kns_error *err);

/* Changes a feed (writer). A new URL drops the validators and keeps the old one in moved_from. KNS_ENOTFOUND,
 * KNS_EEXIST (another feed has that URL). */
enum kns_status kns_store_edit_feed(struct kns_store *store, int64_t id,
                                    const struct kns_feed_edit *edit, struct kns_time now,
                                    struct kns_error *err);

/* Unsubscribes (writer). Its items stay when another feed carries them or they are starred, noted or published; the others go. */
enum kns_status kns_store_remove_feed(struct kns_store *store, int64_t id, struct kns_time now,
                                      struct kns_error *err);

/* Makes one feed of two (writer): items, tags and earlier URLs of `from` go to `into`, and `from` is gone. */
enum kns_status kns_store_merge_feeds(struct kns_store *store, int64_t from, int64_t into,
                                      struct kns_time now, struct kns_error *err);

/* with_access: fill feed->access (the daemon's fetcher only). KNS_ENOTFOUND. */
enum kns_status kns_store_get_feed(struct kns_store *store, struct kns_arena *arena, int64_t id,
                                   bool with_access, struct kns_feed **ret_feed,
                                   struct kns_error *err);

/* By URL as given, or canonical, or one it has moved from. KNS_ENOTFOUND. */
enum kns_status kns_store_find_feed(struct kns_store *store, const char *url, int64_t *ret_id,
                                    struct kns_error *err);

struct kns_feed_filter {
    const char *tag; /* NULL: any; a folder "a/b" matches what is below it too */
    bool failing;    /* only those whose health is neither ok nor new */
    int64_t after_id;
    size_t limit; /* 0: all */
};

/* Calls on_feed for each, ordered by id; false from it stops. */
enum kns_status kns_store_each_feed(struct kns_store *store, const struct kns_feed_filter *filter,
                                    bool (*on_feed)(void *ctx, const struct kns_feed *feed),
                                    void *ctx, struct kns_error *err);

/* ---- polls --------------------------------------------------------------------------------------- */

enum kns_outcome {
    KNS_POLL_NEW_DOCUMENT, /* 200 with a document (document set) */
    KNS_POLL_UNCHANGED,    /* 304, or a 200 with the stored body's hash */
    KNS_POLL_CUT, /* a document whose end is missing: entries are stored, validators are not */
    KNS_POLL_THROTTLED, /* 429, 503 with Retry-After */
    KNS_POLL_REFUSED,   /* 401, 403, a bot wall, a private network */
    KNS_POLL_NOT_A_FEED,
    KNS_POLL_GONE,   /* 410 */
    KNS_POLL_ERROR,  /* any other status, network, TLS, limits */
    KNS_POLL_PUSHED, /* no poll: what its hub sent; only in a feed's history */
};
const char *kns_outcome_name(enum kns_outcome outcome);

/* One poll and all it decided. Written in one transaction with the items its validators vouch for (law 1). */
struct kns_poll {
    int64_t feed_id;
    struct kns_time started_at;
    int64_t duration_ms;
    enum kns_outcome outcome;
    int http_status;           /* 0: none */
    int64_t bytes;             /* of the body as it came over the wire */
    const char *error;         /* a sentence, without credentials; NULL: none */
    enum kns_feed_state state; /* the feed's, from now on (a paused feed stays paused) */
    enum kns_feed_health health;
    struct kns_schedule schedule;        /* replaces the stored one whole, validators included */
    const struct kns_document *document; /* NULL: no entries to store */
    const char *new_url; /* set: the feed moves there now (old one into moved_from) */
    const char *move_to; /* permanent redirect under observation; NULL: none */
    int64_t move_seen;
    struct kns_time move_first_seen;
    const char *hub, *topic; /* as a new document names them; NULL: it names none */
};

struct kns_poll_result {
    int64_t new_items, updated_items, seen_items;
    int64_t dropped_items; /* by rules; they are not seen again */
    int64_t last_event;    /* sequence number of the newest event written; 0: none */
    int64_t merged_into;   /* new_url was another feed's: they are one now, with this id; 0: no */
};

/* Stores a poll (writer): items new, updated or seen again, feed fields, schedule, validators, history, events.
 * An unchanged entry costs no write. KNS_ENOTFOUND: the feed was removed meanwhile; nothing is stored. */
enum kns_status kns_store_record_poll(struct kns_store *store, const struct kns_poll *poll,
                                      struct kns_poll_result *ret_result, struct kns_error *err);

/* The last polls of a feed, newest first. */
struct kns_poll_record {
    struct kns_time at;
    int64_t duration_ms;
    enum kns_outcome outcome;
    int http_status;
    int64_t bytes, new_items, updated_items;
    const char *error;
    const char *next_poll_reason;
    struct kns_time next_poll_at;
};
enum kns_status kns_store_each_poll(struct kns_store *store, int64_t feed_id, size_t limit,
                                    bool (*on_poll)(void *ctx, const struct kns_poll_record *poll),
                                    void *ctx, struct kns_error *err);

/* Stores what a hub pushed for a feed (writer): items, history, events, in one transaction; the feed's validators, schedule and health
 * are its polls', and stay. KNS_ENOTFOUND: the feed was removed. */
struct kns_push {
    int64_t feed_id;
    struct kns_time at;
    int64_t duration_ms, bytes;
    const struct kns_document *document;
};
enum kns_status kns_store_record_push(struct kns_store *store, const struct kns_push *push,
                                      struct kns_poll_result *ret_result, struct kns_error *err);

/* Changes when a feed comes next, and until when its hub pushes it (writer); of schedule: next_poll_at, next_poll_reason and
 * interval_s. A feed that is not there is none of our business: KNS_OK. */
enum kns_status kns_store_reschedule(struct kns_store *store, int64_t feed_id,
                                     const struct kns_schedule *schedule,
                                     struct kns_time pushed_until, struct kns_error *err);

/* ---- WebSub: what we have with hubs -------------------------------------------------------------- */

enum kns_websub_state {
    KNS_WEBSUB_WANTED,  /* the hub has not confirmed it (any more) */
    KNS_WEBSUB_ALIVE,   /* until lease_until */
    KNS_WEBSUB_DENIED,  /* by the hub, for good */
    KNS_WEBSUB_LEAVING, /* the hub is to be told that we want no more */
};
/* What we asked the hub for and it has not yet asked us about. */
enum kns_websub_awaits { KNS_WEBSUB_NOTHING, KNS_WEBSUB_SUBSCRIBE, KNS_WEBSUB_UNSUBSCRIBE };

/* "wanted" "alive" "denied" "leaving"; static storage. */
const char *kns_websub_state_name(enum kns_websub_state state);

/* token and secret are secrets: never listed, exported, logged (law 6). */
struct kns_websub_record {
    const char *token; /* of the callback's URL: its key */
    int64_t feed_id;   /* which may be removed */
    const char *feed_url, *hub, *topic;
    const char *callback; /* without the token */
    const char *secret;   /* NULL: the hub has none */
    enum kns_websub_state state;
    enum kns_websub_awaits awaits;
    struct kns_time lease_until, next_at; /* next_at: when the hub is asked next */
    int64_t failures;                     /* in a row */
    const char *error;                    /* a sentence; NULL: none */
};

/* Adds or replaces (writer). */
enum kns_status kns_store_put_websub(struct kns_store *store,
                                     const struct kns_websub_record *record, struct kns_error *err);

/* Removes (writer); it need not be there. */
enum kns_status kns_store_remove_websub(struct kns_store *store, const char *token,
                                        struct kns_error *err);

/* Calls on_record for each; false from it stops. */
enum kns_status kns_store_each_websub(struct kns_store *store,
                                      bool (*on_record)(void *ctx,
                                                        const struct kns_websub_record *record),
                                      void *ctx, struct kns_error *err);

/* What we have with the hub of a feed, for showing: without token and secret. KNS_ENOTFOUND: nothing; err is not filled. */
enum kns_status kns_store_get_websub(struct kns_store *store, struct kns_arena *arena,
                                     int64_t feed_id, struct kns_websub_record *ret,
                                     struct kns_error *err);

/* What is remembered of a site (registrable domain) or address between runs. */
struct kns_site {
    const char *name;
    struct kns_time no_poll_before;
    double tokens; /* of its bucket, at tokens_at */
    struct kns_time tokens_at;
    int64_t interval_s; /* between requests, as its refusals have taught; 0: none did */
    const char *reason; /* of no_poll_before and interval_s; NULL: none */
};
enum kns_status kns_store_put_site(struct kns_store *store, const struct kns_site *site,
                                   struct kns_error *err); /* writer */
enum kns_status kns_store_each_site(struct kns_store *store,
                                    bool (*on_site)(void *ctx, const struct kns_site *site),
                                    void *ctx, struct kns_error *err);

/* ---- items --------------------------------------------------------------------------------------- */

struct kns_item_feed {
    int64_t id;
    const char *title, *url;
    const char *guid; /* the entry's in that feed */
    struct kns_time seen_at;
    struct kns_item_feed *next;
};

/* What a newsletter that is followed says of an item. */
struct kns_curated {
    int64_t feed_id, issue_id; /* the newsletter, and its issue: an item too */
    const char *feed_title, *issue_title, *issue_url;
    int64_t position; /* in the issue, from 1 */
    const char *section, *note, *note_html;
    struct kns_curated *next;
};

struct kns_item {
    int64_t id;             /* stable for ever */
    struct kns_entry entry; /* as the feed gave it; content only when asked for */
    struct kns_time first_seen, changed_at;
    struct kns_time sort_at; /* published, never later than first_seen: what `new` sorts by */
    bool read, starred;
    struct kns_strings tags; /* the user's */
    const char *note, *note_html, *section;
    int64_t score;   /* by rules */
    int64_t sources; /* feeds that carry it, and others that link to it */
    KNS_LIST(kns_item_feed) feeds;
    KNS_LIST(kns_curated) curated; /* the first issue that had it first */
    const char *snippet; /* of a search: with \x02 and \x03 around what matched; else NULL */
};

enum kns_item_sort { KNS_SORT_NEW, KNS_SORT_OLD, KNS_SORT_SEEN, KNS_SORT_SOURCES, KNS_SORT_RANK };

struct kns_item_query {
    const int64_t *feeds; /* any of these; n_feeds 0: all */
    size_t n_feeds;
    const char *tag;              /* the item's own or one of its feeds' */
    struct kns_time since, until; /* by sort_at (KNS_SORT_SEEN: first_seen); zero: open */
    bool unread, starred;
    int64_t min_sources; /* 0: any */
    const char *q;       /* full-text query, the user's words; NULL: none */
    enum kns_item_sort sort;
    size_t limit;       /* 0: 50 */
    const char *cursor; /* opaque, from an earlier page with the same query; NULL: the first page */
    bool with_content;
};

/* Calls on_item for each item of the page, in order. *ret_cursor (in arena) is NULL when there is no next page.
 * KNS_EINVAL: a cursor that is none. Pages go by key, never by offset. */
enum kns_status kns_store_query_items(struct kns_store *store, struct kns_arena *arena,
                                      const struct kns_item_query *query,
                                      bool (*on_item)(void *ctx, const struct kns_item *item),
                                      void *ctx, const char **ret_cursor, struct kns_error *err);

/* One item, with content. KNS_ENOTFOUND. */
enum kns_status kns_store_get_item(struct kns_store *store, struct kns_arena *arena, int64_t id,
                                   struct kns_item **ret_item, struct kns_error *err);

struct kns_item_edit {
    bool set_read, read, set_starred, starred;
    const struct kns_strings *tags;        /* replaces; NULL: leave */
    const struct kns_strings *add_tags;    /* NULL: none */
    const struct kns_strings *remove_tags; /* NULL: none */
    const char *note;                      /* "" removes; NULL: leave */
};

/* Changes flags and tags (writer). KNS_ENOTFOUND. */
enum kns_status kns_store_edit_item(struct kns_store *store, int64_t id,
                                    const struct kns_item_edit *edit, struct kns_time now,
                                    struct kns_error *err);

/* Why it is one item: the rule by which each sighting was joined to it, where and when. */
struct kns_sighting {
    int64_t feed_id;
    const char *feed_title, *feed_url, *guid, *url;
    const char *rule;      /* "canonical-url", "guid", "moved", "hash", … */
    const char *rule_text; /* the rule in a sentence */
    struct kns_time first_seen;
    struct kns_time last_seen; /* the feed's last successful poll that found it listed */
};
enum kns_status kns_store_each_sighting(struct kns_store *store, int64_t item_id,
                                        bool (*on_sighting)(void *ctx,
                                                            const struct kns_sighting *s),
                                        void *ctx, struct kns_error *err);

/* Undoes a wrong joining (writer): what feed_id carries as item_id becomes an item of its own, *ret_id, known by its guid in
 * that feed, so that later polls keep them apart. It begins as a copy; the feed's validators are dropped, so that its next
 * poll brings the entry's own words (the scheduler must take the feed over anew). KNS_ENOTFOUND: that feed does not carry
 * the item; KNS_EINVAL: it is the only one, or its entry has no guid to be known by. */
enum kns_status kns_store_split_item(struct kns_store *store, int64_t item_id, int64_t feed_id,
                                     struct kns_time now, int64_t *ret_id, struct kns_error *err);

/* ---- rules --------------------------------------------------------------------------------------- */

/* A rule that is kept (its language: lib/rules.h). Rules act on items as kns_store_record_poll stores them, never on what is there. */
struct kns_rule_record {
    int64_t id;
    const char *text;
    struct kns_time added_at, last_match_at;
    int64_t matches; /* items it acted on */
    int64_t gave_up; /* items that it took too long to match */
};

/* Adds a rule behind the others (writer). KNS_EINVAL: what is wrong and where; KNS_EEXIST: *ret_id says the same;
 * KNS_ELIMIT. */
enum kns_status kns_store_add_rule(struct kns_store *store, const char *text, struct kns_time now,
                                   int64_t *ret_id, struct kns_error *err);

/* Removes a rule (writer); what it did stays. KNS_ENOTFOUND. */
enum kns_status kns_store_remove_rule(struct kns_store *store, int64_t id, struct kns_error *err);

/* Adds the rules of a text, one a line, all or none (writer); replace: instead of those that are there. The error names
 * the line. */
struct kns_rule_import {
    int64_t added, known;
};
enum kns_status kns_store_import_rules(struct kns_store *store, const char *text, bool replace,
                                       struct kns_time now, struct kns_rule_import *ret,
                                       struct kns_error *err);

/* Calls on_rule for each in its order; false from it stops. */
enum kns_status kns_store_each_rule(struct kns_store *store,
                                    bool (*on_rule)(void *ctx, const struct kns_rule_record *rule),
                                    void *ctx, struct kns_error *err);

/* What rules would have done to what came since then, the last first. Nothing changes. */
struct kns_rule_test {
    const char *text; /* this rule; NULL: rule_id's, or all that are kept where that is 0 */
    int64_t rule_id;
    struct kns_time since;
    size_t limit;       /* items that are tried; 0: 50 */
    const char *cursor; /* as of kns_store_query_items */
};
struct kns_rule_trial {
    int64_t tried, matched;
};
/* Calls on_item for each item that a rule matches (or gives up on). KNS_EINVAL, KNS_ENOTFOUND. */
enum kns_status kns_store_test_rules(
    struct kns_store *store, struct kns_arena *arena, const struct kns_rule_test *test,
    bool (*on_item)(void *ctx, const struct kns_item *item, const struct kns_rule_verdict *verdict),
    void *ctx, struct kns_rule_trial *ret, const char **ret_cursor, struct kns_error *err);

/* ---- links --------------------------------------------------------------------------------------- */

/* An address that nobody's feed carries as an item, but the content of several feeds' items names. */
struct kns_link_mention {
    int64_t feed_id, item_id; /* the feed's newest item that names it */
    const char *feed_title, *item_title, *text;
    struct kns_link_mention *next;
};
struct kns_named_link {
    int64_t id;
    const char *url; /* canonical */
    int64_t feeds;   /* how many name it */
    struct kns_time first_seen, last_seen;
    KNS_LIST(kns_link_mention) mentions; /* one a feed, 20 at most */
};
struct kns_link_query {
    struct kns_time since; /* named since then */
    int64_t min_feeds;     /* 2 at least */
    size_t limit;          /* 0: 50 */
    const char *cursor;    /* opaque, from an earlier page; NULL: the first */
};

/* Calls on_link for each, those that most feeds name first. KNS_EINVAL: a cursor that is none. */
enum kns_status kns_store_query_links(struct kns_store *store, struct kns_arena *arena,
                                      const struct kns_link_query *query,
                                      bool (*on_link)(void *ctx, const struct kns_named_link *link),
                                      void *ctx, const char **ret_cursor, struct kns_error *err);

/* ---- issues -------------------------------------------------------------------------------------- */

/* An issue of a newsletter of one's own; what it says is a document that only lib/issue understands. */
struct kns_issue_record {
    int64_t id;
    const char *newsletter;
    int64_t number; /* 0: the draft of the next one */
    const char *title;
    struct kns_time published_at, updated_at;
    int64_t items;
    const char *document;
};

/* What an issue covers. */
struct kns_covered {
    int64_t item_id; /* 0: no stored item */
    const char *url, *title;
};

/* Stores an issue (writer), in place of the one with its newsletter and number; what it covers is known from now on, unless it is a
 * draft. record->id is not looked at; *ret_id (may be NULL) is the issue's. */
enum kns_status kns_store_put_issue(struct kns_store *store, const struct kns_issue_record *record,
                                    const struct kns_covered *covered, size_t n_covered,
                                    int64_t *ret_id, struct kns_error *err);

/* Removes an issue (writer): a draft that was published or given up. KNS_ENOTFOUND. */
enum kns_status kns_store_remove_issue(struct kns_store *store, const char *newsletter,
                                       int64_t number, struct kns_error *err);

/* KNS_ENOTFOUND. */
enum kns_status kns_store_get_issue(struct kns_store *store, struct kns_arena *arena,
                                    const char *newsletter, int64_t number,
                                    struct kns_issue_record *ret, struct kns_error *err);

/* Published issues, the last number first; drafts are left out. limit 0: all. False from on_issue stops. */
enum kns_status kns_store_each_issue(struct kns_store *store, const char *newsletter, size_t limit,
                                     bool (*on_issue)(void *ctx,
                                                      const struct kns_issue_record *issue),
                                     void *ctx, struct kns_error *err);

/* Notes that an issue is about to be mailed to n addresses (writer): ret_fresh[i] tells whether it was not noted before; all of them are
 * with again. What then turns out not to have been sent is taken back. An address is one whatever its case. KNS_ENOTFOUND: no such issue. */
enum kns_status kns_store_note_sent(struct kns_store *store, const char *newsletter, int64_t number,
                                    const char *const *addresses, size_t n, bool again,
                                    struct kns_time now, bool *ret_fresh, struct kns_error *err);
enum kns_status kns_store_forget_sent(struct kns_store *store, const char *newsletter,
                                      int64_t number, const char *const *addresses, size_t n,
                                      struct kns_error *err);

/* The number of the last published issue (other than `except`) that had this address, or nearly this title; 0: none had. title
 * may be NULL. */
enum kns_status kns_store_find_covered(struct kns_store *store, const char *newsletter,
                                       const char *url, const char *title, int64_t except,
                                       int64_t *ret_number, struct kns_error *err);

/* An item that no feed carries (writer): a link that a person chose, an issue of one's own. Where its address is known, that is the
 * item, and nothing changes; else it is stored as read. note may be NULL. */
enum kns_status kns_store_put_item(struct kns_store *store, const struct kns_entry *entry,
                                   const char *note, struct kns_time now, int64_t *ret_id,
                                   struct kns_error *err);

/* Gives an item what it lacks (title, summary, picture) from what its page says of itself (writer). KNS_ENOTFOUND. */
enum kns_status kns_store_complete_item(struct kns_store *store, int64_t id,
                                        const struct kns_entry *facts, struct kns_time now,
                                        struct kns_error *err);

/* Whether an item is an issue of a newsletter that is followed, taken apart into its link items. */
enum kns_status kns_store_is_roundup(struct kns_store *store, int64_t item_id, bool *ret,
                                     struct kns_error *err);

/* The item of this address, in whatever spelling. KNS_ENOTFOUND. */
enum kns_status kns_store_find_item(struct kns_store *store, const char *url, int64_t *ret_id,
                                    struct kns_error *err);

/* ---- events -------------------------------------------------------------------------------------- */

enum kns_event_kind { KNS_EVENT_ITEM, KNS_EVENT_FEED, KNS_EVENT_POLL };
const char *kns_event_kind_name(enum kns_event_kind kind);

struct kns_event {
    int64_t seq; /* grows by at least one with every event, over restarts too */
    enum kns_event_kind kind;
    const char *
        what; /* item: "new" "updated" · feed: "added" "removed" "edited" "failing" "recovered" "moved" "gone" · poll: the outcome */
    int64_t item_id, feed_id; /* 0: not of one */
    struct kns_time at;
};

/* Events after seq, oldest first, at most limit. KNS_OK and no call when there are none. */
enum kns_status kns_store_each_event(struct kns_store *store, int64_t after_seq, size_t limit,
                                     bool (*on_event)(void *ctx, const struct kns_event *event),
                                     void *ctx, struct kns_error *err);
enum kns_status kns_store_last_event(struct kns_store *store, int64_t *ret_seq,
                                     struct kns_error *err);

/* ---- marks: numbers that outlive a restart ----------------------------------------------------------- */

enum kns_status kns_store_get_mark(struct kns_store *store, const char *name, int64_t *ret_value,
                                   struct kns_error *err); /* KNS_ENOTFOUND: err is not filled */
enum kns_status kns_store_put_mark(struct kns_store *store, const char *name, int64_t value,
                                   struct kns_error *err); /* writer */
enum kns_status kns_store_remove_mark(struct kns_store *store, const char *name,
                                      struct kns_error *err); /* writer; it need not be there */

/* ---- care ---------------------------------------------------------------------------------------- */

struct kns_store_figures {
    int64_t feeds, feeds_paused, feeds_failing, feeds_gone;
    int64_t items, items_unread, items_starred;
    int64_t items_behind; /* about so many are still to be put into the index: kns_store_catch_up */
    int64_t events_last;
    int64_t file_bytes, wal_bytes;
    int schema_version;
};
enum kns_status kns_store_get_figures(struct kns_store *store, struct kns_store_figures *ret,
                                      struct kns_error *err);

/* Removes what the settings no longer keep, at most max_items at a time (writer); what it removed does not come back as new
 * while its feed lists it. *ret_more: there is more to do. Zero for either setting keeps everything. What is starred, noted or in an issue
 * stays; what another feed carries is not counted among the items of a feed. */
enum kns_status kns_store_expire(struct kns_store *store, int64_t keep_days,
                                 int64_t keep_items_per_feed, struct kns_time now, size_t max_items,
                                 bool *ret_more, struct kns_error *err);

/* Goes on with what an older version of KNS did not do for the items that it stored (writer): putting them into the index of this
 * version, and looking for what they link to; the newest items first, max_items at a time. *ret_more: there is more to do. */
enum kns_status kns_store_catch_up(struct kns_store *store, size_t max_items, bool *ret_more,
                                   struct kns_error *err);

/* A consistent copy of the live database into a new file, through any connection. KNS_EEXIST: the file is there. */
enum kns_status kns_store_backup(struct kns_store *store, const char *path, struct kns_error *err);

/* Verifies the file's integrity and KNS's own invariants; on_problem gets a sentence each. KNS_OK: none found;
 * KNS_ECORRUPT: some. */
enum kns_status kns_store_check(struct kns_store *store,
                                void (*on_problem)(void *ctx, const char *problem), void *ctx,
                                struct kns_error *err);

/* Copies what can be read of a database that is corrupt into a new file at `to`, which is sound afterwards; `from` is not changed, and no
 * knsd may use it. on_problem gets a sentence for each place that could not be read. KNS_OK: see ret; KNS_EEXIST: `to` is there;
 * KNS_ENOTFOUND; KNS_ECORRUPT: nothing can be read; KNS_EVERSION: no database of KNS. */
struct kns_salvage {
    int64_t feeds, items; /* in the new database */
    int64_t problems;     /* 0: nothing was lost */
};
enum kns_status kns_store_salvage(const char *from, const char *to,
                                  void (*on_problem)(void *ctx, const char *problem), void *ctx,
                                  struct kns_salvage *ret, struct kns_error *err);

#endif
