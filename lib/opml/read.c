/* OPML in. The bytes become UTF-8 first, then expat reads them; a document that is not well-formed is mended where
 * people's lists usually break (stray '&', control characters) and read once more; what came before an end that
 * is missing is kept. */
#include "lib/opml.h"

#include "lib/charset.h"
#include "lib/date.h"
#include "lib/text.h"

#include <ctype.h>
#include <expat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
    struct kns_arena *arena;
    struct kns_opml *opml;
    XML_Parser parser;
    struct kns_opml_feed **by_url; /* open addressing, a power of two of slots, never full */
    size_t n_slots;
    const char *path[KNS_OPML_MAX_DEPTH + 1]; /* tag of the folders around; NULL: none */
    size_t depth;                             /* outlines open */
    size_t elements;                          /* elements open */
    bool seen_root, is_opml;
    const char *head; /* the element of <head> whose text is gathered; NULL */
    struct kns_buf text;
    enum kns_status status; /* why reading was stopped */
    const char *why;
};

static void stop(struct reader *r, enum kns_status status, const char *why)
{
    if (r->status != KNS_OK)
        return;
    r->status = status;
    r->why = why;
    XML_StopParser(r->parser, XML_FALSE);
}

/* ---- tags ---------------------------------------------------------------------------------------- */

static bool has_tag(const struct kns_opml_feed *feed, const char *tag)
{
    const struct kns_string *have;

    KNS_LIST_EACH(have, &feed->tags.list)
    if (strcmp(have->value, tag) == 0)
        return true;
    return false;
}

static void add_tag(struct reader *r, struct kns_opml_feed *feed, const char *tag)
{
    if (tag == NULL || *tag == '\0' || strlen(tag) > KNS_OPML_MAX_TAG ||
        feed->tags.list.count >= KNS_OPML_MAX_TAGS || has_tag(feed, tag))
        return;
    struct kns_string *node = KNS_NEW(r->arena, struct kns_string);
    if (node == NULL) {
        stop(r, KNS_ENOMEM, "out of memory");
        return;
    }
    node->value = tag;
    KNS_LIST_APPEND(&feed->tags.list, node);
}

/* category="a,/b/c,d\,e": separated by commas, a leading '/' is OPML's own (2.0, category), '\' escapes. */
static void add_categories(struct reader *r, struct kns_opml_feed *feed, const char *text)
{
    struct kns_buf tag = {0};

    for (;; text++) {
        if (*text == '\\' && (text[1] == ',' || text[1] == '\\')) {
            kns_buf_addc(&tag, *++text);
            continue;
        }
        if (*text != ',' && *text != '\0') {
            kns_buf_addc(&tag, *text);
            continue;
        }
        const char *value = kns_text_squeeze(r->arena, kns_buf_str(&tag));
        if (value == NULL || kns_buf_failed(&tag))
            stop(r, KNS_ENOMEM, "out of memory");
        else
            add_tag(r, feed, value + (*value == '/'));
        kns_buf_reset(&tag);
        if (*text == '\0')
            break;
    }
    kns_buf_fini(&tag);
}

/* ---- feeds --------------------------------------------------------------------------------------- */

static size_t slot_of(const struct reader *r, const char *url)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *c = url; *c != '\0'; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    size_t slot = (size_t)(hash ^ hash >> 32) & (r->n_slots - 1);
    while (r->by_url[slot] != NULL && strcmp(r->by_url[slot]->url, url) != 0)
        slot = (slot + 1) & (r->n_slots - 1);
    return slot;
}

static bool grow_table(struct reader *r)
{
    struct kns_opml_feed *feed;
    size_t n_slots = r->n_slots == 0 ? 256 : r->n_slots * 4;
    struct kns_opml_feed **table = calloc(n_slots, sizeof(struct kns_opml_feed *));

    if (table == NULL)
        return false;
    free(r->by_url);
    r->by_url = table;
    r->n_slots = n_slots;
    KNS_LIST_EACH(feed, &r->opml->feeds)
    table[slot_of(r, feed->url)] = feed;
    return true;
}

/* The feed of a URL, new at the end of the list when it was not there. */
static struct kns_opml_feed *feed_of(struct reader *r, const char *url)
{
    if (r->opml->feeds.count * 2 >= r->n_slots && !grow_table(r))
        return NULL;
    size_t slot = slot_of(r, url);
    if (r->by_url[slot] != NULL) {
        r->opml->repeats++;
        return r->by_url[slot];
    }
    struct kns_opml_feed *feed = KNS_NEW(r->arena, struct kns_opml_feed);
    if (feed == NULL)
        return NULL;
    feed->url = url;
    r->by_url[slot] = feed;
    KNS_LIST_APPEND(&r->opml->feeds, feed);
    return feed;
}

/* Attribute names in any case: lists in the wild write xmlurl and htmlURL. */
static const char *attribute(const char **attributes, const char *name)
{
    for (; *attributes != NULL; attributes += 2)
        if (strcasecmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

/* The first of two attributes that says something, as one line; NULL when none does. */
static const char *line_of(struct reader *r, const char **attributes, const char *name,
                           const char *other)
{
    const char *raw = attribute(attributes, name);

    if ((raw == NULL || raw[strspn(raw, " \t\r\n")] == '\0') && other != NULL)
        raw = attribute(attributes, other);
    if (raw == NULL)
        return NULL;
    const char *text = kns_text_squeeze(r->arena, raw);
    if (text == NULL)
        stop(r, KNS_ENOMEM, "out of memory");
    return text != NULL && *text != '\0' ? text : NULL;
}

static void add_feed(struct reader *r, const char *url, const char **attributes)
{
    const char *title = line_of(r, attributes, "title", "text");
    const char *categories = attribute(attributes, "category");

    if (r->opml->feeds.count >= KNS_OPML_MAX_FEEDS) {
        stop(r, KNS_ELIMIT, "more feeds than a list may hold");
        return;
    }
    struct kns_opml_feed *feed = feed_of(r, url);
    if (feed == NULL) {
        stop(r, KNS_ENOMEM, "out of memory");
        return;
    }
    if (feed->title == NULL && title != NULL && strcmp(title, url) != 0)
        feed->title = title;
    if (feed->home_page_url == NULL)
        feed->home_page_url = line_of(r, attributes, "htmlUrl", NULL);
    if (feed->description == NULL)
        feed->description = line_of(r, attributes, "description", NULL);
    add_tag(r, feed, r->path[r->depth]);
    if (categories != NULL)
        add_categories(r, feed, categories);
}

/* What is inside of the outline has the tag of its folder. */
static void open_outline(struct reader *r, const char **attributes)
{
    const char *outer = r->path[r->depth];
    const char *url = line_of(r, attributes, "xmlUrl", NULL);
    const char *inner = outer;

    if (url != NULL) {
        add_feed(r, url, attributes);
    } else {
        const char *name = line_of(r, attributes, "text", "title");
        if (name != NULL && outer != NULL)
            inner = kns_arena_printf(r->arena, "%s/%s", outer, name);
        else if (name != NULL)
            inner = name;
        if (inner == NULL && outer != NULL)
            stop(r, KNS_ENOMEM, "out of memory");
    }
    if (r->depth + 1 > KNS_OPML_MAX_DEPTH) {
        stop(r, KNS_ELIMIT, "outlines are nested too deep");
        return;
    }
    r->path[++r->depth] = inner;
}

/* ---- expat --------------------------------------------------------------------------------------- */

static void on_open(void *ctx, const char *name, const char **attributes)
{
    struct reader *r = ctx;

    if (!r->seen_root) {
        r->seen_root = true;
        r->is_opml = strcasecmp(name, "opml") == 0;
        if (!r->is_opml)
            stop(r, KNS_ENOTFEED, "XML, but no OPML");
    }
    if (++r->elements > KNS_OPML_MAX_DEPTH + 8)
        stop(r, KNS_ELIMIT, "elements are nested too deep");
    if (r->status != KNS_OK)
        return;
    if (strcasecmp(name, "outline") == 0) {
        open_outline(r, attributes);
    } else if (strcasecmp(name, "title") == 0 || strcasecmp(name, "dateCreated") == 0 ||
               strcasecmp(name, "dateModified") == 0) {
        r->head = name;
        kns_buf_reset(&r->text);
    }
}

static void on_text(void *ctx, const char *text, int len)
{
    struct reader *r = ctx;

    if (r->head != NULL)
        kns_buf_add(&r->text, text, (size_t)len);
}

static void close_head(struct reader *r, const char *name)
{
    const char *text = kns_text_squeeze(r->arena, kns_buf_str(&r->text));
    struct kns_time time;

    r->head = NULL;
    if (text == NULL || kns_buf_failed(&r->text)) {
        stop(r, KNS_ENOMEM, "out of memory");
        return;
    }
    if (strcasecmp(name, "title") == 0) {
        if (r->opml->title == NULL && *text != '\0')
            r->opml->title = text;
    } else if (kns_date_parse(text, &time) &&
               (!kns_time_given(r->opml->date) || strcasecmp(name, "dateModified") == 0)) {
        r->opml->date = time;
    }
}

static void on_close(void *ctx, const char *name)
{
    struct reader *r = ctx;

    if (r->elements > 0)
        r->elements--;
    if (strcasecmp(name, "outline") == 0 && r->depth > 0)
        r->depth--;
    else if (r->head != NULL)
        close_head(r, name);
}

/* No entity of the document's own is ever expanded: lists need none, attacks do. */
static void on_entity(void *ctx, const char *name, int is_parameter, const char *value, int len,
                      const char *base, const char *system, const char *public,
                      const char *notation)
{
    (void)name, (void)value, (void)len, (void)is_parameter, (void)base;
    (void)system, (void)public, (void)notation;
    stop(ctx, KNS_ESYNTAX, "it declares entities");
}

/* Reads utf8 once. *ret_line is where it ended, *ret_xml what expat says. */
static enum kns_status read_once(struct reader *r, const struct kns_buf *utf8, size_t *ret_line,
                                 const char **ret_xml)
{
    *ret_xml = NULL;
    r->parser = XML_ParserCreate("UTF-8");
    if (r->parser == NULL)
        return KNS_ENOMEM;
    XML_SetUserData(r->parser, r);
    XML_SetElementHandler(r->parser, on_open, on_close);
    XML_SetCharacterDataHandler(r->parser, on_text);
    XML_SetEntityDeclHandler(r->parser, on_entity);
    if (XML_Parse(r->parser, kns_buf_str(utf8), (int)utf8->len, XML_TRUE) != XML_STATUS_OK)
        *ret_xml = XML_ErrorString(XML_GetErrorCode(r->parser));
    *ret_line = (size_t)XML_GetCurrentLineNumber(r->parser);
    XML_ParserFree(r->parser);
    kns_buf_fini(&r->text);
    free(r->by_url);
    if (r->status != KNS_OK)
        return r->status;
    return *ret_xml == NULL ? KNS_OK : KNS_ESYNTAX;
}

/* ---- mending ------------------------------------------------------------------------------------- */

static bool is_reference(const char *text)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strncmp(text, known[i], strlen(known[i])) == 0)
            return true;
    if (text[1] != '#')
        return false;
    bool hex = text[2] == 'x';
    const char *digits = text + (hex ? 3 : 2);
    size_t len = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    return len > 0 && len < 8 && digits[len] == ';';
}

static void mend(const struct kns_buf *utf8, struct kns_buf *out)
{
    const char *end = utf8->data + utf8->len;

    for (const char *c = utf8->data; c < end; c++) {
        if (*c == '&' && !is_reference(c))
            kns_buf_adds(out, "&amp;");
        else if ((unsigned char)*c >= 0x20 || *c == '\t' || *c == '\n' || *c == '\r')
            kns_buf_addc(out, *c);
    }
}

static enum kns_status report(const struct reader *r, enum kns_status status, size_t line,
                              const char *xml, struct kns_error *err)
{
    if (status == KNS_ESYNTAX && !r->seen_root)
        status = KNS_ENOTFEED;
    return kns_fail(err, status, "OPML: line %zu: %s", line,
                    r->why != NULL ? r->why : (xml != NULL ? xml : kns_status_name(status)));
}

static enum kns_status read_text(struct kns_arena *arena, const struct kns_buf *utf8,
                                 struct kns_opml *ret_opml, struct kns_error *err)
{
    struct reader r = {.arena = arena, .opml = ret_opml};
    size_t line = 0;
    const char *xml = NULL;
    enum kns_status status = read_once(&r, utf8, &line, &xml);

    if (status != KNS_ESYNTAX || r.why != NULL)
        return status == KNS_OK ? KNS_OK : report(&r, status, line, xml, err);
    struct kns_buf mended = {0};
    mend(utf8, &mended);
    if (kns_buf_failed(&mended)) {
        kns_buf_fini(&mended);
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    }
    *ret_opml = (struct kns_opml){.repaired = true};
    r = (struct reader){.arena = arena, .opml = ret_opml};
    status = read_once(&r, &mended, &line, &xml);
    kns_buf_fini(&mended);
    if (status == KNS_OK)
        return KNS_OK;
    if (status == KNS_ESYNTAX && r.why == NULL && ret_opml->feeds.count > 0) {
        ret_opml->cut_line = line;
        ret_opml->cut_why = xml;
        return KNS_OK;
    }
    return report(&r, status, line, xml, err);
}

enum kns_status kns_opml_read(struct kns_arena *arena, const char *bytes, size_t size,
                              struct kns_opml *ret_opml, struct kns_error *err)
{
    struct kns_buf utf8;

    if (size > KNS_OPML_MAX_BYTES)
        return kns_fail(err, KNS_ELIMIT, "OPML: %zu bytes, more than %u", size, KNS_OPML_MAX_BYTES);
    kns_buf_init(&utf8, (size_t)KNS_OPML_MAX_BYTES * 3);
    enum kns_status status = kns_decode(NULL, bytes, size, &utf8, err);
    if (status == KNS_OK && utf8.len == 0)
        status = kns_fail(err, KNS_ENOTFEED, "OPML: the document is empty");
    if (status == KNS_OK)
        status = read_text(arena, &utf8, ret_opml, err);
    kns_buf_fini(&utf8);
    return status;
}
