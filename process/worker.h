/* worker.h: one process that a supervisor forks to serve an instance.
 *
 * The worker gives up root and runs an engine; what it has to say to its supervisor it says once,
 * by a message on its channel: that it serves, or why it cannot. The end of the channel is the end
 * of the worker, and the end of its supervisor: then the worker drains
 * (signals_watch_supervisor()). Whether its loops turn is watchdog.h's, what it says on standard
 * error last_words.h's. */
#ifndef PROCESS_WORKER_H
#define PROCESS_WORKER_H

#include "engines/handover.h"
#include "process/exit_status.h"
#include "process/instance.h"
#include "process/last_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pulse;

enum worker_news {
    WORKER_SILENT, /* nothing new */
    WORKER_READY,
    WORKER_REFUSED /* `status` and `why` tell */
};

/* What a worker has said. */
struct worker_report {
    enum worker_news news;
    enum exit_status status;
    char why[1024];
};

struct worker {
    unsigned index;            /* within its generation */
    pid_t pid;                 /* 0: there is no process */
    int channel;               /* the supervisor's end; -1: closed */
    struct handover *handover; /* where its connections go when it retires; owned; NULL: none */
    int inbox;                 /* the other end, for its successor; -1: given away */
    bool ready;                /* it has said so */
    bool asked_to_end;         /* so that its end is no crash */
    uint64_t started_ms;       /* clock_monotonic_ms() */
    uint64_t restart_ms;       /* no process: when there is to be one again; 0: never */
    unsigned crashes;          /* in a row */
    struct pulse *pulse;       /* of its loops; owned; NULL: none */
    int pulse_memory;          /* its descriptor; owned; -1: none */
    uint64_t asked_ms;         /* watchdog.c: when, and no answer yet; 0: answered */
    uint64_t looked_ms;        /* likewise: when it was looked at */
    uint64_t killed_ms;        /* likewise: SIGKILL was sent; 0: it was not */
    uint64_t kill_ms;          /* likewise: it hangs, and when it is killed; 0: it does not */
    struct last_words words;
};

/* What a supervisor has open. */
struct worker_heritage {
    /* In the worker: closes it, but for `inboxes`, and the inbox of the worker itself. */
    void (*forget)(const struct worker_heritage *heritage, const struct worker *worker);
    void *context;
    const int *inboxes; /* of predecessors, for this worker, which closes them in the end */
    size_t inboxes_count;
};

/* A worker without a process. */
void worker_init(struct worker *worker, unsigned index);

/* Descriptors of a worker that another program of this process has forked; -1: there is none. */
struct worker_passed {
    int channel, inbox;
    int handover, pulse; /* their memory */
    int words;           /* the pipe of its last words */
};

/* A worker whose process a predecessor in this process has forked: takes its descriptors. Without a
 * pulse whether it hangs is no more asked. */
void worker_adopt(struct worker *worker, pid_t pid, bool ready, const struct worker_passed *passed);

/* In a worker: closes the descriptors of memory that `worker` shares with its supervisor; the
 * memory stays. */
void worker_forget_memory(struct worker *worker);

/* Forks it. 0, or -errno and a sentence. The instance is open, and stays as it is here. */
int worker_start(struct worker *worker, struct instance *instance,
                 const struct worker_heritage *heritage, char *why, size_t why_size);

/* Reads what it has said. Its channel is closed here once it has ended. */
struct worker_report worker_hear(struct worker *worker);

/* Closes the supervisor's copy of its inbox, which its successor has by now. */
void worker_give_inbox(struct worker *worker);

/* Gives back what it has; its process has ended, or was never there. */
void worker_free(struct worker *worker);

/* Sends a signal to it (kill(2)), if there is a process. SIGTERM, SIGQUIT and SIGKILL ask it to
 * end.
 */
void worker_signal(struct worker *worker, int number);

/* Notes that its process has ended (waitpid(2) has returned it). Writes to `ret_text` how: "exited
 * with status 1", "was ended by signal 11 (Segmentation fault)". */
void worker_ended(struct worker *worker, int wait_status, char *ret_text, size_t size);

#endif
