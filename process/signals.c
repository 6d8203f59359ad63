/* signals.c: signal handlers. They set a flag and wake the engine (signal-safety(7)); reopening the
 * error log is open(2) and dup3(2), and so may happen right here. */
#include "process/signals.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/decimal.h"
#include "core/draining.h"
#include "core/log.h"
#include "process/pid_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
    struct engine_orders orders;
    const struct engine_ops *ops;
    struct engine *engine;
    bool supervised;
    int channel;      /* to the supervisor, whose number is */
    pid_t supervisor; /* 0: not watched yet */
    bool orphaned;    /* that it has died was noted */
    timer_t timer; /* of drain_delay */
    bool has_timer;
    uint32_t delay_ms;
    struct pid_file *pid_file; /* NULL: there is none */
    uint64_t drain_ms;         /* clock_monotonic_ms() of the first SIGQUIT; 0: there was none */
} running;

static const int handled[] = { SIGTERM, SIGINT,  SIGHUP,  SIGQUIT,
                               SIGUSR1, SIGUSR2, SIGALRM, SIGURG };

/* A line of the error log that is put together without snprintf(3), which no handler may call. */
struct line {
    char text[192];
    size_t len;
};

const struct engine_orders *signals_orders(void)
{
    return &running.orders;
}

static void add(struct line *line, const char *text, size_t len)
{
    size_t room = sizeof line->text - 1 - line->len;

    if (len > room)
        len = room;
    memcpy(line->text + line->len, text, len);
    line->len += len;
    line->text[line->len] = '\0';
}

static void add_text(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

static void add_number(struct line *line, uint64_t number)
{
    struct decimal room;
    struct span digits = decimal_text(number, &room);

    add(line, digits.ptr, digits.len);
}

static const char *name_of(int number)
{
    switch (number) {
    case SIGTERM:
        return "SIGTERM";
    case SIGINT:
        return "SIGINT";
    case SIGHUP:
        return "SIGHUP";
    case SIGALRM:
        return "SIGQUIT, drain_delay ago,";
    default:
        return "SIGQUIT";
    }
}

/* Tells what is done now, and who has asked for it (sigaction(2), si_code). */
static void tell(const char *what, int number, const siginfo_t *info)
{
    struct line line = { .len = 0 };
    bool of_process =
        info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;

    if (running.supervised)
        return;
    add_text(&line, what);
    add_text(&line, name_of(number));
    if (of_process) {
        add_text(&line, " from process ");
        add_number(&line, (uint64_t)info->si_pid);
        add_text(&line, " of user ");
        add_number(&line, info->si_uid);
    } else {
        add_text(&line, " from the terminal, or the kernel");
    }
    log_line(LOG_INFO, line.text);
}

/* Lets balancers look away before the listeners close: SIGALRM begins the drain. False: it begins
 * now; also where no timer can be had. */
static bool delay_drain(int number, const siginfo_t *info)
{
    uint32_t ms = running.delay_ms;
    struct itimerspec when = { .it_value = { ms / 1000, (long)(ms % 1000) * 1000000 } };

    if (draining_has_begun() || ms == 0 || !running.has_timer || running.orders.drain != 0 ||
        timer_settime(running.timer, 0, &when, NULL) < 0)
        return false;
    tell("draining: health says 503, and after drain_delay no new connections: ", number, info);
    draining_begin();
    return true;
}

static void ask_to_drain(int number, const siginfo_t *info)
{
    draining_begin();
    if (running.orders.drain == 0) {
        running.drain_ms = clock_monotonic_ms();
        tell("draining: no new connections, answers in progress have drain_timeout: ", number,
             info);
    }
    if (running.pid_file != NULL)
        pid_file_hand_over(running.pid_file);
    __atomic_store_n(&running.orders.drain, 1, __ATOMIC_RELAXED);
}

/* The supervisor is there as long as it is our parent, and has the other end of the channel. */
static bool is_orphaned(void)
{
    char octet;

    return running.supervisor != 0 &&
           (getppid() != running.supervisor ||
            recv(running.channel, &octet, 1, MSG_PEEK | MSG_DONTWAIT) == 0);
}

/* The supervisor asks whether the loops turn, or it has died, which two signals tell. */
static void look_around(int number, const siginfo_t *info)
{
    if (running.orphaned || !is_orphaned())
        return;
    running.orphaned = true;
    log_line(LOG_ERROR, "the supervisor has died: draining");
    ask_to_drain(number, info); /* without a delay: its successor needs the addresses */
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved_errno = errno;

    (void)context;
    switch (number) {
    case SIGQUIT:
        if (!delay_drain(number, info))
            ask_to_drain(number, info);
        break;
    case SIGALRM:
        if (!draining_has_begun())
            return; /* not ours */
        ask_to_drain(number, info);
        break;
    case SIGUSR1:
        if (log_reopen() < 0)
            log_line(LOG_ERROR, "the error log cannot be opened again, the old file stays");
        __atomic_fetch_add(&running.orders.reopen_logs, 1, __ATOMIC_RELAXED);
        break;
    case SIGURG:
        look_around(number, info);
        break;
    case SIGUSR2:
        __atomic_store_n(&running.orders.retire, 1, __ATOMIC_RELAXED);
        break;
    default:
        if (running.orders.stop == 0)
            tell("stopping: everything is closed at once: ", number, info);
        __atomic_store_n(&running.orders.stop, 1, __ATOMIC_RELAXED);
    }
    running.ops->wake(running.engine);
    errno = saved_errno;
}

/* A terminal that is closed ends what runs in it, but for what nohup(1) has started; a worker's
 * supervisor decides for it. SIGUSR2 and SIGURG say something to workers alone, and are ignored
 * elsewhere. */
static bool is_heeded(int number)
{
    struct sigaction old;

    if (number == SIGUSR2 || number == SIGURG)
        return running.supervised;
    if (number != SIGHUP)
        return true;
    MUST(sigaction(number, NULL, &old) == 0);
    return !running.supervised && old.sa_handler != SIG_IGN;
}

void signals_install(const struct engine_ops *ops, struct engine *engine, bool supervised)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_SIGINFO };

    running.ops = ops;
    running.engine = engine;
    running.supervised = supervised;
    sigfillset(&action.sa_mask); /* one at a time */
    for (size_t i = 0; i < ARRAY_LEN(handled); i++) {
        if (is_heeded(handled[i]))
            MUST(sigaction(handled[i], &action, NULL) == 0);
        else
            MUST(signal(handled[i], SIG_IGN) != SIG_ERR);
    }
}

void signals_delay_drain(uint32_t ms)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

    running.delay_ms = ms;
    running.has_timer = ms > 0 && timer_create(CLOCK_MONOTONIC, &event, &running.timer) == 0;
}

void signals_lend_pid_file(struct pid_file *pid_file)
{
    running.pid_file = pid_file;
    if (engine_asked(&running.orders.drain))
        pid_file_hand_over(pid_file);
}

void signals_ignore(void)
{
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        MUST(signal(handled[i], SIG_IGN) != SIG_ERR);
    running.pid_file = NULL;
}

void signals_watch_supervisor(int channel, pid_t supervisor)
{
    running.channel = channel;
    running.supervisor = supervisor;
    MUST(prctl(PR_SET_PDEATHSIG, SIGURG) == 0);
    MUST(fcntl(channel, F_SETOWN, getpid()) == 0 && fcntl(channel, F_SETSIG, SIGURG) == 0);
    MUST(fcntl(channel, F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
    MUST(raise(SIGURG) == 0); /* what has happened before */
}

uint64_t signals_drain_ms(void)
{
    return running.drain_ms;
}
