/* Links of HTML with their text and the sentence they stand in. */
#include "lib/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_link_has_a_text_and_a_context(void **state)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct kns_html_links links = {0};
    const struct kns_html_link *link;

    (void)state;
    /* An empty one, one in foreign content with another inside, one that nothing closes. */
    assert_true(kns_html_links(arena,
                               "<a href='/1'></a><p>One. Two <a href='/2'>two</a> is. Three</p>"
                               "<a href='/3'><math><a href='/4'>4</math><a href='/5'>5",
                               "https://e.example/", &links));
    assert_int_equal(links.list.count, 5);
    KNS_LIST_EACH(link, &links.list)
    {
        assert_non_null(link->text);
        assert_non_null(link->context);
    }
    assert_string_equal(links.list.first->next->text, "two");
    assert_string_equal(links.list.first->next->context, "Two two is.");
    kns_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_has_a_text_and_a_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
