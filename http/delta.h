/* delta.h: what the fields of a delta need to know of it (core/delta.h). The step of the search
 * that finds one: delta.c, search.h. */
#ifndef HTTP_DELTA_H
#define HTTP_DELTA_H

#include "http/file_cache.h"

/* Sixteen bits that tell the dictionary of the delta of `entry` from another one, for its tag: two
 * deltas of a file may have one size and one mtime. */
uint16_t http_delta_recipe(const struct file_entry *entry);

#endif
