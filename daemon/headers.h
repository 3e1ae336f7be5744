/* headers.h - what the header of an HTTP answer says about time and caching (RFC 9110, 9111). Deciding: no loop, no curl. */
#ifndef KNSD_HEADERS_H
#define KNSD_HEADERS_H

#include "lib/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KNS_HEADERS_MAX_LINK 8192

/* Everything of an answer's header that a poll decides by. Strings are owned; NULL: not given. */
struct kns_headers {
    char *etag, *last_modified, *content_type, *location;
    int64_t max_age_s; /* Cache-Control: max-age, no-cache and no-store count as 0; -1: not given */
    int64_t age_s;     /* Age; 0 when not given */
    struct kns_time date, expires;
    bool has_expires;      /* an Expires that is no date means: already expired (RFC 9111 5.3) */
    int64_t retry_after_s; /* in seconds; -1: not given */
    struct kns_time retry_after; /* as a date */
    bool bot_wall;               /* cf-mitigated: challenge */
    char *
        link; /* all Link lines, a comma between; what is beyond KNS_HEADERS_MAX_LINK is left out */
};

/* Takes one line "Name: value", without its line end. False: no memory. */
bool kns_headers_add(struct kns_headers *headers, const char *line, size_t len);

/* Frees what it holds; all empty afterwards: the next hop's header begins so. */
void kns_headers_reset(struct kns_headers *headers);

/* How long the answer is fresh, in seconds from now; -1: it does not say (RFC 9111 4.2.1). */
int64_t kns_headers_freshness(const struct kns_headers *headers, struct kns_time now);

/* When the server wants to be asked again by Retry-After; 0: it does not say. */
struct kns_time kns_headers_retry_at(const struct kns_headers *headers, struct kns_time now);

#endif
