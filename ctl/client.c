#include "ctl/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOCKET_MOST (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

struct kns_client {
    CURL *curl;
    char *socket;
};

static bool answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = strlen(path) <= SOCKET_MOST ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0)
        return false;
    strcpy(address.sun_path, path);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return connected;
}

/* The user's own daemon before the system's. */
static char *default_socket(void)
{
    static const char system_socket[] = "/run/kns/kns.sock";
    const char *named = getenv("KNS_SOCKET"), *runtime = getenv("XDG_RUNTIME_DIR"),
               *home = getenv("HOME");
    char *path = NULL;

    if (named != NULL && *named != '\0')
        return strdup(named);
    int len = runtime != NULL && *runtime == '/'
                  ? asprintf(&path, "%s/kns/kns.sock", runtime)
                  : asprintf(&path, "%s/.cache/kns/kns.sock", home == NULL ? "" : home);
    if (len < 0)
        return NULL;
    if (answers(path))
        return path;
    free(path);
    return strdup(system_socket);
}

struct kns_client *kns_client_new(const char *socket_path)
{
    struct kns_client *client = calloc(1, sizeof(*client));

    if (client == NULL)
        return NULL;
    client->socket = socket_path != NULL ? strdup(socket_path) : default_socket();
    client->curl = curl_easy_init();
    if (client->socket != NULL && client->curl != NULL)
        return client;
    kns_client_free(client);
    return NULL;
}

void kns_client_free(struct kns_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client->socket);
    free(client);
}

const char *kns_client_socket(const struct kns_client *client)
{
    return client->socket;
}

struct transfer {
    struct kns_client *client;
    const struct kns_request *request;
    struct kns_response *response;
};

static size_t on_data(char *bytes, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    long status = 0;

    curl_easy_getinfo(t->client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (t->request->on_data != NULL && status >= 200 && status < 300)
        return t->request->on_data(t->request->ctx, bytes, size * n) ? size * n : 0;
    kns_buf_add(&t->response->body, bytes, size * n);
    return kns_buf_failed(&t->response->body) ? 0 : size * n;
}

static int on_time(void *ctx, curl_off_t down, curl_off_t down_now, curl_off_t up,
                   curl_off_t up_now)
{
    const struct kns_request *request = ctx;

    (void)down;
    (void)down_now;
    (void)up;
    (void)up_now;
    return request->gives_up();
}

static struct curl_slist *headers_of(const struct kns_request *request)
{
    char line[128];
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    snprintf(line, sizeof(line), "Content-Type: %s",
             request->content_type != NULL ? request->content_type : "application/json");
    if (request->body != NULL)
        list = curl_slist_append(list, line);
    if (request->header != NULL)
        list = curl_slist_append(list, request->header);
    return list;
}

/* libcurl keeps no copy of a body; of everything else it does. */
static void set_up(CURL *curl, const struct kns_request *request, struct transfer *t,
                   const char *url, struct curl_slist *headers)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, t->client->socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    if (!request->streams)
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 300L);
    if (request->gives_up != NULL) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_time);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request);
    }
    if (request->method != NULL)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
}

static enum kns_status fail_to_connect(CURL *curl, const char *socket, struct kns_error *err)
{
    long os_error = 0;

    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    if (os_error == EACCES)
        return kns_fail(err, KNS_EBUSY,
                        "%s: permission denied: only members of the socket's group may ask",
                        socket);
    return kns_fail(err, KNS_EBUSY,
                    "no daemon answers at %s: start it with `systemctl start knsd` or `knsd`, "
                    "or name its socket with --socket",
                    socket);
}

enum kns_status kns_client_send(struct kns_client *client, const struct kns_request *request,
                                struct kns_response *ret_response, struct kns_error *err)
{
    struct transfer t = {client, request, ret_response};
    CURL *curl = client->curl;
    char *url = NULL;
    long status = 0;

    *ret_response = (struct kns_response){0};
    if (strlen(client->socket) > SOCKET_MOST)
        return kns_fail(err, KNS_EBUSY, "%s: longer than the %zu bytes of a socket's path",
                        client->socket, SOCKET_MOST);
    if (asprintf(&url, "http://kns%s", request->path) < 0)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    struct curl_slist *headers = headers_of(request);
    set_up(curl, request, &t, url, headers);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    free(url);
    ret_response->status = (int)status;
    /* The receiver, or who waits, had enough. */
    if (code == CURLE_OK || code == CURLE_WRITE_ERROR || code == CURLE_ABORTED_BY_CALLBACK)
        return KNS_OK;
    kns_buf_fini(&ret_response->body);
    if (code == CURLE_COULDNT_CONNECT)
        return fail_to_connect(curl, client->socket, err);
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
        return kns_fail(err, KNS_EIO, "%s: what answers there is not knsd: it speaks no HTTP",
                        client->socket);
    if (code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
        return kns_fail(err, KNS_EIO, "%s: the daemon hung up before its answer was whole",
                        client->socket);
    return kns_fail(err, KNS_EIO, "%s: %s", client->socket, curl_easy_strerror(code));
}
