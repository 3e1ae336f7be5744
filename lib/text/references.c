/* Character references, named and numeric, as HTML reads them. */
#include "lib/text/entities.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <utf8proc.h>

/* "&#8217;" and "&#x2019;": windows-1252's range means what it means there, as in HTML. Returns the bytes read. */
static size_t decode_number(const char *text, size_t len, struct kns_buf *out)
{
    static const uint16_t windows[32] = {
        0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
        0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
    };
    bool hex = len > 2 && (text[2] == 'x' || text[2] == 'X');
    size_t i = hex ? 3 : 2;
    size_t digits = i;
    int32_t c = 0;

    while (i < len && (hex ? isxdigit((unsigned char)text[i]) : isdigit((unsigned char)text[i])) &&
           i < digits + 10) {
        int digit = isdigit((unsigned char)text[i]) ? text[i] - '0'
                                                    : tolower((unsigned char)text[i]) - 'a' + 10;
        c = c > 0x110000 ? c : c * (hex ? 16 : 10) + digit;
        i++;
    }
    if (i == digits || i >= len || text[i] != ';')
        return 0;
    if (c >= 0x80 && c < 0xA0)
        c = windows[c - 0x80];
    bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
    if (control || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        c = 0xFFFD;
    utf8proc_uint8_t bytes[4];
    kns_buf_add(out, bytes, (size_t)utf8proc_encode_char(c, bytes));
    return i + 1;
}

size_t kns_entity_decode(const char *text, size_t len, struct kns_buf *out)
{
    size_t i = 1;

    if (len > 1 && text[1] == '#')
        return decode_number(text, len, out);
    while (i < len && i < 40 && isalnum((unsigned char)text[i]))
        i++;
    if (i >= len || text[i] != ';')
        return 0;
    const char *found = kns_entity_find(text + 1, i - 1);
    if (found == NULL)
        return 0;
    kns_buf_adds(out, found);
    return i + 1;
}
