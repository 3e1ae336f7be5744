/* Subscribing: the URL is fetched once, and what it answers decides. A feed is stored together with its items; a page is searched for feeds:
 * one is fetched in its place (one request more), several are listed and none is taken; all else is said and not stored, unless forced.
 *
 *   start --> FETCHING --feed--> WRITING --> done
 *                 \--page with one feed--> FETCHING (the feed) */
#include "daemon/poller_internal.h"

#include "daemon/bodyhash.h"
#include "daemon/config.h"
#include "daemon/fetcher.h"
#include "daemon/hub.h"
#include "daemon/local.h"
#include "daemon/nextpoll.h"
#include "daemon/outcome.h"
#include "daemon/writer.h"
#include "lib/buf.h"
#include "lib/html.h"
#include "lib/parse.h"
#include "lib/url.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So much of a page is searched for feeds: link elements stand in its head. */
#define PAGE_MOST ((size_t)1 << 20)
#define MAX_CANDIDATES 50

struct subscription {
    struct kns_poller *poller;
    struct kns_arena *arena;
    struct kns_feed_edit edit;
    const char *url; /* being fetched */
    bool discover, force, followed;
    struct kns_parser *parser;
    struct kns_buf page;
    struct kns_body_hash hash;
    char content_hash[KNS_BODY_HASH_TEXT];
    struct kns_error parse_error;
    struct kns_document *document;
    struct kns_time started;
    struct kns_write write;
    struct kns_poll record;
    struct kns_poll_result stored;
    int64_t feed_id;
    bool existed;
    enum kns_status refusal; /* before anything was asked */
    char text[KNS_ERROR_MAX];
    struct kns_add_candidate candidates[MAX_CANDIDATES];
    size_t n_candidates;
    void (*done)(void *ctx, const struct kns_add_result *result);
    void *ctx;
};

static bool fetch(struct subscription *s);

static void finish(struct subscription *s, enum kns_status status)
{
    struct kns_add_result result = {
        .status = status,
        .feed_id = s->feed_id,
        .existed = s->existed,
        .error = status == KNS_OK ? NULL : s->text,
        .candidates = s->candidates,
        .n_candidates = s->n_candidates,
        .new_items = s->stored.new_items,
    };

    s->done(s->ctx, &result);
    kns_parser_free(s->parser);
    kns_document_free(s->document);
    kns_buf_fini(&s->page);
    kns_arena_free(s->arena);
    free(s);
}

/* ---- storing ------------------------------------------------------------------------------------------------------ */

static enum kns_status write_subscription(struct kns_write *write, struct kns_store *store,
                                          struct kns_error *err)
{
    struct subscription *s =
        (struct subscription *)((char *)write - offsetof(struct subscription, write));
    enum kns_status status = kns_store_add_feed(store, &s->edit, s->started,
                                                s->record.schedule.next_poll_at, &s->feed_id, err);

    s->existed = status == KNS_EEXIST;
    if (status != KNS_OK)
        return s->existed ? KNS_OK : status;
    s->record.feed_id = s->feed_id;
    return s->document == NULL ? KNS_OK : kns_store_record_poll(store, &s->record, &s->stored, err);
}

static void subscription_written(struct kns_write *write)
{
    struct subscription *s =
        (struct subscription *)((char *)write - offsetof(struct subscription, write));

    snprintf(s->text, sizeof(s->text), "%s", write->err.message);
    if (write->status == KNS_OK)
        kns_poller_feed_changed(s->poller, s->feed_id);
    finish(s, write->status);
}

static void submit(struct subscription *s)
{
    s->edit.url = s->url;
    s->write.run = write_subscription;
    s->write.done = subscription_written;
    kns_writer_submit(kns_poller_parts(s->poller)->writer, &s->write);
}

static void store_feed(struct subscription *s, const struct kns_fetch_result *result)
{
    const struct kns_config *config = kns_poller_parts(s->poller)->config;
    bool whole = !result->cut && !s->document->cut;
    struct kns_nextpoll next;
    const struct kns_nextpoll_input input = {
        .now = s->started,
        .interval_s = config->poll.interval_s,
        .min_interval_s = config->poll.min_interval_s,
        .max_interval_s = config->poll.max_interval_s,
        .every_s = s->edit.every_s,
        .outcome = KNS_POLL_NEW_DOCUMENT,
        .entries_per_day = kns_nextpoll_rhythm(s->document, s->started),
        .fresh_s = kns_headers_freshness(result->headers, s->started),
        .ttl_s = s->document->ttl_s,
        .update_interval_s = s->document->update_interval_s,
        .skip_hours = s->document->skip_hours,
        .skip_days = s->document->skip_days,
        .random = kns_poller_random(s->poller),
    };

    kns_nextpoll_decide(&input, &next);
    if (result->moved_to != NULL) /* moved for ever: the new address is the one to keep */
        s->url = kns_arena_strdup(s->arena, result->moved_to);
    s->record = (struct kns_poll){
        .started_at = s->started,
        .duration_ms = result->duration_ms,
        .outcome = whole ? KNS_POLL_NEW_DOCUMENT : KNS_POLL_CUT,
        .http_status = result->status,
        .bytes = result->bytes,
        .state = KNS_FEED_ACTIVE,
        .health = KNS_HEALTH_OK,
        .schedule = {.next_poll_at = next.at,
                     .next_poll_reason = kns_arena_strdup(s->arena, next.reason),
                     .interval_s = next.interval_s,
                     .no_poll_before = next.not_before,
                     .entries_per_day = input.entries_per_day,
                     .newest_entry_at = kns_nextpoll_newest(s->document, s->started),
                     .ttl_s = input.ttl_s,
                     .update_interval_s = input.update_interval_s,
                     .skip_hours = input.skip_hours,
                     .skip_days = input.skip_days,
                     .etag = whole ? kns_arena_strdup(s->arena, result->headers->etag) : NULL,
                     .content_hash = whole ? kns_body_hash_text(&s->hash, s->content_hash) : NULL,
                     .last_modified =
                         whole ? kns_arena_strdup(s->arena, result->headers->last_modified) : NULL},
        .document = s->document,
    };
    const struct kns_hub_names names =
        kns_hub_find(s->arena, result->headers->link, result->final_url, s->url, s->document);
    s->record.hub = names.hub;
    s->record.topic = names.topic;
    submit(s);
}

/* Added although it failed: polled as any other, and soon. */
static void store_forced(struct subscription *s)
{
    s->record.schedule.next_poll_at = s->started;
    submit(s);
}

static void refuse(struct subscription *s, enum kns_status status)
{
    if (s->force && s->n_candidates == 0)
        store_forced(s);
    else
        finish(s, status);
}

/* ---- discovery ---------------------------------------------------------------------------------------------------- */

static void collect_candidates(struct subscription *s, const char *page_url)
{
    struct kns_html_feeds feeds = {0};
    const struct kns_html_feed *feed;

    if (!kns_html_find_feeds(s->arena, kns_buf_str(&s->page), page_url, &feeds))
        return;
    KNS_LIST_EACH(feed, &feeds.list)
    if (s->n_candidates < MAX_CANDIDATES && kns_url_is_web(feed->url))
        s->candidates[s->n_candidates++] =
            (struct kns_add_candidate){feed->url, feed->title, feed->type};
}

static void look_for_feeds(struct subscription *s, const struct kns_fetch_result *result)
{
    if (s->discover && !s->followed)
        collect_candidates(s, kns_arena_strdup(s->arena, result->final_url));
    if (s->n_candidates == 1) {
        s->url = s->candidates[0].url;
        s->n_candidates = 0;
        s->followed = true;
        if (fetch(s))
            return;
        snprintf(s->text, sizeof(s->text), "out of memory");
    } else if (s->n_candidates > 1) {
        snprintf(s->text, sizeof(s->text),
                 "not a feed, but a page that names %zu feeds: add one of them", s->n_candidates);
    } else {
        snprintf(s->text, sizeof(s->text), "%.400s%s", s->parse_error.message,
                 s->discover && !s->followed
                     ? ", and it names no feed (no <link rel=\"alternate\">)"
                     : "");
    }
    refuse(s, KNS_ENOTFEED);
}

/* ---- fetching ----------------------------------------------------------------------------------------------------- */

static void on_begin(void *ctx, int status, const struct kns_headers *headers, const char *url)
{
    struct subscription *s = ctx;
    const struct kns_parse_options options = {
        .content_type = headers->content_type,
        .base_url = url,
        .max_bytes = (size_t)kns_poller_parts(s->poller)->config->poll.max_size_bytes,
    };

    kns_buf_reset(&s->page);
    kns_body_hash_begin(&s->hash);
    if (status >= 200 && status < 300)
        s->parser = kns_parser_new(&options);
}

static bool on_body(void *ctx, const char *bytes, size_t size)
{
    struct subscription *s = ctx;
    size_t room = PAGE_MOST - s->page.len;

    kns_buf_add(&s->page, bytes, size < room ? size : room);
    if (s->parser == NULL)
        return true;
    kns_body_hash_add(&s->hash, bytes, size);
    if (s->parse_error.status == KNS_OK)
        kns_parser_write(s->parser, bytes, size, &s->parse_error);
    /* A page is read on, for the feeds that it may name. */
    return s->parse_error.status == KNS_OK ||
           (s->parse_error.status == KNS_ENOTFEED && s->page.len < PAGE_MOST);
}

static void on_fetched(void *ctx, const struct kns_fetch_result *result)
{
    struct subscription *s = ctx;

    if (kns_poller_is_stopping(s->poller)) {
        snprintf(s->text, sizeof(s->text), "knsd is stopping");
        finish(s, KNS_EBUSY);
        return;
    }
    bool readable = s->parser != NULL &&
                    (s->parse_error.status == KNS_OK || s->parse_error.status == KNS_ENOTFEED);

    if (readable && (result->error == NULL || result->cut || result->stopped))
        kns_parser_finish(s->parser, result->cut, &s->document, &s->parse_error);
    if (s->document != NULL) {
        store_feed(s, result);
        return;
    }
    if (readable && s->parse_error.status == KNS_ENOTFEED) {
        kns_parser_free(s->parser);
        s->parser = NULL;
        look_for_feeds(s, result);
        return;
    }
    struct kns_verdict verdict;
    struct kns_answer answer = {
        .status = result->status,
        .error = result->stopped ? NULL : result->error,
        .refused = result->refused,
        .cut = result->cut,
        .headers = result->headers,
        .parse_error = s->parse_error,
        .page = kns_buf_str(&s->page),
    };
    kns_outcome_judge(&answer, &verdict);
    kns_poller_learnt(s->poller, NULL, result->final_url, NULL, verdict.outcome, result->status,
                      kns_headers_retry_at(result->headers, s->started).unix_s * 1000);
    snprintf(s->text, sizeof(s->text), "%s", verdict.text);
    refuse(s, result->refused ? KNS_EREFUSED : KNS_EIO);
}

static bool fetch(struct subscription *s)
{
    const struct kns_fetch_request request = {
        .url = s->url,
        .access = s->edit.access,
        .begin = on_begin,
        .body = on_body,
        .done = on_fetched,
        .ctx = s,
    };

    s->parse_error = (struct kns_error){0};
    return kns_fetcher_get(kns_poller_parts(s->poller)->fetcher, &request) == KNS_OK;
}

/* ---- the door ----------------------------------------------------------------------------------------------------- */

static const struct kns_strings *copy_strings(struct kns_arena *arena,
                                              const struct kns_strings *strings)
{
    struct kns_strings *copy = strings == NULL ? NULL : KNS_NEW(arena, struct kns_strings);
    const struct kns_string *from;

    if (copy == NULL)
        return NULL;
    KNS_LIST_EACH(from, &strings->list)
    {
        struct kns_string *node = KNS_NEW(arena, struct kns_string);
        if (node == NULL)
            return NULL;
        node->value = kns_arena_strdup(arena, from->value);
        KNS_LIST_APPEND(&copy->list, node);
    }
    return copy;
}

static const struct kns_feed_access *copy_access(struct kns_arena *arena,
                                                 const struct kns_feed_access *access)
{
    struct kns_feed_access *copy = access == NULL ? NULL : KNS_NEW(arena, struct kns_feed_access);

    if (copy == NULL)
        return NULL;
    *copy = (struct kns_feed_access){
        .user = kns_arena_strdup(arena, access->user),
        .password = kns_arena_strdup(arena, access->password),
        .bearer_token = kns_arena_strdup(arena, access->bearer_token),
        .headers = kns_arena_strdup(arena, access->headers),
        .user_agent = kns_arena_strdup(arena, access->user_agent),
        .proxy = kns_arena_strdup(arena, access->proxy),
        .ca_file = kns_arena_strdup(arena, access->ca_file),
        .http_version = kns_arena_strdup(arena, access->http_version),
    };
    return copy;
}

/* A failure found before anything was asked is told later, never inside the call: through the writer, whose write does nothing. */
static enum kns_status write_nothing(struct kns_write *write, struct kns_store *store,
                                     struct kns_error *err)
{
    (void)write;
    (void)store;
    (void)err;
    return KNS_OK;
}

static void nothing_written(struct kns_write *write)
{
    struct subscription *s =
        (struct subscription *)((char *)write - offsetof(struct subscription, write));

    finish(s, s->refusal);
}

void kns_poller_add(struct kns_poller *poller, const struct kns_feed_edit *edit, bool discover,
                    bool force, void (*done)(void *ctx, const struct kns_add_result *result),
                    void *ctx)
{
    struct subscription *s = calloc(1, sizeof(*s));

    if (s == NULL || (s->arena = kns_arena_new(0)) == NULL) {
        const struct kns_add_result result = {.status = KNS_ENOMEM, .error = "out of memory"};
        free(s);
        done(ctx, &result);
        return;
    }
    s->poller = poller;
    s->discover = discover;
    s->force = force;
    s->done = done;
    s->ctx = ctx;
    s->started = kns_time_now();
    s->url = kns_arena_strdup(s->arena, edit->url);
    s->edit = *edit;
    s->edit.user_title = kns_arena_strdup(s->arena, edit->user_title);
    s->edit.tags = copy_strings(s->arena, edit->tags);
    s->edit.access = copy_access(s->arena, edit->access);
    bool stopping = kns_poller_is_stopping(poller);
    s->refusal = stopping ? KNS_EBUSY : KNS_EINVAL;
    bool web = s->url != NULL && (kns_url_is_web(s->url) || kns_local_is_good(s->url));
    if (stopping)
        snprintf(s->text, sizeof(s->text), "knsd is stopping");
    else if (!web)
        snprintf(
            s->text, sizeof(s->text),
            "not a URL that can be subscribed to: expected http:// or https:// (or an absolute "
            "path behind file: or exec:)");
    else if (force || !kns_poller_is_closed(poller, s->url, s->text, sizeof(s->text))) {
        if (fetch(s))
            return;
        s->refusal = KNS_ENOMEM;
        snprintf(s->text, sizeof(s->text), "out of memory");
    } else {
        s->refusal = KNS_EBUSY;
    }
    s->write.run = write_nothing;
    s->write.done = nothing_written;
    kns_writer_submit(kns_poller_parts(poller)->writer, &s->write);
}
