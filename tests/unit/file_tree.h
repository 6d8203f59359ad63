/* file_tree.h: the tree of files that the tests of core/file_*.c and core/dir_list.c work in, with
 * links of every kind, and what they share. Includes those four .c files. Once a program. */
#ifndef TESTS_UNIT_FILE_TREE_H
#define TESTS_UNIT_FILE_TREE_H

#include "core/check.h"
#include "core/dir_list.c"
#include "core/file_job.c"
#include "core/file_open.c"

#include <fcntl.h>

/* What to do between the walk's look at a segment and its opening; NULL: nothing. */
static void (*before_opening)(void);

static int openat_after_hook(int dir_fd, const char *name, int flags)
{
    if ((flags & O_PATH) == 0 && before_opening != NULL)
        before_opening();
    return openat(dir_fd, name, flags);
}

#define openat openat_after_hook
#include "core/file_walk.c"
#undef openat

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "in_child.h"

enum { NOBODY = 65534 };

static char base[PATH_MAX]; /* holds root/ and outside/ */
static int base_fd = -1;
static int root_fd = -1;
static bool have_device; /* root/device could be made */

/* Ways to resolve: what is asserted holds for both. */
__attribute__((unused)) static const bool walks[] = { false, true };

static inline void use_walk(bool walk)
{
    atomic_store(&openat2_refused, walk);
}

static inline void put_file(const char *path, const char *text, mode_t mode)
{
    int fd = openat(base_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static inline void put_dir(const char *path)
{
    assert_int_equal(mkdirat(base_fd, path, 0755), 0);
}

static inline void put_link(const char *path, const char *target)
{
    assert_int_equal(symlinkat(target, base_fd, path), 0);
}

/* A link with an absolute target beneath `base`. */
static inline void put_absolute_link(const char *path, const char *target)
{
    char text[PATH_MAX + 64];

    snprintf(text, sizeof(text), "%s/%s", base, target);
    put_link(path, text);
}

static inline void put_special_files(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char cwd[PATH_MAX];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(mkfifoat(base_fd, "root/fifo", 0644), 0);
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_int_equal(fchdir(base_fd), 0); /* a socket's address is short */
    strcpy(address.sun_path, "root/socket");
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    have_device = mknodat(base_fd, "root/device", S_IFCHR | 0666, makedev(1, 3)) == 0;
    assert_int_equal(chdir(cwd), 0);
}

static inline int set_up(void **state)
{
    /* In memory where possible: 100,000 renames wait for a busy disk's journal. */
    const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    char target[PATH_MAX + 16];

    (void)state;
    snprintf(base, sizeof(base), "%s/test_file_job.XXXXXX", tmp);
    assert_non_null(mkdtemp(base));
    assert_int_equal(chmod(base, 0755), 0);
    base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    put_dir("root");
    put_dir("root/dir");
    put_dir("root/dir/sub");
    put_dir("outside");
    put_file("outside/secret", "SECRET", 0644);
    put_file("root/file", "hello", 0644);
    put_file("root/empty", "", 0644);
    put_file("root/dir/inner", "inner", 0644);
    put_file("root/dir/sub/deep", "deep", 0644);
    put_file("root/private", "private", 0600);
    put_dir("root/closed");
    put_file("root/closed/file", "closed", 0644);
    assert_int_equal(fchmodat(base_fd, "root/closed", 0700, 0), 0);
    put_dir("root/nosearch");
    put_file("root/nosearch/file", "nosearch", 0644);
    assert_int_equal(fchmodat(base_fd, "root/nosearch", 0744, 0), 0);

    put_link("root/to-file", "file");
    put_link("root/to-dir", "dir");
    put_link("root/to-dir-slash", "dir/");
    put_link("root/to-file-slash", "file/");
    put_link("root/to-dot", ".");
    put_link("root/to-dots", "dir/./sub/..");
    put_link("root/to-slashes", "dir//sub///deep");
    put_link("root/dir/to-up", "../file");
    put_link("root/dir/sub/to-top", "../..");
    put_link("root/dir/to-winding", "sub/../../dir/inner");
    put_link("root/to-file-up", "file/..");
    put_link("root/to-nosearch", "nosearch/");
    put_link("root/to-nosearch-dot", "nosearch/.");
    put_link("root/to-nosearch-up", "nosearch/..");
    put_link("root/dangling", "nothing");
    put_link("root/loop-a", "loop-b");
    put_link("root/loop-b", "loop-a");
    put_link("root/self", "self/x");
    put_link("root/out", "../outside/secret");
    put_link("root/out-dir", "../outside");
    put_link("root/out-parent", "..");
    put_link("root/out-and-in", "../root/file");
    put_link("root/dir/out", "../../outside/secret");
    put_link("root/absolute-out", "/etc/passwd");
    put_absolute_link("root/absolute-in", "root/file");
    put_absolute_link("root/absolute-dir", "root/dir");
    put_absolute_link("root/absolute-root", "root");
    put_absolute_link("root/absolute-slash", "root//");
    put_absolute_link("root/absolute-winding", "outside/../root/dir/sub/../inner");
    put_absolute_link("root/absolute-parent", ".");
    put_absolute_link("root/absolute-and-out", "root/../outside/secret");
    put_absolute_link("root/absolute-missing", "root/nothing");
    put_absolute_link("root/absolute-outside-missing", "outside/nothing");
    put_absolute_link("root/absolute-chain", "root/absolute-in");
    put_link("root/dir/out-and-in", "../../root/dir/inner");
    put_link("root/to-top", "/");
    put_link("root/magic", "/proc/self/root");
    put_link("root/to-out", "out");
    for (int i = 0; i <= 41; i++) {
        char name[32];

        snprintf(name, sizeof(name), "root/chain-%d", i);
        snprintf(target, sizeof(target), "chain-%d", i - 1);
        put_link(name, i == 0 ? "file" : target);
    }
    put_special_files();
    root_fd = openat(base_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(root_fd >= 0);
    return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int tear_down(void **state)
{
    (void)state;
    close(root_fd);
    close(base_fd);
    return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Runs an OPEN job. Returns res; the job's kind, and its content, "" for none. */
static inline int run_open_job(const char *path, enum file_symlinks symlinks, int *ret_kind,
                               char ret_content[32])
{
    struct file_job job;
    int fds = dup(root_fd);

    close(fds);
    file_job_init_open(&job, root_fd, path, symlinks, 16);
    assert_int_equal(job.res, -EINPROGRESS);
    file_job_run(&job);
    *ret_kind = job.res == 0 ? job.meta.kind : -1;
    memset(ret_content, 0, 32);
    if (job.content != NULL)
        memcpy(ret_content, job.content, job.meta.size);
    assert_int_equal(job.fd >= 0, job.res == 0 && job.meta.kind != FILE_OTHER);
    if (job.fd >= 0) {
        assert_int_equal(fcntl(job.fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(job.fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_NONBLOCK);
    }
    file_job_discard(&job);
    assert_int_equal(job.fd, -1);
    assert_int_equal(dup(root_fd), fds); /* no descriptor is left behind */
    close(fds);
    return job.res;
}

static inline void as_nobody(void)
{
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(3);
}

#endif
