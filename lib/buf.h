/* buf.h - a growing run of bytes with an upper bound.
 *
 * Errors stick: once an append failed (memory, limit), further appends do nothing and
 * kns_buf_failed() says so, so that a writer checks once at its end. The bytes always have a NUL
 * behind them. Not thread-safe.
 */
#ifndef KNS_BUF_H
#define KNS_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct kns_buf {
    char *data; /* owned; NULL while empty and never grown */
    size_t len;
    size_t cap;
    size_t limit; /* 0: none */
    bool failed;
};

/* An empty buffer that holds at most limit bytes (0: no limit). {0} is one without limit. */
void kns_buf_init(struct kns_buf *buf, size_t limit);

/* Frees the contents; the buffer is empty and usable again. */
void kns_buf_fini(struct kns_buf *buf);

/* Empties the buffer, clears the failure, keeps the memory. */
void kns_buf_reset(struct kns_buf *buf);

void kns_buf_add(struct kns_buf *buf, const void *bytes, size_t size);
void kns_buf_adds(struct kns_buf *buf, const char *string); /* NULL adds nothing */
void kns_buf_addc(struct kns_buf *buf, char c);
void kns_buf_addf(struct kns_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Room for size more bytes behind the end, to be written by the caller who then raises len by
 * what it wrote; NULL when that failed. */
char *kns_buf_reserve(struct kns_buf *buf, size_t size);

/* True when an append was lost. */
bool kns_buf_failed(const struct kns_buf *buf);

/* The contents as a string, "" when empty; valid until the next change. */
const char *kns_buf_str(const struct kns_buf *buf);

/* Hands the bytes (NUL behind them) to the caller, who frees them with free(); the buffer is empty
 * afterwards. NULL when the buffer had failed or no memory was left. */
char *kns_buf_take(struct kns_buf *buf);

#endif
