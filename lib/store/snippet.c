/* Snippets: where in an entry's text a search found its words, all of them marked.
 *
 * The text is folded as the index folds it, a character with its marks at a time, so that each byte of the folded text knows where it came
 * from; there the words are looked for, and what they cover is marked in the text as it was. */
#include "lib/store/internal.h"

#include "lib/store/search.h"
#include "lib/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define BEFORE 60       /* bytes of context in front of the first hit */
#define AFTER 160       /* and behind it */
#define LOOKED_AT 65536 /* bytes of the text */
#define TERMS_MOST 16

/* ---- folding with a memory -------------------------------------------------------------------------------------------- */

struct folded {
    struct kns_buf text;
    struct kns_buf origins; /* a size_t for each byte of text: where its character begins */
};

static void fini(struct folded *f)
{
    kns_buf_fini(&f->text);
    kns_buf_fini(&f->origins);
}

/* What separates words is one space. */
static void add_folded(struct folded *f, const char *bytes, size_t size, size_t origin)
{
    for (size_t i = 0; i < size;) {
        int32_t c;
        size_t len = kns_text_next(bytes + i, size - i, &c);
        bool other = kns_search_class(c) == OTHER;
        bool again = other && f->text.len > 0 && f->text.data[f->text.len - 1] == ' ';
        for (size_t k = 0; k < (other ? 1 : len) && !again; k++) {
            kns_buf_addc(&f->text, other ? ' ' : bytes[i + k]);
            kns_buf_add(&f->origins, &origin, sizeof(origin));
        }
        i += len;
    }
}

/* Belongs to the character before it: combining marks, the halfwidth voiced sound marks of kana. */
static bool is_mark(int32_t c)
{
    return c == 0xFF9E || c == 0xFF9F ||
           (c >= 0x300 && utf8proc_category(c) == UTF8PROC_CATEGORY_MN);
}

/* Kana and ideographs that folding leaves as they are. */
static bool stays(int32_t c)
{
    return (c >= 0x3041 && c <= 0x30FE) || (c >= 0x4E00 && c <= 0x9FFF);
}

static bool fold(struct kns_arena *scratch, const char *text, size_t size, struct folded *f)
{
    for (size_t from = 0, to; from < size; from = to) {
        int32_t c, next = 0;
        size_t len = kns_text_next(text + from, size - from, &c), more = 0;
        for (to = from + len; to < size; to += more) {
            more = kns_text_next(text + to, size - to, &next);
            if (!is_mark(next))
                break;
        }
        if (to == from + len && (c < 0x80 || stays(c))) {
            char lower = (char)tolower(c & 0x7F);
            add_folded(f, c < 0x80 ? &lower : text + from, len, from);
            continue;
        }
        const char *cluster = kns_arena_copy(scratch, text + from, to - from);
        const char *folded = cluster == NULL ? NULL : kns_text_fold(scratch, cluster);
        if (folded == NULL)
            return false;
        add_folded(f, folded, strlen(folded), from);
        kns_arena_reset(scratch);
    }
    return !kns_buf_failed(&f->text) && !kns_buf_failed(&f->origins);
}

/* ---- finding ------------------------------------------------------------------------------------------------------------ */

/* A term as it stands in folded text. */
struct wanted {
    const char *text;
    size_t len;
    bool title, prefix;
};

static size_t read_wanted(struct kns_arena *arena, struct kns_arena *scratch, const char *query,
                          struct wanted *list)
{
    size_t n = 0;

    for (const char *at = query + strspn(query, " \t"); *at != '\0' && n < TERMS_MOST;
         at += strspn(at, " \t")) {
        struct folded folded = {0};
        struct term term;
        const char *before = at;
        at = kns_search_read_term(at, &term);
        if (at == before)
            at++;
        bool is_author = term.column != NULL && strcmp(term.column, "author") == 0;
        if (term.negative || is_author || kns_search_is_or(&term))
            continue;
        if (fold(scratch, term.text, term.len, &folded)) {
            const char *text = kns_buf_str(&folded.text);
            size_t len = folded.text.len;
            text += *text == ' ';
            len -= *kns_buf_str(&folded.text) == ' ';
            len -= len > 0 && text[len - 1] == ' ';
            const char *copy = kns_arena_copy(arena, text, len);
            if (len > 0 && copy != NULL)
                list[n++] = (struct wanted){copy, len, term.column != NULL, term.prefix};
        }
        fini(&folded);
    }
    return n;
}

static enum class class_before(const char *text, size_t at) {
    size_t from = at; int32_t c;

    if (at == 0) return OTHER;
    do from--;
    while (from > 0 && ((unsigned char)text[from] & 0xC0) == 0x80);
    kns_text_next(text + from, at - from, &c);
    return kns_search_class(c);
}

static enum class class_at(const char *text, size_t size, size_t at) {
    int32_t c;

    if (at >= size) return OTHER;
    kns_text_next(text + at, size - at, &c);
    return kns_search_class(c);
}

/* A word of letters is one only between what is none. */
static bool is_whole(const struct folded *f, size_t at, const struct wanted *w)
{
    const char *text = f->text.data;
    size_t end = at + w->len;
    bool cut_before = class_at(text, f->text.len, at) == LETTER && class_before(text, at) == LETTER;
    bool cut_behind =
        class_before(text, end) == LETTER && class_at(text, f->text.len, end) == LETTER;

    return !cut_before && (w->prefix || !cut_behind);
}

/* Marks in hits, one byte for each of the text, what a term covers. */
static void find(const struct folded *f, size_t size, const struct wanted *w, char *hits)
{
    const char *text = kns_buf_str(&f->text);
    const size_t *origins = (const size_t *)(const void *)f->origins.data;

    for (const char *found = strstr(text, w->text); found != NULL;
         found = strstr(found + 1, w->text)) {
        size_t at = (size_t)(found - text), end = at + w->len;
        if (!is_whole(f, at, w))
            continue;
        while (w->prefix && class_before(text, end) == LETTER && /* the whole word */
               class_at(text, f->text.len, end) == LETTER)
            end += kns_text_next(text + end, f->text.len - end, &(int32_t){0});
        size_t from = origins[at], to = end < f->text.len ? origins[end] : size;
        memset(hits + from, 1, to - from);
    }
}

/* ---- cutting out -------------------------------------------------------------------------------------------------------- */

static size_t to_character(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return at;
}

/* The text around the first hit, with the marks; NULL: there is none. */
static const char *cut_out(struct kns_arena *arena, const char *text, size_t size, const char *hits)
{
    const char *first = memchr(hits, 1, size);
    struct kns_buf out = {0};

    if (first == NULL)
        return NULL;
    size_t where = (size_t)(first - hits);
    size_t from = to_character(text, where > BEFORE ? where - BEFORE : 0);
    size_t to = where + AFTER < size ? to_character(text, where + AFTER) : size;
    while (to < size && hits[to] != 0 && hits[to - 1] != 0) /* no hit is cut in two */
        to++;
    kns_buf_adds(&out, from > 0 ? "…" : "");
    for (size_t i = from; i < to; i++) {
        if (hits[i] != 0 && (i == from || hits[i - 1] == 0))
            kns_buf_addc(&out, '\x02');
        kns_buf_addc(&out, text[i]);
        if (hits[i] != 0 && (i + 1 == to || hits[i + 1] == 0))
            kns_buf_addc(&out, '\x03');
    }
    kns_buf_adds(&out, to < size || text[size] != '\0' ? "…" : "");
    const char *snippet = kns_buf_failed(&out) ? NULL : kns_arena_strdup(arena, kns_buf_str(&out));
    kns_buf_fini(&out);
    return snippet;
}

static const char *snippet_of(struct kns_arena *arena, struct kns_arena *scratch, const char *text,
                              bool is_title, const struct wanted *list, size_t n)
{
    const char *line = kns_text_squeeze(arena, text);
    size_t size = line == NULL ? 0 : kns_text_utf8_prefix(line, strnlen(line, LOOKED_AT));
    struct folded folded = {0};
    char *hits = calloc(1, size + 1);
    const char *snippet = NULL;

    if (size > 0 && hits != NULL && fold(scratch, line, size, &folded)) {
        for (size_t i = 0; i < n; i++)
            if (is_title || !list[i].title)
                find(&folded, size, &list[i], hits);
        snippet = cut_out(arena, line, size, hits);
    }
    free(hits);
    fini(&folded);
    return snippet;
}

const char *kns_search_snippet(struct kns_arena *arena, const char *query,
                               const struct kns_entry *entry)
{
    struct kns_arena *scratch = kns_arena_new(0);
    struct search_text text;
    struct wanted list[TERMS_MOST];
    const char *snippet = NULL;

    if (scratch != NULL && kns_search_text(arena, entry, NULL, &text)) {
        size_t n = read_wanted(arena, scratch, query, list);
        snippet = snippet_of(arena, scratch, text.body, false, list, n);
        if (snippet == NULL)
            snippet = snippet_of(arena, scratch, text.title, true, list, n);
    }
    kns_arena_free(scratch);
    return snippet;
}
