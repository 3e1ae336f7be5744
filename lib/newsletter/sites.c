/* What stands behind a title on its line: a dash, the site's name. */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"
#include "lib/text.h"

#include <ctype.h>
#include <string.h>

/* True for a block that begins with a link: another item's, most likely. */
static bool begins_with_link(const struct judging *j, const struct block *block)
{
    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (opens_link(token) && token->url != NULL)
            return true;
        if (token->type == TOKEN_TEXT && !text_is_marker(token->text))
            return false;
    }
    return false;
}

/* True when the item's text goes on behind this line. */
static bool more_follows(const struct judging *j, size_t index, size_t line_end)
{
    const struct blocks *blocks = j->blocks;
    const struct block *block = &blocks->blocks[index];

    if (!blocks_is_blank(blocks, (struct place){line_end, 0}, block->to))
        return true;
    if (block->list != NULL)
        return false;
    for (size_t i = index + 1; i < blocks->count; i++)
        if (blocks->blocks[i].type != BLOCK_GAP)
            return blocks->blocks[i].type == BLOCK_TEXT && !begins_with_link(j, &blocks->blocks[i]);
    return false;
}

/* A second link beside the title: to the same article, or one that is named like a site. */
static bool take_site_link(struct judging *j, struct title *title, struct place at, size_t end)
{
    size_t open = at.token;

    while (open > title->link && !opens_link(token_at(j, open)))
        open--;
    const struct token *link = token_at(j, open);
    if (open <= title->link || judging_close(j, open, end) <= at.token || link->url == NULL)
        return false;
    size_t close = judging_close(j, open, end);
    const char *text = judging_text(j, (struct place){open, 0}, close);
    if (!words_is_host(text) &&
        !(words_is_name(text) && judging_same_article(j, link->url, title->url)))
        return false;
    title->site = text;
    title->site_linked = true;
    title->after = (struct place){close, 0};
    return true;
}

/* The place behind a character, looked for from a place up to end; false: it is not there. */
static bool find_character(const struct judging *j, int32_t wanted, struct place at, size_t end,
                           struct place *ret_before)
{
    for (int32_t c = judging_peek(j, &at, end); c != 0; c = judging_peek(j, &at, end)) {
        if (c == wanted) {
            *ret_before = at;
            return true;
        }
        judging_step(j, &at);
    }
    return false;
}

static const char *text_up_to(struct judging *j, struct place from, struct place to)
{
    const char *rest = judging_text(j, from, to.token + 1);
    const char *tail = judging_text(j, to, to.token + 1);
    size_t len = strlen(rest), tail_len = strlen(tail);
    char *copy = kns_arena_copy(j->arena, rest, len >= tail_len ? len - tail_len : 0);
    const char *text = copy == NULL ? NULL : kns_text_squeeze(j->arena, copy);

    j->failed = j->failed || text == NULL;
    return text == NULL ? "" : text;
}

/* "(example.com)", "[Example]" with a link to the article in it. True when the bracket was the site's. */
static bool take_bracket(struct judging *j, struct title *title, int32_t closing, struct place at,
                         size_t end)
{
    struct place inside = at, closed;

    judging_step(j, &inside);
    if (!find_character(j, closing, inside, end, &closed))
        return false;
    struct place first = inside;
    judging_peek(j, &first, end);
    const char *text = text_up_to(j, inside, closed);
    if (!words_is_host(text) && !take_site_link(j, title, first, end))
        return false;
    title->site = text;
    judging_step(j, &closed);
    title->after = closed;
    return true;
}

/* True when there is white space right before a place. */
static bool is_apart(const struct judging *j, const struct place *at)
{
    const struct token *token = token_at(j, at->token);
    size_t before = at->offset;

    for (size_t i = at->token; token->type == TOKEN_TEXT && before == 0 && i > 0;) {
        token = token_at(j, --i);
        while (i > 0 && (token->type != TOKEN_TEXT || *token->text == '\0'))
            token = token_at(j, --i);
        before = token->type == TOKEN_TEXT ? strlen(token->text) : 0;
        break;
    }
    return before > 0 && token->type == TOKEN_TEXT &&
           isspace((unsigned char)token->text[before - 1]);
}

static bool is_double_slash(const struct judging *j, const struct place *at)
{
    const struct token *token = token_at(j, at->token);

    return token->type == TOKEN_TEXT && strncmp(token->text + at->offset, "//", 2) == 0;
}

/* Reads over dashes and the like; a slash is one where it stands apart or twice. Returns the last one; 0: there was none. */
static int32_t skip_separators(const struct judging *j, struct place *at, size_t end)
{
    int32_t last = 0;

    for (int32_t c = judging_peek(j, at, end); c != 0; c = judging_peek(j, at, end)) {
        if (!sign_separates(c) &&
            !(c == '/' && (last == '/' || is_apart(j, at) || is_double_slash(j, at))))
            break;
        judging_step(j, at);
        last = c;
    }
    return last;
}

/* The end of a line without the links to where the article is discussed that it ends with. */
static size_t without_discussions(struct judging *j, const struct title *title)
{
    size_t end = title->line_end;

    for (size_t i = end; i > title->after.token; i--) {
        const struct token *token = token_at(j, i - 1);
        if (token->type == TOKEN_TEXT)
            continue;
        if (!opens_link(token))
            continue;
        size_t close = judging_close(j, i - 1, end);
        const char *behind = judging_text(j, (struct place){close, 0}, end);
        const char *words = judging_text(j, (struct place){i - 1, 0}, close);
        if (kns_text_columns(behind) > 3 || !words_is_discussion(j->arena, words))
            break;
        end = i - 1;
    }
    return end;
}

/* The site's name behind a sign: a host, or a name where the sign says so or the item's text goes on below. */
static bool take_site_name(struct judging *j, struct title *title, size_t index, struct place at,
                           size_t end, int32_t sign)
{
    const char *text = judging_text(j, at, end);
    /* A name in which something else is linked is a sentence. */
    for (size_t i = at.token; i < end; i++)
        if (opens_link(token_at(j, i)) && token_at(j, i)->url != NULL)
            return false;
    bool certain = sign == '/' || sign == '|' || sign == 0xff5c;

    if (*text == '\0' || (!words_is_host(text) &&
                          !(words_is_name(text) && (certain || more_follows(j, index, end)))))
        return false;
    title->site = text;
    title->after = (struct place){end, 0};
    return true;
}

/* What stands behind the title on its line: a dash, the site's name, a dash; who wrote it; where it is discussed. */
void judge_site(struct judging *j, struct title *title, size_t index)
{
    size_t end = without_discussions(j, title);
    struct place at = title->after;
    int32_t sign = skip_separators(j, &at, end);
    int32_t next = judging_peek(j, &at, end);
    int32_t closing = sign_closing_bracket(next);

    title->separated = sign != 0;
    if (next == 0 || words_is_byline(judging_text(j, at, end))) {
        if (end < title->line_end || next != 0)
            title->after = (struct place){title->line_end, 0};
        return;
    }
    bool found =
        closing != 0 ? take_bracket(j, title, closing, at, end) : take_site_link(j, title, at, end);
    if (!found && sign != 0)
        found = take_site_name(j, title, index, at, end, sign);
    struct place behind = title->after;
    if (found)
        title->separated = skip_separators(j, &behind, end) != 0;
    if (title->separated)
        title->after = found ? behind : at;
    if (end < title->line_end && judging_peek(j, &behind, end) == 0)
        title->after = (struct place){title->line_end, 0};
}
