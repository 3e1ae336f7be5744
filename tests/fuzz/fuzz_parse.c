/* Any bytes as a feed document: however they are cut into chunks, what comes out is the same, and is JSON in UTF-8. The first byte
 * chooses the Content-Type and whether there is a base; the bytes themselves say where they are cut. */
#include "lib/buf.h"
#include "lib/jsonfeed.h"
#include "lib/parse.h"
#include "lib/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HAS_BASE 0x80
#define SANITIZE 0x40

static const char *const content_types[] = {
    NULL,
    "application/rss+xml",
    "application/atom+xml; charset=utf-8",
    "text/xml; charset=iso-8859-1",
    "application/xml; charset=utf-16",
    "text/html; charset=shift_jis",
    "application/feed+json",
    "text/plain; charset=gb18030",
};

/* The document as JSON text, which the caller frees; NULL: it was no feed. */
static char *print(struct kns_document *document, bool sanitize)
{
    if (document == NULL)
        return NULL;
    json_t *json = kns_jsonfeed_from_document(document, sanitize);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    if (text == NULL || !kns_text_is_utf8(text, strlen(text)))
        abort();
    json_decref(json);
    kns_document_free(document);
    return text;
}

static struct kns_document *parse_in_chunks(const struct kns_parse_options *options,
                                            const uint8_t *data, size_t size)
{
    struct kns_parser *parser = kns_parser_new(options);
    struct kns_document *document = NULL;
    struct kns_error err;
    enum kns_status status = KNS_OK;

    if (parser == NULL)
        abort();
    for (size_t at = 0; at < size && status == KNS_OK;) {
        size_t piece = data[at] % 23 + 1;
        piece = piece < size - at ? piece : size - at;
        status = kns_parser_write(parser, data + at, piece, &err);
        at += piece;
    }
    if (status == KNS_OK && kns_parser_finish(parser, false, &document, &err) != KNS_OK)
        document = NULL;
    kns_parser_free(parser);
    return document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kns_parse_options options = {.max_bytes = 1u << 20};
    struct kns_document *document = NULL;

    if (size == 0)
        return 0;
    options.content_type = content_types[data[0] % 8];
    options.base_url = (data[0] & HAS_BASE) != 0 ? "https://example.org/blog/feed.xml" : NULL;
    bool sanitize = (data[0] & SANITIZE) != 0;
    if (kns_parse(&options, data + 1, size - 1, &document, NULL) != KNS_OK)
        document = NULL;
    char *whole = print(document, sanitize);
    char *pieces = print(parse_in_chunks(&options, data + 1, size - 1), sanitize);
    if ((whole == NULL) != (pieces == NULL) || (whole != NULL && strcmp(whole, pieces) != 0))
        abort();
    free(whole);
    free(pieces);
    return 0;
}
