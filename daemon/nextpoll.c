#include "daemon/nextpoll.h"

#include <stdio.h>

#define HOUR 3600
#define DAY 86400

/* The choice so far: the longest wait that somebody asked for. */
struct choice {
    int64_t seconds;
    const char *reason;
};

static void at_least(struct choice *choice, int64_t seconds, const char *reason)
{
    if (seconds > choice->seconds)
        *choice = (struct choice){seconds, reason};
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* The interval by the user's word, a hub that makes polls a mere precaution, the feed's own rhythm (half of the time between its entries),
 * or the configuration. */
static struct choice by_rhythm(const struct kns_nextpoll_input *in)
{
    if (in->every_s > 0)
        return (struct choice){in->every_s, "the interval set for this feed"};
    if (in->pushed)
        return (struct choice){in->max_interval_s, "its hub pushes what is new"};
    if (in->entries_per_day < 0)
        return (struct choice){in->interval_s, "the configured interval"};
    double half =
        in->entries_per_day > 0 ? DAY / in->entries_per_day / 2 : (double)in->max_interval_s;
    int64_t interval = half > (double)in->max_interval_s ? in->max_interval_s : (int64_t)half;
    return (struct choice){interval, "the feed's own rhythm"};
}

/* The longest wait that is asked for, within the bounds; the user's own word for one feed may be longer than they. */
static struct choice after_success(const struct kns_nextpoll_input *in)
{
    int64_t most = in->every_s > in->max_interval_s ? in->every_s : in->max_interval_s;
    struct choice choice = by_rhythm(in);

    at_least(&choice, in->ttl_s, "the feed's ttl");
    at_least(&choice, in->update_interval_s, "the feed's sy:updatePeriod");
    at_least(&choice, in->fresh_s, "the server says that its answer is fresh so long");
    /* The user's own word for a feed is no hint. */
    if (choice.seconds < in->min_interval_s && choice.seconds != in->every_s)
        return (struct choice){in->min_interval_s, "the shortest interval that is configured"};
    if (choice.seconds > most)
        return (struct choice){most, "the longest interval that is configured"};
    return choice;
}

static int64_t most_after_failure(const struct kns_nextpoll_input *in)
{
    return in->max_interval_s > DAY ? in->max_interval_s : DAY;
}

/* Twice the usual interval, doubled with every further failure, up to the longest interval and a day at least. */
static struct choice after_failure(const struct kns_nextpoll_input *in)
{
    struct kns_nextpoll_input polled = *in;
    int64_t most = in->max_interval_s > DAY ? in->max_interval_s : DAY;

    polled.pushed = false;
    int64_t wait = clamp(by_rhythm(&polled).seconds, in->min_interval_s, most);

    for (int64_t i = 0; i < in->failures && wait < most; i++)
        wait *= 2;
    return (struct choice){wait > most ? most : wait, in->outcome == KNS_POLL_THROTTLED
                                                          ? "slower: the server asked for it"
                                                          : "slower after failures"};
}

static bool is_failure(enum kns_outcome outcome)
{
    return outcome != KNS_POLL_NEW_DOCUMENT && outcome != KNS_POLL_UNCHANGED &&
           outcome != KNS_POLL_CUT;
}

/* The first time from at on that is in no hour and on no day that the feed wants skipped; at itself when all are. */
static int64_t skip(int64_t at, uint32_t hours, uint8_t days)
{
    int64_t candidate = at;

    for (int i = 0; i < 8 * 24; i++) {
        int64_t hour = candidate / HOUR % 24,
                day = (candidate / DAY + 4) % 7; /* 1970-01-01 was a Thursday */
        bool skipped = (hours >> hour & 1) != 0 || (days >> day & 1) != 0;
        if (!skipped)
            return candidate;
        candidate = (candidate / HOUR + 1) * HOUR;
    }
    return at;
}

/* A tenth more at random, a quarter after failures: feeds that failed together do not come back together. At the longest wait it is a
 * tenth less: nobody waits longer. */
static int64_t with_jitter(const struct kns_nextpoll_input *in, int64_t seconds, bool failed)
{
    int64_t most = failed ? most_after_failure(in) : in->max_interval_s;
    double share = in->random * (failed && seconds < most ? 0.25 : 0.1);
    int64_t jitter = (int64_t)((double)seconds * share);

    return seconds == most                             ? seconds - jitter
           : seconds + jitter < most || seconds > most ? seconds + jitter
                                                       : most;
}

void kns_nextpoll_decide(const struct kns_nextpoll_input *in, struct kns_nextpoll *ret)
{
    bool failed = is_failure(in->outcome);
    struct choice choice = failed ? after_failure(in) : after_success(in);
    int64_t at = in->now.unix_s + with_jitter(in, choice.seconds, failed);

    ret->interval_s = choice.seconds;
    ret->not_before = (struct kns_time){0};
    if (in->fresh_s > 0 && !failed)
        ret->not_before.unix_s = in->now.unix_s + clamp(in->fresh_s, 0, choice.seconds);
    if (at < ret->not_before.unix_s)
        at = ret->not_before.unix_s;
    if (failed && kns_time_given(in->retry_at)) {
        ret->not_before = in->retry_at;
        int64_t wait = in->retry_at.unix_s - in->now.unix_s;
        int64_t late = in->retry_at.unix_s + (int64_t)((double)wait * in->random * 0.1) + 1;
        if (late > at) {
            at = late;
            choice.reason = "the server's Retry-After";
        }
    }
    if (!failed && (in->skip_hours != 0 || in->skip_days != 0)) {
        int64_t allowed = skip(at, in->skip_hours, in->skip_days);
        if (allowed != at)
            choice.reason = "the feed's skipHours and skipDays";
        at = allowed + (allowed != at ? (int64_t)(in->random * 600) : 0);
    }
    ret->at.unix_s = at;
    snprintf(ret->reason, sizeof(ret->reason), "%s", choice.reason);
}

bool kns_nextpoll_again(const struct kns_feed *feed, const struct kns_nextpoll_input *in,
                        struct kns_nextpoll *ret)
{
    const struct kns_schedule *s = &feed->schedule;
    struct kns_nextpoll_input from = *in;

    if (s->consecutive_failures > 0 || !kns_time_given(feed->last_poll_at))
        return false;
    from.now = feed->last_poll_at;
    from.every_s = feed->every_s;
    from.outcome = KNS_POLL_UNCHANGED;
    from.entries_per_day = s->entries_per_day;
    from.fresh_s = kns_time_given(s->no_poll_before)
                       ? s->no_poll_before.unix_s - feed->last_poll_at.unix_s
                       : -1;
    from.ttl_s = s->ttl_s;
    from.update_interval_s = s->update_interval_s;
    from.skip_hours = s->skip_hours;
    from.skip_days = s->skip_days;
    kns_nextpoll_decide(&from, ret);
    if (ret->at.unix_s < in->now.unix_s)
        ret->at = in->now;
    return true;
}

/* A date that the entry shows, and that has come; 0: none. */
static int64_t date_of(const struct kns_entry *entry, struct kns_time now)
{
    int64_t at = kns_time_given(entry->published) ? entry->published.unix_s : entry->updated.unix_s;

    return at > now.unix_s ? 0 : at;
}

double kns_nextpoll_rhythm(const struct kns_document *document, struct kns_time now)
{
    const struct kns_entry *entry;
    int64_t oldest = now.unix_s, count = 0;

    KNS_LIST_EACH(entry, &document->entries)
    {
        int64_t at = date_of(entry, now);
        if (at == 0)
            continue;
        oldest = at < oldest ? at : oldest;
        count++;
    }
    /* Up to now, not up to the newest entry: a feed that fell silent slows down. */
    return count < 2 || now.unix_s - oldest < HOUR
               ? -1
               : (double)count * DAY / (double)(now.unix_s - oldest);
}

struct kns_time kns_nextpoll_newest(const struct kns_document *document, struct kns_time now)
{
    const struct kns_entry *entry;
    struct kns_time newest = {0};

    KNS_LIST_EACH(entry, &document->entries)
    {
        int64_t at = date_of(entry, now);
        newest.unix_s = at > newest.unix_s ? at : newest.unix_s;
    }
    return newest;
}

bool kns_nextpoll_is_late(double entries_per_day, struct kns_time newest, struct kns_time now)
{
    double silence = (double)(now.unix_s - newest.unix_s);

    return kns_time_given(newest) && entries_per_day > 0 && silence > 2 * DAY &&
           silence > 4 * DAY / entries_per_day;
}
