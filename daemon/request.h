/* request.h - one HTTP request and its answer, as the deciding files see them. No loop, no HTTP library. */
#ifndef KNSD_REQUEST_H
#define KNSD_REQUEST_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/digest.h"
#include "lib/error.h"
#include "lib/issue.h"
#include "lib/mail.h"
#include "lib/store.h"

#include <jansson.h>
#include <stdbool.h>

#define KNS_REQUEST_MAX_BODY (32u << 20) /* an OPML of a hundred thousand feeds */
#define KNS_ANSWER_MAX_BODY (256u << 20) /* a page of items with their content */
#define KNS_PAGE_MOST 1000               /* items of one page */
#define KNS_REQUEST_MAX_PARAMETERS 32

struct kns_parameter {
    const char *name, *value;
};

struct kns_request {
    struct kns_arena *arena; /* all strings live here */
    /* The configuration of digests when the request came; a reload may free its own. */
    const char *digest_title, *digest_base_url, *digest_language, *template_dir;
    const struct kns_publication *publications; /* newsletters of one's own; at least one */
    size_t n_publications;
    struct kns_mail_settings mail;
    bool file_sources,
        exec_sources; /* allowed, and asked for by who may: root, or who knsd runs as */
    const char *method, *path;
    int64_t id;        /* of the path; 0: it has none */
    const char *token; /* of the path; NULL: it has none */
    struct kns_parameter parameters[KNS_REQUEST_MAX_PARAMETERS];
    size_t n_parameters; /* above the maximum: some were dropped, and no route takes it */
    const char *body;
    size_t body_size;
    json_t *json;              /* the body, for routes that take JSON; freed with the request */
    const char *host, *scheme; /* of the URL that was asked for */
    const char *if_none_match, *if_modified_since, *last_event_id;

    /* The answer. */
    int status;
    const char *answer_type; /* NULL: application/json */
    struct kns_buf out;
    const char *link, *etag, *last_modified, *location, *allow;
    /* Pictures that the handler wants before it can answer: it is run again when they are there (or cannot be had). */
    struct kns_digest_picture *pictures;
    size_t n_pictures;
    bool pictures_ready;
    int64_t feed_changed; /* after a write: the poller takes over this feed; -1: all */
};

/* The value of a query parameter; NULL: not given. */
const char *kns_request_parameter(const struct kns_request *request, const char *name);

/* Answers with an RFC 9457 problem. */
void kns_request_problem(struct kns_request *request, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The problem for a library's error. */
void kns_request_fail(struct kns_request *request, const struct kns_error *err);

/* A query parameter as a flag, a number, a time. False: a problem was answered; *ret is untouched where it was not given. */
bool kns_request_flag(struct kns_request *request, const char *name, bool *ret);
bool kns_request_number(struct kns_request *request, const char *name, int64_t least, int64_t most,
                        int64_t *ret);
bool kns_request_time(struct kns_request *request, const char *name, struct kns_time *ret);

/* Appends the query parameters as they go into a URL, "a=b&c=d", without those that are named in leave_out (space around
 * each). */
void kns_request_write_query(const struct kns_request *request, const char *leave_out,
                             struct kns_buf *out);

/* Gives a whole answer its validators: an ETag of its bytes, a Last-Modified of changed (where given). Becomes 304 when the client has it
 * already (RFC 9110 13.2.2). */
void kns_request_validate(struct kns_request *request, struct kns_time changed);

/* Answers with JSON; takes the reference (NULL: no memory). */
void kns_request_answer(struct kns_request *request, int status, json_t *json);

/* The link to the next page: the same request, at its cursor; NULL: there is none. */
void kns_request_link_next(struct kns_request *request, const char *cursor);

/* The filter "feed" alone: ids with commas between, or several of them. False: a problem was answered. */
bool kns_request_feeds(struct kns_request *request, struct kns_item_query *query);

/* The filters of a listing from the query parameters. False: a problem was answered. */
bool kns_request_item_query(struct kns_request *request, struct kns_item_query *ret);

/* Appends the subscriptions (with a tag, or NULL: all) as OPML under a title. */
enum kns_status kns_request_write_opml(struct kns_request *request, struct kns_store *store,
                                       const char *tag, const char *title, struct kns_buf *out,
                                       struct kns_error *err);

/* The format that the request asks for; untouched where it names none. False: a problem was answered. */
bool kns_request_format(struct kns_request *request, enum kns_digest_format *ret);

/* Answers with a digest in a format, as the parameters paste and images say, with validators. Where thumbnails go along and are not there
 * yet, it only says which are wanted: the handler runs again. Not on the loop thread: it reads templates. */
enum kns_status kns_request_render(struct kns_request *request, const struct kns_digest *digest,
                                   enum kns_digest_format format, struct kns_time changed,
                                   struct kns_error *err);

/* ---- handlers: on a query worker, or on the writer thread ---------------------------------------------------------- */

enum kns_status kns_answer_items(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_answer_item(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err);
enum kns_status kns_answer_item_why(struct kns_request *request, struct kns_store *store,
                                    struct kns_error *err);
enum kns_status kns_answer_feeds(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_answer_feed(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err);
enum kns_status kns_answer_polls(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_answer_opml(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err);
enum kns_status kns_answer_digest(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err);
enum kns_status kns_answer_backup(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err);
enum kns_status kns_answer_check(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_write_item(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err);
enum kns_status kns_write_feed(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err);
enum kns_status kns_remove_feed(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err);
enum kns_status kns_import_opml(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err);
enum kns_status kns_split_item(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err);
enum kns_status kns_answer_rules(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_answer_rules_text(struct kns_request *request, struct kns_store *store,
                                      struct kns_error *err);
enum kns_status kns_answer_rules_test(struct kns_request *request, struct kns_store *store,
                                      struct kns_error *err);
enum kns_status kns_add_rule(struct kns_request *request, struct kns_store *store,
                             struct kns_error *err);
enum kns_status kns_remove_rule(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err);
enum kns_status kns_import_rules(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_answer_links(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);

/* issues_*.c */
enum kns_status kns_answer_issues(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err);
enum kns_status kns_answer_issue(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_answer_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_answer_draft_lint(struct kns_request *request, struct kns_store *store,
                                      struct kns_error *err);
enum kns_status kns_answer_issues_atom(struct kns_request *request, struct kns_store *store,
                                       struct kns_error *err);
enum kns_status kns_answer_issues_json(struct kns_request *request, struct kns_store *store,
                                       struct kns_error *err);
enum kns_status kns_answer_site(struct kns_request *request, struct kns_store *store,
                                struct kns_error *err);
/* What mails an issue, in three steps: "to" of the body is checked and noted (writer), the message goes out (query worker), and what was
 * not sent is forgotten and answered (writer). */
struct kns_sending;
enum kns_status kns_begin_sending(struct kns_request *request, struct kns_store *store,
                                  struct kns_sending **ret, struct kns_error *err);
enum kns_status kns_do_send(struct kns_request *request, struct kns_store *store,
                            struct kns_sending *sending, struct kns_error *err);
enum kns_status kns_end_sending(struct kns_request *request, struct kns_store *store,
                                struct kns_sending *sending, struct kns_error *err);
enum kns_status kns_change_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_suggest_draft(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err);
enum kns_status kns_publish_draft(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err);
enum kns_status kns_remove_draft(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);
enum kns_status kns_correct_issue(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err);
enum kns_status kns_import_issue(struct kns_request *request, struct kns_store *store,
                                 struct kns_error *err);

/* An item, a feed in the API's shape; a new reference, NULL: no memory. */
json_t *kns_item_json(const struct kns_item *item, bool with_content);
json_t *kns_feed_json(const struct kns_feed *feed);

/* What PATCH of an item sets. False: a problem was answered. Strings live in the request. */
bool kns_request_item_edit(struct kns_request *request, struct kns_item_edit *ret);

/* What POST and PATCH of feeds set. False: a problem was answered. Strings live in the request. */
bool kns_request_feed_edit(struct kns_request *request, struct kns_feed_edit *ret,
                           bool *ret_discover, bool *ret_force);

#endif
