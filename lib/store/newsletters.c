/* Newsletters that are followed: an entry that is new or edited is taken apart on its way in, and each link item in it becomes an
 * item of its own, known by its canonical URL like any other, with the curator's comment beside it. A feed is a newsletter because
 * its user said so, or because most entries of its first document are roundups. */
#include "lib/store/internal.h"

#include "lib/html.h"
#include "lib/newsletter.h"
#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

/* Bytes that one issue, taken apart, may take. */
#define ISSUE_MOST (64u << 20)

/* How many entries of a first document are looked at, and how many roundups make a newsletter of it. */
#define ENTRIES_LOOKED_AT 12
#define ROUNDUPS_LEAST 2

/* ---- taking apart ------------------------------------------------------------------------------------------------- */

static const char *html_of(const struct kns_entry *entry)
{
    return entry->content_html != NULL ? entry->content_html : entry->summary_html;
}

/* NULL in *ret_newsletter: the entry has nothing to be taken apart, or too much. */
static enum kns_status read_issue(struct kns_arena *arena, const struct kns_feed *feed,
                                  const struct kns_entry *entry,
                                  struct kns_newsletter **ret_newsletter, struct kns_error *err)
{
    const struct kns_newsletter_source source = {
        .title = entry->title, .url = entry->url, .home = feed->home_page_url};

    *ret_newsletter = NULL;
    if (html_of(entry) == NULL)
        return KNS_OK;
    return kns_newsletter_read(arena, html_of(entry), &source, ret_newsletter, err);
}

/* The link item as an entry: what the article says of itself, then what the curator says. */
static struct kns_entry *entry_of(struct kns_arena *arena, const struct kns_newsletter_item *item,
                                  const struct kns_entry *issue)
{
    struct kns_entry *entry = kns_entry_new(arena);

    if (entry == NULL)
        return NULL;
    entry->url = item->url;
    entry->title = item->title;
    entry->image = item->image;
    entry->summary = item->description;
    entry->published = issue->published;
    if (item->note_html != NULL) {
        const char *description =
            item->description == NULL ? "" : kns_html_escape(arena, item->description);
        entry->content_html =
            description == NULL
                ? NULL
                : kns_arena_printf(arena, "%s%s%s%s", *description ? "<p>" : "", description,
                                   *description ? "</p>" : "", item->note_html);
        if (entry->content_html == NULL)
            return NULL;
    }
    return entry;
}

/* ---- storing ------------------------------------------------------------------------------------------------------- */

struct taking {
    struct kns_store *store;
    const struct kns_feed *feed;
    struct kns_time now;
    struct kns_poll_result *result;
    /* The issue being taken apart. */
    int64_t issue_id;
    const struct kns_newsletter_item **items; /* by entry->line of its link items */
};

static enum kns_status put_comment(void *ctx, const struct kns_entry *entry, int64_t item_id,
                                   bool changed, struct kns_error *err)
{
    const struct taking *t = ctx;
    const struct kns_newsletter_item *item = t->items[entry->line];
    sqlite3_stmt *stmt = kns_sql(t->store, CURATED_PUT);

    (void)changed;
    kns_bind_int(stmt, 1, item_id);
    kns_bind_int(stmt, 2, t->issue_id);
    kns_bind_int(stmt, 3, t->feed->id);
    kns_bind_int(stmt, 4, item->position);
    kns_bind_text(stmt, 5, item->section);
    kns_bind_text(stmt, 6, item->note);
    kns_bind_text(stmt, 7, item->note_html);
    return kns_sql_do(t->store, stmt, err);
}

/* The link items as a document of their own, so that their identity is not mixed up with the feed's entries. */
static enum kns_status fill_document(struct taking *t, const struct kns_newsletter *newsletter,
                                     const struct kns_entry *issue, struct kns_document *document,
                                     struct kns_error *err)
{
    const struct kns_newsletter_item *item;
    int64_t index = 0;

    t->items = kns_arena_alloc(document->arena, (newsletter->items.count + 1) * sizeof(*t->items));
    if (t->items == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    KNS_LIST_EACH(item, &newsletter->items)
    {
        struct kns_entry *entry = entry_of(document->arena, item, issue);
        if (entry == NULL)
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        entry->line = index;
        t->items[index++] = item;
        KNS_LIST_APPEND(&document->entries, entry);
    }
    return KNS_OK;
}

static enum kns_status store_links(struct taking *t, const struct kns_newsletter *newsletter,
                                   const struct kns_entry *issue, struct kns_error *err)
{
    struct kns_document *document = kns_document_new(ISSUE_MOST);
    const struct kns_entry_hook hook = {.on_entry = put_comment, .ctx = t};
    sqlite3_stmt *stmt = kns_sql(t->store, CURATED_CLEAR);

    if (document == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_int(stmt, 1, t->issue_id);
    enum kns_status status = kns_sql_do(t->store, stmt, err);
    if (status == KNS_OK)
        status = fill_document(t, newsletter, issue, document, err);
    if (status == KNS_OK)
        status =
            kns_items_store_entries(t->store, t->feed->id, document, t->now, &hook, t->result, err);
    kns_document_free(document);
    return status;
}

static enum kns_status take_apart(void *ctx, const struct kns_entry *entry, int64_t item_id,
                                  bool changed, struct kns_error *err)
{
    struct taking *t = ctx;
    struct kns_newsletter *newsletter = NULL;

    if (!changed)
        return KNS_OK;
    struct kns_arena *arena = kns_arena_new(ISSUE_MOST);
    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    /* An issue too large to be taken apart stays an item as it is. */
    enum kns_status status = read_issue(arena, t->feed, entry, &newsletter, NULL);
    t->issue_id = item_id;
    if (status == KNS_OK && newsletter != NULL)
        status = store_links(t, newsletter, entry, err);
    else
        status = KNS_OK;
    kns_arena_free(arena);
    return status;
}

/* ---- finding out ---------------------------------------------------------------------------------------------------- */

/* A roundup of what others wrote: most of its items lead to other sites. */
static bool leads_elsewhere(struct kns_arena *arena, const struct kns_newsletter *newsletter,
                            const char *home)
{
    const char *own = home == NULL ? NULL : kns_url_site(arena, home);
    const struct kns_newsletter_item *item;
    size_t elsewhere = 0;

    KNS_LIST_EACH(item, &newsletter->items)
    {
        const char *site = kns_url_site(arena, item->url);
        elsewhere += own == NULL || site == NULL || strcmp(own, site) != 0;
    }
    return 3 * elsewhere >= 2 * newsletter->items.count;
}

/* True for an episode: links that go with it are its show notes. */
static bool is_episode(const struct kns_entry *entry)
{
    const struct kns_enclosure *enclosure;

    KNS_LIST_EACH(enclosure, &entry->enclosures)
    if (enclosure->mime_type != NULL && (strncmp(enclosure->mime_type, "audio/", 6) == 0 ||
                                         strncmp(enclosure->mime_type, "video/", 6) == 0))
        return true;
    return false;
}

static bool is_roundup(const struct kns_feed *feed, const struct kns_entry *entry)
{
    if (html_of(entry) == NULL || is_episode(entry) ||
        !kns_newsletter_may_be_roundup(html_of(entry)))
        return false;
    struct kns_arena *arena = kns_arena_new(ISSUE_MOST);
    struct kns_newsletter *newsletter = NULL;
    bool roundup = arena != NULL && read_issue(arena, feed, entry, &newsletter, NULL) == KNS_OK &&
                   newsletter != NULL && kns_newsletter_is_roundup(newsletter) &&
                   leads_elsewhere(arena, newsletter, entry->url);

    kns_arena_free(arena);
    return roundup;
}

static bool is_newsletter(const struct kns_feed *feed, const struct kns_document *document)
{
    const struct kns_entry *entry = document->entries.first;
    size_t seen = 0, roundups = 0;

    for (; entry != NULL && seen < ENTRIES_LOOKED_AT; entry = entry->next) {
        seen++;
        roundups += is_roundup(feed, entry);
    }
    return roundups >= ROUNDUPS_LEAST && 2 * roundups > seen;
}

enum kns_status kns_newsletters_store_entries(struct kns_store *store, const struct kns_feed *feed,
                                              const struct kns_document *document,
                                              struct kns_time now, struct kns_poll_result *result,
                                              struct kns_error *err)
{
    struct taking t = {.store = store, .feed = feed, .now = now, .result = result};
    const struct kns_entry_hook hook = {.on_entry = take_apart, .ctx = &t};
    bool newsletter = feed->newsletter;
    enum kns_status status = KNS_OK;

    if (!feed->newsletter_decided && feed->items == 0 && is_newsletter(feed, document)) {
        newsletter = true;
        status = kns_newsletters_mark(store, feed->id, true, err);
    }
    if (status != KNS_OK)
        return status;
    return kns_items_store_entries(store, feed->id, document, now, newsletter ? &hook : NULL,
                                   result, err);
}

/* ---- the mark ------------------------------------------------------------------------------------------------------- */

/* 1: a newsletter; -1: its user said that it is none; 0: nobody said anything. A feed that becomes one is read anew: its validators go,
 * and its entries count as changed, once. */
enum kns_status kns_newsletters_mark(struct kns_store *store, int64_t feed_id, bool newsletter,
                                     struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_feed *feed = NULL;

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_store_get_feed(store, arena, feed_id, false, &feed, err);
    bool becomes = status == KNS_OK && newsletter && !feed->newsletter && feed->items > 0;
    if (status == KNS_OK) {
        sqlite3_stmt *stmt = kns_sql(store, FEED_SET_NEWSLETTER);
        kns_bind_int(stmt, 1, feed_id);
        kns_bind_int(stmt, 2, newsletter ? 1 : -1);
        status = kns_sql_do(store, stmt, err);
    }
    static const enum statement anew[] = {FEED_DROP_VALIDATORS, SIGHTING_FORGET};
    for (size_t i = 0; becomes && status == KNS_OK && i < 2; i++) {
        sqlite3_stmt *stmt = kns_sql(store, anew[i]);
        kns_bind_int(stmt, 1, feed_id);
        status = kns_sql_do(store, stmt, err);
    }
    kns_arena_free(arena);
    return status;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static struct kns_curated *read_curated(struct kns_arena *arena, sqlite3_stmt *row)
{
    struct kns_curated *curated = KNS_NEW(arena, struct kns_curated);

    if (curated == NULL)
        return NULL;
    *curated = (struct kns_curated){
        .feed_id = sqlite3_column_int64(row, 0),
        .feed_title = kns_column_title(arena, row, 1),
        .issue_id = sqlite3_column_int64(row, 2),
        .issue_title = kns_column_copy(arena, row, 3),
        .issue_url = kns_column_copy(arena, row, 4),
        .position = sqlite3_column_int64(row, 5),
        .section = kns_column_copy(arena, row, 6),
        .note = kns_column_copy(arena, row, 7),
        .note_html = kns_column_copy(arena, row, 8),
    };
    return curated;
}

enum kns_status kns_newsletters_load(struct kns_store *store, struct kns_arena *arena,
                                     struct kns_item *item, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, CURATED_OF_ITEM);
    enum kns_status status;

    kns_bind_int(stmt, 1, item->id);
    for (status = kns_sql_next(store, stmt, err); status == KNS_OK;
         status = kns_sql_next(store, stmt, err)) {
        struct kns_curated *curated = read_curated(arena, stmt);
        if (curated == NULL) {
            sqlite3_reset(stmt);
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        }
        KNS_LIST_APPEND(&item->curated, curated);
    }
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}

enum kns_status kns_store_is_roundup(struct kns_store *store, int64_t item_id, bool *ret,
                                     struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, CURATED_ANY);

    kns_bind_int(stmt, 1, item_id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    sqlite3_reset(stmt);
    *ret = status == KNS_OK;
    return status == KNS_ENOTFOUND ? KNS_OK : status;
}
