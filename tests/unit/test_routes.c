/* The table of requests, what it refuses, and conditional answers. */
#include "daemon/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

/* A request with a query of "name=value" pairs, NULL at the end; strings are not decoded. */
static struct kns_request *ask(const char *method, const char *path, const char *const *query)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_request *r = KNS_NEW(arena, struct kns_request);

    r->arena = arena;
    r->method = method;
    r->path = path;
    for (; query != NULL && *query != NULL; query++, r->n_parameters++) {
        const char *equals = strchr(*query, '=');
        if (r->n_parameters < KNS_REQUEST_MAX_PARAMETERS)
            r->parameters[r->n_parameters] = (struct kns_parameter){
                kns_arena_copy(arena, *query, (size_t)(equals - *query)), equals + 1};
    }
    return r;
}

static void end(struct kns_request *r)
{
    struct kns_arena *arena = r->arena;

    json_decref(r->json);
    kns_buf_fini(&r->out);
    kns_arena_free(arena);
}

/* The status that a request without a body is refused with; 0: a route takes it. */
static int refusal(const char *method, const char *path, const char *const *query, const char *says)
{
    struct kns_request *r = ask(method, path, query);
    const struct kns_route *route = kns_route_find(r);
    int status = route == NULL ? r->status : 0;

    if (route == NULL && strstr(kns_buf_str(&r->out), says) == NULL)
        fail_msg("%s %s: %s: expected \"%s\" in it", method, path, kns_buf_str(&r->out), says);
    end(r);
    return status;
}

static void a_path_leads_to_its_route_and_its_number(void **state)
{
    static const struct {
        const char *method, *path, *pattern;
        int64_t id;
    } rows[] = {
        {"GET", "/v1/items", "/v1/items", 0},
        {"HEAD", "/v1/items", "/v1/items", 0},
        {"GET", "/v1/items/12", "/v1/items/{id}", 12},
        {"PATCH", "/v1/items/999999999999999999", "/v1/items/{id}", INT64_C(999999999999999999)},
        {"GET", "/v1/items/7/why", "/v1/items/{id}/why", 7},
        {"POST", "/v1/feeds/7/refresh", "/v1/feeds/{id}/refresh", 7},
        {"DELETE", "/v1/feeds/1", "/v1/feeds/{id}", 1},
        {"GET", "/metrics", "/metrics", 0},
        {"GET", "/websub/0123abc", "/websub/{token}", 0},
        {"POST", "/websub/0123abc", "/websub/{token}", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kns_request *r = ask(rows[i].method, rows[i].path, NULL);
        const struct kns_route *route = kns_route_find(r);
        assert_non_null(route);
        assert_string_equal(route->pattern, rows[i].pattern);
        assert_int_equal(r->id, rows[i].id);
        end(r);
    }
}

static void what_no_route_takes_is_refused_with_the_reason(void **state)
{
    static const char *const unknown[] = {"lmit=3", NULL}, *const bytes[] = {"q=\xFF", NULL},
                             *const spaces[] = {"tag until=1", NULL}, *const empty[] = {"=1", NULL},
                             *const twice[] = {"sort=new", "limit=1", "sort=old", NULL},
                             *const feeds[] = {"feed=1", "feed=2", NULL};
    const char *many[KNS_REQUEST_MAX_PARAMETERS + 2] = {NULL};

    (void)state;
    assert_int_equal(refusal("GET", "/v1/item", NULL, "/v1/item"), 404);
    assert_int_equal(refusal("GET", "/v1/items/", NULL, "kns-api"), 404);
    assert_int_equal(refusal("GET", "/v1/items/9999999999999999999", NULL, ""), 404);
    assert_int_equal(refusal("PUT", "/v1/items", NULL, "takes GET"), 405);
    assert_int_equal(refusal("get", "/v1/items", NULL, "takes GET"), 405);
    assert_int_equal(refusal("HEAD", "/v1/refresh", NULL, "takes POST"), 405);
    assert_int_equal(refusal("GET", "/v1/items", unknown, "lmit"), 400);
    assert_int_equal(refusal("GET", "/v1/items", bytes, "UTF-8"), 400);
    assert_int_equal(refusal("GET", "/v1/items", spaces, "tag until"), 400);
    assert_int_equal(refusal("GET", "/v1/items", empty, "unknown parameter"), 400);
    assert_int_equal(refusal("GET", "/v1/items", twice, "sort is given twice"), 400);
    assert_int_equal(refusal("GET", "/v1/items", feeds, ""), 0);
    for (size_t i = 0; i < KNS_REQUEST_MAX_PARAMETERS; i++)
        many[i] = "feed=1";
    assert_int_equal(refusal("GET", "/v1/items", many, ""), 0);
    many[KNS_REQUEST_MAX_PARAMETERS] = "feed=1";
    assert_int_equal(refusal("GET", "/v1/items", many, "32"), 400);
}

static void a_body_is_a_json_object_or_nothing(void **state)
{
    static const struct {
        const char *body;
        int status; /* 0: taken */
    } rows[] = {{"", 0},
                {"{}", 0},
                {"{\"feeds\":[1]}", 0},
                {"[]", 400},
                {"1", 400},
                {"{", 400},
                {"{}{}", 400},
                {"{\"a\":1,\"a\":2}", 400},
                {"null", 400},
                {"{\"a\":\"\xFF\"}", 400}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kns_request *r = ask("POST", "/v1/refresh", NULL);
        r->body = rows[i].body;
        r->body_size = strlen(r->body);
        bool taken = kns_route_find(r) != NULL;
        if (taken != (rows[i].status == 0) || (!taken && r->status != rows[i].status))
            fail_msg("%s: %d", rows[i].body, r->status);
        end(r);
    }
}

static void filters_are_read_into_a_query(void **state)
{
    static const char *const query[] = {"feed=3,4", "feed=5",        "tag=a b", "since=2026-11-01",
                                        "unread=1", "starred=false", "q=x",     "sort=sources",
                                        "limit=7",  "min_sources=2", NULL};
    struct kns_request *r = ask("GET", "/v1/items", query);
    struct kns_item_query q;

    (void)state;
    assert_true(kns_request_item_query(r, &q));
    assert_int_equal(q.n_feeds, 3);
    assert_int_equal(q.feeds[2], 5);
    assert_string_equal(q.tag, "a b");
    assert_int_equal(q.since.unix_s, 1793491200);
    assert_true(q.unread);
    assert_false(q.starred);
    assert_string_equal(q.q, "x");
    assert_int_equal(q.sort, KNS_SORT_SOURCES);
    assert_int_equal(q.limit, 7);
    assert_int_equal(q.min_sources, 2);
    end(r);
}

static void a_query_is_written_as_it_came_without_what_is_left_out(void **state)
{
    static const char *const query[] = {"q=a&b=c é", "limit=3", "unlimited=1", "cursor=x", NULL};
    struct kns_request *r = ask("GET", "/v1/items", query);
    struct kns_buf out = {0};

    (void)state;
    kns_request_write_query(r, " cursor limit ", &out);
    assert_string_equal(kns_buf_str(&out), "q=a%26b%3Dc%20%C3%A9&unlimited=1");
    kns_buf_fini(&out);
    end(r);
}

/* The status of an answer of some bytes, last changed in 2023, to these validators. */
static int conditional(const char *none_match, const char *modified_since, struct kns_time changed)
{
    struct kns_request *r = ask("GET", "/v1/digest", NULL);

    kns_buf_adds(&r->out, "some bytes");
    r->status = 200;
    r->if_none_match = none_match;
    r->if_modified_since = modified_since;
    kns_request_validate(r, changed);
    int status = r->status;
    assert_true((r->out.len == 0) == (status == 304));
    end(r);
    return status;
}

static void validators_are_compared_as_http_says(void **state)
{
    static const char same[] = "Tue, 14 Nov 2023 22:13:20 GMT",
                      earlier[] = "Tue, 14 Nov 2023 22:13:19 GMT";
    const struct kns_time changed = {1700000000}, unknown = {0};
    struct kns_request *r = ask("GET", "/v1/digest", NULL);
    char list[200];

    (void)state;
    kns_buf_adds(&r->out, "some bytes");
    kns_request_validate(r, changed);
    assert_string_equal(r->last_modified, same);
    assert_int_equal(conditional(NULL, NULL, changed), 200);
    assert_int_equal(conditional(r->etag, NULL, changed), 304);
    assert_int_equal(conditional("*", NULL, changed), 304);
    assert_int_equal(conditional("\"other\"", same, changed), 200);
    assert_int_equal(conditional("", same, changed), 200);
    snprintf(list, sizeof(list), "\"a,b\" , W/%s\t,\"c\"", r->etag);
    assert_int_equal(conditional(list, NULL, changed), 304);
    snprintf(list, sizeof(list), "%s-and-more", r->etag);
    assert_int_equal(conditional(list, NULL, changed), 200);
    assert_int_equal(conditional(NULL, same, changed), 304);
    assert_int_equal(conditional(NULL, earlier, changed), 200);
    assert_int_equal(conditional(NULL, "nonsense", changed), 200);
    assert_int_equal(conditional(NULL, same, unknown), 200);
    end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_its_route_and_its_number),
        cmocka_unit_test(what_no_route_takes_is_refused_with_the_reason),
        cmocka_unit_test(a_body_is_a_json_object_or_nothing),
        cmocka_unit_test(filters_are_read_into_a_query),
        cmocka_unit_test(a_query_is_written_as_it_came_without_what_is_left_out),
        cmocka_unit_test(validators_are_compared_as_http_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
