/* What the verbs share. */
#include "ctl/ctl.h"

#include "lib/url.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int kns_call_failed(const struct kns_call *call, const char *what, const struct kns_error *err)
{
    (void)call;
    fprintf(stderr, "knsctl: %s%s%s\n", what == NULL ? "" : what, what == NULL ? "" : ": ",
            err->message);
    return err->status == KNS_EBUSY       ? KNS_EXIT_NO_DAEMON
           : err->status == KNS_ENOTFOUND ? KNS_EXIT_NOT_FOUND
                                          : KNS_EXIT_FAILED;
}

int kns_call_fail(const struct kns_call *call, enum kns_exit exit_code, const char *format, ...)
{
    va_list args;

    (void)call;
    fputs("knsctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return (int)exit_code;
}

void kns_tally_add(struct kns_tally *tally, int exit_code)
{
    if (exit_code == KNS_EXIT_OK) {
        tally->done++;
        return;
    }
    if (tally->failed++ == 0)
        tally->first_failure = exit_code;
}

int kns_tally_exit(const struct kns_tally *tally)
{
    if (tally->failed == 0)
        return KNS_EXIT_OK;
    return tally->done > 0 ? KNS_EXIT_SOME_FAILED : tally->first_failure;
}

/* ---- requests ------------------------------------------------------------------------------------------------------- */

/* The problem's detail (RFC 9457), harmless; and what the candidates are, where it lists any. */
static int problem(const struct kns_call *call, const char *what,
                   const struct kns_response *response)
{
    json_t *json = json_loadb(kns_buf_str(&response->body), response->body.len, 0, NULL);
    const char *detail = json_string_value(json_object_get(json, "detail"));
    json_t *candidates = json_object_get(json, "candidates"), *candidate;
    size_t index;

    /* A URL may be typed with a password in it. */
    if (what != NULL && kns_url_is_web(what))
        what = kns_url_without_credentials(call->arena, what);
    bool explained = detail != NULL;
    if (!explained)
        detail = kns_arena_printf(call->arena, "the daemon answered with HTTP %d, and not why",
                                  response->status);
    fprintf(stderr, "knsctl: %s%s%s\n", what == NULL ? "" : kns_out_safe(call->arena, what),
            what == NULL ? "" : ": ", kns_out_safe(call->arena, detail));
    json_array_foreach(candidates, index, candidate)
    {
        const char *title = json_string_value(json_object_get(candidate, "title"));
        fprintf(stderr, "  %s%s%s\n",
                kns_out_safe(call->arena, json_string_value(json_object_get(candidate, "url"))),
                title == NULL ? "" : "  ", title == NULL ? "" : kns_out_safe(call->arena, title));
    }
    json_decref(json);
    return response->status == 404 && explained ? KNS_EXIT_NOT_FOUND : KNS_EXIT_FAILED;
}

int kns_call_refused(struct kns_call *call, const char *what, struct kns_response *response)
{
    int status = problem(call, what, response);

    kns_buf_fini(&response->body);
    return status;
}

int kns_call_raw(struct kns_call *call, const char *what, const struct kns_request *request,
                 struct kns_response *ret_response)
{
    struct kns_error err = {0};

    if (kns_client_send(call->client, request, ret_response, &err) != KNS_OK)
        return kns_call_failed(call, NULL, &err);
    if (ret_response->status >= 200 && ret_response->status < 300)
        return KNS_EXIT_OK;
    return kns_call_refused(call, what, ret_response);
}

int kns_call_json(struct kns_call *call, const char *what, const struct kns_request *request,
                  json_t **ret_json)
{
    struct kns_response response;
    int status = kns_call_raw(call, what, request, &response);

    if (status != KNS_EXIT_OK)
        return status;
    *ret_json =
        response.body.len == 0 ? NULL : json_loadb(response.body.data, response.body.len, 0, NULL);
    bool good = response.body.len == 0 || *ret_json != NULL;
    kns_buf_fini(&response.body);
    return good ? KNS_EXIT_OK
                : kns_call_fail(call, KNS_EXIT_FAILED, "the daemon's answer is no JSON");
}

int kns_call_post(struct kns_call *call, const char *what, const char *path, json_t *json,
                  json_t **ret_json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    if (text == NULL)
        return kns_call_fail(call, KNS_EXIT_FAILED, "out of memory");
    const struct kns_request request = {
        .method = "POST", .path = path, .body = text, .body_size = strlen(text)};
    int status = kns_call_json(call, what, &request, ret_json);
    free(text);
    return status;
}

const char *kns_call_path(const struct kns_call *call, const char *format, ...)
{
    struct kns_buf out = {0};
    va_list args;

    va_start(args, format);
    for (; *format != '\0'; format++) {
        if (format[0] == '%' && format[1] == 's') {
            kns_url_add_encoded(&out, va_arg(args, const char *));
            format++;
        } else {
            kns_buf_addc(&out, *format);
        }
    }
    va_end(args);
    const char *path =
        kns_buf_failed(&out) ? NULL : kns_arena_strdup(call->arena, kns_buf_str(&out));
    kns_buf_fini(&out);
    return path == NULL ? "/" : path;
}

int kns_call_print_json(struct kns_call *call, json_t *json)
{
    int status = KNS_EXIT_OK;

    if (json_dumpf(json, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF)
        status = kns_call_fail(call, KNS_EXIT_FAILED, "cannot write to standard output");
    json_decref(json);
    return status;
}

/* ---- files ---------------------------------------------------------------------------------------- */

int kns_call_read_file(struct kns_call *call, const char *path, size_t most, struct kns_buf *ret)
{
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "re");
    const char *name = standard_input ? "standard input" : path;
    char piece[1 << 15];

    if (file == NULL)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", name, strerror(errno));
    kns_buf_init(ret, most);
    for (size_t n = fread(piece, 1, sizeof(piece), file); n > 0 && !kns_buf_failed(ret);
         n = fread(piece, 1, sizeof(piece), file))
        kns_buf_add(ret, piece, n);
    int why = ferror(file) ? errno : 0;
    if (!standard_input)
        fclose(file);
    if (why == 0 && !kns_buf_failed(ret))
        return KNS_EXIT_OK;
    kns_buf_fini(ret);
    if (why != 0)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", name, strerror(why));
    return kns_call_fail(call, KNS_EXIT_FAILED, "%s: larger than %zu MiB", name, most >> 20);
}

int kns_call_write_file(struct kns_call *call, const char *path, const char *bytes, size_t size)
{
    char *part = kns_arena_printf(call->arena, "%s.part%ld", path, (long)getpid());
    FILE *file = part == NULL ? NULL : fopen(part, "we");
    bool good = file != NULL && fwrite(bytes, 1, size, file) == size;

    if (file != NULL)
        good = fclose(file) == 0 && good;
    if (good && rename(part, path) == 0)
        return KNS_EXIT_OK;
    int status = kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno));
    if (file != NULL)
        unlink(part);
    return status;
}

int kns_call_write(struct kns_call *call, const char *path, const char *bytes, size_t size)
{
    if (path != NULL && strcmp(path, "-") != 0)
        return kns_call_write_file(call, path, bytes, size);
    if (fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0)
        return KNS_EXIT_OK;
    return kns_call_fail(call, KNS_EXIT_FAILED, "cannot write to standard output");
}

/* ---- feeds and items by what people type ---------------------------------------------------------------------------- */

bool kns_item_id(const char *word, int64_t *ret_id)
{
    char *end;
    long long id = strtoll(word, &end, 10);

    if (end == word || *end != '\0' || id <= 0)
        return false;
    *ret_id = id;
    return true;
}

int kns_call_feed_id(struct kns_call *call, const char *feed, int64_t *ret_id)
{
    json_t *json = NULL;

    if (kns_item_id(feed, ret_id))
        return KNS_EXIT_OK;
    const struct kns_request request = {.path = kns_call_path(call, "/v1/feeds?url=%s", feed)};
    int status = kns_call_json(call, feed, &request, &json);
    if (status == KNS_EXIT_OK)
        *ret_id = json_integer_value(json_object_get(json_array_get(json, 0), "id"));
    json_decref(json);
    return status;
}

int kns_call_known_feed_id(struct kns_call *call, const char *feed, int64_t *ret_id)
{
    json_t *json = NULL;

    if (!kns_item_id(feed, ret_id))
        return kns_call_feed_id(call, feed, ret_id);
    const struct kns_request request = {.path = kns_call_path(call, "/v1/feeds/%s", feed)};
    int status = kns_call_json(call, NULL, &request, &json);
    json_decref(json);
    return status;
}

int kns_call_add_feeds(struct kns_call *call, char mark, struct kns_buf *out)
{
    const struct kns_given *given;

    KNS_LIST_EACH(given, &call->args.given)
    {
        int64_t id = 0;
        if (strcmp(given->option->name, "feed") != 0)
            continue;
        int status = kns_call_known_feed_id(call, given->value, &id);
        if (status != KNS_EXIT_OK)
            return status;
        kns_buf_addf(out, "%cfeed=%lld", mark, (long long)id);
        mark = '&';
    }
    return KNS_EXIT_OK;
}

int kns_call_each_operand(struct kns_call *call,
                          int (*one)(struct kns_call *call, const char *operand))
{
    struct kns_tally tally = {0};

    for (size_t i = 0; i < call->args.n_operands; i++) {
        int status = one(call, call->args.operands[i]);
        if (status == KNS_EXIT_NO_DAEMON)
            return status;
        kns_tally_add(&tally, status);
    }
    return kns_tally_exit(&tally);
}

/* ---- members --------------------------------------------------------------------------------------------------------- */

const char *kns_json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

struct kns_time kns_json_time(const json_t *object, const char *key)
{
    struct kns_time time = {0};

    kns_time_parse_point(kns_json_text(object, key), time, &time);
    return time;
}
