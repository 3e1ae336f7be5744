/* The verbs about rules, and about the addresses that articles name. */
#include "ctl/ctl.h"

#include "lib/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rules -------------------------------------------------------------------------------------------------------- */

/* The operands from the second on, as one text: a rule needs no quotes around it where the shell leaves it alone. */
static const char *rest_of(struct kns_call *call)
{
    struct kns_buf text = {0};

    for (size_t i = 1; i < call->args.n_operands; i++) {
        kns_buf_adds(&text, i > 1 ? " " : "");
        kns_buf_adds(&text, call->args.operands[i]);
    }
    const char *copy = kns_arena_strdup(call->arena, kns_buf_str(&text));
    kns_buf_fini(&text);
    return copy == NULL ? "" : copy;
}

static int add(struct kns_call *call)
{
    json_t *answer = NULL;
    int status = kns_call_post(call, "rule", "/v1/rules", json_pack("{s:s}", "rule", rest_of(call)),
                               &answer);

    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, answer);
    printf("%lld\t%s\n", (long long)json_integer_value(json_object_get(answer, "id")),
           kns_out_safe(call->arena, kns_json_text(answer, "rule")));
    json_decref(answer);
    return KNS_EXIT_OK;
}

static int list(struct kns_call *call)
{
    static const struct kns_column columns[] = {{"ID", 2, 6, true, 0},
                                                {"MATCHES", 7, 9, true, 0},
                                                {"LAST", 4, 10, true, 0},
                                                {"RULE", 20, 0, false, 0}};
    const struct kns_request request = {.path = "/v1/rules"};
    struct kns_table table;
    json_t *json = NULL, *rule;
    size_t index;
    int status = kns_call_json(call, NULL, &request, &json);

    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, json);
    kns_table_init(&table, call->arena, columns, 4);
    json_array_foreach(json_object_get(json, "rules"), index, rule)
    {
        struct kns_time last = kns_json_time(rule, "last_match_at");
        bool slow = json_integer_value(json_object_get(rule, "gave_up")) > 0;
        char time[KNS_TIME_TEXT];
        const char *when = !kns_time_given(last) ? ""
                           : call->out->terminal
                               ? kns_out_age(call->arena, last, call->now)
                               : kns_arena_strdup(call->arena, kns_time_format(last, time));
        const struct kns_cell cells[] = {
            {kns_arena_printf(call->arena, "%lld",
                              (long long)json_integer_value(json_object_get(rule, "id"))),
             KNS_DIM},
            {kns_arena_printf(call->arena, "%lld",
                              (long long)json_integer_value(json_object_get(rule, "matches"))),
             KNS_PLAIN},
            {when, KNS_DIM},
            {kns_arena_printf(call->arena, "%s%s",
                              kns_out_safe(call->arena, kns_json_text(rule, "rule")),
                              slow ? "  # too slow for some articles" : ""),
             slow ? KNS_RED : KNS_PLAIN},
        };
        kns_table_add(&table, cells);
    }
    kns_table_print(&table, call->out);
    if (json_array_size(json_object_get(json, "rules")) == 0)
        kns_out_nothing(call->out, "no rules");
    json_decref(json);
    return KNS_EXIT_OK;
}

static int remove_one(struct kns_call *call, const char *word)
{
    int64_t id = 0;
    json_t *none = NULL;

    if (!kns_item_id(word, &id))
        return kns_call_fail(call, KNS_EXIT_NOT_FOUND,
                             "%s: expected the id of a rule, as rule list shows it", word);
    const struct kns_request request = {
        .method = "DELETE", .path = kns_arena_printf(call->arena, "/v1/rules/%lld", (long long)id)};
    int status = kns_call_json(call, word, &request, &none);
    json_decref(none);
    return status;
}

static int remove_rules(struct kns_call *call)
{
    struct kns_tally tally = {0};

    for (size_t i = 1; i < call->args.n_operands; i++) {
        int status = remove_one(call, call->args.operands[i]);
        if (status == KNS_EXIT_NO_DAEMON)
            return status;
        kns_tally_add(&tally, status);
    }
    return kns_tally_exit(&tally);
}

#define RULES_MOST ((size_t)4 << 20)

static int import(struct kns_call *call)
{
    const char *name = call->args.operands[1];
    struct kns_buf text;
    json_t *answer = NULL;
    int status = kns_call_read_file(call, name, RULES_MOST, &text);

    if (status != KNS_EXIT_OK)
        return status;
    if (strcmp(name, "-") == 0)
        name = "standard input";
    const struct kns_request request = {.method = "POST",
                                        .path = kns_args_has(&call->args, "replace")
                                                    ? "/v1/rules/text?replace=1"
                                                    : "/v1/rules/text",
                                        .body = kns_buf_str(&text),
                                        .body_size = text.len,
                                        .content_type = "text/plain; charset=utf-8"};
    status = kns_call_json(call, name, &request, &answer);
    kns_buf_fini(&text);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, answer);
    printf("%lld added, %lld known\n",
           (long long)json_integer_value(json_object_get(answer, "added")),
           (long long)json_integer_value(json_object_get(answer, "known")));
    json_decref(answer);
    return KNS_EXIT_OK;
}

static int export(struct kns_call *call)
{
    const struct kns_request request = {.path = "/v1/rules/text"};
    struct kns_response response;

    if (call->json)
        return list(call);
    int status = kns_call_raw(call, NULL, &request, &response);

    if (status != KNS_EXIT_OK)
        return status;
    status = kns_call_write(call, NULL, kns_buf_str(&response.body), response.body.len);
    kns_buf_fini(&response.body);
    return status;
}

/* ---- what rules would have done ------------------------------------------------------------------------------------ */

/* "drop", or "tag a, star, score +5". */
static const char *would_text(struct kns_call *call, const json_t *would)
{
    struct kns_buf out = {0};
    json_t *tag;
    size_t index;
    long long score = json_integer_value(json_object_get(would, "score"));

    if (json_is_true(json_object_get(would, "drop")))
        kns_buf_adds(&out, ", drop");
    json_array_foreach(json_object_get(would, "tags"), index, tag)
        kns_buf_addf(&out, ", tag %s", json_string_value(tag));
    if (json_is_true(json_object_get(would, "starred")))
        kns_buf_adds(&out, ", star");
    if (json_is_true(json_object_get(would, "read")))
        kns_buf_adds(&out, ", read");
    if (score != 0)
        kns_buf_addf(&out, ", score %+lld", score);
    const char *text = out.len < 2 ? "nothing: it takes too long to match"
                                   : kns_arena_strdup(call->arena, kns_buf_str(&out) + 2);
    kns_buf_fini(&out);
    return text == NULL ? "" : text;
}

static void print_trial(struct kns_call *call, const json_t *trial)
{
    const json_t *item = json_object_get(trial, "item");
    const char *title = kns_json_text(item, "title");
    const char *fields[] = {kns_json_text(item, "id"),
                            would_text(call, json_object_get(trial, "would")),
                            *title != '\0' ? title : kns_json_text(item, "url")};

    printf("%s\t", kns_out_safe(call->arena, fields[0]));
    kns_out_styled(call->out, KNS_YELLOW, kns_out_safe(call->arena, fields[1]));
    printf("\t%s\n", kns_out_safe(call->arena, fields[2]));
}

/* The path of the first page; a rule is given by its text or its id, or not at all: then it is about all. */
static const char *test_path(struct kns_call *call)
{
    const char *last = kns_args_value(&call->args, "last"), *rule = rest_of(call);
    struct kns_time since = {0};
    char time[KNS_TIME_TEXT];
    int64_t id = 0;

    if (!kns_time_parse_point(last == NULL ? "30d" : last, call->now, &since))
        return NULL;
    kns_time_format(since, time);
    if (*rule == '\0')
        return kns_call_path(call, "/v1/rules/test?since=%s", time);
    if (kns_item_id(rule, &id))
        return kns_call_path(call, "/v1/rules/test?since=%s&id=%s", time, rule);
    return kns_call_path(call, "/v1/rules/test?since=%s&rule=%s", time, rule);
}

static int test(struct kns_call *call)
{
    const char *path = test_path(call), *cursor = NULL;
    json_t *all = call->json ? json_array() : NULL;
    long long tried = 0, matched = 0;

    if (path == NULL)
        return kns_call_fail(call, KNS_EXIT_USAGE, "rule: --last: expected a time such as 30d");
    do {
        json_t *json = NULL, *trial;
        size_t index;
        const struct kns_request request = {
            .path = cursor == NULL ? path
                                   : kns_arena_printf(call->arena, "%s&cursor=%s", path, cursor)};
        int status = kns_call_json(call, "rule", &request, &json);
        if (status != KNS_EXIT_OK) {
            json_decref(all);
            return status;
        }
        tried += json_integer_value(json_object_get(json, "tried"));
        matched += json_integer_value(json_object_get(json, "matched"));
        json_array_foreach(json_object_get(json, "items"), index, trial)
        {
            if (all != NULL)
                json_array_append(all, trial);
            else
                print_trial(call, trial);
        }
        const char *next = kns_json_text(json, "next_cursor");
        cursor = *next == '\0' ? NULL : kns_arena_strdup(call->arena, next);
        json_decref(json);
    } while (cursor != NULL);
    if (all != NULL)
        return kns_call_print_json(call, json_pack("{s:I, s:I, s:o}", "tried", (json_int_t)tried,
                                                   "matched", (json_int_t)matched, "items", all));
    if (call->out->terminal)
        printf("%lld of %lld articles\n", matched, tried);
    return KNS_EXIT_OK;
}

int kns_cmd_rule(struct kns_call *call)
{
    static const struct {
        const char *word;
        size_t least, most; /* operands behind the word */
        const char *takes;
        int (*run)(struct kns_call *call);
    } jobs[] = {
        {"add", 1, SIZE_MAX, "a rule", add},   {"list", 0, 0, "nothing", list},
        {"test", 0, SIZE_MAX, "a rule", test}, {"remove", 1, SIZE_MAX, "ids", remove_rules},
        {"import", 1, 1, "a file", import},    {"export", 0, 0, "nothing", export},
    };
    size_t n = call->args.n_operands - 1;

    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if (strcmp(jobs[i].word, call->args.operands[0]) != 0)
            continue;
        if (n < jobs[i].least || n > jobs[i].most)
            return kns_call_fail(call, KNS_EXIT_USAGE, "rule %s: expected %s behind it",
                                 jobs[i].word, jobs[i].takes);
        return jobs[i].run(call);
    }
    return kns_call_fail(call, KNS_EXIT_USAGE,
                         "rule: \"%s\": expected add, list, test, remove, import or export",
                         call->args.operands[0]);
}

/* ---- links -------------------------------------------------------------------------------------------------------- */

static void print_link(struct kns_call *call, const json_t *link)
{
    json_t *mention;
    size_t index;
    char seen[KNS_TIME_TEXT];
    long long feeds = json_integer_value(json_object_get(link, "feeds"));
    const char *url = kns_out_safe(call->arena, kns_json_text(link, "url"));

    if (!call->out->terminal) {
        printf("%lld\t%s\t%s", feeds, kns_time_format(kns_json_time(link, "last_seen"), seen), url);
        mention = json_array_get(json_object_get(link, "mentions"), 0);
        printf("\t%s\n", kns_out_safe(call->arena, kns_json_text(mention, "text")));
        return;
    }
    printf("%3lld  ", feeds);
    kns_out_styled(call->out, KNS_BOLD, url);
    putchar('\n');
    json_array_foreach(json_object_get(link, "mentions"), index, mention) printf(
        "     %s: %s (%lld)\n", kns_out_safe(call->arena, kns_json_text(mention, "feed_title")),
        kns_out_safe(call->arena, kns_json_text(mention, "text")),
        (long long)json_integer_value(json_object_get(mention, "item_id")));
}

int kns_cmd_links(struct kns_call *call)
{
    const char *since = kns_args_value(&call->args, "since");
    struct kns_time at = {0};
    char time[KNS_TIME_TEXT];
    json_t *json = NULL, *link;
    size_t index;
    int64_t number = kns_args_number(&call->args, "number", 50);

    kns_time_parse_point(since == NULL ? "7d" : since, call->now, &at);
    const struct kns_request request = {
        .path = kns_arena_printf(
            call->arena, "/v1/links?since=%s&min_feeds=%lld&limit=%lld", kns_time_format(at, time),
            (long long)kns_args_number(&call->args, "min-feeds", 2), (long long)number)};
    int status = kns_call_json(call, "links", &request, &json);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, json);
    json_array_foreach(json_object_get(json, "links"), index, link) print_link(call, link);
    if (json_array_size(json_object_get(json, "links")) == 0)
        kns_out_nothing(call->out, "no addresses");
    json_decref(json);
    return KNS_EXIT_OK;
}
