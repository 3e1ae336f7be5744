/* libmicrohttpd in external epoll mode: its epoll descriptor is watched by the loop, its time-outs are a timer of the loop.
 * The happy path of a request: collect header and body, find the route, suspend the connection, work (reader, writer or poller), answer, resume.
 * A request is freed when its connection has completed and nobody works for it any more. */
#include "daemon/server.h"

#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/readers.h"
#include "daemon/routes.h"
#include "daemon/server_internal.h"
#include "daemon/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A connection that says nothing for so long is closed; streams send something more often. */
#define IDLE_S 120
/* Strangers may connect where hubs do. */
#define CALLBACK_IDLE_S 30
#define MAX_CONNECTIONS 512
/* The header of one request. */
#define CONNECTION_MEMORY ((size_t)64 << 10)

/* ---- the loop ------------------------------------------------------------------------------------------------------ */

static void rearm(struct door *door);
static void on_timer(uv_timer_t *timer);

static unsigned connections_of(const struct door *door)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(door->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info == NULL ? 0 : info->num_connections;
}

/* A door that was full, or found no descriptor, listens again only in a run after the one in which somebody left. */
static void on_run(struct door *door)
{
    unsigned before = door->connections;

    MHD_run(door->mhd);
    door->connections = connections_of(door);
    rearm(door);
    if (door->connections < before && !door->server->stopping)
        uv_timer_start(&door->timer, on_timer, 0, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    on_run(poll->data);
}

static void on_timer(uv_timer_t *timer)
{
    on_run(timer->data);
}

static void rearm(struct door *door)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;

    if (door->server->stopping) /* the timer is try_stop's then */
        return;
    if (MHD_get_timeout(door->mhd, &wait) == MHD_YES)
        uv_timer_start(&door->timer, on_timer, wait, 0);
    else
        uv_timer_stop(&door->timer);
}

/* Connections were resumed: libmicrohttpd must run, but never inside what resumed them. */
void kns_server_wake(struct kns_server *server)
{
    for (size_t i = 0; i < server->n_doors && !server->stopping; i++)
        uv_timer_start(&server->doors[i].timer, on_timer, 0, 0);
}

/* ---- answering ------------------------------------------------------------------------------------------------------ */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value != NULL)
        MHD_add_response_header(response, name, value);
}

static enum MHD_Result send_answer(struct exchange *x)
{
    struct kns_request *r = &x->request;
    size_t size = r->out.len;
    char *body = kns_buf_take(&r->out);
    struct MHD_Response *response =
        body == NULL ? NULL : MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);

    if (response == NULL)
        return MHD_NO;
    if (r->status != 204 && r->status != 304)
        add_header(response, "Content-Type", r->answer_type);
    add_header(response, "Link", r->link);
    add_header(response, "ETag", r->etag);
    add_header(response, "Last-Modified", r->last_modified);
    add_header(response, "Location", r->location);
    add_header(response, "Allow", r->allow);
    add_header(response, "Cache-Control", "no-cache");
    x->answered = true;
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return queued;
}

enum MHD_Result kns_exchange_stream(struct exchange *x, const char *type)
{
    struct MHD_Response *response = kns_stream_response(x->stream);

    if (response == NULL)
        return MHD_NO;
    x->stream = NULL; /* the response's now */
    x->answered = true;
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result queued = MHD_queue_response(x->connection, 200, response);
    MHD_destroy_response(response);
    return queued;
}

static void free_exchange(struct exchange *x)
{
    if (x->users > 0)
        return;
    if (x->delivery != NULL)
        kns_delivery_drop(x->delivery);
    if (x->stream != NULL)
        kns_stream_drop(x->stream);
    kns_buf_fini(&x->body);
    kns_buf_fini(&x->request.out);
    json_decref(x->request.json);
    kns_arena_free(x->request.arena);
    free(x);
}

/* The work is done: the connection goes on, and takes its answer in on_request. */
void kns_exchange_done(struct exchange *x)
{
    x->users--;
    x->server->working--;
    x->ready = true;
    if (x->gone) {
        free_exchange(x);
        return;
    }
    MHD_resume_connection(x->connection);
    kns_server_wake(x->server);
}

void kns_exchange_begin(struct exchange *x)
{
    x->users++;
    x->server->working++;
    MHD_suspend_connection(x->connection);
}

/* ---- reads and writes ------------------------------------------------------------------------------------------------- */

static enum kns_status run_handler(struct exchange *x, struct kns_store *store,
                                   struct kns_error *err)
{
    enum kns_status status = x->route->handler(&x->request, store, err);

    if (status != KNS_OK)
        kns_request_fail(&x->request, err);
    return status;
}

static enum kns_status run_read(struct kns_read *read, struct kns_store *store,
                                struct kns_error *err)
{
    return run_handler((struct exchange *)((char *)read - offsetof(struct exchange, read)), store,
                       err);
}

static enum kns_status run_write(struct kns_write *write, struct kns_store *store,
                                 struct kns_error *err)
{
    return run_handler((struct exchange *)((char *)write - offsetof(struct exchange, write)), store,
                       err);
}

static void read_done(struct kns_read *read)
{
    struct exchange *x = (struct exchange *)((char *)read - offsetof(struct exchange, read));

    if (x->request.status == 0 && read->status == KNS_OK && x->request.pictures != NULL &&
        !x->request.pictures_ready) {
        kns_serve_pictures(x);
        return;
    }
    if (x->request.status == 0) /* the database could not even be opened */
        kns_request_fail(&x->request, &read->err);
    kns_exchange_done(x);
}

static void write_done(struct kns_write *write)
{
    struct exchange *x = (struct exchange *)((char *)write - offsetof(struct exchange, write));

    if (write->status !=
        KNS_OK) /* its own failure, or that of the group's commit: nothing is stored */
        kns_request_fail(&x->request, &write->err);
    else if (x->request.feed_changed > 0)
        kns_poller_feed_changed(x->server->parts.poller, x->request.feed_changed);
    else if (x->request.feed_changed < 0)
        kns_poller_feeds_changed(x->server->parts.poller);
    kns_exchange_done(x);
}

static enum MHD_Result dispatch(struct exchange *x)
{
    struct kns_server_parts *parts = &x->server->parts;

    switch (x->route->kind) {
    case KNS_ROUTE_READ:
        x->read.run = run_read;
        x->read.done = read_done;
        kns_exchange_begin(x);
        kns_readers_submit(parts->readers, &x->read);
        return MHD_YES;
    case KNS_ROUTE_WRITE:
        x->write.run = run_write;
        x->write.done = write_done;
        kns_exchange_begin(x);
        kns_writer_submit(parts->writer, &x->write);
        return MHD_YES;
    case KNS_ROUTE_SUBSCRIBE:
        return kns_serve_subscribe(x);
    case KNS_ROUTE_LINK:
        return kns_serve_link(x);
    case KNS_ROUTE_LINK_CHECK:
        return kns_serve_link_check(x);
    case KNS_ROUTE_SEND:
        return kns_serve_send(x);
    case KNS_ROUTE_REFRESH:
        return kns_serve_refresh(x);
    case KNS_ROUTE_EVENTS:
        return kns_serve_events(x);
    case KNS_ROUTE_STATUS:
    case KNS_ROUTE_METRICS:
        return kns_serve_figures(x);
    case KNS_ROUTE_INTENT:
        return kns_serve_intent(x);
    case KNS_ROUTE_DELIVERY:
        return kns_serve_delivery(x);
    case KNS_ROUTE_HEALTH:
        kns_buf_adds(&x->request.out, "ok\n");
        x->request.answer_type = "text/plain; charset=utf-8";
        x->request.status = 200;
        return send_answer(x);
    }
    return MHD_NO;
}

enum MHD_Result kns_exchange_answer(struct exchange *x)
{
    return send_answer(x);
}

/* ---- requests ----------------------------------------------------------------------------------------------------------- */

/* A value with a NUL inside is no text: it becomes one that no route takes. */
static enum MHD_Result on_parameter(void *ctx, enum MHD_ValueKind kind, const char *name,
                                    size_t name_size, const char *value, size_t value_size)
{
    struct kns_request *r = ctx;

    (void)kind;
    (void)name_size;
    if (value == NULL)
        value = "";
    else if (strlen(value) != value_size)
        value = "\xFF";
    if (r->n_parameters < KNS_REQUEST_MAX_PARAMETERS)
        r->parameters[r->n_parameters] = (struct kns_parameter){kns_arena_strdup(r->arena, name),
                                                                kns_arena_strdup(r->arena, value)};
    r->n_parameters++;
    return MHD_YES;
}

static const char *header(struct exchange *x, const char *name)
{
    return kns_arena_strdup(x->request.arena,
                            MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

/* The host that the client believes to speak to; a proxy in front may say so, and that it was asked by TLS. */
static void read_address(struct exchange *x)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";
    const char *host = header(x, "Host"), *proto = header(x, "X-Forwarded-Proto");
    bool named = host != NULL && *host != '\0' && host[strspn(host, allowed)] == '\0';

    x->request.host = named ? host : "kns";
    x->request.scheme = proto != NULL && strcmp(proto, "https") == 0 ? "https" : "http";
}

/* A reload may free the configuration while the request is answered: it keeps what it needs of it. */
static bool keep_newsletters(struct kns_request *r, const struct kns_config *config)
{
    size_t n = config->n_newsletters > 0 ? config->n_newsletters : 1;
    struct kns_publication *all = kns_arena_alloc(r->arena, n * sizeof(*all));

    if (all == NULL)
        return false;
    /* Without a section of its own there is one newsletter, and it is what digests are. */
    all[0] = (struct kns_publication){.name = "main",
                                      .title = r->digest_title,
                                      .base_url = r->digest_base_url,
                                      .language = r->digest_language,
                                      .first_number = 1};
    for (size_t i = 0; i < config->n_newsletters; i++) {
        const struct kns_config_newsletter *from = &config->newsletters[i];
        all[i] = (struct kns_publication){
            .name = kns_arena_strdup(r->arena, from->name),
            .title = kns_arena_strdup(r->arena, from->title),
            .issue_title = kns_arena_strdup(r->arena, from->issue_title),
            .base_url = kns_arena_strdup(r->arena, from->base_url),
            .language = kns_arena_strdup(r->arena, from->language),
            .author = kns_arena_strdup(r->arena, from->author),
            .email = kns_arena_strdup(r->arena, from->email),
            .sections = kns_arena_strdup(r->arena, from->sections),
            .link_parameters = kns_arena_strdup(r->arena, from->link_parameters),
            .first_number = from->first_number};
        if (all[i].name == NULL || all[i].title == NULL)
            return false;
    }
    r->publications = all;
    r->n_publications = n;
    r->mail = (struct kns_mail_settings){
        .server = kns_arena_strdup(r->arena, config->mail.server),
        .user = kns_arena_strdup(r->arena, config->mail.user),
        .password_file = kns_arena_strdup(r->arena, config->mail.password_file),
        .from = kns_arena_strdup(r->arena, config->mail.from),
        .ca_file = kns_arena_strdup(r->arena, config->mail.ca_file),
        .tls = (enum kns_mail_security)config->mail.tls};
    return true;
}

/* Who asks: root, and who knsd runs as, administer it. */
static bool is_administrator(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return info != NULL &&
           getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

/* A request may name the whole URL (RFC 9112 3.2.2). */
static const char *path_of(const char *url)
{
    const char *authority = strncmp(url, "http://", 7) == 0    ? url + 7
                            : strncmp(url, "https://", 8) == 0 ? url + 8
                                                               : NULL;
    const char *path = authority == NULL ? url : strchr(authority, '/');

    return path == NULL ? "/" : path;
}

static struct exchange *begin_exchange(struct door *door, struct MHD_Connection *connection,
                                       const char *url, const char *method)
{
    struct kns_server *server = door->server;
    struct exchange *x = calloc(1, sizeof(*x));

    if (x == NULL || (x->request.arena = kns_arena_new(0)) == NULL) {
        free(x);
        return NULL;
    }
    x->server = server;
    x->door = door;
    x->connection = connection;
    const struct kns_config *config = server->parts.config;
    bool administrator = is_administrator(x->connection);
    x->request.file_sources = administrator && config->poll.file_sources;
    x->request.exec_sources = administrator && config->poll.exec_sources;
    x->request.digest_title = kns_arena_strdup(x->request.arena, config->digest.title);
    x->request.digest_base_url = kns_arena_strdup(x->request.arena, config->digest.base_url);
    x->request.digest_language = kns_arena_strdup(x->request.arena, config->digest.language);
    x->request.template_dir = config->digest.template_dir[0] == '\0'
                                  ? NULL
                                  : kns_arena_strdup(x->request.arena, config->digest.template_dir);
    bool kept = keep_newsletters(&x->request, config);
    x->request.method = kept ? kns_arena_strdup(x->request.arena, method) : NULL;
    x->request.path = kns_arena_strdup(x->request.arena, path_of(url));
    kns_buf_init(&x->body, KNS_REQUEST_MAX_BODY);
    kns_buf_init(&x->request.out, KNS_ANSWER_MAX_BODY);
    x->request.if_none_match = header(x, "If-None-Match");
    x->request.last_event_id = header(x, "Last-Event-ID");
    x->request.if_modified_since = header(x, "If-Modified-Since");
    read_address(x);
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, on_parameter, &x->request);
    return x;
}

static enum MHD_Result act(struct exchange *x)
{
    struct kns_request *r = &x->request;

    x->dispatched = true;
    r->body = kns_buf_str(&x->body);
    r->body_size = x->body.len;
    if (r->path == NULL || r->method == NULL || r->digest_title == NULL ||
        r->digest_base_url == NULL || r->digest_language == NULL)
        return MHD_NO;
    if (kns_buf_failed(&x->body))
        kns_request_problem(r, 413, "the body is larger than %u bytes", KNS_REQUEST_MAX_BODY);
    else if (x->route == NULL)
        x->route = kns_route_find(r);
    return x->route == NULL ? send_answer(x) : dispatch(x);
}

/* What says beforehand that it is too large need not be sent. */
static bool announces_too_much(struct exchange *x)
{
    const char *length = header(x, "Content-Length");

    return length != NULL && strtoull(length, NULL, 10) > KNS_REQUEST_MAX_BODY;
}

/* Callbacks may live below a path, which a reverse proxy need not take away. */
static bool is_callback(struct exchange *x)
{
    struct kns_request *r = &x->request;
    const char *prefix =
        kns_hub_path_prefix(r->arena, x->server->parts.config->websub.callback_url);
    size_t len = prefix == NULL ? 0 : strlen(prefix);

    if (r->path == NULL)
        return false;
    if (len > 0 && strncmp(r->path, prefix, len) == 0 &&
        strncmp(r->path + len, KNS_CALLBACK_PATH, strlen(KNS_CALLBACK_PATH)) == 0)
        r->path += len;
    return strncmp(r->path, KNS_CALLBACK_PATH, strlen(KNS_CALLBACK_PATH)) == 0;
}

/* ---- what every request must say, and say once ---------------------------------------------------------------------------- */

/* What RFC 9112 wants of a request before it may be taken for one: 3.2 (one Host), 6.1 and 6.3 (one length). libmicrohttpd takes the
 * first of several, and another server in between the last. */
struct framing {
    int hosts, lengths, encodings;
    bool bad_host, bad_encoding;
};

static enum MHD_Result count_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    static const char in_a_host[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                    "-._~!$&'()*+,;=%:[]";
    struct framing *f = ctx;

    (void)kind;
    value = value == NULL ? "" : value;
    if (strcasecmp(name, "Host") == 0) {
        f->hosts++;
        f->bad_host = f->bad_host || value[strspn(value, in_a_host)] != '\0';
    } else if (strcasecmp(name, "Content-Length") == 0) {
        f->lengths++;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        f->encodings++;
        f->bad_encoding = f->bad_encoding || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

/* False: it cannot be answered but with a problem, which is there. */
static bool is_well_framed(struct exchange *x, const char *version)
{
    struct framing f = {0};
    const char *why = NULL;

    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_header, &f);
    if (f.hosts != 1 && (f.hosts > 1 || strcmp(version, "HTTP/1.0") != 0))
        why =
            f.hosts == 0 ? "a request of HTTP/1.1 has a Host header" : "more than one Host header";
    else if (f.bad_host)
        why = "the Host header names no host";
    else if (f.lengths + f.encodings > 1)
        why = "more than one Content-Length or Transfer-Encoding header";
    else if (f.bad_encoding)
        why = "the only Transfer-Encoding that is taken is chunked";
    if (why != NULL)
        kns_request_problem(&x->request, 400, "%s", why);
    return why == NULL;
}

static enum MHD_Result on_header(struct exchange *x, const char *version)
{
    if (!is_well_framed(x, version)) {
        x->dispatched = true;
        return send_answer(x);
    }
    bool callback = is_callback(x);

    if (callback && x->request.method != NULL && kns_begin_callback(x))
        return MHD_YES;
    if (callback || x->door->callbacks_only) {
        x->dispatched = true;
        if (x->door->callbacks_only && x->route == NULL) {
            kns_buf_reset(&x->request.out);
            x->request.allow = NULL;
            kns_request_problem(&x->request, 404, "not found");
        }
        return send_answer(x);
    }
    if (!announces_too_much(x))
        return MHD_YES;
    x->dispatched = true;
    kns_request_problem(&x->request, 413, "the body is larger than %u bytes", KNS_REQUEST_MAX_BODY);
    return send_answer(x);
}

static enum MHD_Result on_resumed(struct exchange *x)
{
    if (!x->ready || x->answered)
        return MHD_YES;
    return x->stream != NULL ? kns_exchange_stream(x, x->request.answer_type) : send_answer(x);
}

/* Called when the header is there, for each piece of the body, at its end, and again when the connection was resumed. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    struct exchange *x = *state;

    if (x == NULL) {
        x = begin_exchange(ctx, connection, url, method);
        *state = x;
        return x == NULL ? MHD_NO : on_header(x, version);
    }
    if (*upload_size > 0) {
        if (x->delivery != NULL)
            kns_delivery_add(x->delivery, upload, *upload_size);
        else if (!x->door->callbacks_only)
            kns_buf_add(&x->body, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    return x->dispatched ? on_resumed(x) : act(x);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *state;

    (void)ctx;
    (void)connection;
    (void)code;
    if (x == NULL)
        return;
    x->gone = true;
    *state = NULL;
    free_exchange(x);
}

/* ---- starting and stopping ---------------------------------------------------------------------------------------------- */

static void on_mhd_log(void *ctx, const char *format, va_list args)
{
    char line[512];

    (void)ctx;
    vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    kns_log(KNS_LOG_DEBUG, "socket: %s", line);
}

static enum kns_status open_door(struct kns_server *server, int listen_fd, bool callbacks_only,
                                 struct kns_error *err)
{
    struct door *door = &server->doors[server->n_doors];

    door->server = server;
    door->callbacks_only = callbacks_only;
    fcntl(listen_fd, F_SETFL, fcntl(listen_fd, F_GETFL) | O_NONBLOCK);
    door->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
        door, MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, door, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(callbacks_only ? CALLBACK_IDLE_S : IDLE_S), MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)MAX_CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY,
        MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        door->mhd == NULL ? NULL : MHD_get_daemon_info(door->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL)
        return kns_fail(err, KNS_EIO, "the HTTP server cannot be started: %s", strerror(errno));
    uv_timer_init(server->parts.loop, &door->timer);
    uv_poll_init(server->parts.loop, &door->poll, info->listen_fd);
    door->timer.data = door->poll.data = door;
    uv_poll_start(&door->poll, UV_READABLE, on_readable);
    server->n_doors++;
    return KNS_OK;
}

enum kns_status kns_server_start(const struct kns_server_parts *parts, int listen_fd,
                                 int callback_fd, struct kns_server **ret_server,
                                 struct kns_error *err)
{
    struct kns_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    server->parts = *parts;
    server->started = kns_time_now();
    enum kns_status status = open_door(server, listen_fd, false, err);
    if (status != KNS_OK) {
        free(server);
        return status;
    }
    kns_serve_events_start(server);
    *ret_server = server;
    /* What was opened is the caller's to stop. */
    return callback_fd < 0 ? KNS_OK : open_door(server, callback_fd, true, err);
}

void kns_server_set_config(struct kns_server *server, const struct kns_config *config)
{
    server->parts.config = config;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct kns_server *server = handle->data;

    if (--server->handles > 0)
        return;
    server->stopped(server->stopped_ctx);
    free(server);
}

static void close_handle(struct kns_server *server, uv_handle_t *handle)
{
    handle->data = server;
    server->handles++;
    uv_close(handle, on_handle_closed);
}

/* Answers under way finish first; every tick looks again. */
static void try_stop(uv_timer_t *timer)
{
    struct kns_server *server = ((struct door *)timer->data)->server;

    for (size_t i = 0; i < server->n_doors; i++)
        MHD_run(server->doors[i].mhd);
    if (server->working > 0 && uv_now(server->parts.loop) < server->stop_by_ms) {
        uv_timer_start(timer, try_stop, 10, 0);
        return;
    }
    for (size_t i = 0; i < server->n_doors; i++) {
        struct door *door = &server->doors[i];
        uv_poll_stop(&door->poll);
        MHD_stop_daemon(door->mhd);
        close_handle(server, (uv_handle_t *)&door->poll);
        close_handle(server, (uv_handle_t *)&door->timer);
    }
    close_handle(server, (uv_handle_t *)&server->heartbeat);
}

void kns_server_stop(struct kns_server *server, void (*stopped)(void *ctx), void *ctx)
{
    server->stopping = true;
    server->stopped = stopped;
    server->stopped_ctx = ctx;
    server->stop_by_ms = uv_now(server->parts.loop) + 2000;
    for (size_t i = 0; i < server->n_doors; i++) {
        MHD_quiesce_daemon(server->doors[i].mhd);
        uv_timer_stop(&server->doors[i].timer);
    }
    kns_serve_events_stop(server);
    uv_timer_start(&server->doors[0].timer, try_stop, 10, 0);
}
