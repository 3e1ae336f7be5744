/* Newsletters of several shapes: an issue's HTML and the items, sections and comments it becomes. */
#include "lib/newsletter.h"

#include "lib/newsletter/words.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/arena.h"

#define FIXTURES KNS_SOURCE_DIR "/tests/fixtures/newsletters"

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    char *bytes = kns_arena_alloc(arena, 1 << 20);

    if (file == NULL)
        fail_msg("cannot open %s", path);
    *ret_size = fread(bytes, 1, (1 << 20) - 1, file);
    fclose(file);
    return bytes;
}

static struct kns_newsletter *read_html(const char *html)
{
    const struct kns_newsletter_source source = {.url = "https://letters.example/weekly/12"};
    struct kns_newsletter *newsletter = NULL;
    struct kns_error err = {0};

    if (kns_newsletter_read(arena, html, &source, &newsletter, &err) != KNS_OK)
        fail_msg("%s", err.message);
    return newsletter;
}

static void assert_like_expected(const char *path, const char *expected_path)
{
    const struct kns_newsletter_source source = {.url = "https://letters.example/weekly/12"};
    struct kns_newsletter *newsletter = NULL;
    struct kns_error err = {0};
    json_error_t problem;
    size_t size;
    const char *bytes = read_file(path, &size);

    if (kns_newsletter_read_file(arena, bytes, size, &source, &newsletter, &err) != KNS_OK)
        fail_msg("%s: %s", path, err.message);
    json_t *expected = json_load_file(expected_path, 0, &problem);
    json_t *actual = kns_newsletter_to_json(newsletter, false);
    if (expected == NULL)
        fail_msg("%s: %s", expected_path, problem.text);
    if (!json_equal(expected, actual)) {
        json_dumpf(actual, stderr, JSON_INDENT(2));
        fail_msg("%s is not read as %s says", path, expected_path);
    }
    json_decref(expected);
    json_decref(actual);
}

static void every_sample_gives_its_items_sections_and_comments(void **state)
{
    DIR *dir = opendir(FIXTURES);
    size_t count = 0;

    (void)state;
    assert_non_null(dir);
    for (struct dirent *file = readdir(dir); file != NULL; file = readdir(dir)) {
        const char *dot = strrchr(file->d_name, '.');
        if (dot == NULL || (strcmp(dot, ".html") != 0 && strcmp(dot, ".md") != 0))
            continue;
        assert_like_expected(kns_arena_printf(arena, FIXTURES "/%s", file->d_name),
                             kns_arena_printf(arena, FIXTURES "/%.*s.json",
                                              (int)(dot - file->d_name), file->d_name));
        count++;
    }
    closedir(dir);
    assert_true(count >= 26);
}

static void a_link_that_goes_on_as_a_sentence_is_no_item(void **state)
{
    const struct kns_newsletter *n =
        read_html("<p><a href='https://a.example/1'>新しい大会</a>が始まりました。</p>"
                  "<p><a href='https://a.example/2'>A tool</a>, which I like, is out.</p>"
                  "<p><strong><a href='https://a.example/3'>Another</a></strong> was "
                  "released.</p>");

    (void)state;
    assert_int_equal(n->items.count, 0);
    assert_int_equal(n->mentions.count, 3);
    assert_string_equal(n->mentions.first->context, "新しい大会が始まりました。");
}

static void a_sentence_that_ends_in_a_link_or_in_brackets_goes_on(void **state)
{
    const struct kns_newsletter *n = read_html(
        "<p>先に。「<a href='https://a.example/1'>予測せよ！ 大会</a>」が（本当に。）始まりま"
        "した。後に。</p>");

    (void)state;
    assert_string_equal(n->mentions.first->context,
                        "「予測せよ！ 大会」が（本当に。）始まりました。");
}

static void wrapping_is_neither_item_nor_comment(void **state)
{
    const struct kns_newsletter *n = read_html(
        "<p><a href='https://letters.example/weekly/12'>View in browser</a></p>"
        "<p><b><a href='https://a.example/1'>One</a></b></p><p>First comment.</p>"
        "<p><b><a href='https://a.example/2'>Two</a></b></p><p>Second comment.</p>"
        "<p><b><a href='https://letters.example/weekly/11'>Last week</a></b></p><p>More there.</p>"
        "<p><b><a href='https://letters.example/unsubscribe'>Unsubscribe</a></b></p>"
        "<p><b><a href='https://twitter.com/intent/tweet?text=a'>Tell them</a></b></p>");

    (void)state;
    assert_int_equal(n->items.count, 2);
    assert_string_equal(n->items.first->note, "First comment.");
    assert_string_equal(n->items.last->note, "Second comment.");
    assert_int_equal(n->sections.count, 0);
}

static void an_item_without_text_takes_none_from_its_neighbours(void **state)
{
    const struct kns_newsletter *n =
        read_html("<div><h3><a href='https://a.example/1'>One</a></h3></div>"
                  "<div><h3><a href='https://a.example/2'>Two</a></h3><p>About two.</p></div>"
                  "<div><h3><a href='https://a.example/3'>Three</a></h3></div>"
                  "<div><h3><a href='https://a.example/4'>Four</a></h3><p>About four.</p></div>");
    const struct kns_newsletter_item *item = n->items.first;

    (void)state;
    assert_int_equal(n->items.count, 4);
    assert_null(item->note);
    assert_null(item->description);
    assert_string_equal(item->next->note, "About two.");
    assert_null(item->next->next->note);
    assert_string_equal(n->items.last->note, "About four.");
}

static void a_picture_goes_to_the_item_it_stands_with(void **state)
{
    const struct kns_newsletter *before =
        read_html("<img src='https://i.example/1.png'><h3><a href='https://a.example/1'>One</a>"
                  "</h3><p>x</p><h3><a href='https://a.example/2'>Two</a></h3><p>y</p>"
                  "<img src='https://i.example/3.png'><h3><a href='https://a.example/3'>Three</a>"
                  "</h3><p>z</p>");
    const struct kns_newsletter *linked =
        read_html("<h3><a href='https://a.example/1'>One</a></h3><p>x</p>"
                  "<a href='https://a.example/1?utm_source=m'><img src='https://i.example/1.png'>"
                  "</a><h3><a href='https://a.example/2'>Two</a></h3><p>y</p>");

    (void)state;
    assert_string_equal(before->items.first->image, "https://i.example/1.png");
    assert_null(before->items.first->next->image);
    assert_string_equal(before->items.last->image, "https://i.example/3.png");
    assert_string_equal(linked->items.first->image, "https://i.example/1.png");
    assert_null(linked->items.last->image);
}

static void links_in_a_comment_stay_in_it_even_as_a_list(void **state)
{
    const struct kns_newsletter *n = read_html(
        "<h2>Reading</h2><p><b><a href='https://a.example/1'>One</a></b></p><p>See also:</p><ul>"
        "<li><a href='https://b.example/1'>this</a></li><li><a href='https://b.example/2'>that</a>"
        "</li></ul><p><b><a href='https://a.example/2'>Two</a></b></p><p>Good.</p>");

    (void)state;
    assert_int_equal(n->items.count, 2);
    assert_string_equal(n->items.first->note_html,
                        "<p>See also:</p><ul><li><a href=\"https://b.example/1\">this</a></li>"
                        "<li><a href=\"https://b.example/2\">that</a></li></ul>");
    assert_string_equal(n->items.last->section, "Reading");
}

static void trackers_go_and_relative_links_become_absolute(void **state)
{
    const struct kns_newsletter *n =
        read_html("<p><b><a href='/posts/1?utm_source=x&amp;id=7&amp;mc_eid=2'>One</a></b></p>"
                  "<p>With <a href='https://b.example/?utm_medium=email'>b</a> and <a "
                  "href='javascript:x()'>c</a>.</p>");

    (void)state;
    assert_string_equal(n->items.first->url, "https://letters.example/posts/1?id=7");
    assert_string_equal(n->items.first->note_html,
                        "<p>With <a href=\"https://b.example/\">b</a> and c.</p>");
}

static void numbers_come_from_titles(void **state)
{
    (void)state;
    assert_int_equal(kns_newsletter_number("Weekly Kaggle News #117"), 117);
    assert_int_equal(kns_newsletter_number("週刊データ 第12号 2026年11月"), 12);
    assert_int_equal(kns_newsletter_number("Gradient 7: the 2026 review"), 0);
    assert_int_equal(kns_newsletter_number("Gradient No. 7: the 2026 review"), 7);
    assert_int_equal(kns_newsletter_number("Gradient Letter 48"), 48);
    assert_int_equal(kns_newsletter_number("Best of 2026"), 0);
    assert_int_equal(kns_newsletter_number("Notes"), 0);
}

static void own_addresses_are_told_from_neighbours(void **state)
{
    const char *issue = "https://host.example/profile/me/issues/12-x";

    (void)state;
    assert_true(words_is_self(arena, "https://host.example/profile/me", issue, NULL));
    assert_true(words_is_self(arena, "https://www.host.example/profile/me/issues/11", issue, NULL));
    assert_true(words_is_self(arena, "https://host.example/", issue, NULL));
    assert_false(words_is_self(arena, "https://host.example/profile/you/issues/3", issue, NULL));
    assert_false(words_is_self(arena, "https://other.example/profile/me", issue, NULL));
    assert_true(words_is_self(arena, "https://w.example/6", "https://w.example/7", NULL));
    assert_false(words_is_self(arena, "https://w.example/blog/6", "https://w.example/7", NULL));
}

static void text_without_markup_is_no_newsletter(void **state)
{
    struct kns_newsletter *newsletter = NULL;
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(kns_newsletter_read_file(arena, "Hello.", 6, NULL, &newsletter, &err),
                     KNS_ESYNTAX);
    assert_null(newsletter);
}

static void every_beginning_of_a_sample_can_be_read(void **state)
{
    size_t size;
    const char *bytes = read_file(FIXTURES "/mail-tables.html", &size);

    (void)state;
    for (size_t cut = 1; cut < size; cut += 7) {
        struct kns_arena *own = kns_arena_new(0);
        struct kns_newsletter *newsletter = NULL;
        enum kns_status status = kns_newsletter_read_file(own, bytes, cut, NULL, &newsletter, NULL);
        assert_true(status == KNS_OK || status == KNS_ESYNTAX);
        kns_arena_free(own);
    }
}

/* At every tag's end the sample may have ended: what has items enough there was not passed over. */
static void the_quick_look_passes_over_no_roundup(void **state)
{
    DIR *dir = opendir(FIXTURES);
    size_t roundups = 0;

    (void)state;
    assert_non_null(dir);
    for (struct dirent *file = readdir(dir); file != NULL; file = readdir(dir)) {
        size_t size;
        const char *dot = strrchr(file->d_name, '.');
        if (dot == NULL || (strcmp(dot, ".html") != 0 && strcmp(dot, ".md") != 0))
            continue;
        char *html = read_file(kns_arena_printf(arena, FIXTURES "/%s", file->d_name), &size);
        for (char *end = strchr(html, '>'); end != NULL; end = strchr(end + 1, '>')) {
            struct kns_arena *own = kns_arena_new(0);
            struct kns_newsletter *newsletter = NULL;
            char after = end[1];
            end[1] = '\0';
            bool may_be = kns_newsletter_may_be_roundup(html);
            assert_int_equal(kns_newsletter_read(own, html, NULL, &newsletter, NULL), KNS_OK);
            size_t items = newsletter->items.count;
            end[1] = after;
            kns_arena_free(own);
            assert_true(may_be || items < 3);
            roundups += items >= 3;
            if (items > 3)
                break;
        }
    }
    closedir(dir);
    assert_true(roundups >= 7);
    assert_false(kns_newsletter_may_be_roundup("<p>http, <a href='https://a.example/'>one "
                                               "link</a> and <a href=\"/b\">another</a></p>"));
    assert_true(kns_newsletter_may_be_roundup("https://a.example/ http://b.example/ "
                                              "(https://c.example/)"));
}

static void a_small_arena_is_an_error_and_no_crash(void **state)
{
    size_t size;
    const char *bytes = read_file(FIXTURES "/archive.md", &size);

    (void)state;
    for (size_t limit = 256; limit < 200000; limit = limit * 5 / 4) {
        struct kns_arena *own = kns_arena_new(limit);
        struct kns_newsletter *newsletter = NULL;
        if (own == NULL)
            continue;
        enum kns_status status =
            kns_newsletter_read_file(own, bytes, size, NULL, &newsletter, NULL);
        assert_true(status == KNS_ENOMEM || (status == KNS_OK && newsletter->items.count == 4));
        kns_arena_free(own);
    }
}

/* Processor time for a title, many times a text, and a title. */
static double seconds_for(const char *text, size_t times)
{
    struct kns_arena *own = kns_arena_new(0);
    struct kns_newsletter *newsletter = NULL;
    size_t len = strlen(text), at;
    char *html = malloc(times * len + 200);
    clock_t start = clock();

    at = (size_t)sprintf(html, "<p><a href='https://a.example/1'>One</a></p>");
    for (size_t i = 0; i < times; i++, at += len)
        memcpy(html + at, text, len);
    strcpy(html + at, "<p><a href='https://a.example/2'>Two</a></p>");
    assert_int_equal(kns_newsletter_read(own, html, NULL, &newsletter, NULL), KNS_OK);
    free(html);
    kns_arena_free(own);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void much_of_the_same_takes_time_in_proportion(void **state)
{
    static const char *const texts[] = {
        "<p></p><img src='https://i.example/1.png'>",
        "<p>1</p><p></p>",
        "<h3>x</h3><p><a href='https://a.example/3'>https://a.example/3</a></p>",
        "text<br><a href='https://a.example/3'>x</a> y<br>",
        "<a href='https://a.example/3'>comments</a> ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        double few = seconds_for(texts[i], 2500), many = seconds_for(texts[i], 20000);
        if (many > 20 * few + 0.2)
            fail_msg("%s: 8 times as much takes %.2f s, not %.2f s", texts[i], many, few);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_sample_gives_its_items_sections_and_comments),
        TEST(a_link_that_goes_on_as_a_sentence_is_no_item),
        TEST(a_sentence_that_ends_in_a_link_or_in_brackets_goes_on),
        TEST(wrapping_is_neither_item_nor_comment),
        TEST(an_item_without_text_takes_none_from_its_neighbours),
        TEST(a_picture_goes_to_the_item_it_stands_with),
        TEST(links_in_a_comment_stay_in_it_even_as_a_list),
        TEST(trackers_go_and_relative_links_become_absolute),
        TEST(numbers_come_from_titles),
        TEST(own_addresses_are_told_from_neighbours),
        TEST(text_without_markup_is_no_newsletter),
        TEST(every_beginning_of_a_sample_can_be_read),
        TEST(the_quick_look_passes_over_no_roundup),
        TEST(a_small_arena_is_an_error_and_no_crash),
        TEST(much_of_the_same_takes_time_in_proportion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
