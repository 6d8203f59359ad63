/* dir_pack.h: the names of a directory, packed: some 20 octets beside each name, and an order that
 * is made step by step, so that a million names neither take much memory nor hold anybody up. */
#ifndef CORE_DIR_PACK_H
#define CORE_DIR_PACK_H

#include "core/file_job.h"

struct dir_pack;

/* An empty one that the caller owns, or NULL: memory is short. */
struct dir_pack *dir_pack_create(void);

/* NULL is allowed. */
void dir_pack_free(struct dir_pack *pack);

/* Adds a copy of `item` (its name: 1 to 255 octets, as NAME_MAX has it). Only before it is sorted.
 * 0, -ENOMEM, or -EFBIG: 4 GiB are full. */
int dir_pack_add(struct dir_pack *pack, const struct dir_item *item);

size_t dir_pack_count(const struct dir_pack *pack);

/* The item at `index` (below the count), in the order of adding until it is sorted. Its name is
 * lent: it stays where it is as long as the pack does. */
struct dir_item dir_pack_get(const struct dir_pack *pack, size_t index);

/* Does some `steps` (above 0; at least one block of 256 names) of the work of sorting as `wish`
 * says, which must be the same each time. 1: there is more to do; 0: it is sorted; -ENOMEM. */
int dir_pack_sort(struct dir_pack *pack, const struct dir_wish *wish, size_t steps);

/* Octets of memory that it holds. */
size_t dir_pack_size(const struct dir_pack *pack);

#endif
