/* The issue as one document for an editor, and back.
 *
 *     # Weekly News #12
 *     <!-- revision 7 -->
 *
 *     ## News
 *
 *     Prose, in CommonMark.
 *
 *     ---
 *
 *     ## Papers
 *
 *     - [123] The title of an item
 *       > its description
 *
 *     The comment, in CommonMark.
 *
 * A line "- [ID] title" begins an item, "- URL title" one that is not stored yet; "## " begins a section, "---" ends one. Inside a
 * fence (```) nothing is looked at. */
#include "lib/issue.h"

#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- out -------------------------------------------------------------------------------------------------------------- */

static bool is_rule(const char *line, size_t len)
{
    size_t marks = 0;

    for (size_t i = 0; i < len; i++) {
        if (line[i] == '-')
            marks++;
        else if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    }
    return marks >= 3;
}

/* "- [12" or "- http": what the reader takes for an item. */
static bool is_item_line(const char *line, size_t len)
{
    if (len < 4 || line[0] != '-' || line[1] != ' ')
        return false;
    size_t at = 2 + strspn(line + 2, " ");
    if (at < len && line[at] == '[') {
        at += 1 + strspn(line + at + 1, " #");
        return at < len && isdigit((unsigned char)line[at]);
    }
    return strncmp(line + at, "http://", 7) == 0 || strncmp(line + at, "https://", 8) == 0;
}

static bool is_special(const char *line, size_t len)
{
    return strncmp(line, "# ", 2) == 0 || strncmp(line, "## ", 3) == 0 ||
           strncmp(line, "<!-- revision", 13) == 0 || is_rule(line, len) || is_item_line(line, len);
}

static bool is_fence(const char *line)
{
    line += strspn(line, " ");
    return strncmp(line, "```", 3) == 0 || strncmp(line, "~~~", 3) == 0;
}

/* Prose, with a backslash before what would be read as structure: CommonMark shows the same. */
static void add_prose(struct kns_buf *out, const char *text)
{
    bool fenced = false;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (!fenced && is_special(text, len))
            kns_buf_addc(out, '\\');
        if (is_fence(text))
            fenced = !fenced;
        kns_buf_add(out, text, len);
        kns_buf_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
    kns_buf_addc(out, '\n');
}

static void add_item(struct kns_buf *out, const struct kns_issue_item *item)
{
    if (item->id != 0)
        kns_buf_addf(out, "- [%lld] %s\n", (long long)item->id, item->title);
    else
        kns_buf_addf(out, "- %s %s\n", item->url, item->title);
    if (item->description != NULL)
        kns_buf_addf(out, "  > %s\n", item->description);
    kns_buf_addc(out, '\n');
    if (item->note != NULL)
        add_prose(out, item->note);
}

void kns_issue_to_text(const struct kns_issue *issue, struct kns_buf *out)
{
    const struct kns_issue_section *section;
    const struct kns_issue_item *item;
    const char *under = "";

    kns_buf_addf(out, "# %s\n", issue->title);
    if (issue->draft)
        kns_buf_addf(out, "<!-- revision %lld -->\n", (long long)issue->revision);
    kns_buf_addc(out, '\n');
    KNS_LIST_EACH(section, &issue->sections)
    {
        if (section->title != NULL)
            kns_buf_addf(out, "## %s\n\n", section->title);
        add_prose(out, section->text);
    }
    if (issue->sections.count > 0 && issue->items.count > 0)
        kns_buf_adds(out, "---\n\n");
    KNS_LIST_EACH(item, &issue->items)
    {
        const char *title = item->section == NULL ? "" : item->section;
        if (strcmp(title, under) != 0 && *title != '\0')
            kns_buf_addf(out, "## %s\n\n", title);
        else if (strcmp(title, under) != 0)
            kns_buf_adds(out, "---\n\n");
        under = title;
        add_item(out, item);
    }
}

/* ---- in --------------------------------------------------------------------------------------------------------------- */

struct reading {
    struct kns_arena *arena;
    const struct kns_issue *old;
    const struct kns_issue_finder *finder;
    struct kns_issue issue; /* what the text says */
    struct kns_error *err;
    enum kns_status status;
    int line;
    const char *section;         /* the heading that counts */
    struct kns_issue_item *item; /* being read; NULL: prose of the introduction */
    bool described;              /* by what is known of it, not by the text */
    bool head;                   /* right below the item's line: its description may follow */
    bool fenced;
    struct kns_buf prose;
};

static void fail(struct reading *r, const char *sentence)
{
    if (r->status == KNS_OK)
        r->status = kns_fail(r->err, KNS_EINVAL, "line %d: %s", r->line, sentence);
}

static const char *copy(struct reading *r, const char *text, size_t len)
{
    const char *made = kns_arena_copy(r->arena, text, len);

    if (made == NULL)
        r->status = kns_fail(r->err, KNS_ENOMEM, "out of memory");
    return made;
}

/* The prose read so far, without blank lines at its ends; NULL: there is none. */
static const char *take_prose(struct reading *r)
{
    const char *text = kns_buf_str(&r->prose);
    size_t len = r->prose.len;

    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    for (size_t line = strcspn(text, "\n"); len > 0 && line < len && strspn(text, " \t\r") >= line;
         line = strcspn(text, "\n")) {
        text += line + 1;
        len -= line + 1;
    }
    const char *made = len == 0 ? NULL : copy(r, text, len);
    kns_buf_reset(&r->prose);
    return made;
}

/* What was read before a heading, an item or the end goes where it belongs. */
static void end_prose(struct reading *r)
{
    const char *text = take_prose(r);

    if (r->item != NULL) {
        r->item->note = text;
    } else if (text != NULL) {
        struct kns_issue_section *section = KNS_NEW(r->arena, struct kns_issue_section);
        if (section == NULL) {
            r->status = kns_fail(r->err, KNS_ENOMEM, "out of memory");
            return;
        }
        section->title = r->section;
        section->text = text;
        KNS_LIST_APPEND(&r->issue.sections, section);
    }
    r->head = false;
}

static void begin_section(struct reading *r, const char *title, size_t len)
{
    end_prose(r);
    r->item = NULL;
    while (len > 0 && isspace((unsigned char)title[len - 1]))
        len--;
    r->section = len == 0 ? NULL : copy(r, title, len);
}

/* The item as the draft has it, else as the store has it. */
static struct kns_issue_item *find_item(struct reading *r, int64_t id, const char *url)
{
    struct kns_issue_item *known = kns_issue_find(r->old, id, url);
    struct kns_issue_item *item = NULL;
    struct kns_error why = {0};

    if (known != NULL) {
        item = KNS_NEW(r->arena, struct kns_issue_item);
        if (item == NULL) {
            r->status = kns_fail(r->err, KNS_ENOMEM, "out of memory");
            return NULL;
        }
        *item = *known;
        item->next = NULL;
        return item;
    }
    if (r->finder->find(r->finder->ctx, r->arena, id, url, &item, &why) != KNS_OK) {
        fail(r, why.message);
        return NULL;
    }
    return item;
}

static void begin_item(struct reading *r, const char *line, size_t len)
{
    const char *at = line + 2 + strspn(line + 2, " "), *end = line + len, *url = NULL;
    int64_t id = 0;

    end_prose(r);
    if (*at == '[') {
        at += 1 + strspn(at + 1, " #");
        char *after;
        id = strtoll(at, &after, 10);
        after += strspn(after, " ");
        if (after >= end || *after != ']' || id <= 0) {
            fail(r, "expected \"- [ID] title\"");
            return;
        }
        at = after + 1;
    } else {
        size_t size = strcspn(at, " \t\r\n");
        url = copy(r, at, size);
        if (url == NULL)
            return;
        at += size;
    }
    if (kns_issue_find(&r->issue, id, url) != NULL) {
        fail(r, "the item is there twice");
        return;
    }
    struct kns_issue_item *item = find_item(r, id, url);
    if (item == NULL)
        return;
    if (kns_issue_find(&r->issue, item->id, item->url) != NULL) {
        fail(r, "the item is there twice");
        return;
    }
    const char *title = copy(r, at, at < end ? (size_t)(end - at) : 0);
    title = title == NULL ? NULL : kns_text_squeeze(r->arena, title);
    /* A bare "- [ID]" takes the item as it is; a written one says what it has. */
    r->described = title == NULL || *title == '\0';
    if (!r->described) {
        item->title = title;
        item->description = NULL;
    }
    item->section = r->section;
    KNS_LIST_APPEND(&r->issue.items, item);
    r->item = item;
    r->head = true;
}

static void read_revision(struct reading *r, const char *line)
{
    int64_t revision = strtoll(line + strlen("<!-- revision"), NULL, 10);

    if (r->old->draft && revision != r->old->revision)
        r->status =
            kns_fail(r->err, KNS_EBUSY,
                     "the draft was changed meanwhile (revision %lld, this text is of %lld)",
                     (long long)r->old->revision, (long long)revision);
}

/* "  > text" right below an item's line. */
static bool read_description(struct reading *r, const char *line, size_t len)
{
    size_t at = strspn(line, " ");

    if (!r->head || at >= len || line[at] != '>')
        return false;
    const char *text = copy(r, line + at + 1, len - at - 1);
    text = text == NULL ? NULL : kns_text_squeeze(r->arena, text);
    if (text == NULL)
        return true;
    const char *before = r->described ? NULL : r->item->description;
    r->described = false;
    r->item->description =
        before == NULL ? text : kns_arena_printf(r->arena, "%s %s", before, text);
    if (*text == '\0' && before == NULL)
        r->item->description = NULL;
    return true;
}

static void read_line(struct reading *r, const char *line, size_t len)
{
    bool plain = r->fenced || !is_special(line, len);

    if (is_fence(line))
        r->fenced = !r->fenced;
    if (!plain && strncmp(line, "## ", 3) == 0) {
        begin_section(r, line + 3, len - 3);
    } else if (!plain && strncmp(line, "# ", 2) == 0) {
        const char *title = copy(r, line + 2, len - 2);
        title = title == NULL ? NULL : kns_text_squeeze(r->arena, title);
        if (r->line > 1 && (r->issue.items.count > 0 || r->issue.sections.count > 0))
            fail(r, "a second title: sections begin with \"## \"");
        if (title != NULL && *title != '\0')
            r->issue.title = title;
    } else if (!plain && strncmp(line, "<!-- revision", 13) == 0) {
        read_revision(r, line);
    } else if (!plain && is_rule(line, len)) {
        begin_section(r, "", 0);
    } else if (!plain) {
        begin_item(r, line, len);
    } else if (!read_description(r, line, len)) {
        r->head = false;
        kns_buf_add(&r->prose, line, len);
        kns_buf_addc(&r->prose, '\n');
    }
}

enum kns_status kns_issue_from_text(struct kns_issue *issue, struct kns_arena *arena,
                                    const char *text, const struct kns_issue_finder *finder,
                                    struct kns_error *err)
{
    struct reading r = {.arena = arena, .old = issue, .finder = finder, .err = err};

    r.issue = *issue;
    memset(&r.issue.sections, 0, sizeof(r.issue.sections));
    memset(&r.issue.items, 0, sizeof(r.issue.items));
    while (*text != '\0' && r.status == KNS_OK) {
        size_t len = strcspn(text, "\n");
        r.line++;
        read_line(&r, text, len > 0 && text[len - 1] == '\r' ? len - 1 : len);
        text += len + (text[len] == '\n');
    }
    if (r.status == KNS_OK)
        end_prose(&r);
    if (r.status == KNS_OK && kns_buf_failed(&r.prose))
        r.status = kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_buf_fini(&r.prose);
    if (r.status == KNS_OK)
        *issue = r.issue;
    return r.status;
}
