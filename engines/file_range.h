/* file_range.h: what engines that send ranges of files by sendfile(2) have in common. */
#ifndef ENGINES_FILE_RANGE_H
#define ENGINES_FILE_RANGE_H

#include "core/send_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Is the octet at `off` in the page cache? Also true where the kernel cannot tell (preadv2(2),
 * RWF_NOWAIT). About 0.5 us. */
bool file_range_cached(int file_fd, off_t off);

/* Before a sendfile(2) of at most `len` octets of the plan's range: when that is not all of it, the
 * segment at the end of the piece is left open for the next one (TCP_CORK, tcp(7)), until
 * file_range_uncork(). `*corked` keeps whether that is so. */
void file_range_cork(int socket_fd, const struct send_plan *plan, size_t len, bool *corked);

/* The range is complete: its last segment leaves. */
void file_range_uncork(int socket_fd, bool *corked);

#endif
