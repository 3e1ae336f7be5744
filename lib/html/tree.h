/* tree.h - gumbo's tree, bounded before it is built and walked without recursion. Private to lib/html and
 * lib/newsletter. */
#ifndef KNS_HTML_TREE_H
#define KNS_HTML_TREE_H

#include <gumbo.h>
#include <stdbool.h>
#include <stddef.h>

struct tree {
    GumboOutput *output;
    char *bounded; /* the input, cut and mended; NULL: it was used as it is */
};

/* Parses html up to its bounds; false: no memory. tree_close frees it; input must live as long. */
bool tree_open(struct tree *tree, const char *html);
void tree_close(struct tree *tree);

/* A walk in document order. Starts with node = the root and leaving = false; ends with node = NULL. */
struct walk {
    const GumboNode *root, *node;
    bool leaving; /* an element whose children have been seen */
    bool skip;    /* set by the caller on entering: do not go into the children */
};

struct walk walk_from(const GumboNode *root);
void walk_next(struct walk *walk);

/* The element's name in lower case; for unknown ones as written. *ret_len its length. */
const char *element_name(const GumboElement *element, size_t *ret_len);

/* The attribute's value; NULL: none. */
const char *attribute_of(const GumboNode *node, const char *name);

/* The children of an element or document; NULL: it has none. */
const GumboVector *children_of(const GumboNode *node);

/* True for elements that begin a new line (WHATWG HTML 15.3.3, and br, li, table cells). */
bool is_block(GumboTag tag);

/* True for elements whose content no reader sees. */
bool is_hidden(GumboTag tag);

/* What an <img> says; NULL: nothing. */
struct picture {
    const char *src, *class, *width, *height;
};

/* True for pictures that count readers instead of showing something. */
bool is_tracking_picture(const struct picture *picture);

/* True for pictures that belong to what is told: no pixel, no smiley, button or icon, no data: URL. */
bool is_content_image(const GumboNode *image);

#endif
