/* test_file_job.c: what jobs report: contents read whole, identities, pieces of files. */
#include "tests/unit/file_tree.h"

#include <pthread.h>

static void test_content_max(void **state)
{
    static const struct {
        size_t max;
        bool content;
    } cases[] = { { 0, false }, { 4, false }, { 5, true }, { 6, true }, { SIZE_MAX, true } };

    (void)state;
    use_walk(false);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct file_job job;

        file_job_init_open(&job, root_fd, "file", FILE_SYMLINKS_INSIDE, cases[i].max);
        file_job_run(&job);
        assert_int_equal(job.res, 0);
        assert_int_equal(job.meta.size, 5);
        assert_int_equal(job.content != NULL, cases[i].content);
        file_job_discard(&job);
    }
}

static void test_meta(void **state)
{
    struct timespec times[2] = { { 1000000000, 0 }, { -5, 123456789 } };
    struct file_meta meta;
    struct stat st;
    struct timespec now;
    int fd;

    (void)state;
    put_file("root/dated", "x", 0644);
    assert_int_equal(utimensat(base_fd, "root/dated", times, 0), 0);
    assert_int_equal(file_open(root_fd, "dated", FILE_SYMLINKS_INSIDE, &fd, &meta), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(meta.ino, st.st_ino);
    assert_int_equal(meta.dev, st.st_dev);
    assert_int_equal(meta.size, 1);
    assert_int_equal(meta.mtime_s, -5);
    assert_int_equal(meta.mtime_ns, 123456789);
    assert_int_equal(meta.ctime_s, st.st_ctim.tv_sec);
    assert_true(meta.racy); /* whatever its mtime says */
    close(fd);

    clock_gettime(CLOCK_REALTIME, &now);
    st.st_ctim.tv_sec = now.tv_sec - TIMESTAMP_STEP_S - 2;
    file_meta_set(&meta, &st);
    assert_false(meta.racy);
    st.st_ctim.tv_sec = now.tv_sec + 1000;
    file_meta_set(&meta, &st);
    assert_true(meta.racy);
}

static void test_meta_same(void **state)
{
    const struct file_meta before = { .dev = 1,
                                      .ino = 2,
                                      .size = 3,
                                      .mtime_s = 4,
                                      .mtime_ns = 5,
                                      .ctime_s = 6,
                                      .ctime_ns = 7,
                                      .kind = FILE_REGULAR };
    struct file_meta now;

    (void)state;
    now = before;
    assert_true(file_meta_same(&before, &now));
#define DIFFERS(change)                                                                            \
    do {                                                                                           \
        now = before;                                                                              \
        change;                                                                                    \
        assert_false(file_meta_same(&before, &now));                                               \
    } while (0)
    DIFFERS(now.dev++);
    DIFFERS(now.ino++);
    DIFFERS(now.size++);
    DIFFERS(now.mtime_s++);
    DIFFERS(now.mtime_ns++);
    DIFFERS(now.ctime_s++);
    DIFFERS(now.ctime_ns++);
    DIFFERS(now.kind = FILE_DIRECTORY);
    now = before;
    now.racy = true;
    assert_true(file_meta_same(&before, &now));
    assert_false(file_meta_same(&now, &before));
}

/* What fstat(2) said is no longer so when the file is read. */
static void test_read_whole(void **state)
{
    static const struct {
        size_t size;
        const char *content;
    } cases[] = { { 4, NULL }, { 5, "hello" }, { 6, NULL }, { 1, NULL }, { 100000, NULL } };
    int fd = openat(root_fd, "file", O_RDONLY);
    char *content;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(read_whole(fd, cases[i].size, &content), 0);
        assert_int_equal(content != NULL, cases[i].content != NULL);
        if (content != NULL)
            assert_memory_equal(content, cases[i].content, cases[i].size);
        free(content);
    }
    close(fd);
    fd = openat(root_fd, "dir", O_RDONLY);
    content = base;
    assert_int_equal(read_whole(fd, 5, &content), -EISDIR);
    assert_ptr_equal(content, base);
    close(fd);
}

struct changer {
    atomic_bool stop;
    atomic_uint rounds;
};

static void *change_size(void *arg)
{
    struct changer *changer = arg;
    char text[8192];
    int fd = openat(base_fd, "root/changing", O_RDWR);

    memset(text, 'x', sizeof(text));
    for (unsigned i = 0; !atomic_load(&changer->stop); i++) {
        size_t len = i * 997 % sizeof(text);

        if (ftruncate(fd, 0) < 0 || pwrite(fd, text, len, 0) < 0)
            break;
        atomic_fetch_add(&changer->rounds, 1);
    }
    close(fd);
    return NULL;
}

static void test_file_that_changes(void **state)
{
    struct changer changer = { .stop = false };
    pthread_t thread;

    (void)state;
    use_walk(false);
    put_file("root/changing", "x", 0644);
    assert_int_equal(pthread_create(&thread, NULL, change_size, &changer), 0);
    while (atomic_load(&changer.rounds) < 2000) {
        struct file_job job;

        file_job_init_open(&job, root_fd, "changing", FILE_SYMLINKS_INSIDE, 16384);
        file_job_run(&job);
        assert_int_equal(job.res, 0);
        for (size_t i = 0; job.content != NULL && i < job.meta.size; i++)
            assert_int_equal(job.content[i], 'x');
        file_job_discard(&job);
    }
    atomic_store(&changer.stop, true);
    pthread_join(thread, NULL);
}

static void test_read(void **state)
{
    static const struct {
        off_t off;
        size_t len;
        int res;
    } cases[] = { { 0, 5, 5 }, { 0, 3, 3 },   { 3, 9, 2 },
                  { 5, 4, 0 }, { 900, 4, 0 }, { -1, 4, -EINVAL } };
    int fd = openat(root_fd, "file", O_RDONLY);
    struct file_job job;
    char mem[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(mem, '#', sizeof(mem));
        file_job_init_read(&job, fd, cases[i].off, mem, cases[i].len);
        file_job_run(&job);
        assert_int_equal(job.res, cases[i].res);
        if (job.res > 0)
            assert_memory_equal(mem, &"hello"[cases[i].off], (size_t)job.res);
        assert_int_equal(mem[job.res > 0 ? job.res : 0], '#');
        file_job_discard(&job); /* leaves the borrowed descriptor alone */
    }
    close(fd);
    file_job_init_read(&job, fd, 0, mem, 1);
    file_job_run(&job);
    assert_int_equal(job.res, -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content_max),       cmocka_unit_test(test_meta),
        cmocka_unit_test(test_meta_same),         cmocka_unit_test(test_read_whole),
        cmocka_unit_test(test_file_that_changes), cmocka_unit_test(test_read),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
