/* roles.h - which of an item's pieces are the article's words, and which the curator's. Private to lib/newsletter. */
#ifndef KNS_NEWSLETTER_ROLES_H
#define KNS_NEWSLETTER_ROLES_H

#include "lib/newsletter/pieces.h"

/* All items of an issue: what one of them does not tell, the others may. */
struct assigning {
    const struct blocks *blocks;
    const struct part_of *parts;
    struct item_pieces *items;
    size_t count;
};

/* Fills in description and note of all items. False: no memory. */
bool roles_assign(const struct assigning *a);

#endif
