/* The stack of open elements, their namespaces and bases, and the text that is being collected. What an element means is
 * said by its row (names.c); what becomes of its text by the row's function (fields.c) or by set (values.c). */
#include "lib/parse/builder_internal.h"

#include "lib/html.h"
#include "lib/parse.h"
#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct builder *kns_builder_new(struct kns_document *document, const char *base_url)
{
    struct builder *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return NULL;
    b->frames = malloc((KNS_PARSE_MAX_DEPTH + 1) * sizeof(*b->frames));
    if (b->frames == NULL) {
        free(b);
        return NULL;
    }
    b->document = document;
    b->arena = document->arena;
    b->base_url = base_url;
    b->vocabulary = NS_NONE;
    kns_buf_init(&b->text, KNS_PARSE_MAX_FIELD);
    return b;
}

void kns_builder_free(struct builder *b)
{
    if (b == NULL)
        return;
    kns_buf_fini(&b->text);
    free(b->bindings);
    free(b->frames);
    free(b);
}

size_t kns_builder_depth(const struct builder *b)
{
    return b->depth + b->overflow;
}

size_t kns_builder_text_depth(const struct builder *b)
{
    return b->text_depth;
}

bool kns_builder_is_feed(const struct builder *b)
{
    return b->document->format != KNS_FORMAT_NONE;
}

bool kns_builder_is_foreign(const struct builder *b)
{
    return b->foreign;
}

const char *kns_builder_root(const struct builder *b)
{
    return b->root;
}

bool kns_builder_failed(const struct builder *b)
{
    return b->failed;
}

size_t kns_builder_entries(const struct builder *b)
{
    return b->document->entries.count;
}

void kns_builder_warn(struct builder *b, int64_t line, const char *message)
{
    if (b->document->warnings.count >= KNS_PARSE_MAX_WARNINGS)
        return;
    struct kns_warning *warning = KNS_NEW(b->arena, struct kns_warning);
    char *copy = kns_arena_strdup(b->arena, message);
    if (warning == NULL || copy == NULL) {
        b->failed = true;
        return;
    }
    warning->line = line;
    warning->message = copy;
    KNS_LIST_APPEND(&b->document->warnings, warning);
}

/* ---- namespaces ------------------------------------------------------------------------------------------- */

static void bind(struct builder *b, const char *prefix, const char *uri)
{
    /* Each name is looked for among all of them. */
    if (b->n_bindings == KNS_PARSE_MAX_NAMESPACES)
        return;
    if (b->n_bindings == b->cap_bindings) {
        size_t cap = b->cap_bindings == 0 ? 32 : b->cap_bindings * 2;
        struct binding *more = realloc(b->bindings, cap * sizeof(*more));
        if (more == NULL) {
            b->failed = true;
            return;
        }
        b->bindings = more;
        b->cap_bindings = cap;
    }
    const char *copy = kns_arena_strdup(b->arena, prefix);
    if (copy == NULL) {
        b->failed = true;
        return;
    }
    b->bindings[b->n_bindings++] =
        (struct binding){copy, strlen(copy), kns_ns_of_uri(uri), kns_ns_is_atom_03(uri)};
}

static const struct binding *find_binding(const struct builder *b, const char *prefix, size_t len)
{
    for (size_t i = b->n_bindings; i > 0; i--) {
        const struct binding *binding = &b->bindings[i - 1];
        if (binding->prefix_len == len && memcmp(binding->prefix, prefix, len) == 0)
            return binding;
    }
    return NULL;
}

/* The namespace of a qualified name; *ret_local is what follows the prefix. */
static enum ns resolve_name(const struct builder *b, const char *name, bool is_element,
                            const char **ret_local)
{
    const char *colon = strchr(name, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - name);

    *ret_local = colon == NULL ? name : colon + 1;
    if (colon == NULL && !is_element)
        return NS_NONE;
    const struct binding *binding = find_binding(b, name, len);
    if (colon == NULL) {
        enum ns ns = binding == NULL ? NS_NONE : binding->ns;
        /* A default namespace that nobody knows, or none in an Atom feed: the root's vocabulary is meant. */
        return ns == NS_OTHER || ns == NS_NONE ? b->vocabulary : ns;
    }
    if (binding == NULL || (binding->ns == NS_OTHER && kns_ns_of_prefix(name, len) != NS_OTHER))
        return kns_ns_of_prefix(name, len);
    return binding->ns;
}

/* ---- text ------------------------------------------------------------------------------------------------- */

static void add_escaped(struct kns_buf *out, const char *text, size_t len, bool in_attribute)
{
    for (size_t i = 0; i < len;) {
        size_t plain = i;
        while (plain < len && text[plain] != '&' && text[plain] != '<' && text[plain] != '>' &&
               (!in_attribute || text[plain] != '"'))
            plain++;
        kns_buf_add(out, text + i, plain - i);
        if (plain == len)
            break;
        kns_buf_adds(out, text[plain] == '&'   ? "&amp;"
                          : text[plain] == '<' ? "&lt;"
                          : text[plain] == '>' ? "&gt;"
                                               : "&quot;");
        i = plain + 1;
    }
}

/* Text in a container, outside of its children: <author>A. Writer</author>. */
static bool is_loose_text(const struct builder *b)
{
    return b->loose_depth > 0 && b->text_depth == 0 &&
           (b->depth == b->loose_depth || b->person != NULL);
}

void kns_builder_text(struct builder *b, const char *text, size_t len)
{
    if (b->text_depth == 0 && !is_loose_text(b))
        return;
    if (b->text_depth > 0 && b->markup)
        add_escaped(&b->text, text, len, false);
    else
        kns_buf_add(&b->text, text, len);
}

/* Markup has come where only text was expected: what was collected was text, so it is escaped now. */
static void begin_markup(struct builder *b)
{
    struct kns_buf escaped;

    if (b->markup)
        return;
    kns_buf_init(&escaped, KNS_PARSE_MAX_FIELD);
    add_escaped(&escaped, kns_buf_str(&b->text), b->text.len, false);
    kns_buf_fini(&b->text);
    b->text = escaped;
    b->markup = true;
}

static const struct frame *top(const struct builder *b)
{
    return b->depth == 0 ? NULL : &b->frames[b->depth - 1];
}

static bool is_url_attribute(const char *name)
{
    static const char *const names[] = {"href",       "src",      "cite",   "action",
                                        "background", "longdesc", "poster", "data"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* An element inside a construct, as HTML. Where it, or one around it, has a base of its own, URLs are resolved here;
 * else the whole construct is resolved at its end. */
static void serialise_start(struct builder *b, const struct frame *f, const char *local,
                            const struct attribute *attributes)
{
    const char *construct_base = b->frames[b->text_depth - 1].base;

    kns_buf_addc(&b->text, '<');
    kns_buf_adds(&b->text, local);
    for (const struct attribute *a = attributes; a->name != NULL; a++) {
        if (strncmp(a->name, "xmlns", 5) == 0 || strncmp(a->name, "xml:", 4) == 0)
            continue;
        const char *value = a->value;
        if (f->base != construct_base && is_url_attribute(a->name))
            value = kns_url_resolve(b->arena, f->base, value);
        kns_buf_addc(&b->text, ' ');
        kns_buf_adds(&b->text, a->name);
        kns_buf_adds(&b->text, "=\"");
        if (value != NULL)
            add_escaped(&b->text, value, strlen(value), true);
        kns_buf_addc(&b->text, '"');
    }
    kns_buf_addc(&b->text, '>');
}

static bool is_void(const char *local)
{
    static const char *const names[] = {"area",  "base", "br",   "col",   "embed",  "hr",    "img",
                                        "input", "link", "meta", "param", "source", "track", "wbr"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i][0] == local[0] && strcmp(names[i], local) == 0)
            return true;
    return false;
}

static void serialise_end(struct builder *b, const char *local)
{
    if (is_void(local))
        return;
    kns_buf_adds(&b->text, "</");
    kns_buf_adds(&b->text, local);
    kns_buf_addc(&b->text, '>');
}

/* A media type without its parameters and the white space around it. */
struct media_type {
    const char *at;
    size_t len;
};

static struct media_type media_type(const char *type)
{
    struct media_type m = {type + strspn(type, " \t\r\n"), 0};

    m.len = strcspn(m.at, "; \t\r\n");
    return m;
}

static bool is_type(struct media_type m, const char *name)
{
    return strlen(name) == m.len && strncasecmp(m.at, name, m.len) == 0;
}

static bool ends_with(struct media_type m, const char *end)
{
    size_t len = strlen(end);

    return m.len >= len && strncasecmp(m.at + m.len - len, end, len) == 0;
}

/* Anything but text and XML comes in base64 (RFC 4287 4.1.3.3). */
static bool is_binary(struct media_type m)
{
    return memchr(m.at, '/', m.len) != NULL && strncasecmp(m.at, "text/", 5) != 0 &&
           strncasecmp(m.at, "multipart/", 10) != 0 && strncasecmp(m.at, "message/", 8) != 0 &&
           !ends_with(m, "+xml") && !ends_with(m, "/xml");
}

/* How an Atom construct's text is to be read (RFC 4287 3.1.1 and 4.1.3; Atom 0.3's mode and media types). */
static void choose_atom_mode(struct builder *b, const struct frame *f)
{
    const char *type = kns_frame_attribute(f, "type");
    const char *mode = kns_frame_attribute(f, "mode");

    b->is_html = b->xhtml = b->base64 = false;
    if (f->ns == NS_XHTML) {
        b->xhtml = true;
        return;
    }
    struct media_type m = media_type(type == NULL ? "text" : type);
    b->is_html = is_type(m, "html") || is_type(m, "text/html");
    b->xhtml = is_type(m, "xhtml") || is_type(m, "application/xhtml+xml");
    b->base64 = mode != NULL ? strcmp(mode, "base64") == 0 : is_binary(m);
    /* What was escaped or encoded without saying what it is had markup to hide, more often than not. */
    b->guess = b->base64 || (type == NULL && mode != NULL && strcmp(mode, "xml") != 0);
    if (mode != NULL && strcmp(mode, "xml") != 0 && b->xhtml) {
        b->xhtml = false;
        b->is_html = true;
    }
}

static void begin_text(struct builder *b, const struct frame *f)
{
    b->text_depth = b->depth;
    kns_buf_reset(&b->text);
    b->is_html = f->row->construct == C_HTML;
    b->guess = f->row->construct == C_GUESS;
    b->xhtml = b->base64 = false;
    b->div_depth = 0;
    if (f->row->construct == C_ATOM)
        choose_atom_mode(b, f);
    b->markup = b->xhtml;
}

/* ---- elements --------------------------------------------------------------------------------------------- */

const char *kns_frame_attribute_ns(const struct frame *f, enum ns ns, const char *local)
{
    for (size_t i = 0; i < f->n_attributes; i++)
        if (f->attributes[i].ns == ns && strcmp(f->attributes[i].local, local) == 0)
            return f->attributes[i].value;
    return NULL;
}

const char *kns_frame_attribute(const struct frame *f, const char *local)
{
    return kns_frame_attribute_ns(f, NS_NONE, local);
}

static void keep_attributes(struct builder *b, struct frame *f, const struct attribute *attributes)
{
    size_t count = 0;

    while (attributes[count].name != NULL && count < KNS_PARSE_MAX_ATTRIBUTES)
        count++;
    if (count == 0)
        return;
    f->attributes = kns_arena_alloc(b->arena, count * sizeof(*f->attributes));
    if (f->attributes == NULL) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *local;
        struct kept_attribute *kept = &f->attributes[i];
        kept->ns = resolve_name(b, attributes[i].name, false, &local);
        kept->local = kns_arena_strdup(b->arena, local);
        kept->value = kns_arena_strdup(b->arena, attributes[i].value);
        if (kept->local == NULL || kept->value == NULL) {
            b->failed = true;
            return;
        }
        f->n_attributes++;
    }
}

/* xmlns, xml:base and xml:lang hold for the element itself, so they come first. */
static void scan_attributes(struct builder *b, struct frame *f, const struct attribute *attributes)
{
    size_t n = 0;

    for (const struct attribute *a = attributes; a->name != NULL && n < KNS_PARSE_MAX_ATTRIBUTES;
         a++, n++) {
        if (a->name[0] != 'x')
            continue;
        if (strcmp(a->name, "xmlns") == 0)
            bind(b, "", a->value);
        else if (strncmp(a->name, "xmlns:", 6) == 0)
            bind(b, a->name + 6, a->value);
        else if (strcmp(a->name, "xml:base") == 0)
            f->base = kns_url_resolve(b->arena, f->base != NULL ? f->base : b->base_url, a->value);
        else if (strcmp(a->name, "xml:lang") == 0)
            f->language = kns_arena_strdup(b->arena, a->value);
    }
}

/* An Atom feed, an RSS document or an RDF one, by the root's name, where its namespace says nothing. */
static enum ns root_vocabulary(const char *local)
{
    if (strcmp(local, "feed") == 0 || strcmp(local, "entry") == 0)
        return NS_ATOM;
    if (strcmp(local, "CHANNEL") == 0)
        return NS_CDF;
    return strcmp(local, "RDF") == 0 ? NS_RDF : NS_NONE;
}

static enum kns_format rss_format(const char *version)
{
    static const struct {
        const char *prefix;
        enum kns_format format;
    } versions[] = {
        {"0.90", KNS_FORMAT_RSS_090}, {"0.91", KNS_FORMAT_RSS_091}, {"0.92", KNS_FORMAT_RSS_092},
        {"0.93", KNS_FORMAT_RSS_092}, {"0.94", KNS_FORMAT_RSS_092}, {"1.", KNS_FORMAT_RSS_100},
    };

    if (version == NULL)
        return KNS_FORMAT_RSS_200;
    version += strspn(version, " \t\r\n");
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (strncmp(version, versions[i].prefix, strlen(versions[i].prefix)) == 0)
            return versions[i].format;
    return KNS_FORMAT_RSS_200;
}

static bool has_netscape_namespace(const struct attribute *attributes)
{
    for (const struct attribute *a = attributes; a->name != NULL; a++)
        if (strncmp(a->name, "xmlns", 5) == 0 &&
            strstr(a->value, "netscape.com/rdf/simple/0.9") != NULL)
            return true;
    return false;
}

static enum kns_format format_of_root(const struct builder *b, enum ns ns, const char *name,
                                      const char *local, const struct attribute *attributes)
{
    const char *version = NULL;

    for (const struct attribute *a = attributes; a->name != NULL; a++)
        if (strcmp(a->name, "version") == 0)
            version = a->value;
    if (ns == NS_ATOM) {
        const char *colon = strchr(name, ':');
        const struct binding *binding =
            find_binding(b, name, colon == NULL ? 0 : (size_t)(colon - name));
        bool old = (binding != NULL && binding->atom_03) ||
                   (version != NULL && strncmp(version, "0.3", 3) == 0);
        return old ? KNS_FORMAT_ATOM_03 : KNS_FORMAT_ATOM_10;
    }
    if (ns == NS_CDF)
        return KNS_FORMAT_CDF;
    if (ns == NS_RDF)
        return has_netscape_namespace(attributes) ? KNS_FORMAT_RSS_090 : KNS_FORMAT_RSS_100;
    return strcmp(local, "Channel") == 0 ? KNS_FORMAT_RSS_100 : rss_format(version);
}

static const struct row *begin_root(struct builder *b, const char *name, enum ns *ns,
                                    const char *local, const struct attribute *attributes)
{
    const struct row *row = kns_row_find(*ns, local, IN_NOTHING);

    b->root = kns_arena_strdup(b->arena, name);
    if (row == NULL) {
        /* What the root does not belong to its children do not either: <rss xmlns="http://www.w3.org/2005/Atom">. */
        for (size_t i = 0; i < b->n_bindings; i++)
            if (*b->bindings[i].prefix == '\0')
                b->bindings[i].ns = NS_NONE;
        *ns = root_vocabulary(local);
        row = kns_row_find(*ns, local, IN_NOTHING);
    }
    if (row == NULL) {
        b->foreign = true;
        return NULL;
    }
    b->vocabulary = *ns == NS_ATOM || *ns == NS_CDF ? *ns : NS_NONE;
    b->document->format = format_of_root(b, *ns, name, local, attributes);
    return row;
}

/* What CDF says in attributes: the address and the last change. */
static void set_cdf_attributes(struct builder *b, const struct frame *f)
{
    const char *href = kns_frame_attribute(f, "HREF");

    if (f->ns != NS_CDF)
        return;
    if (href != NULL)
        href = kns_url_resolve(b->arena, kns_builder_base(b, f), href);
    kns_builder_set(b, f, F_URL, 0, href, false);
    kns_builder_set(b, f, F_UPDATED, 0, kns_frame_attribute(f, "LASTMOD"), false);
}

static void begin_loose_text(struct builder *b)
{
    b->loose_depth = b->depth;
    kns_buf_reset(&b->text);
}

/* The container's own text; "" when there is none. */
static const char *take_loose_text(struct builder *b)
{
    const char *text = kns_buf_failed(&b->text)
                           ? ""
                           : kns_arena_copy(b->arena, kns_buf_str(&b->text), b->text.len);

    b->loose_depth = 0;
    kns_buf_reset(&b->text);
    b->failed = b->failed || text == NULL;
    return text == NULL ? "" : text;
}

/* What opening a container begins. */
static void open_place(struct builder *b, struct frame *f)
{
    switch (f->row->opens) {
    case IN_ENTRY:
        if (b->entry != NULL || b->document->entries.count >= KNS_PARSE_MAX_ENTRIES) {
            f->place = IN_IGNORED;
            if (b->entry == NULL && !b->full)
                kns_builder_warn(b, f->line,
                                 "too many entries: from this one on they are left out");
            b->full = b->full || b->entry == NULL;
            return;
        }
        b->entry = kns_entry_new(b->arena);
        if (b->entry == NULL) {
            b->failed = true;
            return;
        }
        b->entry->line = f->line;
        memset(b->item, 0, sizeof(b->item));
        b->thumbnail = b->media_image = NULL;
        b->source_authors = (struct kns_people){0};
        kns_builder_set(b, f, F_ID, 3, kns_frame_attribute_ns(f, NS_RDF, "about"), false);
        kns_builder_set(b, f, F_LANGUAGE, 2, kns_frame_attribute_ns(f, NS_XML, "lang"), false);
        set_cdf_attributes(b, f);
        break;
    case IN_FEED:
        kns_builder_set(b, f, F_ID, 3, kns_frame_attribute_ns(f, NS_RDF, "about"), false);
        kns_builder_set(b, f, F_LANGUAGE, 2, f->language, false);
        set_cdf_attributes(b, f);
        break;
    case IN_PERSON:
        b->person = KNS_NEW(b->arena, struct kns_person);
        b->failed = b->failed || b->person == NULL;
        begin_loose_text(b);
        break;
    case IN_IMAGE:
        begin_loose_text(b);
        break;
    default:
        break;
    }
}

static void close_entry(struct builder *b)
{
    struct kns_entry *entry = b->entry;

    if (entry == NULL || b->failed)
        return;
    kns_builder_settle_authors(b, entry);
    kns_fields_to_entry(b, entry);
    KNS_LIST_APPEND(&b->document->entries, entry);
    b->entry = NULL;
}

static void close_person(struct builder *b, const struct frame *f)
{
    struct kns_person *person = b->person;
    const char *text = take_loose_text(b);

    b->person = NULL;
    if (person == NULL || b->failed)
        return;
    bool parts = person->name != NULL || person->email != NULL || person->url != NULL;
    if (!parts && f->ns != NS_ITUNES)
        kns_apply_person(b, f, text);
    if (!parts)
        return;
    if (f->ns == NS_ITUNES)
        b->owner = person;
    else
        kns_builder_add_person(b, f, person);
}

static void close_place(struct builder *b, const struct frame *f)
{
    if (f->place == IN_ENTRY)
        close_entry(b);
    else if (f->place == IN_PERSON)
        close_person(b, f);
    else if (f->place == IN_IMAGE)
        kns_apply_loose_image(b, f, take_loose_text(b));
    else if (f->place == IN_MEDIA && f->row->apply != NULL)
        b->enclosure = NULL;
}

bool kns_builder_ends_text(const struct builder *b, const char *name)
{
    static const char *const html[] = {"source", "title", "summary", "link", "image"};
    const struct frame *construct = b->text_depth < 2 ? NULL : &b->frames[b->text_depth - 1];
    const char *local;

    if (construct == NULL)
        return false;
    enum ns ns = resolve_name(b, name, true, &local);
    if (ns == NS_XHTML || kns_row_find(ns, local, construct[-1].place) == NULL)
        return false;
    bool may_hold_html = construct->row->field == F_CONTENT || construct->row->field == F_SUMMARY;
    for (size_t i = 0; may_hold_html && i < sizeof(html) / sizeof(html[0]); i++)
        if (strcmp(local, html[i]) == 0)
            return false;
    return true;
}

/* A frame for an element that stands where elements are expected. */
static void start_element(struct builder *b, struct frame *f, const char *name,
                          const struct attribute *attributes)
{
    const struct frame *parent = b->depth == 0 ? NULL : &b->frames[b->depth - 1];
    enum place place = parent == NULL ? IN_NOTHING : parent->place;
    const char *local;

    f->ns = resolve_name(b, name, true, &local);
    f->row = parent == NULL ? begin_root(b, name, &f->ns, local, attributes)
                            : kns_row_find(f->ns, local, place);
    f->place = f->row == NULL || f->row->opens == IN_NOTHING ? IN_IGNORED : f->row->opens;
    b->depth++;
    if (f->row == NULL)
        return;
    f->local = f->row->name;
    keep_attributes(b, f, attributes);
    if (f->row->opens == IN_MEDIA && f->row->apply != NULL)
        f->row->apply(b, f,
                      NULL); /* media:content: its children belong to what its attributes say */
    if (f->place != IN_IGNORED)
        open_place(b, f);
    if (f->row->construct != C_NONE)
        begin_text(b, f);
}

void kns_builder_start(struct builder *b, const char *name, const struct attribute *attributes,
                       int64_t line)
{
    if (b->failed)
        return;
    if (b->overflow > 0 || b->depth == KNS_PARSE_MAX_DEPTH) {
        if (b->overflow++ == 0)
            kns_builder_warn(b, line, "nested too deeply: what is below is left out");
        return;
    }
    const struct frame *parent = top(b);
    struct frame *f = &b->frames[b->depth];
    *f = (struct frame){.line = line, .ns_mark = b->n_bindings, .place = IN_IGNORED};
    if (parent != NULL) {
        f->base = parent->base;
        f->language = parent->language;
    }
    scan_attributes(b, f, attributes);
    if (b->text_depth == 0) {
        start_element(b, f, name, attributes);
        return;
    }
    b->depth++;
    if (b->frames[b->text_depth - 1].row->construct == C_PLAIN)
        return;
    const char *local;
    resolve_name(b, name, true, &local);
    begin_markup(b);
    if (b->xhtml && b->depth == b->text_depth + 1 && strcmp(local, "div") == 0) {
        b->div_depth = b->depth; /* not part of the content (RFC 4287 3.1.1.3) */
        return;
    }
    f->local = kns_arena_strdup(b->arena, local);
    serialise_start(b, f, local, attributes);
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

/* The text that base64 stands for; the text itself when it is none; NULL: no memory, or what it stands for is no text. */
static const char *decode_base64(struct builder *b, const char *text)
{
    char *out = kns_arena_alloc(b->arena, strlen(text) / 4 * 3 + 4);
    size_t len = 0;
    uint32_t bits = 0;
    int n_bits = 0;

    b->failed = b->failed || out == NULL;
    if (out == NULL)
        return NULL;
    for (const char *at = text; *at != '\0' && *at != '='; at++) {
        int digit = base64_digit(*at);
        if (digit < 0 && isspace((unsigned char)*at))
            continue;
        if (digit < 0)
            return text;
        bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[len++] = (char)(bits >> n_bits & 0xff);
        }
    }
    out[len] = '\0';
    return strlen(out) == len && kns_text_is_utf8(out, len) ? out : NULL;
}

/* Puts what base64 stood for in its place; what is no text becomes none. */
static void decode_text(struct builder *b)
{
    const char *text = decode_base64(b, kns_buf_str(&b->text));

    if (text == kns_buf_str(&b->text))
        return;
    kns_buf_reset(&b->text);
    kns_buf_adds(&b->text, text);
}

static void end_construct(struct builder *b, const struct frame *f)
{
    b->text_depth = 0;
    if (kns_buf_failed(&b->text)) {
        kns_builder_warn(b, f->line, "a text is longer than the limit and was left out");
    } else if (f->row->apply != NULL) {
        const char *text = kns_arena_copy(b->arena, kns_buf_str(&b->text), b->text.len);
        b->failed = b->failed || text == NULL;
        if (text != NULL)
            f->row->apply(b, f, text);
    } else {
        if (b->base64)
            decode_text(b);
        bool html = b->markup || b->is_html ||
                    (b->guess && kns_html_looks_like_html(kns_buf_str(&b->text)));
        kns_builder_set_buffer(b, f, &b->text, html);
    }
    kns_buf_reset(&b->text);
}

void kns_builder_end(struct builder *b, const char *name)
{
    (void)name;
    if (b->failed || b->depth == 0)
        return;
    if (b->overflow > 0) {
        b->overflow--;
        return;
    }
    struct frame *f = &b->frames[b->depth - 1];
    if (b->text_depth == b->depth) {
        end_construct(b, f);
    } else if (b->text_depth > 0) {
        if (b->div_depth == b->depth)
            b->div_depth = 0;
        else if (f->local != NULL)
            serialise_end(b, f->local);
    } else if (f->row != NULL && f->row->opens == IN_NOTHING && f->row->apply != NULL) {
        f->row->apply(b, f, "");
    } else if (f->row != NULL && f->row->opens == IN_FEED && f->row->apply != NULL) {
        f->row->apply(b, f, ""); /* itunes:category, which nests */
    }
    if (f->row != NULL && b->text_depth == 0)
        close_place(b, f);
    b->n_bindings = f->ns_mark;
    b->depth--;
}

void kns_builder_finish(struct builder *b, bool cut)
{
    if (cut && b->entry != NULL) {
        kns_builder_warn(b, b->entry->line,
                         "the document ends inside this entry, which is left out");
        b->entry = NULL;
        b->depth = 0;
    }
    b->text_depth = 0;
    if (!b->failed && kns_builder_is_feed(b))
        kns_fields_to_document(b);
}
