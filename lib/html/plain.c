/* HTML as text, and whether text is HTML. */
#include "lib/html.h"

#include "lib/buf.h"
#include "lib/html/tree.h"
#include "lib/text.h"
#include "lib/text/entities.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Text being put together: white space collapses, a line break swallows the spaces around it. */
struct plain {
    struct kns_buf buf;
    bool space, line;
    bool one_line;
};

static void add_text(struct plain *p, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr(" \t\r\n\f", *text) != NULL) {
            p->space = true;
            continue;
        }
        if (p->buf.len > 0 && (p->line || p->space))
            kns_buf_addc(&p->buf, p->line && !p->one_line ? '\n' : ' ');
        p->line = p->space = false;
        kns_buf_addc(&p->buf, *text);
    }
}

static void add_node(struct plain *p, struct walk *walk)
{
    const GumboNode *node = walk->node;

    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
        node->type == GUMBO_NODE_CDATA) {
        add_text(p, node->v.text.text);
    } else if (node->type == GUMBO_NODE_ELEMENT) {
        walk->skip = is_hidden(node->v.element.tag);
        p->line = p->line || is_block(node->v.element.tag);
    }
}

static const char *convert(struct kns_arena *arena, const char *html, bool one_line)
{
    struct plain p = {.one_line = one_line};
    struct tree tree;
    const char *text = NULL;

    if (html[strcspn(html, "<&")] == '\0') {
        add_text(&p, html);
    } else {
        if (!tree_open(&tree, html))
            return NULL;
        for (struct walk walk = walk_from(tree.output->root); walk.node != NULL; walk_next(&walk))
            add_node(&p, &walk);
        tree_close(&tree);
    }
    if (!kns_buf_failed(&p.buf))
        text = kns_arena_copy(arena, kns_buf_str(&p.buf), p.buf.len);
    kns_buf_fini(&p.buf);
    return text == NULL || !one_line ? text : kns_text_squeeze(arena, text);
}

const char *kns_html_to_text(struct kns_arena *arena, const char *html)
{
    return convert(arena, html, false);
}

const char *kns_html_to_line(struct kns_arena *arena, const char *html)
{
    return convert(arena, html, true);
}

static const char elements[] = " a abbr acronym address applet area article aside audio b base "
                               "basefont bdi bdo bgsound big blink blockquote body br button "
                               "canvas caption center cite code col colgroup content data datalist "
                               "dd del details dfn dialog dir div dl dt em embed fieldset "
                               "figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 "
                               "h6 head header hgroup hr html i iframe img input ins isindex "
                               "kbd keygen label legend li link listing main map mark marquee math "
                               "menu menuitem meta meter nav nobr noembed noframes noscript "
                               "object ol optgroup option output p param picture plaintext pre "
                               "progress q rb rp rt rtc ruby s samp script search section select "
                               "shadow slot small source spacer span strike strong style sub "
                               "summary sup svg table tbody td template textarea tfoot th thead "
                               "time title tr track tt u ul var video wbr xmp ";

static bool is_element(const char *name, size_t len)
{
    char wanted[16] = " ";

    if (len == 0 || len > 12)
        return false;
    for (size_t i = 0; i < len; i++)
        wanted[i + 1] = (char)tolower((unsigned char)name[i]);
    wanted[len + 1] = ' ';
    return strstr(elements, wanted) != NULL;
}

/* A tag of HTML's, or a comment, at '<'. */
static bool is_tag(const char *at)
{
    if (strncmp(at, "<!--", 4) == 0)
        return strstr(at, "-->") != NULL;
    const char *name = at + 1 + (at[1] == '/');
    size_t len = 0;
    while (isalnum((unsigned char)name[len]))
        len++;
    if (!is_element(name, len) || name[len] == '\0' || strchr(" \t\r\n/>", name[len]) == NULL)
        return false;
    return strchr(name + len, '>') != NULL;
}

/* A character reference at '&', its semicolon included. */
static bool is_reference(const char *at)
{
    size_t len = 1;

    if (at[1] == '#') {
        bool hex = at[2] == 'x' || at[2] == 'X';
        len = hex ? 3 : 2;
        size_t digits = len;
        while (hex ? isxdigit((unsigned char)at[len]) : isdigit((unsigned char)at[len]))
            len++;
        return len > digits && at[len] == ';';
    }
    while (isalnum((unsigned char)at[len]) && len < 40)
        len++;
    return at[len] == ';' && kns_entity_find(at + 1, len - 1) != NULL;
}

bool kns_html_looks_like_html(const char *text)
{
    for (text += strcspn(text, "<&"); *text != '\0'; text += 1 + strcspn(text + 1, "<&"))
        if (*text == '<' ? is_tag(text) : is_reference(text))
            return true;
    return false;
}

bool kns_html_is_page(const char *bytes, size_t size)
{
    static const char *const starts[] = {"<!doctype html", "<html", "<head", "<body"};
    const char *end = bytes + (size < 4096 ? size : 4096);

    for (const char *at = bytes; at < end; at++) {
        if (*at != '<')
            continue;
        if (end - at >= 5 && strncasecmp(at, "<rss ", 5) == 0)
            return false;
        for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
            size_t len = strlen(starts[i]);
            if ((size_t)(end - at) > len && strncasecmp(at, starts[i], len) == 0 &&
                !isalnum((unsigned char)at[len]))
                return true;
        }
    }
    return false;
}

const char *kns_html_escape(struct kns_arena *arena, const char *text)
{
    struct kns_buf buf = {0};

    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            kns_buf_adds(&buf, "&amp;");
            break;
        case '<':
            kns_buf_adds(&buf, "&lt;");
            break;
        case '>':
            kns_buf_adds(&buf, "&gt;");
            break;
        case '"':
            kns_buf_adds(&buf, "&quot;");
            break;
        case '\'':
            kns_buf_adds(&buf, "&#39;");
            break;
        default:
            kns_buf_addc(&buf, *text);
        }
    }
    const char *escaped =
        kns_buf_failed(&buf) ? NULL : kns_arena_copy(arena, kns_buf_str(&buf), buf.len);
    kns_buf_fini(&buf);
    return escaped;
}
