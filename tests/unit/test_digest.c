/* Digests: the same selection in every format, hostile input included. */
#include "lib/digest.h"

#include "lib/digest/dress.h"
#include "lib/digest/wrap.h"
#include "lib/markdown.h"
#include "lib/text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/arena.h"

static struct kns_item *new_item(const char *title, const char *url, const char *summary)
{
    struct kns_item *item = KNS_NEW(arena, struct kns_item);
    struct kns_item_feed *feed = KNS_NEW(arena, struct kns_item_feed);

    item->id = 7;
    item->entry.guid = "tag:example.org,2024:1";
    item->entry.title = title;
    item->entry.url = url;
    item->entry.summary = summary;
    item->entry.comments_count = item->entry.episode = item->entry.season = -1;
    item->entry.published = (struct kns_time){1700000000};
    item->first_seen = (struct kns_time){1700003600};
    feed->title = "A feed";
    feed->url = "https://user:secret@feeds.example/f.xml";
    KNS_LIST_APPEND(&item->feeds, feed);
    return item;
}

static struct kns_digest hostile_digest(void)
{
    struct kns_digest digest = {.title = "News <b>&\"' #3", .base_url = "https://news.example/"};
    struct kns_item *item =
        new_item("<script>alert(1)</script> & *more*", "https://a.example/x?a=1&b=2",
                 "]]> <img src=x onerror=y> [z](j)");

    item->entry.image = "javascript:alert(1)";
    item->note_html =
        "<p onclick=x>ok <a href='javascript:y'>bad</a> <a href='https://g.example/'>good</a></p>"
        "<script>z()</script>";
    kns_digest_add_item(&digest, arena, item);
    kns_digest_add_section(&digest, arena, "Intro <i>", "<p>Hello</p><script>no()</script>");
    return digest;
}

static char *render(const struct kns_digest *digest, enum kns_digest_format format)
{
    struct kns_buf out = {0};
    struct kns_error err = {0};
    enum kns_status status = kns_digest_render(digest, format, NULL, &out, NULL, &err);

    if (status != KNS_OK)
        fail_msg("%s: %s", kns_digest_format_name(format), err.message);
    return kns_buf_take(&out);
}

static void every_format_gives_the_same_bytes_twice_and_no_secret(void **state)
{
    struct kns_digest digest = hostile_digest();
    (void)state;

    for (int format = KNS_DIGEST_HTML; format <= KNS_DIGEST_EML; format++) {
        char *once = render(&digest, (enum kns_digest_format)format);
        char *twice = render(&digest, (enum kns_digest_format)format);
        assert_string_equal(once, twice);
        assert_true(kns_text_is_utf8(once, strlen(once)));
        assert_null(strstr(once, "secret"));
        free(once);
        free(twice);
    }
}

static void html_of_hostile_items_holds_no_script(void **state)
{
    struct kns_digest digest = hostile_digest();
    char *html = render(&digest, KNS_DIGEST_HTML);
    (void)state;

    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "javascript:"));
    assert_null(strstr(html, "onclick"));
    assert_null(strstr(html, "<img src=x"));
    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_non_null(strstr(html, "https://a.example/x?a=1&amp;b=2"));
    assert_non_null(strstr(html, "https://g.example/"));
    free(html);
}

static void markdown_shows_what_was_said(void **state)
{
    struct kns_digest digest = hostile_digest();
    char *text = render(&digest, KNS_DIGEST_MARKDOWN);
    const char *html = kns_markdown_to_html(arena, text);
    (void)state;

    assert_non_null(strstr(html, "&lt;script&gt;alert(1)&lt;/script&gt; &amp; *more*"));
    assert_null(strstr(html, "<script"));
    assert_null(strstr(html, "<img"));
    assert_null(strstr(html, "href=\"j\""));
    free(text);
}

static void an_issue_is_one_atom_entry_with_its_html(void **state)
{
    struct kns_digest digest = hostile_digest();
    char *items = render(&digest, KNS_DIGEST_ATOM);
    (void)state;

    assert_non_null(strstr(items, "<source>"));
    assert_non_null(strstr(items, "<id>tag:example.org,2024:1</id>"));
    digest.number = 3;
    char *issue = render(&digest, KNS_DIGEST_ATOM);
    assert_null(strstr(issue, "<source>"));
    assert_non_null(strstr(issue, "<content type=\"html\">"));
    free(items);
    free(issue);
}

static void a_digest_of_nothing_is_still_a_document(void **state)
{
    struct kns_digest digest = {.title = "Empty"};
    (void)state;

    for (int format = KNS_DIGEST_HTML; format <= KNS_DIGEST_EML; format++) {
        char *text = render(&digest, (enum kns_digest_format)format);
        assert_true(strlen(text) > 0);
        free(text);
    }
}

static void a_full_buffer_is_an_error_of_its_own(void **state)
{
    struct kns_digest digest = hostile_digest();
    struct kns_buf out;
    (void)state;

    kns_buf_init(&out, 500);
    assert_int_equal(kns_digest_render(&digest, KNS_DIGEST_HTML, NULL, &out, NULL, NULL),
                     KNS_ELIMIT);
    kns_buf_fini(&out);
}

static void a_mail_header_takes_no_line_break(void **state)
{
    struct kns_digest digest = hostile_digest();
    struct kns_digest_options options = {.mail_to = "a@b.example\r\nBcc: c@d.example"};
    struct kns_buf out = {0};
    (void)state;

    assert_int_equal(kns_digest_render(&digest, KNS_DIGEST_EML, &options, &out, NULL, NULL),
                     KNS_EINVAL);
    kns_buf_fini(&out);
}

static void japanese_lines_keep_their_punctuation(void **state)
{
    struct kns_buf text = {0}, out = {0};
    (void)state;

    for (int i = 0; i < 40; i++)
        kns_buf_adds(&text, i % 5 == 4 ? "です。「はい」、" : "語句");
    digest_wrap(&out, kns_buf_str(&text), "  ");
    for (char *line = strtok(out.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_in_range(kns_text_columns(line), 3, DIGEST_TEXT_COLUMNS);
        assert_int_not_equal(strncmp(line + 2, "。", 3), 0);
        assert_int_not_equal(strncmp(line + 2, "、", 3), 0);
        assert_int_not_equal(strncmp(line + 2, "」", 3), 0);
        assert_int_not_equal(strcmp(line + strlen(line) - 3, "「"), 0);
    }
    kns_buf_fini(&text);
    kns_buf_fini(&out);
}

static void a_title_loses_the_name_of_its_site(void **state)
{
    static const struct {
        const char *title, *url, *name, *expected;
    } rows[] = {
        {"Kaggle入門 - Qiita", "https://qiita.com/a/1", NULL, "Kaggle入門"},
        {"Slides - Speaker Deck", "https://speakerdeck.com/a", NULL, "Slides"},
        {"A paper | SenseTime Japan TECH blog", "https://x.example/a", "SenseTime Japan TECH blog",
         "A paper"},
        {"Training - Part 2", "https://qiita.com/a/1", NULL, "Training - Part 2"},
        {"No separator", "https://qiita.com/a/1", NULL, "No separator"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *names[] = {rows[i].name, NULL};
        assert_string_equal(kns_digest_clean_title(arena, rows[i].title, rows[i].url, names),
                            rows[i].expected);
    }
}

static void html_becomes_the_markdown_that_reads_back(void **state)
{
    static const struct {
        const char *html, *markdown;
    } rows[] = {
        {"<p>a <strong>b</strong> c</p><p>d</p>", "a **b** c\n\nd"},
        {"<h2>T</h2><p>x</p>", "## T\n\nx"},
        {"<ul><li>one</li><li>two</li></ul>", "- one\n- two"},
        {"<p><a href=\"https://a.example/\">x</a></p>", "[x](https://a.example/)"},
        {"<blockquote><p>q</p></blockquote>", "> q"},
        {"<p>1. not a list</p>", "1\\. not a list"},
        {"<p>強調<strong>「語」</strong>です</p>", "強調「語」です"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(kns_markdown_from_html(arena, rows[i].html, NULL), rows[i].markdown);
}

static void a_comment_is_dressed_for_mail_and_keeps_to_its_rank(void **state)
{
    static const struct {
        const char *html, *dressed;
    } rows[] = {
        {"<p>a</p>", "<p style=\"margin:0 0 12px 0\">a</p>"},
        {"<p style=\"margin: 0;\">a</p>", "<p style=\"margin:0 0 12px 0;margin: 0;\">a</p>"},
        {"<a href=\"https://a.example/\" title=\" style=&quot;x\">l</a>",
         "<a href=\"https://a.example/\" title=\" style=&quot;x\" style=\"color:#0b5394\">l</a>"},
        {"<h1>T</h1>", "<h4 style=\"margin:16px 0 6px 0;font-size:16px;line-height:1.5\">T</h4>"},
        {"<main>m</main><em>e</em>a &lt; b", "<div>m</div><em>e</em>a &lt; b"},
        {"", ""},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_string_equal(digest_dress(arena, rows[i].html, "h4"), rows[i].dressed);
}

static void a_title_turns_nothing_around_and_a_description_does_not_repeat_it(void **state)
{
    struct kns_item *item = new_item("a\u202Eb\u2069 \u65E5\001c", "https://a.example/x", NULL);
    struct kns_digest_look look;
    (void)state;

    item->entry.summary = "ab \u65E5 c";
    assert_true(kns_digest_look_at(arena, item, &look));
    assert_string_equal(look.title, "ab \u65E5 c");
    assert_string_equal(look.description, "");
    item->entry.summary = "Another.";
    assert_true(kns_digest_look_at(arena, item, &look));
    assert_string_equal(look.description, "Another.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_format_gives_the_same_bytes_twice_and_no_secret),
        TEST(html_of_hostile_items_holds_no_script),
        TEST(markdown_shows_what_was_said),
        TEST(an_issue_is_one_atom_entry_with_its_html),
        TEST(a_digest_of_nothing_is_still_a_document),
        TEST(a_full_buffer_is_an_error_of_its_own),
        TEST(a_mail_header_takes_no_line_break),
        TEST(japanese_lines_keep_their_punctuation),
        TEST(a_title_loses_the_name_of_its_site),
        TEST(html_becomes_the_markdown_that_reads_back),
        TEST(a_comment_is_dressed_for_mail_and_keeps_to_its_rank),
        TEST(a_title_turns_nothing_around_and_a_description_does_not_repeat_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
