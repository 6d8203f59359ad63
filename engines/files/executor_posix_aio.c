/* executor_posix_aio.c: file_jobs = posix-aio: aio_read(3) of the C library (aio(7)).
 *
 * The kernel knows nothing of it: glibc has threads (20 of a process at most) that call pread(2).
 * Requests for one descriptor follow one another there, so each read gets a duplicate of its own;
 * else all clients of one file would wait for one another.
 *
 * Of the three ways to hear of an end, this takes the signal: its handler writes to the eventfd of
 * the loop. SIGEV_THREAD makes a thread for each end, and aio_suspend(3) occupies one. A signal may
 * not find room (RLIMIT_SIGPENDING): glibc then reports the read itself as failed with EAGAIN, and
 * nobody hears of it; so whoever has reads in flight looks at them ten times a second. */
#include "engines/files/file_executor.h"

#include "config/config.h"
#include "core/check.h"
#include "engines/wake_fd.h"

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SIGNAL_BEHIND = 4,     /* SIGRTMIN + that; one more than demultiplexer = sigio takes */
    LATE_SIGNALS_MS = 1000 /* how long the end waits for signals that are still on their way */
};

/* What a signal's handler sees: it stays until all signals have come. */
struct notifier {
    int fd; /* a duplicate of the wake-up */
    atomic_uint heard;
};

struct posix_place {
    struct aiocb control;   /* `aio_sigevent` is written once: glibc may look at it late */
    struct file_read *read; /* NULL: it is free */
    int duplicate;          /* -1: none was to be had */
};

struct posix_executor {
    struct file_executor base;
    struct notifier *notifier;
    unsigned begun;         /* signals that are to come, or came; wraps, as `heard` does */
    unsigned char *scratch; /* FILE_EXECUTOR_PIECE octets that nobody wants, of all places */
    struct posix_place places[FILE_EXECUTOR_DEPTH];
    struct posix_place *free[FILE_EXECUTOR_DEPTH];
    unsigned free_count;
};

static struct posix_executor *posix_self(struct file_executor *x)
{
    return container_of(x, struct posix_executor, base);
}

static void hear(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (info->si_code != SI_ASYNCIO) /* somebody else's kill(2) */
        return;
    struct notifier *notifier = info->si_value.sival_ptr;
    wake_fd_wake(notifier->fd);
    atomic_fetch_add_explicit(&notifier->heard, 1, memory_order_release);
}

static int signal_number(void)
{
    return SIGRTMIN + SIGNAL_BEHIND;
}

static int posix_probe(unsigned count, char *why, size_t why_size)
{
    (void)count;
    (void)why;
    (void)why_size;
    return 0; /* it is threads and pread(2) */
}

static void posix_aio_close(struct file_executor *x)
{
    struct posix_executor *self = posix_self(x);
    if (self->notifier != NULL)
        close(self->notifier->fd);
    free(self->notifier);
    free(self->scratch);
    free(self);
}

static struct notifier *make_notifier(int wake_fd)
{
    struct notifier *notifier = calloc(1, sizeof(*notifier));
    if (notifier == NULL)
        return NULL;
    notifier->fd = fcntl(wake_fd, F_DUPFD_CLOEXEC, 0);
    if (notifier->fd >= 0)
        return notifier;
    int error = errno;
    free(notifier);
    errno = error;
    return NULL;
}

static void init_place(struct posix_executor *self, struct posix_place *place)
{
    place->control.aio_sigevent = (struct sigevent){
        .sigev_notify = SIGEV_SIGNAL,
        .sigev_signo = signal_number(),
        .sigev_value.sival_ptr = self->notifier,
    };
    place->duplicate = -1;
    self->free[self->free_count++] = place;
}

static int posix_open(int wake_fd, char *why, size_t why_size, struct file_executor **ret_executor)
{
    struct sigaction action = { .sa_sigaction = hear, .sa_flags = SA_SIGINFO | SA_RESTART };
    struct posix_executor *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    self->base = (struct file_executor){ .ops = &file_executor_posix_aio, .wake_fd = wake_fd };
    list_init(&self->base.waiting);
    list_init(&self->base.ended);
    self->scratch = malloc(FILE_EXECUTOR_PIECE);
    self->notifier = make_notifier(wake_fd);
    if (self->scratch == NULL || self->notifier == NULL) {
        int error = self->scratch == NULL ? ENOMEM : errno;
        snprintf(why, why_size, "file_jobs = posix-aio cannot be set up: %s", strerror(error));
        posix_aio_close(&self->base);
        return -error;
    }
    sigfillset(&action.sa_mask);
    MUST(sigaction(signal_number(), &action, NULL) == 0);
    for (unsigned i = 0; i < FILE_EXECUTOR_DEPTH; i++)
        init_place(self, &self->places[i]);
    *ret_executor = &self->base;
    return 0;
}

static void posix_end(struct posix_executor *self, struct posix_place *place, int res)
{
    struct file_read *read = place->read;
    if (place->duplicate >= 0)
        close(place->duplicate);
    place->duplicate = -1;
    place->read = NULL;
    self->free[self->free_count++] = place;
    file_read_ended(&self->base, read, res);
}

static void posix_begin(struct file_executor *x, struct file_read *read)
{
    struct posix_executor *self = posix_self(x);
    CHECK(self->free_count > 0);
    struct posix_place *place = self->free[--self->free_count];
    struct aiocb *control = &place->control;
    off_t off;
    place->read = read;
    place->duplicate = fcntl(read->fd, F_DUPFD_CLOEXEC, 0);
    control->aio_nbytes = file_read_next(read, &off);
    control->aio_offset = off;
    control->aio_fildes = place->duplicate >= 0 ? place->duplicate : read->fd;
    control->aio_buf = read->mem != NULL ? read->mem : self->scratch;
    self->begun++;
    if (aio_read(control) == 0)
        return;
    self->begun--;
    posix_end(self, place, -errno); /* EAGAIN: no memory, or no thread */
}

/* Has it ended? `*ret_res` is octets or -errno. glibc tells of the end and sends the signal under
 * its lock, which aio_suspend(3) takes as well: afterwards nobody looks at the block any more. */
static bool has_ended(struct posix_place *place, int *ret_res)
{
    const struct aiocb *const list[] = { &place->control };
    const struct timespec now = { 0 };
    if (aio_error(&place->control) == EINPROGRESS)
        return false;
    (void)aio_suspend(list, 1, &now);
    int error = aio_error(&place->control);
    ssize_t n = aio_return(&place->control);
    *ret_res = error != 0 ? -error : (int)n;
    return true;
}

static void posix_collect(struct file_executor *x)
{
    struct posix_executor *self = posix_self(x);
    int res;
    for (unsigned i = 0; i < FILE_EXECUTOR_DEPTH && x->in_flight > 0; i++) {
        if (self->places[i].read != NULL && has_ended(&self->places[i], &res))
            posix_end(self, &self->places[i], res);
    }
}

/* Each was handed over when it was begun; this looks for ends that no signal has told of. */
static void posix_flush(struct file_executor *x)
{
    struct posix_executor *self = posix_self(x);
    for (unsigned i = 0; i < FILE_EXECUTOR_DEPTH && x->in_flight > 0; i++) {
        if (self->places[i].read != NULL && aio_error(&self->places[i].control) != EINPROGRESS) {
            wake_fd_wake(x->wake_fd);
            return;
        }
    }
}

/* No signal is on its way any more, but those that were lost. */
static bool await_signals(const struct posix_executor *self)
{
    const struct timespec pause = { .tv_nsec = 1000000 };
    for (int i = 0; i < LATE_SIGNALS_MS; i++) {
        if (atomic_load_explicit(&self->notifier->heard, memory_order_acquire) == self->begun)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* What has not begun is cancelled; a read of a disk ends by itself. */
static void posix_stop(struct file_executor *x)
{
    struct posix_executor *self = posix_self(x);
    for (unsigned i = 0; i < FILE_EXECUTOR_DEPTH; i++) {
        struct posix_place *place = &self->places[i];
        const struct aiocb *const list[] = { &place->control };
        int res;
        if (place->read == NULL)
            continue;
        (void)aio_cancel(place->control.aio_fildes, &place->control);
        while (!has_ended(place, &res))
            (void)aio_suspend(list, 1, NULL);
        posix_end(self, place, res);
    }
    if (!await_signals(self))
        self->notifier = NULL; /* one may still come: what it looks at stays, as the process ends */
}

const struct file_executor_ops file_executor_posix_aio = {
    .name = "posix-aio",
    .cost = "the C library's own threads, 20 at most; a signal for each read",
    .looks = true,
    .duplicates = true,
    .probe = posix_probe,
    .open = posix_open,
    .begin = posix_begin,
    .flush = posix_flush,
    .collect = posix_collect,
    .stop = posix_stop,
    .close = posix_aio_close,
};
