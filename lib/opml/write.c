/* OPML 2.0 out: the folders' tree, made of the feeds' first tags, then written depth first. */
#include "lib/opml.h"

#include "lib/digest/xml.h"
#include "lib/url.h"

#include <stdio.h>
#include <string.h>

struct folder_feed {
    const struct kns_opml_feed *feed;
    struct folder_feed *next;
};

struct folder {
    const char *name;
    KNS_LIST(folder_feed) feeds;
    struct folder *children; /* sorted by name */
    struct folder *next;
};

/* True for a tag that a path of folders can say: no empty part, no white space at a part's ends. */
static bool is_path(const char *tag)
{
    size_t depth = 1;

    for (const char *part = tag;; part++) {
        size_t len = strcspn(part, "/");
        if (len == 0 || strchr(" \t\r\n", *part) != NULL ||
            strchr(" \t\r\n", part[len - 1]) != NULL)
            return false;
        part += len;
        if (*part == '\0')
            return depth < KNS_OPML_MAX_DEPTH;
        depth++;
    }
}

static struct folder *child(struct kns_arena *arena, struct folder *parent, const char *name,
                            size_t len)
{
    struct folder **at = &parent->children;
    int order = -1;

    for (; *at != NULL; at = &(*at)->next) {
        order = strncmp((*at)->name, name, len);
        if (order == 0 && (*at)->name[len] != '\0')
            order = 1;
        if (order >= 0)
            break;
    }
    if (*at != NULL && order == 0)
        return *at;
    struct folder *folder = KNS_NEW(arena, struct folder);
    if (folder == NULL)
        return NULL;
    folder->name = kns_arena_copy(arena, name, len);
    folder->next = *at;
    *at = folder;
    return folder->name != NULL ? folder : NULL;
}

static struct folder *folder_of(struct kns_arena *arena, struct folder *root, const char *tag)
{
    struct folder *folder = root;

    while (folder != NULL) {
        size_t len = strcspn(tag, "/");
        folder = child(arena, folder, tag, len);
        if (tag[len] == '\0')
            return folder;
        tag += len + 1;
    }
    return NULL;
}

static bool place(struct kns_arena *arena, struct folder *root, const struct kns_opml_feed *feed)
{
    const struct kns_string *first = feed->tags.list.first;
    struct folder_feed *node = KNS_NEW(arena, struct folder_feed);
    struct folder *folder = root;

    if (first != NULL && is_path(first->value))
        folder = folder_of(arena, root, first->value);
    if (node == NULL || folder == NULL)
        return false;
    node->feed = feed;
    KNS_LIST_APPEND(&folder->feeds, node);
    return true;
}

/* All tags, separated by commas; a comma or backslash inside one is escaped by a backslash, which is how KNS reads them. */
static void add_categories(struct kns_buf *out, const struct kns_strings *tags)
{
    const struct kns_string *tag;
    struct kns_buf text = {0};

    KNS_LIST_EACH(tag, &tags->list)
    {
        if (text.len > 0)
            kns_buf_addc(&text, ',');
        for (const char *c = tag->value; *c != '\0'; c++) {
            if (*c == ',' || *c == '\\')
                kns_buf_addc(&text, '\\');
            kns_buf_addc(&text, *c);
        }
    }
    digest_xml_attribute(out, "category", kns_buf_str(&text));
    out->failed |= text.failed;
    kns_buf_fini(&text);
}

static void write_feed(struct kns_buf *out, int indent, const struct kns_opml_feed *feed)
{
    const struct kns_string *first = feed->tags.list.first;
    const char *title = feed->title != NULL ? feed->title : feed->url;

    kns_buf_addf(out, "%*s<outline type=\"rss\"", indent, "");
    digest_xml_attribute(out, "text", title);
    digest_xml_attribute(out, "title", feed->title);
    digest_xml_attribute(out, "xmlUrl", feed->url);
    digest_xml_attribute(out, "htmlUrl", feed->home_page_url);
    digest_xml_attribute(out, "description", feed->description);
    if (feed->tags.list.count > 1 || (first != NULL && !is_path(first->value)))
        add_categories(out, &feed->tags);
    kns_buf_adds(out, "/>\n");
}

/* Depth is bounded by is_path. */
static void write_folder(struct kns_buf *out, int indent, const struct folder *folder)
{
    const struct folder_feed *node;

    for (const struct folder *c = folder->children; c != NULL; c = c->next) {
        kns_buf_addf(out, "%*s<outline", indent, "");
        digest_xml_attribute(out, "text", c->name);
        kns_buf_adds(out, ">\n");
        write_folder(out, indent + 2, c);
        kns_buf_addf(out, "%*s</outline>\n", indent, "");
    }
    KNS_LIST_EACH(node, &folder->feeds)
    write_feed(out, indent, node->feed);
}

enum kns_status kns_opml_write(const struct kns_opml *opml, struct kns_buf *out,
                               struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct folder root = {0};
    const struct kns_opml_feed *feed;
    char modified[KNS_TIME_HTTP];
    bool ok = arena != NULL;

    KNS_LIST_EACH(feed, &opml->feeds)
    ok = ok && place(arena, &root, feed);
    if (ok) {
        kns_buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<opml version=\"2.0\">\n  <head>\n");
        digest_xml_element(out, 4, "title", opml->title);
        digest_xml_element(out, 4, "dateModified", kns_time_format_http(opml->date, modified));
        kns_buf_adds(out, "  </head>\n  <body>\n");
        write_folder(out, 4, &root);
        kns_buf_adds(out, "  </body>\n</opml>\n");
    }
    kns_arena_free(arena);
    if (ok && !kns_buf_failed(out))
        return KNS_OK;
    if (ok && out->limit != 0)
        return kns_fail(err, KNS_ELIMIT, "the list is over %zu bytes", out->limit);
    return kns_fail(err, KNS_ENOMEM, "out of memory");
}

struct kns_opml_feed *kns_opml_feed_of(struct kns_arena *arena, const struct kns_feed *feed)
{
    struct kns_opml_feed *one = KNS_NEW(arena, struct kns_opml_feed);

    if (one == NULL)
        return NULL;
    one->url = kns_url_without_credentials(arena, feed->url);
    if (feed->title != NULL && strcmp(feed->title, feed->url) != 0)
        one->title = feed->title;
    one->home_page_url = feed->home_page_url;
    one->description = feed->description;
    one->tags = feed->tags;
    return one->url != NULL ? one : NULL;
}
