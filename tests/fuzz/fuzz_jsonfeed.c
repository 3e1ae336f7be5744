/* A JSON Feed read, written and read again says the same: its items, and the feed itself. */
#include "lib/jsonfeed.h"
#include "lib/parse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An item that had no guid of its own has its id for one afterwards. */
static void drop_implied_guids(const json_t *feed)
{
    size_t index;
    json_t *item;

    json_array_foreach(json_object_get(feed, "items"), index, item)
    {
        json_t *kns = json_object_get(item, "_kns");
        if (kns != NULL && json_equal(json_object_get(kns, "guid"), json_object_get(item, "id")))
            json_object_del(kns, "guid");
        if (kns != NULL && json_object_size(kns) == 0)
            json_object_del(item, "_kns");
    }
}

/* What is said of this very document: its encoding, its flaws. */
static const char *const of_the_document[] = {"format", "encoding", "malformed", "warnings"};

/* The feed as we write it. */
static json_t *read_and_write(const char *bytes, size_t size)
{
    static const struct kns_parse_options options = {.content_type = "application/feed+json",
                                                     .max_bytes = 1u << 20};
    struct kns_document *document = NULL;

    if (kns_parse(&options, bytes, size, &document, NULL) != KNS_OK)
        return NULL;
    json_t *json = kns_jsonfeed_from_document(document, false);
    if (json == NULL)
        abort();
    kns_document_free(document);
    return json;
}

static void drop_what_may_differ(json_t *feed)
{
    json_t *kns = json_object_get(feed, "_kns");

    for (size_t i = 0; i < sizeof(of_the_document) / sizeof(of_the_document[0]); i++)
        json_object_del(kns, of_the_document[i]);
    drop_implied_guids(feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *first = read_and_write((const char *)data, size);

    if (first == NULL)
        return 0;
    char *text = json_dumps(first, JSON_COMPACT);
    if (text == NULL)
        abort();
    json_t *second = read_and_write(text, strlen(text));
    if (second == NULL)
        abort();
    drop_what_may_differ(first);
    drop_what_may_differ(second);
    if (!json_equal(first, second))
        abort();
    json_decref(first);
    json_decref(second);
    free(text);
    return 0;
}
