/* jsonfeed_load.h - text as JSON, also where it is not quite. Private to lib/parse. Any thread. */
#ifndef KNS_PARSE_JSONFEED_LOAD_H
#define KNS_PARSE_JSONFEED_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What was wrong with a text. */
struct kns_json_flaws {
    bool mended; /* flaws that cost nothing but what they touch */
    bool cut;    /* it ends too early, or is broken behind whole items: only these were read */
    json_error_t where; /* the first flaw, when there is any; else text is "" */
};

/* The JSON that a text is, or is meant to be; the caller's to json_decref(). NULL: none, and ret_flaws->where says why. */
json_t *kns_json_load(const char *utf8, size_t size, struct kns_json_flaws *ret_flaws);

#endif
