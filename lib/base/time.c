#include "lib/time.h"

#include "lib/date.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 9999-12-31T23:59:59Z: what four digits of a year can say. */
#define LAST_UNIX_S INT64_C(253402300799)
#define FIRST_UNIX_S (-INT64_C(62167219200))

static bool can_be_written(struct kns_time t)
{
    return kns_time_given(t) && t.unix_s <= LAST_UNIX_S && t.unix_s >= FIRST_UNIX_S;
}

const char *kns_time_format(struct kns_time t, char text[static KNS_TIME_TEXT])
{
    struct tm tm;
    time_t seconds = (time_t)t.unix_s;

    text[0] = '\0';
    if (!can_be_written(t) || gmtime_r(&seconds, &tm) == NULL)
        return text;
    snprintf(text, KNS_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ",
             (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)(tm.tm_mon + 1) % 100u,
             (unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u,
             (unsigned)tm.tm_sec % 100u);
    return text;
}

const char *kns_time_format_http(struct kns_time t, char text[static KNS_TIME_HTTP])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    time_t seconds = (time_t)t.unix_s;

    text[0] = '\0';
    if (!can_be_written(t) || gmtime_r(&seconds, &tm) == NULL)
        return text;
    snprintf(text, KNS_TIME_HTTP, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday,
             (unsigned)tm.tm_mday % 100u, months + 3 * tm.tm_mon,
             (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
             (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
    return text;
}

struct kns_time kns_time_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (struct kns_time){.unix_s = now.tv_sec};
}

static int64_t unit_seconds(const char *unit)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {
        {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].seconds;
    return 0;
}

bool kns_time_parse_span(const char *text, int64_t *ret_seconds)
{
    /* Nine digits of weeks are 19 million years: enough, and no product overflows. */
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9)
        return false;
    int64_t unit = unit_seconds(text + digits);
    int64_t count = strtoll(text, NULL, 10);
    if (unit == 0 || count == 0)
        return false;
    *ret_seconds = count * unit;
    return true;
}

bool kns_time_parse_point(const char *text, struct kns_time now, struct kns_time *ret_time)
{
    int64_t span;
    size_t len = strlen(text);

    if (len > 0 && isalpha((unsigned char)text[len - 1]) && kns_time_parse_span(text, &span)) {
        ret_time->unix_s = now.unix_s - span;
        return true;
    }
    /* A bare number is neither a span nor a date here: "7" is more likely a slip than seconds. */
    if (strchr(text, '-') == NULL)
        return false;
    return kns_date_parse(text, ret_time);
}
