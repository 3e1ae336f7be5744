/* Documents that are not well-formed: what is broken costs no more than what it touches. */
#include "tests/unit/parsing.h"

#include <stdio.h>

#define FEED                                                                                       \
    "<rss version='2.0'><channel><title>T</title><item><title>1</title></item></channel></rss>"

static void a_programs_warning_before_the_document_is_passed_over(void **state)
{
    static const char *const junk[] = {
        "<br />\n<b>Warning</b>: fopen() in <b>/x.php</b> on line <b>3</b><br />\n<?xml "
        "version='1.0'?>",
        "<b>Notice</b>: x<br />\n",
        "Notice: <pre>x</pre>",
        "<div class='error'>a < b & c</div>\n",
        "<b>a</b><?xml version='1.0'?><p>not yet</p>",
        "\n\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%s%s", junk[i], FEED);
        struct kns_document *d = parse_text(text);
        assert_true(d->malformed);
        assert_int_equal(d->entries.count, 1);
        assert_string_equal(d->warnings.first->message,
                            "something stands before the document's beginning");
        kns_document_free(d);
    }
}

static void the_warning_is_looked_behind_for_so_far_and_no_farther(void **state)
{
    const size_t limit = (size_t)64 << 10;
    char *text = malloc(limit + sizeof(FEED));
    struct kns_document *d = NULL;

    (void)state;
    memset(text, ' ', limit);
    memcpy(text, "<b>", 3);
    /* The marker with the character behind it must stand within the limit. */
    strcpy(text + limit - 5, FEED);
    assert_int_equal(kns_parse(NULL, text, strlen(text), &d, NULL), KNS_OK);
    kns_document_free(d);
    text[limit - 5] = ' ';
    strcpy(text + limit - 4, FEED);
    assert_int_equal(kns_parse(NULL, text, strlen(text), &d, NULL), KNS_ENOTFEED);
    free(text);
}

static void a_page_is_no_feed_whatever_it_holds(void **state)
{
    (void)state;
    assert_true(is_no_feed("<html><body><?xml version='1.0'?>" FEED "</body></html>"));
    assert_true(is_no_feed("<!DOCTYPE html><head></head>" FEED));
    assert_true(is_no_feed("<opml version='2.0'><body/></opml>" FEED));
    assert_true(is_no_feed("<b>Warning</b>: no feed behind it"));
    assert_true(is_no_feed("<b>Warning</b> <?xml version='1.0'?><opml/>"));
}

static void a_warning_is_text_whatever_it_quotes(void **state)
{
    char text[1024], date[301];

    (void)state;
    /* A hundred bytes of it are shown, and the hundredth is in the middle of a character. */
    for (size_t i = 0; i < 100; i++)
        memcpy(date + 3 * i, "日", 3);
    date[300] = '\0';
    snprintf(text, sizeof(text), "<rss><channel><pubDate>%s</pubDate></channel></rss>", date);
    struct kns_document *d = parse_text(text);
    assert_int_equal(strlen(d->warnings.first->message), strlen("not a date: \"\"") + 99);
    kns_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_programs_warning_before_the_document_is_passed_over),
        cmocka_unit_test(the_warning_is_looked_behind_for_so_far_and_no_farther),
        cmocka_unit_test(a_page_is_no_feed_whatever_it_holds),
        cmocka_unit_test(a_warning_is_text_whatever_it_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
