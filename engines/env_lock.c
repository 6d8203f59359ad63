/* env_lock.c: see env_lock.h. */
#include "engines/env_lock.h"

#include "core/check.h"

/* Whoever holds it will let it go in less time than a sleep and a wake-up take. */
#ifdef __GLIBC__ /* others, as musl, have no such kind */
enum { MUTEX_KIND = PTHREAD_MUTEX_ADAPTIVE_NP };
#else
enum { MUTEX_KIND = PTHREAD_MUTEX_DEFAULT };
#endif

/* The environment's clock is whoever's the mutex was meanwhile: later, if anything. */
static void let_go(void *mutex)
{
    MUST(pthread_mutex_unlock(mutex) == 0);
}

static void take_again(void *mutex)
{
    MUST(pthread_mutex_lock(mutex) == 0);
}

int env_lock_init(pthread_mutex_t *mutex, struct session_lock *ret_lock)
{
    pthread_mutexattr_t attributes;
    int error = pthread_mutexattr_init(&attributes);
    if (error != 0)
        return -error;
    error = pthread_mutexattr_settype(&attributes, MUTEX_KIND);
    if (error == 0)
        error = pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
    *ret_lock = (struct session_lock){ let_go, take_again, mutex };
    return -error;
}
