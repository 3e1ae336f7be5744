/* A look at a page: fetched as a feed is, with the same bounds and manners.
 *
 *   start --> FETCHING --> done
 *      \--site is closed--> told by the timer of the loop: never inside the call */
#include "daemon/lookup.h"

#include "daemon/fetcher.h"
#include "daemon/outcome.h"
#include "daemon/poller_internal.h"
#include "lib/arena.h"
#include "lib/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
    struct kns_poller *poller;
    struct kns_arena *arena;
    const char *url;
    struct kns_buf page;
    const char *content_type;
    struct kns_time started;
    uv_timer_t timer; /* of one that is refused before anything was asked */
    char why[KNS_ERROR_MAX];
    void (*done)(void *ctx, const struct kns_lookup_result *result);
    void *ctx;
};

static void free_lookup(struct lookup *l)
{
    kns_buf_fini(&l->page);
    kns_arena_free(l->arena);
    free(l);
}

static void tell(struct lookup *l, int status, bool gone, const char *final_url)
{
    const struct kns_lookup_result result = {.status = status,
                                             .gone = gone,
                                             .why = l->why[0] == '\0' ? NULL : l->why,
                                             .page = kns_buf_str(&l->page),
                                             .size = l->page.len,
                                             .content_type = l->content_type,
                                             .final_url = final_url == NULL ? l->url : final_url};

    l->done(l->ctx, &result);
}

static void on_begin(void *ctx, int status, const struct kns_headers *headers, const char *url)
{
    struct lookup *l = ctx;

    (void)status;
    (void)url;
    kns_buf_reset(&l->page);
    l->content_type = kns_arena_strdup(l->arena, headers->content_type);
}

static bool on_body(void *ctx, const char *bytes, size_t size)
{
    struct lookup *l = ctx;
    size_t room = KNS_LOOKUP_MOST - l->page.len;

    kns_buf_add(&l->page, bytes, size < room ? size : room);
    return l->page.len < KNS_LOOKUP_MOST;
}

static void on_fetched(void *ctx, const struct kns_fetch_result *result)
{
    struct lookup *l = ctx;
    bool good =
        result->status >= 200 && result->status < 300 && (result->error == NULL || result->stopped);
    bool wall = !good && result->status != 0 && kns_outcome_is_bot_wall(kns_buf_str(&l->page));
    bool gone = (result->status == 404 || result->status == 410) && !wall;

    if (!good && result->status != 0 && result->error == NULL)
        snprintf(l->why, sizeof(l->why), "the server answered %d", result->status);
    else if (!good)
        snprintf(l->why, sizeof(l->why), "%s",
                 result->error == NULL ? "nobody answered" : result->error);
    /* A site that wants to be left alone is left alone by feeds too. */
    if (!kns_poller_is_stopping(l->poller) && (result->status == 429 || result->status == 503))
        kns_poller_learnt(l->poller, NULL, result->final_url, result->address, KNS_POLL_THROTTLED,
                          result->status,
                          kns_headers_retry_at(result->headers, l->started).unix_s * 1000);
    tell(l, result->status, gone, result->final_url);
    free_lookup(l);
}

static void on_closed(uv_handle_t *handle)
{
    free_lookup(handle->data);
}

static void on_timer(uv_timer_t *timer)
{
    struct lookup *l = timer->data;

    tell(l, 0, false, NULL);
    uv_close((uv_handle_t *)timer, on_closed);
}

static enum kns_status refuse(struct lookup *l)
{
    uv_timer_init(kns_poller_parts(l->poller)->loop, &l->timer);
    l->timer.data = l;
    uv_timer_start(&l->timer, on_timer, 0, 0);
    return KNS_OK;
}

static enum kns_status fetch(struct lookup *l)
{
    const struct kns_fetch_request request = {
        .url = l->url, .begin = on_begin, .body = on_body, .done = on_fetched, .ctx = l};
    enum kns_status status = kns_fetcher_get(kns_poller_parts(l->poller)->fetcher, &request);

    if (status != KNS_OK)
        free_lookup(l);
    return status;
}

enum kns_status kns_lookup(struct kns_poller *poller, const char *url,
                           void (*done)(void *ctx, const struct kns_lookup_result *result),
                           void *ctx)
{
    struct lookup *l = calloc(1, sizeof(*l));

    if (l == NULL || (l->arena = kns_arena_new(0)) == NULL ||
        (l->url = kns_arena_strdup(l->arena, url)) == NULL) {
        if (l != NULL)
            kns_arena_free(l->arena);
        free(l);
        return KNS_ENOMEM;
    }
    l->poller = poller;
    l->done = done;
    l->ctx = ctx;
    l->started = kns_time_now();
    if (kns_poller_is_stopping(poller)) {
        snprintf(l->why, sizeof(l->why), "knsd is stopping");
        return refuse(l);
    }
    return kns_poller_is_closed(poller, url, l->why, sizeof(l->why)) ? refuse(l) : fetch(l);
}
