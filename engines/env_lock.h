/* env_lock.h: the lock of a session environment that several threads share. */
#ifndef ENGINES_ENV_LOCK_H
#define ENGINES_ENV_LOCK_H

#include "session/session.h"

#include <pthread.h>

/* Makes the mutex, which is held for less time than a sleep and a wake-up take, and a session_lock
 * of it, which borrows it (session_env_share()). 0 or -errno. The caller ends it by
 * pthread_mutex_destroy(3). */
int env_lock_init(pthread_mutex_t *mutex, struct session_lock *ret_lock);

#endif
