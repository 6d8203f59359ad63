/* test_file_job.c: what jobs report: contents read whole, identities, pieces of files. */
#include "tests/unit/file_job_stage.h"

#include <pthread.h>

/* What is named as a file is opened and read at once, and what the later look cannot vouch for is
 * read again. */
static void test_open_at_once(void **state)
{
    static const struct {
        const char *name;
        time_t ahead_s;
        size_t max;
        unsigned preads;
        bool content;
    } cases[] = { { "once.html", 10, 100, 1, true },  { "once.html", 0, 100, 2, true },
                  { "once.html", 10, 4, 1, false },   { "once.html", 10, 0, 0, false },
                  { "once.html", 10, 5, 1, true },    { "once", 10, 100, 1, true },
                  { "empty.html", 10, 100, 2, false } };

    (void)state;
    use_walk(false);
    put_file("root/once.html", "12345", 0644);
    put_file("root/once", "12345", 0644);
    put_file("root/empty.html", "", 0644);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct file_job job;

        ahead_s = cases[i].ahead_s;
        preads = 0;
        file_job_init_open(&job, root_fd, cases[i].name, FILE_SYMLINKS_INSIDE, cases[i].max);
        file_job_run(&job);
        ahead_s = 0;
        assert_int_equal(job.res, 0);
        assert_true(job.fd >= 0);
        assert_int_equal(preads, cases[i].preads);
        assert_int_equal(job.content != NULL, cases[i].content);
        if (job.content != NULL)
            assert_memory_equal(job.content, "12345", 5);
        file_job_discard(&job);
    }
}

static void test_known(void **state)
{
    struct file_job job;
    struct file_meta known;

    (void)state;
    use_walk(false);
    put_file("root/known.html", "12345", 0644);
    ahead_s = 10;
    file_job_init_open(&job, root_fd, "known.html", FILE_SYMLINKS_INSIDE, 100);
    file_job_run(&job);
    known = job.meta;
    file_job_discard(&job);
    for (int tried = 0; tried < 2; tried++) {
        file_job_init_open(&job, root_fd, "known.html", FILE_SYMLINKS_INSIDE, 100);
        file_job_set_known(&job, &known);
        preads = 0;
        if (tried)
            (void)file_job_try(&job);
        if (job.res == -EINPROGRESS)
            file_job_run(&job);
        assert_int_equal(job.res, 0);
        assert_true(job.unchanged && job.fd == -1 && job.content == NULL && preads == 0);
    }
    put_file("root/known.html", "123456", 0644);
    file_job_init_open(&job, root_fd, "known.html", FILE_SYMLINKS_INSIDE, 100);
    file_job_set_known(&job, &known);
    file_job_run(&job);
    ahead_s = 0;
    assert_int_equal(job.res, 0);
    assert_true(!job.unchanged && job.fd >= 0 && job.meta.size == 6);
    assert_memory_equal(job.content, "123456", 6);
    file_job_discard(&job);

    unlinkat(base_fd, "root/known.html", 0);
    file_job_init_open(&job, root_fd, "known.html", FILE_SYMLINKS_INSIDE, 100);
    file_job_set_known(&job, &known);
    file_job_run(&job);
    assert_int_equal(job.res, -ENOENT);
}

static void test_plain_names(void **state)
{
    static const char *const plain[] = { "a.html", "a/b.js", "a.b/c.woff2", "x.tar.gz", "a.b.c" };
    static const char *const others[] = { "fifo",  ".hidden", "a/.b",          "a.b/c", "a.",
                                          "a.b-c", ".",       "log.123456789", "a.b c" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_true(file_open_is_plain(plain[i]));
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_false(file_open_is_plain(others[i]));
}

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
    assert_int_equal(file_open(root_fd, "dated", FILE_SYMLINKS_INSIDE, NULL, &fd, &meta), 0);
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
    char *content = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(read_whole(fd, cases[i].size, file_pread, &content), 0);
        assert_int_equal(content != NULL, cases[i].content != NULL);
        if (content != NULL)
            assert_memory_equal(content, cases[i].content, cases[i].size);
        free(content);
    }
    close(fd);
    fd = openat(root_fd, "dir", O_RDONLY);
    content = base;
    assert_int_equal(read_whole(fd, 5, file_pread, &content), -EISDIR);
    assert_ptr_equal(content, base);
    close(fd);
}

/* Writes other octets in place, and sets size and mtime to what they were. */
static void rewrite(void)
{
    struct stat before, after;
    int fd = openat(base_fd, "root/rewritten", O_RDWR);

    assert_int_equal(fstat(fd, &before), 0);
    do { /* until the clock that files are stamped with has gone on */
        struct timespec times[2] = { before.st_atim, before.st_mtim };

        assert_int_equal(pwrite(fd, "after!", 6, 0), 6);
        assert_int_equal(futimens(fd, times), 0);
        assert_int_equal(fstat(fd, &after), 0);
    } while (memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)) == 0);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(after.st_mtim));
    close(fd);
}

/* Old metadata never come with new octets, however alike the file looks but for its ctime. */
static void test_file_rewritten_while_read(void **state)
{
    (void)state;
    use_walk(false);
    memset(&cache, 0, sizeof(cache));
    for (unsigned i = 0; i < 2; i++) {
        struct file_job job;
        struct stat st;

        put_file("root/rewritten", "before", 0644);
        file_job_init_open(&job, root_fd, "rewritten", FILE_SYMLINKS_INSIDE, 16);
        meanwhile = rewrite;
        if (i == 0)
            file_job_run(&job);
        else if (!file_job_try(&job)) /* a file system that does not tell what is in memory */
            continue;
        assert_null(meanwhile);
        assert_int_equal(job.res, 0);
        assert_null(job.content);
        assert_int_equal(fstat(job.fd, &st), 0);
        assert_int_equal(job.meta.ctime_s, st.st_ctim.tv_sec);
        assert_int_equal(job.meta.ctime_ns, st.st_ctim.tv_nsec);
        file_job_discard(&job);
    }
    meanwhile = NULL;
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

/* What the open file is now, whatever its name has become. */
static void test_stat(void **state)
{
    int fd = openat(root_fd, "stat", O_RDWR | O_CREAT, 0644);
    struct file_job before, job;

    (void)state;
    assert_int_equal(write(fd, "12345", 5), 5);
    file_job_init_stat(&before, fd);
    file_job_run(&before);
    assert_int_equal(before.res, 0);
    assert_int_equal(before.meta.size, 5);
    assert_int_equal(before.meta.kind, FILE_REGULAR);
    file_job_init_stat(&job, fd);
    assert_true(file_job_try(&job));
    assert_int_equal(job.res, 0);
    assert_true(file_meta_equal(&before.meta, &job.meta));
    assert_false(file_meta_same(&before.meta, &job.meta)); /* it has just been written to */

    assert_int_equal(ftruncate(fd, 2), 0);
    file_job_init_stat(&job, fd);
    file_job_run(&job);
    assert_int_equal(job.res, 0);
    assert_int_equal(job.meta.size, 2);
    assert_int_equal(job.meta.ino, before.meta.ino);
    assert_false(file_meta_equal(&before.meta, &job.meta));
    assert_int_equal(job.fd, -1);
    file_job_discard(&job); /* leaves the borrowed descriptor alone */
    assert_true(fcntl(fd, F_GETFD) >= 0);

    assert_int_equal(unlinkat(root_fd, "stat", 0), 0);
    close(fd);
    file_job_init_stat(&job, fd);
    file_job_run(&job);
    assert_int_equal(job.res, -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_at_once),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_plain_names),
        cmocka_unit_test(test_content_max),
        cmocka_unit_test(test_meta),
        cmocka_unit_test(test_meta_same),
        cmocka_unit_test(test_read_whole),
        cmocka_unit_test(test_file_that_changes),
        cmocka_unit_test(test_file_rewritten_while_read),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_stat),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
