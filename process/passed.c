/* passed.c: see passed.h. The numbers from 3 on may be in use here: what is there moves away first,
 * and comes back when there is no other program. */
#include "process/passed.h"

#include "core/check.h"
#include "core/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int passed_add(struct passed *p, int fd, const char *name)
{
    if (fd < 0)
        return -1;
    if (p->count == p->room) {
        p->room = 2 * p->room + 32;
        p->fds = realloc(p->fds, p->room * sizeof p->fds[0]);
        p->names = realloc(p->names, p->room * sizeof p->names[0]);
        MUST(p->fds != NULL && p->names != NULL);
    }
    p->fds[p->count] = fd;
    p->names[p->count] = name;
    return INHERITED_FIRST + (int)p->count++;
}

void passed_free(struct passed *p)
{
    free(p->fds);
    free(p->names);
    *p = (struct passed){ .fds = NULL };
}

/* 0 or -ENOMEM. */
static int set_environment(const struct passed *p)
{
    char number[24];
    size_t len = 0;

    for (size_t i = 0; i < p->count; i++)
        len += strlen(p->names[i]) + 1;
    char *names = malloc(len + 1);
    if (names == NULL)
        return -ENOMEM;
    char *at = names;
    for (size_t i = 0; i < p->count; i++) {
        size_t part = strlen(p->names[i]);
        memcpy(at, p->names[i], part);
        at[part] = ':';
        at += part + 1;
    }
    names[len > 0 ? len - 1 : 0] = '\0';
    bool whole = setenv("LISTEN_FDNAMES", names, 1) == 0;
    snprintf(number, sizeof number, "%zu", p->count);
    whole = whole && setenv("LISTEN_FDS", number, 1) == 0;
    snprintf(number, sizeof number, "%d", (int)getpid());
    whole = whole && setenv("LISTEN_PID", number, 1) == 0;
    free(names);
    return whole ? 0 : -ENOMEM;
}

static void clear_environment(void)
{
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDNAMES");
}

/* Copies of descriptors with numbers behind all that are passed; -1 where there is none. */
static int copy_away(const int *fds, size_t count, int *ret_copies)
{
    int error = 0;

    for (size_t i = 0; i < count; i++) {
        int fd = fds != NULL ? fds[i] : INHERITED_FIRST + (int)i;
        ret_copies[i] = fcntl(fd, F_DUPFD_CLOEXEC, INHERITED_FIRST + (int)count);
        if (ret_copies[i] < 0 && (fds != NULL || errno != EBADF) && error == 0)
            error = -errno;
    }
    return error;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

static void put_back(const int *before, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int fd = INHERITED_FIRST + (int)i;
        if (before[i] >= 0)
            MUST(dup3(before[i], fd, O_CLOEXEC) == fd);
        else
            close(fd);
    }
}

static int execute(const char *path, int fd, char *const *argv)
{
    if (fd >= 0)
        fexecve(fd, argv, environ);
    else
        execve(path, argv, environ);
    return -errno;
}

int passed_execute(const struct passed *p, const char *path, int fd, char *const *argv)
{
    int *before = calloc(2 * p->count + 1, sizeof before[0]);
    int *copies = before != NULL ? before + p->count : NULL;
    int own = -1;

    if (before == NULL)
        return -ENOMEM;
    memset(before, -1, 2 * p->count * sizeof before[0]);
    int error = copy_away(p->fds, p->count, copies);
    if (error == 0)
        error = copy_away(NULL, p->count, before);
    if (error == 0 && fd >= 0) { /* that may be one of these numbers, too */
        own = fcntl(fd, F_DUPFD_CLOEXEC, INHERITED_FIRST + (int)p->count);
        error = own < 0 ? -errno : 0;
    }
    if (error == 0)
        error = set_environment(p);
    if (error == 0) {
        for (size_t i = 0; i < p->count; i++)
            MUST(dup2(copies[i], INHERITED_FIRST + (int)i) >= 0);
        error = execute(path, own, argv);
        put_back(before, p->count);
    }
    clear_environment();
    close_all(before, 2 * p->count);
    if (own >= 0)
        close(own);
    free(before);
    return error;
}
