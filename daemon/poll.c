/* One poll, from its place to its end:
 *
 *   LOADING (reader) --> FETCHING (fetcher) --> WRITING (writer) --> over
 *
 * It ends in end_poll(), once, whatever happens. */
#include "daemon/poller_internal.h"

#include "daemon/bodyhash.h"
#include "daemon/config.h"
#include "daemon/fetcher.h"
#include "daemon/hub.h"
#include "daemon/log.h"
#include "daemon/nextpoll.h"
#include "daemon/outcome.h"
#include "daemon/readers.h"
#include "daemon/writer.h"
#include "lib/parse.h"
#include "lib/url.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A redirect that says "for ever" is believed after so many polls over so long. */
#define MOVE_POLLS 3
#define MOVE_AFTER_S 86400
/* So much of an answer that is no document is kept, to tell what it is. */
#define PAGE_MOST 8192

struct poll {
    struct kns_poller *poller;
    struct feed *feed;
    struct kns_site_limit *site, *address; /* where it holds a place; NULL: not known */
    bool manual, force;
    struct kns_arena *arena;
    struct kns_feed *stored;
    struct kns_parser *parser;
    struct kns_body_hash hash;
    struct kns_error parse_error;
    struct kns_time started;
    char page[PAGE_MOST];
    size_t page_len;
    struct kns_read read;
    struct kns_write write;
    struct kns_poll record;
    struct kns_poll_result result;
    struct kns_document *document;
    char content_hash[KNS_BODY_HASH_TEXT];
    char text[KNS_ERROR_MAX];
    bool skipped;
    struct waiter *waiters;
};

/* ---- the end ------------------------------------------------------------------------------------------------------ */

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
    kns_waiters_tell(waiters, &result);
}

void kns_poll_free(struct poll *p)
{
    kns_waiters_free(p->waiters);
    kns_parser_free(p->parser);
    kns_document_free(p->document);
    kns_arena_free(p->arena);
    free(p);
}

static void end_poll(struct poll *p, int64_t next_ms)
{
    struct kns_poller *poller = p->poller;
    struct feed *feed = p->feed;
    struct kns_site_limit *site = p->site, *address = p->address;

    feed->poll = NULL;
    tell_waiters(p);
    kns_poll_free(p);
    kns_poller_ended(poller, feed, site, address, next_ms);
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
    figures->seconds_by_outcome[p->record.outcome] += (double)p->record.duration_ms / 1000;
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

static bool differs(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

/* True when what the feed has with its hub must be looked at again. */
static bool hub_changed(const struct poll *p)
{
    bool says = p->record.document != NULL && p->record.outcome == KNS_POLL_NEW_DOCUMENT;

    return (p->record.state == KNS_FEED_GONE && p->stored->hub != NULL) ||
           (says &&
            (differs(p->record.hub, p->stored->hub) || differs(p->record.topic, p->stored->topic)));
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
        end_poll(p, kns_poller_now_ms() + 60000 + (int64_t)(kns_poller_random(p->poller) * 30000));
        return;
    }
    count(p);
    log_poll(p);
    if (p->result.merged_into != 0)
        p->feed->removed = true;
    else if (hub_changed(p))
        kns_poller_feed_changed(p->poller, p->stored->id);
    bool ended = p->record.state == KNS_FEED_GONE || p->stored->state == KNS_FEED_PAUSED;
    end_poll(p, ended ? 0
                      : p->record.schedule.next_poll_at.unix_s * 1000 +
                            (int64_t)(kns_poller_random(p->poller) * 1000));
}

/* ---- deciding ----------------------------------------------------------------------------------------------------- */

/* What the document asks for and how it publishes; without a new one, what the last one did. */
static void remember_document(struct kns_schedule *s, const struct kns_schedule *before,
                              const struct kns_document *d, struct kns_time now)
{
    bool read = d != NULL;

    s->ttl_s = read ? d->ttl_s : before->ttl_s;
    s->update_interval_s = read ? d->update_interval_s : before->update_interval_s;
    s->skip_hours = read ? d->skip_hours : before->skip_hours;
    s->skip_days = read ? d->skip_days : before->skip_days;
    s->entries_per_day = read ? kns_nextpoll_rhythm(d, now) : before->entries_per_day;
    s->newest_entry_at = read ? kns_nextpoll_newest(d, now) : before->newest_entry_at;
}

static void decide_next(struct poll *p, const struct kns_headers *headers,
                        const struct kns_verdict *verdict)
{
    const struct kns_config *config = p->poller->parts.config;
    struct kns_schedule *s = &p->record.schedule;
    const struct kns_document *d = p->document;
    bool failed = verdict->state != KNS_FEED_ACTIVE;
    struct kns_nextpoll next;

    s->consecutive_failures = failed ? p->stored->schedule.consecutive_failures + 1 : 0;
    remember_document(s, &p->stored->schedule, d, p->started);
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
        .ttl_s = s->ttl_s,
        .update_interval_s = s->update_interval_s,
        .skip_hours = s->skip_hours,
        .skip_days = s->skip_days,
        .pushed = p->stored->pushed_until.unix_s > p->started.unix_s,
        .random = kns_poller_random(p->poller),
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
    bool same = outcome == KNS_POLL_UNCHANGED && result->status == 200;

    if (result->moved_to == NULL || !good || strcmp(result->moved_to, stored->url) == 0)
        return;
    bool again = stored->move_to != NULL && strcmp(stored->move_to, result->moved_to) == 0;
    p->record.move_to = kns_arena_strdup(p->arena, result->moved_to);
    p->record.move_seen = again ? stored->move_seen + 1 : 1;
    p->record.move_first_seen = again ? stored->move_first_seen : p->started;
    bool settled = p->record.move_seen >= MOVE_POLLS &&
                   p->started.unix_s - p->record.move_first_seen.unix_s >= MOVE_AFTER_S;
    if (settled || (same && !again) || !kns_time_given(stored->last_success_at)) {
        p->record.new_url = p->record.move_to;
        p->record.move_to = NULL;
        p->record.move_seen = 0;
    } else {
        p->record.health = KNS_HEALTH_MOVED; /* unless the store finds there what it knows */
    }
}

static void fill_record(struct poll *p, const struct kns_fetch_result *result)
{
    struct kns_answer answer = {
        .status = result->status,
        .error = result->stopped ? NULL : result->error,
        .refused = result->refused,
        .cut = result->cut || result->status == 206, /* a part that was not asked for */
        .headers = result->headers,
        .document = p->document,
        .parse_error = p->parse_error,
        .conditional =
            p->stored->schedule.etag != NULL || p->stored->schedule.last_modified != NULL,
        .redirected = result->redirected,
        .page = p->page,
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
    if (verdict.health == KNS_HEALTH_OK &&
        kns_nextpoll_is_late(p->record.schedule.entries_per_day, p->record.schedule.newest_entry_at,
                             p->started))
        p->record.health = KNS_HEALTH_LATE;
    decide_validators(p, result->headers, verdict.outcome, result->status == 304);
    decide_move(p, result, verdict.outcome);
    if (p->document != NULL) {
        const struct kns_hub_names names = kns_hub_find(
            p->arena, result->headers->link, result->final_url, p->stored->url, p->document);
        p->record.hub = names.hub;
        p->record.topic = names.topic;
    }
}

/* ---- fetching ----------------------------------------------------------------------------------------------------- */

static void on_begin(void *ctx, int status, const struct kns_headers *headers, const char *url)
{
    struct poll *p = ctx;
    const struct kns_parse_options options = {
        .content_type = headers->content_type,
        .base_url = url,
        .max_bytes = (size_t)p->poller->parts.config->poll.max_size_bytes,
    };

    if (status >= 200 && status < 300)
        p->parser = kns_parser_new(&options);
}

/* The beginning of what came: tells a bot wall from other pages. */
static void keep_page(struct poll *p, const char *bytes, size_t size)
{
    size_t room = sizeof(p->page) - 1 - p->page_len;
    size_t take = size < room ? size : room;

    memcpy(p->page + p->page_len, bytes, take);
    p->page_len += take;
    p->page[p->page_len] = '\0';
}

static bool on_body(void *ctx, const char *bytes, size_t size)
{
    struct poll *p = ctx;

    keep_page(p, bytes, size);
    if (p->parser == NULL)
        return true;
    kns_body_hash_add(&p->hash, bytes, size);
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
    kns_body_hash_text(&p->hash, p->content_hash);
    bool readable = p->parser != NULL &&
                    (p->parse_error.status == KNS_OK || p->parse_error.status == KNS_ENOTFEED);
    if (readable && (result->error == NULL || result->cut || result->stopped))
        kns_parser_finish(p->parser, result->cut, &p->document, &p->parse_error);
    kns_parser_free(p->parser);
    p->parser = NULL;
    fill_record(p, result);
    kns_poller_learnt(p->poller, p->feed, result->final_url,
                      result->redirected ? NULL : result->address, p->record.outcome,
                      result->status,
                      kns_headers_retry_at(result->headers, p->started).unix_s * 1000);
    p->write.run = write_poll;
    p->write.done = poll_written;
    p->write.keep = true;
    p->write.bytes = p->document == NULL ? 0 : kns_arena_used(p->document->arena);
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
        end_poll(p, kns_poller_now_ms() + 60000);
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
        end_poll(p, kns_poller_now_ms() + 3600 * 1000);
    }
}

bool kns_poll_start(struct kns_poller *poller, struct feed *feed, struct kns_site_limit *site,
                    struct kns_site_limit *address)
{
    struct poll *p = calloc(1, sizeof(*p));

    if (p == NULL || (p->arena = kns_arena_new(0)) == NULL) {
        free(p);
        return false;
    }
    p->poller = poller;
    p->feed = feed;
    p->site = site;
    p->address = address;
    p->manual = feed->manual;
    p->force = feed->force;
    p->waiters = feed->waiters;
    feed->waiters = NULL;
    feed->manual = feed->force = false;
    kns_body_hash_begin(&p->hash);
    feed->poll = p;
    p->read.run = load_feed;
    p->read.done = feed_loaded;
    kns_readers_submit(poller->parts.readers, &p->read);
    return true;
}

void kns_poll_join(struct poll *p, struct waiter *waiter)
{
    waiter->next = p->waiters;
    p->waiters = waiter;
}
