/* upgrade.c: another binary is executed in place of this one, in the same process.
 *
 *   asked -> no change of generation is under way: BINARY -t, with our arguments, in a child ->
 *   it ends well: succession_write(), execve(2) -> over there: succession_take(), a generation of
 * its own -> its workers are ready: upgrade_done(); or they are not: upgrade_fail(), and this
 * binary is executed again, with all that the other one holds by then
 *
 * Whatever fails before execve(2) has changed nothing. */
#include "process/supervisor_internal.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/log.h"
#include "process/binary.h"
#include "process/notify.h"
#include "process/succession.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_EXECUTE = 126 };

unsigned upgrade_ask(struct supervisor *s)
{
    if (s->upgrade.ticket == 0)
        s->upgrade.ticket = ++s->tickets;
    notify_reloading();
    return s->upgrade.ticket;
}

bool upgrade_is_busy(const struct supervisor *s)
{
    return s->upgrade.ticket != 0 && s->upgrade.ticket < s->request.ticket;
}

static void close_out(struct upgrade *u)
{
    if (u->out >= 0)
        close(u->out);
    u->out = -1;
}

/* It will not be; tells so. */
static void refuse(struct supervisor *s, enum exit_status status, const char *why)
{
    char text[1200];

    snprintf(text, sizeof text, "the upgrade is not done, the server goes on as before: %s", why);
    log_line(LOG_ERROR, text);
    control_done(s->control, s->upgrade.ticket, status, text);
    close_out(&s->upgrade);
    s->upgrade.ticket = 0;
    s->failed = true;
    supervisor_tell_manager(s);
}

void upgrade_forget(struct supervisor *s)
{
    struct upgrade *u = &s->upgrade;

    if (u->pid != 0)
        (void)kill(u->pid, SIGKILL);
    if (u->ticket != 0)
        control_done(s->control, u->ticket, STATUS_RUNTIME, "the server ends");
    u->ticket = 0;
}

/* ---- the trial ---- */

/* In the child. */
__attribute__((noreturn)) static void try_here(int out)
{
    char *const *arguments = binary_arguments();
    size_t count = 0;
    sigset_t none;

    while (arguments[count] != NULL)
        count++;
    char **with_test = calloc(count + 2, sizeof with_test[0]);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (with_test == NULL || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || nothing < 0 ||
        dup2(nothing, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0)
        _exit(CANNOT_EXECUTE);
    with_test[0] = arguments[0];
    with_test[1] = (char[]){ "-t" };
    for (size_t i = 1; i < count; i++)
        with_test[i + 1] = arguments[i];
    sigemptyset(&none);
    MUST(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
    execv(binary_path(), with_test);
    dprintf(STDERR_FILENO, "it cannot be executed: %s", strerror(errno));
    _exit(CANNOT_EXECUTE);
}

static void try_it(struct supervisor *s, uint64_t now_ms)
{
    struct upgrade *u = &s->upgrade;
    char why[256];
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        snprintf(why, sizeof why, "no pipe: %s", strerror(errno));
        refuse(s, STATUS_RUNTIME, why);
        return;
    }
    log_info("upgrading: %s is tried with the configuration", binary_path());
    fflush(NULL);
    u->pid = fork();
    if (u->pid == 0)
        try_here(ends[1]);
    int error = errno;
    close(ends[1]);
    MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    u->out = ends[0];
    u->said_len = 0;
    u->deadline_ms = now_ms + s->current->instance.config->deadlines.start_ms;
    if (u->pid < 0) {
        u->pid = 0;
        snprintf(why, sizeof why, "no process can be forked: %s", strerror(error));
        refuse(s, STATUS_RUNTIME, why);
    }
}

size_t upgrade_poll(const struct supervisor *s, struct pollfd *entries)
{
    if (s->upgrade.out < 0)
        return 0;
    entries[0] = (struct pollfd){ .fd = s->upgrade.out, .events = POLLIN };
    return 1;
}

void upgrade_hear(struct supervisor *s)
{
    struct upgrade *u = &s->upgrade;
    char text[1024];
    ssize_t len;

    if (u->out < 0)
        return;
    len = read(u->out, text, sizeof text); /* once a turn: it may never end */
    if (len > 0) {
        size_t room = UPGRADE_SAID_MAX - u->said_len;
        size_t kept = (size_t)len < room ? (size_t)len : room; /* the rest is dropped */
        memcpy(u->said + u->said_len, text, kept);
        u->said_len += kept;
    } else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_out(u);
    }
}

/* What it has said, as the end of a sentence: without our own name, and the end of the line. */
static const char *what_it_said(struct upgrade *u)
{
    static const char name[] = "gearshift: ";
    char *text = u->said;

    u->said[u->said_len] = '\0';
    for (char *at = text; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
    while (u->said_len > 0 && strchr("\r\n ", u->said[u->said_len - 1]) != NULL)
        u->said[--u->said_len] = '\0';
    if (strncmp(text, name, sizeof name - 1) == 0)
        text += sizeof name - 1;
    return text[0] != '\0' ? text : "it has said nothing";
}

/* With what the environment and signals have to tell there. Returns only when it fails: -errno. */
static int pass_on(const struct supervisor *s, const struct passed *passed, const char *path,
                   int fd)
{
    fflush(NULL);
    notify_pass(true);
    if (s->stays_without_terminal)
        MUST(signal(SIGHUP, SIG_IGN) != SIG_ERR);
    int error = passed_execute(passed, path, fd, binary_arguments());
    if (s->stays_without_terminal)
        MUST(signal(SIGHUP, SIG_DFL) != SIG_ERR);
    notify_pass(false);
    return error;
}

/* Returns only when it cannot be executed. */
static void execute(struct supervisor *s)
{
    struct passed passed;
    char why[512];

    int error = succession_write(s, true, STATUS_OK, NULL, &passed);
    if (error == 0) {
        log_info("upgrading: %s is executed in process %d", binary_path(), (int)getpid());
        error = pass_on(s, &passed, binary_path(), -1);
    }
    succession_discard(&passed);
    snprintf(why, sizeof why, "%.300s cannot be executed: %s", binary_path(), strerror(-error));
    refuse(s, STATUS_RUNTIME, why);
}

bool upgrade_take_end(struct supervisor *s, pid_t pid, int wait_status)
{
    struct upgrade *u = &s->upgrade;
    char why[1200];

    if (u->pid == 0 || pid != u->pid)
        return false;
    u->pid = 0;
    upgrade_hear(s);
    close_out(u);
    if (u->ticket == 0) /* the server ends */
        return true;
    if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
        execute(s);
        return true;
    }
    const char *said = what_it_said(u);
    enum exit_status status = STATUS_RUNTIME;
    if (WIFSIGNALED(wait_status)) {
        snprintf(why, sizeof why, "%.200s -t was ended by signal %d (%s)%s: %s", binary_path(),
                 WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)),
                 u->deadline_ms == UINT64_MAX ? ", since start_timeout was over" : "", said);
    } else {
        int code = WEXITSTATUS(wait_status);
        if (code == STATUS_CONFIG || code == STATUS_ENGINE)
            status = (enum exit_status)code;
        if (code != CANNOT_EXECUTE)
            snprintf(why, sizeof why, "%.200s -t exited with status %d: %s", binary_path(), code,
                     said);
        else
            snprintf(why, sizeof why, "%.200s: %s", binary_path(), said);
    }
    refuse(s, status, why);
    return true;
}

/* ---- in the other binary ---- */

bool upgrade_done(struct supervisor *s)
{
    if (s->upgrade.old_binary < 0)
        return false;
    close(s->upgrade.old_binary);
    s->upgrade.old_binary = -1;
    return true;
}

bool upgrade_fail(struct supervisor *s, enum exit_status status, const char *how)
{
    struct upgrade *u = &s->upgrade;

    if (u->old_binary < 0)
        return false;
    snprintf(u->said, sizeof u->said, "its workers do not come to serve: %.800s", how);
    log_line(LOG_ERROR, u->said);
    u->status = status;
    return true;
}

static void go_back(struct supervisor *s)
{
    struct upgrade *u = &s->upgrade;
    struct passed passed;

    int error = succession_write(s, false, u->status, u->said, &passed);
    if (error == 0) {
        log_info("the binary that served before is executed again in process %d", (int)getpid());
        error = pass_on(s, &passed, NULL, u->old_binary);
    }
    succession_discard(&passed);
    log_error("the binary that served before cannot be executed: %s; its workers serve on",
              strerror(-error));
    control_done(s->control, s->ticket, STATUS_RUNTIME, u->said);
    close(u->old_binary);
    u->old_binary = -1;
}

static bool has_to_go_back(const struct supervisor *s)
{
    return s->upgrade.old_binary >= 0 && s->failed && s->next == NULL && !s->drains;
}

/* Is it the upgrade's turn? */
static bool may_try(const struct supervisor *s)
{
    const struct upgrade *u = &s->upgrade;

    return u->ticket != 0 && u->pid == 0 && s->current != NULL && s->next == NULL &&
           s->retired_count == 0 && s->tell_ms == 0 && !s->drains &&
           (s->request.ticket == 0 || u->ticket < s->request.ticket);
}

void upgrade_go_on(struct supervisor *s, uint64_t now_ms)
{
    struct upgrade *u = &s->upgrade;

    if (has_to_go_back(s))
        go_back(s);
    if (u->pid != 0 && now_ms >= u->deadline_ms) {
        (void)kill(u->pid, SIGKILL);
        u->deadline_ms = UINT64_MAX;
    }
    if (may_try(s))
        try_it(s, now_ms);
}

uint64_t upgrade_due_ms(const struct supervisor *s)
{
    if (may_try(s) || has_to_go_back(s))
        return 0;
    return s->upgrade.pid != 0 ? s->upgrade.deadline_ms : UINT64_MAX;
}
