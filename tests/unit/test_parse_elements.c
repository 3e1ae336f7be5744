/* Elements whose values have more than one spelling, and what becomes of values that are none. */
#include "tests/unit/parsing.h"

#include <stdio.h>

/* A document whose only item holds this. */
static struct kns_document *parse_item(const char *inside)
{
    char text[1024];

    snprintf(text, sizeof(text), "<rss version='2.0'><channel><item>%s</item></channel></rss>",
             inside);
    return parse_text(text);
}

static void a_guid_is_a_permalink_unless_it_says_no(void **state)
{
    static const struct {
        const char *attribute;
        bool permalink;
    } rows[] = {
        {"", true},
        {"isPermaLink='true'", true},
        {"isPermaLink=' True '", true},
        {"isPermaLink='false'", false},
        {"isPermaLink='FALSE'", false},
        {"isPermaLink=' false '", false},
        {"isPermaLink='no'", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char guid[128];
        snprintf(guid, sizeof(guid), "<guid %s>http://e.example/1</guid>", rows[i].attribute);
        struct kns_document *d = parse_item(guid);
        assert_string_equal(nth_entry(d, 0)->guid, "http://e.example/1");
        assert_int_equal(nth_entry(d, 0)->permalink, rows[i].permalink);
        assert_int_equal(nth_entry(d, 0)->url != NULL, rows[i].permalink);
        kns_document_free(d);
    }
}

static void a_version_is_known_with_spaces_around_it(void **state)
{
    (void)state;
    struct kns_document *d = parse_text("<rss version=' 0.91 '><channel/></rss>");
    assert_int_equal(d->format, KNS_FORMAT_RSS_091);
    kns_document_free(d);
}

static void a_place_is_read_in_every_vocabulary(void **state)
{
    static const char *const places[] = {
        "<georss:point>45.25 -71.5</georss:point>",
        "<georss:point> 45.25,\n -71.5 </georss:point>",
        "<georss:point>+4.525e1 -7.15E1</georss:point>",
        "<georss:where><gml:Point><gml:pos>45.25 -71.5 12</gml:pos></gml:Point></georss:where>",
        "<g:Point xmlns:g='http://www.opengis.net/gml/3.2'><g:pos>45.25 -71.5</g:pos></g:Point>",
        "<geo:Point><geo:lat>45.25</geo:lat><geo:long>-71.5</geo:long></geo:Point>",
        "<geo:lat_long>45.25,-71.5</geo:lat_long>",
        /* What is no place does not stand in the way of what is one. */
        "<georss:point>here</georss:point><geo:lat>45.25</geo:lat><geo:long>-71.5</geo:long>",
        "<georss:point>145 0</georss:point><geo:lat_long>45.25 -71.5</geo:lat_long>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct kns_document *d = parse_item(places[i]);
        assert_true(nth_entry(d, 0)->geo.given);
        assert_true(nth_entry(d, 0)->geo.lat == 45.25);
        assert_true(nth_entry(d, 0)->geo.lon == -71.5);
        kns_document_free(d);
    }
}

static void what_are_no_degrees_make_no_place(void **state)
{
    static const char *const places[] = {
        "<georss:point>45.25</georss:point>",
        "<georss:point>91 0</georss:point>",
        "<georss:point>0 181</georss:point>",
        "<georss:point/>",
        "<georss:point>0x10 0x10</georss:point>",
        "<georss:point>nan inf</georss:point>",
        "<geo:lat>0x10</geo:lat><geo:long>1</geo:long>",
        "<geo:lat>1</geo:lat>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct kns_document *d = parse_item(places[i]);
        assert_false(nth_entry(d, 0)->geo.given);
        kns_document_free(d);
    }
}

static void the_day_something_is_available_is_a_date_where_no_other_is(void **state)
{
    (void)state;
    struct kns_document *d = parse_item("<dcterms:available>2004-01-02</dcterms:available>");
    assert_int_equal(nth_entry(d, 0)->published.unix_s, 1073001600);
    kns_document_free(d);
    d = parse_item(
        "<dcterms:available>2004-01-02</dcterms:available><dc:date>1970-01-02</dc:date>");
    assert_int_equal(nth_entry(d, 0)->published.unix_s, 86400);
    kns_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guid_is_a_permalink_unless_it_says_no),
        cmocka_unit_test(a_version_is_known_with_spaces_around_it),
        cmocka_unit_test(a_place_is_read_in_every_vocabulary),
        cmocka_unit_test(what_are_no_degrees_make_no_place),
        cmocka_unit_test(the_day_something_is_available_is_a_date_where_no_other_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
