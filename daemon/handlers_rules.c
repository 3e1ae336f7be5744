/* Rules, and the addresses that items name: on a query worker, or on the writer thread. */
#include "daemon/request.h"

#include "lib/json.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Items that one request of a test looks at: the next page goes on. */
#define TRIED_AT_ONCE 500

/* ---- rules ---------------------------------------------------------------------------------------------------------- */

static bool collect_rule(void *ctx, const struct kns_rule_record *rule)
{
    json_t *json = json_pack("{s:I, s:s, s:I}", "id", (json_int_t)rule->id, "rule", rule->text,
                             "matches", (json_int_t)rule->matches);

    if (json == NULL)
        return false;
    if (rule->gave_up > 0)
        json_object_set_new(json, "gave_up", json_integer(rule->gave_up));
    kns_json_set_time(json, "added_at", rule->added_at);
    kns_json_set_time(json, "last_match_at", rule->last_match_at);
    return json_array_append_new(ctx, json) == 0;
}

enum kns_status kns_answer_rules(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    json_t *rules = json_array();
    enum kns_status status = kns_store_each_rule(store, collect_rule, rules, err);

    if (status == KNS_OK)
        kns_request_answer(request, 200, json_pack("{s:O}", "rules", rules));
    json_decref(rules);
    return status;
}

static bool export_rule(void *ctx, const struct kns_rule_record *rule)
{
    kns_buf_addf(ctx, "%s\n", rule->text);
    return true;
}

enum kns_status kns_answer_rules_text(struct kns_request *request, struct kns_store *store,
                                      struct kns_error *err)
{
    request->status = 200;
    request->answer_type = "text/plain; charset=utf-8";
    return kns_store_each_rule(store, export_rule, &request->out, err);
}

enum kns_status kns_add_rule(struct kns_request *request, struct kns_store *store,
                             struct kns_error *err)
{
    const char *text = json_string_value(json_object_get(request->json, "rule"));
    int64_t id = 0;

    if (text == NULL || json_object_size(request->json) != 1)
        return kns_fail(err, KNS_EINVAL, "expected {\"rule\": \"…\"}");
    enum kns_status status = kns_store_add_rule(store, text, kns_time_now(), &id, err);
    if (status == KNS_OK)
        kns_request_answer(request, 201,
                           json_pack("{s:I, s:s}", "id", (json_int_t)id, "rule", text));
    return status;
}

enum kns_status kns_remove_rule(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err)
{
    enum kns_status status = kns_store_remove_rule(store, request->id, err);

    if (status == KNS_OK)
        request->status = 204;
    return status;
}

enum kns_status kns_import_rules(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    struct kns_rule_import result = {0};
    bool replace = false;

    if (!kns_request_flag(request, "replace", &replace))
        return KNS_OK;
    if (strlen(request->body) != request->body_size ||
        !kns_text_is_utf8(request->body, request->body_size))
        return kns_fail(err, KNS_EINVAL, "expected rules as lines of UTF-8");
    enum kns_status status =
        kns_store_import_rules(store, request->body, replace, kns_time_now(), &result, err);
    if (status == KNS_OK)
        kns_request_answer(request, 200,
                           json_pack("{s:I, s:I}", "added", (json_int_t)result.added, "known",
                                     (json_int_t)result.known));
    return status;
}

/* ---- what rules would have done --------------------------------------------------------------------------------------- */

static json_t *verdict_json(const struct kns_rule_verdict *verdict)
{
    json_t *json = json_object(), *tags = json_array();
    const struct kns_string *tag;

    if (verdict->drop)
        json_object_set_new(json, "drop", json_true());
    if (verdict->star)
        json_object_set_new(json, "starred", json_true());
    if (verdict->read)
        json_object_set_new(json, "read", json_true());
    if (verdict->score != 0)
        json_object_set_new(json, "score", json_integer(verdict->score));
    KNS_LIST_EACH(tag, &verdict->tags.list)
    json_array_append_new(tags, json_string(tag->value));
    if (json_array_size(tags) > 0)
        json_object_set(json, "tags", tags);
    json_decref(tags);
    return json;
}

static bool collect_trial(void *ctx, const struct kns_item *item,
                          const struct kns_rule_verdict *verdict)
{
    json_t *matched = json_array(), *slow = json_array();
    const struct kns_rule_match *match;

    KNS_LIST_EACH(match, &verdict->matches)
    json_array_append_new(match->gave_up ? slow : matched, json_integer(match->id));
    json_t *json = json_pack("{s:o, s:o, s:o}", "item", kns_item_json(item, false), "rules",
                             matched, "would", verdict_json(verdict));
    if (json != NULL && json_array_size(slow) > 0)
        json_object_set(json, "gave_up", slow);
    json_decref(slow);
    return json != NULL && json_array_append_new(ctx, json) == 0;
}

enum kns_status kns_answer_rules_test(struct kns_request *request, struct kns_store *store,
                                      struct kns_error *err)
{
    struct kns_rule_test test = {.text = kns_request_parameter(request, "rule"),
                                 .cursor = kns_request_parameter(request, "cursor")};
    struct kns_rule_trial trial;
    const char *cursor = NULL;
    int64_t limit = TRIED_AT_ONCE;

    if (!kns_request_number(request, "id", 1, INT64_MAX, &test.rule_id) ||
        !kns_request_number(request, "limit", 1, KNS_PAGE_MOST, &limit) ||
        !kns_request_time(request, "since", &test.since))
        return KNS_OK;
    test.limit = (size_t)limit;
    json_t *items = json_array();
    enum kns_status status = kns_store_test_rules(store, request->arena, &test, collect_trial,
                                                  items, &trial, &cursor, err);
    if (status == KNS_OK) {
        kns_request_link_next(request, cursor);
        json_t *json = json_pack("{s:I, s:I, s:O}", "tried", (json_int_t)trial.tried, "matched",
                                 (json_int_t)trial.matched, "items", items);
        if (cursor != NULL)
            json_object_set_new(json, "next_cursor", json_string(cursor));
        kns_request_answer(request, 200, json);
    }
    json_decref(items);
    return status;
}

/* ---- links ------------------------------------------------------------------------------------------------------------ */

static bool collect_link(void *ctx, const struct kns_named_link *link)
{
    const struct kns_link_mention *mention;
    json_t *mentions = json_array();

    KNS_LIST_EACH(mention, &link->mentions)
    {
        json_t *json = json_pack("{s:I, s:I}", "feed_id", (json_int_t)mention->feed_id, "item_id",
                                 (json_int_t)mention->item_id);
        kns_json_set_text(json, "feed_title", mention->feed_title);
        kns_json_set_text(json, "item_title", mention->item_title);
        kns_json_set_text(json, "text", mention->text);
        json_array_append_new(mentions, json);
    }
    json_t *json = json_pack("{s:s, s:I, s:o}", "url", link->url, "feeds", (json_int_t)link->feeds,
                             "mentions", mentions);
    if (json == NULL)
        return false;
    kns_json_set_time(json, "first_seen", link->first_seen);
    kns_json_set_time(json, "last_seen", link->last_seen);
    return json_array_append_new(ctx, json) == 0;
}

enum kns_status kns_answer_links(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    struct kns_link_query query = {.cursor = kns_request_parameter(request, "cursor"),
                                   .min_feeds = 2};
    const char *cursor = NULL;
    int64_t limit = 50;

    if (!kns_request_number(request, "min_feeds", 2, 1000000, &query.min_feeds) ||
        !kns_request_number(request, "limit", 1, KNS_PAGE_MOST, &limit) ||
        !kns_request_time(request, "since", &query.since))
        return KNS_OK;
    query.limit = (size_t)limit;
    json_t *links = json_array();
    enum kns_status status =
        kns_store_query_links(store, request->arena, &query, collect_link, links, &cursor, err);
    if (status == KNS_OK) {
        kns_request_link_next(request, cursor);
        json_t *json = json_pack("{s:O}", "links", links);
        if (cursor != NULL)
            json_object_set_new(json, "next_cursor", json_string(cursor));
        kns_request_answer(request, 200, json);
    }
    json_decref(links);
    return status;
}
