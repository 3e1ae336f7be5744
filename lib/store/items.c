/* Items: entries become new items, known ones seen again, or edits; an entry that says what it said costs no write. */
#include "lib/store/internal.h"

#include "lib/jsonfeed.h"
#include "lib/store/identity.h"
#include "lib/url.h"

#include <stdlib.h>
#include <string.h>

/* An entry on its way into the store. */
struct arrival {
    struct kns_store *store;
    struct kns_arena *arena; /* for one entry */
    struct kns_arena *document_arena;
    const struct kns_document *document;
    int64_t feed_id;
    const struct kns_feed *feed; /* for rules; NULL: not yet read */
    struct kns_time now;
    struct kns_poll_result *result;
    int64_t item_id; /* of the entry just stored; 0: it has none */
    bool changed;    /* it is new or says something else */
};

/* ---- keys --------------------------------------------------------------------------------------------------------- */

/* KNS_ENOTFOUND: the key is new. *ret_item 0: the item was removed. */
static enum kns_status find_key(struct kns_store *store, enum key_kind kind, int64_t scope,
                                const char *key, int64_t *ret_item, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, KEY_FIND);

    if (key == NULL)
        return KNS_ENOTFOUND;
    kns_bind_int(stmt, 1, kind);
    kns_bind_int(stmt, 2, scope);
    kns_bind_text(stmt, 3, key);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK) {
        *ret_item = sqlite3_column_int64(stmt, 0);
        sqlite3_reset(stmt);
    }
    return status;
}

static enum kns_status put_key(struct kns_store *store, enum key_kind kind, int64_t scope,
                               const char *key, int64_t item_id, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, KEY_PUT);

    if (key == NULL)
        return KNS_OK;
    kns_bind_int(stmt, 1, kind);
    kns_bind_int(stmt, 2, scope);
    kns_bind_text(stmt, 3, key);
    kns_bind_int(stmt, 4, item_id);
    return kns_sql_do(store, stmt, err);
}

/* The item that the entry is, and by which rule; KNS_ENOTFOUND: none yet. The guid first: the same guid in the same feed is the
 * same item, wherever it moved. */
static enum kns_status recognise(struct arrival *a, const struct identity *id, int64_t *ret_item,
                                 enum identity_rule *ret_rule, struct kns_error *err)
{
    int64_t by_url = 0;
    enum kns_status status = find_key(a->store, KEY_GUID, a->feed_id, id->guid, ret_item, err);

    *ret_rule = RULE_GUID;
    if (status == KNS_OK) {
        enum kns_status url =
            id->url == NULL ? KNS_OK : find_key(a->store, KEY_URL, 0, id->url, &by_url, err);
        if (url == KNS_ENOTFOUND)
            *ret_rule = RULE_MOVED;
        return KNS_OK;
    }
    if (status == KNS_ENOTFOUND) {
        *ret_rule = RULE_URL;
        status = find_key(a->store, KEY_URL, 0, id->url, ret_item, err);
    }
    if (status == KNS_ENOTFOUND) {
        *ret_rule = RULE_VARIANT;
        status = find_key(a->store, KEY_VARIANT, 0, id->variant, ret_item, err);
    }
    if (status == KNS_ENOTFOUND) {
        *ret_rule = RULE_HASH;
        status = find_key(a->store, KEY_HASH, a->feed_id, id->hash, ret_item, err);
    }
    return status;
}

static enum kns_status put_keys(struct arrival *a, const struct identity *id, int64_t item_id,
                                struct kns_error *err)
{
    enum kns_status status = put_key(a->store, KEY_URL, 0, id->url, item_id, err);

    if (status == KNS_OK)
        status = put_key(a->store, KEY_VARIANT, 0, id->variant, item_id, err);
    if (status == KNS_OK)
        status = put_key(a->store, KEY_GUID, a->feed_id, id->guid, item_id, err);
    if (status == KNS_OK)
        status = put_key(a->store, KEY_HASH, a->feed_id, id->hash, item_id, err);
    return status;
}

/* ---- what an entry says --------------------------------------------------------------------------------------------- */

static uint64_t add_hash(uint64_t hash, const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xFF) * UINT64_C(0x100000001b3);
}

/* The entry without its content, as JSON; in arena. NULL: no memory. */
static const char *detail_of(struct kns_arena *arena, const struct kns_entry *entry)
{
    json_t *json = kns_jsonfeed_from_entry(entry, false, false);
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    const char *copy = kns_arena_strdup(arena, text);

    free(text);
    json_decref(json);
    return copy;
}

static int64_t hash_of(const struct kns_entry *entry, const char *detail)
{
    uint64_t hash = add_hash(UINT64_C(0xcbf29ce484222325), detail);

    hash = add_hash(hash, entry->content_html);
    hash = add_hash(hash, entry->content_text);
    hash = add_hash(hash, entry->summary_html);
    return (int64_t)hash;
}

static enum kns_status put_content(struct kns_store *store, int64_t item_id,
                                   const struct kns_entry *entry, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, CONTENT_PUT);

    kns_bind_int(stmt, 1, item_id);
    kns_bind_text(stmt, 2, entry->content_html);
    kns_bind_text(stmt, 3, entry->content_text);
    kns_bind_text(stmt, 4, entry->summary_html);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status put_sighting(struct arrival *a, const struct kns_entry *entry,
                                    int64_t item_id, int64_t sort_at, enum identity_rule rule,
                                    int64_t hash, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(a->store, SIGHTING_PUT);

    kns_bind_int(stmt, 1, a->feed_id);
    kns_bind_int(stmt, 2, item_id);
    kns_bind_int(stmt, 3, sort_at);
    kns_bind_int(stmt, 4, a->now.unix_s);
    kns_bind_text(stmt, 5, entry->guid);
    kns_bind_text(stmt, 6, entry->url);
    kns_bind_int(stmt, 7, rule);
    kns_bind_int(stmt, 8, hash);
    enum kns_status status = kns_sql_do(a->store, stmt, err);
    if (status != KNS_OK)
        return status;
    stmt = kns_sql(a->store, FEED_ADD_ITEMS);
    kns_bind_int(stmt, 1, a->feed_id);
    kns_bind_int(stmt, 2, 1);
    return kns_sql_do(a->store, stmt, err);
}

/* ---- what a feed lists ------------------------------------------------------------------------------------------------ */

static int compare_ids(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

    return a < b ? -1 : a > b;
}

static void note_listed(struct kns_store *store, int64_t item_id)
{
    kns_buf_add(&store->listed, &item_id, sizeof(item_id));
}

static enum kns_status set_last_seen(struct kns_store *store, int64_t feed_id, int64_t item_id,
                                     int64_t last, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, SIGHTING_SET_LAST);

    kns_bind_int(stmt, 1, feed_id);
    kns_bind_int(stmt, 2, item_id);
    kns_bind_int(stmt, 3, last);
    return kns_sql_do(store, stmt, err);
}

/* One write for each entry as it leaves the document: that it stays costs none. */
enum kns_status kns_items_note_unlisted(struct kns_store *store, int64_t feed_id,
                                        struct kns_time last, struct kns_error *err)
{
    struct kns_buf gone = {0};
    int64_t *ids = (int64_t *)(void *)store->listed.data;
    size_t n = store->listed.len / sizeof(*ids);
    sqlite3_stmt *stmt = kns_sql(store, SIGHTING_LISTED);
    enum kns_status status;

    if (n > 0)
        qsort(ids, n, sizeof(*ids), compare_ids);
    kns_bind_int(stmt, 1, feed_id);
    while ((status = kns_sql_next(store, stmt, err)) == KNS_OK) {
        int64_t id = sqlite3_column_int64(stmt, 0);
        if (n == 0 || bsearch(&id, ids, n, sizeof(id), compare_ids) == NULL)
            kns_buf_add(&gone, &id, sizeof(id));
    }
    if (status == KNS_ENOTFOUND)
        status = kns_buf_failed(&gone) || kns_buf_failed(&store->listed)
                     ? kns_fail(err, KNS_ENOMEM, "out of memory")
                     : KNS_OK;
    ids = (int64_t *)(void *)gone.data;
    for (size_t i = 0; i < gone.len / sizeof(*ids) && status == KNS_OK; i++)
        status = set_last_seen(store, feed_id, ids[i], last.unix_s, err);
    kns_buf_fini(&gone);
    kns_buf_reset(&store->listed);
    return status;
}

/* ---- arrivals ------------------------------------------------------------------------------------------------------- */

/* Indexes the entry as it will be read again: the index keeps no text, so that removing an item from it takes the
 * very text that was put in. */
static enum kns_status index_text(struct arrival *a, const struct kns_entry *entry,
                                  const char *detail, const char *note, int64_t place,
                                  struct kns_error *err)
{
    struct search_text text;
    json_t *json = json_loads(detail, 0, NULL);
    struct kns_entry *stored = json == NULL ? NULL : kns_jsonfeed_to_entry(a->arena, json, NULL);

    json_decref(json);
    if (stored == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    stored->content_html = entry->content_html;
    stored->content_text = entry->content_text;
    stored->summary_html = entry->summary_html;
    if (!kns_search_text(a->arena, stored, note, &text))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    return kns_search_add(a->store, place, &text, err);
}

/* What the rules make of a new entry; nothing where there are none. */
static enum kns_status judge(struct arrival *a, const struct kns_entry *entry,
                             struct kns_rule_verdict *verdict, struct kns_error *err)
{
    bool any = false;
    enum kns_status status = kns_store_has_rules(a->store, &any, err);
    struct kns_feed *feed = NULL;

    if (status != KNS_OK || !any)
        return status;
    if (a->feed == NULL) {
        status = kns_store_get_feed(a->store, a->document_arena, a->feed_id, false, &feed, err);
        if (status != KNS_OK)
            return status;
        a->feed = feed;
    }
    /* A feed's first document names it before the store does. */
    const char *title = a->feed->user_title != NULL  ? a->feed->user_title
                        : a->document->title != NULL ? a->document->title
                                                     : a->feed->title;
    const struct kns_rule_subject subject = {.feed_id = a->feed_id,
                                             .feed_url = a->feed->url,
                                             .feed_title = title,
                                             .feed_tags = &a->feed->tags,
                                             .entry = entry};
    return kns_store_judge(a->store, a->arena, &subject, a->now, verdict, err);
}

/* By what a dropped entry is known again in its feed. */
static const char *dropped_key(const struct identity *id)
{
    return id->guid != NULL ? id->guid : id->url != NULL ? id->url : id->hash;
}

static enum kns_status put_tags(struct kns_store *store, int64_t item_id,
                                const struct kns_strings *tags, struct kns_error *err)
{
    enum kns_status status = KNS_OK;

    for (const struct kns_string *tag = tags->list.first; tag != NULL && status == KNS_OK;
         tag = tag->next) {
        sqlite3_stmt *stmt = kns_sql(store, ITEM_TAG_INSERT);
        kns_bind_int(stmt, 1, item_id);
        kns_bind_text(stmt, 2, tag->value);
        status = kns_sql_do(store, stmt, err);
    }
    return status;
}

/* A date in the future must not lift an item above the present; none is older than the index has room for. */
static int64_t time_of(struct kns_time said, struct kns_time now)
{
    int64_t at = kns_time_given(said) && said.unix_s < now.unix_s ? said.unix_s : now.unix_s;

    return at < SEARCH_TIME_LEAST ? SEARCH_TIME_LEAST : at;
}

static enum kns_status insert_item(struct arrival *a, const struct kns_entry *entry,
                                   const struct identity *id, const char *detail,
                                   const struct kns_rule_verdict *verdict, struct kns_error *err)
{
    int64_t sort_at =
        time_of(kns_time_given(entry->published) ? entry->published : entry->updated, a->now);
    sqlite3_stmt *stmt = kns_sql(a->store, ITEM_INSERT);

    kns_bind_int(stmt, 1, a->feed_id);
    kns_bind_int(stmt, 2, sort_at);
    kns_bind_int(stmt, 3, a->now.unix_s);
    kns_bind_text(stmt, 4, detail);
    kns_bind_int(stmt, 5, verdict->read);
    kns_bind_int(stmt, 6, verdict->star);
    kns_bind_int(stmt, 7, verdict->score);
    enum kns_status status = kns_sql_do(a->store, stmt, err);
    int64_t item_id = sqlite3_last_insert_rowid(a->store->db);
    if (status == KNS_OK)
        status = put_content(a->store, item_id, entry, err);
    if (status == KNS_OK)
        status = put_keys(a, id, item_id, err);
    if (status == KNS_OK)
        status = put_sighting(a, entry, item_id, sort_at, RULE_NEW, hash_of(entry, detail), err);
    note_listed(a->store, item_id);
    if (status == KNS_OK)
        status = put_tags(a->store, item_id, &verdict->tags, err);
    if (status == KNS_OK)
        status = kns_links_put(a->store, a->arena, item_id, a->feed_id, entry, a->now, err);
    if (status == KNS_OK && id->url != NULL)
        status = kns_links_meet(a->store, a->arena, item_id, id->url, err);
    if (status == KNS_OK)
        status = index_text(a, entry, detail, NULL, kns_search_place(sort_at, item_id), err);
    if (status == KNS_OK)
        status = kns_event_add(a->store, KNS_EVENT_ITEM, "new", item_id, a->feed_id, a->now, err);
    a->result->new_items++;
    a->item_id = item_id;
    a->changed = true;
    return status;
}

/* An entry that nobody knows: unless a rule drops it, now or at an earlier poll, it becomes an item. */
static enum kns_status meet_new(struct arrival *a, const struct kns_entry *entry,
                                const struct identity *id, const char *detail,
                                struct kns_error *err)
{
    struct kns_rule_verdict verdict = {0};
    int64_t none = 0;
    enum kns_status status =
        find_key(a->store, KEY_DROPPED, a->feed_id, dropped_key(id), &none, err);

    if (status == KNS_OK)
        a->result->seen_items++;
    if (status != KNS_ENOTFOUND)
        return status;
    status = judge(a, entry, &verdict, err);
    if (status != KNS_OK)
        return status;
    if (!verdict.drop)
        return insert_item(a, entry, id, detail, &verdict, err);
    a->result->dropped_items++;
    return put_key(a->store, KEY_DROPPED, a->feed_id, dropped_key(id), 0, err);
}

/* The item as it is stored. */
static enum kns_status load_item(struct arrival *a, int64_t item_id, struct kns_item **ret_item,
                                 struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(a->store, ITEM_GET);

    kns_bind_int(stmt, 1, item_id);
    enum kns_status status = kns_sql_next(a->store, stmt, err);
    if (status == KNS_OK)
        status = kns_items_load(a->store, a->arena, stmt, true, ret_item, err);
    sqlite3_reset(stmt);
    return status;
}

/* The feed that an item was first seen in has edited it: it keeps its id, flags and place, and is not new again. */
static enum kns_status edit_item(struct arrival *a, int64_t item_id, const struct kns_entry *entry,
                                 const char *detail, struct kns_error *err)
{
    struct kns_item *old = NULL;
    struct search_text text;
    enum kns_status status = load_item(a, item_id, &old, err);

    if (status == KNS_OK && !kns_search_text(a->arena, &old->entry, old->note, &text))
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK)
        status = kns_search_remove(a->store, kns_items_place(old), &text, err);
    if (status == KNS_OK)
        status = index_text(a, entry, detail, old->note, kns_items_place(old), err);
    if (status == KNS_OK) {
        sqlite3_stmt *stmt = kns_sql(a->store, ITEM_UPDATE);
        kns_bind_int(stmt, 1, item_id);
        kns_bind_int(stmt, 2, a->now.unix_s);
        kns_bind_text(stmt, 3, detail);
        status = kns_sql_do(a->store, stmt, err);
    }
    if (status == KNS_OK)
        status = put_content(a->store, item_id, entry, err);
    if (status == KNS_OK)
        status = kns_links_drop(a->store, a->arena, item_id, err);
    if (status == KNS_OK)
        status = kns_links_put(a->store, a->arena, item_id, a->feed_id, entry, a->now, err);
    if (status == KNS_OK)
        status =
            kns_event_add(a->store, KNS_EVENT_ITEM, "updated", item_id, a->feed_id, a->now, err);
    a->result->updated_items++;
    return status;
}

static enum kns_status item_owner(struct kns_store *store, int64_t item_id, int64_t *ret_feed,
                                  struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, ITEM_OWNER);

    kns_bind_int(stmt, 1, item_id);
    enum kns_status status = kns_sql_next(store, stmt, err);
    if (status == KNS_OK)
        *ret_feed = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return status;
}

static enum kns_status update_sighting(struct arrival *a, const struct kns_entry *entry,
                                       int64_t item_id, int64_t hash, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(a->store, SIGHTING_UPDATE);

    kns_bind_int(stmt, 1, a->feed_id);
    kns_bind_int(stmt, 2, item_id);
    kns_bind_text(stmt, 3, entry->guid);
    kns_bind_text(stmt, 4, entry->url);
    kns_bind_int(stmt, 5, hash);
    return kns_sql_do(a->store, stmt, err);
}

/* A known item in a feed that had not carried it. */
static enum kns_status see_elsewhere(struct arrival *a, const struct kns_entry *entry,
                                     int64_t item_id, enum identity_rule rule, int64_t hash,
                                     struct kns_error *err)
{
    struct kns_item *item = NULL;
    enum kns_status status = load_item(a, item_id, &item, err);

    if (status == KNS_OK)
        status = put_sighting(a, entry, item_id, item->sort_at.unix_s, rule, hash, err);
    if (status != KNS_OK)
        return status;
    sqlite3_stmt *stmt = kns_sql(a->store, ITEM_SET_SOURCES);
    kns_bind_int(stmt, 1, item_id);
    return kns_sql_do(a->store, stmt, err);
}

static enum kns_status meet_again(struct arrival *a, const struct kns_entry *entry,
                                  const struct identity *id, int64_t item_id,
                                  enum identity_rule rule, const char *detail,
                                  struct kns_error *err)
{
    int64_t hash = hash_of(entry, detail), stored = 0, owner = 0, last = 0;
    sqlite3_stmt *stmt = kns_sql(a->store, SIGHTING_GET);

    kns_bind_int(stmt, 1, a->feed_id);
    kns_bind_int(stmt, 2, item_id);
    enum kns_status status = kns_sql_next(a->store, stmt, err);
    bool seen_here = status == KNS_OK;
    if (seen_here) {
        stored = sqlite3_column_int64(stmt, 0);
        last = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    if (seen_here && last != 0) /* it had left the document, and is back */
        status = set_last_seen(a->store, a->feed_id, item_id, 0, err);
    if (status != KNS_OK && status != KNS_ENOTFOUND)
        return status;
    note_listed(a->store, item_id);
    a->result->seen_items++;
    a->item_id = item_id;
    a->changed = !seen_here || stored != hash;
    if (!a->changed)
        return KNS_OK;
    status = put_keys(a, id, item_id, err);
    if (status == KNS_OK)
        status = kns_links_meet(a->store, a->arena, item_id, id->url, err);
    if (status == KNS_OK)
        status = seen_here ? update_sighting(a, entry, item_id, hash, err)
                           : see_elsewhere(a, entry, item_id, rule, hash, err);
    if (status == KNS_OK)
        status = item_owner(a->store, item_id, &owner, err);
    if (status == KNS_OK && seen_here && owner == a->feed_id)
        status = edit_item(a, item_id, entry, detail, err);
    return status;
}

static enum kns_status store_entry(struct arrival *a, const struct kns_entry *entry,
                                   const struct identity *id, struct kns_error *err)
{
    int64_t item_id = 0;
    enum identity_rule rule = RULE_NEW;
    const char *detail = detail_of(a->arena, entry);

    if (detail == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = recognise(a, id, &item_id, &rule, err);
    if (status == KNS_ENOTFOUND)
        return meet_new(a, entry, id, detail, err);
    if (status != KNS_OK)
        return status;
    if (item_id == 0) { /* removed by retention or its reader: it stays away */
        a->result->seen_items++;
        return KNS_OK;
    }
    return meet_again(a, entry, id, item_id, rule, detail, err);
}

enum kns_status kns_items_store_entries(struct kns_store *store, int64_t feed_id,
                                        const struct kns_document *document, struct kns_time now,
                                        const struct kns_entry_hook *hook,
                                        struct kns_poll_result *result, struct kns_error *err)
{
    struct kns_arena *ids_arena = kns_arena_new(0), *arena = kns_arena_new(0);
    struct arrival a = {.store = store,
                        .arena = arena,
                        .document_arena = ids_arena,
                        .document = document,
                        .feed_id = feed_id,
                        .now = now,
                        .result = result};
    enum kns_status status = KNS_OK;
    const struct identity *ids = ids_arena == NULL ? NULL : kns_identity_of(ids_arena, document);

    if (ids == NULL || arena == NULL)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    /* Feeds list the newest first; the oldest gets the smallest id. */
    size_t n = document->entries.count, i = 0;
    const struct kns_entry **order =
        status == KNS_OK ? kns_arena_alloc(ids_arena, (n + 1) * sizeof(*order)) : NULL;
    if (status == KNS_OK && order == NULL)
        status = kns_fail(err, KNS_ENOMEM, "out of memory");
    if (status == KNS_OK) {
        const struct kns_entry *entry;
        KNS_LIST_EACH(entry, &document->entries)
        order[i++] = entry;
    }
    while (status == KNS_OK && i-- > 0) {
        a.item_id = 0;
        status = store_entry(&a, order[i], &ids[i], err);
        if (status == KNS_OK && hook != NULL && a.item_id != 0)
            status = hook->on_entry(hook->ctx, order[i], a.item_id, a.changed, err);
        kns_arena_reset(arena);
    }
    kns_arena_free(arena);
    kns_arena_free(ids_arena);
    return status;
}

/* ---- without a feed ------------------------------------------------------------------------------------------------- */

/* The item of an address: by its canonical form, else by what all spellings share. KNS_ENOTFOUND; *ret_id 0: it was removed. */
static enum kns_status find_by_address(struct kns_store *store, const struct identity *id,
                                       int64_t *ret_id, struct kns_error *err)
{
    enum kns_status status = find_key(store, KEY_URL, 0, id->url, ret_id, err);

    return status == KNS_ENOTFOUND ? find_key(store, KEY_VARIANT, 0, id->variant, ret_id, err)
                                   : status;
}

enum kns_status kns_store_find_item(struct kns_store *store, const char *url, int64_t *ret_id,
                                    struct kns_error *err)
{
    struct kns_arena *arena = kns_arena_new(0);
    struct identity id = {0};
    int64_t found = 0;

    if (arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    id.url = kns_url_canonical(arena, url);
    id.variant = id.url == NULL ? NULL : kns_url_variant_key(arena, url);
    enum kns_status status = find_by_address(store, &id, &found, err);
    kns_arena_free(arena);
    if (status == KNS_ENOTFOUND || (status == KNS_OK && found == 0))
        return kns_fail(err, KNS_ENOTFOUND, "no item has the address %.300s", url);
    if (status == KNS_OK)
        *ret_id = found;
    return status;
}

/* A key that a removed item left behind is the new one's. */
static enum kns_status take_key(struct kns_store *store, enum key_kind kind, const char *key,
                                int64_t item_id, struct kns_error *err)
{
    sqlite3_stmt *stmt = kns_sql(store, KEY_REVIVE);

    if (key == NULL)
        return KNS_OK;
    kns_bind_int(stmt, 1, kind);
    kns_bind_text(stmt, 2, key);
    kns_bind_int(stmt, 3, item_id);
    return kns_sql_do(store, stmt, err);
}

static enum kns_status insert_alone(struct arrival *a, const struct kns_entry *entry,
                                    const struct identity *id, int64_t *ret_id,
                                    struct kns_error *err)
{
    const char *detail = detail_of(a->arena, entry);
    int64_t sort_at = time_of(entry->published, a->now);
    sqlite3_stmt *stmt = kns_sql(a->store, ITEM_INSERT);

    if (detail == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    kns_bind_int(stmt, 1, 0);
    kns_bind_int(stmt, 2, sort_at);
    kns_bind_int(stmt, 3, a->now.unix_s);
    kns_bind_text(stmt, 4, detail);
    kns_bind_int(stmt, 5, 1);
    kns_bind_int(stmt, 6, 0);
    kns_bind_int(stmt, 7, 0);
    enum kns_status status = kns_sql_do(a->store, stmt, err);
    int64_t item_id = sqlite3_last_insert_rowid(a->store->db);
    if (status == KNS_OK)
        status = put_content(a->store, item_id, entry, err);
    if (status == KNS_OK)
        status = take_key(a->store, KEY_URL, id->url, item_id, err);
    if (status == KNS_OK)
        status = take_key(a->store, KEY_VARIANT, id->variant, item_id, err);
    if (status == KNS_OK)
        status = kns_links_meet(a->store, a->arena, item_id, id->url, err);
    stmt = kns_sql(a->store, ITEM_SET_SOURCES);
    kns_bind_int(stmt, 1, item_id);
    if (status == KNS_OK)
        status = kns_sql_do(a->store, stmt, err);
    if (status == KNS_OK)
        status = index_text(a, entry, detail, NULL, kns_search_place(sort_at, item_id), err);
    *ret_id = item_id;
    return status;
}

enum kns_status kns_store_put_item(struct kns_store *store, const struct kns_entry *entry,
                                   const char *note, struct kns_time now, int64_t *ret_id,
                                   struct kns_error *err)
{
    struct kns_poll_result unused = {0};
    struct arrival a = {.store = store, .arena = kns_arena_new(0), .now = now, .result = &unused};
    struct identity id = {0};
    struct kns_item *item = NULL;

    if (a.arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    id.url = entry->url == NULL ? NULL : kns_url_canonical(a.arena, entry->url);
    id.variant = id.url == NULL ? NULL : kns_url_variant_key(a.arena, id.url);
    enum kns_status status = id.url == NULL
                                 ? kns_fail(err, KNS_EINVAL, "an item needs an http or https URL")
                                 : kns_savepoint_begin(store, err);
    if (status != KNS_OK) {
        kns_arena_free(a.arena);
        return status;
    }
    *ret_id = 0;
    status = find_by_address(store, &id, ret_id, err);
    if (status == KNS_ENOTFOUND || (status == KNS_OK && *ret_id == 0))
        status = insert_alone(&a, entry, &id, ret_id, err);
    if (status == KNS_OK && note != NULL)
        status = kns_store_get_item(store, a.arena, *ret_id, &item, err);
    /* A note that its user wrote stays. */
    if (status == KNS_OK && item != NULL && item->note == NULL)
        status = kns_items_set_note(store, a.arena, item, note, err);
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(a.arena);
    return status;
}

static enum kns_status replace_detail(struct arrival *a, const struct kns_item *old,
                                      const struct kns_entry *entry, struct kns_error *err)
{
    const char *detail = detail_of(a->arena, entry);
    struct search_text text;

    if (detail == NULL || !kns_search_text(a->arena, &old->entry, old->note, &text))
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_search_remove(a->store, kns_items_place(old), &text, err);
    if (status == KNS_OK)
        status = index_text(a, entry, detail, old->note, kns_items_place(old), err);
    sqlite3_stmt *stmt = kns_sql(a->store, ITEM_UPDATE);
    kns_bind_int(stmt, 1, old->id);
    kns_bind_int(stmt, 2, a->now.unix_s);
    kns_bind_text(stmt, 3, detail);
    return status == KNS_OK ? kns_sql_do(a->store, stmt, err) : status;
}

enum kns_status kns_store_complete_item(struct kns_store *store, int64_t id,
                                        const struct kns_entry *facts, struct kns_time now,
                                        struct kns_error *err)
{
    struct kns_poll_result unused = {0};
    struct arrival a = {.store = store, .arena = kns_arena_new(0), .now = now, .result = &unused};
    struct kns_item *old = NULL;

    if (a.arena == NULL)
        return kns_fail(err, KNS_ENOMEM, "out of memory");
    enum kns_status status = kns_savepoint_begin(store, err);
    if (status != KNS_OK) {
        kns_arena_free(a.arena);
        return status;
    }
    status = kns_store_get_item(store, a.arena, id, &old, err);
    if (status == KNS_OK) {
        struct kns_entry entry = old->entry;
        bool title = entry.title == NULL && facts->title != NULL,
             summary = entry.summary == NULL && entry.content_html == NULL &&
                       entry.content_text == NULL && facts->summary != NULL,
             image = entry.image == NULL && facts->image != NULL;
        entry.title = title ? facts->title : entry.title;
        entry.summary = summary ? facts->summary : entry.summary;
        entry.image = image ? facts->image : entry.image;
        if (title || summary || image)
            status = replace_detail(&a, old, &entry, err);
    }
    status = kns_savepoint_end(store, status, err);
    kns_arena_free(a.arena);
    return status;
}
