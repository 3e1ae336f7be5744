/* knsctl issue: small changes of the draft. */
#include "ctl/issue.h"

#include "lib/text.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- curating -------------------------------------------------------------------------------------------------------------- */

int kns_issue_look_up(struct kns_call *call, const char *word)
{
    int64_t id = 0;
    if (!kns_item_id(word, &id) && !kns_url_is_web(word))
        return kns_call_fail(call, KNS_EXIT_USAGE,
                             "%s: expected an item's ID, or an address (https://…)", word);
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

static json_t *operands_json(const struct kns_call *call)
{
    json_t *items = json_array();

    for (size_t i = 0; i < kns_issue_n_operands(call); i++)
        json_array_append_new(items, kns_issue_which(kns_issue_operand(call, i)));
    return items;
}

int kns_cmd_issue_add(struct kns_call *call)
{
    for (size_t i = 0; i < kns_issue_n_operands(call); i++) {
        int status = kns_issue_look_up(call, kns_issue_operand(call, i));
        if (status != KNS_EXIT_OK)
            return status;
    }
    json_t *body = json_pack("{s:o}", "items", operands_json(call));

    kns_issue_set_option(call, body, "section");
    kns_issue_set_option(call, body, "note");
    return kns_issue_post(call, kns_issue_path_of(call, "/v1/issues/draft/add", ""), body);
}

int kns_cmd_issue_drop(struct kns_call *call)
{
    return kns_issue_post(call, kns_issue_path_of(call, "/v1/issues/draft/drop", ""),
                          json_pack("{s:o}", "items", operands_json(call)));
}

int kns_cmd_issue_move(struct kns_call *call)
{
    json_t *body = json_pack("{s:o}", "item", kns_issue_which(kns_issue_operand(call, 0)));
    const char *before = kns_args_value(&call->args, "before");

    if (before != NULL)
        json_object_set_new(body, "before", kns_issue_which(before));
    kns_issue_set_option(call, body, "section");
    return kns_issue_post(call, kns_issue_path_of(call, "/v1/issues/draft/move", ""), body);
}

/* The words behind the first `from` operands, or standard input for "-" and for none. */
static int text_of(struct kns_call *call, size_t from, const char **ret)
{
    struct kns_buf text = {0};
    bool input =
        kns_issue_n_operands(call) == from ||
        (kns_issue_n_operands(call) == from + 1 && strcmp(kns_issue_operand(call, from), "-") == 0);

    if (input) {
        int status = kns_issue_read_file(call, "-", &text);
        if (status != KNS_EXIT_OK)
            return status;
    }
    for (size_t i = from; !input && i < kns_issue_n_operands(call); i++) {
        kns_buf_adds(&text, i > from ? " " : "");
        kns_buf_adds(&text, kns_issue_operand(call, i));
    }
    while (text.len > 0 && strchr(" \n\t", text.data[text.len - 1]) != NULL)
        text.data[--text.len] = '\0';
    *ret = kns_arena_copy(call->arena, kns_buf_str(&text), text.len);
    bool good = *ret != NULL && kns_text_is_utf8(*ret, text.len);
    kns_buf_fini(&text);
    return good ? KNS_EXIT_OK : kns_call_fail(call, KNS_EXIT_FAILED, "the text is not UTF-8");
}

int kns_cmd_issue_note(struct kns_call *call)
{
    const char *text = NULL;
    int status = text_of(call, 1, &text);

    if (status != KNS_EXIT_OK)
        return status;
    return kns_issue_post(
        call, kns_issue_path_of(call, "/v1/issues/draft/note", ""),
        json_pack("{s:o, s:s}", "item", kns_issue_which(kns_issue_operand(call, 0)), "note", text));
}

int kns_cmd_issue_intro(struct kns_call *call)
{
    const char *text = NULL;
    int status = text_of(call, 0, &text);

    if (status != KNS_EXIT_OK)
        return status;
    json_t *body = json_pack("{s:s}", "text", text);
    kns_issue_set_option(call, body, "section");
    return kns_issue_post(call, kns_issue_path_of(call, "/v1/issues/draft/intro", ""), body);
}

/* What was taken, with its score and what that is made of. */
static void print_reasons(struct kns_call *call, const json_t *suggested)
{
    static const struct kns_column columns[] = {{"ID", 2, 8, true, 0},
                                                {"SCORE", 5, 6, true, 0},
                                                {"WHY", 10, 0, false, 0},
                                                {"TITLE", 20, 0, false, 0}};
    struct kns_table table;
    json_t *one;
    size_t i;

    kns_table_init(&table, call->arena, columns, 4);
    json_array_foreach(suggested, i, one)
    {
        const struct kns_cell cells[] = {
            {kns_issue_number_text(call, one, "id"), KNS_DIM},
            {kns_issue_number_text(call, one, "score"), KNS_PLAIN},
            {kns_json_text(one, "why"), KNS_DIM},
            {kns_out_safe(call->arena, kns_json_text(one, "title")), KNS_PLAIN}};
        kns_table_add(&table, cells);
    }
    kns_table_print(&table, call->out);
}

int kns_cmd_issue_suggest(struct kns_call *call)
{
    const char *since = kns_args_value(&call->args, "since");
    long long n = (long long)kns_args_number(&call->args, "number", 0);
    const char *more = since == NULL ? "" : kns_call_path(call, "since=%s", since);
    json_t *answer = NULL;

    if (n > 0)
        more = kns_arena_printf(call->arena, "%s%slimit=%lld", more, *more ? "&" : "", n);
    int status =
        kns_call_post(call, NULL, kns_issue_path_of(call, "/v1/issues/draft/suggest", more),
                      json_object(), &answer);
    if (status != KNS_EXIT_OK)
        return status;
    const json_t *suggested = json_object_get(answer, "suggested");
    if (json_array_size(suggested) == 0)
        fprintf(stderr,
                "knsctl: nothing more to suggest since %.10s; --since 30d looks further "
                "back\n",
                kns_json_text(answer, "since"));
    if (kns_args_has(&call->args, "why") && !call->json) {
        print_reasons(call, suggested);
        json_decref(answer);
        return KNS_EXIT_OK;
    }
    return kns_issue_print(call, answer);
}

int kns_cmd_issue_discard(struct kns_call *call)
{
    const struct kns_request request = {.method = "DELETE",
                                        .path = kns_issue_path_of(call, "/v1/issues/draft", "")};
    json_t *none = NULL;
    int status = kns_call_json(call, NULL, &request, &none);

    json_decref(none);
    return status;
}
