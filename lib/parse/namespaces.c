/* The namespaces in force where an element stands. */
#include "lib/parse.h"
#include "lib/parse/builder_internal.h"

#include <stdlib.h>
#include <string.h>

void kns_builder_bind(struct builder *b, const char *prefix, const char *uri)
{
    /* Each name is looked for among all of them. */
    if (b->n_bindings == KNS_PARSE_MAX_NAMESPACES)
        return;
    if (b->n_bindings == b->cap_bindings) {
        size_t cap = b->cap_bindings == 0 ? 32 : b->cap_bindings * 2;
        struct binding *more = realloc(b->bindings, cap * sizeof(*more));
        if (more == NULL) {
            b->failed = true;
            return;
        }
        b->bindings = more;
        b->cap_bindings = cap;
    }
    const char *copy = kns_arena_strdup(b->arena, prefix);
    if (copy == NULL) {
        b->failed = true;
        return;
    }
    b->bindings[b->n_bindings++] =
        (struct binding){copy, strlen(copy), kns_ns_of_uri(uri), kns_ns_is_atom_03(uri)};
}

const struct binding *kns_builder_find_binding(const struct builder *b, const char *prefix,
                                               size_t len)
{
    for (size_t i = b->n_bindings; i > 0; i--) {
        const struct binding *binding = &b->bindings[i - 1];
        if (binding->prefix_len == len && memcmp(binding->prefix, prefix, len) == 0)
            return binding;
    }
    return NULL;
}

enum ns kns_builder_resolve(const struct builder *b, const char *name, bool is_element,
                            const char **ret_local)
{
    const char *colon = strchr(name, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - name);

    *ret_local = colon == NULL ? name : colon + 1;
    if (colon == NULL && !is_element)
        return NS_NONE;
    const struct binding *binding = kns_builder_find_binding(b, name, len);
    if (colon == NULL) {
        enum ns ns = binding == NULL ? NS_NONE : binding->ns;
        /* A default namespace that nobody knows, or none in an Atom feed: the root's vocabulary is meant. */
        return ns == NS_OTHER || ns == NS_NONE ? b->vocabulary : ns;
    }
    if (binding == NULL || (binding->ns == NS_OTHER && kns_ns_of_prefix(name, len) != NS_OTHER))
        return kns_ns_of_prefix(name, len);
    return binding->ns;
}
