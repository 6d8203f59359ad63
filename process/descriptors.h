/* descriptors.h: how many descriptors a configuration needs, and the limit that is raised for them
 * (getrlimit(2), RLIMIT_NOFILE) before the first of them is opened. */
#ifndef PROCESS_DESCRIPTORS_H
#define PROCESS_DESCRIPTORS_H

#include "config/config.h"
#include "engines/engine.h"

#include <stddef.h>
#include <stdint.h>

/* Raises the limit to what roots, logs, addresses, event loops, connections_max and cache_files of
 * `config` need with this engine. 0, and then `*warning` is "" or a sentence: there will be fewer,
 * connections_max and cache_files are lowered to what descriptors_share() says, and serving goes on
 * with that. -EMFILE and a sentence in `warning`: not even the start fits. */
int descriptors_raise(struct config *config, const struct engine_ops *ops, char *warning,
                      size_t warning_size);

/* Lowers connections_max and cache_files of `config` to what fits into `limit` descriptors, which
 * are fewer than it needs: logs, pipes and files in use have theirs, so that connections never take
 * the last one that a file needs. Each event loop is left one connection, whatever the limit. */
void descriptors_share(struct config *config, const struct engine_ops *ops, uint64_t limit);

/* Has the kernel make its table of this process's descriptors as large as serving may need, now,
 * while there is one thread. A table that grows later, in a process with several, waits for an RCU
 * grace period each time (expand_fdtable() of fs/file.c in Linux): accept4(2) stood still for 10 ms
 * at 64 connections, at 128, at 256 and so on. Costs 8 bytes a descriptor, 1 MiB at most; what is
 * refused changes nothing. */
void descriptors_reserve(const struct config *config, const struct engine_ops *ops);

#endif
