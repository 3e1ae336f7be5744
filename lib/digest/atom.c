/* Atom (RFC 4287). An uncurated digest is a feed of its items, each with its source; an issue is one entry that holds the
 * issue's HTML. */
#include "lib/digest/hash.h"
#include "lib/digest/view.h"
#include "lib/digest/xml.h"
#include "lib/url.h"

#include <string.h>

/* A time Atom's required elements can hold: the year the format was made stands for "unknown". */
static struct kns_time or_epoch(struct kns_time time)
{
    return kns_time_given(time) ? time : (struct kns_time){.unix_s = 1133395200};
}

static void add_time(struct kns_buf *out, int indent, const char *name, struct kns_time time)
{
    char text[KNS_TIME_TEXT];

    digest_xml_element(out, indent, name, kns_time_format(time, text));
}

static void add_link(struct kns_buf *out, int indent, const char *rel, const char *type,
                     const char *href)
{
    if (href == NULL || *href == '\0')
        return;
    kns_buf_addf(out, "%*s<link rel=\"%s\"", indent, "", rel);
    digest_xml_attribute(out, "type", type);
    digest_xml_attribute(out, "href", href);
    kns_buf_adds(out, "/>\n");
}

static void add_author(struct kns_buf *out, int indent, const char *name, const char *email,
                       const char *url)
{
    kns_buf_addf(out, "%*s<author>", indent, "");
    kns_buf_adds(out, "<name>");
    digest_xml_text(out, name);
    kns_buf_adds(out, "</name>");
    if (email != NULL && strchr(email, '@') != NULL && strpbrk(email, " \t\r\n<>\"") == NULL) {
        kns_buf_adds(out, "<email>");
        digest_xml_text(out, email);
        kns_buf_adds(out, "</email>");
    }
    if (url != NULL && kns_url_is_web(url)) {
        kns_buf_adds(out, "<uri>");
        digest_xml_text(out, url);
        kns_buf_adds(out, "</uri>");
    }
    kns_buf_adds(out, "</author>\n");
}

/* What an entry would be known by alone: its own atom:id where its guid can be one (an IRI), so that a reader who knows the entry knows it
 * again. */
static const char *own_id(const struct digest_view *view, const struct digest_entry *e)
{
    const char *guid = e->item->entry.guid;

    if (guid != NULL && kns_url_has_scheme(guid) && strpbrk(guid, " \t\r\n<>\"{}|\\^`") == NULL)
        return guid;
    if (*e->url != '\0')
        return e->url;
    return digest_urn(view->arena, guid != NULL ? guid : "", e->title);
}

/* The id of an entry, which no other of the feed has (RFC 4287 4.2.6): of several that would have the same, the first keeps it. */
static const char *entry_id(const struct digest_view *view, const struct digest_entry *e)
{
    const struct digest_group *group;
    const struct digest_entry *other;
    const char *id = own_id(view, e);

    KNS_LIST_EACH(group, &view->groups)
    KNS_LIST_EACH(other, &group->entries)
    {
        const char *others = other == e ? NULL : own_id(view, other);
        if (other == e || id == NULL)
            return id;
        if (others != NULL && strcmp(others, id) == 0) {
            const char *item = kns_arena_printf(view->arena, "%lld", (long long)e->item->id);
            return item == NULL ? NULL : digest_urn(view->arena, id, item);
        }
    }
    return id;
}

static bool add_source(const struct digest_view *view, struct kns_buf *out,
                       const struct kns_item_feed *feed)
{
    if (feed == NULL || feed->url == NULL)
        return true;
    const char *url = kns_url_without_credentials(view->arena, feed->url);
    if (url == NULL)
        return false;
    kns_buf_adds(out, "    <source>\n");
    digest_xml_element(out, 6, "id", url);
    digest_xml_element(out, 6, "title", feed->title != NULL ? feed->title : url);
    add_link(out, 6, "self", NULL, url);
    kns_buf_adds(out, "    </source>\n");
    return true;
}

static void add_entry_authors(struct kns_buf *out, const struct digest_entry *e)
{
    const struct kns_person *person;
    const struct kns_item_feed *feed = e->item->feeds.first;
    size_t named = 0;

    KNS_LIST_EACH(person, &e->item->entry.authors)
    {
        if (person->name == NULL || *person->name == '\0')
            continue;
        add_author(out, 4, person->name, NULL, person->url);
        named++;
    }
    if (named == 0)
        add_author(out, 4, feed != NULL && feed->title != NULL ? feed->title : e->site, NULL, NULL);
}

static enum kns_status add_entry(const struct digest_view *view, struct kns_buf *out,
                                 const struct digest_entry *e, struct kns_error *err)
{
    const struct kns_entry *entry = &e->item->entry;
    const struct kns_category *tag;
    const char *id = entry_id(view, e);

    if (id == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_buf_adds(out, "  <entry");
    digest_xml_attribute(out, "xml:lang", e->language);
    kns_buf_adds(out, ">\n");
    digest_xml_element(out, 4, "id", id);
    kns_buf_adds(out, "    <title>");
    digest_xml_text(out, e->title);
    kns_buf_adds(out, "</title>\n");
    add_time(out, 4, "updated", or_epoch(kns_time_given(entry->updated) ? entry->updated : e->at));
    add_time(out, 4, "published", entry->published);
    add_entry_authors(out, e);
    add_link(out, 4, "alternate", NULL, e->url);
    KNS_LIST_EACH(tag, &entry->tags)
    if (tag->term != NULL && *tag->term != '\0') {
        kns_buf_adds(out, "    <category");
        digest_xml_attribute(out, "term", tag->term);
        kns_buf_adds(out, "/>\n");
    }
    if (!add_source(view, out, e->item->feeds.first))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    digest_xml_element(out, 4, "summary", e->description);
    if (*e->note_html != '\0') {
        kns_buf_adds(out, "    <content type=\"html\">");
        digest_xml_text(out, e->note_html);
        kns_buf_adds(out, "</content>\n");
    } else if (*e->url == '\0' && *e->description == '\0') {
        /* An entry needs an alternate link or a content (RFC 4287, 4.1.2). */
        kns_buf_adds(out, "    <content type=\"text\"></content>\n");
    }
    kns_buf_adds(out, "  </entry>\n");
    return KNS_OK;
}

static enum kns_status add_issue(const struct digest_view *view, struct kns_buf *out,
                                 struct kns_error *err)
{
    struct kns_digest_options options = *view->options;
    struct digest_view inner = *view;
    struct kns_buf html = {0};

    options.paste = true;
    inner.options = &options;
    enum kns_status status = digest_write_html(&inner, &html, err);
    if (status == KNS_OK && !kns_buf_failed(&html)) {
        kns_buf_adds(out, "  <entry>\n");
        digest_xml_element(out, 4, "id", view->id);
        digest_xml_element(out, 4, "title", view->title);
        add_time(out, 4, "updated", or_epoch(view->updated));
        add_time(out, 4, "published", view->digest->published);
        add_link(out, 4, "alternate", "text/html", view->digest->url);
        kns_buf_adds(out, "    <content type=\"html\">");
        digest_xml_text(out, kns_buf_str(&html));
        kns_buf_adds(out, "</content>\n  </entry>\n");
    }
    out->failed |= html.failed;
    kns_buf_fini(&html);
    return status;
}

enum kns_status digest_write_atom(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err)
{
    const struct kns_digest *digest = view->digest;
    bool issue = digest->number > 0;
    const char *id = issue ? digest_urn(view->arena, view->publication, "feed") : view->id;
    const struct digest_group *group;
    const struct digest_entry *entry;

    if (id == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_buf_adds(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                      "<feed xmlns=\"http://www.w3.org/2005/Atom\"");
    digest_xml_attribute(out, "xml:lang", view->language);
    kns_buf_adds(out, ">\n");
    digest_xml_element(out, 2, "id", id);
    digest_xml_element(out, 2, "title", issue ? view->publication : view->title);
    add_time(out, 2, "updated", or_epoch(view->updated));
    add_author(out, 2, view->author, digest->author_email, NULL);
    add_link(out, 2, "self", "application/atom+xml", digest->self_url);
    add_link(out, 2, "alternate", "text/html",
             digest->url != NULL ? digest->url : digest->base_url);
    kns_buf_addf(out, "  <generator version=\"%s\">KNS</generator>\n", KNS_VERSION);
    enum kns_status status = issue ? add_issue(view, out, err) : KNS_OK;
    KNS_LIST_EACH(group, &view->groups)
    for (entry = group->entries.first; !issue && entry != NULL && status == KNS_OK;
         entry = entry->next)
        status = add_entry(view, out, entry, err);
    kns_buf_adds(out, "</feed>\n");
    return status;
}
