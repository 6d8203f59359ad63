/* openssl_pairs.c: many certificates with their keys, read by as many threads as there are CPUs.
 * See openssl.h.
 *
 * Only reading and trying out is done here, and into places of their own; what is told of it, in
 * the log or as a refusal, is told by the caller afterwards, in the order of the configuration. */
#include "tls/openssl.h"

#include "core/cpus.h"
#include "core/parallel.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS_A_THREAD = 32 /* fewer are read before a thread has begun to */ };

struct reading {
    struct openssl_pair *pairs;
    size_t count;
    bool all; /* what is behind a refused one, too */
    atomic_size_t next;
    atomic_bool refused;
};

/* Would a connection take what was read? `scratch` (NULL: memory is short) takes it as one will. */
static int try_out(const struct openssl_pair *pair, SSL_CTX *scratch, char *why, size_t why_size)
{
    if (scratch == NULL) {
        errno = ENOMEM;
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    return openssl_identity_use(scratch, pair->server, pair->certificate, &pair->identity, true,
                                why, why_size);
}

static void read_one(struct openssl_reader *reader, SSL_CTX *scratch, struct openssl_pair *pair)
{
    char why[1024];

    errno = 0;
    pair->res = openssl_certificate_read(reader, pair->server, pair->certificate, why, sizeof(why),
                                         &pair->identity);
    if (pair->res == 0) {
        pair->res = try_out(pair, scratch, why, sizeof(why));
        if (pair->res == 0)
            return;
        openssl_identity_free(&pair->identity);
    }
    pair->no_memory = errno == ENOMEM;
    pair->why = strdup(why);
}

/* In each thread. Numbers are given out in ascending order, so that all in front of one that is
 * refused are read. */
static void read_pairs(void *context)
{
    struct reading *reading = context;
    struct openssl_reader *reader = openssl_reader_create();
    SSL_CTX *scratch = SSL_CTX_new(TLS_server_method());

    while (reading->all || !atomic_load(&reading->refused)) {
        size_t index = atomic_fetch_add(&reading->next, 1);
        if (index >= reading->count)
            break;
        read_one(reader, scratch, &reading->pairs[index]);
        if (reading->pairs[index].res < 0)
            atomic_store(&reading->refused, true);
    }
    openssl_reader_free(reader);
    SSL_CTX_free(scratch);
}

void openssl_pairs_read(struct openssl_pair *pairs, size_t count, bool all)
{
    struct reading reading = { .pairs = pairs, .count = count, .all = all };
    size_t threads = count / PAIRS_A_THREAD;
    size_t most = threads > 1 ? cpus_threads(0) : 1;

    most = most < PARALLEL_THREADS_MAX ? most : PARALLEL_THREADS_MAX;
    parallel_run((unsigned)(threads < most ? threads : most), read_pairs, &reading);
}

int openssl_pair_take(struct openssl_pair *pair, char *why, size_t why_size,
                      struct openssl_identity *ret_identity)
{
    if (pair->res < 0) {
        snprintf(why, why_size, "%s", pair->why != NULL ? pair->why : "out of memory");
        if (pair->no_memory)
            errno = ENOMEM;
        return pair->res;
    }
    openssl_certificate_note(pair->server, pair->certificate, &pair->identity);
    *ret_identity = pair->identity;
    pair->identity = (struct openssl_identity){ .x509 = NULL };
    return 0;
}

void openssl_pairs_free(struct openssl_pair *pairs, size_t count)
{
    for (size_t i = 0; pairs != NULL && i < count; i++) {
        openssl_identity_free(&pairs[i].identity);
        free(pairs[i].why);
    }
    free(pairs);
}
