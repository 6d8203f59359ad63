/* listen_set.h: the listening sockets of a supervisor, which live longer than a configuration: what
 * two generations both listen on is one socket, so that no connection is refused, and none in its
 * queue is lost, when one takes over from the other.
 *
 * Who holds the set removes the files of unix sockets. */
#ifndef PROCESS_LISTEN_SET_H
#define PROCESS_LISTEN_SET_H

#include "config/config.h"
#include "core/list.h"
#include "core/socket_file.h"
#include "engines/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listen_set {
    struct list sockets; /* struct listen_socket */
};

void listen_set_init(struct listen_set *set);

/* The listeners of `config`: those of the set where an address is the same (kind, host, port, and
 * what cannot be changed any more), with the backlog and congestion control that are asked for now;
 * new ones elsewhere. `each` (above 0): of each address that is no unix socket there are to be so
 * many at least, which share what comes (SO_REUSEPORT). Those that are new have to be begun
 * (listener_begin()). One may overlap with what an earlier configuration has at the same port, as
 * 0.0.0.0 does with 127.0.0.1 (listener_open_over()). Those that the set has are all taken, also
 * beyond `each`: in their queues there may be clients. 0 and *ret_count listeners, one of each
 * address in the order of config->listens first, the caller's until listen_set_put(); or -errno and
 * one sentence, and the set is as it was. */
int listen_set_take(struct listen_set *set, const struct config *config, unsigned each, char *why,
                    size_t why_size, struct listener **ret_listeners, size_t *ret_count);

/* Gives them back: a socket that nobody else has taken is closed, and its file removed. NULL is
 * allowed. */
void listen_set_put(struct listen_set *set, struct listener *listeners, size_t count);

/* --- for another binary that is executed in this process --- */

/* A socket of the set, and what it was asked to be (struct listen_config). */
struct listen_passed {
    int fd;
    enum listen_kind kind;
    const char *host;
    uint16_t port;
    bool ipv6_only, deferred;
    int beside;                     /* index of the one beside which it was opened; -1: it is one */
    const char *inherited;          /* NULL: the server has made it */
    const struct socket_file *file; /* NULL: none */
};

/* Socket `index`, borrowed from the set. False: behind the last. */
bool listen_set_at(const struct listen_set *set, size_t index, struct listen_passed *ret);

/* Adds one that a predecessor has left; nobody has taken it yet. Takes the descriptor and the
 * folder of the file. 0 or -ENOMEM, and nothing is taken. */
int listen_set_adopt(struct listen_set *set, const struct listen_passed *passed);

/* Closes the sockets that nobody has taken. */
void listen_set_close_rest(struct listen_set *set);

/* Closes all sockets, and removes the files of unix sockets, before they are given back: whoever
 * connects from now on is refused, unless another process still has them. Nothing is taken any
 * more. */
void listen_set_close(struct listen_set *set);

/* Ends listening at all sockets that the server has made, for all who have them: the next server
 * can have the addresses. */
void listen_set_end(struct listen_set *set);

/* In the process that serves: the set is emptied, and the `count` listeners, which came from it,
 * are the caller's (listeners_close()): with the files of unix sockets, or, in a worker, the
 * descriptors alone. Sockets of the set that are not among them are closed here, their files left
 * alone. */
void listen_set_give(struct listen_set *set, struct listener *listeners, size_t count,
                     bool with_files);

#endif
