/* file_walk.h: what openat2(2) with RESOLVE_BENEATH does, by openat(2) alone, and what it cannot
 * do: links that leave the root and come back, and links judged by their owner. Called by
 * file_open.c. */
#ifndef CORE_FILE_WALK_H
#define CORE_FILE_WALK_H

#include "core/file_job.h"

/* Opens `path` beneath `root_fd` with the open(2) `flags`; see file_open.h for paths and links.
 * Each segment is opened relative to the descriptor of the one before and no link is ever left to
 * the kernel, so renames meanwhile cannot lead out of the root. The target of each link must lie
 * beneath the root (FILE_SYMLINKS_INSIDE), which is told by descriptors, or belong to the owner of
 * the link (FILE_SYMLINKS_OWNER; nginx: disable_symlinks if_not_owner, Apache:
 * SymLinksIfOwnerMatch). Returns a descriptor, which the caller owns, or openat2's -errno; -EAGAIN:
 * the last segment became a link meanwhile, try again; -ENAMETOOLONG also for more than 256 levels.
 */
int file_walk(int root_fd, const char *path, enum file_symlinks symlinks, int flags);

#endif
