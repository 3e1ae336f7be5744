/* JSON Feed 1.0 and 1.1 into our model, tolerant as their text recommends: a member of the wrong type is left out, an
 * id that is a number is its digits, an item without id is read all the same. */
#include "lib/buf.h"
#include "lib/date.h"
#include "lib/html.h"
#include "lib/jsonfeed.h"
#include "lib/parse.h"
#include "lib/parse/jsonfeed_load.h"
#include "lib/parse/jsonfeed_names.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    struct kns_arena *arena;
    const char *base;
    struct kns_document *document; /* for warnings; NULL: none wanted */
    bool failed;
};

static void *need(struct reader *r, void *pointer)
{
    r->failed = r->failed || pointer == NULL;
    return pointer;
}

static const char *copy(struct reader *r, const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return NULL;
    const char *text = need(r, (void *)(uintptr_t)kns_text_to_utf8(
                                   r->arena, json_string_value(value), json_string_length(value)));
    return text == NULL || *text == '\0' ? NULL : text;
}

static const char *string(struct reader *r, const json_t *object, const char *key)
{
    return copy(r, json_object_get(object, key));
}

static const char *line(struct reader *r, const json_t *object, const char *key)
{
    const char *text = string(r, object, key);
    const char *squeezed = text == NULL ? NULL : kns_text_squeeze(r->arena, text);

    return squeezed == NULL || *squeezed == '\0' ? NULL : squeezed;
}

static const char *url(struct reader *r, const json_t *object, const char *key)
{
    const char *text = line(r, object, key);

    return text == NULL ? NULL : kns_url_resolve(r->arena, r->base, text);
}

/* A string, or a number as it is written. */
static const char *id(struct reader *r, const json_t *value)
{
    if (json_is_integer(value))
        return need(r, kns_arena_printf(r->arena, "%lld", (long long)json_integer_value(value)));
    /* As few digits as tell it apart: 0.1 is not 0.10000000000000001. */
    for (int digits = 15; json_is_real(value); digits++) {
        const char *text =
            need(r, kns_arena_printf(r->arena, "%.*g", digits, json_real_value(value)));
        if (text == NULL || digits == 17 || strtod(text, NULL) == json_real_value(value))
            return text;
    }
    return copy(r, value);
}

/* The writer makes an id up for an entry that has nothing to tell it by; it is no guid. */
static bool is_made_up(const json_t *value)
{
    return json_is_string(value) && strncmp(json_string_value(value), KNS_JSONFEED_MADE_UP_ID,
                                            sizeof(KNS_JSONFEED_MADE_UP_ID) - 1) == 0;
}

static int64_t number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_real(value) && json_real_value(value) >= 0 && json_real_value(value) < 9e15)
        return (int64_t)json_real_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
                                                                    : -1;
}

static void warn(struct reader *r, const char *message)
{
    if (r->document == NULL || r->document->warnings.count >= KNS_PARSE_MAX_WARNINGS)
        return;
    struct kns_warning *warning = need(r, KNS_NEW(r->arena, struct kns_warning));
    if (warning == NULL)
        return;
    warning->message = need(r, (void *)(uintptr_t)message);
    KNS_LIST_APPEND(&r->document->warnings, warning);
}

static struct kns_time time_of(struct reader *r, const json_t *object, const char *key)
{
    struct kns_time time = {0};
    const char *text = string(r, object, key);

    if (text == NULL || kns_date_parse(text, &time) || r->document == NULL)
        return time;
    int shown = (int)kns_text_utf8_prefix(text, strnlen(text, 100));
    warn(r, kns_arena_printf(r->arena, "%s is not a date: \"%.*s\"", key, shown, text));
    return time;
}

/* Calls on_member for the objects of an array, at most KNS_PARSE_MAX_LIST of them. */
#define EACH_OBJECT(array, index, value)                                                           \
    json_array_foreach(array, index, value) if (index < KNS_PARSE_MAX_LIST && json_is_object(value))

static struct kns_person *person(struct reader *r, const json_t *object)
{
    struct kns_person *p = need(r, KNS_NEW(r->arena, struct kns_person));

    if (p == NULL)
        return NULL;
    p->name = line(r, object, "name");
    p->url = url(r, object, "url");
    p->avatar = url(r, object, "avatar");
    p->email = line(r, json_object_get(object, "_kns"), "email");
    return p->name == NULL && p->url == NULL && p->avatar == NULL && p->email == NULL ? NULL : p;
}

/* An author that is only a name is one too. */
static void add_author(struct reader *r, const json_t *value, struct kns_people *people)
{
    struct kns_person *p = NULL;

    if (json_is_object(value)) {
        p = person(r, value);
    } else if (json_is_string(value)) {
        p = need(r, KNS_NEW(r->arena, struct kns_person));
        const char *name = copy(r, value);
        if (p != NULL)
            p->name = name == NULL ? NULL : kns_text_squeeze(r->arena, name);
        p = p != NULL && p->name != NULL && *p->name != '\0' ? p : NULL;
    }
    if (p != NULL && people->count < KNS_PARSE_MAX_LIST)
        KNS_LIST_APPEND(people, p);
}

/* 1.1's authors; where there are none, 1.0's author. Either may be one or a list: feeds mix them up. */
static void read_authors(struct reader *r, const json_t *object, struct kns_people *people)
{
    static const char *const members[] = {"authors", "author"};

    for (size_t i = 0; i < 2 && people->count == 0; i++) {
        const json_t *authors = json_object_get(object, members[i]);
        size_t index;
        json_t *value;
        if (!json_is_array(authors))
            add_author(r, authors, people);
        json_array_foreach(authors, index, value) add_author(r, value, people);
    }
}

static struct kns_category *tag(struct reader *r, const json_t *value)
{
    const char *term = copy(r, value);
    const char *squeezed = term == NULL ? NULL : kns_text_squeeze(r->arena, term);
    struct kns_category *category = squeezed == NULL || *squeezed == '\0'
                                        ? NULL
                                        : need(r, KNS_NEW(r->arena, struct kns_category));

    if (category != NULL)
        category->term = squeezed;
    return category;
}

static void read_tags(struct reader *r, const json_t *object, struct kns_categories *tags)
{
    size_t index;
    json_t *value;

    json_array_foreach(json_object_get(object, "tags"), index, value)
    {
        struct kns_category *category = tags->count >= KNS_PARSE_MAX_LIST ? NULL : tag(r, value);
        if (category != NULL)
            KNS_LIST_APPEND(tags, category);
    }
}

static void read_attachments(struct reader *r, const json_t *object, struct kns_entry *entry)
{
    size_t index;
    json_t *value;

    EACH_OBJECT(json_object_get(object, "attachments"), index, value)
    {
        const char *address = url(r, value, "url");
        struct kns_enclosure *enclosure =
            address == NULL ? NULL : need(r, KNS_NEW(r->arena, struct kns_enclosure));
        if (enclosure == NULL)
            continue;
        const json_t *duration = json_object_get(value, "duration_in_seconds");
        enclosure->url = address;
        enclosure->mime_type = line(r, value, "mime_type");
        enclosure->title = line(r, value, "title");
        enclosure->size_bytes = number(value, "size_in_bytes");
        enclosure->duration_s = json_is_number(duration) ? json_number_value(duration) : -1;
        KNS_LIST_APPEND(&entry->enclosures, enclosure);
    }
}

static void read_links(struct reader *r, const json_t *kns, struct kns_entry *entry)
{
    size_t index;
    json_t *value;

    EACH_OBJECT(json_object_get(kns, "links"), index, value)
    {
        struct kns_link *link = need(r, KNS_NEW(r->arena, struct kns_link));
        if (link == NULL)
            return;
        link->rel = line(r, value, "rel");
        link->href = url(r, value, "href");
        link->type = line(r, value, "type");
        link->hreflang = line(r, value, "hreflang");
        link->title = line(r, value, "title");
        link->length_bytes = number(value, "length");
        KNS_LIST_APPEND(&entry->links, link);
    }
}

/* What only our own feeds have. */
static void read_feed_extension(struct reader *r, const json_t *kns)
{
    struct kns_document *d = r->document;
    size_t index;
    json_t *value;

    d->id = string(r, kns, "id");
    d->updated = time_of(r, kns, "updated");
    d->published = time_of(r, kns, "published");
    d->rights = line(r, kns, "copyright");
    d->generator = line(r, kns, "generator");
    d->ttl_s = number(kns, "ttl_seconds");
    d->update_interval_s = number(kns, "update_interval_seconds");
    if (d->next_url == NULL)
        d->next_url = url(r, kns, "next_url");
    json_array_foreach(json_object_get(kns, "skip_hours"), index, value)
    {
        if (json_is_integer(value) && json_integer_value(value) >= 0 &&
            json_integer_value(value) < 24)
            d->skip_hours |= UINT32_C(1) << json_integer_value(value);
    }
    json_array_foreach(json_object_get(kns, "skip_days"), index, value)
    {
        for (int day = 0; json_is_string(value) && day < 7; day++)
            if (strcmp(json_string_value(value), kns_jsonfeed_days[day]) == 0)
                d->skip_days |= (uint8_t)(1u << day);
    }
    read_tags(r, kns, &d->tags);
}

/* What only our own items have. */
static void read_extension(struct reader *r, const json_t *kns, struct kns_entry *entry)
{
    const json_t *source = json_object_get(kns, "source"), *geo = json_object_get(kns, "geo"),
                 *is_explicit = json_object_get(kns, "explicit");

    entry->permalink = json_is_true(json_object_get(kns, "permalink"));
    entry->summary_html = string(r, kns, "summary_html");
    entry->comments_url = url(r, kns, "comments_url");
    entry->comments_feed_url = url(r, kns, "comments_feed_url");
    entry->comments_count = number(kns, "comments_count");
    entry->source =
        (struct kns_source){line(r, source, "id"), line(r, source, "title"), url(r, source, "url")};
    entry->rights = line(r, kns, "copyright");
    entry->episode = number(kns, "episode");
    entry->season = number(kns, "season");
    if (json_is_boolean(is_explicit))
        entry->is_explicit = json_is_true(is_explicit) ? KNS_EXPLICIT_YES : KNS_EXPLICIT_NO;
    entry->geo.given =
        json_is_number(json_object_get(geo, "lat")) && json_is_number(json_object_get(geo, "lon"));
    entry->geo.lat = json_number_value(json_object_get(geo, "lat"));
    entry->geo.lon = json_number_value(json_object_get(geo, "lon"));
    read_links(r, kns, entry);
}

static struct kns_entry *read_item(struct reader *r, const json_t *object)
{
    struct kns_entry *entry = need(r, kns_entry_new(r->arena));
    const json_t *kns = json_object_get(object, "_kns");

    if (entry == NULL)
        return NULL;
    if (json_is_object(kns)) {
        read_extension(r, kns, entry);
        entry->guid = string(r, kns, "guid");
    }
    if (entry->guid == NULL && !json_is_object(kns) && !is_made_up(json_object_get(object, "id")))
        entry->guid = id(r, json_object_get(object, "id"));
    entry->url = url(r, object, "url");
    entry->external_url = url(r, object, "external_url");
    entry->title = line(r, object, "title");
    entry->content_html = string(r, object, "content_html");
    entry->content_text = string(r, object, "content_text");
    if (entry->content_html != NULL && r->base != NULL)
        entry->content_html = kns_html_resolve(r->arena, entry->content_html, r->base);
    entry->summary = line(r, object, "summary");
    entry->image = url(r, object, "image");
    entry->banner_image = url(r, object, "banner_image");
    entry->published = time_of(r, object, "date_published");
    entry->updated = time_of(r, object, "date_modified");
    entry->language = line(r, object, "language");
    read_authors(r, object, &entry->authors);
    read_tags(r, object, &entry->tags);
    read_attachments(r, object, entry);
    return entry;
}

struct kns_entry *kns_jsonfeed_to_entry(struct kns_arena *arena, const json_t *item,
                                        const char *base)
{
    struct reader r = {.arena = arena, .base = base};
    struct kns_entry *entry = json_is_object(item) ? read_item(&r, item) : NULL;

    return r.failed ? NULL : entry;
}

static void read_hubs(struct reader *r, const json_t *feed)
{
    size_t index;
    json_t *value;

    EACH_OBJECT(json_object_get(feed, "hubs"), index, value)
    {
        const char *address = url(r, value, "url");
        struct kns_hub *hub = address == NULL ? NULL : need(r, KNS_NEW(r->arena, struct kns_hub));
        if (hub == NULL)
            continue;
        hub->type = line(r, value, "type");
        hub->url = address;
        KNS_LIST_APPEND(&r->document->hubs, hub);
    }
}

/* "https://jsonfeed.org/version/1.1"; what claims to be a later 1.x is read as 1.1, what names
 * no version that there is as 1.0. */
static enum kns_format format_of(const json_t *feed)
{
    const char *version = json_string_value(json_object_get(feed, "version"));
    const char *number_at = version == NULL ? NULL : strstr(version, "jsonfeed.org/version/");

    if (number_at != NULL)
        return strncmp(number_at, "jsonfeed.org/version/1.", 23) != 0 ||
                       strcmp(number_at, "jsonfeed.org/version/1.0") == 0
                   ? KNS_FORMAT_JSONFEED_10
                   : KNS_FORMAT_JSONFEED_11;
    return KNS_FORMAT_NONE;
}

static void read_items(struct reader *r, const json_t *items)
{
    struct kns_document *d = r->document;
    size_t index;
    json_t *value;

    json_array_foreach(items, index, value)
    {
        if (!json_is_object(value))
            continue;
        if (d->entries.count == KNS_PARSE_MAX_ENTRIES) {
            warn(r, "too many entries: the last ones are left out");
            return;
        }
        struct kns_entry *entry = read_item(r, value);
        if (entry != NULL)
            KNS_LIST_APPEND(&d->entries, entry);
    }
}

/* What was wrong with the text, as far as it could be read all the same. */
static void note_flaws(struct reader *r, const struct kns_json_flaws *flaws)
{
    r->document->cut = flaws->cut;
    r->document->malformed = flaws->cut || flaws->mended;
    if (!r->document->malformed)
        return;
    warn(r, flaws->cut ? "the document is cut or broken: only the items before are read"
                       : "not quite JSON: what is wrong was mended");
    if (r->document->warnings.last != NULL)
        r->document->warnings.last->line = flaws->where.line;
}

/* What jansson quotes of the document may be torn, and of several lines. */
static enum kns_status not_json(struct kns_arena *arena, const json_error_t *where,
                                struct kns_error *err)
{
    const char *why = kns_text_to_utf8(arena, where->text, strlen(where->text));

    why = why == NULL ? NULL : kns_text_squeeze(arena, why);
    return kns_fail(err, KNS_ENOTFEED, "line %d: not JSON: %s", where->line,
                    why == NULL ? "out of memory" : why);
}

static void read_feed(struct reader *r, const json_t *feed)
{
    struct kns_document *d = r->document;

    d->title = line(r, feed, "title");
    d->home_page_url = url(r, feed, "home_page_url");
    d->feed_url = url(r, feed, "feed_url");
    d->description = line(r, feed, "description");
    d->next_url = url(r, feed, "next_url");
    d->icon = url(r, feed, "icon");
    d->favicon = url(r, feed, "favicon");
    d->language = line(r, feed, "language");
    read_authors(r, feed, &d->authors);
    read_hubs(r, feed);
    read_feed_extension(r, json_object_get(feed, "_kns"));
    read_items(r, json_object_get(feed, "items"));
}

enum kns_status kns_jsonfeed_read(struct kns_document *document, const char *utf8, size_t size,
                                  const char *base, struct kns_error *err)
{
    struct reader r = {.arena = document->arena, .base = base, .document = document};
    struct kns_json_flaws flaws;
    json_t *feed = kns_json_load(utf8, size, &flaws);

    if (feed == NULL)
        return not_json(r.arena, &flaws.where, err);
    document->format = format_of(feed);
    if (document->format == KNS_FORMAT_NONE) {
        json_decref(feed);
        return kns_fail(err, KNS_ENOTFEED, "JSON, but no JSON Feed: \"version\" does not name one");
    }
    note_flaws(&r, &flaws);
    document->malformed = document->malformed || !json_is_array(json_object_get(feed, "items"));
    read_feed(&r, feed);
    json_decref(feed);
    return r.failed
               ? kns_fail(err, KNS_ENOMEM, "the document needs more memory than the limit allows")
               : KNS_OK;
}
