/* A file:    pool: open, look, read a piece ──▶ loop: body() ──▶ pool: the next piece ──▶ … ──▶ done()
 * A command: spawn; its output ──▶ body(); its end and the end of its output ──▶ done()
 *
 * done() is called once, by finish(); the memory goes when the last handle, or the piece under way, is through. */
#include "daemon/local.h"

#include "daemon/child.h"
#include "daemon/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)
#define KILL_AFTER_MS 1000 /* SIGTERM, then SIGKILL */
#define COMPLAINT 200      /* bytes kept of what a command says on its standard error */

struct kns_locals {
    uv_loop_t *loop;
    struct local *first;
    bool closing;
};

/* One reading. */
struct local {
    struct kns_locals *locals;
    struct kns_fetch_request request;
    struct kns_headers headers;
    char url[4096];
    uint64_t started_ms;
    int64_t bytes;
    bool begun, stopped, finished, refused;
    struct local *previous, *next;
    /* A file: only the pool touches these while work is under way. */
    uv_work_t work;
    int fd; /* -1: not open */
    ssize_t got;
    bool not_modified;
    char etag[96], known[96]; /* known: the one that was stored */
    char error[160];
    /* A command. */
    uv_process_t process;
    uv_pipe_t output, complaints;
    uv_timer_t limit;
    int open_handles;
    bool ended, late, output_ended;
    int64_t status;
    int signal;
    char complaint[COMPLAINT + 1];
    size_t complaint_len;
    char piece[PIECE];
};

bool kns_local_is(const char *url)
{
    return strncasecmp(url, "file:", 5) == 0 || strncasecmp(url, "exec:", 5) == 0;
}

static bool is_command(const char *url)
{
    return strncasecmp(url, "exec:", 5) == 0;
}

/* "file:/a", "file:///a", "file://localhost/a" (RFC 8089); NULL: no absolute path. */
static const char *path_of(const char *url)
{
    const char *path = url + 5;

    if (strncmp(path, "//", 2) == 0) {
        path += 2;
        if (strncasecmp(path, "localhost/", 10) == 0)
            path += 9;
    }
    return *path == '/' && path[1] != '\0' ? path : NULL;
}

bool kns_local_is_good(const char *url)
{
    return is_command(url) ? kns_command_is_good(url + 5) : path_of(url) != NULL;
}

bool kns_local_is_allowed(const struct kns_config *config, const char *url)
{
    return is_command(url) ? config->poll.exec_sources : config->poll.file_sources;
}

struct kns_locals *kns_locals_new(uv_loop_t *loop)
{
    struct kns_locals *locals = calloc(1, sizeof(*locals));

    if (locals != NULL)
        locals->loop = loop;
    return locals;
}

/* ---- the end -------------------------------------------------------------------------------------------------------- */

static void free_local(struct local *l)
{
    struct kns_locals *locals = l->locals;

    if (l->previous != NULL)
        l->previous->next = l->next;
    else
        locals->first = l->next;
    if (l->next != NULL)
        l->next->previous = l->previous;
    if (l->fd >= 0)
        close(l->fd);
    kns_headers_reset(&l->headers);
    free(l);
    if (locals->closing && locals->first == NULL)
        free(locals);
}

static void finish(struct local *l, int status, const char *error, bool refused)
{
    const struct kns_fetch_result result = {
        .status = status,
        .headers = &l->headers,
        .error = error,
        .refused = refused,
        .stopped = l->stopped,
        .final_url = l->url,
        .bytes = l->bytes,
        .duration_ms = (int64_t)(uv_now(l->locals->loop) - l->started_ms),
    };

    if (l->finished)
        return;
    l->finished = true;
    if (error == NULL && !l->begun)
        l->request.begin(l->request.ctx, status, &l->headers, NULL);
    l->request.done(l->request.ctx, &result);
}

/* A piece for the receiver; false: it has enough, or nobody waits any more. */
static bool deliver(struct local *l, size_t size)
{
    if (l->finished || l->stopped)
        return false;
    if (!l->begun)
        l->request.begin(l->request.ctx, 200, &l->headers, NULL);
    l->begun = true;
    l->bytes += (int64_t)size;
    l->stopped = !l->request.body(l->request.ctx, l->piece, size);
    return !l->stopped;
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static void open_file(struct local *l)
{
    const char *path = path_of(l->url);
    struct stat stat;

    /* A pipe with nobody at its other end must not hold up the pool. */
    l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (l->fd < 0 || fstat(l->fd, &stat) != 0) {
        snprintf(l->error, sizeof(l->error), "%s", strerror(errno));
    } else if (!S_ISREG(stat.st_mode)) {
        snprintf(l->error, sizeof(l->error), "not a regular file");
    } else {
        snprintf(l->etag, sizeof(l->etag), "\"%llx-%llx-%llx.%lx\"",
                 (unsigned long long)stat.st_ino, (unsigned long long)stat.st_size,
                 (unsigned long long)stat.st_mtim.tv_sec, (unsigned long)stat.st_mtim.tv_nsec);
        l->not_modified = strcmp(l->known, l->etag) == 0;
    }
}

static void read_piece(uv_work_t *work)
{
    struct local *l = work->data;

    l->got = 0;
    if (l->fd < 0)
        open_file(l);
    if (l->error[0] != '\0' || l->not_modified)
        return;
    l->got = read(l->fd, l->piece, sizeof(l->piece));
    if (l->got < 0)
        snprintf(l->error, sizeof(l->error), "%s", strerror(errno));
}

static void on_piece(uv_work_t *work, int status);

static bool next_piece(struct local *l)
{
    return uv_queue_work(l->locals->loop, &l->work, read_piece, on_piece) == 0;
}

static void add_etag(struct local *l)
{
    char line[128];
    int len = snprintf(line, sizeof(line), "ETag: %s", l->etag);

    if (l->headers.etag == NULL)
        kns_headers_add(&l->headers, line, (size_t)len);
}

static void on_piece(uv_work_t *work, int status)
{
    struct local *l = work->data;

    (void)status;
    if (!l->finished && l->error[0] == '\0')
        add_etag(l);
    if (!l->finished && l->error[0] == '\0' && !l->not_modified && l->got > 0 &&
        deliver(l, (size_t)l->got)) {
        if (next_piece(l))
            return;
        snprintf(l->error, sizeof(l->error), "out of memory");
    }
    finish(l,
           l->error[0] != '\0' ? 0
           : l->not_modified   ? 304
                               : 200,
           l->error[0] != '\0' ? l->error : NULL, false);
    free_local(l);
}

/* ---- commands ------------------------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct local *l = handle->data;

    if (--l->open_handles == 0)
        free_local(l);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

static void kill_command(struct local *l, int signal)
{
    /* It leads a session: what it started goes with it. */
    if (!l->ended && l->process.pid > 0)
        kill(-l->process.pid, signal);
}

static void on_kill(uv_timer_t *timer)
{
    kill_command(timer->data, SIGKILL);
}

static void end_command(struct local *l)
{
    kill_command(l, SIGTERM);
    uv_timer_start(&l->limit, on_kill, KILL_AFTER_MS, 0);
}

static void on_limit(uv_timer_t *timer)
{
    struct local *l = timer->data;

    l->late = true;
    end_command(l);
}

/* What its end means; NULL: good. */
static const char *describe_end(struct local *l)
{
    const char *said = l->complaint_len > 0 ? l->complaint : "";

    if (l->stopped)
        return "stopped";
    if (l->late)
        snprintf(l->error, sizeof(l->error), "the command took too long");
    else if (l->signal != 0)
        snprintf(l->error, sizeof(l->error), "the command was ended by signal %d", l->signal);
    else if (l->status != 0)
        snprintf(l->error, sizeof(l->error), "the command ended with status %d%s%.100s",
                 (int)l->status, *said != '\0' ? ": " : "", said);
    return l->error[0] == '\0' ? NULL : l->error;
}

/* Over when the program has ended and its output is read, whatever it left running. */
static void look_at_end(struct local *l)
{
    if (!l->ended || !l->output_ended)
        return;
    const char *error = describe_end(l);
    finish(l, error == NULL || l->stopped ? 200 : 0, error, false);
    uv_timer_stop(&l->limit);
    close_handle((uv_handle_t *)&l->process);
    close_handle((uv_handle_t *)&l->output);
    close_handle((uv_handle_t *)&l->complaints);
    close_handle((uv_handle_t *)&l->limit);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
    struct local *l = process->data;

    kill(-l->process.pid, SIGKILL); /* what it left behind would hold its output open */
    l->ended = true;
    l->status = status;
    l->signal = signal;
    look_at_end(l);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct local *l = handle->data;

    (void)wanted;
    *buf = uv_buf_init(l->piece, sizeof(l->piece));
}

static void on_output(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct local *l = stream->data;

    (void)buf;
    if (got < 0) {
        l->output_ended = true;
        uv_read_stop(stream);
        look_at_end(l);
    } else if (got > 0 && !deliver(l, (size_t)got)) {
        end_command(l);
    }
}

static void on_complaint_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct local *l = handle->data;
    static char rest[256]; /* what is over the bound is read, so that nobody waits, and dropped */

    (void)wanted;
    if (l->complaint_len < COMPLAINT)
        *buf =
            uv_buf_init(l->complaint + l->complaint_len, (unsigned)(COMPLAINT - l->complaint_len));
    else
        *buf = uv_buf_init(rest, sizeof(rest));
}

static void on_complaint(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct local *l = stream->data;

    if (got < 0) {
        uv_read_stop(stream);
        return;
    }
    if (buf->base < l->complaint || buf->base > l->complaint + COMPLAINT)
        return;
    l->complaint_len += (size_t)got;
    l->complaint[l->complaint_len] = '\0';
    l->complaint[strcspn(l->complaint, "\r\n")] = '\0';
}

static int spawn(struct local *l, char **words, char **environment)
{
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&l->output},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&l->complaints}};
    const uv_process_options_t options = {.exit_cb = on_ended,
                                          .file = words[0],
                                          .args = words,
                                          .env = environment,
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = 3,
                                          .stdio = stdio};
    const struct rlimit memory = {KNS_LOCAL_MEMORY, KNS_LOCAL_MEMORY};

    /* Not every library marks what it opens: nothing of ours is the program's. */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    int rc = uv_spawn(l->locals->loop, &l->process, &options);
    if (rc == 0)
        prlimit(l->process.pid, RLIMIT_AS, &memory, NULL);
    return rc;
}

/* What is not begun ends on the loop's next turn, never inside the call. */
static void on_refused(uv_timer_t *timer)
{
    struct local *l = timer->data;

    finish(l, 0, l->error, l->refused);
    close_handle((uv_handle_t *)&l->limit);
}

static void start_command(struct local *l, int64_t timeout_s)
{
    char **words = kns_command_split(l->url + 5), **environment = kns_child_environment();

    l->open_handles = 4;
    l->process.data = l->output.data = l->complaints.data = l->limit.data = l;
    uv_pipe_init(l->locals->loop, &l->output, 0);
    uv_pipe_init(l->locals->loop, &l->complaints, 0);
    uv_timer_init(l->locals->loop, &l->limit);
    l->process.data = l->output.data = l->complaints.data = l->limit.data = l;
    int rc = words == NULL || environment == NULL ? UV_ENOMEM : spawn(l, words, environment);
    kns_command_free(words);
    free(environment);
    if (rc == 0) {
        uv_timer_start(&l->limit, on_limit, (uint64_t)timeout_s * 1000, 0);
        uv_read_start((uv_stream_t *)&l->output, on_room, on_output);
        uv_read_start((uv_stream_t *)&l->complaints, on_complaint_room, on_complaint);
        return;
    }
    /* A handle that libuv never started cannot be closed. */
    l->open_handles = l->process.loop == NULL ? 3 : 4;
    if (l->process.loop != NULL)
        close_handle((uv_handle_t *)&l->process);
    close_handle((uv_handle_t *)&l->output);
    close_handle((uv_handle_t *)&l->complaints);
    snprintf(l->error, sizeof(l->error), "the command cannot be started: %s", uv_strerror(rc));
    uv_timer_start(&l->limit, on_refused, 0, 0);
}

/* ---- the door ------------------------------------------------------------------------------------------------------- */

static void refuse(struct local *l)
{
    l->refused = true;
    snprintf(l->error, sizeof(l->error), "refused: the configuration does not allow %s sources",
             is_command(l->url) ? "exec:" : "file:");
    l->open_handles = 1;
    uv_timer_init(l->locals->loop, &l->limit);
    l->limit.data = l;
    uv_timer_start(&l->limit, on_refused, 0, 0);
}

enum kns_status kns_local_get(struct kns_locals *locals, const struct kns_config *config,
                              const struct kns_fetch_request *request)
{
    struct local *l = kns_local_is_good(request->url) ? calloc(1, sizeof(*l)) : NULL;

    if (l == NULL)
        return KNS_ENOMEM;
    if ((size_t)snprintf(l->url, sizeof(l->url), "%s", request->url) >= sizeof(l->url)) {
        free(l);
        return KNS_ENOMEM;
    }
    l->locals = locals;
    l->request = *request;
    snprintf(l->known, sizeof(l->known), "%s", request->etag == NULL ? "" : request->etag);
    l->fd = -1;
    l->started_ms = uv_now(locals->loop);
    kns_headers_reset(&l->headers);
    l->work.data = l;
    l->next = locals->first;
    if (l->next != NULL)
        l->next->previous = l;
    locals->first = l;
    if (!kns_local_is_allowed(config, l->url))
        refuse(l);
    else if (is_command(l->url))
        start_command(l, config->poll.timeout_s);
    else if (!next_piece(l)) {
        free_local(l);
        return KNS_ENOMEM;
    }
    return KNS_OK;
}

void kns_locals_free(struct kns_locals *locals)
{
    if (locals == NULL)
        return;
    locals->closing = true;
    if (locals->first == NULL) {
        free(locals);
        return;
    }
    for (struct local *l = locals->first, *next; l != NULL; l = next) {
        next = l->next;
        finish(l, 0, "knsd is stopping", false);
        l->late = true;
        if (l->process.pid > 0)
            kill_command(l, SIGKILL);
    }
}
