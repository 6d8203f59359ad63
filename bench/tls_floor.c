/* tls_floor.c: what TLS takes in OpenSSL alone, without a server, a socket or a kernel: the floor under what a server takes.
 *
 *   cc -O2 -o tls_floor bench/tls_floor.c -lssl -lcrypto && ./tls_floor CERTIFICATE KEY
 *
 * Connections are made in memory, by TLS 1.3. Told are: KiB that malloc(3) has given out for a server's connection which has had
 * a handshake and one exchange, whose buffers are released and whose client is gone; CPU us of the server's side of a
 * handshake, full and resumed; CPU us to encrypt a MiB in records of 16 KiB. Medians of rounds. */
#include <malloc.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COUNT = 2000, WARM = 10, FLIGHTS = 10, ROUNDS = 15, HANDSHAKES = 200, MIBS = 64, CHUNK = 65536 };

struct sides {
    SSL_CTX *server, *client;
};

static size_t used(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void fail(const char *what)
{
    fprintf(stderr, "tls_floor: %s\n", what);
    exit(1);
}

/* A connection of both sides after its handshake and one exchange; adds to *ret_us what the server's took for the handshake. */
static void meet(struct sides with, SSL_SESSION *session, SSL **ret_ours, SSL **ret_theirs, double *ret_us)
{
    SSL *ours = SSL_new(with.server), *theirs = SSL_new(with.client);
    BIO *near, *far;
    char octets[100];
    if (ours == NULL || theirs == NULL || BIO_new_bio_pair(&near, 2 * CHUNK, &far, 2 * CHUNK) != 1)
        fail("no memory");
    SSL_set_bio(ours, near, near);
    SSL_set_bio(theirs, far, far);
    SSL_set_accept_state(ours);
    SSL_set_connect_state(theirs);
    if (session != NULL)
        SSL_set_session(theirs, session);
    for (int i = 0; i < FLIGHTS && !(SSL_is_init_finished(ours) && SSL_is_init_finished(theirs)); i++) {
        SSL_do_handshake(theirs);
        double before = cpu_us();
        SSL_do_handshake(ours);
        *ret_us += cpu_us() - before;
    }
    if (SSL_write(theirs, "hello", 5) != 5 || SSL_read(ours, octets, sizeof(octets)) != 5 || SSL_write(ours, "answer", 6) != 6 ||
        SSL_read(theirs, octets, sizeof(octets)) != 6)
        fail("no connection came about");
    if (session != NULL && !SSL_session_reused(ours))
        fail("a session was not resumed");
    *ret_ours = ours;
    *ret_theirs = theirs;
}

static double idle_kib(struct sides with)
{
    size_t before = 0;
    double unused = 0;
    for (int i = 0; i < WARM + COUNT; i++) {
        SSL *ours, *theirs;
        if (i == WARM)
            before = used();
        meet(with, NULL, &ours, &theirs, &unused); /* ours stays */
        SSL_set_bio(ours, NULL, NULL);
        SSL_free(theirs);
    }
    return (double)(used() - before) / 1024 / COUNT;
}

static double handshake_us(struct sides with, SSL_SESSION *session)
{
    double us = 0;
    for (int i = 0; i < HANDSHAKES; i++) {
        SSL *ours, *theirs;
        meet(with, session, &ours, &theirs, &us);
        SSL_free(ours);
        SSL_free(theirs);
    }
    return us / HANDSHAKES;
}

static double encrypt_us(struct sides with)
{
    static char plain[CHUNK], drain[2 * CHUNK];
    SSL *ours, *theirs;
    double us = 0;
    meet(with, NULL, &ours, &theirs, &us);
    us = 0;
    for (int i = 0; i < MIBS * ((1 << 20) / CHUNK); i++) {
        double before = cpu_us();
        if (SSL_write(ours, plain, CHUNK) != CHUNK)
            fail("no room");
        us += cpu_us() - before;
        while (BIO_read(SSL_get_rbio(theirs), drain, sizeof(drain)) > 0)
            ;
    }
    SSL_free(ours);
    SSL_free(theirs);
    return us / MIBS;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct sides with = { SSL_CTX_new(TLS_server_method()), SSL_CTX_new(TLS_client_method()) };
    if (argc != 3 || with.server == NULL || with.client == NULL || SSL_CTX_use_certificate_chain_file(with.server, argv[1]) != 1 ||
        SSL_CTX_use_PrivateKey_file(with.server, argv[2], SSL_FILETYPE_PEM) != 1)
        return fprintf(stderr, "usage: tls_floor CERTIFICATE KEY\n"), 2;
    SSL_CTX_set_mode(with.server, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(with.server, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_cache_mode(with.client, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_ciphersuites(with.client, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_num_tickets(with.server, 1);

    SSL *ours, *theirs;
    double unused = 0, full[ROUNDS], resumed[ROUNDS], encrypt[ROUNDS];
    meet(with, NULL, &ours, &theirs, &unused);
    SSL_SESSION *session = SSL_get1_session(theirs);
    for (int i = 0; i < ROUNDS; i++) {
        full[i] = handshake_us(with, NULL);
        resumed[i] = handshake_us(with, session);
        encrypt[i] = encrypt_us(with);
    }
    qsort(full, ROUNDS, sizeof(full[0]), compare);
    qsort(resumed, ROUNDS, sizeof(resumed[0]), compare);
    qsort(encrypt, ROUNDS, sizeof(encrypt[0]), compare);
    printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
    printf("a full handshake, the server's side: %.0f us\n", full[ROUNDS / 2]);
    printf("a resumed one: %.0f us\n", resumed[ROUNDS / 2]);
    printf("a MiB in records of 16 KiB: %.0f us\n", encrypt[ROUNDS / 2]);
    printf("an idle connection: %.2f KiB\n", idle_kib(with));
    return 0;
}
