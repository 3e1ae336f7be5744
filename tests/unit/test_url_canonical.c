/* The canonical URL: what is the same address is the same text, however often it is made canonical. */
#include "lib/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *url, *canonical;
} rows[] = {
    {"HTTP://Example.ORG:80", "http://example.org/"},
    {"https://example.org:443/a#part", "https://example.org/a"},
    {"https://example.org:8443/a", "https://example.org:8443/a"},
    {"https://example.org/%7euser/%c3%a9", "https://example.org/~user/%C3%A9"},
    {"https://example.org/é x", "https://example.org/%C3%A9%20x"},
    {"https://example.org/a/./b/../c", "https://example.org/a/c"},
    /* An escaped dot is a dot (RFC 3986 6.2.2.2), a slash that is escaped is none. */
    {"https://example.org/a/%2e%2E/b", "https://example.org/b"},
    {"https://example.org/a%2Fb", "https://example.org/a%2Fb"},
    /* A '%' that begins no escape, so that the second round does not see one. */
    {"https://example.org/100%", "https://example.org/100%25"},
    {"https://example.org/%%41", "https://example.org/%25A"},
    {"https://example.org/%%34%31", "https://example.org/%2541"},
    {"https://example.org/a?utm_source=x&b=2&fbclid=1&a=1", "https://example.org/a?b=2&a=1"},
    {"https://example.org./a", "https://example.org/a"},
    {"https://example.org../a", "https://example.org/a"},
    {"https://user:p.@example.org.:8080/a.", "https://example.org:8080/a."},
    {"https://[::1]:8080/", "https://[::1]:8080/"},
    {"https://%65xample.org%2e/", "https://example.org/"},
    {"https://例え.jp/", "https://xn--r8jz45g.jp/"},
    {"https://%E4%BE%8B%E3%81%88.jp/", "https://xn--r8jz45g.jp/"},
    /* A number is an address, with the dot as without. */
    {"https://6./", "https://0.0.0.6/"},
};

static void an_address_has_one_canonical_form(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *canonical = kns_url_canonical(arena, rows[i].url);
        assert_string_equal(canonical, rows[i].canonical);
        assert_string_equal(kns_url_canonical(arena, canonical), rows[i].canonical);
    }
    kns_arena_free(arena);
}

static void what_is_no_web_address_has_none(void **state)
{
    static const char *const urls[] = {"",
                                       "mailto:a@b.example",
                                       "urn:x:y",
                                       "http://",
                                       "/path",
                                       "https://e%e2.example/",
                                       "https://e%.example/",
                                       "https://a%2fb.example/"};
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
        assert_null(kns_url_canonical(arena, urls[i]));
    kns_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_one_canonical_form),
        cmocka_unit_test(what_is_no_web_address_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
