/* When a feed is asked again: who is believed, and within which bounds. */
#include "daemon/nextpoll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#define HOUR 3600
#define DAY 86400
#define NOW 1700000000 /* Tuesday, 2023-11-14, 22:13:20 UTC */

/* A feed that says nothing, polled well just now, without chance. */
static struct kns_nextpoll_input plain(void)
{
    return (struct kns_nextpoll_input){.now = {NOW},
                                       .interval_s = HOUR,
                                       .min_interval_s = 900,
                                       .max_interval_s = DAY,
                                       .outcome = KNS_POLL_NEW_DOCUMENT,
                                       .entries_per_day = -1,
                                       .fresh_s = -1,
                                       .ttl_s = -1,
                                       .update_interval_s = -1};
}

static int64_t wait_of(const struct kns_nextpoll_input *in)
{
    struct kns_nextpoll next = {0};

    kns_nextpoll_decide(in, &next);
    assert_true(next.reason[0] != '\0');
    return next.at.unix_s - NOW;
}

static const char *reason_of(const struct kns_nextpoll_input *in)
{
    static struct kns_nextpoll next;

    kns_nextpoll_decide(in, &next);
    return next.reason;
}

static void without_hints_the_configured_interval_holds(void **state)
{
    struct kns_nextpoll_input in = plain();

    (void)state;
    assert_int_equal(wait_of(&in), HOUR);
    assert_string_equal(reason_of(&in), "the configured interval");
    in.outcome = KNS_POLL_UNCHANGED;
    assert_int_equal(wait_of(&in), HOUR);
}

static void a_rhythm_is_followed_within_the_bounds(void **state)
{
    struct kns_nextpoll_input in = plain();

    (void)state;
    in.entries_per_day = 4; /* every six hours: look after three */
    assert_int_equal(wait_of(&in), 3 * HOUR);
    in.entries_per_day = 10000;
    assert_int_equal(wait_of(&in), in.min_interval_s);
    in.entries_per_day = 0.01;
    assert_int_equal(wait_of(&in), in.max_interval_s);
    in.entries_per_day = 0;
    assert_int_equal(wait_of(&in), in.max_interval_s);
}

static void the_users_word_goes_before_the_rhythm(void **state)
{
    struct kns_nextpoll_input in = plain();

    (void)state;
    in.entries_per_day = 4;
    in.every_s = 2 * HOUR;
    assert_int_equal(wait_of(&in), 2 * HOUR);
    in.every_s = 3 * DAY; /* longer than max_interval: it was said of this very feed */
    assert_int_equal(wait_of(&in), 3 * DAY);
}

static void whoever_asks_for_the_longest_wait_is_heard_up_to_the_longest_interval(void **state)
{
    struct kns_nextpoll_input in = plain();

    (void)state;
    in.ttl_s = 5 * HOUR;
    in.update_interval_s = 4 * HOUR;
    in.fresh_s = 3 * HOUR;
    assert_int_equal(wait_of(&in), 5 * HOUR);
    in.update_interval_s = 6 * HOUR;
    assert_int_equal(wait_of(&in), 6 * HOUR);
    in.fresh_s = 7 * HOUR;
    assert_int_equal(wait_of(&in), 7 * HOUR);
    in.ttl_s = 365 * DAY;
    assert_true(wait_of(&in) <= DAY);
    /* No hint makes it faster. */
    in = plain();
    in.ttl_s = in.update_interval_s = in.fresh_s = 1;
    assert_int_equal(wait_of(&in), HOUR);
}

static void failures_are_met_with_ever_longer_waits_up_to_a_bound(void **state)
{
    struct kns_nextpoll_input in = plain();
    int64_t last = HOUR;

    (void)state;
    in.outcome = KNS_POLL_ERROR;
    for (in.failures = 1; in.failures < 100; in.failures++) {
        int64_t wait = wait_of(&in);
        assert_true(wait >= last);
        assert_true(in.failures > 3 || wait > last);
        last = wait;
    }
    assert_int_equal(last, DAY);
    in.failures = INT64_MAX;
    assert_int_equal(wait_of(&in), DAY);
}

static void retry_after_is_never_undercut(void **state)
{
    static const enum kns_outcome outcomes[] = {KNS_POLL_THROTTLED, KNS_POLL_ERROR};
    struct kns_nextpoll_input in = plain();

    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int64_t asked = 60; asked < 10 * DAY; asked *= 3)
            for (int chance = 0; chance <= 10; chance++) {
                struct kns_nextpoll next;
                in.outcome = outcomes[i];
                in.failures = 1;
                in.retry_at.unix_s = NOW + asked;
                in.random = chance / 10.0;
                kns_nextpoll_decide(&in, &next);
                assert_true(next.at.unix_s >= NOW + asked);
                assert_int_equal(next.not_before.unix_s, NOW + asked);
            }
    assert_string_equal(reason_of(&in), "the server's Retry-After");
}

static void chance_moves_a_poll_by_little_and_within_the_bounds(void **state)
{
    struct kns_nextpoll_input in = plain();

    (void)state;
    for (int chance = 0; chance <= 10; chance++) {
        in.random = chance / 10.0;
        assert_in_range(wait_of(&in), HOUR, HOUR + HOUR / 10);
        in.entries_per_day = 0;
        assert_in_range(wait_of(&in), DAY - DAY / 10, DAY);
        in.entries_per_day = -1;
    }
}

static void hours_and_days_that_are_to_be_skipped_are(void **state)
{
    struct kns_nextpoll_input in = plain();

    (void)state;
    in.skip_hours = 1u << 23 | 1u << 0; /* the poll would be at 23:13 on Tuesday */
    assert_int_equal(NOW + wait_of(&in), 1700010000 - 1700010000 % HOUR); /* 01:00 */
    assert_string_equal(reason_of(&in), "the feed's skipHours and skipDays");
    in.skip_hours = 0;
    in.skip_days = 1 << 2; /* Tuesday */
    assert_int_equal((NOW + wait_of(&in)) % DAY, 0);
    in.skip_hours = 0xFFFFFF; /* all of them: nobody means that */
    assert_int_equal(wait_of(&in), HOUR);
}

static struct kns_document *dated(const int64_t *times, size_t n)
{
    struct kns_document *document = kns_document_new(0);

    for (size_t i = 0; i < n; i++) {
        struct kns_entry *entry = kns_entry_new(document->arena);
        entry->published.unix_s = times[i];
        KNS_LIST_APPEND(&document->entries, entry);
    }
    return document;
}

static void a_rhythm_is_seen_up_to_now_and_not_in_the_future(void **state)
{
    static const int64_t week[] = {NOW - DAY, NOW - 2 * DAY, NOW - 4 * DAY, NOW + 9 * DAY, 0};
    static const int64_t one[] = {NOW - DAY};
    const struct kns_time now = {NOW};
    struct kns_document *several = dated(week, 5), *single = dated(one, 1);

    (void)state;
    assert_true(kns_nextpoll_rhythm(several, now) > 0.7 && kns_nextpoll_rhythm(several, now) < 0.8);
    assert_true(kns_nextpoll_rhythm(several, (struct kns_time){NOW + 5 * DAY}) < 0.4);
    assert_true(kns_nextpoll_rhythm(single, now) < 0);
    assert_int_equal(kns_nextpoll_newest(several, now).unix_s, NOW - DAY);
    kns_document_free(several);
    kns_document_free(single);
}

static void late_is_four_gaps_and_two_days(void **state)
{
    const struct kns_time now = {NOW};

    (void)state;
    assert_false(kns_nextpoll_is_late(24, (struct kns_time){NOW - DAY}, now));
    assert_true(kns_nextpoll_is_late(24, (struct kns_time){NOW - 3 * DAY}, now));
    assert_false(kns_nextpoll_is_late(0.5, (struct kns_time){NOW - 7 * DAY}, now));
    assert_true(kns_nextpoll_is_late(0.5, (struct kns_time){NOW - 9 * DAY}, now));
    assert_false(kns_nextpoll_is_late(-1, (struct kns_time){NOW - 900 * DAY}, now));
    assert_false(kns_nextpoll_is_late(1, (struct kns_time){0}, now));
}

static void a_feed_that_its_hub_pushes_is_polled_rarely(void **state)
{
    struct kns_nextpoll_input in = plain();

    (void)state;
    in.pushed = true;
    in.entries_per_day = 24;
    assert_int_equal(wait_of(&in), DAY);
    assert_string_equal(reason_of(&in), "its hub pushes what is new");
    in.every_s = 1800; /* the user's own word stands */
    assert_int_equal(wait_of(&in), 1800);
    in.every_s = 0;
    in.outcome = KNS_POLL_ERROR; /* a failure is looked after as any other */
    in.failures = 1;
    assert_true(wait_of(&in) < 6 * HOUR);
}

/* An hourly feed, polled an hour ago. */
static struct kns_feed hourly(void)
{
    return (struct kns_feed){
        .last_poll_at = {NOW - HOUR},
        .schedule = {.entries_per_day = 12, .ttl_s = -1, .update_interval_s = -1}};
}

static void a_hub_that_comes_or_goes_changes_the_poll_that_is_next(void **state)
{
    struct kns_nextpoll_input in = plain();
    struct kns_feed feed = hourly();
    struct kns_nextpoll next = {0};

    (void)state;
    in.pushed = true;
    assert_true(kns_nextpoll_again(&feed, &in, &next));
    assert_int_equal(next.at.unix_s, NOW - HOUR + DAY);
    assert_string_equal(next.reason, "its hub pushes what is new");
    in.pushed = false; /* an hour after the last poll it is due now, never in the past */
    assert_true(kns_nextpoll_again(&feed, &in, &next));
    assert_int_equal(next.at.unix_s, NOW);
    feed.schedule.no_poll_before.unix_s = NOW + 2 * HOUR; /* the server's word stands */
    assert_true(kns_nextpoll_again(&feed, &in, &next));
    assert_int_equal(next.at.unix_s, NOW + 2 * HOUR);
    feed.schedule.consecutive_failures = 1;
    assert_false(kns_nextpoll_again(&feed, &in, &next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_hints_the_configured_interval_holds),
        cmocka_unit_test(a_rhythm_is_followed_within_the_bounds),
        cmocka_unit_test(the_users_word_goes_before_the_rhythm),
        cmocka_unit_test(whoever_asks_for_the_longest_wait_is_heard_up_to_the_longest_interval),
        cmocka_unit_test(failures_are_met_with_ever_longer_waits_up_to_a_bound),
        cmocka_unit_test(retry_after_is_never_undercut),
        cmocka_unit_test(chance_moves_a_poll_by_little_and_within_the_bounds),
        cmocka_unit_test(hours_and_days_that_are_to_be_skipped_are),
        cmocka_unit_test(a_rhythm_is_seen_up_to_now_and_not_in_the_future),
        cmocka_unit_test(late_is_four_gaps_and_two_days),
        cmocka_unit_test(a_feed_that_its_hub_pushes_is_polled_rarely),
        cmocka_unit_test(a_hub_that_comes_or_goes_changes_the_poll_that_is_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
