/* demultiplexer_aio.c: Linux AIO as a demultiplexer: io_submit(2) with IOCB_CMD_POLL asks to be
 * told once when a descriptor is ready, io_getevents(2) takes what has come. The system calls are
 * made as such: the C library has none, and libaio adds nothing to them.
 *
 * A direction has an operation of its own, so that what is asked for anew need not be cancelled
 * first. What a turn asks for is submitted by the wait that follows. An operation holds the file:
 * with one in flight close(2) sends no FIN, so it is cancelled before; its event still comes
 * (-EINPROGRESS: the kernel's way since 4.18), and frees it. */
#include "engines/reactor/demultiplexer.h"

#include "core/check.h"
#include "core/list.h"
#include "core/stats.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    TAKE_MAX = 256,   /* events of one io_getevents(2) */
    SUBMIT_MAX = 256, /* operations of one io_submit(2) */
    RETRY_MS = 10     /* how long to wait when the kernel takes no operation now */
};

struct aio_entry;

/* One direction of a source. */
struct aio_operation {
    struct iocb iocb;
    struct aio_entry *entry;
    struct list queued; /* in aio_set.queued: to be submitted */
    bool in_flight;
};

/* A source, and its operations for as long as one is in flight, though the source may be gone. */
struct aio_entry {
    struct loop_source *source; /* NULL: removed */
    struct aio_operation read, write;
    struct list all; /* in aio_set.entries */
};

struct aio_set {
    struct demultiplexer base;
    aio_context_t context;
    struct descriptor_table by_descriptor; /* of struct aio_entry */
    struct list entries, queued;
    struct io_event taken[TAKE_MAX];
};

static struct aio_set *set_of(struct demultiplexer *d)
{
    return container_of(d, struct aio_set, base);
}

static long io_setup(unsigned count, aio_context_t *ret_context)
{
    *ret_context = 0;
    return syscall(SYS_io_setup, count, ret_context);
}

/* The kernel makes room for twice as many operations as it is asked for (and counts once), which is
 * as many as there can be: two a source. */
static int make_context(size_t sources, aio_context_t *ret_context, char *why, size_t why_size)
{
    unsigned count = (unsigned)sources;
    if (io_setup(count, ret_context) == 0)
        return 0;
    int error = errno;
    if (error == EAGAIN || error == EINVAL) /* EINVAL: more than the kernel has numbers for */
        snprintf(
            why, why_size,
            "io_setup: %u operations are more than the sysctl fs.aio-max-nr leaves: raise it, or "
            "lower connections_max (while a reload is under way, the old worker and the new one "
            "have "
            "theirs)",
            count);
    else
        snprintf(
            why, why_size,
            "io_setup: %s; this kernel, or a seccomp filter, has no Linux AIO: allow io_setup, "
            "io_submit, io_getevents, io_cancel and io_destroy, or take another demultiplexer",
            strerror(error));
    return -error;
}

/* Is the call there? With nothing to do it says so, or complains of the address (EFAULT). */
static int check_call(long res, const char *call, char *why, size_t why_size)
{
    int error = res < 0 ? errno : 0;
    if (error == 0 || error == EFAULT || error == EINVAL)
        return 0;
    snprintf(why, why_size,
             "%s: %s; a seccomp filter forbids it: allow it, or take another demultiplexer", call,
             strerror(error));
    return -error;
}

static int aio_set_probe(size_t sources, char *why, size_t why_size)
{
    aio_context_t context;
    struct io_event event;
    struct timespec now = { 0 };
    int res = make_context(sources, &context, why, why_size);
    if (res < 0)
        return res;
    res = check_call(syscall(SYS_io_submit, context, 0l, NULL), "io_submit", why, why_size);
    if (res == 0)
        res = check_call(syscall(SYS_io_getevents, context, 0l, 1l, &event, &now), "io_getevents",
                         why, why_size);
    if (res == 0)
        res = check_call(syscall(SYS_io_cancel, context, NULL, &event), "io_cancel", why, why_size);
    syscall(SYS_io_destroy, context);
    return res;
}

static int aio_set_open(size_t sources, char *why, size_t why_size,
                        struct demultiplexer **ret_demultiplexer)
{
    struct aio_set *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        snprintf(why, why_size, "out of memory");
        return -ENOMEM;
    }
    set->base.ops = &demultiplexer_aio;
    list_init(&set->entries);
    list_init(&set->queued);
    int res = make_context(sources, &set->context, why, why_size);
    if (res < 0) {
        free(set);
        return res;
    }
    *ret_demultiplexer = &set->base;
    return 0;
}

static void prepare(struct aio_entry *entry, struct aio_operation *operation, short events)
{
    operation->entry = entry;
    operation->iocb = (struct iocb){ .aio_data = (uint64_t)(uintptr_t)operation,
                                     .aio_lio_opcode = IOCB_CMD_POLL,
                                     .aio_fildes = (uint32_t)entry->source->fd,
                                     .aio_buf = (uint16_t)events };
    list_init(&operation->queued);
}

static void ask(struct aio_set *set, struct aio_operation *operation)
{
    if (!operation->in_flight && list_empty(&operation->queued))
        list_push_back(&set->queued, &operation->queued);
}

static void aio_set_want(struct demultiplexer *d, struct loop_source *source, uint32_t events)
{
    struct aio_set *set = set_of(d);
    struct aio_entry *entry = descriptor_table_get(&set->by_descriptor, source->fd);
    CHECK(entry != NULL && entry->source == source);
    if (events & DEMULTIPLEXER_READ)
        ask(set, &entry->read);
    if (events & DEMULTIPLEXER_WRITE)
        ask(set, &entry->write);
}

static int aio_set_add(struct demultiplexer *d, struct loop_source *source,
                       enum demultiplexer_role role)
{
    struct aio_set *set = set_of(d);
    struct aio_entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL || descriptor_table_set(&set->by_descriptor, source->fd, entry) < 0) {
        free(entry);
        return -ENOMEM;
    }
    entry->source = source;
    prepare(entry, &entry->read, POLLIN | POLLRDHUP);
    prepare(entry, &entry->write, POLLOUT);
    list_push_back(&set->entries, &entry->all);
    if (role != DEMULTIPLEXER_CONNECTION) /* which says what it waits for */
        aio_set_want(d, source, DEMULTIPLEXER_READ);
    return 0;
}

static void free_if_done(struct aio_entry *entry)
{
    if (entry->source != NULL || entry->read.in_flight || entry->write.in_flight)
        return;
    list_remove(&entry->all);
    free(entry);
}

static void cancel(const struct aio_set *set, struct aio_operation *operation)
{
    struct io_event event;
    list_remove(&operation->queued);
    if (operation->in_flight) /* its event comes in any case: of this, or of the operation */
        syscall(SYS_io_cancel, set->context, &operation->iocb, &event);
}

static void aio_set_remove(struct demultiplexer *d, struct loop_source *source, bool closes)
{
    (void)closes;
    struct aio_set *set = set_of(d);
    struct aio_entry *entry = descriptor_table_get(&set->by_descriptor, source->fd);
    CHECK(entry != NULL && entry->source == source);
    MUST(descriptor_table_set(&set->by_descriptor, source->fd, NULL) == 0);
    entry->source = NULL;
    cancel(set, &entry->read);
    cancel(set, &entry->write);
    free_if_done(entry);
}

/* 0, -EAGAIN: the kernel takes none of the rest now, or another -errno. */
static int submit_some(struct aio_set *set)
{
    struct iocb *batch[SUBMIT_MAX];
    long count = 0;
    for (struct list *at = set->queued.next; at != &set->queued && count < SUBMIT_MAX;
         at = at->next)
        batch[count++] = &container_of(at, struct aio_operation, queued)->iocb;
    long taken = syscall(SYS_io_submit, set->context, count, batch);
    int error = taken < 0 ? errno : 0;
    for (long i = 0; i < taken; i++) {
        struct aio_operation *operation = container_of(batch[i], struct aio_operation, iocb);
        list_remove(&operation->queued);
        operation->in_flight = true;
    }
    return taken < 0 ? -error : 0;
}

static int take(struct aio_set *set, long count, struct demultiplexer_event *events)
{
    int n = 0;
    for (long i = 0; i < count; i++) {
        struct aio_operation *operation = (void *)(uintptr_t)set->taken[i].data;
        struct aio_entry *entry = operation->entry;
        operation->in_flight = false;
        if (entry->source != NULL)
            events[n++] =
                (struct demultiplexer_event){ entry->source, (uint32_t)set->taken[i].res };
        free_if_done(entry);
    }
    return n;
}

static int aio_set_wait(struct demultiplexer *d, int timeout_ms, struct demultiplexer_event *events,
                        int max)
{
    struct aio_set *set = set_of(d);
    while (!list_empty(&set->queued)) {
        int res = submit_some(set);
        if (res == 0)
            continue;
        if (res != -EAGAIN)
            return res;
        if (timeout_ms < 0 || timeout_ms > RETRY_MS)
            timeout_ms = RETRY_MS;
        break;
    }
    struct timespec timeout = { timeout_ms / 1000, timeout_ms % 1000 * 1000000l };
    stats_count(STATS_CALL_WAIT);
    long n = syscall(SYS_io_getevents, set->context, 1, max < TAKE_MAX ? max : TAKE_MAX, set->taken,
                     timeout_ms < 0 ? NULL : &timeout);
    return n < 0 ? -errno : take(set, n, events);
}

static void aio_set_close(struct demultiplexer *d)
{
    struct aio_set *set = set_of(d);
    /* Cancels, and waits for all that is in flight. */
    MUST(syscall(SYS_io_destroy, set->context) == 0);
    while (!list_empty(&set->entries)) {
        struct aio_entry *entry = container_of(set->entries.next, struct aio_entry, all);
        list_remove(&entry->all);
        free(entry);
    }
    descriptor_table_free(&set->by_descriptor);
    free(set);
}

const struct demultiplexer_ops demultiplexer_aio = {
    .name = "aio",
    .call = "io_getevents",
    .probe = aio_set_probe,
    .open = aio_set_open,
    .add = aio_set_add,
    .want = aio_set_want,
    .remove = aio_set_remove,
    .wait = aio_set_wait,
    .close = aio_set_close,
};
