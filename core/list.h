/* list.h: intrusive doubly linked circular list.
 *
 * A list head is a node that links to itself; an element that is in no list links to itself too, so
 * list_remove() may be called twice. No ownership: whoever embeds the node owns the object. */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include <stdbool.h>

struct list {
    struct list *prev, *next;
};

/* Makes `node` an empty list, or an element in no list. */
static inline void list_init(struct list *node)
{
    node->prev = node->next = node;
}

/* Is this list empty (or this element in no list)? */
static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/* Puts `node`, which is in no list, in front of `at`; with a list's head as `at`: at its end. */
static inline void list_insert_before(struct list *at, struct list *node)
{
    node->prev = at->prev;
    node->next = at;
    at->prev->next = node;
    at->prev = node;
}

/* Puts `node` at the end of the list `head`. */
static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_before(head, node);
}

/* Puts `node` at the start of the list `head`. */
static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_before(head->next, node);
}

/* Takes `node` out of its list; it is in no list afterwards. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* Moves all elements of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice_back(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#endif
