/* JSON Feed 1.1: the items as the rest of KNS writes them, with what the digest decided. */
#include "lib/jsonfeed.h"
#include "lib/digest/view.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool set_text(json_t *object, const char *name, const char *text)
{
    if (text == NULL || *text == '\0')
        return json_object_del(object, name) <= 0;
    return json_object_set_new(object, name, json_string(text)) == 0;
}

/* The object at name, made when it is not there; borrowed. */
static json_t *extension(json_t *object)
{
    json_t *kns = json_object_get(object, "_kns");

    if (kns == NULL && json_object_set_new(object, "_kns", json_object()) == 0)
        kns = json_object_get(object, "_kns");
    return kns;
}

static bool add_feeds(const struct digest_view *view, json_t *kns, const struct kns_item *item)
{
    const struct kns_item_feed *feed;
    json_t *feeds = json_array();

    KNS_LIST_EACH(feed, &item->feeds)
    {
        const char *url =
            feed->url != NULL ? kns_url_without_credentials(view->arena, feed->url) : "";
        json_t *one = json_pack("{s:I}", "id", (json_int_t)feed->id);
        if (one == NULL || url == NULL || !set_text(one, "title", feed->title) ||
            !set_text(one, "url", url)) {
            json_decref(one);
            json_decref(feeds);
            return false;
        }
        json_array_append_new(feeds, one);
    }
    return json_object_set_new(kns, "feeds", feeds) == 0;
}

static json_t *item_json(const struct digest_view *view, const struct digest_entry *e,
                         const char *section)
{
    json_t *json = kns_jsonfeed_from_entry(&e->item->entry, true, true);
    json_t *kns = json != NULL ? extension(json) : NULL;
    char text[KNS_TIME_TEXT], id[32];

    snprintf(id, sizeof(id), "%lld", (long long)e->item->id);
    if (kns == NULL || !set_text(json, "id", id) || !set_text(json, "title", e->title) ||
        !set_text(json, "summary", e->description) || !set_text(json, "image", e->image) ||
        !set_text(kns, "guid", e->item->entry.guid) ||
        !set_text(kns, "first_seen", kns_time_format(e->item->first_seen, text)) ||
        !set_text(kns, "note_html", e->note_html) || !set_text(kns, "section", section) ||
        !add_feeds(view, kns, e->item)) {
        json_decref(json);
        return NULL;
    }
    /* An item must have a content (JSON Feed 1.1): where its feed gave none, the comment, else the summary. */
    bool bare = json_object_get(json, "content_html") == NULL &&
                json_object_get(json, "content_text") == NULL;
    bool noted = *e->note_html != '\0';
    if (bare && json_object_set_new(json, noted ? "content_html" : "content_text",
                                    json_string(noted ? e->note_html : e->description)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *sections_json(const struct digest_view *view)
{
    const struct digest_part *part;
    json_t *sections = json_array();

    KNS_LIST_EACH(part, &view->parts)
    json_array_append_new(
        sections, json_pack("{s:s, s:s}", "title", part->title, "content_html", part->html));
    return sections;
}

static json_t *feed_json(const struct digest_view *view)
{
    const struct kns_digest *digest = view->digest;
    json_t *feed = json_pack("{s:s, s:s}", "version", "https://jsonfeed.org/version/1.1", "title",
                             view->title);
    char text[KNS_TIME_TEXT];

    if (feed == NULL)
        return NULL;
    set_text(feed, "home_page_url", digest->url != NULL ? digest->url : digest->base_url);
    set_text(feed, "feed_url", digest->self_url);
    set_text(feed, "language", view->language);
    json_object_set_new(feed, "authors", json_pack("[{s:s}]", "name", view->author));
    json_t *kns = extension(feed);
    set_text(kns, "id", view->id);
    set_text(kns, "updated", kns_time_format(view->updated, text));
    if (view->parts.count > 0)
        json_object_set_new(kns, "sections", sections_json(view));
    return feed;
}

enum kns_status digest_write_jsonfeed(const struct digest_view *view, struct kns_buf *out,
                                      struct kns_error *err)
{
    json_t *feed = feed_json(view);
    json_t *items = json_array();
    const struct digest_group *group;
    const struct digest_entry *entry;
    bool ok = feed != NULL && items != NULL;

    KNS_LIST_EACH(group, &view->groups)
    KNS_LIST_EACH(entry, &group->entries)
    ok = ok && json_array_append_new(items, item_json(view, entry, group->title)) == 0;
    ok = json_object_set_new(feed, "items", items) == 0 && ok;
    char *text = ok ? json_dumps(feed, JSON_INDENT(2)) : NULL;
    json_decref(feed);
    if (text == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_buf_adds(out, text);
    kns_buf_addc(out, '\n');
    free(text);
    return KNS_OK;
}
