/* Changes of what is stored about hubs: made on the loop, run by the writer, told on the loop again. */
#include "daemon/websub_internal.h"

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/nextpoll.h"
#include "lib/arena.h"

#include <stddef.h>
#include <stdlib.h>

static enum kns_status move_feed(struct kns_sub_change *c, struct kns_store *store,
                                 const struct kns_feed *feed, struct kns_error *err)
{
    struct kns_schedule schedule = feed->schedule;
    struct kns_nextpoll next;
    bool alive = c->record.state == KNS_WEBSUB_ALIVE && !c->remove;

    if (c->move != FEED_LEASE && kns_nextpoll_again(feed, &c->input, &next)) {
        schedule.next_poll_at = next.at;
        schedule.interval_s = next.interval_s;
        schedule.next_poll_reason = next.reason;
    }
    return kns_store_reschedule(store, feed->id, &schedule,
                                alive ? c->record.lease_until : (struct kns_time){0}, err);
}

static enum kns_status run_change(struct kns_write *write, struct kns_store *store,
                                  struct kns_error *err)
{
    struct kns_sub_change *c =
        (struct kns_sub_change *)((char *)write - offsetof(struct kns_sub_change, write));
    struct kns_feed *feed = NULL;
    enum kns_status status = c->remove ? kns_store_remove_websub(store, c->record.token, err)
                                       : kns_store_put_websub(store, &c->record, err);

    if (status != KNS_OK || (c->move == FEED_STAYS && !c->want_access))
        return status;
    status = kns_store_get_feed(store, c->arena, c->record.feed_id, c->want_access, &feed, err);
    if (status == KNS_ENOTFOUND) /* removed: nothing of it is to be moved */
        return KNS_OK;
    c->feed = feed;
    return status == KNS_OK && c->move != FEED_STAYS ? move_feed(c, store, feed, err) : status;
}

void kns_sub_free_change(struct kns_sub_change *c)
{
    kns_arena_free(c->arena);
    free(c);
}

static void change_written(struct kns_write *write)
{
    struct kns_sub_change *c =
        (struct kns_sub_change *)((char *)write - offsetof(struct kns_sub_change, write));
    struct sub *sub = c->sub;
    struct kns_websub *websub = sub->websub;
    int64_t feed_id = c->record.feed_id;
    bool moved = write->status == KNS_OK && (c->move == FEED_PUSHED || c->move == FEED_POLLED);

    if (write->status != KNS_OK)
        kns_log(KNS_LOG_ERROR, "websub: feed %lld: not stored: %s", (long long)feed_id,
                write->err.message);
    if (c->then != NULL)
        c->then(c);
    kns_sub_free_change(c);
    kns_sub_unref(sub);
    if (moved && !websub->stopping)
        websub->parts.feed_changed(websub->parts.ctx, feed_id);
}

/* The subscription as it is now, to be stored; NULL: no memory. */
struct kns_sub_change *kns_sub_new_change(struct sub *sub, enum kns_feed_move move)
{
    const struct kns_config *config = sub->websub->parts.config;
    struct kns_sub_change *c = calloc(1, sizeof(*c));

    if (c == NULL || (c->arena = kns_arena_new(0)) == NULL) {
        free(c);
        kns_log(KNS_LOG_ERROR, "websub: out of memory");
        return NULL;
    }
    c->sub = sub;
    c->move = move;
    c->record = (struct kns_websub_record){
        .token = kns_arena_strdup(c->arena, sub->token),
        .feed_id = sub->feed_id,
        .feed_url = kns_arena_strdup(c->arena, sub->feed_url),
        .hub = kns_arena_strdup(c->arena, sub->hub),
        .topic = kns_arena_strdup(c->arena, sub->topic),
        .callback = kns_arena_strdup(c->arena, sub->callback),
        .secret = kns_arena_strdup(c->arena, sub->secret),
        .state = sub->state,
        .awaits = sub->awaits,
        .lease_until = sub->state == KNS_WEBSUB_ALIVE ? kns_websub_calendar(sub->lease_ms)
                                                      : (struct kns_time){0},
        .next_at = kns_websub_calendar(sub->ask_ms),
        .failures = sub->failures,
        .error = kns_arena_strdup(c->arena, sub->error),
    };
    c->input = (struct kns_nextpoll_input){
        .now = kns_time_now(),
        .interval_s = config->poll.interval_s,
        .min_interval_s = config->poll.min_interval_s,
        .max_interval_s = config->poll.max_interval_s,
        .pushed = move == FEED_PUSHED,
        .random = kns_websub_chance(),
    };
    c->write.run = run_change;
    c->write.done = change_written;
    return c;
}

void kns_sub_submit(struct kns_sub_change *c)
{
    kns_sub_ref(c->sub);
    kns_writer_submit(c->sub->websub->parts.writer, &c->write);
}

void kns_sub_save(struct sub *sub, enum kns_feed_move move)
{
    struct kns_sub_change *c = kns_sub_new_change(sub, move);

    if (c != NULL)
        kns_sub_submit(c);
}

/* Forgotten here and in the store. */
void kns_sub_forget(struct sub *sub, enum kns_feed_move move)
{
    struct kns_sub_change *c = kns_sub_new_change(sub, move);

    if (c != NULL) {
        c->remove = true;
        kns_sub_submit(c);
    }
    kns_sub_drop(sub);
}
