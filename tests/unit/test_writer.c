/* The writer thread and a disk in trouble: what is to be kept is stored in the end, once and in its order; the others are told. */
#include "daemon/log.h"
#include "daemon/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST 400

/* How often the disk still refuses. */
static _Atomic int refusals;
static enum kns_status refused_with;

struct note {
    struct kns_write write;
    char name;
    struct fixture *f;
};

struct fixture {
    char dir[64], path[96];
    uv_loop_t loop;
    struct kns_writer *writer;
    struct note notes[MOST];
    char done[MOST + 1], failed[MOST + 1];
    char trouble[KNS_ERROR_MAX]; /* the worst that status would have shown */
    int runs;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct kns_store *store = NULL;

    kns_log_start(KNS_LOG_ERROR - 1, false);
    strcpy(f->dir, "/tmp/kns-writer-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/kns.db", f->dir);
    uv_loop_init(&f->loop);
    assert_int_equal(kns_store_open(f->path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, NULL),
                     KNS_OK);
    assert_int_equal(kns_writer_start(&f->loop, store, NULL, NULL, &f->writer, NULL), KNS_OK);
    refusals = 0;
    *state = f;
    return 0;
}

static void stop(struct fixture *f)
{
    kns_writer_stop(f->writer);
    f->writer = NULL;
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    if (f->writer != NULL)
        stop(f);
    uv_loop_close(&f->loop);
    snprintf(command, sizeof(command), "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* On the writer thread. */
static enum kns_status run(struct kns_write *write, struct kns_store *store, struct kns_error *err)
{
    struct note *note = (struct note *)write;
    const char text[] = {'t', 'a', 'g', ' ', note->name, ' ', 'i', 'f', ' ',
                         'f', 'e', 'e', 'd', ' ',        '=', ' ', '1', '\0'};
    int64_t id = 0;

    note->f->runs++;
    if (refusals > 0) {
        refusals--;
        return kns_fail(err, refused_with, "the disk is full");
    }
    return kns_store_add_rule(store, text, (struct kns_time){1}, &id, err);
}

static void done(struct kns_write *write)
{
    struct note *note = (struct note *)write;
    char *text = write->status == KNS_OK ? note->f->done : note->f->failed;

    text[strlen(text)] = note->name;
}

static void submit(struct fixture *f, char name, bool keep)
{
    struct note *note = &f->notes[(unsigned char)name];

    *note = (struct note){.write = {.run = run, .done = done, .keep = keep}, .name = name, .f = f};
    kns_writer_submit(f->writer, &note->write);
}

static void run_until(struct fixture *f, size_t n)
{
    for (int i = 0; i < 6000 && strlen(f->done) + strlen(f->failed) < n; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        if (kns_writer_trouble(f->writer)[0] != '\0')
            snprintf(f->trouble, sizeof(f->trouble), "%s", kns_writer_trouble(f->writer));
        usleep(5000);
    }
}

static bool add_rule_name(void *ctx, const struct kns_rule_record *rule)
{
    strncat(ctx, rule->text + 4, 1);
    return true;
}

static const char *stored(struct fixture *f)
{
    static char names[MOST];
    struct kns_store *store = NULL;

    names[0] = '\0';
    assert_int_equal(kns_store_open(f->path, KNS_STORE_READER, KNS_STORE_SYNC_FULL, &store, NULL),
                     KNS_OK);
    assert_int_equal(kns_store_each_rule(store, add_rule_name, names, NULL), KNS_OK);
    kns_store_close(store);
    return names;
}

static void what_is_kept_is_stored_when_the_disk_recovers(void **state)
{
    struct fixture *f = *state;

    refusals = 2;
    refused_with = KNS_EFULL;
    submit(f, 'a', true);
    run_until(f, 0);
    submit(f, 'b', true);
    submit(f, 'c', true);
    run_until(f, 3);
    assert_string_equal(f->done, "abc");
    assert_string_equal(stored(f), "abc");
    assert_string_equal(f->trouble, "the disk is full");
    assert_string_equal(kns_writer_trouble(f->writer), "");
}

static void who_waits_for_an_answer_is_told_at_once(void **state)
{
    struct fixture *f = *state;

    refusals = 1000000;
    refused_with = KNS_EIO;
    submit(f, 'a', true);
    submit(f, 'b', false);
    run_until(f, 1);
    assert_string_equal(f->failed, "b");
    submit(f, 'c', false);
    run_until(f, 2);
    assert_string_equal(f->failed, "bc");
    assert_int_equal(kns_writer_queued(f->writer), 1);
}

static void the_first_write_that_goes_through_ends_the_waiting(void **state)
{
    struct fixture *f = *state;

    refusals = 4; /* the waiting has grown to seconds */
    refused_with = KNS_EFULL;
    submit(f, 'a', true);
    for (int i = 0; i < 500 && kns_writer_queued(f->writer) == 1 && refusals > 0; i++)
        usleep(10000);
    uint64_t began = uv_hrtime();
    submit(f, 'b', false);
    run_until(f, 2);
    assert_string_equal(f->done, "ba");
    assert_true(uv_hrtime() - began < UINT64_C(3000000000)); /* it would have been four seconds */
}

static void what_no_time_heals_fails_at_once(void **state)
{
    struct fixture *f = *state;

    refusals = 1;
    refused_with = KNS_ECORRUPT;
    submit(f, 'a', true);
    submit(f, 'b', true);
    run_until(f, 2);
    assert_string_equal(f->failed, "a");
    assert_string_equal(f->done, "b");
    assert_string_equal(f->trouble, "the disk is full");
}

static void what_is_kept_has_one_more_try_when_the_writer_stops(void **state)
{
    struct fixture *f = *state;

    refusals = 1;
    refused_with = KNS_EFULL;
    submit(f, 'a', true);
    run_until(f, 0);
    while (refusals > 0)
        usleep(1000);
    stop(f);
    assert_string_equal(f->done, "a");
    assert_string_equal(stored(f), "a");
}

static void a_writer_stops_even_when_the_disk_stays_broken(void **state)
{
    struct fixture *f = *state;

    refusals = 1000000;
    refused_with = KNS_EFULL;
    for (char name = 'a'; name < 'z'; name++)
        submit(f, name, true);
    stop(f);
    assert_int_equal(strlen(f->failed), 25);
}

static void the_queue_is_bounded_by_number_and_by_bytes(void **state)
{
    struct fixture *f = *state;
    size_t n = 0;

    refusals = 1000000;
    refused_with = KNS_EFULL;
    for (; n < MOST && !kns_writer_is_behind(f->writer); n++) {
        f->notes[n] =
            (struct note){.write = {.run = run, .done = done, .keep = true}, .name = 'x', .f = f};
        kns_writer_submit(f->writer, &f->notes[n].write);
    }
    assert_int_equal(n, 257);
    stop(f);
    *f->failed = '\0';
    struct kns_store *store = NULL;
    assert_int_equal(kns_store_open(f->path, KNS_STORE_WRITER, KNS_STORE_SYNC_NORMAL, &store, NULL),
                     KNS_OK);
    assert_int_equal(kns_writer_start(&f->loop, store, NULL, NULL, &f->writer, NULL), KNS_OK);
    f->notes[0] = (struct note){
        .write = {.run = run, .done = done, .keep = true, .bytes = 65 << 20}, .name = 'x', .f = f};
    kns_writer_submit(f->writer, &f->notes[0].write);
    assert_true(kns_writer_is_behind(f->writer));
    stop(f);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_kept_is_stored_when_the_disk_recovers),
        TEST(who_waits_for_an_answer_is_told_at_once),
        TEST(the_first_write_that_goes_through_ends_the_waiting),
        TEST(what_no_time_heals_fails_at_once),
        TEST(what_is_kept_has_one_more_try_when_the_writer_stops),
        TEST(a_writer_stops_even_when_the_disk_stays_broken),
        TEST(the_queue_is_bounded_by_number_and_by_bytes),
    };

    return cmocka_run_group_tests_name("the writer", tests, NULL, NULL);
}
