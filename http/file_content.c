/* file_content.c: see file_content.h. */
#include "http/file_content.h"

#include "core/check.h"
#include "core/stats.h"

#include <stdlib.h>

struct file_content *file_content_make(char *octets, uint64_t size, _Atomic uint64_t *kept)
{
    struct file_content *content = malloc(sizeof(*content));

    if (content == NULL)
        return NULL;
    atomic_init(&content->refs, 1);
    atomic_init(&content->keepers, 0);
    content->size = size;
    content->kept = kept;
    content->octets = octets;
    return content;
}

struct file_content *file_content_ref(struct file_content *content)
{
    atomic_fetch_add_explicit(&content->refs, 1, memory_order_relaxed);
    return content;
}

void file_content_unref(struct file_content *content)
{
    if (content == NULL)
        return;
    uint32_t before = atomic_fetch_sub_explicit(&content->refs, 1, memory_order_acq_rel);
    CHECK(before > 0);
    if (before > 1)
        return;
    CHECK(content->keepers == 0);
    free(content->octets);
    free(content);
}

void file_content_keep(struct file_content *content)
{
    if (content == NULL ||
        atomic_fetch_add_explicit(&content->keepers, 1, memory_order_relaxed) > 0)
        return;
    atomic_fetch_add_explicit(content->kept, content->size, memory_order_relaxed);
    stats_change(STATS_CACHE_MEMORY, (int64_t)(content->size + sizeof(*content)));
}

void file_content_drop(struct file_content *content)
{
    if (content == NULL ||
        atomic_fetch_sub_explicit(&content->keepers, 1, memory_order_relaxed) > 1)
        return;
    atomic_fetch_sub_explicit(content->kept, content->size, memory_order_relaxed);
    stats_change(STATS_CACHE_MEMORY, -(int64_t)(content->size + sizeof(*content)));
}
