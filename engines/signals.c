/* signals.c: signal handlers. They set a flag and wake the engine (signal-safety(7)); reopening the
 * error log is open(2) and dup3(2), and so may happen right here. */
#include "engines/signals.h"

#include "core/check.h"
#include "core/log.h"
#include "core/pid_file.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

static struct {
    struct engine_requests requests;
    const struct engine_ops *ops;
    struct engine *engine;
    struct pid_file *pid_file; /* NULL: there is none */
} running;

static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1 };

const struct engine_requests *signals_requests(void)
{
    return &running.requests;
}

static void on_signal(int number)
{
    int saved_errno = errno;

    switch (number) {
    case SIGQUIT:
        if (running.pid_file != NULL)
            pid_file_hand_over(running.pid_file);
        __atomic_store_n(&running.requests.drain, 1, __ATOMIC_RELAXED);
        break;
    case SIGUSR1:
        if (log_reopen() < 0)
            log_line(LOG_ERROR, "the error log cannot be opened again, the old file stays");
        __atomic_fetch_add(&running.requests.reopen_logs, 1, __ATOMIC_RELAXED);
        break;
    default:
        __atomic_store_n(&running.requests.stop, 1, __ATOMIC_RELAXED);
    }
    running.ops->wake(running.engine);
    errno = saved_errno;
}

void signals_install(const struct engine_ops *ops, struct engine *engine)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;

    running.ops = ops;
    running.engine = engine;
    sigfillset(&action.sa_mask); /* one at a time */
    for (size_t i = 0; i < ARRAY_LEN(handled); i++) {
        CHECK(sigaction(handled[i], NULL, &old) == 0);
        if (handled[i] == SIGHUP && old.sa_handler == SIG_IGN)
            continue;
        CHECK(sigaction(handled[i], &action, NULL) == 0);
    }
}

void signals_lend_pid_file(struct pid_file *pid_file)
{
    running.pid_file = pid_file;
    if (engine_asked(&running.requests.drain))
        pid_file_hand_over(pid_file);
}

void signals_ignore(void)
{
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        CHECK(signal(handled[i], SIG_IGN) != SIG_ERR);
    running.pid_file = NULL;
}
