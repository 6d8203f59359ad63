/* test_pid_file.c: the number is in it, an old one is overwritten, a link is refused, and it is
 * gone, or empty, in the end. */
#include "core/pid_file.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
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

static void test_life(void **state)
{
    (void)state;
    char text[32] = "", expected[32];

    assert_int_equal(pid_file_check(path, why, sizeof why), 0);
    assert_int_equal(access(path, F_OK), -1);
    write_text("99999999999\nsomething old and longer\n");
    assert_int_equal(pid_file_check(path, why, sizeof why), 0);
    int fd = pid_file_create(path, why, sizeof why);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    snprintf(expected, sizeof expected, "%d\n", getpid());
    assert_string_equal(text, expected);
    pid_file_remove(path, fd);
    assert_int_equal(access(path, F_OK), -1);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_int_equal(pid_file_create("/no/such/g.pid", why, sizeof why), -ENOENT);
    assert_string_equal(why, "pid_file /no/such/g.pid: No such file or directory");
    assert_int_equal(pid_file_check("/no/such/g.pid", why, sizeof why), -ENOENT);
    assert_int_equal(pid_file_create(folder, why, sizeof why), -EISDIR);
    assert_int_equal(pid_file_check(folder, why, sizeof why), -EISDIR);
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(pid_file_create(path, why, sizeof why), -ELOOP);
    assert_non_null(strstr(why, "it is a symbolic link"));
    assert_int_equal(pid_file_check(path, why, sizeof why), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pid_file_create("/dev/full", why, sizeof why), -ENOSPC);
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
        int fd = pid_file_create(path, why, sizeof why);
        if (fd < 0 || setuid(65534) != 0)
            _exit(1);
        pid_file_remove(path, fd);
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
        cmocka_unit_test(test_emptied_where_it_cannot_be_removed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
