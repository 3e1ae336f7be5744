#include "lib/html/tree.h"

#include "lib/html.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Elements that end by themselves when the next of their kind begins, or never hold anything: they do not deepen the tree. */
static bool deepens(const char *name, size_t len)
{
    static const char shallow[] = " p li dt dd tr td th option optgroup thead tbody tfoot colgroup "
                                  "rp rt br hr img input meta link "
                                  "area base col embed param source track wbr html head body ";
    char wanted[16] = " ";

    if (len > 10)
        return true;
    for (size_t i = 0; i < len; i++)
        wanted[i + 1] = (char)tolower((unsigned char)name[i]);
    wanted[len + 1] = ' ';
    return strstr(shallow, wanted) == NULL;
}

/* Where the input must be cut so that the tree stays within its bounds: gumbo frees it by recursion, and the adoption agency
 * does work for each open formatting element. */
static size_t bounded_length(const char *html)
{
    size_t depth = 0, i = 0;

    for (; html[i] != '\0' && i < KNS_HTML_MAX_BYTES; i++) {
        if (html[i] != '<')
            continue;
        bool closing = html[i + 1] == '/';
        const char *name = html + i + 1 + closing;
        size_t len = 0;
        while (isalnum((unsigned char)name[len]))
            len++;
        if (len == 0 || !isalpha((unsigned char)name[0]) || !deepens(name, len))
            continue;
        if (closing)
            depth -= depth > 0;
        else if (++depth > KNS_HTML_MAX_DEPTH)
            break;
    }
    return i;
}

/* The digits of the next numeric reference in text beyond what Unicode has; NULL: there is none. gumbo lets the number overflow and
 * writes what is no UTF-8. */
static char *find_overflow(char *text, size_t *ret_len, bool *ret_hex)
{
    for (char *at = strstr(text, "&#"); at != NULL; at = strstr(at, "&#")) {
        bool hex = at[2] == 'x' || at[2] == 'X';
        char *digits = at + 2 + hex;
        uint32_t number = 0;
        size_t len = 0;
        while (hex ? isxdigit((unsigned char)digits[len]) : isdigit((unsigned char)digits[len])) {
            char c = (char)tolower((unsigned char)digits[len++]);
            uint32_t digit = (uint32_t)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
            number = number > 0x10FFFF ? number : number * (hex ? 16 : 10) + digit;
        }
        if (number > 0x10FFFF) {
            *ret_len = len;
            *ret_hex = hex;
            return digits;
        }
        at = digits;
    }
    return NULL;
}

/* Numbers beyond Unicode become U+FFFD's, which has fewer digits than any of them. */
static void mend_references(char *text)
{
    size_t len;
    bool hex;

    for (char *at = find_overflow(text, &len, &hex); at != NULL;
         at = find_overflow(at + len, &len, &hex)) {
        const char *instead = hex ? "FFFD" : "65533";
        memset(at, '0', len);
        memcpy(at + len - strlen(instead), instead, strlen(instead));
    }
}

bool tree_open(struct tree *tree, const char *html)
{
    size_t len = bounded_length(html);
    GumboOptions options = kGumboDefaultOptions;

    tree->bounded = NULL;
    options.max_errors = 0;
    if (html[len] != '\0' || strstr(html, "&#") != NULL) {
        tree->bounded = strndup(html, len);
        if (tree->bounded == NULL)
            return false;
        mend_references(tree->bounded);
        html = tree->bounded;
    }
    tree->output = gumbo_parse_with_options(&options, html, len);
    if (tree->output != NULL)
        return true;
    free(tree->bounded);
    return false;
}

void tree_close(struct tree *tree)
{
    gumbo_destroy_output(&kGumboDefaultOptions, tree->output);
    free(tree->bounded);
}

const GumboVector *children_of(const GumboNode *node)
{
    switch (node->type) {
    case GUMBO_NODE_DOCUMENT:
        return &node->v.document.children;
    case GUMBO_NODE_ELEMENT:
    case GUMBO_NODE_TEMPLATE:
        return &node->v.element.children;
    default:
        return NULL;
    }
}

struct walk walk_from(const GumboNode *root)
{
    return (struct walk){.root = root, .node = root};
}

void walk_next(struct walk *walk)
{
    const GumboNode *node = walk->node;
    const GumboVector *children = children_of(node);

    if (!walk->leaving && children != NULL) {
        bool skip = walk->skip;
        walk->skip = false;
        if (!skip && children->length > 0)
            walk->node = children->data[0];
        else
            walk->leaving = true;
        return;
    }
    walk->skip = false;
    if (node == walk->root) {
        walk->node = NULL;
        return;
    }
    const GumboVector *siblings = children_of(node->parent);
    size_t next = node->index_within_parent + 1;
    walk->leaving = next >= siblings->length;
    walk->node = walk->leaving ? node->parent : siblings->data[next];
}

const char *element_name(const GumboElement *element, size_t *ret_len)
{
    if (element->tag != GUMBO_TAG_UNKNOWN) {
        const char *name = gumbo_normalized_tagname(element->tag);
        *ret_len = strlen(name);
        return name;
    }
    GumboStringPiece piece = element->original_tag;
    gumbo_tag_from_original_text(&piece);
    *ret_len = piece.data == NULL ? 0 : piece.length;
    return piece.data == NULL ? "" : piece.data;
}

const char *attribute_of(const GumboNode *node, const char *name)
{
    if (node->type != GUMBO_NODE_ELEMENT)
        return NULL;
    const GumboAttribute *attribute = gumbo_get_attribute(&node->v.element.attributes, name);
    return attribute == NULL ? NULL : attribute->value;
}

bool is_block(GumboTag tag)
{
    switch (tag) {
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_BLOCKQUOTE:
    case GUMBO_TAG_BODY:
    case GUMBO_TAG_BR:
    case GUMBO_TAG_CENTER:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_DETAILS:
    case GUMBO_TAG_DIR:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_H4:
    case GUMBO_TAG_H5:
    case GUMBO_TAG_H6:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_HGROUP:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_LI:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_MENU:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_P:
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_TABLE:
    case GUMBO_TAG_TD:
    case GUMBO_TAG_TH:
    case GUMBO_TAG_TR:
    case GUMBO_TAG_UL:
        return true;
    default:
        return false;
    }
}

bool is_hidden(GumboTag tag)
{
    switch (tag) {
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_TITLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_SELECT:
        return true;
    default:
        return false;
    }
}
