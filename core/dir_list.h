/* dir_list.h: the names in a directory beneath a root, with size, date and kind, sorted. What a
 * FILE_JOB_LIST does; called by file_job.c, blocking. */
#ifndef CORE_DIR_LIST_H
#define CORE_DIR_LIST_H

#include "core/file_job.h"

/* Lists as struct dir_listing in file_job.h says. 0 and a listing that the caller owns
 * (dir_listing_free()), or -errno: -EFBIG for more than `items_max` names (dotfiles that are not
 * asked for do not count, names that are left out for other reasons do), -ENOMEM, those of
 * file_open_directory(), or readdir(3)'s. */
int dir_list(int root_fd, const char *path, enum file_symlinks symlinks, bool dotfiles,
             size_t items_max, struct dir_listing **ret_listing);

#endif
