/* Headings of sections, and headings that are titles because of the link below them. */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"
#include "lib/text.h"

#include <string.h>

#define MAX_HEADING_COLUMNS 100

/* A paragraph without links, all of it bold or large, or behind a sign, too short for prose. */
static bool looks_like_heading(struct judging *j, const struct block *block)
{
    const char *text = judging_block_text(j, block);

    if (kns_text_columns(text) > MAX_HEADING_COLUMNS || judging_has_link(j, block) ||
        sign_ends_sentence(text))
        return false;
    if (block->type == BLOCK_HEADING)
        return true;
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
    const struct block *before = index > 0 ? &blocks->blocks[index - 1] : NULL;
    if (before == NULL || before->type != BLOCK_IMAGE)
        return false;
    for (size_t i = before->from; i < before->to; i++)
        if (opens_link(token_at(j, i)) && token_at(j, i)->url != NULL) {
            *ret_url = token_at(j, i)->url;
            return !words_is_chrome(j->arena, NULL, *ret_url) && !judging_is_self(j, *ret_url);
        }
    return false;
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

    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct block *block = &j->blocks->blocks[i];
        struct part_of *part = &j->parts[i];
        /* Before the first rule, where there is one, prose with links is mostly an introduction. */
        ruled = ruled && part->part != PART_RULE;
        titles = !ruled && (titles || part->title.strength >= ALONE);
        if (part->part != PART_TEXT || part->title.strength != NO_TITLE ||
            !looks_like_heading(j, block))
            continue;
        const char *url;
        if (find_more_link(j, i, &url)) {
            part->title = (struct title){.strength = HEADING,
                                         .url = url,
                                         .text = judging_block_text(j, block),
                                         .link = block->from,
                                         .after = {block->to, 0},
                                         .line_end = block->to};
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
