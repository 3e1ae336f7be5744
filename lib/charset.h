/* charset.h - bytes in any encoding that feeds come in, out as UTF-8 (WHATWG Encoding Standard).
 *
 * The order of authority: BOM, then the HTTP charset, then the document's own declaration (XML), then
 * detection by content. What is declared but cannot be true is overruled (a document that declares
 * UTF-16 in bytes that are plainly not; one that declares ISO-8859-1 and is valid UTF-8 with
 * multi-byte characters stays what it declares unless the bytes forbid it). Labels are those of
 * the WHATWG table, so that "iso-8859-1" means windows-1252 and "gb2312" means GBK. Invalid bytes become
 * U+FFFD; what comes out is always valid UTF-8, whatever the chunks were.
 */
#ifndef KNS_CHARSET_H
#define KNS_CHARSET_H

#include "lib/buf.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

/* The WHATWG name ("shift_jis") for a label ("x-sjis", any case, white space around it); NULL when it
 * is no known label. Static storage. */
const char *kns_charset_find(const char *label, size_t len);

/* The charset parameter of a Content-Type value, as a WHATWG name; NULL when there is none known. */
const char *kns_charset_from_content_type(const char *content_type);

/* A streaming decoder. */
struct kns_decoder;

/* content_type: the HTTP header's value, or NULL. The caller owns the decoder. NULL: no memory. */
struct kns_decoder *kns_decoder_new(const char *content_type);
void kns_decoder_free(struct kns_decoder *decoder);

/* Decodes size bytes, split anywhere, and appends valid UTF-8 to out (without BOM). Until the
 * encoding is known (at most the first KNS_DECODER_SNIFF bytes) they are held back. KNS_ENOMEM,
 * KNS_ELIMIT when out is full. */
enum kns_status kns_decoder_write(struct kns_decoder *decoder, const void *bytes, size_t size,
                                  struct kns_buf *out, struct kns_error *err);

/* The end of the bytes: what was held back comes out, an unfinished character becomes U+FFFD. */
enum kns_status kns_decoder_finish(struct kns_decoder *decoder, struct kns_buf *out,
                                   struct kns_error *err);

/* The encoding that is being read, as a WHATWG name; NULL before it is known. */
const char *kns_decoder_encoding(const struct kns_decoder *decoder);

/* True when bytes were replaced by U+FFFD, or the declared encoding was overruled. */
bool kns_decoder_repaired(const struct kns_decoder *decoder);

/* What is read before deciding, at most. */
#define KNS_DECODER_SNIFF 1024

#endif
