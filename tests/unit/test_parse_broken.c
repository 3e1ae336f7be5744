/* Documents that are not well-formed: what is broken costs no more than what it touches. */
#include "tests/unit/parsing.h"

#include <stdio.h>

#define FEED                                                                                       \
    "<rss version='2.0'><channel><title>T</title><item><title>1</title></item></channel></rss>"

static void a_programs_warning_before_the_document_is_passed_over(void **state)
{
    static const char *const junk[] = {
        "<br />\n<b>Warning</b>: x in <b>/x.php</b> on line <b>3</b><br />\n<?xml version='1.0'?>",
        "<b>Notice</b>: x<br />\n",
        "Notice: <pre>x</pre>",
        "<div class='error'>a < b & c</div>\n",
        "<b>a</b><?xml version='1.0'?><p>not yet</p>",
        "\n\n<?xml version='1.0'?>",
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

/* XML 1.0 2.1 and 2.8: white space may stand before the root, and before anything but the declaration. */
static void white_space_before_the_document_is_no_junk(void **state)
{
    static const char *const starts[] = {"\n\n", " \t\r\n<!-- c -->", "\xEF\xBB\xBF\n",
                                         "\n<?xml-stylesheet href='x'?>"};

    (void)state;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text), "%s%s", starts[i], FEED);
        struct kns_document *d = parse_text(text);
        assert_false(d->malformed);
        assert_int_equal(d->entries.count, 1);
        assert_int_equal(d->warnings.count, 0);
        kns_document_free(d);
    }
    assert_true(is_no_feed("\n<"));
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

#define HEAD "<rss version='2.0'><channel><title>T</title>"
#define FIRST "<item><title>First</title><guid>1</guid></item>"
#define THIRD "<item><title>Third</title><guid>3</guid></item>"
#define TAIL "</channel></rss>"

/* One flaw in the second of three items. */
static void one_flaw_costs_no_more_than_what_it_touches(void **state)
{
    static const struct {
        const char *second, *title;
    } rows[] = {
        {"<title>Second & last</title><guid>2</guid>", "Second & last"},
        {"<title>Second &nbsp; &eacute;</title><guid>2</guid>", "Second é"},
        {"<title>Second &#0;&#xD800;&#147;</title><guid>2</guid>", "Second ��“"},
        {"<title>Second <3</title><guid>2</guid>", "Second <3"},
        {"<title>Second \x01</title><guid>2</guid>", "Second"},
        {"<title>Second<guid>2</guid>", "Second"},
        {"<title>Second</titel><link>http://e.example/</link><guid>2</guid>", "Second"},
        {"<title>Second</TITLE><guid>2</guid>", "Second"},
        {"<title>Second</title><guid>2</guid></foo></b>", "Second"},
        {"<guid>2</guid><title>Second</title><description><p>x<br>y</description>", "Second"},
        {"<guid>2</guid><title>Second</title><description><b><i>x</b></i></description>", "Second"},
        {"<guid>2</guid><title>Second</title><description><![CDATA[x</description>", "Second"},
        {"<guid>2</guid><title>Second</title><!-- x ", "Second"},
        {"<guid>2</guid><title>Second</title><!-- a -- b -->", "Second"},
        {"<guid>2</guid><title>Second</title><source url='x></source>", "Second"},
        {"<guid>2</guid><title>Second</title><enclosure url=x type=a/b />", "Second"},
        {"<guid>2</guid><title>Second</title><enclosure url='a<b&c' a a/>", "Second"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[1024];
        snprintf(text, sizeof(text), HEAD FIRST "<item>%s</item>" THIRD TAIL, rows[i].second);
        struct kns_document *d = parse_text(text);
        assert_true(d->malformed);
        assert_false(d->cut);
        assert_int_equal(d->entries.count, 3);
        assert_string_equal(nth_entry(d, 0)->title, "First");
        assert_string_equal(nth_entry(d, 1)->title, rows[i].title);
        assert_string_equal(nth_entry(d, 1)->guid, "2");
        assert_string_equal(nth_entry(d, 2)->title, "Third");
        assert_string_equal(nth_entry(d, 2)->guid, "3");
        assert_true(d->warnings.first->line > 0);
        kns_document_free(d);
    }
}

/* Sections that are not closed, and the next of their kind is: they end no farther than their entry. */
static void an_open_section_does_not_swallow_the_next_entry(void **state)
{
    (void)state;
    struct kns_document *d = parse_text(
        HEAD "<title>a & b</title><item><guid>1</guid><description><![CDATA[x</description></item>"
             "<item><guid>2</guid><description><![CDATA[<p>y</p>]]></description></item>" TAIL);
    assert_int_equal(d->entries.count, 2);
    assert_string_equal(nth_entry(d, 0)->summary, "x");
    assert_string_equal(nth_entry(d, 1)->content_html, "<p>y</p>");
    kns_document_free(d);
    d = parse_text("<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><!-- x </entry>"
                   "<entry><id>2</id><!-- y --></entry></feed>");
    assert_int_equal(d->entries.count, 2);
    assert_string_equal(nth_entry(d, 0)->guid, "1");
    kns_document_free(d);
}

static void elements_of_html_do_not_end_a_content(void **state)
{
    (void)state;
    struct kns_document *d = parse_text(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><content type='xhtml'><details>"
        "<summary>s</summary>a & b</details></content><title>t</title></entry></feed>");
    assert_string_equal(nth_entry(d, 0)->content_html,
                        "<details><summary>s</summary>a &amp; b</details>");
    assert_null(nth_entry(d, 0)->summary);
    kns_document_free(d);
}

/* Whole entries stay; an entry that is not whole goes; what may be missing is said. */
static void a_document_cut_anywhere_keeps_its_whole_entries(void **state)
{
    static const char text[] = HEAD FIRST "<item><title>2</title><description><![CDATA[<p>a</p>"
                                          "]]></description></item>" THIRD TAIL;
    const char *ends[3];

    (void)state;
    ends[0] = strstr(text, "</item>") + 7;
    ends[1] = strstr(ends[0], "</item>") + 7;
    ends[2] = strstr(ends[1], "</item>") + 7;
    for (size_t size = sizeof("<rss "); size < sizeof(text) - 2; size++) {
        struct kns_document *d = NULL;
        if (kns_parse(NULL, text, size, &d, NULL) != KNS_OK)
            continue;
        size_t whole = 0;
        while (whole < 3 && text + size >= ends[whole] - 1) /* the last '>' may be missing */
            whole++;
        assert_int_equal(d->entries.count, whole);
        assert_true(d->cut);
        assert_true(d->malformed);
        kns_document_free(d);
    }
}

/* The connection broke, and who fetched says so. */
static void a_broken_connection_is_a_cut_document(void **state)
{
    struct kns_parser *parser = kns_parser_new(NULL);
    struct kns_document *d = NULL;

    (void)state;
    assert_int_equal(kns_parser_write(parser, FEED, sizeof(FEED) - 1, NULL), KNS_OK);
    assert_int_equal(kns_parser_finish(parser, true, &d, NULL), KNS_OK);
    assert_true(d->cut);
    assert_int_equal(d->entries.count, 1);
    kns_document_free(d);
    kns_parser_free(parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_flaw_costs_no_more_than_what_it_touches),
        cmocka_unit_test(an_open_section_does_not_swallow_the_next_entry),
        cmocka_unit_test(elements_of_html_do_not_end_a_content),
        cmocka_unit_test(a_document_cut_anywhere_keeps_its_whole_entries),
        cmocka_unit_test(a_broken_connection_is_a_cut_document),
        cmocka_unit_test(a_programs_warning_before_the_document_is_passed_over),
        cmocka_unit_test(white_space_before_the_document_is_no_junk),
        cmocka_unit_test(the_warning_is_looked_behind_for_so_far_and_no_farther),
        cmocka_unit_test(a_page_is_no_feed_whatever_it_holds),
        cmocka_unit_test(a_warning_is_text_whatever_it_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
