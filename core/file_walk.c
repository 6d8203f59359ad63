/* file_walk.c: path resolution beneath a root, segment by segment.
 *
 * Two stacks: the descriptors of the directories on the way, so that ".." in a link's target is a
 * pop and never a lookup, and the text still to be walked, to which a link's target is prepended.
 */
#include "core/file_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 256,
    LINKS_MAX = 40, /* as the kernel's (path_resolution(7)) */
    TEXT_MAX = 4 * PATH_MAX,
};

struct walk {
    enum file_symlinks symlinks;
    int flags;
    int dirs[DEPTH_MAX + 1]; /* dirs[0] is the root, borrowed; the others are ours */
    size_t depth;            /* of the directory we are in */
    unsigned links;          /* followed so far */
    char *rest;              /* what is still to be walked, in `text`, ends at its end */
    char text[TEXT_MAX];
};

/* openat(2): a descriptor or -errno. */
static int open_at(int dir_fd, const char *name, int flags)
{
    int fd = openat(dir_fd, name, flags);

    return fd < 0 ? -errno : fd;
}

/* "." or "..". 0 or -errno. */
static int walk_dots(struct walk *w, bool up)
{
    /* Looking up "." asks the kernel what a lookup of ".." would: may we search this directory? */
    int fd = open_at(w->dirs[w->depth], ".", O_PATH | O_CLOEXEC);

    if (fd < 0)
        return fd;
    close(fd);
    if (!up)
        return 0;
    if (w->depth == 0)
        return -EXDEV;
    close(w->dirs[w->depth--]);
    return 0;
}

/* Puts the target of the link at `link_fd` before the rest. 0 or -errno. */
static int walk_link(struct walk *w, int link_fd, bool slash)
{
    char target[PATH_MAX];
    ssize_t len;

    if (w->symlinks == FILE_SYMLINKS_DENY || ++w->links > LINKS_MAX)
        return -ELOOP;
    len = readlinkat(link_fd, "", target, sizeof(target));
    if (len < 0)
        return -errno;
    if (len == 0)
        return -ENOENT;
    if (target[0] == '/')
        return -EXDEV;
    if ((size_t)len == sizeof(target) || len + 1 > w->rest - w->text)
        return -ENAMETOOLONG;
    if (slash)
        *--w->rest = '/';
    w->rest -= len;
    memcpy(w->rest, target, (size_t)len);
    return 0;
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
        res = walk_link(w, fd, slash);
        if (res == 0)
            res = -EINPROGRESS;
    } else if (!S_ISDIR(st.st_mode) && (slash || (w->flags & O_DIRECTORY) != 0)) {
        res = -ENOTDIR;
    } else if (last && (w->flags & O_PATH) != 0) {
        return fd;
    } else if (last) {
        res = open_at(dir, name, w->flags | O_NOFOLLOW | (slash ? O_DIRECTORY : 0));
        if (res == -ELOOP)
            res = -EAGAIN;
    } else if (w->depth == DEPTH_MAX) {
        res = -ENAMETOOLONG;
    } else {
        w->dirs[++w->depth] = fd;
        return -EINPROGRESS;
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

    w->rest += len + strspn(name + len, "/");
    name[len] = '\0'; /* a slash, or the NUL that is there already */
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return walk_name(w, name, slash);
    res = walk_dots(w, len == 2);
    if (res < 0)
        return res;
    return w->rest[0] != '\0' ? -EINPROGRESS : open_at(w->dirs[w->depth], ".", w->flags);
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
    w.symlinks = symlinks;
    w.flags = flags;
    w.dirs[0] = root_fd;
    w.depth = 0;
    w.links = 0;
    w.rest = w.text + sizeof(w.text) - len - 1;
    memcpy(w.rest, path, len + 1);
    do
        res = walk_segment(&w);
    while (res == -EINPROGRESS);
    while (w.depth > 0)
        close(w.dirs[w.depth--]);
    return res;
}
