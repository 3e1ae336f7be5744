/* hash.h - names that are the same for the same input: ids, boundaries, Message-IDs. No cryptography. */
#ifndef KNS_DIGEST_HASH_H
#define KNS_DIGEST_HASH_H

#include "lib/arena.h"

/* 32 hex digits of two strings. NULL: no memory. */
const char *digest_hash(struct kns_arena *arena, const char *a, const char *b);

/* "urn:uuid:…" (RFC 9562, version 8) of two strings. NULL: no memory. */
const char *digest_urn(struct kns_arena *arena, const char *a, const char *b);

#endif
