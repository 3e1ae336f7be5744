/* The sanitiser: gumbo's tree, written out again with only what the tables allow. Nothing of the input's markup is copied; every tag,
 * attribute and character that comes out is one that this file wrote, so that no parser can read it differently than gumbo did
 * (mutation XSS needs markup that survives). After the OWASP cheat sheets and the WHATWG Sanitizer API's baseline. */
#include "lib/html.h"

#include "lib/buf.h"
#include "lib/html/tags.h"
#include "lib/html/tree.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Elements that come out. Of others only the children do, but for those in dropped_elements. */
static const char allowed_elements[] =
    " a abbr acronym address article aside audio b bdi bdo big blockquote br caption center cite "
    "code col colgroup dd del details "
    "dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd "
    "li main map area mark menu nav ol "
    "p picture pre q rb rp rt rtc ruby s samp section small source span strike strong sub summary "
    "sup table tbody td tfoot th thead "
    "time tr tt u ul var video wbr ";

/* Elements that go with all that they hold. */
static const char dropped_elements[] =
    " script style template noscript iframe frame frameset noframes object embed applet svg math "
    "title head link meta base "
    "textarea select option input button form xmp plaintext listing canvas portal ";

/* Attributes that come out on any element, and on some; "element:attribute". */
static const char allowed_attributes[] =
    " *:title *:lang *:dir *:style *:align *:abbr *:summary a:href a:name a:hreflang a:type "
    "area:href area:alt area:coords "
    "area:shape map:name img:src img:srcset img:sizes img:alt img:width img:height img:loading "
    "img:usemap img:border img:hspace "
    "img:vspace source:src source:srcset source:sizes source:type source:media video:src "
    "video:poster video:controls video:width "
    "video:height audio:src audio:controls ol:start ol:type ol:reversed li:value ul:type "
    "td:colspan td:rowspan td:headers td:scope "
    "td:valign td:width td:height td:bgcolor th:colspan th:rowspan th:headers th:scope th:valign "
    "th:width th:height th:bgcolor "
    "table:border table:cellpadding table:cellspacing table:width table:bgcolor col:span col:width "
    "colgroup:span colgroup:width "
    "blockquote:cite q:cite del:cite del:datetime ins:cite ins:datetime time:datetime details:open "
    "font:color font:face font:size "
    "hr:width hr:size hr:color hr:noshade br:clear pre:width tr:bgcolor tr:valign tbody:valign "
    "thead:valign tfoot:valign dl:compact "
    "ul:compact ol:compact bdo:dir data:value ";

static const char url_attributes[] = " href src poster cite ";

/* What CSS may say: looks of text and boxes, nothing that loads, moves or covers. */
static const char allowed_properties[] =
    " azimuth background-color border border-bottom border-bottom-color border-bottom-style "
    "border-bottom-width border-collapse "
    "border-color border-left border-left-color border-left-style border-left-width border-radius "
    "border-right border-right-color "
    "border-right-style border-right-width border-spacing border-style border-top border-top-color "
    "border-top-style "
    "border-top-width border-width caption-side clear color cursor direction display elevation "
    "empty-cells float font font-family "
    "font-size font-style font-variant font-weight height letter-spacing line-height list-style "
    "list-style-type margin "
    "margin-bottom margin-left margin-right margin-top max-height max-width min-height min-width "
    "overflow padding padding-bottom "
    "padding-left padding-right padding-top pause pause-after pause-before pitch pitch-range "
    "richness speak speak-header "
    "speak-numeral speak-punctuation speech-rate stress table-layout text-align text-decoration "
    "text-indent text-transform "
    "unicode-bidi vertical-align voice-family volume white-space width word-break word-spacing "
    "word-wrap ";

static bool is_among(const char *words, const char *prefix, const char *name, size_t len)
{
    char wanted[64];
    int n = snprintf(wanted, sizeof(wanted), " %s%.*s ", prefix, (int)(len > 40 ? 40 : len), name);

    if (len == 0 || len > 40 || n >= (int)sizeof(wanted))
        return false;
    for (char *c = wanted; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return strstr(words, wanted) != NULL;
}

struct sanitizer {
    struct kns_arena *arena;
    const char *base;
    struct kns_buf out;
    bool failed;
};

static void add_escaped(struct kns_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            kns_buf_adds(out, "&amp;");
            break;
        case '<':
            kns_buf_adds(out, "&lt;");
            break;
        case '>':
            kns_buf_adds(out, "&gt;");
            break;
        case '"':
            kns_buf_adds(out, "&quot;");
            break;
        case '`': /* an old browser took it for a quote */
            kns_buf_adds(out, "&#96;");
            break;
        default:
            if ((unsigned char)*text >= 0x20 || *text == '\n' || *text == '\t')
                kns_buf_addc(out, *text);
        }
    }
}

/* A URL that may stand in a document: relative, or of a scheme that does nothing but fetch or write a mail. NULL: it may not. */
static const char *safe_url(struct sanitizer *s, const char *element, const char *value)
{
    static const char schemes[] = " http https mailto tel ftp ftps news irc ircs xmpp sip sips "
                                  "gemini gopher magnet feed webcal geo ";
    const char *url = kns_url_resolve(s->arena, s->base, value);

    s->failed = s->failed || url == NULL;
    if (url == NULL || *url == '\0')
        return NULL;
    for (const char *c = url; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            return NULL;
    if (!kns_url_has_scheme(url)) {
        /* "java script:…" has no scheme, and no browser of today reads one; it is no address either. */
        size_t first = strcspn(url, ":/?#");
        return url[first] == ':' ? NULL : url;
    }
    /* "feed:" may stand before another address. */
    if (strncasecmp(url, "feed:", 5) == 0 && strncmp(url + 5, "//", 2) != 0 &&
        !kns_url_is_web(url + 5))
        return NULL;
    if (is_among(schemes, "", url, strcspn(url, ":")))
        return url;
    bool picture = strcmp(element, "img") == 0 && strncasecmp(url, "data:image/", 11) == 0 &&
                   strncasecmp(url, "data:image/svg", 14) != 0;
    return picture ? url : NULL;
}

/* What a length may be: of a page's size, so that nothing is pushed out of it. */
static long most_of_unit(const char *unit, size_t len)
{
    if (len == 0 ||
        (len == 2 && (strncasecmp(unit, "px", 2) == 0 || strncasecmp(unit, "pt", 2) == 0)))
        return 2000;
    return *unit == '%' ? 400 : 100;
}

/* The number at at, with its unit; *ret_len its length. False: more than a page wants. */
static bool is_modest_number(const char *at, size_t left, size_t *ret_len)
{
    size_t digits = 0, unit = 0;
    long number = 0;

    for (; digits < left && (isdigit((unsigned char)at[digits]) || at[digits] == '.'); digits++)
        if (number < 100000 && memchr(at, '.', digits) == NULL && at[digits] != '.')
            number = number * 10 + (at[digits] - '0');
    while (digits + unit < left &&
           (isalpha((unsigned char)at[digits + unit]) || at[digits + unit] == '%'))
        unit++;
    *ret_len = digits + unit;
    /* "1e9": what looks like a unit of one letter is an exponent. */
    return number <= most_of_unit(at + digits, unit) && unit != 1 + (size_t)(at[digits] == '%');
}

/* A value that stays where it stands: colours are the only functions, no length is negative or beyond a page's. */
static bool is_modest(const char *value, size_t size)
{
    static const char functions[] = " rgb rgba hsl hsla ";
    size_t len = 0;

    for (size_t i = 0; i < size; i += len) {
        char c = value[i];
        len = 1;
        if (isdigit((unsigned char)c) || c == '.') {
            if (!is_modest_number(value + i, size - i, &len))
                return false;
        } else if (c == '-' && i + 1 < size && strchr("0123456789.", value[i + 1]) != NULL) {
            return false;
        } else if (isalpha((unsigned char)c) || c == '#') {
            while (i + len < size &&
                   (isalnum((unsigned char)value[i + len]) || value[i + len] == '-'))
                len++;
            if (i + len < size && value[i + len] == '(' && !is_among(functions, "", value + i, len))
                return false;
        }
    }
    return true;
}

/* One declaration "property: value"; written when the table and the value allow it. */
static void add_declaration(struct kns_buf *out, const char *text, size_t len)
{
    const char *colon = memchr(text, ':', len);

    if (colon == NULL)
        return;
    while (text < colon && isspace((unsigned char)*text))
        text++, len--;
    size_t name = (size_t)(colon - text);
    while (name > 0 && isspace((unsigned char)text[name - 1]))
        name--;
    const char *value = colon + 1;
    size_t size = len - (size_t)(value - text);
    while (size > 0 && isspace((unsigned char)*value))
        value++, size--;
    while (size > 0 && isspace((unsigned char)value[size - 1]))
        size--;
    if (size == 0 || size > 200 || !is_among(allowed_properties, "", text, name))
        return;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)value[i]) && strchr(" #%.,-+()'\"", value[i]) == NULL)
            return; /* escapes, comments, braces, slashes, "!important", non-ASCII */
    if (!is_modest(value, size))
        return;
    if (out->len > 0)
        kns_buf_addc(out, ' ');
    for (size_t i = 0; i < name; i++)
        kns_buf_addc(out, (char)tolower((unsigned char)text[i]));
    kns_buf_adds(out, ": ");
    kns_buf_add(out, value, size);
    kns_buf_addc(out, ';');
}

static const char *safe_style(struct sanitizer *s, const char *style)
{
    struct kns_buf out = {0};

    while (*style != '\0') {
        size_t len = strcspn(style, ";");
        add_declaration(&out, style, len);
        style += len + (style[len] == ';');
    }
    const char *text = out.len == 0 ? NULL : kns_arena_copy(s->arena, out.data, out.len);
    kns_buf_fini(&out);
    return text;
}

/* Each candidate of a srcset must be a safe URL with a plain descriptor; else all of it goes. */
static const char *safe_srcset(struct sanitizer *s, const char *value)
{
    struct kns_buf out = {0};
    bool good = true;

    while (good && value[strspn(value, " \t\r\n,")] != '\0') {
        value += strspn(value, " \t\r\n,");
        size_t len = strcspn(value, " \t\r\n");
        size_t url_len = len;
        while (url_len > 0 && value[url_len - 1] == ',')
            url_len--;
        char *url = kns_arena_copy(s->arena, value, url_len);
        const char *safe = url == NULL ? NULL : safe_url(s, "source", url);
        good = safe != NULL && strchr(safe, ',') == NULL;
        value += len;
        if (good)
            kns_buf_addf(&out, "%s%s", out.len > 0 ? ", " : "", safe);
        if (url_len < len)
            continue;
        value += strspn(value, " \t\r\n");
        size_t descriptor = strcspn(value, ",");
        while (descriptor > 0 && isspace((unsigned char)value[descriptor - 1]))
            descriptor--;
        for (size_t i = 0; good && i < descriptor; i++)
            good = isalnum((unsigned char)value[i]) || strchr(". ", value[i]) != NULL;
        if (good && descriptor > 0)
            kns_buf_addf(&out, " %.*s", (int)descriptor, value);
        value += strcspn(value, ",");
    }
    const char *text = good && out.len > 0 ? kns_arena_copy(s->arena, out.data, out.len) : NULL;
    kns_buf_fini(&out);
    return text;
}

/* Attributes that are a number, and how much of it a page can bear. */
static const struct {
    const char *name;
    long most;
} numbers[] = {
    {"width", 2000},     {"height", 2000}, {"border", 50},    {"cellpadding", 50},
    {"cellspacing", 50}, {"hspace", 50},   {"vspace", 50},    {"size", 50},
    {"span", 100},       {"colspan", 100}, {"rowspan", 1000},
};

static bool is_bearable(const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (strcasecmp(numbers[i].name, name) == 0)
            return strtol(value, NULL, 10) >= 0 && strtol(value, NULL, 10) <= numbers[i].most;
    return true;
}

static const char *safe_value(struct sanitizer *s, const char *element, const char *name,
                              const char *value)
{
    if (strcasecmp(name, "style") == 0)
        return safe_style(s, value);
    if (strcasecmp(name, "srcset") == 0)
        return safe_srcset(s, value);
    if (is_among(url_attributes, "", name, strlen(name)))
        return safe_url(s, element, value);
    return is_bearable(name, value) ? value : NULL;
}

static void add_attribute(struct sanitizer *s, const char *name, const char *value)
{
    kns_buf_addc(&s->out, ' ');
    for (; *name != '\0'; name++)
        kns_buf_addc(&s->out, (char)tolower((unsigned char)*name));
    kns_buf_adds(&s->out, "=\"");
    add_escaped(&s->out, value);
    kns_buf_addc(&s->out, '"');
}

static bool is_allowed_attribute(const char *element, const char *name)
{
    char prefix[24];

    snprintf(prefix, sizeof(prefix), "%s:", element);
    return is_among(allowed_attributes, "*:", name, strlen(name)) ||
           is_among(allowed_attributes, prefix, name, strlen(name));
}

static void add_start(struct sanitizer *s, const GumboElement *element, const char *name)
{
    kns_buf_addf(&s->out, "<%s", name);
    for (unsigned i = 0; i < element->attributes.length; i++) {
        const GumboAttribute *attribute = element->attributes.data[i];
        if (attribute->attr_namespace != GUMBO_ATTR_NAMESPACE_NONE ||
            !is_allowed_attribute(name, attribute->name))
            continue;
        const char *value = safe_value(s, name, attribute->name, attribute->value);
        if (value != NULL)
            add_attribute(s, attribute->name, value);
    }
    if (strcmp(name, "a") == 0)
        kns_buf_adds(&s->out, " rel=\"noopener noreferrer\"");
    kns_buf_addc(&s->out, '>');
}

static bool is_tiny(const char *length)
{
    return length != NULL && (strcmp(length, "0") == 0 || strcmp(length, "1") == 0 ||
                              strcmp(length, "1px") == 0 || strcmp(length, "0px") == 0);
}

bool is_tracking_picture(const struct picture *p)
{
    static const char *const beacons[] = {
        "feeds.feedburner.com/~r/",
        "feeds.wordpress.com/1.0/",
        "stats.wordpress.com/",
        "pixel.wp.com/",
        "pixel.quantserve.com/",
        "google-analytics.com/",
        "feedsportal.com/",
        "doubleclick.net/",
        "/open.aspx?",
        "list-manage.com/track/open",
        "feedburner.com/~ff/",
        "medium.com/_/stat",
        "b.scorecardresearch.com/",
        NULL,
    };

    return is_tiny(p->width) || is_tiny(p->height) || tag_holds_mark(p->src, beacons);
}

/* A style that makes a picture as small as a pixel, or hides it. */
static bool is_hidden_by(const char *style)
{
    static const char *const marks[] = {";width:0;",      ";width:0px;",        ";width:1px;",
                                        ";height:0;",     ";height:0px;",       ";height:1px;",
                                        ";display:none;", ";visibility:hidden;"};
    char plain[256] = ";";
    size_t len = 1;

    for (; style != NULL && *style != '\0' && len < sizeof(plain) - 2; style++)
        if (!isspace((unsigned char)*style))
            plain[len++] = (char)tolower((unsigned char)*style);
    plain[len] = ';';
    plain[len + 1] = '\0';
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (strstr(plain, marks[i]) != NULL)
            return true;
    return false;
}

static bool is_worth_showing(const GumboNode *image)
{
    const struct picture p = {.src = attribute_of(image, "src"),
                              .width = attribute_of(image, "width"),
                              .height = attribute_of(image, "height")};

    return p.src != NULL && !is_tracking_picture(&p) && !is_hidden_by(attribute_of(image, "style"));
}

static bool is_void(const char *name)
{
    return is_among(" area br col hr img source wbr ", "", name, strlen(name));
}

static void enter(struct sanitizer *s, struct walk *walk)
{
    const GumboElement *element = &walk->node->v.element;
    size_t len;
    const char *name = element_name(element, &len);

    if (element->tag_namespace != GUMBO_NAMESPACE_HTML || walk->node->type == GUMBO_NODE_TEMPLATE ||
        is_among(dropped_elements, "", name, len)) {
        /* gumbo puts stray content into body, so that nothing worth reading is lost with a head. */
        walk->skip = element->tag != GUMBO_TAG_HTML && element->tag != GUMBO_TAG_BODY;
        return;
    }
    if (element->tag == GUMBO_TAG_UNKNOWN || !is_among(allowed_elements, "", name, len))
        return;
    if (element->tag == GUMBO_TAG_IMG && !is_worth_showing(walk->node))
        return;
    add_start(s, element, name);
}

static void leave(struct sanitizer *s, const GumboNode *node)
{
    const GumboElement *element = &node->v.element;
    size_t len;
    const char *name = element_name(element, &len);

    if (element->tag_namespace != GUMBO_NAMESPACE_HTML || node->type == GUMBO_NODE_TEMPLATE ||
        element->tag == GUMBO_TAG_UNKNOWN || is_among(dropped_elements, "", name, len) ||
        !is_among(allowed_elements, "", name, len) || is_void(name))
        return;
    kns_buf_addf(&s->out, "</%s>", name);
}

/* A noscript that comes first would stand in the head, where it ends before what it holds. */
static const char *in_body(struct kns_arena *arena, const char *html)
{
    return strcasestr(html, "<noscript") == NULL ? html : kns_arena_printf(arena, "<body>%s", html);
}

const char *kns_html_sanitize(struct kns_arena *arena, const char *html, const char *base)
{
    struct sanitizer s = {.arena = arena, .base = base};
    struct tree tree;

    html = in_body(arena, html);
    if (html == NULL || !tree_open(&tree, html))
        return NULL;
    for (struct walk walk = walk_from(tree.output->root); walk.node != NULL; walk_next(&walk)) {
        const GumboNode *node = walk.node;
        bool text = node->type == GUMBO_NODE_TEXT || node->type == GUMBO_NODE_WHITESPACE ||
                    node->type == GUMBO_NODE_CDATA;
        if (text)
            add_escaped(&s.out, node->v.text.text);
        else if (children_of(node) != NULL && walk.leaving)
            leave(&s, node);
        else if (children_of(node) != NULL)
            enter(&s, &walk);
    }
    tree_close(&tree);
    const char *clean = s.failed || kns_buf_failed(&s.out)
                            ? NULL
                            : kns_arena_copy(arena, kns_buf_str(&s.out), s.out.len);
    kns_buf_fini(&s.out);
    return clean;
}
