/* test_processor.c: both processors through their table: the same operations, the same completions.
 * Those on files are in test_processor_files.c; what only a ring can meet is in test_uring.c. */
#include "processor_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/uio.h>

/* Octets that are there already, and octets that come later. */
static void recv_once(struct scene *scene)
{
    const struct operation recv = { OPERATION_RECV, .fd = scene->pair[0] };
    write_text(scene->pair[1], "early");
    begin(scene, &tokens[0], recv);
    struct completion completion = take_of(scene, &tokens[0], 5);
    assert_false((completion.flags & COMPLETION_MORE) != 0);
    expect_octets(scene, completion, "early");
    for (int i = 0; i < 3; i++) {
        begin(scene, &tokens[0], recv);
        expect_nothing(scene);
        write_text(scene->pair[1], "late");
        expect_octets(scene, take_of(scene, &tokens[0], 4), "late");
    }
    expect_nothing(scene);
}

/* One operation for all that comes, up to the end. */
static void recv_lasting(struct scene *scene)
{
    begin(scene, &tokens[0],
          (struct operation){ OPERATION_RECV, .lasting = true, .fd = scene->pair[0] });
    for (int i = 0; i < 3 * BUFFERS; i++) {
        char text[32];
        snprintf(text, sizeof(text), "message %d", i);
        write_text(scene->pair[1], text);
        struct completion completion = take_of(scene, &tokens[0], (int)strlen(text));
        assert_true((completion.flags & COMPLETION_MORE) != 0);
        expect_octets(scene, completion, text);
    }
    write_text(scene->pair[1], "last");
    close(scene->pair[1]);
    scene->pair[1] = -1;
    expect_octets(scene, take_of(scene, &tokens[0], 4), "last");
    struct completion end = take_of(scene, &tokens[0], 0);
    assert_false((end.flags & COMPLETION_MORE) != 0);
    expect_nothing(scene);
}

/* All buffers are out: a receive says so, ends, and finds one when one has come back. */
static void recv_no_buffers(struct scene *scene)
{
    const struct operation recv = { OPERATION_RECV, .lasting = true, .fd = scene->pair[0] };
    char octets[SIZE];
    struct completion last = { 0 };
    memset(octets, 'x', SIZE);
    begin(scene, &tokens[0], recv);
    for (int i = 0; i < BUFFERS; i++) {
        assert_int_equal(write(scene->pair[1], octets, SIZE), SIZE);
        last = take_of(scene, &tokens[0], SIZE);
    }
    write_text(scene->pair[1], "y");
    struct completion completion = take_of(scene, &tokens[0], -ENOBUFS);
    assert_false((completion.flags & COMPLETION_MORE) != 0);
    processor_give_back(scene->processor, completion_buffer(last.flags));
    begin(scene, &tokens[0], recv);
    expect_octets(scene, take_of(scene, &tokens[0], 1), "y");
    assert_true(processor_cancel(scene->processor, scene->pair[0], &tokens[0]));
    (void)take_of(scene, &tokens[0], -ECANCELED);
}

/* What waits can be cancelled, once, and begun again; what has completed is not cancelled. */
static void cancel_waiting(struct scene *scene)
{
    for (int lasting = 0; lasting < 2; lasting++) {
        begin(scene, &tokens[0],
              (struct operation){ OPERATION_RECV, .lasting = lasting, .fd = scene->pair[0] });
        expect_nothing(scene);
        assert_true(processor_cancel(scene->processor, scene->pair[0], &tokens[0]));
        struct completion completion = take_of(scene, &tokens[0], -ECANCELED);
        assert_int_equal(completion.flags, 0);
        expect_nothing(scene);
    }
    write_text(scene->pair[1], "z");
    begin(scene, &tokens[0], (struct operation){ OPERATION_RECV, .fd = scene->pair[0] });
    expect_octets(scene, take_of(scene, &tokens[0], 1), "z");
    assert_true(processor_cancel(scene->processor, scene->pair[0], &tokens[0]));
    expect_nothing(scene);
    begin(scene, &tokens[1],
          (struct operation){ OPERATION_POLL, .fd = scene->pair[0], .poll.events = POLLIN });
    assert_true(processor_cancel(scene->processor, scene->pair[0], &tokens[1]));
    (void)take_of(scene, &tokens[1], -ECANCELED);
}

/* Sends never wait: all, a part, EAGAIN, EPIPE. Room is told of by edges. */
static void send_and_room(struct scene *scene)
{
    enum { LARGE = 1 << 22 };
    char *octets = calloc(1, LARGE), *read_back = malloc(LARGE);
    const struct iovec pieces[] = { { (void *)(uintptr_t) "ab", 2 }, { octets, 3 } };
    const struct operation two = { OPERATION_SEND, .fd = scene->pair[0],
                                   .send = { .iov = pieces, .iovcnt = 2, .more = true } };
    begin(scene, &tokens[0], two);
    (void)take_of(scene, &tokens[0], 5);
    assert_int_equal(read(scene->pair[1], read_back, LARGE), 5);
    assert_memory_equal(read_back, "ab\0\0\0", 5);

    const struct iovec all = { octets, LARGE };
    const struct operation much = { OPERATION_SEND, .fd = scene->pair[0],
                                    .send = { .iov = &all, .iovcnt = 1 } };
    begin(scene, &tokens[0], much);
    struct completion sent = take_one(scene);
    assert_in_range(sent.res, 1, LARGE - 1);
    begin(scene, &tokens[0], much);
    (void)take_of(scene, &tokens[0], -EAGAIN);

    begin(scene, &tokens[1],
          (struct operation){ OPERATION_POLL, .lasting = true, .fd = scene->pair[0],
                              .poll.events = POLLOUT });
    expect_nothing(scene);
    for (int round = 0; round < 2; round++) {
        while (recv(scene->pair[1], read_back, LARGE, MSG_DONTWAIT) > 0)
            ;
        struct completion room = take_one(scene);
        assert_ptr_equal(room.token, &tokens[1]);
        assert_true((room.res & POLLOUT) != 0 && (room.flags & COMPLETION_MORE) != 0);
        do { /* several edges may have come of several reads */
            assert_int_equal(processor_wait(scene->processor, QUIET_MS), 0);
        } while (processor_take(scene->processor, &room, 1) > 0);
        begin(scene, &tokens[0], much);
        assert_in_range(take_one(scene).res, 1, LARGE - 1);
    }
    close(scene->pair[1]);
    scene->pair[1] = -1;
    struct completion gone = take_one(scene);
    assert_ptr_equal(gone.token, &tokens[1]);
    assert_true((gone.res & (POLLHUP | POLLERR)) != 0);
    assert_true(processor_cancel(scene->processor, scene->pair[0], &tokens[1]));
    do
        gone = take_one(scene);
    while ((gone.flags & COMPLETION_MORE) != 0);
    assert_int_equal(gone.res, -ECANCELED);
    begin(scene, &tokens[0], two);
    (void)take_of(scene, &tokens[0], -EPIPE);
    free(octets);
    free(read_back);
}

/* A peer that has ended its side, and does not read: nothing completes again and again. */
static void room_after_the_end(struct scene *scene)
{
    enum { LARGE = 1 << 22 };
    char *octets = calloc(1, LARGE);
    const struct iovec all = { octets, LARGE };
    assert_int_equal(shutdown(scene->pair[1], SHUT_WR), 0);
    begin(scene, &tokens[0],
          (struct operation){ OPERATION_SEND, .fd = scene->pair[0],
                              .send = { .iov = &all, .iovcnt = 1 } });
    assert_true(take_one(scene).res > 0);
    begin(scene, &tokens[1],
          (struct operation){ OPERATION_POLL, .lasting = true, .fd = scene->pair[0],
                              .poll.events = POLLOUT });
    struct completion completion;
    assert_int_equal(processor_wait(scene->processor, QUIET_MS), 0);
    if (processor_take(scene->processor, &completion, 1) > 0)
        assert_int_equal(completion.res & (POLLOUT | POLLERR | POLLHUP), 0);
    expect_nothing(scene);
    assert_true(processor_cancel(scene->processor, scene->pair[0], &tokens[1]));
    (void)take_of(scene, &tokens[1], -ECANCELED);
    free(octets);
}

/* For one completion: what is there already, and what comes later. */
static void poll_once(struct scene *scene)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    uint64_t one = 1;
    const struct operation watch = { OPERATION_POLL, .fd = fd, .poll.events = POLLIN };
    for (int i = 0; i < 3; i++) {
        begin(scene, &tokens[0], watch);
        expect_nothing(scene);
        assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
        struct completion completion = take_of(scene, &tokens[0], POLLIN);
        assert_int_equal(completion.flags, 0);
        begin(scene, &tokens[0], watch); /* it was not read */
        (void)take_of(scene, &tokens[0], POLLIN);
        assert_int_equal(read(fd, &one, sizeof(one)), sizeof(one));
    }
    processor_forget(scene->processor, fd);
    close(fd);
}

static int listen_anywhere(struct sockaddr_in *ret_address)
{
    socklen_t len = sizeof(*ret_address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *ret_address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(bind(fd, (struct sockaddr *)ret_address, len), 0);
    assert_int_equal(listen(fd, 100), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &len), 0);
    return fd;
}

static int connect_to(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
    return fd;
}

/* Connections that wait already, and that come later; close-on-exec and O_NONBLOCK. */
static void accept_both_ways(struct scene *scene)
{
    enum { CLIENTS = 40 };
    struct sockaddr_in address;
    int clients[CLIENTS], listener = listen_anywhere(&address);
    for (int lasting = 0; lasting < 2; lasting++) {
        const struct operation accept = { OPERATION_ACCEPT, .lasting = lasting, .fd = listener };
        for (int i = 0; i < CLIENTS / 2; i++)
            clients[i] = connect_to(&address);
        for (int i = 0; i < CLIENTS; i++) {
            if (!lasting || i == 0)
                begin(scene, &tokens[0], accept);
            if (i >= CLIENTS / 2)
                clients[i] = connect_to(&address);
            struct completion completion = take_one(scene);
            assert_ptr_equal(completion.token, &tokens[0]);
            assert_true(completion.res >= 0);
            assert_int_equal((completion.flags & COMPLETION_MORE) != 0, lasting);
            assert_int_equal(fcntl(completion.res, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
            assert_int_equal(fcntl(completion.res, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
            close(completion.res);
        }
        if (!lasting)
            begin(scene, &tokens[0], accept);
        expect_nothing(scene);
        assert_true(processor_cancel(scene->processor, listener, &tokens[0]));
        (void)take_of(scene, &tokens[0], -ECANCELED);
        for (int i = 0; i < CLIENTS; i++)
            close(clients[i]);
    }
    processor_forget(scene->processor, listener);
    close(listener);
}

/* A client waits, and no descriptor is left: told, and it is not lost. */
static void accept_without_descriptors(struct scene *scene)
{
    struct sockaddr_in address;
    int listener = listen_anywhere(&address), client = connect_to(&address);
    struct rlimit limit, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const struct operation accept = { OPERATION_ACCEPT, .lasting = true, .fd = listener };
    begin(scene, &tokens[0], accept);
    struct completion completion = take_one(scene);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(completion.res, -EMFILE);
    assert_int_equal(completion.flags, 0);
    begin(scene, &tokens[0], accept);
    completion = take_one(scene);
    assert_true(completion.res >= 0);
    close(completion.res);
    assert_true(processor_cancel(scene->processor, listener, &tokens[0]));
    (void)take_of(scene, &tokens[0], -ECANCELED);
    processor_forget(scene->processor, listener);
    close(listener);
    close(client);
}

/* A number that is used again, after its connection was closed in the midst of an operation. */
static void numbers_come_again(struct scene *scene)
{
    for (int i = 0; i < 20; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        begin(scene, &tokens[2], (struct operation){ OPERATION_RECV, .fd = pair[0] });
        expect_nothing(scene);
        if (i % 2 == 0) {
            write_text(pair[1], "x");
            expect_octets(scene, take_of(scene, &tokens[2], 1), "x");
            begin(scene, &tokens[2],
                  (struct operation){ OPERATION_RECV, .lasting = true, .fd = pair[0] });
        }
        assert_true(processor_cancel(scene->processor, pair[0], &tokens[2]));
        (void)take_of(scene, &tokens[2], -ECANCELED);
        processor_forget(scene->processor, pair[0]);
        close(pair[0]);
        assert_int_equal(read(pair[1], tokens, 1), 0); /* the end has reached the peer */
        close(pair[1]);
    }
}

/* It sleeps for as long as it is told, and wakes nobody. */
static void wait_is_over(struct scene *scene)
{
    struct completion completion;
    for (int timeout_ms = 0; timeout_ms < 3; timeout_ms++) {
        assert_int_equal(processor_wait(scene->processor, timeout_ms), 0);
        assert_int_equal(processor_take(scene->processor, &completion, 1), 0);
    }
}

/* What is known of descriptors is kept by their number, however high that is. */
static void high_numbers(struct scene *scene)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int highest = limit.rlim_cur > 20000 ? 20000 : (int)limit.rlim_cur - 1;
    int fd = fcntl(scene->pair[0], F_DUPFD_CLOEXEC, highest);
    assert_int_equal(fd, highest);
    begin(scene, &tokens[0], (struct operation){ OPERATION_RECV, .fd = fd });
    expect_nothing(scene);
    write_text(scene->pair[1], "high");
    expect_octets(scene, take_of(scene, &tokens[0], 4), "high");
    processor_forget(scene->processor, fd);
    close(fd);
}

BOTH(recv_once)
BOTH(recv_lasting)
BOTH(recv_no_buffers)
BOTH(cancel_waiting)
BOTH(send_and_room)
BOTH(room_after_the_end)
BOTH(poll_once)
BOTH(accept_both_ways)
BOTH(accept_without_descriptors)
BOTH(numbers_come_again)
BOTH(wait_is_over)
BOTH(high_numbers)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recv_once),
        cmocka_unit_test(test_recv_lasting),
        cmocka_unit_test(test_recv_no_buffers),
        cmocka_unit_test(test_cancel_waiting),
        cmocka_unit_test(test_send_and_room),
        cmocka_unit_test(test_room_after_the_end),
        cmocka_unit_test(test_poll_once),
        cmocka_unit_test(test_accept_both_ways),
        cmocka_unit_test(test_accept_without_descriptors),
        cmocka_unit_test(test_numbers_come_again),
        cmocka_unit_test(test_wait_is_over),
        cmocka_unit_test(test_high_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
