/* file_executor.h: who reads files for an event loop, so that the loop need not wait for a disk:
 * POSIX AIO, Linux AIO, or an io_uring beside the loop. One const table a file; file_executor.c
 * lists them, and has the queue that they share.
 *
 * Reads go in, and come back read or refused. An executor only reads descriptors that are open
 * already: none of the three can list a directory or judge a document root, and two cannot open. So
 * a loop with an executor has workers, too, which do all that, and what an executor refuses.
 *
 * At most FILE_EXECUTOR_DEPTH reads are in flight; the others wait in a list, which is as long as
 * there are callers (a loop submits one read a connection). One thread, the owner, uses an
 * executor; it may be made in another one (file_executor_start()). */
#ifndef ENGINES_FILES_FILE_EXECUTOR_H
#define ENGINES_FILES_FILE_EXECUTOR_H

#include "config/config.h"
#include "core/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    FILE_EXECUTOR_DEPTH = 32,      /* reads in flight at most, of one executor */
    FILE_EXECUTOR_PIECE = 1 << 17, /* octets of one read that goes only to the page cache */
    FILE_EXECUTOR_LOOK_MS = 100,   /* how often one that may miss an end is looked at */
};

/* A read; embedded in the caller's object. Lent from file_executor_submit() until it comes back by
 * file_executor_collect() or file_executor_stop(). */
struct file_read {
    struct list link; /* the executor's while it is lent, then the collector's */
    int fd;           /* borrowed */
    off_t off;
    size_t len;
    void *mem; /* borrowed, `len` octets; NULL: nobody wants them, they are to be in the page cache
                  afterwards (never with ops->direct) */
    int res;   /* out: octets, 0 at the end of the file, or -errno */
    bool refused; /* out: nothing was read, and `res` says why: whoever may block tries it again, by
                     file_read_run() where the octets are wanted */
    size_t warmed; /* the executor's: of a read without `mem`, octets that are in the cache */
};

struct file_executor;

struct file_executor_ops {
    const char *name; /* as in `file_jobs = NAME` */
    const char *cost; /* what it does and costs, in one line, for doctor */
    bool direct;      /* passes the page cache by (O_DIRECT): every read is to be submitted, and no
                         file is sent from the cache */
    bool looks;       /* its owner may miss the end of a read, and has to look from time to time */
    bool duplicates;  /* each read in flight takes a descriptor */

    /* Will this kernel and its limits run `count` of them? 0, or -errno and a sentence: what
     * refuses, and what to do. */
    int (*probe)(unsigned count, char *why, size_t why_size);

    /* Makes one, which tells of results by the eventfd(2) `wake_fd` (borrowed). 0, or -errno and a
     * sentence. */
    int (*open)(int wake_fd, char *why, size_t why_size, struct file_executor **ret_executor);

    /* The calling thread is the owner. 0 or -errno. Optional. */
    int (*start)(struct file_executor *x);

    /* Prepares a read of `len` octets at `off` of read->fd (see file_read_next()); there is a place
     * for it. */
    void (*begin)(struct file_executor *x, struct file_read *read);

    /* Hands over what was prepared. Reads that are refused here are reported at once. */
    void (*flush)(struct file_executor *x);

    /* Reports each read that has ended, by file_read_ended(). Never blocks. */
    void (*collect)(struct file_executor *x);

    /* Waits until the kernel, or the C library, has nothing more of this executor, and reports what
     * was in flight. */
    void (*stop)(struct file_executor *x);

    /* Frees it; nothing is in flight. */
    void (*close)(struct file_executor *x);
};

extern const struct file_executor_ops file_executor_posix_aio;
extern const struct file_executor_ops file_executor_linux_aio;
extern const struct file_executor_ops file_executor_uring;

/* The beginning of each of them. */
struct file_executor {
    const struct file_executor_ops *ops;
    int wake_fd;
    struct list waiting; /* reads that were not begun */
    struct list ended;   /* reads to be collected */
    unsigned in_flight;
};

/* The executor of a kind of file_jobs; NULL: it has none. */
const struct file_executor_ops *file_executor_of(enum file_jobs kind);

/* Executor `index`; NULL behind the last. */
const struct file_executor_ops *file_executor_at(size_t index);

/* Does the configuration choose one that passes the page cache by? */
bool file_executor_is_direct(const struct config *config);

/* Can the executor that the configuration chooses, if any, run here, for each of its event loops?
 * 0, or -errno and a sentence. */
int file_executor_probe(const struct config *config, char *why, size_t why_size);

static inline int file_executor_start(struct file_executor *x)
{
    return x->ops->start != NULL ? x->ops->start(x) : 0;
}

/* Takes a read, whose Out members are set when it comes back. It is begun by the next
 * file_executor_flush(), or when others have ended. */
void file_executor_submit(struct file_executor *x, struct file_read *read);

/* Begins what was submitted. Once a turn of the loop; costs two comparisons when there is nothing.
 */
void file_executor_flush(struct file_executor *x);

/* Moves the reads that have ended to the end of `done` (links of struct file_read). After the
 * eventfd has told, or at any time. */
void file_executor_collect(struct file_executor *x, struct list *done);

/* How long the owner may wait without another file_executor_flush(), in milliseconds; -1: for ever.
 */
static inline int file_executor_timeout_ms(const struct file_executor *x)
{
    return x->ops->looks && x->in_flight > 0 ? FILE_EXECUTOR_LOOK_MS : -1;
}

/* Waits for what is in flight, and moves all reads that are lent to the end of `back`. */
void file_executor_stop(struct file_executor *x, struct list *back);

/* Frees it; stopped, or nothing was ever submitted. NULL is allowed. */
void file_executor_close(struct file_executor *x);

/* Executes a refused read, blocking: into its `mem`, whatever O_DIRECT of its descriptor demands of
 * memory and offsets. Thread-safe (different reads). */
void file_read_run(struct file_read *read);

/* ---- for the files of the executors ---- */

/* What of the read is to be done next: `*ret_off`, and so many octets. */
static inline size_t file_read_next(const struct file_read *read, off_t *ret_off)
{
    *ret_off = read->off + (off_t)read->warmed;
    if (read->mem != NULL)
        return read->len;
    size_t left = read->len - read->warmed;
    return left < FILE_EXECUTOR_PIECE ? left : FILE_EXECUTOR_PIECE;
}

/* A read that was begun has ended with `res`: octets, or -errno, which means that it is refused. */
void file_read_ended(struct file_executor *x, struct file_read *read, int res);

enum {
    FILE_DIRECT_ALIGNMENT = 4096, /* open(2), O_DIRECT: a multiple of the logical block size; where
                                     that is larger, the kernel refuses (EINVAL) */
    FILE_DIRECT_ALIGNMENT_MAX = 1 << 16 /* no block is larger */
};

/* The range that O_DIRECT reads for a range of a file: from `*ret_off` on; its octets. */
static inline size_t file_direct_range(off_t off, size_t len, size_t alignment, off_t *ret_off)
{
    off_t mask = (off_t)alignment - 1;
    *ret_off = off & ~mask;
    return (size_t)(((off + (off_t)len + mask) & ~mask) - *ret_off);
}

/* Of a direct read of `from` on that came to `res` octets: how many of them belong to the range. */
static inline size_t file_direct_octets(off_t from, size_t res, off_t off, size_t len)
{
    size_t before = (size_t)(off - from);
    size_t got = res > before ? res - before : 0;
    return got < len ? got : len;
}

#endif
