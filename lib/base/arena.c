#include "lib/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks double from the first to the last size; what is larger than a quarter of a chunk gets one
 * of its own, so that one long string wastes nothing. */
#define CHUNK_FIRST ((size_t)4096)
#define CHUNK_LAST ((size_t)64 << 10)

struct chunk {
    struct chunk *next;
    size_t cap;
    size_t used;
    alignas(max_align_t) char bytes[];
};

struct kns_arena {
    struct chunk *current; /* the one being filled; older ones behind it */
    size_t next_size;
    size_t limit;
    size_t used;
};

struct kns_arena *kns_arena_new(size_t limit_bytes)
{
    struct kns_arena *arena = calloc(1, sizeof(*arena));

    if (arena == NULL)
        return NULL;
    arena->next_size = CHUNK_FIRST;
    arena->limit = limit_bytes;
    return arena;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void kns_arena_free(struct kns_arena *arena)
{
    if (arena == NULL)
        return;
    free_chunks(arena->current);
    free(arena);
}

void kns_arena_reset(struct kns_arena *arena)
{
    struct chunk *keep = arena->current;

    if (keep == NULL)
        return;
    free_chunks(keep->next);
    keep->next = NULL;
    memset(keep->bytes, 0, keep->used);
    keep->used = 0;
    arena->used = sizeof(*keep) + keep->cap;
}

/* A chunk with room for size bytes, with the zeroes that alloc promises, or without where it is filled at once. */
static struct chunk *chunk_new(struct kns_arena *arena, size_t cap, bool zeroed)
{
    size_t whole = sizeof(struct chunk) + cap;

    if (whole < cap ||
        (arena->limit != 0 && (whole > arena->limit || arena->used > arena->limit - whole)))
        return NULL;
    struct chunk *chunk = zeroed ? calloc(1, whole) : malloc(whole);
    if (chunk == NULL)
        return NULL;
    *chunk = (struct chunk){.cap = cap};
    arena->used += whole;
    return chunk;
}

static void *alloc_alone(struct kns_arena *arena, size_t size, bool zeroed)
{
    struct chunk *chunk = chunk_new(arena, size, zeroed);

    if (chunk == NULL)
        return NULL;
    chunk->used = size;
    if (arena->current == NULL) {
        arena->current = chunk;
    } else {
        chunk->next = arena->current->next;
        arena->current->next = chunk;
    }
    return chunk->bytes;
}

static void *alloc(struct kns_arena *arena, size_t size, bool zeroed)
{
    const size_t align = alignof(max_align_t);

    if (size > SIZE_MAX - align - sizeof(struct chunk))
        return NULL;
    size = (size + align - 1) & ~(align - 1);
    struct chunk *chunk = arena->current;
    if (chunk == NULL || chunk->cap - chunk->used < size) {
        if (size > arena->next_size / 4)
            return alloc_alone(arena, size, zeroed);
        chunk = chunk_new(arena, arena->next_size, true);
        if (chunk == NULL)
            return NULL;
        chunk->next = arena->current;
        arena->current = chunk;
        if (arena->next_size < CHUNK_LAST)
            arena->next_size *= 2;
    }
    void *bytes = chunk->bytes + chunk->used;
    chunk->used += size;
    return bytes;
}

void *kns_arena_alloc(struct kns_arena *arena, size_t size)
{
    return alloc(arena, size, true);
}

char *kns_arena_copy(struct kns_arena *arena, const char *bytes, size_t size)
{
    if (size == SIZE_MAX)
        return NULL;
    char *copy = alloc(arena, size + 1, false);
    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *kns_arena_strdup(struct kns_arena *arena, const char *string)
{
    return string == NULL ? NULL : kns_arena_copy(arena, string, strlen(string));
}

char *kns_arena_printf(struct kns_arena *arena, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *text = kns_arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

size_t kns_arena_used(const struct kns_arena *arena)
{
    return arena->used;
}
