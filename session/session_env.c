/* session_env.c: what the sessions of a thread share: made, ticked, swept, given back. */
#include "session/session_env.h"

#include "core/check.h"
#include "core/conn_table.h"
#include "core/log_repeat.h"
#include "core/stats.h"
#include "http/conn.h"
#include "http/env.h"
#include "http/shared_files.h"
#include "session/session_proxy.h"
#include "session/session_tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool listens_with_tls(const struct config *config)
{
    for (size_t i = 0; i < config->listens_count; i++)
        if (config->listens[i].tls)
            return true;
    return false;
}

static bool listens_for_proxies(const struct config *config)
{
    for (size_t i = 0; i < config->listens_count; i++)
        if (config->listens[i].proxy_protocol)
            return true;
    return false;
}

int session_env_create(const struct config *config, const struct session_limits *limits,
                       const struct tls_server *tls, const struct clock *clock, unsigned caps,
                       char *why, size_t why_size, struct session_env **ret_env)
{
    struct session_env *env = calloc(1, sizeof(*env));
    if (env == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    env->magic = SESSION_ENV_MAGIC;
    int r = http_env_create(config, limits, clock, (caps & ENGINE_CAP_FILE_SEGMENT) != 0, why,
                            why_size, &env->http);
    if (r < 0) {
        free(env);
        return r;
    }
    if (listens_with_tls(config)) {
        CHECK(tls != NULL && tls->ops != NULL);
        r = session_tls_env_create(tls, config, limits->connections_max, clock, &env->tls);
    }
    if (r == 0 && listens_for_proxies(config))
        r = session_proxy_env_create(config, limits->connections_max, &env->proxy);
    if (r < 0) {
        snprintf(why, why_size,
                 "no memory for TLS and proxies' headers on connections_max = %u connections: %s",
                 limits->connections_max, strerror(-r));
        session_tls_env_destroy(env->tls);
        http_env_destroy(env->http);
        free(env);
        return r;
    }
    *ret_env = env;
    return 0;
}

int session_share_files(const struct config *config, unsigned count, struct session_limits *limits,
                        char *why, size_t why_size)
{
    const struct shared_files_options options = {
        .threads = count,
        .names_max = limits->cache_files_max / 4,
        .bytes_max = limits->cache_bytes_max,
        .content_max = config->limits.small_file_max,
        .valid_ms = http_roots_valid_ms(config),
        .inactive_ms = config->cache_inactive_ms,
        .counters = config->notice != NULL ? file_notice_counters(config->notice) : NULL,
        .roots_count = config->roots_count,
    };
    limits->files = NULL;
    /* What is believed by nobody but who asked is of no use to others. */
    if (!config->cache_shared || count < 2 || limits->cache_files_max == 0 || options.valid_ms == 0)
        return 0;
    int r = shared_files_create(&options, &limits->files);
    if (r < 0)
        snprintf(why, why_size, "no memory for what %u threads know of files together", count);
    return r;
}

void session_unshare_files(struct session_limits *limits)
{
    shared_files_destroy(limits->files);
    limits->files = NULL;
}

void session_env_share(struct session_env *env, const struct session_lock *lock)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    CHECK(env->sessions == 0);
    if (env->tls != NULL)
        env->tls->pools.lock = lock;
}

void session_env_destroy(struct session_env *env)
{
    if (env == NULL)
        return;
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    CHECK(env->sessions == 0);
    session_proxy_env_destroy(env->proxy);
    session_tls_env_destroy(env->tls);
    http_env_destroy(env->http);
    free(env);
}

void session_env_note_client(struct session_env *env, _Atomic uint64_t *cell)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    CHECK(env->sessions == 0);
    env->counted = cell;
}

void session_env_drop_client(struct session_env *env, _Atomic uint64_t *cell)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    uint64_t client = atomic_exchange(cell, 0);
    if (client != 0)
        conn_table_remove(env->http->config->clients, client);
}

bool session_env_tick(struct session_env *env, bool reopen)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    stats_tick();
    bool again = http_env_tick(env->http, reopen);
    if (env->tls != NULL)
        again |= session_tls_env_tick(env->tls);
    return log_repeat_tick() || again;
}

void session_env_end_logs(struct session_env *env)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    http_env_end_logs(env->http);
}

uint64_t session_env_sweep(struct session_env *env)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    return http_env_sweep(env->http);
}

size_t session_env_reclaim(struct session_env *env)
{
    CHECK_OBJ(env, SESSION_ENV_MAGIC);
    return http_env_reclaim(env->http);
}
