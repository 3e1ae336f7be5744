/* Lists of subscriptions: what is read, what is written, and that the two agree. */
#include "lib/opml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/arena.h"

static enum kns_status read_list(const char *text, struct kns_opml *ret)
{
    struct kns_error err;

    *ret = (struct kns_opml){0};
    return kns_opml_read(arena, text, strlen(text), ret, &err);
}

static void assert_tags(const struct kns_opml_feed *feed, const char *expected)
{
    const struct kns_string *tag;
    struct kns_buf text = {0};

    KNS_LIST_EACH(tag, &feed->tags.list)
    {
        kns_buf_adds(&text, text.len > 0 ? "|" : "");
        kns_buf_adds(&text, tag->value);
    }
    assert_string_equal(kns_buf_str(&text), expected);
    kns_buf_fini(&text);
}

static void folders_become_tags(void **state)
{
    struct kns_opml list;
    (void)state;

    assert_int_equal(
        read_list("<opml version='2.0'><head><title>Mine</title></head><body>"
                  "<outline text='Papers'><outline text='AI'>"
                  "<outline type='rss' text='A &amp; B' xmlUrl=' http://a/f ' htmlUrl='http://a/'/>"
                  "</outline></outline><outline text='C' xmlUrl='http://c/f' category='x,/y/z'/>"
                  "</body></opml>",
                  &list),
        KNS_OK);
    assert_int_equal(list.feeds.count, 2);
    assert_string_equal(list.title, "Mine");
    assert_string_equal(list.feeds.first->url, "http://a/f");
    assert_string_equal(list.feeds.first->title, "A & B");
    assert_string_equal(list.feeds.first->home_page_url, "http://a/");
    assert_tags(list.feeds.first, "Papers/AI");
    assert_tags(list.feeds.last, "x|y/z");
}

static void a_feed_in_two_folders_is_one_feed_with_two_tags(void **state)
{
    struct kns_opml list;
    (void)state;

    assert_int_equal(
        read_list("<opml><body><outline text='a'><outline xmlUrl='http://x/'/></outline>"
                  "<outline text='b'><outline xmlUrl='http://x/'/></outline></body></opml>",
                  &list),
        KNS_OK);
    assert_int_equal(list.feeds.count, 1);
    assert_int_equal(list.repeats, 1);
    assert_tags(list.feeds.first, "a|b");
}

static void stray_ampersands_are_mended_and_a_missing_end_costs_nothing(void **state)
{
    struct kns_opml list;
    (void)state;

    assert_int_equal(
        read_list("<opml><body><outline text='R&D' XMLURL='http://x/?a=1&b=2'/><outline text='q'>",
                  &list),
        KNS_OK);
    assert_true(list.repaired);
    assert_int_equal(list.feeds.count, 1);
    assert_string_equal(list.feeds.first->url, "http://x/?a=1&b=2");
    assert_string_equal(list.feeds.first->title, "R&D");
    assert_int_equal(list.cut_line, 1);
}

static void a_list_that_ends_too_soon_says_where(void **state)
{
    static const char text[] =
        "<opml version='2.0'>\n<body>\n<outline text='a' xmlUrl='http://a/'/>\n"
        "<outline text='b' xmlUrl='http://b/'/>\n</body>\n</opml>\n";
    struct kns_opml list;
    (void)state;

    assert_int_equal(read_list(text, &list), KNS_OK);
    assert_int_equal(list.cut_line, 0);
    for (size_t end = 1; end < sizeof(text) - 2; end++) {
        char cut[sizeof(text)] = "";
        memcpy(cut, text, end);
        enum kns_status status = read_list(cut, &list);
        if (status == KNS_OK && strstr(cut, "</opml>") == NULL) {
            assert_true(list.cut_line >= 3 && list.cut_line <= 6);
            assert_non_null(list.cut_why);
        }
    }
}

static void what_is_no_opml_is_refused(void **state)
{
    struct kns_opml list;
    (void)state;

    assert_int_equal(read_list("", &list), KNS_ENOTFEED);
    assert_int_equal(read_list("hello", &list), KNS_ENOTFEED);
    assert_int_equal(read_list("<rss/>", &list), KNS_ENOTFEED);
    assert_int_equal(read_list("<!DOCTYPE opml [<!ENTITY a 'b'>]><opml/>", &list), KNS_ENOTFEED);
}

static enum kns_status read_nested(size_t depth)
{
    struct kns_buf text = {0};
    struct kns_opml list;

    kns_buf_adds(&text, "<opml><body>");
    for (size_t i = 0; i < depth; i++)
        kns_buf_adds(&text, "<outline text='f'>");
    for (size_t i = 0; i < depth; i++)
        kns_buf_adds(&text, "</outline>");
    kns_buf_adds(&text, "</body></opml>");
    enum kns_status status = read_list(kns_buf_str(&text), &list);
    kns_buf_fini(&text);
    return status;
}

static void folders_may_be_as_deep_as_the_limit_and_no_deeper(void **state)
{
    (void)state;
    assert_int_equal(read_nested(KNS_OPML_MAX_DEPTH), KNS_OK);
    assert_int_equal(read_nested(KNS_OPML_MAX_DEPTH + 1), KNS_ELIMIT);
    assert_int_equal(read_nested(100000), KNS_ELIMIT);
}

static struct kns_opml_feed *feed_with(struct kns_opml *list, const char *url, const char *title,
                                       const char *const *tags)
{
    struct kns_opml_feed *feed = KNS_NEW(arena, struct kns_opml_feed);

    feed->url = url;
    feed->title = title;
    for (; *tags != NULL; tags++) {
        struct kns_string *tag = KNS_NEW(arena, struct kns_string);
        tag->value = *tags;
        KNS_LIST_APPEND(&feed->tags.list, tag);
    }
    KNS_LIST_APPEND(&list->feeds, feed);
    return feed;
}

static void what_was_written_reads_back_the_same(void **state)
{
    struct kns_opml list = {.title = "購読 <一覧>", .date = {1700000000}};
    struct kns_opml again;
    struct kns_buf out = {0}, out2 = {0};
    (void)state;

    feed_with(&list, "http://a/", "plain", (const char *[]){NULL});
    feed_with(&list, "http://b/?x=1&y=\"2\"", "a \"quoted\" <title> & more",
              (const char *[]){"Papers/AI", "to read", NULL});
    feed_with(&list, "http://c/", "日本語", (const char *[]){"with,comma", NULL});
    feed_with(&list, "http://d/", NULL, (const char *[]){"back\\slash", "Papers", NULL});
    feed_with(&list, "http://e/", "odd", (const char *[]){"trailing/", NULL});
    assert_int_equal(kns_opml_write(&list, &out, NULL), KNS_OK);
    assert_int_equal(read_list(kns_buf_str(&out), &again), KNS_OK);
    assert_false(again.repaired);
    assert_string_equal(again.title, list.title);
    assert_int_equal(again.date.unix_s, list.date.unix_s);
    assert_int_equal(again.feeds.count, list.feeds.count);
    const struct kns_opml_feed *a, *b;
    KNS_LIST_EACH(a, &list.feeds)
    {
        KNS_LIST_EACH(b, &again.feeds)
        if (strcmp(a->url, b->url) == 0)
            break;
        assert_non_null(b);
        assert_string_equal(a->title != NULL ? a->title : "-", b->title != NULL ? b->title : "-");
        assert_int_equal(a->tags.list.count, b->tags.list.count);
        const struct kns_string *s = a->tags.list.first, *t = b->tags.list.first;
        for (; s != NULL; s = s->next, t = t->next)
            assert_string_equal(s->value, t->value);
    }
    assert_int_equal(kns_opml_write(&again, &out2, NULL), KNS_OK);
    assert_string_equal(kns_buf_str(&out), kns_buf_str(&out2));
    kns_buf_fini(&out);
    kns_buf_fini(&out2);
}

static void an_export_holds_no_credentials(void **state)
{
    struct kns_feed feed = {.url = "https://me:secret@example.org/f", .title = "t"};
    (void)state;

    assert_string_equal(kns_opml_feed_of(arena, &feed)->url, "https://example.org/f");
}

static void the_starter_list_and_the_sample_list_read_without_mending(void **state)
{
    static const char *const files[] = {"/config/feeds.opml", "/samples/feeds/feeds.opml"};
    char bytes[65536];
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        char path[512];
        struct kns_opml list = {0};
        snprintf(path, sizeof(path), "%s%s", KNS_SOURCE_DIR, files[i]);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t size = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        assert_int_equal(kns_opml_read(arena, bytes, size, &list, NULL), KNS_OK);
        assert_false(list.repaired);
        assert_int_equal(list.repeats, 0);
        assert_true(list.feeds.count >= 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(folders_become_tags),
        TEST(a_feed_in_two_folders_is_one_feed_with_two_tags),
        TEST(stray_ampersands_are_mended_and_a_missing_end_costs_nothing),
        TEST(a_list_that_ends_too_soon_says_where),
        TEST(what_is_no_opml_is_refused),
        TEST(folders_may_be_as_deep_as_the_limit_and_no_deeper),
        TEST(what_was_written_reads_back_the_same),
        TEST(an_export_holds_no_credentials),
        TEST(the_starter_list_and_the_sample_list_read_without_mending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
