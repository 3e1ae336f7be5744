#include "daemon/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Who connects while the loop is busy waits here; when it is full, a client is refused at once. */
#define BACKLOG SOMAXCONN

enum kns_status kns_make_directories(const char *directory, struct kns_error *err)
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s", directory) >= (int)sizeof(path))
        return kns_fail(err, KNS_EINVAL, "%s: the path is too long", directory);
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL)
            *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return kns_fail(err, KNS_EFULL, "%s: cannot make the directory: %s", path,
                            strerror(errno));
        if (slash == NULL)
            return KNS_OK;
        *slash = '/';
    }
}

static bool somebody_answers(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

    if (fd >= 0)
        close(fd);
    return answered;
}

static enum kns_status clear_stale(const char *path, const struct sockaddr_un *address,
                                   struct kns_error *err)
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return KNS_OK;
    if (!S_ISSOCK(st.st_mode))
        return kns_fail(err, KNS_EEXIST, "%s: is there, and no socket", path);
    if (somebody_answers(address))
        return kns_fail(err, KNS_EBUSY, "%s: somebody answers there already: another knsd?", path);
    if (unlink(path) != 0)
        return kns_fail(err, KNS_EFULL, "%s: cannot remove the stale socket: %s", path,
                        strerror(errno));
    return KNS_OK;
}

enum kns_status kns_listen(const char *path, unsigned mode, int *ret_fd, struct kns_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char directory[sizeof(address.sun_path)];

    if (strlen(path) >= sizeof(address.sun_path))
        return kns_fail(err, KNS_EINVAL, "%s: longer than the %zu bytes of a socket's path", path,
                        sizeof(address.sun_path) - 1);
    strcpy(address.sun_path, path);
    strcpy(directory, path);
    char *slash = strrchr(directory, '/');
    if (slash != NULL && slash != directory) {
        *slash = '\0';
        enum kns_status made = kns_make_directories(directory, err);
        if (made != KNS_OK)
            return made;
    }
    enum kns_status status = clear_stale(path, &address, err);
    if (status != KNS_OK)
        return status;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask((mode_t)(~mode & 0777));
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    umask(before);
    if (!bound || listen(fd, BACKLOG) != 0) {
        status = kns_fail(err, KNS_EFULL, "%s: cannot listen: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return status;
    }
    *ret_fd = fd;
    return KNS_OK;
}

enum kns_status kns_listen_tcp(const struct sockaddr_storage *address, socklen_t size, int *ret_fd,
                               struct kns_error *err)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;
    char host[64] = "", port[16] = "";

    /* A restart need not wait until the connections of the last run are forgotten. */
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (fd >= 0 && bind(fd, (const struct sockaddr *)address, size) == 0 &&
        listen(fd, BACKLOG) == 0) {
        *ret_fd = fd;
        return KNS_OK;
    }
    int why = errno;
    getnameinfo((const struct sockaddr *)address, size, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    if (fd >= 0)
        close(fd);
    return kns_fail(err, why == EADDRINUSE ? KNS_EBUSY : KNS_EIO,
                    "[websub] listen: cannot listen at %s, port %s: %s", host, port, strerror(why));
}
