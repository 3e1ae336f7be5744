/* titles.h - which blocks of a newsletter are titles of link items, headings, or wrapping. Private to lib/newsletter. */
#ifndef KNS_NEWSLETTER_TITLES_H
#define KNS_NEWSLETTER_TITLES_H

#include "lib/newsletter.h"
#include "lib/newsletter/blocks.h"

#include <stdint.h>

/* How much a block looks like a title; what is weaker than the strongest of its zone is content. */
enum strength {
    NO_TITLE = 0,
    LAST = 25,         /* a link at the end of a list entry, behind what is said of it */
    FLOWING = 30,      /* a link that begins a paragraph and goes on */
    BOLD_FLOWING = 40, /* the same in bold */
    VIDEO = 44,        /* a player that is set in */
    BARE_ADDRESS = 45, /* an address and nothing else */
    LEADING = 50,      /* a link, a dash, text */
    ALONE = 60,        /* a link that is its whole line */
    ENTRY = 70,        /* the head of a list entry */
    TERM = 80,         /* of a definition list */
    BOLD = 90,         /* in bold, at its line's beginning */
    HEADING = 100,     /* in a heading, or one whose text ends with "Read more" */
    EMBEDDED = 110,    /* an address set in by the producer: "[embed https://…]" */
};

enum part {
    PART_TEXT,
    PART_GAP,
    PART_RULE,
    PART_HEADING,  /* of a section */
    PART_TITLE,    /* of a link item */
    PART_CHROME,   /* wrapping: dropped, and ends what stands before it */
    PART_MORE,     /* "Read more": dropped */
    PART_IMAGE,    /* or a video */
    PART_MASTHEAD, /* the issue's own title and date */
};

struct title {
    enum strength strength;
    const char *url;  /* clean */
    const char *text; /* NULL: only the address was given */
    const char *site;
    size_t link;        /* the token that opens the link */
    size_t before;      /* of LAST: the token where the text before it ends */
    struct place after; /* where the item's text begins */
    size_t line_end;    /* the token that ends the title's line */
    uint64_t markup;    /* equal for links that stand in the same elements, with the same styles */
    bool site_linked;   /* the site stands there as a second link to the article */
    bool separated;     /* a dash or the like was read over */
};

/* One for each block, same index. */
struct part_of {
    enum part part;
    struct title title;
    const char *text; /* of headings */
    int zone;
};

/* Judges all blocks. ret_parts has blocks->count elements, in the arena. False: no memory. */
bool titles_judge(const struct blocks *blocks, const struct kns_newsletter_source *source,
                  struct part_of **ret_parts, const char **ret_masthead);

/* The end of the line that begins at a token: a BREAK or the block's end. */
size_t line_end_of(const struct blocks *blocks, const struct block *block, size_t from);

#endif
