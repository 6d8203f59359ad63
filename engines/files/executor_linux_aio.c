/* executor_linux_aio.c: file_jobs = linux-aio: io_submit(2) with O_DIRECT, the only way in which
 * the kernel's own AIO reads files without waiting in io_submit(2) itself: of a file that it reads
 * through the page cache, io_submit(2) returns when the octets are there (29.6 ms were measured for
 * 32 reads).
 *
 * O_DIRECT wants memory, offset and length to be aligned. Where those of a read are not, as at the
 * end of a file, its place has memory that is, from which the octets that were asked for are
 * copied. The flag is set on the descriptor that the session has open (F_SETFL), once; it is the
 * loop's own, and read in no other way. The last block of a file comes back short, as every read at
 * its end.
 *
 * RWF_NOWAIT besides: where a file system would wait after all (for its own blocks, for room in the
 * disk's queue), or has no such way (tmpfs), the read is refused, and a worker does it. Completions
 * are told by the loop's eventfd (IOCB_FLAG_RESFD). No pages are cached, and there is no
 * read-ahead: what is read twice is fetched twice. */
#include "engines/files/file_executor.h"

#include "config/config.h"
#include "core/check.h"
#include "core/log_repeat.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { KEPT = 4 }; /* places that keep their memory while nothing is in flight */

struct aio_place {
    struct iocb iocb;
    struct file_read *read; /* NULL: it is free */
    unsigned char *mem;     /* `size` octets, aligned; kept for the next read of a burst */
    size_t size;
    bool in_place; /* this read goes to its own memory, which is aligned */
};

struct aio_executor {
    struct file_executor base;
    aio_context_t context; /* 0: none any more */
    struct aio_place places[FILE_EXECUTOR_DEPTH];
    struct aio_place *free[FILE_EXECUTOR_DEPTH];
    unsigned free_count;
    struct iocb *batch[FILE_EXECUTOR_DEPTH]; /* prepared, not submitted */
    unsigned batch_count;
};

static struct aio_executor *aio_self(struct file_executor *x)
{
    return container_of(x, struct aio_executor, base);
}

static void aio_explain(const char *call, int error, unsigned count, char *why, size_t why_size)
{
    if (error == EOPNOTSUPP)
        snprintf(why, why_size,
                 "file_jobs = linux-aio: io_setup: %u operations, %u for each event loop, are more "
                 "than the sysctl fs.aio-max-nr leaves: raise it, or set file_jobs = workers",
                 count * FILE_EXECUTOR_DEPTH, (unsigned)FILE_EXECUTOR_DEPTH);
    else
        snprintf(why, why_size,
                 "file_jobs = linux-aio: %s: %s; this kernel, or a seccomp filter, has no Linux "
                 "AIO: allow io_setup, io_submit, io_getevents and io_destroy, or set file_jobs = "
                 "workers",
                 call, strerror(error));
}

/* 0 or -errno: -EOPNOTSUPP for more operations than the sysctl leaves (EAGAIN), or than the kernel
 * has numbers for (EINVAL). */
static int make_context(unsigned operations, aio_context_t *ret_context)
{
    *ret_context = 0;
    if (syscall(SYS_io_setup, operations, ret_context) == 0)
        return 0;
    return errno == EAGAIN || errno == EINVAL ? -EOPNOTSUPP : -errno;
}

/* With nothing to do. */
static int try_calls(aio_context_t context, const char **ret_call)
{
    struct io_event event;
    struct timespec now = { 0 };
    *ret_call = "io_submit";
    if (syscall(SYS_io_submit, context, 0l, NULL) < 0)
        return -errno;
    *ret_call = "io_getevents";
    return syscall(SYS_io_getevents, context, 0l, 1l, &event, &now) < 0 ? -errno : 0;
}

static int aio_probe(unsigned count, char *why, size_t why_size)
{
    aio_context_t context;
    const char *call = "io_setup";
    int res = make_context(count * FILE_EXECUTOR_DEPTH, &context);
    if (res == 0) {
        res = try_calls(context, &call);
        syscall(SYS_io_destroy, context);
    }
    if (res < 0)
        aio_explain(call, -res, count, why, why_size);
    return res;
}

/* Can the kernel write to the memory of the read itself? */
static bool is_aligned(const struct file_read *read)
{
    uintptr_t all = (uintptr_t)read->mem | (uintptr_t)read->off | read->len;
    return (all & (FILE_DIRECT_ALIGNMENT - 1)) == 0;
}

/* A burst is over: what it needed is given back. The first places are taken again first. */
static void give_back_memory(struct aio_executor *self)
{
    for (unsigned i = KEPT; i < FILE_EXECUTOR_DEPTH; i++) {
        free(self->places[i].mem);
        self->places[i].mem = NULL;
        self->places[i].size = 0;
    }
    self->free_count = 0;
    for (unsigned i = FILE_EXECUTOR_DEPTH; i > 0; i--)
        self->free[self->free_count++] = &self->places[i - 1];
}

static int aio_open(int wake_fd, char *why, size_t why_size, struct file_executor **ret_executor)
{
    struct aio_executor *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    int res = make_context(FILE_EXECUTOR_DEPTH, &self->context);
    if (res < 0) {
        aio_explain("io_setup", -res, 1, why, why_size);
        free(self);
        return res;
    }
    self->base = (struct file_executor){ .ops = &file_executor_linux_aio, .wake_fd = wake_fd };
    list_init(&self->base.waiting);
    list_init(&self->base.ended);
    give_back_memory(self); /* there is none yet */
    *ret_executor = &self->base;
    return 0;
}

static void aio_end(struct aio_executor *self, struct aio_place *place, int res)
{
    struct file_read *read = place->read;
    place->read = NULL;
    self->free[self->free_count++] = place;
    file_read_ended(&self->base, read, res);
}

/* 0 or -errno: -EINVAL where the file system has no O_DIRECT. */
static int set_direct(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || ((flags & O_DIRECT) == 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) != 0))
        return -errno;
    return 0;
}

static int have_memory(struct aio_place *place, size_t size)
{
    if (place->size >= size)
        return 0;
    free(place->mem);
    place->mem = aligned_alloc(FILE_DIRECT_ALIGNMENT, size);
    place->size = place->mem != NULL ? size : 0;
    return place->mem != NULL ? 0 : -ENOMEM;
}

static void aio_begin(struct file_executor *x, struct file_read *read)
{
    struct aio_executor *self = aio_self(x);
    CHECK(self->free_count > 0);
    struct aio_place *place = self->free[--self->free_count];
    place->read = read;
    off_t off;
    size_t len = file_direct_range(read->off, read->len, FILE_DIRECT_ALIGNMENT, &off);
    place->in_place = is_aligned(read);
    int res = set_direct(read->fd);
    if (res == -EINVAL)
        log_repeated(LOG_WARN, "O_DIRECT", EINVAL,
                     "file_jobs = linux-aio: a file system has no O_DIRECT: its files are read by "
                     "workers, by way of the page cache");
    if (res == 0 && !place->in_place)
        res = have_memory(place, len);
    if (res < 0) {
        aio_end(self, place, res);
        return;
    }
    place->iocb = (struct iocb){
        .aio_data = (uint64_t)(uintptr_t)place,
        .aio_lio_opcode = IOCB_CMD_PREAD,
        .aio_rw_flags = RWF_NOWAIT,
        .aio_fildes = (uint32_t)read->fd,
        .aio_buf = (uint64_t)(uintptr_t)(place->in_place ? read->mem : place->mem),
        .aio_nbytes = len,
        .aio_offset = off,
        .aio_flags = IOCB_FLAG_RESFD,
        .aio_resfd = (uint32_t)x->wake_fd,
    };
    self->batch[self->batch_count++] = &place->iocb;
}

/* What is refused is the first of those that are left (io_submit(2)); the rest is tried again. */
static void aio_flush(struct file_executor *x)
{
    struct aio_executor *self = aio_self(x);
    unsigned done = 0;
    while (done < self->batch_count) {
        long n = syscall(SYS_io_submit, self->context, (long)(self->batch_count - done),
                         self->batch + done);
        if (n > 0) {
            done += (unsigned)n;
            continue;
        }
        int error = n < 0 ? errno : EAGAIN;
        aio_end(self, container_of(self->batch[done++], struct aio_place, iocb), -error);
    }
    self->batch_count = 0;
}

static void aio_take(struct aio_executor *self, const struct io_event *event)
{
    struct aio_place *place = (void *)(uintptr_t)event->data;
    const struct file_read *read = place->read;
    int res = (int)event->res;
    if (res > 0 && !place->in_place) {
        off_t from = (off_t)place->iocb.aio_offset;
        size_t octets = file_direct_octets(from, (size_t)res, read->off, read->len);
        memcpy(read->mem, place->mem + (read->off - from), octets);
        res = (int)octets;
    }
    aio_end(self, place, res);
}

static void aio_collect(struct file_executor *x)
{
    struct aio_executor *self = aio_self(x);
    struct io_event events[FILE_EXECUTOR_DEPTH];
    struct timespec now = { 0 };
    if (x->in_flight == 0)
        return;
    long n = syscall(SYS_io_getevents, self->context, 0l, (long)FILE_EXECUTOR_DEPTH, events, &now);
    if (n < 0) { /* the eventfd has told, and will not tell again */
        log_fault("file_jobs = linux-aio: io_getevents", errno);
        wake_fd_wake(x->wake_fd);
    }
    for (long i = 0; i < n; i++)
        aio_take(self, &events[i]);
    if (x->in_flight == 0)
        give_back_memory(self);
}

/* io_destroy(2) waits for all that is in flight: afterwards nobody writes to the memory. What has
 * been read by then is not told. */
static void aio_stop(struct file_executor *x)
{
    struct aio_executor *self = aio_self(x);
    self->batch_count = 0;
    MUST(syscall(SYS_io_destroy, self->context) == 0);
    self->context = 0;
    for (unsigned i = 0; i < FILE_EXECUTOR_DEPTH; i++) {
        if (self->places[i].read != NULL)
            aio_end(self, &self->places[i], -ECANCELED);
    }
}

static void aio_close(struct file_executor *x)
{
    struct aio_executor *self = aio_self(x);
    if (self->context != 0)
        MUST(syscall(SYS_io_destroy, self->context) == 0);
    for (unsigned i = 0; i < FILE_EXECUTOR_DEPTH; i++)
        free(self->places[i].mem);
    free(self);
}

const struct file_executor_ops file_executor_linux_aio = {
    .name = "linux-aio",
    .cost = "O_DIRECT: every read is the disk's, nothing is cached or read ahead",
    .direct = true,
    .probe = aio_probe,
    .open = aio_open,
    .begin = aio_begin,
    .flush = aio_flush,
    .collect = aio_collect,
    .stop = aio_stop,
    .close = aio_close,
};
