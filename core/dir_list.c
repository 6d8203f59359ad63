/* dir_list.c: reads a directory into one array of items, in slices.
 *
 * Each slice is sorted by itself, and slices are merged as they come, the small ones first: so none
 * takes much longer than the others, however many names there are. */
#include "core/dir_list.h"
#include "core/arena.h"
#include "core/file_made_up.h"
#include "core/file_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS_MAX = 48 };

struct dir_reader {
    DIR *dir;
    int root_fd; /* borrowed */
    int dir_fd;  /* dir's */
    const char *path;
    enum file_symlinks symlinks;
    bool dotfiles;
    dev_t dev;    /* the directory's */
    bool made_up; /* ... whose files are (file_made_up.h) */
    size_t seen, seen_max;
    struct dir_item *items;
    size_t count, items_cap;
    struct arena *names; /* the items' names */
    size_t names_len;
    size_t runs[RUNS_MAX]; /* the items are so many sorted runs, of these lengths */
    unsigned runs_count;
};

int dir_reader_open(int root_fd, const char *path, enum file_symlinks symlinks, bool dotfiles,
                    size_t items_max, struct dir_reader **ret_reader)
{
    struct dir_reader *r = calloc(1, sizeof(*r));
    struct stat st;
    int error;

    if (r == NULL)
        return -ENOMEM;
    r->root_fd = root_fd;
    r->path = path;
    r->symlinks = symlinks;
    r->dotfiles = dotfiles;
    r->seen_max = items_max;
    r->names = arena_create();
    error = r->names == NULL ? -ENOMEM : 0;
    if (error == 0)
        r->dir_fd = file_open_directory(root_fd, path, symlinks);
    if (error == 0 && r->dir_fd < 0)
        error = r->dir_fd;
    if (error < 0)
        goto fail;
    r->dir = fdopendir(r->dir_fd);
    if (r->dir == NULL) {
        error = -errno;
        close(r->dir_fd);
        goto fail;
    }
    if (fstat(r->dir_fd, &st) < 0) {
        error = -errno;
        goto fail;
    }
    r->dev = st.st_dev;
    r->made_up = file_made_up(r->dir_fd, st.st_dev);
    *ret_reader = r;
    return 0;

fail:
    dir_reader_free(r);
    return error;
}

void dir_reader_free(struct dir_reader *r)
{
    if (r == NULL)
        return;
    if (r->dir != NULL)
        closedir(r->dir);
    free(r->items);
    arena_destroy(r->names);
    free(r);
}

size_t dir_reader_size(const struct dir_reader *r)
{
    return r->items_cap * sizeof(*r->items) + r->names_len;
}

/* ---- one name ---- */

/* Would opening the name be answered with 404? */
static bool is_absent(int error)
{
    switch (-error) {
    case ENOENT: /* removed meanwhile, or a link that leads nowhere */
    case ENOTDIR:
    case ELOOP:
    case EXDEV: /* a link that leaves the root */
    case ENAMETOOLONG:
    case ENXIO:
    case ENODEV:
        return true;
    default:
        return false;
    }
}

/* Looks at what `name`, a link or what another file system lies on, is by opening it: from the
 * root, not from the directory, since a link to "../x" stays beneath the one, not the other. 0 or
 * -errno. */
static int look_by_opening(const struct dir_reader *r, const char *name, struct file_meta *ret_meta)
{
    char path[PATH_MAX];
    size_t dir_len = strcmp(r->path, ".") == 0 ? 0 : strlen(r->path) + 1;
    size_t name_size = strlen(name) + 1;
    int fd, error;

    if (dir_len + name_size > sizeof(path))
        return -ENAMETOOLONG;
    if (dir_len > 0) {
        memcpy(path, r->path, dir_len - 1);
        path[dir_len - 1] = '/';
    }
    memcpy(path + dir_len, name, name_size);
    error = file_open(r->root_fd, path, r->symlinks, &fd, ret_meta);
    if (error == 0 && fd >= 0)
        close(fd);
    return error;
}

/* What `name` is, for those who may open it. 0 or -errno; -EPERM: it may not even be looked at. */
static int look(const struct dir_reader *r, const char *name, struct file_meta *ret_meta)
{
    const mode_t readable = S_IRUSR | S_IRGRP | S_IROTH;
    struct stat st;

    if (fstatat(r->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == EACCES ? -EPERM : -errno;
    if (S_ISLNK(st.st_mode) && r->symlinks == FILE_SYMLINKS_DENY)
        return -ELOOP;
    if (S_ISLNK(st.st_mode) || st.st_dev != r->dev) {
        int error = look_by_opening(r, name, ret_meta);

        /* What the link leads to lies in a directory that is closed, or is closed itself. */
        if (error == -EACCES && fstatat(r->dir_fd, name, &st, 0) < 0 && errno == EACCES)
            return -EPERM;
        return error;
    }
    /* Not asking where everybody may read saves a third of a long listing's time. */
    if ((st.st_mode & readable) != readable && faccessat(r->dir_fd, name, R_OK, 0) < 0)
        return -errno;
    file_meta_set(ret_meta, &st);
    if (ret_meta->kind == FILE_REGULAR && r->made_up)
        ret_meta->kind = FILE_OTHER;
    return 0;
}

/* Room for one more item. 0 or -ENOMEM. */
static int reserve(struct dir_reader *r)
{
    size_t cap = r->items_cap == 0 ? 64 : r->items_cap * 2;
    struct dir_item *items;

    if (r->count < r->items_cap)
        return 0;
    items = reallocarray(r->items, cap, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    r->items = items;
    r->items_cap = cap;
    return 0;
}

/* Adds a name, unless it is one to leave out. 0 or -errno. */
static int add(struct dir_reader *r, const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    struct file_meta meta = { .kind = entry->d_type == DT_DIR ? FILE_DIRECTORY : FILE_REGULAR };
    int error = look(r, entry->d_name, &meta);
    bool forbidden = error == -EPERM;
    const char *name;

    if (is_absent(error) || error == -EACCES || meta.kind == FILE_OTHER)
        return 0;
    if (error < 0 && !forbidden)
        return error;
    if (forbidden && entry->d_type != DT_DIR && entry->d_type != DT_REG)
        return 0; /* it cannot be told whether it is anything to be served */
    error = reserve(r);
    if (error < 0)
        return error;
    name = arena_strndup(r->names, entry->d_name, len);
    if (name == NULL)
        return -ENOMEM;
    r->names_len += len + 1;
    r->items[r->count++] = (struct dir_item){
        .name = name,
        .size = meta.size,
        .mtime_s = meta.mtime_s,
        .is_dir = meta.kind == FILE_DIRECTORY,
        .forbidden = forbidden,
    };
    return 0;
}

/* ---- the order ---- */

static int compare_items(const void *left, const void *right)
{
    const struct dir_item *a = left;
    const struct dir_item *b = right;

    return a->is_dir != b->is_dir ? (int)b->is_dir - (int)a->is_dir : strcmp(a->name, b->name);
}

/* Makes one run of the last two. 0 or -ENOMEM. */
static int merge_last(struct dir_reader *r)
{
    size_t left_len = r->runs[r->runs_count - 2];
    size_t right_len = r->runs[r->runs_count - 1];
    struct dir_item *to = r->items + r->count - left_len - right_len;
    const struct dir_item *right = to + left_len, *end = right + right_len;
    struct dir_item *copy = reallocarray(NULL, left_len, sizeof(*copy));
    const struct dir_item *left = copy, *left_end = copy + left_len;

    if (copy == NULL)
        return -ENOMEM;
    memcpy(copy, to, left_len * sizeof(*copy));
    while (left < left_end) {
        bool takes_right = right < end && compare_items(right, left) < 0;

        *to++ = takes_right ? *right++ : *left++;
    }
    free(copy);
    r->runs[--r->runs_count - 1] = left_len + right_len;
    return 0;
}

/* The last `len` items are a new run. `all`: and then there is only one. 0 or -ENOMEM. */
static int add_run(struct dir_reader *r, size_t len, bool all)
{
    if (len > 0) {
        qsort(r->items + r->count - len, len, sizeof(*r->items), compare_items);
        r->runs[r->runs_count++] = len;
    }
    while (r->runs_count > 1 && (all || r->runs_count == RUNS_MAX ||
                                 r->runs[r->runs_count - 2] <= r->runs[r->runs_count - 1])) {
        int error = merge_last(r);

        if (error < 0)
            return error;
    }
    return 0;
}

/* ---- slices ---- */

/* Reads the names of a slice. 1: there may be more; 0: that was all; or -errno. */
static int read_names(struct dir_reader *r, size_t names_max)
{
    for (size_t i = 0; i < names_max; i++) {
        const struct dirent *entry;
        int error;

        errno = 0;
        entry = readdir(r->dir);
        if (entry == NULL)
            return -errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            (entry->d_name[0] == '.' && !r->dotfiles))
            continue;
        if (r->seen++ == r->seen_max)
            return -EFBIG;
        error = add(r, entry);
        if (error < 0)
            return error;
    }
    return 1;
}

int dir_reader_run(struct dir_reader *r, size_t names_max, struct dir_listing **ret_listing)
{
    size_t before = r->count;
    int more = read_names(r, names_max);
    int error = more < 0 ? more : add_run(r, r->count - before, more == 0);
    struct dir_listing *listing;

    if (error < 0)
        return error;
    if (more > 0)
        return 1;
    listing = malloc(sizeof(*listing));
    if (listing == NULL)
        return -ENOMEM;
    *listing = (struct dir_listing){ .items = r->items, .count = r->count, .names = r->names };
    r->items = NULL;
    r->names = NULL;
    *ret_listing = listing;
    return 0;
}

void dir_listing_free(struct dir_listing *listing)
{
    if (listing == NULL)
        return;
    free(listing->items);
    arena_destroy(listing->names);
    free(listing);
}
