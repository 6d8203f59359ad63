/* test_listen_set.c: the sockets of an address outlive a configuration that wants fewer of them,
 * and are dealt out to the loops that there are. */
#include "process/listen_set.h"

#include "core/check.h"
#include "engines/listen.h"
#include "engines/listen_share.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char why[512];
static char text[] = "127.0.0.1:0", host[] = "127.0.0.1";

/* Two addresses. */
static struct listen_config listens[] = {
    { .text = text, .kind = LISTEN_IPV4, .host = host, .backlog = 16 },
    { .text = text, .kind = LISTEN_IPV4, .host = host, .backlog = 16 },
};
static const struct config config = { .listens = listens, .listens_count = 2 };

static size_t take(struct listen_set *set, unsigned each, struct listener **ret)
{
    size_t count = 0;
    assert_int_equal(listen_set_take(set, &config, each, why, sizeof(why), ret, &count), 0);
    return count;
}

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, option, &value, &len), 0);
    return value;
}

static int connect_to(unsigned port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static size_t set_size(const struct listen_set *set)
{
    size_t size = 0;
    for (const struct list *at = set->sockets.next; at != &set->sockets; at = at->next)
        size++;
    return size;
}

/* Who wants fewer takes all that there are: clients wait there. */
static void test_none_is_left(void **state)
{
    (void)state;
    struct listen_set set;
    struct listener *many, *few, *others;
    listen_set_init(&set);
    assert_int_equal(take(&set, 3, &many), 6);
    assert_int_not_equal(listener_port(&many[0]), listener_port(&many[1]));
    for (size_t i = 0; i < 6; i++) {
        assert_ptr_equal(many[i].config, i < 2 ? &listens[i] : &listens[(i - 2) / 2]);
        assert_int_equal(listener_port(&many[i]), listener_port(&many[i < 2 ? i : (i - 2) / 2]));
        assert_int_equal(option_of(many[i].fd, SO_ACCEPTCONN), i < 2);
        assert_int_equal(listener_begin(&many[i], why, sizeof(why)), 0);
    }
    int clients[40];
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        clients[i] = connect_to(listener_port(&many[0]));
    assert_int_equal(take(&set, 1, &few), 6);
    assert_int_equal(memcmp(few, many, 6 * sizeof(few[0])), 0);
    listen_set_put(&set, many, 6);
    assert_int_equal(take(&set, 2, &others), 6);
    listen_set_put(&set, few, 6);
    size_t accepted = 0;
    for (size_t i = 0; i < 6; i++) {
        for (int fd; (fd = accept(others[i].fd, NULL, NULL)) >= 0; accepted++)
            close(fd);
    }
    assert_int_equal(accepted, ARRAY_LEN(clients));
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        close(clients[i]);
    listen_set_put(&set, others, 6);
    assert_int_equal(set_size(&set), 0);
}

/* Who wants more, and gives them back, leaves those that others have. */
static void test_given_back(void **state)
{
    (void)state;
    struct listen_set set;
    struct listener *few, *many;
    listen_set_init(&set);
    assert_int_equal(take(&set, 1, &few), 2);
    assert_int_equal(take(&set, 4, &many), 8);
    assert_int_equal(set_size(&set), 8);
    listen_set_put(&set, many, 8);
    assert_int_equal(set_size(&set), 2);
    assert_int_equal(option_of(few[0].fd, SO_ACCEPTCONN), 1);
    listen_set_put(&set, few, 2);
    assert_int_equal(set_size(&set), 0);
}

/* Each socket is one loop's, and each loop has some of each address. */
static void dealt(unsigned loops, unsigned sockets)
{
    struct listen_set set;
    struct listen_share share;
    struct listener *all;
    listen_set_init(&set);
    size_t count = take(&set, sockets, &all), seen = 0, opened = 0;
    assert_int_equal(
        listen_share_open(all, count, loops, ACCEPT_REUSEPORT, why, sizeof(why), &share), 0);
    for (unsigned i = 0; i < loops; i++) {
        size_t own = 0;
        struct listener *listeners = listen_share_of(&share, i, &own);
        unsigned of_address[2] = { 0, 0 };
        for (size_t j = 0; j < own; j++) {
            of_address[listeners[j].config - listens]++;
            bool given = false;
            for (size_t k = 0; k < count; k++)
                given |= listeners[j].fd == all[k].fd;
            seen += given;
            opened += !given;
        }
        assert_true(of_address[0] > 0 && of_address[0] == of_address[1]);
    }
    assert_int_equal(seen, count);
    assert_int_equal(opened, loops > sockets ? 2 * (loops - sockets) : 0);
    listen_share_close(&share);
    for (size_t i = 0; i < count; i++)
        assert_true(all[i].fd >= 0 && all[i].holders == NULL && fcntl(all[i].fd, F_GETFD) >= 0);
    listen_set_put(&set, all, count);
}

static void test_dealt(void **state)
{
    (void)state;
    dealt(1, 1);
    dealt(1, 4);
    dealt(2, 4);
    dealt(3, 4);
    dealt(4, 4);
    dealt(4, 1);
}

/* What a loop has closed is closed for the caller; what all have, is closed by the last. */
static void test_closed_by_loops(void **state)
{
    (void)state;
    for (int mode = ACCEPT_REUSEPORT; mode <= ACCEPT_SHARED; mode++) {
        struct listen_set set;
        struct listen_share share;
        struct listener *all;
        listen_set_init(&set);
        size_t count = take(&set, 3, &all);
        listen_set_give(&set, all, count, true);
        assert_int_equal(
            listen_share_open(all, count, 2, (enum accept_mode)mode, why, sizeof(why), &share), 0);
        for (unsigned i = 0; i < 2; i++) {
            size_t own = 0;
            struct listener *listeners = listen_share_of(&share, i, &own);
            assert_int_equal(own, mode == ACCEPT_SHARED ? count : i == 0 ? 4 : 2);
            for (size_t j = 0; j < own; j++) {
                int fd = listeners[j].fd;
                listener_leave(&listeners[j]);
                assert_int_equal(fcntl(fd, F_GETFD) >= 0, mode == ACCEPT_SHARED && i == 0);
            }
        }
        listen_share_close(&share);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(all[i].fd, -1);
        listeners_close(all, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_is_left),
        cmocka_unit_test(test_given_back),
        cmocka_unit_test(test_dealt),
        cmocka_unit_test(test_closed_by_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
