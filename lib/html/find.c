/* What a page or an entry's HTML points to: pictures, links with the sentence they stand in, feeds, what a page says of itself. */
#include "lib/html.h"

#include "lib/buf.h"
#include "lib/html/tags.h"
#include "lib/html/tree.h"
#include "lib/text.h"
#include "lib/text/entities.h"
#include "lib/url.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Pictures that are no content: smileys, buttons, icons. */
static bool is_decoration(const struct picture *p)
{
    static const char *const marks[] = {
        "emoji", "smiley", "smilies",   "/icon",      "avatar", "gravatar.com",
        "badge", "spacer", "blank.gif", "feedburner", "/share", "s.w.org/images/core",
        NULL};

    if (tag_holds_mark(p->src, marks) || tag_holds_mark(p->class, marks))
        return true;
    return p->width != NULL && isdigit((unsigned char)*p->width) && atoi(p->width) < 32 &&
           strchr(p->width, '%') == NULL;
}

static bool is_content(const struct picture *p)
{
    return p->src != NULL && *p->src != '\0' && strncasecmp(p->src, "data:", 5) != 0 &&
           !is_tracking_picture(p) && !is_decoration(p);
}

bool is_content_image(const GumboNode *image)
{
    const struct picture p = {.src = attribute_of(image, "src"),
                              .class = attribute_of(image, "class"),
                              .width = attribute_of(image, "width"),
                              .height = attribute_of(image, "height")};

    return is_content(&p);
}

/* An attribute's value with its references decoded; NULL: no memory. */
static const char *decoded(struct kns_arena *arena, const struct tag_attribute *a)
{
    struct kns_buf out = {0};

    if (memchr(a->value, '&', a->value_len) == NULL)
        return kns_arena_copy(arena, a->value, a->value_len);
    for (size_t i = 0; i < a->value_len;) {
        size_t used =
            a->value[i] == '&' ? kns_entity_decode(a->value + i, a->value_len - i, &out) : 0;
        if (used == 0)
            kns_buf_addc(&out, a->value[i]);
        i += used == 0 ? 1 : used;
    }
    const char *text = kns_buf_failed(&out) ? NULL : kns_arena_copy(arena, out.data, out.len);
    kns_buf_fini(&out);
    return text;
}

/* What an <img> says, *at behind its name; *at is left at the tag's end. */
static struct picture read_picture(struct kns_arena *arena, const char **at)
{
    struct picture p = {0};
    const struct {
        const char *name;
        const char **value;
    } rows[] = {{"src", &p.src}, {"class", &p.class}, {"width", &p.width}, {"height", &p.height}};
    struct tag_attribute a;

    while (tag_next_attribute(at, &a))
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            if (*rows[i].value == NULL && a.value != NULL && a.name_len == strlen(rows[i].name) &&
                strncasecmp(a.name, rows[i].name, a.name_len) == 0)
                *rows[i].value = decoded(arena, &a);
    return p;
}

/* Behind the end tag of an element in which markup is text; the end of the text when there is none. */
static const char *skip_raw_text(const char *at, const char *name, size_t len)
{
    for (at = strstr(at, "</"); at != NULL; at = strstr(at + 2, "</"))
        if (strncasecmp(at + 2, name, len) == 0 && !isalnum((unsigned char)at[2 + len]))
            return at + 2 + len;
    return NULL;
}

const char *kns_html_first_image(struct kns_arena *arena, const char *html, const char *base)
{
    static const char raw[] = " script style textarea title iframe xmp noembed noframes ";

    for (const char *at = strchr(html, '<'); at != NULL; at = strchr(at, '<')) {
        at++;
        if (*at == '!' && strncmp(at, "!--", 3) == 0) {
            at = strstr(at + 3, "-->");
            if (at == NULL)
                return NULL;
            continue;
        }
        const char *name = at;
        size_t len = tag_name_length(name);
        at += len;
        if (len != 3 || strncasecmp(name, "img", 3) != 0) {
            if (len > 2 && strchr("stixnSTIXN", *name) != NULL && tag_is_among(raw, name, len))
                at = skip_raw_text(at, name, len);
            if (at == NULL)
                return NULL;
            continue;
        }
        struct picture p = read_picture(arena, &at);
        if (*at == '>' && is_content(&p))
            return kns_url_resolve(arena, base, p.src);
    }
    return NULL;
}

/* ---- links with their sentences ------------------------------------------------------------------------------- */

struct span {
    size_t from, to;
};

/* The text of the block being read, and the links in it whose sentence is not yet cut out. */
struct block {
    struct kns_buf text;
    struct kns_html_link *first; /* of the pending ones, in the list already */
    struct span *spans;          /* where each pending link's text stands in text */
    size_t count, cap;
};

static bool ends_sentence(const char *at, size_t left)
{
    if (strchr(".!?", *at) != NULL)
        return left > 1 && isspace((unsigned char)at[1]);
    return left >= 3 &&
           (memcmp(at, "。", 3) == 0 || memcmp(at, "！", 3) == 0 || memcmp(at, "？", 3) == 0);
}

/* True behind an opening bracket that has not been closed: what ends there is no sentence of the text's own. */
static bool in_brackets(const char *at, const char *end)
{
    static const char *const opening[] = {"「", "『", "（", "(", "【"};
    static const char *const closing[] = {"」", "』", "）", ")", "】"};

    for (; at < end; at++)
        for (size_t i = 0; i < sizeof(opening) / sizeof(opening[0]); i++) {
            if (strncmp(at, closing[i], strlen(closing[i])) == 0)
                return true;
            if (strncmp(at, opening[i], strlen(opening[i])) == 0)
                return false;
        }
    return false;
}

/* Long blocks are searched this far for a bracket. */
#define MAX_BRACKET 600

static const char *sentence_around(struct kns_arena *arena, const struct kns_buf *text,
                                   struct span link)
{
    const char *start = kns_buf_str(text);
    size_t from = 0, to = text->len;

    for (size_t i = 0; i < text->len; i++) {
        const char *at = text->data + i;
        if (!ends_sentence(at, text->len - i))
            continue;
        size_t end = i + ((unsigned char)*at < 0x80 ? 1 : 3);
        size_t left = text->len - end;
        if ((end > link.from && end < link.to) ||
            in_brackets(text->data + end,
                        text->data + end + (left < MAX_BRACKET ? left : MAX_BRACKET)))
            continue;
        if (end <= link.from) {
            from = end;
        } else {
            to = end;
            break;
        }
    }
    char *copy = kns_arena_copy(arena, start + from, to - from);
    return copy == NULL ? NULL : kns_text_squeeze(arena, copy);
}

static bool end_block(struct kns_arena *arena, struct block *block)
{
    struct kns_html_link *link = block->first;

    for (size_t i = 0; i < block->count; i++, link = link->next) {
        link->context = sentence_around(arena, &block->text, block->spans[i]);
        if (link->context == NULL)
            return false;
    }
    block->count = 0;
    block->first = NULL;
    kns_buf_reset(&block->text);
    return true;
}

static bool begin_link(struct kns_arena *arena, struct block *block, const GumboNode *node,
                       const char *base, struct kns_html_links *links)
{
    const char *href = attribute_of(node, "href");
    const char *url = href == NULL ? NULL : kns_url_resolve(arena, base, href);

    if (url == NULL || !kns_url_is_web(url))
        return true;
    if (block->count == block->cap) {
        size_t cap = block->cap == 0 ? 16 : block->cap * 2;
        struct span *spans = realloc(block->spans, cap * sizeof(*spans));
        if (spans == NULL)
            return false;
        block->spans = spans;
        block->cap = cap;
    }
    struct kns_html_link *link = KNS_NEW(arena, struct kns_html_link);
    if (link == NULL)
        return false;
    link->url = url;
    block->spans[block->count++] = (struct span){block->text.len, block->text.len};
    if (block->first == NULL)
        block->first = link;
    KNS_LIST_APPEND(&links->list, link);
    return true;
}

/* The link that has just ended: its text is what came since it began. */
static bool end_link(struct kns_arena *arena, struct block *block, struct kns_html_links *links)
{
    struct kns_html_link *link = links->list.last;

    if (block->count == 0 || link->text != NULL)
        return true;
    struct span *span = &block->spans[block->count - 1];
    size_t start = span->from;
    span->to = block->text.len;
    char *copy = kns_arena_copy(arena, kns_buf_str(&block->text) + start, block->text.len - start);
    link->text = copy == NULL ? NULL : kns_text_squeeze(arena, copy);
    return link->text != NULL;
}

bool kns_html_links(struct kns_arena *arena, const char *html, const char *base,
                    struct kns_html_links *ret_links)
{
    struct block block = {0};
    struct tree tree;
    bool good = true;

    if (strcasestr(html, "<a") == NULL)
        return true;
    if (!tree_open(&tree, html))
        return false;
    for (struct walk walk = walk_from(tree.output->root); walk.node != NULL && good;
         walk_next(&walk)) {
        const GumboNode *node = walk.node;
        if (node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE) {
            kns_buf_adds(&block.text, node->v.text.text);
        } else if (node->type == GUMBO_NODE_ELEMENT) {
            GumboTag tag = node->v.element.tag;
            walk.skip = !walk.leaving && is_hidden(tag);
            if (is_block(tag))
                good = end_link(arena, &block, ret_links) && end_block(arena, &block);
            else if (tag == GUMBO_TAG_A && !walk.leaving) /* one inside another ends it */
                good = end_link(arena, &block, ret_links) &&
                       begin_link(arena, &block, node, base, ret_links);
            else if (tag == GUMBO_TAG_A)
                good = end_link(arena, &block, ret_links);
        }
    }
    good = good && end_link(arena, &block, ret_links) && end_block(arena, &block) &&
           !kns_buf_failed(&block.text);
    tree_close(&tree);
    kns_buf_fini(&block.text);
    free(block.spans);
    return good;
}

/* ---- pages ------------------------------------------------------------------------------------------------------ */

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);

    while (words != NULL && *words != '\0') {
        words += strspn(words, " \t\r\n");
        size_t size = strcspn(words, " \t\r\n");
        if (size == len && strncasecmp(words, word, len) == 0)
            return true;
        words += size;
    }
    return false;
}

static bool is_feed_type(const char *type)
{
    static const char *const types[] = {"application/rss+xml",   "application/atom+xml",
                                        "application/feed+json", "application/rdf+xml",
                                        "application/xml",       "text/xml",
                                        "application/json"};

    for (size_t i = 0; type != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strncasecmp(type, types[i], strlen(types[i])) == 0)
            return true;
    return false;
}

static const char *line_of(struct kns_arena *arena, const char *text)
{
    const char *line = text == NULL ? NULL : kns_text_squeeze(arena, text);

    return line == NULL || *line == '\0' ? NULL : line;
}

static bool is_known_feed(const struct kns_html_feeds *feeds, const char *url)
{
    const struct kns_html_feed *feed;

    KNS_LIST_EACH(feed, &feeds->list)
    if (strcmp(feed->url, url) == 0)
        return true;
    return false;
}

static bool take_feed_link(struct kns_arena *arena, const GumboNode *node, const char *base,
                           struct kns_html_feeds *feeds)
{
    const char *rel = attribute_of(node, "rel"), *type = attribute_of(node, "type"),
               *href = attribute_of(node, "href");
    bool alternate =
        has_word(rel, "alternate") && is_feed_type(type) && !has_word(rel, "stylesheet");

    if (href == NULL || *href == '\0' || (!alternate && !has_word(rel, "feed")))
        return true;
    const char *url = kns_url_resolve(arena, base, href);
    if (url == NULL || is_known_feed(feeds, url))
        return url != NULL;
    struct kns_html_feed *feed = KNS_NEW(arena, struct kns_html_feed);
    if (feed == NULL)
        return false;
    feed->url = url;
    feed->title = line_of(arena, attribute_of(node, "title"));
    feed->type = line_of(arena, type);
    KNS_LIST_APPEND(&feeds->list, feed);
    return true;
}

/* The base that the page gives itself, resolved; else the one it came from. */
static const char *page_base(struct kns_arena *arena, const struct tree *tree, const char *base)
{
    for (struct walk walk = walk_from(tree->output->root); walk.node != NULL; walk_next(&walk)) {
        bool is_base =
            walk.node->type == GUMBO_NODE_ELEMENT && walk.node->v.element.tag == GUMBO_TAG_BASE;
        if (is_base && attribute_of(walk.node, "href") != NULL)
            return kns_url_resolve(arena, base, attribute_of(walk.node, "href"));
    }
    return base;
}

bool kns_html_find_feeds(struct kns_arena *arena, const char *html, const char *base,
                         struct kns_html_feeds *ret_feeds)
{
    struct tree tree;
    bool good = true;

    if (!tree_open(&tree, html))
        return false;
    base = page_base(arena, &tree, base);
    for (struct walk walk = walk_from(tree.output->root); walk.node != NULL && good;
         walk_next(&walk)) {
        bool link = !walk.leaving && walk.node->type == GUMBO_NODE_ELEMENT &&
                    walk.node->v.element.tag == GUMBO_TAG_LINK;
        if (link)
            good = take_feed_link(arena, walk.node, base, ret_feeds);
    }
    tree_close(&tree);
    return good;
}

/* What a meta element may say, best source first: Open Graph, Twitter's, the page's own. */
static void take_meta(struct kns_arena *arena, const GumboNode *node, const char *base,
                      struct kns_html_page *page)
{
    static const struct {
        const char *name;
        size_t offset;
        bool is_url;
    } rows[] = {
        {"og:title", offsetof(struct kns_html_page, title), false},
        {"og:site_name", offsetof(struct kns_html_page, site_name), false},
        {"og:description", offsetof(struct kns_html_page, description), false},
        {"description", offsetof(struct kns_html_page, description), false},
        {"twitter:description", offsetof(struct kns_html_page, description), false},
        {"og:image", offsetof(struct kns_html_page, image), true},
        {"og:image:url", offsetof(struct kns_html_page, image), true},
        {"twitter:image", offsetof(struct kns_html_page, image), true},
        {"twitter:image:src", offsetof(struct kns_html_page, image), true},
        {"og:url", offsetof(struct kns_html_page, canonical_url), true},
    };
    const char *name = attribute_of(node, "property"),
               *content = line_of(arena, attribute_of(node, "content"));

    if (name == NULL)
        name = attribute_of(node, "name");
    for (size_t i = 0; name != NULL && content != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char **field = (const char **)((char *)page + rows[i].offset);
        if (strcasecmp(name, rows[i].name) == 0 && *field == NULL)
            *field = rows[i].is_url ? kns_url_resolve(arena, base, content) : content;
    }
}

bool kns_html_describe_page(struct kns_arena *arena, const char *html, const char *base,
                            struct kns_html_page *ret_page)
{
    struct kns_html_page page = {0};
    const char *title = NULL;
    struct tree tree;

    if (!tree_open(&tree, html))
        return false;
    base = page_base(arena, &tree, base);
    for (struct walk walk = walk_from(tree.output->root); walk.node != NULL; walk_next(&walk)) {
        const GumboNode *node = walk.node;
        if (walk.leaving || node->type != GUMBO_NODE_ELEMENT)
            continue;
        switch (node->v.element.tag) {
        case GUMBO_TAG_META:
            take_meta(arena, node, base, &page);
            break;
        case GUMBO_TAG_LINK:
            if (has_word(attribute_of(node, "rel"), "canonical") &&
                attribute_of(node, "href") != NULL)
                page.canonical_url = kns_url_resolve(arena, base, attribute_of(node, "href"));
            break;
        case GUMBO_TAG_TITLE:
            if (title == NULL && node->v.element.children.length > 0)
                title = line_of(arena,
                                ((const GumboNode *)node->v.element.children.data[0])->v.text.text);
            break;
        case GUMBO_TAG_HTML:
            page.language = line_of(arena, attribute_of(node, "lang"));
            break;
        default:
            break;
        }
    }
    tree_close(&tree);
    if (page.title == NULL)
        page.title = title;
    *ret_page = page;
    return true;
}
