/* file_send.h: ranges of files to sockets, also where the kernel's ways for that are refused.
 *
 * sendfile(2) and splice(2) may be forbidden to the process (seccomp(2): EPERM or ENOSYS), or not
 * be had from a file system (EINVAL). What was found out is remembered, for the process or for the
 * file system, and told once in the error log; the next way takes over: sendfile for splice,
 * reading and sending for sendfile. */
#ifndef ENGINES_FILE_SEND_H
#define ENGINES_FILE_SEND_H

#include "core/send_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum file_send_way { FILE_SEND_SENDFILE, FILE_SEND_SPLICE, FILE_SEND_WAYS };

/* Is the way known not to work for this file? One load, unless some file system has refused it;
 * then an fstat(2) as well. Thread-safe. */
bool file_send_refused(enum file_send_way way, int file_fd);

/* `error` (positive) came of the way with this file: true when it is the way that is refused, so
 * that the next one is to be taken; remembered and told. Thread-safe. */
bool file_send_refuse(enum file_send_way way, int file_fd, int error);

/* Sends the first octets of the plan's file range, at most `len` (> 0), without blocking for the
 * socket: by sendfile(2), or a piece of 64 KiB by reading. The octets sent, 0 when the file has
 * ended, or -errno; `*ret_full` (set in any case) tells whether the socket is full, so that an edge
 * will come: with -EAGAIN always. */
ssize_t file_send(int socket_fd, const struct send_plan *plan, size_t len, bool *ret_full);

#endif
