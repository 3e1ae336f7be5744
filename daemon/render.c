/* A digest or an issue in the format that a request asks for: one way for all of them. */
#include "daemon/request.h"

#include <string.h>

/* The thumbnails are fetched before the digest is shown with them; the handler runs again then. */
static enum kns_status want_pictures(struct kns_request *request, const struct kns_digest *digest,
                                     struct kns_error *err)
{
    if (kns_digest_find_pictures(request->arena, digest, &request->pictures, &request->n_pictures))
        return KNS_OK;
    return kns_fail(err, KNS_ENOMEM, "out of memory");
}

static enum kns_status read_images(struct kns_request *request, enum kns_digest_images *ret,
                                   struct kns_error *err)
{
    static const char *const names[] = {[KNS_IMAGES_REMOTE] = "remote",
                                        [KNS_IMAGES_NONE] = "none",
                                        [KNS_IMAGES_EMBEDDED] = "embedded"};
    const char *value = kns_request_parameter(request, "images");

    for (size_t i = 0; value != NULL && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(value, names[i]) == 0) {
            *ret = (enum kns_digest_images)i;
            return KNS_OK;
        }
    if (value == NULL)
        return KNS_OK;
    return kns_fail(err, KNS_EINVAL, "images=%.60s: expected remote, none or embedded", value);
}

bool kns_request_format(struct kns_request *request, enum kns_digest_format *ret)
{
    const char *name = kns_request_parameter(request, "format");

    if (name == NULL || kns_digest_format_find(name, ret))
        return true;
    kns_request_problem(request, 400, "format=%.60s: expected %s", name, kns_digest_format_names());
    return false;
}

enum kns_status kns_request_render(struct kns_request *request, const struct kns_digest *digest,
                                   enum kns_digest_format format, struct kns_time changed,
                                   struct kns_error *err)
{
    struct kns_digest_options options = {.template_dir = request->template_dir};
    enum kns_status status = read_images(request, &options.images, err);

    if (status != KNS_OK)
        return status;
    if (!kns_request_flag(request, "paste", &options.paste))
        return KNS_OK;
    if (options.images == KNS_IMAGES_EMBEDDED && !request->pictures_ready)
        return want_pictures(request, digest, err);
    options.pictures = request->pictures;
    options.n_pictures = request->n_pictures;
    if (request->mail.from != NULL && *request->mail.from != '\0')
        options.mail_from = request->mail.from;
    status = kns_digest_render(digest, format, &options, &request->out, NULL, err);
    if (status != KNS_OK)
        return status;
    request->status = 200;
    request->answer_type = kns_digest_content_type(format);
    kns_request_validate(request, changed);
    return KNS_OK;
}
