/* The text of a date as numbers, words and signs. */
#include "lib/text.h"
#include "lib/text/date_internal.h"

#include <utf8proc.h>

#define MAX_TEXT 200 /* bytes of a date worth reading */

/* Characters that stand for a part of a date by themselves are words of their own. */
static bool is_unit(int32_t c)
{
    static const char units[] = "年月日号時时点點分秒년월일시분초";

    if (c < 0x80)
        return false;
    for (size_t i = 0; i < sizeof(units) - 1;) {
        int32_t unit;
        i += kns_text_next(units + i, sizeof(units) - 1 - i, &unit);
        if (unit == c)
            return true;
    }
    return false;
}

static bool is_letter(int32_t c)
{
    if (c < 0x80)
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
        return true;
    default:
        return false;
    }
}

/* Appends a character in lower case without diacritics; false when the word is too long. */
static bool add_folded(struct kns_date_token *token, int32_t c)
{
    utf8proc_int32_t folded[8];
    utf8proc_ssize_t n = 1;
    int boundary = 0;

    if (c < 0x80) {
        folded[0] = c >= 'A' && c <= 'Z' ? c + 32 : c;
    } else if (c < 0x1100) {
        n = utf8proc_decompose_char(
            c, folded, 8, UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD | UTF8PROC_DECOMPOSE, &boundary);
    } else {
        folded[0] = c;
    }
    for (utf8proc_ssize_t i = 0; i < n && i < 8; i++) {
        utf8proc_uint8_t bytes[4];
        size_t len = (size_t)utf8proc_encode_char(folded[i], bytes);
        size_t used = strlen(token->word);
        if (used + len >= sizeof(token->word))
            return false;
        memcpy(token->word + used, bytes, len);
    }
    return true;
}

/* ASCII for fullwidth digits and signs, a plain space for every kind of space, '-' for dashes. */
static int32_t plain(int32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E)
        return c - 0xFF01 + 0x21;
    if (c == 0x3000 || c == 0xA0 || c == 0x202F || c == '\t' || c == '\n' || c == '\r')
        return ' ';
    if (c == 0x2010 || c == 0x2011 || c == 0x2013 || c == 0x2212)
        return '-';
    return c;
}

static bool add_digit(struct kns_date_token *token, int32_t c)
{
    token->number = token->number * 10 + (c - '0');
    return ++token->digits <= 17;
}

/* How far the text has been read. */
struct lexer {
    struct kns_date_tokens *tokens;
    struct kns_date_token *open; /* a number or word that the next character may continue */
    bool spaced;                 /* white space was read since the last token */
    int depth;                   /* of parentheses and brackets */
};

/* What stands in parentheses is a comment (RFC 5322 3.2.2), what in brackets names a zone or a calendar beside the offset (RFC 9557): read as
 * a space. True: it was read; false: it is the date's own. */
static bool skip_comment(struct lexer *l, int32_t c)
{
    bool opens = c == '(' || c == '[', closes = c == ')' || c == ']';

    l->depth += opens ? 1 : closes ? -1 : 0;
    if (!opens && !closes && l->depth == 0 && c != ' ')
        return false;
    l->open = NULL;
    l->spaced = true;
    return true;
}

static bool add_to_token(struct kns_date_token *token, int32_t c)
{
    if (token->kind == KNS_DATE_NUMBER)
        return add_digit(token, c);
    if (token->kind == KNS_DATE_WORD)
        return add_folded(token, c);
    token->sign = c < 0x80 ? (char)c : '?';
    return true;
}

static bool add_character(struct lexer *l, int32_t c)
{
    bool unit = is_unit(c);
    enum kns_date_token_kind kind = c >= '0' && c <= '9' ? KNS_DATE_NUMBER
                                    : is_letter(c)       ? KNS_DATE_WORD
                                                         : KNS_DATE_SIGN;

    if (l->open != NULL && l->open->kind == kind && kind != KNS_DATE_SIGN && !unit)
        return add_to_token(l->open, c);
    if (l->tokens->count == KNS_DATE_MAX_TOKENS)
        return false;
    struct kns_date_token *token = &l->tokens->at[l->tokens->count++];
    *token = (struct kns_date_token){.kind = kind, .spaced = l->spaced};
    l->spaced = false;
    l->open = unit ? NULL : token;
    return add_to_token(token, c);
}

bool kns_date_tokenize(const char *text, struct kns_date_tokens *ret)
{
    struct lexer lexer = {.tokens = ret};
    size_t size = strlen(text);

    ret->count = 0;
    if (size > MAX_TEXT)
        return false;
    for (size_t i = 0; i < size;) {
        int32_t c;
        i += kns_text_next(text + i, size - i, &c);
        c = plain(c);
        if (c == '\\' && lexer.depth > 0) { /* a quoted character in a comment */
            i += kns_text_next(text + i, size - i, &c);
            continue;
        }
        if (skip_comment(&lexer, c)) {
            if (lexer.depth < 0)
                return false;
        } else if (!add_character(&lexer, c)) {
            return false;
        }
    }
    for (int i = 0; i < KNS_DATE_LOOK_AHEAD; i++)
        ret->at[ret->count + i] = (struct kns_date_token){.kind = KNS_DATE_END};
    return ret->count > 0;
}
