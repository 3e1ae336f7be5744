/* charset.h - bytes in any encoding that feeds come in, out as UTF-8 (WHATWG Encoding Standard).
 *
 * The order of authority: BOM, then the HTTP charset, then the document's own declaration (XML), then
 * detection by content. What is declared but cannot be true is overruled by what comes next in that
 * order: UTF-16 in bytes that are plainly not, UTF-8 where bad sequences outweigh good characters, an
 * East Asian encoding in which much is no character. An odd bad byte is only that, and all bytes are
 * true in a single-byte encoding. What is not declared is read as UTF-8 until the first byte that is
 * not ASCII, wherever that comes, and judged by what follows it. Labels are those of
 * the WHATWG table, so that "iso-8859-1" means windows-1252 and "gb2312" means GBK, and UTF-32's.
 * Invalid bytes become U+FFFD as the standard has it; what comes out is always valid UTF-8, and the
 * same however the bytes were cut. Any thread, a decoder being one thread's at a time.
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

/* The same of bytes that are all there: appends size bytes as UTF-8 to out. */
enum kns_status kns_decode(const char *content_type, const void *bytes, size_t size,
                           struct kns_buf *out, struct kns_error *err);

/* What is read before deciding, at most. */
#define KNS_DECODER_SNIFF 1024

#endif
