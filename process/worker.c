/* worker.c: see worker.h. */
#include "process/worker.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/log_repeat.h"
#include "core/log_stream.h"
#include "core/pulse.h"
#include "core/stats.h"
#include "process/log_files.h"
#include "process/serve.h"
#include "process/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

void worker_init(struct worker *worker, unsigned index)
{
    *worker = (struct worker){ .index = index, .channel = -1, .inbox = -1, .pulse_memory = -1 };
    last_words_init(&worker->words);
}

/* ---- in the worker ---- */

struct place_of_worker {
    int channel;
    pid_t supervisor;
    int words; /* standard error is to be; -1: it stays */
    bool ready;
};

/* A report fits into the buffer of a socket that holds no other. */
static void tell(int channel, const struct worker_report *report)
{
    ssize_t sent = send(channel, report, sizeof *report, MSG_NOSIGNAL | MSG_DONTWAIT);

    (void)sent; /* nobody there: the worker drains already */
}

static void tell_ready(void *context)
{
    const struct worker_report report = { .news = WORKER_READY };
    struct place_of_worker *place = context;

    place->ready = true;
    signals_watch_supervisor(place->channel, place->supervisor);
    tell(place->channel, &report);
}

/* Signals are as they are at the start of a program: the supervisor's are blocked (signalfd(2)).
 * Logs that are to be opened again before there is a handler are told of later (hear()). */
static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    MUST(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    MUST(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

__attribute__((noreturn)) static void work(struct instance *instance, struct place_of_worker *place,
                                           struct worker *worker,
                                           const struct worker_heritage *heritage)
{
    const struct serve_params params = {
        .supervised = true,
        .out = worker->handover,
        .inboxes = heritage->inboxes,
        .inboxes_count = heritage->inboxes_count,
        .pulse = worker->pulse,
        .ready = tell_ready,
        .context = place,
    };

    reset_signals();
    instance_own_share(instance, worker->index);
    instance_take_log(instance);
    log_files_only_get(instance);
    if (place->words >= 0)
        last_words_take_over(place->words);
    enum exit_status status = serve(instance, &params);
    if (!place->ready) {
        struct worker_report report = { .news = WORKER_REFUSED, .status = status };
        snprintf(report.why, sizeof report.why, "%s", instance->why);
        tell(place->channel, &report);
    }
    for (size_t i = 0; i < heritage->inboxes_count; i++)
        close(heritage->inboxes[i]);
    instance_close(instance);
    handover_destroy(worker->handover);
    log_repeat_end();
    stats_leave_process();
    exit((int)status);
}

/* ---- in the supervisor ---- */

/* Are lines of the access log written to standard error? Then they are not to go through us. */
static bool logs_to_stderr(const struct config *config)
{
    for (size_t i = 0; i < config->access_logs_count; i++) {
        if (log_stream_number(config->access_logs[i].path) == STDERR_FILENO)
            return true;
    }
    return false;
}

/* The channel, standard error, and the way of its connections to a successor. 0, or -errno and a
 * sentence. */
static int make_channels(struct worker *worker, const struct config *config, int *ret_channels,
                         int *ret_words, char *why, size_t why_size)
{
    worker_free(worker); /* of a process that was here before */
    *ret_words = -1;
    int error = handover_create(config->listens_count, &worker->handover, &worker->inbox);
    worker->pulse = pulse_create(&worker->pulse_memory);
    if (error == 0 && worker->pulse == NULL)
        error = -ENOMEM;
    if (error == 0 && !logs_to_stderr(config))
        error = last_words_open(&worker->words, ret_words);
    if (error == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_channels) != 0)
        error = -errno;
    if (error < 0 && *ret_words >= 0)
        close(*ret_words);
    if (error < 0)
        snprintf(why, why_size, "a worker's channels cannot be made: %s", strerror(-error));
    return error;
}

void worker_adopt(struct worker *worker, pid_t pid, bool ready, const struct worker_passed *passed)
{
    worker->pid = pid;
    worker->ready = ready;
    worker->channel = passed->channel;
    worker->inbox = passed->inbox;
    worker->words.fd = passed->words;
    worker->started_ms = worker->looked_ms = clock_monotonic_ms();
    worker->pulse_memory = passed->pulse;
    worker->pulse = passed->pulse >= 0 ? pulse_adopt(passed->pulse) : NULL;
    if (worker->pulse == NULL)
        log_info("process %d was forked by another version of this server: whether it hangs is not "
                 "asked any more",
                 (int)pid);
    if (passed->handover >= 0 && handover_adopt(passed->handover, &worker->handover) < 0) {
        worker->handover = NULL;
        log_warn("process %d was forked by another version of this server: its connections stay "
                 "there until they end",
                 (int)pid);
    }
}

void worker_forget_memory(struct worker *worker)
{
    handover_forget_memory(worker->handover);
    if (worker->pulse_memory >= 0)
        close(worker->pulse_memory);
    worker->pulse_memory = -1;
}

int worker_start(struct worker *worker, struct instance *instance,
                 const struct worker_heritage *heritage, char *why, size_t why_size)
{
    struct place_of_worker place = { .supervisor = getpid() };
    int channels[2];

    CHECK(worker->pid == 0 && worker->channel < 0);
    int error = make_channels(worker, instance->config, channels, &place.words, why, why_size);
    if (error < 0)
        return error;
    fflush(NULL); /* or both would write it */
    pid_t pid = fork();
    if (pid == 0) {
        close(channels[0]);
        heritage->forget(heritage, worker);
        close(worker->inbox);
        last_words_close(&worker->words);
        worker_forget_memory(worker);
        place.channel = channels[1];
        work(instance, &place, worker, heritage);
    }
    error = errno;
    close(channels[1]);
    if (place.words >= 0)
        close(place.words);
    handover_close_end(worker->handover);
    if (pid < 0) {
        close(channels[0]);
        snprintf(why, why_size,
                 "a worker cannot be forked: %s (the limits are RLIMIT_NPROC, and pids.max of the "
                 "cgroup)",
                 strerror(error));
        return -error;
    }
    worker->pid = pid;
    worker->channel = channels[0];
    worker->ready = worker->asked_to_end = false;
    worker->started_ms = clock_monotonic_ms();
    worker->restart_ms = 0;
    worker->looked_ms = worker->started_ms;
    worker->asked_ms = worker->kill_ms = 0;
    return 0;
}

void worker_give_inbox(struct worker *worker)
{
    if (worker->inbox >= 0)
        close(worker->inbox);
    worker->inbox = -1;
}

void worker_free(struct worker *worker)
{
    worker_give_inbox(worker);
    handover_destroy(worker->handover);
    worker->handover = NULL;
    pulse_destroy(worker->pulse);
    worker->pulse = NULL;
    if (worker->pulse_memory >= 0)
        close(worker->pulse_memory);
    worker->pulse_memory = -1;
    last_words_close(&worker->words);
}

static void close_channel(struct worker *worker)
{
    if (worker->channel >= 0)
        close(worker->channel);
    worker->channel = -1;
}

struct worker_report worker_hear(struct worker *worker)
{
    struct worker_report report = { .news = WORKER_SILENT };

    if (worker->channel < 0)
        return report;
    ssize_t len = recv(worker->channel, &report, sizeof report, MSG_DONTWAIT);
    if (len == (ssize_t)sizeof report) {
        report.why[sizeof report.why - 1] = '\0';
        worker->ready = worker->ready || report.news == WORKER_READY;
        return report;
    }
    if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
        close_channel(worker);
    return (struct worker_report){ .news = WORKER_SILENT };
}

void worker_signal(struct worker *worker, int number)
{
    if (worker->pid == 0)
        return;
    worker->asked_to_end = worker->asked_to_end || number == SIGTERM || number == SIGQUIT ||
                           number == SIGUSR2 || number == SIGKILL;
    if (number == SIGKILL && worker->killed_ms == 0)
        worker->killed_ms = clock_monotonic_ms();
    (void)kill(worker->pid, number); /* it is our child, and not waited for yet: it is there */
}

void worker_ended(struct worker *worker, int wait_status, char *ret_text, size_t size)
{
    if (WIFSIGNALED(wait_status))
        snprintf(ret_text, size, "was ended by signal %d (%s)%s", WTERMSIG(wait_status),
                 strsignal(WTERMSIG(wait_status)), WCOREDUMP(wait_status) ? ", core dumped" : "");
    else
        snprintf(ret_text, size, "exited with status %d", WEXITSTATUS(wait_status));
    close_channel(worker);
    worker->pid = 0;
    worker->killed_ms = 0;
    worker->ready = false;
}
