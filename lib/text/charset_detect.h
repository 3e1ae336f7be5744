/* charset_detect.h - which encoding bytes are in. Private to lib/text; any thread. */
#ifndef KNS_CHARSET_DETECT_H
#define KNS_CHARSET_DETECT_H

#include "lib/text/charset_labels.h"

#include <stddef.h>

/* By byte order mark; *ret_len is the mark's length. NULL: there is none. */
const struct kns_charset *kns_charset_from_bom(const char *bytes, size_t size, size_t *ret_len);

/* UTF-16 or UTF-32 by the zero bytes around the first characters (XML 1.0, appendix F). NULL: neither. */
const struct kns_charset *kns_charset_from_shape(const char *bytes, size_t size);

/* The encoding that an XML declaration names; NULL: none, or none known. */
const struct kns_charset *kns_charset_from_declaration(const char *bytes, size_t size);

/* What bytes that begin with the first that is not ASCII are in, and that may end within a character: the first of the
 * declared encodings that they allow; where they allow none, or none was declared, they decide alone. Never NULL. */
const struct kns_charset *kns_charset_judge(const struct kns_charset *const declared[],
                                            size_t count, const char *bytes, size_t size);

#endif
