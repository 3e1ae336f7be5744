/* text.h - Unicode text: validity, width, folding. utf8proc carries the tables. Any thread. */
#ifndef KNS_TEXT_H
#define KNS_TEXT_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True when the bytes are well-formed UTF-8 (no surrogates, nothing above U+10FFFF). */
bool kns_text_is_utf8(const char *bytes, size_t size);

/* How many bytes from the beginning are well-formed UTF-8, in whole characters. */
size_t kns_text_utf8_prefix(const char *bytes, size_t size);

/* How many bytes from the beginning are ASCII. */
size_t kns_text_ascii_prefix(const char *bytes, size_t size);

/* A copy with every ill-formed sequence replaced by U+FFFD and every NUL and control character but tab and newline removed;
 * NULL: no memory. */
const char *kns_text_to_utf8(struct kns_arena *arena, const char *bytes, size_t size);

/* The number of bytes of the character at text, 1 at least for text not at its end; writes its code point (U+FFFD
 * for an ill-formed one). */
size_t kns_text_next(const char *text, size_t size, int32_t *ret_codepoint);

/* Columns on a terminal: wide and fullwidth (and emoji) 2, combining and control 0. */
int kns_text_columns(const char *text);

/* A copy that fits columns, with "…" at its end when something was cut; control characters become spaces. */
const char *kns_text_fit(struct kns_arena *arena, const char *text, int columns);

/* White space runs (Unicode) to one space, ends trimmed. */
const char *kns_text_squeeze(struct kns_arena *arena, const char *text);

/* NFKC, case folded, without diacritics of Latin, Greek and Cyrillic: what compares equal in search. */
const char *kns_text_fold(struct kns_arena *arena, const char *text);

#endif
