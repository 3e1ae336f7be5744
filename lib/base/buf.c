#include "lib/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP ((size_t)256)

void kns_buf_init(struct kns_buf *buf, size_t limit)
{
    *buf = (struct kns_buf){.limit = limit};
}

void kns_buf_fini(struct kns_buf *buf)
{
    free(buf->data);
    *buf = (struct kns_buf){.limit = buf->limit};
}

void kns_buf_reset(struct kns_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

/* The capacity that holds need bytes and a NUL, grown by doubling; 0 when it cannot be. */
static size_t wanted_cap(const struct kns_buf *buf, size_t need)
{
    if (need == SIZE_MAX || (buf->limit != 0 && need > buf->limit))
        return 0;
    size_t cap = buf->cap == 0 ? FIRST_CAP : buf->cap;
    while (cap <= need)
        cap = cap > SIZE_MAX / 2 ? need + 1 : cap * 2;
    return cap;
}

char *kns_buf_reserve(struct kns_buf *buf, size_t size)
{
    if (buf->failed)
        return NULL;
    size_t cap = size > SIZE_MAX - buf->len ? 0 : wanted_cap(buf, buf->len + size);
    if (cap == 0) {
        buf->failed = true;
        return NULL;
    }
    if (cap != buf->cap) {
        char *data = realloc(buf->data, cap);
        if (data == NULL) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->cap = cap;
    }
    return buf->data + buf->len;
}

void kns_buf_add(struct kns_buf *buf, const void *bytes, size_t size)
{
    /* Most of what is added is short and fits. */
    if (size < buf->cap - buf->len && !buf->failed &&
        (buf->limit == 0 || buf->len + size <= buf->limit)) {
        if (size > 0)
            memcpy(buf->data + buf->len, bytes, size);
        buf->len += size;
        buf->data[buf->len] = '\0';
        return;
    }
    char *room = kns_buf_reserve(buf, size);

    if (room == NULL)
        return;
    if (size > 0)
        memcpy(room, bytes, size);
    buf->len += size;
    buf->data[buf->len] = '\0';
}

void kns_buf_adds(struct kns_buf *buf, const char *string)
{
    if (string != NULL)
        kns_buf_add(buf, string, strlen(string));
}

void kns_buf_addc(struct kns_buf *buf, char c)
{
    kns_buf_add(buf, &c, 1);
}

void kns_buf_addf(struct kns_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = len < 0 ? NULL : kns_buf_reserve(buf, (size_t)len);
    if (room == NULL) {
        buf->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(room, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

bool kns_buf_failed(const struct kns_buf *buf)
{
    return buf->failed;
}

const char *kns_buf_str(const struct kns_buf *buf)
{
    return buf->len == 0 ? "" : buf->data;
}

char *kns_buf_take(struct kns_buf *buf)
{
    if (buf->failed || kns_buf_reserve(buf, 0) == NULL) {
        kns_buf_fini(buf);
        return NULL;
    }
    char *data = buf->data;
    data[buf->len] = '\0';
    buf->data = NULL;
    kns_buf_fini(buf);
    return data;
}
