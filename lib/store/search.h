/* search.h - the words of a search: what a character is, and a query taken apart. Private to lib/store. */
#ifndef KNS_STORE_SEARCH_H
#define KNS_STORE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a character is to the index: no part of a word, part of a word, or one of a run that is indexed by pairs (Han, kana,
 * hangul). */
enum class { OTHER, LETTER, PAIRED };
enum class kns_search_class(int32_t c);

/* Nothing a user types is an error: what is no operator is a word.
 *   word "a phrase" -word title:word author:word wor* one OR two */
struct term {
    const char *text;
    size_t len;
    const char *column; /* "title", "author"; NULL: anywhere */
    bool negative, prefix, quoted;
};

/* Takes a term from at, which is no space, and returns what follows it (the same place where there was none). */
const char *kns_search_read_term(const char *at, struct term *term);

/* OR in capitals, standing alone, is an operator; "or" is a word. */
bool kns_search_is_or(const struct term *term);

#endif
