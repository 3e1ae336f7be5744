/* New items as they are stored. The happy path: ask where the events stand, read on from there for ever. When the connection ends, the
 * daemon is waited for and asked for what comes behind the last event seen, so that nothing is missed. */
#include "ctl/ctl.h"
#include "lib/url.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct watch {
    struct kns_call *call;
    struct kns_buf line, data; /* of the event being read */
    int64_t cursor;            /* the last event seen */
    const char *filters;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Nobody reads any more: a pipe's other end is closed, a terminal hung up. Nothing need be written to find out. */
static bool is_unread(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static bool is_over(void)
{
    return interrupted != 0 || is_unread() || ferror(stdout);
}

/* ---- Server-Sent Events, line by line ---------------------------------------------------------------------------------- */

static bool end_of_event(struct watch *w)
{
    json_t *item = w->data.len == 0 ? NULL : json_loadb(w->data.data, w->data.len, 0, NULL);
    bool is_new = strcmp(kns_json_text(json_object_get(item, "_kns"), "event"), "new") == 0;

    if (is_new && w->call->json)
        printf("%s\n", kns_buf_str(&w->data));
    else if (is_new)
        kns_call_print_item(w->call, item);
    json_decref(item);
    kns_buf_reset(&w->data);
    return fflush(stdout) == 0;
}

static bool on_line(struct watch *w)
{
    const char *line = kns_buf_str(&w->line);

    if (*line == '\0')
        return end_of_event(w);
    if (strncmp(line, "id: ", 4) == 0)
        w->cursor = strtoll(line + 4, NULL, 10);
    else if (strncmp(line, "data: ", 6) == 0)
        kns_buf_adds(&w->data, line + 6);
    return true;
}

static bool on_events(void *ctx, const char *bytes, size_t size)
{
    struct watch *w = ctx;

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            kns_buf_addc(&w->line, bytes[i]);
            continue;
        }
        if (!on_line(w))
            return false;
        kns_buf_reset(&w->line);
    }
    return !is_over();
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------ */

static void add_text(struct kns_call *call, struct kns_buf *out, const char *option,
                     const char *name)
{
    const char *value = kns_args_value(&call->args, option);

    if (value == NULL)
        return;
    kns_buf_addf(out, "&%s=", name);
    kns_url_add_encoded(out, value);
}

static int read_filters(struct watch *w)
{
    struct kns_buf out = {0};
    int status = kns_call_add_feeds(w->call, '&', &out);

    add_text(w->call, &out, "tag", "tag");
    add_text(w->call, &out, "query", "q");
    w->filters = kns_arena_strdup(w->call->arena, kns_buf_str(&out));
    kns_buf_fini(&out);
    return status;
}

/* Where the events stand now, or behind the one that was named. */
static int read_cursor(struct watch *w)
{
    const struct kns_request request = {.path = "/v1/status"};
    json_t *json = NULL;
    int status = kns_call_json(w->call, NULL, &request, &json);

    w->cursor = json_integer_value(json_object_get(json_object_get(json, "store"), "last_event"));
    if (kns_args_has(&w->call->args, "since"))
        w->cursor = kns_args_number(&w->call->args, "since", 0);
    json_decref(json);
    return status;
}

/* Reads until the connection ends; what was half read then comes again. */
static int follow(struct watch *w)
{
    struct kns_response response;
    struct kns_error err = {0};
    char *path = NULL;

    if (asprintf(&path, "/v1/events?kinds=item&since=%lld%s", (long long)w->cursor, w->filters) < 0)
        return kns_call_fail(w->call, KNS_EXIT_FAILED, "out of memory");
    const struct kns_request request = {
        .path = path, .streams = true, .gives_up = is_over, .on_data = on_events, .ctx = w};
    enum kns_status sent = kns_client_send(w->call->client, &request, &response, &err);
    bool refused = sent == KNS_OK && response.status >= 400;
    free(path);
    kns_buf_reset(&w->line);
    kns_buf_reset(&w->data);
    if (refused)
        return kns_call_refused(w->call, "watch", &response);
    if (sent == KNS_OK)
        kns_buf_fini(&response.body);
    return KNS_EXIT_OK;
}

int kns_cmd_watch(struct kns_call *call)
{
    struct watch w = {.call = call};
    const struct sigaction action = {.sa_handler = on_interrupt};
    int status = read_filters(&w);

    if (status == KNS_EXIT_OK)
        status = read_cursor(&w);
    if (status != KNS_EXIT_OK)
        return status;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (status == KNS_EXIT_OK && !is_over()) {
        status = follow(&w);
        if (status == KNS_EXIT_OK && !is_over())
            nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    }
    kns_buf_fini(&w.line);
    kns_buf_fini(&w.data);
    return status;
}
