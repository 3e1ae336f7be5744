/* The elements whose meaning is more than a text in a field: links, categories, media, places. */
#include "lib/html.h"
#include "lib/parse.h"
#include "lib/parse/builder_internal.h"
#include "lib/text.h"
#include "lib/url.h"

#include <string.h>
#include <strings.h>

static const char *resolved(struct builder *b, const struct frame *f, const char *url)
{
    const char *line = kns_builder_line(b, url);

    return line == NULL ? NULL : kns_url_resolve(b->arena, kns_builder_base(b, f), line);
}

/* ---- links ------------------------------------------------------------------------------------------------ */

static void keep_link(struct builder *b, const struct frame *f, const char *rel, const char *href)
{
    if (b->entry == NULL || b->entry->links.count >= KNS_PARSE_MAX_LIST)
        return;
    struct kns_link *link = KNS_NEW(b->arena, struct kns_link);
    if (link == NULL) {
        b->failed = true;
        return;
    }
    link->rel = rel;
    link->href = href;
    link->type = kns_builder_line(b, kns_frame_attribute(f, "type"));
    link->hreflang = kns_builder_line(b, kns_frame_attribute(f, "hreflang"));
    link->title = kns_builder_line(b, kns_frame_attribute(f, "title"));
    link->length_bytes = kns_parse_number(kns_frame_attribute(f, "length"));
    KNS_LIST_APPEND(&b->entry->links, link);
}

static struct kns_enclosure *add_enclosure(struct builder *b, const char *url, const char *type,
                                           const char *size)
{
    struct kns_enclosure *enclosure;

    if (b->entry->enclosures.count >= KNS_PARSE_MAX_LIST)
        return NULL;
    KNS_LIST_EACH(enclosure, &b->entry->enclosures)
    if (strcmp(enclosure->url, url) == 0) {
        /* An enclosure and a media:content of one URL are one: each may say what the other left out. */
        if (enclosure->mime_type == NULL)
            enclosure->mime_type = kns_builder_line(b, type);
        if (enclosure->size_bytes < 0)
            enclosure->size_bytes = kns_parse_number(size);
        return enclosure;
    }
    enclosure = KNS_NEW(b->arena, struct kns_enclosure);
    if (enclosure == NULL) {
        b->failed = true;
        return NULL;
    }
    enclosure->url = url;
    enclosure->mime_type = kns_builder_line(b, type);
    enclosure->size_bytes = kns_parse_number(size);
    enclosure->duration_s = -1;
    KNS_LIST_APPEND(&b->entry->enclosures, enclosure);
    return enclosure;
}

static void add_hub(struct builder *b, const char *type, const char *url)
{
    if (b->document->hubs.count >= KNS_PARSE_MAX_LIST)
        return;
    struct kns_hub *hub = KNS_NEW(b->arena, struct kns_hub);
    if (hub == NULL) {
        b->failed = true;
        return;
    }
    hub->type = type;
    hub->url = url;
    KNS_LIST_APPEND(&b->document->hubs, hub);
}

/* The relation in its short form (RFC 4287 4.2.7.2; the registry's IRIs name the same). */
static const char *relation(const struct frame *f)
{
    static const char iana[] = "http://www.iana.org/assignments/relation/";
    const char *rel = kns_frame_attribute(f, "rel");

    if (rel == NULL || *rel == '\0')
        return "alternate";
    return strncmp(rel, iana, sizeof(iana) - 1) == 0 ? rel + sizeof(iana) - 1 : rel;
}

static bool is_html_type(const char *type)
{
    return type != NULL && (strncasecmp(type, "text/html", 9) == 0 ||
                            strncasecmp(type, "application/xhtml", 17) == 0);
}

static bool is_feed_type(const char *type)
{
    return type != NULL && (strcasestr(type, "atom") != NULL || strcasestr(type, "rss") != NULL);
}

static void alternate_link(struct builder *b, const struct frame *f, const char *href)
{
    const char *type = kns_frame_attribute(f, "type");
    /* An RSS document's own link outranks it; a link that says HTML outranks one that says something else. */
    uint8_t rank = is_html_type(type) ? 4 : type == NULL ? 5 : 6;

    kns_builder_set(b, f, F_URL, rank, href, false);
}

static void feed_link(struct builder *b, const struct frame *f, const char *rel, const char *href)
{
    if (strcasecmp(rel, "alternate") == 0)
        alternate_link(b, f, href);
    else if (strcasecmp(rel, "self") == 0)
        kns_builder_set(b, f, F_SELF, 0, href, false);
    else if (strcasecmp(rel, "next") == 0)
        kns_builder_set(b, f, F_NEXT, 0, href, false);
    else if (strcasecmp(rel, "hub") == 0)
        add_hub(b, "WebSub", href);
    else if (strcasecmp(rel, "icon") == 0 || strcasecmp(rel, "shortcut icon") == 0)
        kns_builder_set(b, f, F_FAVICON, 1, href, false);
}

static void entry_link(struct builder *b, const struct frame *f, const char *rel, const char *href)
{
    const char *type = kns_frame_attribute(f, "type");

    if (strcasecmp(rel, "alternate") == 0) {
        alternate_link(b, f, href);
    } else if (strcasecmp(rel, "enclosure") == 0) {
        struct kns_enclosure *enclosure =
            add_enclosure(b, href, type, kns_frame_attribute(f, "length"));
        if (enclosure != NULL && enclosure->title == NULL)
            enclosure->title = kns_builder_line(b, kns_frame_attribute(f, "title"));
    } else if (strcasecmp(rel, "replies") == 0) {
        int64_t count = kns_parse_number(kns_frame_attribute_ns(f, NS_THR, "count"));
        char *text = count < 0 ? NULL : kns_arena_printf(b->arena, "%lld", (long long)count);
        kns_builder_set(b, f, is_feed_type(type) ? F_COMMENTS_FEED : F_COMMENTS_URL, 1, href,
                        false);
        kns_builder_set(b, f, F_COMMENTS_COUNT, 2, text, false);
    } else if (strcasecmp(rel, "related") == 0 && b->entry->external_url == NULL) {
        b->entry->external_url = href;
    }
    keep_link(b, f, rel, href);
}

void kns_apply_atom_link(struct builder *b, const struct frame *f, const char *text)
{
    const char *given = kns_frame_attribute(f, "href");
    const char *href = resolved(b, f, given != NULL ? given : text);
    const char *rel = relation(f);
    const struct frame *parent = f - 1;

    if (href == NULL)
        return;
    if (parent->place == IN_SOURCE) {
        if (strcasecmp(rel, "alternate") == 0 || strcasecmp(rel, "self") == 0)
            kns_builder_set(b, f, F_SOURCE_URL, strcasecmp(rel, "alternate") == 0 ? 0 : 1, href,
                            false);
    } else if (b->entry != NULL) {
        entry_link(b, f, rel, href);
    } else {
        feed_link(b, f, rel, href);
    }
}

void kns_apply_rss_link(struct builder *b, const struct frame *f, const char *text)
{
    const char *href = kns_frame_attribute(f, "href");

    /* An Atom link that lost its namespace. */
    if (kns_builder_line(b, text) == NULL && href != NULL)
        kns_apply_atom_link(b, f, NULL);
    else
        kns_builder_set(b, f, F_URL, 1, text, false);
}

void kns_apply_guid(struct builder *b, const struct frame *f, const char *text)
{
    const char *permalink = kns_builder_line(b, kns_frame_attribute(f, "isPermaLink"));
    const char *guid = kns_builder_line(b, text);

    kns_builder_set(b, f, F_ID, 0, text, false);
    if (guid == NULL || b->entry == NULL)
        return;
    /* True unless it says otherwise (RSS 2.0); a guid that is no URL cannot be one. */
    bool says_no = permalink != NULL && strcasecmp(permalink, "true") != 0;
    bool says_yes = permalink != NULL && !says_no;
    b->entry->permalink =
        !says_no && (kns_url_is_web(guid) || (says_yes && strchr(guid, '/') != NULL));
}

void kns_apply_rss_source(struct builder *b, const struct frame *f, const char *text)
{
    kns_builder_set(b, f, F_SOURCE_TITLE, 1, text, false);
    kns_builder_set(b, f, F_SOURCE_URL, 2, kns_frame_attribute(f, "url"), false);
}

void kns_apply_resource(struct builder *b, const struct frame *f, const char *text)
{
    const char *resource = kns_frame_attribute_ns(f, NS_RDF, "resource");

    if (resource == NULL)
        resource = kns_frame_attribute(f, "resource");
    kns_builder_set(b, f, f->row->field, f->row->rank, resource != NULL ? resource : text, false);
}

void kns_apply_generator(struct builder *b, const struct frame *f, const char *text)
{
    const char *uri = kns_frame_attribute(f, "uri");

    kns_builder_set(b, f, F_GENERATOR, f->row->rank, text, false);
    kns_builder_set(b, f, F_GENERATOR, 9, uri != NULL ? uri : kns_frame_attribute(f, "url"), false);
}

void kns_apply_cloud(struct builder *b, const struct frame *f, const char *text)
{
    const char *domain = kns_frame_attribute(f, "domain"), *port = kns_frame_attribute(f, "port"),
               *path = kns_frame_attribute(f, "path");

    (void)text;
    if (domain == NULL || *domain == '\0')
        return;
    char *url = kns_arena_printf(b->arena, "http://%s%s%s%s%s", domain, port == NULL ? "" : ":",
                                 port == NULL ? "" : port, path == NULL || *path == '/' ? "" : "/",
                                 path == NULL ? "/" : path);
    if (url == NULL)
        b->failed = true;
    else
        add_hub(b, "rssCloud", url);
}

/* ---- categories ------------------------------------------------------------------------------------------- */

static void add_category(struct builder *b, const char *term, const char *scheme, const char *label)
{
    struct kns_category *category;

    if (term == NULL && label == NULL)
        return;
    struct kns_categories *tags = b->entry != NULL ? &b->entry->tags : &b->document->tags;
    if (tags->count >= KNS_PARSE_MAX_LIST)
        return;
    KNS_LIST_EACH(category, tags)
    if (strcmp(category->term != NULL ? category->term : category->label,
               term != NULL ? term : label) == 0)
        return;
    category = KNS_NEW(b->arena, struct kns_category);
    if (category == NULL) {
        b->failed = true;
        return;
    }
    category->term = term;
    category->scheme = scheme;
    category->label = label;
    KNS_LIST_APPEND(tags, category);
}

void kns_apply_atom_category(struct builder *b, const struct frame *f, const char *text)
{
    const char *term = kns_builder_line(b, kns_frame_attribute(f, "term"));

    add_category(b, term != NULL ? term : kns_builder_line(b, text),
                 kns_builder_line(b, kns_frame_attribute(f, "scheme")),
                 kns_builder_line(b, kns_frame_attribute(f, "label")));
}

void kns_apply_category(struct builder *b, const struct frame *f, const char *text)
{
    const char *term = kns_builder_line(b, text);
    const char *attribute = kns_frame_attribute(f, "text");
    const char *scheme = kns_frame_attribute(f, "domain");

    if (term != NULL && kns_html_looks_like_html(term))
        term = kns_html_to_line(b->arena, term);
    if (term == NULL)
        term = kns_builder_line(b, attribute);
    add_category(b, term,
                 kns_builder_line(b, scheme != NULL ? scheme : kns_frame_attribute(f, "scheme")),
                 kns_builder_line(b, kns_frame_attribute(f, "label")));
}

void kns_apply_keywords(struct builder *b, const struct frame *f, const char *text)
{
    const char *separators = strchr(text, ',') != NULL   ? ","
                             : strchr(text, ';') != NULL ? ";"
                             : f->ns == NS_MEDIA         ? ","
                                                         : " ";

    while (*text != '\0') {
        size_t len = strcspn(text, separators);
        char *word = kns_arena_copy(b->arena, text, len);
        if (word == NULL) {
            b->failed = true;
            return;
        }
        add_category(b, kns_builder_line(b, word), NULL, NULL);
        text += len + (text[len] != '\0');
    }
}

/* ---- enclosures, media, pictures -------------------------------------------------------------------------- */

void kns_apply_enclosure(struct builder *b, const struct frame *f, const char *text)
{
    const char *url = resolved(b, f, kns_frame_attribute(f, "url"));

    (void)text;
    if (url != NULL && b->entry != NULL)
        add_enclosure(b, url, kns_frame_attribute(f, "type"), kns_frame_attribute(f, "length"));
}

/* Called when media:content opens (text NULL), so that what stands inside can be its. */
void kns_apply_media_content(struct builder *b, const struct frame *f, const char *text)
{
    const char *url = resolved(b, f, kns_frame_attribute(f, "url"));
    const char *medium = kns_frame_attribute(f, "medium"), *type = kns_frame_attribute(f, "type");

    if (text != NULL || url == NULL || b->entry == NULL)
        return;
    bool picture = medium != NULL ? strcasecmp(medium, "image") == 0
                                  : type != NULL && strncasecmp(type, "image/", 6) == 0;
    if (picture && b->media_image == NULL)
        b->media_image = url;
    b->enclosure = add_enclosure(b, url, type, kns_frame_attribute(f, "fileSize"));
    if (b->enclosure != NULL && b->enclosure->duration_s < 0)
        b->enclosure->duration_s = kns_parse_duration(kns_frame_attribute(f, "duration"));
}

void kns_apply_media_thumbnail(struct builder *b, const struct frame *f, const char *text)
{
    const char *given = kns_frame_attribute(f, "url");
    const char *url = resolved(b, f, given != NULL ? given : text);

    if (url == NULL)
        return;
    if (b->entry == NULL)
        kns_builder_set(b, f, F_IMAGE, 3, url, false);
    else if (b->thumbnail == NULL)
        b->thumbnail = url;
}

void kns_apply_href_image(struct builder *b, const struct frame *f, const char *text)
{
    const char *href = kns_frame_attribute(f, "href");

    if (href == NULL)
        href = kns_frame_attribute(f, "url");
    kns_builder_set(b, f, F_IMAGE, f->row->rank, href != NULL ? href : text, false);
}

void kns_apply_image_url(struct builder *b, const struct frame *f, const char *text)
{
    if (b->entry == NULL)
        kns_builder_set(b, f, F_ICON, 0, text, false);
    else
        kns_builder_set(b, f, F_IMAGE, 2, text, false);
}

/* An image that has no url inside: its address is its text, or an attribute. */
void kns_apply_loose_image(struct builder *b, const struct frame *f, const char *text)
{
    static const char *const names[] = {"href", "url", "src"};
    const char *url = kns_builder_line(b, text);

    for (size_t i = 0; url == NULL && i < sizeof(names) / sizeof(names[0]); i++)
        url = kns_builder_line(b, kns_frame_attribute(f, names[i]));
    kns_builder_set(b, f, b->entry == NULL ? F_ICON : F_IMAGE, 5, url, false);
}

/* ---- times not to come, places ---------------------------------------------------------------------------- */

void kns_apply_hour(struct builder *b, const struct frame *f, const char *text)
{
    const char *line = kns_builder_line(b, text);
    int64_t hour = kns_parse_number(line);

    (void)f;
    if (hour >= 0 && hour <= 24) /* RSS 0.91 counted from 1 to 24 */
        b->document->skip_hours |= UINT32_C(1) << (hour % 24);
}

void kns_apply_day(struct builder *b, const struct frame *f, const char *text)
{
    static const char *const days[] = {"sunday",   "monday", "tuesday", "wednesday",
                                       "thursday", "friday", "saturday"};
    const char *line = kns_builder_line(b, text);

    (void)f;
    for (unsigned i = 0; line != NULL && i < 7; i++)
        if (strcasecmp(line, days[i]) == 0)
            b->document->skip_days |= (uint8_t)(1u << i);
}

/* The first two numbers are latitude and longitude; what are none leave the place to whoever knows it better. */
static void set_place(struct builder *b, const struct frame *f, const char *text, uint8_t rank)
{
    size_t first = strcspn(text += strspn(text, " \t\r\n,"), " \t\r\n,");
    const char *second = text + first + strspn(text + first, " \t\r\n,");
    char *lat = kns_arena_copy(b->arena, text, first);
    char *lon = kns_arena_copy(b->arena, second, strcspn(second, " \t\r\n,"));
    double ignored;

    if (lat == NULL || lon == NULL) {
        b->failed = true;
        return;
    }
    if (kns_parse_coordinate(lat, 90, &ignored) && kns_parse_coordinate(lon, 180, &ignored)) {
        kns_builder_set(b, f, F_LAT, rank, lat, false);
        kns_builder_set(b, f, F_LON, rank, lon, false);
    }
}

void kns_apply_point(struct builder *b, const struct frame *f, const char *text)
{
    if (b->entry != NULL)
        set_place(b, f, text, f->row->rank);
}
