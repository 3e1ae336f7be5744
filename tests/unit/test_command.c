/* Commands of the configuration: words, quotes, and what is none. */
#include "daemon/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The words with '|' between them; "none". */
static const char *split(const char *text)
{
    static char joined[1000];
    char **words = kns_command_split(text);

    joined[0] = '\0';
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        sprintf(joined + strlen(joined), "%s%s", i > 0 ? "|" : "", words[i]);
    kns_command_free(words);
    return words == NULL ? "none" : joined;
}

static void words_are_split_at_spaces_and_kept_together_by_quotes(void **state)
{
    (void)state;
    assert_string_equal(split("/bin/a"), "/bin/a");
    assert_string_equal(split("  /bin/a  b\t c  "), "/bin/a|b|c");
    assert_string_equal(split("\"/bin/a b\" \"c d\"e \"\""), "/bin/a b|c de|");
    assert_string_equal(split("/a \"x\\\"y\\\\z\" b\\c '$d' *"), "/a|x\"y\\z|b\\c|'$d'|*");
}

static void what_is_no_command_is_none(void **state)
{
    char many[400] = "/a";
    (void)state;

    assert_string_equal(split(""), "none");
    assert_string_equal(split("   "), "none");
    assert_string_equal(split("/a \"open"), "none");
    for (int i = 1; i < KNS_COMMAND_MOST_WORDS; i++)
        strcat(many, " b");
    assert_true(kns_command_is_good(many));
    strcat(many, " b");
    assert_false(kns_command_is_good(many));
    assert_false(kns_command_is_good("a /b"));
    assert_true(kns_command_is_good("/a b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_split_at_spaces_and_kept_together_by_quotes),
        cmocka_unit_test(what_is_no_command_is_none),
    };

    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
