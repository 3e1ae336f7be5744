#include "lib/digest/templates.h"

#include "lib/arena.h"
#include "lib/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_TEMPLATE_BYTES ((size_t)1 << 20)

/* Where templates and partials of one rendering come from. */
struct source {
    const char *dir;
    struct kns_arena *arena;
    enum kns_status status; /* of the first file that could not be read */
    struct kns_error *err;
};

static const char *built_in(const char *name)
{
    for (const struct digest_template *t = digest_templates; t->name != NULL; t++)
        if (strcmp(t->name, name) == 0)
            return t->text;
    return NULL;
}

static const char *read_all(struct source *source, FILE *file, const char *path)
{
    struct kns_buf buf;
    const char *text = NULL;

    kns_buf_init(&buf, MAX_TEMPLATE_BYTES);
    for (;;) {
        char *room = kns_buf_reserve(&buf, 4096);
        size_t len = room != NULL ? fread(room, 1, 4096, file) : 0;
        if (len == 0)
            break;
        buf.len += len;
    }
    if (ferror(file))
        source->status = kns_fail(source->err, KNS_EIO, "%s: cannot be read", path);
    else if (kns_buf_failed(&buf))
        source->status = kns_fail(source->err, KNS_ELIMIT, "%s: longer than %zu bytes", path,
                                  MAX_TEMPLATE_BYTES);
    else
        text = kns_arena_copy(source->arena, kns_buf_str(&buf), buf.len);
    kns_buf_fini(&buf);
    return text;
}

/* A partial's name is part of a path: only plain file names go there. */
static const char *find_text(void *ctx, const char *name)
{
    struct source *source = ctx;

    if (source->dir == NULL || strchr(name, '/') != NULL || *name == '.')
        return built_in(name);
    const char *path = kns_arena_printf(source->arena, "%s/%s.mustache", source->dir, name);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file == NULL && path != NULL && errno != ENOENT)
        source->status = kns_fail(source->err, KNS_EIO, "%s: %s", path, strerror(errno));
    if (file == NULL)
        return built_in(name);
    const char *text = read_all(source, file, path);
    fclose(file);
    return text;
}

/* A folder that is not there is a mistake; a file that is not, is as installed. */
static enum kns_status check_dir(const struct source *source)
{
    struct stat st;

    if (source->dir == NULL || (stat(source->dir, &st) == 0 && S_ISDIR(st.st_mode)))
        return KNS_OK;
    return kns_fail(source->err, KNS_EIO, "[digest] template_dir: %s: %s", source->dir,
                    errno == 0 ? "not a folder" : strerror(errno));
}

enum kns_status digest_template_render(const char *dir, const char *name, const json_t *context,
                                       enum kns_mustache_escape escape, struct kns_buf *out,
                                       struct kns_error *err)
{
    struct source source = {.dir = dir != NULL && *dir != '\0' ? dir : NULL,
                            .arena = kns_arena_new(0),
                            .status = KNS_OK,
                            .err = err};

    if (source.arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    errno = 0;
    enum kns_status status = check_dir(&source);
    const char *text = status == KNS_OK ? find_text(&source, name) : NULL;
    status = status == KNS_OK ? source.status : status;
    if (status == KNS_OK && text == NULL)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK) {
        status = kns_mustache_render(text, context, escape, find_text, &source, out, err);
        if (status != KNS_OK && err != NULL)
            kns_fail_in(err, "%s%s%s.mustache", source.dir == NULL ? "" : source.dir,
                        source.dir == NULL ? "" : "/", name);
        else if (status == KNS_OK)
            status = source.status;
    }
    kns_arena_free(source.arena);
    return status;
}

bool kns_digest_template(size_t i, const char **ret_name, const char **ret_text)
{
    for (size_t at = 0; digest_templates[at].name != NULL; at++)
        if (at == i) {
            *ret_name = digest_templates[at].name;
            *ret_text = digest_templates[at].text;
            return true;
        }
    return false;
}
