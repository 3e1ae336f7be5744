/* Text and links as CommonMark (0.31, sections 2.4, 6.3): escaped where a reader would see markup, and only there. */
#include "lib/markdown.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* True for a backslash's use before text[0], whose predecessor is before ('\0' at the start). */
static bool needs_escape(char before, const char *text)
{
    char c = *text;
    char after = text[1];

    switch (c) {
    case '\\':
    case '`':
    case '*':
    case '[':
    case ']':
    case '<':
        return true;
    case '_': /* inside a word it is only an underscore */
        return !is_word(before) || !is_word(after);
    case '&':
        return isalpha((unsigned char)after) || after == '#';
    case '~':
        return before == '~' || after == '~';
    case '#': /* a closing sequence of a heading */
        return before == ' ';
    default:
        return false;
    }
}

/* The markers that would make a block of a line: headings, lists, quotations, rules. Returns how many bytes of text stand
 * before the one to escape, or -1. */
static int block_marker(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    if (*text != '\0' && strchr("#>+-=~|:", *text) != NULL)
        return 0;
    if (digits > 0 && digits < 10 && (text[digits] == '.' || text[digits] == ')'))
        return (int)digits;
    return -1;
}

void kns_markdown_add_text(struct kns_buf *out, const char *text, bool at_line_start)
{
    char before = at_line_start ? '\0' : ' ';

    if (at_line_start) {
        text += strspn(text, " \t\r\n");
        int marker = block_marker(text);
        if (marker >= 0) {
            kns_buf_add(out, text, (size_t)marker);
            kns_buf_addc(out, '\\');
            kns_buf_addc(out, text[marker]);
            text += marker + 1;
        }
    } else if (out->len > 0) {
        before = out->data[out->len - 1];
    }
    for (; *text != '\0'; text++) {
        char c = *text;
        if (c == '\n' || c == '\r' || c == '\t')
            c = ' ';
        else if ((unsigned char)c < 0x20 || c == 0x7F)
            continue;
        if (needs_escape(before, text))
            kns_buf_addc(out, '\\');
        kns_buf_addc(out, c);
        before = c;
    }
}

static bool is_linkable(const char *url)
{
    static const char *const schemes[] = {"http://", "https://", "mailto:"};

    for (size_t i = 0; url != NULL && i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

/* A link destination: what would end or change it is percent-encoded, '&' is a reference. */
static void add_destination(struct kns_buf *out, const char *url)
{
    for (; *url != '\0'; url++) {
        unsigned char c = (unsigned char)*url;
        if (c <= 0x20 || c == 0x7F || strchr("<>()\\\"`[]", c) != NULL)
            kns_buf_addf(out, "%%%02X", c);
        else if (c == '&')
            kns_buf_adds(out, "&amp;");
        else
            kns_buf_addc(out, (char)c);
    }
}

void kns_markdown_add_link(struct kns_buf *out, const char *text, const char *url)
{
    if (!is_linkable(url)) {
        kns_markdown_add_text(out, text, false);
        return;
    }
    kns_buf_addc(out, '[');
    kns_markdown_add_text(out, text, false);
    kns_buf_adds(out, "](");
    add_destination(out, url);
    kns_buf_addc(out, ')');
}

void kns_markdown_add_image(struct kns_buf *out, const char *text, const char *url)
{
    if (!is_linkable(url))
        return;
    kns_buf_addc(out, '!');
    kns_markdown_add_link(out, text, url);
}
