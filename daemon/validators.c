/* Conditional requests (RFC 9110 13): whether the client has already what we would send. Deciding: no loop, no HTTP library. */
#include "daemon/request.h"

#include "lib/date.h"

#include <stdio.h>
#include <string.h>

static uint64_t hash_of(const struct kns_buf *buf)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < buf->len; i++)
        hash = (hash ^ (unsigned char)buf->data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static const char *http_date(struct kns_arena *arena, struct kns_time at)
{
    char text[KNS_TIME_HTTP];

    return kns_time_given(at) ? kns_arena_strdup(arena, kns_time_format_http(at, text)) : NULL;
}

/* If-None-Match: a list of entity tags, compared weakly, or "*". */
static bool names_tag(const char *list, const char *etag)
{
    size_t len = strlen(etag);

    for (const char *at = list; *at != '\0'; at += strcspn(at, ",")) {
        at += strspn(at, ", \t");
        if (*at == '*')
            return true;
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        if (strncmp(at, etag, len) == 0 && strspn(at + len, " \t") == strcspn(at + len, ","))
            return true;
    }
    return false;
}

static bool has_it(const struct kns_request *request, struct kns_time changed)
{
    struct kns_time since = {0};

    if (request->if_none_match != NULL) /* it decides alone */
        return names_tag(request->if_none_match, request->etag);
    return request->if_modified_since != NULL && kns_time_given(changed) &&
           kns_date_parse_http(request->if_modified_since, &since) &&
           changed.unix_s <= since.unix_s;
}

void kns_request_validate(struct kns_request *request, struct kns_time changed)
{
    request->etag =
        kns_arena_printf(request->arena, "\"%016llx\"", (unsigned long long)hash_of(&request->out));
    request->last_modified = http_date(request->arena, changed);
    if (request->etag == NULL || !has_it(request, changed))
        return;
    request->status = 304;
    kns_buf_reset(&request->out);
}
