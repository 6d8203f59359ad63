/* health.c: see health.h. A blocking socket, looked after with poll(2) until one deadline for all.
 */
#include "process/health.h"

#include "config/config_value.h"
#include "core/check.h"
#include "core/clock.h"
#include "process/refuse.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define USAGE                                                                                      \
    "usage: gearshift health [URL] [--timeout 3s]   URL: http://HOST[:PORT][/PATH] or "            \
    "unix:SOCKET[:/PATH]; by default http://127.0.0.1:8080/healthz"

enum { HOST_SIZE = 256, PORT_SIZE = 8, PATH_SIZE = 1024, ANSWER_SIZE = 512 };

struct target {
    char host[HOST_SIZE]; /* or the path of a unix socket */
    char port[PORT_SIZE]; /* "": a unix socket */
    char path[PATH_SIZE];
    bool is_ipv6;         /* `host` was in brackets */
    uint64_t deadline_ms; /* clock_ms() */
};

/* Copies a part of the URL. False: it is empty, too long, or holds what would break a request. */
static bool take(const char *from, size_t len, char *to, size_t size)
{
    if (len == 0 || len >= size)
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)from[i] <= ' ' || from[i] == 0x7f)
            return false;
    }
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

static bool read_port(const char *from, size_t len, struct target *target)
{
    return take(from, len, target->port, sizeof target->port) &&
           strspn(target->port, "0123456789") == len && strtoul(target->port, NULL, 10) <= 65535;
}

/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT */
static bool read_authority(const char *text, size_t len, struct target *target)
{
    const char *host_end = memchr(text, ':', len), *end = text + len;

    target->is_ipv6 = len > 0 && text[0] == '[';
    if (target->is_ipv6) {
        host_end = memchr(text++, ']', len);
        if (host_end == NULL || (host_end + 1 < end && host_end[1] != ':'))
            return false;
    }
    if (host_end == NULL)
        host_end = end;
    if (!take(text, (size_t)(host_end - text), target->host, sizeof target->host))
        return false;
    host_end += target->is_ipv6 ? 1 : 0;
    if (host_end < end)
        return read_port(host_end + 1, (size_t)(end - host_end) - 1, target);
    return read_port("80", 2, target);
}

static bool read_url(const char *url, struct target *target)
{
    static const char http[] = "http://", local[] = "unix:";
    const char *path;
    size_t len;

    if (strncmp(url, http, sizeof http - 1) == 0) {
        url += sizeof http - 1;
        len = strcspn(url, "/?#");
        path = url + len;
        if (!read_authority(url, len, target))
            return false;
    } else if (strncmp(url, local, sizeof local - 1) == 0) {
        url += sizeof local - 1;
        const char *colon = strstr(url, ":/");
        len = colon != NULL ? (size_t)(colon - url) : strlen(url);
        path = colon != NULL ? colon + 1 : "";
        if (!take(url, len, target->host, sizeof target->host))
            return false;
    } else {
        return false;
    }
    if (path[0] == '\0')
        path = "/healthz";
    len = strcspn(path, "#");
    return path[0] == '/' && take(path, len, target->path, sizeof target->path);
}

static int read_arguments(int argc, char **argv, struct target *target)
{
    const char *url = "http://127.0.0.1:8080/healthz", *timeout = "3s";
    uint64_t timeout_ms = 0;
    bool has_url = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc) {
            timeout = argv[++i];
        } else if (argv[i][0] == '-' || has_url) {
            return refuse(STATUS_USAGE, "'%s' is not understood; " USAGE, argv[i]);
        } else {
            url = argv[i];
            has_url = true;
        }
    }
    if (config_duration_parse(timeout, &timeout_ms) < 0 || timeout_ms == 0 ||
        timeout_ms > UINT32_MAX)
        return refuse(STATUS_USAGE, "'%s' is not a duration, as in 500ms, 3s or 1m", timeout);
    if (strncmp(url, "https:", strlen("https:")) == 0)
        return refuse(STATUS_USAGE,
                      "'%s': health does not speak TLS; have the server listen on an "
                      "address of this machine without it, too",
                      url);
    if (!read_url(url, target))
        return refuse(STATUS_USAGE, "'%s' is no URL that can be asked; " USAGE, url);
    target->deadline_ms = clock_monotonic_ms() + timeout_ms;
    return STATUS_OK;
}

/* Waits until the socket is ready for `events`. 0, or -ETIMEDOUT or another -errno. */
static int wait_for(const struct target *target, int fd, short events)
{
    struct pollfd wanted = { .fd = fd, .events = events };

    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        if (now_ms >= target->deadline_ms)
            return -ETIMEDOUT;
        uint64_t left_ms = target->deadline_ms - now_ms;
        int count = poll(&wanted, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);
        if (count > 0)
            return 0;
        if (count < 0 && errno != EINTR)
            return -errno;
    }
}

/* A connected socket, or -errno. */
static int connect_to(const struct target *target, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;
    socklen_t size = sizeof error;

    if (fd < 0)
        return -errno;
    int res = connect(fd, address, len) == 0 ? 0 : -errno;
    if (res == -EINPROGRESS) {
        res = wait_for(target, fd, POLLOUT);
        if (res == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
            res = -errno;
        if (res == 0)
            res = -error;
    }
    if (res == 0)
        return fd;
    close(fd);
    return res;
}

static int connect_unix(const struct target *target)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(target->host) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, target->host, strlen(target->host) + 1);
    return connect_to(target, (struct sockaddr *)&address, sizeof address);
}

/* The first address of the host that takes a connection. */
static int open_connection(const struct target *target, int *ret_fd)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    int fd = -EHOSTUNREACH;

    if (target->port[0] == '\0') {
        fd = connect_unix(target);
    } else {
        if (target->is_ipv6)
            hints.ai_flags = AI_NUMERICHOST;
        int error = getaddrinfo(target->host, target->port, &hints, &found);
        if (error != 0)
            return refuse(STATUS_RUNTIME, "%s: %s", target->host, gai_strerror(error));
        for (const struct addrinfo *at = found; at != NULL && fd < 0; at = at->ai_next)
            fd = connect_to(target, at->ai_addr, at->ai_addrlen);
        freeaddrinfo(found);
    }
    if (fd < 0)
        return refuse(STATUS_RUNTIME, "%s%s%s: no connection: %s", target->host,
                      target->port[0] != '\0' ? ":" : "", target->port, strerror(-fd));
    *ret_fd = fd;
    return STATUS_OK;
}

/* Asks, and reads the first line of the answer. 0 or -errno; -EPROTO: the answer is not HTTP. */
static int ask(const struct target *target, int fd, int *ret_status)
{
    char text[HOST_SIZE + PATH_SIZE + 128] = "";
    bool is_unix = target->port[0] == '\0';
    size_t len = 0, sent = 0;
    int res = 0;

    int size = snprintf(text, sizeof text,
                        "GET %s HTTP/1.1\r\nHost: %s%s%s\r\nUser-Agent: gearshift-health\r\n"
                        "Connection: close\r\n\r\n",
                        target->path, target->is_ipv6 ? "[" : "",
                        is_unix ? "localhost" : target->host, target->is_ipv6 ? "]" : "");
    CHECK(size > 0 && (size_t)size < sizeof text);
    while (res == 0 && sent < (size_t)size) {
        ssize_t count = send(fd, text + sent, (size_t)size - sent, MSG_NOSIGNAL);
        if (count > 0)
            sent += (size_t)count;
        else
            res = errno == EAGAIN || errno == EINTR ? wait_for(target, fd, POLLOUT) : -errno;
    }
    while (res == 0 && len < ANSWER_SIZE && memchr(text, '\n', len) == NULL) {
        ssize_t count = recv(fd, text + len, ANSWER_SIZE - len, 0);
        if (count == 0)
            return len == 0 ? -ECONNRESET : -EPROTO;
        if (count > 0)
            len += (size_t)count;
        else
            res = errno == EAGAIN || errno == EINTR ? wait_for(target, fd, POLLIN) : -errno;
    }
    if (res < 0)
        return res;
    if (len < 13 || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ' ||
        strspn(text + 9, "0123456789") != 3)
        return -EPROTO;
    *ret_status = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
    return 0;
}

int health(int argc, char **argv)
{
    struct target target = { .host = "" };
    int answer = 0, fd = -1;

    int status = read_arguments(argc, argv, &target);
    if (status == STATUS_OK)
        status = open_connection(&target, &fd);
    if (status != STATUS_OK)
        return status;
    int res = ask(&target, fd, &answer);
    close(fd);
    if (res == -EPROTO)
        return refuse(STATUS_RUNTIME, "%s: what answers does not speak HTTP/1.1", target.host);
    if (res < 0)
        return refuse(STATUS_RUNTIME, "%s: no answer: %s", target.host, strerror(-res));
    if (answer < 200 || answer > 299)
        return refuse(STATUS_RUNTIME, "%s%s: not well: %d", target.host, target.path, answer);
    return STATUS_OK;
}
