/* secure.c: see secure.h. */
#include "secure.h"

#ifdef GS_TEST_OPENSSL

#include "core/check.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL_CTX *context;

struct secure *secure_open(int fd)
{
    if (context == NULL) {
        context = SSL_CTX_new(TLS_client_method());
        MUST(context != NULL);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
    }
    MUST(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    SSL *ssl = SSL_new(context);
    MUST(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
    MUST(SSL_set_tlsext_host_name(ssl, "localhost") == 1);
    SSL_set_connect_state(ssl);
    return (struct secure *)ssl;
}

void secure_close(struct secure *s)
{
    SSL *ssl = (SSL *)s;
    if (ssl == NULL)
        return;
    ERR_clear_error();
    SSL_shutdown(ssl);
    SSL_free(ssl);
}

static ssize_t result_of(SSL *ssl, int n)
{
    int saved = errno;
    if (n > 0)
        return n;
    switch (SSL_get_error(ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        errno = saved != 0 ? saved : EPROTO;
        return -1;
    default: /* an end without a word is SSL_R_UNEXPECTED_EOF_WHILE_READING */
        errno = EPROTO;
        return -1;
    }
}

ssize_t secure_send(struct secure *s, const void *data, size_t len)
{
    SSL *ssl = (SSL *)s;
    ERR_clear_error();
    errno = 0;
    return result_of(ssl, SSL_write(ssl, data, (int)len));
}

ssize_t secure_receive(struct secure *s, void *data, size_t len)
{
    SSL *ssl = (SSL *)s;
    ERR_clear_error();
    errno = 0;
    return result_of(ssl, SSL_read(ssl, data, (int)len));
}

#else

#include <errno.h>

struct secure *secure_open(int fd)
{
    (void)fd;
    return NULL;
}

void secure_close(struct secure *s)
{
    (void)s;
}

ssize_t secure_send(struct secure *s, const void *data, size_t len)
{
    (void)s, (void)data, (void)len;
    errno = ENOTSUP;
    return -1;
}

ssize_t secure_receive(struct secure *s, void *data, size_t len)
{
    (void)s, (void)data, (void)len;
    errno = ENOTSUP;
    return -1;
}

#endif
