/* The happy path: submit appends to the queue and wakes the thread; the thread takes the whole queue, begins, runs each write, commits, and
 * hands the writes back; the loop calls their done.
 * When the commit fails, every write of the group failed, whatever its own part said: nothing of it is stored. When it was the disk that
 * failed, what is to be kept waits, in its order and out of the way of the others, for its next try. */
#include "daemon/writer.h"

#include "daemon/log.h"

#include <stdlib.h>
#include <string.h>

/* Beyond this the poller starts nothing new: the documents waiting here are memory. */
#define QUEUE_BOUND 256
#define BYTES_BOUND ((size_t)64 << 20)
/* A group never waits longer than this many writes for its commit. */
#define GROUP_MOST 128
/* What was kept is tried again after so long, then after twice as long each time. */
#define RETRY_FIRST_MS 500
#define RETRY_MOST_MS 30000

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
    struct kns_error disk; /* what the last group met; status KNS_OK: nothing */
    bool stopping;
    struct queue kept; /* the writer thread's, as the next two */
    uint64_t retry_at_ms, retry_after_ms;
    size_t unfinished, bytes; /* loop thread: submitted and not yet done */
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

static uint64_t now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* What may pass by itself; a database that is corrupt does not. */
static bool may_pass(enum kns_status status)
{
    return status == KNS_EFULL || status == KNS_EIO || status == KNS_EBUSY;
}

static enum kns_status try_group(struct kns_writer *writer, const struct queue *group,
                                 struct kns_error *err)
{
    enum kns_status status = kns_store_begin(writer->store, err);

    for (struct kns_write *write = group->first; write != NULL && status == KNS_OK;
         write = write->next) {
        write->err = (struct kns_error){0};
        write->status = write->run(write, writer->store, &write->err);
        /* A full disk may have undone the whole group; what follows must not run outside of one. */
        if (may_pass(write->status)) {
            *err = write->err;
            status = write->status;
        }
    }
    if (status == KNS_OK)
        return kns_store_commit(writer->store, err);
    kns_store_rollback(writer->store);
    return status;
}

/* Takes apart a group that failed: what may be kept waits, the rest is finished with the reason. A group begins with what was kept
 * before, so that it stays in front of what still is. */
static void fail_group(struct kns_writer *writer, struct queue *group, struct queue *failed,
                       const struct kns_error *err, bool keep)
{
    struct queue *const from[] = {group, &writer->kept};
    struct queue kept = {0};

    for (size_t i = 0; i < 2; i++)
        for (struct kns_write *write = take(from[i]); write != NULL; write = take(from[i])) {
            write->status = err->status;
            write->err = *err;
            append(keep && write->keep ? &kept : failed, write);
        }
    writer->kept = kept;
}

/* What a group that was stored says of the disk: a write may have met what cannot be read. */
static struct kns_error corruption(const struct queue *group)
{
    for (const struct kns_write *write = group->first; write != NULL; write = write->next)
        if (write->status == KNS_ECORRUPT)
            return write->err;
    return (struct kns_error){0};
}

static void wait_longer(struct kns_writer *writer)
{
    uint64_t twice = writer->retry_after_ms * 2;

    writer->retry_after_ms = writer->retry_after_ms == 0 ? RETRY_FIRST_MS
                             : twice > RETRY_MOST_MS     ? RETRY_MOST_MS
                                                         : twice;
    writer->retry_at_ms = now_ms() + writer->retry_after_ms;
}

/* Runs a group; *group is what is finished afterwards. Returns what the disk said. */
static struct kns_error run_group(struct kns_writer *writer, struct queue *group, bool last_try)
{
    struct kns_error err = {0};
    struct queue failed = {0};

    if (try_group(writer, group, &err) == KNS_OK) {
        writer->retry_after_ms = 0;
        writer->retry_at_ms = now_ms();
        return corruption(group);
    }
    fail_group(writer, group, &failed, &err, may_pass(err.status) && !last_try);
    *group = failed;
    if (writer->kept.count > 0)
        wait_longer(writer);
    return err;
}

/* The next group: what was kept, when its time has come, and what waits. While something is kept, what is to be kept joins it. */
static struct queue next_group(struct kns_writer *writer, bool last_try)
{
    struct queue group = {0};

    if (last_try || now_ms() >= writer->retry_at_ms)
        while (group.count < GROUP_MOST && writer->kept.count > 0)
            append(&group, take(&writer->kept));
    while (group.count < GROUP_MOST && writer->waiting.count > 0) {
        struct kns_write *write = take(&writer->waiting);
        append(writer->kept.count > 0 && write->keep ? &writer->kept : &group, write);
    }
    return group;
}

/* Sleeps until there is something to do: a write, the time of the next try, the end. */
static void wait_for_work(struct kns_writer *writer)
{
    while (writer->waiting.count == 0 && !writer->stopping) {
        uint64_t now = now_ms();
        if (writer->kept.count == 0)
            uv_cond_wait(&writer->wake, &writer->mutex);
        else if (now < writer->retry_at_ms)
            uv_cond_timedwait(&writer->wake, &writer->mutex, (writer->retry_at_ms - now) * 1000000);
        else
            return;
    }
}

static void thread_main(void *ctx)
{
    struct kns_writer *writer = ctx;

    uv_mutex_lock(&writer->mutex);
    for (;;) {
        wait_for_work(writer);
        bool last_try = writer->stopping;
        struct queue group = next_group(writer, last_try);
        if (group.count == 0 && last_try && writer->kept.count == 0)
            break;
        if (group.count == 0)
            continue;
        uv_mutex_unlock(&writer->mutex);
        struct kns_error disk = run_group(writer, &group, last_try);
        uv_mutex_lock(&writer->mutex);
        writer->disk = disk;
        for (struct kns_write *write = take(&group); write != NULL; write = take(&group))
            append(&writer->finished, write);
        uv_async_send(&writer->async);
    }
    uv_mutex_unlock(&writer->mutex);
}

/* ---- the loop thread ---------------------------------------------------------------------------------------------- */

/* The first failure of a kind is an error, its end an info: the same again says nothing. */
static void note_trouble(struct kns_writer *writer, const struct kns_error *disk)
{
    bool trouble = disk->status != KNS_OK;

    if (trouble && writer->trouble[0] == '\0')
        kns_log(KNS_LOG_ERROR, "cannot write to the database: %s%s", disk->message,
                may_pass(disk->status) ? "; polls are kept until it can be written" : "");
    else if (!trouble && writer->trouble[0] != '\0')
        kns_log(KNS_LOG_INFO, "the database can be written again");
    if (trouble)
        memcpy(writer->trouble, disk->message, sizeof(writer->trouble));
    else
        writer->trouble[0] = '\0';
}

static void finish_all(struct kns_writer *writer)
{
    uv_mutex_lock(&writer->mutex);
    struct queue finished = writer->finished;
    struct kns_error disk = writer->disk;
    writer->finished = (struct queue){0};
    uv_mutex_unlock(&writer->mutex);
    bool any = finished.count > 0;
    note_trouble(writer, &disk);
    for (struct kns_write *write = take(&finished); write != NULL; write = take(&finished)) {
        writer->unfinished--;
        writer->bytes -= write->bytes;
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
    writer->bytes += write->bytes;
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
    return writer->unfinished > QUEUE_BOUND || writer->bytes > BYTES_BOUND;
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
