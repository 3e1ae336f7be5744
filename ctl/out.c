#include "ctl/out.h"

#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_COLUMNS 12

struct kns_row {
    struct kns_row *next;
    struct kns_cell cells[MAX_COLUMNS];
    struct kns_cell note;
};

#define NOTE_INDENT 4

void kns_out_init(struct kns_out *out, const char *color)
{
    const char *columns = getenv("COLUMNS"), *none = getenv("NO_COLOR"), *term = getenv("TERM");
    struct winsize size = {0};

    out->terminal = isatty(STDOUT_FILENO) != 0;
    bool dumb = term == NULL || strcmp(term, "dumb") == 0;
    out->color = strcmp(color, "always") == 0 || (strcmp(color, "auto") == 0 && out->terminal &&
                                                  !dumb && (none == NULL || *none == '\0'));
    out->columns = columns == NULL ? 0 : atoi(columns);
    if (out->columns <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        out->columns = size.ws_col;
    if (out->columns <= 0)
        out->columns = 80;
}

static bool is_harmful(int32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0x2028 || c == 0x2029;
}

const char *kns_out_safe(struct kns_arena *arena, const char *text)
{
    size_t size = text == NULL ? 0 : strlen(text), out = 0;
    char *copy = kns_arena_alloc(arena, size + 1);

    if (copy == NULL)
        return "";
    for (size_t i = 0; i < size;) {
        int32_t c;
        size_t len = kns_text_next(text + i, size - i, &c);
        if (is_harmful(c)) {
            copy[out++] = ' ';
        } else {
            memcpy(copy + out, text + i, len);
            out += len;
        }
        i += len;
    }
    copy[out] = '\0';
    return copy;
}

static void begin_style(const struct kns_out *out, enum kns_style style)
{
    static const char *const codes[] = {"",         "\033[1m",  "\033[2m",
                                        "\033[31m", "\033[32m", "\033[33m"};

    if (out->color)
        fputs(codes[style], stdout);
}

static void end_style(const struct kns_out *out, enum kns_style style)
{
    if (out->color && style != KNS_PLAIN)
        fputs("\033[0m", stdout);
}

void kns_out_styled(const struct kns_out *out, enum kns_style style, const char *text)
{
    begin_style(out, style);
    fputs(text, stdout);
    end_style(out, style);
}

void kns_out_nothing(const struct kns_out *out, const char *text)
{
    if (out->terminal)
        fprintf(stderr, "%s\n", text);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

void kns_table_init(struct kns_table *table, struct kns_arena *arena,
                    const struct kns_column *columns, size_t n)
{
    *table = (struct kns_table){.arena = arena, .columns = columns, .n_columns = n};
}

bool kns_table_add(struct kns_table *table, const struct kns_cell *cells)
{
    struct kns_row *row = KNS_NEW(table->arena, struct kns_row);

    if (row == NULL)
        return false;
    for (size_t i = 0; i < table->n_columns; i++) {
        row->cells[i] = cells[i];
        row->cells[i].text = kns_out_safe(table->arena, cells[i].text);
    }
    if (table->last != NULL)
        table->last->next = row;
    else
        table->first = row;
    table->last = row;
    return true;
}

void kns_table_note(struct kns_table *table, const char *text, enum kns_style style)
{
    if (table->last != NULL)
        table->last->note = (struct kns_cell){kns_out_safe(table->arena, text), style};
}

#define GAP 2       /* between columns */
#define HIDDEN (-1) /* a width: the column is not shown */

/* What the columns take of a line, each at its width, or at the least that it can do with. */
static int line_width(const struct kns_table *table, const int *widths, bool at_least)
{
    int sum = -GAP;

    for (size_t i = 0; i < table->n_columns; i++) {
        int least = table->columns[i].least < widths[i] ? table->columns[i].least : widths[i];
        if (widths[i] != HIDDEN)
            sum += GAP + (at_least ? least : widths[i]);
    }
    return sum;
}

static void measure(const struct kns_table *table, int *widths)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct kns_column *column = &table->columns[i];
        int widest = kns_text_columns(column->heading);
        for (const struct kns_row *row = table->first; row != NULL; row = row->next) {
            int width = kns_text_columns(row->cells[i].text);
            widest = width > widest ? width : widest;
        }
        widths[i] = column->most > 0 && widest > column->most ? column->most : widest;
    }
}

/* Leaves one column out; false: none can be spared. */
static bool drop_column(const struct kns_table *table, int *widths)
{
    size_t found = table->n_columns;

    for (size_t i = 0; i < table->n_columns; i++) {
        if (widths[i] != HIDDEN && table->columns[i].drop > 0 &&
            (found == table->n_columns || table->columns[i].drop > table->columns[found].drop))
            found = i;
    }
    if (found < table->n_columns)
        widths[found] = HIDDEN;
    return found < table->n_columns;
}

/* Takes from a column what the line is too long by, as far as it can give. */
static void shrink(const struct kns_table *table, size_t i, int total, int *widths)
{
    int too_long = line_width(table, widths, false) - total,
        spare = widths[i] - table->columns[i].least;

    if (too_long > 0 && spare > 0 && widths[i] != HIDDEN)
        widths[i] -= spare < too_long ? spare : too_long;
}

/* Each column as wide as what is in it, within its bounds. Where that is too much, the open one gives first, then the others from the
 * right, and then columns are left out. */
static void fit(const struct kns_table *table, int total, int *widths)
{
    measure(table, widths);
    while (line_width(table, widths, true) > total)
        if (!drop_column(table, widths))
            break;
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].most == 0)
            shrink(table, i, total, widths);
    for (size_t i = table->n_columns; i-- > 0;)
        shrink(table, i, total, widths);
}

static void print_cell(const struct kns_out *out, struct kns_arena *arena,
                       const struct kns_cell *cell, int width, bool right, bool last)
{
    const char *text = kns_text_fit(arena, cell->text, width);
    int pad = text == NULL ? 0 : width - kns_text_columns(text);

    if (text == NULL)
        return;
    if (right)
        printf("%*s", pad, "");
    kns_out_styled(out, cell->style, text);
    if (!right && !last)
        printf("%*s", pad, "");
}

static void print_row(const struct kns_table *table, const struct kns_out *out,
                      const struct kns_cell *cells, const int *widths)
{
    bool first = true;

    for (size_t i = 0; i < table->n_columns; i++) {
        if (widths[i] == HIDDEN)
            continue;
        printf("%*s", first ? 0 : GAP, "");
        first = false;
        print_cell(out, table->arena, &cells[i], widths[i], table->columns[i].right,
                   i + 1 == table->n_columns);
    }
    putchar('\n');
}

static void print_note(const struct kns_out *out, const struct kns_cell *note)
{
    begin_style(out, note->style);
    kns_out_wrapped(out, note->text, NOTE_INDENT);
    end_style(out, note->style);
}

void kns_table_print(const struct kns_table *table, const struct kns_out *out)
{
    int widths[MAX_COLUMNS] = {0};
    struct kns_cell headings[MAX_COLUMNS];

    if (!out->terminal) {
        for (const struct kns_row *row = table->first; row != NULL; row = row->next)
            for (size_t i = 0; i < table->n_columns; i++)
                printf("%s%c", row->cells[i].text, i + 1 == table->n_columns ? '\n' : '\t');
        return;
    }
    if (table->first == NULL)
        return;
    fit(table, out->columns, widths);
    for (size_t i = 0; i < table->n_columns; i++)
        headings[i] = (struct kns_cell){table->columns[i].heading, KNS_DIM};
    print_row(table, out, headings, widths);
    for (const struct kns_row *row = table->first; row != NULL; row = row->next) {
        print_row(table, out, row->cells, widths);
        if (row->note.text != NULL)
            print_note(out, &row->note);
    }
}

/* ---- times and paragraphs ------------------------------------------------------------------------------------------ */

const char *kns_out_age(struct kns_arena *arena, struct kns_time at, struct kns_time now)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{365 * 86400, "y"}, {7 * 86400, "w"}, {86400, "d"}, {3600, "h"}, {60, "m"}};
    int64_t age = now.unix_s - at.unix_s, span = age < 0 ? -age : age;

    if (!kns_time_given(at))
        return "-";
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (span >= units[i].seconds)
            return kns_arena_printf(arena, age < 0 ? "in %lld%s" : "%lld%s",
                                    (long long)(span / units[i].seconds), units[i].unit);
    return age < 0 ? "soon" : "now";
}

/* Where a line that begins at text must end: at a space, or between wide characters. */
static size_t line_length(const char *text, int columns)
{
    size_t size = strcspn(text, "\n"), at = 0, last_break = 0;
    int used = 0;

    while (at < size) {
        int32_t c;
        size_t len = kns_text_next(text + at, size - at, &c);
        char one[8] = "";
        memcpy(one, text + at, len);
        int width = kns_text_columns(one);
        if (used + width > columns)
            return last_break > 0 ? last_break : at > 0 ? at : len;
        if (c == ' ' || width == 2)
            last_break = at + (c == ' ' ? 0 : len);
        used += width;
        at += len;
    }
    return size;
}

void kns_out_wrapped(const struct kns_out *out, const char *text, int indent)
{
    int width = out->terminal ? out->columns - indent : 1000000;

    while (*text != '\0') {
        size_t len = line_length(text, width < 20 ? 20 : width);
        printf("%*s%.*s\n", indent, "", (int)len, text);
        text += len;
        text += strspn(text, " ");
        text += *text == '\n';
    }
}
