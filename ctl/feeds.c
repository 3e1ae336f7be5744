/* The verbs about subscriptions. */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A secret in a file is no longer than this. */
#define SECRET_MOST ((size_t)64 << 10)

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

/* The text of a file or of standard input, up to 64 KiB; NULL: said why not. A command line is seen by other users: secrets come so. */
static const char *read_secret(struct kns_call *call, const char *path, const char *expected)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    char *text = kns_arena_alloc(call->arena, SECRET_MOST + 1);

    if (file == NULL || text == NULL) {
        kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno));
        return NULL;
    }
    size_t len = fread(text, 1, SECRET_MOST, file);
    if (file != stdin)
        fclose(file);
    while (len > 0 && strchr("\r\n", text[len - 1]) != NULL)
        len--;
    text[len] = '\0';
    if (len > 0 && strlen(text) == len)
        return text;
    kns_call_fail(call, KNS_EXIT_FAILED, "%s: expected %s", path, expected);
    return NULL;
}

static int set_access(struct kns_call *call, json_t *access, const char *option, const char *member,
                      const char *value)
{
    json_t *string = value == NULL ? NULL : json_string(value);

    if (value == NULL)
        return KNS_EXIT_OK;
    if (string == NULL)
        return kns_call_fail(call, KNS_EXIT_USAGE, "%s: --%s is not UTF-8", call->args.verb->name,
                             option);
    json_object_set_new(access, member, string);
    return KNS_EXIT_OK;
}

/* --auth: "USER:PASSWORD", "Bearer TOKEN", "@FILE" with either on its first line, "none". One kind takes the place of the other. */
static int auth_given(struct kns_call *call, json_t *access)
{
    static const char bearer[] = "bearer ";
    const char *auth = kns_args_value(&call->args, "auth"), *user = "", *password = "", *token = "";

    if (auth == NULL)
        return KNS_EXIT_OK;
    if (*auth == '@') {
        auth = read_secret(call, auth + 1, "USER:PASSWORD on its first line");
        if (auth == NULL)
            return KNS_EXIT_FAILED;
        auth = kns_arena_copy(call->arena, auth, strcspn(auth, "\r\n"));
    }
    const char *colon = strchr(auth, ':');
    if (strncasecmp(auth, bearer, strlen(bearer)) == 0) {
        token = auth + strlen(bearer);
    } else if (colon != NULL && colon > auth) {
        user = kns_arena_copy(call->arena, auth, (size_t)(colon - auth));
        password = colon + 1;
    } else if (strcmp(auth, "none") != 0) {
        return kns_call_fail(call, KNS_EXIT_USAGE,
                             "%s: --auth: expected USER:PASSWORD, Bearer TOKEN, @FILE or none",
                             call->args.verb->name);
    }
    int status = set_access(call, access, "auth", "user", user);
    if (status == KNS_EXIT_OK)
        status = set_access(call, access, "auth", "password", password);
    return status == KNS_EXIT_OK ? set_access(call, access, "auth", "bearer_token", token) : status;
}

/* --header, all of them together: "Name: value", or "@FILE" with such lines; "none" removes those that were. */
static int headers_given(struct kns_call *call, json_t *access)
{
    const struct kns_given *given;
    const char *headers = NULL;

    KNS_LIST_EACH(given, &call->args.given)
    {
        const char *value = given->value;
        if (strcmp(given->option->name, "header") != 0)
            continue;
        if (*value == '@')
            value = read_secret(call, value + 1, "lines of \"Name: value\"");
        if (value == NULL)
            return KNS_EXIT_FAILED;
        if (strcmp(value, "none") == 0)
            headers = "";
        else if (headers == NULL || *headers == '\0')
            headers = value;
        else
            headers = kns_arena_printf(call->arena, "%s\n%s", headers, value);
    }
    return set_access(call, access, "header", "headers", headers);
}

/* How the feed is to be fetched; only what was given. */
static int access_given(struct kns_call *call, json_t *body)
{
    static const struct {
        const char *option, *member;
    } plain[] = {{"user-agent", "user_agent"},
                 {"proxy", "proxy"},
                 {"ca-file", "ca_file"},
                 {"http-version", "http_version"}};
    json_t *access = json_object();
    int status = auth_given(call, access);

    if (status == KNS_EXIT_OK)
        status = headers_given(call, access);
    for (size_t i = 0; status == KNS_EXIT_OK && i < sizeof(plain) / sizeof(plain[0]); i++)
        status = set_access(call, access, plain[i].option, plain[i].member,
                            kns_args_value(&call->args, plain[i].option));
    if (status == KNS_EXIT_OK && json_object_size(access) > 0)
        json_object_set(body, "access", access);
    json_decref(access);
    return status;
}

/* What add and edit set alike; read once, for a file may be standard input. */
static int edit_body(struct kns_call *call, json_t **ret_body)
{
    const char *title = kns_args_value(&call->args, "title"),
               *every = kns_args_value(&call->args, "every");
    json_t *body = json_object(), *tags = tags_given(call);

    if (title != NULL)
        json_object_set_new(body, "title", json_string(title));
    if (every != NULL)
        json_object_set_new(body, "every",
                            strcmp(every, "none") == 0 ? json_null() : json_string(every));
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

static int add_one(struct kns_call *call, json_t *edit, const char *url)
{
    json_t *body = json_copy(edit), *feed = NULL;

    json_object_set_new(body, "url", json_string(url));
    int status = send_json(call, url, "POST", "/v1/feeds", body, &feed);
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
    struct kns_tally tally = {0};
    json_t *edit = NULL;
    int status = edit_body(call, &edit);

    if (status != KNS_EXIT_OK)
        return status;
    if (kns_args_has(&call->args, "newsletter"))
        json_object_set_new(edit, "newsletter", json_true());
    if (kns_args_has(&call->args, "no-discover"))
        json_object_set_new(edit, "discover", json_false());
    if (kns_args_has(&call->args, "force"))
        json_object_set_new(edit, "force", json_true());
    for (size_t i = 0; i < call->args.n_operands && status != KNS_EXIT_NO_DAEMON; i++) {
        status = add_one(call, edit, call->args.operands[i]);
        kns_tally_add(&tally, status);
    }
    json_decref(edit);
    return status == KNS_EXIT_NO_DAEMON ? status : kns_tally_exit(&tally);
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

static const struct kns_column columns[] = {
    {"ID", 2, 8, true, 0},     {"HEALTH", 10, 10, false, 0}, {"LAST", 4, 20, true, 2},
    {"STATUS", 6, 6, true, 4}, {"NEXT", 6, 20, true, 1},     {"ITEMS", 5, 9, true, 3},
    {"TAGS", 4, 16, false, 5}, {"TITLE", 10, 0, false, 0},
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

static void feed_cells(struct kns_call *call, const json_t *feed, struct kns_cell cells[N_COLUMNS])
{
    const char *health = kns_json_text(feed, "health"), *state = kns_json_text(feed, "state");
    bool paused = strcmp(state, "paused") == 0,
         polled = json_object_get(feed, "last_status") != NULL;

    cells[0] = (struct kns_cell){number_text(call, feed, "id"), KNS_PLAIN};
    cells[1] = (struct kns_cell){paused ? state : health, paused ? KNS_DIM : health_style(health)};
    cells[2] = (struct kns_cell){time_text(call, feed, "last_poll_at"), KNS_PLAIN};
    cells[3] = (struct kns_cell){polled ? number_text(call, feed, "last_status") : "-", KNS_PLAIN};
    cells[4] = (struct kns_cell){time_text(call, feed, "next_poll_at"), KNS_PLAIN};
    cells[5] = (struct kns_cell){number_text(call, feed, "items"), KNS_PLAIN};
    cells[6] = (struct kns_cell){tags_text(call, json_object_get(feed, "tags")), KNS_DIM};
    cells[7] = (struct kns_cell){kns_json_text(feed, "title"), KNS_PLAIN};
}

/* For programs: the cells, and behind them what a table has no room for. */
static void print_feed_line(struct kns_call *call, const json_t *feed,
                            const struct kns_cell cells[N_COLUMNS])
{
    for (size_t i = 0; i < N_COLUMNS; i++)
        printf("%s\t", kns_out_safe(call->arena, cells[i].text));
    printf("%s\t", kns_out_safe(call->arena, kns_json_text(feed, "url")));
    printf("%s\n", kns_out_safe(call->arena, kns_json_text(feed, "last_error")));
}

int kns_cmd_feeds(struct kns_call *call)
{
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
    kns_table_init(&table, call->arena, columns, N_COLUMNS);
    json_array_foreach(feeds, index, feed)
    {
        const char *error = kns_json_text(feed, "last_error");
        struct kns_cell cells[N_COLUMNS];
        feed_cells(call, feed, cells);
        if (!call->out->terminal) {
            print_feed_line(call, feed, cells);
            continue;
        }
        kns_table_add(&table, cells);
        if (*error != '\0')
            kns_table_note(&table, error, KNS_RED);
    }
    kns_table_print(&table, call->out);
    if (json_array_size(feeds) == 0)
        kns_out_nothing(call->out, kns_args_has(&call->args, "failing") ? "no feed fails"
                                   : tag != NULL                        ? "no feed has that tag"
                                                 : "no feeds: see knsctl add --help");
    json_decref(feeds);
    return KNS_EXIT_OK;
}

/* ---- refresh ------------------------------------------------------------------------------------------------------------ */

/* The lines of a refresh's progress as they come. */
struct progress {
    struct kns_call *call;
    struct kns_buf line;
    struct kns_tally tally;
    int64_t done, total, polled, new_items;
    bool bar; /* standard error is a terminal: it is drawn there */
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
    p->polled += skipped ? 0 : 1;
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

/* The ids of the feeds that were named; those that nobody knows count as failures. */
static json_t *named_feeds(struct kns_call *call, struct kns_tally *tally)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < call->args.n_operands; i++) {
        int64_t id = 0;
        int status = kns_call_feed_id(call, call->args.operands[i], &id);
        if (status == KNS_EXIT_OK)
            json_array_append_new(ids, json_integer(id));
        else
            kns_tally_add(tally, status);
        if (status == KNS_EXIT_NO_DAEMON)
            break;
    }
    return ids;
}

static int refresh_and_wait(struct kns_call *call, struct progress *p, const char *body)
{
    const struct kns_request request = {.method = "POST",
                                        .path = "/v1/refresh?wait=1",
                                        .body = body,
                                        .body_size = strlen(body),
                                        .streams = true,
                                        .on_data = on_progress,
                                        .ctx = p};
    struct kns_response response;
    int status = kns_call_raw(call, NULL, &request, &response);

    if (p->bar && p->total > 0)
        fputc('\n', stderr);
    if (status != KNS_EXIT_OK)
        return status;
    kns_buf_fini(&response.body);
    if (p->done < p->total)
        return kns_call_fail(call, KNS_EXIT_FAILED, "refresh: the daemon stopped before the end");
    if (!p->bar && !call->json)
        fprintf(stderr, "%lld polled, %lld new\n", (long long)p->polled, (long long)p->new_items);
    return kns_tally_exit(&p->tally);
}

/* Polls go on behind our back; only what nobody knows is known at once. */
static int refresh_and_go(struct kns_call *call, struct kns_tally *tally, const char *body)
{
    const struct kns_request request = {
        .method = "POST", .path = "/v1/refresh", .body = body, .body_size = strlen(body)};
    json_t *answer = NULL, *id;
    size_t index;
    int status = kns_call_json(call, NULL, &request, &answer);

    if (status != KNS_EXIT_OK)
        return status;
    if (json_integer_value(json_object_get(answer, "feeds")) > 0)
        kns_tally_add(tally, KNS_EXIT_OK);
    json_array_foreach(json_object_get(answer, "unknown"), index, id)
    {
        kns_tally_add(tally, kns_call_fail(call, KNS_EXIT_NOT_FOUND, "%lld: no such feed",
                                           (long long)json_integer_value(id)));
    }
    if (call->json)
        kns_call_print_json(call, json_incref(answer));
    json_decref(answer);
    return kns_tally_exit(tally);
}

int kns_cmd_refresh(struct kns_call *call)
{
    struct progress p = {.call = call, .bar = isatty(STDERR_FILENO) != 0 && !call->json};
    json_t *body = json_object(), *ids = named_feeds(call, &p.tally);
    bool nothing_left = call->args.n_operands > 0 && json_array_size(ids) == 0;

    if (call->args.n_operands > 0)
        json_object_set(body, "feeds", ids);
    json_decref(ids);
    if (kns_args_has(&call->args, "force"))
        json_object_set_new(body, "force", json_true());
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    int status = nothing_left                        ? kns_tally_exit(&p.tally)
                 : kns_args_has(&call->args, "wait") ? refresh_and_wait(call, &p, text)
                                                     : refresh_and_go(call, &p.tally, text);
    free(text);
    kns_buf_fini(&p.line);
    return status;
}

/* ---- import, export ------------------------------------------------------------------------------------------------------ */

#define LIST_MOST ((size_t)32 << 20) /* what the daemon takes */

int kns_cmd_import(struct kns_call *call)
{
    const char *path = call->args.operands[0];
    struct kns_buf body;
    json_t *answer = NULL, *problem;
    size_t index;
    int status = kns_call_read_file(call, path, LIST_MOST, &body);

    if (status != KNS_EXIT_OK)
        return status;
    if (strcmp(path, "-") == 0)
        path = "standard input";
    const struct kns_request request = {.method = "POST",
                                        .path = "/v1/opml",
                                        .body = kns_buf_str(&body),
                                        .body_size = body.len,
                                        .content_type = "text/x-opml"};
    status = kns_call_json(call, path, &request, &answer);
    kns_buf_fini(&body);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, answer);
    json_array_foreach(json_object_get(answer, "problems"), index, problem) fprintf(
        stderr, "knsctl: %s: %s\n", path, kns_out_safe(call->arena, json_string_value(problem)));
    bool all = json_array_size(json_object_get(answer, "problems")) == 0;
    long long refused = json_integer_value(json_object_get(answer, "refused"));
    printf("%lld added, %lld known already, %lld refused\n",
           (long long)json_integer_value(json_object_get(answer, "added")),
           (long long)json_integer_value(json_object_get(answer, "known")), refused);
    json_decref(answer);
    return all ? KNS_EXIT_OK : KNS_EXIT_SOME_FAILED;
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
    status = kns_call_write(call, NULL, kns_buf_str(&response.body), response.body.len);
    kns_buf_fini(&response.body);
    return status;
}
