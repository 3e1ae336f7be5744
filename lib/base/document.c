#include "lib/document.h"

static const char *const format_names[] = {
    [KNS_FORMAT_NONE] = "",
    [KNS_FORMAT_RSS_090] = "rss-0.90",
    [KNS_FORMAT_RSS_091] = "rss-0.91",
    [KNS_FORMAT_RSS_092] = "rss-0.92",
    [KNS_FORMAT_RSS_100] = "rss-1.0",
    [KNS_FORMAT_RSS_200] = "rss-2.0",
    [KNS_FORMAT_ATOM_03] = "atom-0.3",
    [KNS_FORMAT_ATOM_10] = "atom-1.0",
    [KNS_FORMAT_JSONFEED_10] = "jsonfeed-1.0",
    [KNS_FORMAT_JSONFEED_11] = "jsonfeed-1.1",
    [KNS_FORMAT_CDF] = "cdf",
};

struct kns_document *kns_document_new(size_t limit_bytes)
{
    struct kns_arena *arena = kns_arena_new(limit_bytes);

    if (arena == NULL)
        return NULL;
    struct kns_document *document = KNS_NEW(arena, struct kns_document);
    if (document == NULL) {
        kns_arena_free(arena);
        return NULL;
    }
    document->arena = arena;
    document->ttl_s = -1;
    document->update_interval_s = -1;
    return document;
}

void kns_document_free(struct kns_document *document)
{
    if (document != NULL)
        kns_arena_free(document->arena);
}

struct kns_entry *kns_entry_new(struct kns_arena *arena)
{
    struct kns_entry *entry = KNS_NEW(arena, struct kns_entry);

    if (entry == NULL)
        return NULL;
    entry->comments_count = -1;
    entry->episode = -1;
    entry->season = -1;
    return entry;
}

const char *kns_format_name(enum kns_format format)
{
    size_t n = sizeof(format_names) / sizeof(format_names[0]);

    return (size_t)format < n ? format_names[format] : "";
}
