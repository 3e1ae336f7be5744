/* newsletter.h - a newsletter issue taken apart: the introduction in sections, the links that its prose mentions, and the link
 * items with the curator's comment.
 *
 * It reads structure, not one producer's markup: a link item is a link that stands as a title (bold, a heading, alone on its
 * line, the head of a list entry) with what follows it up to the next one. Nothing is invented: what is not there is NULL.
 * All results live in the arena given, are valid UTF-8, and hold only HTML written here (a small set of elements,
 * http, https and mailto links without tracking parameters). Any thread.
 */
#ifndef KNS_NEWSLETTER_H
#define KNS_NEWSLETTER_H

#include "lib/arena.h"
#include "lib/error.h"
#include "lib/list.h"
#include "lib/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of the introduction, or of the prose between items that stands under a heading of its own. */
struct kns_newsletter_section {
    const char *title; /* plain text; NULL: prose without a heading */
    const char *content_html;
    struct kns_newsletter_section *next;
};

/* A link in that prose. */
struct kns_newsletter_mention {
    const char *url, *text;
    const char *section; /* NULL: prose without a heading */
    const char *context; /* the sentence it stands in, one line */
    struct kns_newsletter_mention *next;
};

struct kns_newsletter_item {
    const char *url;         /* absolute, without tracking parameters; never NULL */
    const char *title;       /* plain text; NULL: only the address was given */
    const char *image;       /* absolute */
    const char *site;        /* the site's name, where it stands beside the title */
    const char *description; /* plain text, taken from the article */
    const char *note_html;   /* the curator's comment */
    const char *note;        /* the same as plain text */
    const char *section;     /* the heading that it stands under */
    int64_t position;        /* 1 for the first */
    struct kns_newsletter_item *next;
};

struct kns_newsletter {
    const char *title;
    const char *url;           /* the permanent URL */
    int64_t number;            /* the issue's, out of its title; 0: none there */
    struct kns_time published; /* zero: not said */
    KNS_LIST(kns_newsletter_section) sections;
    KNS_LIST(kns_newsletter_mention) mentions;
    KNS_LIST(kns_newsletter_item) items;
};

/* Where an issue comes from; each member may be NULL. */
struct kns_newsletter_source {
    const char *title; /* of the issue, as its feed gives it; else the document's own is taken */
    const char
        *url; /* its permanent URL: links are resolved against it, links back to it are no items */
    const char *home; /* the newsletter's own site: links to its front page are no items */
};

/* Takes html (NUL-terminated) apart. KNS_ENOMEM when memory or the arena's limit ran out. A text without items is no error. */
enum kns_status kns_newsletter_read(struct kns_arena *arena, const char *html,
                                    const struct kns_newsletter_source *source,
                                    struct kns_newsletter **ret_newsletter, struct kns_error *err);

/* The same for a file: plain HTML, or an archive file whose first line is "# TITLE" and whose second is the URL. What
 * the file says wins over source, which may be NULL. KNS_ESYNTAX when bytes is neither HTML nor UTF-8 text. */
enum kns_status kns_newsletter_read_file(struct kns_arena *arena, const char *bytes, size_t size,
                                         const struct kns_newsletter_source *source,
                                         struct kns_newsletter **ret_newsletter,
                                         struct kns_error *err);

/* False when the HTML names too few addresses to be one: quick, nothing is taken apart. Every link item has one: a link's, or one that
 * stands in the text. */
bool kns_newsletter_may_be_roundup(const char *html);

/* True when it looks like a roundup: several link items with titles in words, and what is said of them is a good part of all. */
bool kns_newsletter_is_roundup(const struct kns_newsletter *newsletter);

/* The number in an issue's title ("Weekly News #117", "第12号", "Issue 7", "Vol. 3"); 0: none. */
int64_t kns_newsletter_number(const char *title);

/* As a JSON Feed 1.1 document with `_kns` as kns-api(7) has it; a new reference. NULL: no memory.
 * sanitize: HTML goes through the sanitiser. */
json_t *kns_newsletter_to_json(const struct kns_newsletter *newsletter, bool sanitize);

#endif
