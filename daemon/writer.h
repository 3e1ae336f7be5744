/* writer.h - the writer thread: the only one that changes the store.
 *
 * A write is submitted on the loop thread, runs on the writer thread inside a group of others that
 * commit together, and is done on the loop thread once it is durable (or failed). The queue is
 * bounded, in writes and in the bytes that they hold: while kns_writer_is_behind() the poller starts no transfer.
 *
 * When the disk is full, read-only or failing, or another process holds the database, a write that says keep is kept and tried
 * again, every half a second at first, then up to every half a minute, until it is stored or the writer stops; the others
 * fail at once, so that whoever waits is told. What was kept stays in its order, and the first write that goes through
 * ends the waiting.
 */
#ifndef KNSD_WRITER_H
#define KNSD_WRITER_H

#include "lib/error.h"
#include "lib/store.h"

#include <stdbool.h>
#include <uv.h>

struct kns_writer;

/* One write. Embedded in what it is for; owned by the submitter, who may free it in done. */
struct kns_write {
    /* On the writer thread, inside the group's transaction: calls store functions, nothing else. */
    enum kns_status (*run)(struct kns_write *write, struct kns_store *store, struct kns_error *err);
    bool
        keep; /* run again after a disk's trouble, as if it had never run; its client need not be told */
    size_t bytes; /* of memory that it holds until it is done; 0: not worth counting */
    /* On the loop thread, after the commit; write->status and write->err say how it went. */
    void (*done)(struct kns_write *write);
    enum kns_status status;
    struct kns_error err;
    struct kns_write *next; /* the writer's */
};

/* Starts the thread, which takes over store. groups_done, if not NULL, is called on the loop thread after each group
 * that committed. The caller owns the writer. */
enum kns_status kns_writer_start(uv_loop_t *loop, struct kns_store *store,
                                 void (*group_done)(void *ctx), void *ctx,
                                 struct kns_writer **ret_writer, struct kns_error *err);

/* Writes what is queued, ends the thread, closes the store; done writes are called back before it returns. Loop thread. The writer is
 * freed once its handle is closed: run the loop once more. */
void kns_writer_stop(struct kns_writer *writer);

/* How many writes wait; and the disk's trouble as of the last group ("" when there was none): for status. */
size_t kns_writer_queued(struct kns_writer *writer);
const char *kns_writer_trouble(const struct kns_writer *writer);

/* Queues a write; never fails and never completes inside the call. Loop thread. */
void kns_writer_submit(struct kns_writer *writer, struct kns_write *write);

/* True while the queue is over one of its bounds. */
bool kns_writer_is_behind(const struct kns_writer *writer);

#endif
