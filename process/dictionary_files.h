/* dictionary_files.h: the files and folders of `gearshift dictionary`: opened by the rights of who
 * calls it, beneath the folders that he names without following links. */
#ifndef PROCESS_DICTIONARY_FILES_H
#define PROCESS_DICTIONARY_FILES_H

#include "core/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* A file of a folder, or a folder beneath it. */
struct dictionary_name {
    char *name; /* without folders; owned */
    bool is_folder;
    time_t mtime_s; /* of a file */
};

struct dictionary_folder {
    int fd;                        /* owned */
    struct dictionary_name *names; /* sorted by name; owned */
    size_t count;
};

/* Opens a file or folder beneath `folder_fd` (AT_FDCWD: `name` is a path, and a link is followed).
 * A descriptor, which the caller owns, and what it is, or -errno. */
int dictionary_open(int folder_fd, const char *name, struct stat *ret_stat);

/* Reads the names of the folder open as `fd`, which is taken, but for dotfiles, links and what is
 * neither file nor folder. 0, or -errno. */
int dictionary_folder_read(int fd, struct dictionary_folder *ret_folder);
void dictionary_folder_free(struct dictionary_folder *folder);

/* Reads the `size` octets of the file open as `fd`: 0 and malloc(3)ed memory, which the caller
 * owns, or -errno; -ESTALE: it has not so many. */
int dictionary_read(int fd, size_t size, struct span *ret_content);

/* Puts a file of this name into the folder, or in the place of one: whoever looks sees all of it or
 * nothing. It gets mode and mtime of `like`. 0, or -errno. */
int dictionary_write(int folder_fd, const char *name, const struct stat *like,
                     const struct span *pieces, size_t count);

/* Removes the file of this name from the folder, if there is one. 0, or -errno. */
int dictionary_remove(int folder_fd, const char *name);

#endif
