/* The verbs about items. */
#include "ctl/ctl.h"

#include "ctl/template.h"
#include "lib/html.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- filters ---------------------------------------------------------------------------------------------------------- */

static void add(struct kns_buf *out, const char *name, const char *value)
{
    if (value == NULL)
        return;
    kns_buf_addf(out, "%c%s=", out->len == 0 ? '?' : '&', name);
    kns_url_add_encoded(out, value);
}

int kns_call_filters(struct kns_call *call, const char *query, const char *more,
                     const char **ret_filters)
{
    struct kns_buf out = {0};
    int status = kns_call_add_feeds(call, '?', &out);

    if (status != KNS_EXIT_OK) {
        kns_buf_fini(&out);
        return status;
    }
    add(&out, "tag", kns_args_value(&call->args, "tag"));
    /* As they were typed: a digest of the last 7d is the same digest next week, and keeps its id. */
    add(&out, "since", kns_args_value(&call->args, "since"));
    add(&out, "until", kns_args_value(&call->args, "until"));
    add(&out, "unread", kns_args_has(&call->args, "unread") ? "1" : NULL);
    add(&out, "starred", kns_args_has(&call->args, "starred") ? "1" : NULL);
    add(&out, "q", query);
    add(&out, "sort", kns_args_value(&call->args, "sort"));
    add(&out, "min_sources", kns_args_value(&call->args, "min-sources"));
    if (more != NULL)
        kns_buf_addf(&out, "%c%s", out.len == 0 ? '?' : '&', more);
    *ret_filters = kns_arena_strdup(call->arena, kns_buf_str(&out));
    kns_buf_fini(&out);
    return *ret_filters != NULL ? KNS_EXIT_OK
                                : kns_call_fail(call, KNS_EXIT_FAILED, "out of memory");
}

/* ---- lists -------------------------------------------------------------------------------------------------------------- */

/* Where the printed items go. */
struct listing {
    struct kns_call *call;
    const char *template; /* NULL: a table */
    bool snippets;        /* a search on a terminal: where each was found */
    bool found;           /* anything at all */
    struct kns_table table;
    json_t *all, *document; /* --json: the items, and the first page, which is given them all */
};

#define ALL INT64_MAX
#define PAGE 1000 /* what the daemon gives at once */

static const struct kns_column columns[] = {{"ID", 2, 9, true, 0},
                                            {"", 1, 2, false, 0},
                                            {"AGE", 3, 8, true, 1},
                                            {"FEED", 8, 20, false, 2},
                                            {"TITLE", 16, 0, false, 0}};

static const char *feed_title(const json_t *item)
{
    return kns_json_text(json_array_get(json_object_get(json_object_get(item, "_kns"), "feeds"), 0),
                         "title");
}

static const char *title_of(const json_t *item)
{
    const char *title = kns_json_text(item, "title"), *summary = kns_json_text(item, "summary");

    return *title != '\0' ? title : *summary != '\0' ? summary : kns_json_text(item, "url");
}

static struct kns_time date_of(const json_t *item)
{
    struct kns_time published = kns_json_time(item, "date_published");

    return kns_time_given(published) ? published
                                     : kns_json_time(json_object_get(item, "_kns"), "first_seen");
}

void kns_call_print_item(struct kns_call *call, const json_t *item)
{
    char date[KNS_TIME_TEXT];
    const char *fields[] = {kns_json_text(item, "id"), kns_time_format(date_of(item), date),
                            feed_title(item), title_of(item), kns_json_text(item, "url")};

    for (size_t i = 0; i < 5; i++)
        printf("%s%c", kns_out_safe(call->arena, fields[i]), i == 4 ? '\n' : '\t');
}

/* A search's snippet below its item, what matched in bold. */
static void print_snippet(struct kns_call *call, const char *snippet)
{
    if (*snippet == '\0')
        return;
    fputs("          ", stdout);
    for (bool hit = false; *snippet != '\0'; hit = !hit) {
        size_t size = strcspn(snippet, hit ? "\x03" : "\x02");
        const char *part = kns_out_safe(call->arena, kns_arena_copy(call->arena, snippet, size));
        kns_out_styled(call->out, hit ? KNS_BOLD : KNS_PLAIN, part);
        snippet += size + (snippet[size] != '\0');
    }
    putchar('\n');
}

#define HIT_INDENT 10
#define TITLE_LEAST 16

static void print_hit(struct kns_call *call, const json_t *item)
{
    const char *source =
        kns_arena_printf(call->arena, "  %s, %s", kns_out_safe(call->arena, feed_title(item)),
                         kns_out_age(call->arena, date_of(item), call->now));
    const char *title = kns_out_safe(call->arena, title_of(item));
    int room = call->out->columns - HIT_INDENT - kns_text_columns(source == NULL ? "" : source);

    printf("%8s  ", kns_out_safe(call->arena, kns_json_text(item, "id")));
    kns_out_styled(call->out, KNS_BOLD,
                   kns_text_fit(call->arena, title, room < TITLE_LEAST ? TITLE_LEAST : room));
    printf("%s\n", source == NULL ? "" : source);
    print_snippet(call, kns_json_text(json_object_get(item, "_kns"), "snippet"));
}

static void show_item(struct listing *l, json_t *item)
{
    struct kns_call *call = l->call;
    const json_t *kns = json_object_get(item, "_kns");
    bool read = json_is_true(json_object_get(kns, "read")),
         starred = json_is_true(json_object_get(kns, "starred"));
    char *kept;

    l->found = true;
    if (l->all != NULL) {
        json_array_append(l->all, item);
    } else if (l->template != NULL) {
        kns_template_print(call->arena, l->template, item);
    } else if (!call->out->terminal) {
        kns_call_print_item(call, item);
    } else if (l->snippets) {
        print_hit(call, item);
    } else {
        kept = kns_arena_strdup(call->arena, kns_json_text(item, "id"));
        const struct kns_cell cells[] = {
            {kept, KNS_DIM},
            {starred ? "★"
             : read  ? ""
                     : "●",
             starred ? KNS_YELLOW : KNS_GREEN},
            {kns_out_age(call->arena, date_of(item), call->now), KNS_PLAIN},
            {feed_title(item), KNS_DIM},
            {title_of(item), read ? KNS_PLAIN : KNS_BOLD},
        };
        kns_table_add(&l->table, cells);
    }
}

/* Shows one page; *cursor is where the next begins, NULL behind the last. */
static int show_page(struct listing *l, const char *filters, const char **cursor, int64_t *left)
{
    struct kns_call *call = l->call;
    json_t *json = NULL, *item;
    size_t index;
    const struct kns_request request = {
        .path = *cursor == NULL
                    ? kns_arena_printf(call->arena, "/v1/items%s", filters)
                    : kns_arena_printf(call->arena, "/v1/items%s&cursor=%s", filters, *cursor)};
    int status = kns_call_json(call, NULL, &request, &json);

    if (status != KNS_EXIT_OK)
        return status;
    json_array_foreach(json_object_get(json, "items"), index, item)
    {
        if ((*left)-- > 0)
            show_item(l, item);
    }
    const char *next =
        json_string_value(json_object_get(json_object_get(json, "_kns"), "next_cursor"));
    *cursor = kns_arena_strdup(call->arena, next);
    if (call->json && l->document == NULL)
        l->document = json;
    else
        json_decref(json);
    return KNS_EXIT_OK;
}

/* Asks page by page until enough is there. */
static int show_pages(struct listing *l, const char *query, int64_t wanted)
{
    struct kns_call *call = l->call;
    bool content = call->json || l->template != NULL;
    const char *limit =
        kns_arena_printf(call->arena, "content=%s&limit=%lld", content ? "true" : "false",
                         (long long)(wanted > PAGE ? PAGE
                                     : wanted < 1  ? 1
                                                   : wanted));
    const char *filters = NULL, *cursor = NULL;
    int status = kns_call_filters(call, query, limit, &filters);

    do {
        if (status == KNS_EXIT_OK)
            status = show_page(l, filters, &cursor, &wanted);
    } while (status == KNS_EXIT_OK && cursor != NULL && wanted > 0);
    return status;
}

static int list(struct kns_call *call, const char *query, int64_t wanted, const char *template,
                bool snippets)
{
    struct listing l = {.call = call,
                        .template = template,
                        .snippets = snippets,
                        .all = call->json ? json_array() : NULL};

    kns_table_init(&l.table, call->arena, columns, 5);
    int status = show_pages(&l, query, wanted);
    if (status != KNS_EXIT_OK) {
        json_decref(l.all);
        json_decref(l.document);
        return status;
    }
    if (call->json) {
        json_object_del(l.document, "_kns"); /* where the next page begins */
        json_object_set_new(l.document, "items", l.all);
        return kns_call_print_json(call, l.document);
    }
    kns_table_print(&l.table, call->out);
    if (!l.found)
        kns_out_nothing(call->out, "no articles");
    return KNS_EXIT_OK;
}

int kns_cmd_list(struct kns_call *call)
{
    int64_t wanted =
        kns_args_has(&call->args, "all") ? ALL : kns_args_number(&call->args, "number", 50);

    const char *template = kns_args_value(&call->args, "format");
    const char *unknown = template == NULL ? NULL : kns_template_unknown(call->arena, template);

    if (unknown != NULL)
        return kns_call_fail(call, KNS_EXIT_USAGE,
                             "list: --format: {%s}: expected {id}, {title}, {url}, {date}, {feed}, "
                             "{summary}, {author}, {tags} (\\{ is a brace)",
                             unknown);
    return list(call, kns_args_value(&call->args, "query"), wanted, template, false);
}

/* Words given one by one are one query. On a terminal each hit shows where it was found. */
int kns_cmd_search(struct kns_call *call)
{
    struct kns_buf query = {0};

    for (size_t i = 0; i < call->args.n_operands; i++) {
        kns_buf_adds(&query, i > 0 ? " " : "");
        kns_buf_adds(&query, call->args.operands[i]);
    }
    const char *text = kns_arena_strdup(call->arena, kns_buf_str(&query));
    kns_buf_fini(&query);
    /* An empty query lets everything through: whoever asks so has lost a word. */
    if (text != NULL && text[strspn(text, " ")] == '\0')
        return kns_call_fail(call, KNS_EXIT_USAGE, "search: the query is empty");
    return list(call, text, kns_args_number(&call->args, "number", 50), NULL, true);
}

/* ---- show, mark, tag, why ------------------------------------------------------------------------------------------------- */

static int item_id(struct kns_call *call, const char *word, int64_t *ret_id)
{
    return kns_item_id(word, ret_id)
               ? KNS_EXIT_OK
               : kns_call_fail(call, KNS_EXIT_NOT_FOUND,
                               "%s: expected the id of an item, as list shows it", word);
}

static const char *item_path(struct kns_call *call, int64_t id, const char *below)
{
    const char *path = kns_arena_printf(call->arena, "/v1/items/%lld%s", (long long)id, below);

    return path == NULL ? "/" : path;
}

static void print_field(struct kns_call *call, const char *name, const char *value)
{
    if (*value == '\0')
        return;
    kns_out_styled(call->out, KNS_DIM, name);
    printf(" %s\n", kns_out_safe(call->arena, value));
}

/* The lines of a text, each made harmless. */
static const char *safe_lines(struct kns_call *call, const char *text)
{
    char *copy = kns_arena_strdup(call->arena, text);

    for (char *line = copy; line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        size_t len = strlen(line);
        const char *safe = kns_out_safe(call->arena, line);
        memcpy(line, safe, strlen(safe) <= len ? strlen(safe) : len);
        memset(line + (strlen(safe) <= len ? strlen(safe) : len), ' ',
               len - (strlen(safe) <= len ? strlen(safe) : len));
        if (end != NULL)
            *end = '\n';
        line = end == NULL ? NULL : end + 1;
    }
    return copy == NULL ? "" : copy;
}

/* The user's own note, then what newsletters said, each with the issue it stood in. */
static void print_notes(struct kns_call *call, const json_t *kns)
{
    json_t *curated = json_object_get(kns, "curated"), *one;
    const char *note = kns_json_text(kns, "note");
    size_t index;

    if (strcmp(note, kns_json_text(json_array_get(curated, 0), "note")) != 0 ||
        json_array_size(curated) == 0)
        print_field(call, "note:", note);
    json_array_foreach(curated, index, one)
    {
        const char *issue = kns_json_text(json_object_get(one, "issue"), "title");
        const char *text = kns_json_text(one, "note");
        if (*text != '\0')
            print_field(call, "comment:", kns_arena_printf(call->arena, "%s (%s)", text, issue));
    }
}

int kns_cmd_show(struct kns_call *call)
{
    int64_t id = 0;
    json_t *item = NULL, *person, *feed;
    size_t index;
    char date[KNS_TIME_TEXT];
    int status = item_id(call, call->args.operands[0], &id);

    if (status != KNS_EXIT_OK)
        return status;
    const struct kns_request request = {.path = item_path(call, id, "")};
    status = kns_call_json(call, call->args.operands[0], &request, &item);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, item);
    kns_out_styled(call->out, KNS_BOLD, kns_out_safe(call->arena, title_of(item)));
    putchar('\n');
    print_field(call, "url:", kns_json_text(item, "url"));
    print_field(call, "date:", kns_time_format(date_of(item), date));
    json_array_foreach(json_object_get(item, "authors"), index, person)
        print_field(call, "author:", kns_json_text(person, "name"));
    json_array_foreach(json_object_get(json_object_get(item, "_kns"), "feeds"), index, feed)
        print_field(call, "feed:", kns_json_text(feed, "title"));
    print_notes(call, json_object_get(item, "_kns"));
    const char *html = kns_json_text(item, "content_html"),
               *text = kns_json_text(item, "content_text");
    if (*html == '\0')
        html = kns_json_text(json_object_get(item, "_kns"), "summary_html");
    if (*html != '\0')
        text = kns_html_to_text(call->arena, html);
    if (text == NULL || *text == '\0')
        text = kns_json_text(item, "summary");
    if (*text != '\0') {
        putchar('\n');
        kns_out_wrapped(call->out, safe_lines(call, text), 0);
    }
    json_decref(item);
    return KNS_EXIT_OK;
}

static int patch_item(struct kns_call *call, const char *word, json_t *body)
{
    int64_t id = 0;
    json_t *answer = NULL;
    char *text = json_dumps(body, JSON_COMPACT);
    int status = item_id(call, word, &id);

    json_decref(body);
    if (status == KNS_EXIT_OK) {
        const struct kns_request request = {.method = "PATCH",
                                            .path = item_path(call, id, ""),
                                            .body = text,
                                            .body_size = strlen(text)};
        status = kns_call_json(call, word, &request, &answer);
    }
    free(text);
    json_decref(answer);
    return status;
}

int kns_cmd_mark(struct kns_call *call)
{
    static const struct {
        const char *word, *member;
        int value;
    } marks[] = {{"read", "read", 1},
                 {"unread", "read", 0},
                 {"star", "starred", 1},
                 {"unstar", "starred", 0}};
    struct kns_tally tally = {0};
    const char *word = call->args.operands[0];
    size_t which = 0;

    while (which < 4 && strcmp(marks[which].word, word) != 0)
        which++;
    if (which == 4)
        return kns_call_fail(call, KNS_EXIT_USAGE,
                             "mark: \"%s\": expected read, unread, star or unstar", word);
    for (size_t i = 1; i < call->args.n_operands; i++) {
        int status = patch_item(call, call->args.operands[i],
                                json_pack("{s:b}", marks[which].member, marks[which].value));
        if (status == KNS_EXIT_NO_DAEMON)
            return status;
        kns_tally_add(&tally, status);
    }
    return kns_tally_exit(&tally);
}

int kns_cmd_tag(struct kns_call *call)
{
    json_t *body = json_object(), *plus = json_array(), *minus = json_array();

    for (size_t i = 1; i < call->args.n_operands; i++) {
        const char *word = call->args.operands[i];
        if ((*word != '+' && *word != '-') || word[1] == '\0') {
            json_decref(body);
            json_decref(plus);
            json_decref(minus);
            return kns_call_fail(call, KNS_EXIT_USAGE, "tag: \"%s\": expected +TAG or -TAG", word);
        }
        json_array_append_new(*word == '+' ? plus : minus, json_string(word + 1));
    }
    json_object_set_new(body, "add_tags", plus);
    json_object_set_new(body, "remove_tags", minus);
    return patch_item(call, call->args.operands[0], body);
}

static int why_item(struct kns_call *call, int64_t id, const char *word)
{
    json_t *json = NULL, *s;
    size_t index;
    const struct kns_request request = {.path = item_path(call, id, "/why")};
    int status = kns_call_json(call, word, &request, &json);

    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, json);
    print_field(call, "canonical URL:", kns_json_text(json, "canonical_url"));
    json_array_foreach(json_object_get(json, "sightings"), index, s)
    {
        printf("%s  feed %lld, %s\n", kns_json_text(s, "first_seen"),
               (long long)json_integer_value(json_object_get(s, "feed_id")),
               kns_out_safe(call->arena, kns_json_text(s, "feed_title")));
        printf("    last listed %s\n", kns_json_text(s, "last_seen"));
        printf("    %s: %s\n", kns_json_text(s, "rule"), kns_json_text(s, "rule_text"));
        if (*kns_json_text(s, "guid") != '\0')
            printf("    guid %s\n", kns_out_safe(call->arena, kns_json_text(s, "guid")));
    }
    json_decref(json);
    return KNS_EXIT_OK;
}

/* A feed's health in a sentence. */
static const char *health_sentence(const char *health)
{
    static const struct {
        const char *health, *sentence;
    } rows[] = {
        {"ok", "ok: the last poll brought what it should"},
        {"new", "new: not polled yet"},
        {"late", "late: it publishes less than its own rhythm promises"},
        {"throttled", "throttled: the server asks us to come less often"},
        {"refused", "refused: the server (or our own policy) does not let us in"},
        {"not-a-feed", "not a feed any more: something else answers at its URL"},
        {"moved", "moved: its server says that it lives elsewhere now"},
        {"failing", "failing: the last poll did not succeed"},
        {"gone", "gone: its publisher ended it; it is not polled any more"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].health, health) == 0)
            return rows[i].sentence;
    return health;
}

/* What a feed's hub does for it; "" where it has none. */
static const char *push_sentence(struct kns_call *call, const json_t *push)
{
    const char *state = kns_json_text(push, "state"), *hub = kns_json_text(push, "hub"),
               *error = kns_json_text(push, "error");
    const char *text;

    if (push == NULL)
        return "";
    if (strcmp(state, "alive") == 0)
        text = kns_arena_printf(call->arena, "by its hub %s until %s", hub,
                                kns_json_text(push, "until"));
    else if (strcmp(state, "denied") == 0)
        text = kns_arena_printf(call->arena, "no: its hub %s does not want to", hub);
    else
        text = kns_arena_printf(call->arena, "not yet: its hub %s has not confirmed it", hub);
    return *error == '\0' ? text : kns_arena_printf(call->arena, "%s (%s)", text, error);
}

/* In a pipe an error stands in the place of what set the next poll; a table has it whole, below. */
static void print_polls(struct kns_call *call, const json_t *polls)
{
    static const struct kns_column some[] = {
        {"AT", 20, 20, false, 0},    {"OUTCOME", 7, 12, false, 0}, {"STATUS", 6, 6, true, 1},
        {"BYTES", 5, 10, true, 3},   {"NEW", 3, 6, true, 2},       {"EDITED", 6, 6, true, 4},
        {"NEXT FOR", 8, 0, false, 5}};
    static const char *const numbers[] = {"status", "bytes", "new_items", "updated_items"};
    struct kns_table table;
    size_t index;
    json_t *poll;

    kns_table_init(&table, call->arena, some, 7);
    json_array_foreach(polls, index, poll)
    {
        const char *error = kns_json_text(poll, "error");
        bool below = call->out->terminal && *error != '\0';
        struct kns_cell cells[7] = {{kns_json_text(poll, "at"), KNS_PLAIN},
                                    {kns_json_text(poll, "outcome"), KNS_PLAIN}};
        for (size_t i = 0; i < 4; i++)
            cells[2 + i].text =
                kns_arena_printf(call->arena, "%lld",
                                 (long long)json_integer_value(json_object_get(poll, numbers[i])));
        cells[6].text = *error == '\0' || below ? kns_json_text(poll, "next_poll_reason") : error;
        kns_table_add(&table, cells);
        if (below)
            kns_table_note(&table, error, KNS_RED);
    }
    kns_table_print(&table, call->out);
}

static int why_feed(struct kns_call *call, int64_t id, const char *word)
{
    json_t *json = NULL;
    const struct kns_request request = {
        .path = kns_arena_printf(call->arena, "/v1/feeds/%lld/polls", (long long)id)};
    int status = kns_call_json(call, word, &request, &json);

    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, json);
    const json_t *feed = json_object_get(json, "feed");
    print_field(call, "feed:", kns_json_text(feed, "title"));
    print_field(call, "url:", kns_json_text(feed, "url"));
    print_field(call, "health:", health_sentence(kns_json_text(feed, "health")));
    print_field(call, "last error:", kns_json_text(feed, "last_error"));
    print_field(call, "pushed:", push_sentence(call, json_object_get(json, "push")));
    print_field(call, "next poll:",
                kns_arena_printf(call->arena, "%s (%s)", kns_json_text(feed, "next_poll_at"),
                                 kns_json_text(feed, "next_poll_reason")));
    print_polls(call, json_object_get(json, "polls"));
    json_decref(json);
    return KNS_EXIT_OK;
}

int kns_cmd_why(struct kns_call *call)
{
    const char *word = call->args.operands[0];
    int64_t id = 0;

    if (!kns_args_has(&call->args, "feed") && kns_item_id(word, &id))
        return why_item(call, id, word);
    int status = kns_call_feed_id(call, word, &id);
    return status == KNS_EXIT_OK ? why_feed(call, id, word) : status;
}

int kns_cmd_split(struct kns_call *call)
{
    const char *word = call->args.operands[0];
    int64_t id = 0, feed = 0;
    json_t *item = NULL;
    int status = item_id(call, word, &id);

    if (status == KNS_EXIT_OK && call->args.n_operands > 1)
        status = kns_call_feed_id(call, call->args.operands[1], &feed);
    if (status != KNS_EXIT_OK)
        return status;
    json_t *body = feed == 0 ? json_object() : json_pack("{s:I}", "feed", (json_int_t)feed);
    status = kns_call_post(call, word, item_path(call, id, "/split"), body, &item);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, item);
    kns_call_print_item(call, item);
    json_decref(item);
    return KNS_EXIT_OK;
}
