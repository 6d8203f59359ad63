/* test_file_job_try.c: what is done at once, since it waits for no disk, and what is left to
 * others. */
#include "tests/unit/file_job_stage.h"

/* The next descriptor to be given: shows that none was left behind. */
static int next_descriptor(void)
{
    int fd = dup(root_fd);

    close(fd);
    return fd;
}

/* What can be tried is done as by file_job_run(): the names are in memory, since that ran first. */
static void test_try_open(void **state)
{
    static const struct {
        const char *path;
        enum file_symlinks symlinks;
    } cases[] = {
        { "file", FILE_SYMLINKS_INSIDE },
        { "empty", FILE_SYMLINKS_INSIDE },
        { ".", FILE_SYMLINKS_INSIDE },
        { "dir/sub/deep", FILE_SYMLINKS_INSIDE },
        { "nothing", FILE_SYMLINKS_INSIDE },
        { "file/x", FILE_SYMLINKS_INSIDE },
        { "to-file", FILE_SYMLINKS_INSIDE },
        { "to-file", FILE_SYMLINKS_DENY },
        { "to-dir/sub/deep", FILE_SYMLINKS_DENY },
        { "fifo", FILE_SYMLINKS_INSIDE },
    };

    (void)state;
    use_walk(false);
    memset(&cache, 0, sizeof(cache));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct file_job ran, tried;

        file_job_init_open(&ran, root_fd, cases[i].path, cases[i].symlinks, 16);
        file_job_run(&ran);
        file_job_init_open(&tried, root_fd, cases[i].path, cases[i].symlinks, 16);
        bool done = file_job_try(&tried);
        if (!done && ran.res < 0)
            continue; /* the kernel leaves some refusals to who may block, tmpfs all of them */
        assert_true(done);
        assert_int_equal(tried.res, ran.res);
        assert_int_equal(tried.fd >= 0, ran.fd >= 0);
        assert_int_equal(tried.meta.ino, ran.meta.ino);
        assert_int_equal(tried.meta.kind, ran.meta.kind);
        assert_int_equal(tried.content != NULL, ran.content != NULL);
        if (ran.content != NULL)
            assert_memory_equal(tried.content, ran.content, ran.meta.size);
        file_job_discard(&ran);
        file_job_discard(&tried);
    }
}

/* What cannot leaves the job as it was. */
static void check_left_alone(struct file_job *job, int descriptor)
{
    assert_false(file_job_try(job));
    assert_int_equal(job->res, -EINPROGRESS);
    assert_int_equal(job->fd, -1);
    assert_null(job->content);
    assert_null(job->listing);
    assert_int_equal(next_descriptor(), descriptor);
    file_job_run(job);
    assert_int_equal(job->res, 0);
    file_job_discard(job);
}

static void test_try_in_vain(void **state)
{
    static const int errors[] = { EAGAIN, EOPNOTSUPP, EIO, EINTR };
    struct file_job job;
    int descriptor = next_descriptor();

    (void)state;
    use_walk(false);
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        for (unsigned before = 0; before < 3; before++) {
            cache.error = errors[i];
            cache.calls_before = before;
            cache.len_max = 1;
            file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, 16);
            check_left_alone(&job, descriptor);
        }
    }
    memset(&cache, 0, sizeof(cache));
    file_job_init_list(&job, root_fd, "dir", FILE_SYMLINKS_INSIDE, false, 100);
    check_left_alone(&job, descriptor);

    use_walk(true); /* no openat2(2), and so no word on what is in memory */
    file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, 16);
    check_left_alone(&job, descriptor);
    use_walk(false);
    atomic_store(&cached_refused, true);
    file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, 16);
    check_left_alone(&job, descriptor);
    atomic_store(&cached_refused, false);
}

/* What is in memory in any case need not be in the page cache. */
static void test_try_without_a_disk(void **state)
{
    int descriptor = next_descriptor();
    struct file_job job;

    (void)state;
    use_walk(false);
    for (unsigned before = 0; before < 3; before++) {
        memset(&cache, 0, sizeof(cache));
        cache.error = EOPNOTSUPP;
        cache.no_disk = true;
        cache.calls_before = before;
        file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, 16);
        assert_true(file_job_try(&job));
        assert_int_equal(job.res, 0);
        assert_memory_equal(job.content, "hello", 5);
        file_job_discard(&job);
    }
    memset(&cache, 0, sizeof(cache));
    cache.error = EAGAIN; /* of whatever it is that says so */
    cache.no_disk = true;
    file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, 16);
    cache.len_max = 1;
    cache.calls_before = 1;
    check_left_alone(&job, descriptor);
    memset(&cache, 0, sizeof(cache));
}

/* Who reads it by other means has what is open already; nobody else is handed a descriptor. */
static void test_try_and_keep(void **state)
{
    int descriptor = next_descriptor();
    struct file_job job;

    (void)state;
    use_walk(false);
    memset(&cache, 0, sizeof(cache));
    cache.error = EOPNOTSUPP;
    cache.calls_before = 1;
    cache.len_max = 1;
    file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, 16);
    assert_false(file_job_try_and_keep(&job));
    assert_int_equal(job.res, -EINPROGRESS);
    assert_true(job.fd >= 0);
    assert_int_equal(job.meta.size, 5);
    assert_null(job.content);
    file_job_discard(&job);
    assert_int_equal(next_descriptor(), descriptor);

    memset(&cache, 0, sizeof(cache));
    file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, 16);
    assert_true(file_job_try_and_keep(&job));
    assert_memory_equal(job.content, "hello", 5);
    file_job_discard(&job);

    file_job_init_list(&job, root_fd, "dir", FILE_SYMLINKS_INSIDE, false, 100);
    assert_false(file_job_try_and_keep(&job));
    assert_int_equal(job.fd, -1);
    file_job_discard(&job);
}

static void test_try_read(void **state)
{
    int fd = openat(root_fd, "file", O_RDONLY);
    struct file_job job;
    char mem[16] = "";

    (void)state;
    memset(&cache, 0, sizeof(cache));
    file_job_init_read(&job, fd, 1, mem, 10);
    assert_true(file_job_try(&job));
    assert_int_equal(job.res, 4);
    assert_memory_equal(mem, "ello", 4);
    file_job_init_read(&job, fd, 5, mem, 10);
    assert_true(file_job_try(&job));
    assert_int_equal(job.res, 0);
    cache.error = EAGAIN;
    file_job_init_read(&job, fd, 0, mem, 10);
    assert_false(file_job_try(&job));
    assert_int_equal(job.res, -EINPROGRESS);
    file_job_run(&job);
    assert_int_equal(job.res, 5);
    memset(&cache, 0, sizeof(cache));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_try_open),           cmocka_unit_test(test_try_in_vain),
        cmocka_unit_test(test_try_without_a_disk), cmocka_unit_test(test_try_and_keep),
        cmocka_unit_test(test_try_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
