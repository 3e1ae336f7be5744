/* Unicode text: what is well-formed, how wide it is, what it compares equal to. */
#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int new_arena(void **state)
{
    *state = kns_arena_new(0);
    return *state == NULL;
}

static int free_arena(void **state)
{
    kns_arena_free(*state);
    return 0;
}

static void only_well_formed_utf8_is_utf8(void **state)
{
    static const struct {
        const char *bytes;
        size_t size, prefix;
    } rows[] = {
        {"plain", 5, 5},
        {"\xC3\xA9\xE8\xAA\x9E\xF0\x9F\x98\x80", 9, 9},
        {"a long run of plain text, then \xFF", 32, 31},
        {"\xC0\xAF", 2, 0},                 /* overlong */
        {"a\xE0\x80\xAF", 4, 1},            /* overlong */
        {"\xED\x9F\xBF\xED\xA0\x80", 6, 3}, /* a surrogate */
        {"\xF4\x8F\xBF\xBF", 4, 4},         /* U+10FFFF */
        {"\xF4\x90\x80\x80", 4, 0},         /* beyond it */
        {"\xE8\xAA", 2, 0},                 /* cut short */
        {"a\0b", 3, 3},
        {"", 0, 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(kns_text_utf8_prefix(rows[i].bytes, rows[i].size), rows[i].prefix);
        assert_int_equal(kns_text_is_utf8(rows[i].bytes, rows[i].size),
                         rows[i].prefix == rows[i].size);
    }
}

static void any_bytes_become_text(void **state)
{
    assert_string_equal(kns_text_to_utf8(*state, "a\r\nb\rc\0d\x07\te\xFF\xE8\xAA\x9E", 16),
                        "a\nb\ncd\te\uFFFD語");
    assert_string_equal(kns_text_to_utf8(*state, "", 0), "");
}

static void columns_are_those_of_a_terminal(void **state)
{
    static const struct {
        const char *text;
        int columns;
    } rows[] = {
        {"", 0},         {"plain", 5},           {"機械学習", 8},    {"ｶﾞｲﾄﾞ", 5},
        {"ＡＢ", 4},     {"한국어", 6},          {"e\u0301", 1},     {"か\u3099", 2},
        {"😀", 2},        {"👩\u200D👩\u200D👧", 2}, {"👍\U0001F3FD", 2}, {"🇯🇵🇩🇪", 4},
        {"a\u200Bb", 2}, {"tab\there", 7},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (kns_text_columns(rows[i].text) != rows[i].columns)
            print_error("%s: %d columns\n", rows[i].text, kns_text_columns(rows[i].text));
        assert_int_equal(kns_text_columns(rows[i].text), rows[i].columns);
    }
}

static void what_does_not_fit_ends_in_an_ellipsis(void **state)
{
    static const struct {
        const char *text;
        int columns;
        const char *fitted;
    } rows[] = {
        {"plain", 5, "plain"},      {"plain", 4, "pla…"},     {"機械学習", 8, "機械学習"},
        {"機械学習", 7, "機械学…"}, {"機械学習", 6, "機械…"}, /* half a character is none */
        {"機械学習", 1, "…"},       {"機械学習", 0, ""},      {"", 0, ""},
        {"a\tb\nc", 5, "a b c"},    {"a\tb\nc", 4, "a b…"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(kns_text_fit(*state, rows[i].text, rows[i].columns), rows[i].fitted);
}

static void white_space_is_squeezed_whatever_it_is(void **state)
{
    assert_string_equal(kns_text_squeeze(*state, " \t a \u3000\u00A0\n b\u2003"), "a b");
    assert_string_equal(kns_text_squeeze(*state, "\u3000"), "");
    assert_string_equal(kns_text_squeeze(*state, "日本 語"), "日本 語");
}

static void what_compares_equal_folds_to_the_same(void **state)
{
    static const struct {
        const char *text, *folded;
    } rows[] = {
        {"Kaggle", "kaggle"},
        {"ÄRGER Café", "arger cafe"},
        {"Straße", "strasse"},
        {"Ελληνικά", "ελληνικα"},
        {"Ёлка Йод", "елка иод"},
        {"ＡＢＣ１２", "abc12"},
        {"ｶﾞｲﾄﾞ", "ガイド"},
        {"が", "が"},
        {"か\u3099", "が"},
        {"パ ハ", "パ ハ"},
        {"㍿", "株式会社"},
        {"한국어", "한국어"},
        {"ﬁle", "file"},
        {"İstanbul", "istanbul"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(kns_text_fold(*state, rows[i].text), rows[i].folded);
}

static void an_arena_that_is_full_fails_the_operation(void **state)
{
    struct kns_arena *arena = kns_arena_new(64);
    static char text[100000];
    (void)state;

    assert_non_null(arena);
    memset(text, 'a', sizeof(text) - 1);
    assert_null(kns_text_to_utf8(arena, text, sizeof(text) - 1));
    assert_null(kns_text_fit(arena, text, 99999));
    assert_null(kns_text_squeeze(arena, text));
    assert_null(kns_text_fold(arena, text));
    kns_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_well_formed_utf8_is_utf8),
        cmocka_unit_test_setup_teardown(any_bytes_become_text, new_arena, free_arena),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test_setup_teardown(what_does_not_fit_ends_in_an_ellipsis, new_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(white_space_is_squeezed_whatever_it_is, new_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(what_compares_equal_folds_to_the_same, new_arena,
                                        free_arena),
        cmocka_unit_test(an_arena_that_is_full_fails_the_operation),
    };

    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
