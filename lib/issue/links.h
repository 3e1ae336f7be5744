/* links.h - the links and pictures of a comment, as they are written. Inside of the issue room. */
#ifndef KNS_ISSUE_LINKS_H
#define KNS_ISSUE_LINKS_H

#include "lib/arena.h"
#include "lib/list.h"

#include <stdbool.h>

struct issue_link {
    const char *url; /* whatever stands there; never NULL */
    bool is_image;
    bool is_described; /* a link with words, a picture with alternative text */
    struct issue_link *next;
};
struct issue_links {
    KNS_LIST(issue_link) list;
};

/* Appends all of markdown to ret_links, in order, those of HTML inside it too. False: no memory. */
bool issue_find_links(struct kns_arena *arena, const char *markdown, struct issue_links *ret_links);

#endif
