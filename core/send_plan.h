/* send_plan.h: what a connection wants to have sent next, in order: memory first, then at most one
 * range of a file.
 *
 * Filled by the protocol side, carried out by an engine, which never looks into the octets.
 * Everything that it lends is pinned until the engine reports how much was sent. */
#ifndef CORE_SEND_PLAN_H
#define CORE_SEND_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { SEND_PLAN_IOV_MAX = 16 };

struct send_plan {
    struct iovec iov[SEND_PLAN_IOV_MAX];
    int iovcnt;
    int file_fd; /* -1: no file range */
    off_t file_off;
    size_t file_len;           /* octets; follows the memory */
    bool more;                 /* more is known to follow what is planned here: MSG_MORE */
    unsigned char record_type; /* 0; else the kernel encrypts (kTLS), and the memory, without a
                                  file, is one record of this type: a control message
                                  TLS_SET_RECORD_TYPE goes with it */
};

/* Octets of memory in it. */
static inline size_t send_plan_memory(const struct send_plan *plan)
{
    size_t total = 0;
    for (int i = 0; i < plan->iovcnt; i++)
        total += plan->iov[i].iov_len;
    return total;
}

/* Leaves the first `len` bytes (above 0) of it. What follows later is no reason to wait with these:
 * `more` is false then. */
static inline void send_plan_cut(struct send_plan *plan, uint64_t len)
{
    int i = 0;
    while (i < plan->iovcnt && plan->iov[i].iov_len < len)
        len -= plan->iov[i++].iov_len;
    if (i < plan->iovcnt) {
        bool whole = i + 1 == plan->iovcnt && plan->iov[i].iov_len == len && plan->file_len == 0;
        plan->iov[i].iov_len = (size_t)len;
        plan->iovcnt = i + 1;
        plan->file_fd = -1;
        plan->file_len = 0;
        plan->more &= whole;
    } else if (plan->file_len > len) {
        plan->file_len = (size_t)len;
        plan->more = false;
    }
}

/* How far its file range goes within `len` octets: an offset in the file. */
static inline off_t send_plan_file_end(const struct send_plan *plan, size_t len)
{
    return plan->file_off + (off_t)(plan->file_len < len ? plan->file_len : len);
}

#endif
