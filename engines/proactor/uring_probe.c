/* uring_probe.c: what of io_uring this kernel, its limits and its filters allow, and a sentence for
 * an operator about what they do not. */
#include "engines/proactor/uring.h"

#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int op;
    const char *name;
} operations[] = {
    { IORING_OP_ACCEPT, "ACCEPT" },
    { IORING_OP_RECV, "RECV" },
    { IORING_OP_SEND, "SEND" },
    { IORING_OP_SENDMSG, "SENDMSG" },
    { IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL" },
    { IORING_OP_READ, "READ" },
    { IORING_OP_POLL_ADD, "POLL_ADD" },
    { IORING_OP_OPENAT2, "OPENAT2" },
    { IORING_OP_STATX, "STATX" },
    { IORING_OP_SPLICE, "SPLICE" },
};

/* The number behind `key` at the start of a line of a file of /proc; -1: there is none. */
static int proc_number(const char *path, const char *key)
{
    char line[256];
    int number = -1;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    while (number < 0 && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0)
            number = (int)strtol(line + strlen(key), NULL, 10);
    }
    fclose(file);
    return number;
}

void uring_explain(const char *call, int error, char *why, size_t why_size)
{
    bool filtered = proc_number("/proc/self/status", "Seccomp:") > 0;
    int disabled = proc_number("/proc/sys/kernel/io_uring_disabled", "");
    bool refused = error == EPERM || error == ENOSYS || error == EACCES;
    bool setup = strcmp(call, "io_uring_setup") == 0;
    if (setup && error == EPERM && disabled == 2)
        snprintf(why, why_size,
                 "io_uring is forbidden to everybody by the sysctl kernel.io_uring_disabled = 2; "
                 "set it to 0, or take another engine");
    else if (setup && error == EPERM && disabled == 1)
        snprintf(
            why, why_size,
            "io_uring is forbidden by the sysctl kernel.io_uring_disabled = 1; set it to 0, or "
            "kernel.io_uring_group to a group of this user, or take another engine");
    else if (refused && filtered)
        snprintf(why, why_size,
                 "%s: %s: a seccomp filter (of a container?) forbids it; allow io_uring_setup, "
                 "io_uring_enter and io_uring_register, or take another engine",
                 call, strerror(error));
    else if (setup && error == ENOSYS)
        snprintf(why, why_size,
                 "this kernel is built without io_uring (CONFIG_IO_URING); take another engine");
    else if (error == ENOMEM)
        snprintf(why, why_size,
                 "%s: %s: memory, or the limit of locked memory (ulimit -l, LimitMEMLOCK=; about "
                 "%u KiB for each of the threads), is too small for a ring; raise it, set fewer "
                 "threads, or take another engine",
                 call, strerror(error), URING_LOCKED_KIB);
    else if (setup && error == EINVAL)
        snprintf(why, why_size,
                 "this kernel's io_uring has no COOP_TASKRUN (Linux 5.19 has it); take another "
                 "engine");
    else
        snprintf(why, why_size, "%s: %s; take another engine", call, strerror(error));
}

/* The first operation that is missing, or NULL. -errno when the kernel does not tell. */
static int find_missing(struct uring *u, const char **ret_name)
{
    struct io_uring_probe *probe = io_uring_get_probe_ring(&u->ring);
    if (probe == NULL)
        return -EOPNOTSUPP;
    *ret_name = NULL;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        if (!io_uring_opcode_supported(probe, operations[i].op)) {
            *ret_name = operations[i].name;
            break;
        }
    }
    io_uring_free_probe(probe);
    return 0;
}

/* There is no other way to ask whether a receive can be multishot than to begin one. 0, or -errno
 * of io_uring_enter(2): the first call of it. */
static int try_receive(struct uring *u, bool *ret_multishot)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        *ret_multishot = false;
        return 0;
    }
    struct io_uring_sqe *sqe = uring_sqe(u);
    CHECK(sqe != NULL);
    uring_prep_recv(u, sqe, pair[0], true);
    struct completion completion;
    sqe->user_data = 1;
    bool written = write(pair[1], "", 1) == 1;
    int res = uring_wait(u, 1000);
    if (res == 0)
        *ret_multishot = written && uring_take(u, &completion, 1) == 1 && completion.res == 1 &&
                         (completion.flags & COMPLETION_MORE) != 0;
    close(pair[1]); /* ends the receive */
    close(pair[0]);
    return res;
}

int uring_probe(char *why, size_t why_size, struct processor_options *ret_options)
{
    /* As large as those that serve: what is locked for them may be limited. */
    struct processor_options options = {
        .entries = URING_ENTRIES,
        .completions = URING_COMPLETIONS,
        .buffers = URING_BUFFERS,
        .buffer_size = URING_BUFFER_SIZE,
        .single_issuer = true,
        .recv_multishot = true,
        .min_wait = true,
        .no_iowait = true,
    };
    struct uring u;
    const char *missing;
    int res = uring_open(&u, &options, why, why_size);
    if (res == -EINVAL) {
        options.single_issuer = false;
        res = uring_open(&u, &options, why, why_size);
    }
    if (res < 0)
        return res;
    res = find_missing(&u, &missing);
    if (res < 0 || missing != NULL) {
        snprintf(why, why_size, "this kernel's io_uring lacks %s; take another engine",
                 res < 0 ? "IORING_REGISTER_PROBE" : missing);
        res = -EOPNOTSUPP;
        goto out;
    }
    res = uring_enable(&u);
    if (res < 0) {
        uring_explain("io_uring_register", -res, why, why_size);
        goto out;
    }
    res = try_receive(&u, &options.recv_multishot);
    if (res < 0) {
        uring_explain("io_uring_enter", -res, why, why_size);
        goto out;
    }
    options.min_wait = u.options.min_wait;
    options.no_iowait = u.options.no_iowait;
    *ret_options = options;
out:
    uring_close(&u);
    return res;
}
