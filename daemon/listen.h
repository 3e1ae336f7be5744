/* listen.h - the socket that knsd binds itself. */
#ifndef KNSD_LISTEN_H
#define KNSD_LISTEN_H

#include "lib/error.h"

#include <sys/socket.h>

/* Makes every directory of path's that is missing (mode 0700 below the first that exists). */
enum kns_status kns_make_directories(const char *directory, struct kns_error *err);

/* Binds a listening Unix socket at path with these permissions. A file that nobody answers on is taken for a stale socket and removed; the
 * caller holds the state directory's lock, so that no other knsd of ours can be starting. KNS_EBUSY: somebody answers there. */
enum kns_status kns_listen(const char *path, unsigned mode, int *ret_fd, struct kns_error *err);

/* Binds a listening TCP socket. KNS_EBUSY: the address is taken. */
enum kns_status kns_listen_tcp(const struct sockaddr_storage *address, socklen_t size, int *ret_fd,
                               struct kns_error *err);

#endif
