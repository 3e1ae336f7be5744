/* charset_decode.h - bytes of a known encoding to UTF-8, in a stream. Private to lib/text. Not thread-safe; each stream
 * has its own. */
#ifndef KNS_CHARSET_DECODE_H
#define KNS_CHARSET_DECODE_H

#include "lib/buf.h"
#include "lib/error.h"
#include "lib/text/charset_labels.h"

#include <stddef.h>

struct kns_transcoder;

/* The caller frees *ret_transcoder. KNS_ENOMEM; KNS_EINVAL when the system has no converter for the encoding. */
enum kns_status kns_transcoder_new(const struct kns_charset *charset,
                                   struct kns_transcoder **ret_transcoder, struct kns_error *err);

void kns_transcoder_free(struct kns_transcoder *transcoder);

/* Appends what the bytes say to out, whose failure sticks. A character whose end has not come is kept. */
void kns_transcoder_write(struct kns_transcoder *transcoder, const char *bytes, size_t size,
                          struct kns_buf *out);

/* The end: a character whose end never came becomes U+FFFD. */
void kns_transcoder_finish(struct kns_transcoder *transcoder, struct kns_buf *out);

/* How many U+FFFD stand for bytes that mean nothing. */
size_t kns_transcoder_replaced(const struct kns_transcoder *transcoder);

#endif
