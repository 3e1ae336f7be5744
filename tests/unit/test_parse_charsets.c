/* Which charset a document is read in, by authority: BOM, HTTP, XML declaration, content. test_charset tells of the decoding itself. */
#include "tests/unit/parsing.h"

#define DOCUMENT(declaration, title)                                                               \
    "<?xml version='1.0'" declaration "?><rss><channel><title>" title "</title></channel></rss>"

static void assert_title(const char *content_type, const char *bytes, size_t size,
                         const char *encoding, const char *title)
{
    const struct kns_parse_options options = {.content_type = content_type};
    enum kns_status status;
    struct kns_document *d = parse_bytes(&options, bytes, size, &status);

    assert_int_equal(status, KNS_OK);
    assert_string_equal(d->encoding, encoding);
    assert_string_equal(d->title, title);
    kns_document_free(d);
}

#define ASSERT_TITLE(type, bytes, encoding, title)                                                 \
    assert_title(type, bytes, sizeof(bytes) - 1, encoding, title)

static void a_bom_outranks_all(void **state)
{
    (void)state;
    ASSERT_TITLE("text/xml; charset=iso-8859-1",
                 "\xEF\xBB\xBF" DOCUMENT(" encoding='koi8-r'", "\xC3\xA9"), "utf-8", "é");
}

static void http_outranks_the_declaration(void **state)
{
    (void)state;
    ASSERT_TITLE("application/xml; charset=\"windows-1251\"",
                 DOCUMENT(" encoding='iso-8859-1'", "\xC6"), "windows-1251", "Ж");
    /* RFC 7303 3: text/xml has no default of its own. */
    ASSERT_TITLE("text/xml", DOCUMENT(" encoding='iso-8859-2'", "\xB3"), "iso-8859-2", "ł");
}

static void the_declaration_outranks_a_guess(void **state)
{
    (void)state;
    ASSERT_TITLE(NULL, DOCUMENT(" encoding='Shift_JIS'", "\x93\xFA\x96\x7B"), "shift_jis", "日本");
    ASSERT_TITLE(NULL, DOCUMENT(" encoding='no-such'", "\xC3\xA9"), "utf-8", "é");
}

static void what_cannot_be_true_is_overruled_and_said(void **state)
{
    static const char text[] = DOCUMENT(" encoding='utf-16'", "\xC3\xA9");
    struct kns_document *d = parse_text(text);

    (void)state;
    assert_string_equal(d->encoding, "utf-8");
    assert_true(d->malformed);
    assert_int_equal(d->warnings.count, 1);
    kns_document_free(d);
}

static void what_is_ill_formed_becomes_a_replacement(void **state)
{
    static const char text[] =
        DOCUMENT(" encoding='utf-8'", "\xE6\x97\xA5\xE6\x9C\xAC \xC3 \xE6\x97\xA5");
    struct kns_document *d = parse_text(text);

    (void)state;
    assert_string_equal(d->title, "日本 \xEF\xBF\xBD 日");
    assert_true(d->malformed);
    kns_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bom_outranks_all),
        cmocka_unit_test(http_outranks_the_declaration),
        cmocka_unit_test(the_declaration_outranks_a_guess),
        cmocka_unit_test(what_cannot_be_true_is_overruled_and_said),
        cmocka_unit_test(what_is_ill_formed_becomes_a_replacement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
