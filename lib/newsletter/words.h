/* words.h - the tables of what newsletters write around their content. Private to lib/newsletter. */
#ifndef KNS_NEWSLETTER_WORDS_H
#define KNS_NEWSLETTER_WORDS_H

#include "lib/arena.h"

#include <stdbool.h>

/* True for a link that is no content by its text alone ("Unsubscribe", "View in browser", "シェア") or its address (share
 * pages, list managers). text may be NULL. */
bool words_is_chrome(struct kns_arena *arena, const char *text, const char *url);

/* True when the address leads back to the newsletter: its front page, its archive, the issue itself. Both may be NULL. */
bool words_is_self(struct kns_arena *arena, const char *url, const char *issue_url,
                   const char *home);

/* True for "Read more", "続きを読む" and the like. */
bool words_is_read_more(struct kns_arena *arena, const char *text);

/* True for the words of a link to where an article is discussed ("comments", "コメント"). */
bool words_is_discussion(struct kns_arena *arena, const char *text);

/* True for a line that closes a letter ("See you next week", "また来週"). */
bool words_is_farewell(const char *text);

/* True when suffix is the end of text, which may be empty. */
bool words_end_with(const char *text, const char *suffix);

/* True for "by Jane Doe", "文：山田": who wrote the article. */
bool words_is_byline(const char *text);

/* True for a line about the issue rather than in it ("Issue #12 · 20 November 2026"). */
bool words_is_dateline(const char *text);

/* True for a short line about who sends it ("Powered by …", "Sent with …"). */
bool words_is_credit(const char *text);

/* True for a class or id that names a footer. NULL: false. */
bool words_is_footer(const char *names);

/* True for a line of small print ("© 2026 …", "You received this because …"). */
bool words_is_small_print(const char *text);

/* True for "example.com" and "www.example.co.jp". */
bool words_is_host(const char *text);

/* True when the whole text is one http(s) address. */
bool words_is_address(const char *text);

/* True for what can be the name of a site or a person: short, and no sentence. */
bool words_is_name(const char *text);

/* True for an address without its scheme, perhaps cut short: "example.com/a/b", "example.com/…". */
bool words_is_bare_address(const char *text);

/* What a class or id of an element says about its content. */
enum words_role { ROLE_UNKNOWN, ROLE_DESCRIPTION, ROLE_NOTE, ROLE_SITE, ROLE_META };
enum words_role words_role_of(const char *class_names);

#endif
