/* judging.h - what the judges of titles, headings and wrapping share. Private to titles.c and the files that it asks.
 *
 * The order is that of titles_judge: every block for itself (wrapping.c, candidates.c with sites.c), then the masthead, then headings
 * (headings.c), then what becomes of the candidates of each zone (zones.c).
 */
#ifndef KNS_NEWSLETTER_JUDGING_H
#define KNS_NEWSLETTER_JUDGING_H

#include "lib/newsletter/titles.h"

struct judging {
    const struct blocks *blocks;
    const struct kns_newsletter_source *source;
    struct kns_arena *arena;
    struct part_of *parts;
    bool all_large, all_bold; /* most of the text is: then it says nothing */
    bool failed;
};

/* ---- judging.c: what stands in a block ------------------------------------------------------------------------- */

const struct token *token_at(const struct judging *j, size_t i);
bool opens_link(const struct token *token);

/* The token that closes what opens at i, at most end. */
size_t judging_close(const struct judging *j, size_t i, size_t end);

/* Plain text; "" and a failed judging when there is no memory. */
const char *judging_text(struct judging *j, struct place from, size_t to);
const char *judging_block_text(struct judging *j, const struct block *block);

/* The next visible character from a place on, up to end; 0: none. Moves the place to it. */
int32_t judging_peek(const struct judging *j, struct place *at, size_t end);
void judging_step(const struct judging *j, struct place *at);

bool judging_has_link(const struct judging *j, const struct block *block);
bool judging_has_image(const struct judging *j, const struct block *block);
bool judging_all_bold(const struct judging *j, size_t from, size_t to);

/* The next block that is no gap and no picture; blocks->count: none. */
size_t judging_next_text(const struct judging *j, size_t i);

bool judging_same_article(struct judging *j, const char *a, const char *b);

/* True for an address of the newsletter itself. */
bool judging_is_self(struct judging *j, const char *url);

/* ---- signs.c: what characters tell ----------------------------------------------------------------------------- */

/* A sign between a title and what is said about it. */
bool sign_separates(int32_t c);
bool sign_is_space(int32_t c);

/* True when a sentence goes on with this character: the link before it was a word of it. */
bool sign_goes_on(int32_t c);

/* The bracket that closes what c opens; 0: c opens nothing. */
int32_t sign_closing_bracket(int32_t c);

/* The bytes of a sign that plain letters set before headings, with the space behind it; 0: there is none. */
size_t sign_before_heading(const char *text);
bool sign_ends_sentence(const char *text);

/* True when what follows begins something new: a sentence ended, or a colon announces it. */
bool sign_ends_statement(const char *text);

/* A line of dashes or the like, drawn by hand. */
bool sign_is_rule(const char *text);

/* ---- the judges ------------------------------------------------------------------------------------------------ */

/* candidates.c: the link that the block begins with, as a title; ret is left alone when there is none. */
void judge_title(struct judging *j, size_t index, struct title *ret);

/* sites.c: takes the site's name behind the title, and moves title->after behind it. */
void judge_site(struct judging *j, struct title *title, size_t index);

/* wrapping.c: a block of links to lists, share pages and the like; a line of links that all lead back. */
bool wrapping_is_chrome(struct judging *j, const struct block *block);
bool wrapping_leads_back(struct judging *j, const struct block *block);

/* wrapping.c: what stands in a <footer>, an <address> or a box called so, behind everything else. */
void judge_footer(struct judging *j);

/* wrapping.c: the issue's own title and the lines about the issue. ret_masthead is left alone when there is none. */
void judge_masthead(struct judging *j, const char **ret_masthead);

/* headings.c: which blocks are headings, and which of them are titles because of the link below. */
void judge_headings(struct judging *j);

/* zones.c: the block from which on items may stand: the first rule, when what is behind it is dressed as items are; else 0. */
size_t items_begin(const struct judging *j);

/* zones.c: which candidates become titles. False: no memory. */
bool accept_titles(struct judging *j);

/* A link alone and a link with a dash and text are one kind of title: the second has something said about it. */
enum strength title_kind(const struct title *title);

#endif
