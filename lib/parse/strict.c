#include "lib/parse/reader.h"
#include "lib/text/entities.h"

#include "lib/parse.h"

/* The header hides the limits on entity expansion unless it knows that the library was built for DTDs. */
#define XML_DTD
#include <expat.h>
#include <stdlib.h>
#include <string.h>

struct strict {
    XML_Parser expat;
    struct builder *b;
    bool repaired;
    const char *text; /* the document from its beginning, as far as it was given */
    size_t given;
    size_t counted; /* up to here lines have been counted */
    int64_t line;
};

/* expat would walk over every character to know; line ends are found faster by what the machine has for it. */
static int64_t current_line(struct strict *s)
{
    XML_Index index = XML_GetCurrentByteIndex(s->expat);
    size_t to = index < 0 ? s->counted : (size_t)index;

    while (s->counted < to) {
        const char *end = memchr(s->text + s->counted, '\n', to - s->counted);
        s->line += end != NULL;
        s->counted = end == NULL ? to : (size_t)(end + 1 - s->text);
    }
    return s->line;
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct strict *s = ctx;
    struct attribute list[KNS_PARSE_MAX_ATTRIBUTES + 1];
    size_t n = 0;

    for (; attributes[2 * n] != NULL && n < KNS_PARSE_MAX_ATTRIBUTES; n++)
        list[n] = (struct attribute){attributes[2 * n], attributes[2 * n + 1]};
    list[n] = (struct attribute){NULL, NULL};
    kns_builder_start(s->b, name, list, current_line(s));
    if (kns_builder_failed(s->b) || kns_builder_is_foreign(s->b))
        XML_StopParser(s->expat, XML_FALSE);
}

static void on_end(void *ctx, const XML_Char *name)
{
    struct strict *s = ctx;

    kns_builder_end(s->b, name);
    if (kns_builder_failed(s->b))
        XML_StopParser(s->expat, XML_FALSE);
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
    struct strict *s = ctx;

    kns_builder_text(s->b, text, (size_t)len);
}

/* Entities that nobody declared come here, because we say that there is an external subset (which is never fetched). */
static void on_skipped_entity(void *ctx, const XML_Char *name, int is_parameter)
{
    struct strict *s = ctx;
    const char *text = is_parameter ? NULL : kns_entity_find(name, strlen(name));

    if (is_parameter)
        return;
    if (!s->repaired)
        kns_builder_warn(s->b, current_line(s), "an entity is used that is not declared");
    s->repaired = true;
    if (text != NULL) {
        kns_builder_text(s->b, text, strlen(text));
        return;
    }
    kns_builder_text(s->b, "&", 1);
    kns_builder_text(s->b, name, strlen(name));
    kns_builder_text(s->b, ";", 1);
}

static int on_external_entity(XML_Parser expat, const XML_Char *context, const XML_Char *base,
                              const XML_Char *system, const XML_Char *public)
{
    (void)expat;
    (void)context;
    (void)base;
    (void)system;
    (void)public;
    return XML_STATUS_OK; /* nothing is fetched */
}

struct strict *kns_strict_new(struct builder *b)
{
    struct strict *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->b = b;
    s->line = 1;
    s->expat = XML_ParserCreate("UTF-8");
    if (s->expat == NULL) {
        free(s);
        return NULL;
    }
    XML_SetUserData(s->expat, s);
    XML_SetElementHandler(s->expat, on_start, on_end);
    XML_SetCharacterDataHandler(s->expat, on_text);
    XML_SetSkippedEntityHandler(s->expat, on_skipped_entity);
    XML_SetExternalEntityRefHandler(s->expat, on_external_entity);
    XML_SetParamEntityParsing(s->expat, XML_PARAM_ENTITY_PARSING_ALWAYS);
    XML_UseForeignDTD(s->expat, XML_TRUE);
    XML_SetBillionLaughsAttackProtectionMaximumAmplification(s->expat, 20.0f);
    XML_SetBillionLaughsAttackProtectionActivationThreshold(s->expat, 1u << 20);
    return s;
}

void kns_strict_free(struct strict *s)
{
    if (s == NULL)
        return;
    XML_ParserFree(s->expat);
    free(s);
}

bool kns_strict_repaired(const struct strict *s)
{
    return s->repaired;
}

enum kns_status kns_strict_read(struct strict *s, const char *utf8, size_t size, bool last,
                                int64_t *ret_line, struct kns_error *err)
{
    /* expat takes an int. */
    const size_t most = 1u << 20;

    s->text = utf8 - s->given;
    do {
        size_t piece = size < most ? size : most;
        s->given += piece;
        if (XML_Parse(s->expat, utf8, (int)piece, last && piece == size) == XML_STATUS_ERROR) {
            *ret_line = current_line(s);
            if (kns_builder_failed(s->b))
                return kns_fail(err, KNS_ELIMIT,
                                "the document needs more memory than the limit allows");
            if (kns_builder_is_foreign(s->b))
                return kns_fail(err, KNS_ENOTFEED, "the root element is <%s>, which is no feed's",
                                kns_builder_root(s->b));
            enum XML_Error code = XML_GetErrorCode(s->expat);
            if (code == XML_ERROR_NO_MEMORY)
                return kns_fail(err, KNS_ENOMEM, "out of memory");
            if (code == XML_ERROR_AMPLIFICATION_LIMIT_BREACH)
                return kns_fail(err, KNS_ELIMIT, "line %lld: entities expand beyond the limit",
                                (long long)*ret_line);
            return kns_fail(err, KNS_ESYNTAX, "not well-formed: %s", XML_ErrorString(code));
        }
        utf8 += piece;
        size -= piece;
    } while (size > 0);
    return KNS_OK;
}
