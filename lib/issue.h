/* issue.h - a numbered issue of one's own newsletter: its draft, its text for an editor, what is wrong with it, how it is shown.
 *
 * An issue is plain data in an arena. Prose and comments are CommonMark; all other text is plain. Whatever changes an issue
 * here changes only this struct: who keeps it (the store) takes it as JSON. Nothing asks a clock. Any thread.
 */
#ifndef KNS_ISSUE_H
#define KNS_ISSUE_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/digest.h"
#include "lib/error.h"
#include "lib/list.h"
#include "lib/newsletter.h"
#include "lib/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A newsletter of one's own, as the configuration has it. NULL or "": not set. */
struct kns_publication {
    const char *name;        /* of its section; what --newsletter takes */
    const char *title;       /* "Weekly Kaggle News" */
    const char *issue_title; /* pattern: "{title} #{number}" */
    const char *base_url;    /* where its site is published */
    const char *language, *author, *email;
    const char *sections;        /* comma-separated, in their order */
    const char *link_parameters; /* put on every item's link in mail: "utm_source=news" */
    int64_t first_number;
};

struct kns_issue_section {
    const char *title; /* NULL: prose without a heading */
    const char *text;  /* CommonMark */
    struct kns_issue_section *next;
};

struct kns_issue_item {
    int64_t id; /* the stored item; 0: none is known */
    const char *url, *title;
    const char *site, *description, *image; /* NULL: none */
    const char *note;                       /* CommonMark; NULL: none yet */
    const char *section;                    /* NULL: none */
    struct kns_issue_item *next;
};

struct kns_issue {
    const char *newsletter; /* the publication's name */
    int64_t number;         /* the draft has the next one */
    bool draft;
    const char *title;
    const char *id;  /* permanent, once published */
    const char *url; /* its page; NULL: none */
    const char *language;
    int64_t revision; /* grows with every change and correction */
    struct kns_time published, updated;
    KNS_LIST(kns_issue_section) sections;
    KNS_LIST(kns_issue_item) items;
};

/* ---- as data ------------------------------------------------------------------------------------- */

/* A new reference; NULL: no memory. */
json_t *kns_issue_to_json(const struct kns_issue *issue);

/* NULL: no memory, or json is none of ours. Strings are copied. */
struct kns_issue *kns_issue_from_json(struct kns_arena *arena, const json_t *json);

/* An issue out of a newsletter that was read: what KNS or another program published. Its number is 0 where its title has none. */
struct kns_issue *kns_issue_from_newsletter(struct kns_arena *arena,
                                            const struct kns_newsletter *newsletter);

/* ---- curating ------------------------------------------------------------------------------------ */

/* The title and permanent id that a number gets: the pattern filled in; "tag:" of the site's host and the year. NULL: no
 * memory. */
const char *kns_issue_title(struct kns_arena *arena, const struct kns_publication *publication,
                            int64_t number);
const char *kns_issue_id(struct kns_arena *arena, const struct kns_publication *publication,
                         int64_t number, struct kns_time published);

/* The page of an issue on its publication's site; NULL: it has none, or no memory. */
const char *kns_issue_url(struct kns_arena *arena, const struct kns_publication *publication,
                          int64_t number);

/* What an issue says of an item: the title without its site's name, a description, a thumbnail, the site; frozen, whatever becomes
 * of the item. NULL: no memory. */
struct kns_issue_item *kns_issue_item_of(struct kns_arena *arena, const struct kns_item *item);

/* What an item stands under, and its comment, as they are kept: a heading on one line, tidied prose; "" is none. */
void kns_issue_set_section(struct kns_issue_item *item, struct kns_arena *arena, const char *title);
void kns_issue_set_note(struct kns_issue_item *item, struct kns_arena *arena, const char *text);

/* The item with this id; else at this address. NULL: it is not in it. */
struct kns_issue_item *kns_issue_find(const struct kns_issue *issue, int64_t id, const char *url);

/* Puts an item behind the others of its section; where there are none, sections stand in the publication's order. One that is there
 * already stays where it is. False: it was there. */
bool kns_issue_add(struct kns_issue *issue, struct kns_issue_item *item,
                   const struct kns_publication *publication);

/* Takes an item out. False: it is not in it. */
bool kns_issue_drop(struct kns_issue *issue, int64_t id);

/* Puts an item in front of another, under that one's section unless section says another ("": under none). before 0: behind the
 * others of section; where that is NULL, at the end. KNS_ENOTFOUND; KNS_EINVAL: before itself. */
enum kns_status kns_issue_move(struct kns_issue *issue, struct kns_arena *arena, int64_t id,
                               int64_t before, const char *section,
                               const struct kns_publication *publication, struct kns_error *err);

/* Sets the prose of a section of the introduction (NULL: the one without heading); "" removes it. False: no memory. */
bool kns_issue_set_intro(struct kns_issue *issue, struct kns_arena *arena, const char *section,
                         const char *text);

/* ---- suggestions --------------------------------------------------------------------------------- */

/* An article that may go into the draft. */
struct kns_issue_candidate {
    int64_t id;
    const char *url, *title, *site; /* never NULL; site: the registrable domain */
    int64_t sources, score;         /* feeds and newsletters that carry it; what rules gave */
    bool starred;
    struct kns_time at;
    /* Set by kns_issue_choose. */
    int64_t rank;
    size_t site_number;
    bool used;
};

struct kns_issue_choice {
    struct kns_time since, now; /* the window, for freshness */
    size_t wanted;
    /* Asked of the best ones only: whether it may be taken (it was not covered before). NULL: all may. */
    bool (*is_fit)(void *ctx, const struct kns_issue_candidate *candidate);
    void *ctx;
};

/* The best candidates, one of each site at a time, those that the draft has counted in; best first into chosen, which has room for
 * choice->wanted. Sorts candidates. The same candidates at the same time are the same choice. False: no memory. */
bool kns_issue_choose(struct kns_arena *arena, const struct kns_issue *draft,
                      struct kns_issue_candidate *candidates, size_t n,
                      const struct kns_issue_choice *choice,
                      const struct kns_issue_candidate **chosen, size_t *ret_n);

/* What a candidate's rank is made of: "3 sources +30, a star +15, freshness +7". NULL: no memory. */
const char *kns_issue_why(struct kns_arena *arena, const struct kns_issue_candidate *candidate,
                          struct kns_time since, struct kns_time now);

/* ---- the text for an editor ---------------------------------------------------------------------- */

/* Prose as an issue keeps it: lines that end with LF, no blank lines around it, no fence (```) left open. "" is nothing. NULL: no
 * memory. */
const char *kns_issue_prose(struct kns_arena *arena, const char *text);

/* The whole issue as one document; appends to out. */
void kns_issue_to_text(const struct kns_issue *issue, struct kns_buf *out);

/* Whoever reads the text finds items for it: by id, or (id 0) by address. KNS_ENOTFOUND, with a sentence. */
struct kns_issue_finder {
    enum kns_status (*find)(void *ctx, struct kns_arena *arena, int64_t id, const char *url,
                            struct kns_issue_item **ret_item, struct kns_error *err);
    void *ctx;
};

/* Replaces what issue holds by what the text says: its title, sections, items, order and comments. Items that the issue has
 * keep what the text does not show. What kns_issue_to_text made is the same issue. KNS_EINVAL: a line that cannot be understood, the message begins "line N: ";
 * KNS_EBUSY: the text was made from an older revision. The issue is unchanged then. */
enum kns_status kns_issue_from_text(struct kns_issue *issue, struct kns_arena *arena,
                                    const char *text, const struct kns_issue_finder *finder,
                                    struct kns_error *err);

/* ---- what is wrong ------------------------------------------------------------------------------- */

struct kns_issue_problem {
    bool is_error; /* it must not be published like this */
    int64_t item;  /* 0: of no item */
    const char *message;
    struct kns_issue_problem *next;
};
struct kns_issue_problems {
    KNS_LIST(kns_issue_problem) list;
    size_t errors;
};

/* What the world around an issue says of it. */
struct kns_issue_surroundings {
    int64_t last_number; /* of what is published; 0: nothing is */
    bool number_taken;
    /* In which earlier issue the address, or nearly the title, was: its number; 0: in none. May be NULL. */
    int64_t (*covered)(void *ctx, const char *url, const char *title);
    void *ctx;
};

/* False: no memory. */
bool kns_issue_lint(struct kns_arena *arena, const struct kns_issue *issue,
                    const struct kns_publication *publication,
                    const struct kns_issue_surroundings *surroundings,
                    struct kns_issue_problems *ret_problems);

/* An address that the issue sends its readers to, and the item or section that does. */
struct kns_issue_link {
    const char *what, *url;
    struct kns_issue_link *next;
};
struct kns_issue_links {
    KNS_LIST(kns_issue_link) list;
};

/* Every http(s) address of items, comments, prose and the pictures in them, once each: what may be dead. False: no memory. */
bool kns_issue_find_links(struct kns_arena *arena, const struct kns_issue *issue,
                          struct kns_issue_links *ret_links);

/* ---- showing ------------------------------------------------------------------------------------- */

/* The issue as a digest, ready for kns_digest_render; in arena. NULL: no memory. */
/* decorate: links carry the publication's link_parameters, as in mail. */
struct kns_digest *kns_issue_digest(struct kns_arena *arena, const struct kns_issue *issue,
                                    const struct kns_publication *publication, bool decorate);

/* All published issues as one feed, the newest first: Atom, or JSON Feed. self_url may be NULL. */
enum kns_status kns_issues_write_atom(const struct kns_issue *const *issues, size_t count,
                                      const struct kns_publication *publication,
                                      const char *self_url, struct kns_buf *out,
                                      struct kns_error *err);
enum kns_status kns_issues_write_jsonfeed(const struct kns_issue *const *issues, size_t count,
                                          const struct kns_publication *publication,
                                          const char *self_url, struct kns_buf *out,
                                          struct kns_error *err);

/* ---- a site -------------------------------------------------------------------------------------- */

/* The files of a static site, by path: the newest issue as its front page, a page and an address for each, the list of all, feeds,
 * a site map where base_url is set. The same issues give the same bytes. blogroll_opml (may be NULL) becomes blogroll.opml.
 * Calls on_file for each; false from it stops. template_dir may be NULL. */
struct kns_site_options {
    const char *template_dir;
    const char *blogroll_opml;
};
enum kns_status kns_issues_write_site(const struct kns_issue *const *issues, size_t count,
                                      const struct kns_publication *publication,
                                      const struct kns_site_options *options,
                                      bool (*on_file)(void *ctx, const char *path,
                                                      const struct kns_buf *content),
                                      void *ctx, struct kns_error *err);

#endif
