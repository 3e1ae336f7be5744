#include "lib/digest/context.h"

#include "lib/digest/dress.h"
#include "lib/digest/wrap.h"
#include "lib/markdown.h"
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

static const char fonts[] =
    "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,'Helvetica Neue','Hiragino Sans',"
    "'Hiragino Kaku Gothic ProN','Noto Sans JP','Noto Sans CJK JP','Yu Gothic "
    "UI',Meiryo,sans-serif";

/* What a search engine shows of a page's description. */
#define TEASER_COLUMNS 160

static bool set(json_t *object, const char *name, const char *text)
{
    return text != NULL && json_object_set_new(object, name, json_string(text)) == 0;
}

/* The line under a title, as wide as it. */
static bool set_title(json_t *object, const char *title, char mark)
{
    char rule[DIGEST_TEXT_COLUMNS + 1];
    int columns = kns_text_columns(title);
    size_t width = columns < 1                     ? 1
                   : columns > DIGEST_TEXT_COLUMNS ? DIGEST_TEXT_COLUMNS
                                                   : (size_t)columns;

    memset(rule, mark, width);
    rule[width] = '\0';
    return set(object, "title", title) && set(object, "title_rule", rule);
}

static bool set_buf(json_t *object, const char *name, struct kns_buf *buf)
{
    bool ok = !kns_buf_failed(buf) && set(object, name, kns_buf_str(buf));

    kns_buf_fini(buf);
    return ok;
}

static bool wrap_html(const struct digest_view *view, struct kns_buf *out, const char *html,
                      const char *indent)
{
    const char *text = *html != '\0' ? kns_markdown_plain_from_html(view->arena, html, NULL) : "";

    if (text != NULL)
        digest_wrap(out, text, indent);
    return text != NULL;
}

static bool set_item_text(const struct digest_view *view, json_t *object,
                          const struct digest_entry *e, size_t number)
{
    struct kns_buf out = {0};
    char first[32];
    const char *title =
        *e->site != '\0' ? kns_arena_printf(view->arena, "%s — %s", e->title, e->site) : e->title;
    bool ok = title != NULL;

    snprintf(first, sizeof(first), "%zu. ", number);
    if (ok)
        digest_wrap_first(&out, title, first, "   ");
    digest_wrap(&out, e->url, "   ");
    if (*e->description != '\0')
        digest_wrap(&out, e->description, "   ");
    if (ok && *e->note_html != '\0') {
        kns_buf_addc(&out, '\n');
        ok = wrap_html(view, &out, e->note_html, "   ");
    }
    return set_buf(object, "text", &out) && ok;
}

/* "19 November 2026 · in 3 feeds": only for items that no curator chose. */
static const char *meta_text(const struct digest_view *view, const struct digest_entry *e)
{
    char feeds[96] = "";
    const char *date = digest_date(view->arena, view->language, e->at);

    if (view->digest->number > 0)
        return "";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (e->item->feeds.count > 1)
        snprintf(feeds, sizeof(feeds), view->words->seen_in, e->item->feeds.count);
#pragma GCC diagnostic pop
    if (date == NULL || *feeds == '\0')
        return date;
    return *date == '\0' ? kns_arena_strdup(view->arena, feeds)
                         : kns_arena_printf(view->arena, "%s · %s", date, feeds);
}

static json_t *item_context(const struct digest_view *view, const struct digest_entry *e,
                            const char *heading, size_t number)
{
    json_t *object = json_object();
    const char *below = strcmp(heading, "h2") == 0 ? "h3" : "h4";

    if (object != NULL && set(object, "title", e->title) && set(object, "url", e->url) &&
        set(object, "site", e->site) && set(object, "description", e->description) &&
        set(object, "image", digest_picture_src(view, e)) &&
        set(object, "note", digest_dress(view->arena, e->note_html, below)) &&
        set(object, "meta", meta_text(view, e)) &&
        set(object, "lang", e->language != NULL ? e->language : "") &&
        set(object, "heading", heading) &&
        json_object_set_new(object, "number", json_integer((json_int_t)number)) == 0 &&
        set_item_text(view, object, e, number))
        return object;
    json_decref(object);
    return NULL;
}

static json_t *group_context(const struct digest_view *view, const struct digest_group *group,
                             size_t *number)
{
    json_t *object = json_object();
    json_t *items = json_array();
    const struct digest_entry *entry;
    /* Without a heading of its own over it, an item's heading is the next below the title. */
    const char *heading = *group->title != '\0' ? "h3" : "h2";
    bool ok = object != NULL && set_title(object, group->title, '-');

    KNS_LIST_EACH(entry, &group->entries)
    ok = ok && json_array_append_new(items, item_context(view, entry, heading, ++*number)) == 0;
    ok = json_object_set_new(object, "items", items) == 0 && ok;
    if (ok)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *part_context(const struct digest_view *view, const struct digest_part *part)
{
    json_t *object = json_object();
    struct kns_buf text = {0};
    bool ok = object != NULL && set_title(object, part->title, '-') &&
              set(object, "html",
                  digest_dress(view->arena, part->html, *part->title != '\0' ? "h3" : "h2")) &&
              wrap_html(view, &text, part->html, "");

    if (set_buf(object, "text", &text) && ok)
        return object;
    json_decref(object);
    return NULL;
}

static bool set_lists(json_t *object, const struct digest_view *view)
{
    json_t *sections = json_array();
    json_t *groups = json_array();
    const struct digest_part *part;
    const struct digest_group *group;
    size_t number = 0;
    bool ok = true;

    KNS_LIST_EACH(part, &view->parts)
    ok = ok && json_array_append_new(sections, part_context(view, part)) == 0;
    KNS_LIST_EACH(group, &view->groups)
    ok = ok && json_array_append_new(groups, group_context(view, group, &number)) == 0;
    ok = json_object_set_new(object, "sections", sections) == 0 && ok;
    ok = json_object_set_new(object, "groups", groups) == 0 && ok;
    return ok && json_object_set_new(object, "has_rule",
                                     json_boolean(view->parts.count > 0 && number > 0)) == 0;
}

/* What a page is about, in a line: the titles of its first items. */
static bool set_teaser(json_t *object, const struct digest_view *view)
{
    const struct digest_group *group;
    const struct digest_entry *entry;
    struct kns_buf out = {0};
    size_t n = 0;

    KNS_LIST_EACH(group, &view->groups)
    KNS_LIST_EACH(entry, &group->entries)
    if (n++ < KNS_DIGEST_TEASER_ITEMS)
        kns_buf_addf(&out, "%s%s", n > 1 ? " / " : "", entry->title);
    const char *text =
        kns_buf_failed(&out) ? NULL : kns_text_fit(view->arena, kns_buf_str(&out), TEASER_COLUMNS);
    kns_buf_fini(&out);
    return set(object, "teaser", text);
}

/* The ways around the site that the page stands on. */
static bool set_navigation(json_t *object, const struct digest_view *view)
{
    const struct kns_digest *digest = view->digest;
    const struct {
        const char *name, *url;
    } links[] = {{"home_url", digest->home_url},
                 {"archive_url", digest->archive_url},
                 {"feed_url", digest->feed_url},
                 {"newer_url", digest->newer_url},
                 {"older_url", digest->older_url}};
    bool ok = set(object, "all_issues", view->words->all_issues) &&
              set(object, "newer", view->words->newer) &&
              set(object, "older", view->words->older) && set(object, "feed", view->words->feed) &&
              set(object, "publication", view->publication);

    for (size_t i = 0; ok && i < sizeof(links) / sizeof(links[0]); i++)
        ok = set(object, links[i].name, links[i].url == NULL ? "" : links[i].url);
    return ok && json_object_set_new(object, "has_navigation",
                                     json_boolean(digest->archive_url != NULL)) == 0;
}

json_t *digest_context(const struct digest_view *view)
{
    const struct kns_digest *digest = view->digest;
    const struct digest_words *words = view->words;
    json_t *object = json_object();
    bool japanese = strcmp(words->language, "ja") == 0;
    bool named = strcmp(view->publication, view->title) != 0 &&
                 strncmp(view->title, view->publication, strlen(view->publication)) != 0;

    if (object != NULL && set_title(object, view->title, '=') &&
        set(object, "kicker", named ? view->publication : "") && set(object, "date", view->date) &&
        set(object, "count", view->count) &&
        set(object, "url", digest->url != NULL ? digest->url : "") &&
        set(object, "language", view->language) && set(object, "fonts", fonts) &&
        set(object, "line_height", japanese ? "1.8" : "1.6") &&
        set(object, "made_with", words->made_with) &&
        set(object, "read_on_web", words->read_on_web) && set(object, "nothing", words->nothing) &&
        set_navigation(object, view) && set_teaser(object, view) && set_lists(object, view) &&
        json_object_set_new(object, "mail", json_boolean(view->mail)) == 0)
        return object;
    json_decref(object);
    return NULL;
}

json_t *digest_archive_context(struct kns_arena *arena, const struct kns_digest_archive *archive)
{
    const struct digest_words *words = digest_words_find(archive->language);
    json_t *object = json_object(), *issues = json_array();
    const struct kns_digest_issue *issue;
    bool ok = set(object, "title", archive->title) && set(object, "language", words->language) &&
              set(object, "home_url", archive->home_url) &&
              set(object, "feed_url", archive->feed_url) && set(object, "fonts", fonts) &&
              set(object, "all_issues", words->all_issues) && set(object, "feed", words->feed) &&
              set(object, "made_with", words->made_with);

    KNS_LIST_EACH(issue, &archive->issues)
    {
        json_t *row = json_object();
        char count[96];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(count, sizeof(count), issue->items == 1 ? words->items_one : words->items_many,
                 issue->items);
#pragma GCC diagnostic pop
        ok = ok && set(row, "title", issue->title) && set(row, "href", issue->href) &&
             set(row, "teaser", issue->teaser != NULL ? issue->teaser : "") &&
             set(row, "count", count) &&
             set(row, "date", digest_date(arena, archive->language, issue->published));
        json_array_append_new(issues, row);
    }
    if (json_object_set_new(object, "issues", issues) == 0 && ok)
        return object;
    json_decref(object);
    return NULL;
}
