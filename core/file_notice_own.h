/* file_notice_own.h: what the files of file_notice.h share with each other. */
#ifndef CORE_FILE_NOTICE_OWN_H
#define CORE_FILE_NOTICE_OWN_H

#include "core/file_notice.h"

/* Watches the folder that `fd` (O_PATH) is open on: what becomes of the names in it and, with
 * `contents`, what is written to files there: a log beside a root tells nothing of the way to it.
 * What of *ret_folder tells of the moment before, `all`, is the caller's. 0 or -errno, as
 * file_notice_folder(). Thread-safe. */
int file_notice_watch(struct file_notice *notice, int fd, bool contents,
                      struct file_notice_folder *ret_folder);

/* The counter of a name in the folder of that watch; the empty name is the folder itself. Pure. */
uint16_t file_notice_counter(int watch, const char *name);

#endif
