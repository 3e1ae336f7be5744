/* blocks.h - an HTML tree as a flat row of blocks, each a run of inline tokens. Private to lib/newsletter.
 *
 * Layout is gone (tables, divs, centred columns), reading order stays, and each block remembers its element, so that one can
 * still ask what stands together.
 */
#ifndef KNS_NEWSLETTER_BLOCKS_H
#define KNS_NEWSLETTER_BLOCKS_H

#include "lib/arena.h"
#include "lib/html/tree.h"

#include <stdbool.h>
#include <stddef.h>

enum token_type { TOKEN_TEXT, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_BREAK, TOKEN_IMAGE };

struct token {
    enum token_type type;
    bool bold, italic, large; /* of a text: how it looks */
    const char *text;         /* TEXT; of an image its alt text */
    const char *name;         /* OPEN, CLOSE: the element as it will be written; "a" for links */
    const char *url; /* OPEN of a link, IMAGE: resolved, without trackers; NULL: leads nowhere */
    const GumboNode *node;
};

enum block_type {
    BLOCK_TEXT,
    BLOCK_HEADING,
    BLOCK_IMAGE, /* pictures and no text */
    BLOCK_VIDEO, /* one that is set in, and nothing else */
    BLOCK_RULE,  /* <hr> */
    BLOCK_GAP,   /* an element without content: what separates in mail and in sloppy markup */
};

struct block {
    enum block_type type;
    int level;             /* HEADING: 1 to 6 */
    size_t from, to;       /* its tokens */
    const GumboNode *node; /* the innermost block element around it */
    const GumboNode *list; /* the list it is an entry of; NULL: none */
    const GumboNode *entry;
    const char *video; /* VIDEO: the page it is on */
    int list_depth;
    bool ordered, quoted, preformatted, term, cell, caption;
};

/* All of a document. Freed by blocks_fini; strings live in the arena. */
struct blocks {
    struct kns_arena *arena;
    const char *base;
    struct token *tokens;
    size_t token_count, token_cap;
    struct block *blocks;
    size_t count, cap;
    bool failed; /* no memory */
};

/* A place in the text: before byte offset of a token. */
struct place {
    size_t token, offset;
};

/* Flattens the tree. False: no memory. */
bool blocks_init(struct blocks *blocks, struct kns_arena *arena, const GumboNode *root,
                 const char *base);
void blocks_fini(struct blocks *blocks);

/* The plain text from a place up to a token, one line, trimmed; NULL: no memory. */
const char *blocks_text(const struct blocks *blocks, struct place from, size_t to);

/* True when nothing that can be read is there. */
bool blocks_is_blank(const struct blocks *blocks, struct place from, size_t to);

/* The inline HTML of a range within the block whose tokens begin at start, trimmed; NULL: no memory. */
const char *blocks_inline_html(const struct blocks *blocks, size_t start, struct place from,
                               size_t to);

/* True when a is an ancestor of b, or b itself. */
bool node_contains(const GumboNode *a, const GumboNode *b);

/* The deepest element around both. */
const GumboNode *node_common(const GumboNode *a, const GumboNode *b);
int node_depth(const GumboNode *node);

/* True for numbers, bullets and emoji that may stand before a title. */
bool text_is_marker(const char *text);

/* True for text that has no letter, digit or other visible sign (spaces of all kinds, zero-width characters). */
bool text_is_blank(const char *text, size_t size);

#endif
