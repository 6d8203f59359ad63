/* place.c: a path walked by descriptors, so that each look is at the very folder that is used. */
#include "core/place.h"

#include "core/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    LINKS_MAX = 40, /* as the kernel's (path_resolution(7)) */
    TO_ALL = S_IXUSR | S_IXGRP | S_IXOTH,
    OF_PROC = 1, /* the number of /proc itself: PROC_ROOT_INO in the kernel */
    FOLDER = O_PATH | O_DIRECTORY | O_CLOEXEC
};

static const char link_in_shared[] =
    "it is reached through a link in a folder to which others than root may write: name what it "
    "points to, or make the folder root's";

/* A walk in progress: where it is, and what is left of the path. */
struct walk {
    struct place place;
    unsigned flags;
    unsigned links;
    bool sticky;         /* the folder: root's, and only owners remove names */
    bool in_proc;        /* below /proc, where links are the kernel's and lead anywhere */
    char rest[PATH_MAX]; /* with the links' targets put in front */
};

/* Looks at the folder `walk->place.dir_fd` and decides what others may do in it. */
static int judge(struct walk *walk, const struct stat *info)
{
    struct statfs fs;

    if (fstatfs(walk->place.dir_fd, &fs) != 0)
        return -errno;
    bool others_write = (info->st_mode & (S_IWGRP | S_IWOTH)) != 0;
    bool of_root = info->st_uid == 0;
    bool is_proc = fs.f_type == PROC_SUPER_MAGIC;

    walk->place.hidden |= (info->st_mode & TO_ALL) != TO_ALL;
    walk->in_proc = is_proc && info->st_ino != OF_PROC;
    walk->sticky = of_root && (info->st_mode & S_ISVTX) != 0;
    /* In a user namespace /proc belongs to a root who is not ours. */
    bool closed = (of_root && !others_write) || (is_proc && !walk->in_proc);
    walk->place.shared = walk->place.movable || !closed;
    return 0;
}

/* Goes into the folder `fd`, which it takes, below the present one. */
static int enter(struct walk *walk, int fd, const struct stat *info)
{
    bool fixed = walk->sticky && info->st_uid == 0;

    if (walk->place.shared && !fixed)
        walk->place.movable = true;
    close(walk->place.dir_fd);
    walk->place.dir_fd = fd;
    return judge(walk, info);
}

/* Begins at the root of the file system, or at the working directory. */
static int begin(struct walk *walk)
{
    struct stat info;

    int fd = open(walk->rest[0] == '/' ? "/" : ".", FOLDER);
    if (fd < 0)
        return -errno;
    if (walk->place.dir_fd >= 0)
        close(walk->place.dir_fd);
    walk->place.dir_fd = fd;
    walk->place.hidden = false;
    return fstat(fd, &info) == 0 ? judge(walk, &info) : -errno;
}

/* Puts the target of the link `fd` in front of what is left to walk. */
static int prepend_target(struct walk *walk, int fd)
{
    char target[PATH_MAX];

    ssize_t len = readlinkat(fd, "", target, sizeof(target));
    if (len < 0)
        return -errno;
    size_t rest_len = strlen(walk->rest);
    if ((size_t)len + 1 + rest_len >= sizeof(walk->rest))
        return -ENAMETOOLONG;
    memmove(walk->rest + len + 1, walk->rest, rest_len + 1);
    walk->rest[len] = '/';
    memcpy(walk->rest, target, (size_t)len);
    /* "target/" would insist on a folder where only "target" was said. */
    if (rest_len == 0)
        walk->rest[len] = '\0';
    return walk->rest[0] == '/' ? begin(walk) : 0;
}

/* May the link `info` in the present folder be followed? 0 or -ELOOP. */
static int link_check(struct walk *walk, const struct stat *info, const char **ret_what)
{
    if (++walk->links > LINKS_MAX)
        return -ELOOP;
    if (!walk->place.shared)
        return 0;
    uid_t *suspect = &walk->place.suspect;
    bool reading = (walk->flags & PLACE_READ) != 0;
    if (reading && (info->st_uid == 0 || *suspect == PLACE_NOBODY || *suspect == info->st_uid)) {
        if (info->st_uid != 0)
            *suspect = info->st_uid;
        return 0;
    }
    *ret_what = link_in_shared;
    return -ELOOP;
}

/* Takes the first name off what is left. Is it the last one? */
static int next_name(struct walk *walk, bool *ret_last)
{
    char *begin_at = walk->rest + strspn(walk->rest, "/");
    size_t len = strcspn(begin_at, "/");
    char *behind = begin_at + len;

    if (len > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(walk->place.name, begin_at, len);
    walk->place.name[len] = '\0';
    *ret_last = behind[strspn(behind, "/")] == '\0';
    /* What a slash follows is a folder, and nothing that can be written. */
    if (*ret_last && *behind != '\0' && (walk->flags & PLACE_READ) == 0)
        return -EISDIR;
    memmove(walk->rest, behind, strlen(behind) + 1);
    if (len == 0)
        memcpy(walk->place.name, ".", sizeof("."));
    return 0;
}

/* Follows the link `fd`. 1: the walk goes on; 0: it ends here, at a link of the kernel's. */
static int follow(struct walk *walk, int fd, const struct stat *info, bool last,
                  const char **ret_what)
{
    struct stat target;

    int res = link_check(walk, info, ret_what);
    if (res < 0)
        return res;
    walk->place.linked = walk->place.linked || last;
    if (!walk->in_proc) {
        res = prepend_target(walk, fd);
        return res < 0 ? res : 1;
    }
    walk->place.of_kernel = last;
    if (last)
        return 0;
    int folder = openat(walk->place.dir_fd, walk->place.name, FOLDER);
    if (folder < 0)
        return -errno;
    if (fstat(folder, &target) != 0) {
        close(folder);
        return -errno;
    }
    res = enter(walk, folder, &target);
    return res < 0 ? res : 1;
}

/* One name further. 1: there is more; 0: the place is found. */
static int step(struct walk *walk, const char **ret_what)
{
    struct stat info;
    bool last = false;

    int res = next_name(walk, &last);
    if (res < 0 || (last && (walk->flags & PLACE_FOLLOW) == 0))
        return res;
    int fd = openat(walk->place.dir_fd, walk->place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return last && errno == ENOENT ? 0 : -errno;
    if (fstat(fd, &info) != 0) {
        res = -errno;
    } else if (S_ISLNK(info.st_mode)) {
        res = follow(walk, fd, &info, last, ret_what);
    } else if (last) {
        res = 0;
    } else if (S_ISDIR(info.st_mode)) {
        res = enter(walk, fd, &info);
        return res < 0 ? res : 1;
    } else {
        res = -ENOTDIR;
    }
    close(fd);
    return res;
}

/* Who is not root: the kernel finds the folder. */
static int open_plainly(struct walk *walk)
{
    char *slash = strrchr(walk->rest, '/');
    const char *name = slash != NULL ? slash + 1 : walk->rest;

    if (*name == '\0')
        return -EISDIR;
    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(walk->place.name, name, strlen(name) + 1);
    if (slash != NULL)
        slash[1] = '\0';
    walk->place.dir_fd = open(slash != NULL ? walk->rest : ".", FOLDER);
    return walk->place.dir_fd >= 0 ? 0 : -errno;
}

struct place_memo {
    /* As it was in that folder; `rest`: what the path said of it, with the last slash. */
    struct walk walk;
    bool set;
};

struct place_memo *place_memo_create(void)
{
    return calloc(1, sizeof(struct place_memo));
}

static void forget(struct place_memo *memo)
{
    if (memo->set)
        close(memo->walk.place.dir_fd);
    memo->set = false;
}

void place_memo_free(struct place_memo *memo)
{
    if (memo == NULL)
        return;
    forget(memo);
    free(memo);
}

/* The walk is in the folder that the first `len` octets of `path` name. */
static void keep(struct place_memo *memo, const struct walk *walk, const char *path, size_t len)
{
    forget(memo);
    memo->walk = *walk;
    memo->walk.place.dir_fd = fcntl(walk->place.dir_fd, F_DUPFD_CLOEXEC, 0);
    memcpy(memo->walk.rest, path, len);
    memo->walk.rest[len] = '\0';
    memo->set = memo->walk.place.dir_fd >= 0;
}

/* Goes on where the memo's walk was, if it was in the folder of `path` (its first `len` octets).
 * 1: it does; 0: the whole way is to be walked; or -errno. */
static int take_up(const struct place_memo *memo, const char *path, size_t len, struct walk *walk)
{
    if (!memo->set || memo->walk.flags != walk->flags || strlen(memo->walk.rest) != len ||
        memcmp(memo->walk.rest, path, len) != 0)
        return 0;
    *walk = memo->walk;
    memcpy(walk->rest, path + len, strlen(path + len) + 1);
    walk->place.dir_fd = fcntl(memo->walk.place.dir_fd, F_DUPFD_CLOEXEC, 0);
    return walk->place.dir_fd >= 0 ? 1 : -errno;
}

/* Walks to the place of `path`, of which walk->rest is left; `memo` (or NULL) is given what it
 * needs for the next one. */
static int walk_to(struct walk *walk, struct place_memo *memo, const char *path, size_t folder_len,
                   const char **ret_what)
{
    int res;

    do {
        const char *left = walk->rest + strspn(walk->rest, "/");
        if (memo != NULL && !walk->place.linked && strcmp(left, path + folder_len) == 0) {
            keep(memo, walk, path, folder_len);
            memo = NULL; /* a link there may lead to a like name */
        }
        res = step(walk, ret_what);
    } while (res > 0);
    return res;
}

int place_open_by(struct place_memo *memo, const char *path, unsigned flags,
                  struct place *ret_place, const char **ret_what)
{
    struct walk walk = { .place = { .dir_fd = -1, .suspect = PLACE_NOBODY }, .flags = flags };
    const char *slash = strrchr(path, '/');
    size_t folder_len = slash != NULL ? (size_t)(slash - path) + 1 : 0;

    *ret_what = NULL;
    if (path[0] == '\0')
        return -ENOENT;
    if (strlen(path) >= sizeof(walk.rest))
        return -ENAMETOOLONG;
    memcpy(walk.rest, path, strlen(path) + 1);
    walk.place.judged = geteuid() == 0 || (flags & PLACE_JUDGE) != 0;
    if (!walk.place.judged || folder_len == 0 || path[folder_len] == '\0')
        memo = NULL;
    int res = memo != NULL ? take_up(memo, path, folder_len, &walk) : 0;
    if (res > 0) {
        memo = NULL;
        res = 0;
    } else if (res == 0) {
        res = walk.place.judged ? begin(&walk) : open_plainly(&walk);
    }
    if (res == 0 && walk.place.judged)
        res = walk_to(&walk, memo, path, folder_len, ret_what);
    if (res < 0) {
        if (walk.place.dir_fd >= 0)
            close(walk.place.dir_fd);
        return res;
    }
    *ret_place = walk.place;
    return 0;
}

int place_open(const char *path, unsigned flags, struct place *ret_place, const char **ret_what)
{
    return place_open_by(NULL, path, flags, ret_place, ret_what);
}

int place_may_create(const struct place *place)
{
    return faccessat(place->dir_fd, ".", W_OK | X_OK, AT_EACCESS) == 0 ? 0 : -errno;
}

void place_close(struct place *place)
{
    close(place->dir_fd);
    place->dir_fd = -1;
}
