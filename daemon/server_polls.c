/* Requests that go to the poller: subscribing, refreshing; and the figures. */
#include "daemon/poller.h"
#include "daemon/server_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- subscribing ---------------------------------------------------------------------------------------------------- */

static json_t *candidates_json(const struct kns_add_result *result)
{
    json_t *array = json_array();

    for (size_t i = 0; i < result->n_candidates; i++) {
        json_t *object = json_pack("{s:s}", "url", result->candidates[i].url);
        if (result->candidates[i].title != NULL)
            json_object_set_new(object, "title", json_string(result->candidates[i].title));
        if (result->candidates[i].type != NULL)
            json_object_set_new(object, "type", json_string(result->candidates[i].type));
        json_array_append_new(array, object);
    }
    return array;
}

static enum kns_status read_added(struct kns_read *read, struct kns_store *store,
                                  struct kns_error *err)
{
    struct exchange *x = (struct exchange *)((char *)read - offsetof(struct exchange, read));
    struct kns_feed *feed = NULL;
    enum kns_status status =
        kns_store_get_feed(store, x->request.arena, x->request.id, false, &feed, err);

    if (status == KNS_OK)
        kns_request_answer(&x->request, x->request.status, kns_feed_json(feed));
    return status;
}

static void added_read(struct kns_read *read)
{
    struct exchange *x = (struct exchange *)((char *)read - offsetof(struct exchange, read));

    if (read->status != KNS_OK)
        kns_request_fail(&x->request, &read->err);
    kns_exchange_done(x);
}

static void on_added(void *ctx, const struct kns_add_result *result)
{
    struct exchange *x = ctx;
    struct kns_request *r = &x->request;

    if (result->status == KNS_OK) {
        r->id = result->feed_id;
        r->status = result->existed ? 200 : 201;
        r->location = kns_arena_printf(r->arena, "/v1/feeds/%lld", (long long)result->feed_id);
        x->read.run = read_added;
        x->read.done = added_read;
        kns_readers_submit(x->server->parts.readers, &x->read);
        return;
    }
    int status = result->n_candidates > 0       ? 409
                 : result->status == KNS_EIO    ? 502
                 : result->status == KNS_EINVAL ? 400
                 : result->status == KNS_EBUSY  ? 503
                                                : 422;
    kns_request_problem(r, status, "%s",
                        result->error == NULL ? kns_status_name(result->status) : result->error);
    if (result->n_candidates > 0) {
        json_t *problem = json_loadb(r->out.data, r->out.len, 0, NULL);
        json_object_set_new(problem, "candidates", candidates_json(result));
        kns_request_answer(r, status, problem);
        r->answer_type = "application/problem+json";
    }
    kns_exchange_done(x);
}

enum MHD_Result kns_serve_subscribe(struct exchange *x)
{
    struct kns_feed_edit edit;
    bool discover = true, force = false;

    if (!kns_request_feed_edit(&x->request, &edit, &discover, &force))
        return kns_exchange_answer(x);
    if (edit.url == NULL) {
        kns_request_problem(&x->request, 400, "\"url\" is missing");
        return kns_exchange_answer(x);
    }
    kns_exchange_begin(x);
    kns_poller_add(x->server->parts.poller, &edit, discover, force, on_added, x);
    return MHD_YES;
}

/* ---- refreshing ----------------------------------------------------------------------------------------------------- */

#define MOST_NAMED 10000 /* feeds by id in one request; all of them need no ids */

/* A refresh of several feeds; lives until the last has answered. */
struct refresh {
    struct kns_server *server;
    struct exchange *x;        /* until it is answered */
    struct kns_stream *stream; /* NULL: nobody waits */
    size_t total, finished;
    bool force, wait, all;
    struct kns_read read;
    int64_t *ids;
    size_t n_ids, cap_ids;
    json_t *unknown; /* ids that are no feed's */
};

static void free_refresh(struct refresh *r)
{
    if (r->stream != NULL) {
        kns_stream_end(r->stream);
        kns_server_wake(r->server);
        kns_stream_unref(r->stream);
    }
    json_decref(r->unknown);
    free(r->ids);
    free(r);
}

static json_t *progress_json(const struct refresh *r, const struct kns_refresh_result *result)
{
    json_t *json =
        json_pack("{s:I, s:b, s:I, s:I, s:I, s:I}", "feed_id", (json_int_t)result->feed_id,
                  "skipped", result->skipped, "new_items", (json_int_t)result->new_items,
                  "updated_items", (json_int_t)result->updated_items, "done",
                  (json_int_t)r->finished, "total", (json_int_t)r->total);

    /* What was not polled has no outcome. */
    if (json != NULL && !result->skipped)
        json_object_set_new(json, "outcome", json_string(kns_outcome_name(result->outcome)));
    if (json != NULL && result->http_status != 0)
        json_object_set_new(json, "status", json_integer(result->http_status));
    if (json != NULL && result->text != NULL && *result->text != '\0')
        json_object_set_new(json, "text", json_string(result->text));
    return json;
}

static void on_refreshed(void *ctx, const struct kns_refresh_result *result)
{
    struct refresh *r = ctx;

    r->finished++;
    if (r->stream != NULL) {
        json_t *json = progress_json(r, result);
        char *line = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
        if (line != NULL) {
            kns_stream_write(r->stream, line, strlen(line));
            kns_stream_write(r->stream, "\n", 1);
            kns_server_wake(r->server);
        }
        free(line);
        json_decref(json);
    }
    if (r->finished == r->total)
        free_refresh(r);
}

static bool keep_id(struct refresh *r, int64_t id)
{
    if (r->n_ids == r->cap_ids) {
        size_t cap = r->cap_ids == 0 ? 64 : r->cap_ids * 2;
        int64_t *ids = realloc(r->ids, cap * sizeof(*ids));
        if (ids == NULL)
            return false;
        r->ids = ids;
        r->cap_ids = cap;
    }
    r->ids[r->n_ids++] = id;
    return true;
}

static bool collect_id(void *ctx, const struct kns_feed *feed)
{
    bool polled = feed->state == KNS_FEED_ACTIVE || feed->state == KNS_FEED_FAILING;

    return !polled || keep_id(ctx, feed->id);
}

/* Takes out the ids that are no feed's. */
static enum kns_status sort_out_unknown(struct refresh *r, struct kns_store *store,
                                        struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    enum kns_status status = arena == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;
    size_t known = 0;

    for (size_t i = 0; status == KNS_OK && i < r->n_ids; i++) {
        struct kns_feed *feed = NULL;
        kns_arena_reset(arena);
        status = kns_store_get_feed(store, arena, r->ids[i], false, &feed, err);
        if (status == KNS_OK)
            r->ids[known++] = r->ids[i];
        else if (status == KNS_ENOTFOUND)
            status = json_array_append_new(r->unknown, json_integer(r->ids[i])) == 0
                         ? KNS_OK
                         : kns_fail(err, KNS_ENOMEM, "out of memory");
    }
    r->n_ids = known;
    kns_arena_free(arena);
    return status;
}

static enum kns_status read_ids(struct kns_read *read, struct kns_store *store,
                                struct kns_error *err)
{
    struct refresh *r = (struct refresh *)((char *)read - offsetof(struct refresh, read));

    return r->all ? kns_store_each_feed(store, NULL, collect_id, r, err)
                  : sort_out_unknown(r, store, err);
}

/* The answer, now that it is known what is polled: a stream for who waits, else a count. */
static enum kns_status begin_answer(struct refresh *r)
{
    struct exchange *x = r->x;

    if (x->request.id != 0 && r->n_ids == 0) {
        kns_request_problem(&x->request, 404, "no such feed: %" PRId64, x->request.id);
        return KNS_ENOTFOUND;
    }
    r->total = r->n_ids + json_array_size(r->unknown);
    if (!r->wait) {
        kns_request_answer(
            &x->request, 202,
            json_pack("{s:I, s:O}", "feeds", (json_int_t)r->n_ids, "unknown", r->unknown));
        return KNS_OK;
    }
    x->stream = kns_stream_new(x->connection);
    if (x->stream == NULL) {
        kns_request_problem(&x->request, 503, "out of memory");
        return KNS_ENOMEM;
    }
    x->request.answer_type = "application/x-ndjson";
    kns_stream_ref(x->stream);
    r->stream = x->stream;
    return KNS_OK;
}

/* Each callback comes later, and the last one frees r; so what it holds is handed over first. */
static void begin_polls(struct refresh *r)
{
    struct kns_poller *poller = r->server->parts.poller;
    json_t *unknown = r->unknown, *id;
    int64_t *ids = r->ids;
    size_t n = r->n_ids, index;

    if (r->total == 0) {
        free_refresh(r);
        return;
    }
    r->ids = NULL;
    for (size_t i = 0; i < n; i++)
        kns_poller_refresh(poller, ids[i], r->force, on_refreshed, r);
    json_incref(unknown);
    json_array_foreach(unknown, index, id)
    {
        kns_poller_refresh(poller, json_integer_value(id), r->force, on_refreshed, r);
    }
    json_decref(unknown);
    free(ids);
}

static void ids_read(struct kns_read *read)
{
    struct refresh *r = (struct refresh *)((char *)read - offsetof(struct refresh, read));
    struct exchange *x = r->x;
    bool good = read->status == KNS_OK;

    if (!good)
        kns_request_fail(&x->request, &read->err);
    good = good && begin_answer(r) == KNS_OK;
    r->x = NULL;
    if (good)
        begin_polls(r);
    else
        free_refresh(r);
    kns_exchange_done(x);
}

static bool bad_body(struct exchange *x, const char *name, const char *expected)
{
    kns_request_problem(&x->request, 400, "\"%.60s\": expected %s", name, expected);
    return false;
}

static bool read_named(struct exchange *x, struct refresh *r, const json_t *feeds)
{
    size_t index;
    json_t *id;

    r->all = false;
    if (!json_is_array(feeds) || json_array_size(feeds) > MOST_NAMED)
        return bad_body(x, "feeds", "an array of ids, at most 10000");
    json_array_foreach(feeds, index, id)
    {
        if (!json_is_integer(id) || !keep_id(r, json_integer_value(id)))
            return bad_body(x, "feeds", "an array of ids, at most 10000");
    }
    return true;
}

/* Which feeds, and how: from the path, the parameters and the body. */
static bool read_wanted(struct exchange *x, struct refresh *r)
{
    const char *name;
    json_t *value;

    if (!kns_request_flag(&x->request, "wait", &r->wait) ||
        !kns_request_flag(&x->request, "force", &r->force))
        return false;
    bool one = x->request.id != 0;
    if (one && !keep_id(r, x->request.id))
        return false;
    r->all = !one;
    json_object_foreach(x->request.json, name, value)
    {
        if (strcmp(name, "feeds") == 0 && !one) {
            if (!read_named(x, r, value))
                return false;
        } else if (strcmp(name, "force") != 0) {
            kns_request_problem(&x->request, 400, "\"%.60s\": no such member: expected %s", name,
                                one ? "force" : "feeds, force");
            return false;
        } else if (!json_is_boolean(value)) {
            return bad_body(x, name, "true or false");
        } else {
            r->force = r->force || json_is_true(value);
        }
    }
    return true;
}

enum MHD_Result kns_serve_refresh(struct exchange *x)
{
    struct refresh *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return MHD_NO;
    r->server = x->server;
    r->x = x;
    r->unknown = json_array();
    if (!read_wanted(x, r)) {
        free_refresh(r);
        return kns_exchange_answer(x);
    }
    r->read.run = read_ids;
    r->read.done = ids_read;
    kns_exchange_begin(x);
    kns_readers_submit(x->server->parts.readers, &r->read);
    return MHD_YES;
}

/* ---- figures -------------------------------------------------------------------------------------------------------- */

static void add_metric(struct kns_buf *out, const char *name, const char *type, const char *help,
                       double value)
{
    kns_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, type, name,
                 value);
}

static void write_websub_metrics(struct exchange *x, struct kns_buf *out)
{
    struct kns_websub_figures w;

    kns_websub_get_figures(x->server->parts.websub, &w);
    kns_buf_adds(out, "# HELP kns_websub_subscriptions Subscriptions at hubs by state.\n"
                      "# TYPE kns_websub_subscriptions gauge\n");
    for (int i = 0; i <= KNS_WEBSUB_LEAVING; i++)
        kns_buf_addf(out, "kns_websub_subscriptions{state=\"%s\"} %" PRId64 "\n",
                     kns_websub_state_name((enum kns_websub_state)i), w.subscriptions[i]);
    kns_buf_adds(out, "# HELP kns_websub_pushes_total What hubs sent, by what became of it.\n"
                      "# TYPE kns_websub_pushes_total counter\n");
    for (int i = 0; i < KNS_DELIVERY_RESULTS; i++)
        kns_buf_addf(out, "kns_websub_pushes_total{result=\"%s\"} %" PRId64 "\n",
                     kns_delivery_result_name((enum kns_delivery_result)i), w.deliveries[i]);
    add_metric(out, "kns_websub_items_new_total", "counter",
               "Items stored of what hubs sent, since the start.", (double)w.items_new);
}

static void write_metrics(struct exchange *x, const struct kns_store_figures *s,
                          const struct kns_poller_figures *p)
{
    struct kns_buf *out = &x->request.out;

    add_metric(out, "kns_feeds", "gauge", "Subscriptions.", (double)s->feeds);
    add_metric(out, "kns_feeds_failing", "gauge", "Subscriptions whose last poll failed.",
               (double)s->feeds_failing);
    add_metric(out, "kns_feeds_paused", "gauge", "Subscriptions that are paused.",
               (double)s->feeds_paused);
    add_metric(out, "kns_feeds_gone", "gauge", "Subscriptions that their publishers ended.",
               (double)s->feeds_gone);
    add_metric(out, "kns_items", "gauge", "Stored items.", (double)s->items);
    add_metric(out, "kns_items_new_total", "counter", "Items stored since the start.",
               (double)p->items_new);
    add_metric(out, "kns_database_bytes", "gauge", "Size of the database file.",
               (double)s->file_bytes);
    add_metric(out, "kns_polls_in_flight", "gauge", "Transfers under way.", (double)p->in_flight);
    add_metric(out, "kns_polls_due", "gauge", "Feeds that are due and wait for a place.",
               (double)p->due);
    add_metric(out, "kns_writes_queued", "gauge", "Writes that wait for the writer.",
               (double)kns_writer_queued(x->server->parts.writer));
    add_metric(out, "kns_received_bytes_total", "counter", "Bytes of bodies received.",
               (double)p->bytes);
    kns_buf_adds(out, "# HELP kns_polls_total Polls by outcome.\n# TYPE kns_polls_total counter\n");
    for (int i = 0; i <= KNS_POLL_ERROR; i++)
        kns_buf_addf(out, "kns_polls_total{outcome=\"%s\"} %" PRId64 "\n",
                     kns_outcome_name((enum kns_outcome)i), p->polls_by_outcome[i]);
    kns_buf_adds(out, "# HELP kns_poll_duration_seconds Time that polls took, by outcome.\n# TYPE "
                      "kns_poll_duration_seconds summary\n");
    for (int i = 0; i <= KNS_POLL_ERROR; i++) {
        const char *name = kns_outcome_name((enum kns_outcome)i);
        kns_buf_addf(out, "kns_poll_duration_seconds_sum{outcome=\"%s\"} %.6f\n", name,
                     p->seconds_by_outcome[i]);
        kns_buf_addf(out, "kns_poll_duration_seconds_count{outcome=\"%s\"} %" PRId64 "\n", name,
                     p->polls_by_outcome[i]);
    }
    write_websub_metrics(x, out);
    x->request.answer_type = "text/plain; version=0.0.4; charset=utf-8";
    x->request.status = 200;
}

static json_t *status_json(struct exchange *x, const struct kns_store_figures *s,
                           const struct kns_poller_figures *p)
{
    char time[KNS_TIME_TEXT];
    const char *trouble = kns_writer_trouble(x->server->parts.writer);
    json_t *json = json_pack(
        "{s:s, s:I, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I, s:I, "
        "s:I, s:I}, s:{s:I, s:I, s:i, s:I, s:b}}",
        "version", KNS_VERSION, "uptime_seconds",
        (json_int_t)(kns_time_now().unix_s - x->server->started.unix_s), "feeds", "total",
        (json_int_t)s->feeds, "paused", (json_int_t)s->feeds_paused, "failing",
        (json_int_t)s->feeds_failing, "gone", (json_int_t)s->feeds_gone, "items", "total",
        (json_int_t)s->items, "unread", (json_int_t)s->items_unread, "starred",
        (json_int_t)s->items_starred, "unsearchable", (json_int_t)s->items_behind, "polls", "total",
        (json_int_t)p->polls, "failed", (json_int_t)p->polls_failed, "in_flight",
        (json_int_t)p->in_flight, "due", (json_int_t)p->due, "new_items", (json_int_t)p->items_new,
        "bytes", (json_int_t)p->bytes, "store", "bytes", (json_int_t)s->file_bytes, "wal_bytes",
        (json_int_t)s->wal_bytes, "schema", s->schema_version, "last_event",
        (json_int_t)s->events_last, "writable", *trouble == '\0');

    if (json == NULL)
        return NULL;
    if (*trouble != '\0')
        json_object_set_new(json_object_get(json, "store"), "trouble", json_string(trouble));
    if (kns_time_given(p->next_poll_at))
        json_object_set_new(json_object_get(json, "polls"), "next_at",
                            json_string(kns_time_format(p->next_poll_at, time)));
    return json;
}

/* The store's figures come from a reader; the poller's are the loop's own and are added when they are back. */
struct figures {
    struct exchange *x;
    struct kns_read read;
    struct kns_store_figures store;
};

static enum kns_status read_figures(struct kns_read *read, struct kns_store *store,
                                    struct kns_error *err)
{
    struct figures *f = (struct figures *)((char *)read - offsetof(struct figures, read));

    return kns_store_get_figures(store, &f->store, err);
}

static void figures_read(struct kns_read *read)
{
    struct figures *f = (struct figures *)((char *)read - offsetof(struct figures, read));
    struct exchange *x = f->x;
    struct kns_poller_figures polls;

    kns_poller_get_figures(x->server->parts.poller, &polls);
    if (read->status != KNS_OK)
        kns_request_fail(&x->request, &read->err);
    else if (x->route->kind == KNS_ROUTE_METRICS)
        write_metrics(x, &f->store, &polls);
    else
        kns_request_answer(&x->request, 200, status_json(x, &f->store, &polls));
    free(f);
    kns_exchange_done(x);
}

enum MHD_Result kns_serve_figures(struct exchange *x)
{
    struct figures *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return MHD_NO;
    f->x = x;
    f->read.run = read_figures;
    f->read.done = figures_read;
    kns_exchange_begin(x);
    kns_readers_submit(x->server->parts.readers, &f->read);
    return MHD_YES;
}
