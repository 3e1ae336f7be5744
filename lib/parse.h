/* parse.h - from the bytes of a feed document to what it says.
 *
 * The bytes may come in any chunks. The parser decides by content whether they are XML, JSON or no feed; Content-Type is only
 * asked for its charset. XML is streamed through expat; JSON is collected (bounded) and read by jansson. What is
 * broken costs no more than what it touches: whole entries are kept, `malformed`, `cut` and `warnings`
 * say what happened. A parser belongs to one thread; several may run at once.
 */
#ifndef KNS_PARSE_H
#define KNS_PARSE_H

#include "lib/document.h"
#include "lib/error.h"

#include <stddef.h>

/* Limits, each with a test on either side. Zero in a field of struct kns_parse_limits means the default here. */
#define KNS_PARSE_MAX_BYTES (16u << 20) /* decoded bytes of one document */
#define KNS_PARSE_MAX_DEPTH 200         /* nested elements */
#define KNS_PARSE_MAX_ATTRIBUTES 256    /* of one element */
#define KNS_PARSE_MAX_NAMESPACES 256   /* declared and in force at one place; more are not heeded */
#define KNS_PARSE_MAX_ENTRIES 50000    /* of one document; more are left out with a warning */
#define KNS_PARSE_MAX_FIELD (4u << 20) /* bytes of one text construct */
#define KNS_PARSE_MAX_LIST 1000        /* authors, tags, links, enclosures of one entry, each */
#define KNS_PARSE_MAX_WARNINGS 100

struct kns_parse_options {
    const char *content_type; /* the HTTP header's value, or NULL; copied */
    const char *base_url;     /* the document's own URL, for relative ones, or NULL; copied */
    size_t max_bytes;         /* 0: KNS_PARSE_MAX_BYTES */
};

struct kns_parser;

/* options may be NULL. The caller owns the parser. NULL: no memory. */
struct kns_parser *kns_parser_new(const struct kns_parse_options *options);

/* Frees the parser, and the document if it was not handed out. NULL is allowed. */
void kns_parser_free(struct kns_parser *parser);

/* Takes size bytes more. An error is final (KNS_ELIMIT, KNS_ENOMEM; KNS_ENOTFEED as soon as that is
 * certain); err says what, for people. */
enum kns_status kns_parser_write(struct kns_parser *parser, const void *bytes, size_t size,
                                 struct kns_error *err);

/* The end. cut: the bytes are known to be incomplete (a broken connection). On success the caller
 * owns *ret_document. KNS_ENOTFEED: no feed (an HTML page, an empty document, other XML). */
enum kns_status kns_parser_finish(struct kns_parser *parser, bool cut,
                                  struct kns_document **ret_document, struct kns_error *err);

/* All at once. */
enum kns_status kns_parse(const struct kns_parse_options *options, const void *bytes, size_t size,
                          struct kns_document **ret_document, struct kns_error *err);

#endif
