/* digest.h - a selection of items as something worth sending: one model, one renderer for each format.
 *
 * An uncurated digest is what a query gave, in its order; a curated one is a numbered issue with an introduction in
 * sections and the curator's notes. Both are the same struct and look alike. The same input gives the same bytes: a
 * renderer asks no clock, no locale, no environment.
 *
 * Strings are borrowed: the digest lives as long as what it points to, mostly one arena. All strings are valid
 * UTF-8. HTML in them may be hostile: it is sanitised on its way out; plain text is escaped. Any thread.
 */
#ifndef KNS_DIGEST_H
#define KNS_DIGEST_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/error.h"
#include "lib/list.h"
#include "lib/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum kns_digest_format {
    KNS_DIGEST_HTML,     /* a page that is also a mail: inline styles, no script */
    KNS_DIGEST_ATOM,     /* RFC 4287 */
    KNS_DIGEST_OPML,     /* OPML 2.0, type="link" */
    KNS_DIGEST_MARKDOWN, /* CommonMark */
    KNS_DIGEST_TEXT,     /* 72 columns, Japanese line breaking */
    KNS_DIGEST_JSONFEED, /* JSON Feed 1.1 */
    KNS_DIGEST_EML,      /* RFC 5322, multipart/alternative of text and HTML */
};

/* Mail programs cut a message whose HTML is longer. A digest that is longer is rendered whole; callers warn. */
#define KNS_DIGEST_MAIL_MAX_BYTES (102u * 1024)
#define KNS_DIGEST_MAX_DESCRIPTION 300 /* columns; cut at a sentence's end where there is one */

/* A part of the introduction. */
struct kns_digest_section {
    const char *title;        /* plain text; NULL: prose without a heading */
    const char *content_html; /* NULL: only a heading */
    struct kns_digest_section *next;
};

/* An item as it stands in a digest. What is NULL comes from the item itself; "" shows nothing. */
struct kns_digest_item {
    const struct kns_item *item; /* never NULL */
    const char *title;
    const char *site;        /* the name beside the title */
    const char *description; /* plain text */
    const char *image;       /* http(s) URL */
    const char *note_html;   /* the curator's comment */
    const char *section;     /* items of one section stand together under its name */
    struct kns_digest_item *next;
};

struct kns_digest {
    const char *title;        /* as shown: "Weekly Kaggle News #117"; NULL: "KNS digest" */
    const char *publication;  /* without the number: "Weekly Kaggle News"; NULL: title */
    const char *author;       /* NULL: the publication */
    const char *author_email; /* NULL: none */
    const char
        *list; /* names its mailing list where the publication has no Latin letters; NULL: none */
    int64_t number; /* of the issue; 0: an uncurated digest */
    const char *id; /* permanent (atom:id); NULL: self_url, else one made of title and base_url */
    const char *base_url; /* the publication's site; NULL: none */
    const char *url;      /* this digest's page on it; NULL: none */
    const char *self_url; /* where this very format is served; NULL: none */
    const char *language; /* BCP 47; NULL: that of the notes, else of most items, else "en" */
    /* Of the site that the page stands on, relative to it or absolute; NULL: none. */
    const char *home_url, *archive_url, *feed_url, *newer_url, *older_url;
    struct kns_time since, until; /* the window that the items come from; zero: open */
    struct kns_time updated;      /* zero: published, else the newest item's time */
    struct kns_time published;    /* of an issue; zero: not published, or no issue */
    KNS_LIST(kns_digest_section) sections;
    KNS_LIST(kns_digest_item) items;
};

/* Appends item (which must live as long as the digest) at the end; its note and section are taken over. False: no
 * memory. The new node is digest->items.last. */
bool kns_digest_add_item(struct kns_digest *digest, struct kns_arena *arena,
                         const struct kns_item *item);

/* Appends a section of the introduction. False: no memory. */
bool kns_digest_add_section(struct kns_digest *digest, struct kns_arena *arena, const char *title,
                            const char *content_html);

/* An item as a digest would show it. "" is nothing; url is NULL where none is safe to follow. In arena. False: no memory. */
struct kns_digest_look {
    const char *url, *title, *site, *description, *image;
};
bool kns_digest_look_at(struct kns_arena *arena, const struct kns_item *item,
                        struct kns_digest_look *ret);

enum kns_digest_images {
    KNS_IMAGES_REMOTE, /* thumbnails by their own URL */
    KNS_IMAGES_NONE,
    KNS_IMAGES_EMBEDDED, /* those of options.pictures go along; others are left out */
};

/* A thumbnail that goes along. */
struct kns_digest_picture {
    const char *url;   /* as the item has it */
    const char *type;  /* "image/png" */
    const char *bytes; /* NULL: it could not be had */
    size_t size;
};

/* Of one picture; what is larger is left out. */
#define KNS_DIGEST_PICTURE_MOST (512u << 10)

/* The addresses of the thumbnails that a digest shows, once each, in arena. False: no memory. */
bool kns_digest_find_pictures(struct kns_arena *arena, const struct kns_digest *digest,
                              struct kns_digest_picture **ret_pictures, size_t *ret_n);

struct kns_digest_options {
    enum kns_digest_images images;
    const struct kns_digest_picture *pictures;
    size_t n_pictures;
    bool
        paste; /* HTML: only what goes into an editor of a newsletter platform, no page around it */
    const char
        *template_dir; /* files here replace the built-in templates of the same name; NULL: none */
    const char
        *mail_from; /* EML: an address, or "Name <address>"; NULL: a local placeholder address */
    const char *mail_to; /* EML: NULL: "undisclosed-recipients:;" */
    const char *list_id; /* EML: "name.example.org"; NULL: made from publication and base_url */
};

/* What a rendering found that its user should hear of. */
struct kns_digest_report {
    size_t html_bytes; /* of the HTML (also inside a mail); 0: the format has none */
};

/* Appends the digest in a format to out. options and ret_report may be NULL. KNS_ENOMEM; KNS_ELIMIT (out's limit);
 * KNS_ESYNTAX (a template, the message names file and line); KNS_EIO (a template file cannot be read);
 * KNS_EINVAL (a mail header with a line break). out holds part of it after a failure. Reads template files, so not for the
 * loop thread when template_dir is set. */
enum kns_status kns_digest_render(const struct kns_digest *digest, enum kns_digest_format format,
                                  const struct kns_digest_options *options, struct kns_buf *out,
                                  struct kns_digest_report *ret_report, struct kns_error *err);

/* How many items' titles say what an issue is about. */
#define KNS_DIGEST_TEASER_ITEMS 3

/* A row of an archive's list. */
struct kns_digest_issue {
    const char *title, *href;
    const char *teaser; /* what it is about, in a line; NULL: nothing */
    struct kns_time published;
    size_t items;
    struct kns_digest_issue *next;
};
struct kns_digest_archive {
    const char *title, *language, *home_url, *feed_url;
    KNS_LIST(kns_digest_issue) issues;
};

/* The page that lists a newsletter's issues. Errors as kns_digest_render's. */
enum kns_status kns_digest_render_archive(const struct kns_digest_archive *archive,
                                          const char *template_dir, struct kns_buf *out,
                                          struct kns_error *err);

/* The i-th built-in template: its name ("digest.html"; its file has ".mustache" behind that) and text, static. False: there are fewer. */
bool kns_digest_template(size_t i, const char **ret_name, const char **ret_text);

/* "html", "atom", …; false when name is no format. */
bool kns_digest_format_find(const char *name, enum kns_digest_format *ret_format);
const char *kns_digest_format_name(enum kns_digest_format format);

/* All names, separated by '|', for usage and errors. Static storage. */
const char *kns_digest_format_names(void);

/* The Content-Type of a format, with charset; static storage. */
const char *kns_digest_content_type(enum kns_digest_format format);

/* A title without the site's name at its end (" - Qiita", " | SenseTime Japan TECH blog") where it is that of the URL's host
 * or of one of names (NULL-terminated list; may be NULL). The title itself when there is nothing to take off; NULL: no memory. */
const char *kns_digest_clean_title(struct kns_arena *arena, const char *title, const char *url,
                                   const char *const *names);

#endif
