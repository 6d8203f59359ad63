/* tls_floor.c: what a TLS connection that is idle takes in OpenSSL alone: the floor under what a server takes for one.
 *
 *   cc -O2 -o tls_floor bench/tls_floor.c -lssl -lcrypto && ./tls_floor CERTIFICATE KEY
 *
 * Server connections are made in memory, each has had a handshake and one exchange, its buffers are released, and its client
 * is gone: what malloc(3) has given out for each is left. */
#include <malloc.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 2000, WARM = 10, FLIGHTS = 10 };

static size_t used(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* A server's connection that is idle now, or NULL. */
static SSL *idle(SSL_CTX *server, SSL_CTX *client)
{
    SSL *ours = SSL_new(server), *theirs = SSL_new(client);
    BIO *near, *far;
    char octets[100];
    if (ours == NULL || theirs == NULL || BIO_new_bio_pair(&near, 0, &far, 0) != 1)
        return NULL;
    SSL_set_bio(ours, near, near);
    SSL_set_bio(theirs, far, far);
    SSL_set_accept_state(ours);
    SSL_set_connect_state(theirs);
    for (int i = 0; i < FLIGHTS; i++) {
        SSL_do_handshake(theirs);
        SSL_do_handshake(ours);
    }
    if (SSL_write(theirs, "hello", 5) != 5 || SSL_read(ours, octets, sizeof(octets)) != 5 || SSL_write(ours, "answer", 6) != 6 ||
        SSL_read(theirs, octets, sizeof(octets)) != 6)
        return NULL;
    SSL_set_bio(ours, NULL, NULL);
    SSL_free(theirs);
    return ours;
}

int main(int argc, char **argv)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method()), *client = SSL_CTX_new(TLS_client_method());
    if (argc != 3 || server == NULL || client == NULL || SSL_CTX_use_certificate_chain_file(server, argv[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(server, argv[2], SSL_FILETYPE_PEM) != 1)
        return fprintf(stderr, "usage: tls_floor CERTIFICATE KEY\n"), 2;
    SSL_CTX_set_mode(server, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_OFF);
    size_t before = 0;
    for (int i = 0; i < WARM + COUNT; i++) {
        if (i == WARM)
            before = used();
        if (idle(server, client) == NULL)
            return fprintf(stderr, "tls_floor: no connection came about\n"), 1;
    }
    printf("%s: %.2f KiB each\n", OpenSSL_version(OPENSSL_VERSION), (double)(used() - before) / 1024 / COUNT);
    return 0;
}
