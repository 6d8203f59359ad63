/* file_watch.c: see file_watch.h. */
#include "http/file_watch.h"

#include "core/check.h"

enum {
    CHECK_MS = 10000, /* looked at so often, or when it may be inactive, */
    STEP_MS = 1000,   /* at whole multiples of this, so that an idle server sleeps in between */
};

void file_watch_init(struct file_watch *watch, uint32_t inactive_ms)
{
    list_init(&watch->queue);
    watch->inactive_ms = inactive_ms;
    watch->check_ms = inactive_ms < CHECK_MS ? inactive_ms : CHECK_MS;
}

void file_watch_add(struct file_watch *watch, struct file_node *node, uint64_t now_ms)
{
    list_remove(&node->watch);
    node->check_ms = (now_ms / STEP_MS + 1) * STEP_MS + watch->check_ms;
    list_push_back(&watch->queue, &node->watch);
}

struct file_node *file_watch_any(const struct file_watch *watch)
{
    return list_empty(&watch->queue) ? NULL
                                     : container_of(watch->queue.next, struct file_node, watch);
}

struct file_node *file_watch_due(const struct file_watch *watch, uint64_t now_ms)
{
    struct file_node *node = file_watch_any(watch);

    return node != NULL && now_ms >= node->check_ms ? node : NULL;
}

uint64_t file_watch_next_ms(const struct file_watch *watch)
{
    const struct file_node *node = file_watch_any(watch);

    return node != NULL ? node->check_ms : UINT64_MAX;
}
