/* session_tls_warm.c: which TLS sessions have the memory of their records at hand.
 *
 * A library that gives the memory of its records back after each one takes as long over that as
 * over a small record; one that keeps it has 34 KiB an idle connection. So those keep it that were
 * busy last. Here and not in the library, since a context is shared by threads. */
#include "session/session_tls.h"

#include "core/check.h"

void session_tls_leave_warm(struct session_tls *t)
{
    if (list_empty(&t->warm))
        return;
    list_remove(&t->warm);
    t->env->warm_count--;
}

void session_tls_join_warm(struct session_tls *t)
{
    struct session_tls_env *env = t->env;
    const struct tls_ops *ops = env->server->ops;
    if (ops->trim == NULL || t->phase == SESSION_TLS_LOST)
        return;
    session_tls_leave_warm(t);
    list_push_back(&env->warm, &t->warm);
    env->warm_count++;
    if (env->warm_count > SESSION_TLS_WARM_MAX) {
        struct session_tls *oldest = container_of(env->warm.next, struct session_tls, warm);
        session_tls_leave_warm(oldest);
        ops->trim(oldest->tls);
    }
}
