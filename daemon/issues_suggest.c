/* The best of the time since the last issue, for the draft: every article of the window is weighed, the best of each site in turn are
 * taken. */
#include "daemon/issues.h"

#include "lib/url.h"

#include <string.h>

#define SUGGESTIONS 7 /* the median of a weekly newsletter */
#define SUGGESTIONS_MOST 200
#define WINDOW_S (7 * 86400) /* before the first issue */
/* Of a window that is longer the newest are looked at: a week of thousands of feeds. */
#define CANDIDATES_MOST 50000
#define PAGE 1000

struct suggesting {
    struct kns_request *request;
    struct kns_store *store;
    const struct kns_publication *publication;
    const struct kns_issue *issue;
    struct kns_issue_candidate *candidates;
    size_t n, room;
    bool failed; /* no memory */
};

/* ---- candidates -------------------------------------------------------------------------------------------------------- */

/* An address or the name of a machine in the house is no site of its own: there, each feed is one. */
static const char *site_of(struct kns_arena *arena, const struct kns_item *item)
{
    const char *site = kns_url_site(arena, item->entry.url);
    const struct kns_item_feed *feed = item->feeds.first;
    bool telling = site != NULL && strchr(site, '.') != NULL && *site != '[' &&
                   site[strspn(site, "0123456789.")] != '\0';

    if (!telling && feed != NULL)
        return kns_arena_printf(arena, "feed %lld", (long long)feed->id);
    return site == NULL ? "" : site;
}

static bool make_room(struct suggesting *s)
{
    size_t room = s->room == 0 ? PAGE : 2 * s->room;
    struct kns_issue_candidate *longer;

    if (s->n < s->room)
        return true;
    longer = kns_arena_alloc(s->request->arena, room * sizeof(*longer));
    if (longer == NULL)
        return false;
    if (s->n > 0)
        memcpy(longer, s->candidates, s->n * sizeof(*longer));
    s->candidates = longer;
    s->room = room;
    return true;
}

static bool collect_candidate(void *ctx, const struct kns_item *item)
{
    struct suggesting *s = ctx;
    struct kns_arena *arena = s->request->arena;

    /* What no feed carries was put there by a person: a link, an issue of this newsletter. */
    if ((item->feeds.count == 0 && !item->starred) || item->entry.url == NULL ||
        !kns_url_is_web(item->entry.url) || item->entry.title == NULL ||
        kns_issue_find(s->issue, item->id, kns_url_clean(arena, item->entry.url)) != NULL)
        return true;
    const struct kns_issue_candidate candidate = {.id = item->id,
                                                  .url = kns_arena_strdup(arena, item->entry.url),
                                                  .title =
                                                      kns_arena_strdup(arena, item->entry.title),
                                                  .site = site_of(arena, item),
                                                  .sources = item->sources,
                                                  .score = item->score,
                                                  .starred = item->starred,
                                                  .at = item->sort_at};
    s->failed =
        candidate.url == NULL || candidate.title == NULL || candidate.site == NULL || !make_room(s);
    if (!s->failed)
        s->candidates[s->n++] = candidate;
    return !s->failed && s->n < CANDIDATES_MOST;
}

static enum kns_status collect(struct suggesting *s, struct kns_time since, struct kns_error *err)
{
    struct kns_item_query query = {.since = since, .sort = KNS_SORT_NEW, .limit = PAGE};
    enum kns_status status = KNS_OK;

    do {
        /* Only what is kept of a page outlives it. */
        struct kns_arena *page = kns_arena_new(0);
        const char *cursor = NULL;
        if (page == NULL)
            return kns_fail(err, KNS_ENOMEM, "out of memory");
        status = kns_store_query_items(s->store, page, &query, collect_candidate, s, &cursor, err);
        query.cursor = cursor == NULL ? NULL : kns_arena_strdup(s->request->arena, cursor);
        kns_arena_free(page);
    } while (status == KNS_OK && query.cursor != NULL && !s->failed && s->n < CANDIDATES_MOST);
    return s->failed ? kns_fail(err, KNS_ENOMEM, "out of memory") : status;
}

/* Neither covered before, nor itself a roundup of links. */
static bool is_fit(void *ctx, const struct kns_issue_candidate *c)
{
    struct suggesting *s = ctx;
    struct kns_looking_back back = {s->store, s->publication->name, 0};
    bool roundup = false;

    return kns_issues_covered(&back, c->url, c->title) == 0 &&
           kns_store_is_roundup(s->store, c->id, &roundup, NULL) == KNS_OK && !roundup;
}

/* ---- into the draft ---------------------------------------------------------------------------------------------------- */

static enum kns_status put(struct suggesting *s, struct kns_issue *issue,
                           const struct kns_issue_candidate *chosen, struct kns_error *err)
{
    struct kns_item *item = NULL;
    enum kns_status status =
        kns_store_get_item(s->store, s->request->arena, chosen->id, &item, err);
    struct kns_issue_item *made =
        status == KNS_OK ? kns_issue_item_of(s->request->arena, item) : NULL;

    if (status == KNS_OK && made == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        kns_issue_add(issue, made, s->publication);
    return status;
}

/* What was taken, and why: "suggested" of the answer. A new reference. */
static json_t *explain(const struct suggesting *s, const struct kns_issue_candidate *const *chosen,
                       size_t n, const struct kns_issue_choice *choice)
{
    char since[KNS_TIME_TEXT];
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:I, s:I, s:s?, s:s}", "id", (json_int_t)chosen[i]->id, "score",
                            (json_int_t)chosen[i]->rank, "why",
                            kns_issue_why(s->request->arena, chosen[i], choice->since, choice->now),
                            "title", chosen[i]->title));
    return json_pack("{s:o, s:s, s:I}", "suggested", list, "since",
                     kns_time_format(choice->since, since), "looked_at", (json_int_t)s->n);
}

static enum kns_status fill(struct suggesting *s, struct kns_issue *issue,
                            const struct kns_issue_choice *choice, struct kns_error *err)
{
    struct kns_arena *arena = s->request->arena;
    const struct kns_issue_candidate **chosen =
        kns_arena_alloc(arena, (choice->wanted + 1) * sizeof(*chosen));
    size_t n = 0;

    if (chosen == NULL || !kns_issue_choose(arena, issue, s->candidates, s->n, choice, chosen, &n))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = KNS_OK;
    for (size_t i = 0; i < n && status == KNS_OK; i++)
        status = put(s, issue, chosen[i], err);
    if (status != KNS_OK)
        return status;
    json_t *why = explain(s, chosen, n, choice);
    if (n > 0)
        return kns_issues_finish(s->request, s->store, s->publication, issue, why, err);
    kns_issues_answer(s->request, s->store, issue, why);
    return KNS_OK;
}

enum kns_status kns_suggest_draft(struct kns_request *request, struct kns_store *store,
                                  struct kns_error *err)
{
    struct suggesting s = {.request = request, .store = store};
    struct kns_issue_choice choice = {.now = kns_time_now(), .is_fit = is_fit, .ctx = &s};
    struct kns_issue_record last;
    struct kns_issue *issue = NULL;
    int64_t wanted = SUGGESTIONS;
    enum kns_status status = kns_issues_begin(request, store, &s.publication, &issue, err);

    if (status == KNS_OK)
        status = kns_issues_find_last(store, s.publication, &last, err);
    if (status != KNS_OK)
        return status;
    /* Since the last issue, unless told otherwise. */
    choice.since.unix_s =
        kns_time_given(last.published_at) ? last.published_at.unix_s : choice.now.unix_s - WINDOW_S;
    if (!kns_request_time(request, "since", &choice.since) ||
        !kns_request_number(request, "limit", 1, SUGGESTIONS_MOST, &wanted))
        return KNS_OK;
    choice.wanted = (size_t)wanted;
    s.issue = issue;
    status = collect(&s, choice.since, err);
    return status == KNS_OK ? fill(&s, issue, &choice, err) : status;
}
