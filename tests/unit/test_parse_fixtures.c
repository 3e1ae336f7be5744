/* A feed and the JSON it becomes: tests/fixtures/feeds holds NAME and NAME.expected. Each is read whole, a byte at a time and in
 * pieces of an odd size, and all three must say what is expected. */
#include "tests/unit/parsing.h"

#include <dirent.h>
#include <stdio.h>

#define FOLDER KNS_SOURCE_DIR "/tests/fixtures/feeds"
#define SUFFIX ".expected"

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail_msg("cannot read %s", path);
    long end = ftell(file);
    text = malloc((size_t)end + 1);
    rewind(file);
    size = fread(text, 1, (size_t)end, file);
    fclose(file);
    text[size] = '\0';
    *ret_size = size;
    return text;
}

static json_t *parse_to_json(const char *text, size_t size, size_t piece, const char *name)
{
    const struct kns_parse_options options = {.base_url = "https://example.org/feeds/"};
    enum kns_status status;
    struct kns_document *document = parse_in_pieces(&options, text, size, piece, &status);

    if (document == NULL)
        fail_msg("%s is no feed", name);
    json_t *json = kns_jsonfeed_from_document(document, false);
    kns_document_free(document);
    assert_non_null(json);
    return json;
}

static void check(const char *name, const char *text, size_t size, size_t piece,
                  const json_t *expected)
{
    json_t *json = parse_to_json(text, size, piece, name);

    if (!json_equal(json, expected)) {
        char *said = json_dumps(json, JSON_INDENT(2));
        fprintf(stderr, "%s, %zu bytes at a time, became:\n%s\n", name, piece, said);
        free(said);
        fail_msg("%s is not what %s" SUFFIX " says", name, name);
    }
    json_decref(json);
}

static void check_fixture(const char *name)
{
    const size_t pieces[] = {SIZE_MAX / 2, 1, 7};
    char path[512];
    size_t size, expected_size;
    json_error_t error;

    snprintf(path, sizeof(path), FOLDER "/%s", name);
    char *text = read_file(path, &size);
    snprintf(path, sizeof(path), FOLDER "/%s" SUFFIX, name);
    char *expected_text = read_file(path, &expected_size);
    json_t *expected = json_loadb(expected_text, expected_size, 0, &error);
    if (expected == NULL)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
        check(name, text, size, pieces[i], expected);
    json_decref(expected);
    free(expected_text);
    free(text);
}

static void every_fixture_becomes_what_is_expected(void **state)
{
    DIR *folder = opendir(FOLDER);
    size_t count = 0;

    (void)state;
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] == '.' || strstr(entry->d_name, SUFFIX) != NULL)
            continue;
        check_fixture(entry->d_name);
        count++;
    }
    closedir(folder);
    assert_true(count > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_becomes_what_is_expected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
