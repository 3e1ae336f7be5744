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
           {"Tue, 02 Mar 2004 10:11:20 JST", "2004-03-02T01:11:20Z"},
           {"Mon, 26 January 2004 16:31:00 AT", "2004-01-26T20:31:00Z"},
           {"Wed, 19 Aug 2009 18:28:00 Etc/GMT", "2009-08-19T18:28:00Z"},
           {"Wed, 19 Feb 2012 22:40:00 GMT-01:01", "2012-02-19T23:41:00Z"},
           {"Sun Jul 15 01:16:00 +0000 2012", "2012-07-15T01:16:00Z"},
           {"Sun Jan  4 16:29:06 PST 2004", "2004-01-05T00:29:06Z"},
           {"Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53Z"},
           {"03 Apr 02 1500 GMT", "2002-04-03T15:00:00Z"},
           {"Thu, 05 Apr 2012 23:47:37 0000", "2012-04-05T23:47:37Z"},
           {"Thu, 05 Apr 2012 23.47.37 +0200", "2012-04-05T21:47:37Z"},
           {"Thu, 05 Apr 2012 11:47:37 p.m. EST", "2012-04-06T04:47:37Z"},
           {"Thu, 05 Apr 2012 12:05 a. m.", "2012-04-05T00:05:00Z"},
           {"Thu, 05 Apr 2012 10:00:00 XYZ", "2012-04-05T10:00:00Z"},
           {"Thu, 09 (a (nested \\) one) Mar)Feb(1) 2006()23:59:45 +0000", "2006-02-09T23:59:45Z"},
           {"Thu, 5 Apr 12 10:00 PST", "2012-04-05T18:00:00Z"},
           {"Thu, 5 Apr 49 10:00 PST", "2049-04-05T18:00:00Z"},
           {"Thu, 5 Apr 50 10:00 PST", "1950-04-05T18:00:00Z"},
           {"Thu, 5 Apr 112 10:00 GMT", "2012-04-05T10:00:00Z"}, );
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
           {"2003/12/31 10:14", "2003-12-31T10:14:00Z"},
           {"2003-12-31T10:14:55+0800", "2003-12-31T02:14:55Z"},
           {"2002-09-24+06:00", "2002-09-23T18:00:00Z"}, {"2002-09-24Z", "2002-09-24T00:00:00Z"},
           {"2012-04-05T10,5", "2012-04-05T10:30:00Z"},
           {"2012-04-05T10:00,5", "2012-04-05T10:00:30Z"},
           {"2012-04-05T10:00:00+02:00[Europe/Berlin]", "2012-04-05T08:00:00Z"},
           {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00Z"}, {"2012-04-05T10:00:60Z", NULL},
           {"2012-04-05T24:00:00Z", "2012-04-06T00:00:00Z"}, {"1333612800", "2012-04-05T08:00:00Z"},
           {"1333612800000", "2012-04-05T08:00:00Z"}, );
}

static void japanese_chinese_and_korean(void **state)
{
    EXPECT({"2024年3月5日", "2024-03-05T00:00:00Z"},
           {"2024年3月5日 10時20分30秒", "2024-03-05T10:20:30Z"},
           {"2024年3月5日(火) 午後3時5分", "2024-03-05T15:05:00Z"},
           {"2024年3月5日 火曜日 10:20", "2024-03-05T10:20:00Z"},
           {"2024年3月4日月曜日", "2024-03-04T00:00:00Z"},
           {"令和6年3月5日 午後3時", "2024-03-05T15:00:00Z"},
           {"民國101年4月5日", "2012-04-05T00:00:00Z"},
           {"2024年3月5日 午前0時30分", "2024-03-05T00:30:00Z"},
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
           {"mar, 03 mar 2020 10:00:00 +0100", "2020-03-03T09:00:00Z"},
           {"mar 3 avr 2012", "2012-04-03T00:00:00Z"}, {"mar. 3 mars 2020", "2020-03-03T00:00:00Z"},
           {"martes 3 de marzo de 2020", "2020-03-03T00:00:00Z"},
           {"gio, 05 apr 2012 10:00:00 +0200", "2012-04-05T08:00:00Z"},
           {"qui, 05 abr 2012 10:00:00 -0300", "2012-04-05T13:00:00Z"},
           {"do, 05 mrt 2020 10:00:00 +0100", "2020-03-05T09:00:00Z"},
           {"czw, 05 kwi 2012 10:00:00 +0200", "2012-04-05T08:00:00Z"},
           {"5 апреля 2012 г., 10:00", "2012-04-05T10:00:00Z"},
           {"5 квітня 2012", "2012-04-05T00:00:00Z"},
           {"2012. április 5., csütörtök 10:00", "2012-04-05T10:00:00Z"},
           {"5 Απριλίου 2012 3:05 μ.μ.", "2012-04-05T15:05:00Z"},
           {"5 Nisan 2012 Perşembe 10:00", "2012-04-05T10:00:00Z"},
           {"to, 05 huhti 2012 10:00:00 +0300", "2012-04-05T07:00:00Z"},
           {"10.5.2012 klo 10.30", "2012-05-10T10:30:00Z"},
           {"Čt, 05 dub 2012 10:00:00 +0200", "2012-04-05T08:00:00Z"}, );
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
           {"Thu, 01 Jan 2004 19:48:21 GMT and more", NULL}, {"Sun, 16 Dec 2012 1:2:3:4 GMT", NULL},
           {"Sun, 16 zzz 2012 11:47:32 GMT", NULL}, {"Sun, 16 Dec zz 11:47:32 GMT", NULL},
           {"Sun, 16 Dec 2012 11:47:32 +zz:00", NULL}, {"Sun, 99 Jun 2009 12:00:00 GMT", NULL},
           {"9999-12-31T23:59:59-99:99", NULL}, {"22013", NULL}, {"013", NULL},
           {"2013-01-27-01", NULL}, {"2013-01-28T11:30:00-06:00Textra", NULL},
           {"-2012-04-05", NULL}, {"10.05.12", NULL}, {"1.2.3", NULL}, {"April 5", NULL},
           {"5 Apr 2012 13:00 a.m.", NULL}, {"5 Apr 2012 14h4294967326", NULL}, );
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
