/* dress.h - sanitised HTML made ready for a page of ours: looks in the elements themselves, since mail programs drop style sheets. */
#ifndef KNS_DIGEST_DRESS_H
#define KNS_DIGEST_DRESS_H

#include "lib/arena.h"

/* html is what kns_html_sanitize returned. Its headings all become heading ("h4"), main becomes div: the page has its own.
 * NULL: no memory. */
const char *digest_dress(struct kns_arena *arena, const char *html, const char *heading);

#endif
