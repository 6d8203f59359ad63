/* test_loop_reads.c: a loop whose files are read by an executor (file_jobs = posix-aio, linux-aio,
 * io_uring): the same answers as ever, of jobs and of pieces that are not in the page cache; which
 * of them reach the executor, and what happens to connections meanwhile. */
#include "core/file_job.h"

#include <stdatomic.h>

/* No job can be done without waiting, as if nothing were in the page cache. */
static atomic_bool cold;
static atomic_uint tried, run, submitted;

static bool counted_try(struct file_job *job)
{
    tried++;
    return !cold && file_job_try(job);
}

static void counted_run(struct file_job *job)
{
    run++;
    file_job_run(job);
}

#define file_job_try(job) counted_try(job)
#define file_job_run(job) counted_run(job)
#include "engines/files/file_executor.h"
#define file_executor_submit(x, r) ((void)submitted++, file_executor_submit(x, r))
#include "loop_fixture.h"
#include "executor_missing.h"

static const enum file_jobs kinds[] = { FILE_JOBS_POSIX_AIO, FILE_JOBS_LINUX_AIO,
                                        FILE_JOBS_IO_URING };

#define TURN_UNTIL(scene, condition)                                                               \
    for (int turns_ = 0; !(condition); turns_++) {                                                 \
        assert_true(turns_ < 5000);                                                                \
        turn_within(scene, 1);                                                                     \
    }

/* False where this kernel does not have it. */
static bool begin(struct scene *scene, enum file_jobs kind, int buffer)
{
    const struct file_executor_ops *ops = file_executor_of(kind);
    if (executor_is_missing(ops))
        return false;
    scene_open(scene, AF_INET, buffer);
    assert_int_equal(fcntl(fake.file, F_SETFL, O_RDONLY), 0); /* one before has set O_DIRECT */
    scene->options.workers = 2;
    scene->config.file_jobs = kind;
    cold = false;
    tried = run = submitted = 0;
    scene_start(scene);
    assert_ptr_equal(scene->loop->executor->ops, ops);
    return true;
}

static void end_clients(struct scene *scene, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    TURN_UNTIL(scene, fake.closed == fake.opened);
    scene_end(scene);
}

/* linux-aio passes the page cache by, from which a descriptor is sent. */
static void test_caps(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        if (!begin(&scene, kinds[i], 0))
            continue;
        assert_int_equal(fake.caps, kinds[i] == FILE_JOBS_LINUX_AIO ? 0 : ENGINE_CAP_FILE_SEGMENT);
        scene_end(&scene);
    }
}

/* What is in the page cache is read at once, but by linux-aio, which never looks there. */
static void test_warm_job(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        if (!begin(&scene, kinds[i], 0))
            continue;
        int fd = client_connect(&scene);
        client_ask(fd, "j 1000\nj 1\n");
        client_expect(&scene, fd, 0, 1000);
        client_expect(&scene, fd, 0, 1);
        bool direct = kinds[i] == FILE_JOBS_LINUX_AIO;
        assert_int_equal(submitted, direct ? 2 : 0);
        assert_int_equal(tried, direct ? 0 : 2);
        assert_int_equal(run, 0);
        end_clients(&scene, &fd, 1);
    }
}

/* A read, and a piece of a file, that are not there go to the executor, and to no worker. */
static void test_cold(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        if (!begin(&scene, kinds[i], 0))
            continue;
        cold = true;
        int fd = client_connect(&scene);
        client_ask(fd, "m 7\nj 1000\nm 3\n");
        client_expect(&scene, fd, 0, 7);
        client_expect(&scene, fd, 0, 1000);
        client_expect(&scene, fd, 0, 3);
        assert_int_equal(submitted, 1);
        assert_int_equal(run, 0);
        if (kinds[i] != FILE_JOBS_LINUX_AIO) {
            inject.misses = 1;
            fake.sends_count = 0;
            client_ask(fd, "f 3000000\n");
            client_expect(&scene, fd, HEAD_SIZE, 3000000);
            assert_int_equal(submitted, 2);
            assert_int_equal(fake.sends[0].res, -EAGAIN); /* the plan, while it was read */
            assert_int_equal(calls.advise, 0);
        }
        end_clients(&scene, &fd, 1);
    }
}

/* Chopped and pipelined, over small buffers, by several clients. */
static void test_random(void **state)
{
    (void)state;
    srandom(20261128);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        int fds[4];
        if (!begin(&scene, kinds[i], 4096))
            continue;
        for (size_t k = 0; k < ARRAY_LEN(fds); k++)
            fds[k] = client_connect(&scene);
        for (int round = 0; round < 20; round++) {
            char asked[ARRAY_LEN(fds)];
            size_t lens[ARRAY_LEN(fds)];
            cold = random() % 2;
            for (size_t k = 0; k < ARRAY_LEN(fds); k++) {
                char request[32];
                asked[k] =
                    kinds[i] == FILE_JOBS_LINUX_AIO ? "mvj"[random() % 3] : "mvfj"[random() % 4];
                lens[k] = 1 + (size_t)random() % (asked[k] == 'j' ? JOB_SIZE : 150000);
                inject.misses = (unsigned)random() % 3;
                snprintf(request, sizeof(request), "%c %zu\n", asked[k], lens[k]);
                client_ask(fds[k], request);
                if (random() % 2)
                    turn_within(&scene, 0);
            }
            for (size_t k = 0; k < ARRAY_LEN(fds); k++)
                client_expect(&scene, fds[k], asked[k] == 'f' ? HEAD_SIZE : 0, lens[k]);
            fake.sends_count = 0;
        }
        end_clients(&scene, fds, ARRAY_LEN(fds));
    }
}

/* More clients than reads may be in flight, some of which go away meanwhile. */
static void test_crowd(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct scene scene;
        static int fds[3 * FILE_EXECUTOR_DEPTH];
        if (!begin(&scene, kinds[i], 0))
            continue;
        cold = true;
        for (size_t k = 0; k < ARRAY_LEN(fds); k++) {
            fds[k] = client_connect(&scene);
            client_ask(fds[k], "j 1000\n");
        }
        turn_within(&scene, 0);
        for (size_t k = 0; k < ARRAY_LEN(fds); k += 5)
            client_reset(fds[k]);
        for (size_t k = 0; k < ARRAY_LEN(fds); k++) {
            if (k % 5 == 0)
                continue;
            client_expect(&scene, fds[k], 0, 1000);
            close(fds[k]);
        }
        TURN_UNTIL(&scene, fake.closed == fake.opened);
        scene_end(&scene);
    }
}

/* The loop ends while it has reads out: they come back before anything is freed. */
static void test_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds) * 4; i++) {
        struct scene scene;
        int fds[2 * FILE_EXECUTOR_DEPTH];
        if (!begin(&scene, kinds[i / 4], 0))
            continue;
        cold = true;
        for (size_t k = 0; k < ARRAY_LEN(fds); k++) {
            fds[k] = client_connect(&scene);
            client_ask(fds[k], "j 1000\n");
        }
        for (size_t turns = 0; turns < i % 4; turns++)
            turn_within(&scene, 0);
        scene_end(&scene);
        for (size_t k = 0; k < ARRAY_LEN(fds); k++)
            close(fds[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caps),   cmocka_unit_test(test_warm_job), cmocka_unit_test(test_cold),
        cmocka_unit_test(test_random), cmocka_unit_test(test_crowd),    cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, scene_group_setup, scene_group_teardown);
}
