/* The feeds in memory, and the queues of those that wait for a turn at their site.
 *
 * A site's turn comes when a place of it is free and its bucket holds a token; turns are a heap of their own, so that thousands of feeds
 * that wait for one site cost nothing. */
#include "daemon/poller_internal.h"

#include "daemon/config.h"
#include "daemon/websub.h"

#include <stdlib.h>
#include <string.h>

/* A site that waits for a place at its address looks again after this, if nobody told it before. */
#define ADDRESS_AGAIN_MS 250

/* ---- queues of sites ------------------------------------------------------------------------------------------------ */

/* The queue of the site of this name; NULL: no memory. */
struct queue *kns_poller_queue_named(struct kns_poller *poller, const char *name)
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
struct queue *kns_poller_queue_of(struct kns_poller *poller, const char *url)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *name = arena == NULL ? NULL : kns_sites_name(arena, url);
    struct queue *queue = name == NULL ? NULL : kns_poller_queue_named(poller, name);

    kns_arena_free(arena);
    return queue;
}

static bool has_place(const struct kns_poller *poller, const struct kns_site_limit *site)
{
    return site == NULL || site->in_flight < poller->parts.config->poll.per_host;
}

/* When a feed of this queue may begin; -1: when a place is left, which is told. */
int64_t kns_poller_turn_at(const struct kns_poller *poller, struct queue *queue, bool force,
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

void kns_poller_schedule_turn(struct kns_poller *poller, struct queue *queue, int64_t now)
{
    int64_t at =
        queue->first == NULL ? -1 : kns_poller_turn_at(poller, queue, queue->first->force, now);

    if (at < 0)
        kns_scheduler_remove(&poller->turns, &queue->due);
    else
        kns_scheduler_set(&poller->turns, &queue->due, at);
}

/* Behind the others; before them what somebody waits for. */
void kns_poller_enqueue(struct kns_poller *poller, struct feed *feed, int64_t now)
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
    kns_poller_schedule_turn(poller, queue, now);
}

void kns_poller_dequeue(struct kns_poller *poller, struct feed *feed)
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
    kns_poller_schedule_turn(poller, queue, kns_poller_now_ms());
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

struct feed *kns_poller_find_feed(const struct kns_poller *poller, int64_t id)
{
    size_t at = place_of(poller, id);

    return at < poller->n_feeds && poller->feeds[at]->id == id ? poller->feeds[at] : NULL;
}

struct feed *kns_poller_add_feed(struct kns_poller *poller, int64_t id)
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

void kns_poller_forget_feed(struct kns_poller *poller, struct feed *feed)
{
    const struct kns_refresh_result gone = {
        .feed_id = feed->id, .skipped = true, .text = "no such feed"};

    kns_scheduler_remove(&poller->scheduler, &feed->due);
    kns_websub_follow(poller->parts.websub, feed->id, NULL, NULL, NULL);
    kns_poller_dequeue(poller, feed);
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

void kns_poller_set_queue(struct kns_poller *poller, struct feed *feed, struct queue *queue)
{
    if (feed->queue == queue)
        return;
    bool waiting = feed->waiting;
    kns_poller_dequeue(poller, feed);
    feed->queue = queue;
    if (waiting)
        kns_scheduler_set(&poller->scheduler, &feed->due, kns_poller_now_ms());
}
