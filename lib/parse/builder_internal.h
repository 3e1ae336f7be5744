/* builder_internal.h - the builder's insides, for the files that it consists of. */
#ifndef KNS_PARSE_BUILDER_INTERNAL_H
#define KNS_PARSE_BUILDER_INTERNAL_H

#include "lib/parse/builder.h"

/* A field's best value so far. */
struct slot {
    const char *text; /* NULL: not set; of HTML, trimmed and resolved */
    bool is_html;
    uint8_t rank;
    const char *base;
    struct kns_time time; /* of dates */
};

struct binding {
    const char *prefix; /* "" for the default namespace */
    size_t prefix_len;
    enum ns ns;
    bool atom_03;
};

struct builder {
    struct kns_document *document;
    struct kns_arena *arena; /* the document's */
    const char *base_url;
    struct frame *frames;
    size_t depth;    /* open elements with a frame */
    size_t overflow; /* open elements too deep for one */
    struct binding *bindings;
    size_t n_bindings, cap_bindings;
    enum ns vocabulary; /* of elements without prefix whose default namespace says nothing to us */
    const char *root;
    bool foreign; /* the root is no feed's */

    /* The construct being collected: */
    size_t text_depth; /* the depth of its frame; 0: none */
    struct kns_buf text;
    bool markup; /* children are serialised into text, which is escaped */
    bool xhtml;
    bool base64;
    bool guess;         /* text that may be escaped HTML */
    bool is_html;       /* escaped HTML */
    size_t div_depth;   /* the xhtml div that is left out */
    size_t loose_depth; /* of the container whose own text may mean something; 0: none */

    struct slot feed[F_COUNT];
    struct slot item[F_COUNT];
    struct kns_entry *entry; /* the open one; NULL: none */
    struct kns_person *person;
    struct kns_people source_authors;    /* the entry's, where it names none itself */
    struct kns_person *owner;            /* itunes:owner, the feed's author when nobody else is */
    struct kns_enclosure *enclosure;     /* of the open media:content */
    const char *thumbnail, *media_image; /* the entry's */
    bool full;                           /* of entries, and the document says so */
    bool failed;
};

/* ---- namespaces.c ---- */

/* Binds a prefix ("" is the default namespace) until n_bindings is set back. */
void kns_builder_bind(struct builder *b, const char *prefix, const char *uri);

/* The innermost binding of a prefix; NULL: none. */
const struct binding *kns_builder_find_binding(const struct builder *b, const char *prefix,
                                               size_t len);

/* The namespace of a qualified name; *ret_local is what follows the prefix. */
enum ns kns_builder_resolve(const struct builder *b, const char *name, bool is_element,
                            const char **ret_local);

/* ---- root.c ---- */

/* The root's row, the document's format and the vocabulary of its children; NULL: no feed's, and b->foreign is set. */
const struct row *kns_builder_begin_root(struct builder *b, const char *name, enum ns *ns,
                                         const char *local, const struct attribute *attributes);

/* ---- construct.c ---- */

/* From the top frame's start to its end, text is collected as its row and its attributes say. */
void kns_builder_begin_text(struct builder *b, const struct frame *f);
void kns_builder_end_text(struct builder *b, const struct frame *f);

/* Markup has come where only text was expected: what was collected was text, so it is escaped now. */
void kns_builder_begin_markup(struct builder *b);

/* An element inside a construct, as HTML. Where it, or one around it, has a base of its own, URLs are resolved here;
 * else the whole construct is resolved at its end. */
void kns_builder_serialise_start(struct builder *b, const struct frame *f, const char *local,
                                 const struct attribute *attributes);
void kns_builder_serialise_end(struct builder *b, const char *local);

/* Text among markup. */
void kns_builder_add_escaped(struct kns_buf *out, const char *text, size_t len, bool in_attribute);

/* ---- people.c ---- */

/* Adds an author to what the frame stands in: the entry, its source, the feed. */
void kns_builder_add_person(struct builder *b, const struct frame *f, struct kns_person *person);

/* The authors of an entry's source are the entry's where it names none (RFC 4287 4.2.1). */
void kns_builder_settle_authors(struct builder *b, struct kns_entry *entry);

/* ---- values.c ---- */

/* The slots that a field goes to now: the open entry's, else the feed's. */
struct slot *kns_builder_slots(struct builder *b);

/* A base for relative references at a frame: xml:base, the document's URL, the channel's link; NULL: none. */
const char *kns_builder_base(const struct builder *b, const struct frame *f);

/* White space squeezed, ends trimmed; NULL: there is nothing (of NULL too). In the arena. */
const char *kns_builder_line(struct builder *b, const char *text);

/* Sets a slot when nothing better is there. */
void kns_builder_set(struct builder *b, const struct frame *f, enum field field, uint8_t rank,
                     const char *text, bool is_html);

/* Sets the slot of the frame's row from a buffer, which may be changed: HTML comes with its URLs resolved. */
void kns_builder_set_buffer(struct builder *b, const struct frame *f, struct kns_buf *buf,
                            bool is_html);

/* Fills an entry, or the document, from its slots. */
void kns_fields_to_entry(struct builder *b, struct kns_entry *entry);
void kns_fields_to_document(struct builder *b);

#endif
