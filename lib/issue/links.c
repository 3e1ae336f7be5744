/* The links and pictures that stand in CommonMark, as they are written: the sanitiser would take the bad ones away. */
#include "lib/issue/links.h"

#include "lib/text.h"

#include <cmark.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct finding {
    struct kns_arena *arena;
    struct issue_links *links;
    bool failed;
};

static void add(struct finding *f, bool image, bool described, const char *url)
{
    struct issue_link *link = KNS_NEW(f->arena, struct issue_link);

    if (link == NULL) {
        f->failed = true;
        return;
    }
    *link = (struct issue_link){
        .url = url == NULL ? "" : url, .is_image = image, .is_described = described};
    KNS_LIST_APPEND(&f->links->list, link);
}

/* ---- HTML inside ------------------------------------------------------------------------------------------------------- */

/* The value of an attribute inside a tag that ends at end; NULL: it has none. */
static const char *attribute(struct finding *f, const char *tag, const char *end, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = tag; at + len < end; at++) {
        bool begins = strchr(" \t\r\n\"'/", at[0]) != NULL;
        if (!begins || strncasecmp(at + 1, name, len) != 0)
            continue;
        const char *value = at + 1 + len + strspn(at + 1 + len, " \t\r\n");
        if (*value != '=')
            continue;
        value += 1 + strspn(value + 1, " \t\r\n");
        bool quoted = *value == '"' || *value == '\'';
        const char stop[2] = {*value, '\0'};
        value += quoted;
        size_t size = strcspn(value, quoted ? stop : " \t\r\n>");
        return value + size <= end ? kns_arena_copy(f->arena, value, size) : NULL;
    }
    return NULL;
}

static void find_in_html(struct finding *f, const char *html)
{
    static const struct {
        const char *tag, *attribute;
        bool is_image;
    } rows[] = {{"<a", "href", false}, {"<img", "src", true}};

    for (const char *at = strchr(html, '<'); at != NULL; at = strchr(at + 1, '<')) {
        const char *end = at + strcspn(at, ">");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            size_t len = strlen(rows[i].tag);
            if (strncasecmp(at, rows[i].tag, len) != 0 || strchr(" \t\r\n/", at[len]) == NULL)
                continue;
            const char *url = attribute(f, at + len, end, rows[i].attribute);
            const char *alt = attribute(f, at + len, end, "alt");
            if (url != NULL)
                add(f, rows[i].is_image, !rows[i].is_image || (alt != NULL && *alt != '\0'), url);
        }
    }
}

/* ---- CommonMark -------------------------------------------------------------------------------------------------------- */

static bool has_text(cmark_node *node)
{
    for (cmark_node *child = cmark_node_first_child(node); child != NULL;
         child = cmark_node_next(child)) {
        const char *literal = cmark_node_get_literal(child);
        if ((literal != NULL && *literal != '\0') || has_text(child))
            return true;
    }
    return false;
}

static void look_at(struct finding *f, cmark_node *node)
{
    switch (cmark_node_get_type(node)) {
    case CMARK_NODE_LINK:
    case CMARK_NODE_IMAGE:
        add(f, cmark_node_get_type(node) == CMARK_NODE_IMAGE, has_text(node),
            kns_arena_strdup(f->arena, cmark_node_get_url(node)));
        break;
    case CMARK_NODE_HTML_BLOCK:
    case CMARK_NODE_HTML_INLINE:
        find_in_html(f, cmark_node_get_literal(node));
        break;
    default:
        break;
    }
}

bool issue_find_links(struct kns_arena *arena, const char *markdown, struct issue_links *ret_links)
{
    struct finding f = {.arena = arena, .links = ret_links};
    cmark_node *document = cmark_parse_document(markdown, strlen(markdown), CMARK_OPT_DEFAULT);
    cmark_iter *iter = document == NULL ? NULL : cmark_iter_new(document);

    while (iter != NULL && cmark_iter_next(iter) != CMARK_EVENT_DONE)
        if (cmark_iter_get_event_type(iter) == CMARK_EVENT_ENTER)
            look_at(&f, cmark_iter_get_node(iter));
    if (iter != NULL)
        cmark_iter_free(iter);
    if (document != NULL)
        cmark_node_free(document);
    return iter != NULL && !f.failed;
}
