/* proactor_splice.c: pieces of files by way of a pipe, file_io = splice: every step is an
 * operation, and no octet is copied.
 *
 * io_uring runs a SPLICE always on a kernel worker. Where the socket is full it does not block
 * that, since the descriptor is O_NONBLOCK, but comes back with a literal -EAGAIN. There are
 * workers for as many SPLICEs as there are pipes (URING_WORKERS_MAX), so that none waits for
 * another one's disk. Pipes are few: a connection has one while octets are in it, and where none is
 * left the plan is carried out by sendfile(2). */
#include "engines/proactor/proactor_internal.h"

#include "core/log_repeat.h"
#include "core/advice.h"
#include "engines/file_send.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool make_pipe(struct proactor *p, struct proactor_pipe **ret_pipe)
{
    if (p->pipes_count == PROACTOR_PIPES_MAX)
        return false;
    struct proactor_pipe *made = malloc(sizeof(*made));
    if (made == NULL)
        return false;
    *made = (struct proactor_pipe){ .fds = { -1, -1 } };
    if (pipe2(made->fds, O_CLOEXEC) != 0) {
        log_repeated(LOG_WARN, "pipe2", errno, "pipe2: %s; a file is sent by sendfile instead%s",
                     strerror(errno), advice_on(errno));
        free(made);
        return false;
    }
    list_init(&made->link);
    p->pipes_count++;
    *ret_pipe = made;
    return true;
}

static void close_pipe(struct proactor *p, struct proactor_pipe *pipe)
{
    list_remove(&pipe->link);
    close(pipe->fds[0]);
    close(pipe->fds[1]);
    free(pipe);
    p->pipes_count--;
}

bool proactor_pipe_take(struct proactor *p, struct proactor_conn *conn)
{
    if (conn->pipe != NULL)
        return true;
    if (list_empty(&p->pipes))
        return make_pipe(p, &conn->pipe);
    conn->pipe = container_of(p->pipes.next, struct proactor_pipe, link);
    list_remove(&conn->pipe->link);
    p->pipes_idle--;
    CHECK(conn->pipe->len == 0);
    return true;
}

void proactor_pipe_give(struct proactor *p, struct proactor_conn *conn)
{
    struct proactor_pipe *pipe = conn->pipe;
    if (pipe == NULL)
        return;
    conn->pipe = NULL;
    if (pipe->len > 0 || p->pipes_idle == PROACTOR_PIPES_IDLE_MAX) {
        close_pipe(p, pipe);
        return;
    }
    list_push_back(&p->pipes, &pipe->link);
    p->pipes_idle++;
}

void proactor_pipes_close(struct proactor *p)
{
    while (!list_empty(&p->pipes))
        close_pipe(p, container_of(p->pipes.next, struct proactor_pipe, link));
    CHECK(p->pipes_count == 0);
}

/* What is in the pipe are the first octets of the plan, which is checked: a session asks for the
 * rest of a range until all of it is sent. */
enum proactor_step proactor_splice(struct proactor *p, struct proactor_conn *conn,
                                   const struct send_plan *plan)
{
    struct proactor_pipe *pipe = conn->pipe;
    CHECK(pipe->len == 0 || (pipe->len <= plan->file_len && pipe->fd == plan->file_fd &&
                             pipe->off == plan->file_off));
    bool out = pipe->len > 0;
    struct operation operation;
    if (out) {
        proactor_room_watch(conn);
        operation =
            (struct operation){ OPERATION_SPLICE_OUT, .fd = pipe->fds[0],
                                .splice = { .to_fd = conn->fd,
                                            .len = (unsigned)pipe->len,
                                            .more = pipe->len < plan->file_len || plan->more } };
    } else {
        size_t len = plan->file_len < PROACTOR_PIPE_SIZE ? plan->file_len : PROACTOR_PIPE_SIZE;
        pipe->fd = plan->file_fd;
        pipe->off = plan->file_off;
        operation = (struct operation){
            OPERATION_SPLICE_IN, .fd = pipe->fd,
            .splice = { .to_fd = pipe->fds[1], .len = (unsigned)len, .off = pipe->off }
        };
    }
    if (proactor_begin(p, &conn->send, out ? PROACTOR_OP_SPLICE_OUT : PROACTOR_OP_SPLICE_IN,
                       &operation))
        return PROACTOR_WAITS;
    session_sent(proactor_session(conn), -EAGAIN);
    return PROACTOR_YIELD;
}

static bool is_interrupted(int res)
{
    return res == -EAGAIN || res == -ECANCELED || res == -EINTR;
}

void proactor_spliced(struct proactor *p, struct proactor_conn *conn, int res)
{
    struct session *s = proactor_session(conn);
    struct proactor_pipe *pipe = conn->pipe;
    CHECK(pipe != NULL);
    if (res < 0 && file_send_refuse(FILE_SEND_SPLICE, pipe->fd, -res)) {
        /* The plan is made anew, and sendfile(2) begins with what is in the pipe. */
        proactor_pipe_give(p, conn);
        session_sent(s, -EAGAIN);
        return;
    }
    if (conn->send.kind == PROACTOR_OP_SPLICE_IN) {
        if (res > 0)
            pipe->len = (size_t)res;
        session_sent(s, res > 0 || is_interrupted(res) ? -EAGAIN : res);
        return;
    }
    if (res > 0) {
        CHECK((size_t)res <= pipe->len);
        pipe->len -= (size_t)res;
        pipe->off += res;
        if (pipe->len == 0)
            proactor_pipe_give(p, conn);
    }
    if (res == -EAGAIN)
        proactor_room_lacks(conn);
    if (res == 0)
        res = -EPIPE; /* it was not empty: that is no end of a file */
    session_sent(s, is_interrupted(res) ? -EAGAIN : res);
}
