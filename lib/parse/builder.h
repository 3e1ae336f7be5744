/* builder.h - from elements to a document: what the strict reader (expat) and the lenient one both drive.
 * Private to lib/parse. One thread. */
#ifndef KNS_PARSE_BUILDER_H
#define KNS_PARSE_BUILDER_H

#include "lib/buf.h"
#include "lib/document.h"
#include "lib/parse/names.h"

/* An attribute as the reader found it. */
struct attribute {
    const char *name; /* qualified */
    const char *value;
};

/* What frames keep of attributes: resolved, in the arena. */
struct kept_attribute {
    enum ns ns; /* NS_NONE without prefix */
    const char *local;
    const char *value;
};

/* One open element. */
struct frame {
    const struct row *row; /* NULL: nothing known of it */
    enum place place;      /* of its children */
    enum ns ns;
    const char *local;    /* in the arena, for known rows and the root; else NULL */
    const char *base;     /* xml:base in force; NULL: none */
    const char *language; /* xml:lang in force; NULL: none */
    struct kept_attribute *attributes;
    size_t n_attributes;
    size_t ns_mark; /* namespace bindings to keep at its end */
    int64_t line;
};

struct builder;

/* document is filled; base_url may be NULL. NULL: no memory. */
struct builder *kns_builder_new(struct kns_document *document, const char *base_url);
void kns_builder_free(struct builder *b);

/* Events of a reader. attributes end with a NULL name. line is 1-based. */
void kns_builder_start(struct builder *b, const char *name, const struct attribute *attributes,
                       int64_t line);
void kns_builder_text(struct builder *b, const char *text, size_t len);
void kns_builder_end(struct builder *b, const char *name);

/* The depth of open elements; and, of the open ones from the root, how a name stands: for the lenient reader. */
size_t kns_builder_depth(const struct builder *b);

/* The depth of the construct whose text is collected (inside it, markup belongs to the text); 0: none. */
size_t kns_builder_text_depth(const struct builder *b);

/* True when an element of this name cannot belong to the text that is collected: the construct's end tag is missing. */
bool kns_builder_ends_text(const struct builder *b, const char *name);

/* Closes what is open. cut: the document ended too early; an open entry is then dropped (it is not whole). */
void kns_builder_finish(struct builder *b, bool cut);

/* True once an element has shown that this is a feed; and once the root has shown that it is none. */
bool kns_builder_is_feed(const struct builder *b);
bool kns_builder_is_foreign(const struct builder *b);
const char *
kns_builder_root(const struct builder *b); /* the root's name, for messages; NULL: none yet */

/* True when memory or the arena's limit ran out: the document is not to be used. */
bool kns_builder_failed(const struct builder *b);

/* How many entries came whole. */
size_t kns_builder_entries(const struct builder *b);

/* Adds a warning (bounded); line 0: the document. */
void kns_builder_warn(struct builder *b, int64_t line, const char *message);

/* ---- for the functions of the rows -------------------------------------------------------------------- */

const char *kns_frame_attribute(const struct frame *f, const char *local); /* without namespace */
const char *kns_frame_attribute_ns(const struct frame *f, enum ns ns, const char *local);

void kns_apply_atom_link(struct builder *b, const struct frame *f, const char *text);
void kns_apply_atom_category(struct builder *b, const struct frame *f, const char *text);
void kns_apply_category(struct builder *b, const struct frame *f, const char *text);
void kns_apply_keywords(struct builder *b, const struct frame *f, const char *text);
void kns_apply_person(struct builder *b, const struct frame *f, const char *text);
void kns_apply_person_part(struct builder *b, const struct frame *f, const char *text);
void kns_apply_guid(struct builder *b, const struct frame *f, const char *text);
void kns_apply_rss_link(struct builder *b, const struct frame *f, const char *text);
void kns_apply_enclosure(struct builder *b, const struct frame *f, const char *text);
void kns_apply_media_content(struct builder *b, const struct frame *f, const char *text);
void kns_apply_media_thumbnail(struct builder *b, const struct frame *f, const char *text);
void kns_apply_href_image(struct builder *b, const struct frame *f, const char *text);
void kns_apply_loose_image(struct builder *b, const struct frame *f, const char *text);
void kns_apply_image_url(struct builder *b, const struct frame *f, const char *text);
void kns_apply_rss_source(struct builder *b, const struct frame *f, const char *text);
void kns_apply_resource(struct builder *b, const struct frame *f, const char *text);
void kns_apply_cloud(struct builder *b, const struct frame *f, const char *text);
void kns_apply_hour(struct builder *b, const struct frame *f, const char *text);
void kns_apply_day(struct builder *b, const struct frame *f, const char *text);
void kns_apply_point(struct builder *b, const struct frame *f, const char *text);
void kns_apply_generator(struct builder *b, const struct frame *f, const char *text);

/* A whole number, white space around it; a fraction is dropped; -1: none, or below zero. NULL is none. */
int64_t kns_parse_number(const char *text);

/* Degrees from -limit to limit, white space around them; false: no such number. NULL is none. */
bool kns_parse_coordinate(const char *text, double limit, double *ret);

/* "1:02:03", "62:03", "3723", "3723.5" in seconds; below 0: none of these. */
double kns_parse_duration(const char *text);

#endif
