/* JSON Feed read, written and read again says the same. */
#include "lib/jsonfeed.h"
#include "lib/parse.h"
#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct kns_document *parse(const char *text)
{
    struct kns_document *document = NULL;
    struct kns_error err;

    if (kns_parse(NULL, text, strlen(text), &document, &err) != KNS_OK)
        fail_msg("%s", err.message);
    return document;
}

static struct kns_document *parse_again(struct kns_document *document)
{
    json_t *json = kns_jsonfeed_from_document(document, false);
    char *text = json_dumps(json, 0);
    struct kns_document *again = parse(text);

    free(text);
    json_decref(json);
    kns_document_free(document);
    return again;
}

static void what_a_feed_says_of_itself_survives_writing(void **state)
{
    (void)state;
    struct kns_document *d = parse_again(parse(
        "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>t</title>"
        "<copyright>c</copyright><generator>g</generator><ttl>5</ttl><category>x</category>"
        "<lastBuildDate>Sat, 07 Sep 2002 00:00:01 GMT</lastBuildDate>"
        "<skipHours><hour>0</hour><hour>23</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>Saturday</day></skipDays>"
        "<atom:link rel='next' href='https://example.org/2'/></channel></rss>"));

    assert_string_equal(d->rights, "c");
    assert_string_equal(d->generator, "g");
    assert_string_equal(d->next_url, "https://example.org/2");
    assert_string_equal(d->tags.first->term, "x");
    assert_int_equal(d->ttl_s, 300);
    assert_int_equal(d->updated.unix_s, 1031356801);
    assert_int_equal(d->skip_hours, 1u | 1u << 23);
    assert_int_equal(d->skip_days, 1u | 1u << 6);
    kns_document_free(d);
}

static void an_id_that_was_made_up_is_no_guid(void **state)
{
    (void)state;
    struct kns_document *d = parse_again(parse(
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{\"content_text\":\"x\"}]}"));

    assert_null(d->entries.first->guid);
    assert_string_equal(d->entries.first->content_text, "x");
    kns_document_free(d);
}

/* RFC 8259: JSON is UTF-8, and its media types have no charset. */
static void the_charset_of_a_json_type_says_nothing(void **state)
{
    const struct kns_parse_options options = {.content_type =
                                                  "application/feed+json; charset=iso-8859-1"};
    static const char text[] =
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"日\",\"items\":[]}";
    struct kns_document *d = NULL;

    (void)state;
    assert_int_equal(kns_parse(&options, text, strlen(text), &d, NULL), KNS_OK);
    assert_string_equal(d->title, "日");
    kns_document_free(d);
}

static void a_duration_that_no_integer_holds_is_written(void **state)
{
    (void)state;
    struct kns_document *d = parse_again(parse(
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{\"id\":\"1\","
        "\"attachments\":[{\"url\":\"https://e.example/a\",\"duration_in_seconds\":1e40}]}]}"));

    assert_true(d->entries.first->enclosures.first->duration_s == 1e40);
    kns_document_free(d);
}

/* Whatever follows the last whole item, the items before it stay. */
static void a_cut_feed_keeps_its_whole_items(void **state)
{
    static const char text[] =
        "{\"version\":\"https://jsonfeed.org/version/1.1\",\"authors\":[{\"name\":\"]}\\\"\"}],"
        "\"items\":[{\"id\":\"1\",\"tags\":[\"a\"]},\n{\"id\":\"2\",\"content_text\":\"}]{[\"}]}";
    const char *first = strchr(strstr(text, "\"a\""), '}') + 1, *second = strstr(text, "}]}") + 1;

    (void)state;
    for (size_t size = 1; size < sizeof(text) - 1; size++) {
        struct kns_document *d = NULL;
        enum kns_status status = kns_parse(NULL, text, size, &d, NULL);
        size_t whole = (size_t)(text + size >= first) + (size_t)(text + size >= second);
        assert_int_equal(status, whole == 0 ? KNS_ENOTFEED : KNS_OK);
        if (d == NULL)
            continue;
        assert_int_equal(d->entries.count, whole);
        assert_true(d->cut);
        assert_true(d->malformed);
        assert_int_equal(d->warnings.count, 1);
        kns_document_free(d);
    }
    struct kns_document *d = parse(text);
    assert_false(d->cut);
    assert_int_equal(d->entries.count, 2);
    kns_document_free(d);
}

static void what_is_broken_in_the_middle_keeps_what_stands_before(void **state)
{
    (void)state;
    struct kns_document *d =
        parse("{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{\"id\":\"1\"},"
              "\n{\"id\":oops},{\"id\":\"3\"}]}");
    assert_int_equal(d->entries.count, 1);
    assert_true(d->cut);
    assert_int_equal(d->warnings.first->line, 2);
    kns_document_free(d);
}

/* {"version": 1.1's, "items": [{"id": "a", MEMBERS}], "title": "T"} and what follows it. */
static struct kns_document *parse_members(const char *members, const char *behind)
{
    char text[1024];

    snprintf(text, sizeof(text),
             "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{\"id\":\"a\"%s}],"
             "\"title\":\"T\"}%s",
             members, behind);
    return parse(text);
}

static void a_flaw_costs_no_more_than_what_it_touches(void **state)
{
    static const struct {
        const char *members, *behind, *title;
    } rows[] = {
        {",\"title\":\"a\tb\nc\x01\"", "", "a b c"},
        {",\"title\":\"a \\ud83d b\"", "", "a \xEF\xBF\xBD b"},
        {",\"title\":\"\\udE00\\ud83d\\ude00\"", "", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {",\"title\":\"it\\'s \\x\\\" \\u12\"", "", "it's x\" u12"},
        {",\"title\":\"a\",", "", "a"},
        {",\"title\":\"a\",\"tags\":[\"x\" , ]", "", "a"},
        {",\"title\":\"a\"", "junk", "a"},
        {",\"title\":\"a\"", "<!-- c -->", "a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kns_document *d = parse_members(rows[i].members, rows[i].behind);
        assert_string_equal(d->title, "T");
        assert_int_equal(d->entries.count, 1);
        assert_string_equal(d->entries.first->title, rows[i].title);
        assert_true(d->malformed);
        assert_false(d->cut);
        assert_int_equal(d->warnings.count, 1);
        kns_document_free(d);
    }
}

/* RFC 8259 6 sets no limit to numbers, and JSON Feed has ids that are numbers coerced to strings. */
static void a_number_is_an_id_whatever_its_size(void **state)
{
    static const struct {
        const char *number, *id;
    } rows[] = {
        {"12345678901234567890", "12345678901234567890"},
        {"-12345678901234567890", "-12345678901234567890"},
        {"9223372036854775807", "9223372036854775807"},
        {"7", "7"},
        {"0.1", "0.1"},
        {"1.5e999", "1.5e999"},
        {"0.30000000000000004", "0.30000000000000004"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        snprintf(text, sizeof(text),
                 "{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[{\"id\":%s}]}",
                 rows[i].number);
        struct kns_document *d = parse(text);
        assert_string_equal(d->entries.first->guid, rows[i].id);
        assert_false(d->malformed);
        kns_document_free(d);
    }
}

static void authors_are_read_in_every_shape(void **state)
{
    static const char *const shapes[] = {
        "\"authors\":[{\"name\":\"A\"}]",
        "\"author\":{\"name\":\"A\"}",
        "\"authors\":{\"name\":\"A\"}",
        "\"author\":[{\"name\":\"A\"}]",
        "\"author\":\"A\"",
        "\"authors\":[\" A \"]",
        "\"authors\":[],\"author\":\"A\"",
        "\"authors\":[{},5,null,\"\",\"A\"]",
        "\"authors\":null,\"author\":{\"name\":\"A\"}",
        "\"author\":{\"name\":\"B\"},\"authors\":[{\"name\":\"A\"}]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        char members[256];
        snprintf(members, sizeof(members), ",%s", shapes[i]);
        struct kns_document *d = parse_members(members, "");
        assert_int_equal(d->entries.first->authors.count, 1);
        assert_string_equal(d->entries.first->authors.first->name, "A");
        kns_document_free(d);
    }
}

static void why_it_is_no_json_is_one_line_of_utf8(void **state)
{
    static const char *const texts[] = {"{\"a\":\"\\u7d\xEF\xBF\xBD\"}", "{\"a\":\"\\u12\nx\"}",
                                        "{\n\n!"};
    struct kns_document *d = NULL;
    struct kns_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(kns_parse(NULL, texts[i], strlen(texts[i]), &d, &err), KNS_ENOTFEED);
        assert_true(kns_text_is_utf8(err.message, strlen(err.message)));
        assert_null(strchr(err.message, '\n'));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_feed_says_of_itself_survives_writing),
        cmocka_unit_test(a_cut_feed_keeps_its_whole_items),
        cmocka_unit_test(what_is_broken_in_the_middle_keeps_what_stands_before),
        cmocka_unit_test(a_flaw_costs_no_more_than_what_it_touches),
        cmocka_unit_test(a_number_is_an_id_whatever_its_size),
        cmocka_unit_test(authors_are_read_in_every_shape),
        cmocka_unit_test(why_it_is_no_json_is_one_line_of_utf8),
        cmocka_unit_test(the_charset_of_a_json_type_says_nothing),
        cmocka_unit_test(a_duration_that_no_integer_holds_is_written),
        cmocka_unit_test(an_id_that_was_made_up_is_no_guid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
