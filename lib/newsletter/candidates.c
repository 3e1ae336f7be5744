/* Does a block begin with a link that stands for itself, and how loudly? */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"
#include "lib/text.h"
#include "lib/url.h"

#include <string.h>

#define MAX_TITLE_COLUMNS 160

/* The first thing to read in a block: its token, and the link around it; false: it is in no link. */
static bool find_lead(const struct judging *j, const struct block *block, size_t *ret_text,
                      size_t *ret_link)
{
    size_t link = block->to, close = 0;

    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (opens_link(token) && token->url != NULL) {
            link = i;
            close = judging_close(j, i, block->to);
        }
        if (i >= close)
            link = block->to;
        if (token->type != TOKEN_TEXT || text_is_blank(token->text, strlen(token->text)))
            continue;
        if (link < block->to) {
            *ret_text = i;
            *ret_link = link;
            return true;
        }
        if (!text_is_marker(token->text))
            return false;
    }
    return false;
}

/* Some programs cut a title's link in two; some put half of it in bold. */
static size_t join_links(const struct judging *j, size_t link, size_t end)
{
    size_t close = judging_close(j, link, end);

    for (size_t i = close + 1; i < end; i++) {
        const struct token *token = token_at(j, i);
        if (token->type == TOKEN_BREAK ||
            (token->type == TOKEN_TEXT && !text_is_blank(token->text, strlen(token->text))))
            break;
        if (opens_link(token)) {
            if (token->url == NULL || strcmp(token->url, token_at(j, link)->url) != 0)
                break;
            close = i = judging_close(j, i, end);
        }
    }
    return close;
}

/* A link around several lines has its title in the first, unless all of them look the same. */
static size_t title_end(const struct judging *j, const struct block *block, size_t first,
                        size_t close)
{
    size_t end = line_end_of(j->blocks, block, first);
    bool bold = judging_all_bold(j, first, end);

    if (end >= close)
        return close;
    if (blocks_is_blank(j->blocks, (struct place){end, 0}, close))
        return end;
    return block->type == BLOCK_HEADING || bold == judging_all_bold(j, end, close) ? close : end;
}

static enum strength strength_of(const struct judging *j, const struct block *block,
                                 const struct title *title, bool bold)
{
    struct place at = title->after;
    int32_t next = judging_peek(j, &at, title->line_end);
    bool ends =
        next == 0 || title->separated || title->site != NULL || sign_closing_bracket(next) != 0;

    if (block->type == BLOCK_HEADING)
        return HEADING;
    if (ends && bold)
        return BOLD;
    if (ends && block->term)
        return TERM;
    /* In a list, "Title. What is said of it." */
    bool stop = block->list != NULL && (next == '.' || next == 0x3002);
    if ((ends || stop) && block->list != NULL)
        return ENTRY;
    if (next == 0)
        return ALONE;
    if (ends)
        return LEADING;
    if (sign_goes_on(next))
        return NO_TITLE;
    return bold ? BOLD_FLOWING : FLOWING;
}

/* An address alone: "[embed https://…]" as archives have it, or a bare one. */
static bool take_address(struct judging *j, const struct block *block, struct title *ret)
{
    const char *text = judging_block_text(j, block);
    bool bracket = *text == '[';
    const char *from = bracket ? text + 1 : text;

    if (bracket && strncmp(from, "http", 4) != 0)
        from += strcspn(from, " ]") + (from[strcspn(from, " ]")] == ' ');
    size_t len = strlen(from);
    if (bracket && len > 0 && from[len - 1] == ']')
        len--;
    else if (bracket)
        return false;
    const char *address = kns_arena_copy(j->arena, from, len);
    if (address == NULL || !words_is_address(address) || !kns_url_is_web(address))
        return false;
    *ret = (struct title){.strength = bracket ? EMBEDDED : BARE_ADDRESS,
                          .url = kns_url_clean(j->arena, address),
                          .after = {block->to, 0},
                          .line_end = block->to};
    return ret->url != NULL;
}

/* "Title", and on the next line its address and nothing else. */
static bool take_lines(struct judging *j, const struct block *block, struct title *ret)
{
    size_t end = line_end_of(j->blocks, block, block->from);
    size_t link = end, text = end;

    if (end == block->to)
        return false;
    struct block below = *block;
    below.from = end + 1;
    below.to = line_end_of(j->blocks, block, end + 1);
    const char *title = judging_text(j, (struct place){block->from, 0}, end);
    for (size_t i = block->from; i < end; i++)
        if (opens_link(token_at(j, i)) && token_at(j, i)->url != NULL)
            return false;
    if (*title == '\0' || kns_text_columns(title) > MAX_TITLE_COLUMNS ||
        !find_lead(j, &below, &text, &link))
        return false;
    const char *address = judging_text(j, (struct place){text, 0}, below.to);
    bool bold = judging_all_bold(j, block->from, end);
    bool announces = words_end_with(title, ":") || words_end_with(title, "：");
    if (!(words_is_address(address) || words_is_bare_address(address)) ||
        (!bold && (announces || sign_ends_sentence(title))))
        return false;
    size_t sign = sign_before_heading(title);
    *ret = (struct title){.strength = bold || sign > 0 ? BOLD : ALONE,
                          .url = token_at(j, link)->url,
                          .text = title + sign,
                          .link = link,
                          .after = {below.to, 0},
                          .line_end = below.to};
    return true;
}

/* An entry that says something and ends with its link: "What is said of it. Title". */
static bool take_last_link(struct judging *j, const struct block *block, struct title *ret)
{
    size_t link = block->to;

    if (block->list == NULL)
        return false;
    for (size_t i = block->from; i < block->to; i++)
        if (opens_link(token_at(j, i)) && token_at(j, i)->url != NULL)
            link = i;
    if (link == block->to)
        return false;
    size_t close = judging_close(j, link, block->to);
    const char *behind = judging_text(j, (struct place){close, 0}, block->to);
    const char *before = judging_text(j, (struct place){block->from, 0}, link);
    const char *text = judging_text(j, (struct place){link, 0}, close);
    if (kns_text_columns(behind) > 2 || !sign_ends_statement(before) || *text == '\0' ||
        words_is_read_more(j->arena, text))
        return false;
    *ret = (struct title){.strength = LAST,
                          .url = token_at(j, link)->url,
                          .text = words_is_address(text) ? NULL : text,
                          .link = link,
                          .before = link,
                          .after = {block->to, 0},
                          .line_end = block->to};
    return true;
}

/* A heading that begins with words and has one link that is most of it. */
static bool find_heading_link(struct judging *j, const struct block *block, size_t *ret_link)
{
    size_t all = strlen(judging_block_text(j, block));

    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (!opens_link(token) || token->url == NULL)
            continue;
        size_t close = judging_close(j, i, block->to);
        if (2 * strlen(judging_text(j, (struct place){i, 0}, close)) >= all) {
            *ret_link = i;
            return true;
        }
        i = close;
    }
    return false;
}

/* The elements from the link out to its block, and how they are styled. */
static uint64_t markup_of(const struct judging *j, const struct block *block, size_t link)
{
    uint64_t hash = 1469598103934665603u;

    for (const GumboNode *at = token_at(j, link)->node; at != NULL; at = at->parent) {
        const char *style = attribute_of(at, "style");
        if (at->type != GUMBO_NODE_ELEMENT)
            break;
        hash = (hash ^ (uint64_t)at->v.element.tag) * 1099511628211u;
        for (; style != NULL && *style != '\0'; style++)
            hash = (hash ^ (unsigned char)*style) * 1099511628211u;
        if (at == block->node)
            break;
    }
    return hash;
}

void judge_title(struct judging *j, size_t index, struct title *ret)
{
    const struct block *block = &j->blocks->blocks[index];
    size_t first = block->from, link;

    if (take_address(j, block, ret))
        return;
    if (!find_lead(j, block, &first, &link)) {
        if (take_lines(j, block, ret) || take_last_link(j, block, ret))
            return;
        if (block->type != BLOCK_HEADING || !find_heading_link(j, block, &link))
            return;
        *ret = (struct title){.strength = HEADING,
                              .url = token_at(j, link)->url,
                              .text = judging_block_text(j, block),
                              .link = link,
                              .after = {block->to, 0},
                              .line_end = block->to};
        return;
    }
    struct title title = {.url = token_at(j, link)->url, .link = link};
    size_t end = title_end(j, block, first, join_links(j, link, block->to));
    title.text = judging_text(j, (struct place){first, 0}, end);
    title.line_end = line_end_of(j->blocks, block, end);
    title.after = (struct place){end, 0};
    bool bold = judging_all_bold(j, first, end);
    judge_site(j, &title, index);
    struct place stop = title.after;
    int32_t next = block->list == NULL ? 0 : judging_peek(j, &stop, title.line_end);
    title.strength = strength_of(j, block, &title, bold);
    title.markup = markup_of(j, block, link);
    if (next == '.' || next == 0x3002) {
        judging_step(j, &stop);
        title.after = stop;
    }
    /* What is set as a title is one, even when it is an address. */
    if (words_is_address(title.text) && title.strength < BOLD) {
        title.text = NULL;
        title.strength = title.strength == ALONE ? BARE_ADDRESS : title.strength;
    }
    if (title.strength != NO_TITLE)
        *ret = title;
}
