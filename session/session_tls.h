/* session_tls.h: a session on an address with TLS: the handshake, ciphertext to plaintext for the
 * HTTP connection, its plans to ciphertext, close_notify, and the kernel's part (kTLS). Private to
 * session.c, which passes on every report of the seam (session.h); the same rules hold. */
#ifndef SESSION_SESSION_TLS_H
#define SESSION_SESSION_TLS_H

#include "core/clock.h"
#include "config/config.h"
#include "core/list.h"
#include "core/send_plan.h"
#include "session/session.h"
#include "session/session_out.h"
#include "http/conn.h"
#include "tls/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SESSION_TLS_MAGIC 0x5e557151u

enum {
    SESSION_TLS_WARM_MAX = 128, /* sessions of one environment whose library keeps the memory of its
                                   records at hand (about 34 KiB each) */
    SESSION_TLS_RECV_MAX = TLS_PLAIN_MAX, /* octets that are received at once, at most */
};

/* What all TLS sessions of one environment share. */
struct session_tls_env {
    const struct tls_server *server; /* borrowed, as the two below */
    const struct config *config;
    const struct clock *clock;
    struct pool *states; /* struct session_tls, one a connection with TLS */
    struct session_pools pools;
    struct list warm; /* sessions whose library may have memory at hand; the oldest first */
    unsigned warm_count;
    bool ktls; /* the kernel is asked to encrypt */
};

enum session_tls_phase {
    SESSION_TLS_HELLO,     /* nothing has come yet */
    SESSION_TLS_HANDSHAKE, /* until it is complete */
    SESSION_TLS_OPEN,      /* the HTTP connection says what is wanted */
    SESSION_TLS_ALERT,     /* lost; why is to be sent, and the sending side shut down */
    SESSION_TLS_LINGER,    /* ... was, and what the peer still sends is dropped */
    SESSION_TLS_LOST,      /* wants to be closed */
};

enum session_tls_offload { SESSION_OFFLOAD_NEVER, SESSION_OFFLOAD_WANTED, SESSION_OFFLOAD_DONE };

struct session_tls {
    unsigned magic;
    uint8_t phase;    /* enum session_tls_phase */
    uint8_t offload;  /* enum session_tls_offload */
    bool silent;      /* nothing has come for HTTP_CONN_SILENT_MS */
    bool held;        /* the library holds plaintext that it could not give out */
    bool peer_closed; /* it has sent close_notify */
    bool close_begun; /* ours is in `out`, or has left */
    bool notify_due;  /* the kernel encrypts, and our close_notify is to be sent */
    bool notify_lent; /* ... and is the plan that is out */
    struct session_tls_env *env;
    struct tls *tls; /* owned; NULL: there was no memory */
    struct http_conn *conn;
    struct http_tls known; /* which it borrows, from the end of the handshake on */
    const struct listen_config *listen;
    struct list warm; /* in session_tls_env.warm, while no call of the library is under way */
    struct buf kept;  /* ciphertext that was received and not taken yet; no memory while empty */
    struct session_out out;
    uint64_t deadline_ms; /* of what is not the HTTP connection's: handshake, farewell; UINT64_MAX:
                             none */
};

/* 0 or -errno. `server` (borrowed, with a library) and the others outlive it. */
int session_tls_env_create(const struct tls_server *server, const struct config *config,
                           uint32_t connections_max, const struct clock *clock,
                           struct session_tls_env **ret_env);
void session_tls_env_destroy(struct session_tls_env *env);

/* About once a second: gives back memory that only a burst has needed. True: once more. */
bool session_tls_env_tick(struct session_tls_env *env);

/* For a connection accepted on `listen`; `conn` is the HTTP connection, open and idle. Both are
 * borrowed. */
struct session_tls *session_tls_open(struct session_tls_env *env, struct http_conn *conn,
                                     const struct listen_config *listen);
void session_tls_close(struct session_tls *t);

unsigned session_tls_wants(const struct session_tls *t);
size_t session_tls_recv_room(const struct session_tls *t);
bool session_tls_is_idle(const struct session_tls *t);
bool session_tls_is_busy(const struct session_tls *t);
uint64_t session_tls_deadline_ms(const struct session_tls *t);

/* False, and nothing is taken: the first octets of the connection, which are those of an HTTP
 * request. */
bool session_tls_received(struct session_tls *t, const void *data, ssize_t res);

/* As session_peer_left(). */
void session_tls_peer_left(struct session_tls *t);

/* Encrypts what the HTTP connection has to send, unless something is to be sent before. */
void session_tls_prepare(struct session_tls *t);
void session_tls_plan(struct session_tls *t, struct send_plan *ret_plan);
/* `full`: the socket has not taken all of the plan. */
void session_tls_sent(struct session_tls *t, ssize_t res, bool full);

/* As session_minds_room() and session_set_room(). */
bool session_tls_minds_room(const struct session_tls *t);
static inline void session_tls_set_room(struct session_tls *t, size_t room)
{
    t->out.room = room;
}

/* Something was reported to the HTTP connection: what follows from it. */
void session_tls_advance(struct session_tls *t);

/* The HTTP connection wanted it. */
void session_tls_shut_down(struct session_tls *t, int res);
void session_tls_expired(struct session_tls *t, const struct progress *progress);
void session_tls_drain(struct session_tls *t);
void session_tls_make_way(struct session_tls *t);

size_t session_tls_offload(struct session_tls *t, void *info, size_t size);
void session_tls_offloaded(struct session_tls *t, int res);

/* session_tls_warm.c, for session_tls.c: before a call of the library, which may run without the
 * lock, and when its calls are over for now. */
void session_tls_leave_warm(struct session_tls *t);
void session_tls_join_warm(struct session_tls *t);

#endif
