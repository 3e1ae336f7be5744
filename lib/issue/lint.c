/* What is wrong with an issue before it is sent: one check a row. */
#include "lib/issue.h"

#include "lib/issue/links.h"
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
    else if (l->issue->draft && l->issue->number < l->around->last_number)
        say(l, false, 0, "out of order: the last number was %lld, this is %lld",
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

/* What makes an address a bad one wherever it stands: an item's own, or one in a text. */
static void check_url(struct linting *l, int64_t item, const char *what, const char *url)
{
    const char *clean = kns_url_is_web(url) ? kns_url_clean(l->arena, url) : url;

    if (strncasecmp(url, "data:", 5) == 0)
        say(l, true, item, "%s: a data: address", what);
    else if (!kns_url_has_scheme(url) && *url != '#')
        say(l, true, item, "%s: a relative address: %.60s", what, url);
    if (clean != NULL && strcmp(clean, url) != 0)
        say(l, false, item, "%s: a tracker is left in an address: %.80s", what, url);
    if (is_shortener(l->arena, url))
        say(l, false, item, "%s: a shortened address hides where it leads: %.80s", what, url);
}

/* The links and pictures of a comment or of prose. */
static void check_markup(struct linting *l, int64_t item, const char *what, const char *text)
{
    struct issue_links links = {0};
    const struct issue_link *link;

    if (text == NULL)
        return;
    if (!issue_find_links(l->arena, text, &links)) {
        l->failed = true;
        return;
    }
    KNS_LIST_EACH(link, &links.list)
    {
        check_url(l, item, what, link->url);
        if (link->is_image && !link->is_described)
            say(l, false, item, "%s: a picture has no alternative text", what);
        else if (!link->is_described && !link->is_image)
            say(l, false, item, "%s: a link has no words: %.80s", what, link->url);
    }
}

/* Words that stand for a comment still to be written: alone, or before a colon. */
static bool is_placeholder(const char *text)
{
    static const char *const words[] = {"todo",    "tbd",   "fixme",    "xxx",
                                        "...",     "…",     "コメント", "lorem ipsum",
                                        "comment", "later", "あとで",   "後で"};
    size_t len = strcspn(text, "\n");

    for (size_t i = 0; i < LENGTH(words); i++) {
        size_t size = strlen(words[i]);
        if (strncasecmp(text, words[i], size) != 0)
            continue;
        const char *rest = text + size + strspn(text + size, " .:*_)");
        bool colon = text[size] == ':' || strncmp(text + size, "：", strlen("：")) == 0;
        /* "TODO: write" is one; "Comment: …" may begin a comment. */
        if ((*rest == '\0' || (colon && i < 4)))
            return true;
    }
    return text[len] == '\0' && strspn(text, " .:-*_?!") == len;
}

/* True when a text, or a line of it, is still to be written. */
static bool has_placeholder(const char *text)
{
    if (is_placeholder(text + strspn(text, " *_([")))
        return true;
    for (const char *line = strchr(text, '\n'); line != NULL; line = strchr(line + 1, '\n')) {
        size_t len = strcspn(line + 1, "\n");
        if ((strncmp(line + 1, "TODO", 4) == 0 && (len == 4 || line[5] == ':')) ||
            (strncmp(line + 1, "FIXME", 5) == 0 && (len == 5 || line[6] == ':')))
            return true;
    }
    return false;
}

static void check_section(struct linting *l, const struct kns_issue_section *section)
{
    const char *what = section->title == NULL ? "introduction" : section->title;

    check_markup(l, 0, what, section->text);
    if (section->text == NULL || *section->text == '\0')
        say(l, false, 0, "%s: a heading without text", what);
    else if (has_placeholder(section->text))
        say(l, true, 0, "%s: its text is a placeholder", what);
}

/* ---- items ------------------------------------------------------------------------------------------------------------ */

static void check_address(struct linting *l, const struct kns_issue_item *item)
{
    if (!kns_url_is_web(item->url)) {
        say(l, true, item->id, "%s: no http or https address: %.80s", item->title, item->url);
        return;
    }
    check_url(l, item->id, item->title, item->url);
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
    if (strcmp(item->title, item->url) == 0)
        say(l, false, item->id, "%s: its title is only its address", item->title);
    if (item->note == NULL || *item->note == '\0')
        say(l, false, item->id, "%s: no comment", item->title);
    else if (has_placeholder(item->note))
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
    check_section(&l, section);
    KNS_LIST_EACH(item, &issue->items)
    check_item(&l, item);
    check_size(&l);
    return !l.failed;
}

/* ---- links ------------------------------------------------------------------------------------------------------------ */

/* One of each address that a look can be taken at. */
static bool add_link(struct kns_arena *arena, struct kns_issue_links *links, const char *what,
                     const char *url)
{
    struct kns_issue_link *link;

    if (!kns_url_is_web(url))
        return true;
    KNS_LIST_EACH(link, &links->list)
    if (strcmp(link->url, url) == 0)
        return true;
    link = KNS_NEW(arena, struct kns_issue_link);
    if (link == NULL)
        return false;
    *link = (struct kns_issue_link){.what = what, .url = url};
    KNS_LIST_APPEND(&links->list, link);
    return true;
}

static bool add_links(struct kns_arena *arena, struct kns_issue_links *links, const char *what,
                      const char *text)
{
    struct issue_links found = {0};
    const struct issue_link *link;

    if (text == NULL)
        return true;
    if (!issue_find_links(arena, text, &found))
        return false;
    KNS_LIST_EACH(link, &found.list)
    if (!add_link(arena, links, what, link->url))
        return false;
    return true;
}

bool kns_issue_find_links(struct kns_arena *arena, const struct kns_issue *issue,
                          struct kns_issue_links *ret_links)
{
    const struct kns_issue_section *section;
    const struct kns_issue_item *item;
    bool good = true;

    KNS_LIST_EACH(item, &issue->items)
    good = good && add_link(arena, ret_links, item->title, item->url) &&
           add_links(arena, ret_links, item->title, item->note);
    KNS_LIST_EACH(section, &issue->sections)
    good =
        good && add_links(arena, ret_links,
                          section->title == NULL ? "introduction" : section->title, section->text);
    return good;
}
