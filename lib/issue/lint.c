/* What is wrong with an issue before it is sent: one check a row. */
#include "lib/issue.h"

#include "lib/markdown.h"
#include "lib/text.h"
#include "lib/url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* What inboxes show of a subject line. */
#define MAX_SUBJECT_COLUMNS 78

struct linting {
    struct kns_arena *arena;
    const struct kns_issue *issue;
    const struct kns_publication *publication;
    const struct kns_issue_surroundings *around;
    struct kns_issue_problems *problems;
    bool failed;
};

static void say(struct linting *l, bool is_error, int64_t item, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct linting *l, bool is_error, int64_t item, const char *format, ...)
{
    struct kns_issue_problem *problem = KNS_NEW(l->arena, struct kns_issue_problem);
    char sentence[600];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (problem == NULL) {
        l->failed = true;
        return;
    }
    sentence[kns_text_utf8_prefix(sentence, strlen(sentence))] = '\0';
    *problem = (struct kns_issue_problem){
        .is_error = is_error, .item = item, .message = kns_arena_strdup(l->arena, sentence)};
    l->failed = l->failed || problem->message == NULL;
    KNS_LIST_APPEND(&l->problems->list, problem);
    l->problems->errors += is_error;
}

/* ---- the issue -------------------------------------------------------------------------------------------------------- */

static void check_number(struct linting *l)
{
    if (l->around->number_taken)
        say(l, true, 0, "the number %lld is taken", (long long)l->issue->number);
    else if (l->around->last_number > 0 && l->issue->number > l->around->last_number + 1)
        say(l, false, 0, "a gap in the numbers: the last was %lld, this is %lld",
            (long long)l->around->last_number, (long long)l->issue->number);
}

static void check_title(struct linting *l)
{
    if (l->issue->title == NULL || *l->issue->title == '\0')
        say(l, true, 0, "it has no title");
    else if (kns_text_columns(l->issue->title) > MAX_SUBJECT_COLUMNS)
        say(l, false, 0, "its title is too long for a subject line (%d columns, %d fit)",
            kns_text_columns(l->issue->title), MAX_SUBJECT_COLUMNS);
    if (l->issue->items.count == 0)
        say(l, true, 0, "there is no item in it");
}

static void check_size(struct linting *l)
{
    struct kns_digest *digest = kns_issue_digest(l->arena, l->issue, l->publication, true);
    struct kns_digest_report report = {0};
    struct kns_buf out = {0};

    if (digest == NULL) {
        l->failed = true;
        return;
    }
    if (kns_digest_render(digest, KNS_DIGEST_HTML, NULL, &out, &report, NULL) == KNS_OK &&
        report.html_bytes > KNS_DIGEST_MAIL_MAX_BYTES)
        say(l, false, 0, "mail programs will cut it: its HTML has %zu KB, %u are shown",
            report.html_bytes / 1024, KNS_DIGEST_MAIL_MAX_BYTES / 1024);
    kns_buf_fini(&out);
}

/* ---- text with markup ------------------------------------------------------------------------------------------------- */

/* The links and pictures of a comment or of prose. */
static void check_markup(struct linting *l, int64_t item, const char *what, const char *text)
{
    const char *html = text == NULL ? NULL : kns_markdown_to_html(l->arena, text);

    if (html == NULL) {
        l->failed = l->failed || text != NULL;
        return;
    }
    if (strstr(html, "<img") != NULL && strstr(html, "alt=\"\"") != NULL)
        say(l, false, item, "%s: a picture has no alternative text", what);
    for (const char *at = strstr(text, "]("); at != NULL; at = strstr(at + 2, "](")) {
        const char *url = at + 2;
        if (strncasecmp(url, "data:", 5) == 0)
            say(l, true, item, "%s: a data: address", what);
        else if (!kns_url_has_scheme(url) && *url != '<' && *url != '#')
            say(l, true, item, "%s: a relative address: %.60s", what,
                kns_arena_copy(l->arena, url, strcspn(url, ") \n")));
    }
}

static bool is_placeholder(const char *note)
{
    static const char *const words[] = {"todo",    "tbd",   "fixme",    "xxx",
                                        "...",     "…",     "コメント", "lorem ipsum",
                                        "comment", "later", "あとで",   "後で"};
    size_t len = strcspn(note, "\n");

    while (len > 0 && (note[len - 1] == ' ' || note[len - 1] == ':' || note[len - 1] == '.'))
        len--;
    if (note[strcspn(note, "\n")] != '\0')
        return false;
    for (size_t i = 0; i < LENGTH(words); i++)
        if (strlen(words[i]) == len && strncasecmp(note, words[i], len) == 0)
            return true;
    return len == 0 || strncmp(note, "TODO", 4) == 0 || strncmp(note, "FIXME", 5) == 0;
}

/* ---- items ------------------------------------------------------------------------------------------------------------ */

static bool is_shortener(struct kns_arena *arena, const char *url)
{
    static const char *const hosts[] = {
        "bit.ly",     "t.co",    "tinyurl.com", "goo.gl", "ow.ly",      "buff.ly",
        "is.gd",      "lnkd.in", "amzn.to",     "htn.to", "dlvr.it",    "ift.tt",
        "rebrand.ly", "cutt.ly", "amzn.asia",   "x.gd",   "shorturl.at"};
    const char *host = kns_url_host(arena, url);

    for (size_t i = 0; host != NULL && i < LENGTH(hosts); i++)
        if (strcmp(host, hosts[i]) == 0)
            return true;
    return false;
}

static void check_address(struct linting *l, const struct kns_issue_item *item)
{
    const char *clean;

    if (!kns_url_is_web(item->url)) {
        say(l, true, item->id, "%s: no http or https address: %.80s", item->title, item->url);
        return;
    }
    clean = kns_url_clean(l->arena, item->url);
    if (clean != NULL && strcmp(clean, item->url) != 0)
        say(l, false, item->id, "%s: a tracker is left in its address", item->title);
    if (is_shortener(l->arena, item->url))
        say(l, false, item->id, "%s: a shortened address hides where it leads", item->title);
    int64_t number =
        l->around->covered == NULL ? 0 : l->around->covered(l->around->ctx, item->url, item->title);
    if (number > 0)
        say(l, false, item->id, "%s: already in #%lld", item->title, (long long)number);
}

static void check_words(struct linting *l, const struct kns_issue_item *item)
{
    const char *names[] = {item->site, NULL};
    const char *clean = kns_digest_clean_title(l->arena, item->title, item->url, names);

    if (clean != NULL && strcmp(clean, item->title) != 0)
        say(l, false, item->id, "%s: the site's name is left at its end", item->title);
    if (item->note == NULL || *item->note == '\0')
        say(l, false, item->id, "%s: no comment", item->title);
    else if (is_placeholder(item->note))
        say(l, true, item->id, "%s: its comment is a placeholder", item->title);
}

static bool is_section(const char *sections, const char *name)
{
    size_t wanted = strlen(name);

    while (*sections != '\0') {
        sections += strspn(sections, " ,");
        size_t len = strcspn(sections, ","), trimmed = len;
        while (trimmed > 0 && sections[trimmed - 1] == ' ')
            trimmed--;
        if (trimmed == wanted && strncmp(sections, name, wanted) == 0)
            return true;
        sections += len;
    }
    return false;
}

static void check_item(struct linting *l, const struct kns_issue_item *item)
{
    const char *sections = l->publication->sections;

    check_address(l, item);
    check_words(l, item);
    check_markup(l, item->id, item->title, item->note);
    if (item->section != NULL && sections != NULL && *sections != '\0' &&
        !is_section(sections, item->section))
        say(l, true, item->id, "%s: unknown section \"%s\" (there are: %s)", item->title,
            item->section, sections);
    if (item->image != NULL && !kns_url_is_web(item->image))
        say(l, true, item->id, "%s: its picture has no http or https address", item->title);
}

bool kns_issue_lint(struct kns_arena *arena, const struct kns_issue *issue,
                    const struct kns_publication *publication,
                    const struct kns_issue_surroundings *surroundings,
                    struct kns_issue_problems *ret_problems)
{
    struct linting l = {.arena = arena,
                        .issue = issue,
                        .publication = publication,
                        .around = surroundings,
                        .problems = ret_problems};
    const struct kns_issue_section *section;
    const struct kns_issue_item *item;

    check_number(&l);
    check_title(&l);
    KNS_LIST_EACH(section, &issue->sections)
    check_markup(&l, 0, section->title == NULL ? "introduction" : section->title, section->text);
    KNS_LIST_EACH(item, &issue->items)
    check_item(&l, item);
    check_size(&l);
    return !l.failed;
}
