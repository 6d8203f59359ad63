/* session_fault.h: lines in the error log about what a session's reports say of the machine: a disk
 * that fails, descriptors or memory that have run out. Private to session*.c.
 *
 * What a client may cause (a file that is not there, a connection that it resets) is no fault.
 * Lines are limited in number (log_repeat.h). */
#ifndef SESSION_SESSION_FAULT_H
#define SESSION_SESSION_FAULT_H

#include "core/file_job.h"

#include <sys/types.h>

/* A finished job. */
void session_fault_job(const struct file_job *job);

/* A send, with a range of the file `file_fd` (-1: memory alone), whose result was `res` (octets, 0,
 * or -errno). */
void session_fault_sent(int file_fd, ssize_t res);

/* A receive, or another call on the connection's socket: `what`, a literal ("cannot receive from a
 * client"), whose result was `res`. */
void session_fault_socket(const char *what, ssize_t res);

#endif
