/* A Mustache template, read once from left to right: text up to a tag, the tag, and so on. Sections nest through an
 * explicit stack, so that depth costs heap and not stack. */
#include "lib/mustache.h"
#include "lib/mustache/template.h"

#include <stdbool.h>
#include <string.h>

#define MAX_DELIMITER 32
static const char blanks[] = " \t\r\n";

struct frame {
    struct mustache_node *section;
    const char *opened_at;
    struct frame *up;
};

struct parser {
    struct kns_arena *arena;
    const char *start;
    const char *at; /* what is read next */
    char open[MAX_DELIMITER], close[MAX_DELIMITER];
    struct mustache_nodes *nodes;
    struct frame *innermost; /* NULL: outside of all sections */
    size_t depth;
    struct kns_error *err;
};

/* A tag as it stands in the text: from its opening delimiter to behind the closing one. */
struct tag {
    const char *from, *to;
    char sigil; /* one of "#^/>!=&{", or 0 */
    const char *name;
};

static int line_of(const struct parser *p, const char *at)
{
    int line = 1;

    for (const char *c = p->start; c < at; c++)
        line += *c == '\n';
    return line;
}

static enum kns_status syntax(struct parser *p, const char *at, const char *what)
{
    return kns_fail(p->err, KNS_ESYNTAX, "line %d: %s", line_of(p, at), what);
}

static enum kns_status no_memory(struct parser *p)
{
    return kns_fail(p->err, KNS_ENOMEM, "out of memory");
}

static enum kns_status append(struct parser *p, enum mustache_kind kind, const char *text,
                              size_t len, struct mustache_node **ret_node)
{
    struct mustache_node *node = KNS_NEW(p->arena, struct mustache_node);

    if (node == NULL)
        return no_memory(p);
    node->kind = kind;
    node->text = kns_arena_copy(p->arena, text, len);
    node->len = len;
    node->indent = "";
    if (node->text == NULL)
        return no_memory(p);
    if (p->innermost != NULL)
        KNS_LIST_APPEND(&p->innermost->section->children, node);
    else
        KNS_LIST_APPEND(&p->nodes->list, node);
    if (ret_node != NULL)
        *ret_node = node;
    return KNS_OK;
}

static const char *trimmed(struct kns_arena *arena, const char *from, const char *to)
{
    while (from < to && strchr(blanks, *from) != NULL)
        from++;
    while (to > from && strchr(blanks, to[-1]) != NULL)
        to--;
    return kns_arena_copy(arena, from, (size_t)(to - from));
}

/* Reads the tag that opens at from. */
static enum kns_status read_tag(struct parser *p, const char *from, struct tag *ret_tag)
{
    const char *body = from + strlen(p->open);
    char end[MAX_DELIMITER + 2] = "";
    char sigil = *body != '\0' && strchr("#^/>!=&{", *body) != NULL ? *body : '\0';

    body += sigil != '\0';
    if (sigil == '{' || sigil == '=')
        end[0] = sigil == '{' ? '}' : '=';
    strncat(end, p->close, sizeof(end) - 2);
    const char *close = strstr(body, end);
    if (close == NULL)
        return syntax(p, from, "a tag is not closed");
    *ret_tag = (struct tag){from, close + strlen(end), sigil, trimmed(p->arena, body, close)};
    return ret_tag->name != NULL ? KNS_OK : no_memory(p);
}

/* A tag that writes nothing itself and stands alone on its line takes the whole line with it. */
static bool widen_to_line(const struct parser *p, const struct tag *tag, const char **ret_from,
                          const char **ret_to)
{
    const char *from = tag->from;
    const char *to = tag->to;

    if (tag->sigil == '\0' || tag->sigil == '&' || tag->sigil == '{')
        return false;
    while (from > p->start && (from[-1] == ' ' || from[-1] == '\t'))
        from--;
    if (from > p->start && from[-1] != '\n')
        return false;
    to += strspn(to, " \t");
    if (*to == '\r' && to[1] == '\n')
        to++;
    if (*to != '\n' && *to != '\0')
        return false;
    *ret_from = from;
    *ret_to = to + (*to == '\n');
    return true;
}

static enum kns_status set_delimiters(struct parser *p, const struct tag *tag)
{
    size_t open_len = strcspn(tag->name, blanks);
    const char *close = tag->name + open_len + strspn(tag->name + open_len, blanks);
    size_t close_len = strlen(close);

    if (open_len == 0 || open_len >= MAX_DELIMITER || close_len == 0 ||
        close_len >= MAX_DELIMITER || strpbrk(close, blanks) != NULL || strchr(tag->name, '='))
        return syntax(p, tag->from, "bad delimiters, expected {{=OPEN CLOSE=}}");
    memcpy(p->open, tag->name, open_len);
    p->open[open_len] = '\0';
    memcpy(p->close, close, close_len + 1);
    return KNS_OK;
}

static enum kns_status open_section(struct parser *p, const struct tag *tag)
{
    enum mustache_kind kind = tag->sigil == '#' ? MUSTACHE_SECTION : MUSTACHE_INVERTED;
    struct mustache_node *node = NULL;
    enum kns_status status = append(p, kind, tag->name, strlen(tag->name), &node);

    if (status != KNS_OK)
        return status;
    if (++p->depth > KNS_MUSTACHE_MAX_DEPTH)
        return kns_fail(p->err, KNS_ELIMIT, "line %d: more than %d sections inside each other",
                        line_of(p, tag->from), KNS_MUSTACHE_MAX_DEPTH);
    struct frame *frame = KNS_NEW(p->arena, struct frame);
    if (frame == NULL)
        return no_memory(p);
    *frame = (struct frame){node, tag->from, p->innermost};
    p->innermost = frame;
    return KNS_OK;
}

static enum kns_status close_section(struct parser *p, const struct tag *tag)
{
    if (p->innermost == NULL)
        return syntax(p, tag->from, "a section is closed that was not opened");
    if (strcmp(p->innermost->section->text, tag->name) != 0)
        return kns_fail(p->err, KNS_ESYNTAX, "line %d: {{/%s}} closes {{#%s}} of line %d",
                        line_of(p, tag->from), tag->name, p->innermost->section->text,
                        line_of(p, p->innermost->opened_at));
    p->innermost = p->innermost->up;
    p->depth--;
    return KNS_OK;
}

static enum kns_status add_partial(struct parser *p, const struct tag *tag, const char *line)
{
    struct mustache_node *node = NULL;
    enum kns_status status = append(p, MUSTACHE_PARTIAL, tag->name, strlen(tag->name), &node);

    if (status != KNS_OK || line == NULL)
        return status;
    node->indent = kns_arena_copy(p->arena, line, (size_t)(tag->from - line));
    return node->indent != NULL ? KNS_OK : no_memory(p);
}

/* line: where the tag's line begins when it stands alone on it, else NULL. */
static enum kns_status add_tag(struct parser *p, const struct tag *tag, const char *line)
{
    switch (tag->sigil) {
    case '!':
        return KNS_OK;
    case '=':
        return set_delimiters(p, tag);
    case '#':
    case '^':
        return open_section(p, tag);
    case '/':
        return close_section(p, tag);
    case '>':
        return add_partial(p, tag, line);
    case '&':
    case '{':
        return append(p, MUSTACHE_RAW, tag->name, strlen(tag->name), NULL);
    default:
        return append(p, MUSTACHE_ESCAPED, tag->name, strlen(tag->name), NULL);
    }
}

static enum kns_status step(struct parser *p)
{
    const char *open = strstr(p->at, p->open);
    struct tag tag = {0};

    if (open == NULL) {
        const char *rest = p->at;
        p->at += strlen(rest);
        return append(p, MUSTACHE_TEXT, rest, strlen(rest), NULL);
    }
    enum kns_status status = read_tag(p, open, &tag);
    if (status != KNS_OK)
        return status;
    const char *from = tag.from;
    const char *to = tag.to;
    bool alone = widen_to_line(p, &tag, &from, &to);
    if (from > p->at)
        status = append(p, MUSTACHE_TEXT, p->at, (size_t)(from - p->at), NULL);
    p->at = to;
    return status == KNS_OK ? add_tag(p, &tag, alone ? from : NULL) : status;
}

enum kns_status mustache_parse(struct kns_arena *arena, const char *text,
                               struct mustache_nodes *ret_nodes, struct kns_error *err)
{
    struct parser p = {
        .arena = arena, .start = text, .at = text, .open = "{{", .close = "}}", .err = err};

    *ret_nodes = (struct mustache_nodes){0};
    p.nodes = ret_nodes;
    while (*p.at != '\0') {
        enum kns_status status = step(&p);
        if (status != KNS_OK)
            return status;
    }
    return p.innermost == NULL ? KNS_OK
                               : syntax(&p, p.innermost->opened_at, "a section is not closed");
}
