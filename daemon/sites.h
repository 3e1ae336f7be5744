/* sites.h - what a site can bear: places, a bucket of tokens, and what its refusals have taught. A site is a registrable domain or an
 * address; every request takes a place and a token at both. Deciding: no loop, no clock of its own. Times are calendar milliseconds. */
#ifndef KNSD_SITES_H
#define KNSD_SITES_H

#include "lib/arena.h"
#include "lib/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kns_sites;
struct queue;

/* One site. Owned by its kns_sites, lives as long; read by others, changed here alone. */
struct kns_site_limit {
    char *name;
    bool local;    /* this machine or its network: rated only when it asks for it */
    int in_flight; /* places taken */
    double tokens; /* at tokens_at_ms */
    int64_t tokens_at_ms;
    int64_t closed_until_ms; /* the site's word; 0: open */
    int64_t interval_ms;     /* between requests, as refusals have taught; 0: none did */
    int refusals;            /* in a row */
    int forbidden;           /* 403 in a row */
    int successes;           /* in a row */
    bool changed;            /* since it was last stored */
    char reason[96];         /* of closed_until_ms */
    struct queue *queue;     /* the poller's: the feeds of this site that wait */
    struct queue *next_here; /* the poller's: who was refused a place at this address last */
};

/* NULL: no memory. */
struct kns_sites *kns_sites_new(void);
void kns_sites_free(struct kns_sites *sites);

/* The site of this name, made when it is new. NULL: no memory. */
struct kns_site_limit *kns_sites_get(struct kns_sites *sites, const char *name);

/* The name of a URL's site: its registrable domain; the host with its port where that is an address or a single label: two servers of
 * one machine are two. Any thread. NULL: no URL with a host, or no memory. */
const char *kns_sites_name(struct kns_arena *arena, const char *url);

/* Takes over what was stored of a site. False: no memory. */
bool kns_sites_restore(struct kns_sites *sites, const struct kns_site *stored, int64_t now_ms);

/* The next site that changed since it was stored (and marks it stored), as the store wants it; false: none is left.
 * *at begins at 0. The name lives as long as sites, the reason until the site learns again. */
bool kns_sites_next_changed(struct kns_sites *sites, size_t *at, struct kns_site *ret);

/* When a request may begin, leaving places aside: now or later. */
int64_t kns_site_open_at(const struct kns_site_limit *site, int64_t now_ms);

/* All times go back or forth: the clock was set. */
void kns_sites_shift(struct kns_sites *sites, int64_t by_ms);

/* A request begins, or has ended. */
void kns_site_take(struct kns_site_limit *site, int64_t now_ms);
void kns_site_leave(struct kns_site_limit *site);

/* What an answer teaches: a refusal closes the site and slows it down, successes speed it up again. retry_at_ms is the server's
 * Retry-After; 0: it named none. True: the site closed (or stays closed for longer). */
bool kns_site_learn(struct kns_site_limit *site, enum kns_outcome outcome, int http_status,
                    int64_t retry_at_ms, int64_t now_ms);

#endif
