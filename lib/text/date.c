/* Dates as feeds write them: the two forms that nearly all have are read at sight; any other text becomes tokens, and what has
 * the shape of ISO 8601 is read as that, everything else by what each token can be. What stays undecided, is impossible, or
 * could mean two days is refused. */
#include "lib/date.h"

#include "lib/text/date_internal.h"

int64_t kns_date_unix(int year, int month, int day, int hour, int minute, int second)
{
    /* Days from civil: years begin in March, so that the leap day is the last one. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

    return days * 86400 + hour * 3600 + minute * 60 + second;
}

bool kns_date_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int kns_date_days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && kns_date_is_leap(year) ? 29 : days[month - 1];
}

/* The hour of a clock with twelve: 12 a.m. is 0, 12 p.m. is 12; 下午14時 stays 14. */
static bool apply_half(struct kns_date_parts *p)
{
    if (p->half == 0 || p->hour == KNS_DATE_UNSET)
        return true;
    if (p->hour > 12)
        return p->half == 2;
    p->hour = p->hour % 12 + (p->half == 2 ? 12 : 0);
    return true;
}

static bool combine(struct kns_date_parts p, struct kns_time *ret_time)
{
    if (!apply_half(&p) || p.year < 1 || p.year > 9999 || p.month < 1 || p.month > 12 ||
        p.day < 1 || p.day > kns_date_days_in(p.year, p.month))
        return false;
    if (p.hour == KNS_DATE_UNSET)
        p.hour = p.minute = p.second = 0;
    bool end_of_day = p.hour == 24 && p.minute == 0 && p.second == 0;
    if ((p.hour > 23 && !end_of_day) || p.minute > 59 || p.second > 60)
        return false;
    int64_t unix_s = kns_date_unix(p.year, p.month, p.day, p.hour, p.minute, p.second) -
                     (int64_t)p.zone_minutes * 60;
    if (p.second == 60 && unix_s % 86400 != 0) /* a leap second ends a day of UTC */
        return false;
    ret_time->unix_s = unix_s;
    return true;
}

bool kns_date_parse(const char *text, struct kns_time *ret_time)
{
    struct kns_date_tokens tokens;
    struct kns_date_parts parts = kns_date_no_parts;

    if (kns_date_read_rfc5322(text, &parts))
        return combine(parts, ret_time);
    parts = kns_date_no_parts;
    if (kns_date_read_rfc3339(text, &parts))
        return combine(parts, ret_time);
    if (!kns_date_tokenize(text, &tokens))
        return false;
    /* Seconds or milliseconds since 1970: what else has ten digits or thirteen. */
    if (tokens.count == 1 && tokens.at[0].kind == KNS_DATE_NUMBER &&
        (tokens.at[0].digits == 10 || tokens.at[0].digits == 13)) {
        ret_time->unix_s = tokens.at[0].number / (tokens.at[0].digits == 13 ? 1000 : 1);
        return true;
    }
    if (!kns_date_read_iso(tokens.at, &parts) && !kns_date_read_general(&tokens, &parts))
        return false;
    return combine(parts, ret_time);
}

/* RFC 9110 5.6.7 has three forms; all are among those above, but they name their day, or are asctime's. */
bool kns_date_parse_http(const char *text, struct kns_time *ret_time)
{
    struct kns_date_tokens tokens;
    struct kns_date_parts parts;

    if (!kns_date_tokenize(text, &tokens) || tokens.at[0].kind != KNS_DATE_WORD ||
        !kns_date_read_general(&tokens, &parts) || parts.hour == KNS_DATE_UNSET)
        return false;
    return combine(parts, ret_time);
}
