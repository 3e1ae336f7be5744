#include "lib/json.h"

void kns_json_set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && *text != '\0')
        json_object_set_new(object, name, json_string(text));
}

void kns_json_set_time(json_t *object, const char *name, struct kns_time time)
{
    char text[KNS_TIME_TEXT];

    if (kns_time_given(time))
        kns_json_set_text(object, name, kns_time_format(time, text));
}
