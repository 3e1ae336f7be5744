/* An issue to its readers. */
#include "daemon/issues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On a query worker: the mail server may take its time. */
enum kns_status kns_send_issue(struct kns_request *request, struct kns_store *store,
                               struct kns_error *err)
{
    const json_t *to = json_object_get(request->json, "to");
    const struct kns_publication *publication = NULL;
    struct kns_issue *issue = NULL;
    const char **addresses =
        kns_arena_alloc(request->arena, (json_array_size(to) + 1) * sizeof(*addresses));
    enum kns_status status = kns_issues_find_publication(request, &publication, err);
    json_t *address;
    size_t i, n = 0;

    if (status == KNS_OK)
        status = kns_issues_load(request, store, publication, request->id, &issue, err);
    if (status != KNS_OK)
        return status;
    json_array_foreach(to, i, address)
    {
        if (!json_is_string(address))
            return kns_fail(err, KNS_EINVAL, "\"to\": expected an array of addresses");
        addresses[n++] = json_string_value(address);
    }
    const struct kns_digest *digest = kns_issue_digest(request->arena, issue, publication, true);
    const struct kns_digest_options options = {.template_dir = request->template_dir,
                                               .mail_from = request->mail.from};
    struct kns_buf message = {0};
    if (digest == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    status = kns_digest_render(digest, KNS_DIGEST_EML, &options, &message, NULL, err);
    if (status == KNS_OK)
        status =
            kns_mail_send(&request->mail, kns_buf_str(&message), message.len, addresses, n, err);
    kns_buf_fini(&message);
    if (status == KNS_OK)
        kns_request_answer(request, 200, json_pack("{s:I}", "sent", (json_int_t)n));
    return status;
}
