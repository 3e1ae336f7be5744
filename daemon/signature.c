#include "daemon/signature.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RANDOM_MOST 64

struct kns_signature {
    enum kns_signature_verdict verdict; /* GOOD while the bytes decide */
    EVP_MAC_CTX *mac;                   /* NULL: they need not be looked at */
    unsigned char given[EVP_MAX_MD_SIZE];
    size_t given_size;
};

/* The methods that are believed; sha1 is not among them. */
static const struct {
    const char *name, *digest;
    size_t size;
} methods[] = {{"sha256", "SHA2-256", 32}, {"sha384", "SHA2-384", 48}, {"sha512", "SHA2-512", 64}};

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Exactly size bytes of hex. */
static bool read_hex(const char *hex, unsigned char *bytes, size_t size)
{
    if (strlen(hex) != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit_of(hex[2 * i]), low = digit_of(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static EVP_MAC_CTX *begin_mac(const char *digest, const char *secret)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    char name[16];

    EVP_MAC_free(hmac); /* the context keeps it */
    strcpy(name, digest);
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                               OSSL_PARAM_construct_end()};
    if (mac == NULL ||
        EVP_MAC_init(mac, (const unsigned char *)secret, strlen(secret), parameters) == 1)
        return mac;
    EVP_MAC_CTX_free(mac);
    return NULL;
}

/* False: no memory. */
static bool begin(struct kns_signature *s, const char *header, const char *secret)
{
    size_t len = strcspn(header, "=");

    s->verdict = KNS_SIGNATURE_WEAK;
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strlen(methods[i].name) != len || strncasecmp(methods[i].name, header, len) != 0)
            continue;
        s->verdict = KNS_SIGNATURE_BAD;
        s->given_size = methods[i].size;
        if (header[len] != '=' || !read_hex(header + len + 1, s->given, s->given_size))
            return true;
        s->verdict = KNS_SIGNATURE_GOOD;
        s->mac = begin_mac(methods[i].digest, secret);
        return s->mac != NULL;
    }
    return true;
}

struct kns_signature *kns_signature_new(const char *header, const char *secret)
{
    struct kns_signature *s = calloc(1, sizeof(*s));

    if (s == NULL || secret == NULL)
        return s;
    s->verdict = KNS_SIGNATURE_MISSING;
    if (header == NULL || *header == '\0' || begin(s, header, secret))
        return s;
    kns_signature_free(s);
    return NULL;
}

void kns_signature_free(struct kns_signature *s)
{
    if (s == NULL)
        return;
    EVP_MAC_CTX_free(s->mac);
    free(s);
}

void kns_signature_add(struct kns_signature *s, const void *bytes, size_t size)
{
    if (s->mac != NULL && EVP_MAC_update(s->mac, bytes, size) != 1)
        s->verdict = KNS_SIGNATURE_BAD;
}

enum kns_signature_verdict kns_signature_check(struct kns_signature *s)
{
    unsigned char own[EVP_MAX_MD_SIZE];
    size_t size = 0;

    if (s->mac == NULL || s->verdict != KNS_SIGNATURE_GOOD)
        return s->verdict;
    if (EVP_MAC_final(s->mac, own, &size, sizeof(own)) != 1 || size != s->given_size ||
        CRYPTO_memcmp(own, s->given, size) != 0)
        s->verdict = KNS_SIGNATURE_BAD;
    return s->verdict;
}

bool kns_random_hex(char *text, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char random[RANDOM_MOST];

    if (bytes > RANDOM_MOST || RAND_bytes(random, (int)bytes) != 1)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        text[2 * i] = digits[random[i] >> 4];
        text[2 * i + 1] = digits[random[i] & 15];
    }
    text[2 * bytes] = '\0';
    OPENSSL_cleanse(random, sizeof(random));
    return true;
}
