/* pieces.h - what stands under a title, taken apart into site, description and comment. Private to lib/newsletter. */
#ifndef KNS_NEWSLETTER_PIECES_H
#define KNS_NEWSLETTER_PIECES_H

#include "lib/buf.h"
#include "lib/newsletter/titles.h"
#include "lib/newsletter/words.h"

/* A line or paragraph of an item. */
struct piece {
    size_t block;
    struct place from;
    size_t to;
    int group;      /* counts the gaps before it */
    int row;        /* counts blocks behind the title's: 0 is the title's own */
    bool same_line; /* stands on the title's line */
    bool inside;    /* within the title's container */
    enum words_role role;
    uint64_t looks;   /* equal for pieces that look alike */
    const char *text; /* one line */
};

struct item_pieces {
    struct kns_newsletter_item *item;
    size_t title_block, end; /* blocks [title_block, end) */
    const GumboNode *container;
    bool boxed; /* the container is its own: no other title is in it */
    struct piece *pieces;
    size_t count;
};

/* Fills in description, note and site of all items; their pieces come out with their roles. False: no memory. */
bool pieces_assign(const struct blocks *blocks, const struct part_of *parts,
                   struct item_pieces *items, size_t count);

/* Appends a block (or the part of it in [from, to)) as HTML: a paragraph, a list entry, a quotation. previous and next are the
 * neighbours that go into the same text, or NULL: lists are opened and closed by them. */
bool pieces_add_html(const struct blocks *blocks, struct kns_buf *out, const struct block *previous,
                     const struct block *block, const struct block *next, struct place from,
                     size_t to);

#endif
