/* session_fault.c: see session_fault.h. */
#include "session/session_fault.h"

#include "core/check.h"
#include "core/fd_path.h"
#include "core/log_repeat.h"
#include "core/advice.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Does an error of a file concern the machine? Else it is an answer about that file: it is not
 * there, or its mode forbids it; or nothing has come of the job, and it is run again or dropped.
 * EPERM is no matter of modes: a seccomp filter, or a scanner (fanotify(7)), says so. */
static bool is_file_fault(int error)
{
    switch (error) {
    case 0:
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
    case EXDEV:
    case EISDIR:
    case EACCES:
    case EFBIG: /* a directory of more than autoindex_max names, which has a line of its own */
    case EINTR:
    case ECANCELED:
        return false;
    default:
        return true;
    }
}

/* Likewise an error of a connection: the peer, or the network between, has ended it. */
static bool is_socket_fault(int error)
{
    switch (error) {
    case 0:
    case EAGAIN:
    case EINTR:
    case ECANCELED:
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ETIMEDOUT:
    case ENOTCONN:
    case ESHUTDOWN:
    case ENETDOWN:
    case ENETUNREACH:
    case ENETRESET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EPROTO:
        return false;
    default:
        return true;
    }
}

static void tell_path(const char *kind, int root_fd, const char *path, int error)
{
    char root[FD_PATH_MAX];

    log_repeated(LOG_ERROR, kind, error, "%s: %s/%s: %s%s", kind, fd_path(root_fd, root), path,
                 strerror(error), advice_on(error));
}

static void tell_descriptor(const char *kind, int fd, int error)
{
    char path[FD_PATH_MAX];

    log_repeated(LOG_ERROR, kind, error, "%s: %s: %s", kind, fd_path(fd, path), strerror(error));
}

void session_fault_job(const struct file_job *job)
{
    CHECK_OBJ(job, FILE_JOB_MAGIC);
    if (job->res >= 0 || !is_file_fault(-job->res))
        return;
    switch (job->kind) {
    case FILE_JOB_OPEN:
        tell_path("cannot open a file", job->root_fd, job->path, -job->res);
        return;
    case FILE_JOB_LIST:
        tell_path("cannot list a directory", job->root_fd, job->path, -job->res);
        return;
    case FILE_JOB_READ:
        tell_descriptor("cannot read a file", job->fd_read, -job->res);
        return;
    case FILE_JOB_STAT:
        tell_descriptor("cannot look at a file", job->fd_read, -job->res);
        return;
    case FILE_JOB_ROOT: /* http/roots.c tells that, and what is served meanwhile */
        return;
    }
    UNREACHABLE();
}

void session_fault_sent(int file_fd, ssize_t res)
{
    if (res >= 0 || !is_socket_fault((int)-res))
        return;
    if (file_fd >= 0)
        tell_descriptor("cannot send a file", file_fd, (int)-res);
    else
        session_fault_socket("cannot send to a client", res);
}

void session_fault_socket(const char *what, ssize_t res)
{
    if (res < 0 && is_socket_fault((int)-res))
        log_fault(what, (int)-res);
}
