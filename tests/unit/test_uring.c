/* test_uring.c: a ring's provided buffers: whose they are, and when. */
#include <liburing.h>

static unsigned entered_flags;  /* of the last io_uring_enter(2) */
static unsigned entered;        /* so many of them */
static unsigned entered_wanted; /* the last one waited for so many */

static int hooked_enter2(unsigned fd, unsigned submit, unsigned wanted, unsigned flags,
                         sigset_t *arg, size_t size)
{
    entered++;
    entered_flags = flags;
    entered_wanted = wanted;
    return io_uring_enter2(fd, submit, wanted, flags, arg, size);
}

#define io_uring_enter2(fd, submit, wanted, flags, arg, size)                                      \
    hooked_enter2(fd, submit, wanted, flags, arg, size)

#include "engines/proactor/uring.c"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "uring_missing.h"

enum { BUFFERS = 4, SIZE = 64 };

static void open_ring(struct uring *u)
{
    char why[300] = "";
    struct processor_options options;
    int res = uring_probe(why, sizeof(why), &options);
    if (res < 0)
        uring_is_missing(res, why);
    options.buffers = BUFFERS;
    options.buffer_size = SIZE;
    assert_int_equal(uring_open(u, &options, why, sizeof(why)), 0);
    assert_int_equal(uring_enable(u), 0);
}

static void assert_ours(const struct uring *u, unsigned id, bool ours)
{
#ifdef POISON_WORKS
    for (unsigned i = 0; i < SIZE; i++)
        assert_int_equal(IS_POISONED(uring_buffer(u, id) + i), !ours);
#else
    (void)u;
    (void)id;
    (void)ours;
#endif
}

/* Each message goes into a buffer of its own, which is ours until it is given back. */
static void test_buffers(void **state)
{
    (void)state;
    struct uring u;
    int pair[2];
    open_ring(&u);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    for (unsigned id = 0; id < BUFFERS; id++)
        assert_ours(&u, id, false);
    for (unsigned round = 0; round < 3 * BUFFERS; round++) {
        struct io_uring_sqe *sqe = uring_sqe(&u);
        assert_non_null(sqe);
        io_uring_prep_recv(sqe, pair[0], NULL, SIZE, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = BUFFER_GROUP;
        sqe->user_data = 1;
        char text[16];
        int len = snprintf(text, sizeof(text), "message %u", round);
        assert_int_equal(write(pair[1], text, (size_t)len), len);

        struct completion completion;
        assert_int_equal(uring_wait(&u, 5000), 0);
        assert_int_equal(uring_take(&u, &completion, 1), 1);
        assert_int_equal(completion.res, len);
        assert_true((completion.flags & COMPLETION_BUFFER) != 0);
        unsigned id = completion_buffer(completion.flags);
        assert_ours(&u, id, true);
        assert_ours(&u, (id + 1) % BUFFERS, false);
        assert_memory_equal(uring_buffer(&u, id), text, (size_t)len);
        uring_return_buffer(&u, id);
        assert_ours(&u, id, false);
        uring_show_buffers(&u);
    }
    close(pair[0]);
    close(pair[1]);
    uring_close(&u);
}

/* All buffers are out: a receive says so, and finds one when one has come back. */
static void test_no_buffers(void **state)
{
    (void)state;
    struct uring u;
    int pair[2];
    struct completion completion;
    open_ring(&u);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    unsigned last = 0;
    for (unsigned round = 0; round <= BUFFERS + 1; round++) {
        struct io_uring_sqe *sqe = uring_sqe(&u);
        assert_non_null(sqe);
        io_uring_prep_recv(sqe, pair[0], NULL, SIZE, 0);
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = BUFFER_GROUP;
        sqe->user_data = 1;
        if (round <= BUFFERS)
            assert_int_equal(write(pair[1], "x", 1), 1);
        assert_int_equal(uring_wait(&u, 5000), 0);
        assert_int_equal(uring_take(&u, &completion, 1), 1);
        if (round == BUFFERS) {
            assert_int_equal(completion.res, -ENOBUFS);
            uring_return_buffer(&u, last);
            uring_show_buffers(&u);
        } else {
            assert_int_equal(completion.res, 1);
            last = completion_buffer(completion.flags);
        }
    }
    close(pair[0]);
    close(pair[1]);
    uring_close(&u);
}

/* One call submits and waits, and says, where the kernel can be told, that this is no wait for a
 * disk. What is there already is taken without a call. */
static void test_one_call(void **state)
{
    (void)state;
    struct uring u;
    struct completion completion;
    open_ring(&u);
    bool can_say = (u.ring.features & IORING_FEAT_NO_IOWAIT) != 0;
    assert_int_equal(u.options.no_iowait, can_say);
    entered = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct io_uring_sqe *sqe = uring_sqe(&u);
        assert_non_null(sqe);
        io_uring_prep_nop(sqe);
        sqe->user_data = i + 1;
    }
    assert_int_equal(uring_wait(&u, -1), 0);
    assert_int_equal(entered, 1);
    assert_int_equal((entered_flags & IORING_ENTER_NO_IOWAIT) != 0, can_say);
    assert_int_equal(uring_take(&u, &completion, 1), 1);
    assert_int_equal((uintptr_t)completion.token, 1);
    assert_int_equal(uring_wait(&u, -1), 0);
    assert_int_equal(entered, 1);
    assert_int_equal(uring_take(&u, &completion, 1), 1);
    assert_int_equal((uintptr_t)completion.token, 2);
    assert_int_equal(uring_wait(&u, 1), 0); /* the time is over */
    assert_int_equal(uring_wait(&u, 0), 0);
    assert_int_equal(entered, 3);
    assert_int_equal(uring_take(&u, &completion, 1), 0);
    uring_close(&u);
}

static void begin_nops(struct uring *u, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct io_uring_sqe *sqe = uring_sqe(u);
        assert_non_null(sqe);
        io_uring_prep_nop(sqe);
        sqe->user_data = i + 1;
    }
}

/* A wait stays for several, where the kernel can, but ends when its patience does; and where it is
 * not to wait, or the kernel cannot, one is enough. */
static void test_batch(void **state)
{
    (void)state;
    struct uring u;
    struct completion completions[8];
    open_ring(&u);
    bool can = (u.ring.features & IORING_FEAT_MIN_TIMEOUT) != 0;
    assert_int_equal(u.options.min_wait, can);
    begin_nops(&u, 4); /* as many as are waited for */
    assert_int_equal(uring_wait_batch(&u, -1, (struct processor_batch){ 4, 60000000 }), 0);
    assert_int_equal(entered_wanted, can ? 4 : 1);
    assert_int_equal(uring_take(&u, completions, 8), 4);
    begin_nops(&u, 2); /* fewer: a wait that heeds no patience would not end */
    assert_int_equal(uring_wait_batch(&u, -1, (struct processor_batch){ 4, 1000 }), 0);
    assert_int_equal(entered_wanted, can ? 4 : 1);
    assert_int_equal(uring_take(&u, completions, 8), 2);
    begin_nops(&u, 2);
    assert_int_equal(uring_wait_batch(&u, 0, (struct processor_batch){ 4, 60000000 }), 0);
    assert_int_equal(entered_wanted, 0);
    assert_int_equal(uring_take(&u, completions, 8), 2);
    u.options.min_wait = false;
    begin_nops(&u, 2);
    assert_int_equal(uring_wait_batch(&u, -1, (struct processor_batch){ 4, 60000000 }), 0);
    assert_int_equal(entered_wanted, 1);
    assert_int_equal(uring_take(&u, completions, 8), 2);
    uring_close(&u);
}

/* Entries of /proc/self/task. */
static unsigned tasks(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

/* Operations that wait for ever, each on a kernel thread: those have a limit, and the rest wait for
 * a thread. All of them end. */
static void test_workers_max(void **state)
{
    (void)state;
    enum { BLOCKED = URING_WORKERS_MAX + 40 };
    struct uring u;
    static int pipes[BLOCKED][2];
    open_ring(&u);
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(out >= 0);
    unsigned before = tasks(), most = 0;
    for (unsigned i = 0; i < BLOCKED; i++) {
        struct io_uring_sqe *sqe = uring_sqe(&u);
        assert_non_null(sqe);
        assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
        io_uring_prep_splice(sqe, pipes[i][0], -1, out, -1, 1, 0);
        sqe->user_data = 1;
    }
    for (int i = 0; i < 300 && most < before + URING_WORKERS_MAX; i++) {
        assert_int_equal(uring_wait(&u, 10), 0);
        most = tasks() > most ? tasks() : most;
    }
    for (int i = 0; i < 10; i++) {
        assert_int_equal(uring_wait(&u, 10), 0);
        most = tasks() > most ? tasks() : most;
    }
    /* Not all of them: a process may be allowed fewer threads. */
    assert_in_range(most, before + 2, before + URING_WORKERS_MAX);
    for (unsigned i = 0; i < BLOCKED; i++)
        close(pipes[i][1]);
    for (unsigned done = 0; done < BLOCKED;) {
        struct completion completions[BLOCKED];
        assert_int_equal(uring_wait(&u, 5000), 0);
        unsigned n = uring_take(&u, completions, BLOCKED);
        assert_true(n > 0);
        done += n;
    }
    for (unsigned i = 0; i < BLOCKED; i++)
        close(pipes[i][0]);
    close(out);
    uring_close(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffers),     cmocka_unit_test(test_no_buffers),
        cmocka_unit_test(test_one_call),    cmocka_unit_test(test_batch),
        cmocka_unit_test(test_workers_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
