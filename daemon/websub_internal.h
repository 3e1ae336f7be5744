/* websub_internal.h - what the files of WebSub share: websub.c (what we have with hubs) and websub_push.c (what they send). */
#ifndef KNSD_WEBSUB_INTERNAL_H
#define KNSD_WEBSUB_INTERNAL_H

#include "daemon/scheduler.h"
#include "daemon/websub.h"

/* Requests to hubs under way; and of them to one hub. */
#define KNS_WEBSUB_REQUESTS 8
#define KNS_WEBSUB_REQUESTS_TO_HUB 2

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

#endif
