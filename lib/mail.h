/* mail.h - a finished message handed to an SMTP server, by libcurl. Blocks until the server has it or the time is up: not for the
 * loop thread. */
#ifndef KNS_MAIL_H
#define KNS_MAIL_H

#include "lib/error.h"

#include <stdbool.h>
#include <stddef.h>

enum kns_mail_security { KNS_MAIL_REQUIRE, KNS_MAIL_TRY, KNS_MAIL_PLAIN };

/* NULL or "" where not set. */
struct kns_mail_settings {
    const char *server; /* smtp://HOST:PORT, smtps://HOST */
    const char *user, *password_file;
    const char *from;    /* an address, or "Name <address>" */
    const char *ca_file; /* the authorities that are trusted; else the system's */
    enum kns_mail_security tls;
};

#define KNS_MAIL_ADDRESS                                                                           \
    330 /* bytes that an address may have, with its brackets (RFC 5321 4.5.3.1) */
#define KNS_MAIL_WHY 240

/* What became of one recipient. */
enum kns_mail_state {
    KNS_MAIL_UNSENT,  /* the server was not asked, or did not take it: it has not got it */
    KNS_MAIL_REFUSED, /* the server refused this recipient, or the message */
    KNS_MAIL_UNKNOWN, /* the message was on its way when the connection broke: it may have got it */
    KNS_MAIL_SENT,
};
struct kns_mail_outcome {
    enum kns_mail_state state;
    char why[KNS_MAIL_WHY]; /* a sentence, unless SENT */
};

/* The bare address of "Name <a@b>" or "a@b" as "<a@b>", what SMTP wants. False: it is none. */
bool kns_mail_address(const char *address, char ret[static KNS_MAIL_ADDRESS]);

/* Sends message (RFC 5322, CRLF) to each of the recipients, n of them, by hundreds in one transaction each; who is refused does
 * not keep it from the others. Fills outcomes (n of them) whatever it returns. KNS_OK: each outcome tells; KNS_EINVAL: no server, an
 * address that is none, a password file that others may read; KNS_EIO, KNS_EREFUSED (the login): nothing was sent to anybody, and
 * the message says why. */
enum kns_status kns_mail_send(const struct kns_mail_settings *settings, const char *message,
                              size_t size, const char *const *to, size_t n,
                              struct kns_mail_outcome *outcomes, struct kns_error *err);

#endif
