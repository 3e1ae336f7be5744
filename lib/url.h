/* url.h - URLs: resolving, taking apart, and the canonical form that is an article's identity.
 * Parsing is libcurl's (curl_url). Any thread. */
#ifndef KNS_URL_H
#define KNS_URL_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/error.h"

#include <stdbool.h>

/* reference resolved against base (RFC 3986 5.2; leading and trailing white space, backslashes and missing or needless slashes of
 * web addresses as the WHATWG URL standard says). base may be NULL. The reference itself, trimmed and straightened, when it is
 * absolute or cannot be resolved; NULL only when memory or the arena's limit ran out. Non-ASCII characters are kept as they are. */
const char *kns_url_resolve(struct kns_arena *arena, const char *base, const char *reference);

/* True for http and https URLs with a host. */
bool kns_url_is_web(const char *url);

/* True when the text starts with a scheme (RFC 3986 3.1). */
bool kns_url_has_scheme(const char *text);

/* The canonical URL (law 2): scheme and host in lower case, IDNA host, default port and fragment gone,
 * percent-encoding normalised (unreserved characters decoded, the rest in upper-case hex), dot segments removed,
 * tracking parameters gone (table in lib/url/tracking.c), the empty path "/". The
 * order of the remaining parameters is kept. NULL when it is no http(s) URL or no memory. */
const char *kns_url_canonical(struct kns_arena *arena, const char *url);

/* What stays of a URL when everything is gone that changes while the article is the same: the scheme, www. m. and amp.
 * hosts, a trailing slash, index.html, AMP paths and parameters, and redirectors that carry their target (tables in
 * lib/url/variant.c). A key for comparing, no address. NULL when it is no http(s) URL or no memory. */
const char *kns_url_variant_key(struct kns_arena *arena, const char *url);

/* The URL as given but without tracking parameters; the URL itself when there are none. */
const char *kns_url_clean(struct kns_arena *arena, const char *url);

/* The host in lower case and in its ASCII form, without port; NULL when there is none. */
const char *kns_url_host(struct kns_arena *arena, const char *url);

/* "scheme://host:port", lower case, the default port included: what credentials belong to (RFC 6454). NULL when the URL has no host. */
const char *kns_url_origin(struct kns_arena *arena, const char *url);

/* The registrable domain ("example.co.jp"; the host itself for addresses and single labels) by the
 * public suffix list; NULL when the URL has no host. */
const char *kns_url_site(struct kns_arena *arena, const char *url);

/* The URL with user and password removed, for showing and logging (law 6). */
const char *kns_url_without_credentials(struct kns_arena *arena, const char *url);

/* Appends text as the value of a parameter, or as one segment of a path: every byte but the unreserved characters percent-encoded
 * (RFC 3986 2.3). */
void kns_url_add_encoded(struct kns_buf *out, const char *text);

#endif
