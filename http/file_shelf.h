/* file_shelf.h: what is kept of which file goes first: S3-FIFO (Yang, Zhang, Qiu, Yue and
 * Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023).
 *
 * What is new stands in a short queue, and goes out of it soon unless somebody asks for it again;
 * what has proved itself stands in the long one. So somebody who asks for each file once, a crawler
 * or a backup, pushes out what came with him. What went out of the short queue, and is asked for
 * again before as many others went, comes into the long one at once: of those the hash alone is
 * kept. A hit counts up to three, and moves nothing. */
#ifndef HTTP_FILE_SHELF_H
#define HTTP_FILE_SHELF_H

#include "core/list.h"
#include "http/file_node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FILE_SHELF_USES_MAX = 3,
    /* Entries that one eviction may put elsewhere before it takes one, used or not: it bounds the
     * time of a single store. */
    FILE_SHELF_CHANCES_MAX = 32,
};

struct file_shelf {
    struct list fresh, proven; /* the next to go last */
    size_t fresh_count;
    size_t count, count_max; /* of both */
    uint32_t *gone;          /* by hash: of entries that went out of `fresh`; 0: none */
    size_t gone_mask;
};

/* 0 or -ENOMEM. With count_max 0 nothing may be put on it. */
int file_shelf_init(struct file_shelf *shelf, size_t count_max);

void file_shelf_free(struct file_shelf *shelf);

void file_shelf_add(struct file_shelf *shelf, struct file_node *node);

/* The entry was asked for. */
static inline void file_shelf_use(struct file_node *node)
{
    if (node->uses < FILE_SHELF_USES_MAX)
        node->uses++;
}

void file_shelf_remove(struct file_shelf *shelf, struct file_node *node);

/* The entry that is to go now; its hash is remembered if it has not proved itself. The shelf is not
 * empty. */
struct file_node *file_shelf_evict(struct file_shelf *shelf);

/* The entry that would go next if none had been used; the shelf is not empty. */
struct file_node *file_shelf_oldest(const struct file_shelf *shelf);

/* The entry that is to go after `node` (NULL: the first), in the order of the queues; NULL: there
 * is none. */
struct file_node *file_shelf_next(const struct file_shelf *shelf, const struct file_node *node);

#endif
