#include "lib/text/charset_detect.h"

#include "lib/text.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
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
    size_t spaces;
};

static void count_character(struct trial *trial, int32_t c)
{
    if (c < 0x80) {
        trial->spaces += c == ' ';
        return;
    }
    trial->characters++;
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

static struct trial try_charset(const struct kns_charset *charset, const char *bytes, size_t size)
{
    struct trial trial = {0};
    iconv_t cd = iconv_open("UTF-8", charset->iconv);
    char *in = (char *)(uintptr_t)bytes;
    size_t left = size;

    if (cd == (iconv_t)-1) {
        trial.errors = size;
        return trial;
    }
    while (left > 0) {
        char out[1024];
        char *to = out;
        size_t room = sizeof(out);
        size_t done = iconv(cd, &in, &left, &to, &room);
        size_t len = sizeof(out) - room;
        for (size_t i = 0; i < len;) {
            int32_t c;
            i += kns_text_next(out + i, len - i, &c);
            count_character(&trial, c);
        }
        if (done != (size_t)-1 || errno == E2BIG)
            continue;
        if (errno == EINVAL) /* cut by the window's end */
            break;
        trial.errors++;
        in++;
        left--;
    }
    iconv_close(cd);
    return trial;
}

/* How much the decoded text looks like the language of its encoding, in hundredths a character. */
static int plausibility(const char *name, const struct trial *t)
{
    if (t->errors > 0 || t->characters == 0)
        return 0;
    size_t points =
        t->han + t->kana * (strcmp(name, "euc-jp") == 0 || strcmp(name, "shift_jis") == 0 ? 3 : 0);
    /* Korean has spaces between its words; Chinese read as Korean has not. */
    if (strcmp(name, "euc-kr") == 0)
        points = t->spaces * 8 >= t->hangul ? t->hangul * 2 + t->han / 2 : 0;
    else if (t->hangul > 0)
        points = 0;
    if (t->other * 4 > t->characters)
        return 0;
    return (int)(points * 100 / t->characters);
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
    static const char *const candidates[] = {"euc-jp", "shift_jis", "gb18030", "big5", "euc-kr"};
    const struct kns_charset *best = NULL;
    int best_points = 60; /* less is no language at all */

    if (memchr(bytes, '\x1B', size) != NULL &&
        try_charset(named("iso-2022-jp"), bytes, size).errors == 0)
        return named("iso-2022-jp");
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        const struct kns_charset *charset = named(candidates[i]);
        struct trial trial = try_charset(charset, bytes, size);
        int points = plausibility(candidates[i], &trial);
        if (points > best_points) {
            best = charset;
            best_points = points;
        }
    }
    if (best != NULL)
        return best;
    return named(is_cyrillic_1251(bytes, size) ? "windows-1251" : "windows-1252");
}

/* Well-formed UTF-8 but for a character that the window's end may have cut. */
static bool is_utf8(const char *bytes, size_t size)
{
    size_t good = kns_text_utf8_prefix(bytes, size);

    return size - good < 4 && (good > 0 || size < 4) &&
           (good == size ||
            ((unsigned char)bytes[good] >= 0xC2 && (unsigned char)bytes[good] <= 0xF4));
}

static size_t count_utf8_characters(const char *bytes, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size;) {
        int32_t c;
        size_t len = kns_text_next(bytes + i, size - i, &c);
        n += len > 1;
        i += len;
    }
    return n;
}

const struct kns_charset *kns_charset_judge(const struct kns_charset *declared, const char *bytes,
                                            size_t size)
{
    const struct kns_charset *utf8 = named("utf-8");
    bool valid = is_utf8(bytes, size);

    if (size == 0)
        return declared != NULL ? declared : utf8;
    if (declared == NULL)
        return memchr(bytes, '\x1B', size) != NULL || !valid ? detect(bytes, size) : utf8;
    if (declared->kind == KNS_CHARSET_UTF8) {
        /* A bad byte in UTF-8 is a bad byte; no good character among bad bytes is another encoding. */
        return valid || count_utf8_characters(bytes, size) > 0 ? declared : detect(bytes, size);
    }
    if ((declared->kind == KNS_CHARSET_MULTI || declared->kind == KNS_CHARSET_SHIFTED) && valid &&
        count_utf8_characters(bytes, size) > 0 && try_charset(declared, bytes, size).errors > 0)
        return utf8;
    return declared;
}
