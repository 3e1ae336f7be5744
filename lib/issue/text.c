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
 * A line "- [ID] title" begins an item, "- URL title" one that is not stored yet; "## " begins a section, "---" ends one. They stand at
 * the line's beginning: what prose and comments have of the kind goes out with one more space in front, which CommonMark passes over
 * and the way back takes away, so that a text that nobody changed is the same issue. Inside a fence (```) nothing is looked at. */
#include "lib/issue.h"

#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t";

/* ---- lines ------------------------------------------------------------------------------------------------------------ */

static bool is_rule(const char *line, size_t len)
{
    size_t marks = 0;

    if (len == 0 || *line != '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '-')
            marks++;
        else if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    }
    return marks >= 3;
}

/* Where the words of a list item begin; NULL: the line is none. */
static const char *behind_bullet(const char *line, size_t len)
{
    bool bullet = len >= 4 && (line[0] == '-' || line[0] == '*' || line[0] == '+') &&
                  (line[1] == ' ' || line[1] == '\t');

    return bullet ? line + 1 + strspn(line + 1, blanks) : NULL;
}

/* "- [12" or "- http": what the reader takes for an item. */
static bool is_item_line(const char *line, size_t len)
{
    const char *at = behind_bullet(line, len), *end = line + len;

    if (at == NULL)
        return false;
    if (at < end && *at == '[') {
        at += 1 + strspn(at + 1, " #");
        return at < end && isdigit((unsigned char)*at);
    }
    return strncmp(at, "http://", 7) == 0 || strncmp(at, "https://", 8) == 0;
}

/* A heading of so many marks. */
static bool is_heading(const char *line, size_t marks)
{
    size_t n = strspn(line, "#");

    return n == marks && (line[n] == ' ' || line[n] == '\t');
}

static bool is_special(const char *line, size_t len)
{
    return is_heading(line, 1) || is_heading(line, 2) || strncmp(line, "<!-- revision", 13) == 0 ||
           is_rule(line, len) || is_item_line(line, len);
}

/* A special line, or one behind spaces. */
static bool is_guarded(const char *line, size_t len)
{
    size_t spaces = strspn(line, " ");

    return spaces < len && is_special(line + spaces, len - spaces);
}

/* The fence that a text is inside of: its mark and length; all zero: none. Only those at a line's beginning count. */
struct fence {
    char mark;
    size_t len;
};

/* Follows a line into a fence, or out of it. */
static void follow_fence(struct fence *fence, const char *line, size_t len)
{
    char mark = *line == '`' || *line == '~' ? *line : '\0';
    const char marks[2] = {mark, '\0'};
    size_t n = mark == '\0' ? 0 : strspn(line, marks);

    if (n < 3)
        return;
    bool bare = n + strspn(line + n, " \t\r") >= len;
    if (fence->mark == '\0' && (mark == '~' || memchr(line + n, '`', len - n) == NULL))
        *fence = (struct fence){mark, n};
    else if (mark == fence->mark && n >= fence->len && bare)
        *fence = (struct fence){0};
}

const char *kns_issue_prose(struct kns_arena *arena, const char *text)
{
    struct kns_buf out = {0};
    struct fence fence = {0};
    const char *made = NULL;

    while (*text != '\0') {
        size_t len = strcspn(text, "\r\n");
        bool blank = strspn(text, blanks) >= len;
        if (out.len > 0 || !blank) {
            kns_buf_add(&out, text, len);
            kns_buf_addc(&out, '\n');
        }
        follow_fence(&fence, text, len);
        text += len;
        text += *text == '\r' && text[1] == '\n' ? 2 : *text != '\0';
    }
    while (out.len > 0 && isspace((unsigned char)out.data[out.len - 1]))
        out.data[--out.len] = '\0';
    /* One that is left open would run into what follows. */
    if (out.len > 0 && fence.mark != '\0') {
        kns_buf_addc(&out, '\n');
        for (size_t i = 0; i < fence.len; i++)
            kns_buf_addc(&out, fence.mark);
    }
    if (!kns_buf_failed(&out))
        made = kns_arena_copy(arena, kns_buf_str(&out), out.len);
    kns_buf_fini(&out);
    return made;
}

/* ---- out -------------------------------------------------------------------------------------------------------------- */

static void add_prose(struct kns_buf *out, const char *text)
{
    struct fence fence = {0};

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        if (fence.mark == '\0' && is_guarded(text, len))
            kns_buf_addc(out, ' ');
        follow_fence(&fence, text, len);
        kns_buf_add(out, text, len);
        kns_buf_addc(out, '\n');
        text += len + (text[len] == '\n');
    }
    kns_buf_addc(out, '\n');
}

/* Words on one line, whatever they hold. */
static void add_words(struct kns_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        kns_buf_addc(out, *text == '\n' || *text == '\r' ? ' ' : *text);
    kns_buf_addc(out, '\n');
}

static void add_item(struct kns_buf *out, const struct kns_issue_item *item)
{
    if (item->id != 0)
        kns_buf_addf(out, "- [%lld] ", (long long)item->id);
    else
        kns_buf_addf(out, "- %s ", item->url);
    add_words(out, item->title);
    if (item->description != NULL) {
        kns_buf_adds(out, "  > ");
        add_words(out, item->description);
    }
    kns_buf_addc(out, '\n');
    if (item->note != NULL)
        add_prose(out, item->note);
}

static void add_heading(struct kns_buf *out, const char *title)
{
    kns_buf_adds(out, "## ");
    add_words(out, title);
    kns_buf_addc(out, '\n');
}

void kns_issue_to_text(const struct kns_issue *issue, struct kns_buf *out)
{
    const struct kns_issue_section *section;
    const struct kns_issue_item *item;
    const char *under = "";

    kns_buf_adds(out, "# ");
    add_words(out, issue->title);
    kns_buf_addf(out, "<!-- revision %lld -->\n\n", (long long)issue->revision);
    KNS_LIST_EACH(section, &issue->sections)
    {
        if (section->title != NULL)
            add_heading(out, section->title);
        else if (section != issue->sections.first)
            kns_buf_adds(out, "---\n\n");
        if (section->text != NULL && *section->text != '\0')
            add_prose(out, section->text);
    }
    if (issue->sections.count > 0 && issue->items.count > 0)
        kns_buf_adds(out, "---\n\n");
    KNS_LIST_EACH(item, &issue->items)
    {
        const char *title = item->section == NULL ? "" : item->section;
        if (strcmp(title, under) != 0 && *title != '\0')
            add_heading(out, title);
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
    size_t n_ruled;              /* sections before the last rule: they stay, with text or not */
    bool titled;
    bool paragraph; /* the line before is one's: dashes below would make a heading of it */
    struct fence fence;
    int fenced_at; /* the line that the fence began at */
    int prose_at;  /* and the words that were read last */
    struct kns_buf prose;
};

static void fail_at(struct reading *r, int line, const char *sentence)
{
    if (r->status == KNS_OK)
        r->status = kns_fail(r->err, KNS_EINVAL, "line %d: %s", line, sentence);
}

static void fail(struct reading *r, const char *sentence)
{
    fail_at(r, r->line, sentence);
}

static const char *copy(struct reading *r, const char *text, size_t len)
{
    const char *made = kns_arena_copy(r->arena, text, len);

    if (made == NULL)
        r->status = kns_fail(r->err, KNS_ENOMEM, "out of memory");
    return made;
}

/* The prose read so far, as it is kept; NULL: there is none. */
static const char *take_prose(struct reading *r)
{
    const char *made =
        kns_buf_failed(&r->prose) ? NULL : kns_issue_prose(r->arena, kns_buf_str(&r->prose));

    if (made == NULL && r->status == KNS_OK)
        r->status = kns_fail(r->err, KNS_ENOMEM, "out of memory");
    kns_buf_reset(&r->prose);
    return made == NULL || *made == '\0' ? NULL : made;
}

static void add_section(struct reading *r, const char *text)
{
    struct kns_issue_section *section = KNS_NEW(r->arena, struct kns_issue_section);

    if (section == NULL) {
        r->status = kns_fail(r->err, KNS_ENOMEM, "out of memory");
        return;
    }
    section->title = r->section;
    section->text = text;
    KNS_LIST_APPEND(&r->issue.sections, section);
}

/* What was read before a heading, an item or the end goes where it belongs. A heading of the introduction may stand without text: one
 * that items follow is theirs, and is taken back then. */
static void end_prose(struct reading *r)
{
    const char *text = take_prose(r);

    if (r->item != NULL)
        r->item->note = text;
    else if (text != NULL && r->issue.items.count > 0)
        fail_at(r, r->prose_at,
                "words under a heading without an item have no place here: put them into the "
                "introduction, above the first item, or below an item as its comment");
    else if (text != NULL)
        add_section(r, text);
    else if (r->section != NULL && r->issue.items.count == 0)
        add_section(r, NULL);
    r->head = false;
}

static void begin_section(struct reading *r, const char *title, size_t len)
{
    const char *copied = copy(r, title, len);
    const char *squeezed = copied == NULL ? NULL : kns_text_squeeze(r->arena, copied);

    end_prose(r);
    r->item = NULL;
    r->section = squeezed == NULL || *squeezed == '\0' ? NULL : squeezed;
}

/* Headings that neither text nor a rule came behind were those of items. */
static void drop_bare_headings(struct reading *r)
{
    struct kns_issue_section *section = r->issue.sections.first, *next;
    size_t i = 0;

    r->issue.sections.first = r->issue.sections.last = NULL;
    r->issue.sections.count = 0;
    for (; section != NULL; section = next) {
        next = section->next;
        if (i++ < r->n_ruled || section->text != NULL)
            KNS_LIST_APPEND(&r->issue.sections, section);
    }
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
    const char *at = behind_bullet(line, len), *end = line + len, *url = NULL;
    int64_t id = 0;

    end_prose(r);
    if (r->issue.items.count == 0)
        drop_bare_headings(r);
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
        url = url == NULL ? NULL : kns_url_clean(r->arena, url);
        if (url == NULL) {
            r->status = kns_fail(r->err, KNS_ENOMEM, "out of memory");
            return;
        }
        at += size;
    }
    struct kns_issue_item *item = find_item(r, id, url);
    if (item == NULL)
        return;
    if (kns_issue_find(&r->issue, item->id, item->url) != NULL) {
        fail(r, kns_arena_printf(r->arena, "the item is there twice: %.200s", item->url));
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
    long long revision = strtoll(line + strlen("<!-- revision"), NULL, 10), now = r->old->revision;

    if (r->status == KNS_OK && revision != now)
        r->status = kns_fail(r->err, KNS_EBUSY,
                             "it was changed meanwhile: this text was made from revision %lld, and "
                             "now it is %lld; bring what is new (knsctl issue show --format "
                             "markdown) into the text, and put %lld into its line %d",
                             revision, now, now, r->line);
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

static void read_title(struct reading *r, const char *text, size_t len)
{
    const char *title = copy(r, text, len);

    title = title == NULL ? NULL : kns_text_squeeze(r->arena, title);
    if (r->titled)
        fail(r, "a second title: sections begin with \"## \", and a heading inside a text with a "
                "space before its \"#\"");
    r->titled = true;
    if (title != NULL && *title != '\0')
        r->issue.title = title;
}

static void read_rule(struct reading *r)
{
    if (!r->titled && r->line == 1) {
        fail(r, "expected \"# \" and the title: front matter is not read");
        return;
    }
    if (r->paragraph) {
        fail(r, "a line of dashes right below text would make a heading of it: put an empty line "
                "between them, or write \"## \" before the heading");
        return;
    }
    begin_section(r, "", 0);
    r->n_ruled = r->issue.sections.count;
}

static void add_line(struct reading *r, const char *line, size_t len)
{
    bool guarded = r->fence.mark == '\0' && *line == ' ' && is_guarded(line, len);

    r->head = false;
    if (r->fence.mark == '\0')
        r->fenced_at = r->line;
    if (r->prose.len == 0)
        r->prose_at = r->line;
    /* A blank line before all words is none of theirs. */
    if (r->prose.len == 0 && strspn(line, " \t\r") >= len)
        return;
    follow_fence(&r->fence, line, len);
    kns_buf_add(&r->prose, line + guarded, len - guarded);
    kns_buf_addc(&r->prose, '\n');
}

/* Words, where Markdown sees no list, quotation, heading or fence. */
static bool begins_paragraph(const char *line, size_t len)
{
    return strspn(line, " \t\r") < len && strchr("->*+#|~`<0123456789 \t", *line) == NULL;
}

static void read_line(struct reading *r, const char *line, size_t len)
{
    bool special = r->fence.mark == '\0' && is_special(line, len);
    bool paragraph = r->fence.mark == '\0' && !special && begins_paragraph(line, len);

    if (!special) {
        if (!read_description(r, line, len))
            add_line(r, line, len);
    } else if (is_heading(line, 2)) {
        begin_section(r, line + 3, len - 3);
    } else if (is_heading(line, 1)) {
        read_title(r, line + 2, len - 2);
    } else if (*line == '<') {
        read_revision(r, line);
    } else if (is_rule(line, len)) {
        read_rule(r);
    } else {
        begin_item(r, line, len);
    }
    r->paragraph = paragraph;
}

enum kns_status kns_issue_from_text(struct kns_issue *issue, struct kns_arena *arena,
                                    const char *text, const struct kns_issue_finder *finder,
                                    struct kns_error *err)
{
    struct reading r = {.arena = arena, .old = issue, .finder = finder, .err = err};

    r.issue = *issue;
    memset(&r.issue.sections, 0, sizeof(r.issue.sections));
    memset(&r.issue.items, 0, sizeof(r.issue.items));
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) /* a byte order mark, as some editors put it */
        text += 3;
    while (*text != '\0' && r.status == KNS_OK) {
        size_t len = strcspn(text, "\n");
        r.line++;
        read_line(&r, text, len > 0 && text[len - 1] == '\r' ? len - 1 : len);
        text += len + (text[len] == '\n');
    }
    if (r.status == KNS_OK && r.fence.mark != '\0') {
        fail_at(&r, r.fenced_at, "the fence that begins here is not closed");
    }
    if (r.status == KNS_OK)
        end_prose(&r);
    if (r.status == KNS_OK && !r.titled && r.issue.items.count == 0 &&
        r.issue.sections.count == 0) {
        fail_at(&r, 1, "the text is empty");
    }
    kns_buf_fini(&r.prose);
    if (r.status == KNS_OK)
        *issue = r.issue;
    return r.status;
}
