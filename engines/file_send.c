/* file_send.c: see file_send.h. */
#include "engines/file_send.h"

#include "core/check.h"
#include "core/fd_path.h"
#include "core/log.h"
#include "core/stats.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DEVICES_MAX = 16,     /* file systems that are remembered; those beyond are asked each time */
    PIECE_SIZE = 1 << 16, /* octets read and sent at once */
};

/* What turned out to be refused; it will not come back. Devices are only ever added, and counted
 * when they are there. */
static struct {
    atomic_bool everywhere;
    atomic_uint count;
    _Atomic uint64_t devices[DEVICES_MAX];
} refused[FILE_SEND_WAYS];

static const char *const way_names[] = { "sendfile(2)", "splice(2)" };
static const char *const instead[] = { "are read and sent", "are sent by sendfile" };

static bool is_remembered(enum file_send_way way, uint64_t device)
{
    unsigned count = atomic_load_explicit(&refused[way].count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        if (atomic_load_explicit(&refused[way].devices[i], memory_order_relaxed) == device)
            return true;
    return false;
}

bool file_send_refused(enum file_send_way way, int file_fd)
{
    uint64_t device;
    if (atomic_load_explicit(&refused[way].everywhere, memory_order_relaxed))
        return true;
    return atomic_load_explicit(&refused[way].count, memory_order_relaxed) > 0 &&
           fd_device(file_fd, &device) == 0 && is_remembered(way, device);
}

/* True: it is new. */
static bool remember_device(enum file_send_way way, uint64_t device)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    MUST(pthread_mutex_lock(&mutex) == 0);
    unsigned count = atomic_load(&refused[way].count);
    bool is_new = count < DEVICES_MAX && !is_remembered(way, device);
    if (is_new) {
        atomic_store(&refused[way].devices[count], device);
        atomic_store_explicit(&refused[way].count, count + 1, memory_order_release);
    }
    MUST(pthread_mutex_unlock(&mutex) == 0);
    return is_new;
}

/* Whom does an error of a way concern? */
enum extent { EXTENT_ONCE, EXTENT_DEVICE, EXTENT_PROCESS };

static enum extent extent_of(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
    case ENOSYS:
        return EXTENT_PROCESS;
    case EINVAL:
    case EOPNOTSUPP:
        return EXTENT_DEVICE;
    default:
        return EXTENT_ONCE;
    }
}

bool file_send_refuse(enum file_send_way way, int file_fd, int error)
{
    char path[FD_PATH_MAX];
    uint64_t device;
    switch (extent_of(error)) {
    case EXTENT_PROCESS:
        if (!atomic_exchange(&refused[way].everywhere, true))
            log_warn(
                "%s is refused: %s (a seccomp filter of the container?); files %s from now on, "
                "which takes more CPU time",
                way_names[way], strerror(error), instead[way]);
        return true;
    case EXTENT_DEVICE:
        if (fd_device(file_fd, &device) == 0 && remember_device(way, device))
            log_warn(
                "%s is not to be had from the file system of %s: %s; its files %s from now on, "
                "which takes more CPU time",
                way_names[way], fd_path(file_fd, path), strerror(error), instead[way]);
        return true;
    case EXTENT_ONCE:
        return false;
    }
    UNREACHABLE();
}

/* What the socket does not take is read again when it has room: no memory is kept meanwhile. */
static ssize_t send_by_reading(int socket_fd, const struct send_plan *plan, size_t len,
                               bool *ret_full)
{
    char octets[PIECE_SIZE];
    ssize_t n =
        pread(plan->file_fd, octets, len < sizeof(octets) ? len : sizeof(octets), plan->file_off);
    if (n <= 0)
        return n < 0 ? -errno : 0;
    bool more = (size_t)n < plan->file_len || plan->more;
    ssize_t sent =
        send(socket_fd, octets, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
    int error = sent < 0 ? errno : 0;
    *ret_full = error == EAGAIN || (sent >= 0 && sent < n);
    return sent < 0 ? -error : sent;
}

ssize_t file_send(int socket_fd, const struct send_plan *plan, size_t len, bool *ret_full)
{
    CHECK(plan->file_fd >= 0 && len > 0 && len <= plan->file_len);
    *ret_full = false;
    if (file_send_refused(FILE_SEND_SENDFILE, plan->file_fd))
        return send_by_reading(socket_fd, plan, len, ret_full);
    off_t off = plan->file_off;
    stats_count(STATS_CALL_SENDFILE);
    ssize_t n = sendfile(socket_fd, plan->file_fd, &off, len);
    if (n >= 0)
        return n;
    int error = errno;
    *ret_full = error == EAGAIN;
    if (extent_of(error) == EXTENT_ONCE)
        return -error;
    /* The way, or the file? A scanner may forbid a single file (fanotify(7): EPERM), and forbids
     * reading it, too. */
    n = send_by_reading(socket_fd, plan, len, ret_full);
    if (n >= 0 || n == -EAGAIN)
        (void)file_send_refuse(FILE_SEND_SENDFILE, plan->file_fd, error);
    return n;
}
