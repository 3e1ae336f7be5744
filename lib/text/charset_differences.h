/* charset_differences.h - the characters that the system's converters read otherwise than the Encoding Standard's
 * indexes, or not at all. Private to lib/text; any thread. */
#ifndef KNS_CHARSET_DIFFERENCES_H
#define KNS_CHARSET_DIFFERENCES_H

#include "lib/text/charset_labels.h"

#include <stdint.h>

/* What the bytes of code, the first in the highest place, mean by the standard; 0: what the converter says. */
uint32_t kns_charset_difference(const struct kns_charset *charset, uint32_t code);

#endif
