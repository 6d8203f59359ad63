/* session_limits.h: how much one session environment may hold: all that the configuration allows,
 * or the share of one thread. */
#ifndef CONFIG_SESSION_LIMITS_H
#define CONFIG_SESSION_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct shared_files;

struct session_limits {
    uint32_t connections_max;
    uint32_t cache_files_max;    /* descriptors of kept files */
    uint64_t cache_bytes_max;    /* octets of small files kept in memory */
    struct shared_files *files;  /* what all threads know of files, borrowed; NULL: it is one */
    uint64_t compress_bytes_max; /* octets that `compress` has made, kept in memory */
    uint32_t verifications_max;  /* passwords that are looked at at a time */
    bool has_logs; /* access logs are opened; false for an engine that never runs (`gearshift -t`),
                      since to open them would be to create them */
    bool logs_inline; /* whoever serves writes them himself, and no thread of their own does: for a
                         process that serves one connection */
};

/* All of what `config` allows, with access logs. */
struct session_limits session_limits_of(const struct config *config);

/* The share of thread `index` of `count` (above 0). Of connections there are together as many as
 * `whole` allows, not one more; of what is kept each share is rounded up, so that every thread may
 * keep something if anybody may. */
struct session_limits session_limits_share(const struct session_limits *whole, unsigned index,
                                           unsigned count);

#endif
