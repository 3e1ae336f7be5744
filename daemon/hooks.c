/* The happy path: something was committed; a query worker reads on from the cursor and brings the new items as jobs; each job gets its program
 * when there is room; the program ends with 0; jobs that are done leave at the list's head, and the cursor follows and is kept.
 *
 * A job:  WAITING ──spawn──▶ RUNNING ──0──▶ DONE
 *            ▲                 │ anything else, or too late
 *            └──── RESTING ◀───┘ (given up after the last try: DONE)
 *
 * Jobs that rest do not hold up the others; the cursor stays behind the first that is not done. */
#include "daemon/hooks.h"

#include "daemon/child.h"
#include "daemon/command.h"
#include "daemon/config.h"
#include "daemon/log.h"
#include "daemon/readers.h"
#include "daemon/request.h"
#include "daemon/writer.h"

#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK "hook on_item"
#define BATCH 50      /* events read at once */
#define JOBS_MOST 200 /* in memory; beyond, reading waits */
#define BYTES_MOST ((size_t)16 << 20)
#define GRACE_MS 1000      /* for what runs when knsd stops */
#define KILL_AFTER_MS 1000 /* SIGTERM, then SIGKILL */
#define KEEP_EVERY 1000    /* events after which the cursor is kept though no job ended */

/* How long a job rests after each failed try; behind the last it is given up. */
static const uint64_t rests_ms[] = {1000, 10000, 60000, 300000};

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_RESTING, JOB_DONE };

struct job {
    struct kns_hooks *hooks;
    int64_t seq, item_id;
    char *json; /* owned; with its line end */
    enum job_state state;
    size_t tries;
    uint64_t due_ms;
    struct job *next;
    /* Of its program. */
    uv_process_t process;
    uv_pipe_t input;
    uv_timer_t limit;
    uv_write_t write;
    bool late, ended;
    int64_t status;
    int signal, open_handles;
};

struct kns_hooks {
    struct kns_hooks_parts parts;
    struct job *first, *last; /* by seq */
    size_t jobs, running, bytes;
    int64_t cursor, kept, wanted; /* read up to here; in the database; to be in the database */
    bool changed;                 /* a job ended since the cursor was kept */
    bool active;                  /* a program is configured */
    bool known;                   /* the cursor is */
    bool reading, again, writing, stopping;
    uv_timer_t timer; /* of the job that rests shortest */
    struct kns_read read;
    struct kns_write write;
    bool fresh; /* to begin with what happens from now on, whatever is kept */
    /* Of the read under way: what it was asked, what it found. */
    struct {
        bool known, fresh, active, more, was_kept;
        int64_t cursor;
        struct job *first, *last;
    } reading_of;
};

static void read_on(struct kns_hooks *hooks);
static void pump(struct kns_hooks *hooks);

static bool is_configured(const struct kns_hooks *hooks)
{
    return hooks->parts.config->hooks.on_item[0] != '\0';
}

/* ---- jobs ---------------------------------------------------------------------------------------------------------- */

static void free_job(struct job *job)
{
    free(job->json);
    free(job);
}

static void append(struct job **first, struct job **last, struct job *job)
{
    job->next = NULL;
    if (*last != NULL)
        (*last)->next = job;
    else
        *first = job;
    *last = job;
}

/* What a read brought joins the list, or is dropped. */
static void take_over(struct kns_hooks *hooks, bool keep)
{
    for (struct job *job = hooks->reading_of.first, *next; job != NULL; job = next) {
        next = job->next;
        if (!keep) {
            free_job(job);
            continue;
        }
        append(&hooks->first, &hooks->last, job);
        hooks->jobs++;
        hooks->bytes += strlen(job->json);
    }
    hooks->reading_of.first = hooks->reading_of.last = NULL;
}

/* ---- the cursor ----------------------------------------------------------------------------------------------------- */

static enum kns_status write_cursor(struct kns_write *write, struct kns_store *store,
                                    struct kns_error *err)
{
    struct kns_hooks *hooks =
        (struct kns_hooks *)((char *)write - offsetof(struct kns_hooks, write));

    return hooks->wanted < 0 ? kns_store_remove_mark(store, MARK, err)
                             : kns_store_put_mark(store, MARK, hooks->wanted, err);
}

static void keep_cursor(struct kns_hooks *hooks);

static void cursor_written(struct kns_write *write)
{
    struct kns_hooks *hooks =
        (struct kns_hooks *)((char *)write - offsetof(struct kns_hooks, write));

    hooks->writing = false;
    if (write->status != KNS_OK) /* kept with the next one */
        hooks->changed = true;
    else
        hooks->kept = hooks->wanted;
    if (write->status == KNS_OK && hooks->changed)
        keep_cursor(hooks);
}

/* All up to here is done; -1: nothing is followed. */
static int64_t safe_cursor(const struct kns_hooks *hooks)
{
    return !hooks->active ? -1 : hooks->first != NULL ? hooks->first->seq - 1 : hooks->cursor;
}

static void keep_cursor(struct kns_hooks *hooks)
{
    int64_t safe = safe_cursor(hooks);

    if (hooks->writing || safe == hooks->kept || !hooks->known)
        return;
    if (!hooks->changed && safe - hooks->kept < KEEP_EVERY)
        return;
    hooks->changed = false;
    hooks->writing = true;
    hooks->wanted = safe;
    hooks->write = (struct kns_write){.run = write_cursor, .done = cursor_written};
    kns_writer_submit(hooks->parts.writer, &hooks->write);
}

/* Jobs that are done leave at the head. */
static void advance(struct kns_hooks *hooks)
{
    while (hooks->first != NULL && hooks->first->state == JOB_DONE) {
        struct job *job = hooks->first;
        hooks->first = job->next;
        if (hooks->first == NULL)
            hooks->last = NULL;
        hooks->jobs--;
        hooks->bytes -= strlen(job->json);
        hooks->changed = true;
        free_job(job);
    }
    keep_cursor(hooks);
}

/* ---- reading, on a query worker ------------------------------------------------------------------------------------- */

struct batch {
    int64_t seqs[BATCH], items[BATCH];
    size_t count;
    int64_t last;
    size_t seen;
};

static bool collect(void *ctx, const struct kns_event *event)
{
    struct batch *batch = ctx;

    batch->last = event->seq;
    batch->seen++;
    if (event->kind == KNS_EVENT_ITEM && strcmp(event->what, "new") == 0) {
        batch->seqs[batch->count] = event->seq;
        batch->items[batch->count++] = event->item_id;
    }
    return true;
}

/* The item as one line of JSON; NULL: it is gone, or there is no memory. */
static char *line_of(struct kns_store *store, struct kns_arena *arena, int64_t item_id, int64_t seq)
{
    struct kns_item *item = NULL;

    if (kns_store_get_item(store, arena, item_id, &item, NULL) != KNS_OK)
        return NULL;
    json_t *json = kns_item_json(item, true);
    json_t *kns = json_object_get(json, "_kns");
    json_object_set_new(kns, "event", json_string("new"));
    json_object_set_new(kns, "seq", json_integer(seq));
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT), *line = NULL;
    json_decref(json);
    if (text != NULL && asprintf(&line, "%s\n", text) < 0)
        line = NULL;
    free(text);
    return line;
}

static enum kns_status bring(struct kns_hooks *hooks, struct kns_store *store,
                             struct kns_arena *arena, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        char *json = line_of(store, arena, batch->items[i], batch->seqs[i]);
        struct job *job = json == NULL ? NULL : calloc(1, sizeof(*job));
        kns_arena_reset(arena);
        if (job == NULL) {
            free(json);
            continue;
        }
        *job = (struct job){
            .hooks = hooks, .seq = batch->seqs[i], .item_id = batch->items[i], .json = json};
        append(&hooks->reading_of.first, &hooks->reading_of.last, job);
    }
    return KNS_OK;
}

/* Where to begin: behind what was done, or now. */
static enum kns_status find_cursor(struct kns_hooks *hooks, struct kns_store *store,
                                   struct kns_error *err)
{
    int64_t kept = -1;
    enum kns_status status = kns_store_get_mark(store, MARK, &kept, err);

    if (status != KNS_OK && status != KNS_ENOTFOUND)
        return status;
    hooks->reading_of.was_kept = status == KNS_OK;
    hooks->reading_of.cursor = kept;
    if (!hooks->reading_of.active || (status == KNS_OK && !hooks->reading_of.fresh))
        return KNS_OK;
    /* What came between our start and this reading is not lost. */
    if (status == KNS_ENOTFOUND && !hooks->reading_of.fresh) {
        hooks->reading_of.cursor = hooks->parts.first_event;
        return KNS_OK;
    }
    return kns_store_last_event(store, &hooks->reading_of.cursor, err);
}

static enum kns_status run_read(struct kns_read *read, struct kns_store *store,
                                struct kns_error *err)
{
    struct kns_hooks *hooks = (struct kns_hooks *)((char *)read - offsetof(struct kns_hooks, read));
    struct batch batch = {0};

    if (!hooks->reading_of.known)
        return find_cursor(hooks, store, err);
    struct kns_arena *arena = kns_arena_new(0);
    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status =
        kns_store_each_event(store, hooks->reading_of.cursor, BATCH, collect, &batch, err);
    if (status == KNS_OK)
        status = bring(hooks, store, arena, &batch);
    if (status == KNS_OK && batch.seen > 0)
        hooks->reading_of.cursor = batch.last;
    hooks->reading_of.more = batch.seen == BATCH;
    kns_arena_free(arena);
    return status;
}

static void read_done(struct kns_read *read)
{
    struct kns_hooks *hooks = (struct kns_hooks *)((char *)read - offsetof(struct kns_hooks, read));
    /* A configuration that came meanwhile may have made the answer one to another question. */
    bool fits = read->status == KNS_OK && hooks->reading_of.known == hooks->known &&
                hooks->reading_of.active == hooks->active &&
                hooks->reading_of.fresh == hooks->fresh;

    hooks->reading = false;
    take_over(hooks, fits);
    if (fits)
        hooks->cursor = hooks->reading_of.cursor;
    if (fits && !hooks->known) {
        hooks->known = hooks->again = true;
        hooks->fresh = false;
        hooks->kept = hooks->reading_of.was_kept ? hooks->reading_of.cursor : -1;
        hooks->changed = true; /* a beginning is kept too, and an end */
    }
    keep_cursor(hooks);
    if (hooks->stopping)
        return;
    pump(hooks);
    /* A read that failed is tried again after the next commit. */
    if (read->status == KNS_OK && (!fits || hooks->reading_of.more || hooks->again))
        read_on(hooks);
}

static void read_on(struct kns_hooks *hooks)
{
    hooks->again = true;
    if (hooks->reading || hooks->stopping || (hooks->known && !hooks->active) ||
        hooks->jobs >= JOBS_MOST || hooks->bytes >= BYTES_MOST)
        return;
    hooks->again = false;
    hooks->reading = true;
    hooks->reading_of.known = hooks->known;
    hooks->reading_of.fresh = hooks->fresh;
    hooks->reading_of.active = hooks->active;
    hooks->reading_of.cursor = hooks->cursor;
    hooks->reading_of.more = false;
    hooks->read.run = run_read;
    hooks->read.done = read_done;
    kns_readers_submit(hooks->parts.readers, &hooks->read);
}

/* ---- programs --------------------------------------------------------------------------------------------------------- */

static void say_failure(const struct job *job, const char *then)
{
    const struct kns_config *config = job->hooks->parts.config;

    if (job->late)
        kns_log(KNS_LOG_WARNING, "hook on_item: item %lld: not done within %lld s; %s",
                (long long)job->item_id, (long long)config->hooks.timeout_s, then);
    else if (job->signal != 0)
        kns_log(KNS_LOG_WARNING, "hook on_item: item %lld: ended by signal %d; %s",
                (long long)job->item_id, job->signal, then);
    else
        kns_log(KNS_LOG_WARNING, "hook on_item: item %lld: ended with %lld; %s",
                (long long)job->item_id, (long long)job->status, then);
}

/* What became of a try, once everything of it is closed. */
static void end_try(struct job *job)
{
    struct kns_hooks *hooks = job->hooks;
    bool good = job->ended && job->status == 0 && job->signal == 0 && !job->late;

    hooks->running--;
    if (good) {
        job->state = JOB_DONE;
    } else if (hooks->stopping) {
        job->state = JOB_WAITING; /* comes again after the next start */
    } else if (job->tries > sizeof(rests_ms) / sizeof(rests_ms[0])) {
        say_failure(job, "given up");
        job->state = JOB_DONE;
    } else {
        say_failure(job, "it will be tried again");
        job->state = JOB_RESTING;
        job->due_ms = uv_now(hooks->parts.loop) + rests_ms[job->tries - 1];
    }
    advance(hooks);
    if (!hooks->stopping) {
        pump(hooks);
        if (hooks->again)
            read_on(hooks);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct job *job = handle->data;

    if (--job->open_handles == 0)
        end_try(job);
}

static void close_one(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void on_ended(uv_process_t *process, int64_t status, int signal)
{
    struct job *job = process->data;

    job->ended = true;
    job->status = status;
    job->signal = signal;
    close_one((uv_handle_t *)&job->process);
    close_one((uv_handle_t *)&job->input);
    close_one((uv_handle_t *)&job->limit);
}

/* The program and what it started: it leads a group of its own. */
static void end_program(struct job *job, int signal)
{
    if (job->process.pid > 0)
        uv_kill(-job->process.pid, signal);
}

static void on_kill(uv_timer_t *timer)
{
    end_program(timer->data, SIGKILL);
}

static void on_limit(uv_timer_t *timer)
{
    struct job *job = timer->data;

    job->late = true;
    end_program(job, SIGTERM);
    uv_timer_start(timer, on_kill, KILL_AFTER_MS, 0);
}

/* A program need not read what it is given. */
static void on_written(uv_write_t *write, int status)
{
    struct job *job = write->data;

    (void)status;
    close_one((uv_handle_t *)&job->input);
}

static int start_program(struct job *job, char **words, char **environment)
{
    /* What it prints goes where our log goes. */
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&job->input},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
        {.flags = UV_INHERIT_FD, .data.fd = 2}};
    const uv_process_options_t options = {.exit_cb = on_ended,
                                          .file = words[0],
                                          .args = words,
                                          .env = environment,
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = 3,
                                          .stdio = stdio};

    /* Not every library marks what it opens: nothing of ours is the program's. */
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    return uv_spawn(job->hooks->parts.loop, &job->process, &options);
}

static void start_try(struct job *job)
{
    struct kns_hooks *hooks = job->hooks;
    const struct kns_config *config = hooks->parts.config;
    char **words = kns_command_split(config->hooks.on_item),
         **environment = kns_child_environment();
    uv_buf_t line = uv_buf_init(job->json, (unsigned)strlen(job->json));

    hooks->running++;
    job->state = JOB_RUNNING;
    job->tries++;
    job->late = job->ended = false;
    job->status = job->signal = 0;
    job->open_handles = 3;
    uv_pipe_init(hooks->parts.loop, &job->input, 0);
    uv_timer_init(hooks->parts.loop, &job->limit);
    memset(&job->process, 0, sizeof(job->process));
    job->process.data = job->input.data = job->limit.data = job->write.data = job;
    int rc =
        words == NULL || environment == NULL ? UV_ENOMEM : start_program(job, words, environment);
    kns_command_free(words);
    free(environment);
    if (rc != 0) {
        kns_log(KNS_LOG_WARNING, "hook on_item: %s: %s", config->hooks.on_item, uv_strerror(rc));
        job->status = 127;
        job->process.pid = 0;
        /* A handle that libuv never started cannot be closed. */
        job->open_handles = job->process.loop == NULL ? 2 : 3;
        if (job->process.loop != NULL)
            close_one((uv_handle_t *)&job->process);
        close_one((uv_handle_t *)&job->input);
        close_one((uv_handle_t *)&job->limit);
        return;
    }
    uv_timer_start(&job->limit, on_limit, (uint64_t)config->hooks.timeout_s * 1000, 0);
    if (uv_write(&job->write, (uv_stream_t *)&job->input, &line, 1, on_written) != 0)
        close_one((uv_handle_t *)&job->input);
}

static void on_rested(uv_timer_t *timer)
{
    pump(timer->data);
}

/* Starts what there is room for, and wakes up when the next job has rested. */
static void pump(struct kns_hooks *hooks)
{
    uint64_t now = uv_now(hooks->parts.loop), next_ms = UINT64_MAX;
    size_t most = (size_t)hooks->parts.config->hooks.concurrency;

    for (struct job *job = hooks->first; job != NULL && hooks->active && !hooks->stopping;
         job = job->next) {
        if (job->state == JOB_RESTING && job->due_ms <= now)
            job->state = JOB_WAITING;
        if (job->state == JOB_RESTING && job->due_ms < next_ms)
            next_ms = job->due_ms;
        if (job->state == JOB_WAITING && hooks->running < most)
            start_try(job);
    }
    if (next_ms != UINT64_MAX)
        uv_timer_start(&hooks->timer, on_rested, next_ms - now, 0);
}

/* ---- from outside ----------------------------------------------------------------------------------------------------- */

enum kns_status kns_hooks_start(const struct kns_hooks_parts *parts, struct kns_hooks **ret_hooks,
                                struct kns_error *err)
{
    struct kns_hooks *hooks = calloc(1, sizeof(*hooks));

    if (hooks == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    hooks->parts = *parts;
    hooks->kept = -1;
    hooks->active = is_configured(hooks);
    uv_timer_init(parts->loop, &hooks->timer);
    hooks->timer.data = hooks;
    read_on(hooks);
    *ret_hooks = hooks;
    return KNS_OK;
}

/* What has not begun is forgotten. */
static void forget_jobs(struct kns_hooks *hooks)
{
    for (struct job *job = hooks->first; job != NULL; job = job->next)
        if (job->state == JOB_WAITING || job->state == JOB_RESTING)
            job->state = JOB_DONE;
    advance(hooks);
}

void kns_hooks_set_config(struct kns_hooks *hooks, const struct kns_config *config)
{
    bool before = hooks->active;

    hooks->parts.config = config;
    hooks->active = is_configured(hooks);
    if (before && !hooks->active) {
        hooks->changed = true;
        forget_jobs(hooks);
    } else if (!before && hooks->active) {
        hooks->known = false;
        hooks->fresh = true;
    }
    keep_cursor(hooks);
    pump(hooks);
    read_on(hooks);
}

void kns_hooks_ready(struct kns_hooks *hooks)
{
    read_on(hooks);
}

static void on_grace(uv_timer_t *timer)
{
    end_program(timer->data, SIGTERM);
    uv_timer_start(timer, on_kill, KILL_AFTER_MS, 0);
}

void kns_hooks_stop(struct kns_hooks *hooks)
{
    hooks->stopping = true;
    uv_timer_stop(&hooks->timer);
    for (struct job *job = hooks->first; job != NULL; job = job->next)
        if (job->state == JOB_RUNNING && !job->ended && !job->late &&
            !uv_is_closing((uv_handle_t *)&job->limit))
            uv_timer_start(&job->limit, on_grace, GRACE_MS, 0);
}

bool kns_hooks_busy(const struct kns_hooks *hooks)
{
    return hooks->running > 0 || hooks->reading || hooks->writing;
}

void kns_hooks_free(struct kns_hooks *hooks)
{
    if (hooks == NULL)
        return;
    take_over(hooks, false);
    for (struct job *job = hooks->first, *next; job != NULL; job = next) {
        next = job->next;
        free_job(job);
    }
    free(hooks);
}
