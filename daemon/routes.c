#include "daemon/routes.h"

#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define FILTERS " feed tag since until unread starred q limit cursor sort min_sources "

static const struct kns_route routes[] = {
    {"GET", "/v1/items", KNS_ROUTE_READ, kns_answer_items, FILTERS "content ", false},
    {"POST", "/v1/items", KNS_ROUTE_LINK, NULL, " ", true},
    {"POST", "/v1/links/check", KNS_ROUTE_LINK_CHECK, NULL, " ", true},
    {"GET", "/v1/items/{id}", KNS_ROUTE_READ, kns_answer_item, " ", false},
    {"PATCH", "/v1/items/{id}", KNS_ROUTE_WRITE, kns_write_item, " ", true},
    {"GET", "/v1/items/{id}/why", KNS_ROUTE_READ, kns_answer_item_why, " ", false},
    {"POST", "/v1/items/{id}/split", KNS_ROUTE_WRITE, kns_split_item, " ", true},
    {"GET", "/v1/links", KNS_ROUTE_READ, kns_answer_links, " since min_feeds limit cursor ", false},
    {"GET", "/v1/rules", KNS_ROUTE_READ, kns_answer_rules, " ", false},
    {"POST", "/v1/rules", KNS_ROUTE_WRITE, kns_add_rule, " ", true},
    {"DELETE", "/v1/rules/{id}", KNS_ROUTE_WRITE, kns_remove_rule, " ", false},
    {"GET", "/v1/rules/text", KNS_ROUTE_READ, kns_answer_rules_text, " ", false},
    {"POST", "/v1/rules/text", KNS_ROUTE_WRITE, kns_import_rules, " replace ", false},
    {"GET", "/v1/rules/test", KNS_ROUTE_READ, kns_answer_rules_test, " rule id since limit cursor ",
     false},
    {"GET", "/v1/feeds", KNS_ROUTE_READ, kns_answer_feeds, " tag failing url limit cursor ", false},
    {"POST", "/v1/feeds", KNS_ROUTE_SUBSCRIBE, NULL, " ", true},
    {"GET", "/v1/feeds/{id}", KNS_ROUTE_READ, kns_answer_feed, " ", false},
    {"PATCH", "/v1/feeds/{id}", KNS_ROUTE_WRITE, kns_write_feed, " ", true},
    {"DELETE", "/v1/feeds/{id}", KNS_ROUTE_WRITE, kns_remove_feed, " ", false},
    {"GET", "/v1/feeds/{id}/polls", KNS_ROUTE_READ, kns_answer_polls, " limit ", false},
    {"POST", "/v1/feeds/{id}/refresh", KNS_ROUTE_REFRESH, NULL, " wait force ", true},
    {"POST", "/v1/refresh", KNS_ROUTE_REFRESH, NULL, " wait force ", true},
    {"GET", "/v1/opml", KNS_ROUTE_READ, kns_answer_opml, " tag ", false},
    {"POST", "/v1/opml", KNS_ROUTE_WRITE, kns_import_opml, " ", false},
    {"GET", "/v1/digest", KNS_ROUTE_READ, kns_answer_digest, FILTERS "format title images paste ",
     false},
    {"GET", "/v1/issues", KNS_ROUTE_READ, kns_answer_issues, " newsletter ", false},
    {"GET", "/v1/issues/{id}", KNS_ROUTE_READ, kns_answer_issue, " newsletter format images paste ",
     false},
    {"POST", "/v1/issues/{id}/text", KNS_ROUTE_WRITE, kns_correct_issue, " newsletter ", false},
    {"POST", "/v1/issues/{id}/send", KNS_ROUTE_SEND, NULL, " newsletter ", true},
    {"GET", "/v1/issues/draft", KNS_ROUTE_READ, kns_answer_draft,
     " newsletter format images paste ", false},
    {"DELETE", "/v1/issues/draft", KNS_ROUTE_WRITE, kns_remove_draft, " newsletter ", false},
    {"GET", "/v1/issues/draft/lint", KNS_ROUTE_READ, kns_answer_draft_lint, " newsletter ", false},
    {"POST", "/v1/issues/draft/add", KNS_ROUTE_WRITE, kns_change_draft, " newsletter ", true},
    {"POST", "/v1/issues/draft/drop", KNS_ROUTE_WRITE, kns_change_draft, " newsletter ", true},
    {"POST", "/v1/issues/draft/move", KNS_ROUTE_WRITE, kns_change_draft, " newsletter ", true},
    {"POST", "/v1/issues/draft/note", KNS_ROUTE_WRITE, kns_change_draft, " newsletter ", true},
    {"POST", "/v1/issues/draft/intro", KNS_ROUTE_WRITE, kns_change_draft, " newsletter ", true},
    {"POST", "/v1/issues/draft/suggest", KNS_ROUTE_WRITE, kns_suggest_draft,
     " newsletter since limit ", true},
    {"POST", "/v1/issues/draft/text", KNS_ROUTE_WRITE, kns_change_draft, " newsletter ", false},
    {"POST", "/v1/issues/draft/publish", KNS_ROUTE_WRITE, kns_publish_draft, " newsletter ", true},
    {"POST", "/v1/issues/import", KNS_ROUTE_WRITE, kns_import_issue,
     " newsletter number title url date ", false},
    {"GET", "/v1/site", KNS_ROUTE_READ, kns_answer_site, " newsletter ", false},
    {"GET", "/issues.atom", KNS_ROUTE_READ, kns_answer_issues_atom, " newsletter ", false},
    {"GET", "/issues.json", KNS_ROUTE_READ, kns_answer_issues_json, " newsletter ", false},
    {"GET", "/v1/events", KNS_ROUTE_EVENTS, NULL, " since feed tag q kinds ", false},
    {"GET", "/v1/status", KNS_ROUTE_STATUS, NULL, " ", false},
    {"POST", "/v1/backup", KNS_ROUTE_READ, kns_answer_backup, " ", true},
    {"POST", "/v1/check", KNS_ROUTE_READ, kns_answer_check, " ", false},
    {"GET", "/metrics", KNS_ROUTE_METRICS, NULL, " ", false},
    {"GET", "/healthz", KNS_ROUTE_HEALTH, NULL, " ", false},
    {"GET", KNS_CALLBACK_PATH "{token}", KNS_ROUTE_INTENT, NULL, NULL, false},
    {"POST", KNS_CALLBACK_PATH "{token}", KNS_ROUTE_DELIVERY, NULL, NULL, false},
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

#define TOKEN_MOST 100

/* Matches path against a pattern; *ret_id is the number where "{id}" stands, *ret_token what "{token}" does: the end of the path. */
static bool matches(const char *pattern, const char *path, int64_t *ret_id, const char **ret_token)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    while (*pattern != '\0') {
        if (strncmp(pattern, "{id}", 4) == 0) {
            size_t digits = strspn(path, "0123456789");
            if (digits == 0 || digits > 18)
                return false;
            *ret_id = strtoll(path, NULL, 10);
            pattern += 4;
            path += digits;
        } else if (strcmp(pattern, "{token}") == 0) {
            size_t size = strspn(path, token);
            *ret_token = path;
            return size > 0 && size <= TOKEN_MOST && path[size] == '\0';
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool same_method(const char *route, const char *given)
{
    return strcmp(route, given) == 0 || (strcmp(given, "HEAD") == 0 && strcmp(route, "GET") == 0);
}

static bool is_utf8(const char *text)
{
    return text != NULL && kns_text_is_utf8(text, strlen(text));
}

/* A word of a list that begins and ends with a space. */
static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list + 1; *at != '\0'; at += strcspn(at, " ") + 1)
        if (len > 0 && strncmp(at, name, len) == 0 && at[len] == ' ')
            return true;
    return false;
}

/* Which of two was meant nobody knows; feeds alone add up. */
static bool is_given_before(const struct kns_request *request, size_t n)
{
    const char *name = request->parameters[n].name;

    for (size_t i = 0; i < n; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return strcmp(name, "feed") != 0;
    return false;
}

static void refuse_parameter(struct kns_request *request, const struct kns_route *route,
                             const char *name)
{
    const char *list = route->parameters;
    int size = (int)strlen(list);

    kns_request_problem(request, 400, "unknown parameter \"%.60s\"; %s takes:%.*s", name,
                        route->pattern, size > 1 ? size - 1 : 5, size > 1 ? list : " none");
}

static bool check_parameters(struct kns_request *request, const struct kns_route *route)
{
    if (request->n_parameters > KNS_REQUEST_MAX_PARAMETERS) {
        kns_request_problem(request, 400, "more than %d parameters", KNS_REQUEST_MAX_PARAMETERS);
        return false;
    }
    for (size_t i = 0; route->parameters != NULL && i < request->n_parameters; i++) {
        const char *name = request->parameters[i].name;
        if (name == NULL || !is_listed(route->parameters, name)) {
            refuse_parameter(request, route, name == NULL ? "" : name);
            return false;
        }
        if (is_given_before(request, i)) {
            kns_request_problem(request, 400, "%s is given twice", name);
            return false;
        }
        if (!is_utf8(request->parameters[i].value)) {
            kns_request_problem(request, 400, "%s: expected UTF-8", name);
            return false;
        }
    }
    return true;
}

static bool read_json(struct kns_request *request)
{
    json_error_t where;

    if (request->body_size == 0) {
        request->json = json_object();
        return request->json != NULL;
    }
    request->json = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &where);
    if (request->json == NULL)
        kns_request_problem(request, 400, "the body is not JSON: line %d: %s", where.line,
                            json_error_code(&where) == json_error_null_character
                                ? "a NUL character is no text"
                                : where.text);
    else if (!json_is_object(request->json))
        kns_request_problem(request, 400, "the body is JSON, but no object");
    return json_is_object(request->json);
}

const struct kns_route *kns_route_find(struct kns_request *request)
{
    const struct kns_route *found = NULL;
    struct kns_buf allow = {0};

    for (size_t i = 0; i < N_ROUTES && found == NULL; i++) {
        int64_t id = 0;
        const char *token = NULL;
        if (!matches(routes[i].pattern, request->path, &id, &token))
            continue;
        kns_buf_addf(&allow, "%s%s", allow.len > 0 ? ", " : "", routes[i].method);
        kns_buf_adds(&allow, strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
        if (same_method(routes[i].method, request->method)) {
            found = &routes[i];
            request->id = id;
            request->token = token;
        }
    }
    if (found == NULL && allow.len > 0) {
        kns_buf_adds(&allow, ", OPTIONS");
        request->allow = kns_arena_strdup(request->arena, kns_buf_str(&allow));
        if (strcmp(request->method, "OPTIONS") == 0)
            request->status = 204;
        else
            kns_request_problem(request, 405, "%s takes %s", request->path, kns_buf_str(&allow));
    } else if (found == NULL) {
        kns_request_problem(request, 404, "there is no %.200s; see kns-api(7)", request->path);
    }
    kns_buf_fini(&allow);
    if (found == NULL || !check_parameters(request, found))
        return NULL;
    return !found->json || read_json(request) ? found : NULL;
}
