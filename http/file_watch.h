/* file_watch.h: when what is kept of files is looked at again, though nobody asks for it: every ten
 * seconds, or as soon as nobody may have used it for long enough. A queue, since that is the same
 * while for all. */
#ifndef HTTP_FILE_WATCH_H
#define HTTP_FILE_WATCH_H

#include "core/list.h"
#include "http/file_node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file_watch {
    struct list queue; /* the one that is looked at next first */
    uint32_t inactive_ms;
    uint32_t check_ms; /* from one look at a node to the next */
};

/* Nodes that nobody has used for inactive_ms (at least a second) are to go. */
void file_watch_init(struct file_watch *watch, uint32_t inactive_ms);

/* The node is looked at a while from now; it may be watched already. */
void file_watch_add(struct file_watch *watch, struct file_node *node, uint64_t now_ms);

static inline void file_watch_remove(struct file_node *node)
{
    list_remove(&node->watch);
}

/* The node that is to be looked at now; NULL: none is. */
struct file_node *file_watch_due(const struct file_watch *watch, uint64_t now_ms);

/* Any node; NULL: none is watched. */
struct file_node *file_watch_any(const struct file_watch *watch);

/* When the next is to be looked at; UINT64_MAX: none is watched. */
uint64_t file_watch_next_ms(const struct file_watch *watch);

/* Has nobody used the node for so long that it is to go? */
static inline bool file_watch_is_inactive(const struct file_watch *watch,
                                          const struct file_node *node, uint64_t now_ms)
{
    return now_ms >= node->used_ms + watch->inactive_ms;
}

#endif
