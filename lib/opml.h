/* opml.h - lists of subscriptions: OPML in (1.0, 1.1, 2.0, as sloppy as they come) and OPML 2.0 out.
 *
 * Folders are tags: a feed inside "AI" inside "Papers" has the tag "Papers/AI". A feed stands once in what is written,
 * in the folder of its first tag; its `category` attribute lists all its tags whenever the folder alone would not say
 * them, so that reading what was written gives back the same feeds with the same tags. Any thread.
 */
#ifndef KNS_OPML_H
#define KNS_OPML_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/error.h"
#include "lib/list.h"
#include "lib/store.h"

#include <stddef.h>

/* Limits on what is read, each with a test on either side. */
#define KNS_OPML_MAX_BYTES (32u << 20)
#define KNS_OPML_MAX_DEPTH 64     /* nested outlines */
#define KNS_OPML_MAX_FEEDS 200000 /* of one document */
#define KNS_OPML_MAX_TAGS 64      /* of one feed; more are left out */
#define KNS_OPML_MAX_TAG 1024     /* bytes of one tag; a longer one is left out */

struct kns_opml_feed {
    const char *url; /* xmlUrl, trimmed; never NULL or "" */
    const char
        *title; /* title, else text; plain text, one line; NULL: none, or only the URL again */
    const char *home_page_url; /* htmlUrl; NULL: none */
    const char *description;   /* NULL: none */
    struct kns_strings tags;   /* without repeats, the folder's first */
    struct kns_opml_feed *next;
};

struct kns_opml {
    const char *title;    /* of the list; NULL: none */
    struct kns_time date; /* dateModified, else dateCreated; written as dateModified; zero: none */
    KNS_LIST(kns_opml_feed) feeds;
    size_t repeats; /* read: outlines whose feed stood there before (their tags were added to it) */
    bool
        repaired; /* read: not well-formed XML; stray '&' and control characters were mended, or the end is missing */
    size_t cut_line;     /* read: nothing from this line on could be read; 0: everything was */
    const char *cut_why; /* static; what is wrong there */
};

/* Reads size bytes of an OPML document in any encoding into ret_opml (zeroed by the caller), in arena. An outline with an
 * xmlUrl is a feed, whatever its type; one without is a folder or a note. KNS_ENOTFEED: not XML, or XML
 * that is no OPML; KNS_ESYNTAX: broken before the first feed; KNS_ELIMIT; KNS_ENOMEM. The message names the line. */
enum kns_status kns_opml_read(struct kns_arena *arena, const char *bytes, size_t size,
                              struct kns_opml *ret_opml, struct kns_error *err);

/* A stored subscription as a feed of a list; its strings are the feed's own. Leaves out a URL's user and password
 * (law 6). NULL: no memory. Not yet in a list. */
struct kns_opml_feed *kns_opml_feed_of(struct kns_arena *arena, const struct kns_feed *feed);

/* Appends the list as OPML 2.0: folders sorted by name, the feeds in a folder in the order given; the same input gives
 * the same bytes. KNS_ENOMEM, KNS_ELIMIT (out is full). */
enum kns_status kns_opml_write(const struct kns_opml *opml, struct kns_buf *out,
                               struct kns_error *err);

#endif
