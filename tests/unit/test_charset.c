/* Bytes in any encoding come out as valid UTF-8, whatever the chunks. */
#include "lib/charset.h"

#include "lib/text.h"

#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Decodes in chunks of the given size; the caller frees. *ret_name: the encoding. */
static char *decode(const char *content_type, const char *bytes, size_t size, size_t chunk,
                    const char **ret_name)
{
    struct kns_decoder *decoder = kns_decoder_new(content_type);
    struct kns_buf out = {0};

    for (size_t i = 0; i < size; i += chunk)
        assert_int_equal(
            kns_decoder_write(decoder, bytes + i, size - i < chunk ? size - i : chunk, &out, NULL),
            KNS_OK);
    assert_int_equal(kns_decoder_finish(decoder, &out, NULL), KNS_OK);
    *ret_name = kns_decoder_encoding(decoder);
    kns_decoder_free(decoder);
    assert_true(kns_text_is_utf8(kns_buf_str(&out), out.len));
    return kns_buf_take(&out);
}

static void expect(const char *content_type, const char *bytes, size_t size, const char *name,
                   const char *text)
{
    static const size_t chunks[] = {1, 2, 3, 7, 1000000};

    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        const char *got_name = NULL;
        char *got = decode(content_type, bytes, size, chunks[i], &got_name);
        assert_string_equal(got_name, name);
        assert_string_equal(got, text);
        free(got);
    }
}

/* text (UTF-8) converted to an encoding by iconv; the caller frees. */
static char *encode(const char *iconv_name, const char *text, size_t *ret_size)
{
    iconv_t cd = iconv_open(iconv_name, "UTF-8");
    size_t left = strlen(text), room = left * 4 + 16;
    char *out = malloc(room), *to = out, *in = (char *)(uintptr_t)text;

    assert_true(cd != (iconv_t)-1);
    assert_int_equal(iconv(cd, &in, &left, &to, &room), 0);
    iconv(cd, NULL, NULL, &to, &room);
    iconv_close(cd);
    *ret_size = (size_t)(to - out);
    return out;
}

static const char japanese[] =
    "<?xml "
    "version=\"1.0\"?><t>機械学習とデータ分析のコンペティションで使われる手法を紹介します。</t>";

static void labels_are_those_of_the_encoding_standard(void **state)
{
    (void)state;
    assert_string_equal(kns_charset_find(" ISO-8859-1 ", 12), "windows-1252");
    assert_string_equal(kns_charset_find("x-sjis", 6), "shift_jis");
    assert_string_equal(kns_charset_find("GB2312", 6), "gbk");
    assert_string_equal(kns_charset_find("latin1", 6), "windows-1252");
    assert_string_equal(kns_charset_find("hz-gb-2312", 10), "replacement");
    assert_string_equal(kns_charset_find("\tISO_8859-9:1989\n", 17), "windows-1254");
    assert_null(kns_charset_find("utf-8x", 6));
    assert_null(kns_charset_find("", 0));
    assert_null(kns_charset_find("l1 latin1", 9));
    assert_string_equal(kns_charset_from_content_type("text/xml; charset=\"Shift_JIS\""),
                        "shift_jis");
    assert_string_equal(kns_charset_from_content_type("text/xml;charset = euc-jp; x=y"), "euc-jp");
    assert_null(kns_charset_from_content_type("text/xml; notcharset=utf-8"));
    assert_null(kns_charset_from_content_type(NULL));
}

static void a_byte_order_mark_outranks_everything(void **state)
{
    (void)state;
    expect("text/xml; charset=shift_jis", "\xEF\xBB\xBF<a>\xE8\xAA\x9E</a>", 13, "utf-8",
           "<a>語</a>");
    expect("text/xml; charset=utf-8", "\xFF\xFE<\0a\0>\0\x9E\x8A", 10, "utf-16le", "<a>語");
    expect(NULL, "\0\0\xFE\xFF\0\0\0<\0\0\x8A\x9E", 12, "utf-32be", "<語");
}

static void wide_text_is_known_by_its_shape(void **state)
{
    (void)state;
    expect("text/xml; charset=utf-8", "\0<\0a\0>\x8A\x9E", 8, "utf-16be", "<a>語");
    expect(NULL, "<\0\0\0a\0\0\0", 8, "utf-32le", "<a");
}

static void the_http_charset_outranks_the_declaration(void **state)
{
    static const char xml[] = "<?xml version='1.0' encoding='utf-8'?><a>\x93\xFA\x96\x7B</a>";
    (void)state;
    expect("text/xml; charset=Shift_JIS", xml, sizeof(xml) - 1, "shift_jis",
           "<?xml version='1.0' encoding='utf-8'?><a>日本</a>");
}

static void the_declaration_outranks_detection(void **state)
{
    static const char xml[] = "<?xml version='1.0' encoding='koi8-r'?><a>\xCD\xC9\xD2</a>";
    (void)state;
    expect(NULL, xml, sizeof(xml) - 1, "koi8-r",
           "<?xml version='1.0' encoding='koi8-r'?><a>мир</a>");
}

static void what_is_declared_but_cannot_be_true_is_overruled(void **state)
{
    static const char utf16[] = "<?xml version='1.0' encoding='utf-16'?><a>\xE8\xAA\x9E</a>";
    static const char latin[] = "<?xml version='1.0' encoding='utf-8'?><a>caf\xE9 cr\xE8me</a>";
    (void)state;
    expect(NULL, utf16, sizeof(utf16) - 1, "utf-8",
           "<?xml version='1.0' encoding='utf-16'?><a>語</a>");
    expect(NULL, latin, sizeof(latin) - 1, "windows-1252",
           "<?xml version='1.0' encoding='utf-8'?><a>café crème</a>");
}

static void undeclared_text_is_detected(void **state)
{
    static const struct {
        const char *iconv, *name, *text;
    } rows[] = {
        {"CP932", "shift_jis", japanese},
        {"EUC-JP", "euc-jp", japanese},
        {"ISO-2022-JP", "iso-2022-jp", japanese},
        {"GB18030", "gb18030", "<t>机器学习和数据分析竞赛中使用的方法介绍，我们会继续更新。</t>"},
        {"BIG5", "big5", "<t>機器學習與資料分析競賽所用的方法介紹，我們會繼續更新。</t>"},
        {"CP1252", "windows-1252", "<t>Über die Größe: schöne Grüße für Käufer, naïve Façade</t>"},
        {"CP1251", "windows-1251", "<t>Методы машинного обучения и анализа данных</t>"},
        {"UHC", "euc-kr", "<t>기계 학습과 데이터 분석 대회에서 사용되는 방법을 소개합니다</t>"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size;
        char *bytes = encode(rows[i].iconv, rows[i].text, &size);
        expect(NULL, bytes, size, rows[i].name, rows[i].text);
        free(bytes);
    }
}

static void every_encoding_round_trips(void **state)
{
    static const struct {
        const char *label, *iconv, *text;
    } rows[] = {
        {"iso-8859-2", "ISO-8859-2", "Zażółć gęślą jaźń"},
        {"iso-8859-5", "ISO-8859-5", "Съешь ещё"},
        {"iso-8859-7", "ISO-8859-7", "Ελληνικά"},
        {"iso-8859-9", "ISO-8859-9", "İstanbul ğ"},
        {"iso-8859-15", "ISO-8859-15", "10 € œuvre"},
        {"windows-1251", "CP1251", "Привет"},
        {"windows-1250", "CP1250", "Příliš"},
        {"windows-1257", "CP1257", "ąčę"},
        {"koi8-u", "KOI8-U", "їжак"},
        {"big5", "BIG5", "機器學習"},
        {"euc-jp", "EUC-JP", "機械学習ｱｲｳ"},
        {"shift_jis", "CP932", "①機械学習～ｱ"},
        {"gb18030", "GB18030", "机器学习€𠀀"},
        {"windows-874", "CP874", "ภาษาไทย"},
        {"iso-2022-jp", "ISO-2022-JP", "日本語とASCII"},
        {"windows-1256", "CP1256", "سلام"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char type[64], text[200];
        size_t size;
        snprintf(type, sizeof(type), "text/xml; charset=%s", rows[i].label);
        snprintf(text, sizeof(text), "<a>%s %s</a>", rows[i].text, rows[i].text);
        char *bytes = encode(rows[i].iconv, text, &size);
        expect(type, bytes, size, kns_charset_find(rows[i].label, strlen(rows[i].label)), text);
        free(bytes);
    }
}

static void invalid_bytes_become_replacement_characters(void **state)
{
    (void)state;
    expect("a/b; charset=utf-8", "\xE8\xAA\x9E \xE8\xAA \xC0\xAF \xF0\x9F\x98", 13, "utf-8",
           "語 \uFFFD \uFFFD\uFFFD \uFFFD");
    expect("a/b; charset=utf-8", "\xE8\xAA\x9E\xED\xA0\x80", 6, "utf-8", "語\uFFFD\uFFFD\uFFFD");
    expect("a/b; charset=shift_jis", "\x93\xFA\x85<b", 5, "shift_jis", "日\uFFFD<b");
    expect("a/b; charset=iso-8859-1", "\x81\x80", 2, "windows-1252", "\xC2\x81€");
    expect("a/b; charset=euc-jp", "\xC6\xFC\xC6", 3, "euc-jp", "日\uFFFD");
}

static void a_bad_byte_never_swallows_the_markup_behind_it(void **state)
{
    (void)state;
    expect("a/b; charset=shift_jis", "\x81<b>", 4, "shift_jis", "\uFFFD<b>");
    expect("a/b; charset=euc-jp", "\xC6\xFC\x8F\xB0<b>", 7, "euc-jp", "日\uFFFD<b>");
    expect("a/b; charset=gbk", "\xC4\xE3\x81\x30<b>", 7, "gbk", "你\uFFFD0<b>");
    expect("a/b; charset=euc-kr", "\xB0\xA1\xC1\x7B<b>", 7, "euc-kr", "가\uFFFD{<b>");
    expect("a/b; charset=big5", "\xA7\x41\xA7<b>", 6, "big5", "你\uFFFD<b>");
    expect("a/b", "<\0a\0\x00\xD8<\0b", 9, "utf-16le", "<a\uFFFD<\uFFFD");
}

static void characters_are_those_of_the_standard_not_of_the_system(void **state)
{
    (void)state;
    expect("a/b; charset=gbk", "\x80\xA3\xA0\xC4\xE3", 5, "gbk", "€\u3000你");
    expect("a/b; charset=big5", "\xA1\x45\xA1\xE3\xA3\xE1\x88\x62", 8, "big5", "‧～€Ê̄");
    expect("a/b; charset=koi8-u", "\xAE\xBE", 2, "koi8-u", "ўЎ");
    expect("a/b; charset=x-user-defined", "a\x80\xFF", 3, "x-user-defined", "a\uF780\uF7FF");
    expect("a/b; charset=windows-1258", "a\xEC\xD2", 3, "windows-1258", "a\u0301\u0309");
    expect("a/b; charset=windows-874", "\x81\xA1\xDB", 3, "windows-874", "\xC2\x81\u0E01\uFFFD");
    expect("a/b; charset=euc-jp", "\xC6\xFC\xAD\xA1\xFB\xA5\x8F\xA2\xC3\x8E\xB1", 11, "euc-jp",
           "日①玽¦ｱ");
    expect("a/b; charset=shift_jis", "\x93\xFA\\~\x87\x40\x81\x60\xFA\x5C\xB1", 11, "shift_jis",
           "日\\~①～\u7E8Aｱ");
    expect("a/b; charset=iso-2022-jp", "\x1B$BF|-!\x1B$(D\"C\x1B(J\\\x1B(I1\x1B(B\\\x1B$B\x1B(B.",
           32, "iso-2022-jp", "日①¦¥ｱ\\.");
}

static void a_wrong_declaration_gives_way_to_the_next_and_then_to_the_bytes(void **state)
{
    static const char declared[] = "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><t>";
    char text[1000];
    size_t size;
    (void)state;

    snprintf(text, sizeof(text), "%s%s", declared, japanese);
    char *bytes = encode("CP932", text, &size);
    expect("text/xml; charset=utf-8", bytes, size, "shift_jis", text);
    expect("text/xml; charset=euc-jp", bytes, size, "shift_jis", text);
    free(bytes);
    bytes = encode("EUC-JP", text, &size);
    expect(NULL, bytes, size, "euc-jp", text);
    free(bytes);
    expect("text/xml; charset=big5", text, strlen(text), "utf-8", text);
}

static void how_the_bytes_are_cut_does_not_change_what_they_are(void **state)
{
    /* Two thousand bytes of one encoding, then another: only so much is judged, whole or not. */
    static char bytes[20000];
    size_t at = 0, size;
    const char *name[2] = {NULL, NULL};
    (void)state;

    char *first = encode("CP932", japanese, &size);
    while (at < 4000) {
        memcpy(bytes + at, first, size);
        at += size;
    }
    free(first);
    while (at < sizeof(bytes) - sizeof(japanese)) {
        memcpy(bytes + at, japanese, sizeof(japanese) - 1);
        at += sizeof(japanese) - 1;
    }
    char *whole = decode(NULL, bytes, at, at, &name[0]);
    char *single = decode(NULL, bytes, at, 1, &name[1]);
    assert_string_equal(name[0], "shift_jis");
    assert_string_equal(name[1], "shift_jis");
    assert_string_equal(whole, single);
    free(whole);
    free(single);
}

static void output_beyond_the_limit_is_an_error_and_up_to_it_is_none(void **state)
{
    (void)state;
    for (size_t limit = 5; limit <= 6; limit++) {
        struct kns_decoder *decoder = kns_decoder_new("a/b; charset=shift_jis");
        struct kns_buf out;
        kns_buf_init(&out, limit);
        assert_int_equal(kns_decoder_write(decoder, "\x93\xFA\x96\x7B", 4, &out, NULL), KNS_OK);
        assert_int_equal(kns_decoder_finish(decoder, &out, NULL), limit < 6 ? KNS_ELIMIT : KNS_OK);
        kns_buf_fini(&out);
        kns_decoder_free(decoder);
    }
}

static void what_was_repaired_is_said(void **state)
{
    static const struct {
        const char *type, *bytes;
        bool repaired;
    } rows[] = {
        {"a/b; charset=utf-8", "<a>\xE8\xAA\x9E</a>", false},
        {"a/b; charset=utf-8", "<a>\xE8\xAA\x9E\xFF</a>", true},
        {"a/b; charset=utf-16", "<a>plain</a>", true},
        {"a/b; charset=utf-8", "<a>caf\xE9</a>", true},
        {NULL, "<a>caf\xE9</a>", false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kns_decoder *decoder = kns_decoder_new(rows[i].type);
        struct kns_buf out = {0};
        kns_decoder_write(decoder, rows[i].bytes, strlen(rows[i].bytes), &out, NULL);
        kns_decoder_finish(decoder, &out, NULL);
        assert_int_equal(kns_decoder_repaired(decoder), rows[i].repaired);
        kns_buf_fini(&out);
        kns_decoder_free(decoder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_those_of_the_encoding_standard),
        cmocka_unit_test(a_byte_order_mark_outranks_everything),
        cmocka_unit_test(wide_text_is_known_by_its_shape),
        cmocka_unit_test(the_http_charset_outranks_the_declaration),
        cmocka_unit_test(the_declaration_outranks_detection),
        cmocka_unit_test(what_is_declared_but_cannot_be_true_is_overruled),
        cmocka_unit_test(undeclared_text_is_detected),
        cmocka_unit_test(every_encoding_round_trips),
        cmocka_unit_test(invalid_bytes_become_replacement_characters),
        cmocka_unit_test(a_bad_byte_never_swallows_the_markup_behind_it),
        cmocka_unit_test(characters_are_those_of_the_standard_not_of_the_system),
        cmocka_unit_test(a_wrong_declaration_gives_way_to_the_next_and_then_to_the_bytes),
        cmocka_unit_test(how_the_bytes_are_cut_does_not_change_what_they_are),
        cmocka_unit_test(output_beyond_the_limit_is_an_error_and_up_to_it_is_none),
        cmocka_unit_test(what_was_repaired_is_said),
    };

    return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
