/* templates.h - the Mustache files of config/templates, built into the library; a directory may replace them. */
#ifndef KNS_DIGEST_TEMPLATES_H
#define KNS_DIGEST_TEMPLATES_H

#include "lib/mustache.h"

/* One built-in file. The table ends with a name of NULL; the build generates it. */
struct digest_template {
    const char *name; /* "digest.html": the file's name without ".mustache" */
    const char *text;
};
extern const struct digest_template digest_templates[];

/* Renders the template name with context into out. dir may be NULL. Errors as kns_digest_render's. */
enum kns_status digest_template_render(const char *dir, const char *name, const json_t *context,
                                       enum kns_mustache_escape escape, struct kns_buf *out,
                                       struct kns_error *err);

#endif
