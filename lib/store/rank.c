/* The rank of a hit: bm25, as FTS5 has it, but for how rare a word is. FTS5 finds that by reading all that the word is in; here it is
 * counted so far, and what is more frequent is taken to go on as it began. */
#include "lib/store/internal.h"

#include <math.h>

#define COUNTED 5000
/* As usual: how much a second mention adds, and how much a long text takes away. */
#define K1 1.2
#define B 0.75

struct rarity {
    double average;    /* words of a text */
    int n;             /* words or phrases of the query */
    double *frequency; /* of each in the text under consideration */
    double weight[];   /* of each */
};

struct counting {
    int64_t first, last, hits;
};

static int count_hit(const Fts5ExtensionApi *api, Fts5Context *fts, void *ctx)
{
    struct counting *counting = ctx;

    counting->last = api->xRowid(fts);
    if (counting->hits++ == 0)
        counting->first = counting->last;
    return counting->hits < COUNTED ? SQLITE_OK : SQLITE_DONE;
}

/* About how many texts of rows hold the phrase. Texts come by their places, which begin with their times: where the count was cut short,
 * the rest of the time holds as much in proportion. */
static int count_texts(const Fts5ExtensionApi *api, Fts5Context *fts, int phrase, double *ret)
{
    struct counting counting = {0};
    int rc = api->xQueryPhrase(fts, phrase, &counting, count_hit);
    double seen = (double)counting.last - (double)counting.first;
    double all = (double)api->xRowid(fts) - (double)counting.first;

    *ret = (double)counting.hits;
    if (counting.hits >= COUNTED && all > seen && seen > 0)
        *ret *= all / seen;
    return rc;
}

static int weigh(const Fts5ExtensionApi *api, Fts5Context *fts, struct rarity **ret)
{
    sqlite3_int64 rows = 0, words = 0;
    int n = api->xPhraseCount(fts);
    size_t size = sizeof(struct rarity) + 2 * (size_t)n * sizeof(double);
    struct rarity *rarity = sqlite3_malloc64(size);
    int rc = rarity == NULL ? SQLITE_NOMEM : api->xRowCount(fts, &rows);

    if (rc == SQLITE_OK)
        rc = api->xColumnTotalSize(fts, -1, &words);
    for (int i = 0; i < n && rc == SQLITE_OK; i++) {
        double texts = 0, all = (double)rows;
        rc = count_texts(api, fts, i, &texts);
        double weight = texts < all ? log((all - texts + 0.5) / (texts + 0.5)) : 0;
        rarity->weight[i] = weight > 1e-6 ? weight : 1e-6; /* what is everywhere still counts */
    }
    if (rc == SQLITE_OK) {
        rarity->n = n;
        rarity->average = rows > 0 && words > 0 ? (double)words / (double)rows : 1;
        rarity->frequency = rarity->weight + n;
        rc =
            api->xSetAuxdata(fts, rarity, sqlite3_free); /* owns it from now on, whatever it says */
        *ret = rarity;
        return rc;
    }
    sqlite3_free(rarity);
    return rc;
}

static int score(const Fts5ExtensionApi *api, Fts5Context *fts, struct rarity *rarity, double *ret)
{
    int hits = 0, length = 0;
    int rc = api->xInstCount(fts, &hits);

    for (int i = 0; i < rarity->n; i++)
        rarity->frequency[i] = 0;
    for (int i = 0; i < hits && rc == SQLITE_OK; i++) {
        int phrase, column, at;
        rc = api->xInst(fts, i, &phrase, &column, &at);
        if (rc == SQLITE_OK)
            rarity->frequency[phrase]++;
    }
    if (rc == SQLITE_OK)
        rc = api->xColumnSize(fts, -1, &length);
    double norm = K1 * (1 - B + B * (double)length / rarity->average);
    *ret = 0;
    for (int i = 0; i < rarity->n; i++)
        *ret += rarity->weight[i] * rarity->frequency[i] * (K1 + 1) / (rarity->frequency[i] + norm);
    return rc;
}

/* The better the smaller, as FTS5's own. */
static void rank(const Fts5ExtensionApi *api, Fts5Context *fts, sqlite3_context *ctx, int n,
                 sqlite3_value **values)
{
    struct rarity *rarity = api->xGetAuxdata(fts, 0);
    int rc = rarity == NULL ? weigh(api, fts, &rarity) : SQLITE_OK;
    double points = 0;

    (void)n;
    (void)values;
    if (rc == SQLITE_OK)
        rc = score(api, fts, rarity, &points);
    if (rc == SQLITE_OK)
        sqlite3_result_double(ctx, -points);
    else
        sqlite3_result_error_code(ctx, rc);
}

int kns_rank_register(fts5_api *api)
{
    return api->xCreateFunction(api, "kns_rank", NULL, rank, NULL);
}
