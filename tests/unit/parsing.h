/* parsing.h - what the tests of the parser share: a document from text, whole and a byte at a time, and as JSON. */
#ifndef KNS_TESTS_PARSING_H
#define KNS_TESTS_PARSING_H

#include "lib/jsonfeed.h"
#include "lib/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The document, the caller's to free; NULL: no feed, and *ret_status says why. */
static inline struct kns_document *parse_in_pieces(const struct kns_parse_options *options,
                                                   const char *bytes, size_t size, size_t piece,
                                                   enum kns_status *ret_status)
{
    struct kns_parser *parser = kns_parser_new(options);
    struct kns_document *document = NULL;
    enum kns_status status = KNS_OK;

    for (size_t at = 0; at < size && status == KNS_OK; at += piece)
        status = kns_parser_write(parser, bytes + at, size - at < piece ? size - at : piece, NULL);
    if (status == KNS_OK)
        status = kns_parser_finish(parser, false, &document, NULL);
    kns_parser_free(parser);
    *ret_status = status;
    return document;
}

/* The same, and fails the test unless the document reads the same a byte at a time. */
static inline struct kns_document *parse_bytes(const struct kns_parse_options *options,
                                               const char *bytes, size_t size,
                                               enum kns_status *ret_status)
{
    enum kns_status again;
    struct kns_document *document = parse_in_pieces(options, bytes, size, size + 1, ret_status);
    struct kns_document *slow = parse_in_pieces(options, bytes, size, 1, &again);

    assert_int_equal(*ret_status, again);
    if (document == NULL)
        return NULL;
    json_t *whole = kns_jsonfeed_from_document(document, false);
    json_t *pieces = kns_jsonfeed_from_document(slow, false);
    assert_non_null(whole);
    assert_true(json_equal(whole, pieces));
    json_decref(whole);
    json_decref(pieces);
    kns_document_free(slow);
    return document;
}

/* A feed from text, for tests that expect one. */
static inline struct kns_document *parse_with(const struct kns_parse_options *options,
                                              const char *text)
{
    enum kns_status status;
    struct kns_document *document = parse_bytes(options, text, strlen(text), &status);

    assert_int_equal(status, KNS_OK);
    return document;
}

static inline struct kns_document *parse_text(const char *text)
{
    return parse_with(NULL, text);
}

static inline bool is_no_feed(const char *text)
{
    enum kns_status status;
    struct kns_document *document = parse_bytes(NULL, text, strlen(text), &status);

    kns_document_free(document);
    return status == KNS_ENOTFEED;
}

static inline const struct kns_entry *nth_entry(const struct kns_document *document, size_t n)
{
    const struct kns_entry *entry = document->entries.first;

    for (; n > 0 && entry != NULL; n--)
        entry = entry->next;
    assert_non_null(entry);
    return entry;
}

#endif
