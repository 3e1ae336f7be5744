#include "lib/url.h"

#include "lib/buf.h"
#include "lib/text.h"
#include "lib/url/path.h"
#include "lib/url/tracking.h"

#include <ctype.h>
#include <curl/curl.h>
#include <libpsl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool kns_url_is_web(const char *url)
{
    size_t scheme = strncasecmp(url, "http://", 7) == 0    ? 7
                    : strncasecmp(url, "https://", 8) == 0 ? 8
                                                           : 0;

    return scheme > 0 && url[scheme] != '\0' && strchr("/?#", url[scheme]) == NULL;
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static bool is_escape(const char *at, const char *end)
{
    return *at == '%' && end - at > 2 && isxdigit((unsigned char)at[1]) &&
           isxdigit((unsigned char)at[2]);
}

/* The host's name as curl is to see it: its escapes decoded, so that they can be no second spelling, and without the root's dot,
 * which names the same host. False: no host (WHATWG URL 3.1: forbidden host code points, ill-formed UTF-8). */
static bool add_host(struct kns_buf *out, const char *name, const char *end)
{
    const char *forbidden = *name == '[' ? "#/<>?@\\^|%" : "#/<>?@\\^|%[]:";
    size_t start = out->len;

    while (name < end) {
        bool escape = is_escape(name, end);
        int value = escape ? hex(name[1]) << 4 | hex(name[2]) : *name;
        unsigned char c = (unsigned char)value;
        if (c <= ' ' || c == 0x7F || strchr(forbidden, c) != NULL)
            return false;
        kns_buf_addc(out, (char)c);
        name += escape ? 3 : 1;
    }
    while (!kns_buf_failed(out) && out->len > start + 1 && out->data[out->len - 1] == '.')
        out->len--;
    return kns_text_is_utf8(kns_buf_str(out) + start, out->len - start);
}

/* "//user:password@host:port"; returns where it ends, NULL: it has no host. */
static const char *add_authority(struct kns_buf *out, const char *authority)
{
    const char *end = authority + strcspn(authority, "/?#");
    const char *user_end = memrchr(authority, '@', (size_t)(end - authority));
    const char *name = user_end == NULL ? authority : user_end + 1;
    const char *bracket = *name == '[' ? memchr(name, ']', (size_t)(end - name)) : NULL;
    const char *name_end = bracket != NULL ? bracket + 1 : name + strcspn(name, ":/?#");

    kns_buf_add(out, authority, (size_t)(name - authority));
    if (!add_host(out, name, name_end))
        return NULL;
    kns_buf_add(out, name_end, (size_t)(end - name_end));
    return end;
}

/* What curl is to see: percent-encoded behind the host what it refuses there (spaces, controls, non-ASCII, a few signs), as the
 * WHATWG URL standard does in paths and queries. The host is left to IDNA. The caller frees. NULL: no host, or no memory. */
static char *prepare(const char *url)
{
    const char *scheme_end = strstr(url, "://");
    const char *rest = url;
    struct kns_buf out = {0};

    if (scheme_end != NULL) {
        kns_buf_add(&out, url, (size_t)(scheme_end + 3 - url));
        rest = add_authority(&out, scheme_end + 3);
    }
    for (; rest != NULL && *rest != '\0'; rest++) {
        unsigned char c = (unsigned char)*rest;
        if (c <= 0x20 || c >= 0x7F || strchr("\"<>\\^`{|}", c) != NULL)
            kns_buf_addf(&out, "%%%02X", c);
        else
            kns_buf_addc(&out, *rest);
    }
    if (rest != NULL)
        return kns_buf_take(&out);
    kns_buf_fini(&out);
    return NULL;
}

static CURLU *parse(const char *url)
{
    CURLU *handle = curl_url();
    char *encoded = prepare(url);
    bool good = handle != NULL && encoded != NULL &&
                curl_url_set(handle, CURLUPART_URL, encoded, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;

    free(encoded);
    if (good)
        return handle;
    curl_url_cleanup(handle);
    return NULL;
}

/* A part of the URL; NULL when it is not there. The caller frees with curl_free. */
static char *part(CURLU *handle, CURLUPart which, unsigned flags)
{
    char *text = NULL;

    curl_url_get(handle, which, &text, flags);
    return text;
}

/* The host in IDNA's ASCII form. libcurl has it converted from the locale's charset, which must not decide about what an
 * article's identity is. NULL: it has none. */
static char *idna_host(CURLU *handle)
{
    char *host = NULL;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);

#ifdef CURLU_PUNYCODE
    curl_url_get(handle, CURLUPART_HOST, &host, CURLU_PUNYCODE);
#else
    (void)handle;
#endif
    if (utf8 != (locale_t)0) {
        uselocale(before);
        freelocale(utf8);
    }
    return host;
}

/* The host in lower case; NULL when there is none. The caller frees with curl_free. */
static char *lower_host(CURLU *handle)
{
    char *host = part(handle, CURLUPART_HOST, CURLU_URLDECODE);

    if (host != NULL && kns_text_ascii_prefix(host, strlen(host)) < strlen(host)) {
        char *ascii = idna_host(handle);
        if (ascii != NULL) {
            curl_free(host);
            host = ascii;
        }
    }
    if (host == NULL)
        return NULL;
    for (char *c = host; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return host;
}

/* RFC 3986 6.2.2: unreserved characters stand for themselves, other escapes in upper case, odd bytes escaped. A '%' that
 * begins no escape is escaped too, or it would begin one with what is decoded behind it. */
static void add_normalised(struct kns_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool escape = is_escape(text + i, text + len);
        if (escape) {
            c = (unsigned char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
            i += 2;
            escape = !isalnum(c) && (c == '\0' || strchr("-._~", c) == NULL);
        }
        if (escape || c <= 0x20 || c >= 0x7F || c == '%')
            kns_buf_addf(out, "%%%02X", c);
        else
            kns_buf_addc(out, (char)c);
    }
}

/* The query without tracking parameters, "?" in front when anything is left. */
static void add_query(struct kns_buf *out, const char *query, size_t size, bool normalise)
{
    const char *end = query + size;
    char separator = '?';

    while (query < end) {
        const char *amp = memchr(query, '&', (size_t)(end - query));
        size_t len = (size_t)((amp == NULL ? end : amp) - query);
        if (len > 0 && !kns_url_is_tracking(query, len)) {
            kns_buf_addc(out, separator);
            if (normalise)
                add_normalised(out, query, len);
            else
                kns_buf_add(out, query, len);
            separator = '&';
        }
        query += len + 1;
    }
}

static const char *finish(struct kns_arena *arena, struct kns_buf *out)
{
    const char *text =
        kns_buf_failed(out) ? NULL : kns_arena_copy(arena, kns_buf_str(out), out->len);

    kns_buf_fini(out);
    return text;
}

const char *kns_url_canonical(struct kns_arena *arena, const char *url)
{
    const char *text = NULL;

    while (*url != '\0' && (unsigned char)*url <= ' ')
        url++;
    CURLU *handle = kns_url_is_web(url) ? parse(url) : NULL;
    if (handle == NULL)
        return NULL;
    char *scheme = part(handle, CURLUPART_SCHEME, 0), *host = lower_host(handle);
    char *port = part(handle, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    char *path = part(handle, CURLUPART_PATH, 0), *query = part(handle, CURLUPART_QUERY, 0);
    if (scheme != NULL && host != NULL && path != NULL) {
        struct kns_buf out = {0};
        kns_buf_addf(&out, "%s://%s", scheme, host);
        if (port != NULL)
            kns_buf_addf(&out, ":%s", port);
        /* Only now, because %2E is a dot too. */
        size_t prefix = out.len;
        add_normalised(&out, path, strlen(path));
        if (!kns_buf_failed(&out))
            out.len = prefix + kns_url_remove_dot_segments(out.data + prefix, out.len - prefix);
        if (query != NULL)
            add_query(&out, query, strlen(query), true);
        text = finish(arena, &out);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_free(query);
    curl_url_cleanup(handle);
    return text;
}

const char *kns_url_clean(struct kns_arena *arena, const char *url)
{
    size_t fragment_at = strcspn(url, "#"), query_at = strcspn(url, "?");
    struct kns_buf out = {0};

    if (query_at >= fragment_at)
        return kns_arena_strdup(arena, url);
    kns_buf_add(&out, url, query_at);
    add_query(&out, url + query_at + 1, fragment_at - query_at - 1, false);
    kns_buf_adds(&out, url + fragment_at);
    return finish(arena, &out);
}

const char *kns_url_host(struct kns_arena *arena, const char *url)
{
    CURLU *handle = parse(url);
    char *host = handle == NULL ? NULL : lower_host(handle);
    const char *copy = host == NULL || *host == '\0' ? NULL : kns_arena_strdup(arena, host);

    curl_free(host);
    curl_url_cleanup(handle);
    return copy;
}

const char *kns_url_origin(struct kns_arena *arena, const char *url)
{
    CURLU *handle = parse(url);
    char *scheme = handle == NULL ? NULL : part(handle, CURLUPART_SCHEME, 0);
    char *host = handle == NULL ? NULL : lower_host(handle);
    char *port = handle == NULL ? NULL : part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const char *origin =
        scheme == NULL || host == NULL || *host == '\0'
            ? NULL
            : kns_arena_printf(arena, "%s://%s:%s", scheme, host, port == NULL ? "" : port);

    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(handle);
    return origin;
}

const char *kns_url_site(struct kns_arena *arena, const char *url)
{
    const char *host = kns_url_host(arena, url);

    if (host == NULL || host[0] == '[' || host[strspn(host, "0123456789.")] == '\0')
        return host;
    const psl_ctx_t *psl = psl_builtin();
    const char *site = psl == NULL ? NULL : psl_registrable_domain(psl, host);
    return site == NULL ? host : kns_arena_strdup(arena, site);
}

const char *kns_url_without_credentials(struct kns_arena *arena, const char *url)
{
    const char *authority = strstr(url, "://");

    if (authority == NULL)
        return kns_arena_strdup(arena, url);
    authority += 3;
    const char *at = memrchr(authority, '@', strcspn(authority, "/?#"));
    if (at == NULL)
        return kns_arena_strdup(arena, url);
    return kns_arena_printf(arena, "%.*s%s", (int)(authority - url), url, at + 1);
}

void kns_url_add_encoded(struct kns_buf *out, const char *text)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        if (strchr(unreserved, *text) != NULL)
            kns_buf_addc(out, *text);
        else
            kns_buf_addf(out, "%%%02X", (unsigned char)*text);
    }
}
