/* config_roots.h: the document roots of a configuration, opened while the process may, and given up
 * when its user changes. */
#ifndef CONFIG_CONFIG_ROOTS_H
#define CONFIG_CONFIG_ROOTS_H

#include "config/config.h"

#include <stddef.h>

/* Opens every root (O_PATH|O_DIRECTORY|O_CLOEXEC). 0, or -errno and a sentence; those opened so far
 * are closed by config_free(). */
int config_roots_open(struct config *config, char *why, size_t why_size);

/* Closes them, where this process serves nobody: a folder that is held keeps its file system busy.
 */
void config_roots_close(struct config *config);

/* After privileges were dropped: closes the descriptors of those roots that this process can look
 * up again by itself, and warns in the error log of the others, of those that it cannot enter, and
 * of locations with `symlinks = any`. `user`: whose name the warnings give, or NULL. Before any
 * thread is started. */
void config_roots_hand_over(struct config *config, const char *user);

#endif
