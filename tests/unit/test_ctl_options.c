/* Command lines taken apart. */
#include "ctl/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

static const struct kns_option common[] = {{"socket", 0, false, KNS_OPTION_FILE, "PATH", "where"},
                                           {"help", 'h', false, KNS_OPTION_FLAG, NULL, "help"},
                                           {0}};
static const struct kns_option own[] = {
    {"all", 'a', false, KNS_OPTION_FLAG, NULL, "all"},
    {"tag", 't', true, KNS_OPTION_TEXT, "TAG", "a tag"},
    {"number", 'n', false, KNS_OPTION_NUMBER, "N", "so many"},
    {"every", 0, false, KNS_OPTION_SPAN, "TIME", "so often"},
    {"since", 0, false, KNS_OPTION_POINT, "TIME", "from then on"},
    {"sort", 0, false, KNS_OPTION_CHOICE, "new|old", "order"},
    {0},
};
static const struct kns_verb many = {.name = "many",
                                     .operands = "THING…",
                                     .operand_kind = KNS_OPERAND_TEXT,
                                     .min_operands = 1,
                                     .max_operands = KNS_OPERANDS_MANY,
                                     .options = own};
static const struct kns_verb none = {.name = "none", .operands = "", .options = own};
static const struct kns_verb dashed = {.name = "dashed",
                                       .operands = "ITEM +T -T",
                                       .min_operands = 1,
                                       .max_operands = KNS_OPERANDS_MANY,
                                       .dashed_operands = true,
                                       .options = own};

#define MAX_WORDS 12

/* Parses a line of words with spaces between; the arena holds what args points to. */
static enum kns_status parse(struct kns_args *args, struct kns_arena *arena,
                             const struct kns_verb *verb, const char *line, struct kns_error *err)
{
    char *words[MAX_WORDS], *copy = kns_arena_strdup(arena, line);
    int n = 0;

    for (char *word = strtok(copy, " "); word != NULL && n < MAX_WORDS; word = strtok(NULL, " "))
        words[n++] = word;
    *args = (struct kns_args){.common = common, .verb = verb};
    return kns_args_parse(args, arena, n, words, err);
}

static void options_stand_in_every_form_and_place(void **state)
{
    static const char *const lines[] = {"-a -n 5 x y",          "x -an5 y",
                                        "x y --number 5 --all", "--number=5 -a -- x y",
                                        "-a x -n5 -- y",        "-h -a -n 5 x y"};
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct kns_args args;
        struct kns_error err = {0};
        if (parse(&args, arena, &many, lines[i], &err) != KNS_OK)
            fail_msg("%s: %s", lines[i], err.message);
        assert_int_equal(args.n_operands, 2);
        assert_string_equal(args.operands[0], "x");
        assert_string_equal(args.operands[1], "y");
        assert_int_equal(kns_args_number(&args, "number", 50), 5);
        assert_true(kns_args_has(&args, "all"));
        assert_false(kns_args_has(&args, "tag"));
        assert_null(kns_args_value(&args, "sort"));
    }
    kns_arena_free(arena);
}

static void what_is_wrong_is_a_sentence_that_names_it(void **state)
{
    static const struct {
        const struct kns_verb *verb;
        const char *line, *says;
    } rows[] = {
        {&many, "", "THING… is missing"},
        {&none, "x", "one argument too many: \"x\""},
        {&many, "--nmber 5 x", "did you mean --number?"},
        {&many, "--frobnicate x", "no such option: --frobnicate"},
        {&many, "-z x", "no such option: -z"},
        {&many, "-az x", "no such option: -z"},
        {&many, "x -n", "--number needs a value (N)"},
        {&many, "x --number=", "not a whole number"},
        {&many, "x -n five", "\"five\" is not a whole number"},
        {&many, "x -n -5", "not a whole number"},
        {&many, "x -n 99999999999999999999", "not a whole number"},
        {&many, "x --all=yes", "--all takes no value"},
        {&many, "x --every soon", "30m"},
        {&many, "x --since someday", "2026-11-01"},
        {&many, "x --sort best", "none of new|old"},
        {&many, "x --sort ne", "none of new|old"},
        {&many, "x --sort=", "none of new|old"},
        {&many, "x --sort new --sort old", "--sort is given twice"},
        {&many, "x --tag \xFF", "not UTF-8"},
        {&many, "\xFF", "not UTF-8"},
    };
    struct kns_arena *arena = kns_arena_new(0);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kns_args args;
        struct kns_error err = {0};
        assert_int_equal(parse(&args, arena, rows[i].verb, rows[i].line, &err), KNS_EINVAL);
        if (strstr(err.message, rows[i].says) == NULL)
            fail_msg("%s: %s: expected \"%s\" in it", rows[i].line, err.message, rows[i].says);
    }
    kns_arena_free(arena);
}

static void what_repeats_may_and_flags_always(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_args args;
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(parse(&args, arena, &many, "-t a -t b x -a -a", &err), KNS_OK);
    assert_string_equal(kns_args_value(&args, "tag"), "b");
    assert_int_equal(args.given.count, 4);
    kns_arena_free(arena);
}

static void behind_the_first_operand_a_dash_may_begin_another(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_args args;
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(parse(&args, arena, &dashed, "-a 3 -a +b", &err), KNS_OK);
    assert_true(kns_args_has(&args, "all"));
    assert_int_equal(args.n_operands, 3);
    assert_string_equal(args.operands[1], "-a");
    assert_int_equal(parse(&args, arena, &dashed, "3 -b --all", &err), KNS_OK);
    assert_true(kns_args_has(&args, "all"));
    kns_arena_free(arena);
}

static void help_is_given_whatever_else_is_missing(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_args args;
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(parse(&args, arena, &many, "--help", &err), KNS_OK);
    assert_true(kns_args_has(&args, "help"));
    kns_arena_free(arena);
}

static void a_near_name_is_suggested_and_a_far_one_not(void **state)
{
    static const char *const names[] = {"list", "search", "digest", "status"};

    (void)state;
    assert_string_equal(kns_suggest("lst", names, 4), "list");
    assert_string_equal(kns_suggest("serach", names, 4), "search");
    assert_string_equal(kns_suggest("dig", names, 4), "digest");
    assert_null(kns_suggest("frobnicate", names, 4));
    assert_null(kns_suggest("", names, 4));
    assert_null(kns_suggest("a-word-that-is-far-longer-than-any-name", names, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_in_every_form_and_place),
        cmocka_unit_test(what_is_wrong_is_a_sentence_that_names_it),
        cmocka_unit_test(what_repeats_may_and_flags_always),
        cmocka_unit_test(behind_the_first_operand_a_dash_may_begin_another),
        cmocka_unit_test(help_is_given_whatever_else_is_missing),
        cmocka_unit_test(a_near_name_is_suggested_and_a_far_one_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
