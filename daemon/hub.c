#include "daemon/hub.h"

#include "daemon/netguard.h"
#include "lib/buf.h"
#include "lib/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- finding --------------------------------------------------------------------------------------------------------- */

static bool is_https(const char *url)
{
    return url != NULL && strncasecmp(url, "https:", 6) == 0;
}

static bool is_this_machine(const char *host)
{
    return host != NULL && (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
                            (strncmp(host, "127.", 4) == 0 && kns_netguard_is_address(host)));
}

bool kns_hub_keeps_secrets(const char *hub)
{
    struct kns_arena *arena = kns_arena_new(0);
    bool keeps = is_https(hub) || (arena != NULL && is_this_machine(kns_url_host(arena, hub)));

    kns_arena_free(arena);
    return keeps;
}

/* A URL that may be kept: resolved, of the web, without credentials, not too long; NULL: none. */
static const char *usable_url(struct kns_arena *arena, const char *base, const char *reference)
{
    const char *url = reference == NULL ? NULL : kns_url_resolve(arena, base, reference);

    if (url == NULL || !kns_url_is_web(url) || strlen(url) > KNS_HUB_MAX_URL)
        return NULL;
    return kns_url_without_credentials(arena, url);
}

/* A hub that would weaken what TLS gives to the feed is none; one that speaks TLS goes before one that does not. */
static void offer_hub(struct kns_hub_names *names, const char *hub, const char *feed_url)
{
    if (hub == NULL || (is_https(feed_url) && !kns_hub_keeps_secrets(hub)))
        return;
    if (names->hub == NULL || (is_https(hub) && !is_https(names->hub)))
        names->hub = hub;
}

/* True when the parameters of a link (RFC 8288: ;name=value…) have this relation type. */
static bool has_relation(const char *parameters, size_t len, const char *type)
{
    const char *end = parameters + len, *at = parameters;
    size_t want = strlen(type);

    while (at < end && *at == ';') {
        at++;
        while (at < end && strchr(" \t", *at) != NULL)
            at++;
        bool is_rel = end - at > 3 && strncasecmp(at, "rel", 3) == 0 && strchr(" \t=", at[3]);
        bool quoted = false;
        const char *value = memchr(at, '=', (size_t)(end - at));
        for (; at < end && (quoted || *at != ';'); at++)
            quoted ^= *at == '"';
        if (!is_rel || value == NULL || value > at)
            continue;
        for (value++; value < at;) {
            size_t skip = strspn(value, " \t\""), size = 0;
            value += skip;
            while (value + size < at && strchr(" \t\"", value[size]) == NULL)
                size++;
            if (size == want && strncasecmp(value, type, want) == 0)
                return true;
            value += size;
        }
        return false; /* the first rel counts */
    }
    return false;
}

/* The links of a Link header, one after the other: *at moves on. NULL: no more. */
static const char *next_link(struct kns_arena *arena, const char **at, const char **ret_parameters,
                             size_t *ret_len)
{
    const char *open = strchr(*at, '<'), *close = open == NULL ? NULL : strchr(open, '>');
    bool quoted = false;

    if (close == NULL)
        return NULL;
    const char *end = close + 1;
    for (; *end != '\0' && (quoted || *end != ','); end++)
        quoted ^= *end == '"';
    *ret_parameters = close + 1 + strspn(close + 1, " \t");
    *ret_len = *ret_parameters < end ? (size_t)(end - *ret_parameters) : 0;
    *at = end;
    return kns_arena_copy(arena, open + 1, (size_t)(close - open - 1));
}

static void find_in_header(struct kns_arena *arena, const char *link, const char *url,
                           const char *feed_url, struct kns_hub_names *names)
{
    const char *at = link, *parameters, *target;
    size_t len;

    while (at != NULL && (target = next_link(arena, &at, &parameters, &len)) != NULL) {
        if (has_relation(parameters, len, "hub"))
            offer_hub(names, usable_url(arena, url, target), feed_url);
        else if (names->topic == NULL && has_relation(parameters, len, "self"))
            names->topic = usable_url(arena, url, target);
    }
}

static bool is_websub(const struct kns_hub *hub)
{
    return hub->type != NULL &&
           (strcasecmp(hub->type, "WebSub") == 0 || strcasecmp(hub->type, "PubSubHubbub") == 0);
}

struct kns_hub_names kns_hub_find(struct kns_arena *arena, const char *link, const char *url,
                                  const char *feed_url, const struct kns_document *document)
{
    struct kns_hub_names names = {0};
    if (!kns_url_is_web(feed_url)) /* what a program made of a feed is not what its hub has */
        return names;
    find_in_header(arena, link, url, feed_url, &names);
    const struct kns_hub *hub = names.hub == NULL ? document->hubs.first : NULL;
    for (; hub != NULL; hub = hub->next)
        if (is_websub(hub))
            offer_hub(&names, usable_url(arena, url, hub->url), feed_url);
    if (names.topic == NULL)
        names.topic = usable_url(arena, url, document->feed_url);
    if (names.topic == NULL)
        names.topic = usable_url(arena, NULL, url);
    if (names.hub == NULL || names.topic == NULL)
        names.hub = names.topic = NULL;
    return names;
}

/* ---- asking ---------------------------------------------------------------------------------------------------------- */

static void add_field(struct kns_buf *form, const char *name, const char *value)
{
    kns_buf_addf(form, "%s%s=", form->len > 0 ? "&" : "", name);
    kns_url_add_encoded(form, value);
}

const char *kns_hub_form(struct kns_arena *arena, const char *mode, const char *topic,
                         const char *callback, const char *secret)
{
    struct kns_buf form = {0};
    char lease[24];

    snprintf(lease, sizeof(lease), "%lld", (long long)KNS_HUB_ASKED_LEASE_S);
    add_field(&form, "hub.mode", mode);
    add_field(&form, "hub.topic", topic);
    add_field(&form, "hub.callback", callback);
    if (strcmp(mode, "subscribe") == 0) {
        add_field(&form, "hub.lease_seconds", lease);
        if (secret != NULL)
            add_field(&form, "hub.secret", secret);
    }
    const char *text = kns_buf_failed(&form) ? NULL : kns_arena_strdup(arena, kns_buf_str(&form));
    kns_buf_fini(&form);
    return text;
}

int64_t kns_hub_renew_after_s(int64_t lease_s, double random)
{
    int64_t after = (int64_t)((double)lease_s * (2.0 / 3 - 0.1 * random));

    return after < 1 ? 1 : after;
}

int64_t kns_hub_retry_s(int64_t failures, int64_t first_s, double random)
{
    int64_t wait = first_s;

    for (int64_t i = 1; i < failures && wait < KNS_HUB_MAX_RETRY_S; i++)
        wait *= 2;
    if (wait > KNS_HUB_MAX_RETRY_S)
        wait = KNS_HUB_MAX_RETRY_S;
    return wait + (int64_t)((double)wait * 0.25 * random);
}

/* ---- being asked ------------------------------------------------------------------------------------------------------ */

static bool is_challenge(const char *challenge)
{
    return challenge != NULL && *challenge != '\0' && strlen(challenge) <= KNS_HUB_MAX_CHALLENGE;
}

enum kns_hub_verdict kns_hub_judge(const struct kns_hub_intent *intent, const char *topic,
                                   enum kns_websub_state state, enum kns_websub_awaits awaits)
{
    static const struct {
        const char *mode;
        enum kns_websub_awaits awaits;
        enum kns_hub_verdict verdict;
    } rows[] = {{"subscribe", KNS_WEBSUB_SUBSCRIBE, KNS_HUB_SUBSCRIBED},
                {"unsubscribe", KNS_WEBSUB_UNSUBSCRIBE, KNS_HUB_UNSUBSCRIBED}};
    bool wanted = state == KNS_WEBSUB_WANTED || state == KNS_WEBSUB_ALIVE;

    if (intent->mode == NULL || intent->topic == NULL || strcmp(intent->topic, topic) != 0)
        return KNS_HUB_REFUSED;
    if (strcmp(intent->mode, "denied") == 0)
        return wanted && (awaits == KNS_WEBSUB_SUBSCRIBE || state == KNS_WEBSUB_ALIVE)
                   ? KNS_HUB_DENIED
                   : KNS_HUB_REFUSED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(intent->mode, rows[i].mode) == 0 && awaits == rows[i].awaits &&
            is_challenge(intent->challenge))
            return rows[i].verdict;
    return KNS_HUB_REFUSED;
}

int64_t kns_hub_lease_s(const char *lease_seconds)
{
    char *end;
    long long lease = lease_seconds == NULL ? 0 : strtoll(lease_seconds, &end, 10);

    if (lease_seconds == NULL || end == lease_seconds || *end != '\0' || lease < 1)
        return KNS_HUB_ASKED_LEASE_S;
    return lease > KNS_HUB_MAX_LEASE_S ? KNS_HUB_MAX_LEASE_S : lease;
}

/* ---- addresses --------------------------------------------------------------------------------------------------------- */

/* An address and a port as numbers. */
static bool set_address(const char *host, size_t host_len, const char *port,
                        struct sockaddr_storage *ret, socklen_t *ret_size)
{
    char text[INET6_ADDRSTRLEN + 1], *end;
    struct sockaddr_in *in = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    long number = strtol(port, &end, 10);

    if (port[strspn(port, "0123456789")] != '\0' || end == port || number < 1 || number > 65535 ||
        host_len >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)host_len, host);
    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)number);
        *ret_size = sizeof(*in);
        return true;
    }
    if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
        return false;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)number);
    *ret_size = sizeof(*in6);
    return true;
}

bool kns_hub_read_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size)
{
    const char *colon = strrchr(text, ':');

    if (colon == NULL)
        return false;
    if (*text == '[' && colon[-1] == ']')
        return set_address(text + 1, (size_t)(colon - text) - 2, colon + 1, ret, ret_size);
    /* An IPv6 address without brackets leaves open where its port begins. */
    return memchr(text, ':', (size_t)(colon - text)) == NULL &&
           set_address(text, (size_t)(colon - text), colon + 1, ret, ret_size);
}

bool kns_hub_listen_address(const char *listen, const char *callback_url,
                            struct sockaddr_storage *ret, socklen_t *ret_size)
{
    struct kns_arena *arena = kns_arena_new(0);

    if (*callback_url == '\0' || arena == NULL || *listen != '\0') {
        kns_arena_free(arena);
        return *callback_url != '\0' && *listen != '\0' &&
               kns_hub_read_address(listen, ret, ret_size);
    }
    const char *host = kns_url_host(arena, callback_url),
               *origin = kns_url_origin(arena, callback_url);
    const char *port = origin == NULL ? NULL : strrchr(origin, ':');
    bool found = port != NULL && !is_https(callback_url) && is_this_machine(host);
    if (found && strcmp(host, "localhost") == 0)
        found = set_address("127.0.0.1", strlen("127.0.0.1"), port + 1, ret, ret_size);
    else if (found)
        found = kns_hub_read_address(kns_arena_printf(arena, "%s%s", host, port), ret, ret_size);
    kns_arena_free(arena);
    return found;
}

const char *kns_hub_path_prefix(struct kns_arena *arena, const char *callback_url)
{
    const char *host = strstr(callback_url, "//");
    const char *path = host == NULL ? NULL : strchr(host + 2, '/');
    size_t len = path == NULL ? 0 : strcspn(path, "?#");

    while (len > 0 && path[len - 1] == '/')
        len--;
    return kns_arena_copy(arena, len == 0 ? "" : path, len);
}
