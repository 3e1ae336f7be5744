/* Issues of one's own: the text for an editor and back, small changes, what is wrong with them. */
#include "lib/issue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/arena.h"

static const struct kns_publication publication = {.name = "weekly",
                                                   .title = "Weekly Letters",
                                                   .base_url = "https://news.example/",
                                                   .sections = "Papers, Tools",
                                                   .link_parameters = "utm_source=weekly"};

static struct kns_issue_item *new_item(int64_t id, const char *section, const char *note)
{
    struct kns_issue_item *item = KNS_NEW(arena, struct kns_issue_item);

    item->id = id;
    item->url = kns_arena_printf(arena, "https://a.example/%lld", (long long)id);
    item->title = kns_arena_printf(arena, "Article %lld", (long long)id);
    item->site = "a.example";
    item->description = "What it says.";
    item->section = section;
    item->note = note;
    return item;
}

static struct kns_issue *new_issue(void)
{
    struct kns_issue *issue = KNS_NEW(arena, struct kns_issue);

    issue->newsletter = "weekly";
    issue->number = 12;
    issue->draft = true;
    issue->revision = 3;
    issue->title = "Weekly Letters #12";
    return issue;
}

/* Knows item 77 and every address. */
static enum kns_status find(void *ctx, struct kns_arena *into, int64_t id, const char *url,
                            struct kns_issue_item **ret, struct kns_error *err)
{
    (void)ctx;
    (void)into;
    if (id != 77 && url == NULL)
        return kns_fail(err, KNS_ENOTFOUND, "no item has the id %lld", (long long)id);
    *ret = new_item(id, NULL, NULL);
    if (url != NULL)
        (*ret)->url = url;
    return KNS_OK;
}

static const struct kns_issue_finder finder = {.find = find};

static const char *text_of(const struct kns_issue *issue)
{
    struct kns_buf out = {0};

    kns_issue_to_text(issue, &out);
    const char *text = kns_arena_copy(arena, kns_buf_str(&out), out.len);
    kns_buf_fini(&out);
    return text;
}

static const char *json_of(const struct kns_issue *issue)
{
    json_t *json = kns_issue_to_json(issue);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    const char *copy = kns_arena_strdup(arena, text);

    free(text);
    json_decref(json);
    return copy;
}

static enum kns_status read_text(struct kns_issue *issue, const char *text, struct kns_error *err)
{
    return kns_issue_from_text(issue, arena, text, &finder, err);
}

static void hostile_prose_survives_the_editor(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    kns_issue_set_intro(issue, arena, NULL, "Hello.\n\n# no title\n## no section\n---\n- [1] none");
    kns_issue_set_intro(issue, arena, "News",
                        "<!-- revision 99 -->\n\n```\n## code\n- [2] code\n```");
    kns_issue_add(issue,
                  new_item(5, "Tools", "- https://x.example/ is a list\n- [link](u)\n\n> quoted"),
                  &publication);
    kns_issue_add(issue, new_item(6, NULL, "    indented code\n\n* * *"), &publication);
    const char *first = text_of(issue);
    struct kns_error err = {0};
    if (read_text(issue, first, &err) != KNS_OK)
        fail_msg("%s in:\n%s", err.message, first);
    const char *once = text_of(issue), *data = json_of(issue);
    assert_int_equal(read_text(issue, once, NULL), KNS_OK);
    assert_string_equal(text_of(issue), once);
    assert_string_equal(json_of(issue), data);
    assert_int_equal(issue->items.count, 2);
    assert_int_equal(issue->sections.count, 2);
    assert_null(issue->sections.first->title);
    assert_string_equal(issue->sections.last->text,
                        "<!-- revision 99 -->\n\n```\n## code\n- [2] code\n```");
    /* They mean what they meant. */
    struct kns_digest *digest = kns_issue_digest(arena, issue, &publication, false);
    assert_non_null(strstr(digest->sections.first->content_html, "<h2>no section</h2>"));
    assert_non_null(strstr(digest->sections.first->content_html, "<li>[1] none</li>"));
}

/* ---- a text that nobody changed ------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t chance(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

/* Prose of lines that each mean something somewhere. */
static const char *any_prose(void)
{
    static const char *const lines[] = {"# title",
                                        "## 見出し",
                                        "### third",
                                        " ## behind a space",
                                        "   ---",
                                        "---",
                                        "- - -",
                                        "***",
                                        "- [12] an item",
                                        "- [#3] an item",
                                        "* https://x.example/ y",
                                        "+\t[4]",
                                        "- [x] a task",
                                        "- plain",
                                        "  > quoted",
                                        "> quoted",
                                        "```",
                                        "```c",
                                        "````",
                                        "~~~",
                                        "~~~~ a `b`",
                                        "    indented",
                                        "\ttab",
                                        "<!-- revision 9 -->",
                                        "<div>",
                                        "</div>",
                                        "<b>x</b>",
                                        "",
                                        "",
                                        "",
                                        "日本語の文。",
                                        "words\\",
                                        "trailing  ",
                                        "\\## escaped",
                                        "===",
                                        "1. [5] one",
                                        "[6] bare",
                                        "#5 is no heading",
                                        "##",
                                        "a\rb",
                                        "c\r"};
    struct kns_buf out = {0};

    for (uint32_t n = 1 + chance(8); n > 0; n--) {
        kns_buf_adds(&out, lines[chance(sizeof(lines) / sizeof(lines[0]))]);
        kns_buf_addc(&out, '\n');
    }
    const char *prose = kns_issue_prose(arena, kns_buf_str(&out));
    kns_buf_fini(&out);
    return prose;
}

static const char *any_heading(void)
{
    static const char *const headings[] = {NULL, "News",  "論文と道具", "---",      "- [1] x",
                                           "#",  "Tools", "a # b #",    "C++ \\ ``"};

    return headings[chance(sizeof(headings) / sizeof(headings[0]))];
}

static struct kns_issue *any_issue(void)
{
    struct kns_issue *issue = new_issue();

    for (uint32_t n = chance(4); n > 0; n--) {
        struct kns_issue_section *section = KNS_NEW(arena, struct kns_issue_section);
        const char *text = chance(5) == 0 ? "" : any_prose();
        section->title = any_heading();
        section->text = *text == '\0' ? NULL : text;
        if (section->title != NULL || section->text != NULL)
            KNS_LIST_APPEND(&issue->sections, section);
    }
    for (uint32_t n = chance(5), id = 1; n > 0; n--, id++) {
        struct kns_issue_item *item = new_item(id, any_heading(), NULL);
        kns_issue_set_note(item, arena, chance(4) == 0 ? "" : any_prose());
        if (chance(3) == 0)
            item->description = NULL;
        KNS_LIST_APPEND(&issue->items, item);
    }
    return issue;
}

static void a_text_that_nobody_changed_is_the_same_issue(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 5000; i++) {
        struct kns_error err = {0};
        seed = i;
        struct kns_issue *issue = any_issue();
        const char *before = json_of(issue), *text = text_of(issue);
        if (read_text(issue, text, &err) != KNS_OK)
            fail_msg("seed %u: %s in:\n%s", i, err.message, text);
        if (strcmp(json_of(issue), before) != 0)
            fail_msg("seed %u:\n%s\nbecame\n%s\nby\n%s", i, before, json_of(issue), text);
        assert_string_equal(text_of(issue), text);
        if (i % 200 == 0) {
            kns_arena_free(arena);
            arena = kns_arena_new(0);
        }
    }
}

/* Whatever is taken is said back as it was taken; whatever is refused changes nothing. */
static void what_is_read_of_any_text_is_written_so_that_it_reads_the_same(void **state)
{
    static const char *const lines[] = {"# T",
                                        "## A",
                                        "## B",
                                        "---",
                                        "",
                                        "",
                                        "",
                                        "words",
                                        "  > said",
                                        "> quoted",
                                        "- [1]",
                                        "- [2] two",
                                        "- [77]",
                                        "- [99]",
                                        "- https://x.example/1",
                                        "- https://x.example/2 named",
                                        "<!-- revision 3 -->",
                                        "```",
                                        "~~~",
                                        " ## x",
                                        "\t- [1]",
                                        "* [2]",
                                        "##",
                                        "# ",
                                        "-",
                                        "日本語"};
    size_t taken = 0;

    (void)state;
    for (uint32_t i = 1; i <= 20000; i++) {
        struct kns_issue *issue = new_issue();
        struct kns_buf text = {0};
        seed = i;
        kns_issue_add(issue, new_item(1, "A", "One."), &publication);
        kns_issue_add(issue, new_item(2, NULL, "Two."), &publication);
        for (uint32_t n = 1 + chance(9); n > 0; n--) {
            kns_buf_adds(&text, lines[chance(sizeof(lines) / sizeof(lines[0]))]);
            kns_buf_addc(&text, '\n');
        }
        const char *before = json_of(issue);
        if (read_text(issue, kns_buf_str(&text), NULL) != KNS_OK) {
            assert_string_equal(json_of(issue), before);
        } else {
            const char *read = json_of(issue), *out = text_of(issue);
            struct kns_error err = {0};
            taken++;
            if (read_text(issue, out, &err) != KNS_OK || strcmp(json_of(issue), read) != 0)
                fail_msg("seed %u: %s\n%s\nwas read as %s, then by\n%s\nas %s", i, err.message,
                         kns_buf_str(&text), read, out, json_of(issue));
        }
        kns_buf_fini(&text);
        if (i % 500 == 0) {
            kns_arena_free(arena);
            arena = kns_arena_new(0);
        }
    }
    assert_true(taken > 2000);
}

static void order_sections_and_words_come_from_the_text(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    kns_issue_add(issue, new_item(1, "Papers", "One."), &publication);
    kns_issue_add(issue, new_item(2, "Papers", "Two."), &publication);
    assert_int_equal(
        read_text(issue,
                  "# New\r\n\r\nIntro.\r\n\r\n---\r\n\r\n- [ 2 ] Renamed\r\n\r\n"
                  "## Tools\r\n- [#1] Article 1\r\n  > Said\r\n  > anew.\r\n\r\nOne more.\r\n",
                  NULL),
        KNS_OK);
    assert_string_equal(issue->title, "New");
    assert_string_equal(issue->sections.first->text, "Intro.");
    const struct kns_issue_item *item = issue->items.first;
    assert_int_equal(item->id, 2);
    assert_string_equal(item->title, "Renamed");
    assert_null(item->note);
    assert_null(item->section);
    assert_null(item->description);
    assert_string_equal(item->next->title, "Article 1");
    assert_string_equal(item->next->section, "Tools");
    assert_string_equal(item->next->description, "Said anew.");
    assert_string_equal(item->next->note, "One more.");
}

static void a_bare_line_takes_the_item_as_it_is(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    assert_int_equal(read_text(issue, "- [77]\n\nGood.\n\n- https://x.example/\n  > Said.\n", NULL),
                     KNS_OK);
    assert_string_equal(issue->items.first->title, "Article 77");
    assert_string_equal(issue->items.first->description, "What it says.");
    assert_string_equal(issue->items.first->note, "Good.");
    assert_string_equal(issue->items.last->description, "Said.");
}

static void assert_refused(const char *text, const char *message)
{
    struct kns_issue *issue = new_issue();
    struct kns_error err = {0};

    kns_issue_add(issue, new_item(1, NULL, "Kept."), &publication);
    const char *before = json_of(issue);
    assert_true(read_text(issue, text, &err) != KNS_OK);
    assert_non_null(strstr(err.message, message));
    assert_string_equal(json_of(issue), before);
}

static void what_cannot_be_understood_is_named_and_changes_nothing(void **state)
{
    (void)state;
    assert_refused("# T\n\n- [99] x\n", "line 3: no item has the id 99");
    assert_refused("- [1] x\n\n- [1] y\n", "line 3: the item is there twice");
    assert_refused("- [1x] y\n", "line 1: expected \"- [ID] title\"");
    assert_refused("# A\n\nProse.\n\n- [1] x\n\n# B\n", "line 7: a second title");
    assert_refused("<!-- revision 2 -->\n", "changed meanwhile");
    assert_refused("# A\n\n# B\n", "line 3: a second title");
    assert_refused("# A\n\nText\n---\n", "line 4: a line of dashes right below text");
    assert_refused("---\ntitle: A\n---\n", "line 1: expected \"# \" and the title: front matter");
    assert_refused("# A\n\n- [1]\n\n```\ncode\n\n- [1] x\n",
                   "line 5: the fence that begins here is not closed");
    assert_refused("- [1]\n\nNote.\n\n## More\n\nWords.\n",
                   "line 7: words under a heading without an item");
    assert_refused(" \n\n", "line 1: the text is empty");
    assert_refused("", "line 1: the text is empty");
}

static void texts_of_all_editors_are_read(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    assert_int_equal(
        read_text(issue,
                  "\xEF\xBB\xBF# 題\t名 \r\n\r\n##\t ニュース\u3000\r\n\r\n今週は。\r\n---x\r\n\r\n"
                  "- a\r\n---\r\n\r\n##  道具\r\n\r\n*\t[77]\tOne\r\n\r\n"
                  "A\rB\r\n\r\n+ https://x.example/?utm_source=y\r\n",
                  NULL),
        KNS_OK);
    assert_string_equal(issue->title, "題 名");
    assert_string_equal(issue->sections.first->title, "ニュース");
    assert_string_equal(issue->sections.first->text, "今週は。\n---x\n\n- a");
    assert_int_equal(issue->items.count, 2);
    assert_string_equal(issue->items.first->section, "道具");
    assert_string_equal(issue->items.first->title, "One");
    assert_string_equal(issue->items.first->note, "A\nB");
    assert_string_equal(issue->items.last->url, "https://x.example/");
}

static void a_heading_without_text_is_one_of_the_introduction_where_a_line_ends_it(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    assert_int_equal(
        read_text(issue, "# T\n\n## News\n\n---\n\n## Tools\n\n## Papers\n\n- [77] x\n", NULL),
        KNS_OK);
    assert_int_equal(issue->sections.count, 1);
    assert_string_equal(issue->sections.first->title, "News");
    assert_null(issue->sections.first->text);
    assert_string_equal(issue->items.first->section, "Papers");
    issue = new_issue();
    assert_int_equal(read_text(issue, "# T\n\n## Tools\n\n## Papers\n\n- [77] x\n", NULL), KNS_OK);
    assert_int_equal(issue->sections.count, 0);
}

static void prose_is_kept_tidy(void **state)
{
    (void)state;
    assert_string_equal(kns_issue_prose(arena, " \n\r\n  a\r\nb  \n\n"), "  a\nb");
    assert_string_equal(kns_issue_prose(arena, "```c\nx\n"), "```c\nx\n```");
    assert_string_equal(kns_issue_prose(arena, "~~~~\nx\n~~~\n```"), "~~~~\nx\n~~~\n```\n~~~~");
    assert_string_equal(kns_issue_prose(arena, "``` a`b"), "``` a`b");
    assert_string_equal(kns_issue_prose(arena, "\n \t\n"), "");
}

static void a_section_keeps_its_place_among_the_others(void **state)
{
    struct kns_issue *issue = new_issue();
    const struct kns_issue_item *item;
    char order[32] = "";

    (void)state;
    kns_issue_add(issue, new_item(1, "Tools", NULL), &publication);
    kns_issue_add(issue, new_item(2, "Elsewhere", NULL), &publication);
    kns_issue_add(issue, new_item(3, "Papers", NULL), &publication);
    kns_issue_add(issue, new_item(4, "Tools", NULL), &publication);
    kns_issue_add(issue, new_item(5, NULL, NULL), &publication);
    assert_false(kns_issue_add(issue, new_item(3, NULL, NULL), &publication));
    KNS_LIST_EACH(item, &issue->items)
    snprintf(order + strlen(order), sizeof(order) - strlen(order), "%lld", (long long)item->id);
    assert_string_equal(order, "53142");
    assert_int_equal(kns_issue_move(issue, arena, 4, 3, NULL, &publication, NULL), KNS_OK);
    assert_int_equal(issue->items.first->next->id, 4);
    assert_string_equal(kns_issue_find(issue, 4, NULL)->section, "Papers");
    assert_int_equal(kns_issue_move(issue, arena, 4, 0, "Tools", &publication, NULL), KNS_OK);
    assert_int_equal(kns_issue_find(issue, 1, NULL)->next->id, 4);
    assert_int_equal(kns_issue_move(issue, arena, 5, 0, " Else\nwhere ", &publication, NULL),
                     KNS_OK);
    assert_string_equal(issue->items.last->section, "Else where");
    assert_int_equal(kns_issue_move(issue, arena, 4, 9, NULL, &publication, NULL), KNS_ENOTFOUND);
    assert_int_equal(kns_issue_move(issue, arena, 4, 4, NULL, &publication, NULL), KNS_EINVAL);
    assert_true(kns_issue_drop(issue, 4));
    assert_false(kns_issue_drop(issue, 4));
    assert_int_equal(issue->items.count, 4);
}

static int64_t covered(void *ctx, const char *url, const char *title)
{
    (void)ctx;
    (void)title;
    return strcmp(url, "https://a.example/1") == 0 ? 7 : 0;
}

static bool says(const struct kns_issue_problems *problems, bool is_error, const char *words)
{
    const struct kns_issue_problem *problem;

    KNS_LIST_EACH(problem, &problems->list)
    if (problem->is_error == is_error && strstr(problem->message, words) != NULL)
        return true;
    return false;
}

static struct kns_issue_problems lint(const struct kns_issue *issue,
                                      struct kns_issue_surroundings around)
{
    struct kns_issue_problems problems = {0};

    around.covered = covered;
    assert_true(kns_issue_lint(arena, issue, &publication, &around, &problems));
    return problems;
}

/* One fault in an issue that is sound without it. */
static const struct fault {
    bool is_error;
    const char *says;
    const char *title;                        /* of the issue */
    const char *heading, *prose;              /* of the introduction */
    const char *url, *name, *section, *image; /* of the item */
    const char *note;
    int64_t last; /* the number before */
    bool taken;
} faults[] = {
    {false, "Article 2: no comment", .note = ""},
    {true, "Article 2: its comment is a placeholder", .note = "TODO"},
    {true, "its comment is a placeholder", .note = "*todo*"},
    {true, "its comment is a placeholder", .note = "TODO: say why"},
    {true, "its comment is a placeholder", .note = "Good.\n\nTODO: more"},
    {true, "its comment is a placeholder", .note = "FIXME"},
    {true, "its comment is a placeholder", .note = "あとで"},
    {true, "its comment is a placeholder", .note = "…"},
    {true, "its comment is a placeholder", .note = "---"},
    {true, "News: its text is a placeholder", .prose = "TBD"},
    {false, "News: a heading without text", .prose = ""},
    {false, "already in #7", .url = "https://a.example/1"},
    {false, "a shortened address", .url = "https://t.co/x"},
    {false, "News: a shortened address", .prose = "See [x](https://bit.ly/x)."},
    {true, "no http or https address: /there", .url = "/there"},
    {true, "no http or https address: data:", .url = "data:text/html,x"},
    {true, "its picture has no http or https address", .image = "data:image/png;base64,AA"},
    {true, "News: a relative address: /there", .prose = "[x](/there)"},
    {true, "a relative address: there", .note = "See [x][1].\n\n[1]: there"},
    {true, "a relative address: a.html", .note = "See <a href='a.html'>x</a>."},
    {true, "a relative address: //x.example/y", .note = "[x](//x.example/y)"},
    {true, "a data: address", .note = "[x](data:text/html,x)"},
    {true, "a data: address", .note = "![x](<data:image/png;base64,AA>)"},
    {false, "a picture has no alternative text", .note = "![](https://i.example/1.png)"},
    {false, "a picture has no alternative text", .note = "<img src=\"https://i.example/1.png\">"},
    {false, "a link has no words", .prose = "[](https://x.example/)"},
    {false, "too long for a subject line",
     .title =
         "A title that goes on and on, far beyond what any inbox shows of it on one line, alas"},
    {false, "too long for a subject line",
     .title = "とても長い題名はどの受信箱でも一行に収まらず途中で切れてしまうので知らせるべきである"
              "第百十七号"},
    {false, "a gap in the numbers: the last was 9, this is 12", .last = 9},
    {false, "out of order: the last number was 15, this is 12", .last = 15},
    {true, "the number 12 is taken", .last = 12, .taken = true},
    {true, "unknown section \"Nowhere\" (there are: Papers, Tools)", .section = "Nowhere"},
    {true, "unknown section \"Paper\"", .section = "Paper"},
    {false, "a tracker is left", .url = "https://a.example/2?utm_source=y"},
    {false, "a tracker is left", .note = "[x](https://x.example/?fbclid=1)"},
    {false, "the site's name is left at its end", .name = "Article - a.example"},
    {false, "its title is only its address", .name = "https://a.example/2"},
};

static struct kns_issue *faulty(const struct fault *fault)
{
    struct kns_issue *issue = new_issue();
    struct kns_issue_section *section = KNS_NEW(arena, struct kns_issue_section);
    struct kns_issue_item *item =
        new_item(2, fault->section == NULL ? "Papers" : fault->section, "A comment.");

    if (fault->title != NULL)
        issue->title = fault->title;
    section->title = "News";
    section->text = fault->prose == NULL ? "See [this](https://b.example/)." : fault->prose;
    KNS_LIST_APPEND(&issue->sections, section);
    if (fault->url != NULL)
        item->url = fault->url;
    if (fault->name != NULL)
        item->title = fault->name;
    item->image = fault->image;
    if (fault->note != NULL)
        item->note = fault->note;
    kns_issue_add(issue, item, &publication);
    return issue;
}

static void lint_names_each_fault_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        const struct fault *fault = &faults[i];
        struct kns_issue_problems p =
            lint(faulty(fault),
                 (struct kns_issue_surroundings){.last_number = fault->last == 0 ? 11 : fault->last,
                                                 .number_taken = fault->taken});
        if (p.list.count != 1 || !says(&p, fault->is_error, fault->says))
            fail_msg("\"%s\" was expected, %zu said: %s; %s", fault->says, p.list.count,
                     p.list.count > 0 ? p.list.first->message : "nothing",
                     p.list.count > 1 ? p.list.last->message : "");
        assert_int_equal(p.errors, fault->is_error);
    }
}

static void what_only_looks_like_a_fault_is_none(void **state)
{
    static const struct fault sound[] = {
        {.note = "TODOアプリの作り方を、順に説明しています。"},
        {.note = "Comment: sections are short, and that is good."},
        {.note = "Later chapters are better than the first."},
        {.note = "Write to [us](mailto:us@x.example), see [above](#news)."},
        {.note = "`![](x)` is how a picture is written.\n\n```\n[x](/there)\n```"},
        {.note = "![a wave](https://i.example/1.png) and <img alt='b' src='https://i.example/2'>"},
        {.name = "Windows - a history"},
        {.section = "Tools"},
        {.last = 11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        struct kns_issue_problems p =
            lint(faulty(&sound[i]), (struct kns_issue_surroundings){.last_number = 11});
        if (p.list.count != 0)
            fail_msg("row %zu: %s", i, p.list.first->message);
    }
}

static void links_to_look_at_are_those_of_items_comments_and_prose_once_each(void **state)
{
    const struct fault f = {.prose = "[a](https://a.example/2) [b](https://b.example/) [c](/there)",
                            .note =
                                "<a href=\"https://c.example/x\">c</a> [m](mailto:a@b.example)"};
    struct kns_issue_links links = {0};
    const struct kns_issue_link *link;
    char all[200] = "";

    (void)state;
    assert_true(kns_issue_find_links(arena, faulty(&f), &links));
    KNS_LIST_EACH(link, &links.list)
    snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s %s|", link->what, link->url);
    assert_string_equal(all, "Article 2 https://a.example/2|Article 2 https://c.example/x|"
                             "News https://b.example/|");
}

/* ---- suggestions ------------------------------------------------------------------------------------------ */

#define NOW 1700000000
#define WEEK (7 * 86400)

static bool is_odd(void *ctx, const struct kns_issue_candidate *c)
{
    size_t *asked = ctx;

    ++*asked;
    return c->id % 2 == 1;
}

static const char *chosen_ids(const struct kns_issue *draft, struct kns_issue_candidate *candidates,
                              size_t n, const struct kns_issue_choice *choice)
{
    const struct kns_issue_candidate *chosen[300];
    char ids[400] = "";
    size_t found = 0;

    assert_true(kns_issue_choose(arena, draft, candidates, n, choice, chosen, &found));
    assert_true(found <= choice->wanted);
    for (size_t i = 0; i < found && i < 20; i++)
        snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%lld ", (long long)chosen[i]->id);
    return kns_arena_strdup(arena, ids);
}

static void the_best_of_each_site_in_turn_are_suggested(void **state)
{
    struct kns_issue *draft = new_issue();
    struct kns_issue_choice choice = {.since = {NOW - WEEK}, .now = {NOW}, .wanted = 5};
    const struct kns_issue_candidate all[] = {
        {.id = 1, .url = "", .title = "", .site = "a.example", .sources = 5, .at = {NOW - WEEK}},
        {.id = 2, .url = "", .title = "", .site = "a.example", .sources = 4, .at = {NOW}},
        {.id = 3, .url = "", .title = "", .site = "b.example", .sources = 1, .at = {NOW}},
        {.id = 4,
         .url = "",
         .title = "",
         .site = "c.example",
         .sources = 1,
         .score = 3,
         .at = {NOW}},
        {.id = 5,
         .url = "",
         .title = "",
         .site = "d.example",
         .sources = 1,
         .starred = true,
         .at = {NOW}},
        {.id = 6,
         .url = "",
         .title = "",
         .site = "e.example",
         .sources = 1,
         .at = {NOW + 99 * WEEK}},
        {.id = 7,
         .url = "",
         .title = "",
         .site = "f.example",
         .sources = 1,
         .score = -9,
         .at = {NOW}},
    };
    struct kns_issue_candidate some[7];
    size_t asked = 0;

    (void)state;
    memcpy(some, all, sizeof(all));
    assert_string_equal(chosen_ids(draft, some, 7, &choice), "1 5 4 6 3 ");
    assert_string_equal(chosen_ids(draft, NULL, 0, &choice), "");
    choice.wanted = 20;
    memcpy(some, all, sizeof(all));
    assert_string_equal(chosen_ids(draft, some, 7, &choice), "1 5 4 6 3 7 2 ");
    /* A site that the draft has waits for the others. */
    struct kns_issue_item *item = new_item(9, NULL, NULL);
    kns_issue_add(draft, item, &publication);
    choice.wanted = 5;
    assert_string_equal(chosen_ids(draft, some, 7, &choice), "5 4 6 3 7 ");
    /* Who is not fit takes no turn of its site, and only the best are asked. */
    choice = (struct kns_issue_choice){
        .since = {NOW - WEEK}, .now = {NOW}, .wanted = 2, .is_fit = is_odd, .ctx = &asked};
    assert_string_equal(chosen_ids(new_issue(), some, 7, &choice), "1 5 ");
    assert_int_equal(asked, 2);
    assert_string_equal(kns_issue_why(arena, &all[4], choice.since, choice.now),
                        "1 source +10, a star +15, freshness +9");
    assert_string_equal(kns_issue_why(arena, &all[3], choice.since, choice.now),
                        "1 source +10, rules +9, freshness +9");
}

static void
two_thousand_articles_of_fifty_sites_give_the_same_choice_whatever_their_order(void **state)
{
    static struct kns_issue_candidate some[2000];
    struct kns_issue_choice choice = {.since = {NOW - WEEK}, .now = {NOW}, .wanted = 100};
    const struct kns_issue_candidate *chosen[100];
    const char *first = NULL;
    size_t found = 0;

    (void)state;
    for (uint32_t turn = 0; turn < 3; turn++) {
        seed = 7;
        for (size_t i = 0; i < 2000; i++)
            some[i] = (struct kns_issue_candidate){
                .id = (int64_t)i + 1,
                .url = "",
                .title = "",
                .site = kns_arena_printf(arena, "s%u.example", chance(50)),
                .sources = 1 + chance(4),
                .at = {NOW - chance(WEEK)}};
        for (size_t i = 0; turn > 0 && i < 2000; i++) {
            size_t other = chance(2000);
            struct kns_issue_candidate swap = some[i];
            some[i] = some[other];
            some[other] = swap;
        }
        const char *ids = chosen_ids(new_issue(), some, 2000, &choice);
        first = first == NULL ? ids : first;
        assert_string_equal(ids, first);
    }
    assert_true(kns_issue_choose(arena, new_issue(), some, 2000, &choice, chosen, &found));
    assert_int_equal(found, 100);
    /* Two of each site, the better one first. */
    for (size_t i = 0; i < 50; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(chosen[i]->site, chosen[j]->site);
    for (size_t i = 1; i < 50; i++)
        assert_true(chosen[i - 1]->rank >= chosen[i]->rank);
}

static void lint_is_silent_about_a_sound_issue(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    kns_issue_set_intro(issue, arena, "News", "See [this](https://b.example/).");
    kns_issue_add(issue, new_item(2, "Papers", "Commented, with a todo list in it."), &publication);
    struct kns_issue_problems p = lint(issue, (struct kns_issue_surroundings){.last_number = 11});
    assert_int_equal(p.list.count, 0);
    struct kns_issue *nothing = new_issue();
    p = lint(nothing, (struct kns_issue_surroundings){0});
    assert_true(says(&p, true, "there is no item in it"));
}

static void a_large_issue_is_told_before_mail_cuts_it(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    for (int i = 1; i < 300; i++)
        kns_issue_add(issue, new_item(i + 1, "Papers", "A comment."), &publication);
    struct kns_issue_problems p = lint(issue, (struct kns_issue_surroundings){0});
    assert_true(says(&p, false, "mail programs will cut it"));
}

static void json_gives_the_same_issue_back(void **state)
{
    struct kns_issue *issue = new_issue();

    (void)state;
    issue->draft = false;
    issue->revision = 0;
    issue->published = issue->updated = (struct kns_time){1700000000};
    issue->id = kns_issue_id(arena, &publication, 12, issue->published);
    issue->url = kns_issue_url(arena, &publication, 12);
    kns_issue_set_intro(issue, arena, "News", "Text.");
    kns_issue_add(issue, new_item(2, "Papers", "One."), &publication);
    json_t *json = kns_issue_to_json(issue);
    const struct kns_issue *back = kns_issue_from_json(arena, json);
    json_decref(json);
    assert_string_equal(json_of(back), json_of(issue));
    assert_string_equal(issue->id, "tag:news.example,2023-11-14:weekly/12");
    assert_string_equal(issue->url, "https://news.example/12/");
    json = json_pack("{s:s, s:[{s:s}]}", "state", "published", "items", "title", "no address");
    assert_null(kns_issue_from_json(arena, json));
    json_decref(json);
}

static void links_are_decorated_in_mail_alone(void **state)
{
    struct kns_issue *issue = new_issue();
    struct kns_issue_item *item = new_item(2, NULL, "One.");

    (void)state;
    item->url = "https://a.example/?a=b#c";
    kns_issue_add(issue, item, &publication);
    const struct kns_digest *mail = kns_issue_digest(arena, issue, &publication, true),
                            *page = kns_issue_digest(arena, issue, &publication, false);
    assert_string_equal(mail->items.first->item->entry.url,
                        "https://a.example/?a=b&utm_source=weekly#c");
    assert_string_equal(page->items.first->item->entry.url, "https://a.example/?a=b#c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hostile_prose_survives_the_editor),
        TEST(a_text_that_nobody_changed_is_the_same_issue),
        TEST(what_is_read_of_any_text_is_written_so_that_it_reads_the_same),
        TEST(order_sections_and_words_come_from_the_text),
        TEST(a_bare_line_takes_the_item_as_it_is),
        TEST(what_cannot_be_understood_is_named_and_changes_nothing),
        TEST(a_section_keeps_its_place_among_the_others),
        TEST(texts_of_all_editors_are_read),
        TEST(a_heading_without_text_is_one_of_the_introduction_where_a_line_ends_it),
        TEST(prose_is_kept_tidy),
        TEST(lint_names_each_fault_and_nothing_else),
        TEST(what_only_looks_like_a_fault_is_none),
        TEST(links_to_look_at_are_those_of_items_comments_and_prose_once_each),
        TEST(the_best_of_each_site_in_turn_are_suggested),
        TEST(two_thousand_articles_of_fifty_sites_give_the_same_choice_whatever_their_order),
        TEST(lint_is_silent_about_a_sound_issue),
        TEST(a_large_issue_is_told_before_mail_cuts_it),
        TEST(json_gives_the_same_issue_back),
        TEST(links_are_decorated_in_mail_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
