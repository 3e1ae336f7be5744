/* bodyhash.h - tells whether a body is the one that was stored. Against accidents, not against forgers: who can choose a feed's bytes
 * can only hide their own. Deciding: no loop, no curl. */
#ifndef KNSD_BODYHASH_H
#define KNSD_BODYHASH_H

#include <stddef.h>
#include <stdint.h>

#define KNS_BODY_HASH_TEXT 33

/* Of the bytes alone, however the network cut them. */
struct kns_body_hash {
    uint64_t low, high;
};

void kns_body_hash_begin(struct kns_body_hash *hash);
void kns_body_hash_add(struct kns_body_hash *hash, const char *bytes, size_t size);

/* In hex, into a buffer of KNS_BODY_HASH_TEXT, which is returned. */
const char *kns_body_hash_text(const struct kns_body_hash *hash, char *text);

#endif
