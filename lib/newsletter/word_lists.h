/* word_lists.h - the words that newsletters write around their content: the data behind words.c. Each list ends with NULL. */
#ifndef KNS_NEWSLETTER_WORD_LISTS_H
#define KNS_NEWSLETTER_WORD_LISTS_H

#include "lib/newsletter/words.h"

extern const char *const word_list_chrome_texts[];
extern const char *const word_list_chrome_addresses[];
extern const char *const word_list_read_more_texts[];
extern const char *const word_list_discussions[];
extern const char *const word_list_farewells[];
extern const char *const word_list_small_prints[];
extern const char *const word_list_credits[];
extern const char *const word_list_months[];

struct word_list_role {
    const char *word;
    enum words_role role;
};
extern const struct word_list_role word_list_roles[];

#endif
