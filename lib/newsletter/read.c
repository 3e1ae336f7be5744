/* The issue put together: parts in, sections, mentions and items out, in one pass over the blocks. */
#include "lib/newsletter.h"

#include "lib/buf.h"
#include "lib/charset.h"
#include "lib/date.h"
#include "lib/html.h"
#include "lib/newsletter/pieces.h"
#include "lib/newsletter/words.h"
#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_PICTURES 50 /* how many gaps and pictures before a title are still its own */

struct reading {
    const struct blocks *blocks;
    const struct part_of *parts;
    struct kns_newsletter *newsletter;
    struct item_pieces *items;
    size_t count, cap;
    const char *section; /* the heading that counts */
    bool section_items;  /* items stand under it */
    size_t heading;      /* its block */
    size_t *prose;       /* blocks of the section being read */
    size_t prose_count;
    bool open; /* an item is being read */
    bool failed;
};

/* ---- sections ------------------------------------------------------------------------------------------------- */

static const struct block *prose_block(const struct reading *r, size_t k)
{
    return k < r->prose_count ? &r->blocks->blocks[r->prose[k]] : NULL;
}

static const char *prose_html(struct reading *r)
{
    struct kns_buf html = {0};
    bool good = true;

    for (size_t k = 0; k < r->prose_count && good; k++) {
        const struct block *block = prose_block(r, k);
        good = pieces_add_html(r->blocks, &html, k == 0 ? NULL : prose_block(r, k - 1), block,
                               prose_block(r, k + 1), (struct place){block->from, 0}, block->to);
    }
    const char *copy = good && !kns_buf_failed(&html)
                           ? kns_arena_copy(r->blocks->arena, kns_buf_str(&html), html.len)
                           : NULL;
    kns_buf_fini(&html);
    return copy;
}

static bool add_mentions(struct reading *r, const struct kns_newsletter_section *section)
{
    struct kns_arena *arena = r->blocks->arena;
    struct kns_html_links links = {0};
    struct kns_html_link *link;

    if (!kns_html_links(arena, section->content_html, NULL, &links))
        return false;
    KNS_LIST_EACH(link, &links.list)
    {
        struct kns_newsletter_mention *mention = KNS_NEW(arena, struct kns_newsletter_mention);
        if (mention == NULL)
            return false;
        *mention = (struct kns_newsletter_mention){.url = link->url,
                                                   .text = link->text,
                                                   .section = section->title,
                                                   .context = link->context};
        /* A link around nothing is a leftover of an editor. */
        if (link->text != NULL && *link->text != '\0')
            KNS_LIST_APPEND(&r->newsletter->mentions, mention);
    }
    return true;
}

static bool has_words(const struct reading *r)
{
    for (size_t k = 0; k < r->prose_count; k++)
        if (prose_block(r, k)->type == BLOCK_TEXT || prose_block(r, k)->type == BLOCK_HEADING)
            return true;
    return false;
}

/* The prose read so far becomes a section; a heading alone is none, nor are pictures. */
static void end_section(struct reading *r)
{
    if (r->prose_count == 0)
        return;
    bool said = has_words(r);
    const char *html = said ? prose_html(r) : "";
    struct kns_newsletter_section *section =
        KNS_NEW(r->blocks->arena, struct kns_newsletter_section);
    r->prose_count = 0;
    if (!said)
        return;
    if (section == NULL || html == NULL) {
        r->failed = true;
        return;
    }
    section->title = r->section;
    section->content_html = html;
    KNS_LIST_APPEND(&r->newsletter->sections, section);
    r->failed = !add_mentions(r, section);
}

/* ---- items ---------------------------------------------------------------------------------------------------- */

static void end_item(struct reading *r, size_t at)
{
    if (r->open)
        r->items[r->count - 1].end = at;
    r->open = false;
}

static void begin_item(struct reading *r, size_t at)
{
    const struct title *title = &r->parts[at].title;
    struct kns_newsletter_item *item = KNS_NEW(r->blocks->arena, struct kns_newsletter_item);

    if (r->count == r->cap) {
        size_t cap = r->cap == 0 ? 32 : r->cap * 2;
        struct item_pieces *more = realloc(r->items, cap * sizeof(*more));
        if (more == NULL) {
            r->failed = true;
            return;
        }
        r->items = more;
        r->cap = cap;
    }
    if (item == NULL) {
        r->failed = true;
        return;
    }
    item->url = title->url;
    item->title = title->text;
    item->site = title->site;
    item->section = r->section;
    item->position = (int64_t)r->count + 1;
    KNS_LIST_APPEND(&r->newsletter->items, item);
    r->items[r->count++] = (struct item_pieces){.item = item, .title_block = at, .end = at + 1};
    r->open = true;
    r->section_items = true;
}

/* ---- the pass ------------------------------------------------------------------------------------------------- */

static void take_prose(struct reading *r, size_t i)
{
    bool before_items = r->count == 0;

    /* Behind the items and under no heading stand farewells and asides. */
    if (before_items || (r->section != NULL && !r->section_items))
        r->prose[r->prose_count++] = i;
}

/* A picture right before a title is the item's. */
static bool leads_to_title(const struct reading *r, size_t i)
{
    size_t end = i + MAX_PICTURES;

    while (i < r->blocks->count && i < end &&
           (r->parts[i].part == PART_GAP || r->parts[i].part == PART_IMAGE))
        i++;
    return i < r->blocks->count && r->parts[i].part == PART_TITLE;
}

static size_t next_title(const struct reading *r, size_t i)
{
    do
        i++;
    while (i < r->blocks->count && r->parts[i].part != PART_TITLE);
    return i;
}

/* A picture, or a few words that are no sentence and lead nowhere. */
static bool is_label(const struct reading *r, const struct block *block)
{
    if (block->type == BLOCK_IMAGE)
        return true;
    for (size_t i = block->from; i < block->to; i++)
        if (r->blocks->tokens[i].type == TOKEN_OPEN && r->blocks->tokens[i].url != NULL)
            return false;
    const char *text = blocks_text(r->blocks, (struct place){block->from, 0}, block->to);
    return block->list == NULL && text != NULL && kns_text_columns(text) <= 40 &&
           strstr(text, "。") == NULL && strpbrk(text, "!?:") == NULL && !words_end_with(text, ".");
}

/* What stands in the first item's own box before its title (a picture, the site's name) is no prose of its section. */
static void drop_prose_in_box(struct reading *r, size_t title)
{
    const struct block *blocks = r->blocks->blocks;
    size_t next = next_title(r, title);
    const GumboNode *box = blocks[title].node;

    if (r->section == NULL || next == r->blocks->count)
        return;
    while (box->parent != NULL && !node_contains(box->parent, blocks[next].node) &&
           !node_contains(box->parent, blocks[r->heading].node))
        box = box->parent;
    while (r->prose_count > 0 && is_label(r, prose_block(r, r->prose_count - 1)) &&
           node_contains(box, prose_block(r, r->prose_count - 1)->node))
        r->prose_count--;
}

static void take_part(struct reading *r, size_t i)
{
    switch (r->parts[i].part) {
    case PART_HEADING:
        end_item(r, i);
        end_section(r);
        r->section = r->parts[i].text;
        r->heading = i;
        r->section_items = false;
        break;
    case PART_RULE:
        end_item(r, i);
        /* A rule under prose closes its section; under a bare heading or between items it only separates. */
        if (r->prose_count > 0 && !r->section_items) {
            end_section(r);
            r->section = NULL;
        }
        break;
    case PART_TITLE:
        end_item(r, i);
        drop_prose_in_box(r, i);
        end_section(r);
        begin_item(r, i);
        break;
    case PART_CHROME:
        end_item(r, i);
        break;
    case PART_TEXT:
    case PART_IMAGE:
        if (!r->open && !leads_to_title(r, i))
            take_prose(r, i);
        break;
    case PART_MORE:
    case PART_GAP:
    case PART_MASTHEAD:
        break;
    }
}

/* ---- pictures ------------------------------------------------------------------------------------------------- */

static const struct token *image_of(const struct reading *r, const struct block *block)
{
    for (size_t i = block->from; i < block->to; i++)
        if (r->blocks->tokens[i].type == TOKEN_IMAGE)
            return &r->blocks->tokens[i];
    return NULL;
}

static const char *link_around(const struct reading *r, const struct token *image)
{
    for (const GumboNode *node = image->node->parent; node != NULL; node = node->parent)
        if (node->type == GUMBO_NODE_ELEMENT && node->v.element.tag == GUMBO_TAG_A) {
            const char *href = attribute_of(node, "href");
            const char *url =
                href == NULL ? NULL : kns_url_resolve(r->blocks->arena, r->blocks->base, href);
            return url == NULL ? NULL : kns_url_clean(r->blocks->arena, url);
        }
    return NULL;
}

static bool give(struct item_pieces *item, const struct token *image)
{
    if (item == NULL || item->item->image != NULL)
        return false;
    item->item->image = image->url;
    return true;
}

static bool leads_to(const struct item_pieces *item, const char *url)
{
    return item != NULL && url != NULL && strcmp(url, item->item->url) == 0;
}

/* Pictures that lead to the item before or behind them are that item's. */
static bool place_linked(struct reading *r, const struct block *block, struct item_pieces *last,
                         struct item_pieces *next)
{
    for (size_t i = block->from; i < block->to; i++) {
        const struct token *image = &r->blocks->tokens[i];
        const char *url = image->type == TOKEN_IMAGE ? link_around(r, image) : NULL;
        if (leads_to(last, url) && give(last, image))
            return true;
        if (leads_to(next, url) && give(next, image))
            return true;
    }
    return false;
}

static int closeness(const struct reading *r, const struct token *image,
                     const struct item_pieces *item)
{
    return item == NULL
               ? -1
               : node_depth(node_common(image->node, r->blocks->blocks[item->title_block].node));
}

/* A picture in a block of its own: to the item it links to, else to the one it stands closer to in the tree, else to the one that
 * follows at once. */
static void place_image(struct reading *r, size_t block, size_t before)
{
    const struct token *image = image_of(r, &r->blocks->blocks[block]);
    struct item_pieces *last = before > 0 ? &r->items[before - 1] : NULL;
    struct item_pieces *next = before < r->count ? &r->items[before] : NULL;

    if (place_linked(r, &r->blocks->blocks[block], last, next))
        return;
    int to_last = closeness(r, image, last), to_next = closeness(r, image, next);
    bool leads = next != NULL && next->title_block - block <= MAX_PICTURES;
    for (size_t i = block + 1; leads && i < next->title_block; i++)
        leads = r->parts[i].part == PART_GAP || r->parts[i].part == PART_IMAGE;
    /* What lies behind the item's end belongs to no one before it. */
    if (last != NULL && block >= last->end)
        to_last = -1;
    if (to_next > to_last || (to_next == to_last && leads)) {
        if (leads || node_contains(next->container, image->node))
            give(next, image);
        return;
    }
    if (to_last >= 0)
        give(last, image);
}

static void place_images(struct reading *r)
{
    size_t before = 0;

    for (size_t i = 0; i < r->blocks->count; i++) {
        const struct block *block = &r->blocks->blocks[i];
        bool title = before < r->count && r->items[before].title_block == i;
        before += title;
        if (title) {
            const struct token *image = image_of(r, block);
            if (image != NULL)
                r->items[before - 1].item->image = image->url;
        } else if (block->type == BLOCK_IMAGE && r->parts[i].part == PART_IMAGE) {
            place_image(r, i, before);
        }
    }
}

/* ---- the document --------------------------------------------------------------------------------------------- */

/* What the page says of itself: base, title, date. */
struct page {
    const char *base, *title;
    struct kns_time published;
};

static void take_page_fact(struct kns_arena *arena, const GumboNode *node, struct page *page)
{
    GumboTag tag = node->v.element.tag;
    const char *name = attribute_of(node, "property"), *value = NULL;

    if (tag == GUMBO_TAG_BASE && attribute_of(node, "href") != NULL)
        page->base = kns_url_resolve(arena, page->base, attribute_of(node, "href"));
    if (tag == GUMBO_TAG_TITLE && page->title == NULL && node->v.element.children.length > 0) {
        const GumboNode *text = node->v.element.children.data[0];
        page->title = kns_text_squeeze(arena, text->v.text.text);
    }
    if (tag == GUMBO_TAG_META && name != NULL && strcmp(name, "article:published_time") == 0)
        value = attribute_of(node, "content");
    if (tag == GUMBO_TAG_TIME)
        value = attribute_of(node, "datetime");
    if (value != NULL && !kns_time_given(page->published))
        kns_date_parse(value, &page->published);
}

static void read_page(struct kns_arena *arena, const GumboNode *root, struct page *page)
{
    for (struct walk walk = walk_from(root); walk.node != NULL; walk_next(&walk))
        if (!walk.leaving && walk.node->type == GUMBO_NODE_ELEMENT)
            take_page_fact(arena, walk.node, page);
}

static bool is_number_mark(const char *text, size_t digits)
{
    static const char *const marks[] = {"#", "＃", "第", "no.", "no", "vol.", "vol", "issue", "№"};
    size_t end = digits;

    while (end > 0 && text[end - 1] == ' ')
        end--;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t len = strlen(marks[i]);
        if (end >= len && strncasecmp(text + end - len, marks[i], len) == 0)
            return true;
    }
    return false;
}

int64_t kns_newsletter_number(const char *title)
{
    size_t len = strlen(title);

    for (size_t i = 0; i < len; i++) {
        size_t digits = strspn(title + i, "0123456789");
        if (digits == 0)
            continue;
        if (digits <= 9 && is_number_mark(title, i))
            return atoll(title + i);
        i += digits;
    }
    /* "Some Letter 12": the last word, and no year. */
    size_t from = len;
    while (from > 0 && isdigit((unsigned char)title[from - 1]))
        from--;
    size_t digits = len - from;
    bool word = from > 0 && title[from - 1] == ' ' && digits > 0 && digits <= 6;
    int64_t number = word ? atoll(title + from) : 0;
    return number >= 1900 && number <= 2199 ? 0 : number;
}

static bool take_apart(struct reading *r)
{
    r->prose = kns_arena_alloc(r->blocks->arena, (r->blocks->count + 1) * sizeof(*r->prose));
    if (r->prose == NULL)
        return false;
    for (size_t i = 0; i < r->blocks->count && !r->failed; i++)
        take_part(r, i);
    end_item(r, r->blocks->count);
    end_section(r);
    if (r->failed || !pieces_assign(r->blocks, r->parts, r->items, r->count))
        return false;
    place_images(r);
    return true;
}

static bool read_tree(struct kns_arena *arena, const struct tree *tree,
                      const struct kns_newsletter_source *source, struct kns_newsletter *newsletter)
{
    struct page page = {.base = source->url};
    struct kns_newsletter_source known = *source;
    struct blocks blocks;
    struct reading reading = {.blocks = &blocks, .newsletter = newsletter};
    struct part_of *parts = NULL;
    const char *masthead = NULL;

    read_page(arena, tree->output->root, &page);
    if (known.title == NULL && page.title != NULL && *page.title != '\0')
        known.title = page.title;
    bool good = blocks_init(&blocks, arena, tree->output->root, page.base) &&
                titles_judge(&blocks, &known, &parts, &masthead);
    reading.parts = parts;
    good = good && take_apart(&reading);
    newsletter->title = known.title != NULL ? known.title : masthead;
    newsletter->url = source->url;
    newsletter->published = page.published;
    newsletter->number = newsletter->title == NULL ? 0 : kns_newsletter_number(newsletter->title);
    free(reading.items);
    blocks_fini(&blocks);
    return good;
}

enum kns_status kns_newsletter_read(struct kns_arena *arena, const char *html,
                                    const struct kns_newsletter_source *source,
                                    struct kns_newsletter **ret_newsletter, struct kns_error *err)
{
    static const struct kns_newsletter_source nowhere = {0};
    struct kns_newsletter *newsletter = KNS_NEW(arena, struct kns_newsletter);
    struct tree tree;

    if (newsletter == NULL || !tree_open(&tree, html))
        return kns_fail(err, KNS_ENOMEM, "newsletter: out of memory");
    bool good = read_tree(arena, &tree, source == NULL ? &nowhere : source, newsletter);
    tree_close(&tree);
    if (!good)
        return kns_fail(err, KNS_ENOMEM, "newsletter: out of memory");
    *ret_newsletter = newsletter;
    return KNS_OK;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* "# TITLE", the issue's URL, the HTML. Returns where the HTML begins; html itself when it is no archive file. */
static const char *read_head(struct kns_arena *arena, const char *html,
                             struct kns_newsletter_source *source)
{
    size_t title = strcspn(html, "\r\n");

    if (strncmp(html, "# ", 2) != 0)
        return html;
    const char *second = html + title + strspn(html + title, "\r\n");
    size_t url = strcspn(second, "\r\n");
    const char *line = kns_arena_copy(arena, second, url);
    line = line == NULL ? NULL : kns_text_squeeze(arena, line);
    if (line == NULL || !words_is_address(line))
        return html;
    source->url = line;
    const char *text = kns_arena_copy(arena, html + 2, title - 2);
    source->title = text == NULL ? NULL : kns_text_squeeze(arena, text);
    return second + url;
}

enum kns_status kns_newsletter_read_file(struct kns_arena *arena, const char *bytes, size_t size,
                                         const struct kns_newsletter_source *source,
                                         struct kns_newsletter **ret_newsletter,
                                         struct kns_error *err)
{
    struct kns_newsletter_source from = {0};
    struct kns_buf text = {0};
    enum kns_status status = kns_decode("text/html", bytes, size, &text, err);

    if (source != NULL)
        from = *source;
    if (status == KNS_OK && strchr(kns_buf_str(&text), '<') == NULL)
        status = kns_fail(err, KNS_ESYNTAX, "no newsletter: there is no HTML in it");
    if (status == KNS_OK) {
        const char *html = read_head(arena, kns_buf_str(&text), &from);
        status = kns_newsletter_read(arena, html, &from, ret_newsletter, err);
    }
    kns_buf_fini(&text);
    return status;
}

/* So many link items make a roundup. */
#define BARE_ROUNDUP_ITEMS 5
#define ROUNDUP_ITEMS 3

/* An address that stands in a text by itself: no attribute's value. at is its "://". */
static bool is_bare_address(const char *text, const char *at)
{
    while (at > text && isalpha((unsigned char)at[-1]))
        at--;
    return at == text || strchr("\"'=", at[-1]) == NULL;
}

bool kns_newsletter_may_be_roundup(const char *html)
{
    size_t n = 0;

    for (const char *at = strcasestr(html, "href"); at != NULL && n < ROUNDUP_ITEMS;
         at = strcasestr(at + 4, "href"))
        n++;
    for (const char *at = strstr(html, "://"); at != NULL && n < ROUNDUP_ITEMS;
         at = strstr(at + 3, "://"))
        n += is_bare_address(html, at);
    return n >= ROUNDUP_ITEMS;
}

/* Bytes of text in HTML that was written here: all of it that is no tag. */
static size_t text_of_html(const char *html)
{
    size_t bytes = 0;
    bool tag = false;

    for (; *html != '\0'; html++) {
        tag = tag || *html == '<';
        bytes += !tag;
        tag = tag && *html != '>';
    }
    return bytes;
}

static size_t length_of(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

/* True for a title in words: no "#12", no "v1.2.3". */
static bool is_wordy(const char *title)
{
    size_t letters = 0;

    for (; title != NULL && *title != '\0'; title++)
        letters += isalpha((unsigned char)*title) || (unsigned char)*title >= 0x80;
    return letters >= 4;
}

bool kns_newsletter_is_roundup(const struct kns_newsletter *newsletter)
{
    size_t wordy = 0, with_text = 0, told = 0, prose = 0;
    const struct kns_newsletter_item *item;
    const struct kns_newsletter_section *section;

    KNS_LIST_EACH(item, &newsletter->items)
    {
        bool good = is_wordy(item->title);
        wordy += good;
        with_text += good && (item->note != NULL || item->description != NULL);
        told += length_of(item->title) + length_of(item->note) + length_of(item->description);
    }
    KNS_LIST_EACH(section, &newsletter->sections)
    prose += text_of_html(section->content_html);
    /* A list of links without a word on them is one when it is nearly all there is. */
    if (with_text < 2)
        return wordy >= BARE_ROUNDUP_ITEMS && told >= prose;
    /* An article with a list of what it refers to is mostly its own text. */
    return wordy >= ROUNDUP_ITEMS && 2 * told >= prose;
}
