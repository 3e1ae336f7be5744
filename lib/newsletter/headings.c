/* Headings of sections, and headings that are titles because of the link below them. */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"
#include "lib/text.h"

#include <string.h>

#define MAX_HEADING_COLUMNS 100
#define MAX_TITLE_COLUMNS 160
#define MAX_ITEM_BLOCKS 50 /* how far an item is looked through */

/* A paragraph without links, all of it bold or large, or behind a sign, too short for prose. */
static bool looks_like_heading(struct judging *j, const struct block *block)
{
    const char *text = judging_block_text(j, block);

    if (kns_text_columns(text) > MAX_HEADING_COLUMNS || judging_has_link(j, block))
        return false;
    /* A heading may ask or exclaim; a long one that ends as a sentence is prose that somebody made large. */
    if (block->type == BLOCK_HEADING)
        return kns_text_columns(text) <= 60 || !sign_ends_sentence(text);
    if (sign_ends_sentence(text))
        return false;
    return block->list == NULL && !block->quoted && kns_text_columns(text) <= 60 &&
           (judging_all_bold(j, block->from, block->to) || sign_before_heading(text) > 0);
}

/* "Read more" alone, at the end of a block: its link, or 0. */
static size_t read_more_link(struct judging *j, const struct block *block)
{
    for (size_t i = block->to; i > block->from; i--) {
        const struct token *token = token_at(j, i - 1);
        if (!opens_link(token) || token->url == NULL)
            continue;
        size_t close = judging_close(j, i - 1, block->to);
        if (!blocks_is_blank(j->blocks, (struct place){close, 0}, block->to) ||
            !words_is_read_more(j->arena, judging_text(j, (struct place){i - 1, 0}, close)))
            return 0;
        return i - 1;
    }
    return 0;
}

/* Where the picture right before a heading leads to, unless it is that of the item above. */
static bool find_picture_link(struct judging *j, size_t index, const char **ret_url)
{
    const struct block *before = index > 0 ? &j->blocks->blocks[index - 1] : NULL;
    const char *url = NULL;
    size_t above = index;

    if (before == NULL || j->parts[index - 1].part != PART_IMAGE)
        return false;
    for (size_t i = before->from; i < before->to && url == NULL; i++)
        if (opens_link(token_at(j, i)))
            url = token_at(j, i)->url;
    while (above > 0 && index - above < MAX_ITEM_BLOCKS &&
           j->parts[above - 1].title.strength == NO_TITLE)
        above--;
    if (url == NULL || words_is_chrome(j->arena, NULL, url) || judging_is_self(j, url) ||
        (above > 0 && judging_same_article(j, j->parts[above - 1].title.url, url)))
        return false;
    *ret_url = url;
    return true;
}

/* A heading without a link is an item's title when its text ends with "Read more", or the picture before it is a link. */
static bool find_more_link(struct judging *j, size_t index, const char **ret_url)
{
    const struct blocks *blocks = j->blocks;

    for (size_t i = index + 1; i < blocks->count; i++) {
        const struct block *block = &blocks->blocks[i];
        if (block->type == BLOCK_RULE || block->type == BLOCK_HEADING ||
            j->parts[i].title.strength >= BOLD || looks_like_heading(j, block))
            break;
        size_t link = read_more_link(j, block);
        if (link == 0)
            continue;
        *ret_url = token_at(j, link)->url;
        return !words_is_chrome(j->arena, NULL, *ret_url) && !judging_is_self(j, *ret_url);
    }
    return find_picture_link(j, index, ret_url);
}

/* A line that is only a link and shows where it leads: "https://example.com/a", "example.com/a". */
static bool shows_address(const struct part_of *part)
{
    const struct title *title = &part->title;

    return part->part == PART_TEXT &&
           (title->strength == BARE_ADDRESS || (title->strength == ALONE && title->text != NULL &&
                                                words_is_bare_address(title->text)));
}

/* A heading without a link as the title of an item; the number that it is counted by is none of it. */
static struct title heading_title(struct judging *j, const struct block *block, const char *url)
{
    const char *text = judging_block_text(j, block);
    size_t digits = strspn(text, "0123456789");
    bool counted = digits > 0 && digits <= 2 && (text[digits] == '.' || text[digits] == ')') &&
                   text[digits + 1] == ' ' && text[digits + 2] != '\0';

    return (struct title){.strength = block->type == BLOCK_HEADING ? HEADING : BOLD,
                          .url = url,
                          .text = counted ? text + digits + 2 : text,
                          .link = block->from,
                          .after = {block->to, 0},
                          .line_end = block->to};
}

/* A heading or bold line whose address stands right below it is a title. */
static bool take_address_below(struct judging *j, size_t index)
{
    const struct block *block = &j->blocks->blocks[index];
    size_t below = judging_next_text(j, index);

    if (below == j->blocks->count || !shows_address(&j->parts[below]) ||
        judging_has_link(j, block) ||
        (block->type != BLOCK_HEADING && !judging_all_bold(j, block->from, block->to)))
        return false;
    const char *text = judging_block_text(j, block);
    if (kns_text_columns(text) > MAX_TITLE_COLUMNS)
        return false;
    j->parts[index].title = heading_title(j, block, j->parts[below].title.url);
    j->parts[below] = (struct part_of){.part = PART_MORE};
    return true;
}

/* The block with the address that all text under a heading ends with; blocks->count: there is none, or several. */
static size_t find_address_at_end(const struct judging *j, size_t heading)
{
    size_t n = j->blocks->count, found = n;

    for (size_t i = heading + 1; i < n && i - heading < MAX_ITEM_BLOCKS; i++) {
        const struct part_of *part = &j->parts[i];
        if (part->part == PART_RULE || part->part == PART_CHROME ||
            j->blocks->blocks[i].type == BLOCK_HEADING)
            break;
        if (part->part != PART_TEXT)
            continue;
        if (found < n)
            return n;
        if (shows_address(part))
            found = i;
        else if (part->title.strength >= ALONE)
            return n;
    }
    return found;
}

/* Headings of one level, two or more of them, each with a text that ends with an address: titles of items. */
static void judge_addresses_at_end(struct judging *j, size_t begin)
{
    size_t count[7] = {0};

    for (int pass = 0; pass < 2; pass++)
        for (size_t i = begin; i < j->blocks->count; i++) {
            const struct block *block = &j->blocks->blocks[i];
            struct part_of *part = &j->parts[i];
            if (block->type != BLOCK_HEADING || part->part != PART_TEXT ||
                part->title.strength != NO_TITLE || judging_has_link(j, block))
                continue;
            size_t at = find_address_at_end(j, i);
            count[block->level] += pass == 0 && at < j->blocks->count;
            if (pass == 0 || at == j->blocks->count || count[block->level] < 2)
                continue;
            part->title = heading_title(j, block, j->parts[at].title.url);
            j->parts[at] = (struct part_of){.part = PART_MORE};
        }
}

static bool has_rule(const struct judging *j)
{
    for (size_t i = 0; i < j->blocks->count; i++)
        if (j->parts[i].part == PART_RULE)
            return true;
    return false;
}

void judge_headings(struct judging *j)
{
    bool titles = false, ruled = has_rule(j);

    size_t begin = items_begin(j);
    judge_addresses_at_end(j, begin);
    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct block *block = &j->blocks->blocks[i];
        struct part_of *part = &j->parts[i];
        /* Before the first rule, where there is one, prose with links is mostly an introduction. */
        ruled = ruled && part->part != PART_RULE;
        titles = !ruled && (titles || part->title.strength >= ALONE);
        if (part->part != PART_TEXT || part->title.strength != NO_TITLE)
            continue;
        if ((i >= begin && take_address_below(j, i)) || !looks_like_heading(j, block))
            continue;
        const char *url;
        if (i >= begin && find_more_link(j, i, &url)) {
            part->title = heading_title(j, block, url);
            continue;
        }
        size_t next = judging_next_text(j, i);
        bool leads = next < j->blocks->count &&
                     (j->parts[next].title.strength >= FLOWING || j->parts[next].part == PART_RULE);
        if (block->type == BLOCK_HEADING || !titles || leads) {
            const char *text = judging_block_text(j, block);
            part->part = PART_HEADING;
            part->text = block->type == BLOCK_HEADING ? text : text + sign_before_heading(text);
        }
    }
}
