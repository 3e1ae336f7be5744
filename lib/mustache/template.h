/* template.h - a Mustache template taken apart, between its parser and its renderer. */
#ifndef KNS_MUSTACHE_TEMPLATE_H
#define KNS_MUSTACHE_TEMPLATE_H

#include "lib/arena.h"
#include "lib/error.h"
#include "lib/list.h"

#include <stddef.h>

enum mustache_kind {
    MUSTACHE_TEXT,     /* text is written as it is */
    MUSTACHE_ESCAPED,  /* {{name}} */
    MUSTACHE_RAW,      /* {{{name}}}, {{&name}} */
    MUSTACHE_SECTION,  /* {{#name}} … {{/name}} */
    MUSTACHE_INVERTED, /* {{^name}} … {{/name}} */
    MUSTACHE_PARTIAL,  /* {{>name}} */
};

struct mustache_node {
    enum mustache_kind kind;
    const char *text; /* the text, or the name; NUL-terminated */
    size_t len;
    const char *indent; /* of a partial alone on its line, "" else */
    KNS_LIST(mustache_node) children;
    struct mustache_node *next;
};

struct mustache_nodes {
    KNS_LIST(mustache_node) list;
};

/* Parses text into nodes that live in arena. */
enum kns_status mustache_parse(struct kns_arena *arena, const char *text,
                               struct mustache_nodes *ret_nodes, struct kns_error *err);

#endif
