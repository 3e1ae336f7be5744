/* netguard.h - which addresses are private. Deciding: no loop, no curl. */
#ifndef KNSD_NETGUARD_H
#define KNSD_NETGUARD_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for an address that is not of the public Internet: loopback, link-local, private, shared, multicast, unspecified,
 * documentation, reserved; of IPv6 also those that carry such an IPv4 address (mapped, compatible, NAT64, 6to4). */
bool kns_netguard_is_private(const struct sockaddr *address);

/* The same of an address as text ("::1", "[::1]", "10.0.0.1"); an interface behind % is left aside. False for what is no address. */
bool kns_netguard_is_private_text(const char *address);

/* True for the text of an address, "[::1]" or "127.0.0.1". */
bool kns_netguard_is_address(const char *host);

/* True for a host that names a private network whatever DNS says: a private address, localhost and what is below it (RFC 6761). */
bool kns_netguard_names_private(const char *host);

#endif
