/* descriptors.h: how many descriptors a configuration needs, and the limit that is raised for them
 * (getrlimit(2), RLIMIT_NOFILE) before the first of them is opened. */
#ifndef ENGINES_DESCRIPTORS_H
#define ENGINES_DESCRIPTORS_H

#include "core/config.h"
#include "engines/engine.h"

#include <stddef.h>

/* Raises the limit to what roots, logs, addresses, event loops, connections_max and cache_files of
 * `config` need with this engine. 0, and then `*warning` is "" or a sentence: fewer connections and
 * files than were asked for find room, and serving goes on with what there is. -EMFILE and a
 * sentence in `warning`: not even the start fits. */
int descriptors_raise(const struct config *config, const struct engine_ops *ops, char *warning,
                      size_t warning_size);

#endif
