/* From the best value of each field to the model's members. */
#include "lib/date.h"
#include "lib/html.h"
#include "lib/parse.h"
#include "lib/parse/builder_internal.h"
#include "lib/text.h"
#include "lib/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct slot *kns_builder_slots(struct builder *b)
{
    return b->entry != NULL ? b->item : b->feed;
}

const char *kns_builder_base(const struct builder *b, const struct frame *f)
{
    if (f != NULL && f->base != NULL)
        return f->base;
    if (b->base_url != NULL)
        return b->base_url;
    /* Only in RSS, where nothing else can say a base; Atom has xml:base (RFC 4287 2). */
    if (b->vocabulary == NS_ATOM)
        return NULL;
    const char *link = b->feed[F_URL].text;
    return link != NULL && kns_url_is_web(link) ? link : NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_blank(const char *text)
{
    while (is_space(*text))
        text++;
    return *text == '\0';
}

const char *kns_builder_line(struct builder *b, const char *text)
{
    const char *line = text == NULL ? NULL : kns_text_squeeze(b->arena, text);

    return line == NULL || *line == '\0' ? NULL : line;
}

void kns_builder_set(struct builder *b, const struct frame *f, enum field field, uint8_t rank,
                     const char *text, bool is_html)
{
    struct slot *slot = &kns_builder_slots(b)[field];
    struct kns_time time = {0};

    if (text == NULL || is_blank(text) || field == F_NONE ||
        (slot->text != NULL && slot->rank <= rank))
        return;
    if (field == F_PUBLISHED || field == F_UPDATED) {
        if (!kns_date_parse(text, &time)) {
            char message[160];
            int shown = (int)kns_text_utf8_prefix(text, strnlen(text, 100));
            snprintf(message, sizeof(message), "not a date: \"%.*s\"", shown, text);
            kns_builder_warn(b, f->line, message);
            return;
        }
    }
    *slot = (struct slot){text, is_html, rank, kns_builder_base(b, f), time};
}

/* HTML with its ends trimmed and its URLs resolved, in the arena: the text is copied once. */
static const char *settled_html(struct builder *b, const struct frame *f, char *text, size_t len)
{
    const char *base = kns_builder_base(b, f);
    char *begin = text;

    while (is_space(*begin))
        begin++;
    while (text + len > begin && is_space(text[len - 1]))
        len--;
    text[len] = '\0';
    const char *html = base == NULL ? begin : kns_html_resolve(b->arena, begin, base);
    return html == begin ? kns_arena_copy(b->arena, begin, (size_t)(text + len - begin)) : html;
}

void kns_builder_set_buffer(struct builder *b, const struct frame *f, struct kns_buf *buf,
                            bool is_html)
{
    enum field field = f->row->field;
    const struct slot *slot = &kns_builder_slots(b)[field];

    if (buf->len == 0 || (slot->text != NULL && slot->rank <= f->row->rank))
        return;
    const char *text = is_html ? settled_html(b, f, buf->data, buf->len)
                               : kns_arena_copy(b->arena, buf->data, buf->len);
    b->failed = b->failed || text == NULL;
    kns_builder_set(b, f, field, f->row->rank, text, is_html);
}

/* Ends trimmed. */
static const char *trimmed(struct builder *b, const char *text)
{
    if (text == NULL)
        return NULL;
    while (is_space(*text))
        text++;
    size_t len = strlen(text);
    size_t whole = len;
    while (len > 0 && is_space(text[len - 1]))
        len--;
    if (len == whole)
        return len == 0 ? NULL : text;
    return len == 0 ? NULL : kns_arena_copy(b->arena, text, len);
}

static const char *non_empty(const char *text)
{
    return text == NULL || *text == '\0' ? NULL : text;
}

static const char *as_line(struct builder *b, const struct slot *slot)
{
    if (slot->text == NULL)
        return NULL;
    return non_empty(slot->is_html ? kns_html_to_line(b->arena, slot->text)
                                   : kns_text_squeeze(b->arena, slot->text));
}

static const char *as_url(struct builder *b, const struct slot *slot)
{
    const char *text = trimmed(b, slot->text);

    return text == NULL ? NULL : non_empty(kns_url_resolve(b->arena, slot->base, text));
}

int64_t kns_parse_number(const char *text)
{
    char *end;

    if (text == NULL)
        return -1;
    text += strspn(text, " \t\r\n");
    if (!isdigit((unsigned char)*text))
        return -1;
    long long number = strtoll(text, &end, 10);
    if (*end == '.')
        end += 1 + strspn(end + 1, "0123456789");
    return end[strspn(end, " \t\r\n")] == '\0' ? number : -1;
}

double kns_parse_duration(const char *text)
{
    double total = 0;
    int parts = 0;

    if (text == NULL)
        return -1;
    text += strspn(text, " \t\r\n");
    for (;;) {
        char *end;
        if (!isdigit((unsigned char)*text))
            return -1;
        double part = strtod(text, &end);
        total = total * 60 + part;
        text = end;
        if (*text != ':')
            break;
        if (++parts > 2)
            return -1;
        text++;
    }
    return text[strspn(text, " \t\r\n")] == '\0' ? total : -1;
}

static enum kns_explicit as_explicit(const char *text)
{
    static const struct {
        const char *word;
        enum kns_explicit value;
    } words[] = {
        {"yes", KNS_EXPLICIT_YES}, {"true", KNS_EXPLICIT_YES}, {"explicit", KNS_EXPLICIT_YES},
        {"no", KNS_EXPLICIT_NO},   {"false", KNS_EXPLICIT_NO}, {"clean", KNS_EXPLICIT_NO},
    };

    for (size_t i = 0; text != NULL && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(text, words[i].word) == 0)
            return words[i].value;
    return KNS_EXPLICIT_UNKNOWN;
}

/* A longer text beside a shorter one is the content; alone it is what there is. */
static void fill_text(struct builder *b, struct kns_entry *entry)
{
    const struct slot *summary = &b->item[F_SUMMARY], *content = &b->item[F_CONTENT];

    if (content->text != NULL && content->is_html)
        entry->content_html = content->text;
    else if (content->text != NULL)
        entry->content_text = trimmed(b, content->text);
    if (summary->text == NULL)
        return;
    /* RSS's description is the content where nothing else is; Atom's summary stays one. */
    if (summary->is_html && content->text == NULL && summary->rank != 1) {
        entry->content_html = summary->text;
        return;
    }
    if (summary->is_html)
        entry->summary_html = summary->text;
    entry->summary = as_line(b, summary);
}

static bool is_picture(const struct kns_enclosure *enclosure)
{
    return enclosure->mime_type != NULL && strncasecmp(enclosure->mime_type, "image/", 6) == 0;
}

static const char *choose_image(struct builder *b, const struct kns_entry *entry)
{
    const struct kns_enclosure *enclosure;

    if (b->thumbnail != NULL)
        return b->thumbnail;
    if (b->media_image != NULL)
        return b->media_image;
    if (b->item[F_IMAGE].text != NULL)
        return as_url(b, &b->item[F_IMAGE]);
    KNS_LIST_EACH(enclosure, &entry->enclosures)
    if (is_picture(enclosure))
        return enclosure->url;
    const char *html = entry->content_html != NULL ? entry->content_html : entry->summary_html;
    return html == NULL || strcasestr(html, "<img") == NULL
               ? NULL
               : kns_html_first_image(b->arena, html, kns_builder_base(b, NULL));
}

bool kns_parse_coordinate(const char *text, double limit, double *ret)
{
    char *end;

    if (text == NULL)
        return false;
    text += strspn(text, " \t\r\n");
    /* strtod knows infinities and hexadecimal numbers too. */
    if (text[strspn(text, "+-.0123456789eE")] > ' ')
        return false;
    double value = strtod(text, &end);
    if (end == text || end[strspn(end, " \t\r\n")] != '\0' || !(value >= -limit && value <= limit))
        return false;
    *ret = value;
    return true;
}

void kns_fields_to_entry(struct builder *b, struct kns_entry *entry)
{
    struct slot *s = b->item;

    entry->title = as_line(b, &s[F_TITLE]);
    entry->guid = trimmed(b, s[F_ID].text);
    entry->url = as_url(b, &s[F_URL]);
    if (entry->url == NULL && entry->permalink)
        entry->url = as_url(b, &s[F_ID]);
    fill_text(b, entry);
    entry->published = s[F_PUBLISHED].time;
    entry->updated = s[F_UPDATED].time;
    entry->language = trimmed(b, s[F_LANGUAGE].text);
    entry->rights = as_line(b, &s[F_RIGHTS]);
    entry->comments_url = as_url(b, &s[F_COMMENTS_URL]);
    entry->comments_feed_url = as_url(b, &s[F_COMMENTS_FEED]);
    entry->comments_count = kns_parse_number(s[F_COMMENTS_COUNT].text);
    entry->season = kns_parse_number(s[F_SEASON].text);
    entry->episode = kns_parse_number(s[F_EPISODE].text);
    entry->is_explicit = as_explicit(trimmed(b, s[F_EXPLICIT].text));
    entry->source.id =
        s[F_SOURCE_ID].text != NULL ? trimmed(b, s[F_SOURCE_ID].text) : entry->source.id;
    entry->source.title =
        s[F_SOURCE_TITLE].text != NULL ? as_line(b, &s[F_SOURCE_TITLE]) : entry->source.title;
    entry->source.url =
        s[F_SOURCE_URL].text != NULL ? as_url(b, &s[F_SOURCE_URL]) : entry->source.url;
    double duration = kns_parse_duration(s[F_DURATION].text);
    if (duration >= 0 && entry->enclosures.first != NULL && entry->enclosures.first->duration_s < 0)
        entry->enclosures.first->duration_s = duration;
    entry->geo.given = kns_parse_coordinate(s[F_LAT].text, 90, &entry->geo.lat) &&
                       kns_parse_coordinate(s[F_LON].text, 180, &entry->geo.lon);
    entry->image = choose_image(b, entry);
}

/* sy:updatePeriod divided by sy:updateFrequency. */
static int64_t update_interval(struct builder *b)
{
    static const struct {
        const char *word;
        int64_t seconds;
    } periods[] = {
        {"hourly", 3600},     {"daily", 86400},     {"weekly", 604800},
        {"monthly", 2592000}, {"yearly", 31536000},
    };
    const char *period = trimmed(b, b->feed[F_PERIOD].text);
    int64_t frequency = kns_parse_number(b->feed[F_FREQUENCY].text);

    if (period == NULL && frequency <= 0)
        return -1;
    for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
        if (strcasecmp(period == NULL ? "daily" : period, periods[i].word) == 0)
            return periods[i].seconds / (frequency > 0 ? frequency : 1);
    return -1;
}

void kns_fields_to_document(struct builder *b)
{
    struct kns_document *d = b->document;
    struct slot *s = b->feed;

    d->title = as_line(b, &s[F_TITLE]);
    d->id = trimmed(b, s[F_ID].text);
    d->home_page_url = as_url(b, &s[F_URL]);
    d->description = as_line(b, &s[F_SUMMARY]);
    d->feed_url = as_url(b, &s[F_SELF]);
    d->next_url = as_url(b, &s[F_NEXT]);
    d->icon = as_url(b, s[F_ICON].text != NULL ? &s[F_ICON] : &s[F_IMAGE]);
    d->favicon = as_url(b, &s[F_FAVICON]);
    d->language = trimmed(b, s[F_LANGUAGE].text);
    d->rights = as_line(b, &s[F_RIGHTS]);
    d->generator = as_line(b, &s[F_GENERATOR]);
    d->published = s[F_PUBLISHED].time;
    d->updated = s[F_UPDATED].time;
    int64_t ttl = kns_parse_number(s[F_TTL].text);
    d->ttl_s = ttl >= 0 && ttl <= INT64_MAX / 60 ? ttl * 60 : -1;
    d->update_interval_s = update_interval(b);
    if (d->authors.count == 0 && b->owner != NULL)
        KNS_LIST_APPEND(&d->authors, b->owner);
}
