/* HTML of several blocks: paragraphs, lists, quotations. */
#include "lib/newsletter/pieces.h"

static bool same_list(const struct block *a, const struct block *b)
{
    return a != NULL && b != NULL && a->list != NULL && a->list == b->list;
}

static bool same_quote(const struct block *a, const struct block *b)
{
    return a != NULL && b != NULL && a->quoted && b->quoted;
}

bool pieces_add_html(const struct blocks *blocks, struct kns_buf *out, const struct block *previous,
                     const struct block *block, const struct block *next, struct place from,
                     size_t to)
{
    const char *html = blocks_inline_html(blocks, block->from, from, to);
    /* The item's own list entry is the item; only lists within its text are lists. */
    bool in_list = block->list != NULL && from.token == block->from && from.offset == 0;
    const char *list = block->ordered ? "ol" : "ul";
    const char *name = in_list ? "li" : block->preformatted ? "pre" : "p";

    if (html == NULL)
        return false;
    if (*html == '\0')
        return true;
    if (block->quoted && !same_quote(previous, block))
        kns_buf_adds(out, "<blockquote>");
    if (in_list && !same_list(previous, block))
        kns_buf_addf(out, "<%s>", list);
    kns_buf_addf(out, "<%s>%s</%s>", name, html, name);
    if (in_list && !same_list(block, next))
        kns_buf_addf(out, "</%s>", list);
    if (block->quoted && !same_quote(block, next))
        kns_buf_adds(out, "</blockquote>");
    return true;
}
