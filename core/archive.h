/* archive.h: a directory, with all that lies below it, as one stream: tar, or zip without
 * compression.
 *
 * Its layout follows from names, sizes and times alone, so its length is known before the first
 * octet is read. It is walked first (in slices), then made piece by piece, both as a struct
 * file_source: by whoever executes file jobs. What it holds is found by the rules of a listing
 * (dir_list.h), and each file is opened beneath the root, as any other. A file that is no longer as
 * it was when it was found ends the stream (-ESTALE): nothing is sent that does not fit what was
 * announced. */
#ifndef CORE_ARCHIVE_H
#define CORE_ARCHIVE_H

#include "core/file_job.h"

#include <stddef.h>
#include <stdint.h>

enum archive_kind { ARCHIVE_TAR, ARCHIVE_ZIP };

enum { ARCHIVE_DEPTH_MAX = 64 }; /* folders in folders */

struct archive_wish {
    enum archive_kind kind;
    int root_fd;      /* duplicated */
    const char *path; /* of the directory, beneath the root, as in struct file_job; copied */
    const char *top;  /* folder that all names lie in, without '/'; copied */
    enum file_symlinks symlinks;
    bool dotfiles;
    char *const *exclude; /* as in struct dir_wish; borrowed */
    size_t exclude_count;
    size_t entries_max;
    uint64_t bytes_max; /* of all files together */
};

struct archive;

/* 0 and an archive that the caller owns, or -errno (-ENOMEM, -EMFILE, -ENFILE). */
int archive_create(const struct archive_wish *wish, struct archive **ret_archive);

/* Read without memory it walks on: 1 there is more, 0 all is known, or -errno: -EFBIG for more
 * entries, octets or depth than may be, else what kept a directory from being read. Then, with
 * memory, the next octets: never fewer than asked for but at the end, or -errno. */
struct file_source *archive_source(struct archive *archive);

/* Octets of memory that it has taken. */
size_t archive_size(const struct archive *archive);

/* Once it has been walked: octets of the stream; */
uint64_t archive_len(const struct archive *archive);

/* ... what tells it from another one: a hash of all names, sizes and times; */
uint64_t archive_hash(const struct archive *archive);

/* ... and the octet that is made next; TAR alone, for in a ZIP it depends on all before. */
void archive_seek(struct archive *archive, uint64_t off);

/* NULL is allowed. */
void archive_free(struct archive *archive);

#endif
