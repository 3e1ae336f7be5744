/* signature.h - the signatures of pushed content (WebSub 7.1), and what nobody can guess. Deciding: no loop, no curl. */
#ifndef KNSD_SIGNATURE_H
#define KNSD_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

struct kns_signature;

enum kns_signature_verdict {
    KNS_SIGNATURE_GOOD,
    KNS_SIGNATURE_MISSING,
    KNS_SIGNATURE_WEAK, /* of a method that proves nothing any more (sha1), or that we do not know */
    KNS_SIGNATURE_BAD,
};

/* Begins to check a body against a header's value, "METHOD=HEX" (NULL: there was none), and the secret that was agreed (NULL: none was,
 * and any body is good). The caller owns it. NULL: no memory. */
struct kns_signature *kns_signature_new(const char *header, const char *secret);
void kns_signature_free(struct kns_signature *signature); /* NULL is allowed */

/* The body, in pieces. */
void kns_signature_add(struct kns_signature *signature, const void *bytes, size_t size);

/* The end of it, once. Takes the same time whatever is wrong with the signature. */
enum kns_signature_verdict kns_signature_check(struct kns_signature *signature);

/* bytes random bytes as hex and a NUL into text, which holds 2 * bytes + 1. False: there is no randomness to be had. */
bool kns_random_hex(char *text, size_t bytes);

#endif
