/* What we have with hubs. The happy path of a subscription: the feed's document names a hub (follow) --> its token and secret are written
 * --> the hub is asked (POST) --> it asks back (confirm) --> the lease is written --> the hub is answered --> before the lease ends, all of
 * it again. What a hub could ask about is durable before it is asked, what it is answered is durable before it is answered.
 * A hub that fails, or does not ask back, is asked again, ever later; when the lease ends meanwhile, the feed is polled as any other. */
#include "daemon/websub_internal.h"

#include "daemon/config.h"
#include "daemon/fetcher.h"
#include "daemon/log.h"
#include "daemon/nextpoll.h"
#include "daemon/signature.h"
#include "daemon/writer.h"
#include "lib/arena.h"
#include "lib/text.h"

#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* New ones are asked for so long after each other: a thousand feeds of one hub are no storm. */
#define SPACING_MS 200
/* The first wait after a failure, or min_interval where that is shorter; a hub that took the request has ten times as long to verify it. */
#define FIRST_RETRY_S 60
#define VERIFY_FACTOR 10
/* A hub that does not let us go is not asked for ever: its lease ends by itself. */
#define LEAVE_TRIES 3
#define WAKE_MOST_MS 30000
/* Of what a hub answers to a request; nobody reads it. */
#define ANSWER_MOST 65536

static void run_due(struct kns_websub *websub);

/* ---- time ------------------------------------------------------------------------------------------------------------- */

/* Goes on in sleep, and is never set. */
static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct kns_time calendar(int64_t at_ms)
{
    struct kns_time at = {0};

    if (at_ms != 0)
        at.unix_s = kns_time_now().unix_s + (at_ms - now_ms() + 500) / 1000;
    return at;
}

static int64_t from_calendar(struct kns_time at)
{
    return kns_time_given(at) ? now_ms() + (at.unix_s - kns_time_now().unix_s) * 1000 : 0;
}

static double chance(void)
{
    return (double)random() / 2147483648.0;
}

/* ---- subscriptions in memory --------------------------------------------------------------------------------------- */

static int compare_tokens(const void *a, const void *b)
{
    return strcmp(((const struct sub *)a)->token, ((const struct sub *)b)->token);
}

static int compare_feeds(const void *a, const void *b)
{
    int64_t x = ((const struct sub *)a)->feed_id, y = ((const struct sub *)b)->feed_id;

    return x < y ? -1 : x > y;
}

static struct sub *find_in(void *const *tree, const struct sub *key,
                           int (*compare)(const void *, const void *))
{
    void *node = tfind(key, tree, compare);

    return node == NULL ? NULL : *(struct sub **)node;
}

struct sub *kns_websub_find(struct kns_websub *websub, const char *token)
{
    const struct sub key = {.token = (char *)(uintptr_t)token};

    return find_in(&websub->by_token, &key, compare_tokens);
}

static struct sub *current_of(struct kns_websub *websub, int64_t feed_id)
{
    const struct sub key = {.feed_id = feed_id};

    return find_in(&websub->by_feed, &key, compare_feeds);
}

static void free_access(struct kns_feed_access *access)
{
    free((char *)(uintptr_t)access->user_agent);
    free((char *)(uintptr_t)access->proxy);
    free((char *)(uintptr_t)access->ca_file);
    free((char *)(uintptr_t)access->http_version);
    *access = (struct kns_feed_access){0};
}

static char *copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

/* Without credentials and headers: those are for the feed's own server. */
static void keep_access(struct sub *sub, const struct kns_feed_access *access)
{
    free_access(&sub->access);
    sub->access = (struct kns_feed_access){.user_agent = copy(access->user_agent),
                                           .proxy = copy(access->proxy),
                                           .ca_file = copy(access->ca_file),
                                           .http_version = copy(access->http_version)};
}

static void free_sub(struct sub *sub)
{
    if (sub == NULL)
        return;
    free_access(&sub->access);
    free(sub->feed_url);
    free(sub->hub);
    free(sub->topic);
    free(sub->token);
    free(sub->callback);
    free(sub->secret);
    free(sub->error);
    free(sub);
}

void kns_sub_ref(struct sub *sub)
{
    sub->users++;
}

void kns_sub_unref(struct sub *sub)
{
    if (--sub->users == 0 && sub->dropped)
        free_sub(sub);
}

static void no_longer_current(struct sub *sub)
{
    if (current_of(sub->websub, sub->feed_id) == sub)
        tdelete(sub, &sub->websub->by_feed, compare_feeds);
}

/* Forgotten in memory; freed when nobody works with it any more. */
static void drop(struct sub *sub)
{
    struct kns_websub *websub = sub->websub;

    no_longer_current(sub);
    tdelete(sub, &websub->by_token, compare_tokens);
    kns_scheduler_remove(&websub->scheduler, &sub->due);
    websub->n_subs--;
    sub->dropped = true;
    if (sub->users == 0)
        free_sub(sub);
}

/* Takes its place in memory; false: no memory, and it is freed. */
static bool add(struct kns_websub *websub, struct sub *sub)
{
    bool complete = sub->feed_url != NULL && sub->hub != NULL && sub->topic != NULL &&
                    sub->token != NULL && sub->callback != NULL;

    sub->websub = websub;
    if (!complete || !kns_scheduler_reserve(&websub->scheduler, websub->n_subs + 1) ||
        tsearch(sub, &websub->by_token, compare_tokens) == NULL) {
        free_sub(sub);
        return false;
    }
    websub->n_subs++;
    if (sub->state == KNS_WEBSUB_LEAVING || tsearch(sub, &websub->by_feed, compare_feeds) != NULL)
        return true;
    drop(sub);
    return false;
}

static void schedule(struct sub *sub)
{
    bool ends_first = sub->state == KNS_WEBSUB_ALIVE && sub->lease_ms < sub->ask_ms;

    if (sub->dropped || sub->asking != NULL || sub->state == KNS_WEBSUB_DENIED)
        kns_scheduler_remove(&sub->websub->scheduler, &sub->due);
    else
        kns_scheduler_set(&sub->websub->scheduler, &sub->due,
                          ends_first ? sub->lease_ms : sub->ask_ms);
}

static void set_error(struct sub *sub, const char *text)
{
    free(sub->error);
    sub->error = copy(text);
}

static int64_t retry_ms(const struct sub *sub, int factor)
{
    int64_t least = sub->websub->parts.config->poll.min_interval_s;

    return 1000 * kns_hub_retry_s(sub->failures < 1 ? 1 : sub->failures,
                                  factor * (least < FIRST_RETRY_S ? least : FIRST_RETRY_S),
                                  chance());
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* What becomes of the feed's schedule with a change. */
enum feed_move {
    FEED_STAYS,
    FEED_LEASE,  /* only until when it is pushed */
    FEED_PUSHED, /* polled rarely from now on */
    FEED_POLLED, /* polled as any other again */
};

/* One change of what is stored, with the copies that the writer thread works on. */
struct change {
    struct kns_write write;
    struct kns_arena *arena;
    struct sub *sub;
    struct kns_websub_record record;
    bool remove;
    enum feed_move move;
    struct kns_nextpoll_input input;
    bool want_access, has_feed;
    const struct kns_feed *feed; /* with its access, in arena */
    void (*then)(struct change *change);
    kns_websub_answer answer; /* to a hub; NULL: none waits */
    void *answer_ctx;
    const char *text;
};

static enum kns_status move_feed(struct change *c, struct kns_store *store,
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
    struct change *c = (struct change *)((char *)write - offsetof(struct change, write));
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

static void free_change(struct change *c)
{
    kns_arena_free(c->arena);
    free(c);
}

static void change_written(struct kns_write *write)
{
    struct change *c = (struct change *)((char *)write - offsetof(struct change, write));
    struct sub *sub = c->sub;
    struct kns_websub *websub = sub->websub;
    int64_t feed_id = c->record.feed_id;
    bool moved = write->status == KNS_OK && (c->move == FEED_PUSHED || c->move == FEED_POLLED);

    if (write->status != KNS_OK)
        kns_log(KNS_LOG_ERROR, "websub: feed %lld: not stored: %s", (long long)feed_id,
                write->err.message);
    if (c->then != NULL)
        c->then(c);
    free_change(c);
    kns_sub_unref(sub);
    if (moved && !websub->stopping)
        websub->parts.feed_changed(websub->parts.ctx, feed_id);
}

/* The subscription as it is now, to be stored; NULL: no memory. */
static struct change *new_change(struct sub *sub, enum feed_move move)
{
    const struct kns_config *config = sub->websub->parts.config;
    struct change *c = calloc(1, sizeof(*c));

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
        .lease_until =
            sub->state == KNS_WEBSUB_ALIVE ? calendar(sub->lease_ms) : (struct kns_time){0},
        .next_at = calendar(sub->ask_ms),
        .failures = sub->failures,
        .error = kns_arena_strdup(c->arena, sub->error),
    };
    c->input = (struct kns_nextpoll_input){
        .now = kns_time_now(),
        .interval_s = config->poll.interval_s,
        .min_interval_s = config->poll.min_interval_s,
        .max_interval_s = config->poll.max_interval_s,
        .pushed = move == FEED_PUSHED,
        .random = chance(),
    };
    c->write.run = run_change;
    c->write.done = change_written;
    return c;
}

static void submit(struct change *c)
{
    kns_sub_ref(c->sub);
    kns_writer_submit(c->sub->websub->parts.writer, &c->write);
}

static void save(struct sub *sub, enum feed_move move)
{
    struct change *c = new_change(sub, move);

    if (c != NULL)
        submit(c);
}

/* Forgotten here and in the store. */
static void forget(struct sub *sub, enum feed_move move)
{
    struct change *c = new_change(sub, move);

    if (c != NULL) {
        c->remove = true;
        submit(c);
    }
    drop(sub);
}

/* ---- asking a hub --------------------------------------------------------------------------------------------------- */

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
    set_error(sub, text);
    kns_log(sub->failures == 1 ? KNS_LOG_WARNING : KNS_LOG_DEBUG, "websub: feed %lld: hub %s: %s",
            (long long)sub->feed_id, sub->hub, text);
    sub->ask_ms = now_ms() + retry_ms(sub, 1);
    if (sub->ask_ms < not_before_ms)
        sub->ask_ms = not_before_ms;
    if (gives_up(sub)) {
        forget(sub, FEED_STAYS);
        return;
    }
    schedule(sub);
    save(sub, FEED_STAYS);
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
    failed(sub, text, retry_s > 0 ? now_ms() + retry_s * 1000 : 0);
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
        schedule(sub); /* it has asked back already, or denied */
    } else if (good) {
        sub->taken = true;
        sub->ask_ms = now_ms() + retry_ms(sub, VERIFY_FACTOR);
        schedule(sub);
    } else {
        was_refused(sub, result);
    }
    kns_sub_unref(sub);
    run_due(websub);
}

/* What is asked for is stored: the hub may ask about it from now on. */
static void send_form(struct change *c)
{
    struct sub *sub = c->sub;
    struct asking *a = sub->asking;
    const char *mode = sub->awaits == KNS_WEBSUB_UNSUBSCRIBE ? "unsubscribe" : "subscribe";

    if (sub->websub->stopping || sub->dropped) {
        end_asking(a);
        return;
    }
    if (c->feed != NULL)
        keep_access(sub, &c->feed->access);
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
    struct change *c = a == NULL ? NULL : new_change(sub, FEED_STAYS);

    if (c == NULL || (a->arena = kns_arena_new(0)) == NULL) {
        if (c != NULL)
            free_change(c);
        free(a);
        sub->ask_ms = now_ms() + 1000L * FIRST_RETRY_S;
        schedule(sub);
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
    schedule(sub);
    kns_sub_ref(sub);
    submit(c);
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
    schedule(sub);
    save(sub, FEED_POLLED);
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
        sub->ask_ms = now + 500 + (int64_t)(chance() * 1000);
        schedule(sub);
        return;
    }
    if (sub->taken) { /* and nothing came of it */
        sub->taken = false;
        sub->failures++;
        set_error(sub, "it took the request, and did not verify it");
    }
    if (gives_up(sub))
        forget(sub, FEED_STAYS);
    else
        ask(sub, (size_t)place);
}

static void on_timer(uv_timer_t *timer)
{
    run_due(timer->data);
}

static void run_due(struct kns_websub *websub)
{
    int64_t now = now_ms(), wait = WAKE_MOST_MS;
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

/* ---- wanting and leaving -------------------------------------------------------------------------------------------- */

static void begin(struct kns_websub *websub, int64_t feed_id, const char *feed_url, const char *hub,
                  const char *topic)
{
    char token[2 * KNS_HUB_TOKEN_BYTES + 1], secret[2 * KNS_HUB_SECRET_BYTES + 1];
    struct sub *sub = calloc(1, sizeof(*sub));
    int64_t now = now_ms();

    if (sub == NULL || !kns_random_hex(token, KNS_HUB_TOKEN_BYTES) ||
        !kns_random_hex(secret, KNS_HUB_SECRET_BYTES)) {
        free(sub);
        return;
    }
    sub->feed_id = feed_id;
    sub->feed_url = copy(feed_url);
    sub->hub = copy(hub);
    sub->topic = copy(topic);
    sub->token = copy(token);
    sub->secret = kns_hub_keeps_secrets(hub) ? copy(secret) : NULL;
    sub->callback = copy(websub->callback);
    if (kns_hub_keeps_secrets(hub) && sub->secret == NULL) {
        free_sub(sub);
        return;
    }
    sub->ask_ms = websub->next_first_ms > now ? websub->next_first_ms : now;
    websub->next_first_ms = sub->ask_ms + SPACING_MS;
    if (add(websub, sub))
        schedule(sub);
}

/* Not wanted any more: a hub that pushes is told so, the others need not be. */
static void leave(struct sub *sub)
{
    bool alive = sub->state == KNS_WEBSUB_ALIVE;

    if (!alive) {
        forget(sub, FEED_STAYS);
        return;
    }
    no_longer_current(sub);
    sub->state = KNS_WEBSUB_LEAVING;
    sub->awaits = KNS_WEBSUB_NOTHING;
    sub->taken = false;
    sub->failures = 0;
    sub->ask_ms = now_ms();
    schedule(sub);
    save(sub, FEED_POLLED);
}

void kns_websub_follow(struct kns_websub *websub, int64_t feed_id, const char *feed_url,
                       const char *hub, const char *topic)
{
    struct sub *sub = current_of(websub, feed_id);
    bool wanted = websub->callback != NULL && hub != NULL && topic != NULL;

    if (websub->stopping || !websub->started)
        return;
    if (sub != NULL && (!wanted || strcmp(sub->hub, hub) != 0 || strcmp(sub->topic, topic) != 0)) {
        leave(sub);
        sub = NULL;
    }
    if (sub == NULL && wanted)
        begin(websub, feed_id, feed_url, hub, topic);
    run_due(websub);
}

/* ---- being asked ------------------------------------------------------------------------------------------------------ */

static void tell_hub(struct change *c)
{
    bool good = c->write.status == KNS_OK;

    c->answer(c->answer_ctx, good ? 200 : 503, good ? c->text : "");
}

/* Of what could not be stored nothing was confirmed. */
static void subscription_stored(struct change *c)
{
    struct sub *sub = c->sub;
    char until[KNS_TIME_TEXT];

    if (c->write.status != KNS_OK && !sub->dropped && sub->state == KNS_WEBSUB_ALIVE) {
        sub->state = KNS_WEBSUB_WANTED;
        sub->ask_ms = now_ms() + retry_ms(sub, 1);
        schedule(sub);
    } else if (c->write.status == KNS_OK) {
        kns_log(c->move == FEED_LEASE ? KNS_LOG_DEBUG : KNS_LOG_INFO,
                "websub: feed %lld: hub %s pushes it until %s", (long long)sub->feed_id, sub->hub,
                kns_time_format(c->record.lease_until, until));
    }
    tell_hub(c);
}

static void take_lease(struct sub *sub, int64_t lease_s)
{
    int64_t now = now_ms();

    sub->state = KNS_WEBSUB_ALIVE;
    sub->awaits = KNS_WEBSUB_NOTHING;
    sub->taken = false;
    sub->failures = 0;
    set_error(sub, NULL);
    sub->lease_ms = now + lease_s * 1000;
    sub->ask_ms = now + kns_hub_renew_after_s(lease_s, chance()) * 1000;
    schedule(sub);
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
    set_error(sub, text);
    sub->state = KNS_WEBSUB_DENIED;
    sub->awaits = KNS_WEBSUB_NOTHING;
    sub->taken = false;
    schedule(sub);
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
    enum feed_move move = FEED_STAYS;
    if (verdict == KNS_HUB_SUBSCRIBED) {
        take_lease(sub, kns_hub_lease_s(intent->lease_seconds));
        move = was_alive ? FEED_LEASE : FEED_PUSHED;
    } else if (verdict == KNS_HUB_DENIED) {
        take_denial(sub, intent->reason);
        move = was_alive ? FEED_POLLED : FEED_STAYS;
    }
    struct change *c = new_change(sub, move);
    if (c == NULL)
        return 503;
    c->then = verdict == KNS_HUB_SUBSCRIBED ? subscription_stored : tell_hub;
    c->remove = verdict == KNS_HUB_UNSUBSCRIBED;
    c->answer = answer;
    c->answer_ctx = ctx;
    c->text = verdict == KNS_HUB_DENIED ? "" : kns_arena_strdup(c->arena, intent->challenge);
    submit(c);
    if (verdict == KNS_HUB_UNSUBSCRIBED)
        drop(sub);
    run_due(websub);
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
    sub->feed_url = copy(record->feed_url);
    sub->hub = copy(record->hub);
    sub->topic = copy(record->topic);
    sub->token = copy(record->token);
    sub->callback = copy(record->callback);
    sub->secret = copy(record->secret);
    sub->error = copy(record->error);
    sub->state = record->state;
    sub->awaits = record->awaits;
    sub->lease_ms = from_calendar(record->lease_until);
    sub->ask_ms = from_calendar(record->next_at);
    sub->failures = record->failures;
    if (kns_store_get_feed(r->store, arena, record->feed_id, true, &feed, NULL) == KNS_OK)
        keep_access(sub, &feed->access);
    sub->orphan = feed == NULL;
    kns_arena_free(arena);
    r->complete = add(r->websub, sub);
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
            forget(sub, sub->state == KNS_WEBSUB_ALIVE ? FEED_POLLED : FEED_STAYS);
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
        schedule(all.subs[i]);
    free(all.subs);
    drop_strangers(websub);
    run_due(websub);
    return KNS_OK;
}

void kns_websub_set_config(struct kns_websub *websub, const struct kns_config *config)
{
    websub->parts.config = config;
    if (!set_callback(websub))
        kns_log(KNS_LOG_ERROR, "websub: out of memory: off");
    drop_strangers(websub);
    run_due(websub);
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
        drop(all.subs[i]);
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
