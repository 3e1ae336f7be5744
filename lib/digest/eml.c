/* A mail (RFC 5322): multipart/alternative of plain text and HTML, base64 so that Japanese stays short and lines stay
 * under 76 characters whatever they hold. */
#include "lib/digest/base64.h"
#include "lib/digest/hash.h"
#include "lib/digest/view.h"
#include "lib/url.h"

#include <stdio.h>
#include <string.h>

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7E)
            return false;
    return true;
}

/* Bytes of an encoded word's text: with "Subject: " before it a line stays within the 76 columns of RFC 2047. */
#define WORD_BYTES 39
#define LINE_MOST 60

/* Header text as encoded words (RFC 2047), a line each, never split inside a character. */
static void add_encoded(struct kns_buf *out, const char *text)
{
    while (*text != '\0') {
        size_t len = strnlen(text, WORD_BYTES);
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
        kns_buf_adds(out, "=?UTF-8?B?");
        digest_base64(out, text, len, 0);
        kns_buf_adds(out, "?=");
        text += len;
        kns_buf_adds(out, *text != '\0' ? "\r\n " : "");
    }
}

/* Unstructured text: a subject. */
static void add_words(struct kns_buf *out, const char *text)
{
    if (is_plain(text) && strstr(text, "=?") == NULL && strlen(text) < LINE_MOST)
        kns_buf_adds(out, text);
    else
        add_encoded(out, text);
}

/* A phrase (RFC 5322 3.2.5), the name before an address: as it is, in quotes, or encoded. */
static void add_phrase(struct kns_buf *out, const char *text)
{
    static const char atoms[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                " !#$%&'*+-/=?^_`{|}~";

    if (!is_plain(text) || strstr(text, "=?") != NULL || strlen(text) >= LINE_MOST) {
        add_encoded(out, text);
    } else if (text[strspn(text, atoms)] == '\0') {
        kns_buf_adds(out, text);
    } else {
        kns_buf_addc(out, '"');
        for (; *text != '\0'; text++) {
            if (*text == '"' || *text == '\\')
                kns_buf_addc(out, '\\');
            kns_buf_addc(out, *text);
        }
        kns_buf_addc(out, '"');
    }
}

/* The words of a name that may stand in quotes already. */
static const char *unquoted(struct kns_arena *arena, const char *name, size_t len)
{
    char *out = kns_arena_copy(arena, name, len);
    size_t used = 0;

    if (out == NULL || len < 2 || name[0] != '"' || name[len - 1] != '"')
        return out;
    for (size_t i = 1; i + 1 < len; i++) {
        i += name[i] == '\\' && i + 2 < len;
        out[used++] = name[i];
    }
    out[used] = '\0';
    return out;
}

/* "Name <address>", the name as it may stand there; a bare address, or a group, as it is. */
static void add_address(struct kns_arena *arena, struct kns_buf *out, const char *address)
{
    const char *angle = strrchr(address, '<');
    size_t len = angle != NULL ? (size_t)(angle - address) : 0;

    while (len > 0 && address[len - 1] == ' ')
        len--;
    if (len == 0) {
        kns_buf_adds(out, address);
        return;
    }
    const char *name = unquoted(arena, address, len);
    out->failed |= name == NULL;
    add_phrase(out, name != NULL ? name : "");
    kns_buf_adds(out, "\r\n ");
    kns_buf_adds(out, angle);
}

static void add_date(struct kns_buf *out, struct kns_time time)
{
    char text[KNS_TIME_HTTP];

    if (kns_time_given(time))
        kns_buf_addf(out, "Date: %.25s +0000\r\n", kns_time_format_http(time, text));
}

static void add_part(struct kns_buf *out, const char *boundary, const char *type,
                     const struct kns_buf *body)
{
    kns_buf_addf(out,
                 "--%s\r\nContent-Type: %s; charset=utf-8\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\n",
                 boundary, type);
    digest_base64(out, kns_buf_str(body), body->len, 76);
    kns_buf_adds(out, "\r\n");
}

static void add_picture(struct kns_buf *out, const struct digest_view *view, const char *boundary,
                        const struct kns_digest_picture *picture)
{
    kns_buf_addf(out,
                 "--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n"
                 "Content-Disposition: inline\r\nContent-ID: <%s>\r\n\r\n",
                 boundary, picture->type, digest_picture_id(view->arena, picture));
    digest_base64(out, picture->bytes, picture->size, 76);
    kns_buf_adds(out, "\r\n");
}

/* The HTML; with the pictures that it shows, where they go along (RFC 2387). */
static bool add_html(struct kns_buf *out, const struct digest_view *view, const char *boundary,
                     const struct kns_buf *html)
{
    const struct kns_digest_options *options = view->options;

    if (options->images != KNS_IMAGES_EMBEDDED || options->n_pictures == 0) {
        add_part(out, boundary, "text/html", html);
        return true;
    }
    const char *inner = digest_hash(view->arena, "related", view->id);
    if (inner == NULL)
        return false;
    kns_buf_addf(out,
                 "--%s\r\nContent-Type: multipart/related; type=\"text/html\";\r\n "
                 "boundary=\"%s\"\r\n\r\n",
                 boundary, inner);
    add_part(out, inner, "text/html", html);
    for (size_t i = 0; i < options->n_pictures; i++)
        if (options->pictures[i].bytes != NULL)
            add_picture(out, view, inner, &options->pictures[i]);
    kns_buf_addf(out, "--%s--\r\n\r\n", inner);
    return true;
}

/* The name of the list: given, or letters of the publication before the site's host. */
static const char *list_id(const struct digest_view *view, const char *host)
{
    const char *name = view->publication;
    char label[64];
    size_t used = 0;

    if (view->options->list_id != NULL)
        return view->options->list_id;
    for (; *name != '\0' && used < sizeof(label) - 1; name++) {
        char c = *name;
        bool letter = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (letter)
            label[used++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        else if (used > 0 && label[used - 1] != '-')
            label[used++] = '-';
    }
    while (used > 0 && label[used - 1] == '-')
        used--;
    label[used] = '\0';
    if (used == 0 && view->digest->list != NULL)
        return kns_arena_printf(view->arena, "%s.%s", view->digest->list, host);
    return kns_arena_printf(view->arena, "%s.%s", used > 0 ? label : "digest", host);
}

/* The configured sender, else who makes the newsletter. NULL: no memory. */
static const char *sender(const struct digest_view *view)
{
    const char *email = view->digest->author_email;

    if (view->options->mail_from != NULL)
        return view->options->mail_from;
    if (email == NULL || *email == '\0')
        return "kns@localhost";
    return strchr(email, '<') != NULL
               ? email
               : kns_arena_printf(view->arena, "%s <%s>", view->author, email);
}

/* BCP 47 has no other letters. */
static const char *language_tag(const struct digest_view *view)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";

    return view->language[strspn(view->language, letters)] == '\0' ? view->language
                                                                   : view->words->language;
}

static enum kns_status check_header(const char *name, const char *value, struct kns_error *err)
{
    if (value == NULL || strpbrk(value, "\r\n") == NULL)
        return KNS_OK;
    return kns_fail(err, KNS_EINVAL, "mail header %s: a line break in it", name);
}

static enum kns_status add_headers(const struct digest_view *view, struct kns_buf *out,
                                   const char *boundary, struct kns_error *err)
{
    const struct kns_digest_options *options = view->options;
    const char *base = view->digest->base_url;
    const char *host = base != NULL ? kns_url_host(view->arena, base) : NULL;
    const char *from = sender(view);
    const char *to = options->mail_to != NULL ? options->mail_to : "undisclosed-recipients:;";
    char updated[KNS_TIME_TEXT];
    const char *message_id =
        digest_hash(view->arena, view->id, kns_time_format(view->updated, updated));

    host = host != NULL ? host : "localhost";
    const char *list = list_id(view, host);
    if (message_id == NULL || list == NULL || from == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = check_header("From", from, err);
    if (status == KNS_OK)
        status = check_header("To", to, err);
    if (status == KNS_OK)
        status = check_header("List-Id", list, err);
    if (status != KNS_OK)
        return status;
    kns_buf_adds(out, "From: ");
    add_address(view->arena, out, from);
    kns_buf_adds(out, "\r\nTo: ");
    add_address(view->arena, out, to);
    kns_buf_adds(out, "\r\nSubject: ");
    add_words(out, view->title);
    kns_buf_adds(out, "\r\n");
    add_date(out, view->updated);
    kns_buf_addf(out, "Message-ID: <%s@%s>\r\nList-Id: ", message_id, host);
    add_phrase(out, view->publication);
    kns_buf_addf(out,
                 "\r\n <%s>\r\nContent-Language: %s\r\nMIME-Version: 1.0\r\n"
                 "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n",
                 list, language_tag(view), boundary);
    return KNS_OK;
}

enum kns_status digest_write_eml(const struct digest_view *view, struct kns_buf *out,
                                 size_t *ret_html_bytes, struct kns_error *err)
{
    struct kns_buf text = {0}, html = {0};
    struct digest_view mail = *view;
    const char *boundary = digest_hash(view->arena, "boundary", view->id);
    enum kns_status status = KNS_OK;

    if (boundary == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    /* In a mail pictures are parts of it: programs show no data: addresses. */
    mail.mail = true;
    status = digest_write_text(view, &text, err);
    if (status == KNS_OK)
        status = digest_write_html(&mail, &html, err);
    if (status == KNS_OK)
        status = add_headers(view, out, boundary, err);
    if (status == KNS_OK) {
        add_part(out, boundary, "text/plain", &text);
        if (!add_html(out, view, boundary, &html))
            status = kns_fail(err, KNS_ENOMEM, "out of memory");
        kns_buf_addf(out, "--%s--\r\n", boundary);
        *ret_html_bytes = html.len;
    }
    kns_buf_fini(&text);
    kns_buf_fini(&html);
    return status;
}
