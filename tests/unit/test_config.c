/* kns.conf: every key, and what is said of what is wrong. */
#include "daemon/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char file[64];

static int make_file(void **state)
{
    (void)state;
    strcpy(file, "/tmp/kns-config-XXXXXX");
    int fd = mkstemp(file);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

/* Reads text as a file; the status, and err filled when it is bad. */
static enum kns_status read_text(struct kns_config *config, const char *text, size_t size,
                                 struct kns_error *err)
{
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    return kns_config_read(config, file, err);
}

/* text is refused at the line, with a sentence that holds all of words ("|" between). */
static void assert_bad(const char *text, int line, const char *words)
{
    struct kns_config *config = kns_config_new(true);
    struct kns_error err = {0};
    char where[96], copy[128];

    snprintf(where, sizeof(where), "%s:%d: ", file, line);
    assert_int_equal(read_text(config, text, strlen(text), &err), KNS_EINVAL);
    if (strncmp(err.message, where, strlen(where)) != 0)
        fail_msg("%s: expected %s", err.message, where);
    snprintf(copy, sizeof(copy), "%s", words);
    for (char *word = strtok(copy, "|"); word != NULL; word = strtok(NULL, "|"))
        if (strstr(err.message, word) == NULL)
            fail_msg("%s: expected \"%s\" in it", err.message, word);
    kns_config_free(config);
}

static void defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    unsetenv("RUNTIME_DIRECTORY");
    unsetenv("STATE_DIRECTORY");
    struct kns_config *c = kns_config_new(true);

    assert_string_equal(c->daemon.socket, "/run/kns/kns.sock");
    assert_string_equal(c->daemon.state_dir, "/var/lib/kns");
    assert_int_equal(c->daemon.socket_mode, 0660);
    assert_int_equal(c->daemon.log_level, 6);
    assert_int_equal(c->poll.interval_s, 3600);
    assert_int_equal(c->poll.min_interval_s, 900);
    assert_int_equal(c->poll.max_interval_s, 86400);
    assert_int_equal(c->poll.concurrency, 64);
    assert_int_equal(c->poll.per_host, 2);
    assert_int_equal(c->poll.timeout_s, 30);
    assert_int_equal(c->poll.max_size_bytes, 16 << 20);
    assert_string_equal(c->poll.user_agent, "");
    assert_string_equal(c->poll.proxy, "");
    assert_int_equal(c->poll.private_networks, KNS_PRIVATE_DIRECT);
    assert_int_equal(c->store.keep_days, 0);
    assert_int_equal(c->store.keep_items_per_feed, 0);
    assert_string_equal(c->websub.callback_url, "");
    assert_string_equal(c->websub.listen, "");
    assert_string_equal(c->digest.title, "Weekly Kaggle News");
    assert_string_equal(c->digest.base_url, "");
    assert_string_equal(c->digest.language, "");
    kns_config_free(c);
}

static void every_key_is_read(void **state)
{
    static const char text[] =
        "[daemon]\nsocket = /a/b.sock\nsocket_mode = 0600\nstate_dir = /c\nlog_level = debug\n"
        "[poll]\ninterval = 90\nmin_interval = 30s\nmax_interval = 2w\nconcurrency = "
        "10000\nper_host = 1\n"
        "timeout = 5m\nmax_size = 1G\nuser_agent = 名前/1 (+https://x.example/)\nproxy = "
        "socks5h://p:1080\n"
        "private_networks = never\n[store]\nkeep_days = 30\nkeep_items_per_feed = 500\nsynchronous "
        "= normal\n"
        "[websub]\ncallback_url = https://kns.example/below/\nlisten = [::1]:8090\n"
        "[digest]\ntitle = 週刊\nbase_url = https://x.example/y/\nlanguage = zh-Hant-TW\n";
    struct kns_config *c = kns_config_new(true);
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(read_text(c, text, strlen(text), &err), KNS_OK);
    assert_string_equal(c->daemon.socket, "/a/b.sock");
    assert_int_equal(c->daemon.socket_mode, 0600);
    assert_string_equal(c->daemon.state_dir, "/c");
    assert_int_equal(c->daemon.log_level, 7);
    assert_int_equal(c->poll.interval_s, 90);
    assert_int_equal(c->poll.min_interval_s, 30);
    assert_int_equal(c->poll.max_interval_s, 14 * 86400);
    assert_int_equal(c->poll.concurrency, 10000);
    assert_int_equal(c->poll.per_host, 1);
    assert_int_equal(c->poll.timeout_s, 300);
    assert_int_equal(c->poll.max_size_bytes, 1 << 30);
    assert_string_equal(c->poll.user_agent, "名前/1 (+https://x.example/)");
    assert_string_equal(c->poll.proxy, "socks5h://p:1080");
    assert_int_equal(c->poll.private_networks, KNS_PRIVATE_NEVER);
    assert_int_equal(c->store.keep_days, 30);
    assert_int_equal(c->store.keep_items_per_feed, 500);
    assert_string_equal(c->websub.callback_url, "https://kns.example/below/");
    assert_string_equal(c->websub.listen, "[::1]:8090");
    assert_string_equal(c->digest.title, "週刊");
    assert_string_equal(c->digest.base_url, "https://x.example/y/");
    assert_string_equal(c->digest.language, "zh-Hant-TW");
    kns_config_free(c);
}

static void layout_does_not_matter(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF; a comment\r\n# another\r\n\r\n  [poll]  \r\n\tinterval=2h ; why\r\n"
        "    timeout   =   20s   \r\n";
    struct kns_config *c = kns_config_new(true);
    struct kns_error err = {0};

    (void)state;
    if (read_text(c, text, strlen(text), &err) != KNS_OK)
        fail_msg("%s", err.message);
    assert_int_equal(c->poll.interval_s, 7200);
    assert_int_equal(c->poll.timeout_s, 20);
    kns_config_free(c);
}

static void what_is_wrong_is_said_with_file_line_and_what_was_expected(void **state)
{
    (void)state;
    assert_bad("[poll]\nintervall = 1h\n", 2, "[poll]|\"intervall\"");
    assert_bad("\n\n[pol]\ninterval = 1h\n", 3, "no section [pol]");
    assert_bad("interval = 1h\n", 1, "interval|before any [section]");
    assert_bad("[poll\ninterval = 1h\n", 1, "");
    assert_bad("[poll]\ninterval\n", 2, "expected|key = value");
    assert_bad("[poll]\ninterval = 1h\n  2h\n", 3, "expected|key = value");
    assert_bad("[poll]\ninterval = soon\n", 2, "interval|soon|30m");
    assert_bad("[poll]\ninterval = 0s\n", 2, "expected a length of time");
    assert_bad("[poll]\ninterval = 99999999999999999999\n", 2, "expected a length of time");
    assert_bad("[poll]\ninterval =\n", 2, "expected a length of time");
    assert_bad("[poll]\nconcurrency = 0\n", 2, "1 to 10000");
    assert_bad("[poll]\nconcurrency = 10001\n", 2, "1 to 10000");
    assert_bad("[poll]\nper_host = two\n", 2, "two|1 to 10000");
    assert_bad("[poll]\nmax_size = 0\n", 2, "16M");
    assert_bad("[poll]\nmax_size = 16MB\n", 2, "16M");
    assert_bad("[poll]\nmax_size = 17G\n", 2, "16M");
    assert_bad("[poll]\nproxy = htp://x\n", 2, "http, https or socks");
    assert_bad("[poll]\nprivate_networks = sometimes\n", 2, "never|direct|always");
    assert_bad("[poll]\nuser_agent = \xFF\n", 2, "UTF-8");
    assert_bad("[poll]\nuser_agent = a\x07z\n", 2, "control");
    assert_bad("[poll]\nmin_interval = 2h\n\nmax_interval = 1h\n", 4, "min_interval|max_interval");
    assert_bad("[daemon]\nlog_level = loud\n", 2, "loud|warning");
    assert_bad("[daemon]\nsocket_mode = 0999\n", 2, "octal");
    assert_bad("[daemon]\nsocket_mode = 1777\n", 2, "octal");
    assert_bad("[daemon]\nsocket =\n", 2, "absolute path");
    assert_bad("[daemon]\nstate_dir = here\n", 2, "absolute path");
    assert_bad("[store]\nkeep_days = -1\n", 2, "0 or more");
    assert_bad("[store]\nkeep_days = 1.5\n", 2, "0 or more");
    assert_bad("[store]\nsynchronous = off\n", 2, "full|normal");
    assert_bad("[digest]\nbase_url = ftp://x/\n", 2, "http or https");
    assert_bad("[digest]\nbase_url = https://\n", 2, "http or https");
    assert_bad("[digest]\nlanguage = Japanese please\n", 2, "language tag");
    assert_bad("[digest]\ntemplate_dir = here\n", 2, "absolute path");
    assert_bad("[mail]\nserver = mail.example.org\n", 2, "smtp://HOST|smtps://");
    assert_bad("[mail]\nserver = smtp://\n", 2, "smtp://HOST");
    assert_bad("[mail]\npassword_file = secret\n", 2, "absolute path");
    assert_bad("[mail]\nfrom = A Curator\n", 2, "address");
    assert_bad("[newsletter a]\nemail = nobody\n", 2, "address");
    assert_bad("[newsletter A]\n\ntitle = x\n", 1, "small letters");
}

static void a_choice_is_told_by_its_words(void **state)
{
    (void)state;
    assert_bad("[poll]\nfile_sources = true\n", 2, "file_sources = true: expected no or yes");
    assert_bad("[daemon]\nlog_level =\n", 2, "expected error, warning, info or debug");
}

static void a_section_that_nobody_knows_is_refused_even_when_it_is_empty(void **state)
{
    (void)state;
    assert_bad("[poll]\n\n[nope]\n", 3, "no section [nope]");
    assert_bad("[poll]\n[newsletter]\n", 2, "no section [newsletter]");
    assert_bad("[poll] interval = 1h\n", 1, "expected [section]");
    assert_bad("[poll]\rinterval = 1h\r", 1, "expected [section]");
}

static void a_newsletter_needs_no_more_than_its_section(void **state)
{
    static const char text[] = "[newsletter weekly] ; all as usual\n";
    struct kns_config *c = kns_config_new(true);
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(read_text(c, text, strlen(text), &err), KNS_OK);
    assert_int_equal(c->n_newsletters, 1);
    assert_string_equal(c->newsletters[0].name, "weekly");
    kns_config_free(c);
}

static void a_key_that_is_set_twice_is_refused_with_both_lines(void **state)
{
    (void)state;
    assert_bad("[poll]\ninterval = 1h\n[daemon]\n[poll]\ninterval = 2h\n", 5, "interval|line 2");
    assert_bad("[newsletter a]\ntitle = x\n[newsletter b]\ntitle = x\n[newsletter a]\ntitle = y\n",
               6, "title|line 2");
}

static void a_nul_byte_does_not_hide_the_end_of_a_line(void **state)
{
    static const char text[] = "[digest]\ntitle = a\0b\n";
    struct kns_config *c = kns_config_new(true);
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(read_text(c, text, sizeof(text) - 1, &err), KNS_EINVAL);
    assert_non_null(strstr(err.message, ":2: a NUL byte"));
    kns_config_free(c);
}

static void a_value_that_is_no_text_is_not_repeated(void **state)
{
    struct kns_config *c = kns_config_new(true);
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(kns_config_set(c, "digest", "title", "a\033[31m", &err), KNS_EINVAL);
    assert_null(strchr(err.message, 033));
    kns_config_free(c);
}

static void what_waits_for_the_next_start_is_listed(void **state)
{
    struct kns_config *a = kns_config_new(true), *b = kns_config_new(true);
    struct kns_error err = {0};
    char late[KNS_CONFIG_LATE_MOST];

    (void)state;
    kns_config_list_late(a, b, late, sizeof(late));
    assert_string_equal(late, "");
    assert_int_equal(kns_config_set(b, "daemon", "socket", "/x", &err), KNS_OK);
    assert_int_equal(kns_config_set(b, "daemon", "socket_mode", "0600", &err), KNS_OK);
    assert_int_equal(kns_config_set(b, "store", "synchronous", "normal", &err), KNS_OK);
    assert_int_equal(kns_config_set(b, "poll", "interval", "2h", &err), KNS_OK);
    kns_config_list_late(a, b, late, sizeof(late));
    assert_string_equal(late, "socket, socket_mode, synchronous");
    kns_config_free(a);
    kns_config_free(b);
}

static void a_line_is_read_whole_or_refused(void **state)
{
    char text[512];
    struct kns_config *c = kns_config_new(true);
    struct kns_error err = {0};

    (void)state;
    /* 198 bytes go, with their line end; one more does not, and is not taken for a line of its own. */
    snprintf(text, sizeof(text), "[digest]\ntitle = %0190d\n", 7);
    assert_int_equal(read_text(c, text, strlen(text), &err), KNS_OK);
    assert_int_equal(strlen(c->digest.title), 190);
    snprintf(text, sizeof(text), "[digest]\n\ntitle = %0191d\n[poll]\n", 7);
    assert_bad(text, 3, "longer than 198 bytes");
    snprintf(text, sizeof(text), "[digest]\n\ntitle = %0400d\n", 7);
    assert_bad(text, 3, "longer than 198 bytes");
    kns_config_free(c);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    struct kns_config *c = kns_config_new(true);
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(kns_config_read(c, "/no/such/kns.conf", &err), KNS_ENOTFOUND);
    assert_non_null(strstr(err.message, "/no/such/kns.conf"));
    assert_int_equal(kns_config_read(c, "/tmp", &err), KNS_EIO);
    assert_non_null(strstr(err.message, "/tmp"));
    kns_config_free(c);
}

static void what_is_printed_is_read_again_as_the_same(void **state)
{
    char *printed[2] = {NULL, NULL};
    size_t size[2];
    struct kns_config *c = kns_config_new(false);
    struct kns_error err = {0};

    (void)state;
    assert_int_equal(kns_config_set(c, "poll", "interval", "7d", &err), KNS_OK);
    assert_int_equal(kns_config_set(c, "daemon", "socket_mode", "0", &err), KNS_OK);
    for (int i = 0; i < 2; i++) {
        FILE *out = open_memstream(&printed[i], &size[i]);
        kns_config_print(c, out);
        fclose(out);
        kns_config_free(c);
        c = kns_config_new(true);
        if (read_text(c, printed[i], size[i], &err) != KNS_OK)
            fail_msg("%s", err.message);
    }
    assert_string_equal(printed[0], printed[1]);
    free(printed[0]);
    free(printed[1]);
    kns_config_free(c);
}

static void a_user_has_paths_of_their_own_and_systemd_names_the_services(void **state)
{
    (void)state;
    unsetenv("RUNTIME_DIRECTORY");
    unsetenv("STATE_DIRECTORY");
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", "/home/ann", 1);
    struct kns_config *c = kns_config_new(false);
    assert_string_equal(c->daemon.socket, "/run/user/7/kns/kns.sock");
    assert_string_equal(c->daemon.state_dir, "/home/ann/.local/state/kns");
    kns_config_free(c);
    setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
    setenv("RUNTIME_DIRECTORY", "/run/kns:/run/other", 1);
    c = kns_config_new(false);
    assert_string_equal(c->daemon.socket, "/run/kns/kns.sock");
    assert_string_equal(c->daemon.state_dir, "/home/ann/.local/state/kns");
    kns_config_free(c);
    setenv("STATE_DIRECTORY", "/var/lib/private/kns", 1);
    c = kns_config_new(true);
    assert_string_equal(c->daemon.state_dir, "/var/lib/private/kns");
    kns_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(layout_does_not_matter),
        cmocka_unit_test(what_is_wrong_is_said_with_file_line_and_what_was_expected),
        cmocka_unit_test(a_choice_is_told_by_its_words),
        cmocka_unit_test(a_section_that_nobody_knows_is_refused_even_when_it_is_empty),
        cmocka_unit_test(a_newsletter_needs_no_more_than_its_section),
        cmocka_unit_test(a_key_that_is_set_twice_is_refused_with_both_lines),
        cmocka_unit_test(a_nul_byte_does_not_hide_the_end_of_a_line),
        cmocka_unit_test(a_value_that_is_no_text_is_not_repeated),
        cmocka_unit_test(what_waits_for_the_next_start_is_listed),
        cmocka_unit_test(a_line_is_read_whole_or_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(what_is_printed_is_read_again_as_the_same),
        cmocka_unit_test(a_user_has_paths_of_their_own_and_systemd_names_the_services),
    };

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
