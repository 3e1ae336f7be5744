/* Times of the day and zones: what ISO 8601 and every other form share. */
#include "lib/text/date_internal.h"
#include "lib/text/date_names.h"

/* "+0900", "+09:00", "-5", "+930"; returns the tokens read, 0 when it is no offset. */
static int read_offset(const struct kns_date_token *t, int *ret_minutes)
{
    if (t[0].kind != KNS_DATE_SIGN || (t[0].sign != '+' && t[0].sign != '-') ||
        t[1].kind != KNS_DATE_NUMBER || t[1].spaced)
        return 0;
    int sign = t[0].sign == '+' ? 1 : -1;
    int hours = (int)t[1].number, minutes = 0, used = 2;
    if (t[1].digits > 4)
        return 0;
    if (t[1].digits > 2) {
        minutes = hours % 100;
        hours /= 100;
    } else if (kns_date_is_sign(&t[2], ':') && t[3].kind == KNS_DATE_NUMBER && !t[3].spaced &&
               (t[3].digits == 2 || (t[3].digits == 1 && t[3].number == 0))) { /* "+00:0" */
        minutes = (int)t[3].number;
        used = 4;
    }
    if (hours > 23 || minutes > 59)
        return 0;
    *ret_minutes = sign * (hours * 60 + minutes);
    return used;
}

/* A zone's name, with an offset added ("GMT+09:00") or not; returns the tokens read. */
int kns_date_read_zone(const struct kns_date_token *t, int *ret_minutes)
{
    int minutes = 0, more = 0;
    int used = read_offset(t, ret_minutes);

    if (used > 0 || t[0].kind != KNS_DATE_WORD || !kns_date_zone(t[0].word, ret_minutes))
        return used;
    if (*ret_minutes == 0 && !t[1].spaced)
        more = read_offset(t + 1, &minutes);
    *ret_minutes += minutes;
    return 1 + more;
}

/* A decimal fraction of an hour or minute in units of its sixtieth: ".5" of a minute is 30 seconds. */
static int sixtieths(const struct kns_date_token *fraction)
{
    int64_t scale = 1;

    for (int i = 0; i < fraction->digits; i++)
        scale *= 10;
    return (int)(fraction->number * 60 / scale);
}

static bool has_fraction(const struct kns_date_token *t)
{
    return (kns_date_is_sign(&t[0], '.') || kns_date_is_sign(&t[0], ',')) &&
           t[1].kind == KNS_DATE_NUMBER && !t[0].spaced && !t[1].spaced;
}

/* Two numbers that may be an hour and a minute, with a sign between them. */
static bool begins_clock(const struct kns_date_token *t, char separator)
{
    return t[0].kind == KNS_DATE_NUMBER && t[0].digits <= 2 && kns_date_is_sign(&t[1], separator) &&
           t[2].kind == KNS_DATE_NUMBER && t[2].digits <= 2;
}

/* "10:14", "10:14:55", "10:14:55.123", "10:14:55:123", "10:14,5"; returns the tokens read. */
int kns_date_read_clock(const struct kns_date_token *t, struct kns_date_parts *p)
{
    if (!begins_clock(t, ':'))
        return 0;
    p->hour = (int)t[0].number;
    p->minute = (int)t[2].number;
    p->second = 0;
    if (kns_date_is_sign(&t[3], ',') && has_fraction(&t[3])) {
        p->second = sixtieths(&t[4]);
        return 5;
    }
    if ((!kns_date_is_sign(&t[3], ':') && !kns_date_is_sign(&t[3], '.')) ||
        t[4].kind != KNS_DATE_NUMBER || t[4].digits > 2 || t[4].spaced)
        return 3;
    p->second = (int)t[4].number;
    bool milliseconds =
        kns_date_is_sign(&t[5], ':') && t[6].kind == KNS_DATE_NUMBER && t[6].digits >= 3;
    return milliseconds || has_fraction(&t[5]) ? 7 : 5;
}

/* "10.14", "10.14.55": only behind a date that is complete, or it could be one itself. Returns the tokens read. */
int kns_date_read_dotted_clock(const struct kns_date_token *t, struct kns_date_parts *p)
{
    if (!begins_clock(t, '.') || t[2].digits != 2 || t[2].spaced)
        return 0;
    p->hour = (int)t[0].number;
    p->minute = (int)t[2].number;
    p->second = 0;
    if (!kns_date_is_sign(&t[3], '.') || t[4].kind != KNS_DATE_NUMBER || t[4].digits != 2 ||
        t[4].spaced)
        return 3;
    p->second = (int)t[4].number;
    return 5;
}

/* hh, hhmm, hhmmss behind a T, and a fraction of the last; returns the tokens read. */
int kns_date_read_basic_clock(const struct kns_date_token *t, struct kns_date_parts *p)
{
    if (t[0].kind != KNS_DATE_NUMBER || t[0].digits > 6 || t[0].digits % 2 != 0)
        return 0;
    int64_t n = t[0].number;
    p->second = t[0].digits == 6 ? (int)(n % 100) : 0;
    n = t[0].digits == 6 ? n / 100 : n;
    p->minute = t[0].digits >= 4 ? (int)(n % 100) : 0;
    p->hour = (int)(t[0].digits >= 4 ? n / 100 : n);
    if (!has_fraction(&t[1]))
        return 1;
    if (t[0].digits == 2)
        p->minute = sixtieths(&t[2]);
    if (t[0].digits == 4)
        p->second = sixtieths(&t[2]);
    return 3;
}
