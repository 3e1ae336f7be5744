/* readers.h - query workers: libuv's pool, each run with a read-only connection of its own.
 *
 * A read is submitted on the loop thread, runs on a pool thread, and is done on the loop thread.
 */
#ifndef KNSD_READERS_H
#define KNSD_READERS_H

#include "lib/error.h"
#include "lib/store.h"

#include <stdbool.h>
#include <uv.h>

struct kns_readers;

struct kns_read {
    enum kns_status (*run)(struct kns_read *read, struct kns_store *store, struct kns_error *err);
    void (*done)(struct kns_read *read);
    enum kns_status status;
    struct kns_error err;
    struct kns_readers *readers; /* the pool's, as the next two */
    uv_work_t work;
};

/* Prepares connections to the database at path; each is opened when it is first needed. The caller owns the readers. */
enum kns_status kns_readers_start(uv_loop_t *loop, const char *path,
                                  struct kns_readers **ret_readers, struct kns_error *err);

/* True while reads are under way: kns_readers_stop must wait for them. */
bool kns_readers_busy(const struct kns_readers *readers);

/* Closes the connections and frees the readers. None may be under way. */
void kns_readers_stop(struct kns_readers *readers);

/* Queues a read; never completes inside the call. Loop thread. */
void kns_readers_submit(struct kns_readers *readers, struct kns_read *read);

#endif
