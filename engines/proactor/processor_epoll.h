/* processor_epoll.h: what the files of the processor `epoll` share. Nobody else includes it.
 *
 * processor_epoll.c        the table; epoll(7), and what is known of a descriptor
 * processor_epoll_wait.c   operations that wait for a descriptor, carried out when it is ready
 * processor_epoll_jobs.c   operations that may take as long as a disk, carried out by threads */
#ifndef ENGINES_PROACTOR_PROCESSOR_EPOLL_H
#define ENGINES_PROACTOR_PROCESSOR_EPOLL_H

#include "core/check.h"
#include "core/list.h"
#include "core/pool.h"
#include "engines/proactor/processor.h"
#include "engines/workers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    EMULATED_RESULTS = 512, /* completions of what was done at once, and not taken yet */
    EMULATED_BUFFERS = 256, /* provided for receives */
    EMULATED_BUFFER_SIZE = 4096,
    EMULATED_EVENTS_MAX = 256, /* taken from epoll at once */
    EMULATED_ACCEPTS_MAX = 16, /* connections of a listener at once, then others */
    EMULATED_THREADS = 4,      /* for what may block; as many as io_uring has for each CPU */
    EMULATED_SHORT_MS = 10,    /* how long to wait when memory has run out */
};

/* A descriptor that operations wait for, or have waited for. */
struct emulated_descriptor {
    struct list ready; /* in emulated.ready while one of the operations can go on */
    void *token;       /* of the ACCEPT or RECV that waits; NULL: none */
    void *poll_token;  /* of the POLL that waits; NULL: none */
    int fd;
    uint32_t poll_events; /* of poll(2), which epoll's are, too */
    uint32_t told;        /* the events of epoll that have come since the POLL's last completion */
    uint8_t kind;         /* enum operation_kind of `token` */
    bool lasting, poll_lasting;
    bool registered; /* with epoll, once and for all, for every edge */
    bool readable;   /* as far as is known: a receive, or an accept, is worth a try */
    bool ended;      /* no edge will announce what is still to be received */
    bool listens;    /* others may have the socket: closing it does not deregister it */
};

struct emulated {
    struct processor base;
    int epoll_fd;
    struct emulated_descriptor **descriptors; /* by number; NULL: nothing is known. Owned */
    size_t descriptors_size;
    struct pool *pool;          /* of struct emulated_descriptor */
    struct list ready;          /* descriptors */
    struct completion *results; /* a ring of options.entries */
    unsigned results_first, results_count;
    unsigned short *free_buffers; /* a stack of their numbers: the one used last is warm */
    unsigned free_count;
    struct workers *workers;
    struct pool *jobs;     /* of struct emulated_job */
    struct list jobs_done; /* collected, and not taken */
    bool looked_away;      /* the last wait left epoll out */
    bool short_of_memory;  /* something could not be begun for want of it */
};

static inline struct emulated *emulated_of(struct processor *processor)
{
    return (struct emulated *)processor;
}

/* Is there a place for a completion? */
static inline bool emulated_has_place(const struct emulated *e)
{
    return e->results_count < e->base.options.entries;
}

/* Puts a completion, the last one of `token`, into its place. */
void emulated_complete(struct emulated *e, void *token, int res);

/* What is known of `fd`: made if nothing is. NULL: no memory. */
struct emulated_descriptor *emulated_descriptor(struct emulated *e, int fd);

/* Registers it for all edges; epoll then tells what is there already, too. 0 or -errno, after a
 * line in the error log. */
int emulated_register(struct emulated *e, struct emulated_descriptor *d);

/* ---- processor_epoll_wait.c ---- */

/* Begins an ACCEPT or RECV, or a POLL. */
void emulated_await(struct emulated *e, struct emulated_descriptor *d, const struct operation *o,
                    void *token);
void emulated_poll(struct emulated *e, struct emulated_descriptor *d, const struct operation *o,
                   void *token);

/* Notes what epoll has told of the descriptor. */
void emulated_note(struct emulated *e, struct emulated_descriptor *d, uint32_t events);

/* Has those that are ready go on, each once; at most `max` (above 0) completions. Their number. */
unsigned emulated_proceed(struct emulated *e, struct completion *completions, unsigned max);

/* ---- processor_epoll_jobs.c ---- */

/* Octets of a job. */
size_t emulated_job_size(void);

/* Does it at once, if that takes no waiting for a disk, or has a thread do it. False: no memory. */
bool emulated_job_begin(struct emulated *e, const struct operation *o, void *token);

/* Takes at most `max` completions of those that the threads have done. Their number. */
unsigned emulated_jobs_take(struct emulated *e, struct completion *completions, unsigned max);

#endif
