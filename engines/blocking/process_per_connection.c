/* process_per_connection.c: the engine `process-per-connection`: the calling process accepts, and
 * forks a child for each connection, which blocks wherever it has to wait, and exits at its end.
 *
 * The parent serves nobody: what it has is what children begin with, copied on write. Counters and
 * limits are the parent's. It asks a child by a word in the table of places, which is shared
 * memory, and a signal, whose handler shuts the child's socket, and so wakes it wherever it waits.
 * Session ticket keys and the counts of repeated lines in the error log are shared memory, too;
 * each child writes out its own lines of access logs, whole ones (O_APPEND), before it exits. Its
 * cache of files begins empty. */
#include "engines/blocking/blocking.h"

#include "config/config.h"
#include "core/check.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/stats.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESS_PER_CONNECTION_MAGIC 0xf04bf04bu

enum { ASK_SIGNAL = SIGUSR2, REOPEN_SIGNAL = SIGUSR1 };

struct engine {
    unsigned magic; /* PROCESS_PER_CONNECTION_MAGIC */
    struct blocking blocking;
    pid_t pid; /* the parent's */
};

/* The connection of this process, for its signal handlers. */
static struct {
    struct place *place;
    int fd;
    volatile sig_atomic_t reopen;
} child;

/* ---- in the child ---- */

/* Does what the table asks, or, with another signal than the parent's, stops. */
static void on_signal(int number)
{
    int saved = errno;
    if (number == REOPEN_SIGNAL) {
        child.reopen = 1;
        if (log_reopen() < 0)
            log_line(LOG_ERROR, "the error log cannot be opened again, the old file stays");
    } else {
        if (number != ASK_SIGNAL)
            atomic_fetch_or(&child.place->asks,
                            number == SIGQUIT ? DRIVER_ASK_DRAIN : DRIVER_ASK_STOP);
        unsigned asks = atomic_load(&child.place->asks);
        if (asks & DRIVER_ASK_STOP) {
            shutdown(child.fd, SHUT_RDWR);
        } else if ((asks & (DRIVER_ASK_END | DRIVER_ASK_DRAIN)) == 0) {
            ; /* to move: that a call is interrupted is enough */
        } else if (child.place->tcp || atomic_load(&child.place->idle_since) != 0) {
            atomic_store(&child.place->shut, true);
            shutdown(child.fd, SHUT_RD);
        }
    }
    errno = saved;
}

static void handle_signals(void)
{
    static const int handled[] = { ASK_SIGNAL, REOPEN_SIGNAL, SIGTERM, SIGQUIT };
    struct sigaction action = { .sa_handler = on_signal }; /* no SA_RESTART: it wakes */
    sigset_t none;

    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        MUST(sigaction(handled[i], &action, NULL) == 0);
    /* From the terminal they reach the parent as well, which says what is to be done. */
    MUST(signal(SIGINT, SIG_IGN) != SIG_ERR);
    MUST(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    sigemptyset(&none);
    MUST(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

/* No later than what is due, in steps of BLOCKING_TICK_MS, so that SO_RCVTIMEO stays as it is. */
static uint64_t until_due(uint64_t until_ms, uint64_t due_ms, uint64_t now_ms)
{
    if (due_ms == 0 || until_ms == 0)
        return until_ms;
    uint64_t ticks = due_ms > now_ms ? (due_ms - now_ms) / BLOCKING_TICK_MS + 1 : 1;
    uint64_t later_ms = now_ms + ticks * BLOCKING_TICK_MS;
    return until_ms < later_ms ? until_ms : later_ms;
}

/* Logs and kept files are the child's own to look after. */
static ssize_t child_receive(struct driver *d, size_t len, uint64_t until_ms, unsigned heeds)
{
    struct blocking_conn *conn = blocking_conn_of(d);
    struct blocking *b = conn->b;
    if (until_ms == 0)
        return blocking_conn_ops.receive(d, len, until_ms, heeds);

    blocking_tick(b, conn->now_ms, false);
    until_ms = until_due(until_ms, b->tick_due_ms, conn->now_ms);
    until_ms = until_due(until_ms, b->sweep_due_ms, conn->now_ms);
    ssize_t n = blocking_conn_ops.receive(d, len, until_ms, heeds);
    if (child.reopen != 0) { /* before anything more is logged */
        child.reopen = 0;
        blocking_tick(b, clock_monotonic_ms(), true);
    }
    return n;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* What is the parent's alone. */
static void close_inherited(struct blocking *b)
{
    for (size_t i = 0; i < b->cfg.listeners_count; i++)
        close_fd(b->cfg.listeners[i].fd);
    for (size_t i = 0; i < b->cfg.inboxes_count; i++)
        close_fd(b->cfg.inboxes[i]);
    close_fd(b->collect_fd);
    close_fd(b->wake_fd);
}

__attribute__((noreturn)) static void be_child(struct engine *e, struct place *place, int fd)
{
    struct blocking *b = &e->blocking;
    struct driver_ops ops = blocking_conn_ops;

    child.place = place;
    child.fd = fd;
    handle_signals();
    (void)prctl(PR_SET_NAME, "connection");
    MUST(prctl(PR_SET_PDEATHSIG, SIGQUIT) == 0); /* without a parent it ends, with its answer */
    if (getppid() != e->pid)
        _exit(0); /* the parent has died in between */
    close_inherited(b);
    ops.receive = child_receive;
    session_env_note_client(b->env, &place->client);
    blocking_conn_drive(b, place, child.fd, &ops);
    session_env_tick(b->env, child.reopen != 0);
    session_env_end_logs(b->env);
    stats_leave_process();
    _exit(0);
}

/* ---- in the parent ---- */

/* All signals are blocked until the child has handlers of its own. The parent gives its descriptor
 * up, also where the connection is over: what the child closes is closed then. */
static int fork_child(struct blocking *b, struct place *place)
{
    struct engine *e = container_of(b, struct engine, blocking);
    sigset_t all, old;

    sigfillset(&all);
    MUST(sigprocmask(SIG_BLOCK, &all, &old) == 0);
    int fd = place->fd; /* the table is shared memory: it is given up there below */
    pid_t pid = fork();
    int res = pid < 0 ? -errno : 0;
    if (pid == 0)
        be_child(e, place, fd);
    if (pid > 0) {
        place->pid = pid;
        close(place->fd);
        place->fd = -1;
    }
    MUST(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    return res;
}

static void ask_child(struct places *places, struct place *place, unsigned asks)
{
    (void)places;
    if (!place->used)
        return;
    atomic_fetch_or(&place->asks, asks);
    if (place->pid > 0)
        kill(place->pid, ASK_SIGNAL);
}

static void poke_child(const struct place *place)
{
    if (place->pid > 0)
        kill(place->pid, ASK_SIGNAL);
}

static void ask_children_to_move(struct blocking *b)
{
    for (unsigned i = 0; i < b->places.fresh; i++)
        atomic_fetch_or(&b->places.all[i].asks, DRIVER_ASK_MOVE);
}

static void reopen_in_children(struct blocking *b)
{
    for (unsigned i = 0; i < b->places.fresh; i++) {
        const struct place *place = &b->places.all[i];
        if (place->used && place->pid > 0)
            kill(place->pid, REOPEN_SIGNAL);
    }
}

static struct place *place_of(struct blocking *b, pid_t pid)
{
    for (unsigned i = 0; i < b->places.fresh; i++) {
        struct place *place = &b->places.all[i];
        if (place->used && place->pid == pid)
            return place;
    }
    return NULL;
}

static void tell_end(pid_t pid, int status)
{
    if (WIFSIGNALED(status))
        log_repeated(LOG_ERROR, "child", WTERMSIG(status),
                     "process %d of a connection was ended by signal %d (%s)%s", (int)pid,
                     WTERMSIG(status), strsignal(WTERMSIG(status)),
                     WCOREDUMP(status) ? ", and dumped core" : "");
    else if (WEXITSTATUS(status) != 0)
        log_repeated(LOG_ERROR, "child", WEXITSTATUS(status),
                     "process %d of a connection ended with status %d", (int)pid,
                     WEXITSTATUS(status));
}

/* Children that have ended: none stays a zombie, and their places are free. */
static void collect(struct blocking *b)
{
    struct signalfd_siginfo infos[16];
    int status;
    pid_t pid;

    while (read(b->collect_fd, infos, sizeof(infos)) == (ssize_t)sizeof(infos))
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct place *place = place_of(b, pid);
        stats_forget_process(pid);
        if (place == NULL) /* somebody else's: process 1 of a container has them */
            continue;
        tell_end(pid, status);
        session_env_drop_client(b->env, &place->client);
        places_give(&b->places, place);
    }
}

static const struct blocking_ops ops = { .what = "process",
                                         .start = fork_child,
                                         .ask = ask_child,
                                         .collect = collect,
                                         .retire = ask_children_to_move,
                                         .poke = poke_child,
                                         .reopen = reopen_in_children };

static void process_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    CHECK_OBJ(e, PROCESS_PER_CONNECTION_MAGIC);
    if (e->blocking.collect_fd >= 0)
        close(e->blocking.collect_fd);
    blocking_destroy(&e->blocking);
    e->magic = 0;
    free(e);
}

static sigset_t child_signal(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    return set;
}

static int open_collect_fd(struct blocking *b, char *why, size_t why_size)
{
    sigset_t wanted = child_signal();
    b->collect_fd = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    if (b->collect_fd >= 0)
        return 0;
    int res = -errno;
    snprintf(why, why_size, "signalfd(2), which tells of children that end, is refused: %s",
             strerror(-res));
    return res;
}

static int process_create(const struct engine_config *cfg, char *why, size_t why_size,
                          struct engine **ret_engine)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->magic = PROCESS_PER_CONNECTION_MAGIC;
    struct engine_config own = *cfg;
    own.limits.logs_inline = true; /* it would be a thread for each child */
    int res = blocking_create(&e->blocking, &own, &ops, false, cfg->limits.connections_max, why,
                              why_size);
    if (res == 0)
        res = open_collect_fd(&e->blocking, why, why_size);
    if (res < 0)
        process_destroy(e);
    else
        *ret_engine = e;
    return res;
}

/* SIGCHLD comes by a descriptor; ignored, it would leave nobody to be waited for. */
static void block_child_signal(sigset_t *ret_old)
{
    sigset_t wanted = child_signal();
    MUST(signal(SIGCHLD, SIG_DFL) != SIG_ERR);
    MUST(sigprocmask(SIG_BLOCK, &wanted, ret_old) == 0);
}

static int process_run(struct engine *e)
{
    CHECK_OBJ(e, PROCESS_PER_CONNECTION_MAGIC);
    sigset_t old;

    e->pid = getpid();
    block_child_signal(&old);
    int res = log_repeat_share();
    if (res == 0)
        res = blocking_serve(&e->blocking);
    MUST(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    return res;
}

static void process_wake(struct engine *e)
{
    CHECK_OBJ(e, PROCESS_PER_CONNECTION_MAGIC);
    blocking_wake(&e->blocking);
}

const struct engine_ops engine_process_per_connection = {
    .name = "process-per-connection",
    .summary = "blocking I/O, a process for each connection: fork(2)",
    .cost =
        "195 KiB and a process for an idle connection; a fork for a new one: seven times the CPU "
        "of an event loop where connections are not kept",
    .file_jobs = 1u << FILE_JOBS_INLINE,
    .forks = true,
    .probe = blocking_probe,
    .create = process_create,
    .run = process_run,
    .wake = process_wake,
    .destroy = process_destroy,
};
