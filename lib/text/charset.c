/* The streaming decoder: which encoding it is. Bytes are held back until that is certain: from a byte order mark, the shape of
 * the first characters, the HTTP charset or the XML declaration. What has been declared, or is UTF-8 for want of a declaration, is
 * believed while the bytes are ASCII, which costs nothing; the first that are not are held back (JUDGE_BYTES) and judged.
 *
 *   SNIFFING ──wide──────────────────────▶ DECODING
 *      └──────▶ ASCII ──▶ JUDGING ──────────▲
 */
#include "lib/charset.h"

#include "lib/text.h"
#include "lib/text/charset_decode.h"
#include "lib/text/charset_detect.h"
#include "lib/text/charset_labels.h"

#include <stdlib.h>
#include <string.h>

#define JUDGE_BYTES 2048
#define MAX_DECLARED 2 /* by HTTP and by the document */

enum state {
    SNIFFING, /* held: the beginning */
    ASCII,    /* decided but for a look at the first bytes that are not ASCII */
    JUDGING,  /* held: from the first that is not ASCII */
    DECODING, /* decided */
};

struct kns_decoder {
    enum state state;
    const struct kns_charset *http;    /* what the Content-Type said; NULL: nothing known */
    const struct kns_charset *charset; /* what is being read */
    const struct kns_charset *declared[MAX_DECLARED]; /* in the order of their authority */
    size_t declared_count;
    bool overruled;
    struct kns_transcoder *transcoder; /* from DECODING on */
    struct kns_buf held;
};

/* ---- life ------------------------------------------------------------------------------------------- */

struct kns_decoder *kns_decoder_new(const char *content_type)
{
    struct kns_decoder *decoder = calloc(1, sizeof(*decoder));

    if (decoder == NULL)
        return NULL;
    const char *name = kns_charset_from_content_type(content_type);
    if (name != NULL)
        decoder->http = kns_charset_lookup(name, strlen(name));
    return decoder;
}

void kns_decoder_free(struct kns_decoder *decoder)
{
    if (decoder == NULL)
        return;
    kns_transcoder_free(decoder->transcoder);
    kns_buf_fini(&decoder->held);
    free(decoder);
}

const char *kns_decoder_encoding(const struct kns_decoder *decoder)
{
    return decoder->charset == NULL ? NULL : decoder->charset->name;
}

bool kns_decoder_repaired(const struct kns_decoder *decoder)
{
    return decoder->overruled ||
           (decoder->transcoder != NULL && kns_transcoder_replaced(decoder->transcoder) > 0);
}

/* ---- states ----------------------------------------------------------------------------------------- */

static enum kns_status out_status(const struct kns_buf *out, struct kns_error *err)
{
    if (!kns_buf_failed(out))
        return KNS_OK;
    return kns_fail(err, KNS_ELIMIT, "the decoded text is larger than the limit");
}

static enum kns_status hold(struct kns_decoder *decoder, const char *bytes, size_t size,
                            struct kns_error *err)
{
    kns_buf_add(&decoder->held, bytes, size);
    return kns_buf_failed(&decoder->held) ? kns_fail(err, KNS_ENOMEM, "out of memory") : KNS_OK;
}

/* Decides, and decodes what was held but for its first bytes. */
static enum kns_status start_decoding(struct kns_decoder *decoder,
                                      const struct kns_charset *charset, size_t skip,
                                      struct kns_buf *out, struct kns_error *err)
{
    enum kns_status status = kns_transcoder_new(charset, &decoder->transcoder, err);

    if (status != KNS_OK)
        return status;
    decoder->charset = charset;
    decoder->state = DECODING;
    if (decoder->held.len > skip)
        kns_transcoder_write(decoder->transcoder, decoder->held.data + skip,
                             decoder->held.len - skip, out);
    kns_buf_fini(&decoder->held);
    return out_status(out, err);
}

static enum kns_status judge(struct kns_decoder *decoder, struct kns_buf *out,
                             struct kns_error *err)
{
    /* How the bytes were cut must not change the outcome: only so many are looked at, however many are held. */
    size_t size = decoder->held.len < JUDGE_BYTES ? decoder->held.len : JUDGE_BYTES;
    const struct kns_charset *charset = kns_charset_judge(
        decoder->declared, decoder->declared_count, kns_buf_str(&decoder->held), size);

    decoder->overruled =
        decoder->overruled || (decoder->declared_count > 0 && charset != decoder->declared[0]);
    return start_decoding(decoder, charset, 0, out, err);
}

/* The bytes before the first that may mean something else than ASCII: an escape begins ISO-2022-JP. */
static size_t plain_prefix(const char *bytes, size_t size)
{
    size_t ascii = kns_text_ascii_prefix(bytes, size);
    const char *escape = memchr(bytes, '\x1B', ascii);

    return escape == NULL ? ascii : (size_t)(escape - bytes);
}

static enum kns_status write_held(struct kns_decoder *decoder, const char *bytes, size_t size,
                                  struct kns_buf *out, struct kns_error *err)
{
    enum kns_status status = hold(decoder, bytes, size, err);

    return status != KNS_OK || decoder->held.len < JUDGE_BYTES ? status : judge(decoder, out, err);
}

static enum kns_status write_ascii(struct kns_decoder *decoder, const char *bytes, size_t size,
                                   struct kns_buf *out, struct kns_error *err)
{
    size_t ascii = plain_prefix(bytes, size);

    kns_buf_add(out, bytes, ascii);
    if (ascii == size || kns_buf_failed(out))
        return out_status(out, err);
    decoder->state = JUDGING;
    return write_held(decoder, bytes + ascii, size - ascii, out, err);
}

static void declare(struct kns_decoder *decoder, const struct kns_charset *charset)
{
    if (charset == NULL || charset->kind == KNS_CHARSET_REPLACEMENT)
        return;
    /* The bytes have not the shape of UTF-16, or a declaration could be read in them: it is not what they are. */
    if (kns_charset_is_wide(charset)) {
        decoder->overruled = true;
        return;
    }
    decoder->declared[decoder->declared_count++] = charset;
}

/* The beginning is held. */
static enum kns_status settle(struct kns_decoder *decoder, struct kns_buf *out,
                              struct kns_error *err)
{
    const char *bytes = kns_buf_str(&decoder->held);
    size_t size = decoder->held.len, mark = 0;
    const struct kns_charset *charset = kns_charset_from_bom(bytes, size, &mark);

    if (charset == NULL)
        charset = kns_charset_from_shape(bytes, size);
    if (charset != NULL)
        return start_decoding(decoder, charset, mark, out, err);
    declare(decoder, decoder->http);
    declare(decoder, kns_charset_from_declaration(
                         bytes, size < KNS_DECODER_SNIFF ? size : KNS_DECODER_SNIFF));
    decoder->charset =
        decoder->declared_count > 0 ? decoder->declared[0] : kns_charset_lookup("utf-8", 5);
    decoder->state = ASCII;
    struct kns_buf held = decoder->held;
    decoder->held = (struct kns_buf){0};
    enum kns_status status =
        held.len > 0 ? write_ascii(decoder, held.data, held.len, out, err) : KNS_OK;
    kns_buf_fini(&held);
    return status;
}

/* ---- the stream ------------------------------------------------------------------------------------- */

enum kns_status kns_decoder_write(struct kns_decoder *decoder, const void *bytes, size_t size,
                                  struct kns_buf *out, struct kns_error *err)
{
    if (size == 0)
        return out_status(out, err);
    switch (decoder->state) {
    case SNIFFING: {
        enum kns_status status = hold(decoder, bytes, size, err);
        bool enough = decoder->held.len >= KNS_DECODER_SNIFF;
        return status == KNS_OK && enough ? settle(decoder, out, err) : status;
    }
    case ASCII:
        return write_ascii(decoder, bytes, size, out, err);
    case JUDGING:
        return write_held(decoder, bytes, size, out, err);
    case DECODING:
        kns_transcoder_write(decoder->transcoder, bytes, size, out);
        return out_status(out, err);
    }
    return KNS_OK;
}

enum kns_status kns_decoder_finish(struct kns_decoder *decoder, struct kns_buf *out,
                                   struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    if (decoder->state == SNIFFING)
        status = settle(decoder, out, err);
    if (status == KNS_OK && decoder->state == JUDGING)
        status = judge(decoder, out, err);
    if (status == KNS_OK && decoder->state == DECODING)
        kns_transcoder_finish(decoder->transcoder, out);
    return status == KNS_OK ? out_status(out, err) : status;
}

enum kns_status kns_decode(const char *content_type, const void *bytes, size_t size,
                           struct kns_buf *out, struct kns_error *err)
{
    struct kns_decoder *decoder = kns_decoder_new(content_type);

    if (decoder == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_decoder_write(decoder, bytes, size, out, err);
    if (status == KNS_OK)
        status = kns_decoder_finish(decoder, out, err);
    kns_decoder_free(decoder);
    return status;
}
