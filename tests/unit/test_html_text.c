/* HTML as text: by reading it off where it is simple, else by the tree, and the two agree. */
#include "lib/html.h"
#include "lib/html/plain.h"
#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *html, *text;
} rows[] = {
    {"plain", "plain"},
    {"a &amp; b &lt;c&gt; &#8217;&#x1F41F;", "a & b <c> ’🐟"},
    {"AT&T, R&D; x < y &c.", "AT&T, R&D; x < y &c."},
    {"<p>one</p><p>two<br>three</p>", "one\ntwo\nthree"},
    {"  a \n <b> b</b>  ", "a b"},
    {"<ul><li>a<li>b</ul>c", "a\nb\nc"},
    {"<div>a<p>b</div>c", "a\nb\nc"},
    {"a<!-- not this -->b", "ab"},
    {"a<script>not this</script>b<style>nor this</style>", "ab"},
    {"<table><tr><td>a<td>b</table>c", "a\nb\nc"},
    {"a</div>b", "ab"},
    {"a</p>b", "a\nb"},
    {"&copy 2020 &notit;", "© 2020 ¬it;"},
    {"<a href='>'>x</a>", "x"},
    {"a <unknown>b</unknown>", "a b"},
    /* Beyond Unicode, beyond 32 bits. */
    {"&#x110000;|&#xabccccc0|&#99999999999;", "�|�|�"},
};

static void html_is_read_as_a_reader_sees_it(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(kns_html_to_text(arena, rows[i].html), rows[i].text);
        assert_string_equal(kns_html_plain_by_tree(arena, rows[i].html, false), rows[i].text);
    }
    kns_arena_free(arena);
}

static void what_is_sanitised_is_utf8(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *clean =
        kns_html_sanitize(arena, "<p title='&#xabccccc0'>&#xffffffff;&#4294967295;", NULL);

    (void)state;
    assert_true(kns_text_is_utf8(clean, strlen(clean)));
    assert_string_equal(clean, "<p title=\"�\">��</p>");
    kns_arena_free(arena);
}

static void the_first_picture_is_one_that_shows_something(void **state)
{
    static const struct {
        const char *html, *image;
    } pictures[] = {
        {"<p>x<img alt='a > b' src='/one.png'><img src='/two.png'>", "https://e.example/one.png"},
        {"<img src='/p.gif' width=1 height=1><IMG SRC=two.png?a=1&amp;b=2>",
         "https://e.example/d/two.png?a=1&b=2"},
        {"<img src='data:image/gif;base64,R0'><img src='/emoji/x.png'><img src='/three.png'>",
         "https://e.example/three.png"},
        {"<!-- <img src='/no.png'> --><script>'<img src=\"/no.png\">'</script><img src='/4.png'>",
         "https://e.example/4.png"},
        {"<noscript><img src='/lazy.png'></noscript>", "https://e.example/lazy.png"},
        {"<imgx src='/no.png'><img><img src=''><img src='/open.png", NULL},
    };
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(pictures) / sizeof(pictures[0]); i++) {
        const char *image = kns_html_first_image(arena, pictures[i].html, "https://e.example/d/");
        if (pictures[i].image == NULL)
            assert_null(image);
        else
            assert_string_equal(image, pictures[i].image);
    }
    kns_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_is_read_as_a_reader_sees_it),
        cmocka_unit_test(what_is_sanitised_is_utf8),
        cmocka_unit_test(the_first_picture_is_one_that_shows_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
