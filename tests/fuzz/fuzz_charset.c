/* Bytes in any encoding, cut anywhere, come out as the same valid UTF-8. The first byte says what HTTP declared, the second how
 * the rest is cut. */
#include "lib/charset.h"
#include "lib/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const content_types[] = {
    NULL,
    "text/xml",
    "text/xml; charset=utf-8",
    "text/xml; charset=utf-16",
    "text/xml; charset=iso-8859-1",
    "text/xml; charset=windows-1258",
    "text/xml; charset=koi8-u",
    "text/xml; charset=shift_jis",
    "text/xml; charset=euc-jp",
    "text/xml; charset=iso-2022-jp",
    "text/xml; charset=gbk",
    "text/xml; charset=gb18030",
    "text/xml; charset=big5",
    "text/xml; charset=euc-kr",
    "text/xml; charset=x-user-defined",
    "text/xml; charset=hz-gb-2312",
};

#define TYPES (sizeof(content_types) / sizeof(content_types[0]))

static void check(bool condition)
{
    if (!condition)
        abort();
}

/* Decodes in pieces of 1 to 16 bytes; cut 0: at once. Returns the encoding. */
static const char *decode(const char *type, const uint8_t *bytes, size_t size, unsigned cut,
                          struct kns_buf *out)
{
    struct kns_decoder *decoder = kns_decoder_new(type);

    check(decoder != NULL);
    for (size_t i = 0; i < size;) {
        cut = cut * 1103515245U + (cut != 0 ? 12345U : 0);
        size_t piece = cut == 0 ? size : 1 + (cut >> 16) % 16;
        if (piece > size - i)
            piece = size - i;
        check(kns_decoder_write(decoder, bytes + i, piece, out, NULL) == KNS_OK);
        i += piece;
    }
    check(kns_decoder_finish(decoder, out, NULL) == KNS_OK);
    const char *name = kns_decoder_encoding(decoder);
    check(name != NULL && kns_charset_find(name, strlen(name)) == name);
    kns_decoder_free(decoder);
    return name;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kns_buf whole = {0}, pieces = {0};

    if (size < 2)
        return 0;
    const char *type = content_types[data[0] % TYPES];
    const char *name = decode(type, data + 2, size - 2, 0, &whole);
    check(decode(type, data + 2, size - 2, data[1] + 1U, &pieces) == name);
    check(whole.len == pieces.len && kns_text_is_utf8(kns_buf_str(&whole), whole.len));
    check(memcmp(kns_buf_str(&whole), kns_buf_str(&pieces), whole.len) == 0);
    kns_buf_fini(&whole);
    kns_buf_fini(&pieces);
    return 0;
}
