#include "lib/digest/hash.h"

#include <stdint.h>

/* FNV-1a, 64 bits, from two different starts; the NUL between the strings counts too. */
static uint64_t fnv(uint64_t hash, const char *text)
{
    do {
        hash ^= (unsigned char)*text;
        hash *= UINT64_C(0x100000001b3);
    } while (*text++ != '\0');
    return hash;
}

static void hash_both(const char *a, const char *b, uint64_t ret_hash[2])
{
    ret_hash[0] = fnv(fnv(UINT64_C(0xcbf29ce484222325), a), b);
    ret_hash[1] = fnv(fnv(UINT64_C(0x6c62272e07bb0142), b), a);
}

const char *digest_hash(struct kns_arena *arena, const char *a, const char *b)
{
    uint64_t h[2];

    hash_both(a, b, h);
    return kns_arena_printf(arena, "%016llx%016llx", (unsigned long long)h[0],
                            (unsigned long long)h[1]);
}

const char *digest_urn(struct kns_arena *arena, const char *a, const char *b)
{
    uint64_t h[2];

    hash_both(a, b, h);
    h[0] = (h[0] & ~UINT64_C(0xF000)) | UINT64_C(0x8000);
    h[1] = (h[1] & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62);
    return kns_arena_printf(
        arena, "urn:uuid:%08llx-%04llx-%04llx-%04llx-%012llx", (unsigned long long)(h[0] >> 32),
        (unsigned long long)((h[0] >> 16) & 0xFFFF), (unsigned long long)(h[0] & 0xFFFF),
        (unsigned long long)(h[1] >> 48), (unsigned long long)(h[1] & UINT64_C(0xFFFFFFFFFFFF)));
}
