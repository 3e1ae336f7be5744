/* outcome.h - from an answer to what it means for the feed. Deciding: no loop, no curl. */
#ifndef KNSD_OUTCOME_H
#define KNSD_OUTCOME_H

#include "daemon/headers.h"
#include "lib/error.h"
#include "lib/store.h"

/* What came back. */
struct kns_answer {
    int status;        /* HTTP's; 0: none */
    const char *error; /* the transfer's; NULL: it ended well */
    bool refused, cut; /* see kns_fetch_result */
    const struct kns_headers *headers;
    const struct kns_document *document; /* NULL: none could be read */
    struct kns_error parse_error;        /* why, when the answer had a body */
    bool same_body;                      /* the stored one's hash */
    bool conditional;                    /* the request carried validators */
    bool redirected;                     /* it came from another URL than the subscribed one */
    const char *page; /* the beginning of a body that is no document; "" for none */
};

struct kns_verdict {
    enum kns_outcome outcome;
    enum kns_feed_state state;
    enum kns_feed_health health;
    char text[KNS_ERROR_MAX]; /* what to tell people; "" after a success */
};

/* True for a page that wants a person to prove to be one, by what the common bot walls are known to say. */
bool kns_outcome_is_bot_wall(const char *page);

void kns_outcome_judge(const struct kns_answer *answer, struct kns_verdict *ret);

#endif
