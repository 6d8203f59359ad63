/* dir_list.c: reads a directory into one array of items and one block of names.
 *
 * Both grow by doubling; the names are found by offset until the last is in, as the block moves. */
#include "core/dir_list.h"
#include "core/file_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct builder {
    int root_fd;
    int dir_fd;
    const char *path;
    enum file_symlinks symlinks;
    struct dir_item *items;
    size_t *offsets; /* of each item's name in `names` */
    size_t count, items_cap;
    char *names;
    size_t names_len, names_cap;
};

/* Room for one more item with a name of `size` octets (with its NUL). 0 or -ENOMEM. */
static int builder_reserve(struct builder *b, size_t size)
{
    if (b->count == b->items_cap) {
        size_t cap = b->items_cap == 0 ? 64 : b->items_cap * 2;
        struct dir_item *items = reallocarray(b->items, cap, sizeof(*items));
        size_t *offsets;

        if (items == NULL)
            return -ENOMEM;
        b->items = items;
        offsets = reallocarray(b->offsets, cap, sizeof(*offsets));
        if (offsets == NULL)
            return -ENOMEM;
        b->offsets = offsets;
        b->items_cap = cap;
    }
    if (size > b->names_cap - b->names_len) {
        size_t cap = b->names_cap * 2 + size + 1024;
        char *names = realloc(b->names, cap);

        if (names == NULL)
            return -ENOMEM;
        b->names = names;
        b->names_cap = cap;
    }
    return 0;
}

/* Looks at what the link `name` leads to. 0 or -errno. */
static int look_through_link(const struct builder *b, const char *name, struct file_meta *ret_meta)
{
    char path[PATH_MAX];
    size_t dir_len = strcmp(b->path, ".") == 0 ? 0 : strlen(b->path) + 1;
    size_t name_size = strlen(name) + 1;
    int fd, error;

    if (b->symlinks == FILE_SYMLINKS_DENY)
        return -ELOOP;
    if (dir_len + name_size > sizeof(path))
        return -ENAMETOOLONG;
    /* From the root, not from the directory: a link to "../x" stays beneath the one, not the other.
     */
    if (dir_len > 0) {
        memcpy(path, b->path, dir_len - 1);
        path[dir_len - 1] = '/';
    }
    memcpy(path + dir_len, name, name_size);
    error = file_open(b->root_fd, path, b->symlinks, &fd, ret_meta);
    if (error == 0 && fd >= 0)
        close(fd);
    return error;
}

/* What `name` is, for those who may open it. 0 or -errno. */
static int look(const struct builder *b, const char *name, struct file_meta *ret_meta)
{
    const mode_t readable = S_IRUSR | S_IRGRP | S_IROTH;
    struct stat st;

    if (fstatat(b->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (S_ISLNK(st.st_mode))
        return look_through_link(b, name, ret_meta);
    /* Not asking where everybody may read saves a third of a long listing's time. */
    if ((st.st_mode & readable) != readable && faccessat(b->dir_fd, name, R_OK, 0) < 0)
        return -errno;
    file_meta_set(ret_meta, &st);
    return 0;
}

/* Adds `name`, unless it is one to leave out. 0 or -errno. */
static int builder_add(struct builder *b, const char *name)
{
    size_t size = strlen(name) + 1;
    struct file_meta meta;
    int error;

    if (look(b, name, &meta) < 0 || meta.kind == FILE_OTHER)
        return 0;
    error = builder_reserve(b, size);
    if (error < 0)
        return error;
    memcpy(b->names + b->names_len, name, size);
    b->offsets[b->count] = b->names_len;
    b->names_len += size;
    b->items[b->count++] = (struct dir_item){
        .size = meta.size,
        .mtime_s = meta.mtime_s,
        .is_dir = meta.kind == FILE_DIRECTORY,
    };
    return 0;
}

/* Reads all names. 0 or -errno. */
static int builder_read(struct builder *b, DIR *dir, bool dotfiles, size_t items_max)
{
    size_t seen = 0;

    for (;;) {
        const struct dirent *entry;
        int error;

        errno = 0;
        entry = readdir(dir);
        if (entry == NULL)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            (entry->d_name[0] == '.' && !dotfiles))
            continue;
        if (seen++ == items_max)
            return -EFBIG;
        error = builder_add(b, entry->d_name);
        if (error < 0)
            return error;
    }
}

static int compare_items(const void *left, const void *right)
{
    const struct dir_item *a = left;
    const struct dir_item *b = right;

    return a->is_dir != b->is_dir ? (int)b->is_dir - (int)a->is_dir : strcmp(a->name, b->name);
}

int dir_list(int root_fd, const char *path, enum file_symlinks symlinks, bool dotfiles,
             size_t items_max, struct dir_listing **ret_listing)
{
    struct builder b = { .root_fd = root_fd, .path = path, .symlinks = symlinks };
    struct dir_listing *listing = NULL;
    DIR *dir = NULL;
    int error;

    b.dir_fd = file_open_directory(root_fd, path, symlinks);
    if (b.dir_fd < 0)
        return b.dir_fd;
    dir = fdopendir(b.dir_fd);
    if (dir == NULL) {
        error = -errno;
        close(b.dir_fd);
        return error;
    }
    error = builder_read(&b, dir, dotfiles, items_max);
    if (error < 0)
        goto out;
    listing = malloc(sizeof(*listing));
    if (listing == NULL) {
        error = -ENOMEM;
        goto out;
    }
    for (size_t i = 0; i < b.count; i++)
        b.items[i].name = b.names + b.offsets[i];
    if (b.count > 1)
        qsort(b.items, b.count, sizeof(*b.items), compare_items);
    *listing = (struct dir_listing){ .items = b.items, .count = b.count, .names = b.names };
    *ret_listing = listing;
    b.items = NULL;
    b.names = NULL;
out:
    closedir(dir);
    free(b.offsets);
    free(b.items);
    free(b.names);
    return error;
}

void dir_listing_free(struct dir_listing *listing)
{
    if (listing == NULL)
        return;
    free(listing->items);
    free(listing->names);
    free(listing);
}
