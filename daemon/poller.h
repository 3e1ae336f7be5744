/* poller.h - when which feed is polled: the schedule in memory, the transfers, the way into the writer.
 *
 * All functions on the loop thread; all callbacks on the loop thread, never inside the call.
 */
#ifndef KNSD_POLLER_H
#define KNSD_POLLER_H

#include "lib/error.h"
#include "lib/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct kns_poller;

struct kns_fetcher;
struct kns_readers;
struct kns_websub;
struct kns_writer;
struct kns_config;

/* What the poller works with; all outlive it. */
struct kns_poller_parts {
    uv_loop_t *loop;
    const struct kns_config *config;
    struct kns_fetcher *fetcher;
    struct kns_readers *readers;
    struct kns_writer *writer;
    struct kns_websub *websub; /* is told which hub each feed that is polled names */
};

/* Reads the schedule (off the loop) and begins to poll. */
enum kns_status kns_poller_start(const struct kns_poller_parts *parts,
                                 struct kns_poller **ret_poller, struct kns_error *err);

/* The parts it was started with. */
const struct kns_poller_parts *kns_poller_parts(const struct kns_poller *poller);

void kns_poller_set_config(struct kns_poller *poller, const struct kns_config *config);

/* Starts no poll any more and tells those who wait for one. Polls under way end when the fetcher is freed; those being
 * written finish. */
void kns_poller_stop(struct kns_poller *poller);
bool kns_poller_is_stopping(const struct kns_poller *poller);

/* After the writer and the readers have stopped. */
void kns_poller_free(struct kns_poller *poller);

/* How a refresh of one feed ended; text is a sentence for people, valid during the callback. */
struct kns_refresh_result {
    int64_t feed_id;
    enum kns_outcome outcome;
    bool
        skipped; /* not polled: the server's word or the limit of manual refreshes; text says until when */
    int http_status;
    int64_t new_items, updated_items;
    const char *text;
};

/* Polls a feed now. force overrides the server's word (Retry-After, max-age) and back-off. done is called
 * once; a poll already under way is joined. KNS_ENOTFOUND, KNS_EREFUSED arrive as skipped results. */
void kns_poller_refresh(struct kns_poller *poller, int64_t feed_id, bool force,
                        void (*done)(void *ctx, const struct kns_refresh_result *result),
                        void *ctx);

/* Feeds were added, edited, or removed in the store (by a write of somebody else that is durable): takes
 * over what is stored of it now. */
void kns_poller_feed_changed(struct kns_poller *poller, int64_t feed_id);
void kns_poller_feeds_changed(struct kns_poller *poller); /* many: an import */

/* Subscribing: fetches edit->url once; a feed is stored together with its items from that answer; an HTML page is
 * searched for feeds: one is followed (one request more), several are listed and none taken. */
struct kns_add_candidate {
    const char *url, *title, *type;
};
struct kns_add_result {
    enum kns_status status; /* KNS_OK: added (or there already: existed) */
    int64_t feed_id;
    bool existed;
    const char *error; /* a sentence; NULL when added */
    const struct kns_add_candidate *candidates;
    size_t n_candidates;
    int64_t new_items;
};
/* discover: HTML pages are searched. force: what fails or is no feed is added all the same. edit is copied. */
void kns_poller_add(struct kns_poller *poller, const struct kns_feed_edit *edit, bool discover,
                    bool force, void (*done)(void *ctx, const struct kns_add_result *result),
                    void *ctx);

/* For status and metrics. */
struct kns_poller_figures {
    int64_t feeds, due, in_flight, polls, polls_failed, items_new;
    int64_t polls_by_outcome[KNS_POLL_ERROR + 1];
    int64_t bytes;
    double seconds_by_outcome[KNS_POLL_ERROR + 1]; /* that those polls took */
    struct kns_time next_poll_at;
};
void kns_poller_get_figures(const struct kns_poller *poller, struct kns_poller_figures *ret);

/* How many feeds are being polled, or waiting for a place: for progress. */
size_t kns_poller_busy(const struct kns_poller *poller);

#endif
