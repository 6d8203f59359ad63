/* file_notice_way.c: what has to be watched so that a change of a file, or of the way to a root, is
 * told. */
#include "core/check.h"
#include "core/file_job.h"
#include "core/file_notice.h"
#include "core/file_notice_own.h"
#include "core/mount_number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Opens by O_PATH what is in memory. */
static int open_cached(int dir_fd, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = { .flags = (unsigned)(O_PATH | O_CLOEXEC | flags),
                            .resolve = RESOLVE_CACHED | RESOLVE_NO_MAGICLINKS | resolve };
    long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

    return fd < 0 ? -errno : (int)fd;
}

/* One folder, which leaves *ret_folder's `all` as it is. */
static int watch_one(struct file_notice *notice, int root_fd, const char *path,
                     struct file_notice_folder *ret_folder)
{
    int fd = open_cached(root_fd, path, O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

    if (fd < 0)
        return fd;
    int res = file_notice_watch(notice, fd, true, ret_folder);
    close(fd);
    return res;
}

/* From the root down: a folder is watched before what is in it is looked up. */
int file_notice_folder(struct file_notice *notice, int root_fd, const char *path,
                       struct file_notice_folder *ret_folder)
{
    const struct file_notice_counters *counters = file_notice_counters(notice);
    struct file_notice_folder folder = { 0 };
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof(part))
        return -ENAMETOOLONG;
    folder.all = atomic_load_explicit(&counters->all, memory_order_acquire);
    int res = watch_one(notice, root_fd, ".", &folder);
    bool is_root = strcmp(path, ".") == 0;
    for (size_t i = 1; res == 0 && !is_root && i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        res = watch_one(notice, root_fd, part, &folder);
    }
    if (res == 0)
        *ret_folder = folder;
    return res;
}

bool file_notice_folder_holds(const struct file_notice_counters *counters,
                              const struct file_notice_folder *folder)
{
    return atomic_load_explicit(&counters->all, memory_order_acquire) == folder->all &&
           atomic_load_explicit(&counters->each[folder->counter], memory_order_relaxed) ==
               folder->seen;
}

struct file_notice_mark file_notice_mark(const struct file_notice_counters *counters,
                                         const struct file_notice_folder *folder, const char *name)
{
    struct file_notice_mark mark = {
        .generation = atomic_load_explicit(&counters->generation, memory_order_acquire),
        .name = file_notice_counter(folder->watch, name),
        .folder = folder->counter,
        .is_set = true,
    };

    mark.sum = folder->all + folder->seen +
               (mark.name == mark.folder
                    ? folder->seen
                    : atomic_load_explicit(&counters->each[mark.name], memory_order_relaxed));
    /* What has been counted since the folder was looked up is to be found by the first comparison.
     */
    mark.generation--;
    return mark;
}

/* A file that may not be read is not known by its number; but another one in its place is told. */
static bool is_what_was_found(const struct statx *stx, int error, const struct file_meta *meta)
{
    return error == EACCES || (error == 0 && stx->stx_ino == meta->ino &&
                               makedev(stx->stx_dev_major, stx->stx_dev_minor) == meta->dev);
}

bool file_notice_tells(int root_fd, const char *path, int error, const struct file_meta *meta,
                       uint64_t mount)
{
    struct statx stx;

    if (statx(root_fd, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
              STATX_TYPE | STATX_INO | STATX_NLINK | STATX_MNT_ID, &stx) != 0)
        return errno == ENOENT && error == ENOENT;
    return is_what_was_found(&stx, error, meta) && !S_ISLNK(stx.stx_mode) &&
           mount_number(&stx) == mount && (S_ISDIR(stx.stx_mode) || stx.stx_nlink == 1);
}

/* A walk along an absolute path. */
struct walk {
    struct file_notice *notice;
    struct file_notice_way *way;
    int fd;              /* where it is */
    char rest[PATH_MAX]; /* what is still to be walked */
};

/* The next name of the rest, cut off it; "": there is none. */
static const char *next_name(struct walk *walk, char name[NAME_MAX + 1])
{
    size_t from = strspn(walk->rest, "/");
    size_t len = strcspn(walk->rest + from, "/");

    if (len > NAME_MAX)
        len = NAME_MAX;
    memcpy(name, walk->rest + from, len);
    name[len] = '\0';
    memmove(walk->rest, walk->rest + from + len, strlen(walk->rest + from + len) + 1);
    return name;
}

static int go_to_top(struct walk *walk)
{
    if (walk->fd >= 0)
        close(walk->fd);
    walk->fd = open_cached(AT_FDCWD, "/", O_DIRECTORY, 0);
    return walk->fd < 0 ? walk->fd : 0;
}

/* The link that `fd` is open on stands in front of the rest; its name is counted. */
static int follow(struct walk *walk, int fd, const struct file_notice_folder *folder,
                  const char *name)
{
    struct file_notice_way *way = walk->way;
    char target[PATH_MAX];
    ssize_t len = readlinkat(fd, "", target, sizeof(target) - 1);
    size_t rest_len = strlen(walk->rest);

    if (len <= 0)
        return len < 0 ? -errno : -ENOENT;
    if (way->count == FILE_NOTICE_LINKS_MAX)
        return -ELOOP;
    if ((size_t)len + 1 + rest_len >= sizeof(walk->rest))
        return -ENAMETOOLONG;
    way->links[way->count++] = file_notice_counter(folder->watch, name);
    memmove(walk->rest + len + 1, walk->rest, rest_len + 1);
    walk->rest[len] = '/';
    memcpy(walk->rest, target, (size_t)len);
    return target[0] == '/' ? go_to_top(walk) : 0;
}

/* One name further; the folder that it stands in is watched first. */
static int step(struct walk *walk, const char *name)
{
    struct file_notice_folder folder = { 0 };
    struct stat st;
    int res = file_notice_watch(walk->notice, walk->fd, false, &folder);

    if (res < 0)
        return res;
    int fd = open_cached(walk->fd, name, O_NOFOLLOW, 0);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
        res = follow(walk, fd, &folder, name);
        close(fd);
        return res;
    }
    close(walk->fd);
    walk->fd = fd;
    return 0;
}

/* Links are counted before the way is looked up once more by whoever asked: what a link said then
 * may be newer than what it said here, but not older. */
void file_notice_way(struct file_notice *notice, const char *path, struct file_notice_way *ret_way)
{
    const struct file_notice_counters *counters = file_notice_counters(notice);
    struct file_notice_way way = { 0 };
    struct walk walk = { .notice = notice, .way = &way, .fd = -1 };
    char name[NAME_MAX + 1];

    *ret_way = way;
    if (strlen(path) >= sizeof(walk.rest) || path[0] != '/')
        return;
    memcpy(walk.rest, path, strlen(path) + 1);
    uint32_t generation = atomic_load_explicit(&counters->generation, memory_order_acquire);
    way.sum = atomic_load_explicit(&counters->all, memory_order_acquire);
    int res = go_to_top(&walk);
    while (res == 0 && next_name(&walk, name)[0] != '\0') {
        uint8_t count = way.count;

        res = step(&walk, name);
        if (way.count > count)
            way.sum +=
                atomic_load_explicit(&counters->each[way.links[count]], memory_order_relaxed);
    }
    if (walk.fd >= 0)
        close(walk.fd);
    way.generation = generation - 1;
    way.is_set = res == 0;
    way.soon = res == -EAGAIN;
    *ret_way = way;
}

bool file_notice_way_holds(const struct file_notice_counters *counters, struct file_notice_way *way)
{
    uint32_t generation = atomic_load_explicit(&counters->generation, memory_order_acquire);
    uint32_t sum = atomic_load_explicit(&counters->all, memory_order_relaxed);

    if (generation == way->generation)
        return true;
    for (size_t i = 0; i < way->count; i++)
        sum += atomic_load_explicit(&counters->each[way->links[i]], memory_order_relaxed);
    if (sum != way->sum)
        return false;
    way->generation = generation;
    return true;
}
