/* What requests ask for in their query parameters. Deciding: no loop, no HTTP library. */
#include "daemon/request.h"

#include "lib/time.h"
#include "lib/url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_FEEDS 1000 /* of one filter */

const char *kns_request_parameter(const struct kns_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_parameters; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    return NULL;
}

static bool bad_value(struct kns_request *request, const char *name, const char *value,
                      const char *expected)
{
    kns_request_problem(request, 400, "%s=%.80s: expected %s", name, value, expected);
    return false;
}

bool kns_request_flag(struct kns_request *request, const char *name, bool *ret)
{
    const char *value = kns_request_parameter(request, name);

    if (value == NULL)
        return true;
    bool yes = strcmp(value, "true") == 0 || strcmp(value, "1") == 0 || *value == '\0';
    if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
        return bad_value(request, name, value, "true or false");
    *ret = yes;
    return true;
}

/* strtoll() passes over space and a plus, which in a query is a space. */
static bool is_number_begin(const char *text)
{
    text += *text == '-';
    return *text >= '0' && *text <= '9';
}

bool kns_request_number(struct kns_request *request, const char *name, int64_t least, int64_t most,
                        int64_t *ret)
{
    const char *value = kns_request_parameter(request, name);
    char expected[64], *end;

    if (value == NULL)
        return true;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (!is_number_begin(value) || *end != '\0' || errno != 0 || number < least || number > most) {
        snprintf(expected, sizeof(expected), "a number from %lld to %lld", (long long)least,
                 (long long)most);
        return bad_value(request, name, value, expected);
    }
    *ret = number;
    return true;
}

bool kns_request_time(struct kns_request *request, const char *name, struct kns_time *ret)
{
    const char *value = kns_request_parameter(request, name);

    if (value == NULL || kns_time_parse_point(value, kns_time_now(), ret))
        return true;
    return bad_value(request, name, value, "7d, 36h, 2026-11-01 or RFC 3339");
}

static bool read_sort(struct kns_request *request, enum kns_item_sort *ret)
{
    static const char *const names[] = {"new", "old", "seen", "sources", "rank"};
    const char *value = kns_request_parameter(request, "sort");

    for (size_t i = 0; value != NULL && i < LENGTH(names); i++)
        if (strcmp(value, names[i]) == 0) {
            *ret = (enum kns_item_sort)i;
            return true;
        }
    return value == NULL || bad_value(request, "sort", value, "new, old, seen, sources or rank");
}

/* feed=1,2,3 or feed=1&feed=2 */
bool kns_request_feeds(struct kns_request *request, struct kns_item_query *query)
{
    int64_t *ids = kns_arena_alloc(request->arena, MOST_FEEDS * sizeof(*ids));

    for (size_t i = 0; i < request->n_parameters; i++) {
        const char *value = request->parameters[i].value;
        if (strcmp(request->parameters[i].name, "feed") != 0)
            continue;
        /* Nothing at all is no filter that lets everything through: whoever asks so has lost an id. */
        for (bool more = ids != NULL; more; value++) {
            char *end = NULL;
            long long id = is_number_begin(value) ? strtoll(value, &end, 10) : 0;
            if (end == NULL || (*end != ',' && *end != '\0') || query->n_feeds == MOST_FEEDS)
                return bad_value(request, "feed", request->parameters[i].value,
                                 "up to 1000 ids, with commas between");
            ids[query->n_feeds++] = id;
            value = end;
            more = *end == ',';
        }
    }
    query->feeds = ids;
    return ids != NULL;
}

bool kns_request_item_query(struct kns_request *request, struct kns_item_query *ret)
{
    int64_t limit = 0;

    *ret = (struct kns_item_query){.tag = kns_request_parameter(request, "tag"),
                                   .q = kns_request_parameter(request, "q"),
                                   .cursor = kns_request_parameter(request, "cursor")};
    bool good = kns_request_feeds(request, ret) &&
                kns_request_flag(request, "unread", &ret->unread) &&
                kns_request_flag(request, "starred", &ret->starred) &&
                kns_request_number(request, "limit", 1, KNS_PAGE_MOST, &limit) &&
                kns_request_time(request, "since", &ret->since) &&
                kns_request_time(request, "until", &ret->until) && read_sort(request, &ret->sort) &&
                kns_request_number(request, "min_sources", 0, 1000000, &ret->min_sources);
    ret->limit = (size_t)limit;
    if (ret->q != NULL && *ret->q == '\0')
        ret->q = NULL;
    return good;
}

/* ---- a query again ------------------------------------------------------------------------------- */

void kns_request_write_query(const struct kns_request *request, const char *leave_out,
                             struct kns_buf *out)
{
    bool first = true;

    for (size_t i = 0; i < request->n_parameters; i++) {
        const char *name = request->parameters[i].name;
        const char *found = strstr(leave_out, name);
        size_t len = strlen(name);
        if (found != NULL && found > leave_out && found[-1] == ' ' && found[len] == ' ')
            continue;
        kns_buf_adds(out, first ? "" : "&");
        kns_url_add_encoded(out, name);
        kns_buf_addc(out, '=');
        kns_url_add_encoded(out, request->parameters[i].value);
        first = false;
    }
}
