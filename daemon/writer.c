/* The happy path: submit appends to the queue and wakes the thread; the thread takes the whole queue, begins, runs each write, commits, and
 * hands the writes back; the loop calls their done.
 * When the commit fails, every write of the group failed, whatever its own part said: nothing of it is stored. */
#include "daemon/writer.h"

#include "daemon/log.h"

#include <stdlib.h>
#include <string.h>

/* Beyond this the poller starts nothing new: the documents waiting here are memory. */
#define QUEUE_BOUND 256
/* A group never waits longer than this many writes for its commit. */
#define GROUP_MOST 128

struct queue {
    struct kns_write *first, *last;
    size_t count;
};

struct kns_writer {
    struct kns_store *store;
    uv_thread_t thread;
    uv_mutex_t mutex; /* guards what follows */
    uv_cond_t wake;
    struct queue waiting, finished;
    bool stopping;
    size_t unfinished; /* loop thread: submitted and not yet done */
    uv_async_t async;
    void (*group_done)(void *ctx);
    void *ctx;
    char trouble[KNS_ERROR_MAX]; /* loop thread */
};

static void append(struct queue *queue, struct kns_write *write)
{
    write->next = NULL;
    if (queue->last != NULL)
        queue->last->next = write;
    else
        queue->first = write;
    queue->last = write;
    queue->count++;
}

static struct kns_write *take(struct queue *queue)
{
    struct kns_write *write = queue->first;

    if (write == NULL)
        return NULL;
    queue->first = write->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    return write;
}

/* ---- the writer thread -------------------------------------------------------------------------------------------- */

static void fail_group(struct queue *group, enum kns_status status, const struct kns_error *err)
{
    for (struct kns_write *write = group->first; write != NULL; write = write->next) {
        write->status = status;
        write->err = *err;
    }
}

static void run_group(struct kns_writer *writer, struct queue *group)
{
    struct kns_error err = {0};
    enum kns_status status = kns_store_begin(writer->store, &err);

    if (status != KNS_OK) {
        fail_group(group, status, &err);
        return;
    }
    for (struct kns_write *write = group->first; write != NULL; write = write->next)
        write->status = write->run(write, writer->store, &write->err);
    status = kns_store_commit(writer->store, &err);
    if (status != KNS_OK)
        fail_group(group, status, &err);
}

static void thread_main(void *ctx)
{
    struct kns_writer *writer = ctx;

    uv_mutex_lock(&writer->mutex);
    for (;;) {
        while (writer->waiting.count == 0 && !writer->stopping)
            uv_cond_wait(&writer->wake, &writer->mutex);
        if (writer->waiting.count == 0)
            break;
        struct queue group = {0};
        while (group.count < GROUP_MOST && writer->waiting.count > 0)
            append(&group, take(&writer->waiting));
        uv_mutex_unlock(&writer->mutex);
        run_group(writer, &group);
        uv_mutex_lock(&writer->mutex);
        for (struct kns_write *write = take(&group); write != NULL; write = take(&group))
            append(&writer->finished, write);
        uv_async_send(&writer->async);
    }
    uv_mutex_unlock(&writer->mutex);
}

/* ---- the loop thread ---------------------------------------------------------------------------------------------- */

static bool is_disk_trouble(enum kns_status status)
{
    return status == KNS_EFULL || status == KNS_EIO || status == KNS_ECORRUPT;
}

/* The first failure of a kind is an error, its end an info: the same again says nothing. */
static void note_trouble(struct kns_writer *writer, const struct kns_write *write)
{
    bool trouble = is_disk_trouble(write->status);

    if (trouble && writer->trouble[0] == '\0')
        kns_log(KNS_LOG_ERROR, "cannot write to the database: %s", write->err.message);
    else if (!trouble && writer->trouble[0] != '\0')
        kns_log(KNS_LOG_INFO, "the database can be written again");
    if (trouble)
        memcpy(writer->trouble, write->err.message, sizeof(writer->trouble));
    else
        writer->trouble[0] = '\0';
}

static void finish_all(struct kns_writer *writer)
{
    uv_mutex_lock(&writer->mutex);
    struct queue finished = writer->finished;
    writer->finished = (struct queue){0};
    uv_mutex_unlock(&writer->mutex);
    bool any = finished.count > 0;
    for (struct kns_write *write = take(&finished); write != NULL; write = take(&finished)) {
        writer->unfinished--;
        note_trouble(writer, write);
        write->done(write);
    }
    if (any && writer->group_done != NULL)
        writer->group_done(writer->ctx);
}

static void on_async(uv_async_t *async)
{
    finish_all(async->data);
}

enum kns_status kns_writer_start(uv_loop_t *loop, struct kns_store *store,
                                 void (*group_done)(void *ctx), void *ctx,
                                 struct kns_writer **ret_writer, struct kns_error *err)
{
    struct kns_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    writer->store = store;
    writer->group_done = group_done;
    writer->ctx = ctx;
    writer->async.data = writer;
    uv_mutex_init(&writer->mutex);
    uv_cond_init(&writer->wake);
    uv_async_init(loop, &writer->async, on_async);
    if (uv_thread_create(&writer->thread, thread_main, writer) != 0) {
        uv_close((uv_handle_t *)&writer->async, NULL);
        return kns_fail(err, KNS_ENOMEM, "cannot start the writer thread");
    }
    *ret_writer = writer;
    return KNS_OK;
}

void kns_writer_submit(struct kns_writer *writer, struct kns_write *write)
{
    write->status = KNS_OK;
    writer->unfinished++;
    uv_mutex_lock(&writer->mutex);
    append(&writer->waiting, write);
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
}

size_t kns_writer_queued(struct kns_writer *writer)
{
    return writer->unfinished;
}

bool kns_writer_is_behind(const struct kns_writer *writer)
{
    return writer->unfinished > QUEUE_BOUND;
}

const char *kns_writer_trouble(const struct kns_writer *writer)
{
    return writer->trouble;
}

static void on_closed(uv_handle_t *handle)
{
    struct kns_writer *writer = handle->data;

    uv_cond_destroy(&writer->wake);
    uv_mutex_destroy(&writer->mutex);
    free(writer);
}

void kns_writer_stop(struct kns_writer *writer)
{
    if (writer == NULL)
        return;
    uv_mutex_lock(&writer->mutex);
    writer->stopping = true;
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
    uv_thread_join(&writer->thread);
    writer->group_done = NULL;
    finish_all(writer);
    kns_store_close(writer->store);
    uv_close((uv_handle_t *)&writer->async, on_closed);
}
