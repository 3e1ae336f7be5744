/* poller_internal.h - what the files of the poller share: poller.c (who is due, who may begin),
 * poller_feeds.c (feeds and queues in memory), poller_load.c (the schedule from the store), poller_refresh.c (by hand), poller_sites.c (what
 * sites taught), and poll.c (one poll). Loop thread only. */
#ifndef KNSD_POLLER_INTERNAL_H
#define KNSD_POLLER_INTERNAL_H

#include "daemon/poller.h"
#include "daemon/scheduler.h"
#include "daemon/sites.h"

#include <stdatomic.h>

/* A calendar clock that steps by more than this was set. */
#define CLOCK_STEP_MS (60 * 1000)

struct waiter {
    void (*done)(void *ctx, const struct kns_refresh_result *result);
    void *ctx;
    struct waiter *next;
};

/* What is known of a subscription in memory: all else is read when it is polled. It is in the heap, in its site's queue, or it has a
 * poll: one of the three at a time, none when it is paused or gone. */
struct feed {
    struct kns_due due; /* first member */
    int64_t id;
    struct queue *queue;       /* its site's; NULL: not known yet */
    struct feed *next_waiting; /* in that queue */
    bool waiting;
    int64_t last_manual_s;
    int64_t own_ms; /* when it would have come had nobody asked; 0: not at all */
    struct poll *poll;
    struct waiter *waiters; /* for the poll that has not begun */
    bool manual, force;     /* of that poll */
    bool removed;           /* unsubscribed while being polled */
    bool listed;            /* in the list of all feeds that is being taken over */
};

/* A site, and its feeds that are due but found no place or no token. */
struct queue {
    struct kns_due due; /* first member: its next turn, while it has waiting feeds and a place */
    struct kns_site_limit *site, *address; /* address: where it was last reached; NULL: not known */
    struct feed *first, *last;
    struct queue *next; /* of all */
};

struct kns_poller {
    struct kns_poller_parts parts;
    uv_timer_t timer, saving;
    struct kns_scheduler scheduler; /* of feeds */
    struct kns_scheduler turns;     /* of queues */
    struct kns_sites *sites;
    bool
        began; /* the schedule and the sites have been read, or could not be: nobody is asked before */
    bool knows_sites;     /* what was stored of them has been read */
    struct queue *queues; /* all */
    size_t n_queues;
    struct feed **feeds; /* by id */
    size_t n_feeds, cap_feeds;
    size_t in_flight, busy;
    int64_t clock_offset_ms; /* calendar less monotonic: shows when the clock jumps */
    bool stopping;
    atomic_bool given_up; /* the same, for who reads the schedule on another thread */
    uint64_t random;
    struct kns_poller_figures figures;
};

int64_t kns_poller_now_ms(void);

/* 0 to 1. */
double kns_poller_random(struct kns_poller *poller);

/* ---- poller.c ---- */

/* Begins what is due and has a place; sets the timer for what comes next. */
void kns_poller_run_due(struct kns_poller *poller);

/* The same, soon, never inside the call. */
void kns_poller_wake(struct kns_poller *poller);

/* A moment within the time over which so many feeds that are overdue are spread: no storm. */
int64_t kns_poller_spread_ms(struct kns_poller *poller, size_t feeds);

/* ---- poller_feeds.c ---- */

/* The queue of a site by its name, or by a URL of it; NULL: no memory, or a URL without a site. */
struct queue *kns_poller_queue_named(struct kns_poller *poller, const char *name);
struct queue *kns_poller_queue_of(struct kns_poller *poller, const char *url);

/* When a feed of this queue may begin; -1: when a place is left, which is told. */
int64_t kns_poller_turn_at(const struct kns_poller *poller, struct queue *queue, bool force,
                           int64_t now);
void kns_poller_schedule_turn(struct kns_poller *poller, struct queue *queue, int64_t now);

/* Into its queue: behind the others; before them what somebody waits for. And out of it, if it is there. */
void kns_poller_enqueue(struct kns_poller *poller, struct feed *feed, int64_t now);
void kns_poller_dequeue(struct kns_poller *poller, struct feed *feed);

/* NULL: not there; no memory. Forgetting tells who waits; one that is being polled goes with its poll's end. */
struct feed *kns_poller_find_feed(const struct kns_poller *poller, int64_t id);
struct feed *kns_poller_add_feed(struct kns_poller *poller, int64_t id);
void kns_poller_forget_feed(struct kns_poller *poller, struct feed *feed);

/* The feed's site is another one from now on. */
void kns_poller_set_queue(struct kns_poller *poller, struct feed *feed, struct queue *queue);

/* ---- poller_load.c ---- */

/* Reads one feed's schedule anew, off the loop; 0: all, and what sites have taught where that is not known. */
void kns_poller_read_schedule(struct kns_poller *poller, int64_t id);

/* ---- poller_sites.c ---- */

/* Stores what changed of the sites. */
void kns_poller_save_sites(struct kns_poller *poller);

/* ---- poll.c ---- */

/* Begins the poll of a feed that has a place; false: no memory. It takes the feed's waiters, and ends in kns_poller_ended. */
bool kns_poll_start(struct kns_poller *poller, struct feed *feed, struct kns_site_limit *site,
                    struct kns_site_limit *address);

/* Another one waits for the end of a poll under way; the poll owns the waiter. */
void kns_poll_join(struct poll *poll, struct waiter *waiter);

/* A poll is over: the feed comes again at next_ms (0: not by itself), the places are free. */
void kns_poller_ended(struct kns_poller *poller, struct feed *feed, struct kns_site_limit *site,
                      struct kns_site_limit *address, int64_t next_ms);

/* True while the site of this URL asked for silence: text says so. */
bool kns_poller_is_closed(struct kns_poller *poller, const char *url, char *text, size_t size);

/* What a feed's answer taught of the site that gave it, and where that site was reached. feed: NULL for one that is
 * being subscribed to. */
void kns_poller_learnt(struct kns_poller *poller, struct feed *feed, const char *url,
                       const char *address, enum kns_outcome outcome, int http_status,
                       int64_t retry_at_ms);

/* Everybody who waits is told once; the waiters are freed. */
void kns_waiters_tell(struct waiter *waiters, const struct kns_refresh_result *result);
void kns_waiters_free(struct waiter *waiters);

/* Frees a poll that will not end any more: at the end of the poller. */
void kns_poll_free(struct poll *poll);

#endif
