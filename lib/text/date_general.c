/* Every form of a date that is not ISO 8601: read by what each token can be (a month's name, a number before 年, a number with
 * colons, a zone). */
#include "lib/text/date_internal.h"
#include "lib/text/date_names.h"

#include <stddef.h>

/* What the general reader has seen. */
struct seen {
    struct kns_date_parts p;
    int numbers[3]; /* of the date, in order, not yet assigned */
    int digits[3];
    char separators[3]; /* behind each */
    int count;
    bool month_or_day; /* the month's name began the text and is a day's as well */
    int month_at;      /* how many numbers stood before the month's name; KNS_DATE_UNSET: no name */
    int era_start;     /* the year before the first of an era; KNS_DATE_UNSET: none */
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
    return KNS_DATE_UNSET;
}

/* The part that a number before this unit is; NULL: not a unit. */
static int *part_of_unit(struct kns_date_parts *p, const char *unit)
{
    static const struct {
        const char *names;
        size_t offset;
    } units[] = {
        {"年년", offsetof(struct kns_date_parts, year)},
        {"月월", offsetof(struct kns_date_parts, month)},
        {"日号일", offsetof(struct kns_date_parts, day)},
        {"時时点點시", offsetof(struct kns_date_parts, hour)},
        {"分분", offsetof(struct kns_date_parts, minute)},
        {"秒초", offsetof(struct kns_date_parts, second)},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (unit[0] != '\0' && strstr(units[i].names, unit) != NULL)
            return (int *)((char *)p + units[i].offset);
    return NULL;
}

/* A number with a unit behind it ("3月"); returns the tokens read, KNS_DATE_UNSET when it contradicts what was seen. */
static int read_unit(const struct kns_date_token *t, struct seen *s)
{
    if (t[0].kind != KNS_DATE_NUMBER || t[1].kind != KNS_DATE_WORD)
        return 0;
    int *part = part_of_unit(&s->p, t[1].word);
    if (part == NULL)
        return 0;
    if (t[0].digits > 4)
        return KNS_DATE_UNSET;
    *part = (int)t[0].number;
    if (part == &s->p.hour)
        s->p.minute = s->p.second = 0;
    if (part == &s->p.year && s->era_start != KNS_DATE_UNSET)
        s->p.year += s->era_start;
    else if (part == &s->p.year && t[0].digits < 4)
        return KNS_DATE_UNSET;
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
    if (s->p.year != KNS_DATE_UNSET && s->p.month != KNS_DATE_UNSET && s->p.day != KNS_DATE_UNSET)
        return s->count == 0;
    if (s->p.year != KNS_DATE_UNSET && s->p.month != KNS_DATE_UNSET &&
        s->count == 0) { /* 2024年3月 */
        s->p.day = 1;
        return true;
    }
    if (s->p.year != KNS_DATE_UNSET)
        return false;
    return s->p.month != KNS_DATE_UNSET ? assign_with_name(s) : assign_numbers(s);
}

/* "am", "p.m.", "a. m.", 午後; returns the tokens read, 0 when it is none. */
static int read_half(const struct kns_date_token *t, int *ret_half)
{
    char joined[2 * KNS_DATE_MAX_WORD];

    *ret_half = kns_date_half(t[0].word);
    if (*ret_half != 0)
        return 1;
    if (!kns_date_is_sign(&t[1], '.') || t[2].kind != KNS_DATE_WORD)
        return 0;
    strcpy(joined, t[0].word);
    strcat(joined, t[2].word);
    *ret_half = kns_date_half(joined);
    if (*ret_half == 0)
        return 0;
    return kns_date_is_sign(&t[3], '.') ? 4 : 3;
}

/* A month's name. "mar" is mars and mardi: where it begins the text and another month follows, it was the day. */
static bool read_month(const struct kns_date_token *t, bool first, struct seen *s)
{
    int month = kns_date_month(t->word);

    if (month == 0 || (s->p.month != KNS_DATE_UNSET && !s->month_or_day))
        return false;
    s->month_or_day = first && kns_date_is_filler(t->word);
    s->p.month = month;
    s->month_at = s->count;
    return true;
}

static int read_era(const struct kns_date_token *t, struct seen *s)
{
    bool first_year = false;
    int era = era_start(t->word, &first_year);

    if (era == KNS_DATE_UNSET)
        return 0;
    s->era_start = era;
    if (first_year)
        s->p.year = era + 1;
    return first_year ? 2 : 1;
}

static int read_seen_zone(const struct kns_date_token *t, struct seen *s)
{
    if (s->p.hour == KNS_DATE_UNSET || s->zoned)
        return 0;
    int used = kns_date_read_zone(t, &s->p.zone_minutes);
    s->zoned = used > 0;
    return used;
}

/* A word behind the time that nobody knows is a zone that nobody knows, which is to be taken for UTC (RFC 5322 4.3). */
static bool is_unknown_zone(const struct kns_date_token *t, const struct seen *s)
{
    size_t len = strlen(t->word);

    for (size_t i = 0; i < len; i++)
        if (t->word[i] < 'a' || t->word[i] > 'z')
            return false;
    return s->p.hour != KNS_DATE_UNSET && !s->zoned && len >= 3 && len <= 5 &&
           (t[1].kind == KNS_DATE_END || (t[1].kind == KNS_DATE_NUMBER && t[1].digits == 4));
}

/* A word by itself; returns the tokens read, KNS_DATE_UNSET when it means nothing that belongs in a date. */
static int read_word(const struct kns_date_token *t, const struct kns_date_token *first,
                     struct seen *s)
{
    int ignored, used;
    bool at_start = t == first;

    /* What stands in front of a comma is the day; in front of a dot ("Apr. 5") it may be the month. */
    if (at_start && (kns_date_is_sign(&t[1], ',') ||
                     (kns_date_is_sign(&t[1], '.') && kns_date_month(t->word) == 0)))
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
    if (kns_date_is_word(t, "t") && t[1].kind == KNS_DATE_NUMBER)
        return 1;
    if (s->zoned && kns_date_zone(t->word, &ignored))
        return 1;
    if (kns_date_is_filler(t->word))
        return 1;
    if (!is_unknown_zone(t, s))
        return KNS_DATE_UNSET;
    s->zoned = true;
    return 1;
}

/* 火曜日, 星期二, 周二, 수요일: days of the week say nothing new. Returns the tokens read. */
static int read_cjk_day(const struct kns_date_token *t)
{
    if (t[0].kind != KNS_DATE_WORD)
        return 0;
    bool before = strncmp(t[0].word, "星期", strlen("星期")) == 0 ||
                  strncmp(t[0].word, "周", strlen("周")) == 0 ||
                  strncmp(t[0].word, "週", strlen("週")) == 0;
    if (before)
        return kns_date_is_word(&t[1], "日") ? 2 : 1;
    if (strstr(t[0].word, "曜") != NULL) /* 火曜 and 日 */
        return kns_date_is_word(&t[1], "日") ? 2 : 1;
    if (part_of_unit(&(struct kns_date_parts){0}, t[0].word) != NULL &&
        t[1].kind == KNS_DATE_WORD && strstr(t[1].word, "曜") != NULL)
        return kns_date_is_word(&t[2], "日") ? 3 : 2; /* 月曜日, 日曜日 */
    if (strstr(t[0].word, "요") != NULL ||
        (t[1].kind == KNS_DATE_WORD && strstr(t[1].word, "요") != NULL)) {
        int used = strstr(t[0].word, "요") != NULL ? 1 : 2;
        return kns_date_is_word(&t[used], "일") ? used + 1 : used;
    }
    return 0;
}

static bool add_number(struct seen *s, const struct kns_date_token *t)
{
    if (s->count == 3 || t->digits > 4)
        return false;
    s->numbers[s->count] = (int)t->number;
    s->digits[s->count] = t->digits;
    s->separators[s->count++] = t[1].kind == KNS_DATE_SIGN ? t[1].sign : ' ';
    return true;
}

/* True when day, month and year have been seen, so that a number can only be of the time. */
static bool has_date(const struct seen *s)
{
    return (s->p.month != KNS_DATE_UNSET && s->month_at != KNS_DATE_UNSET && s->count == 2) ||
           s->count == 3 || (s->p.year != KNS_DATE_UNSET && s->p.day != KNS_DATE_UNSET);
}

/* A number that is an hour without a colon: "14h30", "3 pm", and behind a date "10.30" and "1500". Returns the tokens read. */
static int read_hour(const struct kns_date_token *t, struct seen *s)
{
    bool minutes = t[2].kind == KNS_DATE_NUMBER && !t[2].spaced && t[2].digits <= 2;
    int half;

    if (kns_date_is_word(&t[1], "h") && !t[1].spaced && t->digits <= 2) {
        s->p.hour = (int)t->number;
        s->p.minute = minutes ? (int)t[2].number : 0;
        s->p.second = 0;
        return minutes ? 3 : 2;
    }
    if (t[1].kind == KNS_DATE_WORD && (unsigned char)t[1].word[0] < 0x80 && t->digits <= 2 &&
        read_half(&t[1], &half) > 0) {
        s->p.hour = (int)t->number;
        s->p.minute = s->p.second = 0;
        return 1;
    }
    if (!has_date(s))
        return 0;
    return t->digits == 4 ? kns_date_read_basic_clock(t, &s->p)
                          : kns_date_read_dotted_clock(t, &s->p);
}

static int read_number(const struct kns_date_token *t, struct seen *s)
{
    int used = read_unit(t, s);

    if (used == 0 && s->p.hour == KNS_DATE_UNSET)
        used = kns_date_read_clock(t, &s->p);
    if (used == 0 && s->p.hour == KNS_DATE_UNSET)
        used = read_hour(t, s);
    if (used != 0)
        return used;
    /* "0000" that has lost its sign */
    if (s->p.hour != KNS_DATE_UNSET && !s->zoned && has_date(s) && t->digits == 4 &&
        t->number == 0) {
        s->zoned = true;
        return 1;
    }
    return add_number(s, t) ? 1 : KNS_DATE_UNSET;
}

/* The tokens that one step of the general reader takes; KNS_DATE_UNSET: this is no date. */
static int read_step(const struct kns_date_token *t, const struct kns_date_token *first,
                     struct seen *s)
{
    int used = read_cjk_day(t);

    if (used > 0)
        return used;
    if (t->kind == KNS_DATE_WORD)
        return read_word(t, first, s);
    if (t->kind == KNS_DATE_NUMBER)
        return read_number(t, s);
    used = read_seen_zone(t, s);
    if (used > 0)
        return used;
    return t != first && strchr(",.-/;|'", t->sign) != NULL ? 1 : KNS_DATE_UNSET;
}

bool kns_date_read_general(const struct kns_date_tokens *tokens, struct kns_date_parts *ret)
{
    struct seen s = {
        .p = kns_date_no_parts, .month_at = KNS_DATE_UNSET, .era_start = KNS_DATE_UNSET};
    const struct kns_date_token *first = tokens->at;

    for (const struct kns_date_token *t = first; t->kind != KNS_DATE_END;) {
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
