/* The tree flattened: one walk, a block for every element that begins a line, tokens for what is in it. */
#include "lib/newsletter/blocks.h"

#include "lib/buf.h"
#include "lib/html.h"
#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How deep inline markup is followed; what lies deeper keeps its text. */
#define MAX_OPEN 64

#define MAX_MARKER 24 /* bytes of a number, bullet or emoji before a link */

/* Inline elements that are written again, and as what. */
static const struct {
    GumboTag tag;
    const char *name;
} inline_elements[] = {
    {GUMBO_TAG_A, "a"},       {GUMBO_TAG_STRONG, "strong"}, {GUMBO_TAG_B, "strong"},
    {GUMBO_TAG_EM, "em"},     {GUMBO_TAG_I, "em"},          {GUMBO_TAG_CODE, "code"},
    {GUMBO_TAG_TT, "code"},   {GUMBO_TAG_KBD, "code"},      {GUMBO_TAG_SAMP, "code"},
    {GUMBO_TAG_DEL, "del"},   {GUMBO_TAG_S, "del"},         {GUMBO_TAG_STRIKE, "del"},
    {GUMBO_TAG_SUP, "sup"},   {GUMBO_TAG_SUB, "sub"},       {GUMBO_TAG_Q, "q"},
    {GUMBO_TAG_RUBY, "ruby"}, {GUMBO_TAG_RT, "rt"},         {GUMBO_TAG_RP, "rp"},
    {GUMBO_TAG_MARK, "mark"},
};

/* The walk's state. */
struct flattening {
    struct blocks *out;
    struct token open[MAX_OPEN]; /* inline elements around the current place */
    size_t open_count;
    size_t start;             /* the first token of the block being read */
    const GumboNode *current; /* the innermost block element */
};

bool text_is_blank(const char *text, size_t size)
{
    static const int32_t invisible[] = {0xa0,   0xad,   0x34f,  0x61c,  0x180e, 0x200b,
                                        0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029,
                                        0x202f, 0x205f, 0x2060, 0x3000, 0xfeff, 0xfe0f};

    while (size > 0) {
        int32_t c = 0;
        size_t step = kns_text_next(text, size, &c);
        bool blank = c <= ' ' || (c >= 0x2000 && c <= 0x200a);
        for (size_t i = 0; !blank && i < sizeof(invisible) / sizeof(invisible[0]); i++)
            blank = c == invisible[i];
        if (!blank)
            return false;
        text += step;
        size -= step;
    }
    return true;
}

/* ---- looks ---------------------------------------------------------------------------------------------------- */

/* The value of a CSS property in a style attribute, white space skipped; NULL: not set. */
static const char *style_of(const GumboNode *node, const char *property)
{
    const char *style = attribute_of(node, "style");
    size_t len = strlen(property);

    for (const char *at = style; at != NULL && *at != '\0'; at += *at == ';') {
        at += strspn(at, " \t\r\n;");
        const char *colon =
            at + len + strspn(at + (strncasecmp(at, property, len) == 0 ? len : 0), " \t\r\n");
        if (strncasecmp(at, property, len) == 0 && *colon == ':')
            return colon + 1 + strspn(colon + 1, " \t\r\n");
        at += strcspn(at, ";");
    }
    return NULL;
}

static bool is_word(const char *value, const char *word)
{
    return value != NULL && strncasecmp(value, word, strlen(word)) == 0;
}

static bool is_bold_element(const GumboNode *node)
{
    GumboTag tag = node->v.element.tag;
    const char *weight = style_of(node, "font-weight");

    return tag == GUMBO_TAG_B || tag == GUMBO_TAG_STRONG || tag == GUMBO_TAG_TH ||
           is_word(weight, "bold") || (weight != NULL && atoi(weight) >= 600);
}

static bool is_large_element(const GumboNode *node)
{
    const char *size = style_of(node, "font-size");
    double value = size == NULL ? 0 : strtod(size, NULL);
    const char *font = node->v.element.tag == GUMBO_TAG_FONT ? attribute_of(node, "size") : NULL;

    if (font != NULL && (atoi(font) >= 4 || *font == '+'))
        return true;
    if (size == NULL)
        return false;
    const char *unit = size + strspn(size, "0123456789.");
    return (is_word(unit, "px") && value >= 18) || (is_word(unit, "pt") && value >= 14) ||
           ((is_word(unit, "em") || is_word(unit, "rem")) && value >= 1.2);
}

/* True for "0", "0px", "0%", ".0em". */
static bool is_zero(const char *value)
{
    return value != NULL && (isdigit((unsigned char)*value) || *value == '.') &&
           strtod(value, NULL) == 0;
}

/* What is there but not shown: the preview text of mails, mostly. */
static bool is_invisible(const GumboNode *node)
{
    bool cut = is_word(style_of(node, "overflow"), "hidden");

    return attribute_of(node, "hidden") != NULL || is_word(style_of(node, "display"), "none") ||
           is_word(style_of(node, "visibility"), "hidden") || is_zero(style_of(node, "opacity")) ||
           is_zero(style_of(node, "max-height")) || (cut && is_zero(style_of(node, "height"))) ||
           is_word(style_of(node, "mso-hide"), "all") || is_hidden(node->v.element.tag);
}

/* Text of no size is not shown either; an element may give its content a size again, so the innermost one counts. */
static bool has_no_size(const GumboNode *text)
{
    for (const GumboNode *at = text->parent; at != NULL && at->type == GUMBO_NODE_ELEMENT;
         at = at->parent) {
        const char *size = style_of(at, "font-size");
        if (size != NULL)
            return is_zero(size);
    }
    return false;
}

/* Looks add up from the element outwards to the block. */
static void look_of(const GumboNode *node, struct token *token)
{
    for (const GumboNode *at = node->parent; at != NULL && at->type == GUMBO_NODE_ELEMENT;
         at = at->parent) {
        GumboTag tag = at->v.element.tag;
        token->bold = token->bold || is_bold_element(at);
        token->large = token->large || is_large_element(at);
        token->italic = token->italic || tag == GUMBO_TAG_EM || tag == GUMBO_TAG_I ||
                        is_word(style_of(at, "font-style"), "italic");
        if (tag == GUMBO_TAG_TABLE || tag == GUMBO_TAG_BODY || tag == GUMBO_TAG_DIV ||
            tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL)
            return;
    }
}

/* ---- tokens and blocks ---------------------------------------------------------------------------------------- */

static bool grow(void **array, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return true;
    size_t more = *cap == 0 ? 64 : *cap * 2;
    void *bigger = realloc(*array, more * size);
    if (bigger == NULL)
        return false;
    *array = bigger;
    *cap = more;
    return true;
}

static void add_token(struct blocks *out, struct token token)
{
    if (!grow((void **)&out->tokens, &out->token_cap, out->token_count, sizeof(token))) {
        out->failed = true;
        return;
    }
    out->tokens[out->token_count++] = token;
}

static void add_block(struct blocks *out, struct block block)
{
    bool repeated =
        block.type == BLOCK_GAP && out->count > 0 && out->blocks[out->count - 1].type == BLOCK_GAP;

    if (repeated)
        return;
    if (!grow((void **)&out->blocks, &out->cap, out->count, sizeof(block))) {
        out->failed = true;
        return;
    }
    out->blocks[out->count++] = block;
}

static bool is_list(GumboTag tag)
{
    return tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL || tag == GUMBO_TAG_MENU ||
           tag == GUMBO_TAG_DIR;
}

/* Where the block stands: list, quotation, table, heading. */
static void place_block(struct block *block)
{
    bool paragraph = false;

    for (const GumboNode *at = block->node; at != NULL && at->type == GUMBO_NODE_ELEMENT;
         at = at->parent) {
        GumboTag tag = at->v.element.tag;
        if (tag == GUMBO_TAG_LI && block->entry == NULL && block->list == NULL)
            block->entry = at;
        if (is_list(tag)) {
            if (block->list == NULL) {
                block->list = at;
                block->ordered = tag == GUMBO_TAG_OL;
            }
            block->list_depth++;
        }
        block->quoted = block->quoted || tag == GUMBO_TAG_BLOCKQUOTE;
        block->preformatted = block->preformatted || tag == GUMBO_TAG_PRE;
        block->term = block->term || tag == GUMBO_TAG_DT;
        block->caption = block->caption || tag == GUMBO_TAG_FIGCAPTION;
        block->cell = block->cell || tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH;
        /* A paragraph in a heading is one that somebody forgot to close. */
        paragraph = paragraph || tag == GUMBO_TAG_P;
        if (tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 && block->level == 0 && !paragraph)
            block->level = (int)(tag - GUMBO_TAG_H1) + 1;
    }
}

/* ---- bullets ----------------------------------------------------------------------------------------------------- */

/* A bullet, number or emoji that may stand before a title. */
static bool is_marker(int32_t c)
{
    if (c < 0x80)
        return c <= ' ' || (isdigit((int)c) != 0) || (c != '\0' && strchr(".)#-*>+:", c) != NULL);
    return c == 0xa0 || c == 0xb7 || c == 0x2022 || c == 0x2023 || c == 0x30fb || c == 0x3000 ||
           (c >= 0x2190 && c <= 0x2bff) || (c >= 0xfe00 && c <= 0xfe0f) || c >= 0x1f000;
}

/* "【1】", "[12]", "(3)", "（四）": a number in brackets, and nothing else but spaces. */
static bool is_bracketed_number(const char *text)
{
    static const char *const pairs[][2] = {{"【", "】"}, {"[", "]"}, {"(", ")"}, {"（", "）"}};

    text += strspn(text, " \t\r\n");
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t open = strlen(pairs[i][0]), close = strlen(pairs[i][1]);
        if (strncmp(text, pairs[i][0], open) != 0)
            continue;
        size_t digits = strspn(text + open, "0123456789");
        const char *after = text + open + digits;
        return digits > 0 && strncmp(after, pairs[i][1], close) == 0 &&
               text_is_blank(after + close, strlen(after + close));
    }
    return false;
}

bool text_is_marker(const char *text)
{
    size_t size = strlen(text);

    if (is_bracketed_number(text))
        return true;

    if (size > MAX_MARKER)
        return text_is_blank(text, size);
    while (*text != '\0') {
        int32_t c = 0;
        text += kns_text_next(text, strlen(text), &c);
        if (!is_marker(c))
            return false;
    }
    return true;
}

/* ---- lines that are paragraphs --------------------------------------------------------------------------------- */

/* What a line of a block is, told by its first visible text. */
struct line {
    bool text;
    bool linked; /* begins with a link, perhaps behind a bullet or number */
    bool bold;
};

static struct line line_at(const struct blocks *out, size_t from, size_t to)
{
    struct line line = {0};
    bool link = false;

    for (size_t i = from; i < to; i++) {
        const struct token *token = &out->tokens[i];
        if ((token->type == TOKEN_OPEN || token->type == TOKEN_CLOSE) && *token->name == 'a')
            link = token->type == TOKEN_OPEN && token->url != NULL;
        if (token->type != TOKEN_TEXT || text_is_blank(token->text, strlen(token->text)))
            continue;
        line.text = true;
        line.linked = link;
        line.bold = token->bold;
        if (link || !text_is_marker(token->text))
            break;
    }
    return line;
}

/* The token of the next line break at which no element is open, from..to; to: none. An open one that goes on makes *ret_torn true. */
static size_t next_break(const struct blocks *out, size_t from, size_t to, bool *ret_torn)
{
    int depth = 0;

    for (size_t i = from; i < to; i++) {
        const struct token *token = &out->tokens[i];
        depth += token->type == TOKEN_OPEN;
        depth -= token->type == TOKEN_CLOSE;
        if (token->type == TOKEN_BREAK && depth == 0)
            return i;
        *ret_torn = *ret_torn || token->type == TOKEN_BREAK;
    }
    return to;
}

/* The end of a line, or of a paragraph (lines up to an empty one). */
static size_t unit_end(const struct blocks *out, size_t from, size_t to, bool paragraphs,
                       bool *ret_torn)
{
    size_t end = next_break(out, from, to, ret_torn);

    while (paragraphs && end < to) {
        size_t next = next_break(out, end + 1, to, ret_torn);
        if (!line_at(out, end + 1, next).text)
            break;
        end = next;
    }
    return end;
}

/* True when a block of text is a list that somebody made with line breaks: each line but perhaps the first, or each paragraph,
 * begins with a link. */
static bool is_list_of_lines(const struct blocks *out, size_t from, size_t to, bool paragraphs)
{
    size_t linked = 0, plain = 0, bold = 0;
    bool torn = false;

    for (size_t at = from; at < to && !torn;) {
        size_t end = unit_end(out, at, to, paragraphs, &torn);
        struct line line = line_at(out, at, end);
        linked += line.text && line.linked;
        bold += line.text && line.linked && line.bold;
        plain += line.text && !line.linked && linked > 0;
        at = end + 1;
    }
    /* One title in bold and a text that begins with a link are no list. */
    return !torn && linked >= 2 && plain == 0 && (bold == 0 || bold == linked);
}

/* Adds a block of text as one, or as one for each of its lines. */
static void add_text(struct blocks *out, struct block block)
{
    bool splits = block.type == BLOCK_TEXT && !block.preformatted;
    bool lines = splits && is_list_of_lines(out, block.from, block.to, false);
    bool paragraphs = splits && !lines && is_list_of_lines(out, block.from, block.to, true);
    bool torn = false;

    if (!lines && !paragraphs) {
        add_block(out, block);
        return;
    }
    for (size_t at = block.from; at < block.to;) {
        struct block part = block;
        part.from = at;
        part.to = unit_end(out, at, block.to, paragraphs, &torn);
        if (line_at(out, part.from, part.to).text)
            add_block(out, part);
        at = part.to + 1;
    }
}

/* Ends the block being read. What had no text and no picture leaves nothing; open elements are opened again in the next. */
static void flush(struct flattening *f)
{
    struct blocks *out = f->out;
    bool text = false, image = false;

    for (size_t i = f->start; i < out->token_count; i++) {
        const struct token *token = &out->tokens[i];
        text =
            text || (token->type == TOKEN_TEXT && !text_is_blank(token->text, strlen(token->text)));
        image = image || token->type == TOKEN_IMAGE;
    }
    if (!text && !image) {
        out->token_count = f->start;
    } else {
        struct block block = {
            .type = text ? BLOCK_TEXT : BLOCK_IMAGE, .from = f->start, .node = f->current};
        for (size_t i = f->open_count; i > 0; i--)
            add_token(out, (struct token){.type = TOKEN_CLOSE, .name = f->open[i - 1].name});
        block.to = out->token_count;
        place_block(&block);
        if (text && block.level > 0)
            block.type = BLOCK_HEADING;
        add_text(out, block);
    }
    f->start = out->token_count;
    for (size_t i = 0; i < f->open_count; i++)
        add_token(out, f->open[i]);
}

static const char *inline_name(GumboTag tag)
{
    for (size_t i = 0; i < sizeof(inline_elements) / sizeof(inline_elements[0]); i++)
        if (inline_elements[i].tag == tag)
            return inline_elements[i].name;
    return NULL;
}

/* An address that a reader can follow, clean; NULL: none. */
static const char *address_of(struct flattening *f, const GumboNode *node, const char *attribute)
{
    const char *given = attribute_of(node, attribute);
    const char *url = given == NULL || *given == '\0' || *given == '#'
                          ? NULL
                          : kns_url_resolve(f->out->arena, f->out->base, given);

    if (url != NULL && strncasecmp(url, "mailto:", 7) == 0)
        return url;
    return url != NULL && kns_url_is_web(url) ? kns_url_clean(f->out->arena, url) : NULL;
}

static void open_inline(struct flattening *f, const GumboNode *node, const char *name)
{
    struct token token = {.type = TOKEN_OPEN, .name = name, .node = node};

    if (*name == 'a' && name[1] == '\0')
        token.url = address_of(f, node, "href");
    if (f->open_count == MAX_OPEN)
        return;
    f->open[f->open_count++] = token;
    add_token(f->out, token);
}

static void close_inline(struct flattening *f, const GumboNode *node, const char *name)
{
    if (f->open_count == 0 || f->open[f->open_count - 1].node != node)
        return;
    f->open_count--;
    add_token(f->out, (struct token){.type = TOKEN_CLOSE, .name = name});
}

static void take_image(struct flattening *f, const GumboNode *node)
{
    struct token token = {.type = TOKEN_IMAGE, .node = node};

    if (!is_content_image(node))
        return;
    token.url = address_of(f, node, "src");
    token.text = attribute_of(node, "alt");
    if (token.text != NULL)
        token.text = kns_arena_strdup(f->out->arena, token.text);
    if (token.url != NULL)
        add_token(f->out, token);
}

static void take_text(struct flattening *f, const GumboNode *node)
{
    struct token token = {.type = TOKEN_TEXT, .node = node};

    if (has_no_size(node))
        return;
    token.text = kns_arena_strdup(f->out->arena, node->v.text.text);
    look_of(node, &token);
    f->out->failed = f->out->failed || token.text == NULL;
    if (token.text != NULL)
        add_token(f->out, token);
}

/* The page of a video that is set in; NULL: it is something else. */
static const char *video_of(struct flattening *f, const GumboNode *node)
{
    static const struct {
        const char *player, *page;
    } players[] = {
        {"www.youtube.com/embed/", "https://www.youtube.com/watch?v="},
        {"www.youtube-nocookie.com/embed/", "https://www.youtube.com/watch?v="},
        {"player.vimeo.com/video/", "https://vimeo.com/"},
        {"embed.nicovideo.jp/watch/", "https://www.nicovideo.jp/watch/"},
        {"www.loom.com/embed/", "https://www.loom.com/share/"},
    };
    const char *url = address_of(f, node, attribute_of(node, "src") != NULL ? "src" : "data-src");

    const char *rest = url == NULL ? "" : strstr(url, "://") + 3;
    for (size_t i = 0; i < sizeof(players) / sizeof(players[0]); i++) {
        size_t len = strlen(players[i].player);
        size_t key = strncmp(rest, players[i].player, len) == 0 ? strcspn(rest + len, "/?#") : 0;
        if (key > 0)
            return kns_arena_printf(f->out->arena, "%s%.*s", players[i].page, (int)key, rest + len);
    }
    return NULL;
}

static void take_video(struct flattening *f, const GumboNode *node)
{
    const char *url = video_of(f, node);

    if (url == NULL)
        return;
    flush(f);
    struct block block = {
        .type = BLOCK_VIDEO, .from = f->start, .to = f->start, .node = f->current, .video = url};
    place_block(&block);
    add_block(f->out, block);
}

/* An element in which the walk found nothing: does it separate what stands around it? */
static bool separates(GumboTag tag)
{
    return tag == GUMBO_TAG_P || tag == GUMBO_TAG_DIV || tag == GUMBO_TAG_TD ||
           tag == GUMBO_TAG_TR || tag == GUMBO_TAG_TABLE;
}

static bool is_flat_block(const GumboNode *node)
{
    return is_block(node->v.element.tag) || is_word(style_of(node, "display"), "block");
}

/* A look at the block element's content before it is gone through: does it hold anything to read or see? */
static bool holds_nothing(const GumboNode *node)
{
    for (struct walk walk = walk_from(node); walk.node != NULL; walk_next(&walk)) {
        const GumboNode *at = walk.node;
        if (at->type == GUMBO_NODE_TEXT && !text_is_blank(at->v.text.text, strlen(at->v.text.text)))
            return false;
        if (at->type == GUMBO_NODE_ELEMENT && at != node) {
            if (at->v.element.tag == GUMBO_TAG_IFRAME)
                return false;
            walk.skip = !walk.leaving && is_invisible(at);
            if (!walk.skip && (at->v.element.tag == GUMBO_TAG_HR ||
                               (at->v.element.tag == GUMBO_TAG_IMG && is_content_image(at))))
                return false;
            /* A box with boxes in it is judged by them, or the look would take quadratic time. */
            if (separates(at->v.element.tag))
                return false;
        }
    }
    return true;
}

static void enter_block(struct flattening *f, const GumboNode *node)
{
    GumboTag tag = node->v.element.tag;

    /* A strong or span shown as a block is a line of its paragraph. */
    if (!is_block(tag)) {
        add_token(f->out, (struct token){.type = TOKEN_BREAK});
        return;
    }
    flush(f);
    f->current = node;
    if (tag == GUMBO_TAG_HR)
        add_block(f->out, (struct block){.type = BLOCK_RULE, .node = node});
    else if (separates(tag) && holds_nothing(node))
        add_block(f->out, (struct block){.type = BLOCK_GAP, .node = node});
}

static void leave_block(struct flattening *f, const GumboNode *node)
{
    if (!is_block(node->v.element.tag)) {
        add_token(f->out, (struct token){.type = TOKEN_BREAK});
        return;
    }
    flush(f);
    f->current = node->parent;
}

static void enter(struct flattening *f, struct walk *walk)
{
    const GumboNode *node = walk->node;
    GumboTag tag = node->v.element.tag;
    const char *name = inline_name(tag);

    if (tag == GUMBO_TAG_IFRAME)
        take_video(f, node);
    if (is_invisible(node) && tag != GUMBO_TAG_BODY && tag != GUMBO_TAG_HTML) {
        walk->skip = true;
        return;
    }
    if (tag == GUMBO_TAG_BR)
        add_token(f->out, (struct token){.type = TOKEN_BREAK});
    else if (tag == GUMBO_TAG_IMG)
        take_image(f, node);
    else if (is_flat_block(node))
        enter_block(f, node);
    if (name != NULL)
        open_inline(f, node, name);
}

static void leave(struct flattening *f, const GumboNode *node)
{
    GumboTag tag = node->v.element.tag;
    const char *name = inline_name(tag);

    if (name != NULL)
        close_inline(f, node, name);
    if (tag != GUMBO_TAG_BR && tag != GUMBO_TAG_IMG && !is_invisible(node) && is_flat_block(node))
        leave_block(f, node);
}

bool blocks_init(struct blocks *blocks, struct kns_arena *arena, const GumboNode *root,
                 const char *base)
{
    struct flattening f = {.out = blocks, .current = root};

    *blocks = (struct blocks){.arena = arena, .base = base};
    for (struct walk walk = walk_from(root); walk.node != NULL && !blocks->failed;
         walk_next(&walk)) {
        const GumboNode *node = walk.node;
        bool text = node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
                    node->type == GUMBO_NODE_CDATA;
        if (text)
            take_text(&f, node);
        else if (node->type == GUMBO_NODE_ELEMENT && walk.leaving)
            leave(&f, node);
        else if (node->type == GUMBO_NODE_ELEMENT)
            enter(&f, &walk);
    }
    flush(&f);
    return !blocks->failed;
}

void blocks_fini(struct blocks *blocks)
{
    free(blocks->tokens);
    free(blocks->blocks);
    *blocks = (struct blocks){0};
}

/* ---- what is in them ------------------------------------------------------------------------------------------ */

const char *blocks_text(const struct blocks *blocks, struct place from, size_t to)
{
    struct kns_buf text = {0};

    for (size_t i = from.token; i < to; i++) {
        const struct token *token = &blocks->tokens[i];
        if (token->type == TOKEN_TEXT)
            kns_buf_adds(&text, token->text + (i == from.token ? from.offset : 0));
        else if (token->type == TOKEN_BREAK)
            kns_buf_addc(&text, ' ');
    }
    const char *line =
        kns_buf_failed(&text) ? NULL : kns_text_squeeze(blocks->arena, kns_buf_str(&text));
    kns_buf_fini(&text);
    return line;
}

bool blocks_is_blank(const struct blocks *blocks, struct place from, size_t to)
{
    for (size_t i = from.token; i < to; i++) {
        const struct token *token = &blocks->tokens[i];
        const char *text =
            token->type == TOKEN_TEXT ? token->text + (i == from.token ? from.offset : 0) : "";
        if (!text_is_blank(text, strlen(text)))
            return false;
    }
    return true;
}

static bool is_link(const struct token *token)
{
    return token->name[0] == 'a' && token->name[1] == '\0';
}

static void add_escaped(struct kns_buf *out, const char *text)
{
    static const char *const entities[256] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;"};

    for (; *text != '\0'; text++) {
        const char *entity = entities[(unsigned char)*text];
        if (entity != NULL)
            kns_buf_adds(out, entity);
        else
            kns_buf_addc(out, *text);
    }
}

static void add_open(struct kns_buf *out, const struct token *token)
{
    if (!is_link(token)) {
        kns_buf_addf(out, "<%s>", token->name);
    } else if (token->url != NULL) {
        kns_buf_adds(out, "<a href=\"");
        add_escaped(out, token->url);
        kns_buf_adds(out, "\">");
    }
}

static void add_image(struct kns_buf *out, const struct token *token)
{
    kns_buf_adds(out, "<img src=\"");
    add_escaped(out, token->url);
    kns_buf_adds(out, "\" alt=\"");
    add_escaped(out, token->text == NULL ? "" : token->text);
    kns_buf_adds(out, "\">");
}

/* Without the line breaks and spaces at both ends. */
static const char *trimmed(struct kns_arena *arena, const char *html, size_t len)
{
    for (bool again = true; again;) {
        again = false;
        while (len > 0 && isspace((unsigned char)*html)) {
            html++;
            len--;
        }
        while (len > 0 && isspace((unsigned char)html[len - 1]))
            len--;
        if (len >= 4 && memcmp(html, "<br>", 4) == 0) {
            html += 4;
            len -= 4;
            again = true;
        }
        if (len >= 4 && memcmp(html + len - 4, "<br>", 4) == 0) {
            len -= 4;
            again = true;
        }
    }
    return kns_arena_copy(arena, html, len);
}

struct writing {
    struct kns_buf out;
    const struct token *open[MAX_OPEN];
    size_t count;
};

static void close_one(struct writing *w)
{
    const struct token *token = w->open[--w->count];

    if (!is_link(token) || token->url != NULL)
        kns_buf_addf(&w->out, "</%s>", token->name);
}

static void write_token(struct writing *w, const struct token *token, size_t offset)
{
    switch (token->type) {
    case TOKEN_TEXT:
        add_escaped(&w->out, token->text + offset);
        break;
    case TOKEN_OPEN:
        w->open[w->count++] = token;
        add_open(&w->out, token);
        break;
    case TOKEN_CLOSE:
        close_one(w);
        break;
    case TOKEN_BREAK:
        kns_buf_adds(&w->out, "<br>");
        break;
    case TOKEN_IMAGE:
        add_image(&w->out, token);
        break;
    }
}

const char *blocks_inline_html(const struct blocks *blocks, size_t start, struct place from,
                               size_t to)
{
    struct writing w = {0};

    /* What was opened before the place and goes on in it is opened again. */
    for (size_t i = start; i < from.token; i++) {
        if (blocks->tokens[i].type == TOKEN_OPEN)
            w.open[w.count++] = &blocks->tokens[i];
        else if (blocks->tokens[i].type == TOKEN_CLOSE)
            w.count--;
    }
    for (size_t i = 0; i < w.count; i++)
        add_open(&w.out, w.open[i]);
    for (size_t i = from.token; i < to; i++)
        write_token(&w, &blocks->tokens[i], i == from.token ? from.offset : 0);
    while (w.count > 0)
        close_one(&w);
    const char *html =
        kns_buf_failed(&w.out) ? NULL : trimmed(blocks->arena, kns_buf_str(&w.out), w.out.len);
    kns_buf_fini(&w.out);
    return html;
}

/* ---- the tree behind ------------------------------------------------------------------------------------------ */

bool node_contains(const GumboNode *a, const GumboNode *b)
{
    while (b != NULL && b != a)
        b = b->parent;
    return b != NULL;
}

int node_depth(const GumboNode *node)
{
    int depth = 0;

    for (; node != NULL; node = node->parent)
        depth++;
    return depth;
}

const GumboNode *node_common(const GumboNode *a, const GumboNode *b)
{
    int depth_a = node_depth(a), depth_b = node_depth(b);

    for (; depth_a > depth_b; depth_a--)
        a = a->parent;
    for (; depth_b > depth_a; depth_b--)
        b = b->parent;
    while (a != b) {
        a = a->parent;
        b = b->parent;
    }
    return a;
}
