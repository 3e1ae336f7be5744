/* Whatever is read as a date is one: it can be written down and read again, and white space around it changes nothing. */
#include "lib/date.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256], spaced[300], written[KNS_TIME_TEXT];
    struct kns_time time = {0}, again = {0};

    if (size >= 200)
        size = 199;
    memcpy(text, data, size);
    text[size] = '\0';
    kns_date_parse_http(text, &again);
    if (!kns_date_parse(text, &time))
        return 0;
    snprintf(spaced, sizeof(spaced), "%s", text);
    if (size < 190) {
        snprintf(spaced, sizeof(spaced), "\n %s\t", text);
        check(kns_date_parse(spaced, &again) && again.unix_s == time.unix_s);
    }
    /* A zone may carry a time over the edge of the years that RFC 3339 can write. */
    bool writable = time.unix_s >= kns_date_unix(1, 1, 1, 0, 0, 0) &&
                    time.unix_s <= kns_date_unix(9999, 12, 31, 23, 59, 59);
    if (!writable || !kns_time_given(time))
        return 0;
    kns_time_format(time, written);
    check(kns_date_parse(written, &again) && again.unix_s == time.unix_s);
    return 0;
}
