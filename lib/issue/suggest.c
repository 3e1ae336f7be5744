/* What the week's best is: many feeds, a star and the rules' score weigh; among equals the newer wins by a little. */
#include "lib/issue.h"

#include "lib/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_SOURCE 10
#define PER_STAR 15
#define PER_SCORE 3
#define FRESHEST 9

struct parts {
    int64_t sources, star, score, freshness;
};

static struct parts parts_of(const struct kns_issue_candidate *c, struct kns_time since,
                             struct kns_time now)
{
    int64_t span = now.unix_s - since.unix_s, age = now.unix_s - c->at.unix_s;

    /* A clock that is wrong makes nothing better than fresh, and nothing worse than old. */
    age = age < 0 ? 0 : age > span ? span : age;
    return (struct parts){.sources = PER_SOURCE * c->sources,
                          .star = c->starred ? PER_STAR : 0,
                          .score = PER_SCORE * c->score,
                          .freshness = span > 0 ? FRESHEST - FRESHEST * age / span : 0};
}

const char *kns_issue_why(struct kns_arena *arena, const struct kns_issue_candidate *c,
                          struct kns_time since, struct kns_time now)
{
    struct parts parts = parts_of(c, since, now);
    char star[40] = "", score[60] = "";

    if (parts.star != 0)
        snprintf(star, sizeof(star), ", a star +%d", PER_STAR);
    if (parts.score != 0)
        snprintf(score, sizeof(score), ", rules %+lld", (long long)parts.score);
    return kns_arena_printf(arena, "%lld %s +%lld%s%s, freshness +%lld", (long long)c->sources,
                            c->sources == 1 ? "source" : "sources", (long long)parts.sources, star,
                            score, (long long)parts.freshness);
}

/* The better first; of equals the newer, then the one that came last: nothing is left to chance. */
static int compare(const void *left, const void *right)
{
    const struct kns_issue_candidate *a = left, *b = right;

    if (a->rank != b->rank)
        return a->rank > b->rank ? -1 : 1;
    if (a->at.unix_s != b->at.unix_s)
        return a->at.unix_s > b->at.unix_s ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}

static int compare_sites(const void *left, const void *right)
{
    const struct kns_issue_candidate *const *a = left, *const *b = right;

    return strcmp((*a)->site, (*b)->site);
}

/* Gives every site a number from 0, and counts them. SIZE_MAX: no memory. */
static size_t number_sites(struct kns_arena *arena, struct kns_issue_candidate *candidates,
                           size_t n)
{
    struct kns_issue_candidate **by_site = kns_arena_alloc(arena, (n + 1) * sizeof(*by_site));
    size_t sites = 0;

    if (by_site == NULL)
        return SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        by_site[i] = &candidates[i];
    qsort(by_site, n, sizeof(struct kns_issue_candidate *), compare_sites);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(by_site[i]->site, by_site[i - 1]->site) != 0)
            sites++;
        by_site[i]->site_number = sites - 1;
    }
    return sites;
}

/* Sites that the draft has already had their turn. */
static void count_turns(struct kns_arena *arena, const struct kns_issue *draft,
                        const struct kns_issue_candidate *candidates, size_t n, size_t *turns)
{
    const struct kns_issue_item *item;

    KNS_LIST_EACH(item, &draft->items)
    {
        const char *site = kns_url_site(arena, item->url);
        for (size_t i = 0; site != NULL && i < n; i++)
            if (strcmp(candidates[i].site, site) == 0) {
                turns[candidates[i].site_number]++;
                break;
            }
    }
}

/* The first that is fit, of the sites that had so many turns; NULL: there is none. */
static struct kns_issue_candidate *take(struct kns_issue_candidate *candidates, size_t n,
                                        const size_t *turns, size_t turn,
                                        const struct kns_issue_choice *choice)
{
    for (size_t i = 0; i < n; i++) {
        struct kns_issue_candidate *c = &candidates[i];
        if (c->used || turns[c->site_number] != turn)
            continue;
        c->used = true;
        if (choice->is_fit == NULL || choice->is_fit(choice->ctx, c))
            return c;
    }
    return NULL;
}

bool kns_issue_choose(struct kns_arena *arena, const struct kns_issue *draft,
                      struct kns_issue_candidate *candidates, size_t n,
                      const struct kns_issue_choice *choice,
                      const struct kns_issue_candidate **chosen, size_t *ret_n)
{
    size_t most = 0, found = 0;

    *ret_n = 0;
    if (n == 0)
        return true;
    for (size_t i = 0; i < n; i++) {
        struct parts parts = parts_of(&candidates[i], choice->since, choice->now);
        candidates[i].rank = parts.sources + parts.star + parts.score + parts.freshness;
        candidates[i].used = false;
    }
    qsort(candidates, n, sizeof(*candidates), compare);
    size_t sites = number_sites(arena, candidates, n);
    size_t *turns = sites == SIZE_MAX ? NULL : kns_arena_alloc(arena, (sites + 1) * sizeof(*turns));
    if (turns == NULL)
        return false;
    memset(turns, 0, (sites + 1) * sizeof(*turns));
    count_turns(arena, draft, candidates, n, turns);
    most = draft->items.count + choice->wanted;
    for (size_t turn = 0; turn <= most && found < choice->wanted;) {
        struct kns_issue_candidate *best = take(candidates, n, turns, turn, choice);
        if (best == NULL) {
            turn++;
            continue;
        }
        turns[best->site_number]++;
        chosen[found++] = best;
    }
    *ret_n = found;
    return true;
}
