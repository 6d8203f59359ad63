/* notify.c: see notify.h. docs/decisions/0042 tells why this is written by hand. */
#include "process/notify.h"

#include "core/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct {
    struct sockaddr_un address;
    socklen_t len; /* 0: nobody listens */
    pid_t pid;     /* who speaks */
    int fd;        /* connected, where notify_connect() was called; 0: none */
    uint64_t watchdog_us;
    bool stopping;
    char socket[sizeof(((struct sockaddr_un *)0)->sun_path) + 1]; /* as it was written */
    char watchdog[24];
} manager;

/* A path, or '@' in place of the zero of an abstract name (unix(7)). False: it is neither. */
static bool set_address(const char *text)
{
    size_t len = strlen(text);

    if ((text[0] != '/' && text[0] != '@') || len < 2 || len >= sizeof manager.address.sun_path)
        return false;
    manager.address.sun_family = AF_UNIX;
    memcpy(manager.address.sun_path, text, len + 1);
    if (text[0] == '@')
        manager.address.sun_path[0] = '\0';
    manager.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (text[0] == '/'));
    memcpy(manager.socket, text, len + 1);
    manager.pid = getpid();
    return true;
}

static void set_watchdog(const char *text, const char *pid)
{
    char *end;

    if (text == NULL || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
        return;
    errno = 0;
    unsigned long long us = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || us == 0 || us > INT32_MAX * 1000ULL)
        return;
    manager.watchdog_us = us;
    snprintf(manager.watchdog, sizeof manager.watchdog, "%llu", us);
}

void notify_take(void)
{
    const char *text = getenv("NOTIFY_SOCKET");

    if (text != NULL && text[0] != '\0') {
        if (set_address(text))
            set_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
        else
            log_warn(
                "NOTIFY_SOCKET=%.200s is neither a path nor '@' and a name: nobody is told when "
                "this server is ready",
                text);
    }
    notify_pass(false);
}

void notify_pass(bool passes)
{
    char pid[24];

    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    if (!passes || manager.len == 0)
        return;
    setenv("NOTIFY_SOCKET", manager.socket, 1); /* without memory the other one says nothing */
    if (manager.watchdog_us == 0)
        return;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_USEC", manager.watchdog, 1);
    setenv("WATCHDOG_PID", pid, 1);
}

/* A connected socket, or -errno. */
static int connect_to_manager(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)&manager.address, manager.len) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

void notify_connect(void)
{
    int fd = manager.len > 0 ? connect_to_manager() : -1;

    if (fd >= 0)
        manager.fd = fd;
}

/* 0 or -errno. Never waits: a manager that does not read its socket must not stop a server. */
static int say(const char *message)
{
    int error = 0;

    if (manager.len == 0 || manager.pid != getpid())
        return 0;
    int fd = manager.fd > 0 ? manager.fd : connect_to_manager();
    if (fd < 0)
        return fd;
    if (send(fd, message, strlen(message), MSG_NOSIGNAL) < 0)
        error = -errno;
    if (fd != manager.fd)
        close(fd);
    return error;
}

static void say_or_warn(const char *message)
{
    int error = say(message);

    if (error < 0)
        log_warn("the service manager (NOTIFY_SOCKET=%s) cannot be told: %s", manager.socket,
                 strerror(-error));
}

void notify_ready(const char *status)
{
    char message[1024];

    snprintf(message, sizeof message, "READY=1\nMAINPID=%d\nSTATUS=%.900s", (int)getpid(), status);
    say_or_warn(message);
}

void notify_reloading(void)
{
    char message[128];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reloading",
             (unsigned long long)now.tv_sec * 1000000ULL +
                 (unsigned long long)now.tv_nsec / 1000ULL);
    say_or_warn(message);
}

void notify_stopping(void)
{
    if (manager.stopping)
        return;
    manager.stopping = true;
    (void)say("STOPPING=1\nSTATUS=Stopping");
}

void notify_watchdog(void)
{
    (void)say("WATCHDOG=1");
}

uint32_t notify_watchdog_ms(void)
{
    uint64_t half_ms = manager.watchdog_us / 2000;

    if (manager.len == 0 || manager.watchdog_us == 0)
        return 0;
    return half_ms > 0 ? (uint32_t)half_ms : 1;
}
