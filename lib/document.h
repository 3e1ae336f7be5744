/* document.h - what a feed document says, whatever dialect it was written in.
 *
 * The words are Atom's (RFC 4287): a document has entries; published, updated, summary, content,
 * author, rights. All strings are valid UTF-8, NUL-terminated, and live in the document's arena, as do
 * the lists' nodes; NULL (or an empty list, a zero time, -1 for a number) means that the document
 * did not say. URLs are resolved against their base where there is one. A document is built by one
 * thread, handed over whole, and read-only afterwards.
 */
#ifndef KNS_DOCUMENT_H
#define KNS_DOCUMENT_H

#include "lib/arena.h"
#include "lib/list.h"
#include "lib/time.h"

#include <stdbool.h>
#include <stdint.h>

enum kns_format {
    KNS_FORMAT_NONE,
    KNS_FORMAT_RSS_090,
    KNS_FORMAT_RSS_091,
    KNS_FORMAT_RSS_092,
    KNS_FORMAT_RSS_100,
    KNS_FORMAT_RSS_200,
    KNS_FORMAT_ATOM_03,
    KNS_FORMAT_ATOM_10,
    KNS_FORMAT_JSONFEED_10,
    KNS_FORMAT_JSONFEED_11,
    KNS_FORMAT_CDF,
};

struct kns_person {
    const char *name, *email, *url, *avatar;
    struct kns_person *next;
};

struct kns_people {
    struct kns_person *first, *last;
    size_t count;
};

struct kns_category {
    const char *term, *scheme, *label;
    struct kns_category *next;
};

struct kns_categories {
    struct kns_category *first, *last;
    size_t count;
};

struct kns_link {
    const char *rel, *href, *type, *hreflang, *title;
    int64_t length_bytes; /* -1: not given */
    struct kns_link *next;
};

struct kns_enclosure {
    const char *url, *mime_type, *title;
    int64_t size_bytes; /* -1: not given */
    double duration_s;  /* below 0: not given */
    struct kns_enclosure *next;
};

struct kns_hub {
    const char *type, *url;
    struct kns_hub *next;
};

struct kns_warning {
    int64_t line; /* 1-based; 0: the document as a whole */
    const char *message;
    struct kns_warning *next;
};

struct kns_source {
    const char *id, *title, *url;
};

struct kns_geo {
    bool given;
    double lat, lon; /* WGS 84 degrees */
};

enum kns_explicit { KNS_EXPLICIT_UNKNOWN, KNS_EXPLICIT_NO, KNS_EXPLICIT_YES };

struct kns_entry {
    const char *guid; /* guid, atom:id, rdf:about, JSON Feed id: character for character */
    const char *url;  /* the page about the entry (rel=alternate, RSS link, permalink guid) */
    bool permalink;   /* the guid is the entry's own URL */
    const char *external_url;                /* JSON Feed's, rel=related of a link blog */
    const char *title;                       /* plain text */
    const char *content_html, *content_text; /* as the feed gave them, not sanitised */
    const char *summary;                     /* plain text */
    const char *summary_html;                /* when the summary had markup; not sanitised */
    const char *image, *banner_image;
    struct kns_time published, updated;
    const char *language; /* BCP 47, where the entry itself says so */
    struct kns_people authors;
    struct kns_categories tags;
    KNS_LIST(kns_enclosure) enclosures;
    KNS_LIST(kns_link) links;
    const char *comments_url, *comments_feed_url;
    int64_t comments_count; /* -1: not given */
    struct kns_source source;
    const char *rights;
    struct kns_geo geo;
    int64_t episode, season; /* -1: not given */
    enum kns_explicit is_explicit;
    int64_t line; /* where it began in the document, 1-based */
    struct kns_entry *next;
};

struct kns_document {
    struct kns_arena *arena; /* owned: all below lives in it */
    enum kns_format format;
    const char *encoding; /* the one the bytes were read in, WHATWG name in lower case */
    const char *id, *title, *home_page_url, *feed_url /* rel=self */, *next_url;
    const char *description; /* plain text */
    const char *icon, *favicon, *language, *rights, *generator;
    struct kns_time updated, published;
    int64_t ttl_s, update_interval_s; /* -1: not given */
    uint32_t skip_hours;              /* bit n: hour n UTC, 0-23 */
    uint8_t skip_days;                /* bit 0: Sunday */
    struct kns_people authors;
    struct kns_categories tags;
    KNS_LIST(kns_hub) hubs;
    KNS_LIST(kns_entry) entries;
    KNS_LIST(kns_warning) warnings;
    bool malformed; /* not well-formed by its own format's rules */
    bool cut;       /* ended before its end: entries may be missing */
};

/* A new, empty document in an arena of its own that holds at most limit_bytes (0: no limit); NULL:
 * no memory. The caller owns it. */
struct kns_document *kns_document_new(size_t limit_bytes);

/* Frees the document and its arena; NULL is allowed. */
void kns_document_free(struct kns_document *document);

/* A new entry in the arena with every number at "not given"; NULL: memory or limit. Not yet in the
 * list. */
struct kns_entry *kns_entry_new(struct kns_arena *arena);

/* "rss-2.0" and so on, as interfaces name them; "" for NONE. Static storage. */
const char *kns_format_name(enum kns_format format);

#endif
