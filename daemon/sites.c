#include "daemon/sites.h"

#include "daemon/netguard.h"
#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A site that never refused us: so many requests at once, then one in so many milliseconds. */
#define BURST 20
#define REFILL_MS 3000
/* What a refusal that names no time means: a minute, doubled with every further one. */
#define REFUSED_MS ((int64_t)60 * 1000)
#define REFUSED_MOST_MS ((int64_t)24 * 3600 * 1000)
/* Large sites allow about one request a minute from an address: slower than that is nobody's wish. */
#define SLOWEST_MS ((int64_t)60 * 1000)
/* So many 403 in a row are a refusal of us, not of a document. */
#define FORBIDDEN_BURST 3
/* So many successes in a row make it twice as fast. */
#define FORGIVEN_AFTER 20

/* The site of all exec: sources. */
#define COMMANDS "exec:"

struct kns_sites {
    struct kns_site_limit **slots; /* a hash table, open addressing */
    size_t cap, count;
};

struct kns_sites *kns_sites_new(void)
{
    struct kns_sites *sites = calloc(1, sizeof(*sites));

    if (sites == NULL)
        return NULL;
    sites->cap = 64;
    sites->slots = calloc(sites->cap, sizeof(struct kns_site_limit *));
    if (sites->slots == NULL) {
        free(sites);
        return NULL;
    }
    return sites;
}

void kns_sites_free(struct kns_sites *sites)
{
    if (sites == NULL)
        return;
    for (size_t i = 0; i < sites->cap; i++) {
        if (sites->slots[i] != NULL)
            free(sites->slots[i]->name);
        free(sites->slots[i]);
    }
    free(sites->slots);
    free(sites);
}

/* ---- finding ------------------------------------------------------------------------------------------------------ */

static size_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

static struct kns_site_limit **slot_of(struct kns_site_limit **slots, size_t cap, const char *name)
{
    size_t at = hash_name(name) & (cap - 1);

    while (slots[at] != NULL && strcmp(slots[at]->name, name) != 0)
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static bool grow(struct kns_sites *sites)
{
    size_t cap = sites->cap * 2;
    struct kns_site_limit **slots = calloc(cap, sizeof(struct kns_site_limit *));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < sites->cap; i++)
        if (sites->slots[i] != NULL)
            *slot_of(slots, cap, sites->slots[i]->name) = sites->slots[i];
    free(sites->slots);
    sites->slots = slots;
    sites->cap = cap;
    return true;
}

/* "localhost:8000", "[::1]:80", "127.0.0.1", "a.localhost" */
static bool names_local(const char *name)
{
    const char *bracket = strchr(name, ']'), *colon = strrchr(name, ':');
    bool has_port =
        colon != NULL && (bracket == NULL ? strchr(name, ':') == colon : colon > bracket);
    char host[300];

    if (strcmp(name, COMMANDS) == 0)
        return true;
    snprintf(host, sizeof(host), "%.*s", has_port ? (int)(colon - name) : (int)strlen(name), name);
    return kns_netguard_names_private(host);
}

struct kns_site_limit *kns_sites_get(struct kns_sites *sites, const char *name)
{
    struct kns_site_limit **slot = slot_of(sites->slots, sites->cap, name);

    if (*slot != NULL)
        return *slot;
    if (sites->count * 2 >= sites->cap) {
        if (!grow(sites))
            return NULL;
        slot = slot_of(sites->slots, sites->cap, name);
    }
    struct kns_site_limit *site = calloc(1, sizeof(*site));
    if (site == NULL || (site->name = strdup(name)) == NULL) {
        free(site);
        return NULL;
    }
    site->tokens = BURST;
    site->local = names_local(name);
    *slot = site;
    sites->count++;
    return site;
}

const char *kns_sites_name(struct kns_arena *arena, const char *url)
{
    /* Commands are a site too: so many run at once. */
    const char *name = strncasecmp(url, "exec:", 5) == 0 ? COMMANDS : kns_url_site(arena, url);

    if (name == NULL || (strchr(name, '.') != NULL && !kns_netguard_is_address(name)))
        return name;
    const char *origin = strcmp(name, COMMANDS) == 0 ? NULL : kns_url_origin(arena, url);
    return origin == NULL ? name : strstr(origin, "://") + 3;
}

/* ---- the store ------------------------------------------------------------------------------------------------------ */

bool kns_sites_restore(struct kns_sites *sites, const struct kns_site *stored, int64_t now_ms)
{
    struct kns_site_limit *site = kns_sites_get(sites, stored->name);

    if (site == NULL)
        return false;
    site->tokens = stored->tokens;
    site->tokens_at_ms = stored->tokens_at.unix_s * 1000;
    if (site->tokens_at_ms > now_ms) /* the clock was wrong then */
        site->tokens_at_ms = now_ms;
    site->closed_until_ms = stored->no_poll_before.unix_s * 1000;
    site->interval_ms = stored->interval_s * 1000;
    snprintf(site->reason, sizeof(site->reason), "%s",
             stored->reason == NULL ? "" : stored->reason);
    return true;
}

bool kns_sites_next_changed(struct kns_sites *sites, size_t *at, struct kns_site *ret)
{
    for (; *at < sites->cap; ++*at) {
        struct kns_site_limit *site = sites->slots[*at];
        if (site == NULL || !site->changed)
            continue;
        site->changed = false;
        *ret = (struct kns_site){
            .name = site->name,
            .no_poll_before.unix_s = (site->closed_until_ms + 999) / 1000,
            .tokens = site->tokens,
            .tokens_at.unix_s = site->tokens_at_ms / 1000,
            .interval_s = (site->interval_ms + 999) / 1000,
            .reason = site->reason[0] == '\0' ? NULL : site->reason,
        };
        return true;
    }
    return false;
}

void kns_sites_shift(struct kns_sites *sites, int64_t by_ms)
{
    for (size_t i = 0; i < sites->cap; i++) {
        struct kns_site_limit *site = sites->slots[i];
        if (site == NULL)
            continue;
        site->tokens_at_ms += by_ms;
        if (site->closed_until_ms > 0)
            site->closed_until_ms += by_ms;
        site->changed = true;
    }
}

/* ---- tokens --------------------------------------------------------------------------------------------------------- */

/* Milliseconds for one token; 0: not rated. */
static int64_t refill_ms(const struct kns_site_limit *site)
{
    if (site->interval_ms > 0)
        return site->interval_ms;
    return site->local ? 0 : REFILL_MS;
}

static double burst(const struct kns_site_limit *site)
{
    return site->interval_ms > 0 ? 1 : BURST;
}

static double tokens_at(const struct kns_site_limit *site, int64_t at_ms)
{
    int64_t refill = refill_ms(site), passed = at_ms - site->tokens_at_ms;

    if (refill == 0)
        return burst(site);
    double tokens = site->tokens + (passed > 0 ? (double)passed / (double)refill : 0);
    return tokens > burst(site) ? burst(site) : tokens;
}

int64_t kns_site_open_at(const struct kns_site_limit *site, int64_t now_ms)
{
    int64_t at = site->closed_until_ms > now_ms ? site->closed_until_ms : now_ms;
    double missing = 1 - tokens_at(site, at);

    return missing <= 0 ? at : at + (int64_t)(missing * (double)refill_ms(site)) + 1;
}

void kns_site_take(struct kns_site_limit *site, int64_t now_ms)
{
    double tokens = tokens_at(site, now_ms) - 1;

    site->in_flight++;
    if (refill_ms(site) == 0)
        return;
    site->tokens = tokens < 0 ? 0 : tokens; /* forced: it owes nothing */
    site->tokens_at_ms = now_ms;
    site->changed = true;
}

void kns_site_leave(struct kns_site_limit *site)
{
    site->in_flight--;
}

/* ---- learning ------------------------------------------------------------------------------------------------------- */

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static bool close_site(struct kns_site_limit *site, int64_t until_ms, int64_t now_ms,
                       const char *why)
{
    if (until_ms <= site->closed_until_ms)
        return false;
    site->closed_until_ms = until_ms;
    /* One request when it opens, the next an interval later. */
    site->tokens = 1;
    site->tokens_at_ms = until_ms;
    site->interval_ms = clamp(until_ms - now_ms, site->interval_ms, SLOWEST_MS);
    site->changed = true;
    snprintf(site->reason, sizeof(site->reason), "%s", why);
    return true;
}

static bool refused(struct kns_site_limit *site, int http_status, int64_t retry_at_ms,
                    int64_t now_ms)
{
    int64_t wait = REFUSED_MS;
    char why[sizeof(site->reason)];

    for (int i = 0; i < site->refusals && wait < REFUSED_MOST_MS; i++)
        wait *= 2;
    site->refusals++;
    site->successes = 0;
    snprintf(why, sizeof(why), "its site answered HTTP %d%s", http_status,
             retry_at_ms > 0 ? " with Retry-After" : "");
    return close_site(
        site, retry_at_ms > 0 ? retry_at_ms : now_ms + clamp(wait, REFUSED_MS, REFUSED_MOST_MS),
        now_ms, why);
}

static void succeeded(struct kns_site_limit *site)
{
    site->refusals = site->forbidden = 0;
    if (site->interval_ms == 0 || ++site->successes < FORGIVEN_AFTER)
        return;
    site->successes = 0;
    site->interval_ms = site->interval_ms / 2 < REFILL_MS ? 0 : site->interval_ms / 2;
    site->changed = true;
}

bool kns_site_learn(struct kns_site_limit *site, enum kns_outcome outcome, int http_status,
                    int64_t retry_at_ms, int64_t now_ms)
{
    if (outcome == KNS_POLL_THROTTLED)
        return refused(site, http_status, retry_at_ms, now_ms);
    if (http_status == 403)
        return ++site->forbidden >= FORBIDDEN_BURST &&
               refused(site, http_status, retry_at_ms, now_ms);
    if (http_status >= 200 && http_status < 400)
        succeeded(site);
    return false;
}
