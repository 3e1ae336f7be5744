/* lookup.h - one look at a page that somebody wants to link to: what it says of itself, and whether it is there. Loop thread only. */
#ifndef KNSD_LOOKUP_H
#define KNSD_LOOKUP_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct kns_poller;

/* So much of a page is read: what it says of itself stands in its head. */
#define KNS_LOOKUP_MOST ((size_t)1 << 20)

/* Valid during done. */
struct kns_lookup_result {
    int status;       /* HTTP's; 0: nobody answered */
    bool gone;        /* 404 or 410 and no bot wall: the link is dead */
    const char *why;  /* a sentence; NULL: the page was read */
    const char *page; /* its beginning, as it came */
    size_t size;
    const char *content_type; /* NULL: not said */
    const char *final_url;
};

/* Fetches url once, unless its site asked us to stay away. done is called once, never inside the call; KNS_ENOMEM: it is not. */
enum kns_status kns_lookup(struct kns_poller *poller, const char *url,
                           void (*done)(void *ctx, const struct kns_lookup_result *result),
                           void *ctx);

#endif
