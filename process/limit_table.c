/* limit_table.c: see limit_table.h. */
#include "process/limit_table.h"

#include "core/conn_table.h"
#include "core/rate_table.h"

/* Of the configuration that was made last. One before it keeps its own, which is never unmapped:
 * its workers may still be replaced, should this one not come to serve. */
static struct {
    struct rate_table *table;
    uint32_t clients;
    struct conn_table *connections;
    uint32_t connections_max;
} last;

static int give_clients(struct config *config)
{
    if (config->limit_connections == 0)
        return 0;
    if (last.connections == NULL || last.connections_max != config->connections_max) {
        struct conn_table *table;
        int res = conn_table_create(config->connections_max, &table);
        if (res < 0)
            return res;
        last.connections = table;
        last.connections_max = config->connections_max;
    }
    config->clients = last.connections;
    return 0;
}

int limit_table_give(struct config *config)
{
    int res = give_clients(config);
    if (res < 0 || !config->limits_any)
        return res;
    if (last.table == NULL || last.clients != config->limit_clients) {
        struct rate_table *table;
        res = rate_table_create(config->limit_clients, &table);
        if (res < 0)
            return res;
        last.table = table;
        last.clients = config->limit_clients;
    }
    config->rates = last.table;
    return 0;
}

void limit_table_forget(int process)
{
    if (last.connections != NULL)
        conn_table_forget(last.connections, process);
}
