/* html.h - the only room that knows HTML: gumbo's tree in, text, links and safe HTML out.
 *
 * Input is UTF-8, NUL-terminated, as hostile as it likes; nesting and size are bounded before the tree is built
 * (KNS_HTML_MAX_DEPTH, KNS_HTML_MAX_BYTES), cut there and closed. Results live in the arena given;
 * NULL only when memory or its limit ran out. Any thread.
 */
#ifndef KNS_HTML_H
#define KNS_HTML_H

#include "lib/arena.h"
#include "lib/document.h"

#include <stdbool.h>

#define KNS_HTML_MAX_DEPTH 256
#define KNS_HTML_MAX_BYTES (8u << 20)

/* What a reader sees: entities decoded, block elements separated by line breaks, no script and style, white space
 * collapsed, ends trimmed. */
const char *kns_html_to_text(struct kns_arena *arena, const char *html);

/* The same as one line (block boundaries become one space): for titles and summaries. */
const char *kns_html_to_line(struct kns_arena *arena, const char *html);

/* True when the text holds markup or character references that a browser would act on: a known HTML element's tag,
 * a comment, or a reference. "AT&T", "a < b", "if x<y" are plain text. */
bool kns_html_looks_like_html(const char *text);

/* Relative URLs made absolute wherever HTML can hold one (href, src, srcset, poster, cite, data, action, background,
 * …); the rest byte for byte where no URL changes. base NULL: html itself. */
const char *kns_html_resolve(struct kns_arena *arena, const char *html, const char *base);

/* The allow-list sanitiser: elements, attributes, URL schemes and CSS properties by tables; foreign content,
 * templates, noscript, comments dropped; links get rel="noopener noreferrer"; tracking pixels dropped; relative
 * links made absolute against base (may be NULL). Sanitising twice changes nothing, but where tables and paragraphs are
 * nested against HTML's rules: a second round may then close them elsewhere. */
const char *kns_html_sanitize(struct kns_arena *arena, const char *html, const char *base);

/* The address of the first picture that is content (no tracking pixel, no emoji or icon), resolved; NULL when there
 * is none. */
const char *kns_html_first_image(struct kns_arena *arena, const char *html, const char *base);

/* A link found in HTML. */
struct kns_html_link {
    const char *url;     /* absolute where base allows it */
    const char *text;    /* one line */
    const char *context; /* the sentence it stands in, one line; may be NULL */
    struct kns_html_link *next;
};
struct kns_html_links {
    KNS_LIST(kns_html_link) list;
};

/* Appends every http(s) link of html to ret_links, in order. False: no memory. */
bool kns_html_links(struct kns_arena *arena, const char *html, const char *base,
                    struct kns_html_links *ret_links);

/* The feeds a page names by <link rel="alternate" type=…> (and rel=feed), in order, without repeats, resolved
 * against <base> and base. title and type may be NULL. */
struct kns_html_feed {
    const char *url, *title, *type;
    struct kns_html_feed *next;
};
struct kns_html_feeds {
    KNS_LIST(kns_html_feed) list;
};
bool kns_html_find_feeds(struct kns_arena *arena, const char *html, const char *base,
                         struct kns_html_feeds *ret_feeds);

/* What a page says of itself: <title>, Open Graph, description, thumbnail; each NULL where absent. */
struct kns_html_page {
    const char *title, *site_name, *description, *image, *canonical_url, *language;
};
bool kns_html_describe_page(struct kns_arena *arena, const char *html, const char *base,
                            struct kns_html_page *ret_page);

/* True when the bytes are an HTML page rather than a feed (a doctype, an html, head or body element). */
bool kns_html_is_page(const char *bytes, size_t size);

/* Escapes & < > " ' for HTML text and attribute values. */
const char *kns_html_escape(struct kns_arena *arena, const char *text);

#endif
