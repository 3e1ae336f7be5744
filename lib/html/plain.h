/* plain.h - HTML as text in two ways that agree. Private to lib/html, and to the fuzzer that holds them against each other. */
#ifndef KNS_HTML_PLAIN_H
#define KNS_HTML_PLAIN_H

#include "lib/arena.h"

#include <stdbool.h>

/* Without a tree where the HTML is simple, else by the tree. NULL: no memory. */
const char *kns_html_plain(struct kns_arena *arena, const char *html, bool one_line);

/* Always by gumbo's tree, and the same. */
const char *kns_html_plain_by_tree(struct kns_arena *arena, const char *html, bool one_line);

#endif
