/* One poll, from due to done:
 *
 *   WAITING --due, a place free--> LOADING (reader) --> FETCHING (fetcher) --> WRITING (writer) --> WAITING
 *
 * "Waiting to poll" and "waiting for an answer" exclude each other: a feed is in the heap or it has a poll. A poll ends in end_poll(), once. */
#include "daemon/poller.h"

#include "daemon/config.h"
#include "daemon/fetcher.h"
#include "daemon/log.h"
#include "daemon/nextpoll.h"
#include "daemon/outcome.h"
#include "daemon/readers.h"
#include "daemon/scheduler.h"
#include "daemon/writer.h"
#include "lib/parse.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A refresh by hand is a request that somebody pays for: one a minute and feed. */
#define MANUAL_EVERY_S 60
/* A redirect that says "for ever" is believed after so many polls over so long. */
#define MOVE_POLLS 3
#define MOVE_AFTER_S 86400

struct waiter {
    void (*done)(void *ctx, const struct kns_refresh_result *result);
    void *ctx;
    struct waiter *next;
};

/* What is known of a subscription in memory: all else is read when it is polled. */
struct feed {
    struct kns_due due; /* first member */
    int64_t id;
    uint64_t site; /* a hash of its registrable domain */
    int64_t last_manual_s;
    struct poll *poll;      /* NULL: waiting */
    struct waiter *waiters; /* for the poll that has not begun */
    bool manual, force;     /* of that poll */
    bool removed;           /* unsubscribed while being polled */
};

struct site {
    uint64_t key;
    int in_flight;
};

struct kns_poller {
    struct kns_poller_parts parts;
    uv_timer_t timer;
    struct kns_scheduler scheduler;
    struct feed **feeds; /* by id */
    size_t n_feeds, cap_feeds;
    struct site *sites; /* those with transfers under way */
    size_t n_sites, cap_sites;
    size_t in_flight, busy;
    bool stopping;
    uint64_t random;
    struct kns_poller_figures figures;
};

/* A poll under way. */
struct poll {
    struct kns_poller *poller;
    struct feed *feed;
    bool manual, force;
    struct kns_arena *arena;
    struct kns_feed *stored;
    struct kns_parser *parser;
    uint64_t hash[2];
    struct kns_error parse_error;
    struct kns_time started;
    bool has_place; /* counted in in_flight and at its site */
    struct kns_read read;
    struct kns_write write;
    struct kns_poll record;
    struct kns_poll_result result;
    struct kns_document *document;
    char content_hash[40];
    char text[KNS_ERROR_MAX];
    bool skipped;
    struct waiter *waiters;
};

static void run_due(struct kns_poller *poller);

static int64_t now_ms(void)
{
    return kns_time_now().unix_s * 1000;
}

/* xorshift: jitter needs no more. */
static double random_of(struct kns_poller *poller)
{
    poller->random ^= poller->random << 13;
    poller->random ^= poller->random >> 7;
    poller->random ^= poller->random << 17;
    return (double)(poller->random >> 11) / (double)(UINT64_C(1) << 53);
}

static uint64_t hash_text(uint64_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t site_of(const char *url)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *site = arena == NULL ? NULL : kns_url_site(arena, url);
    uint64_t hash = site == NULL ? 0 : hash_text(UINT64_C(0xcbf29ce484222325), site, strlen(site));

    kns_arena_free(arena);
    return hash;
}

/* ---- the feeds in memory ------------------------------------------------------------------------------------------ */

static size_t place_of(const struct kns_poller *poller, int64_t id)
{
    size_t low = 0, high = poller->n_feeds;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (poller->feeds[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct feed *find_feed(const struct kns_poller *poller, int64_t id)
{
    size_t at = place_of(poller, id);

    return at < poller->n_feeds && poller->feeds[at]->id == id ? poller->feeds[at] : NULL;
}

static struct feed *add_feed(struct kns_poller *poller, int64_t id)
{
    size_t at = place_of(poller, id);

    if (poller->n_feeds == poller->cap_feeds) {
        size_t cap = poller->cap_feeds == 0 ? 64 : poller->cap_feeds * 2;
        struct feed **feeds = realloc(poller->feeds, cap * sizeof(struct feed *));
        if (feeds == NULL)
            return NULL;
        poller->feeds = feeds;
        poller->cap_feeds = cap;
    }
    struct feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return NULL;
    feed->id = id;
    memmove(poller->feeds + at + 1, poller->feeds + at,
            (poller->n_feeds - at) * sizeof(struct feed *));
    poller->feeds[at] = feed;
    poller->n_feeds++;
    return feed;
}

/* Everybody who waits is told once. */
static void tell(struct waiter *waiters, const struct kns_refresh_result *result)
{
    while (waiters != NULL) {
        struct waiter *waiter = waiters;
        waiters = waiter->next;
        waiter->done(waiter->ctx, result);
        free(waiter);
    }
}

static void forget_feed(struct kns_poller *poller, struct feed *feed)
{
    const struct kns_refresh_result gone = {
        .feed_id = feed->id, .skipped = true, .text = "no such feed"};

    kns_scheduler_remove(&poller->scheduler, &feed->due);
    if (feed->poll != NULL) {
        feed->removed = true; /* end_poll comes back */
        return;
    }
    size_t at = place_of(poller, feed->id);
    tell(feed->waiters, &gone);
    memmove(poller->feeds + at, poller->feeds + at + 1,
            (poller->n_feeds - at - 1) * sizeof(struct feed *));
    poller->n_feeds--;
    free(feed);
}

/* ---- places at sites ---------------------------------------------------------------------------------------------- */

static struct site *find_site(struct kns_poller *poller, uint64_t key)
{
    for (size_t i = 0; i < poller->n_sites; i++)
        if (poller->sites[i].key == key)
            return &poller->sites[i];
    return NULL;
}

static bool take_place(struct kns_poller *poller, uint64_t key)
{
    struct site *site = find_site(poller, key);

    if (site != NULL && site->in_flight >= poller->parts.config->poll.per_host)
        return false;
    if (site == NULL) {
        if (poller->n_sites == poller->cap_sites) {
            size_t cap = poller->cap_sites == 0 ? 64 : poller->cap_sites * 2;
            struct site *sites = realloc(poller->sites, cap * sizeof(*sites));
            if (sites == NULL)
                return false;
            poller->sites = sites;
            poller->cap_sites = cap;
        }
        site = &poller->sites[poller->n_sites++];
        *site = (struct site){.key = key};
    }
    site->in_flight++;
    poller->in_flight++;
    return true;
}

static void leave_place(struct kns_poller *poller, uint64_t key)
{
    struct site *site = find_site(poller, key);

    poller->in_flight--;
    if (site != NULL && --site->in_flight == 0)
        *site = poller->sites[--poller->n_sites];
}

/* ---- the end of a poll -------------------------------------------------------------------------------------------- */

static void tell_waiters(struct poll *p)
{
    struct kns_refresh_result result = {
        .feed_id = p->feed->id,
        .outcome = p->record.outcome,
        .skipped = p->skipped,
        .http_status = p->record.http_status,
        .new_items = p->result.new_items,
        .updated_items = p->result.updated_items,
        .text = p->text,
    };

    struct waiter *waiters = p->waiters;
    p->waiters = NULL;
    tell(waiters, &result);
}

static void end_poll(struct poll *p, int64_t next_ms)
{
    struct kns_poller *poller = p->poller;
    struct feed *feed = p->feed;

    feed->poll = NULL;
    poller->busy--;
    if (p->has_place)
        leave_place(poller, feed->site);
    tell_waiters(p);
    kns_parser_free(p->parser);
    kns_document_free(p->document);
    kns_arena_free(p->arena);
    free(p);
    if (feed->removed)
        forget_feed(poller, feed);
    else if (next_ms > 0)
        kns_scheduler_set(&poller->scheduler, &feed->due, next_ms);
    run_due(poller);
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static enum kns_status write_poll(struct kns_write *write, struct kns_store *store,
                                  struct kns_error *err)
{
    struct poll *p = (struct poll *)((char *)write - offsetof(struct poll, write));

    return kns_store_record_poll(store, &p->record, &p->result, err);
}

static void count(struct poll *p)
{
    struct kns_poller_figures *figures = &p->poller->figures;

    figures->polls++;
    figures->polls_by_outcome[p->record.outcome]++;
    figures->polls_failed += p->record.schedule.consecutive_failures > 0;
    figures->items_new += p->result.new_items;
    figures->bytes += p->record.bytes;
    figures->latency_sum_s += (double)p->record.duration_ms / 1000;
}

/* The first failure is worth a line; the same again is not. */
static void log_poll(const struct poll *p)
{
    const char *before = p->stored->last_error, *now = p->record.error;
    const char *url = kns_url_without_credentials(p->arena, p->stored->url);

    if (now != NULL && (before == NULL || strcmp(before, now) != 0))
        kns_log(KNS_LOG_WARNING, "feed %lld %s: %s", (long long)p->stored->id, url, now);
    else
        kns_log(KNS_LOG_DEBUG, "feed %lld %s: %s, %lld new; next %s", (long long)p->stored->id, url,
                kns_outcome_name(p->record.outcome), (long long)p->result.new_items,
                p->record.schedule.next_poll_reason);
}

static void poll_written(struct kns_write *write)
{
    struct poll *p = (struct poll *)((char *)write - offsetof(struct poll, write));

    if (write->status == KNS_ENOTFOUND) {
        p->feed->removed = true;
        end_poll(p, 0);
        return;
    }
    if (write->status != KNS_OK) {
        /* The store says why; nothing was kept, so the same is asked again later. */
        snprintf(p->text, sizeof(p->text), "not stored: %.480s", write->err.message);
        end_poll(p, now_ms() + 60000 + (int64_t)(random_of(p->poller) * 30000));
        return;
    }
    count(p);
    log_poll(p);
    if (p->result.merged_into != 0)
        p->feed->removed = true;
    bool ended = p->record.state == KNS_FEED_GONE || p->stored->state == KNS_FEED_PAUSED;
    end_poll(p, ended ? 0
                      : p->record.schedule.next_poll_at.unix_s * 1000 +
                            (int64_t)(random_of(p->poller) * 1000));
}

/* ---- deciding ----------------------------------------------------------------------------------------------------- */

static void decide_next(struct poll *p, const struct kns_headers *headers,
                        const struct kns_verdict *verdict)
{
    const struct kns_config *config = p->poller->parts.config;
    struct kns_schedule *s = &p->record.schedule;
    const struct kns_document *d = p->document;
    bool failed = verdict->state != KNS_FEED_ACTIVE;
    struct kns_nextpoll next;

    s->consecutive_failures = failed ? p->stored->schedule.consecutive_failures + 1 : 0;
    s->entries_per_day =
        d == NULL ? p->stored->schedule.entries_per_day : kns_nextpoll_rhythm(d, p->started);
    const struct kns_nextpoll_input input = {
        .now = p->started,
        .interval_s = config->poll.interval_s,
        .min_interval_s = config->poll.min_interval_s,
        .max_interval_s = config->poll.max_interval_s,
        .every_s = p->stored->every_s,
        .outcome = verdict->outcome,
        .failures = s->consecutive_failures,
        .entries_per_day = s->entries_per_day,
        .fresh_s = kns_headers_freshness(headers, p->started),
        .retry_at = kns_headers_retry_at(headers, p->started),
        .ttl_s = d == NULL ? -1 : d->ttl_s,
        .update_interval_s = d == NULL ? -1 : d->update_interval_s,
        .skip_hours = d == NULL ? 0 : d->skip_hours,
        .skip_days = d == NULL ? 0 : d->skip_days,
        .random = random_of(p->poller),
    };
    kns_nextpoll_decide(&input, &next);
    s->next_poll_at = next.at;
    s->interval_s = next.interval_s;
    s->no_poll_before = next.not_before;
    s->next_poll_reason = kns_arena_strdup(p->arena, next.reason);
}

/* Validators vouch for the stored items: kept as the server gave them, as one set, only with a whole document. */
static void decide_validators(struct poll *p, const struct kns_headers *headers,
                              enum kns_outcome outcome, bool not_modified)
{
    const struct kns_schedule *old = &p->stored->schedule;
    struct kns_schedule *s = &p->record.schedule;
    bool fresh =
        (outcome == KNS_POLL_NEW_DOCUMENT || outcome == KNS_POLL_UNCHANGED) && !not_modified;

    if (fresh || (not_modified && (headers->etag != NULL || headers->last_modified != NULL))) {
        s->etag = kns_arena_strdup(p->arena, headers->etag);
        s->last_modified = kns_arena_strdup(p->arena, headers->last_modified);
        if (not_modified && s->etag == NULL)
            s->etag = old->etag;
        if (not_modified && s->last_modified == NULL)
            s->last_modified = old->last_modified;
    } else if (outcome != KNS_POLL_CUT) {
        s->etag = old->etag;
        s->last_modified = old->last_modified;
    }
    s->content_hash = fresh ? p->content_hash : outcome == KNS_POLL_CUT ? NULL : old->content_hash;
}

/* A permanent move of the whole chain: a new feed takes it at once, an old one when it has been seen for a while. */
static void decide_move(struct poll *p, const struct kns_fetch_result *result,
                        enum kns_outcome outcome)
{
    const struct kns_feed *stored = p->stored;
    bool good = outcome == KNS_POLL_NEW_DOCUMENT || outcome == KNS_POLL_UNCHANGED;

    if (result->moved_to == NULL || !good || strcmp(result->moved_to, stored->url) == 0)
        return;
    bool again = stored->move_to != NULL && strcmp(stored->move_to, result->moved_to) == 0;
    p->record.move_to = kns_arena_strdup(p->arena, result->moved_to);
    p->record.move_seen = again ? stored->move_seen + 1 : 1;
    p->record.move_first_seen = again ? stored->move_first_seen : p->started;
    bool settled = p->record.move_seen >= MOVE_POLLS &&
                   p->started.unix_s - p->record.move_first_seen.unix_s >= MOVE_AFTER_S;
    if (settled || !kns_time_given(stored->last_success_at)) {
        p->record.new_url = p->record.move_to;
        p->record.move_to = NULL;
        p->record.move_seen = 0;
    }
}

static void fill_record(struct poll *p, const struct kns_fetch_result *result)
{
    struct kns_answer answer = {
        .status = result->status,
        .error = result->stopped ? NULL : result->error,
        .refused = result->refused,
        .cut = result->cut,
        .headers = result->headers,
        .document = p->document,
        .parse_error = p->parse_error,
        .same_body = p->stored->schedule.content_hash != NULL &&
                     strcmp(p->stored->schedule.content_hash, p->content_hash) == 0,
    };
    struct kns_verdict verdict;

    kns_outcome_judge(&answer, &verdict);
    snprintf(p->text, sizeof(p->text), "%s", verdict.text);
    p->record = (struct kns_poll){
        .feed_id = p->feed->id,
        .started_at = p->started,
        .duration_ms = result->duration_ms,
        .outcome = verdict.outcome,
        .http_status = result->status,
        .bytes = result->bytes,
        .error = verdict.text[0] == '\0' || verdict.state == KNS_FEED_ACTIVE ? NULL : p->text,
        .state = verdict.state,
        .health = verdict.health,
        .document = verdict.outcome == KNS_POLL_UNCHANGED ? NULL : p->document,
    };
    decide_next(p, result->headers, &verdict);
    decide_validators(p, result->headers, verdict.outcome, result->status == 304);
    decide_move(p, result, verdict.outcome);
}

/* ---- fetching ----------------------------------------------------------------------------------------------------- */

static void on_begin(void *ctx, int status, const struct kns_headers *headers)
{
    struct poll *p = ctx;
    const struct kns_parse_options options = {
        .content_type = headers->content_type,
        .base_url = p->stored->url,
        .max_bytes = (size_t)p->poller->parts.config->poll.max_size_bytes,
    };

    if (status >= 200 && status < 300)
        p->parser = kns_parser_new(&options);
}

static bool on_body(void *ctx, const char *bytes, size_t size)
{
    struct poll *p = ctx;

    if (p->parser == NULL)
        return true; /* an error's page: nobody reads it */
    p->hash[0] = hash_text(p->hash[0], bytes, size);
    p->hash[1] =
        hash_text(p->hash[1], bytes, size); /* of the bytes alone, however the network cut them */
    return kns_parser_write(p->parser, bytes, size, &p->parse_error) == KNS_OK;
}

static void on_fetched(void *ctx, const struct kns_fetch_result *result)
{
    struct poll *p = ctx;

    if (p->poller->stopping) { /* whatever came is asked for again after the next start */
        p->skipped = true;
        snprintf(p->text, sizeof(p->text), "knsd is stopping");
        end_poll(p, 0);
        return;
    }
    snprintf(p->content_hash, sizeof(p->content_hash), "%016llx%016llx",
             (unsigned long long)p->hash[0], (unsigned long long)p->hash[1]);
    bool readable = p->parser != NULL &&
                    (p->parse_error.status == KNS_OK || p->parse_error.status == KNS_ENOTFEED);
    if (readable && (result->error == NULL || result->cut || result->stopped))
        kns_parser_finish(p->parser, result->cut, &p->document, &p->parse_error);
    kns_parser_free(p->parser);
    p->parser = NULL;
    fill_record(p, result);
    p->write.run = write_poll;
    p->write.done = poll_written;
    kns_writer_submit(p->poller->parts.writer, &p->write);
}

/* ---- loading ------------------------------------------------------------------------------------------------------ */

static enum kns_status load_feed(struct kns_read *read, struct kns_store *store,
                                 struct kns_error *err)
{
    struct poll *p = (struct poll *)((char *)read - offsetof(struct poll, read));

    return kns_store_get_feed(store, p->arena, p->feed->id, true, &p->stored, err);
}

static void skip_poll(struct poll *p, const char *text)
{
    p->skipped = true;
    snprintf(p->text, sizeof(p->text), "%s", text);
    end_poll(p, p->stored->state == KNS_FEED_PAUSED || p->stored->state == KNS_FEED_GONE
                    ? 0
                    : p->stored->schedule.next_poll_at.unix_s * 1000);
}

static void feed_loaded(struct kns_read *read)
{
    struct poll *p = (struct poll *)((char *)read - offsetof(struct poll, read));
    char text[200], time[KNS_TIME_TEXT];

    if (read->status == KNS_ENOTFOUND || p->feed->removed || p->poller->stopping) {
        p->skipped = true;
        p->feed->removed = read->status == KNS_ENOTFOUND || p->feed->removed;
        snprintf(p->text, sizeof(p->text), "%s",
                 p->poller->stopping ? "knsd is stopping" : "no such feed");
        end_poll(p, 0);
        return;
    }
    if (read->status != KNS_OK) {
        p->skipped = true;
        snprintf(p->text, sizeof(p->text), "%s", read->err.message);
        end_poll(p, now_ms() + 60000);
        return;
    }
    p->started = kns_time_now();
    const struct kns_time not_before = p->stored->schedule.no_poll_before;
    if (!p->force && not_before.unix_s > p->started.unix_s && p->manual) {
        snprintf(text, sizeof(text), "the server asked not to come before %s (--force overrides)",
                 kns_time_format(not_before, time));
        skip_poll(p, text);
        return;
    }
    if ((p->stored->state == KNS_FEED_PAUSED || p->stored->state == KNS_FEED_GONE) && !p->manual) {
        skip_poll(p, kns_feed_state_name(p->stored->state));
        return;
    }
    const struct kns_fetch_request request = {
        .url = p->stored->url,
        .etag = p->stored->schedule.etag,
        .last_modified = p->stored->schedule.last_modified,
        .access = &p->stored->access,
        .begin = on_begin,
        .body = on_body,
        .done = on_fetched,
        .ctx = p,
    };
    if (kns_fetcher_get(p->poller->parts.fetcher, &request) != KNS_OK) {
        snprintf(p->text, sizeof(p->text), "cannot be fetched: not a URL, or out of memory");
        p->skipped = true;
        end_poll(p, now_ms() + 3600 * 1000);
    }
}

static struct poll *start_poll(struct kns_poller *poller, struct feed *feed)
{
    struct poll *p = calloc(1, sizeof(*p));

    if (p == NULL || (p->arena = kns_arena_new(0)) == NULL) {
        free(p);
        return NULL;
    }
    kns_scheduler_remove(&poller->scheduler, &feed->due);
    p->poller = poller;
    p->feed = feed;
    p->manual = feed->manual;
    p->force = feed->force;
    p->waiters = feed->waiters;
    feed->waiters = NULL;
    feed->manual = feed->force = false;
    p->hash[0] = UINT64_C(0xcbf29ce484222325);
    p->hash[1] = UINT64_C(0x9ae16a3b2f90404f);
    p->has_place = take_place(poller, feed->site);
    feed->poll = p;
    poller->busy++;
    p->read.run = load_feed;
    p->read.done = feed_loaded;
    kns_readers_submit(poller->parts.readers, &p->read);
    return p;
}

/* ---- what is due -------------------------------------------------------------------------------------------------- */

static bool has_room(const struct kns_poller *poller)
{
    return !poller->stopping &&
           poller->in_flight < (size_t)poller->parts.config->poll.concurrency &&
           !kns_writer_is_behind(poller->parts.writer);
}

static void on_timer(uv_timer_t *timer)
{
    run_due(timer->data);
}

static void run_due(struct kns_poller *poller)
{
    if (poller->stopping)
        return;
    int64_t now = now_ms(), wait = 30000; /* a clock that jumps is noticed within this */
    struct kns_due *due;

    while (has_room(poller) && (due = kns_scheduler_first(&poller->scheduler)) != NULL &&
           due->at_ms <= now) {
        struct feed *feed = (struct feed *)due;
        struct site *site = find_site(poller, feed->site);
        bool busy = site != NULL && site->in_flight >= poller->parts.config->poll.per_host;
        if (busy || start_poll(poller, feed) == NULL)
            kns_scheduler_set(&poller->scheduler, due,
                              now + 1000 + (int64_t)(random_of(poller) * 1000));
    }
    due = kns_scheduler_first(&poller->scheduler);
    if (due != NULL && due->at_ms - now < wait)
        wait = due->at_ms - now;
    if (!poller->stopping)
        uv_timer_start(&poller->timer, on_timer, wait < 50 ? 50 : (uint64_t)wait, 0);
}

/* ---- the schedule from the store ---------------------------------------------------------------------------------- */

/* A reading of one feed's schedule (id set) or of all of them. */
struct loading {
    struct kns_poller *poller;
    struct kns_read read;
    int64_t id;
    struct loaded {
        int64_t id, next_poll_at_s;
        uint64_t site;
        bool polled;
    } * feeds;
    size_t count, cap;
};

static bool on_loaded_feed(void *ctx, const struct kns_feed *feed)
{
    struct loading *l = ctx;

    if (l->count == l->cap) {
        size_t cap = l->cap == 0 ? 64 : l->cap * 2;
        struct loaded *feeds = realloc(l->feeds, cap * sizeof(*feeds));
        if (feeds == NULL)
            return false;
        l->feeds = feeds;
        l->cap = cap;
    }
    l->feeds[l->count++] = (struct loaded){
        .id = feed->id,
        .next_poll_at_s = feed->schedule.next_poll_at.unix_s,
        .site = site_of(feed->url),
        .polled = feed->state == KNS_FEED_ACTIVE || feed->state == KNS_FEED_FAILING,
    };
    return true;
}

static enum kns_status load_schedule(struct kns_read *read, struct kns_store *store,
                                     struct kns_error *err)
{
    struct loading *l = (struct loading *)((char *)read - offsetof(struct loading, read));
    struct kns_feed *feed = NULL;

    if (l->id == 0)
        return kns_store_each_feed(store, NULL, on_loaded_feed, l, err);
    struct kns_arena *arena = kns_arena_new(0);
    enum kns_status status =
        arena == NULL ? KNS_ENOMEM : kns_store_get_feed(store, arena, l->id, false, &feed, err);
    if (status == KNS_OK)
        on_loaded_feed(l, feed);
    kns_arena_free(arena);
    return status;
}

/* Overdue feeds are spread, so that a start is no storm. */
static void schedule_loaded(struct kns_poller *poller, const struct loaded *loaded, size_t total)
{
    int64_t now = now_ms(), at = loaded->next_poll_at_s * 1000;
    int64_t spread = (int64_t)total * 5 < 60000 ? (int64_t)total * 5 : 60000;
    struct feed *feed = find_feed(poller, loaded->id);

    if (feed == NULL)
        feed = add_feed(poller, loaded->id);
    if (feed == NULL)
        return;
    feed->site = feed->poll == NULL ? loaded->site : feed->site;
    if (feed->poll != NULL)
        return;
    if (at < now)
        at = now + (int64_t)(random_of(poller) * (double)spread);
    if (loaded->polled)
        kns_scheduler_set(&poller->scheduler, &feed->due, at);
    else
        kns_scheduler_remove(&poller->scheduler, &feed->due);
}

static void schedule_read(struct kns_read *read)
{
    struct loading *l = (struct loading *)((char *)read - offsetof(struct loading, read));
    struct feed *feed = l->id == 0 ? NULL : find_feed(l->poller, l->id);

    if (read->status == KNS_ENOTFOUND && feed != NULL)
        forget_feed(l->poller, feed);
    else if (read->status != KNS_OK && read->status != KNS_ENOTFOUND)
        kns_log(KNS_LOG_ERROR, "cannot read the schedule: %s", read->err.message);
    for (size_t i = 0; i < l->count; i++)
        schedule_loaded(l->poller, &l->feeds[i], l->count);
    run_due(l->poller);
    free(l->feeds);
    free(l);
}

static void read_schedule(struct kns_poller *poller, int64_t id)
{
    struct loading *l = poller->stopping ? NULL : calloc(1, sizeof(*l));

    if (l == NULL)
        return;
    l->poller = poller;
    l->id = id;
    l->read.run = load_schedule;
    l->read.done = schedule_read;
    kns_readers_submit(poller->parts.readers, &l->read);
}

void kns_poller_feed_changed(struct kns_poller *poller, int64_t feed_id)
{
    read_schedule(poller, feed_id);
}

void kns_poller_feeds_changed(struct kns_poller *poller)
{
    read_schedule(poller, 0);
}

/* ---- refreshes by hand -------------------------------------------------------------------------------------------- */

/* An answer that needs no poll still comes later, never inside the call. */
struct answer_later {
    uv_timer_t timer;
    void (*done)(void *ctx, const struct kns_refresh_result *result);
    void *ctx;
    struct kns_refresh_result result;
    char text[200];
};

static void on_later_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_later(uv_timer_t *timer)
{
    struct answer_later *later = timer->data;

    later->result.text = later->text;
    later->done(later->ctx, &later->result);
    uv_close((uv_handle_t *)timer, on_later_closed);
}

static void answer_later(struct kns_poller *poller, int64_t feed_id, const char *text,
                         void (*done)(void *ctx, const struct kns_refresh_result *result),
                         void *ctx)
{
    struct answer_later *later = calloc(1, sizeof(*later));

    if (later == NULL) {
        struct kns_refresh_result result = {.feed_id = feed_id,
                                            .skipped = true,
                                            .outcome = KNS_POLL_ERROR,
                                            .text = "out of memory"};
        done(ctx, &result);
        return;
    }
    later->done = done;
    later->ctx = ctx;
    later->result = (struct kns_refresh_result){
        .feed_id = feed_id, .skipped = true, .outcome = KNS_POLL_UNCHANGED};
    snprintf(later->text, sizeof(later->text), "%s", text);
    uv_timer_init(poller->parts.loop, &later->timer);
    later->timer.data = later;
    uv_timer_start(&later->timer, on_later, 0, 0);
}

void kns_poller_refresh(struct kns_poller *poller, int64_t feed_id, bool force,
                        void (*done)(void *ctx, const struct kns_refresh_result *result), void *ctx)
{
    struct feed *feed = find_feed(poller, feed_id);
    int64_t now = kns_time_now().unix_s;

    if (feed == NULL || poller->stopping) {
        answer_later(poller, feed_id, feed == NULL ? "no such feed" : "knsd is stopping", done,
                     ctx);
        return;
    }
    if (feed->poll == NULL && feed->waiters == NULL && !force &&
        now - feed->last_manual_s < MANUAL_EVERY_S) {
        answer_later(poller, feed_id,
                     "asked for less than a minute ago: that answer stands (--force overrides)",
                     done, ctx);
        return;
    }
    struct waiter *waiter = calloc(1, sizeof(*waiter));
    if (waiter == NULL) {
        answer_later(poller, feed_id, "out of memory", done, ctx);
        return;
    }
    feed->last_manual_s = now;
    waiter->done = done;
    waiter->ctx = ctx;
    struct waiter **list = feed->poll != NULL ? &feed->poll->waiters : &feed->waiters;
    waiter->next = *list;
    *list = waiter;
    if (feed->poll != NULL)
        return;
    /* It waits for a place like every other. */
    feed->manual = true;
    feed->force = feed->force || force;
    kns_scheduler_set(&poller->scheduler, &feed->due, now_ms());
    uv_timer_start(&poller->timer, on_timer, 0, 0);
}

/* ---- the poller --------------------------------------------------------------------------------------------------- */

enum kns_status kns_poller_start(const struct kns_poller_parts *parts,
                                 struct kns_poller **ret_poller, struct kns_error *err)
{
    struct kns_poller *poller = calloc(1, sizeof(*poller));

    if (poller == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    poller->parts = *parts;
    poller->random = uv_hrtime() | 1;
    uv_timer_init(parts->loop, &poller->timer);
    poller->timer.data = poller;
    read_schedule(poller, 0);
    *ret_poller = poller;
    return KNS_OK;
}

void kns_poller_set_config(struct kns_poller *poller, const struct kns_config *config)
{
    poller->parts.config = config;
    run_due(poller);
}

const struct kns_poller_parts *kns_poller_parts(const struct kns_poller *poller)
{
    return &poller->parts;
}

bool kns_poller_is_stopping(const struct kns_poller *poller)
{
    return poller->stopping;
}

void kns_poller_stop(struct kns_poller *poller)
{
    if (poller->stopping)
        return;
    poller->stopping = true;
    for (size_t i = 0; i < poller->n_feeds; i++) {
        const struct kns_refresh_result result = {
            .feed_id = poller->feeds[i]->id, .skipped = true, .text = "knsd is stopping"};
        struct waiter *waiters = poller->feeds[i]->waiters;
        poller->feeds[i]->waiters = NULL;
        tell(waiters, &result);
    }
    uv_close((uv_handle_t *)&poller->timer, NULL);
}

static void drop_waiters(struct waiter *waiter)
{
    while (waiter != NULL) {
        struct waiter *next = waiter->next;
        free(waiter);
        waiter = next;
    }
}

void kns_poller_free(struct kns_poller *poller)
{
    if (poller == NULL)
        return;
    for (size_t i = 0; i < poller->n_feeds; i++) {
        struct poll *p = poller->feeds[i]->poll;
        drop_waiters(poller->feeds[i]->waiters);
        if (p != NULL) {
            drop_waiters(p->waiters);
            kns_parser_free(p->parser);
            kns_document_free(p->document);
            kns_arena_free(p->arena);
            free(p);
        }
        free(poller->feeds[i]);
    }
    kns_scheduler_fini(&poller->scheduler);
    free(poller->sites);
    free(poller->feeds);
    free(poller);
}

void kns_poller_get_figures(const struct kns_poller *poller, struct kns_poller_figures *ret)
{
    const struct kns_due *first = kns_scheduler_first(&poller->scheduler);
    int64_t now = now_ms();

    *ret = poller->figures;
    ret->feeds = (int64_t)poller->n_feeds;
    ret->in_flight = (int64_t)poller->in_flight;
    for (size_t i = 0; i < poller->scheduler.count; i++)
        ret->due += poller->scheduler.heap[i]->at_ms <= now;
    if (first != NULL)
        ret->next_poll_at.unix_s = first->at_ms / 1000;
}

size_t kns_poller_busy(const struct kns_poller *poller)
{
    return poller->busy;
}
