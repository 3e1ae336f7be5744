/* The shapes of answers (kns-api(7)), and what requests ask for. */
#include "daemon/request.h"

#include "lib/html.h"
#include "lib/json.h"
#include "lib/jsonfeed.h"
#include "lib/text.h"
#include "lib/time.h"
#include "lib/url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* ---- problems ----------------------------------------------------------------------------------------------------- */

static const char *title_of(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };

    for (size_t i = 0; i < LENGTH(titles); i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

void kns_request_problem(struct kns_request *request, int status, const char *format, ...)
{
    char detail[KNS_ERROR_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    /* What was quoted from the request may be no UTF-8. */
    const char *text = kns_text_to_utf8(request->arena, detail, strlen(detail));
    kns_request_answer(request, status,
                       json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
                                 title_of(status), "status", status, "detail",
                                 text == NULL ? "" : text));
    request->answer_type = "application/problem+json";
}

void kns_request_fail(struct kns_request *request, const struct kns_error *err)
{
    static const int statuses[] = {
        [KNS_ENOMEM] = 503,   [KNS_EINVAL] = 400,   [KNS_ENOTFOUND] = 404, [KNS_EEXIST] = 409,
        [KNS_ENOTFEED] = 422, [KNS_ESYNTAX] = 422,  [KNS_ELIMIT] = 413,    [KNS_EIO] = 500,
        [KNS_EFULL] = 507,    [KNS_ECORRUPT] = 500, [KNS_EVERSION] = 500,  [KNS_EBUSY] = 503,
        [KNS_EREFUSED] = 422,
    };
    int status = (size_t)err->status < LENGTH(statuses) && statuses[err->status] != 0
                     ? statuses[err->status]
                     : 500;

    kns_request_problem(request, status, "%s",
                        err->message[0] == '\0' ? kns_status_name(err->status) : err->message);
}

static int add_bytes(const char *bytes, size_t size, void *ctx)
{
    kns_buf_add(ctx, bytes, size);
    return kns_buf_failed(ctx) ? -1 : 0;
}

void kns_request_answer(struct kns_request *request, int status, json_t *json)
{
    kns_buf_reset(&request->out);
    request->answer_type = "application/json";
    request->status = status;
    if (json == NULL || json_dump_callback(json, add_bytes, &request->out, JSON_COMPACT) != 0) {
        kns_buf_reset(&request->out);
        kns_buf_adds(
            &request->out,
            "{\"title\":\"Service Unavailable\",\"status\":503,\"detail\":\"out of memory\"}");
        request->answer_type = "application/problem+json";
        request->status = 503;
    }
    json_decref(json);
}

/* ---- what bodies ask for ------------------------------------------------------------------------------------------- */

static bool bad_member(struct kns_request *request, const char *name, const char *expected)
{
    kns_request_problem(request, 400, "\"%.60s\": expected %s", name, expected);
    return false;
}

static bool unknown_member(struct kns_request *request, const char *name, const char *known)
{
    kns_request_problem(request, 400, "\"%.60s\": no such member: expected %s", name, known);
    return false;
}

/* A tab in one would be two fields of a line, an escape a command to a terminal. */
static bool is_tag(const char *text)
{
    size_t size = 0;

    for (; (unsigned char)text[size] >= ' ' && text[size] != 0x7F; size++)
        ;
    return text[size] == '\0' && size > 0 && size <= 200;
}

/* An array of tags; NULL stays NULL. */
static bool read_strings(struct kns_request *request, const char *name, const json_t *value,
                         const struct kns_strings **ret)
{
    struct kns_strings *strings =
        value == NULL ? NULL : KNS_NEW(request->arena, struct kns_strings);
    size_t index;
    json_t *element;

    if (value != NULL && !json_is_array(value))
        return bad_member(request, name, "an array of strings");
    json_array_foreach(value, index, element)
    {
        struct kns_string *node = KNS_NEW(request->arena, struct kns_string);
        if (!json_is_string(element) || !is_tag(json_string_value(element)))
            return bad_member(request, name,
                              "an array of strings of 1 to 200 bytes, without control characters");
        if (node == NULL || strings == NULL)
            return false;
        node->value = json_string_value(element);
        KNS_LIST_APPEND(&strings->list, node);
    }
    *ret = strings;
    return true;
}

/* Lines "Name: value" (RFC 9110 5.1), and nothing that could begin another one. */
static bool are_headers(const char *lines)
{
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    while (*lines != '\0') {
        size_t name = strspn(lines, token), end = strcspn(lines, "\n");
        if (name == 0 || lines[name] != ':' || memchr(lines, '\r', end) != NULL)
            return false;
        lines += end + (lines[end] == '\n');
    }
    return true;
}

/* "" removes what was set. */
static bool is_good_access(const char *name, const char *value)
{
    if (*value == '\0')
        return true;
    if (strcmp(name, "headers") == 0)
        return are_headers(value);
    if (strcmp(name, "ca_file") == 0)
        return *value == '/';
    if (strcmp(name, "http_version") == 0)
        return strcmp(value, "1.0") == 0 || strcmp(value, "1.1") == 0 || strcmp(value, "2") == 0;
    if (strcmp(name, "proxy") == 0)
        return strncasecmp(value, "http://", 7) == 0 || strncasecmp(value, "https://", 8) == 0 ||
               strncasecmp(value, "socks", 5) == 0;
    return value[strcspn(value, "\r\n")] == '\0';
}

static const char *expected_access(const char *name)
{
    if (strcmp(name, "headers") == 0)
        return "lines of \"Name: value\"";
    if (strcmp(name, "ca_file") == 0)
        return "an absolute path";
    if (strcmp(name, "http_version") == 0)
        return "1.0, 1.1 or 2";
    if (strcmp(name, "proxy") == 0)
        return "an http, https or socks URL";
    return "one line";
}

static bool read_item_flag(struct kns_request *request, const char *name, const json_t *value,
                           bool *set, bool *flag)
{
    if (!json_is_boolean(value))
        return bad_member(request, name, "true or false");
    *set = true;
    *flag = json_is_true(value);
    return true;
}

static bool read_note(struct kns_request *request, const json_t *value, struct kns_item_edit *edit)
{
    edit->note = json_is_null(value) ? "" : json_string_value(value);
    return edit->note != NULL || bad_member(request, "note", "a string, or null");
}

static bool read_item_member(struct kns_request *request, const char *name, const json_t *value,
                             struct kns_item_edit *edit)
{
    struct {
        const char *name;
        bool *set, *flag;                   /* true or false */
        const struct kns_strings **strings; /* an array of them */
    } members[] = {
        {"read", &edit->set_read, &edit->read, NULL},
        {"starred", &edit->set_starred, &edit->starred, NULL},
        {"tags", NULL, NULL, &edit->tags},
        {"add_tags", NULL, NULL, &edit->add_tags},
        {"remove_tags", NULL, NULL, &edit->remove_tags},
    };

    for (size_t i = 0; i < LENGTH(members); i++) {
        if (strcmp(members[i].name, name) != 0)
            continue;
        return members[i].flag != NULL
                   ? read_item_flag(request, name, value, members[i].set, members[i].flag)
                   : read_strings(request, name, value, members[i].strings);
    }
    return strcmp(name, "note") == 0
               ? read_note(request, value, edit)
               : unknown_member(request, name, "read, starred, tags, add_tags, remove_tags, note");
}

bool kns_request_item_edit(struct kns_request *request, struct kns_item_edit *ret)
{
    const char *name;
    json_t *value;

    *ret = (struct kns_item_edit){0};
    json_object_foreach(request->json, name, value)
    {
        if (!read_item_member(request, name, value, ret))
            return false;
    }
    return true;
}

static bool read_access(struct kns_request *request, const json_t *value,
                        struct kns_feed_edit *edit)
{
    static const struct {
        const char *name;
        size_t offset;
    } members[] = {
        {"user", offsetof(struct kns_feed_access, user)},
        {"password", offsetof(struct kns_feed_access, password)},
        {"bearer_token", offsetof(struct kns_feed_access, bearer_token)},
        {"headers", offsetof(struct kns_feed_access, headers)},
        {"user_agent", offsetof(struct kns_feed_access, user_agent)},
        {"proxy", offsetof(struct kns_feed_access, proxy)},
        {"ca_file", offsetof(struct kns_feed_access, ca_file)},
        {"http_version", offsetof(struct kns_feed_access, http_version)},
    };
    struct kns_feed_access *access = KNS_NEW(request->arena, struct kns_feed_access);
    const char *name;
    json_t *member;

    if (!json_is_object(value))
        return bad_member(request, "access", "an object");
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        size_t i = 0;
        while (i < LENGTH(members) && strcmp(members[i].name, name) != 0)
            i++;
        if (i == LENGTH(members) || !json_is_string(member) || access == NULL)
            return bad_member(
                request, "access",
                "user, password, bearer_token, headers, user_agent, proxy, ca_file, http_version: "
                "strings");
        if (!is_good_access(name, json_string_value(member)))
            return bad_member(request, name, expected_access(name));
        *(const char **)((char *)access + members[i].offset) = json_string_value(member);
    }
    edit->access = access;
    return true;
}

static bool read_every(struct kns_request *request, const json_t *value, struct kns_feed_edit *edit)
{
    edit->set_every = true;
    if (json_is_null(value) || (json_is_integer(value) && json_integer_value(value) == 0)) {
        edit->every_s = 0;
        return true;
    }
    if (json_is_integer(value) && json_integer_value(value) > 0) {
        edit->every_s = json_integer_value(value);
        return true;
    }
    return (json_is_string(value) &&
            kns_time_parse_span(json_string_value(value), &edit->every_s)) ||
           bad_member(request, "every", "seconds, or a length of time such as \"30m\"");
}

static bool read_feed_member(struct kns_request *request, const char *name, const json_t *value,
                             struct kns_feed_edit *edit, bool *discover, bool *force)
{
    if (strcmp(name, "url") == 0) {
        edit->url = json_string_value(value);
        return edit->url != NULL || bad_member(request, name, "a string");
    }
    if (strcmp(name, "title") == 0) {
        edit->user_title = json_is_null(value) ? "" : json_string_value(value);
        return edit->user_title != NULL || bad_member(request, name, "a string");
    }
    if (strcmp(name, "tags") == 0)
        return read_strings(request, name, value, &edit->tags);
    if (strcmp(name, "every") == 0)
        return read_every(request, value, edit);
    if (strcmp(name, "access") == 0)
        return read_access(request, value, edit);
    bool adding = strcmp(request->method, "POST") == 0;
    bool *flag = strcmp(name, "newsletter") == 0           ? &edit->newsletter
                 : strcmp(name, "paused") == 0             ? &edit->paused
                 : adding && strcmp(name, "discover") == 0 ? discover
                 : adding && strcmp(name, "force") == 0    ? force
                                                           : NULL;
    if (flag == NULL)
        return unknown_member(
            request, name,
            adding ? "url, title, tags, every, newsletter, paused, access, discover, force"
                   : "url, title, tags, every, newsletter, paused, access");
    if (!json_is_boolean(value))
        return bad_member(request, name, "true or false");
    *flag = json_is_true(value);
    edit->set_newsletter = edit->set_newsletter || flag == &edit->newsletter;
    edit->set_paused = edit->set_paused || flag == &edit->paused;
    return true;
}

/* What lies on this machine is for its administrator, where the configuration allows it. */
static bool may_subscribe(struct kns_request *request, const char *url)
{
    bool is_exec = strncasecmp(url, "exec:", 5) == 0, is_file = strncasecmp(url, "file:", 5) == 0;

    if (kns_url_is_web(url) || (is_exec && request->exec_sources) ||
        (is_file && request->file_sources))
        return true;
    if (is_exec || is_file)
        kns_request_problem(
            request, 403,
            "%s sources are for root and for who knsd runs as, with [poll] %s_sources = yes",
            is_exec ? "exec:" : "file:", is_exec ? "exec" : "file");
    else
        kns_request_problem(request, 400, "\"url\": expected http:// or https:// and a host");
    return false;
}

bool kns_request_feed_edit(struct kns_request *request, struct kns_feed_edit *ret,
                           bool *ret_discover, bool *ret_force)
{
    const char *name;
    json_t *value;

    *ret = (struct kns_feed_edit){0};
    json_object_foreach(request->json, name, value)
    {
        if (!read_feed_member(request, name, value, ret, ret_discover, ret_force))
            return false;
    }
    return ret->url == NULL || may_subscribe(request, ret->url);
}

/* ---- shapes ----------------------------------------------------------------------------------------------------------- */

static void set(json_t *object, const char *key, json_t *value)
{
    if (value != NULL)
        json_object_set_new(object, key, value);
}

static json_t *strings_json(const struct kns_strings *strings)
{
    json_t *array = json_array();
    const struct kns_string *string;

    KNS_LIST_EACH(string, &strings->list)
    json_array_append_new(array, json_string(string->value));
    return array;
}

/* A URL that may be shown: without user and password (law 6). */
static json_t *url_json(const char *url)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *shown =
        arena == NULL || url == NULL ? NULL : kns_url_without_credentials(arena, url);
    json_t *json = shown == NULL ? NULL : json_string(shown);

    kns_arena_free(arena);
    return json;
}

/* HTML leaves by way of the sanitiser, whoever wrote it down. */
static void set_html(json_t *object, const char *key, const char *html, const char *base)
{
    struct kns_arena *arena = html == NULL || *html == '\0' ? NULL : kns_arena_new(0);

    if (arena == NULL)
        return;
    kns_json_set_text(object, key, kns_html_sanitize(arena, html, base));
    kns_arena_free(arena);
}

static json_t *curated_json(const struct kns_curated *curated)
{
    json_t *json = json_object(), *issue = json_object(), *feed = json_object();

    set(feed, "id", json_integer(curated->feed_id));
    kns_json_set_text(feed, "title", curated->feed_title);
    set(json, "feed", feed);
    char id[24];
    snprintf(id, sizeof(id), "%lld", (long long)curated->issue_id);
    set(issue, "id", json_string(id));
    kns_json_set_text(issue, "title", curated->issue_title);
    kns_json_set_text(issue, "url", curated->issue_url);
    set(json, "issue", issue);
    set(json, "position", json_integer(curated->position));
    kns_json_set_text(json, "section", curated->section);
    kns_json_set_text(json, "note", curated->note);
    set_html(json, "note_html", curated->note_html, curated->issue_url);
    return json;
}

/* The user's own note and section; where there are none, the first newsletter's that had the item. */
static void set_curated(json_t *kns, const struct kns_item *item)
{
    const struct kns_curated *first = item->curated.first;
    const char *note = item->note, *note_html = item->note_html, *section = item->section;

    if (first != NULL && note == NULL) {
        note = first->note;
        note_html = first->note_html;
    }
    if (first != NULL && section == NULL)
        section = first->section;
    kns_json_set_text(kns, "note", note);
    set_html(kns, "note_html", note_html, item->entry.url);
    kns_json_set_text(kns, "section", section);
    if (first == NULL)
        return;
    json_t *all = json_array();
    const struct kns_curated *curated;
    KNS_LIST_EACH(curated, &item->curated)
    json_array_append_new(all, curated_json(curated));
    set(kns, "curated", all);
}

json_t *kns_item_json(const struct kns_item *item, bool with_content)
{
    json_t *json = kns_jsonfeed_from_entry(&item->entry, with_content, true);
    char id[24];

    if (json == NULL)
        return NULL;
    json_t *kns = json_object_get(json, "_kns");
    if (kns == NULL) {
        kns = json_object();
        json_object_set_new(json, "_kns", kns);
    }
    snprintf(id, sizeof(id), "%lld", (long long)item->id);
    set(json, "id", json_string(id));
    json_t *feeds = json_array();
    const struct kns_item_feed *feed;
    KNS_LIST_EACH(feed, &item->feeds)
    {
        json_t *object = json_object();
        set(object, "id", json_integer(feed->id));
        kns_json_set_text(object, "title", feed->title);
        set(object, "url", url_json(feed->url));
        json_array_append_new(feeds, object);
    }
    set(kns, "feeds", feeds);
    kns_json_set_time(kns, "first_seen", item->first_seen);
    kns_json_set_time(kns, "changed_at", item->changed_at);
    set(kns, "read", json_boolean(item->read));
    set(kns, "starred", json_boolean(item->starred));
    set(kns, "sources", json_integer(item->sources));
    if (item->tags.list.count > 0)
        set(kns, "tags", strings_json(&item->tags));
    if (item->score != 0)
        set(kns, "score", json_integer(item->score));
    set_curated(kns, item);
    kns_json_set_text(kns, "snippet", item->snippet);
    return json;
}

json_t *kns_feed_json(const struct kns_feed *feed)
{
    json_t *json = json_object();
    json_t *moved = json_array();
    const struct kns_string *url;

    set(json, "id", json_integer(feed->id));
    set(json, "url", url_json(feed->url));
    kns_json_set_text(json, "title", feed->title);
    kns_json_set_text(json, "home_page_url", feed->home_page_url);
    kns_json_set_text(json, "description", feed->description);
    kns_json_set_text(json, "icon", feed->icon);
    set(json, "tags", strings_json(&feed->tags));
    kns_json_set_text(json, "state", kns_feed_state_name(feed->state));
    kns_json_set_text(
        json, "health",
        kns_feed_health_name(feed->state == KNS_FEED_GONE ? KNS_HEALTH_GONE : feed->health));
    set(json, "newsletter", json_boolean(feed->newsletter));
    kns_json_set_time(json, "added_at", feed->added_at);
    kns_json_set_time(json, "last_poll_at", feed->last_poll_at);
    kns_json_set_time(json, "last_success_at", feed->last_success_at);
    if (feed->last_status != 0)
        set(json, "last_status", json_integer(feed->last_status));
    kns_json_set_text(json, "last_error", feed->last_error);
    set(json, "consecutive_failures", json_integer(feed->schedule.consecutive_failures));
    kns_json_set_text(json, "etag", feed->schedule.etag);
    kns_json_set_text(json, "last_modified", feed->schedule.last_modified);
    if (feed->state == KNS_FEED_ACTIVE || feed->state == KNS_FEED_FAILING) {
        kns_json_set_time(json, "next_poll_at", feed->schedule.next_poll_at);
        kns_json_set_text(json, "next_poll_reason", feed->schedule.next_poll_reason);
    }
    set(json, "interval_seconds", json_integer(feed->schedule.interval_s));
    set(json, "items", json_integer(feed->items));
    KNS_LIST_EACH(url, &feed->moved_from.list)
    json_array_append_new(moved, url_json(url->value));
    set(json, "moved_from", moved);
    return json;
}
