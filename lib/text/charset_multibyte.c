#include "lib/text/charset_multibyte.h"

#include <stdbool.h>
#include <string.h>

static bool in(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

static struct kns_unit unit(enum kns_unit_shape shape, size_t len)
{
    return (struct kns_unit){.shape = shape, .len = len};
}

/* len bytes of which the last cannot stand there. ASCII, it belongs to what follows, so that a lead byte out of place never
 * swallows a '<' (Encoding Standard 10.2.1 and its kin). */
static struct kns_unit bad_end(const unsigned char *s, size_t len)
{
    return unit(KNS_UNIT_BAD, s[len - 1] < 0x80 ? len - 1 : len);
}

static struct kns_unit shift_jis_unit(const unsigned char *s, size_t size)
{
    if (s[0] == 0x80)
        return unit(KNS_UNIT_ODD, 1);
    if (in(s[0], 0xA1, 0xDF))
        return unit(KNS_UNIT_WHOLE, 1);
    if (s[0] == 0xA0 || s[0] > 0xFC)
        return unit(KNS_UNIT_BAD, 1);
    if (size < 2)
        return unit(KNS_UNIT_UNFINISHED, 0);
    bool good = in(s[1], 0x40, 0x7E) || in(s[1], 0x80, 0xFC);
    return good ? unit(KNS_UNIT_WHOLE, 2) : bad_end(s, 2);
}

struct kns_unit kns_euc_jp_unit(const unsigned char *s, size_t size)
{
    if (s[0] != 0x8E && s[0] != 0x8F && !in(s[0], 0xA1, 0xFE))
        return unit(KNS_UNIT_BAD, 1);
    if (size < 2)
        return unit(KNS_UNIT_UNFINISHED, 0);
    if (!in(s[1], 0xA1, s[0] == 0x8E ? 0xDF : 0xFE))
        return bad_end(s, 2);
    if (s[0] != 0x8F)
        return unit(s[0] >= 0xF5 ? KNS_UNIT_ODD : KNS_UNIT_WHOLE, 2);
    if (size < 3)
        return unit(KNS_UNIT_UNFINISHED, 0);
    if (!in(s[2], 0xA1, 0xFE))
        return bad_end(s, 3);
    return unit(s[1] == 0xA2 || s[1] >= 0xF5 ? KNS_UNIT_ODD : KNS_UNIT_WHOLE, 3);
}

static struct kns_unit gb18030_unit(const unsigned char *s, size_t size)
{
    if (s[0] == 0x80)
        return unit(KNS_UNIT_ODD, 1);
    if (s[0] == 0xFF)
        return unit(KNS_UNIT_BAD, 1);
    if (size < 2)
        return unit(KNS_UNIT_UNFINISHED, 0);
    if (s[0] == 0xA3 && s[1] == 0xA0)
        return unit(KNS_UNIT_ODD, 2);
    if (in(s[1], 0x40, 0x7E) || in(s[1], 0x80, 0xFE))
        return unit(KNS_UNIT_WHOLE, 2);
    if (!in(s[1], '0', '9'))
        return bad_end(s, 2);
    /* Four bytes; what turns out not to be that costs its first byte only. */
    if (size < 3)
        return unit(KNS_UNIT_UNFINISHED, 0);
    if (!in(s[2], 0x81, 0xFE))
        return unit(KNS_UNIT_BAD, 1);
    if (size < 4)
        return unit(KNS_UNIT_UNFINISHED, 0);
    return in(s[3], '0', '9') ? unit(KNS_UNIT_WHOLE, 4) : unit(KNS_UNIT_BAD, 1);
}

static struct kns_unit big5_unit(const unsigned char *s, size_t size)
{
    if (s[0] == 0x80 || s[0] == 0xFF)
        return unit(KNS_UNIT_BAD, 1);
    if (size < 2)
        return unit(KNS_UNIT_UNFINISHED, 0);
    if (!in(s[1], 0x40, 0x7E) && !in(s[1], 0xA1, 0xFE))
        return bad_end(s, 2);
    /* Two rows of signs in which the converter follows another table. */
    return unit(in(s[0], 0xA1, 0xA2) ? KNS_UNIT_ODD : KNS_UNIT_WHOLE, 2);
}

static struct kns_unit euc_kr_unit(const unsigned char *s, size_t size)
{
    if (s[0] == 0x80 || s[0] == 0xFF)
        return unit(KNS_UNIT_BAD, 1);
    if (size < 2)
        return unit(KNS_UNIT_UNFINISHED, 0);
    return in(s[1], 0x41, 0xFE) ? unit(KNS_UNIT_WHOLE, 2) : bad_end(s, 2);
}

kns_unit_fn *kns_unit_reader(const struct kns_charset *charset)
{
    static const struct {
        const char *name;
        kns_unit_fn *reader;
    } readers[] = {
        {"shift_jis", shift_jis_unit},    {"euc-jp", kns_euc_jp_unit},
        {"iso-2022-jp", kns_euc_jp_unit}, {"gbk", gb18030_unit},
        {"gb18030", gb18030_unit},        {"big5", big5_unit},
        {"euc-kr", euc_kr_unit},
    };

    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        if (strcmp(charset->name, readers[i].name) == 0)
            return readers[i].reader;
    return NULL;
}
