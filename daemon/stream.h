/* stream.h - an answer that goes on: events, and the progress of a refresh. Bytes wait here (bounded) until the client takes them.
 * Loop thread only. */
#ifndef KNSD_STREAM_H
#define KNSD_STREAM_H

#include "lib/buf.h"

#include <microhttpd.h>
#include <stdbool.h>

/* A client that leaves more waiting is cut off; one of events resumes by its cursor. What is written at once may be longer. */
#define KNS_STREAM_MOST ((size_t)4 << 20)

struct kns_stream {
    struct MHD_Connection *connection;
    struct kns_buf pending;
    size_t sent;
    bool suspended, ended, gone;
    int users; /* the connection, and whoever will still write */
    /* Called when the client has taken all there was, from inside libmicrohttpd's run; may be NULL. */
    void (*on_drained)(void *ctx);
    void *ctx;
};

struct kns_stream *kns_stream_new(struct MHD_Connection *connection);

/* An answer whose body is the stream; takes over the connection's share. */
struct MHD_Response *kns_stream_response(struct kns_stream *stream);

/* Instead of kns_stream_response: the client has gone before it was answered. */
void kns_stream_drop(struct kns_stream *stream);

/* Appends; false when the client is gone or too slow (the stream has ended then). Wakes the connection. */
bool kns_stream_write(struct kns_stream *stream, const char *bytes, size_t size);

/* How many bytes the client has not taken yet. */
size_t kns_stream_waiting(const struct kns_stream *stream);

/* True when the client has closed its side: nobody reads any more. Asks the socket. */
bool kns_stream_is_abandoned(const struct kns_stream *stream);

/* No more will come. */
void kns_stream_end(struct kns_stream *stream);

/* Another writer; and one less: freed with the last. */
void kns_stream_ref(struct kns_stream *stream);
void kns_stream_unref(struct kns_stream *stream);

#endif
