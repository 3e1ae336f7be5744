/* tags.h - HTML's tags as its tokenizer finds them, without a tree: for passes over text that every entry takes. Private to lib/html. */
#ifndef KNS_HTML_TAGS_H
#define KNS_HTML_TAGS_H

#include <stdbool.h>
#include <stddef.h>

/* An attribute, neither copied nor decoded. */
struct tag_attribute {
    const char *name, *value; /* value NULL: none */
    size_t name_len, value_len;
};

/* The bytes of the name at text (letters, digits, ':' and '-'); 0 when no letter begins it. */
size_t tag_name_length(const char *text);

/* Reads the next attribute. *at stands behind the name or the attribute before; at the end of the tag it is left at its '>', or at the end
 * of the text when that is missing, and false is returned. */
bool tag_next_attribute(const char **at, struct tag_attribute *ret);

/* True when the name is among words, which are in lower case with a space before and behind each. */
bool tag_is_among(const char *words, const char *name, size_t len);

/* True when text (NULL: none) holds one of the marks, in any case; they are in lower case, closed by NULL. */
bool tag_holds_mark(const char *text, const char *const *marks);

#endif
