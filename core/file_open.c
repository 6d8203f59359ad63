/* file_open.c: openat2(2) beneath a root; the type of a file is known before it is opened. */
#include "core/file_open.h"
#include "core/file_system.h"
#include "core/file_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum {
    OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
    PROBE_FLAGS = O_PATH | O_CLOEXEC,
    /* A rename or mount anywhere in the system while the kernel goes through ".." makes openat2
     * answer EAGAIN. */
    ATTEMPTS_MAX = 16,
    /* The coarsest timestamps in use: FAT's mtime. Local file systems have the kernel's tick. */
    TIMESTAMP_STEP_S = 2,
    EXTENSION_MAX = 8,
};

/* Set once openat2(2) turned out to be refused to this process; it will not come back. */
static atomic_bool openat2_refused;

/* Likewise RESOLVE_CACHED. */
static atomic_bool cached_refused;

void file_meta_set(struct file_meta *meta, const struct stat *st)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    *meta = (struct file_meta){
        .dev = st->st_dev,
        .ino = st->st_ino,
        .size = (uint64_t)st->st_size,
        .mtime_s = st->st_mtim.tv_sec,
        .mtime_ns = (int32_t)st->st_mtim.tv_nsec,
        .ctime_s = st->st_ctim.tv_sec,
        .ctime_ns = (int32_t)st->st_ctim.tv_nsec,
        .kind = S_ISREG(st->st_mode)   ? FILE_REGULAR
                : S_ISDIR(st->st_mode) ? FILE_DIRECTORY
                                       : FILE_OTHER,
        .racy = st->st_ctim.tv_sec >= now.tv_sec - TIMESTAMP_STEP_S,
    };
}

bool file_is_unlinked(int fd)
{
    struct statx stx;

    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_NLINK, &stx) == 0 &&
           (stx.stx_mask & STATX_NLINK) != 0 && stx.stx_nlink == 0;
}

void file_meta_set_statx(struct file_meta *meta, const struct statx *stx)
{
    struct stat st = {
        .st_dev = makedev(stx->stx_dev_major, stx->stx_dev_minor),
        .st_ino = stx->stx_ino,
        .st_mode = stx->stx_mode,
        .st_size = (off_t)stx->stx_size,
        .st_mtim = { stx->stx_mtime.tv_sec, stx->stx_mtime.tv_nsec },
        .st_ctim = { stx->stx_ctime.tv_sec, stx->stx_ctime.tv_nsec },
    };

    file_meta_set(meta, &st);
}

void file_meta_judge(struct file_meta *meta, int fd)
{
    if (meta->kind == FILE_OTHER)
        return;
    enum file_system kind = file_system_of(fd, (dev_t)meta->dev);
    meta->remote = kind == FILE_SYSTEM_REMOTE;
    if (kind == FILE_SYSTEM_MADE_UP && meta->kind == FILE_REGULAR)
        meta->kind = FILE_OTHER;
}

int file_meta_look(int fd, struct file_meta *ret_meta)
{
    struct statx stx;
    struct stat st;

    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &stx) == 0)
        file_meta_set_statx(ret_meta, &stx);
    else if (fstat(fd, &st) == 0) /* a filter that knows no statx(2) */
        file_meta_set(ret_meta, &st);
    else
        return -errno;
    return 0;
}

bool file_meta_holds(int fd, struct file_meta *meta)
{
    struct file_meta before = *meta;

    if (file_meta_look(fd, meta) < 0)
        return false;
    before.racy = false;
    meta->remote = before.remote;
    return file_meta_same(&before, meta);
}

/* `resolve` holds what is asked for besides the rules. */
static void set_how(struct open_how *how, enum file_symlinks symlinks, int flags, uint64_t resolve)
{
    *how = (struct open_how){
        .flags = (unsigned)flags,
        .resolve = RESOLVE_NO_MAGICLINKS | resolve,
    };
    if (symlinks != FILE_SYMLINKS_ANY)
        how->resolve |= RESOLVE_BENEATH;
    if (symlinks == FILE_SYMLINKS_DENY || symlinks == FILE_SYMLINKS_OWNER)
        how->resolve |= RESOLVE_NO_SYMLINKS;
}

void file_open_how(enum file_open_step step, enum file_symlinks symlinks, struct open_how *ret_how)
{
    set_how(ret_how, symlinks, step == FILE_OPEN_LOOK ? PROBE_FLAGS : OPEN_FLAGS, 0);
}

/* openat2(2): a descriptor or -errno. */
static int openat2_with(int root_fd, const char *path, enum file_symlinks symlinks, int flags,
                        uint64_t resolve)
{
    struct open_how how;
    long res;

    set_how(&how, symlinks, flags, resolve);
    res = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
    return res < 0 ? -errno : (int)res;
}

static int openat2_beneath(int root_fd, const char *path, enum file_symlinks symlinks, int flags)
{
    return openat2_with(root_fd, path, symlinks, flags, 0);
}

/* Is it the system call that is refused with `error`, rather than this file? EPERM is also what a
 * virus scanner's fanotify(7) answers for a single file. */
static bool is_refusal(int error, int root_fd)
{
    int fd;

    if (error == -ENOSYS)
        return true;
    if (error != -EPERM)
        return false;
    fd = openat2_beneath(root_fd, ".", FILE_SYMLINKS_INSIDE, PROBE_FLAGS);
    if (fd >= 0)
        close(fd);
    return fd == -EPERM;
}

bool file_open_is_undecided(enum file_symlinks symlinks, int error)
{
    return error == -ENOSYS || (symlinks == FILE_SYMLINKS_INSIDE && error == -EXDEV) ||
           (symlinks == FILE_SYMLINKS_OWNER && error == -ELOOP);
}

int file_open_as(int root_fd, const char *path, const struct open_how *how)
{
    int fd = -ENOSYS;

    if (!atomic_load_explicit(&openat2_refused, memory_order_relaxed)) {
        fd = (int)syscall(SYS_openat2, root_fd, path, how, sizeof(*how));
        if (fd < 0)
            fd = -errno;
    }
    if (fd < 0 && is_refusal(fd, root_fd)) {
        atomic_store_explicit(&openat2_refused, true, memory_order_relaxed);
        fd = -ENOSYS;
    }
    return fd;
}

/* A descriptor or -errno. */
static int open_beneath(int root_fd, const char *path, enum file_symlinks symlinks, int flags)
{
    int fd = -EAGAIN;

    for (int i = 0; i < ATTEMPTS_MAX && fd == -EAGAIN; i++) {
        if (atomic_load_explicit(&openat2_refused, memory_order_relaxed))
            break;
        do
            fd = openat2_beneath(root_fd, path, symlinks, flags);
        while (fd == -EINTR);
        if (fd < 0 && is_refusal(fd, root_fd)) {
            atomic_store_explicit(&openat2_refused, true, memory_order_relaxed);
            fd = -EAGAIN;
        }
    }
    if (file_open_is_undecided(symlinks, fd))
        fd = -EAGAIN;
    /* Renames elsewhere do not disturb a walk, so it also ends a streak of EAGAIN. */
    for (int i = 0; i < ATTEMPTS_MAX && fd == -EAGAIN; i++) {
        do
            fd = file_walk(root_fd, path, symlinks, flags);
        while (fd == -EINTR);
    }
    return fd;
}

/* The path leads to another mount: likewise, if what lies there is known to be local, else
 * -EREMOTE. A descriptor that opens nothing waits for nobody. */
static int open_crossing(int root_fd, const char *path, enum file_symlinks symlinks, int flags)
{
    enum file_system kind;
    struct statx stx;
    int error = -EREMOTE;
    int fd = openat2_with(root_fd, path, symlinks, PROBE_FLAGS, RESOLVE_CACHED);

    if (fd < 0)
        return fd;
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &stx) == 0 &&
        file_system_is_known(makedev(stx.stx_dev_major, stx.stx_dev_minor), &kind) &&
        kind == FILE_SYSTEM_LOCAL)
        error = 0;
    if (error == 0 && flags == PROBE_FLAGS)
        return fd;
    close(fd);
    return error < 0 ? error : openat2_with(root_fd, path, symlinks, flags, RESOLVE_CACHED);
}

/* A descriptor, or -errno: -EAGAIN when the names are not all in memory, -EREMOTE as
 * file_open_cached() has it. One attempt: who may block makes the next. */
static int open_cached(int root_fd, const char *path, enum file_symlinks symlinks, int flags)
{
    if (atomic_load_explicit(&openat2_refused, memory_order_relaxed) ||
        atomic_load_explicit(&cached_refused, memory_order_relaxed))
        return -EAGAIN;
    int fd = openat2_with(root_fd, path, symlinks, flags, RESOLVE_CACHED | RESOLVE_NO_XDEV);
    /* EAGAIN is also what it says of a path down to another mount; EXDEV of an absolute link, where
     * "/" is another one, and of ".." (where the root must not be left, it says that of those,
     * too). */
    if (fd == -EAGAIN || (fd == -EXDEV && symlinks == FILE_SYMLINKS_ANY))
        fd = open_crossing(root_fd, path, symlinks, flags);
    if (file_open_is_undecided(symlinks, fd))
        return -EAGAIN;
    if (fd != -EINVAL && fd != -ENOSYS && fd != -EPERM && fd != -EINTR)
        return fd;
    if (fd == -EINVAL) /* an unknown flag; nothing else in these arguments is invalid */
        atomic_store_explicit(&cached_refused, true, memory_order_relaxed);
    return -EAGAIN;
}

typedef int open_function(int root_fd, const char *path, enum file_symlinks symlinks, int flags);

/* What the descriptor is open on. 0 or -errno: -EAGAIN where the cached way cannot tell. */
static int judge(open_function *open_path, int fd, struct file_meta *ret_meta)
{
    enum file_system kind;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (open_path == open_cached && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
        !file_system_is_known(st.st_dev, &kind))
        return -EAGAIN;
    file_meta_set(ret_meta, &st);
    file_meta_judge(ret_meta, fd);
    return 0;
}

static int open_by(open_function *open_path, int root_fd, const char *path,
                   enum file_symlinks symlinks, const struct file_meta *known, int *ret_fd,
                   struct file_meta *ret_meta)
{
    struct file_meta meta;
    int fd, error;

    /* Opening a FIFO wakes its writer and closing it kills that, and a device's driver does what it
     * likes: so what it is comes first, through a descriptor that opens nothing. The way without a
     * second lookup, /proc/self/fd, measured slower and needs a /proc. Somebody who swaps the file
     * in between gains an open that does not block. */
    fd = open_path(root_fd, path, symlinks, PROBE_FLAGS);
    if (fd < 0)
        return fd;
    error = judge(open_path, fd, &meta);
    close(fd);
    if (error < 0)
        return error;
    fd = -1;
    if (known != NULL && file_meta_same(known, &meta)) {
        *ret_meta = meta;
        *ret_fd = fd;
        return 1;
    }
    if (meta.kind != FILE_OTHER) {
        fd = open_path(root_fd, path, symlinks, OPEN_FLAGS);
        if (fd < 0)
            return fd;
        error = judge(open_path, fd, &meta);
        if (error < 0 || meta.kind == FILE_OTHER) {
            close(fd);
            fd = -1;
        }
        if (error < 0)
            return error;
    }
    *ret_meta = meta;
    *ret_fd = fd;
    return 0;
}

int file_open(int root_fd, const char *path, enum file_symlinks symlinks,
              const struct file_meta *known, int *ret_fd, struct file_meta *ret_meta)
{
    return open_by(open_beneath, root_fd, path, symlinks, known, ret_fd, ret_meta);
}

int file_open_cached(int root_fd, const char *path, enum file_symlinks symlinks,
                     const struct file_meta *known, int *ret_fd, struct file_meta *ret_meta)
{
    return open_by(open_cached, root_fd, path, symlinks, known, ret_fd, ret_meta);
}

bool file_open_is_plain(const char *path)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name != NULL ? name : path, '.');

    if (dot == NULL || dot == (name != NULL ? name + 1 : path))
        return false;
    size_t len = strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return len > 0 && len <= EXTENSION_MAX && dot[1 + len] == '\0';
}

int file_open_at_once(int root_fd, const char *path, enum file_symlinks symlinks, bool cached)
{
    return (cached ? open_cached : open_beneath)(root_fd, path, symlinks, OPEN_FLAGS);
}

int file_meta_of_opened(int fd, bool cached, struct file_meta *ret_meta)
{
    return judge(cached ? open_cached : open_beneath, fd, ret_meta);
}

bool file_meta_older(const struct file_meta *meta, int64_t moment_s)
{
    return meta->ctime_s < moment_s - TIMESTAMP_STEP_S;
}

int file_open_directory(int root_fd, const char *path, enum file_symlinks symlinks)
{
    return open_beneath(root_fd, path, symlinks, OPEN_FLAGS | O_DIRECTORY);
}
