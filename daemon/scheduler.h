/* scheduler.h - a min-heap of what is due when. Deciding: no loop, no clock. */
#ifndef KNSD_SCHEDULER_H
#define KNSD_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Embedded in what is scheduled. */
struct kns_due {
    int64_t at_ms; /* calendar time */
    size_t place;  /* in the heap, from 1; 0: not in it */
};

struct kns_scheduler {
    struct kns_due **heap; /* from 0 */
    size_t count, cap;
};

/* Makes room for so many in all; from then on adding so many cannot fail. False: no memory. */
bool kns_scheduler_reserve(struct kns_scheduler *scheduler, size_t count);

/* Adds or moves; O(log n). There must be room: see kns_scheduler_reserve. */
void kns_scheduler_set(struct kns_scheduler *scheduler, struct kns_due *due, int64_t at_ms);

/* Takes out what may be in; O(log n). */
void kns_scheduler_remove(struct kns_scheduler *scheduler, struct kns_due *due);

/* Moves all by as many milliseconds; their order stays. */
void kns_scheduler_shift(struct kns_scheduler *scheduler, int64_t by_ms);

/* The earliest; NULL: empty. */
struct kns_due *kns_scheduler_first(const struct kns_scheduler *scheduler);

/* Frees the heap, not what was in it. */
void kns_scheduler_fini(struct kns_scheduler *scheduler);

#endif
