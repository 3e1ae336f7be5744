#include "lib/newsletter/words.h"

#include "lib/newsletter/word_lists.h"
#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define MAX_NAME_COLUMNS 40

/* Folded, and without what is no letter or digit at both ends: arrows, brackets, emoji. */
static const char *bare(struct kns_arena *arena, const char *text)
{
    const char *folded = text == NULL ? NULL : kns_text_fold(arena, text);
    const char *from = NULL, *to = NULL;

    for (const char *at = folded; at != NULL && *at != '\0';) {
        int32_t c = 0;
        size_t step = kns_text_next(at, strlen(at), &c);
        bool letter = c < 0x80 ? isalnum((int)c) != 0
                               : (c >= 0xaa && c < 0x2000) || (c >= 0x3041 && c < 0xe000);
        if (letter) {
            from = from == NULL ? at : from;
            to = at + step;
        }
        at += step;
    }
    return from == NULL ? NULL : kns_arena_copy(arena, from, (size_t)(to - from));
}

static bool is_in(const char *text, const char *const *table)
{
    for (size_t i = 0; text != NULL && table[i] != NULL; i++)
        if (strcmp(text, table[i]) == 0)
            return true;
    return false;
}

static bool has_any(const char *text, const char *const *table)
{
    for (size_t i = 0; text != NULL && table[i] != NULL; i++)
        if (strcasestr(text, table[i]) != NULL)
            return true;
    return false;
}

static bool begins_with_any(const char *text, const char *const *table)
{
    for (size_t i = 0; text != NULL && table[i] != NULL; i++)
        if (strncasecmp(text, table[i], strlen(table[i])) == 0)
            return true;
    return false;
}

bool words_is_chrome(struct kns_arena *arena, const char *text, const char *url)
{
    return is_in(bare(arena, text), word_list_chrome_texts) ||
           has_any(url, word_list_chrome_addresses);
}

bool words_is_read_more(struct kns_arena *arena, const char *text)
{
    const char *words = bare(arena, text);

    if (is_in(words, word_list_read_more_texts))
        return true;
    /* "Read more on example.com", "Read the post at Example" */
    return words != NULL && kns_text_columns(words) <= 40 &&
           (strncmp(words, "read more ", 10) == 0 || strncmp(words, "continue reading ", 17) == 0 ||
            strncmp(words, "read on ", 8) == 0 || strncmp(words, "read at ", 8) == 0);
}

bool words_is_discussion(struct kns_arena *arena, const char *text)
{
    const char *words = bare(arena, text);

    /* "12 comments" */
    if (words != NULL && isdigit((unsigned char)*words)) {
        words += strspn(words, "0123456789,+");
        words += strspn(words, " ");
        return strcmp(words, "comments") == 0 || strcmp(words, "comment") == 0;
    }
    return is_in(words, word_list_discussions);
}

bool words_is_farewell(const char *text)
{
    return kns_text_columns(text) <= 160 && begins_with_any(text, word_list_farewells);
}

bool words_end_with(const char *text, const char *suffix)
{
    size_t len = strlen(text), suffix_len = strlen(suffix);

    return len >= suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

bool words_is_byline(const char *text)
{
    static const char *const marks[] = {"by ", "文：", "文:", "著者：", "著者:", "執筆：", NULL};

    return kns_text_columns(text) <= 40 && !words_end_with(text, ".") &&
           strstr(text, "。") == NULL && begins_with_any(text, marks);
}

bool words_is_small_print(const char *text)
{
    return begins_with_any(text, word_list_small_prints);
}

bool words_is_credit(const char *text)
{
    return begins_with_any(text, word_list_credits);
}

bool words_is_footer(const char *names)
{
    while (names != NULL && *names != '\0') {
        size_t len = strcspn(names, " \t\n-_");
        if (len >= 6 && strncasecmp(names, "footer", 6) == 0)
            return true;
        names += len + (names[len] != '\0');
    }
    return false;
}

/* "2026-11-20", "2026/11/20", "2026年11月20日", "Nov 20, 2026", "20th November 2026" */
static bool has_date(const char *text)
{
    for (const char *at = strstr(text, "20"); at != NULL; at = strstr(at + 1, "20")) {
        bool year =
            strspn(at, "0123456789") == 4 && (at == text || !isdigit((unsigned char)at[-1]));
        if (!year)
            continue;
        const char *behind = at + 4;
        if ((*behind == '-' || *behind == '/' || *behind == '.') &&
            isdigit((unsigned char)behind[1]))
            return true;
        if ((strncmp(behind, "年", 3) == 0 && strstr(behind, "月") != NULL) ||
            has_any(text, word_list_months))
            return true;
    }
    return false;
}

bool words_is_dateline(const char *text)
{
    static const char *const marks[] = {"issue", "vol.", "no.", "第", "#", NULL};
    int columns = kns_text_columns(text);

    if (strpbrk(text, "0123456789") == NULL || columns > 60 || strpbrk(text, "!?") != NULL)
        return false;
    if (strstr(text, "。") != NULL || strstr(text, "、") != NULL || strstr(text, ". ") != NULL ||
        words_end_with(text, "."))
        return false;
    return begins_with_any(text, marks) || has_date(text);
}

bool words_is_host(const char *text)
{
    size_t dots = 0, len = strlen(text);

    if (len < 4 || len > 100)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '.')
            dots++;
        else if (!isalnum(c) && c != '-')
            return false;
    }
    return dots > 0 && text[0] != '.' && isalpha((unsigned char)text[len - 1]) &&
           text[len - 2] != '.';
}

bool words_is_address(const char *text)
{
    return (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0) &&
           text[strcspn(text, " \t\n<>\"")] == '\0';
}

bool words_is_bare_address(const char *text)
{
    size_t host = strcspn(text, "/?");
    char name[101];

    if (host >= sizeof(name) || text[strcspn(text, " \t\n<>\"")] != '\0')
        return false;
    memcpy(name, text, host);
    name[host] = '\0';
    return words_is_host(name);
}

enum words_role words_role_of(const char *names)
{
    while (names != NULL && *names != '\0') {
        size_t len = strcspn(names, " \t\n-_");
        for (size_t i = 0; word_list_roles[i].word != NULL; i++)
            if (strlen(word_list_roles[i].word) == len &&
                strncasecmp(names, word_list_roles[i].word, len) == 0)
                return word_list_roles[i].role;
        names += len + (names[len] != '\0');
    }
    return ROLE_UNKNOWN;
}

bool words_is_name(const char *text)
{
    return *text != '\0' && kns_text_columns(text) <= MAX_NAME_COLUMNS &&
           strstr(text, "。") == NULL && strstr(text, "、") == NULL &&
           text[strcspn(text, "!?;")] == '\0' && !words_end_with(text, ".");
}

/* ---- addresses of the newsletter itself ----------------------------------------------------------------------- */

/* Behind scheme and host prefix, without a slash at its end. */
static const char *key_of(struct kns_arena *arena, const char *url)
{
    return url == NULL ? NULL : kns_url_variant_key(arena, url);
}

/* Folders that hold issues and nothing else. */
static bool is_shelf(const char *name, size_t len)
{
    static const char *const shelves[] = {"issues",     "issue",       "archive", "archives", "p",
                                          "newsletter", "newsletters", "weekly",  "letters"};

    for (size_t i = 0; i < sizeof(shelves) / sizeof(shelves[0]); i++)
        if (strlen(shelves[i]) == len && strncasecmp(name, shelves[i], len) == 0)
            return true;
    return false;
}

static bool is_below(const char *key, const char *folder, size_t len)
{
    return strncmp(key, folder, len) == 0 &&
           (key[len] == '\0' || key[len] == '/' || key[len] == '?');
}

bool words_is_self(struct kns_arena *arena, const char *url, const char *issue_url,
                   const char *home)
{
    const char *key = key_of(arena, url), *issue = key_of(arena, issue_url),
               *front = key_of(arena, home);

    if (key == NULL)
        return false;
    if ((front != NULL && strcmp(key, front) == 0) || (issue != NULL && strcmp(key, issue) == 0))
        return true;
    if (issue == NULL)
        return false;
    size_t host = strcspn(issue, "/?");
    const char *slash = strrchr(issue, '/');
    if (strncmp(key, issue, host) != 0 || (key[host] != '\0' && key[host] != '/'))
        return false;
    if (slash == NULL || slash == issue + host) /* issues lie at the site's top */
        return key[host] == '\0' || strchr(key + host + 1, '/') == NULL;
    size_t folder = (size_t)(slash - issue);
    if (key[host] == '\0' || is_below(key, issue, folder))
        return true;
    /* One step up from a shelf: the profile whose issues these are. */
    const char *name = memrchr(issue, '/', folder);
    if (name == NULL || name == issue + host ||
        !is_shelf(name + 1, folder - (size_t)(name + 1 - issue)))
        return false;
    return is_below(key, issue, (size_t)(name - issue));
}
