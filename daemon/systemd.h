/* systemd.h - what a service manager is told and hands over; does nothing where there is none, or in a build without libsystemd.
 * Loop thread. */
#ifndef KNSD_SYSTEMD_H
#define KNSD_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

/* True when log lines go to the journal, which reads their <N>. */
bool kns_systemd_has_journal(void);

/* The listening Unix socket that was handed over; -1: none. */
int kns_systemd_take_socket(void);

void kns_systemd_ready(const char *status);
void kns_systemd_reloading(void);
void kns_systemd_stopping(void);
void kns_systemd_alive(void);

/* How often kns_systemd_alive is wanted, in milliseconds; 0: never. */
uint64_t kns_systemd_watchdog_ms(void);

#endif
