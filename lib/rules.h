/* rules.h - what the user wants done with an item as it arrives. A rule is one line of text:
 *
 *     ACTION, ACTION… if CONDITION and CONDITION…
 *
 *     drop if title ~ /sponsored|広告/i
 *     tag ml/papers, score +5 if url has arxiv.org and not category = math
 *     star if author = "Jane Doe" and feed = https://example.org/feed
 *
 * Actions: drop, star, read (mark it read), tag NAME, score +N or -N. Conditions: [not] FIELD OP VALUE; the fields feed (its id,
 * URL or title), tag (its feed's, or one that an earlier rule gave), title, author, url, category (the feed's own word) and content
 * (as plain text); the operators = (the same but for case and width), has (contains, likewise) and ~ (matches a regular expression of
 * PCRE2, /…/ with the letters i, m, s, x behind it). Values with spaces stand in double quotes. A line that begins with # is a comment.
 *
 * Rules are tried in their order; all that match act, a drop ends it. No rule can stall its caller: a match that takes too many
 * steps counts as none, and a rule that does so again and again is not tried any more.
 *
 * Pure: no database, no clock. A struct kns_rules belongs to one thread at a time.
 */
#ifndef KNS_RULES_H
#define KNS_RULES_H

#include "lib/arena.h"
#include "lib/document.h"
#include "lib/error.h"
#include "lib/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KNS_RULE_MAX_BYTES 2000     /* of a rule's text */
#define KNS_RULE_MAX_PARTS 16       /* its actions; its conditions */
#define KNS_RULES_MOST 1000         /* rules at once */
#define KNS_RULE_MAX_SCORE 1000     /* what one rule adds or takes away */
#define KNS_RULE_MAX_CONTENT 65536  /* bytes of a field that conditions look at */
#define KNS_RULE_MAX_STEPS 500000   /* of one match */
#define KNS_RULE_MAX_SLOW_MATCHES 3 /* before a rule is not tried any more */

struct kns_rules;

/* An empty set; NULL: no memory. The caller owns it. */
struct kns_rules *kns_rules_new(void);
void kns_rules_free(struct kns_rules *rules); /* NULL is allowed */

/* Adds a rule behind the others. KNS_EINVAL: the message says what is wrong, at which character, and what was expected there;
 * KNS_ELIMIT: there are KNS_RULES_MOST already. rules NULL: only looks whether the text is a rule. */
enum kns_status kns_rules_add(struct kns_rules *rules, int64_t id, const char *text,
                              struct kns_error *err);

/* True for an empty line or a comment. */
bool kns_rule_is_blank(const char *line);

size_t kns_rules_count(const struct kns_rules *rules);

/* An item on its way in. */
struct kns_rule_subject {
    int64_t feed_id;
    const char *feed_url, *feed_title;   /* NULL: not known */
    const struct kns_strings *feed_tags; /* NULL: none */
    const struct kns_entry *entry;       /* with its content */
};

/* What became of one rule. */
struct kns_rule_match {
    int64_t id;
    bool gave_up; /* a match of it took too long: it counts as none */
    struct kns_rule_match *next;
};

/* What the rules make of an item. Strings are the rules'. */
struct kns_rule_verdict {
    bool drop, star, read;
    int64_t score;
    struct kns_strings tags;
    KNS_LIST(kns_rule_match) matches; /* of the rules that matched, and those that gave up */
};

/* Judges one item; what the verdict lists lives in arena. KNS_ENOMEM. */
enum kns_status kns_rules_judge(struct kns_rules *rules, struct kns_arena *arena,
                                const struct kns_rule_subject *subject,
                                struct kns_rule_verdict *ret, struct kns_error *err);

#endif
