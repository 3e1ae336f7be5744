/* Relative URLs inside HTML made absolute, by reading start tags only: the rest stays as it was, byte for byte. */
#include "lib/html.h"

#include "lib/buf.h"
#include "lib/html/tags.h"
#include "lib/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The attributes that hold a URL, in WHATWG HTML and in what came before it; by length, for most attributes are none of them. */
static bool holds_url(const struct tag_attribute *a)
{
    static const char *const names[][5] = {
        [3] = {"src"},
        [4] = {"href", "cite", "data", "icon"},
        [6] = {"action", "lowsrc", "poster", "usemap"},
        [7] = {"classid", "profile"},
        [8] = {"codebase", "longdesc", "manifest"},
        [10] = {"background", "formaction", "xlink:href"},
    };

    if (a->name_len >= sizeof(names) / sizeof(names[0]))
        return false;
    for (const char *const *name = names[a->name_len]; *name != NULL; name++)
        if (strncasecmp(*name, a->name, a->name_len) == 0)
            return true;
    return false;
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

/* An absolute web address with nothing to trim off or to straighten: most are. */
static bool is_settled(const char *url, size_t len)
{
    size_t scheme = strncmp(url, "https://", 8) == 0 ? 8 : strncmp(url, "http://", 7) == 0 ? 7 : 0;

    if (scheme == 0 || url[scheme] == '/')
        return false;
    for (size_t i = scheme; i < len; i++)
        if ((unsigned char)url[i] <= ' ' || url[i] == '\\')
            return false;
    return true;
}

/* The URL resolved; NULL: nothing changes. */
static const char *resolve(struct resolver *r, const char *url, size_t len)
{
    if (is_settled(url, len))
        return NULL;
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

static void resolve_attribute(struct resolver *r, const struct tag_attribute *a)
{
    if (a->value == NULL)
        return;
    if (a->name_len == 6 && strncasecmp(a->name, "srcset", 6) == 0) {
        resolve_srcset(r, a->value, a->value_len);
        return;
    }
    if (!holds_url(a))
        return;
    const char *absolute = resolve(r, a->value, a->value_len);
    if (absolute != NULL)
        replace(r, a->value, a->value_len, absolute);
}

const char *kns_html_resolve(struct kns_arena *arena, const char *html, const char *base)
{
    struct resolver r = {.arena = arena, .base = base, .from = html};

    if (base == NULL)
        return html;
    for (const char *at = strchr(html, '<'); at != NULL; at = strchr(at, '<')) {
        at++;
        if (*at == '!' && strncmp(at, "!--", 3) == 0) {
            const char *end = strstr(at, "-->");
            if (end == NULL)
                break;
            at = end;
        } else if (isalpha((unsigned char)*at)) {
            struct tag_attribute attribute;
            at += tag_name_length(at);
            while (tag_next_attribute(&at, &attribute))
                resolve_attribute(&r, &attribute);
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
