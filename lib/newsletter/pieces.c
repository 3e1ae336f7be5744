/* Description or comment? What the markup says outright (class names, quotations) wins; then what the issue's own items show
 * (paragraphs that look alike mean alike); then the order: what the article says comes first, the curator after it. */
#include "lib/newsletter/pieces.h"

#include "lib/html.h"
#include "lib/text.h"
#include "lib/url.h"

#include <string.h>

struct assigning {
    const struct blocks *blocks;
    const struct part_of *parts;
    struct item_pieces *items;
    size_t count;
};

/* ---- collecting ----------------------------------------------------------------------------------------------- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash * 31 + 7;
}

/* Elements around the block up to the item's box: their names, classes and styles. */
static uint64_t looks_of(const struct assigning *a, const struct piece *piece)
{
    const struct block *block = &a->blocks->blocks[piece->block];
    uint64_t hash = 1469598103934665603u + (piece->row == 0) + 2 * (uint64_t)block->quoted +
                    4 * (uint64_t)piece->same_line;
    bool italic = true;

    for (size_t i = piece->from.token; i < piece->to; i++) {
        const struct token *token = &a->blocks->tokens[i];
        if (token->type == TOKEN_TEXT && !text_is_blank(token->text, strlen(token->text)))
            italic = italic && token->italic;
    }
    hash = hash * 2 + italic;
    if (block->node->type != GUMBO_NODE_ELEMENT)
        return hash;
    hash = hash_text(hash, gumbo_normalized_tagname(block->node->v.element.tag));
    hash = hash_text(hash, attribute_of(block->node, "class"));
    return hash_text(hash, attribute_of(block->node, "style"));
}

/* What the class names between the piece and the title's surroundings say. */
static enum words_role role_of(const struct assigning *a, const struct item_pieces *item,
                               const struct piece *piece)
{
    const GumboNode *title = a->blocks->blocks[item->title_block].node;
    const struct token *token = &a->blocks->tokens[piece->from.token];
    const GumboNode *node = a->blocks->blocks[piece->block].node;

    /* A span in the title's own paragraph may say it too. */
    if (piece->row == 0 && token->type == TOKEN_TEXT)
        for (const GumboNode *at = token->node->parent; at != NULL && at != title;
             at = at->parent) {
            enum words_role role = words_role_of(attribute_of(at, "class"));
            if (role != ROLE_UNKNOWN)
                return role;
        }
    for (; node != NULL && !node_contains(node, title); node = node->parent) {
        enum words_role role = words_role_of(attribute_of(node, "class"));
        if (role != ROLE_UNKNOWN)
            return role;
    }
    return ROLE_UNKNOWN;
}

static const char *site_of(const char *text);

static bool is_link_to(const struct assigning *a, const struct piece *piece, const char *url)
{
    bool found = false;

    for (size_t i = piece->from.token; i < piece->to; i++) {
        const struct token *token = &a->blocks->tokens[i];
        if (token->type == TOKEN_OPEN && token->name[0] == 'a' && token->url != NULL) {
            if (strcmp(token->url, url) != 0)
                return false;
            found = true;
        }
    }
    return found;
}

/* True when all text of the piece is one link to the item's own article. */
static bool is_own_link(const struct assigning *a, const struct piece *piece, const char *url)
{
    bool inside = false;

    if (!is_link_to(a, piece, url))
        return false;
    for (size_t i = piece->from.token; i < piece->to; i++) {
        const struct token *token = &a->blocks->tokens[i];
        if (token->type == TOKEN_OPEN && token->name[0] == 'a' && token->name[1] == '\0')
            inside = true;
        else if (token->type == TOKEN_CLOSE && strcmp(token->name, "a") == 0)
            inside = false;
        else if (token->type == TOKEN_TEXT && !inside &&
                 !text_is_blank(token->text, strlen(token->text)))
            return false;
    }
    return true;
}

static bool add_piece(struct assigning *a, struct item_pieces *item, struct piece piece)
{
    const struct blocks *blocks = a->blocks;
    struct kns_newsletter_item *link = item->item;

    if (blocks_is_blank(blocks, piece.from, piece.to))
        return true;
    piece.text = blocks_text(blocks, piece.from, piece.to);
    if (piece.text == NULL)
        return false;
    piece.role = role_of(a, item, &piece);
    bool own = is_own_link(a, &piece, link->url);
    const char *site = piece.role == ROLE_SITE ? piece.text : site_of(piece.text);
    if (own && words_is_read_more(blocks->arena, piece.text))
        return true;
    if ((site != NULL && item->count == 0) || piece.role == ROLE_META) {
        if (link->site == NULL && piece.role != ROLE_META)
            link->site = site;
        return true;
    }
    if ((own && words_is_address(piece.text)) || (item->count == 0 && words_is_byline(piece.text)))
        return true;
    piece.inside = node_contains(item->container, blocks->blocks[piece.block].node);
    piece.looks = looks_of(a, &piece);
    item->pieces[item->count++] = piece;
    return true;
}

/* "example.com", alone or before a dot, dash or bar and the time it takes to read. */
static const char *site_of(const char *text)
{
    return words_is_host(text) ? text : NULL;
}

static size_t lines_of(const struct blocks *blocks, const struct block *block)
{
    size_t lines = 1;

    for (size_t i = block->from; i < block->to; i++)
        lines += blocks->tokens[i].type == TOKEN_BREAK;
    return lines;
}

/* The rest of the title's line, and the lines below it in the same block. */
static bool collect_title_block(struct assigning *a, struct item_pieces *item)
{
    const struct block *block = &a->blocks->blocks[item->title_block];
    const struct title *title = &a->parts[item->title_block].title;
    struct piece piece = {
        .block = item->title_block, .from = title->after, .to = title->line_end, .same_line = true};

    if (!add_piece(a, item, piece))
        return false;
    for (size_t from = title->line_end; from < block->to;) {
        size_t start = from + (a->blocks->tokens[from].type == TOKEN_BREAK);
        size_t end = line_end_of(a->blocks, block, start);
        piece = (struct piece){.block = item->title_block, .from = {start, 0}, .to = end};
        if (!add_piece(a, item, piece))
            return false;
        from = end;
    }
    return true;
}

static bool collect(struct assigning *a, struct item_pieces *item)
{
    size_t room = lines_of(a->blocks, &a->blocks->blocks[item->title_block]) + 1 +
                  (item->end - item->title_block);
    int group = 0, row = 0;

    item->pieces = kns_arena_alloc(a->blocks->arena, room * sizeof(*item->pieces));
    if (item->pieces == NULL || !collect_title_block(a, item))
        return false;
    for (size_t i = item->title_block + 1; i < item->end; i++) {
        const struct block *block = &a->blocks->blocks[i];
        if (a->parts[i].part == PART_GAP)
            group++;
        if (block->type != BLOCK_TEXT && block->type != BLOCK_HEADING)
            continue;
        if (a->parts[i].part == PART_MORE)
            continue;
        struct piece piece = {.block = i, .from = {block->from, 0}, .to = block->to};
        piece.group = group;
        piece.row = ++row;
        if (!add_piece(a, item, piece))
            return false;
    }
    return true;
}

/* ---- boxes ---------------------------------------------------------------------------------------------------- */

/* The largest element around a title that holds no other one. */
static void find_containers(struct assigning *a)
{
    for (size_t i = 0; i < a->count; i++) {
        const GumboNode *node = a->blocks->blocks[a->items[i].title_block].node;
        const GumboNode *before =
            i == 0 ? NULL : a->blocks->blocks[a->items[i - 1].title_block].node;
        const GumboNode *after =
            i + 1 == a->count ? NULL : a->blocks->blocks[a->items[i + 1].title_block].node;
        while (node->parent != NULL && node->parent->type == GUMBO_NODE_ELEMENT &&
               node->parent->v.element.tag != GUMBO_TAG_BODY &&
               (before == NULL || !node_contains(node->parent, before)) &&
               (after == NULL || !node_contains(node->parent, after)))
            node = node->parent;
        a->items[i].container = node;
        a->items[i].boxed = (before == NULL || !node_contains(node, before)) &&
                            (after == NULL || !node_contains(node, after)) &&
                            node->type == GUMBO_NODE_ELEMENT &&
                            node->v.element.tag != GUMBO_TAG_BODY;
    }
}

/* What stands in the next item's box before its title is no text of the item before. */
static void cut_at_boxes(struct assigning *a)
{
    for (size_t i = 0; i + 1 < a->count; i++) {
        struct item_pieces *item = &a->items[i];
        const struct item_pieces *next = &a->items[i + 1];
        for (size_t k = item->title_block + 1; next->boxed && k < item->end; k++)
            if (node_contains(next->container, a->blocks->blocks[k].node))
                item->end = k;
    }
}

static bool stays_inside(const struct item_pieces *item)
{
    for (size_t k = 0; k < item->count; k++)
        if (!item->pieces[k].inside)
            return false;
    return true;
}

/* Do the items' texts stay in their boxes? Who has all of it in the title's paragraph cannot tell, and the last one does not
 * vote: what closes the letter may follow it. */
static void vote_on_boxes(struct assigning *a)
{
    size_t inside = 0, outside = 0, entries = 0;

    for (size_t i = 0; i < a->count; i++) {
        const struct item_pieces *item = &a->items[i];
        entries += a->blocks->blocks[item->title_block].list != NULL;
        if (i + 1 < a->count && item->boxed && item->count > 0 &&
            item->pieces[item->count - 1].row > 0)
            *(stays_inside(item) ? &inside : &outside) += 1;
    }
    if (inside + outside > 0 ? inside < 4 * outside : entries < a->count)
        return;
    for (size_t i = 0; i < a->count; i++) {
        struct item_pieces *item = &a->items[i];
        for (size_t k = 0; item->boxed && k < item->count; k++)
            if (!item->pieces[k].inside)
                item->count = k;
    }
}

/* Where all others say everything in the title's paragraph, one behind the last closes the letter. */
static void cut_lone_paragraphs(struct assigning *a)
{
    struct item_pieces *last = a->count > 2 ? &a->items[a->count - 1] : NULL;
    bool on_line = false;

    for (size_t i = 0; last != NULL && i + 1 < a->count; i++)
        for (size_t k = 0; k < a->items[i].count; k++) {
            if (a->items[i].pieces[k].row > 0)
                return;
            on_line = true;
        }
    for (size_t k = 0; on_line && k < last->count; k++)
        if (last->pieces[k].row > 0)
            last->count = k;
}

/* What closes the letter is no comment on its last item. */
static void cut_farewell(struct assigning *a)
{
    struct item_pieces *last = a->count > 0 ? &a->items[a->count - 1] : NULL;

    for (size_t k = 0; last != NULL && k < last->count; k++)
        if (last->pieces[k].row > 0 && words_is_farewell(last->pieces[k].text))
            last->count = k;
}

/* ---- roles ---------------------------------------------------------------------------------------------------- */

struct habits {
    uint64_t description[64], note[64]; /* how they look in items that have both */
    size_t descriptions, notes;
    bool title_text; /* some items have text in the title's own group, and more behind a gap */
    bool outside;    /* some have it in the title's paragraph, and the comment in one of its own */
    bool both;       /* some have a description and a comment */
};

static bool is_known(const uint64_t *looks, size_t count, uint64_t wanted)
{
    for (size_t i = 0; i < count; i++)
        if (looks[i] == wanted)
            return true;
    return false;
}

static void learn_look(uint64_t *looks, size_t *count, uint64_t look)
{
    if (*count < 64 && !is_known(looks, *count, look))
        looks[(*count)++] = look;
}

/* True for a piece that goes with the one before it: an entry of a list below it, what a colon announces. */
static bool continues(const struct assigning *a, const struct item_pieces *item, size_t k)
{
    const struct block *block = &a->blocks->blocks[item->pieces[k].block];
    const struct block *title = &a->blocks->blocks[item->title_block];

    if (k == 0 || item->pieces[k].group != item->pieces[k - 1].group)
        return false;
    if (item->pieces[k].row > 0 && block->list != NULL && block->list != title->list)
        return true;
    const char *before = item->pieces[k - 1].text;
    size_t len = strlen(before);
    return before[len - 1] == ':' || (len >= 3 && strcmp(before + len - 3, "：") == 0);
}

/* Texts that stand for themselves, in [from, count). */
static size_t units_of(const struct assigning *a, const struct item_pieces *item, size_t from)
{
    size_t units = 0;

    for (size_t k = from; k < item->count; k++)
        units += !continues(a, item, k);
    return units;
}

/* How many pieces from the first on are the description, by what can be seen in this item alone; -1: cannot be told. */
static int split_of(const struct assigning *a, const struct item_pieces *item)
{
    const struct piece *pieces = item->pieces;
    size_t n = item->count, own = 0, quoted = 0, described = 0, noted = 0;

    for (size_t k = 0; k < n; k++) {
        own += pieces[k].row == 0;
        quoted += a->blocks->blocks[pieces[k].block].quoted && k == quoted;
        described += pieces[k].role == ROLE_DESCRIPTION && k == described;
        noted += pieces[k].role == ROLE_NOTE;
    }
    if (described > 0)
        return (int)described;
    if (noted > 0) {
        size_t k = 0;
        while (pieces[k].role != ROLE_NOTE)
            k++;
        return (int)k;
    }
    if (quoted > 0)
        return (int)quoted;
    if (own > 0 && own < n && units_of(a, item, own) > 0)
        return (int)own;
    if (units_of(a, item, 0) < 2)
        return -1;
    if (own == n)
        return -1;
    /* A gap between the pieces: the first group is the article's. */
    for (size_t k = 1; k < n; k++)
        if (pieces[k].group != pieces[0].group && pieces[0].group == 0)
            return (int)k;
    return -1;
}

static void learn(const struct assigning *a, struct habits *habits)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct item_pieces *item = &a->items[i];
        int split = split_of(a, item);
        /* Two paragraphs that look different: the first is the article's. */
        if (split < 0 && units_of(a, item, 0) == 2 &&
            item->pieces[0].looks != item->pieces[1].looks)
            split = 1;
        if (split < 1 || (size_t)split >= item->count)
            continue;
        habits->both = true;
        habits->outside =
            habits->outside || (item->pieces[0].row == 0 && item->pieces[split].row > 0);
        habits->title_text =
            habits->title_text || item->pieces[0].group < item->pieces[split].group;
        for (int k = 0; k < split; k++)
            learn_look(habits->description, &habits->descriptions, item->pieces[k].looks);
        for (size_t k = (size_t)split; k < item->count; k++)
            learn_look(habits->note, &habits->notes, item->pieces[k].looks);
    }
}

/* By what the other items showed. */
static size_t split_by_habit(const struct assigning *a, const struct item_pieces *item,
                             const struct habits *habits)
{
    const struct piece *first = &item->pieces[0];
    bool like_description = is_known(habits->description, habits->descriptions, first->looks);
    bool like_note = is_known(habits->note, habits->notes, first->looks);
    bool entry = a->blocks->blocks[item->title_block].list != NULL;
    bool several = units_of(a, item, 0) > 1;

    /* An address set in has no description; nor has what stands apart from its title, in one go. */
    if (a->parts[item->title_block].title.strength == EMBEDDED ||
        (first->group > 0 && first->group == item->pieces[item->count - 1].group))
        return 0;

    /* Others have their description right at the title; this one has only what stands apart. */
    if (habits->title_text) {
        size_t near = 0;
        while (near < item->count && item->pieces[near].group == 0)
            near++;
        return near;
    }
    if (like_description != like_note) {
        size_t alike = 0;
        while (like_description && alike < item->count &&
               is_known(habits->description, habits->descriptions, item->pieces[alike].looks) &&
               !is_known(habits->note, habits->notes, item->pieces[alike].looks))
            alike++;
        return alike;
    }
    bool own = item->pieces[item->count - 1].row == 0;
    if (own && several && !habits->title_text && !habits->outside)
        return 1;
    if (own && habits->outside)
        return item->count;
    if (several)
        return 1;
    if (first->row == 0 && !first->same_line && !entry)
        return 1;
    return first->row == 0 && habits->both && !entry ? 1 : 0;
}

static bool set_description(const struct assigning *a, struct item_pieces *item, size_t count)
{
    struct kns_buf text = {0};

    for (size_t k = 0; k < count; k++) {
        if (k > 0)
            kns_buf_addc(&text, ' ');
        kns_buf_adds(&text, item->pieces[k].text);
    }
    bool good = !kns_buf_failed(&text);
    if (good && text.len > 0) {
        item->item->description = kns_arena_copy(a->blocks->arena, text.data, text.len);
        good = item->item->description != NULL;
    }
    kns_buf_fini(&text);
    return good;
}

static const struct block *block_of(const struct assigning *a, const struct item_pieces *item,
                                    size_t k, size_t first)
{
    return k < first || k >= item->count ? NULL : &a->blocks->blocks[item->pieces[k].block];
}

static bool set_note(const struct assigning *a, struct item_pieces *item, size_t first)
{
    struct kns_buf html = {0};
    bool good = true;

    for (size_t k = first; k < item->count && good; k++)
        good =
            pieces_add_html(a->blocks, &html, k == first ? NULL : block_of(a, item, k - 1, first),
                            block_of(a, item, k, first), block_of(a, item, k + 1, first),
                            item->pieces[k].from, item->pieces[k].to);
    good = good && !kns_buf_failed(&html);
    if (good && html.len > 0) {
        item->item->note_html = kns_arena_copy(a->blocks->arena, html.data, html.len);
        if (item->item->note_html != NULL)
            item->item->note = kns_html_to_text(a->blocks->arena, item->item->note_html);
        good = item->item->note != NULL;
    }
    kns_buf_fini(&html);
    return good;
}

/* Where all items have one text and nothing says whose it is, it is the curator's. */
static void drop_lone_descriptions(struct assigning *a, size_t *splits)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct item_pieces *item = &a->items[i];
        bool said = item->count > 0 && (item->pieces[0].role == ROLE_DESCRIPTION ||
                                        a->blocks->blocks[item->pieces[0].block].quoted);
        if (said || splits[i] < item->count)
            return;
    }
    memset(splits, 0, a->count * sizeof(*splits));
}

static bool assign_roles(struct assigning *a)
{
    struct habits habits = {0};
    size_t *splits = kns_arena_alloc(a->blocks->arena, (a->count + 1) * sizeof(*splits));

    if (splits == NULL)
        return false;
    learn(a, &habits);
    for (size_t i = 0; i < a->count; i++) {
        int split = split_of(a, &a->items[i]);
        if (split >= 0)
            splits[i] = (size_t)split;
        else if (a->items[i].count > 0)
            splits[i] = split_by_habit(a, &a->items[i], &habits);
    }
    drop_lone_descriptions(a, splits);
    for (size_t i = 0; i < a->count; i++)
        if (!set_description(a, &a->items[i], splits[i]) || !set_note(a, &a->items[i], splits[i]))
            return false;
    return true;
}

bool pieces_assign(const struct blocks *blocks, const struct part_of *parts,
                   struct item_pieces *items, size_t count)
{
    struct assigning a = {.blocks = blocks, .parts = parts, .items = items, .count = count};

    find_containers(&a);
    cut_at_boxes(&a);
    for (size_t i = 0; i < count; i++)
        if (!collect(&a, &items[i]))
            return false;
    vote_on_boxes(&a);
    cut_lone_paragraphs(&a);
    cut_farewell(&a);
    return assign_roles(&a);
}

/* ---- HTML of several blocks ----------------------------------------------------------------------------------- */

static bool same_list(const struct block *a, const struct block *b)
{
    return a != NULL && b != NULL && a->list != NULL && a->list == b->list;
}

static bool same_quote(const struct block *a, const struct block *b)
{
    return a != NULL && b != NULL && a->quoted && b->quoted;
}

bool pieces_add_html(const struct blocks *blocks, struct kns_buf *out, const struct block *previous,
                     const struct block *block, const struct block *next, struct place from,
                     size_t to)
{
    const char *html = blocks_inline_html(blocks, block->from, from, to);
    /* The item's own list entry is the item; only lists within its text are lists. */
    bool in_list = block->list != NULL && from.token == block->from && from.offset == 0;
    const char *list = block->ordered ? "ol" : "ul";
    const char *name = in_list ? "li" : block->preformatted ? "pre" : "p";

    if (html == NULL)
        return false;
    if (*html == '\0')
        return true;
    if (block->quoted && !same_quote(previous, block))
        kns_buf_adds(out, "<blockquote>");
    if (in_list && !same_list(previous, block))
        kns_buf_addf(out, "<%s>", list);
    kns_buf_addf(out, "<%s>%s</%s>", name, html, name);
    if (in_list && !same_list(block, next))
        kns_buf_addf(out, "</%s>", list);
    if (block->quoted && !same_quote(block, next))
        kns_buf_adds(out, "</blockquote>");
    return true;
}
