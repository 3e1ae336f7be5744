/* From a digest as it was filled to one with nothing left open. */
#include "lib/digest/view.h"

#include "lib/buf.h"
#include "lib/digest/hash.h"
#include "lib/html.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdio.h>
#include <string.h>

static bool given(const char *text)
{
    return text != NULL && *text != '\0';
}

static const char *or_else(const char *text, const char *other)
{
    return given(text) ? text : other;
}

/* ---- language ------------------------------------------------------------------------------------ */

static bool has_kana(const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;

    while (size > 0) {
        int32_t code;
        size_t len = kns_text_next(text, size, &code);
        if (code >= 0x3041 && code <= 0x30FA)
            return true;
        text += len;
        size -= len;
    }
    return false;
}

static bool is_japanese(const struct kns_item *item)
{
    if (given(item->entry.language))
        return strncasecmp(item->entry.language, "ja", 2) == 0;
    return has_kana(item->entry.title) || has_kana(item->entry.summary);
}

/* The curator's own words say more than the articles they are about: the language that most of the comments and sections are in. Below
 * zero: not Japanese; 0: they do not tell. */
static int lean_of_curator(const struct kns_digest *digest)
{
    const struct kns_digest_section *section;
    const struct kns_digest_item *item;
    int lean = 0;

    KNS_LIST_EACH(section, &digest->sections)
    if (given(section->content_html))
        lean += has_kana(section->content_html) ? 1 : -1;
    KNS_LIST_EACH(item, &digest->items)
    if (given(item->note_html))
        lean += has_kana(item->note_html) ? 1 : -1;
    return lean;
}

static const char *pick_language(const struct kns_digest *digest)
{
    const struct kns_digest_item *item;
    size_t japanese = 0;

    if (given(digest->language))
        return digest->language;
    int lean = lean_of_curator(digest);
    if (lean != 0)
        return lean > 0 ? "ja" : "en";
    KNS_LIST_EACH(item, &digest->items)
    japanese += is_japanese(item->item);
    return japanese * 2 > digest->items.count ? "ja" : "en";
}

/* ---- entries ------------------------------------------------------------------------------------- */

/* The text cut at KNS_DIGEST_MAX_DESCRIPTION columns: behind the last sentence that fits, when that keeps a third of it. */
static const char *shortened(struct kns_arena *arena, const char *text)
{
    size_t at = 0, sentence = 0, size = strlen(text);
    int columns = 0, sentence_columns = 0;

    if (kns_text_columns(text) <= KNS_DIGEST_MAX_DESCRIPTION)
        return text;
    while (at < size && columns < KNS_DIGEST_MAX_DESCRIPTION) {
        int32_t code;
        size_t len = kns_text_next(text + at, size - at, &code);
        columns += code >= 0x1100 ? 2 : 1;
        at += len;
        bool stop = code == '.' || code == '!' || code == '?';
        if (code == 0x3002 || code == 0xFF01 || code == 0xFF1F || (stop && text[at] == ' ')) {
            sentence = at;
            sentence_columns = columns;
        }
    }
    if (sentence_columns * 3 > KNS_DIGEST_MAX_DESCRIPTION)
        return kns_arena_copy(arena, text, sentence);
    return kns_text_fit(arena, text, KNS_DIGEST_MAX_DESCRIPTION);
}

/* What says how text runs, or nothing that can be seen: a title with such would turn what stands beside it around. */
static bool is_control(int32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || (code & 0xFFFE) == 0xFFFE;
}

/* The text without such characters; itself where it has none. NULL: no memory. */
static const char *visible(struct kns_arena *arena, const char *text)
{
    size_t left = text == NULL ? 0 : strlen(text), len;
    struct kns_buf out = {0};
    bool changed = false;

    for (const char *at = text; left > 0; at += len, left -= len) {
        int32_t code;
        len = kns_text_next(at, left, &code);
        if (is_control(code))
            kns_buf_adds(&out, code < 0x20 ? " " : "");
        else
            kns_buf_add(&out, at, len);
        changed = changed || is_control(code);
    }
    if (changed)
        text = kns_buf_failed(&out) ? NULL : kns_arena_copy(arena, kns_buf_str(&out), out.len);
    kns_buf_fini(&out);
    return text;
}

static const char *describe(struct kns_arena *arena, const struct kns_digest_item *from)
{
    const struct kns_entry *entry = &from->item->entry;
    const char *text = from->description;

    if (text == NULL)
        text = entry->summary;
    if (!given(text) && from->description == NULL && given(entry->summary_html))
        text = kns_html_to_line(arena, entry->summary_html);
    if (!given(text) && from->description == NULL && given(entry->content_html))
        text = kns_html_to_line(arena, entry->content_html);
    if (!given(text) && from->description == NULL)
        text = entry->content_text;
    if (!given(text))
        return "";
    text = visible(arena, kns_text_squeeze(arena, text));
    return text != NULL ? shortened(arena, text) : NULL;
}

static const char *picture(struct kns_arena *arena, const struct kns_digest_item *from)
{
    const struct kns_entry *entry = &from->item->entry;
    const char *image = from->image;

    if (image == NULL)
        image = or_else(entry->image, entry->banner_image);
    if (image == NULL && given(entry->content_html))
        image = kns_html_first_image(arena, entry->content_html, entry->url);
    return given(image) && kns_url_is_web(image) ? image : "";
}

/* An address or the name of a machine in the house says nothing to a reader. */
static bool is_telling(const char *host)
{
    return strchr(host, '.') != NULL && *host != '[' && host[strspn(host, "0123456789.")] != '\0';
}

static const char *site_name(struct kns_arena *arena, const struct kns_digest_item *from,
                             const char *url)
{
    const struct kns_item_feed *feed = from->item->feeds.first;
    const char *host;

    if (from->site != NULL)
        return from->site;
    host = *url != '\0' ? kns_url_host(arena, url) : NULL;
    if (host == NULL || (!is_telling(host) && feed != NULL && given(feed->title)))
        return feed != NULL ? or_else(feed->title, "") : "";
    return strncmp(host, "www.", 4) == 0 ? host + 4 : host;
}

static const char *shown_title(struct digest_view *view, const struct kns_digest_item *from,
                               const char *url)
{
    const struct kns_item_feed *feed = from->item->feeds.first;
    const char *names[] = {feed != NULL ? feed->title : NULL, NULL};

    if (given(from->title))
        return from->title;
    if (!given(from->item->entry.title))
        return *url != '\0' ? url : view->words->untitled;
    return kns_digest_clean_title(view->arena, from->item->entry.title, url, names);
}

static struct digest_entry *entry_new(struct digest_view *view, const struct kns_digest_item *from)
{
    struct digest_entry *e = KNS_NEW(view->arena, struct digest_entry);
    const struct kns_entry *entry = &from->item->entry;
    const char *url = or_else(entry->url, entry->external_url);

    if (e == NULL)
        return NULL;
    e->item = from->item;
    e->url = given(url) && kns_url_is_web(url) ? kns_url_without_credentials(view->arena, url) : "";
    if (e->url == NULL)
        return NULL;
    e->title = visible(view->arena, shown_title(view, from, e->url));
    e->site = visible(view->arena, site_name(view->arena, from, e->url));
    e->description = describe(view->arena, from);
    /* What only repeats the title describes nothing. */
    if (e->title != NULL && e->description != NULL && strcmp(e->description, e->title) == 0)
        e->description = "";
    e->image = view->options->images == KNS_IMAGES_NONE ? "" : picture(view->arena, from);
    e->note_html = "";
    if (given(from->note_html))
        e->note_html = kns_html_sanitize(view->arena, from->note_html, e->url);
    if (strncasecmp(view->language, "ja", 2) != 0 && is_japanese(from->item))
        e->language = "ja";
    else if (given(entry->language) && strcasecmp(entry->language, view->language) != 0)
        e->language = entry->language;
    e->at = kns_time_given(entry->published) ? entry->published : from->item->first_seen;
    return e->title != NULL && e->site != NULL && e->description != NULL && e->note_html != NULL
               ? e
               : NULL;
}

static struct digest_group *group_of(struct digest_view *view, const char *title)
{
    struct digest_group *group;

    if (title == NULL)
        return NULL;
    KNS_LIST_EACH(group, &view->groups)
    if (strcmp(group->title, title) == 0)
        return group;
    group = KNS_NEW(view->arena, struct digest_group);
    if (group == NULL)
        return NULL;
    group->title = title;
    KNS_LIST_APPEND(&view->groups, group);
    return group;
}

static bool add_entries(struct digest_view *view)
{
    const struct kns_digest_item *from;

    KNS_LIST_EACH(from, &view->digest->items)
    {
        struct digest_group *group =
            group_of(view, visible(view->arena, or_else(from->section, "")));
        struct digest_entry *entry = group != NULL ? entry_new(view, from) : NULL;
        if (entry == NULL)
            return false;
        KNS_LIST_APPEND(&group->entries, entry);
        view->n_entries++;
    }
    return true;
}

static bool add_parts(struct digest_view *view)
{
    const struct kns_digest_section *from;

    KNS_LIST_EACH(from, &view->digest->sections)
    {
        struct digest_part *part = KNS_NEW(view->arena, struct digest_part);
        if (part == NULL)
            return false;
        part->title = visible(view->arena, or_else(from->title, ""));
        part->html = "";
        if (given(from->content_html))
            part->html = kns_html_sanitize(view->arena, from->content_html, view->digest->base_url);
        if (part->title == NULL || part->html == NULL)
            return false;
        KNS_LIST_APPEND(&view->parts, part);
    }
    return true;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static struct kns_time newest(const struct kns_digest *digest)
{
    const struct kns_digest_item *item;
    struct kns_time time = {0};

    KNS_LIST_EACH(item, &digest->items)
    {
        if (item->item->changed_at.unix_s > time.unix_s)
            time = item->item->changed_at;
        if (item->item->first_seen.unix_s > time.unix_s)
            time = item->item->first_seen;
    }
    return time;
}

static const char *window(struct digest_view *view)
{
    const struct kns_digest *digest = view->digest;

    if (kns_time_given(digest->published))
        return digest_date(view->arena, view->language, digest->published);
    struct kns_time until = kns_time_given(digest->until) ? digest->until : view->updated;
    const char *to = digest_date(view->arena, view->language, until);
    if (!kns_time_given(digest->since) || !kns_time_given(until))
        return to;
    const char *from = digest_date(view->arena, view->language, digest->since);
    return from != NULL && to != NULL ? kns_arena_printf(view->arena, "%s – %s", from, to) : NULL;
}

static const char *count_text(const struct digest_view *view)
{
    char text[96];
    const char *format = view->n_entries == 1 ? view->words->items_one : view->words->items_many;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), format, view->n_entries);
#pragma GCC diagnostic pop
    return kns_arena_strdup(view->arena, text);
}

struct digest_view *digest_view_new(struct kns_arena *arena, const struct kns_digest *digest,
                                    const struct kns_digest_options *options)
{
    struct digest_view *view = KNS_NEW(arena, struct digest_view);

    if (view == NULL)
        return NULL;
    view->arena = arena;
    view->digest = digest;
    view->options = options;
    view->language = pick_language(digest);
    view->words = digest_words_find(view->language);
    view->title = visible(arena, or_else(digest->title, "KNS digest"));
    view->publication = visible(arena, or_else(digest->publication, view->title));
    if (view->title == NULL || view->publication == NULL)
        return NULL;
    view->author = or_else(digest->author, view->publication);
    view->updated = kns_time_given(digest->updated)     ? digest->updated
                    : kns_time_given(digest->published) ? digest->published
                                                        : newest(digest);
    view->id = or_else(digest->id, digest->self_url);
    if (!given(view->id))
        view->id = digest_urn(arena, view->title, or_else(digest->base_url, ""));
    if (view->id == NULL || !add_parts(view) || !add_entries(view))
        return NULL;
    view->date = window(view);
    view->count = count_text(view);
    return view->date != NULL && view->count != NULL ? view : NULL;
}

bool kns_digest_look_at(struct kns_arena *arena, const struct kns_item *item,
                        struct kns_digest_look *ret)
{
    static const struct kns_digest_options plain = {0};
    struct kns_digest digest = {.language = "en"};
    struct digest_view *view =
        kns_digest_add_item(&digest, arena, item) ? digest_view_new(arena, &digest, &plain) : NULL;

    if (view == NULL)
        return false;
    const struct digest_entry *entry = view->groups.first->entries.first;
    *ret = (struct kns_digest_look){.url = *entry->url == '\0' ? NULL : entry->url,
                                    .title = entry->title,
                                    .site = entry->site,
                                    .description = entry->description,
                                    .image = entry->image};
    return true;
}
