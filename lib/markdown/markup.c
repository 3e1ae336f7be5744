#include "lib/markdown/markup.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t put_utf8(char *out, unsigned long code)
{
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        code = 0xFFFD;
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | (code >> 12));
        out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (code >> 18));
    out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Writes what a reference at text means to out; returns the bytes read, 0 when it is none. What is written is never
 * longer than what was read. */
static size_t decode_reference(const char *text, const char *end, char *out, size_t *ret_written)
{
    static const struct {
        const char *name, *value;
    } names[] = {
        {"&amp;", "&"},   {"&lt;", "<"},   {"&gt;", ">"},
        {"&quot;", "\""}, {"&apos;", "'"}, {"&nbsp;", "\xC2\xA0"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i].name);
        if ((size_t)(end - text) < len || memcmp(text, names[i].name, len) != 0)
            continue;
        *ret_written = strlen(names[i].value);
        memcpy(out, names[i].value, *ret_written);
        return len;
    }
    if (end - text < 4 || text[1] != '#')
        return 0;
    bool hex = text[2] == 'x' || text[2] == 'X';
    const char *digits = text + (hex ? 3 : 2);
    char *after = NULL;
    if (!isxdigit((unsigned char)*digits))
        return 0;
    unsigned long code = strtoul(digits, &after, hex ? 16 : 10);
    if (after >= end || *after != ';')
        return 0;
    *ret_written = put_utf8(out, code);
    return (size_t)(after + 1 - text);
}

static const char *decoded(struct kns_arena *arena, const char *text, size_t len)
{
    char *out = kns_arena_alloc(arena, len + 1);
    const char *end = text + len;
    size_t used = 0;

    if (out == NULL)
        return NULL;
    while (text < end) {
        size_t written = 0;
        size_t read = *text == '&' ? decode_reference(text, end, out + used, &written) : 0;
        if (read == 0) {
            out[used++] = *text++;
            continue;
        }
        text += read;
        used += written;
    }
    out[used] = '\0';
    return out;
}

/* The end of a tag: the '>' that is in no quotes; NULL when there is none. */
static const char *tag_end(const char *at)
{
    char quote = '\0';

    for (; *at != '\0'; at++) {
        if (quote != '\0')
            quote = *at == quote ? '\0' : quote;
        else if (*at == '"' || *at == '\'')
            quote = *at;
        else if (*at == '>')
            return at;
    }
    return NULL;
}

static bool begins_tag(const char *at)
{
    return *at == '<' &&
           (isalpha((unsigned char)at[1]) || (at[1] == '/' && isalpha((unsigned char)at[2])));
}

static bool read_tag(struct markup *markup, const char *end, struct markup_token *token)
{
    const char *name = markup->at + 1;

    token->kind = *name == '/' ? MARKUP_CLOSE : MARKUP_OPEN;
    name += token->kind == MARKUP_CLOSE;
    size_t len = strcspn(name, " \t\r\n/>");
    token->text = kns_arena_copy(markup->arena, name, len);
    token->attributes = name + len;
    token->attributes_len = (size_t)(end - (name + len));
    markup->at = end + 1;
    return token->text != NULL;
}

bool markup_next(struct markup *markup, struct markup_token *ret_token)
{
    const char *at = markup->at;

    *ret_token = (struct markup_token){.kind = MARKUP_END, .text = ""};
    if (*at == '\0')
        return true;
    if (begins_tag(at)) {
        const char *end = tag_end(at);
        if (end != NULL)
            return read_tag(markup, end, ret_token);
    }
    size_t len = 1 + strcspn(at + 1, "<");
    while (at[len] == '<' && !begins_tag(at + len))
        len += 1 + strcspn(at + len + 1, "<");
    ret_token->kind = MARKUP_TEXT;
    ret_token->text = decoded(markup->arena, at, len);
    markup->at = at + len;
    return ret_token->text != NULL;
}

const char *markup_attribute(struct markup *markup, const struct markup_token *token,
                             const char *name)
{
    const char *at = token->attributes;
    const char *end = at + token->attributes_len;

    while (at < end) {
        at += strspn(at, " \t\r\n/");
        size_t len = strcspn(at, " \t\r\n=/>");
        const char *value = at + len;
        if (at + len >= end || len == 0)
            return NULL;
        bool found = len == strlen(name) && strncasecmp(at, name, len) == 0;
        at = value;
        if (*value != '=')
            continue;
        char quote = value[1] == '\'' ? '\'' : '"';
        value += value[1] == quote ? 2 : 1;
        const char *stop = memchr(value, quote, (size_t)(end - value));
        if (stop == NULL)
            return NULL;
        if (found)
            return decoded(markup->arena, value, (size_t)(stop - value));
        at = stop + 1;
    }
    return NULL;
}
