/* processor.h: the asynchronous operation processor of a proactor: operations go in, completions
 * come out. Two are built in, one const table each: `io_uring`, where the kernel is the processor
 * (processor_uring.c), and `epoll`, which makes completions out of readiness, as Boost.Asio does on
 * Linux (processor_epoll.c). Who uses one cannot tell which it is.
 *
 * One thread uses a processor; it may be made in another one (processor_enable()). */
#ifndef ENGINES_PROACTOR_PROCESSOR_H
#define ENGINES_PROACTOR_PROCESSOR_H

#include "config/config.h"
#include "engines/proactor/operation.h"

#include <stdbool.h>
#include <stddef.h>

struct processor;

/* Sizes and abilities, as probe() finds them; tests make small ones. */
struct processor_options {
    unsigned entries;     /* operations begun and not yet given to the kernel, or, emulated, done
                             and not yet taken */
    unsigned completions; /* io_uring: before the kernel has to keep them apart (overflow) */
    unsigned buffers;     /* provided for receives; a power of two; 0: there are none */
    unsigned buffer_size; /* octets */
    bool recv_multishot;  /* a receive can last (io_uring: Linux 6.0) */
    bool
        single_issuer; /* io_uring: SINGLE_ISSUER and DEFER_TASKRUN: completions are posted when
                          this thread waits, without an interrupt (6.1). Else COOP_TASKRUN (5.19) */
    bool min_wait;     /* a wait can stay for several completions (io_uring: Linux 6.12) */
    bool no_iowait; /* io_uring: a thread that waits does not count as waiting for a disk (6.15) */
};

/* Completions that a wait may stay for when there is one already. */
struct processor_batch {
    unsigned count;       /* as many; 1 or less: one is enough */
    unsigned patience_us; /* no longer than this after it began; then what is there is enough */
};

#define PROCESSOR_BATCH_NONE ((struct processor_batch){ 0 })

struct processor_ops {
    const char *name;      /* as in `processor = NAME` */
    const char *wait_call; /* the system call in which wait() sleeps, for the error log */

    /* Will this kernel and its limits run it? 0 and the options that make best use of it, or -errno
     * and one sentence: what refuses, and what to do. */
    int (*probe)(char *why, size_t why_size, struct processor_options *ret_options);

    /* Which of its means it has by `options`: one line, without a full stop. */
    void (*features)(const struct processor_options *options, char *text, size_t size);

    /* Makes one, of which operations wait on at most `descriptors_max` descriptors at a time. 0, or
     * -errno and a sentence. The caller owns it. */
    int (*open)(const struct processor_options *options, size_t descriptors_max, char *why,
                size_t why_size, struct processor **ret_processor);

    /* The calling thread is the one that will use it. 0 or -errno. */
    int (*enable)(struct processor *processor);

    /* Begins an operation, `token` (not NULL) names it. At most one that waits for `fd` to be read
     * (ACCEPT, RECV) and one POLL at a time on a descriptor. False: there is no place now; to be
     * tried again after the next wait. Its completion comes with a take() that follows a wait(). */
    bool (*begin)(struct processor *processor, const struct operation *operation, void *token);

    /* Asks the operation `token` on `fd` to end early; its last completion comes in any case: with
     * -ECANCELED, or with what it came to otherwise. One that a disk has to end ends by itself.
     * False: as begin(). */
    bool (*cancel)(struct processor *processor, int fd, void *token);

    /* `fd` is about to be closed by the caller. None of its operations is in flight, but those
     * whose cancellation has been begun. Optional. */
    void (*forget)(struct processor *processor, int fd);

    /* The same for a descriptor whose socket goes on to live in another process: closing it does
     * not end what the kernel tells of it. Optional. */
    void (*leave)(struct processor *processor, int fd);

    /* Has done what was begun, and waits for a completion: `timeout_ms` at most, -1 for ever, 0 not
     * at all. Those of `batch` are a hint, which one without `min_wait` does not heed. 0, also for
     * a signal, or -errno: nothing can be awaited any more. */
    int (*wait)(struct processor *processor, int timeout_ms, struct processor_batch batch);

    /* Takes at most `max` completions; their number. Those of one operation come in order. */
    unsigned (*take)(struct processor *processor, struct completion *completions, unsigned max);

    /* Takes back the buffer `id` that a completion has named, once. */
    void (*give_back)(struct processor *processor, unsigned id);

    /* Frees it. Nothing may be in flight. NULL is allowed. */
    void (*close)(struct processor *processor);
};

/* The beginning of each of them. */
struct processor {
    const struct processor_ops *ops;
    struct processor_options options;
    unsigned char *buffers; /* options.buffers * options.buffer_size octets */
};

extern const struct processor_ops processor_uring;
extern const struct processor_ops processor_epoll;

/* The one that the configuration chooses. */
static inline const struct processor_ops *processor_find(enum processor_kind kind)
{
    return kind == PROCESSOR_EPOLL ? &processor_epoll : &processor_uring;
}

/* The octets of provided buffer `id`: the processor's, and poisoned (poison.h), but between a
 * completion that names it and processor_give_back(). */
static inline unsigned char *processor_buffer(const struct processor *processor, unsigned id)
{
    return processor->buffers + (size_t)id * processor->options.buffer_size;
}

/* The calls of the table, which see. */
static inline int processor_enable(struct processor *processor)
{
    return processor->ops->enable(processor);
}

static inline bool processor_begin(struct processor *processor, const struct operation *operation,
                                   void *token)
{
    return processor->ops->begin(processor, operation, token);
}

static inline bool processor_cancel(struct processor *processor, int fd, void *token)
{
    return processor->ops->cancel(processor, fd, token);
}

static inline void processor_leave(struct processor *processor, int fd)
{
    if (processor->ops->leave != NULL)
        processor->ops->leave(processor, fd);
}

static inline void processor_forget(struct processor *processor, int fd)
{
    if (processor->ops->forget != NULL)
        processor->ops->forget(processor, fd);
}

static inline int processor_wait_batch(struct processor *processor, int timeout_ms,
                                       struct processor_batch batch)
{
    return processor->ops->wait(processor, timeout_ms, batch);
}

static inline int processor_wait(struct processor *processor, int timeout_ms)
{
    return processor_wait_batch(processor, timeout_ms, PROCESSOR_BATCH_NONE);
}

static inline unsigned processor_take(struct processor *processor, struct completion *completions,
                                      unsigned max)
{
    return processor->ops->take(processor, completions, max);
}

static inline void processor_give_back(struct processor *processor, unsigned id)
{
    processor->ops->give_back(processor, id);
}

static inline void processor_close(struct processor *processor)
{
    if (processor != NULL)
        processor->ops->close(processor);
}

#endif
