/* progress.h: how much of what was sent the peer has taken, as its kernel or ours can tell: the
 * same for every engine, which asks when a deadline of a session has passed, and never before. */
#ifndef ENGINES_PROGRESS_H
#define ENGINES_PROGRESS_H

#include "core/progress.h"

struct session;

/* For session_expired(): what the peer of `fd` has taken; `s` is its session.
 *   TCP: what it has acknowledged (tcp(7), TCP_INFO: tcpi_bytes_acked, since Linux 4.1); and what
 * it offers is its window, if nothing is on its way (tcpi_snd_wnd, since 5.4). Our kernel may leave
 *   that alone for seconds where it is less than a segment, which over loopback is 64 KiB.
 *   Unix: what was sent, less what lies in its queue (ioctl SIOCOUTQ, netdevice(7)). It leaves that
 *   in pieces of up to 64 KiB, each when it is read to its end, with what the kernel needs for it.
 *   Where neither can be had: what was sent. */
struct progress progress_of(int fd, const struct session *s);

#endif
