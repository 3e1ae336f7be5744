/* entities.h - HTML's named character references, which feeds use without declaring them. */
#ifndef KNS_TEXT_ENTITIES_H
#define KNS_TEXT_ENTITIES_H

#include "lib/buf.h"

#include <stddef.h>

/* The text (UTF-8) of "nbsp" and its like, case-sensitive; NULL: no such name. Static storage. */
const char *kns_entity_find(const char *name, size_t len);

/* Appends what a reference means that begins at text[0], an '&', and returns how many bytes it has; 0: it is none (the
 * semicolon is needed). What HTML takes for windows-1252 is that; what is no character becomes U+FFFD. */
size_t kns_entity_decode(const char *text, size_t len, struct kns_buf *out);

#endif
