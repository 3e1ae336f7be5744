/* The selection as OPML 2.0: a link outline for each item, under its section's. */
#include "lib/digest/view.h"
#include "lib/digest/xml.h"

#include <stdio.h>
#include <string.h>

static void add_outline(struct kns_buf *out, int indent, const struct digest_entry *e)
{
    char at[KNS_TIME_TEXT];

    kns_buf_addf(out, "%*s<outline", indent, "");
    if (*e->url != '\0')
        kns_buf_adds(out, " type=\"link\"");
    kns_buf_adds(out, " text=\"");
    digest_xml_text(out, e->title);
    kns_buf_addc(out, '"');
    digest_xml_attribute(out, "url", e->url);
    digest_xml_attribute(out, "created", kns_time_format(e->at, at));
    digest_xml_attribute(out, "description", e->description);
    kns_buf_adds(out, "/>\n");
}

enum kns_status digest_write_opml(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err)
{
    const struct digest_group *group;
    const struct digest_entry *entry;
    char modified[KNS_TIME_HTTP];

    (void)err;
    kns_buf_adds(out,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n");
    digest_xml_element(out, 4, "title", view->title);
    digest_xml_element(out, 4, "dateModified", kns_time_format_http(view->updated, modified));
    digest_xml_element(out, 4, "ownerName", view->author);
    kns_buf_adds(out, "  </head>\n  <body>\n");
    KNS_LIST_EACH(group, &view->groups)
    {
        bool named = *group->title != '\0';
        if (named) {
            kns_buf_adds(out, "    <outline");
            digest_xml_attribute(out, "text", group->title);
            kns_buf_adds(out, ">\n");
        }
        KNS_LIST_EACH(entry, &group->entries)
        add_outline(out, named ? 6 : 4, entry);
        if (named)
            kns_buf_adds(out, "    </outline>\n");
    }
    kns_buf_adds(out, "  </body>\n</opml>\n");
    return KNS_OK;
}
