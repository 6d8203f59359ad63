/* test_file_job.c: opening, reading and listing beneath a root, by openat2 and by the walk. Every
 * path of one tree is opened in both ways, under both rules for links, as root and as nobody. */
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
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

enum { NOBODY = 65534, FLIPS = 20000 };

static char base[PATH_MAX]; /* holds root/ and outside/ */
static int base_fd = -1;
static int root_fd = -1;
static bool have_device;

/* Ways to resolve: what is asserted holds for both. */
static const bool walks[] = { false, true };

static void use_walk(bool walk)
{
    atomic_store(&openat2_refused, walk);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
    int fd = openat(base_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void put_dir(const char *path)
{
    assert_int_equal(mkdirat(base_fd, path, 0755), 0);
}

static void put_link(const char *path, const char *target)
{
    assert_int_equal(symlinkat(target, base_fd, path), 0);
}

static void put_special_files(void)
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

static int set_up(void **state)
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
    snprintf(target, sizeof(target), "%s/root/file", base);
    put_link("root/absolute-in", target);
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

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    close(root_fd);
    close(base_fd);
    return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Runs an OPEN job. Returns res; the job's kind, and its content, "" for none. */
static int run_open_job(const char *path, enum file_symlinks symlinks, int *ret_kind,
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
    { "out-and-in", -EXDEV, -ELOOP, 0, NULL },
    { "dir/out", -EXDEV, -ELOOP, 0, NULL },
    { "to-dir/out", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-out", -EXDEV, -ELOOP, 0, NULL },
    { "absolute-in", -EXDEV, -ELOOP, 0, NULL },
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

/* Runs `test` in a child process; it fails when the child does not exit with 0. */
static void in_child(void (*test)(void))
{
    pid_t child;
    int status;

    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failure must not run the parent's other tests */
        test();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void as_nobody(void)
{
    if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(3);
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
    assert_int_equal(file_open(root_fd, "swapped", FILE_SYMLINKS_INSIDE, &fd, &meta), -EXDEV);
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

/* Lists `path` as one string: "dir/ sub/ file:5 ". */
static int list(const char *path, enum file_symlinks symlinks, bool dotfiles, size_t max, char *ret)
{
    struct file_job job;

    file_job_init_list(&job, root_fd, path, symlinks, dotfiles, max);
    file_job_run(&job);
    ret[0] = '\0';
    if (job.res == 0) {
        for (size_t i = 0; i < job.listing->count; i++) {
            const struct dir_item *item = &job.listing->items[i];

            if (item->is_dir)
                ret += sprintf(ret, "%s/ ", item->name);
            else
                ret += sprintf(ret, "%s:%llu ", item->name, (unsigned long long)item->size);
        }
    } else {
        assert_null(job.listing);
    }
    file_job_discard(&job);
    return job.res;
}

static void put_listed(void)
{
    put_dir("root/list");
    put_dir("root/list/zdir");
    put_dir("root/list/bdir");
    put_dir("root/list/none");
    put_file("root/list/b", "bb", 0644);
    put_file("root/list/B", "", 0644);
    put_file("root/list/new\nline", "n", 0644);
    put_file("root/list/bad\xff", "n", 0644);
    put_file("root/list/.dot", "1", 0644);
    put_file("root/list/private", "1", 0600);
    put_link("root/list/up", "../file");
    put_link("root/list/updir", "../dir");
    put_link("root/list/gone", "nothing");
    put_link("root/list/out", "../../outside/secret");
    put_link("root/list/loop", "loop");
    put_link("root/list/pipe", "../fifo");
    put_link("root/list/to-private", "private");
    assert_int_equal(mkfifoat(base_fd, "root/list/fifo", 0644), 0);
}

static void test_list(void **state)
{
    char text[1024];

    (void)state;
    put_listed();
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        use_walk(walks[way]);
        assert_int_equal(list("list", FILE_SYMLINKS_INSIDE, false, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ updir/ zdir/ B:0 b:2 bad\xff:1 new\nline:1 "
                                  "private:1 to-private:1 up:5 ");
        assert_int_equal(list("list", FILE_SYMLINKS_DENY, false, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ zdir/ B:0 b:2 bad\xff:1 new\nline:1 private:1 ");
        assert_int_equal(list("to-dot/list", FILE_SYMLINKS_INSIDE, true, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ updir/ zdir/ .dot:1 B:0 b:2 bad\xff:1 new\nline:1 "
                                  "private:1 to-private:1 up:5 ");
        assert_int_equal(list("list/none", FILE_SYMLINKS_DENY, true, 0, text), 0);
        assert_string_equal(text, "");
        assert_int_equal(list(".", FILE_SYMLINKS_INSIDE, true, 1000, text), 0);
        assert_non_null(strstr(text, "to-dir/ "));
        assert_non_null(strstr(text, " file:5 "));
        assert_null(strstr(text, "out"));
        assert_null(strstr(text, "fifo"));
        assert_null(strstr(text, "device"));
        assert_int_equal(list("list", FILE_SYMLINKS_DENY, false, 16, text), 0);
        assert_int_equal(list("list", FILE_SYMLINKS_DENY, false, 15, text), -EFBIG);
        assert_int_equal(list("file", FILE_SYMLINKS_INSIDE, false, 100, text), -ENOTDIR);
        assert_int_equal(list("fifo", FILE_SYMLINKS_INSIDE, false, 100, text), -ENOTDIR);
        assert_int_equal(list("nothing", FILE_SYMLINKS_INSIDE, false, 100, text), -ENOENT);
        assert_int_equal(list("out-dir", FILE_SYMLINKS_INSIDE, false, 100, text), -EXDEV);
        assert_int_equal(list("to-dir", FILE_SYMLINKS_DENY, false, 100, text), -ELOOP);
    }
    dir_listing_free(NULL);
}

static void check_list_as_nobody(void)
{
    char text[1024];

    as_nobody();
    for (size_t way = 0; way < ARRAY_LEN(walks); way++) {
        use_walk(walks[way]);
        assert_int_equal(list("list", FILE_SYMLINKS_INSIDE, false, 100, text), 0);
        assert_string_equal(text, "bdir/ none/ updir/ zdir/ B:0 b:2 bad\xff:1 new\nline:1 up:5 ");
        assert_int_equal(list("closed", FILE_SYMLINKS_INSIDE, false, 100, text), -EACCES);
        assert_int_equal(list("nosearch", FILE_SYMLINKS_INSIDE, false, 100, text), 0);
        assert_string_equal(text, "");
    }
}

static void test_list_as_nobody(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(check_list_as_nobody);
}

static void test_list_100000(void **state)
{
    enum { NAMES = 100000 };
    struct file_job job;
    char name[64];

    (void)state;
    use_walk(false);
    put_dir("root/many");
    put_file("root/many/000000", "x", 0644);
    for (int i = 1; i < NAMES; i++) {
        /* Some 30,000 hard links a file are safe on every file system. */
        int first = i / 30000 * 30000;
        char to[64];

        snprintf(name, sizeof(name), "root/many/%06d", first);
        snprintf(to, sizeof(to), "root/many/%06d", i);
        if (i == first)
            put_file(to, "x", 0644);
        else
            assert_int_equal(linkat(base_fd, name, base_fd, to, 0), 0);
    }
    file_job_init_list(&job, root_fd, "many", FILE_SYMLINKS_INSIDE, false, NAMES);
    file_job_run(&job);
    assert_int_equal(job.res, 0);
    assert_int_equal(job.listing->count, NAMES);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof(name), "%06d", i);
        assert_string_equal(job.listing->items[i].name, name);
    }
    file_job_discard(&job);
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
        cmocka_unit_test(test_content_max),
        cmocka_unit_test(test_meta),
        cmocka_unit_test(test_meta_same),
        cmocka_unit_test(test_read_whole),
        cmocka_unit_test(test_file_that_changes),
        cmocka_unit_test(test_swapped_while_walking),
        cmocka_unit_test(test_flipping_links),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_list_as_nobody),
        cmocka_unit_test(test_list_100000),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
