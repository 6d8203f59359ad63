/* dir_list.h: the names in a directory beneath a root, with size, date and kind, sorted. What a
 * FILE_JOB_LIST does; called by file_job.c, blocking. */
#ifndef CORE_DIR_LIST_H
#define CORE_DIR_LIST_H

#include "core/file_job.h"

struct dir_reader;

/* Begins to list as struct dir_listing in file_job.h says. 0 and a reader that the caller owns
 * (dir_reader_free()), or -errno: -ENOMEM, or those of file_open_directory(). `root_fd`,
 * `path` and what `wish` names are borrowed until it is freed. */
int dir_reader_open(int root_fd, const char *path, enum file_symlinks symlinks, bool dotfiles,
                    size_t items_max, const struct dir_wish *wish, struct dir_reader **ret_reader);

/* Looks at up to `names_max` (above 0) more names, or sorts for about as long once all are there. 1:
 * there is more to do; 0: that was all, and
 * `*ret_listing` is the caller's (dir_listing_free()); or -errno: -EFBIG for more than `items_max`
 * names (dotfiles that are not asked for, and what is excluded, do not count, names that are left
 * out for other reasons do), -ENOMEM, readdir(3)'s, or what kept a name from being looked at: a
 * listing without it would look complete. */
int dir_reader_run(struct dir_reader *reader, size_t names_max, struct dir_listing **ret_listing);

/* Octets of memory that it has taken for what it found. */
size_t dir_reader_size(const struct dir_reader *reader);

/* NULL is allowed. */
void dir_reader_free(struct dir_reader *reader);

#endif
