/* test_file_notice.c: what is counted of made-up events, and what is watched, and believed, in a
 * real folder. */
#include "core/file_notice.c"
#include "core/file_notice_way.c"
#include "core/mounts.c"

#include "core/file_open.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <cmocka.h>

static struct file_notice *notice;
static char base[64];
static int root_fd;

/* In memory where that can be had: /tmp may be one that does not tell. */
static int set_up(void **state)
{
    struct statfs fs;
    bool in_memory = statfs("/dev/shm", &fs) == 0 && fs.f_type == TMPFS_MAGIC;

    (void)state;
    snprintf(base, sizeof(base), "%s/test_notice.XXXXXX", in_memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(base));
    root_fd = open(base, O_PATH | O_CLOEXEC);
    assert_int_equal(file_notice_create(8, 1000, &notice), 0);
    notice->mountinfo = mounts_open();
    assert_non_null(notice->mountinfo);
    read_mounts(notice);
    return 0;
}

static void run_in_base(const char *format)
{
    char command[512];

    snprintf(command, sizeof(command), "cd %s && %s", base, format);
    FILE *shell = popen(command, "r");
    assert_non_null(shell);
    assert_int_equal(pclose(shell), 0);
}

static int tear_down(void **state)
{
    (void)state;
    file_notice_destroy(notice);
    notice = NULL;
    close(root_fd);
    run_in_base("cd / && rm -rf \"$OLDPWD\"");
    return 0;
}

/* What the kernel would say: `name` NULL for one without a name. */
static void tell_event(int watch, uint32_t mask, const char *name)
{
    _Alignas(struct inotify_event) char text[sizeof(struct inotify_event) + 32] = { 0 };
    struct inotify_event *event = (void *)text;

    event->wd = watch;
    event->mask = mask;
    event->len = name != NULL ? 32 : 0;
    if (name != NULL)
        snprintf(text + sizeof(*event), 32, "%s", name);
    note_all(notice, text, sizeof(*event) + event->len);
}

static struct file_notice_mark mark_of(int watch, const char *name)
{
    struct file_notice_folder folder = { .watch = watch };

    folder.all = notice->counters.all;
    folder.counter = file_notice_counter(watch, "");
    folder.seen = notice->counters.each[folder.counter];
    return file_notice_mark(&notice->counters, &folder, name);
}

static bool holds_after(uint32_t mask, const char *name)
{
    struct file_notice_mark mark = mark_of(7, "a.txt");

    assert_true(file_notice_holds(&notice->counters, &mark));
    tell_event(7, mask, name);
    return file_notice_holds(&notice->counters, &mark);
}

static void test_what_concerns_a_file(void **state)
{
    (void)state;
    assert_false(holds_after(IN_MODIFY, "a.txt"));
    assert_false(holds_after(IN_MOVED_TO, "a.txt"));
    assert_false(holds_after(IN_DELETE, "a.txt"));
    assert_false(holds_after(IN_CREATE | IN_ISDIR, "a.txt"));
    assert_true(holds_after(IN_MODIFY, "b.txt"));
    assert_true(holds_after(IN_CREATE | IN_ISDIR, "b"));
    assert_false(holds_after(IN_MOVED_FROM | IN_ISDIR, "b")); /* it may be above a.txt */
    assert_false(holds_after(IN_DELETE | IN_ISDIR, "b"));
    assert_false(holds_after(IN_DELETE_SELF, NULL));
    assert_false(holds_after(IN_ATTRIB, NULL));
    assert_false(holds_after(IN_IGNORED, NULL));
    assert_false(holds_after(IN_UNMOUNT, NULL));
    assert_false(holds_after(IN_MOVE_SELF, NULL));
}

static void test_events_are_lost(void **state)
{
    struct file_notice_mark mark = mark_of(7, "a.txt"), later;

    (void)state;
    tell_event(-1, IN_Q_OVERFLOW, NULL);
    assert_false(file_notice_holds(&notice->counters, &mark));
    later = mark_of(7, "a.txt");
    assert_true(file_notice_holds(&notice->counters, &later));
}

/* What is counted between the mark and the look is not overlooked. */
static void test_a_change_during_the_look(void **state)
{
    struct file_notice_mark mark = mark_of(7, "a.txt");

    (void)state;
    tell_event(7, IN_MODIFY, "a.txt");
    tell_event(7, IN_MODIFY, "b.txt");
    assert_false(file_notice_holds(&notice->counters, &mark));
}

static void read_events(void)
{
    _Alignas(struct inotify_event) char events[4096];
    ssize_t len = read(notice->fd, events, sizeof(events));

    if (len > 0)
        note_all(notice, events, (size_t)len);
}

static bool watches(const char *path, struct file_notice_folder *ret_folder)
{
    int res = file_notice_folder(notice, root_fd, path, ret_folder);

    if (res == -EOPNOTSUPP || res == -EINVAL)
        skip(); /* nothing here tells, or the kernel has no RESOLVE_CACHED */
    return res == 0;
}

static void test_a_real_folder(void **state)
{
    struct file_notice_folder folder;
    struct file_meta meta = { 0 };

    (void)state;
    run_in_base("mkdir -p a/b c && echo 1 > a/b/f && ln -s f a/b/link && ln -s a c/up && "
                "echo 2 > a/b/two && ln a/b/two a/b/names");
    assert_true(watches("a/b", &folder));
    assert_int_equal(notice->count, 3);
    struct file_notice_mark mark = file_notice_mark(&notice->counters, &folder, "f");
    int fd = openat(root_fd, "a/b/f", O_RDONLY);
    assert_int_equal(file_meta_look(fd, &meta), 0);
    close(fd);
    assert_true(file_notice_tells(root_fd, "a/b/f", 0, &meta, folder.mount));
    assert_false(file_notice_tells(root_fd, "a/b/two", 0, &meta, folder.mount));
    assert_false(file_notice_tells(root_fd, "a/b/link", 0, &meta, folder.mount));
    assert_false(file_notice_tells(root_fd, "a/b/f", 0, &meta, folder.mount + 1));
    assert_true(file_notice_tells(root_fd, "a/b/no", ENOENT, &meta, 0));
    assert_false(file_notice_tells(root_fd, "a/b/f", ENOENT, &meta, 0));
    assert_true(
        file_notice_tells(root_fd, "a/b/f", EACCES, &(struct file_meta){ 0 }, folder.mount));
    assert_false(file_notice_tells(root_fd, "a/b/link", EACCES, &meta, folder.mount));
    run_in_base("echo 3 > c/other");
    read_events();
    assert_true(file_notice_holds(&notice->counters, &mark));
    run_in_base("mv a d");
    read_events();
    assert_false(file_notice_holds(&notice->counters, &mark));
    assert_false(file_notice_folder_holds(&notice->counters, &folder));
    assert_false(watches("a/b", &folder));
    assert_false(watches("c/up", &folder)); /* a link */
}

static void test_a_limit(void **state)
{
    struct file_notice_folder folder;

    (void)state;
    run_in_base("mkdir -p 1/2/3/4/5/6/7/8/9");
    assert_true(watches("1/2/3/4/5/6/7", &folder));
    assert_int_equal(file_notice_folder(notice, root_fd, "1/2/3/4/5/6/7/8", &folder), -ENOSPC);
    assert_true(watches("1/2/3", &folder));
    assert_int_equal(notice->count, 8);
    run_in_base("rm -r 1/2");
    read_events();
    assert_int_equal(notice->count, 2); /* the kernel has let go of the others */
    assert_true(watches("1", &folder));
    for (size_t i = 0; i <= notice->places_mask; i++)
        notice->places[i].used_s -= FILE_NOTICE_UNUSED_S + 1;
    let_go_unused(notice);
    assert_int_equal(notice->count, 0);
    assert_false(file_notice_folder_holds(&notice->counters, &folder));
}

static bool way_holds_after(const char *path, const char *command)
{
    char whole[160];
    struct file_notice_way way;

    snprintf(whole, sizeof(whole), "%s/%s", base, path);
    file_notice_way(notice, whole, &way);
    if (!way.is_set) /* what is above it does not tell here */
        skip();
    assert_true(file_notice_way_holds(&notice->counters, &way));
    run_in_base(command);
    read_events();
    return file_notice_way_holds(&notice->counters, &way);
}

/* Names of a folder share counters, and one above the base is everybody's /tmp: what others make
 * there may be told of the way as well, now and then. */
static bool way_can_hold_after(const char *path, const char *command)
{
    for (int tries = 0; tries < 20; tries++) {
        if (way_holds_after(path, command))
            return true;
    }
    return false;
}

static void test_a_way(void **state)
{
    struct file_notice_folder folder;

    (void)state;
    notice->watches_max = 16;
    run_in_base("mkdir -p r/1/pub r/2/pub && ln -s r/1 now && ln -s now current");
    assert_true(way_can_hold_after("current/pub", "touch other"));
    assert_int_equal(file_notice_watch(notice, root_fd, false, &folder), 0);
    const _Atomic uint32_t *told =
        &notice->counters.each[file_notice_counter(folder.watch, "other")];
    uint32_t before = *told;
    assert_true(way_can_hold_after("current/pub", "echo logged >> other"));
    assert_int_equal(*told, before); /* what is written there is not told */
    assert_false(way_holds_after("current/pub", "ln -s r/2 n && mv -T n now"));
    assert_false(way_holds_after("current/pub", "ln -s r/1 n && mv -T n current"));
    assert_false(way_holds_after("current/pub", "mv r q && ln -s q r"));
    assert_false(way_holds_after("r/1/pub", "mv q/1 q/3"));
}

static void test_kinds_of_mounts(void **state)
{
    (void)state;
    assert_true(tells("ext4"));
    assert_true(tells("tmpfs"));
    assert_false(tells("nfs4"));
    assert_false(tells("fuse.sshfs"));
    assert_false(tells("overlay"));
    assert_false(tells(""));
}

static bool reads(const char *text, struct mount *ret_mount)
{
    char line[160];

    snprintf(line, sizeof(line), "%s", text);
    return read_line(line, ret_mount);
}

static void test_a_line_of_mountinfo(void **state)
{
    struct mount mount;

    (void)state;
    assert_true(reads("36 35 98:0 / /a rw shared:1 master:2 - xfs /dev/a rw\n", &mount));
    assert_int_equal(mount.number, 36);
    assert_true(mount.tells);
    assert_string_equal(mount.type, "xfs");
    assert_true(reads("3 1 0:9 / /a rw - fuse.with-a-very-long-name-of-its-own x rw\n", &mount));
    assert_false(mount.tells);
    assert_string_equal(mount.type, "fuse.with-a-very-long");
    assert_true(mount.remote);
    assert_false(reads("nonsense\n", &mount));
    assert_false(reads("- - ext4 x\n", &mount));
}

/* While it is read what is mounted nothing is known, and what is believed is over. */
static void test_something_is_mounted(void **state)
{
    struct file_notice_folder folder;
    struct file_notice_mark mark;

    (void)state;
    assert_true(watches(".", &folder));
    mark = file_notice_mark(&notice->counters, &folder, "f");
    assert_true(file_notice_holds(&notice->counters, &mark));
    mounts_changed(notice);
    assert_false(file_notice_holds(&notice->counters, &mark));
    assert_false(file_notice_folder_holds(&notice->counters, &folder));
    assert_int_equal(file_notice_folder(notice, root_fd, ".", &folder), 0);
    notice->mounts_known = false;
    assert_int_equal(file_notice_folder(notice, root_fd, ".", &folder), -EAGAIN);
    notice->mounts_known = true;
    mounts_free(&notice->mounts);
    assert_int_equal(file_notice_folder(notice, root_fd, ".", &folder), -EOPNOTSUPP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_concerns_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_are_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_change_during_the_look, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_real_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_something_is_mounted, set_up, tear_down),
        cmocka_unit_test(test_kinds_of_mounts),
        cmocka_unit_test(test_a_line_of_mountinfo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
