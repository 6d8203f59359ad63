/* openssl_begin.c: has OpenSSL make its own state, before anything else of it is called. See
 * openssl.h.
 *
 * OpenSSL 3.5 waits for itself for ever when it finds no memory while it does so: it wants to put
 * an error into its queue (ERR_new(3)), which begins the same pthread_once(3) again that it is in.
 * So memory comes from us (CRYPTO_set_mem_functions(3)), and in that moment none is the end. */
#include "core/log.h"
#include "tls/openssl.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_bool begins; /* is OpenSSL making its own state? */

/* `memory`, unless it is NULL where OpenSSL must not see that. */
static void *checked(void *memory, size_t len)
{
    if (memory == NULL && len > 0 && atomic_load_explicit(&begins, memory_order_relaxed)) {
        log_error("out of memory while OpenSSL starts");
        _exit(EXIT_FAILURE); /* exit(3) would call OpenSSL, which is within its pthread_once(3) */
    }
    return memory;
}

static void *allocate(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return checked(malloc(len), len);
}

static void *reallocate(void *memory, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return checked(realloc(memory, len), len);
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

bool openssl_begin(void)
{
    /* Refused once OpenSSL has taken memory: then its state is there. */
    (void)CRYPTO_set_mem_functions(allocate, reallocate, release);
    atomic_store(&begins, true);
    bool done = OSSL_LIB_CTX_get0_global_default() != NULL;
    atomic_store(&begins, false);
    return done && OPENSSL_init_ssl(0, NULL) == 1;
}
