#include "daemon/scheduler.h"

#include <stdlib.h>

static void put(struct kns_scheduler *s, size_t i, struct kns_due *due)
{
    s->heap[i] = due;
    due->place = i + 1;
}

static void sift_up(struct kns_scheduler *s, size_t i)
{
    struct kns_due *due = s->heap[i];

    while (i > 0 && s->heap[(i - 1) / 2]->at_ms > due->at_ms) {
        put(s, i, s->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(s, i, due);
}

static void sift_down(struct kns_scheduler *s, size_t i)
{
    struct kns_due *due = s->heap[i];

    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= s->count)
            break;
        if (child + 1 < s->count && s->heap[child + 1]->at_ms < s->heap[child]->at_ms)
            child++;
        if (s->heap[child]->at_ms >= due->at_ms)
            break;
        put(s, i, s->heap[child]);
        i = child;
    }
    put(s, i, due);
}

bool kns_scheduler_reserve(struct kns_scheduler *s, size_t count)
{
    size_t cap = s->cap == 0 ? 64 : s->cap;

    while (cap < count)
        cap *= 2;
    if (cap == s->cap)
        return true;
    struct kns_due **heap = realloc(s->heap, cap * sizeof(struct kns_due *));
    if (heap == NULL)
        return false;
    s->heap = heap;
    s->cap = cap;
    return true;
}

void kns_scheduler_set(struct kns_scheduler *s, struct kns_due *due, int64_t at_ms)
{
    if (due->place == 0)
        put(s, s->count++, due);
    due->at_ms = at_ms;
    sift_up(s, due->place - 1);
    sift_down(s, due->place - 1);
}

void kns_scheduler_remove(struct kns_scheduler *s, struct kns_due *due)
{
    if (due->place == 0)
        return;
    size_t i = due->place - 1;
    struct kns_due *last = s->heap[--s->count];
    due->place = 0;
    if (last == due)
        return;
    put(s, i, last);
    sift_up(s, i);
    sift_down(s, last->place - 1);
}

void kns_scheduler_shift(struct kns_scheduler *s, int64_t by_ms)
{
    for (size_t i = 0; i < s->count; i++)
        s->heap[i]->at_ms += by_ms;
}

struct kns_due *kns_scheduler_first(const struct kns_scheduler *s)
{
    return s->count == 0 ? NULL : s->heap[0];
}

void kns_scheduler_fini(struct kns_scheduler *s)
{
    free(s->heap);
    *s = (struct kns_scheduler){0};
}
