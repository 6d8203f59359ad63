/* test_acceptor.c: whose connection it is, and which errors of accept(2) are a connection's own. */
#include "engines/acceptor.c"

#include "core/advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_peers(void **state)
{
    (void)state;
    struct peer peer;
    struct sockaddr_storage address = { 0 };
    struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(4711) };
    assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &ipv4.sin_addr), 1);
    memcpy(&address, &ipv4, sizeof(ipv4));
    acceptor_peer(&address, &peer);
    assert_int_equal(peer.family, PEER_IPV4);
    assert_int_equal(peer.port, 4711);
    assert_memory_equal(peer.addr, "\xc0\x00\x02\x01", 4);

    struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &ipv6.sin6_addr), 1);
    memcpy(&address, &ipv6, sizeof(ipv6));
    acceptor_peer(&address, &peer);
    assert_int_equal(peer.family, PEER_IPV6);
    assert_int_equal(peer.port, 80);
    assert_memory_equal(peer.addr, &ipv6.sin6_addr, 16);

    address = (struct sockaddr_storage){ .ss_family = AF_UNIX };
    acceptor_peer(&address, &peer);
    assert_int_equal(peer.family, PEER_UNIX);
    assert_int_equal(peer.port, 0);
}

/* What comes again at once must never be taken for one connection's: the acceptor would spin. */
static void test_errors(void **state)
{
    (void)state;
    static const int lost[] = { ECONNABORTED, EINTR, EPERM, EPROTO, ENETDOWN, EHOSTUNREACH };
    static const int lasting[] = { EAGAIN, EMFILE, ENFILE, ENOBUFS, ENOMEM,
                                   EBADF,  EINVAL, EIO,    ENOSYS,  EFAULT };
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
        assert_true(acceptor_lost_one(lost[i]));
    for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
        assert_false(acceptor_lost_one(lasting[i]));
}

static void test_advice(void **state)
{
    (void)state;
    assert_non_null(strstr(advice_on(EMFILE), "ulimit -n"));
    assert_non_null(strstr(advice_on(ENFILE), "fs.file-max"));
    assert_string_equal(advice_on(ENOMEM), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
