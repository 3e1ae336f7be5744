/* Requests that look at several addresses: whether links are dead, and pictures that go along with what is shown.
 *
 *   begin --> AT_ONCE lookups side by side, until PATIENCE_S have passed --> the last one is done --> answer */
#include "daemon/lookup.h"
#include "daemon/server_internal.h"
#include "lib/url.h"

#include <string.h>
#include <strings.h>

#define LINKS_MOST 500
#define AT_ONCE 8
#define PATIENCE_S 60

/* ---- several lookups ----------------------------------------------------------------------------------------------------- */

struct look {
    struct looking *looking;
    const char *url;
};

struct looking {
    struct exchange *x;
    struct look *looks;
    size_t n, begun, done;
    struct kns_time until;
    void (*on_one)(struct exchange *x, const char *url, const struct kns_lookup_result *result);
    void (*on_all)(struct exchange *x);
    json_t *answers; /* of links */
};

static struct looking *looking_new(struct exchange *x, size_t n)
{
    struct looking *looking = KNS_NEW(x->request.arena, struct looking);
    struct look *looks = kns_arena_alloc(x->request.arena, (n + 1) * sizeof(*looks));

    if (looking == NULL || looks == NULL)
        return NULL;
    *looking = (struct looking){.x = x, .looks = looks, .n = n};
    for (size_t i = 0; i < n; i++)
        looks[i] = (struct look){looking, NULL};
    looking->until.unix_s = kns_time_now().unix_s + PATIENCE_S;
    x->job = looking;
    return looking;
}

static void go_on(struct looking *looking);

static void on_looked(void *ctx, const struct kns_lookup_result *result)
{
    const struct look *look = ctx;
    struct looking *looking = look->looking;

    looking->done++;
    looking->on_one(looking->x, look->url, result);
    go_on(looking);
}

/* Begins as many as may run. What does not begin in time is told not to have been looked at. */
static void go_on(struct looking *looking)
{
    static const struct kns_lookup_result late = {
        .why = "not looked at: the others took too long to answer"};
    struct kns_poller *poller = looking->x->server->parts.poller;
    struct kns_arena *arena = looking->x->request.arena;

    while (looking->begun < looking->n && looking->begun - looking->done < AT_ONCE) {
        struct look *look = &looking->looks[looking->begun++];
        /* What its trackers would count is not asked for. */
        const char *url = kns_url_clean(arena, look->url);
        if (kns_time_now().unix_s < looking->until.unix_s && url != NULL &&
            kns_lookup(poller, url, on_looked, look) == KNS_OK)
            continue;
        looking->done++;
        looking->on_one(looking->x, look->url, &late);
    }
    if (looking->done == looking->n)
        looking->on_all(looking->x);
}

/* ---- are links dead? ----------------------------------------------------------------------------------------------------- */

static json_t *check_json(const char *url, const struct kns_lookup_result *result)
{
    json_t *json = json_pack("{s:s, s:I, s:b}", "url", url, "status", (json_int_t)result->status,
                             "dead", result->gone);

    if (json != NULL && result->why != NULL)
        json_object_set_new(json, "why", json_string(result->why));
    return json;
}

static void on_link(struct exchange *x, const char *url, const struct kns_lookup_result *result)
{
    struct looking *looking = x->job;

    json_array_append_new(looking->answers, check_json(url, result));
}

static void on_links(struct exchange *x)
{
    struct looking *looking = x->job;

    kns_request_answer(&x->request, 200, json_pack("{s:o}", "links", looking->answers));
    kns_exchange_done(x);
}

static void on_one_link(struct exchange *x, const char *url, const struct kns_lookup_result *result)
{
    kns_request_answer(&x->request, 200, check_json(url, result));
}

/* The addresses of the body: "url", or "urls". NULL: they are none. */
static struct looking *read_links(struct exchange *x, const json_t *url, const json_t *urls)
{
    size_t n = urls == NULL ? 1 : json_array_size(urls);
    struct looking *looking = NULL;

    if (json_object_size(x->request.json) != 1 || (urls != NULL && !json_is_array(urls)) ||
        n > LINKS_MOST)
        return NULL;
    looking = looking_new(x, n);
    for (size_t i = 0; looking != NULL && i < n; i++) {
        const char *text = json_string_value(urls == NULL ? url : json_array_get(urls, i));
        if (text == NULL || !kns_url_is_web(text))
            return NULL;
        looking->looks[i].url = text;
    }
    return looking;
}

enum MHD_Result kns_serve_link_check(struct exchange *x)
{
    const json_t *urls = json_object_get(x->request.json, "urls");
    struct looking *looking = read_links(x, json_object_get(x->request.json, "url"), urls);

    if (looking == NULL) {
        kns_request_problem(
            &x->request, 400,
            "expected {\"url\": \"https://…\"}, or {\"urls\": [\"https://…\"]} with "
            "at most %d",
            LINKS_MOST);
        return kns_exchange_answer(x);
    }
    if (looking->n == 0) {
        kns_request_answer(&x->request, 200, json_pack("{s:[]}", "links"));
        return kns_exchange_answer(x);
    }
    looking->answers = urls == NULL ? NULL : json_array();
    looking->on_one = urls == NULL ? on_one_link : on_link;
    looking->on_all = urls == NULL ? kns_exchange_done : on_links;
    kns_exchange_begin(x);
    go_on(looking);
    return MHD_YES;
}

/* ---- pictures ------------------------------------------------------------------------------------------------------------ */

/* The type of a picture that mail programs and browsers show and that can hold no script; NULL: it is none. */
static const char *picture_type(const char *content_type)
{
    static const char *const types[] = {"image/png", "image/jpeg", "image/gif", "image/webp",
                                        "image/avif"};

    for (size_t i = 0; content_type != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strncasecmp(content_type, types[i], strlen(types[i])) == 0)
            return types[i];
    return NULL;
}

static void on_picture(struct exchange *x, const char *url, const struct kns_lookup_result *result)
{
    struct kns_digest_picture *picture = x->request.pictures;

    while (strcmp(picture->url, url) != 0)
        picture++;
    picture->type = picture_type(result->content_type);
    if (result->why != NULL || picture->type == NULL || result->size == 0 ||
        result->size > KNS_DIGEST_PICTURE_MOST)
        return;
    picture->bytes = kns_arena_copy(x->request.arena, result->page, result->size);
    picture->size = result->size;
}

/* The handler runs again, with what could be had. */
static void on_pictures(struct exchange *x)
{
    x->request.pictures_ready = true;
    kns_readers_submit(x->server->parts.readers, &x->read);
}

void kns_serve_pictures(struct exchange *x)
{
    struct looking *looking = looking_new(x, x->request.n_pictures);

    if (looking == NULL) {
        struct kns_error err = {0};
        kns_fail(&err, KNS_ENOMEM, "out of memory");
        kns_request_fail(&x->request, &err);
        kns_exchange_done(x);
        return;
    }
    for (size_t i = 0; i < looking->n; i++)
        looking->looks[i].url = x->request.pictures[i].url;
    looking->on_one = on_picture;
    looking->on_all = on_pictures;
    go_on(looking);
}
