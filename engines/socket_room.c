/* socket_room.c: see socket_room.h. */
#include "engines/socket_room.h"

#include <linux/sock_diag.h>
#include <stdint.h>
#include <sys/socket.h>

size_t socket_room(int fd)
{
    uint32_t info[SK_MEMINFO_VARS];
    socklen_t len = sizeof(info);
    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0 || len != sizeof(info))
        return SIZE_MAX;
    /* TCP counts what it holds until it is acknowledged, others what is on its way. */
    uint32_t used = info[SK_MEMINFO_WMEM_QUEUED] > info[SK_MEMINFO_WMEM_ALLOC]
                        ? info[SK_MEMINFO_WMEM_QUEUED]
                        : info[SK_MEMINFO_WMEM_ALLOC];
    size_t room = info[SK_MEMINFO_SNDBUF] > used ? info[SK_MEMINFO_SNDBUF] - used : 0;
    return room / 3 * 2; /* a quarter of it was the kernel's where it was measured (Linux 6.18) */
}
