#include "lib/store/identity.h"

#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

/* A key and what it would have to tell apart: with the key equal and the other different, the key is not enough. */
struct pair {
    const char *key, *other;
    size_t index;
};

static int compare(const void *x, const void *y)
{
    const struct pair *a = x, *b = y;
    int order = strcmp(a->key, b->key);

    return order != 0 ? order : strcmp(a->other, b->other);
}

/* Marks in *ambiguous the entries whose key stands with several others. */
static bool find_ambiguous(const struct pair *given, size_t n, bool *ambiguous)
{
    struct pair *pairs = malloc((n + 1) * sizeof(*pairs));

    if (pairs == NULL)
        return false;
    memcpy(pairs, given, n * sizeof(*pairs));
    qsort(pairs, n, sizeof(*pairs), compare);
    for (size_t from = 0; from < n;) {
        size_t to = from + 1;
        while (to < n && strcmp(pairs[from].key, pairs[to].key) == 0)
            to++;
        bool several = strcmp(pairs[from].other, pairs[to - 1].other) != 0;
        for (; from < to; from++)
            ambiguous[pairs[from].index] = several;
    }
    free(pairs);
    return true;
}

static const char *hash_of(struct kns_arena *arena, const struct kns_entry *entry)
{
    const char *parts[] = {entry->title, entry->content_html, entry->content_text, entry->summary};
    /* Two independent 64-bit FNV-1a sums: entries without URL and guid are few, and only of one feed. */
    uint64_t a = UINT64_C(0xcbf29ce484222325), b = UINT64_C(0x9ae16a3b2f90404f);
    /* Title and date; where there is no title, the text stands for it. */
    size_t n = entry->title != NULL ? 1 : sizeof(parts) / sizeof(parts[0]);

    for (size_t i = 0; i < n; i++)
        for (const char *c = parts[i]; c != NULL && *c != '\0'; c++) {
            a = (a ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
            b = (b ^ (unsigned char)*c) * UINT64_C(0x100000001b3) + 0x9e37;
        }
    return kns_arena_printf(arena, "%016llx%016llx@%lld", (unsigned long long)a,
                            (unsigned long long)b, (long long)entry->published.unix_s);
}

static bool fill(struct kns_arena *arena, const struct kns_document *document, struct identity *ids)
{
    size_t i = 0;
    const struct kns_entry *entry;

    KNS_LIST_EACH(entry, &document->entries)
    {
        ids[i].guid = entry->guid;
        ids[i].url = entry->url == NULL ? NULL : kns_url_canonical(arena, entry->url);
        ids[i].variant = ids[i].url == NULL ? NULL : kns_url_variant_key(arena, ids[i].url);
        i++;
    }
    return true;
}

/* Takes away the keys that do not tell the document's entries apart. */
static bool drop_ambiguous(struct identity *ids, size_t n)
{
    enum { URL, GUID, VARIANT, KINDS };
    struct pair *pairs = malloc((n + 1) * sizeof(*pairs));
    bool *ambiguous = calloc(KINDS * (n + 1), sizeof(bool));
    bool good = pairs != NULL && ambiguous != NULL;

    for (int kind = 0; good && kind < KINDS; kind++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++) {
            const char *const keys[] = {ids[i].url, ids[i].guid, ids[i].variant};
            const char *const others[] = {ids[i].guid, ids[i].url, ids[i].url};
            if (keys[kind] != NULL)
                pairs[count++] =
                    (struct pair){keys[kind], others[kind] == NULL ? "" : others[kind], i};
        }
        good = find_ambiguous(pairs, count, ambiguous + (size_t)kind * (n + 1));
    }
    for (size_t i = 0; good && i < n; i++) {
        /* The same guid with several URLs tells nothing apart; the URLs then do. */
        if (ambiguous[GUID * (n + 1) + i])
            ids[i].guid = NULL;
        else if (ambiguous[URL * (n + 1) + i])
            ids[i].url = ids[i].variant = NULL;
        if (ambiguous[VARIANT * (n + 1) + i])
            ids[i].variant = NULL;
    }
    free(pairs);
    free(ambiguous);
    return good;
}

struct identity *kns_identity_of(struct kns_arena *arena, const struct kns_document *document)
{
    size_t n = document->entries.count, i = 0;
    struct identity *ids = kns_arena_alloc(arena, (n + 1) * sizeof(*ids));
    const struct kns_entry *entry;

    if (ids == NULL || !fill(arena, document, ids) || !drop_ambiguous(ids, n))
        return NULL;
    KNS_LIST_EACH(entry, &document->entries)
    {
        if (ids[i].url == NULL && ids[i].guid == NULL) {
            ids[i].hash = hash_of(arena, entry);
            if (ids[i].hash == NULL)
                return NULL;
        }
        i++;
    }
    return ids;
}

const char *kns_rule_name(enum identity_rule rule)
{
    static const char *const names[] = {"new",   "guid",        "canonical-url", "hash",
                                        "moved", "url-variant", "split"};

    return (size_t)rule < sizeof(names) / sizeof(names[0]) ? names[rule] : "";
}

const char *kns_rule_text(enum identity_rule rule)
{
    static const char *const texts[] = {
        "the first time that this article was seen",
        "this feed had an entry with the same guid",
        "its canonical URL was known",
        "this feed had an entry with the same title and date, and it has neither URL nor guid",
        "this feed had an entry with the same guid at another URL: the article moved",
        "its URL is another spelling (http or https, www, mobile, AMP, slash, redirector) of a "
        "known "
        "one",
        "it was split off from another item",
    };

    return (size_t)rule < sizeof(texts) / sizeof(texts[0]) ? texts[rule] : "";
}
