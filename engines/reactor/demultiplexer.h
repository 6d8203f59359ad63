/* demultiplexer.h: what tells an event loop which of its descriptors are ready: the synchronous
 * event demultiplexer of POSA2's reactor. One const table a file; demultiplexer.c lists them.
 *
 * Two kinds. **Edges** (epoll, sigio): a source is registered once and every change is told,
 * whether it is waited for or not. **One shot** (poll, select, aio, busy): a source is told of when
 * it has what demultiplexer_want() last asked for, and then no more until it is asked for again; so
 * a connection that nobody drives (a worker has it, or it is queued) costs nothing and repeats
 * nothing. A loop that forgets nothing of what it was told can use both: it calls
 * demultiplexer_want() wherever it begins to wait for a source, which does nothing for edges.
 *
 * An event is a hint: a descriptor may turn out not to be ready. One thread uses a demultiplexer.
 */
#ifndef ENGINES_REACTOR_DEMULTIPLEXER_H
#define ENGINES_REACTOR_DEMULTIPLEXER_H

#include "config/config.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Events, as bits; the values are those of poll(2) and epoll(7). */
enum demultiplexer_event_bit {
    DEMULTIPLEXER_READ = 0x001,
    DEMULTIPLEXER_WRITE = 0x004,
    DEMULTIPLEXER_ERROR = 0x008,
    DEMULTIPLEXER_HANGUP = 0x010,
    DEMULTIPLEXER_PEER_ENDED = 0x2000, /* no edge follows the last bytes: read on to the end */
};

/* First member of everything that is registered. */
struct loop_source {
    unsigned magic; /* tells which; demultiplexers do not look at it */
    int fd;
};

struct demultiplexer_event {
    struct loop_source *source;
    uint32_t events; /* enum demultiplexer_event_bit */
};

/* How a source is registered. */
enum demultiplexer_role {
    DEMULTIPLEXER_CONNECTION,      /* for both directions */
    DEMULTIPLEXER_LISTENER,        /* for reading */
    DEMULTIPLEXER_SHARED_LISTENER, /* other loops have it, too: an event wakes one of those that
                                      sleep, where the demultiplexer knows how (epoll) */
    DEMULTIPLEXER_WAKE,            /* an eventfd that is read each time */
    DEMULTIPLEXER_RESULTS,         /* an eventfd that need not be read where edges are told */
};

/* A means; embedded at the head of each file's own object. */
struct demultiplexer {
    const struct demultiplexer_ops *ops;
};

struct demultiplexer_ops {
    const char *name;   /* as in `demultiplexer = NAME` */
    const char *call;   /* the system call that waits, for the error log */
    bool edges;         /* else one shot */
    bool shares;        /* wakes one of several loops that hold a listener */
    bool looks_once;    /* after add(), what had come before is not told: the loop looks itself */
    bool reads_results; /* DEMULTIPLEXER_RESULTS are to be read, though edges are told of sockets */

    /* Will this kernel and its limits run it, for `sources` descriptors? 0, or -errno and a
     * sentence. */
    int (*probe)(size_t sources, char *why, size_t why_size);

    /* Makes one for at most `sources` descriptors at a time. 0, or -errno and a sentence. The
     * caller owns it. */
    int (*open)(size_t sources, char *why, size_t why_size,
                struct demultiplexer **ret_demultiplexer);

    /* The calling thread is the one that will wait. NULL: it does not matter. 0 or -errno. */
    int (*start)(struct demultiplexer *d);

    /* Registers; `source` is borrowed until remove(). 0 or -errno. */
    int (*add)(struct demultiplexer *d, struct loop_source *source, enum demultiplexer_role role);

    /* One shot: `source`, registered, is waited for: READ, WRITE or both. With edges NULL, or for
     * listeners alone. */
    void (*want)(struct demultiplexer *d, struct loop_source *source, uint32_t events);

    /* The descriptor is about to be closed (`closes`), and nobody else holds it, or is given up. No
     * event tells of it any more, but those that the last wait() has brought. */
    void (*remove)(struct demultiplexer *d, struct loop_source *source, bool closes);

    /* Waits for at most `timeout_ms` (-1: for ever, 0: not at all) and fills in up to `max` events.
     * Their number, or -errno. */
    int (*wait)(struct demultiplexer *d, int timeout_ms, struct demultiplexer_event *events,
                int max);

    /* Frees it; what is still registered is forgotten. */
    void (*close)(struct demultiplexer *d);
};

extern const struct demultiplexer_ops demultiplexer_epoll;
extern const struct demultiplexer_ops demultiplexer_poll;
extern const struct demultiplexer_ops demultiplexer_select;
extern const struct demultiplexer_ops demultiplexer_sigio;
extern const struct demultiplexer_ops demultiplexer_aio;
extern const struct demultiplexer_ops demultiplexer_busy;
extern const struct demultiplexer_ops demultiplexer_oneshot; /* of leader-followers alone */

/* An epoll instance, for a set: its descriptor, or -errno and a sentence. */
int demultiplexer_epoll_create(char *why, size_t why_size);

/* The threads that take turns at a demultiplexer_oneshot have this lock, borrowed, around all calls
 * but probe() and open(); wait() lets it go. */
void demultiplexer_oneshot_share(struct demultiplexer *d, const struct session_lock *lock);

/* The table of a kind. */
const struct demultiplexer_ops *demultiplexer_of(enum demultiplexer_kind kind);

/* The loop begins to wait for `events` of a registered source. */
static inline void demultiplexer_want(struct demultiplexer *d, struct loop_source *source,
                                      uint32_t events)
{
    if (d->ops->want != NULL)
        d->ops->want(d, source, events);
}

/* ---- for the files of the demultiplexers ---- */

/* What wait() returns when its system call has failed with `error` (errno). With ENOMEM, and no
 * memory for this look at all descriptors: 0, after a pause, so that the loop tries again. */
int demultiplexer_failed(int error);

/* Descriptor -> something of a demultiplexer's own, by the number of the descriptor. */
struct descriptor_table {
    void **entries;
    size_t size;
};

/* What is filed under `fd`; NULL: nothing. */
static inline void *descriptor_table_get(const struct descriptor_table *table, int fd)
{
    return (size_t)fd < table->size ? table->entries[fd] : NULL;
}

/* Files `entry` (NULL: nothing any more) under `fd`. 0 or -ENOMEM. */
int descriptor_table_set(struct descriptor_table *table, int fd, void *entry);
void descriptor_table_free(struct descriptor_table *table);

#endif
