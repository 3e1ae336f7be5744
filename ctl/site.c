/* knsctl site: the static site of one's own newsletter, written file by file, whole or not at all. */
#include "ctl/ctl.h"

#include "lib/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A path of the site's own: below its folder, and nothing else. */
static bool is_inside(const char *path)
{
    return *path != '\0' && *path != '/' && strstr(path, "..") == NULL &&
           strchr(path, '\\') == NULL;
}

/* The folders of a path, made where they are not there yet. */
static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool good = mkdir(path, 0755) == 0 || errno == EEXIST;
        *slash = '/';
        if (!good)
            return false;
    }
    return true;
}

static bool is_same(const char *path, const char *content, size_t size)
{
    FILE *file = fopen(path, "re");
    char piece[1 << 14];
    bool same = file != NULL;

    for (size_t at = 0; same;) {
        size_t n = fread(piece, 1, sizeof(piece), file);
        if (n == 0) {
            same = at == size;
            break;
        }
        same = at + n <= size && memcmp(piece, content + at, n) == 0;
        at += n;
    }
    if (file != NULL)
        fclose(file);
    return same;
}

int kns_cmd_site(struct kns_call *call)
{
    const char *newsletter = kns_args_value(&call->args, "newsletter");
    const struct kns_request request = {
        .path = newsletter == NULL ? "/v1/site"
                                   : kns_call_path(call, "/v1/site?newsletter=%s", newsletter)};
    json_t *answer = NULL, *file;
    size_t i, written = 0, unchanged = 0;
    int status = kns_call_json(call, NULL, &request, &answer);

    json_array_foreach(json_object_get(answer, "files"), i, file)
    {
        const char *name = kns_json_text(file, "path"), *content = kns_json_text(file, "content");
        size_t size = json_string_length(json_object_get(file, "content"));
        char *path = kns_arena_printf(call->arena, "%s/%s", call->args.operands[0], name);
        if (status != KNS_EXIT_OK)
            break;
        if (!is_inside(name) || path == NULL)
            status = kns_call_fail(call, KNS_EXIT_FAILED, "%s: no path of a site", name);
        else if (!make_folders(path))
            status = kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno));
        else if (is_same(path, content, size))
            unchanged++;
        else {
            status = kns_call_write_file(call, path, content, size);
            written += status == KNS_EXIT_OK;
        }
    }
    if (status == KNS_EXIT_OK)
        printf("%zu written, %zu unchanged\n", written, unchanged);
    json_decref(answer);
    return status;
}
