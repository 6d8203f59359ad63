/* session_tls_ktls.c: the kernel is to encrypt what the HTTP connection sends (kTLS); what the
 * engine reports of it. See session_tls.h. */
#include "session/session_tls.h"

#include "core/check.h"
#include "core/log.h"

#include <errno.h>
#include <string.h>

size_t session_tls_offload(struct session_tls *t, void *info, size_t size)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    CHECK(t->offload == SESSION_OFFLOAD_WANTED && session_out_empty(&t->out));
    return t->env->server->ops->offload(t->tls, info, size);
}

/* Errors that every other connection would meet as well: no such protocol, forbidden. */
static bool is_permanent(int res)
{
    return res == -ENOENT || res == -ENOPROTOOPT || res == -EPERM || res == -EACCES;
}

void session_tls_offloaded(struct session_tls *t, int res)
{
    CHECK_OBJ(t, SESSION_TLS_MAGIC);
    CHECK(t->offload == SESSION_OFFLOAD_WANTED);
    if (res == 0) {
        t->offload = SESSION_OFFLOAD_DONE;
        http_conn_send_files(t->conn);
    } else {
        t->offload = SESSION_OFFLOAD_NEVER;
        if (is_permanent(res) && t->env->ktls) {
            t->env->ktls = false;
            log_info("kTLS: the kernel refuses to encrypt: %s; the server does it itself from now "
                     "on",
                     strerror(-res));
        }
    }
    session_tls_advance(t);
}
