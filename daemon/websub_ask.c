/* Asking hubs: whose turn it is, the request, and what becomes of a hub that fails, does not ask back, or lets a lease end. */
#include "daemon/websub_internal.h"

#include "daemon/config.h"
#include "daemon/fetcher.h"
#include "daemon/log.h"
#include "lib/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A hub that took the request has so many times as long to verify it as a failure has to wait. */
#define VERIFY_FACTOR 10
/* A hub that does not let us go is not asked for ever: its lease ends by itself. */
#define LEAVE_TRIES 3
#define WAKE_MOST_MS 30000
/* Of what a hub answers to a request; nobody reads it. */
#define ANSWER_MOST 65536

/* ---- a request ---------------------------------------------------------------------------------------------- */

struct asking {
    struct sub *sub;
    size_t place;
    struct kns_arena *arena; /* of the form */
    size_t answered;         /* bytes */
};

static void end_asking(struct asking *a)
{
    a->sub->websub->asking[a->place] = NULL;
    a->sub->asking = NULL;
    kns_arena_free(a->arena);
    kns_sub_unref(a->sub);
    free(a);
}

static bool gives_up(const struct sub *sub)
{
    return sub->state == KNS_WEBSUB_LEAVING && sub->failures >= LEAVE_TRIES;
}

/* The first failure in a row is worth a line. */
static void failed(struct sub *sub, const char *text, int64_t not_before_ms)
{
    sub->failures++;
    kns_sub_set_error(sub, text);
    kns_log(sub->failures == 1 ? KNS_LOG_WARNING : KNS_LOG_DEBUG, "websub: feed %lld: hub %s: %s",
            (long long)sub->feed_id, sub->hub, text);
    sub->ask_ms = kns_websub_now_ms() + kns_sub_retry_ms(sub, 1);
    if (sub->ask_ms < not_before_ms)
        sub->ask_ms = not_before_ms;
    if (gives_up(sub)) {
        kns_sub_forget(sub, FEED_STAYS);
        return;
    }
    kns_sub_schedule(sub);
    kns_sub_save(sub, FEED_STAYS);
}

static void was_refused(struct sub *sub, const struct kns_fetch_result *result)
{
    char text[200];
    int64_t retry_s =
        kns_headers_retry_at(result->headers, kns_time_now()).unix_s - kns_time_now().unix_s;

    if (result->status >= 400 && result->status < 500)
        sub->awaits = KNS_WEBSUB_NOTHING; /* it will not ask back */
    if (result->error != NULL)
        snprintf(text, sizeof(text), "%.190s", result->error);
    else
        snprintf(text, sizeof(text), "it answered %d", result->status);
    failed(sub, text, retry_s > 0 ? kns_websub_now_ms() + retry_s * 1000 : 0);
}

static void on_begin(void *ctx, int status, const struct kns_headers *headers, const char *url)
{
    (void)ctx;
    (void)status;
    (void)headers;
    (void)url;
}

static bool on_body(void *ctx, const char *bytes, size_t size)
{
    struct asking *a = ctx;

    (void)bytes;
    a->answered += size;
    return a->answered <= ANSWER_MOST;
}

static void on_asked(void *ctx, const struct kns_fetch_result *result)
{
    struct asking *a = ctx;
    struct sub *sub = a->sub;
    struct kns_websub *websub = sub->websub;
    bool good = result->status >= 200 && result->status < 300 &&
                (result->error == NULL || result->cut || result->stopped);

    kns_sub_ref(sub);
    end_asking(a);
    if (websub->stopping || sub->dropped) {
        kns_sub_unref(sub);
        return;
    }
    if (sub->awaits == KNS_WEBSUB_NOTHING) {
        kns_sub_schedule(sub); /* it has asked back already, or denied */
    } else if (good) {
        sub->taken = true;
        sub->ask_ms = kns_websub_now_ms() + kns_sub_retry_ms(sub, VERIFY_FACTOR);
        kns_sub_schedule(sub);
    } else {
        was_refused(sub, result);
    }
    kns_sub_unref(sub);
    kns_websub_run_due(websub);
}

/* What is asked for is stored: the hub may ask about it from now on. */
static void send_form(struct kns_sub_change *c)
{
    struct sub *sub = c->sub;
    struct asking *a = sub->asking;
    const char *mode = sub->awaits == KNS_WEBSUB_UNSUBSCRIBE ? "unsubscribe" : "subscribe";

    if (sub->websub->stopping || sub->dropped) {
        end_asking(a);
        return;
    }
    if (c->feed != NULL)
        kns_sub_keep_access(sub, &c->feed->access);
    const char *callback = kns_arena_printf(a->arena, "%s%s", sub->callback, sub->token);
    const struct kns_fetch_request request = {
        .url = sub->hub,
        .post = callback == NULL ? NULL
                                 : kns_hub_form(a->arena, mode, sub->topic, callback, sub->secret),
        .post_type = "application/x-www-form-urlencoded",
        .because_of = sub->feed_url,
        .access = &sub->access,
        .begin = on_begin,
        .body = on_body,
        .done = on_asked,
        .ctx = a,
    };
    if (c->write.status == KNS_OK && request.post != NULL &&
        kns_fetcher_get(sub->websub->parts.fetcher, &request) == KNS_OK)
        return;
    end_asking(a);
    failed(sub, "it cannot be asked: the store failed, or memory is short", 0);
}

/* Writes what will be asked for, then asks. */
static void ask(struct sub *sub, size_t place)
{
    bool leaving = sub->state == KNS_WEBSUB_LEAVING;
    struct asking *a = calloc(1, sizeof(*a));
    struct kns_sub_change *c = a == NULL ? NULL : kns_sub_new_change(sub, FEED_STAYS);

    if (c == NULL || (a->arena = kns_arena_new(0)) == NULL) {
        if (c != NULL)
            kns_sub_free_change(c);
        free(a);
        sub->ask_ms = kns_websub_now_ms() + 1000L * KNS_WEBSUB_FIRST_RETRY_S;
        kns_sub_schedule(sub);
        return;
    }
    a->sub = sub;
    a->place = place;
    sub->asking = a;
    sub->websub->asking[place] = a;
    sub->taken = false;
    c->record.awaits = sub->awaits = leaving ? KNS_WEBSUB_UNSUBSCRIBE : KNS_WEBSUB_SUBSCRIBE;
    c->want_access = true;
    c->then = send_form;
    kns_sub_schedule(sub);
    kns_sub_ref(sub);
    kns_sub_submit(c);
}

/* ---- what is due ---------------------------------------------------------------------------------------------------- */

/* A place for a request to this hub; -1: none is free. */
static int find_place(const struct kns_websub *websub, const char *hub)
{
    int place = -1, to_hub = 0;

    for (int i = 0; i < KNS_WEBSUB_REQUESTS; i++) {
        if (websub->asking[i] == NULL)
            place = i;
        else
            to_hub += hub != NULL && strcmp(websub->asking[i]->sub->hub, hub) == 0;
    }
    return to_hub < KNS_WEBSUB_REQUESTS_TO_HUB ? place : -1;
}

static void lose(struct sub *sub)
{
    kns_log(KNS_LOG_NOTICE, "websub: feed %lld: the lease at hub %s ended: it is polled again",
            (long long)sub->feed_id, sub->hub);
    sub->state = KNS_WEBSUB_WANTED;
    sub->lease_ms = 0;
    kns_sub_schedule(sub);
    kns_sub_save(sub, FEED_POLLED);
}

/* Its turn has come. */
static void act(struct sub *sub, int64_t now)
{
    if (sub->state == KNS_WEBSUB_ALIVE && sub->lease_ms <= now) {
        lose(sub);
        return;
    }
    int place = find_place(sub->websub, sub->hub);
    if (place < 0) {
        sub->ask_ms = now + 500 + (int64_t)(kns_websub_chance() * 1000);
        kns_sub_schedule(sub);
        return;
    }
    if (sub->taken) { /* and nothing came of it */
        sub->taken = false;
        sub->failures++;
        kns_sub_set_error(sub, "it took the request, and did not verify it");
    }
    if (gives_up(sub))
        kns_sub_forget(sub, FEED_STAYS);
    else
        ask(sub, (size_t)place);
}

static void on_timer(uv_timer_t *timer)
{
    kns_websub_run_due(timer->data);
}

void kns_websub_run_due(struct kns_websub *websub)
{
    int64_t now = kns_websub_now_ms(), wait = WAKE_MOST_MS;
    struct kns_due *due;

    if (websub->stopping || !websub->started)
        return;
    while ((due = kns_scheduler_first(&websub->scheduler)) != NULL && due->at_ms <= now &&
           find_place(websub, NULL) >= 0)
        act((struct sub *)due, now);
    if (due != NULL && due->at_ms - now < wait)
        wait = due->at_ms - now < 20 ? 20 : due->at_ms - now;
    uv_timer_start(&websub->timer, on_timer, (uint64_t)wait, 0);
}
