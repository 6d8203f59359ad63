/* demultiplexer_busy.c: no demultiplexer: whoever is waited for is said to be ready, each in turn,
 * and the system call on the socket finds out (non-blocking polling). It never sleeps: a whole CPU,
 * whether anything happens or not, and a receive in vain for each connection in each round. */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"
#include "core/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct busy_entry {
    struct list waiting; /* in busy_set.waiting, if it is waited for */
    struct loop_source *source;
    uint32_t events;
};

struct busy_set {
    struct demultiplexer base;
    struct descriptor_table entries;
    struct list waiting;
};

static struct busy_set *set_of(struct demultiplexer *d)
{
    return container_of(d, struct busy_set, base);
}

static int busy_set_probe(size_t sources, char *why, size_t why_size)
{
    (void)sources, (void)why, (void)why_size;
    return 0;
}

static int busy_set_open(size_t sources, char *why, size_t why_size,
                         struct demultiplexer **ret_demultiplexer)
{
    (void)sources;
    struct busy_set *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    set->base.ops = &demultiplexer_busy;
    list_init(&set->waiting);
    *ret_demultiplexer = &set->base;
    return 0;
}

static void busy_set_want(struct demultiplexer *d, struct loop_source *source, uint32_t events)
{
    struct busy_set *set = set_of(d);
    struct busy_entry *entry = descriptor_table_get(&set->entries, source->fd);
    CHECK(entry != NULL);
    entry->events = events;
    if (list_empty(&entry->waiting))
        list_push_back(&set->waiting, &entry->waiting);
}

static int busy_set_add(struct demultiplexer *d, struct loop_source *source,
                        enum demultiplexer_role role)
{
    struct busy_set *set = set_of(d);
    struct busy_entry *entry = malloc(sizeof(*entry));
    if (entry == NULL || descriptor_table_set(&set->entries, source->fd, entry) < 0) {
        free(entry);
        return -ENOMEM;
    }
    *entry = (struct busy_entry){ .source = source };
    list_init(&entry->waiting);
    if (role != DEMULTIPLEXER_CONNECTION) /* which says what it waits for */
        busy_set_want(d, source, DEMULTIPLEXER_READ);
    return 0;
}

static void busy_set_remove(struct demultiplexer *d, struct loop_source *source, bool closes)
{
    (void)closes;
    struct busy_set *set = set_of(d);
    struct busy_entry *entry = descriptor_table_get(&set->entries, source->fd);
    CHECK(entry != NULL);
    list_remove(&entry->waiting);
    free(entry);
    MUST(descriptor_table_set(&set->entries, source->fd, NULL) == 0);
}

static int busy_set_wait(struct demultiplexer *d, int timeout_ms,
                         struct demultiplexer_event *events, int max)
{
    (void)timeout_ms;
    struct busy_set *set = set_of(d);
    int n = 0;
    for (; n < max && !list_empty(&set->waiting); n++) {
        struct busy_entry *entry = container_of(set->waiting.next, struct busy_entry, waiting);
        list_remove(&entry->waiting);
        events[n] = (struct demultiplexer_event){ entry->source, entry->events };
    }
    return n;
}

static void busy_set_close(struct demultiplexer *d)
{
    struct busy_set *set = set_of(d);
    for (size_t fd = 0; fd < set->entries.size; fd++)
        free(set->entries.entries[fd]);
    descriptor_table_free(&set->entries);
    free(set);
}

const struct demultiplexer_ops demultiplexer_busy = {
    .name = "busy",
    .call = "none",
    .probe = busy_set_probe,
    .open = busy_set_open,
    .add = busy_set_add,
    .want = busy_set_want,
    .remove = busy_set_remove,
    .wait = busy_set_wait,
    .close = busy_set_close,
};
