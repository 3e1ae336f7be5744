#include "lib/mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEND_TIMEOUT_S 120
#define PASSWORD_MOST 512

/* The message on its way out. */
struct upload {
    const char *at;
    size_t left;
};

static size_t read_message(char *to, size_t size, size_t n, void *ctx)
{
    struct upload *upload = ctx;
    size_t take = size * n < upload->left ? size * n : upload->left;

    memcpy(to, upload->at, take);
    upload->at += take;
    upload->left -= take;
    return take;
}

/* "Name <a@b>" or "a@b" as "<a@b>", what SMTP wants; false: it is no address. */
static bool envelope(const char *address, char *out, size_t size)
{
    const char *open = strrchr(address, '<');
    const char *from = open == NULL ? address : open + 1;
    size_t len = strcspn(from, open == NULL ? "" : ">");

    if (memchr(from, '@', len) == NULL || len + 3 > size)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)from[i] <= ' ' || strchr("<>\"", from[i]) != NULL)
            return false;
    snprintf(out, size, "<%.*s>", (int)len, from);
    return true;
}

static enum kns_status read_password(const char *path, char password[static PASSWORD_MOST],
                                     struct kns_error *err)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return kns_fail(err, KNS_EIO, "%s: %s", path, strerror(errno));
    if (fgets(password, PASSWORD_MOST, file) == NULL)
        password[0] = '\0';
    fclose(file);
    password[strcspn(password, "\r\n")] = '\0';
    return *password != '\0' ? KNS_OK
                             : kns_fail(err, KNS_EINVAL, "%s: there is no password in it", path);
}

static bool add_recipients(struct curl_slist **list, const char *const *to, size_t n,
                           struct kns_error *err)
{
    char address[400];

    for (size_t i = 0; i < n; i++) {
        if (!envelope(to[i], address, sizeof(address))) {
            kns_fail(err, KNS_EINVAL, "\"%.200s\" is no mail address", to[i]);
            return false;
        }
        struct curl_slist *longer = curl_slist_append(*list, address);
        if (longer == NULL) {
            kns_fail(err, KNS_ENOMEM, "out of memory");
            return false;
        }
        *list = longer;
    }
    return true;
}

static enum kns_status perform(CURL *curl, const struct kns_mail_settings *settings,
                               struct upload *upload, struct curl_slist *recipients,
                               const char *password, const char *from, struct kns_error *err)
{
    static const long tls[] = {[KNS_MAIL_REQUIRE] = CURLUSESSL_ALL,
                               [KNS_MAIL_TRY] = CURLUSESSL_TRY,
                               [KNS_MAIL_PLAIN] = CURLUSESSL_NONE};
    char why[CURL_ERROR_SIZE] = "";

    curl_easy_setopt(curl, CURLOPT_URL, settings->server);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL, tls[settings->tls]);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
    curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SEND_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    if (settings->user != NULL && *settings->user != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, settings->user);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
    }
    CURLcode code = curl_easy_perform(curl);
    long answer = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
    if (code == CURLE_OK)
        return KNS_OK;
    /* The server's number says more than curl's sentence; neither holds the password. */
    return kns_fail(err, code == CURLE_LOGIN_DENIED ? KNS_EREFUSED : KNS_EIO, "%s: %s%s%.0ld",
                    settings->server, *why != '\0' ? why : curl_easy_strerror(code),
                    answer > 0 ? ", the server said " : "", answer);
}

enum kns_status kns_mail_send(const struct kns_mail_settings *settings, const char *message,
                              size_t size, const char *const *to, size_t n, struct kns_error *err)
{
    char from[400], password[PASSWORD_MOST] = "";
    struct upload upload = {message, size};
    struct curl_slist *recipients = NULL;
    enum kns_status status = KNS_OK;

    if (settings->server == NULL || *settings->server == '\0')
        return kns_fail(err, KNS_EINVAL, "[mail] server is not set: there is nobody to hand it to");
    if (settings->from == NULL || !envelope(settings->from, from, sizeof(from)))
        return kns_fail(err, KNS_EINVAL, "[mail] from: expected an address");
    if (n == 0)
        return kns_fail(err, KNS_EINVAL, "nobody to send it to");
    if (settings->user != NULL && *settings->user != '\0' && settings->password_file != NULL &&
        *settings->password_file != '\0')
        status = read_password(settings->password_file, password, err);
    if (status != KNS_OK)
        return status;
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    else if (!add_recipients(&recipients, to, n, err))
        status = err == NULL ? KNS_EINVAL : err->status;
    if (status == KNS_OK)
        status = perform(curl, settings, &upload, recipients, password, from, err);
    explicit_bzero(password, sizeof(password));
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    return status;
}
