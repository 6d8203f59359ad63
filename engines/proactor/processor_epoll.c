/* processor_epoll.c: the processor `epoll`: a proactor emulated on readiness, where io_uring may
 * not be used or is to be compared. The pattern is Boost.Asio's on Linux.
 *
 * An operation is tried at once; what has come of it is taken in the next turn, as if a kernel had
 * done it meanwhile. One that finds nothing waits beside its descriptor, which is registered with
 * epoll once and for all, edge-triggered, and goes on when an edge says so. What may block on a
 * disk goes to threads. */
#include "engines/proactor/processor_epoll.h"

#include "core/log_repeat.h"
#include "core/poison.h"
#include "core/stats.h"
#include "engines/proactor/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int emulated_probe(char *why, size_t why_size, struct processor_options *ret_options)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        int error = errno;
        snprintf(why, why_size, "epoll_create1: %s; processor = epoll needs epoll(7)",
                 strerror(error));
        return -error;
    }
    close(fd);
    *ret_options = (struct processor_options){ .entries = EMULATED_RESULTS,
                                               .buffers = EMULATED_BUFFERS,
                                               .buffer_size = EMULATED_BUFFER_SIZE,
                                               .recv_multishot = true };
    return 0;
}

static void emulated_features(const struct processor_options *options, char *text, size_t size)
{
    (void)options;
    snprintf(text, size,
             "operations emulated on epoll: tried at once, else carried out when the socket is "
             "ready; %d threads for what is not in the page cache",
             EMULATED_THREADS);
}

/* ---- making and ending ---- */

static void emulated_give_back(struct processor *processor, unsigned id)
{
    struct emulated *e = emulated_of(processor);
    const struct processor_options *options = &e->base.options;
    CHECK(id < options->buffers && e->free_count < options->buffers);
    CHECK(!IS_POISONED(processor_buffer(processor, id))); /* given back twice */
    POISON(processor_buffer(processor, id), options->buffer_size);
    e->free_buffers[e->free_count++] = (unsigned short)id;
}

static void emulated_close(struct processor *processor)
{
    struct emulated *e = emulated_of(processor);
    const struct processor_options *options = &e->base.options;
    struct list unrun;
    list_init(&unrun);
    if (e->workers != NULL)
        workers_stop(e->workers, &unrun);
    CHECK(list_empty(&unrun) && list_empty(&e->jobs_done));
    workers_destroy(e->workers);
    for (size_t i = 0; i < e->descriptors_size; i++) {
        if (e->descriptors[i] != NULL)
            pool_put(e->pool, e->descriptors[i]);
    }
    pool_destroy(e->pool);
    pool_destroy(e->jobs);
    if (e->epoll_fd >= 0)
        close(e->epoll_fd);
    if (e->base.buffers != NULL)
        UNPOISON(e->base.buffers, (size_t)options->buffers * options->buffer_size);
    free(e->base.buffers);
    free(e->free_buffers);
    free(e->results);
    free(e->descriptors);
    free(e);
}

static int open_memory(struct emulated *e, size_t descriptors_max)
{
    const struct processor_options *options = &e->base.options;
    size_t jobs_max =
        2 * descriptors_max; /* a connection has two at most: a piece, and a file job */
    e->results = calloc(options->entries, sizeof(e->results[0]));
    e->free_buffers = calloc(options->buffers, sizeof(e->free_buffers[0]));
    e->base.buffers = malloc((size_t)options->buffers * options->buffer_size);
    if (e->results == NULL || e->free_buffers == NULL || e->base.buffers == NULL)
        return -ENOMEM;
    for (unsigned id = 0; id < options->buffers; id++)
        emulated_give_back(&e->base, id);
    int res =
        pool_create("descriptors", sizeof(struct emulated_descriptor), descriptors_max, &e->pool);
    if (res == 0)
        res = pool_create("operations", emulated_job_size(), jobs_max, &e->jobs);
    if (res == 0)
        res = workers_create(EMULATED_THREADS, (unsigned)jobs_max, &e->workers);
    return res;
}

static int open_epoll(struct emulated *e)
{
    e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (e->epoll_fd < 0)
        return -errno;
    /* An edge for each announcement: it need not be read. */
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = workers_fd(e->workers) };
    return epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, event.data.fd, &event) == 0 ? 0 : -errno;
}

static int emulated_open(const struct processor_options *options, size_t descriptors_max, char *why,
                         size_t why_size, struct processor **ret_processor)
{
    CHECK(options->entries > 0 && options->buffers > 0 && options->buffers <= UINT16_MAX);
    struct emulated *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    e->base.ops = &processor_epoll;
    e->base.options = *options;
    e->epoll_fd = -1;
    list_init(&e->ready);
    list_init(&e->jobs_done);
    int res = open_memory(e, descriptors_max);
    if (res == 0)
        res = open_epoll(e);
    if (res < 0) {
        snprintf(why, why_size, "the processor (epoll) cannot be set up: %s", strerror(-res));
        emulated_close(&e->base);
        return res;
    }
    *ret_processor = &e->base;
    return 0;
}

static int emulated_enable(struct processor *processor)
{
    return workers_start(emulated_of(processor)->workers);
}

/* ---- descriptors ---- */

/* A place in the table. False: no memory. */
static bool fits_table(struct emulated *e, int fd)
{
    size_t size = e->descriptors_size > 0 ? e->descriptors_size : 64;
    if ((size_t)fd < e->descriptors_size)
        return true;
    while (size <= (size_t)fd)
        size *= 2;
    struct emulated_descriptor **grown = realloc(e->descriptors, size * sizeof(grown[0]));
    if (grown == NULL)
        return false;
    for (size_t i = e->descriptors_size; i < size; i++)
        grown[i] = NULL;
    e->descriptors = grown;
    e->descriptors_size = size;
    return true;
}

struct emulated_descriptor *emulated_descriptor(struct emulated *e, int fd)
{
    CHECK(fd >= 0);
    if (!fits_table(e, fd))
        return NULL;
    struct emulated_descriptor *d = e->descriptors[fd];
    if (d != NULL)
        return d;
    d = pool_get(e->pool);
    if (d == NULL)
        return NULL;
    *d = (struct emulated_descriptor){ .fd = fd, .readable = true };
    list_init(&d->ready);
    e->descriptors[fd] = d;
    return d;
}

int emulated_register(struct emulated *e, struct emulated_descriptor *d)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.fd = d->fd };
    if (epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, d->fd, &event) == 0) {
        d->registered = true;
        return 0;
    }
    int error = errno;
    log_repeated(LOG_ERROR, "epoll_ctl", error, "epoll_ctl: %s; a connection is dropped%s",
                 strerror(error),
                 error == ENOSPC ? "; raise the sysctl fs.epoll.max_user_watches" : "");
    return -error;
}

static struct emulated_descriptor *known(const struct emulated *e, int fd)
{
    return fd >= 0 && (size_t)fd < e->descriptors_size ? e->descriptors[fd] : NULL;
}

static void forget(struct emulated *e, int fd, bool lives)
{
    struct emulated_descriptor *d = known(e, fd);
    if (d == NULL)
        return;
    CHECK(d->token == NULL && d->poll_token == NULL);
    if ((lives || d->listens) && d->registered)
        (void)epoll_ctl(e->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    list_remove(&d->ready);
    e->descriptors[fd] = NULL;
    pool_put(e->pool, d);
}

/* Closing a connection deregisters it, since nobody else has it. */
static void emulated_forget(struct processor *processor, int fd)
{
    forget(emulated_of(processor), fd, false);
}

static void emulated_leave(struct processor *processor, int fd)
{
    forget(emulated_of(processor), fd, true);
}

/* ---- operations ---- */

void emulated_complete(struct emulated *e, void *token, int res)
{
    CHECK(emulated_has_place(e));
    unsigned at = e->results_first + e->results_count++;
    if (at >= e->base.options.entries)
        at -= e->base.options.entries;
    e->results[at] = (struct completion){ .token = token, .res = res };
}

/* A socket that is full says so at once, as with io_uring. */
static int send_now(const struct operation *o)
{
    int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (o->send.more ? MSG_MORE : 0);
    ssize_t n;
    stats_count(STATS_CALL_SEND);
    if (o->send.iovcnt == 1) {
        n = send(o->fd, o->send.iov[0].iov_base, o->send.iov[0].iov_len, flags);
    } else {
        struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)o->send.iov,
                                  .msg_iovlen = (size_t)o->send.iovcnt };
        n = sendmsg(o->fd, &message, flags);
    }
    return n < 0 ? -errno : (int)n;
}

static int splice_out_now(const struct operation *o)
{
    stats_count(STATS_CALL_SPLICE);
    ssize_t n = splice(o->fd, NULL, o->splice.to_fd, NULL, o->splice.len,
                       SPLICE_F_NONBLOCK | (o->splice.more ? SPLICE_F_MORE : 0));
    return n < 0 ? -errno : (int)n;
}

static bool begin_waiting(struct emulated *e, const struct operation *o, void *token)
{
    struct emulated_descriptor *d = emulated_descriptor(e, o->fd);
    if (d == NULL)
        return false;
    if (o->kind == OPERATION_POLL)
        emulated_poll(e, d, o, token);
    else
        emulated_await(e, d, o, token);
    return true;
}

/* What is done at once has a place for its completion before, so that nothing is done in vain. */
static bool emulated_begin(struct processor *processor, const struct operation *o, void *token)
{
    struct emulated *e = emulated_of(processor);
    bool begun = true;
    if (!emulated_has_place(e))
        return false;
    switch (o->kind) {
    case OPERATION_SEND:
        emulated_complete(e, token, send_now(o));
        break;
    case OPERATION_SPLICE_OUT:
        emulated_complete(e, token, splice_out_now(o));
        break;
    case OPERATION_ACCEPT:
    case OPERATION_RECV:
    case OPERATION_POLL:
        begun = begin_waiting(e, o, token);
        break;
    case OPERATION_SPLICE_IN:
    case OPERATION_READ:
    case OPERATION_WARM:
    case OPERATION_OPEN:
    case OPERATION_STAT:
        begun = emulated_job_begin(e, o, token);
        break;
    }
    e->short_of_memory |= !begun;
    return begun;
}

/* What does not wait has completed already, or is with a thread and ends by itself. */
static bool emulated_cancel(struct processor *processor, int fd, void *token)
{
    struct emulated *e = emulated_of(processor);
    struct emulated_descriptor *d = known(e, fd);
    if (d == NULL || (d->token != token && d->poll_token != token))
        return true;
    if (!emulated_has_place(e))
        return false;
    if (d->token == token)
        d->token = NULL;
    else
        d->poll_token = NULL;
    emulated_complete(e, token, -ECANCELED);
    return true;
}

/* ---- a turn ---- */

static void note_all(struct emulated *e, const struct epoll_event *events, int count)
{
    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        struct emulated_descriptor *d = known(e, fd);
        if (d != NULL)
            emulated_note(e, d, events[i].events);
        else if (fd == workers_fd(e->workers))
            workers_collect(e->workers, &e->jobs_done);
    }
}

/* Where something has been done at once, its completions come first, and epoll is asked in the next
 * wait: as often as by a loop that knows of no completions. */
static int emulated_wait(struct processor *processor, int timeout_ms, struct processor_batch batch)
{
    (void)batch; /* epoll_wait(2) returns for one event */
    struct emulated *e = emulated_of(processor);
    struct epoll_event events[EMULATED_EVENTS_MAX];
    workers_flush(e->workers);
    e->looked_away = e->results_count > 0 && !e->looked_away;
    if (e->looked_away)
        return 0;
    if (e->results_count > 0 || !list_empty(&e->ready) || !list_empty(&e->jobs_done))
        timeout_ms = 0;
    else if (e->short_of_memory)
        timeout_ms = EMULATED_SHORT_MS;
    e->short_of_memory = false;
    stats_count(STATS_CALL_WAIT);
    int n = epoll_wait(e->epoll_fd, events, EMULATED_EVENTS_MAX, timeout_ms);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    note_all(e, events, n);
    return 0;
}

static unsigned take_results(struct emulated *e, struct completion *completions, unsigned max)
{
    unsigned n = 0;
    while (n < max && e->results_count > 0) {
        completions[n++] = e->results[e->results_first];
        e->results_first =
            e->results_first + 1 < e->base.options.entries ? e->results_first + 1 : 0;
        e->results_count--;
    }
    return n;
}

static unsigned emulated_take(struct processor *processor, struct completion *completions,
                              unsigned max)
{
    struct emulated *e = emulated_of(processor);
    unsigned n = take_results(e, completions, max);
    n += emulated_jobs_take(e, completions + n, max - n);
    return n + emulated_proceed(e, completions + n, max - n);
}

const struct processor_ops processor_epoll = {
    .name = "epoll",
    .wait_call = "epoll_wait",
    .probe = emulated_probe,
    .features = emulated_features,
    .open = emulated_open,
    .enable = emulated_enable,
    .begin = emulated_begin,
    .cancel = emulated_cancel,
    .forget = emulated_forget,
    .leave = emulated_leave,
    .wait = emulated_wait,
    .take = emulated_take,
    .give_back = emulated_give_back,
    .close = emulated_close,
};
