/* handover.h: how the connections of a worker reach its successor: idle plain ones, by SCM_RIGHTS
 * (unix(7)) over a SOCK_SEQPACKET pair, in messages of up to HANDOVER_MAX.
 *
 * Exactly one process reads a connection. The receiver acknowledges a message before it reads an
 * octet from what came in it, and says which connections it has taken; until then all of them are
 * the sender's, and those that were not taken stay so. A sender that gives up waiting shuts its end
 * down first: an acknowledgement lies in its queue by then, or can be sent no more, and then the
 * receiver lets go of what it has received.
 *
 * The memory of a struct handover is shared by the processes that were forked after it was made:
 * whoever starts the successor says where its addresses are; threads and children send by turns. */
#ifndef ENGINES_HANDOVER_H
#define ENGINES_HANDOVER_H

#include "config/config.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HANDOVER_MAX = 64,         /* connections of a message; SCM_MAX_FD is 253 */
    HANDOVER_ACK_MS = 1000,    /* a successor that has not answered by then is given up */
    HANDOVER_RETRY_MS = 20,    /* connections that were not taken are offered again after it, */
    HANDOVER_REFUSALS_MAX = 5, /* so many times */
    HANDOVER_QUIET_MS = 2000,  /* who retires and has nothing left waits for predecessors that have
                                  handed something over within it; not for those that serve what
                                  cannot move: they find out, and keep what becomes idle */
    HANDOVER_SPARE = 16,       /* descriptors that the receiver keeps free: what would take the
                                  last of them is refused */
    HANDOVER_ADDRESSES_MAX = 4096 /* of a configuration that are told apart */
};

struct handover;

/* A connection on its way. */
struct handover_conn {
    int fd;
    struct session_moved state; /* `listen` is one of the process's own configuration */
};

/* Makes one for a worker whose configuration has `addresses` of them, before the worker is forked;
 * all are gone (handover_map()) until something else is said. *ret_inbox is the other end: for the
 * engine_config.inboxes of the successor. Both ends are close-on-exec. An end that is kept anywhere
 * else keeps either side from seeing that the other has died, so: the worker (and all that is
 * forked meanwhile) closes *ret_inbox; who forks it gives up the sending end
 * (handover_close_end()), and closes *ret_inbox once the successor has it, before the order to
 * retire. 0, or -errno. The caller owns both. */
int handover_create(size_t addresses, struct handover **ret_handover, int *ret_inbox);

/* Closes this process's sending end; the map stays. */
void handover_close_end(struct handover *h);

/* The descriptor of the shared memory, by which another program of this process comes to it
 * (handover_adopt()); -1: there is none. It stays the handover's. */
int handover_memory(const struct handover *h);

/* In a worker: closes that descriptor; the memory stays. NULL is allowed. */
void handover_forget_memory(struct handover *h);

/* That which another program of this process has made, of a worker that lives: for handover_map()
 * alone. Takes `memory`, also on failure. 0; -EPROTO: that program is of another version, or it is
 * no such memory; or another -errno. The caller owns it. */
int handover_adopt(int memory, struct handover **ret_handover);

/* Closes all ends, and frees. NULL is allowed. */
void handover_destroy(struct handover *h);

/* Address `from` of the sender's configuration (config.listens) is `to` in the successor's; -1: it
 * has none like it. Before the order to retire; other processes see it. */
void handover_map(struct handover *h, size_t from, int to);

/* Could a connection accepted on `listen` of `config` go there? False: its address is gone. */
bool handover_has_address(const struct handover *h, const struct config *config,
                          const struct listen_config *listen);

/* Hands `count` connections (1 to HANDOVER_MAX) over, whose addresses are not gone. Nothing else in
 * this process or the kernel may be about to read them: no epoll set, ring or signal. Waits until
 * the successor has acknowledged them; bit i of *ret_taken says that connection i is the
 * successor's: the caller closes its descriptor. The others stay the caller's, and can be offered
 * again. 0; or -errno, and none is taken: there is no successor, or it does not answer, and every
 * further call says so at once. Thread-safe, and across fork(2). */
int handover_send(struct handover *h, const struct config *config,
                  const struct handover_conn *conns, unsigned count, uint64_t *ret_taken);

/* Takes the next message of a predecessor from `inbox`, without waiting, of its connections at most
 * `room` (0: refuses all), and acknowledges it. Their number, in `ret_conns`, which has room for
 * HANDOVER_MAX; `state.listen` is one of `config`, and no octet has been read. The caller owns the
 * descriptors: O_NONBLOCK if `nonblocking`, and else none of the status flags, close-on-exec.
 * -EAGAIN: no message waits; -EPIPE: none will come any more; another -errno: none can be received
 * now. */
int handover_receive(int inbox, const struct config *config, unsigned room, bool nonblocking,
                     struct handover_conn *ret_conns);

#endif
