/* entities.h - HTML's named character references, which feeds use without declaring them. */
#ifndef KNS_TEXT_ENTITIES_H
#define KNS_TEXT_ENTITIES_H

#include <stddef.h>

/* The text (UTF-8) of "nbsp" and its like, case-sensitive; NULL: no such name. Static storage. */
const char *kns_entity_find(const char *name, size_t len);

#endif
