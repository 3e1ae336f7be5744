/* Any bytes as a list of subscriptions; what could be read must be writable and read again without mending. */
#include "lib/opml.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_opml list = {0}, again = {0};
    struct kns_buf out = {0};

    if (arena != NULL && kns_opml_read(arena, (const char *)data, size, &list, NULL) == KNS_OK) {
        if (kns_opml_write(&list, &out, NULL) != KNS_OK ||
            kns_opml_read(arena, kns_buf_str(&out), out.len, &again, NULL) != KNS_OK ||
            again.repaired || again.feeds.count != list.feeds.count)
            abort();
    }
    kns_buf_fini(&out);
    kns_arena_free(arena);
    return 0;
}
