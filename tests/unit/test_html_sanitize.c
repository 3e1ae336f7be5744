/* The sanitiser: what goes in and what comes out. Whole pages of hostile markup are opened in a browser by test_browser_hostile.py. */
#include "lib/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define REL " rel=\"noopener noreferrer\""

struct pair {
    const char *html, *clean;
};

static void check(const struct pair *pairs, size_t n)
{
    struct kns_arena *arena = kns_arena_new(0);

    for (size_t i = 0; i < n; i++) {
        const char *clean = kns_html_sanitize(arena, pairs[i].html, "https://a.example/x/");
        assert_non_null(clean);
        assert_string_equal(clean, pairs[i].clean);
        assert_string_equal(kns_html_sanitize(arena, clean, "https://a.example/x/"), clean);
    }
    kns_arena_free(arena);
}

#define CHECK(pairs) check(pairs, sizeof(pairs) / sizeof((pairs)[0]))

static void what_a_text_is_made_of_stays(void **state)
{
    static const struct pair pairs[] = {
        {"<h2>A &amp; B</h2><p>c<br>d</p>", "<h2>A &amp; B</h2><p>c<br>d</p>"},
        {"<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>",
         "<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>"},
        {"<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"},
        {"<details open><summary>s</summary>d</details>",
         "<details open=\"\"><summary>s</summary>d</details>"},
        {"<a href=b>c</a>", "<a href=\"https://a.example/x/b\"" REL ">c</a>"},
        {"<a href='mailto:a@b.example'>m</a>", "<a href=\"mailto:a@b.example\"" REL ">m</a>"},
        {"<img src=/p.png alt=P width=140>",
         "<img src=\"https://a.example/p.png\" alt=\"P\" width=\"140\">"},
        {"<table><tr><td colspan=2>x</table>",
         "<table><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table>"},
    };

    (void)state;
    CHECK(pairs);
}

static void what_acts_or_loads_goes(void **state)
{
    static const struct pair pairs[] = {
        {"a<script>b</script>c", "ac"},
        {"<iframe src=x></iframe><object data=x>o</object><form><input name=body></form>x", "x"},
        {"<svg><a xlink:href=javascript:x>s</a></svg><math><mi>m</mi></math>x", "x"},
        {"<template><b>t</b></template><noscript><b>n</b></noscript>x", "x"},
        {"<p onclick=x id=body name=body class=item contenteditable>x</p>", "<p>x</p>"},
        {"<a href='java\nscript:x'>l</a>", "<a" REL ">l</a>"},
        {"<a href='data:text/html,x'>l</a>", "<a" REL ">l</a>"},
    };

    (void)state;
    CHECK(pairs);
}

static void an_address_before_an_address_is_judged_by_the_second(void **state)
{
    static const struct pair pairs[] = {
        {"<a href=feed:javascript:alert(1)>l</a>", "<a" REL ">l</a>"},
        {"<a href=FEED:data:text/html,x>l</a>", "<a" REL ">l</a>"},
        {"<a href=feed:https://a.example/f>l</a>",
         "<a href=\"feed:https://a.example/f\"" REL ">l</a>"},
        {"<a href=feed://a.example/f>l</a>", "<a href=\"feed://a.example/f\"" REL ">l</a>"},
    };

    (void)state;
    CHECK(pairs);
}

static void a_style_keeps_what_it_says_of_its_own_box(void **state)
{
    static const struct pair pairs[] = {
        {"<p style='color:#123456;font-weight:700;margin:0 0 12px'>x</p>",
         "<p style=\"color: #123456; font-weight: 700; margin: 0 0 12px;\">x</p>"},
        {"<p style='background-color:rgba(0,0,0,.5);line-height:1.5em;width:100%'>x</p>",
         "<p style=\"background-color: rgba(0,0,0,.5); line-height: 1.5em; width: 100%;\">x</p>"},
        {"<p style='font-family:Noto-Sans-2, sans-serif;width:2000px'>x</p>",
         "<p style=\"font-family: Noto-Sans-2, sans-serif; width: 2000px;\">x</p>"},
    };

    (void)state;
    CHECK(pairs);
}

static void a_style_reaches_no_further_than_a_page(void **state)
{
    static const struct pair pairs[] = {
        {"<p style='margin-top:-900px'>x</p>", "<p>x</p>"},
        {"<p style='margin:0 -.5em'>x</p>", "<p>x</p>"},
        {"<p style='margin:calc(0px - 900px)'>x</p>", "<p>x</p>"},
        {"<p style='margin-left:min(0px,9px);color:red'>x</p>", "<p style=\"color: red;\">x</p>"},
        {"<p style='width:2001px'>x</p>", "<p>x</p>"},
        {"<p style='width:1e5px'>x</p>", "<p>x</p>"},
        {"<p style='width:1e5'>x</p>", "<p>x</p>"},
        {"<p style='width:101vw;height:101em;line-height:401%'>x</p>", "<p>x</p>"},
        {"<p style='color:red !important'>x</p>", "<p>x</p>"},
        {"<p style='position:fixed;inset:0;z-index:9;transform:none;opacity:0'>x</p>", "<p>x</p>"},
        {"<p style='background:url(x);width:expression(x);color:var(--x)'>x</p>", "<p>x</p>"},
    };

    (void)state;
    CHECK(pairs);
}

static void a_number_reaches_no_further_than_a_page(void **state)
{
    static const struct pair pairs[] = {
        {"<img src=/p.png width=2000 height=2001>",
         "<img src=\"https://a.example/p.png\" width=\"2000\">"},
        {"<hr size=51 width=90%>", "<hr width=\"90%\">"},
        {"<table border=51 cellpadding=50><tr><td rowspan=1001>x</table>",
         "<table cellpadding=\"50\"><tbody><tr><td>x</td></tr></tbody></table>"},
    };

    (void)state;
    CHECK(pairs);
}

static void a_picture_that_nobody_sees_goes(void **state)
{
    static const struct pair pairs[] = {
        {"<img src=/p.png width=1>x", "x"},
        {"<img src=/p.png style='width:1px;height:1px'>x", "x"},
        {"<img src=/p.png style='border:0; DISPLAY : none'>x", "x"},
        {"<img src=/p.png style='visibility:hidden'>x", "x"},
        {"<img src=/p.png style='max-width:100px'>x",
         "<img src=\"https://a.example/p.png\" style=\"max-width: 100px;\">x"},
    };

    (void)state;
    CHECK(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_text_is_made_of_stays),
        cmocka_unit_test(what_acts_or_loads_goes),
        cmocka_unit_test(an_address_before_an_address_is_judged_by_the_second),
        cmocka_unit_test(a_style_keeps_what_it_says_of_its_own_box),
        cmocka_unit_test(a_style_reaches_no_further_than_a_page),
        cmocka_unit_test(a_number_reaches_no_further_than_a_page),
        cmocka_unit_test(a_picture_that_nobody_sees_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
