#include "daemon/bodyhash.h"

#include <inttypes.h>
#include <stdio.h>

/* FNV-1a over two states that see the bytes differently. */
#define PRIME UINT64_C(0x100000001b3)

void kns_body_hash_begin(struct kns_body_hash *hash)
{
    hash->low = UINT64_C(0xcbf29ce484222325);
    hash->high = UINT64_C(0x9ae16a3b2f90404f);
}

void kns_body_hash_add(struct kns_body_hash *hash, const char *bytes, size_t size)
{
    uint64_t low = hash->low, high = hash->high;

    for (size_t i = 0; i < size; i++) {
        low = (low ^ (unsigned char)bytes[i]) * PRIME;
        high = (high + (unsigned char)bytes[i]) * PRIME ^ high >> 29;
    }
    hash->low = low;
    hash->high = high;
}

const char *kns_body_hash_text(const struct kns_body_hash *hash, char *text)
{
    snprintf(text, KNS_BODY_HASH_TEXT, "%016" PRIx64 "%016" PRIx64, hash->low, hash->high);
    return text;
}
