/* file_node.h: what is kept of a file, among others: found by its name in a table (file_table.h),
 * put in an order by how it is used (file_shelf.h), and looked at by a sweep when nobody has asked
 * for it (file_watch.h). Lies in what is kept: a thread's entry (file_cache.h), or what all threads
 * know (shared_files.h). */
#ifndef HTTP_FILE_NODE_H
#define HTTP_FILE_NODE_H

#include "core/file_job.h"
#include "core/list.h"
#include "core/span.h"

#include <stdbool.h>
#include <stdint.h>

/* What a file is asked for by. */
struct file_name {
    uint32_t hash; /* of root_id and path; strangers cannot foresee it */
    enum file_symlinks symlinks;
    uint64_t root_id; /* of no other directory, ever */
    struct span path; /* relative to the root; empty: the root itself */
};

struct file_node {
    struct file_name name; /* whose path is kept by whoever keeps the node */
    struct file_node *hash_next;
    struct list order; /* in a queue of its shelf: */
    bool proven;       /* the long one */
    uint8_t uses;      /* found since then, up to FILE_SHELF_USES_MAX */
    uint64_t used_ms;  /* when it was asked for last */
    uint64_t check_ms; /* when the sweep looks at it next: the order of file_watch.queue */
    struct list watch;
};

/* A node in no table, on no shelf and not watched. `path` is lent for as long as it exists. */
static inline void file_node_init(struct file_node *node, const struct file_name *name,
                                  const char *path)
{
    node->name = *name;
    node->name.path.ptr = path;
    list_init(&node->order);
    list_init(&node->watch);
}

static inline bool file_name_same(const struct file_name *a, const struct file_name *b)
{
    return a->root_id == b->root_id && a->symlinks == b->symlinks && span_eq(a->path, b->path);
}

#endif
