/* The decoders of the Encoding Standard (WHATWG), over a stream.
 *
 * Each takes whole characters and says how many bytes those were; the rest, the beginning of one character, waits in `tail`
 * for what follows. UTF-8, UTF-16, UTF-32 and the single-byte encodings are read here. For the others the
 * bytes are cut into characters here and converted by iconv a run at a time, so that errors are those of the standard and not
 * the converter's; the few characters on which they differ are in charset_differences.c. */
#include "lib/text/charset_decode.h"

#include "lib/text.h"
#include "lib/text/charset_differences.h"
#include "lib/text/charset_multibyte.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFD
#define MAX_UNFINISHED 4 /* bytes of a character, or of an escape sequence, that lacks its end */
#define LOOK_AHEAD 8     /* bytes that finish it for certain, whatever it turns out to be */
#define RUN_BYTES 1024   /* given to iconv at once */
#define LONG_ASCII 32    /* from here on copying beats converting */

/* What ISO-2022-JP reads at the moment. */
enum jis_set { JIS_ASCII, JIS_ROMAN, JIS_KATAKANA, JIS_0208, JIS_0212 };

struct kns_transcoder {
    const struct kns_charset *charset;
    size_t (*decode)(struct kns_transcoder *t, const unsigned char *s, size_t size,
                     struct kns_buf *out);
    kns_unit_fn *unit; /* cuts a multi-byte encoding into characters */
    iconv_t iconv;     /* (iconv_t)-1: none */
    iconv_t cp932;     /* for the rows of EUC-JP that its converter lacks; (iconv_t)-1: none */
    size_t replaced;
    enum jis_set jis;
    unsigned char tail[MAX_UNFINISHED + LOOK_AHEAD];
    size_t tail_len;
    uint16_t high[128]; /* single-byte encodings: what 0x80-0xFF mean; 0: nothing */
};

/* ---- output ----------------------------------------------------------------------------------------- */

static size_t put(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3F));
        to[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3F));
    to[2] = (char)(0x80 | (c >> 6 & 0x3F));
    to[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static void add(struct kns_buf *out, uint32_t c)
{
    char bytes[4];

    kns_buf_add(out, bytes, put(bytes, c));
}

static void replace(struct kns_transcoder *t, struct kns_buf *out)
{
    add(out, REPLACEMENT);
    t->replaced++;
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------ */

/* The bytes of an ill-formed sequence that one U+FFFD stands for: its maximal well-formed beginning
 * (Unicode 3.9; Encoding Standard 8.1.1). */
static size_t ill_formed_length(const unsigned char *s, size_t size)
{
    size_t want = s[0] < 0xC2 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 1;
    unsigned char low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
    size_t i = 1;

    while (i < want && i < size && s[i] >= low && s[i] <= high) {
        low = 0x80;
        high = 0xBF;
        i++;
    }
    return i;
}

/* True when the bytes up to the end may be the beginning of a well-formed character. */
static bool may_continue(const unsigned char *s, size_t size)
{
    size_t want = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;

    return size < want && s[0] >= 0xC2 && s[0] <= 0xF4 && ill_formed_length(s, size) == size;
}

/* Copies what is well-formed in one go. */
static size_t decode_utf8(struct kns_transcoder *t, const unsigned char *s, size_t size,
                          struct kns_buf *out)
{
    size_t from = 0, i = 0;

    for (;;) {
        i += kns_text_utf8_prefix((const char *)s + i, size - i);
        if (i == size || may_continue(s + i, size - i))
            break;
        kns_buf_add(out, s + from, i - from);
        replace(t, out);
        i += ill_formed_length(s + i, size - i);
        from = i;
    }
    kns_buf_add(out, s + from, i - from);
    return i;
}

/* ---- UTF-16 and UTF-32 ------------------------------------------------------------------------------ */

static uint32_t unit16(const unsigned char *s, bool big)
{
    return big ? (uint32_t)s[0] << 8 | s[1] : (uint32_t)s[1] << 8 | s[0];
}

static bool is_surrogate(uint32_t c)
{
    return c >= 0xD800 && c <= 0xDFFF;
}

static size_t decode_utf16(struct kns_transcoder *t, const unsigned char *s, size_t size,
                           struct kns_buf *out)
{
    bool big = t->charset->kind == KNS_CHARSET_UTF16BE;
    size_t i = 0;

    while (size - i >= 2) {
        uint32_t c = unit16(s + i, big);
        if (!is_surrogate(c)) {
            add(out, c);
            i += 2;
            continue;
        }
        if (c < 0xDC00 && size - i < 4)
            break;
        uint32_t low = c < 0xDC00 ? unit16(s + i + 2, big) : 0;
        bool pair = low >= 0xDC00 && low <= 0xDFFF;
        if (pair)
            add(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
        else
            replace(t, out);
        i += pair ? 4 : 2;
    }
    return i;
}

static size_t decode_utf32(struct kns_transcoder *t, const unsigned char *s, size_t size,
                           struct kns_buf *out)
{
    bool big = t->charset->kind == KNS_CHARSET_UTF32BE;
    size_t i = 0;

    for (; size - i >= 4; i += 4) {
        uint32_t first = unit16(s + i, big), second = unit16(s + i + 2, big);
        uint32_t c = big ? first << 16 | second : second << 16 | first;
        if (c > 0x10FFFF || is_surrogate(c))
            replace(t, out);
        else
            add(out, c);
    }
    return i;
}

/* ---- one byte a character --------------------------------------------------------------------------- */

static size_t decode_single(struct kns_transcoder *t, const unsigned char *s, size_t size,
                            struct kns_buf *out)
{
    char block[RUN_BYTES * 3];
    size_t i = 0;

    while (i < size) {
        size_t ascii = kns_text_ascii_prefix((const char *)s + i, size - i);
        kns_buf_add(out, s + i, ascii);
        i += ascii;
        size_t len = 0;
        /* A short run of ASCII between two letters is not worth the way out. */
        for (; i < size && len + 3 <= sizeof(block); i++) {
            if (s[i] < 0x80 && i + 1 < size && s[i + 1] < 0x80)
                break;
            uint32_t c = s[i] < 0x80 ? s[i] : t->high[s[i] - 0x80];
            if (c == 0 && s[i] != 0) {
                c = REPLACEMENT;
                t->replaced++;
            }
            len += put(block + len, c);
        }
        kns_buf_add(out, block, len);
    }
    return size;
}

/* What iconv makes of one character; 0: nothing. Resetting it sends out what it holds back for composing. */
static uint32_t convert_one(iconv_t cd, const unsigned char *s, size_t len)
{
    char bytes[16];
    char *from = (char *)(uintptr_t)s,
         *to = bytes; /* iconv's prototype lacks the const that it keeps */
    size_t left = len, room = sizeof(bytes);
    int32_t c;

    bool bad = iconv(cd, &from, &left, &to, &room) == (size_t)-1;
    iconv(cd, NULL, NULL, &to, &room);
    return bad || kns_text_next(bytes, sizeof(bytes) - room, &c) == 0 ? 0 : (uint32_t)c;
}

/* 0x80-0x9F without a character are C1 controls in all tables of the standard. */
static void fill_high(struct kns_transcoder *t)
{
    for (unsigned i = 0; i < 128; i++) {
        unsigned char byte = (unsigned char)(0x80 + i);
        uint32_t other = kns_charset_difference(t->charset, byte);
        if (t->charset->iconv == NULL) /* x-user-defined */
            t->high[i] = (uint16_t)(0xF780 + i);
        else if (other != 0)
            t->high[i] = (uint16_t)other;
        else
            t->high[i] = (uint16_t)convert_one(t->iconv, &byte, 1);
        if (t->high[i] == 0 && i < 0x20)
            t->high[i] = byte;
    }
}

/* ---- several bytes a character ---------------------------------------------------------------------- */

/* Converts a run of whole characters; returns the bytes before the first that iconv does not know. */
static size_t convert_run(struct kns_transcoder *t, const unsigned char *s, size_t size,
                          struct kns_buf *out)
{
    char block[RUN_BYTES * 4];       /* nothing here grows more than threefold: E2BIG cannot be */
    char *in = (char *)(uintptr_t)s; /* iconv's prototype lacks the const that it keeps */
    char *to = block;
    size_t left = size, room = sizeof(block);

    iconv(t->iconv, &in, &left, &to, &room);
    iconv(t->iconv, NULL, NULL, &to, &room);
    kns_buf_add(out, block, sizeof(block) - room);
    return size - left;
}

/* Rows 85 to 94 of JIS X 0208: NEC's selection of IBM's characters, which the converter takes for private ones. Shift_JIS
 * has the same table in other bytes. */
static uint32_t read_high_row(const struct kns_transcoder *t, const unsigned char *s)
{
    unsigned row = s[0] - 0xA1U, column = s[1] - 0xA1U;
    unsigned trail = row % 2 != 0 ? 0x9F + column : 0x40 + column + (column >= 0x3F);
    const unsigned char pair[2] = {(unsigned char)(0xC1 + row / 2), (unsigned char)trail};
    uint32_t c = convert_one(t->cp932, pair, 2);

    return c == 0 ? REPLACEMENT : c;
}

/* What a character means where that is not for the converter to say: 0: it is; REPLACEMENT: nothing. */
static uint32_t difference(const struct kns_transcoder *t, const unsigned char *s, size_t len)
{
    uint32_t code = 0;

    if (t->unit == kns_euc_jp_unit && len == 2 && s[0] >= 0xF5)
        return read_high_row(t, s);
    if (t->unit == kns_euc_jp_unit && len == 3 && s[1] >= 0xF5)
        return REPLACEMENT;
    if (len > 3)
        return 0;
    for (size_t i = 0; i < len; i++)
        code = code << 8 | s[i];
    return kns_charset_difference(t->charset, code);
}

/* One character that iconv does not know, or reads differently. Returns the bytes that it takes: an ASCII byte at the end
 * of an unknown one is read again by itself. */
static size_t add_odd(struct kns_transcoder *t, const unsigned char *s, size_t len,
                      struct kns_buf *out)
{
    uint32_t c = difference(t, s, len);

    if (c != 0 && c != REPLACEMENT) {
        add(out, c);
        return len;
    }
    replace(t, out);
    return len == 2 && s[1] < 0x80 ? 1 : len;
}

/* The length of the run of characters that iconv can be asked for; *ret_next is the character that ended it. */
static size_t measure_run(const struct kns_transcoder *t, const unsigned char *s, size_t size,
                          struct kns_unit *ret_next)
{
    size_t i = 0, ascii = 0;

    *ret_next = (struct kns_unit){.shape = KNS_UNIT_WHOLE};
    while (i < size && i < RUN_BYTES - MAX_UNFINISHED && ascii < LONG_ASCII) {
        if (s[i] < 0x80) {
            i++;
            ascii++;
            continue;
        }
        struct kns_unit unit = t->unit(s + i, size - i);
        bool odd = unit.shape == KNS_UNIT_ODD && difference(t, s + i, unit.len) != 0;
        if (odd || unit.shape == KNS_UNIT_BAD || unit.shape == KNS_UNIT_UNFINISHED) {
            *ret_next = unit;
            break;
        }
        i += unit.len;
        ascii = 0;
    }
    return i;
}

static size_t decode_multi(struct kns_transcoder *t, const unsigned char *s, size_t size,
                           struct kns_buf *out)
{
    size_t i = 0;

    while (i < size) {
        size_t ascii = kns_text_ascii_prefix((const char *)s + i, size - i);
        kns_buf_add(out, s + i, ascii);
        i += ascii;
        struct kns_unit next;
        size_t run = measure_run(t, s + i, size - i, &next);
        size_t done = convert_run(t, s + i, run, out);
        i += done;
        if (done < run) {
            i += add_odd(t, s + i, t->unit(s + i, size - i).len, out);
            continue;
        }
        if (next.shape == KNS_UNIT_UNFINISHED)
            break;
        if (next.shape == KNS_UNIT_ODD)
            i += add_odd(t, s + i, next.len, out);
        if (next.shape == KNS_UNIT_BAD) {
            replace(t, out);
            i += next.len;
        }
    }
    return i;
}

/* ---- ISO-2022-JP ------------------------------------------------------------------------------------ */

/* The escape sequences; returns the length of the one at s, 0 when it is cut short, -1 when it is none. */
static int read_escape(const unsigned char *s, size_t size, enum jis_set *ret_set)
{
    static const struct {
        const char *bytes;
        enum jis_set set;
    } escapes[] = {
        {"\x1B(B", JIS_ASCII}, {"\x1B(J", JIS_ROMAN}, {"\x1B(I", JIS_KATAKANA},
        {"\x1B$@", JIS_0208},  {"\x1B$B", JIS_0208},  {"\x1B$(D", JIS_0212},
    };
    bool cut = false;

    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        size_t len = strlen(escapes[i].bytes);
        if (memcmp(s, escapes[i].bytes, size < len ? size : len) != 0)
            continue;
        if (size >= len) {
            *ret_set = escapes[i].set;
            return (int)len;
        }
        cut = true;
    }
    return cut ? 0 : -1;
}

static bool is_graphic(unsigned char byte)
{
    return byte > 0x20 && byte < 0x7F;
}

/* A byte in a set that has one for a character. */
static void add_jis_byte(struct kns_transcoder *t, unsigned char byte, struct kns_buf *out)
{
    if (byte >= 0x80 || byte == 0x0E || byte == 0x0F || byte == 0x1B)
        replace(t, out);
    else if (t->jis == JIS_ROMAN && (byte == 0x5C || byte == 0x7E))
        add(out, byte == 0x5C ? 0xA5 : 0x203E);
    else if (t->jis == JIS_KATAKANA && is_graphic(byte) && byte > 0x5F)
        replace(t, out);
    else
        add(out, t->jis == JIS_KATAKANA && is_graphic(byte) ? 0xFF61U - 0x21U + byte : byte);
}

/* Pairs of bytes, turned into what EUC-JP has for them, which the multi-byte decoder reads. Returns the bytes taken. */
static size_t decode_jis_pairs(struct kns_transcoder *t, const unsigned char *s, size_t size,
                               struct kns_buf *out)
{
    unsigned char euc[RUN_BYTES];
    size_t i = 0, len = 0;

    for (; size - i >= 2 && is_graphic(s[i]) && is_graphic(s[i + 1]) && len + 3 <= sizeof(euc);
         i += 2) {
        if (t->jis == JIS_0212)
            euc[len++] = 0x8F;
        euc[len++] = s[i] | 0x80;
        euc[len++] = s[i + 1] | 0x80;
    }
    decode_multi(t, euc, len, out);
    return i;
}

/* One step behind the escape sequences; returns the bytes taken: 0 when a pair is cut short. */
static size_t read_jis(struct kns_transcoder *t, const unsigned char *s, size_t size,
                       struct kns_buf *out)
{
    bool pairs = t->jis == JIS_0208 || t->jis == JIS_0212;

    if (!pairs || !is_graphic(s[0])) {
        add_jis_byte(t, s[0], out);
        return 1;
    }
    size_t taken = decode_jis_pairs(t, s, size, out);
    if (taken > 0 || size < 2)
        return taken;
    replace(t, out);
    return s[1] == 0x1B ? 1 : 2;
}

/* Unlike the standard's, this decoder has no quarrel with an escape sequence right behind another (sloppy writers leave empty
 * runs) and lets a line end among pairs (RFC 1468 has them in ASCII), and it knows JIS X 0212 (RFC 2237). */
static size_t decode_jis(struct kns_transcoder *t, const unsigned char *s, size_t size,
                         struct kns_buf *out)
{
    size_t i = 0;

    while (i < size) {
        if (t->jis == JIS_ASCII) {
            size_t ascii = kns_text_ascii_prefix((const char *)s + i, size - i);
            size_t run = 0;
            while (run < ascii && s[i + run] != 0x1B && s[i + run] != 0x0E && s[i + run] != 0x0F)
                run++;
            kns_buf_add(out, s + i, run);
            i += run;
            if (i == size)
                break;
        }
        int escape = s[i] == 0x1B ? read_escape(s + i, size - i, &t->jis) : -1;
        size_t taken = escape < 0 ? read_jis(t, s + i, size - i, out) : (size_t)escape;
        if (taken == 0)
            break;
        i += taken;
    }
    return i;
}

/* ---- the stream ------------------------------------------------------------------------------------- */

static void choose_decoder(struct kns_transcoder *t)
{
    switch (t->charset->kind) {
    case KNS_CHARSET_UTF8:
    case KNS_CHARSET_REPLACEMENT: /* never asked for */
        t->decode = decode_utf8;
        break;
    case KNS_CHARSET_UTF16LE:
    case KNS_CHARSET_UTF16BE:
        t->decode = decode_utf16;
        break;
    case KNS_CHARSET_UTF32LE:
    case KNS_CHARSET_UTF32BE:
        t->decode = decode_utf32;
        break;
    case KNS_CHARSET_SINGLE:
        t->decode = decode_single;
        fill_high(t);
        break;
    case KNS_CHARSET_SHIFTED:
        t->decode = decode_jis;
        break;
    case KNS_CHARSET_MULTI:
        t->decode = decode_multi;
        break;
    }
}

static enum kns_status open_converter(const char *name, iconv_t *ret_converter,
                                      struct kns_error *err)
{
    iconv_t converter = iconv_open("UTF-8", name);

    if (converter == (iconv_t)-1)
        return kns_fail(err, errno == ENOMEM ? KNS_ENOMEM : KNS_EINVAL,
                        "no converter for the encoding %s", name);
    *ret_converter = converter;
    return KNS_OK;
}

enum kns_status kns_transcoder_new(const struct kns_charset *charset,
                                   struct kns_transcoder **ret_transcoder, struct kns_error *err)
{
    struct kns_transcoder *t = calloc(1, sizeof(*t));
    enum kns_status status = KNS_OK;

    if (t == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    t->charset = charset;
    t->unit = kns_unit_reader(charset);
    t->iconv = t->cp932 = (iconv_t)-1;
    if (charset->iconv != NULL)
        status = open_converter(charset->iconv, &t->iconv, err);
    if (status == KNS_OK && t->unit == kns_euc_jp_unit)
        status = open_converter("CP932", &t->cp932, err);
    if (status != KNS_OK) {
        kns_transcoder_free(t);
        return status;
    }
    choose_decoder(t);
    *ret_transcoder = t;
    return KNS_OK;
}

static void close_converter(iconv_t converter)
{
    if (converter != (iconv_t)-1)
        iconv_close(converter);
}

void kns_transcoder_free(struct kns_transcoder *t)
{
    if (t == NULL)
        return;
    close_converter(t->iconv);
    close_converter(t->cp932);
    free(t);
}

void kns_transcoder_write(struct kns_transcoder *t, const char *bytes, size_t size,
                          struct kns_buf *out)
{
    if (size == 0)
        return;
    if (t->tail_len > 0) {
        size_t more = size < LOOK_AHEAD ? size : LOOK_AHEAD;
        memcpy(t->tail + t->tail_len, bytes, more);
        size_t held = t->tail_len + more;
        size_t rest = held - t->decode(t, t->tail, held, out);
        if (more == size) {
            memmove(t->tail, t->tail + held - rest, rest);
            t->tail_len = rest;
            return;
        }
        /* What is unfinished now began among the new bytes, for there are more of them than it can have. */
        t->tail_len = 0;
        bytes += more - rest;
        size -= more - rest;
    }
    size_t taken = t->decode(t, (const unsigned char *)bytes, size, out);
    t->tail_len = size - taken;
    memcpy(t->tail, bytes + taken, t->tail_len);
}

void kns_transcoder_finish(struct kns_transcoder *t, struct kns_buf *out)
{
    if (t->tail_len > 0)
        replace(t, out);
    t->tail_len = 0;
}

size_t kns_transcoder_replaced(const struct kns_transcoder *t)
{
    return t->replaced;
}
