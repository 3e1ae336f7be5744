/* client.h - HTTP over the daemon's Unix socket: libcurl, one request at a time. */
#ifndef KNSCTL_CLIENT_H
#define KNSCTL_CLIENT_H

#include "lib/buf.h"
#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

struct kns_client;

struct kns_request {
    const char *method; /* NULL: GET */
    const char *path;   /* from "/v1/…" on, encoded */
    const char *body;   /* NULL: none */
    size_t body_size;
    const char *content_type; /* NULL: application/json */
    const char *header;       /* one more line, or NULL */
    bool streams;             /* no time-out between bytes */
    /* True ends a waiting request; asked now and then, and after every signal. NULL: never. */
    bool (*gives_up)(void);
    /* The answer's body as it comes, when its status is 2xx; false ends it. NULL: it is collected in the response. */
    bool (*on_data)(void *ctx, const char *bytes, size_t size);
    void *ctx;
};

struct kns_response {
    int status;
    struct kns_buf body; /* whole, or that of an error */
};

/* socket: the path given on the command line, or NULL to look at $KNS_SOCKET, the user's, the system's. NULL: no memory. */
struct kns_client *kns_client_new(const char *socket);
void kns_client_free(struct kns_client *client);

/* The socket in use. */
const char *kns_client_socket(const struct kns_client *client);

/* Sends a request. KNS_OK: an answer came, whatever its status, or the request gave up; the response's body is the caller's to fini.
 * KNS_EBUSY: no daemon is reachable (err says what to do); KNS_EIO: the connection broke; KNS_ENOMEM. */
enum kns_status kns_client_send(struct kns_client *client, const struct kns_request *request,
                                struct kns_response *ret_response, struct kns_error *err);

#endif
