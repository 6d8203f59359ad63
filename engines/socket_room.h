/* socket_room.h: how much a socket takes without being asked to. */
#ifndef ENGINES_SOCKET_ROOM_H
#define ENGINES_SOCKET_ROOM_H

#include <stddef.h>

/* Octets that a stream socket takes now, about: what is free of its send buffer (SO_MEMINFO,
 * sock_diag(7)), less a share for the kernel's own book-keeping. SIZE_MAX: the kernel does not
 * tell. About 0.2 us. */
size_t socket_room(int fd);

#endif
