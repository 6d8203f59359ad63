/* tls_stack.h: how much of a stack a handshake takes, with the server's part of it in a thread
 * whose stack was painted, of the size that the engines with a thread for each connection give. The
 * program that includes it has defined LIBRARY (the table) and versions[] (of TLS). */
#ifndef TESTS_UNIT_TLS_STACK_H
#define TESTS_UNIT_TLS_STACK_H

#include "engines/blocking/blocking.h"
#include "tls_fixture.h"

#include <pthread.h>

enum { PAINT = 0xa5 };

static struct world world;
static struct link one;

static struct {
    struct tls *tls;
    struct span *in;
    struct buf *plain, *out;
    enum tls_result result;
    size_t most; /* octets of a stack that were used, since it was set to 0 */
} call;

static _Alignas(4096) unsigned char painted[BLOCKING_STACK_SIZE];

static void *receive_here(void *unused)
{
    call.result = LIBRARY.receive(call.tls, call.in, call.plain, call.out);
    return unused;
}

/* Reads what other functions have left. */
__attribute__((no_sanitize("address", "thread"))) static size_t used(void)
{
    size_t left = 0;
    while (left < sizeof(painted) && painted[left] == PAINT)
        left++;
    return sizeof(painted) - left;
}

__attribute__((no_sanitize("address", "thread"))) static void paint(void)
{
    for (volatile unsigned char *at = painted; at < painted + sizeof(painted); at++)
        *at = PAINT;
}

static enum tls_result receive_in_thread(struct tls *tls, struct span *in, struct buf *plain,
                                         struct buf *out)
{
    pthread_attr_t attributes;
    pthread_t thread;

    paint();
    call.tls = tls;
    call.in = in;
    call.plain = plain;
    call.out = out;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, painted, sizeof(painted)) == 0);
    CHECK(pthread_create(&thread, &attributes, receive_here, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
    if (used() > call.most)
        call.most = used();
    return call.result;
}

/* Half of a stack is enough: the other half is for what lies above, and for libraries to come. */
static void test_a_handshake_fits(void **state)
{
    (void)state;
    static const char *const kinds[] = { "p256", "p384", "rsa2048", "rsa4096" };
    struct tls_ops ops = LIBRARY;

    ops.receive = receive_in_thread;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char name[32];
        world_init(&world, &ops);
        pki_make(kinds[i], kinds[i], 0, PKI_DAY_S);
        snprintf(name, sizeof(name), "%s.pem", kinds[i]);
        world.certificates[0].chain_path = pki_path(name);
        snprintf(name, sizeof(name), "%s.key", kinds[i]);
        world.certificates[0].key_path = pki_path(name);
        world.servers[0].certificates_count = 1;
        world_start(&world);
        for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
            SSL_CTX *client = client_ctx_create(versions[v]);
            call.most = 0;
            link_open(&one, &world, client, "a.test");
            assert_true(link_handshake(&one));
            assert_string_equal(link_peer_name(&one, name, sizeof(name)), kinds[i]);
            link_upload(&one, "0123456789", 10);
            link_close(&one);
            SSL_CTX_free(client);
            print_message("%s, TLS %s: %zu octets\n", kinds[i],
                          versions[v] == TLS1_2_VERSION ? "1.2" : "1.3", call.most);
            assert_in_range(call.most, 1024, BLOCKING_STACK_SIZE / 2);
        }
        world_stop(&world);
    }
}

static int setup(void **state)
{
    (void)state;
    pki_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pki_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_handshake_fits) };
    return cmocka_run_group_tests(tests, setup, teardown);
}

#endif
