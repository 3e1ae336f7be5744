/* options.c - the one parser of command lines, and the usage that its tables make. */
#include "ctl/options.h"

#include "lib/text.h"
#include "lib/time.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define USAGE_WIDTH 80
#define SUGGEST_MAX_LENGTH 32 /* names are shorter; a longer word resembles none of them */

/* ---- finding options ------------------------------------------------------------------------------ */

static const struct kns_option *find_long(const struct kns_option *table, const char *name,
                                          size_t size)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (strlen(table->name) == size && memcmp(table->name, name, size) == 0)
            return table;
    }
    return NULL;
}

static const struct kns_option *find_letter(const struct kns_option *table, char letter)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (table->letter == letter)
            return table;
    }
    return NULL;
}

static const struct kns_option *verb_options(const struct kns_args *args)
{
    return args->verb != NULL ? args->verb->options : NULL;
}

/* A verb's own option goes before a common one of the same name. */
static const struct kns_option *args_find_long(const struct kns_args *args, const char *name,
                                               size_t size)
{
    const struct kns_option *option = find_long(verb_options(args), name, size);

    return option != NULL ? option : find_long(args->common, name, size);
}

static const struct kns_option *args_find_letter(const struct kns_args *args, char letter)
{
    const struct kns_option *option = find_letter(verb_options(args), letter);

    return option != NULL ? option : find_letter(args->common, letter);
}

/* ---- suggestions ---------------------------------------------------------------------------------- */

/* How many characters must be put in, left out, changed, or swapped with their neighbour. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t rows[3][SUGGEST_MAX_LENGTH + 1];
    size_t a_len = strlen(a), b_len = strlen(b);

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                rows[(i - 2) % 3][j - 2] + 1 < best)
                best = rows[(i - 2) % 3][j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_len % 3][b_len];
}

const char *kns_suggest(const char *word, const char *const *names, size_t n)
{
    size_t length = strlen(word), nearest = length / 3 + 2; /* more than this is another word */
    const char *found = NULL;

    if (length == 0 || length > SUGGEST_MAX_LENGTH)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t distance;

        if (strlen(names[i]) > SUGGEST_MAX_LENGTH)
            continue;
        distance = strncmp(names[i], word, length) == 0 ? 0 : edit_distance(word, names[i]);
        if (distance < nearest) {
            nearest = distance;
            found = names[i];
        }
    }
    return found;
}

#define MAX_NAMES 64

static size_t gather_names(const struct kns_option *table, const char **names, size_t n)
{
    for (; table != NULL && table->name != NULL && n < MAX_NAMES; table++)
        names[n++] = table->name;
    return n;
}

static enum kns_status fail_unknown(const struct kns_args *args, const char *name, size_t size,
                                    struct kns_error *err)
{
    const char *names[MAX_NAMES], *near;
    size_t n = gather_names(verb_options(args), names, 0);
    char word[SUGGEST_MAX_LENGTH + 1] = "";

    n = gather_names(args->common, names, n);
    if (size <= SUGGEST_MAX_LENGTH)
        memcpy(word, name, size);
    near = kns_suggest(word, names, n);
    if (near == NULL)
        return kns_fail(err, KNS_EINVAL, "no such option: --%.*s", (int)size, name);
    return kns_fail(err, KNS_EINVAL, "no such option: --%.*s (did you mean --%s?)", (int)size, name,
                    near);
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool is_span(const char *text)
{
    int64_t seconds;

    return kns_time_parse_span(text, &seconds);
}

static bool is_every(const char *text)
{
    return strcmp(text, "none") == 0 || is_span(text);
}

static bool is_point(const char *text)
{
    struct kns_time point;

    return kns_time_parse_point(text, kns_time_now(), &point);
}

static bool is_choice(const char *choices, const char *word)
{
    size_t size = strlen(word);

    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (size > 0 && strncmp(at, word, size) == 0 && (at[size] == '|' || at[size] == '\0'))
            return true;
    }
    return false;
}

static enum kns_status check_value(const struct kns_option *option, const char *value,
                                   struct kns_error *err)
{
    static const struct {
        bool (*fits)(const char *text);
        const char *expected;
    } kinds[] = {
        [KNS_OPTION_NUMBER] = {is_number, "a whole number"},
        [KNS_OPTION_SPAN] = {is_span, "a length of time such as 30m, 1h or 7d"},
        [KNS_OPTION_EVERY] = {is_every, "a length of time such as 30m, 1h or 7d, or none"},
        [KNS_OPTION_POINT] = {is_point,
                              "a time such as 7d (ago), 2026-11-01 or 2026-11-01T09:30:00Z"},
        [KNS_OPTION_CHOICE] = {NULL, NULL},
    };

    if (option->kind == KNS_OPTION_CHOICE && !is_choice(option->value, value))
        return kns_fail(err, KNS_EINVAL, "--%s: \"%s\" is none of %s", option->name, value,
                        option->value);
    if (kinds[option->kind].fits != NULL && !kinds[option->kind].fits(value))
        return kns_fail(err, KNS_EINVAL, "--%s: \"%s\" is not %s", option->name, value,
                        kinds[option->kind].expected);
    if (option->kind == KNS_OPTION_FILE && *value == '\0')
        return kns_fail(err, KNS_EINVAL, "--%s: the path is empty", option->name);
    if (!kns_text_is_utf8(value, strlen(value)) && option->kind != KNS_OPTION_FILE)
        return kns_fail(err, KNS_EINVAL, "--%s: the value is not UTF-8", option->name);
    return KNS_OK;
}

/* ---- parsing -------------------------------------------------------------------------------------- */

/* Where the parser stands in the words. */
struct words {
    int argc, at;
    char **argv;
};

static enum kns_status add_given(struct kns_args *args, struct kns_arena *arena,
                                 const struct kns_option *option, const char *value,
                                 struct kns_error *err)
{
    struct kns_given *given;

    if (value != NULL && check_value(option, value, err) != KNS_OK)
        return err->status;
    given = KNS_NEW(arena, struct kns_given);
    if (given == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    given->option = option;
    given->value = value;
    KNS_LIST_APPEND(&args->given, given);
    return KNS_OK;
}

/* attached: the value in the same word, or NULL. */
static enum kns_status take_option(struct kns_args *args, struct kns_arena *arena,
                                   const struct kns_option *option, const char *attached,
                                   struct words *words, struct kns_error *err)
{
    if (option->kind == KNS_OPTION_FLAG)
        return add_given(args, arena, option, NULL, err);
    if (attached == NULL && words->at >= words->argc)
        return kns_fail(err, KNS_EINVAL, "--%s needs a value (%s)", option->name, option->value);
    return add_given(args, arena, option, attached != NULL ? attached : words->argv[words->at++],
                     err);
}

static enum kns_status take_long(struct kns_args *args, struct kns_arena *arena, const char *word,
                                 struct words *words, struct kns_error *err)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct kns_option *option = args_find_long(args, name, size);

    if (option == NULL)
        return fail_unknown(args, name, size, err);
    if (equals != NULL && option->kind == KNS_OPTION_FLAG)
        return kns_fail(err, KNS_EINVAL, "--%s takes no value", option->name);
    return take_option(args, arena, option, equals != NULL ? equals + 1 : NULL, words, err);
}

/* "-abc", where a and b are flags; what is behind an option with a value is the value. */
static enum kns_status take_short(struct kns_args *args, struct kns_arena *arena, const char *word,
                                  struct words *words, struct kns_error *err)
{
    for (const char *at = word + 1; *at != '\0'; at++) {
        const struct kns_option *option = args_find_letter(args, *at);
        bool last = at[1] == '\0';

        if (option == NULL)
            return kns_fail(err, KNS_EINVAL, "no such option: -%c", *at);
        if (option->kind != KNS_OPTION_FLAG)
            return take_option(args, arena, option, last ? NULL : at + 1, words, err);
        if (add_given(args, arena, option, NULL, err) != KNS_OK)
            return err->status;
    }
    return KNS_OK;
}

static bool is_option(const struct kns_args *args, const char *word)
{
    if (word[0] != '-' || word[1] == '\0')
        return false;
    if (word[1] == '-')
        return true;
    return args->verb == NULL || !args->verb->dashed_operands || args->n_operands == 0;
}

static enum kns_status take_word(struct kns_args *args, struct kns_arena *arena,
                                 struct words *words, struct kns_error *err)
{
    const char *word = words->argv[words->at++];

    if (word[1] == '-')
        return take_long(args, arena, word, words, err);
    return take_short(args, arena, word, words, err);
}

enum kns_status kns_args_parse_common(struct kns_args *args, struct kns_arena *arena, int argc,
                                      char **argv, int *ret_taken, struct kns_error *err)
{
    struct words words = {.argc = argc, .argv = argv};

    while (words.at < argc && is_option(args, argv[words.at]) &&
           strcmp(argv[words.at], "--") != 0) {
        if (take_word(args, arena, &words, err) != KNS_OK)
            return err->status;
    }
    *ret_taken = words.at;
    return KNS_OK;
}

static enum kns_status check_operands(const struct kns_args *args, struct kns_error *err)
{
    const struct kns_verb *verb = args->verb;
    int n = (int)args->n_operands;

    for (size_t i = 0; i < args->n_operands; i++) {
        if (verb->operand_kind != KNS_OPERAND_FILE &&
            !kns_text_is_utf8(args->operands[i], strlen(args->operands[i])))
            return kns_fail(err, KNS_EINVAL, "an argument is not UTF-8");
    }
    if (kns_args_has(args, "help"))
        return KNS_OK;
    if (n == 0 && n < verb->min_operands)
        return kns_fail(err, KNS_EINVAL, "%s is missing", verb->operands);
    if (n < verb->min_operands)
        return kns_fail(err, KNS_EINVAL, "expected more behind \"%s\": %s", args->operands[n - 1],
                        verb->operands);
    if (verb->max_operands != KNS_OPERANDS_MANY && n > verb->max_operands)
        return kns_fail(err, KNS_EINVAL, "one argument too many: \"%s\"",
                        args->operands[verb->max_operands]);
    return KNS_OK;
}

static enum kns_status check_repeats(const struct kns_args *args, struct kns_error *err)
{
    const struct kns_given *a, *b;

    KNS_LIST_EACH(a, &args->given)
    {
        if (a->option->kind == KNS_OPTION_FLAG || a->option->repeats)
            continue;
        for (b = a->next; b != NULL; b = b->next) {
            if (b->option == a->option)
                return kns_fail(err, KNS_EINVAL, "--%s is given twice", a->option->name);
        }
    }
    return KNS_OK;
}

enum kns_status kns_args_parse(struct kns_args *args, struct kns_arena *arena, int argc,
                               char **argv, struct kns_error *err)
{
    struct words words = {.argc = argc, .argv = argv};

    assert(args->verb != NULL);
    args->operands = kns_arena_alloc(arena, ((size_t)argc + 1) * sizeof(*args->operands));
    if (args->operands == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    while (words.at < argc) {
        if (strcmp(argv[words.at], "--") == 0) {
            for (words.at++; words.at < argc; words.at++)
                args->operands[args->n_operands++] = argv[words.at];
        } else if (!is_option(args, argv[words.at])) {
            args->operands[args->n_operands++] = argv[words.at++];
        } else if (take_word(args, arena, &words, err) != KNS_OK) {
            return err->status;
        }
    }
    if (check_repeats(args, err) != KNS_OK)
        return err->status;
    return check_operands(args, err);
}

/* ---- asking --------------------------------------------------------------------------------------- */

static const struct kns_given *last_given(const struct kns_args *args, const char *name)
{
    const struct kns_option *option = args_find_long(args, name, strlen(name));
    const struct kns_given *given, *last = NULL;

    assert(option != NULL);
    KNS_LIST_EACH(given, &args->given)
    {
        if (strcmp(given->option->name, option->name) == 0)
            last = given;
    }
    return last;
}

const char *kns_args_value(const struct kns_args *args, const char *name)
{
    const struct kns_given *given = last_given(args, name);

    return given != NULL ? given->value : NULL;
}

bool kns_args_has(const struct kns_args *args, const char *name)
{
    return last_given(args, name) != NULL;
}

int64_t kns_args_number(const struct kns_args *args, const char *name, int64_t otherwise)
{
    const char *value = kns_args_value(args, name);

    return value != NULL ? strtoll(value, NULL, 10) : otherwise;
}

/* ---- usage ---------------------------------------------------------------------------------------- */

/* Prints text from column `from` on, broken at spaces before the width, each further line indented by `indent`. */
static void print_folded(FILE *out, const char *text, int from, int indent)
{
    int column = from;

    while (*text != '\0') {
        char word[160];
        size_t size = strcspn(text, " ");
        int columns;

        snprintf(word, sizeof(word), "%.*s", (int)size, text);
        columns = kns_text_columns(word);
        if (column > indent && column + 1 + columns > USAGE_WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (column > from || (from > indent && column == from)) {
            fputc(' ', out);
            column++;
        }
        fputs(word, out);
        column += columns;
        text += size;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

#define OPTION_INDENT 26

static void print_option(FILE *out, const struct kns_option *option)
{
    char left[80];
    int columns;

    snprintf(left, sizeof(left), "  %c%c%s --%s%s%s", option->letter ? '-' : ' ',
             option->letter ? option->letter : ' ', option->letter ? "," : " ", option->name,
             option->value != NULL ? " " : "", option->value != NULL ? option->value : "");
    columns = kns_text_columns(left);
    fputs(left, out);
    if (columns > OPTION_INDENT - 2)
        fprintf(out, "\n%*s", OPTION_INDENT, "");
    else
        fprintf(out, "%*s", OPTION_INDENT - columns, "");
    print_folded(out, option->help, OPTION_INDENT, OPTION_INDENT);
}

static void print_options(FILE *out, const char *heading, const struct kns_option *table)
{
    if (table == NULL || table->name == NULL)
        return;
    fprintf(out, "\n%s:\n", heading);
    for (; table->name != NULL; table++)
        print_option(out, table);
}

void kns_usage_verb(FILE *out, const struct kns_verb *verb, const struct kns_option *common)
{
    bool has_options = verb->options != NULL && verb->options->name != NULL;

    fprintf(out, "usage: knsctl %s%s%s%s\n\n", verb->name, has_options ? " [OPTION…]" : "",
            verb->operands[0] != '\0' ? " " : "", verb->operands);
    print_folded(out, verb->summary, 0, 0);
    if (verb->notes != NULL) {
        fputc('\n', out);
        print_folded(out, verb->notes, 0, 0);
    }
    print_options(out, "Options", verb->options);
    print_options(out, "Common options", common);
    if (verb->examples == NULL)
        return;
    fputs("\nExamples:\n", out);
    for (const char *const *example = verb->examples; *example != NULL; example++)
        fprintf(out, "  %s\n", *example);
}

void kns_usage_all(FILE *out, const struct kns_verb *verbs, const struct kns_option *common)
{
    const char *group = "";
    int widest = 0;

    for (const struct kns_verb *verb = verbs; verb->name != NULL; verb++)
        widest = (int)strlen(verb->name) > widest ? (int)strlen(verb->name) : widest;
    fputs("usage: knsctl VERB [OPTION…] [ARGUMENT…]\n\n"
          "Talks to knsd, the feed aggregator, over its Unix socket.\n",
          out);
    for (const struct kns_verb *verb = verbs; verb->name != NULL; verb++) {
        if (strcmp(group, verb->group) != 0)
            fprintf(out, "\n%s:\n", verb->group);
        group = verb->group;
        fprintf(out, "  %-*s", widest + 2, verb->name);
        print_folded(out, verb->summary, widest + 4, widest + 4);
    }
    print_options(out, "Common options", common);
    fputs("\n`knsctl VERB --help` says all about a verb; knsctl(1) says all about knsctl.\n", out);
}
