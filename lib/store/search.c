/* Full-text search: a tokenizer for FTS5 that serves languages with and without spaces, and the user's query in FTS5's words.
 *
 * A word is a run of letters, digits and marks, folded (NFKC, case, diacritics). A run of Han, kana or hangul becomes its overlapping
 * pairs: 機械学習 is 機械 械学 学習, and a last 習 in the place of 学習, so that a phrase of pairs finds exactly what holds it, whatever
 * follows the run, and a prefix finds a single character. A text's characters of such runs stand in the index once each as well, behind
 * a mark that no text has: a query of a single one is that word, where a prefix would first read all that begins with it. */
#include "lib/store/internal.h"

#include "lib/html.h"
#include "lib/store/search.h"
#include "lib/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

/* ---- the tokenizer -------------------------------------------------------------------------------------------------- */

/* What decides what every index holds: it never changes. */
enum class kns_search_class(int32_t c) {
    if (c < 0x80) return isalnum(c) ? LETTER : OTHER;
    if ((c >= 0x3041 && c <= 0x30FF && c != 0x30FB) || (c >= 0x31F0 && c <= 0x31FF) ||
        (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
        (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xAC00 && c <= 0xD7A3) ||
        (c >= 0x20000 && c <= 0x3FFFF) || c == 0x3005) return PAIRED;
    switch (utf8proc_category(c)){
        case UTF8PROC_CATEGORY_LU : case UTF8PROC_CATEGORY_LL : case UTF8PROC_CATEGORY_LT : case
        UTF8PROC_CATEGORY_LM : case UTF8PROC_CATEGORY_LO : case UTF8PROC_CATEGORY_MN : case
        UTF8PROC_CATEGORY_MC : case UTF8PROC_CATEGORY_ND : case
        UTF8PROC_CATEGORY_NL : return LETTER;
        default : return OTHER;
    }
}

/* Stands before a single character: in the index, and in the query that kns_search_translate makes. */
#define MARK '\x01'

struct sink {
    void *ctx;
    int (*token)(void *, int, const char *, int, int, int);
    bool query;
    struct kns_arena *arena;
    unsigned char *met; /* a bit for each character: those that were given; NULL: none yet */
};

#define MET_SIZE (0x40000 / 8)

static int emit(const struct sink *sink, int flags, const char *text, size_t from, size_t to)
{
    return sink->token(sink->ctx, flags, text + from, (int)(to - from), (int)from, (int)to);
}

/* A run of PAIRED characters: its pairs, and in an index its last character. */
static int emit_pairs(const struct sink *sink, const char *text, size_t from, size_t to)
{
    size_t before = from, at = from;
    int32_t c;
    int rc = SQLITE_OK;

    at += kns_text_next(text + at, to - at, &c);
    if (at == to)
        return emit(sink, 0, text, from, to);
    while (at < to && rc == SQLITE_OK) {
        size_t next = at + kns_text_next(text + at, to - at, &c);
        rc = emit(sink, 0, text, before, next);
        before = at;
        at = next;
    }
    return rc != SQLITE_OK || sink->query ? rc : emit(sink, FTS5_TOKEN_COLOCATED, text, before, to);
}

/* The characters of a run that the text did not have before, each with the mark, in the place of the last word. */
static int emit_singles(struct sink *sink, const char *text, size_t from, size_t to)
{
    int rc = SQLITE_OK;

    if (sink->met == NULL)
        sink->met = kns_arena_alloc(sink->arena, MET_SIZE);
    if (sink->met == NULL)
        return SQLITE_NOMEM;
    for (size_t at = from; at < to && rc == SQLITE_OK;) {
        char marked[5] = {MARK};
        int32_t c;
        size_t len = kns_text_next(text + at, to - at, &c);
        unsigned char *met = &sink->met[c / 8], bit = (unsigned char)(1 << c % 8);
        memcpy(marked + 1, text + at, len);
        if ((*met & bit) == 0)
            rc = sink->token(sink->ctx, FTS5_TOKEN_COLOCATED, marked, (int)len + 1, (int)at,
                             (int)(at + len));
        *met |= bit;
        at += len;
    }
    return rc;
}

static int emit_run(struct sink *sink, const char *text, size_t from, size_t to)
{
    int rc = emit_pairs(sink, text, from, to);

    return rc != SQLITE_OK || sink->query ? rc : emit_singles(sink, text, from, to);
}

/* A query of one marked character, and nothing else. */
static bool is_marked(const struct sink *sink, const char *text, size_t size)
{
    int32_t c;

    return sink->query && size > 1 && text[0] == MARK &&
           kns_text_next(text + 1, size - 1, &c) == size - 1 && kns_search_class(c) == PAIRED;
}

static int tokenize_folded(struct sink *sink, const char *text, size_t size)
{
    int rc = SQLITE_OK;

    if (is_marked(sink, text, size))
        return emit(sink, 0, text, 0, size);
    for (size_t at = 0; at < size && rc == SQLITE_OK;) {
        int32_t c;
        size_t from = at;
        size_t len = kns_text_next(text + at, size - at, &c);
        enum class class = kns_search_class(c);
        at += len;
        if (class == OTHER)
            continue;
        while (at < size) {
            len = kns_text_next(text + at, size - at, &c);
            if (kns_search_class(c) != class)
                break;
            at += len;
        }
        rc = class == PAIRED ? emit_run(sink, text, from, at) : emit(sink, 0, text, from, at);
    }
    return rc;
}

static int x_tokenize(Fts5Tokenizer *tokenizer, void *ctx, int flags, const char *text, int size,
                      int (*token)(void *, int, const char *, int, int, int))
{
    struct kns_arena *arena = kns_arena_new(0);
    struct sink sink = {
        .ctx = ctx, .token = token, .query = (flags & FTS5_TOKENIZE_QUERY) != 0, .arena = arena};
    char *copy = arena == NULL ? NULL : kns_arena_copy(arena, text, (size_t)size);
    const char *folded = copy == NULL ? NULL : kns_text_fold(arena, copy);
    int rc = folded == NULL ? SQLITE_NOMEM : tokenize_folded(&sink, folded, strlen(folded));

    (void)tokenizer;
    kns_arena_free(arena);
    return rc;
}

static int x_create(void *ctx, const char **args, int n, Fts5Tokenizer **ret)
{
    (void)args;
    (void)n;
    *ret = ctx;
    return SQLITE_OK;
}

static void x_delete(Fts5Tokenizer *tokenizer)
{
    (void)tokenizer; /* there is one for all, without state */
}

enum kns_status kns_search_register(struct kns_store *store, struct kns_error *err)
{
    static fts5_tokenizer tokenizer = {x_create, x_delete, x_tokenize};
    static char the_tokenizer;
    sqlite3_stmt *stmt = NULL;
    fts5_api *api = NULL;

    if (sqlite3_prepare_v2(store->db, "SELECT fts5(?)", -1, &stmt, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(stmt, 1, &api, "fts5_api_ptr", NULL);
        sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
    if (api == NULL ||
        api->xCreateTokenizer(api, "kns", &the_tokenizer, &tokenizer, NULL) != SQLITE_OK ||
        kns_rank_register(api) != SQLITE_OK)
        return kns_fail(err, KNS_EIO, "this SQLite has no FTS5");
    return KNS_OK;
}

/* ---- what is searched ------------------------------------------------------------------------------------------------- */

static bool join(struct kns_arena *arena, const char **text, const char *more)
{
    if (more == NULL || *more == '\0')
        return true;
    *text = *text == NULL ? more : kns_arena_printf(arena, "%s\n%s", *text, more);
    return *text != NULL;
}

bool kns_search_text(struct kns_arena *arena, const struct kns_entry *entry, const char *note,
                     struct search_text *ret)
{
    const char *body = NULL, *author = NULL;
    const char *html[] = {entry->content_html, entry->summary_html};

    for (size_t i = 0; i < 2; i++) {
        const char *text = html[i] == NULL ? NULL : kns_html_to_text(arena, html[i]);
        if ((html[i] != NULL && text == NULL) || !join(arena, &body, text))
            return false;
    }
    if (!join(arena, &body, entry->content_text) || !join(arena, &body, entry->summary) ||
        !join(arena, &body, note))
        return false;
    const struct kns_person *person;
    KNS_LIST_EACH(person, &entry->authors)
    if (!join(arena, &author, person->name))
        return false;
    const struct kns_category *tag;
    KNS_LIST_EACH(tag, &entry->tags)
    if (!join(arena, &body, tag->term != NULL ? tag->term : tag->label))
        return false;
    *ret = (struct search_text){entry->title == NULL ? "" : entry->title,
                                author == NULL ? "" : author, body == NULL ? "" : body};
    return true;
}

/* ---- the user's query --------------------------------------------------------------------------------------------------- */

static bool has_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        int32_t c;
        i += kns_text_next(text + i, len - i, &c);
        if (kns_search_class(c) != OTHER)
            return true;
    }
    return false;
}

/* A term that ends in a single Han or kana character finds every pair that begins with it, and the last one of a run. Where it is nothing
 * but that character, *ret_single is where it stands. */
static bool ends_in_single_paired(const char *text, size_t len, const char **ret_single)
{
    enum class before = OTHER, last = OTHER;
    bool other = false;

    *ret_single = NULL;
    for (size_t i = 0; i < len;) {
        int32_t c;
        size_t from = i;
        i += kns_text_next(text + i, len - i, &c);
        before = last;
        last = kns_search_class(c);
        other = other || before != OTHER;
        if (last == PAIRED)
            *ret_single = text + from;
    }
    bool single = last == PAIRED && before != PAIRED;
    if (!single || other)
        *ret_single = NULL;
    return single;
}

const char *kns_search_read_term(const char *at, struct term *term)
{
    static const char *const columns[] = {"title", "author"};

    *term = (struct term){0};
    if (*at == '-' && at[1] != '\0' && !isspace((unsigned char)at[1])) {
        term->negative = true;
        at++;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(columns[i]);
        if (strncasecmp(at, columns[i], len) == 0 && at[len] == ':' && at[len + 1] != '\0' &&
            !isspace((unsigned char)at[len + 1])) {
            term->column = columns[i];
            at += len + 1;
            break;
        }
    }
    if (*at == '"') {
        const char *close = strchr(at + 1, '"');
        term->text = at + 1;
        term->quoted = true;
        term->len = close == NULL ? strlen(at + 1) : (size_t)(close - at - 1);
        return close == NULL ? at + strlen(at) : close + 1;
    }
    term->text = at;
    term->len = strcspn(at, " \t\r\n\"");
    at += term->len;
    term->prefix = term->len > 1 && term->text[term->len - 1] == '*';
    term->len -= term->prefix;
    return at;
}

static void add_term(struct kns_buf *out, const struct term *term, const char *folded)
{
    const char *single;
    bool prefix = ends_in_single_paired(folded, strlen(folded), &single) || term->prefix;

    if (term->column != NULL)
        kns_buf_addf(out, "%s : ", term->column);
    kns_buf_addc(out, '"');
    if (single != NULL) {
        int32_t c;
        kns_buf_addc(out, MARK);
        kns_buf_add(out, single, kns_text_next(single, strlen(single), &c));
    }
    for (const char *c = single == NULL ? folded : ""; *c != '\0'; c++)
        if (*c != '"' && *c != MARK)
            kns_buf_addc(out, *c);
    kns_buf_addc(out, '"');
    if (prefix && single == NULL)
        kns_buf_adds(out, " *");
}

bool kns_search_is_or(const struct term *term)
{
    return term->len == 2 && term->column == NULL && !term->negative && !term->quoted &&
           memcmp(term->text, "OR", 2) == 0;
}

/* A copy in which ideographic spaces (U+3000) are plain ones: they separate words as well. */
static const char *plain_spaces(struct kns_arena *arena, const char *query)
{
    char *copy = kns_arena_strdup(arena, query);

    for (char *at = copy == NULL ? NULL : strstr(copy, "\xE3\x80\x80"); at != NULL;
         at = strstr(at, "\xE3\x80\x80"))
        memset(at, ' ', 3);
    return copy;
}

const char *kns_search_translate(struct kns_arena *arena, const char *query)
{
    struct kns_buf wanted = {0}, unwanted = {0};
    bool or_next = false;
    const char *text = plain_spaces(arena, query);

    if (text == NULL)
        return NULL;
    for (const char *at = text + strspn(text, " \t\r\n"); *at != '\0';
         at += strspn(at, " \t\r\n")) {
        struct term term;
        const char *before = at;
        at = kns_search_read_term(at, &term);
        if (at == before)
            at++;
        if (kns_search_is_or(&term)) {
            or_next = wanted.len > 0;
            continue;
        }
        char *word = kns_arena_copy(arena, term.text, term.len);
        const char *folded = word == NULL ? NULL : kns_text_fold(arena, word);
        struct kns_buf *out = term.negative ? &unwanted : &wanted;
        if (folded == NULL)
            out->failed = true;
        if (folded == NULL || !has_token(folded, strlen(folded)))
            continue;
        if (out->len > 0)
            kns_buf_adds(out, term.negative || or_next ? " OR " : " AND ");
        add_term(out, &term, folded);
        or_next = false;
    }
    const char *match;
    if (kns_buf_failed(&wanted) || kns_buf_failed(&unwanted))
        match = NULL;
    else if (wanted.len == 0) /* only what must not be there: nothing is asked for */
        match = "";
    else if (unwanted.len > 0)
        match = kns_arena_printf(arena, "(%s) NOT (%s)", wanted.data, unwanted.data);
    else
        match = kns_arena_copy(arena, wanted.data, wanted.len);
    kns_buf_fini(&wanted);
    kns_buf_fini(&unwanted);
    return match;
}
