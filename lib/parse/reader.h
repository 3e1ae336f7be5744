/* reader.h - the two readers of XML, which drive the same builder. Private to lib/parse. */
#ifndef KNS_PARSE_READER_H
#define KNS_PARSE_READER_H

#include "lib/error.h"
#include "lib/parse/builder.h"

#include <stddef.h>

/* The strict one: expat, streaming. */
struct strict;

/* NULL: no memory. The builder stays the caller's. */
struct strict *kns_strict_new(struct builder *b);
void kns_strict_free(struct strict *strict);

/* Reads on: utf8 follows in memory what was given before, which must still be there (it may have moved as a whole). KNS_ESYNTAX: not well-formed (err says what, *ret_line where); KNS_ENOTFEED: the root is no feed's;
 * KNS_ELIMIT, KNS_ENOMEM. */
enum kns_status kns_strict_read(struct strict *strict, const char *utf8, size_t size, bool last,
                                int64_t *ret_line, struct kns_error *err);

/* True when undeclared entities were met: read, but not well-formed. */
bool kns_strict_repaired(const struct strict *strict);

/* The lenient one: reads whatever looks like markup, whole. line is the number of the first line. */
void kns_lenient_read(struct builder *b, const char *utf8, size_t size, int64_t line);

#endif
