/* date.h - dates as feeds write them. */
#ifndef KNS_DATE_H
#define KNS_DATE_H

#include "lib/time.h"

#include <stdbool.h>

/* Reads RFC 822/2822/5322 with sloppy zones, names and years, RFC 3339 and ISO 8601 (weeks, ordinals, basic forms,
 * reduced precision), asctime, and the forms found in feeds with Japanese, Chinese, Korean and
 * European day and month names. A date without zone is UTC, as is one with a zone that nobody knows
 * (RFC 5322 4.3); names that several zones share are read as that RFC does (CST: North America), or as
 * most who write them do (IST: India, BST: Britain). Two-digit years are read by RFC 5322 4.3, where it is
 * clear which number is the year. Impossible dates (30 February, hour 25)
 * and anything ambiguous are refused, never guessed: false, and ret_time untouched. text is UTF-8,
 * NUL-terminated, white space around it allowed. Any thread; independent of the locale. */
bool kns_date_parse(const char *text, struct kns_time *ret_time);

/* An HTTP date (RFC 9110 5.6.7: IMF-fixdate, RFC 850, asctime). */
bool kns_date_parse_http(const char *text, struct kns_time *ret_time);

/* Seconds since 1970 of a UTC calendar date in the proleptic Gregorian calendar. Arguments in their
 * usual ranges (month 1-12). */
int64_t kns_date_unix(int year, int month, int day, int hour, int minute, int second);

#endif
