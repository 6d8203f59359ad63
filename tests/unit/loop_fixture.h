/* loop_fixture.h: the loop under test, with everything around it in the test's hand: sessions
 * (fake_session.h), a clock that can be put forward, clients, and system calls that are counted and
 * can be made to fail. Each test program includes it once, and so includes the loop's .c files. */
#ifndef TESTS_UNIT_LOOP_FIXTURE_H
#define TESTS_UNIT_LOOP_FIXTURE_H

#include "core/check.h"
#include "core/log_repeat.h"
#include "core/clock.h"
#include "config/config.h"
#include "core/file_job.h"
#include "core/log.h"
#include "core/peer.h"
#include "engines/engine.h"
#include "engines/listen.h"
#include "session/session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* ---- what the loop calls ---- */

static struct {
    atomic_uint recv, send, sendmsg, sendfile, epoll_ctl, accept, probe, log;
    atomic_uint advise; /* by workers, too */
    atomic_uint more;   /* sends with MSG_MORE */
    atomic_uint full;   /* sends of memory that found the socket full from the start */
    atomic_uint wait;
    unsigned corks, uncorks;
} calls;

static struct {
    int accept_error;         /* what the next accept4() fails with; 0: none */
    unsigned misses;          /* so many probes find nothing in the page cache */
    _Atomic uint64_t skew_ms; /* added to the clock */
    size_t short_file;        /* what sendfile(2) sends at most; 0: no limit */
} inject;

static ssize_t note_full(ssize_t n)
{
    if (n < 0 && errno == EAGAIN)
        calls.full++;
    return n;
}

static ssize_t hooked_send(int fd, const void *data, size_t len, int flags)
{
    calls.send++;
    calls.more += (flags & MSG_MORE) != 0;
    return note_full(send(fd, data, len, flags));
}

static ssize_t hooked_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    calls.sendmsg++;
    calls.more += (flags & MSG_MORE) != 0;
    return note_full(sendmsg(fd, msg, flags));
}

static int hooked_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    calls.accept++;
    if (inject.accept_error != 0) {
        errno = inject.accept_error;
        inject.accept_error = 0;
        return -1;
    }
    return accept4(fd, address, len, flags);
}

static ssize_t hooked_preadv2(int fd, const struct iovec *iov, int count, off_t off, int flags)
{
    calls.probe++;
    if (inject.misses > 0) {
        inject.misses--;
        errno = EAGAIN;
        return -1;
    }
    return preadv2(fd, iov, count, off, flags);
}

static ssize_t hooked_sendfile(int out, int in, off_t *off, size_t len)
{
    calls.sendfile++;
    if (inject.short_file > 0 && len > inject.short_file)
        len = inject.short_file;
    return sendfile(out, in, off, len);
}

static int hooked_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    if (level == IPPROTO_TCP && name == TCP_CORK)
        ++*(*(const int *)value != 0 ? &calls.corks : &calls.uncorks);
    return setsockopt(fd, level, name, value, len);
}

static int hooked_posix_fadvise(int fd, off_t off, off_t len, int advice)
{
    calls.advise++;
    return posix_fadvise(fd, off, len, advice);
}

static int hooked_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    calls.wait++;
    return epoll_wait(fd, events, max, timeout_ms);
}

static void hooked_clock_update(struct clock *clock)
{
    clock_update(clock);
    clock->now_ms += inject.skew_ms;
}

#define recv(...)                        ((void)calls.recv++, recv(__VA_ARGS__))
#define epoll_ctl(...)                   ((void)calls.epoll_ctl++, epoll_ctl(__VA_ARGS__))
#define epoll_wait(fd, events, max, ms)  hooked_epoll_wait(fd, events, max, ms)
#define log_write(...)                   ((void)calls.log++, log_write(__VA_ARGS__))
#define log_repeated(...)                ((void)calls.log++, log_repeated(__VA_ARGS__))
#define send(fd, data, len, flags)       hooked_send(fd, data, len, flags)
#define sendmsg(fd, msg, flags)          hooked_sendmsg(fd, msg, flags)
#define accept4(fd, address, len, how)   hooked_accept4(fd, address, len, how)
#define preadv2(fd, iov, n, off, how)    hooked_preadv2(fd, iov, n, off, how)
#define sendfile(out, in, off, len)      hooked_sendfile(out, in, off, len)
#define clock_update(clock)              hooked_clock_update(clock)
#define setsockopt(fd, at, name, v, len) hooked_setsockopt(fd, at, name, v, len)
#define posix_fadvise(fd, off, len, how) hooked_posix_fadvise(fd, off, len, how)

#include "engines/reactor/demultiplexer.c"
#include "engines/reactor/demultiplexer_epoll.c"
#include "engines/reactor/loop.c"
#include "engines/reactor/loop_accept.c"
#include "engines/reactor/loop_ask.c"
#include "engines/reactor/loop_conn.c"
#include "engines/reactor/loop_env.c"
#include "engines/reactor/loop_offload.c"
#include "engines/reactor/loop_reads.c"
#include "engines/reactor/loop_routine.c"
#include "engines/file_range.c"
#include "engines/file_send.c"
#include "engines/plan_send.c"

#include "fake_session.h"

/* ---- a loop to test, and its clients ---- */

struct scene {
    struct config config;
    struct listen_config listen;
    struct listener listener;
    struct engine_orders orders;
    struct engine_config cfg;
    struct loop_options options;
    struct sockaddr_storage address;
    socklen_t address_len;
    struct loop *loop;
};

static int scene_group_setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    fake.pattern = malloc(PATTERN_SIZE);
    for (size_t i = 0; i < PATTERN_SIZE; i++)
        fake.pattern[i] = (char)('a' + i % 23);
    FILE *file = tmpfile();
    fake.file = file == NULL ? -1 : dup(fileno(file));
    if (fake.file < 0)
        return -1;
    fclose(file);
    return write(fake.file, fake.pattern, PATTERN_SIZE) == PATTERN_SIZE ? 0 : -1;
}

static int scene_group_teardown(void **state)
{
    (void)state;
    free(fake.pattern);
    return close(fake.file);
}

static inline void set_nodelay(int fd, sa_family_t family)
{
    int one = 1;
    if (family != AF_UNIX)
        assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
}

/* Listens, in this family, on an address that the system chooses. `buffer` is the size of the
 * sending buffers of what is accepted; 0: the system's. */
static inline void scene_open(struct scene *scene, sa_family_t family, int buffer)
{
    *scene = (struct scene){ .config = { .connections_max = 1000,
                                         .threads = 1,
                                         .send_turn = 1 << 16,
                                         .worker_queue = 100,
                                         .deadlines.drain_ms = 1000 },
                             .listen = { .text = "test" } };
    memset(&calls, 0, sizeof(calls));
    memset(&inject, 0, sizeof(inject));
    fake.opened = fake.closed = fake.expired = fake.ticks = fake.reopens = fake.sends_count = 0;
    fake.deadline_ms = UINT64_MAX;
    fake.reclaimable = 0;
    fake.makes_way = false;

    scene->address.ss_family = family;
    scene->address_len = family == AF_INET    ? sizeof(struct sockaddr_in)
                         : family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                              : sizeof(sa_family_t);
    if (family == AF_INET)
        ((struct sockaddr_in *)&scene->address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (family == AF_INET6)
        ((struct sockaddr_in6 *)&scene->address)->sin6_addr = in6addr_loopback;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (buffer > 0)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)), 0);
    set_nodelay(fd, family); /* as listeners_open() does; inherited */
    /* Of a unix socket without a name (autobind) the address is found out like the port. */
    assert_int_equal(bind(fd, (struct sockaddr *)&scene->address, scene->address_len), 0);
    assert_int_equal(listen(fd, 4096), 0);
    scene->address_len = sizeof(scene->address);
    getsockname(fd, (struct sockaddr *)&scene->address, &scene->address_len);

    scene->listener = (struct listener){ .fd = fd, .config = &scene->listen };
    scene->cfg = (struct engine_config){ .config = &scene->config,
                                         .limits = session_limits_of(&scene->config),
                                         .listeners = &scene->listener,
                                         .listeners_count = 1,
                                         .orders = &scene->orders };
}

/* Begins to serve; the configuration may have been changed before. */
static inline void scene_start(struct scene *scene)
{
    char why[200] = "";
    assert_int_equal(loop_create(&scene->cfg, &scene->options, why, sizeof(why), &scene->loop), 0);
    assert_int_equal(loop_offload_start(scene->loop), 0);
}

static inline void scene_begin(struct scene *scene)
{
    scene_open(scene, AF_INET, 0);
    scene_start(scene);
}

static inline void scene_end(struct scene *scene)
{
    loop_offload_stop(scene->loop);
    loop_destroy(scene->loop);
    assert_int_equal(fake.opened, fake.closed);
    listener_close(&scene->listener);
}

/* One turn of the loop, as loop_run() does it, but sleeping at most so long. The events. */
static inline int turn_within(struct scene *scene, int limit_ms)
{
    struct loop *loop = scene->loop;
    int timeout_ms = loop_timeout_ms(loop);
    if (timeout_ms < 0 || timeout_ms > limit_ms)
        timeout_ms = limit_ms;
    struct demultiplexer *d = loop->demultiplexer;
    int n = d->ops->wait(d, timeout_ms, loop->events, LOOP_EVENTS_MAX);
    if (n == -EINTR) /* as loop_run() has it */
        n = 0;
    assert_true(n >= 0);
    loop_turn(loop, n);
    return n;
}

/* Turns until nothing is left to do. */
static inline void settle(struct scene *scene)
{
    for (int quiet = 0; quiet < 2;)
        quiet = turn_within(scene, 2) == 0 && loop_timeout_ms(scene->loop) != 0 ? quiet + 1 : 0;
}

/* Without a loop that is running, a client is connected when its place in the backlog is taken. */
static inline int client_connect(const struct scene *scene)
{
    int fd = socket(scene->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&scene->address, scene->address_len), 0);
    set_nodelay(fd, scene->address.ss_family);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static inline void client_ask(int fd, const char *requests)
{
    assert_int_equal(write(fd, requests, strlen(requests)), strlen(requests));
}

/* Reads up to `size` octets while the loop turns; fewer when the connection ends. */
static inline size_t client_read(struct scene *scene, int fd, char *data, size_t size)
{
    size_t len = 0;
    int idle = 0;
    while (len < size) {
        ssize_t n = read(fd, data + len, size - len);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
        len += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        assert_true(idle < 5000); /* a hang */
        if (n < 0)
            turn_within(scene, 1);
    }
    return len;
}

/* Reads an answer of `head` octets 'H' and `len` octets of the pattern. */
static inline void client_expect(struct scene *scene, int fd, size_t head, size_t len)
{
    char *data = malloc(head + len + 1);
    assert_int_equal(client_read(scene, fd, data, head + len), head + len);
    for (size_t i = 0; i < head; i++)
        assert_int_equal(data[i], 'H');
    assert_memory_equal(data + head, fake.pattern, len);
    free(data);
}

/* The connection ends, cleanly or by a reset, and nothing more comes. */
static inline void client_expect_end(struct scene *scene, int fd)
{
    char octet;
    assert_int_equal(client_read(scene, fd, &octet, 1), 0);
}

static inline void client_reset(int fd)
{
    struct linger now = { .l_onoff = 1 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(fd);
}

#endif
