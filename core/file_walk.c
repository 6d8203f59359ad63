/* file_walk.c: path resolution beneath a root, segment by segment.
 *
 * Two stacks: the descriptors of the directories on the way, so that ".." in a link's target is a
 * pop and never a lookup, and the text still to be walked, to which a link's target is prepended.
 *
 * Links may lead out of the root, if they lead back: an absolute one walks from "/", and ".." of
 * the root goes to its parent. What is walked into is then compared with the root, by descriptor:
 * beneath it is only what was opened in it, name by name. No text is compared, so it does not
 * matter what is renamed meanwhile, the root itself included: whoever could move a directory into
 * the root could have shown it anyway. */
#include "core/file_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 256,
    LINKS_MAX = 40, /* as the kernel's (path_resolution(7)) */
    TEXT_MAX = 4 * PATH_MAX,
    OUTSIDE = -1,
    FOLDER = O_PATH | O_DIRECTORY | O_CLOEXEC,
};

/* A link whose target is being walked: it ends where the rest is `end` again. */
struct link {
    const char *end;
    uid_t owner;
};

struct walk {
    enum file_symlinks symlinks;
    int flags;
    struct stat root;
    int dirs[DEPTH_MAX + 1]; /* dirs[0] is the root, borrowed, until a link leaves it; the others
                                are ours */
    bool bottom_ours;
    size_t depth;       /* of the directory we are in */
    long root_depth;    /* of the root in dirs, or OUTSIDE */
    unsigned links;     /* followed so far */
    unsigned following; /* links[] in use: the innermost one is the last */
    struct link pending[LINKS_MAX];
    const char *given; /* from here on, `rest` is the path's own text, not a link's */
    char *rest;        /* what is still to be walked, in `text`, ends at its end */
    char text[TEXT_MAX];
};

/* openat(2): a descriptor or -errno. */
static int open_at(int dir_fd, const char *name, int flags)
{
    int fd = openat(dir_fd, name, flags);

    return fd < 0 ? -errno : fd;
}

static bool is_root(const struct walk *w, const struct stat *st)
{
    return st->st_ino == w->root.st_ino && st->st_dev == w->root.st_dev;
}

/* The object `st` is reached; it lies in the present directory, or is it. Where it ends the target
 * of links, do they lead where they may? 0 or -errno. */
static int judge_links(struct walk *w, const struct stat *st)
{
    while (w->following > 0 && w->rest >= w->pending[w->following - 1].end) {
        const struct link *link = &w->pending[--w->following];

        if (w->symlinks == FILE_SYMLINKS_INSIDE && w->root_depth == OUTSIDE && !is_root(w, st))
            return -EXDEV;
        if (w->symlinks == FILE_SYMLINKS_OWNER && st->st_uid != link->owner)
            return -ELOOP;
    }
    return 0;
}

/* The bottom of the stack becomes `fd`, which is taken, and the directory that we are in. */
static int start_at(struct walk *w, int fd)
{
    struct stat st;

    if (fd < 0)
        return fd;
    while (w->depth > 0)
        close(w->dirs[w->depth--]);
    if (w->bottom_ours)
        close(w->dirs[0]);
    w->dirs[0] = fd;
    w->bottom_ours = true;
    if (fstat(fd, &st) < 0)
        return -errno;
    w->root_depth = is_root(w, &st) ? 0 : OUTSIDE;
    return 0;
}

/* ".." */
static int walk_up(struct walk *w, bool given)
{
    /* The path itself never leaves. A link does, but only where it may lead back, or anywhere. */
    if ((given && (long)w->depth == w->root_depth) ||
        (w->depth == 0 && w->symlinks == FILE_SYMLINKS_DENY))
        return -EXDEV;
    if (w->depth > 0) {
        close(w->dirs[w->depth--]);
        if ((long)w->depth < w->root_depth)
            w->root_depth = OUTSIDE;
        return 0;
    }
    return start_at(w, open_at(w->dirs[0], "..", FOLDER));
}

/* "." or "..", of the path itself (`given`) or of a link. 0 or -errno. */
static int walk_dots(struct walk *w, bool up, bool given)
{
    struct stat st;
    int res;
    /* Looking up "." asks the kernel what a lookup of ".." would: may we search this directory? */
    int fd = open_at(w->dirs[w->depth], ".", O_PATH | O_CLOEXEC);

    if (fd < 0)
        return fd;
    close(fd);
    res = up ? walk_up(w, given) : 0;
    if (res < 0)
        return res;
    return fstat(w->dirs[w->depth], &st) < 0 ? -errno : judge_links(w, &st);
}

/* Links that the kernel makes up (/proc/self/root) lead anywhere, whatever they say. 0 or -errno;
 * -ELOOP: it is one. */
static int judge_magic(int link_fd)
{
    struct statfs fs;

    if (fstatfs(link_fd, &fs) < 0)
        return -errno;
    return fs.f_type == PROC_SUPER_MAGIC ? -ELOOP : 0;
}

/* The target before the rest is absolute: it begins at "/". 0 or -errno. */
static int walk_from_top(struct walk *w)
{
    struct stat st;
    int res = start_at(w, open_at(AT_FDCWD, "/", FOLDER));

    if (res < 0)
        return res;
    w->rest += strspn(w->rest, "/");
    return fstat(w->dirs[0], &st) < 0 ? -errno : judge_links(w, &st);
}

/* Puts the target of the link at `link_fd` before the rest. 0 or -errno. */
static int walk_link(struct walk *w, int link_fd, uid_t owner, bool slash)
{
    char target[PATH_MAX];
    ssize_t len;
    int res;

    if (w->symlinks == FILE_SYMLINKS_DENY || ++w->links > LINKS_MAX)
        return -ELOOP;
    res = judge_magic(link_fd);
    if (res < 0)
        return res;
    len = readlinkat(link_fd, "", target, sizeof(target));
    if (len < 0)
        return -errno;
    if (len == 0)
        return -ENOENT;
    if ((size_t)len == sizeof(target) || len + 1 > w->rest - w->text)
        return -ENAMETOOLONG;
    w->pending[w->following++] = (struct link){ .end = w->rest, .owner = owner };
    if (w->given < w->rest)
        w->given = w->rest;
    if (slash)
        *--w->rest = '/';
    w->rest -= len;
    memcpy(w->rest, target, (size_t)len);
    return target[0] == '/' ? walk_from_top(w) : 0;
}

/* Opens the last name, which was looked at: it must be what it was then. A descriptor or -errno. */
static int open_last(struct walk *w, int dir, const char *name, bool slash, const struct stat *seen)
{
    struct stat st;
    int fd = open_at(dir, name, w->flags | O_NOFOLLOW | (slash ? O_DIRECTORY : 0));

    if (fd == -ELOOP)
        return -EAGAIN;
    if (fd < 0 || w->symlinks != FILE_SYMLINKS_OWNER)
        return fd;
    if (fstat(fd, &st) == 0 && st.st_ino == seen->st_ino && st.st_dev == seen->st_dev)
        return fd;
    close(fd);
    return -EAGAIN;
}

/* Goes into the directory `fd`. */
static int enter(struct walk *w, int fd, const struct stat *st)
{
    w->dirs[++w->depth] = fd;
    if (w->root_depth == OUTSIDE && is_root(w, st))
        w->root_depth = (long)w->depth;
    return -EINPROGRESS;
}

/* One segment that is a name; `slash`: one or more slashes follow it. A descriptor when it was the
 * last, else -errno, or -EINPROGRESS to go on. */
static int walk_name(struct walk *w, const char *name, bool slash)
{
    int dir = w->dirs[w->depth];
    int fd = open_at(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    bool last = w->rest[0] == '\0';
    struct stat st;
    int res;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0) {
        res = -errno;
    } else if (S_ISLNK(st.st_mode)) {
        res = walk_link(w, fd, st.st_uid, slash);
        if (res == 0)
            res = -EINPROGRESS;
    } else if (!S_ISDIR(st.st_mode) && (slash || (w->flags & O_DIRECTORY) != 0)) {
        res = -ENOTDIR;
    } else if ((res = judge_links(w, &st)) < 0) {
        /* Nothing is opened. */
    } else if (last && (w->flags & O_PATH) != 0) {
        return fd;
    } else if (last) {
        res = open_last(w, dir, name, slash, &st);
    } else if (w->depth == DEPTH_MAX) {
        res = -ENAMETOOLONG;
    } else {
        return enter(w, fd, &st);
    }
    close(fd);
    return res;
}

/* The next segment; as walk_name(). */
static int walk_segment(struct walk *w)
{
    char *name = w->rest;
    size_t len = strcspn(name, "/");
    bool slash = name[len] == '/';
    int res;

    if (len == 0) /* a link to "/", and nothing behind it */
        return open_at(w->dirs[w->depth], ".", w->flags);
    w->rest += len + strspn(name + len, "/");
    name[len] = '\0'; /* a slash, or the NUL that is there already */
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return walk_name(w, name, slash);
    res = walk_dots(w, len == 2, name >= w->given);
    if (res < 0)
        return res;
    return w->rest[0] != '\0' ? -EINPROGRESS : open_at(w->dirs[w->depth], ".", w->flags);
}

/* What is outside of the root is nobody's business, not even whether it is there. */
static int hide_outside(const struct walk *w, int res)
{
    struct stat st;

    if (w->symlinks != FILE_SYMLINKS_INSIDE || w->root_depth != OUTSIDE)
        return res;
    /* Each link was judged where it ended, and the path itself cannot leave: this is the root. */
    if (res >= 0) {
        if (fstat(res, &st) == 0 && is_root(w, &st))
            return res;
        close(res);
        return -EXDEV;
    }
    switch (-res) {
    case EACCES:
    case EPERM:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
        return -EXDEV;
    default:
        return res;
    }
}

int file_walk(int root_fd, const char *path, enum file_symlinks symlinks, int flags)
{
    struct walk w;
    size_t len = strlen(path);
    int res;

    if (len == 0)
        return -ENOENT;
    if (len >= PATH_MAX)
        return -ENAMETOOLONG;
    if (path[0] == '/')
        return -EXDEV;
    if (fstat(root_fd, &w.root) < 0)
        return -errno;
    w.symlinks = symlinks;
    w.flags = flags;
    w.dirs[0] = root_fd;
    w.bottom_ours = false;
    w.depth = 0;
    w.root_depth = 0;
    w.links = w.following = 0;
    w.rest = w.text + sizeof(w.text) - len - 1;
    w.given = w.rest;
    memcpy(w.rest, path, len + 1);
    do
        res = walk_segment(&w);
    while (res == -EINPROGRESS);
    while (w.depth > 0)
        close(w.dirs[w.depth--]);
    if (w.bottom_ours)
        close(w.dirs[0]);
    return hide_outside(&w, res);
}
