/* parse.h - the verb that needs no daemon. */
#ifndef KNSCTL_PARSE_H
#define KNSCTL_PARSE_H

#include "lib/parse.h"

#include <stdbool.h>

/* Parses the document at path ("-": standard input) and prints it as JSON Feed. Returns the exit status: 0, or 1 with one line on
 * standard error. */
int kns_ctl_parse_document(const char *path, const struct kns_parse_options *options,
                           bool sanitize);

#endif
