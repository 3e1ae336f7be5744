/* knsctl parse: a feed document or a newsletter issue in, JSON Feed out. No daemon. */
#include "ctl/parse.h"

#include "ctl/ctl.h"

#include "lib/buf.h"
#include "lib/error.h"
#include "lib/html.h"
#include "lib/jsonfeed.h"
#include "lib/newsletter.h"
#include "lib/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { DONE = 0, FAILED = 1 };

/* Reads all of file into the parser. */
static enum kns_status read_file(FILE *file, struct kns_parser *parser, struct kns_error *err)
{
    char bytes[1 << 16];
    enum kns_status status = KNS_OK;

    while (status == KNS_OK) {
        size_t n = fread(bytes, 1, sizeof(bytes), file);
        if (n == 0)
            break;
        status = kns_parser_write(parser, bytes, n, err);
    }
    if (status == KNS_OK && ferror(file))
        status = kns_fail(err, KNS_EIO, "%s", strerror(errno));
    return status;
}

static enum kns_status parse_file(FILE *file, const struct kns_parse_options *options,
                                  struct kns_document **ret_document, struct kns_error *err)
{
    struct kns_parser *parser = kns_parser_new(options);

    if (parser == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = read_file(file, parser, err);
    if (status == KNS_OK || status == KNS_ENOTFEED)
        status = kns_parser_finish(parser, false, ret_document, err);
    kns_parser_free(parser);
    return status;
}

/* Takes json; NULL: there was no memory for it. */
static int print_json(json_t *json, struct kns_error *err)
{
    if (json == NULL) {
        kns_fail(err, KNS_ENOMEM, "out of memory");
        return FAILED;
    }
    int status =
        json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0
            ? DONE
            : FAILED;
    if (status == FAILED)
        kns_fail(err, KNS_EIO, "cannot write: %s", strerror(errno));
    json_decref(json);
    return status;
}

int kns_ctl_parse_document(const char *path, const struct kns_parse_options *options, bool sanitize)
{
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "rb");
    struct kns_document *document = NULL;
    struct kns_error err = {0};
    int status = FAILED;

    if (file == NULL) {
        fprintf(stderr, "knsctl: %s: %s\n", path, strerror(errno));
        return FAILED;
    }
    if (parse_file(file, options, &document, &err) == KNS_OK)
        status = print_json(kns_jsonfeed_from_document(document, sanitize), &err);
    if (status != DONE)
        fprintf(stderr, "knsctl: %s: %s\n", standard_input ? "standard input" : path, err.message);
    if (!standard_input)
        fclose(file);
    kns_document_free(document);
    return status;
}

/* ---- newsletters ---------------------------------------------------------------------------------------------- */

static enum kns_status read_all(FILE *file, struct kns_buf *out, struct kns_error *err)
{
    char bytes[1 << 16];

    for (size_t n = fread(bytes, 1, sizeof(bytes), file); n > 0;
         n = fread(bytes, 1, sizeof(bytes), file))
        kns_buf_add(out, bytes, n);
    if (ferror(file))
        return kns_fail(err, KNS_EIO, "%s", strerror(errno));
    if (kns_buf_failed(out))
        return kns_fail(err, KNS_ELIMIT, "larger than %u MiB", KNS_HTML_MAX_BYTES >> 20);
    return KNS_OK;
}

static int print_newsletter(struct kns_arena *arena, FILE *file, const char *base, bool sanitize,
                            struct kns_error *err)
{
    const struct kns_newsletter_source source = {.url = base};
    struct kns_newsletter *newsletter = NULL;
    struct kns_buf bytes;

    kns_buf_init(&bytes, KNS_HTML_MAX_BYTES);
    enum kns_status status = read_all(file, &bytes, err);
    if (status == KNS_OK)
        status = kns_newsletter_read_file(arena, kns_buf_str(&bytes), bytes.len, &source,
                                          &newsletter, err);
    kns_buf_fini(&bytes);
    return status == KNS_OK ? print_json(kns_newsletter_to_json(newsletter, sanitize), err)
                            : FAILED;
}

static int parse_newsletter(struct kns_call *call)
{
    const char *path = call->args.operands[0];
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "rb");
    struct kns_error err = {0};

    if (file == NULL) {
        fprintf(stderr, "knsctl: %s: %s\n", path, strerror(errno));
        return FAILED;
    }
    int status = print_newsletter(call->arena, file, kns_args_value(&call->args, "base"),
                                  kns_args_has(&call->args, "sanitize"), &err);
    if (status != DONE)
        fprintf(stderr, "knsctl: %s: %s\n", standard_input ? "standard input" : path, err.message);
    if (!standard_input)
        fclose(file);
    return status;
}

int kns_cmd_parse(struct kns_call *call)
{
    if (kns_args_has(&call->args, "newsletter"))
        return parse_newsletter(call);
    const struct kns_parse_options options = {
        .base_url = kns_args_value(&call->args, "base"),
        .content_type = kns_args_value(&call->args, "content-type"),
    };

    return kns_ctl_parse_document(call->args.operands[0], &options,
                                  kns_args_has(&call->args, "sanitize"));
}
