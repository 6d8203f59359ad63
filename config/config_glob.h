/* config_glob.h: the files that a pattern of an include statement leads to. */
#ifndef CONFIG_CONFIG_GLOB_H
#define CONFIG_CONFIG_GLOB_H

#include <stddef.h>

/* The paths that match the absolute `pattern` (glob(7): *, ? and [...], a backslash before what is
 * to be taken as it is), in the order of strcmp(3): 0 and malloc(3)ed text that the caller owns, of
 * *ret_len octets, each path with a NUL behind it; none, where nothing matches. -ENOMEM, or the
 * -errno of a folder that is there and cannot be read. */
int config_glob(const char *pattern, char **ret_paths, size_t *ret_len);

#endif
