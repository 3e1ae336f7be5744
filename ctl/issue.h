/* issue.h - what the files of `knsctl issue` share: the words behind the action, the issue as a table, its actions. */
#ifndef KNSCTL_ISSUE_H
#define KNSCTL_ISSUE_H

#include "ctl/ctl.h"
#include "lib/buf.h"

/* The words behind the action's name; NULL behind the last. */
const char *kns_issue_operand(const struct kns_call *call, size_t i);
size_t kns_issue_n_operands(const struct kns_call *call);

/* A path with --newsletter and more ("a=b&c=d", "": nothing) as its query. */
const char *kns_issue_path_of(struct kns_call *call, const char *path, const char *more);

/* "12", "#12" or "draft" (and NULL) as a path; NULL: none of these, and that was said. */
const char *kns_issue_path(struct kns_call *call, const char *word);

/* A member's number as text. */
const char *kns_issue_number_text(struct kns_call *call, const json_t *object, const char *key);

/* An option that was given, as a member of a body. */
void kns_issue_set_option(const struct kns_call *call, json_t *body, const char *name);

/* An item's id as a number, an address as text: what "items" of a body hold. A new reference. */
json_t *kns_issue_which(const char *word);

/* All of a file ("-": standard input) into ret, which the caller fines when this returned KNS_EXIT_OK. */
int kns_issue_read_file(struct kns_call *call, const char *path, struct kns_buf *ret);

/* The issue as a table: what stands in it, and what still lacks a comment. Takes the reference. */
int kns_issue_print(struct kns_call *call, json_t *issue);

/* Sends a body (takes the reference) and prints the issue that is answered. */
int kns_issue_post(struct kns_call *call, const char *path, json_t *body);

/* The issue in a format, to standard output or --output; more ("a=b", "": nothing) goes into the query. */
int kns_issue_show_as(struct kns_call *call, const char *path, const char *format,
                      const char *more);

/* What is known of an article is what its feed said; its page says the rest, once. Anything but KNS_EXIT_OK: it cannot be added, and
 * that was said. */
int kns_issue_look_up(struct kns_call *call, const char *word);

/* What to do next, for a person at a terminal; nothing to a pipe. */
void kns_issue_hint(const struct kns_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The actions. */
int kns_cmd_issue_suggest(struct kns_call *call);
int kns_cmd_issue_add(struct kns_call *call);
int kns_cmd_issue_drop(struct kns_call *call);
int kns_cmd_issue_move(struct kns_call *call);
int kns_cmd_issue_note(struct kns_call *call);
int kns_cmd_issue_intro(struct kns_call *call);
int kns_cmd_issue_edit(struct kns_call *call);
int kns_cmd_issue_show(struct kns_call *call);
int kns_cmd_issue_preview(struct kns_call *call);
int kns_cmd_issue_lint(struct kns_call *call);
int kns_cmd_issue_publish(struct kns_call *call);
int kns_cmd_issue_list(struct kns_call *call);
int kns_cmd_issue_correct(struct kns_call *call);
int kns_cmd_issue_send(struct kns_call *call);
int kns_cmd_issue_import(struct kns_call *call);
int kns_cmd_issue_discard(struct kns_call *call);

#endif
