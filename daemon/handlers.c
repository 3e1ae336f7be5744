/* What the routes do with the store: on a query worker, or on the writer thread. */
#include "daemon/request.h"

#include "lib/digest.h"
#include "lib/newsletter.h"
#include "lib/opml.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- items ---------------------------------------------------------------------------------------------------------- */

struct collecting {
    struct kns_request *request;
    json_t *items;
    bool with_content;
};

static bool collect_item(void *ctx, const struct kns_item *item)
{
    struct collecting *c = ctx;
    json_t *json = kns_item_json(item, c->with_content);

    return json != NULL && json_array_append_new(c->items, json) == 0;
}

void kns_request_link_next(struct kns_request *request, const char *cursor)
{
    struct kns_buf query = {0};

    if (cursor == NULL)
        return;
    kns_request_write_query(request, " cursor ", &query);
    if (!kns_buf_failed(&query))
        request->link =
            kns_arena_printf(request->arena, "<%s?%s%scursor=%s>; rel=\"next\"", request->path,
                             kns_buf_str(&query), query.len > 0 ? "&" : "", cursor);
    kns_buf_fini(&query);
}

enum kns_status kns_answer_items(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    struct collecting c = {.request = request, .items = json_array(), .with_content = true};
    struct kns_item_query query;
    const char *cursor = NULL;

    if (!kns_request_item_query(request, &query) ||
        !kns_request_flag(request, "content", &c.with_content)) {
        json_decref(c.items);
        return KNS_OK;
    }
    query.with_content = c.with_content;
    enum kns_status status =
        kns_store_query_items(store, request->arena, &query, collect_item, &c, &cursor, err);
    if (status != KNS_OK) {
        json_decref(c.items);
        return status;
    }
    kns_request_link_next(request, cursor);
    json_t *page = json_pack("{s:s, s:s, s:o}", "version", "https://jsonfeed.org/version/1.1",
                             "title", request->digest_title, "items", c.items);
    /* The cursor once more, for clients that do not read headers. */
    if (page != NULL && cursor != NULL)
        json_object_set_new(page, "_kns", json_pack("{s:s}", "next_cursor", cursor));
    kns_request_answer(request, 200, page);
    request->answer_type = "application/feed+json";
    return KNS_OK;
}

/* An issue of a newsletter tells of its introduction: the sections, and the links in their prose with the sentences they stand in. */
static enum kns_status add_introduction(struct kns_request *request, struct kns_store *store,
                                        const struct kns_item *item, json_t *json,
                                        struct kns_error *err)
{
    static const char *const names[] = {"sections", "mentions"};
    const struct kns_entry *entry = &item->entry;
    const char *html = entry->content_html != NULL ? entry->content_html : entry->summary_html;
    const struct kns_newsletter_source source = {.title = entry->title, .url = entry->url};
    struct kns_newsletter *newsletter = NULL;
    bool roundup = false;
    enum kns_status status = kns_store_is_roundup(store, item->id, &roundup, err);

    if (status != KNS_OK || !roundup || html == NULL)
        return status;
    status = kns_newsletter_read(request->arena, html, &source, &newsletter, err);
    if (status != KNS_OK)
        return status;
    json_t *whole = kns_newsletter_to_json(newsletter, true), *kns = json_object_get(whole, "_kns");
    if (whole == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    for (size_t i = 0; i < 2; i++)
        if (json_object_get(kns, names[i]) != NULL)
            json_object_set(json_object_get(json, "_kns"), names[i],
                            json_object_get(kns, names[i]));
    json_decref(whole);
    return KNS_OK;
}

static enum kns_status answer_item_by_id(struct kns_request *request, struct kns_store *store,
                                         struct kns_error *err)
{
    struct kns_item *item = NULL;
    enum kns_status status = kns_store_get_item(store, request->arena, request->id, &item, err);
    json_t *json = status == KNS_OK ? kns_item_json(item, true) : NULL;

    if (json != NULL)
        status = add_introduction(request, store, item, json, err);
    if (status == KNS_OK)
        kns_request_answer(request, 200, json_incref(json));
    json_decref(json);
    return status;
}

enum kns_status kns_answer_item(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err)
{
    return answer_item_by_id(request, store, err);
}

struct collecting_sightings {
    struct kns_request *request;
    json_t *sightings;
};

/* A feed's URL, or the title that its URL stands for, without user and password (law 6). */
static const char *shown(struct kns_arena *arena, const char *text)
{
    return text != NULL && kns_url_is_web(text) ? kns_url_without_credentials(arena, text) : text;
}

static bool collect_sighting(void *ctx, const struct kns_sighting *s)
{
    struct collecting_sightings *c = ctx;
    char first[KNS_TIME_TEXT], last[KNS_TIME_TEXT];
    const char *feed_url = shown(c->request->arena, s->feed_url),
               *feed_title = shown(c->request->arena, s->feed_title);
    json_t *json = json_pack("{s:I, s:s*, s:s*, s:s*, s:s*, s:s, s:s, s:s, s:s}", "feed_id",
                             (json_int_t)s->feed_id, "feed_title", feed_title, "feed_url", feed_url,
                             "guid", s->guid, "url", s->url, "rule", s->rule, "rule_text",
                             s->rule_text, "first_seen", kns_time_format(s->first_seen, first),
                             "last_seen", kns_time_format(s->last_seen, last));

    return json != NULL && json_array_append_new(c->sightings, json) == 0;
}

enum kns_status kns_answer_item_why(struct kns_request *request, struct kns_store *store,
                                    struct kns_error *err)
{
    struct kns_item *item = NULL;
    json_t *sightings = json_array();
    struct collecting_sightings c = {request, sightings};
    enum kns_status status = kns_store_get_item(store, request->arena, request->id, &item, err);

    if (status == KNS_OK)
        status = kns_store_each_sighting(store, request->id, collect_sighting, &c, err);
    if (status != KNS_OK) {
        json_decref(sightings);
        return status;
    }
    const char *canonical =
        item->entry.url == NULL ? NULL : kns_url_canonical(request->arena, item->entry.url);
    json_t *json = json_pack("{s:I, s:o}", "id", (json_int_t)item->id, "sightings", sightings);
    if (canonical != NULL)
        json_object_set_new(json, "canonical_url", json_string(canonical));
    kns_request_answer(request, 200, json);
    return KNS_OK;
}

/* The feed whose words are split off when none is named: the last that joined. */
static int64_t last_feed(const struct kns_item *item)
{
    return item->feeds.last == NULL ? 0 : item->feeds.last->id;
}

enum kns_status kns_split_item(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err)
{
    const json_t *given = json_object_get(request->json, "feed");
    struct kns_item *item = NULL;
    int64_t id = 0;

    if (json_object_size(request->json) != (given != NULL) ||
        (given != NULL && !json_is_integer(given)))
        return kns_fail(err, KNS_EINVAL, "expected {} or {\"feed\": ID}");
    enum kns_status status = kns_store_get_item(store, request->arena, request->id, &item, err);
    if (status != KNS_OK)
        return status;
    int64_t feed = given != NULL ? json_integer_value(given) : last_feed(item);
    status = kns_store_split_item(store, request->id, feed, kns_time_now(), &id, err);
    if (status == KNS_OK)
        status = kns_store_get_item(store, request->arena, id, &item, err);
    if (status != KNS_OK)
        return status;
    /* The poller must forget the validators too: the next poll brings the entry's own words. */
    request->feed_changed = feed;
    kns_request_answer(request, 201, kns_item_json(item, true));
    return KNS_OK;
}

enum kns_status kns_write_item(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err)
{
    struct kns_item_edit edit;

    if (!kns_request_item_edit(request, &edit))
        return KNS_OK;
    enum kns_status status = kns_store_edit_item(store, request->id, &edit, kns_time_now(), err);
    return status == KNS_OK ? answer_item_by_id(request, store, err) : status;
}

/* ---- feeds ---------------------------------------------------------------------------------------------------------- */

#define MOST_FEEDS_OF_A_PAGE 1000000
#define POLLS_SHOWN 20
#define MOST_POLLS_SHOWN 1000

struct collecting_feeds {
    json_t *feeds;
    int64_t last;
};

static bool collect_feed(void *ctx, const struct kns_feed *feed)
{
    struct collecting_feeds *c = ctx;

    c->last = feed->id;
    return json_array_append_new(c->feeds, kns_feed_json(feed)) == 0;
}

static enum kns_status answer_feed_by_id(struct kns_request *request, struct kns_store *store,
                                         int64_t id, bool as_list, struct kns_error *err)
{
    struct kns_feed *feed = NULL;
    enum kns_status status = kns_store_get_feed(store, request->arena, id, false, &feed, err);

    if (status == KNS_OK)
        kns_request_answer(request, 200,
                           as_list ? json_pack("[o]", kns_feed_json(feed)) : kns_feed_json(feed));
    return status;
}

enum kns_status kns_answer_feeds(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    const char *url = kns_request_parameter(request, "url");
    struct kns_feed_filter filter = {.tag = kns_request_parameter(request, "tag")};
    struct collecting_feeds c = {.feeds = NULL};
    char next[24];
    int64_t id = 0, limit = 0;

    if (!kns_request_flag(request, "failing", &filter.failing) ||
        !kns_request_number(request, "limit", 1, MOST_FEEDS_OF_A_PAGE, &limit) ||
        !kns_request_number(request, "cursor", 0, INT64_MAX, &filter.after_id))
        return KNS_OK;
    if (url != NULL) {
        enum kns_status status = kns_store_find_feed(store, url, &id, err);
        return status == KNS_OK ? answer_feed_by_id(request, store, id, true, err) : status;
    }
    filter.limit = (size_t)limit;
    c.feeds = json_array();
    enum kns_status status = kns_store_each_feed(store, &filter, collect_feed, &c, err);
    if (status != KNS_OK) {
        json_decref(c.feeds);
        return status;
    }
    snprintf(next, sizeof(next), "%lld", (long long)c.last);
    kns_request_link_next(
        request, filter.limit > 0 && json_array_size(c.feeds) == filter.limit ? next : NULL);
    kns_request_answer(request, 200, c.feeds);
    return KNS_OK;
}

enum kns_status kns_answer_feed(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err)
{
    return answer_feed_by_id(request, store, request->id, false, err);
}

static bool collect_poll(void *ctx, const struct kns_poll_record *poll)
{
    char at[KNS_TIME_TEXT], next[KNS_TIME_TEXT];
    json_t *json =
        json_pack("{s:s, s:I, s:s, s:I, s:I, s:I}", "at", kns_time_format(poll->at, at),
                  "duration_ms", (json_int_t)poll->duration_ms, "outcome",
                  kns_outcome_name(poll->outcome), "bytes", (json_int_t)poll->bytes, "new_items",
                  (json_int_t)poll->new_items, "updated_items", (json_int_t)poll->updated_items);

    if (json == NULL)
        return false;
    if (poll->http_status != 0)
        json_object_set_new(json, "status", json_integer(poll->http_status));
    if (poll->error != NULL)
        json_object_set_new(json, "error", json_string(poll->error));
    if (poll->next_poll_reason != NULL)
        json_object_set_new(json, "next_poll_reason", json_string(poll->next_poll_reason));
    json_object_set_new(json, "next_poll_at",
                        json_string(kns_time_format(poll->next_poll_at, next)));
    return json_array_append_new(ctx, json) == 0;
}

/* What its hub is to a feed; NULL: it has none, or we want nothing of it. */
static json_t *push_json(struct kns_request *request, struct kns_store *store)
{
    struct kns_websub_record record;
    char until[KNS_TIME_TEXT];

    if (kns_store_get_websub(store, request->arena, request->id, &record, NULL) != KNS_OK)
        return NULL;
    json_t *json = json_pack("{s:s, s:s, s:s}", "hub", record.hub, "topic", record.topic, "state",
                             kns_websub_state_name(record.state));
    if (json != NULL && record.state == KNS_WEBSUB_ALIVE)
        json_object_set_new(json, "until", json_string(kns_time_format(record.lease_until, until)));
    if (json != NULL && record.error != NULL)
        json_object_set_new(json, "error", json_string(record.error));
    return json;
}

enum kns_status kns_answer_polls(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    struct kns_feed *feed = NULL;
    int64_t limit = POLLS_SHOWN;

    if (!kns_request_number(request, "limit", 1, MOST_POLLS_SHOWN, &limit))
        return KNS_OK;
    json_t *polls = json_array();
    enum kns_status status =
        kns_store_get_feed(store, request->arena, request->id, false, &feed, err);
    if (status == KNS_OK)
        status = kns_store_each_poll(store, request->id, (size_t)limit, collect_poll, polls, err);
    if (status == KNS_OK)
        kns_request_answer(request, 200,
                           json_pack("{s:o, s:O, s:o*}", "feed", kns_feed_json(feed), "polls",
                                     polls, "push", push_json(request, store)));
    json_decref(polls);
    return status;
}

enum kns_status kns_write_feed(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err)
{
    struct kns_feed_edit edit;
    bool discover = false, force = false;

    if (!kns_request_feed_edit(request, &edit, &discover, &force))
        return KNS_OK;
    enum kns_status status = kns_store_edit_feed(store, request->id, &edit, kns_time_now(), err);
    if (status == KNS_OK)
        status = answer_feed_by_id(request, store, request->id, false, err);
    if (status == KNS_OK)
        request->feed_changed = request->id;
    return status;
}

enum kns_status kns_remove_feed(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err)
{
    enum kns_status status = kns_store_remove_feed(store, request->id, kns_time_now(), err);

    if (status == KNS_OK) {
        request->status = 204;
        request->feed_changed = request->id;
    }
    return status;
}

/* ---- OPML ------------------------------------------------------------------------------------------------------------- */

struct collecting_opml {
    struct kns_request *request;
    struct kns_opml *opml;
    bool failed;
};

static char *copy(struct collecting_opml *c, const char *text)
{
    char *copied = kns_arena_strdup(c->request->arena, text);

    c->failed = c->failed || (text != NULL && copied == NULL);
    return copied;
}

static bool collect_subscription(void *ctx, const struct kns_feed *feed)
{
    struct collecting_opml *c = ctx;
    struct kns_opml_feed *node = kns_opml_feed_of(c->request->arena, feed);
    struct kns_strings tags = {0};
    const struct kns_string *tag;

    if (node == NULL)
        return false;
    /* The feed lives until this returns; what the list keeps is copied. */
    node->url = copy(c, node->url);
    node->title = copy(c, node->title);
    node->home_page_url = copy(c, node->home_page_url);
    node->description = copy(c, node->description);
    KNS_LIST_EACH(tag, &node->tags.list)
    {
        struct kns_string *own = KNS_NEW(c->request->arena, struct kns_string);
        if (own == NULL)
            return false;
        own->value = copy(c, tag->value);
        KNS_LIST_APPEND(&tags.list, own);
    }
    node->tags = tags;
    KNS_LIST_APPEND(&c->opml->feeds, node);
    return !c->failed;
}

enum kns_status kns_request_write_opml(struct kns_request *request, struct kns_store *store,
                                       const char *tag, const char *title, struct kns_buf *out,
                                       struct kns_error *err)
{
    struct kns_opml opml = {.title = title};
    struct collecting_opml c = {request, &opml, false};
    struct kns_feed_filter filter = {.tag = tag};
    enum kns_status status = kns_store_each_feed(store, &filter, collect_subscription, &c, err);

    if (status == KNS_OK && c.failed)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    return status == KNS_OK ? kns_opml_write(&opml, out, err) : status;
}

enum kns_status kns_answer_opml(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err)
{
    enum kns_status status =
        kns_request_write_opml(request, store, kns_request_parameter(request, "tag"),
                               "KNS subscriptions", &request->out, err);

    request->status = 200;
    request->answer_type = "text/x-opml; charset=utf-8";
    return status;
}

enum kns_status kns_import_opml(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err)
{
    struct kns_opml opml = {0};
    enum kns_status status =
        kns_opml_read(request->arena, request->body, request->body_size, &opml, err);
    const struct kns_opml_feed *feed;
    int64_t added = 0, known = 0, refused = 0;
    json_t *problems = json_array();
    struct kns_time now = kns_time_now();

    for (feed = opml.feeds.first; feed != NULL && status == KNS_OK; feed = feed->next) {
        const struct kns_feed_edit edit = {
            .url = feed->url, .user_title = feed->title, .tags = &feed->tags};
        int64_t id = 0;
        if (!kns_url_is_web(feed->url)) {
            char problem[300];
            snprintf(problem, sizeof(problem), "%.200s: not an http or https URL", feed->url);
            refused++;
            if (json_array_size(problems) < 100)
                json_array_append_new(problems, json_string(problem));
            continue;
        }
        status = kns_store_add_feed(store, &edit, now, now, &id, err);
        added += status == KNS_OK;
        known += status == KNS_EEXIST;
        if (status == KNS_EEXIST)
            status = KNS_OK;
    }
    if (opml.cut_line > 0) {
        char problem[300];
        snprintf(problem, sizeof(problem),
                 "line %zu: %.100s: the list was read up to here, and no further", opml.cut_line,
                 opml.cut_why);
        json_array_append_new(problems, json_string(problem));
    }
    if (status == KNS_OK) {
        kns_request_answer(request, 200,
                           json_pack("{s:I, s:I, s:I, s:O}", "added", (json_int_t)added, "known",
                                     (json_int_t)known, "refused", (json_int_t)refused, "problems",
                                     problems));
        request->feed_changed = -1;
    }
    json_decref(problems);
    return status;
}

/* ---- digests ------------------------------------------------------------------------------------------------------------ */

struct collecting_digest {
    struct kns_request *request;
    struct kns_digest *digest;
    struct kns_time changed; /* the newest change of an item */
};

static bool collect_digest_item(void *ctx, const struct kns_item *item)
{
    struct collecting_digest *c = ctx;

    struct kns_time changed =
        kns_time_given(item->changed_at) ? item->changed_at : item->first_seen;

    if (changed.unix_s > c->changed.unix_s)
        c->changed = changed;
    /* Items of a page live in the request's arena as long as the request. */
    return kns_digest_add_item(c->digest, c->request->arena, item);
}

/* What a digest is known by: the URL that it was asked for is where it is served, and its permanent id, unless the configuration
 * says where digests are published: then that is the base of the id, and what was selected tells one digest from another. */
static bool name_digest(const struct kns_request *request, struct kns_digest *digest)
{
    struct kns_buf query = {0}, selection = {0};

    kns_request_write_query(request, " ", &query);
    kns_request_write_query(request, " format limit cursor images paste ", &selection);
    digest->self_url =
        kns_arena_printf(request->arena, "%s://%s%s%s%s", request->scheme, request->host,
                         request->path, query.len > 0 ? "?" : "", kns_buf_str(&query));
    if (digest->base_url != NULL)
        digest->id = kns_arena_printf(request->arena, "%s%s%s", digest->base_url,
                                      selection.len > 0 ? "#" : "", kns_buf_str(&selection));
    bool good = !kns_buf_failed(&query) && !kns_buf_failed(&selection) && digest->self_url != NULL;
    kns_buf_fini(&query);
    kns_buf_fini(&selection);
    return good;
}

enum kns_status kns_answer_digest(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const char *title = kns_request_parameter(request, "title");
    enum kns_digest_format format = KNS_DIGEST_HTML;
    struct kns_item_query query;
    const char *cursor = NULL;

    if (!kns_request_format(request, &format) || !kns_request_item_query(request, &query))
        return KNS_OK;
    query.with_content = true;
    struct kns_digest digest = {
        .title = title != NULL ? title : request->digest_title,
        .base_url = request->digest_base_url[0] == '\0' ? NULL : request->digest_base_url,
        .language = request->digest_language[0] == '\0' ? NULL : request->digest_language,
        .since = query.since,
        .until = query.until,
    };
    struct collecting_digest c = {request, &digest, {0}};
    if (!name_digest(request, &digest))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status =
        kns_store_query_items(store, request->arena, &query, collect_digest_item, &c, &cursor, err);
    return status == KNS_OK ? kns_request_render(request, &digest, format, c.changed, err) : status;
}

/* ---- care ----------------------------------------------------------------------------------------------------------------- */

enum kns_status kns_answer_backup(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    const char *path = json_string_value(json_object_get(request->json, "path"));

    if (path == NULL || *path != '/' || json_object_size(request->json) != 1)
        return kns_fail(err, KNS_EINVAL, "\"path\": expected an absolute path, and nothing else");
    enum kns_status status = kns_store_backup(store, path, err);
    if (status == KNS_OK)
        kns_request_answer(request, 200, json_pack("{s:s}", "path", path));
    return status;
}

static void collect_problem(void *ctx, const char *problem)
{
    json_array_append_new(ctx, json_string(problem));
}

enum kns_status kns_answer_check(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err)
{
    json_t *problems = json_array();
    enum kns_status status = kns_store_check(store, collect_problem, problems, err);

    if (status == KNS_OK || status == KNS_ECORRUPT)
        kns_request_answer(
            request, 200, json_pack("{s:b, s:O}", "sound", status == KNS_OK, "problems", problems));
    json_decref(problems);
    return status == KNS_ECORRUPT ? KNS_OK : status;
}
