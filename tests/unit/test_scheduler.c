/* The heap of what is due, against a plain sort. */
#include "daemon/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>

#include <cmocka.h>

#define MANY 1000

static void the_earliest_comes_first_whatever_the_order_of_adding(void **state)
{
    struct kns_scheduler s = {0};
    struct kns_due due[MANY] = {0};
    int64_t last = INT64_MIN;

    (void)state;
    assert_null(kns_scheduler_first(&s));
    srand(1);
    assert_true(kns_scheduler_reserve(&s, MANY));
    for (int i = 0; i < MANY; i++)
        kns_scheduler_set(&s, &due[i], rand() % 500);
    for (int i = 0; i < MANY; i++) {
        struct kns_due *first = kns_scheduler_first(&s);
        assert_non_null(first);
        assert_true(first->at_ms >= last);
        last = first->at_ms;
        kns_scheduler_remove(&s, first);
        assert_int_equal(first->place, 0);
    }
    assert_null(kns_scheduler_first(&s));
    kns_scheduler_fini(&s);
}

/* Every node is no earlier than its parent, and knows its place. */
static void assert_heap(const struct kns_scheduler *s)
{
    for (size_t i = 0; i < s->count; i++) {
        assert_int_equal(s->heap[i]->place, i + 1);
        if (i > 0)
            assert_true(s->heap[i]->at_ms >= s->heap[(i - 1) / 2]->at_ms);
    }
}

static void moving_and_removing_anywhere_keeps_the_order(void **state)
{
    struct kns_scheduler s = {0};
    struct kns_due due[200] = {0};
    size_t in = 0;

    (void)state;
    srand(2);
    assert_true(kns_scheduler_reserve(&s, 200));
    for (int step = 0; step < 20000; step++) {
        struct kns_due *one = &due[rand() % 200];
        bool was_in = one->place != 0;
        if (rand() % 3 == 0) {
            kns_scheduler_remove(&s, one);
            in -= was_in;
        } else {
            kns_scheduler_set(&s, one, rand() % 1000);
            in += !was_in;
        }
        assert_int_equal(s.count, in);
        if (step % 50 == 0)
            assert_heap(&s);
    }
    assert_heap(&s);
    kns_scheduler_fini(&s);
    assert_int_equal(s.count, 0);
}

static void removing_what_is_not_in_changes_nothing(void **state)
{
    struct kns_scheduler s = {0};
    struct kns_due in = {0}, out = {0};

    (void)state;
    kns_scheduler_remove(&s, &out);
    assert_true(kns_scheduler_reserve(&s, 1));
    kns_scheduler_set(&s, &in, 5);
    kns_scheduler_remove(&s, &out);
    assert_ptr_equal(kns_scheduler_first(&s), &in);
    kns_scheduler_fini(&s);
}

static void a_shift_moves_all_and_keeps_their_order(void **state)
{
    struct kns_scheduler s = {0};
    struct kns_due due[3] = {0};

    (void)state;
    assert_true(kns_scheduler_reserve(&s, 3));
    for (int i = 0; i < 3; i++)
        kns_scheduler_set(&s, &due[i], 30 - 10 * i);
    kns_scheduler_shift(&s, -100);
    for (int i = 2; i >= 0; i--) {
        assert_ptr_equal(kns_scheduler_first(&s), &due[i]);
        assert_int_equal(due[i].at_ms, -70 - 10 * i);
        kns_scheduler_remove(&s, &due[i]);
    }
    kns_scheduler_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_earliest_comes_first_whatever_the_order_of_adding),
        cmocka_unit_test(moving_and_removing_anywhere_keeps_the_order),
        cmocka_unit_test(removing_what_is_not_in_changes_nothing),
        cmocka_unit_test(a_shift_moves_all_and_keeps_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
