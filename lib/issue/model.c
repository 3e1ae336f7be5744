/* Issues as data, and the small changes that curating makes. */
#include "lib/issue.h"

#include "lib/date.h"
#include "lib/html.h"
#include "lib/json.h"
#include "lib/markdown.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- JSON ----------------------------------------------------------------------------------------------------------- */

static json_t *section_json(const struct kns_issue_section *section)
{
    json_t *json = json_object();

    kns_json_set_text(json, "title", section->title);
    kns_json_set_text(json, "text", section->text);
    return json;
}

static json_t *item_json(const struct kns_issue_item *item)
{
    json_t *json = json_object();

    if (item->id != 0)
        json_object_set_new(json, "id", json_integer(item->id));
    kns_json_set_text(json, "url", item->url);
    kns_json_set_text(json, "title", item->title);
    kns_json_set_text(json, "site", item->site);
    kns_json_set_text(json, "description", item->description);
    kns_json_set_text(json, "image", item->image);
    kns_json_set_text(json, "note", item->note);
    kns_json_set_text(json, "section", item->section);
    return json;
}

json_t *kns_issue_to_json(const struct kns_issue *issue)
{
    json_t *json = json_object(), *sections = json_array(), *items = json_array();
    const struct kns_issue_section *section;
    const struct kns_issue_item *item;

    kns_json_set_text(json, "newsletter", issue->newsletter);
    json_object_set_new(json, "number", json_integer(issue->number));
    json_object_set_new(json, "state", json_string(issue->draft ? "draft" : "published"));
    kns_json_set_text(json, "title", issue->title);
    kns_json_set_text(json, "id", issue->id);
    kns_json_set_text(json, "url", issue->url);
    kns_json_set_text(json, "language", issue->language);
    kns_json_set_time(json, "published", issue->published);
    kns_json_set_time(json, "updated", issue->updated);
    if (issue->draft || issue->revision > 0)
        json_object_set_new(json, "revision", json_integer(issue->revision));
    KNS_LIST_EACH(section, &issue->sections)
    json_array_append_new(sections, section_json(section));
    KNS_LIST_EACH(item, &issue->items)
    json_array_append_new(items, item_json(item));
    json_object_set_new(json, "sections", sections);
    json_object_set_new(json, "items", items);
    return json;
}

static const char *get(struct kns_arena *arena, const json_t *object, const char *key)
{
    return kns_arena_strdup(arena, json_string_value(json_object_get(object, key)));
}

static struct kns_time get_time(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    struct kns_time time = {0};

    if (text != NULL)
        kns_date_parse(text, &time);
    return time;
}

static bool read_lists(struct kns_arena *arena, const json_t *json, struct kns_issue *issue)
{
    json_t *sections = json_object_get(json, "sections"), *items = json_object_get(json, "items"),
           *one;
    size_t i;

    json_array_foreach(sections, i, one)
    {
        struct kns_issue_section *section = KNS_NEW(arena, struct kns_issue_section);
        if (section == NULL)
            return false;
        section->title = get(arena, one, "title");
        section->text = get(arena, one, "text");
        KNS_LIST_APPEND(&issue->sections, section);
    }
    json_array_foreach(items, i, one)
    {
        struct kns_issue_item *item = KNS_NEW(arena, struct kns_issue_item);
        if (item == NULL)
            return false;
        *item = (struct kns_issue_item){.id = json_integer_value(json_object_get(one, "id")),
                                        .url = get(arena, one, "url"),
                                        .title = get(arena, one, "title"),
                                        .site = get(arena, one, "site"),
                                        .description = get(arena, one, "description"),
                                        .image = get(arena, one, "image"),
                                        .note = get(arena, one, "note"),
                                        .section = get(arena, one, "section")};
        if (item->url == NULL)
            return false;
        KNS_LIST_APPEND(&issue->items, item);
    }
    return true;
}

struct kns_issue *kns_issue_from_json(struct kns_arena *arena, const json_t *json)
{
    struct kns_issue *issue = KNS_NEW(arena, struct kns_issue);
    const char *state = json_string_value(json_object_get(json, "state"));

    if (issue == NULL || state == NULL)
        return NULL;
    issue->newsletter = get(arena, json, "newsletter");
    issue->number = json_integer_value(json_object_get(json, "number"));
    issue->draft = strcmp(state, "draft") == 0;
    issue->title = get(arena, json, "title");
    issue->id = get(arena, json, "id");
    issue->url = get(arena, json, "url");
    issue->language = get(arena, json, "language");
    issue->revision = json_integer_value(json_object_get(json, "revision"));
    issue->published = get_time(json, "published");
    issue->updated = get_time(json, "updated");
    return read_lists(arena, json, issue) ? issue : NULL;
}

/* ---- words ------------------------------------------------------------------------------------------------------------- */

static bool given(const char *text)
{
    return text != NULL && *text != '\0';
}

static const char *some(const char *text)
{
    return given(text) ? text : NULL;
}

/* Words as they stand on one line; NULL: there are none. */
static const char *line_of(struct kns_arena *arena, const char *text)
{
    return given(text) ? some(kns_text_squeeze(arena, text)) : NULL;
}

static const char *prose_of(struct kns_arena *arena, const char *text)
{
    return given(text) ? some(kns_issue_prose(arena, text)) : NULL;
}

/* ---- from what was published elsewhere -------------------------------------------------------------------------------- */

static bool take_items(struct kns_arena *arena, const struct kns_newsletter *newsletter,
                       struct kns_issue *issue)
{
    const struct kns_newsletter_item *from;

    KNS_LIST_EACH(from, &newsletter->items)
    {
        struct kns_issue_item *item = KNS_NEW(arena, struct kns_issue_item);
        if (item == NULL)
            return false;
        *item = (struct kns_issue_item){.url = from->url,
                                        .title = line_of(arena, from->title),
                                        .site = line_of(arena, from->site),
                                        .description = line_of(arena, from->description),
                                        .image = from->image,
                                        .section = line_of(arena, from->section)};
        if (item->title == NULL)
            item->title = item->url;
        if (from->note_html != NULL)
            item->note =
                prose_of(arena, kns_markdown_from_html(arena, from->note_html, issue->url));
        KNS_LIST_APPEND(&issue->items, item);
    }
    return true;
}

struct kns_issue *kns_issue_from_newsletter(struct kns_arena *arena,
                                            const struct kns_newsletter *newsletter)
{
    struct kns_issue *issue = KNS_NEW(arena, struct kns_issue);
    const struct kns_newsletter_section *from;

    if (issue == NULL)
        return NULL;
    issue->number = newsletter->number;
    issue->title = newsletter->title;
    issue->url = issue->id = newsletter->url;
    issue->published = issue->updated = newsletter->published;
    KNS_LIST_EACH(from, &newsletter->sections)
    {
        struct kns_issue_section *section = KNS_NEW(arena, struct kns_issue_section);
        if (section == NULL)
            return NULL;
        const char *text = from->content_html == NULL
                               ? ""
                               : kns_markdown_from_html(arena, from->content_html, issue->url);
        if (text == NULL)
            return NULL;
        section->title = line_of(arena, from->title);
        section->text = prose_of(arena, text);
        KNS_LIST_APPEND(&issue->sections, section);
    }
    return take_items(arena, newsletter, issue) ? issue : NULL;
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

const char *kns_issue_title(struct kns_arena *arena, const struct kns_publication *publication,
                            int64_t number)
{
    const char *pattern =
        given(publication->issue_title) ? publication->issue_title : "{title} #{number}";
    struct kns_buf out = {0};

    while (*pattern != '\0') {
        if (strncmp(pattern, "{number}", 8) == 0) {
            kns_buf_addf(&out, "%lld", (long long)number);
            pattern += 8;
        } else if (strncmp(pattern, "{title}", 7) == 0) {
            kns_buf_adds(&out, publication->title);
            pattern += 7;
        } else {
            kns_buf_addc(&out, *pattern++);
        }
    }
    const char *title = kns_buf_failed(&out) ? NULL : kns_arena_strdup(arena, kns_buf_str(&out));
    kns_buf_fini(&out);
    return title;
}

const char *kns_issue_id(struct kns_arena *arena, const struct kns_publication *publication,
                         int64_t number, struct kns_time published)
{
    const char *host =
        given(publication->base_url) ? kns_url_host(arena, publication->base_url) : NULL;
    char date[KNS_TIME_TEXT];

    kns_time_format(published, date);
    return kns_arena_printf(arena, "tag:%s,%.10s:%s/%lld", host == NULL ? "kns.invalid" : host,
                            date, publication->name, (long long)number);
}

const char *kns_issue_url(struct kns_arena *arena, const struct kns_publication *publication,
                          int64_t number)
{
    if (!given(publication->base_url))
        return NULL;
    size_t len = strlen(publication->base_url);
    bool slash = publication->base_url[len - 1] == '/';
    return kns_arena_printf(arena, "%s%s%lld/", publication->base_url, slash ? "" : "/",
                            (long long)number);
}

/* ---- items ---------------------------------------------------------------------------------------------------------------- */

struct kns_issue_item *kns_issue_item_of(struct kns_arena *arena, const struct kns_item *item)
{
    struct kns_issue_item *new = KNS_NEW(arena, struct kns_issue_item);
    struct kns_digest_look look = {0};

    if (new == NULL || !kns_digest_look_at(arena, item, &look))
        return NULL;
    *new = (struct kns_issue_item){
        .id = item->id,
        .url = look.url == NULL ? "" : kns_url_clean(arena, look.url),
        .title = line_of(arena, look.title),
        .site = line_of(arena, look.site),
        .description = line_of(arena, look.description),
        .image = kns_arena_strdup(arena, some(look.image)),
        .note = prose_of(arena, item->note),
        .section = line_of(arena, item->section),
    };
    if (new->title == NULL)
        new->title = new->url;
    return new->url == NULL ? NULL : new;
}

void kns_issue_set_section(struct kns_issue_item *item, struct kns_arena *arena, const char *title)
{
    item->section = line_of(arena, title);
}

void kns_issue_set_note(struct kns_issue_item *item, struct kns_arena *arena, const char *text)
{
    item->note = prose_of(arena, text);
}

struct kns_issue_item *kns_issue_find(const struct kns_issue *issue, int64_t id, const char *url)
{
    struct kns_issue_item *item;

    KNS_LIST_EACH(item, &issue->items)
    if ((id != 0 && item->id == id) || (url != NULL && strcmp(item->url, url) == 0))
        return item;
    return NULL;
}

static bool unlink_item(struct kns_issue *issue, const struct kns_issue_item *gone)
{
    struct kns_issue_item *item = issue->items.first, *next;
    bool found = false;

    issue->items.first = issue->items.last = NULL;
    issue->items.count = 0;
    for (; item != NULL; item = next) {
        next = item->next;
        if (item == gone)
            found = true;
        else
            KNS_LIST_APPEND(&issue->items, item);
    }
    return found;
}

bool kns_issue_drop(struct kns_issue *issue, int64_t id)
{
    const struct kns_issue_item *item = kns_issue_find(issue, id, NULL);

    return item != NULL && unlink_item(issue, item);
}

/* before NULL: at the end. */
static void insert_before(struct kns_issue *issue, struct kns_issue_item *item,
                          const struct kns_issue_item *before)
{
    struct kns_issue_item *at = issue->items.first, *next;

    issue->items.first = issue->items.last = NULL;
    issue->items.count = 0;
    for (; at != NULL; at = next) {
        next = at->next;
        if (at == before)
            KNS_LIST_APPEND(&issue->items, item);
        KNS_LIST_APPEND(&issue->items, at);
    }
    if (before == NULL)
        KNS_LIST_APPEND(&issue->items, item);
}

static bool same_title(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The place of a section in the publication's list, from 1; 0 for items without one, the end for those it does not name. */
static int rank_of(const char *section, const char *sections)
{
    int rank = 0;

    if (section == NULL)
        return 0;
    for (const char *at = sections; at != NULL && *at != '\0';) {
        at += strspn(at, " ,");
        size_t len = strcspn(at, ",");
        size_t trimmed = len;
        while (trimmed > 0 && at[trimmed - 1] == ' ')
            trimmed--;
        rank++;
        if (strlen(section) == trimmed && strncmp(at, section, trimmed) == 0)
            return rank;
        at += len;
    }
    return 1000;
}

/* What an item that comes under a section stands in front of: behind the last one of it, else where the publication has it. NULL: it
 * comes last. */
static const struct kns_issue_item *place_in_section(const struct kns_issue *issue,
                                                     const char *section,
                                                     const struct kns_publication *publication)
{
    const struct kns_issue_item *item, *place = NULL;
    int rank = rank_of(section, publication->sections);
    bool found = false;

    KNS_LIST_EACH(item, &issue->items)
    if (same_title(item->section, section)) {
        found = true;
        place = item->next;
    }
    for (item = issue->items.first; !found && place == NULL && item != NULL; item = item->next)
        if (rank_of(item->section, publication->sections) > rank)
            place = item;
    return place;
}

enum kns_status kns_issue_move(struct kns_issue *issue, struct kns_arena *arena, int64_t id,
                               int64_t before, const char *section,
                               const struct kns_publication *publication, struct kns_error *err)
{
    struct kns_issue_item *item = kns_issue_find(issue, id, NULL);
    const struct kns_issue_item *next = before == 0 ? NULL : kns_issue_find(issue, before, NULL);

    if (item == NULL || (before != 0 && next == NULL))
        return kns_fail(err, KNS_ENOTFOUND, "item %lld is not in the draft",
                        (long long)(item == NULL ? id : before));
    if (before == id)
        return kns_fail(err, KNS_EINVAL, "item %lld cannot stand before itself", (long long)id);
    if (section != NULL)
        kns_issue_set_section(item, arena, section);
    else if (next != NULL)
        item->section = next->section;
    unlink_item(issue, item);
    insert_before(issue, item,
                  next != NULL      ? next
                  : section != NULL ? place_in_section(issue, item->section, publication)
                                    : NULL);
    return KNS_OK;
}

bool kns_issue_add(struct kns_issue *issue, struct kns_issue_item *item,
                   const struct kns_publication *publication)
{
    if (kns_issue_find(issue, item->id, item->url) != NULL)
        return false;
    insert_before(issue, item, place_in_section(issue, item->section, publication));
    return true;
}

/* ---- the introduction ------------------------------------------------------------------------------------------------------ */

bool kns_issue_set_intro(struct kns_issue *issue, struct kns_arena *arena, const char *title,
                         const char *text)
{
    struct kns_issue_section *section = issue->sections.first, *next, *found = NULL;

    title = line_of(arena, title);
    text = kns_issue_prose(arena, text);
    if (text == NULL)
        return false;
    issue->sections.first = issue->sections.last = NULL;
    issue->sections.count = 0;
    for (; section != NULL; section = next) {
        next = section->next;
        bool same = same_title(section->title, title);
        if (same)
            found = section;
        if (!same || *text != '\0')
            KNS_LIST_APPEND(&issue->sections, section);
    }
    if (*text == '\0')
        return true;
    if (found == NULL) {
        found = KNS_NEW(arena, struct kns_issue_section);
        if (found == NULL)
            return false;
        found->title = title;
        /* What has no heading can only stand before all headings. */
        if (title == NULL && issue->sections.first != NULL) {
            found->next = issue->sections.first;
            issue->sections.first = found;
            issue->sections.count++;
        } else {
            KNS_LIST_APPEND(&issue->sections, found);
        }
    }
    found->text = text;
    return true;
}
