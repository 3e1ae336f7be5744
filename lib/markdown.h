/* markdown.h - CommonMark in and out: the curator's notes become safe HTML, and text or HTML from feeds becomes
 * Markdown that says what it said and nothing else. Any thread.
 */
#ifndef KNS_MARKDOWN_H
#define KNS_MARKDOWN_H

#include "lib/arena.h"
#include "lib/buf.h"

#include <stdbool.h>

/* CommonMark as sanitised HTML; raw HTML in it goes through the sanitiser like a feed's. NULL: no memory. */
const char *kns_markdown_to_html(struct kns_arena *arena, const char *markdown);

/* Appends plain text so that CommonMark shows exactly this text: markup characters are escaped, line breaks become
 * spaces. at_line_start: the text begins a line, where more characters mean something. */
void kns_markdown_add_text(struct kns_buf *out, const char *text, bool at_line_start);

/* Appends [text](url); only the text when url is no http, https or mailto URL. */
void kns_markdown_add_link(struct kns_buf *out, const char *text, const char *url);

/* Appends ![text](url); nothing when url is no http or https URL. */
void kns_markdown_add_image(struct kns_buf *out, const char *text, const char *url);

/* HTML as CommonMark blocks, without a line break at the end: headings, paragraphs, lists, quotations, code, emphasis,
 * links, images; all other markup leaves its text. The HTML is sanitised first; base as for
 * kns_html_sanitize. NULL: no memory. */
const char *kns_markdown_from_html(struct kns_arena *arena, const char *html, const char *base);

/* The same as plain text for mail: "text <url>" for a link, "- " for a list item, "> " for a quotation, no other marks.
 * Long lines are not broken. NULL: no memory. */
const char *kns_markdown_plain_from_html(struct kns_arena *arena, const char *html,
                                         const char *base);

#endif
