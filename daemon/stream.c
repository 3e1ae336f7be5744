#include "daemon/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

struct kns_stream *kns_stream_new(struct MHD_Connection *connection)
{
    struct kns_stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->connection = connection;
    stream->users = 1;
    kns_buf_init(&stream->pending, 0);
    return stream;
}

void kns_stream_ref(struct kns_stream *stream)
{
    stream->users++;
}

void kns_stream_unref(struct kns_stream *stream)
{
    if (--stream->users > 0)
        return;
    kns_buf_fini(&stream->pending);
    free(stream);
}

static void wake(struct kns_stream *stream)
{
    if (!stream->suspended || stream->gone)
        return;
    stream->suspended = false;
    MHD_resume_connection(stream->connection);
}

size_t kns_stream_waiting(const struct kns_stream *stream)
{
    return stream->pending.len - stream->sent;
}

/* What was sent leaves the buffer once it is the larger part, so that each byte moves once at most. */
static void compact(struct kns_stream *stream)
{
    if (stream->sent < stream->pending.len / 2)
        return;
    stream->pending.len -= stream->sent;
    if (stream->pending.len > 0)
        memmove(stream->pending.data, stream->pending.data + stream->sent, stream->pending.len);
    stream->sent = 0;
}

bool kns_stream_write(struct kns_stream *stream, const char *bytes, size_t size)
{
    if (stream->gone || stream->ended)
        return false;
    if (kns_stream_waiting(stream) > KNS_STREAM_MOST) {
        stream->ended = true;
    } else {
        compact(stream);
        kns_buf_add(&stream->pending, bytes, size);
        stream->ended = kns_buf_failed(&stream->pending);
    }
    wake(stream);
    return !stream->ended;
}

bool kns_stream_is_abandoned(const struct kns_stream *stream)
{
    const union MHD_ConnectionInfo *info =
        stream->gone
            ? NULL
            : MHD_get_connection_info(stream->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;

    if (info == NULL)
        return true;
    ssize_t got = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    /* ECONNRESET: it closed without reading all that it had. */
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void kns_stream_end(struct kns_stream *stream)
{
    stream->ended = true;
    wake(stream);
}

/* libmicrohttpd asks for bytes: what waits, the end, or nothing yet, and then the connection sleeps until there is. */
static ssize_t on_read(void *ctx, uint64_t position, char *out, size_t most)
{
    struct kns_stream *stream = ctx;
    size_t left = kns_stream_waiting(stream);

    (void)position;
    if (left == 0 && stream->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0) {
        stream->suspended = true;
        MHD_suspend_connection(stream->connection);
        return 0;
    }
    size_t size = left < most ? left : most;
    memcpy(out, stream->pending.data + stream->sent, size);
    stream->sent += size;
    if (stream->sent == stream->pending.len) {
        kns_buf_reset(&stream->pending);
        stream->sent = 0;
        if (stream->on_drained != NULL)
            stream->on_drained(stream->ctx);
    }
    return (ssize_t)size;
}

static void on_free(void *ctx)
{
    struct kns_stream *stream = ctx;

    stream->gone = true;
    kns_stream_unref(stream);
}

void kns_stream_drop(struct kns_stream *stream)
{
    on_free(stream);
}

struct MHD_Response *kns_stream_response(struct kns_stream *stream)
{
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, on_read, stream, on_free);
}
