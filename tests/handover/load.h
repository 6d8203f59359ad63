/* load.h: clients of a server whose workers change: a process of its own that keeps connections,
 * asks again and again on most of them, and counts what no client should see. */
#ifndef TESTS_HANDOVER_LOAD_H
#define TESTS_HANDOVER_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { LOAD_ADDRESSES_MAX = 2 };

/* How many there are. */
struct load_plan {
    unsigned active; /* kept connections on which is asked, with pauses */
    unsigned idle;   /* kept connections; half of them have asked once */
    unsigned fresh;  /* a second: connect, ask, close */
    uint16_t port;
    bool secure; /* with TLS, where connections do not move: `closed_idle` and `told` are no faults
                  */
};

/* Shared memory; the client process writes it. */
struct load_counts {
    atomic_uint answered;    /* whole and right answers */
    atomic_uint lost;        /* requests without an answer: the connection ended instead */
    atomic_uint refused;     /* connections, or handshakes of TLS, that were not made */
    atomic_uint reset;       /* ECONNRESET at any time */
    atomic_uint cut;         /* answers that ended early */
    atomic_uint closed_idle; /* connections that ended without a request, and were not told to */
    atomic_uint told;        /* answers with `Connection: close` */
    atomic_uint wrong;       /* other answers than 200 with the file */
    atomic_uint asked_idle;  /* idle connections that were asked on at the end, and answered */
    atomic_bool ready;       /* all connections are made */
    atomic_bool ends;        /* set by the test: nothing new; who is idle asks once; then exit */
};

struct load {
    pid_t pid;
    struct load_counts *counts;
};

/* Starts it, and waits until all connections are made. */
void load_start(struct load *load, const struct load_plan *plan);

/* Prints what it has counted until now, in one line, after `what`. */
void load_tell(const struct load *load, const struct load_plan *plan, const char *what);

/* Has it end, waits, and prints what it has counted, after `what`. The number of those things that
 * should not be (all but `answered` and `asked_idle`), and of idle connections without an answer.
 */
unsigned load_end(struct load *load, const struct load_plan *plan, const char *what);

/* A connection to 127.0.0.1:`port`; ends the test if there is none. */
int load_connect(uint16_t port);

/* In a process that was forked: closes what load_connect() has made, of which it has copies. */
void load_close_copies(void);

/* Sends all of `text`. */
void load_send(int fd, const char *text);

/* Receives one answer: its status; 0: the connection has ended, -1: none within 10 s. Copies the
 * head into `ret_head` (1024 bytes); *ret_length: of the body, which is read if `reads`. */
int load_answer(int fd, int reads, char *ret_head, size_t *ret_length);

#endif
