/* Both sides of each limit of lib/parse.h. */
#include "lib/buf.h"
#include "tests/unit/parsing.h"

#include <stdio.h>

#define HEAD "<rss><channel>"
#define TAIL "</channel></rss>"

/* Whole: at these sizes a byte at a time takes too long. */
static struct kns_document *parse_buf(struct kns_buf *text)
{
    struct kns_document *document = NULL;

    assert_false(kns_buf_failed(text));
    assert_int_equal(kns_parse(NULL, text->data, text->len, &document, NULL), KNS_OK);
    kns_buf_fini(text);
    return document;
}

static void add_times(struct kns_buf *text, const char *what, size_t times)
{
    for (size_t i = 0; i < times; i++)
        kns_buf_adds(text, what);
}

static bool warns_of(const struct kns_document *d, const char *words)
{
    const struct kns_warning *warning;

    KNS_LIST_EACH(warning, &d->warnings)
    if (strstr(warning->message, words) != NULL)
        return true;
    return false;
}

static void bytes(void **state)
{
    static const char text[] = HEAD "<title>t</title>" TAIL;
    struct kns_parse_options options = {.max_bytes = sizeof(text) - 1};
    struct kns_document *d = NULL;
    struct kns_error err;

    (void)state;
    assert_int_equal(kns_parse(&options, text, sizeof(text) - 1, &d, &err), KNS_OK);
    kns_document_free(d);
    options.max_bytes--;
    assert_int_equal(kns_parse(&options, text, sizeof(text) - 1, &d, &err), KNS_ELIMIT);
    assert_non_null(strstr(err.message, "larger than the limit"));
}

static struct kns_document *item_at_depth(size_t depth)
{
    struct kns_buf text = {0};

    kns_buf_adds(&text, HEAD);
    add_times(&text, "<x>", depth - 3);
    kns_buf_adds(&text, "<item/>");
    add_times(&text, "</x>", depth - 3);
    kns_buf_adds(&text, "<title>after</title>" TAIL);
    return parse_buf(&text);
}

static void depth(void **state)
{
    (void)state;
    struct kns_document *d = item_at_depth(KNS_PARSE_MAX_DEPTH);
    assert_int_equal(d->entries.count, 1);
    assert_int_equal(d->warnings.count, 0);
    kns_document_free(d);
    d = item_at_depth(KNS_PARSE_MAX_DEPTH + 1);
    assert_int_equal(d->entries.count, 0);
    assert_string_equal(d->title, "after");
    assert_true(warns_of(d, "nested too deeply"));
    kns_document_free(d);
}

static struct kns_document *url_as_attribute(size_t nth)
{
    struct kns_buf text = {0};

    kns_buf_adds(&text, HEAD "<item><enclosure");
    for (size_t i = 1; i < nth; i++)
        kns_buf_addf(&text, " a%zu=''", i);
    kns_buf_adds(&text, " url='https://e.example/'/></item>" TAIL);
    return parse_buf(&text);
}

static void attributes(void **state)
{
    (void)state;
    struct kns_document *d = url_as_attribute(KNS_PARSE_MAX_ATTRIBUTES);
    assert_int_equal(nth_entry(d, 0)->enclosures.count, 1);
    kns_document_free(d);
    d = url_as_attribute(KNS_PARSE_MAX_ATTRIBUTES + 1);
    assert_int_equal(nth_entry(d, 0)->enclosures.count, 0);
    kns_document_free(d);
}

static struct kns_document *title_in_namespace(size_t nth)
{
    struct kns_buf text = {0};

    kns_buf_adds(&text, "<rss");
    for (size_t i = 1; i < nth; i++)
        kns_buf_addf(&text, "%s xmlns:a%zu='urn:x'", i == 100 ? "><channel" : "", i);
    kns_buf_adds(&text, "><item xmlns:z='http://search.yahoo.com/mrss/'><z:title>t</z:title></item>"
                        "</channel></rss>");
    return parse_buf(&text);
}

static void namespaces(void **state)
{
    (void)state;
    struct kns_document *d = title_in_namespace(KNS_PARSE_MAX_NAMESPACES);
    assert_string_equal(nth_entry(d, 0)->title, "t");
    kns_document_free(d);
    d = title_in_namespace(KNS_PARSE_MAX_NAMESPACES + 1);
    assert_null(nth_entry(d, 0)->title);
    kns_document_free(d);
}

static struct kns_document *entries_of_xml(size_t count)
{
    struct kns_buf text = {0};

    kns_buf_adds(&text, HEAD);
    add_times(&text, "<item><title>x</title></item>", count);
    kns_buf_adds(&text, TAIL);
    return parse_buf(&text);
}

static struct kns_document *entries_of_json(size_t count)
{
    struct kns_buf text = {0};

    kns_buf_adds(&text, "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{}");
    add_times(&text, ",{}", count - 1);
    kns_buf_adds(&text, "]}");
    return parse_buf(&text);
}

static void entries(void **state)
{
    struct kns_document *(*const make[])(size_t) = {entries_of_xml, entries_of_json};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct kns_document *d = make[i](KNS_PARSE_MAX_ENTRIES);
        assert_int_equal(d->entries.count, KNS_PARSE_MAX_ENTRIES);
        assert_int_equal(d->warnings.count, 0);
        kns_document_free(d);
        d = make[i](KNS_PARSE_MAX_ENTRIES + 2);
        assert_int_equal(d->entries.count, KNS_PARSE_MAX_ENTRIES);
        assert_int_equal(d->warnings.count, 1);
        assert_true(warns_of(d, "too many entries"));
        kns_document_free(d);
    }
}

static struct kns_document *description_of(size_t size)
{
    struct kns_buf text = {0};

    kns_buf_adds(&text, HEAD "<item><description>");
    add_times(&text, "xxxxxxxxxxxxxxxx", size / 16);
    add_times(&text, "x", size % 16);
    kns_buf_adds(&text, "</description><title>kept</title></item>" TAIL);
    return parse_buf(&text);
}

static void fields(void **state)
{
    (void)state;
    struct kns_document *d = description_of(KNS_PARSE_MAX_FIELD);
    assert_int_equal(strlen(nth_entry(d, 0)->summary), KNS_PARSE_MAX_FIELD);
    assert_int_equal(d->warnings.count, 0);
    kns_document_free(d);
    d = description_of(KNS_PARSE_MAX_FIELD + 1);
    assert_null(nth_entry(d, 0)->summary);
    assert_string_equal(nth_entry(d, 0)->title, "kept");
    assert_true(warns_of(d, "longer than the limit"));
    kns_document_free(d);
}

static struct kns_document *lists_of(size_t count)
{
    struct kns_buf text = {0};

    kns_buf_adds(&text, HEAD "<item xmlns:a='http://www.w3.org/2005/Atom'>");
    for (size_t i = 0; i < count; i++)
        kns_buf_addf(&text,
                     "<category>c%zu</category><author>a%zu</author><enclosure url='e%zu'/>"
                     "<a:link rel='via' href='l%zu'/>",
                     i, i, i, i);
    kns_buf_adds(&text, "</item>" TAIL);
    return parse_buf(&text);
}

static void lists(void **state)
{
    (void)state;
    for (size_t count = KNS_PARSE_MAX_LIST; count <= KNS_PARSE_MAX_LIST + 1; count++) {
        struct kns_document *d = lists_of(count);
        const struct kns_entry *entry = nth_entry(d, 0);
        assert_int_equal(entry->tags.count, KNS_PARSE_MAX_LIST);
        assert_int_equal(entry->authors.count, KNS_PARSE_MAX_LIST);
        assert_int_equal(entry->enclosures.count, KNS_PARSE_MAX_LIST);
        assert_int_equal(entry->links.count, KNS_PARSE_MAX_LIST);
        kns_document_free(d);
    }
}

static void warnings(void **state)
{
    (void)state;
    for (size_t count = KNS_PARSE_MAX_WARNINGS - 1; count <= KNS_PARSE_MAX_WARNINGS + 1; count++) {
        struct kns_buf text = {0};
        kns_buf_adds(&text, HEAD);
        add_times(&text, "<item><pubDate>x</pubDate></item>", count);
        kns_buf_adds(&text, TAIL);
        struct kns_document *d = parse_buf(&text);
        assert_int_equal(d->warnings.count,
                         count < KNS_PARSE_MAX_WARNINGS ? count : KNS_PARSE_MAX_WARNINGS);
        assert_int_equal(d->entries.count, count);
        kns_document_free(d);
    }
}

/* Ten entities of ten entities of … : refused, not expanded. */
static void entities_that_grow(void **state)
{
    struct kns_buf text = {0};
    struct kns_document *d = NULL;

    (void)state;
    kns_buf_adds(&text, "<!DOCTYPE rss [<!ENTITY a0 'aaaaaaaaaa'>");
    for (int i = 1; i < 10; i++) {
        kns_buf_addf(&text, "<!ENTITY a%d '", i);
        for (int k = 0; k < 10; k++)
            kns_buf_addf(&text, "&a%d;", i - 1);
        kns_buf_adds(&text, "'>");
    }
    kns_buf_adds(&text, "]><rss><channel><title>&a9;</title></channel></rss>");
    assert_int_equal(kns_parse(NULL, text.data, text.len, &d, NULL), KNS_ELIMIT);
    kns_buf_fini(&text);
}

/* The model may be larger than its text, but not by orders: elements that cost more than they say end in an error. */
static void memory(void **state)
{
    struct kns_parse_options options = {.max_bytes = 4u << 20};
    struct kns_buf text = {0};
    struct kns_document *d = NULL;

    (void)state;
    kns_buf_adds(&text, HEAD "<item>");
    for (size_t i = 0; text.len < (4u << 20) - 100; i++)
        kns_buf_adds(&text, "<link a='' b='' c='' d='' e=''/>");
    kns_buf_adds(&text, "</item>" TAIL);
    assert_int_equal(kns_parse(&options, text.data, text.len, &d, NULL), KNS_ELIMIT);
    kns_buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes),
        cmocka_unit_test(depth),
        cmocka_unit_test(attributes),
        cmocka_unit_test(namespaces),
        cmocka_unit_test(entries),
        cmocka_unit_test(fields),
        cmocka_unit_test(lists),
        cmocka_unit_test(warnings),
        cmocka_unit_test(entities_that_grow),
        cmocka_unit_test(memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
