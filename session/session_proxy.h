/* session_proxy.h: what comes before anything else at an address with `proxy_protocol`: the header
 * of a proxy (proxy_header.h), taken from those in `trusted` alone. Private to session.c. It knows
 * neither TLS nor HTTP: until the header is complete, the HTTP connection waits for its first
 * request, with its deadline, and what follows goes to where the address says. */
#ifndef SESSION_SESSION_PROXY_H
#define SESSION_SESSION_PROXY_H

#include "config/config.h"
#include "core/peer.h"
#include "core/pool.h"
#include "session/proxy_header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a connection with such an address was closed before its first request. */
enum session_proxy_refusal {
    SESSION_PROXY_UNTRUSTED, /* it came from an address that is not in `trusted` */
    SESSION_PROXY_MISSING,   /* what it began with is no header */
    SESSION_PROXY_WRONG,     /* ... is one that breaks the rules */
    SESSION_PROXY_LONG,      /* ... is longer than what is taken */
    SESSION_PROXY_CUT,       /* the peer closed in the middle of its header */
    SESSION_PROXY_LATE,      /* it was not complete within header_timeout */
    SESSION_PROXY_REFUSALS
};

/* The beginning of a header that did not come in one piece. */
struct session_proxy_kept {
    size_t len;
    char octets[PROXY_HEADER_MAX];
};

/* What all sessions of one environment share. */
struct session_proxy_env {
    const struct address_set *trusted;         /* borrowed */
    struct pool *kept;                         /* one a connection at most */
    uint64_t refusals[SESSION_PROXY_REFUSALS]; /* so far */
};

/* 0 or -ENOMEM. `config` is borrowed and outlives it. */
int session_proxy_env_create(const struct config *config, uint32_t connections_max,
                             struct session_proxy_env **ret_env);

/* NULL is allowed. */
void session_proxy_env_destroy(struct session_proxy_env *env);

/* Counts a connection from `peer` at `listen` that is refused, and says so in the error log, a
 * limited number of times a minute. */
void session_proxy_refuse(struct session_proxy_env *env, enum session_proxy_refusal refusal,
                          const struct listen_config *listen, const struct peer *peer);

/* Takes `len` octets (above 0) of the header. DONE: `*ret_header` is filled in, and `*ret_used` of
 * these octets were its. MORE: they are kept in `*kept`, which is NULL at first and given back by
 * session_proxy_drop(). Else the connection is to be refused. */
enum proxy_header_result session_proxy_take(struct session_proxy_env *env,
                                            struct session_proxy_kept **kept, const char *data,
                                            size_t len, struct proxy_header *ret_header,
                                            size_t *ret_used);

/* Gives `*kept` back, if there is something, and makes it NULL. */
void session_proxy_drop(struct session_proxy_env *env, struct session_proxy_kept **kept);

#endif
