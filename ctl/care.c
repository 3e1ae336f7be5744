/* Digests, and the care of the daemon. */
#include "ctl/ctl.h"

#include "lib/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int kns_cmd_digest(struct kns_call *call)
{
    const char *format = kns_args_value(&call->args, "format"),
               *path = kns_args_value(&call->args, "output");
    const char *images = kns_args_value(&call->args, "images");
    const char *more =
        kns_arena_printf(call->arena, "format=%s&limit=%lld%s%s%s",
                         format != NULL ? format
                         : call->json   ? "jsonfeed"
                                        : "html",
                         (long long)kns_args_number(&call->args, "number", 100),
                         kns_args_has(&call->args, "paste") ? "&paste=1" : "",
                         images == NULL ? "" : "&images=", images == NULL ? "" : images);
    const char *filters = NULL;
    struct kns_response response;
    int status = kns_call_filters(call, kns_args_value(&call->args, "query"), more, &filters);

    if (status != KNS_EXIT_OK)
        return status;
    const struct kns_request request = {.path =
                                            kns_arena_printf(call->arena, "/v1/digest%s", filters)};
    status = kns_call_raw(call, NULL, &request, &response);
    if (status != KNS_EXIT_OK)
        return status;
    status = kns_call_write(call, path, kns_buf_str(&response.body), response.body.len);
    kns_buf_fini(&response.body);
    return status;
}

static long long number(const json_t *json, const char *group, const char *key)
{
    return (long long)json_integer_value(json_object_get(json_object_get(json, group), key));
}

int kns_cmd_status(struct kns_call *call)
{
    const struct kns_request request = {.path = "/v1/status"};
    json_t *json = NULL;
    int status = kns_call_json(call, NULL, &request, &json);

    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, json);
    struct kns_time started = {call->now.unix_s -
                               json_integer_value(json_object_get(json, "uptime_seconds"))};
    const char *version = kns_out_safe(call->arena, kns_json_text(json, "version"));
    bool same = strcmp(version, KNS_VERSION) == 0;
    printf("knsd %s%s, up %s, at %s\n", version, same ? "" : " (knsctl is " KNS_VERSION ")",
           kns_out_age(call->arena, started, call->now), kns_client_socket(call->client));
    printf("feeds   %lld (%lld failing, %lld paused, %lld gone)\n", number(json, "feeds", "total"),
           number(json, "feeds", "failing"), number(json, "feeds", "paused"),
           number(json, "feeds", "gone"));
    printf("items   %lld (%lld unread, %lld starred)\n", number(json, "items", "total"),
           number(json, "items", "unread"), number(json, "items", "starred"));
    if (number(json, "items", "unsearchable") > 0)
        printf("        the search index is being made anew: %lld items to go, the oldest\n",
               number(json, "items", "unsearchable"));
    printf("polls   %lld since the start (%lld failed), %lld under way, %lld due\n",
           number(json, "polls", "total"), number(json, "polls", "failed"),
           number(json, "polls", "in_flight"), number(json, "polls", "due"));
    printf("store   %.1f MB\n",
           (double)(number(json, "store", "bytes") + number(json, "store", "wal_bytes")) / 1e6);
    const char *trouble = kns_json_text(json_object_get(json, "store"), "trouble");
    if (*trouble != '\0') {
        kns_out_styled(call->out, KNS_RED, "trouble ");
        printf("%s\n", kns_out_safe(call->arena, trouble));
    }
    json_decref(json);
    return KNS_EXIT_OK;
}

int kns_cmd_backup(struct kns_call *call)
{
    const char *file = call->args.operands[0];
    char here[4096];
    json_t *answer = NULL;

    if (*file != '/' && getcwd(here, sizeof(here)) != NULL)
        file = kns_arena_printf(call->arena, "%s/%s", here, file);
    json_t *body = json_pack("{s:s}", "path", file);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (text == NULL)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s: the path is not UTF-8",
                             call->args.operands[0]);
    const struct kns_request request = {
        .method = "POST", .path = "/v1/backup", .body = text, .body_size = strlen(text)};
    int status = kns_call_json(call, NULL, &request, &answer);
    if (status == KNS_EXIT_OK && call->json)
        status = kns_call_print_json(call, json_incref(answer));
    else if (status == KNS_EXIT_OK)
        printf("%s\n", file);
    free(text);
    json_decref(answer);
    return status;
}

static void collect_problem(void *ctx, const char *problem)
{
    json_array_append_new(ctx, json_string(problem));
}

/* The same answer as the daemon's, from a file. */
static int check_file(struct kns_call *call, const char *path, json_t **ret_json)
{
    struct kns_store *store = NULL;
    struct kns_error err = {0};
    json_t *problems = json_array();
    enum kns_status status =
        kns_store_open(path, KNS_STORE_READER, KNS_STORE_SYNC_FULL, &store, &err);

    if (status == KNS_OK)
        status = kns_store_check(store, collect_problem, problems, &err);
    kns_store_close(store);
    if (status == KNS_OK || json_array_size(problems) > 0)
        *ret_json = json_pack("{s:b, s:O}", "sound", status == KNS_OK, "problems", problems);
    json_decref(problems);
    return *ret_json != NULL ? KNS_EXIT_OK : kns_call_failed(call, NULL, &err);
}

/* Where the daemon keeps its database when nobody says otherwise. */
static const char *default_database(struct kns_call *call)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (geteuid() == 0)
        return "/var/lib/kns/kns.db";
    if (state != NULL && *state == '/')
        return kns_arena_printf(call->arena, "%s/kns/kns.db", state);
    return kns_arena_printf(call->arena, "%s/.local/state/kns/kns.db", home == NULL ? "" : home);
}

static void collect_loss(void *ctx, const char *problem)
{
    json_array_append_new(ctx, json_string(problem));
}

/* What was lost goes where errors go, what there is to standard output. */
static int salvage(struct kns_call *call, const char *from, const char *to)
{
    struct kns_salvage result;
    struct kns_error err = {0};
    json_t *problems = json_array(), *problem;
    size_t index;

    umask(0077);
    if (kns_store_salvage(from, to, collect_loss, problems, &result, &err) != KNS_OK) {
        json_decref(problems);
        return kns_call_failed(call, NULL, &err);
    }
    int status = result.problems == 0 ? KNS_EXIT_OK : KNS_EXIT_SOME_FAILED;
    if (call->json) {
        kns_call_print_json(call, json_pack("{s:s, s:I, s:I, s:o}", "path", to, "feeds",
                                            (json_int_t)result.feeds, "items",
                                            (json_int_t)result.items, "problems", problems));
        return status;
    }
    json_array_foreach(problems, index, problem)
        fprintf(stderr, "knsctl: %s\n", kns_out_safe(call->arena, json_string_value(problem)));
    json_decref(problems);
    printf("%s: %lld feeds, %lld articles%s\n", kns_out_safe(call->arena, to),
           (long long)result.feeds, (long long)result.items,
           result.problems == 0 ? "; nothing was lost" : "");
    return status;
}

int kns_cmd_check(struct kns_call *call)
{
    const struct kns_request request = {.method = "POST", .path = "/v1/check"};
    const char *file = kns_args_value(&call->args, "db");
    json_t *json = NULL, *problem;
    size_t index;
    const char *new = kns_args_value(&call->args, "salvage");

    if (new != NULL)
        return salvage(call, file == NULL ? default_database(call) : file, new);
    int status =
        file != NULL ? check_file(call, file, &json) : kns_call_json(call, NULL, &request, &json);

    if (status != KNS_EXIT_OK)
        return status;
    bool sound = json_is_true(json_object_get(json, "sound"));
    if (call->json) {
        kns_call_print_json(call, json);
        return sound ? KNS_EXIT_OK : KNS_EXIT_FAILED;
    }
    json_array_foreach(json_object_get(json, "problems"), index, problem)
        printf("%s\n", kns_out_safe(call->arena, json_string_value(problem)));
    if (sound)
        puts("sound");
    json_decref(json);
    return sound ? KNS_EXIT_OK
                 : kns_call_fail(call, KNS_EXIT_FAILED,
                                 "check: the database is not sound: stop knsd and copy what can be "
                                 "read with check --salvage NEW, or restore a backup");
}
