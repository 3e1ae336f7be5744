#include "lib/html/tags.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

size_t tag_name_length(const char *text)
{
    size_t len = 0;

    if (!isalpha((unsigned char)text[0]))
        return 0;
    while (isalnum((unsigned char)text[len]) || text[len] == ':' || text[len] == '-')
        len++;
    return len;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static const char *skip_spaces(const char *at)
{
    while (is_space(*at))
        at++;
    return at;
}

/* The value that begins at at, behind '='; returns what follows it. */
static const char *read_value(const char *at, struct tag_attribute *ret)
{
    char quote = *at == '"' || *at == '\'' ? *at : '\0';

    if (quote == '\0') {
        ret->value = at;
        while (*at != '\0' && *at != '>' && !is_space(*at))
            at++;
        ret->value_len = (size_t)(at - ret->value);
        return at;
    }
    const char *close = strchr(at + 1, quote);
    if (close == NULL)
        return at + strlen(at);
    ret->value = at + 1;
    ret->value_len = (size_t)(close - at - 1);
    return close + 1;
}

bool tag_next_attribute(const char **at, struct tag_attribute *ret)
{
    const char *c = *at;

    while (is_space(*c) || *c == '/')
        c++;
    *at = c;
    if (*c == '>' || *c == '\0')
        return false;
    *ret = (struct tag_attribute){.name = c};
    /* A '=' here is part of the name, as the standard has it. */
    c += *c == '=';
    while (*c != '\0' && !is_space(*c) && *c != '=' && *c != '>' && *c != '/')
        c++;
    ret->name_len = (size_t)(c - ret->name);
    const char *after = skip_spaces(c);
    if (*after == '=')
        c = read_value(skip_spaces(after + 1), ret);
    *at = c;
    /* A quote that nothing closes: the tag never ends. */
    return *c != '\0' || ret->value != NULL;
}

bool tag_is_among(const char *words, const char *name, size_t len)
{
    char wanted[20] = " ";

    if (len == 0 || len > 16)
        return false;
    for (size_t i = 0; i < len; i++)
        wanted[i + 1] = (char)tolower((unsigned char)name[i]);
    wanted[len + 1] = ' ';
    wanted[len + 2] = '\0';
    return strstr(words, wanted) != NULL;
}

bool tag_holds_mark(const char *text, const char *const *marks)
{
    uint32_t first =
        0; /* by its last five bits, what a mark begins with: most characters begin none */

    for (const char *const *mark = marks; *mark != NULL; mark++)
        first |= UINT32_C(1) << (**mark & 31);
    for (; text != NULL && *text != '\0'; text++) {
        if ((first >> (*text & 31) & 1) == 0)
            continue;
        char c = (char)tolower((unsigned char)*text);
        for (const char *const *mark = marks; *mark != NULL; mark++)
            if (**mark == c && strncasecmp(text, *mark, strlen(*mark)) == 0)
                return true;
    }
    return false;
}
