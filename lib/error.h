/* error.h - how every room of KNS says that something went wrong.
 *
 * A function that can fail returns an enum kns_status and, where a sentence helps whoever reads it,
 * fills a struct kns_error. The sentence gains context on its way up ("store: commit: disk full");
 * the layer that decides what happens next prints it, once. Nothing in lib/ logs or exits.
 */
#ifndef KNS_ERROR_H
#define KNS_ERROR_H

enum kns_status {
    KNS_OK = 0,
    KNS_ENOMEM,    /* memory ran out; the operation failed, the program goes on */
    KNS_EINVAL,    /* the caller's input is not what was asked for (usage, bad URL, bad filter) */
    KNS_ENOTFOUND, /* no such feed, item, file */
    KNS_EEXIST,    /* it is there already */
    KNS_ENOTFEED,  /* the bytes are no feed document */
    KNS_ESYNTAX,   /* bytes in a known format, broken beyond use */
    KNS_ELIMIT,    /* larger, deeper or more than a named limit allows */
    KNS_EIO,       /* the disk or a socket failed */
    KNS_EFULL,     /* the disk is full or read-only; may pass by itself */
    KNS_ECORRUPT,  /* stored data cannot be trusted; nothing was changed */
    KNS_EVERSION,  /* made by a newer KNS, or by no KNS at all */
    KNS_EBUSY,     /* someone else holds it (a second daemon, a lock) */
    KNS_EREFUSED,  /* policy forbids it (private network, rate limit, permission) */
};

/* The longest sentence kept; more is cut at a character boundary. */
#define KNS_ERROR_MAX 512

struct kns_error {
    enum kns_status status;
    char message[KNS_ERROR_MAX];
};

/* Fills err (which may be NULL) and returns status, so that `return kns_fail(err, …)` reads well.
 * The message is one line without a full stop: what, where, what was expected. Any thread. */
enum kns_status kns_fail(struct kns_error *err, enum kns_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message that err holds; err may be NULL. Returns err's status
 * (KNS_EINVAL when err is NULL, so never KNS_OK). Any thread. */
enum kns_status kns_fail_in(struct kns_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A word for the status ("not found"), never NULL; static storage. */
const char *kns_status_name(enum kns_status status);

#endif
