/* file_job.h: one file operation that may block, as data, and the one blocking implementation of
 * all of them.
 *
 * The protocol side fills a job and names what it wants; an engine has it executed: inline
 * (file_job_run()), on a worker thread (the same call), or as io_uring operations. A worker touches
 * only the job. Paths are resolved beneath the root by the kernel (openat2(2), RESOLVE_BENEATH),
 * never by string checks alone; file_open.h has the rules. */
#ifndef CORE_FILE_JOB_H
#define CORE_FILE_JOB_H

#include "core/file_notice.h"
#include "core/file_root.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum file_kind { FILE_REGULAR, FILE_DIRECTORY, FILE_OTHER };

/* What fstat(2) told of an open file. */
struct file_meta {
    uint64_t dev, ino;
    uint64_t size;   /* octets */
    int64_t mtime_s; /* seconds since 1970; may be negative */
    int32_t mtime_ns;
    int64_t ctime_s;
    int32_t ctime_ns;
    uint8_t kind; /* enum file_kind */
    bool remote;  /* it lies where another machine, or a process, answers (file_system.h) */
    bool racy;    /* it had changed less than two seconds before: another change may leave the same
                     times, which are as coarse as the kernel's tick, or 2 s on FAT (git's index has
                     the same problem, and the word) */
};

/* Do both tell of the same file, of the same size and times? */
bool file_meta_equal(const struct file_meta *a, const struct file_meta *b);

/* Is it the same file with the same contents as it was at the look `before`, as far as stat(2) can
 * tell? Never, when `before` is racy. */
bool file_meta_same(const struct file_meta *before, const struct file_meta *now);

enum file_job_kind { FILE_JOB_OPEN, FILE_JOB_READ, FILE_JOB_STAT, FILE_JOB_LIST, FILE_JOB_ROOT };

/* Which symbolic links are followed. */
enum file_symlinks {
    FILE_SYMLINKS_INSIDE, /* those whose target lies beneath the root */
    FILE_SYMLINKS_DENY,   /* none */
    FILE_SYMLINKS_OWNER,  /* those whose target belongs to whoever the link belongs to */
    FILE_SYMLINKS_ANY     /* all */
};

/* One name of a directory, as FILE_JOB_LIST found it. */
struct dir_item {
    const char *name; /* lent by the listing, NUL-terminated, any octet but '/' and NUL */
    uint64_t size;
    int64_t mtime_s;
    int32_t mtime_ns;
    bool is_dir;
    bool forbidden; /* it may not be looked at: size and mtime_s are not known */
};

enum dir_key { DIR_BY_NAME, DIR_BY_SIZE, DIR_BY_TIME };

/* What of a directory is listed besides, and in which order. */
struct dir_wish {
    enum dir_key key;     /* directories have no size: among them it is the name, ascending */
    bool descending;      /* by that key; what has the same is by name, ascending */
    char *const *exclude; /* patterns of fnmatch(3) for names that are left out; borrowed */
    size_t exclude_count;
    size_t readme_max; /* a README of at most so many octets is read; 0: none is */
};

struct dir_pack;

/* A directory's names, sorted as was wished: directories first, then files; names are in the order
 * of natural_compare(). What a link leads to stands for it, where `symlinks` lets it be followed;
 * other links, names that may not be read, or are neither file nor directory, are left out; so are
 * dotfiles unless asked for. */
struct dir_listing {
    struct dir_pack *items; /* dir_listing_item(); owned */
    size_t count;
    size_t folders;      /* of them */
    uint64_t files_size; /* octets of all files, as far as it is known */
    char *readme;        /* what the file of that name among the items holds; NULL: none was read;
                            malloc(3)ed, owned */
    size_t readme_len;
    const char *readme_name; /* an item's */
};

struct root; /* config/config.h */

#define FILE_JOB_MAGIC 0x6a0b6a0bu

struct dir_reader;

/* Octets that are made, a piece after the other, and not read from a file. */
struct file_source {
    /* Makes the next at most `len` octets at `mem`. How many, or -errno. With `mem` NULL none are
     * made: it counts for a while how many there will be; 1: it is not done yet, 0: it is. */
    int (*read)(struct file_source *source, void *mem, size_t len);
};

struct file_job {
    unsigned magic; /* FILE_JOB_MAGIC */
    enum file_job_kind kind;

    /* In: it may have to wait for another machine, or a process (file_system.h), for ever. Whoever
     * executes the job keeps it away from what others need. file_job_try() sets it, too. */
    bool remote;

    /* In, OPEN and LIST */
    int root_fd;      /* O_PATH descriptor of the document root; borrowed */
    const char *path; /* relative, NUL-terminated, no leading '/', no dot segments; "." is the root
                         itself; borrowed */
    enum file_symlinks symlinks;
    /* In, OPEN */
    size_t
        content_max; /* a regular file of at most so many octets is read whole as well; 0: never */
    bool has_known;  /* what was there is known already: */
    struct file_meta known;
    uint64_t generation; /* the asker's, with `asked_ms`: when it asked, in the order of its own
                            questions, */
    uint64_t asked_ms;   /* and on its clock. Whoever executes the job leaves both alone */
    uint64_t root_id;    /* OPEN: the asker's name of that root; likewise */
    struct file_notice_mark mark; /* OPEN: the asker's: what tells that it has changed since; */
    bool mark_soon;               /* it is not set, but may be by the next question; */
    uint64_t mark_mount;          /* and in which mount its folder is; 0: it has none. Likewise */
    /* In, ROOT: `path` is absolute, and */
    bool guarded;            /* as file_root_open() has it */
    struct root *configured; /* the asker's: whose path it is; with `generation` */
    /* In, LIST */
    bool dotfiles;        /* list names that begin with '.' too */
    size_t items_max;     /* -EFBIG in res when the directory holds more names */
    struct dir_wish wish; /* all zero: by name, nothing excluded, no README */
    size_t slice;         /* look at so many names at a time (see res); 0: at all */
    /* In, READ and STAT */
    int fd_read; /* borrowed */
    /* In, READ */
    off_t off;
    size_t len;
    void *mem; /* borrowed, len octets */
    struct file_source
        *source; /* not NULL: whose octets they are, in place of fd_read's; borrowed */

    /* Out */
    int res; /* OPEN, STAT, LIST, ROOT: 0 or -errno; READ: octets read (0 at end of file) or -errno.
                LIST with a slice: 1, there is more: file_job_again(), and it is to be run again */
    /* Out, OPEN. FILE_OTHER (a FIFO, a device, a socket, a file whose size is untrue) is reported
     * with fd -1 and never blocks. */
    int fd; /* O_RDONLY|O_CLOEXEC|O_NONBLOCK (a regular file or a directory); the caller owns it;
               -1: none */
    struct file_meta meta; /* STAT: likewise */
    bool unchanged; /* it is what `known` tells (file_meta_same()), and was not opened: fd is -1,
                       and there is no content */
    char *content;  /* malloc(3)ed meta.size octets, or NULL; the caller owns it. NULL with size <=
                       content_max: the file was written to while it was read (meta is as of after
                       that), it is empty, or memory is short: send it from fd */
    /* Out, ROOT: `fd` is O_PATH, */
    struct file_root_id found;
    const char
        *what; /* -errno: why root's rules refuse it: the end of a sentence, static; or NULL */
    /* Out, LIST */
    struct dir_reader *reader;   /* between slices; the job's */
    struct dir_listing *listing; /* the caller owns it: dir_listing_free() */
};

/* Makes `job` an OPEN job: everything else zero, res -EINPROGRESS, fd -1. `path` is borrowed until
 * its result has been dealt with. */
void file_job_init_open(struct file_job *job, int root_fd, const char *path,
                        enum file_symlinks symlinks, size_t content_max);

/* Does the finished OPEN job tell what is known already: `error` (0 or an errno), or a file that
 * `meta` tells of, whose octets are kept (`has_content`), or a descriptor of it (`has_fd`)? Pure.
 */
bool file_job_confirms(const struct file_job *job, int error, const struct file_meta *meta,
                       bool has_content, bool has_fd);

/* Makes it one that opens the file only if it is not what `known` tells. Who executes the job may
 * open it all the same. */
void file_job_set_known(struct file_job *job, const struct file_meta *known);

/* Likewise, a READ job of `len` octets at `off` of `fd` into `mem`. */
void file_job_init_read(struct file_job *job, int fd, off_t off, void *mem, size_t len);

/* Likewise, one of the next octets of `source`. */
void file_job_init_make(struct file_job *job, struct file_source *source, void *mem, size_t len);

/* Likewise, a STAT job: what the file of `fd` is now. */
void file_job_init_stat(struct file_job *job, int fd);

/* Likewise, a LIST job. */
void file_job_init_list(struct file_job *job, int root_fd, const char *path,
                        enum file_symlinks symlinks, bool dotfiles, size_t items_max);

/* Likewise, a job that looks a document root up by its absolute path. */
void file_job_init_root(struct file_job *job, const char *path, bool guarded);

/* A LIST job whose res is 1 is to be run again. */
void file_job_again(struct file_job *job);

/* Is it, not in flight, a LIST, or the counting of what a source makes? Many of these may follow
 * each other before anything can be sent. */
bool file_job_is_slice(const struct file_job *job);

/* Is it a LIST, or a piece of what a source counts or makes: a fraction of a millisecond's work, of
 * which there may be thousands? */
bool file_job_is_piece(const struct file_job *job);

/* Octets of memory that a LIST job between two slices holds. */
size_t file_job_size(const struct file_job *job);

/* pread(2), again on EINTR: octets or -errno. */
ssize_t file_pread(int fd, void *mem, size_t len, off_t off);

/* Likewise, as far as it waits for no disk: -EAGAIN for what is not in the page cache, -EOPNOTSUPP
 * from a file system that cannot tell (overlayfs); one without a disk need not (tmpfs). The file is
 * not another machine's. */
ssize_t file_pread_cached(int fd, void *mem, size_t len, off_t off);

/* Executes the job, blocking; results are in its Out members. Repeats on EINTR. Thread-safe
 * (different jobs). */
void file_job_run(struct file_job *job);

/* Executes the job if that needs no waiting for a disk: what is looked up and read lies in the
 * kernel's memory. True: it is done, as by file_job_run(); false: nothing has happened, and
 * somebody who may block has to run it. One that is `remote` is not tried; one whose path leads
 * from a local file system to one that is not known to be local becomes it. A LIST, and what a
 * source makes, always are somebody's; a STAT is always done. */
bool file_job_try(struct file_job *job);

/* Likewise, and where an OPEN has found the file, and only its octets would have to be waited for,
 * it keeps what it has opened, `fd` and `meta`: whoever called goes on with that, or closes it
 * before file_job_run(). */
bool file_job_try_and_keep(struct file_job *job);

/* Frees what a finished job's caller did not take, and what one holds that is not to be run again:
 * closes fd, frees content and listing. */
void file_job_discard(struct file_job *job);

/* The item at `index`, below the count. */
struct dir_item dir_listing_item(const struct dir_listing *listing, size_t index);

/* NULL is allowed. */
void dir_listing_free(struct dir_listing *listing);

#endif
