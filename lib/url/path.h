/* path.h - the paths of URLs. Private to lib/url. */
#ifndef KNS_URL_PATH_H
#define KNS_URL_PATH_H

#include <stddef.h>

/* RFC 3986 5.2.4, in place: "." and ".." segments go. Returns the new length. */
size_t kns_url_remove_dot_segments(char *path, size_t len);

#endif
