/* session_env.h: what the sessions of a thread share (session.h, session_env_create()), as
 * session.c sees it. */
#ifndef SESSION_SESSION_ENV_H
#define SESSION_SESSION_ENV_H

#include "session/session.h"

#define SESSION_ENV_MAGIC 0x5e55e417u

struct http_env;
struct session_proxy_env;
struct session_tls_env;

struct session_env {
    unsigned magic;
    struct http_env *http;
    struct session_tls_env *tls;     /* NULL: no address has TLS */
    struct session_proxy_env *proxy; /* NULL: no address is for proxies */
    size_t sessions;                 /* open now */
    _Atomic uint64_t *counted;       /* session_env_note_client(); else NULL */
};

#endif
