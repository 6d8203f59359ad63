/* session.h: the seam. One client: optional TLS, the HTTP connection, staging. What an engine
 * drives.
 *
 * A session makes no system call. It says what it wants; an engine does that in its own way
 * (readiness or completion) and reports the result. Rules, asserted in release builds too:
 *   1. At most one receive, one send, one job and one shutdown in flight; an engine starts
 *      `wants & ~inflight`.
 *   2. Results are n | 0 | -errno, so that a system call and a completion report alike.
 *   3. What a plan lends is pinned from session_send_plan() to session_sent(); sends may be short.
 *   4. Received octets are pushed and borrowed for the call; never more than session_recv_room() of
 *      them.
 *   5. One thread touches a session at a time. A worker: its job alone, or the session handed over.
 *   6. A session is closed (session_close()) after the whole event batch, and when nothing of it is
 *      in flight. It may want CLOSE while something still is: that is reported as always, which
 *      changes nothing, and then the session is closed.
 * engines/README.md tells the reasons. */
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "core/clock.h"
#include "config/config.h"
#include "config/session_limits.h"
#include "core/file_job.h"
#include "core/peer.h"
#include "core/progress.h"
#include "core/send_plan.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum session_want {
    SESSION_WANT_RECV = 1 << 0,     /* octets from the peer, at most session_recv_room() */
    SESSION_WANT_SEND = 1 << 1,     /* session_send_plan(), when the socket may have room */
    SESSION_WANT_FILE = 1 << 2,     /* session_file_job() waits to be executed */
    SESSION_WANT_SHUTDOWN = 1 << 3, /* shutdown(2) of the sending side, then session_shut_down(): a
                                       lingering close begins */
    SESSION_WANT_CLOSE = 1 << 4,    /* alone: close once nothing is in flight */
    SESSION_WANT_OFFLOAD = 1 << 5,  /* alone: the kernel may encrypt what is sent (kTLS):
                                       session_offload(), setsockopt(2), session_offloaded(). No
                                       send and no job is in flight then; a receive may be */
    SESSION_WANT_WAIT = 1 << 6,     /* alone: nothing before session_deadline_ms(), then
                                       session_expired(), as always. Nobody need look at the socket
                                       meanwhile */
};

enum engine_cap {
    ENGINE_CAP_FILE_SEGMENT = 1 << 0, /* this engine can send a file range (sendfile, splice); else
                                         the session reads files by READ jobs */
};

enum { SESSION_OFFLOAD_MAX = 64 };

struct session;
struct session_env;
struct tls_server;

/* A lock of the engine's, under which all calls of sessions are made where several threads share an
 * environment. */
struct session_lock {
    void (*leave)(void *context);
    void (*enter)(void *context);
    void *context;
};

/* What all sessions of one thread share: caches, pools, buffers, the access logs' buffers; no more
 * of them than `limits` (copied) allow. `config`, `tls` (NULL: no address has TLS) and `clock` are
 * borrowed and outlive it; `caps` are those of the engine. 0, or -errno and a sentence. The caller
 * owns it, and calls all session functions from one thread at a time. */
int session_env_create(const struct config *config, const struct session_limits *limits,
                       const struct tls_server *tls, const struct clock *clock, unsigned caps,
                       char *why, size_t why_size, struct session_env **ret_env);

/* What takes long and touches one session alone, encryption and handshakes, is done between
 * `lock->leave` and `lock->enter` from now on. `lock` is borrowed and outlives the environment. No
 * session is open. */
void session_env_share(struct session_env *env, const struct session_lock *lock);

/* Every session must be closed. NULL is allowed. */
void session_env_destroy(struct session_env *env);

/* `count` threads are to have an environment each: what they know of files together goes into
 * limits->files, before `limits` are divided among them. That is NULL where they are to know
 * nothing together, or there is one. 0, or -ENOMEM and a sentence. */
int session_share_files(const struct config *config, unsigned count, struct session_limits *limits,
                        char *why, size_t why_size);

/* Every environment must be destroyed. limits->files NULL is allowed. */
void session_unshare_files(struct session_limits *limits);

/* Housekeeping, about once a second: writes out access logs, and tells how many lines of them, and
 * of the error log, were left out. `reopen`: opens the access logs again as well (log rotation).
 * True: once more in a second, whether anything happens or not. */
bool session_env_tick(struct session_env *env, bool reopen);

/* Writes out the access logs and closes them: the process ends without session_env_destroy(). No
 * session is driven any more. */
void session_env_end_logs(struct session_env *env);

/* Lets go of files that are only kept for later use and that nobody has used for a while, a bounded
 * number of them. When it is to be called again, on the clock's scale of now_ms, perhaps at once;
 * UINT64_MAX: not before something has happened. */
uint64_t session_env_sweep(struct session_env *env);

/* Descriptors have run out (EMFILE, ENFILE): closes some that are only kept for later use. Returns
 * how many; 0: there is none left to close. */
size_t session_env_reclaim(struct session_env *env);

/* For a process that was forked for one connection: the client by whom it is counted
 * (limit_connections) stands in `*cell` for as long as it is. `cell` is memory that its parent has,
 * too, and 0. Before the session is opened. */
void session_env_note_client(struct session_env *env, _Atomic uint64_t *cell);

/* In that parent, once the process has ended: what it has left in `*cell` is counted no more. */
void session_env_drop_client(struct session_env *env, _Atomic uint64_t *cell);

/* Octets of a session, so that an engine can lay it behind its own connection object in one
 * allocation; aligned to 16. */
size_t session_size(void);

/* Makes a session in `mem` (session_size() octets, the engine's) for a connection accepted on
 * `listen` from `peer` (copied). Cannot fail: an idle session owns nothing else. At an address for
 * proxies, one whose peer is not trusted wants CLOSE at once. */
struct session *session_open(void *mem, struct session_env *env, const struct listen_config *listen,
                             const struct peer *peer);

/* What goes along when a connection moves to another process: all that an idle plain session has,
 * beside its socket. */
struct session_moved {
    const struct listen_config *listen; /* where it was accepted; borrowed */
    struct peer peer;                   /* the client, as the session knows it */
    uint32_t requests;                  /* begun on it: limits go on counting */
    uint64_t since_ms;                  /* idle since then, on the scale of clock.now_ms, which is
                                           the machine's: deadlines go on from there */
    unsigned flags;                     /* enum session_moved_flag */
};

enum session_moved_flag {
    SESSION_MOVED_HEADER_DUE = 1 << 0, /* a proxy's header has still to come: `peer` is the proxy */
    SESSION_MOVED_NAMED = 1 << 1,      /* `peer` is whom a proxy's header has named */
};

/* May the connection move now: plain HTTP, and between two requests, or before the first, with
 * nothing received (a proxy's header is whole, or has not begun), nothing to send and no job?
 * Octets that lie in the socket move with it. TLS never moves: its keys and counters are in a
 * library. Pure. */
bool session_can_move(const struct session *s);

/* Is it encrypted, or will be behind a proxy's header, and so will never move? Pure. */
bool session_is_tls(const struct session *s);

/* What is to be sent along; session_can_move() says yes. Pure. */
void session_move(const struct session *s, struct session_moved *ret_moved);

/* session_open() for a connection that was another process's; `moved` (copied) is not of an address
 * with TLS, and with HEADER_DUE it is of one for proxies. */
struct session *session_open_moved(void *mem, struct session_env *env,
                                   const struct session_moved *moved);

/* The successor has taken it: session_close(), which follows, is not the connection's end. */
void session_left(struct session *s);

/* Gives back what the session holds. The engine frees `mem`. */
void session_close(struct session *s);

/* What the session wants now: a mask of enum session_want, never empty. Pure; asked again after
 * every report. */
unsigned session_wants(const struct session *s);

/* Does it wait for a request, or for a TLS handshake, of which nothing has come? Or has it sent its
 * last answer, and lingers? Then session_make_way() may be called where its place is needed, and
 * nothing is lost by it. What comes first on a connection is given a second before, which ends as a
 * deadline does. Pure. */
bool session_is_idle(const struct session *s);

/* Has a request begun, or is an answer under way? Then session_drain() does not close it now, but
 * has it end with that answer. Pure. */
bool session_is_busy(const struct session *s);

/* How many octets session_received() takes now; above 0 while SESSION_WANT_RECV is set. */
size_t session_recv_room(const struct session *s);

/* Reports a receive: `res` octets at `data` (borrowed), 0 at end of stream, or -errno. */
void session_received(struct session *s, const void *data, ssize_t res);

/* Does now what session_send_plan() would have to do (encryption), if SEND is wanted. Optional: for
 * a thread that is not the one that sends, and has the time. No plan is out. */
void session_prepare(struct session *s);

/* Does it matter how much the socket takes now? Then session_set_room() is to be called before
 * session_send_plan(), and before a job is handed to a thread that calls session_prepare(): what is
 * encrypted cannot be taken back, and lies in memory until it is sent. */
bool session_minds_room(const struct session *s);

/* The socket takes about `room` octets now (socket_room()). */
void session_set_room(struct session *s, size_t room);

/* Fills in what to send next. Called when the socket may have room. Pinned until session_sent().
 * Empty, without memory and file: there is nothing to report, and the wants are asked anew. The
 * session was lost over making it, or it has given back what it had read when the socket was full,
 * and reads again. */
void session_send_plan(struct session *s, struct send_plan *ret_plan);

/* Reports octets sent of the plan, memory and file together; 0: the file range ended early
 * (truncated under us: the session closes); -EAGAIN: nothing now, the plan is to be asked for anew;
 * or another -errno. */
void session_sent(struct session *s, ssize_t res);

/* Octets that were reported as sent since session_open(), as they were on the wire. */
uint64_t session_sent_total(const struct session *s);

/* The job to execute; the same one until session_file_done(). Lent to the engine. */
struct file_job *session_file_job(struct session *s);

/* Reports that the job's Out members are set. */
void session_file_done(struct session *s);

/* Reports, in place of executing the job that is wanted, that the peer has left: nothing that is
 * sent would reach it. Optional: the next receive or send says the same, but while nothing but FILE
 * is wanted, slice by slice, there is none. The job is not in flight. */
void session_peer_left(struct session *s);

/* Reports shutdown(2): 0 or -errno. */
void session_shut_down(struct session *s, int res);

/* What setsockopt(2)'s TLS_TX is to be given, after TCP_ULP "tls": fills in at most `size` octets
 * (SESSION_OFFLOAD_MAX are enough) and returns their number; 0: this connection cannot, which is to
 * be reported as -EOPNOTSUPP. */
size_t session_offload(struct session *s, void *info, size_t size);

/* Reports both calls: 0, or -errno and nothing has changed. */
void session_offloaded(struct session *s, int res);

/* When session_expired() is to be called, on clock.now_ms's scale; UINT64_MAX: never. May move with
 * every report, in both directions. */
uint64_t session_deadline_ms(const struct session *s);

/* Reports that the deadline has passed. The session answers 408, closes, or goes on with a later
 * deadline. `progress` (borrowed for the call): a peer that has taken enough is not too slow,
 * though its socket may be full. */
void session_expired(struct session *s, const struct progress *progress);

/* The server is shutting down: an idle session wants CLOSE now, a busy one after the answer in
 * progress. */
void session_drain(struct session *s);

/* Its place is needed by another client: session_drain(), and a session that lingers wants CLOSE
 * now. The client of that one has our last answer and the end of it, or they are on their way: what
 * it still sends may be answered by a reset (RFC 9112 section 9.6). */
void session_make_way(struct session *s);

/* A successor serves new connections, and this one cannot move: its next request is answered with
 * `Connection: close`. An idle one is not closed: its client may be sending, and stays until its
 * deadline. May be told more than once. */
void session_retire(struct session *s);

#endif
