#include "lib/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const status_names[] = {
    [KNS_OK] = "ok",
    [KNS_ENOMEM] = "out of memory",
    [KNS_EINVAL] = "invalid",
    [KNS_ENOTFOUND] = "not found",
    [KNS_EEXIST] = "exists already",
    [KNS_ENOTFEED] = "not a feed",
    [KNS_ESYNTAX] = "broken syntax",
    [KNS_ELIMIT] = "over a limit",
    [KNS_EIO] = "input/output error",
    [KNS_EFULL] = "disk full or read-only",
    [KNS_ECORRUPT] = "corrupt",
    [KNS_EVERSION] = "unsupported version",
    [KNS_EBUSY] = "busy",
    [KNS_EREFUSED] = "refused",
};

const char *kns_status_name(enum kns_status status)
{
    size_t n = sizeof(status_names) / sizeof(status_names[0]);

    return (size_t)status < n ? status_names[status] : "unknown";
}

/* vsnprintf may cut inside a character; take the torn one away. */
static void trim_torn_character(char *text)
{
    size_t len = strlen(text);
    size_t start = len;

    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (len - (start - 1) < want)
        text[start - 1] = '\0';
}

enum kns_status kns_fail(struct kns_error *err, enum kns_status status, const char *format, ...)
{
    if (err == NULL)
        return status;
    va_list args;
    va_start(args, format);
    err->status = status;
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    trim_torn_character(err->message);
    return status;
}

enum kns_status kns_fail_in(struct kns_error *err, const char *format, ...)
{
    if (err == NULL)
        return KNS_EINVAL;
    char context[KNS_ERROR_MAX];
    char whole[KNS_ERROR_MAX * 2 + 2];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    snprintf(whole, sizeof(whole), "%s: %s", context, err->message);
    memcpy(err->message, whole, sizeof(err->message) - 1);
    err->message[sizeof(err->message) - 1] = '\0';
    trim_torn_character(err->message);
    return err->status;
}
