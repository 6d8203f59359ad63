/* session_limits.c: divides limits. */
#include "config/session_limits.h"

#include "config/config.h"
#include "core/check.h"

struct session_limits session_limits_of(const struct config *config)
{
    return (struct session_limits){
        .connections_max = config->connections_max,
        .cache_files_max = config->cache_files_max,
        .cache_bytes_max = config->cache_bytes_max,
        .compress_bytes_max = config->compress_bytes_max,
        .verifications_max = config->auth_verifications_max,
        .has_logs = true,
    };
}

static uint64_t part_of(uint64_t limit, unsigned count)
{
    return limit / count + (limit % count != 0);
}

struct session_limits session_limits_share(const struct session_limits *whole, unsigned index,
                                           unsigned count)
{
    CHECK(index < count);
    struct session_limits share = *whole;
    share.connections_max =
        whole->connections_max / count + (index < whole->connections_max % count);
    share.cache_files_max = (uint32_t)part_of(whole->cache_files_max, count);
    share.cache_bytes_max = part_of(whole->cache_bytes_max, count);
    share.compress_bytes_max = part_of(whole->compress_bytes_max, count);
    share.verifications_max = (uint32_t)part_of(whole->verifications_max, count);
    return share;
}
