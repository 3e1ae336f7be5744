/* websub_internal.h - what the files of WebSub share: websub_subs.c (the subscriptions in memory),
 * websub_write.c (what is stored of them), websub_ask.c (asking hubs), websub.c (following, being asked, its life) and websub_push.c (what
 * hubs send). All of it belongs to the loop's thread. */
#ifndef KNSD_WEBSUB_INTERNAL_H
#define KNSD_WEBSUB_INTERNAL_H

#include "daemon/nextpoll.h"
#include "daemon/scheduler.h"
#include "daemon/websub.h"
#include "daemon/writer.h"

/* Requests to hubs under way; and of them to one hub. */
#define KNS_WEBSUB_REQUESTS 8
#define KNS_WEBSUB_REQUESTS_TO_HUB 2

/* The first wait after a failure, or min_interval where that is shorter. */
#define KNS_WEBSUB_FIRST_RETRY_S 60

/* What we have with one hub for one feed. In by_token until it is dropped, in by_feed while it is its feed's current one. Times are
 * of a clock that nobody sets.
 *
 *   WANTED --asked, verified--> ALIVE --lease ended--> WANTED
 *     \--denied--> DENIED <--denied--/ \--not wanted any more--> LEAVING --asked, verified--> dropped
 *
 * ALIVE is asked again before its lease ends, and is so meanwhile. */
struct sub {
    struct kns_due due; /* first member; in the heap unless it is being asked for, or denied */
    struct kns_websub *websub;
    int64_t feed_id;
    char *feed_url, *hub, *topic, *token, *callback, *secret, *error;
    struct kns_feed_access access; /* how its feed is reached, without what is secret; owned */
    enum kns_websub_state state;
    enum kns_websub_awaits awaits;
    int64_t lease_ms; /* when it ends */
    int64_t ask_ms;   /* when the hub is asked next */
    int64_t failures;
    bool taken;      /* the hub said that it will verify the last request */
    bool complained; /* of a signature, once */
    bool orphan;     /* its feed was removed while nobody looked */
    bool dropped;
    int users; /* writes, requests, deliveries under way */
    struct asking *asking;
};

struct kns_websub {
    struct kns_websub_parts parts;
    char *callback;           /* "http://…/websub/"; NULL: off */
    void *by_token, *by_feed; /* search.h's trees of struct sub */
    struct kns_scheduler scheduler;
    size_t n_subs;
    uv_timer_t timer;
    struct asking *asking[KNS_WEBSUB_REQUESTS];
    int64_t next_first_ms; /* when the next new one is asked for: they come one after the other */
    size_t deliveries;     /* under way */
    bool started, stopping;
    struct kns_websub_figures figures;
};

/* NULL: no such token. */
struct sub *kns_websub_find(struct kns_websub *websub, const char *token);

/* Counts who uses it; a dropped one is freed by its last user. */
void kns_sub_ref(struct sub *sub);
void kns_sub_unref(struct sub *sub);

/* ---- time ------------------------------------------------------------------------------------------------------------- */

/* A clock that goes on in sleep, and is never set. */
int64_t kns_websub_now_ms(void);

/* Its times as the calendar's, and back; 0 is no time. */
struct kns_time kns_websub_calendar(int64_t at_ms);
int64_t kns_websub_from_calendar(struct kns_time at);

/* From 0 to below 1. */
double kns_websub_chance(void);

/* ---- in memory -------------------------------------------------------------------------------------------------------- */

/* The feed's current subscription; NULL: none. */
struct sub *kns_websub_current(struct kns_websub *websub, int64_t feed_id);

/* NULL for NULL, or without memory. */
char *kns_sub_copy(const char *text);

/* Takes its place in memory; false: no memory, and it is freed. */
bool kns_sub_add(struct kns_websub *websub, struct sub *sub);

/* For one that was never added. */
void kns_sub_free(struct sub *sub);

/* Forgotten in memory; freed when nobody works with it any more. */
void kns_sub_drop(struct sub *sub);

/* Another may take its feed. */
void kns_sub_not_current(struct sub *sub);

/* How its hub is reached: copies without credentials and headers, which are for the feed's own server. */
void kns_sub_keep_access(struct sub *sub, const struct kns_feed_access *access);

/* Copies; NULL: none. */
void kns_sub_set_error(struct sub *sub, const char *text);

/* Puts it into the heap by what it waits for, or takes it out. */
void kns_sub_schedule(struct sub *sub);

/* How long to wait after its failures, times factor, spread by chance. */
int64_t kns_sub_retry_ms(const struct sub *sub, int factor);

/* ---- what is stored --------------------------------------------------------------------------------------------------- */

/* What becomes of the feed's schedule with a change. */
enum kns_feed_move {
    FEED_STAYS,
    FEED_LEASE,  /* only until when it is pushed */
    FEED_PUSHED, /* polled rarely from now on */
    FEED_POLLED, /* polled as any other again */
};

/* One change of what is stored, with the copies that the writer thread works on. */
struct kns_sub_change {
    struct kns_write write;
    struct kns_arena *arena;
    struct sub *sub;
    struct kns_websub_record record;
    bool remove;
    enum kns_feed_move move;
    struct kns_nextpoll_input input;
    bool want_access, has_feed;
    const struct kns_feed *feed; /* with its access, in arena */
    void (*then)(struct kns_sub_change *change);
    kns_websub_answer answer; /* to a hub; NULL: none waits */
    void *answer_ctx;
    const char *text;
};

/* The subscription as it is now, to be stored; NULL: no memory. Freed by whoever does not submit it. */
struct kns_sub_change *kns_sub_new_change(struct sub *sub, enum kns_feed_move move);
void kns_sub_free_change(struct kns_sub_change *change);

/* To the writer, which frees it after then(). */
void kns_sub_submit(struct kns_sub_change *change);

/* Stores it as it is now. */
void kns_sub_save(struct sub *sub, enum kns_feed_move move);

/* Forgotten here and in the store. */
void kns_sub_forget(struct sub *sub, enum kns_feed_move move);

/* ---- asking ------------------------------------------------------------------------------------------------------------ */

/* Does what is due, and sleeps until the next is. */
void kns_websub_run_due(struct kns_websub *websub);

#endif
