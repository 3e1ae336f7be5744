/* An item's text taken to pieces: lines and paragraphs from behind its title up to the next, without what belongs to no item. */
#include "lib/newsletter/roles.h"

#include "lib/html.h"
#include "lib/text.h"
#include "lib/url.h"

#include <string.h>

#define MAX_ASIDE_COLUMNS 24

/* ---- collecting ----------------------------------------------------------------------------------------------- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash * 31 + 7;
}

static bool opens(const struct token *token)
{
    return token->type == TOKEN_OPEN && strcmp(token->name, "a") == 0;
}

/* The first or last token of a piece that can be read; NULL: none. */
static const struct token *text_token(const struct assigning *a, const struct piece *piece,
                                      bool last)
{
    const struct token *found = NULL;

    for (size_t i = piece->from.token; i < piece->to && (last || found == NULL); i++) {
        const struct token *token = &a->blocks->tokens[i];
        if (token->type == TOKEN_TEXT && !text_is_blank(token->text, strlen(token->text)))
            found = token;
    }
    return found;
}

/* What is set around all of a piece's text within its block: small print, italics, colours. */
static uint64_t dress_of(const struct assigning *a, const struct piece *piece)
{
    const GumboNode *block = a->blocks->blocks[piece->block].node;
    const struct token *first = text_token(a, piece, false), *last = text_token(a, piece, true);
    uint64_t hash = 1469598103934665603u;

    if (first == NULL)
        return hash;
    for (const GumboNode *at = first->node->parent;
         at != NULL && at != block && at->type == GUMBO_NODE_ELEMENT; at = at->parent) {
        if (at->v.element.tag == GUMBO_TAG_A || !node_contains(at, last->node))
            continue;
        hash = hash_text(hash, gumbo_normalized_tagname(at->v.element.tag));
        hash = hash_text(hash, attribute_of(at, "class"));
        hash = hash_text(hash, attribute_of(at, "style"));
        hash = hash_text(hash, attribute_of(at, "color"));
    }
    return hash;
}

/* The block's element, class and style, and how its text is dressed. */
static uint64_t looks_of(const struct assigning *a, const struct piece *piece)
{
    const struct block *block = &a->blocks->blocks[piece->block];
    uint64_t hash = dress_of(a, piece) + (piece->row == 0) + 2 * (uint64_t)block->quoted +
                    4 * (uint64_t)piece->same_line;

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

/* What a pair of brackets around all of a text holds; NULL: there is none, or no memory. */
static const char *in_brackets(struct kns_arena *arena, const char *text)
{
    static const char *const pairs[][2] = {{"(", ")"}, {"[", "]"}, {"（", "）"}, {"【", "】"}};
    size_t len = strlen(text);

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t open = strlen(pairs[i][0]), close = strlen(pairs[i][1]);
        if (len > open + close && strncmp(text, pairs[i][0], open) == 0 &&
            strcmp(text + len - close, pairs[i][1]) == 0)
            return kns_arena_copy(arena, text + open, len - open - close);
    }
    return NULL;
}

static const char *site_of(struct kns_arena *arena, const char *text);

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

/* ---- cards: one link around title, text and site ---------------------------------------------------------------- */

/* True for a block below the title that lies in the title's own link. */
static bool in_card(const struct assigning *a, const struct item_pieces *item,
                    const struct piece *piece)
{
    const struct title *title = &a->parts[item->title_block].title;
    const GumboNode *link = a->blocks->tokens[title->link].node;

    return piece->row > 0 && link != NULL && opens(&a->blocks->tokens[title->link]) &&
           node_contains(link, a->blocks->blocks[piece->block].node);
}

static bool has_picture(const GumboNode *node)
{
    for (struct walk walk = walk_from(node); walk.node != NULL; walk_next(&walk))
        if (walk.node->type == GUMBO_NODE_ELEMENT && walk.node->v.element.tag == GUMBO_TAG_IMG)
            return true;
    return false;
}

/* The text up to where its element ends: "Site" of <span>Site</span><span>Author</span>. */
static const char *first_run(const struct assigning *a, const struct piece *piece)
{
    const struct token *first = text_token(a, piece, false);
    size_t end = piece->from.token;

    while (end < piece->to &&
           (a->blocks->tokens[end].type != TOKEN_TEXT ||
            text_is_blank(a->blocks->tokens[end].text, strlen(a->blocks->tokens[end].text)) ||
            a->blocks->tokens[end].node->parent == first->node->parent))
        end++;
    return blocks_text(a->blocks, piece->from, end);
}

/* The last line of a card, when it can be a name: behind a text, or with an icon. */
static const char *site_of_card(const struct assigning *a, const struct item_pieces *item,
                                const struct piece *piece)
{
    if (!in_card(a, item, piece) || text_token(a, piece, false) == NULL)
        return NULL;
    struct piece next = {.block = piece->block + 1, .row = 1};
    bool last = next.block >= a->blocks->count ||
                a->blocks->blocks[next.block].type != BLOCK_TEXT || !in_card(a, item, &next);
    const char *name = first_run(a, piece);
    bool marked = item->count > 0 || has_picture(a->blocks->blocks[piece->block].node);
    return last && marked && name != NULL && words_is_name(name) ? name : NULL;
}

/* ---- one piece -------------------------------------------------------------------------------------------------- */

/* The end of a piece without the "Read more" that it ends with, where that leads to the item's own article. */
static size_t without_more(const struct assigning *a, const struct piece *piece, const char *url)
{
    const struct blocks *blocks = a->blocks;

    for (size_t i = piece->to; i > piece->from.token; i--) {
        const struct token *token = &blocks->tokens[i - 1];
        if (token->type != TOKEN_OPEN || strcmp(token->name, "a") != 0)
            continue;
        size_t close = i;
        while (close < piece->to && !(blocks->tokens[close].type == TOKEN_CLOSE &&
                                      strcmp(blocks->tokens[close].name, "a") == 0))
            close++;
        const char *behind = blocks_text(blocks, (struct place){close, 0}, piece->to);
        const char *words = blocks_text(blocks, (struct place){i - 1, 0}, close);
        bool more = token->url != NULL && strcmp(token->url, url) == 0 && behind != NULL &&
                    words != NULL && kns_text_columns(behind) <= 2 &&
                    words_is_read_more(blocks->arena, words);
        return more ? i - 1 : piece->to;
    }
    return piece->to;
}

static bool add_piece(struct assigning *a, struct item_pieces *item, struct piece piece)
{
    const struct blocks *blocks = a->blocks;
    struct kns_newsletter_item *link = item->item;

    piece.to = without_more(a, &piece, link->url);
    if (blocks_is_blank(blocks, piece.from, piece.to))
        return true;
    piece.text = blocks_text(blocks, piece.from, piece.to);
    if (piece.text == NULL)
        return false;
    piece.role = role_of(a, item, &piece);
    bool own = is_own_link(a, &piece, link->url);
    const char *site = piece.role == ROLE_SITE ? piece.text : site_of(blocks->arena, piece.text);
    if (site == NULL)
        site = site_of_card(a, item, &piece);
    if (own && words_is_read_more(blocks->arena, piece.text))
        return true;
    bool placed = item->count == 0 || piece.role == ROLE_SITE || in_card(a, item, &piece);
    if (site != NULL && placed) {
        link->site = link->site == NULL ? site : link->site;
        return true;
    }
    /* "(5 min)", "(video)" behind the title: about the article, and nobody's words. */
    bool aside = piece.same_line && kns_text_columns(piece.text) <= MAX_ASIDE_COLUMNS &&
                 in_brackets(blocks->arena, piece.text) != NULL;
    if (piece.role == ROLE_META || aside)
        return true;
    if ((own && words_is_address(piece.text)) || (item->count == 0 && words_is_byline(piece.text)))
        return true;
    piece.inside = node_contains(item->container, blocks->blocks[piece.block].node);
    piece.looks = looks_of(a, &piece);
    item->pieces[item->count++] = piece;
    return true;
}

/* "example.com", alone or before a dot, dash or bar and the time it takes to read. */
static const char *site_of(struct kns_arena *arena, const char *text)
{
    const char *inside = in_brackets(arena, text);

    return words_is_host(text) ? text : inside != NULL && words_is_host(inside) ? inside : NULL;
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

    if (title->strength == LAST) {
        piece.from = (struct place){block->from, 0};
        piece.to = title->before;
    }
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
        if (a->parts[i].part == PART_MORE || block->caption)
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
        /* Of a card that is one link nothing but the article's words can be inside. */
        if (item->count > 0 && in_card(a, item, &item->pieces[item->count - 1]))
            continue;
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

/* ---- all of it -------------------------------------------------------------------------------------------------- */

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
    return roles_assign(&a);
}
