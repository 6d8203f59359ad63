/* test_fd_slot.c: what is left there is copied as often as one likes, also by another process; the
 * newest counts. */
#include "core/fd_slot.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static ino_t inode_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

static int make_file(void)
{
    int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void assert_holds(const struct fd_slot *slot, ino_t inode)
{
    int fd = fd_slot_get(slot);
    assert_true(fd >= 0);
    assert_true(inode_of(fd) == inode);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

static void test_the_newest(void **state)
{
    (void)state;
    struct fd_slot slot;

    assert_int_equal(fd_slot_open(&slot), 0);
    assert_int_equal(fd_slot_get(&slot), -ENOENT);
    for (int i = 0; i < 500; i++) { /* more than a queue would hold */
        int file = make_file();
        ino_t inode = inode_of(file);
        assert_int_equal(fd_slot_put(&slot, file), 0);
        close(file);
        assert_holds(&slot, inode);
        assert_holds(&slot, inode);
    }
    fd_slot_close(&slot);
    fd_slot_close(&slot); /* once more does nothing */
}

static void test_in_a_child(void **state)
{
    (void)state;
    struct fd_slot slot;
    int status, ready[2];
    char octet = 0;

    assert_int_equal(fd_slot_open(&slot), 0);
    assert_int_equal(pipe(ready), 0);
    int file = make_file();
    pid_t pid = fork();
    if (pid == 0) {
        fd_slot_only_get(&slot);
        if (read(ready[0], &octet, 1) != 1)
            _exit(2);
        int fd = fd_slot_get(&slot);
        _exit(fd >= 0 && write(fd, "child", 5) == 5 ? 0 : 1);
    }
    assert_int_equal(fd_slot_put(&slot, file), 0);
    assert_int_equal(write(ready[1], &octet, 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(lseek(file, 0, SEEK_CUR), 5);
    close(file);
    close(ready[0]);
    close(ready[1]);
    fd_slot_close(&slot);
}

static void test_no_descriptor_left(void **state)
{
    (void)state;
    struct fd_slot slot;
    struct rlimit old, limit;

    assert_int_equal(fd_slot_open(&slot), 0);
    int file = make_file();
    assert_int_equal(fd_slot_put(&slot, file), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    limit = (struct rlimit){ (rlim_t)file + 1, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(fd_slot_get(&slot), -EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_holds(&slot, inode_of(file));
    close(file);
    fd_slot_close(&slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest),
        cmocka_unit_test(test_in_a_child),
        cmocka_unit_test(test_no_descriptor_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
