/* Resolving references (RFC 3986 5.2), kept to splitting strings: feeds hold thousands of links, most of them absolute. What the
 * WHATWG URL standard (4.4) makes of web addresses beyond that, readers see too: backslashes, and slashes too many or too few. */
#include "lib/url.h"

#include "lib/url/path.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* A piece of a longer string; NULL: undefined, which differs from empty (RFC 3986 5.3). */
struct piece {
    const char *at;
    size_t len;
};

struct reference {
    struct piece scheme, authority, path, query, fragment;
};

static size_t scheme_length(const char *text)
{
    size_t i = 0;

    if (strncmp(text, "http", 4) == 0 && (text[4] == ':' || (text[4] == 's' && text[5] == ':')))
        return text[4] == ':' ? 4 : 5;
    if (!isalpha((unsigned char)text[0]))
        return 0;
    while (isalnum((unsigned char)text[i]) || (text[i] != '\0' && strchr("+-.", text[i]) != NULL))
        i++;
    return text[i] == ':' ? i : 0;
}

bool kns_url_has_scheme(const char *text)
{
    return scheme_length(text) > 0;
}

/* RFC 3986 appendix B. */
static struct reference split(const char *text)
{
    struct reference r = {0};
    size_t len = scheme_length(text);

    if (len > 0) {
        r.scheme = (struct piece){text, len};
        text += len + 1;
    }
    if (strncmp(text, "//", 2) == 0) {
        r.authority = (struct piece){text + 2, strcspn(text + 2, "/?#")};
        text += 2 + r.authority.len;
    }
    r.path = (struct piece){text, strcspn(text, "?#")};
    text += r.path.len;
    if (*text == '?') {
        r.query = (struct piece){text + 1, strcspn(text + 1, "#")};
        text += 1 + r.query.len;
    }
    if (*text == '#')
        r.fragment = (struct piece){text + 1, strlen(text + 1)};
    return r;
}

/* How many dots a segment is made of, escaped ones too (WHATWG URL 4.1); 0: of anything else. */
static size_t count_dots(const char *segment, size_t size)
{
    size_t dots = 0;

    while (size > 0 && dots < 3) {
        size_t len = segment[0] == '.'                                 ? 1
                     : size > 2 && strncasecmp(segment, "%2e", 3) == 0 ? 3
                                                                       : 0;
        if (len == 0)
            return 0;
        segment += len;
        size -= len;
        dots++;
    }
    return dots;
}

size_t kns_url_remove_dot_segments(char *path, size_t len)
{
    size_t in = 0, out = 0;

    while (in < len) {
        size_t end = in + (path[in] == '/');
        while (end < len && path[end] != '/')
            end++;
        const char *segment = path + in + (path[in] == '/');
        size_t size = (size_t)(path + end - segment);
        size_t dots = count_dots(segment, size);
        if (dots == 2)
            while (out > 0 && path[--out] != '/')
                ;
        if (dots != 1 && dots != 2) {
            memmove(path + out, path + in, end - in);
            out += end - in;
        } else if (end == len) {
            path[out++] = '/';
        }
        in = end;
    }
    return out;
}

static void add(char **to, const char *before, struct piece piece, const char *after)
{
    if (piece.at == NULL)
        return;
    *to = stpcpy(*to, before);
    memcpy(*to, piece.at, piece.len);
    *to = stpcpy(*to + piece.len, after);
}

/* RFC 3986 5.3. */
static const char *join(struct kns_arena *arena, const struct reference *r)
{
    char *text = kns_arena_alloc(arena, r->scheme.len + r->authority.len + r->path.len +
                                            r->query.len + r->fragment.len + 8);
    char *to = text;

    if (text == NULL)
        return NULL;
    add(&to, "", r->scheme, ":");
    add(&to, "//", r->authority, "");
    add(&to, "", r->path, "");
    add(&to, "?", r->query, "");
    add(&to, "#", r->fragment, "");
    *to = '\0';
    return text;
}

/* The base's path up to its last slash, and the reference's (RFC 3986 5.2.3), without dot segments. */
static bool merge_paths(struct kns_arena *arena, const struct reference *base, struct piece path,
                        struct piece *ret)
{
    bool absolute = path.at[0] == '/';
    size_t dir = absolute ? 0 : base->path.len;

    while (dir > 0 && base->path.at[dir - 1] != '/')
        dir--;
    char *merged = kns_arena_alloc(arena, dir + path.len + 2);
    if (merged == NULL)
        return false;
    size_t len = 0;
    if (!absolute && dir == 0)
        merged[len++] = '/';
    memcpy(merged + len, base->path.at, dir);
    len += dir;
    memcpy(merged + len, path.at, path.len);
    len += path.len;
    *ret = (struct piece){merged, kns_url_remove_dot_segments(merged, len)};
    return true;
}

/* True when trim() would change nothing. */
static bool is_trim(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ')
            return false;
    return true;
}

/* True when neither trim() nor straighten() nor the removal of dot segments changes a path beyond its plain dots. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || *text == '\\' ||
            (*text == '%' && strncasecmp(text, "%2e", 3) == 0))
            return false;
    return true;
}

/* A copy without white space around it and without tabs and line breaks inside (WHATWG URL 4.4). */
static char *trim(struct kns_arena *arena, const char *text)
{
    while (*text != '\0' && (unsigned char)*text <= ' ')
        text++;
    size_t len = strlen(text);
    while (len > 0 && (unsigned char)text[len - 1] <= ' ')
        len--;
    char *copy = kns_arena_alloc(arena, len + 1);
    if (copy == NULL)
        return NULL;
    size_t out = 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] != '\t' && text[i] != '\n' && text[i] != '\r')
            copy[out++] = text[i];
    copy[out] = '\0';
    return copy;
}

/* "/path" against "https://host/…": the same as below, without taking both apart. NULL: it is something else, or no memory. */
static const char *resolve_path(struct kns_arena *arena, const char *base, const char *reference)
{
    if (reference[0] != '/' || reference[1] == '/' || strstr(reference, "/.") != NULL ||
        !is_plain(reference))
        return NULL;
    size_t scheme = scheme_length(base);
    if (scheme == 0 || strncmp(base + scheme, "://", 3) != 0)
        return NULL;
    size_t prefix = scheme + 3 + strcspn(base + scheme + 3, "/?# \t\r\n");
    if (base[prefix] != '\0' && (unsigned char)base[prefix] <= ' ')
        return NULL;
    size_t len = strlen(reference);
    char *url = kns_arena_alloc(arena, prefix + len + 1);
    if (url == NULL)
        return NULL;
    memcpy(url, base, prefix);
    memcpy(url + prefix, reference, len);
    return url;
}

/* The schemes whose addresses all have a host (WHATWG URL 3.2's special schemes, but for files and sockets). */
static bool is_special(const char *url, size_t scheme)
{
    static const char *const names[] = {"http", "https", "ftp"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == scheme && strncasecmp(names[i], url, scheme) == 0)
            return true;
    return false;
}

/* "scheme://host" without a backslash, as nearly all are: straighten() changes nothing. */
static bool is_straight(const char *url)
{
    size_t scheme = scheme_length(url);

    return scheme > 0 && strncmp(url + scheme, "://", 3) == 0 &&
           (unsigned char)url[scheme + 3] > ' ' && strchr("/?#", url[scheme + 3]) == NULL &&
           strchr(url, '\\') == NULL;
}

/* A web address, or a reference against one, with "//" before its host and "/" where it has backslashes; "http:path" against a
 * base of that scheme is relative. Changes text; NULL: no memory. */
static char *straighten(struct kns_arena *arena, const char *base, char *text)
{
    if (is_straight(text))
        return text;
    size_t scheme = scheme_length(text), base_scheme = base == NULL ? 0 : scheme_length(base);
    if (scheme > 0 ? !is_special(text, scheme) : !is_special(base == NULL ? "" : base, base_scheme))
        return text;
    for (size_t end = strcspn(text, "?#"), i = 0; i < end; i++)
        if (text[i] == '\\')
            text[i] = '/';
    char *rest = text + scheme + (scheme > 0);
    size_t slashes = strspn(rest, "/");
    if (slashes > 2)
        memmove(rest + 2, rest + slashes, strlen(rest + slashes) + 1);
    if (scheme == 0 || slashes >= 2)
        return text;
    if (scheme == base_scheme && strncasecmp(text, base, scheme) == 0)
        return kns_url_has_scheme(rest) ? kns_arena_printf(arena, "./%s", rest) : rest;
    return strchr("?#", rest[slashes]) != NULL
               ? text
               : kns_arena_printf(arena, "%.*s://%s", (int)scheme, text, rest + slashes);
}

/* The same of a base; NULL: it is a web address without host, which is no base for anything. */
static const char *straight_base(struct kns_arena *arena, const char *base)
{
    if (is_straight(base))
        return base;
    char *copy = trim(arena, base);
    const char *straight = copy == NULL ? NULL : straighten(arena, NULL, copy);
    if (straight == NULL)
        return base;
    return is_special(straight, scheme_length(straight)) && !is_straight(straight) ? NULL
                                                                                   : straight;
}

const char *kns_url_resolve(struct kns_arena *arena, const char *base, const char *reference)
{
    if (base != NULL)
        base = straight_base(arena, base);
    const char *quick = base == NULL ? NULL : resolve_path(arena, base, reference);
    if (quick != NULL)
        return quick;
    char *trimmed = trim(arena, reference);
    if (trimmed != NULL)
        trimmed = straighten(arena, base, trimmed);

    if (trimmed == NULL || base == NULL || kns_url_has_scheme(trimmed))
        return trimmed;
    const char *clean_base = base;
    if (!is_trim(base)) {
        /* Without its fragment, so that what stands before it is trimmed too. */
        char *copy = kns_arena_copy(arena, base, strcspn(base, "#"));
        clean_base = copy == NULL ? NULL : trim(arena, copy);
    }
    if (clean_base == NULL)
        return NULL;
    struct reference b = split(clean_base), r = split(trimmed);
    /* mailto:, data:, tag: and the like are no base for anything. */
    if (b.authority.at == NULL && (b.path.len == 0 || b.path.at[0] != '/'))
        return trimmed;
    r.scheme = b.scheme;
    if (r.authority.at != NULL)
        return join(arena, &r);
    r.authority = b.authority;
    if (r.path.len == 0) {
        r.path = b.path;
        if (r.query.at == NULL)
            r.query = b.query;
        return join(arena, &r);
    }
    return merge_paths(arena, &b, r.path, &r.path) ? join(arena, &r) : NULL;
}
