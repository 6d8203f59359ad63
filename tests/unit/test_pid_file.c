/* test_pid_file.c: the number is in it, an old one is overwritten, a link is refused, and it is
 * gone, or empty, in the end. */
#include "process/pid_file.c"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_pid_file.XXXXXX";
static char path[64], why[256];

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "%s/g.pid", mkdtemp(folder));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_text(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int create(const char *name, struct pid_file *ret_file)
{
    return pid_file_create(name, geteuid(), why, sizeof why, ret_file);
}

static void test_life(void **state)
{
    (void)state;
    char text[32] = "", expected[32];

    assert_int_equal(pid_file_check(path, geteuid(), why, sizeof why), 0);
    assert_int_equal(access(path, F_OK), -1);
    write_text("99999999999\nsomething old and longer\n");
    assert_int_equal(pid_file_check(path, geteuid(), why, sizeof why), 0);
    struct pid_file pid_file;
    assert_int_equal(create(path, &pid_file), 0);
    assert_true(fcntl(pid_file.fd, F_GETFD) & FD_CLOEXEC);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    snprintf(expected, sizeof expected, "%d\n", getpid());
    assert_string_equal(text, expected);
    pid_file_remove(&pid_file);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(pid_file.fd, -1);
    pid_file_remove(&pid_file); /* nothing, then */
}

static void test_refusals(void **state)
{
    (void)state;
    struct pid_file untouched = { .fd = 12345 };

    assert_int_equal(create("/no/such/g.pid", &untouched), -ENOENT);
    assert_string_equal(why, "pid_file /no/such/g.pid: No such file or directory");
    assert_int_equal(pid_file_check("/no/such/g.pid", geteuid(), why, sizeof why), -ENOENT);
    assert_int_equal(create(folder, &untouched), -EISDIR);
    assert_int_equal(pid_file_check(folder, geteuid(), why, sizeof why), -EISDIR);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(create(path, &untouched), -ELOOP);
    assert_non_null(strstr(why, "it is a symbolic link"));
    assert_int_equal(pid_file_check(path, geteuid(), why, sizeof why), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(create("/dev/full", &untouched), -EINVAL);
    assert_string_equal(why, "pid_file /dev/full: it is not a regular file");
    assert_int_equal(untouched.fd, 12345);
}

/* As where a disk is full: the number does not fit, and nothing is held open. */
static void test_write_failure(void **state)
{
    (void)state;
    struct rlimit limit, none = { 0 };
    struct pid_file untouched = { .fd = 12345 };
    int next_fd = dup(0);

    close(next_fd);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    none.rlim_max = limit.rlim_max;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    int error = create(path, &untouched);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(error, -EFBIG);
    assert_int_equal(untouched.fd, 12345);
    int again = dup(0);
    assert_int_equal(again, next_fd);
    close(again);
    assert_int_equal(unlink(path), 0);
}

/* What has taken the name since is not removed; the file is emptied all the same. */
static void test_replaced(void **state)
{
    (void)state;
    struct pid_file pid_file;
    struct stat info;
    char moved[80];

    snprintf(moved, sizeof moved, "%s.old", path);
    assert_int_equal(create(path, &pid_file), 0);
    assert_int_equal(rename(path, moved), 0);
    write_text("another's\n");
    pid_file_remove(&pid_file);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 10);
    assert_int_equal(stat(moved, &info), 0);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(unlink(moved), 0);
    assert_int_equal(unlink(path), 0);
}

/* After the drop the folder is no longer ours to change. */
static void test_emptied_where_it_cannot_be_removed(void **state)
{
    (void)state;
    struct stat info;
    int status = 0;

    if (geteuid() != 0)
        skip();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct pid_file pid_file;
        if (create(path, &pid_file) < 0 || setuid(65534) != 0)
            _exit(1);
        pid_file_remove(&pid_file);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 0);
    assert_int_equal(info.st_mode & 0777 & ~0644u, 0);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_write_failure),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_emptied_where_it_cannot_be_removed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
