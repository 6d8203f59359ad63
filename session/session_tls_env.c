/* session_tls_env.c: what all TLS sessions of one environment share. See session_tls.h. */
#include "session/session_tls.h"

#include <errno.h>
#include <stdlib.h>

int session_tls_env_create(const struct tls_server *server, const struct config *config,
                           uint32_t connections_max, const struct clock *clock,
                           struct session_tls_env **ret_env)
{
    struct session_tls_env *env = calloc(1, sizeof(*env));
    if (env == NULL)
        return -ENOMEM;
    env->server = server;
    env->config = config;
    env->clock = clock;
    list_init(&env->warm);
    env->ktls = server->ktls && server->ops->offload != NULL;
    size_t count = connections_max;
    int res = pool_create("TLS sessions", sizeof(struct session_tls), count, &env->states);
    if (res == 0)
        res = pool_create("TLS output", SESSION_OUT_SIZE, count, &env->pools.outs);
    if (res == 0)
        res = pool_create("TLS rests", SESSION_OUT_REST, count, &env->pools.rests);
    if (res == 0) /* what is kept, and what is at work */
        res = pool_create("TLS records", TLS_PLAIN_MAX, 2 * count, &env->pools.records);
    if (res < 0) {
        session_tls_env_destroy(env);
        return res;
    }
    *ret_env = env;
    return 0;
}

void session_tls_env_destroy(struct session_tls_env *env)
{
    if (env == NULL)
        return;
    pool_destroy(env->pools.records);
    pool_destroy(env->pools.rests);
    pool_destroy(env->pools.outs);
    pool_destroy(env->states);
    free(env);
}

bool session_tls_env_tick(struct session_tls_env *env)
{
    return pool_trim(env->pools.outs);
}
