/* test_uring.c: whose the provided buffers are, and the sentence for every way in which io_uring
 * can be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "engines/uring.c"

/* A ring as the kernel takes it, with four buffers of 16 octets; skips where there is none. */
static void open_ring(struct uring *u)
{
    char why[512];
    struct uring_options options;
    if (uring_probe(why, sizeof(why), &options) < 0) {
        print_message("io_uring cannot run here: %s\n", why);
        skip();
    }
    options.entries = 8;
    options.completions = 16;
    options.buffers = 4;
    options.buffer_size = 16;
    if (uring_open(u, &options, why, sizeof(why)) < 0)
        fail_msg("%s", why);
    assert_int_equal(uring_enable(u), 0);
}

static bool is_foreign(const void *octet)
{
#ifdef POISON_ASAN
    return IS_POISONED(octet) != 0;
#else
    (void)octet;
    return true;
#endif
}

static void test_buffers(void **state)
{
    (void)state;
    struct uring u;
    open_ring(&u);
    for (unsigned id = 0; id < 4; id++)
        assert_true(is_foreign(buffer_at(&u, id)));

    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct io_uring_sqe *sqe = uring_sqe(&u);
    assert_non_null(sqe);
    uring_prep_recv(&u, sqe, pair[0]);
    assert_int_equal(write(pair[1], "octets", 6), 6);
    assert_int_equal(uring_wait(&u, 1000), 0);
    struct io_uring_cqe cqe;
    assert_int_equal(uring_take(&u, &cqe, 1), 1);
    assert_int_equal(cqe.res, 6);
    assert_true((cqe.flags & IORING_CQE_F_BUFFER) != 0);

    unsigned id = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
    assert_memory_equal(uring_take_buffer(&u, id), "octets", 6);
    uring_return_buffer(&u, id);
    uring_show_buffers(&u);
    assert_true(is_foreign(buffer_at(&u, id)));
    close(pair[1]);
    close(pair[0]);
    uring_close(&u);
    uring_close(&u); /* does nothing */
}

/* A place of the queue is had again and again, though nobody waits for completions. */
static void test_full_queue(void **state)
{
    (void)state;
    struct uring u;
    open_ring(&u);
    unsigned begun = 0;
    for (; begun < 12; begun++) {
        struct io_uring_sqe *sqe = uring_sqe(&u);
        assert_non_null(sqe);
        assert_ptr_equal(uring_message(&u, sqe), &u.messages[begun % 8]);
        io_uring_prep_nop(sqe);
        sqe->user_data = begun;
    }
    assert_int_equal(uring_wait(&u, 1000), 0);
    struct io_uring_cqe cqes[16];
    assert_int_equal(uring_take(&u, cqes, 16), begun);
    for (unsigned i = 0; i < begun; i++)
        assert_int_equal(cqes[i].user_data, i);
    uring_close(&u);
}

static void test_sentences(void **state)
{
    (void)state;
    static const struct {
        const char *call;
        int error;
        const char *part;
    } cases[] = {
        { "io_uring_setup", ENOMEM, "LimitMEMLOCK=; about 128 KiB for each of the threads" },
        { "io_uring_setup", EINVAL, "no COOP_TASKRUN (Linux 5.19 has it); take another engine" },
        { "io_uring_enter", EBADR, "io_uring_enter: " },
        { "io_uring_register", ENOMEM, "io_uring_register: Cannot allocate memory: " },
    };
    char why[512];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uring_explain(cases[i].call, cases[i].error, why, sizeof(why));
        assert_non_null(strstr(why, cases[i].part));
        assert_non_null(strstr(why, "take another engine"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffers),
        cmocka_unit_test(test_full_queue),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
