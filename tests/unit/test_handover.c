/* test_handover.c: handover.h between two ends in one process: what is taken, refused, cut, given
 * up and withdrawn. */
#include "engines/handover_send.c"

#include "core/check.h"
#include "few_descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

enum { PAIRS = 5 };

static struct listen_config listens[3] = { { .tls = false }, { .tls = false }, { .tls = true } };
static const struct config config = { .listens = listens, .listens_count = 3 };

/* What is handed over, and who takes it, in a thread. */
static struct scene {
    struct handover *h;
    int inbox;
    int near[PAIRS], far[PAIRS]; /* connections: the server's end, the client's */
    struct handover_conn conns[PAIRS];
    unsigned room;
    struct handover_conn taken[HANDOVER_MAX];
    int res;
    pthread_t thread;
} scene;

static int open_scene(void **state)
{
    (void)state;
    scene = (struct scene){ .room = HANDOVER_MAX };
    assert_int_equal(handover_create(3, &scene.h, &scene.inbox), 0);
    handover_map(scene.h, 0, 1);
    handover_map(scene.h, 1, 0);
    handover_map(scene.h, 2, 2);
    for (int i = 0; i < PAIRS; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        scene.near[i] = ends[0];
        scene.far[i] = ends[1];
        scene.conns[i] =
            (struct handover_conn){ .fd = ends[0],
                                    .state = { .listen = &listens[0],
                                               .peer = { .family = PEER_IPV4,
                                                         .addr = { 192, 0, 2, (uint8_t)i },
                                                         .port = (uint16_t)(1000 + i) },
                                               .requests = (uint32_t)(10 + i),
                                               .since_ms = (uint64_t)(100 + i) } };
    }
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    for (int i = 0; i < PAIRS; i++) {
        close(scene.near[i]);
        close(scene.far[i]);
    }
    for (int i = 0; i < scene.res; i++)
        close(scene.taken[i].fd);
    if (scene.inbox >= 0)
        close(scene.inbox);
    handover_destroy(scene.h);
    return 0;
}

static void *receive_one(void *context)
{
    (void)context;
    struct pollfd polled = { .fd = scene.inbox, .events = POLLIN };
    assert_int_equal(poll(&polled, 1, 10000), 1);
    scene.res = handover_receive(scene.inbox, &config, scene.room, true, scene.taken);
    return NULL;
}

static int send_to_thread(unsigned count, uint64_t *ret_taken)
{
    assert_int_equal(pthread_create(&scene.thread, NULL, receive_one, NULL), 0);
    int res = handover_send(scene.h, &config, scene.conns, count, ret_taken);
    assert_int_equal(pthread_join(scene.thread, NULL), 0);
    return res;
}

/* The far end of connection `index` is heard at `fd`. */
static void assert_connected(int index, int fd)
{
    char byte = (char)('a' + index), got = 0;
    assert_int_equal(write(scene.far[index], &byte, 1), 1);
    assert_int_equal(read(fd, &got, 1), 1);
    assert_int_equal(got, byte);
}

static void all_of_it_arrives(void **state)
{
    (void)state;
    uint64_t taken = 0;
    assert_int_equal(send_to_thread(PAIRS, &taken), 0);
    assert_int_equal(taken, 0x1f);
    assert_int_equal(scene.res, PAIRS);
    for (int i = 0; i < PAIRS; i++) {
        const struct handover_conn *conn = &scene.taken[i];
        assert_ptr_equal(conn->state.listen, &listens[1]);
        assert_int_equal(conn->state.requests, 10 + i);
        assert_int_equal(conn->state.since_ms, 100 + i);
        assert_memory_equal(&conn->state.peer.addr, &scene.conns[i].state.peer.addr, 16);
        assert_int_equal(conn->state.peer.port, 1000 + i);
        assert_int_equal(conn->state.peer.family, PEER_IPV4);
        assert_int_equal(fcntl(conn->fd, F_GETFL) & (O_NONBLOCK | O_ASYNC), O_NONBLOCK);
        assert_int_equal(fcntl(conn->fd, F_GETFD), FD_CLOEXEC);
        assert_connected(i, conn->fd);
    }
}

static void what_has_no_room_stays(void **state)
{
    (void)state;
    uint64_t taken = 0;
    scene.room = 2;
    assert_int_equal(send_to_thread(PAIRS, &taken), 0);
    assert_int_equal(taken, 3);
    assert_int_equal(scene.res, 2);
    scene.taken[2] = scene.conns[2];
    for (int i = 0; i < 3; i++)
        assert_connected(i, scene.taken[i].fd);
}

/* Nothing is refused for good: the same connections again. */
static void room_may_come_later(void **state)
{
    (void)state;
    uint64_t taken = 1;
    scene.room = 0;
    assert_int_equal(send_to_thread(1, &taken), 0);
    assert_int_equal(taken, 0);
    scene.room = 1;
    assert_int_equal(send_to_thread(1, &taken), 0);
    assert_int_equal(taken, 1);
}

static void addresses_that_are_gone_or_encrypted_are_refused(void **state)
{
    (void)state;
    uint64_t taken = 0;
    handover_map(scene.h, 1, -1);
    assert_false(handover_has_address(scene.h, &config, &listens[1]));
    assert_true(handover_has_address(scene.h, &config, &listens[0]));
    scene.conns[1].state.listen = &listens[2]; /* TLS, there */
    handover_map(scene.h, 0, 77);
    scene.conns[2].state.listen = &listens[0]; /* out of bounds, there */
    assert_int_equal(send_to_thread(3, &taken), 0);
    assert_int_equal(taken, 0);
    assert_int_equal(scene.res, 0);
}

static void a_successor_that_is_gone_is_given_up(void **state)
{
    (void)state;
    uint64_t taken = 1;
    close(scene.inbox);
    scene.inbox = -1;
    assert_true(handover_send(scene.h, &config, scene.conns, 1, &taken) < 0);
    assert_int_equal(taken, 0);
    assert_true(handover_send(scene.h, &config, scene.conns, 1, &taken) < 0);
    assert_connected(0, scene.near[0]);
}

/* It holds the sender for a second in all, and finds nothing to take when it goes on. */
static void a_successor_that_hangs_gets_nothing(void **state)
{
    (void)state;
    uint64_t taken = 1, before_ms = clock_monotonic_ms();
    assert_int_equal(handover_send(scene.h, &config, scene.conns, 2, &taken), -ETIMEDOUT);
    assert_int_equal(taken, 0);
    assert_true(clock_monotonic_ms() - before_ms >= HANDOVER_ACK_MS);
    for (int i = 0; i < 100; i++) /* each would take a second */
        assert_int_equal(handover_send(scene.h, &config, scene.conns, 1, &taken), -ETIMEDOUT);
    assert_int_equal(handover_receive(scene.inbox, &config, HANDOVER_MAX, true, scene.taken), 0);
    assert_int_equal(handover_receive(scene.inbox, &config, HANDOVER_MAX, true, scene.taken),
                     -EPIPE);
    assert_connected(0, scene.near[0]);
    assert_connected(1, scene.near[1]);
}

static void the_end_is_told(void **state)
{
    (void)state;
    assert_int_equal(handover_receive(scene.inbox, &config, 1, true, scene.taken), -EAGAIN);
    handover_close_end(scene.h);
    assert_int_equal(handover_receive(scene.inbox, &config, 1, true, scene.taken), -EPIPE);
}

/* Sends all while the process can have `more` descriptors. */
static uint64_t taken_with(unsigned more)
{
    struct rlimit old;
    uint64_t taken = 0;
    assert_true(few_descriptors(more, &old));
    int res = send_to_thread(PAIRS, &taken);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(res, 0);
    return taken;
}

/* What would take the last ones stays, whether all have come or not (MSG_CTRUNC). */
static void descriptors_run_out(void **state)
{
    (void)state;
    assert_int_equal(taken_with(2), 0);
    assert_int_equal(taken_with(PAIRS), 0);
    assert_int_equal(taken_with(HANDOVER_SPARE + 2), 3);
    assert_int_equal(scene.res, 2);
    for (int i = 0; i < PAIRS; i++)
        assert_connected(i, i < 2 ? scene.taken[i].fd : scene.near[i]);
}

static void *answer_wrongly(void *context)
{
    const struct handover_ack *ack = context;
    struct handover_message message;
    struct pollfd polled = { .fd = scene.inbox, .events = POLLIN };
    assert_int_equal(poll(&polled, 1, 10000), 1);
    assert_true(recv(scene.inbox, &message, sizeof(message), 0) > 0);
    struct handover_ack right = *ack;
    right.number = message.head.number;
    const struct handover_ack other = { .version = HANDOVER_VERSION,
                                        .number = message.head.number + 7,
                                        .taken = UINT64_MAX };
    assert_int_equal(send(scene.inbox, "short", 5, 0), 5);
    assert_int_equal(send(scene.inbox, &other, sizeof(other), 0), sizeof(other));
    assert_int_equal(send(scene.inbox, &right, sizeof(right), 0), sizeof(right));
    return NULL;
}

/* An answer to another message, or in words that are not known, takes nothing; nor do bits of
 * connections that were not sent. */
static void answers_are_judged(void **state)
{
    (void)state;
    uint64_t taken = 0;
    struct handover_ack ack = { .version = HANDOVER_VERSION, .taken = UINT64_MAX };
    assert_int_equal(pthread_create(&scene.thread, NULL, answer_wrongly, &ack), 0);
    assert_int_equal(handover_send(scene.h, &config, scene.conns, 2, &taken), 0);
    assert_int_equal(pthread_join(scene.thread, NULL), 0);
    assert_int_equal(taken, 3);
    ack.version = HANDOVER_VERSION + 1;
    assert_int_equal(pthread_create(&scene.thread, NULL, answer_wrongly, &ack), 0);
    assert_int_equal(handover_send(scene.h, &config, scene.conns, 2, &taken), 0);
    assert_int_equal(pthread_join(scene.thread, NULL), 0);
    assert_int_equal(taken, 0);
}

/* A message that is not whole, or of another version, is refused with all that it brings. */
static void unknown_messages_are_refused(void **state)
{
    (void)state;
    struct handover_message message;
    struct handover_ack ack;
    compose(scene.h, &config, scene.conns, 2, &message);
    message.head.version++;
    assert_int_equal(send_once(scene.h, &message, scene.conns), 0);
    assert_int_equal(handover_receive(scene.inbox, &config, 9, true, scene.taken), 0);
    assert_int_equal(recv(scene.h->fd, &ack, sizeof(ack), 0), sizeof(ack));
    assert_int_equal(ack.taken, 0);
    assert_int_equal(ack.number, message.head.number);
    compose(scene.h, &config, scene.conns, 2, &message);
    message.records[0].flags = 1;
    assert_int_equal(send_once(scene.h, &message, scene.conns), 0);
    assert_int_equal(handover_receive(scene.inbox, &config, 9, true, scene.taken), 1);
    close(scene.taken[0].fd);
    assert_int_equal(recv(scene.h->fd, &ack, sizeof(ack), 0), sizeof(ack));
    assert_int_equal(ack.taken, 2);
    assert_int_equal(send(scene.h->fd, "ab", 2, 0), 2);
    assert_int_equal(handover_receive(scene.inbox, &config, 9, true, scene.taken), 0);
}

/* A child that dies between its message and the answer leaves the lock to the others. */
static void a_sender_may_die(void **state)
{
    (void)state;
    uint64_t taken = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct handover_message message;
        lock(scene.h);
        compose(scene.h, &config, scene.conns, 1, &message);
        MUST(send_once(scene.h, &message, scene.conns) == 0);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(handover_receive(scene.inbox, &config, 9, true, scene.taken), 1);
    close(scene.taken[0].fd);
    assert_int_equal(send_to_thread(2, &taken), 0);
    assert_int_equal(taken, 3);
}

int main(void)
{
    log_take(open("/dev/null", O_WRONLY | O_CLOEXEC), NULL, geteuid(), LOG_ERROR);
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(all_of_it_arrives),
        TEST(what_has_no_room_stays),
        TEST(room_may_come_later),
        TEST(addresses_that_are_gone_or_encrypted_are_refused),
        TEST(a_successor_that_is_gone_is_given_up),
        TEST(a_successor_that_hangs_gets_nothing),
        TEST(the_end_is_told),
        TEST(descriptors_run_out),
        TEST(answers_are_judged),
        TEST(unknown_messages_are_refused),
        TEST(a_sender_may_die),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
