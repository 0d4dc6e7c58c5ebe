/*
 * A doubly linked list whose links stand inside the objects: no allocation, removal in constant time.
 * A list is a ring through its head; a link that is on no list points at itself.
 */
#ifndef BRIDGE_BASE_LIST_H
#define BRIDGE_BASE_LIST_H

#include "bridge/base/memory.h"

#include <stdbool.h>

struct list {
    struct list *next;
    struct list *previous;
};

/* For a head as well as for a link. */
static inline void list_init(struct list *list)
{
    list->next = list;
    list->previous = list;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_append(struct list *head, struct list *link)
{
    link->previous = head->previous;
    link->next = head;
    head->previous->next = link;
    head->previous = link;
}

/* Allowed on a link that is on no list. */
static inline void list_remove(struct list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_init(link);
}

/* Moves all links of `from` to the end of `to`. */
static inline void list_take_all(struct list *to, struct list *from)
{
    if (list_is_empty(from)) {
        return;
    }
    from->next->previous = to->previous;
    from->previous->next = to;
    to->previous->next = from->next;
    to->previous = from->previous;
    list_init(from);
}

/*
 * The first link, taken off the list; NULL when it is empty. A loop over it stands whatever its body does to the list.
 */
static inline struct list *list_take_first(struct list *head)
{
    struct list *link = head->next;
    if (link == head) {
        return NULL;
    }
    list_remove(link);
    return link;
}

/* The body may remove `link` and nothing else from the list. */
#define LIST_FOR_EACH(link, head)                                                     \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head); \
         link = link##_next, link##_next = link->next)

#endif
