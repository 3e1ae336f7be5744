/* The happy path: get builds an easy handle and adds it to the multi handle; curl asks for sockets to be watched (on_socket_wanted) and for a
 * timer (on_timer_wanted); every event of either ends in act(), which hands it to curl and then reads the completion messages. A finished hop
 * either follows its redirect or ends the transfer through finish(), once.
 * Failures: an error of curl's, a policy that refuses an address or a redirect, or the receiver saying stop; all end in finish(). */
#include "daemon/fetcher.h"

#include "daemon/local.h"
#include "daemon/netguard.h"
#include "lib/arena.h"
#include "lib/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct kns_fetcher {
    uv_loop_t *loop;
    const struct kns_config *config;
    CURLM *multi;
    CURLSH *share;
    struct kns_locals *locals;
    uv_timer_t timer;
    char user_agent[160];
    bool one_ca_file;    /* the system's certificates stand in one file */
    struct fetch *first; /* all transfers under way */
    size_t handles;      /* poll handles and the timer, not yet closed */
    struct connection {
        curl_socket_t socket;
        int local_port; /* 0: not known yet */
    } * connections;    /* all that are open */
    size_t n_connections, cap_connections;
    bool closing;
};

/* A transfer from its first hop to its last. */
struct fetch {
    struct kns_fetcher *fetcher;
    struct kns_fetch_request request;
    struct kns_arena *arena; /* the URLs of the hops */
    CURL *easy;
    struct curl_slist *header_list;
    const char *url;   /* of this hop */
    const char *moved; /* while every hop was a permanent redirect */
    int hops;
    struct kns_headers headers;
    size_t header_bytes;
    int status; /* of the answer whose header is being read */
    bool header_ended, body_begun, refused, stopped, too_large, temporary;
    bool enough; /* of a page that nobody needs whole */
    bool
        left_over; /* the connection held bytes that nobody asked for: this hop goes over a fresh one */
    const char *origin;      /* of the subscribed URL: its credentials go nowhere else */
    bool at_origin;          /* this hop */
    bool names_private;      /* the subscribed URL does */
    bool proxied, forbidden; /* not even to be asked of the proxy */
    char address[80];
    size_t page_bytes;
    int64_t bytes;
    uint64_t started_ms;
    char error[CURL_ERROR_SIZE];
    struct fetch *previous, *next;
};

/* A socket that curl wants watched. */
struct watch {
    uv_poll_t poll;
    struct kns_fetcher *fetcher;
    curl_socket_t socket;
};

static void start_next_hop(struct fetch *f);

/* ---- the end of a transfer ---------------------------------------------------------------------------------------- */

static void drop_easy(struct fetch *f)
{
    if (f->easy == NULL)
        return;
    curl_multi_remove_handle(f->fetcher->multi, f->easy);
    curl_easy_cleanup(f->easy);
    curl_slist_free_all(f->header_list);
    f->easy = NULL;
    f->header_list = NULL;
}

static void free_fetch(struct fetch *f)
{
    drop_easy(f);
    if (f->previous != NULL)
        f->previous->next = f->next;
    else
        f->fetcher->first = f->next;
    if (f->next != NULL)
        f->next->previous = f->previous;
    kns_headers_reset(&f->headers);
    kns_arena_free(f->arena);
    free(f);
}

static void finish(struct fetch *f, const char *error, bool cut)
{
    struct kns_fetch_result result = {
        .status = f->status,
        .headers = &f->headers,
        .error = error,
        .cut = cut,
        .refused = f->refused,
        .stopped = f->stopped,
        .final_url = f->url,
        .moved_to = f->moved,
        .address = f->address[0] == '\0' ? NULL : f->address,
        .redirected = f->hops > 0,
        .bytes = f->bytes,
        .duration_ms = (int64_t)(uv_now(f->fetcher->loop) - f->started_ms),
    };

    f->request.done(f->request.ctx, &result);
    free_fetch(f);
}

/* ---- redirects ---------------------------------------------------------------------------------------------------- */

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_permanent(int status)
{
    return status == 301 || status == 308;
}

/* A POST is repeated only where the server says so, and what it carries (a secret, perhaps) goes to no other server in the clear. */
static bool may_repeat_post(const struct fetch *f, const char *next)
{
    const char *from = kns_url_origin(f->arena, f->url), *to = kns_url_origin(f->arena, next);
    bool stays = from != NULL && to != NULL && strcmp(from, to) == 0;

    return (f->status == 307 || f->status == 308) && (stays || strncasecmp(next, "https:", 6) == 0);
}

/* Follows the Location, or says why not. */
static void follow(struct fetch *f)
{
    const char *next =
        f->headers.location == NULL ? NULL : kns_url_resolve(f->arena, f->url, f->headers.location);

    if (next == NULL) {
        finish(f, "a redirect without a Location", false);
        return;
    }
    if (!kns_url_is_web(next)) {
        f->refused = true;
        finish(f, "a redirect to something that is neither http nor https", false);
        return;
    }
    if (f->request.post != NULL && !may_repeat_post(f, next)) {
        f->refused = true;
        finish(f, "a redirect that a POST does not follow", false);
        return;
    }
    if (++f->hops > KNS_FETCH_MAX_HOPS) {
        finish(f, "more than 10 redirects", false);
        return;
    }
    f->temporary = f->temporary || !is_permanent(f->status);
    f->url = next;
    f->moved = f->temporary ? NULL : next;
    f->left_over = false;
    start_next_hop(f);
}

/* ---- what curl calls ---------------------------------------------------------------------------------------------- */

static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    struct fetch *f = ctx;
    size_t len = size * n;

    f->header_bytes += len;
    if (f->header_bytes > KNS_FETCH_MAX_HEADER) {
        f->too_large = true;
        return 0;
    }
    if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) { /* a new answer: what 1xx said is void */
        kns_headers_reset(&f->headers);
        f->header_ended = false;
        long status = 0;
        curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
        f->status = (int)status;
        return len;
    }
    if (bytes[0] == '\r' || bytes[0] == '\n') {
        f->header_ended = true;
        return len;
    }
    return kns_headers_add(&f->headers, bytes, len) ? len : 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct fetch *f = ctx;

    f->page_bytes += size * n;
    f->enough = (f->status < 200 || f->status > 299) && f->page_bytes > KNS_FETCH_MAX_PAGE;
    if (f->enough)
        return 0;
    if (is_redirect(f->status))
        return size * n; /* nobody reads it */
    if (!f->body_begun)
        f->request.begin(f->request.ctx, f->status, &f->headers, f->url);
    f->body_begun = true;
    f->stopped = !f->request.body(f->request.ctx, bytes, size * n);
    return f->stopped ? 0 : size * n;
}

/* ---- open connections ------------------------------------------------------------------------------------------------ */

static bool keep_connection(struct kns_fetcher *fetcher, curl_socket_t socket)
{
    if (fetcher->n_connections == fetcher->cap_connections) {
        size_t cap = fetcher->cap_connections == 0 ? 64 : fetcher->cap_connections * 2;
        struct connection *grown = realloc(fetcher->connections, cap * sizeof(*grown));
        if (grown == NULL)
            return false;
        fetcher->connections = grown;
        fetcher->cap_connections = cap;
    }
    fetcher->connections[fetcher->n_connections++] = (struct connection){.socket = socket};
    return true;
}

static int on_close_socket(void *ctx, curl_socket_t socket)
{
    struct kns_fetcher *fetcher = ctx;

    for (size_t i = 0; i < fetcher->n_connections; i++)
        if (fetcher->connections[i].socket == socket) {
            fetcher->connections[i] = fetcher->connections[--fetcher->n_connections];
            break;
        }
    return close(socket);
}

static int local_port_of(curl_socket_t socket)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);

    if (getsockname(socket, (struct sockaddr *)&address, &len) != 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&address)->sin_port);
    return address.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&address)->sin6_port)
                                         : 0;
}

/* True when bytes wait on the connection with this local port, before anything was asked on it. */
static bool holds_bytes(struct kns_fetcher *fetcher, int local_port)
{
    char byte;

    for (size_t i = 0; i < fetcher->n_connections; i++) {
        struct connection *c = &fetcher->connections[i];
        if (c->local_port == 0)
            c->local_port = local_port_of(c->socket);
        if (c->local_port == local_port)
            return recv(c->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    }
    return false;
}

/* ---- private networks ----------------------------------------------------------------------------------------------- */

/* May this hop go to a private address? "direct" means: the subscribed URL itself names one, and it is the one. */
static bool may_be_private(const struct fetch *f)
{
    enum kns_private_networks policy = f->fetcher->config->poll.private_networks;

    return policy == KNS_PRIVATE_ALWAYS ||
           (policy == KNS_PRIVATE_DIRECT && f->names_private && f->at_origin);
}

/* A proxy hides the address: the name decides, and what it does not tell is refused where private addresses are never allowed. */
static bool may_be_proxied(const struct fetch *f, const char *host)
{
    if (may_be_private(f))
        return true;
    if (kns_netguard_names_private(host))
        return false;
    return f->fetcher->config->poll.private_networks != KNS_PRIVATE_NEVER ||
           kns_netguard_is_address(host);
}

/* The policy on the address really connected to, and so whatever DNS said. */
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct fetch *f = ctx;

    (void)purpose;
    if (f->forbidden ||
        (!f->proxied && !may_be_private(f) && kns_netguard_is_private(&address->addr))) {
        f->refused = true;
        return CURL_SOCKET_BAD;
    }
    curl_socket_t opened =
        socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (opened != CURL_SOCKET_BAD && !keep_connection(f->fetcher, opened)) {
        close(opened);
        return CURL_SOCKET_BAD;
    }
    return opened;
}

/* Before a request goes out, over a new connection or one that was kept: the same policy; and bytes that came without being asked for
 * would be taken for the answer, so that one feed of a shared host could forge another's. */
static int on_connected(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
    struct fetch *f = ctx;

    (void)local;
    if (f->proxied && !f->forbidden)
        return CURL_PREREQFUNC_OK;
    if (f->forbidden || (!may_be_private(f) && kns_netguard_is_private_text(remote))) {
        f->refused = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (f->hops == 0)
        snprintf(f->address, sizeof(f->address), "%s:%d", remote, remote_port);
    /* Under TLS the bytes may be the protocol's own. */
    if (!f->left_over && strncasecmp(f->url, "http:", 5) == 0 &&
        holds_bytes(f->fetcher, local_port)) {
        f->left_over = true;
        return CURL_PREREQFUNC_ABORT;
    }
    return CURL_PREREQFUNC_OK;
}

/* ---- one hop ------------------------------------------------------------------------------------------------------ */

static void add_header(struct fetch *f, const char *name, const char *value)
{
    char line[4096];

    if (value == NULL || snprintf(line, sizeof(line), "%s: %s", name, value) >= (int)sizeof(line))
        return;
    struct curl_slist *list = curl_slist_append(f->header_list, line);
    if (list != NULL)
        f->header_list = list;
}

static long http_version(const char *text)
{
    static const struct {
        const char *text;
        long version;
    } versions[] = {{"1.0", CURL_HTTP_VERSION_1_0},
                    {"1.1", CURL_HTTP_VERSION_1_1},
                    {"2", CURL_HTTP_VERSION_2TLS}};

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (strcmp(text, versions[i].text) == 0)
            return versions[i].version;
    return CURL_HTTP_VERSION_2TLS;
}

/* Credentials and headers of the subscription go to its own origin and nowhere else. */
static void set_access(struct fetch *f)
{
    const struct kns_feed_access *access = f->request.access;

    if (access == NULL)
        return;
    if (access->user_agent != NULL)
        curl_easy_setopt(f->easy, CURLOPT_USERAGENT, access->user_agent);
    if (access->proxy != NULL)
        curl_easy_setopt(f->easy, CURLOPT_PROXY, access->proxy);
    if (access->http_version != NULL)
        curl_easy_setopt(f->easy, CURLOPT_HTTP_VERSION, http_version(access->http_version));
    if (access->ca_file != NULL)
        curl_easy_setopt(f->easy, CURLOPT_CAINFO, access->ca_file);
    if (!f->at_origin)
        return;
    if (access->user != NULL) {
        curl_easy_setopt(f->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(f->easy, CURLOPT_USERNAME, access->user);
        curl_easy_setopt(f->easy, CURLOPT_PASSWORD,
                         access->password == NULL ? "" : access->password);
    }
    if (access->bearer_token != NULL) {
        curl_easy_setopt(f->easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(f->easy, CURLOPT_XOAUTH2_BEARER, access->bearer_token);
    }
    for (const char *line = access->headers; line != NULL && *line != '\0';
         line += strcspn(line, "\n"), line += *line == '\n') {
        char *copy = strndup(line, strcspn(line, "\n"));
        struct curl_slist *list = copy == NULL ? NULL : curl_slist_append(f->header_list, copy);
        if (list != NULL)
            f->header_list = list;
        free(copy);
    }
}

/* libcurl keeps the certificates that it has read (reading a system's takes 30 ms of the loop) only while it looks into no folder of
 * them: where the system has a file of all, the folder holds the same. */
static bool has_file_of_certificates(void)
{
    const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);

    return built->age >= CURLVERSION_SEVENTH && built->cainfo != NULL;
}

/* A transfer that stands still this long is given up: two thirds of all the time it has. */
static long stall_s(int64_t timeout_s)
{
    return timeout_s < 3 ? 1L : (long)(timeout_s * 2 / 3);
}

static bool set_options(struct fetch *f)
{
    static const char accepted[] =
        "application/atom+xml, application/rss+xml, application/feed+json, "
        "application/rdf+xml;q=0.9, "
        "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.5";
    const struct kns_config *config = f->fetcher->config;
    uint64_t spent_ms = uv_now(f->fetcher->loop) - f->started_ms;
    long left_ms = (long)(config->poll.timeout_s * 1000) - (long)spent_ms;
    CURL *e = f->easy;
    bool good = true;

#define SET(option, value) good = good && curl_easy_setopt(e, option, value) == CURLE_OK
    SET(CURLOPT_URL, f->url);
    SET(CURLOPT_PRIVATE, f);
    SET(CURLOPT_ERRORBUFFER, f->error);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, f);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, f);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, f);
    SET(CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    SET(CURLOPT_CLOSESOCKETDATA, f->fetcher);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, f);
    SET(CURLOPT_FRESH_CONNECT, f->left_over ? 1L : 0L);
    SET(CURLOPT_SHARE, f->fetcher->share);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_USERAGENT, f->fetcher->user_agent);
    SET(CURLOPT_ACCEPT_ENCODING, "");
    SET(CURLOPT_CONNECTTIMEOUT, (long)KNS_FETCH_CONNECT_S);
    SET(CURLOPT_TIMEOUT_MS, left_ms > 1 ? left_ms : 1L);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, stall_s(config->poll.timeout_s));
    if (f->fetcher->one_ca_file ||
        (f->request.access != NULL && f->request.access->ca_file != NULL))
        SET(CURLOPT_CAPATH, (char *)NULL);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* Only TLS tells whether a connection can carry several transfers; without it nobody should wait to see. */
    SET(CURLOPT_PIPEWAIT, !f->proxied && strncasecmp(f->url, "https:", 6) == 0 ? 1L : 0L);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)config->poll.max_size_bytes);
    SET(CURLOPT_PROXY, config->poll.proxy);
    SET(CURLOPT_NOPROXY, ""); /* the configuration alone decides, not the environment */
    if (f->request.post != NULL) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, f->request.post);
        SET(CURLOPT_POSTFIELDSIZE, (long)strlen(f->request.post));
    }
#undef SET
    add_header(f, "Accept", f->request.post != NULL ? "*/*" : accepted);
    add_header(f, "Content-Type", f->request.post_type);
    add_header(f, "If-None-Match", f->request.etag);
    add_header(f, "If-Modified-Since", f->request.last_modified);
    set_access(f);
    return good && curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->header_list) == CURLE_OK;
}

static const char *describe_refusal(const struct fetch *f)
{
    return f->proxied
               ? "refused: behind the proxy this may be a private network (see private_networks)"
               : "refused: the address is in a private network (see private_networks)";
}

/* What this hop may do, by its URL. False: no memory. */
static bool know_hop(struct fetch *f)
{
    const struct kns_feed_access *access = f->request.access;
    const char *host = kns_url_host(f->arena, f->url), *origin = kns_url_origin(f->arena, f->url);

    f->proxied = f->fetcher->config->poll.proxy[0] != '\0' ||
                 (access != NULL && access->proxy != NULL && access->proxy[0] != '\0');
    if (f->hops == 0) {
        f->origin = origin;
        const char *named_by =
            f->request.because_of == NULL ? host : kns_url_host(f->arena, f->request.because_of);
        f->names_private = host != NULL && kns_netguard_names_private(host) && named_by != NULL &&
                           kns_netguard_names_private(named_by);
    }
    f->at_origin = origin != NULL && f->origin != NULL && strcmp(origin, f->origin) == 0;
    f->forbidden = f->proxied && host != NULL && !may_be_proxied(f, host);
    return f->url != NULL;
}

/* Hands the hop to curl; nothing is called back before that. False: no memory, or a URL that is none. */
static bool start_hop(struct fetch *f)
{
    kns_headers_reset(&f->headers);
    f->header_bytes = 0;
    f->header_ended = f->body_begun = f->refused = f->enough = false;
    f->page_bytes = 0;
    f->status = 0;
    f->error[0] = '\0';
    f->easy = curl_easy_init();
    if (f->easy != NULL && know_hop(f) && set_options(f) &&
        curl_multi_add_handle(f->fetcher->multi, f->easy) == CURLM_OK)
        return true;
    curl_easy_cleanup(f->easy);
    curl_slist_free_all(f->header_list);
    f->easy = NULL;
    f->header_list = NULL;
    return false;
}

static void start_next_hop(struct fetch *f)
{
    drop_easy(f);
    if (!start_hop(f))
        finish(f, "the URL cannot be fetched (out of memory, or a URL that is none)", false);
}

/* What curl's result means, in a sentence; NULL: the answer came. */
static const char *describe(struct fetch *f, CURLcode code, bool *ret_cut)
{
    *ret_cut = false;
    if (f->refused && code != CURLE_OK)
        return describe_refusal(f);
    f->refused = false; /* of several addresses another one was taken */
    if (f->enough)
        return NULL;
    if (f->too_large)
        return "the header of the answer is larger than 64 KiB";
    if (f->stopped)
        return "stopped";
    switch (code) {
    case CURLE_OK:
        if (f->header_ended)
            return NULL;
        return "the connection was closed in the middle of the header";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2_STREAM:
    case CURLE_WRITE_ERROR:
        *ret_cut = f->body_begun;
        break;
    case CURLE_OPERATION_TIMEDOUT:
        *ret_cut = f->body_begun;
        return f->body_begun ? "timed out in the middle of the body" : "timed out";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "its host name cannot be resolved";
    case CURLE_FILESIZE_EXCEEDED:
        return "the document is larger than max_size";
    default:
        break;
    }
    return f->error[0] != '\0' ? f->error : curl_easy_strerror(code);
}

static void end_hop(struct fetch *f, CURLcode code)
{
    bool cut;
    curl_off_t bytes = 0;
    const char *error = describe(f, code, &cut);

    if (f->left_over && !f->header_ended && code == CURLE_ABORTED_BY_CALLBACK) {
        start_next_hop(f);
        return;
    }
    curl_easy_getinfo(f->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
    f->bytes += bytes;
    if (error == NULL && is_redirect(f->status)) {
        follow(f);
        return;
    }
    if (error == NULL && !f->body_begun)
        f->request.begin(f->request.ctx, f->status, &f->headers, f->url);
    finish(f, error, cut);
}

/* ---- curl and the loop ---------------------------------------------------------------------------------------------- */

/* Completion messages are read after every action, time-outs included: one that is not read is a feed that hangs for ever. */
static void read_messages(struct kns_fetcher *fetcher)
{
    CURLMsg *message;
    int left;

    while (!fetcher->closing && (message = curl_multi_info_read(fetcher->multi, &left)) != NULL) {
        struct fetch *f = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &f);
        end_hop(f, code);
    }
}

static void act(struct kns_fetcher *fetcher, curl_socket_t socket, int events)
{
    int running;

    curl_multi_socket_action(fetcher->multi, socket, events, &running);
    read_messages(fetcher);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
                (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);

    act(watch->fetcher, watch->socket, status < 0 ? CURL_CSELECT_ERR : flags);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void handle_closed(struct kns_fetcher *fetcher)
{
    if (--fetcher->handles == 0 && fetcher->closing)
        free(fetcher);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;

    handle_closed(watch->fetcher);
    free(watch);
}

static void unwatch(struct kns_fetcher *fetcher, curl_socket_t socket, struct watch *watch)
{
    if (watch == NULL)
        return;
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
    curl_multi_assign(fetcher->multi, socket, NULL);
}

static struct watch *watch_socket(struct kns_fetcher *fetcher, curl_socket_t socket)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (watch == NULL || uv_poll_init_socket(fetcher->loop, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->fetcher = fetcher;
    watch->socket = socket;
    watch->poll.data = watch;
    fetcher->handles++;
    curl_multi_assign(fetcher->multi, socket, watch);
    return watch;
}

static int on_socket_wanted(CURL *easy, curl_socket_t socket, int what, void *ctx, void *assigned)
{
    struct kns_fetcher *fetcher = ctx;
    struct watch *watch = assigned;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        unwatch(fetcher, socket, watch);
        return 0;
    }
    if (watch == NULL)
        watch = watch_socket(fetcher, socket);
    if (watch == NULL)
        return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, events, on_socket);
    return 0;
}

/* -1 deletes the timer; 0 means soon, never a call from here. */
static int on_timer_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
    struct kns_fetcher *fetcher = ctx;

    (void)multi;
    if (fetcher->closing)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(&fetcher->timer);
    else
        uv_timer_start(&fetcher->timer, on_timer, timeout_ms == 0 ? 1 : (uint64_t)timeout_ms, 0);
    return 0;
}

void kns_fetcher_set_config(struct kns_fetcher *fetcher, const struct kns_config *config)
{
    fetcher->config = config;
    if (config->poll.user_agent[0] != '\0')
        snprintf(fetcher->user_agent, sizeof(fetcher->user_agent), "%s", config->poll.user_agent);
    else
        snprintf(fetcher->user_agent, sizeof(fetcher->user_agent), "kns/%s (+%s)", KNS_VERSION,
                 KNS_URL);
}

enum kns_status kns_fetcher_new(uv_loop_t *loop, const struct kns_config *config,
                                struct kns_fetcher **ret_fetcher, struct kns_error *err)
{
    struct kns_fetcher *fetcher = calloc(1, sizeof(*fetcher));

    if (fetcher == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(fetcher);
        return kns_fail(err, KNS_ENOMEM, "libcurl cannot be started");
    }
    fetcher->loop = loop;
    fetcher->one_ca_file = has_file_of_certificates();
    kns_fetcher_set_config(fetcher, config);
    fetcher->multi = curl_multi_init();
    fetcher->share = curl_share_init();
    fetcher->locals = kns_locals_new(loop);
    if (fetcher->multi == NULL || fetcher->share == NULL || fetcher->locals == NULL) {
        curl_multi_cleanup(fetcher->multi);
        curl_share_cleanup(fetcher->share);
        kns_locals_free(fetcher->locals);
        free(fetcher);
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    }
    curl_share_setopt(fetcher->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, (long)KNS_FETCH_KEPT);
    uv_timer_init(loop, &fetcher->timer);
    fetcher->timer.data = fetcher;
    fetcher->handles = 1;
    *ret_fetcher = fetcher;
    return KNS_OK;
}

enum kns_status kns_fetcher_get(struct kns_fetcher *fetcher,
                                const struct kns_fetch_request *request)
{
    if (kns_local_is(request->url))
        return kns_local_get(fetcher->locals, fetcher->config, request);
    struct fetch *f = calloc(1, sizeof(*f));

    if (f == NULL || (f->arena = kns_arena_new(1 << 20)) == NULL) {
        free(f);
        return KNS_ENOMEM;
    }
    f->fetcher = fetcher;
    f->request = *request;
    f->url = kns_arena_strdup(f->arena, request->url);
    f->started_ms = uv_now(fetcher->loop);
    if (!start_hop(f)) {
        kns_headers_reset(&f->headers);
        kns_arena_free(f->arena);
        free(f);
        return KNS_ENOMEM;
    }
    f->next = fetcher->first;
    if (f->next != NULL)
        f->next->previous = f;
    fetcher->first = f;
    return KNS_OK;
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void kns_fetcher_free(struct kns_fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    fetcher->closing = true;
    for (struct fetch *f = fetcher->first, *next; f != NULL; f = next) {
        next = f->next;
        finish(f, "knsd is stopping", false);
    }
    kns_locals_free(fetcher->locals);
    curl_multi_cleanup(fetcher->multi);
    curl_share_cleanup(fetcher->share);
    free(fetcher->connections);
    fetcher->connections = NULL;
    uv_close((uv_handle_t *)&fetcher->timer, on_timer_closed);
}
