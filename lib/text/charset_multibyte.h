/* charset_multibyte.h - where the characters of the East Asian encodings begin and end. Private to lib/text; any thread. */
#ifndef KNS_CHARSET_MULTIBYTE_H
#define KNS_CHARSET_MULTIBYTE_H

#include "lib/text/charset_labels.h"

#include <stddef.h>

enum kns_unit_shape {
    KNS_UNIT_WHOLE, /* has the shape of a character */
    KNS_UNIT_ODD, /* so has this, but the converter may read it differently (charset_differences.h) */
    KNS_UNIT_BAD,        /* no character: one U+FFFD stands for len bytes */
    KNS_UNIT_UNFINISHED, /* the bytes end within it */
};

struct kns_unit {
    enum kns_unit_shape shape;
    size_t len;
};

/* The character at s, whose first byte is not ASCII; size is not 0. */
typedef struct kns_unit kns_unit_fn(const unsigned char *s, size_t size);

/* EUC-JP's, by which decoders know it. */
kns_unit_fn kns_euc_jp_unit;

/* The reader for an encoding (ISO-2022-JP is read by way of EUC-JP); NULL: it needs none. */
kns_unit_fn *kns_unit_reader(const struct kns_charset *charset);

#endif
