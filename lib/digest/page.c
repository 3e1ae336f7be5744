/* HTML and plain text: the formats that templates write. */
#include "lib/digest/context.h"
#include "lib/digest/templates.h"

static enum kns_status write_template(const struct digest_view *view, const char *name,
                                      enum kns_mustache_escape escape, struct kns_buf *out,
                                      struct kns_error *err)
{
    json_t *context = digest_context(view);

    if (context == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status =
        digest_template_render(view->options->template_dir, name, context, escape, out, err);
    json_decref(context);
    return status;
}

enum kns_status digest_write_html(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err)
{
    return write_template(view, view->options->paste ? "paste.html" : "digest.html",
                          KNS_MUSTACHE_HTML, out, err);
}

enum kns_status digest_write_text(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err)
{
    return write_template(view, "digest.text", KNS_MUSTACHE_PLAIN, out, err);
}

enum kns_status kns_digest_render_archive(const struct kns_digest_archive *archive,
                                          const char *template_dir, struct kns_buf *out,
                                          struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    json_t *context = arena == NULL ? NULL : digest_archive_context(arena, archive);
    enum kns_status status = context == NULL
                                 ? kns_fail(err, KNS_ENOMEM, "out of memory")
                                 : digest_template_render(template_dir, "archive.html", context,
                                                          KNS_MUSTACHE_HTML, out, err);

    json_decref(context);
    kns_arena_free(arena);
    return status;
}
