/* stream.h - an answer that goes on: events, and the progress of a refresh. Bytes wait here (bounded) until the client takes them.
 * Loop thread only. */
#ifndef KNSD_STREAM_H
#define KNSD_STREAM_H

#include "lib/buf.h"

#include <microhttpd.h>
#include <stdbool.h>

/* What a client may leave waiting; one that is slower is cut off, and resumes by its cursor. */
#define KNS_STREAM_MOST (4u << 20)

struct kns_stream {
    struct MHD_Connection *connection;
    struct kns_buf pending;
    size_t sent;
    bool suspended, ended, gone;
    int users; /* the connection, and whoever will still write */
};

struct kns_stream *kns_stream_new(struct MHD_Connection *connection);

/* An answer whose body is the stream. */
struct MHD_Response *kns_stream_response(struct kns_stream *stream);

/* Appends; false when the client is gone or too slow (the stream has ended then). Wakes the connection. */
bool kns_stream_write(struct kns_stream *stream, const char *bytes, size_t size);

/* No more will come. */
void kns_stream_end(struct kns_stream *stream);

/* Another writer; and one less: freed with the last. */
void kns_stream_ref(struct kns_stream *stream);
void kns_stream_unref(struct kns_stream *stream);

#endif
