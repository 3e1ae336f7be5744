/* The two forms that nearly all dates have, read without tokens. */
#include "lib/text/date_internal.h"

/* The number of two digits; -1: these are none. */
static int two_digits(const char *text)
{
    bool digits = text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9';

    return digits ? (text[0] - '0') * 10 + text[1] - '0' : -1;
}

static bool read_year(const char *text, struct kns_date_parts *p)
{
    int century = two_digits(text), year = century < 0 ? -1 : two_digits(text + 2);

    p->year = century * 100 + year;
    return year >= 0;
}

/* "19:48:21"; reads no farther than the first character that does not fit, as all of these do. */
static bool read_full_clock(const char *text, struct kns_date_parts *p)
{
    p->hour = two_digits(text);
    if (p->hour < 0 || text[2] != ':')
        return false;
    p->minute = two_digits(text + 3);
    if (p->minute < 0 || text[5] != ':')
        return false;
    p->second = two_digits(text + 6);
    return p->second >= 0;
}

/* "+01:00" or "+0100", to the end. */
static bool read_exact_offset(const char *text, bool colon, struct kns_date_parts *p)
{
    int hours, minutes;

    if (*text != '+' && *text != '-')
        return false;
    hours = two_digits(text + 1);
    if (hours < 0 || hours > 14 || (colon && text[3] != ':'))
        return false;
    minutes = two_digits(text + 3 + colon);
    if (minutes < 0 || minutes > 59 || text[5 + colon] != '\0')
        return false;
    p->zone_minutes = (*text == '-' ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

/* "2004-01-01T19:48:21Z" (RFC 3339). */
bool kns_date_read_rfc3339(const char *text, struct kns_date_parts *p)
{
    if (!read_year(text, p) || text[4] != '-')
        return false;
    p->month = two_digits(text + 5);
    if (p->month < 0 || text[7] != '-')
        return false;
    p->day = two_digits(text + 8);
    if (p->day < 0 || text[10] != 'T' || !read_full_clock(text + 11, p))
        return false;
    return strcmp(text + 19, "Z") == 0 || read_exact_offset(text + 19, true, p);
}

/* Which of the names of three letters stands at text, from 1; 0: none of them. */
static int name_at(const char *names, const char *text)
{
    for (int i = 0; names[3 * i] != '\0'; i++)
        if (strncmp(names + 3 * i, text, 3) == 0)
            return i + 1;
    return 0;
}

/* "Thu, 01 Jan 2004 19:48:21 GMT" (RFC 5322). */
bool kns_date_read_rfc5322(const char *text, struct kns_date_parts *p)
{
    if (name_at("SunMonTueWedThuFriSat", text) == 0 || strncmp(text + 3, ", ", 2) != 0)
        return false;
    p->day = two_digits(text + 5);
    if (p->day < 0 || text[7] != ' ')
        return false;
    p->month = name_at("JanFebMarAprMayJunJulAugSepOctNovDec", text + 8);
    if (p->month == 0 || text[11] != ' ' || !read_year(text + 12, p) || text[16] != ' ' ||
        !read_full_clock(text + 17, p) || text[25] != ' ')
        return false;
    return strcmp(text + 26, "GMT") == 0 || read_exact_offset(text + 26, false, p);
}
