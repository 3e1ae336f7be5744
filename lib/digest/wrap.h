/* wrap.h - plain text broken into lines, Japanese included (JIS X 4051's kinsoku, its plain core). */
#ifndef KNS_DIGEST_WRAP_H
#define KNS_DIGEST_WRAP_H

#include "lib/buf.h"

#define DIGEST_TEXT_COLUMNS 72

/* Appends text in lines of at most DIGEST_TEXT_COLUMNS columns, each beginning with indent (spaces or "> ") and ending with a
 * line break; line breaks in text stay. A word or URL longer than a line keeps a line to itself, whole. */
void digest_wrap(struct kns_buf *out, const char *text, const char *indent);

/* The same, with another indent before the first line ("1. "). */
void digest_wrap_first(struct kns_buf *out, const char *text, const char *first,
                       const char *indent);

#endif
