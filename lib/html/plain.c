/* HTML as text, and whether text is HTML. */
#include "lib/html.h"

#include "lib/buf.h"
#include "lib/html/plain.h"
#include "lib/html/tags.h"
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

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static void add_text(struct plain *p, const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end) {
        const char *word = text;
        while (text < end && !is_space(*text))
            text++;
        if (text > word) {
            if (p->buf.len > 0 && (p->line || p->space))
                kns_buf_addc(&p->buf, p->line && !p->one_line ? '\n' : ' ');
            p->line = p->space = false;
            kns_buf_add(&p->buf, word, (size_t)(text - word));
        }
        p->space = p->space || text < end;
        while (text < end && is_space(*text))
            text++;
    }
}

static void add_node(struct plain *p, struct walk *walk)
{
    const GumboNode *node = walk->node;

    if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
        node->type == GUMBO_NODE_CDATA) {
        add_text(p, node->v.text.text, strlen(node->v.text.text));
    } else if (node->type == GUMBO_NODE_ELEMENT) {
        walk->skip = is_hidden(node->v.element.tag);
        p->line = p->line || is_block(node->v.element.tag);
    }
}

/* ---- without a tree ------------------------------------------------------------------------------------------- */

/* Elements that hold text as it stands and break no line, and those that break lines. With any other one, or where these are
 * nested so that their order in the tree could be another one than in the text, the tree is asked. */
static const char inline_elements[] = " a abbr acronym b bdi bdo big cite code del dfn em font i "
                                      "img ins kbd mark q s samp small span "
                                      "strike strong sub sup time tt u var wbr ";
static const char block_elements[] = " address article aside blockquote center dd div dl dt "
                                     "figcaption figure footer h1 h2 h3 h4 h5 h6 "
                                     "header li main nav ol p section ul ";

#define MAX_BLOCKS 32

struct simple {
    struct plain *p;
    struct {
        const char *name;
        size_t len;
    } open[MAX_BLOCKS];
    size_t depth;
};

static bool is_named(const char *name, size_t len, const char *wanted)
{
    return strlen(wanted) == len && strncasecmp(name, wanted, len) == 0;
}

static bool is_top(const struct simple *s, const char *name, size_t len)
{
    return s->depth > 0 && s->open[s->depth - 1].len == len &&
           strncasecmp(s->open[s->depth - 1].name, name, len) == 0;
}

static bool top_is_among(const struct simple *s, const char *words)
{
    return s->depth > 0 &&
           tag_is_among(words, s->open[s->depth - 1].name, s->open[s->depth - 1].len);
}

/* A heading in a heading, a list item in anything but a list: HTML closes things there that are not on top. */
static bool nests(const struct simple *s, const char *name, size_t len)
{
    static const char headings[] = " h1 h2 h3 h4 h5 h6 ", items[] = " li ", terms[] = " dd dt ";

    if (tag_is_among(headings, name, len))
        return !top_is_among(s, headings);
    if (tag_is_among(items, name, len))
        return s->depth == 0 || top_is_among(s, " ul ol ");
    if (tag_is_among(terms, name, len))
        return s->depth == 0 || top_is_among(s, " dl ");
    return true;
}

static bool open_block(struct simple *s, const char *name, size_t len)
{
    s->p->line = true;
    if (is_top(s, "p", 1))
        s->depth--;
    if ((is_named(name, len, "li") && is_top(s, "li", 2)) ||
        (tag_is_among(" dd dt ", name, len) && top_is_among(s, " dd dt ")))
        s->depth--;
    if (s->depth == MAX_BLOCKS || !nests(s, name, len))
        return false;
    s->open[s->depth].name = name;
    s->open[s->depth++].len = len;
    return true;
}

static bool close_block(struct simple *s, const char *name, size_t len)
{
    s->p->line = true;
    if (is_named(name, len, "p")) { /* one that is not open is opened and closed */
        s->depth -= is_top(s, "p", 1);
        return true;
    }
    if (is_top(s, "p", 1))
        s->depth--;
    if (tag_is_among(" ul ol dl ", name, len) && top_is_among(s, " li dd dt "))
        s->depth--;
    if (!is_top(s, name, len))
        return false;
    s->depth--;
    return true;
}

/* A tag at '<'; returns what follows it. NULL: the tree must be asked. */
static const char *read_simple_tag(struct simple *s, const char *at)
{
    bool closing = at[1] == '/';
    const char *name = at + 1 + closing;
    size_t len = tag_name_length(name);
    const char *end = name + len;
    struct tag_attribute ignored;

    if (len == 0 || strchr(" \t\r\n\f/>", *end) == NULL)
        return NULL;
    while (tag_next_attribute(&end, &ignored))
        ;
    if (*end != '>')
        return NULL;
    if (tag_is_among(inline_elements, name, len))
        return end + 1;
    if (tag_is_among(" br hr ", name, len)) {
        s->p->line = true;
        if (is_named(name, len, "hr") && (closing || is_top(s, "p", 1)))
            return NULL;
        return end + 1;
    }
    if (!tag_is_among(block_elements, name, len))
        return NULL;
    bool good = closing ? close_block(s, name, len) : open_block(s, name, len);
    return good ? end + 1 : NULL;
}

/* A reference at '&'; returns what follows it. NULL: the tree must be asked (references without semicolon, controls). */
static const char *read_simple_reference(struct plain *p, const char *at)
{
    struct kns_buf text = {0};
    size_t used = kns_entity_decode(at, strnlen(at, 64), &text);
    bool doubtful = used > 0 ? strcmp(text.data, "\xEF\xBF\xBD") == 0
                             : isalpha((unsigned char)at[1]) || at[1] == '#';

    if (!doubtful && used > 0)
        add_text(p, text.data, text.len);
    else if (!doubtful)
        add_text(p, "&", 1);
    kns_buf_fini(&text);
    return doubtful ? NULL : at + (used > 0 ? used : 1);
}

/* Reads html that is as simple as titles and summaries are. False: it is not. */
static bool read_simple(struct plain *p, const char *html)
{
    struct simple s = {.p = p};

    for (const char *at = html; *at != '\0';) {
        size_t plain = strcspn(at, "<&");
        add_text(p, at, plain);
        at += plain;
        if (*at == '\0')
            break;
        if (*at == '&') {
            at = read_simple_reference(p, at);
        } else if (isalpha((unsigned char)at[1]) || strchr("/!?", at[1]) != NULL) {
            at = at[1] == '\0' ? NULL : read_simple_tag(&s, at);
        } else {
            add_text(p, "<", 1);
            at++;
        }
        if (at == NULL)
            return false;
    }
    return true;
}

/* ---- by the tree ---------------------------------------------------------------------------------------------- */

/* Reads html by gumbo's tree. False: no memory. */
static bool read_tree(struct plain *p, const char *html)
{
    struct tree tree;

    if (!tree_open(&tree, html))
        return false;
    for (struct walk walk = walk_from(tree.output->root); walk.node != NULL; walk_next(&walk))
        add_node(p, &walk);
    tree_close(&tree);
    return true;
}

static const char *finish(struct kns_arena *arena, struct plain *p)
{
    const char *text = NULL;

    if (!kns_buf_failed(&p->buf))
        text = p->one_line ? kns_text_squeeze(arena, kns_buf_str(&p->buf))
                           : kns_arena_copy(arena, kns_buf_str(&p->buf), p->buf.len);
    kns_buf_fini(&p->buf);
    return text;
}

const char *kns_html_plain_by_tree(struct kns_arena *arena, const char *html, bool one_line)
{
    struct plain p = {.one_line = one_line};

    if (read_tree(&p, html))
        return finish(arena, &p);
    kns_buf_fini(&p.buf);
    return NULL;
}

const char *kns_html_plain(struct kns_arena *arena, const char *html, bool one_line)
{
    struct plain p = {.one_line = one_line};

    if (read_simple(&p, html))
        return finish(arena, &p);
    kns_buf_fini(&p.buf);
    return kns_html_plain_by_tree(arena, html, one_line);
}

const char *kns_html_to_text(struct kns_arena *arena, const char *html)
{
    return kns_html_plain(arena, html, false);
}

const char *kns_html_to_line(struct kns_arena *arena, const char *html)
{
    return kns_html_plain(arena, html, true);
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

/* What ends tags and comments, found once for a whole text: where there is none ahead nobody looks for it again. */
struct ends {
    const char *tag, *comment; /* NULL: none ahead of where it was asked for */
    bool no_tag, no_comment;
};

static bool is_ahead(const char *at, const char *what, const char **next, bool *none)
{
    if (!*none && (*next == NULL || *next < at)) {
        *next = strstr(at, what);
        *none = *next == NULL;
    }
    return !*none;
}

/* A tag of HTML's, or a comment, at '<'. */
static bool is_tag(const char *at, struct ends *ends)
{
    if (strncmp(at, "<!--", 4) == 0)
        return is_ahead(at, "-->", &ends->comment, &ends->no_comment);
    const char *name = at + 1 + (at[1] == '/');
    size_t len = 0;
    while (isalnum((unsigned char)name[len]))
        len++;
    if (!is_element(name, len) || name[len] == '\0' || strchr(" \t\r\n/>", name[len]) == NULL)
        return false;
    return is_ahead(name + len, ">", &ends->tag, &ends->no_tag);
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
    struct ends ends = {0};

    for (text += strcspn(text, "<&"); *text != '\0'; text += 1 + strcspn(text + 1, "<&"))
        if (*text == '<' ? is_tag(text, &ends) : is_reference(text))
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
