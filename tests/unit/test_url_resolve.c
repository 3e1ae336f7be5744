/* References against their base: RFC 3986 5.4, and what the WHATWG URL standard makes of web addresses beyond that. */
#include "lib/html.h"
#include "lib/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct row {
    const char *reference, *url;
};

static void assert_resolved(const char *base, const struct row *rows, size_t count)
{
    struct kns_arena *arena = kns_arena_new(0);

    for (size_t i = 0; i < count; i++)
        assert_string_equal(kns_url_resolve(arena, base, rows[i].reference), rows[i].url);
    kns_arena_free(arena);
}

static void the_examples_of_the_standard(void **state)
{
    static const struct row rows[] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {";x", "http://a/b/c/;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"..g", "http://a/b/c/..g"},
        {"...", "http://a/b/c/..."},
        {"./g/.", "http://a/b/c/g/"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "http://a/b/c/g"}, /* 5.4.2: "may be substituted" */
    };

    (void)state;
    assert_resolved("http://a/b/c/d;p?q", rows, sizeof(rows) / sizeof(rows[0]));
}

static void escaped_dots_are_dots(void **state)
{
    static const struct row rows[] = {
        {"%2e%2E/g", "http://a/b/g"},      {"/x/.%2e/g", "http://a/g"},
        {"%2e/g", "http://a/b/c/g"},       {"/%2E./g", "http://a/g"},
        {"%2eg/h", "http://a/b/c/%2eg/h"}, {"%2", "http://a/b/c/%2"},
    };

    (void)state;
    assert_resolved("http://a/b/c/d", rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_web_address_has_two_slashes_before_its_host(void **state)
{
    static const struct row rows[] = {
        {"\\g", "http://a/g"},
        {"\\\\g\\h?x\\y", "http://g/h?x\\y"},
        {"/b\\c", "http://a/b/c"},
        {"http:\\\\x\\y#z\\", "http://x/y#z\\"},
        {"http:/x/y", "http://a/x/y"},
        {"https:/x/y", "https://x/y"},
        {"https:x/y", "https://x/y"},
        {"http:///x/y", "http://x/y"},
        {"///x/y", "http://x/y"},
        {"HTTP:g", "http://a/b/g"},
        {"http:http:g", "http://a/b/http:g"},
        {"https:", "https:"},
        /* Nobody knows what these mean by theirs. */
        {"urn:x\\y", "urn:x\\y"},
        {"file:///x", "file:///x"},
        {"x:/y", "x:/y"},
    };

    (void)state;
    assert_resolved("http://a/b/c", rows, sizeof(rows) / sizeof(rows[0]));
}

static void a_base_is_straightened_like_a_reference(void **state)
{
    static const char *const bases[] = {"http:///a/b", "http:\\\\a\\b", "http:/a/b", " http:a/b"};
    static const struct row rows[] = {
        {"g", "http://a/g"}, {"/g", "http://a/g"}, {"?y", "http://a/b?y"}};

    (void)state;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        assert_resolved(bases[i], rows, sizeof(rows) / sizeof(rows[0]));
}

static void an_address_without_host_is_no_base(void **state)
{
    static const char *const bases[] = {"https://", "https://?c", "http:/?c",
                                        "https:",   "http:///#",  "https://\t"};
    static const struct row rows[] = {{"/g", "/g"}, {"g?x", "g?x"}, {"http:/x", "http://x"}};

    (void)state;
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        assert_resolved(bases[i], rows, sizeof(rows) / sizeof(rows[0]));
}

static void an_address_without_base_is_straightened_too(void **state)
{
    static const struct row rows[] = {
        {" http:\\\\x\\y ", "http://x/y"}, {"http:/x", "http://x"}, {"a\\b", "a\\b"}, {"", ""}};

    (void)state;
    assert_resolved(NULL, rows, sizeof(rows) / sizeof(rows[0]));
}

static void html_has_its_addresses_straightened(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    assert_string_equal(kns_html_resolve(arena,
                                         "<a href='http:\\\\x\\y'><a href='https:/z'><a href=c>"
                                         "<a href='tag:x,y'><a href='http://x\\y'>",
                                         "http://a/b"),
                        "<a href='http://x/y'><a href='https://z'><a href=http://a/c>"
                        "<a href='tag:x,y'><a href='http://x/y'>");
    kns_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_standard),
        cmocka_unit_test(escaped_dots_are_dots),
        cmocka_unit_test(a_web_address_has_two_slashes_before_its_host),
        cmocka_unit_test(a_base_is_straightened_like_a_reference),
        cmocka_unit_test(an_address_without_host_is_no_base),
        cmocka_unit_test(an_address_without_base_is_straightened_too),
        cmocka_unit_test(html_has_its_addresses_straightened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
