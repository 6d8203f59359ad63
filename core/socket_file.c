/* socket_file.c: see socket_file.h. */
#include "core/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char no_socket[] = "a file of that name exists and is not a socket";

/* The address of the name in its folder. By the path where that is sure to lead there: it is what
 * ss(8) shows. Where somebody could exchange a folder on the way, through the descriptor. */
static int make_address(const struct place *place, const char *path, struct sockaddr_un *ret)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t size = sizeof(address.sun_path);

    int len = place->movable ? snprintf(address.sun_path, size, "/proc/self/fd/%d/%s",
                                        place->dir_fd, place->name)
                             : snprintf(address.sun_path, size, "%s", path);
    if (len < 0 || (size_t)len >= size)
        return -ENAMETOOLONG;
    *ret = address;
    return 0;
}

/* What is there? 0: nothing; 1: a socket; or -errno, -EEXIST for something else. */
static int look(const struct place *place, struct stat *ret_info)
{
    if (fstatat(place->dir_fd, place->name, ret_info, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : -errno;
    return S_ISSOCK(ret_info->st_mode) ? 1 : -EEXIST;
}

/* Removes a socket on which nobody answers. */
static int remove_stale(const struct place *place, const struct sockaddr_un *address)
{
    struct stat info;

    int found = look(place, &info);
    if (found <= 0)
        return found;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
    close(fd);
    if (error == ENOENT)
        return 0;
    /* Anything but a refusal (connected, or a full backlog's EAGAIN) means that somebody listens.
     */
    if (error != ECONNREFUSED)
        return -EADDRINUSE;
    return unlinkat(place->dir_fd, place->name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

/* A socket's file has 0777 less the umask (unix(7)). */
static int bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode)
{
    mode_t mask = umask(0777 & ~mode);
    int error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : -errno;

    umask(mask);
    return error;
}

int socket_file_bind(int fd, const char *path, mode_t mode, struct socket_file *ret_file,
                     const char **ret_what)
{
    struct socket_file file;
    struct sockaddr_un address;
    struct stat info;

    int error = place_open(path, 0, &file.place, ret_what);
    if (error < 0)
        return error;
    error = make_address(&file.place, path, &address);
    if (error == 0)
        error = remove_stale(&file.place, &address);
    if (error == -EEXIST)
        *ret_what = no_socket;
    if (error == 0)
        error = bind_with_mode(fd, &address, mode);
    if (error == 0 && fstatat(file.place.dir_fd, file.place.name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        error = -errno;
    if (error < 0) {
        place_close(&file.place);
        return error;
    }
    file.device = info.st_dev;
    file.number = info.st_ino;
    *ret_file = file;
    return 0;
}

int socket_file_make_folder(const char *path, const char **ret_what)
{
    struct place place;

    int error = place_open(path, 0, &place, ret_what);
    if (error < 0)
        return error;
    if (mkdirat(place.dir_fd, place.name, 0755) != 0 && errno != EEXIST)
        error = -errno;
    place_close(&place);
    return error;
}

int socket_file_check(const char *path, const char **ret_what)
{
    struct place place;
    struct sockaddr_un address;
    struct stat info;

    int error = place_open(path, 0, &place, ret_what);
    if (error < 0)
        return error;
    error = make_address(&place, path, &address);
    if (error == 0)
        error = look(&place, &info);
    if (error == -EEXIST)
        *ret_what = no_socket;
    if (error >= 0)
        error = place_may_create(&place);
    place_close(&place);
    return error;
}

void socket_file_remove(struct socket_file *file)
{
    const struct place *place = &file->place;
    struct stat info;

    if (look(place, &info) == 1 && info.st_dev == file->device && info.st_ino == file->number)
        unlinkat(place->dir_fd, place->name, 0);
    place_close(&file->place);
}
