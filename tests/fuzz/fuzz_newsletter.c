/* Any bytes as a newsletter: it is read or refused, its JSON can be written, and what comes out is bounded by what went in. */
#include "lib/newsletter.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct kns_newsletter_source source = {.url = "https://letters.example/weekly/12"};
    struct kns_arena *arena = kns_arena_new(64u << 20);
    struct kns_newsletter *newsletter = NULL;
    const struct kns_newsletter_item *item;

    if (arena == NULL)
        return 0;
    if (kns_newsletter_read_file(arena, (const char *)data, size, &source, &newsletter, NULL) ==
        KNS_OK) {
        KNS_LIST_EACH(item, &newsletter->items)
        if (item->url == NULL || (item->note == NULL) != (item->note_html == NULL))
            abort();
        json_t *json = kns_newsletter_to_json(newsletter, true);
        char *text = json_dumps(json, 0);
        if (text == NULL)
            abort();
        free(text);
        json_decref(json);
    }
    kns_arena_free(arena);
    return 0;
}
