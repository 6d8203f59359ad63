/* processor_epoll_wait.c: operations that wait for a descriptor: ACCEPT, RECV, POLL. They are
 * carried out when completions are taken, each once a turn, so that who has much to say does not
 * keep the others from it. */
#include "engines/proactor/processor_epoll.h"

#include "core/poison.h"
#include "core/stats.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static_assert((int)EPOLLIN == POLLIN && (int)EPOLLOUT == POLLOUT && (int)EPOLLERR == POLLERR &&
                  (int)EPOLLHUP == POLLHUP,
              "events of epoll are those of poll");

enum { ALWAYS_TOLD = EPOLLERR | EPOLLHUP | EPOLLRDHUP };

static void make_ready(struct emulated *e, struct emulated_descriptor *d)
{
    if (list_empty(&d->ready))
        list_push_back(&e->ready, &d->ready);
}

void emulated_await(struct emulated *e, struct emulated_descriptor *d, const struct operation *o,
                    void *token)
{
    CHECK(d->token == NULL);
    int res = d->readable || d->registered ? 0 : emulated_register(e, d);
    if (res < 0) {
        emulated_complete(e, token, res);
        return;
    }
    d->token = token;
    d->kind = (uint8_t)o->kind;
    d->lasting = o->lasting && (o->kind != OPERATION_RECV || e->base.options.recv_multishot);
    d->listens |= o->kind == OPERATION_ACCEPT;
    if (d->readable)
        make_ready(e, d);
}

/* What cannot be asked may be there: who is told tries, and finds out. */
static uint32_t poll_now(int fd, uint32_t events)
{
    struct pollfd at = { .fd = fd, .events = (short)(events | POLLRDHUP) };
    return poll(&at, 1, 0) < 0 ? events : (uint32_t)at.revents;
}

/* What is there already is told in any case: by epoll for a new registration, else by poll(2). */
void emulated_poll(struct emulated *e, struct emulated_descriptor *d, const struct operation *o,
                   void *token)
{
    CHECK(d->poll_token == NULL);
    d->told = 0;
    if (d->registered) {
        d->told = poll_now(d->fd, o->poll.events);
    } else {
        int res = emulated_register(e, d);
        if (res < 0) {
            emulated_complete(e, token, res);
            return;
        }
    }
    d->poll_token = token;
    d->poll_events = o->poll.events | ALWAYS_TOLD;
    d->poll_lasting = o->lasting;
    if ((d->told & d->poll_events) != 0)
        make_ready(e, d);
}

void emulated_note(struct emulated *e, struct emulated_descriptor *d, uint32_t events)
{
    if ((events & ALWAYS_TOLD) != 0)
        d->ended = true;
    if ((events & (EPOLLIN | ALWAYS_TOLD)) != 0)
        d->readable = true;
    if (d->poll_token != NULL)
        d->told |= events;
    if ((d->token != NULL && d->readable) ||
        (d->poll_token != NULL && (d->told & d->poll_events) != 0))
        make_ready(e, d);
}

static void tell_poll(struct emulated_descriptor *d, struct completion *completion)
{
    *completion = (struct completion){ .token = d->poll_token,
                                       .res = (int)(d->told & d->poll_events),
                                       .flags = d->poll_lasting ? COMPLETION_MORE : 0 };
    d->told = 0;
    if (!d->poll_lasting)
        d->poll_token = NULL;
}

/* The last completion of the operation that waits. */
static void end_waiting(struct emulated_descriptor *d, int res, struct completion *completion)
{
    *completion = (struct completion){ .token = d->token, .res = res };
    d->token = NULL;
}

/* It goes on after this completion, if it lasts. */
static void go_on(struct emulated_descriptor *d, int res, unsigned flags,
                  struct completion *completion)
{
    flags |= d->lasting ? (unsigned)COMPLETION_MORE : 0;
    *completion = (struct completion){ .token = d->token, .res = res, .flags = flags };
    if (!d->lasting)
        d->token = NULL;
}

/* One receive. The number of completions. */
static unsigned receive(struct emulated *e, struct emulated_descriptor *d,
                        struct completion *completion)
{
    size_t size = e->base.options.buffer_size;
    if (e->free_count == 0) {
        end_waiting(d, -ENOBUFS, completion);
        return 1;
    }
    unsigned id = e->free_buffers[e->free_count - 1];
    unsigned char *buffer = processor_buffer(&e->base, id);
    UNPOISON(buffer, size);
    stats_count(STATS_CALL_RECV);
    ssize_t n = recv(d->fd, buffer, size, MSG_DONTWAIT);
    int error = n < 0 ? errno : 0;
    if (n > 0) {
        e->free_count--;
        /* After a short count it is empty, and an edge announces what comes next, unless the last
         * edge has been seen. */
        d->readable = (size_t)n == size || d->ended;
        go_on(d, (int)n, COMPLETION_BUFFER | id << COMPLETION_BUFFER_SHIFT, completion);
        return 1;
    }
    POISON(buffer, size);
    if (error == EAGAIN)
        d->readable = false;
    if (error == EAGAIN || error == EINTR)
        return 0;
    end_waiting(d, -error, completion);
    return 1;
}

/* Some accepts. The number of completions. */
static unsigned accept_some(struct emulated_descriptor *d, struct completion *completions,
                            unsigned max)
{
    unsigned n = 0;
    while (n < max && n < EMULATED_ACCEPTS_MAX && d->token != NULL) {
        stats_count(STATS_CALL_ACCEPT);
        int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        int error = fd < 0 ? errno : 0;
        if (fd >= 0)
            go_on(d, fd, 0, &completions[n++]);
        else if (error == EAGAIN)
            d->readable = false;
        else if (error != EINTR)
            end_waiting(d, -error, &completions[n++]);
        if (fd < 0)
            break;
    }
    return n;
}

/* The descriptor goes on; at most `max` (above 0) completions. */
static unsigned proceed(struct emulated *e, struct emulated_descriptor *d,
                        struct completion *completions, unsigned max)
{
    unsigned n = 0;
    if (d->poll_token != NULL && (d->told & d->poll_events) != 0)
        tell_poll(d, &completions[n++]);
    if (d->token != NULL && d->readable && n < max)
        n += d->kind == OPERATION_ACCEPT ? accept_some(d, completions + n, max - n)
                                         : receive(e, d, completions + n);
    if (d->token == NULL)
        return n;
    int res = d->readable || d->registered ? 0 : emulated_register(e, d);
    if (res < 0 && n < max)
        end_waiting(d, res, &completions[n++]);
    else if (res < 0 || d->readable)
        make_ready(e, d);
    return n;
}

unsigned emulated_proceed(struct emulated *e, struct completion *completions, unsigned max)
{
    struct list ready;
    unsigned n = 0;
    list_init(&ready);
    list_splice_back(&ready, &e->ready);
    while (n < max && !list_empty(&ready)) {
        struct emulated_descriptor *d = container_of(ready.next, struct emulated_descriptor, ready);
        list_remove(&d->ready);
        n += proceed(e, d, completions + n, max - n);
    }
    list_splice_back(&ready, &e->ready); /* behind those whose turn has not come */
    list_splice_back(&e->ready, &ready);
    return n;
}
