/* cases.c: what happens to connections that cannot move at once, or not at all. `cases NAME FROM
 * TO`: FROM retires, with TO as its successor. */
#include "load.h"
#include "worker.h"

#include "core/check.h"
#include "core/clock.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOON_MS = 300, END_MS = 15000, HEAD_SIZE = 1024 };

static struct site site;
static struct worker old, next;
static const char *from, *to;
static unsigned failures;

static void expect(bool holds, const char *what)
{
    if (holds)
        return;
    printf("not so: %s\n", what);
    fflush(stdout);
    failures++;
}

static void begin(unsigned addresses, bool tls)
{
    site_open(&site, addresses, tls);
    worker_start(&old, &site, from, NULL);
}

static void end(void)
{
    expect(worker_stop(&next), "the successor ends with status 0");
    site_close(&site);
}

static void shift(const int *map)
{
    worker_start(&next, &site, to, &old);
    worker_retire(&old, &site, map);
}

static void old_ends(void)
{
    expect(worker_await(&old, END_MS), "the old worker ends by itself with status 0");
}

/* Receives an answer. `closes`: it says that it is the last one. */
static void answer(int fd, bool by_next, bool closes)
{
    char head[HEAD_SIZE];
    size_t length = 0;
    bool told = false;
    expect(load_answer(fd, 1, head, &length) == 200, "an answer comes");
    told = strcasestr(head, "\r\nConnection: close") != NULL;
    expect(told == closes,
           closes ? "the answer tells to close" : "the answer keeps the connection");
    const char *number = strcasestr(head, "\r\nX-Worker: ");
    pid_t pid = number != NULL ? (pid_t)strtol(number + 12, NULL, 10) : 0;
    expect(pid == (by_next ? next.pid : old.pid),
           by_next ? "the successor has answered" : "the old worker has answered");
}

#define GET_SMALL "GET /small.txt HTTP/1.1\r\nHost: h\r\n\r\n"

static void wait_a_while(void)
{
    poll(NULL, 0, SOON_MS);
}

static void half_request(void)
{
    begin(1, false);
    int fd = load_connect(site.ports[0]), one = load_connect(site.ports[0]);
    load_send(one, GET_SMALL);
    if (strncmp(from, "iterative", 9) != 0)
        answer(one, false, false);
    load_send(fd, "GET /small.txt HTT");
    wait_a_while();
    shift(NULL);
    wait_a_while();
    load_send(fd, "P/1.1\r\nHost: h\r\n\r\n");
    answer(fd, false, false);
    old_ends(); /* what came before it looks again would still be its */
    load_send(fd, GET_SMALL);
    answer(fd, true, false);
    close(fd);
    close(one);
    end();
}

static void pipelined(void)
{
    begin(1, false);
    int fd = load_connect(site.ports[0]);
    load_send(fd, "GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n" GET_SMALL GET_SMALL GET_SMALL);
    wait_a_while();
    shift(NULL);
    wait_a_while();
    for (int i = 0; i < 4; i++)
        answer(fd, false, false);
    old_ends();
    load_send(fd, GET_SMALL);
    answer(fd, true, false);
    close(fd);
    end();
}

/* keepalive_requests goes on counting. */
static void counts(void)
{
    begin(1, false);
    int fd = load_connect(site.ports[0]);
    for (int i = 0; i < 3; i++) {
        load_send(fd, GET_SMALL);
        answer(fd, false, false);
    }
    shift(NULL);
    old_ends();
    load_send(fd, GET_SMALL);
    answer(fd, true, false);
    load_send(fd, GET_SMALL);
    answer(fd, true, true); /* the fifth: main() sets the limit */
    close(fd);
    end();
}

/* The second address has no like in the successor's configuration. */
static void removed_address(void)
{
    const int map[] = { 0, -1 };
    begin(2, false);
    int kept = load_connect(site.ports[0]), gone = load_connect(site.ports[1]);
    load_send(kept, GET_SMALL);
    answer(kept, false, false);
    load_send(gone, GET_SMALL);
    answer(gone, false, false);
    shift(map);
    wait_a_while();
    load_send(kept, GET_SMALL);
    answer(kept, true, false);
    load_send(gone, GET_SMALL);
    answer(gone, false, true);
    close(gone);
    old_ends();
    close(kept);
    end();
}

enum { SOME = 20 };

/* All of them stay: the next answer is the last one. */
static void all_stay(int *fds)
{
    for (int i = 0; i < SOME; i++) {
        load_send(fds[i], GET_SMALL);
        answer(fds[i], false, true);
        close(fds[i]);
    }
    old_ends();
}

static void connect_some(int *fds)
{
    for (int i = 0; i < SOME; i++) {
        fds[i] = load_connect(site.ports[0]);
        load_send(fds[i], GET_SMALL);
        answer(fds[i], false, false);
    }
}

/* The successor dies before the order: nothing is lost. */
static void killed(void)
{
    int fds[SOME];
    begin(1, false);
    connect_some(fds);
    worker_start(&next, &site, to, &old);
    kill(next.pid, SIGKILL);
    waitpid(next.pid, NULL, 0);
    worker_retire(&old, &site, NULL);
    wait_a_while();
    all_stay(fds);
    close(next.inbox_end);
    handover_destroy(next.out);
    site_close(&site);
}

/* It neither dies nor answers; when it goes on, it has taken nothing. */
static void hung(void)
{
    int fds[SOME];
    begin(1, false);
    connect_some(fds);
    worker_start(&next, &site, to, &old);
    kill(next.pid, SIGSTOP);
    MUST(waitpid(next.pid, NULL, WUNTRACED) == next.pid);
    worker_retire(&old, &site, NULL);
    poll(NULL, 0, HANDOVER_ACK_MS + SOON_MS);
    kill(next.pid, SIGCONT);
    wait_a_while();
    all_stay(fds);
    end();
}

/* A -> B -> C -> ... with orders as fast as workers start: who is told to retire while its
 * predecessor still hands over passes everything on. */
static void series(void)
{
    const struct load_plan plan = { .active = 60, .idle = 30, .fresh = 20, .port = 0 };
    struct load_plan real = plan;
    struct worker chain[8];
    struct load load;
    begin(1, false);
    real.port = site.ports[0];
    load_start(&load, &real);
    chain[0] = old;
    for (unsigned i = 1; i < ARRAY_LEN(chain); i++) {
        worker_start(&chain[i], &site, i % 2 != 0 ? to : from, &chain[i - 1]);
        if (i % 2 != 0)
            continue; /* two in a row are told at once */
        worker_retire(&chain[i - 1], &site, NULL);
        worker_retire(&chain[i - 2], &site, NULL);
    }
    worker_retire(&chain[ARRAY_LEN(chain) - 2], &site, NULL);
    for (unsigned i = 0; i + 1 < ARRAY_LEN(chain); i++)
        expect(worker_await(&chain[i], END_MS), "each ends by itself with status 0");
    next = chain[ARRAY_LEN(chain) - 1];
    expect(load_end(&load, &real, "series") == 0, "nobody notices");
    end();
}

/* A -> B -> C, and A has a request that goes on: B, which has nothing, does not wait for it to end.
 */
static void nothing_left(void)
{
    struct worker between;
    begin(1, false);
    int fd = load_connect(site.ports[0]);
    load_send(fd, "GET /small.txt HTT");
    wait_a_while();
    worker_start(&between, &site, from, &old);
    worker_retire(&old, &site, NULL);
    worker_start(&next, &site, to, &between);
    worker_retire(&between, &site, NULL);
    expect(worker_await(&between, 2 * HANDOVER_QUIET_MS), "it ends by itself with status 0");
    load_send(fd, "P/1.1\r\nHost: h\r\n\r\n");
    answer(fd, false, false);
    wait_a_while(); /* it offers the connection, and nobody is there */
    load_send(fd, GET_SMALL);
    answer(fd, false, true);
    old_ends();
    close(fd);
    end();
}

/* Many idle ones. How long it takes is told, and not judged: machines differ. */
static void thousands(void)
{
    const char *count = getenv("HANDOVER_COUNT");
    struct load_plan plan = { .idle = count != NULL ? (unsigned)atoi(count) : 900 };
    struct load load;
    begin(1, false);
    plan.port = site.ports[0];
    load_start(&load, &plan);
    worker_start(&next, &site, to, &old);
    wait_a_while();
    uint64_t before_ms = clock_monotonic_ms();
    worker_retire(&old, &site, NULL);
    old_ends();
    printf("%u connections moved, and the old worker ended, in %u ms\n", plan.idle,
           (unsigned)(clock_monotonic_ms() - before_ms));
    expect(load_end(&load, &plan, "thousands") == 0, "nobody notices");
    end();
}

/* The successor has few descriptors, or few places: what it cannot take stays, and nobody is cut.
 */
static void scarce(unsigned files)
{
    int fds[SOME], moved = 0;
    begin(1, false);
    connect_some(fds);
    worker_start(&next, &site, to, &old);
    if (files > 0)
        worker_limit_files(&next, files);
    worker_retire(&old, &site, NULL);
    poll(NULL, 0, 3 * SOON_MS);
    for (int i = 0; i < SOME; i++) {
        char head[HEAD_SIZE];
        size_t length;
        load_send(fds[i], GET_SMALL);
        expect(load_answer(fds[i], 1, head, &length) != 0, "an answer comes");
        moved += strcasestr(head, "\r\nConnection: close") == NULL;
        close(fds[i]);
    }
    expect(moved < SOME, "some have stayed");
    old_ends();
    end();
}

static void full(void)
{
    scarce(0);
}

static void starved(void)
{
    scarce(HANDOVER_SPARE + 6);
}

/* ---- descriptors in flight ---- */

enum { USERS_BEGIN = 1000000, IN_FLIGHT = 253 /* SCM_MAX_FD */ };

/* Root may have any number of them in flight. They are counted for a user: this one is nobody's. */
static void become_nobody(void)
{
    uid_t user = USERS_BEGIN + (uid_t)getpid();
    if (geteuid() != 0)
        return;
    MUST(setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 &&
         setresuid(user, user, user) == 0);
    MUST(prctl(PR_SET_DUMPABLE, 1) == 0); /* for LeakSanitizer */
}

/* Sends descriptors that nobody receives. They are in flight while *ret_ends are open. */
static void fill_flight(int *ret_ends)
{
    union {
        char room[CMSG_SPACE(IN_FLIGHT * sizeof(int))];
        struct cmsghdr align;
    } control = { .room = { 0 } };
    struct iovec iov = { (void *)(uintptr_t) "x", 1 };
    struct msghdr header = { .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.room,
                             .msg_controllen = sizeof(control.room) };
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    *rights = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                .cmsg_type = SCM_RIGHTS,
                                .cmsg_len = CMSG_LEN(IN_FLIGHT * sizeof(int)) };
    MUST(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_ends) == 0);
    for (size_t i = 0; i < IN_FLIGHT; i++)
        memcpy(CMSG_DATA(rights) + i * sizeof(int), &ret_ends[1], sizeof(int));
    MUST(sendmsg(ret_ends[0], &header, 0) == 1);
}

/* The user of the old worker has more descriptors in flight than its limit (ETOOMANYREFS): it
 * waits until they are fewer, and then hands all over. */
static void in_flight(void)
{
    int fds[SOME], ends[2];
    become_nobody();
    begin(1, false);
    connect_some(fds);
    worker_start(&next, &site, to, &old);
    worker_limit_files(&old, 4);
    fill_flight(ends);
    worker_retire(&old, &site, NULL);
    wait_a_while();
    expect(waitpid(old.pid, NULL, WNOHANG) == 0, "the old worker waits");
    close(ends[0]);
    close(ends[1]);
    old_ends();
    for (int i = 0; i < SOME; i++) {
        load_send(fds[i], GET_SMALL);
        answer(fds[i], true, false);
        close(fds[i]);
    }
    end();
}

/* ---- TLS, by openssl s_client ---- */

struct tls_client {
    pid_t pid;
    int in, out;
};

static struct tls_client tls_connect(uint16_t port)
{
    int in[2], out[2];
    char address[32];
    MUST(pipe(in) == 0 && pipe(out) == 0);
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    struct tls_client client = { fork(), in[1], out[0] };
    MUST(client.pid >= 0);
    if (client.pid == 0) {
        MUST(dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1);
        close(in[1]);
        close(out[0]);
        execlp("openssl", "openssl", "s_client", "-quiet", "-connect", address, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    return client;
}

/* The head of the next answer, or what came of it within 10 s. */
static void tls_ask(const struct tls_client *client, char *ret_text, size_t size)
{
    size_t len = 0;
    struct pollfd polled = { .fd = client->out, .events = POLLIN };
    ret_text[0] = '\0';
    if (write(client->in, GET_SMALL, strlen(GET_SMALL)) < 0)
        return;
    while (len < size - 1 && poll(&polled, 1, 10000) == 1) {
        ssize_t n = read(client->out, ret_text + len, size - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
        ret_text[len] = '\0';
        const char *body = strstr(ret_text, "\r\n\r\n");
        if (body != NULL && strlen(body + 4) >= SMALL_SIZE)
            break;
    }
}

/* It never moves; an idle one stays, and its next answer is the last. */
static void tls(void)
{
    char text[4096];
    begin(1, true);
    struct tls_client client = tls_connect(site.ports[1]);
    tls_ask(&client, text, sizeof(text));
    expect(strstr(text, "HTTP/1.1 200") != NULL, "TLS is answered");
    expect(strcasestr(text, "Connection: close") == NULL, "... and kept");
    shift(NULL);
    poll(NULL, 0, 3 * SOON_MS);
    expect(kill(old.pid, 0) == 0 && waitpid(old.pid, NULL, WNOHANG) == 0, "the old worker stays");
    tls_ask(&client, text, sizeof(text));
    expect(strstr(text, "HTTP/1.1 200") != NULL, "an idle TLS connection is answered");
    expect(strcasestr(text, "Connection: close") != NULL, "... for the last time");
    old_ends();
    close(client.in);
    close(client.out);
    waitpid(client.pid, NULL, 0);
    end();
}

static const struct {
    const char *name;
    void (*run)(void);
} all[] = {
    { "half_request", half_request },
    { "pipelined", pipelined },
    { "counts", counts },
    { "removed_address", removed_address },
    { "killed", killed },
    { "hung", hung },
    { "series", series },
    { "nothing_left", nothing_left },
    { "full", full },
    { "starved", starved },
    { "in_flight", in_flight },
    { "tls", tls },
    { "thousands", thousands },
};

int main(int argc, char **argv)
{
    char with_limit[2][256];
    if (argc != 4) {
        fprintf(stderr, "usage: cases NAME FROM TO\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    from = argv[2];
    to = argv[3];
    bool limits = strcmp(argv[1], "counts") == 0;
    if (limits || strcmp(argv[1], "full") == 0) {
        snprintf(with_limit[0], sizeof(with_limit[0]), "%s%s", from,
                 limits ? " keepalive_requests=5" : "");
        snprintf(with_limit[1], sizeof(with_limit[1]), "%s %s", to,
                 limits ? "keepalive_requests=5" : "connections_max=8");
        from = with_limit[0];
        to = with_limit[1];
    }
    for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
        if (strcmp(all[i].name, argv[1]) != 0)
            continue;
        all[i].run();
        printf("%s, %s to %s: %u failures\n", argv[1], from, to, failures);
        return failures == 0 ? 0 : 1;
    }
    fprintf(stderr, "no case %s\n", argv[1]);
    return 2;
}
