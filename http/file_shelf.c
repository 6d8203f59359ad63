/* file_shelf.c: see file_shelf.h. */
#include "http/file_shelf.h"

#include "core/check.h"

#include <errno.h>
#include <stdlib.h>

enum {
    FRESH_SHARE = 10, /* the short queue holds a tenth, as in the paper */
    GONE_MOST = 1 << 18
};

int file_shelf_init(struct file_shelf *shelf, size_t count_max)
{
    size_t gone = 1;

    while (gone < count_max && gone < GONE_MOST)
        gone *= 2;
    *shelf = (struct file_shelf){ .count_max = count_max, .gone_mask = gone - 1 };
    list_init(&shelf->fresh);
    list_init(&shelf->proven);
    shelf->gone = calloc(gone, sizeof(shelf->gone[0]));
    return shelf->gone != NULL ? 0 : -ENOMEM;
}

void file_shelf_free(struct file_shelf *shelf)
{
    CHECK(shelf->count == 0);
    free(shelf->gone);
    shelf->gone = NULL;
}

/* A hash as `gone` has it: 0 says that there is none. */
static uint32_t mark_of(const struct file_node *node)
{
    return node->name.hash != 0 ? node->name.hash : 1;
}

static uint32_t *place_of(struct file_shelf *shelf, const struct file_node *node)
{
    return &shelf->gone[node->name.hash & shelf->gone_mask];
}

static void push(struct file_shelf *shelf, struct file_node *node, bool proven)
{
    node->proven = proven;
    list_push_front(proven ? &shelf->proven : &shelf->fresh, &node->order);
    shelf->fresh_count += !proven;
    shelf->count++;
}

void file_shelf_add(struct file_shelf *shelf, struct file_node *node)
{
    bool returns = *place_of(shelf, node) == mark_of(node);

    if (returns)
        *place_of(shelf, node) = 0;
    node->uses = 0;
    push(shelf, node, returns);
}

void file_shelf_remove(struct file_shelf *shelf, struct file_node *node)
{
    list_remove(&node->order);
    shelf->fresh_count -= !node->proven;
    shelf->count--;
}

static struct file_node *last_of(const struct list *queue)
{
    return container_of(queue->prev, struct file_node, order);
}

struct file_node *file_shelf_oldest(const struct file_shelf *shelf)
{
    bool from_fresh = shelf->fresh_count * FRESH_SHARE > shelf->count || list_empty(&shelf->proven);

    CHECK(shelf->count > 0);
    return last_of(from_fresh ? &shelf->fresh : &shelf->proven);
}

struct file_node *file_shelf_evict(struct file_shelf *shelf)
{
    struct file_node *node = file_shelf_oldest(shelf);

    for (int i = 0; i < FILE_SHELF_CHANCES_MAX && node->uses > 0; i++) {
        bool was_proven = node->proven;

        file_shelf_remove(shelf, node);
        node->uses = was_proven ? (uint8_t)(node->uses - 1) : 0;
        push(shelf, node, true);
        node = file_shelf_oldest(shelf);
    }
    if (!node->proven)
        *place_of(shelf, node) = mark_of(node);
    return node;
}

struct file_node *file_shelf_next(const struct file_shelf *shelf, const struct file_node *node)
{
    const struct list *at = node != NULL ? node->order.prev : shelf->fresh.prev;

    if (at == &shelf->fresh)
        at = shelf->proven.prev;
    return at == &shelf->proven ? NULL : container_of(at, struct file_node, order);
}
