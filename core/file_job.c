/* file_job.c: the blocking implementation of every file operation. */
#include "core/file_job.h"
#include "core/check.h"
#include "core/dir_list.h"
#include "core/file_close.h"
#include "core/file_open.h"
#include "core/file_root.h"
#include "core/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

bool file_meta_equal(const struct file_meta *a, const struct file_meta *b)
{
    return a->ino == b->ino && a->dev == b->dev && a->size == b->size && a->mtime_s == b->mtime_s &&
           a->mtime_ns == b->mtime_ns && a->ctime_s == b->ctime_s && a->ctime_ns == b->ctime_ns &&
           a->kind == b->kind;
}

bool file_meta_same(const struct file_meta *before, const struct file_meta *now)
{
    return !before->racy && file_meta_equal(before, now);
}

static void job_init(struct file_job *job, enum file_job_kind kind)
{
    *job = (struct file_job){
        .magic = FILE_JOB_MAGIC,
        .kind = kind,
        .root_fd = -1,
        .fd_read = -1,
        .res = -EINPROGRESS,
        .fd = -1,
    };
}

void file_job_init_open(struct file_job *job, int root_fd, const char *path,
                        enum file_symlinks symlinks, size_t content_max)
{
    job_init(job, FILE_JOB_OPEN);
    job->root_fd = root_fd;
    job->path = path;
    job->symlinks = symlinks;
    job->content_max = content_max;
}

void file_job_set_known(struct file_job *job, const struct file_meta *known)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(job->kind == FILE_JOB_OPEN);
    job->known = *known;
    job->has_known = !known->racy;
}

void file_job_init_read(struct file_job *job, int fd, off_t off, void *mem, size_t len)
{
    job_init(job, FILE_JOB_READ);
    job->fd_read = fd;
    job->off = off;
    job->mem = mem;
    job->len = len;
}

void file_job_init_make(struct file_job *job, struct file_source *source, void *mem, size_t len)
{
    job_init(job, FILE_JOB_READ);
    job->source = source;
    job->mem = mem;
    job->len = len;
}

void file_job_init_stat(struct file_job *job, int fd)
{
    job_init(job, FILE_JOB_STAT);
    job->fd_read = fd;
}

void file_job_init_list(struct file_job *job, int root_fd, const char *path,
                        enum file_symlinks symlinks, bool dotfiles, size_t items_max)
{
    job_init(job, FILE_JOB_LIST);
    job->root_fd = root_fd;
    job->path = path;
    job->symlinks = symlinks;
    job->dotfiles = dotfiles;
    job->items_max = items_max;
}

void file_job_init_root(struct file_job *job, const char *path, bool guarded)
{
    job_init(job, FILE_JOB_ROOT);
    job->path = path;
    job->guarded = guarded;
}

bool file_job_confirms(const struct file_job *job, int error, const struct file_meta *meta,
                       bool has_content, bool has_fd)
{
    if (job->res < 0 || error != 0)
        return error == -job->res;
    return file_meta_same(meta, &job->meta) &&
           (job->unchanged || has_content || (job->content == NULL && has_fd == (job->fd >= 0)));
}

ssize_t file_pread(int fd, void *mem, size_t len, off_t off)
{
    ssize_t n;

    do
        n = pread(fd, mem, len, off);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t file_pread_cached(int fd, void *mem, size_t len, off_t off)
{
    struct iovec iov = { .iov_base = mem, .iov_len = len };
    ssize_t n = preadv2(fd, &iov, 1, off, RWF_NOWAIT);

    if (n >= 0)
        return n;
    int error = errno;
    return error == EOPNOTSUPP && file_system_in_memory(fd) ? file_pread(fd, mem, len, off)
                                                            : -error;
}

typedef ssize_t read_function(int fd, void *mem, size_t len, off_t off);

/* Reads the whole of a file that was `size` octets long, by `read_some`. 0 and the content, or NULL
 * for a file that is no longer so long, or -errno. */
static int read_whole(int fd, size_t size, read_function *read_some, char **ret_content)
{
    char *content = malloc(size + 1);
    size_t len = 0;

    if (content == NULL) {
        *ret_content = NULL; /* not needed: it can be sent from the descriptor */
        return 0;
    }
    /* One octet more is asked for than there should be: coming back short is the end of the file,
     * so one call both reads and verifies. */
    while (len <= size) {
        size_t want = size + 1 - len;
        ssize_t n = read_some(fd, content + len, want, (off_t)len);

        if (n < 0) {
            free(content);
            return (int)n;
        }
        len += (size_t)n;
        if (n == 0 || (len == size && (size_t)n < want))
            break;
    }
    if (len != size) {
        free(content);
        content = NULL;
    }
    *ret_content = content;
    return 0;
}

/* Lets go of a content that is not what job->meta tells of: the file was written to between the
 * look at it and the end of the reading. */
static void content_verify(struct file_job *job)
{
    if (job->content == NULL || file_meta_holds(job->fd, &job->meta))
        return;
    free(job->content);
    job->content = NULL;
}

/* Does the file hold `size` octets, and no more? 1, 0, or -errno. */
static int holds(int fd, size_t size, read_function *read_some)
{
    char octet;
    ssize_t n = read_some(fd, &octet, 1, (off_t)size);

    if (n == 0 && size > 0) {
        n = read_some(fd, &octet, 1, (off_t)size - 1);
        return n < 0 ? (int)n : n == 1;
    }
    return n < 0 ? (int)n : n == 0;
}

static void close_opened(struct file_job *job)
{
    close(job->fd);
    job->fd = -1;
}

/* Reads the opened file whole, if it is one that is. One that has not changed, and yet holds more
 * or less than its size says, has no length that could be announced. 0 or -errno. */
static int read_content(struct file_job *job, read_function *read_some)
{
    const struct file_meta *meta = &job->meta;
    int res = 0;

    if (meta->kind != FILE_REGULAR || meta->size > job->content_max || job->content_max == 0)
        return 0;
    if (meta->size > 0)
        res = read_whole(job->fd, (size_t)meta->size, read_some, &job->content);
    if (res < 0 || job->content != NULL) {
        content_verify(job);
        return res;
    }
    res = holds(job->fd, (size_t)meta->size, read_some);
    if (res == 0 && file_meta_holds(job->fd, &job->meta)) {
        job->meta.kind = FILE_OTHER;
        close_opened(job);
    }
    return res < 0 ? res : 0;
}

enum { AT_ONCE_MAX = 8 * 1024 /* octets of a file that is read before it is looked at */ };

/* Opens a file, and has the whole of it if it is small, by as few calls as the kernel allows: it is
 * read first and looked at afterwards. The octets are those that the look tells of if nothing has
 * changed since before the opening. 0, and perhaps content, or -errno. */
static int open_at_once(struct file_job *job, bool cached)
{
    char octets[AT_ONCE_MAX];
    size_t room = job->content_max < sizeof(octets) ? job->content_max + 1 : sizeof(octets);
    read_function *read_some = cached ? file_pread_cached : file_pread;
    struct timespec begun;
    struct file_meta meta;
    ssize_t len = -1;
    int res;

    clock_gettime(CLOCK_REALTIME_COARSE, &begun);
    int fd = file_open_at_once(job->root_fd, job->path, job->symlinks, cached);
    if (fd < 0)
        return fd;
    if (job->content_max > 0)
        len = read_some(fd, octets, room, 0);
    res = file_meta_of_opened(fd, cached, &meta);
    if (res < 0 || meta.kind == FILE_OTHER) {
        close(fd);
        fd = -1;
    }
    if (res < 0)
        return res;
    job->fd = fd;
    job->meta = meta;
    if (meta.kind != FILE_REGULAR || len <= 0 || (size_t)len == room ||
        (uint64_t)len != meta.size || !file_meta_older(&meta, begun.tv_sec))
        return 0;
    job->content = malloc((size_t)len);
    if (job->content != NULL)
        memcpy(job->content, octets, (size_t)len);
    return 0;
}

/* 0 and the job's fd, meta and unchanged, and perhaps content; or -errno. */
static int open_job(struct file_job *job, bool cached)
{
    bool at_once = !job->has_known && file_open_is_plain(job->path);
    int res = at_once ? open_at_once(job, cached) : -ENXIO;

    /* What cannot be opened may be a socket or a FIFO: those are found by a look. */
    if (res != -ENXIO && res != -ENODEV && res != -EACCES)
        return res;
    res = (cached ? file_open_cached : file_open)(job->root_fd, job->path, job->symlinks,
                                                  job->has_known ? &job->known : NULL, &job->fd,
                                                  &job->meta);
    job->unchanged = res == 1;
    return res < 0 ? res : 0;
}

static void open_and_read(struct file_job *job)
{
    job->res = open_job(job, false);
    if (job->res < 0 || job->unchanged || job->content != NULL)
        return;
    job->res = read_content(job, file_pread);
    if (job->res < 0)
        close_opened(job);
}

/* A file that was replaced at a server of files while it was opened is stale (ESTALE) once. */
static void run_open(struct file_job *job)
{
    open_and_read(job);
    if (job->res == -ESTALE)
        open_and_read(job);
}

/* Of an open file all is in memory, but for what a server of files keeps: that one is asked
 * whenever the file is opened again. */
static void run_stat(struct file_job *job)
{
    job->res = file_meta_look(job->fd_read, &job->meta);
}

static void run_list(struct file_job *job)
{
    int res = 0;

    if (job->reader == NULL)
        res = dir_reader_open(job->root_fd, job->path, job->symlinks, job->dotfiles, job->items_max,
                              &job->wish, &job->reader);
    if (res == 0)
        res = dir_reader_run(job->reader, job->slice > 0 ? job->slice : SIZE_MAX, &job->listing);
    job->res = res;
    if (res == 1)
        return;
    dir_reader_free(job->reader);
    job->reader = NULL;
}

void file_job_again(struct file_job *job)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(job->kind == FILE_JOB_LIST && job->res == 1 && job->reader != NULL);
    job->res = -EINPROGRESS;
}

bool file_job_is_piece(const struct file_job *job)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    return job->kind == FILE_JOB_LIST || (job->kind == FILE_JOB_READ && job->source != NULL);
}

bool file_job_is_slice(const struct file_job *job)
{
    return file_job_is_piece(job) && (job->kind == FILE_JOB_LIST || job->mem == NULL);
}

size_t file_job_size(const struct file_job *job)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    return job->reader != NULL ? dir_reader_size(job->reader) : 0;
}

void file_job_run(struct file_job *job)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(job->res == -EINPROGRESS);
    switch (job->kind) {
    case FILE_JOB_OPEN:
        run_open(job);
        return;
    case FILE_JOB_READ:
        if (job->source != NULL)
            job->res = job->source->read(job->source, job->mem, job->len);
        else
            job->res = (int)file_pread(job->fd_read, job->mem, job->len, job->off);
        return;
    case FILE_JOB_STAT:
        run_stat(job);
        return;
    case FILE_JOB_LIST:
        run_list(job);
        return;
    case FILE_JOB_ROOT:
        job->res = file_root_open(job->path, job->guarded, &job->fd, &job->found, &job->what);
        return;
    }
    UNREACHABLE();
}

static bool try_open(struct file_job *job, bool keeps)
{
    int res = open_job(job, true);

    if (res == -EREMOTE)
        job->remote = true;
    if (res == -EAGAIN || res == -EREMOTE)
        return false;
    job->res = res;
    if (res < 0 || job->unchanged || job->content != NULL ||
        read_content(job, file_pread_cached) == 0)
        return true;
    if (!keeps)
        close_opened(job);
    job->res = -EINPROGRESS;
    return false;
}

static bool try_read(struct file_job *job)
{
    ssize_t n = file_pread_cached(job->fd_read, job->mem, job->len, job->off);

    if (n < 0)
        return false; /* an error, too, is for who runs it to find */
    job->res = (int)n;
    return true;
}

static bool try_root(struct file_job *job)
{
    if (job->guarded)
        return false; /* each folder on the way is judged */
    int res = file_root_open_cached(job->path, &job->fd, &job->found);

    if (res == -EAGAIN)
        return false;
    job->res = res;
    return true;
}

static bool try_job(struct file_job *job, bool keeps)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    CHECK(job->res == -EINPROGRESS);
    if (job->remote && job->kind != FILE_JOB_STAT)
        return false;
    switch (job->kind) {
    case FILE_JOB_OPEN:
        return try_open(job, keeps);
    case FILE_JOB_READ:
        return job->source == NULL && try_read(job);
    case FILE_JOB_STAT:
        run_stat(job);
        return true;
    case FILE_JOB_LIST:
        return false;
    case FILE_JOB_ROOT:
        return try_root(job);
    }
    UNREACHABLE();
}

bool file_job_try(struct file_job *job)
{
    return try_job(job, false);
}

bool file_job_try_and_keep(struct file_job *job)
{
    return try_job(job, true);
}

void file_job_discard(struct file_job *job)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    if (job->fd >= 0)
        file_close(job->fd, job->meta.remote);
    job->fd = -1;
    free(job->content);
    job->content = NULL;
    dir_listing_free(job->listing);
    job->listing = NULL;
    dir_reader_free(job->reader);
    job->reader = NULL;
}
