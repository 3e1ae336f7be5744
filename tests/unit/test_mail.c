/* Messages to an SMTP server on loopback that keeps what it was sent, byte for byte. */
#include "lib/mail.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* One conversation: answers yes to all, and keeps what stands between DATA and the lone dot. */
struct server {
    int listener;
    uint16_t port;
    pthread_t thread;
    char data[8192];
    size_t size;
};

static void *serve(void *ctx)
{
    struct server *s = ctx;
    int fd = accept(s->listener, NULL, NULL);
    FILE *in = fd < 0 ? NULL : fdopen(fd, "r+");
    char line[4096];

    if (in == NULL)
        return NULL;
    setvbuf(in, NULL, _IONBF, 0);
    fputs("220 here\r\n", in);
    while (fgets(line, sizeof(line), in) != NULL) {
        bool data = strncmp(line, "DATA", 4) == 0;
        fputs(data ? "354 go on\r\n" : "250 fine\r\n", in);
        while (data && fgets(line, sizeof(line), in) != NULL && strcmp(line, ".\r\n") != 0) {
            size_t len = strlen(line);
            if (s->size + len < sizeof(s->data))
                memcpy(s->data + s->size, line, len);
            s->size += len;
        }
        if (data)
            fputs("250 taken\r\n", in);
    }
    fclose(in);
    return NULL;
}

static void start(struct server *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    *s = (struct server){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&address, &size), 0);
    s->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void a_line_that_begins_with_a_dot_and_one_of_any_length_arrive_as_they_are(void **state)
{
    static char message[3000];
    const char *to[] = {"a@x.example"};
    struct kns_mail_outcome outcome;
    struct kns_error err = {0};
    struct server server;
    char url[64], expected[3100];

    (void)state;
    start(&server);
    snprintf(url, sizeof(url), "smtp://127.0.0.1:%u", server.port);
    const struct kns_mail_settings settings = {
        .server = url, .from = "N <n@x.example>", .tls = KNS_MAIL_PLAIN};
    snprintf(message, sizeof(message), "Subject: x\r\n\r\n.\r\n..two\r\n.one%0*d\r\nlast", 2000, 7);
    if (kns_mail_send(&settings, message, strlen(message), to, 1, &outcome, &err) != KNS_OK)
        fail_msg("%s", err.message);
    pthread_join(server.thread, NULL);
    close(server.listener);
    assert_int_equal(outcome.state, KNS_MAIL_SENT);
    /* On the way each such dot is doubled (RFC 5321 4.5.2), and the end is a line's end. */
    snprintf(expected, sizeof(expected), "Subject: x\r\n\r\n..\r\n...two\r\n..one%0*d\r\nlast\r\n",
             2000, 7);
    assert_int_equal(server.size, strlen(expected));
    assert_memory_equal(server.data, expected, server.size);
}

static void what_is_no_address_is_refused_before_anybody_is_spoken_to(void **state)
{
    static const char *const bad[] = {"",
                                      "a",
                                      "@x",
                                      "a@",
                                      "a b@x",
                                      "a@x>",
                                      "N <a@x",
                                      "N <a@x> y",
                                      "a@x\r\nRCPT TO:<b@x>",
                                      "<a@x>,<b@x>",
                                      "a,b@x",
                                      "\"q\"@x"};
    const struct kns_mail_settings settings = {
        .server = "smtp://127.0.0.1:1", .from = "n@x.example", .tls = KNS_MAIL_PLAIN};
    char address[KNS_MAIL_ADDRESS];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct kns_mail_outcome outcomes[2];
        const char *to[] = {"good@x.example", bad[i]};
        struct kns_error err = {0};
        if (kns_mail_send(&settings, "x", 1, to, 2, outcomes, &err) != KNS_EINVAL)
            fail_msg("\"%s\": %s", bad[i], err.message);
        assert_int_equal(outcomes[0].state, KNS_MAIL_UNSENT);
    }
    assert_true(kns_mail_address("N, \"M\" <a+b@x.example>", address));
    assert_string_equal(address, "<a+b@x.example>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_begins_with_a_dot_and_one_of_any_length_arrive_as_they_are),
        cmocka_unit_test(what_is_no_address_is_refused_before_anybody_is_spoken_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
