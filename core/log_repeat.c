/* log_repeat.c: see log_repeat.h.
 *
 * A fixed table, searched from its beginning: what is in it are faults, of few kinds, and none at
 * all in good times. The lines are written without the mutex. */
#include "core/log_repeat.h"

#include "core/check.h"
#include "core/clock.h"
#include "core/shared_memory.h"
#include "core/shared_mutex.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PERIODS_MAX = 64, MESSAGE_MAX = 4096 };

struct period {
    const char *kind; /* NULL: the place is free */
    int error;
    enum log_level level;
    unsigned written;
    uint64_t left_out;
    uint64_t end_ms; /* clock_monotonic_ms() */
};

struct repeats {
    pthread_mutex_t mutex;
    atomic_uint open; /* periods in use */
    struct period periods[PERIODS_MAX];
};

static struct repeats own = { .mutex = PTHREAD_MUTEX_INITIALIZER };
static struct repeats *repeats = &own; /* or shared memory */

/* A process that has died with it leaves a table that is as good as any. */
static void lock(void)
{
    int error = pthread_mutex_lock(&repeats->mutex);
    if (error == EOWNERDEAD)
        error = pthread_mutex_consistent(&repeats->mutex);
    MUST(error == 0);
}

static void unlock(void)
{
    MUST(pthread_mutex_unlock(&repeats->mutex) == 0);
}

static void tell_left_out(const struct period *p)
{
    if (p->left_out > 0)
        log_write(p->level, "%s: %s: %llu more such lines were left out within %d seconds", p->kind,
                  strerror(p->error), (unsigned long long)p->left_out, LOG_REPEAT_MS / 1000);
}

/* Under the mutex: the fault's period; a new one if there is none, or only one that is over, whose
 * end `*ret_ended` then has to tell. NULL: the table is full. */
static struct period *find_period(enum log_level level, const char *kind, int error,
                                  uint64_t now_ms, struct period *ret_ended)
{
    struct period *p = NULL;

    for (unsigned i = 0; i < PERIODS_MAX; i++) {
        struct period *at = &repeats->periods[i];
        if (at->kind != NULL && at->error == error && strcmp(at->kind, kind) == 0) {
            p = at;
            break;
        }
        if (at->kind == NULL && p == NULL)
            p = at;
    }
    if (p == NULL || (p->kind != NULL && now_ms < p->end_ms))
        return p;
    if (p->kind != NULL)
        *ret_ended = *p;
    else
        atomic_fetch_add(&repeats->open, 1);
    *p = (struct period){
        .kind = kind, .error = error, .level = level, .end_ms = now_ms + LOG_REPEAT_MS
    };
    return p;
}

/* Is this line to be written? Else it is counted. */
static bool is_due(enum log_level level, const char *kind, int error)
{
    struct period ended = { .left_out = 0 };
    bool due = true;

    lock();
    struct period *p = find_period(level, kind, error, clock_monotonic_ms(), &ended);
    if (p != NULL) { /* else there are more kinds of faults than anybody has seen */
        due = p->written < LOG_REPEAT_LINES;
        p->written += due;
        p->left_out += !due;
    }
    unlock();
    tell_left_out(&ended);
    return due;
}

void log_repeated(enum log_level level, const char *kind, int error, const char *format, ...)
{
    char message[MESSAGE_MAX];
    int saved_errno = errno;
    va_list args;

    if (is_due(level, kind, error)) {
        va_start(args, format);
        if (vsnprintf(message, sizeof message, format, args) < 0)
            message[0] = '\0';
        va_end(args);
        log_line(level, message);
    }
    errno = saved_errno;
}

void log_fault(const char *kind, int error)
{
    log_repeated(LOG_ERROR, kind, error, "%s: %s", kind, strerror(error));
}

/* Takes out one period that ends at `until_ms` or before. False: there is none. */
static bool take_ended(uint64_t until_ms, struct period *ret_ended)
{
    bool found = false;

    lock();
    for (unsigned i = 0; i < PERIODS_MAX && !found; i++) {
        struct period *p = &repeats->periods[i];
        if (p->kind == NULL || p->end_ms > until_ms)
            continue;
        *ret_ended = *p;
        *p = (struct period){ .kind = NULL };
        atomic_fetch_sub(&repeats->open, 1);
        found = true;
    }
    unlock();
    return found;
}

static void end_until(uint64_t until_ms)
{
    struct period ended;

    while (take_ended(until_ms, &ended))
        tell_left_out(&ended);
}

bool log_repeat_tick(void)
{
    if (atomic_load_explicit(&repeats->open, memory_order_relaxed) == 0)
        return false;
    end_until(clock_monotonic_ms());
    return atomic_load_explicit(&repeats->open, memory_order_relaxed) > 0;
}

void log_repeat_end(void)
{
    end_until(UINT64_MAX);
}

int log_repeat_share(void)
{
    struct repeats *shared = shared_memory_make("gearshift-log-repeat", sizeof(*shared), NULL);
    if (shared == NULL)
        return -errno;
    int error = shared_mutex_init(&shared->mutex);
    if (error != 0) {
        munmap(shared, sizeof(*shared));
        return -error;
    }
    atomic_store(&shared->open, atomic_load(&repeats->open));
    memcpy(shared->periods, repeats->periods, sizeof(shared->periods));
    repeats = shared;
    return 0;
}
