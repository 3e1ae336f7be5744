/* What newsletters put around their content: the masthead, lists to leave, pages to share. */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"

#include "lib/text.h"

#include <string.h>

#define MAX_CREDIT_COLUMNS 60
#define MAX_LINE_COLUMNS 120

/* How much of a block's text is links to lists, share pages and the like. */
struct share {
    size_t chrome; /* bytes */
    bool others;   /* there are links that lead elsewhere */
    bool any;
};

static struct share measure(struct judging *j, const struct block *block)
{
    struct share share = {0};

    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (!opens_link(token) || token->url == NULL)
            continue;
        size_t close = judging_close(j, i, block->to);
        const char *words = judging_text(j, (struct place){i, 0}, close);
        bool chrome = words_is_chrome(j->arena, words, token->url);
        share.any = share.any || chrome;
        share.chrome += chrome ? strlen(words) + 3 : 0;
        share.others = share.others || (!chrome && !judging_is_self(j, token->url));
        i = close;
    }
    return share;
}

/* A block that is mostly links to lists, share pages and the like, a line with no other links, or small print. */
bool wrapping_is_chrome(struct judging *j, const struct block *block)
{
    const char *text = judging_block_text(j, block);
    int columns = kns_text_columns(text);

    if (words_is_small_print(text))
        return true;
    struct share share = measure(j, block);
    if (!share.any)
        return false;
    return 2 * share.chrome >= strlen(text) ||
           (!share.others && columns <= MAX_LINE_COLUMNS && !sign_ends_sentence(text));
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

/* ---- below ------------------------------------------------------------------------------------------------------ */

static bool is_in_footer(const struct block *block)
{
    for (const GumboNode *at = block->node; at != NULL && at->type == GUMBO_NODE_ELEMENT;
         at = at->parent) {
        GumboTag tag = at->v.element.tag;
        if (tag == GUMBO_TAG_FOOTER || tag == GUMBO_TAG_ADDRESS ||
            words_is_footer(attribute_of(at, "class")) || words_is_footer(attribute_of(at, "id")))
            return true;
    }
    return false;
}

/* Who sends it and with what, in a few words. */
static bool is_credit(struct judging *j, const struct block *block)
{
    const char *text = judging_block_text(j, block);

    return kns_text_columns(text) <= MAX_CREDIT_COLUMNS && words_is_credit(text);
}

void judge_footer(struct judging *j)
{
    for (size_t i = j->blocks->count; i > 0; i--) {
        struct part_of *part = &j->parts[i - 1];
        bool silent = part->part == PART_GAP || part->part == PART_RULE ||
                      part->part == PART_IMAGE || part->part == PART_CHROME;
        const struct block *block = &j->blocks->blocks[i - 1];
        bool below = is_in_footer(block) || (part->part == PART_TEXT && is_credit(j, block));
        if (!silent && !below)
            return;
        if (below && part->part != PART_RULE)
            *part = (struct part_of){.part = PART_CHROME};
    }
}

/* ---- above ------------------------------------------------------------------------------------------------------ */

/* A heading with the number in it, before everything that is content. Where the title is known, it is that number. */
static size_t find_numbered(struct judging *j)
{
    int64_t known = j->source->title == NULL ? 0 : kns_newsletter_number(j->source->title);

    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct block *block = &j->blocks->blocks[i];
        if (j->parts[i].part != PART_TEXT)
            continue;
        if (block->type != BLOCK_HEADING && words_is_dateline(judging_block_text(j, block)))
            continue;
        int64_t number = kns_newsletter_number(judging_block_text(j, block));
        bool numbered = block->type == BLOCK_HEADING && j->parts[i].title.strength == NO_TITLE &&
                        number > 0 && (known > 0 ? number == known : block->level == 1);
        return numbered ? i : j->blocks->count;
    }
    return j->blocks->count;
}

/* The only first-level heading, before everything else, is the title. */
static size_t find_masthead(struct judging *j)
{
    size_t found = find_numbered(j);

    if (found < j->blocks->count)
        return found;
    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct block *block = &j->blocks->blocks[i];
        if (block->type != BLOCK_HEADING || j->parts[i].part == PART_CHROME)
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

/* A heading right below the title, deeper than those of the sections: a subtitle. */
static size_t find_subtitle(const struct judging *j, size_t masthead)
{
    const struct block *blocks = j->blocks->blocks;
    size_t n = j->blocks->count, at = masthead < n ? judging_next_text(j, masthead) : n;

    if (at == n || blocks[at].type != BLOCK_HEADING || j->parts[at].title.strength != NO_TITLE ||
        blocks[at].level <= blocks[masthead].level)
        return n;
    for (size_t i = at + 1; i < n; i++)
        if (blocks[i].type == BLOCK_HEADING && blocks[i].level > blocks[masthead].level &&
            blocks[i].level < blocks[at].level)
            return at;
    return n;
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
    size_t subtitle = find_subtitle(j, found);
    if (subtitle < j->blocks->count)
        j->parts[subtitle].part = PART_MASTHEAD;
    for (size_t i = 0; i < j->blocks->count && !prose; i++) {
        struct part_of *part = &j->parts[i];
        if (part->part == PART_IMAGE && found < j->blocks->count && i < found)
            part->part = PART_MASTHEAD;
        if (part->part != PART_TEXT)
            continue;
        const char *text = judging_block_text(j, &j->blocks->blocks[i]);
        prose =
            part->title.strength > NO_TITLE || !(words_is_dateline(text) || words_is_byline(text));
        if (!prose)
            part->part = PART_MASTHEAD;
    }
}
