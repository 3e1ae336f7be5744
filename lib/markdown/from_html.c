/* HTML as CommonMark or as plain text. One pass over the sanitiser's tokens: inline content gathers in `line`; where a block
 * begins or ends, the line is written with the prefix of the quotations and lists around it. */
#include "lib/markdown.h"

#include "lib/html.h"
#include "lib/markdown/markup.h"
#include "lib/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Deeper lists and quotations keep the prefix of the last level. */
#define MAX_LEVELS 16

enum element {
    E_INLINE,
    E_BLOCK,
    E_HEADING,
    E_UL,
    E_OL,
    E_LI,
    E_QUOTE,
    E_PRE,
    E_CODE,
    E_STRONG,
    E_EM,
    E_LINK,
    E_IMAGE,
    E_BREAK,
    E_RULE,
    E_CELL,
    E_DROPPED,
};

static const struct {
    const char *name;
    enum element element;
} elements[] = {
    {"p", E_BLOCK},       {"div", E_BLOCK},
    {"section", E_BLOCK}, {"article", E_BLOCK},
    {"header", E_BLOCK},  {"footer", E_BLOCK},
    {"figure", E_BLOCK},  {"figcaption", E_BLOCK},
    {"table", E_BLOCK},   {"tr", E_BLOCK},
    {"caption", E_BLOCK}, {"dl", E_BLOCK},
    {"dt", E_BLOCK},      {"dd", E_BLOCK},
    {"details", E_BLOCK}, {"summary", E_BLOCK},
    {"aside", E_BLOCK},   {"main", E_BLOCK},
    {"nav", E_BLOCK},     {"address", E_BLOCK},
    {"h1", E_HEADING},    {"h2", E_HEADING},
    {"h3", E_HEADING},    {"h4", E_HEADING},
    {"h5", E_HEADING},    {"h6", E_HEADING},
    {"ul", E_UL},         {"ol", E_OL},
    {"li", E_LI},         {"blockquote", E_QUOTE},
    {"pre", E_PRE},       {"code", E_CODE},
    {"kbd", E_CODE},      {"samp", E_CODE},
    {"tt", E_CODE},       {"strong", E_STRONG},
    {"b", E_STRONG},      {"em", E_EM},
    {"i", E_EM},          {"a", E_LINK},
    {"img", E_IMAGE},     {"br", E_BREAK},
    {"hr", E_RULE},       {"td", E_CELL},
    {"th", E_CELL},       {"rp", E_DROPPED},
};

struct level {
    enum element element; /* E_UL, E_OL, E_LI or E_QUOTE */
    unsigned count;       /* of a list's items so far */
    size_t prefix_len;    /* of the prefix outside of it */
};

/* The emphasis that was closed last: CommonMark forgets its marks when a letter follows punctuation inside. */
struct emphasis {
    size_t opened_at, closed_at; /* in line: where the marks stand */
    bool open, ends_in_punctuation;
    size_t marks;
};

struct writer {
    struct markup markup;
    bool plain;
    struct kns_buf out, line, prefix;
    const char *marker; /* of the list item whose first line is not written yet; NULL */
    char marker_text[16];
    struct level levels[MAX_LEVELS];
    size_t n_levels, n_ignored;
    int heading; /* 1-6 inside of a heading */
    bool pre, code, dropped;
    bool space; /* white space waits for the next character */
    bool tight; /* no empty line before the next block */
    const char *href;
    size_t link_at; /* in line: where the link's text begins */
    struct emphasis emphasis;
};

static enum element find_element(const char *name)
{
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
        if (strcmp(elements[i].name, name) == 0)
            return elements[i].element;
    return E_INLINE;
}

/* ---- blocks -------------------------------------------------------------------------------------- */

static void add_prefix(struct writer *w)
{
    size_t len = w->prefix.len;

    if (w->marker == NULL) {
        kns_buf_add(&w->out, kns_buf_str(&w->prefix), len);
        return;
    }
    size_t marker_len = strlen(w->marker);
    kns_buf_add(&w->out, kns_buf_str(&w->prefix), len >= marker_len ? len - marker_len : 0);
    kns_buf_adds(&w->out, w->marker);
    w->marker = NULL;
}

/* The empty line between two blocks, inside of the quotation they share. */
static void separate(struct writer *w)
{
    if (w->out.len == 0)
        return;
    if (!w->tight) {
        size_t start = w->out.len;
        const char *marker = w->marker;
        w->marker = NULL;
        add_prefix(w);
        w->marker = marker;
        while (w->out.len > start && w->out.data[w->out.len - 1] == ' ')
            w->out.len--;
        kns_buf_addc(&w->out, '\n');
    }
}

static void write_block(struct writer *w, const char *text, size_t len)
{
    separate(w);
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end != NULL ? (size_t)(end - (text + at)) : len - at;
        add_prefix(w);
        kns_buf_add(&w->out, text + at, line);
        kns_buf_addc(&w->out, '\n');
        at += line + 1;
    }
    w->tight = false;
}

static void add_heading(struct writer *w)
{
    struct kns_buf text = {0};

    if (!w->plain)
        for (int i = 0; i < w->heading; i++)
            kns_buf_addc(&text, '#');
    if (!w->plain)
        kns_buf_addc(&text, ' ');
    kns_buf_add(&text, kns_buf_str(&w->line), w->line.len);
    write_block(w, kns_buf_str(&text), text.len);
    w->out.failed |= text.failed;
    kns_buf_fini(&text);
}

/* Ends the block that is being gathered. */
static void flush(struct writer *w)
{
    while (w->line.len > 0 && w->line.data[w->line.len - 1] == '\n')
        w->line.len -= w->line.len > 1 && w->line.data[w->line.len - 2] == '\\' ? 2 : 1;
    if (w->line.len > 0 && w->heading > 0)
        add_heading(w);
    else if (w->line.len > 0)
        write_block(w, w->line.data, w->line.len);
    w->out.failed |= w->line.failed;
    kns_buf_reset(&w->line);
    w->space = false;
    w->emphasis = (struct emphasis){0};
    w->link_at = 0;
}

static void push_level(struct writer *w, enum element element)
{
    if (w->n_levels == MAX_LEVELS) {
        w->n_ignored++;
        return;
    }
    w->levels[w->n_levels++] = (struct level){element, 0, w->prefix.len};
    if (element == E_QUOTE)
        kns_buf_adds(&w->prefix, "> ");
}

static void pop_level(struct writer *w, enum element element)
{
    if (w->n_ignored > 0) {
        w->n_ignored--;
        return;
    }
    if (w->n_levels == 0 || w->levels[w->n_levels - 1].element != element)
        return;
    w->n_levels--;
    w->prefix.len = w->levels[w->n_levels].prefix_len;
    w->marker = NULL;
}

/* The list's marker, and as many spaces of prefix for what follows in the item. */
static void begin_item(struct writer *w)
{
    struct level *list = w->n_levels > 0 ? &w->levels[w->n_levels - 1] : NULL;
    bool ordered = list != NULL && list->element == E_OL;
    unsigned number = list != NULL ? ++list->count : 1;

    push_level(w, E_LI);
    if (w->n_ignored > 0)
        return;
    if (ordered)
        snprintf(w->marker_text, sizeof(w->marker_text), "%u. ", number);
    else
        strcpy(w->marker_text, "- ");
    for (size_t i = 0; i < strlen(w->marker_text); i++)
        kns_buf_addc(&w->prefix, ' ');
    w->marker = w->marker_text;
    w->tight = number > 1 || w->out.len == 0;
}

/* ---- inline content ------------------------------------------------------------------------------ */

static bool is_punctuation(int32_t c)
{
    if (c < 0x80)
        return c > ' ' && !(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    return (c >= 0x2010 && c <= 0x205E) || (c >= 0x3001 && c <= 0x3003) ||
           (c >= 0x3008 && c <= 0x301F) || c == 0x30FB || (c >= 0xFF01 && c <= 0xFF0F) ||
           (c >= 0xFF1A && c <= 0xFF20) || (c >= 0xFF3B && c <= 0xFF40) ||
           (c >= 0xFF5B && c <= 0xFF65) || c == 0xA1 || c == 0xAB || c == 0xB7 || c == 0xBB;
}

static int32_t last_character(const char *text, size_t len)
{
    int32_t c = 0;
    size_t at = len;

    while (at > 0 && ((unsigned char)text[--at] & 0xC0) == 0x80)
        ;
    if (len > 0)
        kns_text_next(text + at, len - at, &c);
    return c;
}

static void remove_marks(struct writer *w, size_t at, size_t marks)
{
    memmove(w->line.data + at, w->line.data + at + marks, w->line.len - at - marks + 1);
    w->line.len -= marks;
}

/* What follows a closed emphasis is a letter: after punctuation the marks would show (CommonMark 6.2). */
static void check_emphasis(struct writer *w, const char *next)
{
    struct emphasis *e = &w->emphasis;
    int32_t c = 0;

    if (e->ends_in_punctuation && e->closed_at > 0) {
        kns_text_next(next, strlen(next), &c);
        if (c != ' ' && !is_punctuation(c)) {
            remove_marks(w, e->closed_at, e->marks);
            remove_marks(w, e->opened_at, e->marks);
        }
    }
    if (e->closed_at > 0)
        *e = (struct emphasis){0};
}

static void before_inline(struct writer *w, const char *next)
{
    if (w->space && w->line.len > 0) {
        check_emphasis(w, " ");
        kns_buf_addc(&w->line, ' ');
    } else {
        check_emphasis(w, next);
    }
    w->space = false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void add_words(struct writer *w, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, " \t\r\n");
        if (len > 0) {
            const char *word = kns_arena_copy(w->markup.arena, text, len);
            if (word == NULL) {
                w->out.failed = true;
                return;
            }
            before_inline(w, word);
            if (w->plain || w->code)
                kns_buf_adds(&w->line, word);
            else
                kns_markdown_add_text(&w->line, word,
                                      w->line.len == 0 || w->line.data[w->line.len - 1] == '\n');
            text += len;
        }
        if (is_blank(*text)) {
            w->space = w->line.len > 0 && w->line.data[w->line.len - 1] != '\n';
            text += strspn(text, " \t\r\n");
        }
    }
}

static void add_break(struct writer *w)
{
    if (w->line.len == 0)
        return;
    kns_buf_adds(&w->line, w->plain || w->heading > 0 ? (w->heading > 0 ? " " : "\n") : "\\\n");
    w->space = false;
}

static void open_emphasis(struct writer *w, size_t marks)
{
    if (w->plain || w->code || w->emphasis.open)
        return;
    before_inline(w, "");
    w->emphasis = (struct emphasis){.opened_at = w->line.len, .open = true, .marks = marks};
    kns_buf_add(&w->line, "**", marks);
}

static void close_emphasis(struct writer *w, size_t marks)
{
    struct emphasis *e = &w->emphasis;

    if (!e->open || e->marks != marks || w->line.failed)
        return;
    const char *inside = w->line.data + e->opened_at + marks;
    size_t len = w->line.len - e->opened_at - marks;
    int32_t first = 0;
    int32_t before = last_character(w->line.data, e->opened_at);
    if (len > 0)
        kns_text_next(inside, len, &first);
    bool opens = len > 0 && first != ' ' &&
                 (!is_punctuation(first) || before == 0 || before == ' ' || before == '\n' ||
                  is_punctuation(before));
    if (!opens) {
        remove_marks(w, e->opened_at, marks);
        *e = (struct emphasis){0};
        return;
    }
    e->open = false;
    e->ends_in_punctuation = is_punctuation(last_character(inside, len));
    e->closed_at = w->line.len;
    kns_buf_add(&w->line, "**", marks);
}

static void open_link(struct writer *w, const struct markup_token *token)
{
    before_inline(w, "[");
    w->href = markup_attribute(&w->markup, token, "href");
    w->link_at = w->line.len;
}

static void close_link(struct writer *w)
{
    const char *href = w->href;

    w->href = NULL;
    if (href == NULL || w->line.failed || w->line.len <= w->link_at)
        return;
    const char *text =
        kns_arena_copy(w->markup.arena, w->line.data + w->link_at, w->line.len - w->link_at);
    if (text == NULL || strcmp(text, href) == 0)
        return;
    if (w->plain) {
        kns_buf_addf(&w->line, " <%s>", href);
        return;
    }
    /* The text is Markdown already: only the brackets are put around it. */
    w->line.len = w->link_at;
    kns_buf_addc(&w->line, '[');
    kns_buf_adds(&w->line, text);
    size_t keep = w->line.len;
    kns_markdown_add_link(&w->line, "", href);
    if (w->line.failed)
        return;
    if (w->line.len == keep) /* no scheme that is linked: the text alone */
        remove_marks(w, w->link_at, 1);
    else
        remove_marks(w, keep, 1);
}

static void add_image(struct writer *w, const struct markup_token *token)
{
    const char *src = markup_attribute(&w->markup, token, "src");
    const char *alt = markup_attribute(&w->markup, token, "alt");

    if (src == NULL)
        return;
    before_inline(w, "!");
    if (w->plain)
        kns_buf_adds(&w->line, alt);
    else
        kns_markdown_add_image(&w->line, alt != NULL ? alt : "", src);
}

/* Code between marks longer than any run of them inside. */
static void add_code(struct writer *w, const char *text)
{
    size_t longest = 0;

    for (const char *c = text; *c != '\0'; c++) {
        size_t run = strspn(c, "`");
        longest = run > longest ? run : longest;
        c += run > 0 ? run - 1 : 0;
    }
    before_inline(w, "`");
    for (size_t i = 0; i <= longest; i++)
        kns_buf_addc(&w->line, '`');
    bool pad = *text == '`' || (*text != '\0' && text[strlen(text) - 1] == '`');
    kns_buf_adds(&w->line, pad ? " " : "");
    kns_buf_adds(&w->line, kns_text_squeeze(w->markup.arena, text));
    kns_buf_adds(&w->line, pad ? " " : "");
    for (size_t i = 0; i <= longest; i++)
        kns_buf_addc(&w->line, '`');
}

static void add_text(struct writer *w, const char *text)
{
    if (w->dropped)
        return;
    if (w->pre)
        kns_buf_adds(&w->line, text);
    else if (w->code && !w->plain && text[strspn(text, " \t\r\n")] != '\0')
        add_code(w, text);
    else
        add_words(w, text);
}

/* A fenced block, its fence longer than any in it; indented by four in plain text. */
static void close_pre(struct writer *w)
{
    struct kns_buf text = {0};
    const char *code = kns_buf_str(&w->line);
    size_t fence = 3;

    for (const char *c = strchr(code, '`'); c != NULL; c = strchr(c, '`')) {
        size_t run = strspn(c, "`");
        fence = run >= fence ? run + 1 : fence;
        c += run;
    }
    w->pre = false;
    while (w->line.len > 0 && is_blank(w->line.data[w->line.len - 1]))
        w->line.data[--w->line.len] = '\0';
    if (w->line.len > 0) {
        for (size_t i = 0; !w->plain && i < fence; i++)
            kns_buf_addc(&text, '`');
        kns_buf_adds(&text, w->plain ? "" : "\n");
        kns_buf_adds(&text, code + strspn(code, "\r\n"));
        kns_buf_adds(&text, w->plain ? "" : "\n");
        for (size_t i = 0; !w->plain && i < fence; i++)
            kns_buf_addc(&text, '`');
        write_block(w, kns_buf_str(&text), text.len);
    }
    w->out.failed |= text.failed;
    kns_buf_fini(&text);
    kns_buf_reset(&w->line);
}

/* ---- the walk ------------------------------------------------------------------------------------ */

static void open_element(struct writer *w, enum element element, const struct markup_token *token)
{
    if (w->pre && element != E_BREAK)
        return;
    switch (element) {
    case E_INLINE:
        break;
    case E_BLOCK:
        flush(w);
        break;
    case E_HEADING:
        flush(w);
        w->heading = token->text[1] - '0';
        break;
    case E_UL:
    case E_OL:
        flush(w);
        w->tight = w->n_levels > 0 && w->levels[w->n_levels - 1].element == E_LI;
        push_level(w, element);
        break;
    case E_QUOTE:
        flush(w);
        if (w->n_levels < MAX_LEVELS)
            separate(w);
        w->tight = true;
        push_level(w, element);
        break;
    case E_LI: {
        flush(w);
        bool tight = w->tight;
        begin_item(w);
        w->tight |= tight;
        break;
    }
    case E_PRE:
        flush(w);
        w->pre = true;
        break;
    case E_CODE:
        w->code = true;
        break;
    case E_STRONG:
        open_emphasis(w, 2);
        break;
    case E_EM:
        open_emphasis(w, 1);
        break;
    case E_LINK:
        open_link(w, token);
        break;
    case E_IMAGE:
        add_image(w, token);
        break;
    case E_BREAK:
        w->pre ? kns_buf_addc(&w->line, '\n') : add_break(w);
        break;
    case E_RULE:
        flush(w);
        write_block(w, "---", 3);
        break;
    case E_CELL:
        w->space = w->line.len > 0;
        break;
    case E_DROPPED:
        w->dropped = true;
        break;
    }
}

static void close_element(struct writer *w, enum element element)
{
    if (w->pre && element != E_PRE)
        return;
    switch (element) {
    case E_BLOCK:
        flush(w);
        break;
    case E_HEADING:
        flush(w);
        w->heading = 0;
        break;
    case E_UL:
    case E_OL:
    case E_LI:
    case E_QUOTE:
        flush(w);
        pop_level(w, element);
        w->tight = element == E_LI;
        break;
    case E_PRE:
        close_pre(w);
        break;
    case E_CODE:
        w->code = false;
        break;
    case E_STRONG:
        close_emphasis(w, 2);
        break;
    case E_EM:
        close_emphasis(w, 1);
        break;
    case E_LINK:
        close_link(w);
        break;
    case E_DROPPED:
        w->dropped = false;
        break;
    default:
        break;
    }
}

static bool walk(struct writer *w)
{
    struct markup_token token;

    for (;;) {
        if (!markup_next(&w->markup, &token))
            return false;
        if (token.kind == MARKUP_END)
            break;
        if (token.kind == MARKUP_TEXT)
            add_text(w, token.text);
        else if (token.kind == MARKUP_OPEN)
            open_element(w, find_element(token.text), &token);
        else
            close_element(w, find_element(token.text));
    }
    flush(w);
    return !w->out.failed && !w->line.failed && !w->prefix.failed;
}

static const char *convert(struct kns_arena *arena, const char *html, const char *base, bool plain)
{
    struct writer w = {.plain = plain};
    const char *result = NULL;

    w.markup.arena = arena;
    w.markup.at = kns_html_sanitize(arena, html, base);
    if (w.markup.at == NULL)
        return NULL;
    if (walk(&w)) {
        while (w.out.len > 0 && w.out.data[w.out.len - 1] == '\n')
            w.out.len--;
        result = kns_arena_copy(arena, kns_buf_str(&w.out), w.out.len);
    }
    kns_buf_fini(&w.out);
    kns_buf_fini(&w.line);
    kns_buf_fini(&w.prefix);
    return result;
}

const char *kns_markdown_from_html(struct kns_arena *arena, const char *html, const char *base)
{
    return convert(arena, html, base, false);
}

const char *kns_markdown_plain_from_html(struct kns_arena *arena, const char *html,
                                         const char *base)
{
    return convert(arena, html, base, true);
}
