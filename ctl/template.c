#include "ctl/template.h"

#include "ctl/out.h"

#include <stdio.h>
#include <string.h>

static const char *text_at(const json_t *item, const char *key)
{
    const char *text = json_string_value(json_object_get(item, key));

    return text == NULL ? "" : text;
}

static const char *first_of(const json_t *item, const char *list, const char *key)
{
    return text_at(json_array_get(json_object_get(item, list), 0), key);
}

static const char *tags_of(struct kns_arena *arena, const json_t *item)
{
    const char *all = "";
    size_t index;
    json_t *tag;

    json_array_foreach(json_object_get(item, "tags"), index, tag)
    {
        const char *longer =
            kns_arena_printf(arena, "%s%s%s", all, index > 0 ? "," : "", json_string_value(tag));
        all = longer == NULL ? all : longer;
    }
    return all;
}

/* NULL: no such name. */
static const char *value_of(struct kns_arena *arena, const json_t *item, const char *name)
{
    static const char *const plain[] = {"id",       "title", "url",          "summary",
                                        "language", "image", "content_html", "content_text"};
    const json_t *kns = json_object_get(item, "_kns");

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strcmp(name, plain[i]) == 0)
            return text_at(item, name);
    if (strcmp(name, "date") == 0)
        return *text_at(item, "date_published") != '\0' ? text_at(item, "date_published")
                                                        : text_at(kns, "first_seen");
    if (strcmp(name, "feed") == 0)
        return first_of(kns, "feeds", "title");
    if (strcmp(name, "author") == 0)
        return first_of(item, "authors", "name");
    return strcmp(name, "tags") == 0 ? tags_of(arena, item) : NULL;
}

const char *kns_template_unknown(struct kns_arena *arena, const char *template)
{
    for (const char *at = template; *at != '\0'; at++) {
        size_t size = *at == '{' ? strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_") : 0;
        at += *at == '\\' && at[1] != '\0';
        if (size == 0 || at[1 + size] != '}')
            continue;
        const char *name = kns_arena_copy(arena, at + 1, size);
        if (name != NULL && value_of(arena, NULL, name) == NULL)
            return name;
    }
    return NULL;
}

static const char *print_escape(const char *at)
{
    static const char names[] = "nt\\{", values[] = "\n\t\\{";
    const char *name = at[1] == '\0' ? NULL : strchr(names, at[1]);

    if (name == NULL) {
        putchar('\\');
        return at + 1;
    }
    putchar(values[name - names]);
    return at + 2;
}

void kns_template_print(struct kns_arena *arena, const char *template, const json_t *item)
{
    while (*template != '\0') {
        const char *close = *template == '{' ? strchr(template, '}') : NULL;
        char *name = close == NULL
                         ? NULL
                         : kns_arena_copy(arena, template + 1, (size_t)(close - template - 1));
        const char *value = name == NULL ? NULL : value_of(arena, item, name);
        if (value != NULL) {
            fputs(kns_out_safe(arena, value), stdout);
            template = close + 1;
        } else if (*template == '\\') {
            template = print_escape(template);
        } else {
            putchar(*template ++);
        }
    }
    putchar('\n');
}
