/* A static site of all issues. Every page stands in a folder of its own, so that its address ends with a slash and any web server
 * serves it; links between them are relative, so that the site may lie anywhere. */
#include "lib/issue.h"

#include "lib/digest/xml.h"
#include "lib/url.h"

#include <stdio.h>
#include <string.h>

struct writing {
    const struct kns_issue *const *issues; /* the newest first */
    size_t count;
    const struct kns_publication *publication;
    const struct kns_site_options *options;
    bool (*on_file)(void *ctx, const char *path, const struct kns_buf *content);
    void *ctx;
    struct kns_error *err;
};

static bool is_set(const char *text)
{
    return text != NULL && *text != '\0';
}

/* Hands a file out and takes its memory back. */
static enum kns_status hand_out(struct writing *w, const char *path, struct kns_buf *content,
                                enum kns_status status)
{
    if (status == KNS_OK && kns_buf_failed(content))
        status = kns_fail(w->err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK && !w->on_file(w->ctx, path, content))
        status = kns_fail(w->err, KNS_ENOMEM, "out of memory");
    kns_buf_fini(content);
    return status;
}

static const char *absolute(struct kns_arena *arena, const struct kns_publication *publication,
                            const char *path)
{
    size_t len = strlen(publication->base_url);
    bool slash = len > 0 && publication->base_url[len - 1] == '/';

    return kns_arena_printf(arena, "%s%s%s", publication->base_url, slash ? "" : "/", path);
}

/* up: the way back to the site's top, "" or "../". */
static enum kns_status write_issue(struct writing *w, size_t i, const char *path, const char *up)
{
    struct kns_arena *arena = kns_arena_new(0);
    const struct kns_digest_options options = {.template_dir = w->options->template_dir};
    struct kns_digest *digest =
        arena == NULL ? NULL : kns_issue_digest(arena, w->issues[i], w->publication, false);
    struct kns_buf out = {0};

    if (digest == NULL) {
        kns_arena_free(arena);
        return kns_fail(w->err, KNS_ENOMEM, "out of memory");
    }
    digest->home_url = *up == '\0' ? "./" : up;
    digest->archive_url = kns_arena_printf(arena, "%sarchive/", up);
    digest->feed_url = kns_arena_printf(arena, "%sfeed.atom", up);
    if (i > 0)
        digest->newer_url =
            kns_arena_printf(arena, "%s%lld/", up, (long long)w->issues[i - 1]->number);
    if (i + 1 < w->count)
        digest->older_url =
            kns_arena_printf(arena, "%s%lld/", up, (long long)w->issues[i + 1]->number);
    /* The page's own address is on this site, wherever the issue was published first. */
    digest->url = is_set(w->publication->base_url)
                      ? kns_issue_url(arena, w->publication, w->issues[i]->number)
                      : NULL;
    enum kns_status status =
        kns_digest_render(digest, KNS_DIGEST_HTML, &options, &out, NULL, w->err);
    status = hand_out(w, path, &out, status);
    kns_arena_free(arena);
    return status;
}

static enum kns_status write_pages(struct writing *w)
{
    enum kns_status status = write_issue(w, 0, "index.html", "");
    char path[48];

    for (size_t i = 0; i < w->count && status == KNS_OK; i++) {
        snprintf(path, sizeof(path), "%lld/index.html", (long long)w->issues[i]->number);
        status = write_issue(w, i, path, "../");
    }
    return status;
}

/* The titles of an issue's first items. NULL: no memory, or there are none. */
static const char *teaser_of(struct kns_arena *arena, const struct kns_issue *issue)
{
    const struct kns_issue_item *item = issue->items.first;
    const char *teaser = item == NULL ? NULL : item->title;

    for (size_t n = 1; teaser != NULL && item->next != NULL && n < KNS_DIGEST_TEASER_ITEMS; n++) {
        item = item->next;
        teaser = kns_arena_printf(arena, "%s / %s", teaser, item->title);
    }
    return teaser;
}

static enum kns_status write_archive(struct writing *w)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_digest_archive archive = {.title = w->publication->title,
                                         .language = w->publication->language,
                                         .home_url = "../",
                                         .feed_url = "../feed.atom"};
    struct kns_buf out = {0};
    enum kns_status status = arena == NULL ? kns_fail(w->err, KNS_ENOMEM, "out of memory") : KNS_OK;

    for (size_t i = 0; i < w->count && status == KNS_OK; i++) {
        struct kns_digest_issue *row = KNS_NEW(arena, struct kns_digest_issue);
        if (row == NULL) {
            status = kns_fail(w->err, KNS_ENOMEM, "out of memory");
            break;
        }
        row->title = w->issues[i]->title;
        row->href = kns_arena_printf(arena, "../%lld/", (long long)w->issues[i]->number);
        row->teaser = teaser_of(arena, w->issues[i]);
        row->published = w->issues[i]->published;
        row->items = w->issues[i]->items.count;
        KNS_LIST_APPEND(&archive.issues, row);
    }
    if (status == KNS_OK)
        status = kns_digest_render_archive(&archive, w->options->template_dir, &out, w->err);
    status = hand_out(w, "archive/index.html", &out, status);
    kns_arena_free(arena);
    return status;
}

/* The feeds hold the last issues; readers keep what they have seen. */
#define FEED_MOST 20

static enum kns_status write_feeds(struct writing *w)
{
    struct kns_arena *arena = kns_arena_new(0);
    size_t n = w->count < FEED_MOST ? w->count : FEED_MOST;
    bool based = is_set(w->publication->base_url);
    struct kns_buf atom = {0}, json = {0};

    if (arena == NULL)
        return kns_fail(w->err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_issues_write_atom(
        w->issues, n, w->publication, based ? absolute(arena, w->publication, "feed.atom") : NULL,
        &atom, w->err);
    status = hand_out(w, "feed.atom", &atom, status);
    if (status == KNS_OK)
        status = hand_out(
            w, "feed.json", &json,
            kns_issues_write_jsonfeed(w->issues, n, w->publication,
                                      based ? absolute(arena, w->publication, "feed.json") : NULL,
                                      &json, w->err));
    kns_arena_free(arena);
    return status;
}

static void add_address(struct kns_buf *out, const char *url, struct kns_time changed)
{
    char date[KNS_TIME_TEXT];

    kns_buf_adds(out, "  <url>\n");
    digest_xml_element(out, 4, "loc", url);
    digest_xml_element(out, 4, "lastmod", kns_time_format(changed, date));
    kns_buf_adds(out, "  </url>\n");
}

static enum kns_status write_map(struct writing *w)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_buf out = {0};

    if (arena == NULL)
        return kns_fail(w->err, KNS_ENOMEM, "out of memory");
    kns_buf_adds(&out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                       "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
    add_address(&out, absolute(arena, w->publication, ""), w->issues[0]->updated);
    add_address(&out, absolute(arena, w->publication, "archive/"), w->issues[0]->published);
    for (size_t i = 0; i < w->count; i++)
        add_address(&out, kns_issue_url(arena, w->publication, w->issues[i]->number),
                    w->issues[i]->updated);
    kns_buf_adds(&out, "</urlset>\n");
    enum kns_status status = hand_out(w, "sitemap.xml", &out, KNS_OK);
    kns_arena_free(arena);
    return status;
}

enum kns_status kns_issues_write_site(const struct kns_issue *const *issues, size_t count,
                                      const struct kns_publication *publication,
                                      const struct kns_site_options *options,
                                      bool (*on_file)(void *ctx, const char *path,
                                                      const struct kns_buf *content),
                                      void *ctx, struct kns_error *err)
{
    struct writing w = {issues, count, publication, options, on_file, ctx, err};
    struct kns_buf opml = {0};

    if (count == 0)
        return kns_fail(err, KNS_ENOTFOUND, "nothing is published yet");
    enum kns_status status = write_pages(&w);
    if (status == KNS_OK)
        status = write_archive(&w);
    if (status == KNS_OK)
        status = write_feeds(&w);
    if (status == KNS_OK && options->blogroll_opml != NULL) {
        kns_buf_adds(&opml, options->blogroll_opml);
        status = hand_out(&w, "blogroll.opml", &opml, KNS_OK);
    }
    if (status == KNS_OK && is_set(publication->base_url))
        status = write_map(&w);
    return status;
}
