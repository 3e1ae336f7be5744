/* knsd: the phases of its life, each one call, torn down in reverse. */
#include "daemon/config.h"
#include "daemon/fetcher.h"
#include "daemon/hooks.h"
#include "daemon/hub.h"
#include "daemon/listen.h"
#include "daemon/log.h"
#include "daemon/poller.h"
#include "daemon/readers.h"
#include "daemon/server.h"
#include "daemon/systemd.h"
#include "daemon/websub.h"
#include "daemon/writer.h"
#include "lib/store.h"

#include <getopt.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

/* 2 is what no restart heals: usage and configuration. */
enum { DONE = 0, FAILED = 1, USAGE = 2 };

/* Retention goes in small steps, so that no write waits for it. */
#define EXPIRE_STEP 200
#define CATCH_UP_STEP 100 /* items of an older database that are put into the index at once */
#define EXPIRE_EVERY_MS (60 * 1000)

struct options {
    const char *config_file, *socket, *state_dir, *log_level;
    bool check_config;
};

struct daemon {
    struct options options;
    uv_loop_t *loop;
    struct kns_config *config;
    char database[4096];
    int listen_fd, callback_fd; /* -1: none */
    bool own_socket;
    int64_t first_event; /* the last one before this start */
    struct kns_writer *writer;
    struct kns_readers *readers;
    struct kns_fetcher *fetcher;
    struct kns_websub *websub;
    struct kns_poller *poller;
    struct kns_hooks *hooks;
    struct kns_server *server;
    uv_signal_t signals[3];
    uv_timer_t watchdog, expiry, drain;
    bool stopping, server_stopped, expiring, expire_again;
    int64_t keep_days, keep_items; /* of the configuration, for the writer thread */
    struct kns_write expire;
};

/* ---- options and configuration ------------------------------------------------------------------------------------ */

static void print_help(void)
{
    puts("usage: knsd [OPTION]...\n"
         "Poll feeds, store their articles, answer on a Unix socket.\n\n"
         "  --config FILE       read this configuration\n"
         "  --socket PATH       answer here\n"
         "  --state-dir DIR     keep the database here\n"
         "  --log-level LEVEL   error, warning, info or debug\n"
         "  --check-config      check the configuration, print it with all defaults, and leave\n"
         "  --version           print the version and leave\n"
         "  -h, --help          print this and leave\n\n"
         "See knsd(8), kns.conf(5).");
}

/* Returns -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"config", required_argument, NULL, 'c'},
        {"socket", required_argument, NULL, 's'},
        {"state-dir", required_argument, NULL, 'd'},
        {"log-level", required_argument, NULL, 'l'},
        {"check-config", no_argument, NULL, 'C'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->config_file = optarg;
            break;
        case 's':
            options->socket = optarg;
            break;
        case 'd':
            options->state_dir = optarg;
            break;
        case 'l':
            options->log_level = optarg;
            break;
        case 'C':
            options->check_config = true;
            break;
        case 'V':
            puts("knsd " KNS_VERSION);
            return DONE;
        case 'h':
            print_help();
            return DONE;
        default:
            fputs("knsd: see knsd --help\n", stderr);
            return USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "knsd: %s: knsd takes options only; see knsd --help\n", argv[optind]);
        return USAGE;
    }
    return -1;
}

/* The file that is read when none is named: the service's for root, else the user's; it need not be there. */
static void default_config_file(char *path, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (geteuid() == 0)
        snprintf(path, size, "/etc/kns/kns.conf");
    else if (base != NULL && *base == '/')
        snprintf(path, size, "%s/kns/kns.conf", base);
    else
        snprintf(path, size, "%s/.config/kns/kns.conf", home == NULL ? "" : home);
}

static enum kns_status override(struct kns_config *config, const char *key, const char *option,
                                const char *value, struct kns_error *err)
{
    if (value == NULL || kns_config_set(config, "daemon", key, value, err) == KNS_OK)
        return KNS_OK;
    return kns_fail_in(err, "%s", option);
}

/* A path of the command line is seen from where it was typed. */
static enum kns_status override_path(struct kns_config *config, const char *key, const char *option,
                                     const char *value, struct kns_error *err)
{
    char here[4096], path[8192];

    if (value == NULL || *value == '/' || *value == '\0' || getcwd(here, sizeof(here)) == NULL)
        return override(config, key, option, value, err);
    snprintf(path, sizeof(path), "%s/%s", here, value);
    return override(config, key, option, path, err);
}

/* Defaults, then the file, then the command line. NULL with err filled. */
static struct kns_config *load_config(const struct options *options, struct kns_error *err)
{
    struct kns_config *config = kns_config_new(geteuid() == 0);
    char path[4096];

    if (config == NULL) {
        kns_fail(err, KNS_ENOMEM, "out of memory");
        return NULL;
    }
    default_config_file(path, sizeof(path));
    const char *file = options->config_file != NULL ? options->config_file : path;
    enum kns_status status = kns_config_read(config, file, err);
    if (status == KNS_ENOTFOUND && options->config_file == NULL)
        status = KNS_OK;
    if (status == KNS_OK)
        status = override_path(config, "socket", "--socket", options->socket, err);
    if (status == KNS_OK)
        status = override_path(config, "state_dir", "--state-dir", options->state_dir, err);
    if (status == KNS_OK)
        status = override(config, "log_level", "--log-level", options->log_level, err);
    if (status == KNS_OK)
        return config;
    kns_config_free(config);
    return NULL;
}

/* ---- retention ------------------------------------------------------------------------------------------------------ */

static enum kns_status run_expire(struct kns_write *write, struct kns_store *store,
                                  struct kns_error *err)
{
    struct daemon *d = (struct daemon *)((char *)write - offsetof(struct daemon, expire));

    bool behind = false;

    d->expire_again = false;
    enum kns_status status = kns_store_catch_up(store, CATCH_UP_STEP, &behind, err);
    if (status == KNS_OK && (d->keep_days > 0 || d->keep_items > 0))
        status = kns_store_expire(store, d->keep_days, d->keep_items, kns_time_now(), EXPIRE_STEP,
                                  &d->expire_again, err);
    d->expire_again = d->expire_again || behind;
    return status;
}

static void expired(struct kns_write *write)
{
    struct daemon *d = (struct daemon *)((char *)write - offsetof(struct daemon, expire));

    d->expiring = d->expire_again && write->status == KNS_OK && !d->stopping;
    if (d->expiring)
        kns_writer_submit(d->writer, write);
}

static void on_expiry(uv_timer_t *timer)
{
    struct daemon *d = timer->data;

    if (d->expiring)
        return;
    d->expiring = true;
    d->keep_days = d->config->store.keep_days;
    d->keep_items = d->config->store.keep_items_per_feed;
    d->expire.run = run_expire;
    d->expire.done = expired;
    kns_writer_submit(d->writer, &d->expire);
}

/* ---- signals and timers --------------------------------------------------------------------------------------------- */

static void reload(struct daemon *d)
{
    struct kns_error err = {0};
    struct kns_config *config = load_config(&d->options, &err), *old = d->config;
    char late[KNS_CONFIG_LATE_MOST];

    kns_systemd_reloading();
    if (config == NULL) {
        kns_log(KNS_LOG_ERROR, "reload: %s; the configuration in force stays", err.message);
    } else {
        kns_log_set_level(config->daemon.log_level);
        d->config = config;
        kns_fetcher_set_config(d->fetcher, config);
        kns_websub_set_config(d->websub, config);
        kns_poller_set_config(d->poller, config);
        if (strcmp(old->websub.callback_url, config->websub.callback_url) != 0)
            kns_poller_feeds_changed(d->poller);
        kns_hooks_set_config(d->hooks, config);
        kns_server_set_config(d->server, config);
        kns_config_list_late(old, config, late, sizeof(late));
        kns_config_free(old);
        kns_log(KNS_LOG_INFO, "configuration reloaded");
        if (*late != '\0')
            kns_log(KNS_LOG_WARNING, "reload: changed, but taken over at the next start only: %s",
                    late);
    }
    kns_systemd_ready("polling");
}

/* The loop ends when nothing is left to be done: readers and the server each say so. */
static void on_drain(uv_timer_t *timer)
{
    struct daemon *d = timer->data;

    if (!d->server_stopped || kns_readers_busy(d->readers) || kns_hooks_busy(d->hooks))
        return;
    uv_close((uv_handle_t *)timer, NULL);
    uv_stop(d->loop);
}

static void on_server_stopped(void *ctx)
{
    ((struct daemon *)ctx)->server_stopped = true;
}

static void stop(struct daemon *d, const char *why)
{
    if (d->stopping)
        return;
    d->stopping = true;
    kns_log(KNS_LOG_INFO, "%s: stopping", why);
    kns_systemd_stopping();
    kns_websub_stop(d->websub);
    kns_poller_stop(d->poller);
    kns_hooks_stop(d->hooks);
    /* Whoever waits for a transfer is answered before the server goes. */
    kns_fetcher_free(d->fetcher);
    d->fetcher = NULL;
    kns_server_stop(d->server, on_server_stopped, d);
    uv_timer_start(&d->drain, on_drain, 0, 20);
}

static void on_signal(uv_signal_t *handle, int number)
{
    if (number == SIGHUP)
        reload(handle->data);
    else
        stop(handle->data, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    kns_systemd_alive();
}

static void on_group_written(void *ctx)
{
    struct daemon *d = ctx;

    if (d->server != NULL && !d->stopping)
        kns_server_events_ready(d->server, 0);
    if (d->hooks != NULL && !d->stopping)
        kns_hooks_ready(d->hooks);
}

static void watch_signals(struct daemon *d)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};

    for (int i = 0; i < 3; i++) {
        uv_signal_init(d->loop, &d->signals[i]);
        d->signals[i].data = d;
        uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(d->loop, &d->watchdog);
    uv_timer_init(d->loop, &d->expiry);
    uv_timer_init(d->loop, &d->drain);
    d->expiry.data = d->drain.data = d;
    uv_timer_start(&d->expiry, on_expiry, 1000, EXPIRE_EVERY_MS);
    if (kns_systemd_watchdog_ms() > 0)
        uv_timer_start(&d->watchdog, on_watchdog, 0, kns_systemd_watchdog_ms());
}

/* ---- the phases ----------------------------------------------------------------------------------------------------- */

static enum kns_status open_store(struct daemon *d, struct kns_error *err)
{
    struct kns_store *store = NULL;
    enum kns_status status = kns_make_directories(d->config->daemon.state_dir, err);

    snprintf(d->database, sizeof(d->database), "%.4000s/kns.db", d->config->daemon.state_dir);
    if (status == KNS_OK)
        status = kns_store_open(d->database, KNS_STORE_WRITER,
                                (enum kns_store_sync)d->config->store.synchronous, &store, err);
    if (status == KNS_OK)
        status = kns_store_last_event(store, &d->first_event, err);
    if (status == KNS_OK)
        status = kns_websub_new(store, &d->websub, err);
    if (status == KNS_OK)
        status = kns_writer_start(d->loop, store, on_group_written, d, &d->writer, err);
    if (status == KNS_OK)
        status = kns_readers_start(d->loop, d->database, &d->readers, err);
    return status;
}

static enum kns_status open_sockets(struct daemon *d, struct kns_error *err)
{
    struct sockaddr_storage address;
    socklen_t size = 0;

    if (kns_hub_listen_address(d->config->websub.listen, d->config->websub.callback_url, &address,
                               &size)) {
        enum kns_status status = kns_listen_tcp(&address, size, &d->callback_fd, err);
        if (status != KNS_OK)
            return status;
    }
    d->listen_fd = kns_systemd_take_socket();
    if (d->listen_fd >= 0)
        return KNS_OK;
    d->own_socket = true;
    return kns_listen(d->config->daemon.socket, d->config->daemon.socket_mode, &d->listen_fd, err);
}

static void on_feed_moved(void *ctx, int64_t feed_id)
{
    kns_poller_feed_changed(((struct daemon *)ctx)->poller, feed_id);
}

static enum kns_status start_polling(struct daemon *d, struct kns_error *err)
{
    enum kns_status status = kns_fetcher_new(d->loop, d->config, &d->fetcher, err);
    const struct kns_websub_parts hubs = {d->loop,   d->config,     d->fetcher,
                                          d->writer, on_feed_moved, d};
    const struct kns_poller_parts parts = {d->loop,    d->config, d->fetcher,
                                           d->readers, d->writer, d->websub};

    if (status == KNS_OK)
        status = kns_websub_start(d->websub, &hubs, err);
    return status == KNS_OK ? kns_poller_start(&parts, &d->poller, err) : status;
}

static enum kns_status start_hooks(struct daemon *d, struct kns_error *err)
{
    const struct kns_hooks_parts parts = {d->loop, d->config, d->readers, d->writer,
                                          d->first_event};

    return kns_hooks_start(&parts, &d->hooks, err);
}

static enum kns_status start_serving(struct daemon *d, struct kns_error *err)
{
    const struct kns_server_parts parts = {d->loop,    d->config, d->writer,
                                           d->readers, d->poller, d->websub};

    return kns_server_start(&parts, d->listen_fd, d->callback_fd, &d->server, err);
}

static void close_handle(uv_handle_t *handle, void *ctx)
{
    (void)ctx;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void tear_down(struct daemon *d)
{
    kns_fetcher_free(d->fetcher);
    kns_writer_stop(d->writer);
    kns_readers_stop(d->readers);
    kns_poller_free(d->poller);
    kns_websub_free(d->websub);
    if (d->own_socket && d->listen_fd >= 0)
        unlink(d->config->daemon.socket);
    /* What is still open are our own signals and timers. */
    uv_walk(d->loop, close_handle, NULL);
    uv_run(d->loop, UV_RUN_DEFAULT);
    kns_hooks_free(d->hooks);
    uv_loop_close(d->loop);
    kns_config_free(d->config);
}

static int run(struct daemon *d)
{
    struct kns_error err = {0};
    enum kns_status status = open_store(d, &err);

    if (status == KNS_OK)
        status = open_sockets(d, &err);
    if (status == KNS_OK)
        status = start_polling(d, &err);
    if (status == KNS_OK)
        status = start_hooks(d, &err);
    if (status == KNS_OK)
        status = start_serving(d, &err);
    if (status == KNS_OK) {
        watch_signals(d);
        kns_log(KNS_LOG_INFO, "knsd %s: database %s, socket %s", KNS_VERSION, d->database,
                d->own_socket ? d->config->daemon.socket : "from the service manager");
        kns_systemd_ready("polling");
        uv_run(d->loop, UV_RUN_DEFAULT);
    } else {
        kns_log(KNS_LOG_ERROR, "%s", err.message);
        if (d->websub != NULL)
            kns_websub_stop(d->websub);
        if (d->poller != NULL)
            kns_poller_stop(d->poller);
        if (d->hooks != NULL)
            kns_hooks_stop(d->hooks);
        while ((d->readers != NULL && kns_readers_busy(d->readers)) ||
               (d->hooks != NULL && kns_hooks_busy(d->hooks)))
            uv_run(d->loop, UV_RUN_ONCE);
    }
    tear_down(d);
    return status == KNS_OK ? DONE : FAILED;
}

int main(int argc, char **argv)
{
    struct daemon d = {.listen_fd = -1, .callback_fd = -1};
    struct kns_error err = {0};
    int status = read_options(argc, argv, &d.options);

    if (status >= 0)
        return status;
    kns_log_start(KNS_LOG_INFO, kns_systemd_has_journal());
    d.config = load_config(&d.options, &err);
    if (d.config == NULL) {
        kns_log(KNS_LOG_ERROR, "%s", err.message);
        return USAGE;
    }
    if (d.options.check_config) {
        kns_config_print(d.config, stdout);
        kns_config_free(d.config);
        return DONE;
    }
    kns_log_set_level(d.config->daemon.log_level);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file at its limit is a full disk */
    umask(0077);
    d.loop = uv_default_loop();
    return run(&d);
}
