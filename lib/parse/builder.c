/* The stack of open elements. What an element means is said by its row (names.c); how its text is collected by construct.c; what
 * becomes of the text by the row's function (fields.c, people.c) or by set (values.c). */
#include "lib/parse/builder_internal.h"

#include "lib/parse.h"
#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- text ------------------------------------------------------------------------------------------------- */

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
        kns_builder_add_escaped(&b->text, text, len, false);
    else
        kns_buf_add(&b->text, text, len);
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
        kept->ns = kns_builder_resolve(b, attributes[i].name, false, &local);
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
            kns_builder_bind(b, "", a->value);
        else if (strncmp(a->name, "xmlns:", 6) == 0)
            kns_builder_bind(b, a->name + 6, a->value);
        else if (strcmp(a->name, "xml:base") == 0)
            f->base = kns_url_resolve(b->arena, f->base != NULL ? f->base : b->base_url, a->value);
        else if (strcmp(a->name, "xml:lang") == 0)
            f->language = kns_arena_strdup(b->arena, a->value);
    }
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
    enum ns ns = kns_builder_resolve(b, name, true, &local);
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

    f->ns = kns_builder_resolve(b, name, true, &local);
    f->row = parent == NULL ? kns_builder_begin_root(b, name, &f->ns, local, attributes)
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
        kns_builder_begin_text(b, f);
}

static const struct frame *top(const struct builder *b)
{
    return b->depth == 0 ? NULL : &b->frames[b->depth - 1];
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
    kns_builder_resolve(b, name, true, &local);
    kns_builder_begin_markup(b);
    if (b->xhtml && b->depth == b->text_depth + 1 && strcmp(local, "div") == 0) {
        b->div_depth = b->depth; /* not part of the content (RFC 4287 3.1.1.3) */
        return;
    }
    f->local = kns_arena_strdup(b->arena, local);
    kns_builder_serialise_start(b, f, local, attributes);
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
        kns_builder_end_text(b, f);
    } else if (b->text_depth > 0) {
        if (b->div_depth == b->depth)
            b->div_depth = 0;
        else if (f->local != NULL)
            kns_builder_serialise_end(b, f->local);
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
