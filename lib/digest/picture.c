/* Thumbnails: by their own address, left out, or taken along. */
#include "lib/digest/base64.h"
#include "lib/digest/hash.h"
#include "lib/digest/view.h"

#include <string.h>

static const struct kns_digest_picture *find(const struct kns_digest_options *options,
                                             const char *url)
{
    for (size_t i = 0; i < options->n_pictures; i++)
        if (options->pictures[i].bytes != NULL && strcmp(options->pictures[i].url, url) == 0)
            return &options->pictures[i];
    return NULL;
}

const char *digest_picture_id(struct kns_arena *arena, const struct kns_digest_picture *picture)
{
    const char *hash = digest_hash(arena, "picture", picture->url);

    return hash == NULL ? NULL : kns_arena_printf(arena, "%s@kns", hash);
}

static const char *data_address(struct kns_arena *arena, const struct kns_digest_picture *picture)
{
    struct kns_buf out = {0};

    kns_buf_addf(&out, "data:%s;base64,", picture->type);
    digest_base64(&out, picture->bytes, picture->size, 0);
    const char *address =
        kns_buf_failed(&out) ? NULL : kns_arena_copy(arena, kns_buf_str(&out), out.len);
    kns_buf_fini(&out);
    return address;
}

const char *digest_picture_src(const struct digest_view *view, const struct digest_entry *entry)
{
    if (view->options->images != KNS_IMAGES_EMBEDDED || *entry->image == '\0')
        return entry->image;
    const struct kns_digest_picture *picture = find(view->options, entry->image);
    if (picture == NULL)
        return "";
    if (!view->mail)
        return data_address(view->arena, picture);
    const char *id = digest_picture_id(view->arena, picture);
    return id == NULL ? NULL : kns_arena_printf(view->arena, "cid:%s", id);
}
