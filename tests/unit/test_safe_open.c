/* test_safe_open.c: what root takes, in a folder of its own and in one of somebody else's, for each
 * use; that a refusal has changed nothing; and that nothing is made by asking. */
#include "core/safe_open.c"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "in_child.h"

enum { OWNER = 65534, THIRD = 65533 };

static char base[] = "/tmp/test_safe_open.XXXXXX";
static char path[128];
static const char *what;

static const char *at(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", base, name);
    return path;
}

static void make(const char *name, uid_t owner, const char *text)
{
    FILE *file = fopen(at(name), "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chown(path, owner, owner), 0);
}

static void make_link(const char *target, const char *name)
{
    char from[128];

    snprintf(from, sizeof(from), "%s", at(target));
    assert_int_equal(link(from, at(name)), 0);
}

/* The same things in a folder of root's and in one of the user's. */
static void fill(const char *folder, uid_t owner)
{
    char name[64];

    assert_int_equal(mkdir(at(folder), 0755), 0);
    assert_int_equal(chown(path, owner, owner), 0);
#define IN(file) (snprintf(name, sizeof(name), "%s/%s", folder, file), name)
    make(IN("owners"), OWNER, "text");
    make(IN("roots"), 0, "text");
    make(IN("empty"), 0, "");
    make(IN("third"), THIRD, "text");
    make(IN("two"), OWNER, "text");
    char second[64];
    snprintf(second, sizeof(second), "%s/two-too", folder);
    make_link(name, second);
    assert_int_equal(mkfifo(at(IN("fifo")), 0600), 0);
    assert_int_equal(chown(path, OWNER, OWNER), 0);
    assert_int_equal(mkdir(at(IN("folder")), 0755), 0);
    assert_int_equal(symlink("nothing", at(IN("dangling"))), 0);
    assert_int_equal(symlink("roots", at(IN("link"))), 0);
    assert_int_equal(lchown(path, OWNER, OWNER), 0);
    (void)!mknod(at(IN("device")), S_IFCHR | 0666, makedev(1, 3));
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(base) == NULL)
        return -1;
    if (geteuid() != 0)
        return 0;
    fill("ours", 0);
    fill("theirs", OWNER);
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command);
}

struct expected {
    const char *name;
    int log, pid, read; /* results */
};

/* What each name of a folder gets: by opening and by a check alike, and without a change. */
static void check_all(const char *folder, const struct expected *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int results[] = { expected[i].log, expected[i].pid, expected[i].read };
        char name[64];

        snprintf(name, sizeof(name), "%s/%s", folder, expected[i].name);
        if (access(at(name), F_OK) != 0 && strcmp(expected[i].name, "dangling") != 0)
            continue; /* no device could be made */
        print_message("%s\n", name);
        for (enum safe_use use = SAFE_LOG; use <= SAFE_READ; use++) {
            struct safe_file file = { .fd = -2 };
            struct stat before, after;

            assert_int_equal(lstat(at(name), &before), 0);
            assert_int_equal(safe_open(use, path, OWNER, &file, &what), results[use]);
            if (results[use] == 0) {
                assert_false(file.created);
                assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
                close(file.fd);
            } else {
                assert_int_equal(file.fd, -2);
                assert_true(strlen(safe_open_text(results[use], what)) > 10);
            }
            if (use != SAFE_READ) {
                assert_int_equal(safe_open_check(use, path, OWNER, &file, &what), results[use]);
                if (results[use] == 0)
                    close(file.fd);
            }
            assert_int_equal(lstat(path, &after), 0);
            assert_int_equal(after.st_uid, before.st_uid);
            assert_int_equal(after.st_size, before.st_size);
            assert_int_equal(after.st_mode, before.st_mode);
        }
    }
}

static void test_in_a_folder_of_roots(void **state)
{
    (void)state;
    static const struct expected expected[] = {
        { "owners", 0, 0, 0 },
        { "roots", 0, 0, 0 },
        { "empty", 0, 0, 0 },
        { "third", 0, 0, 0 },
        { "two", 0, 0, 0 },
        { "device", 0, -EINVAL, 0 },
        { "fifo", -ENXIO, -EINVAL, 0 },
        { "folder", -EISDIR, -EISDIR, 0 },
        { "dangling", -ENOENT, -ELOOP, -ENOENT },
        { "link", 0, -ELOOP, 0 },
    };

    if (geteuid() != 0)
        skip();
    check_all("ours", expected, ARRAY_LEN(expected));
}

static void test_in_a_folder_of_others(void **state)
{
    (void)state;
    static const struct expected expected[] = {
        { "owners", 0, 0, 0 },
        { "roots", -EPERM, 0, 0 },
        { "empty", 0, 0, 0 },
        { "third", -EPERM, -EPERM, 0 },
        { "two", -EMLINK, -EMLINK, -EMLINK },
        { "device", -EPERM, -EINVAL, 0 },
        { "fifo", -ENXIO, -EINVAL, 0 },
        { "folder", -EISDIR, -EISDIR, 0 },
        { "dangling", -ELOOP, -ELOOP, -ENOENT },
        { "link", -ELOOP, -ELOOP, -ELOOP }, /* read: the link is the user's, the file is not */
    };

    if (geteuid() != 0)
        skip();
    check_all("theirs", expected, ARRAY_LEN(expected));
}

/* Root that will serve itself owns what it appends to. */
static void test_root_as_owner(void **state)
{
    (void)state;
    struct safe_file file;

    if (geteuid() != 0)
        skip();
    assert_int_equal(safe_open(SAFE_LOG, at("theirs/roots"), 0, &file, &what), 0);
    close(file.fd);
    assert_int_equal(safe_open(SAFE_LOG, at("theirs/owners"), 0, &file, &what), -EPERM);
    assert_int_equal(safe_open_check(SAFE_LOG, at("ours/dangling"), 0, &file, &what), 0);
    assert_int_equal(file.fd, -1);
    assert_int_equal(safe_open(SAFE_LOG, path, 0, &file, &what), 0);
    assert_true(file.created && file.linked);
    close(file.fd);
    assert_int_equal(unlink(at("ours/nothing")), 0);
}

static void test_made(void **state)
{
    (void)state;
    static const char *const names[] = { "ours/new", "theirs/new" };
    struct safe_file file;
    struct stat info;

    if (geteuid() != 0)
        skip();
    mode_t mask = umask(0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (enum safe_use use = SAFE_LOG; use <= SAFE_PID; use++) {
            file.fd = -2;
            assert_int_equal(safe_open_check(use, at(names[i]), OWNER, &file, &what), 0);
            assert_int_equal(file.fd, -1);
            assert_int_equal(access(path, F_OK), -1);
            assert_int_equal(safe_open(use, path, OWNER, &file, &what), 0);
            assert_true(file.created);
            assert_int_equal(fstat(file.fd, &info), 0);
            assert_int_equal(info.st_uid, 0);
            assert_int_equal(info.st_mode & 07777, use == SAFE_LOG ? 0640 : 0644);
            close(file.fd);
            assert_int_equal(unlink(path), 0);
        }
        assert_int_equal(safe_open(SAFE_READ, path, OWNER, &file, &what), -ENOENT);
    }
    umask(mask);
}

static void test_folders(void **state)
{
    (void)state;
    struct safe_file file;
    static const char *const names[] = { "ours", "ours/", "theirs/folder", "ours/.", "theirs/.." };

    for (size_t i = 0; geteuid() == 0 && i < ARRAY_LEN(names); i++) {
        assert_int_equal(safe_open(SAFE_FOLDER, at(names[i]), 0, &file, &what), 0);
        assert_true(fcntl(file.fd, F_GETFL) & O_PATH);
        close(file.fd);
    }
    assert_int_equal(safe_open(SAFE_FOLDER, "/", 0, &file, &what), 0);
    close(file.fd);
    assert_int_equal(safe_open(SAFE_FOLDER, "/dev/null", 0, &file, &what), -ENOTDIR);
    assert_int_equal(safe_open(SAFE_FOLDER, "/no/such", 0, &file, &what), -ENOENT);
}

/* Nothing is made by asking, whoever asks; relative names are the working directory's. */
static void test_check(void **state)
{
    (void)state;
    struct safe_file file;
    char here[4096];

    assert_int_equal(safe_open_check(SAFE_LOG, at("none"), geteuid(), &file, &what), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(safe_open_check(SAFE_LOG, "/no/such/x", geteuid(), &file, &what), -ENOENT);
    assert_null(what);
    assert_int_equal(safe_open_check(SAFE_LOG, base, geteuid(), &file, &what), -EISDIR);
    assert_int_equal(safe_open_check(SAFE_LOG, at("new/"), geteuid(), &file, &what), -EISDIR);
    assert_int_equal(safe_open_check(SAFE_LOG, "", geteuid(), &file, &what), -ENOENT);
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(base), 0);
    assert_int_equal(safe_open_check(SAFE_LOG, "relative", geteuid(), &file, &what), 0);
    assert_int_equal(file.fd, -1);
    assert_int_equal(chdir(here), 0);
    if (geteuid() != 0)
        assert_int_equal(safe_open_check(SAFE_LOG, "/sys/kernel/x", geteuid(), &file, &what),
                         -EACCES);
}

/* Between the walk and the opening a link is put there, or the folder exchanged: what was walked to
 * counts. */
static void test_swapped_after_the_walk(void **state)
{
    (void)state;
    char name[128], moved[128], theirs[128];
    struct place place;
    struct safe_file file;
    struct stat info;

    if (geteuid() != 0)
        skip();
    snprintf(name, sizeof(name), "%s", at("theirs/swapped"));
    for (enum safe_use use = SAFE_LOG; use <= SAFE_FOLDER; use++) {
        assert_int_equal(place_open(name, uses[use].place, &place, &what), 0);
        assert_int_equal(symlink(use == SAFE_FOLDER ? "/etc" : "../ours/empty", name), 0);
        int res = safe_open_at(use, &place, OWNER, &file, &what);
        assert_int_equal(res, use == SAFE_FOLDER ? -ENOTDIR : -ELOOP);
        assert_int_equal(unlink(name), 0);
        place_close(&place);
    }
    assert_int_equal(place_open(name, PLACE_FOLLOW, &place, &what), 0);
    snprintf(theirs, sizeof(theirs), "%s", at("theirs"));
    snprintf(moved, sizeof(moved), "%s", at("moved"));
    assert_int_equal(rename(theirs, moved), 0);
    assert_int_equal(symlink("ours", theirs), 0);
    assert_int_equal(safe_open_at(SAFE_LOG, &place, OWNER, &file, &what), 0);
    assert_true(file.created);
    close(file.fd);
    place_close(&place);
    assert_int_equal(access(at("ours/swapped"), F_OK), -1);
    assert_int_equal(lstat(at("moved/swapped"), &info), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(theirs), 0);
    assert_int_equal(rename(moved, theirs), 0);
}

/* Somebody makes and removes the name all the time: root gets its own, theirs, or a refusal, and
 * never what a link leads to. */
static void test_race(void **state)
{
    (void)state;
    struct safe_file file;
    struct stat info;
    unsigned opened = 0, refused = 0;

    if (geteuid() != 0)
        skip();
    make("ours/target", 0, "");
    char target[128];
    snprintf(target, sizeof(target), "%s", at("ours/target"));
    at("theirs/raced");
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setuid(OWNER) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
            _exit(1);
        for (;;) {
            (void)!symlink(target, path);
            unlink(path);
            int fd = open(path, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0600);
            close(fd);
            unlink(path);
        }
    }
    for (int i = 0; i < 20000; i++) {
        int res = safe_open(SAFE_LOG, path, OWNER, &file, &what);
        if (res < 0) {
            /* A link; a name that is gone, or was made by us a turn ago. */
            assert_true(res == -ELOOP || res == -EEXIST || res == -EMLINK || res == -ENOENT ||
                        res == -EPERM);
            refused++;
            continue;
        }
        opened++;
        assert_int_equal(write(file.fd, "x", 1), 1);
        close(file.fd);
    }
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(opened > 0 && refused > 0);
    assert_int_equal(stat(target, &info), 0);
    assert_int_equal(info.st_size, 0);
}

/* An ordinary user's own links are followed, even to nothing; but not to a pid file. */
static void as_ordinary_user(void)
{
    struct safe_file file;

    if (geteuid() == 0 && setuid(OWNER) != 0)
        _exit(10);
    char home[] = "/tmp/test_safe_open_user.XXXXXX", name[64];
    assert_non_null(mkdtemp(home));
    snprintf(name, sizeof(name), "%s/link", home);
    assert_int_equal(symlink("target", name), 0);
    assert_int_equal(safe_open(SAFE_READ, name, 1, &file, &what), -ENOENT);
    assert_int_equal(safe_open(SAFE_PID, name, 1, &file, &what), -ELOOP);
    assert_string_equal(what, "it is a symbolic link: name the file itself");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(safe_open(SAFE_LOG, name, 1, &file, &what), 0);
        close(file.fd);
        assert_int_equal(safe_open_check(SAFE_LOG, name, 1, &file, &what), 0);
        close(file.fd);
    }
    assert_int_equal(safe_open(SAFE_READ, name, 1, &file, &what), 0);
    close(file.fd);
    assert_int_equal(unlink(name), 0);
    snprintf(name, sizeof(name), "%s/target", home);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(home), 0);
}

static void test_ordinary_user(void **state)
{
    (void)state;
    in_child(as_ordinary_user);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_a_folder_of_roots),
        cmocka_unit_test(test_in_a_folder_of_others),
        cmocka_unit_test(test_root_as_owner),
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_swapped_after_the_walk),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_ordinary_user),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
