/* file_root.c: the directory that the path of a document root leads to now. See file_root.h. */
#include "core/file_root.h"
#include "core/file_system.h"
#include "core/mount_number.h"
#include "core/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Which directory `fd` is, without asking a server for what a network file system has cached;
 * `cached`: without asking for the kind of file system, either. 0 or -errno. */
static int identify(int fd, bool cached, struct file_root_id *ret_id)
{
    enum file_system kind;
    struct statx stx;

    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_MNT_ID | STATX_BTIME,
              &stx) != 0)
        return -errno;
    dev_t dev = makedev(stx.stx_dev_major, stx.stx_dev_minor);
    if (!file_system_is_known(dev, &kind)) {
        if (cached)
            return -EAGAIN;
        kind = file_system_of(fd, dev);
    }
    bool born = (stx.stx_mask & STATX_BTIME) != 0;
    *ret_id = (struct file_root_id){
        .dev = dev,
        .ino = stx.stx_ino,
        .mount = mount_number(&stx),
        .born_s = born ? stx.stx_btime.tv_sec : 0,
        .born_ns = born ? stx.stx_btime.tv_nsec : 0,
        .remote = kind == FILE_SYSTEM_REMOTE,
    };
    return 0;
}

static int identify_or_close(int fd, bool cached, int *ret_fd, struct file_root_id *ret_id)
{
    int error = identify(fd, cached, ret_id);

    if (error < 0) {
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

int file_root_open(const char *path, bool guarded, int *ret_fd, struct file_root_id *ret_id,
                   const char **ret_what)
{
    struct safe_file folder;

    int error = guarded ? safe_open_guarded(path, &folder, ret_what)
                        : safe_open(SAFE_FOLDER, path, 0, &folder, ret_what);
    return error < 0 ? error : identify_or_close(folder.fd, false, ret_fd, ret_id);
}

int file_root_open_cached(const char *path, int *ret_fd, struct file_root_id *ret_id)
{
#ifdef RESOLVE_CACHED
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_CACHED };
    long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

    if (fd >= 0)
        return identify_or_close((int)fd, true, ret_fd, ret_id);
    /* Refused by a filter, or unknown, or a signal: who may block finds out. */
    return errno == ENOSYS || errno == EPERM || errno == EINVAL || errno == EINTR ? -EAGAIN
                                                                                  : -errno;
#else
    (void)path, (void)ret_fd, (void)ret_id;
    return -EAGAIN;
#endif
}

bool file_root_same(const struct file_root_id *a, const struct file_root_id *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->mount == b->mount && a->born_s == b->born_s &&
           a->born_ns == b->born_ns;
}
