/* mount_number.h: the number of the mount that a file lies in, out of what statx(2) has told.
 * musl 1.2.5 has statx(), and neither the flag nor the member for it. */
#ifndef CORE_MOUNT_NUMBER_H
#define CORE_MOUNT_NUMBER_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

enum {
    STX_MNT_ID_AT = 0x90
}; /* stx_mnt_id in the kernel's structure, of any architecture (linux/stat.h) */

#ifdef STATX_MNT_ID
static_assert(offsetof(struct statx, stx_mnt_id) == STX_MNT_ID_AT, "statx(2)");
#else
#define STATX_MNT_ID 0x1000U
#endif
static_assert(sizeof(struct statx) >= STX_MNT_ID_AT + sizeof(uint64_t), "statx(2)");

/* What was asked for with STATX_MNT_ID; 0: the kernel has not told it (before Linux 5.8). */
static inline uint64_t mount_number(const struct statx *stx)
{
    uint64_t number = 0;

    if ((stx->stx_mask & STATX_MNT_ID) != 0)
        memcpy(&number, (const unsigned char *)stx + STX_MNT_ID_AT, sizeof(number));
    return number;
}

#endif
