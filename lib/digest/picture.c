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

static bool is_known(const struct kns_digest_picture *pictures, size_t n, const char *url)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(pictures[i].url, url) == 0)
            return true;
    return false;
}

bool kns_digest_find_pictures(struct kns_arena *arena, const struct kns_digest *digest,
                              struct kns_digest_picture **ret_pictures, size_t *ret_n)
{
    static const struct kns_digest_options plain = {0};
    const struct digest_view *view = digest_view_new(arena, digest, &plain);
    struct kns_digest_picture *pictures =
        kns_arena_alloc(arena, (digest->items.count + 1) * sizeof(*pictures));
    const struct digest_group *group;
    const struct digest_entry *entry;
    size_t n = 0;

    if (view == NULL || pictures == NULL)
        return false;
    KNS_LIST_EACH(group, &view->groups)
    KNS_LIST_EACH(entry, &group->entries)
    if (*entry->image != '\0' && !is_known(pictures, n, entry->image))
        pictures[n++] = (struct kns_digest_picture){.url = entry->image};
    *ret_pictures = pictures;
    *ret_n = n;
    return true;
}
