#include "lib/text/charset_detect.h"

#include "lib/buf.h"
#include "lib/text.h"
#include "lib/text/charset_decode.h"
#include "lib/text/charset_multibyte.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static const struct kns_charset *named(const char *name)
{
    return kns_charset_lookup(name, strlen(name));
}

const struct kns_charset *kns_charset_from_bom(const char *bytes, size_t size, size_t *ret_len)
{
    /* UTF-32LE's mark begins with UTF-16LE's, so it comes first. */
    static const struct {
        const char *mark;
        size_t len;
        const char *name;
    } marks[] = {
        {"\xFF\xFE\0\0", 4, "utf-32le"}, {"\0\0\xFE\xFF", 4, "utf-32be"},
        {"\xEF\xBB\xBF", 3, "utf-8"},    {"\xFF\xFE", 2, "utf-16le"},
        {"\xFE\xFF", 2, "utf-16be"},
    };

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (size >= marks[i].len && memcmp(bytes, marks[i].mark, marks[i].len) == 0) {
            *ret_len = marks[i].len;
            return named(marks[i].name);
        }
    }
    return NULL;
}

const struct kns_charset *kns_charset_from_shape(const char *bytes, size_t size)
{
    if (size < 4)
        return NULL;
    int zeroes =
        (bytes[0] == 0) << 3 | (bytes[1] == 0) << 2 | (bytes[2] == 0) << 1 | (bytes[3] == 0);
    switch (zeroes) {
    case 0xE: /* 0001 */
        return named("utf-32be");
    case 0x7:
        return named("utf-32le");
    case 0xA:
        return named("utf-16be");
    case 0x5:
        return named("utf-16le");
    default:
        /* '<' and a character outside Latin-1 */
        if (bytes[0] == 0 && bytes[1] == '<')
            return named("utf-16be");
        return bytes[0] == '<' && bytes[1] == 0 ? named("utf-16le") : NULL;
    }
}

const struct kns_charset *kns_charset_from_declaration(const char *bytes, size_t size)
{
    /* The declaration may stand behind junk; it ends at its first '>'. */
    const char *start = memmem(bytes, size, "<?xml", 5);
    if (start == NULL)
        return NULL;
    const char *end = memchr(start, '>', size - (size_t)(start - bytes));
    if (end == NULL)
        end = bytes + size;
    const char *at = memmem(start, (size_t)(end - start), "encoding", 8);
    if (at == NULL)
        return NULL;
    at += 8;
    while (at < end && (isspace((unsigned char)*at) || *at == '='))
        at++;
    if (at == end || (*at != '"' && *at != '\''))
        return NULL;
    const char *close = memchr(at + 1, *at, (size_t)(end - at - 1));
    return close == NULL ? NULL : kns_charset_lookup(at + 1, (size_t)(close - at - 1));
}

/* What a trial decoding of some bytes found. */
struct trial {
    size_t errors;
    size_t characters; /* that are not ASCII */
    size_t kana, han, hangul, other;
    size_t long_ones; /* that take three bytes or more of UTF-8, which does not happen by chance */
    size_t spaces;
};

static void count_character(struct trial *trial, int32_t c)
{
    if (c < 0x80) {
        trial->spaces += c == ' ';
        return;
    }
    trial->characters++;
    trial->long_ones += c >= 0x800 && c != 0xFFFD;
    if (c >= 0x3041 && c <= 0x30FF)
        trial->kana++;
    else if (c >= 0x4E00 && c <= 0x9FFF)
        trial->han++;
    else if (c >= 0xAC00 && c <= 0xD7A3)
        trial->hangul++;
    else if (!((c >= 0x3000 && c <= 0x303F) || (c >= 0xFF01 && c <= 0xFF5E) ||
               (c >= 0x2010 && c <= 0x2026)))
        trial->other++;
}

/* Decodes bytes that may end within a character. */
static struct trial try_charset(const struct kns_charset *charset, const char *bytes, size_t size)
{
    struct trial trial = {0};
    struct kns_transcoder *transcoder;
    struct kns_buf text = {0};

    if (kns_transcoder_new(charset, &transcoder, NULL) != KNS_OK) {
        trial.errors = size;
        return trial;
    }
    kns_transcoder_write(transcoder, bytes, size, &text);
    trial.errors = kns_buf_failed(&text) ? size : kns_transcoder_replaced(transcoder);
    for (size_t i = 0; i < text.len;) {
        int32_t c;
        i += kns_text_next(text.data + i, text.len - i, &c);
        count_character(&trial, c);
    }
    kns_buf_fini(&text);
    kns_transcoder_free(transcoder);
    return trial;
}

/* The encodings worth trying, with the rows of their tables in which most of what is written lies. */
static const struct candidate {
    const char *name;
    unsigned char rows[2][2]; /* first bytes, from and to */
    unsigned char second;     /* the lowest second byte */
    bool japanese;
} candidates[] = {
    {"euc-jp", {{0xA4, 0xA5}, {0xB0, 0xCF}}, 0xA1, true},
    {"shift_jis", {{0x82, 0x83}, {0x88, 0x97}}, 0x40, true},
    {"euc-kr", {{0xB0, 0xC8}, {0xB0, 0xC8}}, 0xA1, false},
    {"gb18030", {{0xB0, 0xD7}, {0xB0, 0xD7}}, 0xA1, false},
    {"big5", {{0xA4, 0xC6}, {0xA4, 0xC6}}, 0x40, false},
};

/* Letters of a Latin text read as pairs lie anywhere in the table, or end in ASCII where that is rare. */
static size_t count_common(const struct candidate *candidate, const struct kns_charset *charset,
                           const unsigned char *s, size_t size)
{
    kns_unit_fn *reader = kns_unit_reader(charset);
    size_t common = 0;

    for (size_t i = 0; i < size;) {
        struct kns_unit unit = {.len = 1};
        if (s[i] >= 0x80)
            unit = reader(s + i, size - i);
        if (unit.shape == KNS_UNIT_UNFINISHED)
            break;
        for (size_t row = 0; row < 2 && unit.len == 2; row++) {
            if (s[i] >= candidate->rows[row][0] && s[i] <= candidate->rows[row][1] &&
                s[i + 1] >= candidate->second) {
                common++;
                break;
            }
        }
        i += unit.len;
    }
    return common;
}

/* How much bytes look like the language of an encoding, in hundredths a character; 0: they are not in it. */
static size_t plausibility(const struct candidate *candidate, const char *bytes, size_t size)
{
    const struct kns_charset *charset = named(candidate->name);
    struct trial t = try_charset(charset, bytes, size);

    if (t.errors > 0)
        return 0;
    size_t signs = t.characters - t.kana - t.han - t.hangul - t.other; /* 、。「」 say nothing */
    size_t letters = t.characters - signs;
    if (letters == 0)
        return 0;
    size_t points =
        count_common(candidate, charset, (const unsigned char *)bytes, size) * 100 / letters;
    /* Japanese has kana among its kanji, Korean spaces between its words: Chinese has neither. */
    if (candidate->japanese)
        return t.kana * 10 >= t.han ? points : points / 2;
    if (t.hangul > 0)
        return t.spaces * 8 >= t.hangul ? points + points / 5 : 0;
    return points;
}

static bool is_cyrillic_1251(const char *bytes, size_t size)
{
    size_t letters = 0, high = 0;

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        high += c >= 0x80;
        /* Two Cyrillic letters in a row, which Latin text has rarely. */
        letters += c >= 0xC0 && i > 0 && (unsigned char)bytes[i - 1] >= 0xC0;
    }
    return high > 8 && letters * 2 > high;
}

static const struct kns_charset *detect(const char *bytes, size_t size)
{
    const struct kns_charset *best = NULL;
    size_t best_points = 60; /* less is no language at all */

    if (memchr(bytes, '\x1B', size) != NULL &&
        try_charset(named("iso-2022-jp"), bytes, size).errors == 0)
        return named("iso-2022-jp");
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        size_t points = plausibility(&candidates[i], bytes, size);
        if (points > best_points) {
            best = named(candidates[i].name);
            best_points = points;
        }
    }
    if (best != NULL)
        return best;
    return named(is_cyrillic_1251(bytes, size) ? "windows-1251" : "windows-1252");
}

/* Whether bytes can be UTF-8: good characters outweigh bad sequences. *ret_clean: there is nothing bad. */
static bool can_be_utf8(const char *bytes, size_t size, bool *ret_clean)
{
    struct trial trial = try_charset(named("utf-8"), bytes, size);

    *ret_clean = trial.errors == 0;
    return trial.characters - trial.errors + 3 * trial.long_ones >= trial.errors;
}

static bool is_japanese(const struct kns_charset *charset)
{
    return charset->kind == KNS_CHARSET_SHIFTED || strcmp(charset->name, "shift_jis") == 0 ||
           strcmp(charset->name, "euc-jp") == 0;
}

/* Whether bytes, which are clean UTF-8 or not, can be in a declared encoding. All mean something in a single-byte one. In the others an odd bad
 * character is a bad character and many are another encoding; few, where another Japanese encoding has none, are that one: the
 * two are often mistaken for each other, and much of EUC-JP passes for halfwidth katakana in Shift_JIS. */
static bool can_be(const struct kns_charset *declared, const char *bytes, size_t size, bool utf8)
{
    if (declared->kind == KNS_CHARSET_SINGLE)
        return true;
    struct trial trial = try_charset(declared, bytes, size);
    if (trial.errors == 0)
        return true;
    if (utf8 || trial.errors * 8 > trial.characters + 8)
        return false;
    return !is_japanese(declared) || !is_japanese(detect(bytes, size));
}

const struct kns_charset *kns_charset_judge(const struct kns_charset *const declared[],
                                            size_t count, const char *bytes, size_t size)
{
    const struct kns_charset *utf8 = named("utf-8");
    bool clean;

    if (size == 0)
        return count > 0 ? declared[0] : utf8;
    bool maybe_utf8 = can_be_utf8(bytes, size, &clean);
    for (size_t i = 0; i < count; i++)
        if (declared[i] == utf8 ? maybe_utf8 : can_be(declared[i], bytes, size, clean))
            return declared[i];
    bool escapes = count == 0 && memchr(bytes, '\x1B', size) != NULL;
    if (clean && !escapes)
        return utf8;
    /* A clean find outweighs a declaration that cannot be; what is only not impossible does not. */
    const struct kns_charset *found = detect(bytes, size);
    bool fallback = found->kind == KNS_CHARSET_SINGLE;
    return fallback && count > 0 && declared[0] != utf8 ? declared[0] : found;
}
