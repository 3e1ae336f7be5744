/* Titles that carry their site's name at the end, where the site is shown beside them. */
#include "lib/digest.h"

#include "lib/text.h"
#include "lib/url.h"

#include <string.h>

static const char *const separators[] = {" - ",  " | ", " — ", " – ", " · ",
                                         " :: ", " » ", "｜",  " : "};

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

/* The host's labels without its suffix: "tech.example.co.jp" names the site "example". */
static bool names_host(struct kns_arena *arena, const char *name, const char *url)
{
    const char *site = url != NULL && *url != '\0' ? kns_url_site(arena, url) : NULL;
    const char *host = site != NULL ? kns_url_host(arena, url) : NULL;

    if (host == NULL)
        return false;
    const char *label = kns_arena_copy(arena, site, strcspn(site, "."));
    const char *short_name = label != NULL ? bare(arena, label) : NULL;
    const char *whole = bare(arena, site);
    const char *full = bare(arena, host);
    if (short_name == NULL || whole == NULL || full == NULL)
        return false;
    return strcmp(name, short_name) == 0 || strcmp(name, whole) == 0 || strcmp(name, full) == 0 ||
           (strlen(short_name) >= 5 && strstr(name, short_name) != NULL);
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
    bool is_site = *end != '\0' && names_host(arena, end, url);
    for (; !is_site && names != NULL && *names != NULL; names++) {
        const char *name = bare(arena, *names);
        is_site = name != NULL && *end != '\0' && strcmp(name, end) == 0;
    }
    return is_site ? kns_arena_copy(arena, title, (size_t)(separator - title)) : title;
}
