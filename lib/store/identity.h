/* identity.h - law 2: when two entries are one article. Pure: knows no database. Private to lib/store. */
#ifndef KNS_STORE_IDENTITY_H
#define KNS_STORE_IDENTITY_H

#include "lib/document.h"

/* By what an entry is known; also the kinds of item_key. */
enum key_kind {
    KEY_URL = 1,
    KEY_GUID = 2,
    KEY_HASH = 3,
    KEY_VARIANT = 4,
    KEY_DROPPED = 5, /* in one feed: a rule dropped the entry; no other feed's is touched by that */
};

/* By which rule a sighting was joined to its item. */
enum identity_rule {
    RULE_NEW = 0,
    RULE_GUID = 1,
    RULE_URL = 2,
    RULE_HASH = 3,
    RULE_MOVED = 4,
    RULE_VARIANT = 5,
    RULE_SPLIT = 6,
};

/* The keys of one entry; NULL: it has none of that kind. */
struct identity {
    const char *url; /* canonical; NULL too where it does not tell the document's entries apart */
    const char *variant; /* of the URL: asked when the URL itself is unknown; NULL as the URL */
    const char *guid;    /* NULL too where it does not tell them apart */
    const char *hash;    /* of title and date; only where there is neither */
};

/* The identities of a document's entries, in their order, in arena; NULL: no memory. */
struct identity *kns_identity_of(struct kns_arena *arena, const struct kns_document *document);

const char *kns_rule_name(enum identity_rule rule);
const char *kns_rule_text(enum identity_rule rule);

#endif
