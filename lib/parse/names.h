/* names.h - the namespaces of feed dialects, and what each element of each vocabulary means. Private to lib/parse.
 *
 * Adding a module is adding rows to the tables in names.c. */
#ifndef KNS_PARSE_NAMES_H
#define KNS_PARSE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ns {
    NS_NONE, /* no namespace, or RSS's own (0.90, 1.0, the odd xmlns on rss) */
    NS_RDF,
    NS_ATOM, /* 0.3 and 1.0 */
    NS_DC,   /* elements and terms */
    NS_CONTENT,
    NS_MEDIA,
    NS_ITUNES, /* and Google's, which took its names over */
    NS_SLASH,
    NS_WFW,
    NS_THR,
    NS_GEORSS,
    NS_GML,
    NS_GEO,
    NS_SY,
    NS_XHTML,
    NS_CC,
    NS_ADMIN,
    NS_FEEDBURNER,
    NS_PODCAST,
    NS_CDF, /* Microsoft's Channel Definition Format, which has no URI */
    NS_XML,
    NS_OTHER,
};

/* Where in a document an element stands. */
enum place {
    IN_NOTHING, /* outside the root */
    IN_RSS,     /* rss, rdf:RDF */
    IN_FEED,    /* channel, atom:feed */
    IN_ENTRY,   /* item, atom:entry */
    IN_IMAGE,   /* RSS image */
    IN_PERSON,  /* atom:author, contributor; itunes:owner */
    IN_SOURCE,  /* atom:source */
    IN_MEDIA,   /* media:group, media:content of an entry */
    IN_HOURS,   /* skipHours */
    IN_DAYS,    /* skipDays */
    IN_WHERE,   /* georss:where and gml's shells */
    IN_IGNORED, /* below an element that says nothing to us */
};
#define PLACE(p) (1u << (p))

/* What an element or attribute says. The order within a field is precedence: a row's rank, lower wins. */
enum field {
    F_NONE,
    F_ID,
    F_TITLE,
    F_URL,
    F_SUMMARY,
    F_CONTENT,
    F_PUBLISHED,
    F_UPDATED,
    F_RIGHTS,
    F_LANGUAGE,
    F_GENERATOR,
    F_COMMENTS_URL,
    F_COMMENTS_FEED,
    F_COMMENTS_COUNT,
    F_IMAGE,
    F_ICON,
    F_FAVICON,
    F_TTL,
    F_PERIOD,
    F_FREQUENCY,
    F_DURATION,
    F_EXPLICIT,
    F_SEASON,
    F_EPISODE,
    F_LAT,
    F_LON,
    F_SELF,
    F_NEXT,
    F_SOURCE_ID,
    F_SOURCE_TITLE,
    F_SOURCE_URL,
    F_COUNT,
};

struct builder;
struct frame;

/* How the element's content is read. */
enum construct {
    C_NONE,  /* no text wanted */
    C_PLAIN, /* text as it stands */
    C_GUESS, /* RSS: text that may be HTML */
    C_HTML,  /* HTML, escaped */
    C_ATOM,  /* by its type (RFC 4287 3.1, 4.1.3) */
};

struct row {
    const char *name;
    uint32_t places;  /* PLACE() of where it may stand */
    enum place opens; /* for containers; else IN_NOTHING */
    enum construct construct;
    /* Called at the element's end with its text; NULL: set_field. */
    void (*apply)(struct builder *b, const struct frame *f, const char *text);
    enum field field;
    uint8_t rank;
};

/* The namespace of a URI, and of a prefix that was never declared. */
enum ns kns_ns_of_uri(const char *uri);
enum ns kns_ns_of_prefix(const char *prefix, size_t len);
bool kns_ns_is_atom_03(const char *uri);

/* The row for an element at a place; NULL: it says nothing there. */
const struct row *kns_row_find(enum ns ns, const char *name, enum place place);

#endif
