/* operation.h: an asynchronous operation as data: what is to be done, and what came of it.
 *
 * The engine says what it wants in these terms alone; a processor (processor.h) has it done. Knows
 * neither connections nor io_uring. */
#ifndef ENGINES_PROACTOR_OPERATION_H
#define ENGINES_PROACTOR_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;
struct open_how; /* <linux/openat2.h> */
struct statx;    /* <sys/stat.h> */

/* What is to be done with `fd`. The results are those of the calls named, -errno in place of -1. */
enum operation_kind {
    /* Wait until there is something: */
    OPERATION_ACCEPT, /* accept4(2), close-on-exec and O_NONBLOCK, without the address. May last */
    OPERATION_RECV,   /* recv(2) into a buffer of the processor's; -ENOBUFS: all of them are out.
                         May last */
    OPERATION_POLL,   /* poll(2) for `poll.events`: which of them are there, and POLLERR, POLLHUP,
                         POLLRDHUP. May last: then once for what is there, and after that for each
                         change (edges), as EPOLLET does */
    /* Never wait for the socket, but say -EAGAIN: */
    OPERATION_SEND,       /* sendmsg(2) of `send.iov`, with MSG_DONTWAIT and MSG_NOSIGNAL */
    OPERATION_SPLICE_OUT, /* splice(2) of a pipe `fd`, which is not empty, to `splice.to_fd`, a
                             socket that is O_NONBLOCK */
    /* May take as long as a disk does: */
    OPERATION_SPLICE_IN, /* splice(2) of a file `fd` from `splice.off` on to `splice.to_fd`, a pipe
                            with room */
    OPERATION_READ,      /* pread(2); may come back short before the end of the file */
    OPERATION_WARM,      /* likewise, but the octets go nowhere: into the page cache */
    OPERATION_OPEN,      /* openat2(2) beneath `fd` */
    OPERATION_STAT,      /* statx(2) of `fd` itself, STATX_BASIC_STATS */
};

enum { OPERATION_WARM_MAX = 1 << 17 }; /* octets of one WARM */

/* Read by processor_begin(), which copies what it needs of this struct and of `send.iov`. What the
 * pointers lead to besides (octets, `path`, `how`, `stx`) is lent until the last completion. */
struct operation {
    enum operation_kind kind;
    bool lasting; /* goes on after it has completed (multishot), where the processor has it */
    int fd;
    union {
        struct {
            unsigned events;
        } poll;
        struct {
            const struct iovec *iov;
            int iovcnt; /* SEND_PLAN_IOV_MAX at most */
            bool more;  /* MSG_MORE */
        } send;
        struct {
            int to_fd;
            unsigned len;
            off_t off; /* SPLICE_IN */
            bool more; /* SPLICE_OUT: SPLICE_F_MORE */
        } splice;
        struct {
            void *mem; /* READ */
            unsigned len;
            off_t off;
        } read; /* and WARM */
        struct {
            const char *path;
            const struct open_how *how;
        } open;
        struct {
            struct statx *ret_stx;
        } stat;
    };
};

/* Flags of a completion. */
enum {
    COMPLETION_BUFFER = 1 << 0,   /* the octets are in the processor's buffer completion_buffer() */
    COMPLETION_MORE = 1 << 1,     /* the operation lasts: this was not its last completion */
    COMPLETION_BUFFER_SHIFT = 16, /* its number stands above this */
};

/* What came of an operation. */
struct completion {
    void *token; /* as given to processor_begin() */
    int res;     /* as enum operation_kind has it; -ECANCELED: it was asked to end */
    unsigned flags;
};

static inline unsigned completion_buffer(unsigned flags)
{
    return flags >> COMPLETION_BUFFER_SHIFT;
}

#endif
