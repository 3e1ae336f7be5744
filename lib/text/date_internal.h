/* date_internal.h - the parts and tokens of a date, and who reads which form. Private to lib/text; everything here is pure and
 * may be called from any thread. */
#ifndef KNS_DATE_INTERNAL_H
#define KNS_DATE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define KNS_DATE_UNSET (-1)

struct kns_date_parts {
    int year, month, day;
    int hour, minute, second;
    int zone_minutes;
    int half; /* 1: before noon, 2: after noon */
};

static const struct kns_date_parts kns_date_no_parts = {
    .year = KNS_DATE_UNSET, .month = KNS_DATE_UNSET, .day = KNS_DATE_UNSET, .hour = KNS_DATE_UNSET};

bool kns_date_is_leap(int year);

/* The days of a month, 1-12, of a year. */
int kns_date_days_in(int year, int month);

/* ---- tokens -------------------------------------------------------------------------------------- */

#define KNS_DATE_MAX_TOKENS 48
#define KNS_DATE_MAX_WORD 32
#define KNS_DATE_LOOK_AHEAD 6

enum kns_date_token_kind { KNS_DATE_END, KNS_DATE_NUMBER, KNS_DATE_WORD, KNS_DATE_SIGN };

struct kns_date_token {
    enum kns_date_token_kind kind;
    bool spaced; /* white space before it */
    int digits;
    int64_t number;
    char sign;
    char word[KNS_DATE_MAX_WORD]; /* folded */
};

struct kns_date_tokens {
    /* Closed by as many END: who looks ahead sees nothing. */
    struct kns_date_token at[KNS_DATE_MAX_TOKENS + KNS_DATE_LOOK_AHEAD];
    int count;
};

static inline bool kns_date_is_sign(const struct kns_date_token *t, char sign)
{
    return t->kind == KNS_DATE_SIGN && t->sign == sign;
}

static inline bool kns_date_is_word(const struct kns_date_token *t, const char *word)
{
    return t->kind == KNS_DATE_WORD && strcmp(t->word, word) == 0;
}

/* False: the text can be no date at all (empty, too long, brackets that do not match). */
bool kns_date_tokenize(const char *text, struct kns_date_tokens *ret);

/* ---- times and zones: each returns the tokens read, 0 when what it looks for is not there -------------- */

int kns_date_read_zone(const struct kns_date_token *t, int *ret_minutes);
int kns_date_read_clock(const struct kns_date_token *t, struct kns_date_parts *p);
int kns_date_read_dotted_clock(const struct kns_date_token *t, struct kns_date_parts *p);
int kns_date_read_basic_clock(const struct kns_date_token *t, struct kns_date_parts *p);

/* ---- whole dates: false when the text is none of that form, and then *p holds nothing of use ------------- */

bool kns_date_read_rfc3339(const char *text, struct kns_date_parts *p);
bool kns_date_read_rfc5322(const char *text, struct kns_date_parts *p);
bool kns_date_read_iso(const struct kns_date_token *t, struct kns_date_parts *p);
bool kns_date_read_general(const struct kns_date_tokens *tokens, struct kns_date_parts *p);

#endif
