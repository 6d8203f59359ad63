/* supervisor_internal.h: what supervisor.c, supervisor_workers.c, reload.c, watch.c, drain.c,
 * upgrade.c, retired.c, succession_*.c and orders.c share. */
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

enum { UPGRADE_SAID_MAX = 900 /* bytes of what the other binary says that are kept */ };

/* Another binary is to be executed in this process. */
struct upgrade {
    unsigned ticket;      /* of who asked; 0: nobody did */
    pid_t pid;            /* it is tried by this process; 0: it is not */
    int out;              /* from which comes what it says; -1: nothing any more */
    uint64_t deadline_ms; /* by when the trial has to have ended */
    size_t said_len;
    char said[UPGRADE_SAID_MAX + 1];
    enum exit_status status; /* why this one goes back, with what is in `said` */
    int old_binary; /* this one was executed: the other, until workers of this one serve; else -1 */
};

/* The files that TLS is read from (watch.c). */
struct watch {
    uint64_t due_ms;   /* the next look */
    uint64_t changing; /* what the last look saw, and nobody has read; 0: nothing */
    uint64_t tried;    /* what a reload was asked for last */
};

enum {
    RETIRED_MAX = 8,         /* generations that end at a time */
    RETIRED_GRACE_MS = 5000, /* beyond drain_timeout, for who has not looked at the clock */
    GENERATIONS_MAX = RETIRED_MAX + 2
};

struct supervisor {
    const struct config_source *source; /* borrowed: of the command line */
    struct listen_set sockets;
    struct generation *current;              /* serves */
    struct generation *next;                 /* starts, or NULL */
    struct generation *retired[RETIRED_MAX]; /* end; the oldest first, NULL behind the last */
    size_t retired_count;
    unsigned generations;          /* how many there have been */
    struct reload_request request; /* waits for its turn */
    struct upgrade upgrade;
    unsigned tickets;          /* how many requests there have been */
    unsigned ticket;           /* of the one that `next` answers */
    uint64_t tell_ms;          /* `current` has taken over, and by when that is told; 0: it was */
    bool upgraded;             /* with that, by another binary */
    struct config_texts texts; /* what the files said to `current` */
    struct config_texts next_texts;
    bool failed; /* `next` did not come to serve, and its workers are ending */
    struct watch watch;
    uint64_t
        expiry_ms; /* when certificates are looked at next, whether they end soon; 0: never yet */
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
    uint64_t reopened_ms;    /* when the logs were opened again last; 0: never */
    uint64_t watchdog_ms;    /* when the service manager is told next that the loop turns */
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

/* A worker of s->next has ended because the server does: that is no failure, and nothing is said.
 */
void reload_drop(struct supervisor *s);

/* Nothing that waits will be done: the server ends. */
void reload_forget(struct supervisor *s);

/* Is one under way, or asked for? Generations that end do not count. */
bool reload_is_busy(const struct supervisor *s);

/* When reload_go_on() has something to do, whatever happens; UINT64_MAX: never. */
uint64_t reload_due_ms(const struct supervisor *s);

/* --- watch.c --- */

/* Looks at the files of certificates when that is due, and asks for a reload when they have
 * changed. */
void watch_go_on(struct supervisor *s, uint64_t now_ms);
uint64_t watch_due_ms(const struct supervisor *s);

/* --- expiry.c --- */

/* Tells once a day of certificates that end soon. */
void expiry_go_on(struct supervisor *s, uint64_t now_ms);
uint64_t expiry_due_ms(const struct supervisor *s);

/* --- retired.c --- */

/* A generation that has been told to retire; there has to be room. */
void retired_add(struct supervisor *s, struct generation *g, uint64_t now_ms);

/* Is there room for another one? */
bool retired_have_room(const struct supervisor *s);

/* Has the oldest one hurry where there is none. */
void retired_make_room(struct supervisor *s, uint64_t now_ms);

/* Frees those that have ended; presses those whose time is over. */
void retired_go_on(struct supervisor *s, uint64_t now_ms);

/* When retired_go_on() has something to do, whatever happens; UINT64_MAX: never. */
uint64_t retired_due_ms(const struct supervisor *s);

/* How many of their workers have a process? */
size_t retired_alive(const struct supervisor *s);

/* --- upgrade.c --- */

/* Asks for the binary that lies where this one was started from. Returns the ticket under which the
 * control socket hears how it went. */
unsigned upgrade_ask(struct supervisor *s);

/* Does what is due: tries the other binary when no change of generation is under way; gives up when
 * its time is over, or when workers of this one do not come to serve in its place. */
void upgrade_go_on(struct supervisor *s, uint64_t now_ms);

/* Is that the end of the trial? Then the other binary is executed, or not. */
bool upgrade_take_end(struct supervisor *s, pid_t pid, int wait_status);

/* Is a change of generation to wait? */
bool upgrade_is_busy(const struct supervisor *s);

/* This binary was executed in place of another: the change of generation failed, so it goes back.
 * False: it was not. */
bool upgrade_fail(struct supervisor *s, enum exit_status status, const char *how);

/* Workers of this binary serve. False: it was not executed in place of another. */
bool upgrade_done(struct supervisor *s);

/* Fills in at most one entry of poll(2). Returns their number. */
size_t upgrade_poll(const struct supervisor *s, struct pollfd *entries);

/* Reads what the other binary says. */
void upgrade_hear(struct supervisor *s);

/* When upgrade_go_on() has something to do, whatever happens; UINT64_MAX: never. */
uint64_t upgrade_due_ms(const struct supervisor *s);

/* There will be none: the server ends. */
void upgrade_forget(struct supervisor *s);

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

/* --- supervisor_workers.c --- */

/* In a worker that was just forked (worker_heritage.forget): closes what is the supervisor's. */
void workers_forget(const struct worker_heritage *heritage, const struct worker *forked);

/* Takes note of what workers have to say. `g` NULL: there are none. */
void workers_hear(struct supervisor *s, struct generation *g);

/* Takes note of children that have ended (waitpid(2)), and plans who is replaced when. */
void workers_reap(struct supervisor *s);

/* Takes those for ended that were killed and do not end; and when that is due next, UINT64_MAX:
 * never. */
void workers_abandon(struct supervisor *s, uint64_t now_ms);
uint64_t workers_abandon_due_ms(const struct supervisor *s);

/* Starts those in place of dead ones whose time has come. */
void workers_restart(struct supervisor *s, uint64_t now_ms);

/* --- supervisor.c --- */

/* Generation `index` of GENERATIONS_MAX: that which serves, that which starts, and those that end;
 * NULL: there is none at this place. */
struct generation *supervisor_generation(const struct supervisor *s, size_t index);

/* Ends now. */
void supervisor_stop(struct supervisor *s);

/* Is everything being closed, or drained? What starts meanwhile, or fails to, changes nothing. */
bool supervisor_ends(const struct supervisor *s);

/* The first generation serves. */
void supervisor_ready(struct supervisor *s);

/* A change has ended, well or not: tells the service manager what serves now, unless another change
 * waits. */
void supervisor_tell_manager(const struct supervisor *s);

/* Opens the logs again, for all generations, and has the workers take them. STATUS_OK, or a status
 * and instance.why of the generation of which one could not be opened: its old file stays. */
enum exit_status supervisor_reopen_logs(struct supervisor *s);

#endif
