/* knsctl issue lint, publish, send: from the draft to its readers. */
#include "ctl/issue.h"

#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MOST 500 /* what the daemon looks at in one request */

static void print_problems(struct kns_call *call, const json_t *problems, FILE *out)
{
    json_t *problem;
    size_t i;

    json_array_foreach(problems, i, problem)
        fprintf(out, "%s: %s\n", kns_json_text(problem, "level"),
                kns_out_safe(call->arena, kns_json_text(problem, "message")));
}

/* What a look at a link found, among the problems: what is dead stops; what could not be seen is told. */
static json_int_t add_look(struct kns_call *call, json_t *problems, const char *what,
                           const json_t *look)
{
    bool dead = json_is_true(json_object_get(look, "dead"));
    json_int_t status = json_integer_value(json_object_get(look, "status"));
    const char *why = kns_json_text(look, "why");

    /* Who answers with a refusal is there. */
    if (!dead && (*why == '\0' || (status != 0 && status < 500)))
        return 0;
    json_array_append_new(problems,
                          json_pack("{s:s, s:s}", "level", dead ? "error" : "warning", "message",
                                    kns_arena_printf(call->arena, "%s: %s: %s: %s", what,
                                                     dead ? "a dead link" : "not reached",
                                                     kns_json_text(look, "url"), why)));
    return dead;
}

static const json_t *find_look(const json_t *looks, const char *url)
{
    json_t *look;
    size_t i;

    json_array_foreach(looks, i, look)
    {
        if (strcmp(kns_json_text(look, "url"), url) == 0)
            return look;
    }
    return NULL;
}

/* Looks at every link of the draft, side by side and for a bounded time. */
static int check_links(struct kns_call *call, json_t *report)
{
    json_t *links = json_object_get(report, "links"),
           *problems = json_object_get(report, "problems"), *urls = json_array(), *answer = NULL,
           *link;
    json_int_t errors = json_integer_value(json_object_get(report, "errors"));
    size_t i;

    json_array_foreach(links, i, link)
    {
        if (json_array_size(urls) < LINKS_MOST)
            json_array_append(urls, json_object_get(link, "url"));
    }
    if (json_array_size(urls) == 0) {
        json_decref(urls);
        return KNS_EXIT_OK;
    }
    int status =
        kns_call_post(call, NULL, "/v1/links/check", json_pack("{s:o}", "urls", urls), &answer);
    json_array_foreach(links, i, link)
    {
        errors += add_look(call, problems, kns_json_text(link, "what"),
                           find_look(json_object_get(answer, "links"), kns_json_text(link, "url")));
    }
    json_object_set_new(report, "errors", json_integer(errors));
    json_decref(answer);
    return status;
}

static int lint_report(struct kns_call *call, json_t **ret)
{
    const struct kns_request request = {.path =
                                            kns_issue_path_of(call, "/v1/issues/draft/lint", "")};
    int status = kns_call_json(call, NULL, &request, ret);

    return status == KNS_EXIT_OK && !kns_args_has(&call->args, "no-links") ? check_links(call, *ret)
                                                                           : status;
}

int kns_cmd_issue_lint(struct kns_call *call)
{
    json_t *report = NULL;
    int status = lint_report(call, &report);

    if (status != KNS_EXIT_OK) {
        json_decref(report);
        return status;
    }
    const json_t *problems = json_object_get(report, "problems");
    json_int_t errors = json_integer_value(json_object_get(report, "errors"));
    if (call->json)
        kns_call_print_json(call, json_incref(report));
    else
        print_problems(call, problems, stdout);
    if (json_array_size(problems) == 0)
        kns_issue_hint(call, "Nothing is wrong with it. Next: knsctl issue publish.");
    else if (errors == 0)
        kns_issue_hint(call, "Nothing of this stops it. Next: knsctl issue publish.");
    json_decref(report);
    return errors > 0 ? KNS_EXIT_FAILED : KNS_EXIT_OK;
}

int kns_cmd_issue_publish(struct kns_call *call)
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
    kns_issue_set_option(call, body, "date");
    int status = kns_call_post(call, NULL, kns_issue_path_of(call, "/v1/issues/draft/publish", ""),
                               body, &issue);
    if (status != KNS_EXIT_OK || call->json)
        return status != KNS_EXIT_OK ? status : kns_call_print_json(call, issue);
    print_problems(call, json_object_get(issue, "problems"), stderr);
    printf("%s\t%s\n", kns_out_safe(call->arena, kns_json_text(issue, "title")),
           kns_out_safe(call->arena, *kns_json_text(issue, "url") != '\0'
                                         ? kns_json_text(issue, "url")
                                         : kns_json_text(issue, "id")));
    json_int_t n = json_integer_value(json_object_get(issue, "number"));
    kns_issue_hint(call,
                   "Next: knsctl site DIR writes it as pages and feeds; knsctl issue show %lld "
                   "--format html|eml|… and issue send %lld --to LIST bring it to readers.",
                   (long long)n, (long long)n);
    json_decref(issue);
    return KNS_EXIT_OK;
}

/* The addresses of --to: given one by one, with commas, or in a file (@FILE), one a line. */
static int add_addresses(struct kns_call *call, json_t *to, const char *word)
{
    struct kns_buf file = {0};
    const char *text = word;

    if (*word == '@') {
        int status = kns_issue_read_file(call, word + 1, &file);
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

/* The bare address of "Name <address>", for an envelope. */
static const char *bare(struct kns_call *call, const char *address)
{
    const char *open = strrchr(address, '<');

    return open == NULL ? address : kns_arena_copy(call->arena, open + 1, strcspn(open + 1, ">"));
}

/* The message, with its readers in a header that sendmail -t takes away before it sends. */
static int print_message(struct kns_call *call, const char *path, const json_t *to)
{
    json_t *address;
    size_t i;

    json_array_foreach(to, i, address)
    {
        const char *text = bare(call, json_string_value(address));
        if (strchr(text, '@') == NULL || strpbrk(text, " <>\"(),:;") != NULL)
            return kns_call_fail(call, KNS_EXIT_FAILED, "\"%s\" is no mail address", text);
    }
    json_array_foreach(to, i, address)
        printf("%s%s%s", i == 0 ? "Bcc: " : " ", bare(call, json_string_value(address)),
               i + 1 < json_array_size(to) ? ",\r\n" : "\r\n");
    return kns_issue_show_as(call, path, "eml", "");
}

static void print_unsent(struct kns_call *call, const json_t *list, const char *what)
{
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
        fprintf(stderr, "knsctl: %s: %s: %s\n", kns_out_safe(call->arena, kns_json_text(one, "to")),
                what, kns_out_safe(call->arena, kns_json_text(one, "why")));
}

/* Exits 5 when some have not got it, 1 when nobody has. */
static int print_sent(struct kns_call *call, json_t *answer)
{
    const json_t *refused = json_object_get(answer, "refused"),
                 *unknown = json_object_get(answer, "unknown");
    json_int_t sent = json_integer_value(json_object_get(answer, "sent")),
               known = json_integer_value(json_object_get(answer, "known"));
    size_t missing = json_array_size(refused) + json_array_size(unknown);

    if (call->json) {
        kns_call_print_json(call, answer);
        return missing == 0 ? KNS_EXIT_OK : sent > 0 ? KNS_EXIT_SOME_FAILED : KNS_EXIT_FAILED;
    }
    printf("sent to %lld\n", (long long)sent);
    if (known > 0)
        fprintf(stderr, "knsctl: %lld had it already (--again sends it to them too)\n",
                (long long)known);
    print_unsent(call, refused, "not sent");
    print_unsent(call, unknown, "not known whether it arrived, and not sent again without --again");
    json_decref(answer);
    return missing == 0 ? KNS_EXIT_OK : sent > 0 ? KNS_EXIT_SOME_FAILED : KNS_EXIT_FAILED;
}

static int hand_over(struct kns_call *call, const char *path, json_t *to)
{
    json_t *answer = NULL;
    int status = kns_call_post(
        call, NULL, kns_issue_path_of(call, kns_arena_printf(call->arena, "%s/send", path), ""),
        json_pack("{s:O, s:b}", "to", to, "again", kns_args_has(&call->args, "again")), &answer);

    return status == KNS_EXIT_OK ? print_sent(call, answer) : status;
}

int kns_cmd_issue_send(struct kns_call *call)
{
    const char *path = kns_issue_path(call, kns_issue_operand(call, 0)),
               *list_of = kns_args_value(&call->args, "to");
    json_t *to = NULL;

    if (path == NULL)
        return KNS_EXIT_USAGE;
    if (strcmp(path, "/v1/issues/draft") == 0)
        return kns_call_fail(call, KNS_EXIT_USAGE, "only what is published is sent");
    to = json_array();
    int status = list_of == NULL ? KNS_EXIT_OK : add_addresses(call, to, list_of);
    if (status == KNS_EXIT_OK && list_of != NULL && json_array_size(to) == 0)
        status = kns_call_fail(call, KNS_EXIT_USAGE, "--to %s: there is no address in it", list_of);
    if (status == KNS_EXIT_OK)
        status = list_of == NULL || kns_args_has(&call->args, "print")
                     ? print_message(call, path, to)
                     : hand_over(call, path, to);
    json_decref(to);
    return status;
}
