#include "daemon/readers.h"

#include <stdlib.h>
#include <string.h>

/* As many as libuv's pool has threads, so that a read never waits for a connection while a thread is free. */
#define CONNECTIONS 4

struct kns_readers {
    uv_loop_t *loop;
    char *path;
    uv_mutex_t mutex; /* guards idle */
    struct kns_store *idle[CONNECTIONS];
    size_t n_idle;
    size_t under_way; /* loop thread */
};

static struct kns_store *borrow(struct kns_readers *readers, struct kns_error *err,
                                enum kns_status *ret_status)
{
    struct kns_store *store = NULL;

    uv_mutex_lock(&readers->mutex);
    if (readers->n_idle > 0)
        store = readers->idle[--readers->n_idle];
    uv_mutex_unlock(&readers->mutex);
    *ret_status = KNS_OK;
    if (store == NULL)
        *ret_status =
            kns_store_open(readers->path, KNS_STORE_READER, KNS_STORE_SYNC_FULL, &store, err);
    return store;
}

static void give_back(struct kns_readers *readers, struct kns_store *store)
{
    uv_mutex_lock(&readers->mutex);
    bool full = readers->n_idle == CONNECTIONS;
    if (!full)
        readers->idle[readers->n_idle++] = store;
    uv_mutex_unlock(&readers->mutex);
    if (full)
        kns_store_close(store);
}

/* On a pool thread. */
static void on_work(uv_work_t *work)
{
    struct kns_read *read = work->data;
    struct kns_store *store = borrow(read->readers, &read->err, &read->status);

    if (store == NULL)
        return;
    read->status = read->run(read, store, &read->err);
    give_back(read->readers, store);
}

static void on_done(uv_work_t *work, int status)
{
    struct kns_read *read = work->data;

    (void)status;
    read->readers->under_way--;
    read->done(read);
}

void kns_readers_submit(struct kns_readers *readers, struct kns_read *read)
{
    read->readers = readers;
    read->work.data = read;
    readers->under_way++;
    uv_queue_work(readers->loop, &read->work, on_work, on_done);
}

enum kns_status kns_readers_start(uv_loop_t *loop, const char *path,
                                  struct kns_readers **ret_readers, struct kns_error *err)
{
    struct kns_readers *readers = calloc(1, sizeof(*readers));

    if (readers == NULL || (readers->path = strdup(path)) == NULL) {
        free(readers);
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    }
    readers->loop = loop;
    uv_mutex_init(&readers->mutex);
    *ret_readers = readers;
    return KNS_OK;
}

bool kns_readers_busy(const struct kns_readers *readers)
{
    return readers->under_way > 0;
}

void kns_readers_stop(struct kns_readers *readers)
{
    if (readers == NULL)
        return;
    for (size_t i = 0; i < readers->n_idle; i++)
        kns_store_close(readers->idle[i]);
    uv_mutex_destroy(&readers->mutex);
    free(readers->path);
    free(readers);
}
