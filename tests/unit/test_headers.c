/* What the header of an answer says about freshness. */
#include "daemon/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct kns_time now = {1700000000};

static int64_t freshness(const char *first, const char *second)
{
    struct kns_headers headers = {0};

    kns_headers_reset(&headers);
    assert_true(kns_headers_add(&headers, first, strlen(first)));
    if (second != NULL)
        assert_true(kns_headers_add(&headers, second, strlen(second)));
    int64_t fresh = kns_headers_freshness(&headers, now);
    kns_headers_reset(&headers);
    return fresh;
}

static void an_answer_not_to_be_stored_is_never_fresh(void **state)
{
    (void)state;
    assert_int_equal(freshness("Cache-Control: no-store", "Expires: Thu, 14 Dec 2023 22:13:20 GMT"),
                     0);
    assert_int_equal(freshness("Cache-Control: no-cache, max-age=600", NULL), 0);
    assert_int_equal(freshness("Cache-Control: max-age=600, no-cache", NULL), 0);
}

static void age_is_taken_off_max_age(void **state)
{
    (void)state;
    assert_int_equal(freshness("Cache-Control: max-age=600", "Age: 100"), 500);
    assert_int_equal(freshness("Content-Type: text/xml", NULL), -1);
}

static void links_are_kept_in_one_line_up_to_a_bound(void **state)
{
    struct kns_headers headers = {0};
    static char line[KNS_HEADERS_MAX_LINK + 10] = "Link: ";

    (void)state;
    kns_headers_reset(&headers);
    assert_true(kns_headers_add(&headers, "Link: <a>; rel=hub\r\n", 20));
    assert_true(kns_headers_add(&headers, "LINK: <b>; rel=self", 19));
    assert_string_equal(headers.link, "<a>; rel=hub, <b>; rel=self");
    memset(line + 6, 'x', KNS_HEADERS_MAX_LINK - 26); /* and what stands before it: too long */
    assert_true(kns_headers_add(&headers, line, strlen(line)));
    assert_string_equal(headers.link, "<a>; rel=hub, <b>; rel=self");
    kns_headers_reset(&headers);
    assert_null(headers.link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_not_to_be_stored_is_never_fresh),
        cmocka_unit_test(age_is_taken_off_max_age),
        cmocka_unit_test(links_are_kept_in_one_line_up_to_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
