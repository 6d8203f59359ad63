/* proactor_fixture.h: one proactor under test, turned by hand, with everything around it in the
 * test's hand: sessions (fake_session.h), the sizes and abilities of its ring, clients, completions
 * that are counted, and places in the submission queue that can be withheld. Each test program
 * includes it once, and so includes the engine's .c files. */
#ifndef TESTS_UNIT_PROACTOR_FIXTURE_H
#define TESTS_UNIT_PROACTOR_FIXTURE_H

#include "engines/listen.h"
#include "engines/proactor/proactor_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "uring_missing.h"

static struct {
    unsigned completions, no_buffers, cancelled, submits, probes;
    unsigned sends_short; /* SENDs that sent less than they were given */
} seen;

static struct {
    unsigned no_place;      /* so many times the submission queue has no place */
    unsigned no_place_each; /* one of so many has none; 0: all have */
    bool room_first;        /* room is told of before what was sent in the same turn */
    unsigned misses;        /* so many probes find nothing in the page cache */
    uint64_t skew_ms;       /* added to the clock */
} inject;

static unsigned places; /* asked for so far */

static bool has_place(void)
{
    places++;
    if (inject.no_place > 0) {
        inject.no_place--;
        return false;
    }
    return inject.no_place_each == 0 || places % inject.no_place_each != 0;
}

static bool hooked_begin(struct processor *processor, const struct operation *operation,
                         void *token)
{
    return has_place() && processor_begin(processor, operation, token);
}

static bool hooked_cancel(struct processor *processor, int fd, void *token)
{
    return has_place() && processor_cancel(processor, fd, token);
}

static const struct proactor_op *op_of(const struct completion *completion)
{
    return completion->token;
}

/* Completions of one operation keep their order. */
static void put_room_first(struct completion *completions, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        struct completion completion = completions[i];
        unsigned to = i;
        if (op_of(&completion)->kind != PROACTOR_OP_ROOM)
            continue;
        for (; to > 0 && op_of(&completions[to - 1])->kind != PROACTOR_OP_ROOM; to--)
            completions[to] = completions[to - 1];
        completions[to] = completion;
    }
}

static unsigned hooked_take(struct processor *processor, struct completion *completions,
                            unsigned max)
{
    unsigned count = processor_take(processor, completions, max);
    seen.completions += count;
    if (inject.room_first)
        put_room_first(completions, count);
    for (unsigned i = 0; i < count; i++) {
        const struct proactor_op *op = op_of(&completions[i]);
        seen.no_buffers += completions[i].res == -ENOBUFS;
        seen.cancelled += op->kind == PROACTOR_OP_RECV && completions[i].res == -ECANCELED;
    }
    return count;
}

static ssize_t hooked_preadv2(int fd, const struct iovec *iov, int count, off_t off, int flags)
{
    seen.probes++;
    if (inject.misses > 0) {
        inject.misses--;
        errno = EAGAIN;
        return -1;
    }
    return preadv2(fd, iov, count, off, flags);
}

static void hooked_clock_update(struct clock *clock)
{
    clock_update(clock);
    clock->now_ms += inject.skew_ms;
}

#define processor_begin(p, o, token)  hooked_begin(p, o, token)
#define processor_cancel(p, fd, op)   hooked_cancel(p, fd, op)
#define processor_take(p, taken, max) hooked_take(p, taken, max)
#define preadv2(fd, iov, n, off, how) hooked_preadv2(fd, iov, n, off, how)
#define clock_update(clock)           hooked_clock_update(clock)

#include "engines/proactor/proactor_accept.c"
#include "engines/proactor/proactor_conn.c"
#include "engines/proactor/proactor_file.c"
#include "engines/proactor/proactor_loop.c"
#include "engines/proactor/proactor_recv.c"
#include "engines/proactor/proactor_room.c"
#include "engines/file_range.c"
#include "engines/file_send.c"
#include "engines/proactor/proactor_send.c"
#include "engines/proactor/proactor_splice.c"

/* ---- a proactor to test, and its clients ---- */

struct scene {
    struct config config;
    struct listen_config listen;
    struct listener listener;
    struct engine_orders orders;
    struct proactor_shared shared;
    struct sockaddr_in address;
    struct proactor *proactor;
    bool worker_runs;
};

static void nobody_else(void *context)
{
    (void)context;
}

/* What there is, in sizes so small that everything runs short. */
static inline struct processor_options tiny(struct processor_options options)
{
    options.entries = 2;
    options.completions = 4;
    options.buffers = 2;
    options.buffer_size = 16;
    return options;
}

/* A scene with that processor. Listens on an address that the system chooses. `buffer` is the size
 * of the sending buffers of what is accepted; 0: the system's. */
static inline void scene_open(struct scene *scene, enum processor_kind processor, int buffer)
{
    *scene = (struct scene){ .config = { .connections_max = 1000,
                                         .threads = 1,
                                         .send_turn = 1 << 16,
                                         .worker_queue = 100,
                                         .deadlines.drain_ms = 1000 },
                             .listen = { .text = "test", .kind = LISTEN_IPV4, .backlog = 100 } };
    memset(&seen, 0, sizeof(seen));
    memset(&inject, 0, sizeof(inject));
    char why[300] = "";
    scene->config.processor = processor;
    scene->shared.processor = processor_find(processor);
    int res = scene->shared.processor->probe(why, sizeof(why), &scene->shared.options);
    if (res < 0)
        uring_is_missing(res, why);
    socklen_t len = sizeof(scene->address);
    scene->address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    assert_true(fd >= 0);
    if (buffer > 0)
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&scene->address, len), 0);
    assert_int_equal(listen(fd, 4096), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&scene->address, &len), 0);
    scene->listener = (struct listener){ .fd = fd, .config = &scene->listen };
}

static inline void scene_start(struct scene *scene)
{
    char why[300] = "";
    scene->shared.config = &scene->config;
    scene->shared.orders = &scene->orders;
    scene->shared.wake_all = nobody_else;
    const struct session_limits limits = session_limits_of(&scene->config);
    if (proactor_create(&scene->shared, &limits, &scene->listener, 1, why, sizeof(why),
                        &scene->proactor) < 0)
        fail_msg("%s", why);
    struct proactor *p = scene->proactor;
    assert_int_equal(processor_enable(p->processor), 0);
    assert_int_equal(workers_start(p->workers), 0);
    clock_update(&p->clock);
    proactor_accept(p);
    arm_wake(p);
    proactor_workers_arm(p);
}

static inline void scene_end(struct scene *scene)
{
    struct list unrun;
    list_init(&unrun);
    inject.no_place = inject.no_place_each = 0;
    assert_int_equal(end_all(scene->proactor), 0);
    workers_stop(scene->proactor->workers, &unrun);
    assert_true(list_empty(&unrun));
    assert_int_equal(scene->proactor->kept_len, 0);
    proactor_destroy(scene->proactor);
    listener_close(&scene->listener);
}

/* One turn, as proactor_run() does it, but sleeping at most so long. The completions. */
static inline unsigned turn_within(struct scene *scene, int limit_ms)
{
    struct proactor *p = scene->proactor;
    unsigned before = seen.completions;
    int timeout_ms = timeout_ms_of(p);
    if (timeout_ms < 0 || timeout_ms > limit_ms)
        timeout_ms = limit_ms;
    assert_int_equal(processor_wait(p->processor, timeout_ms), 0);
    turn(p);
    return seen.completions - before;
}

/* Turns until nothing is left to do. */
static inline void settle(struct scene *scene)
{
    for (int quiet = 0; quiet < 3;)
        quiet = turn_within(scene, 5) == 0 && timeout_ms_of(scene->proactor) != 0 ? quiet + 1 : 0;
}

static inline int client_connect(const struct scene *scene)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&scene->address, sizeof(scene->address)),
                     0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static inline void client_ask(int fd, const char *requests)
{
    assert_int_equal(write(fd, requests, strlen(requests)), strlen(requests));
}

/* Reads up to `size` octets while the proactor turns; fewer when the connection ends. */
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
