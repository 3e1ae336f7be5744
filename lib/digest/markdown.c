/* CommonMark. The description is the article's word, so it stands as a quotation; the note is the curator's. */
#include "lib/markdown.h"
#include "lib/digest/view.h"

#include <string.h>

static void add_heading(struct kns_buf *out, const char *marks, const char *text)
{
    kns_buf_adds(out, marks);
    kns_markdown_add_text(out, text, false);
    kns_buf_adds(out, "\n\n");
}

static bool add_html(const struct digest_view *view, struct kns_buf *out, const char *html)
{
    if (*html == '\0')
        return true;
    const char *markdown = kns_markdown_from_html(view->arena, html, NULL);
    if (markdown == NULL)
        return false;
    if (*markdown != '\0') {
        kns_buf_adds(out, markdown);
        kns_buf_adds(out, "\n\n");
    }
    return true;
}

static bool add_entry(const struct digest_view *view, struct kns_buf *out,
                      const struct digest_entry *e)
{
    kns_buf_adds(out, "**");
    kns_markdown_add_link(out, e->title, e->url);
    kns_buf_adds(out, "**");
    if (*e->site != '\0') {
        kns_buf_adds(out, " — ");
        kns_markdown_add_text(out, e->site, false);
    }
    kns_buf_adds(out, "\n\n");
    if (*e->image != '\0') {
        kns_markdown_add_image(out, e->title, e->image);
        kns_buf_adds(out, "\n\n");
    }
    if (*e->description != '\0') {
        kns_buf_adds(out, "> ");
        kns_markdown_add_text(out, e->description, true);
        kns_buf_adds(out, "\n\n");
    }
    return add_html(view, out, e->note_html);
}

static void add_dates(const struct digest_view *view, struct kns_buf *out)
{
    if (*view->date != '\0') {
        kns_markdown_add_text(out, view->date, false);
        kns_buf_adds(out, " · ");
    }
    kns_markdown_add_text(out, view->count, false);
    kns_buf_adds(out, "\n\n");
}

enum kns_status digest_write_markdown(const struct digest_view *view, struct kns_buf *out,
                                      struct kns_error *err)
{
    const struct digest_part *part;
    const struct digest_group *group;
    const struct digest_entry *entry;
    bool ok = true;

    add_heading(out, "# ", view->title);
    add_dates(view, out);
    KNS_LIST_EACH(part, &view->parts)
    {
        if (*part->title != '\0')
            add_heading(out, "## ", part->title);
        ok = ok && add_html(view, out, part->html);
    }
    if (view->parts.count > 0 && view->n_entries > 0)
        kns_buf_adds(out, "---\n\n");
    KNS_LIST_EACH(group, &view->groups)
    {
        if (*group->title != '\0')
            add_heading(out, "## ", group->title);
        KNS_LIST_EACH(entry, &group->entries)
        ok = ok && add_entry(view, out, entry);
    }
    if (!kns_buf_failed(out) && out->len > 1) /* one line break at the end, not two */
        out->data[--out->len] = '\0';
    return ok ? KNS_OK : kns_fail(err, KNS_ENOMEM, "out of memory");
}
