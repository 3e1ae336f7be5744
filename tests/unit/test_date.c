/* Dates in every form that feeds have used; the impossible and the ambiguous are refused. */
#include "lib/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct expectation {
    const char *text, *utc; /* utc NULL: refused */
};

static void expect(const struct expectation *rows, size_t n)
{
    int wrong = 0;

    for (size_t i = 0; i < n; i++) {
        struct kns_time t = {0};
        char utc[KNS_TIME_TEXT] = "";
        bool read = kns_date_parse(rows[i].text, &t);
        kns_time_format(t, utc);
        if (read != (rows[i].utc != NULL) || (read && strcmp(utc, rows[i].utc) != 0)) {
            print_error("\"%s\": expected %s, got %s\n", rows[i].text,
                        rows[i].utc == NULL ? "refusal" : rows[i].utc, read ? utc : "refusal");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

#define EXPECT(...)                                                                                \
    do {                                                                                           \
        const struct expectation rows[] = {__VA_ARGS__};                                           \
        (void)state;                                                                               \
        expect(rows, sizeof(rows) / sizeof(rows[0]));                                              \
    } while (0)

static void rfc_822_and_its_sloppy_relatives(void **state)
{
    EXPECT({"Thu, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21Z"},
           {"Thu, 5 Apr 2012 23:47:37 +0200", "2012-04-05T21:47:37Z"},
           {"01 Jan 04 19:48 EST", "2004-01-02T00:48:00Z"},
           {"Thu, 01 Jan 2004 19:48:21 -05:00", "2004-01-02T00:48:21Z"},
           {"Thu,01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21Z"},
           {"Thursday, 01 January 2004 19:48:21 UT", "2004-01-01T19:48:21Z"},
           {"Thu Jan 01 2004 19:48:21 GMT-0500", "2004-01-02T00:48:21Z"},
           {"Thu, 01 Jan 2004 19:48:21 +0000 (UTC)", "2004-01-01T19:48:21Z"},
           {"Thu, 01 Jan 2004", "2004-01-01T00:00:00Z"},
           {"1 Jan 1999 00:00:00 Z", "1999-01-01T00:00:00Z"},
           {"Sun, 31 Dec 99 24:00:00 GMT", "2000-01-01T00:00:00Z"},
           {"31 Dec 2016 23:59:60 GMT", "2017-01-01T00:00:00Z"},
           {"Mon, 26 January 2004 16:31:00 ET", "2004-01-26T21:31:00Z"},
           {"Thu, 01 Jan 2004 7:48 pm PST", "2004-01-02T03:48:00Z"},
           {"January 5, 2024 3:04 PM", "2024-01-05T15:04:00Z"},
           {"Jan 2nd, 2020", "2020-01-02T00:00:00Z"},
           {"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z"},
           {"Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z"},
           {"Tue, 02 Mar 2004 10:11:20 JST", "2004-03-02T01:11:20Z"}, );
}

static void iso_8601_and_rfc_3339(void **state)
{
    EXPECT({"2003-12-31T10:14:55Z", "2003-12-31T10:14:55Z"},
           {"2003-12-31T10:14:55.123456+09:00", "2003-12-31T01:14:55Z"},
           {"2003-12-31t10:14:55z", "2003-12-31T10:14:55Z"},
           {"2003-12-31 10:14:55 +0100", "2003-12-31T09:14:55Z"},
           {"2003-12-31T10:14", "2003-12-31T10:14:00Z"}, {"2003-12-31T10", "2003-12-31T10:00:00Z"},
           {"20031231T101455Z", "2003-12-31T10:14:55Z"}, {"20031231", "2003-12-31T00:00:00Z"},
           {"2003-12", "2003-12-01T00:00:00Z"}, {"2003", "2003-01-01T00:00:00Z"},
           {"2003-365", "2003-12-31T00:00:00Z"}, {"2003365", "2003-12-31T00:00:00Z"},
           {"2004-W53-6", "2005-01-01T00:00:00Z"}, {"2009W011", "2008-12-29T00:00:00Z"},
           {"2020-W53-5T12:00:00Z", "2021-01-01T12:00:00Z"}, {"2021-W53-1", NULL},
           {"2004-07-08 23:56:58.0", "2004-07-08T23:56:58Z"},
           {"2013-11-05 10:15:55 UTC", "2013-11-05T10:15:55Z"},
           {"2003/12/31 10:14", "2003-12-31T10:14:00Z"}, );
}

static void japanese_chinese_and_korean(void **state)
{
    EXPECT({"2024年3月5日", "2024-03-05T00:00:00Z"},
           {"2024年3月5日 10時20分30秒", "2024-03-05T10:20:30Z"},
           {"2024年3月5日(火) 午後3時5分", "2024-03-05T15:05:00Z"},
           {"2024年3月5日 火曜日 10:20", "2024-03-05T10:20:00Z"},
           {"2024年3月4日月曜日", "2024-03-04T00:00:00Z"},
           {"令和6年3月5日", "2024-03-05T00:00:00Z"}, {"平成元年1月8日", "1989-01-08T00:00:00Z"},
           {"２０２４年３月５日　１０：２０", "2024-03-05T10:20:00Z"},
           {"2004年05月28日 下午 01:31:15", "2004-05-28T13:31:15Z"},
           {"2024年3月5日 星期二 10:20:00", "2024-03-05T10:20:00Z"},
           {"2004년 05월 28일 오후 01:31:15", "2004-05-28T13:31:15Z"},
           {"2004-05-28 오후 1:31:15", "2004-05-28T13:31:15Z"},
           {"2024년 3월 5일 화요일 10:20", "2024-03-05T10:20:00Z"}, );
}

static void european_languages(void **state)
{
    EXPECT({"Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00Z"},
           {"2004-július-13T9:15-05:00", "2004-07-13T14:15:00Z"},
           {"Do, 5 März 2020 10:00:00 +0100", "2020-03-05T09:00:00Z"},
           {"5. Mai 2020 um 10:00 Uhr", "2020-05-05T10:00:00Z"},
           {"lundi 14 juillet 2025 à 14h30", "2025-07-14T14:30:00Z"},
           {"1 août 2020", "2020-08-01T00:00:00Z"}, {"15 de enero de 2021", "2021-01-15T00:00:00Z"},
           {"Пн, 05 май 2014 12:00:00 +0400", "2014-05-05T08:00:00Z"},
           {"3 października 2019", "2019-10-03T00:00:00Z"},
           {"31.12.2003 10:14", "2003-12-31T10:14:00Z"},
           {"mar, 03 mar 2020 10:00:00 +0100", "2020-03-03T09:00:00Z"}, );
}

static void the_impossible_and_the_ambiguous_are_refused(void **state)
{
    EXPECT({"", NULL}, {"yesterday", NULL}, {"30 Feb 2020", NULL}, {"29 Feb 2019", NULL},
           {"2020-13-01", NULL}, {"2020-00-10", NULL}, {"2020-01-32", NULL},
           {"2020-01-01T25:00:00Z", NULL}, {"2020-01-01T24:00:01Z", NULL},
           {"2020-01-01T10:60:00Z", NULL}, {"03/04/2020", NULL},
           {"31/12/2020", "2020-12-31T00:00:00Z"}, {"12/31/2020", "2020-12-31T00:00:00Z"},
           {"04/04/2020", "2020-04-04T00:00:00Z"}, {"0000-00-00 00:00:00", NULL},
           {"10:20:30", NULL}, {"Jan 2020 or so", NULL}, {"2020-01-01T10:00:00+99:00", NULL},
           {"Thu, 01 Jan 2004 19:48:21 GMT and more", NULL}, );
}

static void http_dates_name_their_day(void **state)
{
    struct kns_time t;
    (void)state;

    assert_true(kns_date_parse_http("Sun, 06 Nov 1994 08:49:37 GMT", &t));
    assert_int_equal(t.unix_s, 784111777);
    assert_true(kns_date_parse_http("Sunday, 06-Nov-94 08:49:37 GMT", &t));
    assert_int_equal(t.unix_s, 784111777);
    assert_true(kns_date_parse_http("Sun Nov  6 08:49:37 1994", &t));
    assert_int_equal(t.unix_s, 784111777);
    assert_false(kns_date_parse_http("0", &t));
    assert_false(kns_date_parse_http("-1", &t));
    assert_false(kns_date_parse_http("120", &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_822_and_its_sloppy_relatives),
        cmocka_unit_test(iso_8601_and_rfc_3339),
        cmocka_unit_test(japanese_chinese_and_korean),
        cmocka_unit_test(european_languages),
        cmocka_unit_test(the_impossible_and_the_ambiguous_are_refused),
        cmocka_unit_test(http_dates_name_their_day),
    };

    return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
