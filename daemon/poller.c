/* Which feed is due, and which of those may begin.
 *
 *   heap of feeds --due--> its site has a place and a token? --yes--> poll (poll.c) --> heap
 *                              \--no--> the site's queue --its turn--> poll
 *
 * A site's turn comes when a place of it is free and its bucket holds a token; turns are a heap of their own, so that thousands of feeds
 * that wait for one site cost nothing. */
#include "daemon/poller_internal.h"

#include "daemon/config.h"
#include "daemon/fetcher.h"
#include "daemon/log.h"
#include "daemon/netguard.h"
#include "daemon/readers.h"
#include "daemon/websub.h"
#include "daemon/writer.h"
#include "lib/arena.h"
#include "lib/buf.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A refresh by hand is a request that somebody pays for: one a minute and feed. */
#define MANUAL_EVERY_S 60
/* A site that waits for a place at its address looks again after this, if nobody told it before. */
#define ADDRESS_AGAIN_MS 250
/* Buckets change with every request: they are stored this often, and at the end; what a refusal taught is stored at once. */
#define SAVE_EVERY_MS (60 * 1000)
/* A calendar clock that steps by more than this was set. */
#define CLOCK_STEP_MS (60 * 1000)
/* A clock that was set is noticed within this. */
#define WAKE_MOST_MS 30000
/* Overdue feeds are spread: few over five milliseconds each, many over a second and half a millisecond each. */
#define SPREAD_FEW_MS 5
#define SPREAD_MANY_MS 1000
#define SPREAD_MOST_MS ((size_t)60 * 1000)
/* Nothing is stored for later than this: the longest Retry-After that is heeded. */
#define LATEST_S ((int64_t)31 * 86400)

static void run_due(struct kns_poller *poller);

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

/* ---- queues of sites ------------------------------------------------------------------------------------------------ */

/* The queue of the site of this name; NULL: no memory. */
static struct queue *queue_named(struct kns_poller *poller, const char *name)
{
    struct kns_site_limit *site = kns_sites_get(poller->sites, name);

    if (site == NULL || site->queue != NULL)
        return site == NULL ? NULL : site->queue;
    if (!kns_scheduler_reserve(&poller->turns, poller->n_queues + 1))
        return NULL;
    site->queue = calloc(1, sizeof(struct queue));
    if (site->queue == NULL)
        return NULL;
    site->queue->site = site;
    site->queue->next = poller->queues;
    poller->queues = site->queue;
    poller->n_queues++;
    return site->queue;
}

/* The queue of the site of a URL; NULL: no memory, or a URL without a site. */
static struct queue *queue_of(struct kns_poller *poller, const char *url)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *name = arena == NULL ? NULL : kns_sites_name(arena, url);
    struct queue *queue = name == NULL ? NULL : queue_named(poller, name);

    kns_arena_free(arena);
    return queue;
}

static bool has_place(const struct kns_poller *poller, const struct kns_site_limit *site)
{
    return site == NULL || site->in_flight < poller->parts.config->poll.per_host;
}

/* When a feed of this queue may begin; -1: when a place is left, which is told. */
static int64_t turn_at(const struct kns_poller *poller, struct queue *queue, bool force,
                       int64_t now)
{
    if (!has_place(poller, queue->site))
        return -1;
    if (!has_place(poller, queue->address)) {
        queue->address->next_here = queue; /* the next place there is ours */
        return now + ADDRESS_AGAIN_MS;
    }
    if (force)
        return now;
    int64_t at = kns_site_open_at(queue->site, now);
    int64_t at_address = queue->address == NULL ? now : kns_site_open_at(queue->address, now);
    return at > at_address ? at : at_address;
}

static void schedule_turn(struct kns_poller *poller, struct queue *queue, int64_t now)
{
    int64_t at = queue->first == NULL ? -1 : turn_at(poller, queue, queue->first->force, now);

    if (at < 0)
        kns_scheduler_remove(&poller->turns, &queue->due);
    else
        kns_scheduler_set(&poller->turns, &queue->due, at);
}

/* Behind the others; before them what somebody waits for. */
static void enqueue(struct kns_poller *poller, struct feed *feed, int64_t now)
{
    struct queue *queue = feed->queue;

    feed->waiting = true;
    feed->next_waiting = NULL;
    if (queue->first == NULL) {
        queue->first = queue->last = feed;
    } else if (feed->manual) {
        feed->next_waiting = queue->first;
        queue->first = feed;
    } else {
        queue->last->next_waiting = feed;
        queue->last = feed;
    }
    schedule_turn(poller, queue, now);
}

static void dequeue(struct kns_poller *poller, struct feed *feed)
{
    struct queue *queue = feed->queue;
    struct feed *before = NULL;

    if (!feed->waiting)
        return;
    for (struct feed *at = queue->first; at != feed; at = at->next_waiting)
        before = at;
    if (before == NULL)
        queue->first = feed->next_waiting;
    else
        before->next_waiting = feed->next_waiting;
    if (queue->last == feed)
        queue->last = before;
    feed->waiting = false;
    feed->next_waiting = NULL;
    schedule_turn(poller, queue, kns_poller_now_ms());
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
    if (!kns_scheduler_reserve(&poller->scheduler, poller->n_feeds + 1))
        return NULL;
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

static void forget_feed(struct kns_poller *poller, struct feed *feed)
{
    const struct kns_refresh_result gone = {
        .feed_id = feed->id, .skipped = true, .text = "no such feed"};

    kns_scheduler_remove(&poller->scheduler, &feed->due);
    kns_websub_follow(poller->parts.websub, feed->id, NULL, NULL, NULL);
    dequeue(poller, feed);
    if (feed->poll != NULL) {
        feed->removed = true; /* the end of its poll comes back */
        return;
    }
    size_t at = place_of(poller, feed->id);
    kns_waiters_tell(feed->waiters, &gone);
    memmove(poller->feeds + at, poller->feeds + at + 1,
            (poller->n_feeds - at - 1) * sizeof(struct feed *));
    poller->n_feeds--;
    free(feed);
}

static void set_queue(struct kns_poller *poller, struct feed *feed, struct queue *queue)
{
    if (feed->queue == queue)
        return;
    bool waiting = feed->waiting;
    dequeue(poller, feed);
    feed->queue = queue;
    if (waiting)
        kns_scheduler_set(&poller->scheduler, &feed->due, kns_poller_now_ms());
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
    const struct queue *queue = queue_of(poller, url);

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
    if (feed->queue == NULL ||
        (feed->queue->first == NULL && turn_at(poller, feed->queue, feed->force, now) == now))
        begin(poller, feed, now);
    else
        enqueue(poller, feed, now);
}

/* The first waiting feed of a site whose turn has come. */
static void take_turn(struct kns_poller *poller, struct queue *queue, int64_t now)
{
    struct feed *feed = queue->first;

    if (turn_at(poller, queue, feed->force, now) != now) {
        schedule_turn(poller, queue, now);
        return;
    }
    queue->first = feed->next_waiting;
    if (queue->first == NULL)
        queue->last = NULL;
    feed->waiting = false;
    feed->next_waiting = NULL;
    begin(poller, feed, now);
    schedule_turn(poller, queue, now);
}

static void on_timer(uv_timer_t *timer)
{
    run_due(timer->data);
}

/* A moment within the time over which so many feeds that are overdue are spread: no storm. */
static int64_t spread_ms(struct kns_poller *poller, size_t feeds)
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
                              now + spread_ms(poller, poller->n_feeds));
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

static void run_due(struct kns_poller *poller)
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
        schedule_turn(poller, queue, now);
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
            schedule_turn(poller, site->queue, now);
    }
    if (address != NULL) {
        kns_site_leave(address);
        offer_place(poller, address, now);
    }
    if (feed->removed)
        forget_feed(poller, feed);
    else if (next_ms > 0 || feed->manual)
        kns_scheduler_set(&poller->scheduler, &feed->due, feed->manual ? now : next_ms);
    run_due(poller);
}

/* ---- sites ---------------------------------------------------------------------------------------------------------- */

/* Sites as they are to be stored. Names live as long as the poller, reasons are copies. */
#define SAVED_AT_ONCE 64
struct saving {
    struct kns_write write;
    size_t count;
    struct kns_site sites[SAVED_AT_ONCE];
    char reasons[SAVED_AT_ONCE][sizeof(((struct kns_site_limit *)NULL)->reason)];
};

static enum kns_status write_sites(struct kns_write *write, struct kns_store *store,
                                   struct kns_error *err)
{
    struct saving *saving = (struct saving *)((char *)write - offsetof(struct saving, write));
    enum kns_status status = KNS_OK;

    for (size_t i = 0; status == KNS_OK && i < saving->count; i++)
        status = kns_store_put_site(store, &saving->sites[i], err);
    return status;
}

static void sites_written(struct kns_write *write)
{
    free((char *)write - offsetof(struct saving, write));
}

static void save_sites(struct kns_poller *poller)
{
    struct kns_site site;
    struct saving *saving = NULL;
    size_t at = 0;

    while (kns_sites_next_changed(poller->sites, &at, &site)) {
        if (saving == NULL && (saving = calloc(1, sizeof(*saving))) == NULL)
            return;
        if (site.reason != NULL) {
            snprintf(saving->reasons[saving->count], sizeof(saving->reasons[0]), "%s", site.reason);
            site.reason = saving->reasons[saving->count];
        }
        saving->sites[saving->count++] = site;
        saving->write.run = write_sites;
        saving->write.done = sites_written;
        saving->write.keep = true;
        if (saving->count == SAVED_AT_ONCE) {
            kns_writer_submit(poller->parts.writer, &saving->write);
            saving = NULL;
        }
    }
    if (saving != NULL)
        kns_writer_submit(poller->parts.writer, &saving->write);
}

static void on_saving(uv_timer_t *timer)
{
    struct kns_poller *poller = timer->data;

    save_sites(poller);
    if (!poller->knows_sites) /* the database could not be read when we started */
        kns_poller_feeds_changed(poller);
}

/* An address of a private network tells its servers apart by port: see kns_sites_of_url. "address" is "ADDRESS:PORT". */
static struct kns_site_limit *site_of_address(struct kns_poller *poller, const char *address)
{
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    char name[80];

    if (colon == NULL)
        return NULL;
    snprintf(name, sizeof(name), "%.*s", (int)(colon - address), address);
    return kns_sites_get(poller->sites, kns_netguard_is_private_text(name) ? address : name);
}

void kns_poller_learnt(struct kns_poller *poller, struct feed *feed, const char *url,
                       const char *address, enum kns_outcome outcome, int http_status,
                       int64_t retry_at_ms)
{
    struct queue *queue = queue_of(poller, url);
    int64_t now = kns_poller_now_ms();

    if (queue == NULL)
        return;
    if (feed != NULL && queue == feed->queue && address != NULL) {
        struct kns_site_limit *reached = site_of_address(poller, address);
        queue->address = reached == queue->site ? NULL : reached;
    }
    if (kns_site_learn(queue->site, outcome, http_status, retry_at_ms, now)) {
        save_sites(poller);
        schedule_turn(poller, queue, now);
    }
}

/* ---- the schedule from the store ---------------------------------------------------------------------------------- */

/* A reading of one feed's schedule (id set) or of all of them, with what is known of the sites. */
struct loading {
    struct kns_poller *poller;
    struct kns_read read;
    int64_t id;
    bool with_sites;
    struct kns_arena *arena; /* of the names */
    struct loaded {
        int64_t id, next_poll_at_s, last_poll_at_s;
        const char *site;              /* NULL: none */
        const char *url, *hub, *topic; /* where a hub is named */
        bool polled;
    } * feeds;
    size_t count, cap;
    struct kns_site *sites;
    size_t n_sites, cap_sites;
};

/* Room for one more of size bytes; false: no memory. */
static bool make_room(void **array, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap == 0 ? 64 : *cap * 2;

    if (count < *cap)
        return true;
    void *grown = realloc(*array, more * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *cap = more;
    return true;
}

static bool on_loaded_feed(void *ctx, const struct kns_feed *feed)
{
    struct loading *l = ctx;

    /* A hundred thousand feeds take longer than a stop may. */
    if (atomic_load(&l->poller->given_up))
        return false;
    if (!make_room((void **)&l->feeds, l->count, &l->cap, sizeof(*l->feeds)))
        return false;
    l->feeds[l->count++] = (struct loaded){
        .id = feed->id,
        .next_poll_at_s = feed->schedule.next_poll_at.unix_s,
        .last_poll_at_s = feed->last_poll_at.unix_s,
        .site = kns_sites_name(l->arena, feed->url),
        .url = feed->hub == NULL ? NULL : kns_arena_strdup(l->arena, feed->url),
        .hub = kns_arena_strdup(l->arena, feed->hub),
        .topic = kns_arena_strdup(l->arena, feed->topic),
        .polled = feed->state == KNS_FEED_ACTIVE || feed->state == KNS_FEED_FAILING,
    };
    return true;
}

static bool on_loaded_site(void *ctx, const struct kns_site *site)
{
    struct loading *l = ctx;

    if (!make_room((void **)&l->sites, l->n_sites, &l->cap_sites, sizeof(*l->sites)))
        return false;
    l->sites[l->n_sites] = *site;
    l->sites[l->n_sites].name = kns_arena_strdup(l->arena, site->name);
    l->sites[l->n_sites].reason = kns_arena_strdup(l->arena, site->reason);
    l->n_sites += l->sites[l->n_sites].name != NULL;
    return true;
}

static enum kns_status load_schedule(struct kns_read *read, struct kns_store *store,
                                     struct kns_error *err)
{
    struct loading *l = (struct loading *)((char *)read - offsetof(struct loading, read));
    struct kns_feed *feed = NULL;
    enum kns_status status;

    if (l->id != 0) {
        status = kns_store_get_feed(store, l->arena, l->id, false, &feed, err);
        if (status == KNS_OK)
            on_loaded_feed(l, feed);
        return status;
    }
    status = l->with_sites ? kns_store_each_site(store, on_loaded_site, l, err) : KNS_OK;
    return status == KNS_OK ? kns_store_each_feed(store, NULL, on_loaded_feed, l, err) : status;
}

/* When a stored feed comes: a time that was decided under a wrong clock does not bind. */
static int64_t first_time(struct kns_poller *poller, const struct loaded *loaded, size_t total,
                          int64_t now)
{
    int64_t at = loaded->next_poll_at_s * 1000;
    bool wrong_clock =
        loaded->last_poll_at_s * 1000 > now + CLOCK_STEP_MS || at > now + LATEST_S * 1000;

    return at < now || wrong_clock ? now + spread_ms(poller, total) : at;
}

static void schedule_loaded(struct kns_poller *poller, const struct loaded *loaded, size_t total)
{
    struct feed *feed = find_feed(poller, loaded->id);

    if (feed == NULL)
        feed = add_feed(poller, loaded->id);
    if (feed == NULL)
        return;
    feed->listed = true;
    kns_websub_follow(poller->parts.websub, loaded->id, loaded->url,
                      loaded->polled && loaded->url != NULL ? loaded->hub : NULL, loaded->topic);
    set_queue(poller, feed, loaded->site == NULL ? NULL : queue_named(poller, loaded->site));
    if (feed->manual && feed->poll == NULL && !feed->waiting && feed->due.place == 0)
        kns_scheduler_set(&poller->scheduler, &feed->due, kns_poller_now_ms());
    if (feed->poll != NULL || feed->manual)
        return; /* it is on its way */
    dequeue(poller, feed);
    if (loaded->polled)
        kns_scheduler_set(&poller->scheduler, &feed->due,
                          first_time(poller, loaded, total, kns_poller_now_ms()));
    else
        kns_scheduler_remove(&poller->scheduler, &feed->due);
}

/* What the list of all feeds does not hold was removed, or was added since it was read: each is asked for by itself. */
static void look_for_unlisted(struct kns_poller *poller)
{
    for (size_t i = 0; i < poller->n_feeds; i++) {
        if (!poller->feeds[i]->listed)
            kns_poller_feed_changed(poller, poller->feeds[i]->id);
        poller->feeds[i]->listed = false;
    }
}

static void free_loading(struct loading *l)
{
    kns_arena_free(l->arena);
    free(l->sites);
    free(l->feeds);
    free(l);
}

static void schedule_read(struct kns_read *read)
{
    struct loading *l = (struct loading *)((char *)read - offsetof(struct loading, read));
    struct kns_poller *poller = l->poller;
    struct feed *feed = l->id == 0 ? NULL : find_feed(poller, l->id);

    if (read->status == KNS_ENOTFOUND && feed != NULL)
        forget_feed(poller, feed);
    else if (read->status == KNS_ENOTFOUND)
        kns_websub_follow(poller->parts.websub, l->id, NULL, NULL, NULL);
    else if (read->status != KNS_OK)
        kns_log(KNS_LOG_ERROR, "cannot read the schedule: %s", read->err.message);
    for (size_t i = 0; i < l->n_sites && !poller->knows_sites; i++)
        kns_sites_restore(poller->sites, &l->sites[i], kns_poller_now_ms());
    for (size_t i = 0; i < l->count; i++)
        schedule_loaded(poller, &l->feeds[i], l->count);
    poller->began = poller->began || l->id == 0;
    if (l->id == 0 && read->status == KNS_OK) {
        poller->knows_sites = true;
        look_for_unlisted(poller);
    }
    free_loading(l);
    run_due(poller);
}

static void read_schedule(struct kns_poller *poller, int64_t id)
{
    struct loading *l = poller->stopping ? NULL : calloc(1, sizeof(*l));

    if (l == NULL || (l->arena = kns_arena_new(0)) == NULL) {
        poller->began = true;
        free(l);
        return;
    }
    l->poller = poller;
    l->id = id;
    l->with_sites = id == 0 && !poller->knows_sites;
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
    int64_t now = kns_poller_now_ms();

    if (poller->stopping) {
        answer_later(poller, feed_id, "knsd is stopping", done, ctx);
        return;
    }
    bool is_new = feed == NULL; /* just added, or removed: the store knows */
    if (is_new)
        feed = add_feed(poller, feed_id);
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
    dequeue(poller, feed);
    kns_scheduler_set(&poller->scheduler, &feed->due, now);
    uv_timer_start(&poller->timer, on_timer, 0, 0);
}

/* ---- the poller --------------------------------------------------------------------------------------------------- */

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
    atomic_store(&poller->given_up, true);
    for (size_t i = 0; i < poller->n_feeds; i++) {
        const struct kns_refresh_result result = {
            .feed_id = poller->feeds[i]->id, .skipped = true, .text = "knsd is stopping"};
        struct waiter *waiters = poller->feeds[i]->waiters;
        poller->feeds[i]->waiters = NULL;
        kns_waiters_tell(waiters, &result);
    }
    save_sites(poller);
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
