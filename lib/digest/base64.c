#include "lib/digest/base64.h"

#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void digest_base64(struct kns_buf *out, const char *bytes, size_t size, size_t line)
{
    const unsigned char *b = (const unsigned char *)bytes;

    for (size_t i = 0; i < size; i += 3) {
        uint32_t v = (uint32_t)b[i] << 16;
        v |= i + 1 < size ? (uint32_t)b[i + 1] << 8 : 0;
        v |= i + 2 < size ? (uint32_t)b[i + 2] : 0;
        kns_buf_addc(out, digits[v >> 18]);
        kns_buf_addc(out, digits[(v >> 12) & 63]);
        kns_buf_addc(out, i + 1 < size ? digits[(v >> 6) & 63] : '=');
        kns_buf_addc(out, i + 2 < size ? digits[v & 63] : '=');
        if (line != 0 && ((i / 3 + 1) % (line / 4) == 0 || i + 3 >= size))
            kns_buf_adds(out, "\r\n");
    }
}
