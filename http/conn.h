/* conn.h: an HTTP/1.1 connection as a state machine: octets and finished jobs in, octets to send
 * out. No I/O (RFC 9112).
 *
 * Keep-alive, pipelining, bodies read and discarded, 100-continue, refusals with a lingering close,
 * deadlines. The session drives it; the members are private to conn.c and to what stands here. */
#ifndef HTTP_CONN_H
#define HTTP_CONN_H

#include "core/peer.h"
#include "core/progress.h"
#include "core/send_plan.h"
#include "http/env.h"
#include "http/tls_known.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_exchange;

enum http_conn_want {
    HTTP_CONN_WANT_RECV = 1 << 0,
    HTTP_CONN_WANT_SEND = 1 << 1,
    HTTP_CONN_WANT_FILE = 1 << 2,
    HTTP_CONN_WANT_SHUTDOWN = 1 << 3,
    HTTP_CONN_WANT_CLOSE = 1 << 4,
    HTTP_CONN_WANT_WAIT = 1 << 6,
};

enum { HTTP_CONN_SILENT_MS = 1000 /* a first request is on its way for so long */ };

struct http_conn {
    unsigned magic;
    uint8_t state;      /* private to conn.c */
    bool draining;      /* answer what is being asked, then close */
    bool retiring;      /* the next answer is the last one */
    bool linger;        /* close lingering: the peer may still be sending */
    bool broken;        /* closed in the middle of something */
    bool file_segments; /* plans may end in a range of a file */
    bool silent;        /* has sent nothing for HTTP_CONN_SILENT_MS, nor before */
    bool plain_refused; /* what comes is plain HTTP where TLS was expected */
    bool securing;      /* its TLS handshake is not complete */
    uint8_t counted;    /* enum stats_counter: as which it is counted now (conn_count.c) */
    bool stalled;       /* the socket was found full: nothing is read to be sent */
    bool from_proxy;    /* the peer is in `real_ip_from`: each request tells its own client */
    struct peer peer;   /* who is at the other end, by the socket or by a PROXY header */
    uint32_t requests;  /* begun on this connection */
    uint64_t number;    /* of the connection, counted by the process; 0 where no log tells it */
    const struct http_tls *tls; /* borrowed; NULL without TLS */
    uint64_t since_ms;          /* when the present state of waiting began: idle, lingering */
    struct http_env *env;
    const struct listen_config *listen;
    const struct server *named; /* by the name in the TLS handshake; NULL: there was none */
    struct http_exchange *x;    /* NULL while idle */
};

/* Makes an idle connection. All is borrowed but `peer`, which is copied. */
void http_conn_open(struct http_conn *c, struct http_env *env, const struct listen_config *listen,
                    const struct peer *peer);

/* The TLS handshake is complete: only now the deadline of the first request begins. `named`
 * (borrowed; NULL: no name was sent) is the server that the client's SNI selects: requests for
 * another one are answered 421 (RFC 9110 section 15.5.20). Before anything is received. */
void http_conn_secured(struct http_conn *c, const struct server *named);

/* A proxy has said, in front of all else, whom the connection is for: from now on it is known as
 * that client's (copied; NULL: it is the proxy's own), and the deadline of the first request
 * begins. Before anything is received. */
void http_conn_introduced(struct http_conn *c, const struct peer *client);

/* What the handshake has brought. Borrowed until http_conn_close(). Before anything is received. */
static inline void http_conn_set_tls(struct http_conn *c, const struct http_tls *tls)
{
    c->tls = tls;
}

/* What comes is plain HTTP, where TLS was expected: the first request is answered 400, and it
 * closes. Before anything is received. */
static inline void http_conn_refuse_plain(struct http_conn *c)
{
    c->plain_refused = true;
    c->securing = false;
}

/* From now on plans may end in a range of a file, where the environment allows it: on an address
 * with TLS they do not until the kernel encrypts. No plan is out. */
static inline void http_conn_send_files(struct http_conn *c)
{
    c->file_segments = c->env->file_segments;
}

/* Gives back what it holds. Nothing of it may be in flight; once it wants CLOSE, reports of what
 * still was are taken and change nothing. */
void http_conn_close(struct http_conn *c);

/* The client's address, as given to http_conn_open() or http_conn_introduced(). What a request says
 * of its client is another matter (real_ip.h). */
static inline const struct peer *http_conn_peer(const struct http_conn *c)
{
    return &c->peer;
}

/* The address that it came in at, as given to http_conn_open(). */
static inline const struct listen_config *http_conn_listen(const struct http_conn *c)
{
    return c->listen;
}

/* Mask of enum http_conn_want; never 0. Pure. */
unsigned http_conn_wants(const struct http_conn *c);

/* Does it wait for a request of which nothing has come, with nothing left to send; or linger? The
 * first request is given HTTP_CONN_SILENT_MS before it is said to be waited for. */
bool http_conn_is_idle(const struct http_conn *c);

/* Has a request begun, or is an answer under way? Then http_conn_drain() does not close it now.
 * Pure.
 */
bool http_conn_is_busy(const struct http_conn *c);

/* Octets that http_conn_received() takes now. */
size_t http_conn_recv_room(const struct http_conn *c);

/* Takes octets (borrowed for the call; at most the room). */
void http_conn_received(struct http_conn *c, const char *data, size_t len);

/* The peer sends no more. */
void http_conn_received_end(struct http_conn *c);

/* The connection is broken: it wants to be closed. */
void http_conn_broken(struct http_conn *c);

/* Was it broken, by a report or by itself (a peer that takes too little, a file that has become
 * shorter)? Then its last answer may be cut, and a TLS session must not end as if it were whole. */
static inline bool http_conn_is_broken(const struct http_conn *c)
{
    return c->broken;
}

/* What to send next; pinned until http_conn_sent(). */
void http_conn_plan(const struct http_conn *c, struct send_plan *ret_plan);

/* The socket was found full: memory with octets that can be read again is given back, and no more
 * of a file is read before http_conn_has_room(). SEND is wanted meanwhile, though the plan may be
 * empty. No plan that lends memory is out. */
void http_conn_stalled(struct http_conn *c);

/* Wants the next piece of a file that is to be read, unless the socket is full. It is busy. For
 * conn.c. */
void http_conn_want_read(struct http_conn *c);

/* The socket has room: reading goes on, if there is something to read. */
void http_conn_has_room(struct http_conn *c);

/* Is more than `len` octets ready to be sent from memory, or being read? */
bool http_conn_sends_more(const struct http_conn *c, uint64_t len);

/* So many octets of the plan were sent. */
void http_conn_sent(struct http_conn *c, size_t len);

/* The file of the plan ended before its range did: what is known of it is untrue, and is forgotten.
 * http_conn_broken() is due as well. */
void http_conn_file_ended(struct http_conn *c);

/* The job to execute while FILE is wanted, and the report that it is done. */
struct file_job *http_conn_job(struct http_conn *c);
void http_conn_job_done(struct http_conn *c);

/* The sending side was shut down: the lingering begins. */
void http_conn_shut_down(struct http_conn *c);

/* The present deadline on the clock's scale, UINT64_MAX: none. */
uint64_t http_conn_deadline_ms(const struct http_conn *c);

/* The deadline has passed. `progress`: how far the peer has come with what was sent. */
void http_conn_expired(struct http_conn *c, const struct progress *progress);

/* Close after the answer in progress; at once when it waits for a request. Who lingers goes on. */
void http_conn_drain(struct http_conn *c);

/* Its place is needed: the same, and who lingers closes, too. */
void http_conn_make_way(struct http_conn *c);

/* The next request is answered with `Connection: close`; an idle connection waits for it, as long
 * as its deadline lets it: its client may be sending. */
void http_conn_retire(struct http_conn *c);

/* Does it own nothing but its address and its counts: no octet received of the next request, none
 * left to send, no job, and goes on after that? Pure. */
bool http_conn_can_move(const struct http_conn *c);

/* A connection that another process had: just opened, it goes on with so many requests begun on
 * it, idle since `since_ms` (not after now). */
void http_conn_moved(struct http_conn *c, uint32_t requests, uint64_t since_ms);

#endif
