/* session_out.h: the ciphertext that a TLS session has to send, and what of the HTTP side's plan it
 * stands for. Private to session_tls.c.
 *
 * A plan is encrypted into one buffer, as much of it as fits; when all of that has left, there is
 * room for more. The buffer is attached only while something is in it. */
#ifndef SESSION_SESSION_OUT_H
#define SESSION_SESSION_OUT_H

#include "core/buf.h"
#include "core/pool.h"
#include "core/send_plan.h"
#include "session/session.h"
#include "tls/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* What one READ job brings (64 KiB), its head, and a record that was not full. */
    SESSION_OUT_SIZE = 5 * (TLS_PLAIN_MAX + TLS_OVERHEAD_MAX),
    SESSION_OUT_REST =
        4096, /* what a full socket has left of it, mostly: see session_out_stall() */
    SESSION_RECORD_WHOLE = 4096, /* octets of plaintext: what is left, if no more, is one record */
    SESSION_RECORD_SMALL =
        1300, /* octets of plaintext: with its overhead a record is one segment */
    SESSION_RECORD_RAMP = 40 * SESSION_RECORD_SMALL, /* octets sent in small records at first */
    SESSION_RECORD_IDLE_MS = 1000,                   /* after so long it is "at first" again */
};

/* Where buffers come from, and what else a thread's TLS sessions share. */
struct session_pools {
    struct pool *outs;    /* SESSION_OUT_SIZE octets */
    struct pool *rests;   /* SESSION_OUT_REST octets */
    struct pool *records; /* TLS_PLAIN_MAX octets: plaintext of one record, or ciphertext kept */
    const struct session_lock *lock; /* NULL: one thread uses them */
};

struct session_out {
    struct buf buf; /* ciphertext; memory from pools->outs, or from pools->rests while the socket is
                       full; none while empty and not attached */
    bool lent;      /* to an engine, which reads it until it reports */
    bool more;      /* the plan held more than was encrypted, or said that more follows */
    uint32_t plain; /* octets of the HTTP side's plan that were encrypted into `buf`; 0: none */
    uint32_t told;  /* of those, the HTTP side has been told that they were sent */
    uint32_t cipher;  /* what they became: the last octets of `buf`, as many of them as are left */
    uint32_t ramp;    /* octets of plaintext since it was idle, up to SESSION_RECORD_RAMP */
    size_t room;      /* octets that the socket takes now, for one session_out_encrypt(); SIZE_MAX:
                         nobody has looked */
    uint64_t used_ms; /* when something was encrypted last */
};

/* For what touches one session alone and takes long: another thread may use the environment
 * meanwhile. */
static inline void session_unlock(const struct session_pools *pools)
{
    if (pools->lock != NULL)
        pools->lock->leave(pools->lock->context);
}

static inline void session_relock(const struct session_pools *pools)
{
    if (pools->lock != NULL)
        pools->lock->enter(pools->lock->context);
}

/* Is there something to send? */
static inline bool session_out_empty(const struct session_out *out)
{
    return buf_empty(&out->buf);
}

/* Octets that it would take behind what it holds, with session_out_attach(). */
static inline size_t session_out_room(const struct session_out *out)
{
    bool grows = out->buf.data == NULL || (out->buf.cap == SESSION_OUT_REST && !out->lent);
    return grows ? SESSION_OUT_SIZE - buf_len(&out->buf) : buf_room(&out->buf);
}

/* Gives it memory, if it has none, or little: room for what a TLS library has to say. */
void session_out_attach(struct session_out *out, struct session_pools *pools);

/* Gives the memory back, if nothing is in it and it is not lent. */
void session_out_release(struct session_out *out, struct session_pools *pools);

/* Drops what was to be sent; the memory goes back, or will when it is lent no longer. */
void session_out_drop(struct session_out *out, struct session_pools *pools);

/* The socket is full, and what is left is not lent: takes less memory, if it can. */
void session_out_stall(struct session_out *out, struct session_pools *pools);

/* Encrypts of `plan` (memory only, some) what fits, and what the socket takes (out->room), but
 * something in any case: a socket tells of room only to those who found none. Nothing of an earlier
 * plan is left (checked). The memory of `plan` is not needed afterwards. 0, or -errno: the
 * connection is lost. */
int session_out_encrypt(struct session_out *out, struct session_pools *pools,
                        const struct tls_ops *ops, struct tls *t, const struct send_plan *plan,
                        uint64_t now_ms);

/* Takes off `len` octets, which were sent. Returns how many of the plan that stands for, in
 * proportion: together all of them when the last octet has left. */
size_t session_out_sent(struct session_out *out, size_t len);

#endif
