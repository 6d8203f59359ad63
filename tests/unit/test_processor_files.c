/* test_processor_files.c: operations on files, through the tables of both processors. */
#include "processor_fixture.h"

#include "core/file_open.h"

#include <linux/openat2.h>
#include <sys/stat.h>

/* A file of so many octets, which is not in the page cache if that can be had. */
static int make_file(size_t len)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    for (size_t i = 0; i < len; i++)
        assert_int_not_equal(fputc('a' + (int)(i % 23), file), EOF);
    assert_int_equal(fflush(file), 0);
    int fd = dup(fileno(file));
    fclose(file);
    assert_int_equal(fsync(fd), 0);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return fd;
}

static void check_pattern(const char *octets, size_t off, size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert_int_equal(octets[i], 'a' + (int)((off + i) % 23));
}

/* Reads until the end; a read may come back short before it. */
static void read_a_file(struct scene *scene)
{
    enum { LEN = 300000 };
    char *octets = malloc(LEN + 1);
    int fd = make_file(LEN);
    for (int round = 0; round < 2; round++) { /* cold, then warm */
        size_t at = 0;
        for (;;) {
            begin(scene, &tokens[0],
                  (struct operation){ OPERATION_READ, .fd = fd,
                                      .read = { .mem = octets + at,
                                                .len = (unsigned)(LEN + 1 - at),
                                                .off = (off_t)at } });
            struct completion completion = take_one(scene);
            assert_true(completion.res >= 0);
            if (completion.res == 0)
                break;
            at += (size_t)completion.res;
        }
        assert_int_equal(at, LEN);
        check_pattern(octets, 0, LEN);
    }
    begin(scene, &tokens[0],
          (struct operation){ OPERATION_READ, .fd = scene->pair[0],
                              .read = { .mem = octets, .len = 1, .off = 5 } });
    assert_true(take_one(scene).res < 0); /* no file: whatever the kernel calls it */
    close(fd);
    free(octets);
}

static void warm_a_file(struct scene *scene)
{
    enum { LEN = OPERATION_WARM_MAX + 1000 };
    int fd = make_file(LEN);
    const struct operation first = { OPERATION_WARM, .fd = fd,
                                     .read = { .len = OPERATION_WARM_MAX, .off = 0 } };
    const struct operation last = {
        OPERATION_WARM, .fd = fd, .read = { .len = OPERATION_WARM_MAX, .off = OPERATION_WARM_MAX }
    };
    const struct operation behind = { OPERATION_WARM, .fd = fd,
                                      .read = { .len = OPERATION_WARM_MAX, .off = LEN } };
    begin(scene, &tokens[0], first);
    (void)take_of(scene, &tokens[0], OPERATION_WARM_MAX);
    begin(scene, &tokens[0], last);
    (void)take_of(scene, &tokens[0], 1000);
    begin(scene, &tokens[0], behind);
    (void)take_of(scene, &tokens[0], 0);
    close(fd);
}

/* From a file, cold and warm, to a pipe, to a socket, until that is full. */
static void splice_a_file(struct scene *scene)
{
    enum { LEN = 1 << 22, PIECE = 1 << 16 };
    char *octets = malloc(LEN);
    int fd = make_file(LEN), ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    size_t sent = 0;
    int res = 0;
    for (off_t off = 0; off < LEN && res != -EAGAIN;) {
        begin(scene, &tokens[0],
              (struct operation){ OPERATION_SPLICE_IN, .fd = fd,
                                  .splice = { .to_fd = ends[1], .len = PIECE, .off = off } });
        int in = take_one(scene).res;
        assert_in_range(in, 1, PIECE);
        off += in;
        while (in > 0) {
            begin(scene, &tokens[1],
                  (struct operation){
                      OPERATION_SPLICE_OUT, .fd = ends[0],
                      .splice = { .to_fd = scene->pair[0], .len = (unsigned)in, .more = true } });
            res = take_one(scene).res;
            if (res == -EAGAIN)
                break;
            assert_in_range(res, 1, in);
            in -= res;
            sent += (size_t)res;
        }
    }
    assert_int_equal(res, -EAGAIN);
    size_t got = 0;
    while (got < sent) {
        ssize_t n = recv(scene->pair[1], octets + got, LEN - got, MSG_DONTWAIT);
        assert_true(n > 0);
        got += (size_t)n;
    }
    assert_int_equal(got, sent);
    check_pattern(octets, 0, got);
    close(fd);
    close(ends[0]);
    close(ends[1]);
    free(octets);
}

static void open_and_stat(struct scene *scene)
{
    struct open_how how;
    struct statx stx = { 0 };
    int root = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    file_open_how(FILE_OPEN_LOOK, FILE_SYMLINKS_INSIDE, &how);
    begin(scene, &tokens[0],
          (struct operation){ OPERATION_OPEN, .fd = root,
                              .open = { .path = "status", .how = &how } });
    struct completion completion = take_one(scene);
    if (completion.res == -ENOSYS || completion.res == -EPERM)
        skip(); /* no openat2(2) here */
    assert_true(completion.res >= 0);
    assert_int_equal(fcntl(completion.res, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    begin(scene, &tokens[1],
          (struct operation){ OPERATION_STAT, .fd = completion.res, .stat.ret_stx = &stx });
    (void)take_of(scene, &tokens[1], 0);
    assert_true(S_ISREG(stx.stx_mode));
    close(completion.res);
    static const struct {
        const char *path;
        int res;
    } cases[] = { { "missing", -ENOENT }, { "../version", -EXDEV }, { "status/x", -ENOTDIR } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        begin(scene, &tokens[0],
              (struct operation){ OPERATION_OPEN, .fd = root,
                                  .open = { .path = cases[i].path, .how = &how } });
        (void)take_of(scene, &tokens[0], cases[i].res);
    }
    close(root);
}

/* More at a time than there are places: who finds none tries again, and nothing is lost. */
static void crowd(struct scene *scene)
{
    enum { FILES = 300, LEN = 100 };
    static char octets[FILES][LEN];
    static bool done[FILES];
    struct completion completions[7];
    unsigned begun = 0, taken = 0;
    int fd = make_file(LEN);
    memset(done, 0, sizeof(done));
    while (taken < FILES) {
        for (; begun < FILES; begun++) {
            const struct operation read = { OPERATION_READ, .fd = fd,
                                            .read = { .mem = octets[begun], .len = LEN } };
            if (!processor_begin(scene->processor, &read, &octets[begun]))
                break;
        }
        assert_int_equal(processor_wait(scene->processor, WAIT_MS), 0);
        unsigned n = processor_take(scene->processor, completions, ARRAY_LEN(completions));
        for (unsigned i = 0; i < n; i++) {
            size_t index = (size_t)((char(*)[LEN])completions[i].token - octets);
            assert_true(index < FILES && !done[index]);
            assert_int_equal(completions[i].res, LEN);
            check_pattern(octets[index], 0, LEN);
            done[index] = true;
        }
        taken += n;
    }
    close(fd);
}

BOTH(read_a_file)
BOTH(warm_a_file)
BOTH(splice_a_file)
BOTH(open_and_stat)
BOTH(crowd)

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_a_file),   cmocka_unit_test(test_warm_a_file),
        cmocka_unit_test(test_splice_a_file), cmocka_unit_test(test_open_and_stat),
        cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
