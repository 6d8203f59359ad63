/* archive.c: the walk, level by level, and the pieces in their order: head, contents and tail of
 * each entry, the records of all, the end. */
#include "core/archive.h"

#include "core/archive_entry.h"
#include "core/arena.h"
#include "core/check.h"
#include "core/dir_list.h"
#include "core/dir_pack.h"
#include "core/file_close.h"
#include "core/file_open.h"
#include "core/list.h"
#include "core/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define ARCHIVE_MAGIC 0xa2c417e5u

enum { NAMES_AT_ONCE = 256, TAKEN_AT_ONCE = 1024, ENTRIES_AT_ONCE = 1024 };

enum stage { STAGE_HEAD, STAGE_CONTENTS, STAGE_TAIL, STAGE_RECORDS, STAGE_END, STAGE_OVER };

struct archive {
    unsigned magic;
    struct file_source source;
    struct archive_wish wish;
    const struct archive_format *format;
    struct arena *texts; /* paths and names */
    size_t texts_len;
    struct archive_entry *entries; /* the first is the directory itself */
    size_t count, cap;
    uint64_t bytes;
    /* the walk */
    size_t walked;             /* entries before this one are done */
    char *walked_path;         /* beneath the root, of the one that is read */
    struct dir_reader *reader; /* of that */
    struct dir_listing *found; /* in that, once it is read */
    size_t taken;              /* items of it that are entries */
    size_t placed;             /* entries whose offset is known */
    bool known;                /* all is */
    uint64_t at;               /* ... so far */
    uint64_t records_off, records_len;
    uint64_t hash;
    /* the stream */
    enum stage stage;
    size_t item;  /* entry */
    uint64_t off; /* octets of the piece that have been made */
    int fd;       /* of its contents, or -1 */
    bool remote;  /* ... which are another machine's, or a process's (file_system.h) */
    char piece[ARCHIVE_HEAD_MAX];
};

/* ---- the walk ---- */

/* The path beneath the root; NULL: memory is short. */
static char *path_of(const struct archive *a, const struct archive_entry *entry)
{
    const char *top = strcmp(a->wish.path, ".") == 0 ? "" : a->wish.path;
    char *path = NULL;

    if (top[0] == '\0' && entry->path[0] == '\0')
        return strdup(".");
    if (asprintf(&path, "%s%s%s", top, top[0] != '\0' && entry->path[0] != '\0' ? "/" : "",
                 entry->path) < 0)
        return NULL;
    return path;
}

static int add(struct archive *a, const struct archive_entry *entry)
{
    if (a->count == a->cap) {
        size_t cap = a->cap == 0 ? 64 : a->cap * 2;
        struct archive_entry *entries = reallocarray(a->entries, cap, sizeof(*entries));

        if (entries == NULL)
            return -ENOMEM;
        a->entries = entries;
        a->cap = cap;
    }
    a->entries[a->count++] = *entry;
    return 0;
}

/* Adds what was found in the directory `index`. */
static int add_item(struct archive *a, size_t index, const struct dir_item *item)
{
    const struct archive_entry *dir = &a->entries[index];
    const char *slash = item->is_dir ? "/" : "";
    struct archive_entry entry = { .size = item->is_dir ? 0 : item->size,
                                   .mtime_s = item->mtime_s,
                                   .mtime_ns = item->mtime_ns,
                                   .parent = index,
                                   .depth = dir->depth + 1,
                                   .is_dir = item->is_dir };
    char *name;

    if (item->forbidden)
        return 0;
    if (a->count > a->wish.entries_max || entry.depth > ARCHIVE_DEPTH_MAX ||
        entry.size > a->wish.bytes_max - a->bytes)
        return -EFBIG;
    entry.path =
        arena_printf(a->texts, "%s%s%s", dir->path, dir->path[0] != '\0' ? "/" : "", item->name);
    name = entry.path == NULL ? NULL
                              : arena_printf(a->texts, "%s/%s%s", a->wish.top, entry.path, slash);
    if (name == NULL)
        return -ENOMEM;
    entry.name = span_str(name);
    if (entry.name.len > PATH_MAX)
        return -EFBIG;
    a->texts_len += 2 * entry.name.len;
    a->bytes += entry.size;
    return add(a, &entry);
}

/* Is one of the directories around `index` the same: does a link lead back? */
static bool leads_back(const struct archive *a, size_t index)
{
    const struct archive_entry *dir = &a->entries[index];

    while (index != 0) {
        index = a->entries[index].parent;
        if (a->entries[index].dev == dir->dev && a->entries[index].ino == dir->ino)
            return true;
    }
    return false;
}

/* Begins to read the directory `index`. 0; 1: there is nothing to be read in it; or -errno. */
static int open_directory(struct archive *a, size_t index)
{
    const struct dir_wish wish = { .exclude = a->wish.exclude,
                                   .exclude_count = a->wish.exclude_count };
    struct stat st;
    int fd, res;

    free(a->walked_path);
    a->walked_path = path_of(a, &a->entries[index]);
    if (a->walked_path == NULL)
        return -ENOMEM;
    fd = file_open_directory(a->wish.root_fd, a->walked_path, a->wish.symlinks);
    if (fd < 0)
        return index > 0 && (fd == -EACCES || fd == -ENOENT || fd == -ENOTDIR) ? 1 : fd;
    res = fstat(fd, &st) < 0 ? -errno : 0;
    close(fd);
    if (res < 0)
        return res;
    a->entries[index].dev = st.st_dev;
    a->entries[index].ino = st.st_ino;
    if (index == 0)
        a->entries[0].mtime_s = st.st_mtim.tv_sec;
    if (leads_back(a, index))
        return 1;
    return dir_reader_open(a->wish.root_fd, a->walked_path, a->wish.symlinks, a->wish.dotfiles,
                           a->wish.entries_max, &wish, &a->reader);
}

/* Makes entries of what was found in a directory; once all of it is, the walk goes on behind that.
 * 1, or -errno. */
static int take_some(struct archive *a)
{
    size_t end =
        a->taken + TAKEN_AT_ONCE < a->found->count ? a->taken + TAKEN_AT_ONCE : a->found->count;

    for (; a->taken < end; a->taken++) {
        const struct dir_item item = dir_listing_item(a->found, a->taken);
        int res = add_item(a, a->walked, &item);

        if (res < 0)
            return res;
    }
    if (a->taken == a->found->count) {
        dir_listing_free(a->found);
        a->found = NULL;
        a->taken = 0;
        a->walked++;
    }
    return 1;
}

/* A slice of the walk: 1 there is more, 0, or -errno. */
static int walk_some(struct archive *a)
{
    int res = 0;

    if (a->found != NULL)
        return take_some(a);
    for (size_t i = 0; i < ENTRIES_AT_ONCE && a->walked < a->count; i++) {
        if (!a->entries[a->walked].is_dir) {
            a->walked++;
            continue;
        }
        if (a->reader == NULL) {
            res = open_directory(a, a->walked);
            if (res < 0)
                return res;
            if (res == 1) {
                a->walked++;
                continue;
            }
        }
        res = dir_reader_run(a->reader, NAMES_AT_ONCE, &a->found);
        if (res == 1)
            return 1;
        dir_reader_free(a->reader);
        a->reader = NULL;
        return res < 0 ? res : take_some(a);
    }
    return a->walked < a->count;
}

/* Gives entries their places. 1 there are more, or 0. */
static int place_some(struct archive *a)
{
    static const uint64_t key[2] = { UINT64_C(0x6765617273686966), UINT64_C(0x7461726368697665) };

    for (size_t i = 0; i < ENTRIES_AT_ONCE && a->placed < a->count; i++, a->placed++) {
        struct archive_entry *entry = &a->entries[a->placed];
        uint64_t told[4] = { a->hash, entry->size, (uint64_t)entry->mtime_s,
                             (uint64_t)entry->mtime_ns };

        entry->off = a->at;
        a->at += a->format->head(entry, a->piece) + entry->size;
        a->at += a->format->tail(entry, a->piece);
        a->records_len += a->format->record(entry, a->piece);
        a->hash =
            siphash13(key, told, sizeof(told)) ^ siphash13(key, entry->name.ptr, entry->name.len);
        a->hash = siphash13(key, &a->hash, sizeof(a->hash));
    }
    if (a->placed < a->count)
        return 1;
    a->records_off = a->at;
    a->at += a->records_len;
    a->at += a->format->end(a->count, a->records_off, a->records_len, a->piece);
    a->known = true;
    return 0;
}

static int know_some(struct archive *a)
{
    int res = a->placed == 0 ? walk_some(a) : 0;

    return res != 0 ? res : place_some(a);
}

/* ---- the stream ---- */

static int open_contents(struct archive *a)
{
    const struct archive_entry *entry = &a->entries[a->item];
    char *path = path_of(a, entry);
    struct file_meta meta;
    int fd = -1, res;

    if (path == NULL)
        return -ENOMEM;
    res = file_open(a->wish.root_fd, path, a->wish.symlinks, NULL, &fd, &meta);
    free(path);
    if (res < 0)
        return res == -ENOENT ? -ESTALE : res;
    a->fd = fd;
    a->remote = meta.remote;
    return meta.kind == FILE_REGULAR && meta.size == entry->size &&
                   meta.mtime_s == entry->mtime_s && meta.mtime_ns == entry->mtime_ns
               ? 0
               : -ESTALE;
}

static void close_contents(struct archive *a)
{
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
}

static ssize_t read_contents(struct archive *a, char *mem, size_t len)
{
    struct archive_entry *entry = &a->entries[a->item];
    uint64_t left = entry->size - a->off;
    ssize_t n;
    int res = a->fd < 0 ? open_contents(a) : 0;

    if (res < 0)
        return res;
    n = file_pread(a->fd, mem, left < len ? (size_t)left : len, (off_t)a->off);
    if (n <= 0)
        return n == 0 ? -ESTALE : n; /* it has become shorter */
    if (a->wish.kind == ARCHIVE_ZIP)
        entry->crc = (uint32_t)crc32(entry->crc, (const void *)mem, (unsigned)n);
    return n;
}

/* The piece that the stage makes, in a->piece. */
static size_t make_piece(struct archive *a)
{
    const struct archive_entry *entry = &a->entries[a->item < a->count ? a->item : 0];

    switch (a->stage) {
    case STAGE_HEAD:
        return a->format->head(entry, a->piece);
    case STAGE_TAIL:
        return a->format->tail(entry, a->piece);
    case STAGE_RECORDS:
        return a->format->record(entry, a->piece);
    case STAGE_END:
        return a->format->end(a->count, a->records_off, a->records_len, a->piece);
    default:
        UNREACHABLE();
    }
}

static void next_stage(struct archive *a)
{
    a->off = 0;
    switch (a->stage) {
    case STAGE_HEAD:
        a->stage = STAGE_CONTENTS;
        return;
    case STAGE_CONTENTS:
        close_contents(a);
        a->stage = STAGE_TAIL;
        return;
    case STAGE_TAIL:
        a->stage = ++a->item < a->count ? STAGE_HEAD : STAGE_RECORDS;
        a->item = a->item < a->count ? a->item : 0;
        return;
    case STAGE_RECORDS:
        if (++a->item == a->count)
            a->stage = STAGE_END;
        return;
    case STAGE_END:
    case STAGE_OVER:
        a->stage = STAGE_OVER;
        return;
    }
}

static int read_some(struct archive *a, char *mem, size_t len)
{
    size_t done = 0;

    while (done < len && a->stage != STAGE_OVER) {
        size_t piece_len;

        if (a->stage == STAGE_CONTENTS) {
            ssize_t n = 0;

            if (a->off < a->entries[a->item].size)
                n = read_contents(a, mem + done, len - done);
            if (n < 0)
                return (int)n;
            done += (size_t)n;
            a->off += (uint64_t)n;
            if (a->off == a->entries[a->item].size)
                next_stage(a);
            continue;
        }
        piece_len = make_piece(a);
        if (a->off < piece_len) {
            size_t n = piece_len - (size_t)a->off;

            n = n < len - done ? n : len - done;
            memcpy(mem + done, a->piece + a->off, n);
            done += n;
            a->off += n;
        }
        if (a->off == piece_len)
            next_stage(a);
    }
    return (int)done;
}

void archive_seek(struct archive *a, uint64_t off)
{
    size_t first = 0, end = a->count;
    struct archive_entry *entry;
    size_t head;

    CHECK(a->known && a->wish.kind == ARCHIVE_TAR && off < a->at);
    while (end - first > 1) { /* the last entry that begins at or before it */
        size_t middle = first + (end - first) / 2;

        if (a->entries[middle].off <= off)
            first = middle;
        else
            end = middle;
    }
    entry = &a->entries[first];
    head = a->format->head(entry, a->piece);
    a->item = first;
    a->off = off - entry->off;
    a->stage = STAGE_HEAD;
    if (off >= a->records_off) {
        a->stage = STAGE_END;
        a->off = off - a->records_off;
    } else if (a->off >= head + entry->size) {
        a->stage = STAGE_TAIL;
        a->off -= head + entry->size;
    } else if (a->off >= head) {
        a->stage = STAGE_CONTENTS;
        a->off -= head;
    }
}

/* ---- its life ---- */

static int source_read(struct file_source *source, void *mem, size_t len)
{
    struct archive *a = container_of(source, struct archive, source);

    CHECK_OBJ(a, ARCHIVE_MAGIC);
    CHECK((mem != NULL) == a->known);
    return mem == NULL ? know_some(a) : read_some(a, mem, len);
}

int archive_create(const struct archive_wish *wish, struct archive **ret_archive)
{
    struct archive *a = calloc(1, sizeof(*a));
    struct archive_entry top = { .path = "", .is_dir = true };
    char *name = NULL;
    int res = -ENOMEM;

    if (a == NULL)
        return -ENOMEM;
    a->magic = ARCHIVE_MAGIC;
    a->source.read = source_read;
    a->wish = *wish;
    a->wish.root_fd = -1;
    a->format = wish->kind == ARCHIVE_ZIP ? &archive_zip : &archive_tar;
    a->fd = -1;
    a->texts = arena_create();
    if (a->texts == NULL)
        goto fail;
    a->wish.path = arena_strdup(a->texts, wish->path);
    a->wish.top = arena_strdup(a->texts, wish->top);
    name = arena_printf(a->texts, "%s/", wish->top);
    if (a->wish.path == NULL || a->wish.top == NULL || name == NULL)
        goto fail;
    top.name = span_str(name);
    res = add(a, &top);
    if (res < 0)
        goto fail;
    a->wish.root_fd = fcntl(wish->root_fd, F_DUPFD_CLOEXEC, 3);
    res = -errno;
    if (a->wish.root_fd < 0)
        goto fail;
    *ret_archive = a;
    return 0;

fail:
    archive_free(a);
    return res;
}

struct file_source *archive_source(struct archive *a)
{
    CHECK_OBJ(a, ARCHIVE_MAGIC);
    return &a->source;
}

size_t archive_size(const struct archive *a)
{
    return sizeof(*a) + a->cap * sizeof(a->entries[0]) + a->texts_len +
           (a->reader != NULL ? dir_reader_size(a->reader) : 0) +
           (a->found != NULL ? dir_pack_size(a->found->items) : 0);
}

uint64_t archive_len(const struct archive *a)
{
    CHECK(a->known);
    return a->at;
}

uint64_t archive_hash(const struct archive *a)
{
    CHECK(a->known);
    return a->hash;
}

void archive_free(struct archive *a)
{
    if (a == NULL)
        return;
    CHECK_OBJ(a, ARCHIVE_MAGIC);
    if (a->fd >= 0) /* whoever frees it may not wait, as a worker may who makes it */
        file_close(a->fd, a->remote);
    if (a->wish.root_fd >= 0)
        close(a->wish.root_fd);
    dir_reader_free(a->reader);
    dir_listing_free(a->found);
    free(a->walked_path);
    free(a->entries);
    arena_destroy(a->texts);
    a->magic = 0;
    free(a);
}
