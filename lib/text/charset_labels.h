/* charset_labels.h - the encodings and their labels (WHATWG Encoding Standard 4.2). Private to lib/text. */
#ifndef KNS_CHARSET_LABELS_H
#define KNS_CHARSET_LABELS_H

#include <stdbool.h>
#include <stddef.h>

enum kns_charset_kind {
    KNS_CHARSET_UTF8,
    KNS_CHARSET_UTF16LE,
    KNS_CHARSET_UTF16BE,
    KNS_CHARSET_UTF32LE,
    KNS_CHARSET_UTF32BE,
    KNS_CHARSET_SINGLE,      /* one byte a character, ASCII below 0x80 */
    KNS_CHARSET_MULTI,       /* one or more bytes a character, ASCII below 0x80 */
    KNS_CHARSET_SHIFTED,     /* ISO-2022-JP: seven bits, escape sequences */
    KNS_CHARSET_REPLACEMENT, /* labels of encodings that nobody should read any more: as good as none */
};

struct kns_charset {
    const char *name;  /* WHATWG's, lower case */
    const char *iconv; /* the converter that reads it, or its superset; NULL: none is needed */
    enum kns_charset_kind kind;
    const char *labels; /* all of them, space around each */
};

/* NULL: no such label. Case and surrounding white space do not matter. */
const struct kns_charset *kns_charset_lookup(const char *label, size_t len);

/* UTF-16 or UTF-32: ASCII bytes do not mean ASCII. */
bool kns_charset_is_wide(const struct kns_charset *charset);

#endif
