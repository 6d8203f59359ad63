/* pid_file.h: the file that tells the process's number, from the start to the end of serving. */
#ifndef CORE_PID_FILE_H
#define CORE_PID_FILE_H

#include <stddef.h>

/* Writes this process's number and a newline to `path` (0644; created, or an old one overwritten;
 * a symbolic link is refused). The descriptor, for pid_file_remove(), or -errno and a sentence. */
int pid_file_create(const char *path, char *why, size_t why_size);

/* Could pid_file_create() succeed? 0, or -errno and a sentence. Leaves nothing behind. */
int pid_file_check(const char *path, char *why, size_t why_size);

/* Removes the file. Where the folder no longer lets us, having dropped root, the file is emptied
 * through its descriptor: an empty one names no process. Closes `fd`. */
void pid_file_remove(const char *path, int fd);

#endif
