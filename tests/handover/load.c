/* load.c: see load.h. */
#include "load.h"
#include "secure.h"

#include "core/check.h"
#include "core/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

enum {
    HEAD_MAX = 1024,
    PAUSE_MIN_MS = 40,
    PAUSE_MAX_MS = 160,
    GIVE_UP_MS = 30000,
    COPIES_END = 512
};

static const char request[] = "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n";
static const char last_request[] =
    "GET /small.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

enum kind { ACTIVE, IDLE, FRESH };

struct client {
    int fd;                /* -1: none */
    struct secure *secure; /* NULL: plain */
    enum kind kind;
    bool unsent;      /* what it asks is to be sent yet: a handshake goes on */
    bool waits;       /* for an answer */
    bool told;        /* that the connection ends */
    bool done;        /* has nothing more to do */
    uint64_t next_ms; /* asks then */
    size_t head_len;
    size_t body_left;
    bool in_body;
    char head[HEAD_MAX + 1];
};

static struct load_counts *counts;
static const struct load_plan *plan;

int load_connect(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    perror("connect");
    exit(1);
}

void load_close_copies(void)
{
    for (int fd = 3; fd < COPIES_END; fd++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 && peer.ss_family == AF_INET)
            close(fd);
    }
}

void load_send(int fd, const char *text)
{
    MUST(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

static size_t length_of(const char *head)
{
    const char *field = strcasestr(head, "\r\nContent-Length:");
    return field != NULL ? strtoul(field + 17, NULL, 10) : 0;
}

/* One byte at a time: nothing of the next answer is taken. */
int load_answer(int fd, int reads, char *ret_head, size_t *ret_length)
{
    size_t len = 0;
    struct timeval limit = { .tv_sec = 10 };
    MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    ret_head[0] = '\0';
    while (len < HEAD_MAX - 1 && strstr(ret_head, "\r\n\r\n") == NULL) {
        ssize_t n = recv(fd, ret_head + len, 1, 0);
        if (n <= 0)
            return n == 0 || errno == ECONNRESET ? 0 : -1;
        ret_head[++len] = '\0';
    }
    *ret_length = length_of(ret_head);
    for (size_t left = *ret_length; reads && left > 0;) {
        char scratch[16384];
        ssize_t n = recv(fd, scratch, left < sizeof(scratch) ? left : sizeof(scratch), 0);
        if (n <= 0)
            return 0;
        left -= (size_t)n;
    }
    return (int)strtol(ret_head + 9, NULL, 10);
}

static void pause_until_next(struct client *c)
{
    c->next_ms =
        clock_monotonic_ms() + PAUSE_MIN_MS + (uint64_t)rand() % (PAUSE_MAX_MS - PAUSE_MIN_MS);
}

static void make_connection(struct client *c)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(plan->port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(c->fd >= 0);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        atomic_fetch_add(errno == ECONNRESET ? &counts->reset : &counts->refused, 1);
        close(c->fd);
        c->fd = -1;
    }
    if (c->fd >= 0 && plan->secure)
        MUST((c->secure = secure_open(c->fd)) != NULL);
    c->waits = c->told = c->in_body = c->unsent = false;
    c->head_len = 0;
}

static void close_connection(struct client *c)
{
    secure_close(c->secure);
    c->secure = NULL;
    close(c->fd);
    c->fd = -1;
    c->waits = c->in_body = c->unsent = false;
    c->head_len = 0;
}

static void ask(struct client *c)
{
    const char *text = c->kind == FRESH ? last_request : request;
    size_t len = strlen(text);
    c->waits = true;
    ssize_t n = c->secure != NULL ? secure_send(c->secure, text, len)
                                  : send(c->fd, text, len, MSG_NOSIGNAL);
    bool in_handshake = c->unsent;
    c->unsent = n < 0 && errno == EAGAIN;
    if (n > 0 || c->unsent)
        return;
    atomic_fetch_add(errno == ECONNRESET ? &counts->reset
                     : in_handshake      ? &counts->refused
                                         : &counts->lost,
                     1);
    close_connection(c);
}

static void answered(struct client *c)
{
    atomic_fetch_add(&counts->answered, 1);
    c->waits = c->in_body = false;
    c->head_len = 0;
    if (c->kind == FRESH || c->told)
        close_connection(c);
    if (atomic_load(&counts->ends)) {
        if (c->kind == IDLE)
            atomic_fetch_add(&counts->asked_idle, 1);
        c->done = true;
    }
    pause_until_next(c);
}

static void take_head(struct client *c)
{
    c->head[c->head_len] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (end == NULL)
        return;
    size_t extra = c->head_len - (size_t)(end + 4 - c->head);
    size_t length = length_of(c->head);
    if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 || extra > length)
        atomic_fetch_add(&counts->wrong, 1);
    c->told = strcasestr(c->head, "\r\nConnection: close") != NULL;
    if (c->told && c->kind != FRESH)
        atomic_fetch_add(&counts->told, 1);
    c->in_body = true;
    c->body_left = length > extra ? length - extra : 0;
}

/* The connection has ended: how bad is that? */
static void ended(struct client *c, bool is_reset)
{
    if (is_reset)
        atomic_fetch_add(&counts->reset, 1);
    if (c->waits)
        atomic_fetch_add(c->head_len > 0 ? &counts->cut : &counts->lost, 1);
    else
        atomic_fetch_add(&counts->closed_idle, 1);
    close_connection(c);
    pause_until_next(c);
}

static void receive(struct client *c)
{
    char body[4096];
    bool heads = !c->in_body;
    char *to = heads ? c->head + c->head_len : body;
    size_t room = heads ? HEAD_MAX - c->head_len : sizeof(body);
    if (c->unsent) {
        ask(c);
        return;
    }
    ssize_t n = c->secure != NULL ? secure_receive(c->secure, to, room) : recv(c->fd, to, room, 0);
    if (n < 0 && errno == EAGAIN) /* part of a record, or a ticket */
        return;
    if (n <= 0) {
        ended(c, n < 0 && errno != EPROTO);
        return;
    }
    if (!c->waits) {
        atomic_fetch_add(&counts->wrong, 1);
        return;
    }
    if (heads) {
        c->head_len += (size_t)n;
        take_head(c);
    } else {
        c->body_left -= (size_t)n < c->body_left ? (size_t)n : c->body_left;
    }
    if (c->in_body && c->body_left == 0)
        answered(c);
    else if (c->secure != NULL) /* what is decrypted already wakes no poll(2) */
        receive(c);
}

/* What it does by itself. */
static void act(struct client *c, uint64_t now_ms)
{
    bool ends = atomic_load(&counts->ends);
    if (c->done || c->waits)
        return;
    if (ends && (c->kind != IDLE || c->fd < 0)) {
        c->done = true;
        return;
    }
    if (c->fd >= 0 && ends)
        ask(c);
    if (c->kind == IDLE || now_ms < c->next_ms)
        return;
    if (c->fd < 0)
        make_connection(c);
    if (c->fd >= 0 && !c->waits)
        ask(c);
}

/* A FRESH client makes so many connections a second by itself. */
static unsigned fresh_clients(void)
{
    return (plan->fresh * (PAUSE_MIN_MS + PAUSE_MAX_MS) / 2 + 999) / 1000;
}

static void turn(struct client *clients, struct pollfd *polled, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        polled[i] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
    poll(polled, count, 5);
    for (unsigned i = 0; i < count; i++) {
        if (clients[i].fd >= 0 && polled[i].revents != 0)
            receive(&clients[i]);
        act(&clients[i], clock_monotonic_ms());
    }
}

static bool all_done(const struct client *clients, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!clients[i].done)
            return false;
    }
    return true;
}

static void run(void)
{
    unsigned count = plan->active + plan->idle + fresh_clients();
    MUST(signal(SIGPIPE, SIG_IGN) != SIG_ERR); /* of TLS, which writes by write(2) */
    struct client *clients = calloc(count, sizeof(*clients));
    struct pollfd *polled = calloc(count, sizeof(*polled));
    MUST(clients != NULL && polled != NULL);
    for (unsigned i = 0; i < count; i++) {
        struct client *c = &clients[i];
        c->kind = i < plan->active ? ACTIVE : i < plan->active + plan->idle ? IDLE : FRESH;
        c->fd = -1;
        pause_until_next(c);
        if (c->kind != FRESH)
            make_connection(c);
        if (c->kind == ACTIVE || (c->kind == IDLE && i % 2 == 0))
            ask(c);
    }
    atomic_store(&counts->ready, true);
    uint64_t give_up_ms = UINT64_MAX;
    while (!all_done(clients, count) && clock_monotonic_ms() < give_up_ms) {
        turn(clients, polled, count);
        if (atomic_load(&counts->ends) && give_up_ms == UINT64_MAX)
            give_up_ms = clock_monotonic_ms() + GIVE_UP_MS;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!clients[i].done)
            atomic_fetch_add(&counts->lost, 1);
    }
}

void load_start(struct load *load, const struct load_plan *the_plan)
{
    load->counts = mmap(NULL, sizeof(*load->counts), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(load->counts != MAP_FAILED);
    load->pid = fork();
    MUST(load->pid >= 0);
    if (load->pid == 0) {
        MUST(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
        counts = load->counts;
        plan = the_plan;
        run();
        _exit(0);
    }
    while (!atomic_load(&load->counts->ready))
        poll(NULL, 0, 2);
}

void load_tell(const struct load *load, const struct load_plan *the_plan, const char *what)
{
    struct load_counts *c = load->counts;
    printf("%s: answered %u, lost %u, refused %u, reset %u, cut %u, closed while idle %u, told to "
           "close %u, wrong %u, idle at the end %u of %u\n",
           what, atomic_load(&c->answered), atomic_load(&c->lost), atomic_load(&c->refused),
           atomic_load(&c->reset), atomic_load(&c->cut), atomic_load(&c->closed_idle),
           atomic_load(&c->told), atomic_load(&c->wrong), atomic_load(&c->asked_idle),
           the_plan->idle);
    fflush(stdout);
}

unsigned load_end(struct load *load, const struct load_plan *the_plan, const char *what)
{
    struct load_counts *c = load->counts;
    int status;
    atomic_store(&c->ends, true);
    MUST(waitpid(load->pid, &status, 0) == load->pid);
    unsigned missing = the_plan->idle - atomic_load(&c->asked_idle);
    unsigned moved = atomic_load(&c->closed_idle) + atomic_load(&c->told) + missing;
    unsigned bad = atomic_load(&c->lost) + atomic_load(&c->refused) + atomic_load(&c->reset) +
                   atomic_load(&c->cut) + atomic_load(&c->wrong) + (status != 0) +
                   (the_plan->secure ? 0 : moved);
    load_tell(load, the_plan, what);
    munmap(c, sizeof(*c));
    return bad;
}
