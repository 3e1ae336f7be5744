/* One article under several addresses: what publishers, phones, AMP and redirectors do to a URL, by tables. */
#include "lib/buf.h"
#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A redirector may lead to another one; nobody honest needs more of them. */
#define MAX_REDIRECTORS 3

/* Addresses that carry their target: in a parameter, or (parameter NULL) as host and path behind the prefix. */
static const struct {
    const char *prefix; /* of the canonical URL behind "scheme://" */
    const char *parameter;
} redirectors[] = {
    {"www.google.com/url?", "url"},
    {"www.google.com/url?", "q"},
    {"google.com/url?", "url"},
    {"google.com/url?", "q"},
    {"l.facebook.com/l.php?", "u"},
    {"lm.facebook.com/l.php?", "u"},
    {"out.reddit.com/", "url"},
    {"t.umblr.com/redirect?", "z"},
    {"slack-redir.net/link?", "url"},
    {"vk.com/away.php?", "to"},
    {"www.youtube.com/redirect?", "q"},
    {"www.linkedin.com/redir/redirect?", "url"},
    {"exit.sc/?", "url"},
    {"href.li/?", ""},
    {"www.google.com/amp/s/", NULL},
    {"www.google.com/amp/", NULL},
    {"cdn.ampproject.org/c/s/", NULL},
    {"cdn.ampproject.org/c/", NULL},
    {"cdn.ampproject.org/v/s/", NULL},
};

/* First labels of a host that say how a page is shown, not which one it is. */
static const char *const host_prefixes[] = {"www.", "m.", "mobile.", "amp.", "sp."};

/* Ends of a path that name the same page. Tried again and again until none fits. */
static const char *const path_suffixes[] = {"/",          "/index.html", "/index.htm",
                                            "/index.php", "/amp",        "/amp.html",
                                            ".amp",       ".amp.html",   "/default.aspx"};

static const char *const amp_parameters[] = {"amp", "amp=1", "amp=true", "outputType=amp",
                                             "output=amp"};

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

    return at == NULL ? -1 : (int)(at - digits);
}

static const char *decoded(struct kns_arena *arena, const char *text, size_t size)
{
    char *copy = kns_arena_copy(arena, text, size);
    size_t to = 0;

    for (size_t i = 0; copy != NULL && i < size; i++) {
        if (text[i] == '%' && i + 2 < size && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            copy[to++] = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            copy[to++] = text[i];
        }
    }
    if (copy != NULL)
        copy[to] = '\0';
    return copy;
}

/* The value of a parameter of a query ("" takes the whole query); NULL: it has none. */
static const char *parameter_of(struct kns_arena *arena, const char *query, const char *name)
{
    size_t len = strlen(name);

    if (len == 0)
        return query;
    while (query != NULL && *query != '\0') {
        size_t size = strcspn(query, "&");
        if (strncmp(query, name, len) == 0 && query[len] == '=')
            return decoded(arena, query + len + 1, size - len - 1);
        query += size + (query[size] == '&');
    }
    return NULL;
}

/* Where a redirector leads, as a canonical URL; NULL: url is none. */
static const char *target_of(struct kns_arena *arena, const char *url)
{
    const char *rest = strstr(url, "://") + 3;

    for (size_t i = 0; i < LENGTH(redirectors); i++) {
        size_t len = strlen(redirectors[i].prefix);
        if (strncmp(rest, redirectors[i].prefix, len) != 0)
            continue;
        const char *query = strchr(rest, '?');
        const char *target = redirectors[i].parameter == NULL
                                 ? kns_arena_printf(arena, "https://%s", rest + len)
                                 : parameter_of(arena, query == NULL ? rest + len : query + 1,
                                                redirectors[i].parameter);
        const char *canonical =
            target != NULL && kns_url_is_web(target) ? kns_url_canonical(arena, target) : NULL;
        if (canonical != NULL)
            return canonical;
    }
    return NULL;
}

static const char *skip_host_prefix(const char *host)
{
    for (size_t i = 0; i < LENGTH(host_prefixes); i++) {
        size_t len = strlen(host_prefixes[i]);
        const char *rest = host + len, *end = host + strcspn(host, "/:?");
        /* What is left must still be a name with a dot in it: m.io is a site, m.site.example a view of one. */
        if (strncmp(host, host_prefixes[i], len) == 0 && rest < end &&
            memchr(rest, '.', (size_t)(end - rest)) != NULL)
            return rest;
    }
    return host;
}

static size_t trimmed_path(const char *path, size_t size)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < LENGTH(path_suffixes); i++) {
            size_t len = strlen(path_suffixes[i]);
            if (size >= len && memcmp(path + size - len, path_suffixes[i], len) == 0) {
                size -= len;
                again = true;
            }
        }
    }
    return size;
}

static bool is_amp_parameter(const char *text, size_t size)
{
    for (size_t i = 0; i < LENGTH(amp_parameters); i++)
        if (strlen(amp_parameters[i]) == size && memcmp(amp_parameters[i], text, size) == 0)
            return true;
    return false;
}

static void add_query(struct kns_buf *out, const char *query)
{
    char separator = '?';

    while (*query != '\0') {
        size_t size = strcspn(query, "&");
        if (!is_amp_parameter(query, size)) {
            kns_buf_addc(out, separator);
            kns_buf_add(out, query, size);
            separator = '&';
        }
        query += size + (query[size] == '&');
    }
}

const char *kns_url_variant_key(struct kns_arena *arena, const char *url)
{
    const char *canonical = kns_url_canonical(arena, url);
    struct kns_buf out = {0};

    for (int i = 0; i < MAX_REDIRECTORS && canonical != NULL; i++) {
        const char *target = target_of(arena, canonical);
        if (target == NULL)
            break;
        canonical = target;
    }
    if (canonical == NULL)
        return NULL;
    const char *host = skip_host_prefix(strstr(canonical, "://") + 3);
    const char *path = host + strcspn(host, "/?");
    size_t path_size = strcspn(path, "?");
    kns_buf_add(&out, host, (size_t)(path - host));
    kns_buf_add(&out, path, trimmed_path(path, path_size));
    if (path[path_size] == '?')
        add_query(&out, path + path_size + 1);
    const char *key = kns_buf_failed(&out) ? NULL : kns_arena_copy(arena, out.data, out.len);
    kns_buf_fini(&out);
    return key;
}
