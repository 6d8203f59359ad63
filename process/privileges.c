/* privileges.c: dropping root, and checking that it is gone: a drop that half worked is worse than
 * a start that failed (setuid(2), NOTES; the order matters: groups first, the user last). */
#include "process/privileges.h"

#include "process/capabilities.h"
#include "core/check.h"
#include "core/decimal.h"
#include "core/span.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_SIZE = 64 * 1024 }; /* of passwd(5) or group(5); their functions tell if it is short */

/* A uid or gid; UINT32_MAX is the one that means "as it is" (setresuid(2)). */
static bool number_of(const char *text, unsigned *ret_number)
{
    uint64_t number;

    if (!decimal_parse(span_str(text), UINT32_MAX - 1, &number))
        return false;
    *ret_number = (unsigned)number;
    return true;
}

/* Writes the sentence about a user or a group that cannot be looked up. Returns -error. */
static int cannot_find(const char *kind, const char *database, const char *name, int error,
                       char *why, size_t why_size)
{
    if (error == ENOENT)
        snprintf(why, why_size, "%s '%s' does not exist: name one of 'getent %s' in `user`", kind,
                 name, database);
    else
        snprintf(why, why_size, "%s '%s' cannot be looked up: %s", kind, name, strerror(error));
    return -error;
}

/* Looks a user up. A number needs to have no name, but then its group has to be named. 0, or
 * -errno and a sentence. */
static int user_find(const char *name, bool has_group, char *line, char *why, size_t why_size,
                     struct privileges *ret)
{
    struct passwd entry, *found = NULL;
    unsigned number = 0;
    bool is_number = number_of(name, &number);

    int error = is_number ? getpwuid_r(number, &entry, line, LINE_SIZE, &found)
                          : getpwnam_r(name, &entry, line, LINE_SIZE, &found);
    if (found != NULL) {
        ret->uid = entry.pw_uid;
        ret->gid = entry.pw_gid;
        snprintf(ret->login, sizeof ret->login, "%s", entry.pw_name);
        return 0;
    }
    if (error != 0 || !is_number)
        return cannot_find("user", "passwd", name, error != 0 ? error : ENOENT, why, why_size);
    if (!has_group) {
        snprintf(why, why_size,
                 "user %u has no name, and so no group: name one, too, as in user = \"%u:%u\"",
                 number, number, number);
        return -ENOENT;
    }
    ret->uid = number;
    ret->login[0] = '\0';
    return 0;
}

/* Likewise, a group. */
static int group_find(const char *name, char *line, char *why, size_t why_size,
                      struct privileges *ret)
{
    struct group entry, *found = NULL;
    unsigned number = 0;

    if (number_of(name, &number)) {
        ret->gid = number;
        return 0;
    }
    int error = getgrnam_r(name, &entry, line, LINE_SIZE, &found);
    if (found == NULL)
        return cannot_find("group", "group", name, error != 0 ? error : ENOENT, why, why_size);
    ret->gid = entry.gr_gid;
    return 0;
}

/* Looks up what `user` says: "name" or "name:group". 0, or -errno and a sentence. */
static int identity_find(const char *user, char *why, size_t why_size, struct privileges *ret)
{
    const char *colon = strchr(user, ':');
    size_t len = colon != NULL ? (size_t)(colon - user) : strlen(user);
    char name[PRIVILEGES_LOGIN_SIZE];
    char *line = malloc(LINE_SIZE);

    if (line == NULL) {
        snprintf(why, why_size, "user '%s': out of memory", user);
        return -ENOMEM;
    }
    snprintf(name, sizeof name, "%.*s", (int)len, user);
    int error = user_find(name, colon != NULL, line, why, why_size, ret);
    if (error == 0 && colon != NULL)
        error = group_find(colon + 1, line, why, why_size, ret);
    free(line);
    return error;
}

int privileges_find(const struct config *config, char *why, size_t why_size,
                    struct privileges *ret_privileges)
{
    struct privileges found = { .drop = false };
    bool have_user = config->user != NULL && config->user[0] != '\0';

    /* Arguments and environment would be a stranger's. File capabilities are fine. */
    if (getuid() != geteuid() || getgid() != getegid()) {
        snprintf(why, why_size,
                 "a set-user-ID or set-group-ID start is refused: start as root or "
                 "as an ordinary user");
        return -EPERM;
    }
    if (geteuid() != 0) {
        *ret_privileges = found;
        return 0;
    }
    if (have_user) {
        int error = identity_find(config->user, why, why_size, &found);
        if (error < 0)
            return error;
    }
    if (!have_user || found.uid == 0) {
        if (!config->allow_root) {
            snprintf(why, why_size,
                     "refusing to serve as root: set `user` to an ordinary user (default nobody), "
                     "or `allow_root = on`");
            return -EPERM;
        }
        *ret_privileges = (struct privileges){ .drop = false };
        return 0;
    }
    found.drop = true;
    found.user = config->user;
    *ret_privileges = found;
    return 0;
}

/* Is the file one that the user must be given? */
static bool must_be_given(const struct privileges *privileges, const struct safe_file *file,
                          struct stat *ret_info)
{
    return privileges->drop && fstat(file->fd, ret_info) == 0 && S_ISREG(ret_info->st_mode) &&
           ret_info->st_uid == 0;
}

int privileges_give_check(const struct privileges *privileges, const char *path,
                          const struct safe_file *file, char *why, size_t why_size)
{
    struct stat info;

    if (!must_be_given(privileges, file, &info))
        return 0;
    /* A new name of what was made just now is the user's own doing. */
    if (!file->linked && (file->created || info.st_nlink == 1))
        return 0;
    snprintf(why, why_size,
             "%s is a link: it is not given to user '%s', who could not open it again after a "
             "rotation: name the file itself",
             path, privileges->user);
    return -EMLINK;
}

int privileges_give(const struct privileges *privileges, const char *path,
                    const struct safe_file *file, char *why, size_t why_size)
{
    struct stat info;

    int error = privileges_give_check(privileges, path, file, why, why_size);
    if (error < 0 || !must_be_given(privileges, file, &info))
        return error;
    if (fchown(file->fd, privileges->uid, (gid_t)-1) == 0)
        return 0;
    error = errno;
    snprintf(why, why_size, "%s cannot be given to user '%s': %s", path, privileges->user,
             strerror(error));
    return -error;
}

/* Is every one of the three user and three group numbers the user's? */
static bool identity_is(const struct privileges *privileges)
{
    uid_t ruid = 0, euid = 0, suid = 0;
    gid_t rgid = 0, egid = 0, sgid = 0;

    return getresuid(&ruid, &euid, &suid) == 0 && getresgid(&rgid, &egid, &sgid) == 0 &&
           ruid == privileges->uid && euid == ruid && suid == ruid && rgid == privileges->gid &&
           egid == rgid && sgid == rgid;
}

/* Can this process become root again? */
static bool root_comes_back(const struct privileges *privileges)
{
    if (setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0)
        return true;
    return privileges->gid != 0 && setgid(0) == 0;
}

static int become(const struct privileges *privileges, char *why, size_t why_size)
{
    bool has_name = privileges->login[0] != '\0';
    const char *step = has_name ? "initgroups" : "setgroups";
    bool ok = (has_name ? initgroups(privileges->login, privileges->gid)
                        : setgroups(1, &privileges->gid)) == 0;

    if (ok) {
        step = "setresgid";
        ok = setresgid(privileges->gid, privileges->gid, privileges->gid) == 0;
    }
    if (ok) {
        step = "setresuid";
        ok = setresuid(privileges->uid, privileges->uid, privileges->uid) == 0;
    }
    if (!ok) {
        int error = errno;
        snprintf(why, why_size,
                 "cannot become user '%s': %s: %s (root without CAP_SETUID and CAP_SETGID?)",
                 privileges->user, step, strerror(error));
        return -error;
    }
    /* Before the proof: with securebits that keep them (capabilities(7)), root could come back. */
    int error = capabilities_drop_all(why, why_size);
    if (error < 0)
        return error;
    if (!identity_is(privileges) || root_comes_back(privileges)) {
        snprintf(why, why_size, "became user '%s', but root can come back: refusing to serve",
                 privileges->user);
        return -EPERM;
    }
    return 0;
}

int privileges_drop(const struct privileges *privileges, char *why, size_t why_size)
{
    int error = 0;

    if (privileges->drop || geteuid() != 0)
        capabilities_drop_bounding();
    if (privileges->drop)
        error = become(privileges, why, why_size);
    else if (geteuid() != 0)
        error = capabilities_drop_all(why, why_size);
    else
        error = capabilities_drop_inherited(why, why_size);
    if (error < 0)
        return error;
    if (privileges->drop) {
        /* The kernel does so by itself unless fs.suid_dumpable says otherwise: what was read as
         * root must not end in a core file, and the user's other processes may not trace us. */
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
            goto refused;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        goto refused;
    return 0;

refused:
    error = errno;
    snprintf(why, why_size, "prctl is refused: %s", strerror(error));
    return error != 0 ? -error : -EPERM;
}

int privileges_raise_files(uint64_t needed, char *why, size_t why_size)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        goto refused;
    if (limit.rlim_cur >= needed)
        return 0;
    rlim_t hard = limit.rlim_max;
    if (hard < needed) {
        struct rlimit raised = { .rlim_cur = needed, .rlim_max = needed };
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            return 0;
        limit.rlim_cur = hard;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            goto refused;
        snprintf(why, why_size,
                 "connections_max, cache_files, roots, logs and addresses need %llu descriptors, "
                 "but the limit is %llu (RLIMIT_NOFILE): raise it (ulimit -Hn, LimitNOFILE=) or "
                 "lower the first two",
                 (unsigned long long)needed, (unsigned long long)hard);
        return -EPERM;
    }
    limit.rlim_cur = needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return 0;

refused:;
    int error = errno;
    snprintf(why, why_size, "the limit of descriptors (RLIMIT_NOFILE) cannot be raised to %llu: %s",
             (unsigned long long)needed, strerror(error));
    return -error;
}
