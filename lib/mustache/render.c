/* A parsed Mustache template meets its data. The stack of contexts is a chain of C stack frames: it grows with a
 * section and is gone with it. */
#include "lib/mustache.h"
#include "lib/mustache/template.h"

#include <stdbool.h>
#include <string.h>

struct scope {
    const json_t *value;
    const struct scope *up;
};

struct rendering {
    struct kns_arena *arena; /* parsed templates */
    enum kns_mustache_escape escape;
    kns_mustache_partial_fn *partial;
    void *ctx;
    struct kns_buf *out;
    size_t started_at; /* out's length before */
    size_t depth;
    struct kns_error *err;
};

static enum kns_status render_nodes(struct rendering *r, const struct mustache_node *first,
                                    const struct scope *scope);

/* The member of an object; NULL for anything else. */
static const json_t *member(const json_t *value, const char *name, size_t len)
{
    return json_is_object(value) ? json_object_getn(value, name, len) : NULL;
}

/* The value of a name, NULL when there is none. Only the first part of a dotted name is looked for outwards. */
static const json_t *look_up(const struct scope *scope, const char *name)
{
    const json_t *value = NULL;

    if (strcmp(name, ".") == 0)
        return scope->value;
    size_t len = strcspn(name, ".");
    for (; scope != NULL && value == NULL; scope = scope->up)
        value = member(scope->value, name, len);
    for (name += len; *name == '.' && value != NULL; name += len) {
        name++;
        len = strcspn(name, ".");
        value = member(value, name, len);
    }
    return value;
}

static bool is_true(const json_t *value)
{
    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    default:
        return true;
    }
}

static void add_escaped(struct kns_buf *out, const char *text)
{
    static const struct {
        char c;
        const char *reference;
    } references[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"},
    };

    while (*text != '\0') {
        size_t plain = strcspn(text, "&<>\"'");
        kns_buf_add(out, text, plain);
        text += plain;
        for (size_t i = 0; *text != '\0' && i < sizeof(references) / sizeof(references[0]); i++) {
            if (references[i].c != *text)
                continue;
            kns_buf_adds(out, references[i].reference);
            text++;
            break;
        }
    }
}

static void add_value(struct rendering *r, const json_t *value, bool escaped)
{
    char number[64] = "";
    const char *text = number;

    if (json_is_string(value)) {
        text = json_string_value(value);
    } else if (json_is_number(value) || json_is_boolean(value)) {
        size_t len = json_dumpb(value, number, sizeof(number) - 1,
                                JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        number[len < sizeof(number) ? len : 0] = '\0';
    }
    if (escaped && r->escape == KNS_MUSTACHE_HTML)
        add_escaped(r->out, text);
    else
        kns_buf_adds(r->out, text);
}

static enum kns_status render_section(struct rendering *r, const struct mustache_node *node,
                                      const struct scope *scope)
{
    const json_t *value = look_up(scope, node->text);

    if (!is_true(value))
        return KNS_OK;
    if (!json_is_array(value))
        return render_nodes(r, node->children.first, &(struct scope){value, scope});
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct scope inner = {json_array_get(value, i), scope};
        enum kns_status status = render_nodes(r, node->children.first, &inner);
        if (status != KNS_OK)
            return status;
    }
    return KNS_OK;
}

/* The partial's text with indent before each of its lines. */
static const char *indented(struct kns_arena *arena, const char *text, const char *indent)
{
    struct kns_buf buf = {0};

    if (*indent == '\0')
        return text;
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        line += text[line] == '\n';
        kns_buf_adds(&buf, indent);
        kns_buf_add(&buf, text, line);
        text += line;
    }
    const char *copy =
        kns_buf_failed(&buf) ? NULL : kns_arena_copy(arena, kns_buf_str(&buf), buf.len);
    kns_buf_fini(&buf);
    return copy;
}

/* The name that a partial's tag means: its own, or behind '*' what the data has under it. NULL: nothing. */
static const char *partial_name(const struct mustache_node *node, const struct scope *scope)
{
    const char *name = node->text;

    if (*name != '*')
        return name;
    name += 1 + strspn(name + 1, " \t\r\n");
    return json_string_value(look_up(scope, name));
}

static enum kns_status render_partial(struct rendering *r, const struct mustache_node *node,
                                      const struct scope *scope)
{
    const char *name = partial_name(node, scope);
    const char *text = r->partial != NULL && name != NULL ? r->partial(r->ctx, name) : NULL;
    struct mustache_nodes nodes;

    if (text == NULL)
        return KNS_OK;
    text = indented(r->arena, text, node->indent);
    if (text == NULL)
        return kns_fail(r->err, KNS_ENOMEM, "out of memory");
    if (mustache_parse(r->arena, text, &nodes, r->err) != KNS_OK)
        return kns_fail_in(r->err, "partial %s", name);
    return render_nodes(r, nodes.list.first, scope);
}

static enum kns_status render_node(struct rendering *r, const struct mustache_node *node,
                                   const struct scope *scope)
{
    switch (node->kind) {
    case MUSTACHE_TEXT:
        kns_buf_add(r->out, node->text, node->len);
        return KNS_OK;
    case MUSTACHE_ESCAPED:
    case MUSTACHE_RAW:
        add_value(r, look_up(scope, node->text), node->kind == MUSTACHE_ESCAPED);
        return KNS_OK;
    case MUSTACHE_SECTION:
        return render_section(r, node, scope);
    case MUSTACHE_INVERTED:
        return is_true(look_up(scope, node->text)) ? KNS_OK
                                                   : render_nodes(r, node->children.first, scope);
    case MUSTACHE_PARTIAL:
        return render_partial(r, node, scope);
    }
    return KNS_OK;
}

static enum kns_status check_output(const struct rendering *r)
{
    if (r->out->len - r->started_at > KNS_MUSTACHE_MAX_OUTPUT_BYTES)
        return kns_fail(r->err, KNS_ELIMIT, "more than %u bytes of output",
                        KNS_MUSTACHE_MAX_OUTPUT_BYTES);
    if (!kns_buf_failed(r->out))
        return KNS_OK;
    if (r->out->limit != 0)
        return kns_fail(r->err, KNS_ELIMIT, "the output does not fit %zu bytes", r->out->limit);
    return kns_fail(r->err, KNS_ENOMEM, "out of memory");
}

static enum kns_status render_nodes(struct rendering *r, const struct mustache_node *first,
                                    const struct scope *scope)
{
    enum kns_status status = KNS_OK;

    if (r->depth >= KNS_MUSTACHE_MAX_DEPTH)
        return kns_fail(r->err, KNS_ELIMIT, "more than %d sections and partials inside each other",
                        KNS_MUSTACHE_MAX_DEPTH);
    r->depth++;
    for (const struct mustache_node *node = first; node != NULL && status == KNS_OK;
         node = node->next) {
        status = render_node(r, node, scope);
        if (status == KNS_OK)
            status = check_output(r);
    }
    r->depth--;
    return status;
}

enum kns_status kns_mustache_render(const char *text, const json_t *context,
                                    enum kns_mustache_escape escape,
                                    kns_mustache_partial_fn *partial, void *ctx,
                                    struct kns_buf *out, struct kns_error *err)
{
    struct mustache_nodes nodes;
    struct rendering r = {.arena = kns_arena_new(0),
                          .escape = escape,
                          .partial = partial,
                          .ctx = ctx,
                          .out = out,
                          .started_at = out->len,
                          .err = err};

    if (r.arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = mustache_parse(r.arena, text, &nodes, err);
    if (status == KNS_OK)
        status = render_nodes(&r, nodes.list.first, &(struct scope){context, NULL});
    kns_arena_free(r.arena);
    return status;
}
