/* hub.h - WebSub's decisions: which hub a feed names, what it is asked for, what is believed of it, and when it is asked again.
 * Deciding: no loop, no curl, no clock of its own. */
#ifndef KNSD_HUB_H
#define KNSD_HUB_H

#include "lib/arena.h"
#include "lib/document.h"
#include "lib/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define KNS_HUB_TOKEN_BYTES 24  /* of randomness in a callback's URL */
#define KNS_HUB_SECRET_BYTES 32 /* as hex 64: below the 200 bytes of WebSub 5.1 */
#define KNS_HUB_MAX_CHALLENGE 4096
#define KNS_HUB_MAX_URL 2000                        /* of a hub, a topic */
#define KNS_HUB_ASKED_LEASE_S (INT64_C(10) * 86400) /* what a hub is asked for */
#define KNS_HUB_MAX_LEASE_S (INT64_C(30) * 86400)   /* no longer one is believed */
#define KNS_HUB_MAX_RETRY_S (INT64_C(12) * 3600)

/* A feed's hub and topic; both NULL: it has none that can be used. */
struct kns_hub_names {
    const char *hub, *topic;
};

/* What a whole answer names: the Link header's values (NULL: none) go before the document's. url is where it came from, feed_url the
 * subscribed one; the topic without a rel=self is url. Strings in arena. */
struct kns_hub_names kns_hub_find(struct kns_arena *arena, const char *link, const char *url,
                                  const char *feed_url, const struct kns_document *document);

/* True where a secret that is sent to this hub stays one: over TLS, or on this machine. */
bool kns_hub_keeps_secrets(const char *hub);

/* The body that asks a hub: mode "subscribe" or "unsubscribe"; secret may be NULL. In arena; NULL: no memory. */
const char *kns_hub_form(struct kns_arena *arena, const char *mode, const char *topic,
                         const char *callback, const char *secret);

/* What a hub asks at a callback. Strings as they came, NULL: not given. */
struct kns_hub_intent {
    const char *mode, *topic, *challenge, *lease_seconds, *reason;
};

enum kns_hub_verdict {
    KNS_HUB_REFUSED, /* nothing of ours */
    KNS_HUB_SUBSCRIBED,
    KNS_HUB_UNSUBSCRIBED,
    KNS_HUB_DENIED,
};

/* Only what we asked for and still await is confirmed; a hub may deny what it was asked for or had granted. */
enum kns_hub_verdict kns_hub_judge(const struct kns_hub_intent *intent, const char *topic,
                                   enum kns_websub_state state, enum kns_websub_awaits awaits);

/* The lease that hub.lease_seconds grants, within bounds; ours where it says nothing that makes sense. */
int64_t kns_hub_lease_s(const char *lease_seconds);

/* When a lease is renewed: after two thirds of it, a little sooner at random, so that subscriptions do not come in herds. */
int64_t kns_hub_renew_after_s(int64_t lease_s, double random);

/* The wait after so many failures in a row (from 1): first_s, doubled with each, up to half a day, and a quarter more at random. */
int64_t kns_hub_retry_s(int64_t failures, int64_t first_s, double random);

/* Where callbacks are listened for by TCP: `listen` ("ADDRESS:PORT"), else, where callback_url is plain http on this machine, its address and
 * port. False: nowhere. */
bool kns_hub_listen_address(const char *listen, const char *callback_url,
                            struct sockaddr_storage *ret, socklen_t *ret_size);

/* "ADDRESS:PORT", "[ADDRESS]:PORT". False: it is none. */
bool kns_hub_read_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size);

/* What stands before "/websub/" in the path of callback_url: "" or "/below". In arena; NULL: no memory. */
const char *kns_hub_path_prefix(struct kns_arena *arena, const char *callback_url);

#endif
