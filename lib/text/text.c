/* Unicode text on utf8proc's tables. */
#include "lib/text.h"

#include "lib/buf.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define REPLACEMENT 0xFFFD

/* The length of the well-formed sequence at text, 0 when there is none (Unicode table 3-7). */
static size_t sequence_length(const unsigned char *text, size_t size)
{
    unsigned char lead = text[0];
    size_t want = lead < 0x80   ? 1
                  : lead < 0xC2 ? 0
                  : lead < 0xE0 ? 2
                  : lead < 0xF0 ? 3
                  : lead < 0xF5 ? 4
                                : 0;

    if (want == 0 || want > size)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((lead == 0xE0 && text[1] < 0xA0) || (lead == 0xED && text[1] > 0x9F) ||
        (lead == 0xF0 && text[1] < 0x90) || (lead == 0xF4 && text[1] > 0x8F))
        return 0;
    return want;
}

/* Eight ASCII bytes at a time: feeds are mostly markup. */
size_t kns_text_ascii_prefix(const char *bytes, size_t size)
{
    size_t i = 0;

    while (i + sizeof(uint64_t) <= size) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
        i += sizeof(word);
    }
    while (i < size && (unsigned char)bytes[i] < 0x80)
        i++;
    return i;
}

/* Three-byte sequences that need no second look, one after the other: East Asian text. */
static size_t three_byte_prefix(const unsigned char *bytes, size_t size)
{
    size_t i = 0;

    while (i + 3 <= size && bytes[i] > 0xE0 && bytes[i] < 0xF0 && bytes[i] != 0xED &&
           (bytes[i + 1] & 0xC0) == 0x80 && (bytes[i + 2] & 0xC0) == 0x80)
        i += 3;
    return i;
}

size_t kns_text_utf8_prefix(const char *bytes, size_t size)
{
    size_t i = 0;

    while (i < size) {
        if ((unsigned char)bytes[i] < 0x80)
            i += kns_text_ascii_prefix(bytes + i, size - i);
        i += three_byte_prefix((const unsigned char *)bytes + i, size - i);
        if (i == size)
            break;
        size_t len = sequence_length((const unsigned char *)bytes + i, size - i);
        if (len == 0)
            break;
        i += len;
    }
    return i;
}

bool kns_text_is_utf8(const char *bytes, size_t size)
{
    return kns_text_utf8_prefix(bytes, size) == size;
}

size_t kns_text_next(const char *text, size_t size, int32_t *ret_codepoint)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t len = size == 0 ? 0 : sequence_length(bytes, size);

    *ret_codepoint = REPLACEMENT;
    switch (len) {
    case 1:
        *ret_codepoint = bytes[0];
        return 1;
    case 2:
        *ret_codepoint = (bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F);
        return 2;
    case 3:
        *ret_codepoint = (bytes[0] & 0x0F) << 12 | (bytes[1] & 0x3F) << 6 | (bytes[2] & 0x3F);
        return 3;
    case 4:
        *ret_codepoint = (bytes[0] & 0x07) << 18 | (bytes[1] & 0x3F) << 12 |
                         (bytes[2] & 0x3F) << 6 | (bytes[3] & 0x3F);
        return 4;
    default:
        return size == 0 ? 0 : 1;
    }
}

static void add_character(struct kns_buf *buf, int32_t codepoint)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t len = utf8proc_encode_char(codepoint, bytes);

    kns_buf_add(buf, bytes, (size_t)len);
}

/* The buffer's text, copied into the arena; the buffer is freed. */
static const char *finish(struct kns_arena *arena, struct kns_buf *buf)
{
    const char *text =
        kns_buf_failed(buf) ? NULL : kns_arena_copy(arena, kns_buf_str(buf), buf->len);

    kns_buf_fini(buf);
    return text;
}

static bool is_forbidden_control(int32_t c)
{
    return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
}

const char *kns_text_to_utf8(struct kns_arena *arena, const char *bytes, size_t size)
{
    struct kns_buf buf = {0};

    for (size_t i = 0; i < size;) {
        int32_t c;
        size_t len = kns_text_next(bytes + i, size - i, &c);
        if (c == '\r') /* line ends are \n, as XML has them */
            c = i + 1 < size && bytes[i + 1] == '\n' ? 0 : '\n';
        if (c != 0 && !is_forbidden_control(c))
            add_character(&buf, c);
        i += len;
    }
    return finish(arena, &buf);
}

#define ZERO_WIDTH_JOINER 0x200D

static bool is_regional_indicator(int32_t c)
{
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

/* What one more character adds to a line, given the one before it: a joined or modified emoji stays
 * one picture, two regional indicators are one flag. */
static int columns_added(int32_t before, int32_t c, int flags_before)
{
    if (before == ZERO_WIDTH_JOINER || (c >= 0x1F3FB && c <= 0x1F3FF))
        return 0;
    if (is_regional_indicator(c))
        return flags_before % 2 == 0 ? 2 : 0;
    int width = utf8proc_charwidth(c);
    return width < 0 ? 0 : width;
}

/* A position in a text with the columns before it. */
struct cursor {
    const char *text;
    size_t size;
    size_t at;
    int columns;
    int control_columns; /* of a control character: 1 where it will become a space */
    int32_t before;
    int flags;
};

static bool is_control(int32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

static bool advance(struct cursor *cursor)
{
    int32_t c;

    if (cursor->at >= cursor->size)
        return false;
    cursor->at += kns_text_next(cursor->text + cursor->at, cursor->size - cursor->at, &c);
    cursor->columns +=
        is_control(c) ? cursor->control_columns : columns_added(cursor->before, c, cursor->flags);
    cursor->flags = is_regional_indicator(c) ? cursor->flags + 1 : 0;
    cursor->before = c;
    return true;
}

int kns_text_columns(const char *text)
{
    struct cursor cursor = {.text = text, .size = strlen(text)};

    while (advance(&cursor))
        ;
    return cursor.columns;
}

const char *kns_text_fit(struct kns_arena *arena, const char *text, int columns)
{
    struct cursor cursor = {.text = text, .size = strlen(text), .control_columns = 1};
    size_t cut = 0; /* the longest prefix that leaves a column for the ellipsis */

    while (advance(&cursor) && cursor.columns <= columns)
        if (cursor.columns <= columns - 1)
            cut = cursor.at;
    bool whole = cursor.columns <= columns;
    char *copy = kns_arena_alloc(arena, (whole ? cursor.size : cut) + sizeof("…"));
    if (copy == NULL)
        return NULL;
    size_t out = 0;
    for (size_t i = 0; i < (whole ? cursor.size : cut);) {
        int32_t c;
        size_t len = kns_text_next(text + i, cursor.size - i, &c);
        if (is_control(c)) {
            copy[out++] = ' ';
        } else {
            memcpy(copy + out, text + i, len);
            out += len;
        }
        i += len;
    }
    if (!whole && columns > 0) {
        memcpy(copy + out, "…", strlen("…"));
        out += strlen("…");
    }
    copy[out] = '\0';
    return copy;
}

/* White space by Unicode's White_Space, and the zero-width no-break space that editors leave behind. */
static bool is_space(int32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

/* The bytes of the white space at text, which begins as some space does; 0: it is none. */
static size_t space_length(const char *text, size_t size)
{
    int32_t c;
    size_t len = kns_text_next(text, size, &c);

    return is_space(c) ? len : 0;
}

/* Bytes that may begin a white space: all others are copied without a second look. */
static const bool may_begin_space[256] = {
    ['\t'] = true, ['\n'] = true, ['\v'] = true, ['\f'] = true, ['\r'] = true, [' '] = true,
    [0xC2] = true, [0xE1] = true, [0xE2] = true, [0xE3] = true, [0xEF] = true,
};

/* The bytes from text on that are no white space. */
static size_t word_length(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;

    for (;; i++) {
        while (i < size && !may_begin_space[bytes[i]])
            i++;
        /* Kana begin as U+3000 does. */
        if (i + 1 < size && bytes[i] == 0xE3 && bytes[i + 1] != 0x80)
            continue;
        if (i == size || space_length(text + i, size - i) > 0)
            return i;
    }
}

const char *kns_text_squeeze(struct kns_arena *arena, const char *text)
{
    size_t size = strlen(text);
    char *copy = kns_arena_alloc(arena, size + 1);
    size_t out = 0;

    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < size;) {
        size_t word = word_length(text + i, size - i);
        if (word > 0 && out > 0)
            copy[out++] = ' ';
        memcpy(copy + out, text + i, word);
        out += word;
        i += word;
        while (i < size && may_begin_space[(unsigned char)text[i]]) {
            size_t space = space_length(text + i, size - i);
            if (space == 0)
                break;
            i += space;
        }
    }
    copy[out] = '\0';
    return copy;
}

/* Combining marks of Latin, Greek and Cyrillic letters; the voiced-sound marks of kana distinguish
 * words and stay. */
static bool is_dropped_mark(int32_t c)
{
    return c >= 0x0300 && c <= 0x036F;
}

const char *kns_text_fold(struct kns_arena *arena, const char *text)
{
    utf8proc_uint8_t *decomposed = NULL;
    utf8proc_uint8_t *composed = NULL;
    const char *folded = NULL;
    struct kns_buf buf = {0};

    if (utf8proc_map((const utf8proc_uint8_t *)text, 0, &decomposed,
                     UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                         UTF8PROC_CASEFOLD | UTF8PROC_IGNORE) < 0)
        return NULL;
    size_t size = strlen((const char *)decomposed);
    for (size_t i = 0; i < size;) {
        int32_t c;
        size_t len = kns_text_next((const char *)decomposed + i, size - i, &c);
        if (!is_dropped_mark(c))
            kns_buf_add(&buf, decomposed + i, len);
        i += len;
    }
    free(decomposed);
    if (!kns_buf_failed(&buf) &&
        utf8proc_map((const utf8proc_uint8_t *)kns_buf_str(&buf), 0, &composed,
                     UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE) >= 0)
        folded = kns_arena_strdup(arena, (const char *)composed);
    free(composed);
    kns_buf_fini(&buf);
    return folded;
}
