/* socket_file.h: the name of a unix socket in the file system: taken, with the right mode from its
 * first moment, and given back.
 *
 * No mode is set by path, and no name is removed by path: the folder is held open (place.h), and a
 * name in it is removed only where it is a socket. In a folder that others may write to, such a
 * removal takes nothing that they could not take away themselves. */
#ifndef CORE_SOCKET_FILE_H
#define CORE_SOCKET_FILE_H

#include "core/place.h"

#include <sys/types.h>

struct socket_file {
    struct place place; /* owned */
    dev_t device;       /* what we made there: another's is not removed */
    ino_t number;
};

/* Binds `fd` to `path`, with `mode` (0666: everybody may connect) whatever the umask is (a default access control list of the
 * folder rules, acl(5)). A socket on which nobody answers is removed first. While there is one
 * thread only: the umask is the process's. 0 and a file that the caller closes, or -errno and
 * perhaps the end of a sentence (safe_open_text()): -EEXIST for what is no socket, -EADDRINUSE for
 * one that answers. */
int socket_file_bind(int fd, const char *path, mode_t mode, struct socket_file *ret_file,
                     const char **ret_what);

/* Makes the folder `path` for sockets (0755 less the umask), if there is nothing of that name yet: what
 * is there is not followed here, and judged by socket_file_bind(). 0, or -errno and perhaps the end of a
 * sentence. */
int socket_file_make_folder(const char *path, const char **ret_what);

/* Could socket_file_bind() succeed, where nobody answers? Disturbs nothing. */
int socket_file_check(const char *path, const char **ret_what);

/* Removes the name where it is still ours and the folder lets us, and lets go of the folder. Before
 * the socket is closed: as long as it lives, its file's number is nobody else's. */
void socket_file_remove(struct socket_file *file);

#endif
