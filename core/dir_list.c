/* dir_list.c: reads a directory, in slices; what is found is kept and sorted by dir_pack.c, in
 * slices, too: none takes much longer than the others, however many names there are. */
#include "core/dir_list.h"
#include "core/dir_pack.h"
#include "core/file_open.h"
#include "core/file_system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS_A_NAME = 4 }; /* of sorting take as long as looking at a name, or less */

/* The best first. */
static const char *const readme_names[] = { "README", "README.md", "README.txt" };

#define READMES (sizeof(readme_names) / sizeof(readme_names[0]))

struct dir_reader {
    DIR *dir;
    int root_fd; /* borrowed */
    int dir_fd;  /* dir's */
    const char *path;
    enum file_symlinks symlinks;
    bool dotfiles;
    dev_t dev;    /* the directory's */
    bool made_up; /* ... whose files are (file_system.h) */
    struct dir_wish wish;
    size_t seen, seen_max;
    struct dir_pack *pack;
    bool sorting; /* all names are there */
    size_t folders;
    uint64_t files_size;
    unsigned readme_rank; /* of readme_names[]; past its end: none has been seen */
    const char *readme;   /* its name: in the pack */
};

int dir_reader_open(int root_fd, const char *path, enum file_symlinks symlinks, bool dotfiles,
                    size_t items_max, const struct dir_wish *wish, struct dir_reader **ret_reader)
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
    r->wish = *wish;
    r->readme_rank = READMES;
    r->pack = dir_pack_create();
    error = r->pack == NULL ? -ENOMEM : 0;
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
    r->made_up = file_system_of(r->dir_fd, st.st_dev) == FILE_SYSTEM_MADE_UP;
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
    dir_pack_free(r->pack);
    free(r);
}

size_t dir_reader_size(const struct dir_reader *r)
{
    return r->pack != NULL ? dir_pack_size(r->pack) : 0;
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

/* Opens `name`: from the root, not from the directory, since a link to "../x" stays beneath the
 * one, not the other. 0 and a descriptor, or -1 as file_open() has it, or -errno. */
static int open_name(const struct dir_reader *r, const char *name, int *ret_fd,
                     struct file_meta *ret_meta)
{
    char path[PATH_MAX];
    size_t dir_len = strcmp(r->path, ".") == 0 ? 0 : strlen(r->path) + 1;
    size_t name_size = strlen(name) + 1;

    if (dir_len + name_size > sizeof(path))
        return -ENAMETOOLONG;
    if (dir_len > 0) {
        memcpy(path, r->path, dir_len - 1);
        path[dir_len - 1] = '/';
    }
    memcpy(path + dir_len, name, name_size);
    return file_open(r->root_fd, path, r->symlinks, NULL, ret_fd, ret_meta);
}

/* Looks at what `name`, a link or what another file system lies on, is by opening it. 0 or -errno.
 */
static int look_by_opening(const struct dir_reader *r, const char *name, struct file_meta *ret_meta)
{
    int fd;
    int error = open_name(r, name, &fd, ret_meta);

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

/* Is it a README, and a better one than was seen before? */
static void note_readme(struct dir_reader *r, const struct dir_item *item)
{
    unsigned rank = 0;

    if (r->wish.readme_max == 0 || item->is_dir || item->forbidden ||
        (item->name[0] != 'R' && item->name[0] != 'r'))
        return;
    while (rank < READMES && strcasecmp(item->name, readme_names[rank]) != 0)
        rank++;
    if (rank > r->readme_rank || rank == READMES)
        return;
    if (rank < r->readme_rank || strcmp(item->name, r->readme) < 0) {
        r->readme_rank = rank;
        r->readme = item->name;
    }
}

/* Adds a name, unless it is one to leave out. 0 or -errno. */
static int add(struct dir_reader *r, const struct dirent *entry)
{
    struct file_meta meta = { .kind = entry->d_type == DT_DIR ? FILE_DIRECTORY : FILE_REGULAR };
    int error = look(r, entry->d_name, &meta);
    bool forbidden = error == -EPERM;
    struct dir_item item;

    if (is_absent(error) || error == -EACCES || meta.kind == FILE_OTHER)
        return 0;
    if (error < 0 && !forbidden)
        return error;
    if (forbidden && entry->d_type != DT_DIR && entry->d_type != DT_REG)
        return 0; /* it cannot be told whether it is anything to be served */
    item = (struct dir_item){
        .name = entry->d_name,
        .size = meta.size,
        .mtime_s = meta.mtime_s,
        .mtime_ns = meta.mtime_ns,
        .is_dir = meta.kind == FILE_DIRECTORY,
        .forbidden = forbidden,
    };
    error = dir_pack_add(r->pack, &item);
    if (error < 0)
        return error;
    if (item.is_dir)
        r->folders++;
    else if (!forbidden)
        r->files_size += meta.size;
    item = dir_pack_get(r->pack, dir_pack_count(r->pack) - 1);
    note_readme(r, &item);
    return 0;
}

/* ---- slices ---- */

static bool is_excluded(const struct dir_reader *r, const char *name)
{
    for (size_t i = 0; i < r->wish.exclude_count; i++) {
        if (fnmatch(r->wish.exclude[i], name, 0) == 0)
            return true;
    }
    return false;
}

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
            (entry->d_name[0] == '.' && !r->dotfiles) || is_excluded(r, entry->d_name))
            continue;
        if (r->seen++ == r->seen_max)
            return -EFBIG;
        error = add(r, entry);
        if (error < 0)
            return error;
    }
    return 1;
}

/* Reads at most `max` octets from `fd`, to its end. How many, or SIZE_MAX: it holds more, or cannot
 * be read. */
static size_t read_to_end(int fd, char *mem, size_t max)
{
    size_t len = 0;

    for (;;) {
        char more;
        ssize_t n =
            file_pread(fd, len < max ? mem + len : &more, len < max ? max - len : 1, (off_t)len);

        if (n <= 0)
            return n == 0 ? len : SIZE_MAX;
        if (len == max)
            return SIZE_MAX;
        len += (size_t)n;
    }
}

/* Reads the README that was seen. One that cannot be read is shown by its name alone, as is one
 * that is no text. */
static void read_readme(const struct dir_reader *r, struct dir_listing *listing)
{
    struct file_meta meta;
    size_t len = SIZE_MAX;
    char *text;
    int fd;

    if (r->readme == NULL || open_name(r, r->readme, &fd, &meta) < 0)
        return;
    text = meta.kind == FILE_REGULAR && meta.size <= r->wish.readme_max
               ? malloc(r->wish.readme_max + 1)
               : NULL;
    if (text != NULL)
        len = read_to_end(fd, text, r->wish.readme_max);
    if (len != SIZE_MAX && len > 0 && memchr(text, '\0', len) == NULL) {
        char *less = realloc(text, len);

        listing->readme = less != NULL ? less : text;
        listing->readme_len = len;
        listing->readme_name = r->readme;
        text = NULL;
    }
    free(text);
    if (fd >= 0)
        close(fd);
}

int dir_reader_run(struct dir_reader *r, size_t names_max, struct dir_listing **ret_listing)
{
    struct dir_listing *listing;
    size_t steps = names_max < SIZE_MAX / STEPS_A_NAME ? names_max * STEPS_A_NAME : SIZE_MAX;
    int more;

    if (!r->sorting) {
        more = read_names(r, names_max);
        if (more < 0)
            return more;
        r->sorting = more == 0;
        if (more > 0 || dir_pack_count(r->pack) > names_max)
            return 1;
    }
    more = dir_pack_sort(r->pack, &r->wish, steps);
    if (more != 0)
        return more;
    listing = malloc(sizeof(*listing));
    if (listing == NULL)
        return -ENOMEM;
    *listing = (struct dir_listing){ .items = r->pack,
                                     .count = dir_pack_count(r->pack),
                                     .folders = r->folders,
                                     .files_size = r->files_size };
    read_readme(r, listing);
    r->pack = NULL;
    *ret_listing = listing;
    return 0;
}

struct dir_item dir_listing_item(const struct dir_listing *listing, size_t index)
{
    return dir_pack_get(listing->items, index);
}

void dir_listing_free(struct dir_listing *listing)
{
    if (listing == NULL)
        return;
    dir_pack_free(listing->items);
    free(listing->readme);
    free(listing);
}
