/* Each allocation of the decoder and of the text functions fails once: the operation fails, nothing else does. The allocators
 * are replaced for this program; where a sanitizer has replaced them already, the test is skipped. */
#include "lib/charset.h"
#include "lib/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifndef SANITIZED

static long countdown = -1; /* allocations until the one that fails; -1: none does */

static bool fails(void)
{
    if (countdown < 0)
        return false;
    return countdown-- == 0;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails() ? NULL : __libc_realloc(memory, size);
}

/* True when everything could be decoded. */
static bool decode(const char *type, const char *bytes)
{
    struct kns_decoder *decoder = kns_decoder_new(type);
    struct kns_buf out = {0};
    enum kns_status status = KNS_ENOMEM;

    if (decoder != NULL)
        status = kns_decoder_write(decoder, bytes, strlen(bytes), &out, NULL);
    if (status == KNS_OK)
        status = kns_decoder_finish(decoder, &out, NULL);
    kns_buf_fini(&out);
    kns_decoder_free(decoder);
    return status == KNS_OK;
}

static void a_decoder_fails_and_does_not_crash(void **state)
{
    static const char *const types[] = {NULL, "a/b; charset=utf-8", "a/b; charset=euc-jp",
                                        "a/b; charset=koi8-r", "a/b; charset=iso-2022-jp"};
    (void)state;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        /* Failing later and later, until nothing fails any more. A guess may survive a failure. */
        bool decoded = false, reached = false;
        for (long n = 0; n < 100000 && !reached; n++) {
            countdown = n;
            decoded = decode(types[i], "<a>\xC6\xFC\xCB\xDC\xB8\xEC</a>");
            reached = countdown >= 0;
            countdown = -1;
        }
        assert_true(reached);
        assert_true(decoded);
    }
}

static bool handle_text(void)
{
    struct kns_arena *arena = kns_arena_new(0);

    if (arena == NULL)
        return false;
    const char *text = kns_text_to_utf8(arena, "Ärger ｶﾞ\xFF", 12);
    bool good = text != NULL && kns_text_fit(arena, text, 3) != NULL &&
                kns_text_squeeze(arena, text) != NULL && kns_text_fold(arena, text) != NULL;
    kns_arena_free(arena);
    return good;
}

static void text_functions_return_nothing(void **state)
{
    bool reached = false, good = false;
    long failed = 0;
    (void)state;

    for (long n = 0; n < 1000 && !reached; n++) {
        countdown = n;
        good = handle_text();
        reached = countdown >= 0;
        countdown = -1;
        failed += !good;
    }
    assert_true(reached && good);
    assert_true(failed > 3); /* utf8proc bears one: that it cannot give memory back */
}

#else

static void a_decoder_fails_and_does_not_crash(void **state)
{
    (void)state;
    skip();
}

static void text_functions_return_nothing(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decoder_fails_and_does_not_crash),
        cmocka_unit_test(text_functions_return_nothing),
    };

    return cmocka_run_group_tests_name("text_memory", tests, NULL, NULL);
}
