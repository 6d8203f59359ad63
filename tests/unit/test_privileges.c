/* test_privileges.c: who is refused, what a log's giving away must not be fooled by, and, where the
 * tests run as root, that a child which dropped is somebody else for good. */
#include "process/privileges.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>

#include <cmocka.h>

static char why[512];
static char user[] = "nobody", root[] = "root", unknown[] = "no-such-user", nothing[] = "",
            numbers[] = "4000000001:4000000002";

/* Runs `act` in a child and returns what it returned, so that this process stays who it is. */
static int in_child(int (*act)(void))
{
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(act());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int find(char *name, bool allow_root, struct privileges *ret)
{
    struct config config = { .user = name, .allow_root = allow_root };

    why[0] = '\0';
    return privileges_find(&config, why, sizeof why, ret);
}

static void test_find_as_root(void **state)
{
    (void)state;
    struct privileges found = { .drop = false };

    if (geteuid() != 0)
        skip();
    assert_int_equal(find(user, false, &found), 0);
    assert_true(found.drop);
    assert_true(found.uid != 0);
    assert_string_equal(found.user, "nobody");
    /* allow_root only allows: a user that is named is become. */
    assert_int_equal(find(user, true, &found), 0);
    assert_true(found.drop);

    char *roots[] = { root, nothing, NULL };
    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        assert_int_equal(find(roots[i], false, &found), -EPERM);
        assert_non_null(strstr(why, "refusing to serve as root"));
        assert_true(found.drop); /* untouched */
        struct privileges stays = { .drop = true };
        assert_int_equal(find(roots[i], true, &stays), 0);
        assert_false(stays.drop);
    }
    assert_int_equal(find(unknown, true, &found), -ENOENT);
    assert_non_null(strstr(why, "'no-such-user' does not exist"));
}

static int ordinary_user_has_nobody_to_become(void)
{
    struct privileges found = { .drop = true };

    if (geteuid() == 0 && setuid(65534) != 0)
        return 10;
    /* Whatever is configured, even a user that there is not: that is for root's start. */
    if (find(user, false, &found) != 0 || found.drop)
        return 1;
    if (find(unknown, false, &found) != 0 || find(NULL, false, &found) != 0)
        return 2;
    struct safe_file input = { .fd = STDIN_FILENO };
    if (privileges_give(&found, "/etc/passwd", &input, why, sizeof why) != 0)
        return 3;
    if (privileges_drop(&found, why, sizeof why) != 0)
        return 4;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

static void test_find_as_ordinary_user(void **state)
{
    (void)state;
    assert_int_equal(in_child(ordinary_user_has_nobody_to_become), 0);
}

static int set_user_id_start(void)
{
    struct privileges found = { .drop = false };

    if (setresuid(65534, 0, 0) != 0)
        return 10;
    if (find(user, false, &found) != -EPERM || strstr(why, "set-user-ID") == NULL)
        return 1;
    return 0;
}

static void test_set_user_id_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(set_user_id_start), 0);
}

/* Has the process the group among its supplementary ones? */
static bool in_group(gid_t group)
{
    gid_t groups[256];
    int count = getgroups(ARRAY_LEN(groups), groups);

    for (int i = 0; i < count; i++) {
        if (groups[i] == group)
            return true;
    }
    return count < 0;
}

/* A user and a group, by name and by number. */
static void test_find_group(void **state)
{
    (void)state;
    static const struct {
        const char *user;
        uid_t uid;
        gid_t gid;
        const char *login;
    } rows[] = {
        { "nobody:daemon", 65534, 1, "nobody" },
        { "nobody:7", 65534, 7, "nobody" },
        { "65534", 65534, 65534, "nobody" },
        { "65534:daemon", 65534, 1, "nobody" },
        { "4000000001:4000000002", 4000000001u, 4000000002u, "" },
    };
    static const struct {
        const char *user, *why;
    } refused[] = {
        { "nobody:no-such-group",
          "group 'no-such-group' does not exist: name one of 'getent group'" },
        { "nobody:", "group '' does not exist" },
        { ":daemon", "user '' does not exist" },
        { "4000000001", "user 4000000001 has no name, and so no group: name one, too, as in user = "
                        "\"4000000001:4000000001\"" },
        { "4294967295:1", "user '4294967295' does not exist" },
        { "nobody:4294967295", "group '4294967295' does not exist" },
        { "99999999999:1", "user '99999999999' does not exist" },
    };
    struct passwd *nobody = getpwnam("nobody");
    struct group *daemon = getgrnam("daemon");

    if (geteuid() != 0 || nobody == NULL || nobody->pw_uid != 65534 || nobody->pw_gid != 65534 ||
        daemon == NULL || daemon->gr_gid != 1)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct privileges found = { .drop = false };
        char *text = strdup(rows[i].user);

        assert_non_null(text);
        if (find(text, false, &found) != 0)
            fail_msg("%s", why);
        assert_int_equal(found.uid, rows[i].uid);
        assert_int_equal(found.gid, rows[i].gid);
        assert_string_equal(found.login, rows[i].login);
        assert_string_equal(found.user, rows[i].user);
        free(text);
    }
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct privileges found = { .drop = false };
        char *text = strdup(refused[i].user);

        assert_non_null(text);
        assert_int_equal(find(text, false, &found), -ENOENT);
        assert_ptr_equal(strstr(why, refused[i].why), why);
        free(text);
    }
}

/* A user namespace may map few of them (user_namespaces(7)). */
static bool has_all_numbers(void)
{
    FILE *map = fopen("/proc/self/uid_map", "re");
    unsigned inside = 1, outside = 1, count = 0;
    bool all = map != NULL && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3 &&
               inside == 0 && count == UINT32_MAX;

    if (map != NULL)
        fclose(map);
    return all;
}

/* A number that nobody has: no further groups are left over from root. */
static int drops_to_a_number(void)
{
    struct privileges found;
    gid_t groups[4];

    if (find(numbers, false, &found) != 0 || privileges_drop(&found, why, sizeof why) != 0)
        return 1;
    if (getuid() != 4000000001u || getgid() != 4000000002u)
        return 2;
    return getgroups(ARRAY_LEN(groups), groups) == 1 && groups[0] == 4000000002u ? 0 : 3;
}

static int really_drops(void)
{
    struct privileges found;
    uid_t ruid, euid, suid;

    if (find(user, false, &found) != 0 || privileges_drop(&found, why, sizeof why) != 0)
        return 1;
    if (getresuid(&ruid, &euid, &suid) != 0 || ruid != found.uid || euid != ruid || suid != ruid)
        return 2;
    if (in_group(0) || getgid() != found.gid)
        return 3;
    if (setuid(0) == 0 || setgid(0) == 0 || setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
        return 4;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        return 5;
    if (open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0)
        return 6;
    return 0;
}

static void test_drop(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(really_drops), 0);
    if (has_all_numbers())
        assert_int_equal(in_child(drops_to_a_number), 0);
}

static int cannot_drop(void)
{
    struct privileges found;

    if (find(user, false, &found) != 0 || setuid(65534) != 0)
        return 10;
    /* Root no more: nothing can be become, and that is an answer and not a shrug. */
    found.uid = 1;
    if (privileges_drop(&found, why, sizeof why) >= 0)
        return 1;
    return strstr(why, "cannot become user 'nobody'") != NULL ? 0 : 2;
}

static int comes_back(void)
{
    struct privileges found;

    /* Half a drop: the saved user is root still. */
    if (find(user, false, &found) != 0 || setresgid(found.gid, found.gid, found.gid) != 0 ||
        setresuid(found.uid, found.uid, 0) != 0)
        return 10;
    return !identity_is(&found) && root_comes_back(&found) ? 0 : 1;
}

static void test_drop_is_proved(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(cannot_drop), 0);
    assert_int_equal(in_child(comes_back), 0);
}

static uid_t owner_of(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    return info.st_uid;
}

static void test_give(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_privileges.XXXXXX", path[64], other[64];
    struct privileges found, stays = { .drop = false };

    if (geteuid() != 0)
        skip();
    assert_int_equal(find(user, false, &found), 0);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    struct safe_file file = { .fd = fd }, linked = { .fd = fd, .linked = true };
    struct safe_file created = { .fd = fd, .created = true };

    /* Through a symbolic link, or with a second name, it could be any file of root's. */
    assert_int_equal(privileges_give_check(&found, path, &linked, why, sizeof why), -EMLINK);
    assert_int_equal(privileges_give(&found, path, &linked, why, sizeof why), -EMLINK);
    assert_non_null(strstr(why, "/log is a link: it is not given to user 'nobody'"));
    assert_int_equal(link(path, other), 0);
    assert_int_equal(privileges_give_check(&found, path, &file, why, sizeof why), -EMLINK);
    assert_int_equal(privileges_give(&found, path, &file, why, sizeof why), -EMLINK);
    assert_int_equal(owner_of(path), 0);
    /* But not when it was made just now: the second name is the user's own doing. */
    assert_int_equal(privileges_give_check(&found, path, &created, why, sizeof why), 0);
    assert_int_equal(privileges_give_check(&stays, path, &linked, why, sizeof why), 0);
    assert_int_equal(unlink(other), 0);

    assert_int_equal(privileges_give(&stays, path, &file, why, sizeof why), 0);
    assert_int_equal(privileges_give_check(&found, path, &file, why, sizeof why), 0);
    assert_int_equal(owner_of(path), 0);
    assert_int_equal(privileges_give(&found, path, &file, why, sizeof why), 0);
    assert_int_equal(owner_of(path), found.uid);
    /* Somebody else's log stays theirs. */
    assert_int_equal(fchown(fd, 12345, 12345), 0);
    assert_int_equal(privileges_give(&found, path, &file, why, sizeof why), 0);
    assert_int_equal(owner_of(path), 12345);
    close(fd);

    struct safe_file null = { .fd = open("/dev/null", O_WRONLY | O_CLOEXEC) };
    assert_int_equal(privileges_give(&found, "/dev/null", &null, why, sizeof why), 0);
    assert_int_equal(owner_of("/dev/null"), 0);
    close(null.fd);
    unlink(path);
    rmdir(folder);
}

static int set_files(rlim_t soft, rlim_t hard)
{
    struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };
    return setrlimit(RLIMIT_NOFILE, &limit);
}

static rlim_t soft_files(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

static int raises_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < 600 ||
        set_files(300, limit.rlim_max) != 0)
        return 10;
    if (privileges_raise_files(200, why, sizeof why) != 0 || soft_files() != 300)
        return 1; /* never lowered */
    if (privileges_raise_files(500, why, sizeof why) != 0 || soft_files() != 500)
        return 2;
    /* An ordinary user meets the hard limit, gets up to it, and is told both numbers. */
    if (set_files(300, 400) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        return 11;
    if (privileges_raise_files(1000, why, sizeof why) != -EPERM || soft_files() != 400)
        return 3;
    return strstr(why, "need 1000 descriptors, but the limit is 400") != NULL ? 0 : 4;
}

enum { NOT_ALLOWED = 77 };

static int raises_hard_limit(void)
{
    /* Root in a container may lack CAP_SYS_RESOURCE. */
    if (set_files(300, 400) != 0 || set_files(300, 500) != 0)
        return NOT_ALLOWED;
    return privileges_raise_files(1000, why, sizeof why) == 0 && soft_files() == 1000 ? 0 : 1;
}

static void test_raise_files(void **state)
{
    (void)state;
    assert_int_equal(in_child(raises_files), 0);
}

static void test_raise_files_as_root(void **state)
{
    (void)state;
    int result = in_child(raises_hard_limit);
    if (result == NOT_ALLOWED)
        skip();
    assert_int_equal(result, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find_group),
        cmocka_unit_test(test_find_as_root),
        cmocka_unit_test(test_find_as_ordinary_user),
        cmocka_unit_test(test_set_user_id_is_refused),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_drop_is_proved),
        cmocka_unit_test(test_give),
        cmocka_unit_test(test_raise_files),
        cmocka_unit_test(test_raise_files_as_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
