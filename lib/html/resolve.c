/* Relative URLs inside HTML made absolute, by reading start tags only: the rest stays as it was, byte for byte. */
#include "lib/html.h"

#include "lib/buf.h"
#include "lib/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The attributes that hold a URL, in WHATWG HTML and in what came before it. */
static bool holds_url(const char *name, size_t len)
{
    static const char names[] = " action background cite classid codebase data formaction href "
                                "icon longdesc lowsrc manifest "
                                "poster profile src usemap xlink:href ";
    char wanted[16] = " ";

    if (len > 10)
        return false;
    for (size_t i = 0; i < len; i++)
        wanted[i + 1] = (char)tolower((unsigned char)name[i]);
    wanted[len + 1] = ' ';
    return strstr(names, wanted) != NULL;
}

struct resolver {
    struct kns_arena *arena;
    const char *base;
    struct kns_buf out;
    const char *from; /* what is not yet copied begins here */
    bool changed;
    bool failed;
};

static void replace(struct resolver *r, const char *value, size_t len, const char *with)
{
    kns_buf_add(&r->out, r->from, (size_t)(value - r->from));
    kns_buf_adds(&r->out, with);
    r->from = value + len;
    r->changed = true;
}

/* The URL resolved, with the quotes that resolving cannot bring in anyway left to the original; NULL: nothing changes. */
static const char *resolve(struct resolver *r, const char *url, size_t len)
{
    char *copy = kns_arena_copy(r->arena, url, len);
    const char *absolute = copy == NULL ? NULL : kns_url_resolve(r->arena, r->base, copy);

    r->failed = r->failed || absolute == NULL;
    return absolute == NULL || strcmp(absolute, copy) == 0 ? NULL : absolute;
}

/* "a.png 1x, b.png 2x" (WHATWG HTML 4.8.4.2.1): each candidate's URL. */
static void resolve_srcset(struct resolver *r, const char *value, size_t len)
{
    const char *end = value + len;

    while (value < end) {
        while (value < end && (isspace((unsigned char)*value) || *value == ','))
            value++;
        const char *url = value;
        while (value < end && !isspace((unsigned char)*value))
            value++;
        size_t size = (size_t)(value - url);
        while (size > 0 && url[size - 1] == ',')
            size--;
        const char *absolute = size == 0 ? NULL : resolve(r, url, size);
        if (absolute != NULL)
            replace(r, url, size, absolute);
        if (size == (size_t)(value - url))
            while (value < end && *value != ',')
                value++;
    }
}

static void resolve_attribute(struct resolver *r, const char *name, size_t name_len,
                              const char *value, size_t len)
{
    if (name_len == 6 && strncasecmp(name, "srcset", 6) == 0) {
        resolve_srcset(r, value, len);
        return;
    }
    if (!holds_url(name, name_len))
        return;
    const char *absolute = resolve(r, value, len);
    if (absolute != NULL)
        replace(r, value, len, absolute);
}

/* One start tag; at stands behind its name. Returns where it ends. */
static const char *read_tag(struct resolver *r, const char *at)
{
    for (;;) {
        while (*at != '\0' && (isspace((unsigned char)*at) || *at == '/'))
            at++;
        if (*at == '>' || *at == '\0')
            return at;
        const char *name = at;
        while (*at != '\0' && !isspace((unsigned char)*at) && *at != '=' && *at != '>' &&
               *at != '/')
            at++;
        size_t name_len = (size_t)(at - name);
        if (name_len == 0)
            at++;
        const char *after = at + strspn(at, " \t\r\n");
        if (*after != '=')
            continue;
        at = after + 1 + strspn(after + 1, " \t\r\n");
        const char *value = at;
        if (*at == '"' || *at == '\'') {
            const char *close = strchr(at + 1, *at);
            if (close == NULL)
                return at + strlen(at);
            resolve_attribute(r, name, name_len, value + 1, (size_t)(close - value - 1));
            at = close + 1;
        } else {
            at += strcspn(at, " \t\r\n>");
            resolve_attribute(r, name, name_len, value, (size_t)(at - value));
        }
    }
}

const char *kns_html_resolve(struct kns_arena *arena, const char *html, const char *base)
{
    struct resolver r = {.arena = arena, .base = base, .from = html};

    if (base == NULL)
        return html;
    for (const char *at = strchr(html, '<'); at != NULL; at = strchr(at, '<')) {
        at++;
        if (strncmp(at, "!--", 3) == 0) {
            const char *end = strstr(at, "-->");
            if (end == NULL)
                break;
            at = end;
        } else if (isalpha((unsigned char)*at)) {
            while (isalnum((unsigned char)*at) || *at == ':' || *at == '-')
                at++;
            at = read_tag(&r, at);
        }
    }
    const char *result = html;
    if (r.changed) {
        kns_buf_adds(&r.out, r.from);
        result =
            kns_buf_failed(&r.out) ? NULL : kns_arena_copy(arena, kns_buf_str(&r.out), r.out.len);
    }
    kns_buf_fini(&r.out);
    return r.failed ? NULL : result;
}
