/* Judging an item: each field is read once, when the first condition asks for it. */
#include "lib/rules/rule.h"

#include "lib/buf.h"
#include "lib/html.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PCRE2's heap for one match; it asks for it only where a pattern goes back far. */
#define MATCH_HEAP_KIB 16384

struct kns_rules {
    struct kns_arena *arena; /* the rules */
    KNS_LIST(rule) list;
    pcre2_match_context *context;
    pcre2_match_data *data;
    long steps; /* of the match under way */
};

/* ---- the set ------------------------------------------------------------------------------------------------------ */

static int count_step(pcre2_callout_block *block, void *ctx)
{
    struct kns_rules *rules = ctx;

    (void)block;
    return ++rules->steps > KNS_RULE_MAX_STEPS ? PCRE2_ERROR_MATCHLIMIT : 0;
}

struct kns_rules *kns_rules_new(void)
{
    struct kns_rules *rules = calloc(1, sizeof(*rules));

    if (rules == NULL)
        return NULL;
    rules->arena = kns_arena_new(0);
    rules->context = pcre2_match_context_create(NULL);
    rules->data = pcre2_match_data_create(1, NULL);
    if (rules->arena == NULL || rules->context == NULL || rules->data == NULL) {
        kns_rules_free(rules);
        return NULL;
    }
    pcre2_set_callout(rules->context, count_step, rules);
    pcre2_set_match_limit(rules->context, KNS_RULE_MAX_STEPS);
    pcre2_set_heap_limit(rules->context, MATCH_HEAP_KIB);
    return rules;
}

void kns_rules_free(struct kns_rules *rules)
{
    struct rule *rule;

    if (rules == NULL)
        return;
    KNS_LIST_EACH(rule, &rules->list)
    rule_fini(rule);
    pcre2_match_data_free(rules->data);
    pcre2_match_context_free(rules->context);
    kns_arena_free(rules->arena);
    free(rules);
}

static enum kns_status look(const char *text, struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct rule rule = {0};
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                           : rule_parse(arena, text, &rule, err);

    rule_fini(&rule);
    kns_arena_free(arena);
    return status;
}

enum kns_status kns_rules_add(struct kns_rules *rules, int64_t id, const char *text,
                              struct kns_error *err)
{
    if (rules == NULL)
        return look(text, err);
    if (rules->list.count >= KNS_RULES_MOST)
        return kns_fail(err, KNS_ELIMIT, "there are %d rules already", KNS_RULES_MOST);
    struct rule *rule = KNS_NEW(rules->arena, struct rule);
    if (rule == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = rule_parse(rules->arena, text, rule, err);
    if (status != KNS_OK) {
        rule_fini(rule);
        return status;
    }
    rule->id = id;
    KNS_LIST_APPEND(&rules->list, rule);
    return KNS_OK;
}

size_t kns_rules_count(const struct kns_rules *rules)
{
    return rules->list.count;
}

/* ---- what a field says -------------------------------------------------------------------------------------------- */

struct value {
    const char *text, *folded;
    struct value *next;
};

struct values {
    KNS_LIST(value) list;
    bool read;
};

struct judging {
    struct kns_rules *rules;
    struct kns_arena *arena;
    const struct kns_rule_subject *subject;
    struct kns_rule_verdict *verdict;
    struct values fields[FIELDS];
    bool failed; /* no memory */
};

static void add_value(struct judging *j, enum field field, const char *text)
{
    struct value *value = text == NULL ? NULL : KNS_NEW(j->arena, struct value);
    size_t size = text == NULL ? 0 : strlen(text);

    if (text == NULL)
        return;
    if (value != NULL && size > KNS_RULE_MAX_CONTENT)
        text = kns_arena_copy(j->arena, text, kns_text_utf8_prefix(text, KNS_RULE_MAX_CONTENT));
    if (value == NULL || text == NULL) {
        j->failed = true;
        return;
    }
    value->text = text;
    KNS_LIST_APPEND(&j->fields[field].list, value);
}

static void read_feed(struct judging *j)
{
    add_value(j, FIELD_FEED, kns_arena_printf(j->arena, "%lld", (long long)j->subject->feed_id));
    add_value(j, FIELD_FEED, j->subject->feed_url);
    add_value(j, FIELD_FEED, j->subject->feed_title);
}

static void read_tags(struct judging *j)
{
    const struct kns_string *tag;

    if (j->subject->feed_tags == NULL)
        return;
    KNS_LIST_EACH(tag, &j->subject->feed_tags->list)
    add_value(j, FIELD_TAG, tag->value);
}

static void read_title(struct judging *j)
{
    add_value(j, FIELD_TITLE, j->subject->entry->title);
}

static void read_authors(struct judging *j)
{
    const struct kns_person *person;

    KNS_LIST_EACH(person, &j->subject->entry->authors)
    {
        add_value(j, FIELD_AUTHOR, person->name);
        add_value(j, FIELD_AUTHOR, person->email);
        add_value(j, FIELD_AUTHOR, person->url);
    }
}

static void read_urls(struct judging *j)
{
    add_value(j, FIELD_URL, j->subject->entry->url);
    add_value(j, FIELD_URL, j->subject->entry->external_url);
}

static void read_categories(struct judging *j)
{
    const struct kns_category *category;

    KNS_LIST_EACH(category, &j->subject->entry->tags)
    {
        add_value(j, FIELD_CATEGORY, category->term);
        add_value(j, FIELD_CATEGORY, category->label);
    }
}

/* The whole text as one value, so that a pattern and its negation see the same. */
static void read_content(struct judging *j)
{
    const struct kns_entry *entry = j->subject->entry;
    const char *html[] = {entry->content_html, entry->summary_html};
    struct kns_buf text = {0};

    for (size_t i = 0; i < 2; i++) {
        const char *plain = html[i] == NULL ? "" : kns_html_to_text(j->arena, html[i]);
        j->failed = j->failed || plain == NULL;
        if (plain != NULL && *plain != '\0')
            kns_buf_addf(&text, "%s\n", plain);
    }
    if (entry->content_text != NULL)
        kns_buf_addf(&text, "%s\n", entry->content_text);
    kns_buf_adds(&text, entry->summary);
    add_value(j, FIELD_CONTENT, kns_arena_strdup(j->arena, kns_buf_str(&text)));
    j->failed = j->failed || kns_buf_failed(&text);
    kns_buf_fini(&text);
}

static const struct values *values_of(struct judging *j, enum field field)
{
    static void (*const readers[FIELDS])(struct judging *) = {
        [FIELD_FEED] = read_feed,      [FIELD_TAG] = read_tags, [FIELD_TITLE] = read_title,
        [FIELD_AUTHOR] = read_authors, [FIELD_URL] = read_urls, [FIELD_CATEGORY] = read_categories,
        [FIELD_CONTENT] = read_content};

    if (!j->fields[field].read)
        readers[field](j);
    j->fields[field].read = true;
    return &j->fields[field];
}

/* ---- conditions ---------------------------------------------------------------------------------------------------- */

/* A tag is also that of the folders it stands in: ml/papers is ml. */
static bool is_tag(const char *value, const char *wanted)
{
    size_t len = strlen(wanted);

    return strncmp(value, wanted, len) == 0 && (value[len] == '\0' || value[len] == '/');
}

/* A pattern that takes too many steps does not match, and its rule is told. */
static bool matches(struct judging *j, const struct condition *condition, const char *text,
                    bool *gave_up)
{
    j->rules->steps = 0;
    int rc = pcre2_match(condition->regex, (PCRE2_SPTR)text, strlen(text), 0, 0, j->rules->data,
                         j->rules->context);

    *gave_up = *gave_up || rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT ||
               rc == PCRE2_ERROR_HEAPLIMIT || rc == PCRE2_ERROR_NOMEMORY;
    return rc >= 0;
}

static bool fits(struct judging *j, const struct condition *condition, struct value *value,
                 bool *gave_up)
{
    if (condition->op == OP_MATCHES)
        return matches(j, condition, value->text, gave_up);
    if (value->folded == NULL)
        value->folded = kns_text_fold(j->arena, value->text);
    if (value->folded == NULL) {
        j->failed = true;
        return false;
    }
    if (condition->op == OP_HAS)
        return strstr(value->folded, condition->folded) != NULL;
    return condition->field == FIELD_TAG ? is_tag(value->folded, condition->folded)
                                         : strcmp(value->folded, condition->folded) == 0;
}

static bool holds(struct judging *j, const struct condition *condition, bool *gave_up)
{
    struct value *value;
    bool any = false;

    KNS_LIST_EACH(value, &values_of(j, condition->field)->list)
    {
        any = fits(j, condition, value, gave_up);
        if (any || *gave_up)
            break;
    }
    return any != condition->negative;
}

/* ---- rules --------------------------------------------------------------------------------------------------------- */

static void give_tag(struct judging *j, const char *tag)
{
    struct kns_string *given;

    KNS_LIST_EACH(given, &j->verdict->tags.list)
    if (strcmp(given->value, tag) == 0)
        return;
    given = KNS_NEW(j->arena, struct kns_string);
    if (given == NULL) {
        j->failed = true;
        return;
    }
    given->value = tag;
    KNS_LIST_APPEND(&j->verdict->tags.list, given);
    values_of(j, FIELD_TAG);
    add_value(j, FIELD_TAG, tag);
}

static void act(struct judging *j, const struct rule *rule)
{
    const struct action *action;
    struct kns_rule_verdict *v = j->verdict;

    KNS_LIST_EACH(action, &rule->actions)
    {
        v->drop = v->drop || action->kind == ACTION_DROP;
        v->star = v->star || action->kind == ACTION_STAR;
        v->read = v->read || action->kind == ACTION_READ;
        v->score += action->score;
        if (action->tag != NULL)
            give_tag(j, action->tag);
    }
}

static void judge_by(struct judging *j, struct rule *rule)
{
    const struct condition *condition;
    bool gave_up = false, all = true;

    if (rule->slow_matches >= KNS_RULE_MAX_SLOW_MATCHES)
        return;
    KNS_LIST_EACH(condition, &rule->conditions)
    {
        all = holds(j, condition, &gave_up);
        if (!all || gave_up)
            break;
    }
    if (gave_up)
        rule->slow_matches++;
    if (!gave_up && !all)
        return;
    struct kns_rule_match *match = KNS_NEW(j->arena, struct kns_rule_match);
    if (match == NULL) {
        j->failed = true;
        return;
    }
    match->id = rule->id;
    match->gave_up = gave_up;
    KNS_LIST_APPEND(&j->verdict->matches, match);
    if (!gave_up)
        act(j, rule);
}

enum kns_status kns_rules_judge(struct kns_rules *rules, struct kns_arena *arena,
                                const struct kns_rule_subject *subject,
                                struct kns_rule_verdict *ret, struct kns_error *err)
{
    struct judging j = {.rules = rules, .arena = arena, .subject = subject, .verdict = ret};
    struct rule *rule;

    *ret = (struct kns_rule_verdict){0};
    KNS_LIST_EACH(rule, &rules->list)
    {
        judge_by(&j, rule);
        if (ret->drop || j.failed)
            break;
    }
    return j.failed ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;
}
