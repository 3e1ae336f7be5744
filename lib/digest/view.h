/* view.h - a digest ready to be written: what was left open in struct kns_digest is decided here, once for all formats.
 * Inside of the digest room. All strings live in the view's arena or in the digest. */
#ifndef KNS_DIGEST_VIEW_H
#define KNS_DIGEST_VIEW_H

#include "lib/digest.h"

/* The words a rendering adds of its own, by language. */
struct digest_words {
    const char *language; /* primary subtag */
    const char *untitled;
    const char *made_with;
    const char *items_one, *items_many; /* printf formats for a count */
    const char *seen_in;                /* printf format: number of feeds */
    const char *read_on_web;
    const char *nothing;
    const char *all_issues, *newer, *older, *feed;
};

/* The table row of a language; English where there is none. Never NULL. */
const struct digest_words *digest_words_find(const char *language);

/* "24 November 2026", "2026年11月24日"; "" for a time not given. NULL: no memory. */
const char *digest_date(struct kns_arena *arena, const char *language, struct kns_time time);

/* An item with everything decided. Text is plain, never NULL ("" is nothing). */
struct digest_entry {
    const struct kns_item *item;
    const char *title;
    const char *url; /* "" when it has none that is safe to follow */
    const char *site;
    const char *description;
    const char *image;     /* "" none */
    const char *note_html; /* sanitised; "" none */
    const char *language;  /* where it is plainly another than the digest's; NULL */
    struct kns_time at;    /* published, else first seen */
    struct digest_entry *next;
};

/* Items under one heading; title "" for those without. */
struct digest_group {
    const char *title;
    KNS_LIST(digest_entry) entries;
    struct digest_group *next;
};

struct digest_part {
    const char *title;
    const char *html; /* sanitised; "" none */
    struct digest_part *next;
};

struct digest_view {
    struct kns_arena *arena;
    const struct kns_digest *digest;
    const struct kns_digest_options *options; /* never NULL */
    const struct digest_words *words;
    const char *title, *publication, *author, *language, *id;
    const char *date;        /* of the issue, or the window: "17–24 November 2026"; "" none */
    const char *count;       /* "12 articles" */
    struct kns_time updated; /* may be zero: a digest of nothing */
    size_t n_entries;
    bool mail; /* what is written goes into a mail */
    KNS_LIST(digest_part) parts;
    KNS_LIST(digest_group) groups;
};

/* Decides everything. NULL: no memory. The view dies with arena. */
struct digest_view *digest_view_new(struct kns_arena *arena, const struct kns_digest *digest,
                                    const struct kns_digest_options *options);

/* What an entry's img element names: the picture's own address, or where it goes along itself; "" for none. NULL: no memory. */
const char *digest_picture_src(const struct digest_view *view, const struct digest_entry *entry);

/* A picture's Content-ID. NULL: no memory. */
const char *digest_picture_id(struct kns_arena *arena, const struct kns_digest_picture *picture);

/* The renderers, one a file. Each appends to out; a full or failed out is noticed by the caller. */
enum kns_status digest_write_html(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err);
enum kns_status digest_write_text(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err);
enum kns_status digest_write_atom(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err);
enum kns_status digest_write_opml(const struct digest_view *view, struct kns_buf *out,
                                  struct kns_error *err);
enum kns_status digest_write_markdown(const struct digest_view *view, struct kns_buf *out,
                                      struct kns_error *err);
enum kns_status digest_write_jsonfeed(const struct digest_view *view, struct kns_buf *out,
                                      struct kns_error *err);
enum kns_status digest_write_eml(const struct digest_view *view, struct kns_buf *out,
                                 size_t *ret_html_bytes, struct kns_error *err);

#endif
