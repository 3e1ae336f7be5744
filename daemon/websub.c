/* What we have with hubs. The happy path of a subscription: the feed's document names a hub (follow) --> its token and secret are written
 * --> the hub is asked (POST) --> it asks back (confirm) --> the lease is written --> the hub is answered --> before the lease ends, all of
 * it again. What a hub could ask about is durable before it is asked, what it is answered is durable before it is answered.
 * A hub that fails, or does not ask back, is asked again, ever later; when the lease ends meanwhile, the feed is polled as any other. */
#include "daemon/websub_internal.h"

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/signature.h"
#include "lib/arena.h"
#include "lib/text.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* New ones are asked for so long after each other: a thousand feeds of one hub are no storm. */
#define SPACING_MS 200

/* ---- wanting and leaving -------------------------------------------------------------------------------------------- */

static void begin(struct kns_websub *websub, int64_t feed_id, const char *feed_url, const char *hub,
                  const char *topic)
{
    char token[2 * KNS_HUB_TOKEN_BYTES + 1], secret[2 * KNS_HUB_SECRET_BYTES + 1];
    struct sub *sub = calloc(1, sizeof(*sub));
    int64_t now = kns_websub_now_ms();

    if (sub == NULL || !kns_random_hex(token, KNS_HUB_TOKEN_BYTES) ||
        !kns_random_hex(secret, KNS_HUB_SECRET_BYTES)) {
        free(sub);
        return;
    }
    sub->feed_id = feed_id;
    sub->feed_url = kns_sub_copy(feed_url);
    sub->hub = kns_sub_copy(hub);
    sub->topic = kns_sub_copy(topic);
    sub->token = kns_sub_copy(token);
    sub->secret = kns_hub_keeps_secrets(hub) ? kns_sub_copy(secret) : NULL;
    sub->callback = kns_sub_copy(websub->callback);
    if (kns_hub_keeps_secrets(hub) && sub->secret == NULL) {
        kns_sub_free(sub);
        return;
    }
    sub->ask_ms = websub->next_first_ms > now ? websub->next_first_ms : now;
    websub->next_first_ms = sub->ask_ms + SPACING_MS;
    if (kns_sub_add(websub, sub))
        kns_sub_schedule(sub);
}

/* Not wanted any more: a hub that pushes is told so, the others need not be. */
static void leave(struct sub *sub)
{
    bool alive = sub->state == KNS_WEBSUB_ALIVE;

    if (!alive) {
        kns_sub_forget(sub, FEED_STAYS);
        return;
    }
    kns_sub_not_current(sub);
    sub->state = KNS_WEBSUB_LEAVING;
    sub->awaits = KNS_WEBSUB_NOTHING;
    sub->taken = false;
    sub->failures = 0;
    sub->ask_ms = kns_websub_now_ms();
    kns_sub_schedule(sub);
    kns_sub_save(sub, FEED_POLLED);
}

void kns_websub_follow(struct kns_websub *websub, int64_t feed_id, const char *feed_url,
                       const char *hub, const char *topic)
{
    struct sub *sub = kns_websub_current(websub, feed_id);
    bool wanted = websub->callback != NULL && hub != NULL && topic != NULL;

    if (websub->stopping || !websub->started)
        return;
    if (sub != NULL && (!wanted || strcmp(sub->hub, hub) != 0 || strcmp(sub->topic, topic) != 0)) {
        leave(sub);
        sub = NULL;
    }
    if (sub == NULL && wanted)
        begin(websub, feed_id, feed_url, hub, topic);
    kns_websub_run_due(websub);
}

/* ---- being asked ------------------------------------------------------------------------------------------------------ */

static void tell_hub(struct kns_sub_change *c)
{
    bool good = c->write.status == KNS_OK;

    c->answer(c->answer_ctx, good ? 200 : 503, good ? c->text : "");
}

/* Of what could not be stored nothing was confirmed. */
static void subscription_stored(struct kns_sub_change *c)
{
    struct sub *sub = c->sub;
    char until[KNS_TIME_TEXT];

    if (c->write.status != KNS_OK && !sub->dropped && sub->state == KNS_WEBSUB_ALIVE) {
        sub->state = KNS_WEBSUB_WANTED;
        sub->ask_ms = kns_websub_now_ms() + kns_sub_retry_ms(sub, 1);
        kns_sub_schedule(sub);
    } else if (c->write.status == KNS_OK) {
        kns_log(c->move == FEED_LEASE ? KNS_LOG_DEBUG : KNS_LOG_INFO,
                "websub: feed %lld: hub %s pushes it until %s", (long long)sub->feed_id, sub->hub,
                kns_time_format(c->record.lease_until, until));
    }
    tell_hub(c);
}

static void take_lease(struct sub *sub, int64_t lease_s)
{
    int64_t now = kns_websub_now_ms();

    sub->state = KNS_WEBSUB_ALIVE;
    sub->awaits = KNS_WEBSUB_NOTHING;
    sub->taken = false;
    sub->failures = 0;
    kns_sub_set_error(sub, NULL);
    sub->lease_ms = now + lease_s * 1000;
    sub->ask_ms = now + kns_hub_renew_after_s(lease_s, kns_websub_chance()) * 1000;
    kns_sub_schedule(sub);
}

static void take_denial(struct sub *sub, const char *reason)
{
    char text[200];
    struct kns_arena *arena = kns_arena_new(0);
    const char *clean = arena == NULL || reason == NULL
                            ? NULL
                            : kns_text_to_utf8(arena, reason, strnlen(reason, 150));

    snprintf(text, sizeof(text), "it denied the subscription%s%s", clean == NULL ? "" : ": ",
             clean == NULL ? "" : clean);
    kns_arena_free(arena);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    kns_log(KNS_LOG_WARNING, "websub: feed %lld: hub %s: %s", (long long)sub->feed_id, sub->hub,
            text);
    kns_sub_set_error(sub, text);
    sub->state = KNS_WEBSUB_DENIED;
    sub->awaits = KNS_WEBSUB_NOTHING;
    sub->taken = false;
    kns_sub_schedule(sub);
}

int kns_websub_confirm(struct kns_websub *websub, const char *token,
                       const struct kns_hub_intent *intent, kns_websub_answer answer, void *ctx)
{
    struct sub *sub = kns_websub_find(websub, token);
    enum kns_hub_verdict verdict =
        sub == NULL ? KNS_HUB_REFUSED : kns_hub_judge(intent, sub->topic, sub->state, sub->awaits);

    if (verdict == KNS_HUB_REFUSED || websub->stopping)
        return verdict == KNS_HUB_REFUSED ? 404 : 503;
    bool was_alive = sub->state == KNS_WEBSUB_ALIVE;
    enum kns_feed_move move = FEED_STAYS;
    if (verdict == KNS_HUB_SUBSCRIBED) {
        take_lease(sub, kns_hub_lease_s(intent->lease_seconds));
        move = was_alive ? FEED_LEASE : FEED_PUSHED;
    } else if (verdict == KNS_HUB_DENIED) {
        take_denial(sub, intent->reason);
        move = was_alive ? FEED_POLLED : FEED_STAYS;
    }
    struct kns_sub_change *c = kns_sub_new_change(sub, move);
    if (c == NULL)
        return 503;
    c->then = verdict == KNS_HUB_SUBSCRIBED ? subscription_stored : tell_hub;
    c->remove = verdict == KNS_HUB_UNSUBSCRIBED;
    c->answer = answer;
    c->answer_ctx = ctx;
    c->text = verdict == KNS_HUB_DENIED ? "" : kns_arena_strdup(c->arena, intent->challenge);
    kns_sub_submit(c);
    if (verdict == KNS_HUB_UNSUBSCRIBED)
        kns_sub_drop(sub);
    kns_websub_run_due(websub);
    return 0;
}

/* ---- its life --------------------------------------------------------------------------------------------------------- */

struct reading {
    struct kns_websub *websub;
    struct kns_store *store;
    bool complete;
};

static bool on_stored(void *ctx, const struct kns_websub_record *record)
{
    struct reading *r = ctx;
    struct sub *sub = calloc(1, sizeof(*sub));
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed *feed = NULL;

    r->complete = false;
    if (sub == NULL || arena == NULL) {
        free(sub);
        kns_arena_free(arena);
        return false;
    }
    sub->feed_id = record->feed_id;
    sub->feed_url = kns_sub_copy(record->feed_url);
    sub->hub = kns_sub_copy(record->hub);
    sub->topic = kns_sub_copy(record->topic);
    sub->token = kns_sub_copy(record->token);
    sub->callback = kns_sub_copy(record->callback);
    sub->secret = kns_sub_copy(record->secret);
    sub->error = kns_sub_copy(record->error);
    sub->state = record->state;
    sub->awaits = record->awaits;
    sub->lease_ms = kns_websub_from_calendar(record->lease_until);
    sub->ask_ms = kns_websub_from_calendar(record->next_at);
    sub->failures = record->failures;
    if (kns_store_get_feed(r->store, arena, record->feed_id, true, &feed, NULL) == KNS_OK)
        kns_sub_keep_access(sub, &feed->access);
    sub->orphan = feed == NULL;
    kns_arena_free(arena);
    r->complete = kns_sub_add(r->websub, sub);
    return r->complete;
}

enum kns_status kns_websub_new(struct kns_store *store, struct kns_websub **ret_websub,
                               struct kns_error *err)
{
    struct kns_websub *websub = calloc(1, sizeof(*websub));
    struct reading r = {.websub = websub, .store = store, .complete = true};

    if (websub == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_store_each_websub(store, on_stored, &r, err);
    if (status == KNS_OK && !r.complete)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        *ret_websub = websub;
    else
        kns_websub_free(websub);
    return status;
}

/* "URL/websub/", or NULL where it is off. False: no memory. */
static bool set_callback(struct kns_websub *websub)
{
    const char *url = websub->parts.config->websub.callback_url;
    size_t len = strlen(url);

    free(websub->callback);
    websub->callback = NULL;
    while (len > 0 && url[len - 1] == '/')
        len--;
    return len == 0 || asprintf(&websub->callback, "%.*s/websub/", (int)len, url) >= 0;
}

/* tsearch's walk takes no context. */
struct walked {
    struct sub **subs;
    size_t count;
};

static void collect(const void *node, VISIT visit, void *ctx)
{
    struct walked *walked = ctx;

    if (visit == postorder || visit == leaf)
        walked->subs[walked->count++] = *(struct sub *const *)node;
}

/* All of them; the caller frees subs. */
static struct walked all_subs(const struct kns_websub *websub)
{
    struct walked walked = {.subs = calloc(websub->n_subs + 1, sizeof(struct sub *))};

    if (walked.subs != NULL)
        twalk_r(websub->by_token, collect, &walked);
    return walked;
}

/* What stands under another callback can neither be renewed nor be given back, and how the hub of a feed that is gone may be reached is
 * not known any more: such a lease ends by itself, and what is pushed meanwhile is refused. */
static void drop_strangers(struct kns_websub *websub)
{
    struct walked all = all_subs(websub);

    for (size_t i = 0; i < all.count; i++) {
        struct sub *sub = all.subs[i];
        if (sub->orphan || websub->callback == NULL || strcmp(sub->callback, websub->callback) != 0)
            kns_sub_forget(sub, sub->state == KNS_WEBSUB_ALIVE ? FEED_POLLED : FEED_STAYS);
    }
    free(all.subs);
}

enum kns_status kns_websub_start(struct kns_websub *websub, const struct kns_websub_parts *parts,
                                 struct kns_error *err)
{
    websub->parts = *parts;
    if (!set_callback(websub))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    uv_timer_init(parts->loop, &websub->timer);
    websub->timer.data = websub;
    websub->started = true;
    srandom((unsigned)uv_hrtime());
    struct walked all = all_subs(websub);
    for (size_t i = 0; i < all.count; i++)
        kns_sub_schedule(all.subs[i]);
    free(all.subs);
    drop_strangers(websub);
    kns_websub_run_due(websub);
    return KNS_OK;
}

void kns_websub_set_config(struct kns_websub *websub, const struct kns_config *config)
{
    websub->parts.config = config;
    if (!set_callback(websub))
        kns_log(KNS_LOG_ERROR, "websub: out of memory: off");
    drop_strangers(websub);
    kns_websub_run_due(websub);
}

void kns_websub_stop(struct kns_websub *websub)
{
    if (websub->stopping)
        return;
    websub->stopping = true;
    if (websub->started)
        uv_close((uv_handle_t *)&websub->timer, NULL);
}

void kns_websub_free(struct kns_websub *websub)
{
    if (websub == NULL)
        return;
    struct walked all = all_subs(websub);
    for (size_t i = 0; i < all.count; i++)
        kns_sub_drop(all.subs[i]);
    free(all.subs);
    kns_scheduler_fini(&websub->scheduler);
    free(websub->callback);
    free(websub);
}

void kns_websub_get_figures(const struct kns_websub *websub, struct kns_websub_figures *ret)
{
    struct walked all = all_subs(websub);

    *ret = websub->figures;
    for (size_t i = 0; i < all.count; i++)
        ret->subscriptions[all.subs[i]->state]++;
    free(all.subs);
}
