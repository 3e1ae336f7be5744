/* The verbs about subscriptions. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *tags_given(const struct kns_call *call)
{
    json_t *tags = NULL;
    const struct kns_given *given;

    KNS_LIST_EACH(given, &call->args.given)
    {
        if (strcmp(given->option->name, "tag") != 0)
            continue;
        if (tags == NULL)
            tags = json_array();
        if (*given->value != '\0')
            json_array_append_new(tags, json_string(given->value));
    }
    return tags;
}

/* A secret from a file or standard input, never from the command line, where other users see it. */
static int read_secret(struct kns_call *call, const char *path, char *text, size_t size)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

    if (file == NULL)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno));
    if (fgets(text, (int)size, file) == NULL)
        *text = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (file != stdin)
        fclose(file);
    return *text != '\0' ? KNS_EXIT_OK
                         : kns_call_fail(call, KNS_EXIT_FAILED,
                                         "%s: expected a secret on its first line", path);
}

static int access_given(struct kns_call *call, json_t *body)
{
    const char *user = kns_args_value(&call->args, "user"),
               *secret = kns_args_value(&call->args, "password-file"),
               *token = kns_args_value(&call->args, "token-file");
    char text[4096];
    int status = KNS_EXIT_OK;

    if (user == NULL && token == NULL)
        return secret == NULL
                   ? KNS_EXIT_OK
                   : kns_call_fail(call, KNS_EXIT_USAGE, "--password-file goes with --user");
    json_t *access = json_object();
    json_object_set_new(body, "access", access);
    if (user != NULL)
        json_object_set_new(access, "user", json_string(user));
    if (secret != NULL && (status = read_secret(call, secret, text, sizeof(text))) == KNS_EXIT_OK)
        json_object_set_new(access, "password", json_string(text));
    if (status == KNS_EXIT_OK && token != NULL &&
        (status = read_secret(call, token, text, sizeof(text))) == KNS_EXIT_OK)
        json_object_set_new(access, "bearer_token", json_string(text));
    return status;
}

/* What add and edit set alike. */
static int edit_body(struct kns_call *call, json_t **ret_body)
{
    const char *title = kns_args_value(&call->args, "title"),
               *every = kns_args_value(&call->args, "every");
    json_t *body = json_object(), *tags = tags_given(call);

    if (title != NULL)
        json_object_set_new(body, "title", json_string(title));
    if (every != NULL)
        json_object_set_new(body, "every", json_string(every));
    if (tags != NULL)
        json_object_set_new(body, "tags", tags);
    int status = access_given(call, body);
    if (status == KNS_EXIT_OK)
        *ret_body = body;
    else
        json_decref(body);
    return status;
}

static int send_json(struct kns_call *call, const char *what, const char *method, const char *path,
                     json_t *body, json_t **ret_json)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    const struct kns_request request = {
        .method = method, .path = path, .body = text, .body_size = text == NULL ? 0 : strlen(text)};
    int status = kns_call_json(call, what, &request, ret_json);

    free(text);
    json_decref(body);
    return status;
}

/* ---- add, remove, pause, resume, edit -------------------------------------------------------------------------------- */

static int add_one(struct kns_call *call, const char *url)
{
    json_t *body = NULL, *feed = NULL;
    int status = edit_body(call, &body);

    if (status != KNS_EXIT_OK)
        return status;
    json_object_set_new(body, "url", json_string(url));
    if (kns_args_has(&call->args, "newsletter"))
        json_object_set_new(body, "newsletter", json_true());
    if (kns_args_has(&call->args, "no-discover"))
        json_object_set_new(body, "discover", json_false());
    if (kns_args_has(&call->args, "force"))
        json_object_set_new(body, "force", json_true());
    status = send_json(call, url, "POST", "/v1/feeds", body, &feed);
    if (status == KNS_EXIT_OK && call->json)
        return kns_call_print_json(call, feed);
    if (status == KNS_EXIT_OK)
        printf("%lld\t%s\t%s\n", (long long)json_integer_value(json_object_get(feed, "id")),
               kns_out_safe(call->arena, kns_json_text(feed, "title")),
               kns_out_safe(call->arena, kns_json_text(feed, "url")));
    json_decref(feed);
    return status;
}

int kns_cmd_add(struct kns_call *call)
{
    return kns_call_each_operand(call, add_one);
}

static const char *feed_path(struct kns_call *call, int64_t id, const char *below)
{
    const char *path = kns_arena_printf(call->arena, "/v1/feeds/%lld%s", (long long)id, below);

    return path == NULL ? "/" : path;
}

static int remove_one(struct kns_call *call, const char *feed)
{
    int64_t id = 0;
    json_t *json = NULL;
    int status = kns_call_feed_id(call, feed, &id);

    if (status == KNS_EXIT_OK)
        status = send_json(call, feed, "DELETE", feed_path(call, id, ""), NULL, &json);
    json_decref(json);
    return status;
}

int kns_cmd_remove(struct kns_call *call)
{
    return kns_call_each_operand(call, remove_one);
}

static int patch(struct kns_call *call, const char *feed, json_t *body)
{
    int64_t id = 0;
    json_t *json = NULL;
    int status = kns_call_feed_id(call, feed, &id);

    if (status == KNS_EXIT_OK)
        status = send_json(call, feed, "PATCH", feed_path(call, id, ""), body, &json);
    else
        json_decref(body);
    json_decref(json);
    return status;
}

static int pause_one(struct kns_call *call, const char *feed)
{
    return patch(call, feed, json_pack("{s:b}", "paused", 1));
}

static int resume_one(struct kns_call *call, const char *feed)
{
    return patch(call, feed, json_pack("{s:b}", "paused", 0));
}

int kns_cmd_pause(struct kns_call *call)
{
    return kns_call_each_operand(call, pause_one);
}

int kns_cmd_resume(struct kns_call *call)
{
    return kns_call_each_operand(call, resume_one);
}

int kns_cmd_edit(struct kns_call *call)
{
    const char *url = kns_args_value(&call->args, "url"),
               *newsletter = kns_args_value(&call->args, "newsletter");
    json_t *body = NULL;
    int status = edit_body(call, &body);

    if (status != KNS_EXIT_OK)
        return status;
    if (url != NULL)
        json_object_set_new(body, "url", json_string(url));
    if (newsletter != NULL)
        json_object_set_new(body, "newsletter", json_boolean(strcmp(newsletter, "yes") == 0));
    if (json_object_size(body) == 0) {
        json_decref(body);
        return kns_call_fail(call, KNS_EXIT_USAGE,
                             "edit: nothing to change: see knsctl edit --help");
    }
    return patch(call, call->args.operands[0], body);
}

/* ---- feeds ------------------------------------------------------------------------------------------------------------ */

static enum kns_style health_style(const char *health)
{
    static const struct {
        const char *health;
        enum kns_style style;
    } styles[] = {{"ok", KNS_GREEN},
                  {"new", KNS_PLAIN},
                  {"late", KNS_YELLOW},
                  {"moved", KNS_YELLOW},
                  {"throttled", KNS_YELLOW}};

    for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
        if (strcmp(styles[i].health, health) == 0)
            return styles[i].style;
    return KNS_RED;
}

static const char *time_text(struct kns_call *call, const json_t *object, const char *key)
{
    return call->out->terminal ? kns_out_age(call->arena, kns_json_time(object, key), call->now)
                               : kns_json_text(object, key);
}

static const char *number_text(struct kns_call *call, const json_t *object, const char *key)
{
    return kns_arena_printf(call->arena, "%lld",
                            (long long)json_integer_value(json_object_get(object, key)));
}

static const char *tags_text(struct kns_call *call, const json_t *tags)
{
    struct kns_buf out = {0};
    size_t index;
    json_t *tag;

    json_array_foreach(tags, index, tag)
    {
        kns_buf_adds(&out, index > 0 ? ", " : "");
        kns_buf_adds(&out, json_string_value(tag));
    }
    const char *text = kns_arena_strdup(call->arena, kns_buf_str(&out));
    kns_buf_fini(&out);
    return text;
}

int kns_cmd_feeds(struct kns_call *call)
{
    static const struct kns_column columns[] = {
        {"ID", 2, 8, true},     {"HEALTH", 6, 10, false}, {"LAST", 4, 20, true},
        {"STATUS", 6, 6, true}, {"NEXT", 4, 20, true},    {"ITEMS", 5, 9, true},
        {"TAGS", 4, 16, false}, {"TITLE", 10, 0, false},
    };
    const char *tag = kns_args_value(&call->args, "tag");
    struct kns_table table;
    json_t *feeds = NULL, *feed;
    size_t index;
    const char *path = kns_call_path(call, tag != NULL ? "/v1/feeds?tag=%s" : "/v1/feeds", tag);
    if (kns_args_has(&call->args, "failing"))
        path = kns_arena_printf(call->arena, "%s%cfailing=1", path, tag != NULL ? '&' : '?');
    const struct kns_request request = {.path = path};
    int status = kns_call_json(call, NULL, &request, &feeds);

    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, feeds);
    kns_table_init(&table, call->arena, columns, 8);
    json_array_foreach(feeds, index, feed)
    {
        const char *health = kns_json_text(feed, "health"), *state = kns_json_text(feed, "state");
        bool paused = strcmp(state, "paused") == 0;
        json_t *last = json_object_get(feed, "last_status");
        const char *error = kns_json_text(feed, "last_error"),
                   *title = kns_json_text(feed, "title");
        const struct kns_cell cells[] = {
            {number_text(call, feed, "id"), KNS_PLAIN},
            {paused ? state : health, paused ? KNS_DIM : health_style(health)},
            {time_text(call, feed, "last_poll_at"), KNS_PLAIN},
            {last == NULL ? "-" : number_text(call, feed, "last_status"), KNS_PLAIN},
            {time_text(call, feed, "next_poll_at"), KNS_PLAIN},
            {number_text(call, feed, "items"), KNS_PLAIN},
            {tags_text(call, json_object_get(feed, "tags")), KNS_DIM},
            {*error == '\0' ? title : kns_arena_printf(call->arena, "%s: %s", title, error),
             KNS_PLAIN},
        };
        /* In a pipe the URL is what programs want. */
        struct kns_cell row[8];
        memcpy(row, cells, sizeof(row));
        if (!call->out->terminal)
            row[7].text =
                kns_arena_printf(call->arena, "%s\t%s\t%s", kns_out_safe(call->arena, title),
                                 kns_out_safe(call->arena, kns_json_text(feed, "url")),
                                 kns_out_safe(call->arena, error));
        if (call->out->terminal) {
            kns_table_add(&table, row);
            continue;
        }
        for (size_t i = 0; i < 8; i++)
            printf("%s%c", i == 7 ? row[i].text : kns_out_safe(call->arena, row[i].text),
                   i == 7 ? '\n' : '\t');
    }
    kns_table_print(&table, call->out);
    json_decref(feeds);
    return KNS_EXIT_OK;
}

/* ---- refresh ------------------------------------------------------------------------------------------------------------ */

/* The lines of a refresh's progress as they come. */
struct progress {
    struct kns_call *call;
    struct kns_buf line;
    struct kns_tally tally;
    int64_t done, total, new_items;
    bool bar;
};

static void draw_bar(const struct progress *p)
{
    enum { WIDTH = 30 };
    int filled = p->total == 0 ? WIDTH : (int)(p->done * WIDTH / p->total);

    fprintf(stderr, "\r[%.*s%*s] %lld/%lld  %lld new", filled, "##############################",
            WIDTH - filled, "", (long long)p->done, (long long)p->total, (long long)p->new_items);
    fflush(stderr);
}

static void show_line(struct progress *p)
{
    json_t *json = json_loadb(p->line.data, p->line.len, 0, NULL);
    const char *outcome = kns_json_text(json, "outcome"), *text = kns_json_text(json, "text");
    bool skipped = json_is_true(json_object_get(json, "skipped"));
    bool good = skipped || strcmp(outcome, "new-document") == 0 ||
                strcmp(outcome, "unchanged") == 0 || strcmp(outcome, "cut") == 0;

    if (json == NULL)
        return;
    p->done = json_integer_value(json_object_get(json, "done"));
    p->total = json_integer_value(json_object_get(json, "total"));
    p->new_items += json_integer_value(json_object_get(json, "new_items"));
    bool missing = skipped && strcmp(text, "no such feed") == 0;
    kns_tally_add(&p->tally, missing ? KNS_EXIT_NOT_FOUND : good ? KNS_EXIT_OK : KNS_EXIT_FAILED);
    if (p->call->json)
        printf("%.*s\n", (int)p->line.len, p->line.data);
    else if (*text != '\0')
        fprintf(stderr, "%s%sfeed %lld: %s\n", p->bar ? "\r\033[K" : "",
                good && !missing ? "" : "knsctl: ",
                (long long)json_integer_value(json_object_get(json, "feed_id")),
                kns_out_safe(p->call->arena, text));
    if (p->bar)
        draw_bar(p);
    json_decref(json);
}

static bool on_progress(void *ctx, const char *bytes, size_t size)
{
    struct progress *p = ctx;

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n') {
            kns_buf_addc(&p->line, bytes[i]);
            continue;
        }
        show_line(p);
        kns_buf_reset(&p->line);
    }
    return true;
}

int kns_cmd_refresh(struct kns_call *call)
{
    struct progress p = {.call = call, .bar = call->out->terminal && !call->json};
    json_t *body = json_object(), *ids = json_array();
    bool wait = kns_args_has(&call->args, "wait");
    int status = KNS_EXIT_OK;

    for (size_t i = 0; i < call->args.n_operands && status == KNS_EXIT_OK; i++) {
        int64_t id = 0;
        status = kns_call_feed_id(call, call->args.operands[i], &id);
        json_array_append_new(ids, json_integer(id));
    }
    if (call->args.n_operands > 0)
        json_object_set(body, "feeds", ids);
    json_decref(ids);
    if (kns_args_has(&call->args, "force"))
        json_object_set_new(body, "force", json_true());
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    if (status == KNS_EXIT_OK) {
        const struct kns_request request = {.method = "POST",
                                            .path = wait ? "/v1/refresh?wait=1" : "/v1/refresh",
                                            .body = text,
                                            .body_size = strlen(text),
                                            .streams = wait,
                                            .on_data = wait ? on_progress : NULL,
                                            .ctx = &p};
        struct kns_response response;
        status = kns_call_raw(call, NULL, &request, &response);
        if (status == KNS_EXIT_OK)
            kns_buf_fini(&response.body);
    }
    free(text);
    if (p.bar && p.total > 0)
        fputc('\n', stderr);
    else if (wait && status == KNS_EXIT_OK && !call->json)
        fprintf(stderr, "%lld polled, %lld new\n", (long long)p.done, (long long)p.new_items);
    kns_buf_fini(&p.line);
    return status == KNS_EXIT_OK ? kns_tally_exit(&p.tally) : status;
}

/* ---- import, export ------------------------------------------------------------------------------------------------------ */

static int read_all(struct kns_call *call, const char *path, struct kns_buf *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char bytes[1 << 16];
    size_t n;

    if (file == NULL)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno));
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        kns_buf_add(out, bytes, n);
    bool good = !ferror(file) && !kns_buf_failed(out);
    if (file != stdin)
        fclose(file);
    return good ? KNS_EXIT_OK : kns_call_fail(call, KNS_EXIT_FAILED, "%s: cannot be read", path);
}

int kns_cmd_import(struct kns_call *call)
{
    const char *path = call->args.operands[0];
    struct kns_buf body = {0};
    json_t *answer = NULL, *problem;
    size_t index;
    int status = read_all(call, path, &body);

    if (status == KNS_EXIT_OK) {
        const struct kns_request request = {.method = "POST",
                                            .path = "/v1/opml",
                                            .body = kns_buf_str(&body),
                                            .body_size = body.len,
                                            .content_type = "text/x-opml"};
        status = kns_call_json(call, path, &request, &answer);
    }
    kns_buf_fini(&body);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, answer);
    json_array_foreach(json_object_get(answer, "problems"), index, problem) fprintf(
        stderr, "knsctl: %s: %s\n", path, kns_out_safe(call->arena, json_string_value(problem)));
    long long refused = json_integer_value(json_object_get(answer, "refused"));
    printf("%lld added, %lld known already, %lld refused\n",
           (long long)json_integer_value(json_object_get(answer, "added")),
           (long long)json_integer_value(json_object_get(answer, "known")), refused);
    json_decref(answer);
    return refused > 0 ? KNS_EXIT_SOME_FAILED : KNS_EXIT_OK;
}

int kns_cmd_export(struct kns_call *call)
{
    const char *format = kns_args_value(&call->args, "format");
    bool json = call->json || (format != NULL && strcmp(format, "json") == 0);
    const struct kns_request request = {.path = json ? "/v1/feeds" : "/v1/opml"};
    struct kns_response response;
    json_t *feeds = NULL;

    if (json) {
        int status = kns_call_json(call, NULL, &request, &feeds);
        return status == KNS_EXIT_OK ? kns_call_print_json(call, feeds) : status;
    }
    int status = kns_call_raw(call, NULL, &request, &response);
    if (status != KNS_EXIT_OK)
        return status;
    fwrite(response.body.data, 1, response.body.len, stdout);
    kns_buf_fini(&response.body);
    return fflush(stdout) == 0
               ? KNS_EXIT_OK
               : kns_call_fail(call, KNS_EXIT_FAILED, "cannot write to standard output");
}
