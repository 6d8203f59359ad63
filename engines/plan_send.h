/* plan_send.h: a send plan on a stream socket: the same for a loop and for a blocking engine. */
#ifndef ENGINES_PLAN_SEND_H
#define ENGINES_PLAN_SEND_H

#include "core/send_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Sends what `plan` holds, at most `file_max` (above 0) octets of its file, without blocking; for a
 * file the descriptor has to be O_NONBLOCK, since sendfile(2) has no flag for that. The process
 * ignores SIGPIPE. `*corked` is the connection's (file_range.h). The octets sent, 0 when the file
 * ended before its range did, or -errno; *ret_full (set in any case) tells whether the socket is
 * full, so that room for more will be announced: with -EAGAIN always. */
ssize_t plan_send(int fd, const struct send_plan *plan, size_t file_max, bool *corked,
                  bool *ret_full);

#endif
