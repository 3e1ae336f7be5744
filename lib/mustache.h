/* mustache.h - logic-less templates by the Mustache specification (mustache(5)): interpolation, sections, inverted
 * sections, partials, delimiters and comments; of what is optional there, dynamic names ({{>*name}}), but neither inheritance nor
 * lambdas.
 *
 * The context is JSON. A name is looked up from the innermost section outwards; a dotted name resolves its first
 * part that way and the rest inside it. False, null, absent, "" and [] are false; a list repeats its section; an object
 * opens one. Numbers are written as JSON writes them. Templates are trusted (the operator's own files); data is not.
 * Any thread.
 */
#ifndef KNS_MUSTACHE_H
#define KNS_MUSTACHE_H

#include "lib/buf.h"
#include "lib/error.h"

#include <jansson.h>

/* Limits, each with a test on either side: a partial may include itself. */
#define KNS_MUSTACHE_MAX_DEPTH 100 /* nested sections and partials while rendering */
#define KNS_MUSTACHE_MAX_OUTPUT_BYTES                                                              \
    (64u << 20) /* of one rendering, whatever the buffer's own limit */

/* Finds a partial's text by name; NULL: none (renders as nothing). The text stays valid until rendering returns. */
typedef const char *kns_mustache_partial_fn(void *ctx, const char *name);

/* What {{name}} does to a value before it is written; {{{name}}} and {{&name}} write it as it is. */
enum kns_mustache_escape {
    KNS_MUSTACHE_HTML, /* & < > " ' become references */
    KNS_MUSTACHE_PLAIN,
};

/* Appends the rendering of text (NUL-terminated UTF-8) to out. partial may be NULL. KNS_ESYNTAX: an unclosed or
 * mismatched tag, the message names the line; KNS_ELIMIT: too deep or too long; KNS_ENOMEM. */
enum kns_status kns_mustache_render(const char *text, const json_t *context,
                                    enum kns_mustache_escape escape,
                                    kns_mustache_partial_fn *partial, void *ctx,
                                    struct kns_buf *out, struct kns_error *err);

#endif
