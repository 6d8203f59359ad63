/* test_file_job.c: what jobs report: contents read whole, identities, pieces of files. */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/file_system.h"

/* The page cache as a test wants it: what preadv2(2) fails with after so many calls; 0: everything
 * is in there (RWF_NOWAIT itself is not for every file system: tmpfs knows nothing of it). */
static struct {
    int error;
    unsigned calls_before;
    size_t len_max; /* octets of one call; 0: no limit */
    bool no_disk;   /* the file system has none */
} cache;

/* What somebody does to the file before the next read; NULL: nothing. */
static void (*meanwhile)(void);

static void do_meanwhile(void)
{
    void (*what)(void) = meanwhile;

    meanwhile = NULL;
    if (what != NULL)
        what();
}

static ssize_t staged_preadv2(int fd, const struct iovec *iov, int count, off_t off, int flags)
{
    struct iovec part = iov[0];
    do_meanwhile();
    if (cache.error != 0 && cache.calls_before-- == 0) {
        errno = cache.error;
        return -1;
    }
    if (cache.len_max > 0 && part.iov_len > cache.len_max)
        part.iov_len = cache.len_max;
    return preadv2(fd, count == 1 ? &part : iov, count, off, flags & ~RWF_NOWAIT);
}

static unsigned preads;
static time_t ahead_s; /* how far the clock is beyond what files are stamped with */

static int staged_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    int res = clock_gettime(clock, ret_time);

    ret_time->tv_sec += ahead_s;
    return res;
}

static ssize_t staged_pread(int fd, void *mem, size_t len, off_t off)
{
    preads++;
    do_meanwhile();
    return pread(fd, mem, len, off);
}

#define clock_gettime(clock, time)          staged_clock_gettime(clock, time)
#define pread(fd, mem, len, off)            staged_pread(fd, mem, len, off)
#define file_system_in_memory(fd)           ((void)(fd), cache.no_disk)
#define preadv2(fd, iov, count, off, flags) staged_preadv2(fd, iov, count, off, flags)
#include "tests/unit/file_tree.h"

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
        cmocka_unit_test(test_try_open),
        cmocka_unit_test(test_try_in_vain),
        cmocka_unit_test(test_try_without_a_disk),
        cmocka_unit_test(test_try_and_keep),
        cmocka_unit_test(test_try_read),
        cmocka_unit_test(test_stat),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
