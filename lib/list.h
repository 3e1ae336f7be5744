/* list.h - a singly linked list that remembers its end and length. All zero is the empty list.
 * Nodes carry their own `next` and belong to the arena of whatever holds the list. */
#ifndef KNS_LIST_H
#define KNS_LIST_H

#include <stddef.h>

#define KNS_LIST(type)                                                                             \
    struct {                                                                                       \
        struct type *first;                                                                        \
        struct type *last;                                                                         \
        size_t count;                                                                              \
    }

#define KNS_LIST_APPEND(list, node)                                                                \
    do {                                                                                           \
        (node)->next = NULL;                                                                       \
        if ((list)->last != NULL)                                                                  \
            (list)->last->next = (node);                                                           \
        else                                                                                       \
            (list)->first = (node);                                                                \
        (list)->last = (node);                                                                     \
        (list)->count++;                                                                           \
    } while (0)

#define KNS_LIST_EACH(var, list) for (var = (list)->first; var != NULL; var = var->next)

/* A list of strings. */
struct kns_string {
    const char *value;
    struct kns_string *next;
};
struct kns_strings {
    KNS_LIST(kns_string) list;
};

#endif
