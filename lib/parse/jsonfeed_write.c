/* Our model as JSON Feed 1.1 with the `_kns` extension. */
#include "lib/html.h"
#include "lib/jsonfeed.h"
#include "lib/parse/jsonfeed_names.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

/* Every setter leaves out what is not there; a failed one marks the object, checked once at the end. */
struct writer {
    bool failed;
};

static void set(struct writer *w, json_t *object, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        w->failed = true;
}

static void set_string(struct writer *w, json_t *object, const char *key, const char *value)
{
    if (value != NULL && *value != '\0')
        set(w, object, key, json_string(value));
}

static void set_time(struct writer *w, json_t *object, const char *key, struct kns_time value)
{
    char text[KNS_TIME_TEXT];

    set_string(w, object, key, kns_time_format(value, text));
}

static void set_number(struct writer *w, json_t *object, const char *key, int64_t value)
{
    if (value >= 0)
        set(w, object, key, json_integer(value));
}

/* Whole seconds as integers, as far as a double can tell them apart. */
static void set_seconds(struct writer *w, json_t *object, const char *key, double value)
{
    bool whole = value < 9e15 && value == (double)(int64_t)value;

    if (value >= 0)
        set(w, object, key, whole ? json_integer((json_int_t)value) : json_real(value));
}

/* Adds a list or object unless it is empty. Takes the reference. */
static void set_unless_empty(struct writer *w, json_t *object, const char *key, json_t *value)
{
    bool empty = json_is_array(value) ? json_array_size(value) == 0 : json_object_size(value) == 0;

    if (value != NULL && empty)
        json_decref(value);
    else
        set(w, object, key, value);
}

static json_t *new_object(struct writer *w)
{
    json_t *object = json_object();

    w->failed = w->failed || object == NULL;
    return object;
}

static void append(struct writer *w, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        w->failed = true;
}

/* A list as an array: each node becomes what make says. */
#define FROM_LIST(w, first, type, make)                                                            \
    json_t *array = json_array();                                                                  \
    for (const struct type *node = (first); node != NULL; node = node->next)                       \
        append(w, array, make(w, node));                                                           \
    return array

static json_t *from_person(struct writer *w, const struct kns_person *person)
{
    json_t *object = new_object(w), *kns = new_object(w);

    set_string(w, object, "name", person->name);
    set_string(w, object, "url", person->url);
    set_string(w, object, "avatar", person->avatar);
    set_string(w, kns, "email", person->email);
    set_unless_empty(w, object, "_kns", kns);
    return object;
}

static json_t *from_people(struct writer *w, const struct kns_person *first)
{
    FROM_LIST(w, first, kns_person, from_person);
}

static json_t *from_categories(struct writer *w, const struct kns_category *first)
{
    json_t *array = json_array();

    for (const struct kns_category *category = first; category != NULL; category = category->next)
        append(w, array, json_string(category->term != NULL ? category->term : category->label));
    return array;
}

static json_t *from_enclosure(struct writer *w, const struct kns_enclosure *enclosure)
{
    json_t *object = new_object(w);

    set_string(w, object, "url", enclosure->url);
    set_string(w, object, "mime_type", enclosure->mime_type);
    set_string(w, object, "title", enclosure->title);
    set_number(w, object, "size_in_bytes", enclosure->size_bytes);
    set_seconds(w, object, "duration_in_seconds", enclosure->duration_s);
    return object;
}

static json_t *from_enclosures(struct writer *w, const struct kns_enclosure *first)
{
    FROM_LIST(w, first, kns_enclosure, from_enclosure);
}

static json_t *from_link(struct writer *w, const struct kns_link *link)
{
    json_t *object = new_object(w);

    set_string(w, object, "rel", link->rel);
    set_string(w, object, "href", link->href);
    set_string(w, object, "type", link->type);
    set_string(w, object, "hreflang", link->hreflang);
    set_string(w, object, "title", link->title);
    set_number(w, object, "length", link->length_bytes);
    return object;
}

static json_t *from_links(struct writer *w, const struct kns_link *first)
{
    FROM_LIST(w, first, kns_link, from_link);
}

static json_t *from_source(struct writer *w, const struct kns_source *source)
{
    json_t *object = new_object(w);

    set_string(w, object, "id", source->id);
    set_string(w, object, "title", source->title);
    set_string(w, object, "url", source->url);
    return object;
}

static json_t *entry_extension(struct writer *w, const struct kns_entry *entry)
{
    json_t *kns = new_object(w);

    set_string(w, kns, "guid", entry->guid);
    if (entry->permalink)
        set(w, kns, "permalink", json_true());
    set_string(w, kns, "comments_url", entry->comments_url);
    set_string(w, kns, "comments_feed_url", entry->comments_feed_url);
    set_number(w, kns, "comments_count", entry->comments_count);
    set_unless_empty(w, kns, "source", from_source(w, &entry->source));
    set_string(w, kns, "copyright", entry->rights);
    set_unless_empty(w, kns, "links", from_links(w, entry->links.first));
    if (entry->geo.given)
        set(w, kns, "geo", json_pack("{s:f, s:f}", "lat", entry->geo.lat, "lon", entry->geo.lon));
    set_number(w, kns, "episode", entry->episode);
    set_number(w, kns, "season", entry->season);
    if (entry->is_explicit != KNS_EXPLICIT_UNKNOWN)
        set(w, kns, "explicit", json_boolean(entry->is_explicit == KNS_EXPLICIT_YES));
    return kns;
}

/* FNV-1a, 64 bits: an id for an entry that has none, the same each time the same is said. */
static uint64_t add_hash(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xFF) * UINT64_C(0x100000001b3);
}

static void set_id(struct writer *w, json_t *object, const struct kns_entry *entry)
{
    char id[32], time[KNS_TIME_TEXT];

    if (entry->guid != NULL || entry->url != NULL) {
        set_string(w, object, "id", entry->guid != NULL ? entry->guid : entry->url);
        return;
    }
    uint64_t hash = add_hash(UINT64_C(0xcbf29ce484222325), entry->title);
    hash = add_hash(hash, kns_time_format(entry->published, time));
    hash = add_hash(hash, entry->content_html);
    hash = add_hash(hash, entry->content_text);
    hash = add_hash(hash, entry->summary);
    snprintf(id, sizeof(id), KNS_JSONFEED_MADE_UP_ID "%016llx", (unsigned long long)hash);
    set_string(w, object, "id", id);
}

static const char *safe(struct kns_arena *arena, const char *html, const char *base, bool sanitize)
{
    return html == NULL || !sanitize ? html : kns_html_sanitize(arena, html, base);
}

static void set_content(struct writer *w, json_t *object, json_t *kns,
                        const struct kns_entry *entry, bool sanitize)
{
    struct kns_arena *arena = sanitize ? kns_arena_new(0) : NULL;

    if (sanitize && arena == NULL) {
        w->failed = true;
        return;
    }
    set_string(w, object, "content_html", safe(arena, entry->content_html, entry->url, sanitize));
    set_string(w, object, "content_text", entry->content_text);
    set_string(w, kns, "summary_html", safe(arena, entry->summary_html, entry->url, sanitize));
    kns_arena_free(arena);
}

json_t *kns_jsonfeed_from_entry(const struct kns_entry *entry, bool with_content, bool sanitize)
{
    struct writer w = {0};
    json_t *object = new_object(&w);

    if (object == NULL)
        return NULL;
    set_id(&w, object, entry);
    set_string(&w, object, "url", entry->url);
    set_string(&w, object, "external_url", entry->external_url);
    set_string(&w, object, "title", entry->title);
    json_t *kns = entry_extension(&w, entry);
    if (with_content)
        set_content(&w, object, kns, entry, sanitize);
    set_string(&w, object, "summary", entry->summary);
    set_string(&w, object, "image", entry->image);
    set_string(&w, object, "banner_image", entry->banner_image);
    set_time(&w, object, "date_published", entry->published);
    set_time(&w, object, "date_modified", entry->updated);
    set_unless_empty(&w, object, "authors", from_people(&w, entry->authors.first));
    set_unless_empty(&w, object, "tags", from_categories(&w, entry->tags.first));
    set_string(&w, object, "language", entry->language);
    set_unless_empty(&w, object, "attachments", from_enclosures(&w, entry->enclosures.first));
    set_unless_empty(&w, object, "_kns", kns);
    if (w.failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *from_hub(struct writer *w, const struct kns_hub *hub)
{
    json_t *object = new_object(w);

    set_string(w, object, "type", hub->type);
    set_string(w, object, "url", hub->url);
    return object;
}

static json_t *from_hubs(struct writer *w, const struct kns_hub *first)
{
    FROM_LIST(w, first, kns_hub, from_hub);
}

static json_t *from_warning(struct writer *w, const struct kns_warning *warning)
{
    json_t *object = new_object(w);

    if (warning->line > 0)
        set(w, object, "line", json_integer(warning->line));
    set_string(w, object, "message", warning->message);
    return object;
}

static json_t *from_warnings(struct writer *w, const struct kns_warning *first)
{
    FROM_LIST(w, first, kns_warning, from_warning);
}

const char *const kns_jsonfeed_days[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                          "Thursday", "Friday", "Saturday"};

static json_t *document_extension(struct writer *w, const struct kns_document *d)
{
    json_t *kns = new_object(w), *hours = json_array(), *days = json_array();

    set_string(w, kns, "format", kns_format_name(d->format));
    set_string(w, kns, "encoding", d->encoding);
    set_string(w, kns, "id", d->id);
    set_time(w, kns, "updated", d->updated);
    set_time(w, kns, "published", d->published);
    set_string(w, kns, "copyright", d->rights);
    set_string(w, kns, "generator", d->generator);
    set_number(w, kns, "ttl_seconds", d->ttl_s);
    set_number(w, kns, "update_interval_seconds", d->update_interval_s);
    for (int hour = 0; hour < 24; hour++)
        if ((d->skip_hours >> hour & 1) != 0)
            append(w, hours, json_integer(hour));
    for (int day = 0; day < 7; day++)
        if ((d->skip_days >> day & 1) != 0)
            append(w, days, json_string(kns_jsonfeed_days[day]));
    set_unless_empty(w, kns, "skip_hours", hours);
    set_unless_empty(w, kns, "skip_days", days);
    set_string(w, kns, "next_url", d->next_url);
    set_unless_empty(w, kns, "tags", from_categories(w, d->tags.first));
    set(w, kns, "malformed", json_boolean(d->malformed));
    set_unless_empty(w, kns, "warnings", from_warnings(w, d->warnings.first));
    return kns;
}

json_t *kns_jsonfeed_from_document(const struct kns_document *d, bool sanitize)
{
    struct writer w = {0};
    json_t *object = new_object(&w), *items = json_array();

    if (object == NULL || items == NULL) {
        json_decref(object);
        json_decref(items);
        return NULL;
    }
    set(&w, object, "version", json_string("https://jsonfeed.org/version/1.1"));
    set_string(&w, object, "title", d->title);
    set_string(&w, object, "home_page_url", d->home_page_url);
    set_string(&w, object, "feed_url", d->feed_url);
    set_string(&w, object, "description", d->description);
    set_string(&w, object, "icon", d->icon);
    set_string(&w, object, "favicon", d->favicon);
    set_string(&w, object, "language", d->language);
    set_unless_empty(&w, object, "authors", from_people(&w, d->authors.first));
    set_unless_empty(&w, object, "hubs", from_hubs(&w, d->hubs.first));
    set(&w, object, "_kns", document_extension(&w, d));
    for (const struct kns_entry *entry = d->entries.first; entry != NULL; entry = entry->next)
        append(&w, items, kns_jsonfeed_from_entry(entry, true, sanitize));
    set(&w, object, "items", items);
    if (w.failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}
