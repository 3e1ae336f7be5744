/* local.h - sources on this machine: file: paths and exec: commands, with the fetcher's door and bounds. Loop thread only; files are read on
 * libuv's pool, commands run as processes of their own, without a shell.
 *
 *   file:/srv/feeds/a.xml, file:///srv/feeds/a.xml        a regular file
 *   exec:/usr/local/bin/scrape --site "a b"               a program's standard output
 */
#ifndef KNSD_LOCAL_H
#define KNSD_LOCAL_H

#include "daemon/fetcher.h"

struct kns_locals;

/* A command may have so much memory (address space). */
#define KNS_LOCAL_MEMORY ((uint64_t)1 << 30)

/* True for file: and exec: URLs; true for those that are well formed: an absolute path. */
bool kns_local_is(const char *url);
bool kns_local_is_good(const char *url);

/* True when the configuration allows this one. */
bool kns_local_is_allowed(const struct kns_config *config, const char *url);

/* The caller owns the locals. NULL: no memory. */
struct kns_locals *kns_locals_new(uv_loop_t *loop);

/* Begins to read request->url; config is used during the call alone. What is not allowed is refused in done, later. KNS_ENOMEM: done is not
 * called. A file's ETag is its inode, size and time of change; it is "not modified" (304) while that is the same. */
enum kns_status kns_local_get(struct kns_locals *locals, const struct kns_config *config,
                              const struct kns_fetch_request *request);

/* Ends all of them: their done is called with an error, inside the call. The locals are freed when the last handle is closed: run the loop
 * until then. NULL is allowed. */
void kns_locals_free(struct kns_locals *locals);

#endif
