/* date_names.h - the words in dates: months, days, zones, halves of the day. Private to lib/text.
 * Words are compared in lower case and without diacritics (see date.c). */
#ifndef KNS_DATE_NAMES_H
#define KNS_DATE_NAMES_H

#include <stdbool.h>

/* 1-12, or 0. */
int kns_date_month(const char *word);

/* A day's name, or a word that says nothing ("at", "de", "uhr"). */
bool kns_date_is_filler(const char *word);

/* Minutes east of UTC. Zones that mean several things are read as RFC 5322 does (CST: North America), or as most who
 * write them do (IST: India, BST: Britain). Military letters are UTC (RFC 5322 4.3). */
bool kns_date_zone(const char *word, int *ret_minutes);

/* 1: before noon, 2: after, 0: neither. */
int kns_date_half(const char *word);

#endif
