/* Documents that are made to take long: time grows with their size and no faster. */
#include "lib/buf.h"
#include "tests/unit/parsing.h"

#include <stdio.h>
#include <time.h>

/* Sanitizers look through the rest of the text whenever it is searched: what is linear is quadratic there, and noticeably so for
 * megabytes. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIZE ((size_t)128 << 10)
#else
#define SIZE ((size_t)2 << 20)
#endif

/* Processor time to read head, then what again and again up to size, then tail. */
static double time_of(const char *head, const char *what, const char *tail, size_t size)
{
    struct kns_buf text = {0};
    struct kns_document *d = NULL;

    kns_buf_adds(&text, head);
    while (text.len < size)
        kns_buf_adds(&text, what);
    kns_buf_adds(&text, tail);
    clock_t start = clock();
    kns_parse(NULL, text.data, text.len, &d, NULL);
    json_t *json = d == NULL ? NULL : kns_jsonfeed_from_document(d, false);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    json_decref(json);
    kns_document_free(d);
    kns_buf_fini(&text);
    return seconds;
}

/* Four times the size may take four times as long; what is quadratic takes sixteen times. */
static void assert_quick(const char *head, const char *what, const char *tail)
{
    double small = time_of(head, what, tail, SIZE / 4), large = time_of(head, what, tail, SIZE);

    if (large > 8 * small + 0.3)
        fail_msg("\"%.30s\" again and again: %.2f s, then %.2f s", what, small, large);
}

#define RSS "<rss><channel>"
#define ITEM RSS "<item><description>"

static void markup_that_never_ends(void **state)
{
    static const char *const pieces[] = {"<",           "&",        "<a ",       "<a b='",
                                         "<a b=\"",     "<!--",     "<![CDATA[", "<?",
                                         "<!",          "</",       "<item>",    "<a b=c ",
                                         "</item><!--", "&#x",      "&lt;",      "</item><![CDATA[",
                                         "<title>",     "'\"<a b=", "<b><i>",    "</x>"};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        assert_quick(RSS, pieces[i], "");
        assert_quick(ITEM, pieces[i], "");
        assert_quick(RSS "&", pieces[i], "</item>]]>-->");
    }
}

static void html_that_never_ends(void **state)
{
    static const char *const pieces[] = {
        "&lt;a ", "&lt;!--",   "&amp;",          "&amp;amp;", "&lt;p&gt;", "&lt;b&gt;",
        "&lt;",   "&lt;a b='", "&lt;script&gt;", "&lt;img ",  "&amp;#x",   "&lt;ul&gt;&lt;li&gt;"};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        assert_quick(ITEM, pieces[i], "</description></item></channel></rss>");
        assert_quick(RSS "<item><title>", pieces[i], "</title></item></channel></rss>");
    }
}

/* Namespaces and open elements that everything has to be looked for among. */
static void names_looked_for_among_many(void **state)
{
    struct kns_buf head = {0};

    (void)state;
    kns_buf_adds(&head, "<rss");
    for (int i = 0; i < 200; i++)
        kns_buf_addf(&head, " xmlns:a%d='u'", i);
    kns_buf_adds(&head, ">");
    for (int n = 0; n < 150; n++) {
        kns_buf_adds(&head, "<x");
        for (int i = 0; i < 200; i++)
            kns_buf_addf(&head, " xmlns:b%d='u'", i);
        kns_buf_adds(&head, ">");
    }
    assert_quick(head.data, "<z/>", "");
    kns_buf_reset(&head);
    kns_buf_adds(&head, RSS "&");
    for (int n = 0; n < 1000; n++)
        kns_buf_addf(&head, "<e%d>", n);
    assert_quick(head.data, "</q>", "");
    assert_quick(head.data, "<item>", "");
    kns_buf_fini(&head);
}

static void lists_that_grow(void **state)
{
    static const char *const pieces[] = {
        "<category>x</category>", "<author>y</author>", "<enclosure url='http://e.example/'/>",
        "<pubDate>no date</pubDate>", "<itunes:keywords>a,b,c,d</itunes:keywords>"};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
        assert_quick(RSS "<item>", pieces[i], "</item></channel></rss>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_that_never_ends),
        cmocka_unit_test(html_that_never_ends),
        cmocka_unit_test(names_looked_for_among_many),
        cmocka_unit_test(lists_that_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
