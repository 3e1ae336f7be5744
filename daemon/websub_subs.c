/* The subscriptions in memory: found by token and by feed, and when the next of them is due. */
#include "daemon/websub_internal.h"

#include "daemon/config.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Goes on in sleep, and is never set. */
int64_t kns_websub_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct kns_time kns_websub_calendar(int64_t at_ms)
{
    struct kns_time at = {0};

    if (at_ms != 0)
        at.unix_s = kns_time_now().unix_s + (at_ms - kns_websub_now_ms() + 500) / 1000;
    return at;
}

int64_t kns_websub_from_calendar(struct kns_time at)
{
    return kns_time_given(at) ? kns_websub_now_ms() + (at.unix_s - kns_time_now().unix_s) * 1000
                              : 0;
}

double kns_websub_chance(void)
{
    return (double)random() / 2147483648.0;
}

static int compare_tokens(const void *a, const void *b)
{
    return strcmp(((const struct sub *)a)->token, ((const struct sub *)b)->token);
}

static int compare_feeds(const void *a, const void *b)
{
    int64_t x = ((const struct sub *)a)->feed_id, y = ((const struct sub *)b)->feed_id;

    return x < y ? -1 : x > y;
}

static struct sub *find_in(void *const *tree, const struct sub *key,
                           int (*compare)(const void *, const void *))
{
    void *node = tfind(key, tree, compare);

    return node == NULL ? NULL : *(struct sub **)node;
}

struct sub *kns_websub_find(struct kns_websub *websub, const char *token)
{
    const struct sub key = {.token = (char *)(uintptr_t)token};

    return find_in(&websub->by_token, &key, compare_tokens);
}

struct sub *kns_websub_current(struct kns_websub *websub, int64_t feed_id)
{
    const struct sub key = {.feed_id = feed_id};

    return find_in(&websub->by_feed, &key, compare_feeds);
}

static void free_access(struct kns_feed_access *access)
{
    free((char *)(uintptr_t)access->user_agent);
    free((char *)(uintptr_t)access->proxy);
    free((char *)(uintptr_t)access->ca_file);
    free((char *)(uintptr_t)access->http_version);
    *access = (struct kns_feed_access){0};
}

char *kns_sub_copy(const char *text)
{
    return text == NULL ? NULL : strdup(text);
}

/* Without credentials and headers: those are for the feed's own server. */
void kns_sub_keep_access(struct sub *sub, const struct kns_feed_access *access)
{
    free_access(&sub->access);
    sub->access = (struct kns_feed_access){.user_agent = kns_sub_copy(access->user_agent),
                                           .proxy = kns_sub_copy(access->proxy),
                                           .ca_file = kns_sub_copy(access->ca_file),
                                           .http_version = kns_sub_copy(access->http_version)};
}

void kns_sub_free(struct sub *sub)
{
    if (sub == NULL)
        return;
    free_access(&sub->access);
    free(sub->feed_url);
    free(sub->hub);
    free(sub->topic);
    free(sub->token);
    free(sub->callback);
    free(sub->secret);
    free(sub->error);
    free(sub);
}

void kns_sub_ref(struct sub *sub)
{
    sub->users++;
}

void kns_sub_unref(struct sub *sub)
{
    if (--sub->users == 0 && sub->dropped)
        kns_sub_free(sub);
}

void kns_sub_not_current(struct sub *sub)
{
    if (kns_websub_current(sub->websub, sub->feed_id) == sub)
        tdelete(sub, &sub->websub->by_feed, compare_feeds);
}

/* Forgotten in memory; freed when nobody works with it any more. */
void kns_sub_drop(struct sub *sub)
{
    struct kns_websub *websub = sub->websub;

    kns_sub_not_current(sub);
    tdelete(sub, &websub->by_token, compare_tokens);
    kns_scheduler_remove(&websub->scheduler, &sub->due);
    websub->n_subs--;
    sub->dropped = true;
    if (sub->users == 0)
        kns_sub_free(sub);
}

/* Takes its place in memory; false: no memory, and it is freed. */
bool kns_sub_add(struct kns_websub *websub, struct sub *sub)
{
    bool complete = sub->feed_url != NULL && sub->hub != NULL && sub->topic != NULL &&
                    sub->token != NULL && sub->callback != NULL;

    sub->websub = websub;
    if (!complete || !kns_scheduler_reserve(&websub->scheduler, websub->n_subs + 1) ||
        tsearch(sub, &websub->by_token, compare_tokens) == NULL) {
        kns_sub_free(sub);
        return false;
    }
    websub->n_subs++;
    if (sub->state == KNS_WEBSUB_LEAVING || tsearch(sub, &websub->by_feed, compare_feeds) != NULL)
        return true;
    kns_sub_drop(sub);
    return false;
}

void kns_sub_schedule(struct sub *sub)
{
    bool ends_first = sub->state == KNS_WEBSUB_ALIVE && sub->lease_ms < sub->ask_ms;

    if (sub->dropped || sub->asking != NULL || sub->state == KNS_WEBSUB_DENIED)
        kns_scheduler_remove(&sub->websub->scheduler, &sub->due);
    else
        kns_scheduler_set(&sub->websub->scheduler, &sub->due,
                          ends_first ? sub->lease_ms : sub->ask_ms);
}

void kns_sub_set_error(struct sub *sub, const char *text)
{
    free(sub->error);
    sub->error = kns_sub_copy(text);
}

int64_t kns_sub_retry_ms(const struct sub *sub, int factor)
{
    int64_t least = sub->websub->parts.config->poll.min_interval_s;

    return 1000 *
           kns_hub_retry_s(
               sub->failures < 1 ? 1 : sub->failures,
               factor * (least < KNS_WEBSUB_FIRST_RETRY_S ? least : KNS_WEBSUB_FIRST_RETRY_S),
               kns_websub_chance());
}
