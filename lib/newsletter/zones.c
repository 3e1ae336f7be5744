/* Each zone (what lies between rules and headings) takes its loudest kind of candidates as titles; the rest is content. */
#include "lib/newsletter/judging.h"

struct zones {
    int count;
    enum strength *loudest;
    int *depth; /* the shallowest list of its entries */
    int *titles;
    bool *prose; /* has text before its first candidate */
    int *mute;   /* list entries that are no candidates */
};

static void number_zones(struct judging *j, struct zones *zones)
{
    int zone = 0;

    for (size_t i = 0; i < j->blocks->count; i++) {
        enum part part = j->parts[i].part;
        zone += part == PART_RULE || part == PART_HEADING;
        j->parts[i].zone = zone;
    }
    zones->count = zone + 1;
}

static void measure_zones(struct judging *j, struct zones *zones)
{
    for (size_t i = 0; i < j->blocks->count; i++) {
        const struct title *title = &j->parts[i].title;
        const struct block *block = &j->blocks->blocks[i];
        int zone = j->parts[i].zone;
        if (title->strength == NO_TITLE) {
            if (j->parts[i].part != PART_TEXT)
                continue;
            zones->mute[zone] += block->list != NULL;
            if (zones->titles[zone] == 0)
                zones->prose[zone] = true;
            continue;
        }
        if (title->strength != EMBEDDED && title_kind(title) > zones->loudest[zone])
            zones->loudest[zone] = title_kind(title);
        zones->titles[zone]++;
        if (zones->depth[zone] == 0 || block->list_depth < zones->depth[zone])
            zones->depth[zone] = block->list_depth;
    }
}

/* The kind of title that most blocks from one on have, loud ones first. */
static enum strength find_dominant(const struct judging *j, size_t from)
{
    static const enum strength loud[] = {HEADING, BOLD, TERM, ENTRY, ALONE};
    enum strength best = NO_TITLE;
    size_t most = 0;

    for (size_t k = 0; k < sizeof(loud) / sizeof(loud[0]); k++) {
        size_t count = 0;
        for (size_t i = from; i < j->blocks->count; i++)
            count += title_kind(&j->parts[i].title) == loud[k];
        /* Louder titles win unless they are few among many: one headline over a list. */
        if (count > 0 && (best == NO_TITLE || (most <= 2 && count >= 3 * most))) {
            best = loud[k];
            most = count;
        }
    }
    return best;
}

/* Where the items may begin: behind the first rule, when what stands there is dressed as items are (a site, a picture) or several. */
size_t items_begin(const struct judging *j)
{
    size_t rule = 0, n = j->blocks->count, loud = 0;
    bool dressed = false;

    while (rule < n && j->parts[rule].part != PART_RULE)
        rule++;
    for (size_t i = rule; i < n; i++) {
        const struct title *title = &j->parts[i].title;
        bool counts = title->strength >= TERM;
        loud += counts;
        dressed = dressed ||
                  (counts && (title->site != NULL || judging_has_image(j, &j->blocks->blocks[i])));
    }
    return rule < n && (dressed || loud >= 2) ? rule : 0;
}

/* How many titles of a kind have this markup, in blocks [from, to). */
static size_t count_markup(const struct judging *j, enum strength kind, uint64_t markup,
                           size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = from; i < to; i++)
        count += title_kind(&j->parts[i].title) == kind && j->parts[i].title.markup == markup;
    return count;
}

/* The markup that most titles of a kind behind a block have. */
static uint64_t most_markup(const struct judging *j, enum strength kind, size_t from)
{
    uint64_t best = 0;
    size_t most = 0;

    for (size_t i = from; i < j->blocks->count; i++) {
        const struct title *title = &j->parts[i].title;
        if (title_kind(title) != kind || title->markup == best)
            continue;
        size_t count = count_markup(j, kind, title->markup, i, j->blocks->count);
        if (count > most) {
            best = title->markup;
            most = count;
        }
        /* Enough is seen: what comes later cannot win, and hostile input must not cost its square. */
        if (2 * most > j->blocks->count - i || i - from > 200)
            break;
    }
    return best;
}

/* The zones before the first rule are an introduction when the titles stand behind it: no link before it is marked up as they are,
 * or few are among much prose. */
static int introduction_end(const struct judging *j, enum strength dominant, uint64_t markup)
{
    size_t rule = 0, rules = 0, prose = 0, n = j->blocks->count;

    for (size_t i = n; i > 0; i--)
        if (j->parts[i - 1].part == PART_RULE) {
            rule = i - 1;
            rules++;
        }
    if (rules == 0 || dominant == NO_TITLE)
        return 0;
    size_t before = count_markup(j, dominant, markup, 0, rule),
           after = count_markup(j, dominant, markup, rule, n);
    for (size_t i = 0; i < rule; i++)
        prose += j->parts[i].part == PART_TEXT && j->parts[i].title.strength == NO_TITLE;
    if (after == 0)
        return 0;
    bool few = rules == 1 && after >= 2 && before < after && prose > 2 * before;
    return before == 0 || few ? j->parts[rule].zone : 0;
}

/* One link in bold among many titles that are marked up otherwise: a word of somebody's comment. */
static bool is_odd_one(const struct judging *j, size_t i, enum strength dominant, uint64_t markup)
{
    const struct title *title = &j->parts[i].title;
    size_t n = j->blocks->count;

    if (title->strength != BOLD || dominant != BOLD || title->markup == markup ||
        title->site != NULL || judging_has_image(j, &j->blocks->blocks[i]))
        return false;
    return count_markup(j, BOLD, markup, 0, n) >= 3 &&
           count_markup(j, BOLD, title->markup, 0, n) == 1;
}

static bool is_accepted(const struct judging *j, const struct zones *zones, size_t i,
                        enum strength dominant, int introduction)
{
    const struct title *title = &j->parts[i].title;
    const struct block *block = &j->blocks->blocks[i];
    int zone = j->parts[i].zone;
    enum strength loudest = zones->loudest[zone];

    if (title->strength == NO_TITLE || zone < introduction)
        return false;
    if (title->strength == EMBEDDED)
        return true;
    if (title_kind(title) != loudest || block->list_depth > zones->depth[zone])
        return false;
    if (loudest >= ENTRY || (dominant != NO_TITLE && loudest >= dominant))
        return true;
    /* Where every entry ends with its link. */
    if (loudest == LAST)
        return zones->titles[zone] >= 2 && zones->mute[zone] == 0 && !zones->prose[zone];
    if (title->strength == VIDEO && dominant == NO_TITLE)
        return true;
    /* Quieter than the titles: only what stands under nothing but a heading is no aside. */
    return dominant == NO_TITLE
               ? zones->titles[zone] >= 2
               : loudest >= ALONE && !zones->prose[zone] && zones->titles[zone] >= 2;
}

bool accept_titles(struct judging *j)
{
    struct zones zones = {0};

    number_zones(j, &zones);
    size_t n = (size_t)zones.count;
    zones.loudest = kns_arena_alloc(j->arena, n * sizeof(*zones.loudest));
    zones.depth = kns_arena_alloc(j->arena, n * sizeof(*zones.depth));
    zones.titles = kns_arena_alloc(j->arena, n * sizeof(*zones.titles));
    zones.mute = kns_arena_alloc(j->arena, n * sizeof(*zones.mute));
    zones.prose = kns_arena_alloc(j->arena, n * sizeof(*zones.prose));
    if (zones.loudest == NULL || zones.depth == NULL || zones.titles == NULL ||
        zones.prose == NULL || zones.mute == NULL)
        return false;
    measure_zones(j, &zones);
    size_t begin = items_begin(j);
    enum strength dominant = find_dominant(j, begin);
    uint64_t markup = dominant == NO_TITLE ? 0 : most_markup(j, dominant, begin);
    int introduction = introduction_end(j, dominant, markup);
    const char *current = NULL;
    for (size_t i = 0; i < j->blocks->count; i++) {
        struct part_of *part = &j->parts[i];
        if (part->part == PART_RULE || part->part == PART_HEADING)
            current = NULL;
        if (!is_accepted(j, &zones, i, dominant, introduction) ||
            is_odd_one(j, i, dominant, markup))
            continue;
        /* The same address again is the item's own: its text is one big link. */
        if (current != NULL && judging_same_article(j, current, part->title.url))
            continue;
        part->part = PART_TITLE;
        current = part->title.url;
    }
    return true;
}
