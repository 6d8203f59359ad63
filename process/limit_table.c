/* limit_table.c: see limit_table.h. */
#include "process/limit_table.h"

#include "core/rate_table.h"

/* Of the configuration that was made last. One before it keeps its own, which is never unmapped:
 * its workers may still be replaced, should this one not come to serve. */
static struct {
    struct rate_table *table;
    uint32_t clients;
} last;

int limit_table_give(struct config *config)
{
    if (!config->limits_any)
        return 0;
    if (last.table == NULL || last.clients != config->limit_clients) {
        struct rate_table *table;
        int res = rate_table_create(config->limit_clients, &table);
        if (res < 0)
            return res;
        last.table = table;
        last.clients = config->limit_clients;
    }
    config->rates = last.table;
    return 0;
}
