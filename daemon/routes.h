/* routes.h - every request there is, in one table. Deciding: no loop, no HTTP library. */
#ifndef KNSD_ROUTES_H
#define KNSD_ROUTES_H

#include "daemon/request.h"

/* Where hubs call back: all that TCP answers to. */
#define KNS_CALLBACK_PATH "/websub/"

/* Who does the work. */
enum kns_route_kind {
    KNS_ROUTE_READ,      /* a query worker runs handler */
    KNS_ROUTE_WRITE,     /* the writer thread runs handler */
    KNS_ROUTE_SUBSCRIBE, /* the others: the server itself, with the poller */
    KNS_ROUTE_LINK,
    KNS_ROUTE_LINK_CHECK,
    KNS_ROUTE_SEND,
    KNS_ROUTE_REFRESH,
    KNS_ROUTE_EVENTS,
    KNS_ROUTE_STATUS,
    KNS_ROUTE_METRICS,
    KNS_ROUTE_HEALTH,
    KNS_ROUTE_INTENT, /* of hubs, by any way that leads here */
    KNS_ROUTE_DELIVERY,
};

struct kns_route {
    const char *method;
    const char *pattern; /* "{id}" stands for a number, "{token}" for letters and digits */
    enum kns_route_kind kind;
    enum kns_status (*handler)(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err);
    const char *parameters; /* those it takes, space around each; NULL: any */
    bool json;              /* its body is a JSON object */
};

/* The route of request->method and path; fills request->id and json. NULL: a problem was answered (404, 405 with Allow, 400 for an
 * unknown parameter or a body that is no JSON object). */
const struct kns_route *kns_route_find(struct kns_request *request);

#endif
