/* knsctl issue: the curated, numbered newsletter. One row an action; how issues are shown. */
#include "ctl/issue.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST (32u << 20)

/* ---- paths and bodies ------------------------------------------------------------------------------------------------- */

const char *kns_issue_path_of(struct kns_call *call, const char *path, const char *more)
{
    const char *newsletter = kns_args_value(&call->args, "newsletter");
    const char *own = newsletter == NULL ? "" : kns_call_path(call, "newsletter=%s", newsletter);

    return kns_arena_printf(call->arena, "%s%s%s%s%s", path, *own || *more ? "?" : "", own,
                            *own && *more ? "&" : "", more);
}

const char *kns_issue_operand(const struct kns_call *call, size_t i)
{
    return i + 1 < call->args.n_operands ? call->args.operands[i + 1] : NULL;
}

size_t kns_issue_n_operands(const struct kns_call *call)
{
    return call->args.n_operands == 0 ? 0 : call->args.n_operands - 1;
}

int kns_issue_read_file(struct kns_call *call, const char *path, struct kns_buf *ret)
{
    return kns_call_read_file(call, path, FILE_MOST, ret);
}

static int write_out(struct kns_call *call, const struct kns_buf *body)
{
    return kns_call_write(call, kns_args_value(&call->args, "output"), kns_buf_str(body),
                          body->len);
}

void kns_issue_hint(const struct kns_call *call, const char *format, ...)
{
    va_list args;

    if (!call->out->terminal || call->json)
        return;
    fflush(stdout);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- printing ------------------------------------------------------------------------------------------------------------ */

const char *kns_issue_number_text(struct kns_call *call, const json_t *object, const char *key)
{
    return kns_arena_printf(call->arena, "%lld",
                            (long long)json_integer_value(json_object_get(object, key)));
}

static void print_warnings(struct kns_call *call, const json_t *issue)
{
    json_t *warnings = json_object_get(issue, "warnings"), *warning;
    json_t *problems = json_object_get(issue, "problems"), *problem;
    size_t i;

    json_array_foreach(warnings, i, warning)
        fprintf(stderr, "knsctl: %s\n", kns_out_safe(call->arena, json_string_value(warning)));
    /* Of a correction: what lint would say of it. */
    json_array_foreach(problems, i, problem)
        fprintf(stderr, "%s: %s\n", kns_json_text(problem, "level"),
                kns_out_safe(call->arena, kns_json_text(problem, "message")));
}

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
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
               characters(kns_json_text(section, "text")));
    }
}

/* What a person who sees a draft does next. */
static void hint_at_next(const struct kns_call *call, const json_t *issue)
{
    bool draft = strcmp(kns_json_text(issue, "state"), "draft") == 0;
    size_t items = json_array_size(json_object_get(issue, "items"));

    if (draft && items == 0 && json_array_size(json_object_get(issue, "sections")) == 0)
        kns_issue_hint(call, "There is nothing in it yet: knsctl issue suggest fills it with the "
                             "week's best, knsctl issue add ID|URL adds one.");
    else if (draft)
        kns_issue_hint(call, "Next: knsctl issue edit (all of it, in your editor), issue preview, "
                             "issue lint, issue publish.");
}

int kns_issue_print(struct kns_call *call, json_t *issue)
{
    static const struct kns_column columns[] = {{"ID", 2, 8, true, 0},
                                                {"NOTE", 4, 4, false, 0},
                                                {"SECTION", 7, 16, false, 0},
                                                {"SITE", 6, 24, false, 0},
                                                {"TITLE", 20, 0, false, 0}};
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
            {kns_issue_number_text(call, item, "id"), KNS_DIM},
            {noted ? "yes" : "no", noted ? KNS_DIM : KNS_RED},
            {kns_out_safe(call->arena, kns_json_text(item, "section")), KNS_DIM},
            {kns_out_safe(call->arena, kns_json_text(item, "site")), KNS_DIM},
            {kns_out_safe(call->arena, kns_json_text(item, "title")), KNS_PLAIN}};
        kns_table_add(&table, cells);
    }
    kns_table_print(&table, call->out);
    print_warnings(call, issue);
    hint_at_next(call, issue);
    json_decref(issue);
    return KNS_EXIT_OK;
}

int kns_issue_post(struct kns_call *call, const char *path, json_t *body)
{
    json_t *answer = NULL;
    int status = kns_call_post(call, NULL, path, body, &answer);

    return status == KNS_EXIT_OK ? kns_issue_print(call, answer) : status;
}

json_t *kns_issue_which(const char *word)
{
    int64_t id = 0;

    return kns_item_id(word, &id) ? json_integer(id) : json_string(word);
}

void kns_issue_set_option(const struct kns_call *call, json_t *body, const char *name)
{
    const char *value = kns_args_value(&call->args, name);

    if (value != NULL)
        json_object_set_new(body, name, json_string(value));
}

const char *kns_issue_path(struct kns_call *call, const char *word)
{
    int64_t number = 0;

    if (word == NULL || strcmp(word, "draft") == 0)
        return "/v1/issues/draft";
    if (kns_item_id(*word == '#' ? word + 1 : word, &number))
        return kns_arena_printf(call->arena, "/v1/issues/%lld", (long long)number);
    kns_call_fail(call, KNS_EXIT_USAGE, "%s: expected the number of an issue, or draft", word);
    return NULL;
}

/* ---- showing ----------------------------------------------------------------------------------------------------------------- */

int kns_issue_show_as(struct kns_call *call, const char *path, const char *format, const char *more)
{
    const char *images = kns_args_value(&call->args, "images");
    const char *query =
        kns_arena_printf(call->arena, "format=%s%s%s%s%s%s", format,
                         kns_args_has(&call->args, "paste") ? "&paste=1" : "",
                         images == NULL ? "" : "&images=", images == NULL ? "" : images,
                         *more == '\0' ? "" : "&", more);
    const struct kns_request request = {.path = kns_issue_path_of(call, path, query)};
    struct kns_response response;
    int status = kns_call_raw(call, NULL, &request, &response);

    if (status != KNS_EXIT_OK)
        return status;
    status = write_out(call, &response.body);
    kns_buf_fini(&response.body);
    return status;
}

int kns_cmd_issue_show(struct kns_call *call)
{
    const char *path = kns_issue_path(call, kns_issue_operand(call, 0)),
               *format = kns_args_value(&call->args, "format");
    json_t *issue = NULL;

    if (path == NULL)
        return KNS_EXIT_USAGE;
    if (format != NULL || kns_args_has(&call->args, "paste"))
        return kns_issue_show_as(call, path, format == NULL ? "html" : format, "");
    const struct kns_request request = {.path = kns_issue_path_of(call, path, "")};
    int status = kns_call_json(call, NULL, &request, &issue);
    return status == KNS_EXIT_OK ? kns_issue_print(call, issue) : status;
}

int kns_cmd_issue_preview(struct kns_call *call)
{
    const char *format = kns_args_value(&call->args, "format");
    bool read_here = kns_args_value(&call->args, "output") == NULL && call->out->terminal;

    return kns_issue_show_as(call, "/v1/issues/draft",
                             format != NULL ? format
                             : read_here    ? "text"
                                            : "html",
                             "");
}

int kns_cmd_issue_list(struct kns_call *call)
{
    static const struct kns_column columns[] = {{"NUMBER", 6, 8, true, 0},
                                                {"DATE", 10, 10, false, 0},
                                                {"ITEMS", 5, 6, true, 0},
                                                {"STATE", 5, 9, false, 0},
                                                {"TITLE", 20, 0, false, 0}};
    const struct kns_request request = {.path = kns_issue_path_of(call, "/v1/issues", "")};
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
            {kns_issue_number_text(call, issue, "number"), KNS_PLAIN},
            {kns_arena_printf(call->arena, "%.10s", published), KNS_DIM},
            {kns_issue_number_text(call, issue, "items"), KNS_DIM},
            {kns_json_text(issue, "state"), KNS_DIM},
            {kns_out_safe(call->arena, kns_json_text(issue, "title")), KNS_PLAIN}};
        kns_table_add(&table, cells);
    }
    kns_table_print(&table, call->out);
    if (json_array_size(issues) == 0)
        kns_issue_hint(call, "There is no issue yet: knsctl issue suggest begins the first.");
    json_decref(issues);
    return KNS_EXIT_OK;
}

/* ---- the verb ------------------------------------------------------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    int (*run)(struct kns_call *call);
    size_t least, most; /* operands */
    const char *takes;
    const char *options; /* of its own, space around each; --newsletter goes with all */
} actions[] = {
    {"suggest", kns_cmd_issue_suggest, 0, 0, "", " since number why "},
    {"add", kns_cmd_issue_add, 1, 1000, "ITEM|URL…", " section note "},
    {"drop", kns_cmd_issue_drop, 1, 1000, "ITEM…", " "},
    {"move", kns_cmd_issue_move, 1, 1, "ITEM [--before ITEM] [--section S]", " before section "},
    {"note", kns_cmd_issue_note, 1, 1000, "ITEM [TEXT…|-]", " "},
    {"intro", kns_cmd_issue_intro, 0, 1000, "[TEXT…|-] [--section S]", " section "},
    {"edit", kns_cmd_issue_edit, 0, 1, "[FILE|-]", " "},
    {"show", kns_cmd_issue_show, 0, 1, "[N|draft]", " format paste images output "},
    {"preview", kns_cmd_issue_preview, 0, 0, "", " format paste images output "},
    {"lint", kns_cmd_issue_lint, 0, 0, "", " no-links "},
    {"publish", kns_cmd_issue_publish, 0, 0, "", " issue-number date no-links force "},
    {"list", kns_cmd_issue_list, 0, 0, "", " "},
    {"correct", kns_cmd_issue_correct, 1, 2, "N [FILE|-]", " "},
    {"send", kns_cmd_issue_send, 1, 1, "N [--to LIST]", " to print again images "},
    {"import", kns_cmd_issue_import, 1, 100000, "FILE|DIR|FEED-URL…", " issue-number date url "},
    {"discard", kns_cmd_issue_discard, 0, 0, "", " "},
};

#define N_ACTIONS (sizeof(actions) / sizeof(actions[0]))

/* An option that another action takes would be passed over in silence: it is refused. */
static const char *stray_option(const struct kns_call *call, const struct action *action)
{
    const struct kns_given *given;

    KNS_LIST_EACH(given, &call->args.given)
    {
        bool own = false;
        for (const struct kns_option *o = call->args.verb->options; o->name != NULL; o++)
            own = own || o == given->option;
        if (own && strcmp(given->option->name, "newsletter") != 0 &&
            strstr(action->options, kns_arena_printf(call->arena, " %s ", given->option->name)) ==
                NULL)
            return given->option->name;
    }
    return NULL;
}

static const struct action *find_action(const struct kns_call *call, const char *name)
{
    const char *names[N_ACTIONS];

    for (size_t i = 0; i < N_ACTIONS; i++) {
        names[i] = actions[i].name;
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    const char *near = kns_suggest(name, names, N_ACTIONS);
    kns_call_fail(call, KNS_EXIT_USAGE, "issue %s: no such action%s%s%s", name,
                  near == NULL ? " (see knsctl issue --help)" : "; did you mean ",
                  near == NULL ? "" : near, near == NULL ? "" : "?");
    return NULL;
}

/* Alone it shows the draft. */
int kns_cmd_issue(struct kns_call *call)
{
    const char *name = call->args.n_operands == 0 ? "show" : call->args.operands[0];
    const struct action *action = find_action(call, name);
    size_t n = kns_issue_n_operands(call);

    if (action == NULL)
        return KNS_EXIT_USAGE;
    if (n < action->least || n > action->most)
        return kns_call_fail(call, KNS_EXIT_USAGE, "issue %s takes%s%s", name,
                             *action->takes ? " " : " nothing more", action->takes);
    const char *stray = stray_option(call, action);
    if (stray != NULL)
        return kns_call_fail(call, KNS_EXIT_USAGE,
                             "issue %s does not take --%s (see knsctl issue --help)", name, stray);
    return action->run(call);
}
