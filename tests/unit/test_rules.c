/* Rules: what their text may say, what they make of an item, and that none of them can stall whoever asks. */
#include "lib/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct kns_arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = kns_arena_new(0);
    return arena == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    kns_arena_free(arena);
    return 0;
}

static struct kns_rules *rules_of(const char *const *texts)
{
    struct kns_rules *rules = kns_rules_new();
    struct kns_error err = {0};

    for (int64_t id = 1; *texts != NULL; texts++, id++)
        if (kns_rules_add(rules, id, *texts, &err) != KNS_OK)
            fail_msg("%s: %s", *texts, err.message);
    return rules;
}

/* An item that has something in every field. */
static struct kns_entry *an_entry(void)
{
    struct kns_entry *entry = kns_entry_new(arena);
    struct kns_person *author = KNS_NEW(arena, struct kns_person);
    struct kns_category *category = KNS_NEW(arena, struct kns_category);

    entry->title = "Ｋａｇｇｌｅの解法 of the week";
    entry->url = "https://arxiv.org/abs/2401.1";
    entry->content_html = "<p>We <b>beat</b> the baseline.</p><p>Sponsored by no one</p>";
    author->name = "Jane Doe";
    KNS_LIST_APPEND(&entry->authors, author);
    category->term = "Machine Learning";
    KNS_LIST_APPEND(&entry->tags, category);
    return entry;
}

static struct kns_rule_verdict judge(struct kns_rules *rules, const struct kns_entry *entry)
{
    static struct kns_string papers = {.value = "ml/papers"};
    static struct kns_strings tags;
    struct kns_rule_verdict verdict;

    tags = (struct kns_strings){0};
    KNS_LIST_APPEND(&tags.list, &papers);
    const struct kns_rule_subject subject = {.feed_id = 3,
                                             .feed_url = "https://example.org/feed",
                                             .feed_title = "Notes",
                                             .feed_tags = &tags,
                                             .entry = entry};
    assert_int_equal(kns_rules_judge(rules, arena, &subject, &verdict, NULL), KNS_OK);
    return verdict;
}

static bool holds(const char *condition)
{
    const char *texts[] = {kns_arena_printf(arena, "star if %s", condition), NULL};
    struct kns_rules *rules = rules_of(texts);
    bool star = judge(rules, an_entry()).star;

    kns_rules_free(rules);
    return star;
}

static void conditions_look_at_every_field(void **state)
{
    static const char *const true_ones[] = {
        "feed = 3",
        "feed = https://example.org/feed",
        "feed = notes",
        "feed ~ /example\\.org/",
        "tag = ml/papers",
        "tag = ml",
        "title = \"kaggleの解法 of the week\"",
        "title has kaggle",
        "title has 解法",
        "title ~ /解.\\sof/ and title ~ /WEEK$/i",
        "not title ~ /z/ and not title ~ /^week/ and author has jane",
        "author = \"jane doe\"",
        "url ~ /^https:\\/\\/arxiv\\.org\\/abs\\//",
        "category = \"machine learning\"",
        "content has \"beat the baseline\"",
        "content ~ /^sponsored/im",
        "not content has <b>",
        "not title has \"a \\\"quoted\\\" word\"",
    };
    static const char *const false_ones[] = {"feed = 4",
                                             "tag = m",
                                             "tag = ml/papers/old",
                                             "title = kaggle",
                                             "title ~ /kaggle/",
                                             "author = jane",
                                             "category = machine",
                                             "content ~ /^sponsored/m",
                                             "not title has of",
                                             "title ~ /解.$/m and title ~ /weak/i"};
    (void)state;

    for (size_t i = 0; i < sizeof(false_ones) / sizeof(false_ones[0]); i++)
        if (holds(false_ones[i]))
            fail_msg("holds: %s", false_ones[i]);
    for (size_t i = 0; i < sizeof(true_ones) / sizeof(true_ones[0]); i++)
        if (!holds(true_ones[i]))
            fail_msg("does not hold: %s", true_ones[i]);
}

static void all_rules_that_match_act_and_later_ones_see_the_tags_of_earlier_ones(void **state)
{
    static const char *const texts[] = {"tag arxiv, score +5 if url has arxiv.org",
                                        "score -2, read if tag = arxiv",
                                        "tag arxiv, star if feed = 3", "star if feed = 4", NULL};
    struct kns_rules *rules = rules_of(texts);
    struct kns_rule_verdict verdict = judge(rules, an_entry());
    (void)state;

    assert_int_equal(kns_rules_count(rules), 4);
    assert_int_equal(verdict.score, 3);
    assert_true(verdict.read && verdict.star && !verdict.drop);
    assert_int_equal(verdict.tags.list.count, 1);
    assert_string_equal(verdict.tags.list.first->value, "arxiv");
    assert_int_equal(verdict.matches.count, 3);
    assert_int_equal(verdict.matches.last->id, 3);
    kns_rules_free(rules);
}

static void a_drop_ends_it(void **state)
{
    static const char *const texts[] = {"drop if title has kaggle", "star if feed = 3", NULL};
    struct kns_rules *rules = rules_of(texts);
    struct kns_rule_verdict verdict = judge(rules, an_entry());
    (void)state;

    assert_true(verdict.drop && !verdict.star);
    assert_int_equal(verdict.matches.count, 1);
    kns_rules_free(rules);
}

/* What is wrong, where, and what was expected: for every way to be wrong. */
static void a_mistake_is_named_with_its_place(void **state)
{
    static const struct {
        const char *text, *message;
    } mistakes[] = {
        {"", "the rule ends at character 1: expected drop, star, read, tag or score"},
        {"dorp if feed = 1", "character 1: \"dorp\": expected drop, star, read, tag or score"},
        {"star, if feed = 1", "character 7: \"if\": expected drop, star, read, tag or score"},
        {"drop", "the rule ends at character 5: expected a comma and another action, or \"if\""},
        {"drop when feed = 1",
         "character 6: \"when\": expected a comma and another action, or \"if\""},
        {"tag", "the rule ends at character 4: expected the name of a tag"},
        {"score 5 if feed = 1",
         "character 7: \"5\": expected a score from -1000 to +1000, with its sign"},
        {"score +1001 if feed = 1",
         "character 7: \"+1001\": expected a score from -1000 to +1000, with its sign"},
        {"drop if", "the rule ends at character 8: expected feed, tag, title, author, url, "
                    "category or content"},
        {"drop if titel = x",
         "character 9: \"titel\": expected feed, tag, title, author, url, category or content"},
        {"drop if title is x",
         "character 15: \"is\": expected =, has or ~, with a space behind it"},
        {"drop if title =", "the rule ends at character 16: expected a value"},
        {"drop if title = 解法 star",
         "character 20: \"star\": expected \"and\", or the end of the rule"},
        {"drop if title = \"x", "character 17: the quoted value has no end: expected \""},
        {"drop if title ~ x", "character 17: \"x\": expected a regular expression between slashes"},
        {"drop if title ~ /x", "character 17: the regular expression has no end: expected /"},
        {"drop if title ~ /x/g",
         "character 20: \"g\": expected the letters i, m, s or x, or a space behind the slash"},
        {"drop if title ~ /a(b/", "character 21: expected a regular expression: missing closing "
                                  "parenthesis"},
        {"drop if title = x\nstar if title = y", "expected one line of UTF-8"},
        {"drop if title = \xff", "expected one line of UTF-8"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct kns_error err = {0};
        assert_int_equal(kns_rules_add(NULL, 0, mistakes[i].text, &err), KNS_EINVAL);
        assert_string_equal(err.message, mistakes[i].message);
    }
}

static void limits_hold_on_either_side(void **state)
{
    char text[3000] = "drop if title = x";
    struct kns_rules *rules = kns_rules_new();
    (void)state;

    for (int i = 1; i < KNS_RULE_MAX_PARTS; i++)
        strcat(text, " and title = x");
    assert_int_equal(kns_rules_add(NULL, 0, text, NULL), KNS_OK);
    strcat(text, " and title = x");
    assert_int_equal(kns_rules_add(NULL, 0, text, NULL), KNS_EINVAL);
    memset(text, 'x', sizeof(text));
    memcpy(text, "drop if title = ", 16);
    text[KNS_RULE_MAX_BYTES] = '\0';
    assert_int_equal(kns_rules_add(NULL, 0, text, NULL), KNS_OK);
    text[KNS_RULE_MAX_BYTES] = 'x';
    text[KNS_RULE_MAX_BYTES + 1] = '\0';
    assert_int_equal(kns_rules_add(NULL, 0, text, NULL), KNS_EINVAL);
    for (int i = 0; i < KNS_RULES_MOST; i++)
        assert_int_equal(kns_rules_add(rules, i, "star if feed = 1", NULL), KNS_OK);
    assert_int_equal(kns_rules_add(rules, 9999, "star if feed = 1", NULL), KNS_ELIMIT);
    kns_rules_free(rules);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Patterns that take exponential or quadratic time on what stands in the content. */
static void a_catastrophic_pattern_gives_up_soon_and_then_rests(void **state)
{
    static const char *const texts[] = {"drop if content ~ /(a+)+$/",
                                        "drop if content ~ /(?:a|aa)+$/",
                                        "drop if content ~ /a.*a.*a.*[yz]/",
                                        "drop if not content ~ /(a*)*[bc]/",
                                        "drop if content ~ /((a{1,20}){1,20}){1,20}[bc]/",
                                        "star if title has kaggle",
                                        NULL};
    struct kns_rules *rules = rules_of(texts);
    struct kns_entry *entry = an_entry();
    char *content = kns_arena_alloc(arena, 200001);
    (void)state;

    memset(content, 'a', 200000);
    memcpy(content + 60000, "!", 1);
    entry->content_html = NULL;
    entry->content_text = content;
    double began = seconds();
    for (int i = 0; i < 100; i++) {
        struct kns_rule_verdict verdict = judge(rules, entry);
        struct kns_rule_match *match;
        assert_true(verdict.star && !verdict.drop);
        size_t slow = 0;
        KNS_LIST_EACH(match, &verdict.matches)
        slow += match->gave_up;
        assert_int_equal(slow, i < KNS_RULE_MAX_SLOW_MATCHES ? 5 : 0);
    }
    double took = seconds() - began;
    print_message("%.3f s for 15 catastrophic matches\n", took);
    assert_true(took < 10);
    kns_rules_free(rules);
}

static void blank_lines_and_comments_are_no_rules(void **state)
{
    (void)state;
    assert_true(kns_rule_is_blank(""));
    assert_true(kns_rule_is_blank("  # drop if feed = 1"));
    assert_true(kns_rule_is_blank(" \r"));
    assert_false(kns_rule_is_blank("drop if feed = 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_look_at_every_field),
        cmocka_unit_test(all_rules_that_match_act_and_later_ones_see_the_tags_of_earlier_ones),
        cmocka_unit_test(a_drop_ends_it),
        cmocka_unit_test(a_mistake_is_named_with_its_place),
        cmocka_unit_test(limits_hold_on_either_side),
        cmocka_unit_test(a_catastrophic_pattern_gives_up_soon_and_then_rests),
        cmocka_unit_test(blank_lines_and_comments_are_no_rules),
    };

    return cmocka_run_group_tests_name("rules", tests, set_up, tear_down);
}
