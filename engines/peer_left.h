/* peer_left.h: has the client left for whom a long job is about to go on? */
#ifndef ENGINES_PEER_LEFT_H
#define ENGINES_PEER_LEFT_H

#include <stdbool.h>

struct file_job;

/* Is `job`, which is not in flight, a slice of a long one (file_job_is_slice()) that nobody waits
 * for any more? The peer of the connected socket `fd` has left when the socket says so (poll(2):
 * POLLERR or POLLHUP): it was reset, or has ended in both directions. A peer that has only ended
 * its own side still reads. It is to be reported by session_peer_left(), in place of executing the
 * job. Asked of slices alone, of which one takes a millisecond, and this 0.3 us: any number of them
 * is executed before a send would find out. */
bool peer_left_slice(int fd, const struct file_job *job);

#endif
