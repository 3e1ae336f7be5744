/* Lines are filled greedily with pieces that must not be torn: a run of letters, a Japanese character with the closing
 * punctuation behind it and the opening punctuation before it. Between two pieces a line may end. */
#include "lib/digest/wrap.h"

#include "lib/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Must not begin a line (JIS X 4051: closing brackets, full stops, small kana, iteration and sound marks). */
static const char no_start[] =
    "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】〙〗〟｠»‐–—゠…‥"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ"
    "｡｣､･ｧｨｩｪｫｬｭｮｯｰ％‰℃°′″,.:;?!)]}%";
/* Must not end a line. */
static const char no_end[] = "‘“（〔［｛〈《「『【〘〖〝｟«｢([{￥＄£＃#$";

struct character {
    const char *at;
    size_t size;
    int32_t code;
    int columns;
};

static bool is_one_of(const char *set, const struct character *c)
{
    char text[8] = "";

    memcpy(text, c->at, c->size < sizeof(text) ? c->size : 0);
    return c->code != 0 && strstr(set, text) != NULL;
}

/* Writing that is set without spaces: kana, han, their punctuation, full-width forms. */
static bool is_ideographic(int32_t code)
{
    return (code >= 0x2E80 && code <= 0xA4CF) || (code >= 0xF900 && code <= 0xFAFF) ||
           (code >= 0xFE30 && code <= 0xFE4F) || (code >= 0xFF01 && code <= 0xFFEE) ||
           (code >= 0x1F300 && code <= 0x1FAFF) || (code >= 0x20000 && code <= 0x3FFFF);
}

static struct character next_character(const char *text, const char *end)
{
    struct character c = {.at = text};
    char alone[8] = "";

    c.size = kns_text_next(text, (size_t)(end - text), &c.code);
    if (c.size < sizeof(alone)) {
        memcpy(alone, text, c.size);
        c.columns = kns_text_columns(alone);
    }
    return c;
}

static bool may_break_between(const struct character *a, const struct character *b)
{
    if (b->columns == 0 ||
        a->code == 0x200D) /* marks and joined emoji stay with what they follow */
        return false;
    if (a->code == ' ' || b->code == ' ')
        return true;
    if (!is_ideographic(a->code) && !is_ideographic(b->code))
        return false;
    return !is_one_of(no_start, b) && !is_one_of(no_end, a);
}

struct piece {
    const char *at;
    size_t size;
    int columns;
};

/* The piece at text: up to where a line may end. A run of spaces is a piece of its own. */
static struct piece next_piece(const char *text, const char *end)
{
    struct character last = next_character(text, end);
    struct piece piece = {text, last.size, last.columns};

    while (text + piece.size < end) {
        struct character c = next_character(text + piece.size, end);
        bool both_spaces = last.code == ' ' && c.code == ' ';
        if (!both_spaces && may_break_between(&last, &c))
            break;
        piece.size += c.size;
        piece.columns += c.columns;
        last = c;
    }
    return piece;
}

static void wrap_line(struct kns_buf *out, const char *text, const char *end, const char *first,
                      const char *indent)
{
    int used = kns_text_columns(first);
    bool empty = true; /* nothing on this line but its indent */
    struct piece space = {0};

    kns_buf_adds(out, first);
    while (text < end) {
        struct piece piece = next_piece(text, end);
        text += piece.size;
        if (*piece.at == ' ') {
            space = piece;
            continue;
        }
        if (!empty && used + space.columns + piece.columns > DIGEST_TEXT_COLUMNS) {
            kns_buf_addc(out, '\n');
            kns_buf_adds(out, indent);
            used = kns_text_columns(indent);
        } else if (!empty) {
            kns_buf_add(out, space.at, space.size);
            used += space.columns;
        }
        kns_buf_add(out, piece.at, piece.size);
        used += piece.columns;
        space = (struct piece){0};
        empty = false;
    }
    kns_buf_addc(out, '\n');
}

/* An empty line gets no trailing blanks from its indent. */
static void add_empty_line(struct kns_buf *out, const char *indent)
{
    size_t len = strlen(indent);

    while (len > 0 && indent[len - 1] == ' ')
        len--;
    kns_buf_add(out, indent, len);
    kns_buf_addc(out, '\n');
}

void digest_wrap_first(struct kns_buf *out, const char *text, const char *first, const char *indent)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (len == 0)
            add_empty_line(out, first);
        else
            wrap_line(out, text, text + len, first, indent);
        text += len + (text[len] == '\n');
        first = indent;
    }
}

void digest_wrap(struct kns_buf *out, const char *text, const char *indent)
{
    digest_wrap_first(out, text, indent, indent);
}
