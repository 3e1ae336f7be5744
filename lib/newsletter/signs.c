/* The signs that newsletters set around titles, and what they tell. */
#include "lib/newsletter/judging.h"

#include "lib/text.h"

#include <ctype.h>
#include <string.h>

/* A sign between a title and what is said about it. */
bool sign_separates(int32_t c)
{
    return c == '-' || c == '|' || c == ':' || c == 0x2010 || c == 0x2012 || c == 0x2013 ||
           c == 0x2014 || c == 0x2015 || c == 0x2212 || c == 0xb7 || c == 0x2022 || c == 0x30fb ||
           c == 0xff1a || c == 0xff5c || c == 0x2192 || c == 0x2500 || c == 0x301c || c == 0xff5e;
}

bool sign_is_space(int32_t c)
{
    return (c > 0 && c <= ' ') || c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200b);
}

/* True when a sentence goes on with this character: the link before it was a word of it. */
bool sign_goes_on(int32_t c)
{
    if (c < 0x80)
        return islower((int)c) != 0 || (c != 0 && strchr(",.;'\")/&", c) != NULL);
    return (c >= 0x3041 && c <= 0x309f) || c == 0x3001 || c == 0x3002 || c == 0x300d ||
           c == 0x300f || c == 0xff09 || c == 0xff0c || c == 0xff0e || c == 0x2019 || c == 0x201d ||
           c == 0x3011;
}

int32_t sign_closing_bracket(int32_t c)
{
    static const int32_t pairs[][2] = {{'(', ')'}, {'[', ']'}, {0xff08, 0xff09}, {0x3010, 0x3011}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i][0] == c)
            return pairs[i][1];
    return 0;
}

/* A line of dashes or the like, drawn by hand. */
bool sign_is_rule(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; count++) {
        int32_t c = 0;
        text += kns_text_next(text, strlen(text), &c);
        bool stroke = c == '-' || c == '=' || c == '*' || c == '_' || c == '~' || c == ' ' ||
                      (c >= 0x2010 && c <= 0x2015) || (c >= 0x2500 && c <= 0x257f) || c == 0x30fc ||
                      c == 0xff1d || c == 0x2026 || c == 0x22ef;
        if (!stroke)
            return false;
    }
    return count >= 3;
}

/* The bytes of a sign that plain letters set before headings, with the space behind it; 0: there is none. */
size_t sign_before_heading(const char *text)
{
    static const char *const signs[] = {"■", "◆", "●", "▼", "★", "□", "◇", "◎", "▽", "☆"};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t len = strlen(signs[i]);
        if (strncmp(text, signs[i], len) == 0 && text[len] != '\0')
            return len + strspn(text + len, " ");
    }
    return 0;
}

bool sign_ends_sentence(const char *text)
{
    size_t len = strlen(text);
    static const char *const ends[] = {"。", "！", "？", ".", "、"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end = strlen(ends[i]);
        if (len >= end && strcmp(text + len - end, ends[i]) == 0)
            return true;
    }
    return false;
}

bool sign_ends_statement(const char *text)
{
    static const char *const ends[] = {"。", "！", "？", ".", "!", "?", ":",
                                       "：", "…",  "」", "—", "–", "→"};
    size_t len = strlen(text);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end = strlen(ends[i]);
        if (len >= end && strcmp(text + len - end, ends[i]) == 0)
            return true;
    }
    return false;
}
