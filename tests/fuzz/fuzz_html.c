/* Any HTML: nothing that runs gets through the sanitiser, not in a second round either; texts and links are UTF-8. */
#include "lib/html.h"
#include "lib/html/plain.h"
#include "lib/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE "https://example.org/a/page?x=1"

static const char *check(const char *text)
{
    if (text == NULL || !kns_text_is_utf8(text, strlen(text)))
        abort();
    return text;
}

/* Tables and paragraphs nested against HTML's rules come out of gumbo's tree as markup that is read into another one, so that a second
 * round may differ; it lets nothing more through. */
static void check_sanitizer(struct kns_arena *arena, const char *html)
{
    static const char *const bad[] = {"<script",
                                      "<style",
                                      "<iframe",
                                      "<object",
                                      "<embed",
                                      "<svg",
                                      "<math",
                                      "<form",
                                      "<base",
                                      "<meta",
                                      "<link",
                                      "<!--",
                                      "href=\"javascript:",
                                      "src=\"javascript:"};

    for (int round = 0; round < 3; round++) {
        html = check(kns_html_sanitize(arena, html, BASE));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            if (strstr(html, bad[i]) != NULL)
                abort();
    }
}

/* The quick way and the tree agree, but that gumbo takes some controls for errors. */
static const char *check_plain(struct kns_arena *arena, const char *html, bool one_line)
{
    const char *text = check(kns_html_plain(arena, html, one_line));
    const char *by_tree = check(kns_html_plain_by_tree(arena, html, one_line));

    if (strstr(by_tree, "\xEF\xBF\xBD") == NULL && strcmp(text, by_tree) != 0)
        abort();
    return text;
}

static void check_links(struct kns_arena *arena, const char *html)
{
    struct kns_html_links links = {0};
    struct kns_html_feeds feeds = {0};
    struct kns_html_page page = {0};
    const struct kns_html_link *link;
    const struct kns_html_feed *feed;

    if (!kns_html_links(arena, html, BASE, &links) ||
        !kns_html_find_feeds(arena, html, BASE, &feeds) ||
        !kns_html_describe_page(arena, html, BASE, &page))
        abort();
    KNS_LIST_EACH(link, &links.list)
    {
        check(link->url);
        check(link->text);
        check(link->context);
    }
    KNS_LIST_EACH(feed, &feeds.list)
    check(feed->url);
    if (page.title != NULL)
        check(page.title);
    const char *image = kns_html_first_image(arena, html, BASE);
    if (image != NULL)
        check(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kns_arena *arena = kns_arena_new(0);
    const char *html = arena == NULL ? NULL : kns_text_to_utf8(arena, (const char *)data, size);

    if (html == NULL)
        abort();
    kns_html_looks_like_html(html);
    kns_html_is_page(html, strlen(html));
    check_sanitizer(arena, html);
    check_sanitizer(arena, check(kns_html_escape(arena, html)));
    if (strchr(check_plain(arena, html, true), '\n') != NULL)
        abort();
    check_plain(arena, html, false);
    const char *absolute = check(kns_html_resolve(arena, html, BASE));
    if (strcmp(check(kns_html_resolve(arena, absolute, BASE)), absolute) != 0)
        abort();
    check_links(arena, html);
    kns_arena_free(arena);
    return 0;
}
