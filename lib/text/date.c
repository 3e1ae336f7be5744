/* Dates as feeds write them: a text becomes tokens; what has the shape of ISO 8601 is read as that; everything else is
 * read by what each token can be (a month's name, a number before 年, a number with colons, a zone). What stays
 * undecided, is impossible, or could mean two days is refused. */
#include "lib/date.h"

#include "lib/text.h"
#include "lib/text/date_names.h"

#include <stddef.h>
#include <string.h>
#include <utf8proc.h>

#define MAX_TEXT 200 /* bytes of a date worth reading */
#define MAX_TOKENS 48
#define MAX_WORD 32

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

/* ---- the parts of a date ------------------------------------------------------------------------- */

#define UNSET (-1)

struct parts {
    int year, month, day;
    int hour, minute, second;
    int zone_minutes;
    int half; /* 1: before noon, 2: after noon */
};

static const struct parts no_parts = {.year = UNSET, .month = UNSET, .day = UNSET, .hour = UNSET};

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* The hour of a clock with twelve: 12 a.m. is 0, 12 p.m. is 12; 下午14時 stays 14. */
static bool apply_half(struct parts *p)
{
    if (p->half == 0 || p->hour == UNSET)
        return true;
    if (p->hour > 12)
        return p->half == 2;
    p->hour = p->hour % 12 + (p->half == 2 ? 12 : 0);
    return true;
}

static bool combine(struct parts p, struct kns_time *ret_time)
{
    if (!apply_half(&p) || p.year < 1 || p.year > 9999 || p.month < 1 || p.month > 12 ||
        p.day < 1 || p.day > days_in(p.year, p.month))
        return false;
    if (p.hour == UNSET)
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

/* ---- tokens -------------------------------------------------------------------------------------- */

enum token_kind { END, NUMBER, WORD, SIGN };

struct token {
    enum token_kind kind;
    bool spaced; /* white space before it */
    int digits;
    int64_t number;
    char sign;
    char word[MAX_WORD]; /* folded */
};

#define LOOK_AHEAD 6

struct tokens {
    struct token
        at[MAX_TOKENS + LOOK_AHEAD]; /* closed by as many END: who looks ahead sees nothing */
    int count;
};

/* Characters that stand for a part of a date by themselves are words of their own. */
static bool is_unit(int32_t c)
{
    static const char units[] = "年月日号時时点點分秒년월일시분초";

    if (c < 0x80)
        return false;
    for (size_t i = 0; i < sizeof(units) - 1;) {
        int32_t unit;
        i += kns_text_next(units + i, sizeof(units) - 1 - i, &unit);
        if (unit == c)
            return true;
    }
    return false;
}

static bool is_letter(int32_t c)
{
    if (c < 0x80)
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
        return true;
    default:
        return false;
    }
}

/* Appends a character in lower case without diacritics; false when the word is too long. */
static bool add_folded(struct token *token, int32_t c)
{
    utf8proc_int32_t folded[8];
    utf8proc_ssize_t n = 1;
    int boundary = 0;

    if (c < 0x80) {
        folded[0] = c >= 'A' && c <= 'Z' ? c + 32 : c;
    } else if (c < 0x1100) {
        n = utf8proc_decompose_char(
            c, folded, 8, UTF8PROC_STRIPMARK | UTF8PROC_CASEFOLD | UTF8PROC_DECOMPOSE, &boundary);
    } else {
        folded[0] = c;
    }
    for (utf8proc_ssize_t i = 0; i < n && i < 8; i++) {
        utf8proc_uint8_t bytes[4];
        size_t len = (size_t)utf8proc_encode_char(folded[i], bytes);
        size_t used = strlen(token->word);
        if (used + len >= sizeof(token->word))
            return false;
        memcpy(token->word + used, bytes, len);
    }
    return true;
}

/* ASCII for fullwidth digits and signs, a plain space for every kind of space, '-' for dashes. */
static int32_t plain(int32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E)
        return c - 0xFF01 + 0x21;
    if (c == 0x3000 || c == 0xA0 || c == 0x202F || c == '\t' || c == '\n' || c == '\r')
        return ' ';
    if (c == 0x2010 || c == 0x2011 || c == 0x2013 || c == 0x2212)
        return '-';
    return c;
}

static bool add_digit(struct token *token, int32_t c)
{
    token->number = token->number * 10 + (c - '0');
    return ++token->digits <= 17;
}

/* Text to tokens; what stands in parentheses is a comment (RFC 5322 3.2.2), what in brackets names a zone or a calendar beside the
 * offset (RFC 9557). False: no date at all. */
static bool tokenize(const char *text, struct tokens *ret)
{
    size_t size = strlen(text);
    bool spaced = false;
    int depth = 0;
    struct token *open = NULL; /* a number or word that the next character may continue */

    ret->count = 0;
    if (size > MAX_TEXT)
        return false;
    for (size_t i = 0; i < size;) {
        int32_t c;
        i += kns_text_next(text + i, size - i, &c);
        c = plain(c);
        if (c == '\\' && depth > 0) { /* a quoted character in a comment */
            i += kns_text_next(text + i, size - i, &c);
            continue;
        }
        if (c == '(' || c == ')' || c == '[' || c == ']') {
            depth += c == '(' || c == '[' ? 1 : -1;
            if (depth < 0)
                return false;
            open = NULL;
            spaced = true;
            continue;
        }
        if (depth > 0)
            continue;
        if (c == ' ') {
            open = NULL;
            spaced = true;
            continue;
        }
        bool digit = c >= '0' && c <= '9';
        bool unit = is_unit(c);
        enum token_kind kind = digit ? NUMBER : is_letter(c) ? WORD : SIGN;
        if (open != NULL && open->kind == kind && kind != SIGN && !unit) {
            if (digit ? !add_digit(open, c) : !add_folded(open, c))
                return false;
            continue;
        }
        if (ret->count == MAX_TOKENS)
            return false;
        struct token *token = &ret->at[ret->count++];
        *token = (struct token){.kind = kind, .spaced = spaced};
        spaced = false;
        if (digit && !add_digit(token, c))
            return false;
        if (kind == WORD && !add_folded(token, c))
            return false;
        if (kind == SIGN)
            token->sign = c < 0x80 ? (char)c : '?';
        open = unit ? NULL : token;
    }
    for (int i = 0; i < LOOK_AHEAD; i++)
        ret->at[ret->count + i] = (struct token){.kind = END};
    return ret->count > 0;
}

static bool is_sign(const struct token *t, char sign)
{
    return t->kind == SIGN && t->sign == sign;
}

static bool is_word(const struct token *t, const char *word)
{
    return t->kind == WORD && strcmp(t->word, word) == 0;
}

/* ---- zones and times ----------------------------------------------------------------------------- */

/* "+0900", "+09:00", "-5", "+930"; returns the tokens read, 0 when it is no offset. */
static int read_offset(const struct token *t, int *ret_minutes)
{
    if (t[0].kind != SIGN || (t[0].sign != '+' && t[0].sign != '-') || t[1].kind != NUMBER ||
        t[1].spaced)
        return 0;
    int sign = t[0].sign == '+' ? 1 : -1;
    int hours = (int)t[1].number, minutes = 0, used = 2;
    if (t[1].digits > 4)
        return 0;
    if (t[1].digits > 2) {
        minutes = hours % 100;
        hours /= 100;
    } else if (is_sign(&t[2], ':') && t[3].kind == NUMBER && !t[3].spaced &&
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
static int read_zone(const struct token *t, int *ret_minutes)
{
    int minutes = 0, more = 0;
    int used = read_offset(t, ret_minutes);

    if (used > 0 || t[0].kind != WORD || !kns_date_zone(t[0].word, ret_minutes))
        return used;
    if (*ret_minutes == 0 && !t[1].spaced)
        more = read_offset(t + 1, &minutes);
    *ret_minutes += minutes;
    return 1 + more;
}

/* A decimal fraction of an hour or minute in units of its sixtieth: ".5" of a minute is 30 seconds. */
static int sixtieths(const struct token *fraction)
{
    int64_t scale = 1;

    for (int i = 0; i < fraction->digits; i++)
        scale *= 10;
    return (int)(fraction->number * 60 / scale);
}

static bool has_fraction(const struct token *t)
{
    return (is_sign(&t[0], '.') || is_sign(&t[0], ',')) && t[1].kind == NUMBER && !t[0].spaced &&
           !t[1].spaced;
}

/* Two numbers that may be an hour and a minute, with a sign between them. */
static bool begins_clock(const struct token *t, char separator)
{
    return t[0].kind == NUMBER && t[0].digits <= 2 && is_sign(&t[1], separator) &&
           t[2].kind == NUMBER && t[2].digits <= 2;
}

/* "10:14", "10:14:55", "10:14:55.123", "10:14:55:123", "10:14,5"; returns the tokens read. */
static int read_clock(const struct token *t, struct parts *p)
{
    if (!begins_clock(t, ':'))
        return 0;
    p->hour = (int)t[0].number;
    p->minute = (int)t[2].number;
    p->second = 0;
    if (is_sign(&t[3], ',') && has_fraction(&t[3])) {
        p->second = sixtieths(&t[4]);
        return 5;
    }
    if ((!is_sign(&t[3], ':') && !is_sign(&t[3], '.')) || t[4].kind != NUMBER || t[4].digits > 2 ||
        t[4].spaced)
        return 3;
    p->second = (int)t[4].number;
    bool milliseconds = is_sign(&t[5], ':') && t[6].kind == NUMBER && t[6].digits >= 3;
    return milliseconds || has_fraction(&t[5]) ? 7 : 5;
}

/* "10.14", "10.14.55": only behind a date that is complete, or it could be one itself. Returns the tokens read. */
static int read_dotted_clock(const struct token *t, struct parts *p)
{
    if (!begins_clock(t, '.') || t[2].digits != 2 || t[2].spaced)
        return 0;
    p->hour = (int)t[0].number;
    p->minute = (int)t[2].number;
    p->second = 0;
    if (!is_sign(&t[3], '.') || t[4].kind != NUMBER || t[4].digits != 2 || t[4].spaced)
        return 3;
    p->second = (int)t[4].number;
    return 5;
}

/* ---- ISO 8601 ------------------------------------------------------------------------------------- */

/* The date of ISO 8601 week w, day d (1 Monday) of a year. */
static bool from_week(int year, int week, int weekday, struct parts *p)
{
    if (week < 1 || week > 53 || weekday < 1 || weekday > 7)
        return false;
    int64_t fourth = kns_date_unix(year, 1, 4, 0, 0, 0) / 86400; /* always in week 1 */
    int64_t monday = fourth - (((fourth + 3) % 7) + 7) % 7;
    int64_t day = monday + (week - 1) * 7 + weekday - 1;
    int64_t of_year = day - kns_date_unix(year, 1, 1, 0, 0, 0) / 86400;
    int64_t length = is_leap(year) ? 366 : 365;
    if (week == 53 && day - (weekday - 1) + 3 >= kns_date_unix(year + 1, 1, 1, 0, 0, 0) / 86400)
        return false;
    p->year = of_year < 0 ? year - 1 : of_year >= length ? year + 1 : year;
    of_year += of_year < 0 ? (is_leap(year - 1) ? 366 : 365) : of_year >= length ? -length : 0;
    p->month = 1;
    while (of_year >= days_in(p->year, p->month))
        of_year -= days_in(p->year, p->month++);
    p->day = (int)of_year + 1;
    return true;
}

static bool from_ordinal(int year, int ordinal, struct parts *p)
{
    if (year < 1 || ordinal < 1 || ordinal > (is_leap(year) ? 366 : 365))
        return false;
    p->year = year;
    p->month = 1;
    while (ordinal > days_in(year, p->month))
        ordinal -= days_in(year, p->month++);
    p->day = ordinal;
    return true;
}

/* Basic forms: one run of digits. */
static bool read_run(const struct token *t, struct parts *p)
{
    int64_t n = t->number;

    switch (t->digits) {
    case 4:
        *p = (struct parts){.year = (int)n, .month = 1, .day = 1, .hour = UNSET};
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
static int read_iso_date(const struct token *t, struct parts *p)
{
    if (t[0].kind != NUMBER || t[0].digits < 4)
        return 0;
    bool week = t[1].kind == WORD && strcmp(t[1].word, "w") == 0 && t[0].digits == 4;
    if (week && t[2].kind == NUMBER && t[2].digits == 3) /* 2003W527 */
        return from_week((int)t[0].number, (int)t[2].number / 10, (int)t[2].number % 10, p) ? 3 : 0;
    if (!is_sign(&t[1], '-') || t[0].digits != 4)
        return week || !read_run(&t[0], p) ? 0 : 1;
    int year = (int)t[0].number;
    if (is_word(&t[2], "w") && t[3].kind == NUMBER && t[3].digits == 2) {
        bool has_day = is_sign(&t[4], '-') && t[5].kind == NUMBER && t[5].digits == 1;
        return from_week(year, (int)t[3].number, has_day ? (int)t[5].number : 1, p)
                   ? (has_day ? 6 : 4)
                   : 0;
    }
    if (t[2].kind != NUMBER || t[2].spaced)
        return 0;
    if (t[2].digits == 3)
        return from_ordinal(year, (int)t[2].number, p) ? 3 : 0;
    if (t[2].digits > 2)
        return 0;
    *p = (struct parts){.year = year, .month = (int)t[2].number, .day = 1, .hour = UNSET};
    if (!is_sign(&t[3], '-') || t[4].kind != NUMBER || t[4].digits > 2)
        return 3;
    p->day = (int)t[4].number;
    return 5;
}

/* hh, hhmm, hhmmss behind a T, and a fraction of the last; returns the tokens read. */
static int read_basic_clock(const struct token *t, struct parts *p)
{
    if (t[0].kind != NUMBER || t[0].digits > 6 || t[0].digits % 2 != 0)
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

/* The zone of a date without time, as XML Schema's dates have it: "Z", "+06:00", but not "-06", which looks like more date. */
static int read_date_zone(const struct token *t, int *ret_minutes)
{
    bool offset = t[0].kind == SIGN && t[1].kind == NUMBER &&
                  (t[1].digits == 4 || (t[1].digits == 2 && is_sign(&t[2], ':')));

    return offset || is_word(t, "z") ? read_zone(t, ret_minutes) : 0;
}

static bool read_iso(const struct token *t, struct parts *p)
{
    *p = no_parts;
    int used = read_iso_date(t, p);
    if (used == 0)
        return false;
    t += used;
    bool t_mark = is_word(t, "t") || is_sign(t, '_');
    if (t_mark || (is_sign(t, ',') && t[1].kind == NUMBER))
        t++;
    used = p->hour == UNSET ? read_clock(t, p) : 0;
    if (used == 0 && t_mark)
        used = read_basic_clock(t, p);
    if (t_mark && used == 0)
        return false;
    t += used;
    t += p->hour != UNSET ? read_zone(t, &p->zone_minutes) : read_date_zone(t, &p->zone_minutes);
    return t->kind == END;
}

/* ---- every other form ------------------------------------------------------------------------------ */

/* What the general reader has seen. */
struct seen {
    struct parts p;
    int numbers[3]; /* of the date, in order, not yet assigned */
    int digits[3];
    char separators[3]; /* behind each */
    int count;
    bool month_or_day; /* the month's name began the text and is a day's as well */
    int month_at;      /* how many numbers stood before the month's name; UNSET: no name */
    int era_start;     /* the year before the first of an era; UNSET: none */
    bool zoned;
};

/* Japan's eras, and the one that Taiwan counts by; *ret_first: the word ends in 元, "the first year". */
static int era_start(const char *word, bool *ret_first)
{
    static const struct {
        const char *name;
        int before;
    } eras[] = {{"令和", 2018}, {"平成", 1988}, {"昭和", 1925}, {"大正", 1911},
                {"明治", 1867}, {"民國", 1911}, {"民国", 1911}};

    for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++) {
        size_t len = strlen(eras[i].name);
        if (strncmp(word, eras[i].name, len) != 0)
            continue;
        *ret_first = strcmp(word + len, "元") == 0;
        if (*ret_first || word[len] == '\0')
            return eras[i].before;
    }
    return UNSET;
}

/* The part that a number before this unit is; NULL: not a unit. */
static int *part_of_unit(struct parts *p, const char *unit)
{
    static const struct {
        const char *names;
        size_t offset;
    } units[] = {
        {"年년", offsetof(struct parts, year)},   {"月월", offsetof(struct parts, month)},
        {"日号일", offsetof(struct parts, day)},  {"時时点點시", offsetof(struct parts, hour)},
        {"分분", offsetof(struct parts, minute)}, {"秒초", offsetof(struct parts, second)},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (unit[0] != '\0' && strstr(units[i].names, unit) != NULL)
            return (int *)((char *)p + units[i].offset);
    return NULL;
}

/* A number with a unit behind it ("3月"); returns the tokens read, UNSET when it contradicts what was seen. */
static int read_unit(const struct token *t, struct seen *s)
{
    if (t[0].kind != NUMBER || t[1].kind != WORD)
        return 0;
    int *part = part_of_unit(&s->p, t[1].word);
    if (part == NULL)
        return 0;
    if (t[0].digits > 4)
        return UNSET;
    *part = (int)t[0].number;
    if (part == &s->p.hour)
        s->p.minute = s->p.second = 0;
    if (part == &s->p.year && s->era_start != UNSET)
        s->p.year += s->era_start;
    else if (part == &s->p.year && t[0].digits < 4)
        return UNSET;
    return 2;
}

static int two_digit_year(int year, int digits)
{
    if (digits >= 4)
        return year;
    /* RFC 5322 4.3 */
    if (digits == 3)
        return year + 1900;
    return year < 50 ? year + 2000 : year + 1900;
}

static bool looks_like_year(const struct seen *s, int i)
{
    return s->digits[i] >= 3 || s->numbers[i] > 31;
}

/* With a month's name: the other two numbers are day and year; where both could be the day, it is the first. */
static bool assign_with_name(struct seen *s)
{
    if (s->count == 0 || s->count > 2)
        return false;
    if (s->count == 1) {
        if (!looks_like_year(s, 0))
            return false;
        s->p.year = two_digit_year(s->numbers[0], s->digits[0]);
        s->p.day = 1;
        return true;
    }
    int year = looks_like_year(s, 0) ? 0 : 1;
    if (s->digits[year] < 2)
        return false;
    s->p.year = two_digit_year(s->numbers[year], s->digits[year]);
    s->p.day = s->numbers[1 - year];
    return !looks_like_year(s, 1 - year);
}

/* Three numbers: the year in front means year, month, day; dots mean day, month, year; else the
 * day must show itself by being above 12, or the date could be two days. Neither 10.05.12 nor 1.2.3 says which is the year. */
static bool assign_numbers(struct seen *s)
{
    const int *n = s->numbers;

    if (s->count != 3)
        return false;
    if (looks_like_year(s, 0)) {
        s->p.year = two_digit_year(n[0], s->digits[0]);
        s->p.month = n[1];
        s->p.day = n[2];
        return true;
    }
    if (!looks_like_year(s, 2))
        return false;
    s->p.year = two_digit_year(n[2], s->digits[2]);
    bool day_first = s->separators[0] == '.' || n[0] > 12 || n[0] == n[1];
    if (!day_first && n[1] <= 12)
        return false;
    s->p.day = n[day_first ? 0 : 1];
    s->p.month = n[day_first ? 1 : 0];
    return true;
}

static bool assign(struct seen *s)
{
    if (s->p.year != UNSET && s->p.month != UNSET && s->p.day != UNSET)
        return s->count == 0;
    if (s->p.year != UNSET && s->p.month != UNSET && s->count == 0) { /* 2024年3月 */
        s->p.day = 1;
        return true;
    }
    if (s->p.year != UNSET)
        return false;
    return s->p.month != UNSET ? assign_with_name(s) : assign_numbers(s);
}

/* "am", "p.m.", "a. m.", 午後; returns the tokens read, 0 when it is none. */
static int read_half(const struct token *t, int *ret_half)
{
    char joined[2 * MAX_WORD];

    *ret_half = kns_date_half(t[0].word);
    if (*ret_half != 0)
        return 1;
    if (!is_sign(&t[1], '.') || t[2].kind != WORD)
        return 0;
    strcpy(joined, t[0].word);
    strcat(joined, t[2].word);
    *ret_half = kns_date_half(joined);
    if (*ret_half == 0)
        return 0;
    return is_sign(&t[3], '.') ? 4 : 3;
}

/* A month's name. "mar" is mars and mardi: where it begins the text and another month follows, it was the day. */
static bool read_month(const struct token *t, bool first, struct seen *s)
{
    int month = kns_date_month(t->word);

    if (month == 0 || (s->p.month != UNSET && !s->month_or_day))
        return false;
    s->month_or_day = first && kns_date_is_filler(t->word);
    s->p.month = month;
    s->month_at = s->count;
    return true;
}

static int read_era(const struct token *t, struct seen *s)
{
    bool first_year = false;
    int era = era_start(t->word, &first_year);

    if (era == UNSET)
        return 0;
    s->era_start = era;
    if (first_year)
        s->p.year = era + 1;
    return first_year ? 2 : 1;
}

static int read_seen_zone(const struct token *t, struct seen *s)
{
    if (s->p.hour == UNSET || s->zoned)
        return 0;
    int used = read_zone(t, &s->p.zone_minutes);
    s->zoned = used > 0;
    return used;
}

/* A word behind the time that nobody knows is a zone that nobody knows, which is to be taken for UTC (RFC 5322 4.3). */
static bool is_unknown_zone(const struct token *t, const struct seen *s)
{
    size_t len = strlen(t->word);

    for (size_t i = 0; i < len; i++)
        if (t->word[i] < 'a' || t->word[i] > 'z')
            return false;
    return s->p.hour != UNSET && !s->zoned && len >= 3 && len <= 5 &&
           (t[1].kind == END || (t[1].kind == NUMBER && t[1].digits == 4));
}

/* A word by itself; returns the tokens read, UNSET when it means nothing that belongs in a date. */
static int read_word(const struct token *t, const struct token *first, struct seen *s)
{
    int ignored, used;
    bool at_start = t == first;

    /* What stands in front of a comma is the day; in front of a dot ("Apr. 5") it may be the month. */
    if (at_start && (is_sign(&t[1], ',') || (is_sign(&t[1], '.') && kns_date_month(t->word) == 0)))
        return 2;
    used = read_half(t, &ignored);
    if (used > 0) {
        s->p.half = ignored;
        return used;
    }
    if (read_month(t, at_start, s))
        return 1;
    used = read_era(t, s);
    if (used == 0)
        used = read_seen_zone(t, s);
    if (used > 0)
        return used;
    if (is_word(t, "t") && t[1].kind == NUMBER)
        return 1;
    if (s->zoned && kns_date_zone(t->word, &ignored))
        return 1;
    if (kns_date_is_filler(t->word))
        return 1;
    if (!is_unknown_zone(t, s))
        return UNSET;
    s->zoned = true;
    return 1;
}

/* 火曜日, 星期二, 周二, 수요일: days of the week say nothing new. Returns the tokens read. */
static int read_cjk_day(const struct token *t)
{
    if (t[0].kind != WORD)
        return 0;
    bool before = strncmp(t[0].word, "星期", strlen("星期")) == 0 ||
                  strncmp(t[0].word, "周", strlen("周")) == 0 ||
                  strncmp(t[0].word, "週", strlen("週")) == 0;
    if (before)
        return is_word(&t[1], "日") ? 2 : 1;
    if (strstr(t[0].word, "曜") != NULL) /* 火曜 and 日 */
        return is_word(&t[1], "日") ? 2 : 1;
    if (part_of_unit(&(struct parts){0}, t[0].word) != NULL && t[1].kind == WORD &&
        strstr(t[1].word, "曜") != NULL)
        return is_word(&t[2], "日") ? 3 : 2; /* 月曜日, 日曜日 */
    if (strstr(t[0].word, "요") != NULL || (t[1].kind == WORD && strstr(t[1].word, "요") != NULL)) {
        int used = strstr(t[0].word, "요") != NULL ? 1 : 2;
        return is_word(&t[used], "일") ? used + 1 : used;
    }
    return 0;
}

static bool add_number(struct seen *s, const struct token *t)
{
    if (s->count == 3 || t->digits > 4)
        return false;
    s->numbers[s->count] = (int)t->number;
    s->digits[s->count] = t->digits;
    s->separators[s->count++] = t[1].kind == SIGN ? t[1].sign : ' ';
    return true;
}

/* True when day, month and year have been seen, so that a number can only be of the time. */
static bool has_date(const struct seen *s)
{
    return (s->p.month != UNSET && s->month_at != UNSET && s->count == 2) || s->count == 3 ||
           (s->p.year != UNSET && s->p.day != UNSET);
}

/* A number that is an hour without a colon: "14h30", "3 pm", and behind a date "10.30" and "1500". Returns the tokens read. */
static int read_hour(const struct token *t, struct seen *s)
{
    bool minutes = t[2].kind == NUMBER && !t[2].spaced && t[2].digits <= 2;
    int half;

    if (is_word(&t[1], "h") && !t[1].spaced && t->digits <= 2) {
        s->p.hour = (int)t->number;
        s->p.minute = minutes ? (int)t[2].number : 0;
        s->p.second = 0;
        return minutes ? 3 : 2;
    }
    if (t[1].kind == WORD && (unsigned char)t[1].word[0] < 0x80 && t->digits <= 2 &&
        read_half(&t[1], &half) > 0) {
        s->p.hour = (int)t->number;
        s->p.minute = s->p.second = 0;
        return 1;
    }
    if (!has_date(s))
        return 0;
    return t->digits == 4 ? read_basic_clock(t, &s->p) : read_dotted_clock(t, &s->p);
}

static int read_number(const struct token *t, struct seen *s)
{
    int used = read_unit(t, s);

    if (used == 0 && s->p.hour == UNSET)
        used = read_clock(t, &s->p);
    if (used == 0 && s->p.hour == UNSET)
        used = read_hour(t, s);
    if (used != 0)
        return used;
    /* "0000" that has lost its sign */
    if (s->p.hour != UNSET && !s->zoned && has_date(s) && t->digits == 4 && t->number == 0) {
        s->zoned = true;
        return 1;
    }
    return add_number(s, t) ? 1 : UNSET;
}

/* The tokens that one step of the general reader takes; UNSET: this is no date. */
static int read_step(const struct token *t, const struct token *first, struct seen *s)
{
    int used = read_cjk_day(t);

    if (used > 0)
        return used;
    if (t->kind == WORD)
        return read_word(t, first, s);
    if (t->kind == NUMBER)
        return read_number(t, s);
    used = read_seen_zone(t, s);
    if (used > 0)
        return used;
    return t != first && strchr(",.-/;|'", t->sign) != NULL ? 1 : UNSET;
}

static bool read_general(const struct tokens *tokens, struct parts *ret)
{
    struct seen s = {.p = no_parts, .month_at = UNSET, .era_start = UNSET};
    const struct token *first = tokens->at;

    for (const struct token *t = first; t->kind != END;) {
        int used = read_step(t, first, &s);
        if (used <= 0)
            return false;
        t += used;
    }
    if (!assign(&s))
        return false;
    *ret = s.p;
    return true;
}

/* ---- the two forms that nearly all dates have ----------------------------------------------------- */

/* The number of two digits; -1: these are none. */
static int two_digits(const char *text)
{
    bool digits = text[0] >= '0' && text[0] <= '9' && text[1] >= '0' && text[1] <= '9';

    return digits ? (text[0] - '0') * 10 + text[1] - '0' : -1;
}

static bool read_year(const char *text, struct parts *p)
{
    int century = two_digits(text), year = century < 0 ? -1 : two_digits(text + 2);

    p->year = century * 100 + year;
    return year >= 0;
}

/* "19:48:21"; reads no farther than the first character that does not fit, as all of these do. */
static bool read_full_clock(const char *text, struct parts *p)
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
static bool read_exact_offset(const char *text, bool colon, struct parts *p)
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
static bool read_rfc3339(const char *text, struct parts *p)
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
static bool read_rfc5322(const char *text, struct parts *p)
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

bool kns_date_parse(const char *text, struct kns_time *ret_time)
{
    struct tokens tokens;
    struct parts parts = no_parts;

    if (read_rfc5322(text, &parts))
        return combine(parts, ret_time);
    parts = no_parts;
    if (read_rfc3339(text, &parts))
        return combine(parts, ret_time);
    if (!tokenize(text, &tokens))
        return false;
    /* Seconds or milliseconds since 1970: what else has ten digits or thirteen. */
    if (tokens.count == 1 && tokens.at[0].kind == NUMBER &&
        (tokens.at[0].digits == 10 || tokens.at[0].digits == 13)) {
        ret_time->unix_s = tokens.at[0].number / (tokens.at[0].digits == 13 ? 1000 : 1);
        return true;
    }
    if (!read_iso(tokens.at, &parts) && !read_general(&tokens, &parts))
        return false;
    return combine(parts, ret_time);
}

/* RFC 9110 5.6.7 has three forms; all are among those above, but they name their day, or are asctime's. */
bool kns_date_parse_http(const char *text, struct kns_time *ret_time)
{
    struct tokens tokens;
    struct parts parts;

    if (!tokenize(text, &tokens) || tokens.at[0].kind != WORD || !read_general(&tokens, &parts) ||
        parts.hour == UNSET)
        return false;
    return combine(parts, ret_time);
}
