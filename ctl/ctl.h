/* ctl.h - what the verbs of knsctl share: exit codes, the call, the verbs themselves.
 *
 * A verb is one file with one function. It reads call->args, asks the daemon through call->client, prints
 * through call->out, and returns its exit code. Whatever it takes from call->arena lives until the program ends.
 */
#ifndef KNSCTL_CTL_H
#define KNSCTL_CTL_H

#include "ctl/client.h"
#include "ctl/options.h"
#include "ctl/out.h"
#include "lib/time.h"

#include <jansson.h>

enum kns_exit {
    KNS_EXIT_OK = 0,
    KNS_EXIT_FAILED = 1,      /* the request failed */
    KNS_EXIT_USAGE = 2,       /* the command line makes no sense */
    KNS_EXIT_NO_DAEMON = 3,   /* no daemon reachable */
    KNS_EXIT_NOT_FOUND = 4,   /* no such feed or item */
    KNS_EXIT_SOME_FAILED = 5, /* of several, some failed */
};

/* One run of one verb. */
struct kns_call {
    struct kns_arena *arena;
    struct kns_args args;
    struct kns_client *client;
    struct kns_out *out;
    struct kns_time now;
    bool json; /* --json */
};

/* ---- errors: one line on stderr, `knsctl: what: why` --------------------------------------------- */

/* Says err, with what it was about in front (NULL: nothing), and returns the exit code for its status. */
int kns_call_failed(const struct kns_call *call, const char *what, const struct kns_error *err);

/* Says a sentence and returns exit_code. */
int kns_call_fail(const struct kns_call *call, enum kns_exit exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The exit code of several equal requests: what they all did, else 5. */
struct kns_tally {
    size_t done, failed;
    int first_failure;
};
void kns_tally_add(struct kns_tally *tally, int exit_code);
int kns_tally_exit(const struct kns_tally *tally);

/* ---- requests ------------------------------------------------------------------------------------ */

/* Asks for a JSON answer; says what went wrong and returns its exit code. *ret_json is the caller's to json_decref();
 * NULL after an answer without a body. what names the subject in an error; may be NULL. */
int kns_call_json(struct kns_call *call, const char *what, const struct kns_request *request,
                  json_t **ret_json);

/* The same with the answer's bytes; the response's body is the caller's to fini when this returned KNS_EXIT_OK. */
int kns_call_raw(struct kns_call *call, const char *what, const struct kns_request *request,
                 struct kns_response *ret_response);

/* Says why the daemon refused, releases the answer, and returns its exit code. */
int kns_call_refused(struct kns_call *call, const char *what, struct kns_response *response);

/* The body of a POST: sends json, and takes its reference. As kns_call_json. */
int kns_call_post(struct kns_call *call, const char *what, const char *path, json_t *json,
                  json_t **ret_json);

/* Reads a file ("-": standard input) of at most `most` bytes; says what went wrong and returns its exit code. ret is initialised here, and
 * the caller's to fini when this returned KNS_EXIT_OK. */
int kns_call_read_file(struct kns_call *call, const char *path, size_t most, struct kns_buf *ret);

/* Writes bytes to a file, or to standard output where path is NULL or "-"; says what went wrong and returns its exit code. */
int kns_call_write(struct kns_call *call, const char *path, const char *bytes, size_t size);

/* Writes a file whole or not at all; says what went wrong and returns its exit code. */
int kns_call_write_file(struct kns_call *call, const char *path, const char *bytes, size_t size);

/* Prints json for programs, and takes its reference. */
int kns_call_print_json(struct kns_call *call, json_t *json);

/* A member's text ("" where there is none), and its time (zero where there is none). */
const char *kns_json_text(const json_t *object, const char *key);
struct kns_time kns_json_time(const json_t *object, const char *key);

/* A path from a format, with every %s percent-encoded; NULL: no memory. */
const char *kns_call_path(const struct kns_call *call, const char *format, ...);

/* ---- feeds and items by what people type --------------------------------------------------------- */

/* The id of a feed given as an id or a URL; says what went wrong and returns its exit code. */
int kns_call_feed_id(struct kns_call *call, const char *feed, int64_t *ret_id);

/* The same, of a feed that is there. */
int kns_call_known_feed_id(struct kns_call *call, const char *feed, int64_t *ret_id);

/* Appends a parameter for every --feed that was given, the first behind mark ('?' or '&'); an exit code. */
int kns_call_add_feeds(struct kns_call *call, char mark, struct kns_buf *out);

/* The number of an item's id; false when the word is no id. */
bool kns_item_id(const char *word, int64_t *ret_id);

/* Runs one function for every operand, tells failures apart, and returns the exit code of all. */
int kns_call_each_operand(struct kns_call *call,
                          int (*one)(struct kns_call *call, const char *operand));

/* ---- the verbs ----------------------------------------------------------------------------------- */

int kns_cmd_add(struct kns_call *call);
int kns_cmd_remove(struct kns_call *call);
int kns_cmd_pause(struct kns_call *call);
int kns_cmd_resume(struct kns_call *call);
int kns_cmd_edit(struct kns_call *call);
int kns_cmd_feeds(struct kns_call *call);
int kns_cmd_refresh(struct kns_call *call);
int kns_cmd_import(struct kns_call *call);
int kns_cmd_export(struct kns_call *call);
int kns_cmd_list(struct kns_call *call);
int kns_cmd_search(struct kns_call *call);
int kns_cmd_show(struct kns_call *call);
int kns_cmd_mark(struct kns_call *call);
int kns_cmd_tag(struct kns_call *call);
int kns_cmd_why(struct kns_call *call);
int kns_cmd_split(struct kns_call *call);
int kns_cmd_rule(struct kns_call *call);
int kns_cmd_links(struct kns_call *call);
int kns_cmd_watch(struct kns_call *call);
int kns_cmd_digest(struct kns_call *call);
int kns_cmd_issue(struct kns_call *call);
int kns_cmd_site(struct kns_call *call);
int kns_cmd_status(struct kns_call *call);
int kns_cmd_backup(struct kns_call *call);
int kns_cmd_check(struct kns_call *call);

int kns_cmd_parse(struct kns_call *call); /* needs no daemon: call->client is NULL */
int kns_cmd_template(struct kns_call *call);
int kns_cmd_help(struct kns_call *call);
int kns_cmd_completion(struct kns_call *call);

/* The query string of the filters that list, search and digest share, "" or "?…", and more behind it (NULL: nothing). Says what
 * went wrong and returns its exit code. */
int kns_call_filters(struct kns_call *call, const char *query, const char *more,
                     const char **ret_filters);

/* One line of an item in a list for programs: id, date, feed, title, URL. */
void kns_call_print_item(struct kns_call *call, const json_t *item);

#endif
