/* demultiplexer.c: lists the demultiplexers, and keeps what they file by descriptor. */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RETRY_MS = 10 };

static const struct demultiplexer_ops *const tables[] = {
    [DEMULTIPLEXER_EPOLL] = &demultiplexer_epoll,   [DEMULTIPLEXER_POLL] = &demultiplexer_poll,
    [DEMULTIPLEXER_SELECT] = &demultiplexer_select, [DEMULTIPLEXER_SIGIO] = &demultiplexer_sigio,
    [DEMULTIPLEXER_AIO] = &demultiplexer_aio,       [DEMULTIPLEXER_BUSY] = &demultiplexer_busy,
};

const struct demultiplexer_ops *demultiplexer_of(enum demultiplexer_kind kind)
{
    CHECK((size_t)kind < ARRAY_LEN(tables));
    return tables[kind];
}

int demultiplexer_failed(int error)
{
    if (error != ENOMEM)
        return -error;
    const struct timespec pause = { .tv_nsec = RETRY_MS * 1000000l };
    nanosleep(&pause, NULL);
    return 0;
}

int descriptor_table_set(struct descriptor_table *table, int fd, void *entry)
{
    CHECK(fd >= 0);
    size_t index = (size_t)fd;
    if (index >= table->size) {
        if (entry == NULL)
            return 0;
        size_t size = table->size > 0 ? table->size : 64;
        while (size <= index)
            size *= 2;
        void **entries = realloc(table->entries, size * sizeof(entries[0]));
        if (entries == NULL)
            return -ENOMEM;
        memset(entries + table->size, 0, (size - table->size) * sizeof(entries[0]));
        table->entries = entries;
        table->size = size;
    }
    table->entries[index] = entry;
    return 0;
}

void descriptor_table_free(struct descriptor_table *table)
{
    free(table->entries);
    *table = (struct descriptor_table){ 0 };
}
