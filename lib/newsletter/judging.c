/* What every judgement asks of a block: its text, its links, its looks. */
#include "lib/newsletter/judging.h"

#include "lib/newsletter/words.h"
#include "lib/text.h"
#include "lib/url.h"

#include <string.h>

size_t line_end_of(const struct blocks *blocks, const struct block *block, size_t from)
{
    while (from < block->to && blocks->tokens[from].type != TOKEN_BREAK)
        from++;
    return from;
}

const struct token *token_at(const struct judging *j, size_t i)
{
    return &j->blocks->tokens[i];
}

bool opens_link(const struct token *token)
{
    return token->type == TOKEN_OPEN && strcmp(token->name, "a") == 0;
}

/* The token that closes what opens at i, at most end. */
size_t judging_close(const struct judging *j, size_t i, size_t end)
{
    int depth = 0;

    for (; i < end; i++) {
        const struct token *token = token_at(j, i);
        depth += token->type == TOKEN_OPEN;
        depth -= token->type == TOKEN_CLOSE;
        if (depth == 0)
            break;
    }
    return i;
}

const char *judging_text(struct judging *j, struct place from, size_t to)
{
    const char *text = blocks_text(j->blocks, from, to);

    j->failed = j->failed || text == NULL;
    return text == NULL ? "" : text;
}

const char *judging_block_text(struct judging *j, const struct block *block)
{
    return judging_text(j, (struct place){block->from, 0}, block->to);
}

bool judging_same_article(struct judging *j, const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    const char *key_a = kns_url_variant_key(j->arena, a), *key_b = kns_url_variant_key(j->arena, b);
    return key_a != NULL && key_b != NULL && strcmp(key_a, key_b) == 0;
}

/* The next visible character from a place on, up to end; 0: none. Moves the place to it. */
int32_t judging_peek(const struct judging *j, struct place *at, size_t end)
{
    while (at->token < end) {
        const struct token *token = token_at(j, at->token);
        const char *rest = token->type == TOKEN_TEXT ? token->text + at->offset : "";
        if (*rest == '\0') {
            at->token++;
            at->offset = 0;
            continue;
        }
        int32_t c = 0;
        size_t step = kns_text_next(rest, strlen(rest), &c);
        if (!sign_is_space(c))
            return c;
        at->offset += step;
    }
    return 0;
}

void judging_step(const struct judging *j, struct place *at)
{
    const char *rest = token_at(j, at->token)->text + at->offset;
    int32_t c = 0;

    at->offset += kns_text_next(rest, strlen(rest), &c);
}

bool judging_is_self(struct judging *j, const char *url)
{
    return words_is_self(j->arena, url, j->source->url, j->source->home);
}

bool judging_has_link(const struct judging *j, const struct block *block)
{
    for (size_t i = block->from; i < block->to; i++)
        if (opens_link(token_at(j, i)) && token_at(j, i)->url != NULL)
            return true;
    return false;
}

bool judging_has_image(const struct judging *j, const struct block *block)
{
    for (size_t i = block->from; i < block->to; i++)
        if (token_at(j, i)->type == TOKEN_IMAGE)
            return true;
    return false;
}

bool judging_all_bold(const struct judging *j, size_t from, size_t to)
{
    bool any = false;

    for (size_t i = from; i < to; i++) {
        const struct token *token = token_at(j, i);
        if (token->type != TOKEN_TEXT || text_is_blank(token->text, strlen(token->text)))
            continue;
        if (!(token->bold && !j->all_bold) && !(token->large && !j->all_large))
            return false;
        any = true;
    }
    return any;
}

/* The next block that is no gap and no picture; blocks->count: none. */
size_t judging_next_text(const struct judging *j, size_t i)
{
    for (i++; i < j->blocks->count; i++)
        if (j->parts[i].part != PART_GAP && j->parts[i].part != PART_IMAGE)
            break;
    return i;
}

/* A link alone and a link with a dash and text are one kind of title: the second has something said about it. */
enum strength title_kind(const struct title *title)
{
    return title->strength == LEADING ? ALONE : title->strength;
}
