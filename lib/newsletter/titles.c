/* Titles by structure. Every block is asked whether it begins with a link that stands for itself, and how loudly; then each zone
 * (what lies between rules and headings) takes its loudest kind as titles, and the rest is content. */
#include "lib/newsletter/titles.h"

#include "lib/newsletter/words.h"
#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HEADING_COLUMNS 100
#define MAX_SITE_COLUMNS 40
#define MAX_MARKER 24 /* bytes of a number, bullet or emoji before a link */

struct judging {
    const struct blocks *blocks;
    const struct kns_newsletter_source *source;
    struct kns_arena *arena;
    struct part_of *parts;
    bool all_large, all_bold; /* most of the text is: then it says nothing */
    bool failed;
};

size_t line_end_of(const struct blocks *blocks, const struct block *block, size_t from)
{
    while (from < block->to && blocks->tokens[from].type != TOKEN_BREAK)
        from++;
    return from;
}

static const struct token *token_at(const struct judging *j, size_t i)
{
    return &j->blocks->tokens[i];
}

static bool opens_link(const struct token *token)
{
    return token->type == TOKEN_OPEN && strcmp(token->name, "a") == 0;
}

/* The token that closes what opens at i, at most end. */
static size_t close_of(const struct judging *j, size_t i, size_t end)
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

static const char *text_between(struct judging *j, struct place from, size_t to)
{
    const char *text = blocks_text(j->blocks, from, to);

    j->failed = j->failed || text == NULL;
    return text == NULL ? "" : text;
}

static const char *block_text(struct judging *j, const struct block *block)
{
    return text_between(j, (struct place){block->from, 0}, block->to);
}

static bool same_article(struct judging *j, const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    const char *key_a = kns_url_variant_key(j->arena, a), *key_b = kns_url_variant_key(j->arena, b);
    return key_a != NULL && key_b != NULL && strcmp(key_a, key_b) == 0;
}

/* ---- signs ---------------------------------------------------------------------------------------------------- */

/* A bullet, number or emoji that may stand before a title. */
static bool is_marker(int32_t c)
{
    if (c < 0x80)
        return c <= ' ' || (isdigit((int)c) != 0) || (c != '\0' && strchr(".)#-*>+:", c) != NULL);
    return c == 0xa0 || c == 0xb7 || c == 0x2022 || c == 0x2023 || c == 0x30fb || c == 0x3000 ||
           (c >= 0x2190 && c <= 0x2bff) || (c >= 0xfe00 && c <= 0xfe0f) || c >= 0x1f000;
}

/* "【1】", "[12]", "(3)", "（四）": a number in brackets, and nothing else but spaces. */
static bool is_bracketed_number(const char *text)
{
    static const char *const pairs[][2] = {{"【", "】"}, {"[", "]"}, {"(", ")"}, {"（", "）"}};

    text += strspn(text, " \t\r\n");
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t open = strlen(pairs[i][0]), close = strlen(pairs[i][1]);
        if (strncmp(text, pairs[i][0], open) != 0)
            continue;
        size_t digits = strspn(text + open, "0123456789");
        const char *after = text + open + digits;
        return digits > 0 && strncmp(after, pairs[i][1], close) == 0 &&
               text_is_blank(after + close, strlen(after + close));
    }
    return false;
}

static bool is_marker_text(const char *text)
{
    size_t size = strlen(text);

    if (is_bracketed_number(text))
        return true;

    if (size > MAX_MARKER)
        return text_is_blank(text, size);
    while (*text != '\0') {
        int32_t c = 0;
        text += kns_text_next(text, strlen(text), &c);
        if (!is_marker(c))
            return false;
    }
    return true;
}

/* A sign between a title and what is said about it. */
static bool is_separator(int32_t c)
{
    return c == '-' || c == '|' || c == ':' || c == 0x2010 || c == 0x2012 || c == 0x2013 ||
           c == 0x2014 || c == 0x2015 || c == 0x2212 || c == 0xb7 || c == 0x2022 || c == 0x30fb ||
           c == 0xff1a || c == 0xff5c || c == 0x2192 || c == 0x2500 || c == 0x301c || c == 0xff5e;
}

static bool is_space(int32_t c)
{
    return (c > 0 && c <= ' ') || c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200b);
}

/* The next visible character from a place on, up to end; 0: none. Moves the place to it. */
static int32_t peek(const struct judging *j, struct place *at, size_t end)
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
        if (!is_space(c))
            return c;
        at->offset += step;
    }
    return 0;
}

static void step_over(const struct judging *j, struct place *at)
{
    const char *rest = token_at(j, at->token)->text + at->offset;
    int32_t c = 0;

    at->offset += kns_text_next(rest, strlen(rest), &c);
}

/* True when a sentence goes on with this character: the link before it was a word of it. */
static bool goes_on(int32_t c)
{
    if (c < 0x80)
        return islower((int)c) != 0 || (c != 0 && strchr(",.;'\")/&", c) != NULL);
    return (c >= 0x3041 && c <= 0x309f) || c == 0x3001 || c == 0x3002 || c == 0x300d ||
           c == 0x300f || c == 0xff09 || c == 0xff0c || c == 0xff0e || c == 0x2019 || c == 0x201d ||
           c == 0x3011;
}

/* ---- the site beside the title -------------------------------------------------------------------------------- */

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
            return blocks->blocks[i].type == BLOCK_TEXT;
    return false;
}

static bool is_name(const char *text)
{
    return *text != '\0' && kns_text_columns(text) <= MAX_SITE_COLUMNS &&
           strstr(text, "。") == NULL && strstr(text, "、") == NULL &&
           text[strcspn(text, "!?;")] == '\0' && text[strlen(text) - 1] != '.';
}

static int32_t closing_bracket(int32_t c)
{
    static const int32_t pairs[][2] = {{'(', ')'}, {'[', ']'}, {0xff08, 0xff09}, {0x3010, 0x3011}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (pairs[i][0] == c)
            return pairs[i][1];
    return 0;
}

/* A second link beside the title: to the same article, or one that is named like a site. */
static bool take_site_link(struct judging *j, struct title *title, struct place at, size_t end)
{
    size_t open = at.token;

    while (open > title->link && !opens_link(token_at(j, open)))
        open--;
    const struct token *link = token_at(j, open);
    if (open <= title->link || close_of(j, open, end) <= at.token || link->url == NULL)
        return false;
    size_t close = close_of(j, open, end);
    const char *text = text_between(j, (struct place){open, 0}, close);
    if (!words_is_host(text) && !(is_name(text) && same_article(j, link->url, title->url)))
        return false;
    title->site = text;
    title->after = (struct place){close, 0};
    return true;
}

/* The place behind a character, looked for from a place up to end; false: it is not there. */
static bool find_character(const struct judging *j, int32_t wanted, struct place at, size_t end,
                           struct place *ret_before)
{
    for (int32_t c = peek(j, &at, end); c != 0; c = peek(j, &at, end)) {
        if (c == wanted) {
            *ret_before = at;
            return true;
        }
        step_over(j, &at);
    }
    return false;
}

static const char *text_up_to(struct judging *j, struct place from, struct place to)
{
    const char *rest = text_between(j, from, to.token + 1);
    const char *tail = text_between(j, to, to.token + 1);
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

    step_over(j, &inside);
    if (!find_character(j, closing, inside, end, &closed))
        return false;
    struct place first = inside;
    peek(j, &first, end);
    const char *text = text_up_to(j, inside, closed);
    if (!words_is_host(text) && !take_site_link(j, title, first, end))
        return false;
    title->site = text;
    step_over(j, &closed);
    title->after = closed;
    return true;
}

static bool skip_separators(const struct judging *j, struct place *at, size_t end)
{
    bool any = false;

    while (is_separator(peek(j, at, end))) {
        step_over(j, at);
        any = true;
    }
    return any;
}

/* What stands behind the title on its line: a dash, the site's name, a dash. */
static void take_site(struct judging *j, struct title *title, size_t index)
{
    size_t end = title->line_end;
    struct place at = title->after;
    bool separated = skip_separators(j, &at, end);
    int32_t next = peek(j, &at, end);
    int32_t closing = closing_bracket(next);

    title->separated = separated;
    if (next == 0)
        return;
    bool found =
        closing != 0 ? take_bracket(j, title, closing, at, end) : take_site_link(j, title, at, end);
    if (!found && separated) {
        const char *text = text_between(j, at, end);
        found = words_is_host(text) || (is_name(text) && more_follows(j, index, end));
        if (found) {
            title->site = text;
            title->after = (struct place){end, 0};
        }
    }
    struct place behind = title->after;
    if (found)
        title->separated = skip_separators(j, &behind, end);
    if (title->separated)
        title->after = found ? behind : at;
}

/* ---- candidates ----------------------------------------------------------------------------------------------- */

/* The first thing to read in a block: its token, and the link around it; false: it is in no link. */
static bool find_lead(const struct judging *j, const struct block *block, size_t *ret_text,
                      size_t *ret_link)
{
    size_t link = block->to, close = 0;

    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (opens_link(token) && token->url != NULL) {
            link = i;
            close = close_of(j, i, block->to);
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
        if (!is_marker_text(token->text))
            return false;
    }
    return false;
}

static bool is_all_bold(const struct judging *j, size_t from, size_t to)
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

/* Some programs cut a title's link in two; some put half of it in bold. */
static size_t join_links(const struct judging *j, size_t link, size_t end)
{
    size_t close = close_of(j, link, end);

    for (size_t i = close + 1; i < end; i++) {
        const struct token *token = token_at(j, i);
        if (token->type == TOKEN_BREAK ||
            (token->type == TOKEN_TEXT && !text_is_blank(token->text, strlen(token->text))))
            break;
        if (opens_link(token)) {
            if (token->url == NULL || strcmp(token->url, token_at(j, link)->url) != 0)
                break;
            close = i = close_of(j, i, end);
        }
    }
    return close;
}

/* A link around several lines has its title in the first, unless all of them look the same. */
static size_t title_end(const struct judging *j, const struct block *block, size_t first,
                        size_t close)
{
    size_t end = line_end_of(j->blocks, block, first);
    bool bold = is_all_bold(j, first, end);

    if (end >= close)
        return close;
    if (blocks_is_blank(j->blocks, (struct place){end, 0}, close))
        return end;
    return block->type == BLOCK_HEADING || bold == is_all_bold(j, end, close) ? close : end;
}

static enum strength strength_of(const struct judging *j, const struct block *block,
                                 const struct title *title, bool bold)
{
    struct place at = title->after;
    int32_t next = peek(j, &at, title->line_end);
    bool ends = next == 0 || title->separated || title->site != NULL || closing_bracket(next) != 0;

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
    if (goes_on(next))
        return NO_TITLE;
    return bold ? BOLD_FLOWING : FLOWING;
}

/* An address alone: "[embed https://…]" as archives have it, or a bare one. */
static bool take_address(struct judging *j, const struct block *block, struct title *ret)
{
    const char *text = block_text(j, block);
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

/* A heading that begins with words and has one link that is most of it. */
static bool find_heading_link(struct judging *j, const struct block *block, size_t *ret_link)
{
    size_t all = strlen(block_text(j, block));

    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (!opens_link(token) || token->url == NULL)
            continue;
        size_t close = close_of(j, i, block->to);
        if (2 * strlen(text_between(j, (struct place){i, 0}, close)) >= all) {
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

static void judge_title(struct judging *j, size_t index, struct title *ret)
{
    const struct block *block = &j->blocks->blocks[index];
    size_t first = block->from, link;

    if (take_address(j, block, ret))
        return;
    if (!find_lead(j, block, &first, &link)) {
        if (block->type != BLOCK_HEADING || !find_heading_link(j, block, &link))
            return;
        *ret = (struct title){.strength = HEADING,
                              .url = token_at(j, link)->url,
                              .text = block_text(j, block),
                              .link = link,
                              .after = {block->to, 0},
                              .line_end = block->to};
        return;
    }
    struct title title = {.url = token_at(j, link)->url, .link = link};
    size_t end = title_end(j, block, first, join_links(j, link, block->to));
    title.text = text_between(j, (struct place){first, 0}, end);
    title.line_end = line_end_of(j->blocks, block, end);
    title.after = (struct place){end, 0};
    bool bold = is_all_bold(j, first, end);
    take_site(j, &title, index);
    struct place stop = title.after;
    int32_t next = block->list == NULL ? 0 : peek(j, &stop, title.line_end);
    title.strength = strength_of(j, block, &title, bold);
    title.markup = markup_of(j, block, link);
    if (next == '.' || next == 0x3002) {
        step_over(j, &stop);
        title.after = stop;
    }
    if (words_is_address(title.text)) {
        title.text = NULL;
        title.strength = title.strength == ALONE ? BARE_ADDRESS : title.strength;
    }
    if (title.strength != NO_TITLE)
        *ret = title;
}

/* ---- wrapping ------------------------------------------------------------------------------------------------- */

static bool is_self(struct judging *j, const char *url)
{
    return words_is_self(j->arena, url, j->source->url, j->source->home);
}

/* A block that is mostly links to lists, share pages and the like, or says so in small print. */
static bool is_chrome(struct judging *j, const struct block *block)
{
    const char *text = block_text(j, block);
    size_t all = strlen(text), chrome = 0;

    if (words_is_small_print(text))
        return true;
    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (!opens_link(token) || token->url == NULL)
            continue;
        size_t close = close_of(j, i, block->to);
        const char *words = text_between(j, (struct place){i, 0}, close);
        if (words_is_chrome(j->arena, words, token->url))
            chrome += strlen(words) + 3;
        i = close;
    }
    return chrome > 0 && 2 * chrome >= all;
}

/* A line of links that all lead nowhere but back: masthead, navigation. */
static bool is_all_self(struct judging *j, const struct block *block)
{
    bool any = false;

    for (size_t i = block->from; i < block->to; i++) {
        const struct token *token = token_at(j, i);
        if (!opens_link(token) || token->url == NULL)
            continue;
        if (!is_self(j, token->url))
            return false;
        any = true;
    }
    return any;
}

/* ---- headings ------------------------------------------------------------------------------------------------- */

static bool is_sentence(const char *text)
{
    size_t len = strlen(text);
    static const char *const ends[] = {"。", "！", "？", ".", "、"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end = strlen(ends[i]);
        if (len >= end && strcmp(text + len - end, ends[i]) == 0)
            return true;
    }
    return false;
}

static bool has_link(const struct judging *j, const struct block *block)
{
    for (size_t i = block->from; i < block->to; i++)
        if (opens_link(token_at(j, i)) && token_at(j, i)->url != NULL)
            return true;
    return false;
}

/* The bytes of a sign that plain letters set before headings, with the space behind it; 0: there is none. */
static size_t heading_sign(const char *text)
{
    static const char *const signs[] = {"■", "◆", "●", "▼", "★", "□", "◇", "◎", "▽", "☆"};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        size_t len = strlen(signs[i]);
        if (strncmp(text, signs[i], len) == 0 && text[len] != '\0')
            return len + strspn(text + len, " ");
    }
    return 0;
}

/* A line of dashes or the like, drawn by hand. */
static bool is_drawn_rule(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; count++) {
        int32_t c = 0;
        text += kns_text_next(text, strlen(text), &c);
        bool stroke = c == '-' || c == '=' || c == '*' || c == '_' || c == '~' || c == ' ' ||
                      (c >= 0x2010 && c <= 0x2015) || (c >= 0x2500 && c <= 0x257f) || c == 0x30fc ||
                      c == 0xff1d || c == 0x2026 || c == 0x22ef;
        if (!stroke)
            return false;
    }
    return count >= 3;
}

/* A paragraph without links, all of it bold or large, or behind a sign, too short for prose. */
static bool looks_like_heading(struct judging *j, const struct block *block)
{
    const char *text = block_text(j, block);

    if (kns_text_columns(text) > MAX_HEADING_COLUMNS || has_link(j, block) || is_sentence(text))
        return false;
    if (block->type == BLOCK_HEADING)
        return true;
    return block->list == NULL && !block->quoted && kns_text_columns(text) <= 60 &&
           (is_all_bold(j, block->from, block->to) || heading_sign(text) > 0);
}

/* The next block that is no gap and no picture; blocks->count: none. */
static size_t next_text(const struct judging *j, size_t i)
{
    for (i++; i < j->blocks->count; i++)
        if (j->blocks->blocks[i].type != BLOCK_GAP && j->blocks->blocks[i].type != BLOCK_IMAGE)
            break;
    return i;
}

/* "Read more" alone, at the end of a block: its link, or 0. */
static size_t read_more_link(struct judging *j, const struct block *block)
{
    for (size_t i = block->to; i > block->from; i--) {
        const struct token *token = token_at(j, i - 1);
        if (!opens_link(token) || token->url == NULL)
            continue;
        size_t close = close_of(j, i - 1, block->to);
        if (!blocks_is_blank(j->blocks, (struct place){close, 0}, block->to) ||
            !words_is_read_more(j->arena, text_between(j, (struct place){i - 1, 0}, close)))
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
        return !words_is_chrome(j->arena, NULL, *ret_url) && !is_self(j, *ret_url);
    }
    const struct block *before = index > 0 ? &blocks->blocks[index - 1] : NULL;
    if (before == NULL || before->type != BLOCK_IMAGE)
        return false;
    for (size_t i = before->from; i < before->to; i++)
        if (opens_link(token_at(j, i)) && token_at(j, i)->url != NULL) {
            *ret_url = token_at(j, i)->url;
            return !words_is_chrome(j->arena, NULL, *ret_url) && !is_self(j, *ret_url);
        }
    return false;
}

/* ---- all of them ---------------------------------------------------------------------------------------------- */

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

static bool has_image(const struct judging *j, const struct block *block)
{
    for (size_t i = block->from; i < block->to; i++)
        if (token_at(j, i)->type == TOKEN_IMAGE)
            return true;
    return false;
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
        return PART_IMAGE;
    default:
        break;
    }
    if (is_drawn_rule(block_text(j, block)))
        return PART_RULE;
    if (is_chrome(j, block) || is_all_self(j, block))
        return PART_CHROME;
    judge_title(j, i, title);
    /* "Read more" alone is no title, whatever it looks like. */
    bool dressed = title->site != NULL || block->type == BLOCK_HEADING || has_image(j, block);
    if (title->text != NULL && !dressed && words_is_read_more(j->arena, title->text)) {
        title->strength = NO_TITLE;
        return title->after.token >= block->to ||
                       blocks_is_blank(j->blocks, title->after, block->to)
                   ? PART_MORE
                   : PART_TEXT;
    }
    if (title->strength != NO_TITLE &&
        (is_self(j, title->url) || words_is_chrome(j->arena, title->text, title->url)))
        title->strength = NO_TITLE;
    return PART_TEXT;
}

/* The only first-level heading, before everything else, is the title. */
static size_t find_masthead(struct judging *j)
{
    size_t found = j->blocks->count;

    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct block *block = &j->blocks->blocks[i];
        if (block->type != BLOCK_HEADING)
            continue;
        const char *text = block_text(j, block);
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
static void judge_masthead(struct judging *j, const char **ret_masthead)
{
    size_t found = find_masthead(j);
    bool prose = false;

    /* Mails say their name in large letters, and in <title>. */
    for (size_t i = 0; found == j->blocks->count && j->source->title != NULL && i < found; i++) {
        if (j->parts[i].part == PART_TEXT &&
            strcmp(block_text(j, &j->blocks->blocks[i]), j->source->title) == 0)
            found = i;
        if (j->parts[i].title.strength >= ALONE)
            break;
    }

    if (found < j->blocks->count) {
        j->parts[found].part = PART_MASTHEAD;
        j->parts[found].title.strength = NO_TITLE;
        *ret_masthead = block_text(j, &j->blocks->blocks[found]);
    }
    for (size_t i = 0; i < j->blocks->count && !prose; i++) {
        struct part_of *part = &j->parts[i];
        if (part->part == PART_IMAGE && found < j->blocks->count && i < found)
            part->part = PART_MASTHEAD;
        if (part->part != PART_TEXT)
            continue;
        prose = part->title.strength > NO_TITLE ||
                !words_is_dateline(block_text(j, &j->blocks->blocks[i]));
        if (!prose)
            part->part = PART_MASTHEAD;
    }
}

static bool has_rule(const struct judging *j)
{
    for (size_t i = 0; i < j->blocks->count; i++)
        if (j->parts[i].part == PART_RULE)
            return true;
    return false;
}

static void judge_headings(struct judging *j)
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
                                         .text = block_text(j, block),
                                         .link = block->from,
                                         .after = {block->to, 0},
                                         .line_end = block->to};
            continue;
        }
        size_t next = next_text(j, i);
        bool leads = next < j->blocks->count &&
                     (j->parts[next].title.strength >= FLOWING || j->parts[next].part == PART_RULE);
        if (block->type == BLOCK_HEADING || !titles || leads) {
            const char *text = block_text(j, block);
            part->part = PART_HEADING;
            part->text = block->type == BLOCK_HEADING ? text : text + heading_sign(text);
        }
    }
}

/* A link alone and a link with a dash and text are one kind of title: the second has something said about it. */
static enum strength kind_of(const struct title *title)
{
    return title->strength == LEADING ? ALONE : title->strength;
}

/* ---- zones ---------------------------------------------------------------------------------------------------- */

struct zones {
    int count;
    enum strength *loudest;
    int *depth; /* the shallowest list of its entries */
    int *titles;
    bool *prose; /* has text before its first candidate */
};

static void number_zones(struct judging *j, struct zones *zones)
{
    int zone = 0;

    for (size_t i = 0; i < j->blocks->count; i++) {
        enum part part = j->parts[i].part;
        zone += part == PART_RULE || part == PART_HEADING;
        j->parts[i].zone = zone;
    }
    zones->count = zone + 1;
}

static void measure_zones(struct judging *j, struct zones *zones)
{
    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct title *title = &j->parts[i].title;
        const struct block *block = &j->blocks->blocks[i];
        int zone = j->parts[i].zone;
        if (title->strength == NO_TITLE) {
            if (j->parts[i].part == PART_TEXT && zones->titles[zone] == 0)
                zones->prose[zone] = true;
            continue;
        }
        if (title->strength != EMBEDDED && kind_of(title) > zones->loudest[zone])
            zones->loudest[zone] = kind_of(title);
        zones->titles[zone]++;
        if (zones->depth[zone] == 0 || block->list_depth < zones->depth[zone])
            zones->depth[zone] = block->list_depth;
    }
}

/* The kind of title that most blocks from one on have, loud ones first. */
static enum strength find_dominant(const struct judging *j, size_t from)
{
    static const enum strength loud[] = {HEADING, BOLD, TERM, ENTRY, ALONE};
    enum strength best = NO_TITLE;
    size_t most = 0;

    for (size_t k = 0; k < sizeof(loud) / sizeof(loud[0]); k++) {
        size_t count = 0;
        for (size_t i = from; i < j->blocks->count; i++)
            count += kind_of(&j->parts[i].title) == loud[k];
        /* Louder titles win unless they are few among many: one headline over a list. */
        if (count > 0 && (best == NO_TITLE || (most <= 2 && count >= 3 * most))) {
            best = loud[k];
            most = count;
        }
    }
    return best;
}

/* Where the items may begin: behind the first rule, when what stands there is dressed as items are (a site, a picture) or several. */
static size_t items_begin(const struct judging *j)
{
    size_t rule = 0, n = j->blocks->count, loud = 0;
    bool dressed = false;

    while (rule < n && j->parts[rule].part != PART_RULE)
        rule++;
    for (size_t i = rule; i < n; i++) {
        const struct title *title = &j->parts[i].title;
        bool counts = title->strength >= TERM;
        loud += counts;
        dressed =
            dressed || (counts && (title->site != NULL || has_image(j, &j->blocks->blocks[i])));
    }
    return rule < n && (dressed || loud >= 2) ? rule : 0;
}

/* How many titles of a kind have this markup, in blocks [from, to). */
static size_t count_markup(const struct judging *j, enum strength kind, uint64_t markup,
                           size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++)
        count += kind_of(&j->parts[i].title) == kind && j->parts[i].title.markup == markup;
    return count;
}

/* The markup that most titles of a kind behind a block have. */
static uint64_t most_markup(const struct judging *j, enum strength kind, size_t from)
{
    uint64_t best = 0;
    size_t most = 0;

    for (size_t i = from; i < j->blocks->count; i++) {
        const struct title *title = &j->parts[i].title;
        if (kind_of(title) != kind || title->markup == best)
            continue;
        size_t count = count_markup(j, kind, title->markup, i, j->blocks->count);
        if (count > most) {
            best = title->markup;
            most = count;
        }
        /* Enough is seen: what comes later cannot win, and hostile input must not cost its square. */
        if (2 * most > j->blocks->count - i || i - from > 200)
            break;
    }
    return best;
}

/* The zones before the first rule are an introduction when the titles stand behind it: no link before it is marked up as they are,
 * or few are among much prose. */
static int introduction_end(const struct judging *j, enum strength dominant, uint64_t markup)
{
    size_t rule = 0, rules = 0, prose = 0, n = j->blocks->count;

    for (size_t i = n; i > 0; i--)
        if (j->parts[i - 1].part == PART_RULE) {
            rule = i - 1;
            rules++;
        }
    if (rules == 0 || dominant == NO_TITLE)
        return 0;
    size_t before = count_markup(j, dominant, markup, 0, rule),
           after = count_markup(j, dominant, markup, rule, n);
    for (size_t i = 0; i < rule; i++)
        prose += j->parts[i].part == PART_TEXT && j->parts[i].title.strength == NO_TITLE;
    if (after == 0)
        return 0;
    bool few = rules == 1 && after >= 2 && before < after && prose > 2 * before;
    return before == 0 || few ? j->parts[rule].zone : 0;
}

/* One link in bold among many titles that are marked up otherwise: a word of somebody's comment. */
static bool is_odd_one(const struct judging *j, size_t i, enum strength dominant, uint64_t markup)
{
    const struct title *title = &j->parts[i].title;
    size_t n = j->blocks->count;

    if (title->strength != BOLD || dominant != BOLD || title->markup == markup ||
        title->site != NULL || has_image(j, &j->blocks->blocks[i]))
        return false;
    return count_markup(j, BOLD, markup, 0, n) >= 3 &&
           count_markup(j, BOLD, title->markup, 0, n) == 1;
}

static bool is_accepted(const struct judging *j, const struct zones *zones, size_t i,
                        enum strength dominant, int introduction)
{
    const struct title *title = &j->parts[i].title;
    const struct block *block = &j->blocks->blocks[i];
    int zone = j->parts[i].zone;
    enum strength loudest = zones->loudest[zone];

    if (title->strength == NO_TITLE || zone < introduction)
        return false;
    if (title->strength == EMBEDDED)
        return true;
    if (kind_of(title) != loudest || block->list_depth > zones->depth[zone])
        return false;
    if (loudest >= dominant || loudest >= ENTRY)
        return true;
    /* Quieter than the titles: only what stands under nothing but a heading is no aside. */
    return dominant == NO_TITLE
               ? zones->titles[zone] >= 2
               : loudest >= ALONE && !zones->prose[zone] && zones->titles[zone] >= 2;
}

static bool accept_titles(struct judging *j)
{
    struct zones zones = {0};

    number_zones(j, &zones);
    size_t n = (size_t)zones.count;
    zones.loudest = kns_arena_alloc(j->arena, n * sizeof(*zones.loudest));
    zones.depth = kns_arena_alloc(j->arena, n * sizeof(*zones.depth));
    zones.titles = kns_arena_alloc(j->arena, n * sizeof(*zones.titles));
    zones.prose = kns_arena_alloc(j->arena, n * sizeof(*zones.prose));
    if (zones.loudest == NULL || zones.depth == NULL || zones.titles == NULL || zones.prose == NULL)
        return false;
    measure_zones(j, &zones);
    size_t begin = items_begin(j);
    enum strength dominant = find_dominant(j, begin);
    uint64_t markup = dominant == NO_TITLE ? 0 : most_markup(j, dominant, begin);
    int introduction = introduction_end(j, dominant, markup);
    const char *current = NULL;
    for (size_t i = 0; i < j->blocks->count; i++) {
        struct part_of *part = &j->parts[i];
        if (part->part == PART_RULE || part->part == PART_HEADING)
            current = NULL;
        if (!is_accepted(j, &zones, i, dominant, introduction) ||
            is_odd_one(j, i, dominant, markup))
            continue;
        /* The same address again is the item's own: its text is one big link. */
        if (current != NULL && same_article(j, current, part->title.url))
            continue;
        part->part = PART_TITLE;
        current = part->title.url;
    }
    return true;
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
    judge_masthead(&j, ret_masthead);
    judge_headings(&j);
    if (!accept_titles(&j))
        return false;
    *ret_parts = j.parts;
    return !j.failed;
}
