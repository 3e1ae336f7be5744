/* arena.h - a new arena for each test that TEST() lists. Included behind cmocka.h. */
#ifndef KNS_TESTS_ARENA_H
#define KNS_TESTS_ARENA_H

#include "lib/arena.h"

#include <stddef.h>

static struct kns_arena *arena;

static inline int set_up_arena(void **state)
{
    (void)state;
    arena = kns_arena_new(0);
    return arena == NULL;
}

static inline int tear_down_arena(void **state)
{
    (void)state;
    kns_arena_free(arena);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_arena, tear_down_arena)

#endif
