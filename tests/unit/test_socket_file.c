/* test_socket_file.c: the name of a unix socket: its mode without a chmod, taken over, given back.
 * Sockets that servers use are in test_listen.c; traps of other users in tests/cli. */
#include "core/socket_file.c"

#include "core/check.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_socket_file.XXXXXX";
static char path[64];
static const char *what;

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/s", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    return fd;
}

/* The mode of what was bound while the umask was `mask`. */
static mode_t mode_under(mode_t mask)
{
    struct socket_file file;
    struct stat info;
    int fd = new_socket();
    mode_t old = umask(mask);

    int error = socket_file_bind(fd, path, 0666, &file, &what);
    assert_int_equal(umask(old), mask); /* as it was */
    assert_int_equal(error, 0);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    socket_file_remove(&file);
    close(fd);
    assert_int_equal(access(path, F_OK), -1);
    return info.st_mode & 07777;
}

static void test_mode(void **state)
{
    (void)state;
    static const mode_t masks[] = { 0, 022, 077, 0777 };

    for (size_t i = 0; i < ARRAY_LEN(masks); i++)
        assert_int_equal(mode_under(masks[i]), 0666);
}

/* Ends the process at a call that changes mode or owner by a name. */
static void forbid_changes_by_name(void)
{
    static const int calls[] = {
#ifdef SYS_chmod
        SYS_chmod,
#endif
#ifdef SYS_chown
        SYS_chown,
#endif
#ifdef SYS_lchown
        SYS_lchown,
#endif
        SYS_fchmodat, SYS_fchownat, 452 /* fchmodat2(2), Linux 6.6 */
    };
    struct sock_filter filter[2 * ARRAY_LEN(calls) + 2];
    unsigned short len = 0;

    filter[len++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        filter[len++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1);
        filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    }
    filter[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = len, .filter = filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        _exit(77); /* no seccomp here */
}

/* There is no window in which the file has another mode or another file can get this one: the mode
 * is the bind's. */
static void test_no_change_by_name(void **state)
{
    (void)state;
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        forbid_changes_by_name();
        _exit(mode_under(077) == 0666 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(status, 0);
    /* The filter can fail. */
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        forbid_changes_by_name();
        _exit(chmod(folder, 0700) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void test_taken_over(void **state)
{
    (void)state;
    struct socket_file first, second;
    int fd = new_socket(), other = new_socket();

    assert_int_equal(socket_file_check(path, &what), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(socket_file_bind(fd, path, 0666, &first, &what), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(socket_file_bind(other, path, 0666, &second, &what), -EADDRINUSE);
    assert_null(what);
    assert_int_equal(socket_file_check(path, &what), 0); /* a server that runs is no fault */
    /* Somebody has removed its name, and another server has taken it: that one's stays. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(socket_file_bind(other, path, 0666, &second, &what), 0);
    socket_file_remove(&first);
    close(fd);
    assert_int_equal(access(path, F_OK), 0);
    socket_file_remove(&second);
    assert_int_equal(access(path, F_OK), -1);
    close(other);

    /* A server that was killed. */
    fd = new_socket(), other = new_socket();
    assert_int_equal(socket_file_bind(fd, path, 0666, &first, &what), 0);
    place_close(&first.place);
    close(fd);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(socket_file_bind(other, path, 0666, &second, &what), 0);
    socket_file_remove(&second);
    assert_int_equal(access(path, F_OK), -1);
    close(other);
}

static void test_refusals(void **state)
{
    (void)state;
    struct socket_file untouched = { .number = 12345 };
    int fd = new_socket(), next_fd = dup(0);

    close(next_fd);
    assert_int_equal(socket_file_bind(fd, "/no/such/s", 0666, &untouched, &what), -ENOENT);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(socket_file_bind(fd, path, 0666, &untouched, &what), -EEXIST);
    assert_string_equal(what, "a file of that name exists and is not a socket");
    assert_int_equal(socket_file_check(path, &what), -EEXIST);
    assert_string_equal(what, "a file of that name exists and is not a socket");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(untouched.number, 12345);
    int again = dup(0);
    assert_int_equal(again, next_fd);
    close(again);
    close(fd);
}

/* Made once; a link in its place is neither followed nor replaced. */
static void test_folder(void **state)
{
    char inner[80], other[80];
    struct stat info;

    (void)state;
    snprintf(inner, sizeof(inner), "%s/inner", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    for (int i = 0; i < 2; i++)
        assert_int_equal(socket_file_make_folder(inner, &what), 0);
    assert_int_equal(lstat(inner, &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(info.st_mode & 022, 0);
    assert_int_equal(rmdir(inner), 0);
    assert_int_equal(symlink(other, inner), 0);
    assert_int_equal(socket_file_make_folder(inner, &what), 0);
    assert_int_equal(lstat(inner, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(lstat(other, &info), -1);
    assert_int_equal(unlink(inner), 0);
    snprintf(inner, sizeof(inner), "%s/none/inner", folder);
    assert_int_equal(socket_file_make_folder(inner, &what), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode),       cmocka_unit_test(test_no_change_by_name),
        cmocka_unit_test(test_taken_over), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
