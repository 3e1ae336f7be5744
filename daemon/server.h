/* server.h - the HTTP server on the Unix socket, and for hubs' callbacks on a TCP socket, inside the loop (libmicrohttpd in external epoll mode).
 *
 * Loop thread only. Requests that need the store run in the query workers or the writer while their
 * connection is suspended; nothing here blocks.
 */
#ifndef KNSD_SERVER_H
#define KNSD_SERVER_H

#include "lib/error.h"

#include <stdint.h>
#include <uv.h>

struct kns_config;
struct kns_poller;
struct kns_readers;
struct kns_server;
struct kns_websub;
struct kns_writer;

/* What the server answers with; all outlive it. */
struct kns_server_parts {
    uv_loop_t *loop;
    const struct kns_config *config; /* the one in force; see kns_server_set_config */
    struct kns_writer *writer;
    struct kns_readers *readers;
    struct kns_poller *poller;
    struct kns_websub *websub;
};

/* Starts answering on listen_fd, a bound and listening Unix socket, and to hubs alone on callback_fd, a TCP socket (-1: none). The server
 * takes both over. */
enum kns_status kns_server_start(const struct kns_server_parts *parts, int listen_fd,
                                 int callback_fd, struct kns_server **ret_server,
                                 struct kns_error *err);

/* A reload: config is in force from now on. */
void kns_server_set_config(struct kns_server *server, const struct kns_config *config);

/* Events up to seq are durable now: streams (/v1/events) send what is new. */
void kns_server_events_ready(struct kns_server *server, int64_t seq);

/* Takes no new connection, ends streams, lets answers under way finish, then calls stopped (loop thread) once;
 * the server is freed after it. */
void kns_server_stop(struct kns_server *server, void (*stopped)(void *ctx), void *ctx);

#endif
