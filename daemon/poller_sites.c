/* What a feed's answer teaches of its site, and sites as they are stored. */
#include "daemon/poller_internal.h"

#include "daemon/netguard.h"
#include "daemon/writer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sites as they are to be stored. Names live as long as the poller, reasons are copies. */
#define SAVED_AT_ONCE 64
struct saving {
    struct kns_write write;
    size_t count;
    struct kns_site sites[SAVED_AT_ONCE];
    char reasons[SAVED_AT_ONCE][sizeof(((struct kns_site_limit *)NULL)->reason)];
};

static enum kns_status write_sites(struct kns_write *write, struct kns_store *store,
                                   struct kns_error *err)
{
    struct saving *saving = (struct saving *)((char *)write - offsetof(struct saving, write));
    enum kns_status status = KNS_OK;

    for (size_t i = 0; status == KNS_OK && i < saving->count; i++)
        status = kns_store_put_site(store, &saving->sites[i], err);
    return status;
}

static void sites_written(struct kns_write *write)
{
    free((char *)write - offsetof(struct saving, write));
}

void kns_poller_save_sites(struct kns_poller *poller)
{
    struct kns_site site;
    struct saving *saving = NULL;
    size_t at = 0;

    while (kns_sites_next_changed(poller->sites, &at, &site)) {
        if (saving == NULL && (saving = calloc(1, sizeof(*saving))) == NULL)
            return;
        if (site.reason != NULL) {
            snprintf(saving->reasons[saving->count], sizeof(saving->reasons[0]), "%s", site.reason);
            site.reason = saving->reasons[saving->count];
        }
        saving->sites[saving->count++] = site;
        saving->write.run = write_sites;
        saving->write.done = sites_written;
        saving->write.keep = true;
        if (saving->count == SAVED_AT_ONCE) {
            kns_writer_submit(poller->parts.writer, &saving->write);
            saving = NULL;
        }
    }
    if (saving != NULL)
        kns_writer_submit(poller->parts.writer, &saving->write);
}

/* An address of a private network tells its servers apart by port: see kns_sites_of_url. "address" is "ADDRESS:PORT". */
static struct kns_site_limit *site_of_address(struct kns_poller *poller, const char *address)
{
    const char *colon = address == NULL ? NULL : strrchr(address, ':');
    char name[80];

    if (colon == NULL)
        return NULL;
    snprintf(name, sizeof(name), "%.*s", (int)(colon - address), address);
    return kns_sites_get(poller->sites, kns_netguard_is_private_text(name) ? address : name);
}

void kns_poller_learnt(struct kns_poller *poller, struct feed *feed, const char *url,
                       const char *address, enum kns_outcome outcome, int http_status,
                       int64_t retry_at_ms)
{
    struct queue *queue = kns_poller_queue_of(poller, url);
    int64_t now = kns_poller_now_ms();

    if (queue == NULL)
        return;
    if (feed != NULL && queue == feed->queue && address != NULL) {
        struct kns_site_limit *reached = site_of_address(poller, address);
        queue->address = reached == queue->site ? NULL : reached;
    }
    if (kns_site_learn(queue->site, outcome, http_status, retry_at_ms, now)) {
        kns_poller_save_sites(poller);
        kns_poller_schedule_turn(poller, queue, now);
    }
}
