#include "lib/markdown.h"

#include "lib/html.h"

#include <cmark.h>
#include <stdlib.h>
#include <string.h>

const char *kns_markdown_to_html(struct kns_arena *arena, const char *markdown)
{
    /* Raw HTML passes cmark; the sanitiser is the one place that judges it. */
    char *html = cmark_markdown_to_html(markdown, strlen(markdown),
                                        CMARK_OPT_UNSAFE | CMARK_OPT_VALIDATE_UTF8);

    if (html == NULL)
        return NULL;
    const char *safe = kns_html_sanitize(arena, html, NULL);
    free(html);
    return safe;
}
