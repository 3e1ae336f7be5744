/* The door of the room: building a digest, and one table of formats. */
#include "lib/digest.h"

#include "lib/digest/view.h"

#include <string.h>

typedef enum kns_status write_fn(const struct digest_view *view, struct kns_buf *out,
                                 struct kns_error *err);

static const struct {
    const char *name, *content_type;
    write_fn *write; /* NULL: the mail, which reports on its HTML */
} formats[] = {
    [KNS_DIGEST_HTML] = {"html", "text/html; charset=utf-8", digest_write_html},
    [KNS_DIGEST_ATOM] = {"atom", "application/atom+xml; charset=utf-8", digest_write_atom},
    [KNS_DIGEST_OPML] = {"opml", "text/x-opml; charset=utf-8", digest_write_opml},
    [KNS_DIGEST_MARKDOWN] = {"markdown", "text/markdown; charset=utf-8", digest_write_markdown},
    [KNS_DIGEST_TEXT] = {"text", "text/plain; charset=utf-8", digest_write_text},
    [KNS_DIGEST_JSONFEED] = {"jsonfeed", "application/feed+json; charset=utf-8",
                             digest_write_jsonfeed},
    [KNS_DIGEST_EML] = {"eml", "message/rfc822", NULL},
};

#define N_FORMATS (sizeof(formats) / sizeof(formats[0]))

bool kns_digest_add_item(struct kns_digest *digest, struct kns_arena *arena,
                         const struct kns_item *item)
{
    struct kns_digest_item *node = KNS_NEW(arena, struct kns_digest_item);

    if (node == NULL)
        return false;
    node->item = item;
    node->note_html = item->note_html;
    node->section = item->section;
    KNS_LIST_APPEND(&digest->items, node);
    return true;
}

bool kns_digest_add_section(struct kns_digest *digest, struct kns_arena *arena, const char *title,
                            const char *content_html)
{
    struct kns_digest_section *node = KNS_NEW(arena, struct kns_digest_section);

    if (node == NULL)
        return false;
    node->title = title;
    node->content_html = content_html;
    KNS_LIST_APPEND(&digest->sections, node);
    return true;
}

bool kns_digest_format_find(const char *name, enum kns_digest_format *ret_format)
{
    for (size_t i = 0; i < N_FORMATS; i++) {
        if (strcmp(formats[i].name, name) != 0)
            continue;
        *ret_format = (enum kns_digest_format)i;
        return true;
    }
    return false;
}

const char *kns_digest_format_name(enum kns_digest_format format)
{
    return (size_t)format < N_FORMATS ? formats[format].name : "";
}

const char *kns_digest_format_names(void)
{
    return "html|atom|opml|markdown|text|jsonfeed|eml";
}

const char *kns_digest_content_type(enum kns_digest_format format)
{
    return (size_t)format < N_FORMATS ? formats[format].content_type : "";
}

static enum kns_status write_view(const struct digest_view *view, enum kns_digest_format format,
                                  struct kns_buf *out, struct kns_digest_report *report,
                                  struct kns_error *err)
{
    size_t before = out->len;

    if (formats[format].write == NULL)
        return digest_write_eml(view, out, &report->html_bytes, err);
    enum kns_status status = formats[format].write(view, out, err);
    if (format == KNS_DIGEST_HTML)
        report->html_bytes = out->len - before;
    return status;
}

enum kns_status kns_digest_render(const struct kns_digest *digest, enum kns_digest_format format,
                                  const struct kns_digest_options *options, struct kns_buf *out,
                                  struct kns_digest_report *ret_report, struct kns_error *err)
{
    static const struct kns_digest_options none = {0};
    struct kns_digest_report report = {0};
    struct kns_arena *arena = kns_arena_new(0);
    struct digest_view *view =
        arena != NULL ? digest_view_new(arena, digest, options != NULL ? options : &none) : NULL;
    enum kns_status status;

    if (view != NULL)
        status = write_view(view, format, out, &report, err);
    else
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_arena_free(arena);
    if (status == KNS_OK && kns_buf_failed(out))
        status = out->limit != 0
                     ? kns_fail(err, KNS_ELIMIT, "the digest is over %zu bytes", out->limit)
                     : kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK && ret_report != NULL)
        *ret_report = report;
    return status;
}
