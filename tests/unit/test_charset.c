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

static void undeclared_east_asian_text_is_detected(void **state)
{
    static const struct {
        const char *iconv, *name, *text;
    } rows[] = {
        {"CP932", "shift_jis", japanese},
        {"EUC-JP", "euc-jp", japanese},
        {"ISO-2022-JP", "iso-2022-jp", japanese},
        {"GB18030", "gb18030", "<t>机器学习和数据分析竞赛中使用的方法介绍，我们会继续更新。</t>"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_those_of_the_encoding_standard),
        cmocka_unit_test(a_byte_order_mark_outranks_everything),
        cmocka_unit_test(wide_text_is_known_by_its_shape),
        cmocka_unit_test(the_http_charset_outranks_the_declaration),
        cmocka_unit_test(the_declaration_outranks_detection),
        cmocka_unit_test(what_is_declared_but_cannot_be_true_is_overruled),
        cmocka_unit_test(undeclared_east_asian_text_is_detected),
        cmocka_unit_test(every_encoding_round_trips),
        cmocka_unit_test(invalid_bytes_become_replacement_characters),
    };

    return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
