/* From bytes to a document. The happy path: decode, feed expat as text comes, build. When expat refuses, the text (kept, bounded)
 * is read again from its start by the lenient reader into a new document. JSON is kept and read at the end.
 *
 *   SNIFFING --'<'--> STRICT --not well-formed--> LENIENT
 *       |             |   ^
 *       |    a scrap of HTML, a feed's beginning behind it
 *       |             v   |
 *       |            SEEKING
 *       \---'{'-----> JSON
 */
#include "lib/parse.h"

#include "lib/charset.h"
#include "lib/html.h"
#include "lib/jsonfeed.h"
#include "lib/parse/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The model of a document is larger than its text by pointers and lists, not by orders. */
#define ARENA_PER_BYTE 8
#define ARENA_LEAST ((size_t)4 << 20)

/* Room for the text of most documents, so that it is not moved while it grows. */
#define TEXT_FIRST (((size_t)256 << 10) - 64)

/* How far a warning that a server's program printed may push the document back. */
#define SEEK_BYTES ((size_t)64 << 10)
#define XML_DECLARATION "<?xml "
#define MAX_BEGINNINGS 8 /* tried behind scraps of HTML */

enum state { SNIFFING, STRICT, SEEKING, LENIENT, JSON };

struct kns_parser {
    char *base_url;
    size_t max_bytes;
    struct kns_decoder *decoder;
    struct kns_buf text; /* all of it, decoded */
    size_t start;        /* of the document in text: what stands before is junk */
    size_t read;         /* how much of text expat has had */
    size_t sought;       /* up to here no beginning was found */
    int beginnings;      /* tried so far */
    enum state state;
    struct kns_document *document;
    struct builder *builder;
    struct strict *strict;
    int64_t error_line;
    char error[200]; /* why the document is read leniently */
};

/* JSON is UTF-8, whatever charset its type names (RFC 8259 8.1 and 11). */
static bool is_json_type(const char *content_type)
{
    size_t len = content_type == NULL ? 0 : strcspn(content_type, "; \t");

    return len > 4 && strncasecmp(content_type + len - 4, "json", 4) == 0;
}

struct kns_parser *kns_parser_new(const struct kns_parse_options *options)
{
    static const struct kns_parse_options none;
    struct kns_parser *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return NULL;
    if (options == NULL)
        options = &none;
    p->max_bytes = options->max_bytes == 0 ? KNS_PARSE_MAX_BYTES : options->max_bytes;
    kns_buf_init(&p->text, p->max_bytes);
    p->base_url = options->base_url == NULL ? NULL : strdup(options->base_url);
    p->decoder =
        kns_decoder_new(is_json_type(options->content_type) ? NULL : options->content_type);
    if (p->decoder == NULL || (options->base_url != NULL && p->base_url == NULL)) {
        kns_parser_free(p);
        return NULL;
    }
    return p;
}

static void drop_build(struct kns_parser *p)
{
    kns_strict_free(p->strict);
    kns_builder_free(p->builder);
    kns_document_free(p->document);
    p->strict = NULL;
    p->builder = NULL;
    p->document = NULL;
}

void kns_parser_free(struct kns_parser *p)
{
    if (p == NULL)
        return;
    drop_build(p);
    kns_decoder_free(p->decoder);
    kns_buf_fini(&p->text);
    free(p->base_url);
    free(p);
}

static enum kns_status begin_build(struct kns_parser *p, struct kns_error *err)
{
    drop_build(p);
    p->document = kns_document_new(p->max_bytes * ARENA_PER_BYTE + ARENA_LEAST);
    p->builder = p->document == NULL ? NULL : kns_builder_new(p->document, p->base_url);
    return p->builder == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;
}

/* Before a document only white space may stand, and before an XML declaration nothing (XML 1.0 2.8). */
static bool is_junk_before(const char *text, size_t at)
{
    return at > 0 && (strspn(text, " \t\r\n") < at ||
                      strncmp(text + at, XML_DECLARATION, sizeof(XML_DECLARATION) - 1) == 0);
}

/* The document begins at an offset of text. */
static enum kns_status begin_xml(struct kns_parser *p, size_t at, struct kns_error *err)
{
    enum kns_status status = begin_build(p, err);

    if (status != KNS_OK)
        return status;
    p->start = p->read = at;
    p->state = STRICT;
    if (is_junk_before(p->text.data, at)) {
        kns_builder_warn(p->builder, 1, "something stands before the document's beginning");
        p->document->malformed = true;
    }
    p->strict = kns_strict_new(p->builder);
    return p->strict == NULL ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;
}

/* What stands before the first '<' or '{' is passed over. */
static enum kns_status sniff(struct kns_parser *p, bool last, struct kns_error *err)
{
    const char *text = kns_buf_str(&p->text);
    size_t at = strspn(text, " \t\r\n");

    if (text[at] == '{') {
        p->state = JSON;
        p->start = at;
        return KNS_OK;
    }
    const char *tag = memchr(text, '<', p->text.len);
    size_t before = tag == NULL ? 0 : (size_t)(tag - text);
    /* Not before it shows whether this is an XML declaration. */
    if (tag == NULL || (!last && before > 0 && p->text.len - before < sizeof(XML_DECLARATION) - 1))
        return KNS_OK;
    return begin_xml(p, before, err);
}

/* A program's warning ("<br />\n<b>Warning</b>: …") rather than a page or some other XML. */
static bool is_scrap_of_html(struct kns_parser *p)
{
    static const char *const pages[] = {"html", "head", "body", "frameset"};
    const char *root = kns_builder_root(p->builder);
    const char *tag = kns_arena_printf(p->document->arena, "<%s>", root);

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (strcasecmp(root, pages[i]) == 0)
            return false;
    return tag != NULL && kns_html_looks_like_html(tag);
}

static bool begins_feed(const char *at, size_t len)
{
    static const char *const beginnings[] = {"<?xml", "<rss", "<feed", "<rdf:RDF"};

    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        size_t size = strlen(beginnings[i]);
        if (len > size && memcmp(at, beginnings[i], size) == 0 &&
            strchr(" \t\r\n>", at[size]) != NULL)
            return true;
    }
    return false;
}

/* The next place in the text where a feed may begin; 0: none so far. */
static size_t find_beginning(struct kns_parser *p)
{
    const size_t longest = sizeof("<rdf:RDF>");
    size_t end = p->text.len < SEEK_BYTES ? p->text.len : SEEK_BYTES;

    if (p->beginnings == MAX_BEGINNINGS)
        return 0;
    for (size_t at = p->sought > p->start ? p->sought : p->start + 1; at < end; at++)
        if (p->text.data[at] == '<' && begins_feed(p->text.data + at, end - at))
            return at;
    /* What stands at the very end may be the first half of one. */
    p->sought = end > longest ? end - longest : 0;
    return 0;
}

/* Lines before the document's start, which the reader does not count. */
static int64_t lines_before(const struct kns_parser *p)
{
    int64_t lines = 0;

    for (size_t i = 0; i < p->start; i++)
        lines += p->text.data[i] == '\n';
    return lines;
}

static enum kns_status read_strict(struct kns_parser *p, bool last, struct kns_error *err)
{
    struct kns_error why = {0};
    int64_t line = 0;
    enum kns_status status = kns_strict_read(p->strict, p->text.data + p->read,
                                             p->text.len - p->read, last, &line, &why);

    p->read = p->text.len;
    if (status == KNS_OK)
        return KNS_OK;
    if (status == KNS_ENOTFEED && is_scrap_of_html(p)) {
        p->state = SEEKING;
        return KNS_OK;
    }
    if (status != KNS_ESYNTAX) {
        if (err != NULL)
            *err = why;
        return status;
    }
    p->state = LENIENT;
    p->error_line = line + lines_before(p);
    snprintf(p->error, sizeof(p->error), "%.190s", why.message);
    return KNS_OK;
}

/* Behind a scrap of HTML: on with the next beginning, as soon as it is there. */
static enum kns_status seek(struct kns_parser *p, bool last, struct kns_error *err)
{
    size_t at = find_beginning(p);

    if (at > 0) {
        p->beginnings++;
        return begin_xml(p, at, err);
    }
    if (!last && p->text.len < SEEK_BYTES)
        return KNS_OK;
    return kns_fail(err, KNS_ENOTFEED, "the root element is <%s>, which is no feed's",
                    kns_builder_root(p->builder));
}

static enum kns_status read_on(struct kns_parser *p, bool last, struct kns_error *err)
{
    enum kns_status status = p->state == SNIFFING ? sniff(p, last, err) : KNS_OK;
    bool again;

    do {
        if (status == KNS_OK && p->state == SEEKING)
            status = seek(p, last, err);
        bool unread = p->state == STRICT && (last || p->read < p->text.len);
        if (status == KNS_OK && unread)
            status = read_strict(p, last, err);
        again = unread && p->state == SEEKING;
    } while (status == KNS_OK && again);
    return status;
}

enum kns_status kns_parser_write(struct kns_parser *p, const void *bytes, size_t size,
                                 struct kns_error *err)
{
    if (p->text.cap == 0 && size > 0)
        kns_buf_reserve(&p->text, p->max_bytes < TEXT_FIRST ? p->max_bytes : TEXT_FIRST);
    enum kns_status status = kns_decoder_write(p->decoder, bytes, size, &p->text, err);

    if (status != KNS_OK)
        return status == KNS_ELIMIT
                   ? kns_fail(err, KNS_ELIMIT, "larger than the limit of %zu bytes", p->max_bytes)
                   : status;
    return read_on(p, false, err);
}

static enum kns_status read_leniently(struct kns_parser *p, bool cut, struct kns_error *err)
{
    enum kns_status status = begin_build(p, err);

    if (status != KNS_OK)
        return status;
    p->document->malformed = true;
    kns_builder_warn(p->builder, p->error_line, p->error);
    kns_lenient_read(p->builder, p->text.data + p->start, p->text.len - p->start,
                     1 + lines_before(p));
    /* Where the root is still open the document was cut, and an entry that is open too is not whole. */
    p->document->cut = cut || kns_builder_depth(p->builder) > 0;
    kns_builder_finish(p->builder, p->document->cut);
    return KNS_OK;
}

/* What the bytes are, when they are no feed. */
static enum kns_status not_a_feed(const struct kns_parser *p, struct kns_error *err)
{
    const char *text = kns_buf_str(&p->text);

    if (text[strspn(text, " \t\r\n")] == '\0')
        return kns_fail(err, KNS_ENOTFEED, "not a feed: the document is empty");
    if (kns_html_is_page(text, p->text.len))
        return kns_fail(err, KNS_ENOTFEED, "not a feed: an HTML page");
    const char *root = p->builder == NULL ? NULL : kns_builder_root(p->builder);
    if (root != NULL)
        return kns_fail(err, KNS_ENOTFEED, "not a feed: XML whose root element is <%s>", root);
    return kns_fail(err, KNS_ENOTFEED, "not a feed: neither XML nor JSON");
}

static enum kns_status finish_json(struct kns_parser *p, struct kns_error *err)
{
    enum kns_status status = begin_build(p, err);

    if (status != KNS_OK)
        return status;
    status = kns_jsonfeed_read(p->document, p->text.data + p->start, p->text.len - p->start,
                               p->base_url, err);
    return status;
}

static enum kns_status finish_xml(struct kns_parser *p, bool cut, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    if (p->state == LENIENT) {
        status = read_leniently(p, cut, err);
    } else if (p->state == STRICT) {
        p->document->malformed = p->document->malformed || kns_strict_repaired(p->strict);
        kns_builder_finish(p->builder, cut);
    }
    if (status != KNS_OK)
        return status;
    if (p->builder == NULL || !kns_builder_is_feed(p->builder))
        return not_a_feed(p, err);
    if (kns_builder_failed(p->builder))
        return kns_fail(err, KNS_ELIMIT, "the document needs more memory than the limit allows");
    return KNS_OK;
}

enum kns_status kns_parser_finish(struct kns_parser *p, bool cut,
                                  struct kns_document **ret_document, struct kns_error *err)
{
    enum kns_status status = kns_decoder_finish(p->decoder, &p->text, err);

    if (status == KNS_OK)
        status = read_on(p, true, err);
    if (status == KNS_ENOTFEED)
        return not_a_feed(p, err);
    if (status != KNS_OK)
        return status;
    status = p->state == JSON ? finish_json(p, err) : finish_xml(p, cut, err);
    if (status != KNS_OK)
        return status;
    struct kns_document *document = p->document;
    document->encoding = kns_decoder_encoding(p->decoder);
    document->cut = document->cut || cut;
    if (kns_decoder_repaired(p->decoder)) {
        document->malformed = true;
        kns_builder_warn(p->builder, 0,
                         "bytes that are not of the declared encoding were replaced, or the "
                         "encoding was overruled");
    }
    p->document = NULL;
    *ret_document = document;
    return KNS_OK;
}

enum kns_status kns_parse(const struct kns_parse_options *options, const void *bytes, size_t size,
                          struct kns_document **ret_document, struct kns_error *err)
{
    struct kns_parser *p = kns_parser_new(options);

    if (p == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_parser_write(p, bytes, size, err);
    if (status == KNS_OK || status == KNS_ENOTFEED)
        status = kns_parser_finish(p, false, ret_document, err);
    kns_parser_free(p);
    return status;
}
