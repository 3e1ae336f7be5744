/* Reads markup that is not well-formed: one pass over the text, nothing is an error. A '<' that begins no tag is text,
 * an '&' that begins no reference is text, an end tag closes what is open above its start, one without a start says
 * nothing, and an entry's start ends the entry before. */
#include "lib/parse/reader.h"
#include "lib/text/entities.h"

#include "lib/parse.h"
#include "lib/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_OPEN (KNS_PARSE_MAX_DEPTH * 4) /* names remembered; deeper ones are not opened */
#define MAX_NAME 128

struct open_element {
    char name[MAX_NAME];
};

/* FNV-1a of a name in lower case: of hundreds of open elements hardly one has to be looked at. */
static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint32_t)tolower((unsigned char)*name)) * 16777619u;
    return hash;
}

/* Where something stands next, remembered so that however often it is asked for the text is searched once. */
struct landmark {
    const char *what;
    const char *next; /* the end of the text: nowhere; NULL: not asked for yet */
};

struct lenient {
    struct builder *b;
    const char *at, *end;
    int64_t line;
    struct open_element *open;
    uint32_t hashes[MAX_OPEN]; /* of their names */
    size_t depth;
    struct kns_buf scratch; /* decoded attribute values, NUL between */
    struct landmark cdata, cdata_end, comment, comment_end, item_end, entry_end;
};

static bool is_name_start(unsigned char c)
{
    return isalpha(c) || c == '_' || c >= 0x80;
}

static bool is_name(unsigned char c)
{
    return is_name_start(c) || isdigit(c) || c == ':' || c == '-' || c == '.';
}

static void move_to(struct lenient *l, const char *to)
{
    for (const char *c = l->at; c < to; c++)
        l->line += *c == '\n';
    l->at = to;
}

static const char *find(const struct lenient *l, const char *from, const char *what)
{
    const char *found =
        from < l->end ? memmem(from, (size_t)(l->end - from), what, strlen(what)) : NULL;

    return found == NULL ? l->end : found;
}

static const char *next(const struct lenient *l, struct landmark *mark, const char *from)
{
    if (mark->next == NULL || mark->next < from)
        mark->next = find(l, from, mark->what);
    return mark->next;
}

/* The end of what begins at from; NULL when it is missing, because there is none or another such section begins before
 * it and an entry ends between the two. */
static const char *end_of_section(struct lenient *l, const char *from, struct landmark *begin,
                                  struct landmark *end)
{
    const char *to = next(l, end, from);
    const char *item_end = next(l, &l->item_end, from), *entry_end = next(l, &l->entry_end, from);
    const char *border = item_end < entry_end ? item_end : entry_end;

    if (to == l->end || (border < to && next(l, begin, from) < to))
        return NULL;
    return to;
}

/* ---- text ------------------------------------------------------------------------------------------------- */

/* References decoded, control characters left out. */
static void decode_text(const char *text, size_t len, struct kns_buf *out)
{
    for (size_t i = 0; i < len;) {
        size_t plain = i;
        while (plain < len && text[plain] != '&' &&
               ((unsigned char)text[plain] >= 0x20 || text[plain] == '\n' || text[plain] == '\t'))
            plain++;
        kns_buf_add(out, text + i, plain - i);
        i = plain;
        if (i == len)
            break;
        size_t used = text[i] == '&' ? kns_entity_decode(text + i, len - i, out) : 1;
        if (used == 0) {
            kns_buf_addc(out, '&');
            used = 1;
        }
        i += used;
    }
}

static void read_text(struct lenient *l, const char *to)
{
    kns_buf_reset(&l->scratch);
    decode_text(l->at, (size_t)(to - l->at), &l->scratch);
    kns_builder_text(l->b, kns_buf_str(&l->scratch), l->scratch.len);
    move_to(l, to);
}

/* ---- tags ------------------------------------------------------------------------------------------------- */

static void close_top(struct lenient *l)
{
    kns_builder_end(l->b, l->open[--l->depth].name);
}

static void close_to(struct lenient *l, size_t depth)
{
    while (l->depth > depth)
        close_top(l);
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon == NULL ? name : colon + 1;
}

static bool is_entry_name(const char *name)
{
    return strcmp(name, "item") == 0 || strcmp(local_name(name), "entry") == 0 ||
           strcmp(name, "rss:item") == 0;
}

/* How deep the innermost open element of a name stands, from 1; 0: none is open. */
static size_t find_open(const struct lenient *l, const char *name,
                        int (*compare)(const char *, const char *))
{
    uint32_t hash = hash_of(name);

    for (size_t i = l->depth; i > 0; i--)
        if (l->hashes[i - 1] == hash && compare(l->open[i - 1].name, name) == 0)
            return i;
    return 0;
}

/* An entry that begins while one is open: that one's end tag is missing. */
static void end_open_entry(struct lenient *l, const char *name)
{
    size_t depth = is_entry_name(name) ? find_open(l, name, strcmp) : 0;

    if (depth > 0)
        close_to(l, depth - 1);
}

static bool is_void_html(const char *name)
{
    static const char *const voids[] = {"br",    "hr",  "img",    "input", "area", "col",
                                        "embed", "wbr", "source", "track", "param"};

    for (size_t i = 0; i < sizeof(voids) / sizeof(voids[0]); i++)
        if (strcasecmp(name, voids[i]) == 0)
            return true;
    return false;
}

/* The quote that ends a value; NULL when it is missing: none comes, or an entry ends before it. */
static const char *end_of_value(const struct lenient *l, const char *quote)
{
    const char *close = memchr(quote + 1, *quote, (size_t)(l->end - quote - 1));
    size_t len = close == NULL ? 0 : (size_t)(close - quote);

    return memmem(quote, len, "</item", 6) != NULL || memmem(quote, len, "</entry", 7) != NULL
               ? NULL
               : close;
}

/* Reads one attribute into scratch as "name\0value\0"; returns where it ended, NULL at the tag's end. */
static const char *read_attribute(struct lenient *l, const char *at)
{
    while (at < l->end && !is_name_start((unsigned char)*at) && *at != '>' && *at != '<' &&
           !(*at == '/' && at + 1 < l->end && at[1] == '>'))
        at++;
    if (at == l->end || *at == '>' || *at == '/' || *at == '<')
        return NULL;
    const char *name = at;
    while (at < l->end && is_name((unsigned char)*at))
        at++;
    kns_buf_add(&l->scratch, name, (size_t)(at - name));
    kns_buf_addc(&l->scratch, '\0');
    while (at < l->end && isspace((unsigned char)*at))
        at++;
    if (at < l->end && *at == '=') {
        at++;
        while (at < l->end && isspace((unsigned char)*at))
            at++;
        const char *value = at;
        if (at < l->end && (*at == '"' || *at == '\'')) {
            const char *close = end_of_value(l, at);
            value++;
            at = close == NULL ? find(l, value, ">") : close;
            decode_text(value, (size_t)(at - value), &l->scratch);
            at += close != NULL;
        } else {
            while (at < l->end && !isspace((unsigned char)*at) && *at != '>')
                at++;
            decode_text(value, (size_t)(at - value), &l->scratch);
        }
    }
    kns_buf_addc(&l->scratch, '\0');
    return at;
}

static void read_start_tag(struct lenient *l)
{
    struct attribute attributes[KNS_PARSE_MAX_ATTRIBUTES + 1];
    char name[MAX_NAME];
    const char *at = l->at + 1;
    size_t len = 0, count = 0;

    while (at + len < l->end && is_name((unsigned char)at[len]))
        len++;
    if (len >= sizeof(name)) {
        read_text(l, l->at + 1 + len);
        return;
    }
    memcpy(name, at, len);
    name[len] = '\0';
    at += len;
    kns_buf_reset(&l->scratch);
    for (const char *next = read_attribute(l, at); next != NULL; next = read_attribute(l, next)) {
        at = next;
        if (++count == KNS_PARSE_MAX_ATTRIBUTES)
            break;
    }
    const char *close = at;
    while (close < l->end && *close != '>' && *close != '<')
        close++;
    bool empty = close > l->at && close[-1] == '/';
    const char *text = kns_buf_str(&l->scratch);
    for (size_t i = 0; i < count; i++) {
        attributes[i].name = text;
        text += strlen(text) + 1;
        attributes[i].value = text;
        text += strlen(text) + 1;
    }
    attributes[count] = (struct attribute){NULL, NULL};
    end_open_entry(l, name);
    if (kns_builder_ends_text(l->b, name))
        close_to(l, kns_builder_text_depth(l->b) - 1);
    bool in_text = kns_builder_text_depth(l->b) > 0;
    if (l->depth < MAX_OPEN) {
        kns_builder_start(l->b, name, attributes, l->line);
        l->hashes[l->depth] = hash_of(name);
        memcpy(l->open[l->depth++].name, name, len + 1);
        if (empty || (in_text && is_void_html(name)))
            close_top(l);
    }
    move_to(l, close < l->end && *close == '>' ? close + 1 : close);
}

static void read_end_tag(struct lenient *l)
{
    char name[MAX_NAME];
    const char *at = l->at + 2;
    size_t len = 0;

    while (at + len < l->end && is_name((unsigned char)at[len]))
        len++;
    const char *close = find(l, at, ">");
    if (len < sizeof(name)) {
        memcpy(name, at, len);
        name[len] = '\0';
        size_t depth = find_open(l, name, strcmp);
        if (depth == 0)
            depth = find_open(l, name, strcasecmp);
        if (depth > 0)
            close_to(l, depth - 1);
    }
    move_to(l, close < l->end ? close + 1 : close);
}

/* <!DOCTYPE …> with its internal subset. */
static const char *end_of_declaration(const struct lenient *l)
{
    const char *close = find(l, l->at, ">");
    const char *subset = l->at;

    while (subset < close && *subset != '[')
        subset++;
    if (subset == close)
        return close;
    const char *end = find(l, subset, "]");
    return find(l, end, ">");
}

static void read_markup(struct lenient *l)
{
    size_t left = (size_t)(l->end - l->at);
    const char *to;

    if (left >= 9 && memcmp(l->at, "<![CDATA[", 9) == 0) {
        to = end_of_section(l, l->at + 9, &l->cdata, &l->cdata_end);
        if (to != NULL)
            kns_builder_text(l->b, l->at + 9, (size_t)(to - l->at - 9));
        move_to(l, to != NULL ? to + 3 : l->at + 9);
    } else if (left >= 4 && memcmp(l->at, "<!--", 4) == 0) {
        to = end_of_section(l, l->at + 4, &l->comment, &l->comment_end);
        move_to(l, to != NULL ? to + 3 : l->at + 4);
    } else if (left >= 2 && l->at[1] == '?') {
        to = find(l, l->at, ">");
        move_to(l, to < l->end ? to + 1 : to);
    } else if (left >= 2 && l->at[1] == '!') {
        to = end_of_declaration(l);
        move_to(l, to < l->end ? to + 1 : to);
    } else if (left >= 3 && l->at[1] == '/' && is_name_start((unsigned char)l->at[2])) {
        read_end_tag(l);
    } else if (left >= 2 && is_name_start((unsigned char)l->at[1])) {
        read_start_tag(l);
    } else {
        kns_builder_text(l->b, "<", 1);
        move_to(l, l->at + 1);
    }
}

void kns_lenient_read(struct builder *b, const char *utf8, size_t size, int64_t line)
{
    struct lenient l = {
        .b = b,
        .at = utf8,
        .end = utf8 + size,
        .line = line,
        .cdata = {.what = "<![CDATA["},
        .cdata_end = {.what = "]]>"},
        .comment = {.what = "<!--"},
        .comment_end = {.what = "-->"},
        .item_end = {.what = "</item"},
        .entry_end = {.what = "</entry"},
    };

    l.open = malloc(MAX_OPEN * sizeof(*l.open));
    if (l.open == NULL)
        return;
    while (l.at < l.end && !kns_builder_failed(b) && !kns_builder_is_foreign(b)) {
        const char *tag = memchr(l.at, '<', (size_t)(l.end - l.at));
        if (tag != l.at)
            read_text(&l, tag == NULL ? l.end : tag);
        else
            read_markup(&l);
    }
    kns_buf_fini(&l.scratch);
    free(l.open);
}
