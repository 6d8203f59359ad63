/* test_file_open.c: opening beneath a root, by openat2 and by the walk. Every path of one tree is
 * opened in both ways, under both rules for links, as root and as nobody; links are turned round
 * meanwhile. */
#include "tests/unit/file_tree.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>

enum { FLIPS = 20000 };

struct open_case {
    const char *path;
    int inside, deny;    /* expected res */
    int kind;            /* where res is 0 */
    const char *content; /* where a regular file is small and not empty */
};

#define REG       FILE_REGULAR
#define DIRECTORY FILE_DIRECTORY

static const struct open_case open_cases[] = {
    { ".", 0, 0, DIRECTORY, NULL },
    { "file", 0, 0, REG, "hello" },
    { "empty", 0, 0, REG, NULL },
    { "dir", 0, 0, DIRECTORY, NULL },
    { "dir/sub/deep", 0, 0, REG, "deep" },
    { "dir//sub/./deep", 0, 0, REG, "deep" },
    { "dir/", 0, 0, DIRECTORY, NULL },
    { "dir/..", 0, 0, DIRECTORY, NULL },
    { "", -ENOENT, -ENOENT, 0, NULL },
    { "nothing", -ENOENT, -ENOENT, 0, NULL },
    { "nothing/x", -ENOENT, -ENOENT, 0, NULL },
    { "dir/nothing", -ENOENT, -ENOENT, 0, NULL },
    { "file/", -ENOTDIR, -ENOTDIR, 0, NULL },
    { "file/x", -ENOTDIR, -ENOTDIR, 0, NULL },
    { "file/.", -ENOTDIR, -ENOTDIR, 0, NULL },
    { "fifo/x", -ENOTDIR, -ENOTDIR, 0, NULL },
    { "..", -EXDEV, -EXDEV, 0, NULL },
    { "../outside/secret", -EXDEV, -EXDEV, 0, NULL },
    { "dir/../../outside/secret", -EXDEV, -EXDEV, 0, NULL },
    { "/etc/passwd", -EXDEV, -EXDEV, 0, NULL },
    { "to-file", 0, -ELOOP, REG, "hello" },
    { "to-dir", 0, -ELOOP, DIRECTORY, NULL },
    { "to-dir/", 0, -ELOOP, DIRECTORY, NULL },
    { "to-dir/sub/deep", 0, -ELOOP, REG, "deep" },
    { "to-dir-slash", 0, -ELOOP, DIRECTORY, NULL },
    { "to-dir-slash/inner", 0, -ELOOP, REG, "inner" },
    { "to-file-slash", -ENOTDIR, -ELOOP, 0, NULL },
    { "to-file/", -ENOTDIR, -ELOOP, 0, NULL },
    { "to-file/x", -ENOTDIR, -ELOOP, 0, NULL },
    { "to-dot", 0, -ELOOP, DIRECTORY, NULL },
    { "to-dot/to-dot/file", 0, -ELOOP, REG, "hello" },
    { "to-dots", 0, -ELOOP, DIRECTORY, NULL },
    { "to-dots/inner", 0, -ELOOP, REG, "inner" },
    { "to-slashes", 0, -ELOOP, REG, "deep" },
    { "dir/to-up", 0, -ELOOP, REG, "hello" },
    { "to-dir/to-up", 0, -ELOOP, REG, "hello" },
    { "dir/sub/to-top", 0, -ELOOP, DIRECTORY, NULL },
    { "dir/sub/to-top/dir/sub/to-top/file", 0, -ELOOP, REG, "hello" },
    { "dir/to-winding", 0, -ELOOP, REG, "inner" },
    { "to-file-up", -ENOTDIR, -ELOOP, 0, NULL },
    { "dangling", -ENOENT, -ELOOP, 0, NULL },
    { "loop-a", -ELOOP, -ELOOP, 0, NULL },
    { "self", -ELOOP, -ELOOP, 0, NULL },
    { "chain-39", 0, -ELOOP, REG, "hello" },        /* 40 links */
    { "chain-40", -ELOOP, -ELOOP, 0, NULL },        /* 41 */
    { "to-dot/chain-39", -ELOOP, -ELOOP, 0, NULL }, /* 41 in all */
    { "out", -EXDEV, -ELOOP, 0, NULL },
    { "to-out", -EXDEV, -ELOOP, 0, NULL },
    { "out-dir", -EXDEV, -ELOOP, 0, NULL },
    { "out-dir/secret", -EXDEV, -ELOOP, 0, NULL },
    { "out-parent/outside/secret", -EXDEV, -ELOOP, 0, NULL },
    { "out-and-in", 0, -ELOOP, REG, "hello" },
    { "dir/out-and-in", 0, -ELOOP, REG, "inner" },
    { "to-dir/out-and-in", 0, -ELOOP, REG, "inner" },
    { "out-and-in/x", -ENOTDIR, -ELOOP, 0, NULL },
    { "out-parent", -EXDEV, -ELOOP, 0, NULL },
    { "out-parent/root/file", -EXDEV, -ELOOP, 0, NULL }, /* the link itself leads out */
    { "out-dir/nothing", -EXDEV, -ELOOP, 0, NULL },
    { "to-dir/../../outside/secret", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-dir/../../outside/secret", -EXDEV, -ELOOP, 0, NULL },
    { "dir/out", -EXDEV, -ELOOP, 0, NULL },
    { "to-dir/out", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-out", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-in", 0, -ELOOP, REG, "hello" },
    { "absolute-in/", -ENOTDIR, -ELOOP, 0, NULL },
    { "absolute-chain", 0, -ELOOP, REG, "hello" },
    { "absolute-dir", 0, -ELOOP, DIRECTORY, NULL },
    { "absolute-dir/", 0, -ELOOP, DIRECTORY, NULL },
    { "absolute-dir/inner", 0, -ELOOP, REG, "inner" },
    { "absolute-dir/to-up", 0, -ELOOP, REG, "hello" },
    { "absolute-dir/out", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-root", 0, -ELOOP, DIRECTORY, NULL },
    { "absolute-root/file", 0, -ELOOP, REG, "hello" },
    { "absolute-slash", 0, -ELOOP, DIRECTORY, NULL },
    { "absolute-slash/absolute-root/absolute-in", 0, -ELOOP, REG, "hello" },
    { "absolute-winding", 0, -ELOOP, REG, "inner" },
    { "absolute-parent", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-parent/root/file", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-and-out", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-missing", -ENOENT, -ELOOP, 0, NULL },
    { "absolute-outside-missing", -EXDEV, -ELOOP, 0, NULL },
    { "to-top", -EXDEV, -ELOOP, 0, NULL },
    { "to-top/etc/passwd", -EXDEV, -ELOOP, 0, NULL },
    { "magic", -EXDEV, -ELOOP, 0, NULL },
    { "fifo", 0, 0, FILE_OTHER, NULL },
    { "socket", 0, 0, FILE_OTHER, NULL },
};

/* What depends on who asks; only tried as nobody. */
static const struct open_case nobody_cases[] = {
    { "private", -EACCES, -EACCES, 0, NULL },
    { "private/x", -ENOTDIR, -ENOTDIR, 0, NULL },
    { "closed", -EACCES, -EACCES, 0, NULL },
    { "closed/file", -EACCES, -EACCES, 0, NULL },
    { "closed/nothing", -EACCES, -EACCES, 0, NULL },
    { "nosearch", 0, 0, DIRECTORY, NULL },
    { "nosearch/", 0, 0, DIRECTORY, NULL },
    { "nosearch/.", -EACCES, -EACCES, 0, NULL },
    { "nosearch/..", -EACCES, -EACCES, 0, NULL },
    { "nosearch/file", -EACCES, -EACCES, 0, NULL },
    { "to-nosearch", 0, -ELOOP, DIRECTORY, NULL },
    { "to-nosearch-dot", -EACCES, -ELOOP, 0, NULL },
    { "to-nosearch-up", -EACCES, -ELOOP, 0, NULL },
};

static void check_case(const struct open_case *c, enum file_symlinks symlinks)
{
    int expected = symlinks == FILE_SYMLINKS_DENY ? c->deny : c->inside;
    char content[32];
    int kind;
    int res = run_open_job(c->path, symlinks, &kind, content);

    if (res != expected || (res == 0 && kind != c->kind) ||
        strcmp(content, res == 0 && c->content != NULL ? c->content : "") != 0)
        fail_msg("'%s' (%s, %s): res %d, kind %d, content '%s'", c->path,
                 symlinks == FILE_SYMLINKS_DENY ? "deny" : "inside",
                 atomic_load(&openat2_refused) ? "walk" : "openat2", res, kind, content);
}

static void check_cases(const struct open_case *cases, size_t count)
{
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        use_walk(walks[way]);
        for (size_t i = 0; i < count; i++) {
            check_case(&cases[i], FILE_SYMLINKS_INSIDE);
            check_case(&cases[i], FILE_SYMLINKS_DENY);
        }
        assert_int_equal(atomic_load(&openat2_refused), walks[way]);
    }
}

static void test_open(void **state)
{
    static const struct open_case device = { "device", 0, 0, FILE_OTHER, NULL };

    (void)state;
    check_cases(open_cases, ARRAY_LEN(open_cases));
    if (have_device)
        check_cases(&device, 1);
}

static void test_open_long_names(void **state)
{
    char path[PATH_MAX + 1];
    char content[32];
    int kind;

    (void)state;
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        use_walk(walks[way]);
        memset(path, 'x', 256);
        path[256] = '\0';
        assert_int_equal(run_open_job(path, FILE_SYMLINKS_INSIDE, &kind, content), -ENAMETOOLONG);
        path[255] = '\0';
        assert_int_equal(run_open_job(path, FILE_SYMLINKS_INSIDE, &kind, content), -ENOENT);
        for (size_t i = 0; i < PATH_MAX; i++)
            path[i] = i % 2 == 0 ? '.' : '/';
        memcpy(path + PATH_MAX - 5, "file", 5); /* PATH_MAX octets with its NUL: fits */
        path[PATH_MAX - 6] = '/';
        assert_int_equal(run_open_job(path, FILE_SYMLINKS_INSIDE, &kind, content), 0);
        assert_string_equal(content, "hello");
        memcpy(path + PATH_MAX - 4, "file", 5);
        assert_int_equal(run_open_job(path, FILE_SYMLINKS_INSIDE, &kind, content), -ENAMETOOLONG);
    }
}

static void check_nobody_cases(void)
{
    as_nobody();
    check_cases(open_cases, ARRAY_LEN(open_cases));
    check_cases(nobody_cases, ARRAY_LEN(nobody_cases));
}

static void test_open_as_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* files of somebody else are needed */
    in_child(check_nobody_cases);
}

/* Makes openat2(2) fail with `error` for good in this process. */
static void refuse_openat2(unsigned error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = ARRAY_LEN(filter), .filter = filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(4);
}

static void check_refused(unsigned error)
{
    use_walk(false);
    refuse_openat2(error);
    for (size_t i = 0; i < ARRAY_LEN(open_cases); i++) {
        check_case(&open_cases[i], FILE_SYMLINKS_INSIDE);
        assert_true(atomic_load(&openat2_refused));
    }
}

static void check_eperm(void)
{
    check_refused(EPERM);
}

static void check_enosys(void)
{
    check_refused(ENOSYS);
}

static void test_refused(void **state)
{
    (void)state;
    in_child(check_eperm);
    in_child(check_enosys);
}

/* A single file's EPERM is no reason to give up openat2. */
static void test_not_refused(void **state)
{
    (void)state;
    use_walk(false);
    assert_false(is_refusal(-EPERM, root_fd));
    assert_false(is_refusal(-EACCES, root_fd));
    assert_true(is_refusal(-ENOSYS, root_fd));
}

/* A writer that waits in open(2) must not notice that somebody asked for the FIFO by URL. */
static void test_fifo_writer_sleeps_on(void **state)
{
    (void)state;
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        char content[32];
        pid_t writer;
        int kind;

        use_walk(walks[way]);
        writer = fork();
        assert_true(writer >= 0);
        if (writer == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(openat(base_fd, "root/fifo", O_WRONLY) >= 0);
        }
        usleep(20000);
        assert_int_equal(run_open_job("fifo", FILE_SYMLINKS_INSIDE, &kind, content), 0);
        assert_int_equal(kind, FILE_OTHER);
        usleep(20000);
        assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
        kill(writer, SIGKILL);
        assert_int_equal(waitpid(writer, NULL, 0), writer);
    }
}

/* In the narrowest window of the walk the file becomes a link that leaves the root. */
static void swap_for_link(void)
{
    before_opening = NULL;
    put_link("root/swapped.new", "../outside/secret");
    assert_int_equal(renameat(base_fd, "root/swapped.new", base_fd, "root/swapped"), 0);
}

static void test_swapped_while_walking(void **state)
{
    int fd = -1;
    struct file_meta meta;

    (void)state;
    put_file("root/swapped", "swapped", 0644);
    before_opening = swap_for_link;
    assert_int_equal(file_walk(root_fd, "swapped", FILE_SYMLINKS_INSIDE, OPEN_FLAGS), -EAGAIN);
    assert_null(before_opening);

    assert_int_equal(unlinkat(base_fd, "root/swapped", 0), 0);
    put_file("root/swapped", "swapped", 0644);
    use_walk(true);
    before_opening = swap_for_link;
    assert_int_equal(file_open(root_fd, "swapped", FILE_SYMLINKS_INSIDE, NULL, &fd, &meta), -EXDEV);
    assert_null(before_opening);
    assert_int_equal(fd, -1);
    assert_int_equal(unlinkat(base_fd, "root/swapped", 0), 0);
}

struct flipper {
    atomic_bool done;
    atomic_uint rounds; /* of the reader */
};

/* Turns root/flip from a link that stays inside into one that leaves and back, root/swap from a
 * directory into a link that leaves and back, and moves a directory out of the root and back. */
static void *flip(void *arg)
{
    struct flipper *flipper = arg;

    /* Ends where it began, and not before the reader has seen something of it. */
    for (int i = 0; i < FLIPS || atomic_load(&flipper->rounds) < 1000 || i % 8 != 0; i++) {
        bool out = i % 2 == 0;
        bool too = i % 8 < 2;

        if (symlinkat(out ? "../outside/secret" : "dir/inner", base_fd, "root/flip.new") < 0 ||
            renameat(base_fd, "root/flip.new", base_fd, "root/flip") < 0)
            abort();
        if (too && renameat2(base_fd, "root/swap", base_fd, "root/swap.other", RENAME_EXCHANGE) < 0)
            abort();
        if (too && renameat(base_fd, out ? "root/roving" : "outside/roving", base_fd,
                            out ? "outside/roving" : "root/roving") < 0)
            abort();
    }
    atomic_store(&flipper->done, true);
    return NULL;
}

static void check_flipping(const char *path, const char *allowed)
{
    char content[32];
    int kind;
    int res = run_open_job(path, FILE_SYMLINKS_INSIDE, &kind, content);

    if (res == 0) {
        assert_string_equal(content, allowed);
        return;
    }
    if (res != -EXDEV && res != -ENOENT)
        fail_msg("'%s': %d", path, res);
}

static void test_flipping_links(void **state)
{
    char content[32];
    int kind;

    (void)state;
    put_link("root/flip", "dir/inner");
    put_dir("root/swap");
    put_file("root/swap/secret", "harmless", 0644);
    put_link("root/swap.other", "../outside");
    put_dir("root/roving");
    put_dir("root/roving/down");
    /* From root/roving it leads to root/file; from outside/roving it would lead to outside/. */
    put_link("root/roving/down/up", "../../file");
    put_file("outside/file", "SECRET", 0644);
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        static struct flipper
            flipper; /* a failed assertion must not pull it from under the thread */
        pthread_t thread;

        use_walk(walks[way]);
        atomic_store(&flipper.done, false);
        atomic_store(&flipper.rounds, 0);
        assert_int_equal(pthread_create(&thread, NULL, flip, &flipper), 0);
        while (!atomic_load(&flipper.done)) {
            check_flipping("flip", "inner");
            check_flipping("swap/secret", "harmless");
            check_flipping("roving/down/up", "hello");
            /* Goes through "..", which renames anywhere disturb (EAGAIN). */
            assert_int_equal(run_open_job("dir/to-up", FILE_SYMLINKS_INSIDE, &kind, content), 0);
            assert_string_equal(content, "hello");
            atomic_fetch_add(&flipper.rounds, 1);
        }
        pthread_join(thread, NULL);
        assert_int_equal(run_open_job("flip", FILE_SYMLINKS_INSIDE, &kind, content), 0);
        assert_int_equal(run_open_job("swap/secret", FILE_SYMLINKS_INSIDE, &kind, content), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_open_long_names),
        cmocka_unit_test(test_open_as_nobody),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_not_refused),
        cmocka_unit_test(test_fifo_writer_sleeps_on),
        cmocka_unit_test(test_swapped_while_walking),
        cmocka_unit_test(test_flipping_links),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
