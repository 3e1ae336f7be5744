/* The text of a construct: how it is to be read, the markup that stands in it, and what it comes to at its end. */
#include "lib/html.h"
#include "lib/parse.h"
#include "lib/parse/builder_internal.h"
#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

void kns_builder_add_escaped(struct kns_buf *out, const char *text, size_t len, bool in_attribute)
{
    for (size_t i = 0; i < len;) {
        size_t plain = i;
        while (plain < len && text[plain] != '&' && text[plain] != '<' && text[plain] != '>' &&
               (!in_attribute || text[plain] != '"'))
            plain++;
        kns_buf_add(out, text + i, plain - i);
        if (plain == len)
            break;
        kns_buf_adds(out, text[plain] == '&'   ? "&amp;"
                          : text[plain] == '<' ? "&lt;"
                          : text[plain] == '>' ? "&gt;"
                                               : "&quot;");
        i = plain + 1;
    }
}

void kns_builder_begin_markup(struct builder *b)
{
    struct kns_buf escaped;

    if (b->markup)
        return;
    kns_buf_init(&escaped, KNS_PARSE_MAX_FIELD);
    kns_builder_add_escaped(&escaped, kns_buf_str(&b->text), b->text.len, false);
    kns_buf_fini(&b->text);
    b->text = escaped;
    b->markup = true;
}

static bool is_url_attribute(const char *name)
{
    static const char *const names[] = {"href",       "src",      "cite",   "action",
                                        "background", "longdesc", "poster", "data"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void kns_builder_serialise_start(struct builder *b, const struct frame *f, const char *local,
                                 const struct attribute *attributes)
{
    const char *construct_base = b->frames[b->text_depth - 1].base;

    kns_buf_addc(&b->text, '<');
    kns_buf_adds(&b->text, local);
    for (const struct attribute *a = attributes; a->name != NULL; a++) {
        if (strncmp(a->name, "xmlns", 5) == 0 || strncmp(a->name, "xml:", 4) == 0)
            continue;
        const char *value = a->value;
        if (f->base != construct_base && is_url_attribute(a->name))
            value = kns_url_resolve(b->arena, f->base, value);
        kns_buf_addc(&b->text, ' ');
        kns_buf_adds(&b->text, a->name);
        kns_buf_adds(&b->text, "=\"");
        if (value != NULL)
            kns_builder_add_escaped(&b->text, value, strlen(value), true);
        kns_buf_addc(&b->text, '"');
    }
    kns_buf_addc(&b->text, '>');
}

static bool is_void(const char *local)
{
    static const char *const names[] = {"area",  "base", "br",   "col",   "embed",  "hr",    "img",
                                        "input", "link", "meta", "param", "source", "track", "wbr"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i][0] == local[0] && strcmp(names[i], local) == 0)
            return true;
    return false;
}

void kns_builder_serialise_end(struct builder *b, const char *local)
{
    if (is_void(local))
        return;
    kns_buf_adds(&b->text, "</");
    kns_buf_adds(&b->text, local);
    kns_buf_addc(&b->text, '>');
}

/* A media type without its parameters and the white space around it. */
struct media_type {
    const char *at;
    size_t len;
};

static struct media_type media_type(const char *type)
{
    struct media_type m = {type + strspn(type, " \t\r\n"), 0};

    m.len = strcspn(m.at, "; \t\r\n");
    return m;
}

static bool is_type(struct media_type m, const char *name)
{
    return strlen(name) == m.len && strncasecmp(m.at, name, m.len) == 0;
}

static bool ends_with(struct media_type m, const char *end)
{
    size_t len = strlen(end);

    return m.len >= len && strncasecmp(m.at + m.len - len, end, len) == 0;
}

/* Anything but text and XML comes in base64 (RFC 4287 4.1.3.3). */
static bool is_binary(struct media_type m)
{
    return memchr(m.at, '/', m.len) != NULL && strncasecmp(m.at, "text/", 5) != 0 &&
           strncasecmp(m.at, "multipart/", 10) != 0 && strncasecmp(m.at, "message/", 8) != 0 &&
           !ends_with(m, "+xml") && !ends_with(m, "/xml");
}

/* How an Atom construct's text is to be read (RFC 4287 3.1.1 and 4.1.3; Atom 0.3's mode and media types). */
static void choose_atom_mode(struct builder *b, const struct frame *f)
{
    const char *type = kns_frame_attribute(f, "type");
    const char *mode = kns_frame_attribute(f, "mode");

    b->is_html = b->xhtml = b->base64 = false;
    if (f->ns == NS_XHTML) {
        b->xhtml = true;
        return;
    }
    struct media_type m = media_type(type == NULL ? "text" : type);
    b->is_html = is_type(m, "html") || is_type(m, "text/html");
    b->xhtml = is_type(m, "xhtml") || is_type(m, "application/xhtml+xml");
    b->base64 = mode != NULL ? strcmp(mode, "base64") == 0 : is_binary(m);
    /* What was escaped or encoded without saying what it is had markup to hide, more often than not. */
    b->guess = b->base64 || (type == NULL && mode != NULL && strcmp(mode, "xml") != 0);
    if (mode != NULL && strcmp(mode, "xml") != 0 && b->xhtml) {
        b->xhtml = false;
        b->is_html = true;
    }
}

void kns_builder_begin_text(struct builder *b, const struct frame *f)
{
    b->text_depth = b->depth;
    kns_buf_reset(&b->text);
    b->is_html = f->row->construct == C_HTML;
    b->guess = f->row->construct == C_GUESS;
    b->xhtml = b->base64 = false;
    b->div_depth = 0;
    if (f->row->construct == C_ATOM)
        choose_atom_mode(b, f);
    b->markup = b->xhtml;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);

    return found == NULL ? -1 : (int)(found - digits);
}

/* The text that base64 stands for; the text itself when it is none; NULL: no memory, or what it stands for is no text. */
static const char *decode_base64(struct builder *b, const char *text)
{
    char *out = kns_arena_alloc(b->arena, strlen(text) / 4 * 3 + 4);
    size_t len = 0;
    uint32_t bits = 0;
    int n_bits = 0;

    b->failed = b->failed || out == NULL;
    if (out == NULL)
        return NULL;
    for (const char *at = text; *at != '\0' && *at != '='; at++) {
        int digit = base64_digit(*at);
        if (digit < 0 && isspace((unsigned char)*at))
            continue;
        if (digit < 0)
            return text;
        bits = (bits << 6 | (uint32_t)digit) & 0xffffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[len++] = (char)(bits >> n_bits & 0xff);
        }
    }
    out[len] = '\0';
    return strlen(out) == len && kns_text_is_utf8(out, len) ? out : NULL;
}

/* Puts what base64 stood for in its place; what is no text becomes none. */
static void decode_text(struct builder *b)
{
    const char *text = decode_base64(b, kns_buf_str(&b->text));

    if (text == kns_buf_str(&b->text))
        return;
    kns_buf_reset(&b->text);
    kns_buf_adds(&b->text, text);
}

void kns_builder_end_text(struct builder *b, const struct frame *f)
{
    b->text_depth = 0;
    if (kns_buf_failed(&b->text)) {
        kns_builder_warn(b, f->line, "a text is longer than the limit and was left out");
    } else if (f->row->apply != NULL) {
        const char *text = kns_arena_copy(b->arena, kns_buf_str(&b->text), b->text.len);
        b->failed = b->failed || text == NULL;
        if (text != NULL)
            f->row->apply(b, f, text);
    } else {
        if (b->base64)
            decode_text(b);
        bool html = b->markup || b->is_html ||
                    (b->guess && kns_html_looks_like_html(kns_buf_str(&b->text)));
        kns_builder_set_buffer(b, f, &b->text, html);
    }
    kns_buf_reset(&b->text);
}
