/* pid_file.h: the file that tells the process's number, from the start to the end of serving. */
#ifndef CORE_PID_FILE_H
#define CORE_PID_FILE_H

#include "core/place.h"

#include <stddef.h>
#include <sys/types.h>

struct pid_file {
    int fd;             /* owned; -1: there is none */
    struct place place; /* owned where fd is */
};

/* Writes this process's number and a newline to `path` (0644; made, or an old one overwritten; a
 * link, and what else root refuses in the folder of others, is refused: safe_open.h). `owner` will
 * serve in the end. 0 and a file for pid_file_remove(), or -errno and a sentence. */
int pid_file_create(const char *path, uid_t owner, char *why, size_t why_size,
                    struct pid_file *ret_file);

/* Could pid_file_create() succeed? 0, or -errno and a sentence. Leaves nothing behind. */
int pid_file_check(const char *path, uid_t owner, char *why, size_t why_size);

/* Removes the name where it is still this file's, and closes. Where the folder no longer lets us,
 * having dropped root, the file is emptied through its descriptor: an empty one names no process.
 * Does nothing where there is none. */
void pid_file_remove(struct pid_file *file);

#endif
