#include "daemon/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* The one global state of the daemon: every thread logs. */
static atomic_int threshold = KNS_LOG_INFO;
static atomic_int with_prefix;

static const struct {
    const char *name;
    int level;
} levels[] = {{"error", KNS_LOG_ERROR},
              {"warning", KNS_LOG_WARNING},
              {"info", KNS_LOG_INFO},
              {"debug", KNS_LOG_DEBUG}};

void kns_log_start(int level, int prefixed)
{
    atomic_store(&threshold, level);
    atomic_store(&with_prefix, prefixed);
}

void kns_log_set_level(int level)
{
    atomic_store(&threshold, level);
}

void kns_log(enum kns_log_level level, const char *format, ...)
{
    char line[1024];
    va_list args;

    if ((int)level > atomic_load(&threshold))
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    /* What a server said must not forge a line of its own. */
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
    if (atomic_load(&with_prefix))
        fprintf(stderr, "<%d>%s\n", (int)level, line);
    else
        fprintf(stderr, "knsd: %s%s\n",
                level <= KNS_LOG_WARNING ? (level == KNS_LOG_ERROR ? "error: " : "warning: ") : "",
                line);
}

int kns_log_level_of(const char *name)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i].name, name) == 0)
            return levels[i].level;
    return -1;
}

const char *kns_log_level_name(int level)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (levels[i].level == level)
            return levels[i].name;
    return "";
}
