/* Requests of hubs: they ask whether we meant it, and send what is new. */
#include "daemon/server_internal.h"

#include <string.h>

static const char *header(struct exchange *x, const char *name)
{
    return kns_arena_strdup(x->request.arena,
                            MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

/* Nothing of it is told to who should not be here. */
static void refuse(struct exchange *x, int status)
{
    static const struct {
        int status;
        const char *why;
    } rows[] = {{404, "not found"},
                {410, "this subscription has ended"},
                {413, "larger than this subscriber takes"},
                {415, "expected no Content-Encoding"},
                {503, "busy: send it again later"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].status == status)
            kns_request_problem(&x->request, status, "%s", rows[i].why);
}

static void answer(struct exchange *x, int status, const char *text)
{
    if (status >= 300) {
        refuse(x, status);
        return;
    }
    kns_buf_adds(&x->request.out, text);
    x->request.answer_type = "text/plain; charset=utf-8";
    x->request.status = status;
}

static void on_answer(void *ctx, int status, const char *text)
{
    struct exchange *x = ctx;

    answer(x, status, text);
    kns_exchange_done(x);
}

/* 0: on_answer comes later. */
static enum MHD_Result answer_or_wait(struct exchange *x, int status)
{
    if (status == 0) {
        kns_exchange_begin(x);
        return MHD_YES;
    }
    answer(x, status, "");
    return kns_exchange_answer(x);
}

bool kns_begin_callback(struct exchange *x)
{
    x->route = kns_route_find(&x->request);
    if (x->route == NULL || x->route->kind != KNS_ROUTE_DELIVERY)
        return x->route != NULL;
    const struct kns_delivery_header given = {
        .content_type = header(x, "Content-Type"),
        .content_encoding = header(x, "Content-Encoding"),
        .content_length = header(x, "Content-Length"),
        .signature = header(x, "X-Hub-Signature"),
    };
    int status =
        kns_websub_deliver(x->server->parts.websub, x->request.token, &given, &x->delivery);
    if (status != 0)
        refuse(x, status);
    return status == 0;
}

enum MHD_Result kns_serve_intent(struct exchange *x)
{
    const struct kns_hub_intent intent = {
        .mode = kns_request_parameter(&x->request, "hub.mode"),
        .topic = kns_request_parameter(&x->request, "hub.topic"),
        .challenge = kns_request_parameter(&x->request, "hub.challenge"),
        .lease_seconds = kns_request_parameter(&x->request, "hub.lease_seconds"),
        .reason = kns_request_parameter(&x->request, "hub.reason"),
    };
    int status = 404; /* a HEAD confirms nothing */

    if (strcmp(x->request.method, "GET") == 0)
        status =
            kns_websub_confirm(x->server->parts.websub, x->request.token, &intent, on_answer, x);
    return answer_or_wait(x, status);
}

enum MHD_Result kns_serve_delivery(struct exchange *x)
{
    struct kns_delivery *delivery = x->delivery;

    x->delivery = NULL; /* it ends by itself from now on */
    return answer_or_wait(x, kns_delivery_end(delivery, on_answer, x));
}
