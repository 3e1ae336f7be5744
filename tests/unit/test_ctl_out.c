/* Tables fitted to a width, ages, harmless text. */
#include "ctl/out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct kns_column columns[] = {
    {"ID", 2, 4, true, 0}, {"FEED", 4, 8, false, 0}, {"TITLE", 6, 0, false, 0}};

/* What a function prints to standard output; the caller frees. */
static char *printed(void (*print)(void *ctx), void *ctx)
{
    FILE *file = tmpfile();
    char *text = calloc(1, 65536);
    int before = dup(STDOUT_FILENO);

    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    print(ctx);
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    close(before);
    rewind(file);
    assert_true(fread(text, 1, 65535, file) < 65535);
    fclose(file);
    return text;
}

struct job {
    struct kns_table *table;
    const struct kns_out *out;
};

static void print_table(void *ctx)
{
    const struct job *job = ctx;

    kns_table_print(job->table, job->out);
}

/* The rows of a table, three cells each, as they are printed. */
static char *table_of(const char *const (*rows)[3], size_t n, const struct kns_out *out,
                      const char *note)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_table table;
    struct job job = {&table, out};

    kns_table_init(&table, arena, columns, 3);
    for (size_t i = 0; i < n; i++) {
        const struct kns_cell cells[] = {
            {rows[i][0], KNS_PLAIN}, {rows[i][1], KNS_DIM}, {rows[i][2], KNS_BOLD}};
        assert_true(kns_table_add(&table, cells));
    }
    if (note != NULL)
        kns_table_note(&table, note, KNS_RED);
    char *text = printed(print_table, &job);
    kns_arena_free(arena);
    return text;
}

static void a_narrow_terminal_takes_from_every_column_and_then_leaves_some_out(void **state)
{
    static const struct kns_column some[] = {{"ID", 2, 4, true, 0},
                                             {"FEED", 4, 8, false, 1},
                                             {"TAGS", 4, 8, false, 2},
                                             {"TITLE", 6, 0, false, 0}};
    static const struct {
        int columns;
        const char *text;
    } rows[] = {
        {36, "ID  FEED      TAGS      TITLE\n 1  the feed  the tags  some title\n"},
        {30, "ID  FEED      TAGS      TITLE\n 1  the feed  the tags  some …\n"},
        {28, "ID  FEED      TAGS    TITLE\n 1  the feed  the t…  some …\n"},
        {22, "ID  FEED  TAGS  TITLE\n 1  the…  the…  some …\n"},
        {18, "ID  FEED    TITLE\n 1  the f…  some …\n"},
        {10, "ID  TITLE\n 1  some …\n"},
        {1, "ID  TITLE\n 1  some …\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct kns_out out = {.terminal = true, .columns = rows[i].columns};
        const struct kns_cell cells[] = {{"1", KNS_PLAIN},
                                         {"the feed", KNS_PLAIN},
                                         {"the tags", KNS_PLAIN},
                                         {"some title", KNS_PLAIN}};
        struct kns_arena *arena = kns_arena_new(0);
        struct kns_table table;
        struct job job = {&table, &out};
        kns_table_init(&table, arena, some, 4);
        assert_true(kns_table_add(&table, cells));
        char *text = printed(print_table, &job);
        assert_string_equal(text, rows[i].text);
        free(text);
        kns_arena_free(arena);
    }
}

static void columns_are_as_wide_as_what_is_in_them(void **state)
{
    static const char *const rows[][3] = {{"1", "a", "x"}, {"12", "機械", "longer title"}};
    const struct kns_out out = {.terminal = true, .columns = 80};
    char *text = table_of(rows, 2, &out, NULL);

    (void)state;
    assert_string_equal(text, "ID  FEED  TITLE\n"
                              " 1  a     x\n"
                              "12  機械  longer title\n");
    free(text);
}

static void what_does_not_fit_is_cut_at_a_character_and_wide_ones_count_twice(void **state)
{
    static const char *const rows[][3] = {{"1", "日本語の名前", "機械学習コンペの解法"},
                                          {"2", "abcdefghij", "a title of many words"}};
    const struct kns_out out = {.terminal = true, .columns = 24};
    char *text = table_of(rows, 2, &out, NULL);

    (void)state;
    assert_string_equal(text, "ID  FEED      TITLE\n"
                              " 1  日本語…   機械学習…\n"
                              " 2  abcdefg…  a title o…\n");
    free(text);
}

static void in_a_pipe_fields_are_whole_with_tabs_between(void **state)
{
    static const char *const rows[][3] = {
        {"1", "a\tb\nc", "機械学習コンペの解法についての長い長い長い題名"}, {"2", NULL, ""}};
    const struct kns_out out = {.columns = 20};
    char *text = table_of(rows, 2, &out, "not for programs");

    (void)state;
    assert_string_equal(text, "1\ta b c\t機械学習コンペの解法についての長い長い長い題名\n2\t\t\n");
    free(text);
}

static void a_note_stands_below_its_row(void **state)
{
    static const char *const rows[][3] = {{"1", "a", "x"}};
    const struct kns_out out = {.terminal = true, .columns = 30};
    char *text = table_of(rows, 1, &out, "one two three four five six seven");

    (void)state;
    assert_string_equal(
        text, "ID  FEED  TITLE\n 1  a     x\n    one two three four five\n    six seven\n");
    free(text);
}

static void an_empty_table_is_nothing(void **state)
{
    const struct kns_out out = {.terminal = true, .columns = 80};
    char *text = table_of(NULL, 0, &out, "no row to stand below");

    (void)state;
    assert_string_equal(text, "");
    free(text);
}

static void styles_are_for_who_has_colour(void **state)
{
    static const char *const rows[][3] = {{"1", "a", "x"}};
    const struct kns_out out = {.terminal = true, .color = true, .columns = 80};
    char *text = table_of(rows, 1, &out, NULL);

    (void)state;
    assert_non_null(strstr(text, "\033[1mx\033[0m\n"));
    assert_non_null(strstr(text, "\033[2ma\033[0m"));
    assert_null(strstr(text, "\0331\033"));
    free(text);
}

static void ages_are_one_number_and_its_unit(void **state)
{
    static const struct {
        int64_t ago;
        const char *text;
    } rows[] = {{0, "now"},          {59, "now"},    {60, "1m"},      {3599, "59m"},
                {3600, "1h"},        {86399, "23h"}, {86400, "1d"},   {7 * 86400, "1w"},
                {400 * 86400, "1y"}, {-30, "soon"},  {-7200, "in 2h"}};
    struct kns_arena *arena = kns_arena_new(0);
    const struct kns_time now = {1700000000};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(kns_out_age(arena, (struct kns_time){now.unix_s - rows[i].ago}, now),
                            rows[i].text);
    assert_string_equal(kns_out_age(arena, (struct kns_time){0}, now), "-");
    kns_arena_free(arena);
}

static void text_can_do_nothing_to_a_terminal(void **state)
{
    static const struct {
        const char *text, *safe;
    } rows[] = {{NULL, ""},
                {"plain 題", "plain 題"},
                {"a\x1B[2Jb", "a [2Jb"},
                {"a\xC2\x9B"
                 "2J",
                 "a 2J"},
                {"x\ty\nz\r\x7F", "x y z  "},
                {"\xE2\x80\xAE"
                 "cod.exe",
                 " cod.exe"},
                {"a\xE2\x80\xA8"
                 "b",
                 "a b"}};
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(kns_out_safe(arena, rows[i].text), rows[i].safe);
    kns_arena_free(arena);
}

static void print_wrapped(void *ctx)
{
    const struct kns_out out = {.terminal = true, .columns = 24};

    kns_out_wrapped(&out, ctx, 2);
}

static void paragraphs_break_at_spaces_and_between_wide_characters(void **state)
{
    char english[] = "one two three four five six\nnew line",
         japanese[] = "機械学習のコンペティションの解法を読む";
    char *text = printed(print_wrapped, english);

    (void)state;
    assert_string_equal(text, "  one two three four\n  five six\n  new line\n");
    free(text);
    text = printed(print_wrapped, japanese);
    assert_string_equal(text, "  機械学習のコンペティシ\n  ョンの解法を読む\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_what_is_in_them),
        cmocka_unit_test(a_narrow_terminal_takes_from_every_column_and_then_leaves_some_out),
        cmocka_unit_test(what_does_not_fit_is_cut_at_a_character_and_wide_ones_count_twice),
        cmocka_unit_test(in_a_pipe_fields_are_whole_with_tabs_between),
        cmocka_unit_test(a_note_stands_below_its_row),
        cmocka_unit_test(an_empty_table_is_nothing),
        cmocka_unit_test(styles_are_for_who_has_colour),
        cmocka_unit_test(ages_are_one_number_and_its_unit),
        cmocka_unit_test(text_can_do_nothing_to_a_terminal),
        cmocka_unit_test(paragraphs_break_at_spaces_and_between_wide_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
