/* Refreshes by hand: a request that somebody pays for and waits for. */
#include "daemon/poller_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* One a minute and feed. */
#define MANUAL_EVERY_S 60

/* ---- waiters -------------------------------------------------------------------------------------------------------- */

/* Everybody who waits is told once. */
void kns_waiters_tell(struct waiter *waiters, const struct kns_refresh_result *result)
{
    while (waiters != NULL) {
        struct waiter *waiter = waiters;
        waiters = waiter->next;
        waiter->done(waiter->ctx, result);
        free(waiter);
    }
}

void kns_waiters_free(struct waiter *waiter)
{
    while (waiter != NULL) {
        struct waiter *next = waiter->next;
        free(waiter);
        waiter = next;
    }
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
    struct feed *feed = kns_poller_find_feed(poller, feed_id);
    int64_t now = kns_poller_now_ms();

    if (poller->stopping) {
        answer_later(poller, feed_id, "knsd is stopping", done, ctx);
        return;
    }
    bool is_new = feed == NULL; /* just added, or removed: the store knows */
    if (is_new)
        feed = kns_poller_add_feed(poller, feed_id);
    struct waiter *waiter = feed == NULL ? NULL : calloc(1, sizeof(*waiter));
    if (waiter == NULL) {
        answer_later(poller, feed_id, "out of memory", done, ctx);
        return;
    }
    waiter->done = done;
    waiter->ctx = ctx;
    if (feed->poll != NULL) {
        kns_poll_join(feed->poll, waiter);
        return;
    }
    if (feed->waiters == NULL && !force && now / 1000 - feed->last_manual_s < MANUAL_EVERY_S) {
        free(waiter);
        answer_later(poller, feed_id,
                     "asked for less than a minute ago: that answer stands (--force overrides)",
                     done, ctx);
        return;
    }
    if (!feed->manual)
        feed->own_ms = feed->waiting ? now : feed->due.place > 0 ? feed->due.at_ms : 0;
    waiter->next = feed->waiters;
    feed->waiters = waiter;
    feed->last_manual_s = now / 1000;
    feed->manual = true;
    feed->force = feed->force || force;
    if (is_new) {
        kns_poller_feed_changed(poller, feed_id);
        return;
    }
    kns_poller_dequeue(poller, feed);
    kns_scheduler_set(&poller->scheduler, &feed->due, now);
    kns_poller_wake(poller);
}
