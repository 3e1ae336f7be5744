/* Which feed is due, and which of those may begin.
 *
 *   heap of feeds --due--> its site has a place and a token? --yes--> poll (poll.c) --> heap
 *                              \--no--> the site's queue --its turn--> poll
 *
 * The queues and their turns are in poller_feeds.c. */
#include "daemon/poller_internal.h"

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/writer.h"

#include <stdio.h>
#include <stdlib.h>

/* Buckets change with every request: they are stored this often, and at the end; what a refusal taught is stored at once. */
#define SAVE_EVERY_MS (60 * 1000)
/* A clock that was set is noticed within this. */
#define WAKE_MOST_MS 30000
/* Overdue feeds are spread: few over five milliseconds each, many over a second and half a millisecond each. */
#define SPREAD_FEW_MS 5
#define SPREAD_MANY_MS 1000
#define SPREAD_MOST_MS ((size_t)60 * 1000)

int64_t kns_poller_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* xorshift: jitter needs no more. */
double kns_poller_random(struct kns_poller *poller)
{
    poller->random ^= poller->random << 13;
    poller->random ^= poller->random >> 7;
    poller->random ^= poller->random << 17;
    return (double)(poller->random >> 11) / (double)(UINT64_C(1) << 53);
}

/* ---- beginning ------------------------------------------------------------------------------------------------------ */

static bool has_room(const struct kns_poller *poller)
{
    /* What sites asked for must be known before one of them is asked. */
    return !poller->stopping && poller->knows_sites &&
           poller->in_flight < (size_t)poller->parts.config->poll.concurrency &&
           !kns_writer_is_behind(poller->parts.writer);
}

static void begin(struct kns_poller *poller, struct feed *feed, int64_t now)
{
    struct kns_site_limit *site = feed->queue == NULL ? NULL : feed->queue->site;
    struct kns_site_limit *address = feed->queue == NULL ? NULL : feed->queue->address;

    if (!kns_poll_start(poller, feed, site, address)) {
        kns_scheduler_set(&poller->scheduler, &feed->due, now + 1000);
        return;
    }
    poller->in_flight++;
    poller->busy++;
    if (site != NULL)
        kns_site_take(site, now);
    if (address != NULL)
        kns_site_take(address, now);
}

static bool is_closed(const struct kns_site_limit *site, int64_t now, char *text, size_t size)
{
    char time[KNS_TIME_TEXT];

    if (site->closed_until_ms <= now)
        return false;
    snprintf(text, size, "%s: nothing of it is asked for before %s (--force overrides)",
             site->reason,
             kns_time_format((struct kns_time){(site->closed_until_ms + 999) / 1000}, time));
    return true;
}

bool kns_poller_is_closed(struct kns_poller *poller, const char *url, char *text, size_t size)
{
    const struct queue *queue = kns_poller_queue_of(poller, url);

    return queue != NULL && is_closed(queue->site, kns_poller_now_ms(), text, size);
}

/* A refresh by hand does not wait for a site that asked for silence: it is told so. */
static bool refuse_manual(struct kns_poller *poller, struct feed *feed, int64_t now)
{
    const struct kns_site_limit *site = feed->queue == NULL ? NULL : feed->queue->site;
    char text[240];

    if (!feed->manual || feed->force || site == NULL || !is_closed(site, now, text, sizeof(text)))
        return false;
    const struct kns_refresh_result result = {
        .feed_id = feed->id, .outcome = KNS_POLL_THROTTLED, .skipped = true, .text = text};
    struct waiter *waiters = feed->waiters;
    feed->waiters = NULL;
    feed->manual = false;
    if (feed->own_ms > 0)
        kns_scheduler_set(&poller->scheduler, &feed->due, feed->own_ms);
    kns_waiters_tell(waiters, &result);
    return true;
}

static void begin_or_wait(struct kns_poller *poller, struct feed *feed, int64_t now)
{
    if (refuse_manual(poller, feed, now))
        return;
    if (feed->queue == NULL || (feed->queue->first == NULL &&
                                kns_poller_turn_at(poller, feed->queue, feed->force, now) == now))
        begin(poller, feed, now);
    else
        kns_poller_enqueue(poller, feed, now);
}

/* The first waiting feed of a site whose turn has come. */
static void take_turn(struct kns_poller *poller, struct queue *queue, int64_t now)
{
    struct feed *feed = queue->first;

    if (kns_poller_turn_at(poller, queue, feed->force, now) != now) {
        kns_poller_schedule_turn(poller, queue, now);
        return;
    }
    queue->first = feed->next_waiting;
    if (queue->first == NULL)
        queue->last = NULL;
    feed->waiting = false;
    feed->next_waiting = NULL;
    begin(poller, feed, now);
    kns_poller_schedule_turn(poller, queue, now);
}

static void on_timer(uv_timer_t *timer)
{
    kns_poller_run_due(timer->data);
}

void kns_poller_wake(struct kns_poller *poller)
{
    uv_timer_start(&poller->timer, on_timer, 0, 0);
}

/* A moment within the time over which so many feeds that are overdue are spread: no storm. */
int64_t kns_poller_spread_ms(struct kns_poller *poller, size_t feeds)
{
    size_t few = feeds * SPREAD_FEW_MS, many = SPREAD_MANY_MS + feeds / 2;
    size_t over = few < many ? few : many < SPREAD_MOST_MS ? many : SPREAD_MOST_MS;

    return (int64_t)(kns_poller_random(poller) * (double)over);
}

/* ---- a clock that is set -------------------------------------------------------------------------------------------- */

/* Feeds that are overdue, spread as at a start: no storm. */
static void spread_overdue(struct kns_poller *poller, int64_t now)
{
    for (size_t i = 0; i < poller->n_feeds; i++) {
        struct feed *feed = poller->feeds[i];
        if (feed->due.place > 0 && feed->due.at_ms < now && !feed->manual)
            kns_scheduler_set(&poller->scheduler, &feed->due,
                              now + kns_poller_spread_ms(poller, poller->n_feeds));
    }
}

/* Waits go on as they were agreed, whatever the calendar says now: set back, all times in memory go back with it; set forward (or woken
 * from sleep), what is overdue comes spread. */
static void mind_the_clock(struct kns_poller *poller, int64_t now)
{
    int64_t offset = now - (int64_t)(uv_hrtime() / 1000000),
            step = offset - poller->clock_offset_ms;

    if (poller->clock_offset_ms == 0 || (step > -CLOCK_STEP_MS && step < CLOCK_STEP_MS)) {
        poller->clock_offset_ms = offset;
        return;
    }
    poller->clock_offset_ms = offset;
    kns_log(KNS_LOG_NOTICE, "the clock was set %s by %lld s", step < 0 ? "back" : "forward",
            (long long)(step < 0 ? -step : step) / 1000);
    if (step > 0) {
        spread_overdue(poller, now);
        return;
    }
    kns_scheduler_shift(&poller->scheduler, step);
    kns_scheduler_shift(&poller->turns, step);
    kns_sites_shift(poller->sites, step);
}

/* ---- what is due ---------------------------------------------------------------------------------------------------- */

void kns_poller_run_due(struct kns_poller *poller)
{
    /* Whoever asks for a refresh in the first moment waits until it is known what sites have asked for. */
    if (poller->stopping || !poller->began)
        return;
    int64_t now = kns_poller_now_ms(), wait = WAKE_MOST_MS;
    struct kns_due *due;

    mind_the_clock(poller, now);
    while (has_room(poller)) {
        if ((due = kns_scheduler_first(&poller->turns)) != NULL && due->at_ms <= now) {
            take_turn(poller, (struct queue *)due, now);
        } else if ((due = kns_scheduler_first(&poller->scheduler)) != NULL && due->at_ms <= now) {
            kns_scheduler_remove(&poller->scheduler, due);
            begin_or_wait(poller, (struct feed *)due, now);
        } else {
            break;
        }
    }
    const struct kns_due *firsts[] = {kns_scheduler_first(&poller->turns),
                                      kns_scheduler_first(&poller->scheduler)};
    for (size_t i = 0; i < 2; i++)
        if (firsts[i] != NULL && firsts[i]->at_ms - now < wait)
            wait = firsts[i]->at_ms - now;
    /* Without room the end of a poll comes back here. */
    if (wait < 50 || !has_room(poller))
        wait = has_room(poller) ? 50 : 1000;
    uv_timer_start(&poller->timer, on_timer, (uint64_t)wait, 0);
}

/* A place was left at an address: whoever was refused there last comes next. */
static void offer_place(struct kns_poller *poller, struct kns_site_limit *address, int64_t now)
{
    struct queue *queue = address->next_here;

    address->next_here = NULL;
    if (queue != NULL)
        kns_poller_schedule_turn(poller, queue, now);
}

void kns_poller_ended(struct kns_poller *poller, struct feed *feed, struct kns_site_limit *site,
                      struct kns_site_limit *address, int64_t next_ms)
{
    int64_t now = kns_poller_now_ms();

    poller->in_flight--;
    poller->busy--;
    if (site != NULL) {
        kns_site_leave(site);
        if (site->queue != NULL)
            kns_poller_schedule_turn(poller, site->queue, now);
    }
    if (address != NULL) {
        kns_site_leave(address);
        offer_place(poller, address, now);
    }
    if (feed->removed)
        kns_poller_forget_feed(poller, feed);
    else if (next_ms > 0 || feed->manual)
        kns_scheduler_set(&poller->scheduler, &feed->due, feed->manual ? now : next_ms);
    kns_poller_run_due(poller);
}

/* ---- the poller --------------------------------------------------------------------------------------------------- */

static void on_saving(uv_timer_t *timer)
{
    struct kns_poller *poller = timer->data;

    kns_poller_save_sites(poller);
    if (!poller->knows_sites) /* the database could not be read when we started */
        kns_poller_feeds_changed(poller);
}

enum kns_status kns_poller_start(const struct kns_poller_parts *parts,
                                 struct kns_poller **ret_poller, struct kns_error *err)
{
    struct kns_poller *poller = calloc(1, sizeof(*poller));

    if (poller == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    poller->sites = kns_sites_new();
    if (poller->sites == NULL) {
        free(poller);
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    }
    poller->parts = *parts;
    poller->random = uv_hrtime() | 1;
    uv_timer_init(parts->loop, &poller->timer);
    poller->timer.data = poller;
    uv_timer_init(parts->loop, &poller->saving);
    poller->saving.data = poller;
    uv_timer_start(&poller->saving, on_saving, SAVE_EVERY_MS, SAVE_EVERY_MS);
    kns_poller_read_schedule(poller, 0);
    *ret_poller = poller;
    return KNS_OK;
}

void kns_poller_set_config(struct kns_poller *poller, const struct kns_config *config)
{
    poller->parts.config = config;
    kns_poller_run_due(poller);
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
    atomic_store(&poller->given_up, true);
    for (size_t i = 0; i < poller->n_feeds; i++) {
        const struct kns_refresh_result result = {
            .feed_id = poller->feeds[i]->id, .skipped = true, .text = "knsd is stopping"};
        struct waiter *waiters = poller->feeds[i]->waiters;
        poller->feeds[i]->waiters = NULL;
        kns_waiters_tell(waiters, &result);
    }
    kns_poller_save_sites(poller);
    uv_close((uv_handle_t *)&poller->timer, NULL);
    uv_close((uv_handle_t *)&poller->saving, NULL);
}

void kns_poller_free(struct kns_poller *poller)
{
    if (poller == NULL)
        return;
    for (size_t i = 0; i < poller->n_feeds; i++) {
        kns_waiters_free(poller->feeds[i]->waiters);
        if (poller->feeds[i]->poll != NULL)
            kns_poll_free(poller->feeds[i]->poll);
        free(poller->feeds[i]);
    }
    while (poller->queues != NULL) {
        struct queue *queue = poller->queues;
        poller->queues = queue->next;
        free(queue);
    }
    kns_scheduler_fini(&poller->scheduler);
    kns_scheduler_fini(&poller->turns);
    kns_sites_free(poller->sites);
    free(poller->feeds);
    free(poller);
}

void kns_poller_get_figures(const struct kns_poller *poller, struct kns_poller_figures *ret)
{
    const struct kns_due *first = kns_scheduler_first(&poller->scheduler);
    int64_t now = kns_poller_now_ms();

    *ret = poller->figures;
    ret->feeds = (int64_t)poller->n_feeds;
    ret->in_flight = (int64_t)poller->in_flight;
    for (size_t i = 0; i < poller->scheduler.count; i++)
        ret->due += poller->scheduler.heap[i]->at_ms <= now;
    for (size_t i = 0; i < poller->n_feeds; i++)
        ret->due += poller->feeds[i]->waiting;
    if (first != NULL)
        ret->next_poll_at.unix_s = first->at_ms / 1000;
}

size_t kns_poller_busy(const struct kns_poller *poller)
{
    return poller->busy;
}
