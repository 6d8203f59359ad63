/* dictionary_files.c: see dictionary_files.h. */
#include "process/dictionary_files.h"

#include "core/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int dictionary_open(int folder_fd, const char *name, struct stat *ret_stat)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = openat(folder_fd, name, folder_fd == AT_FDCWD ? flags : flags | O_NOFOLLOW);
    int error;

    if (fd < 0)
        return -errno;
    if (fstat(fd, ret_stat) == 0)
        return fd;
    error = errno;
    close(fd);
    return -error;
}

static int by_name(const void *a, const void *b)
{
    const struct dictionary_name *const names[] = { a, b };

    return strcmp(names[0]->name, names[1]->name);
}

static int add(struct dictionary_folder *folder, size_t *size, const char *name,
               const struct stat *st)
{
    struct dictionary_name *names = folder->names;
    char *copy = strdup(name);

    if (folder->count == *size) {
        *size = *size * 2 + 64;
        names = reallocarray(names, *size, sizeof(names[0]));
        if (names != NULL)
            folder->names = names;
    }
    if (copy == NULL || names == NULL) {
        free(copy);
        return -ENOMEM;
    }
    names[folder->count++] = (struct dictionary_name){ .name = copy,
                                                       .is_folder = S_ISDIR(st->st_mode),
                                                       .mtime_s = st->st_mtime };
    return 0;
}

int dictionary_folder_read(int fd, struct dictionary_folder *ret_folder)
{
    struct dictionary_folder folder = { .fd = dup(fd) };
    const struct dirent *entry;
    DIR *dir = fdopendir(fd);
    size_t size = 0;
    int res = 0;

    if (dir == NULL || folder.fd < 0) {
        res = -errno;
        if (dir != NULL)
            closedir(dir);
        else
            close(fd);
        if (folder.fd >= 0)
            close(folder.fd);
        return res;
    }
    while (res == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
        struct stat st;

        if (entry->d_name[0] == '.' ||
            fstatat(folder.fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
            continue;
        res = add(&folder, &size, entry->d_name, &st);
    }
    if (res == 0)
        res = -errno;
    closedir(dir);
    if (res < 0) {
        dictionary_folder_free(&folder);
        return res;
    }
    if (folder.count > 0)
        qsort(folder.names, folder.count, sizeof(folder.names[0]), by_name);
    *ret_folder = folder;
    return 0;
}

void dictionary_folder_free(struct dictionary_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->names[i].name);
    free(folder->names);
    close(folder->fd);
}

int dictionary_read(int fd, size_t size, struct span *ret_content)
{
    char *octets = malloc(size + 1);
    size_t len = 0;
    ssize_t n = 1;

    if (octets == NULL)
        return -ENOMEM;
    while (len < size + 1 && n != 0) {
        n = read(fd, octets + len, size + 1 - len);
        if (n < 0 && errno != EINTR) {
            n = -errno;
            free(octets);
            return (int)n;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    if (len != size) {
        free(octets);
        return -ESTALE;
    }
    *ret_content = span_make(octets, size);
    return 0;
}

static int write_all(int fd, const struct span *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t done = 0; done < pieces[i].len;) {
            ssize_t n = write(fd, pieces[i].ptr + done, pieces[i].len - done);

            if (n < 0 && errno != EINTR)
                return -errno;
            done += n > 0 ? (size_t)n : 0;
        }
    }
    return 0;
}

/* Mode and times: the file tells that it was made of what `like` was. */
static int make_like(int fd, const struct stat *like)
{
    const struct timespec times[] = { like->st_mtim, like->st_mtim };

    if (fchmod(fd, like->st_mode & 0666) != 0 || futimens(fd, times) != 0)
        return -errno;
    return 0;
}

int dictionary_write(int folder_fd, const char *name, const struct stat *like,
                     const struct span *pieces, size_t count)
{
    char temporary[64];
    int fd, res;

    snprintf(temporary, sizeof(temporary), ".gearshift-dictionary.%d", (int)getpid());
    fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    res = write_all(fd, pieces, count);
    if (res == 0)
        res = make_like(fd, like);
    if (close(fd) != 0 && res == 0)
        res = -errno;
    if (res == 0 && syscall(SYS_renameat2, folder_fd, temporary, folder_fd, name, 0) != 0)
        res = -errno;
    if (res < 0)
        unlinkat(folder_fd, temporary, 0);
    return res;
}

int dictionary_remove(int folder_fd, const char *name)
{
    return unlinkat(folder_fd, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}
