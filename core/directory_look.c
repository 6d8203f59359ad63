/* directory_look.c: see directory_look.h. What lies on a local file system, and is in memory, is
 * seen at once, as is all where nothing else is mounted; else a thread asks, since a call that
 * waits for another machine cannot be ended. */
#include "core/directory_look.h"

#include "core/check.h"
#include "core/file_root.h"
#include "core/mounts.h"
#include "core/thread_start.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 1 << 16 };

/* Shared by who asks and the thread; freed by who is there last. */
struct look {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool answered, left; /* by the thread; by who asked */
    int res;
    char path[];
};

static int look_now(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static void look_free(struct look *look)
{
    pthread_cond_destroy(&look->change);
    pthread_mutex_destroy(&look->mutex);
    free(look);
}

static void *ask(void *context)
{
    struct look *look = context;
    int res = look_now(look->path);

    MUST(pthread_mutex_lock(&look->mutex) == 0);
    bool left = look->left;
    look->res = res;
    look->answered = true;
    MUST(pthread_cond_signal(&look->change) == 0);
    MUST(pthread_mutex_unlock(&look->mutex) == 0);
    if (left)
        look_free(look);
    return NULL;
}

static struct look *look_create(const char *path)
{
    struct look *look = calloc(1, sizeof(*look) + strlen(path) + 1);
    pthread_condattr_t attributes;

    if (look == NULL)
        return NULL;
    memcpy(look->path, path, strlen(path) + 1);
    MUST(pthread_mutex_init(&look->mutex, NULL) == 0);
    MUST(pthread_condattr_init(&attributes) == 0);
    MUST(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    MUST(pthread_cond_init(&look->change, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
    return look;
}

/* False: it has not answered, and the thread frees the look. */
static bool wait_for(struct look *look, unsigned timeout_ms)
{
    struct timespec until;
    int error = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    MUST(pthread_mutex_lock(&look->mutex) == 0);
    while (!look->answered && error == 0)
        error = pthread_cond_timedwait(&look->change, &look->mutex, &until);
    bool answered = look->answered;
    look->left = !answered;
    MUST(pthread_mutex_unlock(&look->mutex) == 0);
    return answered;
}

/* May it wait for another machine? Where none has anything mounted here, no: once a process has had
 * a second thread, each system call of the first one costs more. */
static bool may_wait(const char *path)
{
    struct file_root_id id;
    struct mounts mounts;
    int fd;

    if (file_root_open_cached(path, &fd, &id) == 0) {
        close(fd);
        return id.remote;
    }
    mounts_read_once(&mounts);
    bool some = mounts.remote_count > 0;
    mounts_free(&mounts);
    return some;
}

int directory_look(const char *path, unsigned timeout_ms)
{
    pthread_t thread;

    CHECK(timeout_ms > 0);
    if (!may_wait(path))
        return look_now(path);
    struct look *look = look_create(path);
    if (look == NULL || thread_start(STACK_SIZE, ask, look, &thread) < 0) {
        if (look != NULL)
            look_free(look);
        return look_now(path);
    }
    if (!wait_for(look, timeout_ms)) {
        pthread_detach(thread);
        return -ETIMEDOUT;
    }
    pthread_join(thread, NULL);
    int res = look->res;
    look_free(look);
    return res;
}
