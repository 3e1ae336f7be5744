/* netguard.h - which addresses are private. Deciding: no loop, no curl. */
#ifndef KNSD_NETGUARD_H
#define KNSD_NETGUARD_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for an address that is not of the public Internet: loopback, link-local, private, shared, multicast, unspecified,
 * documentation, reserved; of IPv6 also those that carry such an IPv4 address (mapped, compatible, NAT64, 6to4). */
bool kns_netguard_is_private(const struct sockaddr *address);

#endif
