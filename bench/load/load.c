/* load: an open-loop load generator for HTTP/1.1, one thread. Requests are due on a schedule that
 * does not wait for answers, and the time of each counts from when it was due: a server that stops
 * for a second is charged with every request that fell into it (no coordinated omission). Not a
 * closed loop: for that there is wrk.
 *
 *   gearshift-load PORT TARGET RATE SECONDS CONNECTIONS [WARM_UP_SECONDS [CPU]]
 *
 * A request takes the connection that has been free for longest; where all are busy it waits for
 * one, and that is the server's time too. Its own lag, how long after a request was due and a
 * connection free it was sent, is told beside. Every answer is status 200 and the octets of the
 * first one, which the caller checks. With CPU it binds itself to that
 * CPU, with a real-time priority where that is allowed, else polling without sleep, so it has to be
 * a CPU that the server does not use. Called by gearshift-compare. */
#include "histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 100000,
    HEAD_MAX = 8192,
    BODY_MAX = 64 << 20,
    PIECE = 256 << 10,
    EVENTS = 256,
    FAILED_MAX = 1000, /* then it ends: the run is void anyway */
    GRACE_S = 1,       /* for the last answers */
    NEAR_NS = 100000,  /* a request due so soon is waited for without sleep */
};

struct connection {
    int fd;
    bool busy;
    uint64_t due_ns;   /* of its request */
    uint64_t freed_ns; /* when its last answer was complete */
    size_t head_length;
    bool in_body;
    bool last;       /* the server closes after this answer */
    size_t received; /* of the body */
    char head[HEAD_MAX + 1];
};

struct load {
    int port;
    double rate;
    unsigned connections_count;
    int cpu;      /* -1: none */
    bool on_time; /* with a real-time priority: others do not delay it */
    uint64_t start_ns, warm_ns, end_ns;
    char request[HEAD_MAX];
    size_t request_length;
    int epoll;
    struct connection *connections;
    unsigned *free; /* a ring of those that wait for a request, the one free for longest first */
    unsigned free_first, free_count;
    char *body; /* the first answer's */
    size_t body_length;
    uint64_t next; /* number of the request that is due next */
    uint64_t sent, answered, counted, octets, queued, reconnects;
    uint64_t failed_read, failed_write, failed_status, failed_octets;
    uint64_t idle_ns; /* in which it had nothing to do */
    struct histogram latency, lag;
};

_Noreturn static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("gearshift-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t due_ns(const struct load *load, uint64_t number)
{
    return load->start_ns + (uint64_t)((double)number * 1e9 / load->rate);
}

static int connect_to(const struct load *load)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((unsigned short)load->port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("no connection to 127.0.0.1:%d: %s", load->port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void push_free(struct load *load, struct connection *connection, uint64_t now)
{
    connection->busy = false;
    connection->freed_ns = now;
    load->free[(load->free_first + load->free_count++) % load->connections_count] =
        (unsigned)(connection - load->connections);
}

/* Connects anew, ready for a request. */
static void open_connection(struct load *load, struct connection *connection)
{
    connection->fd = connect_to(load);
    connection->head_length = connection->received = 0;
    connection->in_body = connection->last = false;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        fail("epoll_ctl: %s", strerror(errno));
}

static void reopen(struct load *load, struct connection *connection)
{
    close(connection->fd);
    load->reconnects++;
    open_connection(load, connection);
}

/* The request that a connection carries is lost. */
static void lose(struct load *load, struct connection *connection, uint64_t *counter)
{
    (*counter)++;
    reopen(load, connection);
    push_free(load, connection, now_ns());
}

/* A whole head's Content-Length, or -1: another status, or none. The head ends with a NUL; it is
 * that of a server under test, so no more is understood than is needed. */
static long long body_length_of(const char *head, bool *ret_last)
{
    long long length = -1;
    bool last = false;
    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0)
        return -1;
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (!strncasecmp(line + 2, "content-length:", 15))
            length = strtoll(line + 17, NULL, 10);
        if (!strncasecmp(line + 2, "connection: close", 17))
            last = true;
    }
    *ret_last = last;
    return length;
}

static void answer_is_complete(struct load *load, struct connection *connection)
{
    uint64_t now = now_ns();
    load->answered++;
    if (connection->due_ns >= load->warm_ns) {
        load->counted++;
        histogram_add(&load->latency, now - connection->due_ns);
    }
    connection->head_length = connection->received = 0;
    connection->in_body = false;
    if (connection->last)
        reopen(load, connection);
    push_free(load, connection, now);
}

/* Takes octets of a head. How many of them belong to it, or -1: it is wrong. */
static ssize_t take_head(const struct load *load, struct connection *connection, const char *data,
                         size_t length)
{
    size_t had = connection->head_length, room = HEAD_MAX - had,
           part = length < room ? length : room;
    memcpy(connection->head + had, data, part);
    connection->head[had + part] = 0;
    connection->head_length += part;
    char *end = strstr(connection->head + (had > 3 ? had - 3 : 0), "\r\n\r\n");
    if (!end)
        return part == room ? -1 : (ssize_t)part;
    end[2] = 0;
    if (body_length_of(connection->head, &connection->last) != (long long)load->body_length)
        return -1;
    connection->in_body = true;
    return end + 4 - connection->head - (ssize_t)had;
}

static void receive(struct load *load, struct connection *connection)
{
    static char piece[PIECE];
    ssize_t count = recv(connection->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        if (connection->busy)
            lose(load, connection, &load->failed_read);
        else
            reopen(load, connection); /* an idle one may be closed at any time */
        return;
    }
    load->octets += (uint64_t)count;
    size_t length = (size_t)count, at = 0;
    if (!connection->busy) {
        load->failed_octets++; /* octets that nobody asked for; it is in the ring of free ones
                                  already */
        reopen(load, connection);
        return;
    }
    if (!connection->in_body) {
        ssize_t taken = take_head(load, connection, piece, length);
        if (taken < 0) {
            lose(load, connection, &load->failed_status);
            return;
        }
        at = (size_t)taken;
    }
    if (!connection->in_body)
        return;
    size_t part = length - at;
    if (part > load->body_length - connection->received ||
        memcmp(piece + at, load->body + connection->received, part) != 0) {
        lose(load, connection, &load->failed_octets);
        return;
    }
    connection->received += part;
    if (connection->received == load->body_length)
        answer_is_complete(load, connection);
}

/* Sends all that is due while there are free connections. */
static void send_due(struct load *load)
{
    uint64_t now = now_ns(), due;
    while ((due = due_ns(load, load->next)) <= now && due < load->end_ns && load->free_count > 0) {
        struct connection *connection = &load->connections[load->free[load->free_first]];
        load->free_first = (load->free_first + 1) % load->connections_count;
        load->free_count--;
        load->next++;
        connection->busy = true;
        connection->due_ns = due;
        load->queued += connection->freed_ns > due;
        if (due >= load->warm_ns)
            histogram_add(&load->lag,
                          now - (due > connection->freed_ns ? due : connection->freed_ns));
        if (send(connection->fd, load->request, load->request_length, MSG_NOSIGNAL) !=
            (ssize_t)load->request_length)
            lose(load, connection, &load->failed_write);
        else
            load->sent++;
        now = now_ns();
    }
}

static uint64_t failures(const struct load *load)
{
    return load->failed_read + load->failed_write + load->failed_status + load->failed_octets;
}

/* How long it may sleep: until a request is due, less what waking up takes. 0: not at all. */
static uint64_t sleep_ns(const struct load *load, uint64_t now)
{
    uint64_t due = due_ns(load, load->next);
    if (load->cpu >= 0 && !load->on_time)
        return 0;
    if (load->free_count == 0 || due >= load->end_ns)
        return 10000000;
    return due > now + NEAR_NS ? due - now - NEAR_NS / 2 : 0;
}

/* Until all are answered, or the grace is over. */
static void run(struct load *load)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        send_due(load);
        uint64_t before = now_ns(), due = due_ns(load, load->next);
        bool all_sent = due >= load->end_ns;
        if ((all_sent && load->free_count == load->connections_count) ||
            before >= load->end_ns + (uint64_t)GRACE_S * 1000000000 || failures(load) > FAILED_MAX)
            return;
        uint64_t wait = sleep_ns(load, before);
        struct timespec timeout = { .tv_nsec = (long)(wait < 999999999 ? wait : 999999999) };
        if (wait > 0) /* epoll_pwait2(2) would be one call, and is not in every libc */
            ppoll(&(struct pollfd){ .fd = load->epoll, .events = POLLIN }, 1, &timeout, NULL);
        uint64_t after = now_ns();
        int count = epoll_wait(load->epoll, events, EVENTS, 0);
        if (count < 0 && errno != EINTR)
            fail("epoll_wait: %s", strerror(errno));
        load->idle_ns += (count == 0 ? now_ns() : after) - before;
        for (int i = 0; i < count; i++)
            receive(load, events[i].data.ptr);
    }
}

/* The requests that got no answer count with the time that they have waited. How many those are. */
static uint64_t add_unanswered(struct load *load)
{
    uint64_t now = now_ns(), count = 0, due;
    for (unsigned i = 0; i < load->connections_count; i++)
        if (load->connections[i].busy && load->connections[i].due_ns >= load->warm_ns) {
            histogram_add(&load->latency, now - load->connections[i].due_ns);
            count++;
        }
    for (; (due = due_ns(load, load->next)) < load->end_ns; load->next++)
        if (due >= load->warm_ns) {
            histogram_add(&load->latency, now - due);
            count++;
        }
    return count;
}

/* The first answer, whose body all others have to have. */
static void ask_once(struct load *load)
{
    struct connection *connection = load->connections;
    int fd = connect_to(load);
    size_t length = 0, size = 0;
    char *end = NULL;
    if (send(fd, load->request, load->request_length, MSG_NOSIGNAL) !=
        (ssize_t)load->request_length)
        fail("the first request could not be sent");
    while (!end) {
        ssize_t count = recv(fd, connection->head + length, HEAD_MAX - length, 0);
        if (count <= 0)
            fail("the first answer has no end of its head within %d octets", HEAD_MAX);
        length += (size_t)count;
        connection->head[length] = 0;
        end = strstr(connection->head, "\r\n\r\n");
    }
    end[2] = 0;
    long long announced = body_length_of(connection->head, &connection->last);
    if (announced < 0 || announced > BODY_MAX)
        fail("the first answer is not a 200 with a Content-Length of at most %d: %.60s", BODY_MAX,
             connection->head);
    load->body_length = (size_t)announced;
    size = length - (size_t)(end + 4 - connection->head);
    if (size > load->body_length || !(load->body = malloc(load->body_length + 1)))
        fail("the first answer is longer than announced");
    memcpy(load->body, end + 4, size);
    while (size < load->body_length) {
        ssize_t count = recv(fd, load->body + size, load->body_length - size, 0);
        if (count <= 0)
            fail("the first answer ends early");
        size += (size_t)count;
    }
    close(fd);
}

static void print_percentiles(const struct histogram *histogram)
{
    static const double percents[] = { 0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99 };
    for (unsigned i = 0; i < sizeof percents / sizeof *percents; i++)
        printf("%s[%g,%.1f]", i ? "," : "", percents[i],
               (double)histogram_percentile_ns(histogram, percents[i]) / 1e3);
}

/* Times in microseconds; `us` is the measured time, in which `requests` of the schedule were
 * answered; `rate` and `octets` are of all, the warm-up too. */
static void report(struct load *load, uint64_t began_ns, uint64_t ended_ns)
{
    uint64_t unanswered = add_unanswered(load);
    printf("@@{\"requests\":%llu,\"all\":%llu,\"octets\":%llu,\"us\":%.0f,\"offered\":%.1f,"
           "\"body\":%zu,\"curve\":[",
           (unsigned long long)load->counted, (unsigned long long)load->answered,
           (unsigned long long)load->octets, (double)(load->end_ns - load->warm_ns) / 1e3,
           load->rate, load->body_length);
    print_percentiles(&load->latency);
    printf("],\"lag\":[");
    print_percentiles(&load->lag);
    printf("],\"lag_max_us\":%.1f,\"max_us\":%.1f,\"busy\":%.4f,\"on_time\":%s,\"queued\":%llu,"
           "\"unanswered\":%"
           "llu,\"reconnects\":%llu,"
           "\"failed\":{\"read\":%llu,\"write\":%llu,\"octets\":%llu},\"status_errors\":%llu}\n",
           (double)load->lag.max_ns / 1e3, (double)load->latency.max_ns / 1e3,
           1 - (double)load->idle_ns / (double)(ended_ns - began_ns),
           load->on_time ? "true" : "false", (unsigned long long)load->queued,
           (unsigned long long)unanswered, (unsigned long long)load->reconnects,
           (unsigned long long)load->failed_read, (unsigned long long)load->failed_write,
           (unsigned long long)load->failed_octets, (unsigned long long)load->failed_status);
}

/* A number of the command line within bounds. */
static double number(const char *text, const char *name, double least, double most)
{
    char *end;
    double value = strtod(text, &end);
    if (*end || end == text || !(value >= least && value <= most))
        fail("%s %s: it is a number from %g to %g", name, text, least, most);
    return value;
}

static void set_up(struct load *load)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (load->cpu >= 0) {
        cpu_set_t cpus;
        CPU_ZERO(&cpus);
        CPU_SET((unsigned)load->cpu, &cpus);
        if (sched_setaffinity(0, sizeof cpus, &cpus) < 0)
            fail("CPU %d: %s", load->cpu, strerror(errno));
        struct sched_param first = { .sched_priority = 1 };
        load->on_time = sched_setscheduler(0, SCHED_FIFO, &first) == 0;
    }
    load->connections = calloc(load->connections_count, sizeof *load->connections);
    load->free = calloc(load->connections_count, sizeof *load->free);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!load->connections || !load->free || load->epoll < 0)
        fail("no memory for %u connections", load->connections_count);
    ask_once(load);
    for (unsigned i = 0; i < load->connections_count; i++) {
        open_connection(load, &load->connections[i]);
        push_free(load, &load->connections[i], 0);
    }
}

int main(int argc, char **argv)
{
    static struct load load = { .cpu = -1 };
    if (argc < 6 || argc > 8)
        fail("gearshift-load PORT TARGET RATE SECONDS CONNECTIONS [WARM_UP_SECONDS [CPU]]");
    load.port = (int)number(argv[1], "PORT", 1, 65535);
    load.rate = number(argv[3], "RATE", 0.1, 1e7);
    double seconds = number(argv[4], "SECONDS", 0.01, 3600);
    load.connections_count = (unsigned)number(argv[5], "CONNECTIONS", 1, CONNECTIONS_MAX);
    double warm_up = argc > 6 ? number(argv[6], "WARM_UP_SECONDS", 0, 600) : 0;
    if (argc > 7)
        load.cpu = (int)number(argv[7], "CPU", 0, CPU_SETSIZE - 1);
    int length = snprintf(load.request, sizeof load.request,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", argv[2], load.port);
    if (length < 0 || (size_t)length >= sizeof load.request || strpbrk(argv[2], " \r\n"))
        fail("TARGET is too long, or has a space");
    load.request_length = (size_t)length;
    signal(SIGPIPE, SIG_IGN);
    set_up(&load);
    uint64_t began = now_ns();
    load.start_ns = began + 1000000;
    load.warm_ns = load.start_ns + (uint64_t)(warm_up * 1e9);
    load.end_ns = load.warm_ns + (uint64_t)(seconds * 1e9);
    run(&load);
    report(&load, began, now_ns());
    return 0;
}
