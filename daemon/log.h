/* log.h - one line an event, for the operator: error means act, warning means we coped, notice is
 * what somebody may want to know, info is life-cycle, debug is the rest.
 * Any thread. Deciding: no loop. */
#ifndef KNSD_LOG_H
#define KNSD_LOG_H

/* syslog's levels; the least important that is written. */
enum kns_log_level {
    KNS_LOG_ERROR = 3,
    KNS_LOG_WARNING = 4,
    KNS_LOG_NOTICE = 5,
    KNS_LOG_INFO = 6,
    KNS_LOG_DEBUG = 7
};

/* prefixed: lines begin with <N>, as systemd's journal reads them. */
void kns_log_start(int level, int prefixed);
void kns_log_set_level(int level);

void kns_log(enum kns_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The level's number for "error", "warning", "info", "debug"; -1: none of these. And its name. */
int kns_log_level_of(const char *name);
const char *kns_log_level_name(int level);

#endif
