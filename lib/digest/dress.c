#include "lib/digest/dress.h"

#include "lib/buf.h"

#include <ctype.h>
#include <string.h>

#define HEADING "" /* as: the level that the caller wants */

static const struct dress {
    const char *name;
    const char *as; /* NULL: the same */
    const char *style;
} dresses[] = {
    {"a", NULL, "color:#0b5394"},
    {"p", NULL, "margin:0 0 12px 0"},
    {"ul", NULL, "margin:0 0 12px 0;padding:0 0 0 24px"},
    {"ol", NULL, "margin:0 0 12px 0;padding:0 0 0 24px"},
    {"li", NULL, "margin:0 0 4px 0"},
    {"blockquote", NULL, "margin:0 0 12px 0;padding:0 0 0 14px;border-left:3px solid #dedad1"},
    {"pre", NULL,
     "margin:0 0 12px 0;padding:10px 12px;background-color:#f4f2ed;border-radius:4px;"
     "font-size:14px;line-height:1.6;white-space:pre-wrap"},
    {"code", NULL,
     "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:14px"},
    {"table", NULL, "margin:0 0 12px 0;border-collapse:collapse;font-size:15px;line-height:1.5"},
    {"th", NULL,
     "padding:5px 18px 5px 0;border-bottom:1px solid #c9c4b8;text-align:left;vertical-align:top"},
    {"td", NULL,
     "padding:5px 18px 5px 0;border-bottom:1px solid #ece8df;text-align:left;vertical-align:top"},
    {"img", NULL, "max-width:100%;height:auto"},
    {"video", NULL, "max-width:100%;height:auto"},
    {"figure", NULL, "margin:0 0 12px 0"},
    {"hr", NULL, "margin:16px 0;border:0;border-top:1px solid #dedad1"},
    {"main", "div", NULL},
    {"h1", HEADING, "margin:16px 0 6px 0;font-size:16px;line-height:1.5"},
    {"h2", HEADING, "margin:16px 0 6px 0;font-size:16px;line-height:1.5"},
    {"h3", HEADING, "margin:16px 0 6px 0;font-size:16px;line-height:1.5"},
    {"h4", HEADING, "margin:16px 0 6px 0;font-size:16px;line-height:1.5"},
    {"h5", HEADING, "margin:16px 0 6px 0;font-size:16px;line-height:1.5"},
    {"h6", HEADING, "margin:16px 0 6px 0;font-size:16px;line-height:1.5"},
};

static const struct dress *find(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(dresses) / sizeof(dresses[0]); i++)
        if (strlen(dresses[i].name) == len && strncmp(dresses[i].name, name, len) == 0)
            return &dresses[i];
    return NULL;
}

/* The element's own style, after which ours would win: ours goes before it. The sanitiser quotes every value, so that nothing else looks like it. */
static void add_attributes(struct kns_buf *out, const char *text, size_t len, const char *style)
{
    static const char mark[] = " style=\"";
    const char *own = style == NULL ? NULL : memmem(text, len, mark, sizeof(mark) - 1);
    size_t before = own == NULL ? len : (size_t)(own - text);

    kns_buf_add(out, text, before);
    if (style != NULL)
        kns_buf_addf(out, "%s%s%s", mark, style, own == NULL ? "\"" : ";");
    if (own != NULL)
        kns_buf_add(out, own + sizeof(mark) - 1, len - before - (sizeof(mark) - 1));
}

/* One tag, from its '<' to its '>'. */
static void add_tag(struct kns_buf *out, const char *tag, size_t size, const char *heading)
{
    bool closing = tag[1] == '/';
    const char *name = tag + 1 + closing;
    size_t len = 0;

    while (isalnum((unsigned char)name[len]))
        len++;
    const struct dress *dress = find(name, len);
    if (dress == NULL) {
        kns_buf_add(out, tag, size);
        return;
    }
    const char *as = dress->as == NULL ? dress->name : *dress->as == '\0' ? heading : dress->as;
    kns_buf_addf(out, "<%s%s", closing ? "/" : "", as);
    if (!closing)
        add_attributes(out, name + len, size - (size_t)(name + len - tag) - 1, dress->style);
    kns_buf_addc(out, '>');
}

const char *digest_dress(struct kns_arena *arena, const char *html, const char *heading)
{
    struct kns_buf out = {0};

    while (*html != '\0') {
        size_t len = strcspn(html, "<");
        kns_buf_add(&out, html, len);
        html += len;
        len = strcspn(html, ">");
        if (html[len] == '\0')
            break;
        add_tag(&out, html, len + 1, heading);
        html += len + 1;
    }
    const char *dressed =
        kns_buf_failed(&out) ? NULL : kns_arena_copy(arena, kns_buf_str(&out), out.len);
    kns_buf_fini(&out);
    return dressed;
}
