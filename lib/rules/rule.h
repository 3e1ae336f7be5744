/* rule.h - a rule taken apart. Private to lib/rules. */
#ifndef KNS_RULES_RULE_H
#define KNS_RULES_RULE_H

#include "lib/rules.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum field {
    FIELD_FEED,
    FIELD_TAG,
    FIELD_TITLE,
    FIELD_AUTHOR,
    FIELD_URL,
    FIELD_CATEGORY,
    FIELD_CONTENT,
    FIELDS
};

enum operator{ OP_IS, OP_HAS, OP_MATCHES };

struct condition {
    enum field field;
    enum operator op;
    bool negative;
    const char *value, *folded; /* folded: but for OP_MATCHES */
    pcre2_code *regex;          /* owned; OP_MATCHES */
    struct condition *next;
};

enum action_kind { ACTION_DROP, ACTION_STAR, ACTION_READ, ACTION_TAG, ACTION_SCORE };

struct action {
    enum action_kind kind;
    const char *tag;
    int64_t score;
    struct action *next;
};

struct rule {
    int64_t id;
    KNS_LIST(action) actions;
    KNS_LIST(condition) conditions;
    int slow_matches; /* so far */
    struct rule *next;
};

/* Reads a rule into arena; the regular expressions are to be freed with rule_fini, after a failure too. */
enum kns_status rule_parse(struct kns_arena *arena, const char *text, struct rule *rule,
                           struct kns_error *err);
void rule_fini(struct rule *rule);

#endif
