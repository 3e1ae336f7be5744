/* out.h - what goes to a person's terminal, or to a pipe: width, colour, tables, harmless text. */
#ifndef KNSCTL_OUT_H
#define KNSCTL_OUT_H

#include "lib/arena.h"
#include "lib/time.h"

#include <stdbool.h>
#include <stddef.h>

enum kns_style { KNS_PLAIN, KNS_BOLD, KNS_DIM, KNS_RED, KNS_GREEN, KNS_YELLOW };

struct kns_out {
    bool terminal; /* standard output is one: fitted tables; else stable, tab-separated lines */
    bool color;
    int columns;
};

/* color: "auto", "always" or "never". Honours NO_COLOR and COLUMNS. */
void kns_out_init(struct kns_out *out, const char *color);

/* Text that can do nothing to a terminal: controls (C0, C1), bidirectional overrides and line breaks become spaces. NULL gives "". */
const char *kns_out_safe(struct kns_arena *arena, const char *text);

/* On a terminal, says in a line on standard error that there is nothing to show: silence might be a mistake. */
void kns_out_nothing(const struct kns_out *out, const char *text);

/* Prints text in a style where there is colour. */
void kns_out_styled(const struct kns_out *out, enum kns_style style, const char *text);

/* A cell of a table. */
struct kns_cell {
    const char *text; /* NULL: empty */
    enum kns_style style;
};

/* A column: its heading, and how it shares the width. */
struct kns_column {
    const char *heading;
    int least, most; /* columns; most 0: whatever is left */
    bool right;
    int drop; /* where even the least of all is too much, the highest is left out first; 0: never */
};

/* Rows, collected so that columns fit what is in them. */
struct kns_table {
    struct kns_arena *arena;
    const struct kns_column *columns;
    size_t n_columns;
    struct kns_row *first, *last;
};

void kns_table_init(struct kns_table *table, struct kns_arena *arena,
                    const struct kns_column *columns, size_t n);

/* Adds a row of n_columns cells; the texts must live as long as the table. False: no memory. */
bool kns_table_add(struct kns_table *table, const struct kns_cell *cells);

/* On a terminal, a paragraph below the row added last. */
void kns_table_note(struct kns_table *table, const char *text, enum kns_style style);

/* On a terminal a fitted table with headings, else tab-separated lines without. */
void kns_table_print(const struct kns_table *table, const struct kns_out *out);

/* "3h", "2d", "just now"; for the future "in 3h". */
const char *kns_out_age(struct kns_arena *arena, struct kns_time at, struct kns_time now);

/* Prints text wrapped to the terminal's width, wide characters counted as two; indent spaces in front. */
void kns_out_wrapped(const struct kns_out *out, const char *text, int indent);

#endif
