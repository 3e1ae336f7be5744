/* nextpoll.h - when a feed is asked again, and why then. Deciding: no loop, no curl, no clock of its own. */
#ifndef KNSD_NEXTPOLL_H
#define KNSD_NEXTPOLL_H

#include "lib/store.h"

#include <stdbool.h>

/* All that the decision rests on. */
struct kns_nextpoll_input {
    struct kns_time now;
    int64_t interval_s, min_interval_s, max_interval_s; /* the configuration's */
    int64_t every_s;                                    /* the user's for this feed; 0: none */
    enum kns_outcome outcome;
    int64_t failures;                 /* in a row, this one included */
    double entries_per_day;           /* the feed's rhythm; below 0: unknown */
    int64_t fresh_s;                  /* the server: fresh so long; -1: not said */
    struct kns_time retry_at;         /* the server: not before; 0: not said */
    int64_t ttl_s, update_interval_s; /* the document; -1: not said */
    uint32_t skip_hours;
    uint8_t skip_days;
    bool pushed;   /* its hub tells us what is new */
    double random; /* 0 to 1: what keeps feeds from coming together */
};

struct kns_nextpoll {
    struct kns_time at;
    int64_t interval_s;
    struct kns_time not_before; /* the server's word, which only force overrides */
    char reason[160];
};

void kns_nextpoll_decide(const struct kns_nextpoll_input *input, struct kns_nextpoll *ret);

/* Decides again, from the last poll on, when a hub began to push a feed or pushes it no more. Of in: the configuration's intervals,
 * pushed, random, and now, before which it is not. False: it is to stay as it is, after failures. */
bool kns_nextpoll_again(const struct kns_feed *feed, const struct kns_nextpoll_input *in,
                        struct kns_nextpoll *ret);

/* The rhythm of a document: entries a day over the span that its dates cover; below 0: it does not show one. */
double kns_nextpoll_rhythm(const struct kns_document *document, struct kns_time now);

/* When the newest entry of a document is from, future dates aside; 0: none has a date. */
struct kns_time kns_nextpoll_newest(const struct kns_document *document, struct kns_time now);

/* True when a feed of that rhythm, whose newest entry is that old, is late: four times its usual gap, and two days at least. */
bool kns_nextpoll_is_late(double entries_per_day, struct kns_time newest, struct kns_time now);

#endif
