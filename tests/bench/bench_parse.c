/* How fast feeds are read into the model, beside expat with empty handlers on the same bytes in the same run:
 *
 *   bench_parse [FILE…]        documents of our own making, or the given ones
 *   bench_parse --write DIR    only writes ours there, for others to be measured on
 */
#include "lib/buf.h"
#include "lib/parse.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ITEMS 40        /* of one document */
#define ROUNDS 15       /* the best counts: others use this machine too */
#define LEAST_BYTES 1e6 /* that one round of one document reads */
#define CHUNK 16384     /* as the network hands them over */
#define MAX_DOCUMENTS 2000

struct sample {
    const char *name;
    struct kns_buf bytes;
};

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others use this machine too */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the documents ---------------------------------------------------------------------------------------- */

static const char paragraph[] =
    "<p>The winning solution used <a href=\"https://site.example/boosting\">gradient boosting</a>, "
    "careful "
    "validation and a blend of <em>several</em> models; <img "
    "src=\"https://site.example/img/plot.png\" alt=\"a plot\"> "
    "code &amp; notes "
    "are linked below, together with what did not work and why it did not.</p>\n";

static const char japanese[] =
    "<p>前処理と特徴量の解法を共有します。機械学習のコンペに参加した人のために、<a "
    "href=\"/code\">コード</a>と"
    "ノートを以下に置きました。うまくいかなかったことも書いています。</p>\n";

/* A blog: whole articles in CDATA. */
static void add_blog(struct kns_buf *b)
{
    kns_buf_adds(
        b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" "
           "xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" "
           "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" "
           "xmlns:slash=\"http://purl.org/rss/1.0/modules/slash/\">\n<channel><title>A blog</title>"
           "<link>https://blog.example/</link><description>Notes</description>\n");
    for (int i = 0; i < ITEMS; i++) {
        kns_buf_addf(
            b,
            "<item>\n\t<title>Article %d &#8211; what we learned</title>\n"
            "\t<link>https://blog.example/2026/article-%d/</link>\n"
            "\t<dc:creator><![CDATA[Ann Chor]]></dc:creator>\n"
            "\t<pubDate>Wed, %02d Nov 2026 09:45:42 +0000</pubDate>\n"
            "\t<category><![CDATA[machine learning]]></category>\n"
            "\t<category><![CDATA[tabular]]></category>\n"
            "\t<guid isPermaLink=\"false\">https://blog.example/?p=%d</guid>\n"
            "\t<description><![CDATA[The winning solution used gradient boosting [&#8230;]]]>"
            "</description>\n\t<content:encoded><![CDATA[",
            i, i, i % 28 + 1, i);
        for (int k = 0; k < 6 + i % 9; k++)
            kns_buf_adds(b, k % 5 == 4 ? japanese : paragraph);
        kns_buf_addf(b, "]]></content:encoded>\n\t<slash:comments>%d</slash:comments>\n</item>\n",
                     i);
    }
    kns_buf_adds(b, "</channel></rss>\n");
}

static void add_escaped(struct kns_buf *b, const char *html)
{
    for (; *html != '\0'; html++) {
        if (*html == '<')
            kns_buf_adds(b, "&lt;");
        else if (*html == '&')
            kns_buf_adds(b, "&amp;");
        else
            kns_buf_addc(b, *html);
    }
}

/* Atom with HTML escaped, and every third entry in XHTML. */
static void add_atom(struct kns_buf *b)
{
    kns_buf_adds(
        b,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">"
        "<title>Atom</title><id>tag:a.example,2026:feed</id>"
        "<link rel=\"self\" "
        "href=\"https://a.example/feed\"/><updated>2026-11-25T00:00:00Z</updated>\n");
    for (int i = 0; i < ITEMS; i++) {
        bool xhtml = i % 3 == 0;
        kns_buf_addf(
            b,
            "<entry><title type=\"html\">Entry %d &amp;amp; "
            "more</title><id>tag:a.example,2026:%d</id>"
            "<link rel=\"alternate\" type=\"text/html\" href=\"https://a.example/%d\"/>"
            "<published>2026-11-%02dT08:00:00Z</published><updated>2026-11-%02dT09:00:00Z</updated>"
            "<author><name>Writer</name><uri>https://a.example/writer</uri></author>"
            "<category term=\"news\"/>\n",
            i, i, i, i % 28 + 1, i % 28 + 1);
        kns_buf_adds(b, xhtml
                            ? "<content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">"
                            : "<content type=\"html\">");
        for (int k = 0; k < 4 + i % 7; k++) {
            if (!xhtml)
                add_escaped(b, k % 4 == 3 ? japanese : paragraph);
            else
                kns_buf_adds(
                    b,
                    "<p>The <a href=\"https://a.example/x\">winning</a> solution used <em>gradient"
                    "</em> boosting, <img src=\"https://a.example/p.png\" alt=\"p\"/> and "
                    "more.</p>\n");
        }
        kns_buf_adds(b, xhtml ? "</div></content></entry>\n" : "</content></entry>\n");
    }
    kns_buf_adds(b, "</feed>\n");
}

/* A podcast: hardly any text, many small elements and attributes. */
static void add_podcast(struct kns_buf *b)
{
    kns_buf_adds(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rss version=\"2.0\" "
                    "xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\" "
                    "xmlns:podcast=\"https://podcastindex.org/namespace/1.0\" "
                    "xmlns:media=\"http://search.yahoo.com/mrss/\"><channel><title>Pod</title>\n"
                    "<link>https://pod.example/</link><itunes:author>Hosts</itunes:author>\n");
    for (int i = 0; i < ITEMS; i++)
        kns_buf_addf(
            b,
            "<item>\n  <title>Episode %d</title>\n  <itunes:title>Episode</itunes:title>\n"
            "  <itunes:episode>%d</itunes:episode>\n  <itunes:season>2</itunes:season>\n"
            "  <itunes:episodeType>full</itunes:episodeType>\n  "
            "<itunes:explicit>false</itunes:explicit>\n"
            "  <link>https://pod.example/%d</link>\n  <guid isPermaLink=\"false\">pod-%d</guid>\n"
            "  <pubDate>Wed, %02d Nov 2026 09:45:42 GMT</pubDate>\n"
            "  <enclosure url=\"https://cdn.pod.example/%d.mp3\" length=\"12345678\" "
            "type=\"audio/mpeg\"/>\n"
            "  <itunes:duration>01:02:%02d</itunes:duration>\n"
            "  <itunes:image href=\"https://cdn.pod.example/%d.jpg\"/>\n"
            "  <podcast:transcript url=\"https://cdn.pod.example/%d.vtt\" type=\"text/vtt\"/>\n"
            "  <media:content url=\"https://cdn.pod.example/%d.mp3\" fileSize=\"12345678\" "
            "type=\"audio/mpeg\"/>\n"
            "  <description>What was said in episode %d, in one sentence that is "
            "short.</description>\n"
            "</item>\n",
            i, i, i, i, i % 28 + 1, i, i % 60, i, i, i, i);
    kns_buf_adds(b, "</channel></rss>\n");
}

/* Headlines in RDF, in Japanese. */
static void add_headlines(struct kns_buf *b)
{
    kns_buf_adds(
        b,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<rdf:RDF xmlns=\"http://purl.org/rss/1.0/\" "
        "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
        "xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel rdf:about=\"https://n.example/\">"
        "<title>ニュース</title><link>https://n.example/</link><description>見出し</description></"
        "channel>\n");
    for (int i = 0; i < ITEMS; i++)
        kns_buf_addf(
            b,
            "<item rdf:about=\"https://n.example/%d\"><title>機械学習の新しい解法 第%d回</title>"
            "<link>https://n.example/%d</"
            "link><description>前処理と特徴量の解法を共有します。コードとノートも"
            "公開しました。うまくいかなかったことも書いています。</description><dc:creator>記者</"
            "dc:creator>"
            "<dc:subject>技術</dc:subject><dc:date>2026-11-%02dT10:00:00+09:00</dc:date></item>\n",
            i, i, i, i % 28 + 1);
    kns_buf_adds(b, "</rdf:RDF>\n");
}

static size_t make_samples(struct sample *samples)
{
    static const struct {
        const char *name;
        void (*add)(struct kns_buf *b);
    } makers[] = {{"blog", add_blog},
                  {"atom", add_atom},
                  {"podcast", add_podcast},
                  {"headlines", add_headlines}};
    size_t count = sizeof(makers) / sizeof(makers[0]);

    for (size_t i = 0; i < count; i++) {
        samples[i].name = makers[i].name;
        makers[i].add(&samples[i].bytes);
    }
    return count;
}

static bool read_sample(const char *path, struct sample *sample)
{
    FILE *file = fopen(path, "rb");
    char piece[CHUNK];
    size_t size = 0;

    if (file == NULL) {
        perror(path);
        return false;
    }
    sample->name = path;
    while ((size = fread(piece, 1, sizeof(piece), file)) > 0)
        kns_buf_add(&sample->bytes, piece, size);
    fclose(file);
    return true;
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static void ignore_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    (void)ctx;
    (void)name;
    (void)attributes;
}

static void ignore_end(void *ctx, const XML_Char *name)
{
    (void)ctx;
    (void)name;
}

static void ignore_text(void *ctx, const XML_Char *text, int len)
{
    (void)ctx;
    (void)text;
    (void)len;
}

static bool read_with_expat(const struct kns_buf *bytes)
{
    XML_Parser expat = XML_ParserCreate(NULL);
    enum XML_Status status = XML_STATUS_OK;

    XML_SetElementHandler(expat, ignore_start, ignore_end);
    XML_SetCharacterDataHandler(expat, ignore_text);
    for (size_t at = 0; at < bytes->len && status == XML_STATUS_OK; at += CHUNK) {
        size_t size = bytes->len - at < CHUNK ? bytes->len - at : CHUNK;
        status = XML_Parse(expat, bytes->data + at, (int)size, at + size == bytes->len);
    }
    XML_ParserFree(expat);
    return status == XML_STATUS_OK;
}

static bool read_with_kns(const struct kns_buf *bytes)
{
    const struct kns_parse_options options = {.base_url = "https://site.example/feed"};
    struct kns_parser *parser = kns_parser_new(&options);
    struct kns_document *document = NULL;
    enum kns_status status = KNS_OK;

    for (size_t at = 0; at < bytes->len && status == KNS_OK; at += CHUNK) {
        size_t size = bytes->len - at < CHUNK ? bytes->len - at : CHUNK;
        status = kns_parser_write(parser, bytes->data + at, size, NULL);
    }
    if (status == KNS_OK)
        status = kns_parser_finish(parser, false, &document, NULL);
    kns_document_free(document);
    kns_parser_free(parser);
    return status == KNS_OK;
}

/* Seconds for one reading, the mean of as many as make up a round. */
static double time_of(bool (*read)(const struct kns_buf *bytes), const struct kns_buf *bytes)
{
    long times = (long)(LEAST_BYTES / (double)bytes->len) + 1;
    double start = now_s();

    for (long i = 0; i < times; i++)
        read(bytes);
    return (now_s() - start) / (double)times;
}

static void keep_least(double *least, double value)
{
    if (*least == 0 || value < *least)
        *least = value;
}

static void report(const char *name, double bytes, double expat_s, double kns_s)
{
    printf("%-12s %8.0f KB   expat %7.1f MB/s   kns %7.1f MB/s   ratio %.2f\n", name, bytes / 1e3,
           bytes / expat_s / 1e6, bytes / kns_s / 1e6, expat_s / kns_s);
}

static int measure(const struct sample *samples, size_t count)
{
    double bytes = 0, expat_s = 0, kns_s = 0;
    int rounds = count > 20 ? 3 : ROUNDS;

    for (size_t i = 0; i < count; i++) {
        double expat_best = 0, kns_best = 0;
        /* What expat does not read to its end, or what is no feed, cannot be compared. */
        if (!read_with_expat(&samples[i].bytes) || !read_with_kns(&samples[i].bytes))
            continue;
        for (int round = 0; round < rounds; round++) {
            keep_least(&expat_best, time_of(read_with_expat, &samples[i].bytes));
            keep_least(&kns_best, time_of(read_with_kns, &samples[i].bytes));
        }
        if (count <= 20)
            report(samples[i].name, (double)samples[i].bytes.len, expat_best, kns_best);
        bytes += (double)samples[i].bytes.len;
        expat_s += expat_best;
        kns_s += kns_best;
    }
    if (bytes == 0)
        return 1;
    report("all", bytes, expat_s, kns_s);
    return 0;
}

static int write_samples(const struct sample *samples, size_t count, const char *folder)
{
    for (size_t i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof(path), "%s/%s.xml", folder, samples[i].name);
        FILE *file = fopen(path, "wb");
        if (file == NULL ||
            fwrite(samples[i].bytes.data, 1, samples[i].bytes.len, file) != samples[i].bytes.len ||
            fclose(file) != 0) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sample *samples = calloc(MAX_DOCUMENTS, sizeof(*samples));
    size_t count = 0;
    int status;

    if (samples == NULL)
        return 1;
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        count = make_samples(samples);
        status = write_samples(samples, count, argv[2]);
    } else {
        for (int i = 1; i < argc && count < MAX_DOCUMENTS; i++)
            count += read_sample(argv[i], &samples[count]);
        if (argc == 1)
            count = make_samples(samples);
        status = measure(samples, count);
    }
    for (size_t i = 0; i < count; i++)
        kns_buf_fini(&samples[i].bytes);
    free(samples);
    return status;
}
