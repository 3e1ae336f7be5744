/* Titles that carry their site's name at the end, where the site is shown beside them. */
#include "lib/digest.h"

#include "lib/text.h"
#include "lib/url.h"

#include <string.h>

static const char *const separators[] = {" - ", " | ", " — ", " – ", " · ", " • ", " :: ", " » ",
                                         " : ", " / ", " ~ ", "｜",  "：",  "／",  " ― ",  " － "};

/* What sites call themselves beside their name. */
static const char *const kinds[] = {
    "the",          "official",      "blog",         "blogs",
    "tech",         "techblog",      "technology",   "engineering",
    "engineers",    "developer",     "developers",   "dev",
    "docs",         "documentation", "news",         "magazine",
    "media",        "times",         "journal",      "weekly",
    "research",     "lab",           "labs",         "ai",
    "data",         "japan",         "jp",           "inc",
    "co",           "ltd",           "com",          "org",
    "net",          "online",        "site",         "web",
    "community",    "team",          "company",      "corporate",
    "press",        "ブログ",        "テックブログ", "技術ブログ",
    "公式",         "公式ブログ",    "公式サイト",   "ニュース",
    "マガジン",     "研究所",        "株式会社",     "エンジニアブログ",
    "開発者ブログ", "開発ブログ"};

/* The last separator in title; NULL when there is none. */
static const char *last_separator(const char *title, size_t *ret_len)
{
    const char *last = NULL;

    for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++)
        for (const char *at = strstr(title, separators[i]); at != NULL;
             at = strstr(at + 1, separators[i]))
            if (last == NULL || at > last) {
                last = at;
                *ret_len = strlen(separators[i]);
            }
    return last;
}

/* Letters and digits only, folded: "Speaker Deck" and "speakerdeck" are one. */
static const char *bare(struct kns_arena *arena, const char *text)
{
    const char *folded = kns_text_fold(arena, text);
    char *out = folded != NULL ? kns_arena_strdup(arena, folded) : NULL;
    size_t used = 0;

    if (out == NULL)
        return NULL;
    for (const char *c = out; *c != '\0'; c++)
        if (strchr(" .-_", *c) == NULL)
            out[used++] = *c;
    out[used] = '\0';
    return out;
}

static bool is_kind(struct kns_arena *arena, const char *word)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *kind = kns_text_fold(arena, kinds[i]);
        if (kind != NULL && strcmp(kind, word) == 0)
            return true;
    }
    return false;
}

/* "SenseTime Japan TECH blog" of sensetime.jp: the host's name, and beside it only words that sites call themselves. A sentence about
 * the site is not its name. */
static bool is_name_with_kinds(struct kns_arena *arena, const char *end, const char *label)
{
    char *words = kns_arena_strdup(arena, kns_text_fold(arena, end)), *rest = NULL;
    bool named = false;

    if (words == NULL)
        return false;
    for (char *word = strtok_r(words, " ,.", &rest); word != NULL;
         word = strtok_r(NULL, " ,.", &rest)) {
        const char *short_word = bare(arena, word);
        if (short_word != NULL && strcmp(short_word, label) == 0)
            named = true;
        else if (!is_kind(arena, word))
            return false;
    }
    return named;
}

/* The host's labels without its suffix: "tech.example.co.jp" names the site "example". */
static bool names_host(struct kns_arena *arena, const char *end, const char *url)
{
    const char *site = url != NULL && *url != '\0' ? kns_url_site(arena, url) : NULL;
    const char *host = site != NULL ? kns_url_host(arena, url) : NULL;
    const char *name = bare(arena, end);

    if (host == NULL || name == NULL)
        return false;
    const char *label = kns_arena_copy(arena, site, strcspn(site, "."));
    const char *short_name = label != NULL ? bare(arena, label) : NULL;
    const char *whole = bare(arena, site);
    const char *full = bare(arena, host);
    if (short_name == NULL || whole == NULL || full == NULL)
        return false;
    return strcmp(name, short_name) == 0 || strcmp(name, whole) == 0 || strcmp(name, full) == 0 ||
           is_name_with_kinds(arena, end, short_name);
}

const char *kns_digest_clean_title(struct kns_arena *arena, const char *title, const char *url,
                                   const char *const *names)
{
    size_t len = 0;
    const char *separator = last_separator(title, &len);

    if (separator == NULL || separator == title || separator[len] == '\0')
        return title;
    const char *end = bare(arena, separator + len);
    if (end == NULL)
        return NULL;
    bool is_site = *end != '\0' && names_host(arena, separator + len, url);
    for (; !is_site && names != NULL && *names != NULL; names++) {
        const char *name = bare(arena, *names);
        is_site = name != NULL && *end != '\0' && strcmp(name, end) == 0;
    }
    return is_site ? kns_arena_copy(arena, title, (size_t)(separator - title)) : title;
}
