/* Text that has been made UTF-8 stays UTF-8 whatever is done to it, and fits where it was made to fit. The first byte is the
 * width. */
#include "lib/text.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kns_arena *arena = kns_arena_new(0);

    if (size == 0 || arena == NULL) {
        kns_arena_free(arena);
        return 0;
    }
    const char *text = check(kns_text_to_utf8(arena, (const char *)data + 1, size - 1));
    const char *fitted = check(kns_text_fit(arena, text, data[0]));
    if (kns_text_columns(fitted) > data[0])
        abort();
    const char *squeezed = check(kns_text_squeeze(arena, text));
    if (strcmp(check(kns_text_squeeze(arena, squeezed)), squeezed) != 0)
        abort();
    const char *folded = check(kns_text_fold(arena, text));
    if (strcmp(check(kns_text_fold(arena, folded)), folded) != 0)
        abort();
    kns_arena_free(arena);
    return 0;
}
