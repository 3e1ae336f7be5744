/* An issue to its readers. Who is to get it is noted before the mail server is spoken to, and forgotten where that did not take it:
 * whatever breaks in between, nobody gets it twice unless that is asked for. */
#include "daemon/issues.h"

#include "lib/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define READERS_MOST 10000

struct kns_sending {
    const struct kns_publication *publication;
    const char **to; /* as they were given, each once */
    size_t n, known; /* known: had it before, and are not in to */
    bool failed;     /* before anybody was asked for; err says why */
    struct kns_error err;
    struct kns_mail_outcome *outcomes;
};

/* ---- before ------------------------------------------------------------------------------------------------------------- */

static bool is_there(const char *const *addresses, size_t n, const char *address)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(addresses[i], address) == 0)
            return true;
    return false;
}

/* The bare addresses of the body, each once. */
static enum kns_status read_readers(struct kns_request *request, struct kns_sending *s,
                                    struct kns_error *err)
{
    const json_t *to = json_object_get(request->json, "to");
    char bare[KNS_MAIL_ADDRESS];
    json_t *address;
    size_t i;

    if (!json_is_array(to) || json_array_size(to) == 0 || json_array_size(to) > READERS_MOST)
        return kns_fail(err, KNS_EINVAL, "\"to\": expected an array of 1 to %d addresses",
                        READERS_MOST);
    s->to = kns_arena_alloc(request->arena, json_array_size(to) * sizeof(*s->to));
    if (s->to == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    json_array_foreach(to, i, address)
    {
        if (!json_is_string(address) || !kns_mail_address(json_string_value(address), bare))
            return kns_fail(err, KNS_EINVAL, "\"%.200s\" is no mail address",
                            json_is_string(address) ? json_string_value(address) : "");
        const char *copy = kns_arena_copy(request->arena, bare + 1, strlen(bare) - 2);
        if (copy == NULL)
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        if (!is_there(s->to, s->n, copy))
            s->to[s->n++] = copy;
    }
    return KNS_OK;
}

/* Leaves those in s->to that have not got it. */
static enum kns_status note(struct kns_request *request, struct kns_store *store,
                            struct kns_sending *s, struct kns_error *err)
{
    bool *fresh = kns_arena_alloc(request->arena, (s->n + 1) * sizeof(*fresh));
    bool again = json_is_true(json_object_get(request->json, "again"));
    size_t kept = 0;

    if (fresh == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_store_note_sent(store, s->publication->name, request->id, s->to,
                                                 s->n, again, kns_time_now(), fresh, err);
    for (size_t i = 0; i < s->n && status == KNS_OK; i++)
        if (fresh[i])
            s->to[kept++] = s->to[i];
    s->known = s->n - kept;
    s->n = kept;
    return status;
}

enum kns_status kns_begin_sending(struct kns_request *request, struct kns_store *store,
                                  struct kns_sending **ret, struct kns_error *err)
{
    struct kns_sending *s = KNS_NEW(request->arena, struct kns_sending);
    enum kns_status status = s == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                       : kns_issues_find_publication(request, &s->publication, err);

    if (status != KNS_OK)
        return status;
    s->failed = true;
    kns_fail(&s->err, KNS_EIO, "it was not sent");
    if (request->id == 0)
        status = kns_fail(err, KNS_ENOTFOUND, "there is no issue 0");
    if (status == KNS_OK)
        status = read_readers(request, s, err);
    if (status == KNS_OK)
        status = note(request, store, s, err);
    *ret = s;
    return status;
}

/* ---- the mail ----------------------------------------------------------------------------------------------------------- */

static enum kns_status send(struct kns_request *request, struct kns_store *store,
                            struct kns_sending *s, struct kns_error *err)
{
    const struct kns_digest_options options = {.template_dir = request->template_dir,
                                               .mail_from = request->mail.from};
    struct kns_issue *issue = NULL;
    struct kns_buf message = {0};
    enum kns_status status =
        kns_issues_load(request, store, s->publication, request->id, &issue, err);

    if (status != KNS_OK)
        return status;
    const struct kns_digest *digest = kns_issue_digest(request->arena, issue, s->publication, true);
    if (digest == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    status = kns_digest_render(digest, KNS_DIGEST_EML, &options, &message, NULL, err);
    if (status == KNS_OK)
        status = kns_mail_send(&request->mail, kns_buf_str(&message), message.len, s->to, s->n,
                               s->outcomes, err);
    kns_buf_fini(&message);
    return status;
}

/* On a query worker: the mail server may take its time. A failure is kept for the last step, which comes in any case. */
enum kns_status kns_do_send(struct kns_request *request, struct kns_store *store,
                            struct kns_sending *s, struct kns_error *err)
{
    (void)err;
    s->outcomes = kns_arena_alloc(request->arena, (s->n + 1) * sizeof(*s->outcomes));
    if (s->outcomes == NULL)
        kns_fail(&s->err, KNS_ENOMEM, "out of memory");
    s->failed = s->outcomes == NULL || (s->n > 0 && send(request, store, s, &s->err) != KNS_OK);
    return KNS_OK;
}

/* ---- after -------------------------------------------------------------------------------------------------------------- */

static json_t *answer_of(const struct kns_sending *s)
{
    json_t *refused = json_array(), *unknown = json_array();
    json_int_t sent = 0;

    for (size_t i = 0; i < s->n; i++) {
        enum kns_mail_state state = s->outcomes[i].state;
        sent += state == KNS_MAIL_SENT;
        if (state == KNS_MAIL_SENT)
            continue;
        json_array_append_new(
            state == KNS_MAIL_UNKNOWN ? unknown : refused,
            json_pack("{s:s, s:s%}", "to", s->to[i], "why", s->outcomes[i].why,
                      kns_text_utf8_prefix(s->outcomes[i].why, strlen(s->outcomes[i].why))));
    }
    return json_pack("{s:I, s:I, s:o, s:o}", "sent", sent, "known", (json_int_t)s->known, "refused",
                     refused, "unknown", unknown);
}

enum kns_status kns_end_sending(struct kns_request *request, struct kns_store *store,
                                struct kns_sending *s, struct kns_error *err)
{
    const char **none = kns_arena_alloc(request->arena, (s->n + 1) * sizeof(*none));
    size_t n = 0;

    if (none == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    for (size_t i = 0; i < s->n; i++)
        if (s->failed || s->outcomes[i].state == KNS_MAIL_REFUSED ||
            s->outcomes[i].state == KNS_MAIL_UNSENT)
            none[n++] = s->to[i];
    enum kns_status status =
        kns_store_forget_sent(store, s->publication->name, request->id, none, n, err);
    if (status != KNS_OK)
        return status;
    if (!s->failed)
        kns_request_answer(request, 200, answer_of(s));
    else
        kns_request_fail(request, &s->err);
    return KNS_OK;
}
