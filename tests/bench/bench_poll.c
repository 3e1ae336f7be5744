/* How fast knsd polls N feeds of a loopback origin, beside a bare loop of curl's multi interface that gets the same URLs in the same
 * run and throws the bytes away: once whole, once with validators (304).
 *
 *     bench_poll [--feeds N] [--entries N] [--concurrency N] [--rounds N of 304]
 *
 * knsd parses, stores durably, and plans; so what is measured is what all that adds. It also proves the job: every feed polled, every article
 * stored and listed, no error; the second poll makes conditional requests only and stores nothing. Exits 1 where that is not so. */
#include "tests/bench/daemon.h"

#include "lib/buf.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <getopt.h>
#include <jansson.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdint.h>

#define MAX_CONCURRENCY 256

static long n_feeds = 1000, n_entries = 10, concurrency = 64, rounds = 3;
static int failures;

static void expect(bool good, const char *what, long got, long wanted)
{
    if (good)
        return;
    fprintf(stderr, "bench_poll: %s: %ld, expected %ld\n", what, got, wanted);
    failures++;
}

/* ---- the origin: its own thread ------------------------------------------------------------------------------------------ */

static atomic_long requests, conditional;

static void add_document(struct kns_buf *out, long n)
{
    kns_buf_addf(out,
                 "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Feed "
                 "%ld</title><link>https://f%ld.example/</link>",
                 n, n);
    for (long i = 0; i < n_entries; i++)
        kns_buf_addf(
            out,
            "<item><title>Article %ld-%ld: "
            "解法の解説</title><link>https://f%ld.example/%ld</link><guid "
            "isPermaLink=\"false\">%ld-%ld</guid>"
            "<pubDate>Mon, 02 Nov 2026 %02ld:00:00 GMT</pubDate><description>&lt;p&gt;What the "
            "winners did, and 前処理と特徴量, in "
            "some words more than a title; with &lt;a "
            "href=\"https://code.example/%ld\"&gt;code&lt;/a&gt;.&lt;/p&gt;</description></item>",
            n, i, n, i, n, i, i % 24, n * n_entries + i);
    kns_buf_adds(out, "</channel></rss>");
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    static int seen;
    struct kns_buf body = {0};
    long n = atol(url + 1);
    char etag[32];

    (void)ctx, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*state == NULL) {
        *state = &seen;
        return MHD_YES;
    }
    snprintf(etag, sizeof(etag), "\"v1-%ld\"", n);
    const char *match = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
    bool known = match != NULL && strcmp(match, etag) == 0;
    requests++;
    conditional += match != NULL;
    if (!known)
        add_document(&body, n);
    size_t size = body.len;
    struct MHD_Response *response =
        known ? MHD_create_response_from_buffer(0, etag, MHD_RESPMEM_PERSISTENT)
              : MHD_create_response_from_buffer(size, kns_buf_take(&body), MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, "ETag", etag);
    MHD_add_response_header(response, "Content-Type", "application/rss+xml");
    enum MHD_Result queued = MHD_queue_response(connection, known ? 304 : 200, response);
    MHD_destroy_response(response);
    return queued;
}

static struct MHD_Daemon *start_origin(unsigned *ret_port)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *origin = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&loopback, MHD_OPTION_CONNECTION_LIMIT, 2000u, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        origin == NULL ? NULL : MHD_get_daemon_info(origin, MHD_DAEMON_INFO_BIND_PORT);

    if (info == NULL)
        bench_die("the origin cannot be started");
    *ret_port = info->port;
    return origin;
}

/* ---- the reference: curl alone ---------------------------------------------------------------------------------------------- */

struct transfer {
    CURL *curl;
    struct curl_slist *headers;
};

static size_t throw_away(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes, (void)ctx;
    return size * n;
}

static void begin(CURLM *multi, struct transfer *t, unsigned port, long n, bool with_validator)
{
    char url[64], header[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/%ld", port, n);
    snprintf(header, sizeof(header), "If-None-Match: \"v1-%ld\"", n);
    curl_slist_free_all(t->headers);
    t->headers = with_validator ? curl_slist_append(NULL, header) : NULL;
    curl_easy_setopt(t->curl, CURLOPT_URL, url);
    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers);
    curl_easy_setopt(t->curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, throw_away);
    curl_easy_setopt(t->curl, CURLOPT_PRIVATE, t);
    curl_multi_add_handle(multi, t->curl);
}

/* Seconds that curl's multi interface takes for all feeds. */
static double poll_alone(unsigned port, bool with_validators)
{
    struct transfer transfers[MAX_CONCURRENCY] = {0};
    CURLM *multi = curl_multi_init();
    long next = 0, done = 0;
    double began = bench_now_s();
    int running, left;

    for (; next < concurrency && next < n_feeds; next++) {
        transfers[next].curl = curl_easy_init();
        begin(multi, &transfers[next], port, next, with_validators);
    }
    while (done < n_feeds) {
        CURLMsg *message;
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            struct transfer *t;
            long status = 0;
            CURLcode code = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            expect(code == CURLE_OK && status == (with_validators ? 304 : 200), "curl alone",
                   status, 200);
            curl_multi_remove_handle(multi, t->curl);
            done++;
            if (next < n_feeds)
                begin(multi, t, port, next++, with_validators);
        }
        if (done < n_feeds)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    double took = bench_now_s() - began;
    for (int i = 0; i < MAX_CONCURRENCY; i++) {
        curl_easy_cleanup(transfers[i].curl);
        curl_slist_free_all(transfers[i].headers);
    }
    curl_multi_cleanup(multi);
    return took;
}

/* ---- knsd ------------------------------------------------------------------------------------------------------------------- */

static size_t keep(char *bytes, size_t size, size_t n, void *ctx)
{
    kns_buf_add(ctx, bytes, size * n);
    return size * n;
}

/* One request to the daemon; its answer's body. */
static void ask(const struct bench_daemon *knsd, const char *path, const struct kns_buf *body,
                struct kns_buf *out)
{
    CURL *curl = curl_easy_init();
    char url[256];
    long status = 0;

    snprintf(url, sizeof(url), "http://kns%s", path);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, knsd->socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body->len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, kns_buf_str(body));
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status != 200) {
        fprintf(stderr, "bench_poll: %s: %s, %ld: %.300s\n", path, curl_easy_strerror(code), status,
                kns_buf_str(out));
        exit(1);
    }
    curl_easy_cleanup(curl);
}

static void subscribe(const struct bench_daemon *knsd, unsigned port)
{
    struct kns_buf opml = {0}, answer = {0};

    kns_buf_adds(&opml, "<opml version=\"2.0\"><head/><body>");
    for (long n = 0; n < n_feeds; n++)
        kns_buf_addf(&opml,
                     "<outline type=\"rss\" text=\"%ld\" xmlUrl=\"http://127.0.0.1:%u/%ld\"/>", n,
                     port, n);
    kns_buf_adds(&opml, "</body></opml>");
    ask(knsd, "/v1/opml", &opml, &answer);
    kns_buf_fini(&opml);
    kns_buf_fini(&answer);
}

/* How many new items, and how many feeds had the outcome, of a refresh of all. */
struct refreshed {
    long feeds, expected, new_items;
};

static struct refreshed refresh(const struct bench_daemon *knsd, const char *outcome)
{
    struct kns_buf answer = {0}, nothing = {0};
    struct refreshed r = {0};

    ask(knsd, "/v1/refresh?wait=1&force=1", &nothing, &answer);
    for (char *line = answer.data; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        json_t *json = json_loadb(line, end == NULL ? strlen(line) : (size_t)(end - line), 0, NULL);
        const char *got = json_string_value(json_object_get(json, "outcome"));
        r.feeds++;
        r.expected += got != NULL && strcmp(got, outcome) == 0;
        r.new_items += (long)json_integer_value(json_object_get(json, "new_items"));
        json_decref(json);
        line = end == NULL ? NULL : end + 1;
    }
    kns_buf_fini(&answer);
    return r;
}

static long figure(const struct bench_daemon *knsd, const char *group, const char *name)
{
    struct kns_buf answer = {0};

    ask(knsd, "/v1/status", NULL, &answer);
    json_t *json = json_loadb(answer.data, answer.len, 0, NULL);
    long value = (long)json_integer_value(json_object_get(json_object_get(json, group), name));
    json_decref(json);
    kns_buf_fini(&answer);
    return value;
}

/* How many items the pages of a list hold. */
static long listed(const struct bench_daemon *knsd)
{
    char path[256] = "/v1/items?content=false&limit=1000";
    long count = 0;

    while (*path != '\0') {
        struct kns_buf answer = {0};
        ask(knsd, path, NULL, &answer);
        json_t *json = json_loadb(answer.data, answer.len, 0, NULL);
        const char *cursor =
            json_string_value(json_object_get(json_object_get(json, "_kns"), "next_cursor"));
        count += (long)json_array_size(json_object_get(json, "items"));
        *path = '\0';
        if (cursor != NULL)
            snprintf(path, sizeof(path), "/v1/items?content=false&limit=1000&cursor=%s", cursor);
        json_decref(json);
        kns_buf_fini(&answer);
    }
    return count;
}

static void line(const char *name, double knsd_s, double alone_s)
{
    printf("%-28s %7.2f s %8.0f /s %10.2f s %8.0f /s %7.1f\n", name, knsd_s,
           (double)n_feeds / knsd_s, alone_s, (double)n_feeds / alone_s, knsd_s / alone_s);
    fflush(stdout);
}

static void poll_whole(const struct bench_daemon *knsd, unsigned port)
{
    double began = bench_now_s();

    subscribe(knsd, port);
    double subscribed = bench_now_s() - began;
    struct refreshed r = refresh(knsd, "new-document");
    double took = bench_now_s() - began;
    expect(r.feeds == n_feeds, "feeds polled", r.feeds, n_feeds);
    expect(figure(knsd, "feeds", "failing") == 0, "feeds failing", figure(knsd, "feeds", "failing"),
           0);
    expect(figure(knsd, "items", "total") == n_feeds * n_entries, "items stored",
           figure(knsd, "items", "total"), n_feeds * n_entries);
    expect(listed(knsd) == n_feeds * n_entries, "items listed", listed(knsd), n_feeds * n_entries);
    printf("%-28s %7.2f s %8.0f /s\n", "of that: the OPML imported", subscribed,
           (double)n_feeds / subscribed);
    line("subscribed and stored", took, poll_alone(port, false));
}

static void poll_again(const struct bench_daemon *knsd, unsigned port)
{
    long asked = requests, conditionally = conditional;
    double began = bench_now_s();
    struct refreshed r = refresh(knsd, "unchanged");
    double took = bench_now_s() - began;

    expect(r.expected == n_feeds, "feeds unchanged", r.expected, n_feeds);
    expect(requests - asked == n_feeds, "requests of the second poll", requests - asked, n_feeds);
    expect(conditional - conditionally == n_feeds, "of them conditional",
           conditional - conditionally, n_feeds);
    expect(r.new_items == 0, "items of the second poll", r.new_items, 0);
    expect(figure(knsd, "items", "total") == n_feeds * n_entries, "items",
           figure(knsd, "items", "total"), n_feeds * n_entries);
    line("asked again: 304", took, poll_alone(port, true));
}

static void read_arguments(int argc, char **argv)
{
    static const struct option options[] = {{"feeds", required_argument, NULL, 'f'},
                                            {"entries", required_argument, NULL, 'e'},
                                            {"concurrency", required_argument, NULL, 'c'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {0}};
    int which;

    while ((which = getopt_long(argc, argv, "", options, NULL)) != -1) {
        long *target = which == 'f'   ? &n_feeds
                       : which == 'e' ? &n_entries
                       : which == 'c' ? &concurrency
                       : which == 'r' ? &rounds
                                      : NULL;
        if (target == NULL)
            exit(2);
        *target = atol(optarg);
    }
    if (n_feeds < 1 || n_entries < 1 || concurrency < 1 || concurrency > MAX_CONCURRENCY) {
        fputs("bench_poll: at least 1 of each, and at most 256 at once\n", stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct bench_daemon knsd;
    struct rusage usage;
    char config[256];
    unsigned port = 0;

    read_arguments(argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct MHD_Daemon *origin = start_origin(&port);
    bench_daemon_init(&knsd);
    snprintf(config, sizeof(config),
             "[daemon]\nlog_level = error\n[poll]\nconcurrency = %ld\nper_host = "
             "%ld\nprivate_networks = always\n",
             concurrency, concurrency);
    bench_daemon_start(&knsd, config);
    printf("%ld feeds of %ld articles, %ld transfers at once\n", n_feeds, n_entries, concurrency);
    printf("%-28s %9s %11s %12s %11s %7s\n", "", "knsd", "", "curl alone", "", "ratio");
    poll_whole(&knsd, port);
    for (long i = 0; i < rounds; i++)
        poll_again(&knsd, port);
    bench_daemon_stop(&knsd, &usage);
    MHD_stop_daemon(origin);
    printf("knsd: %.2f s of processor, %.1f MB at most\n", bench_cpu_s(&usage),
           (double)usage.ru_maxrss / 1024);
    puts(failures == 0 ? "every feed polled, stored and listed; the second poll asked "
                         "conditionally and stored nothing"
                       : "FAILED");
    return failures != 0;
}
