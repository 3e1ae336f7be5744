/* What newsletters put around their content: the masthead, lists to leave, pages to share. */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"

#include <string.h>

/* A block that is mostly links to lists, share pages and the like, or says so in small print. */
bool wrapping_is_chrome(struct judging *j, const struct block *block)
{
    const char *text = judging_block_text(j, block);
    size_t all = strlen(text), chrome = 0;

    if (words_is_small_print(text))
        return true;
    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (!opens_link(token) || token->url == NULL)
            continue;
        size_t close = judging_close(j, i, block->to);
        const char *words = judging_text(j, (struct place){i, 0}, close);
        if (words_is_chrome(j->arena, words, token->url))
            chrome += strlen(words) + 3;
        i = close;
    }
    return chrome > 0 && 2 * chrome >= all;
}

/* A line of links that all lead nowhere but back: masthead, navigation. */
bool wrapping_leads_back(struct judging *j, const struct block *block)
{
    bool any = false;

    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (!opens_link(token) || token->url == NULL)
            continue;
        if (!judging_is_self(j, token->url))
            return false;
        any = true;
    }
    return any;
}

/* The only first-level heading, before everything else, is the title. */
static size_t find_masthead(struct judging *j)
{
    size_t found = j->blocks->count;

    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct block *block = &j->blocks->blocks[i];
        if (block->type != BLOCK_HEADING)
            continue;
        const char *text = judging_block_text(j, block);
        bool named = j->source->title != NULL && strcmp(text, j->source->title) == 0;
        if (found < j->blocks->count && block->level == 1)
            return j->blocks->count;
        if (found == j->blocks->count && block->level != 1 && !named)
            return found;
        if (found == j->blocks->count)
            found = i;
    }
    return found;
}

/* What comes up to the title and is no prose: its own line, the date, the number. */
void judge_masthead(struct judging *j, const char **ret_masthead)
{
    size_t found = find_masthead(j);
    bool prose = false;

    /* Mails say their name in large letters, and in <title>. */
    for (size_t i = 0; found == j->blocks->count && j->source->title != NULL && i < found; i++) {
        if (j->parts[i].part == PART_TEXT &&
            strcmp(judging_block_text(j, &j->blocks->blocks[i]), j->source->title) == 0)
            found = i;
        if (j->parts[i].title.strength >= ALONE)
            break;
    }

    if (found < j->blocks->count) {
        j->parts[found].part = PART_MASTHEAD;
        j->parts[found].title.strength = NO_TITLE;
        *ret_masthead = judging_block_text(j, &j->blocks->blocks[found]);
    }
    for (size_t i = 0; i < j->blocks->count && !prose; i++) {
        struct part_of *part = &j->parts[i];
        if (part->part == PART_IMAGE && found < j->blocks->count && i < found)
            part->part = PART_MASTHEAD;
        if (part->part != PART_TEXT)
            continue;
        prose = part->title.strength > NO_TITLE ||
                !words_is_dateline(judging_block_text(j, &j->blocks->blocks[i]));
        if (!prose)
            part->part = PART_MASTHEAD;
    }
}
