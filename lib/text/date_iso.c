/* ISO 8601: dates by month, week and day of the year, in the extended and the basic form, with a time or none. */
#include "lib/date.h"
#include "lib/text/date_internal.h"

/* The date of ISO 8601 week w, day d (1 Monday) of a year. */
static bool from_week(int year, int week, int weekday, struct kns_date_parts *p)
{
    if (week < 1 || week > 53 || weekday < 1 || weekday > 7)
        return false;
    int64_t fourth = kns_date_unix(year, 1, 4, 0, 0, 0) / 86400; /* always in week 1 */
    int64_t monday = fourth - (((fourth + 3) % 7) + 7) % 7;
    int64_t day = monday + (week - 1) * 7 + weekday - 1;
    int64_t of_year = day - kns_date_unix(year, 1, 1, 0, 0, 0) / 86400;
    int64_t length = kns_date_is_leap(year) ? 366 : 365;
    if (week == 53 && day - (weekday - 1) + 3 >= kns_date_unix(year + 1, 1, 1, 0, 0, 0) / 86400)
        return false;
    p->year = of_year < 0 ? year - 1 : of_year >= length ? year + 1 : year;
    of_year += of_year < 0         ? (kns_date_is_leap(year - 1) ? 366 : 365)
               : of_year >= length ? -length
                                   : 0;
    p->month = 1;
    while (of_year >= kns_date_days_in(p->year, p->month))
        of_year -= kns_date_days_in(p->year, p->month++);
    p->day = (int)of_year + 1;
    return true;
}

static bool from_ordinal(int year, int ordinal, struct kns_date_parts *p)
{
    if (year < 1 || ordinal < 1 || ordinal > (kns_date_is_leap(year) ? 366 : 365))
        return false;
    p->year = year;
    p->month = 1;
    while (ordinal > kns_date_days_in(year, p->month))
        ordinal -= kns_date_days_in(year, p->month++);
    p->day = ordinal;
    return true;
}

/* Basic forms: one run of digits. */
static bool read_run(const struct kns_date_token *t, struct kns_date_parts *p)
{
    int64_t n = t->number;

    switch (t->digits) {
    case 4:
        *p = (struct kns_date_parts){.year = (int)n, .month = 1, .day = 1, .hour = KNS_DATE_UNSET};
        return true;
    case 7:
        return from_ordinal((int)(n / 1000), (int)(n % 1000), p);
    case 14:
        p->hour = (int)(n / 10000 % 100);
        p->minute = (int)(n / 100 % 100);
        p->second = (int)(n % 100);
        n /= 1000000;
        break;
    case 12:
        p->hour = (int)(n / 100 % 100);
        p->minute = (int)(n % 100);
        p->second = 0;
        n /= 10000;
        break;
    case 8:
        break;
    default:
        return false;
    }
    p->year = (int)(n / 10000);
    p->month = (int)(n / 100 % 100);
    p->day = (int)(n % 100);
    return true;
}

/* The date part; returns the tokens read, 0 when it is no ISO date. */
static int read_iso_date(const struct kns_date_token *t, struct kns_date_parts *p)
{
    if (t[0].kind != KNS_DATE_NUMBER || t[0].digits < 4)
        return 0;
    bool week = t[1].kind == KNS_DATE_WORD && strcmp(t[1].word, "w") == 0 && t[0].digits == 4;
    if (week && t[2].kind == KNS_DATE_NUMBER && t[2].digits == 3) /* 2003W527 */
        return from_week((int)t[0].number, (int)t[2].number / 10, (int)t[2].number % 10, p) ? 3 : 0;
    if (!kns_date_is_sign(&t[1], '-') || t[0].digits != 4)
        return week || !read_run(&t[0], p) ? 0 : 1;
    int year = (int)t[0].number;
    if (kns_date_is_word(&t[2], "w") && t[3].kind == KNS_DATE_NUMBER && t[3].digits == 2) {
        bool has_day =
            kns_date_is_sign(&t[4], '-') && t[5].kind == KNS_DATE_NUMBER && t[5].digits == 1;
        return from_week(year, (int)t[3].number, has_day ? (int)t[5].number : 1, p)
                   ? (has_day ? 6 : 4)
                   : 0;
    }
    if (t[2].kind != KNS_DATE_NUMBER || t[2].spaced)
        return 0;
    if (t[2].digits == 3)
        return from_ordinal(year, (int)t[2].number, p) ? 3 : 0;
    if (t[2].digits > 2)
        return 0;
    *p = (struct kns_date_parts){
        .year = year, .month = (int)t[2].number, .day = 1, .hour = KNS_DATE_UNSET};
    if (!kns_date_is_sign(&t[3], '-') || t[4].kind != KNS_DATE_NUMBER || t[4].digits > 2)
        return 3;
    p->day = (int)t[4].number;
    return 5;
}

/* The zone of a date without time, as XML Schema's dates have it: "Z", "+06:00", but not "-06", which looks like more date. */
static int read_date_zone(const struct kns_date_token *t, int *ret_minutes)
{
    bool offset = t[0].kind == KNS_DATE_SIGN && t[1].kind == KNS_DATE_NUMBER &&
                  (t[1].digits == 4 || (t[1].digits == 2 && kns_date_is_sign(&t[2], ':')));

    return offset || kns_date_is_word(t, "z") ? kns_date_read_zone(t, ret_minutes) : 0;
}

bool kns_date_read_iso(const struct kns_date_token *t, struct kns_date_parts *p)
{
    *p = kns_date_no_parts;
    int used = read_iso_date(t, p);
    if (used == 0)
        return false;
    t += used;
    bool t_mark = kns_date_is_word(t, "t") || kns_date_is_sign(t, '_');
    if (t_mark || (kns_date_is_sign(t, ',') && t[1].kind == KNS_DATE_NUMBER))
        t++;
    used = p->hour == KNS_DATE_UNSET ? kns_date_read_clock(t, p) : 0;
    if (used == 0 && t_mark)
        used = kns_date_read_basic_clock(t, p);
    if (t_mark && used == 0)
        return false;
    t += used;
    t += p->hour != KNS_DATE_UNSET ? kns_date_read_zone(t, &p->zone_minutes)
                                   : read_date_zone(t, &p->zone_minutes);
    return t->kind == KNS_DATE_END;
}
