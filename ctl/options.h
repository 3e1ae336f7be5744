/* options.h - one way to say what a verb takes, and one parser, one usage text, one completion for all.
 *
 * A verb is a row: its name, its operands, a table of options. Options stand before or after operands;
 * `--name value`, `--name=value`, `-n value`, `-nvalue`; `--` ends them. Values are checked here by their kind, so
 * that a verb sees only what it can use. No global state.
 */
#ifndef KNSCTL_OPTIONS_H
#define KNSCTL_OPTIONS_H

#include "lib/arena.h"
#include "lib/error.h"
#include "lib/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct kns_call;

enum kns_option_kind {
    KNS_OPTION_FLAG,   /* takes no value */
    KNS_OPTION_TEXT,   /* anything */
    KNS_OPTION_FILE,   /* a path; completed as one */
    KNS_OPTION_NUMBER, /* a whole number from 0 */
    KNS_OPTION_SPAN,   /* a length of time: 30m, 1h, 7d */
    KNS_OPTION_EVERY,  /* a length of time, or "none" */
    KNS_OPTION_POINT,  /* a point in time: 7d (ago), 2026-11-01, RFC 3339 */
    KNS_OPTION_CHOICE, /* one of the words in `value`, separated by '|' */
};

struct kns_option {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* its short form; 0: none */
    bool repeats;     /* may be given more than once */
    enum kns_option_kind kind;
    const char *value; /* the value's name in usage ("PATH"); a choice's words; NULL for a flag */
    const char *help;  /* one line, without a full stop */
};

/* What a verb's operands are: for counting and for completion. */
enum kns_operand_kind {
    KNS_OPERAND_NONE,
    KNS_OPERAND_FEED,
    KNS_OPERAND_ITEM,
    KNS_OPERAND_URL,
    KNS_OPERAND_FILE,
    KNS_OPERAND_TEXT,
    KNS_OPERAND_VERB,
};

#define KNS_OPERANDS_MANY (-1)

struct kns_verb {
    const char *name;
    const char *
        group; /* the heading it stands under in the list of verbs; rows of a group are neighbours */
    const char *operands; /* as usage shows them: "FEED…", "" */
    enum kns_operand_kind operand_kind;
    int min_operands, max_operands;    /* KNS_OPERANDS_MANY: no bound */
    bool dashed_operands;              /* "-T" behind the first operand is an operand */
    const char *summary;               /* one line, lower case, no full stop */
    const struct kns_option *options;  /* of its own, beside the common ones; NULL: none */
    const char *notes;                 /* a paragraph for --help; NULL: none */
    const char *const *examples;       /* command lines, NULL-terminated; NULL: none */
    int (*run)(struct kns_call *call); /* returns an enum kns_exit */
    const char *
        actions; /* "a|b": the words that the first operand is one of, where `operands` does not say it so; NULL */
};

/* An option as it was given. */
struct kns_given {
    const struct kns_option *option;
    const char *value; /* NULL for a flag */
    struct kns_given *next;
};

/* A command line taken apart. Values point into argv. */
struct kns_args {
    const struct kns_option *common; /* the table every verb shares */
    const struct kns_verb *verb;     /* NULL before the verb is known */
    KNS_LIST(kns_given) given;
    const char **operands;
    size_t n_operands;
};

/* Takes options of the common table until the first word that is none, for the part before the verb. Returns how
 * many words of argv it took in *ret_taken. KNS_EINVAL: the message is a sentence for people. args is zeroed
 * by the caller but for `common`. */
enum kns_status kns_args_parse_common(struct kns_args *args, struct kns_arena *arena, int argc,
                                      char **argv, int *ret_taken, struct kns_error *err);

/* Takes all of argv (without the verb's name) for args->verb, and counts the operands unless --help is among the
 * options. May follow kns_args_parse_common on the same args. */
enum kns_status kns_args_parse(struct kns_args *args, struct kns_arena *arena, int argc,
                               char **argv, struct kns_error *err);

/* The last value given for an option of the tables (asking for another is a mistake of the caller); NULL: not given. */
const char *kns_args_value(const struct kns_args *args, const char *name);

/* True when the option was given. */
bool kns_args_has(const struct kns_args *args, const char *name);

/* A number option's value, or otherwise when it was not given. */
int64_t kns_args_number(const struct kns_args *args, const char *name, int64_t otherwise);

/* The name among n names that was most likely meant by word, or NULL when none is near. */
const char *kns_suggest(const char *word, const char *const *names, size_t n);

/* The usage of a verb with all its options and examples, at most 80 columns wide. */
void kns_usage_verb(FILE *out, const struct kns_verb *verb, const struct kns_option *common);

/* The list of verbs (NULL name ends) with the common options. */
void kns_usage_all(FILE *out, const struct kns_verb *verbs, const struct kns_option *common);

#endif
