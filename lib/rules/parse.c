/* The text of a rule: words, quoted values and /regular expressions/, read from left to right without going back. */
#include "lib/rules/rule.h"

#include "lib/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct reader {
    struct kns_arena *arena;
    const char *text, *at;
    struct kns_error *err;
};

/* ---- saying what is wrong ----------------------------------------------------------------------------------------- */

/* The position as people count: characters, from 1. */
static int position(const struct reader *r, const char *at)
{
    int n = 1;

    for (const char *c = r->text; c < at; c++)
        n += ((unsigned char)*c & 0xC0) != 0x80;
    return n;
}

static enum kns_status expected(const struct reader *r, const char *at, const char *what)
{
    size_t size = strcspn(at, " \t");

    if (size == 0)
        return kns_fail(r->err, KNS_EINVAL, "the rule ends at character %d: expected %s",
                        position(r, at), what);
    return kns_fail(r->err, KNS_EINVAL, "character %d: \"%.*s\": expected %s", position(r, at),
                    (int)kns_text_utf8_prefix(at, size > 40 ? 40 : size), at, what);
}

static enum kns_status out_of_memory(const struct reader *r)
{
    return kns_fail(r->err, KNS_ENOMEM, "out of memory");
}

/* ---- words and values --------------------------------------------------------------------------------------------- */

static void skip_space(struct reader *r)
{
    r->at += strspn(r->at, " \t");
}

/* Takes a word when it stands here, ended by a space, a comma or the end. */
static bool take_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(r->at, word, len) != 0 || strchr(" \t,", r->at[len]) == NULL)
        return false;
    r->at += len;
    skip_space(r);
    return true;
}

/* "a value" in quotes, with \" and \\ for themselves, or a word up to a space or one of the characters in end. */
static enum kns_status take_value(struct reader *r, const char *end, const char *what,
                                  const char **ret)
{
    const char *from = r->at;
    bool quoted = *from == '"';
    char *value = kns_arena_copy(r->arena, from, strlen(from)), *to = value;

    if (value == NULL)
        return out_of_memory(r);
    r->at += quoted;
    while (*r->at != '\0' && (quoted ? *r->at != '"' : strchr(end, *r->at) == NULL)) {
        if (quoted && *r->at == '\\' && (r->at[1] == '"' || r->at[1] == '\\'))
            r->at++;
        *to++ = *r->at++;
    }
    *to = '\0';
    if (quoted && *r->at != '"')
        return kns_fail(r->err, KNS_EINVAL,
                        "character %d: the quoted value has no end: expected \"",
                        position(r, from));
    r->at += quoted;
    if (*value == '\0')
        return expected(r, from, what);
    skip_space(r);
    *ret = value;
    return KNS_OK;
}

/* ---- actions ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *word;
    enum action_kind kind;
} actions[] = {{"drop", ACTION_DROP},
               {"star", ACTION_STAR},
               {"read", ACTION_READ},
               {"tag", ACTION_TAG},
               {"score", ACTION_SCORE}};

static enum kns_status take_score(struct reader *r, int64_t *ret)
{
    char *end;
    long score = strtol(r->at, &end, 10);
    bool is_signed = *r->at == '+' || *r->at == '-';

    if (!is_signed || end == r->at || strchr(" \t,", *end) == NULL || score == 0 ||
        labs(score) > KNS_RULE_MAX_SCORE)
        return expected(r, r->at, "a score from -1000 to +1000, with its sign");
    *ret = score;
    r->at = end;
    skip_space(r);
    return KNS_OK;
}

static enum kns_status take_action(struct reader *r, struct rule *rule)
{
    struct action *action = KNS_NEW(r->arena, struct action);
    size_t i = 0;

    if (action == NULL)
        return out_of_memory(r);
    while (i < LENGTH(actions) && !take_word(r, actions[i].word))
        i++;
    if (i == LENGTH(actions))
        return expected(r, r->at, "drop, star, read, tag or score");
    if (rule->actions.count == KNS_RULE_MAX_PARTS)
        return kns_fail(r->err, KNS_EINVAL, "character %d: expected at most %d actions",
                        position(r, r->at), KNS_RULE_MAX_PARTS);
    action->kind = actions[i].kind;
    KNS_LIST_APPEND(&rule->actions, action);
    if (action->kind == ACTION_SCORE)
        return take_score(r, &action->score);
    if (action->kind != ACTION_TAG)
        return KNS_OK;
    const char *from = r->at;
    enum kns_status status = take_value(r, " \t,", "the name of a tag", &action->tag);
    if (status == KNS_OK && strlen(action->tag) > 200)
        status = expected(r, from, "a tag of 1 to 200 bytes");
    return status;
}

static enum kns_status take_actions(struct reader *r, struct rule *rule)
{
    enum kns_status status = take_action(r, rule);

    while (status == KNS_OK && *r->at == ',') {
        r->at++;
        skip_space(r);
        status = take_action(r, rule);
    }
    return status;
}

/* ---- conditions --------------------------------------------------------------------------------------------------- */

static const char *const fields[FIELDS] = {
    [FIELD_FEED] = "feed",      [FIELD_TAG] = "tag", [FIELD_TITLE] = "title",
    [FIELD_AUTHOR] = "author",  [FIELD_URL] = "url", [FIELD_CATEGORY] = "category",
    [FIELD_CONTENT] = "content"};

static const char *const operators[] = {[OP_IS] = "=", [OP_HAS] = "has", [OP_MATCHES] = "~"};

static const struct {
    char letter;
    uint32_t option;
} flags[] = {
    {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL}, {'x', PCRE2_EXTENDED}};

static enum kns_status take_flags(struct reader *r, uint32_t *options)
{
    for (; *r->at != '\0' && strchr(" \t", *r->at) == NULL; r->at++) {
        size_t i = 0;
        while (i < LENGTH(flags) && flags[i].letter != *r->at)
            i++;
        if (i == LENGTH(flags))
            return expected(r, r->at, "the letters i, m, s or x, or a space behind the slash");
        *options |= flags[i].option;
    }
    skip_space(r);
    return KNS_OK;
}

/* Steps are counted by callouts before each part of the pattern: PCRE2's own match limit begins anew at each place of the text. */
static enum kns_status compile(struct reader *r, const char *from, struct condition *condition,
                               uint32_t options)
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_UCHAR why[200];

    options |= PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
    condition->regex = pcre2_compile((PCRE2_SPTR)condition->value, PCRE2_ZERO_TERMINATED, options,
                                     &code, &offset, NULL);
    if (condition->regex != NULL)
        return KNS_OK;
    pcre2_get_error_message(code, why, sizeof(why));
    return kns_fail(r->err, KNS_EINVAL, "character %d: expected a regular expression: %s",
                    position(r, from) + (int)offset, (const char *)why);
}

/* /…/ with \/ for a slash. */
static enum kns_status take_regex(struct reader *r, struct condition *condition)
{
    const char *from = r->at;
    char *value = kns_arena_copy(r->arena, from, strlen(from)), *to = value;
    uint32_t options = 0;

    if (value == NULL)
        return out_of_memory(r);
    if (*from != '/')
        return expected(r, from, "a regular expression between slashes");
    for (r->at++; *r->at != '\0' && *r->at != '/'; r->at++) {
        if (r->at[0] == '\\' && r->at[1] != '\0') {
            if (r->at[1] != '/')
                *to++ = *r->at;
            r->at++;
        }
        *to++ = *r->at;
    }
    *to = '\0';
    if (*r->at != '/')
        return kns_fail(r->err, KNS_EINVAL,
                        "character %d: the regular expression has no end: expected /",
                        position(r, from));
    r->at++;
    condition->value = value;
    enum kns_status status = take_flags(r, &options);
    return status == KNS_OK ? compile(r, from + 1, condition, options) : status;
}

static enum kns_status take_condition(struct reader *r, struct rule *rule)
{
    struct condition *condition = KNS_NEW(r->arena, struct condition);
    size_t field = 0, op = 0;

    if (condition == NULL)
        return out_of_memory(r);
    condition->negative = take_word(r, "not");
    while (field < FIELDS && !take_word(r, fields[field]))
        field++;
    if (field == FIELDS)
        return expected(r, r->at, "feed, tag, title, author, url, category or content");
    while (op < LENGTH(operators) && !take_word(r, operators[op]))
        op++;
    if (op == LENGTH(operators))
        return expected(r, r->at, "=, has or ~, with a space behind it");
    if (rule->conditions.count == KNS_RULE_MAX_PARTS)
        return kns_fail(r->err, KNS_EINVAL, "character %d: expected at most %d conditions",
                        position(r, r->at), KNS_RULE_MAX_PARTS);
    condition->field = (enum field)field;
    condition->op = (enum operator)op;
    KNS_LIST_APPEND(&rule->conditions, condition);
    if (condition->op == OP_MATCHES)
        return take_regex(r, condition);
    enum kns_status status = take_value(r, " \t", "a value", &condition->value);
    if (status != KNS_OK)
        return status;
    condition->folded = kns_text_fold(r->arena, condition->value);
    return condition->folded == NULL ? out_of_memory(r) : KNS_OK;
}

enum kns_status rule_parse(struct kns_arena *arena, const char *text, struct rule *rule,
                           struct kns_error *err)
{
    struct reader r = {.arena = arena, .text = text, .at = text, .err = err};

    if (strlen(text) > KNS_RULE_MAX_BYTES)
        return kns_fail(err, KNS_EINVAL, "the rule is longer than %d bytes", KNS_RULE_MAX_BYTES);
    if (!kns_text_is_utf8(text, strlen(text)) || strpbrk(text, "\r\n") != NULL)
        return kns_fail(err, KNS_EINVAL, "expected one line of UTF-8");
    skip_space(&r);
    enum kns_status status = take_actions(&r, rule);
    if (status == KNS_OK && !take_word(&r, "if"))
        return expected(&r, r.at, "a comma and another action, or \"if\"");
    if (status == KNS_OK)
        status = take_condition(&r, rule);
    while (status == KNS_OK && *r.at != '\0') {
        if (!take_word(&r, "and"))
            return expected(&r, r.at, "\"and\", or the end of the rule");
        status = take_condition(&r, rule);
    }
    return status;
}

void rule_fini(struct rule *rule)
{
    struct condition *condition;

    KNS_LIST_EACH(condition, &rule->conditions)
    pcre2_code_free(condition->regex);
}

bool kns_rule_is_blank(const char *line)
{
    line += strspn(line, " \t\r\n");
    return *line == '\0' || *line == '#';
}
