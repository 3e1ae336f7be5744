/* Issues as digests, and all of them as a feed. */
#include "lib/issue.h"

#include "lib/digest/xml.h"
#include "lib/markdown.h"
#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

static const char *some(const char *text)
{
    return text != NULL && *text != '\0' ? text : NULL;
}

/* ---- one -------------------------------------------------------------------------------------------------------------- */

static const char *decorated(struct kns_arena *arena, const char *url, const char *parameters)
{
    size_t end = strcspn(url, "#");

    if (some(parameters) == NULL || !kns_url_is_web(url))
        return url;
    bool query = memchr(url, '?', end) != NULL;
    return kns_arena_printf(arena, "%.*s%s%s%s", (int)end, url, query ? "&" : "?", parameters,
                            url + end);
}

static bool add_item(struct kns_digest *digest, struct kns_arena *arena,
                     const struct kns_issue_item *from, const char *parameters)
{
    struct kns_item *item = KNS_NEW(arena, struct kns_item);
    struct kns_entry *entry = kns_entry_new(arena);

    if (item == NULL || entry == NULL)
        return false;
    item->entry = *entry;
    item->id = from->id;
    item->entry.url = decorated(arena, from->url, parameters);
    item->entry.title = from->title;
    item->first_seen = digest->published;
    if (item->entry.url == NULL || !kns_digest_add_item(digest, arena, item))
        return false;
    struct kns_digest_item *shown = digest->items.last;
    shown->title = from->title;
    shown->site = from->site;
    shown->description = from->description == NULL ? "" : from->description;
    shown->image = from->image == NULL ? "" : from->image;
    shown->section = from->section;
    if (from->note != NULL) {
        shown->note_html = kns_markdown_to_html(arena, from->note);
        return shown->note_html != NULL;
    }
    return true;
}

struct kns_digest *kns_issue_digest(struct kns_arena *arena, const struct kns_issue *issue,
                                    const struct kns_publication *publication, bool decorate)
{
    struct kns_digest *digest = KNS_NEW(arena, struct kns_digest);
    const struct kns_issue_section *section;
    const struct kns_issue_item *item;
    const char *parameters = decorate ? publication->link_parameters : NULL;

    if (digest == NULL)
        return NULL;
    *digest = (struct kns_digest){
        .title = issue->title,
        .publication = some(publication->title),
        .author = some(publication->author),
        .author_email = some(publication->email),
        .list = some(publication->name),
        .number = issue->number,
        .id = issue->id,
        .base_url = some(publication->base_url),
        .url = issue->url != NULL ? issue->url : kns_issue_url(arena, publication, issue->number),
        .language = issue->language != NULL ? issue->language : some(publication->language),
        .published = issue->published,
        .updated = issue->updated,
    };
    KNS_LIST_EACH(section, &issue->sections)
    {
        const char *html = kns_markdown_to_html(arena, section->text == NULL ? "" : section->text);
        if (html == NULL || !kns_digest_add_section(digest, arena, section->title, html))
            return NULL;
    }
    KNS_LIST_EACH(item, &issue->items)
    if (!add_item(digest, arena, item, parameters))
        return NULL;
    return digest;
}

/* ---- all -------------------------------------------------------------------------------------------------------------- */

/* The HTML that goes into an entry: no page around it. */
static const char *content_of(struct kns_arena *arena, const struct kns_issue *issue,
                              const struct kns_publication *publication, struct kns_error *err)
{
    const struct kns_digest_options options = {.paste = true};
    const struct kns_digest *digest = kns_issue_digest(arena, issue, publication, false);
    struct kns_buf out = {0};
    const char *html = NULL;

    if (digest == NULL)
        kns_fail(err, KNS_ENOMEM, "out of memory");
    else if (kns_digest_render(digest, KNS_DIGEST_HTML, &options, &out, NULL, err) == KNS_OK)
        html = kns_arena_copy(arena, kns_buf_str(&out), out.len);
    kns_buf_fini(&out);
    return html;
}

static struct kns_time newest(const struct kns_issue *const *issues, size_t count)
{
    struct kns_time time = {1133395200}; /* the year Atom was made: nothing is published yet */

    for (size_t i = 0; i < count; i++)
        if (issues[i]->updated.unix_s > time.unix_s)
            time = issues[i]->updated;
    return time;
}

static void add_time(struct kns_buf *out, int indent, const char *name, struct kns_time time)
{
    char text[KNS_TIME_TEXT];

    digest_xml_element(out, indent, name, kns_time_format(time, text));
}

static void add_link(struct kns_buf *out, int indent, const char *rel, const char *type,
                     const char *href)
{
    if (some(href) == NULL)
        return;
    kns_buf_addf(out, "%*s<link rel=\"%s\" type=\"%s\"", indent, "", rel, type);
    digest_xml_attribute(out, "href", href);
    kns_buf_adds(out, "/>\n");
}

static const char *page_of(struct kns_arena *arena, const struct kns_issue *issue,
                           const struct kns_publication *publication)
{
    return issue->url != NULL ? issue->url : kns_issue_url(arena, publication, issue->number);
}

static enum kns_status add_entry(struct kns_arena *arena, const struct kns_issue *issue,
                                 const struct kns_publication *publication, struct kns_buf *out,
                                 struct kns_error *err)
{
    const char *html = content_of(arena, issue, publication, err);

    if (html == NULL)
        return KNS_ENOMEM;
    kns_buf_adds(out, "  <entry>\n");
    digest_xml_element(out, 4, "id", issue->id);
    digest_xml_element(out, 4, "title", issue->title);
    add_time(out, 4, "updated", issue->updated);
    add_time(out, 4, "published", issue->published);
    add_link(out, 4, "alternate", "text/html", page_of(arena, issue, publication));
    kns_buf_adds(out, "    <content type=\"html\">");
    digest_xml_text(out, html);
    kns_buf_adds(out, "</content>\n  </entry>\n");
    return KNS_OK;
}

enum kns_status kns_issues_write_atom(const struct kns_issue *const *issues, size_t count,
                                      const struct kns_publication *publication,
                                      const char *self_url, struct kns_buf *out,
                                      struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *host = arena == NULL || some(publication->base_url) == NULL
                           ? NULL
                           : kns_url_host(arena, publication->base_url);
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;

    kns_buf_adds(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                      "<feed xmlns=\"http://www.w3.org/2005/Atom\"");
    digest_xml_attribute(out, "xml:lang", publication->language);
    kns_buf_adds(out, ">\n");
    const char *id = arena == NULL
                         ? NULL
                         : kns_arena_printf(arena, "tag:%s,2005:%s",
                                            host == NULL ? "kns.invalid" : host, publication->name);
    digest_xml_element(out, 2, "id", id);
    digest_xml_element(out, 2, "title", publication->title);
    add_time(out, 2, "updated", newest(issues, count));
    kns_buf_adds(out, "  <author><name>");
    digest_xml_text(out,
                    some(publication->author) != NULL ? publication->author : publication->title);
    kns_buf_adds(out, "</name></author>\n");
    add_link(out, 2, "self", "application/atom+xml", self_url);
    add_link(out, 2, "alternate", "text/html", publication->base_url);
    kns_buf_addf(out, "  <generator version=\"%s\">KNS</generator>\n", KNS_VERSION);
    for (size_t i = 0; i < count && status == KNS_OK; i++)
        status = add_entry(arena, issues[i], publication, out, err);
    kns_buf_adds(out, "</feed>\n");
    kns_arena_free(arena);
    return status;
}

static json_t *item_json(struct kns_arena *arena, const struct kns_issue *issue,
                         const struct kns_publication *publication, struct kns_error *err)
{
    const char *html = content_of(arena, issue, publication, err);
    const char *url = page_of(arena, issue, publication);
    char published[KNS_TIME_TEXT], updated[KNS_TIME_TEXT];
    json_t *json = html == NULL
                       ? NULL
                       : json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", issue->id, "title",
                                   issue->title, "content_html", html, "date_published",
                                   kns_time_format(issue->published, published), "date_modified",
                                   kns_time_format(issue->updated, updated));

    if (json != NULL && url != NULL)
        json_object_set_new(json, "url", json_string(url));
    return json;
}

enum kns_status kns_issues_write_jsonfeed(const struct kns_issue *const *issues, size_t count,
                                          const struct kns_publication *publication,
                                          const char *self_url, struct kns_buf *out,
                                          struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    json_t *items = json_array();
    bool good = arena != NULL;

    for (size_t i = 0; good && i < count; i++) {
        json_t *item = item_json(arena, issues[i], publication, err);
        good = item != NULL && json_array_append_new(items, item) == 0;
    }
    kns_arena_free(arena);
    json_t *feed =
        json_pack("{s:s, s:s, s:[{s:s}], s:o}", "version", "https://jsonfeed.org/version/1.1",
                  "title", publication->title, "authors", "name",
                  some(publication->author) != NULL ? publication->author : publication->title,
                  "items", items);
    if (feed != NULL && some(publication->base_url) != NULL)
        json_object_set_new(feed, "home_page_url", json_string(publication->base_url));
    if (feed != NULL && some(self_url) != NULL)
        json_object_set_new(feed, "feed_url", json_string(self_url));
    if (feed != NULL && some(publication->language) != NULL)
        json_object_set_new(feed, "language", json_string(publication->language));
    char *text = good && feed != NULL ? json_dumps(feed, JSON_INDENT(2)) : NULL;
    json_decref(feed);
    if (text == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_buf_adds(out, text);
    kns_buf_addc(out, '\n');
    free(text);
    return KNS_OK;
}
