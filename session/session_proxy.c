/* session_proxy.c: see session_proxy.h. */
#include "session/session_proxy.h"

#include "core/check.h"
#include "core/log_repeat.h"
#include "core/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Missing and wrong headers are mistakes in somebody's configuration, and whoever is not trusted
 * may be one as well, so an operator is told. That a peer goes or is slow is everyday life. */
static const struct {
    const char *kind;
    int error; /* tells the kinds apart, and the lines that are left out */
    enum log_level level;
    const char *what;
} refusals[SESSION_PROXY_REFUSALS] = {
    [SESSION_PROXY_UNTRUSTED] = { "PROXY header refused", EACCES, LOG_WARN,
                                  "it is not in `trusted`; put it there if it is a proxy of "
                                  "yours" },
    [SESSION_PROXY_MISSING] = { "PROXY header missing", EPROTO, LOG_WARN,
                                "it does not begin with one: the proxy must be told to send it "
                                "(HAProxy: send-proxy), or proxy_protocol be taken off `listen`" },
    [SESSION_PROXY_WRONG] = { "PROXY header wrong", EBADMSG, LOG_WARN,
                              "it breaks the rules of the PROXY protocol" },
    [SESSION_PROXY_LONG] = { "PROXY header too long", EMSGSIZE, LOG_WARN,
                             "it is longer than the 107 bytes of version 1, or than 4096 bytes" },
    [SESSION_PROXY_CUT] = { "PROXY header cut", ECONNRESET, LOG_INFO,
                            "the peer has closed in the middle of it" },
    [SESSION_PROXY_LATE] = { "PROXY header late", ETIMEDOUT, LOG_INFO,
                             "it has taken longer than header_timeout" },
};

_Static_assert(STATS_PROXY_UNTRUSTED + SESSION_PROXY_LATE == (int)STATS_PROXY_LATE &&
                   SESSION_PROXY_LATE + 1 == (int)SESSION_PROXY_REFUSALS,
               "one counter each, in this order");
_Static_assert(PROXY_HEADER_V1_MAX == 107 && PROXY_HEADER_MAX == 4096, "as the sentence says");

int session_proxy_env_create(const struct config *config, uint32_t connections_max,
                             struct session_proxy_env **ret_env)
{
    struct session_proxy_env *env = calloc(1, sizeof(*env));
    if (env == NULL)
        return -ENOMEM;
    env->trusted = &config->trusted;
    int res = pool_create("PROXY headers", sizeof(struct session_proxy_kept), connections_max,
                          &env->kept);
    if (res < 0) {
        free(env);
        return res;
    }
    *ret_env = env;
    return 0;
}

void session_proxy_env_destroy(struct session_proxy_env *env)
{
    if (env == NULL)
        return;
    pool_destroy(env->kept);
    free(env);
}

void session_proxy_refuse(struct session_proxy_env *env, enum session_proxy_refusal refusal,
                          const struct listen_config *listen, const struct peer *peer)
{
    char address[PEER_TEXT_MAX];

    env->refusals[refusal]++;
    stats_count(STATS_PROXY_UNTRUSTED + refusal);
    peer_format(peer, address);
    log_repeated(refusals[refusal].level, refusals[refusal].kind, refusals[refusal].error,
                 "%s: a connection from %s at %s is closed: %s", refusals[refusal].kind, address,
                 listen->text, refusals[refusal].what);
}

enum proxy_header_result session_proxy_take(struct session_proxy_env *env,
                                            struct session_proxy_kept **kept, const char *data,
                                            size_t len, struct proxy_header *ret_header,
                                            size_t *ret_used)
{
    struct session_proxy_kept *k = *kept;
    size_t before = k != NULL ? k->len : 0;
    struct span all = span_make(data, len);

    if (k != NULL) {
        size_t more = len < sizeof(k->octets) - before ? len : sizeof(k->octets) - before;
        memcpy(k->octets + before, data, more);
        k->len += more;
        all = span_make(k->octets, k->len);
    }
    enum proxy_header_result result = proxy_header_parse(all.ptr, all.len, ret_header);
    if (result == PROXY_HEADER_DONE) {
        CHECK(ret_header->len > before);
        *ret_used = ret_header->len - before;
    } else if (result == PROXY_HEADER_MORE && k == NULL) {
        *kept = k = pool_get(env->kept);
        CHECK(k != NULL && len < sizeof(k->octets)); /* there is one for each connection */
        memcpy(k->octets, data, len);
        k->len = len;
    }
    CHECK(result != PROXY_HEADER_MORE || k->len < sizeof(k->octets));
    return result;
}

void session_proxy_drop(struct session_proxy_env *env, struct session_proxy_kept **kept)
{
    if (*kept != NULL)
        pool_put(env->kept, *kept);
    *kept = NULL;
}
