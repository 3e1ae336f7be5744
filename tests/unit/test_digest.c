/* Digests: the same selection in every format, hostile input included. */
#include "lib/digest.h"

#include "lib/digest/dress.h"
#include "lib/digest/wrap.h"
#include "lib/html.h"
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

/* ---- random text ------------------------------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t chance(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static const char *any_text(uint32_t most)
{
    static const char *const parts[] = {"日",
                                        "本",
                                        "語",
                                        "の",
                                        "ー",
                                        "っ",
                                        "。",
                                        "、",
                                        "「",
                                        "」",
                                        "（",
                                        "）",
                                        "『",
                                        "』",
                                        "！",
                                        "？",
                                        "ア",
                                        "ャ",
                                        "word",
                                        "a",
                                        " ",
                                        " ",
                                        "https://x.example/a/long/path?with=words&more=1",
                                        "(",
                                        ")",
                                        "[",
                                        "]",
                                        "*",
                                        "_",
                                        "`",
                                        "#",
                                        "-",
                                        "+",
                                        ">",
                                        "<",
                                        "&",
                                        "&amp;",
                                        "!",
                                        "\\",
                                        "~",
                                        "|",
                                        "1.",
                                        "2)",
                                        "=",
                                        "\"",
                                        "'",
                                        "é",
                                        "한",
                                        "…",
                                        "😀",
                                        "👨‍👩‍👧",
                                        "Ⅷ",
                                        "％",
                                        "12",
                                        "<b>",
                                        "\u3000"};
    struct kns_buf out = {0};

    for (uint32_t n = 1 + chance(most); n > 0; n--)
        kns_buf_adds(&out, parts[chance(sizeof(parts) / sizeof(parts[0]))]);
    const char *text = kns_arena_copy(arena, kns_buf_str(&out), out.len);
    kns_buf_fini(&out);
    return text;
}

static bool begins_with_one_of(const char *text, const char *set)
{
    for (; *set != '\0'; set += kns_text_next(set, strlen(set), &(int32_t){0})) {
        size_t len = kns_text_next(set, strlen(set), &(int32_t){0});
        if (strncmp(text, set, len) == 0)
            return true;
    }
    return false;
}

/* Every line fits, unless it is one piece that may not be torn; none begins or ends as none may; and nothing is lost but spaces where
 * lines end. */
static void lines_of_any_text_fit_and_break_where_they_may(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 3000; i++) {
        struct kns_buf out = {0};
        struct kns_buf joined = {0};
        seed = i;
        char *text = kns_arena_strdup(arena, kns_text_squeeze(arena, any_text(120)));
        const char *indent = chance(2) ? "   " : "";
        bool spaced = chance(2);
        for (char *c = text; !spaced && *c != '\0'; c++)
            *c = *c == ' ' ? 'x' : *c;
        if (*text == '\0')
            continue;
        digest_wrap(&out, text, indent);
        for (char *rest = NULL, *line = strtok_r(out.data, "\n", &rest); line != NULL;
             line = strtok_r(NULL, "\n", &rest)) {
            size_t len = strlen(line);
            const char *words = line + strlen(indent);
            if (joined.len > 0 && !spaced && begins_with_one_of(words, "、。」）』ー！？ャっ"))
                fail_msg("seed %u: begins a line: %s", i, line);
            if (kns_text_columns(line) > DIGEST_TEXT_COLUMNS && strchr(words, ' ') != NULL)
                fail_msg("seed %u: %d columns: %s", i, kns_text_columns(line), line);
            assert_true(len == 0 || line[len - 1] != ' ');
            kns_buf_adds(&joined, words);
        }
        /* The same letters in the same order. */
        const char *a = text, *b = kns_buf_str(&joined);
        for (; *a != '\0' || *b != '\0'; a++, b++) {
            while (*a == ' ')
                a++;
            while (*b == ' ')
                b++;
            if (*a != *b)
                fail_msg("seed %u: \"%s\" became \"%s\"", i, text, kns_buf_str(&joined));
            if (*a == '\0')
                break;
        }
        kns_buf_fini(&out);
        kns_buf_fini(&joined);
    }
}

/* CommonMark shows a text as it is, as words of a paragraph and as those of a link. */
static void any_text_is_the_same_text_through_markdown(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 3000; i++) {
        struct kns_buf out = {0};
        seed = i;
        const char *text = kns_text_squeeze(arena, any_text(12));
        if (*text == '\0')
            continue;
        kns_markdown_add_text(&out, text, true);
        const char *back = kns_html_to_line(arena, kns_markdown_to_html(arena, kns_buf_str(&out)));
        if (strcmp(back, text) != 0)
            fail_msg("seed %u: \"%s\" by \"%s\" became \"%s\"", i, text, kns_buf_str(&out), back);
        kns_buf_reset(&out);
        kns_markdown_add_link(&out, text, "https://x.example/a_(b)?c=*d*&e=<f>");
        const char *html = kns_markdown_to_html(arena, kns_buf_str(&out));
        back = kns_html_to_line(arena, html);
        if (strcmp(back, text) != 0 ||
            strstr(html, "href=\"https://x.example/a_%28b%29?c=*d*&amp;e=%3Cf%3E\"") == NULL)
            fail_msg("seed %u: \"%s\" as a link: %s", i, text, html);
        kns_buf_fini(&out);
    }
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what))
        n++;
    return n;
}

/* Whatever titles and descriptions hold, the document has the parts of the digest and no others. */
static void a_digest_of_any_text_has_its_own_structure_as_markdown(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 300; i++) {
        struct kns_digest digest = {.language = "en"};
        size_t groups = 0;
        seed = i;
        digest.title = any_text(8);
        uint32_t sections = chance(3), items = 1 + chance(5);
        for (uint32_t n = 0; n < sections; n++)
            kns_digest_add_section(&digest, arena, kns_arena_printf(arena, "S %s", any_text(8)),
                                   "<p>prose</p>");
        for (uint32_t n = 0; n < items; n++) {
            struct kns_item *item =
                new_item(kns_arena_printf(arena, "T %s", any_text(8)), "https://x.example/",
                         kns_arena_printf(arena, "D %s", any_text(20)));
            item->section = n % 2 == 0 ? "Even [x](y)" : "# Odd";
            item->note_html = "<p>note</p>";
            kns_digest_add_item(&digest, arena, item);
        }
        groups = items > 1 ? 2 : 1;
        char *markdown = render(&digest, KNS_DIGEST_MARKDOWN);
        const char *html = kns_markdown_to_html(arena, markdown);
        if (count_of(html, "<h1>") != 1 || count_of(html, "<h2>") != sections + groups ||
            count_of(html, "<strong><a href=\"https://x.example/\"") != items ||
            count_of(html, "<blockquote>") != items || count_of(html, "<p>note</p>") != items ||
            count_of(html, "<ul>") + count_of(html, "<ol>") + count_of(html, "<pre>") != 0)
            fail_msg("seed %u:\n%s\nis\n%s", i, markdown, html);
        free(markdown);
    }
}

/* Two entries of one address, with names of their own that are no address: each is known by its own id (RFC 4287 4.2.6). */
static void entries_of_a_digest_have_ids_of_their_own(void **state)
{
    static const char *const guids[] = {"1",  "2", "tag:x.example,2024:1", "tag:x.example,2024:1",
                                        NULL, NULL};
    struct kns_digest digest = {.title = "T"};
    const char *ids[7];
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct kns_item *item = new_item("Same", "https://x.example/", "words");
        item->id = (int64_t)i + 1;
        item->entry.guid = guids[i];
        kns_digest_add_item(&digest, arena, item);
    }
    char *atom = render(&digest, KNS_DIGEST_ATOM), *again = render(&digest, KNS_DIGEST_ATOM);
    assert_string_equal(atom, again);
    for (const char *at = strstr(atom, "    <id>"); at != NULL; at = strstr(at + 1, "\n    <id>")) {
        const char *from = strstr(at, "<id>") + 4;
        assert_true(n < 7);
        ids[n++] = kns_arena_copy(arena, from, strcspn(from, "<"));
    }
    assert_int_equal(n, 6);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ids[i], ids[j]);
    free(atom);
    free(again);
}

static void the_language_of_an_issue_is_that_of_most_of_its_words(void **state)
{
    struct kns_digest digest = {.title = "T", .number = 1};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct kns_item *item = new_item("Title", "https://x.example/", "words");
        item->note_html = i == 0 ? "<p>日本語のコメントです。</p>" : "<p>An English comment.</p>";
        kns_digest_add_item(&digest, arena, item);
    }
    char *html = render(&digest, KNS_DIGEST_HTML);
    assert_non_null(strstr(html, "<html lang=\"en\">"));
    free(html);
    kns_digest_add_section(&digest, arena, NULL, "<p>今週は大会が始まりました。</p>");
    kns_digest_add_section(&digest, arena, "ニュース", "<p>来週もあります。</p>");
    html = render(&digest, KNS_DIGEST_HTML);
    assert_non_null(strstr(html, "<html lang=\"ja\">"));
    free(html);
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
        {"A paper | SenseTime Japan TECH blog", "https://tech.sensetime.jp/a", NULL, "A paper"},
        {"検索を作る｜メルカリ", "https://x.example/a", "メルカリ", "検索を作る"},
        {"検索を作る : Cookpad 開発者ブログ", "https://techlife.cookpad.com/a", NULL, "検索を作る"},
        {"A model / Example.org", "https://www.example.org/a", NULL, "A model"},
        {"A model — The Example Blog", "https://blog.example.co.jp/a", NULL, "A model"},
        {"Part 2 - of three - Qiita", "https://qiita.com/a/1", NULL, "Part 2 - of three"},
        /* Words about a site are not its name. */
        {"Now in public - Introducing GitHub Actions for everyone", "https://github.com/blog", NULL,
         "Now in public - Introducing GitHub Actions for everyone"},
        {"Releases - GitHub Copilot for docs", "https://github.com/blog", NULL,
         "Releases - GitHub Copilot for docs"},
        {"What changed - why we left Example", "https://example.com/a", "Example",
         "What changed - why we left Example"},
        {"GPT-4 - a review", "https://a.example/x", "A feed", "GPT-4 - a review"},
        {"Notes - tech blog", "https://a.example/x", NULL, "Notes - tech blog"},
        {" - Qiita", "https://qiita.com/a", NULL, " - Qiita"},
        {"Qiita - ", "https://qiita.com/a", NULL, "Qiita - "},
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
        TEST(lines_of_any_text_fit_and_break_where_they_may),
        TEST(any_text_is_the_same_text_through_markdown),
        TEST(a_digest_of_any_text_has_its_own_structure_as_markdown),
        TEST(entries_of_a_digest_have_ids_of_their_own),
        TEST(the_language_of_an_issue_is_that_of_most_of_its_words),
        TEST(a_title_loses_the_name_of_its_site),
        TEST(html_becomes_the_markdown_that_reads_back),
        TEST(a_comment_is_dressed_for_mail_and_keeps_to_its_rank),
        TEST(a_title_turns_nothing_around_and_a_description_does_not_repeat_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
