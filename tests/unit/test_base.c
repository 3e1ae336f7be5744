/* What every room stands on: errors, arenas, buffers, times. */
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/error.h"
#include "lib/text.h"
#include "lib/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_error_gains_context_on_its_way_up(void **state)
{
    struct kns_error err;
    (void)state;

    assert_int_equal(kns_fail(&err, KNS_EIO, "disk on fire"), KNS_EIO);
    assert_int_equal(kns_fail_in(&err, "store: commit"), KNS_EIO);
    assert_string_equal(err.message, "store: commit: disk on fire");
}

static void a_long_message_is_cut_between_characters(void **state)
{
    struct kns_error err;
    char text[2 * KNS_ERROR_MAX + 1] = "x";
    (void)state;

    for (size_t i = 1; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "語", 4);
    kns_fail(&err, KNS_EINVAL, "%s", text);
    assert_true(strlen(err.message) > KNS_ERROR_MAX - 5);
    assert_true(kns_text_is_utf8(err.message, strlen(err.message)));
}

static void an_arena_gives_zeroed_aligned_memory(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);
    (void)state;

    for (size_t size = 0; size < 100000; size = size * 2 + 1) {
        unsigned char *bytes = kns_arena_alloc(arena, size);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xAA, size);
    }
    kns_arena_reset(arena);
    const unsigned char *again = kns_arena_alloc(arena, 64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(again[i], 0);
    kns_arena_free(arena);
}

static void an_arena_keeps_its_limit(void **state)
{
    struct kns_arena *arena = kns_arena_new(64 * 1024);
    size_t given = 0;
    (void)state;

    while (kns_arena_alloc(arena, 1000) != NULL)
        given += 1000;
    assert_in_range(given, 16 * 1024, 64 * 1024);
    assert_null(kns_arena_alloc(arena, SIZE_MAX - 8));
    kns_arena_free(arena);
}

static void a_buffer_takes_its_limit_and_not_a_byte_more(void **state)
{
    struct kns_buf buf;
    (void)state;

    kns_buf_init(&buf, 10);
    kns_buf_adds(&buf, "0123456789");
    assert_false(kns_buf_failed(&buf));
    kns_buf_addc(&buf, 'x');
    assert_true(kns_buf_failed(&buf));
    assert_string_equal(kns_buf_str(&buf), "0123456789");
    kns_buf_fini(&buf);
}

static void times_are_written_as_rfc_3339(void **state)
{
    char text[KNS_TIME_TEXT];
    (void)state;

    assert_string_equal(kns_time_format((struct kns_time){1078222280}, text),
                        "2004-03-02T10:11:20Z");
    assert_string_equal(kns_time_format((struct kns_time){0}, text), "");
    assert_string_equal(kns_time_format((struct kns_time){INT64_MAX}, text), "");
}

static void http_dates_are_in_english_and_in_utc(void **state)
{
    char text[KNS_TIME_HTTP];
    (void)state;

    assert_string_equal(kns_time_format_http((struct kns_time){784111777}, text),
                        "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(kns_time_format_http((struct kns_time){-62135596800}, text),
                        "Mon, 01 Jan 0001 00:00:00 GMT");
    assert_string_equal(kns_time_format_http((struct kns_time){0}, text), "");
    assert_string_equal(kns_time_format_http((struct kns_time){INT64_MAX}, text), "");
}

static void people_type_spans_and_points_in_time(void **state)
{
    struct kns_time now = {1700000000}, t = {0};
    int64_t span = 0;
    (void)state;

    assert_true(kns_time_parse_span("30m", &span));
    assert_int_equal(span, 1800);
    assert_false(kns_time_parse_span("0h", &span));
    assert_false(kns_time_parse_span("soon", &span));
    assert_true(kns_time_parse_point("7d", now, &t));
    assert_int_equal(t.unix_s, 1700000000 - 7 * 86400);
    assert_true(kns_time_parse_point("2026-11-01", now, &t));
    assert_int_equal(t.unix_s, 1793491200);
    assert_true(kns_time_parse_point("2026-11-01T09:00:00+09:00", now, &t));
    assert_int_equal(t.unix_s, 1793491200);
    assert_false(kns_time_parse_point("7", now, &t));
    assert_false(kns_time_parse_point("", now, &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_gains_context_on_its_way_up),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory),
        cmocka_unit_test(an_arena_keeps_its_limit),
        cmocka_unit_test(a_buffer_takes_its_limit_and_not_a_byte_more),
        cmocka_unit_test(times_are_written_as_rfc_3339),
        cmocka_unit_test(http_dates_are_in_english_and_in_utc),
        cmocka_unit_test(people_type_spans_and_points_in_time),
    };

    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
