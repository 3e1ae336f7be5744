#include "daemon/netguard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* IANA's special-purpose registry (RFC 6890 and its successors). */
static const struct {
    uint32_t network;
    int bits;
} private_v4[] = {
    {0x00000000, 8},  /* this network */
    {0x0A000000, 8},  /* private */
    {0x64400000, 10}, /* shared, of carriers */
    {0x7F000000, 8},  /* loopback */
    {0xA9FE0000, 16}, /* link-local */
    {0xAC100000, 12}, /* private */
    {0xC0000000, 24}, /* protocol assignments */
    {0xC0000200, 24}, /* documentation */
    {0xC0A80000, 16}, /* private */
    {0xC6120000, 15}, /* benchmarks */
    {0xC6336400, 24}, /* documentation */
    {0xCB007100, 24}, /* documentation */
    {0xE0000000, 3},  /* multicast, reserved, broadcast */
};

static bool is_private_v4(uint32_t address)
{
    for (size_t i = 0; i < sizeof(private_v4) / sizeof(private_v4[0]); i++)
        if ((address ^ private_v4[i].network) >> (32 - private_v4[i].bits) == 0)
            return true;
    return false;
}

static uint32_t v4_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool begins_with(const uint8_t *address, const char *prefix, size_t len)
{
    return memcmp(address, prefix, len) == 0;
}

static bool is_private_v6(const uint8_t *a)
{
    if (begins_with(a, "\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12) ||
        begins_with(a, "\0\x64\xFF\x9B\0\0\0\0\0\0\0\0", 12) ||
        begins_with(a, "\0\0\0\0\0\0\0\0\0\0\0\0",
                    12)) /* mapped, NAT64, compatible; :: and ::1 among them */
        return is_private_v4(v4_at(a + 12));
    if (begins_with(a, "\x20\x02", 2)) /* 6to4 */
        return is_private_v4(v4_at(a + 2));
    /* Only 2000::/3 is given out; of it, Teredo and documentation lead nowhere public. */
    return (a[0] & 0xE0) != 0x20 || begins_with(a, "\x20\x01\0\0", 4) ||
           begins_with(a, "\x20\x01\x0D\xB8", 4);
}

bool kns_netguard_is_private(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return is_private_v4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return is_private_v6(in6.sin6_addr.s6_addr);
    }
    return true; /* what is neither is no way to a feed */
}

/* AF_INET, AF_INET6, or AF_UNSPEC for what is no address. */
static int read_address(const char *text, struct sockaddr_storage *ret)
{
    char plain[INET6_ADDRSTRLEN + 1];
    struct sockaddr_in *in = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

    text += *text == '[';
    size_t len = strcspn(text, "]%");
    if (len >= sizeof(plain))
        return AF_UNSPEC;
    snprintf(plain, sizeof(plain), "%.*s", (int)len, text);
    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, plain, &in->sin_addr) == 1)
        ret->ss_family = AF_INET;
    else if (inet_pton(AF_INET6, plain, &in6->sin6_addr) == 1)
        ret->ss_family = AF_INET6;
    return ret->ss_family;
}

bool kns_netguard_is_private_text(const char *address)
{
    struct sockaddr_storage storage;

    return read_address(address, &storage) != AF_UNSPEC &&
           kns_netguard_is_private((const struct sockaddr *)&storage);
}

bool kns_netguard_is_address(const char *host)
{
    struct sockaddr_storage storage;

    return read_address(host, &storage) != AF_UNSPEC;
}

bool kns_netguard_names_private(const char *host)
{
    static const char name[] = "localhost";
    size_t len = strlen(host), want = sizeof(name) - 1;

    if (len > 0 && host[len - 1] == '.')
        len--;
    bool local = len >= want && strncasecmp(host + len - want, name, want) == 0 &&
                 (len == want || host[len - want - 1] == '.');
    return local || kns_netguard_is_private_text(host);
}
