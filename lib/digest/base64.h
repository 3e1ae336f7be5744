/* base64.h - RFC 4648, in lines or without. Inside of the digest room. */
#ifndef KNS_DIGEST_BASE64_H
#define KNS_DIGEST_BASE64_H

#include "lib/buf.h"

#include <stddef.h>

/* Appends bytes as base64; line: columns between CRLFs (a multiple of 4), 0: one line without an end. */
void digest_base64(struct kns_buf *out, const char *bytes, size_t size, size_t line);

#endif
