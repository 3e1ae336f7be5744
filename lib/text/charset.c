/* The streaming decoder. Bytes are held back until the encoding is certain: from a byte order mark, the shape of the first
 * characters, the HTTP charset or the XML declaration. Where the outcome is UTF-8 by default or by declaration, nothing more is
 * decided while bytes are ASCII; the first bytes that are not are held back (JUDGE_BYTES) and judged. */
#include "lib/charset.h"

#include "lib/text.h"
#include "lib/text/charset_detect.h"
#include "lib/text/charset_labels.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define JUDGE_BYTES 2048
#define REPLACEMENT "\xEF\xBF\xBD"

enum state {
    SNIFFING, /* held bytes: the beginning */
    ASCII,    /* decided but for a look at the first bytes that are not ASCII */
    JUDGING,  /* held bytes: from the first that is not ASCII */
    DECODING, /* decided */
};

struct kns_decoder {
    enum state state;
    const struct kns_charset *http;    /* what the Content-Type said; NULL: nothing known */
    const struct kns_charset *charset; /* what is being read */
    bool declared;                     /* by HTTP or the document */
    bool repaired;
    iconv_t iconv; /* (iconv_t)-1: none open */
    struct kns_buf held;
    unsigned char tail[8]; /* the beginning of a character whose end has not come */
    size_t tail_len;
};

struct kns_decoder *kns_decoder_new(const char *content_type)
{
    struct kns_decoder *decoder = calloc(1, sizeof(*decoder));

    if (decoder == NULL)
        return NULL;
    decoder->iconv = (iconv_t)-1;
    const char *name = kns_charset_from_content_type(content_type);
    if (name != NULL)
        decoder->http = kns_charset_lookup(name, strlen(name));
    return decoder;
}

void kns_decoder_free(struct kns_decoder *decoder)
{
    if (decoder == NULL)
        return;
    if (decoder->iconv != (iconv_t)-1)
        iconv_close(decoder->iconv);
    kns_buf_fini(&decoder->held);
    free(decoder);
}

const char *kns_decoder_encoding(const struct kns_decoder *decoder)
{
    return decoder->charset == NULL ? NULL : decoder->charset->name;
}

bool kns_decoder_repaired(const struct kns_decoder *decoder)
{
    return decoder->repaired;
}

static enum kns_status out_status(const struct kns_buf *out, struct kns_error *err)
{
    if (!kns_buf_failed(out))
        return KNS_OK;
    return kns_fail(err, KNS_ELIMIT, "the decoded text is larger than the limit");
}

static void replace(struct kns_decoder *decoder, struct kns_buf *out)
{
    kns_buf_adds(out, REPLACEMENT);
    decoder->repaired = true;
}

/* ---- UTF-8 ------------------------------------------------------------------------------------------ */

/* The bytes of an ill-formed sequence that one U+FFFD stands for: its maximal well-formed beginning
 * (Unicode 3.9, the practice of the Encoding Standard). */
static size_t ill_formed_length(const unsigned char *s, size_t size)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t want = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
                  : s[0] >= 0xE0 && s[0] <= 0xEF ? 3
                  : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                 : 1;

    if (s[0] == 0xE0)
        low = 0xA0;
    if (s[0] == 0xED)
        high = 0x9F;
    if (s[0] == 0xF0)
        low = 0x90;
    if (s[0] == 0xF4)
        high = 0x8F;
    size_t i = 1;
    while (i < want && i < size && s[i] >= low && s[i] <= high) {
        low = 0x80;
        high = 0xBF;
        i++;
    }
    return i;
}

/* True when the bytes up to the end may be the beginning of a well-formed character. */
static bool may_continue(const unsigned char *s, size_t size)
{
    size_t want = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;

    return size < want && s[0] >= 0xC2 && s[0] <= 0xF4 && ill_formed_length(s, size) == size;
}

/* Copies what is well-formed in one go, replaces what is not. Returns the bytes taken: an unfinished character at the end is
 * left. */
static size_t decode_utf8(struct kns_decoder *decoder, const char *bytes, size_t size,
                          struct kns_buf *out)
{
    size_t from = 0, i = 0;

    while (i < size) {
        size_t good = kns_text_utf8_prefix(bytes + i, size - i);
        i += good;
        if (i == size)
            break;
        const unsigned char *s = (const unsigned char *)bytes + i;
        if (may_continue(s, size - i))
            break;
        kns_buf_add(out, bytes + from, i - from);
        replace(decoder, out);
        i += ill_formed_length(s, size - i);
        from = i;
    }
    kns_buf_add(out, bytes + from, i - from);
    return i;
}

/* ---- the others, through iconv ---------------------------------------------------------------------- */

/* What stands for a byte that the converter refuses; returns the bytes it takes. In the single-byte encodings
 * 0x80-0x9F without a character are C1 controls (the Encoding Standard's tables). In the others one U+FFFD stands for
 * the pair, and for the lead alone where the second byte is ASCII. */
static size_t repair(struct kns_decoder *decoder, const unsigned char *s, size_t size,
                     struct kns_buf *out)
{
    if (decoder->charset->kind == KNS_CHARSET_SINGLE && s[0] >= 0x80 && s[0] < 0xA0) {
        const char c1[2] = {(char)0xC2, (char)s[0]};
        kns_buf_add(out, c1, 2);
        return 1;
    }
    replace(decoder, out);
    if (decoder->charset->kind == KNS_CHARSET_WIDE)
        return strstr(decoder->charset->name, "32") != NULL ? (size < 4 ? size : 4)
                                                            : (size < 2 ? size : 2);
    bool pair = decoder->charset->kind == KNS_CHARSET_MULTI && size > 1 && s[0] > 0x80 &&
                s[0] < 0xFF && s[1] >= 0x80;
    return pair ? 2 : 1;
}

static size_t decode_iconv(struct kns_decoder *decoder, const char *bytes, size_t size, bool last,
                           struct kns_buf *out)
{
    char *in = (char *)(uintptr_t)bytes; /* iconv's prototype lacks the const that it keeps */
    size_t left = size;

    while (left > 0) {
        /* No encoding here gives more than three bytes of UTF-8 for one of its own. */
        size_t room = left < 4096 ? left * 3 + 16 : 3 * 4096;
        char *to = kns_buf_reserve(out, room);
        if (to == NULL)
            break;
        size_t to_left = room;
        size_t done = iconv(decoder->iconv, &in, &left, &to, &to_left);
        out->len += room - to_left;
        out->data[out->len] = '\0';
        if (done != (size_t)-1 || errno == E2BIG)
            continue;
        if (errno == EINVAL && !last)
            break;
        size_t skipped = repair(decoder, (const unsigned char *)in, left, out);
        in += skipped;
        left -= skipped;
    }
    return size - left;
}

static size_t decode_some(struct kns_decoder *decoder, const char *bytes, size_t size, bool last,
                          struct kns_buf *out)
{
    return decoder->charset->kind == KNS_CHARSET_UTF8
               ? decode_utf8(decoder, bytes, size, out)
               : decode_iconv(decoder, bytes, size, last, out);
}

/* Decodes bytes behind an unfinished character of the last call. */
static void decode(struct kns_decoder *decoder, const char *bytes, size_t size, struct kns_buf *out)
{
    while (decoder->tail_len > 0 && size > 0) {
        /* Byte by byte until the character is whole: at most a few rounds. */
        decoder->tail[decoder->tail_len++] = (unsigned char)*bytes++;
        size--;
        size_t taken = decode_some(decoder, (const char *)decoder->tail, decoder->tail_len,
                                   decoder->tail_len == sizeof(decoder->tail), out);
        decoder->tail_len -= taken;
        memmove(decoder->tail, decoder->tail + taken, decoder->tail_len);
    }
    size_t taken = decode_some(decoder, bytes, size, false, out);
    size_t rest = size - taken;
    if (rest > 0 && rest < sizeof(decoder->tail)) {
        memcpy(decoder->tail, bytes + taken, rest);
        decoder->tail_len = rest;
    }
}

/* ---- deciding --------------------------------------------------------------------------------------- */

static enum kns_status start_decoding(struct kns_decoder *decoder,
                                      const struct kns_charset *charset, struct kns_error *err)
{
    decoder->charset = charset;
    decoder->state = DECODING;
    if (charset->kind == KNS_CHARSET_UTF8)
        return KNS_OK;
    decoder->iconv = iconv_open("UTF-8", charset->iconv);
    if (decoder->iconv == (iconv_t)-1)
        return kns_fail(err, errno == ENOMEM ? KNS_ENOMEM : KNS_EINVAL,
                        "no converter for the encoding %s", charset->name);
    return KNS_OK;
}

static enum kns_status drain_held(struct kns_decoder *decoder, size_t skip, struct kns_buf *out,
                                  struct kns_error *err)
{
    decode(decoder, decoder->held.data + skip, decoder->held.len - skip, out);
    kns_buf_fini(&decoder->held);
    return out_status(out, err);
}

/* Chunks must not change the outcome: only so many bytes are looked at, however many are held. */
static size_t window(const struct kns_decoder *decoder, size_t most)
{
    return decoder->held.len < most ? decoder->held.len : most;
}

/* The bytes held from the first that is not ASCII say whether what was declared can be true. */
static enum kns_status judge(struct kns_decoder *decoder, struct kns_buf *out,
                             struct kns_error *err)
{
    const struct kns_charset *charset = kns_charset_judge(
        decoder->declared ? decoder->charset : NULL, decoder->held.data, decoder->held.len);

    if (decoder->declared && charset != decoder->charset)
        decoder->repaired = true;
    enum kns_status status = start_decoding(decoder, charset, err);
    if (status != KNS_OK || decoder->held.len == 0)
        return status;
    return drain_held(decoder, 0, out, err);
}

static size_t count_ascii(const char *bytes, size_t size)
{
    size_t i = 0;

    while (i < size && (unsigned char)bytes[i] < 0x80 && bytes[i] != '\x1B')
        i++;
    return i;
}

/* Copies ASCII; the first byte that is not begins the judgement. */
static enum kns_status write_ascii(struct kns_decoder *decoder, const char *bytes, size_t size,
                                   struct kns_buf *out, struct kns_error *err)
{
    size_t ascii = count_ascii(bytes, size);

    kns_buf_add(out, bytes, ascii);
    if (ascii == size)
        return out_status(out, err);
    decoder->state = JUDGING;
    return kns_decoder_write(decoder, bytes + ascii, size - ascii, out, err);
}

/* The beginning is held: find the encoding. */
static enum kns_status settle(struct kns_decoder *decoder, struct kns_buf *out,
                              struct kns_error *err)
{
    const char *bytes = kns_buf_str(&decoder->held);
    size_t size = decoder->held.len, bom = 0;
    const struct kns_charset *charset = kns_charset_from_bom(bytes, size, &bom);

    if (charset != NULL) {
        enum kns_status status = start_decoding(decoder, charset, err);
        return status == KNS_OK && size > bom ? drain_held(decoder, bom, out, err) : status;
    }
    size = window(decoder, KNS_DECODER_SNIFF);
    charset = kns_charset_from_shape(bytes, size);
    if (charset == NULL && decoder->http != NULL && decoder->http->kind != KNS_CHARSET_WIDE)
        charset = decoder->http;
    if (charset == NULL) {
        charset = kns_charset_from_declaration(bytes, size);
        /* Bytes in which a declaration could be read are not two or four to a character. */
        if (charset != NULL && charset->kind == KNS_CHARSET_WIDE)
            charset = NULL;
    }
    if (charset != NULL && charset->kind == KNS_CHARSET_WIDE) {
        enum kns_status status = start_decoding(decoder, charset, err);
        return status == KNS_OK && decoder->held.len > 0 ? drain_held(decoder, 0, out, err)
                                                         : status;
    }
    decoder->declared = charset != NULL;
    decoder->charset = charset != NULL ? charset : kns_charset_lookup("utf-8", 5);
    decoder->state = ASCII;
    if (decoder->declared && charset->kind == KNS_CHARSET_SHIFTED)
        return judge(decoder, out, err);
    struct kns_buf held = decoder->held;
    decoder->held = (struct kns_buf){0};
    enum kns_status status =
        held.len > 0 ? write_ascii(decoder, held.data, held.len, out, err) : KNS_OK;
    kns_buf_fini(&held);
    return status;
}

enum kns_status kns_decoder_write(struct kns_decoder *decoder, const void *bytes, size_t size,
                                  struct kns_buf *out, struct kns_error *err)
{
    switch (decoder->state) {
    case SNIFFING:
    case JUDGING:
        kns_buf_add(&decoder->held, bytes, size);
        if (kns_buf_failed(&decoder->held))
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        if (decoder->state == SNIFFING)
            return decoder->held.len < KNS_DECODER_SNIFF ? KNS_OK : settle(decoder, out, err);
        return decoder->held.len < JUDGE_BYTES ? KNS_OK : judge(decoder, out, err);
    case ASCII:
        return write_ascii(decoder, bytes, size, out, err);
    case DECODING:
        decode(decoder, bytes, size, out);
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
    if (status != KNS_OK || decoder->tail_len == 0)
        return status;
    replace(decoder, out);
    decoder->tail_len = 0;
    return out_status(out, err);
}
