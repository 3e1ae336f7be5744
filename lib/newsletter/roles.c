/* Description or comment? What the markup says outright (class names, quotations) wins; then what the issue's own items show
 * (paragraphs that look alike mean alike); then the order: what the article says comes first, the curator after it. */
#include "lib/newsletter/roles.h"

#include "lib/html.h"

#include <string.h>

#define MAX_LOOKS 64

/* What the items of an issue have in common. */
struct habits {
    uint64_t description[MAX_LOOKS], note[MAX_LOOKS]; /* how they look in items that have both */
    size_t descriptions, notes;
    bool spaced;  /* every paragraph is followed by a gap: gaps tell nothing */
    bool near;    /* some have text at the title, and more behind a gap */
    bool outside; /* some have it in the title's paragraph, and the comment in one of its own */
    bool both;    /* some have a description and a comment */
    bool paired;  /* most have two texts or more, and nothing else tells them apart */
};

static bool is_known(const uint64_t *looks, size_t count, uint64_t wanted)
{
    for (size_t i = 0; i < count; i++)
        if (looks[i] == wanted)
            return true;
    return false;
}

static void learn_look(uint64_t *looks, size_t *count, uint64_t look)
{
    if (*count < MAX_LOOKS && !is_known(looks, *count, look))
        looks[(*count)++] = look;
}

static const struct block *block_of(const struct assigning *a, const struct piece *piece)
{
    return &a->blocks->blocks[piece->block];
}

/* A list, code or a quotation below the item: it goes with the paragraph before it. */
static bool is_appendix(const struct assigning *a, const struct item_pieces *item, size_t k)
{
    const struct block *block = block_of(a, &item->pieces[k]);
    const struct block *title = &a->blocks->blocks[item->title_block];

    return item->pieces[k].row > 0 && ((block->list != NULL && block->list != title->list) ||
                                       block->preformatted || block->quoted != title->quoted);
}

/* True for a piece that goes with the one before it: an entry of a list below it, what a colon announces. */
static bool continues(const struct assigning *a, const struct item_pieces *item, size_t k)
{
    if (k == 0 || item->pieces[k].group != item->pieces[k - 1].group)
        return false;
    if (is_appendix(a, item, k))
        return true;
    const char *before = item->pieces[k - 1].text;
    return words_end_with(before, ":") || words_end_with(before, "：");
}

/* Texts that stand for themselves, in [from, count). */
static size_t units_of(const struct assigning *a, const struct item_pieces *item, size_t from)
{
    size_t units = 0;

    for (size_t k = from; k < item->count; k++)
        units += !continues(a, item, k);
    return units;
}

static int groups_of(const struct item_pieces *item)
{
    int groups = 0;

    for (size_t k = 0; k < item->count; k++)
        groups += k == 0 || item->pieces[k].group != item->pieces[k - 1].group;
    return groups;
}

/* ---- what one item says ---------------------------------------------------------------------------------------- */

/* The pieces from the first on of which a class name says that they are the article's; -1: none says anything. */
static int split_by_class(const struct item_pieces *item)
{
    size_t described = 0, first_note = item->count;

    for (size_t k = item->count; k > 0; k--)
        if (item->pieces[k - 1].role == ROLE_NOTE)
            first_note = k - 1;
    while (described < item->count && item->pieces[described].role == ROLE_DESCRIPTION)
        described++;
    if (described > 0)
        return (int)described;
    return first_note < item->count ? (int)first_note : -1;
}

/* How many pieces from the first on are the description, by what can be seen in this item alone; -1: cannot be told. */
static int split_alone(const struct assigning *a, const struct item_pieces *item,
                       const struct habits *habits)
{
    const struct piece *pieces = item->pieces;
    size_t n = item->count, own = 0, quoted = 0;
    int named = split_by_class(item);

    if (named >= 0)
        return named;
    while (quoted < n && block_of(a, &pieces[quoted])->quoted)
        quoted++;
    while (own < n && pieces[own].row == 0)
        own++;
    if (quoted > 0)
        return (int)quoted;
    if (own > 0 && own < n && units_of(a, item, own) > 0 && !is_appendix(a, item, own))
        return (int)own;
    if (own > 0 || units_of(a, item, 0) < 2 || habits->spaced)
        return -1;
    /* A gap between the pieces: the first group is the article's. */
    for (size_t k = 1; k < n; k++)
        if (pieces[k].group != pieces[0].group && pieces[0].group == 0)
            return (int)k;
    return -1;
}

/* ---- what the others show -------------------------------------------------------------------------------------- */

/* Two paragraphs that look different: the first is the article's. */
static int split_by_looks(const struct assigning *a, const struct item_pieces *item)
{
    bool two = item->count >= 2 && !is_appendix(a, item, 0) && !is_appendix(a, item, 1) &&
               !continues(a, item, 1) && (item->pieces[0].row == 0) == (item->pieces[1].row == 0);

    return two && item->pieces[0].looks != item->pieces[1].looks ? 1 : -1;
}

static void learn_split(const struct assigning *a, const struct item_pieces *item, size_t split,
                        struct habits *habits)
{
    habits->both = true;
    habits->outside = habits->outside || (item->pieces[0].row == 0 && item->pieces[split].row > 0);
    habits->near = habits->near || item->pieces[0].group < item->pieces[split].group;
    for (size_t k = 0; k < split; k++)
        learn_look(habits->description, &habits->descriptions, item->pieces[k].looks);
    for (size_t k = split; k < item->count; k++)
        if (!is_appendix(a, item, k))
            learn_look(habits->note, &habits->notes, item->pieces[k].looks);
}

static void learn(const struct assigning *a, struct habits *habits)
{
    size_t several = 0, single = 0, spaced = 0, dense = 0;

    for (size_t i = 0; i < a->count; i++) {
        const struct item_pieces *item = &a->items[i];
        size_t units = units_of(a, item, 0);
        several += units > 1;
        single += units == 1;
        spaced += units > 2 && groups_of(item) == (int)units;
        dense += units > 1 && groups_of(item) < (int)units;
    }
    habits->spaced = spaced > dense;
    habits->paired = several >= 2 && several > 2 * single;
    for (size_t i = 0; i < a->count; i++) {
        const struct item_pieces *item = &a->items[i];
        int split = split_alone(a, item, habits);
        if (split < 0)
            split = split_by_looks(a, item);
        if (split >= 1 && (size_t)split < item->count)
            learn_split(a, item, (size_t)split, habits);
    }
}

/* How many pieces from the first on look as descriptions do, and not as comments; -1: looks do not tell. */
static int alike(const struct item_pieces *item, const struct habits *habits)
{
    size_t k = 0;
    bool told = false;

    for (; k < item->count; k++) {
        bool as_description =
            is_known(habits->description, habits->descriptions, item->pieces[k].looks);
        bool as_note = is_known(habits->note, habits->notes, item->pieces[k].looks);
        told = told || as_description != as_note;
        if (!as_description || as_note)
            break;
    }
    return told ? (int)k : -1;
}

/* By what the other items showed. */
static size_t split_by_habit(const struct assigning *a, const struct item_pieces *item,
                             const struct habits *habits)
{
    const struct piece *first = &item->pieces[0], *last = &item->pieces[item->count - 1];
    bool entry = a->blocks->blocks[item->title_block].list != NULL;
    bool several = units_of(a, item, 0) > 1;
    enum strength kind = a->parts[item->title_block].title.strength;

    /* An address set in has no description; nor has what stands apart from its title, in one go. */
    if (kind == EMBEDDED || kind == VIDEO ||
        (!habits->spaced && first->group > 0 && first->group == last->group))
        return 0;
    /* Others have their description right at the title; this one has only what stands apart. */
    if (habits->near && !habits->spaced) {
        size_t near = 0;
        while (near < item->count && item->pieces[near].group == 0)
            near++;
        return near;
    }
    int looks = alike(item, habits);
    if (looks >= 0)
        return (size_t)looks;
    if (last->row == 0 && habits->outside)
        return item->count;
    /* Lines of one paragraph are told apart as those of any other item; paragraphs only where nearly all items have several. */
    if (several)
        return last->row == 0 || habits->paired ? 1 : 0;
    if (first->row == 0 && !first->same_line && !entry)
        return 1;
    return first->row == 0 && habits->both && !entry ? 1 : 0;
}

/* Where all items have one text and nothing says whose it is, it is the curator's. */
static void drop_lone_descriptions(const struct assigning *a, size_t *splits)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct item_pieces *item = &a->items[i];
        /* Title, site, both links, and a text in one paragraph: that is how an article is presented. */
        bool presented = a->parts[item->title_block].title.site_linked && item->count > 0 &&
                         item->pieces[0].row == 0 && !item->pieces[0].same_line;
        bool said = presented || (item->count > 0 && (item->pieces[0].role == ROLE_DESCRIPTION ||
                                                      block_of(a, &item->pieces[0])->quoted));
        if (said || splits[i] < item->count)
            return;
    }
    memset(splits, 0, a->count * sizeof(*splits));
}

/* ---- written down ---------------------------------------------------------------------------------------------- */

static bool set_description(const struct assigning *a, struct item_pieces *item, size_t count)
{
    struct kns_buf text = {0};

    for (size_t k = 0; k < count; k++) {
        if (k > 0)
            kns_buf_addc(&text, ' ');
        kns_buf_adds(&text, item->pieces[k].text);
    }
    bool good = !kns_buf_failed(&text);
    if (good && text.len > 0) {
        item->item->description = kns_arena_copy(a->blocks->arena, text.data, text.len);
        good = item->item->description != NULL;
    }
    kns_buf_fini(&text);
    return good;
}

/* The block of a piece as the note's HTML has it: the entry that the item itself is makes no list there. *ret_view is where it is
 * put; NULL: there is none. */
static const struct block *view_of(const struct assigning *a, const struct item_pieces *item,
                                   size_t k, size_t first, struct block *ret_view)
{
    const struct block *title = &a->blocks->blocks[item->title_block];

    if (k < first || k >= item->count)
        return NULL;
    *ret_view = *block_of(a, &item->pieces[k]);
    if (ret_view->entry != NULL && ret_view->entry == title->entry)
        ret_view->list = NULL;
    return ret_view;
}

static bool set_note(const struct assigning *a, struct item_pieces *item, size_t first)
{
    struct kns_buf html = {0};
    bool good = true;

    for (size_t k = first; k < item->count && good; k++) {
        struct block before, block, after;
        const struct block *previous = k == first ? NULL : view_of(a, item, k - 1, first, &before);
        const struct block *next = view_of(a, item, k + 1, first, &after);
        view_of(a, item, k, first, &block);
        good = pieces_add_html(a->blocks, &html, previous, &block, next, item->pieces[k].from,
                               item->pieces[k].to);
    }
    good = good && !kns_buf_failed(&html);
    if (good && html.len > 0) {
        item->item->note_html = kns_arena_copy(a->blocks->arena, html.data, html.len);
        if (item->item->note_html != NULL)
            item->item->note = kns_html_to_text(a->blocks->arena, item->item->note_html);
        good = item->item->note != NULL;
    }
    kns_buf_fini(&html);
    return good;
}

bool roles_assign(const struct assigning *a)
{
    struct habits habits = {0};
    size_t *splits = kns_arena_alloc(a->blocks->arena, (a->count + 1) * sizeof(*splits));

    if (splits == NULL)
        return false;
    learn(a, &habits);
    for (size_t i = 0; i < a->count; i++) {
        int split = split_alone(a, &a->items[i], &habits);
        if (split >= 0)
            splits[i] = (size_t)split;
        else if (a->items[i].count > 0)
            splits[i] = split_by_habit(a, &a->items[i], &habits);
    }
    drop_lone_descriptions(a, splits);
    for (size_t i = 0; i < a->count; i++)
        if (!set_description(a, &a->items[i], splits[i]) || !set_note(a, &a->items[i], splits[i]))
            return false;
    return true;
}
