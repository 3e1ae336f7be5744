/* jsonfeed.h - JSON Feed 1.1, out and in. KNS speaks it everywhere: `knsctl parse`, the API, digests, the store.
 * The shapes are those of kns-api(7): JSON Feed's own members, and `_kns` for the rest. Absent means left out, never null.
 */
#ifndef KNS_JSONFEED_H
#define KNS_JSONFEED_H

#include "lib/document.h"
#include "lib/error.h"

#include <jansson.h>

/* A document as a JSON Feed; a new reference, the caller's to json_decref(). NULL: no memory.
 * sanitize: HTML goes through the sanitiser. */
json_t *kns_jsonfeed_from_document(const struct kns_document *document, bool sanitize);

/* An entry as a JSON Feed item. with_content: content_html, content_text and summary_html are included. */
json_t *kns_jsonfeed_from_entry(const struct kns_entry *entry, bool with_content, bool sanitize);

/* A JSON Feed item (ours or any) as an entry in arena; NULL: no memory, or json is no object. The inverse of
 * kns_jsonfeed_from_entry. base may be NULL. */
struct kns_entry *kns_jsonfeed_to_entry(struct kns_arena *arena, const json_t *item,
                                        const char *base);

/* Fills document (empty before, but for encoding) from the bytes of a JSON Feed. KNS_ENOTFEED when it is JSON but no feed. */
enum kns_status kns_jsonfeed_read(struct kns_document *document, const char *utf8, size_t size,
                                  const char *base, struct kns_error *err);

#endif
