/* listen.h: makes the listening sockets of a configuration. Called by main before privileges are
 * dropped. */
#ifndef ENGINES_LISTEN_H
#define ENGINES_LISTEN_H

#include "config/config.h"
#include "engines/engine.h"

#include <stddef.h>

/* Opens one address, or takes the socket that was passed for it (core/inherited.h; its file, if it is
 * a unix socket, is not ours): SO_REUSEADDR, TCP_NODELAY (inherited by what is accepted), TCP_CONGESTION
 * where asked, backlog, IPV6_V6ONLY, non-blocking, close-on-exec. A unix socket's stale file (nobody
 * answers on it) is removed first; the new one has mode 0666 from the first moment
 * (core/socket_file.h): its folder decides who may connect, and a site is for everybody. Called
 * while there is one thread. 0 and a listener that the caller owns (listener_close()), or -errno and
 * one sentence (address, what is wrong, what to do: EADDRINUSE, EACCES below
 * ip_unprivileged_port_start, EADDRNOTAVAIL, unknown congestion control). */
int listener_open(const struct listen_config *config, char *why, size_t why_size,
                  struct listener *ret_listener);

/* Gives an open one, which has the address of `config`, the backlog and the congestion control that
 * it asks for now (what was accepted keeps its own). 0, or -errno and one sentence. */
int listener_adjust(const struct listener *listener, const struct listen_config *config, char *why,
                    size_t why_size);

/* Lets go of a unix socket's file, which stays: another process removes it. */
void listener_forget_file(struct listener *listener);

/* Could listener_open() succeed for every address, as far as that shows without taking an address: families that
 * this kernel has, congestion controls, names and folders of unix sockets? For `gearshift -t`,
 * which must not disturb a server that runs. 0, or -errno and one sentence. */
int listeners_check(const struct config *config, char *why, size_t why_size);

/* Opens a further socket on the address of `first`, with the same options: the kernel distributes
 * new connections among those that listen (SO_REUSEPORT, set on `first` here: not before, since the
 * first bind(2) is to find out whether another server has the address). It is bound, and gets none
 * before listener_begin(): until somebody is known to accept them. 0 and a listener that the caller
 * owns (listener_close()), or -errno and one sentence; -EOPNOTSUPP for a unix socket. */
int listener_open_beside(const struct listener *first, char *why, size_t why_size,
                         struct listener *ret_listener);

/* Lets listener_open_over() open an address that overlaps with this one: another one of this machine
 * and all of them, at the same port. Other processes of the same user may do so as well from then
 * on. Does nothing for a unix socket. */
void listener_let_over(const struct listener *listener);

/* Opens an address that overlaps with those for which listener_let_over() was called. Else as
 * listener_open_beside(). */
int listener_open_over(const struct listen_config *config, char *why, size_t why_size,
                       struct listener *ret_listener);

/* From now on it listens, if it has not before. 0, or -errno and one sentence. */
int listener_begin(const struct listener *listener, char *why, size_t why_size);

/* Closes one, and removes the file of a unix socket: new connections are refused from now on. Of
 * several holders of a socket, the last one does so. Does nothing when it is closed already (fd
 * -1). */
void listener_close(struct listener *listener);

/* Closes one, of which a successor holds the socket, too: it goes on listening, and the file of a
 * unix socket stays. */
void listener_leave(struct listener *listener);

/* Closes and frees; removes the files of unix sockets where the process may. NULL is allowed. */
void listeners_close(struct listener *listeners, size_t count);

/* The port a listener is bound to (for `--port 0`), host order; 0 for a unix socket. */
unsigned listener_port(const struct listener *listener);

#endif
