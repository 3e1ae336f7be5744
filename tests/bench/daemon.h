/* daemon.h - what the benchmarks that need one share: a real knsd in a directory of its own, and the clock. */
#ifndef KNS_BENCH_DAEMON_H
#define KNS_BENCH_DAEMON_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct bench_daemon {
    char dir[40], socket[64], state[64];
    pid_t pid;
};

static inline double bench_now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void bench_die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* A connection to the daemon; -1: nobody answers. */
static inline int bench_connect(const struct bench_daemon *d)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", d->socket);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A directory to live in; its state directory may be filled before the start. */
static inline void bench_daemon_init(struct bench_daemon *d)
{
    strcpy(d->dir, "/tmp/kns-bench-XXXXXX");
    if (mkdtemp(d->dir) == NULL)
        bench_die(d->dir);
    snprintf(d->socket, sizeof(d->socket), "%s/kns.sock", d->dir);
    snprintf(d->state, sizeof(d->state), "%s/state", d->dir);
    d->pid = 0;
}

/* Starts the knsd that stands beside this program, and waits until it answers. */
static inline void bench_daemon_start(struct bench_daemon *d, const char *config)
{
    char path[80], self[4096], program[4200];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[len < 0 ? 0 : len] = '\0';
    char *slash = strrchr(self, '/');
    snprintf(program, sizeof(program), "%.*s/knsd", slash == NULL ? 0 : (int)(slash - self), self);
    snprintf(path, sizeof(path), "%s/kns.conf", d->dir);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(config, file) < 0 || fclose(file) != 0)
        bench_die(path);
    d->pid = fork();
    if (d->pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        execl(program, "knsd", "--config", path, "--state-dir", d->state, "--socket", d->socket,
              NULL);
        _exit(127);
    }
    for (int i = 0; i < 3000; i++) {
        int fd = bench_connect(d), status;
        if (fd >= 0) {
            close(fd);
            return;
        }
        if (waitpid(d->pid, &status, WNOHANG) == d->pid)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    bench_die(program);
}

static inline int bench_remove(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Stops it and removes its directory; *ret_usage is what it used. */
static inline void bench_daemon_stop(struct bench_daemon *d, struct rusage *ret_usage)
{
    int status;

    kill(d->pid, SIGTERM);
    if (wait4(d->pid, &status, 0, ret_usage) != d->pid || status != 0)
        fprintf(stderr, "bench: knsd ended with %d\n", status);
    nftw(d->dir, bench_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static inline double bench_cpu_s(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
}

#endif
