/* wake_fd.h: the eventfd(2) by which other threads and signal handlers wake an engine's thread. */
#ifndef ENGINES_WAKE_FD_H
#define ENGINES_WAKE_FD_H

#include <stddef.h>

/* An eventfd(2), close-on-exec, with `flags` besides (EFD_NONBLOCK). The descriptor, which the
 * caller owns, or -errno. */
int wake_fd_open(int flags);

/* The sentence for an `error` (negative) of wake_fd_open(): that it is eventfd(2) which was
 * refused, and what to do. */
void wake_fd_explain(int error, char *why, size_t why_size);

/* Wakes whoever waits for `fd`. Async-signal-safe, and leaves errno alone, which belongs to whoever
 * a signal handler interrupts. A full counter (EAGAIN) wakes as well. */
void wake_fd_wake(int fd);

/* Reads the counter of `fd`, which does not block, so that it can tell again. What the wake-up was
 * about lies elsewhere, and is to be looked at afterwards. */
void wake_fd_clear(int fd);

#endif
