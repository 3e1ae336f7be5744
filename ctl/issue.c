/* knsctl issue: the curated, numbered newsletter. One row an action. */
#include "ctl/ctl.h"

#include "lib/buf.h"
#include "lib/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_MOST (32u << 20)

/* ---- paths and bodies ------------------------------------------------------------------------------------------------- */

/* The path with --newsletter and more ("a=b&c=d", "": nothing) as its query. */
static const char *path_of(struct kns_call *call, const char *path, const char *more)
{
    const char *newsletter = kns_args_value(&call->args, "newsletter");
    const char *own = newsletter == NULL ? "" : kns_call_path(call, "newsletter=%s", newsletter);

    return kns_arena_printf(call->arena, "%s%s%s%s%s", path, *own || *more ? "?" : "", own,
                            *own && *more ? "&" : "", more);
}

static const char *operand(const struct kns_call *call, size_t i)
{
    return i + 1 < call->args.n_operands ? call->args.operands[i + 1] : NULL;
}

static size_t n_operands(const struct kns_call *call)
{
    return call->args.n_operands - 1;
}

static int read_file(struct kns_call *call, const char *path, struct kns_buf *ret)
{
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "re");
    char piece[1 << 15];

    if (file == NULL)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno));
    kns_buf_init(ret, FILE_MOST);
    for (size_t n = fread(piece, 1, sizeof(piece), file); n > 0;
         n = fread(piece, 1, sizeof(piece), file))
        kns_buf_add(ret, piece, n);
    bool bad = ferror(file) != 0;
    if (!standard_input)
        fclose(file);
    if (!bad && !kns_buf_failed(ret))
        return KNS_EXIT_OK;
    kns_buf_fini(ret);
    return kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path,
                         bad ? "cannot be read" : "larger than 32 MiB");
}

static int write_out(struct kns_call *call, const struct kns_buf *body)
{
    const char *path = kns_args_value(&call->args, "output");

    if (path != NULL && strcmp(path, "-") != 0)
        return kns_call_write_file(call, path, kns_buf_str(body), body->len);
    if (fwrite(kns_buf_str(body), 1, body->len, stdout) == body->len && fflush(stdout) == 0)
        return KNS_EXIT_OK;
    return kns_call_fail(call, KNS_EXIT_FAILED, "cannot write to standard output");
}

/* ---- printing ------------------------------------------------------------------------------------------------------------ */

static const char *number_text(struct kns_call *call, const json_t *object, const char *key)
{
    return kns_arena_printf(call->arena, "%lld",
                            (long long)json_integer_value(json_object_get(object, key)));
}

static void print_warnings(struct kns_call *call, const json_t *issue)
{
    json_t *warnings = json_object_get(issue, "warnings"), *warning;
    size_t i;

    json_array_foreach(warnings, i, warning)
        fprintf(stderr, "knsctl: %s\n", kns_out_safe(call->arena, json_string_value(warning)));
}

static void print_sections(struct kns_call *call, const json_t *issue)
{
    json_t *sections = json_object_get(issue, "sections"), *section;
    size_t i;

    json_array_foreach(sections, i, section)
    {
        const char *title = kns_json_text(section, "title");
        printf("%s: %zu characters\n",
               *title == '\0' ? "introduction" : kns_out_safe(call->arena, title),
               strlen(kns_json_text(section, "text")));
    }
}

/* The issue as a table: what stands in it, and what still lacks a comment. Takes the reference. */
static int print_issue(struct kns_call *call, json_t *issue)
{
    static const struct kns_column columns[] = {{"ID", 2, 8, true},
                                                {"NOTE", 4, 4, false},
                                                {"SECTION", 7, 16, false},
                                                {"SITE", 6, 24, false},
                                                {"TITLE", 20, 0, false}};
    json_t *items = json_object_get(issue, "items"), *item;
    struct kns_table table;
    size_t i;

    if (call->json)
        return kns_call_print_json(call, issue);
    kns_out_styled(call->out, KNS_BOLD, kns_out_safe(call->arena, kns_json_text(issue, "title")));
    printf(" (%s)\n", kns_json_text(issue, "state"));
    print_sections(call, issue);
    kns_table_init(&table, call->arena, columns, 5);
    json_array_foreach(items, i, item)
    {
        bool noted = *kns_json_text(item, "note") != '\0';
        const struct kns_cell cells[] = {
            {number_text(call, item, "id"), KNS_DIM},
            {noted ? "yes" : "no", noted ? KNS_DIM : KNS_RED},
            {kns_out_safe(call->arena, kns_json_text(item, "section")), KNS_DIM},
            {kns_out_safe(call->arena, kns_json_text(item, "site")), KNS_DIM},
            {kns_out_safe(call->arena, kns_json_text(item, "title")), KNS_PLAIN}};
        kns_table_add(&table, cells);
    }
    kns_table_print(&table, call->out);
    print_warnings(call, issue);
    json_decref(issue);
    return KNS_EXIT_OK;
}

static int post(struct kns_call *call, const char *path, json_t *body)
{
    json_t *answer = NULL;
    int status = kns_call_post(call, NULL, path, body, &answer);

    return status == KNS_EXIT_OK ? print_issue(call, answer) : status;
}

/* An item's id as a number, an address as text: what "items" of a body hold. */
static json_t *which(const char *word)
{
    int64_t id = 0;

    return kns_item_id(word, &id) ? json_integer(id) : json_string(word);
}

static json_t *operands_json(const struct kns_call *call)
{
    json_t *items = json_array();

    for (size_t i = 0; i < n_operands(call); i++)
        json_array_append_new(items, which(operand(call, i)));
    return items;
}

static void set_option(const struct kns_call *call, json_t *body, const char *name)
{
    const char *value = kns_args_value(&call->args, name);

    if (value != NULL)
        json_object_set_new(body, name, json_string(value));
}

/* ---- curating -------------------------------------------------------------------------------------------------------------- */

/* What is known of an article is what its feed said; its page says the rest, once. False: it cannot be added, and that was said. */
static int look_up(struct kns_call *call, const char *word)
{
    int64_t id = 0;
    json_t *body = kns_item_id(word, &id) ? json_pack("{s:I}", "item", (json_int_t)id)
                                          : json_pack("{s:s}", "url", word);
    json_t *item = NULL;
    int status = kns_call_post(call, word, "/v1/items", body, &item);
    const char *warning = kns_json_text(json_object_get(item, "_kns"), "warning");

    if (status == KNS_EXIT_OK && *warning != '\0')
        fprintf(stderr, "knsctl: %s: %s\n", kns_out_safe(call->arena, word),
                kns_out_safe(call->arena, warning));
    json_decref(item);
    return status;
}

static int add(struct kns_call *call)
{
    for (size_t i = 0; i < n_operands(call); i++) {
        int status = look_up(call, operand(call, i));
        if (status != KNS_EXIT_OK)
            return status;
    }
    json_t *body = json_pack("{s:o}", "items", operands_json(call));

    set_option(call, body, "section");
    set_option(call, body, "note");
    return post(call, path_of(call, "/v1/issues/draft/add", ""), body);
}

static int drop(struct kns_call *call)
{
    return post(call, path_of(call, "/v1/issues/draft/drop", ""),
                json_pack("{s:o}", "items", operands_json(call)));
}

static int move(struct kns_call *call)
{
    json_t *body = json_pack("{s:o}", "item", which(operand(call, 0)));
    const char *before = kns_args_value(&call->args, "before");

    if (before != NULL)
        json_object_set_new(body, "before", which(before));
    set_option(call, body, "section");
    return post(call, path_of(call, "/v1/issues/draft/move", ""), body);
}

/* The words behind the first `from` operands, or standard input for "-" and for none. */
static int text_of(struct kns_call *call, size_t from, const char **ret)
{
    struct kns_buf text = {0};
    bool input = n_operands(call) == from ||
                 (n_operands(call) == from + 1 && strcmp(operand(call, from), "-") == 0);

    if (input) {
        int status = read_file(call, "-", &text);
        if (status != KNS_EXIT_OK)
            return status;
    }
    for (size_t i = from; !input && i < n_operands(call); i++) {
        kns_buf_adds(&text, i > from ? " " : "");
        kns_buf_adds(&text, operand(call, i));
    }
    while (text.len > 0 && strchr(" \n\t", text.data[text.len - 1]) != NULL)
        text.data[--text.len] = '\0';
    *ret = kns_arena_copy(call->arena, kns_buf_str(&text), text.len);
    bool good = *ret != NULL && kns_text_is_utf8(*ret, text.len);
    kns_buf_fini(&text);
    return good ? KNS_EXIT_OK : kns_call_fail(call, KNS_EXIT_FAILED, "the text is not UTF-8");
}

static int note(struct kns_call *call)
{
    const char *text = NULL;
    int status = text_of(call, 1, &text);

    if (status != KNS_EXIT_OK)
        return status;
    return post(call, path_of(call, "/v1/issues/draft/note", ""),
                json_pack("{s:o, s:s}", "item", which(operand(call, 0)), "note", text));
}

static int intro(struct kns_call *call)
{
    const char *text = NULL;
    int status = text_of(call, 0, &text);

    if (status != KNS_EXIT_OK)
        return status;
    json_t *body = json_pack("{s:s}", "text", text);
    set_option(call, body, "section");
    return post(call, path_of(call, "/v1/issues/draft/intro", ""), body);
}

static int suggest(struct kns_call *call)
{
    const char *since = kns_args_value(&call->args, "since");
    long long n = (long long)kns_args_number(&call->args, "number", 0);
    const char *more = since == NULL ? "" : kns_call_path(call, "since=%s", since);

    if (n > 0)
        more = kns_arena_printf(call->arena, "%s%slimit=%lld", more, *more ? "&" : "", n);
    return post(call, path_of(call, "/v1/issues/draft/suggest", more), json_object());
}

static int discard(struct kns_call *call)
{
    const struct kns_request request = {.method = "DELETE",
                                        .path = path_of(call, "/v1/issues/draft", "")};
    json_t *none = NULL;
    int status = kns_call_json(call, NULL, &request, &none);

    json_decref(none);
    return status;
}

/* ---- editing ---------------------------------------------------------------------------------------------------------------- */

static int send_text(struct kns_call *call, const char *path, const struct kns_buf *text)
{
    const struct kns_request request = {.method = "POST",
                                        .path = path,
                                        .content_type = "text/markdown; charset=utf-8",
                                        .body = kns_buf_str(text),
                                        .body_size = text->len};
    json_t *issue = NULL;
    int status = kns_call_json(call, NULL, &request, &issue);

    return status == KNS_EXIT_OK ? print_issue(call, issue) : status;
}

static int run_editor(struct kns_call *call, const char *path)
{
    const char *editor = getenv("VISUAL");
    int status = 0;

    if (editor == NULL || *editor == '\0')
        editor = getenv("EDITOR");
    if (editor == NULL || *editor == '\0')
        editor = "vi";
    pid_t child = fork();
    if (child == 0) {
        /* The shell, so that EDITOR may have options. */
        char *command = NULL;
        if (asprintf(&command, "%s \"$1\"", editor) > 0)
            execl("/bin/sh", "sh", "-c", command, editor, path, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return kns_call_fail(call, KNS_EXIT_FAILED, "cannot run %s: %s", editor, strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return kns_call_fail(call, KNS_EXIT_FAILED, "%s ended with an error; nothing was changed",
                             editor);
    return KNS_EXIT_OK;
}

/* A file of one's own for the editor. */
static int put_text(struct kns_call *call, const struct kns_buf *text, const char **ret_path)
{
    const char *dir = getenv("TMPDIR");
    char *path = kns_arena_printf(call->arena, "%s/kns-issue-XXXXXX.md",
                                  dir == NULL || *dir == '\0' ? "/tmp" : dir);
    int fd = path == NULL ? -1 : mkostemps(path, 3, O_CLOEXEC);
    bool good = fd >= 0 && write(fd, kns_buf_str(text), text->len) == (ssize_t)text->len;

    if (fd >= 0)
        good = close(fd) == 0 && good;
    *ret_path = path;
    return good ? KNS_EXIT_OK
                : kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path == NULL ? "" : path,
                                strerror(errno));
}

/* The text through the editor. What cannot be taken stays in its file, and that is said. */
static int edit_in_editor(struct kns_call *call, const char *from, const char *to,
                          const char *again)
{
    const struct kns_request request = {.path = from};
    struct kns_response response;
    struct kns_buf text = {0};
    const char *path = NULL;
    int status = kns_call_raw(call, NULL, &request, &response);

    if (status != KNS_EXIT_OK)
        return status;
    status = put_text(call, &response.body, &path);
    if (status == KNS_EXIT_OK)
        status = run_editor(call, path);
    if (status == KNS_EXIT_OK)
        status = read_file(call, path, &text);
    if (status == KNS_EXIT_OK && text.len == response.body.len &&
        memcmp(kns_buf_str(&text), kns_buf_str(&response.body), text.len) == 0) {
        puts("Nothing was changed.");
        unlink(path);
    } else if (status == KNS_EXIT_OK) {
        status = send_text(call, to, &text);
        if (status == KNS_EXIT_OK)
            unlink(path);
        else
            fprintf(stderr, "knsctl: your text is kept in %s; mend it, then: knsctl issue %s %s\n",
                    path, again, path);
    }
    kns_buf_fini(&text);
    kns_buf_fini(&response.body);
    return status;
}

static int edit_text(struct kns_call *call, const char *from, const char *to, const char *file,
                     const char *again)
{
    struct kns_buf text = {0};

    if (file == NULL)
        return edit_in_editor(call, from, to, again);
    int status = read_file(call, file, &text);
    if (status == KNS_EXIT_OK)
        status = send_text(call, to, &text);
    kns_buf_fini(&text);
    return status;
}

static int edit(struct kns_call *call)
{
    return edit_text(call, path_of(call, "/v1/issues/draft", "format=markdown"),
                     path_of(call, "/v1/issues/draft/text", ""), operand(call, 0), "edit");
}

/* "12", "#12" or "draft" as the part of a path; NULL: none of these, and that was said. */
static const char *issue_path(struct kns_call *call, const char *word)
{
    int64_t number = 0;

    if (word == NULL || strcmp(word, "draft") == 0)
        return "/v1/issues/draft";
    if (kns_item_id(*word == '#' ? word + 1 : word, &number))
        return kns_arena_printf(call->arena, "/v1/issues/%lld", (long long)number);
    kns_call_fail(call, KNS_EXIT_USAGE, "%s: expected the number of an issue, or draft", word);
    return NULL;
}

static int correct(struct kns_call *call)
{
    const char *path = issue_path(call, operand(call, 0));

    if (path == NULL || strcmp(path, "/v1/issues/draft") == 0)
        return path == NULL
                   ? KNS_EXIT_USAGE
                   : kns_call_fail(call, KNS_EXIT_USAGE, "the draft is changed with issue edit");
    return edit_text(call, path_of(call, path, "format=markdown"),
                     path_of(call, kns_arena_printf(call->arena, "%s/text", path), ""),
                     operand(call, 1),
                     kns_arena_printf(call->arena, "correct %s", operand(call, 0)));
}

/* ---- showing ----------------------------------------------------------------------------------------------------------------- */

static int show_as(struct kns_call *call, const char *path, const char *format)
{
    const char *images = kns_args_value(&call->args, "images");
    const char *more =
        kns_arena_printf(call->arena, "format=%s%s%s%s", format,
                         kns_args_has(&call->args, "paste") ? "&paste=1" : "",
                         images == NULL ? "" : "&images=", images == NULL ? "" : images);
    const struct kns_request request = {.path = path_of(call, path, more)};
    struct kns_response response;
    int status = kns_call_raw(call, NULL, &request, &response);

    if (status != KNS_EXIT_OK)
        return status;
    status = write_out(call, &response.body);
    kns_buf_fini(&response.body);
    return status;
}

static int show(struct kns_call *call)
{
    const char *path = issue_path(call, operand(call, 0)),
               *format = kns_args_value(&call->args, "format");
    json_t *issue = NULL;

    if (path == NULL)
        return KNS_EXIT_USAGE;
    if (format != NULL || kns_args_has(&call->args, "paste"))
        return show_as(call, path, format == NULL ? "html" : format);
    const struct kns_request request = {.path = path_of(call, path, "")};
    int status = kns_call_json(call, NULL, &request, &issue);
    return status == KNS_EXIT_OK ? print_issue(call, issue) : status;
}

static int preview(struct kns_call *call)
{
    const char *format = kns_args_value(&call->args, "format");
    bool read_here = kns_args_value(&call->args, "output") == NULL && call->out->terminal;

    return show_as(call, "/v1/issues/draft", format != NULL ? format : read_here ? "text" : "html");
}

static int list(struct kns_call *call)
{
    static const struct kns_column columns[] = {{"NUMBER", 6, 8, true},
                                                {"DATE", 10, 10, false},
                                                {"ITEMS", 5, 6, true},
                                                {"STATE", 5, 9, false},
                                                {"TITLE", 20, 0, false}};
    const struct kns_request request = {.path = path_of(call, "/v1/issues", "")};
    json_t *issues = NULL, *issue;
    struct kns_table table;
    size_t i;
    int status = kns_call_json(call, NULL, &request, &issues);

    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, issues);
    kns_table_init(&table, call->arena, columns, 5);
    json_array_foreach(issues, i, issue)
    {
        const char *published = kns_json_text(issue, "published");
        const struct kns_cell cells[] = {
            {number_text(call, issue, "number"), KNS_PLAIN},
            {kns_arena_printf(call->arena, "%.10s", published), KNS_DIM},
            {number_text(call, issue, "items"), KNS_DIM},
            {kns_json_text(issue, "state"), KNS_DIM},
            {kns_out_safe(call->arena, kns_json_text(issue, "title")), KNS_PLAIN}};
        kns_table_add(&table, cells);
    }
    kns_table_print(&table, call->out);
    json_decref(issues);
    return KNS_EXIT_OK;
}

/* ---- publishing ----------------------------------------------------------------------------------------------------------------- */

static void print_problems(struct kns_call *call, const json_t *problems, FILE *out)
{
    json_t *problem;
    size_t i;

    json_array_foreach(problems, i, problem)
        fprintf(out, "%s: %s\n", kns_json_text(problem, "level"),
                kns_out_safe(call->arena, kns_json_text(problem, "message")));
}

/* Looks at every link of the draft; what is dead goes into the report, as what nobody answered does. */
static int check_links(struct kns_call *call, json_t *report)
{
    const struct kns_request request = {.path = path_of(call, "/v1/issues/draft", "")};
    json_t *draft = NULL, *item, *problems = json_object_get(report, "problems");
    json_int_t errors = json_integer_value(json_object_get(report, "errors"));
    size_t i;
    int status = kns_call_json(call, NULL, &request, &draft);

    json_array_foreach(json_object_get(draft, "items"), i, item)
    {
        json_t *answer = NULL;
        if (status == KNS_EXIT_OK)
            status = kns_call_post(call, NULL, "/v1/links/check",
                                   json_pack("{s:s}", "url", kns_json_text(item, "url")), &answer);
        bool dead = json_is_true(json_object_get(answer, "dead"));
        const char *why = kns_json_text(answer, "why");
        /* Who answers with a refusal is there. */
        bool silent = json_integer_value(json_object_get(answer, "status")) == 0 && *why != '\0';
        if (dead || silent)
            json_array_append_new(
                problems,
                json_pack("{s:s, s:s}", "level", dead ? "error" : "warning", "message",
                          kns_arena_printf(call->arena, "%s: %s: %s", kns_json_text(item, "title"),
                                           dead ? "a dead link" : "not reached", why)));
        errors += dead;
        json_decref(answer);
    }
    json_object_set_new(report, "errors", json_integer(errors));
    json_decref(draft);
    return status;
}

static int lint_report(struct kns_call *call, json_t **ret)
{
    const struct kns_request request = {.path = path_of(call, "/v1/issues/draft/lint", "")};
    int status = kns_call_json(call, NULL, &request, ret);

    return status == KNS_EXIT_OK && !kns_args_has(&call->args, "no-links") ? check_links(call, *ret)
                                                                           : status;
}

static int lint(struct kns_call *call)
{
    json_t *report = NULL;
    int status = lint_report(call, &report);

    if (status != KNS_EXIT_OK)
        return status;
    bool errors = json_integer_value(json_object_get(report, "errors")) > 0;
    if (call->json)
        kns_call_print_json(call, json_incref(report));
    else
        print_problems(call, json_object_get(report, "problems"), stdout);
    json_decref(report);
    return errors ? KNS_EXIT_FAILED : KNS_EXIT_OK;
}

static int publish(struct kns_call *call)
{
    json_t *body = json_object(), *issue = NULL, *report = NULL;
    const char *number = kns_args_value(&call->args, "issue-number");

    if (!kns_args_has(&call->args, "force")) {
        int found = lint_report(call, &report);
        if (found == KNS_EXIT_OK && json_integer_value(json_object_get(report, "errors")) > 0) {
            print_problems(call, json_object_get(report, "problems"), stderr);
            found = kns_call_fail(call, KNS_EXIT_FAILED, "nothing was published");
        }
        json_decref(report);
        if (found != KNS_EXIT_OK) {
            json_decref(body);
            return found;
        }
    }
    if (kns_args_has(&call->args, "force"))
        json_object_set_new(body, "force", json_true());
    if (number != NULL)
        json_object_set_new(body, "number", json_integer(atoll(number)));
    set_option(call, body, "date");
    int status =
        kns_call_post(call, NULL, path_of(call, "/v1/issues/draft/publish", ""), body, &issue);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, issue);
    print_problems(call, json_object_get(issue, "problems"), stderr);
    printf("%s\t%s\n", kns_out_safe(call->arena, kns_json_text(issue, "title")),
           kns_out_safe(call->arena, *kns_json_text(issue, "url") != '\0'
                                         ? kns_json_text(issue, "url")
                                         : kns_json_text(issue, "id")));
    json_decref(issue);
    return KNS_EXIT_OK;
}

/* The addresses of --to: given one by one, with commas, or in a file (@FILE), one a line. */
static int add_addresses(struct kns_call *call, json_t *to, const char *word)
{
    struct kns_buf file = {0};
    const char *text = word;

    if (*word == '@') {
        int status = read_file(call, word + 1, &file);
        if (status != KNS_EXIT_OK)
            return status;
        text = kns_arena_strdup(call->arena, kns_buf_str(&file));
        kns_buf_fini(&file);
    }
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, ",\r\n");
        const char *address = kns_arena_copy(call->arena, text, len);
        address = address == NULL ? NULL : kns_text_squeeze(call->arena, address);
        if (address != NULL && *address != '\0' && *address != '#')
            json_array_append_new(to, json_string(address));
        text += len + (text[len] != '\0');
    }
    return KNS_EXIT_OK;
}

static int send(struct kns_call *call)
{
    const char *path = issue_path(call, operand(call, 0));
    json_t *to = json_array(), *answer = NULL;
    const char *list_of = kns_args_value(&call->args, "to");
    int status = KNS_EXIT_OK;

    if (path == NULL || strcmp(path, "/v1/issues/draft") == 0) {
        json_decref(to);
        return path == NULL ? KNS_EXIT_USAGE
                            : kns_call_fail(call, KNS_EXIT_USAGE, "only what is published is sent");
    }
    if (list_of == NULL) {
        /* For sendmail -t. */
        json_decref(to);
        return show_as(call, path, "eml");
    }
    status = add_addresses(call, to, list_of);
    if (status == KNS_EXIT_OK)
        status = kns_call_post(call, NULL,
                               path_of(call, kns_arena_printf(call->arena, "%s/send", path), ""),
                               json_pack("{s:O}", "to", to), &answer);
    if (status == KNS_EXIT_OK)
        printf("sent to %s\n", number_text(call, answer, "sent"));
    json_decref(to);
    json_decref(answer);
    return status;
}

/* ---- past issues ------------------------------------------------------------------------------------------------------------------- */

struct importing {
    size_t imported, known;
    struct kns_tally tally;
};

static int import_bytes(struct kns_call *call, struct importing *importing, const char *what,
                        const char *more, const char *bytes, size_t size)
{
    const struct kns_request request = {.method = "POST",
                                        .path = path_of(call, "/v1/issues/import", more),
                                        .content_type = "text/html",
                                        .body = bytes,
                                        .body_size = size};
    struct kns_response response;
    struct kns_error err = {0};

    if (kns_client_send(call->client, &request, &response, &err) != KNS_OK)
        return kns_call_failed(call, what, &err);
    bool known = response.status == 409;
    bool good = response.status == 201;
    json_t *answer = json_loadb(kns_buf_str(&response.body), response.body.len, 0, NULL);
    importing->imported += good;
    importing->known += known;
    if (!good && !known)
        fprintf(stderr, "knsctl: %s: %s\n", kns_out_safe(call->arena, what),
                kns_out_safe(call->arena, kns_json_text(answer, "detail")));
    json_decref(answer);
    kns_buf_fini(&response.body);
    return good || known ? KNS_EXIT_OK : KNS_EXIT_FAILED;
}

static const char *with(struct kns_call *call, const char *more, const char *name,
                        const char *value)
{
    if (value == NULL || *value == '\0')
        return more;
    return kns_arena_printf(call->arena, "%s%s%s=%s", more, *more ? "&" : "", name,
                            kns_call_path(call, "%s", value));
}

/* A date that the file's name begins with, as archives have it. */
static const char *date_in_name(struct kns_call *call, const char *path)
{
    const char *name = strrchr(path, '/');

    name = name == NULL ? path : name + 1;
    for (size_t i = 0; i < 10; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? name[i] != '-' : name[i] < '0' || name[i] > '9')
            return NULL;
    }
    return kns_arena_copy(call->arena, name, 10);
}

static void import_file(struct kns_call *call, struct importing *importing, const char *path)
{
    const char *date = kns_args_value(&call->args, "date");
    const char *more = with(call, "", "date", date != NULL ? date : date_in_name(call, path));
    struct kns_buf bytes = {0};
    int status = read_file(call, path, &bytes);

    more = with(call, more, "number", kns_args_value(&call->args, "issue-number"));
    more = with(call, more, "url", kns_args_value(&call->args, "url"));
    if (status == KNS_EXIT_OK)
        status = import_bytes(call, importing, path, more, kns_buf_str(&bytes), bytes.len);
    kns_buf_fini(&bytes);
    kns_tally_add(&importing->tally, status);
}

static int is_issue_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".md") == 0 || strcmp(dot, ".html") == 0 || strcmp(dot, ".htm") == 0);
}

static void import_dir(struct kns_call *call, struct importing *importing, const char *path)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_issue_file, alphasort);

    if (n < 0) {
        kns_tally_add(&importing->tally,
                      kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno)));
        return;
    }
    for (int i = 0; i < n; i++) {
        import_file(call, importing,
                    kns_arena_printf(call->arena, "%s/%s", path, entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
}

static void import_items(struct kns_call *call, struct importing *importing, const json_t *page)
{
    json_t *items = json_object_get(page, "items"), *item;
    size_t i;

    /* The oldest first, so that numbers grow. */
    for (i = json_array_size(items); i > 0; i--) {
        item = json_array_get(items, i - 1);
        const char *html = kns_json_text(item, "content_html");
        if (*html == '\0')
            html = kns_json_text(json_object_get(item, "_kns"), "summary_html");
        const char *more = with(call, "", "title", kns_json_text(item, "title"));
        more = with(call, more, "url", kns_json_text(item, "url"));
        more = with(call, more, "date", kns_json_text(item, "date_published"));
        int status =
            import_bytes(call, importing, kns_json_text(item, "title"), more, html, strlen(html));
        kns_tally_add(&importing->tally, status);
    }
}

/* A feed of issues: read through the daemon's own fetcher; a subscription made for that is taken back. */
static void import_feed(struct kns_call *call, struct importing *importing, const char *url)
{
    json_t *feed = NULL, *page = NULL, *none = NULL;
    const struct kns_request known = {.path = kns_call_path(call, "/v1/feeds?url=%s", url)};
    struct kns_response response = {0};
    struct kns_error err = {0};
    int64_t id = 0;
    bool added = false;
    int status = KNS_EXIT_OK;

    if (kns_client_send(call->client, &known, &response, &err) == KNS_OK &&
        response.status == 200) {
        feed = json_loadb(kns_buf_str(&response.body), response.body.len, 0, NULL);
        id = json_integer_value(json_object_get(json_array_get(feed, 0), "id"));
    }
    kns_buf_fini(&response.body);
    if (id == 0) {
        json_decref(feed);
        feed = NULL;
        status = kns_call_post(call, url, "/v1/feeds",
                               json_pack("{s:s, s:b}", "url", url, "newsletter", 0), &feed);
        id = json_integer_value(json_object_get(feed, "id"));
        added = status == KNS_EXIT_OK;
    }
    const struct kns_request items = {
        .path = kns_arena_printf(call->arena, "/v1/items?feed=%lld&limit=1000", (long long)id)};
    if (status == KNS_EXIT_OK)
        status = kns_call_json(call, url, &items, &page);
    const struct kns_request remove = {
        .method = "DELETE", .path = kns_arena_printf(call->arena, "/v1/feeds/%lld", (long long)id)};
    if (added)
        kns_call_json(call, url, &remove, &none);
    if (status == KNS_EXIT_OK)
        import_items(call, importing, page);
    else
        kns_tally_add(&importing->tally, status);
    json_decref(feed);
    json_decref(page);
    json_decref(none);
}

static int import(struct kns_call *call)
{
    struct importing importing = {0};

    for (size_t i = 0; i < n_operands(call); i++) {
        const char *path = operand(call, i);
        struct stat st;
        if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0)
            import_feed(call, &importing, path);
        else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            import_dir(call, &importing, path);
        else
            import_file(call, &importing, path);
    }
    if (call->json)
        kns_call_print_json(call,
                            json_pack("{s:I, s:I, s:I}", "imported", (json_int_t)importing.imported,
                                      "known", (json_int_t)importing.known, "failed",
                                      (json_int_t)importing.tally.failed));
    else
        printf("%zu imported, %zu there already, %zu failed\n", importing.imported, importing.known,
               importing.tally.failed);
    return kns_tally_exit(&importing.tally);
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    int (*run)(struct kns_call *call);
    size_t least, most; /* operands */
    const char *takes;
} actions[] = {
    {"suggest", suggest, 0, 0, ""},
    {"add", add, 1, 1000, "ITEM|URL…"},
    {"drop", drop, 1, 1000, "ITEM…"},
    {"move", move, 1, 1, "ITEM [--before ITEM] [--section S]"},
    {"note", note, 1, 1000, "ITEM [TEXT…|-]"},
    {"intro", intro, 0, 1000, "[TEXT…|-] [--section S]"},
    {"edit", edit, 0, 1, "[FILE|-]"},
    {"show", show, 0, 1, "[N|draft]"},
    {"preview", preview, 0, 0, ""},
    {"lint", lint, 0, 0, ""},
    {"publish", publish, 0, 0, ""},
    {"list", list, 0, 0, ""},
    {"correct", correct, 1, 2, "N [FILE|-]"},
    {"send", send, 1, 1, "N [--to LIST]"},
    {"import", import, 1, 100000, "FILE|DIR|FEED-URL…"},
    {"discard", discard, 0, 0, ""},
};

int kns_cmd_issue(struct kns_call *call)
{
    const char *name = call->args.operands[0];
    const char *names[sizeof(actions) / sizeof(actions[0])];
    size_t n = sizeof(actions) / sizeof(actions[0]);

    for (size_t i = 0; i < n; i++) {
        names[i] = actions[i].name;
        if (strcmp(actions[i].name, name) != 0)
            continue;
        if (n_operands(call) < actions[i].least || n_operands(call) > actions[i].most)
            return kns_call_fail(call, KNS_EXIT_USAGE, "issue %s takes%s%s", name,
                                 *actions[i].takes ? " " : " nothing more", actions[i].takes);
        return actions[i].run(call);
    }
    const char *near = kns_suggest(name, names, n);
    return kns_call_fail(call, KNS_EXIT_USAGE, "issue %s: no such action%s%s%s", name,
                         near == NULL ? " (see knsctl issue --help)" : "; did you mean ",
                         near == NULL ? "" : near, near == NULL ? "" : "?");
}
