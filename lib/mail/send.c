/* A conversation with an SMTP server, listened to: libcurl tells what is said and answered, and so what became of each recipient.
 *
 *   connect, TLS, login, MAIL FROM --refused--> nobody is sent to
 *   RCPT TO, once a recipient      --refused--> that one is not
 *   DATA, the message, its answer  --refused--> none of the hundred is; --broken off--> they may have got it */
#include "lib/mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define SEND_TIMEOUT_S 120
#define PASSWORD_MOST 512
#define AT_ONCE 100 /* what every server takes in one transaction (RFC 5321 4.5.3.1.8) */

/* What the server was told last. */
enum told { NOTHING_YET, RECIPIENT, MESSAGE, MESSAGE_ENDED, SOMETHING_ELSE };

struct sending {
    const struct kns_mail_settings *settings;
    const char *message;
    size_t size;
    const char *at; /* of the message, on its way out */
    size_t left;
    struct kns_mail_outcome *outcomes; /* of this transaction, n of them */
    size_t n, asked;
    enum told told;
    bool taken;            /* the message was answered with a yes */
    char no[KNS_MAIL_WHY]; /* the server's last refusal */
};

/* ---- addresses and the password ------------------------------------------------------------------------------------------ */

bool kns_mail_address(const char *address, char ret[static KNS_MAIL_ADDRESS])
{
    const char *open = strrchr(address, '<');
    const char *from = open == NULL ? address : open + 1;
    size_t len = strcspn(from, open == NULL ? "" : ">");
    const char *at = memchr(from, '@', len);

    if (at == NULL || at == from || at + 1 == from + len || len + 3 > KNS_MAIL_ADDRESS ||
        (open != NULL && (from[len] != '>' || from[len + 1] != '\0')))
        return false;
    /* The name before it is for people; with an address or a line of its own in it, it is something else. */
    for (const char *name = address; name + 1 < from; name++)
        if (*name == '<' || *name == '>' || (unsigned char)*name < ' ')
            return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)from[i] <= ' ' || from[i] == 0x7F ||
            strchr("<>\"(),:;\\", from[i]) != NULL)
            return false;
    snprintf(ret, KNS_MAIL_ADDRESS, "<%.*s>", (int)len, from);
    return true;
}

/* The first line of a file that others can neither read nor change. */
static enum kns_status read_password(const char *path, char password[static PASSWORD_MOST],
                                     struct kns_error *err)
{
    FILE *file = fopen(path, "re");
    struct stat st;

    if (file == NULL || fstat(fileno(file), &st) != 0) {
        int why = errno;
        if (file != NULL)
            fclose(file);
        return kns_fail(err, KNS_EIO, "%s: %s", path, strerror(why));
    }
    if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
        fclose(file);
        return kns_fail(err, KNS_EINVAL,
                        "%s: others may read or change the password (its mode is %04o): chmod 600",
                        path, (unsigned)(st.st_mode & 07777));
    }
    if (fgets(password, PASSWORD_MOST, file) == NULL)
        password[0] = '\0';
    fclose(file);
    password[strcspn(password, "\r\n")] = '\0';
    return *password != '\0' ? KNS_OK
                             : kns_fail(err, KNS_EINVAL, "%s: there is no password in it", path);
}

/* ---- listening ----------------------------------------------------------------------------------------------------------- */

static size_t read_message(char *to, size_t size, size_t n, void *ctx)
{
    struct sending *s = ctx;
    size_t take = size * n < s->left ? size * n : s->left;

    memcpy(to, s->at, take);
    s->at += take;
    s->left -= take;
    if (take == 0)
        s->told = MESSAGE_ENDED;
    return take;
}

static void keep_refusal(struct sending *s, const char *line, size_t len)
{
    while (len > 0 && (unsigned char)line[len - 1] <= ' ')
        len--;
    for (size_t i = 0; i < len && i < sizeof(s->no) - 1; i++)
        s->no[i] = (unsigned char)line[i] < ' ' || line[i] == 0x7F ? ' ' : line[i];
    s->no[len < sizeof(s->no) - 1 ? len : sizeof(s->no) - 1] = '\0';
}

static void on_told(struct sending *s, const char *line, size_t len)
{
    if (len > 8 && strncasecmp(line, "RCPT TO:", 8) == 0)
        s->told = RECIPIENT;
    else if (len >= 4 && strncasecmp(line, "DATA", 4) == 0)
        s->told = MESSAGE;
    else
        s->told = SOMETHING_ELSE;
    /* What was refused before says nothing of the message. */
    if (s->told == MESSAGE)
        s->no[0] = '\0';
}

/* An answer; of one with several lines, its last. */
static void on_answer(struct sending *s, const char *line, size_t len)
{
    bool last = len >= 4 && line[3] != '-';
    bool yes = len > 0 && (line[0] == '2' || line[0] == '3');

    if (!last)
        return;
    if (!yes)
        keep_refusal(s, line, len);
    if (s->told == RECIPIENT && s->asked < s->n) {
        struct kns_mail_outcome *outcome = &s->outcomes[s->asked++];
        outcome->state = yes ? KNS_MAIL_UNKNOWN : KNS_MAIL_REFUSED;
        snprintf(outcome->why, sizeof(outcome->why), "%s", yes ? "" : s->no);
    } else if (s->told == MESSAGE_ENDED && yes) {
        s->taken = true;
    }
    /* The answer to DATA says go on; after another the message did not leave. */
    if (s->told == MESSAGE && !yes)
        s->told = SOMETHING_ELSE;
    else if (s->told == MESSAGE_ENDED)
        s->told = SOMETHING_ELSE;
}

static int listen_in(CURL *curl, curl_infotype type, char *data, size_t size, void *ctx)
{
    (void)curl;
    if (type == CURLINFO_HEADER_OUT)
        on_told(ctx, data, size);
    else if (type == CURLINFO_HEADER_IN)
        on_answer(ctx, data, size);
    return 0;
}

/* ---- one transaction ----------------------------------------------------------------------------------------------------- */

/* What those get who were asked for and not refused: the fate of the message. */
static void settle(struct sending *s, CURLcode code, const char *why)
{
    bool may_have = code != CURLE_OK && s->told == MESSAGE_ENDED;

    for (size_t i = 0; i < s->n; i++) {
        struct kns_mail_outcome *outcome = &s->outcomes[i];
        if (outcome->state == KNS_MAIL_REFUSED)
            continue;
        outcome->state = s->taken                 ? KNS_MAIL_SENT
                         : may_have               ? KNS_MAIL_UNKNOWN
                         : s->asked > 0 && *s->no ? KNS_MAIL_REFUSED
                                                  : KNS_MAIL_UNSENT;
        snprintf(outcome->why, sizeof(outcome->why), "%s",
                 s->taken         ? ""
                 : *s->no != '\0' ? s->no
                                  : why);
    }
}

/* False: nobody was asked for. why is its sentence. */
static bool perform(CURL *curl, struct sending *s, const char *const *to, CURLcode *ret_code,
                    char why[static CURL_ERROR_SIZE])
{
    struct curl_slist *recipients = NULL;
    char address[KNS_MAIL_ADDRESS];
    bool good = true;

    for (size_t i = 0; i < s->n && good; i++) {
        struct curl_slist *longer =
            kns_mail_address(to[i], address) ? curl_slist_append(recipients, address) : NULL;
        good = longer != NULL;
        recipients = good ? longer : recipients;
    }
    why[0] = '\0';
    s->at = s->message;
    s->left = s->size;
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    *ret_code = good ? curl_easy_perform(curl) : CURLE_OUT_OF_MEMORY;
    if (*why == '\0')
        snprintf(why, CURL_ERROR_SIZE, "%s", curl_easy_strerror(*ret_code));
    curl_slist_free_all(recipients);
    settle(s, *ret_code, why);
    return s->asked > 0;
}

static void set_up(CURL *curl, struct sending *s, const char *from, const char *password, char *why)
{
    static const long tls[] = {[KNS_MAIL_REQUIRE] = CURLUSESSL_ALL,
                               [KNS_MAIL_TRY] = CURLUSESSL_TRY,
                               [KNS_MAIL_PLAIN] = CURLUSESSL_NONE};
    const struct kns_mail_settings *settings = s->settings;

    curl_easy_setopt(curl, CURLOPT_URL, settings->server);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, tls[settings->tls]);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    if (settings->ca_file != NULL && *settings->ca_file != '\0')
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca_file);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS /* newer curls know it too */, 1L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
    curl_easy_setopt(curl, CURLOPT_READDATA, s);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, listen_in);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, s);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SEND_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    if (settings->user != NULL && *settings->user != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
    }
}

static enum kns_status send_all(CURL *curl, struct sending *s, const char *const *to, size_t n,
                                struct kns_mail_outcome *outcomes, char *why, struct kns_error *err)
{
    bool any = false;

    for (size_t at = 0; at < n; at += AT_ONCE) {
        CURLcode code = CURLE_OK;
        s->outcomes = outcomes + at;
        s->n = n - at < AT_ONCE ? n - at : AT_ONCE;
        s->asked = 0;
        s->told = NOTHING_YET;
        s->taken = false;
        s->no[0] = '\0';
        any = perform(curl, s, to + at, &code, why) || any;
        if (!any)
            return kns_fail(err, code == CURLE_LOGIN_DENIED ? KNS_EREFUSED : KNS_EIO, "%s: %s%s%s",
                            s->settings->server, why, *s->no != '\0' ? ", the server said " : "",
                            s->no);
    }
    return KNS_OK;
}

/* What must hold before anybody is spoken to. */
static enum kns_status check(const struct kns_mail_settings *settings, const char *const *to,
                             size_t n, char from[static KNS_MAIL_ADDRESS], struct kns_error *err)
{
    char address[KNS_MAIL_ADDRESS];

    if (settings->server == NULL || *settings->server == '\0')
        return kns_fail(err, KNS_EINVAL, "[mail] server is not set: there is nobody to hand it to");
    if (settings->from == NULL || !kns_mail_address(settings->from, from))
        return kns_fail(err, KNS_EINVAL, "[mail] from: expected an address");
    if (n == 0)
        return kns_fail(err, KNS_EINVAL, "nobody to send it to");
    for (size_t i = 0; i < n; i++)
        if (!kns_mail_address(to[i], address))
            return kns_fail(err, KNS_EINVAL, "\"%.200s\" is no mail address", to[i]);
    return KNS_OK;
}

enum kns_status kns_mail_send(const struct kns_mail_settings *settings, const char *message,
                              size_t size, const char *const *to, size_t n,
                              struct kns_mail_outcome *outcomes, struct kns_error *err)
{
    char from[KNS_MAIL_ADDRESS], password[PASSWORD_MOST] = "", why[CURL_ERROR_SIZE] = "";
    struct sending s = {.settings = settings, .message = message, .size = size};
    enum kns_status status = check(settings, to, n, from, err);

    memset(outcomes, 0, n * sizeof(*outcomes));
    if (status == KNS_OK && settings->user != NULL && *settings->user != '\0' &&
        settings->password_file != NULL && *settings->password_file != '\0')
        status = read_password(settings->password_file, password, err);
    if (status != KNS_OK)
        return status;
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    } else {
        set_up(curl, &s, from, password, why);
        status = send_all(curl, &s, to, n, outcomes, why, err);
    }
    explicit_bzero(password, sizeof(password));
    curl_easy_cleanup(curl);
    return status;
}
