/* issues.h - what the files of requests about issues share. On a query worker, or on the writer thread where they store something;
 * all that is handed out lives in the request's arena. */
#ifndef KNSD_ISSUES_H
#define KNSD_ISSUES_H

#include "daemon/request.h"
#include "lib/issue.h"

/* The newsletter that the request names, else the first. KNS_ENOTFOUND. */
enum kns_status kns_issues_find_publication(struct kns_request *request,
                                            const struct kns_publication **ret,
                                            struct kns_error *err);

/* An issue out of the document that the store keeps. KNS_ECORRUPT. */
enum kns_status kns_issues_parse(struct kns_arena *arena, const char *document,
                                 struct kns_issue **ret, struct kns_error *err);

/* The issue of a number; 0: the draft. KNS_ENOTFOUND. */
enum kns_status kns_issues_load(struct kns_request *request, struct kns_store *store,
                                const struct kns_publication *publication, int64_t number,
                                struct kns_issue **ret, struct kns_error *err);

/* The last published number and when that was; zeros: nothing is published. */
enum kns_status kns_issues_find_last(struct kns_store *store,
                                     const struct kns_publication *publication,
                                     struct kns_issue_record *ret, struct kns_error *err);

/* The draft as it is; where there is none, an empty one for the next number. */
enum kns_status kns_issues_load_draft(struct kns_request *request, struct kns_store *store,
                                      const struct kns_publication *publication,
                                      struct kns_issue **ret, struct kns_error *err);

/* The request's newsletter and its draft: how every change begins. */
enum kns_status kns_issues_begin(struct kns_request *request, struct kns_store *store,
                                 const struct kns_publication **ret_publication,
                                 struct kns_issue **ret_issue, struct kns_error *err);

/* Stores an issue, with what it covers. On the writer thread. */
enum kns_status kns_issues_save(struct kns_request *request, struct kns_store *store,
                                const struct kns_publication *publication,
                                const struct kns_issue *issue, struct kns_error *err);

/* Stores a changed draft under its next revision and answers with it, and with the members of more (NULL: none; takes the reference):
 * how every change ends. On the writer thread. */
enum kns_status kns_issues_finish(struct kns_request *request, struct kns_store *store,
                                  const struct kns_publication *publication,
                                  struct kns_issue *issue, json_t *more, struct kns_error *err);

/* Answers with an issue, with what a person should hear of it ("already in #41"), and with the members of more (NULL: none; takes the
 * reference). */
void kns_issues_answer(struct kns_request *request, struct kns_store *store,
                       const struct kns_issue *issue, json_t *more);

/* In which issue but `except` an address, or nearly a title, was: its number; 0: in none. ctx: struct kns_looking_back. */
struct kns_looking_back {
    struct kns_store *store;
    const char *newsletter;
    int64_t except;
};
int64_t kns_issues_covered(void *ctx, const char *url, const char *title);

/* What is wrong with an issue, seen from this store. */
enum kns_status kns_issues_lint(struct kns_request *request, struct kns_store *store,
                                const struct kns_publication *publication,
                                const struct kns_issue *issue, struct kns_issue_problems *ret,
                                struct kns_error *err);

/* The same for an answer; a new reference. */
json_t *kns_issues_problems(const struct kns_issue_problems *problems);

/* A member of the body that is a string; NULL: not given. KNS_EINVAL: it is something else. */
enum kns_status kns_issues_text_of(const struct kns_request *request, const char *name,
                                   const char **ret, struct kns_error *err);

/* An item of the store by its id, or (0) by its address, which is stored where nothing is known of it yet. ctx: the store. On the
 * writer thread. KNS_ENOTFOUND; KNS_EINVAL: it has no address to link to, or what was given is none. */
enum kns_status kns_issues_find_item(void *ctx, struct kns_arena *arena, int64_t id,
                                     const char *url, struct kns_issue_item **ret_item,
                                     struct kns_error *err);

/* The issue as the body's text says. KNS_EINVAL: a line that cannot be understood; KNS_EBUSY: it was made from an older revision, and
 * the request has its answer. On the writer thread. */
enum kns_status kns_issues_read_text(struct kns_request *request, struct kns_store *store,
                                     struct kns_issue *issue, struct kns_error *err);

#endif
