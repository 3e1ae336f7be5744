/* template.h - `list --format`: "{id}\t{title}\n" with an item's members. */
#ifndef KNSCTL_TEMPLATE_H
#define KNSCTL_TEMPLATE_H

#include "lib/arena.h"

#include <jansson.h>

/* The first name in braces that is none of those below, or NULL; what holds anything but small letters and _ is no name. In the arena. */
const char *kns_template_unknown(struct kns_arena *arena, const char *template);

/* Prints an item by a template: {id} {title} {url} {date} {feed} {summary} {author} {tags}, \t \n \\ and \{; a line end is added. An unknown
 * name stays as it is. */
void kns_template_print(struct kns_arena *arena, const char *template, const json_t *item);

#endif
