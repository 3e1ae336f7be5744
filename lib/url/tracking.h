/* tracking.h - the query parameters that say where a reader came from and nothing about the article. */
#ifndef KNS_URL_TRACKING_H
#define KNS_URL_TRACKING_H

#include <stdbool.h>
#include <stddef.h>

/* True for a parameter (the text between & and &, name and value) that identifies no article. */
bool kns_url_is_tracking(const char *parameter, size_t len);

#endif
