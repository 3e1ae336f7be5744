/* time.h - the two kinds of time, kept apart by their types.
 *
 * struct kns_time is calendar time in UTC; zero means "not given": a feed that says
 * 1970-01-01T00:00:00Z has an unset clock. struct kns_mono is monotonic time, for delays only; it
 * has no meaning outside the process.
 */
#ifndef KNS_TIME_H
#define KNS_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct kns_time {
    int64_t unix_s;
};

struct kns_mono {
    int64_t ms;
};

/* "2026-11-01T09:30:00Z" and a NUL. Years outside 0000-9999 do not occur. */
#define KNS_TIME_TEXT 21

static inline bool kns_time_given(struct kns_time t)
{
    return t.unix_s != 0;
}

/* RFC 3339 in UTC ending in Z; writes "" for a time not given. Returns text. Any thread. */
const char *kns_time_format(struct kns_time t, char text[static KNS_TIME_TEXT]);

/* "Thu, 01 Jan 2004 19:48:21 GMT" and a NUL. */
#define KNS_TIME_HTTP 30

/* The form of HTTP dates (RFC 9110 5.6.7), of RSS and OPML: English names whatever the locale; writes "" for a time not given. Returns text.
 * Any thread. */
const char *kns_time_format_http(struct kns_time t, char text[static KNS_TIME_HTTP]);

/* Now by the system's calendar clock. Any thread. */
struct kns_time kns_time_now(void);

/* A point in time as people type it on a command line or in a query: "7d", "36h", "90m" (that long
 * before now), "2026-11-01" (midnight UTC), or RFC 3339. False when it is none of these. */
bool kns_time_parse_point(const char *text, struct kns_time now, struct kns_time *ret_time);

/* A length of time: "90", "90s", "30m", "1h", "7d", "2w"; seconds, above zero. */
bool kns_time_parse_span(const char *text, int64_t *ret_seconds);

#endif
