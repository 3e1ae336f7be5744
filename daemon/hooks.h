/* hooks.h - programs that are run for what happens: [hooks] on_item, for each new item.
 *
 * A hook follows the events from a cursor that is kept in the database, so that no item is missed over restarts; after a crash
 * the last ones may come a second time. The item goes to the program's standard input as one line of JSON. What ends with
 * anything but 0, or takes too long, is tried again, later each time. Nothing here waits for a program: polls, writes and
 * queries go on. All functions on the loop thread.
 */
#ifndef KNSD_HOOKS_H
#define KNSD_HOOKS_H

#include "lib/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct kns_config;
struct kns_hooks;
struct kns_readers;
struct kns_writer;

/* What the hooks work with; all outlive them. */
struct kns_hooks_parts {
    uv_loop_t *loop;
    const struct kns_config *config;
    struct kns_readers *readers;
    struct kns_writer *writer;
    int64_t first_event; /* the last event before this start: where a hook that never ran begins */
};

/* Begins behind the last event whose hook has ended; where there was no hook, with what happens from now on. The caller
 * owns the hooks. */
enum kns_status kns_hooks_start(const struct kns_hooks_parts *parts, struct kns_hooks **ret_hooks,
                                struct kns_error *err);

/* Another configuration is in force: what runs goes on, what follows runs as it says. */
void kns_hooks_set_config(struct kns_hooks *hooks, const struct kns_config *config);

/* Something was committed. */
void kns_hooks_ready(struct kns_hooks *hooks);

/* Starts no program any more. Those that run have a second to end, and one more after SIGTERM, before SIGKILL; the items of those that
 * had to be ended come again after the next start. Done when kns_hooks_busy is false. */
void kns_hooks_stop(struct kns_hooks *hooks);
bool kns_hooks_busy(const struct kns_hooks *hooks);

/* After the writer has stopped and all handles are closed. NULL is allowed. */
void kns_hooks_free(struct kns_hooks *hooks);

#endif
