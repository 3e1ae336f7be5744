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
                        "\\<!-- revision 99 -->\n\n```\n## code\n- [2] code\n```");
    /* CommonMark shows the escaped line as it was meant. */
    struct kns_digest *digest = kns_issue_digest(arena, issue, &publication, false);
    assert_non_null(strstr(digest->sections.first->content_html, "- [1] none"));
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

static void lint_has_a_row_for_every_fault(void **state)
{
    struct kns_issue *issue = new_issue();
    struct kns_issue_item *item;

    (void)state;
    issue->title =
        "A title that goes on and on, far beyond what any inbox shows of it on one line, alas";
    kns_issue_set_intro(issue, arena, "News", "[x](/relative) ![](https://i.example/1.png)");
    kns_issue_add(issue, new_item(1, "Nowhere", "TODO"), &publication);
    item = new_item(2, NULL, NULL);
    item->url = "https://t.co/x?utm_source=y";
    item->title = "Article - a.example";
    kns_issue_add(issue, item, &publication);
    item = new_item(3, NULL, "[d](data:text/html,x)");
    item->url = "/there";
    item->image = "data:image/png;base64,AA";
    kns_issue_add(issue, item, &publication);
    struct kns_issue_problems p = lint(issue, (struct kns_issue_surroundings){.last_number = 9});
    assert_true(says(&p, true, "Article 1: its comment is a placeholder"));
    assert_true(says(&p, true, "unknown section \"Nowhere\" (there are: Papers, Tools)"));
    assert_true(says(&p, true, "a relative address: /relative"));
    assert_true(says(&p, true, "a data: address"));
    assert_true(says(&p, true, "no http or https address: /there"));
    assert_true(says(&p, true, "its picture has no http or https address"));
    assert_true(says(&p, false, "already in #7"));
    assert_true(says(&p, false, "no comment"));
    assert_true(says(&p, false, "a tracker is left"));
    assert_true(says(&p, false, "a shortened address"));
    assert_true(says(&p, false, "the site's name is left"));
    assert_true(says(&p, false, "no alternative text"));
    assert_true(says(&p, false, "too long for a subject line"));
    assert_true(says(&p, false, "a gap in the numbers"));
    assert_int_equal(p.errors, 6);
    p = lint(issue, (struct kns_issue_surroundings){.last_number = 12, .number_taken = true});
    assert_true(says(&p, true, "the number 12 is taken"));
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
        TEST(order_sections_and_words_come_from_the_text),
        TEST(a_bare_line_takes_the_item_as_it_is),
        TEST(what_cannot_be_understood_is_named_and_changes_nothing),
        TEST(a_section_keeps_its_place_among_the_others),
        TEST(lint_has_a_row_for_every_fault),
        TEST(lint_is_silent_about_a_sound_issue),
        TEST(a_large_issue_is_told_before_mail_cuts_it),
        TEST(json_gives_the_same_issue_back),
        TEST(links_are_decorated_in_mail_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
