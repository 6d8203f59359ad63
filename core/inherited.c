/* inherited.c: see inherited.h. */
#include "core/inherited.h"

#include "core/check.h"
#include "core/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
    struct inherited
        *entries; /* of the process, never freed; those that are forgotten have fd -1 */
    size_t count;
    char *names; /* the text to which their names point */
} passed;

/* A whole number above 0, or 0. */
static long number_of(const char *text)
{
    char *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return 0;
    errno = 0;
    long number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' ? number : 0;
}

static int option_of(int fd, int level, int option)
{
    int value = 0;
    socklen_t len = sizeof(value);

    return getsockopt(fd, level, option, &value, &len) == 0 ? value : -1;
}

/* NULL: it is a stream socket that listens. */
static const char *reason_of(int fd)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return "no open descriptor";
    if (!S_ISSOCK(info.st_mode))
        return S_ISFIFO(info.st_mode) ? "a pipe" : "no socket";
    int type = option_of(fd, SOL_SOCKET, SO_TYPE);
    if (type != SOCK_STREAM)
        return type == SOCK_DGRAM ? "a datagram socket" : "no stream socket";
    if (option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1)
        return "a socket that does not listen";
    return NULL;
}

static void note_address(struct inherited *entry)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un path;
    } at;
    socklen_t len = sizeof(at);

    memset(&at, 0, sizeof(at));
    MUST(getsockname(entry->fd, &at.any, &len) == 0);
    if (at.any.sa_family == AF_INET) {
        entry->kind = INHERITED_IPV4;
        inet_ntop(AF_INET, &at.ipv4.sin_addr, entry->address, sizeof(entry->address));
        entry->port = ntohs(at.ipv4.sin_port);
    } else if (at.any.sa_family == AF_INET6) {
        entry->kind = INHERITED_IPV6;
        inet_ntop(AF_INET6, &at.ipv6.sin6_addr, entry->address, sizeof(entry->address));
        entry->port = ntohs(at.ipv6.sin6_port);
        entry->ipv6_only = option_of(entry->fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1;
    } else if (at.any.sa_family == AF_UNIX) {
        entry->kind = INHERITED_UNIX;
        snprintf(entry->address, sizeof(entry->address), "%.*s", (int)sizeof(at.path.sun_path),
                 at.path.sun_path);
    } else {
        entry->reason = "a socket of another family than IPv4, IPv6 and unix";
    }
}

static void note(int fd, const char *name)
{
    struct inherited *entry = &passed.entries[passed.count++];

    *entry = (struct inherited){ .fd = fd, .name = name, .kind = INHERITED_OTHER };
    entry->reason = reason_of(fd);
    if (entry->reason == NULL)
        note_address(entry);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) /* not open: nothing to close */
        entry->fd = -1;
}

void inherited_take(void)
{
    const char *names = getenv("LISTEN_FDNAMES");
    long count = number_of(getenv("LISTEN_FDS"));
    bool for_us = number_of(getenv("LISTEN_PID")) == (long)getpid();

    if (for_us && count > 0 && count <= INHERITED_MAX) {
        passed.entries = calloc((size_t)count, sizeof(passed.entries[0]));
        passed.names = strdup(names != NULL ? names : "");
        MUST(passed.entries != NULL && passed.names != NULL);
        char *rest = passed.names;
        for (int i = 0; i < (int)count; i++) {
            const char *name = strsep(&rest, ":");
            note(INHERITED_FIRST + i, name != NULL && name[0] != '\0' ? name : "unknown");
        }
    }
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
    unsetenv("LISTEN_PIDFDID");
}

const struct inherited *inherited_at(size_t index)
{
    for (size_t i = 0; i < passed.count; i++) {
        if (passed.entries[i].fd >= 0 && index-- == 0)
            return &passed.entries[i];
    }
    return NULL;
}

static struct inherited *find(int fd)
{
    for (size_t i = 0; fd >= 0 && i < passed.count; i++) {
        if (passed.entries[i].fd == fd)
            return &passed.entries[i];
    }
    return NULL;
}

const struct inherited *inherited_find(int fd)
{
    return find(fd);
}

void inherited_claim(int fd)
{
    struct inherited *entry = find(fd);

    CHECK(entry != NULL && !entry->claimed);
    entry->claimed = true;
}

void inherited_forget(int fd)
{
    struct inherited *entry = find(fd);

    if (entry != NULL)
        entry->fd = -1;
}

void inherited_close_rest(void)
{
    for (size_t i = 0; i < passed.count; i++) {
        struct inherited *entry = &passed.entries[i];
        if (entry->fd < 0 || entry->claimed)
            continue;
        log_warn(
            "descriptor %d, named '%s' (LISTEN_FDNAMES), %s%s: nothing uses it, and it is closed",
            entry->fd, entry->name, entry->reason != NULL ? entry->reason : "listens on ",
            entry->reason != NULL ? "" : entry->address);
        close(entry->fd);
        entry->fd = -1;
    }
}
