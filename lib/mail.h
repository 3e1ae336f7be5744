/* mail.h - a finished message handed to an SMTP server, by libcurl. Blocks until the server has it or the time is up: not for the
 * loop thread. */
#ifndef KNS_MAIL_H
#define KNS_MAIL_H

#include "lib/error.h"

#include <stddef.h>

enum kns_mail_security { KNS_MAIL_REQUIRE, KNS_MAIL_TRY, KNS_MAIL_PLAIN };

/* NULL or "" where not set. */
struct kns_mail_settings {
    const char *server; /* smtp://HOST:PORT, smtps://HOST */
    const char *user, *password_file;
    const char *from; /* an address, or "Name <address>" */
    enum kns_mail_security tls;
};

/* Sends message (RFC 5322, CRLF or LF) to each of the recipients, n of them, in one transaction. KNS_EINVAL: no server, an
 * address that is none; KNS_EIO: the server or the network refused, the message says which recipients where it can;
 * KNS_EREFUSED: the login failed. */
enum kns_status kns_mail_send(const struct kns_mail_settings *settings, const char *message,
                              size_t size, const char *const *to, size_t n, struct kns_error *err);

#endif
