/* test_file_executor.c: the executors of file reads, each against a file on the disk: what is read,
 * at any offset and at the end; more reads than may be in flight; refusals by the kernel or the C
 * library, and their blocking way; the end with reads in flight. */
#include "core/check.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "engines/wake_fd.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>

/* ---- calls that fail ---- */

static struct {
    unsigned submits, gets, aio_reads, enters; /* so many fail, */
    int error;                                 /* with this */
    bool no_direct;                            /* the file system has no O_DIRECT */
    bool no_duplicate;
    bool mute; /* no signal tells of an end */
    unsigned begun;
} inject;

static bool strikes(unsigned *count)
{
    if (*count == 0)
        return false;
    --*count;
    errno = inject.error;
    return true;
}

static long hooked_syscall(long number, long a, long b, void *c, void *d, void *e)
{
    if (number == SYS_io_submit) {
        inject.begun += (unsigned)b;
        if (strikes(&inject.submits))
            return -1;
        /* What the kernel takes of a batch may be less than all of it. */
        if (inject.error == 0 && b > 1)
            b = (b + 1) / 2;
    }
    if (number == SYS_io_getevents && strikes(&inject.gets))
        return -1;
    return (syscall)(number, a, b, c, d, e);
}

#define ARGUMENTS_5(number, a, b, c, d, e, ...)                                                    \
    hooked_syscall(number, (long)(a), (long)(b), (void *)(uintptr_t)(c), (void *)(d), (void *)(e))
#define syscall(...) ARGUMENTS_5(__VA_ARGS__, 0, 0, 0, 0, 0)

static int hooked_aio_read(struct aiocb *control)
{
    inject.begun++;
    if (strikes(&inject.aio_reads))
        return -1;
    if (inject.mute)
        control->aio_sigevent.sigev_notify = SIGEV_NONE;
    return aio_read(control);
}

static int hooked_fcntl(int fd, int command, int value)
{
    if (command == F_SETFL && (value & O_DIRECT) != 0 && inject.no_direct) {
        errno = EINVAL;
        return -1;
    }
    if (command == F_DUPFD_CLOEXEC && inject.no_duplicate) {
        errno = EMFILE;
        return -1;
    }
    return fcntl(fd, command, value);
}

#define FCNTL_3(fd, command, value, ...) hooked_fcntl(fd, command, value)
#define fcntl(...)                       FCNTL_3(__VA_ARGS__, 0, 0)
#define aio_read(control)                hooked_aio_read(control)
#include "engines/files/executor_linux_aio.c"
#include "engines/files/executor_posix_aio.c"
#include "engines/proactor/uring.h"

static int hooked_uring_wait(struct uring *u, int timeout_ms);
#define uring_wait(u, timeout_ms) hooked_uring_wait(u, timeout_ms)
#include "engines/files/executor_uring.c"
#undef uring_wait
#undef fcntl
#include "engines/files/file_executor.c"
#include "executor_missing.h"

static int hooked_uring_wait(struct uring *u, int timeout_ms)
{
    inject.begun += io_uring_sq_ready(&u->ring);
    return strikes(&inject.enters) ? -inject.error : uring_wait(u, timeout_ms);
}

/* ---- a file, and an executor ---- */

enum { FILE_SIZE = 3 * (1 << 20) + 777, READS_MAX = 100, LEN_MAX = 1 << 17 };

static unsigned char *pattern;
static char path[] = "/var/tmp/gearshift-executor-XXXXXX";

struct scene {
    int fd, wake_fd;
    struct file_executor *x;
    struct file_read reads[READS_MAX];
    unsigned char *mem[READS_MAX];
    unsigned back, refused;
    bool stopped;
};

static int make_file(void **state)
{
    (void)state;
    pattern = malloc(FILE_SIZE);
    for (size_t i = 0; i < FILE_SIZE; i++)
        pattern[i] = (unsigned char)(i * 2654435761u >> 13);
    int fd = mkstemp(path);
    bool written = fd >= 0 && write(fd, pattern, FILE_SIZE) == FILE_SIZE && fsync(fd) == 0;
    close(fd);
    return written ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    free(pattern);
    return unlink(path);
}

static void evict(int fd)
{
    assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}

/* Skips where there is no io_uring. */
static void begin(struct scene *scene, const struct file_executor_ops *ops)
{
    char why[600] = "";
    memset(scene, 0, sizeof(*scene));
    memset(&inject, 0, sizeof(inject));
    if (executor_is_missing(ops))
        skip();
    scene->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    assert_true(scene->fd >= 0);
    evict(scene->fd);
    scene->wake_fd = wake_fd_open(EFD_NONBLOCK);
    assert_int_equal(ops->open(scene->wake_fd, why, sizeof(why), &scene->x), 0);
    assert_int_equal(file_executor_start(scene->x), 0);
    assert_ptr_equal(scene->x->ops, ops);
}

static void finish(struct scene *scene)
{
    struct list back;
    list_init(&back);
    if (!scene->stopped)
        file_executor_stop(scene->x, &back);
    assert_true(list_empty(&back));
    file_executor_close(scene->x);
    for (size_t i = 0; i < READS_MAX; i++)
        free(scene->mem[i]);
    close(scene->wake_fd);
    close(scene->fd);
}

static void submit(struct scene *scene, unsigned index, off_t off, size_t len, bool wanted)
{
    struct file_read *read = &scene->reads[index];
    if (wanted && scene->mem[index] == NULL)
        scene->mem[index] = index % 2 ? malloc(LEN_MAX) : aligned_alloc(4096, LEN_MAX);
    *read = (struct file_read){
        .fd = scene->fd, .off = off, .len = len, .mem = wanted ? scene->mem[index] : NULL
    };
    list_init(&read->link);
    file_executor_submit(scene->x, read);
}

static void check(const struct scene *scene, unsigned index)
{
    const struct file_read *read = &scene->reads[index];
    size_t there = read->off < FILE_SIZE ? (size_t)(FILE_SIZE - read->off) : 0;
    size_t wanted = read->len < there ? read->len : there;
    assert_false(read->refused);
    assert_int_equal(read->res, wanted);
    if (read->mem != NULL)
        assert_memory_equal(read->mem, pattern + read->off, wanted);
}

static void take_back(struct scene *scene, struct list *done)
{
    while (!list_empty(done)) {
        struct file_read *read = container_of(done->next, struct file_read, link);
        list_remove(&read->link);
        scene->back++;
        scene->refused += read->refused;
        if (read->refused && read->mem != NULL)
            file_read_run(read);
        if (scene->fd >= 0)
            check(scene, (unsigned)(read - scene->reads));
    }
}

/* As a loop does it: waits for the eventfd, at most as long as it may, and collects. */
static void await(struct scene *scene, unsigned count)
{
    for (int rounds = 0; scene->back < count; rounds++) {
        struct list done;
        struct pollfd pollfd = { .fd = scene->wake_fd, .events = POLLIN };
        int timeout_ms = file_executor_timeout_ms(scene->x);
        assert_true(rounds < 5000); /* a hang */
        file_executor_flush(scene->x);
        if (poll(&pollfd, 1, timeout_ms >= 0 ? timeout_ms : 10000) < 0)
            assert_int_equal(errno, EINTR);
        if ((pollfd.revents & POLLIN) == 0)
            continue;
        wake_fd_clear(scene->wake_fd);
        list_init(&done);
        file_executor_collect(scene->x, &done);
        take_back(scene, &done);
    }
}

/* ---- the tests, of each executor ---- */

static void reads_any_range(const struct file_executor_ops *ops)
{
    static const struct {
        off_t off;
        size_t len;
    } ranges[] = {
        { 0, 1 },          { 0, LEN_MAX },         { 1, LEN_MAX },       { 4095, 2 },
        { 4096, 4096 },    { 12345, 100000 },      { 1 << 20, 1 << 16 }, { FILE_SIZE - 1, 1 },
        { FILE_SIZE, 10 }, { FILE_SIZE - 5, 100 }, { FILE_SIZE + 9, 1 }, { FILE_SIZE - 777, 777 },
        { 8192, LEN_MAX }, { 8192, LEN_MAX },      { 8191, LEN_MAX },    { FILE_SIZE - 778, 4096 }
    };
    struct scene scene;
    begin(&scene, ops);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < ARRAY_LEN(ranges); i++)
            submit(&scene, i, ranges[i].off, ranges[i].len, true);
        await(&scene, (round + 1) * ARRAY_LEN(ranges));
    }
    if (!ops->direct) /* which a file system may not have */
        assert_int_equal(scene.refused, 0);
    assert_int_equal(scene.x->in_flight, 0);
    finish(&scene);
}

static void reads_more_than_may_be_in_flight(const struct file_executor_ops *ops)
{
    struct scene scene;
    begin(&scene, ops);
    for (unsigned i = 0; i < READS_MAX; i++)
        submit(&scene, i, (off_t)i * 31337, 20000, true);
    file_executor_flush(scene.x);
    assert_true(scene.x->in_flight <= FILE_EXECUTOR_DEPTH);
    assert_false(list_empty(&scene.x->waiting));
    await(&scene, READS_MAX);
    assert_true(list_empty(&scene.x->waiting));
    finish(&scene);
}

/* The first calls are refused, then others, among those that are not: each read comes back. */
static void refusals_come_back(const struct file_executor_ops *ops)
{
    static const int errors[] = { EAGAIN, ENOMEM, EPERM, EBADF, EINTR };
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct scene scene;
        begin(&scene, ops);
        inject.error = errors[i];
        inject.submits = inject.aio_reads = 5;
        inject.enters = 2;
        inject.gets = 2;
        for (unsigned k = 0; k < 20; k++)
            submit(&scene, k, (off_t)k * 100003, 5000, true);
        await(&scene, 20);
        assert_true(inject.begun >= 20);
        if (ops != &file_executor_uring) /* whose entries stay in its queue */
            assert_true(scene.refused >= 5);
        for (unsigned k = 0; k < 20; k++)
            check(&scene, k);
        finish(&scene);
    }
}

static void ends_with_reads_in_flight(const struct file_executor_ops *ops)
{
    for (unsigned round = 0; round < 5; round++) {
        struct scene scene;
        struct list back;
        begin(&scene, ops);
        for (unsigned i = 0; i < READS_MAX; i++)
            submit(&scene, i, (off_t)i * 31337, LEN_MAX, true);
        if (round > 0)
            file_executor_flush(scene.x);
        list_init(&back);
        file_executor_stop(scene.x, &back);
        scene.stopped = true;
        unsigned count = 0;
        for (const struct list *at = back.next; at != &back; at = at->next)
            count++;
        assert_int_equal(count, READS_MAX);
        /* Nobody writes to the memory any more: it can be given up. */
        finish(&scene);
    }
}

static void a_closed_descriptor_is_refused(const struct file_executor_ops *ops)
{
    struct scene scene;
    begin(&scene, ops);
    int fd = scene.fd;
    scene.fd = -1;
    submit(&scene, 0, 0, 100, true);
    await(&scene, 1);
    assert_int_equal(scene.refused, 1);
    assert_int_equal(scene.reads[0].res, -EBADF); /* what pread(2) says of it */
    scene.fd = fd;
    finish(&scene);
}

static const struct file_executor_ops *const all[] = { &file_executor_posix_aio,
                                                       &file_executor_linux_aio,
                                                       &file_executor_uring };

#define OF_EACH(test)                                                                              \
    static void test##_posix_aio(void **state)                                                     \
    {                                                                                              \
        (void)state;                                                                               \
        test(all[0]);                                                                              \
    }                                                                                              \
    static void test##_linux_aio(void **state)                                                     \
    {                                                                                              \
        (void)state;                                                                               \
        test(all[1]);                                                                              \
    }                                                                                              \
    static void test##_io_uring(void **state)                                                      \
    {                                                                                              \
        (void)state;                                                                               \
        test(all[2]);                                                                              \
    }

OF_EACH(reads_any_range)
OF_EACH(reads_more_than_may_be_in_flight)
OF_EACH(refusals_come_back)
OF_EACH(ends_with_reads_in_flight)
OF_EACH(a_closed_descriptor_is_refused)

/* ---- what is one's own ---- */

static bool is_cached(int fd, off_t off)
{
    char octet;
    struct iovec iov = { &octet, 1 };
    return preadv2(fd, &iov, 1, off, RWF_NOWAIT) == 1;
}

/* A long piece is read in steps; afterwards it is in the page cache, to its last octet. One beyond
 * the end of the file comes back, too. */
static void warms(const struct file_executor_ops *ops)
{
    struct scene scene;
    begin(&scene, ops);
    submit(&scene, 0, 1000, (1 << 20) + 5, false);
    submit(&scene, 1, FILE_SIZE - 100, 1 << 20, false);
    for (struct list done; scene.back < 2;) {
        struct pollfd pollfd = { .fd = scene.wake_fd, .events = POLLIN };
        file_executor_flush(scene.x);
        poll(&pollfd, 1, 100);
        list_init(&done);
        file_executor_collect(scene.x, &done);
        while (!list_empty(&done)) {
            list_remove(done.next);
            scene.back++;
        }
    }
    assert_false(scene.reads[0].refused || scene.reads[1].refused);
    for (off_t off = 1000; off < 1000 + (1 << 20) + 5; off += 4096)
        assert_true(is_cached(scene.fd, off));
    finish(&scene);
}

static void test_warms_by_posix_aio(void **state)
{
    (void)state;
    warms(&file_executor_posix_aio);
}

static void test_warms_by_io_uring(void **state)
{
    (void)state;
    warms(&file_executor_uring);
}

/* linux-aio leaves the page cache as it is: nothing was put there. */
static void test_direct_is_not_cached(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, &file_executor_linux_aio);
    submit(&scene, 0, 0, LEN_MAX, true);
    await(&scene, 1);
    if (scene.refused > 0) {
        print_message("skipped: the file system of /var/tmp has no O_DIRECT that does not wait\n");
        skip();
    }
    assert_true((fcntl(scene.fd, F_GETFL) & O_DIRECT) != 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_false(is_cached(fd, 5000));
    close(fd);
    /* The blocking way of such a descriptor, which wants aligned memory. */
    scene.reads[0].refused = true;
    scene.reads[0].off = 12347;
    scene.reads[0].len = 1001;
    file_read_run(&scene.reads[0]);
    check(&scene, 0);
    finish(&scene);
}

static void test_no_direct_file_system(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, &file_executor_linux_aio);
    inject.no_direct = true;
    submit(&scene, 0, 77, 30000, true);
    await(&scene, 1);
    assert_int_equal(scene.refused, 1);
    assert_int_equal(inject.begun, 0);
    check(&scene, 0);
    finish(&scene);
}

/* Without descriptors for duplicates the reads of one file follow one another. */
static void test_no_duplicate(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, &file_executor_posix_aio);
    inject.no_duplicate = true;
    for (unsigned i = 0; i < 40; i++)
        submit(&scene, i, i * 1000, 4000, true);
    await(&scene, 40);
    assert_int_equal(scene.refused, 0);
    finish(&scene);
}

/* Ends of which no signal tells are found all the same. */
static void test_lost_signals(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, &file_executor_posix_aio);
    inject.mute = true;
    assert_int_equal(file_executor_timeout_ms(scene.x), -1);
    for (unsigned i = 0; i < 3; i++)
        submit(&scene, i, i * 1000, 4000, true);
    file_executor_flush(scene.x);
    assert_int_equal(file_executor_timeout_ms(scene.x), FILE_EXECUTOR_LOOK_MS);
    await(&scene, 3);
    assert_int_equal(scene.refused, 0);
    assert_int_equal(file_executor_timeout_ms(scene.x), -1);
    posix_self(scene.x)->begun -= 3; /* else the end waits for their signals, in vain */
    finish(&scene);
}

/* Somebody else's signal of that number is nobody's end. */
static void test_foreign_signal(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene, &file_executor_posix_aio);
    assert_int_equal(kill(getpid(), signal_number()), 0);
    submit(&scene, 0, 0, 100, true);
    await(&scene, 1);
    finish(&scene);
}

static void test_table(void **state)
{
    (void)state;
    struct config config = { .file_jobs = FILE_JOBS_LINUX_AIO };
    assert_true(file_executor_is_direct(&config));
    config.file_jobs = FILE_JOBS_IO_URING;
    assert_false(file_executor_is_direct(&config));
    config.file_jobs = FILE_JOBS_WORKERS;
    assert_false(file_executor_is_direct(&config));
    assert_null(file_executor_of(FILE_JOBS_WORKERS));
    assert_null(file_executor_of(FILE_JOBS_PROCESSOR));
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        assert_ptr_equal(file_executor_at(i), all[i]);
    assert_null(file_executor_at(ARRAY_LEN(all)));
}

/* As many contexts as fs.aio-max-nr cannot have: the sentence says so. */
static void test_too_many_contexts(void **state)
{
    (void)state;
    char why[600] = "";
    for (unsigned shift = 17; shift <= 24; shift += 7) {
        assert_int_equal(file_executor_linux_aio.probe(1u << shift, why, sizeof(why)), -EOPNOTSUPP);
        assert_non_null(strstr(why, "fs.aio-max-nr"));
        assert_non_null(strstr(why, "file_jobs = workers"));
    }
}

#define TESTS_OF(test)                                                                             \
    cmocka_unit_test(test##_posix_aio), cmocka_unit_test(test##_linux_aio),                        \
        cmocka_unit_test(test##_io_uring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TESTS_OF(reads_any_range),
        TESTS_OF(reads_more_than_may_be_in_flight),
        TESTS_OF(refusals_come_back),
        TESTS_OF(ends_with_reads_in_flight),
        TESTS_OF(a_closed_descriptor_is_refused),
        cmocka_unit_test(test_warms_by_posix_aio),
        cmocka_unit_test(test_warms_by_io_uring),
        cmocka_unit_test(test_direct_is_not_cached),
        cmocka_unit_test(test_no_direct_file_system),
        cmocka_unit_test(test_no_duplicate),
        cmocka_unit_test(test_lost_signals),
        cmocka_unit_test(test_foreign_signal),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_too_many_contexts),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
