/* A base and a reference, a line each: what is resolved stays so, what is canonical stays so, and credentials stay hidden. */
#include "lib/text.h"
#include "lib/url.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *check(const char *text)
{
    if (text == NULL || !kns_text_is_utf8(text, strlen(text)))
        abort();
    return text;
}

static void check_canonical(struct kns_arena *arena, const char *url)
{
    const char *canonical = kns_url_canonical(arena, url);

    check(kns_url_clean(arena, url));
    check(kns_url_without_credentials(arena, url));
    kns_url_variant_key(arena, url);
    kns_url_site(arena, url);
    if (canonical == NULL)
        return;
    check(canonical);
    if (!kns_url_is_web(canonical) || kns_url_host(arena, canonical) == NULL)
        abort();
    if (strcmp(check(kns_url_canonical(arena, canonical)), canonical) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *text = arena == NULL ? NULL : kns_text_to_utf8(arena, (const char *)data, size);

    if (text == NULL)
        abort();
    size_t len = strcspn(text, "\n");
    const char *base = kns_arena_copy(arena, text, len);
    const char *reference = text[len] == '\0' ? base : text + len + 1;
    const char *resolved = check(kns_url_resolve(arena, base, reference));
    check(kns_url_resolve(arena, NULL, reference));
    if (kns_url_has_scheme(resolved) &&
        strcmp(check(kns_url_resolve(arena, base, resolved)), resolved) != 0)
        abort();
    check_canonical(arena, resolved);
    check_canonical(arena, base);
    kns_arena_free(arena);
    return 0;
}
