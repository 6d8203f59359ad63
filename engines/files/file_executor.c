/* file_executor.c: lists the executors, and keeps what is common to them: the reads that wait for a
 * place, those that have ended, and the blocking way of a read that was refused. */
#include "engines/files/file_executor.h"

#include "core/check.h"
#include "core/cpus.h"
#include "engines/wake_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    enum file_jobs kind;
    const struct file_executor_ops *ops;
} executors[] = {
    { FILE_JOBS_POSIX_AIO, &file_executor_posix_aio },
    { FILE_JOBS_LINUX_AIO, &file_executor_linux_aio },
    { FILE_JOBS_IO_URING, &file_executor_uring },
};

const struct file_executor_ops *file_executor_of(enum file_jobs kind)
{
    for (size_t i = 0; i < ARRAY_LEN(executors); i++) {
        if (executors[i].kind == kind)
            return executors[i].ops;
    }
    return NULL;
}

const struct file_executor_ops *file_executor_at(size_t index)
{
    return index < ARRAY_LEN(executors) ? executors[index].ops : NULL;
}

bool file_executor_is_direct(const struct config *config)
{
    const struct file_executor_ops *ops = file_executor_of(config->file_jobs);
    return ops != NULL && ops->direct;
}

int file_executor_probe(const struct config *config, char *why, size_t why_size)
{
    const struct file_executor_ops *ops = file_executor_of(config->file_jobs);
    return ops != NULL ? ops->probe(cpus_threads(config->threads), why, why_size) : 0;
}

void file_executor_submit(struct file_executor *x, struct file_read *read)
{
    CHECK(read->len > 0 && (read->mem != NULL || !x->ops->direct));
    read->res = -EINPROGRESS;
    read->refused = false;
    read->warmed = 0;
    list_push_back(&x->waiting, &read->link);
}

void file_executor_flush(struct file_executor *x)
{
    if (list_empty(&x->waiting) && x->in_flight == 0)
        return;
    while (!list_empty(&x->waiting) && x->in_flight < FILE_EXECUTOR_DEPTH) {
        struct file_read *read = container_of(x->waiting.next, struct file_read, link);
        list_remove(&read->link);
        x->in_flight++;
        x->ops->begin(x, read);
    }
    x->ops->flush(x);
    if (!list_empty(&x->ended)) /* refused at once: to be collected in the next turn */
        wake_fd_wake(x->wake_fd);
}

void file_read_ended(struct file_executor *x, struct file_read *read, int res)
{
    CHECK(x->in_flight > 0);
    x->in_flight--;
    if (read->mem == NULL && res > 0) {
        read->warmed += (size_t)res;
        if (read->warmed < read->len) {
            list_push_front(&x->waiting, &read->link);
            return;
        }
    }
    read->res = res;
    read->refused = res < 0;
    list_push_back(&x->ended, &read->link);
}

void file_executor_collect(struct file_executor *x, struct list *done)
{
    x->ops->collect(x);
    list_splice_back(done, &x->ended);
}

void file_executor_stop(struct file_executor *x, struct list *back)
{
    x->ops->stop(x);
    CHECK(x->in_flight == 0);
    list_splice_back(back, &x->ended);
    list_splice_back(back, &x->waiting);
}

void file_executor_close(struct file_executor *x)
{
    if (x == NULL)
        return;
    CHECK(x->in_flight == 0 && list_empty(&x->waiting) && list_empty(&x->ended));
    x->ops->close(x);
}

/* pread(2), again on EINTR: octets or -errno. */
static ssize_t read_at(int fd, void *mem, size_t len, off_t off)
{
    ssize_t n;
    do
        n = pread(fd, mem, len, off);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* By memory that is aligned. Octets or -errno. */
static ssize_t read_direct(const struct file_read *read, size_t alignment)
{
    off_t from;
    size_t len = file_direct_range(read->off, read->len, alignment, &from);
    unsigned char *mem = aligned_alloc(alignment, len);
    if (mem == NULL)
        return -ENOMEM;
    ssize_t n = read_at(read->fd, mem, len, from);
    if (n > 0) {
        size_t octets = file_direct_octets(from, (size_t)n, read->off, read->len);
        memcpy(read->mem, mem + (read->off - from), octets);
        n = (ssize_t)octets;
    }
    free(mem);
    return n;
}

void file_read_run(struct file_read *read)
{
    CHECK(read->mem != NULL);
    int flags = fcntl(read->fd, F_GETFL);
    ssize_t n;
    if (flags < 0 || (flags & O_DIRECT) == 0) {
        n = read_at(read->fd, read->mem, read->len, read->off);
    } else {
        n = read_direct(read, FILE_DIRECT_ALIGNMENT);
        if (n == -EINVAL)
            n = read_direct(read, FILE_DIRECT_ALIGNMENT_MAX);
    }
    read->res = (int)n;
    read->refused = false;
}
