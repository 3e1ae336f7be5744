/* json.h - members of JSON objects by the rule of KNS's shapes: what has nothing to say is left out, not null. Any thread. */
#ifndef KNS_JSON_H
#define KNS_JSON_H

#include "lib/time.h"

#include <jansson.h>

/* Sets a member where there is a text (neither NULL nor ""). */
void kns_json_set_text(json_t *object, const char *name, const char *text);

/* Sets a member, as RFC 3339, where the time is given. */
void kns_json_set_time(json_t *object, const char *name, struct kns_time time);

#endif
