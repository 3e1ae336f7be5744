#include "daemon/systemd.h"

#include <stdlib.h>

#ifdef KNS_HAVE_SYSTEMD

#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <time.h>

int kns_systemd_take_socket(void)
{
    int n = sd_listen_fds(1);

    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0)
            return fd;
    return -1;
}

void kns_systemd_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void kns_systemd_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
               (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void kns_systemd_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void kns_systemd_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

uint64_t kns_systemd_watchdog_ms(void)
{
    uint64_t us = 0;

    return sd_watchdog_enabled(0, &us) > 0 ? us / 2000 : 0;
}

#else

int kns_systemd_take_socket(void)
{
    return -1;
}

void kns_systemd_ready(const char *status)
{
    (void)status;
}

void kns_systemd_reloading(void)
{
}

void kns_systemd_stopping(void)
{
}

void kns_systemd_alive(void)
{
}

uint64_t kns_systemd_watchdog_ms(void)
{
    return 0;
}

#endif

bool kns_systemd_has_journal(void)
{
    return getenv("JOURNAL_STREAM") != NULL;
}
