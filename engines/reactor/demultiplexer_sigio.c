/* demultiplexer_sigio.c: signal-driven I/O: the kernel queues a real-time signal for each change of
 * a socket (O_ASYNC, F_SETSIG: fcntl(2)), which says which descriptor it was (ssi_fd).
 *
 * The signals go to the thread that waits (F_SETOWN_EX, F_OWNER_TID), are blocked there, and are
 * read from a signalfd(2), many at a time, which measured better than sigwaitinfo(2).
 *
 * What has no signals is polled for beside the signalfd. An eventfd ignores O_ASYNC. A listening
 * socket has one owner, whichever process has it: what is to be told to a worker, to the other
 * workers beside it, and to its successor, cannot be a signal to one of them. Such a source is told
 * of once, as by poll(2) itself, and then no more before it is asked for again.
 *
 * The queue is limited for the user (RLIMIT_SIGPENDING). What finds it full is told by one plain
 * SIGIO, which stands for all that was lost: then every source is looked at (`lost`). Signals of a
 * descriptor that was closed, and has become another one's, are hints like any other. Bytes that
 * came before O_ASYNC was set give no signal: the loop looks once (looks_once). */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"
#include "core/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    TAKE_MAX = 128,   /* signals of one read(2) */
    SIGNAL_BEHIND = 3 /* SIGRTMIN + that: the C library takes the first ones */
};

/* A source that is polled. */
struct polled_source {
    struct loop_source *source;
    bool repeats; /* an eventfd, which whoever is told reads; else it is told of when asked for */
    bool asked;
};

struct sigio_set {
    struct demultiplexer base;
    struct descriptor_table sources; /* those that signals tell of */
    struct polled_source *plain;
    struct pollfd *polled; /* of poll(2): the signalfd, and those */
    size_t plain_count, plain_room;
    int signal_fd;
    pid_t tid; /* 0: nobody has begun to wait; sources are told of to it once it does */
    bool lost; /* signals were lost: all sources from `look_at` on are to be told of */
    size_t look_at;
    struct signalfd_siginfo taken[TAKE_MAX];
};

static struct sigio_set *set_of(struct demultiplexer *d)
{
    return container_of(d, struct sigio_set, base);
}

static int signal_number(void)
{
    return SIGRTMIN + SIGNAL_BEHIND;
}

static void signal_mask(sigset_t *ret_mask)
{
    sigemptyset(ret_mask);
    sigaddset(ret_mask, signal_number());
    sigaddset(ret_mask, SIGIO);
}

static int open_signal_fd(char *why, size_t why_size)
{
    sigset_t mask;
    signal_mask(&mask);
    int fd = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd >= 0)
        return fd;
    int error = errno;
    snprintf(why, why_size, "signalfd: %s; demultiplexer = sigio needs it", strerror(error));
    return -error;
}

static int sigio_set_probe(size_t sources, char *why, size_t why_size)
{
    (void)sources;
    int fd = open_signal_fd(why, why_size);
    if (fd < 0)
        return fd;
    close(fd);
    return demultiplexer_poll.probe(0, why, why_size); /* it polls its signalfd */
}

static int sigio_set_open(size_t sources, char *why, size_t why_size,
                          struct demultiplexer **ret_demultiplexer)
{
    (void)sources;
    struct sigio_set *set = calloc(1, sizeof(*set));
    struct pollfd *polled = calloc(1, sizeof(*polled));
    int res = -ENOMEM;
    if (set == NULL || polled == NULL) {
        snprintf(why, why_size, "out of memory");
        goto fail;
    }
    set->base.ops = &demultiplexer_sigio;
    set->polled = polled;
    set->signal_fd = res = open_signal_fd(why, why_size);
    if (res < 0)
        goto fail;
    *ret_demultiplexer = &set->base;
    return 0;

fail:
    free(polled);
    free(set);
    return res;
}

/* Every change of `fd` becomes a signal to the thread. */
static int signal_changes(const struct sigio_set *set, int fd)
{
    const struct f_owner_ex owner = { F_OWNER_TID, set->tid };
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETOWN_EX, &owner) < 0 ||
        fcntl(fd, F_SETSIG, signal_number()) < 0 || fcntl(fd, F_SETFL, flags | O_ASYNC) < 0)
        return -errno;
    return 0;
}

/* Listeners are registered before the thread runs. Clients that wait already are found by a look.
 */
static int sigio_set_start(struct demultiplexer *d)
{
    struct sigio_set *set = set_of(d);
    sigset_t mask;
    signal_mask(&mask);
    MUST(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
    set->tid = gettid();
    for (size_t fd = 0; fd < set->sources.size; fd++) {
        int res = set->sources.entries[fd] != NULL ? signal_changes(set, (int)fd) : 0;
        if (res < 0)
            return res;
    }
    set->lost = true;
    return 0;
}

static struct polled_source *find_plain(const struct sigio_set *set,
                                        const struct loop_source *source)
{
    for (size_t i = 0; i < set->plain_count; i++) {
        if (set->plain[i].source == source)
            return &set->plain[i];
    }
    return NULL;
}

static int add_plain(struct sigio_set *set, struct loop_source *source, bool repeats)
{
    if (set->plain_count == set->plain_room) {
        size_t room = 2 * set->plain_room + 8;
        struct polled_source *plain = realloc(set->plain, room * sizeof(plain[0]));
        if (plain == NULL)
            return -ENOMEM;
        set->plain = plain;
        struct pollfd *polled = realloc(set->polled, (1 + room) * sizeof(polled[0]));
        if (polled == NULL)
            return -ENOMEM;
        set->polled = polled;
        set->plain_room = room;
    }
    set->plain[set->plain_count++] = (struct polled_source){ source, repeats, true };
    return 0;
}

/* Signals tell of connections whether they are waited for or not. */
static void sigio_set_want(struct demultiplexer *d, struct loop_source *source, uint32_t events)
{
    struct polled_source *plain = find_plain(set_of(d), source);
    (void)events; /* nothing is written there */
    if (plain != NULL)
        plain->asked = true;
}

static int sigio_set_add(struct demultiplexer *d, struct loop_source *source,
                         enum demultiplexer_role role)
{
    struct sigio_set *set = set_of(d);
    if (role != DEMULTIPLEXER_CONNECTION)
        return add_plain(set, source, role == DEMULTIPLEXER_WAKE || role == DEMULTIPLEXER_RESULTS);
    int res = descriptor_table_set(&set->sources, source->fd, source);
    if (res == 0 && set->tid != 0)
        res = signal_changes(set, source->fd);
    if (res < 0)
        MUST(descriptor_table_set(&set->sources, source->fd, NULL) == 0);
    return res;
}

/* A connection that has moved to another process may send its signals there by now. */
static bool is_ours(const struct sigio_set *set, int fd)
{
    struct f_owner_ex owner;
    return fcntl(fd, F_GETOWN_EX, &owner) == 0 && owner.type == F_OWNER_TID &&
           owner.pid == set->tid;
}

static void sigio_set_remove(struct demultiplexer *d, struct loop_source *source, bool closes)
{
    struct sigio_set *set = set_of(d);
    struct polled_source *plain = find_plain(set, source);
    if (plain != NULL) {
        *plain = set->plain[--set->plain_count];
        return;
    }
    if (!closes && is_ours(set, source->fd)) {
        const struct f_owner_ex nobody = { F_OWNER_TID, 0 };
        int flags = fcntl(source->fd, F_GETFL);
        if (flags >= 0)
            fcntl(source->fd, F_SETFL, flags & ~O_ASYNC);
        fcntl(source->fd, F_SETSIG, 0);
        fcntl(source->fd, F_SETOWN_EX, &nobody);
    }
    MUST(descriptor_table_set(&set->sources, source->fd, NULL) == 0);
}

/* Tells of every source, as far as there is room: the rest by the next wait. */
static int take_all(struct sigio_set *set, struct demultiplexer_event *events, int max)
{
    int n = 0;
    for (; set->look_at < set->sources.size && n < max; set->look_at++) {
        struct loop_source *source = set->sources.entries[set->look_at];
        if (source != NULL)
            events[n++] =
                (struct demultiplexer_event){ source, DEMULTIPLEXER_READ | DEMULTIPLEXER_WRITE |
                                                          DEMULTIPLEXER_PEER_ENDED };
    }
    if (set->look_at >= set->sources.size) {
        set->lost = false;
        set->look_at = 0;
    }
    return n;
}

/* POLL_HUP and POLL_ERR, as POLL_IN, come with bits of poll(2) in si_band. */
static int take_signals(struct sigio_set *set, struct demultiplexer_event *events, int max)
{
    size_t room = sizeof(set->taken[0]) * (size_t)(max < TAKE_MAX ? max : TAKE_MAX);
    ssize_t got = read(set->signal_fd, set->taken, room);
    int n = 0;
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(set->taken[0]); i++) {
        const struct signalfd_siginfo *info = &set->taken[i];
        if (info->ssi_signo == SIGIO) {
            set->lost = true;
            set->look_at = 0;
            continue;
        }
        struct loop_source *source =
            info->ssi_fd >= 0 ? descriptor_table_get(&set->sources, info->ssi_fd) : NULL;
        if (source != NULL)
            events[n++] = (struct demultiplexer_event){ source, info->ssi_band };
    }
    return n;
}

/* What is polled. The rest, if there is no room, is found by the next wait. */
static int take_plain(struct sigio_set *set, struct demultiplexer_event *events, int max)
{
    int n = 0;
    for (size_t i = 0; i < set->plain_count && n < max; i++) {
        struct polled_source *plain = &set->plain[i];
        if (set->polled[1 + i].revents == 0)
            continue;
        plain->asked = plain->repeats;
        events[n++] = (struct demultiplexer_event){ plain->source, DEMULTIPLEXER_READ };
    }
    return n;
}

static int sigio_set_wait(struct demultiplexer *d, int timeout_ms,
                          struct demultiplexer_event *events, int max)
{
    struct sigio_set *set = set_of(d);
    if (set->lost) {
        int n = take_all(set, events, max);
        if (n > 0)
            return n;
    }
    set->polled[0] = (struct pollfd){ .fd = set->signal_fd, .events = POLLIN };
    for (size_t i = 0; i < set->plain_count; i++)
        set->polled[1 + i] = (struct pollfd){
            .fd = set->plain[i].asked ? set->plain[i].source->fd : -1,
            .events = POLLIN,
        };
    stats_count(STATS_CALL_WAIT);
    int ready = poll(set->polled, 1 + set->plain_count, timeout_ms);
    if (ready <= 0)
        return ready < 0 ? demultiplexer_failed(errno) : 0;
    int n = take_plain(set, events, max);
    if (set->polled[0].revents != 0 && n < max)
        n += take_signals(set, events + n, max - n);
    return n == 0 && set->lost ? take_all(set, events, max) : n; /* SIGIO came alone */
}

static void sigio_set_close(struct demultiplexer *d)
{
    struct sigio_set *set = set_of(d);
    close(set->signal_fd);
    descriptor_table_free(&set->sources);
    free(set->plain);
    free(set->polled);
    free(set);
}

const struct demultiplexer_ops demultiplexer_sigio = {
    .name = "sigio",
    .call = "signalfd",
    .looks_once = true,
    .edges = true,
    .reads_results = true,
    .probe = sigio_set_probe,
    .open = sigio_set_open,
    .start = sigio_set_start,
    .add = sigio_set_add,
    .want = sigio_set_want,
    .remove = sigio_set_remove,
    .wait = sigio_set_wait,
    .close = sigio_set_close,
};
