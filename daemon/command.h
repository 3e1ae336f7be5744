/* command.h - a command line of the configuration as the arguments of a program; no shell. Deciding: no loop. */
#ifndef KNSD_COMMAND_H
#define KNSD_COMMAND_H

#include <stdbool.h>

#define KNS_COMMAND_MOST_WORDS 64

/* The words of text, with spaces between them; "a b" in double quotes is one word, \" and \\ in them are " and \. An array that ends
 * with NULL, the caller's to kns_command_free. NULL: an open quote, too many words, none, or no memory. */
char **kns_command_split(const char *text);
void kns_command_free(char **words); /* NULL is allowed */

/* True for a command: its first word is an absolute path. */
bool kns_command_is_good(const char *text);

#endif
