/* Server-Sent Events (WHATWG HTML 9.2). A stream has a cursor: the number of the last event that was read for it. When something was committed, each
 * stream that is not reading reads on from its cursor, so that replay after Last-Event-ID and what happens now are one mechanism. */
#include "daemon/server_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 200
#define BATCH_BYTES ((size_t)256 << 10)    /* a batch ends behind the event that goes over this */
#define WAITING_MOST (KNS_STREAM_MOST / 4) /* a client that left so much waiting gets no more yet */
#define HEARTBEAT_MS 30000
#define MOST_STREAMS 256 /* half of the connections: questions always find a place */

struct events {
    struct kns_server *server;
    struct exchange
        *x; /* not answered yet: it is read first where the stream begins; NULL: answered */
    struct kns_stream *stream;
    struct kns_arena *arena; /* the filters live here */
    int64_t cursor;          /* below 0: from now on */
    const int64_t *feeds;    /* any of these; n_feeds 0: of all */
    size_t n_feeds;
    const char *tag, *q; /* NULL: any */
    bool kinds[3];
    bool reading, again; /* again: there is, or may be, more to read */
    struct kns_read read;
    struct kns_buf out; /* of the batch being read */
    bool more;          /* the batch was not the last */
    struct events *next;
};

static void read_on(struct events *e);

static void free_events(struct events *e)
{
    struct events **at = &e->server->streams;

    while (*at != NULL && *at != e)
        at = &(*at)->next;
    if (*at == e) {
        *at = e->next;
        e->server->n_streams--;
    }
    e->stream->on_drained = NULL;
    kns_stream_unref(e->stream);
    kns_buf_fini(&e->out);
    kns_arena_free(e->arena);
    free(e);
}

/* ---- on a query worker ------------------------------------------------------------------------------------------------ */

struct batch {
    struct kns_event events[BATCH];
    char what[BATCH][32];
    bool found[BATCH]; /* its item is one that the query finds */
    size_t count;
};

static bool collect(void *ctx, const struct kns_event *event)
{
    struct batch *batch = ctx;

    batch->events[batch->count] = *event;
    snprintf(batch->what[batch->count], sizeof(batch->what[0]), "%s", event->what);
    return ++batch->count < BATCH;
}

static bool is_wanted_feed(const struct events *e, int64_t id)
{
    for (size_t i = 0; i < e->n_feeds; i++)
        if (e->feeds[i] == id)
            return true;
    return e->n_feeds == 0;
}

static bool is_of_wanted_feed(const struct events *e, const struct kns_item *item)
{
    const struct kns_item_feed *feed;

    KNS_LIST_EACH(feed, &item->feeds)
    if (is_wanted_feed(e, feed->id))
        return true;
    return e->n_feeds == 0;
}

static bool has_tag(struct kns_store *store, struct kns_arena *arena, int64_t feed_id,
                    const char *tag)
{
    struct kns_feed *feed = NULL;
    const struct kns_string *own;
    size_t len = strlen(tag);

    if (kns_store_get_feed(store, arena, feed_id, false, &feed, NULL) != KNS_OK)
        return false;
    KNS_LIST_EACH(own, &feed->tags.list)
    if (strncmp(own->value, tag, len) == 0 && (own->value[len] == '\0' || own->value[len] == '/'))
        return true;
    return false;
}

/* The data of an event; NULL: it is not for this stream, or what it speaks of is gone. */
static json_t *event_data(struct events *e, struct kns_store *store, struct kns_arena *arena,
                          const struct kns_event *event, const char *what)
{
    struct kns_item *item = NULL;
    struct kns_feed *feed = NULL;
    json_t *json = NULL;

    if (!e->kinds[event->kind])
        return NULL;
    if (event->kind == KNS_EVENT_ITEM) {
        if (kns_store_get_item(store, arena, event->item_id, &item, NULL) != KNS_OK ||
            !is_of_wanted_feed(e, item))
            return NULL;
        if (e->tag != NULL && !has_tag(store, arena, event->feed_id, e->tag))
            return NULL;
        json = kns_item_json(item, true);
        json_object_set_new(json_object_get(json, "_kns"), "event", json_string(what));
        return json;
    }
    if (!is_wanted_feed(e, event->feed_id) ||
        (e->tag != NULL && !has_tag(store, arena, event->feed_id, e->tag)))
        return NULL;
    json = json_pack("{s:s, s:I}", "event", what, "feed_id", (json_int_t)event->feed_id);
    if (kns_store_get_feed(store, arena, event->feed_id, false, &feed, NULL) == KNS_OK)
        json_object_set_new(json, "feed", kns_feed_json(feed));
    return json;
}

static bool mark_found(void *ctx, const struct kns_item *item)
{
    struct batch *batch = ctx;

    for (size_t i = 0; i < batch->count; i++)
        batch->found[i] = batch->found[i] || batch->events[i].item_id == item->id;
    return true;
}

/* When the items of a batch were first seen: where a query need look. False: it speaks of none. */
static bool seen_between(struct kns_store *store, const struct batch *batch, struct kns_time *since,
                         struct kns_time *until)
{
    struct kns_arena *arena = kns_arena_new(0);

    for (size_t i = 0; arena != NULL && i < batch->count; i++) {
        struct kns_item *item = NULL;
        kns_arena_reset(arena);
        if (batch->events[i].kind != KNS_EVENT_ITEM ||
            kns_store_get_item(store, arena, batch->events[i].item_id, &item, NULL) != KNS_OK)
            continue;
        if (until->unix_s == 0 || item->first_seen.unix_s < since->unix_s)
            *since = item->first_seen;
        if (item->first_seen.unix_s >= until->unix_s)
            until->unix_s = item->first_seen.unix_s + 1;
    }
    kns_arena_free(arena);
    return until->unix_s != 0;
}

/* Marks the items of a batch that the stream's query finds; all of them where it has none. */
static enum kns_status find_items(const struct events *e, struct kns_store *store,
                                  struct batch *batch, struct kns_error *err)
{
    struct kns_item_query query = {.q = e->q, .sort = KNS_SORT_SEEN, .limit = KNS_PAGE_MOST};
    enum kns_status status = KNS_OK;

    memset(batch->found, e->q == NULL, sizeof(batch->found));
    if (e->q == NULL || !seen_between(store, batch, &query.since, &query.until))
        return KNS_OK;
    struct kns_arena *arena = kns_arena_new(0);
    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    do {
        const char *next = NULL;
        status = kns_store_query_items(store, arena, &query, mark_found, batch, &next, err);
        query.cursor = next;
    } while (status == KNS_OK && query.cursor != NULL);
    kns_arena_free(arena);
    return status;
}

static void write_event(struct events *e, const struct kns_event *event, json_t *data)
{
    char *text = data == NULL ? NULL : json_dumps(data, JSON_COMPACT);

    if (text != NULL)
        kns_buf_addf(&e->out, "id: %" PRId64 "\nevent: %s\ndata: %s\n\n", event->seq,
                     kns_event_kind_name(event->kind), text);
    free(text);
    json_decref(data);
}

static enum kns_status run_read(struct kns_read *read, struct kns_store *store,
                                struct kns_error *err)
{
    struct events *e = (struct events *)((char *)read - offsetof(struct events, read));
    struct kns_arena *arena = kns_arena_new(0);
    struct batch *batch = calloc(1, sizeof(*batch));
    enum kns_status status =
        arena == NULL || batch == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;

    e->more = false;
    if (status == KNS_OK && e->cursor < 0)
        status = kns_store_last_event(store, &e->cursor, err);
    else if (status == KNS_OK)
        status = kns_store_each_event(store, e->cursor, BATCH, collect, batch, err);
    if (status == KNS_OK)
        status = find_items(e, store, batch, err);
    for (size_t i = 0; status == KNS_OK && i < batch->count; i++) {
        if (batch->events[i].kind != KNS_EVENT_ITEM || batch->found[i])
            write_event(e, &batch->events[i],
                        event_data(e, store, arena, &batch->events[i], batch->what[i]));
        if (kns_buf_failed(&e->out))
            status = kns_fail(err, KNS_ENOMEM, "out of memory");
        e->cursor = batch->events[i].seq;
        e->more = i + 1 < batch->count || batch->count == BATCH;
        if (e->out.len >= BATCH_BYTES)
            break;
        kns_arena_reset(arena);
    }
    free(batch);
    kns_arena_free(arena);
    return status;
}

/* ---- on the loop -------------------------------------------------------------------------------------------------------- */

static void read_done(struct kns_read *read)
{
    struct events *e = (struct events *)((char *)read - offsetof(struct events, read));
    struct kns_server *server = e->server;

    e->reading = false;
    server->working--;
    /* From the answer on nothing is missed, because the beginning is known by now. */
    struct exchange *unanswered = e->x;
    e->x = NULL;
    if (unanswered != NULL)
        kns_exchange_done(unanswered);
    /* What could not be read is not skipped: the client comes back with its cursor. */
    if (read->status != KNS_OK)
        kns_stream_end(e->stream);
    bool alive = !e->stream->gone && !e->stream->ended;
    if (alive && e->out.len > 0)
        alive = kns_stream_write(e->stream, e->out.data, e->out.len);
    kns_buf_reset(&e->out);
    kns_server_wake(server);
    if (!alive)
        free_events(e);
    else if (e->more || e->again)
        read_on(e);
}

static void read_on(struct events *e)
{
    /* A client that has not taken the last batches gets the next one when it has: see on_drained. */
    e->again = e->reading || kns_stream_waiting(e->stream) > WAITING_MOST;
    if (e->again)
        return;
    e->reading = true;
    e->server->working++;
    e->read.run = run_read;
    e->read.done = read_done;
    kns_readers_submit(e->server->parts.readers, &e->read);
}

static void on_drained(void *ctx)
{
    struct events *e = ctx;

    if (e->again && !e->reading)
        read_on(e);
}

void kns_server_events_ready(struct kns_server *server, int64_t seq)
{
    (void)seq;
    for (struct events *e = server->streams, *next; e != NULL; e = next) {
        next = e->next;
        if (e->stream->gone && !e->reading)
            free_events(e);
        else
            read_on(e);
    }
}

/* A comment now and then keeps connections open, and finds those that are dead. */
static void on_heartbeat(uv_timer_t *timer)
{
    struct kns_server *server = timer->data;

    for (struct events *e = server->streams, *next; e != NULL; e = next) {
        next = e->next;
        if (!kns_stream_write(e->stream, ":\n\n", 3) && !e->reading)
            free_events(e);
    }
    kns_server_wake(server);
}

/* A closed connection that sleeps is found out when something is written; when places are short, earlier. */
static void end_abandoned(struct kns_server *server)
{
    for (struct events *e = server->streams, *next; e != NULL; e = next) {
        next = e->next;
        if (!kns_stream_is_abandoned(e->stream))
            continue;
        kns_stream_end(e->stream);
        if (!e->reading)
            free_events(e);
    }
    kns_server_wake(server);
}

void kns_serve_events_start(struct kns_server *server)
{
    uv_timer_init(server->parts.loop, &server->heartbeat);
    server->heartbeat.data = server;
    uv_timer_start(&server->heartbeat, on_heartbeat, HEARTBEAT_MS, HEARTBEAT_MS);
}

void kns_serve_events_stop(struct kns_server *server)
{
    uv_timer_stop(&server->heartbeat);
    for (struct events *e = server->streams, *next; e != NULL; e = next) {
        next = e->next;
        kns_stream_end(e->stream);
        if (!e->reading)
            free_events(e);
    }
}

static bool read_kinds(struct kns_request *request, bool kinds[3])
{
    const char *list = kns_request_parameter(request, "kinds");

    for (int i = 0; i < 3; i++)
        kinds[i] = list == NULL;
    while (list != NULL && *list != '\0') {
        size_t len = strcspn(list, ",");
        bool known = false;
        for (int i = 0; i < 3; i++) {
            const char *name = kns_event_kind_name((enum kns_event_kind)i);
            if (strlen(name) == len && strncmp(name, list, len) == 0)
                kinds[i] = known = true;
        }
        if (!known) {
            kns_request_problem(request, 400,
                                "kinds: expected item, feed, poll, with commas between");
            return false;
        }
        list += len + (list[len] == ',');
    }
    return true;
}

static bool read_cursor(struct kns_request *request, int64_t *ret)
{
    const char *since = request->last_event_id != NULL ? request->last_event_id
                                                       : kns_request_parameter(request, "since");
    char *end;

    *ret = -1;
    if (since == NULL || *since == '\0')
        return true;
    *ret = strtoll(since, &end, 10);
    if (*end == '\0' && *ret >= 0)
        return true;
    kns_request_problem(request, 400, "since: expected the number of an event");
    return false;
}

/* The filters outlive the request. */
static bool read_filters(struct exchange *x, struct events *e)
{
    const char *q = kns_request_parameter(&x->request, "q");
    struct kns_item_query query = {0};

    if (!read_kinds(&x->request, e->kinds) || !read_cursor(&x->request, &e->cursor) ||
        !kns_request_feeds(&x->request, &query))
        return false;
    int64_t *feeds = kns_arena_alloc(e->arena, (query.n_feeds + 1) * sizeof(*feeds));
    if (feeds == NULL) {
        kns_request_problem(&x->request, 503, "out of memory");
        return false;
    }
    if (query.n_feeds > 0)
        memcpy(feeds, query.feeds, query.n_feeds * sizeof(*feeds));
    e->feeds = feeds;
    e->n_feeds = query.n_feeds;
    e->tag = kns_arena_strdup(e->arena, kns_request_parameter(&x->request, "tag"));
    e->q = q == NULL || *q == '\0' ? NULL : kns_arena_strdup(e->arena, q);
    return true;
}

static bool has_place(struct kns_server *server)
{
    if (server->n_streams >= MOST_STREAMS)
        end_abandoned(server);
    return server->n_streams < MOST_STREAMS;
}

/* The stream's own memory; NULL: there is none. */
static struct events *new_events(struct kns_server *server)
{
    struct events *e = calloc(1, sizeof(*e));

    if (e != NULL)
        e->arena = kns_arena_new(0);
    if (e == NULL || e->arena == NULL) {
        free(e);
        return NULL;
    }
    e->server = server;
    kns_buf_init(&e->out, 0);
    return e;
}

static void drop_events(struct events *e)
{
    kns_arena_free(e->arena);
    free(e);
}

enum MHD_Result kns_serve_events(struct exchange *x)
{
    struct kns_server *server = x->server;
    struct events *e = new_events(server);

    if (e == NULL)
        return MHD_NO;
    bool good = read_filters(x, e);
    if (good && !has_place(server)) {
        kns_request_problem(&x->request, 503, "%d streams of events are open: try later",
                            MOST_STREAMS);
        good = false;
    }
    if (!good) {
        drop_events(e);
        return kns_exchange_answer(x);
    }
    x->stream = kns_stream_new(x->connection);
    if (x->stream == NULL) {
        drop_events(e);
        return MHD_NO;
    }
    kns_stream_ref(x->stream);
    e->stream = x->stream;
    e->stream->on_drained = on_drained;
    e->stream->ctx = e;
    e->next = server->streams;
    server->streams = e;
    server->n_streams++;
    kns_stream_write(e->stream, ":\n\n", 3);
    if (e->cursor < 0) {
        x->request.answer_type = "text/event-stream";
        e->x = x;
        kns_exchange_begin(x);
        read_on(e);
        return MHD_YES;
    }
    enum MHD_Result queued = kns_exchange_stream(x, "text/event-stream");
    read_on(e);
    return queued;
}
