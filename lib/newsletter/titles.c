/* Titles by structure. Every block is asked whether it begins with a link that stands for itself, and how loudly; then each zone
 * (what lies between rules and headings) takes its loudest kind as titles, and the rest is content. */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"

#include <string.h>

static void measure_looks(struct judging *j)
{
    size_t all = 0, bold = 0, large = 0;

    for (size_t i = 0; i < j->blocks->token_count; i++) {
        const struct token *token = token_at(j, i);
        size_t len = token->type == TOKEN_TEXT ? strlen(token->text) : 0;
        all += len;
        bold += token->bold ? len : 0;
        large += token->large ? len : 0;
    }
    j->all_bold = 3 * bold > 2 * all;
    j->all_large = 2 * large > all;
}

static enum part first_judgement(struct judging *j, size_t i)
{
    const struct block *block = &j->blocks->blocks[i];
    struct title *title = &j->parts[i].title;

    switch (block->type) {
    case BLOCK_RULE:
        return PART_RULE;
    case BLOCK_GAP:
        return PART_GAP;
    case BLOCK_IMAGE:
        return wrapping_is_chrome(j, block) || wrapping_leads_back(j, block) ? PART_CHROME
                                                                             : PART_IMAGE;
    case BLOCK_VIDEO:
        *title = (struct title){
            .strength = VIDEO, .url = block->video, .after = {block->to, 0}, .line_end = block->to};
        return PART_IMAGE;
    default:
        break;
    }
    if (sign_is_rule(judging_block_text(j, block)))
        return PART_RULE;
    if (wrapping_is_chrome(j, block) || wrapping_leads_back(j, block))
        return PART_CHROME;
    judge_title(j, i, title);
    /* "Read more" alone is no title, whatever it looks like. */
    bool dressed =
        title->site != NULL || block->type == BLOCK_HEADING || judging_has_image(j, block);
    if (title->text != NULL && !dressed && words_is_read_more(j->arena, title->text)) {
        title->strength = NO_TITLE;
        return title->after.token >= block->to ||
                       blocks_is_blank(j->blocks, title->after, block->to)
                   ? PART_MORE
                   : PART_TEXT;
    }
    if (title->strength != NO_TITLE &&
        (judging_is_self(j, title->url) || words_is_chrome(j->arena, title->text, title->url)))
        title->strength = NO_TITLE;
    return PART_TEXT;
}

/* A number or bullet in a box of its own before a title is a sign, no text. */
static void drop_markers(struct judging *j)
{
    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct block *block = &j->blocks->blocks[i];
        if (j->parts[i].part != PART_TEXT || block->type != BLOCK_TEXT ||
            !text_is_marker(judging_block_text(j, block)))
            continue;
        size_t next = judging_next_text(j, i);
        if (next < j->blocks->count && j->parts[next].title.strength > NO_TITLE)
            j->parts[i] = (struct part_of){.part = PART_MORE};
    }
}

bool titles_judge(const struct blocks *blocks, const struct kns_newsletter_source *source,
                  struct part_of **ret_parts, const char **ret_masthead)
{
    struct judging j = {.blocks = blocks, .source = source, .arena = blocks->arena};

    j.parts = kns_arena_alloc(j.arena, (blocks->count + 1) * sizeof(*j.parts));
    if (j.parts == NULL)
        return false;
    measure_looks(&j);
    for (size_t i = 0; i < blocks->count; i++)
        j.parts[i].part = first_judgement(&j, i);
    drop_markers(&j);
    judge_footer(&j);
    judge_masthead(&j, ret_masthead);
    judge_headings(&j);
    if (!accept_titles(&j))
        return false;
    *ret_parts = j.parts;
    return !j.failed;
}
