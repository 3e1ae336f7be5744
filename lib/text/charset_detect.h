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

/* bytes begin with the first that is not ASCII. declared stands unless they forbid it; NULL: nothing was declared, the
 * bytes decide alone. Never NULL. */
const struct kns_charset *kns_charset_judge(const struct kns_charset *declared, const char *bytes,
                                            size_t size);

#endif
