/* server_internal.h - what the server's files share. */
#ifndef KNSD_SERVER_INTERNAL_H
#define KNSD_SERVER_INTERNAL_H

#include "daemon/readers.h"
#include "daemon/request.h"
#include "daemon/routes.h"
#include "daemon/server.h"
#include "daemon/stream.h"
#include "daemon/websub.h"
#include "daemon/writer.h"

#include <microhttpd.h>
#include <uv.h>

struct events; /* one client's stream of events */

/* A listening socket with its libmicrohttpd: that on the Unix socket, and where hubs reach us by TCP. */
struct door {
    struct kns_server *server;
    struct MHD_Daemon *mhd;
    uv_poll_t poll;
    uv_timer_t timer;
    unsigned connections; /* after the last run */
    bool callbacks_only;  /* nothing else is answered here */
};

struct kns_server {
    struct kns_server_parts parts;
    struct door doors[2];
    size_t n_doors;
    uv_timer_t heartbeat;
    struct kns_time started;
    size_t working; /* requests that somebody works for */
    struct events *streams;
    size_t n_streams;
    bool stopping;
    int handles;
    uint64_t stop_by_ms;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

/* A request with its connection. */
struct exchange {
    struct kns_server *server;
    const struct door *door;
    struct MHD_Connection *connection;
    struct kns_request request;
    const struct kns_route *route;
    struct kns_buf body;
    struct kns_delivery *delivery; /* that takes the body; NULL: none does */
    struct kns_read read;
    struct kns_write write;
    void *job; /* of the route that serves it; in the request's arena */
    int users; /* who works for it */
    bool dispatched, ready, answered, gone;
    struct kns_stream *stream; /* what it is answered with when it is ready; NULL: request.out */
};

/* Suspends the connection while somebody works; done resumes it, and its answer is sent. */
void kns_exchange_begin(struct exchange *x);
void kns_exchange_done(struct exchange *x);

/* Sends the answer now, from inside the request's own callback; and one that goes on, x->stream, which the answer takes over. */
enum MHD_Result kns_exchange_answer(struct exchange *x);
enum MHD_Result kns_exchange_stream(struct exchange *x, const char *type);

/* libmicrohttpd runs soon. */
void kns_server_wake(struct kns_server *server);

/* A callback's header is there: the beginning of a delivery, or a refusal in the request. False: it is answered with that. */
bool kns_begin_callback(struct exchange *x);

/* The routes that are more than a handler. */
enum MHD_Result kns_serve_intent(struct exchange *x);
enum MHD_Result kns_serve_delivery(struct exchange *x);
enum MHD_Result kns_serve_subscribe(struct exchange *x);
enum MHD_Result kns_serve_refresh(struct exchange *x);
enum MHD_Result kns_serve_link(struct exchange *x);
enum MHD_Result kns_serve_link_check(struct exchange *x);
enum MHD_Result kns_serve_send(struct exchange *x);

/* Fetches the pictures that a handler asked for, one after the other, and has it run again. */
void kns_serve_pictures(struct exchange *x);
enum MHD_Result kns_serve_events(struct exchange *x);
enum MHD_Result kns_serve_figures(struct exchange *x);
void kns_serve_events_start(struct kns_server *server);
void kns_serve_events_stop(struct kns_server *server);

#endif
