#include "daemon/child.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char **kns_child_environment(void)
{
    static const char *const ours[] = {"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_", "JOURNAL_STREAM="};
    size_t n = 0, kept = 0;

    while (environ[n] != NULL)
        n++;
    char **copy = calloc(n + 1, sizeof(*copy));
    for (size_t i = 0; copy != NULL && i < n; i++) {
        bool leave_out = false;
        for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++)
            leave_out = leave_out || strncmp(environ[i], ours[k], strlen(ours[k])) == 0;
        if (!leave_out)
            copy[kept++] = environ[i];
    }
    return copy;
}
