/* markup.h - tokens of HTML that the sanitiser wrote: well-formed, attributes in quotes, nothing foreign. For HTML of any
 * other origin the sanitiser comes first. */
#ifndef KNS_MARKDOWN_MARKUP_H
#define KNS_MARKDOWN_MARKUP_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum markup_kind { MARKUP_TEXT, MARKUP_OPEN, MARKUP_CLOSE, MARKUP_END };

struct markup {
    struct kns_arena *arena;
    const char *at;
};

struct markup_token {
    enum markup_kind kind;
    const char *text;       /* TEXT: references decoded; else the element's name */
    const char *attributes; /* OPEN: as they stand */
    size_t attributes_len;
};

/* Reads the next token; MARKUP_END at the end. False: no memory. */
bool markup_next(struct markup *markup, struct markup_token *ret_token);

/* The value of an attribute of an opening tag, decoded; NULL when it has none (or no memory). */
const char *markup_attribute(struct markup *markup, const struct markup_token *token,
                             const char *name);

#endif
