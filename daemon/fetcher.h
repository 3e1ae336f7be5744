/* fetcher.h - transfers: curl's multi interface on the libuv loop, redirects followed hop by hop. Loop thread only. */
#ifndef KNSD_FETCHER_H
#define KNSD_FETCHER_H

#include "daemon/config.h"
#include "daemon/headers.h"
#include "lib/error.h"
#include "lib/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct kns_fetcher;

#define KNS_FETCH_MAX_HOPS 10
#define KNS_FETCH_MAX_HEADER (64 << 10) /* bytes of one answer's header */
#define KNS_FETCH_CONNECT_S 10
#define KNS_FETCH_KEPT                                                                             \
    64 /* connections open at a time that nobody uses: the next feed of their host does */
#define KNS_FETCH_MAX_PAGE                                                                         \
    (64 << 10) /* bytes read of an answer that is no document: an error's page, a redirect's */

/* How a transfer ended; valid during done. */
struct kns_fetch_result {
    int status; /* of the last answer; 0: there was none */
    const struct kns_headers *headers;
    const char *error; /* a sentence; NULL: the answer came, whatever its status */
    bool cut;          /* the body is known to be incomplete */
    bool refused; /* by our own policy: a private address, a redirect that may not be followed */
    bool stopped; /* body said false */
    const char *final_url; /* where the last answer came from */
    const char *moved_to;  /* where a chain of nothing but permanent redirects leads; NULL: none */
    const char
        *address; /* "ADDRESS:PORT" that the first hop reached; NULL: none, or a proxy hides it */
    bool redirected; /* the last answer came from another URL than the one asked for */
    int64_t bytes;   /* over the wire */
    int64_t duration_ms;
};

/* What is asked for. Strings live until done. */
struct kns_fetch_request {
    const char *url;
    const char *etag, *last_modified;     /* sent back byte for byte; NULL: none */
    const struct kns_feed_access *access; /* NULL: none */
    const char *post, *post_type; /* a body to be sent by POST, and its Content-Type; NULL: GET */
    /* The subscribed URL that led to this one: it may be private only where that one is. NULL: it is itself subscribed. */
    const char *because_of;
    /* Called before the body of the answer that is no redirect; url is where it comes from. */
    void (*begin)(void *ctx, int status, const struct kns_headers *headers, const char *url);
    /* The body, decompressed, as it comes; false ends the transfer. */
    bool (*body)(void *ctx, const char *bytes, size_t size);
    /* Once, never inside kns_fetcher_get. */
    void (*done)(void *ctx, const struct kns_fetch_result *result);
    void *ctx;
};

enum kns_status kns_fetcher_new(uv_loop_t *loop, const struct kns_config *config,
                                struct kns_fetcher **ret_fetcher, struct kns_error *err);

/* Begins a transfer. KNS_ENOMEM: none was begun, done is not called. */
enum kns_status kns_fetcher_get(struct kns_fetcher *fetcher,
                                const struct kns_fetch_request *request);

void kns_fetcher_set_config(struct kns_fetcher *fetcher, const struct kns_config *config);

/* Ends all transfers; their done is called with an error, and must begin none. NULL is allowed. The fetcher is freed when its handles are closed: run the loop once more. */
void kns_fetcher_free(struct kns_fetcher *fetcher);

#endif
