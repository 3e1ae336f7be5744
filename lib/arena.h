/* arena.h - memory that is given out piece by piece and dies at once.
 *
 * A parse, a page of a query, a request each live in one arena. Nothing in it is freed alone; the
 * owner of the arena frees all of it. Not thread-safe: an arena belongs to one thread at a time and
 * may be handed over whole.
 */
#ifndef KNS_ARENA_H
#define KNS_ARENA_H

#include <stddef.h>

struct kns_arena;

/* A new, empty arena that will not hold more than limit_bytes (0: no limit). NULL: no memory.
 * The caller owns it. */
struct kns_arena *kns_arena_new(size_t limit_bytes);

/* Frees the arena and all that came out of it. NULL is allowed. */
void kns_arena_free(struct kns_arena *arena);

/* Forgets all that was given out and keeps the first chunk for reuse. */
void kns_arena_reset(struct kns_arena *arena);

/* size bytes, zeroed, aligned for any type; NULL when memory or the limit ran out. size 0 gives a
 * valid pointer. */
void *kns_arena_alloc(struct kns_arena *arena, size_t size);

/* A copy of size bytes with a NUL behind them; NULL as above. bytes may be NULL when size is 0. */
char *kns_arena_copy(struct kns_arena *arena, const char *bytes, size_t size);

/* A copy of a string; NULL gives NULL. */
char *kns_arena_strdup(struct kns_arena *arena, const char *string);

/* A formatted string; NULL when memory or the limit ran out. */
char *kns_arena_printf(struct kns_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes taken from the system so far. */
size_t kns_arena_used(const struct kns_arena *arena);

/* The nth object of a type, zeroed. */
#define KNS_NEW(arena, type) ((type *)kns_arena_alloc((arena), sizeof(type)))

#endif
