/* supervisor_internal.h: what supervisor.c, reload.c and orders.c share. */
#ifndef PROCESS_SUPERVISOR_INTERNAL_H
#define PROCESS_SUPERVISOR_INTERNAL_H

#include "config/config_texts.h"
#include "process/control.h"
#include "process/generation.h"
#include "process/listen_set.h"
#include "process/pid_file.h"
#include "process/worker.h"

#include <stdbool.h>
#include <stdint.h>

/* A change of generation that waits for its turn. Several that wait become one. */
struct reload_request {
    unsigned ticket;                   /* 0: there is none */
    bool reads;                        /* files are read anew; else they say what they said last */
    char *settings[CONTROL_WORDS_MAX]; /* owned; above all others, as by -o */
    size_t settings_count;
};

struct supervisor {
    const struct config_source *source; /* borrowed: of the command line */
    struct listen_set sockets;
    struct generation *current;    /* serves */
    struct generation *next;       /* starts, or NULL */
    struct generation *old;        /* ends, or NULL */
    unsigned generations;          /* how many there have been */
    struct reload_request request; /* waits for its turn */
    unsigned tickets;              /* how many requests there have been */
    unsigned ticket;               /* of the one that `next` answers */
    struct config_texts texts;     /* what the files said to `current` */
    struct config_texts next_texts;
    bool failed;             /* `next` did not come to serve, and its workers are ending */
    struct control *control; /* NULL: there is none */
    struct pid_file pid_file;
    char *kept_pid_file, *kept_control; /* what the start has said of them, or "none"; owned */
    struct worker_heritage heritage;
    int signal_fd;
    struct pollfd *entries; /* of poll(2); owned */
    size_t entries_room;
    bool stays_without_terminal; /* SIGHUP of a terminal that is closed is ignored */
    bool stops, drains;          /* it ends */
    uint64_t end_ms;             /* when what is left is killed; 0: it serves */
    uint64_t drain_ms; /* when the drain began, or begins when drain_delay is over; 0: never */
    uint64_t started_ms;
    uint64_t reopened_ms; /* when the logs were opened again last; 0: never */
    enum exit_status status; /* of the process */
    char *why;               /* room for the sentence of a start that fails */
    size_t why_size;
};

/* --- reload.c --- */

/* Opens the first generation, as s->texts say. STATUS_OK, or a status and s->why. */
enum exit_status reload_first_open(struct supervisor *s);

/* Starts its workers. What fails is s->status and s->why in the end. */
void reload_first_start(struct supervisor *s);

/* Asks for a new generation: `reads`: as the files say now; with settings[0..count) after all
 * others. Where one waits already, the two become one. Returns the ticket under which the control
 * socket hears how it went (control_done()). */
unsigned reload_ask(struct supervisor *s, bool reads, const char *const *settings, size_t count);

/* Does what is due: begins what was asked for, takes over when all are ready, gives up when one
 * failed or time is over, frees what has ended. */
void reload_go_on(struct supervisor *s, uint64_t now_ms);

/* A worker of s->next has ended, or has said that it cannot serve: `how` tells. */
void reload_fail(struct supervisor *s, enum exit_status status, const char *how);

/* Nothing that waits will be done: the server ends. */
void reload_forget(struct supervisor *s);

/* Is one under way? */
bool reload_is_busy(const struct supervisor *s);

/* When reload_go_on() has something to do, whatever happens; UINT64_MAX: never. */
uint64_t reload_due_ms(const struct supervisor *s);

/* --- orders.c --- */

/* What the control socket asks for (control.h). */
void orders_take(void *context, struct control_client *client, int words_count,
                 const char *const *words);

/* --- drain.c --- */

/* Ends when answers in progress are finished: after drain_delay, or, asked again, now. */
void drain_ask(struct supervisor *s);

/* What drain_ask() would do now, for the log. */
const char *drain_sentence(const struct supervisor *s);

/* Is drain_delay over? Until then it serves, and dead workers are replaced. */
bool drain_has_begun(const struct supervisor *s);

/* Begins the drain when its time has come. */
void drain_go_on(struct supervisor *s, uint64_t now_ms);

/* When drain_go_on() has something to do, or what is left is killed; UINT64_MAX: never. */
uint64_t drain_due_ms(const struct supervisor *s);

/* --- supervisor.c --- */

/* Ends now. */
void supervisor_stop(struct supervisor *s);

/* The first generation serves. */
void supervisor_ready(struct supervisor *s);

/* Opens the logs again, for all generations, and has the workers take them. STATUS_OK, or a status and
 * instance.why of the generation of which one could not be opened: its old file stays. */
enum exit_status supervisor_reopen_logs(struct supervisor *s);

#endif
