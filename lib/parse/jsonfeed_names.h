/* jsonfeed_names.h - words that the writer and the reader of JSON Feed share. Private to lib/parse. */
#ifndef KNS_PARSE_JSONFEED_NAMES_H
#define KNS_PARSE_JSONFEED_NAMES_H

/* Begins the id of an entry that has neither guid nor URL. */
#define KNS_JSONFEED_MADE_UP_ID "kns:"

/* English, from Sunday. */
extern const char *const kns_jsonfeed_days[7];

#endif
