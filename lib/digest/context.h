/* context.h - a view as the JSON that templates see; doc of the names: kns.conf(5), template_dir. */
#ifndef KNS_DIGEST_CONTEXT_H
#define KNS_DIGEST_CONTEXT_H

#include "lib/digest/view.h"

#include <jansson.h>

/* title teaser mail kicker date count url language fonts line_height made_with read_on_web nothing
 * sections[{title title_rule html text}] has_rule groups[{title title_rule items[{title url site description image note
 * meta lang heading number text}]}]. `text` is wrapped plain text. A new reference; NULL: no memory. */
json_t *digest_context(const struct digest_view *view);

/* What archive.html takes; a new reference, NULL: no memory. */
json_t *digest_archive_context(struct kns_arena *arena, const struct kns_digest_archive *archive);

#endif
