/* websub.h - subscriptions at hubs (W3C WebSub): what is new comes by itself, and polls become a precaution.
 *
 * A feed whose document names a hub is subscribed to there, where [websub] callback_url is set. The hub asks whether we meant it
 * (kns_websub_confirm), sends what is new (kns_websub_deliver), and is asked again before its lease ends. What it sends goes through the
 * parser and the store as what is polled. All functions on the loop thread.
 */
#ifndef KNSD_WEBSUB_H
#define KNSD_WEBSUB_H

#include "daemon/hub.h"
#include "lib/error.h"
#include "lib/store.h"

#include <stdint.h>
#include <uv.h>

struct kns_config;
struct kns_delivery;
struct kns_fetcher;
struct kns_websub;
struct kns_writer;

/* What it works with; all outlive it. */
struct kns_websub_parts {
    uv_loop_t *loop;
    const struct kns_config *config;
    struct kns_fetcher *fetcher;
    struct kns_writer *writer;
    /* The next poll of a feed was moved in the store. */
    void (*feed_changed)(void *ctx, int64_t feed_id);
    void *ctx;
};

/* Reads what we have with hubs, while store is not yet the writer's. The caller owns the result. */
enum kns_status kns_websub_new(struct kns_store *store, struct kns_websub **ret_websub,
                               struct kns_error *err);

/* Begins to subscribe and to renew. */
enum kns_status kns_websub_start(struct kns_websub *websub, const struct kns_websub_parts *parts,
                                 struct kns_error *err);

/* A reload. When callback_url changed, what we had is dropped: have kns_websub_follow called for every feed. */
void kns_websub_set_config(struct kns_websub *websub, const struct kns_config *config);

/* Asks no hub any more. */
void kns_websub_stop(struct kns_websub *websub);

/* After the fetcher and the writer have stopped; NULL is allowed. */
void kns_websub_free(struct kns_websub *websub);

/* What a feed names as its hub and topic now; NULL: none, or it is not polled (paused, gone, removed). Subscribes, unsubscribes, or
 * does nothing where all is as it should be. Strings are copied. */
void kns_websub_follow(struct kns_websub *websub, int64_t feed_id, const char *feed_url,
                       const char *hub, const char *topic);

/* ---- callbacks ------------------------------------------------------------------------------------------------------- */

/* An answer to a hub; text is valid during the call. */
typedef void (*kns_websub_answer)(void *ctx, int http_status, const char *text);

/* A hub asks whether we meant it. Returns the HTTP status of a refusal, or 0: answer is called later, when what was confirmed is
 * durable; text then is what is to be sent back. */
int kns_websub_confirm(struct kns_websub *websub, const char *token,
                       const struct kns_hub_intent *intent, kns_websub_answer answer, void *ctx);

/* A hub begins to send. Of its header, each NULL when not given. */
struct kns_delivery_header {
    const char *content_type, *content_encoding, *content_length, *signature;
};

/* Returns the HTTP status of a refusal, or 0 and a delivery, which ends in kns_delivery_end or kns_delivery_drop. */
int kns_websub_deliver(struct kns_websub *websub, const char *token,
                       const struct kns_delivery_header *header,
                       struct kns_delivery **ret_delivery);

/* A piece of the body. */
void kns_delivery_add(struct kns_delivery *delivery, const char *bytes, size_t size);

/* The body is complete. Returns the HTTP status, or 0: answer is called when it is stored. The delivery is gone either way. */
int kns_delivery_end(struct kns_delivery *delivery, kns_websub_answer answer, void *ctx);

/* The hub went away in the middle. */
void kns_delivery_drop(struct kns_delivery *delivery);

/* ---- figures --------------------------------------------------------------------------------------------------------- */

enum kns_delivery_result {
    KNS_DELIVERY_STORED,
    KNS_DELIVERY_BAD_SIGNATURE,
    KNS_DELIVERY_NO_SIGNATURE,
    KNS_DELIVERY_WEAK_SIGNATURE,
    KNS_DELIVERY_TOO_LARGE,
    KNS_DELIVERY_NOT_A_FEED,
    KNS_DELIVERY_FAILED, /* cut, or not stored: the hub is to send it again */
    KNS_DELIVERY_RESULTS,
};

/* "stored", "bad-signature", …; static storage. */
const char *kns_delivery_result_name(enum kns_delivery_result result);

struct kns_websub_figures {
    int64_t subscriptions[KNS_WEBSUB_LEAVING + 1]; /* by state */
    int64_t deliveries[KNS_DELIVERY_RESULTS];      /* since the start */
    int64_t items_new;
};
void kns_websub_get_figures(const struct kns_websub *websub, struct kns_websub_figures *ret);

#endif
