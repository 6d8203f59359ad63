/* pid_file.h: the file that tells the process's number, from the start to the end of serving. It is
 * locked as long, so that a second server with the same file is refused and changes nothing of it;
 * only a server that drains lets a successor have it. */
#ifndef PROCESS_PID_FILE_H
#define PROCESS_PID_FILE_H

#include "core/place.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pid_file {
    int fd;                            /* owned; -1: there is none */
    struct place place;                /* owned where fd is */
    volatile sig_atomic_t handed_over; /* a successor may have taken it */
};

/* Locks `path` (0644; made, or an old one overwritten; a link, and what else root refuses in the
 * folder of others, is refused: safe_open.h) and writes this process's number and a newline to it.
 * `owner` will serve in the end. Waits up to a second for a predecessor that is ending. Where the
 * file system has no locks, a line in the error log says so, and the file is used without. 0 and a
 * file for pid_file_remove(); -EBUSY and a sentence where another server has it, which is left as
 * it is; or -errno and a sentence. */
int pid_file_create(const char *path, uid_t owner, char *why, size_t why_size,
                    struct pid_file *ret_file);

/* Could pid_file_create() succeed? 0, or -errno and a sentence. Leaves nothing behind. */
int pid_file_check(const char *path, uid_t owner, char *why, size_t why_size);

/* Lets go of the lock: this server drains, and a successor may start meanwhile and have the file.
 * What it says stays until then. Async-signal-safe. Does nothing where there is none. */
void pid_file_hand_over(struct pid_file *file);

/* Removes the name where it is still this file's, and closes. Where the folder no longer lets us,
 * having dropped root, the file is emptied through its descriptor: an empty one names no process.
 * What a successor has taken over, or anybody has written another number to, is left as it is. Does
 * nothing where there is none. */
void pid_file_remove(struct pid_file *file);

#endif
