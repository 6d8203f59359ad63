/* test_place.c: whose folder a name stands in, as root sees it: real folders, owners and links. */
#include "core/place.c"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "in_child.h"

enum { THEIRS = 65534, OTHERS = 65533 };

static char base[] = "/tmp/test_place.XXXXXX";
static char path[PATH_MAX];
static const char *what;

/* `name` below the base; valid until the next call. */
static const char *at(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", base, name);
    return path;
}

static void make_dir(const char *name, uid_t owner, mode_t mode)
{
    assert_int_equal(mkdir(at(name), 0700), 0);
    assert_int_equal(chown(path, owner, owner), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void make_link(const char *target, const char *name, uid_t owner)
{
    assert_int_equal(symlink(target, at(name)), 0);
    assert_int_equal(lchown(path, owner, owner), 0);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(base) == NULL || chmod(base, 0755) != 0)
        return -1;
    if (geteuid() != 0)
        return 0;
    make_dir("roots", 0, 0755);
    make_dir("roots/in", 0, 0755);
    make_dir("group", 0, 0775);
    make_dir("sticky", 0, 01777);
    make_dir("sticky/roots", 0, 0755);
    make_dir("sticky/theirs", THEIRS, 0755);
    make_dir("theirs", THEIRS, 0755);
    make_dir("theirs/roots", 0, 0755);
    make_dir("theirs/sticky", 0, 01777);
    make_dir("theirs/sticky/roots", 0, 0755);
    make_link("roots", "to-roots", 0);
    make_link("theirs/", "to-theirs", THEIRS);
    make_link("../roots/in/x", "roots/to-x", 0);
    make_link("to-x", "roots/to-link", 0);
    make_link("x", "theirs/x", THEIRS);
    make_link("../theirs/x", "roots/to-trap", 0);
    make_link("../roots", "theirs/up", THEIRS);
    make_link("../roots", "theirs/of-root", 0);
    make_link("../roots", "theirs/of-others", OTHERS);
    make_link("x", "theirs/roots/x", 0);
    make_link("loop-b", "loop-a", 0);
    make_link("loop-a", "loop-b", 0);
    make_link("/dev/null", "to-null", 0);
    make_link("..", "roots/in/up", 0);
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return system(command);
}

/* Opens the place of `name`; 0 or -errno. No descriptor is left behind. */
static int look_at(const char *name, unsigned flags, struct place *ret_place)
{
    int next = dup(0);

    close(next);
    int res = place_open(name[0] == '/' ? name : at(name), flags, ret_place, &what);
    if (res == 0)
        place_close(ret_place);
    int again = dup(0);
    assert_int_equal(again, next);
    close(again);
    return res;
}

static void test_whose_folder(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool shared, movable;
    } cases[] = {
        { "roots/x", false, false },
        { "roots/in/x", false, false },
        { "to-roots/x", false, false },
        { "roots/in/up/../x", false, false },
        { "./roots//in/./x", false, false },
        { "group/x", true, false },
        { "sticky/x", true, false },
        { "sticky/roots/x", false, false }, /* nobody can exchange what is root's there */
        { "sticky/theirs/x", true, true },  /* its owner can */
        { "theirs/x", true, false },        /* what lies above is root's */
        { "to-theirs/x", true, false },     /* whoever made the link: its folder is root's */
        { "theirs/roots/x", true, true },
        { "theirs/sticky/x", true, true }, /* the bit helps nobody who can exchange the folder */
        { "theirs/sticky/roots/x", true, true },
        { "theirs/../roots/x", true, true }, /* to be on the safe side */
        { "/x", false, false },
        { "/proc/self/x", false, false },
        { "/dev/x", false, false },
    };

    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct place place = { .shared = !cases[i].shared };

        print_message("%s\n", cases[i].name);
        assert_int_equal(look_at(cases[i].name, 0, &place), 0);
        assert_null(what);
        assert_string_equal(place.name, "x");
        assert_int_equal(place.shared, cases[i].shared);
        assert_int_equal(place.movable, cases[i].movable);
        assert_false(place.linked);
        assert_int_equal(place.suspect, PLACE_NOBODY);
    }
}

static void test_links(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned flags;
        int res;
        const char *last; /* where res is 0 */
        bool ours;        /* the refusal is this file's */
        bool linked;
        uid_t suspect;
    } cases[] = {
        /* The last name, left alone or followed. */
        { "roots/to-x", 0, 0, "to-x", false, false, PLACE_NOBODY },
        { "roots/to-x", PLACE_FOLLOW, 0, "x", false, true, PLACE_NOBODY },
        { "roots/to-link", PLACE_FOLLOW, 0, "x", false, true, PLACE_NOBODY },
        { "to-null", PLACE_FOLLOW, 0, "null", false, true, PLACE_NOBODY },
        { "theirs/x", 0, 0, "x", false, false, PLACE_NOBODY },
        { "theirs/x", PLACE_FOLLOW, -ELOOP, NULL, true, false, 0 },
        { "roots/to-trap", PLACE_FOLLOW, -ELOOP, NULL, true, false, 0 },
        { "theirs/roots/x", PLACE_FOLLOW, -ELOOP, NULL, true, false, 0 },
        /* On the way. */
        { "theirs/up/x", 0, -ELOOP, NULL, true, false, 0 },
        { "theirs/of-root/x", 0, -ELOOP, NULL, true, false, 0 },
        { "theirs/up/x", PLACE_READ, 0, "x", false, false, THEIRS },
        { "theirs/up", PLACE_READ | PLACE_FOLLOW, 0, "roots", false, true, THEIRS },
        { "theirs/up/", PLACE_READ | PLACE_FOLLOW, 0, "roots", false, true, THEIRS },
        { "theirs/of-root/x", PLACE_READ, 0, "x", false, false, PLACE_NOBODY },
        { "theirs/up/../theirs/of-others/x", PLACE_READ, -ELOOP, NULL, true, false, 0 },
        /* The kernel's own. */
        { "/proc/self/fd/0", PLACE_FOLLOW, 0, "0", false, true, PLACE_NOBODY },
        { "/proc/self/root/proc/x", 0, 0, "x", false, false, PLACE_NOBODY },
        /* What the kernel would refuse. */
        { "loop-a", PLACE_FOLLOW, -ELOOP, NULL, false, false, 0 },
        { "none/x", 0, -ENOENT, NULL, false, false, 0 },
        { "to-null/x", 0, -ENOTDIR, NULL, false, false, 0 },
        { "roots/x/", 0, -EISDIR, NULL, false, false, 0 },
        { "roots/x/", PLACE_FOLLOW, -EISDIR, NULL, false, false, 0 },
        { "/", PLACE_READ | PLACE_FOLLOW, 0, ".", false, false, PLACE_NOBODY },
        { "roots/none", PLACE_FOLLOW, 0, "none", false, false, PLACE_NOBODY },
    };

    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct place place;

        print_message("%s %u\n", cases[i].name, cases[i].flags);
        assert_int_equal(look_at(cases[i].name, cases[i].flags, &place), cases[i].res);
        assert_int_equal(what != NULL, cases[i].ours);
        if (cases[i].res < 0)
            continue;
        assert_string_equal(place.name, cases[i].last);
        assert_int_equal(place.linked, cases[i].linked);
        assert_int_equal(place.suspect, cases[i].suspect);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    char name[PATH_MAX + 1];
    struct place place;

    assert_int_equal(place_open("", 0, &place, &what), -ENOENT);
    memset(name, 'x', sizeof(name));
    name[PATH_MAX] = '\0';
    assert_int_equal(look_at(name, 0, &place), -ENAMETOOLONG);
    name[NAME_MAX + 1] = '\0';
    assert_int_equal(look_at(name, 0, &place), -ENAMETOOLONG);
    name[NAME_MAX] = '\0';
    assert_int_equal(look_at(name, 0, &place), 0);
    assert_string_equal(place.name, name);
    assert_int_equal(place_open(name, 0, &place, &what), 0); /* relative */
    place_close(&place);
    if (geteuid() != 0)
        skip();
    /* A link whose target does not fit before what is left of the path. */
    memset(name, '/', sizeof(name));
    name[PATH_MAX - 1] = '\0';
    size_t len = (size_t)snprintf(name, sizeof(name), "%s/to-roots", base);
    name[len] = '/';
    assert_int_equal(place_open(name, PLACE_READ, &place, &what), 0);
    place_close(&place);
    char target[PATH_MAX - 100];
    memset(target, '/', sizeof(target));
    target[sizeof(target) - 1] = '\0';
    make_link(target, "long", 0);
    len = (size_t)snprintf(name, sizeof(name), "%s/long", base);
    name[len] = '/';
    assert_int_equal(place_open(name, PLACE_READ, &place, &what), -ENAMETOOLONG);
}

/* Who is not root opens as the kernel does: links and all. */
static void as_ordinary_user(void)
{
    struct place place;

    if (geteuid() == 0 && setuid(THEIRS) != 0)
        _exit(10);
    char home[] = "/tmp/test_place_user.XXXXXX", name[64];
    assert_non_null(mkdtemp(home));
    snprintf(name, sizeof(name), "%s/link", home);
    assert_int_equal(symlink(".", name), 0);
    snprintf(name, sizeof(name), "%s/link/x", home);
    assert_int_equal(place_open(name, 0, &place, &what), 0);
    assert_string_equal(place.name, "x");
    assert_false(place.shared || place.movable || place.linked);
    assert_int_equal(place_may_create(&place), 0);
    assert_int_equal(unlinkat(place.dir_fd, "link", 0), 0);
    place_close(&place);
    assert_int_equal(place_open("/proc/x", 0, &place, &what), 0);
    assert_true(place_may_create(&place) < 0);
    place_close(&place);
    assert_int_equal(place_open("/", 0, &place, &what), -EISDIR);
    assert_int_equal(rmdir(home), 0);
}

static void test_ordinary_user(void **state)
{
    (void)state;
    in_child(as_ordinary_user);
}

enum { NOT_ALLOWED = 77 };

/* Writes one of the maps of the process `pid`: who is root in there is THEIRS out here. */
static bool write_map(pid_t pid, const char *name, const char *text)
{
    char file[64];

    snprintf(file, sizeof(file), "/proc/%d/%s", (int)pid, name);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
    close(fd);
    return written == (ssize_t)strlen(text);
}

/* Makes a file system of its own with nothing but /proc, as the images of containers have it, and
 * becomes the root of its user namespace. */
static bool enter_container(const char *folder)
{
    return setresgid(0, 0, 0) == 0 && setresuid(0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, "mode=755,uid=0,gid=0") == 0 && chdir(folder) == 0 &&
           mkdir("proc", 0755) == 0 && mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL) == 0 &&
           chroot(".") == 0;
}

static void in_container(const char *folder, int ready_fd, int go_fd)
{
    struct place place;
    struct stat info;
    char octet = 'x';

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || write(ready_fd, &octet, 1) != 1 ||
        read(go_fd, &octet, 1) != 1 || !enter_container(folder))
        _exit(NOT_ALLOWED);
    assert_int_equal(stat("/proc", &info), 0);
    assert_int_not_equal(info.st_uid, 0);
    assert_int_equal(place_open("/proc/self/fd/0", PLACE_FOLLOW, &place, &what), 0);
    assert_true(place.of_kernel && !place.shared && !place.movable);
    place_close(&place);
    _exit(0);
}

/* In a container without a root of the machine, /proc is another root's: /dev/stdout leads there.
 */
static void test_container(void **state)
{
    (void)state;
    int ready[2], go[2], status = 0;
    char octet = 'x', folder[PATH_MAX];

    if (geteuid() != 0)
        skip();
    make_dir("container", THEIRS, 0755);
    snprintf(folder, sizeof(folder), "%s", path);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        in_container(folder, ready[1], go[0]);
    }
    close(ready[1]);
    if (read(ready[0], &octet, 1) == 1 && write_map(pid, "uid_map", "0 65534 1") &&
        write_map(pid, "gid_map", "0 65534 1"))
        assert_int_equal(write(go[1], &octet, 1), 1);
    close(go[1]);
    close(go[0]);
    close(ready[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
        skip();
    assert_int_equal(status, 0);
}

/* The folder of `name`, by `memo`, is the one that is found without. */
static void expect_same(struct place_memo *memo, const char *name, unsigned flags)
{
    struct place plain, by_memo;
    struct stat a, b;
    const char *why = NULL;

    int res = place_open(name[0] == '/' ? name : at(name), flags, &plain, &what);
    assert_int_equal(place_open_by(memo, name[0] == '/' ? name : at(name), flags, &by_memo, &why),
                     res);
    assert_ptr_equal(why, what);
    if (res < 0)
        return;
    assert_int_equal(fstat(plain.dir_fd, &a), 0);
    assert_int_equal(fstat(by_memo.dir_fd, &b), 0);
    assert_true(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
    assert_string_equal(by_memo.name, plain.name);
    assert_int_equal(by_memo.judged, plain.judged);
    assert_int_equal(by_memo.shared, plain.shared);
    assert_int_equal(by_memo.movable, plain.movable);
    assert_int_equal(by_memo.linked, plain.linked);
    assert_int_equal(by_memo.hidden, plain.hidden);
    assert_int_equal(by_memo.of_kernel, plain.of_kernel);
    assert_int_equal(by_memo.suspect, plain.suspect);
    place_close(&plain);
    place_close(&by_memo);
}

/* Whatever was asked before, in that folder or another one, and with other flags. */
static void test_memo(void **state)
{
    (void)state;
    static const char *const names[] = {
        "roots/x",
        "roots/y",
        "roots/in/x",
        "roots/in",
        "roots/in/",
        "roots//x",
        "to-roots/x",
        "group/x",
        "sticky/x",
        "sticky/roots/x",
        "sticky/theirs/x",
        "theirs/roots/x",
        "theirs/x",
        "theirs/up/x",
        "theirs/of-root/x",
        "theirs/of-others/x",
        "to-theirs/x",
        "roots/to-x",
        "roots/to-link",
        "roots/to-trap",
        "roots/in/up/x",
        "roots/in/../x",
        "roots/.",
        "roots/..",
        "loop-a",
        "loop-a/x",
        "none/x",
        "to-null",
        "/",
        "/dev/null",
        "/proc/self/fd/0",
        "/proc/self/exe",
        "x",
    };
    static const unsigned flags[] = { 0, PLACE_FOLLOW, PLACE_FOLLOW | PLACE_READ };

    if (geteuid() != 0)
        skip();
    int next = dup(0);
    close(next);
    struct place_memo *memo = place_memo_create();
    assert_non_null(memo);
    for (size_t i = 0; i < ARRAY_LEN(names) * ARRAY_LEN(flags); i++) {
        for (size_t j = 0; j < ARRAY_LEN(names) * ARRAY_LEN(flags); j++) {
            expect_same(memo, names[i % ARRAY_LEN(names)], flags[i / ARRAY_LEN(names)]);
            expect_same(memo, names[j % ARRAY_LEN(names)], flags[j / ARRAY_LEN(names)]);
        }
    }
    place_memo_free(memo);
    int again = dup(0);
    assert_int_equal(again, next);
    close(again);
}

/* The second file of a folder is not walked to. */
static void test_memo_is_used(void **state)
{
    struct place place;
    char moved[64];

    (void)state;
    if (geteuid() != 0)
        skip();
    snprintf(moved, sizeof(moved), "%s/moved", base);
    struct place_memo *memo = place_memo_create();
    assert_int_equal(place_open_by(memo, at("roots/in/x"), PLACE_READ, &place, &what), 0);
    place_close(&place);
    assert_int_equal(rename(at("roots"), moved), 0);
    int res = place_open_by(memo, at("roots/in/y"), PLACE_READ, &place, &what);
    int other = place_open_by(NULL, at("roots/in/y"), PLACE_READ, &(struct place){ 0 }, &what);
    assert_int_equal(rename(moved, at("roots")), 0);
    assert_int_equal(res, 0);
    assert_int_equal(other, -ENOENT);
    place_close(&place);
    place_memo_free(memo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whose_folder), cmocka_unit_test(test_links),
        cmocka_unit_test(test_lengths),      cmocka_unit_test(test_ordinary_user),
        cmocka_unit_test(test_container),    cmocka_unit_test(test_memo),
        cmocka_unit_test(test_memo_is_used),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
