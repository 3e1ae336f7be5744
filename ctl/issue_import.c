/* knsctl issue import: past issues, out of files, folders and feeds. */
#include "ctl/issue.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct importing {
    size_t imported, known;
    struct kns_tally tally;
};

static int import_bytes(struct kns_call *call, struct importing *importing, const char *what,
                        const char *more, const char *bytes, size_t size)
{
    const struct kns_request request = {.method = "POST",
                                        .path = kns_issue_path_of(call, "/v1/issues/import", more),
                                        .content_type = "text/html",
                                        .body = bytes,
                                        .body_size = size};
    struct kns_response response;
    struct kns_error err = {0};

    if (kns_client_send(call->client, &request, &response, &err) != KNS_OK)
        return kns_call_failed(call, what, &err);
    bool known = response.status == 409;
    bool good = response.status == 201;
    json_t *answer = json_loadb(kns_buf_str(&response.body), response.body.len, 0, NULL);
    importing->imported += good;
    importing->known += known;
    if (!good && !known)
        fprintf(stderr, "knsctl: %s: %s\n", kns_out_safe(call->arena, what),
                kns_out_safe(call->arena, kns_json_text(answer, "detail")));
    json_decref(answer);
    kns_buf_fini(&response.body);
    return good || known ? KNS_EXIT_OK : KNS_EXIT_FAILED;
}

static const char *with(struct kns_call *call, const char *more, const char *name,
                        const char *value)
{
    if (value == NULL || *value == '\0')
        return more;
    return kns_arena_printf(call->arena, "%s%s%s=%s", more, *more ? "&" : "", name,
                            kns_call_path(call, "%s", value));
}

/* A date that the file's name begins with, as archives have it. */
static const char *date_in_name(struct kns_call *call, const char *path)
{
    const char *name = strrchr(path, '/');

    name = name == NULL ? path : name + 1;
    for (size_t i = 0; i < 10; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? name[i] != '-' : name[i] < '0' || name[i] > '9')
            return NULL;
    }
    return kns_arena_copy(call->arena, name, 10);
}

static void import_file(struct kns_call *call, struct importing *importing, const char *path)
{
    const char *date = kns_args_value(&call->args, "date");
    const char *more = with(call, "", "date", date != NULL ? date : date_in_name(call, path));
    struct kns_buf bytes = {0};
    int status = kns_issue_read_file(call, path, &bytes);

    more = with(call, more, "number", kns_args_value(&call->args, "issue-number"));
    more = with(call, more, "url", kns_args_value(&call->args, "url"));
    if (status == KNS_EXIT_OK)
        status = import_bytes(call, importing, path, more, kns_buf_str(&bytes), bytes.len);
    kns_buf_fini(&bytes);
    kns_tally_add(&importing->tally, status);
}

static bool is_issue_file(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && strncasecmp(name, "README.", 7) != 0 &&
           (strcmp(dot, ".md") == 0 || strcmp(dot, ".html") == 0 || strcmp(dot, ".htm") == 0);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static void import_entry(struct kns_call *call, struct importing *importing, FTS *fts,
                         FTSENT *entry)
{
    bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';

    if (hidden && entry->fts_info == FTS_D)
        fts_set(fts, entry, FTS_SKIP);
    else if (entry->fts_info == FTS_F && !hidden && is_issue_file(entry->fts_name))
        import_file(call, importing, entry->fts_path);
    else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS)
        kns_tally_add(&importing->tally,
                      kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", entry->fts_path,
                                    strerror(entry->fts_errno)));
}

/* All issues in a folder and in those below it, by name, so that numbers grow. */
static void import_dir(struct kns_call *call, struct importing *importing, const char *path)
{
    char *paths[] = {(char *)(uintptr_t)path, NULL};
    FTS *fts = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    FTSENT *entry;

    if (fts == NULL) {
        kns_tally_add(&importing->tally,
                      kns_call_fail(call, KNS_EXIT_FAILED, "%s: %s", path, strerror(errno)));
        return;
    }
    while ((entry = fts_read(fts)) != NULL)
        import_entry(call, importing, fts, entry);
    fts_close(fts);
}

static void import_items(struct kns_call *call, struct importing *importing, const json_t *page)
{
    json_t *items = json_object_get(page, "items"), *item;
    size_t i;

    /* The oldest first, so that numbers grow. */
    for (i = json_array_size(items); i > 0; i--) {
        item = json_array_get(items, i - 1);
        const char *html = kns_json_text(item, "content_html");
        if (*html == '\0')
            html = kns_json_text(json_object_get(item, "_kns"), "summary_html");
        const char *more = with(call, "", "title", kns_json_text(item, "title"));
        more = with(call, more, "url", kns_json_text(item, "url"));
        more = with(call, more, "date", kns_json_text(item, "date_published"));
        int status =
            import_bytes(call, importing, kns_json_text(item, "title"), more, html, strlen(html));
        kns_tally_add(&importing->tally, status);
    }
}

/* A feed of issues: read through the daemon's own fetcher; a subscription made for that is taken back. */
static void import_feed(struct kns_call *call, struct importing *importing, const char *url)
{
    json_t *feed = NULL, *page = NULL, *none = NULL;
    const struct kns_request known = {.path = kns_call_path(call, "/v1/feeds?url=%s", url)};
    struct kns_response response = {0};
    struct kns_error err = {0};
    int64_t id = 0;
    bool added = false;
    int status = KNS_EXIT_OK;

    if (kns_client_send(call->client, &known, &response, &err) == KNS_OK &&
        response.status == 200) {
        feed = json_loadb(kns_buf_str(&response.body), response.body.len, 0, NULL);
        id = json_integer_value(json_object_get(json_array_get(feed, 0), "id"));
    }
    kns_buf_fini(&response.body);
    if (id == 0) {
        json_decref(feed);
        feed = NULL;
        status = kns_call_post(call, url, "/v1/feeds",
                               json_pack("{s:s, s:b}", "url", url, "newsletter", 0), &feed);
        id = json_integer_value(json_object_get(feed, "id"));
        added = status == KNS_EXIT_OK;
    }
    const struct kns_request items = {
        .path = kns_arena_printf(call->arena, "/v1/items?feed=%lld&limit=1000", (long long)id)};
    if (status == KNS_EXIT_OK)
        status = kns_call_json(call, url, &items, &page);
    const struct kns_request remove = {
        .method = "DELETE", .path = kns_arena_printf(call->arena, "/v1/feeds/%lld", (long long)id)};
    if (added)
        kns_call_json(call, url, &remove, &none);
    if (status == KNS_EXIT_OK)
        import_items(call, importing, page);
    else
        kns_tally_add(&importing->tally, status);
    json_decref(feed);
    json_decref(page);
    json_decref(none);
}

int kns_cmd_issue_import(struct kns_call *call)
{
    struct importing importing = {0};

    for (size_t i = 0; i < kns_issue_n_operands(call); i++) {
        const char *path = kns_issue_operand(call, i);
        struct stat st;
        if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0)
            import_feed(call, &importing, path);
        else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            import_dir(call, &importing, path);
        else
            import_file(call, &importing, path);
    }
    if (call->json)
        kns_call_print_json(call,
                            json_pack("{s:I, s:I, s:I}", "imported", (json_int_t)importing.imported,
                                      "known", (json_int_t)importing.known, "failed",
                                      (json_int_t)importing.tally.failed));
    else
        printf("%zu imported, %zu there already, %zu failed\n", importing.imported, importing.known,
               importing.tally.failed);
    return kns_tally_exit(&importing.tally);
}
