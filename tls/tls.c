/* tls.c: the TLS libraries built in. See tls.h. */
#include "tls/tls.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/stats.h"
#include "tls/ticket_keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The first one is the default. */
static const struct tls_ops *const libraries[] = {
#ifdef GS_TLS_OPENSSL
    &tls_openssl,
#endif
#ifdef GS_TLS_MBEDTLS
    &tls_mbedtls,
#endif
    NULL,
};

const struct tls_ops *tls_at(size_t index)
{
    return index < ARRAY_LEN(libraries) ? libraries[index] : NULL;
}

const struct tls_ops *tls_find(const char *name)
{
    if (name[0] == '\0')
        return tls_at(0);
    for (size_t i = 0; tls_at(i) != NULL; i++) {
        if (strcmp(libraries[i]->name, name) == 0)
            return libraries[i];
    }
    return NULL;
}

bool tls_is_wanted(const struct config *config)
{
    for (size_t i = 0; i < config->listens_count; i++) {
        if (config->listens[i].tls)
            return true;
    }
    return false;
}

/* The name of an address with TLS is what an operator looks for; there is no key to blame. */
static int refuse_tls(const struct config *config, char *why, size_t why_size)
{
    const struct listen_config *listen = config->listens;

    while (!listen->tls)
        listen++;
    snprintf(why, why_size,
             "listen: \"%s\" has TLS, and no TLS library is built in: install libssl-dev or "
             "libmbedtls-dev and build again",
             listen->text);
    return -EINVAL;
}

static int refuse_backend(const struct config *config, char *why, size_t why_size)
{
    size_t len = (size_t)snprintf(why, why_size, "%s: tls_backend '%s' is not built in; there %s",
                                  config_place(config, "tls_backend"), config->tls.backend,
                                  tls_at(0) == NULL ? "is none" : "are:");

    for (size_t i = 0; tls_at(i) != NULL && len < why_size; i++)
        len += (size_t)snprintf(why + len, why_size - len, " %s", tls_at(i)->name);
    return -EINVAL;
}

/* Those of `before`, or new ones. */
static int make_ticket_keys(const struct tls_settings *settings, const struct tls_server *before,
                            char *why, size_t why_size, struct ticket_keys **ret_keys)
{
    struct ticket_keys *keys = before != NULL ? ticket_keys_hold(before->ticket_keys) : NULL;

    if (keys == NULL) {
        int res = ticket_keys_create(settings->ticket_key_ms, clock_monotonic_ms(), &keys);
        if (res < 0) {
            snprintf(why, why_size, "cannot make a key for session tickets: %s", strerror(-res));
            return res;
        }
    }
    ticket_keys_set_lifetime(keys, settings->ticket_key_ms);
    *ret_keys = keys;
    return 0;
}

int tls_server_create(const struct config *config, const struct tls_server *before, char *why,
                      size_t why_size, struct tls_server *ret_tls)
{
    struct tls_server tls = { .ops = NULL };

    stats_certificates_begin();
    /* A name that nothing has is wrong even when it is not needed. */
    if (config->tls.backend[0] != '\0' && tls_find(config->tls.backend) == NULL)
        return refuse_backend(config, why, why_size);
    if (tls_is_wanted(config)) {
        tls.ops = tls_find(config->tls.backend);
        if (tls.ops == NULL)
            return refuse_tls(config, why, why_size);
        int res = config->tls.tickets
                      ? make_ticket_keys(&config->tls, before, why, why_size, &tls.ticket_keys)
                      : 0;
        if (res < 0)
            return res;
        errno = 0;
        res = tls.ops->ctx_create(config, tls.ticket_keys, why, why_size, &tls.ctx);
        bool no_memory = res < 0 && errno == ENOMEM;
        if (res < 0)
            ticket_keys_destroy(tls.ticket_keys);
        /* A library without memory says that a key is not well-formed, or no certificate's. */
        if (no_memory) {
            snprintf(why, why_size, "out of memory for certificates and keys (TLS by %s)",
                     tls.ops->name);
            return -ENOMEM;
        }
        if (res < 0)
            return res;
    }
    stats_certificates_end();
    *ret_tls = tls;
    return 0;
}

void tls_server_destroy(struct tls_server *tls)
{
    if (tls->ops != NULL)
        tls->ops->ctx_destroy(tls->ctx);
    ticket_keys_destroy(tls->ticket_keys);
    *tls = (struct tls_server){ .ops = NULL };
}
