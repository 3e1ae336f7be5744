/* An issue as a JSON Feed: the shapes of kns-api(7). */
#include "lib/newsletter.h"

#include "lib/html.h"
#include "lib/json.h"

/* HTML, by way of the sanitiser where one is wanted. False: no memory. */
static bool set_html(json_t *object, const char *name, const char *html, bool sanitize)
{
    struct kns_arena *arena = html != NULL && sanitize ? kns_arena_new(0) : NULL;
    const char *shown = arena == NULL ? html : kns_html_sanitize(arena, html, NULL);
    bool good = html == NULL || ((arena != NULL || !sanitize) && shown != NULL);

    if (good)
        kns_json_set_text(object, name, shown);
    kns_arena_free(arena);
    return good;
}

static void set_or_drop(json_t *object, const char *name, json_t *value)
{
    if (json_object_size(value) > 0 || json_array_size(value) > 0)
        json_object_set_new(object, name, value);
    else
        json_decref(value);
}

static json_t *item_to_json(const struct kns_newsletter_item *item, bool sanitize, bool *ret_good)
{
    json_t *object = json_object(), *kns = json_object();

    kns_json_set_text(object, "id", item->url);
    kns_json_set_text(object, "url", item->url);
    kns_json_set_text(object, "title", item->title);
    kns_json_set_text(object, "image", item->image);
    kns_json_set_text(object, "summary", item->description);
    kns_json_set_text(kns, "note", item->note);
    *ret_good = set_html(kns, "note_html", item->note_html, sanitize) && *ret_good;
    kns_json_set_text(kns, "section", item->section);
    kns_json_set_text(kns, "site", item->site);
    json_object_set_new(kns, "position", json_integer(item->position));
    json_object_set_new(object, "_kns", kns);
    return object;
}

static json_t *section_to_json(const struct kns_newsletter_section *section, bool sanitize,
                               bool *ret_good)
{
    json_t *object = json_object();

    kns_json_set_text(object, "title", section->title);
    *ret_good = set_html(object, "content_html", section->content_html, sanitize) && *ret_good;
    return object;
}

static json_t *mention_to_json(const struct kns_newsletter_mention *mention)
{
    json_t *object = json_object();

    kns_json_set_text(object, "url", mention->url);
    kns_json_set_text(object, "text", mention->text);
    kns_json_set_text(object, "section", mention->section);
    kns_json_set_text(object, "context", mention->context);
    return object;
}

json_t *kns_newsletter_to_json(const struct kns_newsletter *newsletter, bool sanitize)
{
    json_t *feed = json_object(), *items = json_array(), *sections = json_array(),
           *mentions = json_array(), *kns = json_object();
    const struct kns_newsletter_item *item;
    const struct kns_newsletter_section *section;
    const struct kns_newsletter_mention *mention;
    bool good = true;

    kns_json_set_text(feed, "version", "https://jsonfeed.org/version/1.1");
    kns_json_set_text(feed, "title", newsletter->title);
    kns_json_set_text(feed, "home_page_url", newsletter->url);
    KNS_LIST_EACH(item, &newsletter->items)
    json_array_append_new(items, item_to_json(item, sanitize, &good));
    KNS_LIST_EACH(section, &newsletter->sections)
    json_array_append_new(sections, section_to_json(section, sanitize, &good));
    KNS_LIST_EACH(mention, &newsletter->mentions)
    json_array_append_new(mentions, mention_to_json(mention));
    json_object_set_new(feed, "items", items);
    if (newsletter->number > 0)
        json_object_set_new(kns, "number", json_integer(newsletter->number));
    kns_json_set_time(kns, "published", newsletter->published);
    set_or_drop(kns, "sections", sections);
    set_or_drop(kns, "mentions", mentions);
    set_or_drop(feed, "_kns", kns);
    if (good)
        return feed;
    json_decref(feed);
    return NULL;
}
