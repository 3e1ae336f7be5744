#include "daemon/headers.h"

#include "lib/date.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is believed at most: 30 days. */
#define MOST_S (INT64_C(30) * 86400)

static int64_t seconds_of(const char *text)
{
    char *end;
    long long number = strtoll(text, &end, 10);

    return end == text || number < 0 ? -1 : number > MOST_S ? MOST_S : number;
}

static void read_cache_control(struct kns_headers *h, const char *value)
{
    while (*value != '\0') {
        value += strspn(value, " \t,");
        size_t len = strcspn(value, ",");
        if (strncasecmp(value, "no-cache", 8) == 0 || strncasecmp(value, "no-store", 8) == 0)
            h->max_age_s = 0;
        if (strncasecmp(value, "max-age", 7) == 0 && value[7 + strspn(value + 7, " ")] == '=') {
            const char *number = strchr(value, '=') + 1;
            number += *number == '"';
            int64_t age = seconds_of(number);
            if (age >= 0 && h->max_age_s < 0)
                h->max_age_s = age;
        }
        value += len;
    }
}

static bool keep(char **field, const char *value)
{
    free(*field);
    *field = strdup(value);
    return *field != NULL;
}

static bool add_link(struct kns_headers *h, const char *value)
{
    size_t before = h->link == NULL ? 0 : strlen(h->link) + 2, len = strlen(value);

    if (before + len > KNS_HEADERS_MAX_LINK)
        return true;
    char *grown = realloc(h->link, before + len + 1);
    if (grown == NULL)
        return false;
    if (before > 0)
        memcpy(grown + before - 2, ", ", 2);
    memcpy(grown + before, value, len + 1);
    h->link = grown;
    return true;
}

static bool take(struct kns_headers *h, const char *name, const char *value)
{
    struct kns_time time = {0};

    if (strcasecmp(name, "etag") == 0)
        return keep(&h->etag, value);
    if (strcasecmp(name, "last-modified") == 0)
        return keep(&h->last_modified, value);
    if (strcasecmp(name, "content-type") == 0)
        return keep(&h->content_type, value);
    if (strcasecmp(name, "location") == 0)
        return keep(&h->location, value);
    if (strcasecmp(name, "link") == 0)
        return add_link(h, value);
    if (strcasecmp(name, "cache-control") == 0) {
        read_cache_control(h, value);
    } else if (strcasecmp(name, "age") == 0) {
        h->age_s = seconds_of(value) > 0 ? seconds_of(value) : 0;
    } else if (strcasecmp(name, "date") == 0) {
        if (kns_date_parse_http(value, &time))
            h->date = time;
    } else if (strcasecmp(name, "expires") == 0) {
        h->has_expires = true;
        if (kns_date_parse_http(value, &time))
            h->expires = time;
    } else if (strcasecmp(name, "retry-after") == 0) {
        if (isdigit((unsigned char)*value))
            h->retry_after_s = seconds_of(value);
        else if (kns_date_parse_http(value, &time))
            h->retry_after = time;
    } else if (strcasecmp(name, "cf-mitigated") == 0) {
        h->bot_wall = true;
    }
    return true;
}

bool kns_headers_add(struct kns_headers *h, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);

    if (colon == NULL)
        return true;
    char *copy = strndup(line, len);
    if (copy == NULL)
        return false;
    copy[colon - line] = '\0';
    char *value = copy + (colon - line) + 1;
    value += strspn(value, " \t");
    size_t size = strlen(value);
    while (size > 0 && strchr(" \t\r\n", value[size - 1]) != NULL)
        value[--size] = '\0';
    bool good = take(h, copy, value);
    free(copy);
    return good;
}

void kns_headers_reset(struct kns_headers *h)
{
    free(h->etag);
    free(h->last_modified);
    free(h->content_type);
    free(h->location);
    free(h->link);
    *h = (struct kns_headers){.max_age_s = -1, .retry_after_s = -1};
}

int64_t kns_headers_freshness(const struct kns_headers *h, struct kns_time now)
{
    int64_t lifetime = h->max_age_s;

    if (lifetime < 0 && h->has_expires) {
        int64_t from = kns_time_given(h->date) ? h->date.unix_s : now.unix_s;
        lifetime = kns_time_given(h->expires) ? h->expires.unix_s - from : 0;
    }
    if (lifetime < 0)
        return h->max_age_s < 0 && !h->has_expires ? -1 : 0;
    lifetime = lifetime > h->age_s ? lifetime - h->age_s : 0;
    return lifetime > MOST_S ? MOST_S : lifetime;
}

struct kns_time kns_headers_retry_at(const struct kns_headers *h, struct kns_time now)
{
    int64_t at = h->retry_after_s >= 0 ? now.unix_s + h->retry_after_s : h->retry_after.unix_s;

    if (at == 0)
        return (struct kns_time){0};
    return (struct kns_time){at < now.unix_s            ? now.unix_s
                             : at > now.unix_s + MOST_S ? now.unix_s + MOST_S
                                                        : at};
}
