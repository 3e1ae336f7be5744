/* The schedule from the store: read by a query worker, taken over on the loop. All of it at the start and after an import, one feed after a
 * change of it. */
#include "daemon/poller_internal.h"

#include "daemon/log.h"
#include "daemon/readers.h"
#include "daemon/websub.h"
#include "lib/arena.h"

#include <stddef.h>
#include <stdlib.h>

/* Nothing is stored for later than this: the longest Retry-After that is heeded. */
#define LATEST_S ((int64_t)31 * 86400)

/* A reading of one feed's schedule (id set) or of all of them, with what is known of the sites. */
struct loading {
    struct kns_poller *poller;
    struct kns_read read;
    int64_t id;
    bool with_sites;
    struct kns_arena *arena; /* of the names */
    struct loaded {
        int64_t id, next_poll_at_s, last_poll_at_s;
        const char *site;              /* NULL: none */
        const char *url, *hub, *topic; /* where a hub is named */
        bool polled;
    } * feeds;
    size_t count, cap;
    struct kns_site *sites;
    size_t n_sites, cap_sites;
};

/* Room for one more of size bytes; false: no memory. */
static bool make_room(void **array, size_t count, size_t *cap, size_t size)
{
    size_t more = *cap == 0 ? 64 : *cap * 2;

    if (count < *cap)
        return true;
    void *grown = realloc(*array, more * size);
    if (grown == NULL)
        return false;
    *array = grown;
    *cap = more;
    return true;
}

static bool on_loaded_feed(void *ctx, const struct kns_feed *feed)
{
    struct loading *l = ctx;

    /* A hundred thousand feeds take longer than a stop may. */
    if (atomic_load(&l->poller->given_up))
        return false;
    if (!make_room((void **)&l->feeds, l->count, &l->cap, sizeof(*l->feeds)))
        return false;
    l->feeds[l->count++] = (struct loaded){
        .id = feed->id,
        .next_poll_at_s = feed->schedule.next_poll_at.unix_s,
        .last_poll_at_s = feed->last_poll_at.unix_s,
        .site = kns_sites_name(l->arena, feed->url),
        .url = feed->hub == NULL ? NULL : kns_arena_strdup(l->arena, feed->url),
        .hub = kns_arena_strdup(l->arena, feed->hub),
        .topic = kns_arena_strdup(l->arena, feed->topic),
        .polled = feed->state == KNS_FEED_ACTIVE || feed->state == KNS_FEED_FAILING,
    };
    return true;
}

static bool on_loaded_site(void *ctx, const struct kns_site *site)
{
    struct loading *l = ctx;

    if (!make_room((void **)&l->sites, l->n_sites, &l->cap_sites, sizeof(*l->sites)))
        return false;
    l->sites[l->n_sites] = *site;
    l->sites[l->n_sites].name = kns_arena_strdup(l->arena, site->name);
    l->sites[l->n_sites].reason = kns_arena_strdup(l->arena, site->reason);
    l->n_sites += l->sites[l->n_sites].name != NULL;
    return true;
}

static enum kns_status load_schedule(struct kns_read *read, struct kns_store *store,
                                     struct kns_error *err)
{
    struct loading *l = (struct loading *)((char *)read - offsetof(struct loading, read));
    struct kns_feed *feed = NULL;
    enum kns_status status;

    if (l->id != 0) {
        status = kns_store_get_feed(store, l->arena, l->id, false, &feed, err);
        if (status == KNS_OK)
            on_loaded_feed(l, feed);
        return status;
    }
    status = l->with_sites ? kns_store_each_site(store, on_loaded_site, l, err) : KNS_OK;
    return status == KNS_OK ? kns_store_each_feed(store, NULL, on_loaded_feed, l, err) : status;
}

/* When a stored feed comes: a time that was decided under a wrong clock does not bind. */
static int64_t first_time(struct kns_poller *poller, const struct loaded *loaded, size_t total,
                          int64_t now)
{
    int64_t at = loaded->next_poll_at_s * 1000;
    bool wrong_clock =
        loaded->last_poll_at_s * 1000 > now + CLOCK_STEP_MS || at > now + LATEST_S * 1000;

    return at < now || wrong_clock ? now + kns_poller_spread_ms(poller, total) : at;
}

static void schedule_loaded(struct kns_poller *poller, const struct loaded *loaded, size_t total)
{
    struct feed *feed = kns_poller_find_feed(poller, loaded->id);

    if (feed == NULL)
        feed = kns_poller_add_feed(poller, loaded->id);
    if (feed == NULL)
        return;
    feed->listed = true;
    kns_websub_follow(poller->parts.websub, loaded->id, loaded->url,
                      loaded->polled && loaded->url != NULL ? loaded->hub : NULL, loaded->topic);
    kns_poller_set_queue(
        poller, feed, loaded->site == NULL ? NULL : kns_poller_queue_named(poller, loaded->site));
    if (feed->manual && feed->poll == NULL && !feed->waiting && feed->due.place == 0)
        kns_scheduler_set(&poller->scheduler, &feed->due, kns_poller_now_ms());
    if (feed->poll != NULL || feed->manual)
        return; /* it is on its way */
    kns_poller_dequeue(poller, feed);
    if (loaded->polled)
        kns_scheduler_set(&poller->scheduler, &feed->due,
                          first_time(poller, loaded, total, kns_poller_now_ms()));
    else
        kns_scheduler_remove(&poller->scheduler, &feed->due);
}

/* What the list of all feeds does not hold was removed, or was added since it was read: each is asked for by itself. */
static void look_for_unlisted(struct kns_poller *poller)
{
    for (size_t i = 0; i < poller->n_feeds; i++) {
        if (!poller->feeds[i]->listed)
            kns_poller_feed_changed(poller, poller->feeds[i]->id);
        poller->feeds[i]->listed = false;
    }
}

static void free_loading(struct loading *l)
{
    kns_arena_free(l->arena);
    free(l->sites);
    free(l->feeds);
    free(l);
}

static void schedule_read(struct kns_read *read)
{
    struct loading *l = (struct loading *)((char *)read - offsetof(struct loading, read));
    struct kns_poller *poller = l->poller;
    struct feed *feed = l->id == 0 ? NULL : kns_poller_find_feed(poller, l->id);

    if (read->status == KNS_ENOTFOUND && feed != NULL)
        kns_poller_forget_feed(poller, feed);
    else if (read->status == KNS_ENOTFOUND)
        kns_websub_follow(poller->parts.websub, l->id, NULL, NULL, NULL);
    else if (read->status != KNS_OK)
        kns_log(KNS_LOG_ERROR, "cannot read the schedule: %s", read->err.message);
    for (size_t i = 0; i < l->n_sites && !poller->knows_sites; i++)
        kns_sites_restore(poller->sites, &l->sites[i], kns_poller_now_ms());
    for (size_t i = 0; i < l->count; i++)
        schedule_loaded(poller, &l->feeds[i], l->count);
    poller->began = poller->began || l->id == 0;
    if (l->id == 0 && read->status == KNS_OK) {
        poller->knows_sites = true;
        look_for_unlisted(poller);
    }
    free_loading(l);
    kns_poller_run_due(poller);
}

void kns_poller_read_schedule(struct kns_poller *poller, int64_t id)
{
    struct loading *l = poller->stopping ? NULL : calloc(1, sizeof(*l));

    if (l == NULL || (l->arena = kns_arena_new(0)) == NULL) {
        poller->began = true;
        free(l);
        return;
    }
    l->poller = poller;
    l->id = id;
    l->with_sites = id == 0 && !poller->knows_sites;
    l->read.run = load_schedule;
    l->read.done = schedule_read;
    kns_readers_submit(poller->parts.readers, &l->read);
}

void kns_poller_feed_changed(struct kns_poller *poller, int64_t feed_id)
{
    kns_poller_read_schedule(poller, feed_id);
}

void kns_poller_feeds_changed(struct kns_poller *poller)
{
    kns_poller_read_schedule(poller, 0);
}
